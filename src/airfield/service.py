"""What stands around a parked aircraft: jet bridges at its door, tugs, loaders, carts, trucks, light masts.

Jet bridges at empty stands, folded away in any direction, are the hardest false alarms of real airports.
"""

import math

import numpy as np

from airfield.clutter import TRUCKS, paint_boxes, tones
from airfield.drawing import Pen, bar_at, rectangle
from airfield.layout import Stand

BRIDGE_HEIGHT = 5.5


def bridge_bars(stand: Stand, door: np.ndarray | None, view: np.random.Generator) -> list[np.ndarray]:
    """The arms of a stand's jet bridges, each (4, 2) map metres: root, elbow, rotunda, cab.

    door: (2,) where the aircraft's front door is, or None at an empty stand.
    """
    if stand.root is None or not stand.bridges:
        return []
    rng = np.random.default_rng(stand.seed)
    h, left = stand.axes
    root = np.array(stand.root)
    depth = max(float((root - stand.nose) @ h), 4.0)
    rotunda = root - h * depth * rng.uniform(0.1, 0.9) + left * rng.normal(0, 2.5)
    elbow = (root + rotunda) / 2
    if rng.random() < 0.35:  # a fixed walkway with a corner: along the facade, then out
        root = root + left * rng.choice([-1, 1]) * rng.uniform(6, 22)
        elbow = root - h * depth * rng.uniform(0.1, 0.9)
    spread = float(rng.choice([0.12, 0.35, 0.6, 1.0]))  # folded arms of one rotunda: a bundle, pair or fan
    arms = []
    for k in range(stand.bridges):
        if door is not None and k < 2:
            target = door - h * (k * rng.uniform(8, 12)) + left * 0.3
        elif k == 2:  # over the far side, or folded
            target = rotunda + left * rng.uniform(10, 22) - h * rng.uniform(4, 14)
        else:
            turn = rng.normal(0.2, 0.6) + view.normal(0, 0.15) + spread * (k - 0.5 * (stand.bridges - 1))
            reach = view.uniform(15, 34)
            target = rotunda - h * math.cos(turn) * reach - left * math.sin(turn) * reach
        away = target - rotunda
        length = max(float(np.hypot(*away)), 1.0)
        target = rotunda + away / length * np.clip(length, 9, 42)
        arms.append(np.stack([root, elbow, rotunda, target]))
    return arms


def paint_bridges(pen: Pen, stand: Stand, arms: list[np.ndarray], tone: np.ndarray, cast: bool) -> None:
    """The bridges of a stand (or, with `cast`, their shadows)."""
    rng = np.random.default_rng(stand.seed + 1)
    tone = tone * rng.normal(1, 0.05)
    for arm in arms:
        rotunda = arm[2]
        for a, b, width in zip(arm[:-1], arm[1:], (3.6, 3.6, 3.0), strict=True):
            d = b - a
            length, turn = float(np.hypot(*d)), math.atan2(d[1], d[0])
            if length < 1.5:
                continue
            body = bar_at((a + b) / 2, length, width, turn)
            if cast:
                pen.cast(body, BRIDGE_HEIGHT + 1.5, 2.5)
                continue
            side = np.array([-d[1], d[0]]) / length
            lit = math.cos(pen.sun.azimuth - pen.frame.angle - turn - math.pi / 2)
            pen.block(body, BRIDGE_HEIGHT, tone)
            edge = np.stack([a, b]) - side * np.sign(lit) * width * 0.36
            pen.line(edge, tone * 0.72, 0.5, BRIDGE_HEIGHT)
            if width == 3.0:  # the outer, wider half of the telescope, the wheels, the cab
                half = bar_at(a * 0.25 + b * 0.75, length / 2, width + 0.9, turn)
                pen.fill(half, np.clip(tone * 1.05, 0, 255), BRIDGE_HEIGHT)
                pen.fill(bar_at(a * 0.22 + b * 0.78, 1.5, 6.0, turn), tone * 0.45)
                head = turn + rng.uniform(-0.6, 0.6)
                roof = np.clip(tone * rng.choice([0.6, 0.9, 1.05]), 0, 255)
                pen.block(bar_at(b, 4.4, 4.6, head), BRIDGE_HEIGHT, roof)
        if cast:
            pen.cast(bar_at(rotunda, 5, 5), BRIDGE_HEIGHT + 1.5)
        else:
            pen.disc(rotunda[0], rotunda[1], 3.3, np.clip(tone * 0.93, 0, 255), BRIDGE_HEIGHT)
            pen.disc(rotunda[0], rotunda[1], 1.6, tone * 0.8, BRIDGE_HEIGHT)


def paint_service(pen: Pen, stand: Stand, length: float, view: np.random.Generator, busy: float) -> None:
    """Vehicles around an aircraft on its stand; length 0: the few that wait at an empty stand."""
    h, left = stand.axes
    size, items = max(length, 0.8 * stand.max_span), []

    def put(back: float, aside: float, long: float, wide: float, turn: float) -> None:
        items.append((*(stand.nose - h * back - left * aside), long, wide, stand.heading + turn))

    count = view.poisson((3.8 if length else 2.5) * busy)
    for _ in range(count):
        kind = view.random()
        side = view.choice([-1, 1])
        if length and kind < 0.18:  # belt loaders and high loaders at the holds, on the right
            put(size * view.choice([0.25, 0.68]), view.uniform(6, 9), view.uniform(6, 9), 2.4, math.pi / 2)
        elif kind < 0.45:  # trains of carts
            back, aside, turn = view.uniform(0.1, 0.9) * size, side * view.uniform(7, 14), view.normal(0, 0.5)
            for k in range(int(view.integers(2, 7))):
                put(back + 3.4 * k * math.cos(turn), aside + 3.4 * k * math.sin(turn), 2.6, 1.6, turn)
        elif kind < 0.6:  # catering and fuel trucks
            back, aside = view.uniform(0.25, 0.8) * size, side * view.uniform(5.5, 15)
            put(back, aside, view.uniform(5, 10), 2.4, view.choice([0, math.pi / 2, 0.4]))
        elif kind < 0.75:  # in front of the nose
            back, aside, long = -view.uniform(2, 9), view.normal(0, 9), view.uniform(3, 8)
            put(back, aside, long, 2.3, view.choice([0, math.pi / 2]))
        else:  # anywhere beside
            back, aside = view.uniform(-0.1, 1.1) * size, side * view.uniform(8, stand.max_span * 0.5 + 4)
            put(back, aside, view.uniform(2.5, 6), 2, view.uniform(0, 3.1))
    if length and view.random() < 0.6:  # the tug at the nose
        put(-3.5, 0, view.uniform(5, 8), 2.8, 0)
    if not items:
        return
    x, y, long, wide, turn = np.array(items).T
    tone = tones(view, len(x), TRUCKS) * view.uniform(0.6, 1.0, (len(x), 1))
    paint_boxes(pen, x, y, long, wide, turn, tone, 2.2)


def paint_mast(pen: Pen, x: float, y: float, height: float, cast: bool) -> None:
    """A light mast: a small head and a long thin shadow."""
    if cast:
        pen.cast(rectangle(x, y, 0.6, 0.6), height, strength=170)
        pen.cast(rectangle(x, y, 3, 3), height, height - 1, strength=200)
        return
    pen.line(np.array([[x, y], [x, y]]), (190, 190, 190), 1.0)
    pen.disc(x, y, 1.3, (225, 225, 222), height * 0.6)
