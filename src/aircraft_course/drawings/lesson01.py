"""Drawings of lesson 1: a neuron, a line that learns, XOR in two planes, gradient descent, a network.

Each function returns a Figure. Colours are Okabe and Ito's; shapes or line styles say the same again.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, Rectangle

from aircraft.plotting.style import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION

SMALL = 11  # points of the letters
CLASSES = ((GREY, "s", "building"), (ORANGE, "^", "aircraft"))  # colour, marker, name of label 0 and label 1
RIDDLE = {"A": 0.2, "B": 0.68, "C": 0.02}  # learning rates: one good, one too large, one too small


def pixels(image: np.ndarray, *, title: str = "") -> Figure:
    """A small grey picture (H, W), and the same picture as the numbers that the computer sees."""
    figure, axes = plt.subplots(1, 2, figsize=(7.2, 3.6), layout="constrained")
    for ax in axes:
        ax.imshow(image, cmap="gray_r", alpha=1.0 if ax is axes[0] else 0.25)
        ax.set(xticks=range(image.shape[1]), yticks=range(image.shape[0]))
        ax.set_xlabel("column", fontsize=SMALL)
        ax.set_ylabel("row", fontsize=SMALL)
    for (row, column), value in np.ndenumerate(image):
        axes[1].text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=SMALL)
    axes[0].set_title(title, fontsize=SMALL + 1, loc="left")
    axes[1].set_title("the same as an array", fontsize=SMALL + 1, loc="left")
    return figure


def neuron(names: Sequence[str] = ("length", "width")) -> Figure:
    """One neuron as boxes and arrows: inputs times weights, plus the bias, through a step."""
    figure, ax = _sheet(7.6, 2.9, (0, 7.6), (0, 2.9))
    for k, (name, y) in enumerate(zip(names, (2.2, 1.0), strict=True), start=1):
        _circle(ax, 1.25, y, 0.42, SKY, f"$x_{k}$")
        ax.text(0.75, y, name, ha="right", va="center", fontsize=SMALL)
        _arrow(ax, (1.7, y), (3.02, 1.5 + 0.2 * (k == 1)), width=1.8)
        ax.text(2.4, 2.12 if k == 1 else 1.0, f"× $w_{k}$", ha="center", va="center", fontsize=SMALL + 2)
    _circle(ax, 3.45, 1.6, 0.45, ORANGE, "+")
    ax.text(3.45, 0.35, "+ $b$ (bias)", ha="center", va="center", fontsize=SMALL + 1)
    _arrow(ax, (3.45, 0.55), (3.45, 1.12), width=1.8)
    _arrow(ax, (3.92, 1.6), (5.0, 1.6), width=1.8)
    ax.text(4.45, 1.7, "sum", ha="center", va="bottom", fontsize=SMALL)
    ax.add_patch(Rectangle((5.05, 1.1), 1.1, 1.0, facecolor="white", edgecolor="black", linewidth=1.5))
    ax.plot([5.15, 5.6, 5.6, 6.05], [1.3, 1.3, 1.9, 1.9], color=BLUE, linewidth=2.5)
    ax.text(5.6, 0.85, "step: is it above 0?", ha="center", va="center", fontsize=SMALL)
    _arrow(ax, (6.2, 1.6), (6.75, 1.6), width=1.8)
    ax.text(6.8, 1.6, "0 or 1", ha="left", va="center", fontsize=SMALL + 1, weight="bold")
    return figure


def plane(
    points: np.ndarray, labels: np.ndarray, w: np.ndarray | None = None, b: float = 0.0, title: str = ""
) -> Figure:
    """Points (N, 2) of two classes and, where weights are given, the line w·x + b = 0 with its two sides."""
    figure, ax = plt.subplots(figsize=(5.6, 4.0), layout="constrained")
    _points(ax, points, labels, size=45)
    if w is not None:
        _boundary(ax, np.asarray(w, dtype=float), float(b))
    ax.set_xlabel("length, in units of 10 m", fontsize=SMALL)
    ax.set_ylabel("width, in units of 10 m", fontsize=SMALL)
    ax.set_title(title, fontsize=SMALL + 1, loc="left")
    ax.legend(fontsize=SMALL, loc="upper left")
    return figure


def learning_line(
    points: np.ndarray, labels: np.ndarray, history: Sequence[tuple[np.ndarray, float]], epochs: Sequence[int]
) -> Figure:
    """The line after some epochs. `history[e]` holds (w, b) after e epochs; mistakes are ringed."""
    columns = 3
    rows = -(-len(epochs) // columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(8, 2.75 * rows), layout="constrained", sharex=True, sharey=True, squeeze=False
    )
    for ax in axes.flat[len(epochs) :]:
        ax.axis("off")
    for ax, epoch in zip(axes.flat, epochs, strict=False):
        w, b = history[epoch]
        wrong = (points @ w + b > 0) != labels
        _points(ax, points, labels, size=22)
        ax.scatter(
            points[wrong, 0], points[wrong, 1], s=95, facecolors="none", edgecolors=VERMILION, linewidths=1.6
        )
        _boundary(ax, np.asarray(w, dtype=float), float(b))
        when = "start" if epoch == 0 else f"after epoch {epoch}"
        ax.set_title(f"{when}: {wrong.sum()} wrong", fontsize=SMALL, loc="left")
    for ax in axes[-1]:
        ax.set_xlabel("length (10 m)", fontsize=SMALL)
    for ax in axes[:, 0]:
        ax.set_ylabel("width (10 m)", fontsize=SMALL)
    return figure


def xor(w_out: np.ndarray | None = None, b_out: float = 0.0) -> Figure:
    """XOR in the plane of the inputs with the two hidden lines, and in the plane of the hidden neurons."""
    inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    labels = np.array([0, 1, 1, 0])
    hidden = np.column_stack([inputs.sum(1) > 0.5, inputs.sum(1) > 1.5]).astype(int)
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.7), layout="constrained")
    for ax, where in zip(axes, (inputs, hidden), strict=True):
        _xor_points(ax, where, labels)
    x = np.array([-0.5, 1.5])
    axes[0].plot(x, 0.5 - x, color=BLUE, linewidth=2, label="h1 (OR)")
    axes[0].plot(x, 1.5 - x, color=GREEN, linewidth=2, linestyle="--", label="h2 (AND)")
    axes[0].legend(fontsize=SMALL, loc="lower left")
    axes[0].set_title("inputs: no single line is enough", fontsize=SMALL + 1, loc="left")
    axes[0].set(xlabel="$x_1$", ylabel="$x_2$")
    axes[1].set_title("hidden neurons: one line is enough", fontsize=SMALL + 1, loc="left")
    axes[1].set(xlabel="h1 (OR)", ylabel="h2 (AND)")
    axes[1].text(1.0, -0.24, "two points meet here", ha="center", fontsize=SMALL - 1)
    if w_out is not None:
        _boundary(axes[1], np.asarray(w_out, dtype=float), float(b_out))
    return figure


def descents(
    x: np.ndarray, y: np.ndarray, *, start: float, rates: dict[str, float], steps: int = 8
) -> Figure:
    """The loss mean((w x - y)²) over w and the path of gradient descent, one panel for each learning rate."""
    figure, axes = plt.subplots(1, len(rates), figsize=(8, 3.1), layout="constrained", sharey=True)
    best = float((x * y).mean() / (x * x).mean())
    reach = 2.2 * abs(start - best)
    grid = np.linspace(best - reach, best + reach, 200)
    for ax, (name, rate) in zip(axes, rates.items(), strict=True):
        path = [start]
        for _ in range(steps):
            path.append(path[-1] - rate * float(np.mean(2 * x * (path[-1] * x - y))))
        ax.plot(grid, _losses(grid, x, y), color=GREY, linewidth=1.5)
        ax.plot(path, _losses(np.array(path), x, y), "o-", color=BLUE, markersize=5, linewidth=1.2)
        ax.plot(path[0], _losses(np.array(path[:1]), x, y), "s", color=VERMILION, markersize=9)
        ax.set(xlim=(grid[0], grid[-1]), ylim=(-0.3, float(_losses(grid, x, y).max())))
        ax.set_title(f"{name}: {steps} steps", fontsize=SMALL + 1, loc="left")
        ax.set_xlabel("weight w", fontsize=SMALL)
    axes[0].set_ylabel("loss", fontsize=SMALL)
    return figure


def squashing() -> Figure:
    """The step, the sigmoid and ReLU: three functions that a neuron can put after its sum."""
    figure, axes = plt.subplots(1, 3, figsize=(8, 2.4), layout="constrained")
    z = np.linspace(-4, 4, 401)
    curves = {
        "step": np.where(z > 0, 1.0, 0.0),
        "sigmoid": 1 / (1 + np.exp(-z)),
        "ReLU": np.maximum(z, 0),
    }
    for ax, (name, curve), colour in zip(axes, curves.items(), (GREY, PURPLE, BLUE), strict=True):
        ax.plot(z, curve, color=colour, linewidth=2.5)
        ax.axhline(0, color="#dddddd", linewidth=1, zorder=0)
        ax.axvline(0, color="#dddddd", linewidth=1, zorder=0)
        ax.set_title(name, fontsize=SMALL + 1, loc="left")
        ax.set_xlabel("sum", fontsize=SMALL)
    axes[0].set_ylabel("output", fontsize=SMALL)
    return figure


def network(
    sizes: Sequence[int] = (64, 64, 10), names: Sequence[str] = ("pixels", "hidden", "digits")
) -> Figure:
    """A multilayer perceptron: columns of neurons, each joined to all of the column before."""
    figure, ax = _sheet(7.2, 3.3, (0, 7.2), (-0.25, 3.05))
    columns = [np.linspace(2.6, 0.4, min(size, 6)) for size in sizes]
    x_of = np.linspace(1.0, 6.2, len(sizes))
    for k in range(len(sizes) - 1):
        for y0 in columns[k]:
            for y1 in columns[k + 1]:
                ax.plot([x_of[k], x_of[k + 1]], [y0, y1], color="#c8c8c8", linewidth=0.7, zorder=1)
    colours = (SKY, *(ORANGE,) * (len(sizes) - 2), GREEN)
    for x, ys, size, name, colour in zip(x_of, columns, sizes, names, colours, strict=True):
        for k, y in enumerate(ys):
            middle = size > len(ys) and k == len(ys) // 2
            _circle(ax, x, y, 0.17, "white" if middle else colour, "⋮" if middle else "", edge=not middle)
        ax.text(x, 0.0, f"{size} {name}", ha="center", va="center", fontsize=SMALL + 1)
    return figure


def _points(ax: Axes, points: np.ndarray, labels: np.ndarray, *, size: float) -> None:
    for value, (colour, marker, name) in enumerate(CLASSES):
        x, y = points[labels == value].T
        ax.scatter(x, y, s=size, c=colour, marker=marker, label=name, zorder=3)


def _xor_points(ax: Axes, where: np.ndarray, labels: np.ndarray) -> None:
    for value, (colour, marker, _) in enumerate(CLASSES):
        x, y = where[labels == value].T
        ax.scatter(x, y, s=170, c=colour, marker=marker, edgecolors="black", zorder=3)
        for x, y in np.unique(where[labels == value], axis=0):
            ax.annotate(str(value), (x, y), (12, 8), textcoords="offset points", fontsize=SMALL + 1, zorder=4)
    ax.set(xlim=(-0.5, 1.5), ylim=(-0.5, 1.5), xticks=(0, 1), yticks=(0, 1))


def _boundary(ax: Axes, w: np.ndarray, b: float) -> None:
    """Shade the side where w·x + b > 0 and draw the line, without moving the limits of the axes."""
    limits = (*ax.get_xlim(), *ax.get_ylim())
    x, y = np.meshgrid(np.linspace(*limits[:2], 80), np.linspace(*limits[2:], 80))
    total = w[0] * x + w[1] * y + b
    ax.contourf(x, y, total, levels=[0, np.inf], colors=[ORANGE], alpha=0.16, zorder=0)
    ax.contour(x, y, total, levels=[0], colors=[BLUE], linewidths=2, zorder=2)
    ax.axis(limits)


def _losses(w: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return ((w[:, None] * x - y) ** 2).mean(axis=1)


def _sheet(
    width: float, height: float, x: tuple[float, float], y: tuple[float, float]
) -> tuple[Figure, Axes]:
    figure, ax = plt.subplots(figsize=(width, height), layout="constrained")
    ax.set(xlim=x, ylim=y, aspect="equal")
    ax.axis("off")
    return figure, ax


def _circle(
    ax: Axes, x: float, y: float, radius: float, colour: str, text: str, *, edge: bool = True
) -> None:
    ax.add_patch(
        Circle(
            (x, y), radius, facecolor=colour, edgecolor="black" if edge else "white", linewidth=1.3, zorder=2
        )
    )
    ax.text(x, y, text, ha="center", va="center", fontsize=SMALL + 3, zorder=3)


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float], *, width: float) -> None:
    ax.add_patch(
        FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=14, color="black", linewidth=width)
    )
