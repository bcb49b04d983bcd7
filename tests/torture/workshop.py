"""Good files, from which the bad ones are made, and the call of a command in a process that knows them.

`open_shop` imports what commands need, so that a fork of this process begins at once, and puts the quick
renderer of the tests in place of the real one.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torture.cases import Case

GOODS = Path(tempfile.gettempdir()) / f"torture-{os.getpid()}" / "goods"
SMALL = ("--scale", "0.005", "--no-progress")
LEARN = ("--model", "toy_cnn", "--epochs", "2", "--batch-size", "8", "--device", "cpu", "--no-progress")


def open_shop() -> None:
    """Import, make the good files in a copy of this process, and measure an idle command."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    os.environ["MPLBACKEND"] = "agg"
    os.environ["MPLCONFIGDIR"] = str(GOODS / "mpl")
    GOODS.mkdir(parents=True)
    _import()
    from torture import process
    from torture.cases import Case

    process.in_copy(_make)
    for kind in ("copy", "own"):
        idle = Case("", "", _WORDS, own=kind == "own", seconds=300)
        outcome = process.run(idle, GOODS.parent / "idle")
        if outcome.code:
            raise RuntimeError(f"the good command fails: {outcome.err.decode()}")
        process.IDLE[kind] = outcome.megabytes
        process.IDLE["us"] = process.resident(os.getpid())


_WORDS = ("detect", "model.safetensors", "good.png", "--out", "out", "--no-progress")


def close_shop() -> None:
    shutil.rmtree(GOODS.parent, ignore_errors=True)


def lay_out(home: Path, case: "Case") -> None:
    """Put the files of a case into its folder."""
    for name in case.good:
        source, target = GOODS / name, home / name
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
    for name, content in case.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    if case.make:
        case.make(home)


def good(name: str) -> bytes:
    """The bytes of a good file."""
    return (GOODS / name).read_bytes()


def call(module: str, words: list[str]) -> int:
    """`python -m MODULE WORDS` in this process."""
    sys.argv = [module, *words]
    if module == "aircraft":
        from aircraft import cli

        cli.main()
        return 0
    if module == "aircraft_bench":
        from aircraft import cli
        from aircraft_bench.__main__ import app

        return cli.run(words, app, "python -m aircraft_bench")
    from aircraft_course.checks.__main__ import main

    return main(words)


def _import() -> None:
    import cv2
    import joblib
    import matplotlib.pyplot
    import nbclient
    import onnx
    import rasterio
    import sklearn.metrics
    import torch
    import torch.utils.tensorboard

    import aircraft_bench.__main__
    from aircraft import cli, datasets, detection, imagery, models, training
    from aircraft.cli import report, runfigures, runs
    from aircraft.datasets import synthetic
    from aircraft_course.checks import grading
    from cli_helpers import crosses

    used = (matplotlib, nbclient, onnx, rasterio, sklearn, aircraft_bench, cli, datasets, detection, imagery)
    assert all((*used, models, training, report, runfigures, runs, grading))
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    joblib.cpu_count = lambda *_: 1  # no workers: a fork ends without a word to them
    synthetic.render = crosses


def _make() -> None:
    """Model, images, patches, tiles, a run, a cache, real scenes that are none, and a notebook."""
    import numpy as np
    import torch
    from PIL import Image

    from aircraft import cli, datasets, models
    from cli_helpers import crosses

    os.chdir(GOODS)
    os.environ["AIRCRAFT_DATA"] = str(GOODS / "cache")
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    torch.manual_seed(0)
    models.save(models.build("toy_cnn"), GOODS / "model.safetensors", threshold=0.5)
    Image.fromarray(crosses(70).image[:150, :200]).save(GOODS / "good.png")
    Image.fromarray(crosses(71).image[:150, :200]).save(GOODS / "good.jpg", quality=90)
    datasets.export_npz(_patches(), GOODS / "patches.npz")
    tiles = datasets.load_tiles(count=6, progress=False, workers=1)
    datasets.export_npz(tiles, GOODS / "tiles.npz")
    _airbus(GOODS / "airbus", Image, crosses)
    cell = {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": [], "execution_count": None}
    book: dict[str, Any] = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    (GOODS / "01_book.ipynb").write_text(json.dumps(book))
    np.save(GOODS / "one.npy", np.zeros(3))
    commands = (
        ("data", "toy", *SMALL),
        ("data", "imbalanced", *SMALL),
        ("data", "tiles", *SMALL),
        ("train", "--data", "patches.npz", "--out", "run", *LEARN),
        ("export", "model.safetensors", "--onnx", "model.onnx"),
        ("demo", "--out", "demo", *LEARN[:-1], *SMALL),
    )
    for words in commands:
        if cli.run(words):
            raise RuntimeError(f"the good command fails: {words}")


def _patches() -> Any:
    """8 sites to train on, 4 to test on, 10 patches each, half of them with a cross."""
    import numpy as np

    from aircraft import datasets, patches
    from cli_helpers import crosses

    parts = []
    for sites in (range(8), range(8, 12)):
        images, labels, names = [], [], []
        for site in sites:
            scene, rng = crosses(site), np.random.default_rng(site)
            for label, corners in (
                (1, patches.sample_positive(scene, 5, rng)[0]),
                (0, patches.sample_negative(scene, 5, rng)),
            ):
                images.append(patches.cut(scene.image, *corners.T))
                labels += [label] * len(corners)
                names += [scene.site] * len(corners)
        parts.append(patches.Patches(np.concatenate(images), np.array(labels, np.uint8), np.array(names)))
    return datasets.PatchSet("crosses", "crosses", *parts)


def _airbus(root: Path, image: Any, crosses: Any) -> None:
    """A folder in the form of the real scenes, drawn by us."""
    (root / "images").mkdir(parents=True)
    lines, sites = ["image_id,geometry,class"], ["image_id,airport"]
    for number in range(8):
        scene = crosses(number)
        name = f"scene{number}.jpg"
        image.fromarray(scene.image.repeat(2, axis=0).repeat(2, axis=1)).save(root / "images" / name)
        sites.append(f"{name},{'ABCDIJMN'[number]}")
        for x0, y0, x1, y1 in (scene.boxes * 2).tolist():
            corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
            lines.append(f'{name},"{corners}",Airplane')
    (root / "annotations.csv").write_text("\n".join(lines) + "\n")
    (root / "airports.csv").write_text("\n".join(sites) + "\n")
