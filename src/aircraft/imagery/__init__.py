"""Images of any size, read in windows: PNG and JPEG by Pillow, TIFF by rasterio, arrays as they are.

Every source gives 8-bit RGB; `Resampled` makes 1 m per pixel of another pixel size.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from aircraft import InputError
from aircraft.imagery.files import MAX_PIXELS, PillowImage, TiffImage, is_tiff
from aircraft.imagery.sources import ArrayImage, Resampled, Source, as_source

__all__ = [
    "MAX_PIXELS",
    "SUFFIXES",
    "ArrayImage",
    "PillowImage",
    "Resampled",
    "Source",
    "TiffImage",
    "as_source",
    "find",
    "open_image",
    "read",
]

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")


def open_image(path: str | Path, *, gsd: float | None = None) -> Source:
    """Open an image file; its pixels are read when they are asked for.

    gsd: ground sampling distance, metres per pixel of the file. Other than 1, the image is resampled to
        1 m. None: as the georeference says where it is in metres, else 1.

    What the file is, its content decides, not its name. Grey is repeated in three channels and an alpha
    channel dropped, with a warning. The EXIF orientation is ignored: satellite images have none.
    Raises FileNotFoundError, or InputError for a folder, a file that is no image or is damaged, for 16-bit,
    float and CMYK images, more than 250 megapixels outside a TIFF, and for a TIFF where rasterio is missing.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give an image file, or list its images with imagery.find")
    source: Source = TiffImage(path) if is_tiff(path) else PillowImage(path)
    if gsd is None:
        gsd = _metres_per_pixel(source)
        if gsd != 1:
            warnings.warn(
                f"{path.name}: {gsd:g} m per pixel by its georeference; resampled to 1 m (gsd=1 prevents it)",
                stacklevel=2,
            )
    return source if gsd == 1 else Resampled(source, gsd)


def read(path: str | Path, *, gsd: float | None = None) -> np.ndarray:
    """(H, W, 3) uint8: a whole image."""
    source = open_image(path, gsd=gsd)
    return source.read(0, 0, source.width, source.height)


def find(paths: Iterable[str | Path]) -> list[Path]:
    """The image files among paths: files as given, folders replaced by their images in order of name.

    Raises FileNotFoundError, or InputError for a folder without images and where nothing was given.
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file or folder")
        if not path.is_dir():
            found.append(path)
            continue
        images = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.name[0] != ".")
        if not images:
            raise InputError(f"{path}: no image in this folder; it takes {', '.join(SUFFIXES)}")
        found += images
    if not found:
        raise InputError("no image was given; name image files or folders")
    return found


def _metres_per_pixel(source: Source) -> float:
    """As its georeference says; 1 where there is none, or none in metres, or it is 1 within 2 %."""
    if source.crs is None or not source.crs.is_projected:
        return 1.0
    metres = float(source.crs.linear_units_factor[1])
    gsd = float(abs(source.transform.determinant) ** 0.5 * metres)
    return 1.0 if abs(gsd - 1) < 0.02 else gsd
