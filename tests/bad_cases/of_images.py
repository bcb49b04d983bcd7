"""Image files and arrays."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from aircraft import imagery
from aircraft.scenes import Scene
from bad_cases import DETECT, SCENE, Case, find


def make(f: Path) -> None:
    """Beside the good image: what can be wrong with one."""
    (f / "other").mkdir()
    Image.new("RGB", (128, 128)).save(f / "other" / "good.jpg")
    Image.new("RGB", (40, 128)).save(f / "tiny.png")
    Image.new("CMYK", (128, 128)).save(f / "cmyk.jpg")
    Image.fromarray(np.zeros((128, 128), np.uint16)).save(f / "deep.png")
    (f / "cut.jpg").write_bytes((f / "other" / "good.jpg").read_bytes()[:700])
    (f / "text.png").write_text("no picture")
    (f / "zero.png").touch()
    (f / "bomb.png").write_bytes(_png_header(100_000, 100_000))


def _png_header(width: int, height: int) -> bytes:
    """A PNG that says it is huge, and holds no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", zlib.compress(b""))


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def image(name: str, **options: Any) -> Callable[[Path], Any]:
    return lambda f: imagery.open_image(f / name, **options)


CASES = {
    "image: not there": Case("no such file", lambda f: imagery.find([f / "no.png"]), DETECT + "no.png"),
    "image: folder without images": Case(
        "no image in this folder", lambda f: imagery.find([f / "nothing"]), DETECT + "nothing"
    ),
    "image: none given": Case("no image was given", lambda f: imagery.find([])),
    "image: text": Case("is not a PNG, JPEG or TIFF", image("text.png"), DETECT + "text.png"),
    "image: no bytes": Case("is empty", image("zero.png"), DETECT + "zero.png"),
    "image: cut off": Case("is damaged", image("cut.jpg"), DETECT + "cut.jpg"),
    "image: 16 bit": Case("8 bits", image("deep.png"), DETECT + "deep.png"),
    "image: CMYK": Case("CMYK", image("cmyk.jpg"), DETECT + "cmyk.jpg"),
    "image: a bomb": Case("100000 x 100000 pixels", image("bomb.png"), DETECT + "bomb.png"),
    "image: smaller than a patch": Case(
        "smaller than a patch", find("model.safetensors", "tiny.png"), DETECT + "tiny.png"
    ),
    "image: pixel size": Case("gsd 0", image("good.png", gsd=0.0), DETECT + "good.png --gsd 0.0"),
    "array: grey": Case("(H, W, 3) uint8", lambda f: imagery.as_source(np.zeros((90, 90), np.uint8))),
    "array: float": Case("(H, W, 3) uint8", lambda f: imagery.as_source(np.zeros((90, 90, 3)))),
    "scene: box outside": Case(
        "outside the image", lambda f: Scene(SCENE.image, np.array([[200, 0, 210, 9]]), "scene", "a")
    ),
}
