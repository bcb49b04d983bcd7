"""The figures of a run, written into its folder as PNG; the report shows these files.

Each is a pair of path and alternative text.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aircraft import detection, plotting
from aircraft.cli.runs import Run
from aircraft.datasets import Patches
from aircraft.scenes import Scene

Figure = tuple[Path, str]
FOLDER = "figures"
DPI = 110  # tiles of 512 pixels are then drawn at 1.5 times their size, and a report is some 10 MB


def write(run: Run) -> dict[str, Figure]:
    """Learning curves and everything about the test patches, as {name: (path, alt)}."""
    test = run.patches.test
    report, scores, at = run.test, run.test_scores, run.test.threshold
    drawings: dict[str, tuple[Any, str]] = {
        "learning_curves": (
            plotting.learning_curves(run.history),
            f"Loss and validation scores of {len(run.history)} epochs; the best is {run.history.best_epoch}.",
        ),
        "confusion_matrix": (
            plotting.confusion_matrix(report),
            "Confusion matrix of the test patches: (tn, fp), (fn, tp) = {}, {}.".format(*report.confusion),
        ),
        "roc": (
            plotting.roc(test.labels, scores, at),
            f"ROC curve of the test patches, AUC {report.AUC:.3f}, with the threshold {at:.3f}.",
        ),
        "precision_recall": (
            plotting.precision_recall(test.labels, scores, at),
            f"Precision-recall curve of the test patches, AP {report.AP:.3f}, with the threshold {at:.3f}.",
        ),
        "scores": (
            plotting.score_histograms(test.labels, scores, at),
            "Histograms of the scores of background and aircraft.",
        ),
        "reliability": (
            plotting.reliability(test.labels, scores),
            "Observed share of aircraft against the score.",
        ),
        "misclassified": (
            plotting.misclassified(test.images, test.labels, scores, at),
            "The worst errors on the test patches: aircraft missed, and false alarms.",
        ),
    }
    return save(run.folder, drawings)


def samples(folder: Path, train: Patches, tiles: Sequence[Scene], seed: int = 0) -> dict[str, Figure]:
    """What the data look like: 24 aircraft, 24 background patches, and the tiles with their true boxes."""
    rng = np.random.default_rng(seed)
    drawings: dict[str, tuple[Any, str]] = {}
    for label, name in ((1, "aircraft"), (0, "background")):
        index = np.flatnonzero(train.labels == label)
        index = np.sort(rng.choice(index, min(24, len(index)), replace=False))
        grid = plotting.patch_grid(train.images[index], columns=8, title=f"{len(index)} patches of {name}")
        drawings[f"samples_{name}"] = (grid, f"{len(index)} training patches labelled {name}.")
    overview = plotting.tiles_overview(tiles)
    drawings["tiles"] = (overview, f"{len(tiles)} test tiles with boxes on the true aircraft.")
    return save(folder, drawings)


def detections(
    folder: Path,
    tiles: Sequence[Scene],
    found: Sequence[detection.Detections],
    threshold: float,
    show: int = 8,
) -> dict[str, Figure]:
    """Counts against truth, all tiles at a glance, and `show` of them with hits, misses and false alarms."""
    kept = [f.above(threshold) for f in found]
    counts, truth = [len(f) for f in kept], [len(tile.boxes) for tile in tiles]
    drawings: dict[str, tuple[Any, str]] = {
        "counts": (
            plotting.counts(counts, truth),
            f"Aircraft counted and there on {len(tiles)} tiles: {sum(counts)} and {sum(truth)} in all.",
        ),
        "tiles_found": (
            plotting.tiles_overview(tiles, [f.centers for f in kept]),
            f"{len(tiles)} test tiles; boxes are true aircraft, circles are detections.",
        ),
    }
    for i in _telling(tiles, kept)[:show]:
        matched = detection.match(kept[i], tiles[i])
        alt = (
            f"Tile {tiles[i].name}: {len(matched.hits)} hits, {len(matched.misses)} misses, "
            f"{len(matched.false_alarms)} false alarms."
        )
        drawings[f"tile_{i:02d}"] = (plotting.detections(tiles[i], kept[i], matched), alt)
    return save(folder, drawings)


def save(folder: Path, drawings: dict[str, tuple[Any, str]]) -> dict[str, Figure]:
    """Write each drawing to folder/figures/name.png, and close it."""
    places = {name: folder / FOLDER / f"{name}.png" for name in drawings}
    return {name: (plotting.save(d, places[name], dpi=DPI), alt) for name, (d, alt) in drawings.items()}


def _telling(tiles: Sequence[Scene], found: Sequence[detection.Detections]) -> list[int]:
    """Tiles to look at first: by turns the one with the most aircraft and the one with the most errors."""
    matches = [detection.match(f, tile) for f, tile in zip(found, tiles, strict=True)]
    errors = [len(m.misses) + len(m.false_alarms) for m in matches]
    by_aircraft = sorted(range(len(tiles)), key=lambda i: -len(tiles[i].boxes))
    by_errors = sorted(range(len(tiles)), key=lambda i: -errors[i])
    turns = [i for pair in zip(by_aircraft, by_errors, strict=True) for i in pair]
    return list(dict.fromkeys(turns))
