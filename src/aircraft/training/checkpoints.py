"""The state of a training on disk: one file, replaced as a whole after every epoch, read without pickle.

A training killed at any moment goes on from the last complete epoch and ends with the same weights.
"""

import csv
import io
import os
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from ignite.handlers import Checkpoint

from aircraft import InputError
from aircraft.training import checkpoints
from aircraft.training.settings import Settings

NAME = "checkpoint.pt"
FREE = ("log_every", "device")  # settings that may differ on resume


def write(path: Path, save: Callable[[Path], Any]) -> None:
    """Let `save` write a file beside `path`, then rename it to `path`: a kill leaves the old file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(path.name + ".tmp")
    try:
        save(beside)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def read(path: Path) -> dict[str, Any]:
    """The checkpoint at `path`, on the CPU. Raises InputError for a damaged or foreign file."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"{path} is not a readable checkpoint ({type(error).__name__}); delete it to train afresh"
        ) from error
    if not isinstance(state, dict) or "run" not in state:
        raise InputError(f"{path} is not a checkpoint of a training; delete it to train afresh")
    return state


def attach(trainer: Engine, path: Path, parts: Mapping[str, Any]) -> None:
    """Write the `parts` of a training to `path` after every epoch (only the first process should)."""

    def save(state: Mapping[str, Any], *_: Any) -> None:
        write(path, lambda beside: torch.save(dict(state), beside))

    trainer.add_event_handler(Events.EPOCH_COMPLETED, Checkpoint(parts, save, filename_pattern=path.name))


def restore(path: Path, parts: Mapping[str, Any]) -> None:
    """Load the checkpoint into the `parts` of a training, after a check that it is the same training."""
    state = read(path)
    parts["run"].must_equal(state["run"], path)
    try:
        Checkpoint.load_objects(to_load=parts, checkpoint=state)
    except (RuntimeError, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"{path} is of another model ({reason}); give the same one or another folder"
        ) from error


class Run:
    """What makes two trainings the same: settings and labels. It travels in the checkpoint."""

    def __init__(self, settings: Settings, train_labels: np.ndarray, val_labels: np.ndarray) -> None:
        self.settings = settings.to_dict()
        self.data = {"train": _mark(train_labels), "val": _mark(val_labels)}

    def state_dict(self) -> dict[str, Any]:
        return {"settings": self.settings, "data": self.data}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Nothing to load: `must_equal` has compared it."""

    def must_equal(self, stored: Mapping[str, Any], path: Path) -> None:
        """Raise InputError, naming the first difference, unless `stored` is of this training.

        More epochs are allowed with a constant learning rate only: every other schedule is laid out for a
        number of epochs, and a longer one would have had other rates from its first step on.
        """
        for name, value in self.settings.items():
            before = stored["settings"].get(name)
            longer = name == "epochs" and self.settings["schedule"] == "constant" and value >= before
            if value == before or name in FREE or longer:
                continue
            hint = "; more epochs need schedule='constant' from the start" if name == "epochs" else ""
            raise InputError(
                f"cannot resume: {path} was trained with {name}={before!r}, now it is {value!r}{hint}; "
                "use the old setting, or train afresh in another folder"
            )
        for name, mark in self.data.items():
            if mark != stored["data"].get(name):
                raise InputError(
                    f"cannot resume: {path} was trained on other {name} data ({stored['data'].get(name)}, "
                    f"now {mark}); use the same data, or train afresh in another folder"
                )


def _mark(labels: np.ndarray) -> str:
    """A short name for a set, such as "46000 patches, 1a2b3c4d", from its labels: the images may be large."""
    code = zlib.crc32(np.ascontiguousarray(labels, np.uint8).tobytes())
    return f"{len(labels)} patches, {code:08x}"


@dataclass
class History:
    """The course of a training: a row for each epoch, and which epoch's weights were kept (counted from 1).

    A row holds epoch, loss (training), val_loss, AP, AUC (validation), lr (at its end) and seconds.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[float]:
        """One column, for example history["AP"]."""
        return [row[column] for row in self.rows]

    @property
    def best(self) -> dict[str, float]:
        """The row of the epoch whose weights were kept."""
        return self.rows[self.best_epoch - 1]

    def to_csv(self, path: str | Path) -> None:
        """Write the rows as a CSV file, replaced as a whole."""
        text = io.StringIO()
        table = csv.DictWriter(text, fieldnames=list(self.rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(self.rows)
        checkpoints.write(Path(path), lambda beside: beside.write_text(text.getvalue()))

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "best_epoch": self.best_epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.rows, self.best_epoch = state["rows"], state["best_epoch"]
