"""What a benchmark is told: where the data come from, and how often to repeat; `quick` makes all of it small.

A quick run shows that everything works. Its figures are no results.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """source, root: as for `aircraft train`; seeds: trainings a contender; repeats: of short timings."""

    out: Path = Path("outputs/bench")
    source: str = "synthetic"
    root: str | None = None
    seeds: int = 3
    repeats: int = 7
    quick: bool = False
    progress: bool = True
