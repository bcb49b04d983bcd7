# ---
# aircraft:
#   title: Transfer learning
#   minutes: 60
#   can_do: start from a network that has learned from ImageNet, and say with a learning curve when it helps
#   gpu: true
#   extras: [efficientnet]
# ---

# %% [markdown]
# # 6. Transfer learning
#
# After this lesson you can start from a network that has **already learned to see**, in two ways (frozen and
# fine-tuned), compare it fairly with a network that starts at random, and say with a learning curve when it
# helps.
#
# **60 minutes.** You need lesson 3 (training loop), lesson 4 (learning rate, batch norm, spread over seeds)
# and lesson 5 (split by site). Exercise 11 is extra, for the quick. Every cell runs on two CPU cores; a GPU
# is pleasant, not necessary.

# %% tags=["setup"]

# %%
import hashlib

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import ResNet18_Weights, resnet18

from aircraft import datasets, models, training
from aircraft.datasets import storage
from aircraft.models.efficientnet import STAGES
from aircraft.training import loading
from aircraft_course import lessons, standins
from aircraft_course.checks.lesson06 import (
    check_centre_mean, check_draw_sites, check_enlarged, check_extract, check_freeze, check_head,
    check_patches_needed, check_rounds, check_stale, check_strategy, check_trainable, check_two_rates,
    whole_sites,
)
from aircraft_course.drawings import lesson06 as drawings

# %% [markdown]
# ## 1. Borrowed eyes
#
# Suppose you have 50 labelled patches. How good can a network become? A network that starts at random has to
# learn from these 50 what an edge is, what a shadow is, and what an aircraft is.
#
# Others have trained networks on **ImageNet**: more than a million photographs of a thousand kinds of things,
# taken on the ground. Such a network knows edges, textures and shapes. We borrow it. So there are now three
# ways to train, and two of them borrow:

# %%
drawings.three_ways();

# %% [markdown]
# - The **backbone** is all of a network but its last layer: image in, **features** out (a list of numbers
#   that describe the image). The **head** is the last layer: features in, logit out.
# - **Pretrained**: its weights come from an earlier training. **From scratch**: they start at random.
# - **Frozen**: the backbone stays as it is, only a new head learns. **Fine-tuning**: the backbone learns on.
#
# Our backbone is EfficientNet-Lite0 (Google, 2020). Its weights are a file in a Python package.

# %%
device = lessons.device()
net = models.build("efficientnet_lite0", frozen=True, pretrained=True, zoom=1)
small = models.build("patch_net")  # our own network of lesson 5, which starts at random
print(f"EfficientNet-Lite0: {sum(weights.numel() for weights in net.parameters()):,} numbers")
print(f"patch_net:          {sum(weights.numel() for weights in small.parameters()):,} numbers")

# %% [markdown]
# ### Exercise 1 (3 min, easy): what is left to learn?
# Count the numbers of a network that are **trained**. A frozen tensor has `requires_grad == False`.

# %% tags=["wrong"]
# hint: you still count it
def trainable(net):
    return sum(weights.numel() for weights in net.parameters())

# %% tags=["wrong"]
# hint: you count the tensors
def trainable(net):
    return sum(weights.requires_grad for weights in net.parameters())

# %% tags=["wrong"]
# hint: with their biases
def trainable(net):
    return sum(w.numel() for w in net.parameters() if w.requires_grad and w.ndim > 1)

# %% tags=["right"]
def trainable(net):
    count = 0
    for _, weights in net.named_parameters():
        if weights.requires_grad:
            count += int(np.prod(weights.shape))
    return count

# %% name="trainable" tags=["exercise"]
def trainable(net):
    """How many numbers of the network are trained."""
    # BEGIN SOLUTION
    return sum(weights.numel() for weights in net.parameters() if weights.requires_grad)
    # END SOLUTION

# %% tags=["check"]
check_trainable(trainable)

# %% [markdown]
# Do you need help? Write `check_trainable.hint()` into a cell of your own: the first call gives a first
# step, the second call nearly the answer. All checks of this lesson can do that.
#
# `lessons.use` takes **your** function when its check said ✅, else the course's, and then says so in one line.

# %%
count_trained = lessons.use(check_trainable, trainable, standins.trainable)
print(f"frozen EfficientNet: {count_trained(net):,} of {sum(w.numel() for w in net.parameters()):,} are trained")
print(f"patch_net:           {count_trained(small):,}, all of them")

# %% [markdown]
# **What to notice.** Frozen, the big network has far fewer numbers to learn than the small one: 1,280 weights
# and a bias. With 50 patches, that is a good sign.
#
# ## 2. Show it what it is used to
#
# In ImageNet's photographs the thing fills the picture, which is 224 pixels wide. Most of our aircraft are 20
# to 60 pixels long. So we may enlarge a patch before the network sees it: our network has an option `zoom`.

# %%
toy = datasets.load_toy(scale=lessons.budget(1.0, 0.1), progress=False)
patch = toy.train.images[np.flatnonzero(toy.train.labels)[3]]
drawings.seen([patch, patch, patch], zooms=(1, 2, 4));

# %% [markdown]
# White lines: the backbone reduces its input 32 times, so each square becomes *one place* of its last map.
# Without zoom, four places are all that is left.
#
# ### Exercise 2 (3 min, easy): what zoom 2 gives and costs
# How many places has the last map along one **side** at zoom 2? And how many **times the work** of zoom 1 do
# the convolutions have?

# %% tags=["wrong"]
# hint: enlarge it by 2 first
map_side = 2
times_the_work = 4

# %% tags=["wrong"]
# hint: what does the width do
map_side = 4
times_the_work = 2

# %% tags=["wrong"]
# hint: one side
map_side = 16
times_the_work = 4

# %% tags=["right"]
map_side = 64 * 2 / 32
times_the_work = 2**2

# %% name="enlarged" tags=["exercise"]
map_side = 4  # SOLUTION
times_the_work = 4  # SOLUTION

# %% tags=["check"]
check_enlarged(map_side, times_the_work)

# %% [markdown]
# Torch can count the multiplications and additions of one patch:

# %%
for name, options in (("patch_net", {}), *(("efficientnet_lite0", {"zoom": zoom}) for zoom in (1, 2, 4))):
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        models.build(name, **options).eval()(torch.zeros(1, 3, 64, 64))
    print(f"{name:18} {options.get('zoom', ''):1}  {counter.get_total_flops() / 1e6:7.1f} million a patch")

# %% [markdown]
# **What to notice.** Zoom 1, 2, 4: four times the work at each step.
#
# ## 3. Frozen features, computed once
#
# While the backbone is frozen, a patch gives the same features in every epoch. So compute them **once**, keep
# them, and train heads on them as often as you like.
#
# ### Exercise 3 (8 min, medium): extract the features
# `backbone` takes uint8 images (n, 3, 64, 64), channels first, and returns (n, features). Send all images
# through it, `batch_size` at a time. Take care of two things: evaluation mode, and no gradients.

# %% tags=["wrong"]
# hint: batch norm updates its statistics
def extract(backbone, images, batch_size):
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            batch = torch.from_numpy(images[start : start + batch_size])
            parts.append(backbone(batch.permute(0, 3, 1, 2)))
    return torch.cat(parts).numpy()

# %% tags=["wrong"]
# hint: hold on to their gradient
def extract(backbone, images, batch_size):
    backbone.eval()
    parts = []
    for start in range(0, len(images), batch_size):
        batch = torch.from_numpy(images[start : start + batch_size])
        parts.append(backbone(batch.permute(0, 3, 1, 2)))
    return torch.cat(parts)

# %% tags=["wrong"]
# hint: reshape mixes pixels and channels
def extract(backbone, images, batch_size):
    backbone.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size]
            parts.append(backbone(torch.from_numpy(batch.reshape(-1, 3, 64, 64))).numpy())
    return np.concatenate(parts)

# %% tags=["wrong"]
# hint: the last batch only
def extract(backbone, images, batch_size):
    backbone.eval()
    with torch.no_grad():
        for start in range(0, len(images), batch_size):
            batch = torch.from_numpy(images[start : start + batch_size])
            features = backbone(batch.permute(0, 3, 1, 2))
    return features.numpy()

# %% tags=["right"]
@torch.no_grad()
def extract(backbone, images, batch_size):
    backbone.train(False)
    pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return torch.cat([backbone(batch) for batch in pixels.split(batch_size)])

# %% name="extract" tags=["exercise"]
def extract(backbone, images, batch_size):
    """(N, 64, 64, 3) uint8 images -> (N, features) numpy array, `batch_size` images at a time."""
    # BEGIN SOLUTION
    backbone.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            batch = torch.from_numpy(images[start : start + batch_size])
            parts.append(backbone(batch.permute(0, 3, 1, 2)).numpy())
    return np.concatenate(parts)
    # STUB
    # backbone.eval()
    # parts = []
    # with ...:                                  # no gradients
    #     for start in range(0, len(images), batch_size):
    #         batch = torch.from_numpy(images[start : start + batch_size])
    #         parts.append(...)                  # channels first, through the backbone, back to numpy
    # return np.concatenate(parts)
    # END SOLUTION

# %% tags=["check"]
check_extract(extract)

# %% [markdown]
# Now for all patches. The next function is yours with one addition: it does not only keep the last features,
# but looks in **after each stage** of the backbone, and notes for each channel the mean over the whole map
# and over its centre. We shall need these in section 5.

# %%
STOPS = {str(stage): place for stage, place in enumerate(3 + np.cumsum([row[0] for row in STAGES]), start=1)}
STOPS["last"] = 22  # layers are counted from 0; after stage 7 comes one more convolution, with 1,280 channels


def extract_stages(net, images, batch_size=100):
    """{"last mean": (N, 1280), "5 centre": (N, 112), ...} for (N, 64, 64, 3) uint8 images."""
    *enlarge, stages = [layer for layer in net.layers if isinstance(layer, nn.Upsample | nn.Sequential)]
    found = {f"{stop} {where}": [] for stop in STOPS for where in ("mean", "centre")}
    with torch.inference_mode():
        for start in range(0, len(images), batch_size):
            batch = loading.as_tensor(images[start : start + batch_size], device)
            maps = nn.Sequential(net.normalize, *enlarge)(batch.permute(0, 3, 1, 2))
            for place, layer in enumerate(stages):
                maps = layer(maps)
                for stop in (name for name in STOPS if STOPS[name] == place):
                    q = maps.shape[-1] // 4
                    centre = maps[:, :, q : maps.shape[-2] - q, q : maps.shape[-1] - q]
                    found[f"{stop} mean"].append(maps.mean((2, 3)).cpu().numpy())
                    found[f"{stop} centre"].append(centre.mean((2, 3)).cpu().numpy())
    return {name: np.concatenate(parts) for name, parts in found.items()}

# %% [markdown]
# A **cache** keeps what was expensive. Its **key** must hold everything that the result depends on. If it
# holds too little, you will read old features one day, and no error will tell you.
#
# ### Exercise 4 (3 min, medium): when are cached features stale?
# After which of these changes must the features be computed again? Write a set.
#
# `"other patches"`, `"zoom"`, `"augmentation"` (patches are turned and re-lit by chance), `"backbone weights"`,
# `"learning rate of the head"`, `"seed of the head"`, `"weight decay of the head"`

# %% tags=["wrong"]
# hint: the head comes after the features
stale = {"other patches", "zoom", "augmentation", "backbone weights", "seed of the head"}

# %% tags=["wrong"]
# hint: the same pixels as before
stale = {"other patches", "zoom", "backbone weights"}

# %% tags=["wrong"]
# hint: what if its weights are others
stale = {"other patches", "zoom", "augmentation"}

# %% tags=["right"]
stale = ["zoom", "backbone weights", "other patches", "augmentation"]

# %% name="stale" tags=["exercise"]
stale = {"other patches", "zoom", "augmentation", "backbone weights"}  # SOLUTION

# %% tags=["check"]
check_stale(stale)

# %% [markdown]
# So our key holds a fingerprint of the patches (a **hash**: a short number that changes with any pixel), the
# zoom and the weights. Frozen features and augmentation do not go well together; we do without.
#
# The first time this takes about 40 s on two CPU cores; later less than a second.

# %%
parts = {"train": toy.train.images, "test": toy.test.images}
fingerprint = hashlib.sha256(b"".join(images.tobytes() for images in parts.values())).hexdigest()
features = {}
for zoom in (1, 2):
    net = models.build("efficientnet_lite0", zoom=zoom).to(device).eval()

    def compute(net=net):
        found = {part: extract_stages(net, images) for part, images in parts.items()}
        return {f"{part} {name}": found[part][name] for part in found for name in found[part]}, {}

    key = {"patches": fingerprint, "zoom": zoom, "weights": "efficientnet_lite0 of ImageNet", "version": 1}
    features[zoom], _ = storage.load_or_build("features", key, compute)
    print(f"zoom {zoom}: last features of the training patches {features[zoom]['train last mean'].shape}")

# %% [markdown]
# Does your function find what the cache holds?

# %%
net = models.build("efficientnet_lite0", zoom=1)
backbone = nn.Sequential(net.normalize, *net.layers[:-1])  # all but the head
take_out = lessons.use(check_extract, extract, standins.extract)
by_hand = take_out(backbone, np.array(toy.train.images[:32]), batch_size=16)
print(np.shape(by_hand), "- the same:", np.allclose(by_hand, features[1]["train last mean"][:32], atol=1e-2))

# %% [markdown]
# ## 4. A linear head
#
# A head is one linear layer and a sigmoid: that is **logistic regression**, which scikit-learn solves in a
# blink. `C` says how freely the weights may grow. With 1,280 features and 50 patches they must be kept small:
# `C=1e-3` (and `max_iter=300` gives it the time to finish). And all features should have the same scale:
# `StandardScaler` takes away the mean of each feature and divides by its spread.
#
# ### Exercise 5 (5 min, medium): the head
# Train on `features` and `labels`; return a score for each row of `new_features`.

# %% tags=["wrong"]
# hint: not the shape
def head(features, labels, new_features):
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3)).fit(features, labels)
    return model.decision_function(features)[: len(features) // 2]

# %% tags=["wrong"]
# hint: decisions, 0 or 1
def head(features, labels, new_features):
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3)).fit(features, labels)
    return model.predict(new_features)

# %% tags=["wrong"]
# hint: one scale first
def head(features, labels, new_features):
    return LogisticRegression(C=1e-3).fit(features, labels).decision_function(new_features)

# %% tags=["wrong"]
# hint: learn from the training
def head(features, labels, new_features):
    model = LogisticRegression(C=1e-3).fit(StandardScaler().fit_transform(features), labels)
    return model.decision_function(StandardScaler().fit_transform(new_features))

# %% tags=["right"]
def head(features, labels, new_features):
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-9
    model = LogisticRegression(C=1e-3).fit((features - mean) / spread, labels)
    return model.predict_proba((new_features - mean) / spread)[:, 1]

# %% name="head" tags=["exercise"]
def head(features, labels, new_features):
    """(M,) scores of new_features (M, F) by a linear head trained on features (N, F) and labels (N,)."""
    # BEGIN SOLUTION
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, max_iter=300))
    model.fit(features, labels)
    return model.decision_function(new_features)
    # STUB
    # model = make_pipeline(..., ...)            # first one scale for all features, then the regression
    # model.fit(features, labels)
    # return ...                                 # for new_features; not decisions: how sure is it?
    # END SOLUTION

# %% tags=["check"]
check_head(head)

# %% [markdown]
# ### Fewer patches, fewer places
#
# "What if we had only 50 patches?" To try it, we must leave patches out. But who has few patches has them
# from **few places**: nobody labels one patch at each of 50 airports. So draw whole sites.
#
# ### Exercise 6 (5 min, medium): draw whole sites
# Return `count` indices: all patches of a randomly drawn site, then of a second, ... The last site may come in
# part.

# %% tags=["wrong"]
# hint: take all patches
def draw_sites(sites, count, rng):
    return rng.choice(len(sites), count, replace=False)

# %% tags=["wrong"]
# hint: another random generator
def draw_sites(sites, count, rng):
    return np.argsort(sites, kind="stable")[:count]

# %% tags=["wrong"]
# hint: 25 patches were asked for
def draw_sites(sites, count, rng):
    return np.flatnonzero(np.isin(sites, rng.choice(np.unique(sites), count, replace=True)))

# %% tags=["right"]
def draw_sites(sites, count, rng):
    names, number = np.unique(sites, return_inverse=True)
    place = rng.permutation(len(names))
    return np.argsort(place[number], kind="stable")[:count]

# %% name="draw_sites" tags=["exercise"]
def draw_sites(sites, count, rng):
    """(count,) indices of patches, from as few randomly drawn sites as give so many."""
    # BEGIN SOLUTION
    names = rng.permutation(np.unique(sites))
    index = np.concatenate([np.flatnonzero(sites == name) for name in names])
    return index[:count]
    # STUB
    # names = ...                                # the names of the sites, each once, shuffled by rng
    # index = np.concatenate([np.flatnonzero(sites == name) for name in names])
    # return ...
    # END SOLUTION

# %% tags=["check"]
check_draw_sites(draw_sites)

# %% [markdown]
# From here on the same parts for everybody: 30 % of the training sites are kept for **validation** (there we
# choose), the test set stays closed until section 8. Your head and your way to draw sites do their work from here on.

# %%
_, val = datasets.split(toy.train, fraction=0.3, seed=0)  # by site
aside = np.isin(toy.train.sites, val.sites)
train, val = toy.train[~aside], toy.train[aside]
sizes, seeds = lessons.budget((50, 200, 800), (40, 80, 120)), range(lessons.budget(3, 2))
fit_head = lessons.use(check_head, head, standins.head)
draw = lessons.use(check_draw_sites, draw_sites, whole_sites)
for count in sizes:
    drawn = [train.sites[draw(train.sites, count, np.random.default_rng(seed))] for seed in seeds]
    print(f"{count} patches come from", [len(np.unique(names)) for names in drawn], "sites")


def head_scores(zoom, name, count, seed, part="val"):
    """AUC of a linear head on the features `name`, trained on `count` patches."""
    known = features[zoom][f"train {name}"][~aside]
    new = features[zoom][f"train {name}"][aside] if part == "val" else features[zoom][f"test {name}"]
    some = draw(train.sites, count, np.random.default_rng(seed))
    scores = fit_head(known[some], train.labels[some], new)
    return roc_auc_score(val.labels if part == "val" else toy.test.labels, scores)

# %% [markdown]
# Heads for both zooms, ten draws of sites each: a few seconds on two CPU cores.

# %%
many = range(lessons.budget(10, 2))
zooms = {zoom: np.array([[head_scores(zoom, "last mean", count, seed) for count in sizes] for seed in many])
         for zoom in (1, 2)}
curves = {f"zoom {zoom}": (sizes, zooms[zoom]) for zoom in zooms}
drawings.learning_curve(curves, "A linear head on frozen features", score="AUC on validation");

# %%
for zoom in zooms:
    print(f"zoom {zoom}:", "  ".join(f"{n} patches {auc:.3f}" for n, auc in zip(sizes, zooms[zoom].mean(axis=0))))
lessons.expect(zooms[2][:, 1].mean(), 0.89, 0.98, "AUC with 200 patches, zoom 2")
lessons.expect((zooms[2] - zooms[1])[:, 0].mean(), 0.0, 0.2, "what zoom 2 gains with 50 patches")
lessons.expect((zooms[2] - zooms[1])[:, 2].mean(), -0.002, 0.05, "what zoom 2 gains with 800 patches");

# %% [markdown]
# **What to notice.** A curve over the number of training patches is called a **learning curve**, too. The line
# is the mean, the band goes from the worst to the best draw of sites.
# - A network that has never seen an airport from above tells aircraft from background.
# - With few patches the band is wide: *which* few places you have decides.
# - Showing the aircraft larger helps, at every size that we tried.

# %% [markdown]
# ## 5. Where to look: which stage, which place?
#
# The last stage has learned what tells ImageNet's classes apart: dogs, mushrooms, cars. And it does not matter
# there *where* the thing is. For us it matters: an aircraft counts only when its centre lies in the central
# half of the patch. Perhaps another stage is more useful, and not the mean over the whole map.
#
# ### Exercise 7 (5 min, medium): look at the centre
# `maps` has the shape (N, channels, side, side). Return (N, channels): the mean over the **central half** of
# the rows and columns (of 8 places 2 to 5, of 4 places 1 and 2).

# %% tags=["wrong"]
# hint: that is the mean over the whole map
def centre_mean(maps):
    return maps.mean(axis=(2, 3))

# %% tags=["wrong"]
# hint: you cut a strip
def centre_mean(maps):
    q = maps.shape[2] // 4
    return maps[:, :, q:-q].mean(axis=(2, 3))

# %% tags=["wrong"]
# hint: upper left quarter
def centre_mean(maps):
    half = maps.shape[2] // 2
    return maps[:, :, :half, :half].mean(axis=(2, 3))

# %% tags=["wrong"]
# hint: must give (3, 5)
def centre_mean(maps):
    q = maps.shape[2] // 4
    return maps[:, :, q:-q, q:-q].mean(axis=1)

# %% tags=["right"]
def centre_mean(maps):
    side = maps.shape[-1]
    rows = np.arange(side // 4, side - side // 4)
    return maps[:, :, rows][:, :, :, rows].reshape(*maps.shape[:2], -1).mean(axis=-1)

# %% name="centre_mean" tags=["exercise"]
def centre_mean(maps):
    """(N, C, side, side) -> (N, C): the mean over the central half of the rows and of the columns."""
    # BEGIN SOLUTION
    q = maps.shape[-1] // 4
    return maps[:, :, q:-q, q:-q].mean(axis=(2, 3))
    # END SOLUTION

# %% tags=["check"]
check_centre_mean(centre_mean)

# %% [markdown]
# The cache has this mean ready for every stage. Is it what your function gives, say after stage 5?

# %%
net = models.build("efficientnet_lite0", zoom=2).eval()
*enlarge, stages = [layer for layer in net.layers if isinstance(layer, nn.Upsample | nn.Sequential)]
with torch.inference_mode():
    maps = loading.as_tensor(toy.train.images[:32], torch.device("cpu")).permute(0, 3, 1, 2)
    maps = nn.Sequential(net.normalize, *enlarge, *stages[: STOPS["5"] + 1])(maps).numpy()
by_hand = lessons.use(check_centre_mean, centre_mean, standins.centre_mean)(maps)
print(np.shape(by_hand), "- the same:", np.allclose(by_hand, features[2]["train 5 centre"][:32], atol=1e-2))

# %% [markdown]
# A head for each stage, 200 patches, zoom 2; a few seconds on two CPU cores.

# %%
depth = {where: np.array([[head_scores(2, f"{stop} {where}", sizes[1], seed) for stop in STOPS] for seed in seeds])
         for where in ("mean", "centre")}
lines = {"mean over the whole map": depth["mean"], "mean over the centre": depth["centre"]}
drawings.depth(lines, list(STOPS), f"Heads on each stage, {sizes[1]} patches", score="AUC on validation");

# %%
best = list(STOPS)[depth["centre"].mean(axis=0).argmax()]
chosen = f"{best} centre"
print(f"best on validation: the centre after stage {best}, AUC {depth['centre'].mean(axis=0).max():.3f};", end=" ")
print(f"whole map after the last one: {depth['mean'].mean(axis=0)[-1]:.3f}")
gain = depth["centre"].mean(axis=0).max() - depth["mean"].mean(axis=0)[-1]
lessons.expect(gain, 0.005, 0.08, "what the better stage and place gain")
lessons.expect(depth["centre"].mean(axis=0).max() - depth["centre"].mean(axis=0)[0], 0.02, 0.4, "best less first stage")
lessons.expect(list(STOPS).index(best), 3, 6, "the best stage, counted from 0");

# %% [markdown]
# **What to notice.** The first stages know only edges and colours: too little. The last ones know more about
# ImageNet than we need. The best features come **before** the last stage, and there it helps to look at the
# centre, since the label depends on it. Both cost nothing, and no weight of the backbone has moved. (Stages
# that differ by less than their bands may stand in another order with other sites.)

# %% [markdown]
# ## 6. Fine-tuning: let the backbone learn on
#
# Frozen means two things, not one. Batch norm keeps a mean and a spread of what came through it, and counts on
# in training mode, with or without gradients.
#
# ### Exercise 8 (4 min, medium): freeze it properly
# Change the backbone so that training can change neither its weights nor the statistics of its batch norm.

# %% tags=["wrong"]
# hint: batch norm still updates
def freeze(backbone):
    for weights in backbone.parameters():
        weights.requires_grad = False

# %% tags=["wrong"]
# hint: still get gradients
def freeze(backbone):
    backbone.eval()

# %% tags=["wrong"]
# hint: nothing has been frozen yet
def freeze(backbone):
    with torch.no_grad():
        backbone.zero_grad()

# %% tags=["right"]
def freeze(backbone):
    for module in backbone.modules():
        module.training = False
    for weights in backbone.parameters():
        weights.requires_grad = False

# %% name="freeze" tags=["exercise"]
def freeze(backbone):
    """Freeze the backbone in place: its weights and its batch norm."""
    # BEGIN SOLUTION
    backbone.requires_grad_(False)
    backbone.eval()
    # END SOLUTION

# %% tags=["check"]
check_freeze(freeze)

# %% [markdown]
# (Later someone calls `net.train()`, and batch norm counts again. The package's network overrides `train` so
# that a frozen backbone stays in evaluation mode.)
#
# To **fine-tune** we let the weights learn. But the head starts at random: its first gradients are wild, and
# with a large step they would destroy in the backbone what ImageNet has taught. So the backbone takes **small
# steps**, the head larger ones.
#
# ### Exercise 9 (5 min, medium): two learning rates
# An optimiser accepts a list of groups: `{"params": [...], "lr": ...}`. Return two groups. `net.layers[:-1]`
# is the backbone, `net.layers[-1]` the head.

# %% tags=["wrong"]
# hint: the wrong way round
def two_rates(net, backbone_rate, head_rate):
    return [{"params": list(net.layers[:-1].parameters()), "lr": head_rate},
            {"params": list(net.layers[-1].parameters()), "lr": backbone_rate}]

# %% tags=["wrong"]
# hint: in both groups
def two_rates(net, backbone_rate, head_rate):
    return [{"params": list(net.parameters()), "lr": backbone_rate},
            {"params": list(net.layers[-1].parameters()), "lr": head_rate}]

# %% tags=["wrong"]
# hint: it would never learn
def two_rates(net, backbone_rate, head_rate):
    return [{"params": list(net.layers[:-1].parameters()), "lr": backbone_rate}]

# %% tags=["right"]
def two_rates(net, backbone_rate, head_rate):
    *backbone, head = net.layers
    groups = [{"params": weights, "lr": backbone_rate} for part in backbone for weights in part.parameters()]
    return groups + [{"params": head.parameters(), "lr": head_rate}]

# %% name="two_rates" tags=["exercise"]
def two_rates(net, backbone_rate, head_rate):
    """Groups for an optimiser: the backbone learns with backbone_rate, the head with head_rate."""
    # BEGIN SOLUTION
    return [
        {"params": list(net.layers[:-1].parameters()), "lr": backbone_rate},
        {"params": list(net.layers[-1].parameters()), "lr": head_rate},
    ]
    # END SOLUTION

# %% tags=["check"]
check_two_rates(two_rates)

# %% [markdown]
# One loop for all that follows: AdamW, a rate that rises and falls (one cycle, lesson 4), augmentation (eight
# symmetries, light), and a fixed number of **steps**, because an epoch of 50 patches is over before it begins.

# %%
def train_steps(net, groups, patches, steps, seed, locked=None):
    """Train with batches of 32 random patches; the modules in `locked` keep their batch statistics."""
    torch.manual_seed(seed)
    generator = torch.Generator(device).manual_seed(seed)
    optimizer = torch.optim.AdamW(groups, weight_decay=0.05)
    rates = [group["lr"] for group in groups]
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rates, total_steps=steps, pct_start=0.2)
    images = loading.as_tensor(patches.images, device).permute(0, 3, 1, 2)  # channels last in memory
    labels = torch.as_tensor(patches.labels, dtype=torch.float32, device=device)
    net.train()
    if locked is not None:
        locked.eval()
    for _ in range(steps):
        index = torch.randint(len(images), (32,), generator=generator, device=device)
        logits = net(loading.augment(images[index], generator))
        loss = binary_cross_entropy_with_logits(logits, labels[index])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return net.eval()


group_rates = lessons.use(check_two_rates, two_rates, standins.two_rates)

def fine_tune(count, seed, backbone_rate=5e-4, keep_norms=True):
    """EfficientNet fine-tuned on `count` patches, zoom 1."""
    torch.manual_seed(seed)
    net = models.build("efficientnet_lite0", frozen=False, zoom=1).to(device, memory_format=torch.channels_last)
    groups = group_rates(net, backbone_rate, 3e-3)
    some = train[draw(train.sites, count, np.random.default_rng(seed))]
    locked = net.layers[:-1] if keep_norms else None
    return train_steps(net, groups, some, lessons.budget(60, 2), seed, locked=locked)


def auc(net, part):
    return roc_auc_score(part.labels, training.predict(net, part.images))

# %% [markdown]
# Which learning rate does the backbone bear? And should batch norm keep ImageNet's statistics, or count on?
# Four trainings with 200 patches, at zoom 1 to save time: about 30 s on two CPU cores.

# %%
by_rate = {rate: auc(fine_tune(sizes[1], seed=0, backbone_rate=rate), val) for rate in (5e-5, 5e-4, 5e-3)}
counting = auc(fine_tune(sizes[1], seed=0, backbone_rate=5e-4, keep_norms=False), val)
for rate, score in by_rate.items():
    print(f"backbone learns with {rate:.5f}: AUC on validation {score:.3f}")
print(f"0.00050, batch norm counts on:  AUC on validation {counting:.3f}")
print(f"frozen, the same patches:       AUC on validation {head_scores(1, 'last mean', sizes[1], seed=0):.3f}")

# %%
lessons.expect(by_rate[5e-4], 0.91, 0.99, "AUC with the rate 0.0005")
lessons.expect(by_rate[5e-4] - by_rate[5e-3], 0.02, 0.6, "what the rate 0.005 destroys")
lessons.expect(by_rate[5e-4] - counting, 0.0, 0.2, "what batch norm loses when it counts on");

# %% [markdown]
# **What to notice.** With 0.005 the network forgets what it knew, and has too few patches to learn it anew.
# With 0.00005 it moves too little in 60 steps. We take 0.0005. And batch norm had better keep ImageNet's
# statistics: when it counts on, training and evaluation see different features for a while, and the score
# suffers.

# %% [markdown]
# ## 7. From scratch
#
# The third way needs a fair opponent. EfficientNet from random weights would be none: it has millions of
# numbers to learn. We take `patch_net`, a small network made for these patches, with the same loop and more
# steps: 200.
#
# ### Exercise 10 (3 min, easy): how often does it see a patch?
# With so many `steps`, batches of `batch` patches and `patches` different ones: how often does each patch
# come, on average?

# %% tags=["wrong"]
# hint: a whole batch, not one patch
def rounds(steps, batch, patches):
    return steps / patches

# %% tags=["wrong"]
# hint: what the network sees in all
def rounds(steps, batch, patches):
    return steps * batch

# %% tags=["wrong"]
# hint: upside down
def rounds(steps, batch, patches):
    return patches / (steps * batch)

# %% tags=["right"]
def rounds(steps, batch, patches):
    steps_of_an_epoch = patches / batch
    return steps / steps_of_an_epoch

# %% name="rounds" tags=["exercise"]
def rounds(steps, batch, patches):
    """How often each patch comes, on average."""
    # BEGIN SOLUTION
    return steps * batch / patches
    # END SOLUTION

# %% tags=["check"]
check_rounds(rounds)

# %%
times = lessons.use(check_rounds, rounds, standins.rounds)
for count in sizes:
    print(f"{count} patches: each comes {times(200, 32, count):.0f} times from scratch, "
          f"{times(60, 32, count):.1f} times in fine-tuning")

# %% [markdown]
# Nine trainings from scratch (three sizes, three seeds), about 40 s on two CPU cores.

# %%
def from_scratch(count, seed):
    torch.manual_seed(seed)
    net = models.build("patch_net").to(device, memory_format=torch.channels_last)
    groups = [{"params": list(net.parameters()), "lr": 3e-3}]
    some = train[draw(train.sites, count, np.random.default_rng(seed))]
    return train_steps(net, groups, some, lessons.budget(200, 3), seed)


results = {"from scratch": np.array([[auc(from_scratch(n, seed), toy.test) for n in sizes] for seed in seeds])}

# %% [markdown]
# And the fine-tuned ones, in three cells, each about 20 s on two CPU cores.

# %%
tuned = {sizes[0]: [auc(fine_tune(sizes[0], seed), toy.test) for seed in seeds]}

# %%
tuned[sizes[1]] = [auc(fine_tune(sizes[1], seed), toy.test) for seed in seeds]

# %%
tuned[sizes[2]] = [auc(fine_tune(sizes[2], seed), toy.test) for seed in seeds]

# %% [markdown]
# ## 8. The learning curve
#
# Now the test set is opened: 50 places that no network has seen. Two heads on frozen features join: the plain
# one at zoom 1, whose backbone sees the same pixels as the fine-tuned one, and the one that we chose on
# validation in section 5.

# %%
results["fine-tuned, zoom 1"] = np.array([tuned[count] for count in sizes]).T
for name, zoom, what in (("frozen, zoom 1", 1, "last mean"), (f"frozen, zoom 2, stage {best}", 2, chosen)):
    results[name] = np.array([[head_scores(zoom, what, n, seed, "test") for n in sizes] for seed in seeds])
drawings.learning_curve({name: (sizes, runs) for name, runs in results.items()}, "Three ways, four curves");

# %%
print(f"{'':24}" + "".join(f"{count:>16} patches" for count in sizes))
for name, runs in results.items():
    texts = [f"{column.mean():.3f} ({column.min():.3f}-{column.max():.3f})" for column in runs.T]
    print(f"{name:24}" + "".join(f"{text:>24}" for text in texts))

# %%
mean = {name: runs.mean(axis=0) for name, runs in results.items()}
scratch, tuned_mean, plain, wise = mean.values()
lessons.expect((wise - scratch)[0], 0.03, 0.3, "chosen frozen head less from scratch, 50 patches")
lessons.expect((wise - scratch)[2], 0.005, 0.1, "chosen frozen head less from scratch, 800 patches")
lessons.expect((tuned_mean - scratch)[0], 0.01, 0.3, "fine-tuned less from scratch, 50 patches")
lessons.expect((tuned_mean - plain)[2], -0.01, 0.05, "fine-tuned less plain frozen head, 800 patches")
lessons.expect((wise - scratch)[0] - (wise - scratch)[2], 0.01, 0.3, "how much the gain shrinks");

# %% [markdown]
# ### Exercise 11 (4 min, medium, extra): what is it worth in patches?
# A gain in AUC means little to the person who labels. Ask instead: how many patches does a way **need** to
# reach a target? Return the smallest size whose score reaches it, or `None` when none does.

# %% tags=["wrong"]
# hint: take the first size
def patches_needed(sizes, scores, target):
    return max((size for size, score in zip(sizes, scores) if score >= target), default=None)

# %% tags=["wrong"]
# hint: the number of patches is asked for
def patches_needed(sizes, scores, target):
    return int(np.argmax(np.array(scores) >= target))

# %% tags=["wrong"]
# hint: no size reaches
def patches_needed(sizes, scores, target):
    return sizes[int(np.argmax(np.array(scores) >= target))]

# %% tags=["right"]
def patches_needed(sizes, scores, target):
    return min((size for size, score in zip(sizes, scores) if score >= target), default=None)

# %% name="patches_needed" tags=["exercise"]
def patches_needed(sizes, scores, target):
    """The first of the rising sizes whose score is at least the target; None where there is none."""
    # BEGIN SOLUTION
    for size, score in zip(sizes, scores):
        if score >= target:
            return size
    return None
    # END SOLUTION

# %% tags=["check"]
check_patches_needed(patches_needed)

# %%
need = lessons.use(check_patches_needed, patches_needed, standins.patches_needed)
for target in (0.90, 0.94, 0.96):
    needed = {name: need(sizes, scores, target) for name, scores in mean.items()}
    print(f"AUC {target}:", "  ".join(f"{name}: {count or 'not reached'}" for name, count in needed.items()))

# %% [markdown]
# ### And with all patches?
#
# So far nobody had more than 800 patches and 200 steps. Now `patch_net` gets the package's full training
# (`training.fit` as in lesson 5, with 12 epochs) on all training patches, and the heads get all of them, too.
# About 15 s on two CPU cores.

# %%
torch.manual_seed(0)
full = models.build("patch_net")
training.fit(full, train, val, epochs=lessons.budget(12, 1), batch_size=lessons.budget(128, 64), seed=0, progress=False)
everything = {"patch_net from scratch, full training": auc(full, toy.test)}
everything["frozen, zoom 1"] = head_scores(1, "last mean", len(train), 0, "test")
everything[f"frozen, zoom 2, stage {best}"] = head_scores(2, chosen, len(train), 0, "test")
print(f"all {len(train):,} training patches, AUC on the test set:")
for name, score in everything.items():
    print(f"  {name:38} {score:.3f}")
first, _, third = everything.values()
lessons.expect(first - third, -0.06, 0.06, "full training from scratch less the chosen frozen head")
lessons.expect(first - scratch[2], 0.005, 0.1, "full training less 800 patches and 200 steps");

# %% [markdown]
# **What to notice.**
# - With **50** patches the borrowed eyes are far ahead, and from scratch depends most on luck (look at the
#   bands).
# - The advantage **shrinks** as patches are added. With all patches and a full training, the small network
#   comes close to the chosen head (one run each, so do not trust the last digits), and it needs a seventh of
#   the work for each patch (section 2). When you slide a window over whole images (lesson 7), that counts.
# - On the same pixels (zoom 1) fine-tuning is at least as good as a frozen head. But *thinking about the frozen
#   features*, zoom, stage and place, gave more than moving millions of weights.
# - We measured one data set of **rendered** images and three seeds. Photographs from a satellite may be closer
#   to ImageNet, or less close. Draw this curve again for your own data; now you know how.

# %% [markdown]
# ### Exercise 12 (3 min, easy): your advice
# Which way do you try first: `"scratch"`, `"frozen"` or `"fine-tune"`?
#
# - **A**: 40 labelled patches of photographs, a laptop, an answer is wanted within minutes.
# - **B**: a million labelled patches of a radar with 8 channels.
# - **C**: some hundred patches of photographs; the best frozen head was tried and is not good enough; you have
#   a GPU and an evening.

# %% tags=["wrong"]
# hint: left end of the learning curve
strategy = {"A": "scratch", "B": "scratch", "C": "fine-tune"}

# %% tags=["wrong"]
# hint: 8 of a radar
strategy = {"A": "frozen", "B": "fine-tune", "C": "fine-tune"}

# %% tags=["wrong"]
# hint: what else can move
strategy = {"A": "frozen", "B": "scratch", "C": "frozen"}

# %% tags=["right"]
strategy = dict(zip("ABC", ("frozen", "scratch", "fine-tune")))

# %% name="strategy" tags=["exercise"]
strategy = {"A": "frozen", "B": "scratch", "C": "fine-tune"}  # SOLUTION

# %% tags=["check"]
check_strategy(strategy)

# %% [markdown]
# ## 9. Extra: the same with torchvision (5 min, to read and run)
#
# Most tutorials take a network from **torchvision**. The recipe has five steps, and you know all of them:
#
# 1. **Weights** come with the name of their training. The file is downloaded once (45 MB). Without a network, leave
#    `download = False`: the layers are the same, their numbers are random, and everything but the score holds.
# 2. The weights bring **their transforms**: size, range, mean and spread as in their training (sections 2 and 3).
# 3. The last layer knew 1,000 classes: **replace the head**.
# 4. **Freeze** the first stages, here all but the last one (exercise 8: batch norm as well).
# 5. Put the whole into a module of your own: **a model inside a model**, which takes our patches and returns logits.

# %%
download = False  # True: fetch the weights of ImageNet; needs a network
weights = ResNet18_Weights.DEFAULT
standard = resnet18(weights=weights if download else None)  # 1
prepare = weights.transforms(resize_size=128, crop_size=128)  # 2; 224 is usual, 128 is quicker: zoom 2
standard.fc = nn.Linear(standard.fc.in_features, 1)  # 3
freeze_part = lessons.use(check_freeze, freeze, standins.freeze)

class Inside(nn.Module):
    """A network of torchvision for our patches: (N, 3, 64, 64) -> (N,) logits."""

    def __init__(self, prepare, inner, frozen):
        super().__init__()
        self.prepare, self.inner, self.frozen = prepare, inner, frozen  # a module in a module: its weights are ours

    def train(self, mode=True):
        super().train(mode)
        for name in self.frozen:
            freeze_part(getattr(self.inner, name))  # 4: also when somebody calls train()
        return self

    def forward(self, images):
        return self.inner(self.prepare(images)).squeeze(1)

inside = Inside(prepare, standard, frozen=["conv1", "bn1", "layer1", "layer2", "layer3"]).to(device).train()  # 5
print(prepare)
print(f"trained: {standins.trainable(inside):,} of {sum(w.numel() for w in inside.parameters()):,} numbers")

# %% [markdown]
# It trains like any other network. Without the weights of ImageNet two steps show that it runs; with them train as in
# section 6. (A few seconds on two CPU cores; with `download = True` about a minute.)

# %%
groups = [{"params": [w for w in inside.parameters() if w.requires_grad], "lr": 1e-3}]
before = [weights.detach().clone() for weights in (standard.layer1[0].conv1.weight, standard.layer4[0].conv1.weight)]
some = train[draw(train.sites, sizes[1], np.random.default_rng(0))]
train_steps(inside, groups, some, steps=lessons.budget(60, 2) if download else 2, seed=0)
for name, old, layer in zip(("layer1, frozen", "layer4"), before, (standard.layer1, standard.layer4), strict=True):
    print(f"{name:15} moved by {(layer[0].conv1.weight - old).abs().max():.4f} at most")
if download:
    print(f"AUC on validation: {auc(inside, val):.3f}")
else:
    print("random weights: no score that would mean anything")

# %% [markdown]
# ## What you learned
# - A pretrained backbone turns an image into features; a new head learns from few patches.
# - Frozen features are computed once and cached. The key of the cache holds all that they depend on.
# - Frozen means weights **and** batch norm. Fine-tuning means small steps for the backbone.
# - Show the backbone what it is used to (zoom), and try earlier stages and the right place of the map.
# - Transfer helps most with few patches. A learning curve with bands, from whole sites, shows how far.
#
# ## How to go on
# - Join the means and the centres of two stages (`np.concatenate(..., axis=1)`). Does the head improve?
# - Fine-tune at zoom 2, or with 200 steps. (Four times the work each: use a GPU.) Does it overtake?
# - Freeze stages 1 to 4 only, and fine-tune the rest.
# - Average the scores of a fine-tuned and a from-scratch network. Is the mean better than both?
# - To read: Kornblith, Shlens and Le, "Do better ImageNet models transfer better?" (2019); Yosinski and others,
#   "How transferable are features in deep neural networks?" (2014).

# %% [markdown]
# ## Quiz
# (The answers are at the end of the solution, `notebooks/solutions/06_transfer_learning.ipynb`.)
#
# 1. What is trained when the backbone is frozen? (a) everything (b) the head (c) batch norm only (d) nothing
# 2. You cached features and now switch on augmentation of the training patches. The head ...
#    (a) becomes better at once (b) never sees it, the features are stale (c) crashes (d) forgets ImageNet
# 3. Fine-tuning with the learning rate of a training from scratch often ... (a) is quicker and as good
#    (b) destroys what was learned before (c) changes nothing (d) freezes the backbone
# 4. To draw a learning curve for "only 50 patches" you draw ... (a) 50 patches from all sites (b) the first
#    50 (c) 50 patches from few whole sites (d) the 50 easiest
# 5. Transfer helps most when ... (a) labels are many and images unlike photographs (b) labels are few and
#    images like photographs (c) the head is deep (d) the images are small

# %% [markdown] tags=["solution"]
# **Answers.** 1 b. 2 b: the cache holds features of the unchanged patches; compute them for augmented ones,
# too, or do without. 3 b. 4 c: few patches come from few places. 5 b.
#
# **For the teacher.** Start with the question "50 patches, how good can it be?" and write the guesses on the
# board; come back to them in section 8. The surprise of this lesson is section 5: an earlier stage beats
# the last one. If time is short, leave out exercises 2 and 11. The cells of sections 6 and 7 take minutes:
# start them, and discuss exercise 10 meanwhile.
