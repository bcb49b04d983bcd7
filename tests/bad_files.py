"""Files that are wrong in one way each, for `test_bad_input.py`."""

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from aircraft import models

HALF = np.array([0, 1, 0, 1, 0, 1])
SITES = np.array(["a", "a", "b", "b", "c", "c"])


def make(f: Path) -> Path:
    """Fill the folder, and return it: a good model, a good image, and what can be wrong with either."""
    (f / "nothing").mkdir()
    (f / "other").mkdir()

    torch.manual_seed(0)
    models.save(models.build("toy_cnn"), f / "model.safetensors", threshold=0.5)
    (f / "cut.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:5000])
    save_file({"weight": torch.zeros(3)}, f / "bare.safetensors")

    Image.new("RGB", (128, 128)).save(f / "good.png")
    Image.new("RGB", (128, 128)).save(f / "other" / "good.jpg")
    Image.new("RGB", (40, 128)).save(f / "tiny.png")
    Image.new("CMYK", (128, 128)).save(f / "cmyk.jpg")
    Image.fromarray(np.zeros((128, 128), np.uint16)).save(f / "deep.png")
    (f / "cut.jpg").write_bytes((f / "other" / "good.jpg").read_bytes()[:700])
    (f / "text.png").write_text("no picture")
    (f / "zero.png").touch()
    (f / "bomb.png").write_bytes(_png_header(100_000, 100_000))

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
    return f


def _png_header(width: int, height: int) -> bytes:
    """A PNG that says it is huge, and holds no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _png_chunk(b"IHDR", header) + _png_chunk(b"IDAT", zlib.compress(b""))


def _png_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
