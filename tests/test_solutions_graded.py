"""Every official solution gets full marks from the grader: no right answer is refused."""

from pathlib import Path

import pytest

from aircraft_course.checks import grading

SOLUTIONS = sorted((Path(__file__).parents[1] / "notebooks").glob("**/solutions/*.ipynb"))


def test_there_are_solutions() -> None:
    assert len(SOLUTIONS) >= 8


@pytest.mark.parametrize("path", SOLUTIONS, ids=lambda path: path.stem)
def test_the_official_answers_get_full_marks(path: Path) -> None:
    grade = grading.grade(path, fast=True)
    assert [one for one in grade.results if one.outcome != "ok"] == []
    assert grade.score == len(grade.results) > 0
