"""A process of its own for a measurement of memory: python -m aircraft_bench.worker WHAT ARGUMENTS...

Prints one line of JSON at the end: seconds, and bytes of resident memory: before the work, and its peak.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np

from aircraft import cli, detection, models
from aircraft_bench.measuring import peak_memory
from aircraft_bench.mosaic import Mosaic

TIMED = 2**24  # pixels to score, so that small images are measured as long as large ones


def mosaic(model: str, scene: str, side: str) -> dict[str, float]:
    """Detect in a mosaic of `side` pixels: seconds a detection, number of aircraft."""
    network, _ = models.load(model)
    image = Mosaic(np.load(scene), int(side))
    scorer = models.dense(network)
    before = peak_memory()
    detection.detect(scorer, Mosaic(image.scene, min(image.width, 512)), 0.5)  # the first one is slower
    count = max(1, TIMED // image.width**2)
    started = time.perf_counter()
    for _ in range(count):
        found = detection.detect(scorer, image, 0.5)
    seconds = (time.perf_counter() - started) / count
    return {"seconds": seconds, "found": len(found), "before": before, "peak": peak_memory()}


def command(model: str, image: str, out: str) -> dict[str, float]:
    """`aircraft detect` of one file, from opening it to the results on disk, without the imports."""
    import rasterio  # noqa: F401

    from aircraft.cli import outputs, runs  # noqa: F401

    before = peak_memory()
    started = time.perf_counter()
    code = cli.run(["detect", model, image, "--out", out, "--no-progress"])
    seconds = time.perf_counter() - started
    if code != cli.DONE:
        raise SystemExit(code)
    found = len(json.loads((Path(out) / f"{Path(image).stem}.json").read_text())["detections"])
    return {"seconds": seconds, "found": found, "before": before, "peak": peak_memory()}


if __name__ == "__main__":
    print(json.dumps({"mosaic": mosaic, "command": command}[sys.argv[1]](*sys.argv[2:])))
