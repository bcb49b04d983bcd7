"""The airframe: which parts a shape has, in painter's order and in three layers by height."""

import math

import numpy as np

from airfield.liveries import Color, Livery
from airfield.parts import Mesh, Part, flat_ellipse, flat_rectangle, mirrored, mix, pack, tube
from airfield.planforms import Kind, Shape, Surface, wing

GLASS: Color = (0.24, 0.25, 0.27)
EXHAUST: Color = (0.30, 0.29, 0.28)
METAL: Color = (0.82, 0.83, 0.85)
BODY_STRIPS = np.array([-1.0, -0.88, -0.64, -0.24, 0.24, 0.64, 0.88, 1.0])
ENGINE_STRIPS = np.array([-1.0, -0.62, 0.62, 1.0])


def build(shape: Shape, kind: Kind, livery: Livery, rng: np.random.Generator) -> Mesh:
    """The mesh of an aircraft; small details (flap lines, winglets, panels) are drawn from `rng`."""
    if kind.engines == "rotor":
        return _helicopter(shape, livery, rng)
    surface = wing(shape, kind.high_wing)
    wings = _engines(shape, kind, livery, surface) + _wings(shape, kind, livery, surface, rng)
    body = _fuselage(shape, kind, livery)
    if kind.engines == "rear":
        body = body + _rear_engines(shape, livery)
    tail, fin = _tailplane(shape, kind, livery), _fin(shape, kind, livery)
    low, high = ([], tail) if kind.t_tail else (tail, [])
    under, over = (low + body, wings) if kind.high_wing else (wings + low, body)
    wing_z, body_z = float(surface.z[0]), shape.body_z + 0.35 * shape.width
    levels = (body_z, wing_z) if kind.high_wing else (wing_z, body_z)
    return pack([(levels[0], under), (levels[1], over), (shape.fin_top, fin + high)])


def _wings(
    shape: Shape, kind: Kind, livery: Livery, surface: Surface, rng: np.random.Generator
) -> list[Part]:
    half, root = shape.span / 2, 0.45 * shape.width
    rise = float((surface.z[-1] - surface.z[0]) / half)
    airliner = kind.engines in ("under", "rear") and kind.paint == "airline"
    flat, forward, back = (0.0, -rise, 1.0), (rng.uniform(0.1, 0.3), -rise, 1.0), (-0.14, -rise, 1.0)
    slat = METAL if airliner and rng.uniform() < 0.35 else livery.wing
    flap, line, hinge = rng.uniform(0.92, 1.02), rng.uniform(0.74, 0.99), rng.uniform(0.66, 0.72)
    pods = rng.uniform(0.002, 0.018)
    panel_end = rng.uniform(0.55, 0.95) * half
    parts = []
    if airliner:  # the pods of the flap tracks show behind the trailing edge
        for y in (rng.uniform(0.16, 0.26, 4) + [0.0, 0.18, 0.36, 0.52]) * half:
            x, chord, z = surface.at(float(y))
            pod = 0.008 * half + 0.10
            parts.append(flat_rectangle(x - 0.75 * chord, x - chord - pods * half, y, pod, z, livery.wing))
    parts += [
        Part(surface.strip(0, half), livery.wing, flat, livery.gloss / 3, outline=True),
        Part(surface.strip(root, 0.97 * half, 0, 0.13), slat, forward, 0.2),
        Part(surface.strip(root, panel_end, 0.15, 0.64), livery.panel, flat, 0.1),
        Part(surface.strip(root, 0.97 * half, 0.74, 1.0), mix(livery.wing, flap), back),
    ]
    if shape.span > 18:
        spoiler = surface.strip(root, 0.74 * half, hinge, hinge + 0.05)
        parts.append(Part(spoiler, mix(livery.wing, line), flat))
    if airliner and shape.rake < 0.3 and rng.uniform() < 0.5:
        parts.append(_winglet(surface, half, rng.uniform(0.045, 0.07) * shape.span, livery))
    parts = mirrored(parts)
    if rng.uniform() < 0.15:  # a registration on one wing
        side = int(rng.choice((-1, 1)))
        letters = surface.strip(0.45 * half, 0.68 * half, 0.36, 0.5) * [1, side, 1]
        parts.append(Part(letters, mix(livery.wing, 0.6), (0.0, -rise * side, 1.0)))
    if not kind.high_wing and kind.paint != "military":  # the fairing between wing and body
        x, chord, z = surface.at(root)
        parts.append(flat_ellipse(x + 0.10 * chord, x - 1.12 * chord, 0.60 * shape.width, z, livery.body))
    return parts


def _winglet(surface: Surface, half: float, height: float, livery: Livery) -> Part:
    x, chord, z = surface.at(half)
    out = half + 0.25 * height
    points = [
        [x, half, z],
        [x - chord, half, z],
        [x - chord - 0.5 * height, out, z + height],
        [x - 0.8 * chord - 0.3 * height, out, z + height],
    ]
    return Part(np.array(points), livery.winglet, (0.0, -0.95, 0.3), 0.2, outline=True)


def _engines(shape: Shape, kind: Kind, livery: Livery, surface: Surface) -> list[Part]:
    """Nacelles under the wing, which is painted over them, or propellers with theirs, or one on the nose."""
    if kind.engines == "nose":
        return [_propeller(shape.length / 2, 0.0, shape)]
    parts: list[Part] = []
    for i in range(kind.count if kind.engines in ("under", "propeller") else 0):
        y = (shape.engine_y + i * (0.30 if kind.engines == "propeller" else 0.285)) * shape.span / 2
        x, chord, z = surface.at(y)
        if kind.engines == "propeller":
            front = x + 0.52 * shape.diameter
            width, length = 0.31 * shape.diameter, 0.75 * shape.diameter + 1.05 * chord
            parts.append(_propeller(front, y, shape))
        else:
            width, length = shape.diameter, 1.8 * shape.diameter
            front = x + (0.60 if i == 0 else 0.72) * length
        parts += _nacelle(front, y, width, length, z - 0.6 * width, livery)
    return mirrored(parts)


def _rear_engines(shape: Shape, livery: Livery) -> list[Part]:
    """Two nacelles at the rear fuselage, on pylons."""
    d, z = shape.diameter, shape.body_z + 0.12 * shape.width
    front, y = -0.215 * shape.length, 0.43 * shape.width + 0.62 * d
    pylon = flat_rectangle(front - 0.8 * d, front - 1.9 * d, 0.0, y, z, livery.body)
    return [pylon, *mirrored(_nacelle(front, y, d, 2.55 * d, z, livery))]


def _nacelle(front: float, y: float, width: float, length: float, z: float, livery: Livery) -> list[Part]:
    t = np.array([0.0, 0.07, 0.3, 0.7, 1.0])
    half = np.array([0.84, 0.97, 1.0, 0.86, 0.55]) * width / 2
    zones = ((0.0, 0.10, METAL), (0.10, 0.84, livery.engine), (0.84, 1.0, EXHAUST))
    return tube(
        front=front, length=length, t=t, half=half, y=y, z=z, zones=zones, gloss=livery.gloss,
        lateral=ENGINE_STRIPS,
    )  # fmt: skip


def _propeller(x: float, y: float, shape: Shape) -> Part:
    """A turning propeller from above: a faint line across the flight direction."""
    line = flat_rectangle(x + 0.15, x - 0.15, y, shape.diameter / 2, shape.body_z, (0.30, 0.30, 0.31))
    return Part(line.points, line.color, alpha=0.4)


def _fuselage(shape: Shape, kind: Kind, livery: Livery) -> list[Part]:
    """The body lit like a cylinder, more outlines at other heights for its shadow, windows, nozzles."""
    length, width, z = shape.length, shape.width, shape.body_z
    t, half, glass = _profile(shape, kind)
    half = half * width / 2
    zones: tuple[tuple[float, float, Color], ...] = ((0.0, 1.0, livery.body),)
    if livery.zone < 1:
        zones = ((0.0, livery.zone, livery.body), (livery.zone, 1.0, livery.zone_color))
    slant = livery.slant * width / length
    parts = tube(
        front=length / 2, length=length, t=t, half=half, z=z, zones=zones, gloss=livery.gloss,
        lateral=BODY_STRIPS, slant=slant,
    )  # fmt: skip
    outline = parts[0]
    for shift in (-0.3 * width, 0.3 * width):
        moved = outline.points + [0.0, 0.0, shift]
        parts.insert(0, Part(moved, livery.body, outline=True, visible=False))
    if livery.title:
        for y in (-0.3, 0.3):
            color = mix(livery.body, 1 - livery.title, livery.fin)
            parts.append(flat_rectangle(0.34 * length, 0.20 * length, y * width, 0.06 * width, z, color))
    if kind.engines == "buried":
        for y in (-0.24 * width, 0.24 * width) if width > 2.1 else (0.0,):
            parts.append(flat_rectangle(1.2 - length / 2, -length / 2, y, 0.42 * shape.diameter, z, EXHAUST))
    start, stop, share = glass
    across = share * float(np.interp(start, t, half))
    windows = flat_rectangle(length * (0.5 - start), length * (0.5 - stop), 0.0, across, z, GLASS)
    return [*parts, windows]


def _profile(shape: Shape, kind: Kind) -> tuple[np.ndarray, np.ndarray, tuple[float, float, float]]:
    """(fractions of the length, half widths from 0 to 1, (start, stop, share of the width) of windows)."""
    if kind.engines == "buried":
        t = np.array([0, 0.05, 0.12, 0.22, 0.36, 0.75, 0.97, 1.0])
        return t, np.array([0.02, 0.18, 0.34, 0.46, 0.9, 1.0, 0.85, 0.7]), (0.17, 0.28, 0.30)
    if kind.engines == "nose" or (kind.engines == "propeller" and kind.paint == "private"):
        nose = 0.5 if kind.engines == "nose" else 0.1
        t = np.array([0, 0.02, 0.10, 0.25, 0.42, 0.7, 0.97, 1.0])
        return t, np.array([nose, nose + 0.15, 0.8, 1.0, 0.95, 0.5, 0.18, 0.05]), (0.25, 0.30, 0.7)
    aspect = shape.width / shape.length
    end = 0.93 if kind.t_tail else 1.0  # a T-tail reaches beyond the fuselage
    nose, tail = 1.55 * aspect, end - 3.4 * aspect
    u, v = np.array([0.0, 0.04, 0.14, 0.3, 0.55, 0.8, 1.0]), np.array([0.0, 0.3, 0.55, 0.8, 1.0])
    t = np.concatenate([u * nose, tail + v * (end - tail)])
    half = np.concatenate([np.maximum(1 - (1 - u) ** 2, 0.01) ** 0.62, 1 - 0.86 * v**1.6])
    return t, half, (0.52 * aspect, 0.70 * aspect, 0.55)


def _tailplane(shape: Shape, kind: Kind, livery: Livery) -> list[Part]:
    if shape.tail_span < 1:  # a delta has none
        return []
    half, root, tip = shape.tail_span / 2, (0.27 if kind.t_tail else 0.33) * shape.tail_span, _tail_tip(shape)
    slope, end = math.tan(math.radians(shape.tail_sweep)), -shape.length / 2
    front = end + half * slope + tip if kind.t_tail else end + root + 0.05 * shape.length
    z = shape.fin_top if kind.t_tail else shape.body_z + 0.15 * shape.width
    rise = 0.0 if kind.t_tail else 0.1
    y = np.array([0.0, half])
    plane = Surface(y=y, x=front - y * slope, chord=np.array([root, tip]), z=z + rise * y)
    parts = [
        Part(plane.strip(0, half), livery.tail, (0.0, -rise, 1.0), 0.1, outline=True),
        Part(plane.strip(0.1 * half, half, 0, 0.15), livery.tail, (0.25, -rise, 1.0), 0.2),
        Part(plane.strip(0.2 * half, half, 0.7, 1.0), mix(livery.tail, 0.9), (-0.12, -rise, 1.0)),
    ]
    return mirrored(parts)


def _fin(shape: Shape, kind: Kind, livery: Livery) -> list[Part]:
    """One fin, or two on a broad fighter: the upright side, then leading edge and tip as seen from above."""
    base = shape.body_z + 0.42 * shape.width
    top, end = shape.fin_top, -shape.length / 2
    height = top - base
    if kind.t_tail:
        slope = math.tan(math.radians(shape.tail_sweep))
        tip_front = end + shape.tail_span / 2 * slope + _tail_tip(shape) + 0.05 * height
        tip_chord = 0.27 * shape.tail_span
        front, chord = tip_front + 0.72 * height, 1.35 * tip_chord
    else:
        chord, tip_chord = 1.02 * height, 0.38 * height
        front = end + 0.045 * shape.length + chord
        tip_front = front - 0.86 * height
    twin, thick = kind.engines == "buried" and shape.width > 2.1, 0.028 * chord
    parts = []
    for y in (-0.5 * shape.width, 0.5 * shape.width) if twin else (0.0,):
        tip_back, back = tip_front - tip_chord, front - chord
        side = [[front, y, base], [tip_front, y, top], [tip_back, y, top], [back, y, base]]
        edge = [[front, y, base], [tip_front, y - thick, top], [tip_front, y + thick, top]]
        parts.append(Part(np.array(side), livery.fin, (0.0, 1.0, 0.0), 0.2, outline=True))
        parts.append(Part(np.array(edge), livery.fin, (0.5, 0.0, 0.7), 0.3))
        parts.append(flat_rectangle(tip_front, tip_back, y, thick, top, livery.fin))
    return parts


def _tail_tip(shape: Shape) -> float:
    """The chord at the tips of the tailplane, metres."""
    return 0.125 * shape.tail_span


def _helicopter(shape: Shape, livery: Livery, rng: np.random.Generator) -> Mesh:
    """Cabin, boom, tailplane, and two to five blades that stand, or turn and leave a faint disc."""
    length, width, z = shape.length, shape.width, shape.body_z
    t = np.array([0, 0.03, 0.1, 0.2, 0.34, 0.46, 0.56, 0.97, 1.0])
    half = np.array([0.2, 0.55, 0.85, 1, 1, 0.75, 0.3, 0.14, 0.1]) * width / 2
    body = tube(
        front=length / 2, length=length, t=t, half=half, z=z, zones=((0.0, 1.0, livery.body),),
        gloss=livery.gloss, lateral=BODY_STRIPS,
    )  # fmt: skip
    body.append(flat_rectangle(length * 0.44, length * 0.37, 0.0, width * 0.36, z, GLASS))
    body.append(flat_rectangle(-length * 0.40, -length * 0.45, 0.0, shape.tail_span / 2, z, livery.tail))
    top, hub = shape.fin_top, np.array([(0.5 - shape.wing_x) * length, 0.0])
    turning, blades = rng.uniform() < 0.4, int(rng.integers(2, 6))
    rotor = []
    for angle in rng.uniform(0, 2 * math.pi) + np.arange(blades) * 2 * math.pi / blades:
        along = np.array([math.cos(angle), math.sin(angle)])
        side = np.array([-along[1], along[0]]) * shape.tip / 2
        tip = hub + along * shape.span / 2
        blade = np.column_stack([[hub + side, tip + side, tip - side, hub - side], np.full(4, top)])
        rotor.append(Part(blade, (0.16, 0.16, 0.17), alpha=0.35 if turning else 1.0, outline=not turning))
    if turning:
        angles = np.linspace(0, 2 * math.pi, 32, endpoint=False)
        rim = hub + np.stack([np.cos(angles), np.sin(angles)], axis=1) * shape.span / 2
        rotor.append(Part(np.column_stack([rim, np.full(32, top)]), (0.45, 0.45, 0.46), alpha=0.12))
    return pack([(z, body), (top, rotor)])
