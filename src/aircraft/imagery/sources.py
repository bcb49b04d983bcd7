"""What an image is to the rest of the package: a source of windows; in memory, a TIFF, or resampled to 1 m.

What cannot become 8-bit RGB without a decision of the user is refused, with a line that says what to do.
"""

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from PIL import Image, JpegImagePlugin, PngImagePlugin
from scipy import sparse

from aircraft import InputError, scenes

MAX_PIXELS = 250_000_000  # that are decoded as a whole: a PNG, a JPEG, a strip or tile of a TIFF; 1 GB
MUCH = 300_000_000  # bytes of memory for one image that are worth a word
FINEST, COARSEST, COARSE = 0.01, 3.0, 1.5  # metres a pixel: possible; and from where on aircraft are missed
PERCENTILES = 1, 99.5  # of an image of more than 8 bits: what becomes black and white
PIECE = 2**21  # pixels, old or new, that are resampled at a time: about 100 MB
ROWS = 2112  # of the highest windows that are read side by side
_CACHE = 64 * 2**20  # bytes that GDAL may keep; its own default is 5 % of the machine's memory
_NEGATIVE = np.repeat(np.arange(256, dtype=np.uint8)[::-1, None], 3, axis=1)  # greys of which 0 is white
_PLUGINS = {b"\x89PN": PngImagePlugin.PngImageFile, b"\xff\xd8\xff": JpegImagePlugin.JpegImageFile}
_TO_8_BIT = "convert it to 8 bits, from two percentiles: gdal_translate -ot Byte -scale LOW HIGH 0 255 IN OUT"
_GREY = "a grey image, repeated in three channels; colour is better"
_ALPHA = "partly transparent; its alpha or mask is dropped"
_TILED = "make a tiled GeoTIFF of it: gdal_translate -co TILED=YES -co COMPRESS=DEFLATE IN OUT.tif"
_SPACE = "convert it to 8-bit RGB: PIL.Image.open(IN).convert('RGB').save(OUT)"

Numbers = Sequence[float] | None


@runtime_checkable
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
    return image if isinstance(image, Source) else ArrayImage(image)


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
        with _pillow():
            return np.array(self._image.crop((x0, y0, x1, y1)).convert("RGB"))


class TiffImage:
    """A TIFF of any size: only the tiles or strips that a window touches are read."""

    gsd = 1.0

    def __init__(self, path: Path, bands: Numbers = None, stretch: Numbers = None) -> None:
        try:
            import rasterio.errors
        except ImportError:
            raise InputError(f"{path}: reading a TIFF needs rasterio; pip install rasterio") from None
        self._rasterio, self.name, self._path = rasterio, path.name, path
        with warnings.catch_warnings(), rasterio.Env(GDAL_CACHEMAX=_CACHE):  # without it GDAL prints errors
            warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
            self._file = file = rasterio.open(path, driver="GTiff")
            self.width, self.height, self.crs = file.width, file.height, file.crs
            self.placed = bool(file.crs or file.gcps[0]) or not file.transform.is_identity  # on the Earth
            self.transform = None if file.crs is None else file.transform
            self._bands, self._palette = _rgb_bands(file, path, bands)
            flags, kinds = file.mask_flag_enums[self._bands[0] - 1], rasterio.enums.MaskFlags
            self._masked, self._holes = kinds.per_dataset in flags, kinds.nodata in flags
            self.stretch = _stretch(file, self._bands, path, stretch)
            # Windows side by side have strips and large tiles in common: each is to be decoded once.
            rows, columns = file.block_shapes[0]
            shared = columns == file.width or rows * columns > 2**20
            need = file.count * file.width * min(file.height, ROWS + rows) if shared else 0
            _check_whole(path, columns, rows, need)
            self._cache = min(max(need, _CACHE), 2**30)

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """The window, as RGB."""
        window = ((y0, y1), (x0, x1))
        try:
            with self._rasterio.Env(GDAL_CACHEMAX=self._cache):
                bands = self._file.read(self._bands, window=window)
                if self._masked and self._file.read_masks(1, window=window).min() < 255:
                    warnings.warn(f"{self._path}: {_ALPHA}", stacklevel=3)
                    self._masked = False  # said once
        except self._rasterio.errors.RasterioError as error:
            where = f"x {x0}-{x1}, y {y0}-{y1} ({error.__cause__ or error})"
            raise InputError(f"{self._path}: damaged, unreadable at {where}; copy it again") from error
        if self._palette is not None:
            return self._palette[bands[0]]
        if self._holes:  # black, as the renderer's missing strips: there no aircraft is found
            holes = np.isnan(bands) | (bands == self._file.nodata)
        if self.stretch is not None:
            low, high = self.stretch
            bands = np.clip((bands - np.float32(low)) * np.float32(255 / (high - low)), 0, 255).round()
            bands = np.nan_to_num(bands).astype(np.uint8)
        if self._holes:
            bands = np.where(holes.all(axis=0), np.uint8(0), bands)
        pixels = np.ascontiguousarray(bands.transpose(1, 2, 0))
        return pixels if len(bands) == 3 else pixels.repeat(3, axis=2)


class Resampled:
    """A source of `gsd` metres per pixel, seen at 1 m per pixel.

    Every new pixel is the mean of the old image over its square metre (and linear interpolation where the
    old pixels are larger). It depends on its position alone, not on the window.
    """

    def __init__(self, source: Source, gsd: float) -> None:
        if not FINEST <= gsd <= COARSEST:
            what = f"gsd {gsd:g} is not a pixel size that shows aircraft"
            raise InputError(f"{source.name}: {what}; give metres per pixel, from {FINEST} to {COARSEST:g}")
        if gsd > COARSE:
            coarse = f"pixels of {gsd:g} m are coarse, aircraft will be missed; take finer ones, at best 1 m"
            warnings.warn(f"{source.name}: {coarse}", stacklevel=3)
        self.source, self.name, self.gsd, self.crs = source, source.name, float(gsd), source.crs
        self.width, self.height = (max(1, int(n * gsd + 1e-6)) for n in (source.width, source.height))
        self.transform = source.transform
        if source.transform is not None:
            a, b, x, d, e, y = source.transform[:6]  # map x = a * column + b * row + x, map y alike
            self.transform = type(source.transform)(a / gsd, b / gsd, x, d / gsd, e / gsd, y)

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """The window in pixels of 1 m; reads only the pixels of the file that it covers."""
        # In pieces, of whole rows where possible: so a TIFF in strips is read once.
        most = PIECE * min(self.gsd, 1) ** 2
        columns = min(x1 - x0, max(1, int(most)))
        rows = max(1, int(most / columns))
        out = np.empty((y1 - y0, x1 - x0, 3), np.uint8)
        for y in range(y0, y1, rows):
            for x in range(x0, x1, columns):
                piece = self._resampled(x, y, min(x + columns, x1), min(y + rows, y1))
                out[y - y0 :, x - x0 :][: len(piece), : piece.shape[1]] = piece
        return out

    def _resampled(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        left, across = _means(x0, x1, self.gsd, self.source.width)
        top, down = _means(y0, y1, self.gsd, self.source.height)
        h, w = down.shape[1], across.shape[1]
        pixels = self.source.read(left, top, left + w, top + h).astype(np.float32)
        rows = (down @ pixels.reshape(h, w * 3)).reshape(-1, w, 3)  # (y1 - y0, w, 3)
        columns = across @ rows.transpose(1, 0, 2).reshape(w, -1)  # (x1 - x0, (y1 - y0) * 3)
        return np.rint(columns.reshape(x1 - x0, y1 - y0, 3).transpose(1, 0, 2)).astype(np.uint8)


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
def _pillow() -> Iterator[None]:
    """Without Pillow's limit of pixels, lower than ours and for crops too, and without its warnings."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _check_whole(path: Path, width: int, height: int, need: int) -> None:
    """Before they are decoded: pixels of which none can be read without the others; bytes of memory."""
    if width * height > MAX_PIXELS:
        what = f"{width} x {height} pixels is too much for a PNG or JPEG, or a piece of a TIFF"
        raise InputError(f"{path}: {what} (at most {MAX_PIXELS // 10**6} megapixels); {_TILED}")
    if need > MUCH:
        warnings.warn(f"{path}: needs {need / 1e9:.1f} GB of memory, and time; {_TILED}", stacklevel=5)


def _decoded(path: Path) -> Image.Image:
    """The decoded PNG or JPEG, in a mode that becomes RGB without loss of meaning."""
    with path.open("rb") as file:
        if not (start := file.read(3)):
            raise InputError(f"{path} is empty (0 bytes); copy or download it again")
        if start not in _PLUGINS:
            convert = "convert it: gdal_translate IN OUT.tif"
            raise InputError(f"{path} is not a PNG, JPEG or TIFF image; {convert}")
        file.seek(0)
        with _pillow():
            image = _PLUGINS[start](file)
        _check_whole(path, *image.size, math.prod(image.size) * (1 if image.mode in ("1", "L", "P") else 4))
        # Pillow silently drops the low byte of 16-bit colour; only the raw mode tells.
        if image.mode[0] in "IF" or "16" in str(image.tile[0][3]):
            raise InputError(f"{path}: more than 8 bits a channel; {_TO_8_BIT}")
        if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
            raise InputError(f"{path}: a {image.mode} image; {_SPACE}")
        if (frames := getattr(image, "n_frames", 1)) > 1:
            warnings.warn(f"{path}: the first of {frames} pictures is taken", stacklevel=4)
        with _pillow():
            image.load()
    if image.mode in ("1", "L", "LA"):
        warnings.warn(f"{path}: {_GREY}", stacklevel=4)
    clear = image.mode in ("RGBA", "LA") and np.min(image.getchannel("A").getextrema()) < 255
    if clear or "transparency" in image.info:
        warnings.warn(f"{path}: {_ALPHA}", stacklevel=4)
    return image


def _stretch(file: Any, bands: list[int], path: Path, wanted: Numbers) -> tuple[float, float] | None:
    """The values that become 0 and 255: those wanted, else two percentiles of the image; None for bytes."""
    if wanted is None and file.dtypes[bands[0] - 1] == "uint8":
        return None
    if told := wanted is None:  # of about a million pixels: every n-th row and column
        step = max(1, math.isqrt(file.width * file.height // 10**6))
        shape = (len(bands), -(-file.height // step), -(-file.width // step))
        some = file.read(bands, out_shape=shape, masked=True).astype(float).filled(np.nan)
        if not np.isfinite(some).any():
            raise InputError(f"{path}: no pixel has data; give another file")
        wanted = [float(f"{value:.5g}") for value in np.nanpercentile(some, PERCENTILES)]
    if len(wanted) != 2 or not wanted[0] < wanted[1] or not np.isfinite(np.diff(wanted)[0]):
        said = ",".join(f"{value:g}" for value in wanted)
        raise InputError(f"{path}: from {said} nothing can be stretched; give --stretch LOW,HIGH")
    low, high = wanted
    if told:
        said = f"stretched from {low:g} to {high:g}; --stretch LOW,HIGH takes others"
        warnings.warn(f"{path}: {file.dtypes[bands[0] - 1]} pixels, {said}", stacklevel=5)
    return low, high


def _rgb_bands(file: Any, path: Path, wanted: Numbers) -> tuple[list[int], np.ndarray | None]:
    """The bands (from 1) of red, green and blue; or one of grey or of a palette, and the (256, 3) colours."""
    if any("complex" in kind for kind in file.dtypes):
        raise InputError(f"{path}: complex pixels; write their absolute values: gdal_calc --calc 'abs(A)'")
    byte = set(file.dtypes) == {"uint8"}
    if byte and (bits := int(file.tags(1, ns="IMAGE_STRUCTURE").get("NBITS", 8))) != 8:
        scale = f"-scale 0 {2**bits - 1} 0 255"
        raise InputError(f"{path}: {bits} bits a channel, not 8; gdal_translate -ot Byte {scale} IN OUT")
    if wanted is not None:
        if len(wanted) != 3 or not all(band in range(1, file.count + 1) for band in wanted):
            said = f"bands {list(wanted)} of {file.count}"
            raise InputError(f"{path}: {said}; give those of red, green and blue, counted from 1")
        return [int(band) for band in wanted], None
    names = [color.name for color in file.colorinterp]
    tags = file.tags(ns="IMAGE_STRUCTURE")
    if (space := tags.get("SOURCE_COLOR_SPACE", "YCbCr")) != "YCbCr":
        raise InputError(f"{path}: a {space} image; {_SPACE}")
    if len(file.subdatasets) > 1:
        warnings.warn(f"{path}: the first of {len(file.subdatasets)} pictures is taken", stacklevel=4)
    if not byte and (names[0] == "palette" or "MINISWHITE" in tags):
        raise InputError(f"{path}: {file.dtypes[0]} pixels that mean colours or negatives; {_TO_8_BIT}")
    if names[0] == "palette":
        colors = file.colormap(1)
        return [1], np.array([colors.get(i, (0, 0, 0))[:3] for i in range(256)], np.uint8)
    if all(color in names for color in ("red", "green", "blue")):
        return [names.index(color) + 1 for color in ("red", "green", "blue")], None
    count = file.count - ("alpha" in names)
    if count == 1:
        warnings.warn(f"{path}: {_GREY}", stacklevel=4)
        return [1], _NEGATIVE if "MINISWHITE" in tags else None
    if count == 2 or "cyan" in names:
        raise InputError(f"{path}: bands {', '.join(names)} are not RGB; write red, green and blue only")
    warnings.warn(f"{path}: {count} bands without names; the first three are taken as RGB", stacklevel=4)
    return [1, 2, 3], None
