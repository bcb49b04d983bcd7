"""Pictures of results: detections on an image, and the score map that they come from.

Marks differ in colour and in shape: hit = green circle and solid box, missed = orange dashed box,
false alarm = magenta cross. Coordinates are pixels (= metres), x right, y down.
"""

from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from numpy.typing import ArrayLike

from aircraft import InputError
from aircraft.plotting import marks
from aircraft.plotting.style import FONT, halo, several, styled
from aircraft.scenes import Scene


class Matched(Protocol):
    """What is needed of a `detection.Match`, so that drawing does not import torch."""

    @property
    def hits(self) -> np.ndarray: ...

    @property
    def truths(self) -> np.ndarray: ...

    @property
    def false_alarms(self) -> np.ndarray: ...


@styled
def detections(
    image: Scene | np.ndarray,
    found: Any,
    match: Matched | None = None,
    *,
    truth: ArrayLike | None = None,
    scores: ArrayLike | None = None,
    size: tuple[float, float] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Hits, misses and false alarms on an image.

    image:  a Scene (its boxes are the truth, its `ignore` is drawn dotted), or (H, W, 3) uint8.
    found:  `detection.Detections`, or (N, 2) centres x, y.
    match:  what `detection.match` returns. Without it nothing is judged: each detection is a circle.
    truth:  (M, 4) boxes x0, y0, x1, y1; by default those of the scene.
    scores: (N,) written beside the marks.
    size:   (width, height) in the coordinates of `found`, where the image is a smaller overview.
    """
    pixels = image.image if isinstance(image, Scene) else np.asarray(image)
    boxes, ignore = (image.boxes, image.ignore) if isinstance(image, Scene) else (np.zeros((0, 4)),) * 2
    boxes = boxes if truth is None else np.asarray(truth, np.float32).reshape(-1, 4)
    centers = marks.centers_of(found)
    scores = marks.one_each(scores, "scores", len(centers))
    hit = np.zeros(0, int) if match is None else np.asarray(match.truths, int)
    if hit.max(initial=-1) >= len(boxes):
        raise InputError(
            f"the match names true box {hit.max()}, but there are {len(boxes)}; give the same scene"
        )
    width, height = size or (pixels.shape[1], pixels.shape[0])
    ax = marks.blank(ax, pixels, width=7.2, height=7.2 * height / width + 1.0, size=(width, height))
    for k, box in enumerate(boxes):
        marks.box(ax, box, marks.HIT if k in hit else marks.MISS, "-" if k in hit else (0, (3, 2)))
    for box in ignore:
        marks.box(ax, box, "white", ":")
    if match is None:
        marks.circles(ax, centers, marks.HIT)
        message = f"{len(centers)} aircraft found"
        legend = [marks.key(marks.HIT, "o", "", f"{len(centers)} found")]
    else:
        marks.circles(ax, centers[match.hits], marks.HIT)
        marks.crosses(ax, centers[match.false_alarms], marks.FALSE)
        false = len(match.false_alarms)
        message = f"{len(hit)} of {len(boxes)} aircraft found, {several(false, 'false alarm')}"
        legend = [
            marks.key(marks.HIT, "o", "-", several(len(hit), "hit")),
            marks.key(marks.MISS, "", "--", f"{len(boxes) - len(hit)} missed"),
            marks.key(marks.FALSE, "x", "", several(false, "false alarm")),
        ]
    if scores is not None:
        for (x, y), score in zip(centers, scores, strict=True):
            text = ax.annotate(f"{score:.2f}", (x, y), (12, 12), textcoords="offset points", color="white")
            text.set(fontsize=FONT - 3, path_effects=halo(0.5), clip_on=True)
    if len(ignore):
        legend.append(marks.key("white", "", ":", "not judged"))
    ax.legend(
        handles=legend,
        loc="upper center",
        bbox_to_anchor=(0.5, -0.01),
        ncols=len(legend),
        facecolor="#4d4d4d",
        labelcolor="white",
        framealpha=1,
        handlelength=1.6,
        columnspacing=1.4,
    )
    ax.set_title(message if title is None else title)
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

    scores: (h, w) in [0, 1]; scores[i, j] belongs to the window with its centre at x = offset + stride * j,
    y = offset + stride * i, both in pixels.
    """
    pixels = image.image if isinstance(image, Scene) else np.asarray(image)
    scores = np.asarray(scores)
    if scores.ndim != 2:
        raise InputError(f"a score map is (rows, columns), this one is {scores.shape}")
    ax = marks.blank(ax, pixels, width=7.4, height=6.0 * pixels.shape[0] / pixels.shape[1] + 0.7)
    rows, columns = scores.shape
    first, last = offset - stride / 2, np.array([columns, rows]) * stride + offset - stride / 2
    heat = LinearSegmentedColormap.from_list(
        "heat", [(1, 0.9, 0.2, 0), (1, 0.9, 0.2, 0.35), (0.9, 0.35, 0, 0.65), (0.75, 0, 0.45, 0.85)]
    )
    drawn = ax.imshow(scores, cmap=heat, vmin=0, vmax=1, extent=(first, last[0], last[1], first))
    ax.set(xlim=(0, pixels.shape[1]), ylim=(pixels.shape[0], 0), title=title)
    bar = ax.figure.colorbar(drawn, ax=ax, shrink=0.85, label="score of the window around a point")
    bar.outline.set_visible(False)
    return ax
