"""Network: what every network of the package is made of, and Normalize, its first layer.

A network is a flat list of layers from a 64x64 RGB window to one logit; one class, whatever the layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aircraft import InputError

if TYPE_CHECKING:
    from aircraft.models.modelfile import ModelCard

WINDOW = 64
"""Side of the window that a network judges, in pixels (= metres)."""

MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)
"""Default normalisation: puts most of an 8-bit image between -2 and 2, without looking at any data set."""


class Normalize(nn.Module):
    """(x - mean) / std per channel; uint8 is divided by 255 first, floats are taken as they are, in [0, 1].

    Mean and std are buffers, so they travel with the weights and the device.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> None:
        super().__init__()
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise InputError(f"normalisation takes 3 means and 3 positive stds, not {mean} and {std}")
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) uint8 or float in [0, 1] -> the same shape, in the dtype of the weights."""
        peak = 255 if x.dtype == torch.uint8 else 1
        scale = 1 / (peak * self.std)
        shift = -self.mean / self.std
        return torch.addcmul(shift, x.to(self.mean.dtype), scale)  # one pass over the image


class Network(nn.Module):
    """A classifier of 64x64 windows: Normalize, then `layers`, from (N, 3, 64, 64) to logits (N,).

    layers:  flat Sequential that ends in one number a window, (N, 1) or (N, 1, 1, 1).
    stride:  pixels between two windows of its dense form (`aircraft.models.dense`); None where it has none.
    arch, options: how `aircraft.models.build` made it. card: set by `aircraft.models.load`.
    """

    def __init__(
        self,
        layers: nn.Sequential,
        *,
        stride: int | None,
        mean: Sequence[float] = MEAN,
        std: Sequence[float] = STD,
    ) -> None:
        super().__init__()
        self.normalize = Normalize(mean, std)
        self.layers = layers
        self.stride = stride
        self.window = WINDOW
        self.arch = ""
        self.options: dict[str, Any] = {}
        self.card: ModelCard | None = None

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 64, 64) uint8, or float in [0, 1], any memory format -> logits (N,); else InputError."""
        check_input(x, self.arch or "this network", exact=True)
        return self.layers(self.normalize(x)).flatten()


def check_input(x: Tensor, who: str, *, exact: bool) -> None:
    """InputError unless x is (N, 3, 64, 64), or at least so high and wide unless `exact`; uint8 or float."""
    if torch.jit.is_tracing():  # sizes are symbols while a network is exported
        return
    sizes = "(N, 3, 64, 64)" if exact else "(N, 3, H, W) with H and W of at least 64"
    fits = x.ndim == 4 and x.shape[1] == 3
    fits = fits and (x.shape[2:] == (WINDOW, WINDOW) if exact else min(x.shape[2:]) >= WINDOW)
    if not fits:
        hint = "give RGB windows of 64x64" if exact else "give an RGB image of at least 64x64"
        if x.ndim == 4 and x.shape[3] == 3:
            hint = "channels come first: x.permute(0, 3, 1, 2)"
        elif x.ndim == 4 and x.shape[1] in (1, 4):
            hint = "convert it to RGB"
        elif x.ndim == 3:
            hint = "add a batch axis: x[None]"
        raise InputError(f"{who} takes {sizes}, this is {tuple(x.shape)}; {hint}")
    if x.dtype != torch.uint8 and not x.is_floating_point():
        raise InputError(f"{who} takes uint8, or float in [0, 1], this is {x.dtype}; convert it to uint8")


class WholeConv2d(nn.Conv2d):
    """A convolution that is trained on inputs as large as its kernel: one product of matrices, as in Linear.

    The same numbers as nn.Conv2d's up to rounding. Only for speed: oneDNN shares the bfloat16 gradient of
    such a convolution badly between threads (torch 2.14). Padding, dilation and groups are refused: with them
    the two would differ.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.padding != (0, 0) or self.dilation != (1, 1) or self.groups != 1:
            raise InputError("WholeConv2d takes no padding, dilation or groups; use nn.Conv2d")

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h', w'), which is 1 x 1 in training on whole windows."""
        if self.training and x.shape[2:] == self.kernel_size:
            return F.linear(x.flatten(1), self.weight.flatten(1), self.bias)[:, :, None, None]
        return super().forward(x)


def conv_bn_relu(
    inputs: int, outputs: int, kernel: int = 3, padding: int = 0, conv: type[nn.Conv2d] = nn.Conv2d
) -> list[nn.Module]:
    """The one block of our networks: convolution without bias, batch norm, ReLU."""
    return [
        conv(inputs, outputs, kernel, padding=padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    ]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards each module is as it was, frozen ones included."""
    modes: list[tuple[nn.Module, bool]] = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, mode in modes:
            module.training = mode
