"""Benchmark 2, detection: one score map of a tile by windows, batches, SAHI's slices and a dense pass.

The dense pass is also held against the machine's own ceiling: its bare convolutions and nothing else.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from aircraft import datasets, detection, models
from aircraft.models import Network
from aircraft.patches import PATCH
from aircraft_bench import weights
from aircraft_bench.measuring import interleave, ratios
from aircraft_bench.options import Options
from aircraft_bench.tables import Part, Row

HALF = PATCH // 2  # of a window; so far the image is continued at its border
STRIDE = 16
BATCH = 256  # windows, and slices, at once
QUICK_REPEATS = 2
WINDOWS, BATCHES, CEILING, SAHI = 50.0, 20.0, 0.5, 30.0  # targets: times quicker; share of the ceiling

SAME, CLOSE = 1e-4, 0.05  # largest difference of a score, in float32 and in bfloat16
FAST = "dense, bfloat16"  # `aircraft detect --fast`, on processors that multiply it


def measure(options: Options) -> Iterator[Part]:
    """Milliseconds a tile of each method, and how many times quicker the dense one is."""
    tile = datasets.load_tiles(options.source, options.root, count=1, progress=options.progress)[0]
    with TemporaryDirectory() as folder:
        network, _ = models.load(weights.write(Path(folder) / "model.safetensors", options))
    yield compare(network, tile.image, options)


def compare(network: Network, image: np.ndarray, options: Options) -> Part:
    """The measurement for one network in evaluation mode and one (H, W, 3) uint8 image."""
    maps = _contenders(network, image)
    bare = bare_convolutions(network, image)
    seconds = interleave(
        {**maps, "bare convolutions": bare},
        QUICK_REPEATS if options.quick else options.repeats,
        description="detection",
        progress=options.progress,
    )
    rows = [Row(name, [1000 * s for s in values], "ms") for name, values in seconds.items()]
    for ours in ("dense", FAST):
        for name, least in (
            ("one window at a time", WINDOWS), ("batches", BATCHES), ("SAHI", SAHI), ("SAHI, batches", SAHI)
        ):  # fmt: skip
            rows.append(Row(f"{name} / {ours}", ratios(seconds[name], seconds[ours]), "x", least=least))
    share = ratios(seconds["bare convolutions"], seconds["dense"])
    rows.append(Row("dense: share of the ceiling", share, "", least=CEILING))
    plain = maps["one window at a time"]()
    for name in ("batches", "dense", "SAHI", "SAHI, batches", FAST):
        difference = float(np.abs(maps[name]() - plain).max())
        most = CLOSE if name == FAST else SAME
        rows.append(Row(f"{name}: largest difference of a score", [difference], "", most=most))
    height, width = image.shape[:2]
    notes = [
        f"{width} x {height} pixels at stride {STRIDE}: {plain.size:,} windows, with the reflected border "
        "that every method scores.",
        "Ceiling: F.conv2d of the dense network's layers on prepared channels-last inputs, weights folded; "
        "no pixels converted, no pools, no activations.",
        f"SAHI: get_sliced_prediction, one slice at a time (its default) and {BATCH} at once; nothing is "
        "suppressed, no second look at the whole image.",
    ]
    return Part("Detection: one tile", rows, notes, {"seconds": seconds})


def bare_convolutions(network: Network, image: np.ndarray) -> Callable[[], None]:
    """A function that runs every convolution of the dense form once, each on an input of its true shape."""
    scorer = models.dense(network, stride=STRIDE)
    jobs: list[tuple[Tensor, nn.Conv2d]] = []

    def remember(layer: Any, inputs: tuple[Tensor, ...]) -> None:
        jobs.append((inputs[0].clone(memory_format=torch.channels_last), layer))

    layers = [layer for layer in scorer.modules() if isinstance(layer, nn.Conv2d)]
    handles = [layer.register_forward_pre_hook(remember) for layer in layers]
    detection.score_map(scorer, image, stride=STRIDE, block=_whole(image))
    for handle in handles:
        handle.remove()
    kernels = [layer.weight.detach().contiguous(memory_format=torch.channels_last) for _, layer in jobs]

    def run() -> None:
        with torch.inference_mode():
            for (inputs, layer), kernel in zip(jobs, kernels, strict=True):
                F.conv2d(
                    inputs, kernel, layer.bias, layer.stride, layer.padding, layer.dilation, layer.groups
                )

    return run


def _contenders(network: Network, image: np.ndarray) -> dict[str, Callable[[], np.ndarray]]:
    """Functions that return the same (rows, columns) scores."""
    from aircraft_bench import sahi_slices

    scorer = models.dense(network, stride=STRIDE)
    pixels = np.pad(image, ((HALF, HALF), (HALF, HALF), (0, 0)), mode="reflect")  # SAHI knows no border

    def ours(model: nn.Module, method: str, amp: bool = False) -> Callable[[], np.ndarray]:
        return lambda: (
            detection.score_map(
                model, image, method=method, stride=STRIDE, batch_size=BATCH, block=_whole(image), amp=amp
            ).scores
        )

    def sahi(kind: type[sahi_slices.SlicedClassifier], batch_size: int) -> Callable[[], np.ndarray]:
        detector = kind(model=network, confidence_threshold=0.0, device="cpu")
        return lambda: sahi_slices.score_map(detector, pixels, STRIDE, batch_size)

    return {
        "one window at a time": ours(network, "window"),
        "batches": ours(network, "batched"),
        "SAHI": sahi(sahi_slices.SlicedClassifier, 1),
        "SAHI, batches": sahi(sahi_slices.BatchedClassifier, BATCH),
        "dense": ours(scorer, "dense"),
        FAST: ours(scorer, "dense", amp=True),
    }


def _whole(image: np.ndarray) -> int:
    """A block that holds the image and its border."""
    return max(image.shape[:2]) + 2 * HALF + STRIDE
