"""What every picture is made of: an image without axes, boxes, circles, crosses, and their legend.

Each mark has a dark outline, so that it can be read on concrete, grass and water alike.
"""

from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from numpy.typing import ArrayLike

from aircraft import InputError
from aircraft.plotting.style import axes_or_new, halo

# Okabe and Ito's green, orange and purple, brighter: theirs are made for white paper, these for dark ground.
HIT, MISS, FALSE = "#00D69A", "#FFB000", "#FF4FC3"
Line = Literal["-", "--", ":", ""]


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
    ax.add_patch(
        Rectangle(
            (x0, y0),
            x1 - x0,
            y1 - y0,
            fill=False,
            edgecolor=colour,
            linestyle=line,
            linewidth=width,
            path_effects=halo(width),
        )
    )


def circles(ax: Axes, centers: np.ndarray, colour: str, diameter: float = 12) -> None:
    ax.plot(
        *centers.T,
        linestyle="",
        marker="o",
        markersize=diameter,
        markerfacecolor="none",
        markeredgecolor=colour,
        markeredgewidth=diameter / 5,
        path_effects=halo(diameter / 5),
    )


def crosses(ax: Axes, centers: np.ndarray, colour: str) -> None:
    ax.plot(
        *centers.T,
        linestyle="",
        marker="x",
        markersize=13,
        markeredgecolor=colour,
        markeredgewidth=3.4,
        path_effects=halo(3.4),
    )


def key(colour: str, marker: str, line: Line, label: str) -> Line2D:
    return Line2D(
        [],
        [],
        color=colour,
        marker=marker,
        linestyle=line,
        markerfacecolor="none",
        markersize=11,
        markeredgewidth=2.6,
        label=label,
    )


def one_each(values: ArrayLike | None, name: str, n: int) -> np.ndarray | None:
    if values is None:
        return None
    array = np.asarray(values)
    if array.shape != (n,):
        raise InputError(f"{name} {array.shape} must be one for each of the {n} pictures or marks")
    return array


def centers_of(found: Any) -> np.ndarray:
    """(N, 2) float32 centres of a `detection.Detections`, or of a plain array."""
    return np.asarray(getattr(found, "centers", found), np.float32).reshape(-1, 2)
