"""From a classifier of patches to counted aircraft: score maps, peaks, matching with the truth.

Read `windows` first (the sliding window three times), then `detecting` and `matching`. The names below are
what lessons and the rest of the package use.
"""
# ruff: noqa: F401, I001

from aircraft.detection.detecting import Detections, default_threshold, detect, peaks
from aircraft.detection.matching import DetectionReport, Match, evaluate, match
from aircraft.detection.matching import choose_count_threshold, choose_threshold
from aircraft.detection.matching import count_interval, count_spread, coverage
from aircraft.detection.windows import Block, ScoreMap, blocks, score_block, score_map
from aircraft.detection.windows import score_batches, score_dense, score_windows
