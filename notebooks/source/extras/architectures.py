# ---
# aircraft:
#   title: Architectures
#   minutes: 30
#   can_do: write a residual block and an Inception module, and count what they cost
# ---

# %% [markdown]
# # Extra: architectures
#
# The networks of this course are a row of layers. Most larger ones have **branches**. After this extra you
# can write the two best known ones as modules of your own, and count their parameters.
#
# **30 minutes.** You need lesson 2 (convolutions) and lesson 3 (a network in PyTorch). Nothing is trained, and
# no weights are downloaded. `check_residual.hint()` in a cell of your own gives a first step, a second call
# nearly the answer.

# %% tags=["setup"]

# %%
import matplotlib.pyplot as plt
import torch
from torch import nn
from torchvision import models as zoo

from aircraft_course.checks.extra_architectures import (
    check_conv_parameters, check_inception_module, check_reduced, check_residual,
)

# %% [markdown]
# ## 1. A row, and a row with a bridge
#
# `nn.Sequential` is for a row of layers. For anything else you write a **module**: the layers in `__init__`,
# what happens to `x` in `forward`. In a *residual block* (ResNet, 2015) the input jumps over two convolutions
# and is added to their result:
#
# `x` → `first` → ReLU → `second` → **plus x** → ReLU
#
# ### Exercise 1 (7 min, medium): the residual block
# The layers are there. Write `forward`.

# %% tags=["wrong"]
# hint: the input is not added
class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.first(x))))

# %% tags=["wrong"]
# hint: comes after the sum
class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.second(torch.relu(self.first(x)))) + x

# %% tags=["wrong"]
# hint: between the two convolutions
class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return torch.relu(self.second(self.first(x)) + x)

# %% tags=["right"]
class Residual(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        y = self.first(x).clamp(min=0)
        return (x + self.second(y)).clamp(min=0)

# %% name="residual" tags=["exercise"]
class Residual(nn.Module):
    """Two convolutions with a bridge over them."""

    def __init__(self, channels):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        # BEGIN SOLUTION
        y = self.second(torch.relu(self.first(x)))
        return torch.relu(y + x)
        # END SOLUTION

# %% tags=["check"]
check_residual(Residual)

# %% [markdown]
# What is the bridge for? Send random features through 30 blocks with fresh weights, with the bridge and
# without it, and look at how much of them is left.

# %%
def spreads(bridge, depth=30, channels=16):
    """The spread of the features after each of `depth` untrained blocks."""
    torch.manual_seed(0)
    x, found = torch.randn(1, channels, 16, 16), []
    with torch.no_grad():
        for _ in range(depth):
            first = nn.Conv2d(channels, channels, 3, padding=1)
            second = nn.Conv2d(channels, channels, 3, padding=1)
            y = second(torch.relu(first(x)))
            x = torch.relu(y + x if bridge else y)
            found.append((x - x.mean((0, 2, 3), keepdim=True)).std().item())
    return found

with_bridge, without = spreads(True), spreads(False)
figure, ax = plt.subplots(figsize=(6, 2.8), layout="constrained")
ax.semilogy(with_bridge, label="with the bridge")
ax.semilogy(without, "--", label="without")
ax.set(xlabel="block", ylabel="spread inside a channel")
ax.legend();
print(f"after 30 blocks: {with_bridge[-1]:.2g} with the bridge, {without[-1]:.2g} without")

# %% [markdown]
# **What to notice.** Without the bridge nearly nothing of the image is left after some blocks: all places
# look alike. With it, the image gets through.

# %% [markdown]
# ## 2. What a convolution costs
#
# ### Exercise 2 (4 min, easy): count parameters
# How many parameters, weights and biases, has a convolution with a square kernel?

# %% tags=["wrong"]
# hint: biases are missing
def conv_parameters(inputs, outputs, kernel):
    return inputs * outputs * kernel * kernel

# %% tags=["wrong"]
# hint: a square
def conv_parameters(inputs, outputs, kernel):
    return outputs * (inputs * kernel + 1)

# %% tags=["right"]
def conv_parameters(inputs, outputs, kernel):
    return sum(p.numel() for p in nn.Conv2d(inputs, outputs, kernel).parameters())

# %% name="conv_parameters" tags=["exercise"]
def conv_parameters(inputs, outputs, kernel):
    """The number of weights and biases of a convolution."""
    # BEGIN SOLUTION
    return outputs * (inputs * kernel * kernel + 1)
    # END SOLUTION

# %% tags=["check"]
check_conv_parameters(conv_parameters)

# %% [markdown]
# A large kernel on many channels is dear. The trick of Inception: a 1 × 1 convolution first makes the channels
# few (`middle`), then the large kernel works on those.
#
# ### Exercise 3 (4 min, easy): with a 1 × 1 reduction
# Count the parameters of both convolutions together: `inputs` → `middle` (1 × 1) → `outputs` (`kernel`).

# %% tags=["wrong"]
# hint: second convolution alone
def reduced(inputs, middle, outputs, kernel):
    return outputs * (middle * kernel * kernel + 1)

# %% tags=["wrong"]
# hint: the first kernel is
def reduced(inputs, middle, outputs, kernel):
    return middle * (inputs * kernel**2 + 1) + outputs * (middle * kernel**2 + 1)

# %% tags=["right"]
def reduced(inputs, middle, outputs, kernel):
    return middle * inputs + middle + outputs * middle * kernel**2 + outputs

# %% name="reduced" tags=["exercise"]
def reduced(inputs, middle, outputs, kernel):
    """The parameters of a 1 x 1 convolution to `middle` channels and a large one after it."""
    # BEGIN SOLUTION
    return middle * (inputs + 1) + outputs * (middle * kernel * kernel + 1)
    # END SOLUTION

# %% tags=["check"]
check_reduced(reduced)

# %% tags=["needs-answer"]
plain, cheap = conv_parameters(192, 32, 5), reduced(192, 16, 32, 5)
print(f"5 x 5 on 192 channels, 32 filters: {plain:,} parameters; by way of 16 channels: {cheap:,}")
print(f"that is {plain / cheap:.1f} times fewer")

# %% [markdown]
# ## 3. The Inception module
#
# One module, four views of the same features: 1 × 1, 3 × 3, 5 × 5, and a pool. The results are laid behind
# each other.
#
# ### Exercise 4 (6 min, medium): join the branches
# The branches are there. Write `forward`.

# %% tags=["wrong"]
# hint: the input is no branch
class Inception(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.branches = nn.ModuleList([nn.Conv2d(inputs, 8, 1), nn.Conv2d(inputs, 4, 3, padding=1)])

    def forward(self, x):
        return torch.cat([x, *(branch(x) for branch in self.branches)], dim=1)

# %% tags=["wrong"]
# hint: expected
class Inception(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.branches = nn.ModuleList([nn.Conv2d(inputs, 8, 1), nn.Conv2d(inputs, 8, 3, padding=1)])

    def forward(self, x):
        return sum(branch(x) for branch in self.branches)

# %% tags=["right"]
class Inception(nn.Module):
    def __init__(self, inputs):
        super().__init__()
        self.branches = nn.ModuleList([nn.Conv2d(inputs, 8, 1), nn.Conv2d(inputs, 4, 3, padding=1)])

    def forward(self, x):
        one, other = (branch(x) for branch in self.branches)
        return torch.hstack([one, other])

# %% name="inception_module" tags=["exercise"]
class Inception(nn.Module):
    """Four branches, the large kernels behind a 1 x 1 reduction."""

    def __init__(self, inputs):
        super().__init__()
        self.branches = nn.ModuleList([
            nn.Conv2d(inputs, 16, 1),
            nn.Sequential(nn.Conv2d(inputs, 8, 1), nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1)),
            nn.Sequential(nn.Conv2d(inputs, 4, 1), nn.ReLU(), nn.Conv2d(4, 8, 5, padding=2)),
            nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), nn.Conv2d(inputs, 8, 1)),
        ])

    def forward(self, x):
        # BEGIN SOLUTION
        return torch.cat([branch(x) for branch in self.branches], dim=1)
        # END SOLUTION

# %% tags=["check"]
check_inception_module(Inception)

# %% tags=["needs-answer"]
print("in", (32, 20, 20), "- out", tuple(Inception(32)(torch.zeros(1, 32, 20, 20)).shape[1:]))

# %% [markdown]
# ## 4. The large ones, counted
#
# torchvision has them. We build them without weights, and count. InceptionV3 has a second head that helps in
# training only; it is left out.

# %%
def count(network):
    return sum(p.numel() for p in network.parameters())

networks = {
    "InceptionV3": zoo.inception_v3(weights=None, aux_logits=False, init_weights=False),
    "ResNet-18": zoo.resnet18(weights=None),
    "VGG-16": zoo.vgg16(weights=None),
}
for name, network in networks.items():
    last = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    dense = sum(count(layer) for layer in last)
    print(f"{name:12} {count(network) / 1e6:6.1f} million parameters, {dense / count(network):4.0%} in dense layers")

# %% [markdown]
# **What to notice.** VGG is a plain row. Nearly all of its parameters lie in the dense layers at its end;
# Inception and ResNet average each channel over the image before one small dense layer.

# %% [markdown]
# ## What you learned
#
# - Layers in `__init__`, the way of `x` in `forward`: so a network gets branches.
# - A residual block adds its input, so that it gets through many blocks; Inception lays branches
#   behind each other.
# - A 1 × 1 convolution makes the channels few, and the large kernel after it cheap.
#
# ## How to go on
#
# - Put two of your residual blocks into `toy_cnn` (lesson 3) and train it. Repeat with other seeds (lesson 4).

# %% [markdown]
# ## Quiz
#
# 1. Why must the convolutions of a residual block keep the number of channels?
# 2. What does a 1 × 1 convolution mix?  **a)** neighbouring pixels  **b)** the channels of one pixel  **c)** images
# 3. Branches with 16, 16, 8 and 8 channels in an Inception module: how many come out?
#
# The answers stand at the end of the solution notebook.

# %% [markdown] tags=["solution"]
# ### Answers
#
# 1. The input is added to their result, and only equal shapes can be added.
# 2. **b.**
# 3. 48.
