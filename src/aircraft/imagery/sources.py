"""What an image is to the rest of the package: a source of windows; in memory, or resampled to 1 m.

Files are in `files`.
"""

from typing import Any, Protocol

import numpy as np
from scipy import sparse

from aircraft import InputError


class Source(Protocol):
    """An image that is read one window at a time.

    width, height: pixels; name: for messages and outputs; gsd: metres per pixel of the file where it was
    resampled (1 otherwise); transform, crs: the georeference of these pixels (rasterio's), or None.
    """

    width: int
    height: int
    name: str
    gsd: float
    transform: Any
    crs: Any

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """(y1 - y0, x1 - x0, 3) uint8: the window [x0, x1) x [y0, y1), which lies in the image."""
        ...


def as_source(image: "np.ndarray | Source") -> Source:
    """An array as a source; a source as it is."""
    return ArrayImage(image) if isinstance(image, np.ndarray) else image


class ArrayImage:
    """An image in memory, (H, W, 3) uint8."""

    gsd, transform, crs = 1.0, None, None

    def __init__(self, image: np.ndarray, name: str = "image") -> None:
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
            raise InputError(
                f"{name}: an image is (H, W, 3) uint8, this one is {image.shape} {image.dtype}; "
                "convert it to 8-bit RGB"
            )
        self.image, self.name = image, name
        self.height, self.width = image.shape[:2]

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """A view of the window."""
        return self.image[y0:y1, x0:x1]


class Resampled:
    """A source of `gsd` metres per pixel, seen at 1 m per pixel.

    Every new pixel is the mean of the old image over the square metre that it covers (and linear
    interpolation where the old pixels are larger). It depends on its position alone, not on the window.
    """

    def __init__(self, source: Source, gsd: float) -> None:
        if not 0 < gsd < float("inf"):
            raise InputError(f"{source.name}: gsd {gsd} is not a pixel size; give metres per pixel, as 0.5")
        self.source, self.name, self.gsd, self.crs = source, source.name, float(gsd), source.crs
        self.width, self.height = (max(1, int(n * gsd + 1e-6)) for n in (source.width, source.height))
        self.transform = source.transform
        if source.transform is not None:
            a, b, x, d, e, y = source.transform[:6]  # map x = a * column + b * row + x, map y alike
            self.transform = type(source.transform)(a / gsd, b / gsd, x, d / gsd, e / gsd, y)

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """The window in pixels of 1 m; reads only the pixels of the file that it covers."""
        left, across = _means(x0, x1, self.gsd, self.source.width)
        top, down = _means(y0, y1, self.gsd, self.source.height)
        h, w = down.shape[1], across.shape[1]
        pixels = self.source.read(left, top, left + w, top + h).astype(np.float32)
        rows = (down @ pixels.reshape(h, w * 3)).reshape(-1, w, 3)  # (y1 - y0, w, 3)
        columns = across @ rows.transpose(1, 0, 2).reshape(w, -1)  # (x1 - x0, (y1 - y0) * 3)
        out = columns.reshape(x1 - x0, y1 - y0, 3).transpose(1, 0, 2)
        return np.ascontiguousarray(np.rint(out).astype(np.uint8))


def _means(first: int, last: int, gsd: float, size: int) -> tuple[int, sparse.csr_array]:
    """Weights (last - first, n) that make new pixels from n old ones, and the index of the first old one.

    A new pixel's weight on an old one is their overlap, where the new one is never taken narrower than an
    old one: that box, moved over the old pixels, is linear interpolation.
    """
    width = max(1.0, 1 / gsd)  # of a new pixel, in old pixels
    low = (np.arange(first, last) + 0.5) / gsd - width / 2
    old = np.floor(low).astype(int)[:, None] + np.arange(int(np.ceil(width)) + 1)
    overlap = np.minimum(old + 1, (low + width)[:, None]) - np.maximum(old, low[:, None])
    overlap = np.where((old >= 0) & (old < size), np.maximum(overlap, 0), 0)  # the image ends: fewer pixels
    overlap /= overlap.sum(axis=1, keepdims=True)
    new, tap = np.nonzero(overlap)
    index = old[new, tap]
    start = int(index.min())
    shape = (last - first, int(index.max()) + 1 - start)
    weights = overlap[new, tap].astype(np.float32)
    return start, sparse.csr_array((weights, (new, index - start)), shape=shape)
