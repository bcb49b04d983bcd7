"""The dense form equals the window loop where nothing is padded; its grid is the same for every network."""

import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from aircraft import InputError, models

EXACT = ("toy_cnn", "patch_net")
PADDED = ("vgg_small", "resnet18", "efficientnet_lite0")


@functools.cache
def lively(name: str) -> models.Network:
    """A network whose logits differ by about 1 from window to window, with batch statistics of its own."""
    torch.manual_seed(3)
    model = models.build(
        name, **({"pretrained": False, "frozen": False} if name == "efficientnet_lite0" else {})
    )
    for module in model.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight)
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            module.momentum = None  # the plain average over the batches below
    with torch.no_grad():
        model.train()(scene(64, 64, n=6))
        model.eval()
        last = [x for x in model.modules() if isinstance(x, nn.Conv2d | nn.Linear)][-1]
        last.weight /= model(scene(64, 64, n=6)).std()
    return model


def scene(height: int, width: int, n: int = 1, seed: int = 0) -> Tensor:
    """Smooth noise: neighbouring windows differ, but as those of an image do."""
    noise = torch.rand(n, 3, height // 8 + 2, width // 8 + 2, generator=torch.Generator().manual_seed(seed))
    smooth = nn.functional.interpolate(noise, scale_factor=8, mode="bilinear")[:, :, :height, :width]
    return (255 * smooth).to(torch.uint8)


@torch.no_grad()
def window_loop(model: models.Network, image: Tensor, stride: int) -> Tensor:
    """Scores (h, w) of the windows at corners (stride * column, stride * row), a row of windows at a time."""
    _, _, height, width = image.shape
    corners = range(0, width - 63, stride)
    rows = [
        model(torch.cat([image[:, :, y : y + 64, x : x + 64] for x in corners]))
        for y in range(0, height - 63, stride)
    ]
    return torch.stack(rows)


@pytest.mark.parametrize("name", EXACT)
@settings(max_examples=8, deadline=None)
@given(height=st.integers(64, 110), width=st.integers(64, 110), seed=st.integers(0, 9))
def test_unpadded_networks_equal_the_window_loop_everywhere(
    name: str, height: int, width: int, seed: int
) -> None:
    image = scene(height, width, seed=seed)
    dense = models.dense(lively(name))
    torch.testing.assert_close(
        dense(image)[0], window_loop(lively(name), image, dense.stride), atol=1e-4, rtol=0
    )


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("times", [2, 4])
def test_coarser_stride_skips_windows_and_changes_no_score(name: str, times: int) -> None:
    image = scene(150, 121)
    fine = models.dense(lively(name))
    coarse = models.dense(lively(name), stride=times * fine.stride)
    assert coarse.stride == times * fine.stride
    expected = fine(image)[:, ::times, ::times]
    expected = expected[:, : (150 - 64) // coarse.stride + 1, : (121 - 64) // coarse.stride + 1]
    torch.testing.assert_close(coarse(image), expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("name", EXACT + PADDED)
@pytest.mark.parametrize(("height", "width"), [(64, 64), (95, 66), (81, 112)])
def test_every_network_scores_the_whole_grid(name: str, height: int, width: int) -> None:
    dense = models.dense(lively(name))
    rows, columns = ((size - 64) // dense.stride + 1 for size in (height, width))
    assert dense(scene(height, width)).shape == (1, rows, columns)


@pytest.mark.parametrize("name", EXACT + PADDED)
def test_one_window_scores_as_in_the_network(name: str) -> None:
    image = scene(64, 64, n=2, seed=5)
    with torch.no_grad():
        expected = lively(name)(image)
    torch.testing.assert_close(models.dense(lively(name))(image).flatten(), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", PADDED)
def test_padded_networks_do_not_equal_the_window_loop(name: str) -> None:
    """If this fails, a docstring is wrong: their dense form would be exact."""
    image = scene(96, 96, seed=7)
    dense = models.dense(lively(name))
    assert (dense(image)[0] - window_loop(lively(name), image, dense.stride)).abs().max() > 1e-3


def test_dense_form_shares_nothing_and_leaves_the_network_as_it_was() -> None:
    model = models.build("patch_net").train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    dense = models.dense(model)
    with torch.no_grad():
        for value in [*dense.parameters(), *dense.buffers()]:
            value.fill_(7)
    assert model.training
    assert all(p.requires_grad for p in model.parameters())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_dense_form_is_made_of_convolutions_in_evaluation_mode() -> None:
    for name in EXACT + PADDED:
        dense = models.dense(lively(name))
        assert not dense.training
        assert not any(isinstance(x, nn.BatchNorm2d | nn.Linear | nn.Dropout) for x in dense.modules())
        assert dense.arch == name


def test_dense_form_takes_floats_and_channels_last() -> None:
    image = scene(90, 70)
    dense = models.dense(lively("patch_net"))
    torch.testing.assert_close(dense(image / 255), dense(image), atol=1e-4, rtol=0)
    last = image.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(dense(last), dense(image), atol=1e-4, rtol=0)


def test_what_has_no_dense_form_says_so() -> None:
    network = models.build("toy_cnn")
    network.stride = None
    for model in (network, nn.Linear(3, 1), models.dense(models.build("toy_cnn"))):
        with pytest.raises(InputError, match="has no dense form"):
            models.dense(model)


@pytest.mark.parametrize("stride", [0, -8, 4, 12])
def test_stride_is_a_multiple_of_the_networks_own(stride: int) -> None:
    with pytest.raises(InputError, match=f"has stride 8; stride {stride} is no multiple"):
        models.dense(models.build("patch_net"), stride=stride)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((1, 3, 63, 80), "at least 64"),
        ((1, 1, 80, 80), "convert it to RGB"),
        ((3, 80, 80), "add a batch axis"),
    ],
)
def test_image_that_does_not_fit_is_one_clear_line(shape: tuple[int, ...], message: str) -> None:
    with pytest.raises(InputError, match=f"dense form of toy_cnn takes .* this is .*{message}"):
        models.dense(models.build("toy_cnn"))(torch.zeros(shape))
