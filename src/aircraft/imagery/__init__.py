"""Images of any size, read in windows: PNG and JPEG by Pillow, TIFF by rasterio, arrays as they are.

Every source gives 8-bit RGB; `Resampled` makes 1 m per pixel of another pixel size.
"""

import math
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from aircraft import InputError, reading, regular
from aircraft.imagery.sources import ArrayImage, Numbers, PillowImage, Resampled, Source, TiffImage, as_source

__all__ = ["ArrayImage", "Resampled", "Source", "as_source", "find", "open_image", "read"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the first bytes of one
MOST = 10_000  # pixels a byte of a file: ten times what the best compression makes of one colour
SAME = 0.02  # sizes that differ by this share are the same


def open_image(
    path: str | Path, *, gsd: float | None = None, bands: Numbers = None, stretch: Numbers = None
) -> Source:
    """Open an image file as a source of windows; the pixels of a TIFF are read when they are asked for.

    A TIFF, or a PNG or JPEG of 8 bits a channel, by its content, not its name. Grey is repeated in three
    channels, alpha dropped, with a warning. The EXIF orientation is ignored: satellite images have none.

    bands, stretch: of a TIFF: those of red, green and blue, from 1; the values that become black and white
    (by default, in one of more than 8 bits, two percentiles, with a warning).
    gsd: metres per pixel of the file; other than 1, the image is resampled to 1 m. By default what the
    georeference says where it is in metres, else 1, with a warning where it is not.

    InputError or FileNotFoundError for whatever is no such image, damaged, of pixels that are not square or
    coarser than 3 m, or of more than 250 megapixels that are not in tiles or strips.

    >>> from PIL import Image
    >>> Image.new("RGB", (200, 100)).save("apron.png")
    >>> open_image("apron.png", gsd=0.5).width
    100
    """
    path = regular(path, "give an image file, or list those of a folder with imagery.find")
    with reading(path, "copy or download it again", "cannot be read, it may be damaged"):
        with path.open("rb") as file:
            is_tiff = file.read(4) in TIFF_MARKS
        if not is_tiff and (bands or stretch):
            raise InputError(f"{path}: bands and stretch are for TIFFs, this is none; leave them out")
        source: Source = TiffImage(path, bands, stretch) if is_tiff else PillowImage(path)
        shape, size = f"{source.width} x {source.height}", path.stat().st_size
        if source.width * source.height > MOST * size:  # else it would be days of work on nothing
            raise InputError(f"{path}: {shape} pixels do not fit in {size} bytes; copy or download it again")
        known = _metres_per_pixel(source, path, gsd)
    if gsd is not None:
        return source if gsd == 1 else Resampled(source, gsd)
    if known is None and getattr(source, "placed", False):
        message = "no pixel size in metres in its georeference, taken as 1 m; give another as gsd (--gsd)"
        warnings.warn(f"{path}: {message}", stacklevel=2)
    if known is None or abs(known - 1) < SAME:
        return source
    message = f"{known:g} m per pixel by its georeference; resampled to 1 m (--gsd 1 or gsd=1 prevents it)"
    resampled = Resampled(source, known)
    warnings.warn(f"{path.name}: {message}", stacklevel=2)
    return resampled


def read(path: str | Path, *, gsd: float | None = None) -> np.ndarray:
    """A whole image, (H, W, 3) uint8; parameters and errors as of `open_image`.

    >>> from PIL import Image
    >>> Image.new("RGB", (200, 100)).save("apron.png")
    >>> read("apron.png").shape
    (100, 200, 3)
    """
    source = open_image(path, gsd=gsd)
    return source.read(0, 0, source.width, source.height)


def find(paths: Iterable[str | Path]) -> list[Path]:
    """The image files among paths: files as given, folders replaced by their images in order of name.

    InputError or FileNotFoundError for a path that is not there, a folder without images, and no path at all.

    >>> Path("airport").mkdir()
    >>> for name in ("b.png", "a.tif", "notes.txt"):
    ...     Path("airport", name).touch()
    >>> [path.name for path in find(["airport"])]
    ['a.tif', 'b.png']
    """
    found: list[Path] = []
    for path in map(Path, paths):
        with reading(path, "change its rights, or name other files", "cannot be listed"):
            if not path.exists():
                raise FileNotFoundError(f"{path}: no such file or folder")
            images = [path]
            if path.is_dir():
                inside = sorted(path.iterdir())
                images = [p for p in inside if p.suffix.lower() in SUFFIXES and p.name[0] != "."]
            if not images:
                raise InputError(f"{path}: no image in this folder; it takes {', '.join(SUFFIXES)}")
            found += images
    if not found:
        raise InputError("no image was given; name image files or folders")
    return found


def _metres_per_pixel(source: Source, path: Path, gsd: float | None) -> float | None:
    """As its georeference says; None where it says nothing. Refuses pixels of degrees, or not square."""
    if source.crs is None or source.transform.is_identity:
        return None
    a, b, x, d, e, y = source.transform[:6]
    x, y = x + (a * source.width + b * source.height) / 2, y + (d * source.width + e * source.height) / 2
    if not source.crs.is_projected:
        if source.crs.is_geographic and gsd is None:  # a degree of longitude is the shorter the further north
            zone = f"EPSG:32{6 if y >= 0 else 7}{int((x + 180) % 360 // 6) + 1:02d}"
            way = f"gdalwarp -t_srs {zone} -tr 1 1 -r average IN OUT, or give its metres a pixel (--gsd)"
            raise InputError(f"{path}: pixels of degrees, not of metres; {way}")
        return None
    # The long and the short axis of the ellipse on the map that a circle of pixels is.
    mean, spread = math.hypot(a + e, d - b) / 2, math.hypot(a - e, d + b) / 2
    long, short = mean + spread, abs(mean - spread)
    if not long - short <= SAME * long:
        size = f"{math.hypot(a, d):g} x {math.hypot(b, e):g}"
        raise InputError(f"{path}: pixels of {size} are not square; gdalwarp -tr SIZE SIZE IN OUT")
    metres = math.sqrt(long * short) * source.crs.linear_units_factor[1]
    if source.crs.to_epsg() == 3857:  # Web Mercator, whose metres are shorter the further from the equator
        metres /= math.cosh(y / 6378137)
    return float(metres)
