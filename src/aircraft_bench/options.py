"""What a benchmark is told: where the data come from, and how often to repeat; `quick` makes all of it small.

A quick run shows that everything works. Its figures are no results.
"""

from dataclasses import dataclass
from pathlib import Path

from aircraft import InputError


@dataclass(frozen=True, kw_only=True)
class Options:
    """source, root: as for `aircraft train`. seeds: trainings of each contender. repeats: of short timings.

    Raises InputError for a number below 1.
    """

    out: Path = Path("outputs/bench")
    source: str = "synthetic"
    root: str | None = None
    seeds: int = 3
    repeats: int = 7
    quick: bool = False
    progress: bool = True

    def __post_init__(self) -> None:
        for name in ("seeds", "repeats"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} is {getattr(self, name)}; measure at least once")
