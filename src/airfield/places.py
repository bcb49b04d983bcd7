"""Maps of places without an airport, and the land side of airports: town, fields, woods, industry, harbour.

Each `PLACES` entry fills a Site; `landside` fills the half plane above y = edge.
"""

import math

import numpy as np

from airfield.drawing import arc, rectangle, rounded
from airfield.drives import forecourt
from airfield.layout import REACH, Site, across_map


def landside(site: Site, edge: float) -> None:
    """Roads, car parks, halls, houses, trees and works above y = edge."""
    rng = site.rng
    if edge - -REACH < 60:
        return
    site.box("paved" if rng.random() < 0.6 else "grass", 0, edge - 90, 2 * REACH, 180)
    y = edge - rng.uniform(10, 30)
    while y > -REACH:
        depth = rng.uniform(50, 150)
        site.area("road", across_map(y), width=rng.uniform(7, 24))
        site.line(across_map(y), "white", dash=(4, 6), strength=0.5)
        if rng.random() < 0.6:
            site.zone("traffic", 0, y, 2 * REACH, 8)
        x = -REACH
        while x < REACH:
            length = rng.uniform(40, 220)
            cell(site, x + length / 2, y - depth / 2 - 6, length - 10, depth - 12)
            if rng.random() < 0.4:
                site.area("road", np.array([[x, y], [x, y - depth]]), width=rng.uniform(5, 12))
            x += length
        y -= depth
    if rng.random() < 0.6:  # the terminal's elevated drive, in carriageways that part
        forecourt(site, edge)
    for _ in range(int(rng.integers(0, 7))):  # covered bridges from the car parks to the terminal
        length = rng.uniform(20, 70)
        x, y = rng.uniform(-450, 450), edge - rng.uniform(0, 60)
        site.house(x, y, length, rng.uniform(4, 11), 8, style="flat", angle=math.pi / 2)
        if rng.random() < 0.5:
            site.house(x, y + length * 0.2, rng.uniform(12, 24), rng.uniform(8, 14), 9, style="flat")
    for _ in range(int(rng.integers(0, 3))):
        _ramp(site, rng.uniform(-500, 500), edge - rng.uniform(60, 300))


def clear(site: Site, y: float, radius: float) -> None:
    """Remove what has been put up within `radius` metres of (0, y), in place."""

    def far(points: np.ndarray) -> bool:
        return bool((np.hypot(points[:, 0], points[:, 1] - y) > radius).all())

    site.buildings = [
        b for b in site.buildings if b.style not in ("road", "track", "walkway") and far(b.points)
    ]
    site.zones = [z for z in site.zones if far(rectangle(z.x, z.y, z.length, z.width, z.angle))]


def cell(site: Site, x: float, y: float, length: float, depth: float, kind: str | None = None) -> None:
    """One block of the land: what fills the rectangle around (x, y)."""
    rng = site.rng
    kind = kind or str(rng.choice(list(_CELLS), p=_CELL_SHARES))
    _CELLS[kind](site, x, y, length, depth)


def _cell_cars(site: Site, x: float, y: float, length: float, depth: float) -> None:
    site.box("asphalt" if site.rng.random() < 0.7 else "paved", x, y, length, depth)
    site.zone("cars", x, y, length * 0.94, depth * 0.94, density=site.rng.uniform(0.2, 1))


def _cell_halls(site: Site, x: float, y: float, length: float, depth: float) -> None:
    rng = site.rng
    site.box("paved", x, y, length, depth)
    left = x - length / 2 + 4
    while left < x + length / 2 - 20:
        w = min(rng.uniform(18, 110), x + length / 2 - left - 3)
        h = depth * rng.uniform(0.4, 0.85)
        site.house(left + w / 2, y + rng.uniform(-0.1, 0.1) * depth, w, h, rng.uniform(5, 18))
        left += w + rng.uniform(4, 18)
    site.zone("trucks" if rng.random() < 0.6 else "containers", x, y + depth * 0.42, length * 0.9, 14)


def _cell_offices(site: Site, x: float, y: float, length: float, depth: float) -> None:
    rng = site.rng
    site.box("paved" if rng.random() < 0.5 else "grass", x, y, length, depth)
    for _ in range(int(rng.integers(1, 5))):
        w, h = rng.uniform(0.12, 0.5) * length, rng.uniform(0.15, 0.5) * depth
        bx, by = x + rng.uniform(-0.3, 0.3) * length, y + rng.uniform(-0.25, 0.25) * depth
        site.house(bx, by, w, h, rng.uniform(8, 45))
        if rng.random() < 0.4:
            site.house(bx, by, h * 0.5, min(w, depth * 0.9), rng.uniform(8, 45), angle=math.pi / 2)
    site.zone("trees", x, y, length, depth, density=0.25)
    site.zone("cars", x, y + depth * 0.4, length * 0.8, 16, density=0.6)


def _cell_houses(site: Site, x: float, y: float, length: float, depth: float) -> None:
    site.box("grass" if site.rng.random() < 0.6 else "paved", x, y, length, depth)
    site.zone("houses", x, y, length, depth, density=site.rng.uniform(0.5, 1))
    site.zone("trees", x, y, length, depth, density=site.rng.uniform(0, 0.6))


def _cell_park(site: Site, x: float, y: float, length: float, depth: float) -> None:
    rng = site.rng
    site.area("meadow", rounded(rectangle(x, y, length, depth), 15, closed=True))
    if rng.random() < 0.5:
        pond = rectangle(x, y, length * 0.4, depth * 0.5, rng.uniform(0, 3))
        site.area("water", rounded(pond, 20, closed=True))
    if rng.random() < 0.5:
        site.area("gravel", arc(x, y, depth * 0.35, 0, 2 * math.pi), width=4)
    site.zone("trees", x, y, length, depth, density=rng.uniform(0.3, 1.2))


def _cell_woods(site: Site, x: float, y: float, length: float, depth: float) -> None:
    site.area("forest", rounded(rectangle(x, y, length, depth), 12, closed=True))
    site.zone("trees", x, y, length + 10, depth + 10, density=0.7)


def _cell_works(site: Site, x: float, y: float, length: float, depth: float) -> None:
    site.box("soil" if site.rng.random() < 0.6 else "gravel", x, y, length, depth)
    site.zone("works", x, y, length, depth)


def _cell_tanks(site: Site, x: float, y: float, length: float, depth: float) -> None:
    site.box("gravel", x, y, length, depth)
    site.zone("tanks", x, y, length, depth)


def _cell_solar(site: Site, x: float, y: float, length: float, depth: float) -> None:
    site.box("grass", x, y, length, depth)
    site.zone("solar", x, y, length * 0.95, depth * 0.95)


def _cell_sports(site: Site, x: float, y: float, length: float, depth: float) -> None:
    rng = site.rng
    site.box("grass", x, y, length, depth)
    w, h = min(length, 100) * 0.9, min(depth, 64) * 0.9
    site.area(str(rng.choice(["meadow", "paint", "tile"])), rectangle(x, y, w, h))
    site.line(np.concatenate([rectangle(x, y, w * 0.92, h * 0.9)] * 2)[:5], "white", strength=0.7)
    site.line(np.array([[x, y - h * 0.45], [x, y + h * 0.45]]), "white", strength=0.7)
    site.line(arc(x, y, h * 0.15, 0, 2 * math.pi, 2), "white", strength=0.7)
    site.zone("trees", x, y + depth * 0.45, length, 10, density=0.8)


def _cell_yard(site: Site, x: float, y: float, length: float, depth: float) -> None:
    site.box("asphalt" if site.rng.random() < 0.5 else "gravel", x, y, length, depth)
    site.zone(str(site.rng.choice(["containers", "vehicles", "trucks"])), x, y, length * 0.9, depth * 0.9)


def _cell_deck(site: Site, x: float, y: float, length: float, depth: float) -> None:
    """A multi-storey car park with cars on its roof."""
    site.house(x, y, length * 0.9, depth * 0.85, site.rng.uniform(6, 18), style="deck")


def _cell_near(site: Site, x: float, y: float, length: float, depth: float) -> None:
    site.box("paved", x, y, length, depth)
    site.zone("near", x, y, length, depth)


def _ramp(site: Site, x: float, y: float) -> None:
    """Curved ramps and a viaduct with its shadow."""
    rng = site.rng
    radius = rng.uniform(25, 90)
    site.area("road", arc(x, y, radius, rng.uniform(0, 6), rng.uniform(7, 11)), width=rng.uniform(7, 12))
    if rng.random() < 0.25:
        points = np.array([[-REACH, y], [x - 100, y], [x, y + 60], [x + 160, y + 10], [REACH, y - 60]])
        site.build(rounded(points, 80), rng.uniform(9, 20), 7, "road")


CROPS = ("field", "meadow", "soil", "grass", "forest")
CROP_SHARES = (0.45, 0.2, 0.15, 0.13, 0.07)


def _fields(site: Site) -> None:
    """Farm land in strips, tracks, hedges, a farm, a canal."""
    rng = site.rng
    site.box("field", 0, 0, 2.2 * REACH, 2.2 * REACH)
    y = -REACH
    while y < REACH:
        depth = rng.uniform(60, 260)
        x = -REACH
        while x < REACH:
            length = rng.uniform(60, 420)
            kind = str(rng.choice(CROPS, p=CROP_SHARES))
            site.box(kind, x + length / 2, y + depth / 2, length, depth)
            if rng.random() < 0.25:
                site.zone("trees", x + length / 2, y, length, 8, density=0.8)
            if rng.random() < 0.08:
                cell(site, x + length / 2, y + depth / 2, min(length, 90), min(depth, 70), "halls")
            x += length
        if rng.random() < 0.5:
            site.area("road" if rng.random() < 0.5 else "gravel", across_map(y), width=5)
        y += depth
    if rng.random() < 0.5:
        wander = np.stack([np.linspace(-REACH, REACH, 8), rng.uniform(-150, 150, 8)], -1)
        site.area("water", rounded(wander, 100), width=rng.uniform(8, 45))


def _blocks(site: Site, weights: dict[str, float], road: tuple[float, float]) -> None:
    """A grid of streets with blocks of the given kinds."""
    rng = site.rng
    site.box("road", 0, 0, 2.2 * REACH, 2.2 * REACH)
    names, shares = list(weights), np.array(list(weights.values())) / sum(weights.values())
    y = -REACH
    while y < REACH:
        depth = rng.uniform(45, 160)
        x = -REACH
        while x < REACH:
            length = rng.uniform(50, 240)
            gap = rng.uniform(*road)
            kind = str(rng.choice(names, p=shares))
            cell(site, x + length / 2, y + depth / 2, length - gap, depth - gap, kind)
            x += length
        site.zone("traffic", 0, y, 2 * REACH, 6)
        y += depth
    for _ in range(int(rng.integers(0, 3))):
        _ramp(site, rng.uniform(-400, 400), rng.uniform(-400, 400))


def _town(site: Site) -> None:
    mix = {"houses": 5, "offices": 2, "park": 1, "cars": 1, "sports": 0.5, "works": 0.4, "near": 0.5}
    _blocks(site, mix, (7, 14))


def _industry(site: Site) -> None:
    mix = {"halls": 5, "tanks": 1, "yard": 2, "cars": 1.5, "works": 0.7, "solar": 0.4, "near": 1, "park": 0.4}
    _blocks(site, mix, (10, 22))


def _woods(site: Site) -> None:
    """Forest with clearings, a lake and a track."""
    rng = site.rng
    site.box("forest", 0, 0, 2.2 * REACH, 2.2 * REACH)
    for kind in rng.choice(["water", "meadow", "grass", "soil", "field"], 6):
        x, y = rng.uniform(-500, 500, 2)
        blob = arc(x, y, 1, 0, 2 * math.pi, 0.7)[:-1] - (x, y)
        blob = blob * rng.uniform(40, 200, (len(blob), 1)) + (x, y)
        site.area(str(kind), rounded(blob, 80, closed=True))
    site.area("gravel", rounded(rng.uniform(-REACH, REACH, (4, 2)), 90), width=5)
    if rng.random() < 0.5:
        cell(site, rng.uniform(-200, 200), rng.uniform(-200, 200), 120, 80, "houses")


def _harbour(site: Site) -> None:
    """Basins with quays, boats, container yards and sheds."""
    rng = site.rng
    _blocks(site, {"halls": 3, "yard": 4, "tanks": 1, "cars": 1, "near": 0.7}, (10, 20))
    for y in (0, 330):
        depth = rng.uniform(90, 200)
        reach = depth / 2 + 15
        site.buildings = [
            b for b in site.buildings if (np.abs(b.points[:, 1] - y) > reach + b.width / 2).all()
        ]
        site.zones = [z for z in site.zones if abs(z.y - y) > reach + z.width / 2]
        site.box("paved", 0, y, 2.2 * REACH, depth + 40)
        site.box("water", 0, y, 2.2 * REACH, depth)
        site.zone("boats", 0, y - depth * 0.4, 2 * REACH, 30)
        site.zone("boats", 0, y + depth * 0.2, 2 * REACH, 60, density=0.4)
        if rng.random() < 0.6:
            for x in np.arange(-600, 600, rng.uniform(60, 150)):
                site.house(float(x), y + depth * 0.3, depth * 0.4, 4, 1, style="flat", angle=math.pi / 2)


_CELLS = {
    "cars": _cell_cars,
    "halls": _cell_halls,
    "offices": _cell_offices,
    "houses": _cell_houses,
    "park": _cell_park,
    "woods": _cell_woods,
    "works": _cell_works,
    "tanks": _cell_tanks,
    "solar": _cell_solar,
    "sports": _cell_sports,
    "yard": _cell_yard,
    "deck": _cell_deck,
    "near": _cell_near,
}
_CELL_SHARES = np.array([5, 5, 3.5, 1.2, 1.8, 1.2, 1.0, 0.2, 0.25, 0.3, 1.6, 1.2, 0.9]) / 23.15

PLACES = {
    "town": (_town, 1.3),
    "fields": (_fields, 1.0),
    "woods": (_woods, 0.7),
    "industry": (_industry, 1.5),
    "harbour": (_harbour, 0.8),
}
