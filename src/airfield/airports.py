"""Maps of airports: aprons with every usual shape of terminal, cargo, light aviation, military, runways.

Each `AIRPORTS` entry fills a Site; airside is towards +y, landside towards -y, before the site's rotation.
"""

import math

import numpy as np

from airfield.aprons import apron, outer_rows, pier
from airfield.drawing import arc
from airfield.layout import REACH, Site
from airfield.movement import flat_ground, runway_and_taxiways, taxilane
from airfield.places import landside
from airfield.stands import gates_along, stand_block, stand_row
from airfield.terminals import bays, combs, curved, horseshoe


def _linear(site: Site) -> None:
    """A long terminal along the apron."""
    depth = apron(site, site.rng.uniform(110, 220))
    width = site.rng.uniform(24, 60)
    x0, x1 = -site.rng.uniform(250, 700), site.rng.uniform(250, 700)
    site.build(np.array([[x0, -width / 2], [x1, -width / 2]]), width, 14)
    if site.rng.random() < 0.6:
        site.house(site.rng.uniform(-150, 150), -width - 50, site.rng.uniform(120, 330), 95, 22)
    gates_along(site, (x0, 0), (x1, 0))
    outer_rows(site, 100, depth)


def _piers(site: Site) -> None:
    """Parallel piers that stick out into the apron."""
    rng = site.rng
    length, count = rng.uniform(150, 330), int(rng.integers(2, 5))
    depth = apron(site, length + rng.uniform(60, 120))
    pitch = rng.uniform(150, 240)
    site.build(np.array([[-pitch * count / 2, -30], [pitch * count / 2, -30]]), 60, 20)
    width = rng.uniform(16, 36)
    style = str(rng.choice(["flat", "ribs", "units", "domes", "vault", "skylights"]))
    for i in range(count):
        x = (i - (count - 1) / 2) * pitch
        pier(site, (x, 0), math.pi / 2 + rng.normal(0, 0.02), length * rng.uniform(0.85, 1), width, style)
        if rng.random() < 0.5:
            site.house(x, length, rng.uniform(25, 60), rng.uniform(25, 60), 14)
    taxilane(site, length + 45, 60)
    outer_rows(site, length + 70, depth)


def _star(site: Site) -> None:
    """Satellites with arms, circles or polygons, tied to a terminal by a thin corridor."""
    rng = site.rng
    depth = apron(site, rng.uniform(330, 460))
    site.build(np.array([[-260, -35], [260, -35]]), 70, 20)
    middle = rng.uniform(150, 200)
    for x in rng.uniform(-60, 60) + np.array([[0], [-230, 230]][rng.integers(2)]):
        site.build(np.array([[x, 0], [x, middle]]), rng.uniform(5, 12), 8, "flat")
        if rng.random() < 0.5:
            arms, turn = int(rng.integers(3, 6)), rng.uniform(0, 1.5)
            for k in range(arms):
                length, width = rng.uniform(75, 120), rng.uniform(14, 24)
                pier(site, (x, middle), turn + k * 2 * math.pi / arms, length, width)
            site.build(arc(x, middle, 15, 0, 2 * math.pi), 32, 16, "flat")
        else:
            sides, radius = int(rng.choice([6, 8, 24])), rng.uniform(28, 60)
            ring = arc(x, middle, radius, 0, 2 * math.pi, 2 * math.pi * radius / sides)
            site.build(ring, rng.uniform(16, 30), 14)
            if rng.random() < 0.6:
                site.house(x, middle, radius, radius, 17)
            for a, b in zip(ring[:-1], ring[1:], strict=True):
                if sides < 10 or rng.random() < 0.4:
                    gates_along(site, b * 1.0 + _out(b, x, middle, 14), a + _out(a, x, middle, 14), margin=0)
    outer_rows(site, 330, depth)


def _cross(site: Site) -> None:
    """Piers that cross or fork: X, Y, T and H."""
    rng = site.rng
    depth = apron(site, rng.uniform(380, 480))
    site.build(np.array([[-230, -40], [230, -40]]), 80, 24)
    style = str(rng.choice(["domes", "flat", "units", "vault", "ribs"]))
    turn = rng.uniform(-0.5, 0.5)
    stem, width = rng.uniform(120, 190), rng.uniform(18, 34)
    pier(site, (0, 0), math.pi / 2, stem, width, style)
    for side in (-1, 1):
        angle = math.pi / 2 + side * rng.uniform(0.7, 1.6) + turn
        pier(site, (0, stem), angle, rng.uniform(110, 210), width, style)
    if rng.random() < 0.6:
        pier(site, (0, stem), math.pi / 2 + turn / 2, rng.uniform(90, 170), width, style)
    site.build(arc(0, stem, width * 0.5, 0, 2 * math.pi), width, 18, "flat")
    outer_rows(site, 370, depth)


def _remote(site: Site) -> None:
    """Open stands in rows, no terminal in sight or just its edge."""
    depth = apron(site, site.rng.uniform(260, 430), hole=site.rng.random() < 0.5)
    outer_rows(site, 15, depth)
    if site.rng.random() < 0.5:
        _hangars(site, -60)


def _cargo(site: Site) -> None:
    """Sheds with trucks on one side, freighters on the other."""
    depth = apron(site, site.rng.uniform(150, 260))
    x = -700.0
    while x < 700:
        length, width = site.rng.uniform(90, 260), site.rng.uniform(45, 90)
        site.house(x + length / 2, -width / 2 - 8, length, width, 14, style=_shed(site))
        site.box("paved", x + length / 2, -width - 36, length, 54)
        site.zone("trucks", x + length / 2, -width - 30, length * 0.95, 26)
        site.zone("containers", x + length / 2, 9, length * 0.9, 16)
        ends = (x + 10, 28), (x + length - 10, 28)
        stand_row(site, *ends, math.pi / 2 * 3, kind="cargo", spans=(36, 52, 65, 68))
        x += length + site.rng.uniform(8, 45)
    outer_rows(site, 110, depth)


def _maintenance(site: Site) -> None:
    """Hangars and aircraft stored side by side."""
    depth = apron(site, site.rng.uniform(260, 420))
    _hangars(site, -8)
    stand_block(site, -650, 60, 1300, depth - 90, kind="store")


def _light(site: Site) -> None:
    """A field for light aircraft and business jets, with a short runway."""
    rng = site.rng
    flat_ground(site)
    landside(site, -70)
    depth = rng.uniform(70, 150)
    site.box(str(rng.choice(["concrete", "asphalt"])), 0, depth / 2 - 5, rng.uniform(350, 800), depth)
    runway_and_taxiways(site, depth, small=True)
    _hangars(site, -10, small=True)
    stand_block(site, -rng.uniform(150, 380), 18, rng.uniform(300, 760), depth - 25, kind="light")
    for _ in range(int(rng.integers(1, 4))):
        x = rng.uniform(-380, 300)
        stand_block(site, x, depth + 8, rng.uniform(60, 200), 45, kind="light")


def _military(site: Site) -> None:
    """Fighters in rows or in front of shelters, transports, loops of taxiway."""
    rng = site.rng
    depth = apron(site, rng.uniform(120, 260))
    stand_row(site, (-600, 40), (600, 40), math.pi / 2 * 3, kind="military", spans=(14, 18, 22))
    if rng.random() < 0.6:
        stand_row(site, (-600, 90), (600, 90), math.pi / 2 * 3 + 0.4, kind="military", spans=(16, 20, 40))
    _hangars(site, -15)
    for x in np.arange(-620, 620, rng.uniform(75, 120)):
        y = depth + 75 + rng.uniform(-8, 8)
        site.area("taxiway", np.array([[x, depth], [x + 5, y]]), width=12)
        site.house(x + 5, y + 12, 26, 20, 7, style="vault", angle=math.pi / 2)
        if rng.random() < 0.3:
            stand_row(site, (x - 3, y - 22), (x + 13, y - 22), math.pi / 2, kind="military", spans=(14,))


def _runway(site: Site) -> None:
    """Runways and taxiways only."""
    flat_ground(site)
    runway_and_taxiways(site, site.rng.uniform(-420, -100), tied=False)
    if site.rng.random() < 0.5:
        runway_and_taxiways(site, site.rng.uniform(120, 200), tied=False)
    for _ in range(6):
        site.zone("near", site.rng.uniform(-500, 500), site.rng.uniform(-500, 500), 50, 50, density=0.5)


def _midfield(site: Site) -> None:
    """An island concourse: stands on both sides, taxiways all around."""
    rng = site.rng
    flat_ground(site)
    half = rng.uniform(130, 200)
    site.box("concrete", 0, 0, 2 * REACH, 2 * half)
    width, length = rng.uniform(22, 46), rng.uniform(500, 1200)
    site.build(np.array([[-length / 2, 0], [length / 2, 0]]), width, 15)
    gates_along(site, (-length / 2, width / 2), (length / 2, width / 2))
    gates_along(site, (length / 2, -width / 2), (-length / 2, -width / 2))
    taxilane(site, half - 35, 70)
    taxilane(site, -half + 35, 70)
    runway_and_taxiways(site, half)
    runway_and_taxiways(site, -half, up=True)


def _hangars(site: Site, y: float, small: bool = False) -> None:
    x = -650.0
    while x < 650:
        length = site.rng.uniform(*((16, 50) if small else (50, 140)))
        width = site.rng.uniform(*((14, 30) if small else (45, 90)))
        if site.rng.random() < 0.75:
            height = site.rng.uniform(7, 22)
            site.house(x + length / 2, y - width / 2, length, width, height, style=_shed(site))
        x += length + site.rng.uniform(4, 60)


def _shed(site: Site) -> str:
    return str(site.rng.choice(["flat", "corrugated", "gable", "vault", "ribs", "skylights", "sawtooth"]))


def _out(point: np.ndarray, x: float, y: float, metres: float) -> np.ndarray:
    away = point - (x, y)
    return away / np.linalg.norm(away) * metres


AIRPORTS = {
    "linear": (_linear, 1.7),
    "piers": (_piers, 2.2),
    "star": (_star, 1.4),
    "curved": (curved, 1.5),
    "cross": (_cross, 1.5),
    "midfield": (_midfield, 1.3),
    "horseshoe": (horseshoe, 1.7),
    "combs": (combs, 1.7),
    "bays": (bays, 1.7),
    "remote": (_remote, 0.9),
    "cargo": (_cargo, 0.8),
    "maintenance": (_maintenance, 0.5),
    "light": (_light, 0.35),
    "military": (_military, 0.25),
    "runway": (_runway, 0.7),
}
