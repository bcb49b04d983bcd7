"""In which order an epoch shows the training patches: uniform, balanced, or hard examples more often.

An order depends on (seed, epoch) and on nothing else that is random, so an epoch can be replayed.
"""

import math

import ignite.distributed as idist
import numpy as np
import torch
from torch import Tensor

HARD_SHARE = 0.1  # of the negatives are called hard
HARD_TIMES = 4  # a hard one is drawn so many times as often as an easy one


def random_for(seed: int, *keys: int, device: torch.device | str = "cpu") -> torch.Generator:
    """A generator for one purpose, for example (seed, epoch, rank); other keys, unrelated numbers."""
    return torch.Generator(device).manual_seed(seed_for(seed, *keys))


def seed_for(seed: int, *keys: int) -> int:
    """A 63-bit seed mixed from a seed and keys by numpy's SeedSequence."""
    return int(np.random.SeedSequence([seed, *keys]).generate_state(1, np.uint64)[0] >> 1)


def uniform(count: int, generator: torch.Generator) -> Tensor:
    """(count,) int64: every patch once, in random order."""
    return torch.randperm(count, generator=generator)


def balanced(labels: Tensor, generator: torch.Generator) -> Tensor:
    """(N,) int64: the classes alternate, so any even run of patches holds half of each.

    The rare class comes round several times in an epoch, the frequent one only in part.
    """
    order = torch.empty(len(labels), dtype=torch.int64)
    order[0::2] = _draw(torch.nonzero(labels == 0)[:, 0], len(order[0::2]), generator)
    order[1::2] = _draw(torch.nonzero(labels == 1)[:, 0], len(order[1::2]), generator)
    return order


def hard(labels: Tensor, scores: Tensor, generator: torch.Generator) -> Tensor:
    """(N,) int64: the negatives with the highest scores are drawn HARD_TIMES as often as all others.

    labels (N,), scores (N,) float32, the latest logit of each patch, -inf where there is none.
    The pool is every patch once and the hard ones HARD_TIMES; the epoch is a random N of the pool.
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
        self.kind = kind
        self.seed = seed
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
        return uniform(len(self.labels), generator)

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


def _draw(members: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """`count` of the members: shuffled, and shuffled again whenever they run out."""
    rounds = math.ceil(count / len(members))
    shuffled = [members[torch.randperm(len(members), generator=generator)] for _ in range(rounds)]
    return torch.cat(shuffled)[:count]
