"""Part 4: small files that grow, and large ones: how much memory and time, against limits.

Memory above an idle command is at most 1.5 GB, unless a note says beforehand what is needed. What lasts for
more than 45 s shows a bar, or has said so. Each has an interpreter of its own, and is stopped at 6 GB.
"""

import io
import json
import random
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from torture import bad_models, process, workshop
from torture.cases import Case, Faults, Outcome, judge
from torture.formats import header, metres, npy, png, safetensors, tensors, tiff, tiff_tags, tiled, zeros

Tried = tuple[Case, Outcome, Faults]
Maker = Callable[[Path], None]
PROMISE = re.compile(r"\d[\d.,]* ?(GB|GiB|MB|MiB|minutes|min|seconds|s)\b")
DETECT = ("detect", "model.safetensors", "bomb", "--out", "out")
MOST = 1500.0


def tried(work: Path, seed: int, deadline: float, wanted: Callable[[Case], bool]) -> Iterator[Tried]:
    """Each bomb; the seed draws the order."""
    chosen = [case for case in cases() if wanted(case)]
    random.Random(seed).shuffle(chosen)
    for case, outcome in process.run_all(chosen, work, deadline):
        yield case, outcome, _judge(case, outcome)


def _judge(case: Case, outcome: Outcome) -> Faults:
    """As of any command; but what a note has promised is allowed, and to be at work with a bar."""
    told = any(PROMISE.search(note) and "bomb" in note for note in outcome.notes)
    if told and (outcome.stopped or outcome.megabytes > MOST):
        return []
    if outcome.stopped.startswith("hangs") and outcome.at_work and outcome.megabytes <= MOST:
        return []
    faults = judge(case, outcome)
    return [f"{fault} (at {outcome.megabytes:,.0f} MB)" for fault in faults] if outcome.stopped else faults


def cases() -> Iterator[Case]:
    for what, suffix, make, more in _images():
        words = tuple("bomb" + suffix if word == "bomb" else word for word in DETECT) + more
        yield _case("bombs: images", what, words, lambda home, m=make, s=suffix: m(home / f"bomb{s}"))
    for what, make in _arrays():
        yield _case(
            "bombs: npz",
            what,
            ("evaluate", "model.safetensors", "--npz", "bomb.npz", "--no-progress"),
            lambda home, m=make: m(home / "bomb.npz"),
        )
    for what, content in _models():
        yield replace(
            _case(
                "bombs: models",
                what,
                (*DETECT[:1], "bomb.safetensors", "good.png", *DETECT[3:]),
                lambda home: None,
            ),
            files={"bomb.safetensors": content},
            expect="refused",
        )
    yield from _others()


def _case(family: str, what: str, words: tuple[str, ...], make: Maker) -> Case:
    return Case(family, what, words, ("bomb",), "any", make=make, own=True, seconds=45, megabytes=MOST)


def _write(content: Callable[[], bytes]) -> Maker:
    return lambda path: path.write_bytes(content()) and None


def _images() -> Iterator[tuple[str, str, Maker, tuple[str, ...]]]:
    end = (b"IEND", b"")
    for width, height in (
        (15_000, 15_000),
        (15_800, 15_800),
        (30_000, 30_000),
        (250_000, 1_000),
        (2_000_000, 64),
    ):
        made = lambda w=width, h=height: png([header(w, h), (b"IDAT", zeros(h * (1 + 3 * w), 1)), end])  # noqa: E731
        if width * height > 300e6:  # refused by its header; the pixels do not matter
            made = lambda w=width, h=height: png([header(w, h), (b"IDAT", zeros(10**8)), end])  # noqa: E731
        yield f"PNG of {width:,} x {height:,} zeros", ".png", _write(made), ("--stride", "64")
    yield "JPEG of 15,000 x 15,000", ".jpg", _jpeg, ("--stride", "64")
    yield (
        "250 megapixel at 0.01 m",
        ".png",
        _write(lambda: png([header(15_800, 15_800, 8, 0), (b"IDAT", zeros(15_800 * 15_801, 1)), end])),
        ("--gsd", "0.01"),
    )
    yield (
        "4 megapixel at 0.01 m",
        ".png",
        _write(lambda: png([header(2_000, 2_000), (b"IDAT", zeros(2_000 * 6_001)), end])),
        ("--gsd", "0.01"),
    )
    yield (
        "4 megapixel at 2.9 m",
        ".png",
        _write(lambda: png([header(2_000, 2_000), (b"IDAT", zeros(2_000 * 6_001)), end])),
        ("--gsd", "2.9", "--stride", "16"),
    )
    for size in (1e-4, 1e-6):
        yield (
            f"4 megapixel at {size:g} m",
            ".png",
            _write(lambda: png([header(2_000, 2_000), (b"IDAT", zeros(2_000 * 6_001)), end])),
            ("--gsd", f"{size:g}"),
        )
    for side, gsd in ((10_000, 0.1), (20_000, 0.05), (20_000, 0.1)):
        yield (
            f"tiles of {gsd} m, {side:,} x {side:,}",
            ".tif",
            lambda path, s=side: _tiled(path, s),
            ("--gsd", str(gsd)),
        )
    yield (
        "tiles of 0.1 m, blocks of 256",
        ".tif",
        lambda path: _tiled(path, 10_000),
        ("--gsd", "0.1", "--block", "256"),
    )
    yield "one strip of 20,000 x 20,000", ".tif", lambda path: _strip(path, 20_000), ("--stride", "64")
    yield "one strip of 12,000 x 12,000 at 0.1 m", ".tif", lambda path: _strip(path, 12_000), ("--gsd", "0.1")
    yield "one tile of 16,384 x 16,384", ".tif", lambda path: _strip(path, 16_384, True), ("--stride", "64")
    yield (
        "a georeference of 0.001 m",
        ".tif",
        lambda path: (
            path.write_bytes(
                tiff(tiff_tags(2_000, 2_000, compression=8) | metres(0.001, 0.001), [zeros(12_000_000)])
            )
            and None
        ),
        (),
    )
    yield (
        "a palette of 15,000 x 15,000",
        ".png",
        _write(
            lambda: png(
                [
                    header(15_000, 15_000, 8, 3),
                    (b"PLTE", bytes(768)),
                    (b"IDAT", zeros(15_000 * 15_001, 1)),
                    end,
                ]
            )
        ),
        ("--stride", "64"),
    )
    yield (
        "stride 1 on 2,000 x 2,000",
        ".png",
        _write(lambda: png([header(2_000, 2_000), (b"IDAT", zeros(2_000 * 6_001)), end])),
        ("--stride", "1"),
    )


def _jpeg(path: Path) -> None:
    from PIL import Image

    process.in_copy(lambda: Image.new("RGB", (15_000, 15_000)).save(path, quality=50))


def _tiled(path: Path, side: int) -> None:
    """One tile of noise, shown again and again: a small file of a large image."""
    noise = np.random.default_rng(0).integers(0, 256, (512, 512, 3), np.uint8).tobytes()
    tags = tiled(tiff_tags(side, side, compression=8), 512)
    path.write_bytes(tiff(tags, [zlib.compress(noise, 1)], repeat=(-(-side // 512)) ** 2))


def _strip(path: Path, side: int, tile: bool = False) -> None:
    tags = tiff_tags(side, side, compression=8)
    path.write_bytes(tiff(tiled(tags, side) if tile else tags, [zeros(side * side * 3, 1)]))


def _arrays() -> Iterator[tuple[str, Maker]]:
    shape = "{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}"
    for gigabytes in (1, 4):
        count = gigabytes * 2**30 // (64 * 64 * 3)
        yield (
            f"{gigabytes} GB of zeros",
            lambda path, n=count: _npz(path, shape.format("|u1", (n, 64, 64, 3)), n * 64 * 64 * 3, n),
        )
    yield (
        "4 GB of float64 zeros",
        lambda path: _npz(path, shape.format("<f8", (43_690, 64, 64, 3)), 43_690 * 64 * 64 * 24, 43_690),
    )
    yield (
        "4 GB of labels",
        lambda path: _npz(path, shape.format("|u1", (6, 64, 64, 3)), 6 * 64 * 64 * 3, 2**32 - 999),
    )
    yield (
        "4 GB declared, 1 MB there",
        lambda path: _npz(path, shape.format("|u1", (349_525, 64, 64, 3)), 2**20, 6),
    )
    yield (
        "10^15 patches declared",
        lambda path: _npz(path, shape.format("|u1", (10**15, 64, 64, 3)), 2**20, 6),
    )
    yield (
        "sites of 300 MB each",
        lambda path: _npz(path, shape.format("|u1", (6, 64, 64, 3)), 6 * 64 * 64 * 3, 6, 6 * 4 * 75_000_000),
    )


def _npz(path: Path, head: str, pixels: int, labels: int, sites: int = 0) -> None:
    """Zeros, compressed, with these headers."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as opened:
        for name, text, count in (
            ("test_images", head, pixels),
            ("test_labels", f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({labels},), }}", labels),
            ("test_sites", f"{{'descr': '<U{sites // 24}', 'fortran_order': False, 'shape': (6,), }}", sites),
        ):
            if not count:
                continue
            with opened.open(f"{name}.npy", "w", force_zip64=True) as member:
                member.write(npy(text))
                piece = bytes(2**22)
                for _ in range(count // len(piece)):
                    member.write(piece)
                member.write(bytes(count % len(piece)))


def _models() -> Iterator[tuple[str, bytes]]:
    for arch, options in (
        ("patch_net", {"width": 3000}),
        ("patch_net", {"width": 100_000}),
        ("vgg_small", {"width": 3000}),
    ):
        yield (
            f"{arch} of {options}",
            bad_models.with_card(lambda card, a=arch, o=options: card | {"arch": a, "options": o}),
        )
    yield "a card of 60 MB", bad_models.with_card(lambda card: card | {"provenance": {"a": "x" * 60_000_000}})
    head, body = tensors(workshop.good("model.safetensors"))
    yield "a header of 90 MB of blanks", safetensors(json.dumps(head).encode() + b" " * 90_000_000, body)
    yield "a deep card", bad_models.with_card("[" * 10_000_000)
    yield "header length 2^40", struct.pack("<Q", 2**40) + bytes(10**7)


def _others() -> Iterator[Case]:
    book = io.StringIO()
    source = "print('x' * 10**6)\\n"
    book.write(
        '{"cells": [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": null, "source": "'
    )
    book.write(f"while True: {source}")
    book.write('"}], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}')
    yield Case(
        "bombs: notebooks",
        "endless output",
        ("01_bomb.ipynb", "--timeout", "20"),
        (),
        "done",
        (),
        {"01_bomb.ipynb": book.getvalue().encode()},
        module="aircraft_course.checks",
        own=True,
        seconds=90,
        megabytes=MOST,
    )
    large = book.getvalue().replace(f"while True: {source}", "x" * 100_000_000).encode()
    yield Case(
        "bombs: notebooks",
        "a cell of 100 MB",
        ("01_bomb.ipynb", "--timeout", "20"),
        ("bomb",),
        "any",
        (),
        {"01_bomb.ipynb": large},
        module="aircraft_course.checks",
        own=True,
        seconds=90,
        megabytes=MOST,
    )
    words = ("data", "toy", "--source", "airbus", "--root", "airbus", *workshop.SMALL)
    rows = (
        b"image_id,geometry,class\n"
        + b'scene0.jpg,"[(1, 1), (9, 1), (9, 9), (1, 9), (1, 1)]",Airplane\n' * 500_000
    )
    yield Case(
        "bombs: airbus",
        "500,000 lines",
        words,
        (),
        "any",
        ("airbus",),
        {"airbus/annotations.csv": rows},
        own=True,
        env={"AIRCRAFT_DATA": "cache"},
        seconds=90,
        megabytes=MOST,
        tolerates=("home/cache",),
    )
