"""History: what a training did, epoch by epoch; the learning curves are drawn from it."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aircraft import checkpoints


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
