"""The options that several commands share, with their help.

Values are checked where they are used, so that a wrong one gives the same message from Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

ModelFile = Annotated[
    str, typer.Argument(metavar="RUN_OR_MODEL", help="Folder that `aircraft train` wrote, or a model file.")
]

_source = typer.Option(
    metavar="synthetic|airbus|FILE.npz", help="Where the data come from: drawn, real, a file."
)
Source = Annotated[str, _source]
SourceOrNone = Annotated[str | None, _source]
Root = Annotated[
    str | None,
    typer.Option(metavar="DIR", help="Folder of the real scenes, for airbus (or set AIRCRAFT_AIRBUS_DIR)."),
]
_scale = typer.Option(metavar="SHARE", help="Share of the data set to build, at most 1; small for a test.")
Scale = Annotated[float, _scale]
ScaleOrNone = Annotated[float | None, _scale]

Model = Annotated[
    str,
    typer.Option(metavar="NAME", help="toy_cnn, vgg_small, patch_net, resnet18 or efficientnet_lite0."),
]
Epochs = Annotated[int, typer.Option(metavar="N", help="How often to go through the training patches.")]
BatchSize = Annotated[int, typer.Option(metavar="N", help="Patches a step, of all processes together.")]
Seed = Annotated[int, typer.Option(metavar="N", help="Of first weights, split, order and augmentation.")]
Device = Annotated[
    str,
    typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:1 or mps; auto takes a GPU if there is one."),
]

Progress = Annotated[bool, typer.Option("--progress/--no-progress", help="Progress bars on standard error.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")]


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
