"""The options of the commands, with their help, and what a command answers.

Numbers and names are checked where they are used, so that a wrong one gives the same message from Python.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from typer import Argument, Option

from aircraft import InputError
from aircraft.training import settings


@dataclass(frozen=True)
class Answer:
    """values: what --json prints; text: what is printed without it."""

    values: dict[str, Any]
    text: str
    as_json: bool
    failed: str = ""  # what could not be done of it: said behind the answer, and the exit code is 2


def numbers(text: str) -> list[float]:
    """Numbers with commas between them."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{text!r} is no list of numbers; write them with commas between") from None


def table(rows: Sequence[Sequence[object]], *, indent: str = "  ") -> str:
    """Lines with columns of equal width; numbers to the right, words to the left."""
    cells = [[f"{value:,}" if isinstance(value, int) else str(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row, words in zip(rows, cells, strict=True):
        sides = ["<" if isinstance(value, str) else ">" for value in row]
        padded = [f"{word:{side}{width}}" for word, side, width in zip(words, sides, widths, strict=True)]
        lines.append(indent + "  ".join(padded).rstrip())
    return "\n".join(lines)


# What every command has.
Progress = Annotated[bool, Option("--progress/--no-progress", help="Progress bars on standard error.")]
Json = Annotated[bool, Option("--json", help="Print one JSON object on standard output, nothing else.")]

# Which data.
What = Annotated[Literal["toy", "imbalanced", "tiles", "all"], Argument(help="Which data set.")]
SOURCE = Option(metavar="synthetic|airbus|FILE.npz", help="Where the data come from: drawn, real, a file.")
Source = Annotated[str, SOURCE]
SourceOrNone = Annotated[str | None, SOURCE]
Scenes = Annotated[Literal["synthetic", "airbus"], Option(help="Where the scenes come from: drawn, or real.")]
Root = Annotated[str | None, Option(metavar="DIR", help="Of airbus scenes (else AIRCRAFT_AIRBUS_DIR).")]
SCALE = Option(metavar="SHARE", help="Share of the data set to build, at most 1; small for a test.")
Scale = Annotated[float, SCALE]
ScaleOrNone = Annotated[float | None, SCALE]
Export = Annotated[Path | None, Option(metavar="FILE.npz", help="Write the data set to a file as well.")]
DataName = Annotated[str, Option(metavar="toy|imbalanced|FILE.npz", help="What to train on.")]
DataNameOrNone = Annotated[str | None, Option(metavar="toy|imbalanced", help="Judge its test patches.")]
Npz = Annotated[Path | None, Option(metavar="FILE", help="Judge its test_images and test_labels.")]
Tiles = Annotated[str | None, Option(metavar="synthetic|airbus|FILE.npz", help="Judge on these tiles.")]

# How to train; the defaults are those of `training.Settings`.
RunFolder = Annotated[Path, Option(metavar="RUN", help="Folder for model, figures and checkpoints.")]
NETWORKS = "toy_cnn, vgg_small, patch_net, resnet18 or efficientnet_lite0."
Model = Annotated[str, Option(metavar="NAME", help=NETWORKS)]
Epochs = Annotated[int, Option(metavar="N", help="How often to go through the training patches.")]
BatchSize = Annotated[int, Option(metavar="N", help="Patches a step, of all processes together.")]
Seed = Annotated[int, Option(metavar="N", help="Of first weights, split, order and augmentation.")]
Rate = Annotated[float, Option(metavar="RATE", help="The highest learning rate.")]
Loss = Annotated[settings.Loss, Option(help="Cross-entropy, or focal loss.")]
Sampling = Annotated[settings.Sampling, Option(help="Which patches an epoch shows more often.")]
Augment = Annotated[bool, Option("--augment/--no-augment", help="Turn, mirror and re-light patches.")]
Patience = Annotated[int | None, Option(metavar="N", help="Stop after N epochs without a better AP.")]
Resume = Annotated[bool, Option("--resume", help="Go on with the training in RUN, if there is one.")]
Force = Annotated[bool, Option("--force", help="Replace the run that is there, or files with its names.")]
Device = Annotated[str, Option(metavar="NAME", help="cpu, cuda, cuda:1, mps; or auto: a GPU if there.")]

# What to do with a model.
MODEL_FILE = Argument(metavar="RUN_OR_MODEL", help="Folder of a training, or a model file.")
ModelFile = Annotated[str, MODEL_FILE]
ModelFileOrNone = Annotated[str | None, MODEL_FILE]
Images = Annotated[list[str], Argument(metavar="[RUN] IMAGE...", help="PNG, JPEG, TIFF files, or folders.")]
ModelOrNone = Annotated[str | None, Option(metavar="RUN_OR_MODEL", help="By default the pretrained one.")]
ResultFolder = Annotated[Path, Option(metavar="DIR", help="Folder for the results; older ones are replaced.")]
ReportFolder = Annotated[Path, Option(metavar="DIR", help="Folder for report, model and figures.")]
Threshold = Annotated[float | None, Option(metavar="T", help="Least score, 0 to 1; else the model's own.")]
Method = Annotated[Literal["dense", "batched", "window"], Option(help="Same scores; dense is the quick one.")]
Stride = Annotated[int, Option(metavar="S", help="Metres between the places that are scored.")]
PixelSize = Annotated[float | None, Option(metavar="METRES", help="Of a pixel; else by georeference, or 1.")]
BANDS = Option(parser=numbers, metavar="R,G,B", help="Bands of a TIFF that are red, green, blue.")
Bands = Annotated[Any, BANDS]
STRETCH = Option(parser=numbers, metavar="LOW,HIGH", help="Values of a TIFF that get black, white.")
Stretch = Annotated[Any, STRETCH]
BlockSize = Annotated[int, Option(metavar="PIXELS", help="Side of the pieces scored; it bounds the memory.")]
Fast = Annotated[bool, Option("--fast", help="bfloat16, where it is quicker: the third digit changes.")]
Onnx = Annotated[Path, Option(metavar="FILE", help="The ONNX file to write; an older one is replaced.")]
Foreign = Annotated[bool, Option("--force", help="Replace files that aircraft did not write.")]
Dense = Annotated[bool, Option("--dense", help="The form that takes an image of any size at once.")]
