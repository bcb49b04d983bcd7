# ---
# aircraft:
#   title: Fully convolutional
#   minutes: 60
#   can_do: score all windows of an image in one pass and count aircraft in a 4,000 x 4,000 scene
#   gpu: true
#   extras: [onnx]
# ---

# %% [markdown]
# # 8. Fully convolutional
#
# After this lesson you can turn a classifier of patches into a network that scores **all windows of an image
# in one pass**, prove that the scores are the same, say how much work you saved, and count the aircraft in a
# scene of 4,000 × 4,000 pixels.
#
# **60 minutes**, the last of the course. You need lesson 2 (convolutions), lesson 5 (the imbalanced set) and
# lesson 7 (sliding window). Every cell runs on two CPU cores; a GPU is pleasant, not necessary.

# %% tags=["setup"]

# %%
import copy
import tempfile
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import onnxruntime
import torch
from torch import nn

from aircraft import datasets, detection, models, plotting, training
from aircraft.datasets import synthetic
from aircraft_course import lessons, standins
from aircraft_course.checks.lesson08 import (
    check_corner, check_finer_map, check_kernels, check_linear_to_conv, check_looks, check_megabytes,
    check_multiplications, check_padding, check_passes, check_shift_boxes, check_stride_choice,
    check_to_input, check_toy_dense, side_by_side,
)
from aircraft_course.drawings import lesson08 as drawings

# %% [markdown]
# ## 1. The same pixels, again and again
#
# In lesson 7 you moved a window over the image and ran the network once for each position. It works, but it
# is slow. Look at two neighbouring windows, and then at one single pixel.

# %%
tiles = datasets.load_tiles(count=lessons.budget(36, 6), progress=False)
crowded = max(tiles, key=lambda tile: len(tile.boxes))
x, y = np.clip(crowded.centers[0].astype(int) - 80, 0, 512 - 160)
figure = drawings.overlapping_windows(crowded.image[y : y + 160, x : x + 160], stride=8)

# %% [markdown]
# **What to notice.** Left: a window (yellow) and its right neighbour (blue, dashed), 8 pixels further. What
# both see is shaded: nearly everything. Right: all windows that contain the pixel under the white dot; two of
# them are drawn boldly. The network runs for every one of these windows, and each time it computes the same
# edges and corners around this pixel.

# %% [markdown]
# ### Exercise 1 (3 min, easy): how often is a pixel seen?
# In the middle of a large image, how many windows of 64 × 64 contain one given pixel, when the windows are
# `stride` pixels apart along both axes? (The strides here divide 64.)

# %% tags=["wrong"]
# hint: along x
def looks(stride):
    return 64 // stride

# %% tags=["wrong"]
# hint: divides twice
def looks(stride):
    return 64 * 64 // stride

# %% tags=["right"]
def looks(stride):
    return (64 / stride) ** 2

# %% name="looks" tags=["exercise"]
def looks(stride):
    """How many windows of 64 x 64 contain a pixel, when windows are `stride` pixels apart."""
    # BEGIN SOLUTION
    return (64 // stride) * (64 // stride)
    # END SOLUTION

# %% tags=["check"]
check_looks(looks)

# %% [markdown]
# Do you need help? Write `check_looks.hint()` into a cell of your own: the first call gives a first step, the
# second call nearly the answer. All checks of this lesson can do that.
#
# **The idea of this lesson:** a convolution does the same thing at every place. So run the convolutions
# **once over the whole image**, and let all windows share the result. Only one thing is in the way: the
# linear layers at the end.

# %% [markdown]
# ## 2. A linear layer is a convolution
#
# A linear layer wants a fixed number of inputs, so the network takes windows of one size only. Here is the
# trick. Four features *a, b, c, d* of a window go into one neuron with the weights *w1 ... w4*:

# %%
figure = drawings.linear_as_convolution()

# %% [markdown]
# **What to notice.** Left: `Flatten` writes the features into one column; `Linear` multiplies each by its
# weight and adds up. Middle: the same products and the same sum, without flattening: the weights lie on the
# features like the kernel of a convolution. Right: a kernel can move. On a larger feature map it gives the
# neuron's answer **at every position**.

# %% [markdown]
# ### Exercise 2 (6 min, medium): convert a linear layer
# `Flatten` writes channel by channel, each of them row by row. The weight of a linear layer has the shape
# `(outputs, channels * side * side)`; that of a convolution `(outputs, channels, side, side)`. Fill in what
# has to be copied.

# %% tags=["wrong"]
# hint: off by a constant
def linear_to_conv(linear, channels, side):
    conv = nn.Conv2d(channels, linear.out_features, kernel_size=side)
    with torch.no_grad():
        conv.weight.copy_(linear.weight.reshape(linear.out_features, channels, side, side))
    return conv

# %% tags=["wrong"]
# hint: channel by channel
def linear_to_conv(linear, channels, side):
    conv = nn.Conv2d(channels, linear.out_features, kernel_size=side)
    with torch.no_grad():
        weight = linear.weight.reshape(linear.out_features, side, side, channels)
        conv.weight.copy_(weight.permute(0, 3, 1, 2))
        conv.bias.copy_(linear.bias)
    return conv

# %% tags=["wrong"]
# hint: not those of the linear layer
def linear_to_conv(linear, channels, side):
    return nn.Conv2d(channels, linear.out_features, kernel_size=side)

# %% tags=["right"]
def linear_to_conv(linear, channels, side):
    conv = nn.Conv2d(channels, linear.out_features, kernel_size=side)
    conv.weight = nn.Parameter(linear.weight.detach().unflatten(1, (channels, side, side)))
    conv.bias = linear.bias
    return conv

# %% name="linear_to_conv" tags=["exercise"]
def linear_to_conv(linear, channels, side):
    """A convolution that gives what `linear` gives for flattened features of (channels, side, side)."""
    conv = nn.Conv2d(channels, linear.out_features, kernel_size=side)
    with torch.no_grad():  # copying weights is not a step of training
        # BEGIN SOLUTION
        # STUB
        # conv.weight.copy_(...)  # TODO: the weights of `linear`, in the shape of a kernel
        # conv.bias.copy_(...)  # TODO
        conv.weight.copy_(linear.weight.reshape(linear.out_features, channels, side, side))
        conv.bias.copy_(linear.bias)
        # END SOLUTION
    return conv

# %% tags=["check"]
check_linear_to_conv(linear_to_conv)

# %% [markdown]
# ## 3. `toy_cnn` without its window
#
# Now the network that you wrote in lesson 3. For this part the weights do not matter: what holds for random
# weights holds for trained ones. So nothing is trained yet. The shapes after each layer, for one window:

# %%
torch.manual_seed(0)
toy = models.build("toy_cnn").eval()
features = torch.zeros(1, 3, 64, 64)
for layer in toy.layers:
    features = layer(features)
    if not isinstance(layer, nn.ReLU):
        print(f"{type(layer).__name__:10} {tuple(features.shape[1:])}")

# %% [markdown]
# ### Exercise 3 (2 min, easy): two kernels
# Both `Linear` layers become convolutions. How large are their kernels? Write the two sides as
# `(first, second)`.

# %% tags=["wrong"]
# hint: after two pools
kernels = (64, 1)

# %% tags=["wrong"]
# hint: how many positions
kernels = (12, 12)

# %% tags=["right"]
kernels = [12, 1]

# %% name="kernels" tags=["exercise"]
kernels = (12, 1)  # SOLUTION

# %% tags=["check"]
check_kernels(kernels)

# %% [markdown]
# ### Exercise 4 (7 min, medium): the dense form of `toy_cnn`
# Such a network is called **fully convolutional**, or *dense*: it gives an answer at every position. Go
# through `network.layers` in order, and build a new list: leave `Flatten` out, convert each `Linear` with
# your function, keep everything else. The two sides are those of exercise 3; `layer.in_features` tells you
# which of the two linear layers it is.

# %% tags=["wrong"]
# hint: a Flatten is left
def toy_dense(network):
    layers = [network.normalize]
    side = 12
    for layer in network.layers:
        if isinstance(layer, nn.Linear):
            layers.append(linear_to_conv(layer, layer.in_features // side**2, side))
            side = 1
        else:
            layers.append(layer)
    return nn.Sequential(*layers)

# %% tags=["wrong"]
# hint: 0 of 6 ReLU
def toy_dense(network):
    layers = [network.normalize]
    side = 12
    for layer in network.layers:
        if isinstance(layer, nn.Linear):
            layers.append(linear_to_conv(layer, layer.in_features // side**2, side))
            side = 1
        elif isinstance(layer, (nn.Conv2d, nn.MaxPool2d)):
            layers.append(layer)
    return nn.Sequential(*layers)

# %% tags=["wrong"]
# hint: begins with network.normalize
def toy_dense(network):
    first = linear_to_conv(network.layers[-3], 32, 12)
    second = linear_to_conv(network.layers[-1], 64, 1)
    return nn.Sequential(*network.layers[:-4], first, nn.ReLU(), second)

# %% tags=["right"]
def toy_dense(network):
    first, second = [layer for layer in network.layers if isinstance(layer, nn.Linear)]
    linears = [linear_to_conv(first, 32, 12), nn.ReLU(), linear_to_conv(second, 64, 1)]
    return nn.Sequential(network.normalize, *network.layers[:-4], *linears)

# %% name="toy_dense" tags=["exercise"]
def toy_dense(network):
    """toy_cnn as a fully convolutional network: (1, 3, H, W) -> (1, 1, rows, columns)."""
    layers = [network.normalize]  # scales the pixels, as before
    for layer in network.layers:
        # BEGIN SOLUTION
        if isinstance(layer, nn.Linear):
            side = 12 if layer.in_features == 4608 else 1
            layer = linear_to_conv(layer, channels=layer.in_features // side**2, side=side)
        if not isinstance(layer, nn.Flatten):
            layers.append(layer)
        # END SOLUTION
    return nn.Sequential(*layers)

# %% tags=["check"]
check_toy_dense(toy_dense)

# %% [markdown]
# Such a network takes images of any size. What comes out? The package has the same as your `toy_dense`:
# `models.dense`, for every network that allows it. (`lessons.use` takes your function when its check said ✅, else
# the package's, and then says so.)

# %%
dense_toy = lessons.use(check_toy_dense, toy_dense, models.dense)(toy)

def dense_map(image):
    """(rows, columns) scores of one image (1, 3, H, W)."""
    with torch.no_grad():
        return dense_toy(image).flatten(0, -3)[0].numpy()  # yours is (1, 1, rows, columns), the package's (1, rows, columns)

for side in (64, 68, 72, 128):
    rows, columns = dense_map(torch.zeros(1, 3, side, side)).shape
    print(f"image of {side:3} x {side:3} pixels -> map of {rows:2} x {columns:2} scores")

# %% [markdown]
# **What to notice.** One window gives one score. Four more pixels give one more row and one more column:
# the two pools halve the map twice, so **the stride is built into the network**: 2 × 2 = 4 pixels. We call it
# the *native* stride.
#
# For `patch_net`, `models.dense` also folds each batch norm into the convolution before it: both only multiply
# and add, so one layer can do the work of the two.

# %% [markdown]
# ## 4. The same scores? Prove it
#
# ### Exercise 5 (3 min, easy): which window is it?
# `scores[i, j]` stands in row `i`, column `j` of the map. Where in the image is the upper left corner of its
# window? Return `(x, y)` in pixels.

# %% tags=["wrong"]
# hint: x and y are swapped
def corner(i, j, stride):
    return stride * i, stride * j

# %% tags=["wrong"]
# hint: counts windows
def corner(i, j, stride):
    return j, i

# %% tags=["wrong"]
# hint: is the centre
def corner(i, j, stride):
    return stride * j + 32, stride * i + 32

# %% tags=["right"]
def corner(i, j, stride):
    return stride * np.array([j, i])

# %% name="corner" tags=["exercise"]
def corner(i, j, stride):
    """(x, y) of the upper left pixel of the window that scores[i, j] belongs to."""
    # BEGIN SOLUTION
    return stride * j, stride * i
    # END SOLUTION

# %% tags=["check"]
check_corner(corner)

# %% [markdown]
# Now the claim of this lesson. We score a piece of a tile twice: with the slow loop of lesson 7, one window
# after the other, and in one dense pass. Then we **assert** that no score differs. An `assert` does nothing
# when the claim is true, and stops the notebook when it is false.

# %%
piece = crowded.image[y : y + 160, x : x + 128]
image = torch.from_numpy(piece.copy()).permute(2, 0, 1)[None]  # (1, 3, 160, 128)

with torch.no_grad():
    loop = detection.score_windows(toy, piece, stride=4)  # one window at a time
dense = dense_map(image)  # all of them at once
assert loop.shape == dense.shape
assert np.allclose(loop, dense, atol=1e-4)
print(f"{loop.size} windows, two maps of {loop.shape}: the same scores")

# %% [markdown]
# And by hand, for one position: we cut out the window that your `corner` names, and ask the network about it alone.

# %%
i, j = np.unravel_index(dense.argmax(), dense.shape)
left, top = lessons.use(check_corner, corner, standins.corner)(int(i), int(j), 4)
with torch.no_grad():
    alone = toy(image[:, :, top : top + 64, left : left + 64]).item()
print(f"map at row {i}, column {j}: {dense[i, j]:.4f}; the window with its corner at ({left}, {top}): {alone:.4f}")
assert abs(alone - dense[i, j]) < 1e-3

# %% [markdown]
# Does this hold for every network? Let us compare three of them, again with random weights. The numbers are
# the largest difference of the two maps, as a share of the spread (standard deviation) of the scores.

# %%
def largest_difference(network):
    """Between window loop and dense pass, as a share of the standard deviation of the scores."""
    with torch.no_grad():
        loop = detection.score_windows(network, piece, stride=network.stride)
        dense = models.dense(network)(image)[0].numpy()
    return np.abs(loop - dense).max() / loop.std()

for name in ("toy_cnn", "patch_net", "vgg_small"):
    torch.manual_seed(0)
    network = models.build(name).eval()
    difference = largest_difference(network)
    low, high = (0.1, 100) if name == "vgg_small" else (0, 0.001)
    lessons.expect(difference, low, high, f"difference of {name}")
    print(f"{name:10} largest difference {difference:6.1%}")

# %% [markdown]
# ### Exercise 6 (3 min, medium): why is `vgg_small` different?
# `toy_cnn` and `patch_net` use no padding at all. `vgg_small` has `padding=1` in each convolution, so that
# the maps keep their size. Why do its two maps differ?
#
# - **a)** Rounding: sums in another order differ a little.
# - **b)** A window cut out has zeros around it in each convolution; inside the image it has its neighbours.
# - **c)** Pooling takes the maximum over other pixels.
# - **d)** Batch norm computes other means in a large image.

# %% tags=["wrong"]
# hint: sixth digit
padding_answer = "a"

# %% tags=["wrong"]
# hint: toy_cnn has pools
padding_answer = "c"

# %% tags=["wrong"]
# hint: evaluation mode
padding_answer = "d"

# %% tags=["right"]
padding_answer = "B"

# %% name="padding_answer" tags=["exercise"]
padding_answer = "b"  # SOLUTION

# %% tags=["check"]
check_padding(padding_answer)

# %% [markdown]
# A padded network still runs in dense form, but its scores are no longer those that you measured on patches:
# a threshold chosen on patches may be wrong for the map. That is why our `patch_net` has no padding.

# %% [markdown]
# ## 5. How much work is saved?
#
# Clocks differ from machine to machine; multiplications do not. Almost all the work of a network is
# multiplying numbers by weights, so let us count these.
#
# ### Exercise 7 (5 min, medium): multiplications of one convolution
# `rows` and `columns` are the size of its **output**, `kernel` is the side of its square kernel. How many
# multiplications of an input by a weight does the layer do?

# %% tags=["wrong"]
# hint: reads all the input channels
def multiplications(inputs, outputs, kernel, rows, columns):
    return outputs * kernel * kernel * rows * columns

# %% tags=["wrong"]
# hint: used again at every position
def multiplications(inputs, outputs, kernel, rows, columns):
    return inputs * outputs * kernel * kernel

# %% tags=["wrong"]
# hint: 10 are the parameters
def multiplications(inputs, outputs, kernel, rows, columns):
    return (inputs * kernel**2 + 1) * outputs * rows * columns

# %% tags=["right"]
def multiplications(inputs, outputs, kernel, rows, columns):
    total = 0
    for _ in range(outputs):
        total += rows * columns * inputs * kernel**2
    return total

# %% name="multiplications" tags=["exercise"]
def multiplications(inputs, outputs, kernel, rows, columns):
    """Products of an input and a weight in a convolution with an output of (outputs, rows, columns)."""
    # BEGIN SOLUTION
    products = inputs * kernel * kernel  # for one number of the output
    return products * outputs * rows * columns
    # END SOLUTION

# %% tags=["check"]
check_multiplications(multiplications)

# %% [markdown]
# For a whole network PyTorch can count for us. A **hook** is a function that PyTorch calls each time a layer
# has run; it puts the sizes into your formula. A linear layer is a convolution with a kernel of 1 × 1 and one position.

# %%
products = lessons.use(check_multiplications, multiplications, standins.multiplications)

def count_multiplications(network, side):
    """Of all convolutions and linear layers, for one image of side x side pixels."""
    counts = []

    def count(layer, inputs, output):
        outputs, inputs = layer.weight.shape[:2]
        kernel = layer.weight.shape[2] if isinstance(layer, nn.Conv2d) else 1
        rows, columns = output.shape[2:] if isinstance(layer, nn.Conv2d) else (1, 1)
        counts.append(products(inputs, outputs, kernel, rows, columns))

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    with torch.no_grad():
        network(torch.zeros(1, 3, side, side))
    for hook in hooks:
        hook.remove()
    return sum(counts)

# %%
patch_net = models.build("patch_net").eval()
one_window = count_multiplications(patch_net, side=64)
windows = ((512 - 64) // 8 + 1) ** 2
one_pass = count_multiplications(models.dense(patch_net), side=512)
print(f"one window:                 {one_window / 1e6:10,.1f} million multiplications")
print(f"loop over {windows:,} windows:    {windows * one_window / 1e6:10,.1f} million")
print(f"one dense pass:             {one_pass / 1e6:10,.1f} million")
saving = lessons.expect(windows * one_window / one_pass, 15, 30, "work of the loop / of the dense pass")
print(f"the loop does {saving:.0f} times the work")

# %% [markdown]
# Each pixel is in 64 windows, but the saving is smaller than 64. Near the end of the network neighbouring
# windows share little: the last convolutions compute one result for each window, in the loop and in the
# dense pass alike. And how does it depend on the stride?

# %%
strides = [8, 16, 32, 64]
loop_work = [((512 - 64) // s + 1) ** 2 * one_window for s in strides]
dense_work = [count_multiplications(models.dense(patch_net, stride=s), side=512) for s in strides]
figure, ax = plt.subplots(figsize=(6, 3.4), layout="constrained")
ax.plot(strides, np.array(loop_work) / 1e9, "o--", color="#D55E00", label="window loop")
ax.plot(strides, np.array(dense_work) / 1e9, "s-", color="#0072B2", label="dense pass")
ax.set_xscale("log", base=2)
ax.set_xticks(strides, labels=strides)
ax.set_yscale("log")
ax.set(xlabel="stride (pixels)", ylabel="billion multiplications", title="Work for one tile of 512 × 512")
legend = ax.legend()

# %% [markdown]
# **What to notice.** Both axes are logarithmic: a step up means "ten times". The two curves come closer to
# the right. At stride 64 windows do not overlap, nothing can be shared, and the dense pass even does more: it
# also computes features that no window needs.
#
# ### Exercise 8 (2 min, easy): double the stride
# You double the stride from 8 to 16. What happens to the work?
#
# - **a)** Both fall to a quarter.
# - **b)** The loop falls to a half, the dense pass stays nearly the same.
# - **c)** The loop falls to about a quarter, the dense pass falls much less.
# - **d)** Only the dense pass gets cheaper.

# %% tags=["wrong"]
# hint: half along x and half along y
stride_answer = "b"

# %% tags=["wrong"]
# hint: fall as fast as that of the loop
stride_answer = "a"

# %% tags=["right"]
stride_answer = "C"

# %% name="stride_answer" tags=["exercise"]
stride_answer = "c"  # SOLUTION

# %% tags=["check"]
check_stride_choice(stride_answer)

# %% [markdown]
# So a fine map costs the loop dearly, and the dense pass little. Now with a clock, on a piece of 192 × 192
# pixels, with 32 pixels more on each side, as in lesson 7. (About 5 s on two CPU cores.
# Your numbers will differ from ours.)

# %%
small = crowded.image[:192, :192]

def seconds(network, method):
    """The shortest of three runs: what is longer was disturbed."""
    times = []
    for _ in range(lessons.budget(3, 1)):
        start = time.perf_counter()
        detection.score_map(network, small, method=method, stride=8)
        times.append(time.perf_counter() - start)
    return min(times)

# %% tags=["nbval-ignore-output"]
dense_patch_net = models.dense(patch_net)
measured = {"dense": seconds(dense_patch_net, "dense")}
measured["batched"] = seconds(patch_net, "batched")
measured["window"] = seconds(patch_net, "window")
for method, value in measured.items():
    print(f"{method:8} {1000 * value:8.1f} ms, {value / measured['dense']:5.1f} times the dense pass")
windows = (192 // 8 + 1) ** 2
counted = windows * one_window / count_multiplications(dense_patch_net, side=192 + 64)
print(f"multiplications of both loops: {counted:.1f} times the dense pass")

# %% [markdown]
# **What to notice.** `batched` does the same multiplications as `window`, and is faster all the same: calling
# a network costs time, too, and a batch pays it once for 256 windows. `dense` saves both, the calls and the
# multiplications. The measured ratio can be larger than the counted one: both loops also cut out and convert
# each window, and their batch norms are layers of their own, which `models.dense` folds away. A good habit:
# first count, then measure, then explain the difference.

# %% [markdown]
# ## 6. Train once, detect densely
#
# Until now the weights were random. Let us train `patch_net` on the imbalanced set, shortly, as in lesson 5.
# (About 60 s on two CPU cores. Short of time? Keep the first two lines, which load the data, and write
# `model = models.pretrained()` in place of the others.)

# %%
data = datasets.load_imbalanced(scale=lessons.budget(1.0, 0.05), progress=False)
train, val = datasets.split(data.train, fraction=0.2, seed=0)
torch.manual_seed(0)
model = models.build("patch_net")
history = training.fit(
    model, train, val, epochs=lessons.budget(3, 5), seed=0, device=str(lessons.device()), progress=False
)
ap = lessons.expect(history.rows[-1]["AP"], 0.78, 0.97, "average precision on validation patches")
print(f"average precision on validation patches: {ap:.3f}")

# %% [markdown]
# Detection as in lesson 7: score map, peaks, matching. The threshold is chosen on **validation** tiles,
# from sites that the network did not learn from; then we look at the test tiles.

# %%
dense_model = models.dense(model)
validation = datasets.load_tiles(
    split="validation", sites=sorted(set(val.sites)), count=lessons.budget(24, 6), progress=False
)
found = [detection.detect(dense_model, tile.image, threshold=0.05) for tile in validation]
threshold = detection.choose_threshold(found, validation, beta=1.0)

found = [detection.detect(dense_model, tile.image, threshold=0.05) for tile in tiles]
report = detection.evaluate(found, tiles, threshold=threshold)
lessons.expect(report.F1, 0.82, 0.98, "F1 on the test tiles")
print(f"threshold {threshold:.2f}, chosen on {len(validation)} validation tiles; on {len(tiles)} test tiles:")
print(f"precision {report.precision:.2f}, recall {report.recall:.2f}, F1 {report.F1:.2f}")

# %%
scores = detection.score_map(dense_model, crowded.image, stride=8)
figure, ax = plt.subplots(figsize=(5.4, 4.4), layout="constrained")
ax = plotting.score_map(crowded.image, scores.scores, scores.stride, title="One dense pass", ax=ax)

# %% [markdown]
# **What to notice.** Each aircraft is a bright spot about 32 pixels wide: the central core that makes a patch
# positive (lesson 7). One pass computed the whole map.

# %% [markdown]
# ## 7. Finer strides: shift and interleave
#
# The native stride of `patch_net` is 8. Can it look more finely, without other weights? Yes: shift the image
# by 4 pixels and run it again. The new scores belong to windows **between** the old ones.

# %%
figure = drawings.shifted_passes(stride=8, passes=2)

# %% [markdown]
# ### Exercise 9 (8 min, hard): a finer map
# Pass `(a, b)` sees the image without its first `a * step` rows and `b * step` columns. With two passes along
# each axis, its scores go into every second row and column of the fine map: rows `a, a + 2, a + 4 ...`. In
# NumPy and PyTorch `fine[a::2, b::2]` means exactly these places. Write it for any number of `passes`.

# %% tags=["wrong"]
# hint: lie side by side
def finer_map(network, image, passes):
    step = network.stride // passes
    rows, columns = ((side - 64) // step + 1 for side in image.shape[2:])
    fine = torch.zeros(rows, columns)
    for a in range(passes):
        for b in range(passes):
            part = network(image[:, :, a * step :, b * step :])[0]
            h, w = part.shape
            fine[a * h : (a + 1) * h, b * w : (b + 1) * w] = part
    return fine

# %% tags=["wrong"]
# hint: swapped
def finer_map(network, image, passes):
    step = network.stride // passes
    rows, columns = ((side - 64) // step + 1 for side in image.shape[2:])
    fine = torch.zeros(rows, columns)
    for a in range(passes):
        for b in range(passes):
            fine[a::passes, b::passes] = network(image[:, :, b * step :, a * step :])[0]
    return fine

# %% tags=["wrong"]
# hint: really shifted
def finer_map(network, image, passes):
    step = network.stride // passes
    rows, columns = ((side - 64) // step + 1 for side in image.shape[2:])
    fine = torch.zeros(rows, columns)
    for a in range(passes):
        for b in range(passes):
            fine[a::passes, b::passes] = network(image)[0]
    return fine

# %% tags=["right"]
def finer_map(network, image, passes):
    step = network.stride // passes
    height, width = image.shape[2:]
    fine = np.zeros(((height - 64) // step + 1, (width - 64) // step + 1), np.float32)
    for y in range(0, network.stride, step):
        for x in range(0, network.stride, step):
            part = network(image[..., y:, x:])[0].numpy()
            for i, row in enumerate(part):
                fine[i * passes + y // step, x // step :: passes] = row
    return fine

# %% name="finer_map" tags=["exercise"]
def finer_map(network, image, passes):
    """Scores of windows network.stride / passes pixels apart, by passes * passes shifted passes.

    network: dense, with its native `.stride`; image: (1, 3, H, W). Returns (rows, columns).
    """
    step = network.stride // passes  # pixels between two windows of the fine map
    rows, columns = ((side - 64) // step + 1 for side in image.shape[2:])
    fine = torch.zeros(rows, columns)
    for a in range(passes):
        for b in range(passes):
            # BEGIN SOLUTION
            # STUB
            # shifted = ...  # TODO: the image without its first rows and columns
            # fine[...] = ...  # TODO: which places get the scores of this pass?
            shifted = image[:, :, a * step :, b * step :]
            fine[a::passes, b::passes] = network(shifted)[0]
            # END SOLUTION
    return fine

# %% tags=["check"]
check_finer_map(finer_map)

# %% [markdown]
# On the piece of section 4, with the network that we trained: is it what the package gives at stride 4?

# %%
make_finer = lessons.use(check_finer_map, finer_map, standins.finer_map)
on_cpu = copy.deepcopy(dense_model).cpu()  # where the piece is, also when a GPU has trained
with torch.no_grad():
    fine = np.asarray(make_finer(on_cpu, image, passes=2))
    native = tuple(on_cpu(image)[0].shape)
expected = detection.score_dense(on_cpu, piece, stride=4)
print(f"map of {fine.shape}, at the native stride {native};", end=" ")
print("the same as the package's:", np.allclose(fine, expected, atol=1e-3))

# %% [markdown]
# ### Exercise 10 (1 min, easy): the price
# How many passes over the image does stride 2 take, when the native stride is 8?

# %% tags=["wrong"]
# hint: And along y
passes = 4

# %% tags=["wrong"]
# hint: count the shifts along one axis first
passes = 2

# %% tags=["right"]
passes = 4 * 4

# %% name="passes" tags=["exercise"]
passes = 16  # SOLUTION

# %% tags=["check"]
check_passes(passes)

# %% [markdown]
# Is a finer map worth its price? The package shifts by itself when you ask for a finer stride. We detect on
# the same tiles with four strides, and choose the threshold anew for each, on the validation tiles. (About
# 15 s on two CPU cores.)

# %%
def try_stride(stride):
    """F1 on the test tiles, and the mean distance of a hit from the true centre, in pixels."""
    validated = [detection.detect(model, tile.image, threshold=0.05, stride=stride) for tile in validation]
    limit = detection.choose_threshold(validated, validation)
    kept = [detection.detect(model, tile.image, threshold=limit, stride=stride) for tile in tiles]
    distances = [] if any(len(one) for one in kept) else [16.0]  # of nothing, take the worst
    for one, tile in zip(kept, tiles, strict=True):
        match = detection.match(one, tile)
        apart = one.centers[match.hits] - tile.centers[match.truths]
        distances += list(np.hypot(apart[:, 0], apart[:, 1]))
    return detection.evaluate(kept, tiles, threshold=limit).F1, np.mean(distances)

# %%
results = {stride: try_stride(stride) for stride in (32, 16, 8, 4)}
print("stride    F1   distance   work")
for stride, (f1, distance) in results.items():
    network = models.dense(patch_net, stride=max(stride, 8))
    work = max(1, 8 // stride) ** 2 * count_multiplications(network, side=512)
    print(f"{stride:6}  {f1:.2f}   {distance:5.1f} px  {work / one_pass:5.1f}")
lessons.expect(results[8][0] - results[32][0], 0.1, 0.7, "F1 gained from stride 32 to stride 8")
for stride in (16, 4):
    lessons.expect(abs(results[stride][0] - results[8][0]), 0, 0.06, f"change of F1, stride 8 to {stride}")
gained = lessons.expect(results[32][1] - results[8][1], 2, 12, "pixels gained from stride 32 to stride 8")

# %% [markdown]
# **What to notice.** *work* is relative to one pass at stride 8. Stride 32 is as wide as the core of a patch: an
# aircraft has a single window, which tells *that* it is there and not *where*. Lesson 7 showed that not even a perfect
# classifier can mend that: look at the distance, and remember that a hit needs 16 pixels. From stride 16
# on F1 hardly changes, and the place gets only a little closer, for up to four times the work: the mean over
# the scores around a peak is finer than the stride already. **The native stride is a good choice here.**
# Measure before you pay for more.

# %% [markdown]
# ## 8. Out of Python: ONNX
#
# A network that counts aircraft is useful in a web page, on a phone, in a program written in C++. **ONNX** is
# a file format for networks: it lists the layers and holds the weights, and many programs can run it without
# PyTorch. We write the dense form, with free image size. (Needs the packages `onnx` and `onnxruntime`.)

# %%
folder = Path(tempfile.mkdtemp())
path = models.export_onnx(dense_model, folder / "aircraft.onnx", threshold=threshold)
print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")

# %% [markdown]
# **onnxruntime** is such a program. It knows neither our package nor PyTorch, so it takes plain arrays.
#
# ### Exercise 11 (4 min, medium): the input
# Turn an image `(H, W, 3)` of `uint8` (0 to 255) into `(1, 3, H, W)` of `float32` in [0, 1].

# %% tags=["wrong"]
# hint: numbers in [0, 1]
def to_input(image):
    return image.transpose(2, 0, 1)[None].astype(np.float32)

# %% tags=["wrong"]
# hint: reshape does not move channels
def to_input(image):
    height, width = image.shape[:2]
    return image.reshape(1, 3, height, width).astype(np.float32) / 255

# %% tags=["wrong"]
# hint: refuses float64
def to_input(image):
    return image.transpose(2, 0, 1)[None] / 255

# %% tags=["wrong"]
# hint: batch axis
def to_input(image):
    return image.transpose(2, 0, 1).astype(np.float32) / 255

# %% tags=["right"]
def to_input(image):
    return (torch.from_numpy(image).permute(2, 0, 1).unsqueeze(0).float() / 255).numpy()

# %% name="to_input" tags=["exercise"]
def to_input(image):
    """(H, W, 3) uint8 -> (1, 3, H, W) float32 in [0, 1]."""
    # BEGIN SOLUTION
    scaled = image.astype(np.float32) / 255
    return np.transpose(scaled, (2, 0, 1))[None]
    # END SOLUTION

# %% tags=["check"]
check_to_input(to_input)

# %%
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
for key, value in sorted(session.get_modelmeta().custom_metadata_map.items()):
    print(f"{key}: {value if key != 'threshold' else 'the one we chose'}")

# %% [markdown]
# The file says by itself what it wants and what its answer means. Does it answer as PyTorch does, for images
# of two sizes?

# %%
as_input = lessons.use(check_to_input, to_input, standins.to_input)
for side in (512, 200):
    image = crowded.image[:side, :side]
    (logits,) = session.run(None, {"image": np.asarray(as_input(image))})
    expected = detection.score_dense(dense_model, image, stride=8)  # PyTorch
    assert np.allclose(logits[0], expected, atol=1e-2)
    print(f"{side} x {side} pixels: map of {logits.shape[1:]}, the same scores in PyTorch and in onnxruntime")

# %% [markdown]
# ## 9. A scene of 4,000 × 4,000 pixels
#
# Sixteen square kilometres. We lay 25 rendered places side by side, five by five, all of them test sites, on
# dates that no patch shows. (Rendering takes about 10 s on two CPU cores.)

# %%
side, across = 800, lessons.budget(5, 2)
places = [synthetic.render(site, view=300, size=side) for site in range(150, 150 + across**2)]
print(f"{len(places)} places of {side} x {side}, {sum(len(place.boxes) for place in places)} aircraft")

# %% [markdown]
# ### Exercise 12 (3 min, easy): move the boxes
# A place that lies at column `x`, row `y` of the large image takes its boxes along. `boxes` is `(N, 4)`:
# `x0, y0, x1, y1`. Return the boxes in pixels of the large image.

# %% tags=["wrong"]
# hint: both corners must move
def shift_boxes(boxes, x, y):
    return boxes + np.array([x, y, 0, 0], np.float32)

# %% tags=["wrong"]
# hint: x and y are swapped
def shift_boxes(boxes, x, y):
    return boxes + np.array([y, x, y, x], np.float32)

# %% tags=["wrong"]
# hint: return new ones
def shift_boxes(boxes, x, y):
    boxes += np.array([x, y, x, y], np.float32)
    return boxes

# %% tags=["right"]
def shift_boxes(boxes, x, y):
    moved = boxes.copy()
    moved[:, 0::2] += x
    moved[:, 1::2] += y
    return moved

# %% name="shift_boxes" tags=["exercise"]
def shift_boxes(boxes, x, y):
    """(N, 4) boxes of a place, in pixels of the large image, whose pixel (x, y) is the place's (0, 0)."""
    # BEGIN SOLUTION
    return boxes + np.array([x, y, x, y], np.float32)
    # END SOLUTION

# %% tags=["check"]
check_shift_boxes(shift_boxes)

# %% [markdown]
# `side_by_side` does the rest for all places: it copies each image to its position and moves the boxes. Aircraft cut
# off at the border of a place stay in `ignore`: nobody is judged by them. Do your boxes agree with its?

# %%
large = side_by_side(places, across=across)
shift = lessons.use(check_shift_boxes, shift_boxes, standins.shift_boxes)
moved = [shift(place.boxes, side * (k % across), side * (k // across)) for k, place in enumerate(places)]
print("the same boxes:", np.allclose(np.concatenate(moved), large.boxes))
print(f"{large.width:,} x {large.height:,} pixels, {large.image.nbytes / 1e6:.0f} MB")

# %% [markdown]
# ### Exercise 13 (3 min, easy): does it fit?
# The image itself fits into any computer. But in one pass the network also keeps feature maps. How many megabytes
# (1 MB = 1,000,000 bytes) takes a feature map of `channels` × `rows` × `columns` numbers in `float32`?

# %% tags=["wrong"]
# hint: are not a million bytes
def megabytes(channels, rows, columns):
    return channels * rows * columns / 1e6

# %% tags=["wrong"]
# hint: a byte has 8
def megabytes(channels, rows, columns):
    return channels * rows * columns * 32 / 1e6

# %% tags=["wrong"]
# hint: that is bytes
def megabytes(channels, rows, columns):
    return channels * rows * columns * 4

# %% tags=["right"]
def megabytes(channels, rows, columns):
    return torch.empty(channels, rows, columns, device="meta").nbytes / 10**6

# %% name="megabytes" tags=["exercise"]
def megabytes(channels, rows, columns):
    """Memory of a feature map of float32 numbers, in MB."""
    # BEGIN SOLUTION
    numbers = channels * rows * columns
    return numbers * 4 / 1e6
    # END SOLUTION

# %% tags=["check"]
check_megabytes(megabytes)

# %% [markdown]
# The first feature map of `patch_net` has 32 channels and half the image's rows and columns. How large is it
# for the whole scene, and for a block of 1,024 × 1,024?

# %%
in_megabytes = lessons.use(check_megabytes, megabytes, standins.megabytes)
for pixels in (4000, 1024):
    rows = pixels // 2 - 2  # squares of 2 x 2 pixels, then a 3 x 3 convolution without padding
    print(f"{pixels:,} x {pixels:,} pixels: first feature map of {in_megabytes(32, rows, rows):,.0f} MB")

# %%
parts = detection.blocks(large.width, large.height, stride=8, native=8, block=1024)
print(f"the scene in {len(parts)} blocks of at most 1,024 x 1,024 pixels")

# %% [markdown]
# A layer needs its input and its output at the same time, so the whole scene would take much more than its
# image, and a satellite image of 20,000 × 20,000 pixels 25 times that. So we go **block by block**: what the
# network needs no longer depends on the size of the image. Neighbouring blocks share 56 pixels, so that every
# window lies wholly in one block; each block begins at a multiple of the stride. So there is no seam: the
# scores are those of a single pass.

# %%
one = detection.score_map(dense_model, crowded.image, stride=8, block=1024).scores
many = detection.score_map(dense_model, crowded.image, stride=8, block=256).scores
assert np.allclose(one, many, atol=1e-4)
print("one block or many: the same score map")

# %% [markdown]
# Now the scene. (About 5 s on two CPU cores.)

# %%
found = detection.detect(dense_model, large.image, threshold=threshold, stride=8, block=1024)
match = detection.match(found, large)
counted, true = len(match.hits) + len(match.false_alarms), len(large.boxes)
lessons.expect(counted / true, 0.85, 1.2, "aircraft counted / aircraft there")
lessons.expect(len(match.hits) / true, 0.8, 1.0, "recall in the large scene")
print(f"counted {counted}, true {true}")
print(f"hits {len(match.hits)}, missed {len(match.misses)}, false alarms {len(match.false_alarms)}")
to_seam = np.abs(large.centers - side * np.round(large.centers / side)).min(axis=1)  # the outer border is one, too
seam = to_seam < 32
print(f"missed within 32 pixels of a border of a place: {seam[match.misses].sum()} of {seam.sum()};", end=" ")
print(f"elsewhere: {(~seam)[match.misses].sum()} of {(~seam).sum()}")

# %%
figure = drawings.large_scene(large, found, match)

# %% [markdown]
# **What to notice.** Circles stand in rows and arcs: aircraft parked at terminals. Some places have no airport
# at all, and there the network must stay silent. Within 32 pixels of a border a window shows two places at once, which
# happens in no real image: compare the two printed shares of missed aircraft (squares). The sum can look better than it
# is, because a missed aircraft and a false alarm (cross) cancel out. So let us look at each place by itself.

# %%
def count_by_place(centers):
    """(across * across,): how many of the centres (N, 2) lie in each place."""
    column, row = np.clip(centers // side, 0, across - 1).astype(int).T
    return np.bincount(row * across + column, minlength=across**2)

judged = np.delete(found.centers, match.ignored, axis=0)
by_place, truth = count_by_place(judged), count_by_place(large.centers)
ax = plotting.counts(found=by_place, truth=truth, unit="place")
error = lessons.expect(np.abs(by_place - truth).mean(), 0.0, 2.5, "mean count error a place")
print(f"mean count error: {error:.2f} aircraft a place")

# %% [markdown]
# **On your own images.** `detection.detect(model, imagery.open_image("scene.tif"))` reads a GeoTIFF block by
# block, so that not even the image has to fit into memory. On the command line:
# `aircraft detect RUN scene.tif --out found`.

# %% [markdown]
# ## 10. What comes next
#
# Our network answers one question at each position: *is the centre of an aircraft here?* Other networks ask
# more. All of them begin with what you have now: **a fully convolutional network and a dense map**.

# %%
figure = drawings.three_answers()

# %% [markdown]
# | family | answer at each position | labels that you need |
# |---|---|---|
# | **ours** (dense classifier, as in OverFeat, 2014) | aircraft or not | points |
# | **segmentation** (FCN and U-Net, 2015) | at each *pixel*: its class | outlines |
# | **anchors** (Faster R-CNN, 2015; SSD, 2016) | for standard boxes: object or not, correction | boxes |
# | **YOLO** (2016 and many after it) | object or not, its box, its class | boxes |
#
# **Segmentation.** Pools make our map 8 times coarser than the image. A U-Net makes it fine again: it enlarges
# the features step by step, and at each step it mixes in the features of the same size from the way down. The
# loss is the one that you know, at every pixel. Good for areas: roads, water, fields. Touching objects become
# one region.
#
# **Anchors.** Aircraft are long or short, and so are boxes. At each position the network judges some standard
# boxes (the *anchors*, dashed in the picture) and says how to correct the best ones. Anchors must suit the
# objects; newer networks do without them.
#
# **From our map to boxes.** Give the last convolution five outputs instead of one: the logit, a shift
# `(dx, dy)` of the centre, and a width and height. Train the four new ones only where there is an aircraft.
# That is, in small, a YOLO without anchors. Boxes overlap, so *non-maximum suppression* (lesson 7) keeps the
# best: two boxes are rivals when their **IoU** is large (intersection over union: common area divided by
# the area of both together).
#
# **From the air, three more things matter.** Aircraft point in all directions, so some detectors turn their
# boxes (*oriented boxes*). Objects are small in huge images, so one cuts into overlapping slices, as you did
# with blocks. And a new place looks different: test by site, as in lesson 5, whatever the network is called.

# %% [markdown]
# ## What you learned
#
# - Neighbouring windows share nearly all pixels; a loop computes the same features again and again.
# - A linear layer on features of `c × s × s` is a convolution with an `s × s` kernel and the same weights.
# - Without padding, the dense map equals the window loop; you proved it with an `assert`.
# - Count multiplications first, then measure; explain what differs.
# - Pools fix the native stride; shifted passes make a finer map, at a price that is seldom worth it.
# - Blocks bound the memory, ONNX takes the network out of Python.
#
# ## How to go on
#
# - Run section 9 with `view=301` or with `difficulty=2` in `synthetic.render`. Does the count hold?
# - Go through your false alarms, add such patches to the training set (lesson 7), and count again.
# - Give the last layer five outputs and learn the size of the aircraft: `scene.boxes` holds the truth.
# - With the real scenes: `datasets.load_tiles(source="airbus", root=...)`; the rest stays as it is.

# %% [markdown]
# ## Quiz
#
# (The answers are at the end of the solution, `notebooks/solutions/08_fully_convolutional.ipynb`.)
#
# 1. What must a classifier *not* have, so that its dense map is exactly the window loop?
#    **a)** pooling  **b)** batch norm  **c)** padding  **d)** bias
# 2. A network has three pools of 2 × 2. What is its native stride?  **a)** 3  **b)** 6  **c)** 8  **d)** 64
# 3. You need a map at half the native stride. How many passes?  **a)** 2  **b)** 4  **c)** 8  **d)** none, interpolate
# 4. Why are blocks allowed to be scored one after the other, without a seam?
# 5. You want the area of each parked aircraft in square metres. Which family do you choose?
#    **a)** dense classifier  **b)** segmentation  **c)** anchors  **d)** a larger stride

# %% [markdown] tags=["solution"]
# ### Answers
#
# 1. **c.** Padding puts zeros around a window that is cut out, and neighbours around a window in the image.
# 2. **c.** 2 × 2 × 2 = 8 pixels.
# 3. **b.** Shifts of 0 and half a stride along x and along y: 2 × 2 passes.
# 4. Blocks overlap by 56 pixels (64 - 8), so that every window lies wholly in one block, and each begins at
#    a multiple of the stride, so that the grid of windows is the same.
# 5. **b.** A mask has an area; a box is larger than the aircraft in it, and a point has no area at all.

# %% [markdown] tags=["solution"]
# ### For teachers
#
# - Exercise 2 is where groups get stuck. Ask: "In which order does Flatten read?" Let them print
#   `torch.arange(8).reshape(2, 2, 2).flatten()`.
# - Common belief: the dense form is an approximation, or must be trained again. The assert in section 4
#   is the answer; the weights are the very same numbers.
# - Short of time? Exercises 5, 8, 10 and 12 can be said aloud in the room; keep 2, 4, 7 and 9.
