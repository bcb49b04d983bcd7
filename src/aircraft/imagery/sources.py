"""What an image is to the rest of the package: a source of windows; in memory, a TIFF, or resampled to 1 m.

What cannot become 8-bit RGB without a decision of the user is refused, with a line that says what to do.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image, UnidentifiedImageError
from scipy import sparse

from aircraft import InputError, scenes

MAX_PIXELS = 250_000_000  # of a PNG or JPEG, which is decoded as a whole: 4 bytes a pixel, so 1 GB
_TIFF_CACHE = 64 * 2**20  # bytes that GDAL may keep; its own default is 5 % of the machine's memory
_TO_8_BIT = (
    "convert it to 8 bits first, between two percentiles of its values: "
    "gdal_translate -ot Byte -scale LOW HIGH 0 255 IN OUT"
)
_GREY = "a grey image, repeated in three channels; colour is better"
_ALPHA = "partly transparent; its alpha channel is dropped"


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


def as_source(image: "np.ndarray | Source") -> Source:
    """An array as a source; a source as it is."""
    if isinstance(image, str | Path):
        raise InputError(f"{image} is a path; open it first: imagery.open_image(path)")
    return ArrayImage(image) if isinstance(image, np.ndarray) else image


class ArrayImage:
    """An image in memory, (H, W, 3) uint8."""

    gsd, transform, crs = 1.0, None, None

    def __init__(self, image: np.ndarray, name: str = "image") -> None:
        scenes.check_image(image, name)
        self.image, self.name = image, name
        self.height, self.width = image.shape[:2]

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """A view of the window."""
        return self.image[y0:y1, x0:x1]


class PillowImage:
    """A PNG or JPEG: decoded as a whole in its own mode, made RGB window by window to save memory."""

    gsd, transform, crs = 1.0, None, None

    def __init__(self, path: Path) -> None:
        self.name, self._image = path.name, _decoded(path)
        self.width, self.height = self._image.size

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """The window, as RGB."""
        with _any_size():
            return np.array(self._image.crop((x0, y0, x1, y1)).convert("RGB"))


class TiffImage:
    """A TIFF of any size: only the tiles or strips that a window touches are read."""

    gsd = 1.0

    def __init__(self, path: Path) -> None:
        try:
            import rasterio
            import rasterio.errors
        except ImportError:
            raise InputError(f"{path}: reading a TIFF needs rasterio; pip install rasterio") from None
        self._rasterio = rasterio
        self.name, self._path = path.name, path
        try:
            with warnings.catch_warnings(), rasterio.Env(GDAL_CACHEMAX=_TIFF_CACHE):
                warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
                self._file = rasterio.open(path)
        except rasterio.errors.RasterioIOError as error:
            raise InputError(f"{path}: not a readable TIFF, it may be damaged ({error})") from None
        self.width, self.height, self.crs = self._file.width, self._file.height, self._file.crs
        self.transform = None if self.crs is None else self._file.transform
        self._bands, self._alpha = _rgb_bands(self._file, path)
        self._palette: np.ndarray | None = None  # (256, 3) colours
        if self._file.colorinterp[0].name == "palette":
            colors = self._file.colormap(1)
            self._palette = np.array([colors.get(i, (0, 0, 0))[:3] for i in range(256)], np.uint8)

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """The window, as RGB."""
        window = ((y0, y1), (x0, x1))
        try:
            with self._rasterio.Env(GDAL_CACHEMAX=_TIFF_CACHE):
                bands = self._file.read(self._bands, window=window)
                if self._alpha and self._file.read(self._alpha, window=window).min() < 255:
                    warnings.warn(f"{self._path}: {_ALPHA}", stacklevel=3)
                    self._alpha = None  # said once
        except self._rasterio.errors.RasterioError as error:
            where = f"x {x0}-{x1}, y {y0}-{y1} ({error.__cause__ or error})"
            raise InputError(f"{self._path}: damaged, unreadable at {where}") from None
        if self._palette is not None:
            return self._palette[bands[0]]
        pixels = np.ascontiguousarray(bands.transpose(1, 2, 0))
        return pixels if len(bands) == 3 else pixels.repeat(3, axis=2)


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


@contextmanager
def _any_size() -> Iterator[None]:
    """Without Pillow's own limit of pixels, which is lower than ours and also counts crops."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


@_any_size()
def _decoded(path: Path) -> Image.Image:
    """The decoded PNG or JPEG, in a mode that becomes RGB without loss of meaning."""
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes); copy or download it again")
    try:
        image = Image.open(path, formats=("PNG", "JPEG"))
        if image.width * image.height > MAX_PIXELS:  # known from the header, nothing is decoded yet
            raise InputError(
                f"{path}: {image.width} x {image.height} pixels is too much for a PNG or JPEG (at most "
                f"{MAX_PIXELS // 10**6} megapixels); make a tiled GeoTIFF of it: "
                "gdal_translate -co TILED=YES -co COMPRESS=DEFLATE IN OUT.tif"
            )
        # Pillow silently drops the low byte of 16-bit colour; only the raw mode tells.
        if image.mode[0] in "IF" or "16" in str(image.tile):
            raise InputError(f"{path}: more than 8 bits a channel; {_TO_8_BIT}")
        if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
            raise InputError(f"{path}: a {image.mode} image; convert it to 8-bit RGB")
        image.load()
    except UnidentifiedImageError:
        raise InputError(f"{path} is not a PNG, JPEG or TIFF image; convert it to one of these") from None
    except (OSError, SyntaxError) as error:
        raise InputError(f"{path} is damaged ({error}); copy or download it again") from None
    if image.mode in ("1", "L", "LA"):
        warnings.warn(f"{path}: {_GREY}", stacklevel=3)
    if image.mode in ("RGBA", "LA") and np.min(image.getchannel("A").getextrema()) < 255:
        warnings.warn(f"{path}: {_ALPHA}", stacklevel=3)
    return image


def _rgb_bands(file: Any, path: Path) -> tuple[list[int], int | None]:
    """The bands (from 1) of red, green and blue, or one band of grey or palette; and that of alpha."""
    if set(file.dtypes) != {"uint8"}:
        raise InputError(f"{path}: {', '.join(sorted(set(file.dtypes)))} pixels, not 8 bits; {_TO_8_BIT}")
    names = [color.name for color in file.colorinterp]
    alpha = names.index("alpha") + 1 if "alpha" in names else None
    if all(color in names for color in ("red", "green", "blue")):
        return [names.index(color) + 1 for color in ("red", "green", "blue")], alpha
    colors = file.count - (alpha is not None)
    if colors == 1:
        if names[0] != "palette":
            warnings.warn(f"{path}: {_GREY}", stacklevel=3)
        return [1], alpha
    if colors == 2 or "cyan" in names:
        raise InputError(f"{path}: bands {', '.join(names)} are not RGB; write red, green and blue only")
    if colors > 3:
        warnings.warn(f"{path}: {colors} bands without names; the first three are taken as RGB", stacklevel=3)
    return [1, 2, 3], alpha
