"""`aircraft data`: build or load a data set, and say what is in it."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aircraft import InputError
from aircraft.cli import options
from aircraft.cli.options import Answer, table

if TYPE_CHECKING:
    from aircraft.datasets import Patches
    from aircraft.scenes import Scene

NAMES = ("toy", "imbalanced", "tiles")


def data(
    what: options.What,
    source: options.Source = "synthetic",
    root: options.Root = None,
    export: options.Export = None,
    force: options.Foreign = False,
    scale: options.Scale = 1.0,
    progress: options.Progress = True,
    json: options.Json = False,
) -> Answer:
    """Build a data set, or load it from the cache, and print its sizes."""
    if export and what == "all":
        raise InputError(f"{export}: one file holds one data set; export them one by one")
    if export and export.suffix != ".npz":
        raise InputError(f"{export}: the name of an exported data set ends in .npz")
    from aircraft import datasets
    from aircraft.cli import outputs, runs
    from aircraft.datasets import storage

    outputs.check([export] if export else [], [Path(source)], "give another file for --export", force)
    sets: dict[str, Any] = {}
    rows: list[tuple[object, ...]] = [("set", "part", "images", "aircraft", "sites", "")]
    for name in NAMES if what == "all" else (what,):
        started = time.perf_counter()
        if name == "tiles":
            loaded: Any = runs.load_tiles(source, root, scale, progress=progress)
            parts, notes = {"test": _of_tiles(loaded)}, {}
        else:
            loaded = runs.Data(name, source, root, scale).patches(progress)
            parts = {"train": _of_patches(loaded.train), "test": _of_patches(loaded.test)}
            notes = {"notes": loaded.notes}
        seconds = round(time.perf_counter() - started, 2)
        sets[name] = parts | notes | {"seconds": seconds}
        for part, facts in parts.items():
            rows.append((name, part, facts["images"], facts["aircraft"], facts["sites"], f"{seconds} s"))
    if export:
        datasets.export_npz(loaded, export)
    cache = str(storage.folder())
    text = f"{table(rows)}\ncache: {cache}" + (f"\nwritten: {export}" if export else "")
    name = "imbalanced" if what in ("tiles", "all") else str(export or what)
    text += f"\nnext: aircraft train --data {name} --out RUN"
    values = {"source": source, "cache": cache, "export": export and str(export), "sets": sets}
    return Answer(values, text, json)


def _of_patches(patches: "Patches") -> dict[str, Any]:
    aircraft, share = int(patches.labels.sum()), round(float(patches.labels.mean()), 4)
    sites = len(set(patches.sites.tolist()) - {""})
    return {"images": len(patches), "aircraft": aircraft, "share": share, "sites": sites}


def _of_tiles(tiles: "Sequence[Scene]") -> dict[str, Any]:
    counts = [len(tile.boxes) for tile in tiles]
    sites = len({tile.site for tile in tiles} - {""})
    return {"images": len(tiles), "aircraft": sum(counts), "without": counts.count(0), "sites": sites}
