"""What the figures of parts 1 to 3 share: sheets, boxes, arrows, letters, and how a file is written.

Same figure, same bytes; a picture becomes a JPEG as good as the largest file allows.
"""

import contextlib
import functools
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from PIL import Image

from aircraft import datasets, metrics
from aircraft.plotting.style import BLACK, figure_of

matplotlib.use("Agg")
LARGEST = 149_000  # bytes of one image
WORDS = 17  # points of the letters on our own figures of 12 inches: 24 pixels
AIRPORT = 4  # the site of the first pictures


@functools.cache
def toy_set_of_patches() -> datasets.PatchSet:
    return datasets.load_toy(progress=False)


def lesson2_patch() -> np.ndarray:
    """The patch that lesson 2 looks at."""
    train = toy_set_of_patches().train
    return np.array(train.images[train.labels == 1][17])


def filtered(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum(axis=(2, 3))


def rates(labels: np.ndarray, found_scores: np.ndarray, threshold: float) -> tuple[float, float]:
    """(false alarm rate, recall)."""
    (tn, fp), (fn, tp) = metrics.confusion(labels, found_scores, float(threshold))
    return fp / (fp + tn), tp / (tp + fn)


@contextlib.contextmanager
def letters(drawings: ModuleType, points: int) -> Iterator[None]:
    """Draw a lesson's figure with letters of this size: on a slide it stands smaller than on a page."""
    before = drawings.__dict__["SMALL"]
    drawings.__dict__["SMALL"] = points
    try:
        with plt.rc_context({"font.size": points, "xtick.labelsize": points, "ytick.labelsize": points}):
            yield
    finally:
        drawings.__dict__["SMALL"] = before


def sheet(width: float, height: float) -> tuple[Figure, Axes]:
    figure = plt.figure(figsize=(width, height))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.set_axis_off()
    return figure, ax


def box(
    ax: Axes, x: float, y: float, width: float, height: float, text: str, colour: str, *, size: float
) -> None:
    """A box around its middle."""
    ax.add_patch(
        FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0,rounding_size=0.12",
            facecolor=colour,
            edgecolor=BLACK,
            linewidth=2,
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=size)


def arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=24, color=colour, linewidth=3,
                                 shrinkA=0, shrinkB=0))  # fmt: skip


def bracket(ax: Axes, left: float, right: float, y: float, words: str, *, up: bool = False) -> None:
    tip = 0.25 if up else -0.25
    ax.plot([left, left, right, right], [y, y + tip, y + tip, y], color=BLACK, linewidth=2.5)
    ax.text(
        (left + right) / 2, y + 2.4 * tip, words, ha="center", va="center", fontsize=WORDS + 2, weight="bold"
    )


def write_photo(image: np.ndarray, path: Path, *, side: int) -> None:
    """Write a picture as JPEG, scaled to `side` pixels, as good as the largest file allows."""
    picture = Image.fromarray(image).convert("RGB")
    if max(picture.size) != side:
        scale = side / max(picture.size)
        picture = picture.resize(
            (round(picture.width * scale), round(picture.height * scale)), Image.Resampling.LANCZOS
        )
    for quality in range(90, 20, -4):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= LARGEST:
            break
    Path(path).write_bytes(buffer.getvalue())


def write(drawing: Any, path: Path) -> None:
    """Write a figure by the path's ending and close it; the same figure gives the same bytes."""
    figure, path = figure_of(drawing), Path(path)
    if path.suffix == ".jpg":
        figure.canvas.draw()
        scale = 1600 / figure.get_figwidth() / figure.dpi
        figure.set_dpi(figure.dpi * scale)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=figure.dpi)
        image = np.array(Image.open(buffer).convert("RGB"))
        write_photo(image, path, side=max(image.shape))
    else:
        with matplotlib.rc_context({"svg.hashsalt": "aircraft"}):
            figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def drawn(function: Callable[..., Figure], *arguments: Any) -> Callable[[Path], None]:
    """A function that gives a figure, as one that writes it."""
    return lambda path: write(function(*arguments), path)
