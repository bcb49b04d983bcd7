"""The fully convolutional form of a network: the scores of all windows of an image in one pass.

Linear layers become convolutions with the same weights; batch norm is folded into the convolution before it.
"""

import copy
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from aircraft import InputError
from aircraft.models.layers import Network, check_input
from aircraft.patches import PATCH


def dense(model: nn.Module, *, stride: int | None = None) -> "DenseNetwork":
    """The fully convolutional form of a network, in evaluation mode, sharing nothing with it.

    Without padding (toy_cnn, patch_net) the score of a window is the network's own, up to rounding. With
    padding (vgg_small, resnet18, efficientnet_lite0) it is approximate: a window alone is surrounded by zeros
    in every convolution, a window inside an image by its neighbours.

    Parameters
    ----------
    model : a network with a dense form, else InputError
    stride : pixels between two windows, a multiple of the network's own (`model.stride`, the default).
        A coarser one is cheaper; for a finer one score shifted images.

    Returns
    -------
    DenseNetwork : (N, 3, H, W) -> logits (N, h, w) of all windows

    Examples
    --------
    >>> from aircraft import models
    >>> network = dense(models.build("toy_cnn"))
    >>> network.stride, network(torch.zeros(1, 3, 96, 128, dtype=torch.uint8)).shape
    (4, torch.Size([1, 9, 17]))
    """
    if not isinstance(model, Network) or model.stride is None:
        name = getattr(model, "arch", "") or type(model).__name__
        raise InputError(f"{name} has no dense form; detect with method='batched' or 'window'")
    stride = model.stride if stride is None else stride
    if stride < 1 or stride % model.stride:
        has = f"the dense form of {model.arch} has stride {model.stride}"
        raise InputError(f"{has}; stride {stride} is no multiple of it")
    return DenseNetwork(model, stride, step=stride // model.stride)


class DenseNetwork(nn.Module):
    """Made by `dense`; scores the windows with their corners at x = stride * column, y = stride * row."""

    def __init__(self, model: Network, stride: int, step: int) -> None:
        super().__init__()
        self.normalize = copy.deepcopy(model.normalize)
        self.layers = _convolutional(_fold(copy.deepcopy(model.layers).eval()), step)
        self.stride = stride
        self.arch, self.card = model.arch, model.card
        self.requires_grad_(False).eval()

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) uint8, or float in [0, 1] -> logits (N, h, w) with h = (H - 64) // stride + 1."""
        check_input(x, f"the dense form of {self.arch}", exact=False)
        # What is left over at the right and at the bottom holds no window of the grid.
        height, width = ((size - PATCH) // self.stride * self.stride + PATCH for size in x.shape[2:])
        x = x[:, :, :height, :width]
        return self.layers(self.normalize(x)).squeeze(1)


@torch.no_grad()
def _convolutional(layers: nn.Module, step: int) -> nn.Sequential:
    """The layers with convolutions for linear ones; of the windows, every step-th each way is scored."""
    out: list[nn.Module] = []
    x = next(layers.parameters()).new_zeros(1, 3, PATCH, PATCH)  # what the next layer gets for one window
    for layer in layers.children():
        if isinstance(layer, nn.Flatten | nn.Dropout):
            continue  # a map stays a map; dropout does nothing in evaluation
        if isinstance(layer, nn.Linear):
            # Each output is a weighted sum over all (C, h, w) features of a window: a convolution with an
            # h x w kernel, which on a larger map gives that sum at every place.
            conv = nn.Conv2d(x.shape[1], layer.out_features, (x.shape[2], x.shape[3]))
            conv.weight = nn.Parameter(layer.weight.reshape(conv.weight.shape))
            conv.bias = layer.bias
            layer = conv
        elif isinstance(layer, nn.AdaptiveAvgPool2d):
            layer = nn.AvgPool2d((x.shape[2], x.shape[3]), stride=1)
        out.append(layer)
        x = layer(x)
    # Behind the last layer that looks at neighbours all is pointwise, so that layer may skip windows.
    spatial = [x for x in out if isinstance(x, nn.Conv2d | nn.AvgPool2d) and x.kernel_size not in (1, (1, 1))]
    spatial[-1].stride = (step, step)
    return nn.Sequential(*out)


def _fold(layers: nn.Module) -> nn.Module:
    """Fold each batch norm, also inside of layers, into the convolution that stands just before it."""
    # In evaluation it multiplies and adds constants a channel: its weights and bias can do the same.
    for module in list(layers.modules()):
        for (name, layer), (next_name, next_layer) in pairwise(list(module.named_children())):
            if isinstance(layer, nn.Conv2d) and isinstance(next_layer, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(layer, next_layer))
                setattr(module, next_name, nn.Identity())
    return layers
