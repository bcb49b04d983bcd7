"""From a score map to aircraft: smooth it, take its peaks, one for each aircraft.

A patch is positive when an aircraft's centre is in its central 32 x 32 pixels: around one aircraft, an ideal
score map is a box of ones 32 pixels wide, with softer borders the less sure the network is.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage
from scipy.spatial import KDTree
from torch import nn

from aircraft import InputError
from aircraft.detection.windows import HALF, ScoreMap, score_map
from aircraft.imagery import Source
from aircraft.patches import CORE

# Chosen on real validation tiles, where F1 hardly changes from 16 to 24 m and from 3 to 5 m, and falls
# beyond: aircraft park 35 m apart or more, and a filter as wide as the box itself (32 m) merges neighbours.
MIN_DISTANCE = 20.0
SMOOTH = 4.0


@dataclass(frozen=True, eq=False)
class Detections:
    """Aircraft found in one image, the surest first."""

    centers: np.ndarray  # (N, 2) float32, x and y in image pixels
    scores: np.ndarray  # (N,) float32 in [0, 1]

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def boxes(self) -> np.ndarray:
        """(N, 4) float32: the 64 x 64 windows around the centres, as x0, y0, x1, y1."""
        return np.concatenate([self.centers - HALF, self.centers + HALF], axis=1)

    def above(self, threshold: float) -> "Detections":
        """Those with at least this score."""
        keep = self.scores >= threshold
        return Detections(centers=self.centers[keep], scores=self.scores[keep])


def peaks(
    score_map: ScoreMap, threshold: float = 0.5, *, min_distance: float = MIN_DISTANCE, smooth: float = SMOOTH
) -> Detections:
    """The aircraft in a score map: its smoothed peaks, never two within `min_distance` pixels.

    Parameters
    ----------
    score_map : of `score_map`
    threshold : least smoothed score
    min_distance : pixels, from one detection to the next
    smooth : standard deviation in pixels of a Gaussian laid over the map, which melts the ripples of one
        aircraft's plateau into one peak; 0 for none; too much melts neighbours as well

    Returns
    -------
    Detections : scores are smoothed ones, centres are finer than the stride (see `_refine`)

    Examples
    --------
    >>> scores = np.zeros((7, 7), np.float32)
    >>> scores[2, 4] = 0.75
    >>> found = peaks(ScoreMap(scores, stride=8), smooth=0)
    >>> found.centers.tolist(), found.scores.tolist()
    ([[32.0, 16.0]], [0.75])
    """
    smoothed = ndimage.gaussian_filter(score_map.scores, smooth / score_map.stride, mode="nearest")
    # A peak is a score that none of its eight neighbours exceeds.
    highest = ndimage.maximum_filter(smoothed, size=3, mode="nearest")
    rows, columns = np.nonzero((smoothed == highest) & (smoothed >= threshold))
    scores = smoothed[rows, columns]
    order = np.lexsort((columns, rows, -scores))  # ties in reading order: the same answer everywhere
    positions = np.stack([columns[order], rows[order]], axis=1) * score_map.stride + score_map.offset
    # The best first, each removes the lesser ones near it.
    keep = np.ones(len(positions), bool)
    tree = KDTree(positions)
    for i in range(len(positions)):
        if keep[i]:
            keep[tree.query_ball_point(positions[i], min_distance)] = False
            keep[i] = True
    return Detections(_refine(score_map, positions[keep]), scores[order][keep].astype(np.float32))


def _refine(score_map: ScoreMap, positions: np.ndarray) -> np.ndarray:
    """(N, 2) float32 means of the grid positions within half a core (16 pixels), weighted by their scores."""
    reach = CORE // 2 // score_map.stride
    weights = np.pad(score_map.scores, reach).astype(np.float64)
    steps = np.arange(-reach, reach + 1)
    j, i = ((positions - score_map.offset) // score_map.stride + reach).T
    near = weights[i[:, None, None] + steps[:, None], j[:, None, None] + steps]  # (N, steps, steps)
    near = near * (steps[:, None] ** 2 + steps**2 <= reach**2)
    shift = np.stack([(near * steps).sum(axis=(1, 2)), (near * steps[:, None]).sum(axis=(1, 2))], axis=1)
    weight = np.maximum(near.sum(axis=(1, 2)), np.finfo(float).tiny)  # all scores are 0: the position itself
    return (positions + score_map.stride * shift / weight[:, None]).astype(np.float32)


def detect(
    model: nn.Module,
    image: np.ndarray | Source,
    threshold: float | None = None,
    *,
    min_distance: float = MIN_DISTANCE,
    **scoring: Any,
) -> Detections:
    """Find the aircraft in an image at 1 m per pixel: the peaks of its score map.

    Parameters
    ----------
    model, image : as in `score_map`
    threshold : least score of a detection; None for `default_threshold`. For AP and for choosing thresholds,
        take a low one, as 0.05: what is not detected cannot be ranked
    min_distance : as in `peaks`
    **scoring : as in `score_map`: method="dense", stride=8, block=1024, amp, share, progress

    Returns
    -------
    Detections : the surest first
    """
    threshold = default_threshold(model) if threshold is None else threshold
    if not 0 <= threshold <= 1:
        raise InputError(f"threshold {threshold:g} is not possible; scores lie between 0 and 1")
    scores = score_map(model, image, **scoring)
    return peaks(scores, threshold, min_distance=min_distance)


def default_threshold(model: nn.Module) -> float:
    """The threshold in the model's card: that for detection, else that for patches; 0.5 without a card."""
    card = getattr(model, "card", None)
    if card is None:
        return 0.5
    return card.threshold if card.detection_threshold is None else card.detection_threshold
