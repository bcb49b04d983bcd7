"""How good are the scores: AP, AUC, precision, recall, thresholds, calibration, intervals by site.

One rule holds everywhere: a score is an alarm when `score >= threshold`.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    precision_recall_curve,
    precision_recall_fscore_support,
    roc_auc_score,
)
from sklearn.metrics import confusion_matrix as _confusion_matrix
from tqdm.auto import tqdm

from aircraft import InputError, metrics

Statistic = Callable[[NDArray[np.int64], NDArray[np.float64]], float]

STATISTICS = ("AP", "AUC", "precision", "recall", "F1")
RESAMPLES = 500


@dataclass(frozen=True)
class Report:
    """The figures of one evaluation. `confusion` is ((tn, fp), (fn, tp)); rows are the truth.

    `intervals` maps each statistic to its 95 % interval (low, high), or is None where sites are unknown.
    `sites` counts the sites behind the intervals, `skipped` the resamples that held one class only.
    """

    AP: float
    AUC: float
    threshold: float
    precision: float
    recall: float
    F1: float
    confusion: tuple[tuple[int, int], tuple[int, int]]
    n: int
    intervals: dict[str, tuple[float, float]] | None = None
    sites: int | None = None
    skipped: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: AP AUC threshold precision recall F1 confusion n, and intervals where known."""
        values = asdict(self)
        del values["sites"], values["skipped"]
        values["confusion"] = [list(row) for row in self.confusion]
        values["intervals"] = {name: list(ends) for name, ends in (self.intervals or {}).items()}
        if self.intervals is None:
            del values["intervals"]
        return values

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
        if self.skipped:
            lines += ["", f"{self.skipped} resamples held one class only and were left out"]
        return "\n".join(lines)


@dataclass(frozen=True, eq=False)
class Reliability:
    """What was promised against what came true, one value for each bin that is not empty.

    predicted (B,): mean score; observed (B,): share of aircraft; counts (B,): patches in the bin.
    error: expected calibration error, the mean of |observed - predicted| weighted by the counts.
    """

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    counts: NDArray[np.int64]
    error: float


def evaluate(
    labels: ArrayLike, scores: ArrayLike, threshold: float, sites: ArrayLike | None = None, seed: int = 0
) -> Report:
    """All figures at once.

    labels (N,) 0 or 1; scores (N,) in [0, 1]; sites (N,) names, for 95 % intervals (none below two
    sites). Precision and F1 count as 0 where there is no alarm. Raises InputError for unusable input; where
    only one class is there its message gives the confusion counts, which is all that can be computed.
    """
    threshold = _checked_threshold(threshold)
    y, s = check(labels, scores, both_classes=False)
    (tn, fp), (fn, tp) = confusion(y, s, threshold).tolist()
    if y.min() == y.max():
        raise InputError(
            f"{_one_class(y)}, so there is no AP and no AUC; at threshold {threshold:g}: "
            f"{tp} hits, {fn} misses, {fp} false alarms, {tn} rightly quiet; add patches of the other class"
        )
    precision, recall, f1, _ = precision_recall_fscore_support(
        y, s >= threshold, average="binary", zero_division=0.0
    )
    intervals, count, skipped = None, None, 0
    if sites is not None:
        groups = _site_numbers(sites, len(y))
        count = int(groups.max()) + 1
        draws = metrics.standard_statistics(y, s, groups, threshold=threshold, n=RESAMPLES, seed=seed)
        skipped = RESAMPLES - len(draws["AP"])
        if count > 1 and skipped < RESAMPLES:
            intervals = {name: metrics.interval(draws[name]) for name in STATISTICS}
    return Report(
        AP=float(average_precision_score(y, s)),
        AUC=float(roc_auc_score(y, s)),
        threshold=threshold,
        precision=float(precision),
        recall=float(recall),
        F1=float(f1),
        confusion=((tn, fp), (fn, tp)),
        n=len(y),
        intervals=intervals,
        sites=count,
        skipped=skipped,
    )


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> NDArray[np.int64]:
    """[[tn, fp], [fn, tp]]: rows are the truth, columns the alarm. One class alone will do."""
    y, s = check(labels, scores, both_classes=False)
    return _confusion_matrix(y, s >= _checked_threshold(threshold), labels=[0, 1])


def choose_threshold(
    labels: ArrayLike,
    scores: ArrayLike,
    beta: float | None = None,
    min_recall: float | None = None,
    min_precision: float | None = None,
) -> float:
    """The threshold that serves one wish; give exactly one. Choose it on validation data, never on test.

    beta:           the largest F-beta = (1 + b^2) P R / (b^2 P + R) (van Rijsbergen 1979); beta 2 weighs
                    recall twice as much as precision, 0.5 half as much.
    min_recall:     as few alarms as possible while this share of the aircraft is still found.
    min_precision:  as many aircraft as possible while this share of the alarms is right.

    A threshold lies halfway between two scores, where it is least sensitive to new data; where several
    reach the same F-beta, that in the widest gap is taken. Raises InputError where the wish cannot be met.
    """
    wishes = {"beta": beta, "min_recall": min_recall, "min_precision": min_precision}
    given = {name: value for name, value in wishes.items() if value is not None}
    if len(given) != 1:
        raise InputError(f"give exactly one of {', '.join(wishes)}; got {', '.join(given) or 'none'}")
    ((name, value),) = given.items()
    if not 0 < value < np.inf or (name != "beta" and value > 1):
        raise InputError(f"{name} = {value:g} must be above 0" + (" and at most 1" if name != "beta" else ""))
    precision, recall, cuts = precision_recall_curve(*check(labels, scores))
    precision, recall = precision[:-1], recall[:-1]  # at each cut; the last point stood for no alarm at all
    below = np.concatenate([[0.0], cuts[:-1]])  # cuts: the scores that occur, ascending
    if name == "beta":
        f = (1 + value**2) * precision * recall / np.maximum(value**2 * precision + recall, 1e-12)
        best = np.flatnonzero(np.isclose(f, f.max(), rtol=0, atol=1e-12))
        chosen = best[np.argmax((cuts - below)[best])]
    elif name == "min_recall":
        chosen = np.flatnonzero(recall >= value)[-1]
    elif precision.max() >= value:
        most = recall[precision >= value].max()
        chosen = np.flatnonzero((precision >= value) & (recall == most))[-1]
    else:
        top = int(np.argmax(precision))
        raise InputError(
            f"no threshold reaches precision {value:g}: the best is {precision[top]:.3f}, with recall "
            f"{recall[top]:.3f} at score {cuts[top]:.3f}; lower min_precision or train longer"
        )
    return _between(below[chosen], cuts[chosen])


def bootstrap(
    labels: ArrayLike,
    scores: ArrayLike,
    sites: ArrayLike,
    statistic: str | Statistic,
    n: int = RESAMPLES,
    seed: int = 0,
    threshold: float | None = None,
    progress: bool = True,
) -> tuple[float, float]:
    """The 95 % interval (low, high) of a statistic, from n resamples of whole sites.

    statistic: AP, AUC, precision, recall or F1 (the last three need the threshold), or any function of
    (labels, scores). Resamples that hold one class only are left out; a RuntimeWarning counts them.
    With few sites (below about ten) such an interval is rather too narrow.
    Raises InputError below two sites, or where every resample holds one class only.
    """
    y, s = check(labels, scores)
    groups = _site_numbers(sites, len(y))
    if groups.max() == 0:
        raise InputError("an interval needs patches of at least 2 sites, these are all of one")
    if n < 1:
        raise InputError(f"n = {n}: at least one resample is needed")
    if callable(statistic):
        values = metrics.any_statistic(y, s, groups, statistic, n=n, seed=seed, progress=progress)
    elif statistic not in STATISTICS:
        raise InputError(
            f"unknown statistic {statistic!r}; known: {', '.join(STATISTICS)}, or give a function"
        )
    elif threshold is None and statistic in ("precision", "recall", "F1"):
        raise InputError(f"{statistic} depends on the threshold; give threshold=...")
    else:
        at = 0.5 if threshold is None else _checked_threshold(threshold)  # AP and AUC do not look at it
        draws = metrics.standard_statistics(y, s, groups, threshold=at, n=n, seed=seed, progress=progress)
        values = draws[statistic]
    if len(values) == 0:
        raise InputError(f"each of the {n} resamples holds one class only; more sites with both are needed")
    if len(values) < n:
        text = f"{n - len(values)} of {n} resamples held one class only and were left out"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
    return metrics.interval(values)


def reliability(labels: ArrayLike, scores: ArrayLike, bins: int = 10) -> Reliability:
    """Promised against observed share of aircraft in equal score bins (DeGroot and Fienberg 1983).

    Scores of 0.8 are well calibrated when 80 % of such patches are aircraft. One class alone will do.
    """
    if bins < 1:
        raise InputError(f"bins = {bins}: at least one is needed")
    y, s = check(labels, scores, both_classes=False)
    observed, predicted = calibration_curve(y, s, n_bins=bins)
    inner = np.linspace(0, 1, bins + 1)[1:-1]
    counts = np.bincount(np.searchsorted(inner, s), minlength=bins)  # the bins of calibration_curve
    counts = counts[counts > 0]
    return Reliability(
        predicted, observed, counts, float(np.average(np.abs(observed - predicted), weights=counts))
    )


def check(
    labels: ArrayLike, scores: ArrayLike, *, both_classes: bool = True
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """labels as (N,) int64 and scores as (N,) float64, or InputError with what is wrong with them."""
    y, s = np.asarray(labels), np.asarray(scores)
    if y.ndim != 1 or y.shape != s.shape:
        raise InputError(f"labels {y.shape} and scores {s.shape} must be two flat lists of the same length")
    if len(y) == 0:
        raise InputError("there are no labels and no scores: nothing to evaluate")
    if y.dtype.kind not in "biuf" or not np.isin(y, (0, 1)).all():
        raise InputError(f"labels are 0 (background) or 1 (aircraft); these hold {np.unique(y)[:5].tolist()}")
    if s.dtype.kind not in "biuf":
        raise InputError(f"scores are numbers in [0, 1], not {s.dtype}")
    s = s.astype(np.float64)
    if not np.isfinite(s).all():
        bad = np.flatnonzero(~np.isfinite(s))
        raise InputError(f"{len(bad)} of {len(s)} scores are NaN or infinite, the first at index {bad[0]}")
    if s.min() < 0 or s.max() > 1:
        raise InputError(
            f"scores must lie in [0, 1], these in [{s.min():g}, {s.max():g}]; logits need a sigmoid"
        )
    y = y.astype(np.int64)
    if both_classes and y.min() == y.max():
        raise InputError(f"{_one_class(y)}; both classes are needed")
    return y, s


def _one_class(y: NDArray[np.int64]) -> str:
    return f"all {len(y)} labels are {y[0]} ({'aircraft' if y[0] else 'background'})"


def _checked_threshold(threshold: float) -> float:
    if not isinstance(threshold, int | float | np.number) or not 0 <= threshold <= 1:
        raise InputError(f"threshold = {threshold} is not a number in [0, 1]")
    return float(threshold)


def _site_numbers(sites: ArrayLike, n: int) -> NDArray[np.int64]:
    names = np.asarray(sites)
    if names.shape != (n,):
        raise InputError(f"sites {names.shape} must be one name for each of the {n} patches")
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _between(below: float, score: float) -> float:
    """Halfway, in (below, score]; a float32, so that float32 scores give the same alarms."""
    middle = float(np.float32((below + score) / 2))
    return middle if below < middle <= score else float(score)


Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def standard_statistics(
    labels: Ints, scores: Floats, groups: Ints, *, threshold: float, n: int, seed: int, progress: bool = False
) -> dict[str, Floats]:
    """AP, AUC, precision, recall and F1 of n resamples: name -> (m,), m <= n, less those of one class only.

    groups (N,): the site of each patch as 0 .. S-1. The scores are sorted once; a resample is then a weight
    for each patch (how often its site was drawn) and two cumulative sums. The values are those of
    scikit-learn with `sample_weight`, about ten times sooner.
    """
    order = np.argsort(-scores, kind="stable")
    labels, scores, groups = labels[order], scores[order], groups[order]
    ends = np.flatnonzero(np.diff(scores, append=-1.0))  # last patch of each run of equal scores
    alarms_at = int((scores >= threshold).sum())
    rows = []
    for drawn in tqdm(_draws(groups, n, seed), total=n, desc="bootstrap", disable=not progress, delay=2):
        weights = drawn[groups]
        positives = np.cumsum(weights * labels)
        alarms = np.cumsum(weights)
        total = positives[-1]
        if total in (0, alarms[-1]):
            continue
        tp, seen = positives[ends], alarms[ends]
        new_tp, new_fp = np.diff(tp, prepend=0), np.diff(seen - tp, prepend=0)
        average_precision = (new_tp * tp / np.maximum(seen, 1)).sum() / total
        area = (new_fp * (tp - new_tp / 2)).sum() / (total * (alarms[-1] - total))
        hits, raised = (positives[alarms_at - 1], alarms[alarms_at - 1]) if alarms_at else (0, 0)
        rows.append(
            (average_precision, area, hits / max(raised, 1), hits / total, 2 * hits / (raised + total))
        )
    columns = np.array(rows, np.float64).reshape(-1, 5).T
    return dict(zip(("AP", "AUC", "precision", "recall", "F1"), columns, strict=True))


def any_statistic(
    labels: Ints,
    scores: Floats,
    groups: Ints,
    statistic: Callable[[Ints, Floats], float],
    *,
    n: int,
    seed: int,
    progress: bool = False,
) -> Floats:
    """(m,) values of statistic(labels, scores) on the same n resamples, less those of one class only."""
    members = [np.flatnonzero(groups == group) for group in range(groups.max() + 1)]
    values = []
    for drawn in tqdm(_draws(groups, n, seed), total=n, desc="bootstrap", disable=not progress, delay=2):
        chosen = np.concatenate([np.tile(members[group], times) for group, times in enumerate(drawn)])
        resampled = labels[chosen]
        if resampled.min() != resampled.max():
            values.append(float(statistic(resampled, scores[chosen])))
    return np.array(values, np.float64)


def interval(values: Floats, level: float = 0.95) -> tuple[float, float]:
    """The middle `level` of the values: the percentile interval (Efron and Tibshirani 1993, chapter 13)."""
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _draws(groups: Ints, n: int, seed: int) -> Iterator[Ints]:
    """n times: how often each of the S sites was drawn, (S,), summing to S."""
    count = int(groups.max()) + 1
    yield from np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=n)
