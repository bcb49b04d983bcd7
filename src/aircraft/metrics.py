"""How good are the scores: AP, AUC, precision, recall, thresholds, intervals by site.

One rule holds everywhere: a score is an alarm when `score >= threshold`.
"""

import json
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import metrics as sk

from aircraft import InputError, reading

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STATISTICS = ("AP", "AUC", "precision", "recall", "F1")


@dataclass(frozen=True)
class Figures:
    """What reports have in common."""

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON, without what is not known; None stands for NaN, a figure that does not exist."""
        known = {name: value for name, value in asdict(self).items() if value is not None and name != "sites"}
        return json.loads(json.dumps(known), parse_constant=lambda nan: None)  # tuples come back as lists


@dataclass(frozen=True)
class Report(Figures):
    """The figures of one evaluation on patches."""

    AP: float
    AUC: float
    threshold: float
    precision: float
    recall: float
    F1: float
    confusion: tuple[tuple[int, int], tuple[int, int]]  # ((tn, fp), (fn, tp)); rows are the truth
    n: int
    intervals: dict[str, tuple[float, float]] | None = None  # 95 % (low, high) of each of STATISTICS ...
    sites: int | None = None  # ... over so many sites, where they are known

    def __str__(self) -> str:
        (tn, fp), (fn, tp) = self.confusion
        lines = [f"{self.n:,} patches, {tp + fn:,} aircraft; alarm when score >= {self.threshold:.3f}", ""]
        if self.intervals is not None:
            lines.append(f"{'':<10} {'value':>6}   95 % interval over {self.sites} sites")
        for name in STATISTICS:
            low_high = "   {:.3f} to {:.3f}".format(*self.intervals[name]) if self.intervals else ""
            lines.append(f"{name:<10} {getattr(self, name):>6.3f}{low_high}")
        lines += ["", f"{'':<10} {'no alarm':>10} {'alarm':>10}"]
        lines += [f"{'background':<10} {tn:>10,} {fp:>10,}", f"{'aircraft':<10} {fn:>10,} {tp:>10,}"]
        return "\n".join(lines)


def evaluate(
    labels: ArrayLike, scores: ArrayLike, threshold: float, sites: ArrayLike | None = None, seed: int = 0
) -> Report:
    """All figures at once, or InputError; precision and F1 count as 0 where there is no alarm.

    Parameters
    ----------
    labels, scores : (N,) 0 or 1, and (N,) in [0, 1]
    threshold : the least score of an alarm
    sites, seed : (N,) names, of which 500 resamples give 95 % intervals (too narrow below about ten sites)

    Returns
    -------
    Report : without intervals where there are no sites, or one only

    Examples
    --------
    >>> report = evaluate([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], threshold=0.5)
    >>> report.AUC, report.precision, report.recall, report.confusion
    (0.75, 0.5, 0.5, ((1, 1), (1, 1)))
    """
    y, s = check(labels, scores, both_classes=False)
    (tn, fp), (fn, tp) = confusion(y, s, threshold).tolist()
    if y.min() == y.max():
        counts = f"at threshold {threshold:g}: {tp} hits, {fn} misses, {fp} false alarms, {tn} rightly quiet"
        raise InputError(f"{_one_class(y)}, so no AP and no AUC; {counts}; add patches of the other class")
    count, intervals = None, None
    if sites is not None:
        if np.shape(sites) != y.shape:
            raise InputError(f"sites {np.shape(sites)} must be one name for each of the {len(y)} patches")
        count = len(np.unique(sites))
        if count > 1:
            draws = standard_statistics(y, s, sites, threshold=threshold, n=500, seed=seed)
            intervals = {name: interval(values) for name, values in draws.items()}
    return Report(
        AP=float(sk.average_precision_score(y, s)), AUC=float(sk.roc_auc_score(y, s)),
        threshold=float(threshold), confusion=((tn, fp), (fn, tp)),
        precision=tp / max(tp + fp, 1), recall=tp / (tp + fn), F1=2 * tp / (2 * tp + fp + fn),
        n=len(y), intervals=intervals, sites=count,
    )  # fmt: skip


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> Ints:
    """Right and wrong alarms, counted; one class alone will do.

    Parameters
    ----------
    labels, scores, threshold : as in `evaluate`

    Returns
    -------
    [[tn, fp], [fn, tp]] : rows are the truth, columns the alarm
    """
    y, s = check(labels, scores, both_classes=False)
    if not isinstance(threshold, int | float | np.number) or not 0 <= threshold <= 1:
        raise InputError(f"threshold = {threshold} is not a number in [0, 1]")
    return sk.confusion_matrix(y, s >= threshold, labels=[0, 1])


def f_beta(precision: ArrayLike, recall: ArrayLike, beta: float) -> Floats:
    """F-beta = (1 + b^2) P R / (b^2 P + R), 0 where nothing is right (van Rijsbergen 1979)."""
    p, r = np.asarray(precision, float), np.asarray(recall, float)
    weighted = beta**2 * p + r
    return (1 + beta**2) * p * r / np.where(weighted > 0, weighted, 1)


def choose_threshold(
    labels: ArrayLike,
    scores: ArrayLike,
    beta: float | None = None,
    min_recall: float | None = None,
    min_precision: float | None = None,
) -> float:
    """The threshold that serves one wish, or InputError; to be chosen on validation data, never on test.

    Parameters
    ----------
    labels, scores : (N,) 0 or 1, and (N,) in [0, 1]
    beta : the largest `f_beta`, in which recall weighs beta times as much; of equals that in the widest gap
    min_recall : as few alarms as possible while this share of the aircraft is still found
    min_precision : as many aircraft as possible while this share of the alarms is right

    Returns
    -------
    a threshold halfway between two scores, where it is least sensitive to new data
    """
    wishes = {"beta": beta, "min_recall": min_recall, "min_precision": min_precision}
    given = {name: value for name, value in wishes.items() if value is not None}
    if len(given) != 1:
        raise InputError(f"give exactly one of {', '.join(wishes)}; got {', '.join(given) or 'none'}")
    ((name, value),) = given.items()
    if not 0 < value < np.inf or (name != "beta" and value > 1):
        raise InputError(f"{name} = {value:g} must be above 0" + (" and at most 1" if name != "beta" else ""))
    precision, recall, cuts = sk.precision_recall_curve(*check(labels, scores))
    precision, recall = precision[:-1], recall[:-1]  # at each cut; the last point stood for no alarm at all
    below = np.concatenate([[0.0], cuts[:-1]])  # cuts: the scores that occur, ascending
    if name == "beta":
        f = f_beta(precision, recall, value)
        best = np.flatnonzero(np.isclose(f, f.max(), rtol=0, atol=1e-12))
        chosen = best[np.argmax((cuts - below)[best])]
    elif name == "min_recall":
        chosen = np.flatnonzero(recall >= value)[-1]
    elif precision.max() >= value:
        most = recall[precision >= value].max()
        chosen = np.flatnonzero((precision >= value) & (recall == most))[-1]
    else:
        top = int(np.argmax(precision))
        told = f"the best is {precision[top]:.3f}, with recall {recall[top]:.3f} at score {cuts[top]:.3f}"
        raise InputError(f"precision {value:g} is never reached: {told}; lower min_precision or train longer")
    # A float32, so that float32 scores give the same alarms; it may be rounded out of the gap.
    middle = float(np.float32((below[chosen] + cuts[chosen]) / 2))
    return middle if below[chosen] < middle <= cuts[chosen] else float(cuts[chosen])


def standard_statistics(
    labels: Ints, scores: Floats, groups: ArrayLike, *, threshold: float, n: int, seed: int
) -> dict[str, Floats]:
    """AP, AUC, precision, recall and F1 of n resamples of whole sites, see `site_draws`.

    The values are those of scikit-learn with `sample_weight`, about ten times sooner.

    Parameters
    ----------
    labels, scores, threshold : as in `evaluate`
    groups, n, seed : as in `site_draws`

    Returns
    -------
    name -> (m,) values : resamples that hold one class only are left out, and a warning counts them
    """
    # Sorted once: a resample is a weight for each patch, and two sums tell hits and alarms at all thresholds.
    order = np.argsort(-scores, kind="stable")
    labels, scores, groups = labels[order], scores[order], np.asarray(groups)[order]
    ends = np.flatnonzero(np.diff(scores, append=-1.0))  # last patch of each run of equal scores
    alarms_at = int((scores >= threshold).sum())
    rows = []
    for weights in site_draws(groups, n, seed):
        positives, alarms = np.cumsum(weights * labels), np.cumsum(weights)
        total = positives[-1]
        if total in (0, alarms[-1]):
            continue
        tp, seen = positives[ends], alarms[ends]
        new_tp, new_fp = np.diff(tp, prepend=0), np.diff(seen - tp, prepend=0)
        average_precision = (new_tp * tp / np.maximum(seen, 1)).sum() / total
        area = (new_fp * (tp - new_tp / 2)).sum() / (total * (alarms[-1] - total))
        hits, raised = (positives[alarms_at - 1], alarms[alarms_at - 1]) if alarms_at else (0, 0)
        precision, recall, f1 = hits / max(raised, 1), hits / total, 2 * hits / (raised + total)
        rows.append((average_precision, area, precision, recall, f1))
    if len(rows) < n:
        text = f"{n - len(rows)} of {n} resamples of sites held one class only and were left out"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    return dict(zip(STATISTICS, np.array(rows, np.float64).reshape(-1, 5).T, strict=True))


def site_draws(groups: ArrayLike, n: int, seed: int) -> Iterator[Ints]:
    """n resamples of whole sites: each time (N,) how often each of N patches, or tiles, is in it.

    Patches of one site resemble each other, so sites are drawn, with putting back, as many as there are.
    groups: (N,) the site of each.
    """
    names, site = np.unique(np.asarray(groups), return_inverse=True)
    count = len(names)
    for drawn in np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=n):
        yield drawn[site]


def interval(values: ArrayLike) -> tuple[float, float]:
    """The middle 95 % of resampled values that are not NaN (Efron and Tibshirani 1993, chapter 13).

    Parameters
    ----------
    values : (n,) one of each resample

    Returns
    -------
    low, high
    """
    low, high = np.nanquantile(np.asarray(values), [(1 - 0.95) / 2, (1 + 0.95) / 2])
    return float(low), float(high)


def check(labels: ArrayLike, scores: ArrayLike, *, both_classes: bool = True) -> tuple[Ints, Floats]:
    """labels as (N,) int64 and scores as (N,) float64, or InputError with what is wrong with them."""
    with reading("labels and scores", "give two flat lists of numbers", "not understood"):
        y, s = np.asarray(labels), np.asarray(scores)
    if np.ma.is_masked(labels) or np.ma.is_masked(scores):
        raise InputError("labels or scores are masked in places; leave those out: values[~mask]")
    if y.ndim != 1 or y.shape != s.shape or len(y) == 0:
        shapes = f"labels {y.shape}, scores {s.shape}"
        raise InputError(f"{shapes}: give two flat lists of the same length, not empty")
    if y.dtype.kind not in "biuf" or not np.isin(y, (0, 1)).all():
        raise InputError(f"labels are 0 (background) or 1 (aircraft); these hold {np.unique(y)[:5].tolist()}")
    if s.dtype.kind not in "biuf":
        raise InputError(f"scores are numbers in [0, 1], not {s.dtype}")
    if len(bad := np.flatnonzero(~np.isfinite(s))):
        raise InputError(f"{len(bad)} of {len(s)} scores are NaN or infinite, the first at index {bad[0]}")
    if s.min() < 0 or s.max() > 1:
        raise InputError(f"scores lie in [0, 1], these in [{s.min():g}, {s.max():g}]; logits need a sigmoid")
    y = y.astype(np.int64)
    if both_classes and y.min() == y.max():
        raise InputError(f"{_one_class(y)}; both classes are needed")
    return y, s.astype(np.float64)


def _one_class(y: Ints) -> str:
    return f"all {len(y)} labels are {y[0]} ({'aircraft' if y[0] else 'background'})"
