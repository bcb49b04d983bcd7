"""Drawings of lesson 6: three ways to train, learning curves over the number of patches, and depth.

Pure functions of numbers; nothing here trains or scores.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch, Rectangle
from numpy.typing import ArrayLike

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

LOOKS = ((BLUE, "o", "-"), (VERMILION, "s", "--"), (GREEN, "D", "-."), (PURPLE, "^", ":"), (ORANGE, "v", "-"))
STAGES = 7  # boxes of the backbone

_LOCKED, _TUNED, _NEW = "#d4d4d4", SKY, ORANGE


@styled
def three_ways(ax: Axes | None = None) -> Axes:
    """A network of seven stages and a head, trained from scratch, with a frozen backbone, and fine-tuned."""
    ax = axes_or_new(ax, width=8, height=3.9)
    rows = (("from scratch", _NEW, "/"), ("frozen features", _LOCKED, ""), ("fine-tuning", _TUNED, ""))
    for row, (name, colour, hatch) in enumerate(rows):
        y = -1.25 * row
        ax.text(-0.3, y + 0.4, name, ha="right", va="center", fontsize=FONT - 1)
        for stage in range(STAGES):
            _box(ax, stage, y, 0.88, colour, hatch, f"{stage + 1}")
        _box(ax, STAGES + 0.3, y, 1.3, _NEW, "/", "head")
    ax.text(STAGES / 2, 1.15, "backbone: stages 1 to 7", ha="center", fontsize=FONT - 1)
    kinds = (
        Patch(facecolor=_NEW, hatch="/", edgecolor="white", label="starts at random, is trained"),
        Patch(facecolor=_LOCKED, edgecolor=GREY, label="from ImageNet, is not changed"),
        Patch(facecolor=_TUNED, edgecolor=GREY, label="from ImageNet, is trained on gently"),
    )
    ax.legend(handles=kinds, loc="upper center", bbox_to_anchor=(0.45, 0.02), fontsize=FONT - 3)
    ax.set(xlim=(-2.9, STAGES + 1.8), ylim=(-2.7, 1.7))
    ax.set_axis_off()
    ax.set_title("Three ways to train")
    return ax


def _box(ax: Axes, x: float, y: float, width: float, colour: str, hatch: str, text: str) -> None:
    edge = "white" if hatch else GREY
    ax.add_patch(Rectangle((x, y), width, 0.8, facecolor=colour, edgecolor=edge, hatch=hatch))
    ax.text(
        x + width / 2, y + 0.4, text, ha="center", va="center", fontsize=FONT - 2,
        bbox={"facecolor": colour, "edgecolor": "none", "pad": 1.5},
    )  # fmt: skip


@styled
def learning_curve(
    curves: Mapping[str, tuple[Sequence[int], ArrayLike]],
    title: str,
    score: str = "AUC on the test set",
    ax: Axes | None = None,
) -> Axes:
    """Score against the number of training patches: name -> (sizes, scores (seeds, sizes)).

    The line is the mean over the seeds, the band goes from the lowest to the highest, the dots are the runs.
    """
    if not curves:
        raise InputError("there are no curves to draw")
    ax = axes_or_new(ax, width=7.6, height=4.6)
    ticks: set[int] = set()
    for (name, (sizes, scores)), (colour, marker, line) in zip(curves.items(), LOOKS, strict=False):
        runs = np.atleast_2d(np.asarray(scores, dtype=float))
        if runs.shape[1] != len(sizes):
            raise InputError(f"{name}: {len(sizes)} sizes, but scores of the shape {runs.shape}")
        ticks |= set(sizes)
        ax.fill_between(sizes, runs.min(axis=0), runs.max(axis=0), color=colour, alpha=0.18, linewidth=0)
        ax.plot(np.tile(sizes, len(runs)), runs.ravel(), ".", color=colour, markersize=4)
        ax.plot(
            sizes, runs.mean(axis=0), color=colour, marker=marker, linestyle=line, markersize=8, label=name
        )
    ax.set(xscale="log", xlabel="training patches", ylabel=score)
    ax.set_xticks(sorted(ticks), [f"{tick:,}" for tick in sorted(ticks)])
    ax.minorticks_off()
    ax.set_title(title, fontsize=FONT)
    ax.legend(loc="lower right", fontsize=FONT - 2)
    return ax


@styled
def depth(
    scores: Mapping[str, ArrayLike],
    stages: Sequence[str],
    title: str,
    score: str = "AUC on validation",
    ax: Axes | None = None,
) -> Axes:
    """Score of a linear head on the features of each stage: name -> (seeds, stages); mean and band."""
    ax = axes_or_new(ax, width=7.6, height=4.2)
    places = np.arange(len(stages))
    for (name, values), (colour, marker, line) in zip(scores.items(), LOOKS, strict=False):
        runs = np.atleast_2d(np.asarray(values, dtype=float))
        ax.fill_between(places, runs.min(axis=0), runs.max(axis=0), color=colour, alpha=0.18, linewidth=0)
        ax.plot(
            places, runs.mean(axis=0), color=colour, marker=marker, linestyle=line, markersize=8, label=name
        )
    ax.set_xticks(places, list(stages))
    ax.set(xlabel="features taken after stage", ylabel=score)
    ax.set_title(title, fontsize=FONT)
    ax.legend(fontsize=FONT - 2)
    return ax


@styled
def seen(images: Sequence[np.ndarray], zooms: Sequence[int]) -> np.ndarray:
    """Enlarged patches as the backbone gets them, each with the grid of its last map (32 pixels a place)."""
    figure, axes = plt.subplots(1, len(zooms), figsize=(8, 3.1))
    for ax, image, zoom in zip(np.atleast_1d(axes), images, zooms, strict=True):
        side = len(image) * zoom
        ax.imshow(image, extent=(0, side, side, 0), interpolation="bilinear")
        lines = np.arange(32, side, 32)
        ax.vlines(lines, 0, side, color="white", linewidth=1)
        ax.hlines(lines, 0, side, color="white", linewidth=1)
        largest = len(image) * max(zooms)
        ax.set(xlim=(0, largest), ylim=(largest, 0))
        ax.set_axis_off()
        ax.set_title(
            f"zoom {zoom}: {side} x {side} pixels,\nmap {side // 32} x {side // 32}", fontsize=FONT - 2
        )
    figure.suptitle("One patch, as the backbone gets it", fontsize=FONT, fontweight="bold")
    return np.atleast_1d(axes)
