"""What must not move when code moves: hashes of data, weights, detections and figures, on one CPU thread.

python tests/record_numbers.py            compare with recorded_numbers.json; exit code 1 on a difference
python tests/record_numbers.py --write    write that file anew, when a change is meant to move numbers

Two minutes. The data are rendered anew in a temporary folder; with AIRCRAFT_DATA they come from that cache.
The hashes of weights hold for one processor and one version of torch, which the file names.
"""

import argparse
import hashlib
import json
import os
import platform
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = (
    "1"  # before torch is imported: the number of threads changes the order of sums
)

import numpy as np
import torch

from aircraft import datasets, detection, metrics, models, training

FILE = Path(__file__).with_name("recorded_numbers.json")
EPOCHS, BATCH = 2, 32


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write recorded_numbers.json anew")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("AIRCRAFT_DATA", folder)
        found = record()
    if options.write:
        FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(f"wrote {FILE}")
        return 0
    before = json.loads(FILE.read_text(encoding="utf-8"))
    moved = [name for name in before if found.get(name) != before[name]]
    for name in moved:
        print(f"{name}: was {before[name]}, is {found.get(name)}", file=sys.stderr)
    print(f"{len(before) - len(moved)} of {len(before)} entries are as recorded")
    return 1 if moved else 0


def record() -> dict[str, Any]:
    """Name of a thing -> its hash, or its figures."""
    toy = datasets.load_toy(workers=1, progress=False)
    found: dict[str, Any] = {"machine": machine(), "toy": patch_set(toy)}
    found["imbalanced at scale 0.02"] = patch_set(
        datasets.load_imbalanced(scale=0.02, workers=1, progress=False)
    )
    tiles = datasets.load_tiles(count=6, workers=1, progress=False)
    for tile in tiles:
        found[f"tile {tile.name}"] = sha256(tile.image, tile.boxes, tile.ignore)
    small = datasets.load_toy(scale=0.1, workers=1, progress=False)
    learn, val = datasets.split(small.train, fraction=0.2, seed=0)
    for name in ("toy_cnn", "patch_net"):
        torch.manual_seed(0)
        model = models.build(name)
        history = training.fit(
            model, learn, val, epochs=EPOCHS, batch_size=BATCH, device="cpu", progress=False
        )
        found[f"weights of {name}"] = sha256(*(value.numpy() for value in model.state_dict().values()))
        found[f"history of {name}"] = {key: history[key] for key in ("loss", "val_loss", "AP", "AUC", "lr")}
    scores = training.predict(model, small.test.images)
    crowded = max(tiles, key=lambda tile: len(tile.boxes))
    seen = detection.detect(model, crowded.image, threshold=0.05)
    found["scores of test patches"] = sha256(scores)
    found[f"detections on {crowded.name}"] = {"count": len(seen), "hash": sha256(seen.centers, seen.scores)}
    threshold = metrics.choose_threshold(val.labels, training.predict(model, val.images), beta=1)
    report = metrics.evaluate(small.test.labels, scores, threshold, sites=small.test.sites)
    found["evaluate"] = report.to_dict()
    counted = detection.evaluate([seen], [crowded], 0.5, resamples=0)
    found["evaluate detections"] = counted.to_dict()
    return found


def patch_set(data: datasets.PatchSet) -> dict[str, str]:
    return {
        part: sha256(patches.images, patches.labels, _letters(patches.sites))
        for part, patches in (("train", data.train), ("test", data.test))
    }


def _letters(names: np.ndarray) -> np.ndarray:
    return np.frombuffer("\n".join(names.tolist()).encode(), np.uint8)


def sha256(*arrays: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def machine() -> dict[str, str]:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor(),
        "torch": torch.__version__,
        "numpy": np.__version__,
    }


if __name__ == "__main__":
    sys.exit(main())
