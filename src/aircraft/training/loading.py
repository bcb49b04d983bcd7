"""From a set of patches to batches on the device, with augmentation; fast enough that training never waits.

The whole set is one uint8 tensor. A batch is one indexing; all that follows runs on the device, vectorised.
"""

import math
import warnings
from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any

import ignite.distributed as idist
import numpy as np
import torch
from ignite.engine import Engine, Events
from torch import Tensor

from aircraft.patches import PATCH

GAIN = 0.25  # octaves: contrast is multiplied by 2 ** -GAIN to 2 ** GAIN
SHIFT = 0.12  # brightness of all channels, in [0, 1]
CAST = 0.04  # brightness of one channel
HARD_SHARE = 0.1  # of the negatives are called hard
HARD_TIMES = 4  # a hard one is drawn so many times as often as an easy one


def as_tensor(images: np.ndarray, device: torch.device | str = "cpu") -> Tensor:
    """Images as a tensor: on the device if it is a GPU with room for them, else on the host without a copy.

    Parameters
    ----------
    images : (N, H, W, 3) uint8 array

    Returns
    -------
    (N, H, W, 3) uint8 tensor; that of a read-only memory-mapped file is read-only: never write to it
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writ")
        tensor = torch.from_numpy(np.asarray(images))
    device = torch.device(device)
    if device.type == "cuda" and tensor.nbytes > torch.cuda.mem_get_info(device)[0] // 2:
        return tensor
    return tensor.to(device)


def to_float(images: Tensor) -> Tensor:
    """(n, 3, H, W) uint8 -> float32 in [0, 1], in the same memory format."""
    return images.float().div_(255)


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Every patch turned, mirrored and re-lit at random.

    One of the eight symmetries of the square, a contrast, a brightness and a colour cast for each patch.
    Patches are not shifted: that would move aircraft over the border of the labelling rule.

    Parameters
    ----------
    images : (n, 3, H, H) uint8 tensor, H a multiple of 8
    generator : torch.Generator on the device of the images

    Returns
    -------
    (n, 3, H, H) float32 tensor in [0, 1], channels last
    """
    return _transform(images, _chances(len(images), generator))


def add_noise(images: Tensor, field: Tensor, generator: torch.Generator) -> Tensor:
    """(n, 3, H, W) float in [0, 1], channels last, plus noise, kept in [0, 1]; in place.

    field: a long vector of noise (see `noise_field`); a piece of it from a random place is added, since
    drawing new numbers for every batch takes as long as training on it.
    """
    pixels = images.permute(0, 2, 3, 1)  # (n, H, W, 3), contiguous
    spare = len(field) - pixels.numel()
    start = int(torch.randint(spare + 1, (), generator=generator, device=generator.device))
    pixels.add_(field[start : start + pixels.numel()].view_as(pixels)).clamp_(0, 1)
    return images


def noise_field(images: int, deviation: float, generator: torch.Generator) -> Tensor:
    """Gaussian noise of that standard deviation, enough for twice as many images of 64 x 64 x 3."""
    field = torch.randn(2 * images * PATCH * PATCH * 3, generator=generator, device=generator.device)
    return field.mul_(deviation)


@dataclass(eq=False)
class Batches:
    """The batches of an epoch: images (n, 3, H, W) float32 in [0, 1], labels (n,) float32, index (n,) int64.

    Parameters
    ----------
    images, labels : (N, H, W, 3) uint8 and (N,) arrays
    batch_size : patches of a batch, of all processes together
    device : where the batches are wanted
    sampler : says in which order the patches come; without one, as they are stored
    augment : turn, mirror and re-light every patch
    noise : standard deviation of the noise that is added
    seed : an epoch depends on it and on its number: set `epoch` (from 1) before it begins
    drop_last : leave out an incomplete last batch
    rank, world : of every batch, process `rank` of `world` yields its equal slice. Order and augmentation are
        drawn for the whole batch, so that many processes see the very patches that one would see

    Examples
    --------
    >>> batches = Batches(np.zeros((5, 64, 64, 3), np.uint8), np.array([0, 1, 0, 1, 0]), batch_size=2)
    >>> [tuple(images.shape) for images, labels, index in batches]
    [(2, 3, 64, 64), (2, 3, 64, 64), (1, 3, 64, 64)]
    """

    images: Any  # from here on as tensors
    labels: Any
    batch_size: int
    device: Any = "cpu"
    _: KW_ONLY
    sampler: "Sampler | None" = None
    augment: bool = False
    noise: float = 0.0
    seed: int = 0
    drop_last: bool = False
    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        self.device = torch.device(self.device)
        self.images = as_tensor(self.images, self.device)
        self.labels = torch.as_tensor(np.asarray(self.labels), dtype=torch.float32, device=self.images.device)
        self.epoch = 1

    def __len__(self) -> int:
        count = len(self.labels) / self.batch_size
        return math.floor(count) if self.drop_last else math.ceil(count)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        order = torch.arange(len(self.labels)) if self.sampler is None else self.sampler.order(self.epoch)
        order = order.to(self.images.device)
        generator = random_for(self.seed, self.epoch, 1, device=self.device)
        field = noise_field(self.batch_size, self.noise, generator) if self.noise else None
        for number in range(len(self)):
            batch = order[number * self.batch_size : (number + 1) * self.batch_size]
            ours = slice(len(batch) * self.rank // self.world, len(batch) * (self.rank + 1) // self.world)
            chances = _chances(len(batch), generator)[ours] if self.augment else None
            index = batch[ours]
            images = self._send(self.images.index_select(0, index)).permute(0, 3, 1, 2)  # NCHW, channels last
            images = to_float(images) if chances is None else _transform(images, chances)
            if field is not None:
                images = add_noise(images, field, generator)
            yield images, self._send(self.labels[index]), self._send(index)

    def _send(self, tensor: Tensor) -> Tensor:
        if self.device.type == "cuda" and tensor.device.type == "cpu":
            tensor = tensor.pin_memory()  # only from pinned memory does the copy run beside the computation
        return tensor.to(self.device, non_blocking=True)


def _chances(count: int, generator: torch.Generator) -> Tensor:
    """(count, 8) in [0, 1), a row for each patch: mirror, flip, turn, contrast, brightness, three of cast."""
    return torch.rand(count, 8, generator=generator, device=generator.device)


def _transform(images: Tensor, chances: Tensor) -> Tensor:
    """The augmentation that the rows of `chances` (n, 8) stand for; no randomness of its own."""
    pixels = images.permute(0, 2, 3, 1).contiguous()  # (n, H, W, 3), no copy where the channels are last
    mirror, flip, turn = (chances[:, :3] < 0.5).unbind(1)  # (n,) bool each; uint8: a quarter of the traffic
    pixels = _choose(mirror, pixels.flip(2), pixels)
    pixels = _choose(flip, pixels.flip(1), pixels)
    pixels = _choose(turn, pixels.transpose(1, 2).contiguous(), pixels)
    signed = chances[:, 3:] * 2 - 1  # (n, 5) in [-1, 1)
    contrast = torch.exp2(signed[:, :1] * GAIN)  # (n, 1), about 1, as often above as below
    level = 0.5 - contrast / 2 + SHIFT * signed[:, 1:2] + CAST * signed[:, 2:]  # (n, 3)
    rows = pixels.flatten(2).float()  # (n, H, W * 3): whole rows, because a CPU adds long vectors faster
    rows.mul_(contrast[:, None] / 255).add_(level.repeat(1, pixels.shape[2])[:, None]).clamp_(0, 1)
    return rows.view_as(pixels).permute(0, 3, 1, 2)


def _choose(mask: Tensor, yes: Tensor, no: Tensor) -> Tensor:
    """For each of n images the one of `yes` where mask (n,), else of `no`; contiguous uint8, same shape."""
    ones, others = (images.flatten(1).view(torch.int64) for images in (yes, no))  # eight bytes at a time
    return torch.where(mask[:, None], ones, others).view(torch.uint8).view_as(no)


def random_for(seed: int, *keys: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator for one purpose, such as (seed, epoch, 0) for the order; other keys, unrelated numbers."""
    return torch.Generator(device).manual_seed(seed_for(seed, *keys))


def seed_for(seed: int, *keys: int) -> int:
    """A 63-bit seed mixed from a seed and keys by numpy's SeedSequence."""
    return int(np.random.SeedSequence([seed, *keys]).generate_state(1, np.uint64)[0] >> 1)


def balanced(labels: Tensor, generator: torch.Generator) -> Tensor:
    """(N,) int64: the classes alternate; the rare one comes several times, the frequent one only in part."""
    order = torch.empty(len(labels), dtype=torch.int64)
    for label in (0, 1):
        members, places = torch.nonzero(labels == label)[:, 0], order[label::2]
        rounds = math.ceil(len(places) / len(members))  # shuffled again whenever they run out
        shuffled = [members[torch.randperm(len(members), generator=generator)] for _ in range(rounds)]
        places.copy_(torch.cat(shuffled)[: len(places)])
    return order


def hard(labels: Tensor, scores: Tensor, generator: torch.Generator) -> Tensor:
    """(N,) int64: the negatives with the highest scores are drawn HARD_TIMES as often as all others.

    labels (N,), scores (N,) float32, the latest logit of each patch, -inf where there is none.
    """
    negatives = torch.nonzero((labels == 0) & scores.isfinite())[:, 0]
    ranked = negatives[scores[negatives].argsort(descending=True, stable=True)]
    hardest = ranked[: math.ceil(HARD_SHARE * len(ranked))]
    pool = torch.cat([torch.arange(len(labels)), hardest.repeat(HARD_TIMES - 1)])
    return pool[torch.randperm(len(pool), generator=generator)][: len(labels)]


class Sampler:
    """The order of every epoch. For hard examples it remembers the logits that training computes anyway.

    A score is the highest logit of a patch in the last epoch that drew it, in any process. Hard examples
    cost no extra pass over the data and start in the second epoch. The memory is part of a checkpoint.
    """

    def __init__(self, labels: np.ndarray, kind: str, seed: int) -> None:
        self.kind, self.seed = kind, seed
        self.labels = torch.as_tensor(np.ascontiguousarray(labels))
        self.scores = torch.full((len(labels),), -math.inf)
        self._fresh = self.scores.clone()

    def order(self, epoch: int) -> Tensor:
        """(N,) int64: indices of the training patches, in the order of this epoch (the first is 1)."""
        generator = random_for(self.seed, epoch, 0)
        if self.kind == "balanced":
            return balanced(self.labels, generator)
        if self.kind == "hard":
            return hard(self.labels, self.scores, generator)
        return torch.randperm(len(self.labels), generator=generator)  # uniform: every patch once

    def attach(self, trainer: Engine) -> None:
        """Listen to a trainer; nothing to do where no patch is hard."""
        if self.kind == "hard":
            trainer.add_event_handler(
                Events.ITERATION_COMPLETED,
                lambda trainer: self.record(trainer.state.output["index"], trainer.state.output["logits"]),
            )
            trainer.add_event_handler(Events.EPOCH_COMPLETED, self.end_epoch)

    def record(self, index: Tensor, logits: Tensor) -> None:
        """Take note of the logits (n,) of the patches `index` (n,) in the running epoch."""
        self._fresh = self._fresh.to(logits.device)  # no copy but the first: a GPU does not wait for the CPU
        self._fresh.scatter_reduce_(0, index.to(logits.device), logits.detach().float(), reduce="amax")

    def end_epoch(self) -> None:
        """Make the epoch's logits the scores of the next one; all processes agree on them."""
        fresh = torch.as_tensor(idist.all_reduce(self._fresh, op="MAX")).cpu()
        self.scores = torch.where(fresh.isfinite(), fresh, self.scores)
        self._fresh = torch.full_like(self.scores, -math.inf)

    def state_dict(self) -> dict[str, Tensor]:
        return {"scores": self.scores}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.scores = state["scores"].clone()
