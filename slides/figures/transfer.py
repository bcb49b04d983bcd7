"""The trainings of lesson 6 behind the slides on transfer learning, at the lesson's settings and seeds."""

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from aircraft import datasets, models, training
from aircraft.models.efficientnet import STAGES
from aircraft.patches import Patches
from aircraft.training import loading
from figures.kept import Array, kept

SIZES, SEEDS = (50, 200, 800), (0, 1, 2)
STOPS = {str(k): place for k, place in enumerate(3 + np.cumsum([row[0] for row in STAGES]), start=1)}
STOPS["last"] = 22


@functools.cache
def features(zoom: int) -> dict[str, Array]:
    """Section 3: the features of all toy patches after each stage."""

    def build() -> dict[str, Array]:
        toy = datasets.load_toy(progress=False)
        net = models.build("efficientnet_lite0", zoom=zoom).eval()
        found = {"train": _stages(net, toy.train.images), "test": _stages(net, toy.test.images)}
        return {f"{part} {name}": found[part][name] for part in found for name in found[part]}

    return kept(f"features {zoom}", build)


@functools.cache
def best_stage() -> tuple[str, dict[str, Array]]:
    """Section 5: the best stage on validation, and AUC (3 seeds, 8 stages) of heads on mean and on centre."""

    def build() -> dict[str, Array]:
        return {
            where: np.array([[head_score(2, f"{s} {where}", 200, seed) for s in STOPS] for seed in SEEDS])
            for where in ("mean", "centre")
        }

    found = kept("stages", build)
    return list(STOPS)[found["centre"].mean(axis=0).argmax()], found


@functools.cache
def transfer(way: str, count: int) -> Array:
    """Section 8: AUC on the test set (3 seeds) of one way of training with so many patches."""

    def build() -> dict[str, Array]:
        scores = [_WAYS[way](count, seed) for seed in SEEDS]
        return {"AUC": np.array(scores)}

    return kept(f"transfer {way} {count}", build)["AUC"]


def head_score(zoom: int, name: str, count: int, seed: int, part: str = "val") -> float:
    """AUC of a linear head on the features `name`, trained on `count` patches."""
    train, val, test, aside = transfer_parts()
    known = features(zoom)[f"train {name}"][~aside]
    new = features(zoom)[f"train {name}"][aside] if part == "val" else features(zoom)[f"test {name}"]
    some = _whole_sites(train.sites, count, seed)
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, max_iter=300))
    model.fit(known[some], train.labels[some])
    return float(roc_auc_score((val if part == "val" else test).labels, model.decision_function(new)))


@functools.cache
def transfer_parts() -> tuple[Patches, Patches, Patches, Array]:
    toy = datasets.load_toy(progress=False)
    _, val = datasets.split(toy.train, fraction=0.3, seed=0)
    aside = np.isin(toy.train.sites, val.sites)
    return toy.train[~aside], toy.train[aside], toy.test, aside


def _from_scratch(count: int, seed: int) -> float:
    train, _, test, _ = transfer_parts()
    torch.manual_seed(seed)
    net = models.build("patch_net").to(memory_format=torch.channels_last)
    groups = [{"params": list(net.parameters()), "lr": 3e-3}]
    some = train[_whole_sites(train.sites, count, seed)]
    return _auc(_train_steps(net, groups, some, 200, seed), test)


def _fine_tuned(count: int, seed: int) -> float:
    train, _, test, _ = transfer_parts()
    torch.manual_seed(seed)
    net = models.build("efficientnet_lite0", frozen=False, zoom=1).to(memory_format=torch.channels_last)
    groups = [
        {"params": list(net.layers[:-1].parameters()), "lr": 5e-4},
        {"params": list(net.layers[-1].parameters()), "lr": 3e-3},
    ]
    some = train[_whole_sites(train.sites, count, seed)]
    return _auc(_train_steps(net, groups, some, 60, seed, locked=net.layers[:-1]), test)


_WAYS: dict[str, Callable[[int, int], float]] = {
    "from scratch": _from_scratch,
    "fine-tuned": _fine_tuned,
    "frozen": lambda count, seed: head_score(1, "last mean", count, seed, "test"),
    "frozen, chosen": lambda count, seed: head_score(2, f"{best_stage()[0]} centre", count, seed, "test"),
}


def _train_steps(
    net: Any,
    groups: list[dict[str, Any]],
    part: Patches,
    steps: int,
    seed: int,
    locked: nn.Module | None = None,
) -> nn.Module:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(groups, weight_decay=0.05)
    rates = [group["lr"] for group in groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=steps, pct_start=0.2)
    images = torch.from_numpy(np.array(part.images)).permute(0, 3, 1, 2)
    labels = torch.as_tensor(part.labels, dtype=torch.float32)
    net.train()
    if locked is not None:
        locked.eval()
    for _ in range(steps):
        index = torch.randint(len(images), (32,), generator=generator)
        loss = binary_cross_entropy_with_logits(net(loading.augment(images[index], generator)), labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


def _auc(net: nn.Module, part: Patches) -> float:
    return float(roc_auc_score(part.labels, training.predict(net, part.images)))


def _whole_sites(sites: Array, count: int, seed: int) -> Array:
    names = np.random.default_rng(seed).permutation(np.unique(sites))
    return np.concatenate([np.flatnonzero(sites == name) for name in names])[:count]


def _stages(net: Any, images: Array, batch_size: int = 100) -> dict[str, Array]:
    enlarge = [layer for layer in net.layers if isinstance(layer, nn.Upsample)]
    (stages,) = [layer for layer in net.layers if isinstance(layer, nn.Sequential)]
    found: dict[str, list[Array]] = {f"{stop} {where}": [] for stop in STOPS for where in ("mean", "centre")}
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            batch = torch.from_numpy(np.array(images[start : start + batch_size]))
            maps = nn.Sequential(net.normalize, *enlarge)(batch.permute(0, 3, 1, 2))
            for place, layer in enumerate(stages):
                maps = layer(maps)
                for stop in (name for name in STOPS if STOPS[name] == place):
                    q = maps.shape[-1] // 4
                    centre = maps[:, :, q : maps.shape[-2] - q, q : maps.shape[-1] - q]
                    found[f"{stop} mean"].append(maps.mean((2, 3)).numpy())
                    found[f"{stop} centre"].append(centre.mean((2, 3)).numpy())
    return {name: np.concatenate(parts) for name, parts in found.items()}
