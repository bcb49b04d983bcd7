"""The trainings of lesson 4 behind the slides on the toolbox, at the lesson's settings and seeds."""

import functools
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from aircraft import datasets, models, training
from aircraft.patches import Patches
from aircraft.training import engines, loading
from figures.kept import Array, kept

PLAIN: dict[str, Any] = {  # lesson 4
    "epochs": 5, "batch_size": 64, "optimizer": "adamw", "lr": 3e-3, "weight_decay": 0.0, "augment": False,
    "noise": 0.0, "ema": None, "amp": "off",
}  # fmt: skip
RECIPES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "dropout 0.5": {"dropout": 0.5},
    "weight decay 1": {"weight_decay": 1.0},
    "batch norm": {"batch_norm": True},
    "augmentation": {"augment": True},
}
SEEDS = (0, 1, 2)


@functools.cache
def gradient_scatter() -> dict[str, Array]:
    """Section 6: the scatter of the gradient of 20 random batches of each size."""

    def build() -> dict[str, Array]:
        train, _ = toy_parts()
        torch.manual_seed(0)
        model, sizes, rng = small_net(), np.array([4, 16, 64, 256]), np.random.default_rng(0)
        scatter = []
        for size in sizes:
            found = []
            for _ in range(20):
                index = rng.choice(len(train), size)
                images = torch.from_numpy(train.images[index]).permute(0, 3, 1, 2)
                model.zero_grad()
                labels = torch.as_tensor(train.labels[index], dtype=torch.float32)
                binary_cross_entropy_with_logits(model(images), labels).backward()
                gradients = [weights.grad for weights in model.parameters() if weights.grad is not None]
                found.append(torch.cat([gradient.flatten() for gradient in gradients]))
            scatter.append(torch.stack(found).std(dim=0).norm().item())
        return {"sizes": sizes, "scatter": np.array(scatter)}

    return kept("scatter", build)


@functools.cache
def recipe(name: str) -> dict[str, Array]:
    """Sections 7 and 8: loss, validation loss and AUC (3 seeds, 30 epochs) of training on 500 patches."""

    def build() -> dict[str, Array]:
        train, val = toy_parts()
        few = train[np.random.default_rng(0).permutation(len(train))[:500]]
        histories = [run(few, val, seed=seed, epochs=30, **RECIPES[name]) for seed in SEEDS]
        return {key: np.array([history[key] for history in histories]) for key in ("loss", "val_loss", "AUC")}

    return kept(f"recipe {name}", build)


@functools.cache
def seeds(count: int = 8) -> Array:
    """Section 9: the AUC of the same settings with eight seeds."""

    def build() -> dict[str, Array]:
        train, val = toy_parts()
        histories = [run(train, val, seed=seed, batch_norm=True) for seed in range(count)]
        return {"AUC": np.array([history["AUC"][-1] for history in histories])}

    return kept(f"{count} seeds", build)["AUC"]


def prepare(part: Patches) -> tuple[Any, Any, Engine, Engine, loading.Batches]:
    """Section 1: a fresh network, its optimiser, trainer and evaluator, and batches of 64."""
    torch.manual_seed(0)
    model = small_net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    trainer = engines.create_trainer(model, optimizer, nn.BCEWithLogitsLoss())
    evaluator = engines.create_evaluator(model, nn.BCEWithLogitsLoss())
    order = loading.Sampler(part.labels, "uniform", 0)
    batches = loading.Batches(
        part.images, part.labels, 64, torch.device("cpu"), sampler=order, drop_last=True
    )

    @trainer.on(Events.EPOCH_STARTED)
    def shuffle() -> None:
        batches.epoch = trainer.state.epoch

    return model, optimizer, trainer, evaluator, batches


def small_net(width: int = 16, batch_norm: bool = False, dropout: float = 0.0) -> nn.Module:
    """The lean network of lesson 4."""
    layers: list[nn.Module] = [nn.PixelUnshuffle(2)]
    for inputs, outputs in ((12, width), (width, 2 * width), (2 * width, 4 * width)):
        layers += [nn.Conv2d(inputs, outputs, 3), nn.BatchNorm2d(outputs) if batch_norm else nn.Identity()]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]
    layers += [nn.Flatten(), nn.Dropout(dropout), nn.Linear(4 * width * 2 * 2, 1)]
    return models.Network(nn.Sequential(*layers), stride=None)


def run(
    part: Patches, val: Patches, seed: int = 0, batch_norm: bool = False, dropout: float = 0.0, **changes: Any
) -> training.History:
    torch.manual_seed(seed)
    model = small_net(batch_norm=batch_norm, dropout=dropout)
    return training.fit(model, part, val, seed=seed, progress=False, **(PLAIN | changes))


@functools.cache
def toy_parts() -> tuple[Patches, Patches]:
    return datasets.split(datasets.load_toy(progress=False).train, fraction=0.2, seed=0)
