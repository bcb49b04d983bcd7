"""Pack the toy set for the page that trains in the browser: patches of half the size, in scripts of text.

A page that is opened by double click may read scripts and nothing else, so the pictures travel in them.
slides/data/patches_1.js, ..._2.js   the training patches, with labels and places
slides/data/patches_new.js   test patches, of places that no training sees, and two half-size tiles
"""

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from aircraft import datasets
from aircraft.datasets import Patches
from aircraft.scenes import Scene

COLUMNS = 26  # patches side by side in a picture
HALVES, NEW = 2, 442
LARGEST = 900_000


def write(folder: Path, *, quality: int = 85) -> None:
    """Write the scripts into `folder`; they put their contents into the list PATCHES."""
    toy = datasets.load_toy(progress=False)
    count = len(toy.train.labels) // HALVES
    for half in range(HALVES):
        part = slice(half * count, (half + 1) * count)
        _script(folder / f"patches_{half + 1}.js", _pack(toy.train, part, quality))
    new = _pack(toy.test, slice(0, NEW), quality)
    new["tiles"] = [_tile(tile) for tile in _choose(datasets.load_tiles(progress=False))]
    _script(folder / "patches_new.js", {**new, "new": True})


def _pack(patches: Patches, part: slice, quality: int) -> dict[str, Any]:
    images = np.stack([_halved(image) for image in patches.images[part]])
    rows, side = len(images) // COLUMNS, images.shape[1]
    sheet = images[: rows * COLUMNS].reshape(rows, COLUMNS, side, side, 3).transpose(0, 2, 1, 3, 4)
    numbers = {site: number for number, site in enumerate(sorted(set(patches.sites.tolist())))}
    return {
        "sheet": _jpeg(sheet.reshape(rows * side, COLUMNS * side, 3), quality),
        "labels": patches.labels[part].astype(int).tolist(),
        "sites": [numbers[site] for site in patches.sites[part].tolist()],
    }


def _choose(tiles: list[Scene]) -> list[Scene]:
    """A tile with some aircraft, and a crowded one of another place."""
    some = next(tile for tile in tiles if 6 <= len(tile.boxes) <= 8)
    crowd = max((tile for tile in tiles if tile.site != some.site), key=lambda tile: len(tile.boxes))
    return [some, crowd]


def _tile(tile: Scene) -> dict[str, Any]:
    return {"picture": _jpeg(_halved(tile.image), 90), "centers": (tile.centers / 2).round(1).tolist()}


def _halved(image: np.ndarray) -> np.ndarray:
    """Each block of 2 x 2 pixels becomes its mean."""
    height, width, channels = image.shape
    blocks = image.reshape(height // 2, 2, width // 2, 2, channels)
    return blocks.mean(axis=(1, 3)).round().astype(np.uint8)


def _jpeg(pixels: np.ndarray, quality: int) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def _script(path: Path, values: dict[str, Any]) -> None:
    text = f"(globalThis.PATCHES ??= []).push({json.dumps(values, separators=(',', ':'))});\n"
    path.write_text(text, encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} has {path.stat().st_size} bytes, more than {LARGEST}")
