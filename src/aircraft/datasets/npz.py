"""The .npz files that courses use: `train_images, train_labels, test_images, test_labels`, or `eval_tiles`.

Reading checks everything, and nothing is ever unpickled. Optional keys, which our files have: `train_sites`,
`test_sites`, `eval_sites`, `eval_names` (N,) str; the boxes of all tiles in one list, and the tile of each:
`eval_boxes (M, 4)` and `eval_boxes_tile (M,)`, likewise `eval_ignore` and `eval_ignore_tile`; `written_by`.
"""

import math
import os
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aircraft import InputError, quoted, reading, regular, replacing
from aircraft.datasets.splitting import COLUMNS, SPLITS
from aircraft.patches import NO_SITE, PIXELS, Patches, as_uint8, check_images
from aircraft.scenes import Scene

TILE_KEYS = ("eval_boxes", "eval_boxes_tile", "eval_ignore", "eval_ignore_tile", "eval_names", "eval_sites")
LARGE = 2**30  # bytes: more is announced

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class PatchSet:
    """A data set. notes["train"] and notes["test"] say what could be built: patches, aircraft (how many
    different ones), recut (share of the aircraft patches that show one once more, shifted), scenes, sites.
    """

    name: str
    source: str
    train: Patches
    test: Patches
    notes: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.name} ({self.source})"]
        built = ", {aircraft:,} aircraft ({recut:.0%} shifted views), {scenes} scenes, {sites} sites"
        for name, patches in (("train", self.train), ("test", self.test)):
            known = built.format(**self.notes[name]) if name in self.notes else ""
            share = patches.labels.mean()
            lines.append(f"  {name}: {len(patches):,} patches, {share:.0%} with an aircraft{known}")
        return "\n".join(lines)


def load_npz(path: str | Path, name: str = "npz") -> PatchSet:
    """The patches of an .npz file with train and test; name: what to call the data set."""
    train, test = (read_patches(path, split) for split in SPLITS)
    if shared := sorted(set(train.sites) & set(test.sites) - {NO_SITE}):
        raise InputError(f"{path}: the site {shared[0]} is in train and test; split by site or omit sites")
    return PatchSet(name, str(path), train, test)


def export_npz(data: PatchSet | Sequence[Scene], path: str | Path) -> None:
    """Write a data set, or tiles of one size, to an .npz file, a whole one or none."""
    if isinstance(data, PatchSet):
        arrays = {f"{name}_{what}": getattr(getattr(data, name), what) for name in SPLITS for what in COLUMNS}
    else:
        arrays = pack_tiles(data)
    with replacing(path) as file:
        np.savez(file, written_by="aircraft", **arrays)  # compressed it takes 30 times longer, for little


def read_patches(path: str | Path, split: str = "test") -> Patches:
    """The patches `{split}_images` and `{split}_labels` of a file, and `{split}_sites` where it has them.

    Images (N, 64, 64, 3): integers from 0 to 255, or floats from 0 to 1 (scaled by 255) or from 0 to 255;
    what can be neither is refused. Labels (N,) or (N, 1) of any type, all 0 or 1.
    """
    images_key, labels_key, sites_key = (f"{split}_{what}" for what in COLUMNS)

    def fits(images: np.ndarray, labels: np.ndarray) -> None:
        check_images(np.broadcast_to(np.uint8(0), images.shape), f"{path}: {images_key}")
        if labels.shape not in ((len(images),), (len(images), 1)) or labels.dtype.kind not in "biuf":
            found = f"{labels_key} is {labels.shape} of type {labels.dtype} for {len(images)} {images_key}"
            raise InputError(f"{path}: {found}; each image needs one label, the number 0 or 1")

    arrays = _load(path, (images_key, labels_key), (sites_key,), fits)
    labels = arrays[labels_key].reshape(-1)
    if len(wrong := np.flatnonzero((labels != 0) & (labels != 1))):
        found = f"{labels_key}[{wrong[0]}] is {labels[wrong[0]]}"
        raise InputError(f"{path}: {found}; labels are 0 (background) or 1 (aircraft)")
    sites = _names(arrays, sites_key, [NO_SITE] * len(labels), path)
    return Patches(arrays[images_key], labels.astype(np.uint8), sites)


def read_tiles(path: str | Path) -> list[Scene]:
    """The tiles `eval_tiles` (N, H, W, 3) of a file, with their boxes where it has them."""

    def fits(tiles: np.ndarray) -> None:
        if tiles.ndim != 4 or tiles.shape[3] != 3:
            remedy = "move the channels to the end, and give each image three"
            raise InputError(f"{path}: eval_tiles is {tiles.shape}; RGB images are (N, H, W, 3): {remedy}")

    return unpack_tiles(_load(path, ("eval_tiles",), TILE_KEYS, fits), path)


def pack_tiles(tiles: Sequence[Scene]) -> dict[str, np.ndarray]:
    """The arrays of the module's docstring for scenes of one size."""
    sizes = sorted({tile.image.shape[:2] for tile in tiles})
    if len(sizes) != 1:
        raise InputError(f"tiles of one file need one size, these have {sizes}; write them to several files")
    arrays = {"eval_tiles": np.stack([tile.image for tile in tiles])}
    for what in ("boxes", "ignore"):
        boxes = [getattr(tile, what) for tile in tiles]
        arrays[f"eval_{what}"] = np.concatenate(boxes)
        arrays[f"eval_{what}_tile"] = np.repeat(np.arange(len(tiles)), [len(b) for b in boxes])
    arrays["eval_names"] = np.array([tile.name for tile in tiles])
    arrays["eval_sites"] = np.array([tile.site for tile in tiles])
    return arrays


def unpack_tiles(arrays: Arrays, path: str | Path) -> list[Scene]:
    """The scenes of the arrays that `pack_tiles` makes; what is missing is left empty."""
    images, count = arrays["eval_tiles"], len(arrays["eval_tiles"])
    boxes, ignore = (_boxes(arrays, key, count, path) for key in ("eval_boxes", "eval_ignore"))
    names = _names(arrays, "eval_names", [f"{Path(path).stem}-{i:03d}" for i in range(count)], path)
    sites = _names(arrays, "eval_sites", [NO_SITE] * count, path)
    try:
        return [Scene(images[i], boxes[i], str(names[i]), str(sites[i]), ignore[i]) for i in range(count)]
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _load(path: str | Path, needed: tuple[str, ...], optional: tuple[str, ...], fits: Callable) -> Arrays:
    """The arrays of these keys, the first as uint8. `fits` sees shapes and types before any is decoded."""
    remedy = "write or copy it again: with np.savez, not as an .npy file, with no Python objects"
    fault = "is no .npz file or is cut off, or what is in it cannot be read"
    with reading(path, remedy, fault), zipfile.ZipFile(regular(path, "give an .npz file")) as archive:
        keys = [name.removesuffix(".npy") for name in archive.namelist()]
        if missing := [key for key in needed if key not in keys]:
            found = quoted(", ".join(keys))[:200] or "nothing"
            raise InputError(f"{path}: no {', '.join(missing)} in it; it has {found}")
        if len(set(keys)) < len(keys):
            raise ValueError("it holds two arrays of one name")
        heads = {key: _head(archive, key) for key in (*needed, *optional) if key in keys}
        images, what = heads[needed[0]], f"{path}: {needed[0]}"
        if images.size == 0:
            raise InputError(f"{what} is empty; store at least one image")
        if images.dtype.kind not in "iuf":
            raise InputError(f"{what} is of type {images.dtype}; {PIXELS}")
        fits(*(heads[key] for key in needed))
        machine = getattr(os, "sysconf", lambda name: math.inf)  # Windows has none
        for key, head in heads.items():
            text = f"{path}: {key} takes {head.nbytes / 2**30:,.1f} GiB of memory"
            if head.nbytes > machine("SC_PAGE_SIZE") * machine("SC_PHYS_PAGES"):
                raise InputError(f"{text}, more than this machine has; store fewer images in a file")
            if head.nbytes > LARGE:
                warnings.warn(text, stacklevel=4)
        arrays = {key: np.lib.format.read_array(archive.open(f"{key}.npy")) for key in heads}
        return arrays | {needed[0]: as_uint8(arrays[needed[0]], what)}


def _head(archive: zipfile.ZipFile, key: str) -> np.ndarray:
    """An array of the shape and type of a stored one, which takes no memory."""
    with archive.open(f"{key}.npy") as file:
        old = np.lib.format.read_magic(file) == (1, 0)  # the later ones only have longer headers
        read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
        shape, _, dtype = read(file, max_header_size=1_000)
        held = archive.getinfo(f"{key}.npy").file_size - file.tell()
    if dtype.hasobject or min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != held:
        raise ValueError(f"{key} cannot be read as {shape} of type {dtype} from {held} bytes")
    return np.broadcast_to(np.zeros((), dtype), shape)


def _names(arrays: Arrays, key: str, default: list[str], path: str | Path) -> np.ndarray:
    """(N,) str: the names of N images, from the file or by default."""
    names, count = arrays.get(key, np.array(default)), len(default)
    if names.shape != (count,) or names.dtype.kind not in "Uiu":
        raise InputError(f"{path}: {key} is {names.shape}; give one name for each of the {count}, as str")
    return names.astype(str)


def _boxes(arrays: Arrays, key: str, count: int, path: str | Path) -> list[np.ndarray]:
    """The boxes (M, 4) of each tile, empty where the file has none."""
    boxes = arrays.get(key, np.zeros((0, 4), np.float32))
    tile = arrays.get(f"{key}_tile", np.zeros(0, int))
    if boxes.shape[1:] != (4,) or boxes.dtype.kind not in "iuf" or not (np.abs(boxes) < 1e6).all():
        raise InputError(f"{path}: {key} is {boxes.shape} {boxes.dtype}; boxes are (M, 4) x0, y0, x1, y1")
    if tile.shape != boxes.shape[:1] or tile.dtype.kind not in "iu" or not np.isin(tile, range(count)).all():
        raise InputError(f"{path}: {key}_tile must hold the number of the tile, 0 to {count - 1}, of each")
    return [boxes[tile == i] for i in range(count)]
