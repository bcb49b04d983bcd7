"""Training and prediction: `fit`, `predict`, `Settings`, `History`; read `loop` first.

They are imported when they are first used, so that the command line can look at `settings` without torch.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aircraft.training.loop import History, Settings, check_batch, fit, predict

__all__ = ["History", "Settings", "check_batch", "fit", "predict"]


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'aircraft.training' has no attribute {name!r}")
    from aircraft.training import loop

    return getattr(loop, name)
