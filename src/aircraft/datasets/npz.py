"""The .npz files that courses use: `train_images, train_labels, test_images, test_labels`, or `eval_tiles`.

Reading checks everything, and nothing is ever unpickled. Optional keys, which our files have: `train_sites`,
`test_sites`, `eval_sites`, `eval_names` (N,) str; the boxes of all tiles in one list, and the tile of each:
`eval_boxes (M, 4)` and `eval_boxes_tile (M,)`, likewise `eval_ignore` and `eval_ignore_tile`.
"""

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aircraft import InputError, replacing
from aircraft.datasets.splitting import COLUMNS, SPLITS
from aircraft.patches import NO_SITE, Patches, check_images
from aircraft.scenes import Scene

TILE_KEYS = ("eval_boxes", "eval_boxes_tile", "eval_ignore", "eval_ignore_tile", "eval_names", "eval_sites")


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
        for name, patches in (("train", self.train), ("test", self.test)):
            text = f"  {name}: {len(patches):,} patches, {patches.labels.mean():.0%} with an aircraft"
            if name in self.notes:
                text += ", {aircraft:,} aircraft ({recut:.0%} shifted views), {scenes} scenes, {sites} sites"
            lines.append(text.format(**self.notes.get(name, {})))
        return "\n".join(lines)


def load_npz(path: str | Path, name: str = "npz") -> PatchSet:
    """The patches of an .npz file with train and test; name: what to call the data set."""
    train, test = (read_patches(path, split) for split in SPLITS)
    shared = sorted(set(train.sites) & set(test.sites) - {NO_SITE})
    if shared:
        raise InputError(f"{path}: the site {shared[0]} is in train and test; split by site or omit sites")
    return PatchSet(name, str(path), train, test)


def export_npz(data: PatchSet | Sequence[Scene], path: str | Path) -> None:
    """Write a data set, or tiles of one size, to an .npz file, a whole one or none."""
    if isinstance(data, PatchSet):
        arrays: dict[str, Any] = {}
        for name, patches in (("train", data.train), ("test", data.test)):
            arrays |= {f"{name}_{what}": getattr(patches, what) for what in COLUMNS}
    else:
        arrays = pack_tiles(data)
    with replacing(path) as file:
        # Not compressed: images hardly shrink, and it takes 30 times longer.
        np.savez(file, **arrays)


def read_patches(path: str | Path, split: str = "test") -> Patches:
    """The patches `{split}_images` and `{split}_labels` of a file, and `{split}_sites` where it has them.

    Images (N, 64, 64, 3): uint8; other integers from 0 to 255; or floats, from 0 to 1 (scaled by 255) where
    none exceeds 1, else from 0 to 255. Labels (N,) or (N, 1) of any type, all 0 or 1.
    """
    images_key, labels_key, sites_key = (f"{split}_{what}" for what in COLUMNS)
    arrays = _load(path, (images_key, labels_key), (sites_key,))
    images = _as_uint8(arrays[images_key], f"{path}: {images_key}")
    check_images(images, f"{path}: {images_key}")
    count, labels = len(images), arrays[labels_key]
    if labels.shape not in ((count,), (count, 1)) or labels.dtype.kind not in "biuf":
        found = f"{labels_key} is {labels.shape} of type {labels.dtype} for {count} {images_key}"
        raise InputError(f"{path}: {found}; each image needs one label, the number 0 or 1")
    labels = labels.reshape(count)
    wrong = np.flatnonzero((labels != 0) & (labels != 1))
    if len(wrong):
        found = f"{labels_key}[{wrong[0]}] is {labels[wrong[0]]}"
        raise InputError(f"{path}: {found}; labels are 0 (background) or 1 (aircraft)")
    return Patches(images, labels.astype(np.uint8), _names(arrays, sites_key, [NO_SITE] * count, path))


def read_tiles(path: str | Path) -> list[Scene]:
    """The tiles `eval_tiles` (N, H, W, 3) of a file, with their boxes where it has them."""
    return unpack_tiles(_load(path, ("eval_tiles",), TILE_KEYS), path)


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


def unpack_tiles(arrays: Mapping[str, np.ndarray], path: str | Path) -> list[Scene]:
    """The scenes of the arrays that `pack_tiles` makes; what is missing is left empty."""
    images = _as_uint8(arrays["eval_tiles"], f"{path}: eval_tiles")
    if images.ndim != 4 or images.shape[3] != 3:
        hint = "; move the channels to the end" if images.ndim == 4 and images.shape[1] == 3 else ""
        raise InputError(f"{path}: eval_tiles is {images.shape}; RGB images are (N, H, W, 3){hint}")
    count = len(images)
    boxes, ignore = (_boxes(arrays, key, count, path) for key in ("eval_boxes", "eval_ignore"))
    names = _names(arrays, "eval_names", [f"{Path(path).stem}-{i:03d}" for i in range(count)], path)
    sites = _names(arrays, "eval_sites", [NO_SITE] * count, path)
    return [Scene(images[i], boxes[i], str(names[i]), str(sites[i]), ignore[i]) for i in range(count)]


def _load(path: str | Path, needed: Sequence[str], optional: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of these keys, as they are stored."""
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file; give the path of an .npz file")
    arrays = {}
    key = needed[0]
    try:
        with np.load(path, allow_pickle=False) as file:
            keys = file.files
            for key in [key for key in (*needed, *optional) if key in keys]:
                arrays[key] = file[key]
    except TypeError as error:  # one array, which can be no context
        reason = "is no .npz file or is cut off: it holds one array, as an .npy file does"
        raise InputError(f"{path}: {reason}; write it with np.savez") from error
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError) as error:
        # A ValueError: numpy takes any other file for a pickle.
        reason = f"is no .npz file or is cut off, or its {key} cannot be read ({error})"
        raise InputError(f"{path}: {reason}; export or copy it again, with no Python objects") from error
    missing = [key for key in needed if key not in keys]
    if missing:
        raise InputError(f"{path}: no {', '.join(missing)} in it; it has {', '.join(keys) or 'nothing'}")
    return arrays


def _as_uint8(images: np.ndarray, what: str) -> np.ndarray:
    """Images of any type as uint8."""
    if images.size == 0:
        raise InputError(f"{what} is empty; store at least one image")
    if images.dtype == np.uint8:
        return images
    remedy = "give uint8, or floats from 0 to 1, not normalised, without NaN"
    if images.dtype.kind not in "iuf":
        raise InputError(f"{what} is of type {images.dtype}; {remedy}")
    low, high = float(images.min()), float(images.max())
    if not (low >= 0 and high <= 255):  # in this form it is true of NaN as well
        raise InputError(f"{what} goes from {low:g} to {high:g}; {remedy}")
    scale = 255 if images.dtype.kind == "f" and high <= 1 else 1
    return np.rint(images * scale).astype(np.uint8)


def _names(arrays: Mapping[str, np.ndarray], key: str, default: list[str], path: str | Path) -> np.ndarray:
    """(N,) str: the names of N images, from the file or by default."""
    names, count = arrays.get(key, np.array(default)), len(default)
    if names.shape != (count,):
        raise InputError(f"{path}: {key} is {names.shape}; give one name for each of the {count} images")
    return names.astype(str)


def _boxes(arrays: Mapping[str, np.ndarray], key: str, count: int, path: str | Path) -> list[np.ndarray]:
    """The boxes (M, 4) of each tile, empty where the file has none."""
    boxes = arrays.get(key, np.zeros((0, 4), np.float32))
    tile = arrays.get(f"{key}_tile", np.zeros(0, int))
    if (
        boxes.ndim != 2
        or boxes.shape[1] != 4
        or boxes.dtype.kind not in "iuf"
        or not np.isfinite(boxes).all()
    ):
        raise InputError(f"{path}: {key} is {boxes.shape} {boxes.dtype}; boxes are (M, 4) x0, y0, x1, y1")
    if tile.shape != (len(boxes),) or not np.isin(tile, np.arange(count)).all():
        raise InputError(f"{path}: {key}_tile must hold the number of the tile, 0 to {count - 1}, of each")
    return [boxes[tile == i] for i in range(count)]
