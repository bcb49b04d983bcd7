"""The whole way for one image: score map, peaks, aircraft.

To compare detectors, detect with a low threshold and leave the choice to `matching.choose_threshold`.
"""

import numpy as np
import torch
from torch import nn

from aircraft.detection.peaks import MIN_DISTANCE, SMOOTH, Detections, peaks
from aircraft.detection.windows import score_map
from aircraft.imagery import Source


def detect(
    model: nn.Module,
    image: np.ndarray | Source,
    threshold: float | None = None,
    *,
    method: str = "dense",
    stride: int = 8,
    block: int = 1024,
    min_distance: float = MIN_DISTANCE,
    smooth: float = SMOOTH,
    flips: bool = False,
    amp: bool = False,
    device: str | torch.device | None = None,
    share: bool = False,
    progress: bool = False,
) -> Detections:
    """Find the aircraft in an image at 1 m per pixel, the surest first.

    threshold: least score of a detection. None takes the one that was chosen for this model (see
        `default_threshold`). For precision-recall curves and for choosing thresholds, use a low one, as 0.05:
        what is not detected cannot be ranked.

    The other arguments are those of `score_map` (method, stride, block, flips, amp, device, share, progress)
    and of `peaks` (min_distance, smooth).
    """
    scores = score_map(
        model,
        image,
        method=method,
        stride=stride,
        block=block,
        flips=flips,
        amp=amp,
        device=device,
        share=share,
        progress=progress,
    )
    threshold = default_threshold(model) if threshold is None else threshold
    return peaks(scores, threshold, min_distance=min_distance, smooth=smooth)


def default_threshold(model: nn.Module) -> float:
    """The threshold in the model's card: that for detection, else that for patches; 0.5 without a card."""
    card = getattr(model, "card", None)
    for name in ("detection_threshold", "threshold"):
        threshold = getattr(card, name, None)
        if threshold is not None:
            return float(threshold)
    return 0.5
