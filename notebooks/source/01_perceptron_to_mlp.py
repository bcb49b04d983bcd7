# ---
# aircraft:
#   title: Perceptron to MLP
#   minutes: 100
#   can_do: train a neuron by hand, say what it cannot learn, and train a small network that reads digits
#   gpu: false
# ---

# %% [markdown]
# # 1. Perceptron to MLP
#
# After this lesson you can train a single neuron by hand, say what it can never learn, and train a small
# network that reads handwritten digits: first with scikit-learn, then with PyTorch, where you see every step.
#
# **100 minutes.** You need Python (variables, lists, loops, functions) and nothing else: every new word is
# explained where it first appears. A normal computer is enough; no cell needs a GPU.
#
# At the end of this course your own network counts aircraft on satellite images. Today we start small.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Perceptron
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from torch import nn

from aircraft.plotting.style import BLUE, ORANGE
from aircraft_course import lessons, standins
from aircraft_course.checks.lesson01 import (
    check_baseline, check_by_hand, check_count_parameters, check_descend, check_diagnosis, check_loss,
    check_make_mlp, check_neuron, check_rates, check_three_parts, check_train_batch, check_update,
    check_xor_best, check_xor_weights,
)
from aircraft_course.drawings import lesson01 as drawings

# %% [markdown]
# ## 1. What does the computer see?
#
# You see a zero at once. The computer sees numbers. How many numbers, and how are they ordered?

# %%
digits = load_digits()  # 8 x 8 pixels each, written by many people
image = digits.images[0]
figure = drawings.pixels(image, title="a handwritten zero")
print("shape:", image.shape, "  number of pixels:", image.size)
print("row 1, column 3:", image[1, 3])

# %% [markdown]
# **What to notice.** Left: the picture. Right: the same picture as a table, 0 for white paper, 16 for black
# ink. Such a table of numbers is an **array**; its **shape** says how many rows and columns it has. We count
# from 0, and the row comes first: `image[1, 3]` is row 1, column 3.
#
# A **function** takes something and gives something back. What we want is a function that takes an array and
# gives back its meaning, "this is a zero". Nobody can write it down. So we let the computer *learn* it.

# %% [markdown]
# ## 2. A neuron
#
# Sixty-four numbers are many. Take two. Somebody measured bright shapes at an airport, seen from above: the
# **length** and the **width** of each shape. Is it an aircraft or a building? (The measurements are invented:
# `rng` is a generator of random numbers, and its **seed** 0 makes it give the same numbers every time.)

# %%
rng = np.random.default_rng(0)
length = rng.uniform(0.6, 2.4, size=40)  # in units of 10 m
slenderness = np.concatenate([rng.uniform(0.15, 0.45, size=20), rng.uniform(0.65, 1.1, size=20)])
order = rng.permutation(40)
points = np.column_stack([length, length * slenderness])[order]  # shape (40, 2): length, width
labels = np.repeat([0, 1], 20)[order]  # 0 = building, 1 = aircraft
figure = drawings.plane(points, labels, title="40 shapes, two measurements each")
print("first shape:", points[0].round(2), "  its label:", labels[0])

# %% [markdown]
# **What to notice.** Each shape is a point. Aircraft (triangles) are nearly as wide as they are long, because
# of their wings; buildings (squares) are long and narrow. The right answer for each point, 0 or 1, is its
# **label**. Could you separate the two groups with one straight line? A neuron does just that.

# %%
figure = drawings.neuron()

# %% [markdown]
# A **neuron** works in two steps. First a **weighted sum**: each input is multiplied by its **weight** $w$,
# the products are added, and a fixed number, the **bias** $b$, is added once:
#
# $$\text{sum} = w_1 x_1 + w_2 x_2 + b$$
#
# Then a **step**: the output is 1 ("aircraft") if the sum is above 0, otherwise 0 ("building"). A large
# weight means: this input matters. A negative weight means: this input speaks *against* an aircraft.

# %% [markdown]
# **How the exercises work.** Replace every `...` by your answer, run the cell, then run the check below it.
# The check says ✅ correct, 🟡 not answered yet, ❌ not quite (with a hint) or 💥 your code failed. Try as
# often as you like. If you are stuck, write `check_by_hand.hint()` in a new cell: the first call gives a
# small hint, the second one nearly the answer. Each exercise has its own: `check_neuron.hint()` and so on.
#
# ### Exercise 1 (3 min, easy): one neuron with pencil and paper
#
# A shape is 20 m long and 10 m wide, so $x = (2, 1)$. The neuron has $w = (-1, 2)$ and $b = -1$. Calculate.

# %% tags=["wrong"]
# hint: the bias is still to be added
weighted_sum = 0
output = 0

# %% tags=["wrong"]
# hint: the sign of the first weight
weighted_sum = 3
output = 1

# %% tags=["wrong"]
# hint: only 0 or 1
weighted_sum = -1
output = -1

# %% tags=["right"]
weighted_sum = float(np.dot([-1, 2], [2, 1]) - 1)
output = weighted_sum > 0

# %% name="by_hand" tags=["exercise"]
weighted_sum = -1  # SOLUTION
output = 0  # SOLUTION

# %% tags=["check"]
check_by_hand(weighted_sum, output)

# %% [markdown]
# ### Exercise 2 (6 min, easy): the neuron as a function
#
# `x` and `w` are arrays of the same shape, `b` is a number. Useful: `w * x` multiplies two arrays number by
# number, and `np.sum(...)` adds up all numbers of an array. Return 1 or 0.

# %% tags=["wrong"]
# hint: have you added b?
def neuron(x, w, b):
    return 1 if np.sum(w * x) > 0 else 0

# %% tags=["wrong"]
# hint: the step turns the sum into 0 or 1
def neuron(x, w, b):
    return np.sum(w * x) + b

# %% tags=["wrong"]
# hint: added to every product
def neuron(x, w, b):
    return 1 if np.sum(w * x + b) > 0 else 0

# %% tags=["wrong"]
# hint: a neuron adds up the products
def neuron(x, w, b):
    return (w * x + b > 0).astype(int)

# %% tags=["wrong"]
# hint: only above 0 it is 1
def neuron(x, w, b):
    return 1 if np.sum(w * x) + b >= 0 else 0

# %% tags=["right"]
def neuron(x, w, b):
    total = b
    for k in range(len(x)):
        total = total + w[k] * x[k]
    return total > 0

# %% name="neuron" tags=["exercise"]
def neuron(x, w, b):
    """The answer of one neuron, 0 or 1, for one point x."""
    # BEGIN SOLUTION
    total = np.sum(w * x) + b
    return 1 if total > 0 else 0
    # END SOLUTION

# %% tags=["check"]
check_neuron(neuron)

# %% [markdown]
# Now a first, bad guess for the weights: "everything longer than 15 m is an aircraft".

# %%
w_start, b_start = np.array([1.0, 0.0]), -1.5
sums = points @ w_start + b_start  # the weighted sums of all 40 points at once
answers = (sums > 0).astype(int)  # True becomes 1, False becomes 0
figure = drawings.plane(points, labels, w_start, b_start, title="first guess")
print("wrong answers:", np.sum(answers != labels), "of", len(labels))

# %% [markdown]
# **What to notice.** On the shaded side the neuron says "aircraft". The border, where the sum is exactly 0,
# is a straight line: the **decision boundary**. The weights turn this line, the bias shifts it.
# `points @ w` is short for "the weighted sum of every row": no loop needed.

# %% [markdown]
# ## 3. The neuron learns
#
# Who finds good weights? In 1958 Frank Rosenblatt gave his *perceptron* a rule that does it. Show the
# neuron one point, with label $y$; it answers $\hat y$ (say "y hat"). If the answer is wrong, move the
# weights a little:
#
# $$w \leftarrow w + \text{learning rate} \cdot (y - \hat y) \cdot x$$
#
# $$b \leftarrow b + \text{learning rate} \cdot (y - \hat y)$$
#
# $y - \hat y$ is 0 for a right answer (nothing changes), 1 for a missed aircraft (the sum must grow) and -1
# for a false alarm (the sum must shrink). The **learning rate** says how far to move: a small positive
# number.
#
# ### Exercise 3 (8 min, medium): the learning rule
#
# Write the rule as a function that returns the new `w` and the new `b`.

# %% tags=["wrong"]
# hint: is your error y - y_hat, in this order?
def update(x, y, y_hat, w, b, learning_rate):
    error = y_hat - y
    return w + learning_rate * error * x, b + learning_rate * error

# %% tags=["wrong"]
# hint: multiply by x
def update(x, y, y_hat, w, b, learning_rate):
    error = y - y_hat
    return w + learning_rate * error, b + learning_rate * error

# %% tags=["wrong"]
# hint: b learns too
def update(x, y, y_hat, w, b, learning_rate):
    return w + learning_rate * (y - y_hat) * x, b

# %% tags=["wrong"]
# hint: multiply by learning_rate
def update(x, y, y_hat, w, b, learning_rate):
    return w + (y - y_hat) * x, b + (y - y_hat)

# %% tags=["wrong"]
# hint: return both numbers
def update(x, y, y_hat, w, b, learning_rate):
    return w + learning_rate * (y - y_hat) * x

# %% tags=["wrong"]
# hint: now the sum must become smaller
def update(x, y, y_hat, w, b, learning_rate):
    error = abs(y - y_hat)
    return w + learning_rate * error * x, b + learning_rate * error

# %% tags=["right"]
def update(x, y, y_hat, w, b, learning_rate):
    if y == 1 and y_hat == 0:
        w, b = w + learning_rate * x, b + learning_rate
    if y == 0 and y_hat == 1:
        w, b = w - learning_rate * x, b - learning_rate
    return w, b

# %% name="update" tags=["exercise"]
def update(x, y, y_hat, w, b, learning_rate):
    """The weights and the bias after one look at the point x with label y and answer y_hat."""
    # BEGIN SOLUTION
    error = y - y_hat
    w = w + learning_rate * error * x
    b = b + learning_rate * error
    return w, b
    # END SOLUTION

# %% tags=["check"]
check_update(update)

# %% [markdown]
# Now show it all 40 points, one after the other. One round through all points is called an **epoch**.
# (Time: less than 1 s.)
#
# Two helpers of the course stand in this cell, and in all lessons:
#
# - `lessons.use(check, yours, ours)` takes **your** function when its check said ✅. If not, it takes the course's
#   and says so in one line. So your own code carries the lesson, and nothing stops where an answer is missing.
# - `lessons.expect(value, low, high, name)` gives the value back when it lies in the range that the text speaks of,
#   else it stops with a message. It keeps the text honest.

# %% name="train-perceptron"
answer = lessons.use(check_neuron, neuron, standins.neuron)
learn = lessons.use(check_update, update, standins.update)

def train_perceptron(points, labels, w, b, learning_rate, epochs):
    """The weights and the bias at the start and after each epoch."""
    history = [(w, b)]
    for epoch in range(epochs):
        w = w.copy()
        for x, y in zip(points, labels):
            w, b = learn(x, y, answer(x, w, b), w, b, learning_rate)
        history.append((w, b))
    return history


history = train_perceptron(points, labels, w_start, b_start, learning_rate=0.1, epochs=9)
figure = drawings.learning_line(points, labels, history, epochs=(0, 1, 3, 5, 7, 9))
mistakes = np.sum((points @ history[-1][0] + history[-1][1] > 0) != labels)
print("wrong answers at the end:", lessons.expect(mistakes, 0, 0, "wrong answers after 9 epochs"))

# %% [markdown]
# **What to notice.** Rings mark wrong answers. Each mistake pushes the line a little; after nine epochs no
# mistake is left. You did not tell the neuron that aircraft are wide: it found that out from examples. If a
# line that separates the points exists, this rule is certain to find one. And if none exists?

# %% [markdown]
# ## 4. What one line cannot do
#
# Four points, two inputs that are 0 or 1. The label is 1 if *exactly one* of the inputs is 1. This is
# **XOR**, "exclusive or": tea or coffee, but not both.

# %%
xor_points = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
xor_labels = np.array([0, 1, 1, 0])
for (x1, x2), y in zip(xor_points, xor_labels):
    print(f"x1 = {x1}, x2 = {x2}  ->  {y}")

# %% [markdown]
# ### Exercise 4 (3 min, easy): how good can a line be?
#
# Draw the four points on paper and lay a pencil between them. For how many of the four points can a straight
# line give the right answer, **at most**?

# %% tags=["wrong"]
# hint: have you found such a line?
most_right = 4

# %% tags=["wrong"]
# hint: cut off a single corner
most_right = 2

# %% tags=["right"]
most_right = 0.75 * len(xor_points)

# %% name="xor_best" tags=["exercise"]
most_right = 3  # SOLUTION

# %% tags=["check"]
check_xor_best(most_right)

# %% [markdown]
# Do not believe it: try. Here are ten thousand random lines, and the perceptron from the library
# **scikit-learn**. Its models all work alike: `fit(inputs, labels)` learns, `predict(inputs)` answers, and
# `score(inputs, labels)` gives the **accuracy**, the share of right answers.

# %%
random_w, random_b = rng.normal(size=(10_000, 2)), rng.normal(size=10_000)
right = ((xor_points @ random_w.T + random_b > 0) == xor_labels[:, None]).sum(axis=0)
best = right.max() / 4
print("accuracy of the best of 10,000 random lines:", lessons.expect(best, 0.75, 0.75, "best line on XOR"))
perceptron = Perceptron(max_iter=1000, tol=None, random_state=0).fit(xor_points, xor_labels)
score = perceptron.score(xor_points, xor_labels)
print("accuracy of a perceptron after 1,000 epochs:", lessons.expect(score, 0, 0.75, "perceptron on XOR"))

# %% [markdown]
# **What to notice.** No line gets all four points right, and more training does not help: the neuron is not
# lazy, it is *too simple*. In 1969 this small example, in a book by Minsky and Papert, made many people lose
# interest in neural networks. The way out is the next section.

# %% [markdown]
# ## 5. Two layers can
#
# Put two neurons in front of the last one. `h1` fires (says 1) if at least one input is 1: **OR**. `h2` fires
# only if both are: **AND**. They form a **hidden layer**: it stands between the inputs and the output.

# %%
h1 = (xor_points @ np.array([1, 1]) - 0.5 > 0).astype(int)  # OR
h2 = (xor_points @ np.array([1, 1]) - 1.5 > 0).astype(int)  # AND
hidden = np.column_stack([h1, h2])
figure = drawings.xor()
print("hidden layer for the four points:", hidden.tolist())

# %% [markdown]
# **What to notice.** Left: the plane of the inputs, with the lines of the two hidden neurons. Right: the
# same four points as the *output neuron* sees them, placed by `h1` and `h2`. The two points with label 1
# have become one point, and now a single line is enough.
#
# ### Exercise 5 (8 min, medium): weights for the last neuron
#
# Choose `w_out = np.array([..., ...])`, the weights for `h1` and `h2`, and the bias `b_out`, so that the
# output neuron gives XOR: OR, *but not* AND. There are many right answers.

# %% tags=["wrong"]
# hint: AND must pull it down
w_out = np.array([1, 1])
b_out = -0.5

# %% tags=["wrong"]
# hint: with no hidden neuron firing
w_out = np.array([1, -2])
b_out = 0.5

# %% tags=["wrong"]
# hint: this is the case XOR = 1
w_out = np.array([1, -2])
b_out = -1

# %% tags=["right"]
w_out = [3.0, -4.0]
b_out = -2

# %% name="xor_weights" tags=["exercise"]
w_out = np.array([1, -2])  # SOLUTION
b_out = -0.5  # SOLUTION

# %% tags=["check"]
check_xor_weights(w_out, b_out)

# %% name="xor-solved"
weights, bias = lessons.use(check_xor_weights, (np.array(w_out), b_out), standins.XOR)
output = (hidden @ weights + bias > 0).astype(int)
figure = drawings.xor(weights, bias)
print("output of the network:", output.tolist(), "  labels:", xor_labels.tolist())

# %% [markdown]
# **What to notice.** The shaded side now holds exactly the points with label 1. You built a **multilayer
# perceptron**, or **MLP**: neurons in layers, each neuron looking at all outputs of the layer before it. But
# *you* chose its weights. With thousands of weights nobody can. How does a network find them itself?

# %% [markdown]
# ## 6. Loss and gradient descent
#
# A simpler question first: one weight. At noon you measure 30 buildings and their shadows. A building is
# `w` times as high as its shadow is long. How large is `w`?

# %%
shadows = rng.uniform(0.5, 2.0, size=30)  # in units of 10 m
heights = 0.8 * shadows + rng.normal(0, 0.1, size=30)  # a hidden rule, and errors of measurement
plt.figure(figsize=(5.6, 3.2))
plt.plot(shadows, heights, "o", color="grey", label="30 buildings")
for w, style in ((0.4, "--"), (0.8, "-")):
    plt.plot([0, 2], [0, 2 * w], style, color=BLUE, label=f"height = {w} · shadow")
plt.xlabel("shadow (10 m)")
plt.ylabel("height (10 m)")
plt.title("Which line fits better?")
plt.legend()
plt.show()

# %% [markdown]
# Your eye says: the solid line. A computer needs a number for "how badly does it fit": the **loss**. For each
# building the error is $w x - y$, predicted height minus measured height. Square it, so that too high and too
# low both count as positive, and take the mean over all buildings.
#
# ### Exercise 6 (5 min, easy): the loss
#
# `x` and `y` are arrays (shadows and heights), `w` is one number. Useful: `** 2` squares, `np.mean(...)`
# averages.

# %% tags=["wrong"]
# hint: take the mean
def loss(w, x, y):
    return np.sum((w * x - y) ** 2)

# %% tags=["wrong"]
# hint: cancel each other
def loss(w, x, y):
    return np.mean(w * x - y)

# %% tags=["wrong"]
# hint: not the other way round
def loss(w, x, y):
    return np.mean(w * x - y) ** 2

# %% tags=["wrong"]
# hint: the loss is one number
def loss(w, x, y):
    return (w * x - y) ** 2

# %% tags=["right"]
def loss(w, x, y):
    total = 0
    for one_x, one_y in zip(x, y):
        total += (one_y - w * one_x) ** 2
    return total / len(x)

# %% name="loss" tags=["exercise"]
def loss(w, x, y):
    """Mean squared error of the predictions w * x."""
    # BEGIN SOLUTION
    error = w * x - y
    return np.mean(error**2)
    # END SOLUTION

# %% tags=["check"]
check_loss(loss)

# %% name="loss-compared"
measure = lessons.use(check_loss, loss, standins.loss)
for w in (0.4, 0.8, 1.2):
    print(f"w = {w}: loss {measure(w, shadows, heights):.3f}")

# %% [markdown]
# Learning means: make the loss small. Think of a walk in fog. You cannot see the valley, but your feet feel
# the slope. So step downhill, feel again, step again. The slope of the loss is its **gradient**. From
# $(wx - y)^2$ school mathematics gives the slope $2x(wx - y)$; take the mean over all buildings.

# %%
def gradient(w, x, y):
    """Slope of the loss at w: positive if the loss grows to the right."""
    return np.mean(2 * x * (w * x - y))


for w in (0.4, 0.8, 1.2):
    print(f"w = {w}: gradient {gradient(w, shadows, heights):+.2f}")

# %% [markdown]
# **What to notice.** Left of the valley the slope is negative, right of it positive, near the bottom almost
# 0. So go *against* the gradient. This is **gradient descent**; all networks of this course learn like
# this:
#
# $$w \leftarrow w - \text{learning rate} \cdot \text{gradient}$$
#
# ### Exercise 7 (6 min, medium): walk downhill
#
# Complete the line that takes one step. Use the function `gradient` from above.

# %% tags=["wrong"]
# hint: uphill
def descend(w, x, y, learning_rate, steps):
    path = [w]
    for step in range(steps):
        w = w + learning_rate * gradient(w, x, y)
        path.append(w)
    return path

# %% tags=["wrong"]
# hint: where is learning_rate?
def descend(w, x, y, learning_rate, steps):
    path = [w]
    for step in range(steps):
        w = w - gradient(w, x, y)
        path.append(w)
    return path

# %% tags=["wrong"]
# hint: compute the gradient at the present w
def descend(w, x, y, learning_rate, steps):
    path = [w]
    slope = gradient(w, x, y)
    for step in range(steps):
        w = w - learning_rate * slope
        path.append(w)
    return path

# %% tags=["wrong"]
# hint: w never changes
def descend(w, x, y, learning_rate, steps):
    path = [w]
    for step in range(steps):
        w - learning_rate * gradient(w, x, y)
        path.append(w)
    return path

# %% tags=["right"]
def descend(w, x, y, learning_rate, steps):
    path = [w]
    for step in range(steps):
        path.append(path[-1] - learning_rate * np.mean(2 * x * (path[-1] * x - y)))
    return np.array(path)

# %% name="descend" tags=["exercise"]
def descend(w, x, y, learning_rate, steps):
    """All values of w on the way downhill, the start included."""
    path = [w]
    for step in range(steps):
        # BEGIN SOLUTION
        w = w - learning_rate * gradient(w, x, y)
        # STUB w = ...  # TODO: one step downhill
        # END SOLUTION
        path.append(w)
    return path

# %% tags=["check"]
check_descend(descend)

# %% name="descend-used"
walk = lessons.use(check_descend, descend, standins.descend)
path = walk(2.5, shadows, heights, learning_rate=0.2, steps=8)
print("w on its way:", np.round(path, 3))
found = lessons.expect(path[-1], 0.75, 0.85, "the weight after 8 steps")
print(f"found: height = {found:.2f} · shadow")

# %% [markdown]
# **What to notice.** Long steps at first, tiny ones later: near the bottom the slope is small. In the data we
# had hidden the rule "height = 0.8 · shadow", and gradient descent found it, apart from the errors of
# measurement.
#
# How long should the steps be? Here are the paths of three learning rates. All start at the red square.

# %%
figure = drawings.descents(shadows, heights, start=2.5, rates=drawings.RIDDLE, steps=8)

# %% [markdown]
# ### Exercise 8 (3 min, easy): which learning rate is it?
#
# One is too small, one is good, one is too large. Answer with `"A"`, `"B"` or `"C"`.

# %% tags=["wrong"]
# hint: look for a path that climbs
too_small = "B"
good = "A"
too_large = "C"

# %% tags=["wrong"]
# hint: which one hardly moves?
too_small = "A"
good = "C"
too_large = "B"

# %% tags=["right"]
too_small = "c"
good = "a"
too_large = "b"

# %% name="rates" tags=["exercise"]
too_small = "C"  # SOLUTION
good = "A"  # SOLUTION
too_large = "B"  # SOLUTION

# %% tags=["check"]
check_rates(too_small, good, too_large)

# %% name="rates-solved"
for name, rate in drawings.RIDDLE.items():
    last = walk(2.5, shadows, heights, learning_rate=rate, steps=8)[-1]
    before, after = measure(2.5, shadows, heights), measure(last, shadows, heights)
    print(f"{name}: learning rate {rate}, loss at the start {before:.2f}, after 8 steps {after:.2f}")
    low, high = {"A": (0, 0.1), "B": (1.5, 50), "C": (0.1, 0.9)}[name]
    lessons.expect(after / before, low, high, f"loss after 8 steps, as a share of the first, for {name}")

# %% [markdown]
# **What to notice.** A step that is too small wastes time. A step that is too large jumps over the valley and
# lands higher than before: the loss *grows*. When a training goes wrong, look at the learning rate first.
#
# One problem is left. The step of our neuron is flat everywhere: slope 0, nothing to feel with your feet.
# So modern neurons use functions with a slope: **sigmoid**, a soft step, or **ReLU**, which keeps positive
# sums and turns negative ones into 0. Between two layers we shall use ReLU.

# %%
figure = drawings.squashing()

# %% [markdown]
# ## 7. Digits: a fair exam
#
# Back to the digits. Each image has 64 pixels; we put them in one row and divide by 16, so that each number
# is between 0 and 1. The label is the digit that was meant.

# %%
pixels = (digits.images / 16).reshape(len(digits.images), 64)
targets = digits.target
print("pixels:", pixels.shape, "  targets:", targets.shape, "  first ten:", targets[:10])
figure, axes = plt.subplots(1, 10, figsize=(8, 1.3))
for ax, one, target in zip(axes, digits.images[40:50], targets[40:50]):
    ax.imshow(one, cmap="gray_r")
    ax.set_title(target)
    ax.axis("off")

# %% [markdown]
# A student who has seen the exam questions before gets full marks and may know nothing. It is the same with
# networks, so we cut the images into three parts:
#
# | part | share | what for |
# |---|---|---|
# | **training** | 60 % | the network learns from it |
# | **validation** | 20 % | we compare networks and settings with it, as often as we like |
# | **test** | 20 % | the exam: used once, at the very end |
#
# ### Exercise 9 (8 min, medium): three parts
#
# `order` holds the numbers 0 to n - 1, shuffled. Cut it with slices: `order[:a]` is the beginning up to place
# `a`, `order[a:b]` a piece from the middle, `order[b:]` the rest. `int(...)` makes a whole number.

# %% tags=["wrong"]
# hint: no known question
def three_parts(n, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[: int(0.6 * n)], order[: int(0.2 * n)], order[: int(0.2 * n)]

# %% tags=["wrong"]
# hint: both a and b count from the beginning
def three_parts(n, seed):
    order = np.random.default_rng(seed).permutation(n)
    return order[: int(0.6 * n)], order[int(0.6 * n) : int(0.2 * n)], order[int(0.8 * n) :]

# %% tags=["wrong"]
# hint: only 16 % of all
def three_parts(n, seed):
    order = np.random.default_rng(seed).permutation(n)
    rest, test = order[: int(0.8 * n)], order[int(0.8 * n) :]
    return rest[int(0.2 * len(rest)) :], rest[: int(0.2 * len(rest))], test

# %% tags=["wrong"]
# hint: are lost
def three_parts(n, seed):
    order = np.random.default_rng(seed).permutation(n)
    a, b = int(0.6 * n), int(0.8 * n)
    return order[:a], order[a + 1 : b], order[b + 1 :]

# %% tags=["right"]
def three_parts(n, seed):
    order = np.random.default_rng(seed).permutation(n)
    return np.split(order, [round(0.6 * n), round(0.8 * n)])

# %% name="three_parts" tags=["exercise"]
def three_parts(n, seed):
    """The numbers of the images for training (60 %), validation (20 %) and test (20 %)."""
    order = np.random.default_rng(seed).permutation(n)
    # BEGIN SOLUTION
    a, b = int(0.6 * n), int(0.8 * n)
    train = order[:a]
    validation = order[a:b]
    test = order[b:]
    # STUB
    # train = ...  # TODO: your code here
    # validation = ...
    # test = ...
    # END SOLUTION
    return train, validation, test

# %% tags=["check"]
check_three_parts(three_parts)

# %% [markdown]
# From here on we take scikit-learn's function for it. With `stratify` it also gives each part the same
# share of every digit.

# %%
everything = np.arange(len(targets))
rest, test = train_test_split(everything, test_size=0.2, stratify=targets, random_state=0)
train, validation = train_test_split(rest, test_size=0.25, stratify=targets[rest], random_state=0)
print("images for training, validation, test:", len(train), len(validation), len(test))

# %% [markdown]
# ### Exercise 10 (2 min, easy): how good is knowing nothing?
#
# Before any network, ask how well a stupid answer does. A **dummy** never looks at the image and always says
# the same digit, say 3. What accuracy will it get? Guess before you run the cell below the check.

# %% tags=["wrong"]
# hint: not per cent
guess = 10

# %% tags=["wrong"]
# hint: how many digits are there
guess = 0.5

# %% tags=["wrong"]
# hint: too low
guess = 0

# %% tags=["right"]
guess = 0.1 + 0.005

# %% name="baseline" tags=["exercise"]
guess = 1 / 10  # SOLUTION

# %% tags=["check"]
check_baseline(guess)

# %%
dummy = DummyClassifier(strategy="most_frequent").fit(pixels[train], targets[train])
score = dummy.score(pixels[validation], targets[validation])
print(f"accuracy of the dummy: {lessons.expect(score, 0.08, 0.12, 'accuracy of the dummy'):.3f}")

# %% [markdown]
# **What to notice.** About one in ten. This is the **baseline**: a network must clearly beat it before we are
# proud. Later in the course the classes are not equally frequent, and then the dummy looks surprisingly good.

# %% [markdown]
# ## 8. An MLP with scikit-learn
#
# 64 inputs, one hidden layer of 64 neurons with ReLU, and one output for each digit. (The drawing shows
# only a few neurons of each layer.)

# %%
figure = drawings.network(sizes=(64, 64, 10))

# %% [markdown]
# Every line in the drawing is a weight, and every neuron after the inputs has a bias. Weights and biases
# together are the **parameters**: the numbers that training may change.
#
# ### Exercise 11 (7 min, medium): count the parameters
#
# Write a function that counts them for any list of layer sizes, such as `[64, 64, 10]`.

# %% tags=["wrong"]
# hint: has a bias as well
def count_parameters(sizes):
    return sum(m * n for m, n in zip(sizes[:-1], sizes[1:]))

# %% tags=["wrong"]
# hint: they have no bias
def count_parameters(sizes):
    return sum(m * n for m, n in zip(sizes[:-1], sizes[1:])) + sum(sizes)

# %% tags=["wrong"]
# hint: inputs to
def count_parameters(sizes):
    return sizes[0] * sizes[1] + sizes[1]

# %% tags=["right"]
def count_parameters(sizes):
    return sum((m + 1) * n for m, n in zip(sizes[:-1], sizes[1:]))

# %% name="count_parameters" tags=["exercise"]
def count_parameters(sizes):
    """Weights and biases of an MLP whose layers have these sizes, the inputs first."""
    total = 0
    for k in range(len(sizes) - 1):
        m, n = sizes[k], sizes[k + 1]  # from m numbers to n neurons
        # BEGIN SOLUTION
        total = total + m * n + n
        # STUB total = total + ...
        # END SOLUTION
    return total

# %% tags=["check"]
check_count_parameters(count_parameters)

# %% [markdown]
# Now train it. Ten outputs need another loss: the **cross-entropy**. The network gives each digit a
# probability; the smaller the probability of the right digit, the larger the loss.
#
# Computing the gradient from all images before every single step would be slow. So we take a small random
# handful of images, a **batch**, for each step: here 32. An epoch then has many steps.
# (Time: a few seconds on two CPU cores.)
#
# `lessons.budget(full=400, fast=5)` is 400 for you. Only who tests this notebook asks for the small number.

# %%
mlp = MLPClassifier(
    hidden_layer_sizes=(64,), activation="relu", solver="sgd", momentum=0.0,  # plain gradient descent
    learning_rate_init=0.1, batch_size=32, random_state=0,
    max_iter=lessons.budget(full=400, fast=5), tol=0.001,  # stop when the loss falls no more
)
mlp.fit(pixels[train], targets[train])
train_score = mlp.score(pixels[train], targets[train])
score = mlp.score(pixels[validation], targets[validation])
count = lessons.use(check_count_parameters, count_parameters, standins.count_parameters)
print("parameters:", sum(w.size for w in mlp.coefs_ + mlp.intercepts_), "  by the formula:", count([64, 64, 10]))
print(f"accuracy on training:   {lessons.expect(train_score, 0.98, 1, 'accuracy on training'):.3f}")
print(f"accuracy on validation: {lessons.expect(score, 0.95, 0.99, 'accuracy on validation'):.3f}")

# %% [markdown]
# **What to notice.** About 0.97 on images that it has never seen, where the dummy got 0.1. It is slightly
# better on the training images, because it knows them. And the number of parameters is the one of your function.
#
# Always look at the mistakes. Would you read all of these correctly?

# %%
answers = mlp.predict(pixels[validation])
wrong = answers != targets[validation]
figure, axes = plt.subplots(1, 6, figsize=(8, 1.8))
for ax in axes:
    ax.axis("off")
for ax, k, answer in zip(axes, validation[wrong], answers[wrong]):
    ax.imshow(digits.images[k], cmap="gray_r")
    ax.set_title(f"is {targets[k]}, said {answer}", fontsize=11)

# %% [markdown]
# ## 9. Underfitting and overfitting
#
# Three networks, A, B and C. After each epoch we note the loss on the training images and on the validation
# images: these are **learning curves**. They are the doctor's thermometer of training.
#
# - **Underfitting**: the network is too simple, or not trained enough. It is bad even on what it has seen.
# - **Overfitting**: the network learns its training images by heart, with every mistake in them. It is
#   excellent on them and bad on new images.

# %%
def learning_curve(rows, labels, hidden, learning_rate, batch_size, epochs):
    """Train on these rows; the loss on training and on validation after each epoch, and the network."""
    network = MLPClassifier(
        hidden_layer_sizes=(hidden,), solver="sgd", momentum=0.0, random_state=0,
        learning_rate_init=learning_rate, batch_size=batch_size,
    )
    curve = []
    for epoch in range(epochs):
        network.partial_fit(pixels[rows], labels, classes=np.arange(10))  # one epoch
        on_train = log_loss(labels, network.predict_proba(pixels[rows]), labels=np.arange(10))
        on_validation = log_loss(targets[validation], network.predict_proba(pixels[validation]))
        curve.append((on_train, on_validation))
    return np.array(curve), network

# %% [markdown]
# Time: a few seconds on two CPU cores. Do not read the code of this cell yet, look at the figure first.

# %%
epochs = lessons.budget(full=60, fast=3)
few = train[:200]
noisy = targets[few].copy()
noisy[:40] = rng.permutation(noisy[:40])  # mix up the labels of 40 images: now most of these are wrong
curves = {
    "A": learning_curve(few, noisy, hidden=64, learning_rate=0.3, batch_size=8, epochs=epochs),
    "B": learning_curve(train, targets[train], hidden=64, learning_rate=0.1, batch_size=32, epochs=epochs),
    "C": learning_curve(train, targets[train], hidden=2, learning_rate=0.1, batch_size=32, epochs=epochs),
}

# %%
figure, axes = plt.subplots(1, 3, figsize=(8, 3), sharey=True, layout="constrained")
for ax, (name, (curve, network)) in zip(axes, curves.items()):
    ax.plot(curve[:, 0], color=BLUE, label="training")
    ax.plot(curve[:, 1], "--", color=ORANGE, label="validation")
    ax.set_title(f"network {name}")
    ax.set_xlabel("epoch")
axes[0].set_ylabel("loss")
axes[0].legend()
plt.show()

# %% [markdown]
# ### Exercise 12 (4 min, medium): be the doctor
#
# Which network underfits, which one fits well, which one overfits? Answer with `"A"`, `"B"` or `"C"`.

# %% tags=["wrong"]
# hint: a wide gap between the two curves
underfits = "A"
fits_well = "B"
overfits = "C"

# %% tags=["wrong"]
# hint: which one stays high in both curves?
underfits = "B"
fits_well = "C"
overfits = "A"

# %% tags=["right"]
underfits, fits_well, overfits = "c", "b", "a"

# %% name="diagnosis" tags=["exercise"]
underfits = "C"  # SOLUTION
fits_well = "B"  # SOLUTION
overfits = "A"  # SOLUTION

# %% tags=["check"]
check_diagnosis(underfits, fits_well, overfits)

# %% [markdown]
# When your check is green, look at the accuracies and read the code above: what was different?

# %%
shown = {"A": (few, noisy), "B": (train, targets[train]), "C": (train, targets[train])}
scores = {}
for name, (curve, network) in curves.items():
    on_train = network.score(pixels[shown[name][0]], shown[name][1])
    on_validation = network.score(pixels[validation], targets[validation])
    scores[name] = on_train, on_validation
    print(f"{name}: accuracy on training {on_train:.2f}, on validation {on_validation:.2f}; ", end="")
    print("validation loss lowest after epoch", curve[:, 1].argmin() + 1)
lessons.expect(scores["A"][0], 0.9, 1, "training accuracy of A")
lessons.expect(scores["A"][1], 0.55, 0.88, "validation accuracy of A")
lessons.expect(scores["B"][1], 0.95, 0.99, "validation accuracy of B")
gap = lessons.expect(abs(scores["C"][0] - scores["C"][1]), 0, 0.1, "gap between the accuracies of C")

# %% [markdown]
# **What to notice.** One of the three has only two hidden neurons: too simple, both curves stay high. Another
# one saw few images, and among those 40 had their labels mixed up. It learned even the wrong labels by heart:
# nearly perfect on its training images, poor on new ones. Its validation loss falls first and then rises.
# The moment to stop is where the *validation* loss is lowest; this is **early stopping** (lesson 3).

# %% [markdown]
# ## 10. The same in PyTorch
#
# scikit-learn hides the training behind `fit`. For images we need to build and change networks freely, so the
# rest of the course uses **PyTorch**. Its arrays are called **tensors**, and it can compute gradients for us:

# %%
w = torch.tensor(2.5, requires_grad=True)  # "remember how everything is computed from w"
x, y = torch.tensor(shadows), torch.tensor(heights)
loss_of_w = ((w * x - y) ** 2).mean()
loss_of_w.backward()  # go back through the computation and put the gradient into w.grad
print(f"PyTorch: {w.grad:.4f}   our formula: {gradient(2.5, shadows, heights):.4f}")
difference = abs(w.grad.item() - gradient(2.5, shadows, heights))
assert difference < 0.001

# %% [markdown]
# **What to notice.** The same number, and nobody had to do the mathematics. This works for any number of
# layers; it is called **backpropagation**, and it is why large networks can be trained at all.
#
# ### Exercise 13 (6 min, medium): build the MLP
#
# `nn.Sequential` is a chain: each part takes what the part before it gives. `nn.Linear(a, b)` is a layer of
# `b` neurons with `a` inputs, without a step. `nn.ReLU()` keeps positive sums. Return one score for each
# class; such a raw score is a **logit**: any number, the largest one wins. No function comes after the last
# layer.

# %% tags=["wrong"]
# hint: without a ReLU between them
def make_mlp(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.Linear(hidden, outputs))

# %% tags=["wrong"]
# hint: leave softmax out
def make_mlp(inputs, hidden, outputs):
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs), nn.Softmax(dim=1)
    )

# %% tags=["wrong"]
# hint: what one layer gives, the next one takes
def make_mlp(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(inputs, outputs))

# %% tags=["wrong"]
# hint: something bends your scores
def make_mlp(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs), nn.ReLU())

# %% tags=["wrong"]
# hint: something bends your scores
def make_mlp(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs), nn.Tanh())

# %% tags=["wrong"]
# hint: something bends your scores
def make_mlp(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs), nn.LogSoftmax(1))

# %% tags=["wrong"]
# hint: one score a class
def make_mlp(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, 1))

# %% tags=["wrong"]
# hint: between the two Linear layers
def make_mlp(inputs, hidden, outputs):
    return nn.Sequential(nn.Linear(inputs, hidden), nn.Sigmoid(), nn.Linear(hidden, outputs))

# %% tags=["right"]
class TwoLayers(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.second = nn.Linear(hidden, outputs)

    def forward(self, x):
        return self.second(torch.relu(self.first(x)))


def make_mlp(inputs, hidden, outputs):
    return TwoLayers(inputs, hidden, outputs)

# %% name="make_mlp" tags=["exercise"]
def make_mlp(inputs, hidden, outputs):
    """An MLP with one hidden layer and ReLU; gives one logit for each class."""
    return nn.Sequential(
        # BEGIN SOLUTION
        nn.Linear(inputs, hidden),
        nn.ReLU(),
        nn.Linear(hidden, outputs),
        # STUB
        # nn.Linear(inputs, ...),
        # ...,
        # nn.Linear(..., outputs),
        # END SOLUTION
    )

# %% tags=["check"]
check_make_mlp(make_mlp)

# %% [markdown]
# Training repeats four steps for each batch:
#
# 1. forget the gradients of the last batch: `optimizer.zero_grad()`;
# 2. compute the loss of this batch: `loss_function(model(x), y)`;
# 3. compute the gradient of the loss for every parameter: `.backward()`;
# 4. move every parameter one step downhill: `optimizer.step()`.
#
# The **optimizer** knows the parameters and the learning rate. We use SGD, "stochastic gradient descent":
# gradient descent with random batches.
#
# ### Exercise 14 (8 min, medium): train on one batch
#
# Write the four steps, and return the loss as a plain number: `loss.item()`.

# %%
loss_function = nn.CrossEntropyLoss()  # takes logits and labels

# %% tags=["wrong"]
# hint: pile up
def train_batch(model, x, y, optimizer):
    loss = loss_function(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()

# %% tags=["wrong"]
# hint: the weights did not move
def train_batch(model, x, y, optimizer):
    optimizer.zero_grad()
    loss = loss_function(model(x), y)
    loss.backward()
    return loss.item()

# %% tags=["wrong"]
# hint: the weights have no gradient
def train_batch(model, x, y, optimizer):
    optimizer.zero_grad()
    loss = loss_function(model(x), y)
    optimizer.step()
    return loss.item()

# %% tags=["wrong"]
# hint: the weights did not move
def train_batch(model, x, y, optimizer):
    loss = loss_function(model(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()

# %% tags=["wrong"]
# hint: return the loss
def train_batch(model, x, y, optimizer):
    optimizer.zero_grad()
    loss = loss_function(model(x), y)
    loss.backward()
    optimizer.step()

# %% tags=["right"]
def train_batch(model, x, y, optimizer):
    logits = model(x)
    loss = nn.functional.cross_entropy(logits, y)
    model.zero_grad()
    loss.backward()
    optimizer.step()
    return float(loss.detach())

# %% name="train_batch" tags=["exercise"]
def train_batch(model, x, y, optimizer):
    """One step of gradient descent on one batch; returns the loss before the step."""
    # BEGIN SOLUTION
    optimizer.zero_grad()
    loss = loss_function(model(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()
    # END SOLUTION

# %% tags=["check"]
check_train_batch(train_batch)

# %% [markdown]
# The whole training is two loops: epochs, and in each epoch all batches in a new random order. After each
# epoch we measure the loss on validation; `torch.no_grad()` says that this computation needs no gradients.

# %%
x = torch.tensor(pixels, dtype=torch.float32)
y = torch.tensor(targets)


build = lessons.use(check_make_mlp, make_mlp, standins.make_mlp)
one_step = lessons.use(check_train_batch, train_batch, standins.train_batch)

def train_network(model, epochs, batch_size=32, learning_rate=0.1):
    """The mean training loss and the validation loss of each epoch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=learning_rate)
    history = []
    for epoch in range(epochs):
        order = torch.tensor(train)[torch.randperm(len(train))]  # shuffled
        losses = [one_step(model, x[rows], y[rows], optimizer) for rows in order.split(batch_size)]
        with torch.no_grad():
            on_validation = loss_function(model(x[validation]), y[validation]).item()
        history.append((np.mean(losses), on_validation))
    return np.array(history)

# %% [markdown]
# Time: a few seconds on two CPU cores.

# %% name="train-torch"
torch.manual_seed(0)  # the same random start weights and batches every time
model = build(inputs=64, hidden=64, outputs=10)
history = train_network(model, epochs=lessons.budget(full=40, fast=2))
with torch.no_grad():
    answers = model(x[validation]).argmax(dim=1)  # the class with the largest logit
score = (answers == y[validation]).float().mean().item()
print(f"accuracy on validation: {lessons.expect(score, 0.94, 0.99, 'accuracy in PyTorch'):.3f}")

# %% name="curves-torch"
plt.figure(figsize=(5.6, 3.2))
plt.plot(history[:, 0], color=BLUE, label="training")
plt.plot(history[:, 1], "--", color=ORANGE, label="validation")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.title("Learning curves of the PyTorch network")
plt.legend()
plt.show()

# %% [markdown]
# **What to notice.** The same kind of network, the same kind of training, nearly the same accuracy; the rest
# is chance (other random start weights, other batches). Both curves fall steeply, then flatten, and stay
# close together: no sign of overfitting. Why is the validation loss lower at the beginning? The training
# loss is an average over the whole epoch, taken while the network was still learning; validation comes after.

# %% [markdown]
# ## 11. The exam
#
# We chose everything with the validation images. Now, once, the test images: they stand for all digits that
# the network will meet later. We take the network of section 8.

# %%
score = mlp.score(pixels[test], targets[test])
print(f"accuracy on test: {lessons.expect(score, 0.95, 0.99, 'accuracy on test'):.3f}")
print("wrong:", int(np.sum(mlp.predict(pixels[test]) != targets[test])), "of", len(test))

# %% [markdown]
# **What to notice.** Close to the validation accuracy: our exam was fair. If you now changed the network to
# get a better *test* result, the test images would silently become validation images, and the number would
# flatter you.
#
# ## What you learned
#
# - A **neuron** is a weighted sum, a bias and a step; it separates its inputs by a straight line.
# - The **perceptron rule** moves the weights after each mistake. It cannot learn XOR; a hidden layer can.
# - Networks learn by **gradient descent** on a **loss**; its learning rate must be neither too small nor too
#   large.
# - Always have a **baseline**, and three parts: **training, validation, test**.
# - **Learning curves** show under- and overfitting.
# - In **PyTorch** a training step is: zero_grad, loss, backward, step.
#
# ## How to go on
#
# - Change `hidden=2` of network C to 4, 8, 16. When does underfitting end?
# - Replace `torch.optim.SGD` by `torch.optim.Adam` with `learning_rate=0.003`. What changes? (Lesson 4)
# - An MLP does not know which pixels are neighbours. **Lesson 2** shows the layer that does: the convolution.

# %% [markdown]
# ## Quiz
#
# (The answers are at the end of the solution, `notebooks/solutions/01_perceptron_to_mlp.ipynb`.)
#
# 1. A neuron has $w = (2, -1)$ and $b = 0$. What does it say for $x = (1, 3)$?
#    - (a) 1
#    - (b) 0
#    - (c) -1
#    - (d) it depends on the learning rate
# 2. Why can a single neuron not learn XOR?
#    - (a) it needs more epochs
#    - (b) it needs another learning rate
#    - (c) no straight line separates the two classes
#    - (d) four points are too few
# 3. The loss grows from step to step. What do you try first?
#    - (a) more epochs
#    - (b) a larger network
#    - (c) a smaller learning rate
#    - (d) more validation images
# 4. Training accuracy 1.00, validation accuracy 0.70. What is this?
#    - (a) underfitting
#    - (b) overfitting
#    - (c) a good network
#    - (d) a learning rate that is too small
# 5. You try 20 networks and keep the one with the best *test* accuracy. What is wrong with that?

# %% [markdown] tags=["solution"]
# **Answers.** 1 (b): 2 · 1 - 1 · 3 = -1, not above 0. 2 (c). 3 (c). 4 (b). 5: the test images have chosen the
# network, so its test accuracy is too optimistic; choose with the validation images, test only the winner.

# %% [markdown] tags=["solution"]
# **For the teacher.** Usual stumbling blocks: the order of $y - \hat y$ (exercise 3); "a bigger learning
# rate is always faster" (exercise 8); using the test images "only to look" (section 11). If time is short,
# leave out exercises 4 and 11. Question for the room after section 5: "Which weights of the XOR network did
# the computer learn?" (None.)
