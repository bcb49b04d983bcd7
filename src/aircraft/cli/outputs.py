"""What `aircraft detect` writes for an image: JSON, GeoJSON, and a picture with the boxes drawn.

Detections are in pixels of 1 m; the files speak of the pixels of the image file, as its owner does.
"""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from aircraft import InputError, reading, regular, replacing
from aircraft.detection.detecting import Detections
from aircraft.imagery import Source

SUFFIXES = (".json", ".geojson", ".png")
LARGEST = 4000  # pixels a side of the picture; larger images are drawn reduced
PNG_MARK = b"\0\0\0\x11tEXtSoftware\0aircraft\x5e\x43\x64\x17"  # behind the head, 33 bytes
MARKS = {  # how the files begin that we write; all others are ONNX
    ".json": rb'\{\s+"image": "(\\.|[^"\\])*",\s+"width": \d+,\s+"height": \d+,\s+"threshold": ',
    ".geojson": rb'\{"type": "FeatureCollection", "generator": "aircraft"',
    ".npz": rb"PK\x03\x04.{26}written_by\.npy",
    ".png": rb"\x89PNG.{29}" + re.escape(PNG_MARK),
}
COLOR, HALO = (230, 159, 0), (0, 0, 0)  # Okabe and Ito's orange on black: seen by all, on all grounds


def check(targets: Iterable[Path], inputs: Iterable[Path], remedy: str, force: bool) -> None:
    """Refuse, before the work, to replace a file that is not ours (unless `force`), or one that is read."""
    seen = [path.stat() for path in inputs if path.exists()]  # whatever links lead there
    read = {(found.st_dev, found.st_ino) for found in seen}
    for path in targets:
        with suppress(FileNotFoundError):
            found = regular(path, remedy).stat()
            if (found.st_dev, found.st_ino) in read:
                raise InputError(f"{path}: the command reads this file, and would replace it; {remedy}")
            with path.open("rb") as file:
                start = b"" if force else file.read(4096)
            if start and not re.match(MARKS.get(path.suffix, rb"\x08.\x12\x08aircraft"), start, re.DOTALL):
                raise InputError(f"{path}: aircraft did not write this file; {remedy}, or --force")


def write(folder: str | Path, stem: str, found: Detections, source: Source, threshold: float) -> list[Path]:
    """Write `<stem>.json`, `<stem>.geojson` and `<stem>.png`, each as a whole or not; returns their paths."""
    _, png = cv2.imencode(".png", cv2.cvtColor(draw(found, source), cv2.COLOR_RGB2BGR))
    with reading(source.name, "mend it, or convert the image to PNG", "its georeference makes no sense"):
        on_map = json.dumps(to_geojson(found, source), allow_nan=False)
    listed, picture = json.dumps(to_json(found, source, threshold), indent=1), png.tobytes()
    contents = (listed.encode(), on_map.encode(), picture[:33] + PNG_MARK + picture[33:])
    for path, content in zip(paths(folder, stem), contents, strict=True):
        with replacing(path) as file:
            file.write(content)
    return paths(folder, stem)


def paths(folder: str | Path, stem: str) -> list[Path]:
    """Where `write` puts the three files of an image."""
    return [Path(folder) / f"{stem}{suffix}" for suffix in SUFFIXES]


def to_json(found: Detections, source: Source, threshold: float) -> dict[str, Any]:
    """The detections of one image; x, y and boxes in pixels of the file, y down."""
    size = getattr(source, "source", source)  # the file behind a resampled image
    scale = 1 / source.gsd
    rows = zip(found.centers * scale, found.scores, found.boxes * scale, strict=True)
    stretch = getattr(size, "stretch", None)
    return {
        "image": source.name, "width": size.width, "height": size.height, "threshold": threshold,
        **({"stretch": stretch} if stretch else {}),
        "detections": [
            {"x": _round(x), "y": _round(y), "score": round(float(score), 6), "box": [_round(v) for v in box]}
            for (x, y), score, box in rows
        ],
    }  # fmt: skip


def to_geojson(found: Detections, source: Source) -> dict[str, Any]:
    """One polygon, the box, for each detection, with its score and its centre in pixels of the file.

    In map coordinates with the member "crs" (which QGIS and GDAL read) where the image is georeferenced,
    else in pixels of the file, y down.
    """
    scale = 1 / source.gsd
    features = []
    for (x, y), score, (x0, y0, x1, y1) in zip(found.centers, found.scores, found.boxes, strict=True):
        ring = np.array([(x0, y0), (x0, y1), (x1, y1), (x1, y0), (x0, y0)], float)
        ring = ring * scale if source.transform is None else _on_map(ring, source.transform)
        properties = {"score": round(float(score), 6), "x": _round(x * scale), "y": _round(y * scale)}
        polygon = {"type": "Polygon", "coordinates": [ring.round(7).tolist()]}
        features.append({"type": "Feature", "geometry": polygon, "properties": properties})
    collection: dict[str, Any] = {"type": "FeatureCollection", "generator": "aircraft", "name": source.name}
    collection["features"] = features
    if source.crs is not None and source.crs.to_epsg() != 4326:  # longitude and latitude need no word
        epsg = source.crs.to_epsg()
        name = f"urn:ogc:def:crs:EPSG::{epsg}" if epsg else source.crs.to_wkt()
        collection["crs"] = {"type": "name", "properties": {"name": name}}
    return collection


def draw(found: Detections, source: Source, largest: int = LARGEST) -> np.ndarray:
    """(h, w, 3) uint8: the image, at most `largest` pixels a side, with a box around each detection."""
    factor = max(1, -(-max(source.width, source.height) // largest))
    picture = _reduced(source, factor)
    thick = max(1, round(max(picture.shape) / 1000))
    boxes = (found.boxes / factor).round().astype(int).tolist()
    for color, width in ((HALO, thick + 2), (COLOR, thick)):
        for x0, y0, x1, y1 in boxes:
            cv2.rectangle(picture, (x0, y0), (x1 - 1, y1 - 1), color, width)
    return picture


def _reduced(source: Source, factor: int) -> np.ndarray:
    """The mean of every factor x factor pixels, read in pieces; what is left over at the far border goes."""
    height, width = source.height // factor, source.width // factor
    picture = np.empty((height, width, 3), np.uint8)
    side = max(1, 2048 // factor)
    for y in range(0, height, side):
        for x in range(0, width, side):
            h, w = min(side, height - y), min(side, width - x)
            pixels = source.read(x * factor, y * factor, (x + w) * factor, (y + h) * factor)
            picture[y : y + h, x : x + w] = cv2.resize(pixels, (w, h), interpolation=cv2.INTER_AREA)
    return picture


def _on_map(points: np.ndarray, transform: Any) -> np.ndarray:
    """(N, 2) pixel positions -> (N, 2) map coordinates."""
    a, b, x, d, e, y = transform[:6]
    return points @ np.array([[a, d], [b, e]]) + (x, y)


def _round(pixels: float) -> float:
    return round(float(pixels), 2)
