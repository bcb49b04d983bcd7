"""All benchmarks, one after the other; after each the files are written, so that nothing is lost."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from aircraft import InputError
from aircraft_bench import measuring, tables
from aircraft_bench.options import Options

PARTS = {  # the quick ones first
    "startup": "startup",
    "detection": "detecting",
    "rendering": "rendering",
    "scale": "scaling",
    "ingredients": "ingredients",
    "learning": "learning",
}

NEEDS = {  # said at once, not in an hour
    "detection": ("sahi", "pip install fire shapely && pip install --no-deps sahi"),
    "scale": ("rasterio", "pip install rasterio"),
}


def run(names: Sequence[str], options: Options) -> dict[str, Any]:
    """Measure the named parts; returns what DIR/bench.json holds.

    Raises InputError, before any work, where a package is missing.
    """
    for name, (package, remedy) in NEEDS.items():
        if name in names:
            try:
                import_module(package)
            except ImportError as error:
                raise InputError(f"the {name} benchmark needs {package} ({error}); {remedy}") from None
    parts = tables.read(options.out)
    values: dict[str, Any] = {}
    for name in (name for name in PARTS if name in names):
        module = import_module(f"aircraft_bench.{PARTS[name]}")
        for part in _described(module.measure, options):
            values = tables.write(options.out, parts | {name: part})
        parts = values["parts"]
    return values


def _described(
    measure: Callable[[Options], Iterator[tables.Part]], options: Options
) -> Iterator[dict[str, Any]]:
    """The part as a dict, with when, where and under which load it was measured."""
    before, started = measuring.load(), time.perf_counter()
    for part in measure(options):
        yield part.to_dict() | {
            "machine": measuring.machine(),
            "load_before": before,
            "load_after": measuring.load(),
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - started, 1),
            "quick": options.quick,
        }
