"""The real scenes: the Airbus aircraft sample, in the layout of the public Kaggle download.

Images of 0.5 m per pixel are averaged to 1 m; every annotation is checked, and errors name file and line.
"""

import ast
import csv
import hashlib
import importlib.util
import os
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image
from tqdm.auto import tqdm

from aircraft import InputError
from aircraft.datasets import building
from aircraft.datasets.splitting import narrowed, split_sites
from aircraft.patches import cut_tiles
from aircraft.scenes import Scene

KAGGLE = "airbusgeo/airbus-aircrafts-sample-dataset"
ENVIRONMENT = "AIRCRAFT_AIRBUS_DIR"
TEST_SITES = ("I", "J", "M", "N")  # the suggested development split
CLASSES = ("Airplane", "Truncated_airplane")
BORDER = 10  # raw pixels (5 m): the annotators drew up to 9 beyond the border; such boxes are clipped
TWICE = 10.0  # metres: nearer centres are one aircraft annotated twice (no two aircraft are under 14 m apart)


@dataclass(frozen=True)
class Entry:
    """One image of annotations.csv. Boxes are (line in the file, x0, y0, x1, y1), in raw pixels of 0.5 m."""

    path: Path
    site: str
    line: int
    boxes: list[tuple[float, ...]] = field(default_factory=list)
    truncated: list[tuple[float, ...]] = field(default_factory=list)


@dataclass(frozen=True)
class Source(building.Source):
    """The real scenes, sorted by name."""

    workers: int | None = 1  # to send a scene to another process takes longer than to cut it

    @cached_property
    def entries(self) -> list[Entry]:
        return index(self.root)

    @cached_property
    def sites(self) -> dict[str, list[str]]:
        """Of each split; to test on are `test_sites`, else the suggested ones, else a quarter of all."""
        aircraft: Counter[str] = Counter()
        for entry in self.entries:
            aircraft[entry.site] += len(entry.boxes)
        suggested = TEST_SITES if set(TEST_SITES) < set(aircraft) else None
        return split_sites(aircraft, suggested if self.test_sites is None else self.test_sites, self.seed)

    def key(self) -> dict[str, Any]:
        """Changes with the annotations, the sites, and the size or date of an image."""
        digest = hashlib.sha256()
        for entry in self.entries:
            stat = entry.path.stat()
            digest.update(repr((entry, stat.st_size, stat.st_mtime_ns)).encode())
        return super().key() | {"files": digest.hexdigest(), "sites": self.sites}

    def scenes(self, split: str, views: int, scale: float) -> list[Scene]:
        return read([entry for entry in self.entries if entry.site in self.sites[split]], self.progress)

    def tiles(self, split: str, count: int, sites: Collection[str] | None) -> list[Scene]:
        """Side by side in the scenes, drawn by the seed; a warning where there are fewer."""
        chosen = narrowed(self.sites["test" if split == "test" else "train"], sites)
        scenes = read([entry for entry in self.entries if entry.site in chosen], self.progress)
        tiles = [tile for scene in scenes for tile in cut_tiles(scene)]
        if len(tiles) < count:
            warnings.warn(f"only {len(tiles)} tiles fit into {len(scenes)} scenes, not {count}", stacklevel=3)
        rng = np.random.default_rng(self.seed)
        return [tiles[i] for i in sorted(rng.choice(len(tiles), min(count, len(tiles)), replace=False))]


def read(entries: Sequence[Entry], progress: bool = True) -> list[Scene]:
    """The scenes at 1 m per pixel: each pixel is the mean of 2x2 raw ones, rounded half up.

    Aircraft that the border cuts ("Truncated_airplane") go to `ignore`. Boxes that leave the image by at most
    10 raw pixels are clipped. Of two with centres less than 10 m apart, one aircraft, the first is kept.
    """
    with ThreadPoolExecutor() as pool:  # Pillow and OpenCV leave the interpreter's lock while they decode
        scenes = pool.map(_scene, entries)
        return list(tqdm(scenes, "reading scenes", len(entries), disable=not progress, leave=False))


def index(root: str | Path | None = None) -> list[Entry]:
    """What annotations.csv and airports.csv say, checked, sorted by image name; no image is opened.

    Sites: the letters of airports.csv; without that file each scene is its own site. Images that
    annotations.csv does not name are left out: nobody says they are empty.
    """
    folder = find_root(root)
    table, airports = folder / "annotations.csv", folder / "airports.csv"
    rows = _rows(airports, ("image_id", "airport")) if airports.is_file() else ()
    sites = {row["image_id"]: row["airport"].strip() for _, row in rows}
    entries: dict[str, Entry] = {}
    for line, row in _rows(table, ("image_id", "geometry", "class")):
        where, name = f"{table} line {line}", row["image_id"]
        if row["class"] not in CLASSES:
            raise InputError(f"{where}: unknown class {row['class']!r}; it is one of {', '.join(CLASSES)}")
        if name not in entries:
            path = folder / "images" / name
            if path.name != name or not path.is_file():
                remedy = "download the data set again or remove the line"
                raise InputError(f"{where}: images/{name} is missing; {remedy}")
            site = sites.get(name) if airports.is_file() else path.stem
            if not site:
                raise InputError(f"{airports}: {name} has no letter; write a line `{name},AIRPORT`")
            entries[name] = Entry(path, site, line)
        entry = entries[name]
        boxes = entry.boxes if row["class"] == "Airplane" else entry.truncated
        boxes.append((line, *_rectangle(row["geometry"], where)))
    if not entries:
        raise InputError(f"{table}: no annotations in it; download the data set again")
    if not sites:
        doubt = "an airport with scenes of several dates can be in train and test, and scores look too good"
        remedy = "write airports.csv: columns image_id,airport, one letter for all scenes of a place"
        warnings.warn(f"no {airports}, so each scene is its own site: {doubt}; {remedy}", stacklevel=2)
    return [entries[name] for name in sorted(entries)]


def find_root(root: str | Path | None = None) -> Path:
    """The folder that holds annotations.csv and images/: `root` or a folder in it, else the one that the
    variable AIRCRAFT_AIRBUS_DIR names, else the Kaggle download, where the package kagglehub is installed."""
    root = root or os.environ.get(ENVIRONMENT)
    if not root:
        if importlib.util.find_spec("kagglehub") is None:
            raise InputError(
                "where are the Airbus scenes? Give root=FOLDER (command line: --root FOLDER), or set "
                f"{ENVIRONMENT}, or `pip install kagglehub` to download kaggle.com/datasets/{KAGGLE}"
            )
        import kagglehub  # an optional package, only for this

        root = kagglehub.dataset_download(KAGGLE)
    root = Path(root).expanduser()
    tables = sorted(root.glob("annotations.csv")) or sorted(root.rglob("annotations.csv"))
    for table in tables:
        if (table.parent / "images").is_dir():
            return table.parent
    reason = f"no {'images/' if tables else 'annotations.csv'} in it" if root.is_dir() else "no such folder"
    remedy = "give the folder of the Airbus sample (annotations.csv and images/)"
    raise FileNotFoundError(f"{root}: {reason}; {remedy}")


def _rows(table: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, row) of a csv file whose first line has these columns."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = ", ".join(column for column in columns if column not in (reader.fieldnames or []))
            if missing:
                raise InputError(f"{table} line 1: no column {missing}; it needs {','.join(columns)}")
            for row in reader:
                if any(row[column] is None for column in columns):
                    where = f"{table} line {reader.line_num}"
                    raise InputError(f"{where}: too few values; the file may be cut off")
                yield reader.line_num, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table}: not a csv file ({error}); download it again") from error


def _rectangle(geometry: str, where: str) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 of the rectangle, given as a list of its corners, the first once more at the end."""
    try:
        corners = np.asarray(ast.literal_eval(geometry), float).reshape(-1, 2)
        (x0, y0), (x1, y1) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    except (ValueError, SyntaxError, TypeError) as error:
        raise InputError(f"{where}: geometry {geometry[:60]!r} is not a list of corners (x, y)") from error
    closed = len(corners) == 5 and (corners[0] == corners[-1]).all()
    wanted = {(x0, y0), (x1, y0), (x1, y1), (x0, y1)}
    if not closed or len(wanted) != 4 or set(map(tuple, corners.tolist())) != wanted:
        raise InputError(f"{where}: geometry is no upright rectangle: five corners, the last like the first")
    return x0, y0, x1, y1


def _scene(entry: Entry) -> Scene:
    table = entry.path.parents[1] / "annotations.csv"
    where = f"{entry.path} ({table} line {entry.line})"
    try:
        with Image.open(entry.path) as file:
            image = np.asarray(file.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{where}: cannot be read ({error}); download it again") from error
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        reason = "both must be even, since 2x2 pixels of 0.5 m are averaged to 1 m"
        raise InputError(f"{where}: {width} x {height} pixels; {reason}; give the image as it was downloaded")
    for line, x0, y0, x1, y1 in entry.boxes + entry.truncated:
        beyond = max(-x0, -y0, x1 - width, y1 - height) > BORDER
        if beyond or x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
            box = f"{x0:g}, {y0:g}, {x1:g}, {y1:g} is outside {entry.path.name} of {width} x {height}"
            raise InputError(f"{table} line {line}: the box {box}; mend or remove the line")
    boxes = _halved(entry.boxes, width, height)
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    close = np.linalg.norm(centers[:, None] - centers[None], axis=2) < TWICE
    again = np.tril(close, k=-1).any(axis=1)  # close to a box before it
    ignore = _halved(entry.truncated, width, height)
    half = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)  # exact for 2x2
    return Scene(half, boxes[~again], entry.path.stem, entry.site, ignore)


def _halved(boxes: list[tuple[float, ...]], width: int, height: int) -> np.ndarray:
    """(N, 4) float32 at 1 m, cut at the border."""
    raw = np.array([box[1:] for box in boxes], np.float32).reshape(-1, 4)
    return np.clip(raw, 0, [width, height, width, height]).astype(np.float32) / 2
