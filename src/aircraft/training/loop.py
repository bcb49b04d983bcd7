"""Training and prediction: `fit` puts two ignite engines and their handlers together, `predict` scores.

Read `_fit` from top to bottom: data, model, engines, what happens after each epoch, run.
"""

import math
import time
import warnings
from pathlib import Path
from typing import Any, Protocol, cast

import ignite.distributed as idist
import numpy as np
import torch
from ignite.engine import Engine, Events
from ignite.handlers import EarlyStopping, EMAHandler, TerminateOnNan
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm.auto import tqdm

from aircraft import InputError, models
from aircraft.training import checkpoints, devices, engines, loading, optimizers
from aircraft.training.checkpoints import History
from aircraft.training.loading import Sampler, seed_for
from aircraft.training.settings import Settings

__all__ = ["History", "Settings", "fit", "predict"]

EVALUATION_BATCH = 512  # a process; it changes the speed only
MIRRORS: tuple[tuple[int, ...], ...] = ((), (2,), (3,), (2, 3))  # axes of (n, 3, H, W) to flip


class LabelledImages(Protocol):
    """What `fit` needs of a set: images (N, 64, 64, 3) uint8 and labels (N,) of 0 and 1."""

    @property
    def images(self) -> np.ndarray: ...

    @property
    def labels(self) -> np.ndarray: ...


def fit(
    model: nn.Module,
    train: LabelledImages,
    val: LabelledImages,
    *,
    out: str | Path | None = None,
    resume: bool = False,
    progress: bool = True,
    **settings: Any,
) -> History:
    """Train `model` on `train`, judge it on `val` after every epoch, leave it with its best epoch's weights.

    model:    any module from float32 images (n, 3, 64, 64) in [0, 1] to logits (n,).
    out:      a folder for history.csv, TensorBoard events and checkpoint.pt; None writes nothing.
    resume:   go on from the checkpoint in `out`; from the start if there is none yet. The result is that of
              an undisturbed run, bit for bit on the CPU: an epoch depends on the seed and its number only.
    settings: see `Settings`.

    Inside a torchrun job (`devices.parallel()`) the processes share every batch and only the first one
    writes. The global random state is left as it was. Raises InputError for unusable data or settings, and
    when the loss becomes NaN or infinite.
    """
    options = Settings.of(**settings)
    _check(train, val, options)
    if resume and out is None:
        raise InputError("resume needs the folder of the run to go on with: out=...")
    device = devices.choose(options.device)
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        return _fit(model, train, val, options, device, None if out is None else Path(out), resume, progress)


def predict(
    model: nn.Module,
    images: np.ndarray,
    batch_size: int = 512,
    device: str | None = None,
    progress: bool = False,
    flips: bool = False,
) -> np.ndarray:
    """(N,) float32 probabilities of aircraft for (N, 64, 64, 3) uint8 patches.

    flips: the mean of the logits over a patch and its three mirror images: surer, and four times the work.

    Always computed in float32, so that scores do not depend on the hardware's low precision. Runs where the
    model is, or moves it to `device`. Every module keeps the mode (training or not) that it had.
    Raises InputError for images of another shape or type, and for a batch size below 1.
    """
    loading.check_images(images)
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}; it must be at least 1")
    where = engines.device_of(model) if device is None else devices.choose(device)
    scores = np.empty(len(images), np.float32)
    starts = tqdm(range(0, len(images), batch_size), desc="predict", disable=not progress)
    with models.evaluating(model.to(where)), torch.autocast(where.type, enabled=False):
        for start in starts:
            batch = loading.as_tensor(images[start : start + batch_size], where)
            pixels = loading.to_float(batch.permute(0, 3, 1, 2))  # (n, 3, 64, 64)
            views = [pixels.flip(axes) for axes in MIRRORS] if flips else [pixels]
            logits = torch.stack([model(view).reshape(-1) for view in views]).mean(dim=0)  # (n,)
            scores[start : start + batch_size] = logits.float().sigmoid().cpu().numpy().reshape(len(batch))
    return scores


def _fit(
    model: nn.Module,
    train: LabelledImages,
    val: LabelledImages,
    options: Settings,
    device: torch.device,
    out: Path | None,
    resume: bool,
    progress: bool,
) -> History:
    rank, world = idist.get_rank(), idist.get_world_size()

    # Data: of every training batch, and of the validation set, each process takes its equal share.
    sampler = Sampler(train.labels, options.sampling, options.seed)
    batches = loading.Batches(
        train.images, train.labels, options.batch_size, device, sampler=sampler, augment=options.augment,
        noise=options.noise, seed=options.seed, drop_last=True, channels_last=options.channels_last,
        rank=rank, world=world,
    )  # fmt: skip
    share = slice(len(val.labels) * rank // world, len(val.labels) * (rank + 1) // world)
    judged_batches = loading.Batches(
        val.images[share], val.labels[share], EVALUATION_BATCH, device, channels_last=options.channels_last
    )

    # Model: `net` is what computes (perhaps compiled, perhaps averaging gradients over processes), and
    # `judged` is what is evaluated and kept: the model itself, or the moving average of its weights.
    layout = torch.channels_last if options.channels_last else torch.contiguous_format
    model.to(device=device, memory_format=layout)  # type: ignore[call-overload]
    net = _shared(model) if world > 1 else model
    if options.compile:
        net = torch.compile(net)  # type: ignore[assignment]
    ema = None
    if (
        options.ema
    ):  # it looks back over half an epoch at most, so that few steps are not outweighed by the start
        memory = min(max(1 - options.ema, 2 / len(batches)), 0.9)
        ema = EMAHandler(model, momentum=memory, handle_buffers="update")
    judged = ema.ema_model if ema else model

    # Engines and the handlers of every iteration.
    amp = devices.amp_dtype(options.amp, device)
    loss = optimizers.make(options, train.labels)
    optimizer = engines.create_optimizer(model, options, amp)
    scheduler = engines.create_scheduler(optimizer, options, options.epochs * len(batches))
    scaler = torch.amp.GradScaler(device.type, enabled=amp is torch.float16)
    trainer = engines.create_trainer(net, optimizer, scaler, loss, amp)
    evaluator = engines.create_evaluator(judged, loss, amp)
    trainer.add_event_handler(Events.ITERATION_STARTED, scheduler)
    every = 1 if device.type == "cpu" else options.log_every  # to look at a number, the CPU waits for the GPU
    trainer.add_event_handler(Events.ITERATION_COMPLETED(every=every), _nan_stop())
    if ema:
        ema.attach(trainer)

    # What happens after an epoch: judge it, remember the best, perhaps stop, write down.
    best, history = engines.Best(judged, trainer), History()
    evaluator.add_event_handler(Events.COMPLETED, best)
    stopping = EarlyStopping(options.patience or options.epochs, _average_precision, trainer)
    stopping.logger.setLevel("WARNING")
    evaluator.add_event_handler(Events.COMPLETED, stopping)
    started = time.perf_counter()

    @trainer.on(Events.EPOCH_STARTED)
    def begin() -> None:
        nonlocal started
        started = time.perf_counter()
        batches.epoch = trainer.state.epoch
        torch.manual_seed(seed_for(options.seed, trainer.state.epoch, 2, rank))  # for dropout

    if options.sampling == "hard":

        @trainer.on(Events.ITERATION_COMPLETED)
        def remember() -> None:
            output = _output(trainer)
            sampler.record(output["index"], output["logits"])

        trainer.add_event_handler(Events.EPOCH_COMPLETED, sampler.end_epoch)

    @trainer.on(Events.EPOCH_COMPLETED)
    def judge() -> None:
        for part in (model, judged):  # both, so that the checkpoint of one process serves all
            engines.average_buffers(part)
        evaluator.run(judged_batches)
        if not math.isfinite(evaluator.state.metrics["loss"]):
            raise _diverged(trainer, options)
        history.rows.append(_row(trainer, evaluator.state.metrics, optimizer, time.perf_counter() - started))
        history.best_epoch = best.epoch

    board = None
    if progress and rank == 0:
        bar = engines.attach_progress(trainer, options.log_every)
        trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: bar.log_message(_line(history, options)))
    if out and rank == 0:
        board = engines.attach_board(trainer, evaluator, optimizer, out / "tensorboard", options.log_every)

    parts = {
        "run": checkpoints.Run(options, train.labels, val.labels), "trainer": trainer, "model": model,
        "optimizer": optimizer, "scheduler": scheduler, "scaler": scaler, "sampler": sampler, "best": best,
        "stopping": stopping, "history": history,
    } | ({"ema": ema.ema_model} if ema else {})  # fmt: skip
    if out:
        path = out / checkpoints.NAME
        if resume and path.exists():
            checkpoints.restore(path, parts)
        idist.barrier()  # no process may write before all have read
        if rank == 0:
            if not resume:  # else a kill in the first epoch would resume an older training
                path.unlink(missing_ok=True)
            checkpoints.attach(trainer, path, parts)
            trainer.add_event_handler(Events.EPOCH_COMPLETED, lambda: history.to_csv(out / "history.csv"))

    # Run, unless a checkpoint says that the training had already ended.
    if trainer.state.epoch < options.epochs and stopping.counter < stopping.patience:
        trainer.run(batches, max_epochs=options.epochs)
        if not torch.isfinite(_output(trainer)["loss"]):
            raise _diverged(trainer, options)
    if board:
        board.close()
    model.load_state_dict(best.weights)
    model.eval()
    return history


def _check(train: LabelledImages, val: LabelledImages, options: Settings) -> None:
    loading.check_patches(train, "train")
    loading.check_patches(val, "val")
    world = idist.get_world_size()
    if options.batch_size > len(train.labels):
        raise InputError(
            f"batch_size {options.batch_size} is larger than the training set ({len(train.labels)} patches); "
            "make it smaller"
        )
    if options.batch_size % world:
        raise InputError(f"batch_size {options.batch_size} cannot be shared equally by {world} processes")
    if len(val.labels) < world:
        raise InputError(f"val holds {len(val.labels)} patches for {world} processes; each needs one")


def _shared(model: nn.Module) -> nn.Module:
    """The model with its gradients averaged over the processes of the job."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*broadcast_buffers")  # its new name came with torch 2.14
        return idist.auto_model(model, broadcast_buffers=False)


def _nan_stop() -> TerminateOnNan:
    handler = TerminateOnNan(output_transform=lambda output: output["loss"])
    handler.logger.setLevel("ERROR")  # the InputError after it says the same and more
    return handler


def _diverged(trainer: Engine, options: Settings) -> InputError:
    state = trainer.state
    return InputError(
        f"the loss is NaN or infinite at iteration {state.iteration} (epoch {state.epoch}); "
        f"try a lower lr than {options.lr:g}, a longer warmup, or amp='off'"
    )


def _average_precision(evaluator: Engine) -> float:
    return evaluator.state.metrics["AP"]


def _output(trainer: Engine) -> dict[str, Tensor]:
    return cast(dict[str, Tensor], trainer.state.output)


def _row(trainer: Engine, found: dict[str, float], optimizer: Optimizer, seconds: float) -> dict[str, float]:
    return {
        "epoch": trainer.state.epoch,
        "loss": float(trainer.state.metrics["loss"]),
        "val_loss": found["loss"],
        "AP": found["AP"],
        "AUC": found["AUC"],
        "lr": float(optimizer.param_groups[0]["lr"]),
        "seconds": round(seconds, 3),
    }


def _line(history: History, options: Settings) -> str:
    row = history.rows[-1]
    return (
        f"epoch {row['epoch']}/{options.epochs}  loss {row['loss']:.4f}  val_loss {row['val_loss']:.4f}  "
        f"AP {row['AP']:.4f}  AUC {row['AUC']:.4f}  {row['seconds']:.1f} s"
    )
