"""Training and prediction: `fit`, `predict`, `Settings`, `History`; read `loop` first.

They are imported when they are first used: `Settings` alone, as the command line needs it, is there at once.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aircraft.training.checkpoints import History
    from aircraft.training.loop import fit, predict
    from aircraft.training.settings import Settings

__all__ = ["History", "Settings", "fit", "predict"]

_HOMES = {"History": "checkpoints", "Settings": "settings", "fit": "loop", "predict": "loop"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"aircraft.training.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'aircraft.training' has no attribute {name!r}")
