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

    @property
    def where(self) -> str:
        """For messages."""
        return f"{self.path} ({self.path.parents[1] / 'annotations.csv'} line {self.line})"


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
        return {"files": digest.hexdigest(), "sites": self.sites}

    def scenes(self, split: str, views: int = 1, scale: float = 1.0) -> list[Scene]:
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
    """The scenes at 1 m per pixel.

    Each pixel is the mean of 2x2 raw ones, rounded half up. Boxes are halved likewise. Aircraft that the
    border cuts ("Truncated_airplane") go to `scene.ignore`. Boxes that leave the image by at most 10 raw
    pixels are clipped. Of two boxes with centres less than 10 m apart, one aircraft annotated twice, the
    first is kept. Raises InputError, with file and line, where something does not fit.
    """
    with ThreadPoolExecutor() as pool:  # Pillow and OpenCV leave the interpreter's lock while they decode
        scenes = pool.map(_scene, entries)
        return list(tqdm(scenes, "reading scenes", len(entries), disable=not progress, leave=False))


def index(root: str | Path | None = None) -> list[Entry]:
    """What annotations.csv and airports.csv say, checked, sorted by image name; no image is opened.

    root: see `find_root`. Sites: the letters of airports.csv; without that file each scene is its own site.
    Images that annotations.csv does not name are left out: nobody says they are empty.
    Raises InputError or FileNotFoundError, with file and line, where something does not fit.
    """
    folder = find_root(root)
    table = folder / "annotations.csv"
    airports = _airports(folder / "airports.csv")
    entries: dict[str, Entry] = {}
    for line, row in _rows(table, ("image_id", "geometry", "class")):
        where, name = f"{table} line {line}", row["image_id"]
        if row["class"] not in CLASSES:
            raise InputError(f"{where}: unknown class {row['class']!r}; it is one of {', '.join(CLASSES)}")
        if name not in entries:
            path, site = folder / "images" / name, airports.get(name) if airports else Path(name).stem
            if path.name != name or not path.is_file():
                remedy = "download the data set again or remove the line"
                raise InputError(f"{where}: images/{name} is missing; {remedy}")
            if site is None:
                remedy = f"add a line `{name},AIRPORT`"
                raise InputError(f"{folder / 'airports.csv'}: {name} has no letter; {remedy}")
            entries[name] = Entry(path, site, line)
        entry = entries[name]
        boxes = entry.boxes if row["class"] == "Airplane" else entry.truncated
        boxes.append((line, *_rectangle(row["geometry"], where)))
    if not entries:
        raise InputError(f"{table}: no annotations in it; download the data set again")
    if not airports:
        warnings.warn(
            f"{folder}: no airports.csv, so each scene counts as its own site. But several scenes show one "
            "airport at other dates: it can then be in train and test, which makes scores look too good. To "
            "mend it, write airports.csv: columns image_id,airport, one letter for all scenes of a place.",
            stacklevel=2,
        )
    return [entries[name] for name in sorted(entries)]


def find_root(root: str | Path | None = None) -> Path:
    """The folder that holds annotations.csv and images/: `root` or a folder in it, else the one that the
    variable AIRCRAFT_AIRBUS_DIR names, else the Kaggle download, where the package kagglehub is installed.

    Raises FileNotFoundError where the folder does not hold them, InputError where no folder is known.
    """
    root = Path(root or os.environ.get(ENVIRONMENT) or _download()).expanduser()
    if not root.is_dir():
        raise FileNotFoundError(
            f"{root}: no such folder; give the one that holds annotations.csv and images/"
        )
    tables = sorted(root.glob("annotations.csv")) or sorted(root.rglob("annotations.csv"))
    for table in tables:
        if (table.parent / "images").is_dir():
            return table.parent
    missing = "images/" if tables else "annotations.csv"
    raise FileNotFoundError(
        f"{root}: no {missing} in it; give the folder of the Airbus sample (annotations.csv and images/)"
    )


def _download() -> str:
    if importlib.util.find_spec("kagglehub") is None:
        raise InputError(
            "where are the Airbus scenes? Give root=FOLDER (command line: --root FOLDER), or set "
            f"{ENVIRONMENT}, or `pip install kagglehub` to download kaggle.com/datasets/{KAGGLE}"
        )
    import kagglehub  # an optional package, only for this

    return str(kagglehub.dataset_download(KAGGLE))


def _rows(table: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """(line, row) of a csv file whose first line has these columns."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            missing = ", ".join(column for column in columns if column not in (reader.fieldnames or []))
            if missing:
                raise InputError(f"{table} line 1: no column {missing}; it needs {','.join(columns)}")
            for row in reader:
                where = f"{table} line {reader.line_num}"
                if any(row[column] is None for column in columns):
                    raise InputError(f"{where}: too few values; the file may be cut off")
                yield reader.line_num, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{table}: not a csv file ({error}); download it again") from error


def _airports(table: Path) -> dict[str, str]:
    """Image name -> site; empty where there is no such file."""
    if not table.is_file():
        return {}
    sites = {}
    for line, row in _rows(table, ("image_id", "airport")):
        sites[row["image_id"]] = row["airport"].strip()
        if not row["airport"].strip():
            raise InputError(f"{table} line {line}: {row['image_id']} has no letter; write its airport")
    if not sites:
        raise InputError(f"{table}: empty; write a line `image,airport` for each scene, or remove the file")
    return sites


def _rectangle(geometry: str, where: str) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 of the rectangle, given as a list of its corners, the first once more at the end."""
    try:
        corners = np.asarray(ast.literal_eval(geometry), float).reshape(-1, 2)
    except (ValueError, SyntaxError, TypeError) as error:
        raise InputError(f"{where}: geometry {geometry[:60]!r} is not a list of corners (x, y)") from error
    closed = len(corners) == 5 and (corners[0] == corners[-1]).all()
    low, high = (corners.min(axis=0), corners.max(axis=0)) if closed else (np.zeros(2), np.zeros(2))
    at_corner = ((corners == low) | (corners == high)).all()
    if not closed or not at_corner or len(np.unique(corners, axis=0)) != 4:
        raise InputError(
            f"{where}: geometry is no upright rectangle of five corners, the last equal to the first"
        )
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def _scene(entry: Entry) -> Scene:
    try:
        with Image.open(entry.path) as file:
            image = np.asarray(file.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{entry.where}: cannot be read ({error}); download it again") from error
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        raise InputError(
            f"{entry.where}: {width} x {height} pixels; both must be even, since 2x2 pixels of 0.5 m are "
            "averaged to 1 m; give the image as it was downloaded"
        )
    return Scene(
        image=cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA),  # exact for 2x2
        boxes=_without_duplicates(_clipped(entry.boxes, entry, width, height)),
        ignore=_clipped(entry.truncated, entry, width, height),
        name=entry.path.stem,
        site=entry.site,
    )


def _clipped(boxes: list[tuple[float, ...]], entry: Entry, width: int, height: int) -> np.ndarray:
    """(N, 4) float32 at 1 m, cut at the border."""
    for line, x0, y0, x1, y1 in boxes:
        outside = max(-x0, -y0, x1 - width, y1 - height) > BORDER
        if outside or x0 >= width or y0 >= height or x1 <= 0 or y1 <= 0:
            raise InputError(
                f"{entry.path.parents[1] / 'annotations.csv'} line {line}: the box {x0:g}, {y0:g}, {x1:g}, "
                f"{y1:g} is outside {entry.path.name} of {width} x {height}; mend or remove the line"
            )
    raw = np.array([box[1:] for box in boxes], np.float32).reshape(-1, 4)
    return np.clip(raw, 0, [width, height, width, height]).astype(np.float32) / 2


def _without_duplicates(boxes: np.ndarray) -> np.ndarray:
    """(N, 4) boxes less those whose centre is nearer than 10 m to that of a box before them."""
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    close = np.linalg.norm(centers[:, None] - centers[None], axis=2) < TWICE
    return boxes[~np.tril(close, k=-1).any(axis=1)]
