"""What has a name on both sides while an answer is judged: classes, types, loggers, random numbers.

Names that arrive are looked up here, in lists; nothing is imported or called by its name.
"""

import dataclasses
import importlib
import logging
import random
import sys
from enum import Enum
from typing import Any

import numpy as np

# Classes whose objects travel as their attributes: they compute, and neither open files nor start anything.
LIBRARY = ("torch.nn.modules.", "torch.nn.parameter.", "torch.optim.", "torch.utils.data.")
# Of these, networks and dataclasses only:
OURS = ("aircraft.", "airfield.", "aircraft_course.checks.lesson", "aircraft_course.checks.extra_")
KINDS = "?biufcUSMm"  # of numpy: all but objects


def torch_part() -> Any:
    """The part that knows tensors and networks; it imports torch."""
    return importlib.import_module("aircraft_course.checks.tensors")


def has_torch() -> bool:
    return "torch" in sys.modules


def random_state() -> list[Any]:
    """The states of the generators that all code shares, as JSON can hold them."""
    _, words, gauss = random.getstate()
    kind, key, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    torch_state = torch_part().random_state() if has_torch() else ""
    return [[list(words), gauss], [kind, key.tolist(), *rest], torch_state]  # type: ignore[union-attr]


def set_random_state(state: list[Any]) -> None:
    """Set what random_state told."""
    (words, gauss), (kind, key, *rest), torch_state = state
    random.setstate((3, tuple(words), gauss))
    np.random.set_state((kind, np.array(key, np.uint32), *rest))  # noqa: NPY002
    if torch_state and has_torch():
        torch_part().set_random_state(torch_state)


def name_of(kind: type) -> str:
    """The full name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def is_known(kind: type) -> bool:
    """Whether objects of a class travel as their attributes."""
    name = name_of(kind)
    if not name.startswith(LIBRARY + OURS) or _look_up(name) is not kind:
        return False
    return name.startswith(LIBRARY) or dataclasses.is_dataclass(kind) or torch_part().is_network(kind)


def dtype_of(name: str) -> np.dtype:
    """A numpy type whose values are bytes."""
    found = np.dtype(name)
    if found.kind not in KINDS:
        raise ValueError(f"arrays of {name} do not travel")
    return found


def _look_up(name: str) -> Any:
    """A class by its full name, of a module that is loaded here."""
    module, _, own = name.rpartition(".")
    return getattr(sys.modules.get(module), own, None)


def class_of(name: str) -> type:
    found = _look_up(name)
    if not isinstance(found, type) or not is_known(found):
        raise ValueError(f"objects of {name} do not travel")
    return found


def is_enum(kind: type) -> bool:
    return name_of(kind).startswith(("ignite.", *OURS)) and _look_up(name_of(kind)) is kind


def enum_of(name: str) -> Any:
    found = _look_up(name)
    if not isinstance(found, type) or not issubclass(found, Enum) or not is_enum(found):
        raise ValueError(f"{name} does not travel")
    return found


def logger_of(name: str, level: int) -> logging.Logger:
    logger = logging.getLogger(f"aircraft_course.checks.{name}")
    logger.setLevel(level)
    return logger
