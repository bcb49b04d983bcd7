"""The autograder: runs a handed-in notebook in a kernel of its own and collects what the checks said.

It counts the exercises that the lesson's module of checks knows: deleting a cell never raises a score. It
trusts that the notebook does not cheat on purpose, and runs its code: grade the work of people you know.
"""

import importlib
import json
import pkgutil
import re
import subprocess
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook
from tqdm.auto import tqdm

from aircraft import InputError
from aircraft_course import checks
from aircraft_course.checks import kernels
from aircraft_course.checks.core import LOG, Exercise

WORDS = {"ok": "✅ correct", "todo": "🟡 not answered", "wrong": "❌ not quite", "error": "💥 code failed"}
TIMEOUT = 300  # seconds a cell may last
RESTARTS = 10  # kernels that may die or hang before the rest of the notebook is given up


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

    @property
    def score(self) -> int:
        return sum(result.outcome == "ok" for result in self.results)

    def to_dict(self) -> dict[str, Any]:
        """Plain values: notebook, lesson, score, total, results."""
        counts = {"score": self.score, "total": len(self.results)}
        return {
            "notebook": self.notebook,
            "lesson": self.lesson,
            **counts,
            "results": [asdict(result) for result in self.results],
        }

    def __str__(self) -> str:
        width = max([8, *(len(result.exercise) for result in self.results)])
        words = max(len(word) for word in WORDS.values())
        lines = [
            f"{one.exercise:{width}}  {WORDS[one.outcome]:{words}}  {one.message}".rstrip()
            for one in self.results
        ]
        head = [f"{self.notebook}: {self.lesson}", f"{'exercise':{width}}  {'outcome':{words}}  message"]
        return "\n".join([*head, *lines, f"score: {self.score} of {len(self.results)}"])


def grade(
    path: str | Path,
    *,
    lesson: str | None = None,
    timeout: int = TIMEOUT,
    fast: bool = False,
    progress: bool = True,
) -> Grade:
    """Run the notebook at `path` from the top and judge it by the checks of its lesson.

    `lesson` ("lesson03" or "3") is found in the notebook when it is None. A cell that lasts longer than
    `timeout` seconds, or ends its kernel, is left out and the rest is run again. `fast`: at small settings.
    Raises InputError for a file that is no notebook or belongs to no lesson.
    """
    path = Path(path)
    notebook = _read(path)
    cells = [
        str(cell.source) for cell in notebook.cells if cell.cell_type == "code" and str(cell.source).strip()
    ]
    name = _lesson_name(path, notebook, cells, lesson)
    results = {exercise: Result(exercise, "todo", "its check never ran") for exercise in exercises(name)}
    for found in _run(cells, set(results), timeout, fast, progress):
        results[found.exercise] = found
    return Grade(str(path), name, list(results.values()))


def exercises(lesson: str) -> list[str]:
    """The names of all exercises of "lesson03", in the order of its module of checks."""
    module = importlib.import_module(f"aircraft_course.checks.{lesson}")
    return [
        check.name
        for check in vars(module).values()
        if isinstance(check, Exercise) and check.lesson == lesson
    ]


def lesson_names() -> list[str]:
    """The lessons that have checks: lesson01, lesson02, ..."""
    names = (module.name for module in pkgutil.iter_modules(checks.__path__))
    return sorted(name for name in names if re.fullmatch(r"lesson\d\d", name))


def _read(path: Path) -> Any:
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
    imported = re.search(r"\baircraft(?:_course)?\.checks(?:\.| import )(lesson\d\d)\b", "\n".join(cells))
    number = re.match(r"\d\d?(?=_)", path.stem)
    for found in (
        given,
        metadata.get("lesson") if isinstance(metadata, dict) else None,
        imported and imported[1],
        number and number[0],
    ):
        if found:
            name = f"lesson{int(found):02d}" if str(found).isdecimal() else str(found)
            if name in lesson_names():
                return name
            raise InputError(
                f"{path}: no lesson {found!r}; there are {', '.join(lesson_names())}; see --lesson"
            )
    raise InputError(f"{path}: cannot tell which lesson it is; say so, for example --lesson 3")


class _Client(NotebookClient):
    """Keeps errors only: an endless `print` must not fill the memory."""

    def output(self, outs: list[Any], msg: Any, display_id: Any, cell_index: int) -> Any:
        return super().output(outs, msg, display_id, cell_index) if msg["msg_type"] == "error" else None


def _run(cells: list[str], known: set[str], timeout: int, fast: bool, progress: bool) -> Iterator[Result]:
    """The results of all checks, as they come; a later one of the same exercise replaces an earlier one."""
    left_out: set[int] = set()
    with (
        tempfile.TemporaryDirectory() as folder,
        tqdm(total=len(cells), unit="cell", leave=False, disable=None if progress else True) as bar,
    ):
        bad: int | None = 0
        while bad is not None and len(left_out) <= RESTARTS:
            bar.reset()
            todo = [(place, code) for place, code in enumerate(cells) if place not in left_out]
            bad = yield from _run_until_death(todo, known, Path(folder), timeout, fast, bar)
            left_out |= set() if bad is None else {bad}


def _run_until_death(
    cells: list[tuple[int, str]], known: set[str], folder: Path, timeout: int, fast: bool, bar: Any
) -> Generator[Result, None, int | None]:
    """Run `cells` in one kernel. Returns the place of the cell that killed or blocked it, if one did."""
    log = folder / "outcomes"
    log.write_text("")
    work = folder / "work"
    work.mkdir(exist_ok=True)
    env = kernels.environment(**{LOG: str(log), "AIRCRAFT_FAST": "1" if fast else None})
    notebook = new_notebook(cells=[new_code_cell(code) for _, code in cells])
    client = kernels.client(notebook, folder=work, timeout=timeout, allow_errors=True, kind=_Client)
    with client.setup_kernel(env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        for index, (place, code) in enumerate(cells):
            log.write_text("")
            cell, death = notebook.cells[index], ""
            try:
                client.execute_cell(cell, index)
            except CellTimeoutError:
                death = f"its cell ran longer than {timeout} s"
            except DeadKernelError:
                death = "its cell ended the kernel (out of memory, or a crash)"
            bar.update()
            outcomes = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
            told = {one["name"]: Result(one["name"], one["status"], one["message"]) for one in outcomes}
            yield from (result for name, result in told.items() if name in known)
            errors = [f"{output.ename}: {output.evalue}" for output in cell.outputs]
            if why := death or " ".join(" ".join(errors).split())[:200]:
                called = [
                    name for name in re.findall(r"\bcheck_(\w+)\(", code) if name in known - told.keys()
                ]
                yield from (Result(name, "error", why) for name in called)
            if death:
                return place
    return None
