"""`aircraft train`: a data set in, a run folder out."""

from aircraft.cli import options
from aircraft.cli.options import Answer
from aircraft.training.settings import Settings


def train(
    out: options.RunFolder,
    data: options.DataName = "imbalanced",
    source: options.Source = "synthetic",
    root: options.Root = None,
    model: options.Model = "patch_net",
    epochs: options.Epochs = Settings.epochs,
    seed: options.Seed = Settings.seed,
    resume: options.Resume = False,
    force: options.Force = False,
    lr: options.Rate = Settings.lr,
    batch_size: options.BatchSize = Settings.batch_size,
    loss: options.Loss = Settings.loss,
    sampling: options.Sampling = Settings.sampling,
    augment: options.Augment = Settings.augment,
    patience: options.Patience = Settings.patience,
    device: options.Device = Settings.device,
    scale: options.Scale = 1.0,
    progress: options.Progress = True,
    json: options.Json = False,
) -> Answer:
    """Train a network and choose its thresholds.

    Writes RUN/model.safetensors, metrics.json, history.csv, figures, TensorBoard events and checkpoints.
    On many processes: torchrun --nproc-per-node=2 -m aircraft train ...
    """
    settings = Settings(  # checked before torch is imported and data are built
        epochs=epochs, seed=seed, lr=lr, batch_size=batch_size, loss=loss, sampling=sampling,
        augment=augment, patience=patience, device=device,
    )  # fmt: skip
    from aircraft.cli import folders, runfigures, runs
    from aircraft.training import devices

    chosen = runs.Data(data, source, root, scale)
    with devices.parallel(), folders.claim(out, resume=resume, force=force) as place:
        run = runs.train(chosen, place, model=model, settings=settings, progress=progress)
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
