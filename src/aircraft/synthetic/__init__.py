"""Synthetic airport scenes at 1 m per pixel, with exact boxes: `render` draws a view of a site from a seed.

The site decides the map; the view decides the date: sun, occupied stands, traffic, weather, radiometry.
"""

import math

import numpy as np

from aircraft.errors import InputError
from aircraft.scenes import Scene

__all__ = ["render"]

VERSION = 3  # of the pictures; raise it when the same arguments give other bytes, so that caches are rebuilt
MIN_SIZE, MAX_SIZE = 64, 1024


def render(site: int, view: int = 0, size: int = 768, difficulty: float = 1.0, seed: int = 0) -> Scene:
    """One view of a site, a square of `size` pixels; the same arguments give the same bytes.

    site: which place (about one in six has no airport); view: which date; size: 64 to 1024 pixels of 1 m;
    difficulty: 0 (plain, high contrast) to 2 (very hard); seed: another world of sites.
    Boxes are those of aircraft with their centre inside; others that reach in, or that cloud or a missing
    strip hides, are in `ignore`.

    Raises InputError where an argument is out of its range.
    """
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise InputError(
            f"render: size={size} is not within {MIN_SIZE} to {MAX_SIZE} pixels; choose such a size"
        )
    if not 0 <= difficulty <= 2:
        raise InputError(f"render: difficulty={difficulty} is not within 0 to 2; 1 is the default")
    if min(site, view, seed) < 0:
        raise InputError(f"render: site={site}, view={view}, seed={seed}: none of them may be negative")
    import cv2

    from aircraft.synthetic import layout, scenery, sensor

    cv2.setNumThreads(1)  # so that the bytes do not depend on the number of threads
    place = layout.make_site(np.random.default_rng([seed, site, 1]), difficulty)
    rng = np.random.default_rng([seed, site, 2, view])
    date = scenery.random_view(place, rng, round(size / place.enlarged))
    camera = sensor.random_sensor(rng, difficulty)
    canvas, planes = scenery.paint_view(place, date)
    cloud = sensor.cloud_cover(camera, date.frame)
    image = sensor.expose(canvas, size, camera, cloud, date.sun.shadow(220.0))
    hidden = np.zeros((size, size), bool) if cloud is None else cv2.resize(cloud, (size, size)) > 0.6
    if rng.random() < 0.05:
        hidden |= _missing(image, rng)
    boxes, ignore = _sort(planes, hidden, size / date.frame.size)
    name = f"synthetic-{seed}-{site:04d}"
    return Scene(image=image, boxes=boxes, name=f"{name}-{view}", site=name, ignore=ignore)


def _missing(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Black out a wedge at the border in place; (H, W) bool of where."""
    size = image.shape[0]
    a, depth = rng.uniform(0, 2 * math.pi), rng.uniform(0.35, 0.48) * size
    x, y = np.meshgrid(np.arange(size) - size / 2, np.arange(size) - size / 2)
    gone = x * math.cos(a) + y * math.sin(a) > depth
    image[gone] = 0
    return gone


def _sort(planes: list, hidden: np.ndarray, enlarged: float) -> tuple[np.ndarray, np.ndarray]:
    """(N, 4) boxes with a visible centre, and (M, 4) others that reach into the image, clipped to it.

    hidden: (H, W) bool; enlarged: pixels a metre of the planes' coordinates.
    """
    size = hidden.shape[0]
    boxes, ignore = [], []
    for plane in planes:
        box = plane.box() * np.float32(enlarged)
        clipped = np.clip(box, 0, size)
        if (clipped[2:] - clipped[:2] < 1).any():
            continue
        if not plane.is_aircraft:
            continue
        x, y = (box[:2] + box[2:]) / 2
        x0, y0, x1, y1 = clipped.astype(int)
        covered = hidden[y0 : y1 + 1, x0 : x1 + 1].mean()
        if 0 <= x < size and 0 <= y < size and covered < 0.5:
            boxes.append(box)
        else:
            ignore.append(clipped)
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(ignore, np.float32).reshape(-1, 4)
