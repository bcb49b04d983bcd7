"""`aircraft demo`: the main job with one command."""

from pathlib import Path
from typing import Annotated

import typer

from aircraft import InputError
from aircraft.cli.options import Answer, BatchSize, Device, Epochs, Json, Model, Progress, Root, Scale, Seed
from aircraft.training.settings import Settings


def demo(
    source: Annotated[
        str, typer.Option(metavar="synthetic|airbus", help="Where the scenes come from: drawn, or real.")
    ] = "synthetic",
    root: Root = None,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder for the report, the model and the figures.")
    ] = Path("outputs/demo"),
    model: Model = "patch_net",
    epochs: Epochs = Settings.epochs,
    batch_size: BatchSize = Settings.batch_size,
    seed: Seed = Settings.seed,
    device: Device = Settings.device,
    scale: Scale = 1.0,
    progress: Progress = True,
    json: Json = False,
) -> Answer:
    """From scenes to counted aircraft: data, training, evaluation, detection, report.

    Writes DIR/index.html; an earlier demo in DIR is replaced.
    """
    settings = Settings(epochs=epochs, batch_size=batch_size, seed=seed, device=device)
    if source not in ("synthetic", "airbus"):
        raise InputError(f"unknown source {source!r}; a demo needs scenes: take synthetic or airbus")
    from aircraft.cli import runs
    from aircraft.cli.main_job import demo as main_job
    from aircraft.training import devices

    with devices.parallel():
        done = main_job(
            out, data=runs.Data(source=source, root=root, scale=scale), model=model, progress=progress,
            **settings.to_dict(),
        )  # fmt: skip
    counted = done.tiles
    text = (
        f"test set: {done.run.test}\n\n"
        f"{counted.n_tiles} tiles: {sum(counted.found)} aircraft counted, {counted.n_true} are there; "
        f"AP {counted.AP:.3f}, F1 {counted.F1:.3f}, off by {counted.count_error:.2f} a tile\n"
        f"next: open {done.page} in a browser"
    )
    return Answer(done.values, text, json)
