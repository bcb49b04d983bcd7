"""`aircraft train`: a data set in, a run folder out."""

from pathlib import Path
from typing import Annotated

import typer

from aircraft.cli.options import (
    Answer,
    BatchSize,
    Device,
    Epochs,
    Json,
    Model,
    Progress,
    Root,
    Scale,
    Seed,
    Source,
)
from aircraft.training.settings import Settings


def train(
    out: Annotated[Path, typer.Option(metavar="RUN", help="Folder for model, figures and checkpoints.")],
    data: Annotated[
        str, typer.Option(metavar="toy|imbalanced|FILE.npz", help="What to train on.")
    ] = "imbalanced",
    source: Source = "synthetic",
    root: Root = None,
    model: Model = "patch_net",
    epochs: Epochs = Settings.epochs,
    seed: Seed = Settings.seed,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the training in RUN, or begin if there is none.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace the run in RUN.")] = False,
    lr: Annotated[float, typer.Option(metavar="RATE", help="The highest learning rate.")] = Settings.lr,
    batch_size: BatchSize = Settings.batch_size,
    loss: Annotated[str, typer.Option(metavar="NAME", help="bce or focal.")] = Settings.loss,
    sampling: Annotated[
        str, typer.Option(metavar="NAME", help="uniform, balanced or hard.")
    ] = Settings.sampling,
    augment: Annotated[
        bool, typer.Option("--augment/--no-augment", help="Turn, mirror and re-light patches.")
    ] = Settings.augment,
    patience: Annotated[
        int | None, typer.Option(metavar="N", help="Stop after N epochs without a better validation AP.")
    ] = Settings.patience,
    device: Device = Settings.device,
    scale: Scale = 1.0,
    progress: Progress = True,
    json: Json = False,
) -> Answer:
    """Train a network and choose its thresholds.

    Writes RUN/model.safetensors, metrics.json, history.csv, figures, TensorBoard events and checkpoints.
    On many processes: torchrun --nproc-per-node=2 -m aircraft train ...
    """
    settings = Settings(  # checked before torch is imported and data are built
        epochs=epochs,
        seed=seed,
        lr=lr,
        batch_size=batch_size,
        loss=loss,
        sampling=sampling,
        augment=augment,
        patience=patience,
        device=device,
    )
    from aircraft.cli import runfigures, runs
    from aircraft.training import devices

    chosen = runs.Data(name=data, source=source, root=root, scale=scale)
    with devices.parallel():
        run = runs.train(
            chosen, out, model=model, resume=resume, force=force, progress=progress, **settings.to_dict()
        )
        if devices.is_first():
            runfigures.write(run)
    seconds = sum(run.values["seconds"].values())
    text = (
        f"{out}: {model} trained on {chosen}, {seconds:.0f} s in all; "
        f"epoch {run.history.best_epoch} of {len(run.history)} is kept\n"
        f"test set: {run.test}\n"
        f"next: aircraft evaluate {out} --tiles {source}, or aircraft detect {out} IMAGE... --out DIR"
    )
    return Answer({"run": str(out)} | run.values, text, json)
