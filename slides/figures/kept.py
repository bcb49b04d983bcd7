"""How the trainings behind the figures of part 4 are kept: computed once for each state of the code.

Together they take some ten minutes on two quiet cores, so their numbers stay in the package's cache.
"""

import functools
import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import aircraft
from aircraft.datasets import storage

Array = np.ndarray
VERSION = 1  # raise it when an experiment of this folder changes


def kept(name: str, build: Callable[[], dict[str, Array]]) -> dict[str, Array]:
    """The arrays of an experiment, computed once for each state of the code.

    The number of threads is part of the key: it changes the order of sums, and training makes that visible.
    """
    key = {"experiment": name, "version": VERSION, "code": _code(), "threads": torch.get_num_threads()}
    return storage.load_or_build("slides", key, lambda: (build(), {}))[0]


@functools.cache
def _code() -> str:
    """A fingerprint of all modules that train and detect, so of the default settings too."""
    root = Path(aircraft.__file__).parent
    rooms = [root / "training", root / "models", root / "detection"]
    files = [file for room in rooms for file in sorted(room.glob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]
