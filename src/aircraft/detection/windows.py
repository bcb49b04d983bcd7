"""Score maps: a classifier of patches applied to every window of a large image.

The same map three times: one window at a time (to read), in batches, and in one dense pass (to use).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from aircraft import InputError, imagery, models
from aircraft.patches import PATCH
from aircraft.training import devices

Scorer = Callable[[np.ndarray], np.ndarray]  # (H, W, 3) uint8 pixels -> (rows, columns) float32 logits

HALF = PATCH // 2  # how far the image is continued by reflection, so that window centres reach its border


@dataclass(frozen=True, eq=False)
class ScoreMap:
    """Scores of windows on a regular grid."""

    scores: np.ndarray  # (rows, columns) float32 in [0, 1], the probability that the window shows an aircraft
    stride: int  # pixels between neighbouring windows
    offset: int = 0  # scores[i, j]: of the window centred at x = offset + stride * j, y = offset + stride * i


@dataclass(frozen=True)
class Block:
    """A rectangle of the grid: rows top to bottom and columns left to right, both ends excluded."""

    top: int
    left: int
    bottom: int
    right: int


def score_windows(model: nn.Module, pixels: np.ndarray, stride: int, *, progress: bool = False) -> np.ndarray:
    """Score every window by itself: the plain version, which the two others must agree with.

    Parameters
    ----------
    model, stride, progress : as in `score_map`
    pixels : (H, W, 3) uint8

    Returns
    -------
    (rows, columns) float32 logits of the windows with their corners at x, y = stride * column, stride * row
    """
    rows, columns = _grid(pixels, stride)
    logits = np.empty((rows, columns), np.float32)
    for i in tqdm(range(rows), desc="rows of windows", disable=not progress, leave=False):
        for j in range(columns):
            y, x = stride * i, stride * j
            window = pixels[y : y + PATCH, x : x + PATCH]
            logits[i, j] = _logits(model, _as_tensor(window, model)).item()
    return logits


def score_batches(
    model: nn.Module, pixels: np.ndarray, stride: int, batch_size: int = 256, *, progress: bool = False
) -> np.ndarray:
    """Score the windows in batches: the same work as `score_windows`, without its overhead."""
    rows, columns = _grid(pixels, stride)
    # A view: nothing is copied until a batch is taken. (1, 3, H, W) -> (rows, columns, 3, 64, 64)
    windows = _as_tensor(pixels, model)[0].unfold(1, PATCH, stride).unfold(2, PATCH, stride)
    windows = windows.permute(1, 2, 0, 3, 4)
    logits = torch.empty(rows * columns, device=windows.device)
    batches = torch.arange(rows * columns, device=windows.device).split(batch_size)
    for index in tqdm(batches, desc="batches of windows", disable=not progress, leave=False):
        batch = windows[index // columns, index % columns]
        logits[index] = _logits(model, batch.contiguous(memory_format=torch.channels_last))
    return logits.reshape(rows, columns).cpu().numpy()


def score_dense(network: models.DenseNetwork, pixels: np.ndarray, stride: int) -> np.ndarray:
    """Score all windows in one pass: quick, as neighbouring windows share nearly all of their convolutions.

    Parameters
    ----------
    network : of `models.dense`
    pixels, stride : as in `score_windows`

    Returns
    -------
    (rows, columns) float32 logits, as of `score_windows`
    """
    rows, columns = _grid(pixels, stride)
    image = _as_tensor(pixels, network)
    # A stride finer than the network's takes several passes over the shifted image, whose maps are
    # interleaved; for a coarser one each map is thinned out.
    passes = network.stride // math.gcd(stride, network.stride)  # shifts an axis until both grids meet again
    thin = passes * stride // network.stride
    logits = np.empty((rows, columns), np.float32)
    for a, b in np.ndindex(min(passes, rows), min(passes, columns)):
        shifted = network(image[:, :, a * stride :, b * stride :])  # (1, h, w)
        logits[a::passes, b::passes] = shifted[0, ::thin, ::thin].float().cpu().numpy()
    return logits


def score_map(
    model: nn.Module,
    image: np.ndarray | imagery.Source,
    *,
    method: str | None = "dense",
    stride: int = 8,
    block: int = 1024,
    batch_size: int = 256,
    amp: bool = False,
    share: bool = False,
    progress: bool = False,
) -> ScoreMap:
    """The score of every window of an image, as probabilities. Raises InputError where that cannot be done.

    Window centres are at 0, stride, 2 stride ... to the far border; the image is continued by 32 pixels of
    reflection, so that its edge is covered.

    Parameters
    ----------
    model : a classifier of patches, (N, 3, 64, 64) uint8 -> (N,) logits, or its dense form
    image : (H, W, 3) uint8, or a source of `imagery.open_image`, of which one block at a time is read
    method : "dense", "batched" or "window" (one at a time); None: dense where the model can, else batched
    stride : pixels between windows
    block : pixels a side of the largest piece that is scored at once: bounds the memory. The scores do not
        depend on it (those of padded networks do, within a receptive field of a block's border)
    batch_size : windows at a time of the batched method
    amp : bfloat16 products, about twice as quick where the hardware has them; the third digit then differs
    share : the processes of a torchrun job score every n-th block each, and all get the whole map
    progress : a bar over the blocks

    Returns
    -------
    ScoreMap : (H // stride + 1, W // stride + 1) scores
    """
    source = imagery.as_source(image)
    if min(source.width, source.height) < PATCH:
        small = f"{source.width} x {source.height} pixels is smaller than a patch ({PATCH} x {PATCH})"
        file = getattr(source, "source", source)  # behind a resampled image
        has = f"the file has {file.width} x {file.height} of {source.gsd:g} m"
        raise InputError(f"{source.name}: {small}; {has}: give a larger one, or its right pixel size (gsd)")
    if not 1 <= stride <= PATCH:
        raise InputError(f"stride {stride} is not possible; windows are 1 to {PATCH} pixels apart")
    scores = np.zeros((source.height // stride + 1, source.width // stride + 1), np.float32)
    low = torch.autocast(models.device_of(model).type, torch.bfloat16, enabled=amp)
    with devices.together(share), models.evaluating(model), low:
        scorer, native = _scorer(model, method, stride, batch_size, progress)
        todo = blocks(source.width, source.height, stride=stride, native=native, block=block)
        bar = progress and len(todo) > 1
        # Written where it belongs at once: pieces that wait in a list are scattered over the memory of the
        # process, which then cannot be used again for the next block.
        for piece in devices.mine(todo, description="blocks", progress=bar, share=share):
            logits = torch.from_numpy(score_block(scorer, source, piece, stride=stride))
            if not logits.isfinite().all():
                raise InputError(f"{source.name}: the model's scores are no numbers; train the model again")
            scores[piece.top : piece.bottom, piece.left : piece.right] = logits.sigmoid().numpy()
    if share:  # each score is zero in all processes but one
        scores = devices.total(scores)
    return ScoreMap(scores=scores, stride=stride)


def _scorer(
    model: nn.Module, method: str | None, stride: int, batch_size: int, progress: bool
) -> tuple[Scorer, int]:
    """The function from pixels to logits, and the stride that its blocks must be aligned to."""
    if method is None:  # the one place that decides
        known = isinstance(model, models.Network | models.DenseNetwork)
        method = "dense" if known and model.stride else "batched"
    if method == "window":
        return lambda pixels: score_windows(model, pixels, stride, progress=progress), 1
    if method == "batched":
        return lambda pixels: score_batches(model, pixels, stride, batch_size, progress=progress), 1
    if method != "dense":
        raise InputError(f"method {method!r} is unknown; take dense, batched or window")
    native: Any = getattr(model, "stride", None)
    coarse = math.lcm(native, stride) if native else None  # a coarse map is computed coarsely
    network = model if isinstance(model, models.DenseNetwork) else models.dense(model, stride=coarse)
    return lambda pixels: score_dense(network, pixels, stride), network.stride


def blocks(width: int, height: int, *, stride: int, native: int = 1, block: int = 1024) -> list[Block]:
    """Cut the grid of an image into blocks that are scored each by itself.

    Parameters
    ----------
    width, height, stride, block : as in `score_map`, in pixels
    native : the stride of the dense network

    Returns
    -------
    Blocks that need at most `block` pixels a side
    """
    # Each block begins at a multiple of both strides, so that a dense network sees the same windows in a
    # block as in the whole image: there is no seam.
    step = native // math.gcd(stride, native)  # grid positions from one common multiple to the next
    side = ((block - PATCH) // stride + 1) // step * step
    if side < 1:
        least = PATCH + (step - 1) * stride
        raise InputError(f"block {block} is too small for stride {stride}; give at least {least} pixels")
    rows, columns = height // stride + 1, width // stride + 1
    return [
        Block(top, left, min(top + side, rows), min(left + side, columns))
        for top in range(0, rows, side)
        for left in range(0, columns, side)
    ]


def score_block(scorer: Scorer, source: imagery.Source, block: Block, *, stride: int) -> np.ndarray:
    """(rows, columns) float32 logits of one block, of which only the pixels that it needs are read."""
    # Where a window leaves the image, the image goes on as its own mirror image: -1 is 1, size is size - 2.
    xs, ys = (np.pad(np.arange(size), HALF, mode="reflect") for size in (source.width, source.height))
    xs = xs[block.left * stride : (block.right - 1) * stride + PATCH]
    ys = ys[block.top * stride : (block.bottom - 1) * stride + PATCH]
    left, top = int(xs.min()), int(ys.min())
    pixels = source.read(left, top, int(xs.max()) + 1, int(ys.max()) + 1)
    if pixels.shape[:2] != (len(ys), len(xs)):  # else nothing is mirrored: spare the copy
        pixels = pixels.take(ys - top, axis=0).take(xs - left, axis=1)
    return scorer(pixels)


def _grid(pixels: np.ndarray, stride: int) -> tuple[int, int]:
    """Rows and columns of windows that lie wholly in the pixels."""
    height, width = pixels.shape[:2]
    return (height - PATCH) // stride + 1, (width - PATCH) // stride + 1


def _as_tensor(pixels: np.ndarray, model: nn.Module) -> Tensor:
    """(H, W, 3) -> (1, 3, H, W) uint8 on the model's device; the memory stays channels-last."""
    image = torch.from_numpy(np.ascontiguousarray(pixels)).to(models.device_of(model))
    return image[None].permute(0, 3, 1, 2)


def _logits(model: nn.Module, batch: Tensor) -> Tensor:
    """(N,) float32 logits of a batch of patches."""
    logits = model(batch).detach().float().reshape(-1)
    if len(logits) != len(batch):
        raise InputError(f"the model gives {len(logits) // len(batch)} values a patch; a detector needs one")
    return logits
