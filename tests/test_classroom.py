"""A class: its notebooks are found, graded apart, kept, and told in a gradebook and a page."""

import csv
import io
import json
import os
import re
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from aircraft import InputError
from aircraft_course.checks import __main__ as command
from aircraft_course.checks import classroom, pages, sandbox
from aircraft_course.checks.classroom import Outcome, Settings, Submission
from aircraft_course.checks.grading import Grade, Result

pytest_plugins = ["grader_helpers"]  # hand_in


def handed_in(student: str, *results: tuple[str, str, str], lesson: str = "lesson03") -> Outcome:
    grade = Grade(f"{student}.ipynb", lesson, [Result(*one) for one in results])
    return Outcome(Submission(Path(f"class/{student}/homework.ipynb"), student, student), grade)


def refused(student: str, why: str) -> Outcome:
    return Outcome(Submission(Path(f"class/{student}.ipynb"), student, student), None, why, 2)


def rows(outcomes: list[Outcome]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(pages.gradebook(outcomes))))


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}")


ANNA = handed_in("Anna", ("bce", "ok", ""), ("recall", "wrong", "you gave 0.25; count the missed ones too"))
BEN = handed_in(
    "Ben", ("bce", "todo", "answer"), ("recall", "wrong", "you gave 0.5; count the missed ones too")
)
CARL = handed_in("Carl", ("bce", "ok", ""), ("recall", "error", "NameError: name 'tp' (line 2: return tp)"))


# Which notebooks


def test_a_folder_stands_for_its_notebooks_and_for_those_of_its_students(tmp_path):
    touch(tmp_path, "b.ipynb", "Anna/homework.ipynb", "Ben/homework.IPYNB", "notes.txt", "Carl/report.pdf")
    touch(tmp_path, ".hidden.ipynb", ".ipynb_checkpoints/b.ipynb", "Anna/.ipynb_checkpoints/homework.ipynb")
    touch(tmp_path, "__MACOSX/Anna/._homework.ipynb", "Ben/deep/er.ipynb")
    found, empty = classroom.submissions([tmp_path])
    assert [(str(one.path.relative_to(tmp_path)), one.student) for one in found] == [
        ("Anna/homework.ipynb", "Anna"), ("Ben/homework.IPYNB", "Ben"), ("b.ipynb", "b")
    ]  # fmt: skip
    assert empty == [tmp_path / "Carl"]


@pytest.mark.parametrize("names", [[], ["notes.txt"], [".ipynb_checkpoints/a.ipynb"], ["a/b/c.ipynb"]])
def test_a_folder_without_notebooks_is_one_clear_error(tmp_path, capsys, names):
    touch(tmp_path, *names)
    assert command.main([str(tmp_path)]) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if "note:" not in line]
    assert said == [
        f"aircraft: {tmp_path}: no notebook in this folder or in the folders in it; "
        "give one with .ipynb files"
    ]


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for a right to make links")
def test_a_link_to_the_work_of_another_is_not_graded(tmp_path, capsys):
    touch(tmp_path, "Ben/homework.ipynb", "Anna/notes.txt")
    (tmp_path / "Anna/homework.ipynb").symlink_to(tmp_path / "Ben/homework.ipynb")
    (tmp_path / "Carl").symlink_to(tmp_path / "Ben")
    found, empty = classroom.submissions([tmp_path])
    assert [one.student for one in found] == ["Anna", "Ben"]
    assert empty == [tmp_path / "Carl"]
    assert command.main([str(tmp_path / "Anna/homework.ipynb")]) == 2
    assert "(a link to another folder)" in capsys.readouterr().err


def test_a_file_that_is_named_twice_is_graded_once(tmp_path):
    touch(tmp_path, "a.ipynb")
    assert len(classroom.submissions([tmp_path, tmp_path / "a.ipynb"])[0]) == 1


def test_no_two_submissions_have_the_same_name(tmp_path):
    touch(tmp_path, "1/anna/01.ipynb", "1/anna/02.ipynb", "1/ANNA.ipynb", "1/ben.ipynb", "2/BEN.ipynb")
    found, _ = classroom.submissions([tmp_path / "1", tmp_path / "2"])
    assert [one.name for one in found] == ["ANNA", "anna, 01", "anna, 02", "ben", "BEN (2)"]


def test_a_name_of_any_length_leaves_room_on_the_disk(tmp_path):
    touch(tmp_path, f"{'ж' * 124}.ipynb")
    (one,), _ = classroom.submissions([tmp_path])
    assert len(one.name.encode()) <= 200
    assert set(one.name) == {"ж"}


@pytest.mark.parametrize(
    ("student", "number"),
    [
        ("Anna Ash_48213_assignsubmission_file", "48213"),  # Moodle
        ("ashanna_LATE_10321_5534121_homework-1", "10321"),  # Canvas
        ("Anna Ash", ""),
        ("02_convolutions", ""),
    ],
)
def test_the_number_that_the_lms_gave_is_found(student, number):
    assert Submission(Path("x.ipynb"), student).number == number


# The gradebook, Gradescope, the page


def test_the_gradebook_has_a_row_for_each_notebook_and_a_column_for_each_exercise():
    first, second, third = rows([ANNA, BEN, refused("Dora", "Dora.ipynb: not a notebook")])
    assert first == {
        "file": str(Path("class/Anna/homework.ipynb")), "student": "Anna", "number": "", "lesson": "lesson03",
        "score": "1", "points possible": "2", "problem": "", "bce": "correct", "recall": "not quite",
    }  # fmt: skip
    assert (second["score"], second["bce"]) == ("0", "not answered")
    assert (third["score"], third["bce"], third["problem"]) == ("", "", "Dora.ipynb: not a notebook")


def test_exercises_of_several_lessons_have_columns_of_their_own():
    other = handed_in("Anna", ("bce", "wrong", "no"), lesson="lesson04")
    first, second = rows([ANNA, other])
    assert (first["lesson03 bce"], first["lesson04 bce"]) == ("correct", "")
    assert (second["lesson03 bce"], second["lesson04 bce"]) == ("", "not quite")


def test_a_name_that_a_spreadsheet_would_run_is_made_harmless():
    assert rows([handed_in("=1+1", ("bce", "ok", ""))])[0]["student"] == "'=1+1"


def test_gradescope_gets_a_test_for_each_exercise():
    values = pages.gradescope(ANNA)
    assert values["score"] == 1
    assert values["tests"][0] == {
        "name": "bce", "score": 1, "max_score": 1, "output": "correct", "status": "passed"
    }  # fmt: skip
    assert (values["tests"][1]["score"], values["tests"][1]["status"]) == (0, "failed")
    assert values["tests"][1]["output"] == "not quite: you gave 0.25; count the missed ones too"
    assert pages.gradescope(refused("Dora", "x: no"))["output"] == "could not be graded: x: no"


def test_messages_that_differ_in_numbers_or_in_the_students_line_are_counted_as_one():
    again = handed_in("Dora", ("bce", "ok", ""), ("recall", "error", "NameError: name 'tp' (line 9: tp)"))
    (lesson,) = pages.lessons([ANNA, BEN, CARL, again])
    recall = lesson.exercises[1]
    assert recall.counts == {"ok": 0, "todo": 0, "wrong": 2, "error": 2}
    assert [(one.text, one.students) for one in recall.messages] == [
        ("you gave 0.25; count the missed ones too", 2), ("NameError: name 'tp'", 2)
    ]  # fmt: skip
    assert [one.name for one in lesson.hardest] == ["recall", "bce"]


def test_the_page_has_a_table_with_words_and_numbers_and_needs_nothing_from_elsewhere():
    page = pages.page([ANNA, BEN, CARL])
    heat = re.search(r'<table class="heat">.*?</table>', page, re.DOTALL)[0]
    assert re.findall(r'<th scope="row">(\w+)</th>', heat) == ["bce", "recall"]
    assert [word in heat for word in pages.WORDS.values()] == [True] * 4
    assert re.findall(r"<b>(\d+)</b><small>(\d+) %", heat)[:2] == [("2", "67"), ("1", "33")]
    assert not re.search(r"<script|<link(?! rel=\"icon\" href=\"data:)|src=|@import|url\(|https?:", page)


def test_names_stand_only_where_the_teacher_opens_them():
    page = pages.page([ANNA, BEN, CARL, refused("Dora", "Dora.ipynb: not a notebook")])
    shown = re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)
    assert all(name in page for name in ("Anna", "Ben", "Carl", "Dora"))
    assert not any(name in shown for name in ("Anna", "Ben", "Carl", "Dora"))


def test_what_students_write_is_escaped():
    evil = "<script>alert(1)</script>"
    page = pages.page([handed_in(evil, ("bce", "error", evil)), refused(evil, evil)])
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 4


@pytest.mark.parametrize(
    "outcomes",
    [[refused("Dora", "why")], [handed_in("Anna")], [handed_in("Anna", ("bce", "ok", ""))]],
    ids=["nothing graded", "no exercises", "all right"],
)
def test_a_class_of_extremes_has_its_pages(tmp_path, outcomes):
    pages.write(tmp_path, outcomes)
    assert "</html>" in (tmp_path / "class.html").read_text(encoding="utf-8")
    assert rows(outcomes)[0]["student"] == outcomes[0].submission.student


def test_names_of_all_kinds_reach_all_files(tmp_path):
    name = "Zoë 飞机 \udcff"  # the last is a byte that is no text
    pages.write(tmp_path, [handed_in(name, ("bce", "ok", ""))])
    assert "Zoë 飞机 \\udcff" in (tmp_path / "class.html").read_text(encoding="utf-8")
    assert "Zoë 飞机 \\udcff" in (tmp_path / "grades.csv").read_text(encoding="utf-8-sig")
    assert json.loads((tmp_path / "results" / f"{name}.json").read_text())["score"] == 1


# Grading, keeping, going on


@pytest.fixture
def graded_apart(monkeypatch):
    """Count what is graded, without a process for each."""
    calls = []

    def grade(_, submission: Submission) -> Outcome:
        calls.append(submission.student)
        text = submission.path.read_text(encoding="utf-8")
        if text == "damaged":
            return Outcome(submission, None, f"{submission.path}: not a notebook", 2)
        grade = Grade(
            str(submission.path), "lesson03", [Result("bce", "ok" if text == "right" else "wrong", "")]
        )
        return Outcome(submission, grade)

    monkeypatch.setattr(classroom._Grader, "_grade_apart", grade)
    return calls


@pytest.fixture
def three(tmp_path):
    folder = tmp_path / "class"
    folder.mkdir()
    for name, text in (("anna", "right"), ("ben", "damaged"), ("carl", "no")):
        (folder / f"{name}.ipynb").write_text(text)
    return folder


def test_a_second_run_grades_only_what_is_new_or_changed(three, tmp_path, graded_apart, capsys):
    words = [str(three), "--out", str(tmp_path / "out")]
    assert command.main(words) == 2
    assert sorted(graded_apart) == ["anna", "ben", "carl"]
    (three / "carl.ipynb").write_text("right")
    (three / "dora.ipynb").write_text("right")
    graded_apart.clear()
    assert command.main(words) == 2
    assert sorted(graded_apart) == ["ben", "carl", "dora"]
    told = capsys.readouterr()
    assert "aircraft: note: 1 of 4 notebooks were graded before and are taken over" in told.err
    assert told.out.splitlines()[-1].startswith("3 of 4 notebooks graded; see ")
    table = (tmp_path / "out/grades.csv").read_text(encoding="utf-8-sig").splitlines()
    assert [line.split(",")[4] for line in table] == ["score", "1", "", "1", "1"]


@pytest.mark.parametrize("option", [["--fast"], ["--lesson", "4"], ["--timeout", "5"], ["--memory", "1"]])
def test_other_settings_grade_anew(three, tmp_path, graded_apart, option):
    words = [str(three), "--out", str(tmp_path / "out")]
    command.main(words)
    graded_apart.clear()
    command.main([*words, *option])
    assert "anna" in graded_apart


def test_another_course_grades_anew(three, tmp_path, graded_apart, monkeypatch):
    words = [str(three), "--out", str(tmp_path / "out")]
    command.main(words)
    graded_apart.clear()
    monkeypatch.setattr(sandbox, "fingerprint", lambda: "of another version")
    command.main(words)
    assert "anna" in graded_apart


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-20],
        lambda content: content.replace(b"wrong", b"other"),
        lambda content: content.replace(b'\\"wrong', b'\\"ok'),
        lambda content: b"[]",
        lambda content: b'{"hash": 1, "grade": 2}',
        lambda content: b"\xff\xfe",
    ],
)
def test_a_kept_file_that_is_damaged_is_graded_anew(three, tmp_path, graded_apart, damage):
    for name in ("anna", "ben"):
        (three / f"{name}.ipynb").unlink()
    words = [str(three), "--out", str(tmp_path / "out")]
    assert command.main(words) == 0
    (kept,) = (tmp_path / "out/kept").iterdir()
    kept.write_bytes(damage(kept.read_bytes()))
    assert command.main(words) == 0
    assert graded_apart == ["carl", "carl"]


def test_what_was_graded_before_an_interruption_is_kept(three, tmp_path, graded_apart, monkeypatch, capsys):
    graded = classroom._Grader._grade_apart

    def interrupted(self, submission):
        if submission.student == "carl":
            raise KeyboardInterrupt
        return graded(self, submission)

    monkeypatch.setattr(classroom._Grader, "_grade_apart", interrupted)
    words = [str(three), "--out", str(tmp_path / "out"), "--jobs", "1"]
    assert command.main(words) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    monkeypatch.setattr(classroom._Grader, "_grade_apart", graded)
    graded_apart.clear()
    command.main(words)
    assert graded_apart == ["ben", "carl"]


def test_a_notebook_that_changes_the_installed_package_ends_it_all(
    three, tmp_path, graded_apart, monkeypatch
):
    prints = iter(["before", "after", "after", "after"])
    monkeypatch.setattr(sandbox, "fingerprint", lambda: next(prints))
    with pytest.raises(InputError, match="changed the installed package"):
        list(classroom.grade_all(classroom.submissions([three])[0], Settings(), out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_json_is_a_line_for_each_notebook_in_order(three, graded_apart, capsys):
    assert command.main([str(three), "--json", "--jobs", "3"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [Path(json.loads(line)["notebook"]).stem for line in lines] == ["anna", "carl"]


def test_a_file_in_the_place_of_the_out_folder_is_refused_before_any_work(
    three, tmp_path, graded_apart, capsys
):
    (tmp_path / "out").write_text("mine")
    assert command.main([str(three), "--out", str(tmp_path / "out")]) == 2
    assert f"aircraft: --out {tmp_path / 'out'}: a file is there; give a folder" in capsys.readouterr().err
    assert not graded_apart


def test_the_folder_of_the_class_is_hidden_once_from_a_student_in_it(tmp_path):
    touch(tmp_path, "Anna/homework.ipynb", "Ben/homework.ipynb")
    hidden = sandbox.to_hide(tmp_path / "Anna/homework.ipynb", [str(tmp_path)])
    assert str(tmp_path.resolve()) in hidden
    assert not any(Path(one).is_relative_to(tmp_path.resolve() / "Anna") for one in hidden)


# With real kernels


def test_notebooks_side_by_side_are_graded_and_one_that_kills_harms_no_other(hand_in, tmp_path, capsys):
    """Each ends all processes that its grader started: a shared grader would lose the neighbour's."""
    folder = tmp_path / "class"
    folder.mkdir()
    slow = hand_in("import time; time.sleep(3)", "check_first(1)", "check_second(3)", name="slow.ipynb")
    dying = hand_in("check_first(1)", "import os\ncheck_second(os._exit(1))", name="dying.ipynb")
    for path in (slow, dying):
        os.replace(path, folder / path.name)
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), folder / "nothing.ipynb")
    assert command.main([str(folder), "--jobs", "3", "--out", str(tmp_path / "out")]) == 2
    assert "nothing.ipynb: cannot tell which lesson it is" in capsys.readouterr().err
    table = (tmp_path / "out/grades.csv").read_text(encoding="utf-8-sig")
    found = {row["student"]: row for row in csv.DictReader(io.StringIO(table))}
    assert (found["slow"]["first"], found["slow"]["second"]) == ("correct", "not quite")
    assert (found["dying"]["first"], found["dying"]["second"]) == ("correct", "code failed")
    assert "two, please" in (tmp_path / "out/class.html").read_text(encoding="utf-8")


def test_a_grader_that_dies_is_told_and_gives_no_grade(tmp_path, monkeypatch):
    monkeypatch.setattr(classroom.sys, "executable", "/bin/false" if os.name == "posix" else "where.exe")
    touch(tmp_path, "a.ipynb")
    (one,) = classroom.grade_all(classroom.submissions([tmp_path])[0], Settings(), jobs=1)
    assert one.grade is None
    assert re.search(r"a\.ipynb: its grader ended with \d+ and told nothing", one.problem)


def test_a_grader_that_hangs_is_ended(tmp_path, monkeypatch):
    hanging = tmp_path / "hang"
    hanging.write_text("#!/bin/sh\nexec sleep 60\n")
    hanging.chmod(0o755)
    monkeypatch.setattr(classroom.sys, "executable", str(hanging))
    monkeypatch.setattr(classroom, "GRACE", -2099)  # a second in all
    touch(tmp_path, "a.ipynb")
    started = time.monotonic()
    (one,) = classroom.grade_all(classroom.submissions([tmp_path])[0], Settings(), jobs=1)
    assert "told nothing" in one.problem
    assert time.monotonic() - started < 30
