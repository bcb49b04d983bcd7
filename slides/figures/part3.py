"""Figures of part 3: one network, its two kinds of mistakes and their curves. Each returns a Figure."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from aircraft import metrics, plotting
from aircraft.plotting.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, VERMILION, figure_of, styled
from aircraft_course.drawings import lesson03, lesson05
from figures import small_trainings as results
from figures.drawing import WORDS, bracket, rates, sheet


@styled
def scores() -> Figure:
    _, ax = plt.subplots(figsize=(9.4, 4.4))
    plotting.score_histograms(*results.judged().val, threshold=0.5, ax=ax)
    return figure_of(ax)


@styled
def confusion() -> Figure:
    _, ax = plt.subplots(figsize=(8.4, 4.4))
    plotting.confusion_matrix(metrics.confusion(*results.judged().val, threshold=0.5), ax=ax)
    return figure_of(ax)


@styled
def roc_step(threshold: float) -> Figure:
    """The scores cut at a threshold, and the ROC curve drawn as far as this threshold has come."""
    labels, found_scores = results.judged().val
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.2, 5), width_ratios=[6, 5])
    plotting.score_histograms(labels, found_scores, threshold=threshold, bins=25, ax=left)
    (_, false), (missed, _) = metrics.confusion(labels, found_scores, threshold)
    left.get_legend().remove()
    left.set_title(f"threshold {threshold:g}: {missed} missed, {false} false alarms", fontsize=15)
    right.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.8)
    levels = [*np.sort(found_scores[found_scores >= threshold])[::-1], threshold]
    points = [(0.0, 0.0)] + [rates(labels, found_scores, level) for level in levels]
    right.plot(*zip(*points, strict=True), color=BLUE, linewidth=3.5)
    right.plot(
        *points[-1], "D", color=VERMILION, markersize=14, markeredgecolor="white", clip_on=False, zorder=5
    )
    x, y = points[-1]
    right.set_title(f"{x:.0%} of background, {y:.0%} found", fontsize=15)
    right.set(xlabel="false alarm rate (of background)", ylabel="recall (of aircraft)", aspect="equal")
    right.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    figure.set_facecolor("white")
    return figure


@styled
def auc() -> Figure:
    """Every aircraft against every background patch, both from sure to unsure: the edge is the ROC curve."""
    labels, found_scores = results.judged().val
    aircraft, background = (np.sort(found_scores[labels == k])[::-1] for k in (1, 0))
    right = aircraft[::-1, None] > background[None, :]  # rows from unsure (top) to sure (bottom)
    figure, ax = plt.subplots(figsize=(7.2, 5.4))
    picture = np.where(right[..., None], (0.0, 0.447, 0.698), (0.902, 0.624, 0.0))
    ax.imshow(picture, extent=(0, 1, 0, 1), interpolation="nearest")
    ax.text(
        0.55,
        0.45,
        f"right order:\n{right.mean():.3f} of\n{right.size:,} pairs",
        color="white",
        fontsize=20,
        ha="center",
        va="center",
        weight="bold",
    )
    ax.annotate("wrong order", (0.05, 0.97), (0.16, 1.06), fontsize=17, va="center", annotation_clip=False,
                arrowprops={"arrowstyle": "-|>", "linewidth": 2})  # fmt: skip
    ax.set(xlabel="background, from high to low score", ylabel="aircraft, from high to low score")
    ax.set(xticks=(0, 1), yticks=(0, 1))
    ax.grid(False)
    return figure


def precision_recall() -> Figure:
    """Found, missed and false alarms as one bar to scale, with what recall and precision divide by."""
    (_, fp), (fn, tp) = metrics.confusion(*results.judged().val, threshold=0.5)
    figure, ax = sheet(12, 4.9)
    scale, x = 11.4 / (fn + tp + fp), 0.3
    for count, words, colour in ((fn, "missed", ORANGE), (tp, "found", GREEN), (fp, "false alarms", PURPLE)):
        width = scale * count
        ax.add_patch(Rectangle((x, 1.55), width, 1.9, facecolor=colour, edgecolor=BLACK, linewidth=2))
        upright = width < 1
        text = f"{count} {words}" if upright else f"{count}\n{words}"
        ax.text(
            x + width / 2, 2.5, text, ha="center", va="center", fontsize=WORDS, rotation=90 if upright else 0
        )
        x += width
    edge, middle = 0.3 + scale * (fn + tp), 0.3 + scale * fn
    bracket(
        ax,
        0.3,
        edge,
        3.65,
        f"{fn + tp} aircraft:   recall = {tp} / {fn + tp} = {tp / (fn + tp):.2f}",
        up=True,
    )
    bracket(
        ax, middle, 11.7, 1.35, f"{tp + fp} alarms:   precision = {tp} / {tp + fp} = {tp / (tp + fp):.2f}"
    )
    return figure


def f_beta() -> Figure:
    """F-beta against the threshold for three values of beta, on validation, with the best place of each."""
    labels, found_scores = results.judged().val
    thresholds = np.linspace(0.02, 0.98, 193)
    figure, ax = plt.subplots(figsize=(12, 5.2), layout="constrained")
    for beta, colour, line, who in ((2, GREEN, "-", "a search"), (1, BLUE, "--", "both alike"),
                                    (0.5, VERMILION, "-.", "a busy analyst")):  # fmt: skip
        curve = []
        for threshold in thresholds:
            (_, fp), (fn, tp) = metrics.confusion(labels, found_scores, float(threshold))
            curve.append((1 + beta**2) * tp / ((1 + beta**2) * tp + beta**2 * fn + fp))
        best = metrics.choose_threshold(labels, found_scores, beta=beta)
        height = np.interp(best, thresholds, curve)
        ax.plot(
            thresholds,
            curve,
            line,
            color=colour,
            linewidth=3,
            label=f"beta {beta}: {who}, threshold {best:.2f}",
        )
        ax.plot(best, height, "D", color=colour, markersize=13, markeredgecolor="white", zorder=5)
    ax.set_xlabel("threshold", fontsize=WORDS)
    ax.set_ylabel("F-beta on validation", fontsize=WORDS)
    ax.tick_params(labelsize=WORDS - 1)
    ax.set(ylim=(0.4, 1), xlim=(0, 1))
    ax.grid(color="#e6e6e6")
    ax.legend(fontsize=WORDS, loc="lower center")
    return figure


def crowds() -> Figure:
    """Recall and false-alarm rate of the test set, in a crowd with a half and with a tenth of aircraft."""
    labels, found_scores = results.judged().toy
    false, recall = rates(labels, found_scores, 0.5)
    return figure_of(lesson05.crowds((0.5, 0.1), recall, false))


def roc_and_pr() -> Figure:
    judged = results.judged()
    axes = lesson05.roc_and_pr({"half aircraft": judged.toy, "one in ten": judged.imbalanced})
    for ax in axes:
        ax.legend(fontsize=13, loc="lower right" if ax is axes[0] else "lower left")
    return figure_of(axes)


def promise() -> Figure:
    labels, found_scores = results.judged().val
    threshold = metrics.choose_threshold(labels, found_scores, min_recall=0.95)
    return figure_of(lesson03.threshold_choice(labels, found_scores, threshold))
