"""Things that look like aircraft and are none: crosses, forks, masts, cranes, tents, crossed marks, statues.

They are what a classifier must learn to refuse; difficulty decides how many there are.
"""

import math

import numpy as np

from airfield.drawing import Pen, rectangle
from airfield.layout import Zone

TONES = np.array(
    [(245, 245, 242), (215, 214, 210), (165, 168, 170), (196, 192, 184), (232, 234, 238), (216, 190, 100)]
)
SHARES = (0.28, 0.22, 0.15, 0.15, 0.15, 0.05)  # how often each tone is seen
SHAPES = ("cross", "tee", "fork", "mast", "crane", "dart", "marks", "tents", "body", "star")


def paint_near(pen: Pen, zone: Zone, rng: np.random.Generator, shapes: tuple[str, ...] = SHAPES) -> None:
    """One to three near misses inside the zone."""
    for _ in range(int(rng.integers(1, 4))):
        u, v = rng.uniform(-0.4, 0.4, 2) * (zone.length, zone.width)
        x = zone.x + u * math.cos(zone.angle) - v * math.sin(zone.angle)
        y = zone.y + u * math.sin(zone.angle) + v * math.cos(zone.angle)
        near_miss(pen, x, y, float(rng.uniform(0, 2 * math.pi)), rng, str(rng.choice(shapes)))


def near_miss(pen: Pen, x: float, y: float, angle: float, rng: np.random.Generator, shape: str) -> None:
    """One near miss at map metres."""
    if not pen.frame.sees(np.array([[x, y]]), 60):
        return
    tone = TONES[rng.choice(6, p=SHARES)] + rng.normal(0, 6)
    bars, height = _bars(shape, rng)
    for u, v, length, width, turn in bars:
        cx, cy = x + u * math.cos(angle) - v * math.sin(angle), y + u * math.sin(angle) + v * math.cos(angle)
        body = rectangle(cx, cy, length, width, angle + turn)
        if height:
            pen.cast(body, height, height * 0.8 if shape in ("mast", "crane") else 0)
        pen.block(body, min(height, 12), np.clip(tone * rng.normal(1, 0.05), 0, 255))


def _bars(
    shape: str, rng: np.random.Generator
) -> tuple[list[tuple[float, float, float, float, float]], float]:
    """Bars (u, v, length, width, turn) of a shape, and its height in metres (0: paint on the ground)."""
    r, q = rng.uniform(14, 48), math.pi / 2
    w = rng.uniform(1.5, 5)
    if shape == "cross":  # a cross-shaped building
        across = (rng.uniform(-0.15, 0.15) * r, 0, r * rng.uniform(0.5, 1), w * 1.3, q)
        return [(0, 0, r, w * 1.6, 0), across], rng.uniform(4, 12)
    if shape == "tee":  # containers or trailers in a T
        return [(0, 0, r * 0.6, 2.6, 0), (r * 0.3, 0, r * 0.5, 2.6, q), (-r * 0.25, 0, 6, 2.5, q)], 3
    if shape == "fork":  # walkways that fork
        turns = rng.uniform(0.4, 1.2, 2) * (1, -1)
        arms = [(r * 0.25 * math.cos(t), r * 0.25 * math.sin(t), r * 0.5, 3.5, t) for t in turns]
        return [(-r * 0.25, 0, r * 0.5, 4, 0), *arms], 6
    if shape == "mast":  # a floodlight mast or a wind mill: thin arms, long shadow
        one, other = rng.uniform(4, 14, 2)
        return [(0, 0, one, 1, 0), (0, 0, other, 1, q), (0, 0, 2.5, 2.5, 0)], rng.uniform(18, 40)
    if shape == "crane":  # a long jib with its counterweight
        return [(r * 0.35, 0, r, 1.5, 0), (-r * 0.22, 0, 6, 3.5, 0), (0, 0, 2.5, 2.5, 0)], rng.uniform(25, 50)
    if shape == "dart":  # a swept roof or sail
        t = rng.uniform(0.4, 0.8)
        return [(0, r * 0.15, r * 0.5, w, t), (0, -r * 0.15, r * 0.5, w, -t)], rng.uniform(0, 7)
    if shape == "marks":  # crossing bright marks on the ground
        return [(0, 0, r, 1.5, 0), (0, 0, r * 0.8, 1.5, q), (r * 0.3, 0, r * 0.3, 1.2, q)], 0
    if shape == "tents":  # white tents and sheds close together
        return [(k * 9.0, rng.normal(0, 2), 8, 8, rng.uniform(0, 3)) for k in range(-2, 3)], 4
    if shape == "body":  # a long bright vehicle or pipe: a fuselage without wings
        return [(0, 0, r * 0.9, rng.uniform(3, 5), 0), (-r * 0.4, 0, rng.uniform(5, 12), 3, q)], 4
    count = int(rng.integers(3, 6))
    angles = [k * 2 * math.pi / count for k in range(count)]
    return [(r * 0.2 * math.cos(t), r * 0.2 * math.sin(t), r * 0.4, w, t) for t in angles], 8
