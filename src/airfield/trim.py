"""Ends an airport's apron on one side and fills what lies beyond with land, so that not all aprons run on."""

from dataclasses import replace

import numpy as np

from airfield.layout import REACH, Site
from airfield.places import cell


def trim(site: Site, depth: float) -> None:
    """Remove the apron (y from 0 to `depth`) beyond a random x, in place."""
    rng = site.rng
    side = float(rng.choice([-1, 1]))
    cut = float(rng.uniform(60, 330))

    def on_apron(y: float) -> bool:
        return -18 < y < depth + 1

    def clipped(points: np.ndarray) -> np.ndarray:
        return np.stack([np.minimum(points[:, 0] * side, cut) * side, points[:, 1]], -1)

    def gone(points: np.ndarray) -> bool:
        return bool((points[:, 0] * side >= cut).all())

    site.stands = [s for s in site.stands if not on_apron(s.y) or s.x * side < cut - s.max_span / 2]
    site.zones = [z for z in site.zones if not on_apron(z.y) or z.x * side < cut - z.length / 2]
    site.stains = [s for s in site.stains if not on_apron(float(s.points[:, 1].mean())) or not gone(s.points)]
    for name in ("lines", "buildings", "routes"):
        kept = []
        for thing in getattr(site, name):
            if not on_apron(float(thing.points[:, 1].mean())):
                kept.append(thing)
            elif not gone(thing.points):
                kept.append(replace(thing, points=clipped(thing.points)))
        setattr(site, name, kept)
    site.box("grass", side * (cut + REACH), depth / 2 - 10, 2 * REACH, depth + 18)
    x = cut + rng.uniform(5, 40)
    while x < REACH:
        length, y = rng.uniform(50, 180), 0.0
        while y < depth - 40:
            size = rng.uniform(40, 120)
            if rng.random() < 0.6:
                bottom = min(y + size, depth - 12)
                cell(site, side * (x + length / 2), (y + bottom) / 2, length - 10, max(bottom - y - 8, 20))
            y += size
        x += length
