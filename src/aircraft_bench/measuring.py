"""Fair clocks: contenders take turns, a figure comes with its spread, and the machine is written down.

On a machine with other work all contenders of a repetition suffer alike, so ratios are taken within one.
"""

import math
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

LEAST = 0.2  # seconds; shorter calls are repeated that long and their mean is taken


def ratios(above: Sequence[float], below: Sequence[float]) -> list[float]:
    """The quotients of values that were measured in the same repetition."""
    return [a / b for a, b in zip(above, below, strict=True)]


def interleave(
    contenders: Mapping[str, Callable[[], object]],
    repeats: int,
    *,
    least: float = LEAST,
    description: str = "",
    progress: bool = False,
) -> dict[str, list[float]]:
    """Seconds of a call of each contender, `repeats` values each: all of them once, then all again.

    Every contender is called once before, untimed: caches fill, libraries choose their ways. Each repetition
    begins with another contender, so that none always follows the same one.
    """
    names = list(contenders)
    calls = {name: max(1, math.ceil(least / max(_seconds(contenders[name]), 1e-9))) for name in names}
    found: dict[str, list[float]] = {name: [] for name in names}
    bar = tqdm(total=repeats * len(names), desc=description, disable=not progress, leave=False)
    for repetition in range(repeats):
        first = repetition % len(names)
        for name in names[first:] + names[:first]:
            found[name].append(_seconds(contenders[name], calls[name]))
            bar.update()
    bar.close()
    return found


def peak_memory() -> int:
    """Bytes of the largest resident memory that this process has had.

    On Linux from /proc: getrusage's figure survives exec, so that a child of a large process would begin
    with its parent's peak.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) * 1024
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def machine() -> dict[str, Any]:
    """What the figures depend on: processor, cores, threads, versions."""
    import torch

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "threads": torch.get_num_threads(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("torch", "torchvision", "numpy", "sahi")},
    }


def load() -> list[float]:
    """Load averages of the last 1, 5 and 15 minutes: what other work the machine had."""
    return [round(value, 2) for value in os.getloadavg()] if hasattr(os, "getloadavg") else []


def _seconds(call: Callable[[], object], times: int = 1) -> float:
    started = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - started) / times


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
