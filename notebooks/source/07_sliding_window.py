# ---
# aircraft:
#   title: Sliding window detection
#   minutes: 90
#   can_do: "turn a classifier of patches into a detector, count aircraft on tiles, and measure how well it counts"
#   gpu: true
#   extras: []
# ---

# %% [markdown]
# # 7. Sliding window detection
#
# **After this lesson you can** turn a classifier of patches into a detector, count the aircraft on a tile, and
# measure how well it counts.
#
# About 90 minutes. You need lesson 3 (the labelling rule, the threshold) and lesson 5 (precision and recall,
# average precision, hard examples). All cells together compute for a few minutes on two CPU cores.

# %% tags=["setup"]

# %%
import copy
import time

import matplotlib.pyplot as plt
import numpy as np
import torch
from ipywidgets import interact

from aircraft import InputError, datasets, detection, models, patches, training
from aircraft_course import lessons
from aircraft_course.checks.lesson07 import (
    check_average_precision, check_border, check_choose_for_counting, check_count_error, check_find_peaks,
    check_hard_windows, check_pair, check_slide, check_stride, check_suppress, check_to_image,
    check_which_tiles, check_windows_in,
)
from aircraft_course.drawings import lesson07 as drawings

plt.rcParams["figure.dpi"] = 72  # photographs are large: this keeps the notebook small

# %% [markdown]
# ## 1. From a patch to a tile
#
# Until now every image was a patch of 64 × 64 pixels, and the question was: *is there an aircraft in the
# middle?* Nobody cuts such patches for us in real life. We get a large image, and the question is:
# ***where* are the aircraft, and *how many*?** To answer it is called **detection**.
#
# First the patches of lesson 5, split by **site** (a place). Then **tiles**: images of 512 × 512 pixels.

# %%
data = datasets.load_imbalanced(scale=lessons.budget(1.0, 0.05), progress=False)
train, val = datasets.split(data.train, fraction=0.2, seed=0)

count = lessons.budget(36, 6)
practice_tiles = datasets.load_tiles(split="validation", sites=set(train.sites), count=count, progress=False)
val_tiles = datasets.load_tiles(split="validation", sites=set(val.sites), count=count, progress=False)
test_tiles = datasets.load_tiles(count=count, progress=False)

groups = {"practice": practice_tiles, "validation": val_tiles, "test": test_tiles}
for name, tiles in groups.items():
    aircraft = sum(len(tile.boxes) for tile in tiles)
    print(f"{name:10} {len(tiles)} tiles, {aircraft:3} aircraft, {len({tile.site for tile in tiles})} sites")

# %% [markdown]
# **Three groups, three jobs:**
#
# | tiles | their sites | what we may do with them |
# |---|---|---|
# | practice | the places of the training patches | look at mistakes, learn from them |
# | validation | the places that `split` kept aside | choose thresholds |
# | test | places that nothing else shows | judge, at the very end |
#
# Now start the training, and read on while it runs.

# %% [markdown]
# **Training cell: about 50 s on two CPU cores.** `patch_net` is the small, quick network of
# the package. Two epochs are enough for a useful detector. (Short of time? Write `model = models.pretrained()` in
# place of this cell: the network that comes with the package. It learned longer, from other rendered places, so
# your results will be better than those in the text.)

# %%
torch.manual_seed(0)
model = models.build("patch_net")
history = training.fit(model, train, val, epochs=lessons.budget(2, 1), seed=0, progress=False)

patch_ap = lessons.expect(history.rows[-1]["AP"], 0.70, 0.95, "AP on validation patches")
print(f"average precision on validation patches: {patch_ap:.2f}")

# %% [markdown]
# The idea of this lesson: lay a window of 64 × 64 pixels on the tile, ask the classifier, move the window a
# little, ask again. The step from one window to the next is the **stride**, as in lesson 2.

# %%
example = min(val_tiles, key=lambda tile: abs(len(tile.boxes) - 8))
figure = drawings.sliding_windows(example, stride=32)

# %% [markdown]
# **What to notice.** Left: each white dot is the centre of one window; three neighbours are drawn in yellow.
# Right: one window, with its **core** dashed in blue, the central 32 × 32 pixels. Remember the labelling rule:
# a patch is positive if and only if the *centre* of an aircraft lies in its core.

# %% [markdown]
# ### Exercise 1 (4 min, easy): how many windows?
# An image has `size` × `size` pixels. The corner of the first window is at (0, 0), the next ones follow
# `stride` pixels apart, along x and along y. Every window lies wholly in the image. How many are there?

# %% tags=["wrong"]
# hint: reach over the border
def windows_in(size, stride):
    return (size // stride) ** 2

# %% tags=["wrong"]
# hint: along one side
def windows_in(size, stride):
    return (size - 64) // stride + 1

# %% tags=["wrong"]
# hint: corners at 0 and 16
def windows_in(size, stride):
    return ((size - 64) // stride) ** 2

# %% tags=["right"]
def windows_in(size, stride):
    corners = range(0, size - 64 + 1, stride)
    return len(corners) * len(corners)

# %% name="windows_in" tags=["exercise"]
def windows_in(size, stride):
    """How many windows of 64 x 64 lie in an image of size x size pixels."""
    # BEGIN SOLUTION
    along_one_side = (size - 64) // stride + 1
    return along_one_side**2
    # END SOLUTION

# %% tags=["check"]
check_windows_in(windows_in)

# %% [markdown]
# Do you need help? Write `check_windows_in.hint()` into a cell of your own: the first call gives a first step,
# the second call nearly the answer. All checks of this lesson can do that.

# %% [markdown]
# ## 2. The window loop, by hand
#
# ### Exercise 2 (8 min, medium): slide the window
# `score` is a function: a window of (64, 64, 3) goes in, a number comes out. Call it for every window. The
# answer is the **score map**: `scores[i, j]` belongs to the window of row `i` (down) and column `j` (right).

# %% tags=["wrong"]
# hint: rows and columns are swapped
def slide(score, image, stride):
    rows = (image.shape[1] - 64) // stride + 1
    columns = (image.shape[0] - 64) // stride + 1
    scores = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            scores[i, j] = score(image[stride * j : stride * j + 64, stride * i : stride * i + 64])
    return scores

# %% tags=["wrong"]
# hint: one pixel apart
def slide(score, image, stride):
    rows, columns = [(side - 64) // stride + 1 for side in image.shape[:2]]
    scores = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            scores[i, j] = score(image[i : i + 64, j : j + 64])
    return scores

# %% tags=["wrong"]
# hint: your map is (4, 7)
def slide(score, image, stride):
    height, width = image.shape[:2]
    return np.array(
        [
            [score(image[y : y + 64, x : x + 64]) for x in range(0, width - 64, stride)]
            for y in range(0, height - 64, stride)
        ]
    )

# %% tags=["right"]
def slide(score, image, stride):
    ys = range(0, image.shape[0] - 63, stride)
    xs = range(0, image.shape[1] - 63, stride)
    return [[score(image[y : y + 64, x : x + 64]) for x in xs] for y in ys]

# %% name="slide" tags=["exercise"]
def slide(score, image, stride):
    """The score map (rows, columns) of an image (height, width, 3)."""
    height, width = image.shape[:2]
    rows = (height - 64) // stride + 1
    columns = (width - 64) // stride + 1
    scores = np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            # BEGIN SOLUTION
            # STUB
            # window = ...  # TODO: 64 x 64 pixels of the image
            # scores[i, j] = ...  # TODO
            y, x = stride * i, stride * j
            window = image[y : y + 64, x : x + 64]
            scores[i, j] = score(window)
            # END SOLUTION
    return scores

# %% tags=["check"]
check_slide(slide)

# %% [markdown]
# Now with the real classifier. `training.predict` takes many patches and gives their probabilities; here it
# gets one patch at a time. We compare with `detection.score_map` of the package.

# %% tags=["needs-answer"]
def score(window):
    return training.predict(model, window[None])[0]

mine = slide(score, example.image, stride=32)
package = detection.score_map(model, example.image, method="window", stride=32)
print("my map:     ", mine.shape)
print("the package:", package.scores.shape, "its first window has its centre at", package.offset)

inner = package.scores[1:-1, 1:-1]
print(f"largest difference inside: {np.abs(mine - inner).max():.4f}")

# %% [markdown]
# **What to notice.** The scores are the same. The map of the package has one more row and column on each side:
# it continues the image by its mirror image, so that window *centres* begin at 0. Why is that worth the work?

# %% [markdown]
# ### Exercise 3 (2 min, easy): what the loop cannot see
# Your loop keeps every window wholly inside the tile. Which aircraft can never be in the core of a window,
# at any stride?
#
# - a) none: the windows reach the border
# - b) those with their centre less than 16 pixels from the border
# - c) those with their centre less than 32 pixels from the border
# - d) all that are cut by the edge of a window

# %% tags=["wrong"]
# hint: but do their cores
border = "a"

# %% tags=["wrong"]
# hint: larger than a point
border = "c"

# %% tags=["right"]
border = "B"

# %% name="border" tags=["exercise"]
border = "b"  # SOLUTION

# %% tags=["check"]
check_border(border)

# %% [markdown]
# ### Exercise 4 (3 min, easy): from the map back to the image
# `scores[i, j]` of **your** loop is high. At which point `(x, y)` of the image do you report an aircraft? Take
# the centre of the window.

# %% tags=["wrong"]
# hint: x and y are swapped
def to_image(i, j, stride):
    return 32 + stride * i, 32 + stride * j

# %% tags=["wrong"]
# hint: corner of the window
def to_image(i, j, stride):
    return stride * j, stride * i

# %% tags=["right"]
def to_image(i, j, stride):
    corner = np.array([j, i]) * stride
    return corner + 64 / 2

# %% name="to_image" tags=["exercise"]
def to_image(i, j, stride):
    """(x, y) of the centre of the window that scores[i, j] belongs to."""
    # BEGIN SOLUTION
    return 32 + stride * j, 32 + stride * i
    # END SOLUTION

# %% tags=["check"]
check_to_image(to_image)

# %% [markdown]
# How long does the loop take? This cell scores one tile at stride 16, one window at a time, and then in batches of
# 256 windows (together a few seconds; more when the machine is busy). Then it asks: how long for a scene of
# 4,000 × 4,000 pixels at stride 8?

# %% tags=["nbval-ignore-output"]
large = (4000 // 8 + 1) ** 2
for method in ("window", "batched"):
    start = time.perf_counter()
    scores = detection.score_map(model, example.image, method=method, stride=lessons.budget(16, 32))
    each = (time.perf_counter() - start) / scores.scores.size
    print(f"{method:7}: {scores.scores.size:,} windows, {1000 * each:.1f} ms each;", end=" ")
    print(f"a scene of {large:,} windows: about {large * each / 60:.0f} minutes")

# %% [markdown]
# **What to notice.** To call the network anew for every single window costs time by itself. In batches the same
# work is quicker, so we use `method="batched"` from here on. But it still computes every window from its first
# pixel, although neighbours share most of their pixels. Lesson 8 ends that waste.

# %%
figure = drawings.beside(example, scores)
above = int((scores.scores >= 0.5).sum())
print(f"{len(example.boxes)} aircraft on the tile, {above} windows with a score of 0.5 or more")
times = lessons.expect(above / len(example.boxes), 1.5, 30, "bright windows for each aircraft")

# %% [markdown]
# **What to notice.** Left and right show the same place. Most aircraft have a bright spot on the map; some spots
# lie where no aircraft is. And look at the printed numbers: **there are more bright windows than aircraft**.
# Several neighbouring windows see the same one. To count windows is not to count aircraft; section 4 solves this.

# %% [markdown]
# ## 3. How large may the stride be?
#
# A large stride is cheap: twice the stride, a quarter of the windows. But an aircraft is only found when its
# centre is in the core of a window. Here are cores (blue squares) and three aircraft (stars).

# %%
figure = drawings.core_grids(strides=(16, 32, 48))

# %% [markdown]
# ### Exercise 5 (3 min, easy): gaps
# - `coarsest`: the largest stride, in pixels, that leaves no gap between the cores.
# - `looks`: at stride 16, in how many cores is each star? (Away from the border of the tile.)

# %% tags=["wrong"]
# hint: white gap
coarsest, looks = 48, 4

# %% tags=["wrong"]
# hint: wide gaps
coarsest, looks = 64, 4

# %% tags=["wrong"]
# hint: how many windows together
coarsest, looks = 32, 2

# %% tags=["right"]
coarsest, looks = 32.0, (32 // 16) ** 2

# %% name="stride" tags=["exercise"]
coarsest, looks = 32, 4  # SOLUTION

# %% tags=["check"]
check_stride(coarsest, looks)

# %% [markdown]
# In theory a stride of 32 is enough. Is it in practice? We score 12 validation tiles at stride 8. The map at
# stride 16 is then simply every second score of every second row: no new computation. (About 15 s on two
# cores. `peaks` and `evaluate` are the subject of the next sections; a higher AP is better.)

# %%
some = val_tiles[: lessons.budget(12, 2)]
maps = [detection.score_map(model, tile.image, method="batched", stride=8) for tile in some]
stride_ap = {}
for step in (1, 2, 4):
    thinned = [detection.ScoreMap(m.scores[::step, ::step], stride=8 * step) for m in maps]
    report = detection.evaluate([detection.peaks(m, threshold=0.05) for m in thinned], some)
    stride_ap[8 * step] = report.AP
    print(f"stride {8 * step:2}: {thinned[0].scores.size:5,} windows a tile, AP {report.AP:.2f}")

# %%
gain = lessons.expect(stride_ap[16] - stride_ap[32], 0.1, 0.7, "AP at stride 16 minus AP at stride 32")
lost = lessons.expect(stride_ap[8] - stride_ap[16], -0.05, 0.15, "AP at stride 8 minus AP at stride 16")
print(f"from stride 32 to 16: {gain:+.2f}     from stride 16 to 8: {lost:+.2f}")

# %% [markdown]
# **What to notice.** Stride 32 has no gaps, and yet its AP is much lower: near the edge of a core the classifier
# is unsure, and with one look at each aircraft there is no second chance. With four looks (stride 16) one of
# them is near the middle. Stride 8 changes much less, for four times the work. We take **16**.

# %% [markdown]
# ## 4. From bright spots to single points
#
# One aircraft makes a bright *spot* on the map. We want one *point*. First idea: take the **peaks**, positions
# where the score is not lower than at any of the eight neighbours.
#
# ### Exercise 6 (8 min, medium): peaks
# Return all positions `(i, j)` with a score of at least `threshold` and with **no neighbour that is higher**.
# Take care at the border of the map: a position there has fewer neighbours.

# %% tags=["wrong"]
# hint: row -1 is the LAST row
def find_peaks(scores, threshold):
    found = []
    padded = np.pad(scores, ((0, 1), (0, 1)))
    for i, j in np.argwhere(scores >= threshold):
        around = [padded[i + a, j + b] for a in (-1, 0, 1) for b in (-1, 0, 1)]
        wrapped = [scores[i - 1, j], scores[i, j - 1]]
        if scores[i, j] >= max(around + wrapped):
            found.append((i, j))
    return found

# %% tags=["wrong"]
# hint: eight neighbours, not four
def find_peaks(scores, threshold):
    found = []
    padded = np.pad(scores, 1)
    for i, j in np.argwhere(scores >= threshold):
        cross = padded[i + 1, j], padded[i + 1, j + 2], padded[i, j + 1], padded[i + 2, j + 1]
        if scores[i, j] >= max(cross):
            found.append((i, j))
    return found

# %% tags=["wrong"]
# hint: no neighbour has a higher score
def find_peaks(scores, threshold):
    return [(i, j) for i, j in np.argwhere(scores >= threshold)]

# %% tags=["wrong"]
# hint: equal is fine
def find_peaks(scores, threshold):
    found = []
    padded = np.pad(scores, 1)
    for i, j in np.argwhere(scores >= threshold):
        around = padded[i : i + 3, j : j + 3]
        if (around < scores[i, j]).sum() == 8:
            found.append((i, j))
    return found

# %% tags=["right"]
def find_peaks(scores, threshold):
    from scipy.ndimage import maximum_filter

    highest = maximum_filter(scores, size=3, mode="constant")
    return np.argwhere((scores == highest) & (scores >= threshold))

# %% name="find_peaks" tags=["exercise"]
def find_peaks(scores, threshold):
    """A list of (i, j): the positions of the peaks."""
    found = []
    rows, columns = scores.shape
    for i in range(rows):
        for j in range(columns):
            # BEGIN SOLUTION
            # STUB
            # around = ...  # TODO: the piece of the map with (i, j) and its neighbours
            # is_peak = ...  # TODO
            # if is_peak:
            #     found.append((i, j))
            around = scores[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]  # the slice ends at the border
            if scores[i, j] >= threshold and scores[i, j] == around.max():
                found.append((i, j))
            # END SOLUTION
    return found

# %% tags=["check"]
check_find_peaks(find_peaks)

# %% [markdown]
# A ragged spot can have two peaks close together. Second step: **non-maximum suppression** (NMS). The best peak
# stays and removes all others near it; then the best of the rest, and so on. Parked airliners are about 35 m
# apart or more, so "near" means 20 pixels here.
#
# ### Exercise 7 (8 min, medium): suppress
# `centers` is (N, 2), `scores` is (N,), in no special order. Return the indices of those that stay: the best
# first, and nothing within `min_distance` of one that stays.

# %% tags=["wrong"]
# hint: of two close positions both are gone
def suppress(centers, scores, min_distance):
    keep = []
    for i in range(len(centers)):
        distances = np.hypot(*(centers - centers[i]).T)
        if (distances <= min_distance).sum() == 1:
            keep.append(i)
    return keep

# %% tags=["wrong"]
# hint: the FIRST stayed
def suppress(centers, scores, min_distance):
    keep = []
    for i in range(len(centers)):
        if all(np.hypot(*(centers[i] - centers[k])) > min_distance for k in keep):
            keep.append(i)
    return keep

# %% tags=["wrong"]
# hint: not with all
def suppress(centers, scores, min_distance):
    keep = []
    for i in range(len(centers)):
        near = np.hypot(*(centers - centers[i]).T) <= min_distance
        if scores[i] == scores[near].max():
            keep.append(i)
    return keep

# %% tags=["wrong"]
# hint: the root of dx
def suppress(centers, scores, min_distance):
    keep = []
    for i in np.argsort(-scores):
        if all(np.abs(centers[i] - centers[k]).max() > min_distance for k in keep):
            keep.append(i)
    return keep

# %% tags=["right"]
def suppress(centers, scores, min_distance):
    left = list(np.argsort(-scores))
    keep = []
    while left:
        best = left.pop(0)
        keep.append(int(best))
        left = [i for i in left if np.linalg.norm(centers[i] - centers[best]) > min_distance]
    return keep

# %% name="suppress" tags=["exercise"]
def suppress(centers, scores, min_distance):
    """Indices of the positions that stay, the best first."""
    keep = []
    for i in np.argsort(-scores):  # the best first
        # BEGIN SOLUTION
        # STUB
        # far = ...  # TODO: True when it is far from all positions that stay
        # if far:
        #     keep.append(i)
        distances = [np.hypot(*(centers[i] - centers[k])) for k in keep]
        if all(distance > min_distance for distance in distances):
            keep.append(i)
        # END SOLUTION
    return keep

# %% tags=["check"]
check_suppress(suppress)

# %% [markdown]
# Both steps on a piece of a tile, with a fine map (stride 8) so that the spots are large.

# %% tags=["needs-answer"]
x, y = np.clip(np.median(example.centers, axis=0) - 128, 0, 256).astype(int)
piece = example.crop(x, y, 256)
fine = detection.score_map(model, piece.image, method="batched", stride=8)

bright = np.argwhere(fine.scores >= 0.5)
peaks = np.array(find_peaks(fine.scores, 0.5), int).reshape(-1, 2)
centers = fine.offset + fine.stride * peaks[:, ::-1]  # (i, j) -> (x, y)
stay = np.array(suppress(centers, fine.scores[peaks[:, 0], peaks[:, 1]], 20), int)
panels = {
    f"{len(bright)} windows ≥ 0.5": fine.offset + fine.stride * bright[:, ::-1],
    f"{len(peaks)} peaks": centers,
    f"{len(stay)} after suppression": centers[stay],
}
figure = drawings.steps(piece.image, panels)
print(f"{len(piece.boxes)} aircraft have their centre in this piece")

# %% [markdown]
# **What to notice.** Left to right: a cloud of circles around each aircraft, one peak or a few, and at last
# one circle each where all goes well. (Where no two peaks are close together, suppression has nothing to
# remove, and the last two pictures are the same.) A circle on something else is a false alarm, an aircraft
# without a circle is missed. The package does the same in `detection.peaks`. It smooths the map a little
# before, so that ripples do not become peaks, and takes the mean position of a spot, which is finer than the
# stride.

# %% [markdown]
# ## 5. Right or wrong? Matching
#
# A detection is **right** (a *hit*) when it lies within 16 pixels of the true centre of an aircraft **that no
# better detection has taken**. All other detections are **false alarms**. An aircraft that nobody has taken is
# **missed**. Try it with your eyes first:

# %%
figure = drawings.matching()

# %% [markdown]
# How many hits, false alarms and misses do you count? Write it down before you go on.

# %% [markdown]
# ### Exercise 8 (10 min, hard): match
# `found` (N, 2) are detections, the surest first; `truth` (M, 2) are true centres. Go through the detections in
# order. Each one takes the nearest aircraft that is still free, if it lies within `radius`. Return a list:
# for each detection the number of its aircraft (0, 1, ...), or -1 for a false alarm. Take care: a tile can be
# without aircraft (M = 0), and `truth` is then empty.

# %% tags=["wrong"]
# hint: both took aircraft A
def pair(found, truth, radius=16):
    pairs = []
    for x, y in found:
        distance = np.hypot(truth[:, 0] - x, truth[:, 1] - y)
        pairs.append(distance.argmin() if len(truth) and distance.min() <= radius else -1)
    return pairs

# %% tags=["wrong"]
# hint: take the NEAREST one
def pair(found, truth, radius=16):
    pairs = []
    for x, y in found:
        number = -1
        for k, (tx, ty) in enumerate(truth):
            if number < 0 and k not in pairs and np.hypot(tx - x, ty - y) <= radius:
                number = k
        pairs.append(number)
    return pairs

# %% tags=["wrong"]
# hint: nearest FREE one
def pair(found, truth, radius=16):
    pairs = []
    for x, y in found:
        distance = np.hypot(truth[:, 0] - x, truth[:, 1] - y)
        nearest = distance.argmin() if len(truth) else -1
        close = len(truth) and distance[nearest] <= radius and nearest not in pairs
        pairs.append(nearest if close else -1)
    return pairs

# %% tags=["wrong"]
# hint: argmin of an empty
def pair(found, truth, radius=16):
    pairs = []
    for x, y in found:
        distance = np.hypot(truth[:, 0] - x, truth[:, 1] - y)
        distance[[k for k in pairs if k >= 0]] = np.inf
        nearest = distance.argmin()
        pairs.append(nearest if distance[nearest] <= radius else -1)
    return pairs

# %% tags=["right"]
def pair(found, truth, radius=16):
    free = list(range(len(truth)))
    pairs = []
    for point in found:
        near = [(np.linalg.norm(truth[k] - point), k) for k in free]
        near = [(distance, k) for distance, k in near if distance <= radius]
        number = min(near)[1] if near else -1
        if near:
            free.remove(number)
        pairs.append(number)
    return np.array(pairs, int)

# %% name="pair" tags=["exercise"]
def pair(found, truth, radius=16):
    """For each detection the number of the aircraft that it takes, or -1."""
    pairs = []
    for x, y in found:
        number = -1
        if len(truth) > 0:  # a tile can be empty
            # BEGIN SOLUTION
            # STUB
            # distance = ...  # TODO: to all aircraft; infinite for those that are taken
            # close = ...  # TODO: True when the nearest one is close enough
            # if close:
            #     number = int(distance.argmin())
            distance = np.hypot(truth[:, 0] - x, truth[:, 1] - y)
            taken = [k for k in pairs if k >= 0]
            distance[taken] = np.inf
            if distance.min() <= radius:
                number = int(distance.argmin())
            # END SOLUTION
        pairs.append(number)
    return pairs

# %% tags=["check"]
check_pair(pair)

# %% [markdown]
# **The figure, solved:** detections 1 and 4 are hits. Detection 3 lies on aircraft A, but 1 was surer and has
# taken it: a *double* is a false alarm, because it would be counted twice. 2 and 5 are too far from anything:
# false alarms too. So: 2 hits, 3 false alarms, and aircraft C is missed.
#
# From here on we use `detection.detect` (score map, then peaks) and `detection.match`. One more rule is in it:
# aircraft that are cut off by the border of the tile count neither as hit nor as false alarm.
# This cell looks at all validation tiles (about 10 s on two cores).

# %%
STRIDE = lessons.budget(16, 32)

def find_all(model, tiles):
    """The detections of each tile. The low threshold keeps weak ones; we choose the real one later."""
    options = {"threshold": 0.05, "method": "batched", "stride": STRIDE}
    return [detection.detect(model, tile.image, **options) for tile in tiles]

found = find_all(model, val_tiles)
matches = [detection.match(one.above(0.5), tile) for one, tile in zip(found, val_tiles, strict=True)]
print("all validation tiles at threshold 0.5:")
for what in ("hits", "false_alarms", "misses"):
    print(f"{sum(len(getattr(match, what)) for match in matches):4} {what}")

# %% [markdown]
# ## 6. One number for all thresholds, one for the counts
#
# Each threshold gives a **precision** (share of the detections that are hits) and a **recall** (share of the
# aircraft that were found). **AP**, the average precision, sums up all thresholds, as in lesson 5. There is one
# difference: an aircraft can be missed *altogether*, without any detection. It must count, too.

# %% [markdown]
# ### Exercise 9 (7 min, medium): average precision of a detector
# `hits` tells of each detection, the surest first, whether it is a hit. `n_true` is the number of all aircraft.
# At each hit take the precision of the detections so far. Sum these precisions up and divide by `n_true`.

# %% tags=["wrong"]
# hint: never found must count
def average_precision(hits, n_true):
    precisions = [sum(hits[: k + 1]) / (k + 1) for k in range(len(hits)) if hits[k]]
    return sum(precisions) / max(len(precisions), 1)

# %% tags=["wrong"]
# hint: precision of all detections
def average_precision(hits, n_true):
    return sum(hits) / max(len(hits), 1)

# %% tags=["wrong"]
# hint: sum over the hits only
def average_precision(hits, n_true):
    return sum(sum(hits[: k + 1]) / (k + 1) for k in range(len(hits))) / n_true

# %% tags=["right"]
def average_precision(hits, n_true):
    hits = np.array(hits, float)
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    return (precision * hits).sum() / n_true

# %% name="average_precision" tags=["exercise"]
def average_precision(hits, n_true):
    """The mean, over all aircraft, of the precision at the moment when each one is found."""
    total, right = 0.0, 0
    for number, hit in enumerate(hits, start=1):  # number: detections so far
        # BEGIN SOLUTION
        # STUB
        # if hit:
        #     right += 1
        #     total += ...  # TODO: the precision of the detections so far
        if hit:
            right += 1
            total += right / number
        # END SOLUTION
    return total / n_true

# %% tags=["check"]
check_average_precision(average_precision)

# %% [markdown]
# Now for all validation tiles together: put the detections of all tiles into one ranking.

# %%
def ranking(found, tiles):
    """Whether each detection is a hit, the surest first; cut-off aircraft are left out."""
    scores, hits = [], []
    for one, tile in zip(found, tiles, strict=True):
        match = detection.match(one, tile)
        scores += [*one.scores[match.hits], *one.scores[match.false_alarms]]
        hits += [True] * len(match.hits) + [False] * len(match.false_alarms)
    return np.array(hits, bool)[np.argsort(-np.array(scores))]

hits = ranking(found, val_tiles)
n_true = sum(len(tile.boxes) for tile in val_tiles)
report = detection.evaluate(found, val_tiles)
print(f"{len(hits)} detections, {hits.sum()} of them hits; {n_true} aircraft; AP {report.AP:.3f} (package)")

# %% tags=["needs-answer"]
mine = average_precision(hits, n_true)
print(f"AP by hand: {mine:.3f}")
assert abs(mine - report.AP) < 0.01, "the two should agree"

# %%
recall = hits.cumsum() / n_true
precision = hits.cumsum() / np.arange(1, len(hits) + 1)
figure, ax = plt.subplots(figsize=(5.0, 3.4), layout="constrained")
drawings.curve(ax, recall, precision)
ax.set_title(f"Validation tiles: AP {report.AP:.2f}", loc="left")
val_ap = lessons.expect(report.AP, 0.6, 0.97, "AP on validation tiles")
end = lessons.expect(recall[-1], 0.6, 0.999, "recall at the end of the curve")

# %% [markdown]
# **What to notice.** From left to right the threshold falls: more aircraft are found, and more false alarms come
# with them. The curve ends before recall 1: the aircraft that are still missing there have no detection at
# all, not even a weak one.
#
# Who is missing? Look at the validation tile with the most misses (at threshold 0.5).

# %%
missed = [len(match.misses) for match in matches]
hardest = int(np.argmax(missed))
figure, ax = plt.subplots(figsize=(4.2, 4.6), layout="constrained")
strong = found[hardest].above(0.5)
drawings.judged(ax, val_tiles[hardest], strong, "the validation tile with the most misses")
print(f"{missed[hardest]} of all {sum(missed)} misses are on this one tile")
share = lessons.expect(missed[hardest] / sum(missed), 0.15, 1.0, "share of the misses on one tile")

# %% [markdown]
# **What to notice.** A large part of all misses is on one single tile: mistakes do not spread evenly over places.
# Compare the size of these aircraft, and the space between them, with those in the other figures. A number
# like AP hides such a tile, and with one such place more or less it would be another number: this is why we
# draw intervals over *sites*.
#
# For *counting*, where the aircraft are does not matter: only how many. So we also look at the **count error**.

# %% [markdown]
# ### Exercise 10 (3 min, easy): count error
# `found` and `true` hold the number of aircraft on each tile: found, and truly there. On average, by how many
# aircraft is the count of a tile wrong?

# %% tags=["wrong"]
# hint: must not cancel
def count_error(found, true):
    return abs(np.mean(found) - np.mean(true))

# %% tags=["wrong"]
# hint: sum of the mistakes
def count_error(found, true):
    return np.abs(np.array(found) - np.array(true)).sum()

# %% tags=["wrong"]
# hint: these are squares
def count_error(found, true):
    return np.mean((np.array(found) - np.array(true)) ** 2)

# %% tags=["right"]
def count_error(found, true):
    return sum(abs(int(f) - int(t)) for f, t in zip(found, true, strict=True)) / len(true)

# %% name="count_error" tags=["exercise"]
def count_error(found, true):
    """Mean over the tiles of |found - true|."""
    # BEGIN SOLUTION
    return np.abs(np.array(found) - np.array(true)).mean()
    # END SOLUTION

# %% tags=["check"]
check_count_error(count_error)

# %% [markdown]
# ## 7. Choose the threshold
#
# The still figure first, then a slider to play with. The tile is the one from the beginning.

# %%
found_here = find_all(model, [example])[0]

def plot_at(threshold):
    """One tile at this threshold, and the place of the threshold on the curve of all validation tiles."""
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.5), layout="constrained")
    drawings.judged(axes[0], example, found_here.above(threshold), f"threshold {threshold:.2f}")
    at = detection.evaluate(found, val_tiles, threshold)
    drawings.curve(axes[1], recall, precision, at=(at.recall, at.precision))
    title = f"all {len(val_tiles)} tiles: off by {at.count_error:.2f} a tile"
    axes[1].set_title(title, fontsize=11, loc="left")
    plt.show()

plot_at(threshold=0.5)

# %% [markdown]
# Left: green circle and box: hit. Orange dashed box: missed. Pink cross: false alarm. Right: the diamond is this
# threshold on the curve of all validation tiles. Move the slider (it needs a running notebook): where do the
# first false alarms come, and where do the last misses go?

# %% tags=["nbval-ignore-output"]
interact(plot_at, threshold=(0.05, 0.95, 0.05));

# %%
figure, axes = plt.subplots(1, 3, figsize=(7.6, 3.1), layout="constrained")
for ax, threshold in zip(axes, (0.1, 0.5, 0.9), strict=True):
    drawings.judged(ax, example, found_here.above(threshold), f"threshold {threshold}")

# %% [markdown]
# **What to notice.** A low threshold (left) finds nearly all and raises false alarms; a high one (right) raises
# few and misses more. Neither is right as such: it depends on what a mistake costs.

# %% [markdown]
# ### Exercise 11 (5 min, medium): the threshold for counting
# Which of the `thresholds` gives the smallest count error? `found[k].above(t)` are the detections of tile `k`
# with a score of at least `t`; `len(...)` counts them. Use your `count_error`.

# %% tags=["wrong"]
# hint: the totals agree
def choose_for_counting(found, tiles, thresholds):
    true = sum(len(tile.boxes) for tile in tiles)
    totals = [sum(len(one.above(t)) for one in found) for t in thresholds]
    return thresholds[np.argmin(np.abs(np.array(totals) - true))]

# %% tags=["wrong"]
# hint: SMALLEST error
def choose_for_counting(found, tiles, thresholds):
    true = np.array([len(tile.boxes) for tile in tiles])
    errors = [np.abs(np.array([len(one.above(t)) for one in found]) - true).mean() for t in thresholds]
    return thresholds[np.argmax(errors)]

# %% tags=["wrong"]
# hint: is it used at all
def choose_for_counting(found, tiles, thresholds):
    true = np.array([len(tile.boxes) for tile in tiles])
    errors = [np.abs(np.array([len(one) for one in found]) - true).mean() for t in thresholds]
    return thresholds[np.argmin(errors)]

# %% tags=["right"]
def choose_for_counting(found, tiles, thresholds):
    def error(threshold):
        pairs = zip(found, tiles, strict=True)
        return sum(abs((one.scores >= threshold).sum() - len(tile.boxes)) for one, tile in pairs)

    return min(thresholds, key=error)

# %% name="choose_for_counting" tags=["exercise"]
def choose_for_counting(found, tiles, thresholds):
    """The threshold with the smallest count error on these tiles."""
    true = [len(tile.boxes) for tile in tiles]
    errors = []
    for threshold in thresholds:
        # BEGIN SOLUTION
        # STUB
        # counts = ...  # TODO: for each tile, the number of detections at this threshold
        # errors.append(...)  # TODO
        counts = [len(one.above(threshold)) for one in found]
        errors.append(count_error(counts, true))
        # END SOLUTION
    return thresholds[np.argmin(errors)]

# %% tags=["check"]
check_choose_for_counting(choose_for_counting)

# %% [markdown]
# The package has `detection.choose_threshold` (for the best F1, the balance of precision and recall of lesson 5)
# and `detection.choose_count_threshold` (your function, trying every score). Both look at the *validation*
# tiles. Only now, with the thresholds fixed, we go to the test tiles (about 10 s on two cores).

# %%
for_f1 = detection.choose_threshold(found, val_tiles)
for_counts = detection.choose_count_threshold(found, val_tiles)

test_found = find_all(model, test_tiles)
reports = {}
for name, threshold in {"one half": 0.5, "best F1": for_f1, "counting": for_counts}.items():
    reports[name] = one = detection.evaluate(test_found, test_tiles, threshold)
    print(f"{name:8} threshold {threshold:.2f}: precision {one.precision:.2f},", end=" ")
    print(f"recall {one.recall:.2f}, F1 {one.F1:.2f}, count error {one.count_error:.2f}")
print(f"AP {one.AP:.3f}: it does not depend on the threshold")

test_ap = lessons.expect(one.AP, 0.85, 0.99, "AP on test tiles")
test_f1 = lessons.expect(reports["best F1"].F1, 0.75, 0.97, "F1 on test tiles")
test_error = lessons.expect(reports["counting"].count_error, 0.4, 2.0, "count error on test tiles")

# %%
counted = {"threshold 0.5": reports["one half"].found, "threshold for counting": reports["counting"].found}
figure = drawings.against_truth(counted, one.true)

# %% [markdown]
# **What to notice.** Each point is a tile. On the dashed line the count is right, below it aircraft are missing,
# above it there are too many. The thresholds for F1 and for counting can be the same. The totals in the titles may
# look better than the tiles, because a tile with too many makes up for a tile with too few: that is why the count
# error takes each tile by itself.

# %% [markdown]
# ## 8. Look at the mistakes
#
# Numbers do not say *what* goes wrong. Pictures do. We look at the **practice tiles**, not at the test tiles:
# whoever studies the mistakes on the test tiles and mends them has no honest test any more.
# (About 10 s on two cores.)

# %%
practice_found = find_all(model, practice_tiles)
alarms, misses = [], []
for one, tile in zip(practice_found, practice_tiles, strict=True):
    match = detection.match(one.above(0.3), tile)
    centers = one.above(0.3).centers
    alarms += [(tile, centers[k], one.scores[k]) for k in match.false_alarms]
    misses += [(tile, tile.centers[k], 0.0) for k in match.misses]
alarms.sort(key=lambda alarm: -alarm[2])  # the surest mistakes first
print(f"threshold 0.3: {len(alarms)} false alarms, {len(misses)} missed aircraft")

# %%
def cut_out(mistakes):
    """(N, 64, 64, 3): the window around each mistake, moved into the tile where it would leave it."""
    windows = []
    for tile, center, _ in mistakes:
        x, y = np.round(center - 32).astype(int).clip(0, tile.width - 64)
        windows.append(tile.image[y : y + 64, x : x + 64])
    return np.array(windows)

worst = alarms[:16]
worst_scores = np.array([score for *_, score in worst])
figure = drawings.patch_row(cut_out(worst), worst_scores, "false alarms, the surest")

# %%
if misses:
    figure = drawings.patch_row(cut_out(misses[:16]), None, "missed aircraft (in the middle of each patch)")

# %% [markdown]
# **Question (5 min, no check).** Sort the false alarms by eye. How many are
#
# - *doubles*, or aircraft that are found a little too far from their centre,
# - other things with long straight edges: buildings, jet bridges, crosses, cranes, vehicles, helicopters,
# - something that you would take for an aircraft yourself?
#
# And the missed ones: are they small, dark, in shade, half hidden, or close to a neighbour?

# %% [markdown] tags=["solution"]
# *Teacher's note.* There is no single right answer; students should see that mistakes have *kinds*, and which
# kind leads may change from one training to the next. Usual answers: bright bars, crosses and stars (jet
# bridges, piers, and the near misses that the renderer draws on purpose: crosses, forks, cranes, masts),
# aircraft that are not in the middle (the window's centre is between two aircraft, or on a tail or a wing),
# and helicopters (which are not aircraft in the sense of the label, see the data card).
# Missed ones are often small or have little contrast, or a neighbour took their peak. Ask: which kind could
# more training examples cure, and which one needs a finer stride or another way of finding peaks?

# %% [markdown]
# ## 9. Back to lesson 5, with hard examples
#
# In lesson 5 you showed hard examples more often. A detector finds them by itself: **its mistakes on tiles are
# the hard examples**. We cut windows around them, label them, and train on.
#
# ### Exercise 12 (8 min, medium): windows and honest labels
# `points` (K, 2) are centres of mistakes on a tile. Return the corners (K, 2) of the windows around them, as
# whole numbers and moved into the tile where they would leave it, and the labels (K,).
# `patches.label(centers, x, y)` applies the labelling rule to windows with corners `x`, `y`.

# %% tags=["wrong"]
# hint: Ask patches.label
def hard_windows(tile, points):
    corners = np.round(points - 32).astype(int).clip(0, tile.width - 64)
    return corners, np.zeros(len(points), int)

# %% tags=["wrong"]
# hint: a corner is negative
def hard_windows(tile, points):
    corners = np.round(points - 32).astype(int)
    return corners, patches.label(tile.centers, corners[:, 0], corners[:, 1])

# %% tags=["wrong"]
# hint: AFTER the clip
def hard_windows(tile, points):
    corners = np.round(points - 32).astype(int)
    labels = patches.label(tile.centers, corners[:, 0], corners[:, 1])
    return corners.clip(0, tile.width - 64), labels

# %% tags=["wrong"]
# hint: is the CENTRE of the window
def hard_windows(tile, points):
    corners = np.round(points).astype(int).clip(0, tile.width - 64)
    return corners, patches.label(tile.centers, corners[:, 0], corners[:, 1])

# %% tags=["right"]
def hard_windows(tile, points):
    corners, labels = [], []
    for x, y in points:
        corner = min(max(int(x) - 32, 0), 448), min(max(int(y) - 32, 0), 448)
        offsets = tile.centers - corner
        corners.append(corner)
        labels.append(int(((offsets >= 16) & (offsets < 48)).all(axis=1).any()))
    return np.array(corners), labels

# %% name="hard_windows" tags=["exercise"]
def hard_windows(tile, points):
    """Corners (K, 2) and labels (K,) of the windows around points (K, 2) of a tile of 512 x 512."""
    # BEGIN SOLUTION
    # STUB
    # corners = ...  # TODO: from the centres to the corners, whole numbers, inside the tile
    # labels = ...  # TODO
    corners = np.round(points - 32).astype(int).clip(0, tile.width - 64)
    labels = patches.label(tile.centers, corners[:, 0], corners[:, 1])
    # END SOLUTION
    return corners, labels

# %% tags=["check"]
check_hard_windows(hard_windows)

# %% [markdown]
# ### Exercise 13 (2 min, easy): which tiles?
# On which tiles may we collect the hard examples?
#
# - a) the practice tiles only
# - b) practice and validation tiles
# - c) the test tiles, since their mistakes are those that matter
# - d) all of them: more examples are better

# %% tags=["wrong"]
# hint: too sure of itself there
which_tiles = "b"

# %% tags=["wrong"]
# hint: no honest tile is left
which_tiles = "c"

# %% tags=["right"]
which_tiles = "A) "

# %% name="which_tiles" tags=["exercise"]
which_tiles = "a"  # SOLUTION

# %% tags=["check"]
check_which_tiles(which_tiles)

# %% [markdown]
# We collect: around each mistake eight windows, moved by up to 8 pixels. (The cell uses the package's label
# rule, so it works even if your exercise is not done.)

# %%
rng = np.random.default_rng(0)
images, labels = [], []
for tile, center, _ in [*alarms, *misses]:
    points = center + rng.uniform(-8, 8, size=(8, 2))
    corners = np.round(points - 32).astype(int).clip(0, tile.width - 64)
    images.append(patches.cut(tile.image, corners[:, 0], corners[:, 1]))
    labels.append(patches.label(tile.centers, corners[:, 0], corners[:, 1]))
images, labels = np.concatenate(images), np.concatenate(labels)
hard = datasets.Patches(images, labels, np.full(len(labels), "practice tiles"))
print(f"{len(hard)} hard windows, {hard.labels.mean():.0%} of them with an aircraft in the core")

# %% [markdown]
# **A fair comparison.** If we train on with hard examples and the detector gets better, was it the hard examples,
# or just the additional training? So we train *two* copies of the network for the same number of steps: one on
# 9,000 ordinary patches and the hard ones, one on 9,000 ordinary patches and as many *more ordinary* ones.
# The ordinary patches keep the network from forgetting what it knew.
#
# **Training cell: about 30 s on two CPU cores.**

# %%
def join(one, other):
    fields = ("images", "labels", "sites")
    return datasets.Patches(*(np.concatenate([getattr(one, f), getattr(other, f)]) for f in fields))

order = rng.permutation(len(train))
ordinary = train[order[: lessons.budget(9000, 500)]]
more = train[order[-len(hard) :]]

detectors = {"before": model}
for name, extra in {"trained on, ordinary": more, "trained on, hard": hard}.items():
    detectors[name] = copy.deepcopy(model)
    options = {"epochs": lessons.budget(2, 1), "lr": 1e-3, "seed": 1, "progress": False}
    training.fit(detectors[name], join(ordinary, extra), val, **options)

# %% [markdown]
# Judge all three on the test tiles, each with a threshold of its own from the validation tiles (about a
# minute on two cores). The interval says what AP might have been on other places of the same kind: sites are
# drawn anew 500 times (the **bootstrap** of lesson 5).

# %%
values, intervals = [], []
for name, detector in detectors.items():
    threshold = detection.choose_threshold(find_all(detector, val_tiles), val_tiles)
    one = detection.evaluate(find_all(detector, test_tiles), test_tiles, threshold, resamples=500)
    values.append(one.AP)
    intervals.append(one.intervals["AP"])
    low, high = intervals[-1]
    print(f"{name:21} AP {one.AP:.3f} ({low:.3f} to {high:.3f}), F1 {one.F1:.3f},", end=" ")
    print(f"count error {one.count_error:.2f}")

figure = drawings.bars(list(detectors), values, intervals)

# %%
change = lessons.expect(values[2] - values[1], -0.07, 0.07, "AP with hard examples minus AP without")
print(f"AP with hard examples minus AP with ordinary ones: {change:+.3f}")

# %% [markdown]
# **What to notice.** Compare the third line with the *second*, not with the first. Do the bars overlap? With 36
# tiles a difference of two or three hundredths may be chance: another seed can turn it round (lesson 4).
# Do not be disappointed when the third bar is not the best. The windows come from few tiles, and many of them are
# borderline cases of the labelling rule. A careful report says "no gain shown with these tiles".

# %% [markdown] tags=["solution"]
# *Teacher's note.* The point of this section is the *control* (the second line). Without it, the gain from
# additional training would be praised as a gain from hard examples. Overlapping intervals of two detectors on the
# *same* tiles are a cautious test: the difference of the pair varies less than each value. Strong students can
# bootstrap the difference itself.

# %% [markdown]
# ## 10. Real images
#
# Everything up to here was drawn by a program. The same two lines work on real scenes of the *Airbus Aircrafts
# Sample Dataset*. It is not part of this course's files: its licence forbids commercial use. If you have it (the
# data card in `data/README.md` says where to get it), write its folder below. Without it, the cell says so and
# nothing else happens.

# %% tags=["nbval-ignore-output"]
folder = None  # for example "C:/data/airbus" or "/content/airbus": holds annotations.csv and images/

if folder is None:
    print("No folder given: the real scenes are skipped. Your detector waits for them.")
else:
    try:
        real = datasets.load_tiles(source="airbus", root=folder, count=count, progress=False)
    except (InputError, FileNotFoundError) as reason:
        print("The real scenes are skipped.", reason)
    else:
        one = detection.evaluate(find_all(model, real), real, for_f1)
        print(f"{one.n_tiles} real tiles, {one.n_true} aircraft: AP {one.AP:.3f}, F1 {one.F1:.3f}")
        print(f"count error {one.count_error:.2f}")

# %% [markdown]
# With real scenes you will probably see a lower AP: a network that has seen only drawn aircraft is less sure of
# itself (the README has measured numbers). To train on real patches, too, write
# `datasets.load_imbalanced(source="airbus", root=folder)` in the first section and run the lesson again.
# Please keep pictures of these scenes to yourself: do not put them into a public repository.

# %% [markdown]
# ## What you learned
# - A classifier and a window that moves make a **detector**; its answers on a grid are the **score map**.
# - The **stride** trades time for precision. That no aircraft falls into a gap is not enough.
# - **Peaks** and **non-maximum suppression** turn many bright windows into one point for each aircraft.
# - **Matching** is one to one: a double is a false alarm, and an aircraft without detection is a miss, also in AP.
# - The **threshold** depends on the purpose (F1, counting) and is chosen on validation tiles.
# - The detector's own mistakes are hard examples. A **control** tells whether they helped.
#
# ## How to go on
# - Lesson 8 makes the score map in one pass, much quicker than the loop, with the same scores.
# - Change `min_distance` in `detection.detect(...)` to 10 or 40: what happens to doubles and to close neighbours?
# - Mine twice: collect mistakes again with the new detector, and train once more. Does it still help?
#
# ## Quiz
# 1. A map at stride 8 has how many times as many windows as one at stride 32? a) 2, b) 4, c) 16, d) 64
# 2. A detection lies 10 pixels from an aircraft that a surer detection has already taken, and no other aircraft
#    is near. It is a) a hit, b) a false alarm, c) not counted, d) a miss.
# 3. What does non-maximum suppression with a distance of 60 pixels do to aircraft parked 40 m apart?
# 4. Your detector counts 100 aircraft on ten tiles, and 100 are there. Is its count error 0?
# 5. Why does the AP of a detector divide by all aircraft, not by those that were found?

# %% [markdown] tags=["solution"]
# **Answers.** 1: c (4 times along x, 4 times along y). 2: b, a double. 3: of two neighbours only the surer one
# stays, so aircraft are missed. 4: not necessarily: too many on one tile and too few on another cancel in the sum,
# not in the count error. 5: else a detector that reports only its one surest aircraft, and misses all others,
# would have an AP of 1.
