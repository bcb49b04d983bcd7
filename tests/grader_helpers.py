"""A tiny lesson 99 with notebooks to hand in: what the tests of the grader grade."""

import sys

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from aircraft_course import checks
from aircraft_course.checks import grading

LESSON = """
from aircraft_course.checks.core import Exercise, exercise
from aircraft_course.checks.lesson98 import check_elsewhere

@exercise
def check_first(value):
    assert value == 1, "one, please"

@exercise
def check_second(value):
    assert value == 2, "two, please"

@exercise
def check_third(function):
    assert function() == 3, "three, please"
"""


@pytest.fixture
def hand_in(tmp_path, monkeypatch):
    """Write a notebook of lesson 99 with these cells; it finds the lesson's checks beside it."""
    (tmp_path / "lesson99.py").write_text(LESSON)
    (tmp_path / "lesson98.py").write_text(
        "from aircraft_course.checks.core import exercise\n@exercise\ndef check_elsewhere(x): assert x\n"
    )
    monkeypatch.setattr(checks, "__path__", [*checks.__path__, str(tmp_path)])
    start = f"import aircraft_course.checks; aircraft_course.checks.__path__.append({str(tmp_path)!r})"

    def write(*codes: str, name: str = "homework.ipynb", metadata: dict | None = None):
        cells = [
            new_code_cell(code) for code in (start, "from aircraft_course.checks.lesson99 import *", *codes)
        ]
        nbformat.write(
            new_notebook(cells=[new_markdown_cell("# Mine"), *cells], metadata=metadata or {}),
            tmp_path / name,
        )
        return tmp_path / name

    yield write
    for name in ("lesson98", "lesson99"):
        sys.modules.pop(f"aircraft_course.checks.{name}", None)


def outcomes(grade: grading.Grade) -> list[tuple[str, str]]:
    return [(result.exercise, result.outcome) for result in grade.results]
