"""The course's answers to exercises of lessons 2 to 5 that later cells build on, as `lessons.use` takes them.

Each does what the text of its exercise says; `ordered_by` lets a way to draw patches train a network.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from ignite.engine import Engine, Events
from numpy.lib.stride_tricks import sliding_window_view
from sklearn.metrics import precision_recall_curve
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from aircraft import models
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


# Lesson 3


def mean_and_spread(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pixels = images / 255
    return pixels.mean(axis=(0, 1, 2)), pixels.std(axis=(0, 1, 2))


def shared_sites(first: np.ndarray, second: np.ndarray) -> set[str]:
    return set(first) & set(second)


class PatchDataset(Dataset[Any]):
    def __init__(self, patches: Any) -> None:
        self.patches = patches

    def __len__(self) -> int:
        return len(self.patches.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = torch.tensor(self.patches.images[index]).permute(2, 0, 1) / 255
        return image, torch.tensor(float(self.patches.labels[index]))


def make_loader(dataset: Any, training: bool) -> DataLoader[Any]:
    return DataLoader(dataset, batch_size=64, shuffle=training)


def toy_cnn() -> nn.Module:
    return models.build("toy_cnn")


def train_one_epoch(model: nn.Module, loader: Any, optimizer: Any, loss_fn: Any) -> float:
    device, total = models.device_of(model), 0.0
    model.train()
    for images, labels in loader:
        loss = loss_fn(model(images.to(device)), labels.to(device))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    return total / len(loader.dataset)


@torch.no_grad()
def validate(model: nn.Module, loader: Any, loss_fn: Any) -> tuple[float, float]:
    device = models.device_of(model)
    model.eval()
    logits = torch.cat([model(images.to(device)) for images, _ in loader])
    labels = torch.cat([labels for _, labels in loader]).to(device)
    return loss_fn(logits, labels).item(), ((logits > 0) == (labels == 1)).float().mean().item()


class KeepBest:
    def __init__(self, patience: int) -> None:
        self.patience, self.waited = patience, 0
        self.best_loss = float("inf")
        self.best_weights: dict[str, Tensor] | None = None

    def update(self, model: nn.Module, val_loss: float) -> bool:
        self.waited += 1
        if val_loss < self.best_loss:
            self.best_loss, self.best_weights, self.waited = val_loss, copy.deepcopy(model.state_dict()), 0
        return self.waited >= self.patience


def roc_point(labels: np.ndarray, scores: np.ndarray, threshold: float) -> tuple[float, float]:
    alarm = scores >= threshold
    return float(alarm[labels == 0].mean()), float(alarm[labels == 1].mean())


def choose_threshold(labels: np.ndarray, scores: np.ndarray, min_recall: float) -> float:
    aircraft = np.sort(scores[labels == 1])[::-1]
    return float(aircraft[int(np.ceil(min_recall * len(aircraft))) - 1])


# Lesson 4


def attach_validation(trainer: Engine, evaluator: Engine, val_batches: Any) -> list[dict[str, float]]:
    rows: list[dict[str, float]] = []

    def judge() -> None:
        rows.append(dict(evaluator.run(val_batches).metrics))

    trainer.add_event_handler(Events.EPOCH_COMPLETED, judge)
    return rows


def score_function(evaluator: Engine) -> float:
    return float(-evaluator.state.metrics["loss"])


def one_cycle(steps: int, peak: float, warmup: float) -> list[tuple[int, float]]:
    return [(0, peak / 25), (round(warmup * steps), peak), (steps, peak / 1000)]


def worst_patches(labels: np.ndarray, scores: np.ndarray, count: int) -> np.ndarray:
    return np.argsort(-np.abs(np.asarray(labels, float) - scores))[:count]


def eight_views(image: np.ndarray) -> list[np.ndarray]:
    return [np.rot90(view, turns) for view in (image, image[:, ::-1]) for turns in range(4)]


def compare(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    return float(a.mean() - b.mean()), float(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))


def draw_settings(rng: np.random.Generator) -> dict[str, float]:
    return {"lr": 10 ** rng.uniform(-4, -1), "dropout": rng.uniform(0, 0.5)}


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
