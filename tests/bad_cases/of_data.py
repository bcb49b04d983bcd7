"""Data sets: files of patches and tiles, names, sources, sizes."""

import io
import os
import warnings
import zipfile
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
    (f / "README.md").write_text("no arrays")
    write("half", labels=HALF / 2)
    write("above", np.where(images > 250, 1.02, images / 255))
    write("binary", images // 128)
    write("bool", images > 9)
    write("bytes", test_sites=SITES.astype("S"))
    write("once", images[:1], HALF[:1])
    with zipfile.ZipFile(f / "once.npz", "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile knows that this is no good
        archive.writestr("test_images.npy", archive.read("test_images.npy"))
    make_archives(f)
    tiles = np.random.default_rng(0).integers(0, 256, (2, 90, 70, 3), np.uint8)
    box = np.array([[5, 5, 20, 20]])
    np.savez(f / "between.npz", eval_tiles=tiles, eval_boxes=box, eval_boxes_tile=np.array([0.5]))
    np.savez(f / "beside.npz", eval_tiles=tiles, eval_boxes=box + 90, eval_boxes_tile=np.array([0]))
    np.savez(f / "far.npz", eval_tiles=tiles, eval_boxes=box * 1e300, eval_boxes_tile=np.array([0]))
    np.savez(f / "tiles.npz", eval_tiles=tiles)
    if hasattr(os, "mkfifo"):
        os.mkfifo(f / "pipe.npz")


def make_archives(f: Path) -> None:
    """Archives of which the inside is wrong: each has labels, and images that cannot be read."""

    def header(shape: object, order: object = False, descr: object = "|u1", version: int = 1) -> bytes:
        text = repr({"descr": descr, "fortran_order": order, "shape": shape}) + "\n"
        return b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2, "little") + text.encode()

    labels = io.BytesIO()
    np.save(labels, HALF)
    nested = io.BytesIO()
    np.savez(nested, a=HALF)
    for name, content in {
        "longer": header((10**12, 64, 64, 3)) + bytes(9),
        "negative": header((-6, 64, 64, 3)) + bytes(9),
        "absurd": header((10**30, 64, 64, 3)),
        "words": header((6, 64, 64, 3), "maybe"),
        "type": header((6, 64, 64, 3), descr="|x9"),
        "future": header((6, 64, 64, 3), version=9) + bytes(6 * 64 * 64 * 3),
        "deep_header": b"\x93NUMPY\x01\x00" + (9000).to_bytes(2, "little") + b"(" * 9000,
        "minus": b"\x93NUMPY\x01\x00" + (9000).to_bytes(2, "little") + b"-" * 9000,
        "no_magic": b"PK" * 9,
        "nothing_in_it": b"",
        "nested": nested.getvalue(),
    }.items():
        with zipfile.ZipFile(f / f"{name}.npz", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("test_images.npy", content)
            archive.writestr("test_labels.npy", labels.getvalue())
    whole = (f / "grey.npz").read_bytes()
    for name, at, value in (("encrypted", 6, 1), ("method", 8, 99), ("version", 4, 255)):
        changed = bytearray(whole)
        for sign, more in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):  # where each is said twice
            for part in range(len(whole)):
                if whole.startswith(sign, part):
                    changed[part + at + more] = value
        (f / f"{name}.npz").write_bytes(changed)


def npz(name: str) -> Callable[[Path], Any]:
    return lambda f: read_patches(f / name)


CASES = {
    **{
        f"npz: {name}": Case("write or copy it again", npz(f"{name}.npz"), EVALUATE + f"{name}.npz")
        for name in (
            "once",
            "longer",
            "negative",
            "absurd",
            "words",
            "type",
            "future",
            "deep_header",
            "minus",
            "no_magic",
            "nothing_in_it",
            "nested",
            "encrypted",
            "method",
            "version",
        )
    },
    "npz: a text": Case("README.md: is no .npz file", npz("README.md"), EVALUATE + "README.md"),
    "npz: a folder": Case("is a folder", npz("nothing"), EVALUATE + "nothing"),
    "npz: a pipe": Case("no regular file", npz("pipe.npz"), EVALUATE + "pipe.npz"),
    "npz: a device": Case("no regular file", lambda f: read_patches("/dev/zero")),
    "npz: label 0.5": Case("test_labels[1] is 0.5", npz("half.npz"), EVALUATE + "half.npz"),
    "npz: floats a little above 1": Case(
        "test_images ends at 1.02", npz("above.npz"), EVALUATE + "above.npz"
    ),
    "npz: images of 0 and 1": Case("test_images ends at 1", npz("binary.npz"), EVALUATE + "binary.npz"),
    "npz: truth values": Case("of type bool", npz("bool.npz"), EVALUATE + "bool.npz"),
    "npz: sites as bytes": Case("as str", npz("bytes.npz"), EVALUATE + "bytes.npz"),
    **{
        f"tiles: {name}": Case(
            says,
            lambda f, name=name: datasets.load_tiles(f / name),
            "evaluate {f}/model.safetensors --tiles {f}/" + name,
        )
        for name, says in {
            "between.npz": "between.npz: eval_boxes_tile must hold the number of the tile, 0 to 1",
            "beside.npz": "beside.npz: beside-000: boxes[0]",
            "far.npz": "boxes are (M, 4)",
            "pipe.npz": "no regular file",
        }.items()
    },
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
    **{
        f"tiles: {next(iter(option))} for a file": Case(
            f"{next(iter(option))} is for synthetic and airbus; leave it out",
            lambda f, option=option: datasets.load_tiles(f / "tiles.npz", **option),
        )
        for option in ({"split": "validation"}, {"count": 3}, {"sites": ["a"]}, {"seed": 1})
    },
    **{
        f"data: {next(iter(option))} for {source}": Case(
            f"{next(iter(option))} is for {able}; leave it out",
            lambda f, source=source, option=option: datasets.load_toy(
                f / source if "." in source else source, **option
            ),
        )
        for source, able, option in (
            ("label.npz", "synthetic and airbus", {"scale": 0.5}),
            ("label.npz", "synthetic and airbus", {"seed": 3}),
            ("label.npz", "synthetic", {"difficulty": 0.5}),
            ("label.npz", "airbus", {"root": "here"}),
            ("label.npz", "airbus", {"test_sites": np.array(["A", "B"])}),
            ("airbus", "synthetic", {"difficulty": 2.0}),
            ("synthetic", "airbus", {"root": "here"}),
            ("synthetic", "airbus", {"test_sites": ["A"]}),
        )
    },
    **{
        f"data: {option}": Case(
            f"{next(iter(option))} is ", lambda f, option=option: datasets.load_toy(progress=False, **option)
        )
        for option in (
            {"seed": True},
            {"seed": "3"},
            {"seed": 3.0},
            {"seed": None},
            {"seed": 10**30},
            {"seed": float("nan")},
            {"difficulty": float("inf")},
            {"difficulty": 3},
            {"difficulty": "1"},
            {"difficulty": None},
            {"difficulty": True},
            {"workers": 0},
            {"workers": -1},
            {"workers": 10**6},
            {"workers": 1.5},
            {"scale": float("nan")},
            {"scale": -3},
            {"scale": 100_000},
            {"scale": "1"},
            {"scale": None},
        )
    },
    **{
        f"tiles: count {count}": Case("count is ", lambda f, count=count: datasets.load_tiles(count=count))
        for count in (0, 2.5, "3", True, 10**9)
    },
    **{
        f"tiles: sites {sites}": Case(
            "unknown here", lambda f, sites=sites: datasets.load_tiles(sites=sites, progress=False)
        )
        for sites in ([3], [b"synthetic-0-0150"], "abc", [None, "a"], [float("nan")])
    },
}
