# ---
# aircraft:
#   title: Training toolbox
#   minutes: 90
#   can_do: "let an engine run your training, choose its settings with evidence, and tell progress from noise"
#   gpu: true
#   extras: []
# ---

# %% [markdown]
# # 4. Training toolbox
#
# **After this lesson you can** let an engine run your training, choose its settings with evidence, and tell
# progress from noise.
#
# About 90 minutes; two exercises are marked *optional*. Two CPU cores are enough. You need lesson 3: its training
# loop, its learning curves, and the AUC.

# %% tags=["setup"]

# %%
import math
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from ignite.engine import Engine, Events
from ignite.handlers import (
    Checkpoint,
    EarlyStopping,
    FastaiLRFinder,
    PiecewiseLinear,
    ProgressBar,
    TensorboardLogger,
    TerminateOnNan,
    global_step_from_engine,
)
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits
from torchvision.utils import make_grid

from aircraft import InputError, datasets, models, plotting, training
from aircraft.plotting.style import STYLE
from aircraft.training import engines, loading
from aircraft_course import lessons
from aircraft_course import standins_early as package
from aircraft_course.checks.lesson04 import (
    check_attach_validation, check_batch_norm, check_chosen_rate, check_compare, check_create_trainer,
    check_draw_settings, check_dropout, check_eight_views, check_events, check_momentum_step,
    check_one_cycle, check_rate_at, check_score_function, check_worst_patches,
)
from aircraft_course.drawings import lesson04 as drawings

plt.rcParams.update(STYLE)                                               # letters that can be read from afar

# %% [markdown]
# The toy set of lesson 3, split by site, and a **lean network**. `toy_cnn` of lesson 3 is good, but a search
# over settings trains dozens of networks, and this one needs a fraction of the time.
# Two switches are built in: batch norm and dropout, which come later.

# %%
device = lessons.device()
toy = datasets.load_toy(scale=lessons.budget(1.0, 0.1), progress=False)
train, val = datasets.split(toy.train, fraction=0.2, seed=0)
print(f"{len(train)} patches to train, {len(val)} to validate, on {device.type}")


# %%
def small_net(width=16, batch_norm=False, dropout=0.0):
    """A small network from (n, 3, 64, 64) to logits (n,)."""
    layers = [nn.PixelUnshuffle(2)]                                      # squares of 2x2 pixels: 12, 32, 32
    for inputs, outputs in ((12, width), (width, 2 * width), (2 * width, 4 * width)):
        layers += [nn.Conv2d(inputs, outputs, 3), nn.BatchNorm2d(outputs) if batch_norm else nn.Identity()]
        layers += [nn.ReLU(), nn.MaxPool2d(2)]                           # 15 x 15, then 6 x 6, then 2 x 2
    layers += [nn.Flatten(), nn.Dropout(dropout), nn.Linear(4 * width * 2 * 2, 1)]
    return models.Network(nn.Sequential(*layers), stride=None)


print(sum(weights.numel() for weights in small_net().parameters()), "numbers to learn")

# %% [markdown]
# `PixelUnshuffle(2)` turns every square of 2x2 pixels into one place with 12 channels. Nothing is lost, and
# the convolutions have four times fewer places to visit.
#
# ## 1. An engine runs the loop
#
# In lesson 3 you wrote the loops yourself: epochs, batches, validation, early stopping. With every wish the
# loop grew another `if`. Libraries such as **pytorch-ignite** turn this round: an **engine** owns the loops
# and announces what happens, as an **event**. Whoever is interested adds a **handler**: a function that is
# called at that event.

# %%
drawings.events()
plt.show()

# %% [markdown]
# The picture is a time line of a run of two epochs with three batches each. Above it stand the events at the
# two ends of a run and of an epoch; below it are three places where handlers usually listen. You will use all
# of them today.
#
# ### Exercise 1: how often does an event fire? (3 min, easy)
#
# A trainer runs for **4 epochs of 10 batches**. Before you try it out: how often do `STARTED`,
# `EPOCH_COMPLETED` and `ITERATION_COMPLETED` fire? Write the three numbers.

# %% tags=["wrong"]
# hint: it fires once a batch
started = 1
epochs_completed = 4
iterations_completed = 10

# %% tags=["wrong"]
# hint: it fires once a run
started = 4
epochs_completed = 4
iterations_completed = 40

# %% tags=["wrong"]
# hint: it fires once an epoch
started = 1
epochs_completed = 40
iterations_completed = 40

# %% tags=["right"]
started = 1.0
epochs_completed = 2 + 2
iterations_completed = 10 * epochs_completed

# %% name="events" tags=["exercise"]
started = 1  # SOLUTION
epochs_completed = 4  # SOLUTION
iterations_completed = 40  # SOLUTION

# %% tags=["check"]
check_events(started, epochs_completed, iterations_completed)

# %% [markdown]
# An engine that does nothing but count shows it. Note how a handler is attached: `@engine.on(event)` above a
# function.

# %%
fired = {"STARTED": 0, "EPOCH_COMPLETED": 0, "ITERATION_COMPLETED": 0}
idle = Engine(lambda engine, batch: None)
for name in fired:

    @idle.on(Events[name])
    def count(engine, name=name):
        fired[name] += 1


idle.run(range(10), max_epochs=4)
print(fired)

# %% [markdown]
# ### Exercise 2: your training step (7 min, medium)
#
# An engine needs one thing from you: a **step function** `step(engine, batch)`, which is called for every
# batch. What it returns is kept in `engine.state.output`, where handlers find it.
#
# Move the inside of your loop of lesson 3 into `step`: training mode, logits, loss, gradients, one step of
# the optimiser. Return the loss as a plain number. A batch has three parts here: images, labels, and the
# numbers of the patches in the training set.

# %% tags=["wrong"]
# hint: PyTorch adds new gradients to the old ones
def create_trainer(model, optimizer):
    def step(engine, batch):
        images, labels, _ = batch
        model.train()
        value = binary_cross_entropy_with_logits(model(images), labels)
        value.backward()
        optimizer.step()
        return value.item()

    return Engine(step)


# %% tags=["wrong"]
# hint: has the sigmoid inside
def create_trainer(model, optimizer):
    def step(engine, batch):
        images, labels, _ = batch
        model.train()
        value = binary_cross_entropy_with_logits(torch.sigmoid(model(images)), labels)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value.item()

    return Engine(step)


# %% tags=["wrong"]
# hint: no weight has moved
def create_trainer(model, optimizer):
    def step(engine, batch):
        images, labels, _ = batch
        model.train()
        value = binary_cross_entropy_with_logits(model(images), labels)
        optimizer.zero_grad()
        value.backward()
        return value.item()

    return Engine(step)


# %% tags=["wrong"]
# hint: still holds the graph
def create_trainer(model, optimizer):
    def step(engine, batch):
        images, labels, _ = batch
        model.train()
        value = binary_cross_entropy_with_logits(model(images), labels)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value

    return Engine(step)


# %% tags=["wrong"]
# hint: in evaluation mode and stayed in it
def create_trainer(model, optimizer):
    def step(engine, batch):
        images, labels, _ = batch
        value = binary_cross_entropy_with_logits(model(images), labels)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value.item()

    return Engine(step)


# %% tags=["right"]
def create_trainer(model, optimizer):
    loss_function = nn.BCEWithLogitsLoss()

    def step(engine, batch):
        optimizer.zero_grad(set_to_none=True)
        value = loss_function(model.train()(batch[0]), batch[1])
        value.backward()
        optimizer.step()
        return float(value)

    return Engine(step)


# %% name="create_trainer" tags=["exercise"]
def create_trainer(model, optimizer):
    """An engine that makes one optimiser step for each batch; its output is the loss of the batch."""

    def step(engine, batch):
        images, labels, _ = batch
        # BEGIN SOLUTION
        model.train()
        value = binary_cross_entropy_with_logits(model(images), labels)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value.item()
        # STUB
        # model.train()
        # value = binary_cross_entropy_with_logits(model(images), labels)
        # ...  # TODO: gradients, a step of the optimiser, and what to return
        # END SOLUTION

    return Engine(step)


# %% tags=["check"]
check_create_trainer(create_trainer)

# %% [markdown]
# ### The package's engines
#
# `aircraft.training.engines` has the same trainer with one extra: it can compute in low precision (`bfloat16`),
# which hardware that has it does faster: GPUs, and some CPUs.
# Open the file, you will know most lines. It also has an **evaluator**: an engine whose step only predicts, and whose
# `state.metrics` holds the loss and the AUC when its run is over. (AP comes in lesson 5.)
#
# `loading.Batches` stands in for the DataLoader of lesson 3: the whole set is one tensor, so a batch is a
# single indexing. From here on the notebook uses these.

# %%
def prepare(patches, lr=3e-3, seed=0, **options):
    """A fresh network, its optimiser, trainer and evaluator, and batches of 64 in a new order each epoch."""
    torch.manual_seed(seed)
    model = small_net(**options).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.0)
    trainer = engines.create_trainer(model, optimizer, nn.BCEWithLogitsLoss())
    evaluator = engines.create_evaluator(model, nn.BCEWithLogitsLoss())
    order = loading.Sampler(patches.labels, "uniform", seed)
    batches = loading.Batches(patches.images, patches.labels, 64, device, sampler=order, drop_last=True)

    @trainer.on(Events.EPOCH_STARTED)
    def shuffle():
        batches.epoch = trainer.state.epoch

    return model, optimizer, trainer, evaluator, batches


val_batches = loading.Batches(val.images, val.labels, 512, device)

# %% [markdown]
# ### Exercise 3: validate after every epoch (6 min, medium)
#
# `shuffle` above is your first useful handler: it asks for a new order when an epoch starts. Now write one
# that judges. After every epoch of the trainer, run the evaluator over `val_batches` and append **a copy of**
# its `state.metrics` to `rows`.

# %% tags=["wrong"]
# hint: the evaluator ran after every batch
def attach_validation(trainer, evaluator, val_batches):
    rows = []

    @trainer.on(Events.ITERATION_COMPLETED)
    def judge():
        evaluator.run(val_batches)
        rows.append(dict(evaluator.state.metrics))

    return rows


# %% tags=["wrong"]
# hint: one dict three times
def attach_validation(trainer, evaluator, val_batches):
    rows = []

    @trainer.on(Events.EPOCH_COMPLETED)
    def judge():
        evaluator.run(val_batches)
        rows.append(evaluator.state.metrics)

    return rows


# %% tags=["wrong"]
# hint: before the training began
def attach_validation(trainer, evaluator, val_batches):
    rows = []
    evaluator.run(val_batches)
    rows.append(evaluator.state.metrics)
    return rows


# %% tags=["wrong"]
# hint: ran once in 3 epochs
def attach_validation(trainer, evaluator, val_batches):
    rows = []

    @trainer.on(Events.COMPLETED)
    def judge():
        evaluator.run(val_batches)
        rows.append(dict(evaluator.state.metrics))

    return rows


# %% tags=["right"]
def attach_validation(trainer, evaluator, val_batches):
    rows = []

    def judge(engine):
        state = evaluator.run(val_batches)
        rows.append(state.metrics.copy())

    trainer.add_event_handler(Events.EPOCH_COMPLETED, judge)
    return rows


# %% name="attach_validation" tags=["exercise"]
def attach_validation(trainer, evaluator, val_batches):
    """Judge after every epoch; the list that is returned gets a dict of metrics each time."""
    rows = []
    # BEGIN SOLUTION

    @trainer.on(Events.EPOCH_COMPLETED)
    def judge():
        evaluator.run(val_batches)
        rows.append(dict(evaluator.state.metrics))

    # STUB
    # ...  # TODO: a handler; which event of the trainer does it wait for?
    # END SOLUTION
    return rows


# %% tags=["check"]
check_attach_validation(attach_validation)

# %% [markdown]
# ## 2. Handlers that others have written
#
# | wish | handler of ignite |
# |---|---|
# | stop when validation no longer improves | `EarlyStopping` |
# | keep the best weights on disk | `Checkpoint` |
# | stop when the loss is not a number | `TerminateOnNan` |
# | change the learning rate while training | `PiecewiseLinear`, `CosineAnnealingScheduler` |
# | see how far it is | `ProgressBar` |
# | look at curves in the browser | `TensorboardLogger` |
#
# ### Exercise 4: what is "better"? (4 min, easy)
#
# `EarlyStopping` and `Checkpoint` ask *you* what "better" means: a function that takes the evaluator and
# returns **one number, the higher the better**. Use the validation loss, `evaluator.state.metrics["loss"]`.

# %% tags=["wrong"]
# hint: would keep the worst weights
def score_function(evaluator):
    return evaluator.state.metrics["loss"]


# %% tags=["wrong"]
# hint: the score is the same for every loss
def score_function(evaluator):
    return evaluator.state.metrics["AUC"]


# %% tags=["wrong"]
# hint: the word return is missing
def score_function(evaluator):
    -evaluator.state.metrics["loss"]


# %% tags=["right"]
def score_function(evaluator):
    return 1 - evaluator.state.metrics["loss"]


# %% name="score_function" tags=["exercise"]
def score_function(evaluator):
    """High when the validation loss is low."""
    # BEGIN SOLUTION
    return -evaluator.state.metrics["loss"]
    # END SOLUTION


# %% tags=["check"]
check_score_function(score_function)

# %% [markdown]
# ### Early stopping and checkpoint at work
#
# To see them work, we give the network few patches, so that it soon learns them by heart (**overfitting**,
# lesson 1).

# %%
few = train[np.random.default_rng(0).permutation(len(train))[: lessons.budget(500, 100)]]
model, optimizer, trainer, evaluator, batches = prepare(few)
training_losses = []


@trainer.on(Events.EPOCH_COMPLETED)
def note():
    training_losses.append(trainer.state.metrics["loss"])


judge_with = lessons.use(check_attach_validation, attach_validation, package.attach_validation)
better = lessons.use(check_score_function, score_function, package.score_function)
rows = judge_with(trainer, evaluator, val_batches)

# %% [markdown]
# (As in lesson 2: your answers where their checks said "correct", else the package's, and one line says so.)
#
# Now three handlers. The first two listen to the *evaluator*, because "better" is known only
# when its run is over. The third looks at every batch.

# %%
folder = Path(tempfile.mkdtemp())
stopping = EarlyStopping(patience=5, score_function=better, trainer=trainer)
evaluator.add_event_handler(Events.COMPLETED, stopping)

keeper = Checkpoint({"model": model}, folder, n_saved=1, filename_prefix="best", score_function=better,
                    score_name="score", global_step_transform=global_step_from_engine(trainer))
evaluator.add_event_handler(Events.COMPLETED, keeper)

nan_stop = TerminateOnNan(output_transform=lambda output: output["loss"])
trainer.add_event_handler(Events.ITERATION_COMPLETED, nan_stop)

trainer.run(batches, max_epochs=lessons.budget(30, 2))
print("stopped after epoch", trainer.state.epoch)

# %%
losses = [row["loss"] for row in rows]
best = int(np.argmin(losses)) + 1
curves = {"training": training_losses, "validation": losses}
ax = drawings.bands(curves, "epoch", "loss", f"Stopped after {len(rows)} epochs, kept number {best}")
ax.axvline(best, color="#767676", linestyle=":")
ax.set(ylim=(0, 0.9))
plt.show()

# %% [markdown]
# **What to notice.** The training loss (blue, round marks) goes on falling while the validation loss (orange-red squares)
# turns up. `EarlyStopping` waits `patience` epochs for a better one, then ends the run. By then the network
# in memory is *not* the best one any more. That is what the checkpoint is for:

# %%
print("on disk:", [path.name.split("_score")[0] + "..." for path in folder.glob("*.pt")])
model.load_state_dict(torch.load(keeper.last_checkpoint, weights_only=True))
evaluator = engines.create_evaluator(model, nn.BCEWithLogitsLoss(), amp=None)
loaded = evaluator.run(val_batches).metrics["loss"]
lessons.expect(abs(loaded - min(losses)), 0, 1e-3, "difference between the best epoch and the file")
lessons.expect(losses[-1] - min(losses), 0.01, 2, "rise of the validation loss")
print(f"validation loss: last epoch {losses[-1]:.3f}, best epoch {min(losses):.3f}, from disk {loaded:.3f}")

# %% [markdown]
# (Why a new evaluator? The old one would have told its two handlers that there is a new result.)
#
# **Question A (2 min).** Why does `EarlyStopping` look at the *validation* loss, and what would go wrong with
# `patience=1`? Talk about it with your neighbour; look at the orange-red curve.

# %% [markdown] tags=["solution"]
# **Answer A.** The training loss falls as long as the network learns by heart, so it never says "stop". With
# `patience=1` one unlucky epoch ends the run: the validation loss goes up and down by chance from epoch to
# epoch. A patience of a few epochs looks past such dents.

# %% [markdown]
# ### The NaN stop, provoked
#
# With a learning rate that is far too large, weights explode until the loss becomes infinite or **NaN** ("not
# a number"). NaN is contagious: after one step with it all weights are NaN, and nothing repairs them. Without
# this handler you find out in the morning.

# %%
model, _, trainer, evaluator, batches = prepare(few)
wild = torch.optim.SGD(model.parameters(), lr=1e6)
trainer = engines.create_trainer(model, wild, nn.BCEWithLogitsLoss())
nan_stop.logger.disabled = True                                          # it would also write a line in red
trainer.add_event_handler(Events.ITERATION_COMPLETED, nan_stop)
trainer.run(batches, max_epochs=5)
print(f"stopped at batch {trainer.state.iteration}, loss {trainer.state.output['loss']}")

# %% [markdown]
# ### A bar that moves
#
# `ProgressBar` belongs to every training longer than a coffee. `attach` says what to show beside it.

# %% tags=["nbval-ignore-output"]
model, _, trainer, _, batches = prepare(few)
bar = ProgressBar(persist=True)
bar.attach(trainer, output_transform=lambda output: {"loss": float(output["loss"])})
trainer.run(batches, max_epochs=2)
print("done")

# %% [markdown]
# ### Exercise 5: a schedule for the learning rate (5 min, easy)
#
# A **schedule** changes the learning rate while training. A good one for short trainings is *one cycle*: rise
# (so that the first, random gradients do no harm), then fall to nearly nothing (so that the weights settle).
#
# `PiecewiseLinear` wants a list of corners `(step, rate)` and draws straight lines between them. Write the
# three corners: from `peak / 25` at step 0, to `peak` after the share `warmup` of all steps (a whole number:
# use `round`), to `peak / 1000` at the last step.

# %% tags=["wrong"]
# hint: steps are whole numbers
def one_cycle(steps, peak, warmup):
    return [(0, peak / 25), (warmup, peak), (steps, peak / 1000)]


# %% tags=["wrong"]
# hint: the highest rate is
def one_cycle(steps, peak, warmup):
    return [(0, peak), (round(warmup * steps), peak / 25), (steps, peak * 1000)]


# %% tags=["wrong"]
# hint: three corners make
def one_cycle(steps, peak, warmup):
    return [(0, peak / 25), (steps, peak)]


# %% tags=["wrong"]
# hint: whole numbers without a point
def one_cycle(steps, peak, warmup):
    return [(0, peak / 25), (np.round(warmup * steps), peak), (steps, peak / 1000)]


# %% tags=["right"]
def one_cycle(steps, peak, warmup):
    top = int(warmup * steps + 0.5)
    return ((0, 0.04 * peak), (top, peak), (steps, 1e-3 * peak))


# %% name="one_cycle" tags=["exercise"]
def one_cycle(steps, peak, warmup):
    """The corners (step, rate) of a rise and a fall."""
    # BEGIN SOLUTION
    return [(0, peak / 25), (round(warmup * steps), peak), (steps, peak / 1000)]
    # END SOLUTION


# %% tags=["check"]
check_one_cycle(one_cycle)

# %% [markdown]
# The package has the same function; `PiecewiseLinear` is attached to `ITERATION_STARTED`, so every batch gets
# its own rate.

# %%
corners_of = lessons.use(check_one_cycle, one_cycle, package.one_cycle)
corners = corners_of(300, 1e-2, 0.1)
rates = PiecewiseLinear.simulate_values(num_events=300, param_name="lr", milestones_values=corners,
                                        optimizer=torch.optim.SGD(small_net().parameters(), lr=0.1))
fig, ax = plt.subplots(figsize=(6.4, 2.8))
ax.plot(*zip(*rates, strict=True), color="#0072B2")
ax.set(xlabel="step", ylabel="learning rate", title="One cycle: up for a tenth of the steps, then down")
plt.show()

# %% [markdown]
# ## 3. TensorBoard: watch it while it learns
#
# **TensorBoard** is a web page that shows what a training writes into a folder: curves (*scalars*),
# distributions of weights (*histograms*), pictures (*images*) and the layers of the network (*graph*).
#
# Curves tell you *that* something is wrong. Pictures tell you *what*: for example the patches that the
# network gets most wrong.
#
# ### Exercise 6: the worst patches (5 min, medium)
#
# Given labels (0 or 1) and scores (from 0 to 1), return the indices of the `count` patches whose score is
# furthest from the label, the worst first.

# %% tags=["wrong"]
# hint: low is right for background
def worst_patches(labels, scores, count):
    return np.argsort(scores)[:count]


# %% tags=["wrong"]
# hint: sort the other way round
def worst_patches(labels, scores, count):
    return np.argsort(np.abs(labels - scores))[:count]


# %% tags=["wrong"]
# hint: high is right for aircraft
def worst_patches(labels, scores, count):
    return np.argsort(-np.asarray(scores))[:count]


# %% tags=["right"]
def worst_patches(labels, scores, count):
    right = np.where(np.asarray(labels) == 1, scores, 1 - np.asarray(scores))
    return sorted(range(len(right)), key=lambda number: right[number])[:count]


# %% name="worst_patches" tags=["exercise"]
def worst_patches(labels, scores, count):
    """(count,) indices of the patches with the largest error, the largest first."""
    # BEGIN SOLUTION
    error = np.abs(np.asarray(labels, dtype=float) - scores)
    return np.argsort(-error)[:count]
    # END SOLUTION


# %% tags=["check"]
check_worst_patches(worst_patches)

# %% [markdown]
# ### Write all of it
#
# `TensorboardLogger` has a handler for each kind of thing. What it has no handler for, you write yourself
# with `board.writer`.

# %%
model, optimizer, trainer, evaluator, batches = prepare(train)
epochs = lessons.budget(6, 2)
schedule = PiecewiseLinear(optimizer, "lr", corners_of(epochs * len(batches), 1e-2, 1 / epochs))
trainer.add_event_handler(Events.ITERATION_STARTED, schedule)
trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: evaluator.run(val_batches))

folder = tempfile.mkdtemp()
board = TensorboardLogger(log_dir=folder)
often = Events.ITERATION_COMPLETED(every=4)
board.attach_output_handler(trainer, often, "train",
                            output_transform=lambda output: {"loss": float(output["loss"])})
board.attach_opt_params_handler(trainer, often, optimizer=optimizer)
board.attach_output_handler(evaluator, Events.COMPLETED, "validation", metric_names=["loss", "AUC"],
                            global_step_transform=lambda *_: trainer.state.iteration)
print(len(batches), "batches an epoch, every fourth is written")

# %% [markdown]
# `Events.ITERATION_COMPLETED(every=4)` is a *filter*: every fourth batch. Now histograms, the graph, and a
# handler of our own for the pictures.

# %%
worst_of = lessons.use(check_worst_patches, worst_patches, package.worst_patches)


@trainer.on(Events.EPOCH_COMPLETED)
def write_more():
    step = trainer.state.iteration
    board.writer.add_histogram("weights of the last layer", model.layers[-1].weight, step)
    scores = training.predict(model, val.images)
    worst = np.asarray(worst_of(val.labels, scores, 8))
    pictures = torch.from_numpy(val.images[worst]).permute(0, 3, 1, 2)   # (8, 3, 64, 64)
    board.writer.add_image("worst patches", make_grid(pictures, nrow=4), step)


example = loading.as_tensor(val.images[:1], device).permute(0, 3, 1, 2)
board.writer.add_graph(model, example)
trainer.run(batches, max_epochs=epochs)
board.close()
final = lessons.expect(evaluator.state.metrics["AUC"], 0.88, 1.0, "AUC on validation")
print(f"AUC on validation: {final:.2f}")

# %% [markdown]
# On Colab, and in Jupyter where the package tensorboard is installed, this shows the page:
#
# ```
# %load_ext tensorboard
# %tensorboard --logdir {folder}
# ```
#
# In a terminal it is `tensorboard --logdir FOLDER`. A live page does not survive in a saved notebook, so we
# read the folder back and draw what the page shows.
#
# (A yellow *FutureWarning* above is no fault of yours: to find the graph, TensorBoard uses an older part of
# torch.)

# %%
events = EventAccumulator(folder).Reload().Tags()
for kind in ("scalars", "histograms", "images", "graph"):
    print(f"{kind:10}", events[kind])
drawings.board(folder)
plt.show()

# %% [markdown]
# **What to notice.** The loss of single batches jumps up and down (why? section 6), the validation loss is
# calm. The weights of the last layer spread out from epoch to epoch, the oldest at the top: the network grows
# surer. The pictures show the eight worst patches of the last epoch: are they hard for *you*?
#
# ## 4. The learning rate: find it before you train
#
# The **learning-rate finder** makes one short run in which the rate grows from tiny to huge, and writes down
# the loss. Too small: nothing moves. Good: the loss falls. Too large: it explodes.
#
# ### Exercise 7: a rate that grows evenly (4 min, medium)
#
# Rates live on a logarithmic scale: from 0.0001 to 0.001 is as far as from 0.1 to 1. Write the rate at `step`
# of `steps` such that it begins at `low`, ends at `high`, and is multiplied by the *same factor* in each
# step.

# %% tags=["wrong"]
# hint: multiply instead of adding
def rate_at(step, steps, low, high):
    return low + (high - low) * step / steps


# %% tags=["wrong"]
# hint: at the last step the rate is high
def rate_at(step, steps, low, high):
    return low * 10 ** (step / steps)


# %% tags=["wrong"]
# hint: at the last step the rate is high
def rate_at(step, steps, low, high):
    return low * (high / low) ** step


# %% tags=["right"]
def rate_at(step, steps, low, high):
    return math.exp(math.log(low) + (math.log(high) - math.log(low)) * step / steps)


# %% name="rate_at" tags=["exercise"]
def rate_at(step, steps, low, high):
    """The rate at `step` (0 to steps), growing by one factor from `low` to `high`."""
    # BEGIN SOLUTION
    return low * (high / low) ** (step / steps)
    # END SOLUTION


# %% tags=["check"]
check_rate_at(rate_at)

# %% [markdown]
# ignite's `FastaiLRFinder` does just this. It is attached for one run only, and afterwards puts model and
# optimiser back to where they were (`to_save`).

# %%
model, optimizer, trainer, evaluator, batches = prepare(train)
finder = FastaiLRFinder()
with finder.attach(trainer, to_save={"model": model, "optimizer": optimizer}, start_lr=1e-5, end_lr=3.0,
                   num_iter=lessons.budget(120, 20), smooth_f=0.1,
                   output_transform=lambda output: output["loss"]) as finding:
    finding.run(batches, max_epochs=lessons.budget(4, 6))
sweep = finder.get_results()
fig, ax = plt.subplots(figsize=(6.4, 3.4))
ax.semilogx(sweep["lr"], sweep["loss"], color="#0072B2")
ax.set(xlabel="learning rate", ylabel="loss (smoothed)", ylim=(0.4, 1.1), title="Flat, falling, exploding")
plt.show()

# %% [markdown]
# ### Exercise 8: choose a rate (2 min, easy)
#
# Read a good learning rate off the figure: where the loss falls, to the left of the lowest point. (At the
# lowest point itself the rate may already be too large. The curve is bumpy, since each of its points comes
# from a few batches: only its rough shape counts.) One digit is enough.

# %% tags=["wrong"]
# hint: to the right of the lowest point
chosen_rate = 10.0

# %% tags=["wrong"]
# hint: very slowly
chosen_rate = 1e-7

# %% tags=["right"]
chosen_rate = 10**-2.8

# %% name="chosen_rate" tags=["exercise"]
chosen_rate = 1e-3  # SOLUTION

# %% tags=["check"]
check_chosen_rate(chosen_rate, sweep["lr"], sweep["loss"])

# %% [markdown]
# ### Does it hold?
#
# From here on we compare *whole trainings*. The function `run` makes one, with the package's `training.fit`:
# the engine, the handlers and the schedule of this lesson in one call. Everything that is random (first
# weights, order of the patches, dropout, augmentation) comes from `seed`.

# %%
PLAIN = {"epochs": lessons.budget(5, 1), "batch_size": 64, "optimizer": "adamw", "lr": 3e-3,
         "weight_decay": 0.0, "augment": False, "noise": 0.0, "ema": None, "amp": "off"}


def run(seed=0, patches=train, batch_norm=False, dropout=0.0, **changes):
    """Train a fresh small_net with PLAIN and the changes; returns its History."""
    torch.manual_seed(seed)
    model = small_net(batch_norm=batch_norm, dropout=dropout)
    return training.fit(model, patches, val, seed=seed, progress=False, **(PLAIN | changes))


def auc(history):
    return history["AUC"][-1]                                            # after the last epoch

# %% [markdown]
# Three rates: one from the flat left part, **yours**, and one from where the loss explodes.

# %%
yours = float(lessons.use(check_chosen_rate, chosen_rate, 3e-3))
curves = {f"lr = {lr:g}": run(lr=lr)["val_loss"] for lr in (1e-5, yours, 0.3)}
ax = drawings.bands(curves, "epoch", "validation loss", "A wrong rate wastes the training")
ax.axhline(math.log(2), color="#767676", linestyle=":")
plt.show()
print("lowest loss in the end:", min(curves, key=lambda name: curves[name][-1]))

# %% [markdown]
# **What to notice.** The rate in between wins. The dotted line at ln 2 = 0.69 is the loss of a
# network that says "fifty-fifty" to every patch. With the small rate the network has hardly left it. With the
# large one the first steps broke the network, and it did not recover.
#
# ## 5. SGD against Adam
#
# The optimiser decides how a gradient becomes a step.
#
# * **SGD** (stochastic gradient descent): step = rate × gradient.
# * **SGD with momentum**: like a heavy ball. The step follows a **velocity**, which keeps a part of its old
#   value.
# * **Adam**: momentum, and each weight's step is divided by the usual size of *its own* gradients. So all
#   weights move at about the same speed.
#
# ### Exercise 9: momentum (5 min, medium)
#
# Write one step: the new velocity is `momentum` times the old one plus the gradient; the weight then moves
# *down* by `lr` times the new velocity. Return both.

# %% tags=["wrong"]
# hint: downhill is minus
def momentum_step(weight, gradient, velocity, lr, momentum):
    velocity = momentum * velocity + gradient
    return weight + lr * velocity, velocity


# %% tags=["wrong"]
# hint: step 2 is plain SGD
def momentum_step(weight, gradient, velocity, lr, momentum):
    velocity = momentum * velocity + gradient
    return weight - lr * gradient, velocity


# %% tags=["wrong"]
# hint: return two things
def momentum_step(weight, gradient, velocity, lr, momentum):
    return weight - lr * (momentum * velocity + gradient)


# %% tags=["right"]
def momentum_step(weight, gradient, velocity, lr, momentum):
    velocity = momentum * velocity - lr * gradient                       # the rate is inside the velocity
    return weight + velocity, velocity


# %% name="momentum_step" tags=["exercise"]
def momentum_step(weight, gradient, velocity, lr, momentum):
    """One step of SGD with momentum: the new weight and the new velocity."""
    # BEGIN SOLUTION
    velocity = momentum * velocity + gradient
    return weight - lr * velocity, velocity
    # END SOLUTION


# %% tags=["check"]
check_momentum_step(momentum_step)

# %% [markdown]
# Three walks in a valley that is thirty times steeper across (up and down in the figure) than along. All
# three start at the same place and make 25 steps.

# %%
def walk(optimizer_class, steps=25, **options):
    """(steps + 1, 2): the places that an optimiser visits in the valley."""
    place = nn.Parameter(torch.tensor([-6.0, 1.0]))
    optimizer, path = optimizer_class([place], **options), [place.tolist()]
    for _ in range(steps):
        optimizer.zero_grad()
        ((place[0] ** 2 + 30 * place[1] ** 2) / 2).backward()
        optimizer.step()
        path.append(place.tolist())
    return path


paths = {"SGD": walk(torch.optim.SGD, lr=0.06),
         "SGD, momentum 0.8": walk(torch.optim.SGD, lr=0.03, momentum=0.8),
         "Adam": walk(torch.optim.Adam, lr=0.6)}
drawings.valley(paths, curvature=30)
plt.show()

# %% [markdown]
# **What to notice.** Plain SGD must take a small rate, or it would jump out across the valley; along the
# valley it then creeps. Momentum adds up the many small steps along. Adam walks straight at first, because
# both weights move equally fast, and then has to brake.
#
# Now on aircraft: each optimiser with five rates. (`adamw` is Adam with weight decay, see section 7; here the
# decay is 0.)

# %%
grids = {"sgd": (0.003, 0.01, 0.03, 0.1, 0.3), "adamw": (0.0003, 0.001, 0.003, 0.01, 0.03)}
scores = {"sgd": [], "adamw": []}
for name, rates in grids.items():
    for lr in rates:
        try:
            scores[name].append(auc(run(optimizer=name, lr=lr, epochs=lessons.budget(4, 1))))
        except InputError as error:                                      # the NaN stop of training.fit
            scores[name].append(0.5)                                     # a broken network guesses
            print(f"{name} with lr {lr}: {error}")

# %%
fig, ax = plt.subplots(figsize=(6.8, 3.8))
for name, colour, marker in (("sgd", "#0072B2", "o"), ("adamw", "#D55E00", "s")):
    best = lessons.expect(max(scores[name]), 0.88, 1.0, f"best AUC of {name}")
    ax.semilogx(grids[name], scores[name], color=colour, marker=marker, label=f"{name}: best {best:.3f}")
ax.set(xlabel="highest learning rate", ylabel="AUC on validation", ylim=(0.8, 0.95),
       title="Compare each at its best rate")
ax.legend()
lessons.expect(scores["adamw"][2] - scores["sgd"][0], 0.005, 0.3, "advantage of Adam with the rate 0.003")
plt.show()

# %% [markdown]
# **What to notice.** Each optimiser has its own good range: the rates of SGD (here with Nesterov momentum, a
# variant) are about ten times larger. A line that leaves the picture downwards belongs to a training that
# broke. At their best rates both are about equally good; so small a difference is noise (section 9). "Adam is
# better than SGD" is often only "I tried Adam's rate with SGD". So: **find the rate of each method before you
# compare methods.**
#
# **Question B (2 min).** A paper reports that its new optimiser beats SGD, both with rate 0.001. What do you
# ask?

# %% [markdown] tags=["solution"]
# **Answer B.** "What was the best rate for each, found with the same effort?" In the figure, 0.003 is too
# small for SGD and right for Adam. And: "Over how many seeds?", which is section 9.

# %% [markdown]
# ## 6. Batch size: how noisy is a gradient?
#
# A batch is a sample, so its gradient is an estimate of the gradient over all patches. Averages of *n*
# numbers scatter like 1/√n. Does that hold for a whole network? We measure the scatter of the gradient for
# batches of several sizes.

# %%
def gradients(model, size, repeats, rng):
    """(repeats, numbers): the gradient over each of some random batches of this size."""
    found = []
    for _ in range(repeats):
        index = rng.choice(len(train), size)
        images = loading.as_tensor(train.images[index], device).permute(0, 3, 1, 2)
        labels = torch.as_tensor(train.labels[index], dtype=torch.float32, device=device)
        model.zero_grad()
        binary_cross_entropy_with_logits(model(images), labels).backward()
        found.append(torch.cat([weights.grad.flatten() for weights in model.parameters()]))
    return torch.stack(found)


# %%
torch.manual_seed(0)
model = small_net().to(device)
sizes, rng, repeats = np.array([4, 16, 64, 256]), np.random.default_rng(0), lessons.budget(20, 4)
scatter = [gradients(model, size, repeats, rng).std(dim=0).norm().item() for size in sizes]
fig, ax = plt.subplots(figsize=(6.8, 3.6))
ax.loglog(sizes, scatter, "o", color="#0072B2", markersize=9, label="measured")
ax.loglog(sizes, scatter[0] * np.sqrt(sizes[0] / sizes), "--", color="#767676", label="falls like 1/√n")
ax.set(xlabel="batch size n", ylabel="scatter of the gradient", title="Larger batches, calmer gradients")
ax.legend()
lessons.expect(scatter[1] / scatter[2], 1.5, 2.7, "scatter with batches of 16 over that with 64")
plt.show()

# %% [markdown]
# **What to notice.** Four times the batch, about half the noise, four times the work. But an epoch then has
# only a quarter of the steps. What wins after four epochs?

# %%
reached = {}
print("batch   steps   lr       AUC on validation")
for size in lessons.budget((16, 64, 256), (16, 64)):
    for lr in sorted({3e-3, 3e-3 * size / 64}):
        history = run(batch_size=size, lr=lr, epochs=lessons.budget(4, 1))
        steps = len(train) // size * len(history)
        reached[size, lr] = auc(history)
        print(f"{size:5} {steps:7}   {lr:.4f}   {auc(history):.3f}")
best = {size: max(value for (batch, _), value in reached.items() if batch == size) for size, _ in reached}
_ = lessons.expect(max(best.values()) - best[max(best)], 0.0, 0.1, "what the largest batch loses")

# %% [markdown]
# **What to notice.** In the same number of epochs the largest batch makes only a sixteenth of the steps of
# the smallest, and does not get further. A common rule says: with calmer gradients larger steps are allowed,
# so multiply rate and batch size by the same factor. Compare the two rows of 16, and those of 256: as a
# *first guess* the rule is fine, as a law it is not. On a GPU a large batch is quicker, because many images
# are computed at the same time; on two CPU cores that gains little. Some differences here are small: do you
# believe them? Keep that for section 9.
#
# **Question C (2 min).** You change the batch size from 64 to 256 and nothing else. Name two things that
# change.

# %% [markdown] tags=["solution"]
# **Answer C.** The gradients get calmer (half the noise), and an epoch has a quarter of the steps, so the
# weights travel less far in the same number of epochs. (Batch norm also sees 256 instead of 64 patches for
# its means.)

# %% [markdown]
# ## 7. Dropout and weight decay against overfitting; batch norm for quick steps
#
# In section 2 the network learned few patches by heart. **Regularisation** is everything that makes this
# harder: dropout, weight decay, augmentation. Batch norm (exercise 11) is often named with them. Its purpose is
# another one, it lets a network learn in fewer steps; here you see what it does to overfitting.
#
# ### Exercise 10: dropout (6 min, medium)
#
# **Dropout** sets each number to 0 with the probability `share`, so that the network cannot rely on any
# single one. The survivors are divided by `1 - share`: then the mean stays the same. After training it does
# nothing.
#
# Use `torch.rand(x.shape, generator=generator)` for the chances.

# %% tags=["wrong"]
# hint: make the survivors larger
def dropout(x, share, training, generator):
    if not training:
        return x
    return x * (torch.rand(x.shape, generator=generator) >= share)


# %% tags=["wrong"]
# hint: the scale too
def dropout(x, share, training, generator):
    if not training:
        return x * (1 - share)
    return x * (torch.rand(x.shape, generator=generator) >= share) / (1 - share)


# %% tags=["wrong"]
# hint: share is what goes
def dropout(x, share, training, generator):
    if not training:
        return x
    return x * (torch.rand(x.shape, generator=generator) < share) / share


# %% tags=["right"]
def dropout(x, share, training, generator):
    kept = (torch.rand(x.shape, generator=generator) > share).float()
    return torch.where(kept == 1, x / (1 - share), 0.0) if training else x.clone()


# %% name="dropout" tags=["exercise"]
def dropout(x, share, training, generator):
    """x with the given share of its numbers set to 0 and the rest made larger; x itself when not training."""
    # BEGIN SOLUTION
    if not training:
        return x
    kept = torch.rand(x.shape, generator=generator) >= share
    return x * kept / (1 - share)
    # END SOLUTION


# %% tags=["check"]
check_dropout(dropout)

# %% [markdown]
# ### Exercise 11: batch norm (6 min, medium, optional)
#
# **Batch norm** brings each channel to mean 0 and spread 1, over the batch and all pixels. (Afterwards the
# layer multiplies and adds two learned numbers for each channel; we leave that out.) Training becomes quicker
# and less sensitive to the rate.
#
# `x` has the shape `(n, c, h, w)`. Subtract each channel's mean, divide by the root of its variance
# (`unbiased=False`) plus a tiny `eps`.

# %% tags=["wrong"]
# hint: mean for every pixel place
def batch_norm(x, eps=1e-5):
    return (x - x.mean(dim=0)) / torch.sqrt(x.var(dim=0, unbiased=False) + eps)


# %% tags=["wrong"]
# hint: each channel needs its own
def batch_norm(x, eps=1e-5):
    return (x - x.mean()) / torch.sqrt(x.var(unbiased=False) + eps)


# %% tags=["wrong"]
# hint: divide by the root
def batch_norm(x, eps=1e-5):
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    return (x - mean) / (x.var(dim=(0, 2, 3), unbiased=False, keepdim=True) + eps)


# %% tags=["right"]
def batch_norm(x, eps=1e-5):
    channels = x.transpose(0, 1).flatten(1)                              # (c, n * h * w)
    means, stds = channels.mean(1), channels.std(1, unbiased=False)
    return (x - means.view(1, -1, 1, 1)) / (stds.view(1, -1, 1, 1) + eps)


# %% name="batch_norm" tags=["exercise"]
def batch_norm(x, eps=1e-5):
    """(n, c, h, w) with mean 0 and spread 1 in each channel."""
    # BEGIN SOLUTION
    mean = x.mean(dim=(0, 2, 3), keepdim=True)                           # (1, c, 1, 1)
    var = x.var(dim=(0, 2, 3), unbiased=False, keepdim=True)
    return (x - mean) / torch.sqrt(var + eps)
    # END SOLUTION


# %% tags=["check"]
check_batch_norm(batch_norm)

# %% [markdown]
# In evaluation mode batch norm uses running means from training, because a single image has no batch. That is
# why `model.train()` and `model.eval()` matter.
#
# **Weight decay** is the simplest of the three: in each step every weight shrinks by the factor
# `1 - lr * weight_decay`. Weights that the loss does not defend fade away.
#
# Which one helps on 500 patches? Three seeds each.

# %%
plain = {"patches": few, "epochs": lessons.budget(15, 1)}
recipes = {
    "nothing": plain,
    "dropout 0.5": plain | {"dropout": 0.5},
    "weight decay 1": plain | {"weight_decay": 1.0},
    "batch norm": plain | {"batch_norm": True},
}
seeds = range(lessons.budget(3, 2))
histories = {name: [run(seed=seed, **recipe) for seed in seeds] for name, recipe in recipes.items()}
print("recipe              loss: training  validation   AUC: mean  spread")
for name, found in histories.items():
    loss, val_loss = (np.mean([history[key][-1] for history in found]) for key in ("loss", "val_loss"))
    scores = np.array([auc(history) for history in found])
    assert lessons.is_fast() or loss < val_loss, "the text says that training looks better than validation"
    print(f"{name:18} {loss:15.3f} {val_loss:11.3f} {scores.mean():12.3f} {scores.std(ddof=1):7.3f}")

# %%
drawings.groups({name: [auc(history) for history in found] for name, found in histories.items()},
                "AUC on validation", f"{len(few)} patches: each dot is a training")
plt.show()

# %% [markdown]
# **What to notice.** In the figure each dot is one training, the diamond is the mean, the bar one standard
# deviation to each side. In the table compare the two losses in a row: the further apart, the more was
# learned by heart. (With dropout the training loss is measured while numbers are being dropped, so it looks
# worse than the network is.) In every row validation stays behind training. Batch norm is a special case: it
# makes training quicker, so its training loss falls lowest, and yet its AUC does not suffer. Which of the
# three helped? Compare the distances of the diamonds with the bars; section 9 makes a rule of it. What would
# help more? More patches, or the next best thing.
#
# ## 8. Augmentation: more patches from those you have
#
# Seen from above, an aircraft has no top and bottom: a turned or mirrored patch is as true as the original,
# and costs nothing. **Augmentation** draws a new variant of each patch in each epoch.
#
# ### Exercise 12: eight views of a patch (5 min, medium)
#
# A square has eight symmetries: four turns by 90 degrees, each with or without a mirror. Return the eight
# views of an image `(h, w, 3)`. Useful: `np.rot90(image, turns)` and `image[:, ::-1]`.

# %% tags=["wrong"]
# hint: of the eight views differ
def eight_views(image):
    mirrored = [image, image[:, ::-1], image[::-1], image[::-1, ::-1]]
    return mirrored + [np.rot90(view, 2) for view in mirrored]


# %% tags=["wrong"]
# hint: eight views are wanted
def eight_views(image):
    return [np.rot90(image, turns) for turns in range(4)]


# %% tags=["wrong"]
# hint: red, green and blue changed places
def eight_views(image):
    return [np.rot90(view, turns) for view in (image, image[:, :, ::-1]) for turns in range(4)]


# %% tags=["right"]
def eight_views(image):
    mirrored = [image, image[:, ::-1], image[::-1], image[::-1, ::-1]]
    return mirrored + [view.transpose(1, 0, 2) for view in mirrored]


# %% name="eight_views" tags=["exercise"]
def eight_views(image):
    """A list of the eight symmetries of a square image (h, w, 3)."""
    # BEGIN SOLUTION
    return [np.rot90(view, turns) for view in (image, image[:, ::-1]) for turns in range(4)]
    # END SOLUTION


# %% tags=["check"]
check_eight_views(eight_views)

# %%
views_of = lessons.use(check_eight_views, eight_views, package.eight_views)
views = np.stack(views_of(train.images[np.flatnonzero(train.labels)[0]]))
plotting.patch_grid(views, title="Eight views of one patch, eight times the same label")
plt.show()

# %% [markdown]
# `loading.augment` draws one of the eight for each patch, and also a contrast, a brightness and a tint, as if
# the sun stood elsewhere. The first row shows patches as they are; each row below is what another epoch would
# see.

# %%
some = np.flatnonzero(train.labels)[:8]
original = torch.from_numpy(train.images[some]).permute(0, 3, 1, 2)      # (8, 3, 64, 64) uint8
generator = torch.Generator().manual_seed(0)
rounds = [original] + [(loading.augment(original, generator) * 255).byte() for _ in range(3)]
plotting.patch_grid(torch.cat(rounds).permute(0, 2, 3, 1).numpy(), title="As they are, and in three epochs")
plt.gcf().set_size_inches(7.6, 4.2)
plt.show()

# %% [markdown]
# **Question D (3 min).** A patch is labelled 1 if and only if an aircraft's centre lies in its central 32 ×
# 32. Which of these may be used as augmentation without changing the label? (a) shift by 20 pixels, (b)
# mirror, (c) enlarge twofold, (d) a little noise, (e) turn by 45 degrees.

# %% [markdown] tags=["solution"]
# **Answer D.** (b) and (d) for sure. (a) can push the centre over the border, so the label would be wrong.
# (c) keeps a centre in the middle of the patch near the middle, but moves others across the border, and shows
# aircraft of a size that does not exist. (e) turns the square of the rule, so centres near its corners change
# sides; besides, the corners of the patch would be empty. A small turn (5 degrees) would do little harm.

# %% [markdown]
# Measured, on the same 500 patches, with three seeds.

# %%
longer = {"patches": few, "epochs": lessons.budget(30, 1)}
histories = {"as they are": [run(seed=seed, **longer) for seed in seeds],
             "augmented": [run(seed=seed, augment=True, **longer) for seed in seeds]}
fig, axes = plt.subplots(1, 2, figsize=(9.6, 3.8))
titles = {"loss": "Training: harder", "val_loss": "Validation: better"}
for ax, (key, title) in zip(axes, titles.items(), strict=True):
    curves = {name: [history[key] for history in found] for name, found in histories.items()}
    drawings.bands(curves, "epoch", "loss", title, ax=ax)
    ax.set(ylim=(0, 0.9))
plt.show()
rise = np.mean([one["val_loss"][-1] - two["val_loss"][-1] for one, two in zip(*histories.values(), strict=True)])
lessons.expect(rise, 0.05, 1, "what augmentation takes off the validation loss")
for name, found in histories.items():
    print(f"{name:12} AUC on validation {np.mean([auc(history) for history in found]):.3f}")

# %% [markdown]
# **What to notice.** The band goes from the lowest to the highest of the three seeds. With augmentation the
# training loss is *higher*: the task is harder, no patch comes twice. The validation loss does not turn up
# any more. No other tool of this lesson keeps the two losses so close together, and it can be combined with
# the others.
#
# ## 9. What is noise?
#
# Tables above showed differences of 0.01. Are they real? Train the *same* settings with several seeds.

# %%
repeats = lessons.budget(8, 2)
reference = np.array([auc(run(seed=seed, batch_norm=True)) for seed in range(repeats)])
drawings.groups({"same settings": reference}, "AUC on validation", f"{repeats} seeds, nothing else changed")
plt.show()
lessons.expect(reference.std(ddof=1), 0.001, 0.03, "spread over seeds")
print(f"mean {reference.mean():.4f}   spread (std) {reference.std(ddof=1):.4f}   "
      f"lowest {reference.min():.3f}   highest {reference.max():.3f}")

# %% [markdown]
# **What to notice.** Nothing was changed but the seed, and still the best and the worst run differ. Had the
# best run been "a new idea" and the worst one "the old method", you might have written a paper about it.
#
# The mean of *n* runs is uncertain by about spread / √n: the **standard error**. A difference of two means is
# worth talking about when it is larger than about **twice its own uncertainty**.
#
# ### Exercise 13: compare two settings (6 min, medium)
#
# Given the scores of two settings, return two numbers: the difference of the means (a minus b) and its
# uncertainty √(s_a² / n_a + s_b² / n_b). Here s is the standard deviation over the runs (`ddof=1`: with few
# runs, divide by n − 1) and n the number of runs.

# %% tags=["wrong"]
# hint: a mean over n runs is surer
def compare(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.mean() - b.mean(), np.sqrt(a.var(ddof=1) + b.var(ddof=1))


# %% tags=["wrong"]
# hint: divide by n - 1
def compare(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.mean() - b.mean(), np.sqrt(a.var() / len(a) + b.var() / len(b))


# %% tags=["wrong"]
# hint: add the squares
def compare(a, b):
    a, b = np.asarray(a), np.asarray(b)
    return a.mean() - b.mean(), a.std(ddof=1) / np.sqrt(len(a)) + b.std(ddof=1) / np.sqrt(len(b))


# %% tags=["right"]
def compare(a, b):
    errors = [np.std(values, ddof=1) / math.sqrt(len(values)) for values in (a, b)]
    return float(np.mean(a) - np.mean(b)), math.hypot(*errors)


# %% name="compare" tags=["exercise"]
def compare(a, b):
    """The difference of the means, a minus b, and its uncertainty."""
    a, b = np.asarray(a), np.asarray(b)
    # BEGIN SOLUTION
    uncertainty = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    return a.mean() - b.mean(), uncertainty
    # END SOLUTION


# %% tags=["check"]
check_compare(compare)

# %% [markdown]
# ### Exercise 14: draw settings for a search (5 min, medium, optional)
#
# A **hyperparameter search** tries many settings. A *random* search is simple and hard to beat: draw each
# setting anew for every try.
#
# Return a dict with `lr` from 0.0001 to 0.1, evenly on a *logarithmic* scale (`10 ** rng.uniform(low, high)`
# with the right exponents), and `dropout`, evenly from 0 to 0.5.

# %% tags=["wrong"]
# hint: draw the exponent
def draw_settings(rng):
    return {"lr": rng.uniform(1e-4, 1e-1), "dropout": rng.uniform(0, 0.5)}


# %% tags=["wrong"]
# hint: from 0 to 0.5
def draw_settings(rng):
    return {"lr": 10 ** rng.uniform(-4, -1), "dropout": rng.uniform(0, 5)}


# %% tags=["wrong"]
# hint: draw with the generator
def draw_settings(rng):
    return {"lr": 10**-2.5, "dropout": 0.25}


# %% tags=["wrong"]
# hint: global random numbers
def draw_settings(rng):
    return {"lr": 10 ** rng.uniform(-4, -1), "dropout": np.random.uniform(0, 0.5)}  # noqa: NPY002


# %% tags=["right"]
def draw_settings(rng):
    lr = math.exp(rng.uniform(math.log(1e-4), math.log(1e-1)))
    return {"dropout": float(rng.choice([0.0, 0.1, 0.2, 0.3, 0.4, 0.5])), "lr": lr}


# %% name="draw_settings" tags=["exercise"]
def draw_settings(rng):
    """Random settings for one try: {"lr": ..., "dropout": ...}."""
    # BEGIN SOLUTION
    return {"lr": 10 ** rng.uniform(-4, -1), "dropout": rng.uniform(0, 0.5)}
    # END SOLUTION


# %% tags=["check"]
check_draw_settings(draw_settings)

# %% [markdown]
# ### The search
#
# Eight tries, each with three seeds, with augmentation. To
# save time each training is short, which is a choice: a longer one may prefer other settings.

# %%
rng = np.random.default_rng(5)
short = {"epochs": lessons.budget(4, 1), "augment": True, "batch_norm": True}
tries, results = {}, {}
draw = lessons.use(check_draw_settings, draw_settings, package.draw_settings)
for _ in range(lessons.budget(8, 2)):
    settings = draw(rng)
    name = f"lr {settings['lr']:.4f}, dropout {settings['dropout']:.2f}"
    tries[name] = settings
    runs = [run(seed=seed, **settings, **short) for seed in range(lessons.budget(3, 2))]
    results[name] = np.array([auc(history) for history in runs])
ranked = dict(sorted(results.items(), key=lambda item: -item[1].mean()))
drawings.groups(ranked, "AUC on validation", "Random search: three seeds for each try")
plt.show()

# %% [markdown]
# Now the honest question: which of them are worse than the winner by more than noise?

# %%
def verdict(difference, uncertainty):
    return "clearly worse" if difference > 2 * uncertainty else "cannot be told from the winner"


difference_of = lessons.use(check_compare, compare, package.compare)
winner, verdicts = next(iter(ranked)), {}
for name, scores in ranked.items():
    difference, uncertainty = difference_of(ranked[winner], scores)
    verdicts[name] = "the winner" if name == winner else verdict(difference, uncertainty)
    print(f"{name:24} {scores.mean():.3f} ± {scores.std(ddof=1):.3f}   {verdicts[name]}")
_ = lessons.expect(list(verdicts.values()).count("clearly worse"), 0, 7, "tries that are clearly worse")

# %% [markdown]
# **What to notice.** The search finds the *range* of good settings; bad ones, where they were drawn, go. It does
# **not** tell which of the good ones is best: for that, three seeds are too few. (With three runs the spread
# itself is a rough guess, too.)
#
# ### Was the winner lucky?
#
# The winner of a search may be good, or its seeds may have been lucky; mostly it is a little of both. Train it
# again with *fresh* seeds.

# %%
new_seeds = range(100, 100 + lessons.budget(6, 2))
fresh = np.array([auc(run(seed=seed, **tries[winner], **short)) for seed in new_seeds])
drawings.groups({"in the search": ranked[winner], "fresh seeds": fresh}, "AUC on validation", winner)
plt.show()
print(f"in the search {ranked[winner].mean():.4f}, with fresh seeds {fresh.mean():.4f}")

# %% [markdown]
# That single case may go either way. So repeat it in thought: give many *equal* settings to a search, with
# the spread that you measured above, and always report the winner. No training is needed for that.

# %%
rng = np.random.default_rng(0)
spread = reference.std(ddof=1)
searches = rng.normal(reference.mean(), spread / np.sqrt(3), size=(5000, 8))
gain = (searches.max(axis=1) - reference.mean()) / spread
fig, ax = plt.subplots(figsize=(6.8, 3.2))
ax.hist(gain, bins=40, color="#56B4E9", edgecolor="white")
ax.axvline(0, color="#000000", linewidth=2, label="the truth: all eight are equal")
ax.axvline(gain.mean(), color="#D55E00", linestyle="--", linewidth=2, label="the winner, on average")
ax.set(xlabel="reported gain (in spreads over seeds)", ylabel="searches",
       title="The best of eight equal settings looks better")
ax.legend()
plt.show()
lessons.expect(gain.mean(), 0.7, 0.95, "gain of the winner")
print(f"reported gain, on average: {gain.mean():.2f} spreads; above zero: {(gain > 0).mean():.1%} of searches")

# %% [markdown]
# **What to notice.** Eight *equal* settings, and nearly every search reports a gain. The more you try, the
# larger it gets. Therefore: choose on validation, then report on fresh seeds and on the **test set, which
# nobody has looked at** while choosing. (We do not touch it in this lesson.)
#
# **Question E (3 min).** Besides the seed there is a second source of noise: our validation set has only some
# hundred patches from a few sites. Would more seeds help against that?

# %% [markdown] tags=["solution"]
# **Answer E.** No. All seeds are judged by the same patches: if these happen to be easy, all runs look good.
# Only more patches, from more *sites*, help. With n patches and accuracy p the uncertainty is about √(p (1 −
# p) / n): for 520 patches and 0.87 that is 0.015, and more, since patches of one site resemble each other.
# Lesson 5 draws such intervals by resampling whole sites.

# %% [markdown]
# ## 10. What `fit` does on top
#
# Two lines of the table in lesson 3, section 8, are still open. Both are handlers or optimisers like those
# above, and both can be switched off, so they can be measured.
#
# * **A moving average of the weights** (`ema=`). After each step the average moves a little towards the new weights:
#   `average = 0.99 * average + 0.01 * weights`. Validation judges the average. It shakes less than the weights, whose
#   last steps depend on the last few batches.
# * **Muon** (`optimizer="muon"`). A gradient step changes a layer mostly in the few directions that the loss feels
#   most. Muon makes all directions equally long, so that rare ones are learned as well. That costs a few products of
#   matrices for each layer and step. Biases and the last layer stay with AdamW.
#
# Three recipes, the same rate, four seeds each. Which difference is larger than twice its uncertainty?

# %%
extra_seeds = range(lessons.budget(4, 2))
recipes = {"AdamW": {}, "AdamW, average": {"ema": 0.99}, "Muon, average": {"ema": 0.99, "optimizer": "muon"}}
histories = {name: [run(seed=seed, **recipe) for seed in extra_seeds] for name, recipe in recipes.items()}
reached = {name: np.array([auc(history) for history in found]) for name, found in histories.items()}
seconds = {name: np.median([history["seconds"] for history in found]) for name, found in histories.items()}
print("recipe            AUC: mean  spread   time of an epoch, AdamW = 1")
for name, scores in reached.items():
    cost = seconds[name] / seconds["AdamW"]
    print(f"{name:16} {scores.mean():10.3f} {scores.std(ddof=1):7.3f}   {cost:27.1f}")
for one, other in (("AdamW, average", "AdamW"), ("Muon, average", "AdamW, average")):
    difference, uncertainty = difference_of(reached[one], reached[other])
    print(f"{one} less {other}: {difference:+.3f}, uncertainty {uncertainty:.3f}")
drawings.groups(reached, "AUC on validation", "What the average and Muon bring")
plt.show()

# %% [markdown]
# **What to notice.** Read the two last lines with the rule of exercise 13, and the last column beside them: an
# improvement has a price. All trainings here are short and the network is small; the ranking may be another one for a
# long training. That is why it is printed with its uncertainty, and why the rate of each should be searched first
# (section 5; here all share one).

# %% [markdown]
# ## What you learned
#
# * An engine owns the loops; handlers listen to events: validation, early stopping, checkpoint, schedule, NaN
#   stop, TensorBoard.
# * The learning rate comes first: find its range with one short run, for each optimiser anew.
# * Batch size trades noise of the gradient against number of steps; when you change it, look for the rate
#   again.
# * Dropout, weight decay and augmentation act against learning by heart; augmentation must respect the label
#   rule. Batch norm makes training quicker.
# * One run is an anecdote. Report mean and spread over seeds, compare differences with their uncertainty, and
#   distrust the winner of a search.
#
# ## How to go on
#
# * Read `loop.py` and `engines.py` in `src/aircraft/training`: this lesson in about 500 lines.
# * Repeat section 5 with `seed=1` and `seed=2`. Which of its conclusions survive?
# * Train a larger network, `model = models.build("patch_net")`, with the package's own settings
#   (`training.fit(model, train, val)`), and see how far it gets beyond `small_net`.
# * Lesson 5: aircraft become rare, and the AUC begins to flatter.
#
# ## Quiz
#
# The answers are in the solution notebook, `solutions/04_training_toolbox.ipynb`, at the same place.
#
# 1. A handler should run after each batch. Which event? (a) `EPOCH_STARTED` (b) `ITERATION_COMPLETED` (c)
#    `COMPLETED` (d) `STARTED`
# 2. The training loss falls, the validation loss rises. What happens, and name two tools against it.
# 3. In the curve of the learning-rate finder, where do you choose? (a) at the far left (b) in the steep fall
#    (c) at the lowest point (d) where it explodes
# 4. You divide the batch size by four. The noise of a gradient (a) stays (b) doubles (c) grows fourfold (d)
#    halves
# 5. Setting A: 0.931 ± 0.008 over 4 seeds; setting B: 0.925 ± 0.009 over 4 seeds. Is A better?

# %% [markdown] tags=["solution"]
# **Answers.** 1 b. 2 Overfitting; augmentation, more data, early stopping, dropout, weight decay. 3 b. 4 b
# (it falls like 1/√n). 5 Nobody knows: the difference is 0.006, its uncertainty √(0.008²/4 + 0.009²/4) =
# 0.006, far from twice. More seeds are needed.
#
# **For the teacher.** The plan in `TEACHING.md` gives this lesson as homework; exercises 11 and 14 are optional.
# Usual stumbling blocks: an event of a batch against one of an epoch (exercises 1 and 3); old gradients that are
# added to new ones (exercise 2); a small difference between two means taken for a result (exercise 13). Good to
# discuss together: questions B and E, and then: which claims in the papers you know come with a spread?
