"""What a student hands in, in one plain form; what cannot be brought into it is refused in words, as wrong.

A value of a wrong type must never make a check stumble: the line says what was given and what is asked for.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from aircraft_course.checks.reference import same, shown


def number(value: Any, what: str, asked: str = "one number is asked for") -> int | float:
    """A plain number, from Python's, numpy's or torch's; True and False are none.

    what: the name of the answer, or the call that gave it ("neuron([1, 2], ...)").
    """
    plain = _plain(value)
    while isinstance(plain, list | tuple) and len(plain) == 1 and not isinstance(value, list | tuple):
        plain = plain[0]  # an array of one number
    wrong = isinstance(plain, bool) or not isinstance(plain, int | float)
    assert not wrong, f"{what} is {told(value)}; {asked}"
    return plain


def numbers(value: Any, what: str, asked: str = "an array of numbers is asked for") -> np.ndarray:
    """An array of floats, from a list, a tuple, an array or a tensor of numbers."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    try:
        array = np.asarray(value)
        assert array.dtype.kind in "biuf"
        return array.astype(float)
    except (AssertionError, TypeError, ValueError, RuntimeError):
        raise AssertionError(f"{what} is {told(value)}; {asked}") from None


def parts(value: Any, count: int, asked: str, kinds: tuple[Any, ...] = (tuple, list)) -> list[Any]:
    """So many things in a tuple or a list; asked: the sentence for anything else."""
    assert value is not None, f"{asked}; your function returns None: is the line `return` missing?"
    assert isinstance(value, kinds), f"{asked}; this is {told(value)}"
    found = list(value)
    assert len(found) == count, f"{asked}; these are {len(found)}"
    return found


def told(value: Any) -> str:
    """A value with its kind, for a student who mixed up the kinds."""
    kinds = {str: "a text", bool: "", list: "a list", tuple: "a tuple", dict: "a dict", set: "a set"}
    if value is None or isinstance(value, bool | np.bool_):
        return str(value)
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function {value.__name__} itself, which was not called"
    kind = kinds.get(type(value), f"of the type {type(value).__name__}")
    if isinstance(
        value, str | int | float | list | tuple | dict | set | np.generic | np.ndarray | torch.Tensor
    ):
        return f"{shown(value)} ({kind})"
    return kind


def explained(found: Sequence[Any], right: Sequence[Any], ways: Mapping[str, Sequence[Any]]) -> None:
    """Give the hint of a wrong way only when its values are the student's in all cases, and not right.

    found, right: what came and what is expected, case by case; ways: hint -> what that mistake gives.
    """
    if same(list(found), list(right), 1e-6):
        return
    for hint, values in ways.items():
        assert not same(list(found), list(values), 1e-6), hint


def how_many(value: Any) -> int:
    """How many numbers a student returned, in whatever they are."""
    return value.numel() if isinstance(value, torch.Tensor) else int(np.size(value))


def undisturbed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with the global random numbers put back afterwards: where drawing them does no harm."""

    @functools.wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        before = np.random.get_state()  # noqa: NPY002
        try:
            with torch.random.fork_rng(devices=[]):
                return function(*given, **named)
        finally:
            np.random.set_state(before)  # noqa: NPY002

    return call


def _plain(value: Any) -> Any:
    """Numbers of numpy and torch as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().tolist()
    return value
