"""Benchmark 4, rendering: tiles on one and two processes, the imbalanced set, loading it from the cache.

The set is built in a cache of its own, in a temporary folder, so that every run does all the work.
"""

import os
import time
from collections.abc import Iterator
from tempfile import TemporaryDirectory
from unittest.mock import patch

from aircraft import datasets
from aircraft.datasets import building, storage, synthetic
from aircraft.patches import TILE
from aircraft_bench.measuring import interleave, ratios
from aircraft_bench.options import Options
from aircraft_bench.tables import Part, Row

TILES, QUICK_TILES = 48, 4  # a repetition; different sites, a sixth of them without an airport
FIRST_VIEW = 300  # views that no data set shows
ROUNDS = 3  # of rendering; more tell little, for each takes seconds
QUICK_SCALE = 0.01  # of the imbalanced set
PER_SECOND, BUILD = 8.0, 120.0  # targets: tiles a second on two processes; seconds for the set


def measure(options: Options) -> Iterator[Part]:
    """Rates of rendering and loading."""
    seconds, count = tiles(options)
    rates = {name: [count / s for s in values] for name, values in seconds.items()}
    rows = [
        Row(f"tiles of {TILE} x {TILE}, {name}", values, "a second", least=least)
        for (name, values), least in zip(rates.items(), (None, PER_SECOND), strict=True)
    ]
    rows.append(Row("two processes / one", ratios(*reversed(list(rates.values()))), "x"))
    scale = QUICK_SCALE if options.quick else 1.0
    with TemporaryDirectory() as folder, patch.dict(os.environ, {storage.ENVIRONMENT: folder}):
        started = time.perf_counter()
        data = datasets.load_imbalanced(scale=scale, progress=options.progress)
        build = time.perf_counter() - started
        patches = len(data.train) + len(data.test)
        loads = interleave(
            {"load": lambda: datasets.load_imbalanced(scale=scale, progress=False)},
            2 if options.quick else options.repeats,
        )["load"]
    set_name = f"imbalanced set, {patches:,} patches"
    target = None if options.quick else BUILD
    rows += [
        Row(f"{set_name}: rendered and cut", [build], "s", most=target),
        Row(f"{set_name}: patches", [patches / build], "a second"),
        Row(f"{set_name}: loaded from the cache", loads, "s"),
    ]
    notes = [
        f"{count} tiles a repetition, each of another site, by workers that are already running.",
        "Loading checks the hash of every byte, then maps the file.",
    ]
    yield Part("Rendering", rows, notes, {"tiles": seconds, "build": build, "loads": loads})


def tiles(options: Options) -> tuple[dict[str, list[float]], int]:
    """Seconds for the tiles of a repetition on one and on two processes, and how many tiles these are."""
    count = QUICK_TILES if options.quick else TILES

    def run(workers: int) -> None:
        jobs = range(count)
        list(building.run_jobs(render, jobs, description="tiles", workers=workers, progress=False))

    # Of the two, the one with two processes runs last before it is timed, or its workers would have ended.
    found = interleave(
        {"one process": lambda: run(1), "two processes": lambda: run(2)},
        1 if options.quick else ROUNDS,
        least=0,
        description="rendering",
        progress=options.progress,
    )
    return found, count


def render(site: int) -> None:
    """One tile; the picture stays in the worker, so that only drawing is timed."""
    synthetic.render(site, FIRST_VIEW, TILE)
