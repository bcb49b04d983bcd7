"""The figures of part 5: TensorBoard, boxes, masks, tokens."""

import functools
import math
import tempfile
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle

from aircraft import training
from aircraft.plotting import marks
from aircraft.plotting.style import BLACK, BLUE, GREEN, ORANGE, SKY, VERMILION, YELLOW, figure_of, styled
from aircraft.training import loading
from aircraft_course.drawings import lesson04
from airfield import planes as synthetic_aircraft
from airfield.light import Sun
from figures import toolbox
from figures.drawing import WORDS, arrow, box, sheet
from figures.tiles import around, example, test_tiles


@styled
def board() -> Figure:
    """What TensorBoard shows of a training of lesson 4: losses, learning rate, weights, worst patches."""
    train, val = toolbox.toy_parts()
    with tempfile.TemporaryDirectory() as folder:
        _log_a_training(train, val, folder)
        axes = lesson04.board(folder)
    figure = figure_of(axes)
    figure.set_size_inches(10.6, 5.4)
    return figure


def boxes() -> Figure:
    """Three anchors, the box that the best one becomes, and what IoU measures."""
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.6), layout="constrained")
    tile, true = _lonely()
    center = (true[:2] + true[2:]) / 2
    x, y = np.round(center - 40).astype(int)
    image, true, center = tile.image[y : y + 80, x : x + 80], true - [x, y, x, y], center - (x, y)
    grid = np.round((center - 4) / 8) * 8 + 4
    for ax in axes[:2]:
        marks.blank(ax, image, width=4, height=4)
    dots = np.stack(np.meshgrid(np.arange(4, 80, 8), np.arange(4, 80, 8)), axis=-1).reshape(-1, 2)
    axes[0].plot(*dots.T, "o", color="white", markersize=4, markeredgecolor="black", markeredgewidth=0.6)
    axes[0].plot(*grid, "o", color=YELLOW, markersize=13, markeredgecolor="black", markeredgewidth=2)
    for width, height in ((44, 44), (60, 30), (30, 60)):
        anchor = np.array([*(grid - (width / 2, height / 2)), *(grid + (width / 2, height / 2))])
        marks.box(axes[0], anchor, YELLOW, (0, (3, 2)))
    marks.box(axes[1], np.array([*(grid - 22), *(grid + 22)]), YELLOW, (0, (3, 2)))
    marks.box(axes[1], true, marks.HIT, "-", width=3.5)
    axes[1].annotate("", center, grid, arrowprops={"arrowstyle": "-|>", "linewidth": 4, "color": "white"})
    ax = axes[2]
    ax.add_patch(Rectangle((8, 14), 40, 40, facecolor=(SKY, 0.6), edgecolor=BLUE, linewidth=3))
    ax.add_patch(Rectangle((24, 28), 44, 34, facecolor=(ORANGE, 0.5), edgecolor=VERMILION, linewidth=3))
    ax.text(36, 41, "both", ha="center", va="center", fontsize=WORDS, weight="bold")
    both, total = 24 * 26, 40 * 40 + 44 * 34 - 24 * 26
    ax.text(40, 73, f"{both} / {total} = {both / total:.2f}", ha="center", va="center", fontsize=WORDS)
    ax.set(xlim=(0, 80), ylim=(80, 0), aspect="equal")
    ax.set_axis_off()
    titles = ("1. boxes at each place", "2. correct the best", "3. IoU: common / all area")
    for ax, title in zip(axes, titles, strict=True):
        ax.set_title(title, fontsize=WORDS, loc="left")
    return figure


def unet() -> Figure:
    """An image goes down to coarse maps and up again; shortcuts bring the fine detail back."""
    figure, ax = sheet(12, 5.2)
    sides, xs_down = (1.6, 1.15, 0.8, 0.5), (2.95, 4.15, 5.1)
    levels = (3.9, 2.55, 1.4, 0.55)
    xs_up = [12 - x for x in reversed(xs_down)]
    image, mask = _parked()
    _picture(ax, image, 0.25, 3.0, 1.9)
    _picture(ax, mask, 9.85, 3.0, 1.9)
    down = [(x, y, s) for x, y, s in zip(xs_down, levels, sides, strict=False)]
    up = [(x, y, s) for x, y, s in zip(xs_up, reversed(levels[:3]), reversed(sides[:3]), strict=False)]
    path = [*down, (6.0, levels[3], sides[3]), *up]
    for k, (x, y, side) in enumerate(path):
        colour = SKY if k < 3 else YELLOW if k == 3 else GREEN
        width = 0.28 + 0.1 * min(k, 6 - k)
        ax.add_patch(
            Rectangle(
                (x - width / 2, y - side / 2), width, side, facecolor=colour, edgecolor=BLACK, linewidth=2
            )
        )
    for (x, y, side), (x2, y2, side2) in zip(path[:-1], path[1:], strict=True):
        arrow(ax, (x + 0.28, y - side / 4), (x2 - 0.3, y2 + side2 / 4), BLACK) if y2 < y else arrow(
            ax, (x + 0.28, y + side / 4), (x2 - 0.3, y2 - side2 / 4), BLACK
        )
    for (x, y, _), (x2, _, _) in zip(down, reversed(up), strict=True):
        ax.add_patch(
            FancyArrowPatch(
                (x + 0.25, y + 0.1),
                (x2 - 0.25, y + 0.1),
                arrowstyle="-|>",
                mutation_scale=22,
                color=VERMILION,
                linewidth=3.5,
                linestyle=(0, (4, 2)),
                shrinkA=0,
                shrinkB=0,
            )
        )
    arrow(ax, (2.2, 3.95), (2.75, 3.95), BLACK)
    arrow(ax, (9.25, 3.95), (9.8, 3.95), BLACK)
    ax.text(
        6,
        4.35,
        "shortcuts keep the outline sharp",
        ha="center",
        fontsize=WORDS,
        color=VERMILION,
        weight="bold",
    )
    ax.text(1.2, 2.65, "image", ha="center", fontsize=WORDS)
    ax.text(10.8, 2.65, "mask", ha="center", fontsize=WORDS)
    ax.text(2.9, 1.0, "down: what is it?", ha="center", fontsize=WORDS, color=BLUE, weight="bold")
    ax.text(9.1, 1.0, "up: where exactly?", ha="center", fontsize=WORDS, color="#00714f", weight="bold")
    return figure


def tokens() -> Figure:
    """A tile cut into sixteen tokens, and how much one of them looks at each of the others."""
    figure, ax = sheet(12, 4.7)
    tile = example()
    scene = tile.crop(*around(tile, 256), 256)
    side, step = 3.6, 0.9
    _picture(ax, scene.image, 0.3, 0.75, side)
    for k in range(5):
        ax.plot([0.3 + k * step] * 2, [0.75, 0.75 + side], color="white", linewidth=3)
        ax.plot([0.3, 0.3 + side], [0.75 + k * step] * 2, color="white", linewidth=3)
    ax.text(0.3 + side / 2, 0.35, "1. cut into tokens", ha="center", va="center", fontsize=WORDS)
    chosen = 6
    weights = _looks(scene.image, chosen)
    places = []
    for k in range(16):
        row, column = divmod(k, 4)
        x, y = 5.0 + 0.92 * column, 3.9 - 0.98 * row
        piece = scene.image[64 * row : 64 * row + 64, 64 * column : 64 * column + 64]
        _picture(ax, piece, x, y - 0.4, 0.78)
        places.append((x + 0.39, y))
    for k, weight in enumerate(weights):
        if k != chosen:
            ax.plot(
                *zip(places[chosen], places[k], strict=True),
                color=VERMILION,
                linewidth=0.6 + 30 * weight,
                alpha=0.75,
                solid_capstyle="round",
                zorder=4,
            )
    ax.add_patch(
        Rectangle(
            (places[chosen][0] - 0.43, places[chosen][1] - 0.43),
            0.86,
            0.86,
            fill=False,
            edgecolor=YELLOW,
            linewidth=5,
            zorder=5,
        )
    )
    ax.text(6.8, 0.35, "2. each looks at all", ha="center", va="center", fontsize=WORDS)
    for k, (y, words, colour) in enumerate(
        ((3.6, "attention:\nwho matters to me?", ORANGE), (2.1, "MLP:\nwhat follows?", SKY))
    ):
        box(ax, 10.55, y, 2.6, 1.1, words, colour, size=WORDS - 1)
        if k:
            arrow(ax, (10.55, 3.05), (10.55, 2.7), BLACK)
    arrow(ax, (8.75, 3.6), (9.22, 3.6), BLACK)
    arrow(ax, (10.55, 1.52), (10.55, 1.05), BLACK)
    ax.text(10.55, 0.75, "again, 12 times", ha="center", va="center", fontsize=WORDS)
    ax.text(10.55, 0.35, "3. blocks", ha="center", va="center", fontsize=WORDS)
    return figure


@functools.cache
def _lonely() -> tuple[Any, np.ndarray]:
    """A test tile and the box of its aircraft of about 36 x 46 m that stands furthest from all others."""
    best = (0.0, test_tiles()[0], np.zeros(4))
    for tile in test_tiles():
        for true, center in zip(tile.boxes, tile.centers, strict=True):
            width, height = np.sort(true[2:] - true[:2])
            inside = (center > 42).all() and (center < tile.width - 42).all()
            if not inside or not 32 < width < 42 or not 40 < height < 54:
                continue
            apart = np.sort(np.hypot(*(tile.centers - center).T))[1:2]
            if apart.size and apart[0] > best[0]:
                best = (float(apart[0]), tile, true)
    return best[1:]


@functools.cache
def _parked() -> tuple[np.ndarray, np.ndarray]:
    """Three aircraft painted on a piece of empty ground (128, 128, 3), and their exact mask."""
    rng, sun = np.random.default_rng(3), Sun(azimuth=math.radians(140), elevation=math.radians(40))
    canvas = np.full((256, 256, 3), 150, np.uint8) + rng.integers(0, 12, (256, 256, 1), dtype=np.uint8)
    shadow, mask = np.zeros((256, 256), np.uint8), np.full((256, 256, 3), 217, np.uint8)
    parked = (("narrow_body", 36, 34, 0.6), ("narrow_body", 94, 52, 2.2), ("narrow_body", 46, 94, -0.4))
    planes = [synthetic_aircraft.random_plane(rng, kind).at(x, y, heading) for kind, x, y, heading in parked]
    for plane in planes:
        synthetic_aircraft.paint_shadow(shadow, plane, sun)
    canvas[shadow > 0] //= 2
    for plane in planes:
        before = canvas.copy()
        synthetic_aircraft.paint(canvas, plane, sun)
        mask[(before != canvas).any(axis=2)] = (0, 114, 178)
    return canvas, mask


def _looks(image: np.ndarray, chosen: int) -> np.ndarray:
    """(16,) attention of one token of an untrained layer: softmax of how alike the pieces' pixels are."""
    pieces = image.reshape(4, 64, 4, 64, 3).swapaxes(1, 2).reshape(16, -1).astype(float)
    pieces = (pieces - pieces.mean(axis=0)) / 255
    alike = pieces @ pieces[chosen] / np.linalg.norm(pieces, axis=1) / np.linalg.norm(pieces[chosen])
    weights = np.exp(3 * alike)
    weights[chosen] = 0
    return weights / weights.sum()


def _log_a_training(train: Any, val: Any, folder: str) -> None:
    """The training of lesson 4, section 3, written to a folder for TensorBoard."""
    from ignite.engine import Events
    from ignite.handlers import PiecewiseLinear, TensorboardLogger
    from torchvision.utils import make_grid

    model, optimizer, trainer, evaluator, batches = toolbox.prepare(train)
    val_batches = loading.Batches(val.images, val.labels, 512, torch.device("cpu"))
    corners = [(0, 4e-4), (len(batches), 1e-2), (6 * len(batches), 1e-5)]
    trainer.add_event_handler(Events.ITERATION_STARTED, PiecewiseLinear(optimizer, "lr", corners))
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run(val_batches))
    board = TensorboardLogger(log_dir=folder)
    often = Events.ITERATION_COMPLETED(every=4)
    board.attach_output_handler(
        trainer, often, "train", output_transform=lambda output: {"loss": float(output["loss"])}
    )
    board.attach_opt_params_handler(trainer, often, optimizer=optimizer)
    board.attach_output_handler(
        evaluator,
        Events.COMPLETED,
        "validation",
        metric_names=["loss", "AUC"],
        global_step_transform=lambda *_: trainer.state.iteration,
    )

    @trainer.on(Events.EPOCH_COMPLETED)
    def write_more() -> None:
        step = trainer.state.iteration
        board.writer.add_histogram("weights of the last layer", model.layers[-1].weight, step)
        scores = training.predict(model, val.images)
        worst = np.argsort(-np.abs(val.labels - scores))[:8]
        pictures = torch.from_numpy(np.array(val.images[worst])).permute(0, 3, 1, 2)
        board.writer.add_image("worst patches", make_grid(pictures, nrow=4), step)

    trainer.run(batches, max_epochs=6)
    board.close()


def _picture(ax: Axes, image: np.ndarray, x: float, y: float, side: float) -> None:
    ax.imshow(image, extent=(x, x + side, y, y + side), interpolation="antialiased", zorder=2)
    width, height = figure_of(ax).get_size_inches()
    ax.set(xlim=(0, width), ylim=(0, height))
