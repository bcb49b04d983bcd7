"""What a command answers: values for `--json`, and a text for people."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """values: what --json prints; text: what is printed without it."""

    values: dict[str, Any]
    text: str
    as_json: bool


def table(rows: Sequence[Sequence[object]], *, indent: str = "  ") -> str:
    """Lines with columns of equal width; numbers to the right, words to the left."""
    cells = [[f"{value:,}" if isinstance(value, int) else str(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row, words in zip(rows, cells, strict=True):
        padded = [
            word.ljust(width) if isinstance(value, str) else word.rjust(width)
            for value, word, width in zip(row, words, widths, strict=True)
        ]
        lines.append(indent + "  ".join(padded).rstrip())
    return "\n".join(lines)
