"""The trainings of lesson 5 behind the slides on rare aircraft, at the lesson's settings and seeds."""

import functools
from typing import Any

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score

from aircraft import datasets, metrics, models, patches, training
from aircraft.patches import Patches
from aircraft.scenes import Scene
from figures.kept import Array, kept

REMEDIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "class weights": {"pos_weight": "auto"},
    "balanced batches": {"sampling": "balanced"},
    "hard examples": {"sampling": "hard"},
    "focal loss": {"loss": "focal"},
}


@functools.cache
def toy_network() -> dict[str, Array]:
    """Section 1: recall and precision, at one threshold, of the toy set's network on both test sets."""

    def build() -> dict[str, Array]:
        toy, imbalanced = datasets.load_toy(progress=False), datasets.load_imbalanced(progress=False)
        _, val = datasets.split(imbalanced.train, fraction=0.3, seed=0)
        aside = np.isin(toy.train.sites, val.sites)
        train, toy_val = toy.train[~aside], toy.train[aside]
        torch.manual_seed(0)
        net = models.build("patch_net")
        training.fit(net, train, toy_val, epochs=8, seed=0, progress=False)
        on_val = training.predict(net, toy_val.images)
        threshold = metrics.choose_threshold(toy_val.labels, on_val, min_recall=0.9)
        found = {}
        for name, part in (("toy", toy.test), ("imbalanced", imbalanced.test)):
            scores = training.predict(net, part.images)
            (tn, fp), (fn, tp) = metrics.confusion(part.labels, scores, threshold)
            found[name] = np.array([tp / (tp + fn), fp / (fp + tn), tp / (tp + fp)])
            found[f"{name} scores"] = scores
        return found

    return kept("toy network", build)


@functools.cache
def remedy(name: str) -> dict[str, Array]:
    """Section 6: scores on validation, test and (plain only) training patches, after training this way."""

    def build() -> dict[str, Array]:
        train, val, test = remedy_parts()
        torch.manual_seed(0)
        net = models.build("patch_net")
        training.fit(net, train, val, epochs=4, seed=0, progress=False, **REMEDIES[name])
        parts = {"val": val, "test": test} | ({"train": train} if name == "plain" else {})
        return {part: training.predict(net, patches.images) for part, patches in parts.items()}

    return kept(f"remedy {name}", build)


@functools.cache
def remedy_parts() -> tuple[Patches, Patches, Patches]:
    imbalanced = datasets.load_imbalanced(progress=False)
    train, val = datasets.split(imbalanced.train, fraction=0.3, seed=0)
    return train[::3], val[::2], imbalanced.test


def remedy_gains() -> dict[str, tuple[float, float, float]]:
    """AP of each remedy less that of plain training, with a 95 % interval over the same draws of sites."""
    test = remedy_parts()[2]
    truth, numbers = test.labels.astype(int), np.unique(test.sites, return_inverse=True)[1]
    ap, draws = {}, {}
    for name in REMEDIES:
        scores = np.array(remedy(name)["test"])
        ap[name] = average_precision_score(truth, scores)
        drawn = metrics.standard_statistics(truth, scores, numbers, threshold=0.5, n=500, seed=0)
        draws[name] = drawn["AP"]
    return {
        name: (ap[name] - ap["plain"], *metrics.interval(draws[name] - draws["plain"]))
        for name in REMEDIES
        if name != "plain"
    }


@functools.cache
def leak(seed: int) -> dict[str, Array]:
    """Section 7: what a split promised and what new places gave (AUC), with one seed."""

    def build() -> dict[str, Array]:
        toy = datasets.load_toy(progress=False)
        tiles = datasets.load_tiles(split="validation", count=24, progress=False)
        parts = zip(*(_many_views(tile) for tile in tiles), strict=True)
        views = patches.Patches(*(np.concatenate(part) for part in parts))
        order, quarter = np.random.default_rng(seed).permutation(len(views)), len(views) // 4
        splits = {
            "random split": (views[order[quarter:]], views[order[:quarter]]),
            "split by site": datasets.split(views, fraction=0.25, seed=seed),
        }
        found = {}
        for name, (part, aside) in splits.items():
            torch.manual_seed(seed)
            net = models.build("patch_net")
            training.fit(net, part, aside, epochs=6, augment=False, seed=seed, progress=False)
            scored = [roc_auc_score(p.labels, training.predict(net, p.images)) for p in (aside, toy.test)]
            found[name] = np.array(scored)
        return found

    return kept(f"leak {seed}", build)


def _many_views(tile: Scene, views: int = 12, background: int = 90) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(0)
    shown, _ = patches.sample_positive(tile, views * patches.usable(tile), rng)
    corners = np.concatenate([shown, patches.sample_negative(tile, background, rng)])
    labels = (np.arange(len(corners)) < len(shown)).astype(np.uint8)
    return patches.cut(tile.image, *corners.T), labels, np.repeat(tile.site, len(corners))
