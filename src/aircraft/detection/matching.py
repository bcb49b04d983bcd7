"""Detections against the truth: hits, false alarms, misses; average precision, F1 and counts.

One rule holds everywhere: a detection counts when `score >= threshold`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from aircraft import InputError
from aircraft.detection.detecting import Detections
from aircraft.scenes import Scene

RADIUS = 16.0  # pixels: half of the core that a patch's label looks at


@dataclass(frozen=True, eq=False)
class Match:
    """Which detections of a scene are right. All are indices, ascending.

    hits, truths: (K,) a detection, and the true aircraft that it found.
    false_alarms: detections of nothing.   misses: aircraft that were not found.
    ignored:      detections of an aircraft that is cut off by the border: neither right nor wrong.
    """

    hits: np.ndarray
    truths: np.ndarray
    false_alarms: np.ndarray
    misses: np.ndarray
    ignored: np.ndarray


@dataclass(frozen=True)
class DetectionReport:
    """The figures of one evaluation on tiles.

    AP:                   area under the precision-recall curve; aircraft never found are missed.
    best_*:               the point of the curve with the highest F1, the threshold that gives it.
    precision, recall, F1, count_error: at `threshold`; count_error is the mean over tiles of
                          |number found - number there|.
    found, true:          aircraft per tile, at `threshold`.
    intervals:            95 % intervals over sites of AP, F1 and count_error, or None.
    """

    AP: float
    best_F1: float
    best_threshold: float
    best_precision: float
    best_recall: float
    threshold: float
    precision: float
    recall: float
    F1: float
    count_error: float
    found: list[int]
    true: list[int]
    n_tiles: int
    n_true: int
    intervals: dict[str, tuple[float, float]] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON, which has no NaN: None stands for a figure that does not exist."""
        figures = asdict(self)
        if self.intervals is None:
            del figures["intervals"]
        else:
            figures["intervals"] = {name: list(ends) for name, ends in self.intervals.items()}
        return {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in figures.items()}


def match(found: Detections, scene: Scene, radius: float = RADIUS) -> Match:
    """Give each detection, best score first, the nearest aircraft within `radius` that is not yet taken.

    A detection without one is a false alarm, unless its centre lies in one of the boxes to ignore.
    """
    truth = scene.centers
    owner = np.full(len(truth), -1)  # which detection has taken each aircraft
    matched = np.zeros(len(found), bool)
    for i in np.argsort(-found.scores, kind="stable"):
        distance = np.hypot(*(truth - found.centers[i]).T)
        distance[owner >= 0] = np.inf
        if len(truth) and distance.min() <= radius:
            owner[distance.argmin()] = i
            matched[i] = True
    x, y = found.centers[:, None, 0], found.centers[:, None, 1]
    x0, y0, x1, y1 = scene.ignore.T
    beside = ((x >= x0) & (x < x1) & (y >= y0) & (y < y1)).any(axis=1) & ~matched
    truths = np.flatnonzero(owner >= 0)
    order = np.argsort(owner[truths])
    return Match(
        hits=owner[truths][order],
        truths=truths[order],
        false_alarms=np.flatnonzero(~matched & ~beside),
        misses=np.flatnonzero(owner < 0),
        ignored=np.flatnonzero(beside),
    )


def evaluate(
    found: Sequence[Detections],
    scenes: Sequence[Scene],
    threshold: float | None = None,
    *,
    radius: float = RADIUS,
    resamples: int = 0,
    seed: int = 0,
) -> DetectionReport:
    """Measure detections, one of `found` for each of `scenes`, made with a low threshold (0.05).

    threshold: for precision, recall, F1 and counts; choose it on other scenes (`choose_threshold`).
               None takes that of the best F1 on these very scenes, which flatters.
    resamples: how many times sites are drawn anew for the intervals (500 is usual); 0 for none.

    AP is sum over thresholds of (recall_n - recall_(n-1)) * precision_n, as in scikit-learn, except that
    recall counts all aircraft, also those without any detection. Figures that do not exist (no aircraft
    anywhere) are NaN. Raises InputError where the two lists differ in length or are empty.
    """
    pool = _pool(found, scenes, radius)
    ones = np.ones(len(scenes))
    points = _curve(pool, ones)
    best = int(np.argmax(points.f(1.0))) if len(points.thresholds) else None
    best_threshold = 1.0 if best is None else float(points.thresholds[best])
    threshold = best_threshold if threshold is None else threshold
    kept = pool.scores >= threshold
    counts = np.bincount(pool.tile[kept], minlength=len(scenes))
    figures = _figures(pool, ones, threshold)
    best_figures = _figures(pool, ones, best_threshold)
    return DetectionReport(
        AP=figures["AP"],
        best_F1=best_figures["F1"],
        best_threshold=best_threshold,
        best_precision=best_figures["precision"],
        best_recall=best_figures["recall"],
        threshold=float(threshold),
        precision=figures["precision"],
        recall=figures["recall"],
        F1=figures["F1"],
        count_error=figures["count_error"],
        found=counts.tolist(),
        true=pool.true.tolist(),
        n_tiles=len(scenes),
        n_true=int(pool.true.sum()),
        intervals=_intervals(pool, scenes, threshold, resamples, seed) if resamples else None,
    )


def choose_threshold(
    found: Sequence[Detections], scenes: Sequence[Scene], beta: float = 1.0, *, radius: float = RADIUS
) -> float:
    """The threshold with the highest F-beta on validation scenes; beta 2 weighs recall, 0.5 precision.

    Raises InputError where there is nothing to choose from: no aircraft, or none that was found.
    """
    pool = _pool(found, scenes, radius)
    points = _curve(pool, np.ones(len(scenes)))
    if not pool.hit.any():
        raise InputError("no threshold to choose: no aircraft was found; detect with a lower one")
    return float(points.thresholds[np.argmax(points.f(beta))])


def choose_count_threshold(
    found: Sequence[Detections], scenes: Sequence[Scene], *, radius: float = RADIUS
) -> float:
    """The threshold with the smallest count error on validation scenes.

    Raises InputError where nothing was found.
    """
    pool = _pool(found, scenes, radius)
    if not len(pool.scores):
        raise InputError("no threshold to choose: nothing was found; detect with a lower threshold")
    thresholds = np.unique(pool.scores)
    counts = np.zeros((len(thresholds), len(scenes)))  # detections of each tile with just this score
    np.add.at(counts, (np.searchsorted(thresholds, pool.scores), pool.tile), 1)
    counts = counts[::-1].cumsum(axis=0)[::-1]  # ... with at least this score
    return float(thresholds[np.abs(counts - pool.true).mean(axis=1).argmin()])


@dataclass(frozen=True, eq=False)
class _Pool:
    """All detections of all scenes, the surest first: score, hit or not, number of the scene."""

    scores: np.ndarray
    hit: np.ndarray
    tile: np.ndarray
    true: np.ndarray  # (scenes,) aircraft that are there


@dataclass(frozen=True, eq=False)
class _Curve:
    """Precision and recall at each distinct score, falling."""

    thresholds: np.ndarray
    precision: np.ndarray
    recall: np.ndarray

    def f(self, beta: float) -> np.ndarray:
        """F-beta at each threshold; 0 where nothing is right."""
        weighted = beta**2 * self.precision + self.recall
        return (1 + beta**2) * self.precision * self.recall / np.where(weighted > 0, weighted, 1)

    @property
    def area(self) -> float:
        return float((np.diff(self.recall, prepend=0) * self.precision).sum())


def _pool(found: Sequence[Detections], scenes: Sequence[Scene], radius: float) -> _Pool:
    if len(found) != len(scenes) or not scenes:
        raise InputError(f"{len(found)} detections for {len(scenes)} scenes; give one for each scene")
    matches = [match(f, scene, radius) for f, scene in zip(found, scenes, strict=True)]
    # Greedy matching takes the best first: matching once serves every threshold.
    hits = np.concatenate([f.scores[m.hits] for f, m in zip(found, matches, strict=True)])
    wrong = np.concatenate([f.scores[m.false_alarms] for f, m in zip(found, matches, strict=True)])
    tiles = np.arange(len(scenes))
    tile = np.concatenate(
        [
            np.repeat(tiles, [len(m.hits) for m in matches]),
            np.repeat(tiles, [len(m.false_alarms) for m in matches]),
        ]
    )
    scores = np.concatenate([hits, wrong])
    hit = np.arange(len(scores)) < len(hits)
    order = np.argsort(-scores, kind="stable")
    true = np.array([len(scene.boxes) for scene in scenes])
    return _Pool(scores=scores[order], hit=hit[order], tile=tile[order], true=true)


def _curve(pool: _Pool, weights: np.ndarray) -> _Curve:
    """weights (scenes,): how often each scene counts (the bootstrap draws some twice, some never)."""
    weight = weights[pool.tile]
    last = np.flatnonzero(np.diff(pool.scores, append=-1))  # of each run of equal scores
    hits = np.cumsum(weight * pool.hit)[last]
    alarms = np.cumsum(weight)[last]
    total = (weights * pool.true).sum()
    return _Curve(
        thresholds=pool.scores[last],
        precision=hits / np.maximum(alarms, 1),
        recall=hits / total if total else np.full(len(last), np.nan),
    )


def _figures(pool: _Pool, weights: np.ndarray, threshold: float) -> dict[str, float]:
    kept = pool.scores >= threshold
    weight = weights[pool.tile[kept]]
    hits, alarms = (weight * pool.hit[kept]).sum(), weight.sum()
    total = (weights * pool.true).sum()
    counts = np.bincount(pool.tile[kept], minlength=len(weights))
    nan = float("nan")
    return {
        "AP": _curve(pool, weights).area if total else nan,
        "precision": float(hits / alarms) if alarms else nan,
        "recall": float(hits / total) if total else nan,
        "F1": float(2 * hits / (alarms + total)) if total else nan,
        "count_error": float((weights * np.abs(counts - pool.true)).sum() / weights.sum()),
    }


def _intervals(
    pool: _Pool, scenes: Sequence[Scene], threshold: float, resamples: int, seed: int
) -> dict[str, tuple[float, float]] | None:
    """Whole sites are drawn, since tiles of one airport resemble each other; None for a single site."""
    names, site = np.unique([scene.site for scene in scenes], return_inverse=True)
    if len(names) < 2:
        return None
    share = np.full(len(names), 1 / len(names))
    draws = np.random.default_rng(seed).multinomial(len(names), share, size=resamples)
    rows = [_figures(pool, drawn[site].astype(float), threshold) for drawn in draws]
    ends = {k: np.nanpercentile([row[k] for row in rows], [2.5, 97.5]) for k in ("AP", "F1", "count_error")}
    return {k: (float(low), float(high)) for k, (low, high) in ends.items()}
