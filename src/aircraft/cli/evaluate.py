"""`aircraft evaluate`: how good is a model on patches, and on tiles."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aircraft import InputError, reading
from aircraft.cli import options
from aircraft.cli.options import Answer

if TYPE_CHECKING:
    from aircraft.detection import DetectionReport


def evaluate(
    model: options.ModelFile,
    npz: options.Npz = None,
    data: options.DataNameOrNone = None,
    source: options.SourceOrNone = None,
    root: options.Root = None,
    tiles: options.Tiles = None,
    device: options.Device = "auto",
    scale: options.ScaleOrNone = None,
    progress: options.Progress = True,
    json: options.Json = False,
) -> Answer:
    """Judge a model on labelled patches, on tiles, or on both.

    With neither --npz, --data, --source nor --tiles: on the test part of what it was trained on. What is
    not said of --data, --source, --root and --scale is as it was in training.
    """
    if npz and not (data is None and source is None):
        raise InputError("give --npz, or --data and --source, not both")
    from aircraft import models
    from aircraft.cli import runs
    from aircraft.datasets.npz import read_patches
    from aircraft.training import devices

    values: dict[str, Any] = {"model": model, "data": None}
    text = ""
    with devices.parallel():
        network, card = models.load(file := runs.model_file(model))
        network.to(devices.choose(device))
        if npz or tiles is None or not (data is None and source is None):
            given = {"name": data, "source": source, "root": root, "scale": scale}
            said: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
            trained = {} if npz else card.provenance.get("data", {})
            with reading(file, "train the model again", "its note on the data makes no sense"):
                chosen = replace(runs.Data(**trained), **said)
                _ = Path(chosen.name, chosen.source, chosen.root or ""), +chosen.scale  # else a TypeError
            if npz and tiles is None and {"root", "scale"} & set(said):
                raise InputError(f"{npz} is judged as it is; leave out --root and --scale")
            if tiles == "airbus" != chosen.source:  # the folder is that of the tiles
                chosen = replace(chosen, root=None)
            elif chosen.source == "airbus":  # of the patches
                root = root if tiles == "airbus" else None
            patches = read_patches(npz) if npz else chosen.patches(progress).test
            report = runs.evaluate(network, patches, progress=progress)
            values |= report.to_dict() | {"data": str(npz or chosen)}
            text += f"{values['data']}: {report}\n"
        if tiles is not None:
            scenes = runs.load_tiles(tiles, root, 1.0 if scale is None else scale, progress=progress)
            _, counted = runs.evaluate_tiles(network, scenes, progress=progress)
            values["detection"] = counted.to_dict() | {"source": tiles}
            text += _lines(tiles, counted)
    return Answer(values, f"{text}next: aircraft detect {model} IMAGE... --out DIR", json)


def _lines(source: str, counted: "DetectionReport") -> str:
    return (
        f"{counted.n_tiles} tiles ({source}), {counted.n_true} aircraft; counted {sum(counted.found)} "
        f"at threshold {counted.threshold:.3f}\n"
        f"  AP {counted.AP:.3f}  best F1 {counted.best_F1:.3f}  precision {counted.precision:.3f}  "
        f"recall {counted.recall:.3f}  F1 {counted.F1:.3f}  off by {counted.count_error:.2f} a tile\n"
    )
