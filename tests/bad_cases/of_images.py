"""Image files and arrays."""

import os
import struct
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from aircraft import imagery, models
from aircraft.detection import detect
from aircraft.scenes import Scene
from bad_cases import DETECT, SCENE, Case, find


def png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(chunks: bytes = b"", side: int = 128, bits: int = 8) -> bytes:
    """A black PNG with further chunks; with a side or bits that are not its own, one that lies."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, bits, 2, 0, 0, 0))
    pixels = png_chunk(b"IDAT", zlib.compress(bytes((128 * 3 + 1) * 128)))
    return b"\x89PNG\r\n\x1a\n" + header + chunks + pixels + png_chunk(b"IEND", b"")


LONG = zlib.compress(b"x" * 70_000_000)  # 68 kB that become 70 MB
PNGS = {  # name of the file: its bytes
    "no animation": png(png_chunk(b"acTL", b"x")),
    "no chroma": png(png_chunk(b"cHRM", b"xyz")),
    "no gamma": png(png_chunk(b"gAMA", b"")),
    "no size": png(png_chunk(b"pHYs", b"x")),
    "no transparency": png(png_chunk(b"tRNS", b"")),
    "no profile": png(png_chunk(b"iCCP", b"x")),
    "text bomb": png(png_chunk(b"zTXt", b"a\0\0" + LONG)),
    "international text bomb": png(png_chunk(b"iTXt", b"a\0\1\0\0\0" + LONG)),
    "wrong check sum": png(png_chunk(b"tEXt", b"a\0b")[:-4] + b"1234"),
    "no name of a chunk": png(png_chunk(b"\xff\xff\xff\xff", b"x")),
    "wrong pixels": png().replace(b"IDAT\x78", b"IDAT\x00"),
    "three bits": png(bits=3),
    "eight bytes": png()[:8],
    "twenty bytes": png()[:20],
    "no end": png()[:100],
    "side 0": png(side=0),
    "larger than its pixels": png(side=129),
}
JPEG_CUTS = (3, 10, 100, 300, 620, 700)  # bytes that are left
TIFF_CUTS = (4, 5, 8, 9, 20, 100, 200, 1000, 20_000)
TIFF_TAGS = {  # name of the file: a field of the directory, and its new value; what is said
    "no width": (256, 0, "cannot be read"),
    "unknown codec": (259, 64_999, "cannot be read"),
    "many channels": (277, 60_000, "cannot be read"),
    "no planes": (284, 9, "cannot be read"),
    "no tiles": (322, 0, "cannot be read"),
    "wide": (256, 2**31 - 1, "do not fit in"),
    "one tile": (322, 2**30, "is too much"),
}
TIFFS = {  # name of the file: shape and kind, how it is written; what is said
    "1 bit": (3, np.uint8, {"nbits": 1, "photometric": "RGB"}, "1 bits a channel, not 8"),
    "2 bits": (3, np.uint8, {"nbits": 2, "photometric": "RGB"}, "-scale 0 3 0 255"),
    "4 bits": (1, np.uint8, {"nbits": 4}, "-scale 0 15 0 255"),
    "7 bits": (1, np.uint8, {"nbits": 7}, "7 bits a channel"),
    "complex": (3, np.complex64, {}, "complex pixels"),
    "negative of 16 bits": (1, np.uint16, {"photometric": "MINISWHITE"}, "colours or negatives"),
    "CMYK": (4, np.uint8, {"photometric": "CMYK"}, "a CMYK image"),
    "Lab": (3, np.uint8, {"photometric": "CIELAB"}, "a CIELAB image"),
}
TRANSFORMS = {  # name of the file: from pixels to metres; what is said
    "oblong": ((0.5, 0, 5, 0, -1, 6), "pixels of 0.5 x 1 are not square; gdalwarp -tr"),
    "sheared": ((1, 0.5, 5, 0, -1, 6), "are not square"),
    "30 m": ((30, 0, 5, 0, -30, 6), "gsd 30 is not a pixel size"),
    "4 m": ((4, 0, 5, 0, -4, 6), "gsd 4 is not a pixel size"),
    "no number": ((float("nan"), 0, 5, 0, -1, 6), "are not square"),
    "a point": ((0, 0, 5, 0, 0, 6), "gsd 0 is not a pixel size"),
}
SIZES = {
    "0.0": "gsd 0",
    "nan": "gsd nan",
    "inf": "gsd inf",
    "-1": "gsd -1",
    "1e9": "gsd 1e+09",
    "1e-9": "gsd 1e-09",
}


def make(f: Path) -> None:
    """Beside the good image: what can be wrong with one."""
    (f / "other").mkdir()
    Image.new("RGB", (128, 128)).save(f / "other" / "good.jpg")
    Image.new("RGB", (40, 128)).save(f / "tiny.png")
    Image.new("CMYK", (128, 128)).save(f / "cmyk.jpg")
    Image.fromarray(np.zeros((128, 128), np.uint16)).save(f / "deep.png")
    (f / "text.png").write_text("no picture")
    (f / "zero.png").touch()
    (f / "bomb.png").write_bytes(png(side=100_000))
    for name, content in PNGS.items():
        place(f, name, "png").write_bytes(content)
    jpeg = (f / "other" / "good.jpg").read_bytes()
    for cut in JPEG_CUTS:
        (f / f"cut{cut}.jpg").write_bytes(jpeg[:cut])
    start = jpeg.index(b"\xff\xc0") + 5  # of height and width
    (f / "lie.jpg").write_bytes(jpeg[:start] + struct.pack(">HH", 8000, 8000) + jpeg[start + 4 :])
    _make_tiffs(f)
    if hasattr(os, "mkfifo"):  # not on Windows
        for folder in (f / "dead", f / "pipes"):
            folder.mkdir()
        (f / "dead" / "link.tif").symlink_to(f / "no.tif")
        for path in (f / "pipe.png", f / "pipe.tif", f / "pipes" / "pipe.png"):
            os.mkfifo(path)


def _make_tiffs(f: Path) -> None:
    good = write_tiff(f / "other" / "good.tif", 3, tiled=True, blockxsize=64, blockysize=64)
    for cut in TIFF_CUTS:
        (f / f"cut{cut}.tif").write_bytes(good[:cut])
    for name, (tag, value, _) in TIFF_TAGS.items():
        place(f, name, "tif").write_bytes(with_tag(good, tag, value))
    for name, (bands, dtype, how, _) in TIFFS.items():
        write_tiff(place(f, name, "tif"), bands, dtype, **how)
    for name, (transform, _) in TRANSFORMS.items():
        write_tiff(place(f, name, "tif"), 3, crs="EPSG:32631", transform=transform)


def place(f: Path, name: str, suffix: str) -> Path:
    return f / f"{name.replace(' ', '-')}.{suffix}"


def write_tiff(path: Path, bands: int, dtype: Any = np.uint8, **how: Any) -> bytes:
    """A TIFF of 128 x 128 pixels, each 0 or 1; its bytes."""
    import rasterio

    pixels = np.random.default_rng(0).integers(0, 2, (bands, 128, 128)).astype(dtype)
    if "transform" in how:
        how["transform"] = rasterio.Affine(*how["transform"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with rasterio.open(
            path, "w", driver="GTiff", width=128, height=128, count=bands, dtype=dtype, **how
        ) as file:
            file.write(pixels)
    return path.read_bytes()


def with_tag(tiff: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF of which one field of the directory has another value."""
    start = struct.unpack_from("<I", tiff, 4)[0]
    changed = bytearray(tiff)
    for field in range(start + 2, start + 2 + 12 * struct.unpack_from("<H", tiff, start)[0], 12):
        if struct.unpack_from("<H", tiff, field)[0] == tag:
            struct.pack_into("<HII", changed, field + 2, 4 if value > 65_535 else 3, 1, value)
    return bytes(changed)


def image(name: str, **options: Any) -> Callable[[Path], Any]:
    """A call: the pixels of an image file."""
    return lambda f: imagery.read(place(f, *name.rsplit(".", 1)), **options)


def opened(folder: str) -> Callable[[Path], Any]:
    """A call: the images of a folder."""
    return lambda f: [imagery.open_image(path) for path in imagery.find([f / folder])]


def case(says: str, name: str) -> Case:
    """A file that is read from Python and given to the command."""
    return Case(says, image(name), DETECT + name.replace(" ", "-"))


CASES = {
    "image: not there": Case("no such file", lambda f: imagery.find([f / "no.png"]), DETECT + "no.png"),
    "image: folder without images": Case(
        "no image in this folder", lambda f: imagery.find([f / "nothing"]), DETECT + "nothing"
    ),
    "image: none given": Case("no image was given", lambda f: imagery.find([])),
    "image: name too long": Case("too long", lambda f: imagery.find([f / ("a" * 300)]), DETECT + "a" * 300),
    "image: text": case("is not a PNG, JPEG or TIFF", "text.png"),
    "image: no bytes": case("is empty", "zero.png"),
    "image: 16 bit": case("8 bits", "deep.png"),
    "image: CMYK": case("CMYK", "cmyk.jpg"),
    "image: a bomb": case("100000 x 100000 pixels", "bomb.png"),
    "image: a JPEG that says it is larger": case("8000 x 8000 pixels do not fit in", "lie.jpg"),
    "image: smaller than a patch": Case(
        "smaller than a patch", find("model.safetensors", "tiny.png"), DETECT + "tiny.png"
    ),
    "image: smaller than a patch when resampled": Case(
        "25 x 25 pixels is smaller than a patch (64 x 64); the file has 128 x 128 of 0.2 m",
        lambda f: detect(
            models.load(f / "model.safetensors")[0], imagery.open_image(f / "good.png", gsd=0.2)
        ),
        DETECT + "good.png --gsd 0.2",
    ),
    **{f"image: PNG with {name}": case("cannot be read", f"{name}.png") for name in PNGS},
    **{f"image: JPEG cut at {cut}": case("cannot be read", f"cut{cut}.jpg") for cut in JPEG_CUTS},
    **{f"image: TIFF cut at {cut}": case("damaged", f"cut{cut}.tif") for cut in TIFF_CUTS},
    **{f"image: TIFF, {name}": case(says, f"{name}.tif") for name, (*_, says) in TIFF_TAGS.items()},
    **{f"image: TIFF of {name}": case(says, f"{name}.tif") for name, (*_, says) in TIFFS.items()},
    **{f"image: pixels {name}": case(says, f"{name}.tif") for name, (_, says) in TRANSFORMS.items()},
    **{
        f"image: --gsd {size}": Case(
            says, image("good.png", gsd=float(size)), f"{DETECT}good.png --gsd {size}"
        )
        for size, says in SIZES.items()
    },
    "array: grey": Case("(H, W, 3) uint8", lambda f: imagery.as_source(np.zeros((90, 90), np.uint8))),
    "array: float": Case("(H, W, 3) uint8", lambda f: imagery.as_source(np.zeros((90, 90, 3)))),
    "array: a list": Case("not a list", lambda f: imagery.as_source([[[0, 0, 0]]])),
    "array: a Pillow image": Case("not a Image", lambda f: imagery.as_source(Image.new("RGB", (90, 90)))),
    "scene: box outside": Case(
        "outside the image", lambda f: Scene(SCENE.image, np.array([[200, 0, 210, 9]]), "scene", "a")
    ),
    "scene: box without an end": Case(
        "outside the image", lambda f: Scene(SCENE.image, np.array([[0, 0, np.inf, 9]]), "scene", "a")
    ),
    "scene: box of no number": Case(
        "outside the image", lambda f: Scene(SCENE.image, np.array([[0, 0, np.nan, 9]]), "scene", "a")
    ),
    "scene: centres in place of boxes": Case(
        "boxes of shape (2, 2)", lambda f: Scene(SCENE.image, np.array([[9, 9], [19, 19]]), "scene", "a")
    ),
    "scene: a path": Case("not a str", lambda f: Scene("scene.png", np.zeros((0, 4)), "scene", "a")),
}

if hasattr(os, "mkfifo"):
    CASES |= {
        "image: pipe": case("a pipe or a device", "pipe.png"),
        "image: pipe for a TIFF": case("a pipe or a device", "pipe.tif"),
        "image: pipe in a folder": Case("a pipe or a device", opened("pipes"), DETECT + "pipes"),
        "image: link to nothing in a folder": Case("no such file", opened("dead"), DETECT + "dead"),
        "image: device": Case(
            "a pipe or a device",
            lambda f: imagery.open_image("/dev/zero"),
            DETECT.removesuffix("{f}/") + "/dev/zero",
        ),
    }
