"""The figures of part 4 on tiles: windows, peaks, matching, the dense pass."""

import functools
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from torch import nn

from aircraft import datasets, detection, models, training
from aircraft.patches import PATCH
from aircraft.plotting.style import BLACK, BLUE, GREEN, ORANGE, SKY, VERMILION, YELLOW, styled
from aircraft.scenes import Scene
from aircraft_course.drawings import lesson07
from figures.drawing import WORDS, arrow, letters, sheet
from figures.kept import Array, kept


def windows() -> Figure:
    with letters(lesson07, 12):
        return lesson07.sliding_windows(example(), stride=32)


def spots() -> Figure:
    """A piece of a tile: all windows that say yes, the peaks, and what suppression leaves."""
    piece, bright, peaks, stay = _found_piece()
    panels = {
        f"{len(bright)} windows say yes": bright,
        f"{len(peaks)} peaks": peaks,
        f"{len(stay)} after suppression": stay,
    }
    with letters(lesson07, 14):
        figure = lesson07.steps(piece.image, panels)
    figure.set_size_inches(8.4, 3.3)
    return figure


def cores() -> Figure:
    with letters(lesson07, 12):
        return lesson07.core_grids(strides=(16, 32, 48))


def matching() -> Figure:
    with letters(lesson07, 12):
        figure = lesson07.matching()
    figure.set_size_inches(7.6, 3.5)
    return figure


def linear_as_convolution() -> Figure:
    """The weights of a linear layer as a column, as a kernel, and as a kernel that moves (after lesson 8)."""
    figure, ax = sheet(12, 4.4)
    colours = (SKY, ORANGE, YELLOW, GREEN)
    for k, (letter, colour) in enumerate(zip("abcd", colours, strict=True)):
        row, column = divmod(k, 2)
        product = f"{letter}·w{k + 1}"
        _cell(ax, 0.15 + 0.65 * column, 2.2 - 0.65 * (row - 0.5), 0.65, letter, colour)
        _cell(ax, 1.95, 3.28 - 0.72 * k, 1.05, product, colour, height=0.68)
        _cell(ax, 4.35 + 1.05 * column, 2.2 - 1.05 * (row - 0.5), 1.05, product, colour)
    for row in range(4):
        for column in range(5):
            _cell(ax, 7.75 + 0.48 * column, 2.2 - 0.48 * (row - 1.5), 0.48, "", "none")
            if row < 3 and column < 4:
                colour = SKY if (row, column) == (1, 1) else "#e8e8e8"
                _cell(ax, 10.6 + 0.34 * column, 2.2 - 0.34 * (row - 1), 0.34, "", colour)
    for k, colour in enumerate(colours):
        row, column = divmod(k, 2)
        _cell(ax, 8.23 + 0.48 * column, 2.44 - 0.48 * row, 0.48, f"w{k + 1}", colour, size=WORDS - 2)
    for start, end in ((1.5, 1.9), (3.05, 3.4), (6.5, 6.82), (10.2, 10.55)):
        arrow(ax, (start, 2.2), (end, 2.2), BLACK)
    for x in (3.72, 7.15):
        ax.add_patch(Circle((x, 2.2), 0.32, facecolor="white", edgecolor=BLACK, linewidth=2))
        ax.text(x, 2.2, "+", ha="center", va="center", fontsize=WORDS + 4)
    for x, words in (
        (0.15, "Flatten, then Linear"),
        (4.35, "the same, a kernel"),
        (7.75, "on a larger map it moves"),
    ):
        ax.text(x, 4.05, words, va="center", fontsize=WORDS + 1, weight="bold")
    return figure


@styled
def work() -> Figure:
    """Multiplications for one tile, by the window loop and by one dense pass, against the stride."""
    network, strides = models.build("patch_net").eval(), [8, 16, 32, 64]
    one_window = multiplications(network, 64)
    loop = np.array([((512 - 64) // s + 1) ** 2 * one_window for s in strides]) / 1e9
    dense = np.array([multiplications(models.dense(network, stride=s), 512) for s in strides]) / 1e9
    figure, ax = plt.subplots(figsize=(9.6, 4.6))
    ax.plot(strides, loop, "o--", color=VERMILION, markersize=12, label="window loop")
    ax.plot(strides, dense, "s-", color=BLUE, markersize=12, label="one dense pass")
    ax.set_xscale("log", base=2)
    ax.set_xticks(strides, [str(stride) for stride in strides])
    ax.set_yscale("log")
    ax.set(xlabel="stride (pixels)", ylabel="billion multiplications")
    ax.set_yticks((1, 10, 50), ("1", "10", "50"))
    ax.annotate("", (8.4, dense[0]), (8.4, loop[0]), arrowprops={"arrowstyle": "<|-|>", "linewidth": 2.5})
    middle = np.sqrt(dense[0] * loop[0])
    ax.text(
        8.8, middle, f"{loop[0] / dense[0]:.0f} times\nless work", fontsize=17, va="center", weight="bold"
    )
    ax.legend(fontsize=16)
    return figure


@functools.cache
def example() -> Scene:
    """The test tile whose aircraft lies best in the middle of the window that `windows` enlarges."""

    def off(tile: Scene) -> float:
        center = tile.centers[np.abs(tile.centers - tile.width / 2).sum(axis=1).argmin()]
        return float(((center - PATCH // 2) % (PATCH // 2)).max())

    return min((tile for tile in test_tiles() if len(tile.boxes) > 5), key=off)


@functools.cache
def _found_piece() -> tuple[Scene, np.ndarray, np.ndarray, np.ndarray]:
    """A piece of a test tile with (N, 2) bright windows, peaks, and the points that stay.

    Of the pieces that end at the right count, the one on which suppression has most to do.
    """
    crowded = [tile for tile in test_tiles() if len(tile.boxes) >= 4]
    pieces = [tile.crop(*around(tile, 192), 192) for tile in crowded]
    found = [(piece, *_points(piece)) for piece in pieces]
    right = [one for one in found if _all_right(one[0], one[3])]
    return max(right, key=lambda one: len(one[2]) - len(one[3]))


def _points(piece: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The (N, 2) centres of the windows of 0.5 or more, of the peaks among them, and of those that stay."""
    scores = detection.score_map(detector(), piece.image, method="batched", stride=8)
    peaks = _peaks(scores.scores, 0.5)
    bright, centers = (
        scores.offset + scores.stride * places[:, ::-1]
        for places in (np.argwhere(scores.scores >= 0.5), peaks)
    )
    return bright, centers, centers[_suppress(centers, scores.scores[tuple(peaks.T)], 20)]


def _all_right(piece: Scene, points: np.ndarray) -> bool:
    match = detection.match(detection.Detections(points, np.ones(len(points), np.float32)), piece)
    return len(match.hits) == len(points) == len(piece.boxes)


def around(tile: Any, side: int) -> tuple[int, int]:
    """The corner of the square of this side that holds the most aircraft."""
    corners = [
        (x, y) for x in range(0, tile.width - side + 1, 16) for y in range(0, tile.height - side + 1, 16)
    ]

    def inside(corner: tuple[int, int]) -> int:
        low = tile.boxes[:, :2] >= corner
        high = tile.boxes[:, 2:] <= np.add(corner, side)
        return int((low.all(axis=1) & high.all(axis=1)).sum())

    return max(corners, key=inside)


def _peaks(scores: np.ndarray, threshold: float) -> np.ndarray:
    """Lesson 7, exercise 6: (N, 2) rows and columns that no neighbour exceeds."""
    padded = np.pad(scores, 1, constant_values=-1)
    highest = np.lib.stride_tricks.sliding_window_view(padded, (3, 3)).max(axis=(2, 3))
    return np.argwhere((scores >= threshold) & (scores == highest))


def _suppress(centers: np.ndarray, scores: np.ndarray, distance: float) -> list[int]:
    """Lesson 7, exercise 7: the indices that stay, the best first."""
    keep: list[int] = []
    for i in np.argsort(-scores):
        if all(np.hypot(*(centers[i] - centers[k])) > distance for k in keep):
            keep.append(int(i))
    return keep


def _cell(
    ax: Axes,
    x: float,
    y: float,
    width: float,
    text: str,
    colour: str,
    *,
    height: float | None = None,
    size: float = WORDS,
) -> None:
    """A square or rectangle whose left side has its middle at (x, y)."""
    height = height or width
    ax.add_patch(
        Rectangle((x, y - height / 2), width, height, facecolor=colour, edgecolor=BLACK, linewidth=1.6)
    )
    ax.text(x + width / 2, y, text, ha="center", va="center", fontsize=size)


@functools.cache
def detector() -> nn.Module:
    """Lesson 8, section 6: `patch_net` after three epochs on the imbalanced set."""

    def build() -> dict[str, Array]:
        train, val = datasets.split(datasets.load_imbalanced(progress=False).train, fraction=0.2, seed=0)
        torch.manual_seed(0)
        model = models.build("patch_net")
        training.fit(model, train, val, epochs=3, seed=0, progress=False)
        return {name: value.numpy() for name, value in model.state_dict().items()}

    weights = kept("detector", build)
    model = models.build("patch_net")
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return model.eval()


@functools.cache
def test_tiles() -> list[Scene]:
    return datasets.load_tiles(count=36, progress=False)


def multiplications(network: nn.Module, side: int) -> int:
    """Lesson 8, section 5: of all convolutions and linear layers, for one image of side x side pixels."""
    counts: list[int] = []

    def count(layer: Any, _: Any, output: torch.Tensor) -> None:
        counts.append(output.numel() * layer.weight[0].numel())

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        network(torch.zeros(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    return sum(counts)
