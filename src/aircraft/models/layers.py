"""Network: what every network of the package is made of, and Normalize, its first layer."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from aircraft import InputError
from aircraft.patches import PATCH

if TYPE_CHECKING:
    from aircraft.models.modelfile import ModelCard

MEAN = (0.5, 0.5, 0.5)
STD = (0.25, 0.25, 0.25)
"""Default normalisation: puts most of an 8-bit image between -2 and 2, without looking at any data set."""


class Normalize(nn.Module):
    """(x - mean) / std per channel; uint8 is divided by 255 first, floats in [0, 1] are taken as they are."""

    mean: Tensor  # a buffer, so it travels with the weights and the device
    std: Tensor

    def __init__(self, mean: Sequence[float] = MEAN, std: Sequence[float] = STD) -> None:
        super().__init__()
        fits = all(map(math.isfinite, mean)) and all(0 < value < math.inf for value in std)
        if len(mean) != 3 or len(std) != 3 or not fits:
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
    """A classifier of 64x64 RGB windows: Normalize, then a flat list of `layers`, to one logit a window."""

    def __init__(self, layers: nn.Sequential, *, stride: int | None) -> None:
        super().__init__()
        self.normalize = Normalize()
        self.layers = layers  # flat; ends in one number a window, (N, 1) or (N, 1, 1, 1)
        self.stride = stride  # pixels between two windows of its dense form; None where it has none
        self.arch = ""  # how `build` made it ...
        self.options: dict[str, Any] = {}
        self.card: ModelCard | None = None  # ... and what `load` read about its weights

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, 64, 64) uint8, or float in [0, 1], any memory format -> logits (N,); else InputError."""
        check_input(x, self.arch or "this network", exact=True)
        return self.layers(self.normalize(x)).flatten()


def check_input(x: Tensor, who: str, *, exact: bool) -> None:
    """InputError unless x is (N, 3, 64, 64), or at least so high and wide unless `exact`; uint8 or float."""
    if torch.jit.is_tracing():  # sizes are symbols while a network is exported
        return
    sizes = "(N, 3, 64, 64)" if exact else "(N, 3, H, W) with H and W of at least 64"
    fits = x.ndim == 4 and x.shape[1] == 3 and min(x.shape[2:]) >= PATCH
    if not fits or (exact and max(x.shape[2:]) > PATCH):
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
    """A convolution trained on inputs as large as its kernel: as nn.Conv2d without padding, but sooner."""

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) -> (N, outputs, h', w'), which is 1 x 1 in training on whole windows."""
        # A kernel that covers its whole input is one product of matrices, as in Linear. It is written so only
        # for speed: oneDNN shares the bfloat16 gradient of such a convolution badly between threads (torch
        # 2.14). In evaluation it stays a convolution, which takes images of any size.
        if self.training and x.shape[2:] == self.kernel_size and self.padding == (0, 0):
            return F.linear(x.flatten(1), self.weight.flatten(1), self.bias)[:, :, None, None]
        return super().forward(x)


def conv_bn_relu(inputs: int, outputs: int, padding: int = 0) -> list[nn.Module]:
    """The one block of our networks: 3x3 convolution (without bias: batch norm has one), batch norm, ReLU."""
    conv = nn.Conv2d(inputs, outputs, 3, padding=padding, bias=False)
    return [conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)]


def device_of(model: nn.Module) -> torch.device:
    """Where the weights of a model are; the CPU for a model without any."""
    return next(chain(model.parameters(), model.buffers()), torch.empty(0)).device


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode without gradients; afterwards each module is as it was, frozen ones included."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        for module, mode in modes:
            module.training = mode
