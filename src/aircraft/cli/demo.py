"""`aircraft demo`: the main job with one command.

Read it from top to bottom: it is the whole package in one function.
"""

from pathlib import Path

from aircraft.cli import options
from aircraft.cli.options import Answer
from aircraft.training.settings import Settings


def demo(
    source: options.Scenes = "synthetic",
    root: options.Root = None,
    out: options.ReportFolder = Path("outputs/demo"),
    model: options.Model = "patch_net",
    epochs: options.Epochs = Settings.epochs,
    batch_size: options.BatchSize = Settings.batch_size,
    seed: options.Seed = Settings.seed,
    force: options.Force = False,
    device: options.Device = Settings.device,
    scale: options.Scale = 1.0,
    progress: options.Progress = True,
    json: options.Json = False,
) -> Answer:
    """From scenes to counted aircraft: data, training, evaluation, detection, report.

    Writes DIR/index.html; an earlier demo in DIR is replaced, anything else with --force only.
    """
    settings = Settings(epochs=epochs, batch_size=batch_size, seed=seed, device=device)
    from aircraft import models
    from aircraft.cli import folders, report, runfigures, runs
    from aircraft.training import devices

    data, page = runs.Data("imbalanced", source, root, scale), out / folders.REPORT
    with devices.parallel(), folders.claim(out, force=force, demo=True) as place:
        # Patches, a network that tells them apart, a threshold from validation, the figures on test patches.
        run = runs.train(data, place, model=model, settings=settings, progress=progress)
        seconds = run.values["seconds"]

        # The same network at every place of the test tiles: its peaks are counted.
        with runs.timed("tiles", seconds):
            tiles = data.tiles("test", progress=progress and devices.is_first())
        with runs.timed("detection", seconds):
            found, counted = runs.evaluate_tiles(run.model, tiles, progress=progress, seed=seed)
        with runs.timed("comparison", seconds):
            known = models.pretrained().to(models.device_of(run.model))  # learned longer, from more
            _, beside = runs.evaluate_tiles(known, tiles, progress=progress, seed=seed)

        values = run.values | {"detection": counted.to_dict(), "report": str(page)}
        values["pretrained"] = beside.to_dict()
        if devices.is_first():
            with runs.timed("figures", seconds):
                figures = runfigures.samples(out, run.patches.train, tiles, seed=seed)
                figures |= runfigures.write(run)
                figures |= runfigures.detections(out, tiles, found, counted.threshold)
            report.write(page, run, counted, beside, figures)
            runs.write_json(out / folders.DEMO, values)
    text = f"test set: {run.test}\n\n{counted}\npretrained: {beside}\nnext: open {page} in a browser"
    return Answer(values, text, json)
