"""The mean over mirror images: a score map that looks at every window four times; what it brings is measured.

Seen from above an aircraft and its mirror image are both aircraft, so their logits may be averaged.
"""

from collections.abc import Callable

import numpy as np
import torch

from aircraft import detection, imagery, models

Scorer = Callable[[np.ndarray], np.ndarray]  # (H, W, 3) uint8 pixels -> (rows, columns) float32 logits


def detect(network: models.Network, image: np.ndarray, threshold: float) -> detection.Detections:
    """As `detection.detect`, from the mean over the mirror images."""
    return detection.peaks(score_map(network, image), threshold)


def score_map(network: models.Network, image: np.ndarray, stride: int = 8) -> detection.ScoreMap:
    """The scores of an image (H, W, 3) uint8 by dense passes, block by block, each four times."""
    source, dense = imagery.as_source(image), models.dense(network, stride=stride)
    scorer = mean_over_mirrors(lambda pixels: detection.score_dense(dense, pixels, stride))
    scores = np.empty((source.height // stride + 1, source.width // stride + 1), np.float32)
    with models.evaluating(dense):
        for block in detection.blocks(source.width, source.height, stride=stride, native=dense.stride):
            logits = torch.from_numpy(detection.score_block(scorer, source, block, stride=stride))
            scores[block.top : block.bottom, block.left : block.right] = logits.sigmoid().numpy()
    return detection.ScoreMap(scores, stride)


def mean_over_mirrors(scorer: Scorer) -> Scorer:
    """The scorer that averages the logits of the pixels and of their three mirror images."""

    def mean(pixels: np.ndarray) -> np.ndarray:
        logits = scorer(pixels)
        # The pixels end where the last window ends, so the grid of the mirror image is the mirrored grid.
        for axes in ((0,), (1,), (0, 1)):
            logits = logits + np.flip(scorer(np.flip(pixels, axes)), axes)
        return logits / 4

    return mean
