"""Benchmark 1, learning: time until our training has the AP of the textbook's after one and three epochs.

Both learn from the same patches and are judged on the same ones; an epoch counts when it has ended.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import nn

from aircraft import datasets, models, training
from aircraft.cli import runs
from aircraft.datasets import Patches
from aircraft.training.settings import Settings
from aircraft_bench import baseline
from aircraft_bench.baseline import Course
from aircraft_bench.measuring import Spread
from aircraft_bench.options import Options
from aircraft_bench.tables import Part, Row

EPOCHS = (1, 3)  # of the baseline, whose AP is to be reached
DRAFTS = (1, 2, 3, 4, 6)  # epochs of our short runs, tried in turn until one reaches the last target
DRAFT = "balanced"  # sampling of a draft: it sees the rare aircraft five times as often, which pays off early
TRIAL = 24  # steps to find out whether worker processes help the baseline
QUICK_SCALE, QUICK_TRIAL = 0.01, 2
FULL = 240.0  # target: seconds of our full run
NAMES = {1: "one epoch", 3: "three epochs"}
AIM = {1: None, 3: 15.0}  # targets: times sooner, for the full run and for the draft


def measure(options: Options) -> Iterator[Part]:
    """Times and ratios, anew after each seed: of the baseline, our full run and our drafts in turn."""
    scale = QUICK_SCALE if options.quick else 1.0
    data = runs.Data("imbalanced", options.source, options.root, scale).patches(options.progress)
    settings = Settings(device="cpu", batch_size=64 if options.quick else Settings.batch_size)
    trial: dict[int, float] = {}  # images a second by number of worker processes
    workers = 0
    results = []
    for seed in range(1 if options.quick else options.seeds):
        learn, val = datasets.split(data.train, fraction=runs.VALIDATION, seed=seed)
        if not trial:
            steps = QUICK_TRIAL if options.quick else TRIAL
            trial = {n: baseline.images_per_second(learn, n, steps) for n in (0, 2)}
            workers = max(trial, key=lambda n: trial[n])
        plain = baseline.train(
            learn, val, epochs=max(EPOCHS), seed=seed, workers=workers, progress=options.progress
        )
        full = ours(learn, val, replace(settings, seed=seed), options.progress)
        drafts: dict[int, Course] = {}
        for epochs in DRAFTS:
            draft = replace(settings, seed=seed, epochs=epochs, sampling=DRAFT)
            drafts[epochs] = ours(learn, val, draft, options.progress)
            if _reaching(drafts, plain.ap[max(EPOCHS) - 1]):
                break
        results.append(
            {"seed": seed, "patches": len(learn), "baseline": plain, "full": full, "drafts": drafts}
        )
        yield _part(results, {"workers": workers, "trial": trial}, settings, data)


def ours(learn: Patches, val: Patches, settings: Settings, progress: bool = False) -> Course:
    """A training as `aircraft train` does it, files included, with its time taken apart."""
    with TemporaryDirectory() as folder, torch.random.fork_rng(devices=[]):
        clock = PassClock()
        torch.manual_seed(settings.seed)
        network = models.build("patch_net")
        clock.watch(network)
        history = training.fit(network, learn, val, out=Path(folder), progress=progress, **settings.to_dict())
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


def _part(results: Sequence[dict[str, Any]], loader: dict[str, Any], settings: Settings, data: Any) -> Part:
    rows: list[Row] = []
    tried = [str(_reaching(r["drafts"], r["baseline"].ap[max(EPOCHS) - 1]) or "not reached") for r in results]
    notes = [
        f"{data.name} ({data.source}); {len(results)} seeds, each with its own split, weights and order.",
        f"Baseline: batch {baseline.BATCH}, {loader['workers']} worker processes, the quicker of "
        + " and ".join(f"{n} ({rate:.0f} images a second)" for n, rate in loader["trial"].items())
        + " in a short trial.",
        f"Ours: patch_net with the settings of `aircraft train` ({settings.epochs} epochs, batch "
        f"{settings.batch_size}). An epoch counts when over, nothing is interpolated; 0 x: not reached.",
        "Draft: the shortest run of `aircraft train --sampling balanced --epochs N` whose last epoch has "
        f"that AP; others do not count. For {NAMES[max(EPOCHS)]} N was {', '.join(tried)}.",
    ]
    for epochs in EPOCHS:
        rows += _rows(results, epochs)
    for name, key in (("baseline", "baseline"), ("ours", "full")):
        rates = [r["patches"] * len(r[key].ap) / r[key].seconds[-1] for r in results]
        rows.append(Row(f"{name}: images learned", Spread.of(rates), "a second"))
    rows.append(Row("ours: best AP of the full run", Spread.of([max(r["full"].ap) for r in results]), ""))
    full = Spread.of([r["full"].with_validation[-1] for r in results])
    rows.append(Row("ours: the full run, validations included", full, "s", most=FULL))
    raw = [
        r
        | {key: asdict(r[key]) for key in ("baseline", "full")}
        | {"drafts": {str(epochs): asdict(course) for epochs, course in r["drafts"].items()}}
        for r in results
    ]
    return Part("Learning: time to a given AP", rows, notes, {"seeds": raw, "loader": loader})


def _reaching(drafts: dict[int, Course], ap: float) -> int | None:
    """Epochs of the shortest draft that ends with at least this AP; None where there is none."""
    return next((epochs for epochs, course in drafts.items() if course.ap[-1] >= ap), None)


def _rows(results: Sequence[dict[str, Any]], epochs: int) -> list[Row]:
    """The rows about the baseline's AP after so many epochs."""
    name, at = NAMES[epochs], epochs - 1
    ratios: dict[str, list[float]] = {"without": [], "with": [], "draft": []}
    reached: list[float] = []  # seconds
    for result in results:
        plain, full, drafts = result["baseline"], result["full"], result["drafts"]
        target = plain.ap[at]
        epoch = full.first(target)
        if epoch is not None:
            reached.append(full.seconds[epoch])
        ratios["without"].append(0.0 if epoch is None else plain.seconds[at] / full.seconds[epoch])
        ratios["with"].append(
            0.0 if epoch is None else plain.with_validation[at] / full.with_validation[epoch]
        )
        short = _reaching(drafts, target)
        ratios["draft"].append(0.0 if short is None else plain.seconds[at] / drafts[short].seconds[-1])
    seconds = [r["baseline"].seconds[at] for r in results]
    rows = [
        Row(f"baseline after {name}: AP", Spread.of([r["baseline"].ap[at] for r in results]), ""),
        Row(f"baseline after {name}: time", Spread.of(seconds), "s"),
    ]
    if reached:
        rows.append(
            Row(f"ours, full run, to that AP ({len(reached)} of {len(results)})", Spread.of(reached), "s")
        )
    return [
        *rows,
        Row(f"**sooner than {name}**, full run", Spread.of(ratios["without"]), "x", least=AIM[epochs]),
        Row(f"sooner than {name}, full run, validations included", Spread.of(ratios["with"]), "x"),
        Row(f"**sooner than {name}**, draft", Spread.of(ratios["draft"]), "x", least=AIM[epochs]),
    ]
