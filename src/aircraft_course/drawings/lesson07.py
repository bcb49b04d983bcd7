"""Drawings of lesson 7: windows on a tile, cores at several strides, matching, hits and misses side by side.

Each function returns a Figure, or draws into the Axes that it gets. Colours are Okabe and Ito's; shapes or
letters say the same again.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from aircraft import detection, plotting
from aircraft.detection import Detections, ScoreMap
from aircraft.patches import CORE, PATCH
from aircraft.plotting import marks
from aircraft.plotting.style import BLUE, GREEN, GREY, ORANGE, SKY, VERMILION, YELLOW, halo, several
from aircraft.scenes import Scene

SMALL = 11  # points of the letters


def sliding_windows(tile: Scene, *, stride: int = 32) -> Figure:
    """A tile with the centres of all windows, three neighbouring windows, and one of them enlarged."""
    figure, axes = plt.subplots(1, 2, figsize=(7.4, 3.6), layout="constrained", width_ratios=(1.5, 1))
    marks.blank(axes[0], tile.image, width=4, height=4)
    centers = np.arange(PATCH // 2, tile.width - PATCH // 2 + 1, stride)
    x, y = np.meshgrid(centers, centers)
    axes[0].plot(x.ravel(), y.ravel(), ".", color="white", markersize=6, markeredgecolor="black", mew=0.6)
    corners = (tile.centers - PATCH / 2) / stride  # the window that fits an aircraft best
    corners = (np.round(corners) * stride).clip(0, tile.width - 2 * PATCH)
    left, top = corners[np.abs(corners + PATCH / 2 - tile.centers).max(axis=1).argmin()].astype(int)
    for step, line in ((2, ":"), (1, (0, (3, 2))), (0, "-")):
        corner = left + step * stride
        window = np.array([corner, top, corner + PATCH, top + PATCH])
        marks.box(axes[0], window, YELLOW, line, width=1.8)
    axes[0].set_title(f"three of {x.size} windows, {stride} pixels apart", fontsize=SMALL + 1, loc="left")
    marks.blank(axes[1], tile.image[top : top + PATCH, left : left + PATCH], width=3, height=3)
    edge = (PATCH - CORE) / 2
    marks.box(axes[1], np.array([edge, edge, edge + CORE, edge + CORE]), SKY, (0, (3, 2)))
    axes[1].set_title("one window and its core", fontsize=SMALL + 1, loc="left")
    return figure


def core_grids(strides: Sequence[int] = (16, 32, 48), *, side: int = 144) -> Figure:
    """The cores of the windows on a piece of ground, at several strides, darker where cores overlap."""
    figure, axes = plt.subplots(1, len(strides), figsize=(7.4, 2.8), layout="constrained")
    for ax, stride in zip(axes, strides, strict=True):
        for x in range(-CORE, side, stride):
            for y in range(-CORE, side, stride):
                ax.add_patch(Rectangle((x, y), CORE, CORE, facecolor=(BLUE, 0.18), edgecolor=BLUE, lw=1.2))
        ax.plot(*_AIRCRAFT.T, "*", color=VERMILION, markersize=13, markeredgecolor="white")
        ticks = list(range(0, side + 1, 48))
        ax.set(xlim=(0, side), ylim=(side, 0), aspect="equal", xticks=ticks, yticks=ticks)
        ax.set_title(f"stride {stride}", fontsize=SMALL + 1, loc="left")
        ax.set_xlabel("pixels", fontsize=SMALL)
        ax.tick_params(labelsize=SMALL - 1)
    return figure


def beside(tile: Scene, scores: ScoreMap) -> Figure:
    """A tile with its true boxes, and the score map that belongs to it, in the same coordinates."""
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.5), layout="constrained", sharey=True)
    marks.blank(axes[0], tile.image, width=3.6, height=3.6)
    for box in tile.boxes:
        marks.box(axes[0], box, "white", "-", width=1.4)
    first = scores.offset - scores.stride / 2
    rows, columns = scores.scores.shape
    extent = (first, first + columns * scores.stride, first + rows * scores.stride, first)
    drawn = axes[1].imshow(scores.scores, cmap="cividis", vmin=0, vmax=1, extent=extent)
    titles = (f"{len(tile.boxes)} aircraft (white boxes)", f"score map: {rows} × {columns} scores")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_axis_on()
        ax.set(xlim=(0, tile.width), ylim=(tile.height, 0), xticks=[0, 256, 512], yticks=[0, 256, 512])
        ax.tick_params(labelsize=SMALL - 1)
        ax.set_title(title, fontsize=SMALL + 1, loc="left")
    bar = figure.colorbar(drawn, ax=axes, shrink=0.8)
    bar.set_label("score", fontsize=SMALL)
    bar.ax.tick_params(labelsize=SMALL - 1)
    return figure


def steps(image: np.ndarray, points: Mapping[str, np.ndarray]) -> Figure:
    """The same picture (H, W, 3) once for each entry of `points`: title -> (N, 2) x, y, drawn as circles."""
    figure, axes = plt.subplots(1, len(points), figsize=(7.6, 3.0), layout="constrained")
    for ax, (title, centers) in zip(axes, points.items(), strict=True):
        marks.blank(ax, image, width=2.5, height=2.5)
        marks.circles(ax, centers, marks.HIT, diameter=8)
        ax.set_title(title, fontsize=SMALL, loc="left")
    return figure


def suppression(tile: Scene, bright: np.ndarray, peaks: np.ndarray, stay: np.ndarray) -> Figure:
    """Bright windows, peaks, and those that stay, (N, 2) each, where on the tile most peaks are removed."""
    side = 192
    gone = np.array([peak for peak in peaks if not (stay == peak).all(axis=1).any()]).reshape(-1, 2)
    around = gone if len(gone) else np.full((1, 2), tile.width / 2)
    near = [(np.abs(around - point).max(axis=1) < side / 2).sum() for point in around]
    corner = np.clip(around[int(np.argmax(near))] - side / 2, 0, tile.width - side).astype(int)
    piece, panels = tile.crop(int(corner[0]), int(corner[1]), side), {}
    for title, centers in {"bright windows": bright, "peaks": peaks, "after suppression": stay}.items():
        inside = centers[((centers >= corner) & (centers < corner + side)).all(axis=1)] - corner
        panels[f"{len(inside)} {title}"] = inside
    return steps(piece.image, panels)


def crowd(tile: Scene, found: Detections, *, side: int = 128) -> Figure:
    """A tile, judged, and its most crowded piece enlarged, with the circle that suppression clears."""
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 4.1), layout="constrained")
    judged(axes[0], tile, found)
    apart = np.hypot(*(tile.centers[:, None] - tile.centers[None]).T)
    middle = tile.centers[int((apart < side / 2).sum(axis=0).argmax())]
    left, top = np.clip(middle - side / 2, 0, tile.width - side).astype(int)
    marks.box(axes[0], np.array([left, top, left + side, top + side]), "white", "-", width=2)
    marks.blank(axes[1], tile.image[top : top + side, left : left + side], width=3.4, height=3.4)
    for box in tile.boxes:
        marks.box(axes[1], box - np.array([left, top, left, top]), marks.MISS, (0, (3, 2)), width=1.6)
    reach = detection.detecting.MIN_DISTANCE
    inner = (np.abs(tile.centers - (left, top) - side / 2) < side / 2 - reach).all(axis=1)
    center = tile.centers[int(((apart < reach).sum(axis=0) * inner).argmax())] - (left, top)
    circle = Circle((float(center[0]), float(center[1])), reach, fill=False, color=YELLOW, lw=2.5)
    axes[1].add_patch(circle)
    axes[1].set(xlim=(0, side), ylim=(side, 0))
    axes[1].set_title(
        f"the white frame, {tile.width // side} times larger;\none detection may stay in the circle",
        fontsize=SMALL,
        loc="left",
    )
    return figure


def localisation(ap: Mapping[str, Mapping[int, float]]) -> Figure:
    """Left: the core of a window and the circle of a hit. Right: AP by stride for each classifier in `ap`."""
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.3), layout="constrained", width_ratios=(1, 1.4))
    half = CORE / 2
    axes[0].add_patch(
        Rectangle((-half, -half), CORE, CORE, facecolor=(VERMILION, 0.25), edgecolor=BLUE, lw=2)
    )
    axes[0].add_patch(Circle((0, 0), detection.matching.RADIUS, facecolor="white", edgecolor=BLUE, lw=1.5))
    axes[0].plot(0, 0, "+", color="black", markersize=12, markeredgewidth=2)
    axes[0].plot([0, 14], [0, 14], ":", color=GREY, lw=1.5)
    axes[0].plot(14, 14, "*", color=VERMILION, markersize=14, markeredgecolor="black")
    axes[0].text(-2, 5, "19.8 pixels", fontsize=SMALL, rotation=-45)
    axes[0].set(xlim=(-22, 22), ylim=(22, -22), aspect="equal", xticks=(-16, 0, 16), yticks=(-16, 0, 16))
    axes[0].set_title("a core: too far where it is red", fontsize=SMALL + 1, loc="left")
    looks = (("o--", GREY), ("s-", BLUE))
    for (name, line), (look, color) in zip(ap.items(), looks, strict=True):
        axes[1].plot(list(line), list(line.values()), look, color=color, label=name, markersize=8)
    axes[1].set_xscale("log", base=2)
    axes[1].set_xticks((8, 16, 32), labels=(8, 16, 32))
    axes[1].set(ylim=(0, 1.05))
    axes[1].set_xlabel("stride in pixels", fontsize=SMALL)
    axes[1].set_title("AP on 12 validation tiles", fontsize=SMALL + 1, loc="left")
    axes[1].legend(loc="lower left", fontsize=SMALL)
    axes[1].grid(color="#e6e6e6")
    for ax in axes:
        ax.tick_params(labelsize=SMALL - 1)
    return figure


def matching() -> Figure:
    """Three aircraft with the circle of 16 pixels around each, and five detections with their scores."""
    figure, ax = plt.subplots(figsize=(6.4, 2.7), layout="constrained")
    for name, (x, y) in zip("ABC", _TRUTH, strict=True):
        ax.add_patch(Circle((x, y), detection.matching.RADIUS, facecolor=(SKY, 0.3), edgecolor=BLUE, lw=1.5))
        ax.plot(x, y, "*", color=BLUE, markersize=13)
        ax.text(x, y - 19, name, ha="center", va="bottom", fontsize=SMALL + 1, color=BLUE, weight="bold")
    for number, ((x, y), score) in enumerate(zip(_FOUND, _SCORES, strict=True), start=1):
        ax.plot(x, y, "o", color=VERMILION, markersize=7)
        ax.annotate(f"{number}: {score:.2f}", (x, y), (7, -3), textcoords="offset points", fontsize=SMALL)
    look: dict[str, Any] = {"linestyle": "", "markersize": 10}
    handles = [
        Line2D([], [], marker="*", color=BLUE, label="aircraft, circle of 16 pixels", **look),
        Line2D([], [], marker="o", color=VERMILION, label="detection: score", **look),
    ]
    ax.legend(handles=handles, loc="upper right", fontsize=SMALL - 1)
    ax.set(xlim=(0, 210), ylim=(85, 0), aspect="equal")
    ax.set_xlabel("x in pixels", fontsize=SMALL)
    ax.set_ylabel("y in pixels", fontsize=SMALL)
    ax.tick_params(labelsize=SMALL - 1)
    return figure


def judged(ax: Axes, tile: Scene, found: Detections, title: str = "") -> Axes:
    """Hits, misses and false alarms on a tile, small: green circle and box, orange dashed box, pink cross."""
    match = detection.match(found, tile)
    marks.blank(ax, tile.image, width=2.5, height=2.5)
    for k, box in enumerate(tile.boxes):
        hit = k in match.truths
        marks.box(ax, box, marks.HIT if hit else marks.MISS, "-" if hit else (0, (3, 2)), width=1.6)
    marks.circles(ax, found.centers[match.hits], marks.HIT, diameter=6)
    x, y = found.centers[match.false_alarms].T
    ax.plot(x, y, "x", color=marks.FALSE, markersize=8, markeredgewidth=2.2, path_effects=halo(2.2))
    hits, misses, false = (len(part) for part in (match.hits, match.misses, match.false_alarms))
    counts = f"{several(hits, 'hit')}, {misses} missed, {false} false"
    ax.set_title(f"{title}\n{counts}" if title else counts, fontsize=SMALL, loc="left")
    return ax


def curve(
    ax: Axes, recall: np.ndarray, precision: np.ndarray, at: Sequence[tuple[float, float]] = ()
) -> Axes:
    """Precision against recall of detections; `at`: the points (recall, precision) of some thresholds."""
    ax.plot(recall, precision, color=BLUE, linewidth=2)
    for point in at:
        ax.plot(*point, "D", color=VERMILION, markersize=9, markeredgecolor="white", clip_on=False, zorder=5)
    ax.set(xlim=(0, 1.02), ylim=(0, 1.02))
    ax.set_xlabel("recall: share of the aircraft found", fontsize=SMALL)
    ax.set_ylabel("precision: share of right alarms", fontsize=SMALL)
    ax.tick_params(labelsize=SMALL - 1)
    ax.grid(color="#e6e6e6")
    ax.set_axisbelow(True)
    return ax


def patch_row(images: np.ndarray, scores: np.ndarray | None, title: str, *, columns: int = 8) -> Figure:
    """Patches (N, 64, 64, 3) in rows of eight, with the score below where given."""
    rows = -(-len(images) // columns)
    figure, ax = plt.subplots(figsize=(7.6, (0.98 + 0.24 * (scores is not None)) * rows + 0.35))
    plotting.patch_grid(images, scores=scores, columns=columns, title=" ", ax=ax)
    ax.set_title(title, fontsize=SMALL + 1, loc="left")
    figure.set_layout_engine("constrained")
    return figure


def against_truth(found: Mapping[str, Sequence[int]], true: Sequence[int]) -> Figure:
    """Aircraft counted against truly there, a panel for each way of counting: title -> one count a tile."""
    figure, axes = plt.subplots(1, len(found), figsize=(7.4, 3.4), layout="constrained", squeeze=False)
    top = max(max(true), max(max(counts) for counts in found.values()), 1) * 1.06
    for ax, (title, counts) in zip(axes[0], found.items(), strict=True):
        ax.plot([0, top], [0, top], "--", color=GREY, linewidth=1.5)
        ax.plot(true, counts, "o", color=GREEN, markersize=8, markeredgecolor="white", alpha=0.8)
        ax.set_title(f"{title}: {sum(counts)} counted,\n{sum(true)} are there", fontsize=SMALL, loc="left")
        ax.set_xlabel("aircraft truly on the tile", fontsize=SMALL)
        ax.set_ylabel("aircraft counted", fontsize=SMALL)
        ax.set(aspect="equal", xlim=(-0.6, top), ylim=(-0.6, top))
        ax.tick_params(labelsize=SMALL - 1)
        ax.grid(color="#e6e6e6")
    return figure


def bars(names: Sequence[str], values: Sequence[float], intervals: Sequence[tuple[float, float]]) -> Figure:
    """A value with its 95 % interval for each of several detectors."""
    figure, ax = plt.subplots(figsize=(6.4, 0.55 * len(names) + 0.9), layout="constrained")
    for row, (value, (low, high)) in enumerate(zip(values, intervals, strict=True)):
        ax.plot([low, high], [row, row], color=ORANGE, linewidth=5, solid_capstyle="round")
        ax.plot(value, row, "D", color=BLUE, markersize=8, markeredgecolor="white")
    ax.set_yticks(range(len(names)), names, fontsize=SMALL)
    ax.set(ylim=(len(names) - 0.5, -0.5))
    ax.set_xlabel("AP on the test tiles (diamond), 95 % interval over places (bar)", fontsize=SMALL)
    ax.tick_params(labelsize=SMALL - 1)
    ax.grid(axis="x", color="#e6e6e6")
    return figure


_AIRCRAFT = np.array([[40, 40], [105, 60], [60, 115]])
_TRUTH = np.array([[35, 45], [100, 45], [165, 55]])
_FOUND = np.array([[40, 40], [62, 62], [28, 54], [108, 47], [135, 28]])
_SCORES = (0.97, 0.91, 0.85, 0.70, 0.55)
