"""Checks of lesson 3, toy classification: data, network, loss, training loop, confusion, ROC, threshold.

An assert message is the hint for that mistake; students see it, so it never holds the bare answer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, TensorDataset, default_collate

from aircraft import models
from aircraft.patches import Patches
from aircraft_course.checks.answers import number, numbers, parts, told, undisturbed
from aircraft_course.checks.core import exercise
from aircraft_course.checks.reference import agree


@exercise(
    hints=(
        "images / 255 brings the numbers to 0 ... 1. Then numpy's mean and std take the argument axis=..., "
        "which may be a tuple of axes to average over.",
        "The axes are (patch, row, column, colour). Average over the first three: "
        "images.mean(axis=(0, 1, 2)).",
    )
)
def check_mean_and_spread(mean_and_spread: Callable[[np.ndarray], tuple[Any, Any]]) -> None:
    rng = np.random.default_rng(3)
    images = (rng.integers(0, 256, (5, 64, 64, 3)) // np.array([1, 2, 4])).astype(np.uint8)
    images //= np.array([1, 2, 3, 4, 5], np.uint8)[:, None, None, None]  # bright patches and dark ones
    pair = _pair(mean_and_spread(images.copy()), "return two things: the mean and the spread")
    each = (images / 255).std(axis=(1, 2)).mean(axis=0)
    right = images.mean(axis=(0, 1, 2)) / 255, images.std(axis=(0, 1, 2)) / 255
    for name, got, wanted in zip(("mean", "spread"), pair, right, strict=True):
        got = numbers(got, f"the {name}", "an array of 3 numbers is asked for, one for each colour")
        assert got.shape != (), (
            f"the {name} is one number for all colours; give one number for each of the 3 colours"
        )
        assert got.shape == (3,), (
            f"the {name} has the shape {got.shape}; average over patches, rows and columns, "
            "so that only the three colours are left"
        )
        assert got.max() <= 1, (
            f"the {name} goes up to {got.max():.0f}: bring the pixels from 0 ... 255 to 0 ... 1 first"
        )
        assert name == "mean" or not np.allclose(got, each, atol=1e-3), (
            "this is the spread within a patch, averaged over the patches; bright patches differ from dark "
            "ones as well: take the spread of all pixels at once"
        )
        assert name == "mean" or not np.allclose(got, wanted**2, atol=1e-3), (
            "this is the square of the spread, the variance (var); the spread is its root (std)"
        )
        assert np.allclose(got, wanted, atol=1e-3), (
            f"the {name} of red should be about {wanted[0]:.2f} here, yours is {got[0]:.2f}"
            + ("; is the spread the standard deviation (std)?" if name == "spread" else "")
        )
    agree(
        mean_and_spread,
        lambda images: ((images / 255).mean(axis=(0, 1, 2)), (images / 255).std(axis=(0, 1, 2))),
        _draw_patches,
        form=lambda pair: [numbers(part, "a part") for part in pair],
        within=3e-4,  # n or n - 1
    )


@exercise(
    hints=(
        "A Python set holds each name once: set(first). Which operator gives what two sets have in common?",
        "set(first) & set(second), or numpy.intersect1d(first, second).",
    )
)
def check_shared_sites(shared_sites: Callable[[np.ndarray, np.ndarray], Iterable[str]]) -> None:
    first, second = np.array(["a", "b", "b", "c", "d"]), np.array(["d", "e", "b", "f"])
    answer = shared_sites(first, second)
    names = _names(answer)
    both = {"b", "d"}
    assert set(names) != set("abcdef"), (
        "these are the sites of either part; wanted are those that are in both"
    )
    assert set(names) not in ({"a", "c"}, {"e", "f"}), (
        "these sites are in one part only; wanted are those in both"
    )
    assert set(names) == both, (
        f"of {first.tolist()} and {second.tolist()} your answer is {sorted(set(names))}; "
        "a site can stand at different places in the two lists"
    )
    assert len(names) == len(set(names)), "a site is named more than once; give each name once"
    assert not _names(shared_sites(np.array(["a"]), np.array(["b"]))), (
        "with no site in common the answer is empty"
    )
    agree(
        shared_sites,
        lambda first, second: set(first.tolist()) & set(second.tolist()),
        _draw_sites,
        form=lambda answer: sorted(_names(answer)),
        tell="each name that is in both, once",
    )


@exercise(
    hints=(
        "__len__: how many labels are there? __getitem__: take one image and one label by index, make "
        "tensors of them, and bring the image from (64, 64, 3) and 0 ... 255 to (3, 64, 64) and 0 ... 1.",
        "image = torch.tensor(self.patches.images[index]).permute(2, 0, 1) / 255 and "
        "label = torch.tensor(float(self.patches.labels[index])).",
    )
)
def check_patch_dataset(PatchDataset: Callable[[Patches], Dataset]) -> None:
    rng = np.random.default_rng(5)
    images = rng.integers(0, 256, (7, 64, 64, 3)).astype(np.uint8)
    labels = np.array([0, 1, 1, 0, 1, 0, 0], np.uint8)
    data: Any = PatchDataset(Patches(images, labels, np.array(["here"] * 7)))
    length = type(data).__len__(data)
    assert length is not None, (
        "the data set has no length: __len__ returns None, is the line `return` missing?"
    )
    assert isinstance(length, int), (
        f"__len__ returns {told(length)}; it is a whole number, how many there are"
    )
    assert length == 7, f"the data set of 7 patches says that it has {length}"
    image, label = parts(data[2], 2, "data[2] must give two things: the image and its label")
    assert isinstance(image, Tensor), f"the image must be a tensor, this is {told(image)}"
    assert image.shape != (64, 64, 3), (
        "the image is (64, 64, 3); PyTorch wants the channels first: (3, 64, 64)"
    )
    assert image.shape == (3, 64, 64), f"the image has the shape {tuple(image.shape)}, not (3, 64, 64)"
    assert image.is_floating_point(), (
        f"the image is {image.dtype}; a network computes with floats: divide by 255"
    )
    assert image.max() <= 1.0001, f"the pixels go up to {image.max():.0f}; they should lie between 0 and 1"
    wanted = torch.tensor(images[2]).permute(2, 0, 1) / 255
    scrambled = torch.tensor(images[2]).reshape(3, 64, 64) / 255
    assert not torch.allclose(image.float(), scrambled, atol=1e-3), (
        "the shape is right, but the picture is scrambled: reshape only cuts the row of numbers anew; "
        "which function moves axes?"
    )
    turned = wanted.transpose(1, 2)
    assert not torch.allclose(image.float(), turned, atol=1e-3), (
        "rows and columns have changed places; keep rows before columns"
    )
    assert torch.allclose(image.float(), wanted, atol=1e-3), (
        "these are not the pixels of patch 2, from 0 to 1"
    )
    assert number(label, "the label") == 1, f"the label of patch 2 is 1, yours is {label}"
    images, labels = default_collate([data[2], data[0]])  # as a DataLoader does
    assert labels.is_floating_point(), (
        f"the label is {labels.dtype}; the loss compares it with a float, so make it a float too"
    )
    assert labels.dtype == torch.float32, (
        "a loader turns plain Python floats into float64, twice as long as the network's numbers; "
        "make the label a tensor with torch.tensor(...)"
    )
    assert images.dtype == torch.float32, f"the image is {images.dtype}; the weights of a network are float32"
    assert float(data[0][1]) == 0, "another index must give another patch"
    assert not torch.equal(data[0][0], data[2][0]), "another index must give another image"
    assert torch.equal(data[0][0], images[1]), "the same index must give the same image again"

    def item(images: np.ndarray, labels: np.ndarray, index: int) -> list[Any]:
        data: Any = PatchDataset(Patches(images, labels, np.array(["here"] * len(images))))
        image, label = data[index]
        return [len(data), float(label), image[:, ::21, ::21]]

    agree(
        item,
        lambda images, labels, index: [
            len(images),
            float(labels[index]),
            np.moveaxis(images[index][::21, ::21], 2, 0) / 255,
        ],
        _draw_dataset,
        name="its length, and label and pixels of an index: for images, labels and the index",
    )


@exercise(
    hints=(
        "DataLoader takes the data set, batch_size=..., and shuffle=True or False. When is shuffling wanted?",
        "DataLoader(dataset, batch_size=64, shuffle=training): the last batch may be smaller.",
    )
)
def check_make_loader(make_loader: Callable[..., DataLoader]) -> None:
    count = 150
    dataset = TensorDataset(torch.arange(count).float(), torch.zeros(count))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        loader = make_loader(dataset, training=False)
        assert isinstance(loader, DataLoader), f"return a DataLoader, this is {told(loader)}"
        quiet = [batch[0] for batch in loader]
        loader = make_loader(dataset, training=True)
        assert isinstance(loader, DataLoader), (
            f"return a DataLoader, with training=True this is {told(loader)}"
        )
        first, second = [batch[0] for batch in loader], [batch[0] for batch in loader]
    for name, batches in (("validation", quiet), ("training", first)):
        most = max(len(batch) for batch in batches)
        assert most == 64, f"the batches of the {name} loader hold {most} patches, not 64"
    for name, batches in (("validation", quiet), ("training", first)):
        seen = torch.cat(batches).sort()[0]
        assert len(seen) == count, (
            f"of {count} patches the {name} loader gives {len(seen)}; "
            "the last, smaller batch belongs to it too"
        )
        assert torch.equal(seen, torch.arange(count).float()), (
            f"in one pass the {name} loader must give each patch once"
        )
    assert torch.equal(torch.cat(quiet), torch.arange(count).float()), (
        "for validation the patches must stay in order, so that scores and labels fit together later"
    )
    in_order = torch.equal(torch.cat(first), torch.arange(count).float())
    assert not in_order, "in training the patches come in the stored order; they should be shuffled"
    assert not torch.equal(torch.cat(first), torch.cat(second)), (
        "every epoch needs a new order, yours repeats the first one"
    )

    def batches_of(count: int, training: bool) -> list[Any]:
        dataset = TensorDataset(torch.arange(count).float(), torch.arange(count).float() / 2)
        found = [(batch[0], batch[1]) for batch in undisturbed(make_loader)(dataset, training=training)]
        seen = torch.cat([images for images, _ in found])
        fits = torch.equal(torch.cat([labels for _, labels in found]), seen / 2)
        return [[len(images) for images, _ in found], sorted(seen.tolist()) if training else seen, fits]

    agree(
        undisturbed(batches_of),
        lambda count, training: [
            [*[64] * (count // 64), *[count % 64] * (count % 64 > 0)],
            range(count),
            True,
        ],
        lambda rng, size: (int(rng.integers(1, 1 + 25 * size)), bool(rng.integers(2))),
        name="the batches of make_loader, for a number of patches and training,",
    )


@exercise(
    hints=(
        "Go from top to bottom. A convolution takes as many channels as the layer above gives. "
        "A 3 x 3 convolution without padding makes the picture 2 pixels smaller, a pool halves it.",
        "64 -> 62 -> 60 -> pool 30 -> 28 -> 26 -> 24 -> pool 12. "
        "Flatten gives 32 channels of 12 x 12 in one row.",
    )
)
def check_toy_cnn(ToyCNN: Callable[[], nn.Module]) -> None:
    generator = torch.Generator().manual_seed(1)
    images = torch.rand(4, 3, 64, 64, generator=generator)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = ToyCNN()
    assert isinstance(model, nn.Module), f"ToyCNN() is {told(model)}; it must be a network, an nn.Module"
    model.eval()
    padding = [part.padding for part in model.modules() if isinstance(part, nn.Conv2d)]
    assert all(one in ("valid", 0, (0, 0)) for one in padding), (
        "leave padding away: lesson 8 needs a network without it"
    )
    with torch.no_grad():
        logits = _run(model, images)
    reference = models.build("toy_cnn").eval()
    got, wanted = ([tuple(p.shape) for p in net.parameters()] for net in (model, reference))
    ours, theirs = [shape for shape in got if len(shape) > 1], [shape for shape in wanted if len(shape) > 1]
    assert len(ours) == len(theirs), (
        f"the network has {len(ours)} layers with weights, the table shows {len(theirs)}"
    )
    for layer, (yours, ours_) in enumerate(zip(ours, theirs, strict=True), start=1):
        what = f"layer {layer} of those with weights"
        assert yours[0] == ours_[0] or layer < len(ours), (
            f"the last layer gives {yours[0]} numbers a patch; one logit is enough"
        )
        assert yours[0] == ours_[0], (
            f"{what} gives {yours[0]} channels; the comment at its right says another number"
        )
        assert yours == ours_, f"{what} has weights of {yours}; compare with the table above"
    assert isinstance(logits, Tensor), f"the network gives {told(logits)}; it must give a tensor of logits"
    assert logits.shape != (4, 1), "4 patches give logits of shape (4, 1); flatten them to (4,)"
    assert logits.shape == (4,), f"4 patches give logits of shape {tuple(logits.shape)}, not (4,)"
    assert got == wanted, "each layer has a weight and a bias; leave both as they are by default"
    with torch.no_grad():
        for parameter, value in zip(reference.parameters(), model.parameters(), strict=True):
            fan = value[0].numel() if value.ndim > 1 else 50
            value.copy_(torch.randn(value.shape, generator=generator) * (2 / fan) ** 0.5)  # so that all tells
            parameter.copy_(value)
        right, logits = reference(images), model(images)
        one, again = model(images[:1]), undisturbed(model.train())(images)
    assert not torch.allclose(logits, right.sigmoid(), atol=1e-4), (
        "the network ends with a sigmoid; let it end with the logit, the loss does the rest"
    )
    assert torch.allclose(logits, right, atol=1e-3), (
        "the layers are right, but the result is not: is a ReLU or a pool missing, or at another place? Is "
        "(x - 0.5) / 0.25 still there?"
    )
    assert one.shape == (1,), f"one patch gives logits of shape {tuple(one.shape)}, not (1,)"
    assert torch.allclose(again, right, atol=1e-3), (
        "in training the network gives other numbers than in evaluation; the table shows no such layer"
    )


@exercise(
    hints=(
        "First turn the logits into probabilities p with torch.sigmoid. An aircraft costs -log(p), "
        "a background patch costs -log(1 - p).",
        "p = torch.sigmoid(logits); return -(labels * p.log() + (1 - labels) * (1 - p).log()).mean()",
    )
)
def check_bce(bce: Callable[[Tensor, Tensor], Tensor]) -> None:
    generator = torch.Generator().manual_seed(2)
    for count in (6, 40, 1):
        logits = torch.randn(count, generator=generator) * 3
        labels = (torch.rand(count, generator=generator) < 0.5).float()
        if count > 1:
            labels[0], labels[1] = 0, 1
        right = functional.binary_cross_entropy_with_logits(logits, labels)
        answer = bce(logits.clone(), labels.clone())
        assert answer is not None, "the function returns nothing"
        assert isinstance(answer, Tensor), (
            f"the loss is {told(answer)}; a training needs a tensor, which knows its origin: no .item()"
        )
        got = answer.detach()
        assert got.ndim == 0, (
            f"the result has the shape {tuple(got.shape)}; take the mean over the patches, one number"
        )
        assert not got.isnan(), "the result is nan: a logit can be negative, and its logarithm does not exist"
        assert got >= 0, (
            f"a loss is never negative, yours is {got:.3f}: mind the minus sign, log of a share is below 0"
        )
        assert count == 1 or not torch.isclose(got, right * count, rtol=1e-3), (
            "this is the sum over the patches; wanted is the mean"
        )
        halves = [
            -(y * functional.logsigmoid(s)).mean() for y, s in ((labels, logits), (1 - labels, -logits))
        ]
        assert count == 1 or not torch.isclose(got, halves[0], rtol=1e-3), (
            "this counts the aircraft only; what do background patches cost?"
        )
        assert count == 1 or not torch.isclose(got, halves[1], rtol=1e-3), (
            "this counts the background only; what do the aircraft cost?"
        )
        swapped = functional.binary_cross_entropy_with_logits(-logits, labels)
        assert not torch.isclose(got, swapped, rtol=1e-3), (
            "a sure and right answer costs much in yours: are p and 1 - p swapped?"
        )
        assert torch.isclose(got, right, rtol=1e-3, atol=1e-5), (
            f"for logits {_short(logits)} and labels {_short(labels)} the loss is {right:.3f}, "
            f"yours is {got:.3f}"
        )
    logits = torch.tensor([0.5, -1.0, 2.0], requires_grad=True)
    value = bce(logits, torch.tensor([1.0, 0.0, 0.0]))
    assert value.requires_grad, (
        "the value is right, but it cannot be trained: it has forgotten how it was computed from the logits; "
        "use torch's functions only, without .item(), .detach() or numpy"
    )
    value.backward()
    slopes = numbers(logits.grad, "the gradient of your loss")
    assert np.allclose(slopes, [-0.1258, 0.0896, 0.2936], atol=1e-3), (
        "the value is right, but its gradient is not: compute all of it with torch's functions"
    )
    agree(bce, functional.binary_cross_entropy_with_logits, _draw_logits, within=1e-4)


@exercise(
    hints=(
        "Five lines for each batch: forget the old gradients, run the network, compute the loss, "
        "compute the gradients, move the weights. And add up the loss for the report.",
        "optimizer.zero_grad(); loss = loss_fn(model(images), labels); loss.backward(); optimizer.step(); "
        "total += loss.item() * len(labels). At the end return total / len(loader.dataset).",
    )
)
def check_train_one_epoch(train_one_epoch: Callable[..., float]) -> None:
    loader = _small_loader()
    model = _Line()
    model.eval()
    start = model.weights()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    loss_fn = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(1.5))  # not the usual one: the argument counts
    answers = [train_one_epoch(model, loader, optimizer, loss_fn) for _ in range(2)]
    assert model.seen, "the network never ran: call model(images) for every batch of the loader"
    end = model.weights()
    assert not torch.allclose(end, start), (
        "the weights have not moved: which call changes them, and does it come after backward?"
    )
    right, losses, batch_means = _by_hand(clear=True)
    piled, _, _ = _by_hand(clear=False)
    assert len(model.seen) == 4, (
        f"in two epochs of 2 batches the network should run 4 times, it ran {len(model.seen)} times"
    )
    assert not torch.allclose(end, piled, atol=1e-5), (
        "the gradients of all batches pile up: PyTorch adds new gradients to the old ones "
        "until you clear them"
    )
    assert torch.allclose(end, right, atol=1e-5), (
        "the weights move, but not as they should: for each batch clear the gradients, "
        "then loss, backward, step, once each"
    )
    assert all(training for training, _ in model.seen), (
        "call model.train() first: some layers behave differently in training"
    )
    for epoch, answer in enumerate(answers):
        _check_epoch_loss(answer, losses[epoch], batch_means[epoch])


def _check_epoch_loss(answer: Any, loss: float, batch_mean: float) -> None:
    assert answer is not None, "the network learns; now return the mean loss of the epoch"
    is_live = isinstance(answer, Tensor) and answer.requires_grad
    assert not is_live, (
        "the result is a tensor that holds on to its gradients; take the plain number with .item()"
    )
    got = number(answer, "what you return", "the mean loss is asked for, a plain number")
    assert not np.isclose(got, loss * 5, rtol=1e-4), (
        "this is the sum over all patches; divide by their number"
    )
    assert not np.isclose(got, batch_mean, rtol=1e-4), (
        "this is the mean over the batches, but the last batch is smaller: "
        "let each batch count with its number of patches"
    )
    assert np.isclose(got, loss, rtol=1e-4), (
        f"the mean loss over the 5 patches is {loss:.4f}, yours is {got:.4f}"
    )


@exercise(
    hints=(
        "Switch the network to evaluation with model.eval(), compute without gradients, collect all logits "
        "and labels (torch.cat), then compute both numbers once.",
        "with torch.no_grad(): logits = torch.cat([model(images.to(device)) for images, _ in loader]). "
        "An alarm is logits > 0; accuracy is the share of patches where alarm and label agree.",
    )
)
def check_validate(validate: Callable[..., tuple[float, float]]) -> None:
    images = torch.tensor([[-2.0], [-0.5], [0.3], [0.4], [3.0], [-1.0], [0.2]])
    labels = torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    loader = DataLoader(TensorDataset(images, labels), batch_size=4)
    model = _Echo()
    model.train()
    pair = _pair(
        validate(model, loader, nn.BCEWithLogitsLoss()), "return two numbers: the loss and the accuracy"
    )
    assert model.seen, "the network never ran: call model(images) for every batch of the loader"
    assert not any(training for training, _ in model.seen), (
        "the network is still in training mode, where dropout, for example, is random: "
        "call model.eval() first"
    )
    assert not any(gradients for _, gradients in model.seen), (
        "gradients are recorded, which costs time and memory; judge the network inside torch.no_grad()"
    )
    loss, accuracy = number(pair[0], "the loss"), number(pair[1], "the accuracy")
    logits = images[:, 0]
    right = float(functional.binary_cross_entropy_with_logits(logits, labels))
    share = float(((logits > 0) == (labels > 0)).float().mean())
    half = float(((logits > 0.5) == (labels > 0)).float().mean())
    assert not (np.isclose(accuracy, right, atol=1e-4) and np.isclose(loss, share, atol=1e-4)), (
        "first the loss, then the accuracy"
    )
    assert not np.isclose(accuracy, half, atol=1e-4), (
        f"the accuracy is {share:.3f} here, yours is {accuracy:.3f}: the network gives logits; "
        "which logit is a probability of 0.5?"
    )
    assert not np.isclose(accuracy, share * 7, atol=1e-4), (
        "this is the number of right answers; divide by the number of patches"
    )
    assert np.isclose(accuracy, share, atol=1e-4), (
        f"the accuracy is {share:.3f} here, yours is {accuracy:.3f}"
    )
    assert np.isclose(loss, right, atol=1e-4), (
        f"the loss over all 7 patches is {right:.4f}, yours is {loss:.4f}; "
        "is the last, smaller batch weighed rightly?"
    )
    agree(
        undisturbed(lambda *given: validate(*_judged(*given))),  # a loader draws a number for itself
        _validate,
        _draw_validation,
        form=lambda pair: [float(number(part, "a part")) for part in pair],
        name="for logits, labels, a batch size and the pos_weight of loss_fn, validate",
        within=1e-4,
    )


@exercise(
    hints=(
        "Better than ever before? Then remember the loss and a copy of the weights, and set the counter "
        "to 0. Else count one more. Stop when the counter has reached the patience.",
        "copy.deepcopy(model.state_dict()) makes a copy; return self.waited >= self.patience.",
    )
)
def check_keep_best(KeepBest: Callable[..., Any]) -> None:
    model = nn.Linear(1, 1)
    losses = [5.0, 4.0, 4.5, 3.0, 3.5, 3.6, 3.7]
    keeper: Any = KeepBest(patience=2)
    stops: list[Any] = []
    for epoch, loss in enumerate(losses, start=1):
        model.weight.data.fill_(float(epoch))
        stops.append(keeper.update(model, loss))
        if loss == min(losses[:epoch]):
            assert getattr(keeper, "best_weights", None) is not None, (
                "after the first epoch there is a best one: remember its weights in best_weights"
            )
        if stops[-1]:
            break
    assert stops[0] is not None, "update must return True (stop) or False (go on)"
    seen = losses[: len(stops)]
    happened = f"with patience 2 and the validation losses {seen} yours stops after epoch {len(stops)}"
    assert len(stops) > 1, f"{happened}; one epoch cannot be worse than nothing"
    assert len(stops) != 3, f"{happened}; patience 2 means: wait for two epochs without a new best"
    assert len(stops) != 5, f"{happened}; epoch 4 was a new best: the counter must start again from 0 there"
    assert any(stops), f"with patience 2 and the validation losses {losses} yours never stops"
    assert len(stops) == 6, (
        f"{happened}; count the epochs without a new best: 3.5 is the first of them, 3.6 the second"
    )
    weights = keeper.best_weights
    assert isinstance(weights, Mapping), (
        f"best_weights is {told(weights)}; keep what state_dict() gives, as a copy"
    )
    assert weights.keys() == {"weight", "bias"}, (
        f"best_weights has the keys {sorted(map(str, weights))}; keep all that state_dict() gives"
    )
    kept = float(weights["weight"])
    assert kept != len(stops), (
        "the kept weights are those of the last epoch: state_dict() gives the living weights, "
        "which training goes on changing; keep a copy"
    )
    assert kept == 4, f"the best loss was in epoch 4, but the kept weights are those of epoch {kept:.0f}"
    best = number(getattr(keeper, "best_loss", None), "best_loss")
    assert best == 3.0, f"best_loss should be 3.0, it is {best}"
    agree(
        undisturbed(lambda patience, losses: _kept(KeepBest(patience), losses)),
        _keep_best,
        _draw_losses,
        name="for a patience and losses, (stops after, keeps the weights of, best_loss) of KeepBest",
    )


@exercise(
    hints=(
        "alarm = scores >= threshold gives True and False. Each of the four numbers counts where two things "
        "hold at once: (labels == 1) & alarm, for example.",
        "tn = ((labels == 0) & ~alarm).sum(), fp = ((labels == 0) & alarm).sum(), and so on; "
        "return np.array([[tn, fp], [fn, tp]]).",
    )
)
def check_confusion(confusion: Callable[[np.ndarray, np.ndarray, float], Any]) -> None:
    rng = np.random.default_rng(10)
    for threshold in (0.5, 0.25):
        labels, scores = _scored(rng, 60)
        (tn, fp), (fn, tp) = right = _confusion(labels, scores, threshold)
        got = numbers(
            confusion(labels, scores, threshold), "what you return", "a matrix of 2 x 2 is asked for"
        )
        assert got.shape == (2, 2), f"the matrix has the shape {got.shape}; it has two rows and two columns"
        assert got.max() > 1, "these are shares; count the patches"
        assert got.sum() == 60, f"60 patches went in, but the four numbers add up to {got.sum():g}"
        assert not np.array_equal(got, right.T), (
            "misses and false alarms have changed places: rows are the truth, columns the alarm"
        )
        assert not np.array_equal(got, [[tp, fp], [fn, tn]]), (
            "the rows and columns begin with background: the rightly quiet stand first"
        )
        assert not np.array_equal(got, [[tp, fn], [fp, tn]]), (
            "the first row is the background, the second row the aircraft"
        )
        strict = _confusion(labels, scores, np.nextafter(threshold, 1))
        assert not np.array_equal(got, strict), "a score that equals the threshold is an alarm too: >="
        assert np.array_equal(got, right), (
            f"yours is {got.astype(int).tolist()}; the {tn + fp} background patches belong to the first row, "
            f"the {fn + tp} aircraft to the second one"
        )
    agree(confusion, _confusion, _draw_scored)


@exercise(
    hints=(
        "Use your confusion matrix. Both rates are shares of a row: of all background, and of all aircraft.",
        "(tn, fp), (fn, tp) = confusion(labels, scores, threshold); "
        "the rates are fp / (fp + tn) and tp / (tp + fn).",
    )
)
def check_roc_point(roc_point: Callable[[np.ndarray, np.ndarray, float], Sequence[float]]) -> None:
    rng = np.random.default_rng(11)
    for threshold in (0.4, 0.7):
        labels, scores = _scored(rng, 90)
        (tn, fp), (fn, tp) = _confusion(labels, scores, threshold)
        two = "return two numbers: the false alarm rate and the recall"
        pair = _pair(roc_point(labels, scores, threshold), two)
        rate, recall = number(pair[0], "the false alarm rate"), number(pair[1], "the recall")
        right = fp / (fp + tn), tp / (tp + fn)
        assert not np.allclose((recall, rate), right), (
            "first the false alarm rate (to the right), then the recall (upwards)"
        )
        assert not np.isclose(rate, fp / (fp + tp)), (
            "this is the share of the alarms that are false; wanted is the share of the background"
        )
        assert not np.isclose(rate, fp / len(labels)), (
            "divide the false alarms by the background patches, not by all patches"
        )
        assert not np.isclose(recall, tp / (tp + fp)), (
            "this is the share of the alarms that are right; recall is the share of the aircraft"
        )
        assert np.allclose((rate, recall), right, atol=1e-6), (
            f"with tn {tn}, fp {fp}, fn {fn}, tp {tp} yours gives {rate:.3f} and {recall:.3f}; "
            "each rate is a share of one row of the matrix"
        )
    agree(
        roc_point,
        lambda labels, scores, threshold: [(scores[labels == k] >= threshold).mean() for k in (0, 1)],
        _draw_scored,
        form=lambda pair: [float(number(part, "a rate")) for part in pair],
    )


@exercise(
    hints=(
        "Only the scores of the aircraft matter for the recall. Sort them from high to low: how many of them "
        "must be found, and what is the score of the last of these?",
        "Try every score as the threshold, from high to low, and return the first one whose recall "
        "reaches min_recall.",
    )
)
def check_choose_threshold(choose_threshold: Callable[[np.ndarray, np.ndarray, float], float]) -> None:
    rng = np.random.default_rng(12)
    for min_recall, aircraft in ((0.9, 20), (0.95, 40), (0.5, 30), (0.9, 25)):
        labels = np.repeat([1, 0], [aircraft, 35])
        scores = np.concatenate([rng.beta(4, 2, aircraft), rng.beta(2, 4, 35)])
        order = rng.permutation(len(labels))
        labels, scores = labels[order], scores[order]
        answer = choose_threshold(labels, scores, min_recall)
        assert answer is not None, "return the threshold"
        answer = number(answer, "what you return", "one number is asked for, the threshold")
        alarm = scores >= answer
        recall = alarm[labels == 1].mean()
        needed = int(np.ceil(min_recall * aircraft - 1e-9))
        best = np.sort(scores[labels == 1])[-needed]
        false, fewest = int(alarm[labels == 0].sum()), int((scores[labels == 0] >= best).sum())
        assert recall >= min_recall - 1e-9, (
            f"with your threshold {answer:.3f} only {recall:.0%} of the aircraft are found; "
            f"wanted are at least {min_recall:.0%}"
        )
        assert not alarm.all(), (
            "with your threshold every patch is an alarm: all aircraft are found, but nothing is gained"
        )
        assert false == fewest, (
            f"your threshold {answer:.3f} finds enough aircraft, but gives {false} false alarms; "
            "a higher one still finds enough. Look for the highest"
        )
    agree(
        lambda labels, scores, min_recall: _alarms(
            scores, number(choose_threshold(labels, scores, min_recall), "the threshold")
        ),
        lambda labels, scores, min_recall: _alarms(scores, _threshold(labels, scores, min_recall)),
        _draw_wish,
        name="for labels, scores and min_recall, the alarms at the threshold of choose_threshold",
        tell="the highest threshold that still finds enough aircraft",
    )


class _Line(nn.Module):
    """Two inputs, one logit, always the same start; remembers in which mode it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(2, 1)
        self.linear.weight.data = torch.tensor([[0.5, -1.0]])
        self.linear.bias.data = torch.tensor([0.2])
        self.seen: list[tuple[bool, bool]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append((self.training, torch.is_grad_enabled()))
        return self.linear(x).flatten()

    def weights(self) -> Tensor:
        return torch.cat([self.linear.weight.detach().flatten(), self.linear.bias.detach()]).clone()


class _Echo(nn.Module):
    """Gives its input as the logit; remembers in which mode it was called."""

    def __init__(self) -> None:
        super().__init__()
        self.zero = nn.Parameter(torch.zeros(1))  # so that the model has a device
        self.seen: list[tuple[bool, bool]] = []

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append((self.training, torch.is_grad_enabled()))
        return x[:, 0] + self.zero


def _small_loader() -> DataLoader:
    """Five patches of two numbers, in batches of four and one."""
    images = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [0.3, -0.7], [2.0, 1.0], [0.5, 3.0]])
    return DataLoader(TensorDataset(images, torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0])), batch_size=4)


def _by_hand(*, clear: bool) -> tuple[Tensor, list[float], list[float]]:
    """Two epochs of `_small_loader`: weights, loss of each epoch over patches, and over batches."""
    model = _Line()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    over_patches, over_batches = [], []
    for _ in range(2):
        found = []
        for images, labels in _small_loader():
            if clear:
                optimizer.zero_grad()
            loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(1.5))(model(images), labels)
            loss.backward()
            optimizer.step()
            found.append((loss.item(), len(labels)))
        over_patches.append(sum(loss * count for loss, count in found) / 5)
        over_batches.append(float(np.mean([loss for loss, _ in found])))
    return model.weights(), over_patches, over_batches


def _run(model: nn.Module, images: Tensor) -> Tensor:
    """The network's answer; where its layers do not fit together, an AssertionError that says which."""
    try:
        return model(images)
    except RuntimeError as error:
        text = str(error)
    if "mat1 and mat2" in text:
        flattened = text.partition("(")[2].partition(" ")[0].rpartition("x")[2]
        raise AssertionError(
            f"Flatten gives {flattened} numbers, but the linear layer after it expects another number: "
            "count channels x height x width of the picture before Flatten"
        )
    assert "channels" not in text, (
        "two convolutions do not fit: each takes as many channels as the one above gives"
    )
    raise RuntimeError(text)


def _scored(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and scores that overlap, with scores in steps of 0.05, so that some equal the threshold."""
    labels = (rng.random(count) < 0.4).astype(np.uint8)
    scores = np.round((labels * 0.25 + rng.random(count) * 0.75) * 20) / 20
    return labels, scores


def _confusion(labels: np.ndarray, scores: np.ndarray, threshold: float) -> np.ndarray:
    alarm = scores >= threshold
    return np.array(
        [[np.sum((labels == truth) & (alarm == column)) for column in (0, 1)] for truth in (0, 1)]
    )


def _pair(answer: Any, asked: str) -> list[Any]:
    return parts(answer, 2, asked, (tuple, list, np.ndarray, Tensor))


def _names(answer: Any) -> list[str]:
    """Names of sites, from a set, a list, an array or the like."""
    asked = "return the names of the sites, as a set or a list"
    assert answer is not None, f"{asked}; your function returns None: is the line `return` missing?"
    fits = isinstance(answer, Iterable) and hasattr(answer, "__len__") and not isinstance(answer, str)
    assert fits, f"{asked}; this is {told(answer)}"
    return [str(name) for name in answer]


def _draw_patches(rng: np.random.Generator, size: int) -> tuple[np.ndarray]:
    """Patches of unlike brightness and contrast, so that it matters over what one averages."""
    count = int(rng.integers(1, 2 + size // 2))
    low, span = rng.integers(0, 120, (count, 1, 1, 3)), rng.integers(2, 130, (count, 1, 1, 3))
    return ((low + rng.random((count, 64, 64, 3)) * span).astype(np.uint8),)


def _draw_sites(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    names = np.array([f"site{k}" for k in range(3 + size)])
    first, second = (rng.choice(names, int(rng.integers(0, 2 + size))) for _ in range(2))
    return first, second


def _draw_dataset(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray, int]:
    count = int(rng.integers(1, 2 + size // 2))
    images = rng.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
    return images, rng.integers(0, 2, count).astype(np.uint8), int(rng.integers(count))


def _draw_logits(rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
    logits, labels = rng.uniform(-5, 5, 1 + size).round(1), rng.integers(0, 2, 1 + size)
    count = int(rng.integers(1, 2 + size))
    return torch.tensor(logits[:count]).float(), torch.tensor(labels[:count]).float()


def _judged(
    logits: Sequence[float], labels: Sequence[int], batch_size: int, weight: float
) -> tuple[Any, ...]:
    """A network, a loader and a loss function for `validate`."""
    data = TensorDataset(torch.tensor(logits)[:, None], torch.tensor(labels).float())
    model = _Echo()
    model.train()
    loss = nn.BCEWithLogitsLoss(pos_weight=torch.tensor(weight))
    return model, DataLoader(data, batch_size=batch_size), loss


def _validate(
    logits: Sequence[float], labels: Sequence[int], batch_size: int, weight: float
) -> tuple[float, float]:
    z, y = np.array(logits), np.array(labels)
    losses = np.where(y == 1, weight * np.log1p(np.exp(-z)), np.log1p(np.exp(z)))
    return float(losses.mean()), float(((z > 0) == (y == 1)).mean())


def _draw_validation(rng: np.random.Generator, size: int) -> tuple[list[float], list[int], int, float]:
    """No logit is 0 exactly: whether a half is an alarm is told differently at different places."""
    count = int(rng.integers(1, 3 + size))
    logits = (rng.choice([-1, 1], count) * rng.uniform(0.1, 3, count)).round(1)
    return (
        logits.tolist(),
        rng.integers(0, 2, count).tolist(),
        int(rng.integers(1, 5)),
        float(rng.choice([1, 2])),
    )


def _kept(keeper: Any, losses: Sequence[float]) -> tuple[int, float, float]:
    """After how many epochs it stops (0: never), the epoch whose weights it kept, and its best loss."""
    model = nn.Linear(1, 1)
    stopped = 0
    for epoch, loss in enumerate(losses, start=1):
        with torch.no_grad():
            model.weight.fill_(float(epoch))
            model.bias.fill_(float(epoch))
        if keeper.update(model, loss):
            stopped = epoch
            break
    with torch.no_grad():
        model.weight.fill_(-1.0)
        model.bias.fill_(-1.0)
    return stopped, float(sum(map(float, keeper.best_weights.values())) / 2), float(keeper.best_loss)


def _keep_best(patience: int, losses: Sequence[float]) -> tuple[int, float, float]:
    best = 0
    for epoch in range(len(losses)):
        best = epoch if losses[epoch] < losses[best] else best
        if epoch - best >= patience:
            return epoch + 1, best + 1.0, losses[best]
    return 0, best + 1.0, losses[best]


def _draw_losses(rng: np.random.Generator, size: int) -> tuple[int, list[float]]:
    """No two are equal: whether a second lowest loss is a new best is open."""
    count = int(rng.integers(1, 4 + 2 * size))
    falling = rng.permutation(count) - 0.7 * np.arange(count) * rng.integers(2)
    ranks = np.argsort(np.argsort(falling))
    return int(rng.integers(1, 5)), ((1 + ranks) / 10).tolist()


def _draw_scored(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Both classes, and a threshold that is mostly one of the scores."""
    labels = np.concatenate([[0, 1], rng.integers(0, 2, int(rng.integers(0, 2 * size)))]).astype(np.uint8)
    labels = rng.permutation(labels)
    scores = rng.integers(0, 9, len(labels)) / 8
    return labels, scores, float(rng.choice(scores) if rng.random() < 0.7 else rng.integers(1, 9) / 8 - 0.01)


def _threshold(labels: np.ndarray, scores: np.ndarray, min_recall: float) -> float:
    aircraft = scores[labels == 1]
    return max(float(t) for t in scores if (aircraft >= t).mean() >= min_recall)


def _draw_wish(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray, float]:
    """A wish that no rounding of computers makes doubtful; recalls that reach it exactly are among them."""
    while True:
        aircraft = int(rng.integers(1, 4 + 3 * size))
        labels = rng.permutation(np.repeat([1, 0], [aircraft, 1 + size]))
        wish = float(rng.choice([0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0]))
        if int(np.ceil(wish * aircraft)) == int(np.ceil(wish * aircraft - 1e-9)):
            return labels, rng.permutation(65)[: len(labels)] / 64, wish


def _alarms(scores: np.ndarray, threshold: float) -> np.ndarray:
    return np.flatnonzero(scores >= threshold)


def _short(values: Tensor) -> str:
    shown = ", ".join(f"{value:.1f}" for value in values[:3].tolist())
    return f"[{shown}{', ...' if len(values) > 3 else ''}]"
