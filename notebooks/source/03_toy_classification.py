# ---
# aircraft:
#   title: Toy classification
#   minutes: 110
#   can_do: build, train and judge a first network, and choose its threshold honestly
#   gpu: true
# ---

# %% [markdown]
# # 3. Toy classification
#
# After this lesson you can build a network that tells **aircraft** from **background** on satellite images,
# train it with a loop of your own, and judge it honestly: with a confusion matrix, a ROC curve and a
# threshold that keeps a promise.
#
# **110 minutes**, the core of session 1. You need lesson 1 (loss, gradient descent, learning curves) and
# lesson 2 (convolution, pooling, output size). You write every step once by hand; then you meet the tested
# version of the package. Everything runs on two CPU cores, without a GPU.

# %% tags=["setup"]

# %%
import copy
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from aircraft import datasets, metrics, models, plotting, training
from aircraft.datasets import synthetic
from aircraft_course import lessons
from aircraft_course import standins_early as package
from aircraft_course.checks.lesson03 import (
    check_bce, check_choose_threshold, check_confusion, check_keep_best, check_make_loader,
    check_mean_and_spread, check_patch_dataset, check_roc_point, check_shared_sites, check_toy_cnn,
    check_train_one_epoch, check_validate,
)
from aircraft_course.drawings import lesson03 as drawings

plt.rcParams["figure.dpi"] = 72
device = lessons.device()
folder = Path(tempfile.mkdtemp())  # models are saved here

# %% [markdown]
# ## 1. What is the question?
#
# A *patch* is a square of 64 × 64 pixels; one pixel is one metre. Is there an aircraft in it? Here are five
# patches of the same aircraft. The blue cross marks its centre.

# %%
drawings.labelling_rule(synthetic.render(site=2, size=384));

# %% [markdown]
# **What to notice.** The *label* is 1 only if the centre of an aircraft lies in the central 32 × 32 pixels
# (the dashed square). In the fourth patch you see nearly the whole aircraft, but its centre is just
# outside: label 0. So the network must learn **where** the centre is, not only that a wing is there.
# Later, when a window moves over a large image, this rule tells us where the aircraft stand.

# %% [markdown]
# Now the data. The images are drawn by the course's own renderer, so they need no download. The first call
# draws them; after that they come from the cache.

# %%
toy = datasets.load_toy(scale=lessons.budget(1.0, 0.1), progress=False)
for name, part in (("train", toy.train), ("test", toy.test)):
    background, aircraft = np.bincount(part.labels)
    print(f"{name:<6} images {part.images.shape} {part.images.dtype}")
    print(f"       labels {background} background, {aircraft} aircraft")

# %% [markdown]
# **What to notice.** Images are numbers from 0 to 255 (`uint8`), in the order patch, row, column, colour.
# Both classes are equally frequent: a gift that real data never makes. (Lesson 5 takes it away.)

# %%
chosen = np.random.default_rng(0).choice(len(toy.train), size=24, replace=False)
drawings.cores(
    plotting.patch_grid(toy.train.images[chosen], toy.train.labels[chosen], title="24 training patches")
);

# %% [markdown]
# **Question A (3 min).** Orange frames are aircraft, grey ones background; the dashed square is the centre, 32 × 32
# pixels, in which the middle of an aircraft must lie. Find two background patches that
# a quick look could take for an aircraft. What is in them? Which patches will be hard for a network?

# %% [markdown] tags=["solution"]
# **Answer A.** Half of the background was taken near aircraft or on cluttered places. So it shows tails and
# wing tips whose aircraft has its centre outside, jet bridges, vehicles and buildings with long straight
# edges. Hard are these, and dark aircraft on dark ground or small ones far from the middle.

# %% [markdown]
# ### Exercise 1 (5 min, easy): mean and spread
# How bright are the images, and how much do the pixels differ? Compute the **mean** and the **standard
# deviation** (the *spread*) of each of the three colours, over all patches, rows and columns, with the pixels
# brought from 0 ... 255 to 0 ... 1. The result is two arrays of 3 numbers.

# %% tags=["wrong"]
# hint: one number for each
def mean_and_spread(images):
    return (images / 255).mean(), (images / 255).std()

# %% tags=["wrong"]
# hint: from 0 ... 255 to 0 ... 1
def mean_and_spread(images):
    return images.mean(axis=(0, 1, 2)), images.std(axis=(0, 1, 2))

# %% tags=["wrong"]
# hint: average over patches, rows and columns
def mean_and_spread(images):
    return (images / 255).mean(axis=0), (images / 255).std(axis=0)

# %% tags=["wrong"]
# hint: averaged over the patches
def mean_and_spread(images):
    pixels = images / 255
    return pixels.mean(axis=(0, 1, 2)), pixels.std(axis=(1, 2)).mean(axis=0)

# %% tags=["right"]
def mean_and_spread(images):
    pixels = torch.from_numpy(images).reshape(-1, 3) / 255
    return pixels.mean(dim=0), pixels.std(dim=0)

# %% name="mean_and_spread" tags=["exercise"]
def mean_and_spread(images):
    """Mean (3,) and standard deviation (3,) of the colours of images (N, 64, 64, 3) uint8, from 0 to 1."""
    # BEGIN SOLUTION
    pixels = images / 255
    return pixels.mean(axis=(0, 1, 2)), pixels.std(axis=(0, 1, 2))
    # END SOLUTION

# %% tags=["check"]
check_mean_and_spread(mean_and_spread)

# %% [markdown]
# Do you need help? Write `check_mean_and_spread.hint()` into a cell of your own: the first call gives a
# first step, the second call nearly the answer. All checks of this lesson can do that.
#
# As in lesson 2, the lesson goes on with **your** answer where its check said "correct", else with the package's,
# and one line says so.

# %%
measure = lessons.use(check_mean_and_spread, mean_and_spread, package.mean_and_spread)
mean, spread = measure(toy.train.images)
for name, m, s in zip(("red", "green", "blue"), mean, spread):
    print(f"{name:<6} mean {m:.2f}  spread {s:.2f}")

# %% [markdown]
# **What to notice.** The means are near one half, the spreads a little below 0.2. A network learns best from
# numbers around 0 with a spread around 1. That is why the networks that you will write here, and those of
# `models.build`, first compute `(x - 0.5) / 0.25`: fixed, round numbers, near enough, and the same for every
# data set. (A network from elsewhere keeps the numbers that it was trained with: lesson 6.)

# %% [markdown]
# ## 2. Three parts, and no place in two of them
#
# You know the three parts from lesson 1: **training** data to learn from, **validation** data to choose with,
# **test** data to judge with, once, at the end. For images of places there is one more rule. Each patch comes
# from a *site* (an airport, or a town). Patches of one site share light, ground and the same aircraft. If a
# site were in two parts, the network could recognise the place, and the score would flatter us.

# %%
train, val = datasets.split(toy.train, fraction=0.2, seed=0)
for name, part in (("train", train), ("val", val), ("test", toy.test)):
    share, sites = part.labels.mean(), len(set(part.sites))
    print(f"{name:<6} {len(part):>5} patches  {share:.2f} aircraft  {sites:>4} sites")

# %% [markdown]
# ### Exercise 2 (4 min, easy): do two parts share a site?
# `train.sites` holds the name of the site of each patch. Write a function that gives the names which occur
# in **both** of two such arrays, each name once.

# %% tags=["wrong"]
# hint: the sites of either part
def shared_sites(first, second):
    return set(first) | set(second)

# %% tags=["wrong"]
# hint: different places in the two lists
def shared_sites(first, second):
    return [a for a, b in zip(first, second) if a == b]

# %% tags=["wrong"]
# hint: named more than once
def shared_sites(first, second):
    return [name for name in first if name in second]

# %% tags=["right"]
def shared_sites(first, second):
    return np.intersect1d(first, second)

# %% name="shared_sites" tags=["exercise"]
def shared_sites(first, second):
    """The names that are in both arrays of site names."""
    # BEGIN SOLUTION
    return set(first) & set(second)
    # END SOLUTION

# %% tags=["check"]
check_shared_sites(shared_sites)

# %%
shared = lessons.use(check_shared_sites, shared_sites, package.shared_sites)
parts = {"train": train.sites, "val": val.sites, "test": toy.test.sites}
for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
    print(f"{one} and {other}: {len(shared(parts[one], parts[other]))} sites in both")

# %% [markdown]
# **What to notice.** Three times 0: the split is clean. `datasets.split` draws whole sites, not
# patches. From now on the test set stays closed until section 11.
#
# **A baseline first.** A *baseline* is the score of a classifier that does not look. If we always say
# "background", which share of the answers is right?

# %%
baseline = (val.labels == 0).mean()
print(f"always 'background': accuracy {baseline:.2f}")

# %% [markdown]
# ## 3. From arrays to batches
#
# PyTorch feeds a network in two steps. A **Dataset** knows how many examples there are and gives the one with
# number `index`. A **DataLoader** picks indices, asks the Dataset, and stacks the answers to a *batch*.
#
# ### Exercise 3 (8 min, medium): a Dataset
# Write the two methods. `dataset[index]` gives a pair of tensors: the image, `float32`, shape (3, 64, 64),
# from 0 to 1, and the label, `float32`. (Use `torch.tensor(...)` for both; lesson 2 says which axis comes
# first.)

# %% tags=["wrong"]
# hint: channels first
class PatchDataset(Dataset):
    def __init__(self, patches):
        self.patches = patches

    def __len__(self):
        return len(self.patches)

    def __getitem__(self, index):
        return torch.tensor(self.patches.images[index]) / 255, torch.tensor(float(self.patches.labels[index]))

# %% tags=["wrong"]
# hint: the picture is scrambled
class PatchDataset(Dataset):
    def __init__(self, patches):
        self.patches = patches

    def __len__(self):
        return len(self.patches)

    def __getitem__(self, index):
        image = torch.tensor(self.patches.images[index]).reshape(3, 64, 64) / 255
        return image, torch.tensor(float(self.patches.labels[index]))

# %% tags=["wrong"]
# hint: make it a float too
class PatchDataset(Dataset):
    def __init__(self, patches):
        self.patches = patches

    def __len__(self):
        return len(self.patches)

    def __getitem__(self, index):
        image = torch.tensor(self.patches.images[index]).permute(2, 0, 1) / 255
        return image, torch.tensor(self.patches.labels[index])

# %% tags=["wrong"]
# hint: plain Python floats
class PatchDataset(Dataset):
    def __init__(self, patches):
        self.patches = patches

    def __len__(self):
        return len(self.patches)

    def __getitem__(self, index):
        image = torch.tensor(self.patches.images[index]).permute(2, 0, 1) / 255
        return image, float(self.patches.labels[index])

# %% tags=["wrong"]
# hint: should lie between 0 and 1
class PatchDataset(Dataset):
    def __init__(self, patches):
        self.patches = patches

    def __len__(self):
        return len(self.patches)

    def __getitem__(self, index):
        image = torch.tensor(self.patches.images[index]).permute(2, 0, 1).float()
        return image, torch.tensor(float(self.patches.labels[index]))

# %% tags=["right"]
class PatchDataset(Dataset):
    def __init__(self, patches):
        self.images = np.moveaxis(patches.images, 3, 1).astype(np.float32) / 255
        self.labels = patches.labels.astype(np.float32)

    def __len__(self):
        return self.images.shape[0]

    def __getitem__(self, index):
        return torch.from_numpy(self.images[index]), torch.from_numpy(self.labels)[index]

# %% name="patch_dataset" tags=["exercise"]
class PatchDataset(Dataset):
    """patches.images (N, 64, 64, 3) uint8 and patches.labels (N,), one pair of tensors at a time."""

    def __init__(self, patches):
        self.patches = patches

    def __len__(self):
        # BEGIN SOLUTION
        return len(self.patches.labels)
        # END SOLUTION

    def __getitem__(self, index):
        # BEGIN SOLUTION
        image = torch.tensor(self.patches.images[index]).permute(2, 0, 1) / 255  # (3, 64, 64)
        label = torch.tensor(float(self.patches.labels[index]))
        return image, label
        # END SOLUTION

# %% tags=["check"]
check_patch_dataset(PatchDataset)

# %% [markdown]
# ### Exercise 4 (4 min, easy): a DataLoader
# Return a `DataLoader` with batches of 64. For training the patches come in a new random order in each epoch;
# for validation they stay in order, so that each score can be compared with its label.

# %% tags=["wrong"]
# hint: must stay in order
def make_loader(dataset, training):
    return DataLoader(dataset, batch_size=64, shuffle=True)

# %% tags=["wrong"]
# hint: they should be shuffled
def make_loader(dataset, training):
    return DataLoader(dataset, batch_size=64)

# %% tags=["wrong"]
# hint: the last, smaller batch
def make_loader(dataset, training):
    return DataLoader(dataset, batch_size=64, shuffle=training, drop_last=True)

# %% tags=["right"]
def make_loader(dataset, training):
    order = torch.utils.data.RandomSampler(dataset) if training else None
    return DataLoader(dataset, batch_size=64, sampler=order)

# %% name="make_loader" tags=["exercise"]
def make_loader(dataset, training):
    """A DataLoader with batches of 64, shuffled if `training` is True."""
    # BEGIN SOLUTION
    return DataLoader(dataset, batch_size=64, shuffle=training)
    # END SOLUTION

# %% tags=["check"]
check_make_loader(make_loader)

# %%
pairs_of = lessons.use(check_patch_dataset, PatchDataset, package.PatchDataset)
loader_of = lessons.use(check_make_loader, make_loader, package.make_loader)
train_loader = loader_of(pairs_of(train), training=True)
val_loader = loader_of(pairs_of(val), training=False)
images, labels = next(iter(val_loader))
print(f"{len(train_loader)} training batches, {len(val_loader)} validation batches")
print("one batch: images", tuple(images.shape), images.dtype, " labels", tuple(labels.shape), labels.dtype)

# %% [markdown]
# ## 4. The network
#
# Five convolutions find patterns, two pools make the picture smaller, two linear layers decide:
#
# | layers | what comes out: channels × height × width |
# |---|---|
# | image | 3 × 64 × 64 |
# | convolution 3×3, 16 filters | 16 × 62 × 62 |
# | convolution 3×3, 16 filters; pool 2×2 | 16 × 30 × 30 |
# | three times convolution 3×3, 32 filters; pool 2×2 | 32 × **?** × **?** |
# | flatten, linear, ReLU | 64 |
# | linear | 1: the logit |

# %% [markdown]
# ### Exercise 5 (8 min, medium): fill in the network
# There is **no padding**: each convolution makes the picture 2 pixels smaller. Fill in the channels, and the
# number of values that `Flatten` gives to the first linear layer. The network is small enough to compute the
# size on paper, as in lesson 2.

# %% tags=["wrong"]
# hint: count channels x height x width
class ToyCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 16 * 16, 64), nn.ReLU(), nn.Linear(64, 1),
        )

    def forward(self, x):
        return self.layers((x - 0.5) / 0.25).flatten()

# %% tags=["wrong"]
# hint: two convolutions do not fit
class ToyCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 12 * 12, 64), nn.ReLU(), nn.Linear(64, 1),
        )

    def forward(self, x):
        return self.layers((x - 0.5) / 0.25).flatten()

# %% tags=["wrong"]
# hint: one logit is enough
class ToyCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 12 * 12, 64), nn.ReLU(), nn.Linear(64, 2),
        )

    def forward(self, x):
        return self.layers((x - 0.5) / 0.25).flatten()

# %% tags=["wrong"]
# hint: let it end with the logit
class ToyCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(),
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 12 * 12, 64), nn.ReLU(), nn.Linear(64, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return self.layers((x - 0.5) / 0.25).flatten()

# %% tags=["right"]
class ToyCNN(nn.Module):
    def __init__(self):
        super().__init__()
        channels = [3, 16, 16, 32, 32, 32]
        self.convolutions = nn.ModuleList(nn.Conv2d(i, o, 3) for i, o in zip(channels, channels[1:]))
        self.hidden, self.last = nn.Linear(32 * 12**2, 64), nn.Linear(64, 1)

    def forward(self, x):
        x = 4 * x - 2
        for number, convolution in enumerate(self.convolutions):
            x = torch.relu(convolution(x))
            if number in (1, 4):
                x = nn.functional.max_pool2d(x, 2)
        return self.last(torch.relu(self.hidden(x.flatten(1)))).squeeze(1)

# %% name="toy_cnn" tags=["exercise"]
class ToyCNN(nn.Module):
    """Images (N, 3, 64, 64) from 0 to 1 -> logits (N,)."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.ReLU(),      # 16, 62, 62
            # BEGIN SOLUTION
            nn.Conv2d(16, 16, 3), nn.ReLU(),     # 16, 60, 60
            nn.MaxPool2d(2),                     # 16, 30, 30
            nn.Conv2d(16, 32, 3), nn.ReLU(),     # 32, 28, 28
            nn.Conv2d(32, 32, 3), nn.ReLU(),     # 32, 26, 26
            nn.Conv2d(32, 32, 3), nn.ReLU(),     # 32, 24, 24
            nn.MaxPool2d(2),                     # 32, 12, 12
            nn.Flatten(),                        # 4608
            nn.Linear(32 * 12 * 12, 64), nn.ReLU(),
            nn.Linear(64, 1),                    # 1: the logit
            # STUB
            # nn.Conv2d(..., ..., 3), nn.ReLU(),   # 16, 60, 60
            # nn.MaxPool2d(2),                     # 16, 30, 30
            # nn.Conv2d(..., ..., 3), nn.ReLU(),   # 32, 28, 28
            # nn.Conv2d(..., ..., 3), nn.ReLU(),   # 32, ?, ?
            # nn.Conv2d(..., ..., 3), nn.ReLU(),   # 32, ?, ?
            # nn.MaxPool2d(2),                     # 32, ?, ?
            # nn.Flatten(),                        # how many numbers?
            # nn.Linear(..., 64), nn.ReLU(),
            # nn.Linear(64, ...),                  # 1: the logit
            # END SOLUTION
        )

    def forward(self, x):
        return self.layers((x - 0.5) / 0.25).flatten()

# %% tags=["check"]
check_toy_cnn(ToyCNN)

# %% [markdown]
# The package has the same network: `models.build("toy_cnn")`. Let us show it a few patches before any
# training.

# %%
torch.manual_seed(0)
untrained = models.build("toy_cnn").eval()
first = torch.tensor(val.images[:6]).permute(0, 3, 1, 2)  # the package's networks take uint8 as well
with torch.no_grad():
    logits = untrained(first)
print("logits       ", " ".join(f"{value:6.3f}" for value in logits))
print("probabilities", " ".join(f"{value:6.3f}" for value in torch.sigmoid(logits)))
print(f"{sum(p.numel() for p in untrained.parameters()):,} weights")

# %% [markdown]
# **What to notice.** A *logit* is any number from minus to plus infinity. The **sigmoid** 1 / (1 + e⁻ᶻ)
# turns it into a probability: a logit of 0 is a probability of 0.5, positive logits mean "rather an
# aircraft". An untrained network does not know anything: all its logits are near 0, all probabilities near
# one half.

# %% [markdown]
# ## 5. The loss: how wrong is a logit?

# %%
drawings.loss_curves();

# %% [markdown]
# **What to notice.** For an aircraft (label 1) the loss is −ln *p*, for background −ln(1 − *p*), where *p*
# is the predicted probability of an aircraft. Sure and right costs nearly nothing; undecided costs ln 2 =
# 0.693; sure and wrong costs a lot, the more the surer. This is the **binary cross-entropy**.
#
# ### Exercise 6 (6 min, medium): binary cross-entropy
# Write it for a batch: the mean over all patches of −(*y* ln *p* + (1 − *y*) ln(1 − *p*)), with *y* the
# label.

# %% tags=["wrong"]
# hint: a logit can be negative
def bce(logits, labels):
    return -(labels * logits.log() + (1 - labels) * (1 - logits).log()).mean()

# %% tags=["wrong"]
# hint: aircraft only
def bce(logits, labels):
    return -(labels * torch.sigmoid(logits).log()).mean()

# %% tags=["wrong"]
# hint: mind the minus sign
def bce(logits, labels):
    p = torch.sigmoid(logits)
    return (labels * p.log() + (1 - labels) * (1 - p).log()).mean()

# %% tags=["wrong"]
# hint: wanted is the mean
def bce(logits, labels):
    p = torch.sigmoid(logits)
    return -(labels * p.log() + (1 - labels) * (1 - p).log()).sum()

# %% tags=["right"]
def bce(logits, labels):
    return torch.log1p(torch.exp((1 - 2 * labels) * logits)).mean()

# %% name="bce" tags=["exercise"]
def bce(logits, labels):
    """Mean binary cross-entropy of logits (N,) and labels (N,) of 0 and 1; both are float tensors."""
    # BEGIN SOLUTION
    p = torch.sigmoid(logits)
    return -(labels * torch.log(p) + (1 - labels) * torch.log(1 - p)).mean()
    # END SOLUTION

# %% tags=["check"]
check_bce(bce)

# %% [markdown]
# Your formula is right, but computers round. Look what happens when the network is very sure, and wrong:

# %%
logit, label = torch.tensor([200.0]), torch.tensor([0.0])
p = torch.sigmoid(logit)
print("probability        ", p.item())
print("by the formula     ", -torch.log(1 - p).item())
print("BCEWithLogitsLoss  ", nn.BCEWithLogitsLoss()(logit, label).item())

# %% [markdown]
# **What to notice.** The probability was rounded to exactly 1, and ln(1 − 1) is minus infinity: the training
# would break. `BCEWithLogitsLoss` takes the **logit** and computes sigmoid and logarithm in one safe step. So
# our networks end with a logit, the loss takes logits, and the sigmoid comes only when a person wants to read
# a probability.

# %% [markdown]
# ## 6. Train by hand
#
# One **epoch** is one pass through the training data. For every batch the same steps as in lesson 1, here
# counted as five: clear the old gradients, run the network, compute the loss, compute the gradients, move the
# weights.
#
# ### Exercise 7 (8 min, medium): the training loop
# Write the epoch. Return the mean loss over all **patches** of the epoch as a plain number. The last batch
# is smaller than the others, so add up `loss.item() * len(labels)` and divide at the end by
# `len(loader.dataset)`.

# %% tags=["wrong"]
# hint: the gradients of all batches pile up
def train_one_epoch(model, loader, optimizer, loss_fn):
    device = next(model.parameters()).device
    model.train()
    total = 0.0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
    return total / len(loader.dataset)

# %% tags=["wrong"]
# hint: the weights have not moved
def train_one_epoch(model, loader, optimizer, loss_fn):
    device = next(model.parameters()).device
    model.train()
    total = 0.0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        total += loss.item() * len(labels)
    return total / len(loader.dataset)

# %% tags=["wrong"]
# hint: the mean over the batches
def train_one_epoch(model, loader, optimizer, loss_fn):
    device = next(model.parameters()).device
    model.train()
    total = 0.0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item()
    return total / len(loader)

# %% tags=["wrong"]
# hint: the plain number with .item()
def train_one_epoch(model, loader, optimizer, loss_fn):
    model.train()
    total = 0.0
    for images, labels in loader:
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss * len(labels)
    return total / len(loader.dataset)

# %% tags=["right"]
def train_one_epoch(model, loader, optimizer, loss_fn):
    device = next(model.parameters()).device
    model.train()
    losses, counts = [], []
    for images, labels in loader:
        loss = loss_fn(model(images.to(device)), labels.to(device))
        model.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.detach().item())
        counts.append(len(labels))
    return np.average(losses, weights=counts)

# %% name="train_one_epoch" tags=["exercise"]
def train_one_epoch(model, loader, optimizer, loss_fn):
    """Train for one pass through the loader; the mean loss over its patches."""
    device = next(model.parameters()).device  # where the model lives: on the CPU or on a GPU
    model.train()
    total = 0.0
    for images, labels in loader:
        images, labels = images.to(device), labels.to(device)
        # BEGIN SOLUTION
        optimizer.zero_grad()
        loss = loss_fn(model(images), labels)
        loss.backward()
        optimizer.step()
        total += loss.item() * len(labels)
        # END SOLUTION
    return total / len(loader.dataset)

# %% tags=["check"]
check_train_one_epoch(train_one_epoch)

# %% [markdown]
# ### Exercise 8 (8 min, medium): judge the network after each epoch
# Compute the mean loss and the **accuracy** (the share of right answers) over a loader. The network says
# "aircraft" when the probability is above one half; which logit is that? Three things are easily forgotten:
# the network must be in evaluation mode, no gradients are needed, and the last batch is smaller.

# %% tags=["wrong"]
# hint: call model.eval()
def validate(model, loader, loss_fn):
    with torch.no_grad():
        logits = torch.cat([model(images) for images, _ in loader])
    labels = torch.cat([labels for _, labels in loader])
    return loss_fn(logits, labels).item(), ((logits > 0) == (labels == 1)).float().mean().item()

# %% tags=["wrong"]
# hint: gradients are recorded
def validate(model, loader, loss_fn):
    model.eval()
    logits = torch.cat([model(images) for images, _ in loader])
    labels = torch.cat([labels for _, labels in loader])
    return loss_fn(logits, labels).item(), ((logits > 0) == (labels == 1)).float().mean().item()

# %% tags=["wrong"]
# hint: which logit is a probability of 0.5
def validate(model, loader, loss_fn):
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(images) for images, _ in loader])
    labels = torch.cat([labels for _, labels in loader])
    return loss_fn(logits, labels).item(), ((logits > 0.5) == (labels == 1)).float().mean().item()

# %% tags=["wrong"]
# hint: weighed rightly
def validate(model, loader, loss_fn):
    model.eval()
    loss, right, count = 0.0, 0, 0
    with torch.no_grad():
        for images, labels in loader:
            logits = model(images)
            loss += loss_fn(logits, labels).item()
            right += ((logits > 0) == (labels == 1)).sum().item()
            count += len(labels)
    return loss / len(loader), right / count

# %% tags=["right"]
def validate(model, loader, loss_fn):
    model.eval()
    loss, right, count = 0.0, 0, 0
    with torch.inference_mode():
        for images, labels in loader:
            logits = model(images)
            loss += loss_fn(logits, labels).item() * len(labels)
            right += (torch.sigmoid(logits).round() == labels).sum().item()
            count += len(labels)
    return loss / count, right / count

# %% name="validate" tags=["exercise"]
def validate(model, loader, loss_fn):
    """(mean loss, accuracy) of the model over all patches of the loader, both plain numbers."""
    device = next(model.parameters()).device
    # BEGIN SOLUTION
    model.eval()
    with torch.no_grad():
        logits = torch.cat([model(images.to(device)) for images, _ in loader])
    labels = torch.cat([labels for _, labels in loader]).to(device)
    right = (logits > 0) == (labels == 1)
    return loss_fn(logits, labels).item(), right.float().mean().item()
    # END SOLUTION

# %% tags=["check"]
check_validate(validate)

# %% [markdown]
# Now train. **Adam** is a gradient descent that chooses a step size for each weight by itself; lesson 4
# compares it with plain steps.

# %%
network = lessons.use(check_toy_cnn, ToyCNN, package.toy_cnn)
one_epoch = lessons.use(check_train_one_epoch, train_one_epoch, package.train_one_epoch)
judge = lessons.use(check_validate, validate, package.validate)
torch.manual_seed(0)
model = network().to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
loss_fn = nn.BCEWithLogitsLoss()
for epoch in range(1, lessons.budget(4, 1) + 1):
    loss = one_epoch(model, train_loader, optimizer, loss_fn)
    val_loss, accuracy = judge(model, val_loader, loss_fn)
    print(f"epoch {epoch}: loss {loss:.3f}  validation loss {val_loss:.3f}  accuracy {accuracy:.3f}")
lessons.expect(accuracy, 0.70, 0.93, "validation accuracy after 4 epochs");

# %% [markdown]
# **What to notice.** An undecided network has a loss of ln 2 = 0.693; both losses go far below it. After four
# epochs the accuracy on places that the network has never seen lies between 0.70 and 0.93; not looking
# gives 0.50. It learns!

# %% [markdown]
# ## 7. Stop in time, and keep the best
#
# How many epochs are enough? In lesson 1 you saw *overfitting*: the training loss goes on falling, while
# the validation loss rises again. Two simple habits help. **Best checkpoint**: keep a copy of the weights
# from the epoch with the lowest validation loss. **Early stopping**: stop when there was no new best for
# some epochs in a row; this number is called the *patience*.
#
# ### Exercise 9 (8 min, hard): early stopping and best checkpoint
# Write `update`. It is called after each epoch. Careful: `model.state_dict()` gives the **living** weights,
# which go on changing; copy them with `copy.deepcopy`.

# %% tags=["wrong"]
# hint: keep a copy
class KeepBest:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_weights, self.waited = patience, float("inf"), None, 0

    def update(self, model, val_loss):
        if val_loss < self.best_loss:
            self.best_loss, self.best_weights, self.waited = val_loss, model.state_dict(), 0
        else:
            self.waited += 1
        return self.waited >= self.patience

# %% tags=["wrong"]
# hint: the counter must start again
class KeepBest:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_weights, self.waited = patience, float("inf"), None, 0

    def update(self, model, val_loss):
        if val_loss < self.best_loss:
            self.best_loss, self.best_weights = val_loss, copy.deepcopy(model.state_dict())
        else:
            self.waited += 1
        return self.waited >= self.patience

# %% tags=["wrong"]
# hint: wait for two epochs
class KeepBest:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_weights, self.waited = patience, float("inf"), None, 0

    def update(self, model, val_loss):
        if val_loss < self.best_loss:
            self.best_loss, self.best_weights = val_loss, copy.deepcopy(model.state_dict())
            return False
        return True

# %% tags=["wrong"]
# hint: must return True (stop) or False
class KeepBest:
    def __init__(self, patience):
        self.patience, self.best_loss, self.best_weights, self.waited = patience, float("inf"), None, 0

    def update(self, model, val_loss):
        if val_loss < self.best_loss:
            self.best_loss, self.best_weights, self.waited = val_loss, copy.deepcopy(model.state_dict()), 0
        else:
            self.waited += 1

# %% tags=["right"]
class KeepBest:
    def __init__(self, patience):
        self.patience, self.losses = patience, []

    def update(self, model, val_loss):
        self.losses.append(val_loss)
        best = int(np.argmin(self.losses))
        if best == len(self.losses) - 1:
            self.best_loss = val_loss
            self.best_weights = {name: value.clone() for name, value in model.state_dict().items()}
        return len(self.losses) - 1 - best >= self.patience

# %% name="keep_best" tags=["exercise"]
class KeepBest:
    """Remembers the weights of the lowest validation loss, and says when to stop."""

    def __init__(self, patience):
        self.patience = patience
        self.best_loss = float("inf")
        self.best_weights = None
        self.waited = 0  # epochs since the last best one

    def update(self, model, val_loss):
        """Call it after each epoch; True when the training should stop."""
        # BEGIN SOLUTION
        if val_loss < self.best_loss:
            self.best_loss = val_loss
            self.best_weights = copy.deepcopy(model.state_dict())
            self.waited = 0
        else:
            self.waited += 1
        return self.waited >= self.patience
        # END SOLUTION

# %% tags=["check"]
check_keep_best(KeepBest)

# %% [markdown]
# Put everything together, with a fresh network and at most 12 epochs.

# %%
best_of = lessons.use(check_keep_best, KeepBest, package.KeepBest)
torch.manual_seed(0)
model = network().to(device)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
keeper, rows = best_of(patience=4), []
for epoch in range(1, lessons.budget(12, 2) + 1):
    loss = one_epoch(model, train_loader, optimizer, loss_fn)
    val_loss, accuracy = judge(model, val_loader, loss_fn)
    rows.append({"epoch": epoch, "loss": loss, "val_loss": val_loss, "accuracy": accuracy})
    if keeper.update(model, val_loss):
        break
lessons.expect(keeper.best_loss, 0.27, 0.50, "lowest validation loss")
drawings.loss_and_accuracy(rows, baseline=baseline);

# %% [markdown]
# **What to notice.** The training loss (blue) falls and falls. The validation loss (red) falls too, but it
# jumps: other places, and only a few hundred patches, so chance plays a part. When four epochs bring no new
# best, the training stops; the dotted line marks the epoch whose weights we keep. A small patience may stop
# too early, a large one wastes time. Section 8 shows what happens when a network learns its patches by heart.
#
# Write these weights to a file, a *checkpoint*, and read them back into a new network.

# %%
torch.save(keeper.best_weights, folder / "toy.pt")
restored = network().to(device)
restored.load_state_dict(torch.load(folder / "toy.pt", weights_only=True))
again, accuracy = judge(restored, val_loader, loss_fn)
print(f"validation loss {keeper.best_loss:.4f}, after loading {again:.4f}; accuracy {accuracy:.3f}")

# %% [markdown]
# ## 8. The same with the package
#
# You have written a whole training. The package has the same steps, tested, and with more comfort:
#
# | by hand | in the package |
# |---|---|
# | `PatchDataset`, `make_loader` | `loading.Batches`, inside `fit` |
# | `ToyCNN` | `models.build("toy_cnn")` |
# | `train_one_epoch`, `validate` | `training.fit` |
# | `KeepBest(patience=4)` | `training.fit(..., patience=4)`; `fit` always keeps the best epoch |
# | `torch.save`, `torch.load` | `models.save`, `models.load` |

# %% [markdown]
# `fit` does more than your loop. Nothing of it is hidden: `training.Settings` has a knob for each, and lesson 4
# takes most of them apart.
#
# | step | your loop | `fit` |
# |---|---|---|
# | optimiser | Adam | *Muon* for the weights of hidden layers, AdamW for the rest (`optimizer=`) |
# | step size (*learning rate*) | 0.001 all the time | rises for a tenth of the steps, then falls to nearly 0 |
# | weights | as they are | pulled a little towards 0 at each step: *weight decay* |
# | patches | as they are | turned, mirrored, re-lit, a little noise: *augmentation* |
# | last, short batch | is used | is left out: its few patches would count too much |
# | what is judged and kept | the weights of the moment | their moving average (`ema=`), a calmer network |
# | the best epoch has | the lowest loss | the highest AP, a score without a threshold (lesson 5) |
#
# (When a run is evaluated at its end, each patch is scored four times, mirrored, and the mean is taken.)

# %%
torch.manual_seed(0)
model = models.build("toy_cnn")
history = training.fit(model, train, val, epochs=lessons.budget(12, 2), lr=3e-3, seed=0, progress=False)
plotting.learning_curves(history);

# %%
scores = training.predict(model, val.images)  # probabilities, one for each validation patch
accuracy = ((scores >= 0.5) == (val.labels == 1)).mean()
print(f"best epoch {history.best_epoch}: AUC {history.best['AUC']:.3f}, accuracy {accuracy:.3f}")
lessons.expect(history.best["AUC"], 0.89, 0.98, "AUC on validation")
lessons.expect(accuracy, 0.80, 0.95, "accuracy on validation");

# %% [markdown]
# **What to notice.** The validation loss stays near the training loss until the end, or even below it. The two
# are not measured alike: the training loss is the mean over an epoch, in which the weights still change, and
# over patches that were turned, re-lit and made noisy; validation comes after the epoch, with plain patches.
# The AUC lies between 0.89 and 0.98, the accuracy between 0.80 and 0.95. From here on we judge this model.

# %% [markdown]
# What is it worth that the patches are turned, re-lit and made noisy? Switch it off, with the same network, seed and
# number of epochs (and judge the weights of the moment, so that nothing is smoothed):

# %%
torch.manual_seed(0)
by_heart = models.build("toy_cnn")
plain = {"augment": False, "noise": 0.0, "ema": None}
learned = training.fit(
    by_heart, train, val, epochs=lessons.budget(12, 2), lr=3e-3, seed=0, progress=False, **plain
)
plotting.learning_curves(learned)
last = learned.rows[-1]
print(f"last epoch: training loss {last['loss']:.3f}, validation loss {last['val_loss']:.3f}")
lessons.expect(last["val_loss"] - last["loss"], 0.2, 4, "validation less training loss without augmentation");

# %% [markdown]
# **What to notice.** This is *overfitting*: the training loss falls to nearly nothing, and the validation loss turns
# and rises. The network knows its patches by heart, and is sure where it is wrong. `fit` still kept the best epoch.

# %% [markdown]
# ## 9. Two kinds of mistakes
#
# Accuracy mixes two very different mistakes. A **miss** is an aircraft without an alarm. A **false alarm**
# is an alarm without an aircraft. The *threshold* decides between them: there is an alarm when
# `score >= threshold`.

# %%
plotting.score_histograms(val.labels, scores, threshold=0.5);

# %% [markdown]
# **What to notice.** Each patch is counted at its score; the counts are on a logarithmic scale. Most of the
# background lies at the left, most aircraft at the right, but they overlap. Hatched counts left of the line
# are misses, plain ones right of it are false alarms. Moving the line trades one kind for the other.
#
# **Question B (2 min).** Which mistake is worse if a person looks at every alarm afterwards? And which one if
# the alarms are counted without a look?

# %% [markdown] tags=["solution"]
# **Answer B.** If a person checks the alarms, a false alarm costs a few seconds, but nobody ever looks at a
# miss: it is lost. If alarms are only counted, both shift the count by one, in opposite directions. There
# is no right threshold without knowing what a mistake costs.

# %% [markdown]
# ### Exercise 10 (6 min, medium): the confusion matrix
# Count all four outcomes. Rows are the truth (background, aircraft), columns the answer (no alarm, alarm):
#
# | | no alarm | alarm |
# |---|---|---|
# | **background** | *tn*: true negative, rightly quiet | *fp*: false positive, false alarm |
# | **aircraft** | *fn*: false negative, miss | *tp*: true positive, found |

# %% tags=["wrong"]
# hint: have changed places
def confusion(labels, scores, threshold):
    alarm = scores >= threshold
    tn, fn = ((labels == 0) & ~alarm).sum(), ((labels == 1) & ~alarm).sum()
    fp, tp = ((labels == 0) & alarm).sum(), ((labels == 1) & alarm).sum()
    return np.array([[tn, fn], [fp, tp]])

# %% tags=["wrong"]
# hint: an alarm too
def confusion(labels, scores, threshold):
    alarm = scores > threshold
    tn, fp = ((labels == 0) & ~alarm).sum(), ((labels == 0) & alarm).sum()
    fn, tp = ((labels == 1) & ~alarm).sum(), ((labels == 1) & alarm).sum()
    return np.array([[tn, fp], [fn, tp]])

# %% tags=["wrong"]
# hint: the first row is the background
def confusion(labels, scores, threshold):
    alarm = scores >= threshold
    tn, fp = ((labels == 0) & ~alarm).sum(), ((labels == 0) & alarm).sum()
    fn, tp = ((labels == 1) & ~alarm).sum(), ((labels == 1) & alarm).sum()
    return np.array([[tp, fn], [fp, tn]])

# %% tags=["right"]
def confusion(labels, scores, threshold):
    matrix = [[0, 0], [0, 0]]
    for label, score in zip(labels, scores):
        matrix[label][int(score >= threshold)] += 1
    return matrix

# %% name="confusion" tags=["exercise"]
def confusion(labels, scores, threshold):
    """[[tn, fp], [fn, tp]] for labels (N,) of 0 and 1 and scores (N,); an alarm is score >= threshold."""
    # BEGIN SOLUTION
    alarm = scores >= threshold
    tn, fp = ((labels == 0) & ~alarm).sum(), ((labels == 0) & alarm).sum()
    fn, tp = ((labels == 1) & ~alarm).sum(), ((labels == 1) & alarm).sum()
    return np.array([[tn, fp], [fn, tp]])
    # END SOLUTION

# %% tags=["check"]
check_confusion(confusion)

# %% [markdown]
# The package draws it:

# %%
counts = lessons.use(check_confusion, confusion, metrics.confusion)
matrix = np.asarray(counts(val.labels, scores, 0.5))
plotting.confusion_matrix(matrix);

# %% [markdown]
# ### Exercise 11 (5 min, medium): a point of the ROC curve
# The **false alarm rate** is the share of the *background* that raises an alarm. The **recall** is the
# share of the *aircraft* that are found. Each belongs to one row of the matrix. Compute both, in this
# order. (You may use your `confusion`, or `metrics.confusion`.)

# %% tags=["wrong"]
# hint: the share of the alarms that are false
def roc_point(labels, scores, threshold):
    (tn, fp), (fn, tp) = metrics.confusion(labels, scores, threshold)
    return fp / (fp + tp), tp / (tp + fn)

# %% tags=["wrong"]
# hint: not by all patches
def roc_point(labels, scores, threshold):
    (tn, fp), (fn, tp) = metrics.confusion(labels, scores, threshold)
    return fp / len(labels), tp / (tp + fn)

# %% tags=["wrong"]
# hint: first the false alarm rate
def roc_point(labels, scores, threshold):
    (tn, fp), (fn, tp) = metrics.confusion(labels, scores, threshold)
    return tp / (tp + fn), fp / (fp + tn)

# %% tags=["right"]
def roc_point(labels, scores, threshold):
    alarm = scores >= threshold
    return alarm[labels == 0].mean(), alarm[labels == 1].mean()

# %% name="roc_point" tags=["exercise"]
def roc_point(labels, scores, threshold):
    """(false alarm rate, recall) at a threshold."""
    # BEGIN SOLUTION
    (tn, fp), (fn, tp) = metrics.confusion(labels, scores, threshold)
    return fp / (fp + tn), tp / (tp + fn)
    # END SOLUTION

# %% tags=["check"]
check_roc_point(roc_point)

# %% [markdown]
# One threshold gives one point. Move the threshold from high to low, and the point moves from the lower
# left (no alarm at all) to the upper right (alarm everywhere): the **ROC curve**. Your points, on the curve
# of the package:

# %%
point = lessons.use(check_roc_point, roc_point, package.roc_point)
ax = plotting.roc(val.labels, scores)
for threshold in (0.9, 0.7, 0.4, 0.1):
    x, y = point(val.labels, scores, threshold)
    ax.plot(x, y, "o", color="black")
    ax.annotate(f"{threshold}", (x, y), textcoords="offset points", xytext=(10, -12), fontsize=12)

# %% [markdown]
# **What to notice.** The best place is the upper left corner: everything found, no false alarm. A
# classifier that does not look lies on the dashed line. The area under the curve is the **AUC**: 1 is
# perfect, 0.5 is guessing. It has a simple meaning. Take one aircraft and one background patch at random:
# how often does the aircraft have the higher score?

# %%
aircraft, background = scores[val.labels == 1], scores[val.labels == 0]
pairs = aircraft[:, None] > background[None, :]  # every aircraft with every background patch
print(f"{pairs.size:,} pairs: the aircraft has the higher score in {pairs.mean():.3f} of them")
print(f"area under the ROC curve: {metrics.evaluate(val.labels, scores, threshold=0.5).AUC:.3f}")

# %% [markdown]
# ## 10. A threshold that keeps a promise
#
# Our customer says: **"Miss fewer than one aircraft in ten. Below that, give me as few false alarms as you
# can."** So the recall must be above 0.9, and the threshold as high as this allows. 0.5 is only a habit. We
# choose on the **validation** data. On training data the network looks better than it is. And a threshold
# that is chosen on the test data has seen the exam questions.

# %% [markdown]
# ### Exercise 12 (8 min, hard): choose a threshold
# Write a function that returns the **highest** threshold at which the recall is at least `min_recall`.
# Think first: which scores decide about the recall?

# %% tags=["wrong"]
# hint: nothing is gained
def choose_threshold(labels, scores, min_recall):
    return scores.min()

# %% tags=["wrong"]
# hint: of the aircraft are found; wanted
def choose_threshold(labels, scores, min_recall):
    for threshold in sorted(scores):
        if labels[scores >= threshold].mean() >= min_recall:
            return threshold

# %% tags=["wrong"]
# hint: a higher one still finds enough
def choose_threshold(labels, scores, min_recall):
    return scores[labels == 1].min()

# %% tags=["wrong"]
# hint: Look for the highest
def choose_threshold(labels, scores, min_recall):
    return np.quantile(scores, 1 - min_recall)

# %% tags=["wrong"]
# hint: of the aircraft are found; wanted
def choose_threshold(labels, scores, min_recall):
    aircraft = np.sort(scores[labels == 1])[::-1]
    return aircraft[int(min_recall * len(aircraft)) - 1]

# %% tags=["right"]
def choose_threshold(labels, scores, min_recall):
    for threshold in sorted(scores, reverse=True):
        if (scores[labels == 1] >= threshold).mean() >= min_recall:
            return threshold

# %% name="choose_threshold" tags=["exercise"]
def choose_threshold(labels, scores, min_recall):
    """The highest threshold with a recall of at least `min_recall`."""
    # BEGIN SOLUTION
    aircraft = np.sort(scores[labels == 1])[::-1]  # from sure to unsure
    needed = int(np.ceil(min_recall * len(aircraft)))  # so many must be found
    return aircraft[needed - 1]  # the least sure of these still gives an alarm
    # END SOLUTION

# %% tags=["check"]
check_choose_threshold(choose_threshold)

# %% [markdown]
# (In the package: `metrics.choose_threshold`.) How near to 0.9 may we go? Our validation set is small. If the
# true recall is 0.9, chance alone moves what we measure; the sites differ too, which adds to it.

# %%
choose = lessons.use(check_choose_threshold, choose_threshold, package.choose_threshold)
count = int(val.labels.sum())
chance = np.sqrt(0.9 * 0.1 / count)  # standard deviation of a share of 0.9
print(f"{count} aircraft: chance moves a recall of 0.9 by about {chance:.3f}, up or down")
for wish in (0.90, 0.95):
    t = float(choose(val.labels, scores, wish))
    (tn, fp), (fn, tp) = counts(val.labels, scores, t)
    print(f"recall of at least {wish:.2f}: threshold {t:.3f}, {fn} of {count} missed, {fp} false alarms")

# %% [markdown]
# **What to notice.** With 0.90 we miss one aircraft in ten already on the validation data: no room is left.
# So we leave a **margin** and ask for 0.95 on validation, to promise 0.9 for places that nobody has seen.
# The price is some more false alarms. We decide this now, *before* we open the test set.

# %%
threshold = float(choose(val.labels, scores, 0.95))
drawings.threshold_choice(val.labels, scores, threshold);

# %% [markdown]
# **What to notice.** The diamond is our place on the curve: high enough, and as far left as the promise
# allows. At the right you see the same choice in the scores.
#
# Before the exam, look at the mistakes, on validation. Numbers say how many there are; only eyes say why.

# %%
for ax in plotting.misclassified(val.images, val.labels, scores, threshold, n=12):
    drawings.cores(ax)

# %% [markdown]
# **Question C (4 min).** Sort the mistakes into kinds. Which would you mistake yourself? Which kind would you
# show to the network more often? (Below each patch stands its score; the worst come first. The dashed square tells
# the cases at its border from real mistakes.)

# %% [markdown] tags=["solution"]
# **Answer C.** Missed are mostly aircraft whose centre lies near the border of the central square, and
# dark, pale or small ones, often beside a jet bridge. False alarms: tails, and aircraft whose centre is
# just outside; jet bridges; rows of cars and trucks; things with arms like wings. The rule at the border is
# sharp, but the world is not: some of these are a matter of one metre. For the other kinds more such
# patches help: lesson 5 adds the *hard examples*.

# %% [markdown]
# ## 11. Save the model, and open the test set once
#
# A model without its threshold is half a model. The package stores both in one file, with a note how it was
# made.

# %%
note = {"data": str(toy.name), "seed": 0, "promise": "misses fewer than one aircraft in ten"}
models.save(model, folder / "toy.safetensors", threshold=threshold, provenance=note)
loaded, card = models.load(folder / "toy.safetensors")
print(card.arch, card.provenance, f"threshold {card.threshold:.3f}")

# %% [markdown]
# Now the test set: other sites, opened once, with everything decided.

# %%
test_scores = training.predict(loaded, toy.test.images, device=str(device))
report = metrics.evaluate(toy.test.labels, test_scores, card.threshold, sites=toy.test.sites)
print(report)
lessons.expect(report.AUC, 0.90, 0.98, "AUC on the test set")
lessons.expect(report.recall, 0.88, 0.99, "recall on the test set");

# %%
(tn, fp), (fn, tp) = counts(toy.test.labels, test_scores, card.threshold)
verdict = "promise kept" if fn / (fn + tp) < 0.1 else "promise broken"
print(f"chosen for 0.95 on validation: {fn / (fn + tp):.3f} of the test aircraft missed, {verdict}")

# %% [markdown]
# **What to notice.** The recall on the test set is not exactly the 0.95 that we asked for on validation:
# other places, other aircraft, and what was chosen on some data looks a little too good on these data. That
# is what the margin is for. We do not try the threshold for 0.90 here as well: whoever looks at two thresholds on
# the test set, and keeps the better one, has chosen on the test set.
#
# The *interval* says how far a result may move with other places (it draws the sites again and again). Its
# lower end can lie below 0.9: honest people say so to the customer.

# %% [markdown]
# ## What you learned
#
# - Look at the data first: labels, counts, brightness, and a baseline that does not look.
# - Split by **site**. Training data teach, validation data choose, test data judge, once.
# - A network ends with a **logit**; `BCEWithLogitsLoss` turns it into a loss without rounding trouble.
# - Five steps for a batch: clear the gradients, run, loss, backward, step. Keep a *copy* of the best weights.
# - Misses and false alarms are two kinds of mistakes; the ROC curve shows every trade between them.
# - Choose the threshold on validation, from what mistakes cost, with a margin.
#
# ## How to go on
#
# - Change **one** thing: `epochs=24` in `fit`, another `lr`, or `augment=False`. Compare on validation, not
#   on test.
# - How hard is it at `difficulty=2`? `datasets.load_toy(difficulty=2)` draws more clutter and haze.
# - Run the lesson's last cells with your own `ToyCNN`: `training.fit(ToyCNN(), train, val)` takes any
#   network.
# - With the real scenes: `datasets.load_toy(source="airbus", root=...)`; the rest stays as it is.
# - Lesson 4 opens `fit`: what do the optimizer, the schedule and the augmentation really bring?

# %% [markdown]
# ## Quiz
#
# The answers are in the solution notebook, `solutions/03_toy_classification.ipynb`, at the same place.
#
# 1. A patch shows a whole aircraft, its centre 20 m to the right of the middle. What is its label?
#    a) 1  b) 0  c) 0.5  d) it depends on the size of the aircraft
# 2. Why does the loss take logits and not probabilities?
#    a) they are smaller  b) it is quicker  c) rounding could give an infinite loss  d) a matter of taste
# 3. You forget `optimizer.zero_grad()`. What happens?
#    a) an error  b) nothing is learned at all  c) gradients of all earlier batches are added up  d) nothing
# 4. Two models have the same AUC. Must they have the same number of misses at threshold 0.5?
# 5. You try ten thresholds on the test set, and report the best result. What is wrong with that?

# %% [markdown] tags=["solution"]
# ### Answers
#
# 1. **b.** The central square reaches 16 m from the middle to each side; 20 m is outside.
# 2. **c.** A probability that is rounded to 1 has ln(1 − p) = minus infinity.
# 3. **c.** PyTorch adds each new gradient to the old ones.
# 4. No. AUC only knows the order of the scores. A model whose scores are all lower misses more at 0.5.
# 5. The best of ten is partly luck, and it was chosen with the exam questions: the result is too good.
#    Choose on validation, then report one number from the test set.

# %% [markdown] tags=["solution"]
# ### For teachers
#
# - Exercises 3, 5, 7 and 10 are the heart; short of time, say 2, 4 and 11 aloud in the room.
# - Usual misunderstanding: "the sigmoid is missing in the network". Show section 5 again.
# - Usual misunderstanding: "0.5 is the right threshold". Ask what a miss costs, then what a false alarm
#   costs.
# - While section 7 trains, let the room guess in which epoch the best validation loss will be.
# - Exercise 9: `best = model.state_dict()` without a copy is a classic bug, since nothing fails. Ask for
#   the proof.
