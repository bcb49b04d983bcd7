"""Small things that all lessons use: how much to compute, where, and whether the text's numbers hold.

AIRCRAFT_FAST=1 in the environment asks for small settings: a lesson then runs through in seconds.
"""

import math
import os
from typing import Any, TypeVar

T = TypeVar("T")


def is_fast() -> bool:
    """Whether AIRCRAFT_FAST=1 asks for small settings; the numbers of a lesson then mean nothing.

    Returns
    -------
    bool

    Examples
    --------
    >>> from unittest import mock
    >>> with mock.patch.dict(os.environ, AIRCRAFT_FAST="1"):
    ...     is_fast()
    True
    """
    return os.environ.get("AIRCRAFT_FAST", "") not in ("", "0")


def budget(full: T, fast: T) -> T:
    """One of two amounts of work: epochs, patches, seeds.

    Parameters
    ----------
    full : any
        What the lesson is written for.
    fast : any
        What is enough to see that the lesson runs.

    Returns
    -------
    any
        `full`, or `fast` when AIRCRAFT_FAST=1.

    Examples
    --------
    >>> from unittest import mock
    >>> with mock.patch.dict(os.environ, AIRCRAFT_FAST="1"):
    ...     budget(full=12, fast=1)
    1
    """
    return fast if is_fast() else full


def device() -> Any:
    """Where to compute.

    Returns
    -------
    torch.device
        A GPU where there is one, else the CPU.

    Examples
    --------
    >>> device().type in ("cpu", "cuda", "mps")
    True
    """
    from aircraft.training import devices  # imports torch and ignite, which lessons 1 and 2 may not need

    return devices.choose("auto")


def expect(value: Any, low: float, high: float, name: str) -> Any:
    """Hold the text to its numbers: give `value` back when it lies in the range that the text states.

    Parameters
    ----------
    value : number
        What the lesson computed; anything that `float` takes.
    low, high : float
        The range that the text promises, both ends included. With AIRCRAFT_FAST=1 it is not looked at.
    name : str
        What the value is, for the message.

    Returns
    -------
    number
        `value` itself.

    Raises
    ------
    AssertionError
        When the value is not finite or lies outside of the range.

    Examples
    --------
    >>> expect(0.93, 0.9, 1.0, "AUC")
    0.93
    """
    number = float(value)
    assert math.isfinite(number), f"{name} is {number}, not a number that the text can talk about"
    assert is_fast() or low <= number <= high, (
        f"{name} is {number:.4g}, but the text promises {low:g} to {high:g}; "
        "run the lesson again from the top, and tell your teacher if it stays so"
    )
    return value


def use(check: Any, mine: T, package: T) -> T:
    """The student's own answer where its check says that it is right, else the package's and a line.

    Parameters
    ----------
    check : the check of the exercise, `check_neuron`; what it said last counts
    mine : the student's function or value
    package : the course's, which goes on where there is none yet

    Returns
    -------
    function or value
        `mine` or `package`.

    Examples
    --------
    >>> from aircraft_course.checks import exercise
    >>> @exercise
    ... def check_half(answer):
    ...     assert answer == 0.5, "a half"
    >>> use(check_half, ..., 1 / 2)
    exercise half is not answered yet: going on with the package's
    0.5
    """
    if check.status == "ok":
        return mine
    state = "has no right answer yet" if check.status in ("wrong", "error") else "is not answered yet"
    print(f"exercise {check.name} {state}: going on with the package's")
    return package
