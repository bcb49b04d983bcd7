"""Images as large as one likes from one scene, repeated: as a source of windows, and as a tiled GeoTIFF.

Neither is ever in memory as a whole, so that what is measured is the memory of detection.
"""

from pathlib import Path

import numpy as np

TILE = 512  # side of a GeoTIFF's tiles


class Mosaic:
    """A scene (h, w, 3) uint8, repeated to `side` x `side` pixels; an `imagery.Source`."""

    gsd, transform, crs = 1.0, None, None

    def __init__(self, scene: np.ndarray, side: int) -> None:
        self.scene, self.name = scene, f"mosaic-{side}"
        self.width = self.height = side

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        """(y1 - y0, x1 - x0, 3) uint8: the window."""
        rows = self.scene.take(np.arange(y0, y1), axis=0, mode="wrap")
        return rows.take(np.arange(x0, x1), axis=1, mode="wrap")


def write_geotiff(path: Path, mosaic: Mosaic) -> None:
    """Write a mosaic tile by tile: JPEG inside, 1 m pixels in UTM."""
    import rasterio
    from rasterio.transform import from_origin
    from rasterio.windows import Window

    profile = {
        "driver": "GTiff", "width": mosaic.width, "height": mosaic.height, "count": 3, "dtype": "uint8",
        "tiled": True, "blockxsize": TILE, "blockysize": TILE, "compress": "jpeg", "photometric": "ycbcr",
        "jpeg_quality": 90, "crs": "EPSG:32631", "transform": from_origin(500_000, 5_000_000, 1, 1),
    }  # fmt: skip
    with rasterio.open(path, "w", **profile) as file:
        for y in range(0, mosaic.height, TILE):
            for x in range(0, mosaic.width, TILE):
                right, below = min(x + TILE, mosaic.width), min(y + TILE, mosaic.height)
                pixels = mosaic.read(x, y, right, below).transpose(2, 0, 1)
                file.write(pixels, window=Window(x, y, right - x, below - y))
