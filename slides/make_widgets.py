"""Make what the widgets of the slides show: scores, tiles and a network for the browser, with fixed seeds.

slides/data/scores.json     test scores of a network that had three epochs on the toy set: it makes mistakes
slides/data/tile_1.jpg ...  three rendered test tiles; slides/data/tiles.json says where their aircraft are
slides/data/patches_*.js    the toy set at half its size, for the page that trains in the browser
slides/models/detector.onnx the dense form of the network that comes along, its thresholds in its metadata
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

import pack_patches
from aircraft import datasets, detection, models, training
from aircraft.detection.detecting import MIN_DISTANCE, SMOOTH
from aircraft.patches import PATCH
from aircraft.scenes import Scene

SLIDES = Path(__file__).parent
TILES = 3
RARE = 9  # background patches for one aircraft in the imbalanced set
DIGITS = 4
LARGEST_TILE, LARGEST_MODEL = 300_000, 2_000_000


def main() -> None:
    for name in ("data", "models"):
        (SLIDES / name).mkdir(exist_ok=True)
    write_scores(SLIDES / "data/scores.json")
    write_detector(SLIDES)
    pack_patches.write(SLIDES / "data")


def write_scores(path: Path, *, epochs: int = 3, seed: int = 0) -> None:
    """Scores of the imbalanced test set, aircraft and background, nine of these for one of those."""
    torch.manual_seed(seed)
    network = models.build("patch_net")
    learn, val = datasets.split(datasets.load_toy(progress=False).train, fraction=0.2, seed=seed)
    training.fit(network, learn, val, epochs=epochs, seed=seed, progress=False)
    test = datasets.load_imbalanced(progress=False).test
    scores = training.predict(network, test.images).round(DIGITS).astype(np.float64)
    rng = np.random.default_rng(seed)
    aircraft = rng.permutation(scores[test.labels == 1])
    background = rng.permutation(scores[test.labels == 0])[: RARE * len(aircraft)]
    _write(path, {
        "about": f"scores of test patches: patch_net, {epochs} epochs on the toy set, seed {seed}",
        "rare": RARE,
        "aircraft": [round(score, DIGITS) for score in aircraft.tolist()],
        "background": [round(score, DIGITS) for score in background.tolist()],
    })  # fmt: skip


def write_detector(folder: Path) -> None:
    """The network that comes along as ONNX, and three tiles that it has not seen."""
    network = models.pretrained()
    model = models.export_onnx(network, folder / "models/detector.onnx", dense=True)
    _check_size(model, LARGEST_MODEL)
    entries = []
    for number, tile in enumerate(_choose(datasets.load_tiles(progress=False)), start=1):
        file = folder / f"data/tile_{number}.jpg"
        Image.fromarray(tile.image).save(file, quality=90)
        _check_size(file, LARGEST_TILE)
        shown = np.asarray(Image.open(file).convert("RGB"))
        found = detection.detect(network, shown)
        print(f"{file.name}: {len(tile.boxes)} aircraft, {len(found)} found")
        entries.append({"file": file.name, "centers": tile.centers.round(1).tolist()})
    _write(folder / "data/tiles.json", {
        "threshold": round(detection.default_threshold(network), 2),
        "stride": models.dense(network).stride,
        "window": PATCH,
        "min_distance": MIN_DISTANCE,
        "smooth": SMOOTH,
        "parameters": sum(weight.numel() for weight in network.parameters()),
        "tiles": entries,
    })  # fmt: skip


def _choose(tiles: list[Scene]) -> list[Scene]:
    """A crowded tile, one in the middle and one with few aircraft, of three sites."""
    order = sorted((tile for tile in tiles if len(tile.boxes)), key=lambda tile: -len(tile.boxes))
    chosen: list[Scene] = []
    for start in np.linspace(0, len(order) * 0.7, TILES).astype(int):
        chosen.append(next(t for t in order[start:] if t.site not in {c.site for c in chosen}))
    return chosen


def _check_size(file: Path, largest: int) -> None:
    if file.stat().st_size > largest:
        raise ValueError(f"{file} has {file.stat().st_size} bytes, more than {largest}")


def _write(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()
