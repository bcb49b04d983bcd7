"""The autograder: runs a handed-in notebook whatever it does, and counts all exercises of its lesson."""

import importlib
import json
import os
import subprocess
import sys
import time

import nbformat
import pytest
import torch
from nbformat.v4 import new_code_cell, new_notebook

from aircraft import InputError
from aircraft_course.checks import __main__ as command
from aircraft_course.checks import grading, kernels
from grader_helpers import outcomes

pytest_plugins = ["grader_helpers"]  # hand_in


def test_every_outcome_is_told_and_right_answers_are_counted(hand_in):
    path = hand_in("check_first(1)", "check_second(3)", "def third():\n    ...", "check_third(third)")
    grade = grading.grade(path)
    assert outcomes(grade) == [("first", "ok"), ("second", "wrong"), ("third", "todo")]
    assert (grade.lesson, grade.score, grade.results[1].message) == ("lesson99", 1, "two, please")


def test_a_deleted_cell_counts_as_not_answered(hand_in):
    grade = grading.grade(hand_in("check_first(1)"))
    assert outcomes(grade) == [("first", "ok"), ("second", "todo"), ("third", "todo")]
    assert (grade.score, len(grade.results)) == (1, 3)


def test_a_cell_that_fails_or_prints_a_success_gets_no_point(hand_in):
    grade = grading.grade(
        hand_in("check_first(nowhere)", "print('second: ✅ correct')", "1 / 0", "check_third(lambda: 3)")
    )
    assert outcomes(grade) == [("first", "error"), ("second", "todo"), ("third", "ok")]
    assert grade.results[0].message == "NameError: name 'nowhere' is not defined"


def test_an_error_after_a_check_takes_no_point_away(hand_in):
    assert outcomes(grading.grade(hand_in("check_first(1)\n1 / 0")))[0] == ("first", "ok")


def test_the_last_answer_counts(hand_in):
    grade = grading.grade(hand_in("check_first(1)\ncheck_second(3)", "check_first(4)\ncheck_second(2)"))
    assert outcomes(grade)[:2] == [("first", "wrong"), ("second", "ok")]


def test_a_check_of_another_lesson_is_not_counted(hand_in):
    assert outcomes(grading.grade(hand_in("check_elsewhere(1)"))) == [
        ("first", "todo"), ("second", "todo"), ("third", "todo")
    ]  # fmt: skip


def test_a_cell_that_hangs_loses_only_itself(hand_in):
    endless = "def third():\n    while True:\n        print('and again')"
    grade = grading.grade(
        hand_in("one = 1\ncheck_first(one)", endless, "check_third(third)", "check_second(one + 1)"),
        timeout=3,
    )
    assert outcomes(grade) == [("first", "ok"), ("second", "ok"), ("third", "error")]
    assert grade.results[2].message == "its cell ran longer than 3 s"


def test_a_cell_that_kills_the_kernel_loses_only_itself(hand_in):
    dying = "import os\ncheck_third(lambda: os._exit(1))"
    grade = grading.grade(hand_in("one = 1\ncheck_first(one)", dying, "check_second(one + 1)"))
    assert outcomes(grade) == [("first", "ok"), ("second", "ok"), ("third", "error")]
    assert "ended the kernel" in grade.results[2].message


def test_a_notebook_of_nothing_but_crashes_comes_to_an_end(hand_in, monkeypatch):
    monkeypatch.setattr(grading, "RESTARTS", 1)
    grade = grading.grade(hand_in("check_first(1)", *["import os; os._exit(1)"] * 4, "check_second(2)"))
    assert outcomes(grade)[:2] == [("first", "ok"), ("second", "todo")]


def test_the_settings_of_the_teacher_reach_the_notebook(hand_in, monkeypatch):
    monkeypatch.setenv("AIRCRAFT_FAST", "1")
    path = hand_in("import os\ncheck_first(1 if os.environ.get('AIRCRAFT_FAST') else 0)")
    assert grading.grade(path).score == 0
    assert grading.grade(path, fast=True).score == 1


@pytest.mark.parametrize(
    ("name", "metadata", "given", "lesson"),
    [
        ("homework.ipynb", {"aircraft": {"lesson": "lesson98"}}, None, "lesson98"),
        ("homework.ipynb", {"aircraft": "spoiled"}, None, "lesson99"),
        ("98_other.ipynb", {}, None, "lesson99"),  # what it imports says more than its name
        ("homework.ipynb", {}, "98", "lesson98"),
        ("homework.ipynb", {}, "lesson98", "lesson98"),
    ],
)
def test_the_lesson_is_found(hand_in, monkeypatch, name, metadata, given, lesson):
    monkeypatch.setattr(grading, "_run", lambda *_: [])
    assert grading.grade(hand_in(name=name, metadata=metadata), lesson=given).lesson == lesson


def test_the_file_name_tells_the_lesson_when_nothing_else_does(tmp_path, monkeypatch):
    monkeypatch.setattr(grading, "_run", lambda *_: [])
    monkeypatch.setattr(grading, "lesson_names", lambda: ["lesson03"])
    monkeypatch.setattr(grading, "exercises", lambda name: [name])
    path = tmp_path / "03_toy_classification (1).ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), path)
    assert grading.grade(path).lesson == "lesson03"


def test_old_and_widget_laden_notebooks_can_be_graded(tmp_path, hand_in):
    path = hand_in("check_first(1)")
    raw = json.loads(path.read_text())
    raw["nbformat_minor"] = 2  # cells without ids, widgets without state: Colab writes such files
    for cell in raw["cells"]:
        del cell["id"]
    raw["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"1": {}}}
    path.write_text(json.dumps(raw))
    assert grading.grade(path).score == 1


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a notebook"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"{}", "not a notebook"),
        (b"[1, 2]", "not a notebook"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "it has no cells"),
        (
            b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}',
            "not a notebook",
        ),
        (b"print(1)", "not a notebook"),
    ],
)
def test_a_file_that_is_no_notebook_is_refused_in_one_line(tmp_path, content, told):
    path = tmp_path / "homework.ipynb"
    path.write_bytes(content)
    with pytest.raises(InputError, match=told) as error:
        grading.grade(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("lesson", "told"), [(None, "say so, for example --lesson 3"), ("77", "no lesson '77'; there are")]
)
def test_a_notebook_of_no_lesson_is_refused(tmp_path, lesson, told):
    path = tmp_path / "homework.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell("1")]), path)
    with pytest.raises(InputError, match=told):
        grading.grade(path, lesson=lesson)


def test_the_command_prints_a_table_and_the_score(hand_in, capsys):
    assert command.main([str(hand_in("check_first(1)", "check_second(3)"))]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith("homework.ipynb: lesson99")
    assert lines[1].split() == ["exercise", "outcome", "message"]
    assert lines[2].split() == ["first", "✅", "correct"]
    assert lines[3].endswith("two, please")
    assert lines[-1] == "score: 1 of 3"


def test_a_bad_notebook_stops_no_other_and_the_exit_code_tells(tmp_path, hand_in, capsys):
    missing, good = tmp_path / "missing.ipynb", hand_in("check_first(1)")
    assert command.main(["--json", str(missing), str(good)]) == 2
    printed = capsys.readouterr()
    assert json.loads(printed.out)["score"] == 1
    assert json.loads(printed.out)["results"][0] == {"exercise": "first", "outcome": "ok", "message": ""}
    said = [line for line in printed.err.splitlines() if line.startswith("aircraft: ")]
    assert [line for line in said if not line.startswith("aircraft: note: ")] == [
        f"aircraft: {missing}: No such file or directory"
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "required: notebook.ipynb"),
        (["a.ipynb", "--timeout", "soon"], "a whole number of seconds"),
        (["a.ipynb", "--timeout", "0"], "a whole number of seconds"),
        (["a.ipynb", "--quick"], "unrecognized arguments: --quick"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_2(words, told, capsys):
    with pytest.raises(SystemExit) as end:
        command.main(words)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("aircraft: ")
    assert told in error
    assert error.count("\n") == 1


def test_a_fault_of_ours_is_told_as_such(hand_in, monkeypatch, capsys):
    monkeypatch.setattr(grading, "_run", lambda *_: 1 / 0)
    assert command.main([str(hand_in())]) == 1
    assert "this is a fault of aircraft" in capsys.readouterr().err


def test_the_lessons_that_have_checks_are_known():
    assert all(grading.exercises(name) for name in grading.lesson_names())


def test_a_client_ends_its_kernel(tmp_path):
    notebook = new_notebook(cells=[new_code_cell("import os; print(os.getpid())")])
    kernels.client(notebook, folder=tmp_path, timeout=60).execute(env=kernels.environment())
    with pytest.raises(ProcessLookupError):
        os.kill(int(notebook.cells[0].outputs[0].text), 0)


# What the lessons imported that were handed out before version 0.2, without names that have not moved.
HANDED_OUT = """
from aircraft import datasets, lessons, metrics, models, plotting, synthetic, training
from aircraft import engines, loading, patches, resampling, storage, detection
from aircraft.checks.lesson01 import check_neuron
from aircraft.checks.lesson02 import check_convolve
from aircraft.checks.lesson03 import check_bce
from aircraft.checks.lesson04 import check_events
from aircraft.checks.lesson05 import check_f_beta
from aircraft.checks.lesson06 import check_head
from aircraft.checks.lesson07 import check_slide
from aircraft.checks.lesson08 import check_corner
from aircraft.drawings import lesson01, lesson02, lesson03, lesson04, lesson05, lesson06, lesson07, lesson08
from aircraft.errors import InputError
from aircraft.models.efficientnet import STAGES
from aircraft.plotting.style import STYLE
from aircraft.sampling import Sampler

assert lessons.budget(3, 1) == 1
check_neuron(lambda x, w, b: 1 if x @ w + b > 0 else 0)
"""


def test_a_notebook_handed_out_before_the_move_still_grades(tmp_path):
    path = tmp_path / "homework.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(HANDED_OUT)]), path)
    command = [sys.executable, "-m", "aircraft.checks", "--json", "--fast", str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    grade = json.loads(ran.stdout)
    assert (grade["lesson"], grade["score"]) == ("lesson01", 1), grade["results"]
    assert "aircraft.checks is aircraft_course.checks now" in ran.stderr


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("aircraft.checks", "aircraft_course.checks", "LAST"),
        ("aircraft.engines", "aircraft.training.engines", "create_evaluator"),
        ("aircraft.errors", "aircraft", "InputError"),
        ("aircraft.lessons", "aircraft_course.lessons", "expect"),
        ("aircraft.loading", "aircraft.training.loading", "Batches"),
        ("aircraft.resampling", "aircraft.metrics", "interval"),
        ("aircraft.sampling", "aircraft.training.loading", "Sampler"),
        ("aircraft.storage", "aircraft.datasets.storage", "load_or_build"),
        ("aircraft.synthetic", "aircraft.datasets.synthetic", "render"),
    ],
)
def test_an_old_name_warns_and_stands_for_the_new_one(old, new, name):
    sys.modules.pop(old, None)
    with pytest.warns(FutureWarning, match=f"^{old} is {new} now"):
        found = getattr(importlib.import_module(old), name)
    assert found is getattr(importlib.import_module(new), name)


def test_the_trainer_of_before_takes_a_scaler():
    sys.modules.pop("aircraft.engines", None)
    with pytest.warns(FutureWarning):
        engines = importlib.import_module("aircraft.engines")
    network = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    scaler = torch.amp.GradScaler("cpu", enabled=False)
    assert engines.create_trainer(network, optimizer, scaler, torch.nn.BCEWithLogitsLoss(), amp=None).run


IMPORTS = "from aircraft_course.checks.lesson99 import (\n    check_first,\n    check_second,\n)"


@pytest.mark.parametrize(
    "called",
    [
        "check_first(1)",
        "check_first.hint()\ncheck_second(2)",
        "import subprocess\nif 0: subprocess.check_call(['ls'])\ncheck_first(1)",
        "check_first([1 for _ in 'ab'], value=lambda: 2)",
    ],
)
def test_cells_after_the_last_check_are_left_out(called):
    cells = [IMPORTS, "x = 1", called]
    assert grading.until_last_check([*cells, "train()", "plot()"], ["first", "second"]) == cells


@pytest.mark.parametrize(
    "code",
    [
        "def both():\n    check_first(1)\n    check_second(2)",
        "again = check_first",
        "for one in (check_first, check_second):\n    pass",
        "check_first(1) or later(check_second)",
        "from aircraft_course.checks.lesson99 import check_first as mine",
        "from aircraft_course import checks",
        "import aircraft_course.checks.lesson99 as lesson",
        "%time check_first(1)",
        "check_first(1\n",
        "check_first(1); " + "-" * 50_000 + "1",
    ],
)
def test_all_cells_run_where_a_check_may_have_another_name(code):
    cells = [IMPORTS, code, "both()", "again(1)"]
    assert grading.until_last_check(cells, ["first", "second"]) == cells


def test_what_comes_after_the_last_check_takes_no_time(tmp_path):
    path = tmp_path / "01.ipynb"
    codes = [
        "from aircraft_course.checks.lesson01 import check_by_hand",
        "check_by_hand(-1, 0)",
        "import time; time.sleep(200)",
    ]
    nbformat.write(new_notebook(cells=[new_code_cell(code) for code in codes]), path)
    started = time.monotonic()
    assert grading.grade(path).score == 1
    assert time.monotonic() - started < 150


def test_figures_become_no_pictures(hand_in):
    """Nobody looks at them, and a lesson has dozens."""
    draw = """
import matplotlib.pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
made = []
FigureCanvasAgg.print_png = lambda *_, **__: made.append(1)
plt.plot([0, 1])"""
    grade = grading.grade(hand_in(draw, draw, "check_first(1 + len(made))"))
    assert grade.score == 1, grade.results
