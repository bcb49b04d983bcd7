"""Losses from logits: binary cross-entropy and focal loss, with class weights and label smoothing.

Pure functions; the sigmoid is inside the loss, where it is numerically safe.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from aircraft.settings import Settings

Loss = Callable[[Tensor, Tensor], Tensor]


def make(settings: Settings, labels: np.ndarray) -> Loss:
    """The loss that `settings` asks for: (logits (N,) float32, labels (N,) float32) -> mean, a scalar.

    `labels` (M,) are those of the training set; pos_weight="auto" is their negatives / positives.
    """
    weight = balance(labels) if settings.pos_weight == "auto" else settings.pos_weight
    function = {"bce": bce, "focal": focal}[settings.loss]

    def loss(logits: Tensor, targets: Tensor) -> Tensor:
        soft = targets * (1 - settings.label_smoothing) + settings.label_smoothing / 2
        return function(logits, soft, pos_weight=None if weight is None else float(weight))

    return loss


def bce(logits: Tensor, targets: Tensor, pos_weight: float | None = None) -> Tensor:
    """Mean binary cross-entropy of (N,) logits; the positive term counts `pos_weight` times."""
    weight = None if pos_weight is None else torch.full_like(logits[:1], pos_weight)
    return functional.binary_cross_entropy_with_logits(logits, targets, pos_weight=weight)


def focal(logits: Tensor, targets: Tensor, pos_weight: float | None = None, gamma: float = 2.0) -> Tensor:
    """Mean focal loss of (N,) logits: easy patches count little (Lin et al. 2017, eq. 5).

    alpha, the share of the positive class, is the paper's 0.25, or w / (1 + w) for a pos_weight w.
    """
    alpha = 0.25 if pos_weight is None else pos_weight / (1 + pos_weight)
    return sigmoid_focal_loss(logits, targets, alpha=alpha, gamma=gamma, reduction="mean")


def balance(labels: np.ndarray) -> float:
    """Negatives / positives in (N,) labels: the pos_weight that gives both classes the same say."""
    positives = int(np.count_nonzero(labels))
    return (len(labels) - positives) / positives
