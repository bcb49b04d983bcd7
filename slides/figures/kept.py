"""How the trainings behind the figures of part 4 are kept: computed once for each state of the code.

Together they take some ten minutes on two quiet cores, so their numbers stay in the package's cache.
"""

import ast
import functools
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import aircraft
from aircraft.datasets import storage

Array = np.ndarray
SOURCE = Path(aircraft.__file__).parents[1]
NOT_RUN = {"cli", "plotting"}  # the rooms of the package that no number of an experiment passes through


def kept(name: str, build: Callable[[], dict[str, Array]]) -> dict[str, Array]:
    """The arrays of an experiment, computed once for each state of the code.

    The number of threads is part of the key: it changes the order of sums, and training makes that visible.
    """
    module = Path(build.__code__.co_filename)
    key = {"experiment": name, "code": code(module), "threads": torch.get_num_threads()}
    return storage.load_or_build("slides", key, lambda: (build(), {}))[0]


@functools.cache
def code(module: Path, source: Path = SOURCE) -> str:
    """A fingerprint of all that an experiment of this module runs, so of all defaults and settings too.

    That is its module, the package and the renderer; of a file the syntax counts, so a comment costs nothing.
    """
    files = [*sorted((source / "aircraft").rglob("*.py")), *sorted((source / "airfield").rglob("*.py"))]
    files = [file for file in files if NOT_RUN.isdisjoint(file.relative_to(source).parts)]
    texts = [file.read_text(encoding="utf-8") for file in [module, *files]]
    return hashlib.sha256("\n".join(ast.dump(ast.parse(text)) for text in texts).encode()).hexdigest()[:16]
