"""`aircraft data`: build or load a data set, and say what is in it."""

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from aircraft import InputError
from aircraft.cli.options import Answer, Json, Progress, Root, Scale, Source, table

NAMES = ("toy", "imbalanced", "tiles")


def data(
    what: Annotated[str, typer.Argument(metavar="toy|imbalanced|tiles|all", help="Which data set.")],
    source: Source = "synthetic",
    root: Root = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE.npz", help="Write the data set to a file as well.")
    ] = None,
    scale: Scale = 1.0,
    progress: Progress = True,
    json: Json = False,
) -> Answer:
    """Build a data set, or load it from the cache, and print its sizes."""
    if what not in (*NAMES, "all"):
        raise InputError(f"unknown data set {what!r}; take {', '.join(NAMES)} or all")
    if export and what == "all":
        raise InputError(
            f"{export}: one file holds one data set; export toy, imbalanced and tiles one by one"
        )
    if export and export.suffix != ".npz":
        raise InputError(f"{export}: the name of an exported data set ends in .npz")
    from aircraft import datasets
    from aircraft.cli import runs
    from aircraft.datasets import storage

    values: dict[str, Any] = {}
    rows: list[tuple[Any, ...]] = [("set", "part", "images", "aircraft", "sites", "")]
    for name in NAMES if what == "all" else (what,):
        started = time.perf_counter()
        if name == "tiles":
            count = max(6, round(datasets.TILES * scale))
            loaded: Any = datasets.load_tiles(source, root, count=count, progress=progress)
            values[name] = {"test": _tiles(loaded)}
        else:
            loaded = runs.Data(name, source, root, scale).patches(progress)
            values[name] = {
                "train": _patches(loaded.train),
                "test": _patches(loaded.test),
                "notes": loaded.notes,
            }
        seconds = round(time.perf_counter() - started, 2)
        values[name]["seconds"] = seconds
        for part in ("train", "test"):
            if facts := values[name].get(part):
                share = (
                    f"{facts['share']:.1%} of patches" if "share" in facts else f"{facts['aircraft']} in all"
                )
                rows.append((name, part, facts["images"], share, facts["sites"], f"{seconds} s"))
    if export:
        datasets.export_npz(loaded, export)
    cache = str(storage.folder())
    text = f"{table(rows)}\ncache: {cache}" + (f"\nwritten: {export}" if export else "")
    text += f"\nnext: aircraft train --data {'imbalanced' if what in ('tiles', 'all') else what} --out RUN"
    return Answer(
        {"source": source, "cache": cache, "export": export and str(export), "sets": values}, text, json
    )


def _patches(patches: Any) -> dict[str, Any]:
    sites = set(patches.sites.tolist()) - {""}
    return {
        "images": len(patches),
        "aircraft": int(patches.labels.sum()),
        "share": round(float(patches.labels.mean()), 4),
        "sites": len(sites),
    }


def _tiles(tiles: list[Any]) -> dict[str, Any]:
    return {
        "images": len(tiles),
        "aircraft": sum(len(tile.boxes) for tile in tiles),
        "without": sum(len(tile.boxes) == 0 for tile in tiles),
        "sites": len({tile.site for tile in tiles} - {""}),
    }
