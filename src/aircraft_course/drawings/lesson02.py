"""Drawings of lesson 2: pixels as numbers, a window that walks, padding, pooling, receptive fields, networks.

Each function returns a Figure. Colours are Okabe and Ito's; frames, line styles or words say the same again.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from aircraft.plotting.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, halo

SMALL = 11  # points of the letters
BLOCKS = ((BLUE, "-"), (VERMILION, "--"), (GREEN, "-."), (PURPLE, ":"))  # frames that differ by line as well


def pixels(image: np.ndarray, x: int, y: int, side: int = 8) -> Figure:
    """A picture (H, W, 3) uint8 with a square in it, and the numbers of that square in the red channel."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.8), layout="constrained")
    left.imshow(image)
    left.add_patch(_frame(x - 0.5, y - 0.5, side, VERMILION))
    left.set_xlabel("column, x", fontsize=SMALL)
    left.set_ylabel("row, y", fontsize=SMALL)
    _title(left, f"{image.shape[0]} rows, {image.shape[1]} columns")
    crop = image[y : y + side, x : x + side, 0]
    right.imshow(crop, cmap="gray", vmin=0, vmax=255)
    for (row, column), value in np.ndenumerate(crop):
        colour = "white" if value < 128 else "black"
        right.text(column, row, str(value), ha="center", va="center", fontsize=SMALL - 1, color=colour)
    _bare(right)
    _title(right, "the square: how red is each pixel?")
    return figure


def pictures(
    images: Mapping[str, np.ndarray], *, columns: int = 4, signed: bool = False, width: float = 8.0
) -> Figure:
    """Pictures side by side under their names: colour (H, W, 3), or grey (H, W).

    signed: grey means 0, lighter is positive, darker negative, on one scale for each picture.
    """
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    first = next(iter(images.values()))
    height = rows * (width / columns * first.shape[0] / first.shape[1] + 0.32)
    figure, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained", squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (name, image) in zip(axes.flat, images.items(), strict=False):
        most = float(np.abs(image).max()) or 1.0
        limits = {"vmin": -most, "vmax": most} if signed else {}
        ax.imshow(image, cmap="gray", interpolation="nearest", **limits)
        ax.set_title(name, fontsize=SMALL, loc="left")
        ax.set_axis_on()
        ax.set(xticks=[], yticks=[])
        for spine in ax.spines.values():
            spine.set(color=GREY, linewidth=0.8)
    return figure


def window_walk(image: np.ndarray, kernel: np.ndarray, row: int, column: int, stride: int = 1) -> Figure:
    """A window on its way over an image of small whole numbers, (H, W); its products and their sum below.

    row, column: the place in the output. The places that the window has passed are filled.
    """
    size = kernel.shape[0]
    output = _correlate(image, kernel)[::stride, ::stride].astype(float)
    columns = output.shape[1]
    output[np.arange(output.size).reshape(output.shape) > row * columns + column] = np.nan
    top, left = row * stride, column * stride
    height, width = image.shape
    units = width + size + columns + 2.3
    figure, ax = _sheet(7.4, 7.4 * (height + 1.9) / units, units=units)
    x1, x2 = width + 1.0, width + size + 2.0
    _grid(ax, image, colour=SKY, marked=lambda i, j: 0 <= i - top < size and 0 <= j - left < size)
    ax.add_patch(_frame(left, top, size, BLUE))
    _grid(ax, kernel, x=x1, colour=ORANGE, marked=lambda i, j: True)
    _grid(ax, output, x=x2, colour=GREEN, marked=lambda i, j: (i, j) == (row, column))
    ax.add_patch(_frame(x2 + column, row, 1, BLACK))
    for x, words in ((0.0, "image"), (x1, "kernel"), (x2, "output")):
        ax.text(x, -0.25, words, fontsize=SMALL + 1, va="bottom")
    seen = image[top : top + size, left : left + size]
    terms = [f"{v:g}·{_signed(w)}" for v, w in zip(seen.flat, kernel.flat, strict=True) if w]
    ax.text(0, height + 0.6, " + ".join(terms) + f" = {(seen * kernel).sum():g}", fontsize=SMALL, va="center")
    return figure


def padding_and_stride(size: int, kernel: int, *, stride: int = 1, padding: int = 0) -> Figure:
    """An image of `size` pixels in a border of zeros, the windows of its first row, and the output."""
    whole = size + 2 * padding
    count = (whole - kernel) // stride + 1
    grid = np.full((whole, whole), np.nan)
    grid[:padding] = grid[whole - padding :] = grid[:, :padding] = grid[:, whole - padding :] = 0
    units = whole + count + 2
    figure, ax = _sheet(6.4, 6.4 * (whole + 1.3) / units, units=units)
    start = whole + 1.6
    _grid(ax, grid, colour="#dddddd", marked=lambda i, j: not np.isnan(grid[i, j]))
    _grid(ax, np.full((count, count), np.nan), x=start, colour=SKY, marked=lambda i, j: i == 0)
    for k in range(min(count, len(BLOCKS))):
        colour, line = BLOCKS[k]
        ax.add_patch(_frame(k * stride, 0, kernel, colour, line=line, inset=0.05 + 0.05 * k))
        ax.add_patch(_frame(start + k, 0, 1, colour, line=line, inset=0.08))
    words = f"image {size} × {size}, kernel {kernel}, stride {stride}, padding {padding}"
    ax.text(0, -0.25, words, fontsize=SMALL + 1, va="bottom")
    ax.text(start, count + 0.25, f"output {count} × {count}", fontsize=SMALL + 1, va="top")
    return figure


def pooling(values: np.ndarray, size: int = 2) -> Figure:
    """Max pooling of a few numbers (H, W): blocks of `size`, and the largest number of each."""
    rows, columns = values.shape[0] // size, values.shape[1] // size
    blocks = values[: rows * size, : columns * size].reshape(rows, size, columns, size)
    largest = blocks.max(axis=(1, 3))
    kept = np.full(values.shape, np.inf)
    kept[: rows * size, : columns * size] = np.kron(largest, np.ones((size, size)))
    units = values.shape[1] + columns + 2
    figure, ax = _sheet(5.0, 5.0 * (values.shape[0] + 1) / units, units=units)
    start = values.shape[1] + 1.5
    _grid(ax, values, colour="#dddddd", marked=lambda i, j: values[i, j] == kept[i, j])
    _grid(ax, largest, x=start, colour="#dddddd", marked=lambda i, j: True)
    for k, (i, j) in enumerate(np.ndindex(rows, columns)):
        colour, line = BLOCKS[k % len(BLOCKS)]
        ax.add_patch(_frame(j * size, i * size, size, colour, line=line, inset=0.06))
        ax.add_patch(_frame(start + j, i, 1, colour, line=line, inset=0.06))
    ax.text(0, -0.2, "before", fontsize=SMALL + 1, va="bottom")
    ax.text(start, -0.2, "after", fontsize=SMALL + 1, va="bottom")
    return figure


def filter_on_channels(kernel: int = 3) -> Figure:
    """One filter on a colour image: a kernel for each channel, the three sums added, one bias, one map."""
    figure, ax = _sheet(7.8, 3.7)
    for k, (name, colour) in enumerate((("red", VERMILION), ("green", GREEN), ("blue", BLUE))):
        y = 2.55 - 1.15 * k
        ax.add_patch(
            Rectangle((0.75, y), 0.95, 0.95, facecolor=colour, alpha=0.25, edgecolor=colour, linewidth=2)
        )
        ax.add_patch(Rectangle((1.05, y + 0.3), 0.3, 0.3, fill=False, edgecolor=BLACK, linewidth=1.8))
        ax.text(0.65, y + 0.47, name, ha="right", va="center", fontsize=SMALL)
        ax.text(2.15, y + 0.47, "×", ha="center", va="center", fontsize=SMALL + 4)
        for i in range(kernel):
            for j in range(kernel):
                cell = 0.84 / kernel
                corner = (2.6 + j * cell, y + 0.06 + i * cell)
                ax.add_patch(Rectangle(corner, cell, cell, facecolor=colour, alpha=0.35, edgecolor=BLACK))
        ax.text(3.58, y + 0.47, f"{kernel**2} weights", va="center", fontsize=SMALL)
        _arrow(ax, (4.62, y + 0.47), (5.15, 1.98 - 0.09 * (k - 1)))
    ax.text(5.45, 1.88, "+", ha="center", va="center", fontsize=SMALL + 8, weight="bold")
    ax.text(5.45, 0.62, "+ 1 bias", ha="center", va="center", fontsize=SMALL)
    _arrow(ax, (5.45, 0.82), (5.45, 1.5))
    _arrow(ax, (5.75, 1.88), (6.25, 1.88))
    ax.add_patch(Rectangle((6.35, 1.4), 0.95, 0.95, facecolor="#dddddd", edgecolor=BLACK, linewidth=2))
    ax.add_patch(Rectangle((6.75, 1.83), 0.1, 0.1, facecolor=BLACK))
    ax.text(6.83, 1.25, "one map", ha="center", va="top", fontsize=SMALL)
    return figure


def network(stages: Sequence[tuple[str, int, int]]) -> Figure:
    """A network as blocks. stages: (name, channels, side); a vector has side 1. Heights follow the side."""
    figure, ax = _sheet(8, 2.9)
    largest = max(side for _, _, side in stages)
    step = 8 / len(stages)
    for k, (name, channels, side) in enumerate(stages):
        x, height = (k + 0.5) * step, 0.22 + 1.35 * side / largest
        width = 0.14 + min(0.5 * step, 0.08 * channels**0.45)
        flat = side == 1
        colour = ORANGE if flat else SKY
        ax.add_patch(
            Rectangle((x - width / 2, 1.55 - height / 2), width, height, facecolor=colour, edgecolor=BLACK)
        )
        ax.text(x, 2.55, name, ha="center", va="center", fontsize=SMALL - 1)
        shape = f"{channels:,}" if flat else f"{channels}\n{side} × {side}"
        ax.text(x, 0.62, shape, ha="center", va="top", fontsize=SMALL - 1)
        if k:
            _arrow(ax, (x - 0.62 * step, 1.55), (x - 0.36 * step, 1.55))
    return figure


def receptive_field(layers: Sequence[tuple[str, int, int]]) -> Figure:
    """Which input pixels one number sees, in one dimension. layers: (name, kernel, stride), input first."""
    sizes = [1]  # from the last layer back to the input: n outputs see (n - 1) * stride + kernel inputs
    for _, kernel, stride in reversed(layers):
        sizes.append((sizes[-1] - 1) * stride + kernel)
    sizes.reverse()
    names = ["input"] + [name for name, _, _ in layers]
    figure, ax = plt.subplots(figsize=(8, 0.78 * len(sizes) + 0.5), layout="constrained")
    jump, start = 1.0, 0.0  # distance of neighbours and place of the first, in input pixels
    places = []
    for k, size in enumerate(sizes):
        if k:
            _, kernel, stride = layers[k - 1]
            start += jump * (kernel - 1) / 2
            jump *= stride
        places.append(start + jump * np.arange(size))
        for place in places[-1]:
            ax.add_patch(
                Rectangle((place - 0.42, k - 0.2), 0.84, 0.4, facecolor=SKY if k < len(layers) else ORANGE,
                          edgecolor=BLACK, linewidth=1.2)
            )  # fmt: skip
        if k:
            for i, place in enumerate(places[k]):
                seen = places[k - 1][i * stride : i * stride + kernel]
                for end in (seen[0], seen[-1]):
                    ax.plot([place, end], [k - 0.2, k - 0.8], color=GREY, linewidth=0.9, zorder=0)
        words = "1 number" if size == 1 else f"sees {size}" if k == 0 else f"{size} numbers"
        ax.text(sizes[0] - 0.2, k, words, va="center", fontsize=SMALL)
    ax.set(xlim=(-0.7, sizes[0] + 0.22 * sizes[0]), ylim=(-0.35, len(sizes) - 0.65))
    ax.set_yticks(range(len(names)), names, fontsize=SMALL)
    ax.set_xticks(range(sizes[0]))
    ax.set_xlabel("pixel of the input", fontsize=SMALL)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="y", length=0)
    return figure


def fields_on_image(image: np.ndarray, fields: Sequence[tuple[str, int]]) -> Figure:
    """A picture with the receptive field of each layer, (name, side in pixels), around its centre.

    The legend goes from the smallest square to the largest.
    """
    figure, (ax, key) = plt.subplots(1, 2, figsize=(7.4, 4.2), layout="constrained", width_ratios=[4, 3])
    ax.imshow(image, extent=(0, image.shape[1], image.shape[0], 0))
    colours = (SKY, ORANGE, "#FFFFFF", "#FF8FD0", "#00D69A", "#F0E442")
    squares = []
    for (name, side), colour in zip(sorted(fields, key=lambda field: field[1]), cycle(colours), strict=False):
        square = Rectangle(
            ((image.shape[1] - side) / 2, (image.shape[0] - side) / 2), side, side, fill=False,
            edgecolor=colour, linewidth=2.2, path_effects=halo(2.2),
            label=f"{name}: {side} × {side}",
        )  # fmt: skip
        squares.append(ax.add_patch(square))
    key.legend(
        handles=squares, loc="center left", fontsize=SMALL, facecolor="#555555", labelcolor="white",
        borderpad=0.8, labelspacing=0.9, handlelength=3,
    )  # fmt: skip
    ax.set_axis_off()
    key.set_axis_off()
    return figure


def influence(image: np.ndarray, weight: np.ndarray, side: int) -> Figure:
    """A picture (H, W, 3), and how much each pixel (H, W) moves one number, with the computed square."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(7.2, 3.7), layout="constrained")
    left.imshow(image)
    shown = right.imshow(weight / weight.max(), cmap="cividis")
    rows, columns = np.nonzero(weight)
    for ax in (left, right):
        ax.add_patch(
            Rectangle((columns.min() - 0.5, rows.min() - 0.5), side, side, fill=False, edgecolor="white",
                      linewidth=2, path_effects=halo(2))
        )  # fmt: skip
        _bare(ax)
    _title(left, f"computed: {side} × {side} pixels")
    _title(right, "measured: influence of a pixel")
    figure.colorbar(shown, ax=right, shrink=0.8)
    return figure


def comparison(
    results: Mapping[str, Mapping[str, Sequence[float]]],
    *,
    chance: float | None = None,
    what: str = "accuracy",
) -> Figure:
    """Scores of several seeds as points, their mean as a bar. results: condition -> network -> scores."""
    figure, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    marks = ((BLUE, "o"), (VERMILION, "s"), (GREEN, "^"))
    names = list(dict.fromkeys(name for networks in results.values() for name in networks))
    for k, networks in enumerate(results.values()):
        for j, name in enumerate(names):
            x = k + 0.28 * (j - (len(names) - 1) / 2)
            scores = np.asarray(networks[name], float)
            colour, marker = marks[j]
            ax.plot(
                np.full(len(scores), x), scores, linestyle="", marker=marker, markersize=8, color=colour,
                alpha=0.75, label=name if k == 0 else None,
            )  # fmt: skip
            ax.plot([x - 0.1, x + 0.1], [scores.mean()] * 2, color=colour, linewidth=3)
    if chance is not None:
        ax.axhline(chance, color=GREY, linestyle=":", label="always the same answer")
    ax.set_xticks(range(len(results)), list(results), fontsize=SMALL)
    ax.set_xlim(-0.5, len(results) - 0.5)
    ax.set_ylabel(what, fontsize=SMALL)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(fontsize=SMALL, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return figure


def over_shift(shifts: Sequence[int], scores: Mapping[str, Sequence[float]], *, border: float) -> Figure:
    """How sure networks are while an aircraft leaves the middle. scores: network -> mean score a shift."""
    figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
    for (name, values), (colour, line) in zip(scores.items(), BLOCKS, strict=False):
        ax.plot(shifts, values, line, color=colour, marker="o", label=name)
    ax.axvline(border, color=GREY, linestyle=":", label="from here on the label is 0")
    ax.set_xlabel("pixels from the middle", fontsize=SMALL)
    ax.set_ylabel("mean score for aircraft", fontsize=SMALL)
    ax.set_ylim(0, 1)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(fontsize=SMALL, frameon=False)
    return figure


def _correlate(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum(axis=(2, 3))


def _grid(
    ax: Axes, values: np.ndarray, *, x: float = 0.0, colour: str, marked: Callable[[int, int], bool]
) -> None:
    """Numbers (H, W) in cells of one unit from (x, 0) on; NaN stays empty, marked cells are coloured."""
    for (i, j), value in np.ndenumerate(values):
        face = colour if marked(i, j) else "white"
        ax.add_patch(Rectangle((x + j, i), 1, 1, facecolor=face, edgecolor=GREY, linewidth=0.8))
        if not np.isnan(value):
            words = f"{value:g}".replace("-", "−")
            ax.text(x + j + 0.5, i + 0.5, words, ha="center", va="center", fontsize=SMALL)


def _frame(x: float, y: float, side: int, colour: str, *, line: str = "-", inset: float = 0.0) -> Rectangle:
    """A frame around `side` cells from (x, y) on."""
    return Rectangle(
        (x + inset, y + inset), side - 2 * inset, side - 2 * inset, fill=False, edgecolor=colour,
        linewidth=2.6, linestyle=line, zorder=3,
    )  # fmt: skip


def _signed(weight: float) -> str:
    return f"({weight:g})".replace("-", "−") if weight < 0 else f"{weight:g}"


def _title(ax: Axes, words: str) -> None:
    ax.set_title(words, fontsize=SMALL + 1, loc="left")


def _bare(ax: Axes) -> None:
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)


def _sheet(width: float, height: float, units: float | None = None) -> tuple[Figure, Axes]:
    """An empty sheet in inches, y up; with `units`: so many across, y down, one unit of room at the top."""
    figure, ax = plt.subplots(figsize=(width, height), layout="constrained")
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    if units is not None:
        ax.set(xlim=(-0.1, units - 0.1), ylim=(units * height / width - 0.8, -0.8))
    ax.set_axis_off()
    return figure, ax


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], width: float = 1.4) -> None:
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, color=BLACK, linewidth=width)
    )
