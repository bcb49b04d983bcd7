"""Zones of small things: cars, trucks, containers, trees, houses, tanks, boats, works, and near misses.

Each painter fills one Zone; positions come from the zone's seed, what changes between dates from the view.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from airfield.drawing import Pen, rectangle, rectangles
from airfield.layout import Zone
from airfield.nearmiss import paint_near

Palette = tuple[np.ndarray, np.ndarray]  # (K, 3) colours and how often each is seen, (K,)
CARS: Palette = np.array(
    [(238, 238, 238), (225, 226, 228), (190, 192, 195), (150, 152, 156), (100, 103, 108), (58, 60, 64),
     (45, 46, 50), (70, 84, 120), (140, 60, 54), (176, 160, 130)], float,
), np.array([5, 3, 3, 2, 2, 3, 3, 1, 1, 1]) / 24  # fmt: skip
TRUCKS: Palette = np.array(
    [(244, 244, 242), (250, 250, 250), (225, 222, 214), (205, 205, 205), (218, 190, 70), (196, 74, 60),
     (70, 100, 160), (90, 130, 100), (110, 112, 114), (225, 130, 50)], float,
), np.array([6, 4, 2, 2, 1, 1, 1, 0.6, 1.5, 0.6]) / 19.7  # fmt: skip
HOUSE_ROOFS = np.array([(164, 92, 68), (150, 104, 84), (120, 116, 112), (190, 184, 172), (104, 84, 72)])


def paint_zone(pen: Pen, zone: Zone, view: np.random.Generator) -> None:
    """Paint one zone; `view` decides what changes from date to date (which cars are there)."""
    _PAINTERS[zone.kind](pen, zone, np.random.default_rng(zone.seed), view)


def paint_boxes(
    pen: Pen, x: np.ndarray, y: np.ndarray, length: np.ndarray | float, width: np.ndarray | float,
    angle: np.ndarray | float, tones: np.ndarray, height: float,
) -> None:  # fmt: skip
    """Many small boxes at map metres, with short shadows; those in a deep shadow are dark."""
    if not len(x):
        return
    p = pen.frame.scene(np.stack([x, y], -1))
    seen = ((p > -12) & (p < pen.frame.size + 12)).all(1)
    x, y, length, width, angle = (np.broadcast_to(v, seen.shape)[seen] for v in (x, y, length, width, angle))
    tones = np.asarray(tones)[seen] * (1 - 0.55 * pen.shade_at(np.stack([x, y], -1)))[:, None]
    shapes = rectangles(x, y, length, width, angle)
    dx, dy = pen.sun.shadow(height)
    c, s = math.cos(pen.frame.angle), math.sin(pen.frame.angle)
    shift = np.array([c * dx + s * dy, -s * dx + c * dy])
    ground = pen.ground_at(float(x[0]), float(y[0])) if len(x) else np.zeros(3)
    dark = np.broadcast_to(ground * 0.5, tones.shape)
    pen.fill_many(shapes + shift * 0.8, dark)
    pen.fill_many(shapes + shift * 0.35, dark)
    pen.fill_many(shapes, np.clip(tones, 0, 255))


def tones(rng: np.random.Generator, count: int, palette: Palette) -> np.ndarray:
    """(count, 3) colours drawn from a palette, slightly varied."""
    colours, shares = palette
    return colours[rng.choice(len(colours), count, p=shares)] + rng.normal(0, 7, (count, 1))


def _spread(zone: Zone, u: Any, v: Any) -> tuple[Any, Any]:
    """Zone coordinates (u along, v across, from its middle), numbers or arrays, to map metres."""
    c, s = math.cos(zone.angle), math.sin(zone.angle)
    return zone.x + u * c - v * s, zone.y + u * s + v * c


def _cars(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """Double rows of cars with lanes between; a view fills a part of them."""
    pitch = rng.uniform(2.5, 2.9)
    rows, lane, v = [], rng.uniform(5, 7), -zone.width / 2 + 3
    while v < zone.width / 2 - 2:
        rows += [v, v + 5.0] if v + 7 < zone.width / 2 else [v]
        v += 10 + lane
    u = np.arange(-zone.length / 2 + 2, zone.length / 2 - 2, pitch)
    if not rows or not len(u):
        return
    uu, vv = (g.ravel() for g in np.meshgrid(u, rows))
    for v in rows[:-1:2]:
        x, y = _spread(zone, np.array([u[0], u[-1]]), np.array([v + 2.5, v + 2.5]))
        pen.line(np.stack([x, y], -1), pen.ground_at(float(x[0]), float(y[0])) * 1.12, 0.5)
    clump = np.sin(uu / 17 + zone.seed) + np.sin(vv / 11) + view.normal(0, 1, len(uu))
    level = np.clip(zone.density * view.uniform(0.4, 1.15), 0.03, 0.97)
    keep = clump <= np.quantile(clump, level)
    x, y = _spread(zone, uu[keep], vv[keep])
    count = len(x)
    slant = zone.angle + math.pi / 2 + (rng.choice([0, 0, 0.4]))
    paint_boxes(
        pen, x + view.normal(0, 0.2, count), y + view.normal(0, 0.2, count), view.normal(4.4, 0.4, count),
        view.normal(1.85, 0.12, count), slant, tones(view, count, CARS), 1.5,
    )  # fmt: skip


def _traffic(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """Cars under way on a road."""
    count = int(zone.length / view.uniform(12, 60))
    u = view.uniform(-0.5, 0.5, count) * zone.length
    v = view.choice([-0.3, 0.3], count) * zone.width
    x, y = _spread(zone, u, v)
    long = np.where(view.random(count) < 0.12, view.uniform(9, 16, count), 4.5)
    paint_boxes(pen, x, y, long, 2.0, zone.angle, tones(view, count, CARS), 1.6)


def _trucks(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """Trucks and trailers side by side."""
    u = np.arange(-zone.length / 2 + 3, zone.length / 2 - 3, rng.uniform(3.6, 5))
    for v in np.arange(-zone.width / 2 + 7, zone.width / 2 - 6, rng.uniform(16, 30)):
        here = u[view.random(len(u)) < view.uniform(0.15, 0.8)]
        x, y = _spread(zone, here, np.full(len(here), v))
        long = view.choice([7, 12, 14, 16], len(here)) * 1.0
        tone = tones(view, len(here), TRUCKS)
        paint_boxes(pen, x, y, long, 2.7, zone.angle + math.pi / 2, tone, 3.4)


def _containers(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """Containers, pallets and carts in rows with gaps; some stand across (T and L shapes)."""
    small = zone.width < 25 or rng.random() < 0.4
    a, b = (2.2, 1.7) if small else (rng.choice([6.2, 12.2]), 2.5)
    u = np.arange(-zone.length / 2 + a, zone.length / 2 - a, a + rng.uniform(0.2, 1.0))
    v = np.arange(-zone.width / 2 + b, zone.width / 2 - b, b * rng.choice([1.1, 1.5, 2.6]))
    if not len(u) or not len(v):
        return
    uu, vv = (g.ravel() for g in np.meshgrid(u, v))
    clump = np.sin(uu / 13 + zone.seed) + np.sin(vv / 4 + zone.seed) + view.normal(0, 0.6, len(uu))
    keep = clump > view.uniform(-1, 1) + 1 - zone.density
    x, y = _spread(zone, uu[keep], vv[keep])
    angle = zone.angle + np.where(view.random(len(x)) < 0.05, math.pi / 2, 0)
    paint_boxes(pen, x, y, a, b, angle, tones(view, len(x), TRUCKS), 1.6 if small else 3)


def _vehicles(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """Ground equipment parked in rows: carts, steps, loaders, tugs."""
    v = -zone.width / 2 + 3
    while v < zone.width / 2 - 3:
        long, wide = rng.uniform(2.5, 11), rng.uniform(1.6, 3.2)
        u = np.arange(-zone.length / 2 + wide, zone.length / 2 - wide, wide + rng.uniform(0.4, 2.5))
        here = u[view.random(len(u)) < zone.density * view.uniform(0.1, 0.9)]
        x, y = _spread(zone, here, np.full(len(here), v + long / 2))
        same, count = rng.random() < 0.6, len(here)
        tone = np.broadcast_to(tones(rng, 1, TRUCKS) if same else tones(view, count, TRUCKS), (count, 3))
        paint_boxes(pen, x, y, long, wide, zone.angle + math.pi / 2, tone, 2)
        v += long + rng.uniform(1, 5)


def _sheds(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """Low annexes, stairs, canopies and dark recesses along a facade."""
    u = -zone.length / 2
    while u < zone.length / 2 - 4:
        long, wide = rng.uniform(3, 16), rng.uniform(2, zone.width)
        x, y = _spread(zone, u + long / 2, -zone.width / 2 + wide / 2)
        body = rectangle(x, y, long, wide, zone.angle)
        if rng.random() < 0.65 and pen.frame.sees(body, 10):
            tone = np.full(3, rng.choice([70, 120, 160, 200, 238])) + rng.normal(0, 8)
            pen.block(body, 4, np.clip(tone, 0, 255))
        u += long + rng.uniform(0, 9)


def _trees(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """Trees in clumps or rows, each with a shadow and a lit side."""
    count = int(min(zone.density * zone.length * zone.width / 90, 500))
    if rng.random() < 0.4 or zone.width < 15:
        u = np.linspace(-0.5, 0.5, max(count, 2)) * zone.length
        v = rng.choice([-0.4, 0.4], len(u)) * zone.width
    else:
        heart = rng.uniform(-0.5, 0.5, (max(count // 12, 1), 2))
        pick = heart[rng.integers(len(heart), size=count)] + rng.normal(0, 0.09, (count, 2))
        u, v = (np.clip(pick, -0.5, 0.5) * (zone.length, zone.width)).T
    x, y = _spread(zone, u, v)
    p = pen.frame.scene(np.stack([x, y], -1))
    seen = ((p > -10) & (p < pen.frame.size + 10)).all(1)
    green = np.array([50, 64, 42]) * rng.uniform(0.75, 1.3) + rng.normal(0, 5, 3)
    r = rng.uniform(1.4, 4.2, len(x))
    c, s = math.cos(pen.frame.angle), math.sin(pen.frame.angle)
    dx, dy = pen.sun.shadow(1.0)
    ux, uy = c * dx + s * dy, -s * dx + c * dy
    for i in np.flatnonzero(seen):
        for k in (0.6, 1.3):
            pen.disc(x[i] + ux * r[i] * k, y[i] + uy * r[i] * k, r[i] * 0.9, green * 0.42)
    length = math.hypot(ux, uy) + 1e-6
    for i in np.flatnonzero(seen):
        tone = green * rng.uniform(0.85, 1.15)
        pen.disc(x[i], y[i], r[i], tone * 0.8)
        pen.disc(x[i] - ux / length * r[i] * 0.35, y[i] - uy / length * r[i] * 0.35, r[i] * 0.6, tone * 1.35)


def _houses(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """Small gabled or flat houses in rows."""
    tile = HOUSE_ROOFS[rng.integers(5)]
    step_u, step_v = rng.uniform(11, 22), rng.uniform(18, 32)
    for v in np.arange(-zone.width / 2 + 9, zone.width / 2 - 6, step_v):
        for u in np.arange(-zone.length / 2 + 7, zone.length / 2 - 5, step_u):
            if rng.random() > zone.density:
                continue
            x, y = _spread(zone, u + rng.normal(0, 1), v + rng.normal(0, 2))
            if not pen.frame.sees(np.array([x, y]), 15):
                continue
            angle = zone.angle + rng.choice([0, math.pi / 2]) + rng.normal(0, 0.06)
            length, width = rng.uniform(8, 16), rng.uniform(6, 10)
            body = rectangle(x, y, length, width, angle)
            pen.cast(body, rng.uniform(4, 8))
            tone = tile * rng.normal(1, 0.1)
            if rng.random() < 0.2:
                tone = np.full(3, rng.uniform(170, 245))
            lit = math.cos(pen.sun.azimuth - pen.frame.angle - angle - math.pi / 2)
            for side in (-1, 1):
                mid_x = x - math.sin(angle) * width / 4 * side
                mid_y = y + math.cos(angle) * width / 4 * side
                half = rectangle(mid_x, mid_y, length, width / 2, angle)
                pen.fill(half, np.clip(tone * (1 + 0.28 * side * lit), 0, 255))
            if rng.random() < 0.06:
                pen.fill(rectangle(x + 9, y + 9, 8, 4, angle), (90, 180, 200))


def _tanks(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """Round tanks with a lit top."""
    r = rng.uniform(5, 14)
    for v in np.arange(-zone.width / 2 + r, zone.width / 2 - r, 2.6 * r):
        for u in np.arange(-zone.length / 2 + r, zone.length / 2 - r, 2.6 * r):
            x, y = _spread(zone, u, v)
            a = np.linspace(0, 2 * math.pi, 16, endpoint=False)
            pen.cast(np.stack([x + r * np.cos(a), y + r * np.sin(a)], -1), 10)
            tone = rng.choice([235, 205, 170])
            pen.disc(x, y, r, (tone * 0.8,) * 3)
            pen.disc(x, y, r * 0.9, (tone,) * 3, 3)


def _solar(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """Rows of dark blue panels."""
    for v in np.arange(-zone.width / 2 + 3, zone.width / 2 - 2, 6):
        x, y = _spread(zone, np.array([-0.5, 0.5]) * zone.length, np.array([v, v]))
        pen.line(np.stack([x, y], -1), (52, 62, 84), 3)


def _boats(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """Bright pointed hulls at a quay or under way."""
    for _ in range(int(zone.density * zone.length / 22)):
        u, v = view.uniform(-0.5, 0.5, 2) * (zone.length, zone.width)
        x, y = _spread(zone, u, v)
        long = float(view.choice([6, 9, 12, 20, 45]))
        a = zone.angle + view.choice([0, math.pi / 2]) + view.normal(0, 0.1)
        c, s, w = math.cos(a), math.sin(a), long * 0.14
        hull = np.array([(0.5, 0), (0.25, 1), (-0.5, 0.8), (-0.5, -0.8), (0.25, -1)]) * (long, w)
        pen.fill(hull @ np.array([[c, s], [-s, c]]) + (x, y), np.full(3, view.uniform(190, 250)))


def _works(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    """A building site: heaps, half-built slabs, cabins, machines, a crane."""
    for _ in range(int(zone.length * zone.width / 260) + 4):
        u, v = view.uniform(-0.5, 0.5, 2) * (zone.length, zone.width)
        x, y = _spread(zone, u, v)
        ground = pen.ground_at(x, y)
        size = view.uniform(1.5, 14, 2)
        heap = view.random() < 0.7
        tone = ground * view.uniform(0.6, 1.5) if heap else tones(view, 1, TRUCKS)[0]
        body = rectangle(x, y, size[0], size[1], zone.angle + view.choice([0, view.uniform(0, 3)]))
        pen.fill(body, np.clip(tone, 0, 255))
    if rng.random() < 0.5:
        paint_near(pen, zone, rng, ("crane",))


def _near(pen: Pen, zone: Zone, rng: np.random.Generator, view: np.random.Generator) -> None:
    paint_near(pen, zone, rng)


_PAINTERS: dict[str, Callable[[Pen, Zone, np.random.Generator, np.random.Generator], None]] = {
    "cars": _cars, "traffic": _traffic, "trucks": _trucks, "containers": _containers, "vehicles": _vehicles,
    "trees": _trees, "houses": _houses, "tanks": _tanks, "solar": _solar, "boats": _boats, "works": _works,
    "near": _near, "sheds": _sheds,
}  # fmt: skip
