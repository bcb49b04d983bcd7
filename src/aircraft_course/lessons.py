"""Small things that all lessons use: how much to compute, where, and whether the text's numbers hold.

AIRCRAFT_FAST=1 in the environment asks for small settings: a lesson then runs through in seconds.
"""

import math
import os
from typing import Any, TypeVar

T = TypeVar("T")


def is_fast() -> bool:
    """True when AIRCRAFT_FAST=1 asks for small settings; the numbers of a lesson then mean nothing."""
    return os.environ.get("AIRCRAFT_FAST", "") not in ("", "0")


def budget(full: T, fast: T) -> T:
    """`full`, or `fast` when AIRCRAFT_FAST=1: for epochs, amounts of data, numbers of seeds."""
    return fast if is_fast() else full


def device() -> Any:
    """The torch.device to compute on: a GPU where there is one."""
    from aircraft.training import devices  # imports torch and ignite, which lessons 1 and 2 may not need

    return devices.choose("auto")


def expect(value: Any, low: float, high: float, name: str) -> Any:
    """`value`, when it lies in the range that the text states: from `low` to `high`.

    Raises AssertionError naming the value otherwise. With small settings it need only be finite.
    """
    number = float(value)
    assert math.isfinite(number), f"{name} is {number}, not a number that the text can talk about"
    assert is_fast() or low <= number <= high, (
        f"{name} is {number:.4g}, but the text promises {low:g} to {high:g}; "
        "run the lesson again from the top, and tell your teacher if it stays so"
    )
    return value
