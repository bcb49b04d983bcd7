"""The names that modules had before version 0.2, for notebooks handed out then: each warns and hands on.

`aircraft` looks for its submodules in this folder too (see its `__path__`): `import aircraft.lessons` finds
lessons.py. Each file has the old name of a module and says the new one.
"""

import importlib
import sys
import warnings


def hand_on(old: str, new: str) -> None:
    """Give the module `old` all names of the module `new`, and warn; called once, when `old` is imported."""
    warnings.warn(f"{old} is {new} now; write that in its place", FutureWarning, stacklevel=3)
    names = vars(importlib.import_module(new)).items()
    # A package's path too, so that aircraft.checks.lesson03 is found in aircraft_course/checks.
    kept = {name: value for name, value in names if name == "__path__" or not name.startswith("__")}
    vars(sys.modules[old]).update(kept)
