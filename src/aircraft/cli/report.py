"""The report of a demo: one HTML file that shows everything and needs nothing else, not even a network.

Its words are in `report.html`, a Jinja2 template, which escapes what is put in; its tables are made here.
"""

import base64
import io
from dataclasses import asdict
from numbers import Integral
from pathlib import Path
from typing import Any

import jinja2
from PIL import Image

from aircraft import __version__, reading, replacing
from aircraft.cli import runs
from aircraft.cli.runfigures import Figure
from aircraft.detection import DetectionReport

WIDE = 1250  # a figure of at least so many pixels across takes a whole row
ON_TILES = ("AP", "precision", "recall", "F1", "count_error")
LARGE = 200_000  # bytes of a picture from which it is worth a second look


def write(
    path: Path, run: runs.Run, counted: DetectionReport, beside: DetectionReport, figures: dict[str, Figure]
) -> None:
    """Write the page, a whole file or none; on tiles, counted: of the run, beside: of the pretrained one."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("aircraft.cli", ""), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["cell"] = cell
    page = environment.get_template("report.html").render(
        run=run,
        counted=counted,
        version=__version__,
        pictures={name: inlined(file, alt) for name, (file, alt) in figures.items()},
        judged=_judged("patches", run.test, ("AP", "AUC", "precision", "recall", "F1"))
        + _judged("tiles", counted, ON_TILES),
        beside=_judged("tiles", beside, ON_TILES),
        splits=[
            (name, len(patches), f"{patches.labels.mean():.1%}", len(set(patches.sites)))
            for name, patches in (("train and validation", run.patches.train), ("test", run.patches.test))
        ],
        tiles=[
            (number, true, found, f"{found - true:+d}")
            for number, (true, found) in enumerate(zip(counted.true, counted.found, strict=True), start=1)
        ],
        facts=_facts(run),
        model_file=run.folder / runs.MODEL,
    )
    with replacing(path) as file:
        file.write(page.encode(errors="backslashreplace"))  # a path may be no text


def inlined(file: Path, alt: str) -> dict[str, Any]:
    """A PNG for the page, as a data URL: as it is, or, where it is large and shows photographs, as a JPEG."""
    content, form = file.read_bytes(), "png"
    with reading(file, "draw it again", "not a PNG file, as which the figures of a report are written"):
        image = Image.open(io.BytesIO(content), formats=("PNG",))
    if len(content) >= LARGE:
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "JPEG", quality=88)
        if 2 * len(buffer.getvalue()) < len(content):
            content, form = buffer.getvalue(), "jpeg"
    source = f"data:image/{form};base64,{base64.b64encode(content).decode('ascii')}"
    width, height = image.size
    return {"source": source, "width": width, "height": height, "alt": alt, "wide": width >= WIDE}


def cell(value: object) -> str:
    """A value of a table, in words."""
    if isinstance(value, str):
        return value
    if isinstance(value, Integral):
        return f"{value:,}"
    return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"  # type: ignore[arg-type]


def _judged(of: str, figures: Any, names: tuple[str, ...]) -> list[tuple[str, float, str]]:
    """Rows of figure, value and interval; `figures` is a report of patches or of tiles."""
    rows = []
    for name in names:
        ends = (figures.intervals or {}).get(name)
        interval = "{:.3f} to {:.3f}".format(*ends) if ends else ""
        rows.append((f"{name.replace('_', ' ')} ({of})", getattr(figures, name), interval))
    return rows


def _facts(run: runs.Run) -> list[tuple[str, str]]:
    """Timings, versions, data and settings of a run."""
    assert run.model.card is not None
    seconds = run.values["seconds"]
    facts = {f"time: {step}": f"{taken:.1f} s" for step, taken in seconds.items()}
    facts["time: sum"] = f"{sum(seconds.values()):.1f} s"
    facts |= {f"version: {name}": version for name, version in run.values["versions"].items()}
    facts |= {f"data: {name}": value for name, value in asdict(run.data).items()}
    facts |= {f"setting: {k}": value for k, value in run.model.card.provenance["settings"].items()}
    return [(what, str(value)) for what, value in facts.items()]
