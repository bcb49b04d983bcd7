"""The three notebooks of a lesson: the student's, the solution, and the proof that its checks judge well.

Pure functions from a lesson to notebooks without outputs; `execution` fills in the outputs of the solution.
"""

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from builder import stubs
from builder.sources import EXTRAS, Cell, Lesson, check_names

# What Colab may lack, as module and package; its torch, torchvision, numpy and matplotlib stay as they are.
NEEDED = {
    "ignite": "pytorch-ignite",
    "torchinfo": "torchinfo",
    "safetensors": "safetensors",
    "pooch": "pooch",
    "filelock": "filelock",
}
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"

SETUP = """\
#@title Setup - run me first
import importlib.util, subprocess, sys

IN_COLAB = "google.colab" in sys.modules
WANTED = {wanted}
missing = [package for module, package in WANTED.items() if importlib.util.find_spec(module) is None]
if IN_COLAB and missing:  # only what Colab lacks, and no dependencies: its torch and numpy stay as they are
    subprocess.check_call([sys.executable, "-m", "pip", "install", "-q", "--no-deps", *missing])
elif missing:
    print("Not installed here:", ", ".join(missing), "- see the README of the course: make setup")

import torch  # after the installation, never before

device = "cuda" if torch.cuda.is_available() else "cpu"
print("torch", torch.__version__, "on", device)
if IN_COLAB and device == "cpu":
    print("{advice}")"""


def student(lesson: Lesson, root: Path) -> NotebookNode:
    """Blanks and no outputs; runs from top to bottom, cells that need an answer may raise."""
    cells = []
    for cell in lesson.cells:
        if {"wrong", "right", "solution"} & set(cell.tags):
            continue
        text = stubs.stub(cell.text) if "exercise" in cell.tags else cell.text
        cells.append(_cell(cell, text, ["raises-exception"] if "needs-answer" in cell.tags else []))
    return _notebook(lesson, root, "student", cells)


def solution(lesson: Lesson, root: Path) -> NotebookNode:
    """Solved, with the teacher's notes; not executed here. The lines of the checks are compared by nbval."""
    cells = []
    for cell in lesson.cells:
        if {"wrong", "right"} & set(cell.tags):
            continue
        text = stubs.solution(cell.text) if "exercise" in cell.tags else cell.text
        cells.append(_cell(cell, text, ["nbval-check-output"] if "check" in cell.tags else []))
    notebook = _notebook(lesson, root, "solution", cells)
    notebook.metadata["aircraft"]["code"] = code_hash(notebook)
    return notebook


def proof(lesson: Lesson, root: Path) -> NotebookNode:
    """For CI: stub, each wrong answer, the second right one and the solution, each with check and assert."""
    by_cell = {id(one.cell): one for one in lesson.exercises}
    checks = {id(one.check) for one in lesson.exercises}
    cells: list[NotebookNode] = []
    for cell in lesson.cells:
        if cell.kind != "code" or {"wrong", "right", "solution"} & set(cell.tags) or id(cell) in checks:
            continue
        if "exercise" not in cell.tags:
            cells.append(_cell(cell, cell.text, []))
            continue
        one = by_cell[id(cell)]
        assert one.check is not None
        tries = [("stub", stubs.stub(cell.text), '_last.status == "todo"')]
        for number, wrong in enumerate(one.wrong, start=1):
            told = f'_last.status in ("wrong", "error") and {wrong.hint!r} in _last.message'
            tries.append((f"wrong{number}", wrong.text, told))
        for number, right in enumerate(one.right, start=1):
            tries.append((f"right{number}", right.text, '_last.status == "ok"'))
        tries.append(("solution", stubs.solution(cell.text), '_last.status == "ok"'))
        (name,) = check_names(one.check)
        for what, text, demand in tries:
            verdict = (
                f"from aircraft_course.checks import LAST as _last\n"
                f'assert _last.name == {name!r} and {demand}, f"{what} of {cell.name}: {{_last}}"'
            )
            for part, code in (("", text), ("-check", one.check.text), ("-verdict", verdict)):
                cells.append(new_code_cell(code, id=f"{cell.id[:40]}-{what}{part}", metadata={}))
    return _notebook(lesson, root, "proof", cells)


def code_hash(notebook: NotebookNode) -> str:
    """Of all code cells but the setup: while it stays, the stored outputs stay."""
    codes = [cell.source for cell in notebook.cells if cell.cell_type == "code" and not _is_setup(cell)]
    return hashlib.sha256("\0".join(codes).encode()).hexdigest()[:16]


def repository(root: Path) -> str:
    """The repository's address: the one in pyproject.toml, `[project.urls] Repository`."""
    with (root / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["urls"]["Repository"]).removesuffix("/").removesuffix(".git")


def version(root: Path) -> str:
    text = (root / "src/aircraft/__init__.py").read_text(encoding="utf-8")
    found = re.search(r'^__version__ = "(.+)"$', text, re.MULTILINE)
    assert found, "src/aircraft/__init__.py has no line __version__"
    return found[1]


def badge(stem: str, root: Path) -> str:
    """The Markdown of the button that opens the student notebook in Colab."""
    address = repository(root).removeprefix("https://github.com/")
    url = f"https://colab.research.google.com/github/{address}/blob/main/notebooks/{stem}.ipynb"
    return f"[![Open in Colab]({BADGE})]({url})"


def _notebook(lesson: Lesson, root: Path, kind: str, cells: list[NotebookNode]) -> NotebookNode:
    metadata: dict[str, Any] = {
        "aircraft": {"kind": kind, "lesson": lesson.checks},
        "colab": {"provenance": [], "toc_visible": True},
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    if lesson.gpu:
        metadata["accelerator"] = "GPU"
        metadata["colab"]["gpuType"] = "T4"
    setup = new_code_cell(
        _setup(lesson, root),
        id="setup",
        metadata={"cellView": "form", "tags": ["nbval-ignore-output", "setup"]},
    )
    if kind == "proof":
        top = [setup]
    else:
        top = [new_markdown_cell(badge(lesson.stem, root), id="open-in-colab", metadata={})]
        title = next((place for place, cell in enumerate(cells) if cell.cell_type == "markdown"), -1) + 1
        place = next((place for place, cell in enumerate(cells) if _is_setup(cell)), title)
        top += [*cells[:place], setup]
        cells = cells[place:]
    notebook = new_notebook(cells=[*top, *(cell for cell in cells if not _is_setup(cell))], metadata=metadata)
    nbformat.validate(notebook)
    return notebook


def _setup(lesson: Lesson, root: Path) -> str:
    wanted = {"aircraft": f"aircraft @ git+{repository(root)}@v{version(root)}"} | NEEDED
    for extra in lesson.extras:
        wanted |= EXTRAS[extra]
    lines = "".join(f"    {module!r}: {package!r},\n".replace("'", '"') for module, package in wanted.items())
    advice = (
        "For a GPU: menu Runtime > Change runtime type > T4 GPU, then Runtime > Run all."
        if lesson.gpu
        else "No GPU, and this lesson needs none."
    )
    return SETUP.format(wanted="{\n" + lines + "}", advice=advice)


def _is_setup(cell: NotebookNode) -> bool:
    return "setup" in cell.metadata.get("tags", [])


def _cell(cell: Cell, text: str, more_tags: list[str]) -> NotebookNode:
    tags = sorted({*cell.tags, *more_tags})
    metadata = {"tags": tags} if tags else {}
    new = new_code_cell if cell.kind == "code" else new_markdown_cell
    return new(text, id=cell.id, metadata=metadata)
