"""Score maps: the grid, and that windows, batches, dense passes and blocks all give the same scores."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from aircraft import InputError, models
from aircraft.detection import ScoreMap, blocks, score_map
from aircraft.imagery import ArrayImage
from aircraft.patches import PATCH
from aircraft.training import devices
from aircraft.training.devices import together


@pytest.fixture(scope="module")
def toy() -> nn.Module:
    torch.manual_seed(0)
    model = models.build("toy_cnn")
    with torch.no_grad():  # untrained logits hardly differ: spread them, so that a wrong window shows
        last = model.layers[-1]
        noise = torch.randint(0, 256, (64, 3, 64, 64), dtype=torch.uint8)
        logits = model.eval()(noise)
        last.weight *= 2 / logits.std()
        last.bias -= model(noise).mean()
    return model


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (150, 131, 3), dtype=np.uint8)


class CoreMean(nn.Module):
    """A stand-in for a classifier: the mean of the window's core, so that the score map is predictable."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x[:, :, 16:48, 16:48].float().mean(dim=(1, 2, 3)) / 25 - 5


class Recorder(ArrayImage):
    """A source that notes what is read of it."""

    def __init__(self, image: np.ndarray) -> None:
        super().__init__(image, "recorded")
        self.sizes: list[tuple[int, int]] = []

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        assert 0 <= x0 < x1 <= self.width
        assert 0 <= y0 < y1 <= self.height
        self.sizes.append((x1 - x0, y1 - y0))
        return super().read(x0, y0, x1, y1)


@pytest.mark.parametrize("stride", [4, 6, 10, 16])
@pytest.mark.parametrize("method", ["batched", "dense"])
def test_every_method_gives_the_scores_of_the_window_loop(toy, image, method, stride):
    small = image[:82, :91]
    plain = score_map(toy, small, method="window", stride=stride)
    other = score_map(toy, small, method=method, stride=stride, batch_size=50)
    assert plain.scores.shape == (82 // stride + 1, 91 // stride + 1)
    assert plain.scores.std() > 0.1
    np.testing.assert_allclose(other.scores, plain.scores, atol=1e-4)


@pytest.mark.parametrize("stride", [4, 6, 8, 16, 24])
@pytest.mark.parametrize("block", [100, 128, 177])
def test_blocks_leave_no_seam(toy, image, stride, block):
    whole = score_map(toy, image, stride=stride).scores
    np.testing.assert_allclose(score_map(toy, image, stride=stride, block=block).scores, whole, atol=1e-5)


def test_a_score_belongs_to_the_window_around_its_grid_position():
    image = np.zeros((200, 240, 3), np.uint8)
    image[104:136, 144:176] = 255  # a white core around x = 160, y = 120
    scores = score_map(CoreMean(), image, method="batched", stride=8)
    row, column = np.unravel_index(scores.scores.argmax(), scores.scores.shape)
    assert (scores.offset + 8 * column, scores.offset + 8 * row) == (160, 120)
    assert scores.scores.max() == pytest.approx(1 / (1 + math.exp(-(255 / 25 - 5))), abs=1e-5)


def test_the_edge_is_covered_by_mirroring():
    image = np.zeros((64, 64, 3), np.uint8)
    image[:, :16] = 255
    scores = score_map(CoreMean(), image, method="window", stride=32).scores
    assert scores.shape == (3, 3)
    # Around x = 0 the core sees 16 white columns and 15 of their mirror images, whose border is not repeated.
    assert scores[1, 0] == pytest.approx(1 / (1 + math.exp(-(255 * 31 / 32 / 25 - 5))), abs=1e-4)
    assert scores[1, 2] == pytest.approx(1 / (1 + math.exp(5)), abs=1e-4)


@given(
    width=st.integers(64, 400),
    height=st.integers(64, 400),
    stride=st.integers(2, 40),
    native=st.sampled_from([1, 4, 8, 16]),
    block=st.integers(80, 500),
)
@settings(max_examples=80, deadline=None)
def test_blocks_cover_the_grid_once_and_stay_within_their_size(width, height, stride, native, block):
    try:
        parts = blocks(width, height, stride=stride, native=native, block=block)
    except InputError:
        assert block < PATCH + math.lcm(stride, native)
        return
    covered = np.zeros((height // stride + 1, width // stride + 1), int)
    for part in parts:
        covered[part.top : part.bottom, part.left : part.right] += 1
        for first, last in ((part.top, part.bottom), (part.left, part.right)):
            assert (last - 1 - first) * stride + PATCH <= block
            assert first * stride % native == 0
    assert (covered == 1).all()


def test_only_blocks_are_read_of_a_source(toy):
    source = Recorder(np.random.default_rng(1).integers(0, 256, (200, 300, 3), dtype=np.uint8))
    scores = score_map(toy, source, stride=8, block=128)
    assert max(max(size) for size in source.sizes) <= 128
    np.testing.assert_allclose(scores.scores, score_map(toy, source.image, stride=8).scores, atol=1e-5)


def test_without_a_method_the_dense_form_is_used_where_there_is_one(toy, image):
    for model, method in ((toy, "dense"), (models.dense(toy), "dense"), (CoreMean(), "batched")):
        chosen, expected = (score_map(model, image, method=m).scores for m in (None, method))
        np.testing.assert_array_equal(chosen, expected)


def test_the_dense_form_can_be_made_once_for_many_images(toy, image):
    again = score_map(models.dense(toy), image, stride=8).scores
    np.testing.assert_allclose(again, score_map(toy, image, stride=8).scores, atol=1e-6)


def test_bfloat16_is_close_and_only_used_when_asked_for(toy, image):
    exact = score_map(toy, image, stride=16).scores
    rough = score_map(toy, image, stride=16, amp=True).scores
    assert 0 < np.abs(rough - exact).max() < 0.2


def test_the_mode_of_the_model_is_left_as_it_was(image):
    model = models.build("patch_net").train()
    score_map(model, image, stride=32)
    assert model.training


def test_a_smaller_image_than_a_patch_is_refused(toy):
    with pytest.raises(InputError, match=r"63 x 80 pixels is smaller than a patch \(64 x 64\)"):
        score_map(toy, np.zeros((80, 63, 3), np.uint8))


class TwoLogits(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.zeros(len(x), 2)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (CoreMean(), {"method": "magic"}, "method 'magic' is unknown; take dense, batched or window"),
        (CoreMean(), {"method": "window", "stride": 0}, "stride 0 is not possible"),
        (CoreMean(), {"method": "window", "block": 60}, "block 60 is too small for stride 8"),
        (CoreMean(), {"method": "dense"}, "has no dense form"),
        (TwoLogits(), {"method": "batched"}, "gives 2 values a patch"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(model, options, message):
    with pytest.raises(InputError, match=message) as error:
        score_map(model, np.zeros((80, 80, 3), np.uint8), **options)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [(80, 80), (80, 80, 1), (80, 80, 4)])
def test_an_image_that_is_not_rgb_is_refused(toy, shape):
    with pytest.raises(InputError, match=r"an image is \(H, W, 3\) uint8"):
        score_map(toy, np.zeros(shape, np.uint8))


def test_a_score_map_needs_no_offset():
    assert ScoreMap(np.zeros((2, 2), np.float32), stride=8).offset == 0


def test_processes_score_every_block_once(toy, image, monkeypatch) -> None:
    """Two ranks, one after the other in this process: each does its half, together they give the map."""

    halves: list[torch.Tensor] = []
    options = {"stride": 8, "block": 100}
    whole = score_map(toy, image, **options)
    monkeypatch.setattr(devices.idist, "get_world_size", lambda: 2)
    monkeypatch.setattr(devices.idist, "all_reduce", lambda mine: halves.append(mine) or mine)
    for rank in (0, 1):
        monkeypatch.setattr(devices.idist, "get_rank", lambda rank=rank: rank)
        score_map(toy, image, share=True, **options)
    assert not ((halves[0] != 0) & (halves[1] != 0)).any(), "no window is scored twice"
    done = [
        sum(bool((half[b.top : b.bottom, b.left : b.right] != 0).all()) for half in halves)
        for b in blocks(image.shape[1], image.shape[0], stride=8, native=4, block=100)
    ]
    assert done == [1] * len(done), "each block is scored by one of the two"
    np.testing.assert_array_equal((halves[0] + halves[1]).numpy(), whole.scores)


def test_a_frozen_part_of_a_model_stays_frozen(image) -> None:
    network = models.build("patch_net").train()
    frozen = next(layer for layer in network.modules() if isinstance(layer, torch.nn.BatchNorm2d)).eval()
    score_map(network, image, stride=32)
    assert network.training
    assert not frozen.training


def test_a_coarse_map_is_computed_coarsely(image, monkeypatch) -> None:
    strides: list[int] = []
    dense = models.dense
    monkeypatch.setattr(
        models, "dense", lambda *a, stride: strides.append(stride) or dense(*a, stride=stride)
    )
    for stride in (32, 4):
        score_map(models.build("patch_net"), image, stride=stride)
    assert strides == [32, 8]


@pytest.mark.parametrize("method", ["window", "batched"])
def test_the_slow_methods_show_how_far_they_are(method: str, capsys: pytest.CaptureFixture[str]) -> None:
    image = np.zeros((96, 96, 3), np.uint8)
    for progress in (False, True):
        score_map(models.build("toy_cnn"), image, method=method, stride=32, progress=progress)
        assert ("windows" in capsys.readouterr().err) == progress


class Sick(nn.Module):
    """Gives no number where a window is bright."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = value

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.where(x.float().amax(dim=(1, 2, 3)) > 200, self.value, 0.0)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("method", ["window", "batched"])
def test_scores_that_are_no_numbers_are_refused(value: float, method: str) -> None:
    pixels = np.zeros((96, 96, 3), np.uint8)
    assert (score_map(Sick(value), pixels, method=method, stride=32).scores == 0.5).all()
    pixels[90, 90] = 255
    with pytest.raises(InputError, match="image: the model's scores are no numbers"):
        score_map(Sick(value), pixels, method=method, stride=32)


def in_a_job(problem: list[str]) -> None:
    with together(share=True):
        if problem:
            raise InputError(problem[0])


@pytest.mark.parametrize("said", [[[], ["b.tif: damaged"]], [["b.tif: damaged"], []], [["x"], ["y"]]])
def test_what_fails_in_one_process_fails_in_all(said, monkeypatch: pytest.MonkeyPatch) -> None:
    for rank, mine in enumerate(said):
        told = []
        monkeypatch.setattr(devices.idist, "all_gather", lambda text, told=told: told.append(text) or said)
        with pytest.raises(InputError, match=f"^{(mine or said[0] or said[1])[0]}$"):
            in_a_job(mine)
        assert told == [mine], f"rank {rank} takes part"


def test_an_error_of_a_single_process_is_left_as_it_is() -> None:
    with pytest.raises(MemoryError), together(share=False):
        raise MemoryError
    with together(share=True):  # nothing is wrong
        pass
