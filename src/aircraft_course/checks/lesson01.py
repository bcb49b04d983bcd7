"""Checks of lesson 1: neuron, learning rule, XOR, gradient descent, splits, parameters, a network in PyTorch.

An assert message is the hint for that mistake: it says what was seen and what to think about.
"""

import copy
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from aircraft_course.checks.answers import explained, how_many, number, numbers, parts, undisturbed
from aircraft_course.checks.core import exercise
from aircraft_course.checks.reference import agree


@exercise(
    hints=(
        "Multiply each input by its own weight, add the two products, then add the bias.",
        "(-1) · 2 + 2 · 1 + (-1) = ?   The output is 1 only if this sum is above 0.",
    )
)
def check_by_hand(weighted_sum: Any, output: Any) -> None:
    weighted_sum = number(weighted_sum, "weighted_sum")
    output = (
        int(output)
        if isinstance(output, bool | np.bool_)
        else number(output, "output", "0 or 1 is asked for")
    )
    assert weighted_sum != 0, (
        f"your sum is {weighted_sum}: that is w1·x1 + w2·x2; the bias is still to be added"
    )
    assert weighted_sum != 3, f"your sum is {weighted_sum}: look at the sign of the first weight"
    assert weighted_sum == -1, (
        f"your sum is {weighted_sum}: calculate w1·x1 + w2·x2 + b once more, line by line"
    )
    assert output in (0, 1), f"your output is {output}: after the step a neuron says only 0 or 1"
    assert output == 0, (
        f"your output is {output}: the step gives 1 only when the sum is above 0; is -1 above 0?"
    )


@exercise(
    hints=(
        "w * x multiplies the arrays number by number. np.sum adds the products. Then comes the bias, once.",
        "total = np.sum(w * x) + b, then return 1 if total > 0, otherwise 0.",
    )
)
def check_neuron(neuron: Callable[..., Any]) -> None:
    rng = np.random.default_rng(0)
    cases, found = [], []
    for inputs in (2, 2, 2, 3, 5):
        for _ in range(20):
            x, w, b = rng.normal(size=inputs), rng.normal(size=inputs), 2 * float(rng.normal())
            answer = neuron(x.copy(), w.copy(), b)
            case = f"for x = {_row(x)}, w = {_row(w)}, b = {b:.1f}"
            assert answer is not None, "your function returns nothing: end it with a line `return ...`"
            assert how_many(answer) == 1, (
                f"{case} you returned {how_many(answer)} numbers: a neuron adds up the products"
            )
            told = _bit(answer)
            assert told in (0, 1), f"{case} you returned {told:.2f}: the step turns the sum into 0 or 1"
            cases.append((x, w, b))
            found.append(told)
    explained(
        found,
        [w @ x + b > 0 for x, w, b in cases],
        {
            "your answers are those of a sum without bias: have you added b?": [
                w @ x > 0 for x, w, b in cases
            ],
            "it looks as if b were added to every product: add it once": [
                w @ x + len(x) * b > 0 for x, w, b in cases
            ],
            "you say 0 where the sum is above 0, and 1 where it is below: it is the other way round": [
                w @ x + b < 0 for x, w, b in cases
            ],
        },
    )
    for (x, w, b), told in zip(cases, found, strict=True):
        total = w @ x + b
        case = f"for x = {_row(x)}, w = {_row(w)}, b = {b:.1f}"
        assert told == (total > 0), f"{case} the sum is {total:.1f}, and you returned {told:.0f}"
    x, w = np.array([2.0, 1.0]), np.array([1.0, -3.0])
    assert _bit(neuron(x, w, 1.0)) == 0, (
        "for x = [2, 1], w = [1, -3], b = 1 the sum is exactly 0, and you returned 1: only above 0 it is 1"
    )
    agree(neuron, lambda x, w, b: float(w @ x + b > 0), _draw_neuron, form=_bit)


@exercise(
    hints=(
        "Begin with error = y - y_hat. It is 0 when the neuron is right, so then nothing changes.",
        "Add learning_rate * error * x to w, and learning_rate * error to b; return w, b.",
    )
)
def check_update(update: Callable[..., Any]) -> None:
    def run(y: int, y_hat: int) -> tuple[np.ndarray, float]:
        got = update(np.array([2.0, 1.0]), y, y_hat, np.array([0.5, 0.5]), 0.25, 0.1)
        w, b = parts(got, 2, "return both numbers: `return w, b`")
        w = numbers(w, "the new w", "it is an array of two numbers, as the old one")
        assert w.shape == (2,), f"the new w has shape {w.shape}, the old one had (2,): keep it"
        return w, float(number(b, "the new b"))

    w, b = run(y=1, y_hat=0)
    case = "for an aircraft that the neuron missed (y = 1, y_hat = 0)"
    assert not np.allclose(w, [0.3, 0.4]), (
        f"{case} the sum became smaller: is your error y - y_hat, in this order?"
    )
    assert not np.allclose(w, [2.5, 1.5]), f"{case} the weights moved too far: multiply by learning_rate"
    assert not np.allclose(w, [0.6, 0.6]), f"{case} both weights moved by the same amount: multiply by x"
    assert np.allclose(w, [0.7, 0.6]), (
        f"{case} w = [0.5, 0.5] became {_row(w)}: add learning_rate · error · x"
    )
    assert b != 0.25, "w is right, but the bias did not move: b learns too"
    assert np.isclose(b, 0.35), (
        f"w is right, but b = 0.25 became {b:.2f}: add learning_rate · error, without x"
    )
    w, b = run(y=0, y_hat=1)
    case = "for a false alarm (y = 0, y_hat = 1)"
    assert np.allclose(w, [0.3, 0.4]), (
        f"{case} w = [0.5, 0.5] became {_row(w)}: now the sum must become smaller"
    )
    assert np.isclose(b, 0.15), f"{case} b = 0.25 became {b:.2f}: the bias must become smaller, too"
    for y in (0, 1):
        w, b = run(y=y, y_hat=y)
        still = np.allclose(w, [0.5, 0.5]) and np.isclose(b, 0.25)
        assert still, f"the neuron said {y}, which is right, and yet w or b changed: no error, no change"
    agree(
        lambda *given: update(*copy.deepcopy(given)),  # a change in place does no harm: the lesson copies
        lambda x, y, y_hat, w, b, rate: (w + rate * (y - y_hat) * x, b + rate * (y - y_hat)),
        _draw_update,
        name="update",
    )


@exercise(
    hints=(
        "Draw the four points on paper and lay a pencil between them: the pencil is the line.",
        "Cut off one corner with the pencil. How many points are then on the right side?",
    )
)
def check_xor_best(most_right: Any) -> None:
    most_right = number(most_right, "most_right", "a number from 0 to 4 is asked for")
    assert most_right in (0, 1, 2, 3, 4), (
        f"you answered {most_right}; there are four points: a number from 0 to 4"
    )
    assert most_right != 4, "4 would mean that a straight line can separate them: have you found such a line?"
    assert most_right >= 3, f"you can do better than {most_right}: let the line cut off a single corner"


@exercise(
    hints=(
        "The output must fire for h = (1, 0), not for (0, 0) and (1, 1): AND must count against it.",
        "A positive weight for OR, a negative one for AND that is at least as large, a small negative bias.",
    )
)
def check_xor_weights(w_out: Any, b_out: Any) -> None:
    w = numbers(w_out, "w_out", "an array of two numbers is asked for")
    b = number(b_out, "b_out")
    assert w.size == 2, f"w_out has {w.size} numbers; it needs two: one for OR, one for AND"
    assert w.ndim == 1, f"w_out has the shape {w.shape}; a plain row of two numbers is asked for: (2,)"
    sums = {(h1, h2): w[0] * h1 + w[1] * h2 + b for h1, h2 in ((0, 0), (1, 0), (1, 1))}
    total = sums[0, 0]
    assert total <= 0, f"with no hidden neuron firing the sum is the bias, {total:g}: it must not be above 0"
    total = sums[1, 0]
    assert total > 0, (
        f"when only OR fires, the sum is {total:g}: it must be above 0, this is the case XOR = 1"
    )
    total = sums[1, 1]
    assert total <= 0, (
        f"when OR and AND both fire, the sum is {total:g}: it must not be above 0, so AND must pull it down"
    )


@exercise(
    hints=(
        "First the errors of all points at once: w * x - y. Then square them, then take the mean.",
        "np.mean((w * x - y) ** 2)",
    )
)
def check_loss(loss: Callable[..., Any]) -> None:
    rng = np.random.default_rng(1)
    for n in (3, 8):
        x, y, w = rng.uniform(0.5, 2, n), rng.uniform(0.5, 2, n), 1.3
        error = w * x - y
        told = loss(w, x.copy(), y.copy())
        assert told is not None, "your function returns nothing: end it with a line `return ...`"
        assert how_many(told) == 1, (
            f"for {n} points you returned {how_many(told)} numbers: the loss is one number, the mean"
        )
        told = number(told, "your loss")
        usual = {
            "this is the sum of the squares; with more points it would grow: take the mean": np.sum(error**2),
            "errors above and below cancel each other: square each error before the mean": np.mean(error),
            "this is the mean of the absolute errors; here we want the mean of the squares": np.mean(
                np.abs(error)
            ),
            "this is the square root of what we want": np.sqrt(np.mean(error**2)),
            "first square each error, then take the mean - not the other way round": np.mean(error) ** 2,
        }
        for hint, value in usual.items():
            assert not np.isclose(told, value), f"you returned {told:.3f}: {hint}"
        assert np.isclose(told, np.mean(error**2)), (
            f"for {n} points you returned {told:.3f}, not the mean of (w·x - y)²"
        )
    agree(
        loss,
        lambda w, x, y: np.mean((w * x - y) ** 2),
        _draw_points,
        form=lambda answer: float(number(answer, "your loss")),
    )


@exercise(
    hints=(
        "Downhill is against the slope: the new w is the old w minus something.",
        "w = w - learning_rate * gradient(w, x, y), inside the loop: the slope is fresh at each step.",
    )
)
def check_descend(descend: Callable[..., Any]) -> None:
    rng = np.random.default_rng(2)
    x = rng.uniform(0.5, 2, 12)
    y = 0.7 * x

    def follow(sign: float, rate: float, fresh: bool = True) -> np.ndarray:
        path = [2.0]
        for _ in range(4):
            at = path[-1] if fresh else path[0]
            path.append(path[-1] + sign * rate * float(np.mean(2 * x * (at * x - y))))
        return np.array(path)

    told = _path(descend(2.0, x, y, 0.1, 4))
    assert len(told) == 5, f"for 4 steps the path has {len(told)} places, not 5: keep the start and each step"
    assert not np.allclose(told, follow(1, 0.1)), (
        f"from w = 2 you went to {told[1]:.2f}: uphill; the loss grows there"
    )
    assert not np.allclose(told, follow(-1, 1.0)), (
        f"from w = 2 you jumped to {told[1]:.2f}: where is learning_rate?"
    )
    stale = np.allclose(told, follow(-1, 0.1, fresh=False))
    assert not stale, (
        "all your steps are equally long: compute the gradient at the present w, not only at the start"
    )
    assert not np.allclose(told[1:], told[0]), "w never changes: put the new value into w"
    right = follow(-1, 0.1)
    assert np.allclose(told, right), (
        f"from w = 2 the first step went to {told[1]:.3f}: it is learning_rate · gradient long"
        if not np.isclose(told[1], right[1])
        else f"from w = 2 your path is {_row(told)}; the first step is right, a later one is not"
    )
    agree(descend, _descend, _draw_descent, form=_path)


@exercise(
    hints=(
        "Compare the paths: which one hardly moves, which one jumps over the valley and climbs?",
        "It hardly moves: too small. The loss grows at every step: too large. The third is good.",
    )
)
def check_rates(too_small: Any, good: Any, too_large: Any) -> None:
    small, fine, large = (str(answer).strip().upper() for answer in (too_small, good, too_large))
    given = sorted((small, fine, large))
    assert given == ["A", "B", "C"], (
        f"you used {', '.join(given)}: use each of A, B and C once, in quotation marks"
    )
    assert large == "B", (
        f"you say that {large} is too large: but its loss never grows; look for a path that climbs"
    )
    assert small == "C", (
        f"you say that {small} is too small: but it arrives at the bottom; which one hardly moves?"
    )


@exercise(
    hints=(
        "`order` is shuffled, so its first 60 % are a random 60 %. Slices: order[:a], order[a:b], order[b:].",
        "Take a = int(0.6 * n) and b = int(0.8 * n).",
    )
)
def check_three_parts(three_parts: Callable[..., Any]) -> None:
    for n, seed in ((10, 0), (103, 1), (1000, 2)):
        train, validation, test = _three(three_parts(n, seed))
        sizes = f"for n = {n} your parts have {len(train)}, {len(validation)} and {len(test)} members"
        for name, part in (("train", train), ("validation", validation), ("test", test)):
            assert len(part), f"{sizes}: {name} is empty; in order[a:b] both a and b count from the beginning"
        pairs = (("train", train, "validation", validation), ("train", train, "test", test))
        for one, first, two, second in (*pairs, ("validation", validation, "test", test)):
            both = len(np.intersect1d(first, second))
            assert not both, (
                f"{sizes}; {both} of them are in {one} and in {two}: the exam must hold no known question"
            )
        used = np.unique(np.concatenate([train, validation, test]))
        assert np.array_equal(used, np.arange(n)), (
            f"{sizes}: {n - len(used)} of {n} are lost; every image belongs somewhere"
        )
        of_rest = n >= 100 and abs(len(validation) - 0.16 * n) < 1 and len(test) > 0.19 * n
        assert not of_rest, f"{sizes}: a fifth of the remaining 80 % is only 16 % of all"
        for part, share in ((train, 0.6), (validation, 0.2), (test, 0.2)):
            fits = abs(len(part) - share * n) <= 2
            assert fits, f"{sizes}; about {0.6 * n:.0f}, {0.2 * n:.0f} and {0.2 * n:.0f} are wanted"
    first, again, other = (np.concatenate(_three(three_parts(100, seed))) for seed in (1, 1, 2))
    assert np.array_equal(first, again), (
        "with the same seed your parts change: cut `order`, draw nothing else"
    )
    assert not np.array_equal(first, other), "two seeds give the same parts: cut `order`, it is shuffled anew"
    agree(
        lambda n, seed: _fault(_three(three_parts(n, seed)), n),
        lambda n, seed: "60, 20 and 20 % of 0 to n - 1, shuffled",
        lambda rng, size: (int(rng.integers(10, 60 * size)), int(rng.integers(100))),
        name="three_parts",
    )


@exercise(
    hints=(
        "There are ten digits, and each of them makes up about the same share of the images.",
        "If you always say 3, you are right whenever it is a 3: in one case of ten.",
    )
)
def check_baseline(guess: Any) -> None:
    value = number(guess, "guess", "a share between 0 and 1 is asked for")
    assert value <= 1, f"you answered {value:g}: give a share between 0 and 1, not per cent"
    assert value != 0.5, "0.5 would be a coin with two sides; how many digits are there to choose from?"
    assert value > 0.05, f"{value:g} is too low: even a stopped clock is right now and then"
    assert abs(value - 0.1) < 0.006, (
        f"you answered {value:g}: if all ten digits are equally frequent, how often is it a 3?"
    )


@exercise(
    hints=(
        "From a layer of m neurons to one of n neurons: m·n weights and n biases.",
        "Loop over the pairs of neighbours: for m, n in zip(sizes[:-1], sizes[1:]): total += m * n + n",
    )
)
def check_count_parameters(count_parameters: Callable[..., Any]) -> None:
    cases = ([2, 1], [4, 3, 2], [64, 64, 10], [5, 7, 6, 3])
    found = [count_parameters(list(sizes)) for sizes in cases]
    assert all(count is not None for count in found), (
        "your function returns nothing: end it with a line `return ...`"
    )
    found = [number(count, f"count_parameters({sizes})") for sizes, count in zip(cases, found, strict=True)]
    case = f"for {cases[0]} you counted {found[0]}"
    weights = [sum(m * n for m, n in pairwise(sizes)) for sizes in cases]
    right = [_parameters(sizes) for sizes in cases]
    explained(
        found,
        right,
        {
            f"{case}: these are the weights; each neuron after the inputs has a bias as well": weights,
            f"{case}: the inputs are only numbers, they have no bias": [
                count + sum(sizes) for count, sizes in zip(weights, cases, strict=True)
            ],
            f"{case}: one bias for each layer is too few; each neuron after the inputs has its own": [
                count + len(sizes) - 1 for count, sizes in zip(weights, cases, strict=True)
            ],
        },
    )
    for sizes, told, count in zip(cases, found, right, strict=True):
        assert told == count, (
            f"for {sizes} you counted {told}; {sizes[0]} inputs to {sizes[1]} neurons: "
            f"{sizes[0]}·{sizes[1]} weights, then biases"
        )
    agree(undisturbed(count_parameters), _parameters, _draw_sizes)


@exercise(
    hints=(
        "Look at the last epoch of each panel: are the two curves high or low, together or apart?",
        "Both high: underfits. Training low, validation rising: overfits. Both low: fits well.",
    )
)
def check_diagnosis(underfits: Any, fits_well: Any, overfits: Any) -> None:
    under, well, over = (str(answer).strip().upper() for answer in (underfits, fits_well, overfits))
    given = sorted((under, well, over))
    assert given == ["A", "B", "C"], (
        f"you used {', '.join(given)}: use each of A, B and C once, in quotation marks"
    )
    assert over == "A", (
        f"you say that {over} overfits: overfitting shows as a wide gap between the two curves"
    )
    assert under == "C", (
        f"you say that {under} underfits: but its training loss is low; which one stays high in both curves?"
    )


@exercise(
    hints=(
        "nn.Linear(a, b) takes a numbers and gives b. What one layer gives, the next one takes.",
        "nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs)",
    )
)
def check_make_mlp(make_mlp: Callable[..., Any]) -> None:
    generator = torch.Generator().manual_seed(0)
    for inputs, hidden, outputs in ((64, 64, 10), (5, 7, 3)):
        model = undisturbed(make_mlp)(inputs, hidden, outputs)
        assert isinstance(model, nn.Module), (
            f"return the network itself, an nn.Module, not {type(model).__name__}"
        )
        case = f"make_mlp({inputs}, {hidden}, {outputs})"
        x = torch.randn(4, inputs, generator=generator)
        with torch.no_grad():
            try:
                y = model(x)
            except RuntimeError:
                raise AssertionError(
                    f"the layers of {case} do not fit: what one layer gives, the next one takes"
                ) from None
            assert y.shape == (4, outputs), (
                f"{case} turns 4 images into {tuple(y.shape)}, not (4, {outputs}): one score a class"
            )
            ones = bool((y >= 0).all()) and torch.allclose(y.sum(1), torch.ones(4), atol=1e-4)
            assert not ones, "your scores add up to 1: leave softmax out, the loss function does it"
            assert torch.equal(undisturbed(model.forward)(x), y), (
                f"{case} gives two results for the same images: leave out what is random, such as Dropout"
            )
            assert _ends_linear(model, x), (
                "something bends your scores: the last layer is a Linear with nothing after it"
            )
            bent = (model(x) + model(-x) - 2 * model(0 * x)).abs().max() > 1e-4
            assert bent, "without a ReLU between them, two Linear layers can do no more than one"
        count = sum(weight.numel() for weight in model.parameters())
        right = inputs * hidden + hidden + hidden * outputs + outputs
        assert count == right, (
            f"{case} has {count:,} parameters, not {right:,}: two Linear layers, {hidden} neurons between"
        )
        with torch.no_grad():
            wanted = _by_shape(model, 3 * x, inputs, hidden, outputs)
            got = model(3 * x)
        assert wanted is None or torch.allclose(got, wanted, atol=1e-4), (
            f"{case} has the right layers, but its scores are not those of Linear, ReLU, Linear: what stands "
            "between the two Linear layers, or before them?"
        )


@exercise(
    hints=(
        "Four steps: forget old gradients, compute the loss, compute new gradients, move the weights.",
        "optimizer.zero_grad(); loss = loss_function(model(x), y); loss.backward(); optimizer.step()",
    )
)
def check_train_batch(train_batch: Callable[..., Any]) -> None:
    generator = torch.Generator().manual_seed(3)
    start = nn.Linear(6, 3)
    with torch.no_grad():
        start.weight.copy_(torch.randn(3, 6, generator=generator))
        start.bias.zero_()
    batches = [
        (torch.randn(8, 6, generator=generator), torch.randint(3, (8,), generator=generator))
        for _ in range(3)
    ]
    batches.append((torch.randn(3, 6, generator=generator), torch.tensor([2, 0, 2])))
    right, losses = _trained(start, batches, forget=True)
    piled, _ = _trained(start, batches, forget=False)
    model = copy.deepcopy(start)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    slopes: list[torch.Tensor] = []
    model.weight.register_hook(slopes.append)
    told = [train_batch(model, x, y, optimizer) for x, y in batches]
    assert slopes, "the weights have no gradient: loss.backward() computes it"
    assert not torch.equal(_vector(model), _vector(start)), (
        "the weights did not move: optimizer.step() moves them, after backward and with no zero_grad between"
    )
    assert not torch.allclose(_vector(model), piled, atol=1e-5), (
        "the gradients of all batches pile up: forget the old ones first, with optimizer.zero_grad()"
    )
    assert torch.allclose(_vector(model), right, atol=1e-5), (
        "the weights moved, but not to where gradient descent leads: are the lines in the right order?"
    )
    assert all(value is not None for value in told), (
        "return the loss, so that we can draw it: return loss.item()"
    )
    assert not any(isinstance(value, torch.Tensor) and value.requires_grad for value in told), (
        "you returned a tensor that holds on to its gradients; the plain number is loss.item()"
    )
    for value, loss in zip(told, losses, strict=True):
        value = number(value, "what you return", "the loss of the batch is asked for, a plain number")
        assert np.isclose(value, loss, atol=1e-4), (
            f"you returned {value:.3f}, but the loss of this batch was {loss:.3f}"
        )


def _ends_linear(model: nn.Module, x: torch.Tensor) -> bool:
    """True when the scores are those of the last Linear: scaled by -2, it gives -2 times the scores.

    The sign of a score would not tell: those of an honest network may all be positive by chance.
    """
    called: list[nn.Linear] = []
    model = copy.deepcopy(model)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            layer.register_forward_hook(lambda layer, *_: called.append(layer))
    before = model(x)
    if not called:  # layers of the student's own: nothing to scale
        return True
    for weight in called[-1].parameters():
        weight.mul_(-2)
    return torch.allclose(model(x), -2 * before, atol=1e-4)


def _trained(
    start: nn.Linear, batches: Sequence[tuple[torch.Tensor, torch.Tensor]], *, forget: bool
) -> tuple[torch.Tensor, list[float]]:
    """The weights after a step on each batch, and the losses; without `forget` the gradients add up."""
    model = copy.deepcopy(start)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    losses = []
    for x, y in batches:
        if forget:
            optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return _vector(model), losses


def _vector(model: nn.Module) -> torch.Tensor:
    return nn.utils.parameters_to_vector(model.parameters()).detach().clone()


def _by_shape(
    model: nn.Module, x: torch.Tensor, inputs: int, hidden: int, outputs: int
) -> torch.Tensor | None:
    """The scores of Linear, ReLU, Linear with the weights of the model; None where shapes do not tell."""
    found = {tuple(one.shape): one for one in model.parameters()}
    shapes = [(hidden, inputs), (hidden,), (outputs, hidden), (outputs,)]
    if set(found) != set(shapes) or len(list(model.parameters())) != 4 or len(set(shapes)) != 4:
        return None
    first, first_bias, last, last_bias = (found[shape] for shape in shapes)
    return nn.functional.linear(nn.functional.linear(x, first, first_bias).relu(), last, last_bias)


def _bit(answer: Any) -> float:
    """What a neuron says: 0 or 1, True or False, also in an array of one."""
    if how_many(answer) == 1 and isinstance(answer, bool | np.bool_ | np.ndarray | torch.Tensor):
        answer = np.ravel(np.asarray(answer))[0]
        answer = int(answer) if isinstance(answer, np.bool_) else answer
    return float(number(answer, "what your neuron says", "1 or 0 is asked for"))


def _draw_neuron(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Small whole numbers, so that many a sum is exactly 0."""
    x, w = rng.integers(-2, 3, (2, int(rng.integers(1, 2 + size)))).astype(float)
    return x, w, float(rng.integers(-3, 4))


def _draw_update(rng: np.random.Generator, size: int) -> tuple[Any, ...]:
    x, w = rng.integers(-5, 6, (2, int(rng.integers(1, 2 + size)))) / 2
    y, y_hat = rng.integers(0, 2, 2).tolist()
    return x, y, y_hat, w, float(rng.integers(-5, 6)) / 4, float(rng.choice([0.05, 0.1, 0.4, 1.5]))


def _draw_points(rng: np.random.Generator, size: int) -> tuple[float, np.ndarray, np.ndarray]:
    x, y = rng.uniform(-2, 2, (2, int(rng.integers(1, 2 + size)))).round(1)
    return round(float(rng.uniform(-2, 2)), 1), x, y


def _descend(w: float, x: np.ndarray, y: np.ndarray, rate: float, steps: int) -> list[float]:
    path = [w]
    for _ in range(steps):
        path.append(path[-1] - rate * float(np.mean(2 * x * (path[-1] * x - y))))
    return path


def _draw_descent(rng: np.random.Generator, size: int) -> tuple[Any, ...]:
    w, x, y = _draw_points(rng, size)
    return w, x, y, float(rng.choice([0.02, 0.1, 0.3])), int(rng.integers(0, 2 + size))


def _path(answer: Any) -> np.ndarray:
    return np.ravel(numbers(answer, "what you return", "the path is asked for, a list of numbers"))


def _three(answer: Any) -> list[np.ndarray]:
    found = parts(answer, 3, "return three arrays: train, validation, test")
    found = [np.ravel(numbers(part, "a part", "an array of whole numbers is asked for")) for part in found]
    return [part.astype(int) for part in found]


def _fault(three: Sequence[np.ndarray], n: int) -> str:
    """What is wrong with three parts of n, or that nothing is; how shares are rounded is open."""
    everything = np.concatenate(three)
    if not np.array_equal(np.sort(everything), np.arange(n)):
        return "parts that overlap, or miss some"
    if any(abs(len(part) - share * n) > 2 for part, share in zip(three, (0.6, 0.2, 0.2), strict=True)):
        return f"parts of {', '.join(str(len(part)) for part in three)}"
    if n > 20 and any(len(part) > 4 and np.array_equal(np.sort(part), part) for part in three):
        return "a part in sorted order"
    return "60, 20 and 20 % of 0 to n - 1, shuffled"


def _parameters(sizes: Sequence[int]) -> int:
    return sum((m + 1) * n for m, n in pairwise(sizes))


def _draw_sizes(rng: np.random.Generator, size: int) -> tuple[list[int]]:
    return (rng.integers(1, 10, int(rng.integers(2, 3 + size))).tolist(),)


def _row(numbers: np.ndarray) -> str:
    return "[" + ", ".join(f"{number:.1f}" for number in numbers) + "]"
