# ---
# aircraft:
#   title: Find the mistake
#   minutes: 30
#   can_do: test a sentence of a slide with a few lines of code, and repair five that are wrong
# ---

# %% [markdown]
# # Extra: find the mistake
#
# Slides, blogs and books contain mistakes. So do the answers of chat programs. After this extra you can do
# what helps against all of them: **turn a sentence into code, and look whether it holds.**
#
# **30 minutes**, five slides, one mistake on each. All five have stood on real slides. You need lesson 2
# (convolutions); dropout is explained in lesson 4. Nothing is trained here, and every cell takes seconds.
#
# Read each slide first, and guess before you compute. A check tells you in one line whether an answer is
# right; `check_window_value.hint()` in a cell of your own gives a first step, a second call nearly the answer.

# %% tags=["setup"]

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torchvision import models as zoo

from aircraft_course.checks.extra_find_the_mistake import (
    check_dense, check_dropout, check_inception, check_same_padding, check_window_value,
)

# %% [markdown]
# ## Slide 1: one value of a convolution
#
# > **Convolution by hand.** The kernel `[[1, 0, -1], [2, 0, -2], [1, 0, -1]]` lies on the upper left corner
# > of the image. The first value of the output is
# > `1·8 + 0·3 - 1·1 + 2·7 + 0·5 - 2·2 = 17`.

# %%
image = np.array([[8, 3, 1, 0],
                  [7, 5, 2, 1],
                  [9, 4, 6, 3],
                  [2, 2, 5, 8]])
kernel = np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]])
claimed = 1 * 8 + 0 * 3 - 1 * 1 + 2 * 7 + 0 * 5 - 2 * 2
print("the slide's sum:", claimed)

# %% [markdown]
# The sum is computed correctly. Count its products: how many should there be?
#
# ### Exercise 1 (5 min, easy): the right value
# Write a function for the value at one place: the window of the image whose **upper left** pixel is
# `(row, column)`, times the kernel. Kernels of any size should work.

# %% tags=["wrong"]
# hint: six of nine
def window_value(image, kernel, row, column):
    window = image[row : row + 2, column : column + 3]
    return (window * kernel[:2]).sum()

# %% tags=["wrong"]
# hint: turned by 180
def window_value(image, kernel, row, column):
    rows, columns = kernel.shape
    window = image[row : row + rows, column : column + columns]
    return (window * kernel[::-1, ::-1]).sum()

# %% tags=["wrong"]
# hint: row and column are swapped
def window_value(image, kernel, row, column):
    rows, columns = kernel.shape
    return (image[column : column + rows, row : row + columns] * kernel).sum()

# %% tags=["right"]
def window_value(image, kernel, row, column):
    total = 0
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            total += image[row + i, column + j] * kernel[i, j]
    return total

# %% name="window_value" tags=["exercise"]
def window_value(image, kernel, row, column):
    """The value of the convolution whose window begins at (row, column)."""
    # BEGIN SOLUTION
    rows, columns = kernel.shape
    window = image[row : row + rows, column : column + columns]
    return (window * kernel).sum()
    # END SOLUTION

# %% tags=["check"]
check_window_value(window_value)

# %% [markdown]
# A second opinion, from PyTorch:

# %%
batch = torch.tensor(image, dtype=torch.float32)[None, None]
filters = torch.tensor(kernel, dtype=torch.float32)[None, None]
output = nn.functional.conv2d(batch, filters)[0, 0]
print(output.numpy())
print("the slide:", claimed, "- PyTorch, in the first place:", int(output[0, 0]))

# %% [markdown]
# **What was wrong.** A 3 × 3 window has nine products, and the slide adds six: the third row is missing.
# The number looked plausible, and nobody computed it again.

# %% [markdown]
# ## Slide 2: dropout
#
# > **Dropout.** At the beginning of *each epoch* half of the neurons are chosen at random and switched off.
# > They stay off until the epoch ends.
#
# Let PyTorch tell. We send the same four images of twelve ones through `nn.Dropout`, in three batches.

# %%
torch.manual_seed(0)
layer = nn.Dropout(0.5)
figure, axes = plt.subplots(1, 3, figsize=(9, 2), layout="constrained")
for number, ax in enumerate(axes, start=1):
    after = layer(torch.ones(4, 12))
    ax.imshow(after, cmap="cividis", vmin=0, vmax=2)
    ax.set(title=f"batch {number}", xlabel="feature", xticks=[], yticks=range(4))
axes[0].set_ylabel("image")
print("values that occur:", sorted(set(after.flatten().tolist())))

# %% [markdown]
# **What to notice.** Dark is switched off. No two rows are equal: not from batch to batch, and not even
# inside one batch. And look at the values that occur: what is kept, is not 1 any more.
#
# ### Exercise 2 (8 min, medium): dropout as it is
# `x` has one row for each image. Each of its values is set to 0 with the probability `share`, each draws for
# itself, and what is kept is enlarged, so that the mean stays the same on average. Draw from `rng`, and do
# not change `x`.

# %% tags=["wrong"]
# hint: each image draws its own mask
def dropout(x, share, rng):
    kept = rng.random(x.shape[1]) >= share
    return x * kept / (1 - share)

# %% tags=["wrong"]
# hint: must grow
def dropout(x, share, rng):
    return x * (rng.random(x.shape) >= share)

# %% tags=["wrong"]
# hint: you keep what should go
def dropout(x, share, rng):
    return x * (rng.random(x.shape) < share) / share if share else x

# %% tags=["wrong"]
# hint: drew from the global random numbers
def dropout(x, share, rng):
    return x * (np.random.random(x.shape) >= share) / (1 - share)  # noqa: NPY002

# %% tags=["right"]
def dropout(x, share, rng):
    return np.where(rng.uniform(size=x.shape) < share, 0, x / (1 - share))

# %% name="dropout" tags=["exercise"]
def dropout(x, share, rng):
    """x with a share of its values set to 0 and the others enlarged; rng: numpy's generator."""
    # BEGIN SOLUTION
    kept = rng.random(x.shape) >= share
    return x * kept / (1 - share)
    # END SOLUTION

# %% tags=["check"]
check_dropout(dropout)

# %% [markdown]
# **What was wrong.** A mask lives for one forward pass. With a mask for each image and each pass the network
# can never rely on a single feature. And the slide forgot the factor: because of it, nothing has to change
# when dropout is switched off with `model.eval()`.

# %% [markdown]
# ## Slide 3: the dense layer
#
# > **Dense layer.** Each neuron computes the mean of its weighted inputs, plus a bias:
# > $y_j = \frac{1}{N} \sum_{i=1}^{N} w_{ji}\, x_i + b_j$
#
# ### Exercise 3 (4 min, easy): the right formula
# `weights` has one row for each neuron. Write what a dense layer computes for one input `x`.

# %% tags=["wrong"]
# hint: who divides by N
def dense(weights, x, bias):
    return weights @ x / len(x) + bias

# %% tags=["wrong"]
# hint: the bias is missing
def dense(weights, x, bias):
    return weights @ x

# %% tags=["right"]
def dense(weights, x, bias):
    return [sum(w * value for w, value in zip(row, x)) + b for row, b in zip(weights, bias)]

# %% name="dense" tags=["exercise"]
def dense(weights, x, bias):
    """The outputs of a dense layer, one for each row of the weights."""
    # BEGIN SOLUTION
    return weights @ x + bias
    # END SOLUTION

# %% tags=["check"]
check_dense(dense)

# %% [markdown]
# The judge is again PyTorch. `nn.Linear(12, 3)` is a dense layer with 12 inputs:

# %%
torch.manual_seed(0)
linear = nn.Linear(12, 3)
x = torch.rand(12)
with torch.no_grad():
    print("nn.Linear:  ", linear(x).numpy().round(3))
    print("sum + bias: ", (linear.weight @ x + linear.bias).numpy().round(3))
    print("slide (1/N):", (linear.weight @ x / 12 + linear.bias).numpy().round(3))

# %% [markdown]
# **What was wrong.** The layer adds; only a *loss* is usually a mean. The idea behind the slide is not
# foolish: with many inputs a sum can become large. But that is cured where the weights are drawn: they begin
# smaller when there are more inputs. The next cell shows it.

# %%
torch.manual_seed(0)
for inputs in (10, 1000):
    layer = nn.Linear(inputs, 100)
    outputs = layer(torch.randn(500, inputs))
    print(f"{inputs:4} inputs: largest weight {layer.weight.abs().max():.3f}, spread of the outputs {outputs.std():.2f}")

# %% [markdown]
# ## Slide 4: sizes
#
# > **A convolution keeps the size.** Image 64 × 64, kernel 3 × 3, stride 1, no padding: the feature map has
# > 64 × 64 values, and so has that of the next layer.

# %%
features = torch.zeros(1, 1, 64, 64)
for number in range(1, 5):
    features = nn.Conv2d(1, 1, kernel_size=3)(features)
    print(f"after convolution {number}: {features.shape[-2]} x {features.shape[-1]}")

# %% [markdown]
# ### Exercise 4 (5 min, medium): what keeps the size?
# Which `padding` keeps the size, for an odd `kernel`? With a *dilation* of `d` the pixels under the kernel
# are `d` apart: a 3 × 3 kernel with dilation 2 reaches over 5 × 5 pixels.

# %% tags=["wrong"]
# hint: without padding
def same_padding(kernel, dilation):
    return 0

# %% tags=["wrong"]
# hint: on both sides
def same_padding(kernel, dilation):
    return dilation * (kernel - 1)

# %% tags=["wrong"]
# hint: count the dilation
def same_padding(kernel, dilation):
    return kernel // 2

# %% tags=["wrong"]
# hint: whole numbers only
def same_padding(kernel, dilation):
    return dilation * (kernel - 1) / 2

# %% tags=["right"]
def same_padding(kernel, dilation):
    return dilation * (kernel // 2)

# %% name="same_padding" tags=["exercise"]
def same_padding(kernel, dilation):
    """The padding with which a convolution of stride 1 keeps the size; kernel is odd."""
    # BEGIN SOLUTION
    return dilation * (kernel - 1) // 2
    # END SOLUTION

# %% tags=["check"]
check_same_padding(same_padding)

# %% tags=["needs-answer"]
for kernel_size, dilation in ((3, 1), (5, 1), (3, 2), (7, 3)):
    padding = same_padding(kernel_size, dilation)
    conv = nn.Conv2d(1, 1, kernel_size, padding=padding, dilation=dilation)
    side = conv(torch.zeros(1, 1, 64, 64)).shape[-1]
    print(f"kernel {kernel_size}, dilation {dilation}, padding {padding}: 64 -> {side}")

# %% [markdown]
# **What was wrong.** Without padding each 3 × 3 kernel takes one pixel from each side. (Our detector of
# lesson 8 *wants* that: without padding a window in the image is the same as a window cut out.)

# %% [markdown]
# ## Slide 5: Inception
#
# > **The Inception module** (GoogLeNet, 2014; InceptionV3, 2015). The input goes through four branches with
# > kernels of different size. A residual connection then *adds* the input to their result.
#
# Here is a module of torchvision's InceptionV3, with random weights. We let it run and look at the shapes.

# %%
torch.manual_seed(0)
module = zoo.inception_v3(weights=None, init_weights=False).Mixed_5b.eval()
features = torch.randn(1, 192, 35, 35)
with torch.no_grad():
    branches = module._forward(features)
    result = module(features)
print("input ", tuple(features.shape[1:]))
for branch in branches:
    print("branch", tuple(branch.shape[1:]))
print("output", tuple(result.shape[1:]))

# %% [markdown]
# Can the input have been added to this output? Compare the numbers of channels.
#
# ### Exercise 5 (5 min, medium): how the branches are joined
# `branches` is a list of functions of `x`, which has the shape `(batch, channels, height, width)`. Return
# what an Inception module returns.

# %% tags=["wrong"]
# hint: the input itself is among them
def inception(x, branches):
    return torch.cat([x, *(branch(x) for branch in branches)], dim=1)

# %% tags=["wrong"]
# hint: return one tensor
def inception(x, branches):
    return [branch(x) for branch in branches]

# %% tags=["wrong"]
# hint: nothing is added
def inception(x, branches):
    return x + branches[0](x)

# %% tags=["wrong"]
# hint: keep the order
def inception(x, branches):
    return torch.cat([branch(x) for branch in reversed(branches)], dim=1)

# %% tags=["right"]
def inception(x, branches):
    result = branches[0](x)
    for branch in branches[1:]:
        result = torch.hstack([result, branch(x)])
    return result

# %% name="inception" tags=["exercise"]
def inception(x, branches):
    """The branches of x, joined as in an Inception module."""
    # BEGIN SOLUTION
    return torch.cat([branch(x) for branch in branches], dim=1)
    # END SOLUTION

# %% tags=["check"]
check_inception(inception)

# %% [markdown]
# Is it so in torchvision? We join its four branches by hand:

# %%
print("concatenated, the branches are the output:", torch.equal(torch.cat(branches, dim=1), result))

# %% [markdown]
# **What was wrong.** Inception lays the branches *behind each other*. Adding the input is the idea of ResNet
# (end of 2015). Both together exist, too: Inception-ResNet, a network of its own (2016). The slide mixed
# three papers.

# %% [markdown]
# ## What you learned
#
# - A sentence about a network can nearly always be tested: shapes, one value by hand, a second opinion.
# - A window has as many products as its kernel has numbers.
# - Dropout draws for each value in each forward pass, and enlarges what it keeps.
# - A dense layer adds; it does not average.
# - Without padding a convolution makes the image smaller; Inception concatenates, ResNet adds.
#
# ## How to go on
#
# - Take a page about deep learning that you like, choose three sentences with a number in them, test them.
# - Ask a chat program the five questions of this notebook, and check its answers with your functions.

# %% [markdown]
# ## Quiz
#
# 1. A 5 × 5 kernel lies on an image with 3 channels. How many products has one value of the output?
#    **a)** 25  **b)** 28  **c)** 75  **d)** 125
# 2. You forget `model.eval()` before predicting. What does dropout do?
#    **a)** nothing  **b)** it still drops, so the same image gets other scores each time
#    **c)** it raises an error  **d)** all scores are 0
# 3. Three convolutions of 5 × 5 without padding: what is left of 64 × 64?
#    **a)** 64  **b)** 58  **c)** 52  **d)** 49
# 4. A branch with 96 channels and one with 64 are joined as in Inception. How many channels come out?
#    **a)** 64  **b)** 96  **c)** 160  **d)** it cannot be done
#
# The answers stand at the end of the solution notebook.

# %% [markdown] tags=["solution"]
# ### Answers
#
# 1. **c.** 5 × 5 on each of three channels.
# 2. **b.** In training mode each pass draws a new mask.
# 3. **c.** Each takes 4 pixels: 64 - 12.
# 4. **c.** 96 + 64.

# %% [markdown] tags=["solution"]
# ### For teachers
#
# - Show the slides first, all five, and let the room vote. Few find the missing row of slide 1.
# - Slide 3 starts a good discussion: where *is* there a 1/N? In the mean of a loss over a batch.
# - Short of time? Slides 1, 2 and 5.
