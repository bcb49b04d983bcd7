"""The two ignite engines, trainer and evaluator, and what hangs on their events.

An Engine calls its step function for every batch; everything else is a handler on one of its events.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import torch
from ignite.engine import Engine, Events
from ignite.handlers import (
    EarlyStopping,
    EMAHandler,
    PiecewiseLinear,
    ProgressBar,
    TensorboardLogger,
    global_step_from_engine,
)
from ignite.metrics import Average, Metric
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor, nn

from aircraft import InputError
from aircraft.training import devices
from aircraft.training.checkpoints import History
from aircraft.training.optimizers import LossFunction

Batch = tuple[Tensor, Tensor, Tensor]  # images (n, 3, H, W), labels (n,), index (n,)

WARMUP = 0.1  # share of all steps in which the learning rate rises
LOG_EVERY = 10  # iterations between two points of the progress bar and of TensorBoard


def create_trainer(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    loss_fn: LossFunction,
    amp: torch.dtype | None = None,
) -> Engine:
    """An engine that makes one optimiser step a batch; its output is a dict of loss, logits and index.

    Parameters
    ----------
    model : nn.Module
        From images (n, 3, H, W) to logits (n,); perhaps wrapped, to share its gradients with other processes.
    optimizer : torch.optim.Optimizer
    loss_fn : callable
        (logits (n,), labels (n,)) -> a scalar.
    amp : torch.dtype or None
        The low-precision type of the products; None for float32.

    Returns
    -------
    Engine
        After each epoch its `state.metrics["loss"]` is the mean over the epoch's batches.

    Raises
    ------
    InputError
        In the first step, where the model does not return one logit a patch.

    Examples
    --------
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(12, 1), nn.Flatten(0))
    >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> trainer = create_trainer(model, optimizer, nn.BCEWithLogitsLoss())
    >>> batch = torch.rand(4, 3, 2, 2), torch.tensor([0.0, 1, 0, 1]), torch.arange(4)
    >>> trainer.run([batch] * 3, max_epochs=1).iteration
    3
    """

    def step(engine: Engine, batch: Batch) -> dict[str, Tensor]:
        images, labels, index = batch
        with torch.autocast(images.device.type, dtype=amp, enabled=amp is not None):
            logits = model(images)  # (n,)
        if logits.shape != labels.shape:
            raise InputError(
                f"the model returns {tuple(logits.shape)} for {len(labels)} patches; "
                f"it must return one logit a patch, ({len(labels)},): end it with .flatten() or .squeeze(1)"
            )
        loss = loss_fn(logits.float(), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return {"loss": loss.detach(), "logits": logits.detach(), "index": index}

    trainer = Engine(step)
    trainer.logger = _quiet("aircraft.trainer")
    trainer.add_event_handler(Events.EPOCH_STARTED, lambda: model.train())
    Average(output_transform=lambda output: output["loss"], device=device_of(model)).attach(trainer, "loss")
    return trainer


def create_evaluator(model: nn.Module, loss_fn: LossFunction, amp: torch.dtype | None = None) -> Engine:
    """An engine that scores batches; after a run its `state.metrics` holds loss, AP and AUC."""

    def step(engine: Engine, batch: Batch) -> tuple[Tensor, Tensor]:
        images, labels, _ = batch
        with torch.inference_mode(), torch.autocast(images.device.type, dtype=amp, enabled=amp is not None):
            return model(images).float(), labels

    evaluator = Engine(step)
    evaluator.logger = _quiet("aircraft.evaluator")
    evaluator.add_event_handler(Events.STARTED, lambda: model.eval())
    Ranking(loss_fn).attach(evaluator, "ranking")
    return evaluator


class Ranking(Metric):
    """Loss, AP and AUC over all patches, each counted exactly once however many processes share them."""

    def __init__(self, loss_fn: LossFunction) -> None:
        self._loss_fn = loss_fn
        super().__init__()

    def reset(self) -> None:
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []

    def update(self, output: tuple[Tensor, Tensor]) -> None:
        logits, labels = output
        self._logits.append(logits)
        self._labels.append(labels)

    def compute(self) -> dict[str, float]:
        logits = devices.gather(torch.cat(self._logits)).cpu()
        labels = devices.gather(torch.cat(self._labels)).cpu()
        loss = float(self._loss_fn(logits, labels))
        if not torch.isfinite(logits).all():  # scikit-learn refuses them; the training loop tells the user
            return {"loss": float("nan"), "AP": float("nan"), "AUC": float("nan"), "count": len(labels)}
        ap, auc = average_precision_score(labels, logits), roc_auc_score(labels, logits)
        # Rounded, because a perfect AP may come out as 1.0000000000000002.
        return {"loss": loss, "AP": round(float(ap), 9), "AUC": round(float(auc), 9), "count": len(labels)}


class Best:
    """A handler that remembers the weights of the epoch with the highest AP; of equals, the lowest loss."""

    def __init__(self, model: nn.Module, trainer: Engine) -> None:
        self._model, self._trainer = model, trainer
        self.score = (float("-inf"), float("-inf"))  # AP, minus the loss
        self.epoch = 0
        self.weights: dict[str, Tensor] = {}

    def __call__(self, evaluator: Engine) -> None:
        score = (evaluator.state.metrics["AP"], -evaluator.state.metrics["loss"])
        if score > self.score:
            self.score, self.epoch = score, self._trainer.state.epoch
            self.weights = {name: value.detach().clone() for name, value in self._model.state_dict().items()}

    def state_dict(self) -> dict[str, Any]:
        return {"score": self.score, "epoch": self.epoch, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.score, self.epoch, self.weights = tuple(state["score"]), state["epoch"], state["weights"]


def one_cycle(optimizer: torch.optim.Optimizer, lr: float, steps: int) -> PiecewiseLinear:
    """A handler for ITERATION_STARTED: the rate rises to `lr` in a tenth of the steps, then falls to 0."""
    warm = round(WARMUP * steps)
    rise = [(0, lr / 25)] if warm > 0 else []
    return PiecewiseLinear(optimizer, "lr", [*rise, (warm, lr), (max(steps, warm + 1), lr / 1000)])


def moving_average(model: nn.Module, decay: float, steps: int) -> EMAHandler:
    """A handler whose `ema_model` has the mean of the weights over the latest steps.

    It looks back over half an epoch (of `steps`) at most, so that few steps are not outweighed by the start.
    """
    return EMAHandler(model, momentum=min(max(1 - decay, 2 / steps), 0.9), handle_buffers="update")


def early_stopping(trainer: Engine, patience: int) -> EarlyStopping:
    """A handler for the evaluator's end: ends the training after `patience` epochs without a better AP."""
    handler = EarlyStopping(patience, lambda evaluator: evaluator.state.metrics["AP"], trainer)
    handler.logger.setLevel("WARNING")
    return handler


def attach_logs(
    trainer: Engine,
    evaluator: Engine,
    optimizer: torch.optim.Optimizer,
    history: History,
    epochs: int,
    out: Path | None,
    progress: bool,
) -> None:
    """What the first process shows: a bar and a line an epoch on standard error, and TensorBoard events."""
    often = Events.ITERATION_COMPLETED(every=LOG_EVERY)
    if progress and devices.is_first():
        bar = ProgressBar(persist=False, file=sys.stderr)
        bar.attach(trainer, output_transform=lambda output: {"loss": float(output["loss"])}, event_name=often)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: bar.log_message(history.line(epochs)))
    if out and devices.is_first():
        board = TensorboardLogger(log_dir=str(out / "tensorboard"))
        board.attach_output_handler(
            trainer, often, "training", output_transform=lambda output: {"batch_loss": float(output["loss"])}
        )
        board.attach_opt_params_handler(trainer, often, optimizer=optimizer)
        board.attach_output_handler(
            evaluator,
            Events.COMPLETED,
            "validation",
            metric_names=["loss", "AP", "AUC"],
            global_step_transform=global_step_from_engine(trainer),
        )
        trainer.add_event_handler(Events.COMPLETED, board.close)


def device_of(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def _quiet(name: str) -> logging.Logger:
    """A logger that does not repeat on standard error what an exception already says."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.CRITICAL)
    return logger
