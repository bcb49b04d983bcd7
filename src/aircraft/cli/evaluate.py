"""`aircraft evaluate`: how good is a model on patches, and on tiles."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from aircraft import InputError, reading
from aircraft.cli import options
from aircraft.cli.options import Answer


def evaluate(
    model: options.ModelFileOrNone = None,
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
    not said of --data, --source, --root and --scale is as it was in training (the imbalanced set for the
    pretrained network, which is judged where no model is named).
    """
    if npz and not (data is None and source is None):
        raise InputError("give --npz, or --data and --source, not both")
    from aircraft import models
    from aircraft.cli import runs
    from aircraft.datasets.npz import read_patches
    from aircraft.training import devices

    values: dict[str, Any] = {"model": str(model or models.PRETRAINED), "data": None}
    text = ""
    with devices.parallel():
        network, card = models.load(file := runs.model_file(model))
        network.to(devices.choose(device))
        given = {"name": data, "source": source, "root": root, "scale": scale}
        said: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
        with reading(file, "train the model again", "its note on the data makes no sense"):
            chosen = replace(runs.Data(**({} if npz else card.provenance.get("data", {}))), **said)
            _ = Path(chosen.name, chosen.source, chosen.root or ""), +chosen.scale  # else a TypeError
        if npz and tiles is None and {"root", "scale"} & set(said):
            raise InputError(f"{npz} is judged as it is; leave out --root and --scale")
        if source is not None and chosen.name.endswith(".npz"):
            raise InputError(f"{chosen.name} holds the data; leave out --source {source}, or say --data")
        if chosen.source.endswith(".npz"):  # the training's scale and folder were those of another source
            chosen = replace(chosen, scale=said.get("scale", 1.0), root=root)
        judged = bool(npz) or tiles is None or not (data is None and source is None)
        if root and "airbus" not in (tiles, chosen.source if judged else ""):
            raise InputError(f"--root {root} is the folder of airbus, which is not judged here; leave it out")
        folders = {"airbus": chosen.root}  # no other source has one
        chosen = replace(chosen, root=folders.get(chosen.source))
        if judged:
            patches = read_patches(npz) if npz else chosen.patches(progress).test
            report = runs.evaluate(network, patches, progress=progress)
            values |= report.to_dict() | {"data": str(npz or chosen)}
            text += f"{values['data']}: {report}\n"
        if tiles is not None:
            share = 1.0 if tiles.endswith(".npz") and scale is None else chosen.scale
            scenes = runs.load_tiles(tiles, folders.get(tiles), share, progress=progress)
            found, words = runs.on_tiles(network, scenes, progress)
            values["detection"] = found | {"source": tiles}
            text += f"{tiles}: {words}\n"
    words = " ".join(filter(None, ("next: aircraft detect", model, "IMAGE... --out DIR")))
    return Answer(values, text + words, json)
