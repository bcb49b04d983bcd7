"""Drawings of lesson 5: what a rare class does to the figures, and how much a leak flatters.

Pure functions of numbers; nothing here trains or scores.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from aircraft import InputError
from aircraft.plotting.style import (
    BLUE,
    FONT,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILION,
    axes_or_new,
    styled,
)

COLUMNS = 20  # of a crowd of marks


def share_precision(share: Any, recall: float, false_alarm_rate: float) -> Any:
    """The precision that these rates give where so large a share is aircraft; numbers or arrays (Bayes)."""
    return share * recall / (share * recall + (1 - share) * false_alarm_rate)


@styled
def crowds(shares: Sequence[float], recall: float, false_alarm_rate: float, count: int = 200) -> np.ndarray:
    """`count` patches as marks, one panel for each share of aircraft: found, missed, false alarm, quiet.

    The same recall and false-alarm rate everywhere (rounded to whole patches): only the share differs.
    Returns an array of Axes.
    """
    _, axes = plt.subplots(1, len(shares), figsize=(4 * len(shares), 3.25), squeeze=False)
    kinds = (  # name, colour, marker
        ("aircraft, found", GREEN, "o"),
        ("aircraft, missed", ORANGE, "X"),
        ("background, false alarm", PURPLE, "^"),
        ("background, quiet", "#c8c8c8", "s"),
    )
    for ax, share in zip(axes[0], shares, strict=True):
        aircraft = round(count * share)
        found, false = round(aircraft * recall), round((count - aircraft) * false_alarm_rate)
        groups = np.repeat(np.arange(4), [found, aircraft - found, false, count - aircraft - false])
        places = np.arange(count)
        for number, (name, colour, marker) in enumerate(kinds):
            here = places[groups == number]
            ax.scatter(here % COLUMNS, here // COLUMNS, 38, color=colour, marker=marker, label=name)
        ax.invert_yaxis()
        ax.set_aspect("equal")
        ax.set_axis_off()
        ax.set_title(f"{share:.0%} aircraft: {found} of {found + false} alarms right", fontsize=FONT - 1)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure = axes[0, 0].get_figure()
    figure.legend(handles, names, loc="outside lower center", ncols=2, fontsize=FONT - 2, handletextpad=0.2)
    return axes[0]


@styled
def precision_against_share(
    recall: float,
    false_alarm_rate: float,
    measured: Mapping[str, tuple[float, float]],
    ax: Axes | None = None,
) -> Axes:
    """The precision that a fixed recall and false-alarm rate give at any share of aircraft.

    measured: name -> (share, precision), drawn as points beside the curve.
    """
    ax = axes_or_new(ax, width=6.4, height=4.2)
    share = np.geomspace(0.001, 0.9, 200)
    ax.plot(share, share_precision(share, recall, false_alarm_rate), color=BLUE, label="computed")
    marks = zip(measured.items(), (VERMILION, GREEN, PURPLE), "Dso", strict=False)
    for (name, point), colour, marker in marks:
        label = f"measured: {name}"
        ax.plot(*point, marker, color=colour, markersize=10, markeredgecolor="white", label=label)
    ax.set(xscale="log", ylim=(0, 1.02), xlabel="share of aircraft among the patches", ylabel="precision")
    ticks = [0.001, 0.01, 0.1, 0.5]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_title("The rarer the aircraft, the less an alarm is worth", fontsize=FONT)
    ax.legend(loc="upper left", fontsize=FONT - 2)
    return ax


@styled
def roc_and_pr(results: Mapping[str, tuple[ArrayLike, ArrayLike]]) -> np.ndarray:
    """ROC and precision-recall of a network on several sets: name -> (labels, scores). Two Axes."""
    _, axes = plt.subplots(1, 2, figsize=(8, 4.4))
    looks = zip(results.items(), (BLUE, VERMILION, GREEN), ("-", "--", ":"), strict=False)
    for (name, (labels, scores)), colour, line in looks:
        false, found, _ = roc_curve(labels, scores)
        area = roc_auc_score(labels, scores)
        axes[0].plot(false, found, color=colour, linestyle=line, label=f"{name}: AUC {area:.3f}")
        precision, recall, _ = precision_recall_curve(labels, scores)
        area = average_precision_score(labels, scores)
        axes[1].plot(recall, precision, color=colour, linestyle=line, label=f"{name}: AP {area:.3f}")
    axes[0].set(title="ROC", xlabel="false-alarm rate", ylabel="recall")
    axes[1].set(title="Precision-recall", xlabel="recall", ylabel="precision")
    for ax, place in zip(axes, ("lower right", "lower left"), strict=True):
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        ax.legend(loc=place, fontsize=FONT - 3)
    return axes


@styled
def focal_curves(gammas: Sequence[float] = (0, 0.5, 2, 5), ax: Axes | None = None) -> Axes:
    """Loss of an aircraft against the probability that the network gives it; gamma 0 is cross-entropy."""
    ax = axes_or_new(ax, width=6.4, height=4)
    p = np.linspace(0.01, 1, 300)
    looks = zip(gammas, (BLUE, GREEN, VERMILION, PURPLE), ("-", "--", "-.", ":"), strict=False)
    for gamma, colour, line in looks:
        name = "cross-entropy (gamma 0)" if gamma == 0 else f"focal, gamma {gamma:g}"
        ax.plot(p, -((1 - p) ** gamma) * np.log(p), color=colour, linestyle=line, label=name)
    ax.axvspan(0.6, 1, color=SKY, alpha=0.2, lw=0)
    ax.text(0.8, 1.6, "easy patches", ha="center", fontsize=FONT - 1)
    ax.set(xlim=(0, 1), ylim=(0, 4), xlabel="probability given to the true class", ylabel="loss")
    ax.set_title("Focal loss lets easy patches count little")
    ax.legend(fontsize=FONT - 2)
    return ax


@styled
def intervals(
    rows: Mapping[str, tuple[float, float, float]],
    xlabel: str,
    title: str,
    reference: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A line for each name: (value, low, high) as a point with its interval; `reference` is dashed."""
    if not rows:
        raise InputError("there are no rows to draw")
    ax = axes_or_new(ax, width=7, height=0.5 * len(rows) + 1.6)
    value, low, high = np.array(list(rows.values()), float).T
    places = np.arange(len(rows))
    if reference is not None:
        ax.axvline(reference, color=GREY, linestyle="--", linewidth=1.8)
    errors = [np.maximum(value - low, 0), np.maximum(high - value, 0)]
    ax.errorbar(value, places, xerr=errors, fmt="o", color=BLUE, markersize=8, capsize=5)
    ax.set_yticks(places, list(rows))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set(xlabel=xlabel)
    ax.set_title(title, fontsize=FONT)
    return ax


@styled
def leakage(promised: Mapping[str, Sequence[float]], kept: Mapping[str, Sequence[float]], score: str) -> Axes:
    """What a validation set promised and what new places gave; name of the split -> a score for each seed."""
    ax = axes_or_new(None, width=7, height=1.1 * len(promised) + 1.9)
    for place, name in enumerate(promised):
        for values, colour, marker, shift, what in (
            (promised[name], VERMILION, "D", -0.12, "promised: validation"),
            (kept[name], BLUE, "o", 0.12, "kept: places never seen"),
        ):
            label = what if place == 0 else None
            ys = np.full(len(values), place + shift)
            ax.plot(values, ys, marker, color=colour, markersize=9, markeredgecolor="white", label=label)
            ax.plot([np.mean(values)] * 2, [place + shift - 0.1, place + shift + 0.1], color=colour)
    ax.set_yticks(range(len(promised)), list(promised))
    ax.set_ylim(len(promised) - 0.5, -0.5)
    ax.set(xlabel=score)
    ax.set_title("Promised and kept: a mark a seed, a bar the mean", fontsize=FONT)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=2, fontsize=FONT - 2)
    return ax
