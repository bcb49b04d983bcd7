"""Part 1: some hundreds of commands with bad inputs, each in a process and a folder of its own."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from torture import (
    bad_arrays,
    bad_images,
    bad_models,
    bad_names,
    bad_options,
    bad_places,
    bad_texts,
    environment,
    process,
)
from torture.cases import Case, Faults, Outcome, judge

Tried = tuple[Case, Outcome, Faults]
SOURCES = (bad_images, bad_arrays, bad_models, bad_texts, bad_places, bad_names, bad_options, environment)


def cases(seed: int) -> Iterator[Case]:
    """All of them; the seed draws the order, so that what fits into the time is a sample of the whole."""
    found = [case for source in SOURCES for case in source.cases()]
    random.Random(seed).shuffle(found)
    yield from found


def tried(work: Path, seed: int, deadline: float, wanted: Callable[[Case], bool]) -> Iterator[Tried]:
    """Each case that is wanted, with its outcome and what is wrong with it."""
    chosen = [case for case in cases(seed) if wanted(case)]
    for case, outcome in process.run_all(chosen, work, deadline):
        yield case, outcome, judge(case, outcome)
