"""The main job, from scenes to counted aircraft, and the report that shows it. `make demo` runs it.

Read `demo` from top to bottom: it is the whole package in one function.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aircraft.cli import report, runfigures, runs
from aircraft.cli.runfigures import Figure
from aircraft.cli.runs import Data, Run, Stopwatch
from aircraft.detection import DetectionReport
from aircraft.training import devices

PAGE = "index.html"


@dataclass(frozen=True)
class Demo:
    """What came out; `values` is what demo.json holds."""

    page: Path
    run: Run
    tiles: DetectionReport
    values: dict[str, Any]


def demo(
    out: str | Path,
    *,
    data: Data | None = None,
    model: str = "patch_net",
    progress: bool = True,
    **settings: Any,
) -> Demo:
    """Build the data, train, choose thresholds, evaluate, detect and count on test tiles, write the report.

    An earlier demo in `out` is replaced. settings: see `training.Settings`.
    """
    data, out, watch = data or Data(), Path(out), Stopwatch()

    run = runs.train(data, out, model=model, force=True, progress=progress, watch=watch, **settings)

    with watch("tiles"):
        tiles = data.tiles("test", progress=progress and devices.is_first())
    with watch("detection"):
        found, counted = runs.evaluate_tiles(run.model, tiles, progress=progress, seed=run.values["seed"])
    if not devices.is_first():
        return Demo(out / PAGE, run, counted, {})

    with watch("figures"):
        figures = runfigures.samples(out, run.patches.train, tiles, seed=run.values["seed"])
        figures |= runfigures.write(run)
        figures |= runfigures.detections(out, tiles, found, counted.threshold)
    values = run.values | {
        "detection": counted.to_dict(),
        "seconds": watch.seconds,
        "report": str(out / PAGE),
    }
    report.write(
        out / PAGE,
        "Counting aircraft",
        _sections(run, counted, figures, values),
        lead=f"{model} trained on {data}: {sum(counted.found)} aircraft counted on {counted.n_tiles} tiles, "
        f"{counted.n_true} are there.",
    )
    runs.write_json(out / "demo.json", values)
    return Demo(out / PAGE, run, counted, values)


def _sections(
    run: Run, counted: DetectionReport, figures: dict[str, Figure], values: dict[str, Any]
) -> list[report.Section]:
    shown = [figure for name, figure in figures.items() if name.startswith("tile_")]
    curves = ("confusion_matrix", "roc", "precision_recall", "scores", "reliability")
    return [
        report.Section(
            "Result",
            "The network judges patches one by one. Then it looks at every place of the test tiles, and the "
            "peaks of its scores are counted. Training, validation and test show different places; the "
            "thresholds were chosen on validation. Intervals are 95 %, by bootstrap over places.",
            table=report.Table(
                "On places never seen in training", ("figure", "value", "interval"), _figures(run, counted)
            ),
        ),
        report.Section(
            "Data",
            "A patch of 64 x 64 m counts as an aircraft if and only if the centre of one lies in its central "
            "32 x 32 m. Half of the background patches are near aircraft or man-made clutter.",
            figures=[figures[name] for name in ("samples_aircraft", "samples_background", "tiles")],
            table=report.Table("Patches", ("part", "patches", "with an aircraft", "places"), _parts(run)),
        ),
        report.Section(
            "Learning curves",
            "The weights of the epoch with the best average precision on validation are kept.",
            figures=[figures["learning_curves"]],
        ),
        report.Section(
            "Classification of test patches",
            f"An alarm: a score of at least {run.test.threshold:.3f}, which was best on validation (F1).",
            figures=[figures[name] for name in curves],
        ),
        report.Section(
            "Misclassified patches",
            "The surest errors: what the network misses, and what it takes for an aircraft.",
            figures=[figures["misclassified"]],
        ),
        report.Section(
            "Detections on tiles",
            "A detection within 16 m of a true centre is a hit. Green circle and box: hit. Orange dashed "
            f"box: missed. Magenta cross: false alarm. The threshold is {counted.threshold:.3f}. Shown are "
            "the tiles with the most aircraft and those with the most errors, then all.",
            figures=[*shown, figures["tiles_found"]],
        ),
        report.Section(
            "Counts against truth",
            figures=[figures["counts"]],
            table=report.Table("Tile by tile", ("tile", "there", "counted", "difference"), _tiles(counted)),
        ),
        report.Section(
            "How it was made",
            f"By `aircraft demo`, with seed {values['seed']}. The model: {run.folder / runs.MODEL}",
            table=report.Table("Timings, versions, settings", ("what", "value"), _facts(run, values)),
        ),
    ]


def _figures(run: Run, counted: DetectionReport) -> list[tuple[str, float, str]]:
    rows = []
    for of, figures, names in (
        ("patches", run.test, ("AP", "AUC", "precision", "recall", "F1")),
        ("tiles", counted, ("AP", "best_F1", "precision", "recall", "F1", "count_error")),
    ):
        for name in names:
            ends = (figures.intervals or {}).get(name)
            interval = "{:.3f} to {:.3f}".format(*ends) if ends else ""
            rows.append((f"{name.replace('_', ' ')} ({of})", getattr(figures, name), interval))
    return rows


def _parts(run: Run) -> list[tuple[str, int, str, int]]:
    parts = (("train and validation", run.patches.train), ("test", run.patches.test))
    return [(name, len(p), f"{p.labels.mean():.1%}", len(set(p.sites))) for name, p in parts]


def _tiles(counted: DetectionReport) -> list[tuple[int, int, int, str]]:
    pairs = enumerate(zip(counted.true, counted.found, strict=True), start=1)
    return [(number, true, found, f"{found - true:+d}") for number, (true, found) in pairs]


def _facts(run: Run, values: dict[str, Any]) -> list[tuple[str, str]]:
    assert run.model.card is not None
    rows = [(f"time: {step}", f"{seconds:.1f} s") for step, seconds in values["seconds"].items()]
    rows.append(("time: sum", f"{sum(values['seconds'].values()):.1f} s"))
    rows += [(f"version: {name}", version) for name, version in values["versions"].items()]
    rows += [(f"data: {name}", str(value)) for name, value in asdict(run.data).items()]
    return rows + [(f"setting: {k}", str(v)) for k, v in run.model.card.provenance["settings"].items()]
