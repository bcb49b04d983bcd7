"""Lesson 7: the package's detector taken apart, so that the student's own steps can stand in it.

First the steps, for those who have not written theirs; then the detector around them.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from aircraft import detection, patches
from aircraft.detection import Detections, Match, ScoreMap, detecting
from aircraft.scenes import Scene


def slide(score: Callable[[np.ndarray], float], image: np.ndarray, stride: int) -> np.ndarray:
    """(rows, columns): `score` of every window of (64, 64, 3) that lies wholly in the image."""
    ys, xs = (range(0, side - patches.PATCH + 1, stride) for side in image.shape[:2])
    size = patches.PATCH
    return np.array([[score(image[y : y + size, x : x + size]) for x in xs] for y in ys])


def find_peaks(scores: np.ndarray, threshold: float) -> np.ndarray:
    """(N, 2) positions (i, j) with at least this score and no higher one among their eight neighbours."""
    return np.argwhere((scores == ndimage.maximum_filter(scores, 3, mode="nearest")) & (scores >= threshold))


def suppress(centers: np.ndarray, scores: np.ndarray, min_distance: float) -> list[int]:
    """Indices of the positions that stay: the best first, nothing within `min_distance` of one that stays."""
    keep: list[int] = []
    for i in np.argsort(-scores, kind="stable"):
        if (np.hypot(*(centers[keep] - centers[i]).T) > min_distance).all():
            keep.append(int(i))
    return keep


def pair(found: np.ndarray, truth: np.ndarray, radius: float = detection.matching.RADIUS) -> list[int]:
    """For each detection, the surest first, the number of the nearest free aircraft in reach, or -1."""
    pairs: list[int] = []
    free = np.ones(len(truth), bool)
    for center in found:
        distance = np.where(free, np.hypot(*(truth - center).T), np.inf)
        pairs.append(int(distance.argmin()) if free.any() and distance.min() <= radius else -1)
        if pairs[-1] >= 0:
            free[pairs[-1]] = False
    return pairs


def average_precision(hits: Sequence[bool], n_true: int) -> float:
    """The sum over the hits of the precision so far, divided by the number of all aircraft."""
    right = np.asarray(hits, bool)
    return float((right.cumsum() / np.arange(1, len(right) + 1))[right].sum() / n_true)


def choose_for_counting(
    found: Sequence[Detections], tiles: Sequence[Scene], thresholds: Sequence[float]
) -> float:
    """The one of the thresholds with the smallest count error."""
    off = [
        sum(abs(len(f.above(t)) - len(s.boxes)) for f, s in zip(found, tiles, strict=True))
        for t in thresholds
    ]
    return float(thresholds[int(np.argmin(off))])


def hard_windows(tile: Scene, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Corners (K, 2) and labels (K,) of the windows around points (K, 2), moved into the tile."""
    corners = np.round(points - patches.PATCH / 2).astype(int).clip(0, tile.width - patches.PATCH)
    return corners, patches.label(tile.centers, corners[:, 0], corners[:, 1])


def positions(found: Any) -> np.ndarray:
    """(N, 2) int: what a `find_peaks` returns: a list of pairs, an array, or the tuple of np.nonzero."""
    if isinstance(found, tuple):
        found = np.stack(found, axis=1)
    return np.array([tuple(one) for one in found], int).reshape(-1, 2)


def detections(
    score_map: ScoreMap, threshold: float, find: Callable[..., Any], keep_best: Callable[..., Any]
) -> Detections:
    """What `detection.peaks` does, with two steps that the student writes.

    Parameters
    ----------
    score_map : of `detection.score_map`
    threshold : least smoothed score
    find : (scores, threshold) -> positions (i, j) that no neighbour exceeds, as `find_peaks`
    keep_best : (centers, scores, min_distance) -> indices of those that stay, as `suppress`

    Returns
    -------
    Detections : the surest first

    Examples
    --------
    >>> scores = np.zeros((7, 7), np.float32)
    >>> scores[2, 4] = 0.75
    >>> detections(ScoreMap(scores, stride=8), 0.1, find_peaks, suppress).centers.tolist()
    [[32.0, 16.0]]
    """
    smoothed = ndimage.gaussian_filter(score_map.scores, detecting.SMOOTH / score_map.stride, mode="nearest")
    i, j = positions(find(smoothed, threshold)).T
    centers, scores = np.stack([j, i], axis=1) * score_map.stride + score_map.offset, smoothed[i, j]
    stay = sorted(
        (int(k) for k in keep_best(centers, scores, detecting.MIN_DISTANCE)), key=lambda k: -scores[k]
    )
    places = detecting._refine(score_map, centers[stay])  # finer than the stride
    return Detections(centers=places, scores=scores[stay].astype(np.float32))


def match(pairs: Callable[..., Sequence[int]], found: Detections, scene: Scene) -> Match:
    """What `detection.match` does, with the student's way to pair detections and aircraft.

    Parameters
    ----------
    pairs : (found, truth) -> for each detection the number of its aircraft or -1, as `pair`
    found, scene : the detections in an image, and the truth

    Returns
    -------
    Match : a false alarm on an aircraft that the border cuts off is left out, as in the package

    Examples
    --------
    >>> scene = Scene(np.zeros((99, 99, 3), np.uint8), [[40, 40, 60, 60]], name="one aircraft", site="A")
    >>> found = Detections(np.array([[51.0, 50.0], [50.0, 58.0]]), scores=np.array([0.9, 0.6]))
    >>> match(pair, found, scene).false_alarms.tolist()
    [1]
    """
    taken = np.array([int(k) for k in pairs(found.centers, scene.centers)], int)
    hits, wrong = np.flatnonzero(taken >= 0), np.flatnonzero(taken < 0)
    x, y = found.centers[wrong, 0, None], found.centers[wrong, 1, None]
    x0, y0, x1, y1 = scene.ignore.T
    beside = ((x >= x0) & (x < x1) & (y >= y0) & (y < y1)).any(axis=1)
    return Match(
        hits=hits, truths=taken[hits], false_alarms=wrong[~beside], ignored=wrong[beside],
        misses=np.setdiff1d(np.arange(len(scene.centers)), taken),
    )  # fmt: skip
