"""Buildings of a view: shadows, walls, and the roofs that real airports have.

A roof is drawn along its band (`Strip`), so one code serves boxes, piers and curved terminals.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np

from airfield.drawing import SHIFT, Pen, Strip, fixed, rectangles
from airfield.layout import Building


def cast_building(pen: Pen, building: Building) -> None:
    """The building's shadow."""
    base = building.height * 0.6 if building.style in ("road", "track", "walkway") else 0.0
    for piece in Strip(building.points, building.width).pieces():
        pen.cast(piece, building.height, base)


def paint_building(pen: Pen, building: Building) -> None:
    """Walls and roof."""
    rng = np.random.default_rng(building.seed)
    strip = Strip(building.points, building.width)
    for piece in strip.pieces():
        pen.block(piece, building.height, building.colour * rng.normal(1, 0.05))
    if strip.length < 6 or strip.width < 5:
        return
    roof = _Roof(pen, strip, building.height, building.colour, rng)
    if rng.random() < 0.7 and building.style not in ("road", "track"):  # a parapet, lit or dark
        edge = np.clip(building.colour * rng.choice([0.72, 0.85, 1.15]), 0, 255)
        for side in (-1, 1):
            t = np.linspace(0, strip.length, max(2, len(strip.points)))
            line = strip.at(t, np.full(len(t), side * (strip.width / 2 - 0.6)))
            pen.line(line, edge, 1.0, building.height)
    _ROOFS[building.style](roof)


class _Roof:
    """What a roof style needs: quadrilaterals and boxes in (along, across) metres, at the roof's height."""

    def __init__(
        self, pen: Pen, strip: Strip, height: float, colour: np.ndarray, rng: np.random.Generator
    ) -> None:
        self.pen, self.strip, self.height, self.colour, self.rng = pen, strip, height, colour, rng
        self.length, self.half = strip.length, strip.width / 2

    def quad(self, t0: float, t1: float, s0: float, s1: float, colour: np.ndarray) -> None:
        """A flat patch."""
        self.pen.fill(self.strip.patch(t0, t1, s0, s1), np.clip(colour, 0, 255), self.height)

    def box(self, t: float, s: float, length: float, width: float, rise: float, colour: np.ndarray) -> None:
        """A small box that stands on the roof, with its shadow."""
        points = self.strip.patch(t - length / 2, t + length / 2, s - width / 2, s + width / 2)
        shift = np.array(self.pen.sun.shadow(rise))
        p = self.pen.frame.scene(points) + np.multiply(self.pen.lean, self.height)
        hull = cv2.convexHull(np.concatenate([p, p + shift]).astype(np.float32))[:, 0]
        dark = tuple((self.colour * 0.45).tolist())

        cv2.fillConvexPoly(self.pen.canvas, fixed(hull), dark, cv2.LINE_AA, SHIFT)
        self.pen.fill(points, np.clip(colour, 0, 255), self.height + rise)

    def tilt(self, lean: float) -> float:
        """Brightness of a plane that falls away from the axis by `lean` (sine) to the right."""
        d = self.strip.at(np.array([0.0, self.length]), np.zeros(2))
        v = self.pen.frame.scene(d)
        axis = math.atan2(v[1, 1] - v[0, 1], v[1, 0] - v[0, 0])
        facing = math.cos(self.pen.sun.azimuth - axis - math.pi / 2)
        return 1 + lean * facing / math.tan(max(self.pen.sun.elevation, 0.3))


def _flat(roof: _Roof) -> None:
    """Patches of other felt, plant rooms, air conditioners."""
    rng = roof.rng
    for _ in range(int(rng.integers(0, 3 + int(roof.length // 60)))):
        t, s = rng.uniform(0, roof.length), rng.uniform(-0.6, 0.6) * roof.half
        w, h = rng.uniform(0.05, 0.4) * roof.length, rng.uniform(0.2, 0.9) * roof.half
        t0, t1, tone = max(t - w / 2, 0), min(t + w / 2, roof.length), roof.colour * rng.uniform(0.8, 1.15)
        roof.quad(t0, t1, s - h / 2, s + h / 2, tone)
    _plant(roof, rng.uniform(0.2, 1.4))


def _plant(roof: _Roof, density: float) -> None:
    """Boxes that cast small shadows: one by one, and in rows."""
    rng = roof.rng
    count = min(int(density * roof.length * roof.half / 220) + 1, 60)
    for _ in range(count):
        size = rng.uniform(1.5, min(9, roof.half * 0.8), 2)
        t, s = rng.uniform(2, roof.length - 2), rng.uniform(-0.75, 0.75) * roof.half
        tone = np.full(3, rng.choice([235, 200, 150, 110, 80])) + rng.normal(0, 6, 3)
        roof.box(t, s, size[0], size[1], rng.uniform(0.8, 3.5), tone)
    if rng.random() < 0.35 and roof.length > 25:
        step, s = rng.uniform(4, 12), rng.uniform(-0.6, 0.6) * roof.half
        tone = np.full(3, rng.choice([230, 190, 90]))
        for t in np.arange(5, roof.length - 5, step):
            roof.box(float(t), s, step * 0.4, min(3.0, roof.half * 0.4), 1.2, tone)


def _ribs(roof: _Roof) -> None:
    """Bands across the roof, in turn brighter and darker."""
    rng = roof.rng
    step, share = rng.uniform(3, 18), rng.uniform(0.12, 0.5)
    tone = roof.colour * rng.choice([0.55, 0.75, 0.88, 1.15])
    inset = rng.choice([1.0, 1.0, 0.85, 0.7])
    for t in np.arange(step / 2, roof.length - step * share, step):
        roof.quad(t, t + step * share, -roof.half * inset, roof.half * inset, tone)
    _plant(roof, 0.15)


def _corrugated(roof: _Roof) -> None:
    """Fine lines across, a ridge, and panels of slightly different age."""
    rng = roof.rng
    step = max(4, roof.length / 12)
    for t in np.arange(0, roof.length - 4, step):
        tone = roof.colour * rng.normal(1, 0.035)
        roof.quad(t, min(t + step, roof.length), -roof.half, roof.half, tone)
        for s in (-0.5, 0.5):
            if rng.random() < 0.5:
                s0, s1 = s * roof.half - roof.half * 0.3, s * roof.half + roof.half * 0.3
                roof.quad(t + step * 0.4, t + step * 0.55, s0, s1, tone * 0.85)
    roof.quad(0, roof.length, -0.5, 0.5, roof.colour * 0.8)


def _units(roof: _Roof) -> None:
    """The same unit again and again: a frame with a darker or lighter heart."""
    rng = roof.rng
    step = rng.uniform(9, 28)
    heart, rim = roof.colour * rng.choice([0.5, 0.7, 1.12]), roof.colour * rng.choice([0.8, 0.9, 1.1])
    width = rng.uniform(0.4, 0.85) * roof.half
    for t in np.arange(2, roof.length - step, step):
        roof.quad(t + step * 0.08, t + step * 0.92, -roof.half * 0.95, roof.half * 0.95, rim)
        roof.quad(t + step * 0.25, t + step * 0.75, -width, width, heart)
        if step > 14:
            roof.box(t + step / 2, 0, step * 0.2, roof.half * 0.3, 1.5, roof.colour * 1.1)


def _skylights(roof: _Roof) -> None:
    """Rows of small dark or bright lights."""
    rng = roof.rng
    step = rng.uniform(5, 14)
    rows = np.linspace(-0.75, 0.75, int(rng.integers(2, 7))) * roof.half
    tone = np.array((70, 86, 96)) if rng.random() < 0.6 else np.array((246, 246, 246))
    length = step * rng.uniform(0.25, 0.7)
    for t in np.arange(step, roof.length - step, step)[:60]:
        for s in rows:
            roof.quad(t, t + length, s - 0.9, s + 0.9, tone)
    _plant(roof, 0.2)


def _gable(roof: _Roof) -> None:
    """Two slopes, lit differently."""
    for side in (-1, 1):
        roof.quad(0, roof.length, 0, side * roof.half, roof.colour * roof.tilt(0.2 * side))
    if roof.rng.random() < 0.4:
        _plant(roof, 0.2)


def _vault(roof: _Roof) -> None:
    """A barrel: brightness runs across."""
    edges = np.linspace(-1, 1, 9)
    t = np.linspace(0, roof.length, max(2, min(len(roof.strip.points) * 2, 60)))
    for a, b in zip(edges[:-1], edges[1:], strict=True):
        tone = np.clip(roof.colour * roof.tilt(0.22 * (a + b) / 2), 0, 255)
        for t0, t1 in zip(t[:-1], t[1:], strict=True):
            roof.quad(t0, t1, a * roof.half, b * roof.half, tone)
    if roof.rng.random() < 0.5:
        step = roof.rng.uniform(6, 20)
        for x in np.arange(step, roof.length, step):
            roof.quad(x, x + 0.8, -roof.half, roof.half, roof.colour * 0.75)


def _sawtooth(roof: _Roof) -> None:
    """Saw teeth: a bright slope and a dark glass face."""
    step = roof.rng.uniform(6, 14)
    for t in np.arange(0, roof.length - step, step):
        roof.quad(t, t + step * 0.7, -roof.half * 0.96, roof.half * 0.96, roof.colour * 1.06)
        roof.quad(t + step * 0.7, t + step, -roof.half * 0.96, roof.half * 0.96, roof.colour * 0.5)


def _domes(roof: _Roof) -> None:
    """Bright shells side by side over a dark roof."""
    rng = roof.rng
    roof.quad(0, roof.length, -roof.half, roof.half, roof.colour * 0.45)
    step = rng.uniform(13, 30)
    a = np.linspace(0, 2 * math.pi, 20, endpoint=False)
    for t in np.arange(step / 2, roof.length - step / 2 + 1, step):
        shell = roof.strip.at(t + np.cos(a) * step * 0.46, np.sin(a) * roof.half * rng.uniform(0.9, 1.1))
        roof.pen.fill(shell, (248, 248, 244), roof.height)
        lit = roof.strip.at(t + np.cos(a) * step * 0.2, np.sin(a) * roof.half * 0.8)
        roof.pen.fill(lit, (226, 228, 228), roof.height)


def _complex(roof: _Roof) -> None:
    """Several levels: blocks of other heights and tones upon each other."""
    rng = roof.rng
    for _ in range(int(rng.integers(2, 5 + int(roof.length // 25)))):
        length = rng.uniform(0.05, 0.35) * min(roof.length, 120)
        width = rng.uniform(0.25, 0.9) * roof.half
        t = rng.uniform(length / 2, max(roof.length - length / 2, length / 2 + 0.1))
        s = rng.uniform(-1, 1) * (roof.half - width / 2)
        tone = roof.colour * rng.uniform(0.6, 1.3) + rng.normal(0, 5, 3)
        roof.box(t, s, length, width, rng.uniform(1, 7), tone)
    _plant(roof, 0.7)


def _deck(roof: _Roof) -> None:
    """Cars on the top deck of a car park."""
    rng = roof.rng
    rows = np.arange(-roof.half + 4, roof.half - 3, 5.5)
    t = np.arange(4, roof.length - 4, 2.7)
    tt, ss = (g.ravel() for g in np.meshgrid(t, rows))
    keep = rng.random(len(tt)) < rng.uniform(0.2, 0.8)
    p = roof.strip.at(tt[keep], ss[keep])
    d = roof.strip.points[-1] - roof.strip.points[0]
    tones = rng.choice([60, 110, 160, 220, 245], len(p))[:, None] + rng.normal(0, 8, (len(p), 3))
    cars = rectangles(p[:, 0], p[:, 1], 1.8, 4.4, math.atan2(d[1], d[0]))
    shift = np.multiply(roof.pen.lean, roof.height) @ np.array(
        [[math.cos(roof.pen.frame.angle), -math.sin(roof.pen.frame.angle)],
         [math.sin(roof.pen.frame.angle), math.cos(roof.pen.frame.angle)]]
    )  # fmt: skip
    roof.pen.fill_many(cars + shift, np.clip(tones, 0, 255))


def _road(roof: _Roof) -> None:
    """A viaduct: lane marks."""
    t = np.linspace(0, roof.length, 40)
    for s in (-roof.half + 0.7, 0, roof.half - 0.7):
        roof.pen.line(roof.strip.at(t, np.full(40, s)), roof.colour * (1.25 if s else 1.15), 0.5, roof.height)


def _track(roof: _Roof) -> None:
    """A people mover or a drive under a roof: dark edges, bright kerbs, a paler middle."""
    rng = roof.rng
    t = np.linspace(0, roof.length, max(8, min(int(roof.length / 8), 80)))
    edge, kerb = rng.uniform(0.14, 0.34) * 2 * roof.half, roof.colour * rng.uniform(1.2, 1.6)
    dark = roof.colour * rng.uniform(0.22, 0.5)
    sides = (-1, 1) if rng.random() < 0.6 else (float(rng.choice([-1, 1])),)
    for side in sides:
        line = roof.strip.at(t, np.full(len(t), side * (roof.half - edge / 2)))
        roof.pen.line(line, dark, edge, roof.height)
        line = roof.strip.at(t, np.full(len(t), side * (roof.half - edge - 0.4)))
        roof.pen.line(line, np.clip(kerb, 0, 255), rng.choice([0.5, 1.0]), roof.height)
    if rng.random() < 0.5:
        line = roof.strip.at(t, np.zeros(len(t)))
        roof.pen.line(line, roof.colour * rng.choice([0.6, 1.2]), rng.choice([0.5, 1.0]), roof.height)


_ROOFS: dict[str, Callable[[_Roof], None]] = {
    "flat": _flat,
    "ribs": _ribs,
    "corrugated": _corrugated,
    "units": _units,
    "skylights": _skylights,
    "gable": _gable,
    "vault": _vault,
    "sawtooth": _sawtooth,
    "domes": _domes,
    "complex": _complex,
    "deck": _deck,
    "road": _road,
    "track": _track,
    "walkway": lambda roof: None,
}
