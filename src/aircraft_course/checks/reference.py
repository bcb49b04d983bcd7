"""The safety net under a check: the student's function beside the trusted one, on inputs drawn from a seed.

The asserts of a check come first, with hints for mistakes that we know; `agree` refuses those that nobody
thought of. What it says is the input, what came, and what was expected: small enough to follow by hand.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

Draw = Callable[[np.random.Generator, int], tuple[Any, ...]]  # random numbers, size -> arguments


@dataclass
class Effort:
    """How many inputs are drawn, and from which seed; the tool that tries mutants asks for thousands."""

    draws: int = 60
    seed: int = 0


EFFORT = Effort()
CALLS = 0  # of `agree`: tells whether a check has this net


@contextmanager
def effort(draws: int, seed: int) -> Iterator[None]:
    """Draw more, or other inputs, for the length of a `with`."""
    before = EFFORT.draws, EFFORT.seed
    EFFORT.draws, EFFORT.seed = draws, seed
    try:
        yield
    finally:
        EFFORT.draws, EFFORT.seed = before


def agree(
    student: Callable[..., Any],
    trusted: Callable[..., Any],
    draw: Draw,
    *,
    name: str = "",
    form: Callable[[Any], Any] = lambda answer: answer,
    tell: str = "",
    within: float = 1e-5,
) -> None:
    """Raise AssertionError for the first drawn input, small ones first, on which the two differ.

    draw: the arguments, from a generator and a size that grows from 0; form: brings answers of several right
    shapes into one; tell: a sentence on what is asked for, put behind the example.
    """
    global CALLS
    CALLS += 1
    name = name or getattr(student, "__name__", "your function")
    for number in range(EFFORT.draws):
        arguments = draw(np.random.default_rng([EFFORT.seed, number]), 1 + number * 8 // EFFORT.draws)
        given = copy.deepcopy(arguments)
        global_state = _global_random_state()
        call = f"{name}({', '.join(map(shown, arguments))})"
        raw = student(*given)
        assert raw is not None or trusted(*copy.deepcopy(arguments)) is None, (
            f"{name} returns None: the line `return` is missing"
        )
        assert same(given, arguments, 0), f"{call} changed what it was given; work on a copy"
        assert _global_random_state() == global_state, (
            f"{name} drew from the global random numbers: use the generator that you are given"
        )
        want = form(trusted(*copy.deepcopy(arguments)))
        try:
            got = form(raw)
        except Exception:  # not of a form that we know: shown as it is
            got = raw
        assert same(got, want, within), (
            f"{call} gives {shown(got)}, expected {shown(want)}{tell and '; ' + tell}"
        )


def by_chance(
    call: Callable[[np.random.Generator], Any], name: str, generator: str = "rng", given: Any = None
) -> None:
    """Raise AssertionError unless `call` draws from the generator that it is given, and from nothing else.

    given: what the call hands over besides, and must find unchanged afterwards.
    """
    state, before = _global_random_state(), copy.deepcopy(given)
    answers = [_array(call(np.random.default_rng(seed))) for seed in (0, 0, 1, 2, 3)]
    assert _global_random_state() == state, (
        f"{name} drew from the global random numbers; draw from `{generator}`, which it is given"
    )
    assert same(given, before, 0), f"{name} changed what it was given; work on a copy"
    assert same(answers[0], answers[1], 0), (
        f"two generators of one seed gave two results: {name} draws from something other than `{generator}`"
    )
    assert not all(same(answers[0], other, 0) for other in answers[2:]), (
        f"generators of other seeds gave the very same result: {name} does not draw from `{generator}`"
    )


def same(one: Any, other: Any, within: float) -> bool:
    """Whether two answers are equal, numbers within a tolerance; lists, tuples and arrays are one thing."""
    if isinstance(one, Mapping) or isinstance(other, Mapping):
        kinds = isinstance(one, Mapping) and isinstance(other, Mapping) and one.keys() == other.keys()
        return kinds and all(same(one[key], other[key], within) for key in other)
    if isinstance(one, str | bytes | None) or isinstance(other, str | bytes | None):
        return type(one) is type(other) and one == other
    if isinstance(one, set | frozenset) or isinstance(other, set | frozenset):
        return one == other
    try:
        left, right = _array(one), _array(other)
    except (TypeError, ValueError, RuntimeError):  # of unequal parts
        if not (isinstance(one, Sequence) and isinstance(other, Sequence) and len(one) == len(other)):
            return bool(type(one) is type(other) and vars_same(one, other, within))
        return all(same(a, b, within) for a, b in zip(one, other, strict=True))
    if left.dtype == object or right.dtype == object:
        parts = isinstance(one, Sequence) and isinstance(other, Sequence) and len(one) == len(other)
        if parts:
            return all(same(a, b, within) for a, b in zip(one, other, strict=True))
        return bool(type(one) is type(other) and vars_same(one, other, within))
    if left.shape != right.shape:
        return False
    if left.dtype.kind not in "biufc" or right.dtype.kind not in "biufc":
        return bool((left == right).all())
    return bool(
        np.allclose(left.astype(float), right.astype(float), rtol=within, atol=within, equal_nan=True)
    )


def vars_same(one: Any, other: Any, within: float) -> bool:
    """Objects of one class: by their attributes."""
    if not hasattr(one, "__dict__"):
        return bool(one == other)
    return same(vars(one), vars(other), within)


def shown(value: Any) -> str:
    """An argument or an answer, short enough for a line."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    if isinstance(value, np.ndarray):
        if value.size > 24:
            return f"an array of shape {value.shape}"
        return " ".join(np.array2string(value, precision=3, separator=", ", max_line_width=10**6).split())
    if isinstance(value, float | np.floating):
        return f"{float(value):.4g}"
    if isinstance(value, tuple | list):
        inner = ", ".join(map(shown, value))
        return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _array(value: Any) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    return np.asarray(value)


def _global_random_state() -> tuple[bytes, int, int]:
    state: Any = np.random.get_state(legacy=True)  # noqa: NPY002  (looked at, never drawn from)
    return state[1].tobytes(), state[2], hash(torch.get_rng_state().numpy().tobytes())
