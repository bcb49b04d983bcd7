"""Airport scenes at 1 m per pixel, drawn from a seed, with the exact boxes of the aircraft: see `render`.

The site decides the map; the view decides the date: sun, occupied stands, traffic, weather, radiometry.
Needs NumPy and OpenCV, and knows nothing of learning.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from airfield.planes import Plane

__all__ = ["VERSION", "ArgumentError", "Rendered", "render"]

VERSION = 3  # of the pictures; raise it when the same arguments give other bytes, so that caches are rebuilt
MIN_SIZE, MAX_SIZE = 64, 1024


class ArgumentError(ValueError):
    """An argument of `render` is out of its range; the message says which one."""


@dataclass(frozen=True, eq=False)
class Rendered:
    """One view of a site, as plain arrays.

    image:    (H, W, 3) uint8 RGB.
    boxes:    (N, 4) float32, x0, y0, x1, y1 in pixels, of the aircraft whose centre shows.
    headings: (N,) float32, where their noses point: degrees from the x axis towards the y axis, 0 to 360.
    kinds:    (N,) str, such as "narrow_body".
    ignore:   (M, 4) float32, the boxes of aircraft that the border, a cloud or a missing strip hides.
    name:     of the view; site: of the place, the same for all its views.
    """

    image: np.ndarray
    boxes: np.ndarray
    headings: np.ndarray
    kinds: np.ndarray
    ignore: np.ndarray
    name: str
    site: str


def render(site: int, view: int = 0, size: int = 768, difficulty: float = 1.0, seed: int = 0) -> Rendered:
    """One view of a site, a square of `size` pixels; the same arguments give the same bytes.

    Parameters
    ----------
    site : int
        Which place; about one in six has no airport.
    view : int
        Which date.
    size : int
        Side of the image, 64 to 1024 pixels of 1 m.
    difficulty : float
        0 (plain, high contrast) to 2 (very hard).
    seed : int
        Another world of sites.

    Returns
    -------
    Rendered
        The image, and what is on it.

    Raises
    ------
    ArgumentError
        An argument is out of its range.

    Examples
    --------
    >>> scene = render(site=2, size=256)
    >>> scene.image.shape, scene.boxes.shape, scene.kinds.tolist()[:2]
    ((256, 256, 3), (5, 4), ['narrow_body', 'regional_jet'])
    """
    _check(site, view, size, difficulty, seed)
    import cv2  # here, so that `import airfield` is quick

    from airfield import scenery, sensor, sites

    with _one_thread():
        place = sites.make_site(np.random.default_rng([seed, site, 1]), difficulty)
        rng = np.random.default_rng([seed, site, 2, view])
        date = scenery.random_view(place, rng, round(size / place.enlarged))
        camera = sensor.random_sensor(rng, difficulty)
        canvas, planes = scenery.paint_view(place, date)
        cloud = sensor.cloud_cover(camera, date.frame)
        image = sensor.expose(canvas, size, camera, cloud, date.sun.shadow(220.0))
        hidden = np.zeros((size, size), bool) if cloud is None else cv2.resize(cloud, (size, size)) > 0.6
    if rng.random() < 0.05:
        hidden |= _missing(image, rng)
    shown, ignore = _sort(planes, hidden, size / date.frame.size)
    name = f"synthetic-{seed}-{site:04d}"
    return Rendered(
        image=image,
        boxes=np.array([box for _, box in shown], np.float32).reshape(-1, 4),
        headings=np.array([math.degrees(plane.heading) % 360 for plane, _ in shown], np.float32),
        kinds=np.array([plane.kind for plane, _ in shown], str),
        ignore=np.array(ignore, np.float32).reshape(-1, 4),
        name=f"{name}-{view}",
        site=name,
    )


def _check(site: int, view: int, size: int, difficulty: float, seed: int) -> None:
    """Raise ArgumentError for an argument out of its range."""
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise ArgumentError(
            f"render: size={size} is not within {MIN_SIZE} to {MAX_SIZE} pixels; choose such a size"
        )
    if not 0 <= difficulty <= 2:
        raise ArgumentError(f"render: difficulty={difficulty} is not within 0 to 2; 1 is the default")
    if min(site, view, seed) < 0:
        raise ArgumentError(f"render: site={site}, view={view}, seed={seed}: none of them may be negative")


@contextmanager
def _one_thread() -> Iterator[None]:
    """OpenCV on one thread, so that the bytes do not depend on their number; afterwards as it was."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _missing(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Black out a wedge at the border in place; (H, W) bool of where."""
    size = image.shape[0]
    a, depth = rng.uniform(0, 2 * math.pi), rng.uniform(0.35, 0.48) * size
    x, y = np.meshgrid(np.arange(size) - size / 2, np.arange(size) - size / 2)
    gone = x * math.cos(a) + y * math.sin(a) > depth
    image[gone] = 0
    return gone


def _sort(
    planes: list["Plane"], hidden: np.ndarray, enlarged: float
) -> tuple[list[tuple["Plane", np.ndarray]], list[np.ndarray]]:
    """The aircraft with a visible centre, each with its box (4,), and the boxes of others that reach into the
    image, clipped to it.

    hidden: (H, W) bool; enlarged: pixels a metre of the planes' coordinates.
    """
    size = hidden.shape[0]
    shown, ignore = [], []
    for plane in planes:
        box = plane.box() * np.float32(enlarged)
        clipped = np.clip(box, 0, size)
        if (clipped[2:] - clipped[:2] < 1).any() or not plane.is_aircraft:
            continue
        x, y = (box[:2] + box[2:]) / 2
        x0, y0, x1, y1 = clipped.astype(int)
        covered = hidden[y0 : y1 + 1, x0 : x1 + 1].mean()
        if 0 <= x < size and 0 <= y < size and covered < 0.5:
            shown.append((plane, box))
        else:
            ignore.append(clipped)
    return shown, ignore
