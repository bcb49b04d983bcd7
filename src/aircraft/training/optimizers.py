"""What is made smaller, and how: the losses, and Muon, the optimiser of `fit`, beside AdamW and SGD.

torch.optim.Muon does what ours does for matrices; ours takes convolutions too, and does AdamW for the rest.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import sigmoid_focal_loss

from aircraft import InputError
from aircraft.training.settings import Settings

LossFunction = Callable[[Tensor, Tensor], Tensor]

MOMENTUM = 0.95
STEPS = 3  # of the Newton-Schulz iteration (five are usual); each costs three products of matrices
BETAS, EPS = (0.9, 0.999), 1e-8  # of AdamW


def make_optimizer(
    model: nn.Module, settings: Settings, amp: torch.dtype | None = None
) -> torch.optim.Optimizer:
    """Muon, AdamW or SGD for what is not frozen; amp: the low-precision type in which Muon multiplies too."""
    groups = parameter_groups(model, settings.weight_decay)
    if not groups:
        raise InputError("the model has no parameter to train; unfreeze some: parameter.requires_grad_(True)")
    if settings.optimizer == "muon":
        return Muon(groups, lr=settings.lr, dtype=amp or torch.float32)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.lr, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=settings.lr)


def make_loss(settings: Settings, labels: np.ndarray) -> LossFunction:
    """The loss of the settings: (logits (N,), labels (N,)) -> mean. `labels`: those of the training set."""
    weight = balance(labels) if settings.pos_weight == "auto" else settings.pos_weight
    function = focal if settings.loss == "focal" else bce
    return partial(function, pos_weight=None if weight is None else float(weight))


def bce(logits: Tensor, targets: Tensor, pos_weight: float | None = None) -> Tensor:
    """Mean binary cross-entropy of (N,) logits; the positive term counts `pos_weight` times."""
    weight = None if pos_weight is None else torch.full_like(logits[:1], pos_weight)
    return functional.binary_cross_entropy_with_logits(logits, targets, pos_weight=weight)


def focal(logits: Tensor, targets: Tensor, pos_weight: float | None = None, gamma: float = 2.0) -> Tensor:
    """Mean focal loss of (N,) logits: easy patches count little (Lin et al. 2017, eq. 5)."""
    # The share of the positive class: by default the paper's.
    alpha = 0.25 if pos_weight is None else pos_weight / (1 + pos_weight)
    return sigmoid_focal_loss(logits, targets, alpha=alpha, gamma=gamma, reduction="mean")


def balance(labels: np.ndarray) -> float:
    """Negatives / positives in (N,) labels: the pos_weight that gives both classes the same say."""
    positives = int(np.count_nonzero(labels))
    return (len(labels) - positives) / positives


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """The trainable parameters of a model in groups: hidden weights, the last layer's, biases and norms."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    weights = [parameter for parameter in trainable if parameter.ndim > 1]
    # The weight of the last layer is one row, which has but one direction: AdamW takes it.
    parts = [
        {"params": [w for w in weights if len(w) > 1], "weight_decay": weight_decay, "orthogonal": True},
        {"params": [w for w in weights if len(w) == 1], "weight_decay": weight_decay, "orthogonal": False},
        {"params": [p for p in trainable if p.ndim <= 1], "weight_decay": 0.0, "orthogonal": False},
    ]
    return [part for part in parts if part["params"]]


class Muon(torch.optim.Optimizer):
    """Muon for the weights of hidden layers, AdamW for the rest, with one learning rate and weight decay.

    A gradient step changes a layer most in the few directions that the loss feels most. Muon makes all
    directions equally long (K. Jordan et al., 2024, kellerjordan.github.io/posts/muon), so that the rare ones
    are learned as well. The step is then as long as one of AdamW (J. Liu et al., 2025, arXiv 2502.16982), so
    that learning rates can be kept.

    groups: parameter groups with `weight_decay` and `orthogonal`: True for Muon, whose parameters have two or
            more dimensions, the first one counting outputs; False for AdamW.
    dtype:  of the matrix products; bfloat16 is enough where the hardware is quicker with it.
    """

    def __init__(
        self, groups: Iterable[dict[str, Any]], lr: float, *, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0, "orthogonal": False})
        self.dtype = dtype

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """One step on all parameters that have a gradient."""
        for group in self.param_groups:
            step = self._muon if group["orthogonal"] else _adam
            for parameter in group["params"]:
                if parameter.grad is not None:
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(step(parameter.grad, self.state[parameter]), alpha=-group["lr"])

    def _muon(self, gradient: Tensor, state: dict[str, Any]) -> Tensor:
        """The step for one weight, without its learning rate."""
        mean = state.setdefault("mean", torch.zeros_like(gradient)).lerp_(gradient, 1 - MOMENTUM)
        ahead = gradient.lerp(mean, MOMENTUM)  # Nesterov's momentum
        matrix = ahead.reshape(len(ahead), -1)  # (outputs, inputs * kernel height * kernel width)
        length = 0.2 * max(matrix.shape) ** 0.5  # root mean square of 0.2 an entry, as AdamW's steps have
        return orthogonal(matrix.to(self.dtype)).mul_(length).to(gradient.dtype).view_as(gradient)


def orthogonal(matrix: Tensor, steps: int = STEPS) -> Tensor:
    """(m, n) -> (m, n) with the same singular vectors, and singular values of about 1 (0.7 to 1.2).

    Newton-Schulz iteration: X <- a X + b (X X^T) X + c (X X^T)^2 X moves every singular value towards 1 with
    products alone; the coefficients are those of K. Jordan, chosen to raise small values quickly. Directions
    that are very small at first need more `steps` to get there.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix  # the smaller side first: smaller products
    x = x / (x.norm() + 1e-7)  # no singular value above 1
    for _ in range(steps):
        square = x @ x.T
        x = torch.addmm(x, torch.addmm(square, square, square, beta=b, alpha=c), x, beta=a)
    return x.T.contiguous() if matrix.shape[0] > matrix.shape[1] else x


def _adam(gradient: Tensor, state: dict[str, Any]) -> Tensor:
    """The step of Adam for one parameter, without its learning rate."""
    if not state:
        state.update(count=0, mean=torch.zeros_like(gradient), square=torch.zeros_like(gradient))
    state["count"] += 1
    mean = state["mean"].lerp_(gradient, 1 - BETAS[0]) / (1 - BETAS[0] ** state["count"])
    square = state["square"].lerp_(gradient**2, 1 - BETAS[1]) / (1 - BETAS[1] ** state["count"])
    return mean / (square.sqrt() + EPS)
