"""Benchmark 6, ingredients: what each idea of the detector brings on test tiles, changed one at a time.

Every variant chooses its threshold on tiles of the validation sites; the test tiles are looked at once each.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from aircraft import datasets, detection, models, patches, training
from aircraft.cli import runs
from aircraft.detection import DetectionReport, Detections
from aircraft.scenes import Scene
from aircraft.training.settings import Settings
from aircraft_bench import mirrors
from aircraft_bench.mining import hard_examples, join
from aircraft_bench.options import Options
from aircraft_bench.tables import Part, Row

VARIANTS: dict[str, dict[str, Any]] = {  # settings of `detection.detect`, or what to call instead of it
    "as it is (stride 8, smoothing 4 m)": {},
    "stride 16": {"stride": 16},
    "stride 4": {"stride": 4},
    "no smoothing": {"smooth": 0.0},
    "mean over mirror images": {"find": mirrors.detect},
    "bfloat16": {"amp": True},
}
MINED = "learned with hard examples from tiles"
MINING_TILES = 200  # of training sites
QUICK_SCALE, QUICK_TILES = 0.01, 6
F1, COUNTS = 0.80, 1.0  # targets of the detector as it is: best F1, count error at the chosen threshold


def measure(options: Options) -> Iterator[Part]:
    """Train with and without hard examples, detect in every variant."""
    scale = QUICK_SCALE if options.quick else 1.0
    source = runs.Data("imbalanced", options.source, options.root, scale)
    data = source.patches(options.progress)
    learn, val = datasets.split(data.train, fraction=runs.VALIDATION, seed=0)
    show = options.progress
    chosen = source.tiles("validation", sorted(set(val.sites)), show)
    judged = source.tiles("test", progress=show)
    mine = datasets.load_tiles(
        options.source, options.root, split="validation", sites=sorted(set(learn.sites)),
        count=QUICK_TILES if options.quick else MINING_TILES, progress=show,
    )  # fmt: skip

    network = _train(learn, val, options)
    reports = {name: judge(network, chosen, judged, **how) for name, how in VARIANTS.items()}
    hard = hard_examples([_found(network, tile)[0] for tile in mine], mine)
    if len(hard):
        taught = _train(join([learn, hard]), val, options)
        reports[MINED] = judge(taught, chosen, judged)
    yield _part(reports, len(judged), len(mine), len(hard), options)


def judge(
    network: models.Network, chosen: list[Scene], judged: list[Scene], **how: Any
) -> tuple[DetectionReport, float]:
    """The figures on `judged` at the threshold of the best F1 on `chosen`, and seconds a tile."""
    threshold = detection.choose_threshold([_found(network, tile, **how)[0] for tile in chosen], chosen)
    found, seconds = zip(*(_found(network, tile, **how) for tile in judged), strict=True)
    return detection.evaluate(list(found), judged, threshold), float(np.median(seconds))


def _found(
    network: models.Network, tile: Scene, find: Callable[..., Detections] = detection.detect, **how: Any
) -> tuple[Detections, float]:
    started = time.perf_counter()
    found = find(network, tile.image, runs.LOWEST, **how)
    return found, time.perf_counter() - started


def _train(learn: patches.Patches, val: patches.Patches, options: Options) -> models.Network:
    settings = Settings(device="cpu")
    if options.quick:
        settings = replace(settings, epochs=1, batch_size=64)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = models.build("patch_net")
    training.fit(network, learn, val, settings=settings, progress=options.progress)
    return network


def _part(
    reports: dict[str, tuple[DetectionReport, float]], tiles: int, mined: int, hard: int, options: Options
) -> Part:
    rows: list[Row] = []
    for number, (name, (report, seconds)) in enumerate(reports.items()):
        least, most = (F1, COUNTS) if number == 0 else (None, None)
        rows += [
            Row(f"{name}: best F1", [report.best_F1], "", least=least),
            Row(f"{name}: AP", [report.AP], ""),
            Row(f"{name}: F1 at the chosen threshold", [report.F1], ""),
            Row(f"{name}: count error", [report.count_error], "a tile", most=most),
            Row(f"{name}: time", [1000 * seconds], "ms a tile"),
        ]
    notes = [
        f"{options.source}: {tiles} test tiles; thresholds from tiles of the validation sites; seed 0, one "
        "training each, so differences of about 0.01 are noise.",
        f"Hard examples: {hard} false alarms on {mined} tiles of the sites learned from, added as "
        "background; then trained anew.",
    ]
    raw = {name: report.to_dict() | {"seconds": seconds} for name, (report, seconds) in reports.items()}
    return Part("Detection: what each ingredient brings", rows, notes, raw)
