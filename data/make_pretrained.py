"""The network that comes with the package; `make pretrained` makes it again, from seeds.

It learns from rendered scenes only: patches (kept in the cache), a training, then another with the mistakes
of the first on more scenes; thresholds are chosen on a world of its own. It may be interrupted.
`python data/make_pretrained.py --judge MODEL --root DIR` prints how good a model is on all real scenes.
"""

import argparse
import dataclasses
import io
import operator
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from PIL import Image

from aircraft import datasets, detection, metrics, models, patches, training
from aircraft.cli import runs
from aircraft.datasets import building, storage, synthetic
from aircraft.datasets.splitting import COLUMNS
from aircraft.patches import Patches
from aircraft.scenes import Scene
from aircraft.training.settings import Settings
from aircraft_bench.mining import hard_examples, join

VERSION = 1  # of the patches; raise it when the same arguments give others
WORLDS = range(1, 7)  # of sites to learn from, by seed; world 0 is that of the data sets
VALIDATION = range(100, 101)  # of those to choose epochs and thresholds on
SITES = 200  # of each world
VIEWS = 2
ABOUT = (20, 80)  # patches of a scene, at most: aircraft, background
TILES = 72  # validation tiles, in which thresholds are chosen
SETTINGS = Settings(epochs=7)
LOOKED_AT, SURE = 0.2, 0.6  # scores from which a false alarm, and below which an aircraft, is a mistake


def photograph(scene: Scene, rng: np.random.Generator) -> Scene:
    """The scene as another satellite, another day and another map service would show it."""
    image: Any = scene.image.astype(np.float32) / 255
    size = 1.0
    if rng.random() < 0.6:  # another pixel size: aircraft of other sizes
        size = float(np.exp(rng.uniform(np.log(0.82), np.log(1.22))))
        way = cv2.INTER_AREA if size < 1 else cv2.INTER_CUBIC
        image = cv2.resize(image, None, fx=size, fy=size, interpolation=way)
    if rng.random() < 0.5:  # colours of another sensor
        grey = image.mean(axis=2, keepdims=True)
        image = grey + rng.uniform(0.3, 1.4) * (image - grey)
        image = image * rng.uniform(0.88, 1.12, 3).astype(np.float32)
    if rng.random() < 0.5:
        image = np.clip(image, 0, 1) ** rng.uniform(0.7, 1.4)
    if rng.random() < 0.3:  # haze leaves less contrast
        veil = rng.uniform(0.35, 0.85) + rng.uniform(-0.05, 0.05, 3)
        share = rng.uniform(0.1, 0.7)
        image = (1 - share) * image + share * veil.astype(np.float32)
    if (sort := rng.random()) < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, 1.1))
    elif sort < 0.5:  # sharpened, as map services do
        image = image + rng.uniform(0.3, 1.2) * (image - cv2.GaussianBlur(image, (0, 0), 1.0))
    pixels = (np.clip(image, 0, 1) * 255).round().astype(np.uint8)
    if rng.random() < 0.4:
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=int(rng.integers(40, 95)))
        pixels = np.array(Image.open(buffer))
    height, width = pixels.shape[:2]
    limits = np.array([width, height] * 2, np.float32)
    boxes, ignore = (np.asarray(some, np.float32) * np.float32(size) for some in (scene.boxes, scene.ignore))
    keep = ((boxes[:, :2] + boxes[:, 2:]) / 2 < limits[:2]).all(axis=1)
    ignore = np.minimum(np.concatenate([boxes[~keep], ignore]), limits)
    ignore = ignore[(ignore[:, 2:] - ignore[:, :2] >= 1).all(axis=1)]
    return Scene(pixels, boxes[keep], scene.name, scene.site, ignore)


def taken(world: int, site: int, view: int) -> Scene:
    """A photograph of a rendered scene, of any difficulty; same arguments, same bytes."""
    rng = np.random.default_rng([VERSION, world, site, view])
    difficulty = round(float(rng.uniform(0.4, 1.7)), 2)
    return photograph(synthetic.render(site, view, synthetic.SIZE, difficulty, world), rng)


def cut(world: int, site: int, view: int) -> Patches:
    """Patches of one photograph."""
    scene = taken(world, site, view)
    rng = np.random.default_rng([VERSION, world, site, view, 1])
    shown, _ = patches.sample_positive(scene, min(ABOUT[0], 2 * patches.usable(scene)), rng)
    background = patches.sample_negative(scene, ABOUT[1], rng)
    corners = np.concatenate([shown, background])
    labels = np.repeat(np.array([1, 0], np.uint8), (len(shown), len(background)))
    return Patches(patches.cut(scene.image, *corners.T), labels, np.full(len(corners), scene.site))


def gathered(worlds: range, name: str) -> Patches:
    """Patches of all sites of the worlds; from the cache."""
    jobs = [partial(cut, *job) for job in every(worlds)]

    def build() -> storage.ArraysAndNotes:
        done = building.run_jobs(operator.call, jobs, description=f"patches {name}")
        whole = join(list(done))
        return {column: getattr(whole, column) for column in COLUMNS}, {}

    key = {"version": VERSION, "worlds": list(worlds), "sites": SITES, "views": VIEWS, "about": ABOUT}
    arrays, _ = storage.load_or_build(f"pretrained-{name}", key, build)
    return Patches(*(arrays[column] for column in COLUMNS))


def every(worlds: range) -> Iterator[tuple[int, int, int]]:
    """World, site and view of every photograph."""
    return ((world, site, view) for world in worlds for site in range(SITES) for view in range(VIEWS))


def mistakes(network: models.Network, worlds: range) -> Patches:
    """What a network gets wrong on other photographs: false alarms as background, and missed aircraft."""
    found: list[Patches] = []
    jobs = [(world, site, VIEWS) for world in worlds for site in range(SITES)]
    scenes = building.run_jobs(operator.call, [partial(taken, *job) for job in jobs], description="mistakes")
    for job, scene in zip(jobs, scenes, strict=True):
        detections = detection.detect(network, scene.image, LOOKED_AT)
        missed = detection.match(detections.above(SURE), scene).misses
        only = dataclasses.replace(scene, boxes=scene.boxes[missed])
        rng = np.random.default_rng([VERSION, *job, 2])
        shown, _ = patches.sample_positive(only, 3 * patches.usable(only), rng)
        labels = np.ones(len(shown), np.uint8)
        aircraft = Patches(patches.cut(scene.image, *shown.T), labels, np.full(len(shown), scene.site))
        found += [aircraft, hard_examples([detections], [scene])]
    return join(found)


def validation_tiles() -> list[Scene]:
    """Tiles of 512 x 512 from photographs of the validation world."""
    views = [(world, site, VIEWS + 1) for world in VALIDATION for site in range(TILES)]
    scenes = building.run_jobs(operator.call, [partial(taken, *view) for view in views], description="tiles")
    return [scene.crop(0, 0, min(patches.TILE, scene.width, scene.height)) for scene in scenes]


def make(folder: Path) -> Path:
    """Train, choose the thresholds, write the model file."""
    learn, val = gathered(WORLDS, "to learn from"), gathered(VALIDATION, "to choose by")
    torch.manual_seed(SETTINGS.seed)
    network = models.build("patch_net")
    training.fit(network, learn, val, settings=SETTINGS, out=folder / "first", resume=True)
    hard = mistakes(network, WORLDS)
    aircraft = int(hard.labels.sum())
    print(
        f"{len(learn):,} patches, then {len(hard):,} mistakes, {aircraft:,} of them aircraft", file=sys.stderr
    )
    again = dataclasses.replace(SETTINGS, epochs=SETTINGS.epochs // 2)
    training.fit(network, join([learn, hard]), val, settings=again, out=folder / "second", resume=True)
    return save(network, val, folder / "model.safetensors")


def save(network: models.Network, val: Patches, path: Path) -> Path:
    """The model file, with the thresholds of the best F1 on validation."""
    scores = training.predict(network, val.images, flips=True, progress=True)
    tiles = validation_tiles()
    found = runs.find(network, tiles)
    threshold = metrics.choose_threshold(val.labels, scores, beta=1)
    chosen = detection.choose_threshold(found, tiles)
    provenance = {
        "trained on": "rendered scenes only (airfield), no real pixel", "licence": "MIT",
        "by": "data/make_pretrained.py", "worlds": list(WORLDS), "validation": list(VALIDATION),
        "settings": SETTINGS.to_dict(), "versions": runs.versions(),
    }  # fmt: skip
    models.save(
        network, path, threshold=threshold, detection_threshold=chosen,
        count_spread=detection.count_spread(found, tiles, chosen), provenance=provenance,
    )  # fmt: skip
    print(metrics.evaluate(val.labels, scores, threshold), detection.evaluate(found, tiles, chosen), sep="\n")
    return path


def judge(model: str, root: str) -> None:
    """Print the figures on all real scenes, and on those of the suggested test sites."""
    network, _ = models.load(runs.model_file(model))
    both = datasets.load_imbalanced("airbus", root)
    tests = datasets.load_tiles("airbus", root, count=5_000)
    others = datasets.load_tiles("airbus", root, count=5_000, split="validation")
    for name, sets, tiles in (
        ("all real sites", [both.train, both.test], others + tests),
        ("sites I, J, M, N", [both.test], tests),
    ):
        whole = join(sets)
        report = runs.evaluate(network, whole)
        print(f"{name}: {report}\n{name}: {runs.on_tiles(network, tiles)[1]}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Train the network of the package, or judge a model.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("outputs/pretrained"))
    parser.add_argument("--judge", metavar="MODEL")
    parser.add_argument("--root", metavar="DIR", help="of the real scenes")
    options = parser.parse_args()
    if options.judge:
        judge(options.judge, options.root)
    else:
        print(f"written: {make(options.folder)}")
