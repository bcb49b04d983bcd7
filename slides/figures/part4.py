"""The figures of part 4 up to transfer learning."""

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from aircraft import datasets, plotting
from aircraft.plotting.style import BLACK, BLUE, GREY, ORANGE, SKY, VERMILION, figure_of, styled
from aircraft.training import loading
from aircraft_course.drawings import lesson04, lesson05, lesson06
from figures import rare, toolbox
from figures import transfer as transferred
from figures.drawing import WORDS


def two_sets() -> Figure:
    """Thirty-two patches of each test set; those with an aircraft are framed."""
    figure, axes = plt.subplots(1, 2, figsize=(12, 4.6), layout="constrained")
    sets = (datasets.load_toy(progress=False), datasets.load_imbalanced(progress=False))
    for ax, data in zip(axes, sets, strict=True):
        some = data.test[200:230]
        plotting.patch_grid(some.images, columns=6, title=" ", ax=ax)
        for k in np.flatnonzero(some.labels).tolist():
            x, y = 70 * (k % 6), 70 * (k // 6)
            ax.add_patch(Rectangle((x, y), 64, 64, fill=False, edgecolor=ORANGE, linewidth=5))
        words = f"{data.name}: {some.labels.sum()} of {len(some)} with an aircraft"
        ax.set_title(words, fontsize=WORDS, loc="left", weight="bold")
    return figure


@styled
def precision_and_share() -> Figure:
    """The precision of the toy set's network at any share of aircraft, computed and measured."""
    found = rare.toy_network()
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
    train, _, _ = rare.remedy_parts()
    scores = np.array(rare.remedy("plain")["train"])
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
    test = rare.remedy_parts()[2]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10.4, 4.6), width_ratios=(5, 6))
    names = list(rare.REMEDIES)
    aircraft = test.labels == 1
    recalls = [float((rare.remedy(name)["test"][aircraft] >= 0.5).mean()) for name in names]
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
    left.set(xlim=(0, 1), ylim=(4.6, -0.6), xlabel="recall")
    left.set_title("threshold left at 0.5")
    gains = rare.remedy_gains()
    right.axvline(0, color=GREY, linestyle="--")
    for row, (value, low, high) in enumerate(gains.values(), start=1):
        right.plot([low, high], [row, row], color=ORANGE, linewidth=6, solid_capstyle="round")
        right.plot(value, row, "D", color=BLUE, markersize=11, markeredgecolor="white")
        right.text(0.062, row, f"{value:+.3f}", va="center", ha="right", fontsize=15, weight="bold")
    right.set_yticks([])
    right.set(xlim=(-0.065, 0.065), ylim=(4.6, -0.6), xlabel="AP minus AP of plain training")
    right.set_title("all thresholds, 95 % intervals")
    right.text(0.002, 0, "plain", fontsize=14, va="center", color="#555555")
    return figure


@styled
def leak() -> Figure:
    runs = [rare.leak(seed) for seed in range(3)]
    promised, kept = (
        {name: [float(run[name][k]) for run in runs] for name in ("random split", "split by site")}
        for k in (0, 1)
    )
    ax = lesson05.leakage(promised, kept, "AUC")
    figure = figure_of(ax)
    figure.set_size_inches(9.6, 4.5)
    ax.set_title("")
    return figure


@styled
def events() -> Figure:
    _, ax = plt.subplots(figsize=(9.6, 4.5))
    ax = lesson04.events(ax=ax)
    ax.set_title("")
    return figure_of(ax)


@styled
def batch_size() -> Figure:
    found = toolbox.gradient_scatter()
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
    for row, name in enumerate(toolbox.RECIPES):
        found = toolbox.recipe(name)
        loss, val_loss, auc = (float(found[key][:, -1].mean()) for key in ("loss", "val_loss", "AUC"))
        ax.plot([loss, val_loss], [row, row], color=GREY, linewidth=5, zorder=1)
        ax.plot(loss, row, "o", color=BLUE, markersize=14, label="training" if row == 0 else None)
        ax.plot(val_loss, row, "D", color=VERMILION, markersize=13, label="validation" if row == 0 else None)
        place = ax.get_yaxis_transform()
        ax.text(1.03, row, f"{auc:.3f}", transform=place, va="center", fontsize=16, weight="bold")
    ax.text(1.03, -0.75, "AUC", transform=ax.get_yaxis_transform(), va="center", fontsize=16)
    ax.set_yticks(range(len(toolbox.RECIPES)), list(toolbox.RECIPES))
    ax.set(xlim=(-0.03, 0.7), ylim=(4.5, -0.5))
    ax.set_xlabel("loss", fontsize=16)
    ax.tick_params(labelsize=16)
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2, fontsize=16, frameon=False)
    return figure


def augmented() -> Figure:
    """Eight patches as they are, and as three epochs would see them."""
    train, _ = toolbox.toy_parts()
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
    values = np.array(toolbox.seeds())
    figure, ax = plt.subplots(figsize=(9.6, 4.2))
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


@styled
def three_ways() -> Figure:
    _, ax = plt.subplots(figsize=(9, 4.4))
    ax = lesson06.three_ways(ax=ax)
    ax.set_title("")
    return figure_of(ax)


@styled
def transfer() -> Figure:
    stage, _ = transferred.best_stage()
    names = {
        "from scratch": "from scratch",
        "fine-tuned": "fine-tuned",
        "frozen": "frozen, last stage",
        "frozen, chosen": f"frozen, stage {stage}, centre, zoom 2",
    }
    curves = {
        name: (
            transferred.SIZES,
            np.array([transferred.transfer(way, count) for count in transferred.SIZES]).T,
        )
        for way, name in names.items()
    }
    _, ax = plt.subplots(figsize=(10, 4.7))
    ax = lesson06.learning_curve(curves, "", ax=ax)
    return figure_of(ax)
