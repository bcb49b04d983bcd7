"""Scene: one annotated image at 1 m per pixel, the only thing that the rest of the package is fed with.

A scene checks itself when it is made, so that no later step has to.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from aircraft import InputError


def check_image(image: Any, name: str) -> None:
    """Raise InputError, with the way to mend it, unless `image` is a numpy array (H, W, 3) uint8."""
    if not isinstance(image, np.ndarray):
        raise InputError(f"{name}: an image is a numpy array (H, W, 3) uint8, not a {type(image).__name__}")
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        found = f"{image.shape} {image.dtype}"
        raise InputError(f"{name}: an image is (H, W, 3) uint8, this one is {found}; convert it to 8-bit RGB")


@dataclass(frozen=True, eq=False)
class Scene:
    """An annotated RGB image at 1 m per pixel.

    Parameters
    ----------
    image : (H, W, 3) uint8
    boxes, ignore : (N, 4) float32, (M, 4) float32
        x0, y0, x1, y1 in pixels: the aircraft; those cut off by the border, neither truth nor background.
    name, site : what to call the scene in messages and files; the place, which is never in two splits
    headings, kinds : (N,) float32, degrees from the x axis towards the y axis; (N,) str; None where unknown

    Examples
    --------
    >>> scene = Scene(np.zeros((100, 200, 3), np.uint8), np.array([[10, 20, 50, 60]]), "apron", "A")
    >>> scene.width, scene.height, scene.centers.tolist()
    (200, 100, [[30.0, 40.0]])
    """

    image: np.ndarray
    boxes: np.ndarray
    name: str
    site: str
    ignore: np.ndarray = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    headings: np.ndarray | None = None
    kinds: np.ndarray | None = None

    def __post_init__(self) -> None:
        check_image(self.image, self.name)
        for what in ("boxes", "ignore"):
            object.__setattr__(self, what, self._checked_boxes(what))
        for what in ("headings", "kinds"):
            values = getattr(self, what)
            if values is not None and len(values) != len(self.boxes):
                found = f"{len(values)} {what} for {len(self.boxes)} boxes"
                raise InputError(f"{self.name}: {found}; give one each")

    def _checked_boxes(self, what: str) -> np.ndarray:
        boxes = np.asarray(getattr(self, what), np.float32)
        if boxes.size and boxes.shape[1:] != (4,):
            raise InputError(f"{self.name}: {what} of shape {boxes.shape}; give rows of x0, y0, x1, y1")
        x0, y0, x1, y1 = (boxes := boxes.reshape(-1, 4)).T
        fits = (x0 < x1) & (y0 < y1) & (x0 < self.width) & (y0 < self.height) & (x1 > 0) & (y1 > 0)
        fits &= np.isfinite(boxes).all(axis=1)
        if not fits.all():
            first = int(np.flatnonzero(~fits)[0])
            box = f"{what}[{first}] = {boxes[first].tolist()}"
            found = f"{box} is empty or outside the image of {self.width} x {self.height}"
            raise InputError(f"{self.name}: {found}; boxes are x0, y0, x1, y1 in pixels of 1 m")
        return boxes

    @property
    def height(self) -> int:
        return self.image.shape[0]

    @property
    def width(self) -> int:
        return self.image.shape[1]

    @property
    def centers(self) -> np.ndarray:
        """(N, 2) float32: x, y of the aircraft's centres."""
        return (self.boxes[:, :2] + self.boxes[:, 2:]) / 2

    def crop(self, x: int, y: int, size: int) -> "Scene":
        """The square with its corner at (x, y); aircraft that only reach into it are to ignore."""
        if not (0 <= x <= self.width - size and 0 <= y <= self.height - size):
            raise InputError(f"{self.name}: {size} pixels at ({x}, {y}) leave {self.width} x {self.height}")
        shift = np.array([x, y, x, y], np.float32)
        centers = self.centers - shift[:2]
        inside = ((centers >= 0) & (centers < size)).all(axis=1)
        ignore = np.concatenate([self.boxes[~inside], self.ignore]) - shift
        touches = (ignore[:, :2] < size).all(axis=1) & (ignore[:, 2:] > 0).all(axis=1)
        headings, kinds = (None if x is None else x[inside] for x in (self.headings, self.kinds))
        return Scene(
            image=self.image[y : y + size, x : x + size], boxes=self.boxes[inside] - shift,
            name=f"{self.name}@{x},{y}", site=self.site, ignore=ignore[touches],
            headings=headings, kinds=kinds,
        )  # fmt: skip
