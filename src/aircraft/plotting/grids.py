"""Many small pictures at once: patches, the worst errors, tiles.

A grid is one mosaic on one Axes, which draws in a moment where a hundred Axes would take seconds.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from aircraft import InputError, metrics
from aircraft.plotting import marks
from aircraft.plotting.style import FONT, GREY, ORANGE, styled
from aircraft.scenes import Scene


@styled
def patch_grid(
    images: np.ndarray,
    labels: ArrayLike | None = None,
    scores: ArrayLike | None = None,
    columns: int = 8,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Patches (N, h, w, 3) uint8 side by side, framed and named by their label, with the score below."""
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[3] != 3 or len(images) == 0:
        raise InputError(f"patches are (N, height, width, 3) with N > 0, these are {images.shape}")
    labels = marks.one_each(labels, "labels", len(images))
    scores = marks.one_each(scores, "scores", len(images))
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height, width = images.shape[1:3]
    captioned = labels is not None or scores is not None
    mosaic, corners = _mosaic(images, columns, gap=width // 10, caption=height // 4 if captioned else 0)
    ax = marks.blank(ax, mosaic, width=1.35 * columns + 0.4, height=(1.35 + 0.28 * captioned) * rows + 0.7)
    for k, (x, y) in enumerate(corners):
        words = []
        if labels is not None:
            colour = ORANGE if labels[k] else GREY
            ax.add_patch(Rectangle((x, y), width, height, fill=False, color=colour, linewidth=3))
            words.append("aircraft" if labels[k] else "backgr.")
        if scores is not None:
            words.append(f"{scores[k]:.2f}")
        if words:
            text = " ".join(words)
            ax.text(x + width / 2, y + height * 1.04, text, ha="center", va="top", fontsize=FONT - 3)
    ax.set_title(title or f"{len(images)} patches of {width} x {height} m")
    return ax


@styled
def misclassified(
    images: np.ndarray, labels: ArrayLike, scores: ArrayLike, threshold: float, n: int = 16
) -> np.ndarray:
    """The worst errors: missed aircraft by rising score, false alarms by falling score. Array of two Axes."""
    y, s = metrics.check(labels, scores, both_classes=False)
    if len(images) != len(y):
        raise InputError(f"{len(images)} images and {len(y)} labels must be as many")
    alarm = s >= threshold
    missed, false = np.flatnonzero((y == 1) & ~alarm), np.flatnonzero((y == 0) & alarm)
    missed, false = missed[np.argsort(s[missed])], false[np.argsort(-s[false])]
    columns = 4
    rows = max(1, -(-min(n, max(len(missed), len(false))) // columns))
    _, axes = plt.subplots(1, 2, figsize=(12, 1.55 * rows + 0.9))
    for ax, worst, what in zip(axes, (missed, false), ("aircraft missed", "false alarms"), strict=True):
        title = f"{len(worst):,} {what}" + (", the worst:" if len(worst) > n else "")
        if len(worst):
            shown = worst[:n]
            patch_grid(images[shown], scores=s[shown], columns=columns, title=title, ax=ax)
            width, height = images.shape[2], images.shape[1]
            pitch = width + width // 10  # room for `columns` and `rows`, so that both panels share one scale
            ax.set(xlim=(0, columns * pitch), ylim=(rows * (height + width // 10 + height // 4), 0))
        else:
            ax.set_axis_off()
            ax.set_title(title)
        ax.set_anchor("NW")
    return axes


@styled
def tiles_overview(
    scenes: Sequence[Scene],
    found: Sequence[Any] | None = None,
    columns: int = 6,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Many tiles at a glance, with their true boxes.

    found: for each tile what was found, `detection.Detections` or (N, 2) centres: circles.
    """
    if not scenes:
        raise InputError("there are no tiles to show")
    if found is not None and len(found) != len(scenes):
        raise InputError(f"{len(found)} lists of detections for {len(scenes)} tiles; one each is needed")
    columns = min(columns, len(scenes))
    rows = -(-len(scenes) // columns)
    side = max(max(scene.height, scene.width) for scene in scenes)
    step = max(1, side // 256)  # an overview needs no more pixels than this
    mosaic, corners = _mosaic([s.image[::step, ::step] for s in scenes], columns, gap=16, caption=40)
    ax = marks.blank(ax, mosaic, width=2.1 * columns + 0.3, height=2.35 * rows + 0.8)
    centers = [marks.centers_of(points) for points in found or [[]] * len(scenes)]
    for scene, corner, points in zip(scenes, corners, centers, strict=True):
        size = (scene.width, scene.height)
        for box in np.clip(scene.boxes, 0, size * 2):  # an aircraft may reach over the edge of its tile
            marks.box(ax, box / step + np.tile(corner, 2), "white", "-", width=1.2)
        marks.circles(ax, points / step + corner, marks.HIT, diameter=5)
        caption = f"{len(scene.boxes)} aircraft" if found is None else f"{len(points)} of {len(scene.boxes)}"
        foot = corner[1] + -(-scene.height // step)
        ax.text(corner[0], foot + 5, caption, va="top", fontsize=FONT - 2)
    there, seen = sum(len(scene.boxes) for scene in scenes), sum(map(len, centers))
    message = f"{len(scenes)} tiles, {there} aircraft" + ("" if found is None else f", {seen} found")
    ax.set_title(
        title or message + (" (boxes: truth)" if found is None else " (boxes: truth, circles: found)")
    )
    return ax


def _mosaic(images: Sequence[np.ndarray] | np.ndarray, columns: int, gap: int, caption: int) -> tuple:
    """Pictures in rows on white, each with room for a caption below, and their corners (N, 2) as x, y."""
    height, width = (max(image.shape[axis] for image in images) for axis in (0, 1))
    rows = -(-len(images) // columns)
    down, across = height + gap + caption, width + gap
    sheet = np.full((rows * down - gap, columns * across - gap, 3), 255, np.uint8)
    corners = np.array([(k % columns * across, k // columns * down) for k in range(len(images))])
    for image, (x, y) in zip(images, corners, strict=True):
        sheet[y : y + image.shape[0], x : x + image.shape[1]] = image
    return sheet, corners
