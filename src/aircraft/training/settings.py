"""Settings: every knob of a training run, checked when it is made.

One dataclass, so that a run can be written down, stored in its checkpoint, and compared on resume.
"""

import difflib
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any

from aircraft import InputError

_Rule = tuple[Callable[[Any], bool], str]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to train. Raises InputError for a value that makes no sense."""

    epochs: int = 12
    batch_size: int = 128  # of all processes together
    optimizer: str = "muon"  # muon (see optimizers.py) | adamw | sgd (Nesterov momentum 0.9)
    lr: float = 4e-3  # the highest rate of the schedule
    weight_decay: float = 5e-2  # on weights of two or more dimensions: not on biases and norms
    schedule: str = "onecycle"  # onecycle (linear up, linear down) | cosine (after warm-up) | constant
    warmup: float = 0.1  # share of all steps in which the rate rises; a constant schedule has none
    loss: str = "bce"  # bce | focal
    pos_weight: float | str | None = None  # weight of the aircraft class; "auto" = negatives / positives
    label_smoothing: float = 0.0
    sampling: str = "uniform"  # uniform | balanced (half of a batch each class) | hard (see sampling.py)
    augment: bool = True
    noise: float = 0.02  # standard deviation of sensor noise added by the augmentation, images in [0, 1]
    ema: float | None = 0.99  # decay of a moving average of the weights, which is what is kept; None for none
    patience: int | None = None  # stop after so many epochs without a better validation AP
    seed: int = 0
    device: str = "auto"  # auto | cpu | cuda | cuda:1 | mps
    amp: str = "auto"  # auto | off | bf16 | fp16
    channels_last: bool = True
    compile: bool = False  # torch.compile; pays off for long runs on a GPU
    log_every: int = 10  # iterations between two points of the progress bar and of TensorBoard

    @classmethod
    def of(cls, **given: Any) -> "Settings":
        """Settings from keyword arguments. Raises InputError for an unknown one, naming those that exist."""
        known = [field.name for field in fields(cls)]
        for name in given:
            if name not in known:
                close = difflib.get_close_matches(name, known, n=1)
                hint = f"did you mean {close[0]!r}? " if close else ""
                raise InputError(f"unknown setting {name!r}; {hint}known settings: {', '.join(known)}")
        return cls(**given)

    def __post_init__(self) -> None:
        for name, (holds, text) in _RULES.items():
            value = getattr(self, name)
            if not holds(value):
                raise InputError(f"setting {name} is {value!r}; it must be {text}")
            if isinstance(value, Real) and not isinstance(value, bool):  # numpy scalars to plain numbers
                object.__setattr__(self, name, int(value) if isinstance(value, Integral) else float(value))

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def _whole(low: int) -> _Rule:
    def holds(value: Any) -> bool:
        return isinstance(value, Integral) and not isinstance(value, bool) and int(value) >= low

    return holds, f"a whole number from {low}"


def _number(holds: Callable[[float], bool], text: str) -> _Rule:
    def check(value: Any) -> bool:
        return (
            isinstance(value, Real)
            and not isinstance(value, bool)
            and math.isfinite(float(value))
            and holds(float(value))
        )

    return check, text


def _one_of(*choices: str) -> _Rule:
    return (lambda value: isinstance(value, str) and value in choices), f"one of {', '.join(choices)}"


def _or(rule: _Rule, *others: str | None) -> _Rule:
    holds, text = rule
    names = " or ".join(repr(other) for other in others)

    def check(value: Any) -> bool:
        return ((value is None or isinstance(value, str)) and value in others) or holds(value)

    return check, f"{text}, or {names}"


_YES_NO: _Rule = (lambda value: isinstance(value, bool), "True or False")
_POSITIVE = _number(lambda value: value > 0, "a number above 0")
_FROM_ZERO = _number(lambda value: value >= 0, "a number from 0")
_BELOW_ONE = _number(lambda value: 0 <= value < 1, "a number from 0 and below 1")

_RULES: dict[str, _Rule] = {
    "epochs": _whole(1),
    "batch_size": _whole(1),
    "optimizer": _one_of("muon", "adamw", "sgd"),
    "lr": _POSITIVE,
    "weight_decay": _FROM_ZERO,
    "schedule": _one_of("onecycle", "cosine", "constant"),
    "warmup": _BELOW_ONE,
    "loss": _one_of("bce", "focal"),
    "pos_weight": _or(_POSITIVE, "auto", None),
    "label_smoothing": _BELOW_ONE,
    "sampling": _one_of("uniform", "balanced", "hard"),
    "augment": _YES_NO,
    "noise": _FROM_ZERO,
    "ema": _or(_number(lambda value: 0 < value < 1, "a number between 0 and 1"), None),
    "patience": _or(_whole(1), None),
    "seed": _whole(0),
    "device": (lambda value: isinstance(value, str), "a string such as 'auto', 'cpu' or 'cuda'"),
    "amp": _one_of("auto", "off", "bf16", "fp16"),
    "channels_last": _YES_NO,
    "compile": _YES_NO,
    "log_every": _whole(1),
}
