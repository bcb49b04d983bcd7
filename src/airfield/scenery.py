"""A view of a site: which stands are taken on that date, the traffic, and painting it all in order.

Shadows are gathered in one mask and darken the ground once, before what stands on it is painted.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from airfield.buildings import cast_building, paint_building
from airfield.clutter import paint_zone
from airfield.drawing import SUPERSAMPLE, Frame, Pen
from airfield.fleet import fitting_plane, scheme
from airfield.ground import paint_ground
from airfield.layout import REACH, Line, Site, Stand
from airfield.light import Sun
from airfield.nearmiss import SHAPES, near_miss
from airfield.planes import Plane, paint, paint_shadow, random_plane
from airfield.service import bridge_bars, paint_bridges, paint_mast, paint_service

_OVER = {"road": 1, "track": 1, "walkway": 2}  # what is painted after the other buildings
PAINTS = {"yellow": (214, 184, 84), "white": (236, 236, 232), "red": (186, 92, 80), "tar": (58, 58, 58)}


@dataclass(frozen=True)
class View:
    """One date: the window, the light, and how busy the site is."""

    frame: Frame
    sun: Sun
    lean: tuple[float, float]
    ambient: float
    blue: float  # how blue the light of the sky is, 0 to 1
    taken: float  # share of the stands with an aircraft
    busy: float  # vehicles
    rng: np.random.Generator


def random_view(site: Site, rng: np.random.Generator, size: int) -> View:
    """A date at a site: the window moves by up to 100 m, never turns."""
    reach = max(REACH - 0.71 * size - 100, 0.0)  # how far from its middle the map can still fill a view
    aim = np.array(site.focus) * min(1.0, reach / max(math.hypot(*site.focus), 1.0))
    shift = rng.uniform(-100, 100, 2) - Frame(site.angle, 0, 0, size).scene(aim)
    tilt, towards = rng.uniform(0, 0.32), rng.uniform(0, 2 * math.pi)
    quiet, usual, full = rng.uniform(0.05, 0.35), rng.uniform(0.35, 0.7), rng.uniform(0.7, 1.0)
    taken = float(rng.choice([quiet, usual, full], p=[0.08, 0.27, 0.65]))
    return View(
        frame=Frame(site.angle, size / 2 + shift[0], size / 2 + shift[1], size),
        sun=Sun(float(rng.uniform(0, 2 * math.pi)), float(rng.uniform(0.55, 1.25))),
        lean=(tilt * math.cos(towards), tilt * math.sin(towards)),
        ambient=float(rng.uniform(0.42, 0.7)),
        blue=float(rng.beta(1.2, 2)),
        taken=taken,
        busy=float(rng.uniform(0.3, 1.5)) * (0.4 + 0.6 * site.difficulty),
        rng=rng,
    )


def paint_view(site: Site, view: View) -> tuple[np.ndarray, list[Plane]]:
    """The canvas (2 size, 2 size, 3) uint8 and everything on it that is an aircraft or a helicopter."""
    frame, rng = view.frame, view.rng
    ground = paint_ground(site, frame)
    size = frame.size * SUPERSAMPLE
    canvas = cv2.resize(ground, (size, size), interpolation=cv2.INTER_LINEAR)
    pen = Pen(canvas, np.zeros((size, size), np.uint8), frame, view.sun, view.lean)
    parked, planes = _park(site, view)
    planes += _under_way(site, view, planes)
    arms = [(stand, bridge_bars(stand, _door(stand, plane), rng)) for stand, plane in parked]
    buildings = sorted((b for b in site.buildings if frame.sees(b.points, b.width)), key=lambda b: b.height)
    lights = [_light(stand) for stand, _ in parked if stand.seed % 4 == 0 and stand.kind != "light"]
    for line in site.lines:
        _paint_line(pen, line, site.paint)
    for building in buildings:
        cast_building(pen, building)
    for stand, bars in arms:
        paint_bridges(pen, stand, bars, site.palette["bridge"], cast=True)
    for light in lights:
        paint_mast(pen, *light, cast=True)
    for aircraft in planes:
        paint_shadow(pen.shadow, aircraft, view.sun, SUPERSAMPLE, view.lean)
    _darken(canvas, pen.shadow, view.ambient, view.blue)
    _paint_small_things(pen, site, view, parked)
    for building in sorted(buildings, key=lambda b: _OVER.get(b.style, 0)):  # viaducts pass over the rest
        paint_building(pen, building)
    for stand, bars in arms:
        paint_bridges(pen, stand, bars, site.palette["bridge"], cast=False)
    for aircraft in planes:
        paint(canvas, aircraft, view.sun, SUPERSAMPLE, view.ambient, view.lean)
    for light in lights:
        paint_mast(pen, *light, cast=False)
    if rng.random() < 0.22:  # the sun stands where polished skin and roofs throw it at the camera
        for aircraft in planes:
            if rng.random() < 0.25:
                ahead = rng.uniform(-0.35, 0.35) * aircraft.length
                x = aircraft.x + ahead * math.cos(aircraft.heading)
                y = aircraft.y + ahead * math.sin(aircraft.heading)
                _glint(canvas, x, y, rng.uniform(2.5, 8))
        for building in buildings:
            if rng.random() < 0.1 and building.style not in _OVER:
                x, y = frame.scene(building.points[rng.integers(len(building.points))])
                _glint(canvas, float(x), float(y), rng.uniform(2, 9))
    return canvas, planes


def _park(site: Site, view: View) -> tuple[list[tuple[Stand, Plane | None]], list[Plane]]:
    """The stands in sight with their guests, and the guests; none where it would touch another."""
    parked: list[tuple[Stand, Plane | None]] = []
    planes: list[Plane] = []
    for stand in site.stands:
        if not _near(stand, view.frame):
            continue
        plane = _parked(stand, view, site.difficulty)
        if plane is not None and any(
            math.hypot(plane.x - p.x, plane.y - p.y) < 0.45 * (plane.span + p.span) for p in planes
        ):
            plane = None
        parked.append((stand, plane))
        planes += [plane] if plane is not None else []
    return parked, planes


def _paint_small_things(pen: Pen, site: Site, view: View, parked: list[tuple[Stand, Plane | None]]) -> None:
    """Zones, the vehicles around the stands, and near misses."""
    for zone in site.zones:
        wanted = zone.seed % 100 < 40 + 60 * site.difficulty  # an easy world is a tidy one
        if wanted and pen.frame.sees(np.array([[zone.x, zone.y]]), math.hypot(zone.length, zone.width) / 2):
            paint_zone(pen, zone, view.rng)
    for stand, guest in parked:
        if stand.kind in ("gate", "open", "cargo") and (guest is not None or view.rng.random() < 0.5):
            paint_service(pen, stand, guest.length if guest else 0, view.rng, view.busy)
    _near_misses(pen, site, view.rng)


def _light(stand: Stand) -> tuple[float, float, float]:
    """x, y and height of the light mast before a stand."""
    height = float(np.random.default_rng(stand.seed + 5).uniform(14, 30))
    x, y = stand.nose + stand.axes[0] * 7
    return float(x), float(y), height


def _glint(canvas: np.ndarray, east: float, south: float, metres: float) -> None:
    """A dazzling spot at scene metres, with a halo, in place."""
    radius = metres * SUPERSAMPLE
    x, y = int(east * SUPERSAMPLE), int(south * SUPERSAMPLE)
    reach, size = int(3 * radius), canvas.shape[0]
    x0, x1, y0, y1 = max(x - reach, 0), min(x + reach, size), max(y - reach, 0), min(y + reach, size)
    if x0 >= x1 or y0 >= y1:
        return
    distance = np.hypot(np.arange(x0, x1)[None] - x, np.arange(y0, y1)[:, None] - y) / radius
    light = 500 * np.exp(-2.2 * distance)
    canvas[y0:y1, x0:x1] = np.minimum(canvas[y0:y1, x0:x1] + light[..., None], 255).astype(np.uint8)


def _near(stand: Stand, frame: Frame) -> bool:
    return frame.sees(stand.nose[None], stand.max_span + 45)


def _parked(stand: Stand, view: View, difficulty: float) -> Plane | None:
    """The aircraft on a stand on this date, or None."""
    rng = view.rng
    share = {
        "gate": min(0.05 + 1.08 * view.taken, 0.97),
        "store": 0.5 + view.taken / 2,
        "light": 0.35 + view.taken / 2,
    }.get(stand.kind, view.taken)
    if rng.random() > share:
        return None
    plane = fitting_plane(stand, rng, difficulty)
    if plane is None:
        return None
    wander = 0.02 if stand.kind == "gate" else 0.05
    heading = stand.heading + rng.normal(0, wander)
    if stand.kind != "gate" and rng.random() < 0.07:  # it was pushed in the other way round
        heading += math.pi
    behind = stand.axes[0] * (plane.length / 2 + rng.normal(0, 0.8))
    centre = stand.nose - behind + rng.normal(0, 0.4, 2)
    x, y = view.frame.scene(centre)
    return plane.at(x, y, heading + view.frame.angle)


def _door(stand: Stand, plane: Plane | None) -> np.ndarray | None:
    """The front left door in map metres."""
    if plane is None:
        return None
    h, left = stand.axes
    return stand.nose - h * (0.13 * plane.length) + left * 0.055 * plane.length


def _under_way(site: Site, view: View, placed: list[Plane]) -> list[Plane]:
    """Aircraft taxiing, lined up or rolling, clear of all others."""
    rng = view.rng
    out: list[Plane] = []
    count = int(rng.poisson(1.6 if site.kind == "runway" else 2.6 * view.taken + 0.8)) if site.routes else 0
    for _ in range(count):
        route = site.routes[rng.integers(len(site.routes))]
        i = rng.integers(len(route.points) - 1)
        a, b = route.points[i], route.points[i + 1]
        d = math.atan2(b[1] - a[1], b[0] - a[0]) + (math.pi if rng.random() < 0.5 else 0)
        spot = a + (b - a) * rng.random()
        kind = "wide_body" if route.max_span > 66 and rng.random() < 0.2 else None
        plane = random_plane(rng, kind=kind, max_span=route.max_span, livery=scheme(rng, site.difficulty))
        x, y = view.frame.scene(spot)
        plane = plane.at(x, y, d + view.frame.angle + rng.normal(0, 0.02))
        if view.frame.sees(spot[None], 30) and all(_clear(plane, other) for other in placed + out):
            out.append(plane)
    return out


def _clear(one: Plane, other: Plane) -> bool:
    reach = (max(one.length, one.span) + max(other.length, other.span)) / 2
    return math.hypot(one.x - other.x, one.y - other.y) > reach


def _near_misses(pen: Pen, site: Site, rng: np.random.Generator) -> None:
    """Scattered things that look like aircraft; their number grows with difficulty."""
    fixed = np.random.default_rng(int(site.palette["roof"][0] * 1e6) % 2**31)
    for _ in range(int(fixed.poisson(3 * site.difficulty))):
        x, y = fixed.uniform(-480, 480, 2)
        shape = str(fixed.choice([s for s in SHAPES if s != "cross"]))
        near_miss(pen, float(x), float(y), float(fixed.uniform(0, 6.3)), fixed, shape)


def _darken(canvas: np.ndarray, shadow: np.ndarray, ambient: float, blue: float) -> None:
    """Multiply the mask into the ground; what only the sky lights is bluer."""
    depth = np.arange(256) / 255
    tints = (0.95 - 0.4 * blue, 0.97 - 0.25 * blue, 1 + 0.08 * blue)
    tables = [1 - depth * (1 - ambient * tint) for tint in tints]
    light = cv2.merge([cv2.LUT(shadow, np.round(t * 255).astype(np.uint8)) for t in tables])
    cv2.multiply(canvas, light, dst=canvas, scale=1 / 255)


def _paint_line(pen: Pen, line: Line, fresh: float) -> None:
    if not pen.frame.sees(line.points, 5):
        return
    paint_colour = np.array(PAINTS[line.colour], float)
    mid = line.points[len(line.points) // 2]
    ground = pen.ground_at(float(mid[0]), float(mid[1]))
    colour = ground + (paint_colour - ground) * min(line.strength * fresh, 1)
    if line.dash is None:
        pen.line(line.points, colour, line.width)
        return
    on, off = line.dash
    for a, b in zip(line.points[:-1], line.points[1:], strict=True):
        length = float(np.hypot(*(b - a)))
        starts = np.arange(0, length, on + off)[:, None]
        pieces = np.stack([a + (b - a) * t / length for t in (starts, np.minimum(starts + on, length))], 1)
        for piece in pieces[pen.frame.sees_each(pieces, 5)]:
            pen.line(piece, colour, line.width)
