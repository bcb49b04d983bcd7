"""The small trainings behind the figures of parts 1 to 3: experiments of lessons 1, 2 and 3, at their seeds.

Each runs once a process and returns plain numbers; on one busy core they took 5 s, 80 s and 190 s.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from torch import nn
from torch.nn import functional as F

from aircraft import datasets, models, training

Scores = dict[str, dict[str, list[float]]]  # condition -> network -> one accuracy for each seed


@dataclass(frozen=True)
class Judged:
    """Labels and scores of the network of lesson 3 on three sets of patches."""

    val: tuple[np.ndarray, np.ndarray]
    toy: tuple[np.ndarray, np.ndarray]
    imbalanced: tuple[np.ndarray, np.ndarray]


@functools.cache
def lesson1_points() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.random.Generator]:
    """Lesson 1, sections 2 and 6: points (40, 2), labels (40,), shadows and heights (30,), the generator."""
    rng = np.random.default_rng(0)
    length = rng.uniform(0.6, 2.4, size=40)
    slenderness = np.concatenate([rng.uniform(0.15, 0.45, size=20), rng.uniform(0.65, 1.1, size=20)])
    order = rng.permutation(40)
    points = np.column_stack([length, length * slenderness])[order]
    labels = np.repeat([0, 1], 20)[order]
    rng.normal(size=(10_000, 2)), rng.normal(size=10_000)  # the lesson draws its random lines here
    shadows = rng.uniform(0.5, 2.0, size=30)
    heights = 0.8 * shadows + rng.normal(0, 0.1, size=30)
    return points, labels, shadows, heights, rng


@functools.cache
def perceptron_history(epochs: int = 9) -> list[tuple[np.ndarray, float]]:
    """Lesson 1, section 3: the weights and the bias at the start and after each epoch."""
    points, labels, *_ = lesson1_points()
    w, b = np.array([1.0, 0.0]), -1.5
    history = [(w, b)]
    for _ in range(epochs):
        for x, y in zip(points, labels, strict=True):
            error = y - int(w @ x + b > 0)
            w, b = w + 0.1 * error * x, b + 0.1 * error
        history.append((w, b))
    return history


@functools.cache
def digit_curves(epochs: int = 60) -> dict[str, np.ndarray]:
    """Lesson 1, section 9: (epochs, 2) loss on training and validation of three networks on digits."""
    digits, rng = load_digits(), lesson1_points()[4]
    pixels, targets = (digits.images / 16).reshape(len(digits.images), 64), digits.target
    everything = np.arange(len(targets))
    rest, _ = train_test_split(everything, test_size=0.2, stratify=targets, random_state=0)
    train, val = train_test_split(rest, test_size=0.25, stratify=targets[rest], random_state=0)
    few = train[:200]
    noisy = targets[few].copy()
    noisy[:40] = rng.permutation(noisy[:40])  # most of these 40 labels are wrong now

    def curve(rows: np.ndarray, labels: np.ndarray, hidden: int, rate: float, batch: int) -> np.ndarray:
        network = MLPClassifier((hidden,), solver="sgd", momentum=0.0, random_state=0,
                                learning_rate_init=rate, batch_size=batch)  # fmt: skip
        losses = []
        for _ in range(epochs):
            network.partial_fit(pixels[rows], labels, classes=np.arange(10))
            on_train = log_loss(labels, network.predict_proba(pixels[rows]), labels=np.arange(10))
            losses.append((on_train, log_loss(targets[val], network.predict_proba(pixels[val]))))
        return np.array(losses)

    return {
        "underfits": curve(train, targets[train], 2, 0.1, 32),
        "fits well": curve(train, targets[train], 64, 0.1, 32),
        "overfits": curve(few, noisy, 64, 0.3, 8),
    }


@functools.cache
def cnn_against_mlp(seeds: int = 3, epochs: int = 10) -> Scores:
    """Lesson 2, section 10: validation accuracy of both networks, with pixels in order and scrambled."""
    toy = datasets.load_toy(progress=False)
    parts = [(small(p.images), torch.from_numpy(np.array(p.labels)).long())
             for p in datasets.split(toy.train, fraction=0.2, seed=0)]  # fmt: skip
    order = scrambling()
    mixed = [(images.flatten(2)[:, :, order].reshape(images.shape), labels) for images, labels in parts]
    return {
        name: {"CNN": _accuracies(_cnn, sets, seeds, epochs), "MLP": _accuracies(_mlp, sets, seeds, epochs)}
        for name, sets in (("normal", parts), ("scrambled", mixed))
    }


def scrambling() -> torch.Tensor:
    """Lesson 2, section 10: the fixed new order of the 32 x 32 pixels."""
    return torch.randperm(32 * 32, generator=torch.Generator().manual_seed(0))


def small(images: np.ndarray) -> torch.Tensor:
    """(N, 64, 64, 3) uint8 -> (N, 3, 32, 32) around 0."""
    return F.avg_pool2d(torch.from_numpy(np.array(images)).permute(0, 3, 1, 2) / 255 - 0.5, 2)


@functools.cache
def judged() -> Judged:
    """Lesson 3, section 8: `toy_cnn` trained by `fit` for 12 epochs, and what it says of three sets."""
    toy = datasets.load_toy(progress=False)
    imbalanced = datasets.load_imbalanced(progress=False).test
    train, val = datasets.split(toy.train, fraction=0.2, seed=0)
    torch.manual_seed(0)
    model = models.build("toy_cnn")
    training.fit(model, train, val, epochs=12, lr=3e-3, seed=0, progress=False)
    scored = [(np.array(p.labels), training.predict(model, p.images)) for p in (val, toy.test, imbalanced)]
    return Judged(*scored)


def _cnn() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 16, 5), nn.ReLU(), nn.MaxPool2d(2),   # 16, 14, 14
        nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),  # 32, 6, 6
        nn.Conv2d(32, 64, 3), nn.ReLU(),                   # 64, 4, 4
        nn.Flatten(), nn.Linear(64 * 4 * 4, 32), nn.ReLU(), nn.Linear(32, 2),
    )  # fmt: skip


def _mlp() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 18), nn.ReLU(), nn.Linear(18, 2))


def _accuracies(build: Callable[[], nn.Module], sets: list, seeds: int, epochs: int) -> list[float]:
    (images, labels), (val_images, val_labels) = sets
    scores = []
    for seed in range(seeds):
        torch.manual_seed(seed)
        network = build()
        optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
        for _ in range(epochs):
            for rows in torch.randperm(len(images)).split(32):
                loss = F.cross_entropy(network(images[rows]), labels[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        with torch.no_grad():
            right = network(val_images).argmax(dim=1) == val_labels
        scores.append(float(right.float().mean()))
    return scores
