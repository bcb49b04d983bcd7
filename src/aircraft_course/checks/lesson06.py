"""Checks of lesson 6, transfer learning: frozen features, a linear head, fine-tuning, and what it is worth.

An assert message is the hint for that mistake; students see it, so it never holds the bare answer.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import spearmanr
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

from aircraft.models import Network, Normalize
from aircraft_course.checks.answers import number, numbers, told
from aircraft_course.checks.core import exercise
from aircraft_course.checks.reference import agree, by_chance

Array = NDArray[Any]

STALE = {"other patches", "zoom", "augmentation", "backbone weights"}  # what the features depend on
FRESH = {"learning rate of the head", "seed of the head", "weight decay of the head"}
SITUATIONS = {"A": "frozen", "B": "scratch", "C": "fine-tune"}
WAYS = {"scratch", "frozen", "fine-tune"}


def whole_sites(sites: Array, count: int, rng: np.random.Generator) -> Array:
    """(count,) indices of patches from as few randomly drawn sites as give so many."""
    names = rng.permutation(np.unique(sites))
    return np.concatenate([np.flatnonzero(sites == name) for name in names])[:count]


@exercise(
    hints=(
        "net.parameters() gives the tensors; each knows how many numbers it holds, .numel(), and whether it "
        "learns, .requires_grad.",
        "sum(weights.numel() for weights in net.parameters() if weights.requires_grad)",
    )
)
def check_trainable(trainable: Callable[[nn.Module], int]) -> None:
    net = nn.Sequential(nn.Linear(10, 4), nn.Linear(4, 1))
    everything = _number(trainable(net))
    assert everything != 4, "you count the tensors; count the numbers in them"
    assert everything == 49, (
        f"two layers, 10 to 4 and 4 to 1, have 44 + 5 numbers with their biases; you count {everything:g}"
    )
    net[0].requires_grad_(False)
    got = _number(trainable(net))
    assert got != 49, "the first layer was frozen and you still count it; which attribute tells that?"
    assert got != 44, "you count what is frozen; count what still learns"
    assert got == 5, f"with the first layer frozen 5 numbers are left to train; you count {got:g}"
    agree(
        lambda sizes, learning: trainable(_linears(sizes, learning)),
        _numbers,
        _draw_linears,
        name="trainable, of Linear layers of these sizes whose (weight, bias) learn,",
        form=_number,
    )


@exercise(
    hints=(
        "Enlarge first: how many pixels is the side then? Divide by 32. Convolutions do the same work at "
        "every place of an image; how many more places are there?",
        "The side is 64 * 2 / 32. Both the height and the width have doubled.",
    )
)
def check_enlarged(map_side: float, times_the_work: float) -> None:
    side, work = _number(map_side), _number(times_the_work)
    assert side != 2, "that is the map of the 64 x 64 patch as it is; enlarge it by 2 first"
    assert side not in (64, 128), "that is the side of the image; the backbone reduces it 32 times"
    assert side != 16, "that is how many places the map has in all; the question is about one side"
    assert side == 4, f"the enlarged patch is reduced 32 times; that does not leave {side:g} places"
    assert work != 2, "the height doubles, and what does the width do?"
    assert work == 4, (
        f"count the places that a convolution visits at zoom 1 and at zoom 2; not {work:g} times"
    )


@exercise(
    hints=(
        "Go through the images in steps of batch_size. Torch wants the channels first: "
        "torch.from_numpy(batch).permute(0, 3, 1, 2). Collect the results and join them at the end.",
        "backbone.eval(), then `with torch.inference_mode():` and in it "
        "parts.append(backbone(torch.from_numpy(batch).permute(0, 3, 1, 2)).numpy()); np.concatenate(parts)",
    )
)
def check_extract(extract: Callable[[nn.Module, Array, int], Any]) -> None:
    backbone, seen = _tiny_backbone()
    images = np.random.default_rng(6).integers(0, 256, (10, 64, 64, 3), dtype=np.uint8)
    pixels = images.copy()
    before = {name: value.clone() for name, value in backbone.state_dict().items()}
    backbone.train()
    got = extract(backbone, images, 4)
    assert got is not None, "the function returns nothing; does its last line say `return`?"
    assert not (isinstance(got, Tensor) and got.requires_grad), (
        "the features still hold on to their gradient and to every map before them: "
        "compute them inside `with torch.inference_mode():`"
    )
    features = numbers(got, "what extract returns", "one array (N, features) is asked for: join the batches")
    assert features.shape != (2, 6), "these are the features of the last batch only; collect all batches"
    assert features.shape == (10, 6), (
        f"10 images and a backbone with 6 features: the shape is (10, 6), not {features.shape}"
    )
    after = backbone.state_dict()
    still = all(torch.equal(before[name], after[name]) for name in before)
    assert still, (
        "the backbone has changed while you computed: in training mode batch norm updates its statistics, "
        "and dropout deletes features; switch to evaluation mode first"
    )
    assert np.array_equal(images, pixels), "your function changed the images that it was given"
    assert max(seen) <= 4, f"batch_size is 4, but {max(seen)} images went through at once; memory is small"
    backbone.eval()
    with torch.inference_mode():
        right = backbone(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()
        mixed = backbone(torch.from_numpy(images).reshape(10, 3, 64, 64)).numpy()
    assert not np.allclose(features, mixed, atol=1e-5), (
        "reshape mixes pixels and channels; permute moves the axis of the channels to the front"
    )
    assert np.allclose(features, right, atol=1e-4), (
        "the shape is right, the values are not: are the images in their order, and given as they are?"
    )
    for size in (3, 10, 16):  # one image in the last batch, all in one, more than there are
        seen.clear()
        some = extract(backbone, images, size)
        assert max(seen) == min(size, 10), (
            f"with a batch_size of {size} and 10 images the largest batch had {max(seen)} images"
        )
        assert np.shape(some) == (10, 6), (
            f"with a batch_size of {size}, 10 images give {np.shape(some)}, not (10, 6)"
        )
        assert np.allclose(np.asarray(some), right, atol=1e-4), (
            f"with a batch_size of {size} the features are others: are all batches joined in order?"
        )


@exercise(
    hints=(
        "Ask for each change: would the backbone get another input, or compute something else? Only then is "
        "the file out of date.",
        "Four of the seven make the file stale. The head comes after the features.",
    )
)
def check_stale(stale: Collection[str]) -> None:
    wrong_kind = not isinstance(stale, Collection) or isinstance(stale, str | Mapping)
    assert not wrong_kind, 'write a set of names, as {"zoom", "other patches"}'
    given = {str(name).strip() for name in stale}
    unknown = given - STALE - FRESH
    assert not unknown, f"{sorted(unknown)} is not in the list; copy the names from the text"
    wrong = sorted(given & FRESH)
    assert not wrong, f"{wrong[0]}: the head comes after the features; does it change what goes into them?"
    missing = sorted(STALE - given)
    assert "augmentation" not in missing, (
        "augmentation turns and re-lights the patches: would the backbone get the same pixels as before?"
    )
    assert "backbone weights" not in missing, (
        "the features are what the backbone computes; what if its weights are others?"
    )
    assert not missing, f"{len(missing)} more of the changes give the backbone another input: which?"


@exercise(
    hints=(
        "StandardScaler().fit(features) learns mean and spread from the training features; use .transform of "
        "this scaler for both sets. LogisticRegression has .decision_function for scores.",
        "model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3)).fit(features, labels); "
        "return model.decision_function(new_features)",
    )
)
def check_head(head: Callable[[Array, Array, Array], Array]) -> None:
    features, labels, fresh, truth = _two_groups()
    given = [part.copy() for part in (features, labels, fresh)]
    scores = numbers(
        head(features, labels, fresh), "what head returns", "one score for each patch is asked for"
    )
    unchanged = all(np.array_equal(a, b) for a, b in zip(given, (features, labels, fresh), strict=True))
    assert unchanged, "your function changed the features or labels that it was given; work on a copy"
    assert scores.shape != (len(fresh), 2), "these are two columns; one score for each patch is wanted"
    assert scores.shape == (len(fresh),), (
        f"for {len(fresh)} new patches return {len(fresh)} scores, not the shape {scores.shape}"
    )
    assert len(np.unique(scores)) > 2, (
        "these are decisions, 0 or 1; scores say how sure the head is, and a threshold comes later"
    )
    area = roc_auc_score(truth, scores)
    assert area > 0.5 or area > 0.1, "your scores are the wrong way round: high must mean aircraft"
    assert area > 0.9, (
        f"the AUC on an easy example is {area:.2f}: one feature there has large numbers and no meaning; "
        "are the features brought to one scale first?"
    )
    pair = np.asarray(head(features, labels, fresh[:2]))
    assert np.allclose(pair, scores[:2], atol=1e-6), (
        "the score of a patch changes with the other new patches: the scaler must learn from the training "
        "features only"
    )
    for column in (0, 1):  # each telling feature must count
        alone = fresh.copy()
        alone[:, column] = features[:, column].mean()
        assert roc_auc_score(truth, np.asarray(head(features, labels, alone))) > 0.8, (
            f"the head learns nothing from feature {1 - column}: are all features given to the regression?"
        )
    more = np.asarray(head(features, labels, np.concatenate([fresh, 10 * fresh])))[: len(fresh)]
    assert np.allclose(more, scores, atol=1e-6), (
        "the score of a patch changes with the other new patches: learn the scale from the training features"
    )
    features, labels, fresh, _ = _many_features()
    asked = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3)).fit(features, labels)
    order = spearmanr(
        numbers(head(features, labels, fresh), "what head returns"), asked.decision_function(fresh)
    )
    assert order.statistic > 0.999, (
        "with 60 features and 40 patches, your scores put the new patches in another order than a logistic "
        "regression with C=1e-3 on features of one scale: has yours this C?"
    )


@exercise(
    hints=(
        "rng.permutation(np.unique(sites)) shuffles the names of the sites. Put the indices of the patches "
        "of the first site, of the second, ... one after the other.",
        "np.concatenate([np.flatnonzero(sites == name) for name in names]), and of it the first `count`.",
    )
)
def check_draw_sites(draw_sites: Callable[[Array, int, np.random.Generator], Array]) -> None:
    sites = np.random.default_rng(3).permutation(np.repeat([f"site {k:02d}" for k in range(20)], 10))
    index = np.asarray(draw_sites(sites, 25, np.random.default_rng(0)))
    assert index.dtype.kind in "iu", f"return indices, whole numbers, not {index.dtype}"
    assert index.shape == (25,), f"25 patches were asked for; the shape of your answer is {index.shape}"
    assert len(np.unique(index)) == 25, "some patch comes twice"
    used = len(np.unique(sites[index]))
    assert used == 3, (
        f"your 25 patches come from {used} sites; 3 sites with 10 patches each are enough: take all patches "
        "of a site before you go on to the next"
    )
    draws = {tuple(sorted(set(sites[draw_sites(sites, 10, np.random.default_rng(k))]))) for k in range(6)}
    assert len(draws) > 1, "another random generator gives the same sites; shuffle their names with rng"
    agree(
        lambda sites, count: _places(sites, draw_sites(sites, count, np.random.default_rng(count))),
        lambda sites, count: (min(count, len(sites)), True, True),
        _draw_places,
        name="draw_sites: how many patches, all different, all but one of their sites whole",
    )
    by_chance(lambda rng: np.sort(draw_sites(sites, 50, rng)), "draw_sites", given=sites)


@exercise(
    hints=(
        "Two things must stop: the gradients that change the weights, and batch norm, which keeps counting "
        "in training mode.",
        "backbone.requires_grad_(False) does the first, backbone.eval() the second.",
    )
)
def check_freeze(freeze: Callable[[nn.Module], Any]) -> None:
    backbone, _ = _tiny_backbone()
    backbone.train()
    freeze(backbone)
    learning = [name for name, weights in backbone.named_parameters() if weights.requires_grad]
    moving = [name for name, module in backbone.named_modules() if module.training]
    assert not learning or not moving, (
        "nothing has been frozen yet: its weights still learn, and batch norm still counts"
    )
    assert not learning, (
        "the weights still get gradients, so an optimiser would change them; which attribute of a parameter "
        "switches that off?"
    )
    assert not moving, (
        "the weights are fixed, but batch norm still updates its mean and spread with every batch that comes "
        "through: in which mode does it leave them alone?"
    )
    nested = nn.Sequential(
        nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.BatchNorm1d(2), nn.Dropout())), nn.Linear(2, 1)
    )
    before = {name: value.clone() for name, value in nested.state_dict().items()}
    freeze(nested.train())
    assert not any(weights.requires_grad for weights in nested.parameters()), (
        "of a network inside a network some weights still learn; freeze all of its parameters"
    )
    assert not any(module.training for module in nested.modules()), (
        "of a network inside a network some parts still train; freeze all of its modules"
    )
    same = all(torch.equal(before[name], value) for name, value in nested.state_dict().items())
    assert same, "freezing changed the numbers of the backbone; it should only stop them from changing"


@exercise(
    hints=(
        "How many patches does the network see in all, each counted as often as it comes?",
        "steps * batch is what it sees; divide by how many different ones there are.",
    )
)
def check_rounds(rounds: Callable[[int, int, int], float]) -> None:
    got = _number(rounds(100, 32, 64))
    assert got != 100 / 64, "a step shows a whole batch, not one patch"
    assert got != 3200, "that is what the network sees in all; how many different patches are there?"
    assert got != 0.02, "you have it upside down: more patches, fewer rounds"
    assert np.isclose(got, 50), (
        f"100 steps of 32 are 3,200 views; of 64 patches each comes 50 times, not {got:g}"
    )
    assert np.isclose(_number(rounds(60, 32, 800)), 2.4), "60 steps of 32 are 2.4 rounds of 800 patches"
    agree(rounds, lambda steps, batch, patches: steps * batch / patches, _draw_steps, form=_number)


@exercise(
    hints=(
        "A group is a dictionary: {'params': [...], 'lr': ...}. net.layers[:-1] is the backbone, "
        "net.layers[-1] the head.",
        "[{'params': list(net.layers[:-1].parameters()), 'lr': backbone_rate}, and the same for the head]",
    )
)
def check_two_rates(two_rates: Callable[[nn.Module, float, float], Sequence[Mapping[str, Any]]]) -> None:
    net = Network(
        nn.Sequential(nn.Conv2d(3, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3), nn.Linear(3, 1)),
        stride=None,
    )
    groups = two_rates(net, 1e-4, 1e-2)
    asked = "return a list of groups, each of them a dictionary with 'params' and 'lr'"
    assert isinstance(groups, list | tuple), f"{asked}, not {told(groups)}"
    rates: dict[int, list[float]] = {}
    for group in groups:
        assert isinstance(group, Mapping), asked
        missing = {"params", "lr"} - set(group)
        assert not missing, f"a group lacks the key {sorted(missing)[0]!r}"
        params, rate = group["params"], float(number(group["lr"], "the 'lr' of a group"))
        assert not isinstance(params, nn.Module), "'params' are a network; give its .parameters()"
        for weights in [params] if isinstance(params, Tensor) else list(params):
            rates.setdefault(id(weights), []).append(rate)
    head = [rates.get(id(weights), []) for weights in net.layers[-1].parameters()]
    backbone = [rates.get(id(weights), []) for weights in net.layers[:-1].parameters()]
    assert all(len(found) < 2 for found in head + backbone), (
        "some weights are in both groups, and the optimiser refuses that: is the head among the backbone?"
    )
    assert any(head), "the head is in no group: it would never learn"
    assert any(backbone), "the backbone is in no group: that is a frozen network, not fine-tuning"
    assert all(head + backbone), "some weights are in no group; take all parameters of each part"
    assert not (head[0] == [1e-4] and backbone[0] == [1e-2]), (
        "the rates are the wrong way round: who starts at random and has a long way to go?"
    )
    assert all(found == [1e-2] for found in head), "the whole head needs the rate head_rate"
    assert all(found == [1e-4] for found in backbone), "the whole backbone needs the rate backbone_rate"
    others = {float(group["lr"]) for group in two_rates(net, 0.003, 0.5)}
    assert others == {0.003, 0.5}, f"with the rates 0.003 and 0.5 your groups have the rates {sorted(others)}"


@exercise(
    hints=(
        "Go through sizes and scores together, the smallest size first. What is the answer at the first "
        "score that is high enough?",
        "A for loop over zip(sizes, scores) with `if score >= target: return size`; None after the loop.",
    )
)
def check_patches_needed(patches_needed: Callable[[Sequence[int], Sequence[float], float], Any]) -> None:
    sizes, scores = [10, 40, 160, 640], [0.6, 0.8, 0.9, 0.95]
    got = patches_needed(sizes, scores, 0.85)
    assert got is not None, "the function found nothing, but 0.9 is above 0.85"
    got = _number(got)
    assert got not in (2, 0.9), "that is a place in the list or a score; the number of patches is asked for"
    assert got != 640, "640 patches are enough, but so are fewer: take the first size that reaches it"
    assert got == 160, f"0.85 is first reached with 160 patches, your function says {got:g}"
    assert patches_needed(sizes, scores, 0.9) == 160, "a score equal to the target has reached it"
    assert patches_needed(sizes, scores, 0.99) is None, (
        "no size reaches 0.99; then return None, because nobody has measured how many it would take"
    )
    agree(patches_needed, _patches_needed, _draw_learning)


@exercise(
    hints=(
        "The axes are patch, channel, row, column. For a side of 8 the central half is 2:6; for a side of 4 "
        "it is 1:3. Cut both axes, then take the mean over both.",
        "q = maps.shape[-1] // 4; maps[:, :, q:-q, q:-q].mean(axis=(2, 3))",
    )
)
def check_centre_mean(centre_mean: Callable[[Array], Array]) -> None:
    rng = np.random.default_rng(6)
    for side in (8, 4):
        maps = rng.normal(size=(3, 5, side, side)).astype(np.float32)
        got = np.asarray(centre_mean(maps))
        q = side // 4
        assert got.shape == (3, 5), (
            f"3 patches with 5 channels must give (3, 5), not {got.shape}: take the mean over rows, columns"
        )
        assert not np.allclose(got, maps.mean(axis=(2, 3)), atol=1e-5), (
            "that is the mean over the whole map; cut out its centre first"
        )
        for strip in (maps[:, :, q:-q], maps[:, :, :, q:-q]):
            assert not np.allclose(got, strip.mean(axis=(2, 3)), atol=1e-5), (
                "you cut a strip: the centre is the central half of the rows AND of the columns"
            )
        corner = maps[:, :, : side // 2, : side // 2]
        assert not np.allclose(got, corner.mean(axis=(2, 3)), atol=1e-5), (
            "that is the upper left quarter; the centre begins a quarter of the side further in"
        )
        assert np.allclose(got, maps[:, :, q:-q, q:-q].mean(axis=(2, 3)), atol=1e-5), (
            f"with a side of {side} the centre is the places {q} to {side - q - 1}; check where you cut"
        )
    agree(centre_mean, _centre_mean, _draw_maps)


@exercise(
    hints=(
        "How many labelled patches are there? Are they photographs, as ImageNet's? How much time is there?",
        "One answer for each letter: the few patches, the million, and the one with time to spare.",
    )
)
def check_strategy(strategy: Mapping[str, str]) -> None:
    assert isinstance(strategy, Mapping), 'write a dictionary, as {"A": "scratch", "B": ..., "C": ...}'
    assert set(strategy) == set(SITUATIONS), "answer for A, B and C"
    for letter, way in strategy.items():
        assert str(way).strip() in WAYS, f"{letter}: {way!r} is none of {', '.join(sorted(WAYS))}"
    given = {letter: str(way).strip() for letter, way in strategy.items()}
    assert given["A"] != "scratch", "A: look at the left end of the learning curve; who is lowest there?"
    assert given["A"] == "frozen", "A: think of the clock, too: what does one step of fine-tuning cost?"
    assert given["B"] == "scratch", (
        "B: the first layer of the backbone takes 3 channels of a photograph; what would it do with 8 of a "
        "radar, and are labels scarce here?"
    )
    assert given["C"] != "scratch", "C: a few hundred patches; who is above whom there in the learning curve?"
    assert given["C"] == "fine-tune", (
        "C: the frozen head has been tried and is not enough; what else can move?"
    )


def _linears(sizes: Sequence[int], learning: Sequence[tuple[bool, bool]]) -> nn.Module:
    """Linear layers, the first one a network inside the network; made without drawing random numbers."""
    first, *others = [nn.Linear(a, b, device="meta").to_empty(device="cpu") for a, b in pairwise(sizes)]
    net = nn.Sequential(nn.Sequential(first, nn.BatchNorm1d(sizes[1], affine=False), nn.ReLU()), *others)
    for layer, (weight, bias) in zip([first, *others], learning, strict=True):
        layer.weight.requires_grad_(weight)
        layer.bias.requires_grad_(bias)
    return net


def _numbers(sizes: Sequence[int], learning: Sequence[tuple[bool, bool]]) -> int:
    return sum(
        a * b * weight + b * bias for (a, b), (weight, bias) in zip(pairwise(sizes), learning, strict=True)
    )


def _draw_linears(rng: np.random.Generator, size: int) -> tuple[list[int], list[tuple[bool, bool]]]:
    sizes = rng.integers(1, 9, 2 + size).tolist()
    return sizes, [(bool(weight), bool(bias)) for weight, bias in rng.random((1 + size, 2)) < 0.6]


def _places(sites: Array, index: Any) -> tuple[int, bool, bool]:
    """How many patches were drawn; whether all differ; whether all of their sites but one are whole."""
    index = np.asarray(index)
    whole = [bool(np.isin(np.flatnonzero(sites == name), index).all()) for name in np.unique(sites[index])]
    return len(index), len(np.unique(index)) == len(index), sum(whole) >= len(whole) - 1


def _draw_places(rng: np.random.Generator, size: int) -> tuple[Array, int]:
    sites = rng.permutation(np.repeat([f"site {k}" for k in range(2 + size)], rng.integers(1, 6, 2 + size)))
    return sites, int(rng.integers(1, len(sites) + 1))


def _draw_steps(rng: np.random.Generator, size: int) -> tuple[int, int, int]:
    steps, batch, patches = (1 + rng.permutation(50 * size)[:3]).tolist()
    return steps, batch, patches


def _patches_needed(sizes: Sequence[int], scores: Sequence[float], target: float) -> int | None:
    return next((size for size, score in zip(sizes, scores, strict=True) if score >= target), None)


def _draw_learning(rng: np.random.Generator, size: int) -> tuple[list[int], list[float], float]:
    """Scores that rise on the whole, but not always; the target is one of them, or between two, or beyond."""
    count = size + int(rng.integers(1, 3))
    sizes = np.cumsum(rng.integers(5, 90, count)).tolist()
    scores = (0.5 + rng.permutation(count) / 50).tolist()
    return sizes, scores, float(rng.choice([*scores, 0.51, 0.75]))


def _centre_mean(maps: Array) -> Array:
    q = maps.shape[3] // 4
    return maps[:, :, q : 3 * q, q : 3 * q].mean(axis=(2, 3))


def _draw_maps(rng: np.random.Generator, size: int) -> tuple[Array]:
    """Square maps whose side is a multiple of 4, and more patches or channels than one."""
    patches, channels = rng.integers(1, 3 + size, 2)
    side = 4 * int(rng.integers(1, 4))
    return (rng.normal(size=(patches, channels, side, side)).round(2),)


def _number(answer: Any) -> float:
    return float(number(answer, "your answer", "one number is asked for: does the function say `return`?"))


def _tiny_backbone() -> tuple[nn.Module, list[int]]:
    """From (n, 3, 64, 64) uint8 to (n, 6), with batch norm and dropout; and how many came each time."""
    seen: list[int] = []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        backbone = nn.Sequential(
            Normalize(), nn.Conv2d(3, 6, 5, stride=4), nn.BatchNorm2d(6), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2),
        )  # fmt: skip
    backbone.register_forward_pre_hook(lambda _, inputs: seen.append(len(inputs[0])))
    return backbone, seen


def _two_groups() -> tuple[Array, Array, Array, Array]:
    """Features and labels to train and to test: two small features tell, a large one says nothing."""
    rng = np.random.default_rng(6)
    labels = rng.permutation(np.arange(400) % 2)
    telling = 0.01 * (rng.normal(size=(400, 2)) + 2.5 * labels[:, None])
    features = np.concatenate([telling, rng.normal(size=(400, 1), scale=100)], axis=1)
    return features[:200], labels[:200], features[200:], labels[200:]


def _many_features() -> tuple[Array, Array, Array, Array]:
    """As `_two_groups`, with fewer patches than features, so that it matters how freely weights may grow."""
    rng = np.random.default_rng(7)
    labels = rng.permutation(np.arange(140) % 2)
    features = rng.normal(size=(140, 60), scale=rng.uniform(0.1, 5, 60)) + 0.3 * labels[:, None]
    return features[:40], labels[:40], features[40:], labels[40:]
