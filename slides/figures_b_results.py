"""The small trainings behind the figures of part 4: the experiments of lessons 4 to 8, at their seeds.

Each takes up to two minutes on two quiet cores, so its numbers are kept in the package's cache. The key holds
VERSION and the modules that train and detect: change one of them, and the numbers are computed again.
"""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from ignite.handlers import FastaiLRFinder
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

import aircraft
from aircraft import (
    datasets,
    detection,
    engines,
    loading,
    metrics,
    models,
    patches,
    resampling,
    storage,
    training,
)
from aircraft.models.efficientnet import STAGES
from aircraft.patches import Patches
from aircraft.sampling import Sampler
from aircraft.scenes import Scene

Array = np.ndarray
VERSION = 1  # raise it when an experiment of this file changes
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
REMEDIES: dict[str, dict[str, Any]] = {
    "plain": {},
    "class weights": {"pos_weight": "auto"},
    "balanced batches": {"sampling": "balanced"},
    "hard examples": {"sampling": "hard"},
    "focal loss": {"loss": "focal"},
}
SIZES, SEEDS = (50, 200, 800), (0, 1, 2)  # lesson 6


# --- lesson 4 -----------------------------------------------------------------------------------------------


@functools.cache
def learning_rates() -> dict[str, Array]:
    """Section 4: the loss (100,) while the rate grows, and the validation loss with three fixed rates."""

    def build() -> dict[str, Array]:
        train, val = toy_parts()
        model, optimizer, trainer, _, batches = prepare(train)
        finder = FastaiLRFinder()
        with finder.attach(
            trainer, to_save={"model": model, "optimizer": optimizer}, start_lr=1e-5, end_lr=3.0,
            num_iter=100, diverge_th=4.0, output_transform=lambda output: output["loss"],
        ) as finding:  # fmt: skip
            finding.run(batches, max_epochs=4)
        sweep = finder.get_results()
        curves = {f"{lr:g}": np.array(run(train, val, lr=lr)["val_loss"]) for lr in (1e-5, 3e-3, 0.3)}
        return {"lr": np.array(sweep["lr"]), "loss": np.array(sweep["loss"], float)} | curves

    return _kept("rates", build)


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
                found.append(torch.cat([weights.grad.flatten() for weights in model.parameters()]))
            scatter.append(torch.stack(found).std(dim=0).norm().item())
        return {"sizes": sizes, "scatter": np.array(scatter)}

    return _kept("scatter", build)


@functools.cache
def recipe(name: str) -> dict[str, Array]:
    """Sections 7 and 8: loss, validation loss and AUC (3 seeds, 30 epochs) of training on 500 patches."""

    def build() -> dict[str, Array]:
        train, val = toy_parts()
        few = train[np.random.default_rng(0).permutation(len(train))[:500]]
        histories = [run(few, val, seed=seed, epochs=30, **RECIPES[name]) for seed in SEEDS]
        return {key: np.array([history[key] for history in histories]) for key in ("loss", "val_loss", "AUC")}

    return _kept(f"recipe {name}", build)


@functools.cache
def seeds(count: int = 8) -> Array:
    """Section 9: the AUC of the same settings with eight seeds."""

    def build() -> dict[str, Array]:
        train, val = toy_parts()
        histories = [run(train, val, seed=seed, batch_norm=True) for seed in range(count)]
        return {"AUC": np.array([history["AUC"][-1] for history in histories])}

    return _kept("seeds", build)["AUC"]


def prepare(part: Patches) -> tuple[Any, Any, Engine, Engine, loading.Batches]:
    """Section 1: a fresh network, its optimiser, trainer and evaluator, and batches of 64."""
    torch.manual_seed(0)
    model = small_net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    trainer = engines.create_trainer(model, optimizer, scaler, nn.BCEWithLogitsLoss(), amp=None)
    evaluator = engines.create_evaluator(model, nn.BCEWithLogitsLoss(), amp=None)
    order = Sampler(part.labels, "uniform", 0)
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


# --- lesson 5 -----------------------------------------------------------------------------------------------


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

    return _kept("toy network", build)


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

    return _kept(f"remedy {name}", build)


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
        drawn = resampling.standard_statistics(truth, scores, numbers, threshold=0.5, n=500, seed=0)
        draws[name] = drawn["AP"]
    return {
        name: (ap[name] - ap["plain"], *resampling.interval(draws[name] - draws["plain"]))
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

    return _kept(f"leak {seed}", build)


def _many_views(tile: Scene, views: int = 12, background: int = 90) -> tuple[Array, Array, Array]:
    rng = np.random.default_rng(0)
    shown, _ = patches.sample_positive(tile, views * patches.usable(tile), rng)
    corners = np.concatenate([shown, patches.sample_negative(tile, background, rng)])
    labels = (np.arange(len(corners)) < len(shown)).astype(np.uint8)
    return patches.cut(tile.image, *corners.T), labels, np.repeat(tile.site, len(corners))


# --- lesson 6 -----------------------------------------------------------------------------------------------

STOPS = {str(k): place for k, place in enumerate(3 + np.cumsum([row[0] for row in STAGES]), start=1)}
STOPS["last"] = 22


@functools.cache
def features(zoom: int) -> dict[str, Array]:
    """Section 3: the features of all toy patches after each stage; the lesson's own cache."""
    toy = datasets.load_toy(progress=False)
    parts = {"train": toy.train.images, "test": toy.test.images}
    fingerprint = hashlib.sha256(b"".join(images.tobytes() for images in parts.values())).hexdigest()

    def compute() -> tuple[dict[str, Array], dict[str, Any]]:
        net = models.build("efficientnet_lite0", zoom=zoom).eval()
        found = {part: _stages(net, images) for part, images in parts.items()}
        return {f"{part} {name}": found[part][name] for part in found for name in found[part]}, {}

    key = {"patches": fingerprint, "zoom": zoom, "weights": "efficientnet_lite0 of ImageNet", "version": 1}
    return storage.load_or_build("features", key, compute)[0]


@functools.cache
def best_stage() -> tuple[str, dict[str, Array]]:
    """Section 5: the best stage on validation, and AUC (3 seeds, 8 stages) of heads on mean and on centre."""

    def build() -> dict[str, Array]:
        return {
            where: np.array([[head_score(2, f"{s} {where}", 200, seed) for s in STOPS] for seed in SEEDS])
            for where in ("mean", "centre")
        }

    found = _kept("stages", build)
    return list(STOPS)[found["centre"].mean(axis=0).argmax()], found


@functools.cache
def transfer(way: str, count: int) -> Array:
    """Section 8: AUC on the test set (3 seeds) of one way of training with so many patches."""

    def build() -> dict[str, Array]:
        scores = [_WAYS[way](count, seed) for seed in SEEDS]
        return {"AUC": np.array(scores)}

    return _kept(f"transfer {way} {count}", build)["AUC"]


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
    *enlarge, stages = [layer for layer in net.layers if isinstance(layer, nn.Upsample | nn.Sequential)]
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


# --- lessons 7 and 8 ----------------------------------------------------------------------------------------


@functools.cache
def detector() -> nn.Module:
    """Lesson 8, section 6: `patch_net` after three epochs on the imbalanced set."""

    def build() -> dict[str, Array]:
        train, val = datasets.split(datasets.load_imbalanced(progress=False).train, fraction=0.2, seed=0)
        torch.manual_seed(0)
        model = models.build("patch_net")
        training.fit(model, train, val, epochs=3, seed=0, progress=False)
        return {name: value.numpy() for name, value in model.state_dict().items()}

    weights = _kept("detector", build)
    model = models.build("patch_net")
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in weights.items()})
    return model.eval()


@functools.cache
def test_tiles() -> list[Scene]:
    return datasets.load_tiles(count=36, progress=False)


def multiplications(network: nn.Module, side: int) -> int:
    """Lesson 8, section 5: of all convolutions and linear layers, for one image of side x side pixels."""
    counts: list[int] = []

    def count(layer: Any, _: Any, output: torch.Tensor) -> None:
        counts.append(output.numel() * layer.weight[0].numel())

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        network(torch.zeros(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    return sum(counts)


@functools.cache
def stride_score(stride: int) -> dict[str, Array]:
    """Lesson 8, section 7: F1 on the test tiles at a stride, its threshold chosen on validation tiles."""

    def build() -> dict[str, Array]:
        _, val = datasets.split(datasets.load_imbalanced(progress=False).train, fraction=0.2, seed=0)
        sites = sorted(set(val.sites))
        judged = datasets.load_tiles(split="validation", sites=sites, count=24, progress=False)
        model = detector()
        found = [detection.detect(model, tile.image, threshold=0.05, stride=stride) for tile in judged]
        limit = detection.choose_threshold(found, judged)
        kept = [detection.detect(model, tile.image, threshold=limit, stride=stride) for tile in test_tiles()]
        report = detection.evaluate(kept, test_tiles(), threshold=limit)
        return {"F1": np.array(report.F1), "threshold": np.array(limit)}

    return _kept(f"stride {stride}", build)


# --- helpers ------------------------------------------------------------------------------------------------


def _kept(name: str, build: Callable[[], dict[str, Array]]) -> dict[str, Array]:
    """The arrays of an experiment, computed once for each state of the code.

    The number of threads is part of the key: it changes the order of sums, and training makes that visible.
    """
    key = {"experiment": name, "version": VERSION, "code": _code(), "threads": torch.get_num_threads()}
    return storage.load_or_build("slides", key, lambda: (build(), {}))[0]


@functools.cache
def _code() -> str:
    """A fingerprint of the modules that train and detect."""
    root, names = (
        Path(aircraft.__file__).parent,
        ["engines", "loading", "losses", "optimizers", "sampling", "training"],
    )
    files = [root / f"{name}.py" for name in names]
    files += sorted((root / "models").glob("*.py")) + sorted((root / "detection").glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
