"""The autograder: runs a handed-in notebook in a kernel of its own and collects what the checks said.

It counts the exercises that the lesson's module of checks knows: deleting a cell never raises a score. The
checks run in a process that the notebook does not reach (apart.py), and the notebook has limits (watch.py).
"""

import ast
import pkgutil
import re
import stat
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from tqdm.auto import tqdm

from aircraft import InputError, quoted
from aircraft_course import checks
from aircraft_course.checks import sandbox
from aircraft_course.checks.core import blamed
from aircraft_course.checks.watch import Child, Limits

WORDS = {"ok": "✅ correct", "todo": "🟡 not answered", "wrong": "❌ not quite", "error": "💥 code failed"}
TIMEOUT = 300  # seconds a cell may last
RESTARTS = 10  # kernels that may die or hang before the rest of the notebook is given up
LARGEST = 100 * 2**20  # bytes of a notebook: with all its pictures it has a few million


@dataclass
class Result:
    """What became of an exercise: `outcome` is "ok", "todo", "wrong" or "error"."""

    exercise: str
    outcome: str
    message: str


@dataclass
class Grade:
    """The results of a notebook, in the order of the lesson's exercises."""

    notebook: str
    lesson: str
    results: list[Result]
    notes: list[str] = field(default_factory=list)  # limits that it broke

    @property
    def score(self) -> int:
        return sum(result.outcome == "ok" for result in self.results)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: notebook, lesson, score, total, results, notes."""
        counts = {"score": self.score, "total": len(self.results)}
        return {
            "notebook": self.notebook,
            "lesson": self.lesson,
            **counts,
            "results": [asdict(result) for result in self.results],
            "notes": self.notes,
        }

    def __str__(self) -> str:
        width = max([8, *(len(result.exercise) for result in self.results)])
        words = max(len(word) for word in WORDS.values())
        lines = [
            f"{one.exercise:{width}}  {WORDS[one.outcome]:{words}}  {one.message}".rstrip()
            for one in self.results
        ]
        head = [f"{self.notebook}: {self.lesson}", f"{'exercise':{width}}  {'outcome':{words}}  message"]
        notes = [f"note: {note}" for note in self.notes]
        # A message may hold codes that would paint over the lines above it.
        return "\n".join(map(quoted, [*head, *lines, *notes, f"score: {self.score} of {len(self.results)}"]))


def grade(
    path: str | Path,
    *,
    lesson: str | None = None,
    timeout: int = TIMEOUT,
    fast: bool = False,
    progress: bool = True,
    limits: Limits | None = None,
    isolated: bool | None = None,
    hidden: Sequence[str] = (),
) -> Grade:
    """Run the notebook at `path` from the top and judge it by the checks of its lesson.

    `lesson` ("lesson03" or "3") is found in the notebook when it is None. A cell that lasts longer than
    `timeout` seconds, breaks one of the `limits`, or ends its kernel, is left out and the rest is run again.
    `fast`: at small settings. `isolated`: with bubblewrap; None: where it works. `hidden`: more folders that
    it must not read then, such as that of the class.
    Raises InputError for a file that is no notebook or belongs to no lesson.
    """
    path = Path(path)
    notebook = _read(path)
    cells = [
        str(cell.source) for cell in notebook.cells if cell.cell_type == "code" and str(cell.source).strip()
    ]
    name = _lesson_name(path, notebook, cells, lesson)
    results = {exercise: Result(exercise, "todo", "its check never ran") for exercise in exercises(name)}
    graded = Grade(str(path), name, [])
    job = _Job(
        path,
        name,
        until_last_check(cells, results),
        timeout,
        fast,
        limits or Limits(),
        isolated,
        hidden,
        graded.notes,
    )
    for found in _run(job, progress):
        if found.exercise in results:
            results[found.exercise] = found
    graded.results = list(results.values())
    return graded


def exercises(lesson: str) -> list[str]:
    """The names of all exercises of "lesson03", in the order of its module of checks.

    Read, not imported: a notebook that ran before may have left something there.
    """
    for folder in checks.__path__:
        if (module := Path(folder) / f"{lesson}.py").is_file():
            tree = ast.parse(module.read_text(encoding="utf-8"))
            return [one.name.removeprefix("check_") for one in sandbox.exercises_in(tree)]
    raise ModuleNotFoundError(f"{lesson} has no checks")


def until_last_check(cells: Sequence[str], exercises: Iterable[str]) -> Sequence[str]:
    """The cells without those at the end that can call no check: what they compute changes no outcome.

    All cells where a check is more than imported and called: it may have got another name or a function.
    """
    check = rf"check_(?:{'|'.join(exercises)})"
    mention = re.compile(rf"\b(?:{check}|checks)\b")
    plain = re.compile(
        rf"(?s)from [\w.]+\.checks\.lesson\d\d import (?!.* as )|{check}(?:\.hint)?\((?!.*{mention.pattern})"
    )
    last = 0
    for number, code in enumerate(cells, start=1):
        if mention.search(code):
            last = number
            try:
                statements = list(map(ast.unparse, ast.parse(code).body))
            except (SyntaxError, ValueError, RecursionError, MemoryError):  # a magic; it might call anything
                return cells
            if any(mention.search(one) and not plain.match(one) for one in statements):
                return cells
    return cells[:last]


def lesson_names() -> list[str]:
    """The lessons that have checks: lesson01, lesson02, ..., and the extras: extra_find_the_mistake, ..."""
    names = (module.name for module in pkgutil.iter_modules(checks.__path__))
    found = [name for name in names if re.fullmatch(r"lesson\d\d|extra_\w+", name)]
    return sorted(found, key=lambda name: (name.startswith("extra_"), name))


def _read(path: Path) -> Any:
    if path.resolve().parent != path.parent.resolve():  # perhaps to the work of another
        _refuse(path, "a link to another folder")
    told = path.stat()
    if not stat.S_ISREG(told.st_mode):  # a pipe or a device would be waited for, or never end
        _refuse(path, "no regular file")
    if told.st_size > LARGEST:
        _refuse(path, f"{told.st_size / 2**20:,.0f} MB")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InputError(f"{path}: not a notebook (not text in UTF-8); hand in the .ipynb file") from None
    try:
        notebook = nbformat.convert(nbformat.reader.reads(text), 4)
        return notebook if notebook.cells else _refuse(path, "it has no cells")
    except InputError:
        raise
    except Exception as error:  # nbformat names no common error for the many ways a file can be wrong
        return _refuse(path, f"{type(error).__name__}: {' '.join(str(error).split())[:100]}")


def _refuse(path: Path, why: str) -> Any:
    raise InputError(f"{path}: not a notebook ({why}); hand in the .ipynb file")


def _lesson_name(path: Path, notebook: Any, cells: list[str], given: str | None) -> str:
    """The lesson: as given, else as the notebook's metadata, its imports, or its file name say."""
    metadata = notebook.metadata.get("aircraft", {})
    # `aircraft.checks` is what notebooks imported that were handed out before version 0.2.
    imported = re.search(
        r"\baircraft(?:_course)?\.checks(?:\.| import )(lesson\d\d|extra_\w+)\b", "\n".join(cells)
    )
    number = re.match(r"\d\d?(?=_)", path.stem)
    for found in (
        given,
        metadata.get("lesson") if isinstance(metadata, dict) else None,
        imported and imported[1],
        number and number[0],
    ):
        if found:
            name = f"lesson{int(found):02d}" if re.fullmatch(r"\d{1,3}", str(found)) else str(found)
            if name in lesson_names():
                return name
            raise InputError(
                f"{path}: no lesson {str(found)[:40]!r}; there are {', '.join(lesson_names())}; see --lesson"
            )
    raise InputError(f"{path}: cannot tell which lesson it is; say so, for example --lesson 3")


@dataclass
class _Job:
    """A notebook to run: its cells, and how."""

    path: Path
    lesson: str
    cells: Sequence[str]
    timeout: int
    fast: bool
    limits: Limits
    isolated: bool | None
    hidden: Sequence[str]
    notes: list[str]


def _run(job: _Job, progress: bool) -> Iterator[Result]:
    """The results of all checks, as they come; a later one of the same exercise replaces an earlier one."""
    if job.isolated is None:
        job.isolated = not sandbox.why_not_isolated()
    left_out: set[int] = set()
    deadline = time.monotonic() + job.limits.total
    with tqdm(total=len(job.cells), unit="cell", leave=False, disable=None if progress else True) as bar:
        bad: int | None = 0
        while bad is not None and len(left_out) <= RESTARTS and time.monotonic() < deadline:
            bar.reset()
            # Each kernel begins in folders of its own: what one that was ended left there reaches no other.
            folder = Path(tempfile.mkdtemp(prefix="aircraft-")).resolve()
            try:
                bad = yield from _run_until_death(job, left_out, folder, deadline, bar)
            finally:
                sandbox.remove(folder)
            left_out |= set() if bad is None else {bad}


def _run_until_death(
    job: _Job, left_out: set[int], folder: Path, deadline: float, bar: Any
) -> Generator[Result, None, int | None]:
    """Run the cells in one kernel. Returns the place of the cell that killed or blocked it, if one did."""
    sandbox.prepare(folder)
    request = {
        "cells": [one for one in enumerate(job.cells) if one[0] not in left_out],
        "lesson": job.lesson,
        "timeout": job.timeout,
        "fast": job.fast,
        "folder": str(folder),
        "paths": [str(path) for path in checks.__path__],
        "isolated": job.isolated,
        "hidden": sandbox.to_hide(job.path.absolute(), job.hidden),
    }
    place = None
    with Child(request, job.limits, deadline) as child:
        for line in child.answers():
            yield from (Result(*found) for found in line.get("results", []))
            if "done" in line or "bad" in line:
                return line.get("bad")
            if "cell" in line:
                bar.update(place is not None)
                place = line["cell"]
        why = child.broken or child.complaint()
    if place is None:
        raise RuntimeError(f"no kernel could be started: {why}")
    why = why or "its cell ended the process that grades it"
    job.notes.append(f"cell {place + 1}: {why}")
    yield from (Result(*found) for found in blamed(job.cells[place], set(exercises(job.lesson)), why))
    return place
