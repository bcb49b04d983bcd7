"""Part 2: commands killed at each of their writes and at random moments, then given once more.

The second run ends as an undisturbed one would have: the same weights, detections and arrays; no file more.
"""

import random
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from torture import pairs, process, workshop
from torture.cases import Case, Faults, Outcome, judge
from torture.process import Running, Task
from torture.results import digest, hooked, temporary

Tried = tuple[Case, Outcome, Faults]
TRAIN = ("train", "--data", "patches.npz", "--out", "out", *workshop.LEARN)


@dataclass
class Job:
    """A command, how to give it once more, how many kills it gets, and what an undisturbed run leaves."""

    name: str
    words: tuple[str, ...]
    kills: int
    more: tuple[str, ...] = ()
    good: tuple[str, ...] = ("model.safetensors", "patches.npz")
    own: bool = False
    writes: int = 0  # of an undisturbed run
    seconds: float = 0.0
    left: dict[str, str] = field(default_factory=dict)

    def case(self, what: str, again: bool = False, prepare: Callable[[], None] | None = None) -> Case:
        words = self.words + (self.more if again else ())
        files = {f"many/{n}.png": workshop.good("good.png") for n in "ab"} if self.name == "detect" else {}
        expect = "done" if again else "any"
        env: dict[str, str | None] = {"AIRCRAFT_DATA": "cache"} if "data" in self.name or self.own else {}
        return Case(
            f"kills: {self.name}", what, words, (), expect, self.good, files, own=self.own, env=env,
            prepare=prepare, seconds=120,
        )  # fmt: skip


def jobs() -> list[Job]:
    tiny = ("--scale", "0.005", *workshop.LEARN)
    return [
        Job("train", TRAIN, 60, ("--resume",)),
        Job("train, forced", TRAIN, 14, ("--force",)),
        Job("detect", ("detect", "model.safetensors", "many", "--out", "out", "--no-progress"), 30),
        Job("export", ("export", "model.safetensors", "--onnx", "out/out.onnx"), 12),
        Job("data", ("data", "toy", *workshop.SMALL), 40),
        Job("data, exported", ("data", "imbalanced", "--export", "out/out.npz", *workshop.SMALL), 24),
        Job("evaluate, data built", ("evaluate", "model.safetensors", "--data", "toy", *workshop.SMALL), 16),
        Job("demo", ("demo", "--out", "out", *tiny), 24),
        Job("data, real renderer", ("data", "toy", *workshop.SMALL), 2, own=True),
    ]


def tried(work: Path, seed: int, deadline: float, wanted: Callable[[Case], bool]) -> Iterator[Tried]:
    """Two at a time; then each kill, judged by the command that follows it."""
    for name, pair in pairs.PAIRS.items():
        case = Case("two at a time", name, ())
        if wanted(case):
            yield from pair(work / "pair", case)
    found: list[Tried] = []
    chosen = [job for job in jobs() if wanted(job.case(""))]
    for _ in process.side_by_side((_undisturbed(job, work, found) for job in chosen), deadline):
        yield from found
        found.clear()
    tasks = [task for job in chosen if job.left for task in _kills(job, work, seed, found)]
    random.Random(seed).shuffle(tasks)
    for _ in process.side_by_side(iter(tasks), deadline):
        yield from found
        found.clear()


def _undisturbed(job: Job, work: Path, found: list[Tried]) -> Task:
    folder = work / f"whole-{job.name.replace(' ', '-')}"
    case = job.case("undisturbed", prepare=None if job.own else partial(hooked, 0, 0))
    outcome = yield Running(replace(case, expect="done"), folder)
    faults = judge(replace(case, expect="done"), outcome)
    job.left, job.seconds = digest(folder / "home"), outcome.seconds
    job.writes = (folder / "tmp.writes").stat().st_size if not job.own else 0
    found.append((case, outcome, faults))


def _kills(job: Job, work: Path, seed: int, found: list[Tried]) -> Iterator[Task]:
    """At writes, evenly drawn from all of them; and at random moments, a third as many."""
    draw = random.Random(f"{seed} {job.name}")
    places = draw.sample(range(1, job.writes + 1), min(job.kills, job.writes))
    for number, at in enumerate(sorted(places)):
        kind = signal.SIGTERM if number % 3 == 2 else signal.SIGKILL
        what = f"{kind.name} at write {at} of {job.writes}"
        folder = work / f"{job.name.replace(' ', '-')}-{at}"
        yield _kill(job, job.case(what, prepare=partial(hooked, at, kind)), folder, None, found)
    for number in range(job.kills // 3 if job.writes else job.kills):
        kind = signal.SIGTERM if number % 3 == 2 else signal.SIGKILL
        moment = draw.random() * job.seconds
        folder = work / f"{job.name.replace(' ', '-')}-moment-{number}"
        what = f"{kind.name} after {moment / job.seconds:.0%} of its time"
        yield _kill(job, job.case(what), folder, (moment, kind), found)


def _kill(job: Job, case: Case, folder: Path, moment: tuple[float, int] | None, found: list[Tried]) -> Task:
    running = Running(case, folder)
    running.signal = moment
    first = yield running
    kind = "TERM" if "TERM" in case.what else "KILL"
    faults = _ended(first, kind, folder, moment is not None)
    second = yield Running(job.case(case.what, again=True), folder, again=True)
    faults += [f"given once more: {fault}" for fault in judge(replace(job.case("", again=True)), second)]
    left = digest(folder / "home")
    if second.code == 0 and left != job.left:
        other = sorted(name for name in left.keys() | job.left.keys() if left.get(name) != job.left.get(name))
        faults.append(f"other than undisturbed: {', '.join(other)[:200]}")
    second.megabytes = max(first.megabytes, second.megabytes)
    found.append((case, second, faults))


def _ended(outcome: Outcome, kind: str, folder: Path, may_be_done: bool) -> Faults:
    """How the killed command itself has ended."""
    fine = {"KILL": (-signal.SIGKILL,), "TERM": (143, -signal.SIGTERM)}[kind]
    if outcome.code not in fine and not (may_be_done and outcome.code == 0):
        return [f"SIG{kind} led to exit code {outcome.code}: {' '.join(outcome.said)[:200]}"]
    if kind == "TERM":
        left = temporary(folder / "home")
        faults = [f"SIGTERM left {', '.join(left)[:200]}"] if left else []
        if any("Traceback" in line for line in outcome.lines) or len(outcome.said) > 1:
            faults.append(f"SIGTERM said {' | '.join(outcome.said)[:200]}")
        return faults
    return []
