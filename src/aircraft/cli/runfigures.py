"""The figures of a run, written into its folder as PNG; the report shows these files.

Each is a pair of path and alternative text, which repeats the title: titles say the message.
"""

from collections.abc import Mapping, Sequence
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
SHOWN = 8  # tiles with their hits, misses and false alarms


def write(run: Run) -> dict[str, Figure]:
    """Learning curves and everything about the test patches, as {name: (path, alt)}."""
    images, labels = run.patches.test.images, run.patches.test.labels
    scores, at = run.test_scores, run.test.threshold
    drawings = {
        "learning_curves": plotting.learning_curves(run.history),
        "confusion_matrix": plotting.confusion_matrix(run.test),
        "roc": plotting.roc(labels, scores, at),
        "precision_recall": plotting.precision_recall(labels, scores, at),
        "scores": plotting.score_histograms(labels, scores, at),
        "misclassified": plotting.misclassified(images, labels, scores, at),
    }
    return save(run.folder, drawings)


def samples(folder: Path, train: Patches, tiles: Sequence[Scene], seed: int = 0) -> dict[str, Figure]:
    """What the data look like: 24 aircraft, 24 background patches, and the tiles with their true boxes."""
    rng = np.random.default_rng(seed)
    drawings = {}
    for label, name in ((1, "aircraft"), (0, "background")):
        index = np.flatnonzero(train.labels == label)
        index = np.sort(rng.choice(index, min(24, len(index)), replace=False))
        title = f"{len(index)} patches of {name}"
        drawings[f"samples_{name}"] = plotting.patch_grid(train.images[index], columns=8, title=title)
    drawings["tiles"] = plotting.tiles_overview(tiles)
    return save(folder, drawings)


def detections(
    folder: Path, tiles: Sequence[Scene], found: Sequence[detection.Detections], threshold: float
) -> dict[str, Figure]:
    """Counts against truth, all tiles at a glance, and the most telling ones with hits and errors."""
    kept = [f.above(threshold) for f in found]
    matches = [detection.match(f, tile) for f, tile in zip(kept, tiles, strict=True)]
    judged = [np.delete(f.centers, m.ignored, axis=0) for f, m in zip(kept, matches, strict=True)]
    drawings = {
        "counts": plotting.counts([len(points) for points in judged], [len(tile.boxes) for tile in tiles]),
        "tiles_found": plotting.tiles_overview(tiles, judged),
    }
    for i in _telling(tiles, matches)[:SHOWN]:
        drawings[f"tile_{i + 1:02d}"] = plotting.detections(tiles[i], kept[i], matches[i])
    return save(folder, drawings)


def save(folder: Path, drawings: Mapping[str, Any]) -> dict[str, Figure]:
    """Write each drawing to folder/figures/name.png, and close it."""
    figures = {}
    for name, drawing in drawings.items():
        titles = [ax.get_title(loc="left") for ax in plotting.figure_of(drawing).axes]
        alt = f"{name.replace('_', ' ')}: {', '.join(titles)}"
        figures[name] = (plotting.save(drawing, folder / FOLDER / f"{name}.png", dpi=DPI), alt)
    return figures


def _telling(tiles: Sequence[Scene], matches: Sequence[detection.Match]) -> list[int]:
    """Tiles to look at first: by turns the one with the most aircraft and the one with the most errors."""
    aircraft = [len(tile.boxes) for tile in tiles]
    errors = [len(m.misses) + len(m.false_alarms) for m in matches]
    order = np.argsort(np.negative([aircraft, errors]), axis=1, kind="stable")  # (2, tiles)
    return list(dict.fromkeys(order.T.ravel().tolist()))
