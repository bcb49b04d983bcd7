"""Image files as sources of windows: PNG and JPEG by Pillow, TIFF by rasterio.

What cannot become 8-bit RGB without a decision of the user is refused, with a line that says what to do.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from aircraft import InputError

MAX_PIXELS = 250_000_000  # a PNG or JPEG is decoded as a whole: 4 bytes a pixel, so 1 GB at most
_TIFF_CACHE = 64 * 2**20  # bytes that GDAL may keep; its own default is 5 % of the machine's memory
_TO_8_BIT = (
    "convert it to 8 bits first, between two percentiles of its values: "
    "gdal_translate -ot Byte -scale LOW HIGH 0 255 IN OUT"
)


class PillowImage:
    """A PNG or JPEG: decoded as a whole in its own mode, made RGB window by window."""

    gsd, transform, crs = 1.0, None, None

    def __init__(self, path: Path) -> None:
        self.name = path.name
        self._image = _decode(path)
        self.width, self.height = self._image.size
        if self._image.mode in ("1", "L", "LA"):
            _warn_grey(path)
        if self._image.mode in ("RGBA", "LA") and np.min(self._image.getchannel("A").getextrema()) < 255:
            _warn_alpha(path)

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """The window, as RGB."""
        with _any_size():
            return np.array(self._image.crop((x0, y0, x1, y1)).convert("RGB"))


class TiffImage:
    """A TIFF of any size: only the tiles or strips that a window touches are read."""

    gsd = 1.0

    def __init__(self, path: Path) -> None:
        self._rasterio = _import_rasterio(path)
        self.name, self._path = path.name, path
        try:
            self._file = self._open()
        except self._rasterio.errors.RasterioIOError as error:
            raise InputError(f"{path}: not a readable TIFF, it may be damaged ({error})") from None
        self.width, self.height, self.crs = self._file.width, self._file.height, self._file.crs
        self.transform = None if self.crs is None else self._file.transform
        self._bands, self._alpha = _rgb_bands(self._file, path)
        self._palette = _palette(self._file)

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """The window, as RGB."""
        try:
            bands = self._read(self._bands, x0, y0, x1, y1)
            if self._alpha and self._read([self._alpha], x0, y0, x1, y1).min() < 255:
                _warn_alpha(self._path)
                self._alpha = None  # said once
        except self._rasterio.errors.RasterioError as error:
            raise InputError(
                f"{self._path}: damaged, unreadable at x {x0}-{x1}, y {y0}-{y1} ({error.__cause__ or error})"
            ) from None
        if self._palette is not None:
            return self._palette[bands[0]]
        pixels = np.ascontiguousarray(bands.transpose(1, 2, 0))
        return pixels if len(bands) == 3 else pixels.repeat(3, axis=2)

    def _open(self) -> Any:
        with warnings.catch_warnings(), self._rasterio.Env(GDAL_CACHEMAX=_TIFF_CACHE):
            warnings.simplefilter("ignore", self._rasterio.errors.NotGeoreferencedWarning)
            return self._rasterio.open(self._path)

    def _read(self, bands: list[int], x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        with self._rasterio.Env(GDAL_CACHEMAX=_TIFF_CACHE):
            return self._file.read(bands, window=((y0, y1), (x0, x1)))


def is_tiff(path: Path) -> bool:
    """Does the file begin as a TIFF does? Its name does not matter."""
    with path.open("rb") as file:
        return file.read(4) in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def _decode(path: Path) -> Image.Image:
    """The decoded PNG or JPEG in a mode that becomes RGB without loss of meaning."""
    if path.stat().st_size == 0:
        raise InputError(f"{path} is empty (0 bytes); copy or download it again")
    try:
        with _any_size():
            image = Image.open(path, formats=("PNG", "JPEG"))
            width, height = image.size
            if width * height > MAX_PIXELS:  # known from the header, nothing is decoded yet
                raise InputError(
                    f"{path}: {width} x {height} pixels is too much for a PNG or JPEG (at most "
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
    return image


@contextmanager
def _any_size() -> Iterator[None]:
    """Without Pillow's own limit of pixels, which is lower than ours and also counts crops."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _import_rasterio(path: Path) -> Any:
    try:
        import rasterio
        import rasterio.errors
    except ImportError:
        raise InputError(f"{path}: reading a TIFF needs rasterio; pip install rasterio") from None
    return rasterio


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
            _warn_grey(path)
        return [1], alpha
    if colors == 2 or "cyan" in names:
        raise InputError(f"{path}: bands {', '.join(names)} are not RGB; write red, green and blue only")
    if colors > 3:
        warnings.warn(f"{path}: {colors} bands without names; the first three are taken as RGB", stacklevel=4)
    return [1, 2, 3], alpha


def _palette(file: Any) -> np.ndarray | None:
    """(256, 3) uint8 colours of a TIFF with a palette."""
    if file.colorinterp[0].name != "palette":
        return None
    colors = file.colormap(1)
    return np.array([colors.get(i, (0, 0, 0))[:3] for i in range(256)], np.uint8)


def _warn_grey(path: Path) -> None:
    warnings.warn(f"{path}: a grey image, repeated in three channels; colour is better", stacklevel=4)


def _warn_alpha(path: Path) -> None:
    warnings.warn(f"{path}: partly transparent; its alpha channel is dropped", stacklevel=4)
