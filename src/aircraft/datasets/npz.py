"""The .npz files that courses use: `train_images, train_labels, test_images, test_labels`, or `eval_tiles`.

Reading checks everything; writing replaces a file as a whole. Nothing is ever unpickled.

Optional keys, which our own files have: `train_sites`, `test_sites` (N,) str; and for the tiles, whose boxes
are ragged, one flat list with the tile of each box: `eval_boxes (M, 4)` with `eval_boxes_tile (M,)`, likewise
`eval_ignore` and `eval_ignore_tile`; `eval_names` and `eval_sites` (N,) str.
"""

import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from aircraft import InputError
from aircraft.datasets.storage import replacing
from aircraft.patches import NO_SITE, PATCH, Patches
from aircraft.scenes import Scene

_NOT_A_FILE = "is no .npz file or is cut off; export or copy it again"


def read_patches(path: str | Path, part: str = "test") -> Patches:
    """The patches `{part}_images` and `{part}_labels` of a file, and `{part}_sites` where it has them.

    Images (N, 64, 64, 3): uint8; other integers from 0 to 255; or floats, from 0 to 1 (scaled by 255) where
    none exceeds 1, else from 0 to 255. Labels (N,) or (N, 1) of any type, all 0 or 1.
    Raises FileNotFoundError or InputError.
    """
    images_key, labels_key, sites_key = (f"{part}_{what}" for what in ("images", "labels", "sites"))
    arrays = _load(path, (images_key, labels_key), (sites_key,))
    images = _as_images(arrays[images_key], f"{path}: {images_key}", (PATCH, PATCH))
    labels = _as_labels(arrays[labels_key], f"{path}: {labels_key}")
    if len(images) != len(labels):
        raise InputError(
            f"{path}: {len(images)} {images_key} but {len(labels)} {labels_key}; each image needs one label"
        )
    sites = arrays.get(sites_key, np.full(len(images), NO_SITE))
    if sites.shape != (len(images),):
        raise InputError(
            f"{path}: {sites_key} is {sites.shape}; give one name for each of {len(images)} images"
        )
    return Patches(images, labels, sites.astype(str))


def read_tiles(path: str | Path) -> list[Scene]:
    """The tiles `eval_tiles` (N, H, W, 3) of a file, with their boxes where it has them.

    Raises FileNotFoundError or InputError.
    """
    optional = (
        "eval_boxes",
        "eval_boxes_tile",
        "eval_ignore",
        "eval_ignore_tile",
        "eval_names",
        "eval_sites",
    )
    arrays = _load(path, ("eval_tiles",), optional)
    arrays["eval_tiles"] = _as_images(arrays["eval_tiles"], f"{path}: eval_tiles")
    return unpack_tiles(arrays, str(path))


def write(path: str | Path, data: Mapping[str, Patches] | Sequence[Scene]) -> None:
    """Write patches by part ({"train": ..., "test": ...}), or tiles of one size, to an .npz file.

    Not compressed: images hardly shrink, and it takes 30 times longer. The same data gives the same bytes.
    Raises InputError where the disk is full, or the tiles differ in size; `path` is then as it was.
    """
    if isinstance(data, Mapping):
        arrays = {
            f"{part}_{what}": getattr(patches, what)
            for part, patches in data.items()
            for what in ("images", "labels", "sites")
        }
    else:
        arrays = pack_tiles(data)
    with replacing(Path(path)) as file:
        np.savez(file, **arrays)


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


def unpack_tiles(arrays: Mapping[str, np.ndarray], where: str) -> list[Scene]:
    """The scenes of the arrays that `pack_tiles` makes; what is missing is left empty."""
    images = arrays["eval_tiles"]
    boxes = _ragged(arrays, "eval_boxes", len(images), where)
    ignore = _ragged(arrays, "eval_ignore", len(images), where)
    names = arrays.get("eval_names", np.array([f"{Path(where).stem}-{i:03d}" for i in range(len(images))]))
    sites = arrays.get("eval_sites", np.full(len(images), NO_SITE))
    for key, values in (("eval_names", names), ("eval_sites", sites)):
        if values.shape != (len(images),):
            raise InputError(
                f"{where}: {key} is {values.shape}; give one for each of the {len(images)} tiles"
            )
    return [
        Scene(image=image, boxes=b, name=str(name), site=str(site), ignore=i)
        for image, b, name, site, i in zip(images, boxes, names, sites, ignore, strict=True)
    ]


def _load(path: str | Path, needed: Sequence[str], optional: Sequence[str]) -> dict[str, np.ndarray]:
    if not Path(path).is_file():
        raise FileNotFoundError(f"{path}: no such file; give the path of an .npz file")
    try:
        file = np.load(path, allow_pickle=False)
        if not isinstance(file, np.lib.npyio.NpzFile):
            raise InputError(f"{path}: {_NOT_A_FILE}")
        with file:
            missing = [key for key in needed if key not in file.files]
            if missing:
                raise InputError(
                    f"{path}: no {', '.join(missing)} in it; it has {', '.join(file.files) or 'nothing'}"
                )
            return {key: _read_key(file, key, path) for key in (*needed, *optional) if key in file.files}
    except (zipfile.BadZipFile, OSError, EOFError) as error:
        raise InputError(f"{path}: {_NOT_A_FILE} ({error})") from error
    except ValueError as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path}: {_NOT_A_FILE}") from error  # numpy takes any other file for a pickle


def _read_key(file: np.lib.npyio.NpzFile, key: str, path: str | Path) -> np.ndarray:
    try:
        return file[key]
    except ValueError as error:
        raise InputError(
            f"{path}: {key} cannot be read ({error}); store plain numbers in arrays, no Python objects"
        ) from error


def _as_images(images: np.ndarray, what: str, size: tuple[int, int] | None = None) -> np.ndarray:
    """(N, H, W, 3) uint8, or an error that says what is expected."""
    expected = "(N, {}, {}, 3)".format(*(size or ("H", "W")))
    if images.ndim != 4 or images.shape[3] != 3 or (size and images.shape[1:3] != size):
        hint = "; move the channels to the end" if images.ndim == 4 and images.shape[1] == 3 else ""
        raise InputError(f"{what} is {images.shape}; RGB images are {expected}{hint}")
    if len(images) == 0:
        raise InputError(f"{what} is empty; store at least one image")
    if images.dtype == np.uint8:
        return images
    if images.dtype.kind not in "iuf":
        raise InputError(f"{what} is of type {images.dtype}; give uint8, or floats from 0 to 1")
    low, high = float(images.min()), float(images.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise InputError(f"{what} holds NaN or infinity; replace these values")
    if low < 0 or high > 255:
        raise InputError(
            f"{what} goes from {low:g} to {high:g}; give uint8, or floats from 0 to 1, not normalised"
        )
    scale = 255 if images.dtype.kind == "f" and high <= 1 else 1
    return np.rint(images * scale).astype(np.uint8)


def _as_labels(labels: np.ndarray, what: str) -> np.ndarray:
    """(N,) uint8 of 0 and 1."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1 or labels.dtype.kind not in "biuf":
        raise InputError(f"{what} is {labels.shape} of type {labels.dtype}; labels are (N,) numbers, 0 or 1")
    wrong = np.flatnonzero((labels != 0) & (labels != 1))
    if len(wrong):
        raise InputError(
            f"{what}[{wrong[0]}] is {labels[wrong[0]]}; labels are 0 (background) or 1 (aircraft)"
        )
    return labels.astype(np.uint8)


def _ragged(arrays: Mapping[str, np.ndarray], key: str, count: int, where: str) -> list[np.ndarray]:
    """The boxes of each tile."""
    boxes = np.asarray(arrays.get(key, np.zeros((0, 4), np.float32)))
    if (
        boxes.ndim != 2
        or boxes.shape[1] != 4
        or boxes.dtype.kind not in "iuf"
        or not np.isfinite(boxes).all()
    ):
        raise InputError(
            f"{where}: {key} is {boxes.shape} {boxes.dtype}; boxes are (M, 4) numbers x0, y0, x1, y1"
        )
    tile = np.asarray(arrays.get(f"{key}_tile", np.zeros(0, int)))
    fits = tile.shape == (len(boxes),) and (len(tile) == 0 or (tile.min() >= 0 and tile.max() < count))
    if not fits:
        raise InputError(
            f"{where}: {key}_tile must hold the number of the tile, 0 to {count - 1}, of each box"
        )
    return [boxes[tile == i] for i in range(count)]
