"""Checks of exercises: one line for each outcome, never an exception, hints one after the other."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from aircraft_course import lessons
from aircraft_course.checks import LAST, core, exercise, hint


@exercise(hints=("Think of two.", "Return 2 * x."))
def check_double(double):
    """Twice the number."""
    assert double(3) != 9, "that is the square; twice a number is the number plus itself"
    assert double(3) == 6, "3 and 3 again are 6"


def right(x):
    return 2 * x


def empty(x):
    """Twice x."""
    ...


def with_a_blank_line(x):
    y = x + x  # noqa: F841
    ...
    return z  # noqa: F821


def with_a_blank_value(x):
    y = ...
    return y + x


def with_a_blank_inside(x):
    def inner():
        return ...

    return inner()


def one_instead_of_two(x):
    return 1


def raises(x):
    return x / 0


def recurses(x):
    return recurses(x)


def asserts(x):
    assert x > 5, "my own assert"


def leaves(x):
    raise SystemExit(1)


class BlankMethod:
    __module__ = "__main__"

    def __call__(self, x):
        self.y = ...
        return x


class BlankProperty:
    __module__ = "__main__"

    @property
    def y(self):
        return ...

    def __call__(self, x):
        return self.y + x


class Filled:
    __module__ = "__main__"

    def __call__(self, x):
        return 2 * x


class OfALibrary:
    """Its `...` is not the student's."""

    def __call__(self, x):
        return x if x else ...


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (right, "ok", ""),
        (Filled(), "ok", ""),
        (lambda image: np.asarray([image, image])[..., :].sum(), "ok", ""),  # an honest ... may stand there
        (..., "todo", "replace every ..."),
        (empty, "todo", "replace every ..."),
        (with_a_blank_line, "todo", "replace every ..."),
        (with_a_blank_value, "todo", "replace every ..."),
        (with_a_blank_inside, "todo", "replace every ..."),
        (BlankMethod(), "todo", "replace every ..."),
        (BlankProperty(), "todo", "replace every ..."),
        ([1, ...], "todo", "replace every ..."),
        ({"a": ...}, "todo", "replace every ..."),
        (lambda x: x * x, "wrong", "that is the square"),
        (one_instead_of_two, "wrong", "3 and 3 again"),
        (OfALibrary(), "wrong", "3 and 3 again"),
        (asserts, "wrong", "my own assert"),
        (raises, "error", "ZeroDivisionError: division by zero"),
        (recurses, "error", "RecursionError"),
        (leaves, "error", "SystemExit"),
        (5, "error", "TypeError: 'int' object is not callable"),
        (None, "error", "TypeError"),
    ],
)
def test_a_check_prints_one_line_and_never_raises(answer, status, message, capsys):
    check_double(answer)
    assert (LAST.name, LAST.status) == ("double", status)
    assert message in LAST.message
    printed = capsys.readouterr().out
    assert printed == f"{LAST}\n"
    assert printed.startswith(f"double: {core.LINES[status].split(' - ')[0].rstrip('{}')}")


def test_a_blank_is_never_right():
    @exercise
    def check_anything(value):
        pass

    check_anything(...)
    assert LAST.status == "todo"


@pytest.mark.parametrize("body", ["...", "pass", "return ...", "return None"])
def test_a_blank_is_found_without_the_source_too(body):
    names: dict = {}
    exec(f"def double(x):\n    {body}", names)
    check_double(names["double"])
    assert LAST.status == "todo"


def test_an_error_is_shown_with_the_line_that_caused_it():
    check_double(raises)
    assert "return x / 0" in LAST.message


@pytest.mark.parametrize("package", ["aircraft", "aircraft_bench", "aircraft_course", "airfield"])
def test_an_error_inside_our_packages_is_shown_with_the_students_line(package):
    place = Path(core.__file__).parents[2] / package / "deep/inside.py"
    ours: dict = {}
    exec(compile("def refuse(x):\n    raise ValueError('a bad x')", place, "exec"), ours)

    def answer(x):
        return ours["refuse"](x)

    check_double(answer)
    assert LAST.message.startswith("ValueError: a bad x (line ")
    assert 'return ours["refuse"](x))' in LAST.message


def test_a_long_message_is_one_line_and_cut():
    @exercise
    def check_long(value):
        raise ValueError("first\nsecond " + "word " * 500)

    check_long(3)
    assert "\n" not in str(LAST)
    assert len(str(LAST)) < 500


def test_an_assert_without_a_message_still_says_something():
    @exercise
    def check_bare(value):
        raise AssertionError  # pytest would write a message into an assert of this file

    check_bare(4)
    assert LAST.status == "wrong"
    assert len(LAST.message) > 20


def test_several_answers_are_given_by_place_or_by_name():
    @exercise
    def check_pair(a, b):
        assert a + b == 3, "a and b make 3"

    check_pair(1, b=2)
    assert LAST.status == "ok"
    check_pair(1, b=...)
    assert LAST.status == "todo"


@pytest.mark.skipif(not hasattr(core.signal, "SIGVTALRM"), reason="the system has no such alarm")
def test_a_loop_without_end_is_ended(monkeypatch):
    monkeypatch.setattr(core, "SECONDS", 0.2)

    def endless(x):
        while True:
            x += 1

    check_double(endless)
    assert LAST.status == "error"
    assert "does a loop never end" in LAST.message


@pytest.mark.parametrize("line", ["answer.shape", "answer + [1]", "answer[3]"])
def test_a_check_that_stumbles_over_an_answer_calls_it_wrong_and_names_no_failure(line):
    names: dict = {"__name__": "made"}
    code = f"def check_this(function):\n    answer = function(1)\n    {line}"
    exec(compile(code, Path(core.__file__).with_name("made.py"), "exec"), names)
    exercise(names["check_this"])(lambda x: (1, 2))
    assert LAST.status == "wrong"
    assert "another type or shape" in LAST.message


def test_the_keyboard_still_interrupts():
    @exercise
    def check_slow(value):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_slow(1)


def test_hints_come_one_after_the_other(capsys):
    @exercise(hints=("first", "second"))
    def check_two(value):
        pass

    check_two.hint()
    check_two.hint()
    hint(check_two)
    assert capsys.readouterr().out.splitlines() == [
        "two: 💡 hint 1 of 2: first",
        "two: 💡 hint 2 of 2: second",
        "two: 💡 hint 2 of 2: second",
    ]


def test_an_exercise_without_hints_says_so(capsys):
    @exercise
    def check_none(value):
        pass

    check_none.hint()
    assert "there is no hint" in capsys.readouterr().out


def test_a_single_text_is_not_a_tuple_of_hints():
    with pytest.raises(TypeError, match="a comma"):
        exercise(hints="only one")


def test_a_check_keeps_its_documentation_and_says_what_it_is():
    assert check_double.__doc__ == "Twice the number."
    assert "double" in repr(check_double)
    assert str(core.Outcome()) == "no check ran yet"


def test_no_variable_of_the_environment_makes_a_check_write(tmp_path, monkeypatch):
    monkeypatch.setenv("AIRCRAFT_CHECKS_LOG", str(tmp_path / "log"))  # what the grader believed before
    check_double(right)
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(("value", "fast"), [(None, False), ("", False), ("0", False), ("1", True)])
def test_the_budget_is_small_when_asked_for(value, fast, monkeypatch):
    monkeypatch.delenv("AIRCRAFT_FAST", raising=False)
    if value is not None:
        monkeypatch.setenv("AIRCRAFT_FAST", value)
    assert lessons.is_fast() is fast
    assert lessons.budget(12, 1) == (1 if fast else 12)


@pytest.mark.parametrize("value", [0.5, np.float32(0.5), torch.tensor(0.5)])
def test_an_expected_value_is_given_back(value, monkeypatch):
    monkeypatch.delenv("AIRCRAFT_FAST", raising=False)
    assert lessons.expect(value, 0.4, 0.6, "accuracy") is value


@pytest.mark.parametrize(
    ("value", "message"),
    [(0.3, "0.3, but the text promises 0.4 to 0.6"), (math.nan, "nan"), (math.inf, "inf")],
)
def test_an_unexpected_value_is_named(value, message, monkeypatch):
    monkeypatch.delenv("AIRCRAFT_FAST", raising=False)
    with pytest.raises(AssertionError, match=message) as error:
        lessons.expect(value, 0.4, 0.6, "accuracy")
    assert str(error.value).startswith("accuracy is")


def test_with_small_settings_a_value_need_only_be_finite(monkeypatch):
    monkeypatch.setenv("AIRCRAFT_FAST", "1")
    assert lessons.expect(0.1, 0.4, 0.6, "accuracy") == 0.1
    with pytest.raises(AssertionError, match="accuracy is nan"):
        lessons.expect(math.nan, 0.4, 0.6, "accuracy")


def test_the_device_is_one_of_this_machine():
    assert torch.zeros(1, device=lessons.device()).item() == 0
