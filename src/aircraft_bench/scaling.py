"""Benchmark 3, scale: time and memory against the size of an image, a huge GeoTIFF, and the seam test.

Each measurement is a process of its own, so that no peak of memory hides in that of another.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tqdm.auto import tqdm

from aircraft import detection, models
from aircraft.datasets import synthetic
from aircraft.models import Network
from aircraft_bench import mosaic, weights
from aircraft_bench.mosaic import Mosaic
from aircraft_bench.options import Options
from aircraft_bench.tables import Part, Row

SIDES, QUICK_SIDES = (512, 1024, 2048, 4096, 8192, 16_384), (512, 1024)
HUGE, QUICK_HUGE = 20_000, 1500  # pixels a side of the GeoTIFF
LINEAR_FROM = 4096
ROUNDS = 3
SEAM = 2500  # pixels a side of the image that is scored in blocks and in one pass
MEMORY, LINEAR = 1.5, 1.15  # targets: GiB; slowest pixel over quickest

Found = dict[str, float]  # what a worker prints


def measure(options: Options) -> Iterator[Part]:
    """Time a megapixel and peak memory for every size; the GeoTIFF; the seam."""
    sides = QUICK_SIDES if options.quick else SIDES
    with TemporaryDirectory() as name:
        folder = Path(name)
        model, scene = weights.write(folder / "model.safetensors", options), folder / "scene.npy"
        pixels = synthetic.render(site=2, view=0).image
        np.save(scene, pixels)
        jobs = [side for _ in range(1 if options.quick else min(ROUNDS, options.repeats)) for side in sides]
        found: dict[int, list[Found]] = {side: [] for side in sides}
        for side in tqdm(jobs, "scale", disable=not options.progress, leave=False):
            found[side].append(_worker("mosaic", model, scene, side))
        huge = QUICK_HUGE if options.quick else HUGE
        tiff = folder / "huge.tif"
        mosaic.write_geotiff(tiff, Mosaic(pixels, huge))
        geotiff = _worker("command", model, tiff, folder / "found")
        geotiff["file"] = tiff.stat().st_size
        seam = seam_difference(models.load(model)[0], Mosaic(pixels, huge if options.quick else SEAM))
    yield _part(found, geotiff, huge, seam)


def seam_difference(network: Network, image: Mosaic) -> float:
    """The largest difference between the scores of blocks of 512 pixels and those of one pass."""
    blocks = detection.score_map(network, image, block=512).scores
    whole = detection.score_map(network, image, block=image.width + 128).scores
    return float(np.abs(blocks - whole).max())


def _part(found: dict[int, list[Found]], geotiff: Found, huge: int, seam: float) -> Part:
    rows = []
    per_pixel = {side: [r["seconds"] / side**2 for r in results] for side, results in found.items()}
    for side, values in per_pixel.items():
        rows.append(Row(f"{side:,} pixels a side: time", [1e9 * v for v in values], "ms a megapixel"))
    for side, results in found.items():
        peak = [r["peak"] / 2**20 for r in results]
        above = [(r["peak"] - r["before"]) / 2**20 for r in results]
        rows.append(Row(f"{side:,} pixels a side: peak memory", peak, "MiB"))
        rows.append(Row(f"{side:,} pixels a side: above the imports", above, "MiB"))
    large = [values for side, values in per_pixel.items() if side >= LINEAR_FROM]
    if len(large) > 1:
        worst = [max(values) / min(values) for values in zip(*large, strict=True)]
        rows.append(Row(f"slowest pixel / quickest, from {LINEAR_FROM:,} on", worst, "x", most=LINEAR))
    name = f"GeoTIFF of {huge:,} x {huge:,}"
    rows += [
        Row(f"{name}: `aircraft detect`", [geotiff["seconds"]], "s"),
        Row(f"{name}: a megapixel", [1e9 * geotiff["seconds"] / huge**2], "ms"),
        Row(f"{name}: peak memory", [geotiff["peak"] / 2**30], "GiB", most=MEMORY),
        Row(f"{name}: above the imports", [(geotiff["peak"] - geotiff["before"]) / 2**30], "GiB"),
        Row("seam: largest difference of a score", [seam], "", most=1e-5),
    ]
    notes = [
        "Stride 8 and blocks of 1024 pixels, the defaults; one rendered scene, repeated; memory is resident.",
        f"The GeoTIFF has {geotiff['file'] / 1e6:.0f} MB of JPEG tiles; {geotiff['found']:,.0f} aircraft are "
        "found, and the results written, a picture among them.",
    ]
    raw = {"sides": {str(side): results for side, results in found.items()}, "geotiff": geotiff}
    return Part("Scale", rows, notes, raw)


def _worker(*words: object) -> Found:
    """Run `aircraft_bench.worker` and read what it prints last."""
    command = [sys.executable, "-m", "aircraft_bench.worker", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"a measurement failed: {' '.join(command[3:])}: {done.stderr.strip()[-500:]}")
    return json.loads(done.stdout.splitlines()[-1])
