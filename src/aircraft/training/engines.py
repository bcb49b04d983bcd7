"""The two ignite engines, trainer and evaluator, and their parts: optimiser, schedule, metrics, logs.

An Engine calls its step function for every batch; everything else is a handler on one of its events.
"""

import logging
import sys
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import torch
from ignite.engine import Engine, Events
from ignite.handlers import (
    CosineAnnealingScheduler,
    PiecewiseLinear,
    ProgressBar,
    TensorboardLogger,
    create_lr_scheduler_with_warmup,
    global_step_from_engine,
)
from ignite.metrics import Average, Metric
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor, nn

from aircraft import InputError
from aircraft.training import optimizers
from aircraft.training.optimizers import Loss
from aircraft.training.settings import Settings

Batch = tuple[Tensor, Tensor, Tensor]  # images (n, 3, H, W), labels (n,), index (n,)


def create_trainer(
    net: nn.Module,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    loss: Loss,
    amp: torch.dtype | None,
) -> Engine:
    """An engine that makes one optimiser step a batch; its output is a dict of loss, logits and index.

    `net` is the model, or the model wrapped for compilation or many processes.
    """

    def step(engine: Engine, batch: Batch) -> dict[str, Tensor]:
        images, labels, index = batch
        with torch.autocast(images.device.type, dtype=amp, enabled=amp is not None):
            logits = net(images)  # (n,)
        if logits.shape != labels.shape:
            raise InputError(
                f"the model returns {tuple(logits.shape)} for {len(labels)} patches; "
                f"it must return one logit a patch, ({len(labels)},): end it with .flatten() or .squeeze(1)"
            )
        value = loss(logits.float(), labels)
        optimizer.zero_grad()
        scaler.scale(value).backward()
        scaler.step(optimizer)
        scaler.update()
        return {"loss": value.detach(), "logits": logits.detach(), "index": index}

    trainer = Engine(step)
    trainer.logger = _quiet("aircraft.trainer")
    trainer.add_event_handler(Events.EPOCH_STARTED, lambda: net.train())
    Average(output_transform=lambda output: output["loss"], device=device_of(net)).attach(trainer, "loss")
    return trainer


def create_evaluator(model: nn.Module, loss: Loss, amp: torch.dtype | None) -> Engine:
    """An engine that scores batches; after a run its `state.metrics` holds loss, AP and AUC."""

    def step(engine: Engine, batch: Batch) -> tuple[Tensor, Tensor]:
        images, labels, _ = batch
        with torch.inference_mode(), torch.autocast(images.device.type, dtype=amp, enabled=amp is not None):
            return model(images).float(), labels

    evaluator = Engine(step)
    evaluator.logger = _quiet("aircraft.evaluator")
    evaluator.add_event_handler(Events.STARTED, lambda: model.eval())
    Ranking(loss).attach(evaluator, "ranking")
    return evaluator


def create_optimizer(
    model: nn.Module, settings: Settings, amp: torch.dtype | None = None
) -> torch.optim.Optimizer:
    """Muon, AdamW or SGD; weight decay on weights of two or more dimensions only; frozen ones are left out.

    amp: the low-precision type of the training, in which Muon multiplies too.
    """
    groups = optimizers.groups(model, settings.weight_decay)
    if not groups:
        raise InputError("the model has no parameter to train; unfreeze some: parameter.requires_grad_(True)")
    if settings.optimizer == "muon":
        dtype = torch.bfloat16 if amp is torch.bfloat16 else torch.float32  # float16 has too small a range
        return optimizers.Muon(groups, lr=settings.lr, dtype=dtype)
    if settings.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=settings.lr, momentum=0.9, nesterov=True)
    return torch.optim.AdamW(groups, lr=settings.lr)


def create_scheduler(optimizer: torch.optim.Optimizer, settings: Settings, steps: int) -> Any:
    """A handler for ITERATION_STARTED: sets the learning rate of each of the `steps` of the training."""
    low, end, warm = settings.lr / 25, settings.lr / 1000, round(settings.warmup * steps)
    if settings.schedule == "constant":
        return PiecewiseLinear(optimizer, "lr", [(0, settings.lr)])
    if settings.schedule == "onecycle":
        rise = [(0, low)] if warm > 0 else []
        return PiecewiseLinear(optimizer, "lr", [*rise, (warm, settings.lr), (max(steps, warm + 1), end)])
    cycle = max(2, steps - warm + 1)  # one more than its steps, for the next cycle starts at the top again
    cosine = CosineAnnealingScheduler(optimizer, "lr", settings.lr, end, cycle_size=cycle)
    return create_lr_scheduler_with_warmup(cosine, low, warm) if warm > 1 else cosine


class Ranking(Metric):
    """Loss, AP and AUC over all patches, each counted exactly once however many processes share them."""

    def __init__(self, loss: Loss) -> None:
        self._loss = loss
        super().__init__()

    def reset(self) -> None:
        self._logits: list[Tensor] = []
        self._labels: list[Tensor] = []

    def update(self, output: tuple[Tensor, Tensor]) -> None:
        logits, labels = output
        self._logits.append(logits)
        self._labels.append(labels)

    def compute(self) -> dict[str, float]:
        logits, labels = (gather(torch.cat(parts)).cpu() for parts in (self._logits, self._labels))
        loss = float(self._loss(logits, labels))
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


def gather(tensor: Tensor) -> Tensor:
    """The (n,) tensors of all processes one after the other, in order of rank; n may differ."""
    if idist.get_world_size() == 1:
        return tensor
    parts: Any = idist.all_gather([tensor.cpu()])  # in lists, which may hold tensors of different lengths
    return torch.cat([part for (part,) in parts]).to(tensor.device)


def average_buffers(model: nn.Module) -> None:
    """Give all processes the mean of their batch-norm statistics, so that they are one model again."""
    for buffer in model.buffers():
        if idist.get_world_size() > 1 and buffer.is_floating_point():
            buffer.copy_(torch.as_tensor(idist.all_reduce(buffer.clone())) / idist.get_world_size())


def attach_progress(trainer: Engine, every: int) -> ProgressBar:
    """A bar on standard error that moves, and shows the loss, every so many iterations."""
    bar = ProgressBar(persist=False, file=sys.stderr)
    event = Events.ITERATION_COMPLETED(every=every)
    bar.attach(trainer, output_transform=lambda output: {"loss": float(output["loss"])}, event_name=event)
    return bar


def attach_board(
    trainer: Engine, evaluator: Engine, optimizer: torch.optim.Optimizer, folder: Path, every: int
) -> TensorboardLogger:
    """TensorBoard events in `folder`: batch loss and rate every so many iterations, metrics every epoch."""
    board = TensorboardLogger(log_dir=str(folder))
    often = Events.ITERATION_COMPLETED(every=every)
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
    return board


def device_of(model: nn.Module) -> torch.device:
    return next(model.parameters()).device


def _quiet(name: str) -> logging.Logger:
    """A logger that does not repeat on standard error what an exception already says."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.CRITICAL)
    return logger
