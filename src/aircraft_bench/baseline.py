"""The textbook's training, in plain code to read: what the learning benchmark compares ours with.

A Dataset that transforms one sample at a time, a DataLoader, a sigmoid with BCELoss, SGD with momentum.
"""

import time
from dataclasses import dataclass, field

import numpy as np
import torch
from sklearn.metrics import average_precision_score
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import Compose, Normalize, ToTensor
from tqdm.auto import tqdm

from aircraft import models
from aircraft.models import Network
from aircraft.patches import Patches

BATCH, RATE, MOMENTUM = 64, 0.01, 0.9
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as textbooks copy them


@dataclass
class Course:
    """A training, epoch by epoch: validation AP; seconds since the start without validations, and with."""

    ap: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    with_validation: list[float] = field(default_factory=list)

    def first(self, ap: float) -> int | None:
        """The first epoch (from 0) with at least this AP; None where there is none."""
        return next((epoch for epoch, reached in enumerate(self.ap) if reached >= ap), None)


class Samples(Dataset[tuple[Tensor, Tensor]]):
    """Patches, each made a normalised tensor when it is asked for."""

    def __init__(self, patches: Patches) -> None:
        self.patches = patches
        self.transform = Compose([ToTensor(), Normalize(MEAN, STD)])

    def __len__(self) -> int:
        return len(self.patches)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = self.transform(self.patches.images[index])
        return image, torch.tensor(self.patches.labels[index], dtype=torch.float32)


def train(
    learn: Patches, val: Patches, *, epochs: int, seed: int, workers: int, progress: bool = False
) -> Course:
    """Train vgg_small in float32 on the CPU, without augmentation."""
    course = Course()
    started, validating = time.perf_counter(), 0.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network, optimizer = _network()
        loader, val_loader = _loader(learn, workers, shuffle=True), _loader(val, workers)
        for epoch in range(epochs):
            network.train()
            for images, labels in tqdm(
                loader, f"baseline, epoch {epoch + 1}", disable=not progress, leave=False
            ):
                _step(network, optimizer, images, labels)
            trained = time.perf_counter()
            course.seconds.append(trained - started - validating)
            course.ap.append(_average_precision(network, val_loader))
            validating += time.perf_counter() - trained
            course.with_validation.append(time.perf_counter() - started)
    return course


def images_per_second(learn: Patches, workers: int, steps: int) -> float:
    """Of so many steps of training, after the first ones, in which the worker processes start."""
    warm = 4
    count = min(len(learn), (warm + steps) * BATCH)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network, optimizer = _network()
        seen, started = 0, time.perf_counter()
        for number, (images, labels) in enumerate(_loader(learn[np.arange(count)], workers, shuffle=True)):
            if number == warm:
                seen, started = 0, time.perf_counter()
            _step(network, optimizer, images, labels)
            seen += len(images)
        return seen / (time.perf_counter() - started)


def _network() -> tuple[Network, torch.optim.Optimizer]:
    network = models.build("vgg_small").train()
    network.normalize = nn.Identity()  # type: ignore[assignment]  # the data set normalises
    return network, torch.optim.SGD(network.parameters(), lr=RATE, momentum=MOMENTUM)


def _loader(patches: Patches, workers: int, *, shuffle: bool = False) -> DataLoader[tuple[Tensor, Tensor]]:
    return DataLoader(
        Samples(patches), BATCH, shuffle=shuffle, num_workers=workers, persistent_workers=workers > 0
    )


def _step(network: nn.Module, optimizer: torch.optim.Optimizer, images: Tensor, labels: Tensor) -> None:
    loss = nn.BCELoss()(torch.sigmoid(network(images)), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


@torch.no_grad()
def _average_precision(network: nn.Module, loader: DataLoader[tuple[Tensor, Tensor]]) -> float:
    network.eval()
    scores, labels = zip(*((network(images), labels) for images, labels in loader), strict=True)
    return float(average_precision_score(torch.cat(labels), torch.cat(scores)))
