"""Batches, augmentation and the order of an epoch."""

import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aircraft import InputError
from aircraft.training import loading
from aircraft.training.loading import Batches


def random_images(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_batches_without_a_sampler_are_the_patches_as_stored() -> None:
    images, labels = random_images(10), np.arange(10) % 2
    batches = Batches(images, labels, 4)
    found = list(batches)
    assert [len(batch[0]) for batch in found] == [4, 4, 2]
    assert len(batches) == 3
    stacked = torch.cat([batch[0] for batch in found])
    assert np.array_equal((stacked * 255).round().byte().permute(0, 2, 3, 1).numpy(), images)
    assert torch.cat([batch[1] for batch in found]).tolist() == labels.tolist()
    assert torch.cat([batch[2] for batch in found]).tolist() == list(range(10))


@pytest.mark.parametrize("augment", [True, False])
def test_batches_come_channels_last(augment: bool) -> None:
    images, labels, index = next(iter(Batches(random_images(4), np.zeros(4), 4, augment=augment)))
    assert images.is_contiguous(memory_format=torch.channels_last)
    assert (images.dtype, labels.dtype, index.dtype) == (torch.float32, torch.float32, torch.int64)


def test_a_read_only_memory_mapped_set_is_used_in_place_and_without_a_warning(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", random_images(6))
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batches = Batches(mapped, np.zeros(6), 4, augment=True)
        assert sum(len(batch[0]) for batch in batches) == 6
    assert batches.images.data_ptr() == mapped.ctypes.data
    assert np.array_equal(mapped, random_images(6))


@pytest.mark.parametrize("kind", ["uniform", "balanced", "hard"])
def test_processes_share_every_batch_and_see_what_one_process_would_see(kind: str) -> None:
    images, labels = random_images(24), (np.arange(24) < 6).astype(np.uint8)

    def share(rank: int, world: int) -> list[tuple[torch.Tensor, ...]]:
        sampler = loading.Sampler(labels, kind, seed=3)
        batches = Batches(
            images, labels, 8, sampler=sampler, augment=True, seed=3, drop_last=True, rank=rank, world=world
        )
        batches.epoch = 2
        return list(batches)

    for alone, first, second in zip(share(0, 1), share(0, 2), share(1, 2), strict=True):
        for whole, left, right in zip(alone, first, second, strict=True):
            assert torch.equal(whole, torch.cat([left, right]))


def test_an_epoch_can_be_replayed_and_the_next_one_differs() -> None:
    batches = Batches(random_images(8), np.zeros(8), 8, augment=True, noise=0.02, seed=1)
    first, again = next(iter(batches))[0], next(iter(batches))[0]
    batches.epoch = 2
    assert torch.equal(first, again)
    assert not torch.equal(first, next(iter(batches))[0])


def test_augmentation_uses_all_eight_symmetries_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GAIN", "SHIFT", "CAST"):
        monkeypatch.setattr(loading, name, 0.0)
    image = random_images(1)[0]
    symmetries = [np.rot90(side, turns) for side in (image, image[:, ::-1]) for turns in range(4)]
    many = torch.from_numpy(np.repeat(image[None], 200, axis=0)).permute(0, 3, 1, 2)
    out = (loading.augment(many, generator()) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    which = [[np.array_equal(one, symmetry) for symmetry in symmetries].index(True) for one in out]
    counts = np.bincount(which, minlength=8)
    assert (counts > 10).all()


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000))
def test_augmentation_stays_in_range_and_keeps_its_input(seed: int) -> None:
    images = torch.from_numpy(random_images(3, seed)).permute(0, 3, 1, 2)
    before = images.clone()
    out = loading.augment(images, generator(seed))
    assert out.shape == images.shape
    assert 0 <= float(out.min()) <= float(out.max()) <= 1
    assert torch.equal(images, before)
    assert torch.equal(out, loading.augment(images, generator(seed)))


def test_augmentation_changes_contrast_brightness_and_colour_of_each_patch_by_itself() -> None:
    grey = torch.full((300, 3, 64, 64), 128, dtype=torch.uint8)
    means = loading.augment(grey, generator()).mean((2, 3))  # (300, 3)
    assert 0.03 < means.mean(1).std() < loading.SHIFT
    assert 0.01 < (means - means.mean(1, keepdim=True)).std() < loading.CAST
    half = torch.cat([torch.full((300, 3, 32, 64), v, dtype=torch.uint8) for v in (96, 160)], 2)
    contrast = loading.augment(half, generator()).std((2, 3)).mean(1) / loading.to_float(half).std(
        (2, 3)
    ).mean(1)
    assert 0.82 < float(contrast.min()) < 0.9 < 1.1 < float(contrast.max()) < 1.2


def test_noise_has_the_deviation_that_is_asked_for() -> None:
    grey = torch.full((4, 64, 64, 3), 0.5).permute(0, 3, 1, 2)
    out = loading.add_noise(grey, loading.noise_field(4, 0.05, generator()), generator())
    assert float(out.std()) == pytest.approx(0.05, rel=0.05)


@settings(deadline=None, max_examples=25)
@given(positives=st.integers(1, 30), negatives=st.integers(1, 30), seed=st.integers(0, 99))
def test_a_balanced_order_alternates_the_classes_and_uses_them_evenly(
    positives: int, negatives: int, seed: int
) -> None:
    labels = torch.tensor([1] * positives + [0] * negatives)
    order = loading.balanced(labels, generator(seed))
    assert labels[order].tolist() == ([0, 1] * len(labels))[: len(labels)]
    for label in (0, 1):
        times = torch.bincount(order[labels[order] == label], minlength=len(labels))[labels == label]
        assert times.max() - times.min() <= 1


def test_hard_negatives_are_drawn_more_often_than_easy_ones() -> None:
    labels = torch.zeros(1000)
    labels[:100] = 1
    scores = torch.linspace(5, -5, 1000)  # positives first, then negatives from hard to easy
    orders = torch.cat([loading.hard(labels, scores, generator(seed)) for seed in range(20)])
    times = torch.bincount(orders, minlength=1000) / 20
    easy, hardest = times[190:].mean(), times[100:190].mean()
    assert float(hardest / easy) == pytest.approx(loading.HARD_TIMES, rel=0.1)
    assert float(times[:100].mean() / easy) == pytest.approx(1, rel=0.1)


def test_the_sampler_starts_with_hard_examples_after_the_first_epoch() -> None:
    labels = np.array([1, 1] + [0] * 40, np.uint8)
    sampler = loading.Sampler(labels, "hard", seed=0)
    assert sorted(sampler.order(1).tolist()) == list(range(42))
    sampler.record(torch.arange(42), torch.arange(42).float())
    sampler.record(torch.tensor([2, 2]), torch.tensor([99.0, -5.0]))  # drawn twice: the higher logit counts
    sampler.end_epoch()
    assert sampler.scores[2] == 99
    assert len(sampler.order(2)) == 42
    assert len(set(sampler.order(2).tolist())) < 42
    copy = loading.Sampler(labels, "hard", seed=0)
    copy.load_state_dict(sampler.state_dict())
    assert torch.equal(copy.order(2), sampler.order(2))


def test_seeds_of_different_keys_differ_and_are_stable() -> None:
    seeds = {
        loading.seed_for(seed, epoch, rank) for seed in range(5) for epoch in range(5) for rank in range(5)
    }
    assert len(seeds) == 125
    assert loading.seed_for(7, 1) == loading.seed_for(7, 1)


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([[0]], "is a list; pass a numpy array"),
        (np.zeros((64, 64, 3), np.uint8), "images[None]"),
        (np.zeros((5, 64, 64), np.uint8), "grey"),
        (np.zeros((5, 64, 64, 1), np.uint8), "grey"),
        (np.zeros((5, 64, 64, 4), np.uint8), "RGBA"),
        (np.zeros((5, 3, 64, 64), np.uint8), "transpose(0, 2, 3, 1)"),
        (np.zeros((5, 32, 32, 3), np.uint8), "resize"),
        (np.zeros((5, 64, 64, 3), np.uint16), "16 bit"),
        (np.zeros((5, 64, 64, 3), np.int64), "astype(np.uint8)"),
        (np.zeros((5, 64, 64, 3), np.float32), "* 255"),
        (np.full((5, 64, 64, 3), np.nan), "NaN"),
    ],
)
def test_unusable_images_are_refused_with_a_hint(images: object, words: str) -> None:
    with pytest.raises(InputError) as caught:
        loading.check_images(images)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 1], "4 images but labels of shape (2,)"),
        ([0, 1, 2, 0], "use 0 (background) and 1 (aircraft)"),
        ([0, 1, np.nan, 0], "use 0 (background) and 1 (aircraft)"),
        ([1, 1, 1, 1], "one class only"),
    ],
)
def test_unusable_labels_are_refused(labels: list[float], words: str) -> None:
    patches = SimpleNamespace(images=random_images(4), labels=np.array(labels))
    with pytest.raises(InputError) as caught:
        loading.check_patches(patches, "train")
    assert words in str(caught.value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_set_lives_there_unless_it_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    batches = Batches(random_images(8), np.zeros(8), 4, "cuda", augment=True)
    assert batches.images.is_cuda
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (1000, 1000))
    streamed = Batches(random_images(8), np.zeros(8), 4, "cuda", augment=True)
    assert not streamed.images.is_cuda
    for resident, copied in zip(batches, streamed, strict=True):
        assert torch.equal(resident[0], copied[0])
