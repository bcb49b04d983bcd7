"""The results as rows: DIR/bench.json for programs and DIR/bench.md for people, written after every part.

Parts of an earlier run in the same folder stay until they are measured again; each has its date and load.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from aircraft import reading, regular, replacing

JSON, MARKDOWN = "bench.json", "bench.md"
FORMAT = 1


@dataclass(frozen=True)
class Row:
    """One figure: the median of its values, with the smallest and the largest.

    least, most: the target for the median, where there is one.
    """

    what: str
    values: Sequence[float]
    unit: str
    least: float | None = None
    most: float | None = None

    @property
    def median(self) -> float:
        return median(self.values)

    @property
    def target(self) -> str:
        if self.least is not None:
            return f"at least {self.least:g}"
        return "" if self.most is None else f"at most {self.most:g}"

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the target; None without one."""
        if self.least is not None:
            return self.median >= self.least
        return None if self.most is None else self.median <= self.most

    def to_dict(self) -> dict[str, Any]:
        low, high = min(self.values), max(self.values)
        figures = {"median": self.median, "low": low, "high": high, "n": len(self.values)}
        judged = {"target": self.target, "met": self.met} if self.target else {}
        return {"what": self.what, "unit": self.unit, **figures, **judged}


@dataclass(frozen=True)
class Part:
    """What a benchmark found. notes: what one must know to read the rows; raw: all single values."""

    title: str
    rows: list[Row]
    notes: list[str] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        rows = [row.to_dict() for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": self.notes, "raw": self.raw}


def read(folder: Path) -> dict[str, Any]:
    """The parts of an earlier run in the folder, by name. InputError where its file is not ours."""
    path = folder / JSON
    if not os.path.lexists(path):
        return {}
    with reading(path, "remove it", "not a result of this `python -m aircraft_bench`"):
        values = json.loads(regular(path, "remove it").read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise ValueError(f"format {values['format']}")
        page(values["parts"])  # said now, not when there is something to write
        return dict(values["parts"])


def write(folder: Path, parts: Mapping[str, Any]) -> dict[str, Any]:
    """Replace both files; `parts` holds for each name a part as a dict. Returns what the JSON holds."""
    values = {"format": FORMAT, "parts": dict(parts)}
    for name, text in ((JSON, json.dumps(values, indent=1, allow_nan=False) + "\n"), (MARKDOWN, page(parts))):
        with replacing(folder / name) as file:
            file.write(text.encode())
    return values


def page(parts: Mapping[str, Any]) -> str:
    """All parts as one Markdown page."""
    return "# Benchmarks\n\n" + "\n".join(markdown(part) for part in parts.values())


def markdown(part: Mapping[str, Any]) -> str:
    """A part as a Markdown table, with its machine and its notes."""
    lines = [
        f"## {part['title']}",
        "",
        "| what | median | min to max | n | target | |",
        "|---|--:|--:|--:|---|---|",
    ]
    for row in part["rows"]:
        reached = {True: "met", False: "missed", None: ""}[row.get("met")]
        low, high = _number(row["low"]), _number(row["high"])
        lines.append(
            f"| {row['what']} | {_number(row['median'])} {row['unit']} | {low} to {high} | {row['n']} "
            f"| {row.get('target', '')} | {reached} |"
        )
    lines += ["", *(f"- {note}" for note in part["notes"])]
    if "machine" in part:
        machine = part["machine"]
        lines.append(
            f"- {machine['processor']}, {machine['usable_cores']} cores, {machine['threads']} threads, torch "
            f"{machine['versions']['torch']}; load {part['load_before']} before, {part['load_after']} after; "
            f"{part['date']}, {part['seconds']:.0f} s"
            + (" (quick: shows that it works, no result)" if part["quick"] else "")
        )
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    """Three digits that matter; whole numbers above 100; tiny ones with an exponent."""
    if value and abs(value) < 1e-3:
        return f"{value:.1e}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
