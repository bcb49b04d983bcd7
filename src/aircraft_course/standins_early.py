"""The course's answers to exercises of lessons 2 to 5 that later cells build on, as `lessons.use` takes them.

Each does what the text of its exercise says; `ordered_by` lets a way to draw patches train a network.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.metrics import precision_recall_curve
from torch import Tensor, nn

from aircraft.training import loading

# Lesson 2

KERNELS = (
    np.ones((3, 3)) / 9,
    np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]]),
    np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
)


def brighten(image: np.ndarray, amount: int) -> np.ndarray:
    return np.clip(image.astype(int) + amount, 0, 255).astype(np.uint8)


def cross_correlate(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    return (sliding_window_view(image, kernel.shape) * kernel).sum(axis=(2, 3))


def small_net() -> nn.Module:
    layers: list[nn.Module] = []
    for inputs, outputs, kernel in ((1, 10, 5), (10, 25, 5), (25, 100, 4)):
        layers += [nn.Conv2d(inputs, outputs, kernel), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(100, 10))


def receptive_field(layers: Any) -> int:
    field, jump = 1, 1
    for kernel, stride in layers:
        field, jump = field + (kernel - 1) * jump, jump * stride
    return field


def hidden_units(parameters: int, inputs: int, outputs: int) -> int:
    return (parameters - outputs) // (inputs + 1 + outputs)


def scramble(images: Tensor, order: Tensor) -> Tensor:
    return images.flatten(2)[:, :, order].reshape(images.shape)


# Lesson 5


def silent_accuracy(labels: np.ndarray) -> float:
    return float((labels == 0).mean())


def precision_at(share: float, recall: float, false_alarm_rate: float) -> float:
    return share * recall / (share * recall + (1 - share) * false_alarm_rate)


def curve(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found = np.cumsum(labels[np.argsort(-scores)])
    return found / np.arange(1, len(labels) + 1), found / labels.sum()


def average_precision(precision: np.ndarray, recall: np.ndarray) -> float:
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def f_beta(precision: float, recall: float, beta: float) -> float:
    below = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / below if below else 0.0


def threshold_for(labels: np.ndarray, scores: np.ndarray, min_precision: float) -> float:
    precision, _, thresholds = precision_recall_curve(labels, scores)
    return float(thresholds[np.flatnonzero(precision[:-1] >= min_precision)[0]])


def weighted_loss(p: np.ndarray, y: np.ndarray, weight: float) -> float:
    return float(-(weight * y * np.log(p) + (1 - y) * np.log(1 - p)).mean())


def balanced(labels: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return np.concatenate([rng.choice(np.flatnonzero(labels == k), count // 2) for k in (1, 0)])


def hardest(labels: np.ndarray, scores: np.ndarray, count: int) -> np.ndarray:
    background = np.flatnonzero(labels == 0)
    return background[np.argsort(-scores[background])[:count]]


def focal_loss(p: np.ndarray, y: np.ndarray, gamma: float) -> float:
    pt = np.where(y == 1, p, 1 - p)
    return float(np.mean(-((1 - pt) ** gamma) * np.log(pt)))


def redraw_sites(sites: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    names = np.unique(sites)
    return np.concatenate([np.flatnonzero(sites == name) for name in rng.choice(names, len(names))])


def by_site(sites: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    names = rng.permutation(np.unique(sites))
    return np.isin(sites, names[: round(fraction * len(names))])


@contextmanager
def ordered_by(draw: Callable[[np.ndarray, np.ndarray, np.random.Generator], Any]) -> Iterator[None]:
    """Inside of it, `training.fit` takes its patches in the order that `draw` gives for each epoch.

    Parameters
    ----------
    draw : (labels (N,), scores (N,), rng) -> indices of patches, shuffled afterwards. The scores are the
        logits that training computed in the epoch before; in the first epoch they are -inf.

    Examples
    --------
    >>> with ordered_by(lambda labels, scores, rng: np.flatnonzero(labels)):
    ...     sorted(loading.Sampler(np.array([0, 1, 0, 1]), "uniform", seed=0).order(1).tolist())
    [1, 3]
    """

    class Ordered(loading.Sampler):
        def __init__(self, labels: np.ndarray, kind: str, seed: int) -> None:
            super().__init__(labels, "hard", seed)  # the kind that remembers scores

        def order(self, epoch: int) -> torch.Tensor:
            rng = np.random.default_rng([self.seed, epoch])
            drawn = np.asarray(draw(self.labels.numpy(), self.scores.numpy(), rng))
            return torch.from_numpy(rng.permutation(drawn)[: len(self.labels)].astype(np.int64))

    with mock.patch.object(loading, "Sampler", Ordered):
        yield
