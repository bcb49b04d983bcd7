"""The two ignite engines, trainer and evaluator, and what hangs on their events.

An Engine calls its step function for every batch; everything else is a handler on one of its events.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import torch
from ignite import handlers
from ignite.engine import Engine, Events
from ignite.metrics import Average
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor, nn
from torch.optim import Optimizer

from aircraft import InputError
from aircraft.models import device_of
from aircraft.training import devices
from aircraft.training.checkpoints import History
from aircraft.training.optimizers import LossFunction

Batch = tuple[Tensor, Tensor, Tensor]  # images (n, 3, H, W), labels (n,), index (n,)

WARMUP = 0.1  # share of all steps in which the learning rate rises
LOG_EVERY = 10  # iterations between two points of the progress bar and of TensorBoard


def create_trainer(
    model: nn.Module, optimizer: Optimizer, loss_fn: LossFunction, amp: torch.dtype | None = None
) -> Engine:
    """An engine that makes one optimiser step a batch; its output is a dict of loss, logits and index.

    Parameters
    ----------
    model : from images (n, 3, H, W) to logits (n,); perhaps wrapped, to share its gradients
    loss_fn : (logits (n,), labels (n,)) -> a scalar
    amp : the low-precision type of the products; None for float32

    Returns
    -------
    Engine; its `run` takes batches (images, labels, index), `state.metrics["loss"]` is the mean of an epoch

    Examples
    --------
    >>> model = nn.Sequential(nn.Flatten(), nn.Linear(12, 1), nn.Flatten(0))
    >>> trainer = create_trainer(model, torch.optim.Adam(model.parameters()), nn.BCEWithLogitsLoss())
    >>> batch = torch.rand(4, 3, 2, 2), torch.tensor([0.0, 1, 0, 1]), torch.arange(4)
    >>> trainer.run([batch] * 3, max_epochs=1).iteration
    3
    """

    def step(engine: Engine, batch: Batch) -> dict[str, Tensor]:
        images, labels, index = batch
        with torch.autocast(images.device.type, dtype=amp, enabled=amp is not None):
            logits = model(images)  # (n,)
        if logits.shape != labels.shape:
            found = f"the model returns {tuple(logits.shape)} for {len(labels)} patches"
            raise InputError(f"{found}; give one logit a patch: end it with .flatten() or .squeeze(1)")
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
    """An engine that scores batches; its `state.metrics` are loss, AP and AUC, over all processes."""
    logits: list[Tensor] = []
    labels: list[Tensor] = []

    def step(engine: Engine, batch: Batch) -> None:
        images, truth, _ = batch
        with torch.inference_mode(), torch.autocast(images.device.type, dtype=amp, enabled=amp is not None):
            logits.append(model(images).float())
        labels.append(truth)

    evaluator = Engine(step)
    evaluator.logger = _quiet("aircraft.evaluator")

    @evaluator.on(Events.STARTED)
    def begin() -> None:
        model.eval()
        logits.clear()
        labels.clear()

    @evaluator.on(Events.COMPLETED)
    def end() -> None:
        truth, scored = (devices.gather(torch.cat(parts)).cpu() for parts in (labels, logits))
        evaluator.state.metrics = ranking(truth, scored, loss_fn)

    return evaluator


def ranking(labels: Tensor, logits: Tensor, loss_fn: LossFunction) -> dict[str, float]:
    """Loss, AP and AUC of (N,) labels and (N,) logits."""
    loss = float(loss_fn(logits, labels))
    if not torch.isfinite(logits).all():  # scikit-learn refuses them; the training loop tells the user
        return {"loss": float("nan"), "AP": float("nan"), "AUC": float("nan")}
    ap, auc = average_precision_score(labels, logits), roc_auc_score(labels, logits)
    # Rounded, because a perfect AP may come out as 1.0000000000000002.
    return {"loss": loss, "AP": round(float(ap), 9), "AUC": round(float(auc), 9)}


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


def one_cycle(optimizer: Optimizer, lr: float, steps: int) -> handlers.PiecewiseLinear:
    """For ITERATION_STARTED: the rate rises to `lr` in a tenth of the steps, then falls nearly to 0."""
    warm = round(WARMUP * steps)
    rise = [(0, lr / 25)] if warm > 0 else []
    return handlers.PiecewiseLinear(optimizer, "lr", [*rise, (warm, lr), (max(steps, warm + 1), lr / 1000)])


def moving_average(model: nn.Module, decay: float, steps: int) -> handlers.EMAHandler:
    """A handler whose `ema_model` has the mean of the weights over the latest steps.

    It looks back over half an epoch (of `steps`) at most, so that few steps are not outweighed by the start.
    """
    return handlers.EMAHandler(model, momentum=min(max(1 - decay, 2 / steps), 0.9), handle_buffers="update")


def stop_early(trainer: Engine, evaluator: Engine, patience: int) -> handlers.EarlyStopping:
    """End the training after `patience` epochs without a better AP; returns what counts them."""
    stopping = handlers.EarlyStopping(patience, lambda evaluator: evaluator.state.metrics["AP"], trainer)
    stopping.logger.setLevel("WARNING")
    evaluator.add_event_handler(Events.COMPLETED, stopping)
    return stopping


def attach_progress(trainer: Engine, history: History, epochs: int) -> None:
    """A bar, and a line an epoch, on standard error."""
    bar = handlers.ProgressBar(persist=False, file=sys.stderr)
    often = Events.ITERATION_COMPLETED(every=LOG_EVERY)
    bar.attach(trainer, output_transform=lambda output: {"loss": float(output["loss"])}, event_name=often)
    trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: bar.log_message(history.line(epochs)))


def attach_board(trainer: Engine, evaluator: Engine, optimizer: Optimizer, folder: Path) -> None:
    """TensorBoard events in `folder`: batch loss and rate every few iterations, metrics every epoch."""
    board = handlers.TensorboardLogger(log_dir=str(folder))
    often = Events.ITERATION_COMPLETED(every=LOG_EVERY)
    board.attach_output_handler(
        trainer, often, "training", output_transform=lambda output: {"batch_loss": float(output["loss"])}
    )
    board.attach_opt_params_handler(trainer, often, optimizer=optimizer)
    step = handlers.global_step_from_engine(trainer)
    board.attach_output_handler(evaluator, Events.COMPLETED, "validation", "all", global_step_transform=step)
    trainer.add_event_handler(Events.COMPLETED, board.close)


def _quiet(name: str) -> logging.Logger:
    """A logger that does not repeat on standard error what an exception already says."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.CRITICAL)
    return logger
