"""Drawings of lesson 8: overlapping windows, a linear layer as a convolution, shifted passes, a large scene.

Each function returns a Figure. Colours are Okabe and Ito's; shapes or letters say the same again.
"""

import cv2
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from aircraft.detection import Detections, Match
from aircraft.plotting import marks
from aircraft.plotting.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, YELLOW
from aircraft.scenes import Scene

SMALL = 11  # points of the letters


def overlapping_windows(image: np.ndarray, *, stride: int = 8, window: int = 64) -> Figure:
    """Two neighbouring windows on a picture (H, W, 3) uint8, and the pixels that both contain."""
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.4), layout="constrained")
    y = (image.shape[0] - window) // 2
    x = (image.shape[1] - window - stride) // 2
    shared = 100 * (window - stride) / window
    titles = (f"two neighbours: {shared:.4g} % in common", "all windows that contain one pixel")
    for ax, title in zip(axes, titles, strict=True):
        marks.blank(ax, image, width=3.6, height=3.4)
        ax.set_title(title, fontsize=SMALL + 1, loc="left")
    axes[0].add_patch(Rectangle((x + stride, y), window - stride, window, color=SKY, alpha=0.35, linewidth=0))
    marks.box(axes[0], np.array([x, y, x + window, y + window]), YELLOW, "-")
    marks.box(axes[0], np.array([x + stride, y, x + stride + window, y + window]), SKY, (0, (3, 2)))
    middle = (image.shape[1] // 2, image.shape[0] // 2)
    lefts = range(middle[0] - window + stride // 2, middle[0], stride)
    tops = range(middle[1] - window + stride // 2, middle[1], stride)
    for left in lefts:
        for top in tops:
            box = Rectangle((left, top), window, window, fill=False, edgecolor="white", linewidth=0.7)
            axes[1].add_patch(box)
    marks.box(axes[1], np.array([lefts[0], tops[0], lefts[0] + window, tops[0] + window]), YELLOW, "-")
    last = np.array([lefts[-1], tops[-1], lefts[-1] + window, tops[-1] + window])
    marks.box(axes[1], last, SKY, (0, (3, 2)))
    axes[1].plot(*middle, "o", color="white", markersize=9, markeredgecolor="black", markeredgewidth=2)
    return figure


def linear_as_convolution() -> Figure:
    """The weights of a linear layer, as a column and as a kernel that can move."""
    figure, axes = plt.subplots(1, 3, figsize=(8, 1.9), layout="constrained")
    names, colours = "abcd", (SKY, ORANGE, YELLOW, GREEN)
    _title(axes[0], "Flatten, then Linear")
    for k in range(4):
        _cell(axes[0], 0.3 + k % 2, 2.3 + k // 2, names[k], colours[k])
        _cell(axes[0], 4.2, 1.0 + 1.1 * k, f"{names[k]}·w{k + 1}", colours[k], width=1.5)
    _arrow(axes[0], (2.5, 3.3), (4.0, 3.3))
    _cell(axes[0], 7.4, 2.75, "sum", "white")
    _arrow(axes[0], (5.9, 3.3), (7.2, 3.3))
    _title(axes[1], "the same as a 2 × 2 kernel")
    for k in range(4):
        _cell(
            axes[1],
            0.4 + 1.5 * (k % 2),
            1.8 + 1.5 * (k // 2),
            f"{names[k]}·w{k + 1}",
            colours[k],
            width=1.4,
            height=1.4,
        )
    _cell(axes[1], 6.4, 2.75, "sum", "white")
    _arrow(axes[1], (3.7, 3.3), (6.2, 3.3))
    _title(axes[2], "on a larger map it moves")
    for row in range(4):
        for column in range(5):
            _cell(axes[2], 0.3 + column, 1.4 + row, "", "white")
            if row < 3 and column < 4:
                _cell(axes[2], 6.6 + 0.8 * column, 2.0 + 0.8 * row, "", "#e8e8e8", width=0.8, height=0.8)
    for k in range(4):
        _cell(axes[2], 1.3 + k % 2, 2.4 + k // 2, f"w{k + 1}", colours[k])
    _cell(axes[2], 6.6 + 0.8, 2.0 + 0.8, "", SKY, width=0.8, height=0.8)
    _arrow(axes[2], (5.4, 3.3), (6.5, 3.3))
    for ax in axes:
        ax.set(xlim=(0, 10), ylim=(6.0, 0.6), aspect="equal")
        ax.set_axis_off()
    return figure


def shifted_passes(*, stride: int = 8, passes: int = 2, side: int = 4) -> Figure:
    """Where the windows of each pass have their corners, and the fine map that they make together."""
    looks = (("o", BLUE), ("s", ORANGE), ("^", GREEN), ("D", PURPLE))
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.5), layout="constrained", sharex=True, sharey=True)
    step = stride // passes
    for number in range(passes**2):
        a, b = divmod(number, passes)
        y, x = np.mgrid[0:side, 0:side] * stride
        marker, colour = looks[number % len(looks)]
        for ax in axes[0 if number == 0 else 1 :]:
            label = f"rows + {a * step}, columns + {b * step}"
            ax.plot(
                (x + b * step).ravel(),
                (y + a * step).ravel(),
                marker,
                color=colour,
                label=label,
                markersize=8,
            )
    axes[0].set_title(f"one pass: stride {stride}", fontsize=SMALL + 1, loc="left")
    axes[1].set_title(f"{passes**2} passes: stride {step}", fontsize=SMALL + 1, loc="left")
    axes[0].invert_yaxis()
    for ax in axes:
        ax.set(xlabel="x of the window's corner (pixels)", aspect="equal")
        ax.set_xticks(range(0, side * stride, stride))
        ax.set_yticks(range(0, side * stride, stride))
    axes[0].set_ylabel("y (pixels)")
    figure.legend(*axes[1].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False)
    return figure


def large_scene(scene: Scene, found: Detections, match: Match, *, shrink: int = 10) -> Figure:
    """A large scene, each side `shrink` times smaller, with hits, misses and false alarms."""
    size = (scene.width // shrink, scene.height // shrink)
    overview = cv2.resize(scene.image, size, interpolation=cv2.INTER_AREA)
    # Pale grey in few levels: the marks stand out, and the picture takes few bytes.
    pale = (120 + 0.5 * overview.mean(axis=2)).astype(np.uint8) // 8 * 8
    pale = np.repeat(pale[..., None], 3, axis=2)
    figure, ax = plt.subplots(figsize=(6.2, 6.8), layout="constrained")
    marks.blank(ax, pale, width=6.2, height=6.2, size=(scene.width, scene.height))
    rows = (
        (found.centers[match.hits], "o", BLUE, "hit"),
        (scene.centers[match.misses], "s", VERMILION, "missed"),
        (found.centers[match.false_alarms], "x", "black", "false alarm"),
    )
    for points, marker, colour, name in rows:
        label = f"{name}: {len(points)}"
        ax.plot(
            *points.T,
            marker,
            color=colour,
            label=label,
            markersize=6,
            markerfacecolor="none",
            markeredgewidth=1.6,
        )
    counted = len(match.hits) + len(match.false_alarms)
    ax.set_title(
        f"{scene.width:,} × {scene.height:,} pixels: {counted} counted, {len(scene.boxes)} there",
        loc="left",
    )
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.01), ncols=3, frameon=False, fontsize=SMALL)
    return figure


def three_answers() -> Figure:
    """What three kinds of network answer for the same two aircraft: points, a mask, boxes."""
    figure, axes = plt.subplots(1, 3, figsize=(7.8, 3.0), layout="constrained")
    planes = [_outline(32, 40, 17, 0.4), _outline(72, 62, 12, 2.4)]
    for ax, title in zip(
        axes, ("ours: a score map", "segmentation: a mask", "anchors, YOLO: boxes"), strict=True
    ):
        ax.set_title(title, fontsize=SMALL + 1, loc="left")
        ax.set(xlim=(0, 100), ylim=(96, 0), aspect="equal", facecolor="#d9d9d9", xticks=[], yticks=[])
        for outline in planes:
            ax.add_patch(Polygon(outline, facecolor="white", edgecolor="#444444", linewidth=1))
    y, x = np.mgrid[4:96:8, 4:100:8]
    for outline in planes:
        near = np.abs(np.stack([x, y], axis=-1) - outline.mean(axis=0)).max(axis=-1) <= 16
        axes[0].plot(x[near], y[near], "o", color=VERMILION, markersize=4)
    axes[0].plot(x.ravel(), y.ravel(), ".", color=GREY, markersize=2, zorder=0)
    for outline, hatch in zip(planes, ("////", "...."), strict=True):
        axes[1].add_patch(Polygon(outline, facecolor=SKY, edgecolor=BLUE, hatch=hatch, linewidth=1.6))
        _boxes(axes[2], outline)
    return figure


def _boxes(ax: Axes, outline: np.ndarray) -> None:
    """Three anchors, dashed, around the grid position, and the box that the best of them becomes."""
    low, high = outline.min(axis=0), outline.max(axis=0)
    center = np.round((low + high) / 2 / 8) * 8
    for width, height in ((36, 36), (44, 22), (22, 44)):
        corner = (center[0] - width / 2, center[1] - height / 2)
        ax.add_patch(Rectangle(corner, width, height, fill=False, edgecolor=GREY, linestyle=(0, (3, 2))))
    ax.add_patch(Rectangle(tuple(low), *(high - low), fill=False, edgecolor=VERMILION, linewidth=2.4))


def _outline(x: float, y: float, half: float, heading: float) -> np.ndarray:
    """(M, 2): a simple aircraft seen from above; `half` its length, nose towards `heading` (radians)."""
    side = np.array(
        [(1, 0), (0.85, 0.09), (0.3, 0.1), (-0.25, 0.85), (-0.4, 0.85), (-0.1, 0.1), (-0.75, 0.08),
         (-0.95, 0.34), (-1.05, 0.34), (-0.95, 0)]
    )  # fmt: skip
    points = np.concatenate([side, side[-2:0:-1] * (1, -1)]) * half
    turn = np.array([[np.cos(heading), np.sin(heading)], [-np.sin(heading), np.cos(heading)]])
    return points @ turn + (x, y)


def _title(ax: Axes, text: str) -> None:
    ax.set_title(text, fontsize=SMALL + 1, loc="left")


def _cell(
    ax: Axes, x: float, y: float, text: str, colour: str, *, width: float = 1.0, height: float = 1.0
) -> None:
    ax.add_patch(Rectangle((x, y), width, height, facecolor=colour, edgecolor="#333333"))
    ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=SMALL - 2)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": "#333333"})
