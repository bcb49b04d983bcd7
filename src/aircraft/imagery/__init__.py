"""Images of any size, read in windows: PNG and JPEG by Pillow, TIFF by rasterio, arrays as they are.

Every source gives 8-bit RGB; `Resampled` makes 1 m per pixel of another pixel size.
"""

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from aircraft import InputError
from aircraft.imagery.sources import ArrayImage, PillowImage, Resampled, Source, TiffImage, as_source

__all__ = ["ArrayImage", "Resampled", "Source", "as_source", "find", "open_image", "read"]

SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff")
TIFF_MARKS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the first bytes of one


def open_image(path: str | Path, *, gsd: float | None = None) -> Source:
    """Open an image file as a source of windows; the pixels of a TIFF are read when they are asked for.

    What the file is, its content decides, not its name. Grey is repeated in three channels and an alpha
    channel dropped, with a warning. The EXIF orientation is ignored: satellite images have none.

    Parameters
    ----------
    path : str or Path
        A PNG, JPEG or TIFF of 8 bits a channel.
    gsd : float, optional
        Ground sampling distance, metres per pixel of the file; other than 1, the image is resampled to 1 m.
        By default what the georeference says where it is in metres, else 1.

    Returns
    -------
    Source
        With `width`, `height` and `read(x0, y0, x1, y1)`, in pixels of 1 m.

    Raises
    ------
    FileNotFoundError, InputError
        For a folder, a file that is damaged or no image, 16-bit, float and CMYK images, more than 250
        megapixels outside a TIFF, a TIFF where rasterio is missing.

    Examples
    --------
    >>> from PIL import Image
    >>> Image.new("RGB", (200, 100)).save("apron.png")
    >>> open_image("apron.png", gsd=0.5).width
    100
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    if path.is_dir():
        raise InputError(f"{path} is a folder; give an image file, or list its images with imagery.find")
    with path.open("rb") as file:
        is_tiff = file.read(4) in TIFF_MARKS
    source: Source = TiffImage(path) if is_tiff else PillowImage(path)
    if gsd is None:
        gsd = _metres_per_pixel(source)
        if gsd != 1:
            message = f"{gsd:g} m per pixel by its georeference; resampled to 1 m (gsd=1 prevents it)"
            warnings.warn(f"{path.name}: {message}", stacklevel=2)
    return source if gsd == 1 else Resampled(source, gsd)


def read(path: str | Path, *, gsd: float | None = None) -> np.ndarray:
    """A whole image; parameters and errors as of `open_image`.

    Returns
    -------
    (H, W, 3) uint8 array

    Examples
    --------
    >>> from PIL import Image
    >>> Image.new("RGB", (200, 100)).save("apron.png")
    >>> read("apron.png").shape
    (100, 200, 3)
    """
    source = open_image(path, gsd=gsd)
    return source.read(0, 0, source.width, source.height)


def find(paths: Iterable[str | Path]) -> list[Path]:
    """The image files among paths: files as given, folders replaced by their images in order of name.

    Raises
    ------
    FileNotFoundError, InputError
        For a path that is not there, a folder without images, and where nothing was given.

    Examples
    --------
    >>> Path("airport").mkdir()
    >>> for name in ("b.png", "a.tif", "notes.txt"):
    ...     Path("airport", name).touch()
    >>> [path.name for path in find(["airport"])]
    ['a.tif', 'b.png']
    """
    found: list[Path] = []
    for path in map(Path, paths):
        if not path.exists():
            raise FileNotFoundError(f"{path}: no such file or folder")
        images = [path]
        if path.is_dir():
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
    gsd = float(abs(source.transform.determinant) ** 0.5 * source.crs.linear_units_factor[1])
    return 1.0 if abs(gsd - 1) < 0.02 else gsd
