"""A task and a network small enough for tests of training: bright bars on noise, learnt in a second."""

import itertools
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import ignite.distributed as idist
import numpy as np
import pytest
import torch
from torch import nn

from aircraft import training
from aircraft.training import devices
from aircraft.training.checkpoints import History

FAST = {"batch_size": 32, "lr": 5e-3, "device": "auto", "progress": False}


@dataclass(frozen=True)
class Bars:
    images: np.ndarray  # (N, 64, 64, 3) uint8
    labels: np.ndarray  # (N,) uint8: 1 where a bar was painted


def bars(count: int, seed: int = 0, share: float = 0.3, contrast: int = 40) -> Bars:
    rng = np.random.default_rng(seed)
    labels = (rng.random(count) < share).astype(np.uint8)
    labels[:2] = 0, 1
    images = rng.integers(60, 160, (count, 64, 64, 3), dtype=np.uint8)
    images[labels == 1, 28:36, 16:48] += contrast
    return Bars(images, labels)


def tiny_net(seed: int = 0) -> nn.Module:
    """Space to depth, batch norm and dropout: all that could make a training hard to repeat."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.AvgPool2d(4), nn.Conv2d(3, 8, 3, 2), nn.BatchNorm2d(8), nn.ReLU(), nn.Dropout(0.1),
            nn.Flatten(), nn.Linear(8 * 49, 1), nn.Flatten(0),
        )  # fmt: skip


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """One thread for each test of the file that imports this: threads cost more than such small work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def digest(model: nn.Module) -> bytes:
    """All weights as bytes: equal only if the models are equal bit for bit."""
    return b"".join(value.cpu().numpy().tobytes() for value in model.state_dict().values())


def train_tiny(out: Path, *, epochs: int, resume: bool = False, die_at: int = 0) -> tuple[nn.Module, History]:
    """The training that the tests of killing and of many processes repeat."""
    model = tiny_net(seed=idist.get_rank())  # in a job the weights of the first process count
    if die_at and idist.get_rank() == idist.get_world_size() - 1:
        steps = itertools.count(1)
        model.register_forward_pre_hook(lambda *_: os._exit(3) if next(steps) == die_at else None)
    settings = {**FAST, "epochs": epochs, "sampling": "hard"}
    history = training.fit(model, bars(256), bars(101, seed=1), out=out, resume=resume, **settings)
    return model, history


if __name__ == "__main__":  # a training in a process of its own, or in one of a torchrun job
    torch.set_num_threads(1)
    with devices.parallel():
        trained, course = train_tiny(Path(sys.argv[1]), **json.loads(sys.argv[2]))
        rank = idist.get_rank()
    rows = [{**row, "seconds": 0} for row in course.rows]  # each process has a clock of its own
    Path(sys.argv[1], f"rank{rank}.json").write_text(json.dumps([rows, digest(trained).hex()]))
