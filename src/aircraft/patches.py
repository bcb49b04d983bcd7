"""Patches and tiles: the labelling rule, where to cut, and the cutting itself.

A patch is a 64x64 crop; it shows an aircraft if and only if the centre of one lies in its central 32x32.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

import cv2
import numpy as np

from aircraft import InputError
from aircraft.scenes import Scene

PATCH = 64  # side of a patch, metres
CORE = 32  # side of its central square, which decides the label
RIM = (PATCH - CORE) // 2
TILE = 512  # side of a tile
NO_SITE = ""  # the site of patches from a file that does not say
PIXELS = "give uint8, or floats from 0 to 1, not normalised, without NaN"
DARK = 16  # floats that end below are hardly from 0 to 255

NEAR = 0.5  # share of the background patches taken near aircraft or man-made clutter ...
NEAR_AIRCRAFT = 0.5  # ... of which this share around aircraft, the rest on clutter
AROUND = 80  # "around an aircraft": the window's centre is at most this far from it, in x and in y
CLUTTERED = 70  # clutter: windows with more edges than this percentage of the scene's windows
GRID = 8  # pixels between the windows whose edges are measured
TRIES = 20  # draws of windows of one sort, where most are refused
NO_DATA = 0.02  # at most this share of the background patches is mostly black

Corner = tuple[int, int]
Draw = Callable[[int], np.ndarray]  # how many -> that many window corners (K, 2)


@dataclass(frozen=True, eq=False)
class Patches:
    """Labelled patches. Index with an array, a slice or a mask to get fewer of them.

    Parameters
    ----------
    images, labels, sites : (N, 64, 64, 3) uint8 RGB, (N,) uint8 with 1 = aircraft, (N,) str, "" if not known

    Examples
    --------
    >>> images = np.zeros((3, 64, 64, 3), np.uint8)
    >>> few = Patches(images, np.array([0, 1, 0], np.uint8), np.array(["A", "A", "B"]))
    >>> len(few[few.labels == 0]), few[1:].sites.tolist()
    (2, ['A', 'B'])
    """

    images: np.ndarray
    labels: np.ndarray
    sites: np.ndarray

    def __post_init__(self) -> None:
        check_images(self.images)
        if not len(self.images) == len(self.labels) == len(self.sites):
            found = f"{len(self.images)}, {len(self.labels)} and {len(self.sites)}"
            raise InputError(f"images, labels and sites need one length, these have {found}")

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: np.ndarray | slice) -> "Patches":
        return Patches(self.images[index], self.labels[index], self.sites[index])


def check_images(images: Any, what: str = "images") -> None:
    """Raise InputError, with the way to mend it, unless `images` is a numpy array (N, 64, 64, 3) uint8."""
    wanted = f"(N, {PATCH}, {PATCH}, 3)"
    if not isinstance(images, np.ndarray):
        raise InputError(f"{what} is a {type(images).__name__}; pass a numpy array {wanted} uint8")
    if images.shape[1:] != (PATCH, PATCH, 3):
        raise InputError(f"{what} has the shape {images.shape}, not {wanted}; {_shape_hint(images.shape)}")
    if images.dtype != np.uint8:
        raise InputError(f"{what} is {images.dtype}, expected uint8 in 0..255; {_dtype_hint(images)}")


def as_uint8(images: np.ndarray, what: str) -> np.ndarray:
    """Images of any type as uint8, one by one: there is no room for a second set of floats."""
    low, high = float(images.min()), float(images.max())
    if not (low >= 0 and high <= 255):  # in this form it is true of NaN as well
        raise InputError(f"{what} goes from {low:g} to {high:g}; {PIXELS}")
    floats = images.dtype.kind == "f"
    scale = 255 if floats and high <= 1 else 1
    if (floats and 1 < high < DARK) or round(high * scale) == 1:
        doubt = f"ends at {high:g}, which is neither floats from 0 to 1 nor pixels from 0 to 255"
        raise InputError(f"{what} {doubt}; clip it to [0, 1], or multiply it by 255")
    if images.dtype == np.uint8:
        return images
    converted = np.empty(images.shape, np.uint8)
    for image, pixels in zip(images, converted, strict=True):
        pixels[:] = np.rint(image * scale)
    return converted


def check_patches(patches: Patches, what: str) -> None:
    """Raise InputError unless there are usable images, a label 0 or 1 for each, and both classes."""
    if not hasattr(patches, "images"):
        kind = type(patches).__name__
        raise InputError(f"{what} is a {kind}; pass patches with labels, such as .train of a PatchSet")
    check_images(patches.images, f"{what}.images")
    labels, count = np.asarray(patches.labels), len(patches.images)
    if labels.shape != (count,):
        raise InputError(f"{what} has {count} images but labels of shape {labels.shape}; give one each")
    values = np.unique(labels)
    if not np.isin(values, (0, 1)).all():
        raise InputError(f"{what}.labels holds {values[:5].tolist()}; use 0 (background), 1 (aircraft)")
    if len(values) < 2:
        raise InputError(f"{what} holds one class only ({values.tolist()}); training needs 0 and 1")


def label(centers: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The labels of windows: 1 if and only if a centre lies in [x + 16, x + 48) x [y + 16, y + 48).

    Parameters
    ----------
    centers, x, y : (N, 2) float, the aircraft's centres; (K,) int, (K,) int, the windows' corners

    Returns
    -------
    (K,) uint8

    Examples
    --------
    >>> corners = np.array([0, 24, 25])
    >>> label(np.array([[40.0, 40.0]]), corners, corners)
    array([1, 1, 0], dtype=uint8)
    """
    left, top = np.atleast_1d(x)[:, None] + RIM, np.atleast_1d(y)[:, None] + RIM  # (K, 1): the core's corner
    cx, cy = np.asarray(centers).T  # (N,) each
    inside = (left <= cx) & (cx < left + CORE) & (top <= cy) & (cy < top + CORE)  # (K, N)
    return inside.any(axis=1).astype(np.uint8)


def cut(image: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The windows of an image with their corners at (x, y), as a copy.

    Parameters
    ----------
    image, x, y : (H, W, 3) uint8, (K,) int, (K,) int

    Returns
    -------
    (K, 64, 64, 3) uint8
    """
    windows = np.empty((len(x), PATCH, PATCH, 3), np.uint8)
    for window, left, top in zip(windows, x, y, strict=True):
        window[:] = image[top : top + PATCH, left : left + PATCH]
    return windows


def usable(scene: Scene) -> int:
    """How many aircraft of the scene can be the subject of a patch: their centre is 16 m from the border.

    Parameters
    ----------
    scene : Scene

    Returns
    -------
    int
    """
    low, high = _corner_range(scene)
    return int((low <= high).all(axis=1).sum())


def sample_positive(scene: Scene, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """At most n different windows that show an aircraft.

    The aircraft take turns in random order, so each is used equally often. Its centre falls uniformly in the
    central 32x32, as far as the border allows.

    Parameters
    ----------
    scene, n, rng : Scene, int, Generator

    Returns
    -------
    corners, repeats : (K, 2) int, x, y; (K,) int, 0 for the first view of an aircraft, 1 for its second, ...
    """
    low, high = _corner_range(scene)
    inside = np.flatnonzero((low <= high).all(axis=1))
    if len(inside) == 0 or n < 1:
        return np.zeros((0, 2), int), np.zeros(0, int)
    order = rng.permutation(inside)
    spare = 2 * -(-n // len(order)) + 8  # more than its share, for aircraft that run out of windows
    windows = [_draw_corners(low[i], high[i], spare, rng) for i in order]
    used = [0] * len(windows)
    repeats: dict[Corner, int] = {}  # of each corner chosen; a dict keeps the order
    for turn in zip_longest(*windows):  # a window of each aircraft, then another of each, ...
        for aircraft, corner in enumerate(turn):
            # None: this one has no window left. And two close aircraft can share a window.
            if corner is not None and corner not in repeats and len(repeats) < n:
                repeats[corner] = used[aircraft]
                used[aircraft] += 1
    return np.array(list(repeats)), np.array(list(repeats.values()))


def sample_negative(scene: Scene, n: int, rng: np.random.Generator) -> np.ndarray:
    """At most n different windows of background, the near ones first.

    Half comes from places that look like trouble: half of these around aircraft, with the centre of none in
    the core; half of these on clutter, windows with more edges than 70 % of the scene's. The rest is uniform.
    Where a scene has too few of a sort (no aircraft), the next sort fills up. No window touches a truncated
    aircraft, and at most 2 % of them (rounded up) are mostly black.

    Parameters
    ----------
    scene, n, rng : Scene, int, Generator

    Returns
    -------
    corners : (K, 2) int, x, y; K < n where the scene has no room for more
    """
    if scene.width < PATCH or scene.height < PATCH or n < 1:
        return np.zeros((0, 2), int)
    about = round(n * NEAR * NEAR_AIRCRAFT) if len(scene.boxes) else 0
    taken: dict[Corner, bool] = {}  # corner -> is it black; a dict keeps the order
    _take(taken, scene, lambda k: _around(scene, k, rng), about)
    _take(taken, scene, _on_clutter(scene, rng), round(n * NEAR))
    top = np.array([scene.width - PATCH, scene.height - PATCH]) + 1
    _take(taken, scene, lambda k: rng.integers(0, top, (k, 2)), n)
    return np.array(list(taken)).reshape(-1, 2)


def is_background(scene: Scene, corners: np.ndarray) -> np.ndarray:
    """(K,) bool for corners (K, 2): the window is inside, labelled 0, and touches no aircraft to ignore."""
    x, y = corners.T
    inside = (x >= 0) & (y >= 0) & (x <= scene.width - PATCH) & (y <= scene.height - PATCH)
    x0, y0, x1, y1 = scene.ignore.T
    touches = (x[:, None] < x1) & (x[:, None] + PATCH > x0) & (y[:, None] < y1) & (y[:, None] + PATCH > y0)
    return inside & (label(scene.centers, x, y) == 0) & ~touches.any(axis=1)


def cut_tiles(scene: Scene, size: int = TILE) -> list[Scene]:
    """As many tiles as fit into the scene side by side, evenly spread, none overlapping, row by row."""
    xs = np.linspace(0, scene.width - size, scene.width // size).astype(int)
    ys = np.linspace(0, scene.height - size, scene.height // size).astype(int)
    return [scene.crop(int(x), int(y), size) for y in ys for x in xs]


def _corner_range(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """Lowest and highest corner (N, 2) of the windows inside the scene that show each aircraft."""
    low = np.floor(scene.centers - RIM - CORE) + 1  # x > centre - 48
    high = np.floor(scene.centers - RIM)  # x <= centre - 16
    top = np.array([scene.width - PATCH, scene.height - PATCH])
    return np.maximum(low, 0).astype(int), np.minimum(high, top).astype(int)


def _draw_corners(low: np.ndarray, high: np.ndarray, k: int, rng: np.random.Generator) -> list[Corner]:
    """At most k different corners in the ranges."""
    wide, tall = high - low + 1
    picks = rng.choice(wide * tall, min(k, wide * tall), replace=False)
    return list(zip((low[0] + picks % wide).tolist(), (low[1] + picks // wide).tolist(), strict=True))


def _take(taken: dict[Corner, bool], scene: Scene, draw: Draw, goal: int) -> None:
    """Add windows from `draw` that are background until there are `goal` of them, or none is found."""
    for _ in range(TRIES):
        missing = goal - len(taken)
        if missing <= 0:
            return
        corners = draw(2 * missing + 32)
        corners = corners[is_background(scene, corners)]
        black_left = int(np.ceil(NO_DATA * goal)) - sum(taken.values())
        for corner, black in zip(map(tuple, corners.tolist()), _is_black(scene, corners), strict=True):
            if len(taken) < goal and corner not in taken and not (black and black_left <= 0):
                taken[corner] = bool(black)
                black_left -= bool(black)


def _is_black(scene: Scene, corners: np.ndarray) -> np.ndarray:
    """(K,) bool: more than half of the window has no data; every fourth pixel is looked at."""
    sparse = scene.image[::4, ::4].any(axis=2)
    windows = np.lib.stride_tricks.sliding_window_view(sparse, (PATCH // 4, PATCH // 4))
    return windows[corners[:, 1] // 4, corners[:, 0] // 4].mean(axis=(1, 2)) < 0.5


def _around(scene: Scene, k: int, rng: np.random.Generator) -> np.ndarray:
    which = rng.integers(0, len(scene.boxes), k)
    offsets = rng.integers(-AROUND, AROUND + 1, (k, 2))
    return np.floor(scene.centers[which]).astype(int) - PATCH // 2 + offsets


def _on_clutter(scene: Scene, rng: np.random.Generator) -> Draw:
    """A function that draws corners of windows with many edges."""
    grey = cv2.cvtColor(scene.image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    edges = np.abs(cv2.Sobel(grey, cv2.CV_32F, 1, 0)) + np.abs(cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    energy = cv2.boxFilter(edges, -1, (PATCH, PATCH), anchor=(0, 0))  # of the window with its corner here
    energy = energy[: scene.height - PATCH + 1 : GRID, : scene.width - PATCH + 1 : GRID]
    cluttered = energy > np.percentile(energy, CLUTTERED)
    cells = np.argwhere(cluttered if cluttered.any() else energy >= 0)[:, ::-1] * GRID
    return lambda k: cells[rng.integers(0, len(cells), k)] + rng.integers(-GRID // 2, GRID // 2, (k, 2))


def _shape_hint(shape: tuple[int, ...]) -> str:
    if len(shape) == 3 and shape[-1] == 3:
        return "for a single patch pass images[None]"
    if len(shape) == 3 or (len(shape) == 4 and shape[-1] == 1):
        return "grey patches need three channels: np.repeat(images.reshape(*images.shape[:3], 1), 3, axis=3)"
    if len(shape) == 4 and shape[-1] == 4:
        return "RGBA: drop the alpha channel with images[..., :3]"
    if len(shape) == 4 and shape[1] == 3:
        return "move the channels to the end: images.transpose(0, 2, 3, 1)"
    return f"cut or resize the images to patches of {PATCH} x {PATCH} RGB pixels"


def _dtype_hint(images: np.ndarray) -> str:
    if images.dtype.kind == "f":
        if not np.isfinite(images).all():
            return "it holds NaN or infinity: mend these first"
        return "from [0, 1] convert with (images * 255).round().astype(np.uint8)"
    if images.dtype == np.uint16:
        return "from 16 bit convert with (images // 257).astype(np.uint8)"
    return "convert with images.astype(np.uint8) if the values are in 0..255"
