"""Detections against the truth: hits, false alarms, misses; average precision, F1 and counts.

One rule holds everywhere: a detection counts when `score >= threshold`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from aircraft import InputError, metrics
from aircraft.detection.detecting import Detections
from aircraft.scenes import Scene

UNSURE = 0.1  # share of the counts that may lie outside of their interval
RADIUS = 16.0  # pixels: half of the core that a patch's label looks at


@dataclass(frozen=True, eq=False)
class Match:
    """Which detections of a scene are right. All are indices, ascending but for `truths`."""

    hits: np.ndarray  # (K,) detections that found an aircraft ...
    truths: np.ndarray  # (K,) ... and which one
    false_alarms: np.ndarray  # detections of nothing
    misses: np.ndarray  # aircraft that were not found
    ignored: np.ndarray  # detections of an aircraft cut off by the border: neither right nor wrong


@dataclass(frozen=True)
class DetectionReport(metrics.Figures):
    """The figures of one evaluation on tiles."""

    AP: float  # area under the precision-recall curve; aircraft never found are missed
    best_F1: float  # the point of the curve with the highest F1 ...
    best_threshold: float  # ... the threshold that gives it
    best_precision: float
    best_recall: float
    threshold: float  # at which precision, recall, F1, count_error and found are taken
    precision: float
    recall: float
    F1: float
    count_error: float  # mean over tiles of |number found - number there|
    found: list[int]  # aircraft on each tile
    true: list[int]
    n_tiles: int
    n_true: int
    intervals: dict[str, tuple[float, float]] | None = None  # 95 % over sites, of AP, F1 and count_error

    def __str__(self) -> str:
        return (
            f"{self.n_tiles} tiles, {self.n_true} aircraft; counted {sum(self.found)} at threshold "
            f"{self.threshold:.3f}, off by {self.count_error:.2f} a tile\n"
            f"  AP {self.AP:.3f}  precision {self.precision:.3f}  recall {self.recall:.3f}  F1 {self.F1:.3f}"
            f"  (best F1 {self.best_F1:.3f}, its threshold saw these tiles)"
        )


def match(found: Detections, scene: Scene) -> Match:
    """Give each detection, best score first, the nearest aircraft within 16 pixels that is not yet taken.

    A detection without one is a false alarm, unless its centre lies in one of the boxes to ignore.

    Parameters
    ----------
    found, scene : the detections in an image, and the truth

    Returns
    -------
    Match : which are right, which wrong, and which aircraft are missed
    """
    truth = scene.centers
    aircraft = np.full(len(found), -1)  # which one each detection takes
    free = np.ones(len(truth), bool)
    for i in np.argsort(-found.scores, kind="stable"):
        distance = np.where(free, np.hypot(*(truth - found.centers[i]).T), np.inf)
        if free.any() and distance.min() <= RADIUS:
            aircraft[i] = distance.argmin()
            free[aircraft[i]] = False
    x, y = found.centers[:, None, 0], found.centers[:, None, 1]
    x0, y0, x1, y1 = scene.ignore.T
    hit = aircraft >= 0
    beside = ((x >= x0) & (x < x1) & (y >= y0) & (y < y1)).any(axis=1)
    return Match(
        hits=np.flatnonzero(hit), truths=aircraft[hit], misses=np.flatnonzero(free),
        false_alarms=np.flatnonzero(~hit & ~beside), ignored=np.flatnonzero(~hit & beside),
    )  # fmt: skip


def evaluate(
    found: Sequence[Detections],
    scenes: Sequence[Scene],
    threshold: float | None = None,
    *,
    resamples: int = 0,
    seed: int = 0,
) -> DetectionReport:
    """Measure detections that were made with a low threshold (0.05), one of `found` for each of `scenes`.

    AP is sum over thresholds of (recall_n - recall_(n-1)) * precision_n, as in scikit-learn, except that
    recall counts all aircraft, also those without any detection.

    Parameters
    ----------
    found, scenes : of equal length, else InputError
    threshold : chosen on other scenes (`choose_threshold`); None for the best F1 on these, which flatters
    resamples, seed : how many times sites are drawn anew for the intervals (500 is usual); 0 for none

    Returns
    -------
    DetectionReport : figures that do not exist, as there is no aircraft anywhere, are NaN

    Examples
    --------
    >>> scene = Scene(np.zeros((99, 99, 3), np.uint8), [[40, 40, 60, 60]], name="one aircraft", site="A")
    >>> found = Detections(np.array([[50.0, 58.0], [51.0, 50.0]]), scores=np.array([0.6, 0.9]))
    >>> report = evaluate([found], [scene], threshold=0.5)
    >>> report.AP, report.precision, report.recall, report.found, report.true
    (1.0, 0.5, 1.0, [2], [1])
    """
    pool, once = _pool(found, scenes), np.ones(len(scenes))
    best = pool.best_threshold(beta=1.0) if len(pool.scores) else 1.0
    threshold = best if threshold is None else float(threshold)
    at, at_best = pool.figures(once, threshold), pool.figures(once, best)
    best_point = {f"best_{name}": at_best[name] for name in ("F1", "precision", "recall")}
    intervals, sites = None, [scene.site for scene in scenes]
    if resamples and len(set(sites)) > 1 and pool.true.any():
        # Whole sites are drawn, since tiles of one airport resemble each other.
        draws = [pool.figures(weights, threshold) for weights in metrics.site_draws(sites, resamples, seed)]
        names = ("AP", "F1", "count_error")
        intervals = {name: metrics.interval([draw[name] for draw in draws]) for name in names}
    return DetectionReport(
        **at, **best_point, threshold=threshold, best_threshold=best,
        found=pool.counts(threshold).tolist(), true=pool.true.tolist(),
        n_tiles=len(scenes), n_true=int(pool.true.sum()), intervals=intervals,
    )  # fmt: skip


def choose_threshold(found: Sequence[Detections], scenes: Sequence[Scene], beta: float = 1.0) -> float:
    """The threshold with the highest F-beta on validation scenes, or InputError where no aircraft was found.

    Parameters
    ----------
    found, scenes : as in `evaluate`
    beta : 2 weighs recall, 0.5 precision

    Returns
    -------
    one of the scores
    """
    pool = _pool(found, scenes)
    if not pool.hit.any():
        raise InputError("no threshold to choose: no aircraft was found; detect with a lower one")
    return pool.best_threshold(beta)


def choose_count_threshold(found: Sequence[Detections], scenes: Sequence[Scene]) -> float:
    """The threshold with the least count error on validation scenes, or InputError where nothing was found.

    Parameters
    ----------
    found, scenes : as in `evaluate`

    Returns
    -------
    one of the scores
    """
    pool = _pool(found, scenes)
    if not len(pool.scores):
        raise InputError("no threshold to choose: nothing was found; detect with a lower threshold")
    thresholds = np.unique(pool.scores)
    errors = [np.abs(pool.counts(threshold) - pool.true).sum() for threshold in thresholds]
    return float(thresholds[np.argmin(errors)])


def count_spread(found: Sequence[Detections], scenes: Sequence[Scene], threshold: float) -> list[float]:
    """[low, high]: how far true counts lie from those found on validation scenes, for `count_interval`.

    Split conformal prediction (Papadopoulos et al. 2002) of (true - found) / sqrt(found + 1), each site with
    the same weight. On nine of ten scenes of places drawn as those were, and of imagery like theirs, the
    interval holds; for imagery of another kind it promises nothing.
    """
    pool, sites = _pool(found, scenes), np.array([scene.site for scene in scenes])
    counts = pool.counts(threshold)
    off = (pool.true - counts) / np.sqrt(counts + 1)
    _, which, size = np.unique(sites, return_inverse=True, return_counts=True)
    level = min(1, (1 - UNSURE / 2) * (1 + 1 / len(size)))  # for the place to come
    ends = np.quantile(off, (1 - level, level), weights=1 / size[which], method="inverted_cdf")
    return [float(end) for end in ends]


def count_interval(count: int, spread: Sequence[float]) -> tuple[int, int]:
    """From how many to how many aircraft there are, where `count` were found; see `count_spread`."""
    low, high = (count + part * np.sqrt(count + 1) for part in spread)
    return max(0, int(np.ceil(low - 1e-9))), max(0, int(np.floor(high + 1e-9)))


def coverage(report: DetectionReport, spread: Sequence[float]) -> tuple[float, float]:
    """The share of the tiles of a report whose true count lies in its interval, and the median width."""
    low, high = np.transpose([count_interval(count, spread) for count in report.found])
    return float(((low <= report.true) & (report.true <= high)).mean()), float(np.median(high - low))


@dataclass(frozen=True, eq=False)
class _Pool:
    """All detections of all scenes that count, the surest first: score, hit or not, number of the scene."""

    scores: np.ndarray
    hit: np.ndarray
    tile: np.ndarray
    true: np.ndarray  # (scenes,) aircraft that are there

    def counts(self, threshold: float) -> np.ndarray:
        """(scenes,) detections in each with at least this score."""
        return np.bincount(self.tile[self.scores >= threshold], minlength=len(self.true))

    def curve(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Distinct scores, falling, with precision and recall; weights (scenes,): how often each counts."""
        weight = weights[self.tile]
        last = np.flatnonzero(np.diff(self.scores, append=-1))  # of each run of equal scores
        hits, alarms = np.cumsum(weight * self.hit)[last], np.cumsum(weight)[last]
        return self.scores[last], hits / np.maximum(alarms, 1), hits / max((weights * self.true).sum(), 1)

    def best_threshold(self, beta: float) -> float:
        thresholds, precision, recall = self.curve(np.ones(len(self.true)))
        return float(thresholds[np.argmax(metrics.f_beta(precision, recall, beta))])

    def figures(self, weights: np.ndarray, threshold: float) -> dict[str, Any]:
        """AP, and precision, recall, F1 and count_error at a threshold; weights as in `curve`."""
        kept = self.scores >= threshold
        weight = weights[self.tile[kept]]
        hits, alarms = (weight * self.hit[kept]).sum(), weight.sum()
        total = (weights * self.true).sum()
        off = np.abs(self.counts(threshold) - self.true)
        _, precision, recall = self.curve(weights)
        return {
            "AP": float((np.diff(recall, prepend=0) * precision).sum()) if total else np.nan,
            "precision": float(hits / alarms) if alarms else np.nan,
            "recall": float(hits / total) if total else np.nan,
            "F1": float(2 * hits / (alarms + total)) if total else np.nan,
            "count_error": float((weights * off).sum() / weights.sum()),
        }


def _pool(found: Sequence[Detections], scenes: Sequence[Scene]) -> _Pool:
    if len(found) != len(scenes) or not scenes:
        raise InputError(f"{len(found)} detections for {len(scenes)} scenes; give one for each scene")
    rows: list[tuple[float, bool, int]] = []
    # Greedy matching takes the best first: matching once serves every threshold.
    for tile, (detections, scene) in enumerate(zip(found, scenes, strict=True)):
        matched = match(detections, scene)
        rows += [(score, True, tile) for score in detections.scores[matched.hits]]
        rows += [(score, False, tile) for score in detections.scores[matched.false_alarms]]
    table = np.array(rows, [("score", float), ("hit", bool), ("tile", int)])
    table = table[np.argsort(-table["score"], kind="stable")]
    true = np.array([len(scene.boxes) for scene in scenes])
    return _Pool(table["score"], table["hit"], table["tile"], true)
