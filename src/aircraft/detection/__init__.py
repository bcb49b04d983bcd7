"""From a classifier of patches to counted aircraft: score maps, peaks, matching with the truth.

Read `windows` first (the sliding window three times), then `detecting` and `matching`.
"""

from aircraft.detection.detecting import Detections, default_threshold, detect, peaks, smooth_scores
from aircraft.detection.matching import (
    DetectionReport,
    Match,
    choose_count_threshold,
    choose_threshold,
    evaluate,
    match,
)
from aircraft.detection.windows import (
    Block,
    ScoreMap,
    blocks,
    dense_for,
    score_batches,
    score_block,
    score_dense,
    score_map,
    score_windows,
)

__all__ = [
    "Block",
    "DetectionReport",
    "Detections",
    "Match",
    "ScoreMap",
    "blocks",
    "choose_count_threshold",
    "choose_threshold",
    "default_threshold",
    "dense_for",
    "detect",
    "evaluate",
    "match",
    "peaks",
    "score_batches",
    "score_block",
    "score_dense",
    "score_map",
    "score_windows",
    "smooth_scores",
]
