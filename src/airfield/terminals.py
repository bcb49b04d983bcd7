"""Terminals whose surroundings are all gates: curved ones, horseshoes, parallel concourses, bays of piers.

Airside is towards +y, landside towards -y, before the site's rotation; horseshoes have both on both sides.
"""

import math

import numpy as np

from airfield.aprons import apron, outer_rows, pier
from airfield.drawing import arc, rounded
from airfield.drives import band, forecourt, ring_drives
from airfield.layout import REACH, Site, across_map
from airfield.movement import apron_marks, flat_ground, runway_and_taxiways, taxilane
from airfield.places import clear, landside
from airfield.stands import gates_along, gates_around, stand_block


def curved(site: Site) -> None:
    """A terminal along an arc with gates outside, drives and car parks in its hollow."""
    rng = site.rng
    radius = rng.uniform(130, 420)
    depth = apron(site, rng.uniform(160, 260), hole=False)
    half = min(rng.uniform(200, 420) / radius, 1.7)
    width = rng.uniform(22, 50)
    cy = -radius - width / 2 + rng.uniform(0, 60)
    start, stop = math.pi / 2 - half, math.pi / 2 + half
    clear(site, cy, radius + width / 2 + 85)
    site.area("paved", arc(0, cy, radius, 0, 2 * math.pi))
    site.area("concrete", arc(0, cy, radius, start, stop, 12), width=width + 190)
    site.area("paved", arc(0, cy, radius - width / 2, 0, 2 * math.pi))
    _wing(site, (0.0, cy), radius, width, (start, stop))
    inner = max(radius - width - 120, 20) * 1.2
    site.zone("cars", 0, cy, inner, inner * 0.8)
    outer_rows(site, 120, depth)


def horseshoe(site: Site) -> None:
    """Semicircular terminals on one or both sides of a bundle of roads, ringed by close gates."""
    rng = site.rng
    flat_ground(site)
    site.box("concrete", 0, 0, 2.2 * REACH, 2.2 * REACH)
    radius, width = rng.uniform(95, 170), rng.uniform(16, 32)
    road, open_by = rng.uniform(30, 70), rng.uniform(-0.15, 0.45)
    pitch = 2 * radius + width + rng.uniform(120, 190)
    first = rng.uniform(-0.5, 0.5) * pitch
    sides = (-1, 1) if rng.random() < 0.6 else (1,)
    apron_marks(site, 300)
    for side in sides:
        cy = side * (road + radius * math.sin(max(open_by, 0)) + 32)
        far = cy + side * (radius + width + 95)
        taxilane(site, far, 66)
        if abs(far) < REACH - 120:
            runway_and_taxiways(site, far + side * 40, up=side < 0)
        for x in first + pitch * np.arange(-2, 3):
            if abs(x) > REACH - 60:
                continue
            kind = "paved" if rng.random() < 0.6 else "grass"
            site.area(kind, arc(x, cy, radius - width / 2, 0, 2 * math.pi))
            start, stop = sorted((side * -open_by, side * (math.pi + open_by)))
            _wing(site, (float(x), cy), radius, width, (start, stop))
            kind, inner = str(rng.choice(["cars", "cars", "trees"])), max(radius - width - 70, 14)
            site.zone(kind, x, cy, 1.3 * inner, inner, density=rng.uniform(0.4, 1))
    site.box("paved" if rng.random() < 0.6 else "grass", 0, 0, 2 * REACH, 2 * road - 4)
    for y in np.arange(-road + 10, road - 8, rng.uniform(14, 28)):  # the bundle of roads
        points = across_map(y)
        site.area("road", points, width=rng.uniform(7, 14))
        site.zone("traffic", 0, float(y), 2 * REACH, 7)
        if rng.random() < 0.4:
            band(site, points)
    site.focus = (0.0, rng.uniform(0.4, 1.1) * (road + radius))


def combs(site: Site) -> None:
    """Long parallel concourses with gates on both sides: nothing in view but stands."""
    rng = site.rng
    flat_ground(site)
    half = rng.uniform(230, 420)
    site.box("concrete", 0, 0, 2.2 * REACH, 2 * half)
    apron_marks(site, half)
    pitch, width = rng.uniform(165, 250), rng.uniform(13, 30)
    style = str(rng.choice(["flat", "ribs", "units", "vault", "skylights", "complex"]))
    first = rng.uniform(-0.5, 0.5) * pitch
    for x in first + pitch * np.arange(-4, 5):
        if abs(x) > REACH:
            continue
        length = half - rng.uniform(50, 80)
        site.build(np.array([[x, -length], [x, length]]), width, 12, style)
        hub = rng.uniform(-40, 40)
        if rng.random() < 0.6:  # the station in the middle
            site.house(float(x), hub, width + rng.uniform(10, 40), rng.uniform(24, 60), 15)
        if rng.random() < 0.4:
            site.house(float(x), length, width * 1.8, rng.uniform(20, 45), 13)
        for low, high in ((-length, hub - 25), (hub + 25, length)):
            gates_along(site, (x - width / 2, low), (x - width / 2, high))
            gates_along(site, (x + width / 2, high), (x + width / 2, low))
        lane = np.array([[x + pitch / 2, -half], [x + pitch / 2, half]])
        site.line(lane)
    taxilane(site, half - 18, 70)
    taxilane(site, -half + 18, 70)
    runway_and_taxiways(site, half)
    if rng.random() < 0.5:
        runway_and_taxiways(site, -half, up=True)
    else:
        landside(site, -half - 20)


def bays(site: Site) -> None:
    """A terminal with close piers, straight, bent or with heads: bays full of aircraft."""
    rng = site.rng
    length = rng.uniform(150, 290)
    depth = apron(site, length + rng.uniform(70, 130), hole=rng.random() < 0.5)
    pitch, width = rng.uniform(150, 215), rng.uniform(14, 30)
    site.build(across_map(-22), 44, 18)
    forecourt(site, -48)
    lean = rng.normal(0, 0.12)
    style = str(rng.choice(["flat", "ribs", "units", "vault", "skylights", "complex"]))
    first = rng.uniform(-0.5, 0.5) * pitch
    for x in first + pitch * np.arange(-4, 5):
        if abs(x) > REACH:
            continue
        angle, reach = math.pi / 2 + lean + rng.normal(0, 0.04), length * rng.uniform(0.75, 1)
        pier(site, (float(x), 0.0), angle, reach, width, style)
        tip = np.array([x + reach * math.cos(angle), reach * math.sin(angle)])
        if rng.random() < 0.35 and pitch > 180:  # a head across
            wide = rng.uniform(35, 70)
            site.house(float(tip[0]), float(tip[1]), wide, width, 13, style=style)
            gates_along(site, tip + (-wide / 2, width / 2), tip + (wide / 2, width / 2), margin=0)
        if rng.random() < 0.6:  # gates at the end of the bay
            a, b = x + width / 2 + 45, x + pitch - width / 2 - 45
            gates_along(site, (a, 0), (b, 0), margin=0)
    taxilane(site, length + 40, 66)
    stand_block(site, -650, length + 60, 1300, depth - length - 70)
    if rng.random() < 0.5:
        curve = np.array([[-REACH, -60], [-120, -60], [0, -100], [120, -60], [REACH, -60]])
        band(site, rounded(curve, 100))
    site.focus = (0.0, rng.uniform(0.45, 0.8) * length)


def _wing(
    site: Site, centre: tuple[float, float], radius: float, width: float, angles: tuple[float, float]
) -> None:
    """One curved terminal building: gates and a gallery along its outer wall, drives along its inner one."""
    rng, (x, y), (start, stop) = site.rng, centre, angles
    site.build(arc(x, y, radius, start, stop, 12), width, 15)
    outer = radius + width / 2
    if rng.random() < 0.65:  # a track or service road on stilts, under the bridges
        off = rng.uniform(1, 9)
        curve = arc(x, y, outer + off, start, stop, 9)
        band(site, curve, stubs=rng.random() < 0.4, width=rng.uniform(4, 9))
    gates_around(site, x, y, outer, start + 0.04, stop - 0.04)
    ring_drives(site, x, y, radius - width / 2, start, stop)
