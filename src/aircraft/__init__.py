"""aircraft: find and count aircraft on satellite images; the package behind the course.

Submodules are imported when they are first used, so that `import aircraft` costs nothing.
"""

import importlib
from typing import Any

__version__ = "0.2.0"
__all__ = ["InputError", "LostProcess", "datasets", "detection", "metrics", "models", "plotting", "training"]
__path__.append(f"{__path__[0]}_course/handed_out")  # names of modules in notebooks from before version 0.2


class InputError(ValueError):
    """What was given cannot be used. The message says what is wrong, in which file, and how to mend it."""


class LostProcess(RuntimeError):
    """Another process of a torchrun job died or hangs. The message says how to go on."""


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"aircraft.{name}")
    raise AttributeError(f"module 'aircraft' has no attribute {name!r}; it has {', '.join(__all__)}")
