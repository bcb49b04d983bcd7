"""The look that all figures share: colours, letters large enough for a projector; how a figure is saved."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from aircraft import InputError, replacing

# Okabe and Ito, "Color universal design", 2008: https://jfly.uni-koeln.de/color/
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#767676"  # contrast of 4.5 on white, for what is only a reference

LOOK = Path(__file__).with_name("look.mplstyle")
STYLE: dict[Any, Any] = dict(matplotlib.rc_params_from_file(LOOK, use_default_template=False))
FONT = STYLE["font.size"]  # points


@contextmanager
def _our_look() -> Iterator[None]:
    """Draw with our settings and put the user's back afterwards.

    Not by `rc_context`: that would also undo the interactive mode, which a notebook's backend switches on
    while the first figure is made, and no later figure would be shown.
    """
    before = {key: matplotlib.rcParams[key] for key in STYLE}
    matplotlib.rcParams.update(STYLE)
    try:
        yield
    finally:
        matplotlib.rcParams.update(before)


styled = _our_look()  # a decorator: each call of the function is then inside such a `with`


def axes_or_new(ax: Axes | None, *, width: float = 6.4, height: float = 4.8) -> Axes:
    """`ax`, or the Axes of a new figure (inches). pyplot knows the new one, so that notebooks show it."""
    return plt.subplots(figsize=(width, height))[1] if ax is None else ax


def halo(width: float) -> list[patheffects.AbstractPathEffect]:
    """A dark outline that keeps a mark of `width` points readable on concrete, grass and water alike."""
    return [patheffects.withStroke(linewidth=width + 2, foreground="black")]


def several(count: int, what: str) -> str:
    """1 hit, 2 hits."""
    return f"{count:,} {what}" + ("" if count == 1 else "s")


def figure_of(drawing: Any) -> Figure:
    """The figure behind a Figure, an Axes, or an array of Axes."""
    first = drawing if isinstance(drawing, Figure) else next(iter(np.ravel(drawing)), None)
    if not isinstance(first, Figure | Axes):
        kind = type(drawing).__name__
        raise InputError(f"a figure is a matplotlib Figure, Axes or array of Axes, not {kind}")
    return first.get_figure(root=True)  # type: ignore[return-value]


def save(drawing: Any, path: str | Path, *, dpi: int = 150) -> Path:
    """Write a figure, by the path's ending, a whole file or none, and close it. Same figure, same bytes."""
    figure, path = figure_of(drawing), Path(path)
    form = path.suffix[1:].lower()
    if form not in figure.canvas.get_supported_filetypes():
        raise InputError(f"{path}: the name of a figure needs an ending such as .png or .svg")
    try:
        with replacing(path) as file:
            figure.savefig(file, format=form, dpi=dpi, metadata={"Software": None} if form == "png" else None)
    finally:
        plt.close(figure)
    return path
