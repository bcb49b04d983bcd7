"""Files made byte by byte, so that any of their parts can be wrong: PNG, TIFF, npy, npz, safetensors."""

import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

PNG = b"\x89PNG\r\n\x1a\n"
SIZE = 96  # pixels a side of the small images

Chunk = tuple[bytes, bytes]
Tags = dict[int, tuple[int, Sequence[Any]]]


def chunks(png: bytes) -> list[Chunk]:
    """The chunks of a PNG: kind and data."""
    found, at = [], len(PNG)
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        found.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def chunk(kind: bytes, data: bytes, *, crc: int | None = None, length: int | None = None) -> bytes:
    """One chunk; crc and length may be lies."""
    total = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data) if length is None else length) + kind + data + struct.pack(">I", total)


def png(parts: Sequence[Chunk | bytes]) -> bytes:
    """A PNG of chunks, which may be made already."""
    return PNG + b"".join(part if isinstance(part, bytes) else chunk(*part) for part in parts)


def header(width: int, height: int, depth: int = 8, kind: int = 2, *more: int) -> Chunk:
    """IHDR; more: compression, filter, interlace."""
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, *(more or (0, 0, 0)))


def zeros(count: int, level: int = 6) -> bytes:
    """`count` zero bytes, compressed, made in pieces."""
    packer, piece = zlib.compressobj(level), bytes(2**20)
    made = [packer.compress(piece) for _ in range(count // 2**20)]
    return b"".join([*made, packer.compress(bytes(count % 2**20)), packer.flush()])


def segments(jpeg: bytes) -> list[int]:
    """Where the marker segments of a JPEG begin, up to the first scan's data."""
    at, found = 2, []
    while jpeg[at] == 0xFF:
        found.append(at)
        marker, length = jpeg[at + 1], struct.unpack(">H", jpeg[at + 2 : at + 4])[0]
        at += 2 + length
        if marker == 0xDA:
            break
    return [*found, at]


def rgb_tags(width: int = SIZE, height: int = SIZE, **more: int) -> Tags:
    """The tags of a plain RGB TIFF in one strip; more, by name of the argument of `tiff_tags`."""
    return tiff_tags(width, height, **more)


def tiff_tags(
    width: int, height: int, *, bits: Sequence[int] = (8, 8, 8), photometric: int = 2, compression: int = 1,
    planar: int = 1, rows: int | None = None, sample_format: int = 1,
) -> Tags:  # fmt: skip
    """The tags of a TIFF in strips."""
    return {
        256: (4, [width]), 257: (4, [height]), 258: (3, bits), 259: (3, [compression]),
        262: (3, [photometric]), 277: (3, [len(bits)]), 278: (4, [rows or height]), 284: (3, [planar]),
        339: (3, [sample_format] * len(bits)),
    }  # fmt: skip


def tiled(tags: Tags, side: int) -> Tags:
    """The same in square tiles."""
    return {tag: value for tag, value in tags.items() if tag != 278} | {322: (4, [side]), 323: (4, [side])}


def tiff(tags: Tags, blocks: Sequence[bytes], *, repeat: int = 1, loop: bool = False) -> bytes:
    """A little-endian TIFF; its strips or tiles are the blocks, all of them `repeat` times (stored once)."""
    body, places = bytearray(b"II*\0\0\0\0\0"), []
    for block in blocks:
        places.append(len(body))
        body += block + bytes(len(block) % 2)
    at, count = (324, 325) if 322 in tags else (273, 279)
    tags = {at: (4, places * repeat), count: (4, [len(b) for b in blocks] * repeat)} | tags
    entries = []
    for tag in sorted(tags):
        kind, values = tags[tag]
        form = {1: "B", 2: "B", 3: "H", 4: "I", 11: "f", 12: "d"}[kind]
        data = struct.pack(f"<{len(values)}{form}", *values)
        if len(data) > 4:
            body += bytes(len(body) % 2)
            where = len(body)
            body += data
            data = struct.pack("<I", where)
        entries.append(struct.pack("<HHI", tag, kind, len(values)) + data.ljust(4, b"\0"))
    place = len(body)
    body += struct.pack("<H", len(entries)) + b"".join(entries) + struct.pack("<I", place if loop else 0)
    body[4:8] = struct.pack("<I", place)
    return bytes(body)


def metres(x: float, y: float, epsg: int = 32632) -> Tags:
    """The georeference of pixels of x by y metres (degrees for epsg 4326)."""
    model = (2, 2048) if epsg == 4326 else (1, 3072)
    keys = [1, 1, 0, 3, 1024, 0, 1, model[0], 1025, 0, 1, 1, model[1], 0, 1, epsg]
    return {33550: (12, [x, y, 0.0]), 33922: (12, [0.0] * 3 + [500000.0, 5000000.0, 0.0]), 34735: (3, keys)}


def affine(values: Sequence[float], epsg: int = 32632) -> Tags:
    """The georeference of a matrix of 4 x 4, turned for example."""
    return {34264: (12, values), 34735: metres(1, 1, epsg)[34735]}


def npy(text: str | bytes, body: bytes = b"", version: tuple[int, int] = (1, 0)) -> bytes:
    """An npy file with this header, true or not."""
    head = (text.encode() if isinstance(text, str) else text) + b"\n"
    size = struct.pack("<H" if version == (1, 0) else "<I", len(head))
    return b"\x93NUMPY" + bytes(version) + size + head + body


def array(values: Any) -> bytes:
    """An npy file of an array."""
    import numpy as np

    file = io.BytesIO()
    np.save(file, values, allow_pickle=True)
    return file.getvalue()


def archive(members: Mapping[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return file.getvalue()


def patched(data: bytes, changes: Mapping[int, bytes]) -> bytes:
    """The bytes with some of them replaced."""
    changed = bytearray(data)
    for at, new in changes.items():
        changed[at : at + len(new)] = new
    return bytes(changed)


def zip_fields(data: bytes, *, local: Mapping[int, bytes], central: Mapping[int, bytes]) -> bytes:
    """A zip whose first member has other fields; the places are counted from each header's start."""
    at = data.index(b"PK\1\2")
    places = dict(local) | {at + k: v for k, v in central.items()}
    return patched(data, places)


def tensors(file: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and body of a safetensors file."""
    (length,) = struct.unpack("<Q", file[:8])
    return json.loads(file[8 : 8 + length]), file[8 + length :]


def safetensors(head: dict[str, Any] | bytes, body: bytes, length: int | None = None) -> bytes:
    """A safetensors file; the length of its header may be a lie."""
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body
