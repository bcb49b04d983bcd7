# ---
# aircraft:
#   title: Imbalanced data
#   minutes: 60
#   can_do: judge a classifier when aircraft are rare, choose its threshold, and split data without a leak
#   gpu: true
#   extras: []
# ---

# %% [markdown]
# # 5. Imbalanced data
#
# After this lesson you can judge a classifier when **aircraft are rare**, choose a threshold that keeps a
# promise, compare the usual remedies fairly, and split your data so that the score is honest.
#
# **60 minutes**, the opening of session 2. You need lessons 3 and 4: the training loop, the confusion matrix,
# ROC, and a threshold chosen on validation data. Exercises 6, 8, 9, 11 and 12 are extra,
# for the quick: without them the lesson goes on with the package's answers. Every cell runs
# on two CPU cores; a GPU is pleasant, not necessary.

# %% tags=["setup"]

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from aircraft import datasets, metrics, models, patches, plotting, training
from aircraft_course import lessons
from aircraft_course import standins_early as package
from aircraft_course.checks.lesson05 import (
    check_average_precision, check_balanced, check_by_site, check_curve, check_f_beta,
    check_figures_that_move, check_focal_loss, check_hardest, check_precision_at, check_redraw_sites,
    check_silent_accuracy, check_threshold_for, check_weighted_loss,
)
from aircraft_course.drawings import lesson05 as drawings

# %% [markdown]
# ## 1. A good network disappoints
#
# In session 1, half of the patches showed an aircraft. Real images are not like that: most of the ground is
# empty. So this session has another data set, the **imbalanced** set: aircraft in one patch of ten.
#
# The first time, the next cell draws the images, which takes longer than any training here. Later it reads them.

# %% tags=["nbval-ignore-output"]
toy = datasets.load_toy(scale=lessons.budget(1.0, 0.1), progress=False)
imbalanced = datasets.load_imbalanced(scale=lessons.budget(1.0, 0.05), progress=False)
print(toy)
print(imbalanced)

# %% [markdown]
# Twenty patches of each set. Those with an aircraft have an orange frame, background a grey one.

# %%
_, axes = plt.subplots(2, 1, figsize=(8, 4.6))
for ax, data in zip(axes, (toy, imbalanced), strict=True):
    some = data.test[80:100]
    title = f"{data.name} set: {some.labels.sum()} of {len(some)} with an aircraft"
    plotting.patch_grid(some.images, some.labels, columns=10, title=title, ax=ax)

# %% [markdown]
# ### Exercise 1 (3 min, easy): the accuracy of silence
# The simplest network of all never raises an alarm: it answers "background" for every patch. Which share of
# its answers is right? (That share is its **accuracy**.)

# %% tags=["wrong"]
# hint: that is the share of aircraft
def silent_accuracy(labels):
    return labels.mean()

# %% tags=["wrong"]
# hint: accuracy is a share
def silent_accuracy(labels):
    return (labels == 0).sum()

# %% tags=["right"]
def silent_accuracy(labels):
    return 1 - sum(labels) / len(labels)

# %% name="silent_accuracy" tags=["exercise"]
def silent_accuracy(labels):
    """Accuracy of answering 0 (background) for every patch; labels (N,) are 0 or 1."""
    # BEGIN SOLUTION
    return (labels == 0).mean()
    # END SOLUTION

# %% tags=["check"]
check_silent_accuracy(silent_accuracy)

# %% [markdown]
# Do you need help? Write `check_silent_accuracy.hint()` into a cell of your own: the first call gives a first
# step, the second call nearly the answer. All checks of this lesson can do that.

# %% [markdown]
# From here on the lesson builds on **your** answers. `lessons.use(check, yours, the package's)` takes yours
# where the check said "correct". Where it did not, the lesson goes on with the package's, and one line says so.

# %%
silence = lessons.use(check_silent_accuracy, silent_accuracy, package.silent_accuracy)
for data in (toy, imbalanced):
    print(f"{data.name:>10} set: accuracy {silence(data.test.labels):.2f}, no aircraft found")

# %% [markdown]
# **What to notice.** On the imbalanced set the useless network is right nine times in ten. "90 % accuracy"
# says nothing here. So what about the network of session 1? We train it once more **on the toy set** and then
# look at it on both test sets.
#
# One precaution first. Both sets show the same training sites. The sites that we keep for validation must be
# the same for both; otherwise the network would be judged on airports that it trained on (section 7).

# %%
train, val = datasets.split(imbalanced.train, fraction=0.3, seed=0)  # by site
kept_aside = np.isin(toy.train.sites, val.sites)
toy_train, toy_val = toy.train[~kept_aside], toy.train[kept_aside]
test = imbalanced.test
print(f"toy:        {len(toy_train):6,} patches to train, {len(toy_val):6,} for validation")
print(f"imbalanced: {len(train):6,} patches to train, {len(val):6,} for validation")

# %% [markdown]
# Training takes a moment: half a minute or so on two CPU cores.

# %%
torch.manual_seed(0)
toy_net = models.build("patch_net")
training.fit(toy_net, toy_train, toy_val, epochs=lessons.budget(8, 1), seed=0, progress=False)
toy_scores, scores, val_scores = (
    training.predict(toy_net, part.images) for part in (toy.test, test, val)
)

# %% [markdown]
# As in lesson 3 we choose the threshold on validation data of the toy set: find nine aircraft in ten.
# **Precision** is the share of the alarms that are right; **recall** the share of the aircraft found.

# %%
toy_val_scores = training.predict(toy_net, toy_val.images)
threshold = metrics.choose_threshold(toy_val.labels, toy_val_scores, min_recall=0.9)
on_toy = metrics.evaluate(toy.test.labels, toy_scores, threshold)
on_imbalanced = metrics.evaluate(test.labels, scores, threshold)
for name, report in (("toy", on_toy), ("imbalanced", on_imbalanced)):
    print(f"{name:>10}: recall {report.recall:.2f}   precision {report.precision:.2f}")

# %% [markdown]
# The next cell only guards the text (you know `lessons.expect` from lesson 2).

# %%
lessons.expect(on_toy.precision, 0.70, 0.97, "precision on the toy set")
lessons.expect(on_imbalanced.precision, 0.20, 0.50, "precision on the imbalanced set")
lessons.expect(on_toy.precision - on_imbalanced.precision, 0.25, 0.65, "loss of precision");

# %% [markdown]
# **What to notice.** It is the same network with the same threshold, and it still finds the same share of the
# aircraft. But precision falls deeply: on the toy set most alarms were right, on the imbalanced set more
# alarms are false than right. Did the network become worse? Before you read on: what do you think?

# %% [markdown]
# ## 2. Why: there is more background to be wrong about
#
# The network has not changed, but the crowd has. Here are 200 patches, half of them aircraft, and 200 patches
# with one aircraft in ten. The **recall** and the **false-alarm rate** (the share of the *background* that
# raises an alarm) are the same in both.

# %%
(quiet, false_alarms), (missed, found) = on_toy.confusion
false_alarm_rate = false_alarms / (false_alarms + quiet)
print(f"on the toy set: recall {on_toy.recall:.2f}, false-alarm rate {false_alarm_rate:.2f}")
drawings.crowds(shares=(0.5, 0.1), recall=on_toy.recall, false_alarm_rate=false_alarm_rate);

# %% [markdown]
# **What to notice.** Look at the alarms only: green circles (right) and purple triangles (false). On the
# right there are fewer aircraft to find and more background to be wrong about. The same rates, another
# mixture.

# %% [markdown]
# ### Exercise 2 (5 min, medium): precision from the rates
# A set has this `share` of aircraft. The network finds `recall` of the aircraft and raises an alarm for
# `false_alarm_rate` of the background. Which share of all alarms is right? (Count in 1,000 patches, if it
# helps.)

# %% tags=["wrong"]
# hint: the same at both shares
def precision_at(share, recall, false_alarm_rate):
    return recall / (recall + false_alarm_rate)

# %% tags=["wrong"]
# hint: divide it by the share that are alarms
def precision_at(share, recall, false_alarm_rate):
    return share * recall

# %% tags=["right"]
def precision_at(share, recall, false_alarm_rate):
    odds = share / (1 - share) * recall / false_alarm_rate  # right alarms for each false one
    return odds / (1 + odds)

# %% name="precision_at" tags=["exercise"]
def precision_at(share, recall, false_alarm_rate):
    """Share of the alarms that are right, in a set with this share of aircraft."""
    # BEGIN SOLUTION
    right = share * recall
    wrong = (1 - share) * false_alarm_rate
    return right / (right + wrong)
    # END SOLUTION

# %% tags=["check"]
check_precision_at(precision_at)

# %% [markdown]
# Now use it: from what was measured on the **toy** set, compute what must happen on the **imbalanced** set.
# This rule is as old as it is useful; it is known as Bayes' theorem (published in 1763).

# %%
bayes = lessons.use(check_precision_at, precision_at, package.precision_at)
computed = bayes(0.1, on_toy.recall, false_alarm_rate)
print(f"computed from the toy set {computed:.2f}, measured {on_imbalanced.precision:.2f}")
for share in (0.5, 0.1, 0.01):
    right = bayes(share, on_toy.recall, false_alarm_rate)
    print(f"{share:4.0%} aircraft: {right:.2f} of the alarms are right")

# %%
measured = {"toy set": (0.5, on_toy.precision), "imbalanced set": (0.1, on_imbalanced.precision)}
drawings.precision_against_share(on_toy.recall, false_alarm_rate, measured)
lessons.expect(computed - on_imbalanced.precision, -0.15, 0.15, "computed less measured precision");

# %% [markdown]
# **What to notice.** The curve is computed from two numbers of the toy set, yet it nearly meets the second
# point. The network did not become worse; the **mixture** changed. And an airport image cut into windows has
# still fewer aircraft: go left on the curve. Remember this when you slide a window in lesson 7.

# %% [markdown]
# ## 3. Why the ROC curve flatters
#
# Lesson 3 drew the **ROC curve**: recall against the false-alarm rate, for all thresholds. Beside it stands
# the **precision-recall curve** (PR curve): precision against recall, for all thresholds. The same network,
# the same scores, both test sets.

# %%
drawings.roc_and_pr({"toy": (toy.test.labels, toy_scores), "imbalanced": (test.labels, scores)})
lessons.expect(roc_auc_score(test.labels, scores), 0.88, 0.99, "AUC on the imbalanced set")
toy_ap = average_precision_score(toy.test.labels, toy_scores)
lessons.expect(toy_ap - average_precision_score(test.labels, scores), 0.08, 0.45, "AP lost on the imbalanced set");

# %% [markdown]
# **What to notice.** Left, the two curves are nearly one: both axes are shares *within* a class, so the
# mixture does not matter. The AUC looks splendid on both sets. Right, the curves are far apart: precision
# looks at the alarms, and so does the person who has to check them.
#
# A false-alarm rate of "only" 1 % sounds small. Let us see what it means.

# %%
background, aircraft = (test.labels == 0).sum(), (test.labels == 1).sum()
print(f"test set: 1 % of {background:,} background patches are {0.01 * background:.0f} false alarms")
print(f"          for {aircraft:,} aircraft")
windows = ((4000 - 64) // 8 + 1) ** 2
print(f"an image of 4,000 x 4,000 pixels, a window every 8 pixels: {windows:,} windows,")
print(f"          {0.01 * windows:,.0f} false alarms")

# %% [markdown]
# ## 4. The precision-recall curve by hand
#
# Sort the patches: the highest score first. Then let the threshold sink from patch to patch. After each
# patch there is one alarm more, and you can count again.
#
# ### Exercise 4 (7 min, medium): the points of the curve
# Return two arrays: the precision and the recall after the 1st, 2nd, 3rd ... patch. (No two scores are equal
# here. `np.argsort` sorts upwards; `np.cumsum` adds up step by step.)

# %% tags=["wrong"]
# hint: you begin with the lowest score
def curve(labels, scores):
    found = np.cumsum(labels[np.argsort(scores)])
    return found / np.arange(1, len(labels) + 1), found / labels.sum()

# %% tags=["wrong"]
# hint: recall must end at 1
def curve(labels, scores):
    found = np.cumsum(labels[np.argsort(-scores)])
    return found / np.arange(1, len(labels) + 1), found / len(labels)

# %% tags=["right"]
def curve(labels, scores):
    order = np.argsort(scores)[::-1]
    precision = [labels[order[:k]].mean() for k in range(1, len(order) + 1)]
    recall = [labels[order[:k]].sum() / labels.sum() for k in range(1, len(order) + 1)]
    return np.array(precision), np.array(recall)

# %% name="curve" tags=["exercise"]
def curve(labels, scores):
    """Precision and recall, each (N,), when the 1, 2, ... N patches with the highest scores are alarms."""
    # BEGIN SOLUTION
    found = np.cumsum(labels[np.argsort(-scores)])
    alarms = np.arange(1, len(labels) + 1)
    return found / alarms, found / labels.sum()
    # STUB
    # order = np.argsort(-scores)            # the highest score first
    # found = ...                            # how many aircraft are among the first 1, 2, ... patches?
    # alarms = np.arange(1, len(labels) + 1)
    # return ..., ...                        # precision, recall
    # END SOLUTION

# %% tags=["check"]
check_curve(curve)

# %% [markdown]
# ### Exercise 5 (5 min, medium): average precision
# One number for the whole curve: the **average precision** (AP). Walk along the curve; whenever recall grows,
# take the precision at the end of this step, weighted by how much recall grew:
#
# $$\mathrm{AP} = \sum_k (R_k - R_{k-1}) \cdot P_k, \qquad R_0 = 0$$
#
# P is precision, R is recall, and k counts the patches from the highest score downwards.

# %% tags=["wrong"]
# hint: the mean over all patches
def average_precision(precision, recall):
    return precision.mean()

# %% tags=["wrong"]
# hint: the first step is missing
def average_precision(precision, recall):
    return np.sum((recall[1:] - recall[:-1]) * precision[1:])

# %% tags=["wrong"]
# hint: the first step is missing
def average_precision(precision, recall):
    return np.trapezoid(precision, recall)

# %% tags=["right"]
def average_precision(precision, recall):
    total, before = 0.0, 0.0
    for p, r in zip(precision, recall, strict=True):
        total += (r - before) * p
        before = r
    return total

# %% name="average_precision" tags=["exercise"]
def average_precision(precision, recall):
    """Sum of the steps of recall, each times the precision at its end; the first step starts at 0."""
    # BEGIN SOLUTION
    return np.sum(np.diff(recall, prepend=0) * precision)
    # END SOLUTION

# %% tags=["check"]
check_average_precision(average_precision)

# %% [markdown]
# On the imbalanced set, your two functions and scikit-learn's `average_precision_score`:

# %%
points = lessons.use(check_curve, curve, package.curve)
area = lessons.use(check_average_precision, average_precision, package.average_precision)
print(f"by hand      {area(*points(test.labels, scores)):.3f}")
print(f"scikit-learn {average_precision_score(test.labels, scores):.3f}")

# %% [markdown]
# **What to notice.** A network that guesses has an AP equal to the share of aircraft: 0.5 on the toy set, 0.1
# on the imbalanced set. So AP values of sets with different shares **cannot be compared**. AUC values can,
# because guessing always gives 0.5.

# %% [markdown]
# ### Exercise 3 (4 min, medium): which figures move?
# (Exercise 3 comes after 5, because it asks about AP, too.) Take a test set and add nine times as much
# background *of the same kind*. Which of these figures change?
#
# `"accuracy"`, `"precision"`, `"recall"`, `"false-alarm rate"`, `"AUC"`, `"AP"`
#
# Write a set of the names that change.

# %% tags=["wrong"]
# hint: what was it on the imbalanced set
figures_that_move = {"precision", "AP"}

# %% tags=["wrong"]
# hint: look at the axes of the ROC curve
figures_that_move = {"accuracy", "precision", "AUC", "AP"}

# %% tags=["wrong"]
# hint: share of the background patches only
figures_that_move = {"accuracy", "precision", "false-alarm rate"}

# %% tags=["right"]
figures_that_move = ["AP", "accuracy", "precision"]

# %% name="figures_that_move" tags=["exercise"]
figures_that_move = {"accuracy", "precision", "AP"}  # SOLUTION

# %% tags=["check"]
check_figures_that_move(figures_that_move)

# %% [markdown]
# ## 5. A threshold for a purpose
#
# A curve is no decision. Someone must say what a missed aircraft costs, and what a false alarm costs. There
# are two usual ways to say it: a single figure to be made as large as possible, or a promise to be kept.
#
# The figure is **F-beta**. It is a mean of precision and recall; recall counts `beta` times as much. Beta 2
# fits a search (nothing may be missed), beta 0.5 fits a busy analyst (false alarms are a nuisance).
#
# ### Exercise 6 (3 min, easy, extra): F-beta
# $$F_\beta = \frac{(1 + \beta^2) \cdot P \cdot R}{\beta^2 \cdot P + R}$$
#
# Return 0.0 when precision P and recall R are both 0.

# %% tags=["wrong"]
# hint: recall must count more
def f_beta(precision, recall, beta):
    if precision + recall == 0:
        return 0.0
    return (1 + beta**2) * precision * recall / (precision + beta**2 * recall)

# %% tags=["wrong"]
# hint: beta squared
def f_beta(precision, recall, beta):
    if precision + recall == 0:
        return 0.0
    return (1 + beta) * precision * recall / (beta * precision + recall)

# %% tags=["wrong"]
# hint: ZeroDivisionError
def f_beta(precision, recall, beta):
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)

# %% tags=["right"]
def f_beta(precision, recall, beta):
    if precision == 0 or recall == 0:
        return 0.0
    weight = 1 / (1 + beta**2)
    return 1 / (weight / precision + (1 - weight) / recall)

# %% name="f_beta" tags=["exercise"]
def f_beta(precision, recall, beta):
    """The F-beta of a precision and a recall; 0.0 when both are 0."""
    # BEGIN SOLUTION
    if precision == 0 and recall == 0:
        return 0.0
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)
    # END SOLUTION

# %% tags=["check"]
check_f_beta(f_beta)

# %% [markdown]
# Now try every threshold on **validation** data of the imbalanced set, keep the one with the largest F-beta, and
# read off what the test set then gives. (`metrics.choose_threshold(labels, scores, beta=2)` does it in one line.)

# %%
mean_of = lessons.use(check_f_beta, f_beta, package.f_beta)
precision, recall, thresholds = precision_recall_curve(val.labels, val_scores)
print("beta   threshold   precision   recall  (on the test set)")
for beta in (0.5, 1, 2):
    tried = [mean_of(p, r, beta) for p, r in zip(precision[:-1], recall[:-1], strict=True)]
    chosen = thresholds[np.argmax(tried)]
    report = metrics.evaluate(test.labels, scores, chosen)
    print(f"{beta:4}   {chosen:9.3f}   {report.precision:9.2f}   {report.recall:6.2f}")

# %% [markdown]
# **What to notice.** From beta 0.5 to 2 the threshold sinks: recall rises, precision pays for it. No row is
# "the best"; they serve different people.

# %% [markdown]
# ### Exercise 7 (7 min, harder): keep a promise
# An analyst says: "At least `min_precision` of the alarms must be right. Then find as many aircraft as you
# can." Find the threshold. scikit-learn's `precision_recall_curve` has the points ready; its `thresholds`
# **rise**, and `precision` and `recall` have one point more at their end (no alarm at all), which you leave
# out: `precision[:-1]`.
#
# Be careful: precision does not rise evenly with the threshold. It can dip and recover.

# %% tags=["wrong"]
# hint: highest threshold that is allowed
def threshold_for(labels, scores, min_precision):
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    allowed = np.flatnonzero(precision[:-1] >= min_precision)
    return thresholds[allowed[-1]]

# %% tags=["wrong"]
# hint: do not stop at the first dip
def threshold_for(labels, scores, min_precision):
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    k = len(thresholds) - 1
    while k > 0 and precision[k - 1] >= min_precision:
        k -= 1
    return thresholds[k]

# %% tags=["wrong"]
# hint: was promised
def threshold_for(labels, scores, min_precision):
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    return thresholds[np.argmax(recall >= min_precision)]

# %% tags=["right"]
def threshold_for(labels, scores, min_precision):
    for threshold in np.sort(scores):
        if labels[scores >= threshold].mean() >= min_precision:
            return threshold

# %% name="threshold_for" tags=["exercise"]
def threshold_for(labels, scores, min_precision):
    """The threshold with the highest recall among those with at least this precision."""
    # BEGIN SOLUTION
    precision, recall, thresholds = precision_recall_curve(labels, scores)
    allowed = np.flatnonzero(precision[:-1] >= min_precision)
    return thresholds[allowed[0]]  # thresholds rise: the lowest allowed one finds the most
    # STUB
    # precision, recall, thresholds = precision_recall_curve(labels, scores)
    # allowed = np.flatnonzero(...)      # where is the promise kept?
    # return thresholds[...]             # which of them finds the most aircraft?
    # END SOLUTION

# %% tags=["check"]
check_threshold_for(threshold_for)

# %% [markdown]
# Now promise 70 %, on validation data, and see whether the promise holds on the test set.

# %%
promise_of = lessons.use(check_threshold_for, threshold_for, package.threshold_for)
promised = float(promise_of(val.labels, val_scores, lessons.budget(0.7, 0.1)))
kept = metrics.evaluate(test.labels, scores, promised, sites=test.sites)
print(kept)
plotting.precision_recall(test.labels, scores, threshold=promised)
lessons.expect(kept.precision, 0.50, 0.92, "precision on the test set, 0.7 promised");

# %% [markdown]
# **What to notice.** The precision on the test set is not exactly 0.70. A promise made on one set of airports
# is kept only roughly at others. What does the interval say? It draws the *test* sites again and again
# (exercise 12), with the threshold fixed: so far this threshold's precision may move with other test airports.
# It knows nothing of the other half of the luck: with other *validation* airports we had chosen another
# threshold. So the promise is less sure than the interval looks. The next cell shows that half, too.

# %%
sites, rng, precisions = np.unique(val.sites), np.random.default_rng(0), []
for _ in range(lessons.budget(100, 5)):
    again = package.redraw_sites(val.sites, rng)  # exercise 12 will be yours
    other = package.threshold_for(val.labels[again], val_scores[again], lessons.budget(0.7, 0.1))
    precisions.append(test.labels[scores >= other].mean())
low, high = np.quantile(precisions, (0.025, 0.975))
print(f"thresholds of {len(sites)} redrawn validation sites: precision on the test set {low:.2f} to {high:.2f}")

# %% [markdown]
# If 0.70 is a contract, promise yourself more on validation.

# %% [markdown]
# ## 6. Five ways to train on rare aircraft
#
# So far the network has learned from the toy set. Now it learns from the imbalanced set, of which we take a
# third, so that a training takes seconds. Four remedies are in every textbook. You write the heart of each by
# hand; then all are compared with doing nothing: **plain** training.

# %%
train, val = train[::3], val[::2]  # the patches are in random order: no site gets lost
print(f"{len(train):,} patches to train, {train.labels.sum():,} with an aircraft; validation {len(val):,}")


def trained(seed=0, **settings):
    """A network trained with these settings."""
    torch.manual_seed(seed)
    net = models.build("patch_net")
    training.fit(net, train, val, epochs=lessons.budget(4, 1), seed=seed, progress=False, **settings)
    return net


def scores_of(net):
    """Its scores on validation and on the test set."""
    return training.predict(net, val.images), training.predict(net, test.images)

# %% [markdown]
# Plain training, and the scores of both networks.

# %%
plain_net = trained()
results = {"toy network": scores_of(toy_net), "plain": scores_of(plain_net)}

# %% [markdown]
# ### Remedy 1: class weights
# The loss is a mean over the patches, and nine tenths of them are background. Let each aircraft count
# `weight` times. With weight = background / aircraft (here 9), both classes have the same say.
#
# ### Exercise 8 (5 min, medium, extra): a weighted loss
# `p` are probabilities of "aircraft", `y` the labels. The loss of a patch is `-log(p)` for an aircraft and
# `-log(1 - p)` for background. Multiply the aircraft's by `weight`, then take the mean over all patches.

# %% tags=["wrong"]
# hint: you gave the weight to the background
def weighted_loss(p, y, weight):
    return -np.mean(y * np.log(p) + weight * (1 - y) * np.log(1 - p))

# %% tags=["wrong"]
# hint: a loss is positive
def weighted_loss(p, y, weight):
    return np.mean(weight * y * np.log(p) + (1 - y) * np.log(1 - p))

# %% tags=["wrong"]
# hint: divide by the sum of the weights
def weighted_loss(p, y, weight):
    w = np.where(y == 1, weight, 1)
    return np.average(-np.log(np.where(y == 1, p, 1 - p)), weights=w)

# %% tags=["right"]
def weighted_loss(p, y, weight):
    p, y = torch.as_tensor(p), torch.as_tensor(y).double()
    return torch.nn.functional.binary_cross_entropy_with_logits(
        torch.logit(p), y, pos_weight=torch.tensor(weight)
    ).item()

# %% name="weighted_loss" tags=["exercise"]
def weighted_loss(p, y, weight):
    """Mean cross-entropy of probabilities p (N,) and labels y (N,); an aircraft counts `weight` times."""
    # BEGIN SOLUTION
    loss = -(weight * y * np.log(p) + (1 - y) * np.log(1 - p))
    return loss.mean()
    # END SOLUTION

# %% tags=["check"]
check_weighted_loss(weighted_loss)

# %% [markdown]
# Inside `fit` the loss must also give gradients, so PyTorch computes it there. But it is **your** formula: on the
# scores of the plain network both give the same number.

# %%
weighted = lessons.use(check_weighted_loss, weighted_loss, package.weighted_loss)
weight = (train.labels == 0).sum() / (train.labels == 1).sum()
part = val[:500]
p = training.predict(plain_net, part.images).astype(float).clip(1e-6, 1 - 1e-6)
by_torch = torch.nn.BCEWithLogitsLoss(pos_weight=torch.tensor(weight))
in_torch = by_torch(torch.logit(torch.tensor(p)), torch.tensor(part.labels.astype(float)))
print(f"weight {weight:.2f}; loss with your formula {weighted(p, part.labels, weight):.4f}, with PyTorch {in_torch:.4f}")

# %% [markdown]
# ### Remedy 2: resampling
# Do not change the loss, change what the network sees: draw every batch half and half. Aircraft come round
# several times in an epoch (**oversampling**), background only in part (**undersampling**).
#
# ### Exercise 9 (5 min, medium, extra): a balanced draw
# Return `count` indices of patches: half of them aircraft, half background, each drawn by chance.

# %% tags=["wrong"]
# hint: draw from each class apart
def balanced(labels, count, rng):
    return rng.permutation(len(labels))[:count]

# %% tags=["wrong"]
# hint: larger sample than population
def balanced(labels, count, rng):
    aircraft = rng.choice(np.flatnonzero(labels == 1), count // 2, replace=False)
    background = rng.choice(np.flatnonzero(labels == 0), count // 2, replace=False)
    return np.concatenate([aircraft, background])

# %% tags=["wrong"]
# hint: these look like labels
def balanced(labels, count, rng):
    return rng.permutation(np.arange(count) % 2)

# %% tags=["right"]
def balanced(labels, count, rng):
    chance = np.where(labels == 1, 0.5 / (labels == 1).sum(), 0.5 / (labels == 0).sum())
    halves = [rng.choice(len(labels), count // 2, p=chance * (labels == k) * 2) for k in (0, 1)]
    return np.stack(halves, axis=1).ravel()

# %% name="balanced" tags=["exercise"]
def balanced(labels, count, rng):
    """(count,) indices, half of them of aircraft; rng is a numpy random generator."""
    # BEGIN SOLUTION
    aircraft = rng.choice(np.flatnonzero(labels == 1), count // 2)  # may repeat: there are few
    background = rng.choice(np.flatnonzero(labels == 0), count // 2)
    return np.concatenate([aircraft, background])
    # END SOLUTION

# %% tags=["check"]
check_balanced(balanced)

# %% [markdown]
# Both remedies give the aircraft more say. Two trainings, with the weight above and with **your** draw in every
# epoch (`fit(..., sampling="balanced")` has one of its own).

# %%
draw = lessons.use(check_balanced, balanced, package.balanced)
results["class weights"] = scores_of(trained(pos_weight=float(weight)))
with package.ordered_by(lambda labels, scores, rng: draw(labels, len(labels) // 2 * 2, rng)):
    results["balanced batches"] = scores_of(trained())

# %% [markdown]
# ### Remedy 3: hard examples
# Most background is grass, and the network knows it after one epoch. A **hard example** is a background patch
# with a high score. Mining means: look for them, and show them more often.
#
# ### Exercise 10 (5 min, medium): the hardest background
# Return the indices of the `count` background patches with the highest scores.

# %% tags=["wrong"]
# hint: you count within the background patches only
def hardest(labels, scores, count):
    return np.argsort(-scores[labels == 0])[:count]

# %% tags=["wrong"]
# hint: these are the surest aircraft
def hardest(labels, scores, count):
    return np.argsort(-scores)[:count]

# %% tags=["wrong"]
# hint: these are the easiest
def hardest(labels, scores, count):
    where = np.flatnonzero(labels == 0)
    return where[np.argsort(scores[where])[:count]]

# %% tags=["right"]
def hardest(labels, scores, count):
    return np.argsort(np.where(labels == 0, scores, -np.inf))[-count:]

# %% name="hardest" tags=["exercise"]
def hardest(labels, scores, count):
    """(count,) indices of the background patches with the highest scores."""
    # BEGIN SOLUTION
    where = np.flatnonzero(labels == 0)
    return where[np.argsort(-scores[where])[:count]]
    # END SOLUTION

# %% tags=["check"]
check_hardest(hardest)

# %% [markdown]
# The hardest of the training background, after plain training, with their scores:

# %%
train_scores = training.predict(plain_net, train.images)
mine = lessons.use(check_hardest, hardest, package.hardest)
hard = np.asarray(mine(train.labels, train_scores, 16))
_, ax = plt.subplots(figsize=(7.5, 3))
title = "Background with high scores"
plotting.patch_grid(train.images[hard], scores=train_scores[hard], title=title, ax=ax);

# %% [markdown]
# **What to notice.** Most of them *do* show an aircraft, or much of one. But its centre lies outside the
# central 32 × 32 metres, so the label is "background". A network can learn more from these 16 than from a
# thousand meadows. But wrong labels, if there were any, would be among them too: that is the danger of mining.

# %% [markdown]
# ### Remedy 4: focal loss
# Focal loss (Lin and others, 2017) does the mining inside the loss. Let `pt` be the probability that the
# network gives to the **true** class. Cross-entropy is `-log(pt)`; focal loss multiplies it by
# `(1 - pt) ** gamma`, which is tiny when the patch is easy.

# %%
drawings.focal_curves(gammas=(0, 0.5, 2, 5));

# %% [markdown]
# ### Exercise 11 (5 min, medium, extra): focal loss
# Write its mean over the patches. Mind `pt`: it is `p` for an aircraft and `1 - p` for background.

# %% tags=["wrong"]
# hint: the probability of the true class is 1 - p
def focal_loss(p, y, gamma):
    return np.mean(-((1 - p) ** gamma) * np.log(p))

# %% tags=["wrong"]
# hint: EASY patches count more
def focal_loss(p, y, gamma):
    pt = np.where(y == 1, p, 1 - p)
    return np.mean(-(pt**gamma) * np.log(pt))

# %% tags=["wrong"]
# hint: not p
def focal_loss(p, y, gamma):
    pt = np.where(y == 1, p, 1 - p)
    return np.mean(-((1 - p) ** gamma) * np.log(pt))

# %% tags=["right"]
def focal_loss(p, y, gamma):
    aircraft = y * (1 - p) ** gamma * np.log(p)
    background = (1 - y) * p**gamma * np.log(1 - p)
    return -(aircraft + background).sum() / len(y)

# %% name="focal_loss" tags=["exercise"]
def focal_loss(p, y, gamma):
    """Mean focal loss of probabilities p (N,) and labels y (N,)."""
    # BEGIN SOLUTION
    pt = np.where(y == 1, p, 1 - p)
    return np.mean(-((1 - pt) ** gamma) * np.log(pt))
    # END SOLUTION

# %% tags=["check"]
check_focal_loss(focal_loss)

# %% [markdown]
# Remedies 3 and 4. For the hard examples, every epoch takes **your** hardest tenth of the background four times as
# often as the rest, by the scores of the epoch before.

# %%
focal = lessons.use(check_focal_loss, focal_loss, package.focal_loss)
print(f"gamma 0: {focal(p, part.labels, 0):.4f}, gamma 2: {focal(p, part.labels, 2):.4f} on the same 500 patches")


def often(labels, scores, rng):
    """All patches once and the hardest tenth of the background three times more, in any order."""
    everything = np.arange(len(labels))
    if not np.isfinite(scores).any():  # the first epoch: nothing is known yet
        return everything
    worst = mine(labels, scores, int((labels == 0).sum()) // 10)
    return rng.permutation(np.concatenate([everything, np.repeat(worst, 3)]))


with package.ordered_by(often):
    results["hard examples"] = scores_of(trained())
results["focal loss"] = scores_of(trained(loss="focal"))

# %% [markdown]
# ### The comparison
# For each way of training: AP and AUC on the test set, with 95 % intervals for AP. Then a threshold that
# finds nine aircraft in ten on **validation**, and what it does on the test set. Last, the recall if you had
# left the threshold at 0.5, and the mean score of all patches: for honest probabilities it would be the share
# of aircraft, 0.10.

# %%
print(f"{'':16}    AP   95 % interval    AUC   thresh.  precision  recall  recall 0.5  mean score")
for name, (on_val, on_test) in results.items():
    chosen = metrics.choose_threshold(val.labels, on_val, min_recall=0.9)
    r = metrics.evaluate(test.labels, on_test, chosen, sites=test.sites)
    low, high = r.intervals["AP"]
    at_half = (on_test[test.labels == 1] >= 0.5).mean()
    print(f"{name:16} {r.AP:.3f}  {low:.3f} to {high:.3f}  {r.AUC:.3f}  {chosen:7.3f}  {r.precision:9.2f}"
          f"  {r.recall:6.2f}  {at_half:10.2f}  {on_test.mean():10.2f}")

# %% [markdown]
# Leave the toy network aside: all other intervals overlap. But they hold mostly what all networks **share**:
# some airports are hard for everyone. A fair question is: on the same airports, how much better is one
# network than the other? So draw the sites once, score *both* networks on this draw, and note the
# difference; 500 times.
#
# ### Exercise 12 (6 min, harder, extra): draw sites again
# A **bootstrap** draws as many sites as there are, putting each back before the next draw. Some come twice,
# some not at all. Return the indices of all patches of the drawn sites; the patches of a site that was drawn
# twice come twice.

# %% tags=["wrong"]
# hint: a site came only in part
def redraw_sites(sites, rng):
    return rng.integers(0, len(sites), len(sites))

# %% tags=["wrong"]
# hint: drawn twice must count twice
def redraw_sites(sites, rng):
    names = np.unique(sites)
    return np.flatnonzero(np.isin(sites, rng.choice(names, len(names))))

# %% tags=["wrong"]
# hint: put each site back
def redraw_sites(sites, rng):
    return np.concatenate([np.flatnonzero(sites == name) for name in rng.permutation(np.unique(sites))])

# %% tags=["right"]
def redraw_sites(sites, rng):
    names, number = np.unique(sites, return_inverse=True)
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)))
    return np.repeat(np.arange(len(sites)), times[number])

# %% name="redraw_sites" tags=["exercise"]
def redraw_sites(sites, rng):
    """Indices of the patches of len(unique sites) sites, drawn with putting back."""
    # BEGIN SOLUTION
    names = np.unique(sites)
    drawn = rng.choice(names, len(names))
    return np.concatenate([np.flatnonzero(sites == name) for name in drawn])
    # END SOLUTION

# %% tags=["check"]
check_redraw_sites(redraw_sites)

# %% [markdown]
# Draw with your function. All networks meet the same draws, so the differences can be taken draw by draw. (The
# package does the same inside `metrics.evaluate`, quicker.)

# %%
redraw, rng = lessons.use(check_redraw_sites, redraw_sites, package.redraw_sites), np.random.default_rng(0)
draws_of_sites = [redraw(test.sites, rng) for _ in range(lessons.budget(500, 5))]
truth, ap, draws, gains = test.labels.astype(int), {}, {}, {}
for name, (_, on_test) in results.items():
    ap[name] = average_precision_score(truth, on_test)
    draws[name] = np.array([average_precision_score(truth[one], on_test[one]) for one in draws_of_sites])
for name in ("class weights", "balanced batches", "hard examples", "focal loss"):
    gains[name] = (ap[name] - ap["plain"], *metrics.interval(draws[name] - draws["plain"]))
    print(f"{name:16} {gains[name][0]:+.3f}  ({gains[name][1]:+.3f} to {gains[name][2]:+.3f})")
drawings.intervals(gains, "AP less that of plain training", "What each remedy gained", reference=0);

# %%
lessons.expect(ap["plain"], 0.78, 0.96, "AP of plain training")
for name, (gain, _, _) in gains.items():
    lessons.expect(gain, -0.05, 0.05, f"gain of {name}")
best = max(gain for gain, _, _ in gains.values())
more_data = ap["plain"] - ap["toy network"]
lowest = min(ap[name] for name in gains)
lessons.expect(lowest - ap["toy network"], 0.0, 0.25, "lowest AP of a remedy less that of the toy network")
lessons.expect(more_data - best, 0.0, 0.25, "what more data gained, less what the best remedy gained")
for name in ("class weights", "balanced batches"):
    rise = results[name][1].mean() - results["plain"][1].mean()
    lessons.expect(rise, 0.01, 0.4, f"rise of the mean score, {name}")

# %% [markdown]
# **What to notice.**
# - With the threshold left at 0.5, plain training finds clearly fewer aircraft than class weights or balanced
#   batches. This is how remedies are praised. But look at the thresholds and at the mean scores: these two
#   remedies moved the scores **as a whole** upwards. Once each network has its own threshold, chosen on
#   validation, they all find about nine in ten.
# - So compare AP, or the precision at that recall. In AP a few hundredths remain at most, in either
#   direction; precision at a single threshold swings more. AUC hardly tells the remedies apart.
# - An interval in the figure that does not touch 0 says: on other airports this *network* would differ from
#   the plain one in the same direction. It does **not** say that the *remedy* is better in general: another
#   random start moves AP, too (lesson 4). For that, train with several seeds: the next cells do.
# - The toy network stays behind them all. It has seen less background, and less varied. Here more data did
#   more than any remedy.

# %% [markdown]
# ### The answer, for these short trainings
# Is there one remedy worth a habit? Plain training and balanced batches, each with two more seeds.

# %%
over_seeds = {"plain": [ap["plain"]], "balanced batches": [ap["balanced batches"]]}
for seed in range(1, lessons.budget(3, 2)):
    on_test = training.predict(trained(seed), test.images)
    over_seeds["plain"].append(average_precision_score(truth, on_test))

# %%
with package.ordered_by(lambda labels, scores, rng: draw(labels, len(labels) // 2 * 2, rng)):
    for seed in range(1, lessons.budget(3, 2)):
        on_test = training.predict(trained(seed), test.images)
        over_seeds["balanced batches"].append(average_precision_score(truth, on_test))
for name, values in over_seeds.items():
    print(f"{name:16}", "  ".join(f"{value:.3f}" for value in values), f"  mean {np.mean(values):.3f}")
lead = min(over_seeds["balanced batches"]) - max(over_seeds["plain"])
print(f"lowest of the balanced trainings less the highest of the plain ones: {lead:+.3f}")
lessons.expect(np.mean(over_seeds["balanced batches"]) - np.mean(over_seeds["plain"]), -0.01, 0.06, "mean lead");

# %% [markdown]
# **What to notice.** Each row holds three seeds of one way to train. If the last line is above 0, the worst balanced
# training is better than the best plain one; by chance alone that happens to three against three once in twenty.
# That is an answer for trainings as short as these, in which a plain network meets too few aircraft. "How to go on"
# asks whether it holds for long ones.

# %% [markdown]
# ## 7. The leak: when the same place is on both sides
#
# All scores in this course come from places that the network never saw. What if you simply shuffle all
# patches and put a quarter aside? Suppose you have 24 images only, and, to get enough patches, you cut each
# aircraft out a dozen times, a little shifted. That is quite usual with few images.

# %%
tiles = datasets.load_tiles(split="validation", count=lessons.budget(24, 6), progress=False)
crowded = max(tiles, key=lambda tile: len(tile.boxes))
shifts = [[-12, 8], [0, 0], [9, -11], [13, 5], [-6, -13], [4, 12]]
corners = np.round(crowded.centers[0] - 32 + shifts).astype(int).clip(0, 448)
_, ax = plt.subplots(figsize=(7.5, 1.9))
plotting.patch_grid(patches.cut(crowded.image, *corners.T), title="Six patches, one aircraft", ax=ax);

# %% [markdown]
# **What to notice.** Shuffled, some of these six land in the training part and some in validation. Then the
# network is asked about an aircraft that it has met. It may simply remember the place: this apron, this
# shadow, this building beside it.

# %%
def many_views(tile, views=12, background=90):
    """Each aircraft of a tile cut out `views` times, and background; images, labels and sites."""
    rng = np.random.default_rng(0)
    shown, _ = patches.sample_positive(tile, views * patches.usable(tile), rng)
    corners = np.concatenate([shown, patches.sample_negative(tile, background, rng)])
    labels = (np.arange(len(corners)) < len(shown)).astype(np.uint8)
    return patches.cut(tile.image, *corners.T), labels, np.repeat(tile.site, len(corners))


parts = zip(*(many_views(tile) for tile in tiles), strict=True)
views = patches.Patches(*(np.concatenate(part) for part in parts))
print(f"{len(views):,} patches of {len(tiles)} places, {views.labels.mean():.0%} with an aircraft,")
print(f"but only {sum(patches.usable(tile) for tile in tiles)} different aircraft")

# %% [markdown]
# ### Exercise 13 (5 min, medium): an honest split
# Return a mask, one True or False for each patch: True for validation. `fraction` of the **sites** are drawn
# by chance, and all patches of a drawn site are True.

# %% tags=["wrong"]
# hint: are on both sides
def by_site(sites, fraction, rng):
    return rng.random(len(sites)) < fraction

# %% tags=["wrong"]
# hint: gives the same sites
def by_site(sites, fraction, rng):
    names = np.unique(sites)
    return np.isin(sites, names[: round(fraction * len(names))])

# %% tags=["wrong"]
# hint: the wrong way round
def by_site(sites, fraction, rng):
    names = rng.permutation(np.unique(sites))
    return ~np.isin(sites, names[: round(fraction * len(names))])

# %% tags=["right"]
def by_site(sites, fraction, rng):
    names = sorted(set(sites))
    drawn = set(rng.choice(names, int(fraction * len(names)), replace=False))
    return np.array([site in drawn for site in sites])

# %% name="by_site" tags=["exercise"]
def by_site(sites, fraction, rng):
    """(N,) bool, True for the patches of `fraction` of the sites, which rng draws."""
    # BEGIN SOLUTION
    names = rng.permutation(np.unique(sites))
    return np.isin(sites, names[: round(fraction * len(names))])
    # END SOLUTION

# %% tags=["check"]
check_by_site(by_site)

# %% [markdown]
# Now both splits, three times each with other seeds. Every network has two scores: what its validation
# part **promises**, and what it **keeps** on the test set of session 1, whose places are new to it. We
# compare AUC, because it does not depend on the share of aircraft.
#
# Six short trainings, the longest wait of this lesson.

# %%
aside_of = lessons.use(check_by_site, by_site, package.by_site)
promise, truth_kept = {"random split": [], "split by site": []}, {"random split": [], "split by site": []}
for seed in range(lessons.budget(3, 1)):
    order = np.random.default_rng(seed).permutation(len(views))
    quarter = len(views) // 4
    by_place = np.asarray(aside_of(views.sites, 0.25, np.random.default_rng(seed)))
    splits = {"random split": (views[order[quarter:]], views[order[:quarter]]),
              "split by site": (views[~by_place], views[by_place])}
    for name, (part, aside) in splits.items():
        torch.manual_seed(seed)
        net = models.build("patch_net")
        training.fit(net, part, aside, epochs=lessons.budget(6, 1), augment=False, seed=seed, progress=False)
        promise[name].append(roc_auc_score(aside.labels, training.predict(net, aside.images)))
        truth_kept[name].append(roc_auc_score(toy.test.labels, training.predict(net, toy.test.images)))
drawings.leakage(promise, truth_kept, "AUC");

# %%
for name in promise:
    said, is_so = np.mean(promise[name]), np.mean(truth_kept[name])
    print(f"{name:14}: promised {said:.3f}, kept {is_so:.3f}, difference {said - is_so:+.3f}")
leak = np.mean(promise["random split"]) - np.mean(truth_kept["random split"])
lessons.expect(leak, 0.025, 0.14, "what the random split promised too much")
lessons.expect(np.mean(promise["random split"]), 0.95, 1.0, "AUC promised by the random split")
ratio = (1 - np.mean(truth_kept["random split"])) / (1 - np.mean(promise["random split"]))
lessons.expect(ratio, 2, 20, "error on new places, as a multiple of the promised one")
honest = np.mean(promise["split by site"]) - np.mean(truth_kept["split by site"])
lessons.expect(abs(honest), 0.0, 0.07, "error of the promise of the split by site");

# %% [markdown]
# **What to notice.** The random split promised an almost perfect network; on new places the error (1 less
# AUC) is several times as large, and so it is with every seed. The split by site promises much less. With
# half a dozen places its promise is rough, but it is not wishful thinking. On new places the networks of the
# random split are no worse (they have even trained on a few places more): a leak does not spoil the network,
# it spoils your **judgement** of it, and with it every choice that you make on validation data: epoch,
# threshold, remedy.
#
# The leak is so large because there are few places and many views of each aircraft. In "How to go on" you
# can measure how it shrinks.
#
# **What to do, then?** Choose with the split by place: epoch, threshold, remedy. When everything is chosen, train
# once more on **all** places with these choices, and report what the split by place promised. The last network has
# no honest score of its own, but it has seen more places.

# %% [markdown]
# ## What you learned
# - When aircraft are rare, accuracy and ROC flatter. Precision and AP tell what an alarm is worth.
# - Recall, false-alarm rate and AUC do not depend on the share of aircraft; precision, AP and accuracy do.
# - A threshold serves a purpose: an F-beta, or a promise such as "70 % of the alarms are right". It is chosen
#   on validation data and kept only roughly elsewhere.
# - Weights, resampling, hard examples and focal loss are cheap to try. Compare them with doing nothing, on
#   the same sites, and with an interval.
# - Split by site. A random split of patches that resemble each other promises what no new place will keep.
#
# ## How to go on
# - Train for 12 epochs on the whole imbalanced set (`aircraft train --data imbalanced` does it). Do the
#   differences between the remedies grow or shrink?
# - Give `trained` another seed. How much does AP move by chance alone? (Lesson 4 knows.)
# - Cut `views=2` of each aircraft instead of 12 (and `background=15`), and train longer. How large is the leak
#   now?
# - In lesson 7 you will find hard examples where they really are: on whole tiles.
# - To read: Saito and Rehmsmeier, "The precision-recall plot is more informative than the ROC plot" (2015);
#   Lin and others, "Focal loss for dense object detection" (2017).

# %% [markdown]
# ## Quiz
#
# The answers are in the solution notebook, `solutions/05_imbalanced_data.ipynb`, at the same place.
#
# 1. A detector of a rare fault has 99 % accuracy. What do you ask first?
#    (a) how long it was trained (b) how rare the fault is (c) how many layers it has (d) its AUC
# 2. A test set has 1 % aircraft, recall is 0.9 and the false-alarm rate 0.1. Which share of the alarms is
#    right, about? (a) 0.9 (b) 0.5 (c) 0.08 (d) 0.01
# 3. You lower the threshold. What can *never* happen?
#    (a) recall rises (b) recall falls (c) precision rises (d) precision falls
# 4. Focal loss with gamma = 0 is ... (a) zero (b) cross-entropy (c) the weighted loss with weight 9
#    (d) accuracy
# 5. Patches were cut from 30 airports and shuffled before the split. Validation AP is 0.97. What will a new
#    airport give? (a) 0.97 (b) probably more (c) probably less (d) nobody can guess the direction

# %% [markdown] tags=["solution"]
# **Answers.** 1 b: if one part in a hundred is faulty, silence is 99 % accurate. 2 c: of 10,000 patches 90
# right alarms and 990 false ones; 90 / 1,080 = 0.083. 3 b: with more alarms no aircraft is lost; precision
# may go either way. 4 b. 5 c: the random split let the network meet the airports of its validation patches.
#
# **For the teacher.** Let the room guess before the crowds of section 2 are shown: most people say that the
# network "has become worse". In section 6 people hope for a winner; let them see that the *threshold* did
# most of the work. The lesson shows plain training and balanced batches over three seeds; the other
# remedies differ from plain training about as much as two seeds do. If
# time is short, leave out the extra exercises 6, 8, 9, 11 and 12: the lesson goes on with the package's answers.
