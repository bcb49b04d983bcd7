"""Settings: every knob of a training, checked when it is made.

One dataclass, so that a run can be written down, stored in its checkpoint, and compared on resume.
"""

import difflib
from dataclasses import asdict, dataclass, fields
from numbers import Integral, Real
from typing import Any, Literal, get_args

from aircraft import InputError

Optimizer = Literal["muon", "adamw", "sgd"]
Loss = Literal["bce", "focal"]
Sampling = Literal["uniform", "balanced", "hard"]
Precision = Literal["auto", "off", "bf16"]

MOST = 1_000_000_000  # far beyond what is of use, and the product of two fits a float32


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to train. Raises InputError for a value that makes no sense.

    Parameters
    ----------
    epochs : how often to go through the training patches
    batch_size : patches a step, of all processes together; an incomplete last batch of an epoch is left out
    optimizer : "muon" (see `optimizers`), "adamw", or "sgd" with Nesterov momentum 0.9
    lr : the highest learning rate; it rises over the first tenth of all steps and falls over the rest
    weight_decay : of weights with two or more dimensions; biases and norms are spared
    loss : "bce", binary cross-entropy, or "focal", in which easy patches count little
    pos_weight : how often an aircraft counts in the loss; "auto" is background / aircraft
    sampling : "uniform", every patch once an epoch; "balanced", half of a batch each class; or "hard", the
        hardest background more often
    augment : turn, mirror and re-light every patch at random
    noise : standard deviation of the sensor noise that is added, for images in [0, 1]
    ema : decay of the moving average of the weights that is judged and kept; None for none
    patience : stop after so many epochs without a better average precision on validation
    seed : of order, augmentation and dropout; first weights are the model's own
    device : "auto" (a GPU where there is one), "cpu", "cuda", "cuda:1" or "mps"
    amp : products in bfloat16: "auto" (where the hardware is quicker with it), "off" or "bf16"
    """

    epochs: int = 12
    batch_size: int = 128
    optimizer: Optimizer = "muon"
    lr: float = 4e-3
    weight_decay: float = 5e-2
    loss: Loss = "bce"
    pos_weight: float | Literal["auto"] | None = None
    sampling: Sampling = "uniform"
    augment: bool = True
    noise: float = 0.02
    ema: float | None = 0.99
    patience: int | None = None
    seed: int = 0
    device: str = "auto"
    amp: Precision = "auto"

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
        ema, weight, most = self.ema, self.pos_weight, f"; at most {MOST:,}"
        needs = {
            "epochs": (_whole(self.epochs), f"a whole number from 1{most}"),
            "batch_size": (_whole(self.batch_size), f"a whole number from 1{most}"),
            "patience": (self.patience is None or _whole(self.patience), "a whole number from 1, or None"),
            "seed": (_whole(self.seed, 0, 2**64 - 1), f"a whole number from 0 to {2**64 - 1}"),  # torch's own
            "lr": (_number(self.lr) and self.lr > 0, f"a number above 0{most}"),
            "weight_decay": (_number(self.weight_decay), f"a number from 0{most}"),
            "noise": (_number(self.noise), f"a number from 0{most}"),
            "ema": (ema is None or (_number(ema) and 0 < ema < 1), "a number between 0 and 1, or None"),
            "augment": (isinstance(self.augment, bool), "True or False"),
            "device": (isinstance(self.device, str), "a string such as 'auto', 'cpu' or 'cuda'"),
        }
        positive = weight in (None, "auto") or (_number(weight) and float(weight) > 0)
        needs["pos_weight"] = positive, f"a number above 0, or 'auto' or None{most}"
        choice = {"optimizer": Optimizer, "loss": Loss, "sampling": Sampling, "amp": Precision}
        for name, kind in choice.items():
            value, choices = getattr(self, name), get_args(kind)
            needs[name] = isinstance(value, str) and value in choices, f"one of {', '.join(choices)}"
        for name, (holds, text) in needs.items():
            value = getattr(self, name)
            if not holds:
                raise InputError(f"setting {name} is {value!r}; it must be {text}")
            if isinstance(value, Real) and not isinstance(value, bool):  # a plain number of one of NumPy's
                object.__setattr__(self, name, int(value) if isinstance(value, Integral) else float(value))

    def to_dict(self) -> dict[str, Any]:
        """For a checkpoint or the card of a model."""
        return asdict(self)


def _whole(value: Any, least: int = 1, most: int = MOST) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and least <= int(value) <= most


def _number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and bool(0 <= value <= MOST)  # type: ignore[operator]
