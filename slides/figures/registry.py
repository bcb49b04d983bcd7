"""All figures of the slides, drawn by the package and the lessons' own drawings, at fixed seeds.

FIGURES: file name -> function(path). Drawn for 1200 pixels of width; `make figures` calls them.
"""

import functools
import io
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from aircraft_course.drawings import lesson01, lesson02
from figures import part1, part2, part3, part4, part5, tiles, widgets
from figures.drawing import drawn


def _photographed(function: Callable[[], Figure], side: int = 1200) -> Callable[[Path], None]:
    """A function that writes a figure with photographs in it, `side` pixels wide."""

    def write(path: Path) -> None:
        figure, buffer = function(), io.BytesIO()
        figure.savefig(buffer, format="png", dpi=side / figure.get_figwidth())
        plt.close(figure)
        Image.open(buffer).convert("RGB").save(path, "JPEG", quality=82, optimize=True)

    return write


FIGURES: dict[str, Callable[[Path], None]] = {
    "airport.jpg": part1.airport,
    "tile.jpg": part1.tile,
    "tile-boxes.jpg": functools.partial(part1.tile, boxes=True),
    "patches.jpg": part1.patches,
    "story.jpg": drawn(part1.story),
    "found.jpg": part1.found,
    "neuron.svg": drawn(lesson01.neuron),
    "perceptron.svg": drawn(part2.perceptron),
    "xor.svg": drawn(lesson01.xor, np.array([1, -2]), -0.5),
    "mlp.svg": drawn(lesson01.network),
    "loss.svg": drawn(part2.loss),
    "descent.svg": drawn(part2.descent),
    "backpropagation.svg": drawn(part2.backpropagation),
    "batches.svg": drawn(part2.batches),
    "learning-curves.svg": drawn(part2.learning_curves),
    "image-array.jpg": drawn(part2.image_array),
    **{f"walk-{place}.svg": drawn(part2.walk, place) for place in (0, 1, 2, 3, 8)},
    "kernels.jpg": drawn(part2.kernels),
    "padding.svg": drawn(part2.padding),
    "stride.svg": drawn(part2.stride),
    "pooling.svg": drawn(part2.pooling),
    "filter.svg": drawn(lesson02.filter_on_channels),
    "toy-cnn.svg": drawn(part2.toy_cnn),
    "receptive-field.svg": drawn(part2.receptive_field),
    "scrambled.jpg": drawn(part2.scrambled),
    "cnn-against-mlp.svg": drawn(part2.cnn_against_mlp),
    "toy-set.jpg": drawn(part2.toy_set),
    "bce.svg": drawn(part2.bce),
    "resnet.svg": drawn(part2.resnet),
    "splits.svg": drawn(part2.splits),
    "scores.svg": drawn(part3.scores),
    "confusion.svg": drawn(part3.confusion),
    **{
        f"roc-{number}.svg": drawn(part3.roc_step, level) for number, level in enumerate((0.9, 0.6, 0.3, 0.0))
    },
    "auc.svg": drawn(part3.auc),
    "precision-recall.svg": drawn(part3.precision_recall),
    "f-beta.svg": drawn(part3.f_beta),
    "crowds.svg": drawn(part3.crowds),
    "roc-and-pr.svg": drawn(part3.roc_and_pr),
    "promise.svg": drawn(part3.promise),
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
    **widgets.STILLS,
}
