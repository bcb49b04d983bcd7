"""Checks of the extra "Architectures": a residual block, an Inception module, and what they cost.

An assert message is the hint for that mistake; students see it, so it never holds the bare answer.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aircraft_course.checks.answers import number, undisturbed
from aircraft_course.checks.core import exercise
from aircraft_course.checks.reference import agree


@exercise(
    hints=(
        "Keep x: after the two convolutions you need it once more.",
        "y = self.second(torch.relu(self.first(x))); return torch.relu(y + x).",
    )
)
def check_residual(make: Callable[[int], Any]) -> None:
    for channels in (3, 5):
        x = torch.randn(2, channels, 7, 6, generator=torch.Generator().manual_seed(channels))
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(channels)
            block = make(channels)
            given = x.clone()
            got = block(given)
            assert got is not None, "forward returns None: the line `return` is missing"
            assert isinstance(got, Tensor), f"return one tensor; this is of the type {type(got).__name__}"
            assert torch.equal(given, x), "the block changed its input; write y + x, not x += y"
            assert got.shape == x.shape, f"the shape {tuple(x.shape)} became {tuple(got.shape)}"
            first, second = block.first, block.second
            body = second(torch.relu(first(x)))
            assert not torch.allclose(got, torch.relu(body), atol=1e-5), "the input is not added"
            assert not torch.allclose(got, body + x, atol=1e-5), "the last ReLU, after the sum, is missing"
            assert not torch.allclose(got, torch.relu(body) + x, atol=1e-5), (
                "the second ReLU comes after the sum, not before it"
            )
            assert not torch.allclose(got, torch.relu(second(first(x)) + x), atol=1e-5), (
                "the ReLU between the two convolutions is missing"
            )
            assert torch.allclose(got, torch.relu(body + x), atol=1e-5), (
                "another result is right: first, ReLU, second, plus x, ReLU"
            )


@exercise(
    hints=(
        "One filter has kernel * kernel weights for each input channel, and one bias.",
        "outputs filters: outputs * (inputs * kernel * kernel + 1).",
    )
)
def check_conv_parameters(conv_parameters: Callable[[int, int, int], int]) -> None:
    got = number(conv_parameters(4, 5, 3), "conv_parameters(4, 5, 3)")
    assert got != 180, "the biases are missing: one for each filter"
    assert got != 181, "each filter has a bias of its own, not one for all"
    assert got != 65, "the kernel is a square: it has kernel * kernel weights for each channel"
    agree(
        undisturbed(conv_parameters),
        _conv,
        lambda rng, size: tuple(int(n) for n in rng.integers(1, size + 3, 3)),
    )


@exercise(
    hints=(
        "There are two convolutions now: inputs -> middle with a 1 x 1 kernel, then middle -> outputs.",
        "conv_parameters(inputs, middle, 1) + conv_parameters(middle, outputs, kernel).",
    )
)
def check_reduced(reduced: Callable[[int, int, int, int], int]) -> None:
    got = number(reduced(8, 2, 4, 3), "reduced(8, 2, 4, 3)")
    assert got != _conv(2, 4, 3), "that is the second convolution alone; the 1 x 1 has parameters, too"
    assert got != _conv(8, 2, 1) + _conv(8, 4, 3), "the second convolution reads what the first one gives"
    assert got != _conv(8, 2, 3) + _conv(2, 4, 3), "the first kernel is 1 x 1"
    agree(
        undisturbed(reduced),
        lambda inputs, middle, outputs, kernel: _conv(inputs, middle, 1) + _conv(middle, outputs, kernel),
        lambda rng, size: tuple(int(n) for n in rng.integers(1, size + 3, 4)),
    )


@exercise(
    hints=(
        "Each of self.branches gets the same x; the results are laid behind each other.",
        "torch.cat([branch(x) for branch in self.branches], dim=1): axis 1 holds the channels.",
    )
)
def check_inception_module(make: Callable[[int], Any]) -> None:
    rng = np.random.default_rng(0)
    for channels in (3, 8):
        x = torch.from_numpy(rng.normal(size=(2, channels, 9, 7)).astype(np.float32))
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(channels)
            module = make(channels)
            got = module(x.clone())
            right = torch.cat([branch(x) for branch in module.branches], dim=1)
            assert got is not None, "forward returns None: the line `return` is missing"
            assert isinstance(got, Tensor), f"return one tensor; this is of the type {type(got).__name__}"
            assert got.shape[1:2] != (right.shape[1] + channels,), "the input is no branch: leave it out"
            assert got.shape == right.shape, (
                f"for {channels} channels you give {tuple(got.shape)}, expected {tuple(right.shape)}"
            )
            assert torch.allclose(got, right, atol=1e-5), "keep the order of the branches"


def _conv(inputs: int, outputs: int, kernel: int) -> int:
    return outputs * (inputs * kernel * kernel + 1)
