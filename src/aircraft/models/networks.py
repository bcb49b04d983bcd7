"""The networks by name: `build("patch_net")` and its kin, each a function that lists its layers.

Shapes behind a layer are those of one 64x64 window, channels first.
"""

import inspect
from collections.abc import Callable
from typing import Any

from torch import nn

from aircraft import InputError
from aircraft.models.efficientnet import efficientnet_lite0
from aircraft.models.layers import Network, WholeConv2d, conv_bn_relu


def build(name: str, **options: Any) -> Network:
    """A fresh network in training mode, with random weights (seed them with torch.manual_seed).

    Parameters
    ----------
    name : one of `REGISTRY`, at the foot of this module
    **options : arguments of the function of that name in this module; InputError names those that it has

    Returns
    -------
    Network : with `.arch` and all its `.options` set

    Examples
    --------
    >>> import torch
    >>> model = build("patch_net", width=16)
    >>> model(torch.zeros(5, 3, 64, 64, dtype=torch.uint8)).shape
    torch.Size([5])
    """
    if name not in REGISTRY:
        raise InputError(f"unknown model {name!r}; known: {', '.join(REGISTRY)}")
    known = inspect.signature(REGISTRY[name]).parameters
    if unknown := sorted(set(options) - set(known)):
        has = ", ".join(known) or "none"
        raise InputError(f"unknown option {', '.join(unknown)} of model {name!r}; it has {has}")
    model = REGISTRY[name](**options)
    model.arch = name
    model.options = {key: options.get(key, known[key].default) for key in known}
    return model


def toy_cnn() -> Network:
    """The five-convolution network of lesson 3, without padding: its dense form (stride 2 * 2) is exact."""
    layers = nn.Sequential(
        nn.Conv2d(3, 16, 3), nn.ReLU(),         # 16, 62, 62
        nn.Conv2d(16, 16, 3), nn.ReLU(),        # 16, 60, 60
        nn.MaxPool2d(2),                        # 16, 30, 30
        nn.Conv2d(16, 32, 3), nn.ReLU(),        # 32, 28, 28
        nn.Conv2d(32, 32, 3), nn.ReLU(),        # 32, 26, 26
        nn.Conv2d(32, 32, 3), nn.ReLU(),        # 32, 24, 24
        nn.MaxPool2d(2),                        # 32, 12, 12
        nn.Flatten(),                           # 32 * 12 * 12 = 4608
        nn.Linear(4608, 64), nn.ReLU(),         # 64
        nn.Linear(64, 1),                       # 1
    )  # fmt: skip
    return Network(layers, stride=4)


def vgg_small(dropout: float = 0.0) -> Network:
    """The textbook network: four stages of two padded 3x3 convolutions and a pool, 32-64-128-128 channels."""
    layers: list[nn.Module] = []
    inputs = 3
    for outputs in (32, 64, 128, 128):
        layers += conv_bn_relu(inputs, outputs, padding=1) + conv_bn_relu(outputs, outputs, padding=1)
        layers += [nn.MaxPool2d(2)]  # 32,32,32  64,16,16  128,8,8  128,4,4
        inputs = outputs
    layers += [nn.Flatten(), nn.Linear(128 * 4 * 4, 128), nn.ReLU(), _dropout(dropout), nn.Linear(128, 1)]
    return Network(nn.Sequential(*layers), stride=16)


def patch_net(width: int = 32, dropout: float = 0.0) -> Network:
    """Ours: quick on two cores, and exact in its dense form, because nothing is padded. Stride 2 * 2 * 2 = 8.

    `width` counts channels behind the stem; multiples of 32 suit processors best.
    """
    if width < 1:
        raise InputError(f"patch_net: width counts channels and is at least 1, not {width}")
    # Squares of 2x2 pixels become channels first (space to depth), so that no convolution runs at full size;
    # a coarser stem is quicker still, but tells less well where the centre is, and the label depends on that.
    layers = nn.Sequential(
        nn.PixelUnshuffle(2),                                   # 12,  32, 32
        *conv_bn_relu(12, width),                               # 32,  30, 30
        *conv_bn_relu(width, width),                            # 32,  28, 28
        nn.MaxPool2d(2),                                        # 32,  14, 14
        *conv_bn_relu(width, 2 * width),                        # 64,  12, 12
        *conv_bn_relu(2 * width, 2 * width),                    # 64,  10, 10
        nn.MaxPool2d(2),                                        # 64,   5,  5
        *conv_bn_relu(2 * width, 4 * width),                    # 128,  3,  3
        WholeConv2d(4 * width, 8 * width, 3, bias=False),       # 256,  1,  1
        nn.BatchNorm2d(8 * width), nn.ReLU(inplace=True),
        _dropout(dropout),
        nn.Conv2d(8 * width, 1, 1),                             # 1,    1,  1
    )  # fmt: skip
    return Network(layers, stride=8)


def resnet18() -> Network:
    """torchvision's ResNet-18 without weights, its stem adapted to 64x64: 3x3, stride 2, no max pool.

    Padded, so its dense form (stride 16) is approximate; besides, its mean is over more than the window.
    """
    from torchvision.models import resnet18 as torchvision_resnet18  # slow to import, needed by few

    net = torchvision_resnet18(weights=None, num_classes=1)
    stem = nn.Conv2d(3, 64, 3, stride=2, padding=1, bias=False)  # stride 1 would be four times as slow
    nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")  # as torchvision does
    layers = nn.Sequential(
        stem, net.bn1, nn.ReLU(inplace=True),               # 64, 32, 32
        net.layer1, net.layer2, net.layer3, net.layer4,     # 512, 4, 4
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),              # 512
        net.fc,                                             # 1
    )  # fmt: skip
    return Network(layers, stride=16)


def _dropout(share: float) -> nn.Dropout:
    if not 0 <= share < 1:
        raise InputError(f"dropout is a share of at least 0 and below 1, not {share}")
    return nn.Dropout(share)


BUILDERS: tuple[Callable[..., Network], ...] = (toy_cnn, vgg_small, patch_net, resnet18, efficientnet_lite0)
REGISTRY = {builder.__name__: builder for builder in BUILDERS}
