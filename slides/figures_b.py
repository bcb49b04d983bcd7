"""The figures of parts 4 and 5, drawn by the package and the lessons' own drawings, at fixed seeds.

FIGURES: file name -> function(path). Drawn for 1200 pixels of width; `make figures` calls them.
"""

import io
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

import figures_b_part4 as part4
import figures_b_part5 as part5
import figures_b_tiles as tiles
from figures_a_drawing import drawn


def _photographed(function: Callable[[], Figure], side: int = 1200) -> Callable[[Path], None]:
    """A function that writes a figure with photographs in it, `side` pixels wide."""

    def write(path: Path) -> None:
        figure, buffer = function(), io.BytesIO()
        figure.savefig(buffer, format="png", dpi=side / figure.get_figwidth())
        plt.close(figure)
        Image.open(buffer).convert("RGB").save(path, "JPEG", quality=82, optimize=True)

    return write


FIGURES: dict[str, Callable[[Path], None]] = {
    "two-sets.jpg": _photographed(part4.two_sets),
    "precision-share.svg": drawn(part4.precision_and_share),
    "hard-background.jpg": _photographed(part4.hard_background, side=800),
    "focal.svg": drawn(part4.focal),
    "remedies.svg": drawn(part4.remedies),
    "leak.svg": drawn(part4.leak),
    "events.svg": drawn(part4.events),
    "batch-size.svg": drawn(part4.batch_size),
    "recipes.svg": drawn(part4.recipes),
    "augmented.jpg": _photographed(part4.augmented),
    "noise.svg": drawn(part4.noise),
    "three-ways.svg": drawn(part4.three_ways),
    "transfer.svg": drawn(part4.transfer),
    "windows.jpg": _photographed(tiles.windows),
    "spots.jpg": _photographed(tiles.spots),
    "cores.svg": drawn(tiles.cores),
    "matching.svg": drawn(tiles.matching),
    "linear-as-convolution.svg": drawn(tiles.linear_as_convolution),
    "work.svg": drawn(tiles.work),
    "board.jpg": _photographed(part5.board),
    "boxes.jpg": _photographed(part5.boxes),
    "unet.jpg": _photographed(part5.unet),
    "tokens.jpg": _photographed(part5.tokens),
}
