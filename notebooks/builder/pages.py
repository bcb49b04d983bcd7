"""Pages made from the lessons: the table of notebooks/README.md, and the measured times for TEACHING.md."""

import json
from pathlib import Path

from builder import kinds
from builder.sources import Lesson

BEGIN, END = "<!-- times: begin, written by `make times` -->", "<!-- times: end -->"
EXTRAS = ["## Extras", "", "Short notebooks that stand alone, for those who want more.", ""]
SLOW = 5.0  # seconds: cells from here on are listed


def readme(lessons: list[Lesson], root: Path) -> str:
    """notebooks/README.md."""
    head = "in Colab | minutes | after it you can | |\n|---|---|---|---|---|"
    numbered, extras = [f"| | lesson | {head}---|"], [f"| extra | {head}"]
    for lesson in lessons:
        row = (
            f"| [{lesson.title}]({lesson.stem}.ipynb) | {kinds.badge(lesson.stem, root)} "
            f"| {lesson.minutes} | {lesson.can_do} | [solution]({lesson.solution}.ipynb) |"
        )
        if lesson.number:
            numbered.append(f"| {lesson.number} {row}")
        else:
            extras.append(row)
    table, more = "\n".join(numbered), "\n".join([*EXTRAS, *extras, "", ""]) if extras[1:] else ""
    minutes = sum(lesson.minutes for lesson in lessons if lesson.number)
    return f"""<!-- Written by `make notebooks` from the headers of source/*.py: edit those. -->
# Lessons

Open a lesson in Colab with its button, or on your own computer: `make setup` in the folder above, then
`.venv/bin/jupyter lab notebooks`. Everything works offline after that, on two CPU cores, without a GPU.

{table}

{minutes} minutes in all. Each lesson runs from top to bottom before you
fill anything in. A check tells you in one line whether an answer is right, with a hint when it is not;
`check_name.hint()` in a cell of your own gives more help.

Around the lessons: a [cheat sheet](CHEATSHEET.md) has PyTorch, ignite and the package on two printed pages.
The [glossary](GLOSSARY.md) explains the words, the field's beside ours.
The [reading list](READING.md) says what to read after each lesson, why, and how long it takes.

{more}`source/` holds the only hand-written files: `make notebooks` makes the notebooks and their solutions.
Teachers: see [TEACHING.md](../TEACHING.md).
"""


def times(stems: list[str], full: Path, fast: Path) -> str:
    """Markdown: the minutes of each lesson and its slowest cells, as measured by the last builds."""
    rows, slow, machines = [], [], set()
    for stem in stems:
        measured = [_read(folder / f"{stem}.json") for folder in (full, fast)]
        totals = [
            "not measured" if run is None else _minutes(sum(c["seconds"] for c in run["cells"]))
            for run in measured
        ]
        run = measured[0]
        slowest = "" if run is None else f"{max(cell['seconds'] for cell in run['cells']):.0f} s"
        rows.append(f"| {stem} | {totals[0]} | {slowest} | {totals[1]} |")
        for cell in run["cells"] if run else []:
            if cell["seconds"] >= SLOW:
                slow.append(f"| {stem} | `{cell['code'].replace('|', ' ')}` | {cell['seconds']:.0f} s |")
        if run:
            machines.add(
                f"{run['machine']['threads']} threads, torch {run['machine']['torch']}, "
                f"Python {run['machine']['python']}"
            )
    return "\n".join(
        [
            f"Measured by the last build ({'; '.join(sorted(machines)) or 'none yet'}). GPU: not measured.",
            "",
            "| lesson | full settings | slowest cell | `AIRCRAFT_FAST=1` |",
            "|---|---|---|---|",
            *rows,
            "",
            f"Cells of {SLOW:.0f} s and more, at full settings:",
            "",
            "| lesson | cell | time |",
            "|---|---|---|",
            *slow,
        ]
    )


def fill(page: str, table: str) -> str:
    """`page` with `table` between its two marks. Raises ValueError where they are missing."""
    if BEGIN not in page or END not in page:
        raise ValueError(f"the page needs the lines {BEGIN} and {END}")
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table}\n{END}{rest.partition(END)[2]}"


def _read(path: Path) -> dict | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _minutes(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.1f} min"
