"""A lesson in one process: its cells in their order, and at each exercise the mutants, each in a fork."""

import ast
import contextlib
import importlib
import inspect
import io
import json
import linecache
import os
import re
import select
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "notebooks"), str(ROOT / "src")]

from aircraft_course.checks import LAST, core, reference  # noqa: E402
from builder import sources, stubs  # noqa: E402
from mutants.operators import Mutant, mutants  # noqa: E402

SECONDS = 5  # of computing that a check may take for a mutant
PATIENCE = 40  # seconds on the clock, until it counts as hanging
DRAWS = 2000  # inputs on which an accepted mutant must behave as the solution, to be called equivalent
Namespace = dict[str, Any]


@dataclass
class Verdict:
    """What became of a mutant. status: of the check, or "hang", "crash" (the check itself), "dead"."""

    lesson: int
    exercise: str
    kind: str
    change: str
    status: str
    message: str
    lines: int = 0
    seconds: float = 0.0
    equivalent: bool | None = None  # of an accepted one: on many drawn inputs; None where none are drawn

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def lesson(path: Path, only: Callable[[str], bool] = lambda name: True, *, second: bool = False, **how: Any):
    """Judge all mutants of the exercises of a lesson, and with `second` those of the second right answers."""
    for one, text, check, space in prepared(path, only):
        number = int(path.stem[:2])
        yield from exercise(
            number, one.cell.name, text, answered_lines(one.cell.text, text), check, space, **how
        )
        for cell in one.right if second else []:
            yield from exercise(number, one.cell.name, cell.text, None, check, space, **how)


def prepared(
    path: Path, only: Callable[[str], bool] = lambda name: True
) -> Iterator[tuple[sources.Exercise, str, str, Namespace]]:
    """Each exercise with its solution, its check, and names enough to judge answers.

    What a lesson trains and draws is left out wherever a check does well without: imports, definitions and
    constants are enough for most, and take a second. For the others all cells are run, at small settings.
    """
    os.environ |= {"AIRCRAFT_FAST": "1", "MPLBACKEND": "agg"}
    warnings.simplefilter("ignore")
    read = sources.read(path)
    by_cell = {id(one.cell): one for one in read.exercises}
    light: Namespace = {"__name__": "__main__", "display": print}
    full: Namespace = {"__name__": "__main__", "display": print}
    importlib.import_module("torch._dynamo")  # the first optimiser does, in seconds: once, not in each fork
    with contextlib.suppress(OSError):
        inspect.getsource(judged.__code__)  # learns the files of all modules: once, not in each fork
    done = 0
    cells = [
        cell
        for cell in read.cells
        if cell.kind == "code" and not {"wrong", "right", "solution", "setup"} & set(cell.tags)
    ]
    for number, cell in enumerate(cells):
        if "exercise" not in cell.tags:
            for statement in definitions(cell.text):
                with contextlib.suppress(Exception):
                    run(statement, light, f"light{number}")
            continue
        one = by_cell[id(cell)]
        assert one.check is not None
        solution, check = stubs.solution(cell.text), one.check.text
        if only(cell.name):
            space = light
            if apart(lambda: judged(solution, check, light))["status"] != "ok":  # noqa: B023
                for earlier in cells[done:number]:
                    run(
                        stubs.solution(earlier.text) if "exercise" in earlier.tags else earlier.text,
                        full,
                        "cell",
                    )
                done, space = number, full
            yield one, solution, check, space
        with contextlib.suppress(Exception):
            run(solution, light, f"solution{number}")


def definitions(text: str) -> Iterator[str]:
    """The statements of a cell that only name things: imports, functions, classes, constants."""
    for node in ast.parse(text).body:
        kinds = ast.Import | ast.ImportFrom | ast.FunctionDef | ast.ClassDef
        constant = isinstance(node, ast.Assign) and not any(isinstance(n, ast.Call) for n in ast.walk(node))
        if isinstance(node, kinds) or constant:
            yield ast.unparse(node)


def exercise(
    number: int,
    name: str,
    solution: str,
    wanted: set[int] | None,
    check: str,
    space: Namespace,
    chosen: Callable[[list[Mutant]], list[Mutant]] = list,
) -> Iterator[Verdict]:
    """The mutants of one answer; wanted: the lines that may change, all for None."""
    made = mutants(
        solution,
        keep=lambda node: (
            wanted is None or getattr(node, "lineno", 0) in wanted or not hasattr(node, "lineno")
        ),
    )
    taken = chosen(made)
    first = together([lambda mutant=mutant: judged(mutant.code, check, dict(space)) for mutant in taken])
    for mutant, told in zip(taken, first, strict=True):
        if told["status"] in (
            "ok",
            "crash",
            "dead",
            "hang",
        ):  # once more alone: nothing of the others is left
            told = apart(lambda mutant=mutant: judged(mutant.code, check, space))
        verdict = Verdict(number, name, mutant.kind, mutant.change, "", "")
        for key, value in told.items():
            setattr(verdict, key, value)
        if verdict.status == "ok":
            more = apart(lambda mutant=mutant: judged(mutant.code, check, space, DRAWS), seconds=60)
            verdict.equivalent = None if not more.get("drawn") else more["status"] == "ok"
            if verdict.equivalent is False:
                verdict.message = f"accepted, but: {more['message']}"
        yield verdict


def answered_lines(text: str, solution: str) -> set[int]:
    """The lines of the solution that the student writes; the rest of the cell is given, and never changed."""
    kept = set(stubs.stub(text).split("\n"))
    tree = ast.parse(solution)
    lines = solution.split("\n")
    wanted = {i for i, line in enumerate(lines, start=1) if line not in kept and line.strip()}
    for node in ast.walk(tree):  # a statement over several lines counts as a whole
        if isinstance(node, ast.stmt) and not isinstance(
            node, ast.FunctionDef | ast.ClassDef | ast.For | ast.If | ast.With | ast.While
        ):
            span = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            if span & wanted:
                wanted |= span
    return wanted


def run(code: str, space: Namespace, name: str) -> None:
    """Execute a cell, in silence; its source can be looked up, as in a notebook."""
    file = f"<{name}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        exec(compile(code, file, "exec"), space)
    plt = sys.modules.get("matplotlib.pyplot")
    if plt is not None:
        plt.close("all")


def judged(code: str, check: str, space: Namespace, draws: int = 0) -> dict[str, Any]:
    """The outcome of a check for an answer."""
    started, printed = time.perf_counter(), io.StringIO()
    before = reference.CALLS
    file = "<answer>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    LAST.name = LAST.status = LAST.message = ""
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            try:
                exec(compile(code, file, "exec"), space)
            except Exception as error:  # the cell of the answer itself fails: the student sees that
                return {"status": "raises", "message": f"{type(error).__name__}: {error}"}
            core.SECONDS = SECONDS if draws == 0 else 100
            with reference.effort(draws, 1) if draws else contextlib.nullcontext():
                exec(compile(check, "<check>", "exec"), space)
    except NameError as error:  # the answer's name is gone: nothing to judge
        return {"status": "raises", "message": str(error)}
    except Exception as error:
        return {"status": "crash", "message": f"{type(error).__name__}: {error}"}
    text = printed.getvalue().strip()
    lines = len(text.splitlines())
    status, message = LAST.status, LAST.message
    if status == "error" and not re.search(r"\(line |argument|Memory", message):
        status = "crash"  # no line of the answer in the trace: the check itself fell over
    return {
        "status": status, "message": message, "lines": lines, "drawn": before < reference.CALLS,
        "seconds": round(time.perf_counter() - started, 3),
    }  # fmt: skip


def together(works: list[Callable[[], dict[str, Any]]], seconds: float = PATIENCE) -> list[dict[str, Any]]:
    """The results of several pieces of work in one fork: forking costs more than most checks.

    The piece that hangs or dies takes the fork along; the others go on in a new one.
    """
    found: list[dict[str, Any]] = []
    while len(found) < len(works):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reader)
            os.setsid()
            for work in works[len(found) :]:
                try:
                    answer = json.dumps(work())
                except BaseException as error:
                    answer = json.dumps({"status": "dead", "message": repr(error)})
                os.write(writer, answer.encode() + b"\n")
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb", buffering=0) as stream:
            text, until = b"", time.monotonic() + seconds
            while select.select([stream], [], [], max(0.0, until - time.monotonic()))[0]:
                if not (piece := stream.read(65536)):
                    break
                text += piece
                *lines, text = text.split(b"\n")
                if lines:
                    found += [json.loads(line) for line in lines]
                    until = time.monotonic() + seconds
            hung = time.monotonic() >= until
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if len(found) < len(works):
            found.append({"status": "hang" if hung else "dead", "message": ""})
    return found


def apart(work: Callable[[], dict[str, Any]], seconds: float = PATIENCE) -> dict[str, Any]:
    """The result of `work` in a forked process, so that it changes nothing here; or that it hangs or dies."""
    return together([work], seconds)[0]
