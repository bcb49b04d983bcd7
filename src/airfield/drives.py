"""Elevated drives, people movers and walkways at terminals: curved dark-edged bands that bright bars cross.

Seen from above, a bar across a band is the cross of wing and fuselage: a classifier must learn to refuse it.
"""

import math

import numpy as np

from airfield.drawing import Strip, arc, rounded
from airfield.layout import REACH, Site, across_map


def forecourt(site: Site, edge: float) -> None:
    """The elevated drive before a terminal whose land side begins at y = edge, with what crosses it."""
    rng = site.rng
    x, bend, spread = rng.uniform(-250, 250), rng.uniform(15, 90), rng.uniform(90, 240)
    gap = 0.0
    for lane in range(int(rng.integers(1, 4))):
        y = edge - 14 - gap
        ends = y - gap * rng.uniform(0.2, 1)
        points = np.array(
            [[-REACH, ends], [x - spread, y - bend], [x, y], [x + spread, y - bend], [REACH, ends]]
        )
        if rng.random() < 0.3:  # straight along the facade
            points = across_map(y)
        band(site, rounded(points, 90) if len(points) > 2 else points, stubs=lane == 0 or rng.random() < 0.5)
        gap += rng.uniform(12, 26)


def band(site: Site, points: np.ndarray, *, stubs: bool = True, width: float | None = None) -> None:
    """One carriageway or track on stilts along a polyline, mostly with bright stubs across."""
    rng = site.rng
    width = width or rng.uniform(5, 13)
    height = rng.uniform(5, 9)
    site.build(points, width, height, str(rng.choice(["road", "track", "track"])))
    if stubs:
        crossings(site, points, width, height)


def crossings(site: Site, points: np.ndarray, width: float, height: float) -> None:
    """Walkways, stairs and ramps at right angles to a band: some over it, some that end at it (T)."""
    rng = site.rng
    strip = Strip(points, width)
    step = rng.uniform(16, 70)
    base, wide = rng.uniform(10, 26), rng.uniform(2.6, 5.0)
    t = rng.uniform(5, step)
    while t < strip.length - 5:
        reach = base * rng.uniform(0.6, 1.6)
        shape = rng.random()
        low, high = (-reach / 2, reach / 2) if shape < 0.55 else (-width * 0.3, reach)
        if shape > 0.8:
            low, high = -high, -low
        bar = strip.at(np.array([t, t + rng.normal(0, 1.5)]), np.array([low, high]))
        if rng.random() < 0.85:
            top = height + (1.5 if rng.random() < 0.8 else -1.5)
            site.build(bar, wide * rng.uniform(0.8, 1.25), top, "walkway")
        if rng.random() < 0.3:  # a stair house or lift at its end
            p = bar[rng.integers(2)]
            length, depth = rng.uniform(4, 9), rng.uniform(4, 7)
            site.house(float(p[0]), float(p[1]), length, depth, height + 2, style="walkway")
        t += step * rng.uniform(0.5, 1.5)


def ring_drives(site: Site, x: float, y: float, radius: float, start: float, stop: float) -> None:
    """Drives in the hollow of a curved terminal, from its inner wall at `radius` inwards, and car rows."""
    rng = site.rng
    r = radius - rng.uniform(5, 12)
    for lane in range(int(rng.integers(1, 5))):
        if r < 30:
            return
        width = rng.uniform(5, 13)
        curve = arc(x, y, r, start, stop, 9)
        if rng.random() < 0.75:
            band(site, curve, stubs=lane < 2 and rng.random() < 0.85, width=width)
        else:
            site.area("road", curve, width=width)
        r -= width + rng.uniform(4, 14)
        if rng.random() < 0.6 and r > 40:
            car_rows(site, x, y, r - 8, start, stop)
            r -= 22


def car_rows(site: Site, x: float, y: float, radius: float, start: float, stop: float) -> None:
    """Short car parks one after the other along an arc."""
    rng = site.rng
    site.area("asphalt", arc(x, y, radius, start, stop), width=19)
    count = max(1, int(abs(stop - start) * radius / rng.uniform(22, 45)))
    size = abs(stop - start) * radius / count
    for a in start + (np.arange(count) + 0.5) * (stop - start) / count:
        px, py = x + radius * math.cos(a), y + radius * math.sin(a)
        site.zone("cars", px, py, size * 0.95, 17, a + math.pi / 2, density=rng.uniform(0.4, 1))
