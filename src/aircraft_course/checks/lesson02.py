"""Checks of lesson 2, convolutions: pixels, filters by hand, sizes, parameters, receptive field, scrambling.

An assert message is the hint for that mistake; students see it, so it never holds the bare answer.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from aircraft_course.checks.answers import explained, number, numbers, told, undisturbed
from aircraft_course.checks.core import exercise
from aircraft_course.checks.reference import agree, same


@exercise(
    hints=(
        "Three steps: numpy array to tensor, channels to the front, whole numbers 0..255 to fractions 0..1. "
        "A tensor's method permute(...) reorders its axes.",
        "torch.from_numpy(image) has the axes 0 = row, 1 = column, 2 = channel. The new order is "
        "channel, row, "
        "column: permute(2, 0, 1). Then float() and a division.",
    )
)
def check_to_tensor(to_tensor: Callable[[np.ndarray], Tensor]) -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    before = image.copy()
    tensor = to_tensor(image)
    assert isinstance(tensor, Tensor), f"return a torch tensor, not a {type(tensor).__name__}"
    assert tensor.shape != (3, 7, 5), (
        "the shape is (3, 7, 5): rows and columns are swapped, the picture lies down"
    )
    assert tensor.shape == (3, 5, 7), (
        f"an image of (5, 7, 3) became {tuple(tensor.shape)}; networks want channels first, then "
        "rows, columns"
    )
    assert tensor.is_floating_point(), f"the numbers are {tensor.dtype}; networks compute with float32"
    assert tensor.max() <= 1.01, f"the largest number is {float(tensor.max()):.0f}; scale 0..255 to 0..1"
    right = np.moveaxis(image, 2, 0) / 255
    reshaped = image.reshape(3, 5, 7) / 255
    found = tensor.detach().cpu().numpy()
    assert not np.allclose(found, reshaped, atol=1e-3), (
        "the shape is right, but the picture is torn: reshape only cuts the row of numbers anew; "
        "to reorder the axes use permute"
    )
    assert np.allclose(found, right, atol=1e-3), (
        "tensor[c, y, x] must be image[y, x, c] / 255; yours differs, compare a few pixels"
    )
    assert tensor.dtype == torch.float32, f"the numbers are {tensor.dtype}; networks compute with float32"
    assert np.array_equal(image, before), "your function changed the image itself; work on a copy"
    agree(
        to_tensor,
        lambda image: np.moveaxis(image, 2, 0) / 255,
        lambda rng, size: (rng.integers(0, 256, (*rng.integers(1, 2 + size, 2), 3), dtype=np.uint8),),
    )


@exercise(
    hints=(
        "uint8 has no room above 255. Where could you add instead? image.astype(int) makes a copy with room.",
        "Add in int, bring the sum into 0..255 with np.clip, and only then go back: .astype(np.uint8).",
    )
)
def check_brighten(brighten: Callable[[np.ndarray, int], np.ndarray]) -> None:
    image = np.array([[0, 10, 100], [155, 200, 255]], dtype=np.uint8)
    found = _array(brighten(image.copy(), 100))
    assert found.shape == image.shape, f"the image has the shape (2, 3), your result {found.shape}"
    assert found[0, 1] == 110, f"10 made brighter by 100 became {found[0, 1]}"
    assert found[1, 1] != 44, (
        "200 + 100 became 44: the sum wrapped around, since uint8 ends at 255; add in a larger type first"
    )
    assert found[1, 1] == 255, (
        f"200 + 100 became {found[1, 1]}; the brightest value that a pixel can have is 255"
    )
    assert found.dtype == np.uint8, f"a picture stays uint8, your result is {found.dtype}"
    darker = _array(brighten(image.copy(), -100))
    assert darker[0, 1] == 0, (
        f"10 - 100 became {darker[0, 1]}: a negative amount makes it darker, and no pixel goes below black"
    )
    assert np.array_equal(darker, [[0, 0, 0], [55, 100, 155]]), "darker by 100: some pixels are wrong"
    agree(
        brighten,
        lambda image, amount: np.clip(image.astype(int) + amount, 0, 255).astype(np.uint8),
        _draw_brighten,
        form=lambda answer: [_array(answer), str(_array(answer).dtype)],
    )


@exercise(
    hints=(
        "How many places has a window of 3 in a row of 5? Draw them. Then in a row of n, for a kernel of k.",
        "window = image[row : row + size, column : column + size]; multiply it by the kernel, cell by cell, "
        "and add all products: (window * kernel).sum(). There are H - size + 1 rows of output.",
    )
)
def check_cross_correlate(cross_correlate: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    rng = np.random.default_rng(0)
    for height, width, size in ((5, 5, 3), (6, 9, 3), (9, 6, 5), (4, 4, 1), (3, 3, 3)):
        image, kernel = rng.normal(size=(height, width)), rng.normal(size=(size, size))
        found = _array(cross_correlate(image.copy(), kernel.copy()))
        right = _correlate(image, kernel)
        what = f"an image of {height} x {width} with a kernel of {size}"
        assert found.shape != (height, width) or size == 1, (
            f"{what} gave {found.shape}: the window must stay inside the image, so the output is smaller"
        )
        assert found.shape != (height - size, width - size), (
            f"{what} gave {found.shape}: one row and one column too few; count the places of a "
            "window of 3 in 5"
        )
        assert found.shape == right.shape, f"{what} gave {found.shape}; count the rows, then the columns"
        flipped = _correlate(image, kernel[::-1, ::-1])
        assert np.allclose(found, right) or not np.allclose(found, flipped), (
            "you turned the kernel around first; here it lies on the image as it is (turning comes later)"
        )
        assert size == 1 or not np.allclose(found, right / size**2), (
            "your numbers are too small by the number of cells: add the products, do not take their mean"
        )
    agree(
        cross_correlate,
        _correlate,
        _draw_correlate,
        form=_array,
        within=1e-4,
        tell="window times kernel, cell by cell, then the sum of all",
    )


@exercise(
    hints=(
        "blur: all nine pixels count alike and the brightness stays. edges: right column minus left column. "
        "sharpen: strengthen the centre by what you take from its neighbours.",
        "Sums of the kernels: blur 1 (nine equal numbers), edges 0 (columns -1, 0, 1), sharpen 1 "
        "(for example "
        "-1 above, below, left and right, and in the centre what is missing to 1).",
    )
)
def check_kernels(blur: Any, edges: Any, sharpen: Any) -> None:
    nine = "an array of 3 x 3 numbers is asked for"
    blur, edges, sharpen = (
        numbers(kernel, name, nine)
        for name, kernel in (("blur", blur), ("edges", edges), ("sharpen", sharpen))
    )
    for name, kernel in (("blur", blur), ("edges", edges), ("sharpen", sharpen)):
        assert kernel.shape == (3, 3), f"{name} has the shape {kernel.shape}; all kernels here are 3 x 3"
    assert np.ptp(blur) < 1e-3, (
        "blur: a plain mean takes all nine pixels alike, so all nine numbers are equal"
    )
    assert abs(blur.sum() - 1) < 0.01, (
        f"blur: its numbers add up to {blur.sum():.3g}, so the picture becomes {blur.sum():.3g} "
        "times as bright; "
        "a mean divides by how many there are"
    )
    assert abs(edges.sum()) < 1e-6, (
        f"edges: on an even area it gives {edges.sum():g} times the brightness; it should give nothing there"
    )
    to_right = float(edges[:, 2].sum() - edges[:, 0].sum())  # the answer to an even rise
    downwards = float(edges[2].sum() - edges[0].sum())
    assert abs(to_right) > 1e-6 or abs(downwards) < 1e-6, (
        "edges: yours finds horizontal edges; a vertical edge is a difference between left and right"
    )
    assert abs(to_right) > 1e-6, "edges: what is brighter on the right than on the left must give more than 0"
    assert abs(downwards) < 1e-6, "edges: it also answers to horizontal edges; let each row add up to 0"
    assert to_right > 0, (
        "edges: the sign is the other way round: positive where the picture becomes brighter "
        "from left to right"
    )
    assert abs(sharpen.sum()) > 1e-6, (
        "sharpen: its numbers add up to 0, so an even area turns black: that finds edges; "
        "a sharpened picture keeps its brightness"
    )
    assert abs(sharpen.sum() - 1) < 0.01, (
        f"sharpen: its numbers add up to {sharpen.sum():.3g}; the brightness stays only when they add up to 1"
    )
    around = np.delete(sharpen.ravel(), 4)
    fits = sharpen[1, 1] > 1 and (around <= 1e-9).all() and np.allclose(sharpen, sharpen[::-1, ::-1])
    assert fits, "sharpen: a centre above 1, and the same negative numbers on opposite sides of it"


@exercise(
    hints=(
        "What does kernel[::-1] do? And kernel[:, ::-1]? You need a half turn: both at once.",
        "A true convolution is a cross-correlation with the turned kernel: "
        "filtered(image, kernel[::-1, ::-1]).",
    )
)
def check_convolve(convolve: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> None:
    rng = np.random.default_rng(1)
    image, kernel = rng.normal(size=(7, 9)), rng.normal(size=(3, 3))
    found = _array(convolve(image.copy(), kernel.copy()))
    right = _correlate(image, kernel[::-1, ::-1])
    assert found.shape == right.shape, f"7 x 9 with a kernel of 3 gives 5 x 7, yours is {found.shape}"
    mistakes = {
        "this is the cross-correlation: the kernel must be turned first": kernel,
        "turned upside down, yes, but left and right must change places as well": kernel[::-1],
        "left and right changed places, yes, but top and bottom must as well": kernel[:, ::-1],
        "you mirrored the kernel at its diagonal; it needs a half turn": kernel.T,
        "that is a quarter turn; it needs a half turn": np.rot90(kernel),
    }
    for words, wrong in mistakes.items():
        assert not np.allclose(found, _correlate(image, wrong), atol=1e-4), words
    assert np.allclose(found, right, atol=1e-4), (
        "the numbers differ from a true convolution; turn only the kernel"
    )
    agree(
        convolve,
        lambda image, kernel: _correlate(image, kernel[::-1, ::-1]),
        _draw_correlate,
        form=_array,
        within=1e-4,
    )


@exercise(
    hints=(
        "The window covers `kernel` pixels of size + 2 * padding. How many pixels are left to "
        "walk over? How many "
        "steps of `stride` fit into them? And the place where it starts is a place as well.",
        "1 + (size + 2 * padding - kernel) // stride",
    )
)
def check_output_size(output_size: Callable[..., int]) -> None:
    plain = ((5, 3, 1, 0), (28, 5, 1, 0), (28, 3, 1, 1), (7, 3, 2, 0), (8, 3, 2, 0), (32, 5, 1, 2))
    cases = (*plain, (64, 7, 2, 3), (14, 2, 2, 0), (15, 2, 2, 0), (30, 4, 3, 1))
    whats = [f"size {a}, kernel {k}, stride {s}, padding {p}" for a, k, s, p in cases]
    found = [
        number(output_size(size, kernel, stride=stride, padding=padding), what, "a whole number is asked for")
        for what, (size, kernel, stride, padding) in zip(whats, cases, strict=True)
    ]
    right = [_places(*case) for case in cases]
    other = next((k for k in range(len(cases)) if found[k] != right[k]), 0)
    what = f"{whats[other]} gave {found[other]}"
    explained(
        found,
        right,
        {
            f"{what}: padding is put on both sides, so it counts twice": [
                (size + padding - kernel) // stride + 1 for size, kernel, stride, padding in cases
            ],
            f"{what}: padding is forgotten; it makes the image larger on both sides": [
                (size - kernel) // stride + 1 for size, kernel, stride, padding in cases
            ],
            f"{what}: one too few; the place where the window starts counts as well": [
                places - 1 for places in right
            ],
            f"{what}: the stride is forgotten; the window jumps": [
                size + 2 * padding - kernel + 1 for size, kernel, stride, padding in cases
            ],
            f"{what}: the stride counts in steps; the place where the window starts is one place more": [
                (size + 2 * padding - kernel + 1) // stride for size, kernel, stride, padding in cases
            ],
        },
    )
    for what, told_, places in zip(whats, found, right, strict=True):
        assert float(told_).is_integer(), (
            f"{what} gave {told_}: there is no half place; the last step is left out when it does not fit"
        )
        assert told_ == places, f"{what} gave {told_}; draw it and count the places of the window"
    agree(output_size, _places, _draw_places)
    agree(
        lambda size, kernel: output_size(size, kernel),
        _places,
        lambda rng, size: _draw_places(rng, size)[:2],
        name="output_size",
    )


@exercise(
    hints=(
        "How many blocks of `size` fit into the height? And into the width? Where does block "
        "(row, column) start?",
        "block = image[row * size : (row + 1) * size, column * size : (column + 1) * size], and "
        "then block.max().",
    )
)
def check_max_pool(max_pool: Callable[..., np.ndarray]) -> None:
    rng = np.random.default_rng(2)
    for height, width, size in ((4, 4, 2), (4, 6, 2), (5, 7, 2), (9, 6, 3)):
        image = rng.normal(size=(height, width)) - 3  # all negative: a start at 0 shows
        found = _array(max_pool(image.copy(), size))
        tensor = torch.from_numpy(image)[None]
        right = functional.max_pool2d(tensor, size)[0].numpy()
        what = f"an image of {height} x {width} with blocks of {size}"
        assert found.shape != (height - size + 1, width - size + 1), (
            f"{what} gave {found.shape}: blocks do not overlap; each one starts where the last one ended"
        )
        assert found.shape == right.shape, (
            f"{what} gave {found.shape}; what does not fill a block is left out"
        )
        mean = functional.avg_pool2d(tensor, size)[0].numpy()
        assert not np.allclose(found, mean), (
            "you take the mean of each block; here we want its largest number"
        )
        assert not np.allclose(found, np.maximum(right, 0)), (
            "blocks of negative numbers gave 0; the largest of -3 and -5 is -3"
        )
    agree(max_pool, _max_pool, _draw_pool, form=_array, tell="the largest of each block")
    agree(max_pool, _max_pool, lambda rng, size: (rng.normal(size=(4, 6)).round(1),), form=_array)


@exercise(
    hints=(
        "One filter first: how many numbers has its kernel for one channel? For all input "
        "channels? Then its bias.",
        "(kernel * kernel * inputs + 1) * outputs",
    )
)
def check_conv_parameters(conv_parameters: Callable[[int, int, int], int]) -> None:
    cases = ((1, 1, 3), (3, 32, 3), (1, 32, 3), (10, 25, 5), (32, 64, 1))
    whats = [f"{i} channels in, {o} filters of {k} x {k}" for i, o, k in cases]
    found = [
        number(conv_parameters(*case), what, "a whole number is asked for")
        for what, case in zip(whats, cases, strict=True)
    ]
    right = [_conv_count(*case) for case in cases]
    other = next((k for k in range(len(cases)) if found[k] != right[k]), 0)
    what = f"{whats[other]}: {found[other]}"
    explained(
        found,
        right,
        {
            f"{what} counts the weights; each filter has a bias as well": [
                k * k * i * o for i, o, k in cases
            ],
            f"{what} has one bias in all; each filter has its own": [k * k * i * o + 1 for i, o, k in cases],
            f"{what}: a filter has a kernel for each input channel; look at the drawing of red, green and "
            "blue": [(k * k + 1) * o for _, o, k in cases],
            f"{what} has a bias for each kernel; the three sums are added first, then comes one bias a "
            "filter": [(k * k + 1) * i * o for i, o, k in cases],
            f"{what} has a bias for each input channel; it is one for each filter": [
                k * k * i * o + i for i, o, k in cases
            ],
            f"{what}: a kernel has kernel x kernel weights, in two directions": [
                (k * i + 1) * o for i, o, k in cases
            ],
        },
    )
    for what, told_, count in zip(whats, found, right, strict=True):
        assert told_ == count, f"{what}: {told_}; nn.Conv2d has another number"
    agree(
        undisturbed(conv_parameters),
        _conv_count,
        lambda rng, size: tuple(rng.integers(1, 2 + size, 3).tolist()),
    )


@exercise(
    hints=(
        "Follow the shape: 1 x 28 x 28, then with padding 1 it is 32 x 28 x 28, then the pool "
        "halves the sides. "
        "How many numbers go into the dense layer?",
        "A dense layer has inputs * outputs weights and one bias for each output. Its inputs here: "
        "32 * 14 * 14 in the first, 128 in the second.",
    )
)
def check_grey_net(convolution: Any, dense: Any, output: Any) -> None:
    whole = "one number is asked for, of weights and biases"
    convolution = number(convolution, "convolution", whole)
    dense, output = number(dense, "dense", whole), number(output, "output", whole)
    assert convolution != 288, "convolution: 288 weights, and the biases of the 32 filters are missing"
    assert convolution == _conv_count(1, 32, 3), (
        f"convolution: {convolution} is not right; use your function for 1 channel in and 32 filters of 3 x 3"
    )
    assert dense != 32 * 13 * 13 * 128 + 128, (
        "dense: you count 13 x 13 places; with padding 1 the convolution keeps 28 x 28, and the "
        "pool halves that"
    )
    assert dense != 14 * 14 * 128 + 128, "dense: 14 x 14 places, yes, but there are 32 maps of them"
    assert dense != 32 * 28 * 28 * 128 + 128, "dense: the pool comes before; it halves height and width"
    assert dense != 32 * 14 * 14 * 128, (
        "dense: all weights are there, the biases of the 128 neurons are missing"
    )
    assert dense == (32 * 14 * 14 + 1) * 128, (
        f"dense: {dense:,} is not right; how many numbers come out of the pool?"
    )
    assert output != 1280, "output: 1,280 weights, and the biases of the 10 neurons are missing"
    assert output == 129 * 10, f"output: {output:,} is not right; 128 numbers go in, 10 come out"


@exercise(
    hints=(
        "Follow the side: 32, with a 5x5 kernel without padding 28, pooled 14, and so on. It ends at 1.",
        "Sides: 32, 28, 14, 10, 5, 2, 1. So nn.Flatten() leaves 100 numbers, and the last layer is "
        "nn.Linear(100, 10). Convolutions: (1, 10, 5), (10, 25, 5), (25, 100, 4).",
    )
)
def check_small_net(small_net: Callable[[], nn.Module]) -> None:
    network = undisturbed(small_net)()
    assert isinstance(network, nn.Module), f"return the network; yours returns {told(network)}"
    if _is_small_net(network):  # however it is written
        return
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == 3, f"three convolutions are asked for, yours has {len(convolutions)}"
    for layer, channels, filters, size, word in zip(
        convolutions, (1, 10, 25), (10, 25, 100), (5, 5, 4), ("first", "second", "third"), strict=True
    ):
        assert layer.in_channels in (0, channels), (  # 0: nn.LazyConv2d, which counts them itself
            f"input channels of the {word} convolution: yours has {layer.in_channels}, it needs {channels}; "
            "the image has one channel, and each convolution gives one channel for each of its filters"
        )
        assert layer.out_channels == filters, f"the {word} convolution has {layer.out_channels} filters"
        assert layer.kernel_size == (size, size), (
            f"the kernel of the {word} convolution is {layer.kernel_size[0]} x "
            f"{layer.kernel_size[1]}; read again"
        )
        assert layer.bias is not None, f"the {word} convolution has no bias; leave it at its default"
        assert layer.padding in ((0, 0), 0, "valid"), f"the {word} convolution is padded; none is, here"
    pools = sum(isinstance(layer, nn.MaxPool2d) for layer in network.modules())
    assert pools == 3, f"there are {pools} pools; a pool of 2 x 2 follows each of the three convolutions"
    active = sum(isinstance(layer, nn.ReLU) for layer in network.modules())
    assert active == 3, (
        f"there are {active} ReLUs; one follows each convolution: without it, convolutions in a "
        "row are no more "
        "than one convolution"
    )
    last = [layer for layer in network.modules() if not any(layer.children())][-1]
    assert isinstance(last, nn.Linear), (
        f"the last layer is {type(last).__name__}; the network ends with the dense layer: the loss wants "
        "plain scores"
    )
    try:
        shape = tuple(network(torch.zeros(2, 1, 32, 32)).shape)
    except RuntimeError as error:
        raise AssertionError(
            f"the layers do not fit together ({error}); follow the side of the image: how many numbers "
            "arrive at the dense layer, and is there a Flatten before it?"
        ) from None
    assert shape == (2, 10), f"two images of 1 x 32 x 32 gave the shape {shape}; wanted: 10 scores for each"
    count = sum(parameter.numel() for parameter in network.parameters())
    assert count == 47645, f"your network has {count:,} parameters; is there a layer too many?"
    raise AssertionError(
        "the layers are all there, but their result is another one; is their order right, each stride 1, "
        "each pool 2 x 2, and nothing else between them?"
    )


@exercise(
    hints=(
        "Keep two numbers: `field`, how many pixels are seen, and `jump`, how many pixels lie "
        "between neighbours. "
        "At the start both are 1. What does a kernel of 3 add when neighbours are `jump` pixels apart?",
        "For each layer: first field += (kernel - 1) * jump, and then jump *= stride. The order matters.",
    )
)
def check_receptive_field(receptive_field: Callable[[Sequence[tuple[int, int]]], int]) -> None:
    cases: tuple[tuple[str, list[tuple[int, int]]], ...] = (
        ("a pixel without any layer", []),
        ("one convolution 3", [(3, 1)]),
        ("two convolutions 3", [(3, 1), (3, 1)]),
        ("pool 2, then convolution 3", [(2, 2), (3, 1)]),
        ("convolution 3, pool 2, convolution 3", [(3, 1), (2, 2), (3, 1)]),
        ("convolution 5 with stride 2, pool 2, convolution 3, pool 2", [(5, 2), (2, 2), (3, 1), (2, 2)]),
    )
    found = [
        number(receptive_field(list(layers)), what, "a whole number is asked for") for what, layers in cases
    ]
    right = [_field(layers) for _, layers in cases]
    other = next((k for k in range(len(cases)) if found[k] != right[k]), 0)
    what = f"{cases[other][0]}: {found[other]}"
    overlap = f"{what}; a kernel of 3 adds only 2 new pixels, since the windows overlap"
    spread = f"{what}; after a stride of 2, neighbours lie 2 pixels apart, so each step adds more pixels"
    late = f"{what}; a layer's stride spreads the layers after it, not the layer itself"
    product = f"{what}; after two strides of 2, neighbours lie 4 pixels apart: each stride multiplies"
    mistakes: tuple[tuple[str, Callable[[list[tuple[int, int]]], int]], ...] = (
        (overlap, lambda layers: sum(kernel for kernel, _ in layers) or 1),
        (overlap, lambda layers: sum(kernel for kernel, _ in layers) + 1),
        (overlap, lambda layers: _field([(kernel + 1, stride) for kernel, stride in layers])),
        (spread, lambda layers: 1 + sum(kernel - 1 for kernel, _ in layers)),
        (late, lambda layers: _field(layers, early=True)),
        (product, lambda layers: _field(layers, adds=True)),
    )
    for hint, wrong in mistakes:
        explained(found, right, {hint: [wrong(layers) for _, layers in cases]})
    for (what, _), told_, field in zip(cases, found, right, strict=True):
        assert told_ == field, f"{what}: {told_}; draw it as in the figure and count the pixels at the bottom"
    agree(receptive_field, _field, _draw_layers)


@exercise(
    hints=(
        "Follow the side: 28, a convolution of 3 without padding, another one, then the pool.",
        "28, 26, 24, and the pool makes 12. There are 64 maps of 12 x 12.",
    )
)
def check_features(features: Any) -> None:
    assert not isinstance(features, tuple | list | np.ndarray) or np.size(features) == 1, (
        f"features is {told(features)}; one number is asked for: how many there are in all"
    )
    features = number(features, "features", "one number is asked for, how many there are in all")
    assert features != 64 * 24 * 24, (
        "36,864 numbers come out of the second convolution; the pool comes after it"
    )
    assert features != 64 * 14 * 14, "you kept 28 x 28 through the convolutions; these two have no padding"
    assert features != 64 * 13 * 13, "the two convolutions take 2 pixels each, together 4; you took 2"
    assert features != 12 * 12, "12 x 12 places, yes; how many maps are there?"
    assert features != 32 * 12 * 12, (
        "12 x 12 places, yes; but the second convolution has another number of maps"
    )
    assert features == 9216, f"{features:,} is not right; follow height and width through the layers"
    assert isinstance(features, int), (
        "9216 is right, but 9216.0 is no whole number for Python, and a layer needs one: divide with //, or "
        "leave the point away"
    )


@exercise(
    hints=(
        "With h hidden neurons the MLP has (inputs + 1) * h + (h + 1) * outputs parameters. Solve for h.",
        "h * (inputs + 1 + outputs) + outputs <= parameters. Round down with //.",
    )
)
def check_hidden_units(hidden_units: Callable[[int, int, int], int]) -> None:
    for inputs, outputs, hidden, spare in (
        (3, 2, 4, 0),
        (3072, 2, 18, 1850),
        (784, 10, 100, 5),
        (10, 3, 7, 13),
    ):
        parameters = (inputs + 1) * hidden + (hidden + 1) * outputs + spare
        what = f"{parameters:,} parameters, {inputs:,} inputs, {outputs} outputs"
        found = number(
            hidden_units(parameters, inputs, outputs), f"{what}: your answer", "a whole number is asked for"
        )
        what = f"{what} gave {found}"
        assert float(found).is_integer(), f"{what}: there is no half neuron; round down"
        has = (inputs + 1) * found + (found + 1) * outputs
        assert has <= parameters, (
            f"{what}: that MLP has {has:,} parameters, too many; do all weights and all biases count?"
        )
        assert found == hidden, (
            f"{what}: one more neuron would fit; count the parameters of one hidden neuron"
        )
    agree(
        hidden_units,
        lambda parameters, inputs, outputs: (parameters - outputs) // (inputs + 1 + outputs),
        _draw_budget,
    )


@exercise(
    hints=(
        "First write each channel as one long row: images.flatten(2) has the shape (N, C, H * "
        "W). Then put the "
        "pixels in the new order, the same for all, and give the shape back.",
        "images.flatten(2)[:, :, order].reshape(images.shape)",
    )
)
def check_scramble(scramble: Callable[[Tensor, Tensor], Tensor]) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(5, 3, 4, 6, generator=generator)
    order = torch.randperm(24, generator=generator)
    found = scramble(images.clone(), order)
    assert isinstance(found, Tensor), f"return a tensor, not a {type(found).__name__}"
    assert found.shape == images.shape, (
        f"images of {tuple(images.shape)} became {tuple(found.shape)}; give them their shape back"
    )
    again = scramble(images.clone(), order)
    assert torch.equal(found, again), "two calls gave two results: use `order`, do not draw a new one"
    assert not torch.equal(found, images), "nothing was scrambled"
    same = found.sort(0).values.equal(images.sort(0).values)
    assert not same, "you changed the order of the images; the pixels inside each image should move"
    moved = found.flatten(2)
    kept = moved.sort(2).values.equal(images.flatten(2).sort(2).values)
    assert kept, "a pixel got lost, or moved to another channel or image; only its place in its image changes"
    right = images.flatten(2)[:, :, order].reshape(images.shape)
    back = images.flatten(2)[:, :, order.argsort()].reshape(images.shape)
    assert not torch.equal(found[0], back[0]), (
        "the other way round: yours moves pixel k to place order[k]; place k must show what was at order[k]"
    )
    assert torch.equal(found[0], right[0]), (
        "place k must show what was at place order[k], counted along the rows; your pixels moved otherwise"
    )
    assert torch.equal(found, right), (
        "the first image is right, the others are not: all images get the same new order"
    )
    agree(
        scramble,
        lambda images, order: images.flatten(2)[:, :, order].reshape(images.shape),
        _draw_pixels,
        name="scramble",
    )


def _conv_count(inputs: int, outputs: int, kernel: int) -> int:
    """The parameters of a square convolution with bias."""
    return (kernel * kernel * inputs + 1) * outputs


def _correlate(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(image, kernel.shape)
    return (windows * kernel).sum(axis=(2, 3))


def _field(layers: Sequence[tuple[int, int]], *, early: bool = False, adds: bool = False) -> int:
    """The receptive field of (kernel, stride).

    early, adds: with the mistakes of counting a stride too soon, and of adding strides.
    """
    field = jump = 1
    for kernel, stride in layers:
        wider = jump + stride - 1 if adds else jump * stride
        field += (kernel - 1) * (wider if early else jump)
        jump = wider
    return field


def _array(answer: Any) -> np.ndarray:
    """Numbers in the kind that they have: the check looks at it."""
    asked = "an array of numbers is asked for"
    assert answer is not None, f"your function returns None; {asked}: is the line `return` missing?"
    numbers(answer, "what you return", asked)
    return answer.detach().cpu().numpy() if isinstance(answer, Tensor) else np.asarray(answer)


def _draw_brighten(rng: np.random.Generator, size: int) -> tuple[np.ndarray, int]:
    shape = rng.integers(1, 2 + size, 2 if rng.random() < 0.8 else 3)
    image = rng.choice([0, 1, 40, 100, 128, 200, 254, 255], shape).astype(np.uint8)
    return image, int(rng.integers(-300, 301))


def _draw_correlate(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    kernel = int(rng.integers(1, 3 + size // 3))
    sides = kernel + rng.integers(0, 2 + size, 2)
    return rng.integers(-4, 5, sides).astype(float), rng.integers(-4, 5, (kernel, kernel)).astype(float)


def _places(size: int, kernel: int, stride: int = 1, padding: int = 0) -> int:
    return len(range(0, size + 2 * padding - kernel + 1, stride))


def _draw_places(rng: np.random.Generator, size: int) -> tuple[int, int, int, int]:
    kernel, stride, padding = int(rng.integers(1, 8)), int(rng.integers(1, 5)), int(rng.integers(0, 4))
    return kernel + int(rng.integers(0, 5 * size)), kernel, stride, padding


def _max_pool(image: np.ndarray, size: int = 2) -> np.ndarray:
    rows, columns = image.shape[0] // size, image.shape[1] // size
    return image[: rows * size, : columns * size].reshape(rows, size, columns, size).max(axis=(1, 3))


def _draw_pool(rng: np.random.Generator, size: int) -> tuple[np.ndarray, int]:
    """At least one whole block: without, libraries differ."""
    block = int(rng.integers(1, 4))
    image = rng.normal(size=block + rng.integers(0, 3 + size, 2)) * 3 - 1
    return image.round(1), block


def _is_small_net(network: nn.Module) -> bool:
    """Whether it computes what the layers of exercise 10 do with its weights, whatever it is built of."""
    images = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(0)) * 4 - 2
    shapes = [(10, 1, 5, 5), (10,), (25, 10, 5, 5), (25,), (100, 25, 4, 4), (100,), (10, 100), (10,)]
    try:
        with torch.no_grad():
            found = undisturbed(network.forward)(images)
    except Exception:  # what does not fit is told by the asserts
        return False
    weights = list(network.parameters())
    if [tuple(weight.shape) for weight in weights] != shapes or not isinstance(found, Tensor):
        return False
    x = images
    with torch.no_grad():
        for k in (0, 2, 4):
            x = functional.max_pool2d(functional.conv2d(x, weights[k], weights[k + 1]).relu(), 2)
        return same(found, functional.linear(x.flatten(1), weights[6], weights[7]), 1e-4)


def _draw_layers(rng: np.random.Generator, size: int) -> tuple[list[tuple[int, int]]]:
    count = int(rng.integers(0, 2 + size))
    return ([(int(rng.integers(1, 8)), int(rng.integers(1, 4))) for _ in range(min(count, 6))],)


def _draw_budget(rng: np.random.Generator, size: int) -> tuple[int, int, int]:
    inputs, outputs, hidden = (int(rng.integers(1, 3 + 3 * size)) for _ in range(3))
    spare = int(rng.choice([0, inputs + outputs, int(rng.integers(0, inputs + outputs))]))
    return (inputs + 1) * (hidden - 1) + hidden * outputs + spare, inputs, outputs


def _draw_pixels(rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
    shape = rng.integers(1, 2 + (1 + size) // 2, 4).tolist()
    images = torch.from_numpy(rng.permutation(int(np.prod(shape))).reshape(shape).astype(np.float32))
    return images, torch.from_numpy(rng.permutation(shape[2] * shape[3]))
