"""Drawings of lesson 3: the labelling rule on real windows, what a logit costs, the course of a training.

Pure functions; colours are Okabe and Ito's, and markers or line styles say the same again.
"""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from aircraft import InputError, patches, plotting
from aircraft.plotting import marks
from aircraft.plotting.style import (
    BLUE,
    FONT,
    GREEN,
    GREY,
    ORANGE,
    SKY,
    VERMILION,
    YELLOW,
    axes_or_new,
    styled,
)
from aircraft.scenes import Scene

SHIFTS = (
    (0, 0),
    (12, -9),
    (15, 15),
    (17, 3),
    (-28, 20),
)  # metres from the middle of the window to the centre


@styled
def labelling_rule(scene: Scene, shifts: Sequence[tuple[int, int]] = SHIFTS) -> np.ndarray:
    """One aircraft in windows that are shifted bit by bit, with the central 32x32 and the label.

    The aircraft is the one nearest to the middle of the scene; shifts are (x, y) in metres. Raises InputError
    where the scene has none, or where a window would leave it. Returns an array of Axes.
    """
    if not len(scene.boxes):
        raise InputError(f"{scene.name}: no aircraft to show; choose another view")
    middle = np.array([scene.width, scene.height]) / 2
    center = scene.centers[np.abs(scene.centers - middle).sum(axis=1).argmin()]
    corners = np.round(center - patches.PATCH / 2 - np.array(shifts)).astype(int)
    if corners.min() < 0 or (corners + patches.PATCH > [scene.width, scene.height]).any():
        raise InputError(f"{scene.name}: the aircraft at {center.round()} is too near to the border")
    labels = patches.label(scene.centers, *corners.T)
    _, axes = plt.subplots(1, len(shifts), figsize=(2.3 * len(shifts), 3.0), squeeze=False)
    core = np.array([patches.RIM, patches.RIM, patches.RIM + patches.CORE, patches.RIM + patches.CORE])
    for ax, window, corner, label in zip(
        axes[0], patches.cut(scene.image, *corners.T), corners, labels, strict=True
    ):
        marks.blank(ax, window, width=2.3, height=2.6)
        marks.box(ax, core, YELLOW, "--", width=1.8)
        marks.crosses(ax, (center - corner)[None], SKY)
        ax.set_title(f"{label}: " + ("aircraft" if label else "background"), fontsize=FONT)
    return axes[0]


@styled
def loss_curves(reach: float = 6.0, ax: Axes | None = None) -> Axes:
    """Binary cross-entropy against the logit, for an aircraft and for background."""
    ax = axes_or_new(ax, width=7, height=4.2)
    logits = np.linspace(-reach, reach, 200)
    ax.plot(logits, np.logaddexp(0, -logits), color=ORANGE, label="label 1: aircraft")
    ax.plot(logits, np.logaddexp(0, logits), color=BLUE, linestyle="--", label="label 0: background")
    ax.plot(0, np.log(2), "o", color=VERMILION, markersize=10, label="undecided: ln 2", zorder=4)
    ax.set(xlabel="logit (what the network gives)", ylabel="loss of the patch", ylim=(0, None))
    ax.set_title("Sure and wrong costs most")
    ax.legend(loc="upper center")
    return ax


def cores(ax: Axes) -> Axes:
    """Dashed squares on the patches of `plotting.patch_grid`: a centre of an aircraft in it makes label 1."""
    inset = (patches.PATCH - patches.CORE) / 2
    for name in ax.texts:  # each stands in the middle below its patch
        x, y = name.get_position()
        corner = x - patches.CORE / 2, y - 1.04 * patches.PATCH + inset
        ax.add_patch(Rectangle(corner, patches.CORE, patches.CORE, fill=False, color=YELLOW, ls="--", lw=1))
    return ax


@styled
def loss_and_accuracy(rows: Sequence[Mapping[str, float]], baseline: float = 0.5) -> np.ndarray:
    """Loss of training and validation, and accuracy on validation, for each epoch: an array of two Axes.

    rows: mappings with epoch, loss, val_loss, accuracy; a dotted line marks the epoch of the lowest val_loss.
    baseline: the accuracy of a classifier that does not look.
    """
    if not rows:
        raise InputError("there is no epoch yet: nothing to draw")
    epochs = [row["epoch"] for row in rows]
    best = min(rows, key=lambda row: row["val_loss"])
    _, axes = plt.subplots(1, 2, figsize=(11, 4.2))
    for key, name, colour, marker in (
        ("loss", "training", BLUE, "o"),
        ("val_loss", "validation", VERMILION, "s"),
    ):
        axes[0].plot(epochs, [row[key] for row in rows], color=colour, marker=marker, label=name)
    axes[1].plot(epochs, [row["accuracy"] for row in rows], color=GREEN, marker="s", label="validation")
    axes[1].axhline(baseline, color=GREY, linestyle="--", label=f"not looking: {baseline:.2f}")
    axes[0].set(title=f"Lowest validation loss: epoch {best['epoch']:g}", ylabel="loss", ylim=(0, None))
    axes[1].set(title=f"Accuracy there: {best['accuracy']:.3f}", ylabel="accuracy", ylim=(0.4, 1.0))
    for ax in axes:
        ax.axvline(best["epoch"], color=GREY, linestyle=":", zorder=1)
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.legend()
    return axes


@styled
def threshold_choice(labels: ArrayLike, scores: ArrayLike, threshold: float) -> np.ndarray:
    """One threshold as a place on the ROC curve and as a line through the scores: an array of two Axes."""
    _, axes = plt.subplots(1, 2, figsize=(11.5, 4.8))
    plotting.roc(labels, scores, threshold=threshold, ax=axes[0])
    plotting.score_histograms(labels, scores, threshold=threshold, ax=axes[1])
    return axes
