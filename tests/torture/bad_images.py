# ruff: noqa: E501  (a case is a line of a table)
"""Images that are wrong in one way each, for `detect`."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

from torture import workshop
from torture.cases import Case
from torture.formats import (
    PNG,
    SIZE,
    affine,
    chunk,
    chunks,
    header,
    metres,
    patched,
    png,
    segments,
    tiff,
    tiff_tags,
    tiled,
    zeros,
)  # fmt: skip

NOISE = bytes((i * 7919 >> 3) % 251 for i in range(SIZE * SIZE * 3))


def cases() -> Iterator[Case]:
    for kind, made in (("png", _png), ("jpeg", _jpeg), ("tiff", _tiff), ("georeference", _georeference)):
        for what, content, expect in made():
            yield detect(
                kind,
                what,
                {"jpeg": "jpg", "georeference": "tif", "tiff": "tif"}.get(kind, kind),
                content,
                expect,
            )
    yield from _folders()


def detect(family: str, what: str, suffix: str, content: bytes, expect: str = "refused", *more: str) -> Case:
    """A file called bad.SUFFIX, given to `detect`."""
    words = ("detect", "model.safetensors", f"bad.{suffix}", "--out", "out", "--no-progress", *more)
    files = {f"bad.{suffix}": content}
    return Case(f"image: {family}", what, words, ("bad",), expect, ("model.safetensors",), files)


def _rows(bits: int = 24, filters: bool = True) -> bytes:
    width = SIZE * bits // 8
    return b"".join((b"\0" if filters else b"") + NOISE[y * width % 9000 :][:width] for y in range(SIZE))


def _png() -> Iterator[tuple[str, bytes, str]]:
    good = workshop.good("good.png")
    parts, at = chunks(good), len(PNG)
    last = good.rindex(b"IDAT") - 4
    for kind, data in parts:
        name = kind.decode()
        for place, where in (
            (at, "before"),
            (at + 4, "in the length of"),
            (at + 8 + len(data) // 2, "within"),
        ):
            yield f"cut {where} {name}", good[:place], "refused" if place <= last + 8 else "any"
        wrong = [chunk(k, d, crc=1) if (k, d) == (kind, data) else (k, d) for k, d in parts]
        yield f"wrong CRC of {name}", png(wrong), "refused" if kind == b"IHDR" else "any"
        yield f"no {name}", png([p for p in parts if p[0] != kind]), "any" if kind == b"IEND" else "refused"
        lying = [chunk(k, d, length=2**31 - 1) if (k, d) == (kind, data) else (k, d) for k, d in parts]
        yield f"length 2^31 of {name}", png(lying), "any" if kind == b"IEND" else "refused"
        at += 12 + len(data)
    head, idat, end = parts[0], (b"IDAT", zlib.compress(_rows())), (b"IEND", b"")
    whole = header(SIZE, SIZE)
    bomb = zeros(100 * 2**20)
    for name, data in (
        ("zTXt bomb", (b"zTXt", b"Comment\0\0" + bomb)),
        ("iTXt bomb", (b"iTXt", b"Comment\0\1\0\0\0" + bomb)),
        ("iCCP bomb", (b"iCCP", b"profile\0\0" + bomb)),
        ("zTXt without a zero", (b"zTXt", b"C" * 60)),
        ("zTXt of an unknown compression", (b"zTXt", b"C\0\7" + zlib.compress(b"x"))),
        ("iTXt cut off", (b"iTXt", b"C\0\1")),
        ("iCCP of an unknown compression", (b"iCCP", b"p\0\5xx")),
        ("iCCP cut off", (b"iCCP", b"p")),
        ("empty pHYs", (b"pHYs", b"")),
        ("empty gAMA", (b"gAMA", b"")),
        ("empty cHRM", (b"cHRM", b"")),
        ("empty sRGB", (b"sRGB", b"")),
        ("empty tRNS", (b"tRNS", b"")),
        ("odd PLTE", (b"PLTE", b"1234567")),
        ("damaged eXIf", (b"eXIf", b"II*\0\xff\xff\xff\xff")),
        (
            "empty fcTL",
            (b"acTL", struct.pack(">II", 3, 0)),
        ),
        ("unknown critical chunk", (b"ABCD", b"12")),
        ("chunk whose name is no text", (b"\xff\0\1\2", b"12")),
        ("second IHDR", header(SIZE * 2, SIZE * 2)),
        ("IHDR cut to 5 bytes", (b"IHDR", b"12345")),
    ):
        yield name, png([whole, data, idat, end]), "any"
    yield "IDAT after a text bomb at the end", png([whole, idat, (b"zTXt", b"C\0\0" + bomb), end]), "any"
    yield "IDAT with far too much", png([whole, (b"IDAT", zeros(100 * 2**20)), end]), "any"
    yield "IDAT too short", png([whole, (b"IDAT", zlib.compress(_rows()[:5000])), end]), "refused"
    yield "IDAT no deflate", png([whole, (b"IDAT", b"hello" * 100), end]), "refused"
    yield "wrong Adler sum", png([whole, (b"IDAT", zlib.compress(_rows())[:-4] + b"abcd"), end]), "any"
    yield (
        "a filter that does not exist",
        png([whole, (b"IDAT", zlib.compress(_rows().replace(b"\0", b"\x09", 1))), end]),
        "any",
    )
    for name, wrong in (
        ("width 0", header(0, 64)), ("height 0", header(64, 0)), ("width 2^31", header(2**31, 64)), ("depth 3", header(64, 64, 3)),
        ("colour type 5", header(64, 64, 8, 5)), ("compression 1", header(64, 64, 8, 2, 1, 0, 0)),
        ("palette without PLTE", header(SIZE, SIZE, 8, 3)), ("16 bit", header(SIZE, SIZE, 16)), ("1 x 100,000", header(1, 100_000)),
        ("100,000 x 100,000", header(100_000, 100_000)), ("63 x 63", header(63, 63)),
    ):  # fmt: skip
        yield name, png([wrong, idat, end]), "any" if name.startswith("comp") else "refused"
    for width, height in ((160, 96), (96, 160), (116, 216), (161, 165)):
        rows = b"".join(b"\0" + NOISE[: width * 3] for _ in range(height))
        yield f"{width} x {height}", png([header(width, height), (b"IDAT", zlib.compress(rows)), end]), "done"
    for name, right, expect in (
        ("grey", header(SIZE, SIZE, 8, 0), "warned"), ("1 bit", header(SIZE, SIZE, 1, 0), "warned"),
        ("grey 4 bit", header(SIZE, SIZE, 4, 0), "warned"), ("RGBA", header(SIZE, SIZE, 8, 6), "warned"),
        ("grey with alpha", header(SIZE, SIZE, 8, 4), "warned"), ("grey 16 bit", header(SIZE, SIZE, 16, 0), "refused"),
    ):  # fmt: skip
        depth = {0: 1, 6: 4, 4: 2}[right[1][9]] * right[1][8]
        yield name, png([right, (b"IDAT", zlib.compress(_rows(depth))), end]), expect
    for name, content in (
        ("no bytes", b""), ("one byte", b"\x89"), ("the mark alone", PNG), ("text", b"no picture"), ("a web page", b"<html>" * 99),
        ("zeros", bytes(5000)), ("an SVG", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), ("a PDF", b"%PDF-1.7\n%%EOF"),
        ("a GIF", b"GIF89a\1\0\1\0\0\0\0;"), ("a BMP", b"BM" + bytes(60)), ("a zip", b"PK\5\6" + bytes(18)),
        ("HDF5", b"\x89HDF\r\n\x1a\n" + bytes(90)), ("two in one", good + good), ("rubbish behind", good + b"x" * 9999),
        ("rubbish before", b"x" + good), ("the head twice", png([head, *parts])),
    ):  # fmt: skip
        yield (
            name,
            content,
            "any" if name in ("two in one", "rubbish behind", "the head twice") else "refused",
        )


def _jpeg() -> Iterator[tuple[str, bytes, str]]:
    good = workshop.good("good.jpg")
    places = segments(good)
    for at in places:
        name = f"FF{good[at + 1]:02X} at {at}"
        yield f"cut before {name}", good[:at], "refused"
        yield f"cut in {name}", good[: at + 3], "refused"
    for at, end in zip(places, places[1:], strict=False):
        marker = good[at + 1]
        yield (
            f"no segment FF{marker:02X} at {at}",
            good[:at] + good[end:],
            "refused" if marker in (0xC0, 0xDA) else "any",
        )
        yield f"length 0 of FF{marker:02X} at {at}", patched(good, {at + 2: b"\0\0"}), "any"
        yield f"length 65535 of FF{marker:02X} at {at}", patched(good, {at + 2: b"\xff\xff"}), "any"
    frame = next(at for at in places if good[at + 1] == 0xC0)
    yield "width 0", patched(good, {frame + 7: b"\0\0"}), "refused"
    yield "height 0", patched(good, {frame + 5: b"\0\0"}), "refused"
    yield "65,535 x 65,535", patched(good, {frame + 5: b"\xff" * 4}), "refused"
    yield "12 bit", patched(good, {frame + 4: b"\x0c"}), "refused"
    yield "a frame of 2 channels", patched(good, {frame + 9: b"\2"}), "refused"
    yield "sampling 0", patched(good, {frame + 11: b"\0"}), "refused"
    yield "lossless", patched(good, {frame: b"\xff\xc3"}), "refused"
    yield "arithmetic", patched(good, {frame: b"\xff\xc9"}), "any"
    yield "progressive by name", patched(good, {frame: b"\xff\xc2"}), "any"
    yield "half", good[: len(good) // 2], "refused"
    yield "without its end", good[:-2], "any"
    yield "many markers", good[:2] + b"\xff\xfe\0\2" * 100_000 + good[2:], "any"
    yield "fill bytes", good[:2] + b"\xff" * 1_000_000 + good[2:], "any"
    exif = b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\x01\3\0\1\0\0\0\6\0\0\0\0\0\0\0"
    yield (
        "EXIF says turned",
        good[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + good[2:],
        "any",
    )
    yield "damaged EXIF", good[:2] + b"\xff\xe1\0\x10Exif\0\0II*\0\xff\xff\xff\xff" + good[2:], "any"
    yield from ((name, _pillow(mode, **options), expect) for name, mode, options, expect in (
        ("CMYK", "CMYK", {}, "refused"), ("grey", "L", {}, "warned"), ("progressive", "RGB", {"progressive": True}, "done"),
    ))  # fmt: skip


def _pillow(mode: str, **options: Any) -> bytes:
    from PIL import Image

    file = io.BytesIO()
    Image.new(mode, (SIZE, SIZE)).save(file, "JPEG", **options)
    return file.getvalue()


def _tiff() -> Iterator[tuple[str, bytes, str]]:
    plain, pixels = tiff_tags(SIZE, SIZE), NOISE
    good = tiff(plain, [pixels])
    yield "plain", good, "done"
    yield "in tiles", tiff(tiled(plain, 96), [pixels]), "done"
    yield (
        "planar",
        tiff(tiff_tags(SIZE, SIZE, planar=2), [pixels[:9216], pixels[9216:18432], pixels[18432:]]),
        "done",
    )
    for depth in (1, 2, 4, 16, 32, 64):
        for photometric, name in ((2, "RGB"), (1, "grey"), (0, "white is 0"), (3, "palette")):
            count = 3 if photometric == 2 else 1
            tags = tiff_tags(SIZE, SIZE, bits=[depth] * count, photometric=photometric)
            yield (
                f"{name} of {depth} bit",
                tiff(tags, [(pixels * 8)[: SIZE * SIZE * count * depth // 8]]),
                "doubtful",
            )
    for photometric in (0, 1, 3, 4, 5, 6, 8, 9, 32803, 34892):
        for bits in ((8,), (8, 8, 8), (8, 8, 8, 8)):
            tags = tiff_tags(SIZE, SIZE, bits=bits, photometric=photometric)
            expect = "any" if photometric == 3 or (photometric, len(bits)) == (6, 3) else "doubtful"
            yield (
                f"photometric {photometric}, {len(bits)} bands",
                tiff(tags, [(pixels * 2)[: SIZE * SIZE * len(bits)]]),
                expect,
            )
    for form, name in (
        (2, "signed"),
        (3, "float"),
        (4, "undefined"),
        (5, "complex integers"),
        (9, "unknown"),
    ):
        yield (
            f"8 bit {name}",
            tiff(tiff_tags(SIZE, SIZE, sample_format=form), [pixels]),
            "any" if form == 4 else "refused",
        )
    for name, tags in (
        ("two bands", tiff_tags(SIZE, SIZE, bits=(8, 8), photometric=1)), ("bands of other depths", tiff_tags(SIZE, SIZE, bits=(8, 8, 16))),
        ("no bands", plain | {277: (3, [0])}), ("width 0", plain | {256: (4, [0])}), ("height 2^31", plain | {257: (4, [2**31])}),
        ("40 x 96", plain | {256: (4, [40])}), ("unknown compression", plain | {259: (3, [9999])}), ("JPEG without tables", plain | {259: (3, [7])}),
        ("old JPEG", plain | {259: (3, [6])}), ("deflate that is none", plain | {259: (3, [8])}), ("LZW that is none", plain | {259: (3, [5])}),
        ("zstd that is none", plain | {259: (3, [50000])}), ("planar 7", plain | {284: (3, [7])}),
    ):  # fmt: skip
        yield (
            name,
            tiff(tags, [pixels]),
            "any" if name in ("LZW that is none", "planar 7", "old JPEG") else "refused",
        )
    yield "rows a strip 0", tiff(plain | {278: (4, [0])}, [pixels]), "any"
    yield "strip too short", tiff(plain, [pixels[:1000]]), "refused"
    yield "strip behind the end", tiff(plain | {273: (4, [10**9])}, [pixels]), "refused"
    yield "tiles of 7 pixels", tiff(tiled(plain, 7), [pixels]), "refused"
    yield "no tags", b"II*\0\x08\0\0\0\0\0\0\0\0\0", "refused"
    yield "a directory in a circle", tiff(plain, [pixels], loop=True), "any"
    yield "directory behind the end", good[:4] + b"\xff\xff\xff\x7f" + good[8:], "refused"
    yield "big-endian by name", b"MM\0*" + good[4:], "refused"
    yield "BigTIFF by name", b"II+\0" + good[4:], "refused"
    for share in (4, 8, 9, 100, len(good) // 2, len(good) - 4, len(good) - 40):
        yield (
            f"cut to {share} of {len(good)} bytes",
            good[:share],
            "any" if share == len(good) - 4 else "refused",
        )
    alpha = tiff_tags(SIZE, SIZE, bits=(8, 8, 8, 8)) | {338: (3, [2])}
    yield "alpha", tiff(alpha, [(pixels * 2)[: SIZE * SIZE * 4]]), "warned"


def _georeference() -> Iterator[tuple[str, bytes, str]]:
    def made(more: dict, side: int = SIZE) -> bytes:
        return tiff(tiff_tags(side, side) | more, [(NOISE * 10)[: side * side * 3]])

    yield "1 m", made(metres(1, 1)), "done"
    yield "0.5 m", made(metres(0.5, 0.5), 192), "warned"
    yield "2 m", made(metres(2, 2)), "warned"
    for size in (3.5, 10, 30, 1000):
        yield f"{size} m", made(metres(size, size)), "refused"
    for x, y in ((1, 2), (0.5, 2), (1, 1.3), (2, 0.9)):
        yield f"{x} by {y} m", made(metres(x, y), 192), "doubtful"
    for size in (0.0, -1.0, float("nan"), float("inf"), 1e-9, 1e-300, 1e300):
        yield f"pixels of {size:g} m", made(metres(size, size)), "any"
    yield "degrees", made(metres(1e-5, 1e-5, 4326)), "any"
    yield "degrees of 30 m", made(metres(2.7e-4, 2.7e-4, 4326)), "any"
    yield "feet", made(metres(3.28, 3.28, 2263)), "any"
    yield "unknown EPSG", made(metres(1, 1, 29999)), "any"
    turned = [0.7, 0.7, 0, 5e5, 0.7, -0.7, 0, 5e6, 0, 0, 0, 0, 0, 0, 0, 1]
    yield "turned by 45 degrees", made(affine(turned)), "any"
    yield "sheared", made(affine([1, 0.9, 0, 5e5, 0, -1, 0, 5e6, 0, 0, 0, 0, 0, 0, 0, 1])), "doubtful"
    yield "flat", made(affine([1, 1, 0, 5e5, 1, 1, 0, 5e6, 0, 0, 0, 0, 0, 0, 0, 1])), "any"
    yield "NaN in the matrix", made(affine([float("nan")] * 16)), "any"
    yield (
        "keys cut off",
        made({34735: (3, [1, 1, 0, 99])} | {k: v for k, v in metres(1, 1).items() if k != 34735}),
        "any",
    )


def _folders() -> Iterator[Case]:
    """One bad image among good ones: the others are still counted, the end says which failed."""
    good, model = workshop.good("good.png"), ("model.safetensors",)
    for what, bad in (("cut off", good[:300]), ("text", b"no picture"), ("no bytes", b"")):
        yield Case(
            "image: a folder", what, ("detect", "model.safetensors", "many", "--out", "out", "--no-progress"), ("b.png",),
            good=model, files={"many/a.png": good, "many/b.png": bad, "many/c.png": good}, tolerates=("home/out",), lines=2,
            after=lambda home, _: [] if (home / "out/c.json").is_file() else ["the images behind it were left out"],
        )  # fmt: skip
