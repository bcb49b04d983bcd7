"""The real scenes: the Airbus aircraft sample, in the layout of the public Kaggle download.

Images of 0.5 m per pixel are averaged to 1 m; every annotation is checked, and errors name file and line.
"""

import ast
import csv
import hashlib
import io
import os
import warnings
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image
from tqdm.contrib.concurrent import thread_map

from aircraft import InputError, quoted, reading, regular
from aircraft.datasets import building
from aircraft.datasets.splitting import DRAWS, narrowed
from aircraft.patches import cut_tiles
from aircraft.scenes import Scene

KAGGLE = "airbusgeo/airbus-aircrafts-sample-dataset"
ENVIRONMENT = "AIRCRAFT_AIRBUS_DIR"
TEST_SITES = ("I", "J", "M", "N")  # the suggested development split
BORDER = 10  # raw pixels (5 m): the annotators drew up to 9 beyond the border; such boxes are clipped
TWICE = 10.0  # metres: nearer centres are one aircraft annotated twice (no two aircraft are under 14 m apart)


class Entry(NamedTuple):
    """One image of annotations.csv. Boxes are (line in the file, x0, y0, x1, y1), in raw pixels of 0.5 m."""

    path: Path
    site: str
    line: int
    boxes: list[tuple[float, ...]]
    truncated: list[tuple[float, ...]]


@dataclass(frozen=True)
class Source(building.Source):
    """The real scenes, sorted by name."""

    workers: int | None = 1  # to send a scene to another process takes longer than to cut it

    @cached_property
    def entries(self) -> list[Entry]:
        return index(self.root)

    @cached_property
    def sites(self) -> dict[str, list[str]]:
        """Of each split. To test on are `test_sites`, else the suggested ones, else a quarter, drawn."""
        names = sorted({entry.site for entry in self.entries})
        aircraft = {name: sum(len(e.boxes) for e in self.entries if e.site == name) for name in names}
        wanted = TEST_SITES if self.test_sites is None and set(TEST_SITES) < set(names) else self.test_sites
        test = narrowed(names, wanted)
        rng = np.random.default_rng(self.seed)
        for _ in range(DRAWS if wanted is None else 0):  # until there are aircraft on both sides
            test = sorted(rng.permutation(names)[: max(1, round(len(names) / 4))].tolist())
            if 0 < sum(aircraft[name] for name in test) < sum(aircraft.values()):
                break
        splits = {"train": [name for name in names if name not in test], "test": test}
        for split, sites in splits.items():
            if not sum(aircraft[name] for name in sites):
                raise InputError(f"no aircraft to {split} on in {sites} of {names}; give other or more sites")
        return splits

    def key(self) -> dict[str, Any]:
        """Changes with the annotations, the sites, and the size or date of an image."""
        stats = ((entry, entry.path.stat()) for entry in self.entries)
        said = "".join(repr((entry, stat.st_size, stat.st_mtime_ns)) for entry, stat in stats)
        return super().key() | {"files": hashlib.sha256(said.encode()).hexdigest(), "sites": self.sites}

    def scenes(self, split: str, views: int, scale: float) -> list[Scene]:
        return self._read(self.sites[split])

    def tiles(self, split: str, count: int, sites: Collection[str] | None) -> list[Scene]:
        """Side by side in the scenes, drawn by the seed; a warning where there are fewer."""
        scenes = self._read(narrowed(self.sites["test" if split == "test" else "train"], sites))
        tiles = [tile for scene in scenes for tile in cut_tiles(scene)]
        if len(tiles) < count:
            warnings.warn(f"only {len(tiles)} tiles fit into {len(scenes)} scenes, not {count}", stacklevel=3)
        rng = np.random.default_rng(self.seed)
        return [tiles[i] for i in sorted(rng.choice(len(tiles), min(count, len(tiles)), replace=False))]

    def _read(self, sites: list[str]) -> list[Scene]:
        entries = [entry for entry in self.entries if entry.site in sites]
        # Threads, because Pillow and OpenCV leave the interpreter's lock while they decode.
        return thread_map(read, entries, desc="reading scenes", disable=not self.progress, leave=False)


def read(entry: Entry) -> Scene:
    """The scene at 1 m per pixel. Aircraft that the border cuts ("Truncated_airplane") go to `ignore`."""
    table = entry.path.parents[1] / "annotations.csv"
    where = f"{entry.path} ({table} line {entry.line})"
    with reading(where, "download it again", "cannot be read"), Image.open(entry.path) as file:
        image = np.asarray(file.convert("RGB"))
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        raise InputError(f"{where}: {width} x {height} pixels; both must be even: download it again")
    boxes, ignore = (_halved(some, width, height, table) for some in (entry.boxes, entry.truncated))
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    close = np.linalg.norm(centers[:, None] - centers[None], axis=2) < TWICE
    again = np.tril(close, k=-1).any(axis=1)  # close to a box before it
    half = cv2.resize(image, (width // 2, height // 2), interpolation=cv2.INTER_AREA)  # exact for 2x2
    return Scene(half, boxes[~again], entry.path.stem, entry.site, ignore)


def index(root: str | Path | None = None) -> list[Entry]:
    """What annotations.csv says, sorted by image name. Images not in it are left out: are they empty?"""
    folder = find_root(root)
    table, airports = folder / "annotations.csv", folder / "airports.csv"
    sites = {}
    if airports.is_file():
        sites = {name: site for _, name, site in _rows(airports, "image_id", "airport")}
    else:
        advice = "scores look too good; write airports.csv: image_id,airport, one letter for each place"
        warnings.warn(f"no {airports}: one place can be in train and test; {advice}", stacklevel=2)
    entries: dict[str, Entry] = {}
    for line, name, geometry, kind in _rows(table, "image_id", "geometry", "class"):
        where, path = f"{table} line {line}", folder / "images" / name
        if kind not in ("Airplane", "Truncated_airplane"):
            raise InputError(f"{where}: unknown class {kind!r}; it is Airplane or Truncated_airplane")
        if name not in entries:
            if path.name != name or not os.path.isfile(path):
                raise InputError(f"{where}: images/{quoted(name)} is missing; get it or remove the line")
            if airports.is_file() and name not in sites:
                raise InputError(f"{airports}: {name} is not in it; write a line `{name},AIRPORT`")
            entries[name] = Entry(path, sites.get(name, path.stem), line, [], [])
        boxes = entries[name].boxes if kind == "Airplane" else entries[name].truncated
        boxes.append((line, *_rectangle(geometry, where)))
    if not entries:
        raise InputError(f"{table}: no annotations in it; download the data set again")
    return [entries[name] for name in sorted(entries)]


def find_root(root: str | Path | None = None) -> Path:
    """The folder that holds annotations.csv and images/: `root` or a folder in it, else the one that the
    variable AIRCRAFT_AIRBUS_DIR names, else the Kaggle download, where the package kagglehub is installed."""
    root = root or os.environ.get(ENVIRONMENT)
    if not root:
        try:
            import kagglehub  # an optional package, only for this
        except ImportError as error:
            ways = f"or set {ENVIRONMENT}, or `pip install kagglehub` to download {KAGGLE} from Kaggle"
            raise InputError(f"where are the Airbus scenes? Give root=FOLDER (or --root), {ways}") from error
        root = kagglehub.dataset_download(KAGGLE)
    with reading(root, "give the folder of the Airbus sample"):
        root = Path(root).expanduser()
        for depth in range(4):  # not all of a disk
            for table in sorted(root.glob("*/" * depth + "annotations.csv")):
                if (table.parent / "images").is_dir():
                    return table.parent
    reason = "no annotations.csv beside images/ in it" if root.is_dir() else "no such folder"
    raise FileNotFoundError(f"{root}: {reason}; give the folder of the Airbus sample")


def _rows(table: Path, *columns: str) -> Iterator[tuple[Any, ...]]:
    """The line of each row of a csv file, and its values in these columns."""
    remedy = f"line 1 names {','.join(columns)}, each line gives them; complete it or download it again"
    with reading(table, "download it again", "not a csv file"):
        reader = csv.DictReader(io.StringIO(regular(table, remedy).read_text(encoding="utf-8-sig")))
        for row in reader:
            values = [(row.get(column) or "").strip() for column in columns]
            if "" in values:
                missing = columns[values.index("")]
                raise InputError(f"{table} line {reader.line_num}: no {missing}; {remedy}")
            yield reader.line_num, *values


def _rectangle(geometry: str, where: str) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 of the rectangle, given as a list of its corners, the first once more at the end."""
    corners = []
    with suppress(Exception):  # of many sorts, and what to say is below
        corners = [(float(x), float(y)) for x, y in ast.literal_eval(geometry)]
    xs, ys = sorted({x for x, _ in corners}), sorted({y for _, y in corners})
    different = len(corners), len(set(corners)), len(xs), len(ys)
    if different != (5, 4, 2, 2) or corners[0] != corners[-1]:
        wanted = "an upright rectangle: five corners (x, y), the last like the first"
        raise InputError(f"{where}: geometry {geometry[:60]!r} is not {wanted}; mend or remove the line")
    return xs[0], ys[0], xs[1], ys[1]


def _halved(annotated: list[tuple[float, ...]], width: int, height: int, table: Path) -> np.ndarray:
    """(N, 4) float32 at 1 m, cut at the border."""
    boxes = []
    for line, *raw in annotated:
        box = np.clip(raw, 0, [width, height, width, height])
        if np.abs(box - raw).max() > BORDER or (box[:2] >= box[2:]).any():
            found = f"the box {raw} is outside the image of {width} x {height}"
            raise InputError(f"{table} line {line}: {found}; mend or remove the line")
        boxes.append(box / 2)
    return np.array(boxes, np.float32).reshape(-1, 4)
