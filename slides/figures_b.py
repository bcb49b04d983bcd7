"""The figures of parts 4 and 5, drawn by the package and the lessons' own drawings, at fixed seeds.

FIGURES: file name -> function(path). Drawn for 1200 pixels of width; `make figures` calls them.
"""

import contextlib
import functools
import io
import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Rectangle
from PIL import Image

import figures_b_results as results
from aircraft import datasets, detection, loading, models, plotting, training
from aircraft.drawings import lesson04, lesson05, lesson06, lesson07, lesson08
from aircraft.plotting import marks
from aircraft.plotting.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    VERMILION,
    YELLOW,
    figure_of,
    styled,
)
from aircraft.synthetic import aircraft as synthetic_aircraft
from aircraft.synthetic.light import Sun

matplotlib.use("Agg")
LARGEST = 149_000  # bytes of one image
WORDS = 17  # points of the letters on our own figures of 12 inches: 24 pixels

# --- part 4: rare aircraft ----------------------------------------------------------------------------------


def two_sets() -> Figure:
    """Thirty-two patches of each test set; those with an aircraft are framed."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    sets = (datasets.load_toy(progress=False), datasets.load_imbalanced(progress=False))
    for ax, data in zip(axes, sets, strict=True):
        some = data.test[200:230]
        plotting.patch_grid(some.images, columns=6, title=" ", ax=ax)
        for k in np.flatnonzero(some.labels):
            x, y = 70 * (k % 6), 70 * (k // 6)
            ax.add_patch(Rectangle((x, y), 64, 64, fill=False, edgecolor=ORANGE, linewidth=5))
        words = f"{data.name}: {some.labels.sum()} of {len(some)} with an aircraft"
        ax.set_title(words, fontsize=WORDS, loc="left", weight="bold")
    return figure


@styled
def precision_and_share() -> Figure:
    """The precision of the toy set's network at any share of aircraft, computed and measured."""
    found = results.toy_network()
    recall, false_alarms, _ = found["toy"]
    measured = {
        "toy set": (0.5, float(found["toy"][2])),
        "imbalanced set": (0.1, float(found["imbalanced"][2])),
    }
    _, ax = plt.subplots(figsize=(9.4, 4.4))
    ax = lesson05.precision_against_share(float(recall), float(false_alarms), measured, ax=ax)
    ax.set_title(f"recall {recall:.2f}, false-alarm rate {false_alarms:.2f}", fontsize=15, loc="left")
    ax.set_xticks([0.001, 0.01, 0.1, 0.5], ["1 in 1,000", "1 in 100", "1 in 10", "half"])
    ax.set_xlabel("share of aircraft among the patches")
    for (_, point), down in zip(measured.items(), (-8, -8), strict=True):
        ax.annotate(
            f"{point[1]:.2f}", point, (14, down), textcoords="offset points", fontsize=16, weight="bold"
        )
    return figure_of(ax)


def hard_background() -> Figure:
    """The eight background patches of the training set with the highest scores, after plain training."""
    train, _, _ = results.remedy_parts()
    scores = np.array(results.remedy("plain")["train"])
    background = np.flatnonzero(train.labels == 0)
    hard = background[np.argsort(-scores[background])[:8]]
    figure, ax = plt.subplots(figsize=(6, 4.2), layout="constrained")
    plotting.patch_grid(train.images[hard], scores=scores[hard], columns=4, title=" ", ax=ax)
    ax.set_title("background, and its score", fontsize=WORDS, loc="left", weight="bold")
    corners = [words.get_position() for words in ax.texts]  # below the middle of each patch
    for x, y in corners:
        core = (x - 16, y - 64 * 1.04 + 16)
        ax.add_patch(Rectangle(core, 32, 32, fill=False, edgecolor="white", linewidth=2.2, linestyle="--"))
    for words in ax.texts:
        words.set_fontsize(WORDS - 1)
    return figure


@styled
def focal() -> Figure:
    _, ax = plt.subplots(figsize=(6, 5))
    ax = lesson05.focal_curves(ax=ax)
    ax.set_title("focal loss", fontsize=WORDS, loc="left", weight="bold")
    ax.xaxis.label.set_fontsize(15)
    ax.yaxis.label.set_fontsize(15)
    ax.tick_params(labelsize=15)
    ax.legend(fontsize=15)
    return figure_of(ax)


@styled
def remedies() -> Figure:
    """Recall with the threshold left at 0.5, and AP gained over plain training, for each remedy."""
    test = results.remedy_parts()[2]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.4, 4.6), width_ratios=(5, 6))
    names = list(results.REMEDIES)
    aircraft = test.labels == 1
    recalls = [float((results.remedy(name)["test"][aircraft] >= 0.5).mean()) for name in names]
    left.barh(range(5), recalls, color=[GREY, *[SKY] * 4], height=0.6)
    for row, value in enumerate(recalls):
        left.text(
            value - 0.02,
            row,
            f"{value:.2f}",
            va="center",
            ha="right",
            fontsize=15,
            weight="bold",
            color="white" if row == 0 else BLACK,
        )
    left.set_yticks(range(5), names)
    left.set(xlim=(0, 1), ylim=(4.6, -0.6), xlabel="recall at threshold 0.5")
    left.set_title("looks like a remedy")
    gains = results.remedy_gains()
    right.axvline(0, color=GREY, linestyle="--")
    for row, (value, low, high) in enumerate(gains.values(), start=1):
        right.plot([low, high], [row, row], color=ORANGE, linewidth=6, solid_capstyle="round")
        right.plot(value, row, "D", color=BLUE, markersize=11, markeredgecolor="white")
        right.text(0.062, row, f"{value:+.3f}", va="center", ha="right", fontsize=15, weight="bold")
    right.set_yticks([])
    right.set(xlim=(-0.065, 0.065), ylim=(4.6, -0.6), xlabel="AP less that of plain training")
    right.set_title("is hardly one: 95 % intervals")
    right.text(0.002, 0, "plain", fontsize=14, va="center", color="#555555")
    return figure


@styled
def leak() -> Figure:
    runs = [results.leak(seed) for seed in range(3)]
    promised, kept = (
        {name: [float(run[name][k]) for run in runs] for name in ("random split", "split by site")}
        for k in (0, 1)
    )
    ax = lesson05.leakage(promised, kept, "AUC")
    figure = figure_of(ax)
    figure.set_size_inches(9.6, 4.5)
    ax.set_title("")
    return figure


# --- part 4: the toolbox ------------------------------------------------------------------------------------


@styled
def events() -> Figure:
    _, ax = plt.subplots(figsize=(9.6, 4.5))
    ax = lesson04.events(ax=ax)
    ax.set_title("")
    return figure_of(ax)


@styled
def learning_rate() -> Figure:
    """The sweep of the finder, and the validation loss of three trainings, with one rate of each kind."""
    found = results.learning_rates()
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.4, 4.7))
    looks = (("1e-05", "0.00001", GREY, "s"), ("0.003", "0.003", GREEN, "o"), ("0.3", "0.3", VERMILION, "^"))
    left.semilogx(found["lr"], found["loss"], color=BLUE, linewidth=3.5)
    for key, name, colour, marker in looks:
        height = np.interp(np.log(float(key)), np.log(found["lr"]), found["loss"])
        left.plot(
            float(key), height, marker, color=colour, markersize=14, markeredgecolor="white", clip_on=False
        )
        right.plot(
            range(1, 6), found[key], color=colour, marker=marker, markersize=11, linewidth=3, label=name
        )
    left.set(xlabel="learning rate", ylabel="loss while the rate grows", ylim=(0, 1.2))
    left.set_title("one short run with the finder")
    right.set(xlabel="epoch", ylabel="validation loss", ylim=(0.3, 0.8), xticks=range(1, 6))
    right.set_title("three trainings")
    right.legend(title="rate", title_fontsize=13, loc="center left", bbox_to_anchor=(0.0, 0.5))
    return figure


@styled
def batch_size() -> Figure:
    found = results.gradient_scatter()
    sizes, scatter = np.array(found["sizes"]), np.array(found["scatter"])
    figure, ax = plt.subplots(figsize=(9.4, 4.5))
    ax.loglog(sizes, scatter, "o", color=BLUE, markersize=15, label="measured")
    ax.loglog(
        sizes, scatter[0] * np.sqrt(sizes[0] / sizes), "--", color=GREY, label="falls like 1/√n", linewidth=3
    )
    ax.set_xticks(sizes, [str(size) for size in sizes])
    ax.minorticks_off()
    ax.set(xlabel="batch size n", ylabel="scatter of the gradient")
    ax.legend(fontsize=16)
    return figure


@styled
def recipes() -> Figure:
    """Loss on training and on validation after 30 epochs on 500 patches, and the AUC, for five recipes."""
    figure, ax = plt.subplots(figsize=(7, 5))
    for row, name in enumerate(results.RECIPES):
        found = results.recipe(name)
        loss, val_loss, auc = (float(found[key][:, -1].mean()) for key in ("loss", "val_loss", "AUC"))
        ax.plot([loss, val_loss], [row, row], color=GREY, linewidth=5, zorder=1)
        ax.plot(loss, row, "o", color=BLUE, markersize=14, label="training" if row == 0 else None)
        ax.plot(val_loss, row, "D", color=VERMILION, markersize=13, label="validation" if row == 0 else None)
        place = ax.get_yaxis_transform()
        ax.text(1.03, row, f"{auc:.3f}", transform=place, va="center", fontsize=16, weight="bold")
    ax.text(1.03, -0.75, "AUC", transform=ax.get_yaxis_transform(), va="center", fontsize=16)
    ax.set_yticks(range(len(results.RECIPES)), list(results.RECIPES))
    ax.set(xlim=(0, 0.7), ylim=(4.5, -0.5))
    ax.set_xlabel("loss", fontsize=16)
    ax.tick_params(labelsize=16)
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2, fontsize=16, frameon=False)
    return figure


def augmented() -> Figure:
    """Eight patches as they are, and as three epochs would see them."""
    train, _ = results.toy_parts()
    some = np.flatnonzero(train.labels)[:8]
    original = torch.from_numpy(np.array(train.images[some])).permute(0, 3, 1, 2)  # (8, 3, 64, 64)
    generator = torch.Generator().manual_seed(0)
    rounds = [original] + [(loading.augment(original, generator) * 255).byte() for _ in range(3)]
    images = torch.cat(rounds).permute(0, 2, 3, 1).numpy()
    figure = plt.figure(figsize=(11, 4.9))
    ax = figure.add_axes((0.11, 0, 0.89, 1))
    plotting.patch_grid(images, columns=8, title=" ", ax=ax)
    ax.set_title("")
    for row, words in enumerate(("as it is", "epoch 1", "epoch 2", "epoch 3")):
        ax.text(-12, 70 * row + 32, words, ha="right", va="center", fontsize=WORDS)
    return figure


@styled
def noise() -> Figure:
    """The same training with eight seeds."""
    values = np.array(results.seeds())
    figure, ax = plt.subplots(figsize=(10, 3.4))
    ax.axvspan(
        values.mean() - values.std(ddof=1), values.mean() + values.std(ddof=1), color=ORANGE, alpha=0.3
    )
    ax.axvline(values.mean(), color=VERMILION, linewidth=3)
    ax.plot(
        values,
        np.zeros(len(values)),
        "o",
        color=SKY,
        markersize=20,
        markeredgecolor=BLUE,
        markeredgewidth=2.5,
    )
    ax.set(yticks=[], ylim=(-1, 1), xlabel="AUC on validation")
    ax.spines["left"].set_visible(False)
    ax.text(
        values.mean(),
        0.72,
        f" mean {values.mean():.3f}, spread {values.std(ddof=1):.3f}",
        fontsize=16,
        weight="bold",
        va="center",
    )
    for value, words, side in (
        (values.min(), "the “old method”", "left"),
        (values.max(), "the “new idea”", "right"),
    ):
        ax.annotate(
            f"{words}\n{value:.3f}",
            (value, -0.12),
            (value, -0.72),
            fontsize=15,
            ha=side,
            va="center",
            arrowprops={"arrowstyle": "-|>", "linewidth": 2},
        )
    return figure


# --- part 4: borrowed eyes ----------------------------------------------------------------------------------


@styled
def three_ways() -> Figure:
    _, ax = plt.subplots(figsize=(9, 4.4))
    ax = lesson06.three_ways(ax=ax)
    ax.set_title("")
    return figure_of(ax)


@styled
def transfer() -> Figure:
    stage, _ = results.best_stage()
    names = {
        "from scratch": "from scratch",
        "fine-tuned": "fine-tuned",
        "frozen": "frozen, last stage",
        "frozen, chosen": f"frozen, stage {stage}, centre, zoom 2",
    }
    curves = {
        name: (results.SIZES, np.array([results.transfer(way, count) for count in results.SIZES]).T)
        for way, name in names.items()
    }
    _, ax = plt.subplots(figsize=(10, 4.7))
    ax = lesson06.learning_curve(curves, "", ax=ax)
    return figure_of(ax)


# --- part 4: from patches to tiles --------------------------------------------------------------------------


def windows() -> Figure:
    with _letters(lesson07, 12):
        return lesson07.sliding_windows(_example(), stride=32)


def spots() -> Figure:
    """A piece of a tile: all windows that say yes, the peaks, and what suppression leaves."""
    piece, scores = _piece()
    bright = np.argwhere(scores.scores >= 0.5)
    peaks = _peaks(scores.scores, 0.5)
    centers = scores.offset + scores.stride * peaks[:, ::-1]
    stay = _suppress(centers, scores.scores[tuple(peaks.T)], 20)
    panels = {
        f"{len(bright)} windows say yes": scores.offset + scores.stride * bright[:, ::-1],
        f"{len(peaks)} peaks": centers,
        f"{len(stay)} after suppression": centers[stay],
    }
    with _letters(lesson07, 14):
        figure = lesson07.steps(piece.image, panels)
    figure.set_size_inches(8.4, 3.3)
    return figure


def cores() -> Figure:
    with _letters(lesson07, 12):
        return lesson07.core_grids(strides=(16, 32, 48))


def matching() -> Figure:
    with _letters(lesson07, 12):
        figure = lesson07.matching()
    figure.set_size_inches(7.6, 3.5)
    return figure


def linear_as_convolution() -> Figure:
    """Lesson 8's drawing in two rows, large enough for a room."""
    with _letters(lesson08, 10):
        return lesson08.linear_as_convolution()


@styled
def work() -> Figure:
    """Multiplications for one tile, by the window loop and by one dense pass, against the stride."""
    network, strides = models.build("patch_net").eval(), [8, 16, 32, 64]
    one_window = results.multiplications(network, 64)
    loop = np.array([((512 - 64) // s + 1) ** 2 * one_window for s in strides]) / 1e9
    dense = np.array([results.multiplications(models.dense(network, stride=s), 512) for s in strides]) / 1e9
    figure, ax = plt.subplots(figsize=(9.6, 4.6))
    ax.plot(strides, loop, "o--", color=VERMILION, markersize=12, label="window loop")
    ax.plot(strides, dense, "s-", color=BLUE, markersize=12, label="one dense pass")
    ax.set_xscale("log", base=2)
    ax.set_xticks(strides, strides)
    ax.set_yscale("log")
    ax.set(xlabel="stride (pixels)", ylabel="billion multiplications")
    ax.annotate("", (8.4, dense[0]), (8.4, loop[0]), arrowprops={"arrowstyle": "<|-|>", "linewidth": 2.5})
    middle = np.sqrt(dense[0] * loop[0])
    ax.text(
        8.8, middle, f"{loop[0] / dense[0]:.0f} times\nless work", fontsize=17, va="center", weight="bold"
    )
    ax.legend(fontsize=16)
    return figure


# --- part 5 -------------------------------------------------------------------------------------------------


@styled
def board() -> Figure:
    """What TensorBoard shows of a training of lesson 4: losses, learning rate, weights, worst patches."""
    train, val = results.toy_parts()
    with tempfile.TemporaryDirectory() as folder:
        _log_a_training(train, val, folder)
        axes = lesson04.board(folder)
    figure = figure_of(axes)
    figure.set_size_inches(10.6, 5.4)
    return figure


def boxes() -> Figure:
    """Three anchors, the box that the best one becomes, and what IoU measures."""
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.6), layout="constrained")
    tile, box = _lonely()
    center = (box[:2] + box[2:]) / 2
    x, y = np.round(center - 40).astype(int)
    image, box, center = tile.image[y : y + 80, x : x + 80], box - [x, y, x, y], center - (x, y)
    grid = np.round((center - 4) / 8) * 8 + 4
    for ax in axes[:2]:
        marks.blank(ax, image, width=4, height=4)
    dots = np.stack(np.meshgrid(np.arange(4, 80, 8), np.arange(4, 80, 8)), axis=-1).reshape(-1, 2)
    axes[0].plot(*dots.T, "o", color="white", markersize=4, markeredgecolor="black", markeredgewidth=0.6)
    axes[0].plot(*grid, "o", color=YELLOW, markersize=13, markeredgecolor="black", markeredgewidth=2)
    for width, height in ((44, 44), (60, 30), (30, 60)):
        anchor = np.array([*(grid - (width / 2, height / 2)), *(grid + (width / 2, height / 2))])
        marks.box(axes[0], anchor, YELLOW, (0, (3, 2)))
    marks.box(axes[1], np.array([*(grid - 22), *(grid + 22)]), YELLOW, (0, (3, 2)))
    marks.box(axes[1], box, marks.HIT, "-", width=3.5)
    axes[1].annotate("", center, grid, arrowprops={"arrowstyle": "-|>", "linewidth": 4, "color": "white"})
    ax = axes[2]
    ax.add_patch(Rectangle((8, 14), 40, 40, facecolor=(SKY, 0.6), edgecolor=BLUE, linewidth=3))
    ax.add_patch(Rectangle((24, 28), 44, 34, facecolor=(ORANGE, 0.5), edgecolor=VERMILION, linewidth=3))
    ax.text(36, 41, "both", ha="center", va="center", fontsize=WORDS, weight="bold")
    both, total = 24 * 26, 40 * 40 + 44 * 34 - 24 * 26
    ax.text(40, 73, f"{both} / {total} = {both / total:.2f}", ha="center", va="center", fontsize=WORDS)
    ax.set(xlim=(0, 80), ylim=(80, 0), aspect="equal")
    ax.set_axis_off()
    titles = ("1. standard boxes at each place", "2. the best one is corrected", "3. IoU: common / all area")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, fontsize=WORDS, loc="left")
    return figure


def unet() -> Figure:
    """An image goes down to coarse maps and up again; shortcuts bring the fine detail back."""
    figure, ax = _sheet(12, 5.2)
    sides, xs_down = (1.6, 1.15, 0.8, 0.5), (2.95, 4.15, 5.1)
    levels = (3.9, 2.55, 1.4, 0.55)
    xs_up = [12 - x for x in reversed(xs_down)]
    image, mask = _parked()
    _picture(ax, image, 0.25, 3.0, 1.9)
    _picture(ax, mask, 9.85, 3.0, 1.9)
    down = [(x, y, s) for x, y, s in zip(xs_down, levels, sides, strict=False)]
    up = [(x, y, s) for x, y, s in zip(xs_up, reversed(levels[:3]), reversed(sides[:3]), strict=False)]
    path = [*down, (6.0, levels[3], sides[3]), *up]
    for k, (x, y, side) in enumerate(path):
        colour = SKY if k < 3 else YELLOW if k == 3 else GREEN
        width = 0.28 + 0.1 * min(k, 6 - k)
        ax.add_patch(
            Rectangle(
                (x - width / 2, y - side / 2), width, side, facecolor=colour, edgecolor=BLACK, linewidth=2
            )
        )
    for (x, y, side), (x2, y2, side2) in zip(path[:-1], path[1:], strict=True):
        _arrow(ax, (x + 0.28, y - side / 4), (x2 - 0.3, y2 + side2 / 4), BLACK) if y2 < y else _arrow(
            ax, (x + 0.28, y + side / 4), (x2 - 0.3, y2 - side2 / 4), BLACK
        )
    for (x, y, _), (x2, _, _) in zip(down, reversed(up), strict=True):
        ax.add_patch(
            FancyArrowPatch(
                (x + 0.25, y + 0.1),
                (x2 - 0.25, y + 0.1),
                arrowstyle="-|>",
                mutation_scale=22,
                color=VERMILION,
                linewidth=3.5,
                linestyle=(0, (4, 2)),
                shrinkA=0,
                shrinkB=0,
            )
        )
    _arrow(ax, (2.2, 3.95), (2.75, 3.95), BLACK)
    _arrow(ax, (9.25, 3.95), (9.8, 3.95), BLACK)
    ax.text(
        6,
        4.35,
        "shortcuts keep the outline sharp",
        ha="center",
        fontsize=WORDS,
        color=VERMILION,
        weight="bold",
    )
    ax.text(1.2, 2.65, "image", ha="center", fontsize=WORDS)
    ax.text(10.8, 2.65, "mask", ha="center", fontsize=WORDS)
    ax.text(2.9, 1.0, "down: what is it?", ha="center", fontsize=WORDS, color=BLUE, weight="bold")
    ax.text(9.1, 1.0, "up: where exactly?", ha="center", fontsize=WORDS, color="#00714f", weight="bold")
    return figure


def tokens() -> Figure:
    """A tile cut into sixteen tokens, and how much one of them looks at each of the others."""
    figure, ax = _sheet(12, 4.7)
    tile = _example()
    scene = tile.crop(*_around(tile, 256), 256)
    side, step = 3.6, 0.9
    _picture(ax, scene.image, 0.3, 0.75, side)
    for k in range(5):
        ax.plot([0.3 + k * step] * 2, [0.75, 0.75 + side], color="white", linewidth=3)
        ax.plot([0.3, 0.3 + side], [0.75 + k * step] * 2, color="white", linewidth=3)
    ax.text(0.3 + side / 2, 0.35, "1. cut into tokens", ha="center", va="center", fontsize=WORDS)
    chosen = 6
    weights = _looks(scene.image, chosen)
    places = []
    for k in range(16):
        row, column = divmod(k, 4)
        x, y = 5.0 + 0.92 * column, 3.9 - 0.98 * row
        piece = scene.image[64 * row : 64 * row + 64, 64 * column : 64 * column + 64]
        _picture(ax, piece, x, y - 0.4, 0.78)
        places.append((x + 0.39, y))
    for k, weight in enumerate(weights):
        if k != chosen:
            ax.plot(
                *zip(places[chosen], places[k], strict=True),
                color=VERMILION,
                linewidth=0.6 + 30 * weight,
                alpha=0.75,
                solid_capstyle="round",
                zorder=4,
            )
    ax.add_patch(
        Rectangle(
            (places[chosen][0] - 0.43, places[chosen][1] - 0.43),
            0.86,
            0.86,
            fill=False,
            edgecolor=YELLOW,
            linewidth=5,
            zorder=5,
        )
    )
    ax.text(6.8, 0.35, "2. each looks at all", ha="center", va="center", fontsize=WORDS)
    for k, (y, words, colour) in enumerate(
        ((3.6, "attention:\nwho matters to me?", ORANGE), (2.1, "MLP:\nwhat follows?", SKY))
    ):
        _box(ax, 10.55, y, 2.6, 1.1, words, colour, size=WORDS - 1)
        if k:
            _arrow(ax, (10.55, 3.05), (10.55, 2.7), BLACK)
    _arrow(ax, (8.75, 3.6), (9.22, 3.6), BLACK)
    _arrow(ax, (10.55, 1.52), (10.55, 1.05), BLACK)
    ax.text(10.55, 0.75, "again, 12 times", ha="center", va="center", fontsize=WORDS)
    ax.text(10.55, 0.35, "3. blocks", ha="center", va="center", fontsize=WORDS)
    return figure


# --- what the figures show ----------------------------------------------------------------------------------


@functools.cache
def _example() -> Any:
    """The tile of the detection slides: a test tile with about eight aircraft."""
    return min(results.test_tiles(), key=lambda tile: abs(len(tile.boxes) - 10))


@functools.cache
def _lonely() -> tuple[Any, np.ndarray]:
    """A test tile and the box of its aircraft of about 36 x 46 m that stands furthest from all others."""
    best = (0.0, results.test_tiles()[0], np.zeros(4))
    for tile in results.test_tiles():
        for box, center in zip(tile.boxes, tile.centers, strict=True):
            width, height = np.sort(box[2:] - box[:2])
            inside = (center > 42).all() and (center < tile.width - 42).all()
            if not inside or not 32 < width < 42 or not 40 < height < 54:
                continue
            apart = np.sort(np.hypot(*(tile.centers - center).T))[1:2]
            if apart.size and apart[0] > best[0]:
                best = (float(apart[0]), tile, box)
    return best[1:]


@functools.cache
def _piece() -> tuple[Any, detection.ScoreMap]:
    """A piece of the example and its score map at stride 8."""
    piece = _example().crop(*_around(_example(), 256), 256)
    return piece, detection.score_map(results.detector(), piece.image, method="batched", stride=8)


def _around(tile: Any, side: int) -> tuple[int, int]:
    """The corner of the square of this side that holds the most aircraft."""
    corners = [
        (x, y) for x in range(0, tile.width - side + 1, 16) for y in range(0, tile.height - side + 1, 16)
    ]

    def inside(corner: tuple[int, int]) -> int:
        low = tile.boxes[:, :2] >= corner
        high = tile.boxes[:, 2:] <= np.add(corner, side)
        return int((low.all(axis=1) & high.all(axis=1)).sum())

    return max(corners, key=inside)


def _peaks(scores: np.ndarray, threshold: float) -> np.ndarray:
    """Lesson 7, exercise 6: (N, 2) rows and columns that no neighbour exceeds."""
    padded = np.pad(scores, 1, constant_values=-1)
    highest = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).max(axis=(2, 3))
    return np.argwhere((scores >= threshold) & (scores == highest))


def _suppress(centers: np.ndarray, scores: np.ndarray, distance: float) -> list[int]:
    """Lesson 7, exercise 7: the indices that stay, the best first."""
    keep: list[int] = []
    for i in np.argsort(-scores):
        if all(np.hypot(*(centers[i] - centers[k])) > distance for k in keep):
            keep.append(int(i))
    return keep


@functools.cache
def _parked() -> tuple[np.ndarray, np.ndarray]:
    """Three aircraft painted on a piece of empty ground (128, 128, 3), and their exact mask."""
    rng, sun = np.random.default_rng(3), Sun(azimuth=math.radians(140), elevation=math.radians(40))
    canvas = np.full((256, 256, 3), 150, np.uint8) + rng.integers(0, 12, (256, 256, 1), dtype=np.uint8)
    shadow, mask = np.zeros((256, 256), np.uint8), np.full((256, 256, 3), 217, np.uint8)
    parked = (("narrow_body", 36, 34, 0.6), ("narrow_body", 94, 52, 2.2), ("narrow_body", 46, 94, -0.4))
    planes = [synthetic_aircraft.random_plane(rng, kind).at(x, y, heading) for kind, x, y, heading in parked]
    for plane in planes:
        synthetic_aircraft.paint_shadow(shadow, plane, sun)
    canvas[shadow > 0] //= 2
    for plane in planes:
        before = canvas.copy()
        synthetic_aircraft.paint(canvas, plane, sun)
        mask[(before != canvas).any(axis=2)] = (0, 114, 178)
    return canvas, mask


def _looks(image: np.ndarray, chosen: int) -> np.ndarray:
    """(16,) attention of one token of an untrained layer: softmax of how alike the pieces' pixels are."""
    pieces = image.reshape(4, 64, 4, 64, 3).swapaxes(1, 2).reshape(16, -1).astype(float)
    pieces = (pieces - pieces.mean(axis=0)) / 255
    alike = pieces @ pieces[chosen] / np.linalg.norm(pieces, axis=1) / np.linalg.norm(pieces[chosen])
    weights = np.exp(3 * alike)
    weights[chosen] = 0
    return weights / weights.sum()


def _log_a_training(train: Any, val: Any, folder: str) -> None:
    """The training of lesson 4, section 3, written to a folder for TensorBoard."""
    from ignite.engine import Events
    from ignite.handlers import PiecewiseLinear, TensorboardLogger
    from torchvision.utils import make_grid

    model, optimizer, trainer, evaluator, batches = results.prepare(train)
    val_batches = loading.Batches(val.images, val.labels, 512, torch.device("cpu"))
    corners = [(0, 4e-4), (len(batches), 1e-2), (6 * len(batches), 1e-5)]
    trainer.add_event_handler(Events.ITERATION_STARTED, PiecewiseLinear(optimizer, "lr", corners))
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run(val_batches))
    board = TensorboardLogger(log_dir=folder)
    often = Events.ITERATION_COMPLETED(every=4)
    board.attach_output_handler(
        trainer, often, "train", output_transform=lambda output: {"loss": float(output["loss"])}
    )
    board.attach_opt_params_handler(trainer, often, optimizer=optimizer)
    board.attach_output_handler(
        evaluator,
        Events.COMPLETED,
        "validation",
        metric_names=["loss", "AUC"],
        global_step_transform=lambda *_: trainer.state.iteration,
    )

    @trainer.on(Events.EPOCH_COMPLETED)
    def write_more() -> None:
        step = trainer.state.iteration
        board.writer.add_histogram("weights of the last layer", model.layers[-1].weight, step)
        scores = training.predict(model, val.images)
        worst = np.argsort(-np.abs(val.labels - scores))[:8]
        pictures = torch.from_numpy(np.array(val.images[worst])).permute(0, 3, 1, 2)
        board.writer.add_image("worst patches", make_grid(pictures, nrow=4), step)

    trainer.run(batches, max_epochs=6)
    board.close()


# --- helpers ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _letters(drawings: ModuleType, points: int) -> Iterator[None]:
    """Draw a lesson's figure with letters of this size: on a slide it stands smaller than on a page."""
    before = drawings.SMALL
    drawings.SMALL = points
    try:
        with plt.rc_context({"font.size": points, "xtick.labelsize": points, "ytick.labelsize": points}):
            yield
    finally:
        drawings.SMALL = before


def _sheet(width: float, height: float) -> tuple[Figure, Axes]:
    figure = plt.figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    return figure, ax


def _picture(ax: Axes, image: np.ndarray, x: float, y: float, side: float) -> None:
    ax.imshow(image, extent=(x, x + side, y, y + side), interpolation="antialiased", zorder=2)
    ax.set(xlim=(0, ax.figure.get_figwidth()), ylim=(0, ax.figure.get_figheight()))


def _box(
    ax: Axes, x: float, y: float, width: float, height: float, text: str, colour: str, *, size: float
) -> None:
    """A box around its middle."""
    corner = (x - width / 2, y - height / 2)
    style = "round,pad=0,rounding_size=0.12"
    ax.add_patch(
        FancyBboxPatch(corner, width, height, boxstyle=style, facecolor=colour, edgecolor=BLACK, linewidth=2)
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=size)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    ax.add_patch(
        FancyArrowPatch(
            start, end, arrowstyle="-|>", mutation_scale=22, color=colour, linewidth=3, shrinkA=0, shrinkB=0
        )
    )


def _save(figure: Figure, path: Path) -> None:
    """Write a figure by the path's ending and close it; the same figure gives the same bytes."""
    path = Path(path)
    if path.suffix == ".jpg":
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=1600 / figure.get_figwidth())
        picture = Image.open(buffer).convert("RGB")
        for quality in range(90, 20, -4):
            buffer = io.BytesIO()
            picture.save(buffer, "JPEG", quality=quality, optimize=True)
            if buffer.tell() <= LARGEST:
                break
        path.write_bytes(buffer.getvalue())
    else:
        with matplotlib.rc_context({"svg.hashsalt": "aircraft"}):
            figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _drawn(function: Callable[[], Figure]) -> Callable[[Path], None]:
    """A function that gives a figure, as one that writes it."""
    return lambda path: _save(function(), path)


FIGURES: dict[str, Callable[[Path], None]] = {
    "two-sets.jpg": _drawn(two_sets),
    "precision-share.svg": _drawn(precision_and_share),
    "hard-background.jpg": _drawn(hard_background),
    "focal.svg": _drawn(focal),
    "remedies.svg": _drawn(remedies),
    "leak.svg": _drawn(leak),
    "events.svg": _drawn(events),
    "learning-rate.svg": _drawn(learning_rate),
    "batch-size.svg": _drawn(batch_size),
    "recipes.svg": _drawn(recipes),
    "augmented.jpg": _drawn(augmented),
    "noise.svg": _drawn(noise),
    "three-ways.svg": _drawn(three_ways),
    "transfer.svg": _drawn(transfer),
    "windows.jpg": _drawn(windows),
    "spots.jpg": _drawn(spots),
    "cores.svg": _drawn(cores),
    "matching.svg": _drawn(matching),
    "linear-as-convolution.svg": _drawn(linear_as_convolution),
    "work.svg": _drawn(work),
    "board.jpg": _drawn(board),
    "boxes.jpg": _drawn(boxes),
    "unet.jpg": _drawn(unet),
    "tokens.jpg": _drawn(tokens),
}
