"""Two processes at a time in one folder: the second training is refused, the first ends as if it were alone.

The first one stops at a write until the second has ended, so that nothing here depends on chance.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from torture import process, workshop
from torture.cases import Case, Faults, Outcome, judge
from torture.process import Running
from torture.results import digest, temporary

Tried = tuple[Case, Outcome, Faults]
TRAIN = ("train", "--data", "patches.npz", "--out", "out", *workshop.LEARN)
DATA = ("data", "toy", *workshop.SMALL)
PATIENCE = 12.0  # seconds in which a process that waits should say for whom


def _second_training(work: Path, case: Case) -> Iterator[Tried]:
    """Of each kind, and at early and late moments of the first one."""
    alone = process.run(_case(case, "alone", TRAIN), work)
    whole = digest(work / "home")
    yield case, alone, judge(_case(case, "alone", TRAIN), alone)
    for moment in ("out/checkpoint.pt", "out/model.safetensors"):
        for words in (
            (*TRAIN, "--force"),
            (*TRAIN, "--resume"),
            TRAIN,
            ("demo", *TRAIN[3:], "--scale", "0.005"),
        ):
            what = f"{' '.join(words[:1] + words[-1:])}, while the first is about to write {moment}"
            first = Running(_case(case, what, TRAIN, partial(waits, moment)), work)
            outcome = _until(first, work / "home/waits")
            if outcome is None:
                before = process.snapshot(work)
                second = replace(_case(case, what, words), expect="refused", names=("out",), seconds=40)
                told = process.run(second, work, again=True)
                faults = judge(second, replace_changed(told, before, process.snapshot(work)))
                (work / "home/go").touch()
                outcome = first.wait()
                if outcome.code != 0:
                    faults.append(f"the first ended with {outcome.code}: {' '.join(outcome.said)[:150]}")
                elif digest(work / "home") != whole:
                    faults.append("the first ended with another result")
                yield second, told, faults
            else:
                yield (
                    first.case,
                    outcome,
                    [f"the first never came to {moment}: {' '.join(outcome.said)[:150]}"],
                )


def replace_changed(outcome: Outcome, before: dict[str, str], after: dict[str, str]) -> Outcome:
    """The outcome, with what changed between these snapshots."""
    outcome.changed = tuple(process.difference(before, after))
    return outcome


def _second_builder(work: Path, case: Case) -> Iterator[Tried]:
    """A builder is stopped (Ctrl-Z, say): the next says for whom it waits, and goes on when that one dies."""
    environment = {"AIRCRAFT_DATA": "cache"}
    alone = process.run(replace(_case(case, "alone", DATA), env=environment), work)
    whole = digest(work / "home")
    yield case, alone, judge(_case(case, "alone", DATA), alone)
    first = Running(replace(_case(case, "stopped", DATA, partial(waits, "meta.json")), env=environment), work)
    ended = _until(first, work / "home/waits")
    if ended:
        yield first.case, ended, ["the first builder never came to its files"]
        return
    os.kill(first.pid, signal.SIGSTOP)
    case = replace(_case(case, "a builder that waits for a stopped one", DATA), env=environment, seconds=60)
    second = _beside(case, work)
    faults = []
    began = time.monotonic()
    while (
        second.poll_only()
        and not (work / "beside/stderr").read_bytes()
        and time.monotonic() < began + PATIENCE
    ):
        time.sleep(0.05)
    if not (work / "beside/stderr").read_bytes():
        faults.append(f"said nothing in {PATIENCE:.0f} s")
    os.kill(first.pid, signal.SIGKILL)
    os.waitpid(first.pid, 0)
    outcome = second.wait()
    if outcome.code != 0:
        faults.append(f"ended with {outcome.code}: {' '.join(outcome.said)[:150]}")
    elif digest(work / "home") != whole:
        faults.append("another result")
    elif left := temporary(work / "home"):
        faults.append(f"left {', '.join(left)[:150]}")
    yield case, outcome, faults


def _side_by_side(work: Path, case: Case) -> Iterator[Tried]:
    """Two builders, two detections, two exports that start together: both succeed, the result is whole."""
    detect = ("detect", "model.safetensors", "good.png", "--out", "out", "--no-progress")
    export = ("export", "model.safetensors", "--onnx", "out/out.onnx")
    for words in (DATA, detect, export):
        chosen = replace(_case(case, f"two of {words[0]}", words), env={"AIRCRAFT_DATA": "cache"})
        process.run(chosen, work)
        whole = digest(work / "home")
        for _ in range(4):
            first = Running(chosen, work)
            second = _beside(chosen, work)
            outcomes = [first.wait(), second.wait()]
            faults = [f"one ended with {o.code}: {' '.join(o.said)[:150]}" for o in outcomes if o.code]
            if not faults and digest(work / "home") != whole:
                faults.append("another result")
            if left := temporary(work / "home"):
                faults.append(f"left {', '.join(left)[:150]}")
            yield chosen, outcomes[1], faults


PAIRS: dict[str, Callable[[Path, Case], Iterator[Tried]]] = {
    "trainings": _second_training,
    "builders": _second_builder,
    "side by side": _side_by_side,
}


def waits(name: str) -> None:
    """In the first process: before the file of this name gets its place, tell so and wait for `go`."""
    home = Path.cwd()

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        path = arguments[1] if event == "os.rename" else arguments[0] if event == "open" else ""
        if str(path).endswith(name) and not (home / "waits").exists():
            (home / "waits").touch()
            while not (home / "go").exists():
                time.sleep(0.02)

    sys.addaudithook(audit)


def _case(case: Case, what: str, words: tuple[str, ...], prepare: Callable[[], None] | None = None) -> Case:
    good = ("model.safetensors", "good.png", "patches.npz")
    return replace(case, what=what, words=words, expect="done", good=good, prepare=prepare, seconds=120)


def _until(running: Running, sign: Path) -> Outcome | None:
    """None when the sign is there; the outcome where the process ends before."""
    while not sign.exists():
        if (outcome := running.poll()) is not None:
            return outcome
        time.sleep(0.01)
    return None


class _Second(Running):
    """A second process in the folder of a first, with streams of its own."""

    def poll_only(self) -> bool:
        """Whether it still runs; does not collect it."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None


def _beside(case: Case, folder: Path) -> _Second:
    (folder / "beside").mkdir(exist_ok=True)
    (folder / "beside/stderr").touch()
    return _Second(case, folder, again=True, streams=folder / "beside")
