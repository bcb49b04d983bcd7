# ---
# aircraft:
#   title: Convolutions
#   minutes: 105
#   can_do: compute a convolution by hand, count sizes, parameters and receptive fields, and show why a CNN beats an MLP
#   gpu: true
#   extras: []
# ---

# %% [markdown]
# # 2. Convolutions
#
# After this lesson you can compute a convolution by hand, predict **sizes, parameters and receptive field** of
# a network before you build it, and show by experiment **why** such a network beats an MLP on images.
#
# **105 minutes**: 14 exercises and a quiz. You need lesson 1 (perceptron, MLP, loss, training in PyTorch).
# Everything runs on two CPU cores; no GPU is needed.
#
# Short of time? Do exercises 1, 3, 4, 6, 8, 9, 11 and 14 first. *Run all* works with the others left empty.

# %% tags=["setup"]

# %%
import numpy as np
import torch
from scipy import signal
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional as F
from torchinfo import summary

from aircraft import datasets, models
from aircraft_course import lessons
from aircraft_course import standins_early as package
from aircraft_course.checks.lesson02 import (
    check_brighten, check_conv_parameters, check_convolve, check_cross_correlate, check_features,
    check_grey_net, check_hidden_units, check_kernels, check_max_pool, check_output_size,
    check_receptive_field, check_scramble, check_small_net, check_to_tensor,
)
from aircraft_course.drawings import lesson02 as drawings

# %% [markdown]
# ## 1. An image is an array of numbers
#
# This is a **patch** of our aircraft data: 64 × 64 pixels, drawn by a program in the style of a satellite
# photograph. One pixel covers one metre on the ground. What does the computer see?
#
# (In the code, `lessons.budget(1.0, 0.1)` is the first number, or the second one for a hasty run with
# `AIRCRAFT_FAST=1`. Later, `lessons.expect(value, low, high, name)` gives the value back, and stops the lesson when
# it lies outside of the range that the text talks about. Neither is a part of the answer to anything.)

# %%
toy = datasets.load_toy(scale=lessons.budget(1.0, 0.1), progress=False)
aircraft = toy.train.images[toy.train.labels == 1]
patch = np.array(aircraft[17])
figure = drawings.pixels(patch, x=28, y=20)
print("shape:", patch.shape, "  type:", patch.dtype, "  smallest:", patch.min(), "  largest:", patch.max())

# %% [markdown]
# **What to notice.** Left the picture, right the numbers of the small framed square. The shape has three parts:
# rows, columns, and **channels**: how red, how green and how blue a pixel is. Each number is a `uint8`: a whole
# number from 0 (dark) to 255 (bright) that fits into one byte. The first pixel, `image[0, 0]`, is at the top
# left; `y` counts the rows downwards.

# %%
channels = {"colour": patch}
for k, name in enumerate(("red", "green", "blue")):
    channels[name] = patch[:, :, k]
figure = drawings.pictures(channels)

# %% [markdown]
# ### Exercise 1 (4 min, easy): from picture to tensor
# PyTorch wants **channels first**: `(3, H, W)` instead of `(H, W, 3)`, and fractions from 0 to 1 (`float32`)
# instead of whole numbers. A whole batch then has the shape `(N, 3, H, W)`.
#
# Useful: `torch.from_numpy(image)` makes a tensor of an array; `tensor.permute(...)` puts its axes in a new order.

# %% tags=["wrong"]
# hint: the picture is torn
def to_tensor(image):
    return torch.from_numpy(image.reshape(3, image.shape[0], image.shape[1])).float() / 255

# %% tags=["wrong"]
# hint: rows and columns are swapped
def to_tensor(image):
    return torch.from_numpy(image).permute(2, 1, 0).float() / 255

# %% tags=["wrong"]
# hint: scale 0..255 to 0..1
def to_tensor(image):
    return torch.from_numpy(image).permute(2, 0, 1).float()

# %% tags=["wrong"]
# hint: channels first
def to_tensor(image):
    return torch.from_numpy(image).float() / 255

# %% tags=["right"]
def to_tensor(image):
    return torch.tensor(np.moveaxis(image, 2, 0) / 255, dtype=torch.float32)

# %% name="to_tensor" tags=["exercise"]
def to_tensor(image):
    """(H, W, 3) uint8 -> tensor (3, H, W) float32 in [0, 1]."""
    # BEGIN SOLUTION
    return torch.from_numpy(image).permute(2, 0, 1).float() / 255
    # END SOLUTION

# %% tags=["check"]
check_to_tensor(to_tensor)

# %% [markdown]
# Do you need help? Write `check_to_tensor.hint()` into a cell of your own: the first call gives a first step,
# the second call nearly the answer. All checks of this lesson can do that.
#
# A byte has a trap. What is 200 + 100?

# %%
print(np.array([200], dtype=np.uint8) + np.array([100], dtype=np.uint8))

# %% [markdown]
# It is 300 − 256 = 44: at 255 a byte starts again at 0, without any warning. A bright pixel becomes dark.
#
# ### Exercise 2 (4 min, easy): make it brighter
# Add `amount` to every pixel. Too bright becomes 255, too dark becomes 0. Useful: `image.astype(...)`, `np.clip`.

# %% tags=["wrong"]
# hint: wrapped around
def brighten(image, amount):
    return image + np.uint8(amount % 256)

# %% tags=["wrong"]
# hint: wrapped around
def brighten(image, amount):
    return np.clip(image + np.array(amount).astype(np.uint8), 0, 255)

# %% tags=["wrong"]
# hint: stays uint8
def brighten(image, amount):
    return np.clip(image.astype(float) + amount, 0, 255)

# %% tags=["wrong"]
# hint: no pixel goes below black
def brighten(image, amount):
    return np.minimum(image.astype(int) + amount, 255).astype(np.uint8)

# %% tags=["right"]
def brighten(image, amount):
    brighter = image.astype(np.int16) + amount
    brighter[brighter > 255] = 255
    brighter[brighter < 0] = 0
    return brighter.astype(np.uint8)

# %% name="brighten" tags=["exercise"]
def brighten(image, amount):
    """The uint8 image with `amount` added to every pixel, without wrapping around."""
    # BEGIN SOLUTION
    return np.clip(image.astype(int) + amount, 0, 255).astype(np.uint8)
    # END SOLUTION

# %% tags=["check"]
check_brighten(brighten)

# %% [markdown]
# From here on the lesson builds on **your** answers. `lessons.use(check, yours, the package's)` takes yours where
# the check said "correct". Where it did not, the lesson goes on with the package's, and one line says so.

# %%
brighter = lessons.use(check_brighten, brighten, package.brighten)
wrapped = patch + np.uint8(80)
figure = drawings.pictures({"as it is": patch, "+ 80, wrapped": wrapped, "+ 80, clipped": brighter(patch, 80)})

# %% [markdown]
# ## 2. A small window walks over the image
#
# The MLP of lesson 1 gave every pixel its own weight. Here is another idea: take **few weights** and use them
# **everywhere**. The weights stand in a small square, the **kernel** (or *filter*). It walks over the image. At
# each place: multiply the pixels below it by the weights, cell by cell, and add up. This sum is one number of
# the output.

# %%
small = np.array([[1, 1, 1, 8, 8], [1, 1, 1, 8, 8], [1, 1, 1, 8, 8], [1, 1, 8, 8, 8], [1, 8, 8, 8, 8]])
kernel = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
figure = drawings.window_walk(small, kernel, row=1, column=1)

# %% [markdown]
# **What to notice.** The window (blue) stands at row 1, column 1; the line below computes its output, 21 (black
# frame). The outputs before it are already filled in. This kernel takes "right column minus left column": it
# gives 0 where nothing changes, and much where dark turns into bright. It finds **vertical edges**.
#
# Compute the next output (row 1, column 2) by hand before you go on. Then let the drawing check it:
# change `column=1` to `column=2`.

# %% [markdown]
# ### Exercise 3 (10 min, medium): write it yourself
# This operation is called **cross-correlation**. `image` is grey, `(H, W)`; the kernel is square and stays
# inside the image. How many rows and columns has the output? Look at the drawing: 5 × 5 became 3 × 3.

# %% tags=["wrong"]
# hint: one row and one column too few
def cross_correlate(image, kernel):
    size = len(kernel)
    output = np.zeros((image.shape[0] - size, image.shape[1] - size))
    for row in range(output.shape[0]):
        for column in range(output.shape[1]):
            output[row, column] = (image[row : row + size, column : column + size] * kernel).sum()
    return output

# %% tags=["wrong"]
# hint: do not take their mean
def cross_correlate(image, kernel):
    size = len(kernel)
    output = np.zeros((image.shape[0] - size + 1, image.shape[1] - size + 1))
    for row in range(output.shape[0]):
        for column in range(output.shape[1]):
            output[row, column] = (image[row : row + size, column : column + size] * kernel).mean()
    return output

# %% tags=["wrong"]
# hint: you turned the kernel around
def cross_correlate(image, kernel):
    return signal.convolve2d(image, kernel, mode="valid")

# %% tags=["wrong"]
# hint: the window must stay inside
def cross_correlate(image, kernel):
    return signal.correlate2d(image, kernel, mode="same")

# %% tags=["right"]
def cross_correlate(image, kernel):
    size = len(kernel)
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    output = np.zeros((rows, columns))
    for i in range(size):
        for j in range(size):
            output += kernel[i, j] * image[i : i + rows, j : j + columns]
    return output

# %% name="cross_correlate" tags=["exercise"]
def cross_correlate(image, kernel):
    """(H, W) and (size, size) -> the sum of window times kernel at every place, (rows, columns)."""
    size = len(kernel)
    # BEGIN SOLUTION
    # STUB
    # rows, columns = ..., ...  # TODO: how many places are there?
    # output = np.zeros((rows, columns))
    # for row in range(rows):
    #     for column in range(columns):
    #         window = ...  # TODO: the pixels below the kernel
    #         output[row, column] = ...  # TODO
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    output = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            window = image[row : row + size, column : column + size]
            output[row, column] = (window * kernel).sum()
    # END SOLUTION
    return output

# %% tags=["check"]
check_cross_correlate(cross_correlate)

# %% [markdown]
# Two loops in Python are slow. PyTorch computes the same in no time: `F.conv2d`. We wrap it, so that it takes
# numpy arrays, and prove that the loops and PyTorch give the same.

# %%
def filtered(image, kernel):
    """The same as cross_correlate, by PyTorch."""
    image = torch.tensor(image, dtype=torch.float64)[None, None]  # (1, 1, H, W): one image, one channel
    kernel = torch.tensor(np.array(kernel), dtype=torch.float64)[None, None]  # (1, 1, size, size): one filter
    return F.conv2d(image, kernel)[0, 0].numpy()

print(filtered(small, kernel))

# %%
walk = lessons.use(check_cross_correlate, cross_correlate, package.cross_correlate)
assert np.allclose(walk(small, kernel), filtered(small, kernel))
print("the loops and PyTorch give the same")

# %% [markdown]
# ## 3. Nine numbers decide what happens
#
# ### Exercise 4 (6 min, medium): three kernels
# Write three kernels of 3 × 3 numbers:
#
# * `blur`: each output is the **mean** of the nine pixels.
# * `edges`: positive where the picture becomes brighter **from left to right**, 0 on an even area.
# * `sharpen`: makes the centre stand out from its neighbours, but keeps the brightness of an even area.
#
# On an even area all nine pixels are equal. So what is the sum of each kernel's numbers?

# %% tags=["wrong"]
# hint: 9 times as bright
blur = np.ones((3, 3))
edges = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
sharpen = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])

# %% tags=["wrong"]
# hint: horizontal edges
blur = np.ones((3, 3)) / 9
edges = np.array([[-1, -1, -1], [0, 0, 0], [1, 1, 1]])
sharpen = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])

# %% tags=["wrong"]
# hint: the other way round
blur = np.ones((3, 3)) / 9
edges = np.array([[1, 0, -1], [1, 0, -1], [1, 0, -1]])
sharpen = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])

# %% tags=["wrong"]
# hint: an even area turns black
blur = np.ones((3, 3)) / 9
edges = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])
sharpen = np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])

# %% tags=["right"]
blur = [[0.111, 0.111, 0.111], [0.111, 0.111, 0.111], [0.111, 0.111, 0.111]]
edges = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
sharpen = [[-1, -1, -1], [-1, 9, -1], [-1, -1, -1]]

# %% name="kernels" tags=["exercise"]
blur = np.ones((3, 3)) / 9  # SOLUTION
edges = np.array([[-1, 0, 1], [-1, 0, 1], [-1, 0, 1]])  # SOLUTION
sharpen = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])  # SOLUTION

# %% tags=["check"]
check_kernels(blur, edges, sharpen)

# %% [markdown]
# Now see them at work on a piece of a **tile** (a larger image, 512 × 512 pixels).

# %%
tiles = datasets.load_tiles(count=lessons.budget(36, 6), progress=False)
scene = tiles[2].image[40:200, 180:340]
grey = scene.mean(axis=2)  # (160, 160): the mean of red, green, blue

# %%
blur, edges, sharpen = lessons.use(check_kernels, (blur, edges, sharpen), package.KERNELS)
strong = np.clip(filtered(grey, sharpen), 0, 255)
figure = drawings.pictures({"grey": grey, "blur": filtered(grey, blur), "sharpen": strong}, columns=3)

# %%
horizontal = np.transpose(edges)
maps = {"edges": filtered(grey, edges), "edges, transposed": filtered(grey, horizontal)}
figure = drawings.pictures(maps, columns=2, signed=True)

# %% [markdown]
# **What to notice.** First row: the blurred picture is soft, the sharpened one hard; fine lines and small
# things stand out (and so does noise). Second row: mid-grey means 0, lighter is positive, darker is negative.
# Your kernel draws what stands upright. The transposed one draws what lies. Every aircraft is white on one
# side and black on the other: left and right edge.

# %% [markdown]
# ## 4. Cross-correlation, or convolution?
#
# In mathematics, a **convolution** turns the kernel by half a turn first. One single bright pixel shows the
# difference. The kernel is a letter F:

# %%
letter = np.array([[1, 1, 1, 1, 0], [1, 0, 0, 0, 0], [1, 1, 1, 0, 0], [1, 0, 0, 0, 0], [1, 0, 0, 0, 0]])
dot = np.zeros((13, 13))
dot[6, 6] = 1
true_convolution = signal.convolve2d(dot, letter, mode="valid")
turned = {"cross-correlation": filtered(dot, letter), "true convolution": true_convolution}
figure = drawings.pictures({"image": dot, "kernel": letter} | turned)

# %% [markdown]
# **What to notice.** The cross-correlation prints the F standing on its head; the true convolution prints it
# as it is. **Deep learning says "convolution" but computes the cross-correlation** (PyTorch as well). It makes
# no difference there: the weights are learned, so the network simply learns the turned kernel.
#
# ### Exercise 5 (3 min, easy): a true convolution
# Use `filtered` for the walk; you only have to turn the kernel. A slice `[::-1]` reverses an axis.

# %% tags=["wrong"]
# hint: left and right must change places as well
def convolve(image, kernel):
    return filtered(image, kernel[::-1])

# %% tags=["wrong"]
# hint: mirrored the kernel at its diagonal
def convolve(image, kernel):
    return filtered(image, kernel.T)

# %% tags=["wrong"]
# hint: the kernel must be turned first
def convolve(image, kernel):
    return filtered(image, kernel)

# %% tags=["right"]
def convolve(image, kernel):
    return filtered(image, np.rot90(kernel, 2))

# %% name="convolve" tags=["exercise"]
def convolve(image, kernel):
    """The true convolution of an image (H, W) with a square kernel, inside the image."""
    # BEGIN SOLUTION
    return filtered(image, kernel[::-1, ::-1])
    # END SOLUTION

# %% tags=["check"]
check_convolve(convolve)

# %% [markdown]
# ## 5. Padding, stride, and the size of the output
#
# Without help, the image shrinks with every convolution, and pixels at the border are seen less often.
# **Padding** puts zeros around the image. With 1 for a kernel of 3, the size stays:

# %%
figure = drawings.padding_and_stride(size=5, kernel=3, padding=1)

# %% [markdown]
# The **stride** is how far the window jumps. With stride 2 the output is about half as large:

# %%
figure = drawings.padding_and_stride(size=7, kernel=3, stride=2)

# %% [markdown]
# **What to notice.** Grey cells: the zeros. The frames are the windows of the first row (at most four are
# drawn); the frame of the same colour and line on the right is the output of that window.
#
# ### Exercise 6 (5 min, medium): predict the size
# Write the formula for one side. Padding is added on **both** sides. A last step that does not fit is left out.

# %% tags=["wrong"]
# hint: the place where the window starts counts as well
def output_size(size, kernel, stride=1, padding=0):
    return (size + 2 * padding - kernel) // stride

# %% tags=["wrong"]
# hint: it counts twice
def output_size(size, kernel, stride=1, padding=0):
    return (size + padding - kernel) // stride + 1

# %% tags=["wrong"]
# hint: no half place
def output_size(size, kernel, stride=1, padding=0):
    return (size + 2 * padding - kernel) / stride + 1

# %% tags=["wrong"]
# hint: the stride is forgotten
def output_size(size, kernel, stride=1, padding=0):
    return size + 2 * padding - kernel + 1

# %% tags=["right"]
def output_size(size, kernel, stride=1, padding=0):
    return len(range(0, size + 2 * padding - kernel + 1, stride))

# %% name="output_size" tags=["exercise"]
def output_size(size, kernel, stride=1, padding=0):
    """How many places a window of `kernel` pixels has in a row of `size` pixels."""
    # BEGIN SOLUTION
    return (size + 2 * padding - kernel) // stride + 1
    # END SOLUTION

# %% tags=["check"]
check_output_size(output_size)

# %% [markdown]
# ## 6. Pooling: keep the strongest answer
#
# A filter answers at every pixel. Often we need to know *that* there is an edge, not exactly *at which* pixel.
# **Max pooling** keeps the largest number of each block:

# %%
numbers = np.array([[1, 3, 2, 0], [5, 4, 1, 1], [0, 1, 7, 4], [9, 2, 3, 6]])
figure = drawings.pooling(numbers)

# %% [markdown]
# ### Exercise 7 (5 min, medium): max pooling
# Blocks of `size` × `size` do not overlap. Rows or columns at the end that do not fill a block are left out.

# %% tags=["wrong"]
# hint: you take the mean
def max_pool(image, size=2):
    rows, columns = image.shape[0] // size, image.shape[1] // size
    return image[: rows * size, : columns * size].reshape(rows, size, columns, size).mean(axis=(1, 3))

# %% tags=["wrong"]
# hint: blocks do not overlap
def max_pool(image, size=2):
    rows, columns = image.shape[0] - size + 1, image.shape[1] - size + 1
    output = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            output[row, column] = image[row : row + size, column : column + size].max()
    return output

# %% tags=["wrong"]
# hint: the largest of -3 and -5 is -3
def max_pool(image, size=2):
    output = np.zeros((image.shape[0] // size, image.shape[1] // size))
    for row in range(output.shape[0] * size):
        for column in range(output.shape[1] * size):
            block = row // size, column // size
            output[block] = max(output[block], image[row, column])
    return output

# %% tags=["right"]
def max_pool(image, size=2):
    rows, columns = image.shape[0] // size, image.shape[1] // size
    return image[: rows * size, : columns * size].reshape(rows, size, columns, size).max(axis=(1, 3))

# %% name="max_pool" tags=["exercise"]
def max_pool(image, size=2):
    """(H, W) -> the largest number of each block of size x size."""
    rows, columns = image.shape[0] // size, image.shape[1] // size
    output = np.zeros((rows, columns))
    for row in range(rows):
        for column in range(columns):
            # BEGIN SOLUTION
            # STUB
            # output[row, column] = ...  # TODO
            block = image[row * size : (row + 1) * size, column * size : (column + 1) * size]
            output[row, column] = block.max()
            # END SOLUTION
    return output

# %% tags=["check"]
check_max_pool(max_pool)

# %% [markdown]
# What is left of an aircraft after several pools? Here is the strength of its edges, pooled again and again.

# %%
strength = np.abs(filtered(patch.mean(axis=2), kernel))
pooled = {"edges: 62 × 62": strength}
for _ in range(3):
    strength = F.max_pool2d(torch.from_numpy(strength)[None], 2)[0].numpy()
    pooled[f"pooled: {strength.shape[0]} × {strength.shape[1]}"] = strength
figure = drawings.pictures(pooled)

# %% [markdown]
# **What to notice.** Each pool leaves a quarter of the numbers. The place becomes coarse, the message "strong
# edges here" stays. And each number stands for a larger part of the image. Section 8 comes back to that.

# %% [markdown]
# ## 7. How many numbers does a network learn?
#
# A colour image has three channels, so **one filter has three kernels**, one for each. The three sums are
# added, a **bias** (one number) comes on top, and the result is one **feature map**. Another filter, another map.

# %%
figure = drawings.filter_on_channels(kernel=3)

# %% [markdown]
# ### Exercise 8 (4 min, easy): count a convolution
# `nn.Conv2d(inputs, outputs, kernel)` has `inputs` channels, `outputs` filters, and kernels of
# `kernel` × `kernel`. How many **parameters** (weights and biases) has it? The size of the image plays no part!

# %% tags=["wrong"]
# hint: each filter has a bias as well
def conv_parameters(inputs, outputs, kernel):
    return kernel * kernel * inputs * outputs

# %% tags=["wrong"]
# hint: a kernel for each input channel
def conv_parameters(inputs, outputs, kernel):
    return (kernel * kernel + 1) * outputs

# %% tags=["wrong"]
# hint: a bias for each kernel
def conv_parameters(inputs, outputs, kernel):
    return (kernel * kernel + 1) * inputs * outputs

# %% tags=["wrong"]
# hint: one bias in all
def conv_parameters(inputs, outputs, kernel):
    return kernel * kernel * inputs * outputs + 1

# %% tags=["right"]
def conv_parameters(inputs, outputs, kernel):
    return sum(parameter.numel() for parameter in nn.Conv2d(inputs, outputs, kernel).parameters())

# %% name="conv_parameters" tags=["exercise"]
def conv_parameters(inputs, outputs, kernel):
    """The number of weights and biases of a convolution."""
    # BEGIN SOLUTION
    return (kernel * kernel * inputs + 1) * outputs
    # END SOLUTION

# %% tags=["check"]
check_conv_parameters(conv_parameters)

# %% [markdown]
# Ask PyTorch. `parameters()` gives all arrays that are learned, `numel()` counts the numbers of one of them.

# %%
def count(network):
    return sum(parameter.numel() for parameter in network.parameters())

one_filter, on_colour = nn.Conv2d(1, 1, kernel_size=3), nn.Conv2d(3, 32, kernel_size=3)
print("one filter 3x3 on one channel:", count(one_filter))
print("32 filters 3x3 on RGB:        ", count(on_colour))
assert (count(one_filter), count(on_colour)) == (10, 896)

# %% [markdown]
# ### Exercise 9 (6 min, medium): count a network
# For grey images of 28 × 28 with 10 classes:
# `Conv2d(1, 32, 3, padding=1)` → `MaxPool2d(2)` → `Flatten` → `Linear(…, 128)` → `Linear(128, 10)`.
#
# Count with paper and pencil, layer by layer. (Pool and Flatten learn nothing. `Flatten` writes all numbers of
# all maps into one row. A dense layer, `Linear`, has a weight for each pair of input and output, and a bias for
# each output.)

# %%
stages = [("image", 1, 28), ("conv 3", 32, 28), ("pool", 32, 14), ("dense", 128, 1), ("dense", 10, 1)]
figure = drawings.network(stages)  # name, channels, side

# %% tags=["wrong"]
# hint: 13 x 13 places
convolution, dense, output = 320, 32 * 13 * 13 * 128 + 128, 1290

# %% tags=["wrong"]
# hint: 32 maps of them
convolution, dense, output = 320, (14 * 14 + 1) * 128, 1290

# %% tags=["wrong"]
# hint: the biases of the 128 neurons
convolution, dense, output = 320, 32 * 14 * 14 * 128, 1290

# %% tags=["right"]
convolution = 9 * 32 + 32
dense = (32 * 14 * 14 + 1) * 128
output = 129 * 10

# %% name="grey_net" tags=["exercise"]
convolution = 320  # SOLUTION
dense = 802_944  # SOLUTION
output = 1_290  # SOLUTION

# %% tags=["check"]
check_grey_net(convolution, dense, output)

# %% [markdown]
# Then let **torchinfo** confirm it. It sends an image of the given shape through the network and lists shapes and
# counts.

# %%
grey_net = nn.Sequential(
    nn.Conv2d(1, 32, kernel_size=3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.LazyLinear(128), nn.ReLU(), nn.Linear(128, 10),
)
report = summary(grey_net, input_size=(1, 1, 28, 28), col_names=("output_size", "num_params"), verbose=0)
print(report)
assert report.total_params == 804_554

# %% [markdown]
# **What to notice.** 804,554 parameters, and nearly all of them sit in one single layer, the first dense one. The
# convolution, which does the looking, needs 320. (`LazyLinear` counts its inputs by itself at the first image. We
# used it so as not to tell you the answer.)

# %% [markdown]
# ### Exercise 10 (8 min, medium): build a lean one
# For grey images of 32 × 32. No padding anywhere; a ReLU follows each convolution, then a pool of 2 × 2:
# 10 filters of 5 × 5, pool, 25 filters of 5 × 5, pool, 100 filters of 4 × 4, pool, and one dense layer to 10
# classes. Follow the side of the image: what is left for the dense layer?

# %% tags=["wrong"]
# hint: a pool of 2 x 2 follows each
def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 25, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(25, 100, 4), nn.ReLU(), nn.Flatten(), nn.Linear(400, 10),
    )

# %% tags=["wrong"]
# hint: without it, convolutions in a row
def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.Conv2d(10, 25, 5), nn.MaxPool2d(2),
        nn.Conv2d(25, 100, 4), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, 10),
    )

# %% tags=["wrong"]
# hint: the kernel of the third convolution
def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 25, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(25, 100, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, 10),
    )

# %% tags=["wrong"]
# hint: is padded
def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 10, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 25, 5, padding=2), nn.ReLU(),
        nn.MaxPool2d(2), nn.Conv2d(25, 100, 4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 10),
    )

# %% tags=["wrong"]
# hint: input channels of the first convolution
def small_net():
    return nn.Sequential(
        nn.Conv2d(3, 10, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 25, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(25, 100, 4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, 10),
    )

# %% tags=["wrong"]
# hint: how many numbers arrive
def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 25, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(25, 100, 4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2 * 2 * 100, 10),
    )

# %% tags=["wrong"]
# hint: the loss wants plain scores
def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 10, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(10, 25, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(25, 100, 4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(100, 10), nn.Softmax(dim=1),
    )

# %% tags=["right"]
def small_net():
    layers = []
    for outputs, size in ((10, 5), (25, 5), (100, 4)):
        layers += [nn.LazyConv2d(outputs, size), nn.MaxPool2d(2), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(100, 10))

# %% name="small_net" tags=["exercise"]
def small_net():
    """(N, 1, 32, 32) -> (N, 10): three convolutions with pools, one dense layer."""
    # BEGIN SOLUTION
    # STUB
    # return nn.Sequential(
    #     nn.Conv2d(1, 10, kernel_size=5), nn.ReLU(), nn.MaxPool2d(2),
    #     ...,  # TODO: two more times convolution, ReLU, pool
    #     nn.Flatten(),
    #     ...,  # TODO: the dense layer
    # )
    return nn.Sequential(
        nn.Conv2d(1, 10, kernel_size=5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(10, 25, kernel_size=5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(25, 100, kernel_size=4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(100, 10),
    )
    # END SOLUTION

# %% tags=["check"]
check_small_net(small_net)

# %%
reader = lessons.use(check_small_net, small_net, package.small_net)()
report = summary(reader, input_size=(1, 1, 32, 32), col_names=("output_size", "num_params"), verbose=0)
print(report)
assert report.total_params == 47_645

# %% [markdown]
# **What to notice.** Three convolutions instead of one, and yet only 47,645 parameters: a seventeenth of the
# network before. The pools make the maps small **before** the dense layer comes.

# %% [markdown]
# ## 8. How far does a network see?
#
# One number after a 3 × 3 convolution sees 3 × 3 pixels. And a number deeper in the network? Follow the lines
# from the top down, here along one dimension. (Under the top box only the two outer lines are drawn.)

# %%
figure = drawings.receptive_field([("conv 3", 3, 1), ("pool 2", 2, 2), ("conv 3", 3, 1)])

# %% [markdown]
# **What to notice.** The orange number on top sees 3 numbers below it, these see 6, and these see 8 pixels of
# the image. The part of the image that one number sees is its **receptive field**. After a pool, neighbours
# lie 2 pixels apart; so every kernel after it reaches twice as far.
#
# ### Exercise 11 (8 min, hard): compute it
# `layers` is a list of `(kernel, stride)`, from the image on; a pool of 2 is `(2, 2)`. Keep two numbers: `field`
# (how many pixels are seen) and `jump` (how many pixels lie between two neighbours). Both start at 1.

# %% tags=["wrong"]
# hint: after a stride of 2
def receptive_field(layers):
    field = 1
    for kernel, stride in layers:
        field += kernel - 1
    return field

# %% tags=["wrong"]
# hint: adds only 2 new pixels
def receptive_field(layers):
    return sum(kernel for kernel, stride in layers) or 1

# %% tags=["wrong"]
# hint: not the layer itself
def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride in layers:
        jump *= stride
        field += (kernel - 1) * jump
    return field

# %% tags=["wrong"]
# hint: draw it as in the figure
def receptive_field(layers):
    field, jump = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * jump
        jump = jump + stride
    return field

# %% tags=["right"]
def receptive_field(layers):
    field = 1
    for kernel, stride in reversed(layers):
        field = (field - 1) * stride + kernel
    return field

# %% name="receptive_field" tags=["exercise"]
def receptive_field(layers):
    """How many pixels, along one side, one number behind these (kernel, stride) layers sees."""
    field, jump = 1, 1
    for kernel, stride in layers:
        # BEGIN SOLUTION
        # STUB
        # field = ...  # TODO: `kernel - 1` steps are new, and how long is a step?
        # jump = ...  # TODO
        field = field + (kernel - 1) * jump
        jump = jump * stride
        # END SOLUTION
    return field

# %% tags=["check"]
check_receptive_field(receptive_field)

# %% [markdown]
# `toy_cnn`, the network of lesson 3, has five convolutions of 3 × 3 and two pools. Its fields on an aircraft:

# %%
field_of = lessons.use(check_receptive_field, receptive_field, package.receptive_field)
layers = [(3, 1), (3, 1), (2, 2), (3, 1), (3, 1), (3, 1), (2, 2)]
names = {1: "convolution 1", 2: "convolution 2", 3: "pool 1", 5: "convolution 4", 7: "pool 2"}
fields = [(name, field_of(layers[:depth])) for depth, name in names.items()]
figure = drawings.fields_on_image(patch, fields)
print(fields)

# %% [markdown]
# Do not believe a formula that you can test. The **gradient** of lesson 1 tells how much an output changes when
# an input changes. So: take one number after the second pool, and ask for its gradient at every pixel. Where it
# is 0, the pixel is not seen. (Max pooling looks at one pixel of four, so we add up many patches.)

# %%
torch.manual_seed(0)
eyes = models.build("toy_cnn").layers[:12]  # five convolutions with ReLU, two pools
images = torch.from_numpy(np.array(aircraft[:100])).permute(0, 3, 1, 2) / 255
images.requires_grad_(True)
eyes(images)[:, :, 6, 6].sum().backward()  # the number at row 6, column 6 of all maps
influence = images.grad.abs().sum(dim=(0, 1)).numpy()  # (64, 64)
seen = int((influence.sum(axis=0) > 0).sum())
print("columns that it sees:", lessons.expect(seen, 20, 20, "the measured receptive field"))
figure = drawings.influence(patch, influence, side=20)

# %% [markdown]
# **What to notice.** Measured: exactly 20 columns, as the formula says (white square). Not all pixels in it count
# alike: many ways lead from the middle to the number, few from the border. And 20 metres do not hold a whole
# airliner! The network sees parts (a wing, a tail), and its dense layers put the parts together.

# %% [markdown]
# ## 9. A convolutional network reads digits
#
# A **CNN** (convolutional neural network) is: convolutions with ReLU, pools, and dense layers at the end. This
# one became famous with the handwritten digits called MNIST. We feed it the digits of lesson 1, enlarged from
# 8 × 8 to 28 × 28.

# %%
digits = load_digits()
pixels = torch.tensor(digits.images / 16, dtype=torch.float32)[:, None]  # (1797, 1, 8, 8) in [0, 1]
pixels = F.interpolate(pixels, size=28, mode="bilinear")  # (1797, 1, 28, 28)
target = torch.tensor(digits.target)
rows = np.arange(len(target))
train_rows, test_rows = train_test_split(rows, test_size=0.2, random_state=0, stratify=digits.target)
figure = drawings.pictures({str(k): pixels[k, 0].numpy() for k in range(8)}, columns=8)

# %% [markdown]
# ### Exercise 12 (3 min, easy): what goes into the dense layer?
# `Conv2d(1, 32, 3)` → `Conv2d(32, 64, 3)` → `MaxPool2d(2)` → `Flatten` → `Linear(features, 128)` →
# `Linear(128, 10)`; no padding. How many `features` are there for an image of 28 × 28?

# %% tags=["wrong"]
# hint: the pool comes after it
features = 64 * 24 * 24

# %% tags=["wrong"]
# hint: these two have no padding
features = 64 * 14 * 14

# %% tags=["wrong"]
# hint: how many maps are there
features = 12 * 12

# %% tags=["wrong"]
# hint: how many there are in all
features = (64, 12, 12)

# %% tags=["right"]
features = 64 * 12 * 12

# %% name="features" tags=["exercise"]
features = 9216  # SOLUTION

# %% tags=["check"]
check_features(features)

# %% [markdown]
# The loop of lesson 1 trains any network. Here it is as a function, with the optimiser **Adam**: gradient descent
# that adapts its step for every weight (more in lesson 4). You write such a loop yourself in lesson 3.

# %%
device = lessons.device()

def train(network, images, labels, epochs):
    network.to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(32):  # 32 images at a time
            loss = F.cross_entropy(network(images[rows].to(device)), labels[rows].to(device))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return network

@torch.no_grad()
def accuracy(network, images, labels):
    return float((network(images.to(device)).argmax(dim=1).cpu() == labels).float().mean())

# %% [markdown]
# Train it, with your number of features (it takes a moment):

# %%
features = lessons.use(check_features, features, 64 * 12 * 12)
torch.manual_seed(0)
mnist_cnn = nn.Sequential(
    nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(features, 128), nn.ReLU(), nn.Linear(128, 10),
)
train(mnist_cnn, pixels[train_rows], target[train_rows], epochs=lessons.budget(6, 1))
score = accuracy(mnist_cnn, pixels[test_rows], target[test_rows])
print(f"{count(mnist_cnn):,} parameters, accuracy on the test digits: {score:.3f}")
score = lessons.expect(score, 0.93, 1.0, "accuracy on the digits")

# %% [markdown]
# **What to notice.** Between 0.93 and 1.00, about as good as the MLP of lesson 1, with far more parameters. These
# digits are centred, all of one size, and easy: here an MLP is enough. Now something harder.

# %% [markdown]
# ## 10. The experiment: CNN against MLP
#
# The task: is there an aircraft in the middle of the patch, or not? Half of the patches have one. To be quick, we
# make them smaller, 32 × 32 pixels. To be fair, both networks get **equally many parameters**.

# %%
def prepare(patches):
    """Patches -> images (N, 3, 32, 32) around 0, and labels (N,)."""
    images = torch.from_numpy(np.array(patches.images)).permute(0, 3, 1, 2) / 255 - 0.5
    return F.avg_pool2d(images, 2), torch.from_numpy(np.array(patches.labels)).long()

train_patches, val_patches = datasets.split(toy.train, fraction=0.2, seed=0)
train_images, train_labels = prepare(train_patches)
val_images, val_labels = prepare(val_patches)
print("train:", tuple(train_images.shape), " validation:", tuple(val_images.shape))
print(f"share of patches with an aircraft: {train_labels.float().mean():.2f}")

# %% [markdown]
# The CNN: three convolutions, two pools, two dense layers. Behind each line the shape that comes out.

# %%
def cnn():
    return nn.Sequential(
        nn.Conv2d(3, 16, 5), nn.ReLU(), nn.MaxPool2d(2),   # 16, 14, 14
        nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),  # 32, 6, 6
        nn.Conv2d(32, 64, 3), nn.ReLU(),                   # 64, 4, 4
        nn.Flatten(), nn.Linear(64 * 4 * 4, 32), nn.ReLU(), nn.Linear(32, 2),
    )

print(f"the CNN has {count(cnn()):,} parameters")

# %% [markdown]
# ### Exercise 13 (5 min, medium): an MLP of equal size
# `Flatten` → `Linear(inputs, hidden)` → `ReLU` → `Linear(hidden, outputs)`: how many hidden neurons may it
# have at most, so that it has no more than `parameters`?

# %% tags=["wrong"]
# hint: too many
def hidden_units(parameters, inputs, outputs):
    return parameters // inputs + 1

# %% tags=["wrong"]
# hint: no half neuron
def hidden_units(parameters, inputs, outputs):
    return (parameters - outputs) / (inputs + 1 + outputs)

# %% tags=["wrong"]
# hint: one more neuron would fit
def hidden_units(parameters, inputs, outputs):
    return (parameters - outputs) // (inputs + 1 + outputs) - 1

# %% tags=["right"]
def hidden_units(parameters, inputs, outputs):
    hidden = 0
    while (inputs + 1) * (hidden + 1) + (hidden + 2) * outputs <= parameters:
        hidden += 1
    return hidden

# %% name="hidden_units" tags=["exercise"]
def hidden_units(parameters, inputs, outputs):
    """The most hidden neurons that an MLP of at most `parameters` can have."""
    # BEGIN SOLUTION
    return (parameters - outputs) // (inputs + 1 + outputs)
    # END SOLUTION

# %% tags=["check"]
check_hidden_units(hidden_units)

# %% [markdown]
# And for our patches?

# %%
most = lessons.use(check_hidden_units, hidden_units, package.hidden_units)
hidden = int(most(count(cnn()), 3 * 32 * 32, 2))
print("hidden neurons:", lessons.expect(hidden, 18, 18, "the hidden neurons"))

# %% [markdown]
# So the MLP gets 18. Each network is trained three times, from different random weights (another **seed** each): one
# single number could be luck.

# %%
def mlp(hidden=hidden):
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, hidden), nn.ReLU(), nn.Linear(hidden, 2))

trained = {}  # the last network of each kind

def compare(training_images, validation_images):
    """The validation accuracies of both networks, one for each seed."""
    scores = {}
    for name, build in (("CNN", cnn), ("MLP", mlp)):
        scores[name] = []
        for seed in range(lessons.budget(3, 1)):
            torch.manual_seed(seed)
            network = train(build(), training_images, train_labels, epochs=lessons.budget(10, 1))
            scores[name].append(accuracy(network, validation_images, val_labels))
        trained[name] = network
        print(f"{name}: {count(network):,} parameters, mean accuracy {np.mean(scores[name]):.3f}")
    return scores

# %%
normal = compare(train_images, val_images)
lead = lessons.expect(np.mean(normal["CNN"]) - np.mean(normal["MLP"]), 0.04, 0.25, "lead of the CNN")
print(f"the CNN leads by {lead:.3f}")

# %% [markdown]
# **What to notice.** As many parameters, the same data, the same training: the CNN wins clearly, by 0.04 to 0.25.
# (Its score is not yet good: small images, ten epochs. Lesson 3 takes the full patches.)
#
# **Is that fair?** As many parameters are not as much work: a convolution uses each weight at many places. Count
# the multiplications for one image, and give the MLP more neurons.

# %%
places = {"conv 1": 28 * 28, "conv 2": 12 * 12, "conv 3": 4 * 4}
weights = {"conv 1": 16 * 3 * 5 * 5, "conv 2": 32 * 16 * 3 * 3, "conv 3": 64 * 32 * 3 * 3}
work = sum(places[name] * weights[name] for name in places) + 64 * 4 * 4 * 32 + 32 * 2
work_mlp = 3 * 32 * 32 * hidden + hidden * 2
print(f"multiplications: CNN {work:,}, MLP {work_mlp:,}: {work / work_mlp:.0f} times as many")
kept, wide = trained.copy(), {}
for neurons in lessons.budget((256, 1024), (64,)):
    torch.manual_seed(0)
    network = train(mlp(neurons), train_images, train_labels, epochs=lessons.budget(10, 1))
    wide[neurons] = accuracy(network, val_images, val_labels)
    print(f"MLP with {neurons:,} hidden neurons, {count(network):,} parameters: accuracy {wide[neurons]:.3f}")
ahead = lessons.expect(np.mean(normal["CNN"]) - max(wide.values()), 0.0, 0.25, "lead over the wide MLPs")
print(f"the CNN still leads the better of them by {ahead:.3f}")

# %% [markdown]
# **What to notice.** The CNN computes about 35 times as much as the MLP of equal size. But neither work nor size
# explains its lead: with far more neurons the MLP does not catch up.
#
# **Why?** A thought: a convolution believes two things about pictures. *Neighbours belong together*, and *what
# helps here, helps there*. If that is the reason, then the CNN must lose its lead when we destroy the
# neighbourhood. Let us do that.

# %% [markdown]
# ### Exercise 14 (5 min, medium): scramble the pixels
# Move the pixels of **all** images to new places, with **the same** fixed order for every image and every
# channel. `order` holds the numbers 0 ... H·W − 1 shuffled: place `k` shows what was at place `order[k]`,
# counted along the rows. (A loop is fine. Without a loop: what does `images.flatten(2)` do?)

# %% tags=["wrong"]
# hint: do not draw a new one
def scramble(images, order):
    return images.flatten(2)[:, :, torch.randperm(len(order))].reshape(images.shape)

# %% tags=["wrong"]
# hint: the other way round
def scramble(images, order):
    scrambled = torch.empty_like(images).flatten(2)
    scrambled[:, :, order] = images.flatten(2)
    return scrambled.reshape(images.shape)

# %% tags=["wrong"]
# hint: the order of the images
def scramble(images, order):
    return images[order[order < len(images)]]

# %% tags=["wrong"]
# hint: give them their shape back
def scramble(images, order):
    return images.flatten(2)[:, :, order]

# %% tags=["wrong"]
# hint: your pixels moved otherwise
def scramble(images, order):
    rows = order[order < images.shape[2]]
    return images[:, :, rows]

# %% tags=["right"]
def scramble(images, order):
    scrambled = torch.empty_like(images)
    for k, image in enumerate(images):
        for c, channel in enumerate(image):
            scrambled[k, c] = channel.flatten()[order].reshape(channel.shape)
    return scrambled

# %% name="scramble" tags=["exercise"]
def scramble(images, order):
    """(N, C, H, W) -> the same images, with their pixels in the new order (H * W,)."""
    # BEGIN SOLUTION
    return images.flatten(2)[:, :, order].reshape(images.shape)
    # END SOLUTION

# %% tags=["check"]
check_scramble(scramble)

# %%
mix = lessons.use(check_scramble, scramble, package.scramble)
order = torch.randperm(32 * 32, generator=torch.Generator().manual_seed(0))
scrambled_val = mix(val_images, order)
shown = {}
for k in torch.nonzero(val_labels)[:3, 0].tolist():
    shown[f"aircraft {k}"] = val_images[k].permute(1, 2, 0).numpy() + 0.5
    shown[f"{k}, scrambled"] = scrambled_val[k].permute(1, 2, 0).numpy() + 0.5
figure = drawings.pictures(shown, columns=6)

# %% [markdown]
# No pixel is lost, but you cannot see an aircraft any more. **Write down your guess first:** which of the two
# networks loses, and how much? Then run the cell.

# %%
scrambled = compare(mix(train_images, order), scrambled_val)
change = np.mean(scrambled["MLP"]) - np.mean(normal["MLP"])
loss = np.mean(normal["CNN"]) - np.mean(scrambled["CNN"])
print(f"the MLP changes by {lessons.expect(change, -0.06, 0.06, 'change of the MLP'):+.3f}")
print(f"the CNN loses {lessons.expect(loss, 0.04, 0.3, 'loss of the CNN'):.3f}")
figure = drawings.comparison({"normal": normal, "scrambled": scrambled}, chance=0.5)

# %% [markdown]
# **What to notice.** Each mark is one seed, the bar is their mean. For the **MLP** next to nothing happened
# (less than ± 0.06): each pixel has its own weights, so it does not care where a pixel stands. The **CNN**
# loses 0.04 to 0.30, and with it its lead. So its strength was not magic but a **belief about pictures that
# is true**. Where it is not true (a table with its columns in any order), a CNN does not help.

# %% [markdown]
# ### What helps here, helps there
# The second belief has a name: **translation equivariance**. Move the image, and the map of a convolution moves
# along: `f(shift x) = shift f(x)`. Test it, with your edges and a shift of 5 pixels to the right (the first 5
# columns come from outside of the picture, so they are left out):

# %%
moved = np.roll(grey, 5, axis=1)
first_moved, first_filtered = filtered(moved, edges)[:, 5:], np.roll(filtered(grey, edges), 5, axis=1)[:, 5:]
print("shift, then filter = filter, then shift:", np.allclose(first_moved, first_filtered))

# %% [markdown]
# And a whole network? Cut patches in which an aircraft lies 0, 2, 4 ... 24 pixels away from the middle, and ask
# both networks (trained on the patches that are *not* scrambled) how sure they are. Guess first!

# %%
shifts = np.arange(0, 25, 2)
sure = {name: [] for name in kept}
spots = [(tile.image, *np.round(center - 32).astype(int)) for tile in tiles for center in tile.centers]
spots = [(image, x, y) for image, x, y in spots if 0 <= y <= 448 and 24 <= x <= 424]
for shift in shifts:
    cut = [image[y : y + 64, x + s : x + s + 64] for image, x, y in spots for s in (-shift, shift)]
    small_images = F.avg_pool2d(torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2) / 255 - 0.5, 2).to(device)
    for name, network in kept.items():
        with torch.no_grad():
            sure[name].append(float(network(small_images).softmax(dim=1)[:, 1].mean()))
figure = drawings.over_shift(shifts, sure, border=16)
drop = {name: values[0] - values[-1] for name, values in sure.items()}
print(f"{len(spots)} aircraft; from 0 to 24 pixels the CNN falls by {drop['CNN']:.2f}, the MLP by {drop['MLP']:.2f}")

# %% [markdown]
# **What to notice.** The convolutions are equivariant; a whole network need not be *in*variant, which would mean "the same
# score wherever the aircraft lies". Its dense layers know the places of the map. And it should not be: our label says
# whether the centre of an aircraft lies in the middle square, so the score has to fall behind the dotted line. Which of
# the two curves does so more clearly?

# %% [markdown]
# ## 11. What has it learned?
#
# The filters of the first layer have three channels, so we can look at them as small colour pictures. To see
# more, we train a last network with filters of 7 × 7. Its first layer starts **near zero**: what we see then was
# learned and is not left from the random start.

# %%
torch.manual_seed(0)
looker = nn.Sequential(
    nn.Conv2d(3, 16, 7), nn.ReLU(), nn.MaxPool2d(2),   # 16, 13, 13
    nn.Conv2d(16, 32, 3), nn.ReLU(), nn.MaxPool2d(2),  # 32, 5, 5
    nn.Conv2d(32, 64, 3), nn.ReLU(),                   # 64, 3, 3
    nn.Flatten(), nn.Linear(64 * 3 * 3, 32), nn.ReLU(), nn.Linear(32, 2),
)
with torch.no_grad():
    looker[0].weight.mul_(0.1)
train(looker, train_images, train_labels, epochs=lessons.budget(12, 1))
score = lessons.expect(accuracy(looker, val_images, val_labels), 0.7, 0.95, "accuracy of the looker")
print(f"validation accuracy {score:.3f}")

# %%
kernels = {}
for k, weight in enumerate(looker.cpu()[0].weight.detach()):  # (3, 7, 7)
    weight = weight.permute(1, 2, 0).numpy()
    kernels[f"filter {k}"] = 0.5 + 0.5 * weight / np.abs(weight).max()  # mid-grey is 0
figure = drawings.pictures(kernels, columns=8)

# %% [markdown]
# **What to notice.** Nobody wrote these numbers. Look for light bars on dark ground (a wing, a fuselage), dark
# spots, borders between light and dark as in your exercise 4, and filters of one colour. A few filters still
# look like coloured noise: they are the random start, which the training hardly changed.
#
# And what do they answer? The **feature maps** of an aircraft, those with the strongest answers:

# %%
k = int(torch.nonzero(val_labels)[0, 0])
with torch.no_grad():
    maps = looker[:2](val_images[k : k + 1])[0].numpy()  # behind the first ReLU: (16, 26, 26)
strongest = maps.max(axis=(1, 2)).argsort()[::-1][:7]
shown = {"image": val_images[k].permute(1, 2, 0).numpy() + 0.5}
figure = drawings.pictures(shown | {f"map {j}": maps[j] for j in strongest})

# %% [markdown]
# **What to notice.** Black is 0. Each map shows where its filter fits. Some draw the long light body, others
# answer only at the wings, the tail or the shadow. The next layer combines these maps as this one combined red,
# green and blue: edges become parts, and parts become aircraft.

# %% [markdown]
# ## What you learned
#
# * An image is an array: rows, columns, channels; `uint8` wraps around; PyTorch wants `(N, C, H, W)` floats.
# * A convolution is a small kernel that walks: few weights, used everywhere. In deep learning it is a
#   cross-correlation, strictly speaking.
# * You can predict output size, parameters and receptive field with paper and pencil, and confirm them.
# * Pooling makes maps smaller and the receptive field larger; dense layers hold most parameters.
# * A CNN beats an MLP of equal size on pictures, because neighbouring pixels belong together. With scrambled
#   pixels it loses its lead.
#
# ## How to go on
#
# * Try a kernel of your own on the tile, for example `[[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]`. What does it do?
# * Train the CNN for 30 epochs. Does the validation accuracy go on rising?
# * Lesson 3 takes the full patches and trains `toy_cnn` properly: curves, thresholds, errors looked at.

# %% [markdown]
# ## Quiz
#
# The answers are in the solution notebook, `solutions/02_convolutions.ipynb`, at the same place.
#
# 1. An image of 64 × 64 goes through `Conv2d(3, 8, 5)` and then `MaxPool2d(2)`. The shape of the result?
#     - (a) 8 × 32 × 32, (b) 8 × 30 × 30, (c) 3 × 30 × 30, (d) 8 × 60 × 60
# 2. Which padding keeps the size for a kernel of 7 and stride 1?
#     - (a) 1, (b) 2, (c) 3, (d) 7
# 3. The image becomes twice as wide and twice as high. What happens to the parameters of `Conv2d(3, 32, 3)`?
#     - (a) nothing, (b) twice as many, (c) four times as many, (d) it depends on the padding
# 4. Three convolutions of 3 × 3 in a row see as much as one convolution of ...
#     - (a) 3 × 3, (b) 5 × 5, (c) 7 × 7, (d) 9 × 9
# 5. You sort the 30 columns of a table of patients by the alphabet and train again. What do you expect?
#     - (a) an MLP gets better, (b) a CNN gets better, (c) an MLP stays about the same, (d) both fail

# %% [markdown] tags=["solution"]
# **Answers.** 1: (b), 64 − 5 + 1 = 60, the pool halves it. 2: (c), (7 − 1) / 2. 3: (a), the same weights are
# used at more places. 4: (c), 1 + 2 + 2 + 2. 5: (c), it does not care about the order; neighbouring columns have
# no meaning, so a CNN has nothing to gain.
#
# **For the teacher.** Usual stumbling blocks: the kernel stays as it is in exercise 3 and is turned in exercise 5;
# padding lies on both sides (exercise 6); each filter has one bias, not one for each channel (exercise 8); in
# exercise 11 a layer's stride counts for the layers after it. The plan in `TEACHING.md` takes exercises 3, 4, 6,
# 8, 12 and 14. Let the room vote before section 10: who wins when the pixels are scrambled, and why?
