"""The pictures in data/sample: rendered patches and tiles to browse, and what a trained network finds.

`make sample` draws them again: python data/make_sample.py FOLDER RUN_OR_MODEL
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from PIL import Image

from aircraft import datasets, detection, models, plotting
from aircraft.cli import runs

SHOWN = 2  # tiles in the picture of detections
KEPT = 4  # tiles written as they are


def write(folder: str | Path, run_or_model: str | Path, seed: int = 0) -> list[Path]:
    """Draw the gallery into a folder and return the files. Everything in it is rendered, nothing is real."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    train = datasets.load_toy(progress=False).train
    tiles = sorted(datasets.load_tiles(progress=False), key=lambda tile: -len(tile.boxes))
    rng = np.random.default_rng(seed)
    files = []
    for label, name in ((1, "aircraft"), (0, "background")):
        chosen = rng.choice(np.flatnonzero(train.labels == label), 40, replace=False)
        grid = plotting.patch_grid(train.images[chosen], columns=10, title=f"Patches of 64 x 64 m: {name}")
        files.append(plotting.save(grid, folder / f"{name}.png", dpi=80))
    for number, tile in enumerate(tiles[:: len(tiles) // KEPT][:KEPT]):
        files.append(folder / f"tile_{number}.jpg")
        Image.fromarray(tile.image).save(files[-1], quality=88)
    model, _ = models.load(runs.model_file(run_or_model))
    figure, axes = plt.subplots(1, SHOWN, figsize=(7.2 * SHOWN, 8.2))
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.08, top=0.94, wspace=0.04)  # room for the legends
    for ax, tile in zip(axes, tiles[2 : 2 + SHOWN], strict=True):
        found = detection.detect(model, tile.image)
        plotting.detections(tile, found, detection.match(found, tile), ax=ax)
    files.append(plotting.save(figure, folder / "detections.jpg", dpi=70))
    return files


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python data/make_sample.py FOLDER RUN_OR_MODEL")
    print("\n".join(map(str, write(sys.argv[1], sys.argv[2]))))
