"""Drawings of lesson 4: the events of a training, what a TensorBoard folder holds, paths in a valley, seeds.

Pure functions of numbers or of a folder of events; nothing here trains.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from aircraft import InputError
from aircraft.plotting.style import (
    BLACK,
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

COLOURS = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK, GREY)
MARKERS = "osD^vP*X"


@styled
def events(ax: Axes | None = None) -> Axes:
    """A run of two epochs of three batches as a time line: which event fires when, and who listens to it."""
    ax = axes_or_new(ax, width=9.2, height=4.6)
    ax.set_axis_off()
    ax.set(xlim=(-0.3, 13.3), ylim=(-2.8, 4.4))
    _box(ax, 0, 13, 2.2, "run", "#dddddd")
    for epoch, start in enumerate((0.5, 6.9)):
        _box(ax, start, 5.6, 1.2, f"epoch {epoch + 1}", "#cfe6f7")
        for batch in range(3):
            _box(ax, start + 0.3 + 1.7 * batch, 1.6, 0.2, f"batch {3 * epoch + batch + 1}", "#fbe3b8")
    fired = (
        (0.0, 3.8, "STARTED", "left"),
        (0.5, 3.2, "EPOCH_STARTED", "left"),
        (6.1, 3.2, "EPOCH_COMPLETED", "right"),
        (13.0, 3.2, "COMPLETED", "right"),
    )
    for x, y, name, side in fired:
        ax.plot([x, x], [0.2, y], color=BLACK, linewidth=1.4, linestyle=":")
        ax.text(x, y + 0.05, name, ha=side, va="bottom", fontsize=FONT - 3, family="monospace")
    listeners = (
        (0.8, "ITERATION_STARTED", "schedule:\nset the learning rate", BLUE),
        (4.1, "ITERATION_COMPLETED", "NaN stop, progress bar,\nTensorBoard curve", VERMILION),
        (6.1, "EPOCH_COMPLETED", "evaluate, early stopping,\ncheckpoint", GREEN),
    )
    for (x, event, text, colour), left in zip(listeners, (0.0, 4.2, 9.0), strict=True):
        ax.plot([x, x, left + 0.2], [0.2, -0.5, -1.0], color=colour, linewidth=2)
        ax.plot(x, 0.2, "o", color=colour, markersize=8, zorder=5)
        ax.text(left, -1.1, event, va="top", fontsize=FONT - 3, family="monospace", color=colour)
        ax.text(left, -1.75, text, va="top", fontsize=FONT - 2)
    ax.set_title("An Engine runs the loops; handlers wait for events")
    return ax


def _box(ax: Axes, x: float, width: float, y: float, text: str, colour: str) -> None:
    ax.add_patch(Rectangle((x, y), width, 0.85, facecolor=colour, edgecolor="white", linewidth=2))
    ax.text(x + width / 2, y + 0.42, text, ha="center", va="center", fontsize=FONT - 2)


@styled
def board(folder: str | Path) -> np.ndarray:
    """What the events in `folder` hold, drawn as TensorBoard shows it: array of 2 x 2 Axes.

    Curves of training and validation loss, the learning rate, a histogram of weights for each epoch, and the
    last picture. Raises InputError where the folder has no such events.
    """
    data = EventAccumulator(str(folder), size_guidance={"scalars": 0, "histograms": 0, "images": 0}).Reload()
    tags = data.Tags()
    scalars = {tag: [(event.step, event.value) for event in data.Scalars(tag)] for tag in tags["scalars"]}
    if not scalars:
        raise InputError(f"{folder} holds no TensorBoard events; was the logger closed?")
    _, axes = plt.subplots(2, 2, figsize=(10.4, 7.2))
    drawn = [tag for tag in scalars if "loss" in tag]
    for tag, colour, marker in zip(drawn, COLOURS, MARKERS, strict=False):
        few = len(scalars[tag]) < 20
        style = {"marker": marker, "markersize": 8} if few else {"linewidth": 1.6}
        axes[0, 0].plot(*zip(*scalars[tag], strict=True), color=colour, label=tag, **style)
    axes[0, 0].set(title="SCALARS: losses", xlabel="step (batches)", ylim=(0, None))
    axes[0, 0].legend()
    rates = next((tag for tag in scalars if tag.startswith("lr")), drawn[0])
    axes[0, 1].plot(*zip(*scalars[rates], strict=True), color=GREEN)
    axes[0, 1].set(title="SCALARS: learning rate", xlabel="step (batches)", ylim=(0, None))
    if tags["histograms"]:
        _ridges(axes[1, 0], data.Histograms(tags["histograms"][0]))
        axes[1, 0].set(title="HISTOGRAMS", xlabel=tags["histograms"][0])
    if tags["images"]:
        last = data.Images(tags["images"][0])[-1]
        axes[1, 1].imshow(_decode(last.encoded_image_string))
        axes[1, 1].set_title("IMAGES: the worst patches")
    axes[1, 1].set_axis_off()
    return axes


def _ridges(ax: Axes, histograms: Sequence) -> None:
    """One outline of the weights for each event, the oldest at the back."""
    tops = []
    for event in histograms:
        found = event.histogram_value
        edges, counts = np.asarray(found.bucket_limit), np.asarray(found.bucket)
        grid = np.linspace(found.min, found.max, 25)
        shares = np.histogram(edges, grid, weights=counts)[0] / max(counts.sum(), 1) / (grid[1] - grid[0])
        tops.append(((grid[1:] + grid[:-1]) / 2, shares))
    lift = max(shares.max() for _, shares in tops) * 0.45
    for k, (middle, shares) in enumerate(tops):
        base = lift * (len(tops) - 1 - k)
        shade = 0.25 + 0.6 * k / max(len(tops) - 1, 1)
        ax.fill_between(
            middle, base, base + shares, color=plt.cm.Blues(shade), edgecolor="white", zorder=k + 2
        )
    ax.set_yticks([lift * (len(tops) - 1 - k) for k in range(len(tops))], [f"{e.step}" for e in histograms])
    ax.set_ylabel("step")


def _decode(encoded: bytes) -> np.ndarray:
    from io import BytesIO

    from PIL import Image

    return np.asarray(Image.open(BytesIO(encoded)))


@styled
def valley(paths: Mapping[str, ArrayLike], curvature: float, ax: Axes | None = None) -> Axes:
    """Walks (steps, 2) over the valley f(x, y) = (x^2 + curvature * y^2) / 2, lowest at (0, 0)."""
    ax = axes_or_new(ax, width=8, height=4.2)
    points = [np.asarray(path, dtype=float) for path in paths.values()]
    everywhere = np.concatenate([np.zeros((1, 2)), *points])
    (left, low), (right, high) = everywhere.min(axis=0), everywhere.max(axis=0)
    x, y = np.meshgrid(np.linspace(left - 0.5, right + 0.5, 200), np.linspace(low - 0.3, high + 0.3, 200))
    height = (x**2 + curvature * y**2) / 2
    ax.contour(x, y, height, levels=np.geomspace(0.02, height.max(), 12), colors="#c4c4c4", linewidths=1)
    for (name, _), path, colour, marker in zip(paths.items(), points, COLOURS, MARKERS, strict=False):
        ax.plot(*path.T, color=colour, marker=marker, markersize=5, linewidth=1.6, label=name)
    ax.plot(0, 0, "*", color=BLACK, markersize=16, zorder=6)
    ax.set(title="Walks to the bottom of a valley (star)", xlabel="first weight", ylabel="second weight")
    ax.grid(False)
    ax.legend(loc="upper right")
    return ax


@styled
def groups(results: Mapping[str, ArrayLike], xlabel: str, title: str, ax: Axes | None = None) -> Axes:
    """Every run as a dot, a row for each name; the diamond is the mean, the bar one standard deviation."""
    if not results:
        raise InputError("there are no results to draw")
    ax = axes_or_new(ax, width=8, height=1.3 + 0.5 * len(results))
    for row, values in enumerate(results.values()):
        runs = np.asarray(values, dtype=float)
        ax.plot(runs, np.full(len(runs), row - 0.16), "o", color=SKY, markersize=8, markeredgecolor=BLUE)
        spread = runs.std(ddof=1) if len(runs) > 1 else 0.0
        ax.errorbar(runs.mean(), row + 0.2, xerr=spread, fmt="D", color=VERMILION, markersize=7, capsize=5)
    ax.set_yticks(range(len(results)), list(results))
    ax.set(ylim=(len(results) - 0.4, -0.6), xlabel=xlabel, title=title)
    return ax


@styled
def bands(
    curves: Mapping[str, ArrayLike], xlabel: str, ylabel: str, title: str, ax: Axes | None = None
) -> Axes:
    """Curves (seeds, epochs): the mean as a line, from the lowest to the highest seed as a band."""
    ax = axes_or_new(ax, width=6.4, height=4.2)
    for (name, values), colour, marker in zip(curves.items(), COLOURS, MARKERS, strict=False):
        runs = np.atleast_2d(np.asarray(values, dtype=float))
        epochs = np.arange(1, runs.shape[1] + 1)
        ax.fill_between(epochs, runs.min(axis=0), runs.max(axis=0), color=colour, alpha=0.2, linewidth=0)
        ax.plot(epochs, runs.mean(axis=0), color=colour, marker=marker, markersize=6, label=name)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.legend()
    return ax
