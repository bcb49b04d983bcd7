"""A run: train on a data set, choose the thresholds, evaluate, and write everything into one folder.

`train` is the whole of it; `aircraft train` and `aircraft demo` call it.
"""

import json
import platform
import sys
import time
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import ignite.distributed as idist
import numpy as np
import torch

from aircraft import InputError, __version__, datasets, detection, metrics, models, replacing, training
from aircraft.cli import folders
from aircraft.cli.folders import METRICS, MODEL, Claim
from aircraft.datasets import Patches, PatchSet
from aircraft.imagery import ArrayImage
from aircraft.metrics import Report
from aircraft.models import Network
from aircraft.patches import NO_SITE
from aircraft.scenes import Scene
from aircraft.training import devices
from aircraft.training.settings import Settings

VALIDATION = 0.2  # share of the training patches, by site
LOWEST = 0.05  # score from which detections are ranked, before a threshold is chosen
RESAMPLES = 500  # for the intervals of detection figures

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Data:
    """Which data: name "toy", "imbalanced" or an .npz file; source "synthetic", "airbus" or an .npz file."""

    name: str = "imbalanced"
    source: str = "synthetic"
    root: str | None = None
    scale: float = 1.0

    def most(self) -> int:
        """An upper bound of the patches to train on, known before they are built."""
        scale = datasets.number("scale", self.scale, 1e-4, 1, float)
        sizes = {recipe.name: recipe.train for recipe in (datasets.TOY, datasets.IMBALANCED)}
        known = self.name in sizes and not self.source.endswith(".npz")
        return max(20, round(sizes[self.name] * scale)) if known else sys.maxsize

    def patches(self, progress: bool = True) -> PatchSet:
        """The patches. Raises InputError for an unknown name."""
        if self.name.endswith(".npz"):
            if self.source != "synthetic":  # which is the default
                raise InputError(f"{self.name} holds the data; leave out --source {self.source}")
            return datasets.load_toy(self.name, self.root, scale=self.scale, progress=progress)
        loaders = {"toy": datasets.load_toy, "imbalanced": datasets.load_imbalanced}
        if self.name not in loaders:
            raise InputError(f"unknown data set {self.name!r}; take toy, imbalanced, or an .npz file")
        return loaders[self.name](self.source, self.root, scale=self.scale, progress=progress)

    def tiles(self, split: str, sites: Collection[str] | None = None, progress: bool = True) -> list[Scene]:
        """36 tiles of the sites of a split, fewer where `scale` is below 1; none where data are a file."""
        if self.name.endswith(".npz") or self.source.endswith(".npz"):
            return []
        return load_tiles(self.source, self.root, self.scale, split=split, sites=sites, progress=progress)

    def __str__(self) -> str:
        return self.name if self.name.endswith(".npz") else f"{self.name} ({self.source})"


def load_tiles(source: str, root: str | None, scale: float, **options: Any) -> list[Scene]:
    """A share of the 36 tiles of a source, but 6 at least; from an .npz: all its `eval_tiles`."""
    count = max(6, round(datasets.TILES * datasets.number("scale", scale, 1e-4, 1, float)))
    if source.endswith(".npz") and scale != 1:
        raise InputError(f"{source} is judged as it is; leave out --scale")
    return datasets.load_tiles(source, root, count=count, **options)


@dataclass(frozen=True)
class Run:
    """A finished run. `model` carries its card with both thresholds; `values` is what metrics.json holds."""

    folder: Path
    data: Data
    patches: PatchSet
    model: Network
    history: training.History
    test: Report
    test_scores: np.ndarray
    values: dict[str, Any]


def train(
    data: Data, place: Claim, *, model: str = "patch_net", settings: Settings, progress: bool = True
) -> Run:
    """Train a network; write model.safetensors, metrics.json, history.csv, TensorBoard events, checkpoints.

    The patch threshold is that of the best F1 on validation patches, the detection threshold that of the best
    F1 on tiles of the validation sites; test data are used for nothing but the evaluation at the end.
    place: the folder, from `folders.claim`; nothing in it is replaced before all that was given is checked.
    """
    folder, seconds = place.folder, dict[str, float]()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = models.build(model)
    devices.choose(settings.device)
    training.check_batch(network, settings, data.most())
    with timed("data", seconds):
        patches = data.patches(progress and devices.is_first())
        try:
            learn, val = datasets.split(patches.train, fraction=VALIDATION, seed=settings.seed)
        except InputError as error:
            raise InputError(f"{data}: {error}") from None
        training.check_batch(network, settings, len(learn))
        tiles = data.tiles("validation", sorted(set(val.sites)), progress and devices.is_first())
    place.begin()
    with timed("training", seconds):
        history = training.fit(
            network, learn, val, settings=settings, out=folder, resume=place.resume, progress=progress
        )
    with timed("thresholds", seconds):
        val_scores = predict(network, val, progress)
        threshold = metrics.choose_threshold(val.labels, val_scores, beta=1)
        detection_threshold, spread = _chosen(network, tiles, progress)
    if devices.is_first():
        provenance = {
            "data": asdict(data), "settings": settings.to_dict(), "processes": idist.get_world_size(),
            "best_epoch": history.best_epoch, "patches": patches.notes, "versions": versions(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
        }  # fmt: skip
        place.clear()
        models.save(
            network, folder / MODEL, threshold=threshold, detection_threshold=detection_threshold,
            count_spread=spread, provenance=provenance,
        )  # fmt: skip
    idist.barrier()
    saved, card = models.load(folder / MODEL)  # what everyone else will use is what is evaluated
    saved.to(models.device_of(network))
    with timed("test", seconds):
        scores = predict(saved, patches.test, progress)
        test = _report(patches.test, scores, card.threshold, settings.seed)
        validation = _report(val, val_scores, card.threshold, settings.seed)
    values = test.to_dict() | {
        "validation": validation.to_dict(), "detection_threshold": card.detection_threshold,
        "model": model, "data": str(data), "seed": settings.seed, "epochs": len(history),
        "best_epoch": history.best_epoch, "seconds": seconds, "versions": versions(),
    }  # fmt: skip
    if devices.is_first():
        write_json(folder / METRICS, values)
    return Run(folder, data, patches, saved, history, test, scores, values)


@contextmanager
def timed(step: str, seconds: dict[str, float]) -> Iterator[None]:
    """`with timed("training", seconds): ...` notes how long it took, under its name."""
    started = time.perf_counter()
    yield
    seconds[step] = round(time.perf_counter() - started, 2)


def model_file(run_or_model: str | Path | None) -> Path:
    """The model file in a run's folder, or the file itself, or the pretrained one; else FileNotFoundError."""
    path = Path(run_or_model or models.PRETRAINED)
    if not path.is_dir():
        return path  # models.load says whether it can be used
    if not (path / MODEL).is_file():
        raise FileNotFoundError(f"{path}: no {MODEL} in this folder; `aircraft train --out {path}` makes one")
    return path / MODEL


def is_model(path: str) -> bool:
    """Whether a path that may be that of an image is a model file, or the folder of a run."""
    return path.endswith(".safetensors") or any((Path(path) / name).is_file() for name in folders.KEPT)


def evaluate(model: Network, patches: Patches, *, progress: bool = True, seed: int = 0) -> Report:
    """The figures of a loaded model on patches at its own threshold, with intervals where sites are known."""
    if model.card is None:
        raise InputError("the model has no card with a threshold; load it from a file with models.load")
    return _report(patches, predict(model, patches, progress), model.card.threshold, seed)


def evaluate_tiles(
    model: Network, tiles: list[Scene], *, progress: bool = True, seed: int = 0
) -> tuple[list[detection.Detections], detection.DetectionReport]:
    """Detections of a loaded model on tiles (from a low score on), and their figures at its own threshold."""
    found = find(model, tiles, progress)
    threshold = detection.default_threshold(model)
    return found, detection.evaluate(found, tiles, threshold, resamples=RESAMPLES, seed=seed)


def on_tiles(model: Network, tiles: list[Scene], progress: bool = True) -> tuple[dict[str, Any], str]:
    """The figures on tiles, and how many intervals of counts hold there, as values and in words."""
    _, counted = evaluate_tiles(model, tiles, progress=progress)
    values, words = counted.to_dict(), str(counted)
    if model.card and model.card.count_spread:
        covered, width = detection.coverage(counted, model.card.count_spread)
        values |= {"covered": covered, "width": width}
        words += f"\n  90 % intervals of counts hold on {covered:.0%} of the tiles, median width {width:g}"
    return values, words


def find(model: Network, tiles: list[Scene], progress: bool = True) -> list[detection.Detections]:
    """The aircraft in each tile with a score of at least 0.05; shared by the processes of a torchrun job."""

    def work(tile: Scene) -> detection.Detections:
        return detection.detect(model, ArrayImage(tile.image, tile.name), LOWEST, method=None)

    return each(work, tiles, description="detecting", progress=progress)


def predict(model: Network, patches: Patches, progress: bool = True) -> np.ndarray:
    """(N,) scores, means over the mirror images; each patch is scored by one process of a torchrun job."""
    images, show = patches.images[devices.my_slice(len(patches))], progress and devices.is_first()
    scores = training.predict(model, images, progress=show, flips=True)
    return devices.gather(torch.from_numpy(scores)).numpy()


def each(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    description: str = "",
    progress: bool = False,
    share: bool = True,
) -> list[Result]:
    """[work(item) for item in items]; of n processes, each does every n-th item, or all unless `share`."""
    mine = devices.mine(items, description=description, progress=progress, share=share)
    results = [work(item) for item in mine]
    world = idist.get_world_size() if share else 1
    if world == 1:
        return results
    parts: Any = idist.all_gather(results)  # of every process, the list of its results
    return [parts[i % world][i // world] for i in range(len(items))]


def versions() -> dict[str, str]:
    """Of what the figures depend on."""
    packages = ("torch", "numpy", "scikit-learn", "opencv-python-headless", "pytorch-ignite")
    return {"aircraft": __version__, "python": platform.python_version()} | {p: version(p) for p in packages}


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Replace a JSON file as a whole."""
    with replacing(path) as file:
        file.write((json.dumps(values, indent=1, allow_nan=False) + "\n").encode())


def _chosen(model: Network, tiles: list[Scene], progress: bool) -> tuple[float | None, list[float] | None]:
    """The threshold of the best F1 on tiles, and the spread of the counts that it gives."""
    if not tiles:
        return None, None
    found = find(model, tiles, progress)
    try:
        threshold = detection.choose_threshold(found, tiles)
    except InputError as error:
        warnings.warn(f"{error}; detection takes the threshold of patches", stacklevel=3)
        return None, None
    return threshold, detection.count_spread(found, tiles, threshold)


def _report(patches: Patches, scores: np.ndarray, threshold: float, seed: int) -> Report:
    sites = patches.sites if (patches.sites != NO_SITE).all() else None
    return metrics.evaluate(patches.labels, scores, threshold, sites=sites, seed=seed)
