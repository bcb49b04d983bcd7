"""Pictures of patches and tiles, of the worst errors, of detections and of the scores that they come from.

Marks differ in colour and in shape: hit = green circle and solid box, missed = orange dashed box,
false alarm = magenta cross. Coordinates are pixels (= metres), x right, y down. Many small pictures are one
mosaic on one Axes, which draws in a moment where a hundred Axes would take seconds.
"""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from aircraft import InputError, metrics
from aircraft.plotting import marks
from aircraft.plotting.style import FONT, GREY, ORANGE, several, styled
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
    """Patches side by side, framed and named by their label, with the score below.

    Parameters
    ----------
    images : (N, h, w, 3) uint8 array
    labels, scores : (N,) arrays of 0 or 1, and of probabilities, optional

    Returns
    -------
    Axes

    Examples
    --------
    >>> patch_grid(np.zeros((3, 64, 64, 3), np.uint8)).get_title(loc="left")
    '3 patches of 64 x 64 m'
    """
    images = np.asarray(images)
    if images.ndim != 4 or images.shape[3] != 3 or len(images) == 0:
        raise InputError(f"patches are (N, height, width, 3) with N > 0, these are {images.shape}")
    for name, values in (("labels", labels), ("scores", scores)):
        if values is not None and np.shape(values) != (len(images),):
            raise InputError(f"{name} {np.shape(values)} must be one for each of the {len(images)} patches")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    height, width = images.shape[1:3]
    captioned = labels is not None or scores is not None
    mosaic, corners = _mosaic(images, columns, gap=width // 10, caption=height // 4 if captioned else 0)
    ax = marks.blank(ax, mosaic, width=1.35 * columns + 0.4, height=(1.35 + 0.28 * captioned) * rows + 0.7)
    for k, (x, y) in enumerate(corners):
        words = []
        if labels is not None:
            aircraft = np.asarray(labels)[k]
            frame = Rectangle((x, y), width, height, fill=False, color=ORANGE if aircraft else GREY)
            ax.add_patch(frame).set_linewidth(3)
            words.append("aircraft" if aircraft else "backgr.")
        if scores is not None:
            words.append(f"{np.asarray(scores)[k]:.2f}")
        below = (x + width / 2, y + height * 1.04)
        ax.text(*below, " ".join(words), ha="center", va="top", fontsize=FONT - 3)
    ax.set_title(title or f"{len(images)} patches of {width} x {height} m")
    return ax


@styled
def misclassified(
    images: np.ndarray, labels: ArrayLike, scores: ArrayLike, threshold: float, n: int = 16
) -> np.ndarray:
    """The worst errors: missed aircraft by rising score, false alarms by falling score.

    Parameters
    ----------
    images : (N, h, w, 3) uint8 array
    labels, scores : (N,) arrays of 0 or 1, and of probabilities
    threshold, n : the least score of an alarm; how many of each to show

    Returns
    -------
    array of two Axes

    Examples
    --------
    >>> missed, false = misclassified(np.zeros((2, 64, 64, 3), np.uint8), [0, 1], [0.9, 0.8], threshold=0.5)
    >>> missed.get_title(loc="left"), false.get_title(loc="left")
    ('0 aircraft missed', '1 false alarms')
    """
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
            height, width = images.shape[1:3]
            pitch = width + width // 10  # room for `columns` and `rows`, so that both panels share one scale
            ax.set(xlim=(0, columns * pitch), ylim=(rows * (height + width // 10 + height // 4), 0))
        ax.set_axis_off()
        ax.set(title=title, anchor="NW")
    return axes


@styled
def tiles_overview(
    scenes: Sequence[Scene], found: Sequence[Any] | None = None, columns: int = 6, ax: Axes | None = None
) -> Axes:
    """Many tiles at a glance, with their true boxes; found: `detection.Detections`, or centres, of each.

    >>> tile = Scene(np.zeros((512, 512, 3), np.uint8), np.array([[9, 9, 50, 50]]), name="a", site="a")
    >>> tiles_overview([tile, tile]).get_title(loc="left")
    '2 tiles, 2 aircraft (boxes: truth)'
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
    message = f"{len(scenes)} tiles, {sum(len(scene.boxes) for scene in scenes)} aircraft"
    seen = f", {sum(map(len, centers))} found (boxes: truth, circles: found)"
    ax.set_title(message + (" (boxes: truth)" if found is None else seen))
    return ax


@styled
def detections(image: Scene | np.ndarray, found: Any, match: Any = None, *, ax: Axes | None = None) -> Axes:
    """Hits, misses and false alarms on an image.

    The boxes of a scene are the truth; those to ignore are drawn dotted. found: `detection.Detections`, or
    (N, 2) centres x, y; without a `detection.Match` nothing is judged: each is a circle.

    >>> detections(np.zeros((100, 100, 3), np.uint8), [[20, 30], [60, 70]]).get_title(loc="left")
    '2 aircraft found'
    """
    scene = image if isinstance(image, Scene) else Scene(image, np.zeros((0, 4)), name="image", site="")
    centers = marks.centers_of(found)
    hit = np.zeros(0, int) if match is None else match.truths
    there = len(scene.boxes)
    if hit.max(initial=-1) >= there:
        raise InputError(f"the match names true box {hit.max()}, but there are {there}; give the same scene")
    ax = marks.blank(ax, scene.image, width=7.2, height=7.2 * scene.height / scene.width + 1.0)
    for k, box in enumerate(scene.boxes):
        marks.box(ax, box, marks.HIT if k in hit else marks.MISS, "-" if k in hit else (0, (3, 2)))
    for box in scene.ignore:
        marks.box(ax, box, "white", ":")
    if match is None:
        marks.circles(ax, centers, marks.HIT)
        message = f"{len(centers)} aircraft found"
        legend = [marks.key(marks.HIT, "o", "", f"{len(centers)} found")]
    else:
        marks.circles(ax, centers[match.hits], marks.HIT)
        marks.crosses(ax, centers[match.false_alarms], marks.FALSE)
        alarms = several(len(match.false_alarms), "false alarm")
        message = f"{len(hit)} of {there} aircraft found, {alarms}"
        legend = [
            marks.key(marks.HIT, "o", "-", several(len(hit), "hit")),
            marks.key(marks.MISS, "", "--", f"{there - len(hit)} missed"),
            marks.key(marks.FALSE, "x", "", alarms),
        ]
    if len(scene.ignore):
        legend.append(marks.key("white", "", ":", "not judged"))
    marks.legend_below(ax, legend)
    ax.set_title(message)
    return ax


@styled
def score_map(
    image: Scene | np.ndarray,
    scores: np.ndarray,
    stride: float,
    offset: float = 0.0,
    title: str = "Where the network sees aircraft",
    ax: Axes | None = None,
) -> Axes:
    """A score map laid over its image; the higher the score, the less of the image shows through.

    Parameters
    ----------
    image : Scene, or (H, W, 3) uint8 array
    scores : (h, w) array in [0, 1]
    stride, offset : scores[i, j] is of the window with its centre at x = offset + stride * j, y likewise

    Returns
    -------
    Axes

    Examples
    --------
    >>> score_map(np.zeros((64, 96, 3), np.uint8), np.eye(9, 13), stride=8).get_title(loc="left")
    'Where the network sees aircraft'
    """
    pixels = image.image if isinstance(image, Scene) else np.asarray(image)
    scores = np.asarray(scores)
    if scores.ndim != 2:
        raise InputError(f"a score map is (rows, columns), this one is {scores.shape}")
    ax = marks.blank(ax, pixels, width=7.4, height=6.0 * pixels.shape[0] / pixels.shape[1] + 0.7)
    first, (bottom, right) = offset - stride / 2, np.array(scores.shape) * stride + offset - stride / 2
    steps = [(1, 0.9, 0.2, 0), (1, 0.9, 0.2, 0.35), (0.9, 0.35, 0, 0.65), (0.75, 0, 0.45, 0.85)]
    heat = LinearSegmentedColormap.from_list("heat", steps)
    drawn = ax.imshow(scores, cmap=heat, vmin=0, vmax=1, extent=(first, right, bottom, first))
    ax.set(xlim=(0, pixels.shape[1]), ylim=(pixels.shape[0], 0), title=title)
    bar = ax.figure.colorbar(drawn, ax=ax, shrink=0.85, label="score of the window around a point")
    bar.outline.set_visible(False)
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
