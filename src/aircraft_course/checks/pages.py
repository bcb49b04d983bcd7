"""What a teacher gets of a class: the gradebook, a results.json for each student, and the page of the class.

The words of the page are in `class.html`, a Jinja2 template, which escapes what is put in.
"""

import csv
import io
import json
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import jinja2

from aircraft import __version__, quoted, replacing
from aircraft_course.checks import grading
from aircraft_course.checks.classroom import Outcome
from aircraft_course.checks.grading import Grade

SIGNS = {"ok": "✓", "todo": "–", "wrong": "✗", "error": "!"}
WORDS = {outcome: words.partition(" ")[2] for outcome, words in grading.WORDS.items()}
HARDEST = 3  # exercises with which the page begins
MESSAGES = 5  # of an exercise
LINE = re.compile(r" \(line \d+: .*\)$", re.DOTALL)  # the student's own line: no two have the same
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would run a cell that begins so


@dataclass(frozen=True)
class Message:
    """What the checks said of an exercise, and to how many students."""

    text: str
    outcome: str
    students: int


@dataclass(frozen=True)
class Exercise:
    """How a class did in an exercise: how many notebooks have each outcome, and the commonest messages."""

    name: str
    counts: dict[str, int]
    messages: list[Message]
    more: int  # messages that are rarer

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True)
class Lesson:
    """The notebooks of a class that belong to one lesson."""

    name: str
    exercises: list[Exercise]
    graded: list[Outcome]

    @property
    def median(self) -> float:
        return median(one.grade.score for one in self.graded if one.grade)

    @property
    def by_difficulty(self) -> list[Exercise]:
        """The exercises that the fewest solved first, without those that all did."""
        unsolved = [one for one in self.exercises if one.counts["ok"] < one.total]
        return sorted(unsolved, key=lambda one: one.counts["ok"])

    @property
    def hardest(self) -> list[Exercise]:
        """With these the next lesson begins."""
        return self.by_difficulty[:HARDEST]


def write(out: Path, outcomes: Sequence[Outcome]) -> None:
    """Write grades.csv, results/NAME.json and class.html into a folder, each as a whole."""
    with replacing(out / "grades.csv") as file:
        # The mark in front tells a spreadsheet that this is UTF-8; Moodle and Canvas leave it out.
        file.write(b"\xef\xbb\xbf" + gradebook(outcomes).encode(errors="backslashreplace"))
    for one in outcomes:
        with replacing(out / "results" / f"{one.submission.name}.json") as file:
            file.write(json.dumps(gradescope(one), indent=1).encode())
    with replacing(out / "class.html") as file:
        file.write(page(outcomes).encode(errors="backslashreplace"))


def gradebook(outcomes: Sequence[Outcome]) -> str:
    """A table as CSV: a row for each notebook, a column for each exercise with its outcome."""
    graded = [one.grade for one in outcomes if one.grade]
    several = len({grade.lesson for grade in graded}) > 1

    def column(grade: Grade, exercise: str) -> str:
        return f"{grade.lesson} {exercise}" if several else exercise

    columns = sorted({grade.lesson: grade for grade in graded}.items())
    exercises = [column(grade, one.exercise) for _, grade in columns for one in grade.results]
    head = ["file", "student", "number", "lesson", "score", "points possible", "problem"]
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\r\n")
    rows.writerow([*head, *exercises])
    for one in outcomes:
        submission, grade = one.submission, one.grade
        row: list[Any] = [str(submission.path), submission.student, submission.number]
        row += [grade.lesson, grade.score, len(grade.results)] if grade else ["", "", ""]
        found = {column(grade, r.exercise): WORDS[r.outcome] for r in grade.results} if grade else {}
        problem = one.problem or "; ".join(grade.notes if grade else [])
        rows.writerow([_harmless(cell) for cell in (*row, problem, *(found.get(e, "") for e in exercises))])
    return text.getvalue()


def _harmless(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def gradescope(outcome: Outcome) -> dict[str, Any]:
    """The values of Gradescope's results.json: each exercise is a test of one point."""
    if outcome.grade is None:
        return {"score": 0, "output": f"could not be graded: {outcome.problem}", "tests": []}
    grade = outcome.grade
    tests = [
        {
            "name": one.exercise,
            "score": int(one.outcome == "ok"),
            "max_score": 1,
            "output": WORDS[one.outcome] + (f": {one.message}" if one.message else ""),
            "status": "passed" if one.outcome == "ok" else "failed",
        }
        for one in grade.results
    ]
    notes = "\n".join([f"{grade.lesson}: {grade.score} of {len(grade.results)}", *grade.notes])
    return {"score": grade.score, "output": notes, "tests": tests}


def lessons(outcomes: Sequence[Outcome]) -> list[Lesson]:
    """The class in numbers, for each lesson that was handed in."""
    of: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        if one.grade:
            of[one.grade.lesson].append(one)
    return [Lesson(name, _exercises(graded), graded) for name, graded in sorted(of.items())]


def _exercises(graded: Sequence[Outcome]) -> list[Exercise]:
    results = defaultdict(list)
    for one in graded:
        for result in one.grade.results if one.grade else []:
            results[result.exercise].append(result)
    exercises = []
    for name, found in results.items():
        counted = Counter(result.outcome for result in found)
        messages = _messages(
            [(one.message, one.outcome) for one in found if one.outcome in ("wrong", "error")]
        )
        counts = {outcome: counted[outcome] for outcome in WORDS}
        exercises.append(Exercise(name, counts, messages[:MESSAGES], len(messages[MESSAGES:])))
    return exercises


def _messages(said: Sequence[tuple[str, str]]) -> list[Message]:
    """Messages by how many got them. Those that differ in numbers only are one: its commonest form stands."""
    alike: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for text, outcome in said:
        text = LINE.sub("", text)
        alike[NUMBER.sub("#", text), outcome][text] += 1
    found = [Message(forms.most_common(1)[0][0], key[1], forms.total()) for key, forms in alike.items()]
    return sorted(found, key=lambda one: -one.students)


def page(outcomes: Sequence[Outcome]) -> str:
    """The page of the class: needs nothing else, and opens by a double click."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("aircraft_course.checks", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["quoted"] = quoted
    return environment.get_template("class.html").render(
        outcomes=outcomes,
        lessons=lessons(outcomes),
        refused=[one for one in outcomes if one.grade is None],
        signs=SIGNS,
        words=WORDS,
        version=__version__,
    )
