# ruff: noqa: E501  (a case is a line of a table)
"""Wrong .npz files for `evaluate` and `train`, wrong folders of real scenes, wrong caches."""

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from torture import workshop
from torture.cases import Case
from torture.formats import archive, array, npy, patched, zip_fields

EVALUATE = ("evaluate", "model.safetensors", "--npz", "bad.npz", "--no-progress")
TILES = ("evaluate", "model.safetensors", "--tiles", "bad.npz", "--no-progress")
TRAIN = ("train", "--data", "bad.npz", "--out", "new", *workshop.LEARN)
SHAPE = "{'descr': '|u1', 'fortran_order': False, 'shape': (6, 64, 64, 3), }"


def cases() -> Iterator[Case]:
    for what, content, expect in (*_zips(), *_headers(), *_values()):
        yield Case(
            "npz: patches", what, EVALUATE, ("bad.npz",), expect, ("model.safetensors",), {"bad.npz": content}
        )
    for what, content, expect in _tiles():
        yield Case(
            "npz: tiles", what, TILES, ("bad.npz",), expect, ("model.safetensors",), {"bad.npz": content}
        )
    for what, content in _to_train():
        yield Case(
            "npz: to train on", what, TRAIN, ("bad.npz",), good=(), files={"bad.npz": content}, seconds=60
        )
    yield from _airbus()
    yield from _caches()


def six() -> tuple[np.ndarray, np.ndarray]:
    """Six patches, with and without an aircraft by turns."""
    return np.random.default_rng(0).integers(0, 256, (6, 64, 64, 3), np.uint8), np.array([0, 1, 0, 1, 0, 1])


def file(images: Any = None, labels: Any = None, compression: int = zipfile.ZIP_STORED, **more: Any) -> bytes:
    """An .npz of test patches; values are arrays, or the bytes of npy files."""
    values = {
        "test_images": six()[0] if images is None else images,
        "test_labels": six()[1] if labels is None else labels,
    } | more
    made = {
        f"{key}.npy": value if isinstance(value, bytes) else array(value) for key, value in values.items()
    }
    return archive(made, compression)


def _zips() -> Iterator[tuple[str, bytes, str]]:
    good = file()
    end, central = good.rindex(b"PK\5\6"), good.index(b"PK\1\2")
    second = good.index(b"PK\3\4", 10)
    for name, at in (("first header", 12), ("name", 33), ("array", 60), ("pixels", 5000), ("second member", second), ("its header", second + 9),
                     ("directory", central), ("its entry", central + 11), ("end", end), ("its record", end + 10)):  # fmt: skip
        yield f"cut at the {name}", good[:at], "refused"
    for name, local, entry in (
        ("encrypted", {6: b"\1\0"}, {8: b"\1\0"}), ("compression 99", {8: b"\x63\0"}, {10: b"\x63\0"}), ("compression 1", {8: b"\1\0"}, {10: b"\1\0"}),
        ("deflate that is none", {8: b"\x08\0"}, {10: b"\x08\0"}), ("bzip2 that is none", {8: b"\x0c\0"}, {10: b"\x0c\0"}),
        ("LZMA that is none", {8: b"\x0e\0"}, {10: b"\x0e\0"}), ("version 99", {4: b"\x63\0"}, {6: b"\x63\0"}),
        ("wrong CRC", {}, {16: b"1234"}), ("length 2^32 - 2", {}, {24: b"\xfe\xff\xff\xff"}), ("length 9", {}, {24: b"\x09\0\0\0", 20: b"\x09\0\0\0"}),
        ("stored length too large", {}, {20: b"\xff\xff\xff\x7f"}), ("place behind the end", {}, {42: b"\xff\xff\xff\x7f"}),
        ("patched data", {6: b"\x20\0"}, {8: b"\x20\0"}), ("strong encryption", {6: b"\x40\0"}, {8: b"\x40\0"}), ("another name", {30: b"X"}, {}),
    ):  # fmt: skip
        yield (
            name,
            zip_fields(good, local=local, central=entry),
            "any" if name in ("length 9",) else "refused",
        )
    for name, content in (
        ("no bytes", b""), ("text", b"no arrays"), ("zeros", bytes(900)), ("empty zip", archive({})), ("one npy", workshop.good("one.npy")),
        ("a pickle", b"\x80\4K\1."), ("a zip in a zip", archive({"patches.npz": good})), ("a model", workshop.good("model.safetensors")),
        ("no .npy in it", archive({"readme.txt": b"hello"})), ("names with folders", archive({"a/test_images.npy": array(six()[0])})),
        ("name of 60,000", archive({"x" * 60_000 + ".npy": array(six()[1])})), ("members that are no arrays", archive({"test_images.npy": b"PK", "test_labels.npy": b"12"})),
        ("two of a name", _twice()), ("10,000 members", archive({f"{i}.npy": b"" for i in range(10_000)})),
    ):  # fmt: skip
        yield name, content, "any" if name == "two of a name" else "refused"
    yield "rubbish before", b"x" * 99 + good, "any"
    yield "comment behind", good + b"\0" * 99, "any"
    for kind in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        packed = file(compression=kind)
        yield f"compression {kind}", packed, "done"
        yield f"compression {kind}, damaged", patched(packed, {400: b"\xff\xff\xff\xff\0\0\0\0"}), "refused"


def _twice() -> bytes:
    """Two members of one name."""
    import io
    import warnings

    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for value in (six()[0], six()[0]):
            opened.writestr("test_images.npy", array(value))
        opened.writestr("test_labels.npy", array(six()[1]))
    return held.getvalue()


def _headers() -> Iterator[tuple[str, bytes, str]]:
    body = six()[0].tobytes()
    for name, head in (
        ("no dict", "[1, 2]"), ("no Python", "{{{"), ("no bytes", ""), ("a call", "{'descr': open('x'), 'fortran_order': False, 'shape': (6,), }"),
        ("without shape", "{'descr': '|u1', 'fortran_order': False, }"), ("shape a text", SHAPE.replace("(6, 64, 64, 3)", "'six'")),
        ("shape negative", SHAPE.replace("(6,", "(-6,")), ("shape of floats", SHAPE.replace("(6,", "(6.5,")), ("shape None", SHAPE.replace("(6, 64, 64, 3)", "None")),
        ("shape huge", SHAPE.replace("(6,", "(600000000000,")), ("shape beyond 64 bits", SHAPE.replace("(6,", f"({10**30},")),
        ("two negative sizes", SHAPE.replace("(6, 64,", "(-6, -64,")), ("more than there is", SHAPE.replace("(6,", "(7,")),
        ("forty axes", SHAPE.replace("(6, 64, 64, 3)", str((1,) * 40))), ("order a text", SHAPE.replace("False", "'no'")),
        ("type unknown", SHAPE.replace("|u1", "|q9")), ("type a number", SHAPE.replace("'|u1'", "7")), ("type a list", SHAPE.replace("'|u1'", "[('a', '|u1')]")),
        ("type of a list in a list", SHAPE.replace("'|u1'", "[('a', [('b', '|u1')])]")), ("type void", SHAPE.replace("|u1", "|V1")),
        ("type object", SHAPE.replace("|u1", "|O")), ("type text", SHAPE.replace("|u1", "<U1")), ("type bytes", SHAPE.replace("|u1", "|S1")),
        ("type date", SHAPE.replace("|u1", "<M8[s]")), ("type of length 0", SHAPE.replace("|u1", "|S0")), ("type of 10^12 bytes", SHAPE.replace("|u1", "|S1000000000000")),
        ("deep brackets", "(" * 20_000 + ")" * 20_000), ("long", "{" + " " * 60_000 + "}"), ("nulls", "{'descr': '|u1\0', 'fortran_order': False, 'shape': (6,)}"),
        ("a key more", SHAPE.replace("}", "'x': 1}")), ("surrogates", "{'descr': '\ud800'}".encode("utf-8", "surrogatepass")),
    ):  # fmt: skip
        yield f"header: {name}", file(npy(head, body)), "refused"
    for name, content in (
        ("version 9", npy(SHAPE, body, (9, 0))), ("version 3", npy(SHAPE, body, (3, 0))), ("cut in the header", npy(SHAPE, body)[:30]),
        ("length beyond the end", npy(SHAPE)[:8] + b"\xff\xff{"), ("no array behind it", npy(SHAPE)), ("in Fortran order", npy(SHAPE.replace("False", "True"), body)),
        ("bytes left over", npy(SHAPE, body + b"more")),
    ):  # fmt: skip
        yield (
            f"header: {name}",
            file(content),
            "any" if name in ("version 3", "in Fortran order", "bytes left over") else "refused",
        )


def _values() -> Iterator[tuple[str, bytes, str]]:
    images, labels = six()
    whole = images / 255
    for name, value in (
        ("grey", images[..., 0]), ("four channels", np.concatenate([images, images], axis=3)[..., :4]), ("channels first", images.transpose(0, 3, 1, 2)), ("of 32", images[:, :32, :32]),
        ("of 128", images.repeat(2, axis=1).repeat(2, axis=2)), ("a number", np.array(3)), ("empty", images[:0]), ("no channels", images[..., :0]),
        ("16 bit", images.astype(np.uint16) * 16), ("negative", images.astype(int) - 128), ("up to 256", images.astype(int) + 1), ("NaN", np.where(images > 250, np.nan, whole)), ("infinite", np.where(images > 250, np.inf, whole)),
        ("up to 1.02", whole * 1.02), ("up to 1.5", whole * 1.5), ("up to 2", whole * 2.0), ("-0.02 to 1", whole * 1.02 - 0.02), ("normalised", (whole - 0.5) / 0.25), ("complex", images + 0j), ("bools", images > 128), ("texts", images.astype(str)), ("objects", np.array([None] * 6, object)),
        ("dates", images.astype("M8[s]")), ("structures", np.zeros((6, 64, 64, 3), [("a", "u1")])), ("huge floats", whole * 1e300),
    ):  # fmt: skip
        yield f"images: {name}", file(value), "doubtful" if name in ("up to 1.5", "up to 2") else "refused"
    for name, value in (("halves", whole.astype(np.float16)), ("big-endian", images.astype(">i2")), ("long doubles", whole.astype(np.longdouble)), ("ones and zeros", images // 128)):  # fmt: skip
        yield f"images: {name}", file(value), "any"
    for name, value in (
        ("2", labels * 2), ("-1", -labels), ("halves", labels / 2), ("NaN", labels * np.nan), ("texts", labels.astype(str)), ("objects", labels.astype(object)),
        ("one of the classes", labels * 0), ("too few", labels[:5]), ("too many", np.tile(labels, 2)), ("one hot", np.eye(2)[labels]), ("a number", np.array(1)), ("complex", labels + 0j),
        ("dates", labels.astype("M8[s]")), ("empty", labels[:0]), ("pickled", npy("{'descr': '|O', 'fortran_order': False, 'shape': (6,), }", b"\x80\4K\1.")),
    ):  # fmt: skip
        yield f"labels: {name}", file(labels=value), "refused"
    for name, value in (("too few", np.array(["a"])), ("objects", np.array([None] * 6)), ("of two axes", np.zeros((6, 2))), ("NaN", np.full(6, np.nan)), ("control codes", np.array(["\x1b[31m\n"] * 6))):  # fmt: skip
        yield (
            f"sites: {name}",
            file(test_sites=value),
            "any" if name in ("NaN", "control codes") else "refused",
        )


def _tiles() -> Iterator[tuple[str, bytes, str]]:
    tiles = np.random.default_rng(0).integers(0, 256, (2, 128, 128, 3), np.uint8)
    boxes, of = np.array([[10.0, 10, 40, 40], [20, 20, 60, 60]]), np.array([0, 1])

    def made(**change: Any) -> bytes:
        values = {"eval_tiles": tiles, "eval_boxes": boxes, "eval_boxes_tile": of} | change
        return archive(
            {
                f"{key}.npy": value if isinstance(value, bytes) else array(value)
                for key, value in values.items()
            }
        )

    yield "plain", made(), "done"
    for name, change in (
        ("index of 0.5", {"eval_boxes_tile": of + 0.5}), ("index NaN", {"eval_boxes_tile": of * np.nan}), ("index 9", {"eval_boxes_tile": of + 9}), ("index -1", {"eval_boxes_tile": of - 1}),
        ("index of texts", {"eval_boxes_tile": of.astype(str)}), ("index of objects", {"eval_boxes_tile": of.astype(object)}), ("index of bools", {"eval_boxes_tile": of == 1}),
        ("index of two axes", {"eval_boxes_tile": of[:, None]}), ("box turned", {"eval_boxes": boxes[:, ::-1]}), ("box outside", {"eval_boxes": boxes + 500}), ("box NaN", {"eval_boxes": boxes * np.nan}),
        ("box infinite", {"eval_boxes": boxes * np.inf}), ("box of texts", {"eval_boxes": boxes.astype(str)}), ("box of 3", {"eval_boxes": boxes[:, :3]}), ("box complex", {"eval_boxes": boxes + 0j}),
        ("names too few", {"eval_names": np.array(["a"])}), ("names of objects", {"eval_names": np.array([None, None])}), ("sites too few", {"eval_sites": np.array(["a"])}),
        ("tiles of 40", {"eval_tiles": tiles[:, :40, :40]}), ("tiles empty", {"eval_tiles": tiles[:0]}), ("tiles grey", {"eval_tiles": tiles[..., 0]}), ("tiles up to 1.02", {"eval_tiles": tiles / 250.0}),
        ("tiles encrypted", {"eval_tiles": b""}), ("tiles first", {"eval_tiles": tiles.transpose(0, 3, 1, 2)}), ("ignore without index", {"eval_ignore": boxes}),
    ):  # fmt: skip
        yield name, made(**change), "any" if name == "index of bools" else "refused"


def _to_train() -> Iterator[tuple[str, bytes]]:
    images, labels = (np.tile(value, (8,) + (1,) * (value.ndim - 1)) for value in six())
    sites = np.repeat(["a", "b", "c", "d"], 12)

    def made(**change: Any) -> bytes:
        both = {
            f"{split}_{key}": value
            for split in ("train", "test")
            for key, value in (("images", images), ("labels", labels))
        }
        return archive({f"{key}.npy": array(value) for key, value in (both | change).items()})

    yield "no train", file()
    yield "one class", made(train_labels=labels * 0)
    yield "one class in the test", made(test_labels=labels * 0)
    yield "a site in both", made(train_sites=sites, test_sites=sites)
    yield "one site", made(train_sites=np.repeat(["a"], 48))
    yield "one aircraft", made(train_labels=(np.arange(48) == 0).astype(int))
    yield "two patches", made(train_images=images[:2], train_labels=labels[:2])
    yield "one patch", made(train_images=images[:1], train_labels=labels[:1])
    yield "float train, byte test", made(train_images=images / 250.0)
    yield "cut off", made()[:-3000]


def _airbus() -> Iterator[Case]:
    words = ("data", "toy", "--source", "airbus", "--root", "airbus", "--scale", "0.005", "--no-progress")
    table = workshop.good("airbus/annotations.csv").decode()
    first = table.splitlines()[1]

    def line(new: str) -> bytes:
        return table.replace(first, new, 1).encode()

    yield Case("airbus", "plain", words, (), "done", ("airbus",), env={"AIRCRAFT_DATA": "cache"}, seconds=60)
    for name, content in (
        ("empty", b""), ("its head alone", b"image_id,geometry,class\n"), ("binary", bytes(range(256)) * 9), ("UTF-16", table.encode("utf-16")), ("without geometry", b"image_id,class\nscene0.jpg,Airplane\n"),
        ("one huge field", b'image_id,geometry,class\nscene0.jpg,"' + b"[" * 300_000 + b'",Airplane\n'), ("an open quote", table.encode() + b'"scene0.jpg,"'), ("zero bytes", table.encode().replace(b"Airplane", b"Air\0plane", 1)),
        ("deep brackets", line(f'scene0.jpg,"{"(" * 5000}{")" * 5000}",Airplane')), ("no list", line('scene0.jpg,"7",Airplane')), ("NaN", line('scene0.jpg,"[(nan, 1), (2, 1), (2, 2), (nan, 2), (nan, 1)]",Airplane')),
        ("huge numbers", line('scene0.jpg,"[(1e999, 1), (2, 1), (2, 2), (1e999, 2), (1e999, 1)]",Airplane')), ("10^400", line(f'scene0.jpg,"[({"9" * 400}, 1), (2, 1), (2, 2), (1, 2), (1, 1)]",Airplane')), ("code", line("scene0.jpg,\"__import__('os')\",Airplane")), ("a triangle", line('scene0.jpg,"[(1, 1), (5, 1), (1, 5), (1, 1)]",Airplane')),
        ("outside", line('scene0.jpg,"[(-90, 1), (20, 1), (20, 30), (-90, 30), (-90, 1)]",Airplane')), ("unknown class", line(first.replace("Airplane", "Ship"))), ("an image that is not there", line(first.replace("scene0", "none"))),
        ("a path for a name", line(first.replace("scene0", "../scene0"))), ("a dictionary", line('scene0.jpg,"{1: 2}",Airplane')), ("numbers with many signs", line('scene0.jpg,"' + "-" * 4000 + '1",Airplane')),
    ):  # fmt: skip
        files = {"airbus/annotations.csv": content}
        yield Case(
            "airbus",
            f"annotations: {name}",
            words,
            ("annotations.csv", "airbus"),
            "refused",
            ("airbus",),
            files,
            env={"AIRCRAFT_DATA": "cache"},
            tolerates=("home/cache",),
        )
    for name, content in (("text", b"x"), ("empty", b""), ("cut", workshop.good("airbus/images/scene0.jpg")[:900]), ("a small one", workshop.good("good.jpg"))):  # fmt: skip
        files = {"airbus/images/scene0.jpg": content}
        yield Case(
            "airbus",
            f"image: {name}",
            words,
            ("scene0", "annotations.csv"),
            "refused",
            ("airbus",),
            files,
            env={"AIRCRAFT_DATA": "cache"},
            tolerates=("home/cache",),
        )
    for name, content in (
        ("empty", b""),
        ("binary", bytes(range(256))),
        ("a scene without airport", b"image_id,airport\nscene0.jpg,A\n"),
    ):
        files = {"airbus/airports.csv": content}
        yield Case(
            "airbus",
            f"airports: {name}",
            words,
            ("airports.csv",),
            "refused",
            ("airbus",),
            files,
            env={"AIRCRAFT_DATA": "cache"},
            tolerates=("home/cache",),
        )


def _caches() -> Iterator[Case]:
    """A damaged cache is mended, with a note."""
    folder = next((workshop.GOODS / "cache").glob("toy-*[!k]"))
    meta = json.loads((folder / "meta.json").read_text())
    words = ("data", "toy", *workshop.SMALL)

    def case(what: str, name: str, content: bytes | None, make: Any = None) -> Case:
        at = f"cache/{folder.name}/{name}"
        return Case("cache", what, words, (folder.name,), "doubtful", ("cache",), {} if content is None else {at: content}, make, env={"AIRCRAFT_DATA": "cache"}, seconds=60, tolerates=("home/cache",))  # fmt: skip

    for what, content in (
        ("empty", b""), ("text", b"hello"), ("deep", b"[" * 100_000 + b"]" * 100_000), ("deep inside", json.dumps(meta).encode()[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), ("a list", b"[]"), ("a number", b"7"), ("null", b"null"),
        ("no files", b"{}"), ("files a list", json.dumps(meta | {"files": ["a"]}).encode()), ("files a text", json.dumps(meta | {"files": "abc"}).encode()), ("no file", json.dumps(meta | {"files": {}}).encode()), ("one file", json.dumps(meta | {"files": dict([next(iter(meta["files"].items()))])}).encode()),
        ("no notes", json.dumps({"files": meta["files"]}).encode()), ("notes a number", json.dumps(meta | {"notes": 3}).encode()), ("notes null", json.dumps(meta | {"notes": None}).encode()), ("notes without a part", json.dumps(meta | {"notes": {"train": {}}}).encode()), ("a hash a number", json.dumps(meta | {"files": dict.fromkeys(meta["files"], 1)}).encode()),
        ("paths", json.dumps(meta | {"files": {"../../../good": "x"}}).encode()), ("not UTF-8", b"\xff\xfe{}"), ("huge number", b'{"files": 1e999999}'), ("number of 10,000 digits", b'{"files": ' + b"9" * 10_000 + b"}"),
    ):  # fmt: skip
        yield case(f"meta.json: {what}", "meta.json", content)
    for name in meta["files"]:
        yield case(f"{name}: empty", f"{name}.npy", b"")
        yield case(f"{name}: another", f"{name}.npy", workshop.good("one.npy"))
    place = f"cache/{folder.name}"
    yield case(
        "an array is a pipe", "x", b"", lambda home: _instead(home / place / "train_images.npy", os.mkfifo)
    )
    yield case("meta.json is a pipe", "x", b"", lambda home: _instead(home / place / "meta.json", os.mkfifo))
    yield case("meta.json is a folder", "x", b"", lambda home: _instead(home / place / "meta.json", os.mkdir))
    yield case("the lock is a folder", "x", b"", lambda home: _instead(home / f"{place}.lock", os.mkdir))


def _instead(path: Path, make: Any) -> None:
    path.unlink(missing_ok=True)
    make(path)
