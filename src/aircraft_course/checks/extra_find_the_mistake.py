"""Checks of the extra "Find the mistake": five slides, five sentences that code refutes.

An assert message is the hint for that mistake; students see it, so it never holds the bare answer.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from aircraft_course.checks.answers import number, numbers
from aircraft_course.checks.core import exercise
from aircraft_course.checks.reference import agree, by_chance, same, shown

Draws = np.random.Generator


@exercise(
    hints=(
        "Cut the window out of the image: as many rows and columns as the kernel has.",
        "Multiply window and kernel element by element, then add up: (window * kernel).sum().",
    )
)
def check_window_value(window_value: Callable[[np.ndarray, np.ndarray, int, int], float]) -> None:
    image = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 1, 2, 3], [4, 5, 6, 7]])
    kernel = np.array([[1, 0, 2], [0, 3, 0], [4, 0, 5]])
    got = number(window_value(image, kernel, 0, 1), "window_value(image, kernel, 0, 1)")
    window = image[0:3, 1:4]
    products = window * kernel
    assert got != products[:2].sum(), "that are six of nine products: the window has a third row"
    assert got != (window * kernel[::-1, ::-1]).sum(), (
        "the kernel is turned by 180 degrees; the networks of this course do not turn it"
    )
    assert got != (image[1:4, 0:3] * kernel).sum(), "row and column are swapped"
    assert got != products.mean(), "that is the mean of the nine products; a convolution adds them up"
    agree(window_value, _window_value, _draw_window)


@exercise(
    hints=(
        "Draw one number in [0, 1) for each element of x, not one for each column: rng.random(x.shape).",
        "kept = rng.random(x.shape) >= share; return x * kept / (1 - share).",
    )
)
def check_dropout(dropout: Callable[[np.ndarray, float, Draws], np.ndarray]) -> None:
    images, features = 400, 50
    ones = np.ones((images, features))
    for share in (0.2, 0.75):
        raw = dropout(ones.copy(), share, np.random.default_rng(1))
        got = numbers(raw, "dropout(x, share, rng)")
        assert got.shape == ones.shape, f"x has the shape {ones.shape}, your answer {got.shape}"
        dropped = (got == 0).mean()
        assert not (got == got[:1]).all(), (
            "all images of the batch lose the same features; each image draws its own mask"
        )
        assert not (got == got[:, :1]).all(), (
            "an image is lost or kept as a whole; each of its features draws for itself"
        )
        assert abs(dropped - (1 - share)) > 0.03 or abs(dropped - share) < 0.03, (
            f"of a share of {share} to drop, {dropped:.2f} are 0: you keep what should go"
        )
        assert abs(dropped - share) < 0.03, f"of a share of {share} to drop, {dropped:.2f} are 0"
        kept = got[got != 0]
        assert not np.allclose(kept, 1), (
            "what is kept must grow, so that the mean stays the same: by which factor?"
        )
        assert np.allclose(kept, 1 / (1 - share)), (
            f"with a share of {share} a kept 1 becomes {kept[0]:.3g}; the mean of all should stay 1"
        )
    by_chance(lambda rng: dropout(ones[:4].copy(), 0.5, rng), "dropout")
    x = np.arange(1.0, 25).reshape(4, 6)
    given = x.copy()
    got = numbers(dropout(given, 0.5, np.random.default_rng(2)), "dropout(x, 0.5, rng)")
    assert same(given, x, 0), "dropout changed the x that it was given; make a new array"
    assert same(got[got != 0], 2 * x[got != 0], 1e-6), "a kept value is its own value times one factor"
    got = numbers(dropout(x.copy(), 0.0, np.random.default_rng(3)), "dropout(x, 0, rng)")
    assert same(got, x, 1e-6), (
        f"with a share of 0 nothing changes; yours gives {shown(got[0])} for {shown(x[0])}"
    )


@exercise(
    hints=(
        "An output is a sum over the inputs: weights[j, 0] * x[0] + weights[j, 1] * x[1] + ..., and bias[j].",
        "weights @ x does all these sums at once: return weights @ x + bias.",
    )
)
def check_dense(dense: Callable[[np.ndarray, np.ndarray, np.ndarray], ArrayLike]) -> None:
    weights, x, bias = np.array([[1.0, 2, 3], [0, 4, -2]]), np.array([2.0, 1, 3]), np.array([10.0, 20])
    got = numbers(dense(weights, x, bias), "dense(weights, x, bias)")
    assert got.shape == (2,), f"two rows of weights make two outputs; yours has the shape {got.shape}"
    assert not np.allclose(got, weights @ x / 3 + bias), "that is the slide: who divides by N here?"
    assert not np.allclose(got, (weights @ x + bias) / 3), "nothing is divided by N, the bias neither"
    assert not np.allclose(got, weights @ x), "the bias is missing"
    agree(dense, lambda weights, x, bias: weights @ x + bias, _draw_dense)


@exercise(
    hints=(
        "A kernel of side k reaches over dilation * (k - 1) + 1 pixels. How many are lost without padding?",
        "dilation * (kernel - 1) are lost, half of them on each side.",
    )
)
def check_same_padding(same_padding: Callable[[int, int], int]) -> None:
    got = number(same_padding(3, 1), "same_padding(3, 1)")
    assert got != 0, "that is the slide: without padding a 3 x 3 kernel makes the image smaller"
    assert got != 2, "2 pixels are lost in all; padding puts its pixels on both sides"
    assert got == 1, f"a 3 x 3 kernel needs another padding than {got}: try it with nn.Conv2d"
    got = number(same_padding(5, 3), "same_padding(5, 3)")
    assert got != 2, "the kernel's pixels may lie apart: count the dilation as well"
    for kernel in (1, 3, 5, 7, 9):
        for dilation in (1, 2, 3):
            got = same_padding(kernel, dilation)
            padding = number(got, f"same_padding({kernel}, {dilation})")
            assert isinstance(padding, int), (
                f"same_padding({kernel}, {dilation}) is {padding}: nn.Conv2d takes whole numbers only; use //"
            )
    agree(same_padding, lambda kernel, dilation: dilation * (kernel - 1) // 2, _draw_kernel)


@exercise(
    hints=(
        "Each branch gets the same x. All results have one height and width: lay them behind each other.",
        "torch.cat([branch(x) for branch in branches], dim=1): axis 1 holds the channels.",
    )
)
def check_inception(inception: Callable[[Tensor, list[Any]], Tensor]) -> None:
    x = torch.arange(2 * 3 * 4 * 5, dtype=torch.float32).reshape(2, 3, 4, 5)
    before = x.clone()
    branches = [lambda x: 2 * x, lambda x: x[:, :2] + 1, lambda x: -x[:, 1:]]
    right = torch.cat([branch(x) for branch in branches], dim=1)
    got = inception(x, branches)
    assert got is not None, "inception returns None: the line `return` is missing"
    assert isinstance(got, Tensor), f"return one tensor; this is of the type {type(got).__name__}"
    assert torch.equal(x, before), "inception changed its input x; make a new tensor"
    shape = tuple(got.shape)
    assert shape != (2, 10, 4, 5), "ten channels: the input itself is among them; that is not in the module"
    assert shape == (2, 7, 4, 5), (
        f"branches of 3, 2 and 2 channels give {shape}; expected (2, 7, 4, 5): nothing is added, nothing lost"
    )
    assert torch.equal(got, right), "the channels are there; keep the order of the branches"
    equal = [lambda x: x + 1, lambda x: x * 3]
    shape = tuple(inception(x, equal).shape)
    assert shape == (2, 6, 4, 5), f"two branches of 3 channels give {shape}, expected (2, 6, 4, 5)"
    single = inception(x, branches[:1])
    assert torch.equal(single, 2 * x), "with one branch the module is that branch"


def _window_value(image: np.ndarray, kernel: np.ndarray, row: int, column: int) -> float:
    rows, columns = kernel.shape
    return float((image[row : row + rows, column : column + columns] * kernel).sum())


def _draw_window(rng: Draws, size: int) -> tuple[Any, ...]:
    rows, columns = (int(n) for n in rng.integers(1, 5, 2))
    row, column = (int(n) for n in rng.integers(0, 4, 2))
    image = rng.integers(-9, 10, (row + rows + size % 3, column + columns + size % 2))
    return image, rng.integers(-3, 4, (rows, columns)), row, column


def _draw_dense(rng: Draws, size: int) -> tuple[Any, ...]:
    outputs, inputs = int(rng.integers(1, 4)), 1 + size % 5
    return rng.normal(size=(outputs, inputs)), rng.normal(size=inputs), rng.normal(size=outputs)


def _draw_kernel(rng: Draws, size: int) -> tuple[int, int]:
    return 1 + 2 * int(rng.integers(0, size + 2)), int(rng.integers(1, 5))
