"""Aprons and piers: what the maps of most airports share, before their own terminals are added.

Airside is towards +y, landside towards -y, before the site's rotation.
"""

import math
from dataclasses import replace

import numpy as np

from airfield.layout import REACH, Site
from airfield.movement import apron_marks, flat_ground, runway_and_taxiways, taxilane
from airfield.places import cell, landside
from airfield.stands import gates_along, stand_block


def apron(site: Site, depth: float, hole: bool = True) -> float:
    """Ground, landside, an apron of `depth` metres from y = 0, the airfield behind it; returns `depth`."""
    rng = site.rng
    flat_ground(site)
    site.apron = depth
    if rng.random() < 0.75:  # the view is mostly stands
        site.focus = (0.0, rng.uniform(0.25, 0.65) * depth)
    kind = str(rng.choice(["concrete", "concrete", "concrete", "concrete", "asphalt"]))
    landside(site, -70 if hole else -20)
    site.box(kind, 0, depth / 2 - 10, 2 * REACH, depth + 20)
    for _ in range(int(rng.integers(2, 22))):  # repairs and newer bays, on the grid of the slabs
        length, width = np.round(rng.uniform(2, 16, 2)) * 7.5
        x, y = np.round(rng.uniform([-600, 10], [600, depth]) / 7.5) * 7.5
        site.box(str(rng.choice(["fresh", "concrete", "asphalt", "fresh", "taxiway"])), x, y, length, width)
    if rng.random() < 0.5:  # a strip of another surface along the whole apron
        site.box(str(rng.choice(["asphalt", "taxiway", "fresh"])), 0, rng.uniform(60, depth), 2 * REACH, 30)
    if rng.random() < 0.25:
        x, y = rng.uniform([-300, 20], [300, depth])
        site.box("soil" if rng.random() < 0.5 else "gravel", x, y, 60, 40)
        site.zone("works", x, y, 60, 40)
    for _ in range(int(rng.integers(0, 5))):  # equipment that waits on the apron
        kind = str(rng.choice(["vehicles", "containers", "trucks", "cars"]))
        x, y = rng.uniform([-450, 5], [450, depth])
        site.zone(kind, x, y, rng.uniform(15, 70), rng.uniform(8, 25), density=rng.uniform(0.2, 0.9))
    taxilane(site, depth - rng.uniform(20, 35), 70)
    apron_marks(site, depth)
    runway_and_taxiways(site, depth)
    return depth


def outer_rows(site: Site, start: float, depth: float) -> None:
    """Open stands between y = start and the end of the apron, where there is room."""
    if depth - start > 55:
        stand_block(site, -650, start, 1300, depth - start - 45)


def pier(
    site: Site, foot: tuple[float, float], angle: float, length: float, width: float, style: str | None = None
) -> None:
    """A pier with gates on both sides and sometimes at its head."""
    d, n = np.array([math.cos(angle), math.sin(angle)]), np.array([-math.sin(angle), math.cos(angle)])
    a, b = np.array(foot), np.array(foot) + d * length
    site.build(np.array([a, b]), width, site.rng.uniform(9, 16), style)
    gap = min(45.0, 0.3 * length)
    gates_along(site, a + d * gap + n * width / 2, b + n * width / 2)
    gates_along(site, b - n * width / 2, a + d * gap - n * width / 2)
    if site.rng.random() < 0.4:
        gates_along(site, b + n * 20, b - n * 20, margin=0)


def end_apron(site: Site, depth: float) -> None:
    """End the apron (y from 0 to `depth`) at a random x and fill what lies beyond with land, in place."""
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
