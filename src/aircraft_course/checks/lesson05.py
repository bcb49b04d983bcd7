"""Checks of lesson 5, imbalanced data: rates and shares, the PR curve, thresholds, remedies, splits by site.

An assert message is the hint for that mistake; students see it, so it never holds the bare answer.
"""

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, precision_recall_curve

from aircraft import metrics
from aircraft_course.checks.answers import number
from aircraft_course.checks.core import exercise
from aircraft_course.checks.reference import agree, by_chance

Array = NDArray[Any]

MOVES = {"accuracy", "precision", "AP"}  # what moves when only the share of aircraft does
RATES = {"recall", "false-alarm rate", "AUC"}


@exercise(
    hints=(
        "A network that never raises an alarm answers 0 for every patch. For which patches is that right?",
        "It is right for the background. The mean of `labels == 0` is the share of right answers.",
    )
)
def check_silent_accuracy(silent_accuracy: Callable[[Array], float]) -> None:
    labels = np.array([0, 0, 0, 1])
    got = _number(silent_accuracy(labels))
    assert got != 0.25, (
        "that is the share of aircraft; silence is wrong for these patches and right for the others"
    )
    assert got != 3, "that is a number of patches; accuracy is a share, so divide by how many there are"
    assert np.isclose(got, 0.75), (
        f"of 3 background patches and 1 aircraft, silence is right for 3 of 4, not for {got:g}"
    )
    for labels in (np.zeros(5, int), np.ones(4, int), _labels(200, 0.1)):
        got = _number(silent_accuracy(labels))
        assert np.isclose(got, 1 - labels.mean()), (
            f"with {labels.sum()} aircraft among {len(labels)} patches your function says {got:g}"
        )
    agree(silent_accuracy, lambda labels: float(np.mean(labels == 0)), _draw_labels, form=_number)


@exercise(
    hints=(
        "Think of 1,000 patches. How many are aircraft, and how many of these raise an alarm? How many are "
        "background, and how many of those raise an alarm?",
        "right = share * recall; wrong = (1 - share) * false_alarm_rate; answer: right / (right + wrong).",
    )
)
def check_precision_at(precision_at: Callable[[float, float, float], float]) -> None:
    got = _number(precision_at(0.5, 0.9, 0.1))
    assert got <= 1, f"precision is a share, from 0 to 1; your function says {got:g}"
    assert not np.isclose(got, 0.45), (
        "0.45 is the share of all patches that are right alarms; divide it by the share that are alarms"
    )
    assert np.isclose(got, 0.9), (
        "with half aircraft, recall 0.9 and false-alarm rate 0.1: of 1,000 patches 450 are right alarms and "
        f"50 false ones, so 9 alarms in 10 are right; your function says {got:g}"
    )
    got = _number(precision_at(0.1, 0.9, 0.1))
    assert not np.isclose(got, 0.9), (
        "your precision is the same at both shares: multiply each rate by how many patches of its kind "
        "there are"
    )
    assert np.isclose(got, 0.5), (
        "with 100 aircraft in 1,000 patches there are 90 right alarms, and 90 false ones from 900 background "
        f"patches: half are right; your function says {got:g}"
    )
    agree(
        precision_at,
        _precision_at,
        lambda rng, _: tuple(rng.uniform(0.02, 0.98, 3).round(2).tolist()),
        form=_number,
    )


@exercise(
    hints=(
        "Ask of each figure: of which patches is it a share? If only of aircraft, or only of background, "
        "more background cannot move it. AUC is made of two such rates.",
        "Alarms are a mixture of aircraft and background, and so are all answers: figures that look at a "
        "mixture move. The PR curve has precision on one axis.",
    )
)
def check_figures_that_move(figures_that_move: Collection[str]) -> None:
    assert not isinstance(figures_that_move, str), 'write a set of names, as {"recall", "AUC"}'
    given = {str(name).strip() for name in figures_that_move}
    unknown = given - MOVES - RATES
    assert not unknown, f"{sorted(unknown)} is not in the list; copy the names from the text"
    for name in sorted(given & {"recall", "false-alarm rate"}):
        kind = {"recall": "aircraft", "false-alarm rate": "background"}[name]
        raise AssertionError(f"{name} is a share of the {kind} patches only; the others do not enter it")
    assert "AUC" not in given, "look at the axes of the ROC curve: which patches does each of them count?"
    assert "precision" in given, (
        "look at the alarms in the figure of section 2: what share of them is right, left and right?"
    )
    assert "accuracy" in given, (
        "the accuracy of silence was one half on the toy set; what was it on the imbalanced set?"
    )
    assert "AP" in given, "AP is the area under a curve; what are the axes of that curve?"


@exercise(
    hints=(
        "Sort the labels so that the highest score comes first (np.argsort sorts upwards). Lower the "
        "threshold one patch at a time: np.cumsum of the sorted labels counts the aircraft found so far.",
        "found = np.cumsum(labels[np.argsort(-scores)]); alarms = np.arange(1, len(labels) + 1); "
        "precision = found / alarms; recall = found / all the aircraft.",
    )
)
def check_curve(curve: Callable[[Array, Array], tuple[Array, Array]]) -> None:
    labels, scores = np.array([1, 0, 0, 1]), np.array([0.9, 0.2, 0.6, 0.4])
    answer = curve(labels, scores)
    assert isinstance(answer, tuple | list), "return two arrays: precision, recall"
    assert len(answer) == 2, f"return two arrays, precision and recall, not {len(answer)}"
    precision, recall = (np.asarray(values, float) for values in answer)
    assert precision.shape == recall.shape == (4,), (
        f"4 patches give 4 points, one after each patch; yours have the shapes {precision.shape} and "
        f"{recall.shape}"
    )
    upwards = np.array([0, 1 / 2, 1 / 3, 1 / 2])
    assert not np.allclose(precision, upwards), (
        "you begin with the lowest score; the first alarm is the patch with the highest one"
    )
    assert not np.allclose(precision, [1 / 2, 1 / 2, 1, 1]), (
        "these look like the recalls: return precision first, then recall"
    )
    assert not np.allclose(precision, [1, 1, 2, 2]), (
        "that is the number found so far; divide it by the number of alarms so far: 1, 2, 3, 4"
    )
    assert np.allclose(precision, [1, 1 / 2, 2 / 3, 2 / 4]), (
        "write down the labels in falling order of the scores, and count by hand how many of the first "
        f"1, 2, 3, 4 are aircraft; your precisions are {np.round(precision, 2).tolist()}"
    )
    assert np.isclose(recall[-1], 1), (
        "after the last patch everything is an alarm, so every aircraft is found: recall must end at 1; "
        f"yours ends at {recall[-1]:g}"
    )
    agree(curve, _curve, _draw_ranked, tell="precision first, then recall")


@exercise(
    hints=(
        "np.diff gives the steps between neighbours. The first step starts at recall 0: prepend=0.",
        "np.sum(np.diff(recall, prepend=0) * precision)",
    )
)
def check_average_precision(average_precision: Callable[[Array, Array], float]) -> None:
    precision, recall = np.array([1, 1 / 2, 2 / 3, 1 / 2]), np.array([0.5, 0.5, 1, 1])
    got = _number(average_precision(precision, recall))
    assert not np.isclose(got, precision.mean()), (
        "that is the mean over all patches; only the steps at which recall grows may count"
    )
    late = np.sum(np.diff(recall) * precision[1:])  # without the step from recall 0
    assert not np.isclose(got, [late, np.trapezoid(precision, recall)]).any(), (
        "the first step is missing: recall starts at 0, before the first alarm"
    )
    straight = np.trapezoid(np.append(1, precision), np.append(0, recall))
    assert not np.isclose(got, straight), (
        "you connect the points by straight lines; take for each step the precision at its end instead"
    )
    assert np.isclose(got, 5 / 6), (
        "recall grows twice by 0.5: at precision 1 and at precision 2/3. Their weighted mean is 0.833, "
        f"your function says {got:.3f}"
    )
    for count in (20, 60):
        labels, scores = _ranked(count)
        found = np.cumsum(labels[np.argsort(-scores)])
        got = _number(average_precision(found / np.arange(1, count + 1), found / labels.sum()))
        right = float(average_precision_score(labels, scores))
        assert np.isclose(got, right), (
            f"on {count} random patches scikit-learn finds {right:.3f}, you find {got:.3f}; does each step "
            "of recall count with the precision at its end?"
        )
    agree(average_precision, _area, lambda rng, size: _curve(*_draw_ranked(rng, size)), form=_number)


@exercise(
    hints=(
        "Type the formula as it stands, with a * wherever it multiplies and ** for a power.",
        "(1 + beta**2) * precision * recall / (beta**2 * precision + recall), and 0.0 if the divisor is 0.",
    )
)
def check_f_beta(f_beta: Callable[[float, float, float], float]) -> None:
    got = _number(f_beta(0.5, 1.0, 1))
    assert np.isclose(got, 2 / 3), (
        f"with beta 1, precision 0.5 and recall 1.0, F1 is 2 * 0.5 * 1 / (0.5 + 1) = 0.667, not {got:.3f}"
    )
    high_recall, high_precision = _number(f_beta(0.5, 1.0, 2)), _number(f_beta(1.0, 0.5, 2))
    assert high_recall > high_precision, (
        "with beta 2, recall must count more: precision 0.5 with recall 1 should beat precision 1 with "
        "recall 0.5; is beta**2 at the right place in the divisor?"
    )
    assert np.isclose(high_recall, 5 / 6), (
        "with beta 2, precision 0.5 and recall 1.0 F is 2.5 / 3 = 0.833, "
        f"not {high_recall:.3f}; is beta squared everywhere?"
    )
    assert _number(f_beta(0.0, 0.0, 1)) == 0, "when precision and recall are both 0, return 0.0"
    agree(f_beta, metrics.f_beta, _draw_f, form=_number)


@exercise(
    hints=(
        "np.flatnonzero(precision[:-1] >= min_precision) gives the places where the promise holds. "
        "scikit-learn sorts the thresholds upwards: at which end are the most aircraft found?",
        "The lowest allowed threshold finds the most aircraft: thresholds[allowed[0]].",
    )
)
def check_threshold_for(threshold_for: Callable[[Array, Array, float], float]) -> None:
    labels = np.array([1, 1, 0, 0, 1, 1, 1, 0, 1, 0])
    scores = np.array([0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    _check_promise(threshold_for, labels, scores, 0.7, "10 patches, sorted by score")
    for seed in range(3):
        labels, scores = _ranked(200, seed)
        precision, _, _ = precision_recall_curve(labels, scores)
        _check_promise(threshold_for, labels, scores, 0.9 * precision[:-1].max(), "200 random patches")
    agree(
        lambda labels, scores, wanted: scores >= _number(threshold_for(labels, scores, wanted)) - 1e-9,
        _most_found,
        _draw_promise,
        name="the alarms at the threshold of threshold_for",
    )


def _check_promise(
    threshold_for: Callable[[Array, Array, float], float],
    labels: Array,
    scores: Array,
    wanted: float,
    what: str,
) -> None:
    got = _number(threshold_for(labels, scores, wanted))
    assert got <= scores.max(), f"{what}: at your threshold {got:g} there is no alarm at all"
    assert scores.min() <= got or np.isclose(got, scores.min()), (
        f"{what}: your threshold {got:g} lies below every score, so everything is an alarm"
    )
    alarms = scores >= got - 1e-12
    precision, recall = labels[alarms].mean(), labels[alarms].sum() / labels.sum()
    assert precision >= wanted - 1e-9, (
        f"{what}: at your threshold {got:.3f} precision is {precision:.3f}, but {wanted:.3f} was promised"
    )
    all_precision, all_recall, cuts = precision_recall_curve(labels, scores)
    allowed = np.flatnonzero(all_precision[:-1] >= wanted)
    best = all_recall[:-1][allowed].max()
    if recall >= best - 1e-9:
        return
    assert not np.isclose(got, cuts[allowed[-1]]), (
        f"{what}: the promise holds, but at recall {recall:.2f}: you took the highest threshold that is "
        "allowed, which finds the fewest aircraft"
    )
    raise AssertionError(
        f"{what}: the promise holds, but only {recall:.2f} of the aircraft are found, not {best:.2f}: "
        "precision can dip below the promise and rise above it again, so do not stop at the first dip"
    )


@exercise(
    hints=(
        "Write the loss of an aircraft (y = 1) and of background (y = 0) first. Which of them gets the "
        "weight? Then take the mean over all patches.",
        "-(weight * y * np.log(p) + (1 - y) * np.log(1 - p)), and the mean of it.",
    )
)
def check_weighted_loss(weighted_loss: Callable[[Array, Array, float], float]) -> None:
    p, y = np.array([0.8, 0.8, 0.4]), np.array([1, 0, 0])
    aircraft, background = -np.log(0.8), -np.log(0.2) - np.log(0.6)
    got = _number(weighted_loss(p, y, 1.0))
    assert got > 0, f"a loss is positive, yours is {got:.3f}: the logarithm of a number below 1 is negative"
    assert not np.isclose(got, aircraft + background), "take the mean over the patches, not their sum"
    assert np.isclose(got, (aircraft + background) / 3), (
        f"with weight 1 it must be the usual cross-entropy {(aircraft + background) / 3:.3f}, not {got:.3f}"
    )
    got = _number(weighted_loss(p, y, 9.0))
    assert not np.isclose(got, (aircraft + 9 * background) / 3), (
        "you gave the weight to the background: the rare class needs it"
    )
    assert not np.isclose(got, 3 * (aircraft + background)), (
        "you gave the weight to both classes; then the rare one still has no more say than before"
    )
    assert not np.isclose(got, (9 * aircraft + background) / 11), (
        "you divide by the sum of the weights; PyTorch's pos_weight divides by the number of patches"
    )
    assert np.isclose(got, (9 * aircraft + background) / 3), (
        f"with weight 9 and the three patches p = {p.tolist()}, y = {y.tolist()} you find {got:.3f}, "
        f"expected {(9 * aircraft + background) / 3:.3f}"
    )
    agree(
        weighted_loss,
        _weighted_loss,
        lambda rng, size: (*_draw_chances(rng, size), float(rng.integers(1, 12))),
        form=_number,
    )


@exercise(
    hints=(
        "np.flatnonzero(labels == 1) gives the indices of the aircraft. Draw count // 2 of them with "
        "rng.choice; there are too few to take each once only.",
        "rng.choice(np.flatnonzero(labels == 1), count // 2), the same for labels == 0, joined by "
        "np.concatenate.",
    )
)
def check_balanced(balanced: Callable[[Array, int, np.random.Generator], Array]) -> None:
    labels = _labels(100, 0.1)
    before = labels.copy()
    index = np.asarray(balanced(labels, 60, np.random.default_rng(0)))
    assert np.array_equal(labels, before), (
        "your function changed the labels that it was given; work on a copy"
    )
    assert index.shape == (60,), f"60 indices were asked for; the shape of yours is {index.shape}"
    assert index.dtype.kind in "iu", (
        f"return indices, whole numbers, not {index.dtype}; np.flatnonzero turns a mask into indices"
    )
    assert np.isin(index, np.arange(100)).all(), "an index points outside of the 100 patches"
    assert not set(np.unique(index)) <= {0, 1}, (
        "these look like labels; return where the patches stand, not what they are"
    )
    share = labels[index].mean()
    assert abs(share - labels.mean()) > 0.1, (
        f"the share of aircraft is {share:.2f}, about as before: draw from each class apart"
    )
    assert share == 0.5, f"half should be aircraft, the share is {share:.2f}"
    again = np.asarray(balanced(labels, 60, np.random.default_rng(1)))
    assert not np.array_equal(np.sort(index), np.sort(again)), (
        "another random generator gives the very same patches; draw them by chance, with rng"
    )
    used = len(np.unique(index[labels[index] == 0]))
    assert used > 10, f"30 draws use only {used} different background patches; draw from all of them"
    for seed in range(8):
        rng = np.random.default_rng(seed)
        labels, count = (
            _labels(int(rng.integers(12, 60)), rng.uniform(0.2, 0.8), seed),
            2 * int(rng.integers(1, 30)),
        )
        index = np.asarray(balanced(labels.copy(), count, rng))
        assert index.shape == (count,), f"{count} indices were asked for; the shape of yours is {index.shape}"
        assert labels[index].sum() == count // 2, (
            f"of {count} patches drawn, {count // 2} should be aircraft; yours has {labels[index].sum()}"
        )
    for kind, word in ((0, "background"), (1, "aircraft")):
        drawn = np.concatenate([balanced(labels, 40, np.random.default_rng(seed)) for seed in range(30)])
        missed = set(np.flatnonzero(labels == kind).tolist()) - set(np.asarray(drawn).tolist())
        assert not missed, f"in 30 draws of 40, some patches of {word} never came: draw from all of them"
    by_chance(lambda rng: balanced(labels, 40, rng), "balanced", given=labels)


@exercise(
    hints=(
        "First find the background: where = np.flatnonzero(labels == 0). Sort these by their scores. The "
        "result of np.argsort counts within `where`; use it as an index into `where`.",
        "where[np.argsort(-scores[where])[:count]]",
    )
)
def check_hardest(hardest: Callable[[Array, Array, int], Array]) -> None:
    labels = np.array([1, 0, 0, 1, 0, 0, 1, 0])
    scores = np.array([0.9, 0.1, 0.7, 0.2, 0.8, 0.3, 0.95, 0.05])
    index = np.asarray(hardest(labels, scores, 2))
    assert index.shape == (2,), f"2 indices were asked for; the shape of yours is {index.shape}"
    assert index.dtype.kind in "iu", f"return indices, not scores; these are {index.dtype}"
    found = set(index.tolist())
    assert found != {0, 6}, "these are the surest aircraft; a hard example is a background patch"
    assert found != {7, 1}, "these are the easiest: the lowest scores of the background; sort the other way"
    assert found != {1, 2}, (
        "you count within the background patches only; turn these places into indices of all the patches"
    )
    assert found == {2, 4}, (
        f"of labels {labels.tolist()} and scores {scores.tolist()} your hardest are {sorted(found)}"
    )
    agree(hardest, _hardest, _draw_hard, form=lambda index: sorted(int(i) for i in np.asarray(index)))


@exercise(
    hints=(
        "pt is the probability of the TRUE class: p for an aircraft, 1 - p for background. np.where chooses.",
        "pt = np.where(y == 1, p, 1 - p), then the mean of -(1 - pt)**gamma * np.log(pt).",
    )
)
def check_focal_loss(focal_loss: Callable[[Array, Array, float], float]) -> None:
    p, y = np.array([0.9, 0.2, 0.6]), np.array([1, 1, 0])
    pt = np.array([0.9, 0.2, 0.4])
    cross_entropy = -np.log(pt)
    got = _number(focal_loss(p, y, 0.0))
    assert got >= 0, f"a loss is positive, yours is {got:.3f}: mind the minus sign"
    assert not np.isclose(got, -np.log(p).mean()), (
        "you use p for every patch; for background the probability of the true class is 1 - p"
    )
    assert not np.isclose(got, cross_entropy.sum()), "take the mean over the patches, not their sum"
    assert np.isclose(got, cross_entropy.mean()), (
        f"with gamma 0 focal loss is cross-entropy, here {cross_entropy.mean():.3f}; yours is {got:.3f}"
    )
    got = _number(focal_loss(p, y, 2.0))
    assert not np.isclose(got, (pt**2 * cross_entropy).mean()), (
        "your factor makes EASY patches count more: it must be small where the true class is already likely"
    )
    assert not np.isclose(got, ((1 - p) ** 2 * cross_entropy).mean()), (
        "the factor must also use the probability of the true class, not p"
    )
    assert np.isclose(got, ((1 - pt) ** 2 * cross_entropy).mean()), (
        f"with gamma 2 and p = {p.tolist()}, y = {y.tolist()} you find {got:.4f}, expected "
        f"{((1 - pt) ** 2 * cross_entropy).mean():.4f}"
    )
    agree(
        focal_loss,
        _focal_loss,
        lambda rng, size: (*_draw_chances(rng, size), float(rng.choice([0, 0.5, 1, 2, 3]))),
        form=_number,
    )


@exercise(
    hints=(
        "names = np.unique(sites); draw len(names) of them with rng.choice, which puts each back. For each "
        "drawn name take the indices of its patches, and join them.",
        "np.concatenate([np.flatnonzero(sites == name) for name in rng.choice(names, len(names))])",
    )
)
def check_redraw_sites(redraw_sites: Callable[[Array, np.random.Generator], Array]) -> None:
    sites = np.repeat(["A", "B", "C", "D", "E", "F"], [3, 5, 4, 6, 2, 5])
    repeated = False
    for seed in range(5):
        index = np.asarray(redraw_sites(sites, np.random.default_rng(seed)))
        assert index.dtype.kind in "iu", f"return indices of patches, not {index.dtype}"
        assert index.ndim == 1, f"return a flat list of indices, not the shape {index.shape}"
        names, counts = np.unique(sites[index], return_counts=True)
        times = counts / np.array([(sites == name).sum() for name in names])
        assert np.all(times == np.round(times)), (
            "a site came only in part: draw whole sites, because patches of one place resemble each other"
        )
        repeated = repeated or times.max() > 1
        fresh = times.sum()
        assert fresh == 6 or times.max() > 1, (
            f"{len(names)} sites came, each once; a site that was drawn twice must count twice, "
            "so that there are 6 draws in all"
        )
        assert fresh == 6, f"there are 6 sites, so draw 6 times; you drew {fresh:g}"
    assert repeated, "every site comes exactly once, every time: put each site back before the next draw"
    drawn = np.concatenate(
        [np.asarray(redraw_sites(sites, np.random.default_rng(seed))) for seed in range(40)]
    )
    assert set(drawn.tolist()) == set(range(len(sites))), "in 40 draws some sites never came: draw from all"
    mixed = np.random.default_rng(7).permutation(sites)
    before = mixed.copy()
    index = np.asarray(redraw_sites(mixed, np.random.default_rng(0)))
    assert np.array_equal(mixed, before), "your function changed the sites that it was given; work on a copy"
    for name in np.unique(mixed[index]):
        times = np.bincount(index[mixed[index] == name], minlength=len(mixed))[mixed == name]
        assert len(set(times.tolist())) == 1, (
            f"where the patches of a site do not stand together, some of {name} are missing: take all of them"
        )
    uneven = np.repeat(["large", "small", "tiny"], [40, 2, 1])
    drawn = np.concatenate([redraw_sites(uneven, np.random.default_rng(seed)) for seed in range(40)])
    draws = (uneven[drawn.astype(int)] == "large").sum() / 40  # 40 of 120 draws, give or take 5
    assert draws < 70, (
        "a site with many patches comes more often than one with few: draw from the names of the sites, "
        "each of them once in the list, not from the patches"
    )
    by_chance(lambda rng: redraw_sites(mixed, rng), "redraw_sites", given=mixed)


@exercise(
    hints=(
        "Draw names of sites, not patches: rng.permutation(np.unique(sites)) shuffles them; take the first "
        "`fraction` of them. np.isin tells for each patch whether its site is among them.",
        "names = rng.permutation(np.unique(sites)); np.isin(sites, names[: round(fraction * len(names))])",
    )
)
def check_by_site(by_site: Callable[[Array, float, np.random.Generator], Array]) -> None:
    sites = np.repeat([f"site {number:02d}" for number in range(20)], 10)
    sites = np.random.default_rng(3).permutation(sites)
    mask = np.asarray(by_site(sites, 0.25, np.random.default_rng(0)))
    other = np.asarray(by_site(sites, 0.25, np.random.default_rng(1)))
    assert (mask.shape, mask.dtype) == (sites.shape, bool), (
        f"return one True or False for each of the {len(sites)} patches, not {mask.dtype} {mask.shape}"
    )
    shared = set(sites[mask]) & set(sites[~mask])
    assert not shared, (
        f"{len(shared)} of 20 sites are on both sides: that is the leak that you want to avoid; draw sites"
    )
    drawn = len(set(sites[mask]))
    assert drawn != 15, "you have it the wrong way round: True marks the validation patches, the smaller part"
    assert drawn == 5, f"a quarter of 20 sites is 5; on your validation side there are {drawn}"
    assert not np.array_equal(mask, other), (
        "another random generator gives the same sites; shuffle them before you take some"
    )
    for count, fraction, right in ((20, 0.1, 2), (20, 0.5, 10), (10, 0.3, 3), (8, 0.75, 6)):
        sites = np.random.default_rng(count).permutation(np.repeat(np.arange(count), np.arange(1, count + 1)))
        mask = np.asarray(by_site(sites, fraction, np.random.default_rng(2)))
        places, shared = set(sites[mask].tolist()), set(sites[mask].tolist()) & set(sites[~mask].tolist())
        assert not shared, f"{len(shared)} of {count} sites are on both sides; take whole sites"
        assert len(places) == right, f"{fraction:g} of {count} sites are {right}; you drew {len(places)}"
    sites = np.random.default_rng(4).permutation(np.repeat(np.arange(6), 4))
    sets = [set(sites[by_site(sites, 0.5, np.random.default_rng(seed))].tolist()) for seed in range(40)]
    assert set.union(*sets) == set(range(6)), (
        "in 40 draws of 3 sites of 6, some sites never came to validation: draw from all of them"
    )
    assert len(set(map(frozenset, sets))) > 8, (
        "40 draws of 3 sites of 6 give nearly always the same few sets: any 3 sites may come together"
    )
    by_chance(lambda rng: by_site(sites, 0.5, rng), "by_site", given=sites)


def _precision_at(share: float, recall: float, false_alarm_rate: float) -> float:
    return share * recall / (share * recall + (1 - share) * false_alarm_rate)


def _draw_labels(rng: np.random.Generator, size: int) -> tuple[Array]:
    return (rng.integers(0, 2, size + int(rng.integers(0, 4))).astype(np.uint8),)  # as the data sets have


def _curve(labels: Array, scores: Array) -> tuple[Array, Array]:
    alarms = [labels[scores >= score] for score in np.sort(scores)[::-1]]
    precision = [some.mean() for some in alarms]
    return np.array(precision), np.array([some.sum() / labels.sum() for some in alarms])


def _draw_ranked(rng: np.random.Generator, size: int) -> tuple[Array, Array]:
    """One aircraft at least, and scores of which no two are equal."""
    labels = rng.integers(0, 2, 1 + size + int(rng.integers(0, 4)))
    labels[rng.integers(len(labels))] = 1
    return labels, (1 + rng.permutation(len(labels))) / (1 + len(labels))


def _area(precision: Array, recall: Array) -> float:
    steps = np.array(recall) - np.array([0, *recall[:-1]])
    return float((steps * precision).sum())


def _draw_f(rng: np.random.Generator, size: int) -> tuple[float, float, float]:
    precision, recall = np.exp(rng.uniform(-6, 0, 2)).round(4).tolist()  # some of them very small
    if size % 3 == 0:  # one of them 0, or both
        precision, recall = [(0.0, recall), (precision, 0.0), (0.0, 0.0)][int(rng.integers(3))]
    return precision, recall, float(rng.choice([0.5, 1, 2, 3]))


def _most_found(labels: Array, scores: Array, wanted: float) -> Array:
    kept = [score for score in scores if labels[scores >= score].mean() >= wanted]
    return scores >= min(kept)


def _draw_promise(rng: np.random.Generator, size: int) -> tuple[Array, Array, float]:
    """The surest is an aircraft, so that every promise can be kept; an aircraft has the lowest threshold."""
    while True:
        labels, scores = _draw_ranked(rng, size + 3)
        labels[scores.argmax()] = 1
        wanted = float(rng.choice([0.35, 0.5, 0.65, 0.75, 0.9]))
        lowest = scores == scores[_most_found(labels, scores, wanted)].min()
        if labels[lowest].all():
            return labels, scores, wanted


def _weighted_loss(p: Array, y: Array, weight: float) -> float:
    return float(np.mean([-weight * np.log(a) if b else -np.log(1 - a) for a, b in zip(p, y, strict=True)]))


def _focal_loss(p: Array, y: Array, gamma: float) -> float:
    true = [a if b else 1 - a for a, b in zip(p, y, strict=True)]
    return float(np.mean([-((1 - t) ** gamma) * np.log(t) for t in true]))


def _draw_chances(rng: np.random.Generator, size: int) -> tuple[Array, Array]:
    count = size + int(rng.integers(0, 3))
    return rng.uniform(0.05, 0.95, count).round(2), rng.integers(0, 2, count)


def _hardest(labels: Array, scores: Array, count: int) -> Array:
    return np.argsort(np.where(labels == 0, scores, -1))[-count:]


def _draw_hard(rng: np.random.Generator, size: int) -> tuple[Array, Array, int]:
    labels, scores = _draw_ranked(rng, size + 4)
    labels[rng.permutation(len(labels))[:3]] = 0
    return labels, scores, int(rng.integers(1, (labels == 0).sum() + 1))


def _number(answer: Any) -> float:
    return float(number(answer, "your answer", "one number is asked for: does the function say `return`?"))


def _labels(count: int, share: float, seed: int = 0) -> Array:
    """(count,) of 0 and 1 in random order, that share of them 1."""
    return np.random.default_rng(seed).permutation((np.arange(count) < share * count).astype(int))


def _ranked(count: int, seed: int = 0) -> tuple[Array, Array]:
    """Labels, 3 in 10 aircraft, and scores of a fair classifier; no two scores are equal."""
    labels = _labels(count, 0.3, seed)
    rng = np.random.default_rng([seed, count])
    return labels, np.clip(rng.normal(0.35 + 0.25 * labels, 0.15), 0.001, 0.999) + 1e-6 * rng.random(count)
