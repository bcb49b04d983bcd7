"""TEACHING.md: its plan fills the sessions, and every exercise that it names exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
PLAN = TEXT.split("## Answers")[0]


@pytest.mark.parametrize("session", [1, 2])
def test_the_plan_has_no_gap_and_lasts_three_hours(session):
    part = PLAN.split(f"## Session {session}:")[1].split("\n## ")[0]
    steps = [(int(a), int(b)) for a, b in re.findall(r"^\| (\d+)-(\d+) \|", part, re.MULTILINE)]
    assert steps[0][0] == 0
    assert steps[-1][1] == 180
    assert all(before[1] == after[0] for before, after in zip(steps, steps[1:], strict=False))
    assert all(0 < end - start <= 20 for start, end in steps)


def test_every_exercise_that_the_plan_names_exists():
    named = {(int(lesson), int(number)) for lesson, number in re.findall(r"\b([1-8])\.(\d+)\b", PLAN)}
    assert len(named) > 20
    for lesson, number in sorted(named):
        (source,) = (ROOT / "notebooks/source").glob(f"{lesson:02d}_*.py")
        assert f"### Exercise {number}" in source.read_text(encoding="utf-8"), (
            f"{lesson}.{number} is not there"
        )
