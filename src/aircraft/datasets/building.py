"""How a data set is made of scenes: how many patches from each, and in which order; the same for any source.

Nothing here depends on the number of workers: each scene has its own random stream.
"""

import operator
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import joblib
import numpy as np
from tqdm.auto import tqdm

import airfield
from aircraft import InputError, number, patches
from aircraft.datasets.splitting import COLUMNS, SPLITS
from aircraft.datasets.storage import ArraysAndNotes
from aircraft.patches import PATCH
from aircraft.scenes import Scene

VERSION = 2  # of the sampling; raise it when the same parameters give other patches

Render = Callable[[], Scene]  # a scene that is still to be rendered


class Recipe(NamedTuple):
    """The size of a data set: patches, the share with an aircraft, rendered views of each site."""

    name: str
    train: int
    test: int
    share: float
    views: int


TOY = Recipe("toy", 2_600, 880, share=1 / 2, views=1)
IMBALANCED = Recipe("imbalanced", 46_000, 10_240, share=1 / 10, views=3)


@dataclass(frozen=True)
class Source:
    """What `synthetic.Source` and `airbus.Source` share; the fields: see `load_imbalanced`.

    They add scenes(split, views, scale): of rendered ones so many views of each site, or a share `scale` of
    them; and tiles(split, count, sites): at most `count` of "test" or "validation", of all sites or of these.
    """

    root: str | Path | None = None
    seed: int = 0
    difficulty: float = 1.0
    test_sites: Collection[str] | None = None
    workers: int | None = None
    progress: bool = True

    def __post_init__(self) -> None:
        self.__dict__["seed"] = number("seed", self.seed, 0, 2**64 - 1)  # frozen for others
        self.__dict__["difficulty"] = number("difficulty", self.difficulty, 0, 2, float)
        if self.workers is not None:
            number("workers", self.workers, 1, 64 + joblib.cpu_count())

    def run(self, jobs: Sequence[Callable[[], Any]], what: str) -> Iterator[Any]:
        return run_jobs(operator.call, jobs, description=what, workers=self.workers, progress=self.progress)

    def key(self) -> dict[str, Any]:
        """What of the source decides which patches come out: a part of the key of the cache."""
        return {"seed": self.seed, "building": VERSION, "renderer": airfield.VERSION}


def build(recipe: Recipe, source: Any, scale: float) -> ArraysAndNotes:
    """The images, labels and sites of both splits, and notes on what could be built."""
    (train, of_train), (test, of_test) = (build_split(recipe, source, scale, split) for split in SPLITS)
    return train | test, {"train": of_train, "test": of_test}


def build_split(recipe: Recipe, source: Any, scale: float, split: str) -> ArraysAndNotes:
    """The arrays of a split, its patches in random order, and notes."""
    size = max(20, round(getattr(recipe, split) * scale))
    positives = round(size * recipe.share)
    negatives = size - positives
    seed = (source.seed, SPLITS.index(split))
    scenes = source.scenes(split, recipe.views, scale)
    most = _most_positives(scenes, positives)
    ends = [negatives * i // len(scenes) for i in range(len(scenes) + 1)]  # even shares of the background
    sizes = zip(scenes, most, np.diff(ends), strict=True)
    jobs = [partial(cut_scene, *three, (*seed, i)) for i, three in enumerate(sizes)]
    rng = np.random.default_rng(seed)
    images = np.empty((size, PATCH, PATCH, 3), np.uint8)
    labels = np.zeros(size, np.uint8)
    sites = np.empty(size, object)
    rows = rng.permutation(size)  # where each patch goes: first all background, then the aircraft
    candidates: list[tuple[np.ndarray, str]] = []  # image and site
    counted: list[np.ndarray] = []  # the repeats of the candidates, of each scene
    for i, (site, background, shown, again) in enumerate(source.run(jobs, f"building {recipe.name} {split}")):
        place = rows[ends[i] : ends[i + 1]]
        images[place], sites[place] = background, site
        candidates += [(image, site) for image in shown]
        counted.append(again)
    repeats = np.concatenate(counted)
    # Every aircraft gives its first view before any gives its second, so all are used equally often.
    chosen = np.lexsort((rng.random(len(repeats)), repeats))[:positives]  # by repeats, then at random
    if len(chosen) < positives:
        found = f"the scenes give only {len(chosen)} different windows with an aircraft, not {positives}"
        raise InputError(f"{recipe.name} {split}: {found}; give more or other sites, or a smaller scale")
    for row, k in zip(rows[negatives:], chosen, strict=True):
        images[row], sites[row] = candidates[k]
        labels[row] = 1
    different = int((repeats[chosen] == 0).sum())
    notes = {"patches": size, "aircraft": different, "recut": round(1 - different / positives, 4)}
    notes |= {"scenes": len(scenes), "sites": len(set(sites))}
    columns = zip(COLUMNS, (images, labels, sites.astype(str)), strict=True)
    return {f"{split}_{what}": array for what, array in columns}, notes


def cut_scene(scene: Scene | Render, positives: int, negatives: int, seed: tuple[int, ...]) -> tuple:
    """Site; background (N, 64, 64, 3) and aircraft (P, 64, 64, 3), P <= positives; repeats (P,)."""
    scene = scene if isinstance(scene, Scene) else scene()
    rng = np.random.default_rng(seed)
    shown, repeats = patches.sample_positive(scene, positives, rng)
    background = patches.sample_negative(scene, negatives, rng)
    if len(background) < negatives:
        found = f"{scene.width} x {scene.height} m has room for only {len(background)} of {negatives}"
        raise InputError(f"{scene.name}: {found} background patches; give more or larger scenes")
    return scene.site, patches.cut(scene.image, *background.T), patches.cut(scene.image, *shown.T), repeats


def run_jobs(
    function: Callable, jobs: Sequence, *, description: str, workers: int | None = None, progress: bool = True
) -> Iterator[Any]:
    """Yield function(job) for each job, in their order. workers: processes, None for one a core."""
    # joblib's loky starts clean ones: safe beside torch, and from a notebook or a script without a guard.
    pool = joblib.Parallel(
        n_jobs=max(1, min(workers or joblib.cpu_count(), len(jobs))), return_as="generator", batch_size=1,
        max_nbytes=None, idle_worker_timeout=30, initializer=_start_worker, initargs=(os.getpid(),),
    )  # fmt: skip
    results = pool(joblib.delayed(function)(job) for job in jobs)
    try:
        yield from tqdm(results, description, len(jobs), disable=not progress, leave=False, unit="scene")
    except BrokenProcessPool as error:
        raise RuntimeError("a worker process was killed (is memory short?); give workers=1") from error


def _most_positives(scenes: Sequence[Scene | Render], positives: int) -> list[int]:
    """How many patches with an aircraft to cut from each scene, so that `build_split` can choose evenly."""
    known = [patches.usable(scene) for scene in scenes if isinstance(scene, Scene)]
    if known:
        views = -(-positives // max(1, sum(known))) + 1  # one to spare: two aircraft can share a window
        return [views * aircraft for aircraft in known]
    # Not known before rendering: three times the mean from each, so that a third of the scenes would do.
    return [min(positives, max(64, 3 * positives // len(scenes)))] * len(scenes)


def _start_worker(parent: int) -> None:  # pragma: no cover  (only workers run this)
    """End this worker when its parent was killed; it would wait for ever to hand over its result."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
    cv2.setNumThreads(1)  # there is a process for each core already
