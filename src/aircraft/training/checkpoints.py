"""What a training leaves on disk: its history, and one checkpoint, replaced as a whole after every epoch.

A training killed at any moment goes on from the last complete epoch and ends with the same weights.
"""

import io
import time
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import numpy as np
import torch
from ignite.engine import Engine, Events

from aircraft import InputError, reading, regular, replacing
from aircraft.training import devices
from aircraft.training.settings import Settings

NAME = "checkpoint.pt"
AFRESH = "delete it to train afresh"


@dataclass
class History:
    """The course of a training: a row for each epoch, and which epoch's weights were kept (counted from 1).

    A row holds epoch, loss (training), val_loss, AP, AUC (validation), lr (at its end) and seconds.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0

    def start_clock(self) -> None:
        """An epoch begins."""
        self._started = time.perf_counter()

    def add(self, epoch: int, loss: float, found: Mapping[str, float], lr: float, best_epoch: int) -> None:
        """An epoch has ended: its loss, and what was found on validation."""
        seconds = round(time.perf_counter() - self._started, 3)
        judged = {"val_loss": found["loss"], "AP": found["AP"], "AUC": found["AUC"]}
        self.rows.append({"epoch": epoch, "loss": float(loss), **judged, "lr": float(lr), "seconds": seconds})
        self.best_epoch = best_epoch

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, column: str) -> list[float]:
        """One column, for example history["AP"]."""
        return [row[column] for row in self.rows]

    @property
    def best(self) -> dict[str, float]:
        """The row of the epoch whose weights were kept."""
        return self.rows[self.best_epoch - 1]

    def line(self, epochs: int) -> str:
        """The latest epoch, of so many, in words."""
        row = self.rows[-1]
        figures = "  ".join(f"{name} {row[name]:.4f}" for name in ("loss", "val_loss", "AP", "AUC"))
        return f"epoch {row['epoch']}/{epochs}  {figures}  {row['seconds']:.1f} s"

    def to_csv(self, path: str | Path) -> None:
        """Write the rows as a CSV file, replaced as a whole."""
        lines = [list(self.rows[0]), *(row.values() for row in self.rows)]
        with replacing(path) as file:
            file.write("".join(",".join(map(str, line)) + "\n" for line in lines).encode())

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows, "best_epoch": self.best_epoch}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.rows, self.best_epoch = state["rows"], state["best_epoch"]


def identity(settings: Settings, **labels: np.ndarray) -> dict[str, Any]:
    """What makes two trainings the same: settings and labels of the sets (the images may be large)."""
    sums = {name: zlib.crc32(np.ascontiguousarray(y, np.uint8).tobytes()) for name, y in labels.items()}
    data = {name: f"{len(y)} patches, {sums[name]:08x}" for name, y in labels.items()}
    return {"settings": settings.to_dict(), "data": data}


def attach(
    trainer: Engine, folder: Path, run: Mapping[str, Any], parts: Mapping[str, Any], resume: bool
) -> None:
    """Restore the parts of a training if `resume`, and let the first process write both files every epoch."""
    path = folder / NAME
    if resume and path.exists():
        restore(path, run, parts)
    idist.barrier()  # no process may write before all have read
    if not devices.is_first():
        return
    if not resume and path.exists():  # or, after a kill in the first epoch, the older training would go on
        trainer.add_event_handler(Events.STARTED, write, path, run, parts)

    @trainer.on(Events.EPOCH_COMPLETED)
    def save() -> None:
        parts["history"].to_csv(folder / "history.csv")  # first: after a kill in between, it is written again
        write(path, run, parts)


def write(path: Path, run: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Replace the checkpoint: the identity of the run, and the state of each of its parts."""
    content = io.BytesIO()  # for torch does not say why it cannot write to a disk
    torch.save({"run": run} | {name: part.state_dict() for name, part in parts.items()}, content)
    with replacing(path) as file:
        file.write(content.getbuffer())


def read(path: Path) -> dict[str, Any]:
    """The checkpoint at `path`, on the CPU. Raises InputError for a damaged or foreign file."""
    with reading(regular(path, AFRESH), AFRESH, "not a readable checkpoint"):
        if zipfile.ZipFile(path).testzip():  # torch does not look at the sums that it writes
            raise ValueError("a bit of it was changed")
        state = torch.load(path, map_location="cpu", weights_only=True)
    if not isinstance(state, dict) or "run" not in state:
        raise InputError(f"{path} is not a checkpoint of a training; {AFRESH}")
    return state


def restore(path: Path, run: Mapping[str, Any], parts: Mapping[str, Any]) -> None:
    """Load the checkpoint into the parts of a training, after a check that it is the same training."""
    state = read(path)
    with reading(path, "give the same one or another folder", "of another model, or damaged"):
        for kind, values in run.items():
            for name, now in values.items():
                if now == (was := state["run"][kind].get(name)) or name == "device":  # that may be another
                    continue
                what = f"with {name}={was!r}, now it is {now!r}; use the old setting"
                if kind == "data":
                    what = f"on other {name} data ({was}, now {now}); use the same data"
                raise InputError(f"cannot resume: {path} was trained {what}, or train in another folder")
        for name, part in parts.items():
            part.load_state_dict(state[name])
