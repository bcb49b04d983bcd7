"""Benchmark 1, learning: time until our training has the AP of the textbook's after one and three epochs.

Both learn from the same patches and are judged on the same ones; an epoch counts when it has ended.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch
from torch import nn

from aircraft import datasets, models, training
from aircraft.cli import runs
from aircraft.datasets import Patches
from aircraft.training.settings import Settings
from aircraft_bench import baseline
from aircraft_bench.baseline import Course
from aircraft_bench.options import Options
from aircraft_bench.tables import Part, Row

EPOCHS = (1, 3)  # of the baseline, whose AP is to be reached
DRAFTS = (1, 2, 3, 4, 6)  # epochs of our short runs, tried in turn until one reaches the last target
DRAFT: Literal["balanced"] = "balanced"  # its sampling: rare aircraft five times as often, to learn early
TRIAL = 24  # steps to find out whether worker processes help the baseline
QUICK_SCALE, QUICK_TRIAL = 0.01, 2
FULL = 240.0  # target: seconds of our full run
NAMES = {1: "one epoch", 3: "three epochs"}
AIM = {1: None, 3: 15.0}  # targets: times sooner, for the full run and for the draft


@dataclass(frozen=True)
class Result:
    """What one seed gave: the baseline, our full run, and our drafts by their number of epochs."""

    seed: int
    patches: int
    baseline: Course
    full: Course
    drafts: dict[int, Course]

    def draft(self, ap: float) -> Course | None:
        """The shortest draft that ends with at least this AP; None where there is none."""
        return next((course for course in self.drafts.values() if course.ap[-1] >= ap), None)


def measure(options: Options) -> Iterator[Part]:
    """Times and ratios, anew after each seed: of the baseline, our full run and our drafts in turn."""
    scale = QUICK_SCALE if options.quick else 1.0
    data = runs.Data("imbalanced", options.source, options.root, scale).patches(options.progress)
    settings = Settings(device="cpu", batch_size=64 if options.quick else Settings.batch_size)
    trial: dict[int, float] = {}  # images a second by number of worker processes
    results: list[Result] = []
    for seed in range(1 if options.quick else options.seeds):
        learn, val = datasets.split(data.train, fraction=runs.VALIDATION, seed=seed)
        if not trial:
            steps = QUICK_TRIAL if options.quick else TRIAL
            trial = {workers: baseline.images_per_second(learn, workers, steps) for workers in (0, 2)}
        workers = max(trial, key=lambda n: trial[n])
        plain = baseline.train(
            learn, val, epochs=max(EPOCHS), seed=seed, workers=workers, progress=options.progress
        )
        full = ours(learn, val, replace(settings, seed=seed), options.progress)
        result = Result(seed, len(learn), plain, full, drafts={})
        results.append(result)
        for epochs in DRAFTS:
            short = replace(settings, seed=seed, epochs=epochs, sampling=DRAFT)
            result.drafts[epochs] = ours(learn, val, short, options.progress)
            if result.draft(plain.ap[-1]):
                break
        yield _part(results, trial, settings, data)


def ours(learn: Patches, val: Patches, settings: Settings, progress: bool = False) -> Course:
    """A training as `aircraft train` does it, files included, with its time taken apart."""
    with TemporaryDirectory() as folder, torch.random.fork_rng(devices=[]):
        clock = PassClock()
        torch.manual_seed(settings.seed)
        network = models.build("patch_net")
        clock.watch(network)
        history = training.fit(network, learn, val, settings=settings, out=Path(folder), progress=progress)
        clock.stop()
    return Course(history["AP"], clock.training, clock.total)


class PassClock:
    """Tells the time of training from that of validation by the mode in which a network is called.

    A validation lasts from the first call in evaluation mode to the next one in training mode: choosing the
    best weights, the checkpoint, and the first batch of the next epoch (some milliseconds) count to it.
    training, total: seconds from the start to the end of each epoch's training, and of its validation.
    """

    def __init__(self) -> None:
        self.training: list[float] = []
        self.total: list[float] = []
        self._started = time.perf_counter()
        self._validation = 0.0  # seconds of all validations that have ended
        self._since: float | None = None  # when the current one began

    def watch(self, network: nn.Module) -> None:
        """Listen to the network and to copies of it: a moving average of its weights is judged as a copy."""

        def called(module: nn.Module, _: Any) -> None:
            if module.training and self._since is not None:
                self.stop()
            elif not module.training and self._since is None:
                self._since = time.perf_counter()
                self.training.append(self._since - self._started - self._validation)

        network.register_forward_pre_hook(called)

    def stop(self) -> None:
        """A validation has ended."""
        now = time.perf_counter()
        if self._since is not None:
            self._validation += now - self._since
            self.total.append(now - self._started)
            self._since = None


def _part(results: Sequence[Result], trial: dict[int, float], settings: Settings, data: Any) -> Part:
    rows = [row for epochs in EPOCHS for row in _rows(results, epochs)]
    for name in ("baseline", "full"):
        courses = [getattr(result, name) for result in results]
        rates = [r.patches * len(c.ap) / c.seconds[-1] for r, c in zip(results, courses, strict=True)]
        label = "ours" if name == "full" else name
        rows.append(Row(f"{label}: images learned", rates, "a second"))
    full = [result.full.with_validation[-1] for result in results]
    rows += [
        Row("ours: best AP of the full run", [max(result.full.ap) for result in results], ""),
        Row("ours: the full run, validations included", full, "s", most=FULL),
    ]
    drafts = [result.draft(result.baseline.ap[-1]) for result in results]
    tried = [str(len(draft.ap)) if draft else "not reached" for draft in drafts]
    rates_text = " and ".join(f"{n} ({rate:.0f} images a second)" for n, rate in trial.items())
    workers = max(trial, key=lambda n: trial[n])
    notes = [
        f"{data.name} ({data.source}); {len(results)} seeds, each with its own split, weights and order.",
        f"Baseline: batch {baseline.BATCH}, {workers} worker processes, the quicker of {rates_text} "
        "in a short trial.",
        f"Ours: patch_net with the settings of `aircraft train` ({settings.epochs} epochs, batch "
        f"{settings.batch_size}). An epoch counts when over, nothing is interpolated; 0 x: not reached.",
        "Draft: the shortest run of `aircraft train --sampling balanced --epochs N` whose last epoch has "
        f"that AP; others do not count. For {NAMES[max(EPOCHS)]} N was {', '.join(tried)}.",
    ]
    raw = {"seeds": [asdict(result) for result in results], "loader": {"workers": workers, "trial": trial}}
    return Part("Learning: time to a given AP", rows, notes, raw)


def _rows(results: Sequence[Result], epochs: int) -> list[Row]:
    """The rows about the baseline's AP after so many epochs."""
    name, last = NAMES[epochs], epochs - 1
    reached: list[float] = []  # seconds of our full run
    sooner, with_validation, drafted = [], [], []  # ratios; 0 where the AP was not reached
    for result in results:
        plain, full = result.baseline, result.full
        epoch, draft = full.first(plain.ap[last]), result.draft(plain.ap[last])
        if epoch is None:
            sooner.append(0.0)
            with_validation.append(0.0)
        else:
            reached.append(full.seconds[epoch])
            sooner.append(plain.seconds[last] / full.seconds[epoch])
            with_validation.append(plain.with_validation[last] / full.with_validation[epoch])
        drafted.append(plain.seconds[last] / draft.seconds[-1] if draft else 0.0)
    rows = [
        Row(f"baseline after {name}: AP", [r.baseline.ap[last] for r in results], ""),
        Row(f"baseline after {name}: time", [r.baseline.seconds[last] for r in results], "s"),
    ]
    if reached:
        what = f"ours, full run, to that AP ({len(reached)} of {len(results)})"
        rows.append(Row(what, reached, "s"))
    return [
        *rows,
        Row(f"**sooner than {name}**, full run", sooner, "x", least=AIM[epochs]),
        Row(f"sooner than {name}, full run, validations included", with_validation, "x"),
        Row(f"**sooner than {name}**, draft", drafted, "x", least=AIM[epochs]),
    ]
