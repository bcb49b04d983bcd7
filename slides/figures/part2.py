"""Figures of part 2: neurons, images and convolutions, a first training. Each function returns a Figure."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from aircraft import datasets, plotting
from aircraft.datasets import synthetic
from aircraft.plotting.style import BLACK, BLUE, GREEN, GREY, ORANGE, SKY, VERMILION, figure_of, styled
from aircraft_course.drawings import lesson01, lesson02, lesson03
from figures import small_trainings as results
from figures.drawing import (
    AIRPORT,
    WORDS,
    arrow,
    box,
    filtered,
    lesson2_patch,
    letters,
    sheet,
    toy_set_of_patches,
)

# --- part 2: neurons ----------------------------------------------------------------------------------------


def perceptron() -> Figure:
    points, labels, *_ = results.lesson1_points()
    with letters(lesson01, 12):
        return lesson01.learning_line(points, labels, results.perceptron_history(), epochs=(0, 3, 9))


def loss() -> Figure:
    """Two lines through the shadows and heights of lesson 1, each with its loss."""
    _, _, shadows, heights, _ = results.lesson1_points()
    figure, axes = plt.subplots(1, 2, figsize=(12, 5), layout="constrained", sharey=True)
    for ax, w in zip(axes, (0.4, 0.8), strict=True):
        ax.vlines(shadows, heights, w * shadows, color=VERMILION, linewidth=2, label="error")
        ax.plot(shadows, heights, "o", color=GREY, markersize=8, label="30 buildings")
        ax.plot([0, 2], [0, 2 * w], color=BLUE, linewidth=3, label=f"height = {w} · shadow")
        value = np.mean((w * shadows - heights) ** 2)
        ax.set_title(f"w = {w}: loss {value:.3f}", fontsize=WORDS + 2, loc="left", weight="bold")
        ax.set_xlabel("shadow (10 m)", fontsize=WORDS)
        ax.tick_params(labelsize=WORDS - 2)
        ax.legend(fontsize=WORDS - 1, loc="upper left")
    axes[0].set_ylabel("height (10 m)", fontsize=WORDS)
    return figure


def descent() -> Figure:
    _, _, shadows, heights, _ = results.lesson1_points()
    return lesson01.descents(shadows, heights, start=2.5, rates=lesson01.RIDDLE, steps=8)


def backpropagation() -> Figure:
    """One computation forwards (numbers above) and backwards (slopes below), for w = 2, x = 3, y = 5."""
    figure, ax = sheet(12, 4.6)
    steps = [("w", "2", "6"), ("w · x", "6", "2"), ("− y", "1", "2"), ("square", "1", "1")]
    colours = (SKY, "white", "white", ORANGE)
    for k, ((name, value, slope), colour) in enumerate(zip(steps, colours, strict=True)):
        x = 1.3 + 3.1 * k
        box(ax, x, 2.3, 1.7, 1.0, name, colour, size=WORDS + 4)
        ax.text(x, 3.15, value, ha="center", va="center", fontsize=WORDS + 5, color=BLUE, weight="bold")
        ax.text(x, 1.4, slope, ha="center", va="center", fontsize=WORDS + 5, color=VERMILION, weight="bold")
        if k:
            arrow(ax, (x - 2.2, 3.15), (x - 0.5, 3.15), BLUE)
            arrow(ax, (x - 0.5, 1.4), (x - 2.2, 1.4), VERMILION)
    for x, words in ((2.85, "× x = 3"), (5.95, "× 1"), (9.05, "× 2 · error")):
        ax.text(x, 0.9, words, ha="center", va="center", fontsize=WORDS, color=VERMILION)
    for x, words in ((2.85, "times x = 3"), (5.95, "minus y = 5"), (9.05, "squared")):
        ax.text(x, 3.65, words, ha="center", va="center", fontsize=WORDS, color=BLUE)
    ax.text(0.4, 4.25, "forwards: the loss", fontsize=WORDS + 1, color=BLUE, va="center", weight="bold")
    ax.text(11.6, 0.25, "backwards: the slope of the loss", fontsize=WORDS + 1, color=VERMILION,
            va="center", ha="right", weight="bold")  # fmt: skip
    return figure


def batches() -> Figure:
    """An epoch: the training patches of lesson 3, shuffled, in batches of 64."""
    count, size = 2080, 64
    figure, ax = sheet(12, 4.2)
    number = -(-count // size)
    wide = 11.2 / (count / size)
    for k in range(number):
        last = k == number - 1
        width = wide * (count - k * size) / size if last else wide
        colour = (SKY, ORANGE)[k % 2] if not last else GREEN
        ax.add_patch(Rectangle((0.4 + k * wide, 2.0), width - 0.02, 1.5, facecolor=colour, edgecolor=BLACK))
    ax.text(0.4, 3.85, f"{count:,} training patches, in a new random order", fontsize=WORDS + 1, va="center")
    arrow(ax, (0.4 + wide / 2, 1.1), (0.4 + wide / 2, 1.95), BLUE)
    ax.text(0.4, 0.75, f"a batch of {size}:\none step downhill", fontsize=WORDS, va="center", color=BLUE)
    arrow(ax, (11.4, 1.1), (11.4, 1.95), GREEN)
    left = count - (number - 1) * size
    ax.text(
        11.6,
        0.75,
        f"the last batch\nhas only {left}",
        fontsize=WORDS,
        va="center",
        ha="right",
        color="#00714f",
    )
    ax.text(
        6, 1.25, f"one epoch = {number} steps", fontsize=WORDS + 4, va="center", ha="center", weight="bold"
    )
    return figure


def learning_curves() -> Figure:
    """The three networks of lesson 1, section 9: too small, right, and learning by heart."""
    curves = results.digit_curves()
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.9), layout="constrained", sharey=True)
    for ax, (name, curve) in zip(axes, curves.items(), strict=True):
        epochs = np.arange(1, len(curve) + 1)
        ax.plot(epochs, curve[:, 0], color=BLUE, linewidth=3, label="training")
        ax.plot(epochs, curve[:, 1], "--", color=VERMILION, linewidth=3, label="validation")
        ax.set_title(name, fontsize=WORDS + 2, loc="left", weight="bold")
        ax.set_xlabel("epoch", fontsize=WORDS)
        ax.tick_params(labelsize=WORDS - 2)
        ax.grid(color="#e6e6e6")
    best = int(curves["overfits"][:, 1].argmin())
    axes[2].plot(best + 1, curves["overfits"][best, 1], "o", color=BLACK, markersize=11)
    axes[2].annotate("stop here", (best + 1, curves["overfits"][best, 1]), (best + 8, 1.6), fontsize=WORDS,
                     arrowprops={"arrowstyle": "-|>", "linewidth": 2.5, "shrinkB": 8})  # fmt: skip
    axes[0].set_ylabel("loss", fontsize=WORDS)
    axes[0].set_ylim(0, None)
    axes[1].legend(fontsize=WORDS, loc="upper right")
    return figure


# --- part 2: images -----------------------------------------------------------------------------------------


def image_array() -> Figure:
    return lesson02.pixels(lesson2_patch(), x=28, y=20)


def walk(place: int) -> Figure:
    """The window of lesson 2 at one place of its walk, counted along the rows."""
    small = np.array([[1, 1, 1, 8, 8], [1, 1, 1, 8, 8], [1, 1, 1, 8, 8], [1, 1, 8, 8, 8], [1, 8, 8, 8, 8]])
    kernel = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
    with letters(lesson02, 12):
        figure = lesson02.window_walk(small, kernel, *divmod(place, 3))
    figure.set_facecolor("white")  # it covers the step before it
    return figure


def kernels() -> Figure:
    """Blur, sharpen and two edge filters of lesson 2 on a piece of a tile."""
    scene = synthetic.render(site=AIRPORT, size=1024).crop(430, 600, 160)
    grey = scene.image.mean(axis=2)
    blur, edges = np.ones((3, 3)) / 9, np.array([[-1, 0, 1]] * 3)
    sharpen = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    identity = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    shown = {
        "as it is": identity,
        "blur": blur,
        "sharpen": sharpen,
        "what stands": edges,
        "what lies": edges.T,
    }
    figure, axes = plt.subplots(2, 5, figsize=(12, 4.5), layout="constrained", height_ratios=[3, 5])
    for (above, below), (name, kernel) in zip(axes.T, shown.items(), strict=True):
        above.set(xlim=(-1.05, 4.05), ylim=(3.05, -0.05), aspect="equal")
        above.set_axis_off()
        for (i, j), weight in np.ndenumerate(kernel):
            above.add_patch(
                Rectangle((j, i), 1, 1, facecolor=ORANGE, alpha=0.35, edgecolor=BLACK, linewidth=1.5)
            )
            words = "1/9" if name == "blur" else f"{weight:g}".replace("-", "−")
            above.text(j + 0.5, i + 0.5, words, ha="center", va="center", fontsize=WORDS - 1)
        image = filtered(grey, kernel)
        most = np.percentile(np.abs(image), 99.5)
        limits = {"vmin": -most, "vmax": most} if name.startswith("what") else {"vmin": 0, "vmax": 255}
        below.imshow(image, cmap="gray", **limits)
        above.set_title(name, fontsize=WORDS + 1, weight="bold")
        below.set(xticks=[], yticks=[])
    return figure


def padding() -> Figure:
    with letters(lesson02, 17):
        return lesson02.padding_and_stride(size=5, kernel=3, padding=1)


def stride() -> Figure:
    with letters(lesson02, 17):
        return lesson02.padding_and_stride(size=7, kernel=3, stride=2)


def pooling() -> Figure:
    numbers = np.array([[1, 3, 2, 0], [5, 4, 1, 1], [0, 1, 7, 4], [9, 2, 3, 6]])
    with letters(lesson02, 14):
        return lesson02.pooling(numbers)


def toy_cnn() -> Figure:
    """The network of lesson 3 as blocks, with the shapes behind each layer."""
    stages = [
        ("image", 3, 64),
        ("conv", 16, 62),
        ("conv", 16, 60),
        ("pool", 16, 30),
        ("conv", 32, 28),
        ("conv", 32, 26),
        ("conv", 32, 24),
        ("pool", 32, 12),
        ("dense", 64, 1),
        ("logit", 1, 1),
    ]
    with letters(lesson02, 12):
        return lesson02.network(stages)


def receptive_field() -> Figure:
    return lesson02.receptive_field([("conv 3", 3, 1), ("pool 2", 2, 2), ("conv 3", 3, 1)])


def scrambled() -> Figure:
    """Three patches as the networks of the experiment see them, and with their pixels scrambled."""
    train = toy_set_of_patches().train
    images = results.small(train.images[train.labels == 1][[17, 3, 40]])
    mixed = images.flatten(2)[:, :, results.scrambling()].reshape(images.shape)
    figure, axes = plt.subplots(1, 6, figsize=(13, 2.7), layout="constrained")
    for k, ax in enumerate(axes):
        image = (images, mixed)[k % 2][k // 2].permute(1, 2, 0).numpy() + 0.5
        ax.imshow(image.clip(0, 1), interpolation="nearest")
        ax.set_title(("in order", "scrambled")[k % 2], fontsize=20, loc="left", weight="bold")
        ax.set(xticks=[], yticks=[])
    return figure


def cnn_against_mlp() -> Figure:
    """Accuracy of three seeds of each network, and their means, with the numbers written beside them."""
    scores = results.cnn_against_mlp()
    figure, ax = plt.subplots(figsize=(12, 5.4), layout="constrained")
    for k, condition in enumerate(("normal", "scrambled")):
        for j, (name, colour, marker) in enumerate((("CNN", BLUE, "o"), ("MLP", VERMILION, "s"))):
            x, values = k + 0.36 * (j - 0.5), scores[condition][name]
            ax.bar(x, np.mean(values), 0.3, color=colour, alpha=0.3, label=name if k == 0 else None)
            ax.plot([x] * len(values), values, marker, color=colour, markersize=10, clip_on=False)
            ax.text(
                x,
                max(values) + 0.015,
                f"{np.mean(values):.2f}",
                ha="center",
                fontsize=WORDS + 2,
                weight="bold",
            )
    ax.axhline(0.5, color=GREY, linestyle=":", linewidth=3, label="guessing")
    ax.set_xticks((0, 1), ("pixels in order", "pixels scrambled"), fontsize=WORDS + 2)
    ax.set(ylim=(0.4, 0.95), xlim=(-0.5, 1.5))
    ax.set_ylabel("validation accuracy", fontsize=WORDS)
    ax.tick_params(axis="y", labelsize=WORDS - 1)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(fontsize=WORDS, loc="upper right", ncols=3, frameon=False)
    return figure


# --- part 2: a first training -------------------------------------------------------------------------------


def toy_set() -> Figure:
    train = toy_set_of_patches().train
    chosen = np.random.default_rng(0).choice(len(train), size=24, replace=False)
    figure, ax = plt.subplots(figsize=(12, 5.2), layout="constrained")
    plotting.patch_grid(train.images[chosen], train.labels[chosen], columns=8, title=" ", ax=ax)
    for words in ax.texts:
        words.set_fontsize(WORDS - 2)
    return figure


@styled
def bce() -> Figure:
    _, ax = plt.subplots(figsize=(6.6, 4.1))
    ax = lesson03.loss_curves(ax=ax)
    ax.set_title("")
    return figure_of(ax)


def resnet() -> Figure:
    """ResNet-18 as four stages, and one of its blocks with the way around it."""
    figure, ax = sheet(12, 5.2)
    stages = [
        ("stem", "64\n32 × 32"),
        ("2 blocks", "64\n32 × 32"),
        ("2 blocks", "128\n16 × 16"),
        ("2 blocks", "256\n8 × 8"),
        ("2 blocks", "512\n4 × 4"),
        ("mean,\nlinear", "logit\n1"),
    ]
    for k, (name, below) in enumerate(stages):
        x, colour = 1.05 + 1.98 * k, SKY if 0 < k < 5 else ORANGE
        box(ax, x, 4.75, 1.45, 0.8, name, colour, size=WORDS)
        ax.text(x, 3.85, below, ha="center", va="center", fontsize=WORDS)
        if k:
            arrow(ax, (x - 1.24, 4.75), (x - 0.75, 4.75), BLACK)
    ax.plot([2.35, 0.9], [3.4, 2.7], color=GREY, linewidth=2, linestyle="--")
    ax.plot([3.7, 10.6], [3.4, 2.7], color=GREY, linewidth=2, linestyle="--")
    for x, name in ((3.2, "conv 3×3"), (5.2, "ReLU"), (7.2, "conv 3×3")):
        box(ax, x, 1.2, 1.6, 0.85, name, "white", size=WORDS)
    box(ax, 9.1, 1.2, 0.7, 0.85, "+", GREEN, size=WORDS + 6)
    for start, end in ((0.9, 2.4), (4.0, 4.4), (6.0, 6.4), (8.0, 8.75), (9.45, 11.0)):
        arrow(ax, (start, 1.2), (end, 1.2), BLACK)
    ax.add_patch(FancyArrowPatch((1.5, 1.25), (9.1, 1.65), connectionstyle="arc3,rad=-0.16", arrowstyle="-|>",
                                 mutation_scale=26, color=VERMILION, linewidth=4))  # fmt: skip
    ax.text(
        5.2,
        2.62,
        "the way around: what comes in is added again",
        ha="center",
        va="center",
        fontsize=WORDS,
        color=VERMILION,
        weight="bold",
    )
    ax.text(5.2, 0.35, "one block learns only what to change", ha="center", va="center", fontsize=WORDS)
    return figure


def splits() -> Figure:
    """The three parts of the toy set, by site, to scale."""
    toy = toy_set_of_patches()
    train, val = datasets.split(toy.train, fraction=0.2, seed=0)
    figure, ax = sheet(12, 4.4)
    total = len(train) + len(val) + len(toy.test)
    x = 0.3
    for name, part, colour, use in (("training", train, SKY, "learn"), ("validation", val, ORANGE, "choose"),
                                    ("test", toy.test, GREEN, "judge, once")):  # fmt: skip
        width = 11.4 * len(part) / total
        ax.add_patch(Rectangle((x, 1.5), width - 0.08, 1.5, facecolor=colour, edgecolor=BLACK, linewidth=2))
        middle = x + width / 2 - 0.04
        ax.text(middle, 3.4, name, ha="center", va="center", fontsize=WORDS + 1, weight="bold")
        ax.text(middle, 2.25, f"{len(part):,}\npatches", ha="center", va="center", fontsize=WORDS)
        ax.text(middle, 1.1, f"{len(set(part.sites))} sites", ha="center", va="center", fontsize=WORDS)
        ax.text(middle, 0.5, use, ha="center", va="center", fontsize=WORDS + 1, color=BLUE, weight="bold")
        x += width
    ax.text(
        6, 4.1, "each site in one part only", ha="center", va="center", fontsize=WORDS + 1, color=VERMILION
    )
    return figure
