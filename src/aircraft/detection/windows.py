"""Score maps: a classifier of patches applied to every window of a large image.

The same map three times: one window at a time (to read), in batches, and in one dense pass (to use).
`score_map` calls them, with the model in evaluation mode and without gradients.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from aircraft import InputError, imagery, models
from aircraft.training import devices

Scorer = Callable[[np.ndarray], np.ndarray]  # (H, W, 3) uint8 pixels -> (rows, columns) float32 logits

WINDOW = 64  # pixels a side, the size of a patch
HALF = WINDOW // 2  # how far the image is continued by reflection, so that window centres reach its border


@dataclass(frozen=True, eq=False)
class ScoreMap:
    """Scores of windows on a regular grid.

    scores: (rows, columns) float32 in [0, 1], the probability that the window shows an aircraft.
    stride: pixels between neighbouring windows.
    offset: scores[i, j] is of the window with its centre at x = offset + stride * j, y = offset + stride * i.
    """

    scores: np.ndarray
    stride: int
    offset: int = 0


@dataclass(frozen=True)
class Block:
    """A rectangle of the grid: rows top to bottom and columns left to right, both ends excluded."""

    top: int
    left: int
    bottom: int
    right: int


def score_windows(model: nn.Module, pixels: np.ndarray, stride: int, *, progress: bool = False) -> np.ndarray:
    """Score every window by itself: the plain version, which the two others must agree with.

    pixels: (H, W, 3) uint8. Returns (rows, columns) float32 logits of the windows with their corners
    at (stride * j, stride * i).
    """
    rows, columns = _grid(pixels, stride)
    logits = np.empty((rows, columns), np.float32)
    for i in tqdm(range(rows), desc="rows of windows", disable=not progress, leave=False):
        for j in range(columns):
            y, x = stride * i, stride * j
            window = pixels[y : y + WINDOW, x : x + WINDOW]
            logits[i, j] = _logits(model, _as_tensor(window, _device(model))).item()
    return logits


def score_batches(
    model: nn.Module, pixels: np.ndarray, stride: int, *, batch_size: int = 256, progress: bool = False
) -> np.ndarray:
    """Score the windows in batches: the same work as `score_windows`, without its overhead."""
    rows, columns = _grid(pixels, stride)
    device = _device(model)
    # A view: nothing is copied until a batch is taken. (1, 3, H, W) -> (rows, columns, 3, 64, 64)
    windows = _as_tensor(pixels, device)[0].unfold(1, WINDOW, stride).unfold(2, WINDOW, stride)
    windows = windows.permute(1, 2, 0, 3, 4)
    logits = torch.empty(rows * columns, device=device)
    starts = range(0, rows * columns, batch_size)
    for start in tqdm(starts, desc="batches of windows", disable=not progress, leave=False):
        index = torch.arange(start, min(start + batch_size, rows * columns), device=device)
        batch = windows[index // columns, index % columns]
        logits[index] = _logits(model, batch.contiguous(memory_format=torch.channels_last))
    return logits.reshape(rows, columns).cpu().numpy()


def score_dense(network: models.DenseNetwork, pixels: np.ndarray, stride: int) -> np.ndarray:
    """Score all windows in one pass of a fully convolutional network.

    network: what `models.dense` returns: (1, 3, H, W) -> (1, h, w) logits of the windows `network.stride`
    pixels apart. Windows overlap, so neighbours share nearly all of their convolutions: this is what makes
    it fast. A stride finer than the network's takes several passes over the shifted image, whose maps are
    interleaved; for a coarser one each map is thinned out.
    """
    rows, columns = _grid(pixels, stride)
    native = network.stride
    image = _as_tensor(pixels, _device(network))
    passes = native // math.gcd(stride, native)  # shifts an axis until both grids meet again
    thin = passes * stride // native
    logits = np.empty((rows, columns), np.float32)
    for a in range(min(passes, rows)):
        for b in range(min(passes, columns)):
            shifted = network(image[:, :, a * stride :, b * stride :])  # (1, h, w)
            logits[a::passes, b::passes] = shifted[0, ::thin, ::thin].float().cpu().numpy()
    return logits


def score_map(
    model: nn.Module,
    image: np.ndarray | imagery.Source,
    *,
    method: str = "dense",
    stride: int = 8,
    block: int = 1024,
    batch_size: int = 256,
    flips: bool = False,
    amp: bool = False,
    device: str | torch.device | None = None,
    share: bool = False,
    progress: bool = False,
) -> ScoreMap:
    """The score of every window of an image, as probabilities.

    model:  a classifier of patches, (N, 3, 64, 64) uint8 -> (N,) logits; for the dense method also what
            `dense_for` made of it, which saves making it anew for every image.
    image:  (H, W, 3) uint8, or a source of `imagery.open_image`, of which one block at a time is read.
    method: "window" (one at a time), "batched" or "dense".
    stride: pixels between windows. Window centres are at 0, stride, 2 stride ... to the far border; the
            image is continued by 32 pixels of reflection, so that its edge is covered.
    block:  the largest piece, in pixels a side, that is scored at once. It bounds the memory. The scores do
            not depend on it (those of padded networks do, within a receptive field of a block's border).
    flips:  mean of the logits over the image and its three mirror images; four times the work.
    amp:    bfloat16 products: about twice as quick where the hardware has them; scores then differ in the
            third digit.
    device: where to compute; the model is moved there and stays. None: where it is.
    share:  the processes of a torchrun job score every n-th block each, and all get the whole map.
    batch_size, progress: windows at a time of the batched method; a bar over the blocks.

    Raises InputError for an image smaller than a patch, an unknown method, a network without a dense form.
    """
    source = imagery.as_source(image)
    if min(source.width, source.height) < WINDOW:
        raise InputError(
            f"{source.name}: {source.width} x {source.height} pixels is smaller than a patch "
            f"({WINDOW} x {WINDOW}); give a larger image, or its right ground sampling distance (gsd)"
        )
    _check_stride(stride)
    model = model if device is None else model.to(device)
    scores = np.zeros((source.height // stride + 1, source.width // stride + 1), np.float32)
    with models.evaluating(model), torch.autocast(_device(model).type, torch.bfloat16, enabled=amp):
        scorer, native = _scorer(model, method, stride, batch_size, progress)
        todo = blocks(source.width, source.height, stride=stride, native=native, block=block)

        bar = progress and len(todo) > 1
        # Written where it belongs at once: pieces that wait in a list are scattered over the memory of the
        # process, which then cannot be used again for the next block.
        for part in devices.mine(todo, description="blocks", progress=bar, share=share):
            logits = score_block(scorer, source, part, stride=stride, flips=flips)
            scores[part.top : part.bottom, part.left : part.right] = _sigmoid(logits)
    if share:  # each score is zero in all processes but one
        scores = devices.total(scores)
    return ScoreMap(scores=scores, stride=stride, offset=0)


def blocks(width: int, height: int, *, stride: int, native: int = 1, block: int = 1024) -> list[Block]:
    """Cut the grid of an image of width x height pixels into blocks that need at most `block` pixels a side.

    Each block begins at a multiple of both strides, so that a dense network sees the same windows in a block
    as in the whole image: there is no seam. The blocks are independent; processes can take every k-th one.
    """
    step = native // math.gcd(stride, native)  # grid positions from one common multiple to the next
    side = ((block - WINDOW) // stride + 1) // step * step
    if side < 1:
        least = WINDOW + (step - 1) * stride
        raise InputError(f"block {block} is too small for stride {stride}; give at least {least} pixels")
    rows, columns = height // stride + 1, width // stride + 1
    return [
        Block(top, left, min(top + side, rows), min(left + side, columns))
        for top in range(0, rows, side)
        for left in range(0, columns, side)
    ]


def score_block(
    scorer: Scorer, source: imagery.Source, part: Block, *, stride: int, flips: bool = False
) -> np.ndarray:
    """(rows, columns) float32 logits of one block; reads only the pixels that its windows cover."""
    pixels = _read_mirrored(
        source,
        x0=part.left * stride - HALF,
        y0=part.top * stride - HALF,
        x1=(part.right - 1) * stride + HALF,
        y1=(part.bottom - 1) * stride + HALF,
    )
    logits = scorer(pixels)
    if not flips:
        return logits
    # The pixels end where the last window ends, so the grid of the mirror image is the mirrored grid.
    for axes in ((0,), (1,), (0, 1)):
        logits = logits + np.flip(scorer(np.flip(pixels, axes)), axes)
    return logits / 4


def _scorer(
    model: nn.Module, method: str, stride: int, batch_size: int, progress: bool
) -> tuple[Scorer, int]:
    """The function from pixels to logits, and the stride that its blocks must be aligned to."""
    if method == "window":
        return lambda pixels: score_windows(model, pixels, stride, progress=progress), 1
    if method == "batched":
        return lambda pixels: score_batches(
            model, pixels, stride, batch_size=batch_size, progress=progress
        ), 1
    if method != "dense":
        raise InputError(f"method {method!r} is unknown; take dense, batched or window")
    network = model if isinstance(model, models.DenseNetwork) else dense_for(model, stride)
    return lambda pixels: score_dense(network, pixels, stride), network.stride


def dense_for(model: nn.Module, stride: int) -> models.DenseNetwork:
    """The dense form for this stride: a coarse map is not computed finely and thinned out.

    Raises InputError for a stride below 1, a network without a dense form.
    """
    _check_stride(stride)
    native = getattr(model, "stride", None)
    return models.dense(model, stride=math.lcm(native, stride) if native else None)


def _check_stride(stride: int) -> None:
    if stride < 1:
        raise InputError(f"stride {stride} is not possible; windows are at least 1 pixel apart")


def _read_mirrored(source: imagery.Source, *, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
    """Pixels of a rectangle that may leave the image, which goes on as its own mirror image there."""
    xs = _mirrored(np.arange(x0, x1), source.width)
    ys = _mirrored(np.arange(y0, y1), source.height)
    left, top = int(xs.min()), int(ys.min())
    pixels = source.read(left, top, int(xs.max()) + 1, int(ys.max()) + 1)
    if pixels.shape[:2] == (len(ys), len(xs)):
        return pixels  # nothing was mirrored: spare the copy
    return pixels.take(ys - top, axis=0).take(xs - left, axis=1)


def _mirrored(index: np.ndarray, size: int) -> np.ndarray:
    """-1 -> 1, size -> size - 2, ...: the border pixel is not repeated."""
    index = np.abs(index)
    return (size - 1) - np.abs((size - 1) - index)


def _grid(pixels: np.ndarray, stride: int) -> tuple[int, int]:
    """Rows and columns of windows that lie wholly in the pixels."""
    height, width = pixels.shape[:2]
    return (height - WINDOW) // stride + 1, (width - WINDOW) // stride + 1


def _as_tensor(pixels: np.ndarray, device: torch.device) -> Tensor:
    """(H, W, 3) -> (1, 3, H, W) uint8 on the device; the memory stays as it is, which is channels-last."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).to(device)[None].permute(0, 3, 1, 2)


def _logits(model: nn.Module, batch: Tensor) -> Tensor:
    """(N,) float32 logits of a batch of patches."""
    logits = model(batch).float().reshape(-1)
    if len(logits) != len(batch):
        raise InputError(
            f"the model gives {len(logits) // len(batch)} values a patch; a detector needs a classifier "
            "with one logit a patch"
        )
    return logits


def _device(model: nn.Module) -> torch.device:
    weight = next(chain(model.parameters(), model.buffers()), None)
    return torch.device("cpu") if weight is None else weight.device


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return torch.from_numpy(logits).sigmoid().numpy()
