"""What steps in for a missing answer is right itself, and lessons 2 to 5 need no answer to run through."""

from pathlib import Path

import pytest

from aircraft_course import lessons, standins_early
from aircraft_course.checks import lesson02, lesson03, lesson04, lesson05
from aircraft_course.checks.core import LAST

SOURCES = sorted((Path(__file__).parents[1] / "notebooks/source").glob("0[2-5]_*.py"))
CHECKS = {
    f"{module.__name__[-2:]} {name}": check
    for module in (lesson02, lesson03, lesson04, lesson05)
    for name, check in vars(module).items()
    if name.startswith("check_")
}
OTHER_NAMES = {"patch_dataset": "PatchDataset", "keep_best": "KeepBest"}
ANSWERS = {
    name: answer
    for name, check in CHECKS.items()
    if (answer := getattr(standins_early, OTHER_NAMES.get(check.name, check.name), None)) is not None
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_steps_in_passes_the_check(name):
    answer = ANSWERS[name]
    CHECKS[name](answer)
    assert LAST.status == "ok", str(LAST)


def test_kernels_step_in_together():
    lesson02.check_kernels(*standins_early.KERNELS)
    assert LAST.status == "ok", str(LAST)


def test_the_students_answer_is_used_only_while_its_check_says_so(capsys):
    check = lesson05.check_silent_accuracy
    check(standins_early.silent_accuracy)
    assert lessons.use(check, "mine", "the package's") == "mine"
    check(lambda labels: 0.3)
    capsys.readouterr()
    assert lessons.use(check, "mine", "the package's") == "the package's"
    assert "silent_accuracy has no right answer yet" in capsys.readouterr().out


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_no_cell_fails_while_a_blank_is_empty(source):
    assert 'tags=["needs-answer"]' not in source.read_text(encoding="utf-8")
