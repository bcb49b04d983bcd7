"""Checks of lesson 4, the training toolbox: engines and handlers, rates, optimisers, regularisation, noise.

An assert message is the hint for that mistake; students see it, so it never holds the bare answer.
"""

import copy
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from ignite.engine import Engine, Events
from ignite.handlers import EarlyStopping
from numpy.typing import ArrayLike
from torch import Tensor, nn
from torch.nn import functional

from aircraft_course.checks.answers import number, numbers, parts, told
from aircraft_course.checks.core import exercise
from aircraft_course.checks.reference import agree

Batch = tuple[Tensor, Tensor, Tensor]
LR = 0.5  # of the tiny trainings here: large, so that a forgotten step shows


@exercise(
    hints=(
        "It is the inside of your loop of lesson 3, in the same order: training mode, logits, loss, "
        "gradients to zero, backward, step.",
        "model.train(); value = loss_function(model(images), labels); optimizer.zero_grad(); "
        "value.backward(); optimizer.step(); and return value.item().",
    )
)
def check_create_trainer(create_trainer: Callable[[nn.Module, torch.optim.Optimizer], Engine]) -> None:
    batches = [_batch(number) for number in range(3)]
    model = _tiny()
    trusted, once = copy.deepcopy(model), copy.deepcopy(model)
    start = _weights(model)
    modes: list[bool] = []
    model.register_forward_pre_hook(lambda module, _: modes.append(module.training))
    engine = create_trainer(model, torch.optim.SGD(model.parameters(), lr=LR))
    assert isinstance(engine, Engine), f"return the Engine; this is {told(engine)}"
    model.eval()
    _run(engine, batches[:1])
    assert not torch.equal(_weights(model), start), (
        "after one batch no weight has moved: backward() only computes gradients; who uses them?"
    )
    _train(once, batches[:1])
    assert not _same(model, _train(copy.deepcopy(trusted), batches[:1], sigmoid=True)), (
        "binary_cross_entropy_with_logits has the sigmoid inside: give it the logits as they come "
        "from the model"
    )
    assert _same(model, once), (
        "after one batch the weights are not those of one step of SGD; is it the loss of these "
        "images and labels?"
    )
    _run(engine, batches[1:])
    _train(trusted, batches)
    assert _same(model, trusted), (
        "the first batch is right, the later ones are not: PyTorch adds new gradients to the old ones; "
        "what must happen before backward()?"
    )
    assert model.training, (
        "the model was in evaluation mode and stayed in it: dropout and batch norm would sleep"
    )
    assert all(modes), (
        "the model was still in evaluation mode when it saw the images: model.train() comes first"
    )
    output = engine.state.output
    assert output is not None, "the step returns nothing; handlers want to know the loss of the batch"
    assert not isinstance(output, Tensor) or not output.requires_grad, (
        "the loss that you return still holds the graph of its batch in memory; return a plain number"
    )
    with torch.no_grad():
        before_last = _loss(_train(_tiny(), batches[:2]), batches[2])
    told_loss = number(output, "what the step returns", "the loss of the batch is asked for, a plain number")
    assert np.isclose(told_loss, float(before_last), atol=1e-4), (
        f"the last batch's loss is {float(before_last):.4f}, your step returned {told_loss:.4f}"
    )


@exercise(
    hints=(
        "Look at the time line above: the picture has 2 epochs of 3 batches. Count the boxes of each row.",
        "STARTED and COMPLETED: once a run. EPOCH_...: once an epoch. ITERATION_...: once a batch, so epochs "
        "times batches.",
    )
)
def check_events(started: Any, epochs_completed: Any, iterations_completed: Any) -> None:
    seen = {"STARTED": 0, "EPOCH_COMPLETED": 0, "ITERATION_COMPLETED": 0}
    engine = Engine(lambda engine, batch: None)
    for name in seen:
        engine.add_event_handler(
            Events[name], lambda engine, name=name: seen.__setitem__(name, seen[name] + 1)
        )
    _run(engine, [0] * 10, epochs=4)
    said = {
        "STARTED": started,
        "EPOCH_COMPLETED": epochs_completed,
        "ITERATION_COMPLETED": iterations_completed,
    }
    where = {"STARTED": "a run", "EPOCH_COMPLETED": "an epoch", "ITERATION_COMPLETED": "a batch"}
    for name, answer in said.items():
        count = number(answer, name, "a number is asked for: how often does it fire?")
        assert count == seen[name], (
            f"{name} does not fire {count} times: it fires once {where[name]}; how many of these are there?"
        )


@exercise(
    hints=(
        "Write a function inside, and hand it to the trainer with @trainer.on(...). Which event ends "
        "an epoch?",
        "@trainer.on(Events.EPOCH_COMPLETED), then in the function evaluator.run(val_batches) and "
        "rows.append(dict(evaluator.state.metrics)).",
    )
)
def check_attach_validation(attach_validation: Callable[[Engine, Engine, Any], list]) -> None:
    judged: list[int] = []
    trained: list[int] = []  # batches of the trainer before each run of the evaluator
    trainer, evaluator = Engine(lambda engine, batch: 0.0), Engine(lambda engine, batch: judged.append(batch))
    evaluator.add_event_handler(Events.STARTED, lambda: trained.append(trainer.state.iteration))
    evaluator.add_event_handler(
        Events.COMPLETED, lambda engine: engine.state.metrics.update(loss=1 / len(judged), AUC=0.5)
    )
    rows = attach_validation(trainer, evaluator, [7, 8])
    assert isinstance(rows, list), f"return the list of rows; this is {told(rows)}"
    assert not judged, "the evaluator ran before the training began: put evaluator.run inside a handler"
    _run(trainer, [0] * 5, epochs=3)
    runs = len(judged) // 2
    assert runs != 15, "the evaluator ran after every batch (15 times); once an epoch is enough, and quicker"
    assert runs != 1, "the evaluator ran once in 3 epochs; which event fires at the end of each epoch?"
    assert runs == 3, f"in 3 epochs of 5 batches the evaluator ran {runs} times, not after every epoch"
    assert trained == [5, 10, 15], (
        f"the evaluator ran when {trained[0]} batches of the first epoch were done, not at its end"
    )
    assert judged == [7, 8] * 3, "the evaluator must run over val_batches"
    assert len(rows) == 3, f"after 3 epochs the list has {len(rows)} rows; append one in the handler"
    other = next((row for row in rows if not isinstance(row, dict) or set(row) != {"loss", "AUC"}), None)
    assert other is None, (
        f"a row is a copy of the dict evaluator.state.metrics, with all that is in it, not {other}"
    )
    found = [number(row["loss"], "the loss in a row") for row in rows]
    assert len(set(found)) == 3, (
        "all rows show the same numbers: the list holds the evaluator's one dict three times; keep a "
        "copy of it"
    )
    assert np.allclose(found, [1 / 2, 1 / 4, 1 / 6]), (
        f"the validation losses should come in order; got {found}"
    )


@exercise(
    hints=(
        "The handlers keep the run with the highest number. Is a high validation loss good?",
        "The loss is evaluator.state.metrics['loss']; turn its order around with a minus sign.",
    )
)
def check_score_function(score_function: Callable[[Any], float]) -> None:
    def judged(loss: float) -> Engine:
        evaluator = Engine(lambda engine, batch: None)
        evaluator.state.metrics = {"loss": loss, "AP": 0.7, "AUC": 0.8}
        return evaluator

    losses = [0.9, 0.6, 0.5, 0.55, 0.7, 0.8, 0.4, 0.3]
    scores = [score_function(judged(loss)) for loss in losses]
    assert all(score is not None for score in scores), "the function returns None: the word return is missing"
    scores = [number(score, "the score", "one number is asked for") for score in scores]
    assert len(set(scores)) > 1, "the score is the same for every loss; read metrics['loss']"
    assert scores[0] < scores[1], (
        "a validation loss of 0.9 gets a higher score than 0.6: the handler would keep the worst weights; "
        "high must mean good"
    )
    assert np.array_equal(np.argsort(scores), np.argsort(losses)[::-1]), "the lowest loss must score highest"
    agree(
        lambda losses: np.argsort([number(score_function(judged(loss)), "the score") for loss in losses]),
        lambda losses: np.argsort(losses)[::-1],
        lambda rng, size: (
            (0.5 + rng.permutation(1 + size) * float(rng.choice([1e-4, 0.003, 0.1, 2]))).tolist(),
        ),
        name="the order of the scores, from the worst, for evaluators with these losses: score_function",
    )
    assert _stops_at(score_function, judged, losses) == 5, "with patience 2 this should stop after epoch 5"


@exercise(
    hints=(
        "Three corners: (0, low), (end of the warm-up, peak), (steps, end). The second one is a share of all "
        "steps.",
        "[(0, peak / 25), (round(warmup * steps), peak), (steps, peak / 1000)]",
    )
)
def check_one_cycle(one_cycle: Callable[[int, float, float], Sequence[tuple[int, float]]]) -> None:
    for steps, peak, warmup in ((100, 0.01, 0.3), (250, 1.0, 0.1)):
        corners = _corners(one_cycle(steps, peak, warmup))
        assert len(corners) >= 3, f"three corners make a rise and a fall; these are {len(corners)}"
        places = [place for place, _ in corners]
        assert all(float(place).is_integer() for place in places), (
            f"a corner at step {places[1]}: steps are whole numbers, and warmup is a share of them"
        )
        assert places == sorted(places), f"the corners must come in order of time; the steps are {places}"
        top = max(corners, key=lambda corner: corner[1])
        assert np.isclose(top[1], peak), f"the highest rate is {top[1]:g}, it should be the peak, {peak:g}"
        assert top[0] == round(warmup * steps), (
            f"the peak comes at step {top[0]}; with warmup={warmup} the rate rises for that share of "
            f"{steps} steps"
        )
        assert (places[0], places[-1]) == (0, steps), (
            f"from step 0 to step {steps}, not {places[0]} to {places[-1]}"
        )
        assert np.isclose(corners[0][1], peak / 25), (
            f"it starts at a 25th of the peak, not at {corners[0][1]:g}"
        )
        assert np.isclose(corners[-1][1], peak / 1000), (
            f"it ends at a 1000th of the peak, not at {corners[-1][1]:g}"
        )
        assert len(corners) == 3, f"three corners are asked for; these are {len(corners)}"
        assert all(isinstance(place, int) for place in places), (
            f"corners at the steps {places}: PiecewiseLinear wants whole numbers without a point; round(...) "
            "gives one"
        )
    agree(
        one_cycle,
        lambda steps, peak, warmup: [(0, peak / 25), (round(warmup * steps), peak), (steps, peak / 1000)],
        _draw_cycle,
        form=_corners,
        within=1e-6,
    )


@exercise(
    hints=(
        "How wrong is a score? For an aircraft (label 1) a score of 0.1 is bad, for background it is good: "
        "look at the distance to the label.",
        "error = np.abs(labels - scores), then np.argsort(-error)[:count].",
    )
)
def check_worst_patches(worst_patches: Callable[[ArrayLike, ArrayLike, int], ArrayLike]) -> None:
    labels, scores = np.array([1, 1, 0, 0, 1, 0]), np.array([0.9, 0.05, 0.2, 0.99, 0.6, 0.7])
    found = _indices(worst_patches(labels, scores, 3))
    assert found.shape == (3,), f"with count=3 return 3 numbers of patches; the shape is {found.shape}"
    assert not np.allclose(np.sort(found), [1, 2, 4]), (
        "these have the lowest scores; low is right for background"
    )
    assert not np.allclose(np.sort(found), [0, 3, 5]), (
        "these have the highest scores; high is right for aircraft"
    )
    assert not np.allclose(found, [0, 2, 4]), "these are the best patches: sort the other way round"
    assert 3 in found, "patch 3 is background with the score 0.99, the worst of all; it is not in your answer"
    assert found.tolist() == [3, 1, 5], f"the worst first: 3, then 1, then 5; yours are {found.tolist()}"
    random = np.random.default_rng(4)
    labels, scores = random.integers(0, 2, 40), random.random(40)
    found = _indices(worst_patches(labels, scores, 7))
    assert found.tolist() == np.argsort(-np.abs(labels - scores))[:7].tolist(), "wrong on 40 random patches"
    agree(
        worst_patches,
        lambda labels, scores, count: np.argsort(-np.abs(labels - scores))[:count],
        _draw_errors,
        form=_indices,
    )


@exercise(
    hints=(
        "In every step the rate is multiplied by the same factor. After all steps the factors have "
        "multiplied "
        "to high / low.",
        "low * (high / low) ** (step / steps)",
    )
)
def check_rate_at(rate_at: Callable[[int, int, float, float], float]) -> None:
    one = "one number is asked for, the rate"
    first, last = (number(rate_at(step, 10, 1e-5, 1.0), "what you return", one) for step in (0, 10))
    assert np.isclose(first, 1e-5), f"at step 0 the rate is low (0.00001), not {first:g}"
    assert np.isclose(last, 1.0), f"at the last step the rate is high (1), not {last:g}"
    middle = rate_at(50, 100, 1e-4, 1.0)
    assert not np.isclose(middle, 0.50005, rtol=1e-3), (
        "half-way from 0.0001 to 1 you are at 0.5: steps of equal size skip over all small rates; "
        "multiply instead of adding"
    )
    assert np.isclose(middle, 1e-2), f"half-way from 0.0001 to 1 the rate should be 0.01, not {middle:g}"
    ratio = [rate_at(k + 1, 30, 1e-4, 10.0) / rate_at(k, 30, 1e-4, 10.0) for k in range(30)]
    assert np.allclose(ratio, ratio[0]), (
        "from each step to the next, the rate must grow by one and the same factor"
    )
    agree(
        rate_at,
        lambda step, steps, low, high: low * (high / low) ** (step / steps),
        _draw_rate,
        form=lambda rate: float(np.log10(max(number(rate, "the rate"), 1e-99))),
        tell="here as powers of 10: 2 is 100, and -2 is 0.01",
    )


@exercise(
    hints=(
        "On the left the loss does not move; on the right it explodes. Where does it fall fastest?",
        "Take the steep part of the curve, some three to ten times to the left of the lowest point.",
    )
)
def check_chosen_rate(chosen_rate: Any, rates: ArrayLike, losses: ArrayLike) -> None:
    rates, losses = np.asarray(rates, dtype=float), np.asarray(losses, dtype=float)
    bottom = float(rates[np.argmin(losses)])
    chosen_rate = number(chosen_rate, "chosen_rate", "one number is asked for, a learning rate")
    assert chosen_rate > 0, "a learning rate is above 0"
    assert chosen_rate <= bottom * 2, (  # twice: a figure is read by eye
        f"{chosen_rate:g} lies to the right of the lowest point ({bottom:.2g}): there the loss rises again"
    )
    assert chosen_rate >= bottom / 200, (
        f"{chosen_rate:g} is far below the lowest point ({bottom:.2g}): "
        "it would work, but very slowly; go to the steep part"
    )


@exercise(
    hints=(
        "The velocity remembers: a part `momentum` of the old velocity, plus the new gradient.",
        "velocity = momentum * velocity + gradient; weight = weight - lr * velocity; return both.",
    )
)
def check_momentum_step(
    momentum_step: Callable[[Tensor, Tensor, Tensor, float, float], tuple[Any, Any]],
) -> None:
    weight, velocity, lr, momentum = torch.tensor([1.0, -2.0, 0.5]), torch.zeros(3), 0.1, 0.9
    trusted = nn.Parameter(weight.clone())
    optimizer = torch.optim.SGD([trusted], lr=lr, momentum=momentum)
    generator = torch.Generator().manual_seed(4)
    for step in range(1, 5):
        gradient = torch.randn(3, generator=generator)
        answer = momentum_step(weight.clone(), gradient.clone(), velocity.clone(), lr, momentum)
        _check_pair(answer, "weight, velocity")
        before = trusted.detach().clone()
        weight, velocity = _tensors(answer)
        trusted.grad = gradient
        optimizer.step()
        still = step == 1 and torch.equal(weight, before)
        assert not still, "the weight did not move: work out the new velocity first, then step with it"
        uphill = step == 1 and torch.allclose(weight, before + lr * gradient)
        assert not uphill, "the weight went up the gradient: downhill is minus"
        asleep = step == 2 and torch.allclose(weight, before - lr * gradient, atol=1e-6)
        assert not asleep, (
            "step 1 is right, step 2 is plain SGD: the weight must follow the velocity, and the "
            "velocity must "
            "keep a part of its old value"
        )
        assert torch.allclose(weight, trusted.detach(), atol=1e-5), (
            f"after step {step} torch.optim.SGD is at {_short(trusted.detach())}, you are at {_short(weight)}"
        )
    agree(
        lambda *given: _walk(momentum_step, *given),
        lambda *given: _walk(_momentum_step, *given),
        _draw_walk,
        name="for a weight, the gradients, lr and momentum, the weights after each momentum_step",
        within=1e-4,
    )


@exercise(
    hints=(
        "torch.rand(x.shape, generator=generator) >= share tells which numbers survive. What must "
        "the survivors "
        "be multiplied by, so that the mean stays the same?",
        "When not training: return x. Else kept = torch.rand(x.shape, generator=generator) >= share; "
        "return x * kept / (1 - share).",
    )
)
def check_dropout(dropout: Callable[..., Tensor]) -> None:
    x = torch.linspace(1, 2, 40_000).reshape(200, 200)
    for share in (0.2, 0.5):
        generator = torch.Generator().manual_seed(4)
        y = dropout(x.clone(), share, True, generator)
        assert isinstance(y, Tensor), f"return a tensor; this is {told(y)}"
        assert y.shape == x.shape, f"the shape changed from {tuple(x.shape)} to {tuple(y.shape)}"
        zeros = float((y == 0).float().mean())
        assert abs(zeros - share) < 0.02 or abs(zeros - (1 - share)) > 0.02, (
            f"with share={share} you drop {zeros:.0%} of the numbers: share is what goes, not what stays"
        )
        assert abs(zeros - share) < 0.02, f"with share={share}, {zeros:.0%} of the numbers are 0"
        kept = y[y != 0] / x[y != 0]
        assert not torch.allclose(kept, torch.ones_like(kept)), (
            f"the mean falls from {x.mean():.2f} to {y.mean():.2f}: the next layer would see smaller "
            "numbers in "
            "training than later; make the survivors larger"
        )
        assert torch.allclose(kept, torch.full_like(kept, 1 / (1 - share))), (
            f"with share={share} the mean changes from {x.mean():.2f} to {y.mean():.2f}; it should stay"
        )
        for dim, what in ((0, "column"), (1, "row")):
            uneven = float(((y == 0).float().mean(dim=dim) - share).abs().max())
            assert uneven < 0.25, (
                f"in some {what}s nearly all numbers fall or stay together: each has a chance of its own, so "
                "draw as many as x has: torch.rand(x.shape, generator=generator)"
            )
    still = dropout(x, 0.5, False, torch.Generator().manual_seed(4))
    assert torch.equal(still, x), "after training dropout must leave everything as it is, the scale too"
    once, again = (dropout(x, 0.5, True, torch.Generator().manual_seed(seed)) for seed in (1, 2))
    assert not torch.equal(once, again), "two generators give the same zeros: draw from the generator"
    going_on = torch.Generator().manual_seed(1)
    first, second = dropout(x, 0.5, True, going_on), dropout(x, 0.5, True, going_on)
    assert torch.equal(first, once), "with the same generator the zeros are not the same: draw from it only"
    assert not torch.equal(first, second), (
        "each call must draw anew from the generator; yours starts it again"
    )
    agree(
        lambda x, share, training, seed: _survivors(
            x, dropout(x, share, training, torch.Generator().manual_seed(seed)), share, training
        ),
        lambda x, share, training, seed: "0, or x / (1 - share)" if training else "x",
        _draw_dropout,
        name="dropout, with a generator of this seed,",
    )


@exercise(
    hints=(
        "One mean and one variance for each channel: over which of the axes (n, c, h, w) do you average?",
        "mean = x.mean(dim=(0, 2, 3), keepdim=True), the same with x.var(..., unbiased=False), then "
        "(x - mean) / torch.sqrt(var + eps).",
    )
)
def check_batch_norm(batch_norm: Callable[[Tensor], Tensor]) -> None:
    generator = torch.Generator().manual_seed(4)
    for shape in ((8, 3, 5, 5), (4, 2, 3, 6)):
        scale = torch.arange(1.0, shape[1] + 1).view(1, -1, 1, 1)
        x = torch.randn(shape, generator=generator) * scale + 3 * scale
        y = batch_norm(x.clone())
        assert getattr(y, "shape", None) == x.shape, f"return the normalised batch, of the same shape {shape}"
        right = functional.batch_norm(x, None, None, training=True)
        means = y.mean(dim=(0, 2, 3))
        one = (x - x.mean()) / x.std(unbiased=False)
        assert not torch.allclose(y, one, atol=1e-3), "one mean for everything: each channel needs its own"
        pixels = (x - x.mean(dim=0)) / torch.sqrt(x.var(dim=0, unbiased=False) + 1e-5)
        assert not torch.allclose(y, pixels, atol=1e-3), (
            "this is a mean for every pixel place; batch norm averages over the batch, the rows and "
            "the columns"
        )
        layer = (x - x.mean(dim=(1, 2, 3), keepdim=True)) / x.std(dim=(1, 2, 3), unbiased=False, keepdim=True)
        assert not torch.allclose(y, layer, atol=1e-3), (
            "this is a mean for every image (layer norm); batch norm has one for every channel"
        )
        assert means.abs().max() < 1e-3, (
            f"afterwards the mean of each channel is 0; yours are {_short(means)}"
        )
        assert not torch.allclose(y, (x - x.mean(dim=(0, 2, 3), keepdim=True)), atol=1e-3), (
            "the means are 0 but the spread is not 1: divide by the standard deviation"
        )
        spread = y.std(dim=(0, 2, 3), unbiased=False)
        assert torch.allclose(y, right, atol=1e-3), (
            f"the spread of the channels should be 1.000; yours is {_short(spread)}: divide by the "
            "root of the "
            "variance, with unbiased=False"
        )
    flat = batch_norm(torch.tensor([[[[2.0, 2.0]], [[1.0, 3.0]]]]))
    assert not flat.isnan().any(), (
        "a channel in which all numbers are equal has the variance 0 and becomes nan: that is what eps is for"
    )
    agree(
        batch_norm,
        lambda x: functional.batch_norm(x, None, None, training=True),
        _draw_channels,
        within=2e-3,  # the tiny eps may stand inside the root or behind it
    )


@exercise(
    hints=(
        "Four turns by 90 degrees; then mirror the image once and turn that four times as well.",
        "[np.rot90(version, turns) for version in (image, image[:, ::-1]) for turns in range(4)]",
    )
)
def check_eight_views(eight_views: Callable[[np.ndarray], Sequence[np.ndarray]]) -> None:
    image = np.random.default_rng(4).integers(0, 255, (6, 6, 3), dtype=np.uint8)
    views = _views(eight_views(image.copy()))
    assert len(views) == 8, f"eight views are wanted; these are {len(views)}"
    for view in views:
        assert view.shape == image.shape, (
            f"a view has the shape {view.shape} instead of {image.shape}: turn and mirror the rows "
            "and columns, "
            "never the colours"
        )
    colours = {tuple(sorted(map(tuple, view.reshape(-1, 3).tolist()))) for view in views}
    assert len(colours) == 1, (
        "in one of the views red, green and blue changed places: leave the last axis alone"
    )
    different = len({view.tobytes() for view in views})
    assert different == 8, (
        f"only {different} of the eight views differ: two mirrors one after the other are the same as "
        "a half turn"
    )
    wanted = {
        np.ascontiguousarray(np.rot90(v, k)).tobytes() for v in (image, image[:, ::-1]) for k in range(4)
    }
    assert {view.tobytes() for view in views} == wanted, (
        "each view is a turn by 90 degrees, with or without a mirror"
    )
    agree(
        eight_views,
        lambda image: [np.rot90(v, k) for v in (image, image[:, ::-1]) for k in range(4)],
        lambda rng, size: (rng.integers(0, 256, (1 + size // 2,) * 2 + (3,), dtype=np.uint8),),
        form=lambda views: sorted(view.tolist() for view in _views(views)),
    )


@exercise(
    hints=(
        "Each mean is uncertain by std / sqrt(n). Uncertainties of independent numbers add as squares.",
        "np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))",
    )
)
def check_compare(compare: Callable[[ArrayLike, ArrayLike], tuple[float, float]]) -> None:
    a, b = np.array([0.90, 0.94, 0.92, 0.96]), np.array([0.91, 0.89, 0.90])
    answer = compare(a, b)
    _check_pair(answer, "difference, uncertainty")
    difference, error = number(answer[0], "the difference"), number(answer[1], "the uncertainty")
    assert not np.isclose(difference, b.mean() - a.mean()), "the sign is turned: mean of a minus mean of b"
    assert np.isclose(difference, a.mean() - b.mean()), f"the difference of the means is not {difference:.4f}"
    spread = float(np.sqrt(a.var(ddof=1) + b.var(ddof=1)))
    assert not np.isclose(error, spread, rtol=1e-3), (
        "this is the spread of single runs; a mean over n runs is surer: where does n come in?"
    )
    right = float(np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b)))
    small = float(np.sqrt(a.var() / len(a) + b.var() / len(b)))
    assert not np.isclose(error, small, rtol=1e-3), (
        "nearly: with few runs the variance comes out too small; divide by n - 1 (ddof=1)"
    )
    assert not np.isclose(error, right**2, rtol=1e-3), "this is the square of the uncertainty: take the root"
    added = float(a.std(ddof=1) / 2 + b.std(ddof=1) / np.sqrt(3))
    assert not np.isclose(error, added, rtol=1e-3), (
        "add the squares of the two uncertainties, then take the root"
    )
    assert np.isclose(error, right, rtol=1e-3), f"the uncertainty is {error:.4f}; worked out by hand: not so"
    agree(
        compare,
        lambda a, b: (a.mean() - b.mean(), np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))),
        _draw_scores,
        form=lambda pair: [float(number(part, "a part")) for part in pair],
        within=1e-6,
    )


@exercise(
    hints=(
        "To treat 0.0001 to 0.001 like 0.01 to 0.1, draw the exponent, not the rate.",
        "10 ** rng.uniform(-4, -1), and float(rng.choice([0.0, 0.2, 0.4])) or rng.uniform(0, 0.5) "
        "for dropout.",
    )
)
def check_draw_settings(draw_settings: Callable[[np.random.Generator], dict[str, float]]) -> None:
    rng = np.random.default_rng(4)
    state = _global_state()
    drawn = [draw_settings(rng) for _ in range(400)]
    assert state == _global_state(), (
        "you drew from the global random numbers: draw with the generator rng that you are given"
    )
    assert all(isinstance(one, dict) for one in drawn), "return a dict with the keys lr and dropout"
    assert all({"lr", "dropout"} <= set(one) for one in drawn), (
        f"the keys are lr and dropout, not {list(drawn[0])}"
    )
    rates, shares = (
        np.array([number(one[key], key, "a plain number is asked for") for one in drawn])
        for key in ("lr", "dropout")
    )
    assert len(set(rates)) > 100, "the same rates come again and again: draw with the generator rng"
    assert 0.99e-4 <= rates.min() <= rates.max() <= 0.101, (
        f"lr goes from 0.0001 to 0.1; yours reach from {rates.min():.2g} to {rates.max():.2g}"
    )
    low = float((rates < 10**-2.5).mean())
    assert low > 0.2, (
        f"only {low:.0%} of your rates are in the lower half of the scale (below 0.003): a uniform "
        "draw tries "
        "nearly only large rates; draw the exponent"
    )
    assert 0.4 < low < 0.6, f"{low:.0%} of the rates are below 0.003, half of them should be"
    assert 0 <= shares.min() <= shares.max() <= 0.5, (
        f"dropout is a share from 0 to 0.5, not {shares.max():.2g}"
    )
    assert len(set(shares)) > 1, "dropout is always the same; draw it too"
    quarters = np.histogram(np.log10(rates), bins=[-4.01, -3.25, -2.5, -1.75, -0.99])[0] / 400
    assert 0.15 < quarters.min() <= quarters.max() < 0.35, (
        f"the rates are not even on the scale: its quarters get {', '.join(f'{q:.0%}' for q in quarters)}"
    )
    assert shares.max() >= 0.39, f"dropout reaches from 0 to 0.5; yours goes up to {shares.max():.2g} only"
    assert shares.min() <= 0.11, f"dropout reaches from 0 to 0.5; yours begins at {shares.min():.2g}"
    assert 0.15 < shares.mean() < 0.32, (
        f"dropout is even from 0 to 0.5; the mean of yours is {shares.mean():.2f}"
    )
    both = abs(float(np.corrcoef(np.log(rates), shares)[0, 1]))
    assert both < 0.25, "lr and dropout rise and fall together: draw each by itself"
    one, again = (draw_settings(np.random.default_rng(1)) for _ in range(2))
    assert one == again, "generators of the same seed give unlike settings: draw with rng only"


def _check_pair(answer: Any, names: str) -> None:
    assert isinstance(answer, tuple | list), f"return two things: {names}"
    assert len(answer) == 2, f"return two things, {names}; these are {len(answer)}"


def _tiny() -> nn.Module:
    """A linear classifier of 2x2 pixels with fixed weights; returns logits (n,)."""
    linear = nn.Linear(12, 1)
    with torch.no_grad():
        linear.weight.copy_(torch.linspace(-0.3, 0.3, 12)[None])
        linear.bias.fill_(0.1)
    return nn.Sequential(nn.Flatten(), linear, nn.Flatten(0))


def _batch(number: int) -> Batch:
    generator = torch.Generator().manual_seed(number)
    images = torch.rand(4, 3, 2, 2, generator=generator) * 2
    return images, torch.tensor([0.0, 1.0, 1.0, 0.0]), torch.arange(4)


def _loss(model: nn.Module, batch: Batch, sigmoid: bool = False) -> Tensor:
    logits = model(batch[0])
    return functional.binary_cross_entropy_with_logits(logits.sigmoid() if sigmoid else logits, batch[1])


def _train(model: nn.Module, batches: Sequence[Batch], sigmoid: bool = False) -> nn.Module:
    """The trusted loop: one step of SGD a batch."""
    optimizer = torch.optim.SGD(model.parameters(), lr=LR)
    for batch in batches:
        optimizer.zero_grad()
        with torch.enable_grad():
            _loss(model, batch, sigmoid).backward()
        optimizer.step()
    return model


def _weights(model: nn.Module) -> Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach().clone()


def _same(model: nn.Module, other: nn.Module) -> bool:
    return torch.allclose(_weights(model), _weights(other), atol=1e-5)


def _run(engine: Engine, data: Sequence[Any], epochs: int = 1) -> None:
    """Run without what ignite says on standard error about an error in the student's step."""
    engine.logger = logging.getLogger("aircraft_course.checks.engine")
    engine.logger.setLevel(logging.CRITICAL + 1)
    engine.run(data, max_epochs=epochs)


def _stops_at(
    score_function: Callable[[Any], float], judged: Callable[[float], Any], losses: Sequence[float]
) -> int:
    """The epoch after which EarlyStopping with patience 2 ends a training with these validation losses."""
    trainer = Engine(lambda engine, batch: None)
    stopping = EarlyStopping(2, score_function, trainer)
    stopping.logger = logging.getLogger("aircraft_course.checks.stopping")
    stopping.logger.setLevel(logging.CRITICAL + 1)
    trainer.add_event_handler(
        Events.EPOCH_COMPLETED, lambda: stopping(judged(losses[trainer.state.epoch - 1]))
    )
    _run(trainer, [0], epochs=len(losses))
    return trainer.state.epoch


def _short(values: Tensor) -> str:
    return "[" + ", ".join(f"{value:.3f}" for value in values.flatten().tolist()[:4]) + "]"


def _global_state() -> list[Any]:
    numpy_state: Any = np.random.get_state()  # noqa: NPY002  (looked at, never drawn from)
    return [numpy_state[1].tolist(), numpy_state[2], torch.get_rng_state().tolist()]


def _corners(answer: Any) -> list[tuple[int | float, int | float]]:
    asked = "return a list of corners (step, rate)"
    found = parts(answer, len(answer) if isinstance(answer, tuple | list) else 3, asked)
    pairs = [parts(corner, 2, "a corner is a pair (step, rate)") for corner in found]
    return [(number(step, "a step"), number(rate, "a rate")) for step, rate in pairs]


def _draw_cycle(rng: np.random.Generator, size: int) -> tuple[int, float, float]:
    """Never half a step: how a half is rounded is open."""
    steps = int(rng.integers(10, 20 + 100 * size))
    top = int(rng.integers(1, steps))
    return (
        steps,
        float(rng.choice([0.001, 0.03, 0.5, 2.0])),
        (top + float(rng.choice([-0.3, 0, 0.3]))) / steps,
    )


def _indices(answer: Any) -> np.ndarray:
    found = numbers(answer, "what you return", "the indices of patches are asked for, whole numbers")
    assert (found == found.round()).all(), f"indices are whole numbers; yours are {_row(found)}"
    return found.astype(int)


def _row(values: np.ndarray) -> str:
    return "[" + ", ".join(f"{value:g}" for value in np.ravel(values)[:5]) + "]"


def _draw_errors(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray, int]:
    """No two errors are equal."""
    count = int(rng.integers(1, 3 + size))
    labels, error = rng.integers(0, 2, count), rng.choice(100, count, replace=False) / 100 + 0.003
    return labels, np.abs(labels - error).round(3), int(rng.integers(1, count + 1))


def _draw_rate(rng: np.random.Generator, size: int) -> tuple[int, int, float, float]:
    steps, low = int(rng.integers(1, 2 + 10 * size)), float(10.0 ** -rng.integers(1, 7))
    return int(rng.integers(0, steps + 1)), steps, low, low * float(rng.choice([2, 10, 300, 10**5]))


def _tensors(answer: Any) -> list[Tensor]:
    asked = "a tensor is asked for"
    pair = parts(answer, 2, "return two things: weight, velocity")
    return [torch.as_tensor(numbers(part, "a part", asked)).float() for part in pair]


def _momentum_step(
    weight: Tensor, gradient: Tensor, velocity: Tensor, lr: float, momentum: float
) -> tuple[Tensor, Tensor]:
    velocity = momentum * velocity + gradient
    return weight - lr * velocity, velocity


def _walk(
    step: Callable[..., Any], weight: Tensor, gradients: Sequence[Tensor], lr: float, momentum: float
) -> list[Any]:
    """The weights after each step; the rate may be a part of the velocity or not."""
    velocity, path = torch.zeros_like(weight), []
    for gradient in gradients:
        weight, velocity = _tensors(step(weight.clone(), gradient.clone(), velocity.clone(), lr, momentum))
        path.append(weight.tolist())
    return path


def _draw_walk(rng: np.random.Generator, size: int) -> tuple[Any, ...]:
    numbers_ = rng.integers(-8, 9, (2 + size // 2, 1 + size // 3)) / 4
    weight, *gradients = torch.from_numpy(numbers_).float()
    return weight, gradients, float(rng.choice([0.05, 0.1, 0.5])), float(rng.choice([0, 0.3, 0.9]))


def _survivors(x: Tensor, y: Any, share: float, training: bool) -> Any:
    """What became of the numbers: which of them survive is chance, what they are then is not."""
    if not isinstance(y, Tensor) or y.shape != x.shape:
        return y
    wanted = x / (1 - share) if training else x
    fits = torch.isclose(y, wanted, atol=1e-5) | ((y == 0) & (training and share > 0))
    return ("0, or x / (1 - share)" if training else "x") if bool(fits.all()) else y


def _draw_dropout(rng: np.random.Generator, size: int) -> tuple[Tensor, float, bool, int]:
    x = torch.from_numpy(rng.integers(1, 9, rng.integers(1, 2 + size, 2))).float()
    return x, float(rng.choice([0, 0.1, 0.25, 0.75])), bool(rng.random() < 0.8), int(rng.integers(1000))


def _draw_channels(rng: np.random.Generator, size: int) -> tuple[Tensor]:
    shape = 1 + rng.integers(1, 2 + size // 3, 4)
    scale, place = rng.uniform(1, 9, (2, 1, shape[1], 1, 1))
    return (torch.from_numpy(rng.normal(size=shape) * scale + place).float(),)


def _views(answer: Any) -> list[np.ndarray]:
    asked = "return a list of eight images"
    assert answer is not None, f"{asked}; your function returns None: is the line `return` missing?"
    assert isinstance(answer, tuple | list | np.ndarray | Tensor), f"{asked}; this is {told(answer)}"
    for view in answer:
        numbers(view, "a view", "an image is asked for")
    return [np.asarray(view) for view in answer]


def _draw_scores(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    a, b = (rng.uniform(0.5, 1, int(rng.integers(2, 4 + size))).round(2) for _ in range(2))
    return a, b
