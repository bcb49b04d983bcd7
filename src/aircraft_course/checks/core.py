"""Checks that help: a function of asserts becomes an exercise that prints one line and never raises.

The line says "correct", "not answered yet", "not quite" with a hint, or "your code failed" with the error.
"""

import ast
import dis
import importlib
import inspect
import os
import re
import signal
import sysconfig
import textwrap
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any, overload

# In a kernel of the autograder: the function that lets a check run elsewhere (apart.py puts it here).
ELSEWHERE: list[Callable[..., tuple[str, str]]] = []

# What the student did not write: their steps are left out of the line that tells of an error.
PACKAGES = ("aircraft_course", "aircraft_bench", "aircraft", "airfield")

SECONDS = 60  # of computing that an answer may take in a check

LINES = {
    "ok": "✅ correct",
    "todo": "🟡 not answered yet - {}",
    "wrong": "❌ not quite - {}",
    "error": "💥 your code failed - {}",
}
TO_DO = "replace every ... by your answer, run that cell, then this one again"


@dataclass
class Outcome:
    """What a check found: `status` is "ok", "todo", "wrong", "error", or "" before the first check."""

    name: str = ""
    status: str = ""
    message: str = ""

    def __str__(self) -> str:
        return (
            f"{self.name}: {LINES[self.status].format(self.message)}" if self.status else "no check ran yet"
        )


LAST = Outcome()  # of the check that ran last; changed in place, so that every import sees it


class Exercise:
    """A check with its hints. Call it with the student's answer; `hint()` prints one hint more each time."""

    def __init__(self, function: Callable[..., None], hints: tuple[str, ...] = ()) -> None:
        self.function = function
        self.hints = hints
        self.name = function.__name__.removeprefix("check_")
        self.lesson = function.__module__.rpartition(".")[2]
        self.__doc__ = function.__doc__
        self._shown = 0
        self.status = ""  # what it said last, as in Outcome

    def __call__(self, *answers: Any, **named: Any) -> None:
        LAST.name = self.name
        LAST.status, LAST.message = self._judge(answers, named)
        self.status = LAST.status
        print(LAST)

    def hint(self) -> None:
        """Print the next hint; when all were shown, the last one again."""
        if not self.hints:
            print(f"{self.name}: there is no hint; the line of the check tells what to look at")
            return
        self._shown = min(self._shown + 1, len(self.hints))
        print(f"{self.name}: 💡 hint {self._shown} of {len(self.hints)}: {self.hints[self._shown - 1]}")

    def __repr__(self) -> str:
        return f"<check of the exercise {self.name!r}: call it with your answer>"

    def _judge(self, answers: tuple[Any, ...], named: dict[str, Any]) -> tuple[str, str]:
        given = [*answers, *named.values()]
        if ELSEWHERE:
            return ELSEWHERE[0](self.lesson, self.name, answers, named, any(map(_is_blank, given)))
        return self.judge(answers, named, lambda: any(map(_is_blank, given)))

    def judge(
        self, answers: tuple[Any, ...], named: dict[str, Any], is_blank: Callable[[], bool]
    ) -> tuple[str, str]:
        """Status and message for an answer; `is_blank` tells whether a `...` of the stub is left in it."""
        if any(answer is ... for answer in [*answers, *named.values()]):
            return "todo", TO_DO
        try:
            with _in_time():
                self.function(*answers, **named)
        except (Exception, SystemExit) as error:
            # A blank is looked for only now: an honest `image[..., 0]` must never spoil a right answer.
            if is_blank():
                return "todo", TO_DO
            if isinstance(error, AssertionError):
                return "wrong", _one_line(error) or "read the exercise again and try a small example by hand"
            if _is_of_the_check(error):
                return "wrong", f"your answer has another type or shape than the exercise asks for ({error})"
            return "error", _explain(error)
        return "ok", ""


@overload
def exercise(function: Callable[..., None], /) -> Exercise: ...
@overload
def exercise(*, hints: tuple[str, ...] = ()) -> Callable[[Callable[..., None]], Exercise]: ...
def exercise(function: Callable[..., None] | None = None, /, *, hints: tuple[str, ...] = ()) -> Any:
    """Decorate `check_<name>(answer, ...)`, whose assert messages are the hints for the usual mistakes.

    Use as `@exercise` or as `@exercise(hints=("first step", "second step"))`.
    """
    if function is not None:
        return Exercise(function)
    if isinstance(hints, str):
        raise TypeError("hints must be a tuple of texts; a single hint needs a comma: hints=('text',)")
    return lambda check: Exercise(check, tuple(hints))


def hint(check: Exercise) -> None:
    """The same as `check.hint()`."""
    check.hint()


def exercises_of(lesson: str) -> dict[str, Exercise]:
    """The exercises of "lesson03" by name, in the order of its module of checks."""
    checks = vars(importlib.import_module(f"aircraft_course.checks.{lesson}")).values()
    return {one.name: one for one in checks if isinstance(one, Exercise) and one.lesson == lesson}


Result = tuple[str, str, str]  # exercise, outcome, message


def blamed(code: str, exercises: set[str], why: str) -> Iterator[Result]:
    """The exercises whose checks `code` calls, when it ended for a reason before they told anything."""
    if why:
        yield from (
            (name, "error", why) for name in re.findall(r"\bcheck_(\w+)\(", code) if name in exercises
        )


def _is_blank(answer: Any) -> bool:
    """True when a `...` of the stub is still in the answer: a value, a function, a class or its object."""
    if answer is ...:
        return True
    if isinstance(answer, list | tuple | set):
        return any(item is ... for item in answer)
    if isinstance(answer, dict):
        return any(item is ... for item in answer.values())
    return any(_has_blank(code) for code in _codes(answer))


def _codes(answer: Any) -> Iterator[CodeType]:
    """The code objects of a function, of the methods of a class, or of those of an object of such a class."""
    if not isinstance(answer, type) and not hasattr(answer, "__code__"):
        answer = type(answer)
        if answer.__module__ != "__main__":  # a class of a library: nothing in it is the student's
            return
    members = list(vars(answer).values()) if isinstance(answer, type) else [answer]
    for member in members:
        member = getattr(member, "__func__", getattr(member, "fget", member))  # methods, properties
        if isinstance(code := getattr(member, "__code__", None), CodeType):
            yield code


def _has_blank(code: CodeType) -> bool:
    if ... in code.co_consts or _is_empty(code) or _has_blank_line(code):
        return True
    return any(_has_blank(inner) for inner in code.co_consts if isinstance(inner, CodeType))


def _is_empty(code: CodeType) -> bool:
    """A body of nothing but `...` or `pass`: the compiler leaves only `return None` of it."""
    nothing = {"RESUME", "NOP", "CACHE", "COPY_FREE_VARS", "MAKE_CELL"}
    steps = [step for step in dis.get_instructions(code) if step.opname not in nothing]
    returns = {"LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}
    return all(step.opname in returns and step.argval is None for step in steps)


def _has_blank_line(code: CodeType) -> bool:
    """A line `...` among others: the compiler drops it, so it is looked for in the source, if there is."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(code)))
    except (OSError, TypeError, SyntaxError):
        return False
    lines = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    return any(isinstance(line, ast.Constant) and line.value is ... for line in lines)


def _explain(error: BaseException) -> str:
    """The error in one line, with the student's own line that caused it."""
    return f"{type(error).__name__}: {_one_line(error)}".rstrip(": ") + where(error)


@contextmanager
def _in_time() -> Iterator[None]:
    """End an answer that computes for longer than SECONDS, where the system has such an alarm.

    Seconds of computing, not of the clock: a busy machine is no fault of the student's.
    """
    alarm = getattr(signal, "SIGVTALRM", None)
    if alarm is None or threading.current_thread() is not threading.main_thread():
        yield
        return

    def ring(number: int, frame: object) -> None:
        raise TimeoutError(f"after {SECONDS} s of computing there is no answer yet: does a loop never end?")

    before = signal.signal(alarm, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(alarm, before)


def _is_of_the_check(error: BaseException) -> bool:
    """Whether the check stumbled over what an answer is or returns: no line of the student's failed.

    An answer that cannot be called as it is asked for is the student's, though the call stands in the check.
    """
    called = isinstance(error, TypeError) and re.search(r"not callable|argument|unhashable", str(error))
    ours = isinstance(error, TypeError | ValueError | IndexError | AttributeError | RuntimeError)
    away = hasattr(error, "where") or isinstance(error, RecursionError)
    return ours and not called and not away and not where(error)


def where(error: BaseException) -> str:
    """The student's own line that caused an error, in brackets, or nothing."""
    if isinstance(told := getattr(error, "where", None), str):  # it happened in another process
        return told
    ours = [str(Path(__file__).parents[2] / package) + os.sep for package in PACKAGES]
    libraries = (*ours, *sysconfig.get_paths().values())
    trace = traceback.extract_tb(error.__traceback__)
    steps = [step for step in trace if not step.filename.startswith(libraries)]
    return f" (line {steps[-1].lineno}: {steps[-1].line})" if steps and steps[-1].line else ""


def _one_line(error: BaseException) -> str:
    return textwrap.shorten(str(error), width=400, placeholder=" ...")
