"""Data sets: files of patches and tiles, names, sources, sizes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from aircraft import datasets, models
from aircraft.cli import runs
from aircraft.datasets.npz import read_patches
from bad_cases import EVALUATE, HALF, SITES, TRAIN, Case


def make(f: Path) -> None:
    """What can be wrong with a file of patches."""
    images = np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), np.uint8)

    def write(name: str, images: Any = images, labels: Any = HALF, **more: Any) -> None:
        np.savez(f / f"{name}.npz", test_images=images, test_labels=labels, **more)

    write("grey", images[..., 0])
    write("rgba", np.zeros((6, 64, 64, 4), np.uint8))
    write("first", images.transpose(0, 3, 1, 2))
    write("small", images[:, :32, :32])
    write("deep", np.linspace(0, 4000, images.size).reshape(images.shape).astype(np.uint16))
    write("nan", np.where(images > 250, np.nan, images / 255))
    write("label", labels=HALF * 2)
    write("length", labels=HALF[:5])
    write("empty", images[:0], HALF[:0])
    write("one", labels=HALF * 0)
    write("objects", np.array([None] * 6, object))
    write("cut")
    (f / "cut.npz").write_bytes((f / "cut.npz").read_bytes()[:3000])
    train = {"train_images": images, "train_labels": HALF, "train_sites": SITES}
    write("leak", **train, test_sites=SITES)
    np.savez(f / "keys.npz", test_images=images)
    (f / "text.npz").write_text("no arrays")


def npz(name: str) -> Callable[[Path], Any]:
    return lambda f: read_patches(f / name)


CASES = {
    "npz: not there": Case("no such file", npz("absent.npz"), EVALUATE + "absent.npz"),
    "npz: another kind of file": Case("is no .npz file", npz("text.npz"), EVALUATE + "text.npz"),
    "npz: cut off": Case("cut off", npz("cut.npz"), EVALUATE + "cut.npz"),
    "npz: without the key": Case("no test_labels in it", npz("keys.npz"), EVALUATE + "keys.npz"),
    "npz: pickled objects": Case("no Python objects", npz("objects.npz"), EVALUATE + "objects.npz"),
    "npz: grey patches": Case("(N, 64, 64, 3)", npz("grey.npz"), EVALUATE + "grey.npz"),
    "npz: RGBA patches": Case("(N, 64, 64, 3)", npz("rgba.npz"), EVALUATE + "rgba.npz"),
    "npz: channels first": Case("move the channels", npz("first.npz"), EVALUATE + "first.npz"),
    "npz: patches of 32": Case("(N, 64, 64, 3)", npz("small.npz"), EVALUATE + "small.npz"),
    "npz: 16 bit": Case("goes from 0 to 4000", npz("deep.npz"), EVALUATE + "deep.npz"),
    "npz: NaN": Case("NaN", npz("nan.npz"), EVALUATE + "nan.npz"),
    "npz: label 2": Case("labels are 0 (background) or 1", npz("label.npz"), EVALUATE + "label.npz"),
    "npz: lengths differ": Case("each image needs one label", npz("length.npz"), EVALUATE + "length.npz"),
    "npz: no patch at all": Case("is empty", npz("empty.npz"), EVALUATE + "empty.npz"),
    "npz: one class": Case(
        "all 6 labels are 0",
        lambda f: runs.evaluate(models.load(f / "model.safetensors")[0], read_patches(f / "one.npz")),
        EVALUATE + "one.npz --no-progress",
    ),
    "npz: nothing to train on": Case(
        "no train_images", lambda f: datasets.load_npz(f / "label.npz"), TRAIN + "{f}/label.npz"
    ),
    "npz: a site in train and test": Case(
        "is in train and test", lambda f: datasets.load_npz(f / "leak.npz"), TRAIN + "{f}/leak.npz"
    ),
    "tiles: not in the file": Case(
        "no eval_tiles",
        lambda f: datasets.load_tiles(f / "label.npz"),
        "evaluate {f}/model.safetensors --tiles {f}/label.npz",
    ),
    "data: name": Case("unknown data set 'toys'", lambda f: runs.Data("toys").patches(), TRAIN + "toys"),
    "data: name of a set": Case(
        "'tile' is not one of 'toy', 'imbalanced', 'tiles', 'all'", None, "data tile"
    ),
    "data: source": Case(
        "unknown source 'google'", lambda f: datasets.load_toy("google"), "data toy --source google"
    ),
    "data: scale": Case("scale is 0", lambda f: datasets.load_toy(scale=0.0), "data toy --scale 0"),
    "data: folder": Case(
        "no such folder",
        lambda f: datasets.load_toy("airbus", f / "no"),
        "data toy --source airbus --root {f}/no",
    ),
    "data: a folder of something else": Case(
        "annotations.csv",
        lambda f: datasets.load_toy("airbus", f / "nothing"),
        "data toy --source airbus --root {f}/nothing",
    ),
    "data: export of all": Case("one by one", None, "data all --export {f}/x.npz"),
    "data: export to another kind": Case("ends in .npz", None, "data toy --export {f}/x.zip"),
    "data: split": Case("unknown split", lambda f: datasets.load_tiles(split="val")),
}
