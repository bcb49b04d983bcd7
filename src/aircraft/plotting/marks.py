"""What every picture is made of: an image without axes, boxes, circles, crosses, and their legend."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle

from aircraft.plotting.style import axes_or_new, halo

# Okabe and Ito's green, orange and purple, brighter: theirs are made for white paper, these for dark ground.
HIT, MISS, FALSE = "#00D69A", "#FFB000", "#FF4FC3"


def blank(
    ax: Axes | None, image: np.ndarray, *, width: float, height: float, size: tuple | None = None
) -> Axes:
    """Axes that show nothing but the image; pixel i covers [i, i + 1), or `size` says how far it reaches."""
    ax = axes_or_new(ax, width=width, height=height)
    across, down = size or (image.shape[1], image.shape[0])
    ax.imshow(image, extent=(0, across, down, 0), interpolation="antialiased")
    ax.set_axis_off()
    ax.autoscale(False)  # marks that reach over the border must not widen the picture
    return ax


def box(ax: Axes, box: np.ndarray, colour: str, line: str | tuple, width: float = 2.4) -> None:
    x0, y0, x1, y1 = box
    frame = Rectangle((x0, y0), x1 - x0, y1 - y0, fill=False, edgecolor=colour, linestyle=line)
    frame.set(linewidth=width, path_effects=halo(width))
    ax.add_patch(frame)


def circles(ax: Axes, centers: np.ndarray, colour: str, diameter: float = 12) -> None:
    edge = diameter / 5
    (dots,) = ax.plot(*centers.T, "o", color=colour, fillstyle="none", markersize=diameter)
    dots.set(markeredgewidth=edge, path_effects=halo(edge))


def crosses(ax: Axes, centers: np.ndarray, colour: str) -> None:
    ax.plot(*centers.T, "x", color=colour, markersize=13, markeredgewidth=3.4, path_effects=halo(3.4))


def key(colour: str, marker: str, line: str, label: str) -> Line2D:
    look = Line2D([], [], color=colour, marker=marker, fillstyle="none", label=label)
    look.set(linestyle=line, markersize=11, markeredgewidth=2.6)
    return look


def legend_below(ax: Axes, keys: list[Line2D]) -> None:
    """On grey, on which the bright colours of marks can be read."""
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.01), "ncols": len(keys)}
    grey: dict[str, Any] = {"facecolor": "#4d4d4d", "labelcolor": "white", "framealpha": 1}
    ax.legend(handles=keys, handlelength=1.6, columnspacing=1.4, **place, **grey)


def centers_of(found: Any) -> np.ndarray:
    """(N, 2) float32 centres of a `detection.Detections`, or of a plain array."""
    return np.asarray(getattr(found, "centers", found), np.float32).reshape(-1, 2)
