"""Checks of lesson 8, fully convolutional: linear layers as convolutions, dense maps, ONNX, large scenes.

An assert message is the hint for that mistake; students see it, so it never holds the bare answer.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from aircraft import detection, models
from aircraft.scenes import Scene
from aircraft_course.checks.answers import number, numbers, parts
from aircraft_course.checks.core import exercise
from aircraft_course.checks.reference import agree, shown


@exercise(
    hints=(
        "Draw one pixel and one row of windows. How many of them contain the pixel when a new window begins "
        "every `stride` pixels? Then think of the columns.",
        "64 // stride windows contain it along x. For each of them there are as many along y: multiply.",
    )
)
def check_looks(looks: Callable[[int], float]) -> None:
    seen = number(looks(8), "looks(8)")
    assert seen != 8, "8 windows is right along x; but windows are shifted along y as well"
    assert seen != 512, "512 = 64 * 64 / 8: the stride acts along x and along y, so it divides twice"
    assert looks(64) == 1, f"at stride 64 no windows overlap: a pixel is seen once, not {looks(64)} times"
    for stride in (32, 16, 8, 4, 1):
        corners = np.arange(0, 512, stride)
        along = int(((corners <= 256) & (corners + 64 > 256)).sum())
        seen, right = number(looks(stride), f"looks({stride})"), along**2
        assert np.isclose(seen, right), (
            f"at stride {stride} your function says {seen:g}; counting the windows around pixel (256, 256) "
            "one by one gives another number"
        )


@exercise(
    hints=(
        "The convolution has the same numbers as the linear layer, in another shape. "
        "Print linear.weight.shape and conv.weight.shape and compare.",
        "linear.weight.reshape(linear.out_features, channels, side, side); the bias needs no new shape.",
    )
)
def check_linear_to_conv(linear_to_conv: Callable[[nn.Linear, int, int], nn.Conv2d]) -> None:
    generator = torch.Generator().manual_seed(8)
    for channels, side, outputs in ((3, 2, 5), (4, 3, 1), (2, 1, 3)):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(channels)
            linear = nn.Linear(channels * side * side, outputs)
        features = torch.randn(2, channels, side, side, generator=generator)
        conv = linear_to_conv(linear, channels, side)
        assert isinstance(conv, nn.Conv2d), f"return the convolution; this is {type(conv).__name__}"
        shape, wanted = tuple(conv.weight.shape), (outputs, channels, side, side)
        assert shape == wanted, (
            f"for {channels} channels of {side} x {side} the weight is {shape}, not {wanted}"
        )
        with torch.no_grad():
            right = linear(features.flatten(1))
            got = conv(features).flatten(1)
        assert got.shape == right.shape, (
            f"on one window the convolution gives {tuple(got.shape)}, not one number each"
        )
        if torch.allclose(got, right, atol=1e-5):
            wide = torch.randn(1, channels, side + 2, side + 3, generator=generator)
            assert tuple(conv(wide).shape) == (1, outputs, 3, 4), (
                f"on a map that is 2 rows and 3 columns larger than the kernel the convolution must give "
                f"3 x 4 places, not {tuple(conv(wide).shape[2:])}: stride 1, no padding"
            )
            continue
        kernel = linear.weight.reshape(outputs, channels, side, side)
        assert not torch.equal(conv.weight, kernel), (
            "the weights are right, but every output is off by a constant: what else does a linear layer add?"
        )
        same = torch.equal(
            conv.weight.detach().flatten().sort()[0], linear.weight.detach().flatten().sort()[0]
        )
        assert same, "the weights are not those of the linear layer; copy them into conv.weight"
        raise AssertionError(
            "the numbers are the right ones in the wrong places: Flatten writes channel by channel, "
            "each of them row by row; keep this order"
        )


@exercise(
    hints=(
        "Look at the shapes printed above: which shape stands before each linear layer?",
        "The first linear layer reads features of 32 x 12 x 12; the second one reads 64 numbers, "
        "that is 64 channels of 1 x 1.",
    )
)
def check_kernels(kernels: Any) -> None:
    first, second = (
        number(side, "a side") for side in parts(kernels, 2, "write two sides, as (first, second)")
    )
    assert first != 64, "64 is the window in pixels; the kernel lies on the features, after two pools"
    assert first * first * 32 == 4608, (
        f"a kernel of {first} x {first} on 32 channels has {first * first * 32} weights, not 4608"
    )
    assert second != 12, (
        "after the first convolution nothing is left of the 12 x 12 in one window: how many positions?"
    )
    assert second == 1, (
        f"Linear(64, 1) reads 64 channels at a single position; {second} x {second} is too large"
    )


@exercise(
    hints=(
        "Go through network.layers from first to last: leave a Flatten out, convert a Linear, keep the rest: "
        "an if for the Linear, and layers.append(layer) for all but the Flatten.",
        "layer = linear_to_conv(layer, channels=layer.in_features // side**2, side=side), with a side of "
        "exercise 3: the first one when layer.in_features == 4608, else the second.",
    )
)
def check_toy_dense(toy_dense: Callable[[nn.Module], nn.Module]) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        network = models.build("toy_cnn").eval()
    made = toy_dense(network)
    assert isinstance(made, nn.Module), f"return a network (nn.Sequential); this is {type(made).__name__}"
    kinds = [type(layer) for layer in made.modules()]
    assert nn.Flatten not in kinds, (
        "a Flatten is left: it would melt all positions into one long row; leave it out"
    )
    assert nn.Linear not in kinds, (
        "a Linear is left: it works for one size of image only; convert both of them"
    )
    assert models.Normalize in kinds, (
        "the network begins with network.normalize; without it the pixels are not scaled"
    )
    for kind, what in ((nn.ReLU, "ReLU"), (nn.MaxPool2d, "pool")):
        there, wanted = kinds.count(kind), sum(isinstance(layer, kind) for layer in network.modules())
        assert there == wanted, (
            f"{there} of {wanted} {what} layers are left; keep every layer that is no Linear or Flatten"
        )
    image = torch.randint(0, 256, (1, 3, 76, 100), generator=torch.Generator().manual_seed(1)).to(torch.uint8)
    with torch.no_grad():
        got, right = made(image), models.dense(network)(image)
    size = tuple(got.shape[-2:])
    assert size == tuple(right.shape[-2:]), (
        f"an image of 76 x 100 has 4 x 10 windows at stride 4; your map is {size}"
    )
    assert torch.allclose(got.flatten(), right.flatten(), atol=1e-4), (
        "the shapes are right, the scores are not; do you convert with the trained weights of this network?"
    )


@exercise(
    hints=(
        "Row i counts downwards, that is along y. Column j counts to the right, along x.",
        "One step on the map is `stride` pixels in the image: return (stride * ..., stride * ...).",
    )
)
def check_corner(corner: Callable[[int, int, int], Any]) -> None:
    got = _pair(corner(2, 5, 8))
    assert got != (5, 2), "(5, 2) counts windows; the corner is in pixels"
    assert got != (16, 40), "x and y are swapped: the row i belongs to y, and x comes first"
    assert got != (72, 48), "(72, 48) is the centre of the window; the corner is its upper left pixel"
    for i, j, stride in ((2, 5, 8), (0, 0, 4), (7, 1, 4), (3, 3, 16)):
        got = _pair(corner(i, j, stride))
        assert got == (stride * j, stride * i), (
            f"for map[{i}, {j}] at stride {stride} {got} is not where its window begins"
        )
    agree(corner, lambda i, j, stride: (stride * j, stride * i), _draw_place)


@exercise(
    hints=(
        "What lies beside a window when it is cut out, and what lies beside it inside the image?",
        "padding=1 puts zeros around whatever a convolution gets.",
    )
)
def check_padding(answer: str) -> None:
    _choice(
        answer,
        right="b",
        hints={
            "a": "rounding changes the sixth digit; look how much larger the difference of vgg_small is",
            "c": "toy_cnn has pools as well, and its two maps agree",
            "d": "batch norm in evaluation mode multiplies and adds fixed numbers: the same in both maps; "
            "patch_net has it, too",
        },
    )


@exercise(
    hints=(
        "One output number of a convolution is a sum over the kernel and over all input channels. "
        "How many products has that sum?",
        "inputs * kernel * kernel products for one number, and outputs * rows * columns numbers.",
    )
)
def check_multiplications(multiplications: Callable[[int, int, int, int, int], int]) -> None:
    got = multiplications(1, 1, 3, 1, 1)
    assert got != 10, "10 are the parameters of this layer, with the bias; the bias is added, not multiplied"
    assert got == 9, f"one 3 x 3 filter on one channel at one position: 9 products, not {got}"
    got = multiplications(3, 16, 3, 62, 62)
    assert got != 16 * 9 * 62 * 62, "each filter reads all the input channels, not only one"
    assert got != 3 * 16 * 9, "that is the number of weights; each is used again at every position"
    assert got != 3 * 9 * 62 * 62, "that is one filter; there are 16 of them"
    agree(
        multiplications,
        lambda *layer: math.prod(layer) * layer[2],
        _draw_layer,
        tell="is the kernel a square, and is every position counted?",
    )


@exercise(
    hints=(
        "Look at both curves of the figure, from left to right.",
        "The loop computes each window anew: half as many windows along x, and half as many along y.",
    )
)
def check_stride_choice(answer: str) -> None:
    _choice(
        answer,
        right="c",
        hints={
            "a": "look at the dense curve: does it fall as fast as that of the loop?",
            "b": "half along x and half along y: how many windows are left together?",
            "d": "fewer windows are less work for the loop: its curve falls",
        },
    )


@exercise(
    hints=(
        "Pass (a, b) sees the image without its first a * step rows and b * step columns. Its scores are the "
        "rows a, a + passes, a + 2 * passes ... of the fine map.",
        "shifted = image[:, :, a * step :, b * step :]; fine[a::passes, b::passes] = ...",
    )
)
def check_finer_map(finer_map: Callable[[nn.Module, Tensor, int], Any]) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network = models.build("patch_net", width=4).eval()
    dense = models.dense(network)

    def compare(height: int, width: int, passes: int) -> tuple[np.ndarray, np.ndarray, Tensor]:
        pixels = np.random.default_rng(5).integers(0, 256, (height, width, 3), dtype=np.uint8)
        image = torch.from_numpy(pixels).permute(2, 0, 1)[None]
        right = detection.score_windows(network, pixels, dense.stride // passes)
        got = np.asarray(finer_map(dense, image, passes))
        assert got.shape == right.shape, (
            f"the map of {height} x {width} pixels with {passes} passes along each axis is {right.shape}, "
            f"yours is {got.shape}"
        )
        return got, right, image

    with torch.inference_mode():
        got, right, image = compare(86, 95, 2)  # here all passes have maps of one size
        if not _close(got, right):
            even, rows, columns = right[::2, ::2], *(side // 2 for side in right.shape)
            assert not _close(got, _swapped(dense, image)), (
                "a and b are swapped in one of the two places: a shifts rows (along y), b shifts columns"
            )
            assert not _close(got[:rows, :columns], even), (
                "the four maps lie side by side; their rows and columns must alternate: fine[a::passes, ...]"
            )
            repeated = _close(got[1::2, ::2], even) or _close(got[::2, 1::2], even)
            assert not repeated, (
                "two passes give the same scores: is the image really shifted, along y and along x?"
            )
        assert _close(got, right), (
            "the scores are not those of the window loop at stride 4; how far is pass (a, b) shifted?"
        )
        got, right, _ = compare(90, 77, 4)
        assert _close(got, right), (
            "2 passes along each axis are right, 4 are not; do not write 2 where passes or step is meant"
        )


@exercise(
    hints=(
        "From stride 8 to stride 2: how many shifts along x, how many along y?",
        "Shifts of 0, 2, 4 and 6 pixels along each axis, and every combination of the two.",
    )
)
def check_passes(passes: int) -> None:
    passes = int(number(passes, "passes")) if number(passes, "passes") % 1 == 0 else passes
    assert passes != 4, "4 shifts is right along x: 0, 2, 4 and 6 pixels. And along y?"
    assert passes not in (2, 64), (
        "the stride falls from 8 to 2: that is a quarter; count the shifts along one axis first"
    )
    assert passes == 16, f"{passes} is not the number of combinations of shifts along x and along y"


@exercise(
    hints=(
        "Three steps: scale 0 to 255 to numbers in [0, 1]; put the channels first; add one axis in front.",
        "np.transpose(..., (2, 0, 1)) moves the channels; [None] adds an axis; .astype(np.float32) converts.",
    )
)
def check_to_input(to_input: Callable[[np.ndarray], Any]) -> None:
    image = np.random.default_rng(1).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    image[0, 0] = 255, 128, 0
    image[0, 1] = 254
    right = np.transpose(image, (2, 0, 1))[None].astype(np.float32) / 255
    given = to_input(image)
    assert not isinstance(given, Tensor), "onnxruntime knows no torch: return a numpy array"
    got = numbers(given, "what to_input returns") if not isinstance(given, np.ndarray) else given
    assert got.ndim == 4, (
        f"a batch axis is missing or one too many: {got.shape}; the network takes (1, 3, H, W)"
    )
    assert got.shape != (1, 5, 7, 3), "channels come first: (1, 3, H, W)"
    assert got.shape == right.shape, (
        f"for an image of (5, 7, 3) the input is {right.shape}, yours is {got.shape}"
    )
    assert got.max() <= 1, (
        f"the largest value is {got.max():g}; the network was exported for numbers in [0, 1]"
    )
    assert got.dtype != np.uint8, (
        "the type is still uint8, so all shares between 0 and 1 are lost; convert first"
    )
    assert np.allclose(np.sort(got, axis=None), np.sort(right, axis=None), atol=1e-3), (
        f"the pixel {image[0, 0].tolist()} becomes {shown(got[0, :, 0, 0])}, expected "
        f"{shown(right[0, :, 0, 0])}: 0 to 255 becomes 0 to 1, and the shares between are kept"
    )
    assert np.allclose(got, right, atol=1e-3), (
        "the shape is right, but the pixels are mixed up: reshape does not move channels; transpose does"
    )
    assert got.dtype == np.float32, f"onnxruntime refuses {got.dtype} here; it wants float32"
    agree(
        to_input,
        lambda image: np.moveaxis(image, 2, 0)[None].astype(np.float32) / 255,
        _draw_pixels,
        within=1e-3,
    )


@exercise(
    hints=(
        "A box has four numbers: x0, y0, x1, y1. Which of them change when the picture moves to the right?",
        "boxes + [x, y, ..., ...]: both corners move.",
    )
)
def check_shift_boxes(shift_boxes: Callable[[np.ndarray, int, int], Any]) -> None:
    boxes = np.array([[10, 20, 40, 60], [0, 5, 30, 25]], np.float32)
    before = boxes.copy()
    got = np.asarray(shift_boxes(boxes, 800, 1600))
    assert np.array_equal(boxes, before), (
        "your function changes the boxes of the small scene; return new ones"
    )
    assert got.shape == boxes.shape, f"two boxes in, two boxes out, as (2, 4); yours is {got.shape}"
    width = got[:, 2] - got[:, 0]
    swapped = np.allclose(got - boxes, [1600, 800, 1600, 800])
    assert not swapped, "x and y are swapped: x0 and x1 move by x, y0 and y1 by y"
    assert np.allclose(width, [30, 30]), (
        f"the aircraft was 30 m wide and is {width[0]:g} m now: both corners must move"
    )
    assert np.allclose(got - boxes, [800, 1600, 800, 1600]), (
        "the box moves by (x, y); yours moves by something else"
    )
    empty = np.asarray(shift_boxes(np.zeros((0, 4), np.float32), 8, 8))
    assert empty.shape == (0, 4), "a scene without aircraft has boxes of shape (0, 4), and must keep it"
    agree(shift_boxes, lambda boxes, x, y: boxes + np.array([x, y, x, y], np.float32), _draw_boxes)


@exercise(
    hints=(
        "How many numbers are there? And how many bytes has one float32?",
        "channels * rows * columns numbers of 4 bytes; a megabyte is 1,000,000 bytes.",
    )
)
def check_megabytes(megabytes: Callable[[int, int, int], float]) -> None:
    got = number(megabytes(1, 1000, 1000), "megabytes(1, 1000, 1000)")
    assert not np.isclose(got, 4e6 / 2**20), "you divide by 1,024 * 1,024; here a megabyte is 1,000,000 bytes"
    assert got != 1, (
        "a million numbers are not a million bytes: float32 means 32 bits each, and a byte has 8 bits"
    )
    assert got != 32, "float32 has 32 bits; a byte has 8 of them"
    assert got != 4e6, "that is bytes; a megabyte is a million of them"
    assert np.isclose(got, 4), f"one channel of 1000 x 1000 float32 numbers takes 4 MB, not {got:g}"
    got = number(megabytes(32, 1998, 1998), "megabytes(32, 1998, 1998)")
    assert 500 < got < 520, (
        f"for 32 channels of 1998 x 1998 {got:g} MB is not right; are all channels counted?"
    )
    agree(
        megabytes,
        lambda *sides: math.prod(sides) * 4e-6,
        _draw_sides,
        within=1e-4,
        tell="a float32 has 4 bytes",
    )


def side_by_side(places: Sequence[Scene], *, across: int) -> Scene:
    """One large scene of equal squares, row by row, `across` in a row, with their boxes moved along.

    Aircraft cut off at the border of a place stay in `ignore`. Not a check: it spares the lesson the copying.
    """
    side, rows = places[0].width, -(-len(places) // across)
    image = np.zeros((side * rows, side * across, 3), np.uint8)
    boxes, ignore = [], []
    for position, place in enumerate(places):
        y, x = side * (position // across), side * (position % across)
        image[y : y + side, x : x + side] = place.image
        shift = np.array([x, y, x, y], np.float32)
        boxes.append(place.boxes + shift)
        ignore.append(place.ignore + shift)
    return Scene(
        image=image,
        boxes=np.concatenate(boxes),
        name=f"{len(places)} places",
        site="several",
        ignore=np.concatenate(ignore),
    )


def _draw_place(rng: np.random.Generator, size: int) -> tuple[int, int, int]:
    i, j, stride = rng.integers((0, 0, 1), (8 * size, 8 * size, 33)).tolist()
    return i, j, stride


def _draw_layer(rng: np.random.Generator, size: int) -> tuple[int, ...]:
    """Five different numbers, so that none can stand for another."""
    return tuple((1 + rng.permutation(4 + size)[:5]).tolist())


def _draw_pixels(rng: np.random.Generator, size: int) -> tuple[np.ndarray]:
    return (rng.integers(0, 256, (*rng.integers(1, 3 + size, 2), 3), dtype=np.uint8),)


def _draw_boxes(rng: np.random.Generator, size: int) -> tuple[np.ndarray, int, int]:
    low = rng.integers(0, 100, (int(rng.integers(0, 2 + size)), 2))
    boxes = np.concatenate([low, low + rng.integers(5, 60, low.shape)], axis=1).astype(np.float32)
    x, y = rng.permutation(4000)[:2].tolist()
    return boxes, x, y


def _draw_sides(rng: np.random.Generator, size: int) -> tuple[int, int, int]:
    channels, rows, columns = rng.integers((1, 200, 200), (8 * size + 1, 2000, 2000)).tolist()
    return channels, rows, columns


def _choice(answer: Any, *, right: str, hints: dict[str, str]) -> None:
    """A letter, upper or lower case."""
    letter = str(answer).strip().strip(")").lower()
    assert letter in {right, *hints}, f"answer with one letter, a to d, in quotes; this is {answer!r}"
    assert letter == right, f"not {letter}: {hints.get(letter)}"


def _pair(answer: Any) -> tuple[float, ...]:
    pair = numbers(answer, "what corner returns", "two numbers (x, y) are asked for")
    assert pair.shape == (2,), f"return (x, y), two numbers; the shape of yours is {pair.shape}"
    return tuple(pair.tolist())


def _close(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and bool(np.allclose(one, other, atol=1e-4))


def _swapped(network: nn.Module, image: Tensor) -> np.ndarray:
    """What a student gets at stride 4 who shifts the image along x where y is meant."""
    passes = [[network(image[:, :, 4 * b :, 4 * a :])[0].numpy() for b in range(2)] for a in range(2)]
    rows, columns = passes[0][0].shape
    fine = np.empty((2 * rows, 2 * columns), np.float32)
    for a in range(2):
        for b in range(2):
            fine[a::2, b::2] = passes[a][b]
    return fine
