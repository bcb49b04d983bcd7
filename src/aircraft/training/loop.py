"""Training and prediction: `fit` trains a network, `predict` scores patches with it.

Read `_train` from top to bottom: data, engines, what happens after each epoch, files, run.
"""

import math
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import ignite.distributed as idist
import numpy as np
import torch
from ignite.engine import Engine, Events
from torch import nn
from tqdm.auto import tqdm

from aircraft import InputError, disk_errors, models
from aircraft.patches import Patches, check_images, check_patches
from aircraft.training import checkpoints, devices, engines, loading, optimizers
from aircraft.training.checkpoints import History
from aircraft.training.settings import Settings

EVALUATION_BATCH = 512  # a process; it changes the speed only
MIRRORS: tuple[tuple[int, ...], ...] = ((), (2,), (3,), (2, 3))  # axes of (n, 3, H, W) to flip


def fit(
    model: nn.Module,
    train: Patches,
    val: Patches,
    *,
    settings: Settings | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
    **knobs: Any,
) -> History:
    """Train a network, judge it after every epoch, and leave it with the weights of its best epoch.

    The global random state is left as it was. The processes of a torchrun job (`devices.parallel`) share
    every batch, and the first one writes.

    Parameters
    ----------
    model : from float32 images (n, 3, 64, 64) in [0, 1] to logits (n,)
    train, val : Patches to learn from, and to judge by
    settings : how to train; or give its knobs by keyword, as in ``fit(model, train, val, epochs=5)``
    out : a folder for history.csv, TensorBoard events and checkpoint.pt; None writes nothing
    resume : go on from the checkpoint in `out`, if there is one. The result is that of an undisturbed run,
        bit for bit on the CPU: an epoch depends on the seed and its number only
    progress : a bar on standard error

    Returns
    -------
    History of loss, AP and AUC, and of the epoch that was the best (highest AP on `val`); InputError for
        unusable data or settings, and when the loss becomes NaN or infinite
    """
    if settings and knobs:
        raise InputError(f"give settings, or knobs by keyword: {', '.join(knobs)}; not both")
    settings = settings or Settings.of(**knobs)
    check_patches(train, "train")
    check_patches(val, "val")
    check_batch(model, settings, len(train.labels))
    if len(val.labels) < (world := idist.get_world_size()):
        raise InputError(f"val holds {len(val.labels)} patches for {world} processes; each needs one")
    if resume and out is None:
        raise InputError("resume needs the folder of the run to go on with: out=...")
    device, folder = devices.choose(settings.device), None if out is None else Path(out)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        return _train(model, train, val, settings, device, folder, resume, progress)


def predict(
    model: nn.Module,
    images: np.ndarray,
    batch_size: int = 512,
    device: str | None = None,
    progress: bool = False,
    flips: bool = False,
) -> np.ndarray:
    """The scores of patches: probabilities that they show an aircraft.

    Parameters
    ----------
    model : a network; every module of it keeps the mode (training or not) that it had
    images : (N, 64, 64, 3) uint8 array
    batch_size : patches at a time; it changes the speed only
    device : where to compute; None: where the model is
    progress : a bar on standard error
    flips : the mean of the logits over a patch and its three mirror images: surer, and four times the work

    Returns
    -------
    (N,) float32 array, always computed in float32: scores do not depend on the hardware's low precision;
        InputError for images of another shape or type, a batch size below 1, and scores that are not finite

    Examples
    --------
    >>> predict(models.build("toy_cnn"), np.zeros((2, 64, 64, 3), np.uint8)).shape
    (2,)
    """
    check_images(images)
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}; it must be at least 1")
    where = models.device_of(model) if device is None else devices.choose(device)
    scores = np.empty(len(images), np.float32)
    starts = tqdm(range(0, len(images), batch_size), desc="predict", disable=not progress, leave=False)
    with models.evaluating(model.to(where)), torch.autocast(where.type, enabled=False):
        for start in starts:
            batch = loading.as_tensor(images[start : start + batch_size], where)
            pixels = loading.to_float(batch.permute(0, 3, 1, 2))  # (n, 3, 64, 64)
            views = [pixels.flip(axes) for axes in MIRRORS] if flips else [pixels]
            logits = torch.stack([model(view).reshape(-1) for view in views]).mean(dim=0)  # (n,)
            if not logits.isfinite().all():
                name = getattr(model, "arch", "") or type(model).__name__
                raise InputError(f"{name} gives scores that are NaN or infinite; train it again")
            scores[start : start + batch_size] = logits.float().sigmoid().cpu().numpy().reshape(len(batch))
    return scores


def _train(
    model: nn.Module,
    train: Patches,
    val: Patches,
    settings: Settings,
    device: torch.device,
    out: Path | None,
    resume: bool,
    progress: bool,
) -> History:
    # Data: of every training batch, and of the validation set, each process of a job takes its equal share.
    sampler = loading.Sampler(train.labels, settings.sampling, settings.seed)
    rank, world = idist.get_rank(), idist.get_world_size()
    batches = loading.Batches(
        train.images, train.labels, settings.batch_size, device, sampler=sampler, augment=settings.augment,
        noise=settings.noise, seed=settings.seed, drop_last=True, rank=rank, world=world,
    )  # fmt: skip
    ours = devices.my_slice(len(val.labels))
    val_batches = loading.Batches(val.images[ours], val.labels[ours], EVALUATION_BATCH, device)

    # Engines: one makes a step for each batch, the other judges after each epoch.
    loss_fn = optimizers.make_loss(settings, train.labels)
    trainer, evaluator, judged, parts = _engines(model, loss_fn, settings, len(batches), device)
    sampler.attach(trainer)
    best, history = engines.Best(judged, trainer), History()
    evaluator.add_event_handler(Events.COMPLETED, best)
    stopping = engines.stop_early(trainer, evaluator, settings.patience or settings.epochs)

    @trainer.on(Events.EPOCH_STARTED)
    def begin() -> None:
        batches.epoch = trainer.state.epoch
        torch.manual_seed(loading.seed_for(settings.seed, batches.epoch, 2, rank))  # for dropout
        history.start_clock()

    @trainer.on(Events.EPOCH_COMPLETED)
    def judge() -> None:
        for network in (model, judged):  # both, so that the checkpoint of one process serves all
            devices.average_buffers(network)
        found = evaluator.run(val_batches).metrics
        if not math.isfinite(found["loss"]):
            raise _diverged(trainer, settings)
        rate = parts["optimizer"].param_groups[0]["lr"]
        history.add(trainer.state.epoch, trainer.state.metrics["loss"], found, rate, best.epoch)

    # Files: the checkpoint holds all that has a memory, so that a killed training can go on.
    parts |= {"sampler": sampler, "best": best, "stopping": stopping, "history": history}
    if progress and devices.is_first():
        engines.attach_progress(trainer, history, settings.epochs)
    with disk_errors(out / "tensorboard", "then go on with --resume") if out else nullcontext():
        if out:
            run = checkpoints.identity(settings, train=train.labels, val=val.labels)
            checkpoints.attach(trainer, out, run, parts, resume)
        if out and devices.is_first():
            engines.attach_board(trainer, evaluator, parts["optimizer"], out / "tensorboard")
        # Run, unless the checkpoint says that the training had already ended.
        if trainer.state.epoch < settings.epochs and stopping.counter < stopping.patience:
            trainer.run(batches, max_epochs=settings.epochs)
    model.load_state_dict(best.weights)
    model.eval()
    return history


def _engines(
    model: nn.Module, loss_fn: optimizers.LossFunction, settings: Settings, steps: int, device: torch.device
) -> tuple[Engine, Engine, nn.Module, dict[str, Any]]:
    """Trainer, evaluator, the network judged and kept, and parts of a checkpoint; steps: batches an epoch."""
    # `net` is what computes. What is judged is the network itself, or the moving average of its weights,
    # which shakes less from step to step.
    model.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    net = model
    if idist.get_world_size() > 1:  # with its gradients averaged over the processes
        with warnings.catch_warnings():  # broadcast_buffers has a new name since torch 2.14
            warnings.filterwarnings("ignore", message=".*broadcast_buffers")
            net = idist.auto_model(model, broadcast_buffers=False)
    average = engines.moving_average(model, settings.ema, steps) if settings.ema else None
    judged = average.ema_model if average else model

    amp = devices.amp_dtype(settings.amp, device)
    optimizer = optimizers.make_optimizer(model, settings, amp)
    trainer = engines.create_trainer(net, optimizer, loss_fn, amp)
    scheduler = engines.one_cycle(optimizer, settings.lr, settings.epochs * steps)
    trainer.add_event_handler(Events.ITERATION_STARTED, scheduler)

    # To look at a number, the CPU waits for the GPU: there, only now and then.
    every = 1 if device.type == "cpu" else engines.LOG_EVERY

    @trainer.on(Events.ITERATION_COMPLETED(every=every))
    def stop_at_nan() -> None:
        if not torch.isfinite(trainer.state.output["loss"]):  # type: ignore[index]
            raise _diverged(trainer, settings)

    parts: dict[str, Any] = {"trainer": trainer, "model": model, "optimizer": optimizer}
    parts["scheduler"] = scheduler
    if average:
        average.attach(trainer)
        parts["ema"] = judged
    return trainer, engines.create_evaluator(judged, loss_fn, amp), judged, parts


def _diverged(trainer: Engine, settings: Settings) -> InputError:
    at = f"iteration {trainer.state.iteration} (epoch {trainer.state.epoch})"
    cure = f"try a lower lr than {settings.lr:g}, or amp='off'"
    return InputError(f"the loss is NaN or infinite at {at}; {cure}")


def check_batch(model: nn.Module, settings: Settings, size: int) -> None:
    """Raise InputError where `size` patches to train on, the processes or the model need another batch."""
    batch, world = settings.batch_size, idist.get_world_size()
    if batch > size:
        less = f"give at most {size} (--batch-size {size // 4 or 1} is a start)"
        raise InputError(f"batch_size {batch} is larger than the training set ({size} patches); {less}")
    if batch % world:
        raise InputError(f"batch_size {batch} cannot be shared equally by {world} processes")
    if batch < 2 * world and any(isinstance(module, nn.BatchNorm2d) for module in model.modules()):
        raise InputError(f"batch_size {batch} is too small for batch norm; make it at least {2 * world}")
