"""Part 3: one bit flipped in a file: the same answer as of the whole file, or a refusal; never another one.

A cache may also be mended, with a note. Where a format has no sum (JPEG, TIFF) pixels may
honestly change: then there is only no crash.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from torture import process, workshop
from torture.cases import Case, Faults, Outcome, judge
from torture.results import digest

Tried = tuple[Case, Outcome, Faults]
Answer = Callable[[Path, Outcome], object]
After = Callable[[Path, Outcome], Faults]


@dataclass(frozen=True)
class Target:
    """A file, the command that reads it, what its answer is, and where in the file to flip (shares of it)."""

    name: str
    file: str
    words: tuple[str, ...]
    flips: int
    good: tuple[str, ...]
    answer: Answer
    head: float = 0.0  # share of the flips that hit the first 4,000 bytes
    honest: bool = False  # the format has no sum
    env: tuple[tuple[str, str], ...] = ()


def _printed(home: Path, outcome: Outcome) -> object:
    """What --json printed, without clocks, and the results in out/."""
    values = json.loads(outcome.out)
    for part in values.get("sets", {}).values():
        part.pop("seconds", None)
    return values, digest(home)


def _run(home: Path, outcome: Outcome) -> object:
    """The weights and figures of the run."""
    return {name: mark for name, mark in digest(home).items() if "tensorboard" not in name}


def targets() -> list[Target]:
    detect = ("detect", "model.safetensors", "good.png", "--out", "out", "--json", "--no-progress")
    judged = ("evaluate", "model.safetensors", "--json", "--no-progress")
    resume = ("train", "--data", "patches.npz", "--out", "out", "--resume", *workshop.LEARN)
    model, cache = ("model.safetensors", "good.png"), (("AIRCRAFT_DATA", "cache"),)
    patches, tiles = (model[0], "patches.npz"), (model[0], "tiles.npz")
    toy = next((workshop.GOODS / "cache").glob("toy-*[!k]")).name
    data = ("data", "toy", "--export", "out/toy.npz", "--json", *workshop.SMALL)
    found = [
        Target("model, header", "model.safetensors", detect, 150, model, _printed, head=1.0),
        Target("model, weights", "model.safetensors", detect, 200, model, _printed),
        Target("checkpoint", "out/checkpoint.pt", resume, 60, ("patches.npz",), _run, head=0.2),
        Target("npz", "patches.npz", (*judged, "--npz", "patches.npz"), 80, patches, _printed, 0.4),
        Target("tiles", "tiles.npz", (*judged, "--tiles", "tiles.npz"), 20, tiles, _printed, 0.4),
        Target("PNG", "good.png", detect, 80, model, _printed, head=0.3),
        Target("cache, meta.json", f"cache/{toy}/meta.json", data, 80, ("cache",), _printed, env=cache),
    ]  # fmt: skip
    for suffix in ("jpg", "tif"):
        words = (*detect[:2], f"good.{suffix}", *detect[3:])
        found.append(
            Target(
                suffix.upper(),
                f"good.{suffix}",
                words,
                80,
                ("model.safetensors", f"good.{suffix}"),
                _printed,
                0.5,
                True,
            )
        )
    for array in sorted(json.loads(workshop.good(f"cache/{toy}/meta.json"))["files"]):
        name = f"cache/{toy}/{array}.npy"
        found.append(Target(f"cache, {array}", name, data, 12, ("cache",), _printed, head=0.4, env=cache))
    return found


def tried(work: Path, seed: int, deadline: float, wanted: Callable[[Case], bool]) -> Iterator[Tried]:
    """Each flip, beside the answer for the whole file."""
    _more_goods()
    todo: list[Case] = []
    for target in targets():
        whole: list[object] = []
        case = _case(target, "whole", partial(_keep, target, whole))
        if not wanted(case):
            continue
        outcome = process.run(case, work / "whole")
        yield case, outcome, judge(case, outcome)
        if whole:
            todo += _flips(target, whole[0], seed)
    random.Random(seed).shuffle(todo)
    for case, outcome in process.run_all([case for case in todo if wanted(case)], work, deadline):
        yield case, outcome, judge(case, outcome)


def _keep(target: Target, whole: list[object], home: Path, outcome: Outcome) -> Faults:
    whole.append(target.answer(home, outcome))
    return []


def _compare(target: Target, whole: object, home: Path, outcome: Outcome) -> Faults:
    if outcome.code != 0 or target.honest:
        return []
    try:
        answer = target.answer(home, outcome)
    except ValueError as error:
        return [f"the answer is no JSON: {error}"]
    return [] if answer == whole else [f"another answer, with exit code 0: {outcome.out[:150]!r}"]


def _flips(target: Target, whole: object, seed: int) -> Iterator[Case]:
    draw = random.Random(f"{seed} {target.name}")
    data = _content(target)
    for number in range(target.flips):
        most = min(len(data), 4000) if number < target.head * target.flips else len(data)
        at, bit = draw.randrange(most), draw.randrange(8)
        what = f"bit {bit} of byte {at}"
        yield _case(target, what, partial(_compare, target, whole), partial(_flip, target, at, bit))


def _flip(target: Target, at: int, bit: int, home: Path) -> None:
    flipped = bytearray(_content(target))
    flipped[at] ^= 1 << bit
    (home / target.file).parent.mkdir(parents=True, exist_ok=True)
    (home / target.file).write_bytes(flipped)


def _case(target: Target, what: str, after: After, make: Callable[[Path], None] | None = None) -> Case:
    files = {target.file: _content(target)} if make is None else {}
    expect = "done" if make is None else "any"
    return Case(
        f"bits: {target.name}", what, target.words, (), expect, target.good, files, make, after=after,
        env=dict(target.env), tolerates=("home/cache", "home/out") if target.env else (), seconds=60,
    )  # fmt: skip


def _content(target: Target) -> bytes:
    return workshop.good("run/checkpoint.pt" if target.name == "checkpoint" else target.file)


def _more_goods() -> None:
    """A TIFF beside the other good files."""

    def make() -> None:
        import numpy as np
        from PIL import Image

        pixels = Image.open(workshop.GOODS / "good.png").convert("RGB")
        assert np.asarray(pixels).size
        pixels.save(workshop.GOODS / "good.tif", compression="tiff_deflate")

    process.in_copy(make)
