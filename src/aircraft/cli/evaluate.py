"""`aircraft evaluate`: how good is a model on patches, and on tiles."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from aircraft import InputError
from aircraft.cli.options import Answer, Device, Json, ModelFile, Progress, Root, ScaleOrNone, SourceOrNone


def evaluate(
    model: ModelFile,
    npz: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Patches to judge: an .npz with test_images and test_labels."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(metavar="toy|imbalanced", help="Patches to judge: the test part of a data set."),
    ] = None,
    source: SourceOrNone = None,
    root: Root = None,
    tiles: Annotated[
        str | None,
        typer.Option(metavar="synthetic|airbus|FILE.npz", help="Judge detections on the tiles of a source."),
    ] = None,
    device: Device = "auto",
    scale: ScaleOrNone = None,
    progress: Progress = True,
    json: Json = False,
) -> Answer:
    """Judge a model on labelled patches, on tiles, or on both.

    With neither --npz, --data, --source nor --tiles: on the test part of what it was trained on. What is
    not said of --data, --source, --root and --scale is as it was in training.
    """
    if npz and (data or source):
        raise InputError("give --npz, or --data and --source, not both")
    from aircraft import datasets, models
    from aircraft.cli import runs
    from aircraft.datasets.npz import read_patches
    from aircraft.training import devices

    with devices.parallel():
        network, card = models.load(runs.model_file(model))
        network.to(devices.choose(device))
        given: dict[str, Any] = {"name": data, "source": source, "root": root, "scale": scale}
        trained_on = runs.Data(**card.provenance.get("data", {}))
        chosen = replace(trained_on, **{name: value for name, value in given.items() if value is not None})
        values: dict[str, Any] = {"model": model, "data": None}
        text = ""
        if npz or data or source or not tiles:
            patches = read_patches(npz) if npz else chosen.patches(progress).test
            report = runs.evaluate(network, patches, progress=progress)
            values |= report.to_dict() | {"data": str(npz or chosen)}
            text += f"{values['data']}: {report}\n"
        if tiles:
            count = max(6, round(datasets.TILES * (scale or 1)))
            scenes = datasets.load_tiles(tiles, root, count=count, progress=progress)
            _, counted = runs.evaluate_tiles(network, scenes, progress=progress)
            values["detection"] = counted.to_dict() | {"source": tiles}
            text += f"{_lines(tiles, counted)}\n"
    return Answer(values, f"{text}next: aircraft detect {model} IMAGE... --out DIR", json)


def _lines(source: str, counted: Any) -> str:
    return (
        f"{counted.n_tiles} tiles ({source}), {counted.n_true} aircraft; counted {sum(counted.found)} "
        f"at threshold {counted.threshold:.3f}\n"
        f"  AP {counted.AP:.3f}  best F1 {counted.best_F1:.3f}  precision {counted.precision:.3f}  "
        f"recall {counted.recall:.3f}  F1 {counted.F1:.3f}  off by {counted.count_error:.2f} a tile"
    )
