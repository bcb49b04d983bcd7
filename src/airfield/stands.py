"""Parking stands of an airport's map: gates along buildings, open rows, blocks, with paint and oil."""

import math

import numpy as np

from airfield.drawing import arc, rounded
from airfield.drives import band
from airfield.layout import Site, Stain, Stand, across_map

Point = tuple[float, float] | np.ndarray
SPANS = (25, 30, 36, 38, 52, 66)  # metres: the classes of gates
BLOCK_SPANS = {
    "open": (30.0, 36.0, 36.0, 40.0, 52.0, 66.0),
    "light": (10.0, 12.0, 12.0, 16.0, 22.0),
    "store": (30.0, 36.0, 36.0, 48.0, 65.0),
}


def gates_along(site: Site, start: Point, stop: Point, *, margin: float = 12.0) -> None:
    """Gates with jet bridges along a facade; airside is right of start -> stop (y down: below it)."""
    rng = site.rng
    a, b = np.asarray(start, float), np.asarray(stop, float)
    length = float(np.linalg.norm(b - a))
    d = (b - a) / max(length, 1e-6)
    out = np.array([-d[1], d[0]])
    gap, shares, tight = rng.uniform(7, 25), _mix(rng.random()), rng.uniform(2.5, 7)
    along = margin
    while True:
        span = float(rng.choice(SPANS, p=shares))
        pitch = span + rng.uniform(1.5, tight)
        if along + pitch > length - margin + (30 if margin == 0 else 0):
            break
        _gate(site, a + d * (along + pitch / 2), out, gap, span)
        along += pitch
    lane = gap + rng.uniform(62, 80)
    if length > 60:
        site.line(np.array([a + out * lane, b + out * lane]), strength=0.6)
    if gap > 14 and rng.random() < 0.7:  # the service road under the bridges
        if rng.random() < 0.4:
            site.area("road", np.array([a + out * 6, b + out * 6]), width=rng.uniform(6, 10))
        for metres in (3, 9):
            site.line(np.array([a + out * metres, b + out * metres]), "white", dash=(4, 3), strength=0.5)
    if length > 80 and gap > 9 and rng.random() < 0.2:  # a track or drive on stilts, under the bridges
        off = rng.uniform(3, 7)
        band(site, np.array([a + out * off, b + out * off]), stubs=False, width=rng.uniform(4, 8))
    middle, turn = (a + b) / 2 + out * 5, math.atan2(d[1], d[0])
    if length > 30 and rng.random() < 0.75:  # what is kept at the foot of the facade
        kind = str(rng.choice(["vehicles", "vehicles", "containers", "sheds"]))
        depth, density = rng.uniform(7, 11), rng.uniform(0.1, 0.6)
        site.zone(kind, middle[0], middle[1], length * 0.92, depth, turn, density=density)
    site.stains.append(Stain(np.array([a + out * 30, b + out * 30]), 30, rng.uniform(-0.12, 0.02)))


def gates_around(site: Site, x: float, y: float, radius: float, start: float, stop: float) -> None:
    """Gates outside a round facade, from the angle `start` to `stop` (radians, start < stop)."""
    rng = site.rng
    gap, shares, tight = rng.uniform(8, 26), _mix(rng.random() * 0.95), rng.uniform(2.5, 7)
    a = start
    while True:
        span = float(rng.choice(SPANS, p=shares))
        # Neighbours are closest at their wings, about 0.45 of the span behind the noses.
        step = (span + rng.uniform(1.5, tight)) / (radius + gap + 0.45 * span)
        if a + step > stop:
            break
        out = np.array([math.cos(a + step / 2), math.sin(a + step / 2)])
        _gate(site, (x, y) + out * radius, out, gap, span)
        a += step
    lane = arc(x, y, radius + gap + rng.uniform(62, 80), start, stop)
    site.line(lane, strength=0.6)
    for metres in (3, 9) if rng.random() < 0.6 else ():
        site.line(arc(x, y, radius + metres, start, stop), "white", strength=0.5)
    site.stains.append(Stain(arc(x, y, radius + gap + 20, start, stop, 20), 30, rng.uniform(-0.12, 0.02)))


def stand_row(
    site: Site,
    start: Point,
    stop: Point,
    heading: float,
    *,
    kind: str,
    spans: tuple[float, ...],
    tight: float = 5.0,
) -> None:
    """Open stands from start to stop, all with one heading."""
    rng = site.rng
    a, b = np.asarray(start, float), np.asarray(stop, float)
    length = float(np.linalg.norm(b - a))
    d = (b - a) / max(length, 1e-6)
    # Slanted rows need more room along the row.
    slant = max(abs(math.sin(heading - math.atan2(d[1], d[0]))), 0.5)
    span = float(rng.choice(spans))
    along = 0.0
    while True:
        if rng.random() < 0.2:
            span = float(rng.choice(spans))
        pitch = (span + rng.uniform(2, tight + 2)) / slant
        if along + pitch > length:
            break
        _stand(site, a + d * (along + pitch / 2), heading, span, kind)
        along += pitch


def stand_block(site: Site, x: float, y: float, length: float, depth: float, *, kind: str = "open") -> None:
    """Rows of open stands that fill a rectangle with its corner at (x, y), with lanes between them."""
    rng = site.rng
    spans = BLOCK_SPANS[kind]
    slant = float(rng.choice([0, 0, 0, 0.5, -0.6, 0.8]))
    facing = float(rng.choice([math.pi / 2, -math.pi / 2]))
    row = y
    while True:
        span = float(rng.choice(spans))
        pick = tuple(s for s in spans if s <= span)
        size = max(pick) * 1.05
        if row + size * 0.85 > y + depth:
            break
        nose = row + 4 if facing < 0 else row + size - 2
        left = x + rng.uniform(0, 60)
        while left < x + length - span:  # groups of stands with gaps, in which equipment waits
            right = min(left + rng.uniform(2, 9) * span, x + length)
            stand_row(site, (left, nose), (right, nose), facing + slant, kind=kind, spans=pick, tight=6)
            if kind == "open" and rng.random() < 0.6:
                site.zone("vehicles", right + 9, row + size / 2, 14, size * 0.8)
            left = right + rng.uniform(6, 40)
        if kind in ("open", "store"):
            site.line(across_map(row + size + 14), strength=0.55)
        row += size + rng.uniform(8, 40)
        facing = -facing if rng.random() < 0.5 else facing
        slant = -slant if rng.random() < 0.5 else slant


def _gate(site: Site, foot: np.ndarray, out: np.ndarray, gap: float, span: float) -> None:
    """One gate before the facade at `foot`, whose outward direction is `out`."""
    rng = site.rng
    heading = math.atan2(-out[1], -out[0])
    nose = foot + out * (gap + rng.normal(0, 1.5))
    # Seen from the cockpit, the doors and so the bridges are on the left.
    left = np.array([math.sin(heading), -math.cos(heading)])
    root = nose - out * gap + left * rng.uniform(7, max(8.0, span * 0.36)) - out * rng.uniform(-1, 1)
    if span < 50:
        bridges = int(rng.choice([0, 1, 2], p=[0.05, 0.55, 0.4]))
    else:
        bridges = int(rng.choice([1, 2, 3]))
    _stand(site, nose, heading, span, "gate", (float(root[0]), float(root[1])), bridges)


def _stand(
    site: Site,
    nose: np.ndarray,
    heading: float,
    span: float,
    kind: str,
    root: tuple[float, float] | None = None,
    bridges: int = 0,
) -> None:
    """Add a stand with its lead-in line, stop bars, borders and oil."""
    rng = site.rng
    stand = Stand(float(nose[0]), float(nose[1]), heading, span, kind, root, bridges, site.seed())
    site.stands.append(stand)
    h, left = stand.axes
    if kind == "light":
        return
    tail = nose - h * span * 1.15
    turn = float(rng.choice([-1, 1]))
    lead = np.array([nose + h * 2, tail, tail - h * 18 + left * turn * 22])
    site.line(rounded(lead, 25), strength=rng.uniform(0.3, 0.8))
    if rng.random() < 0.5:  # T-bars where the nose wheel stops
        for back in rng.uniform(4, 12, 2):
            site.line(np.array([nose - h * back + left * 2, nose - h * back - left * 2]), strength=0.7)
    if rng.random() < 0.45:  # safety lines of the stand: red or white
        w, paint = span / 2 + 1.5, str(rng.choice(["red", "white", "yellow"]))
        for side in (-1, 1):
            edge = np.array([nose + left * side * 5, nose - h * 8 + left * side * w, tail + left * side * w])
            site.line(edge, paint, strength=0.4)
    if rng.random() < 0.12:
        site.area("fresh" if rng.random() < 0.5 else "concrete", _quad(nose, h, left, span))
    spot = nose - h * span * rng.uniform(0.3, 0.5) + rng.normal(0, 3, 2)
    site.stains.append(Stain(spot[None], rng.uniform(8, 22), rng.uniform(-0.4, 0.0)))
    for _ in range(2):
        drop = nose - h * span * rng.uniform(0.2, 0.6) + left * rng.choice([-1, 1]) * span * 0.17
        site.stains.append(Stain(drop[None], rng.uniform(2, 7), rng.uniform(-0.5, -0.1)))


def _quad(nose: np.ndarray, h: np.ndarray, left: np.ndarray, span: float) -> np.ndarray:
    w = span / 2 + 2
    return np.array(
        [nose + left * w, nose - left * w, nose - h * span - left * w, nose - h * span + left * w]
    )


def _mix(big: float) -> list[float]:
    """Shares of the SPANS at a facade: regional, narrow, mixed or wide-body."""
    if big < 0.23:
        return [0.5, 0.25, 0.25, 0.0, 0.0, 0.0]
    if big < 0.57:
        return [0.05, 0.15, 0.6, 0.15, 0.05, 0.0]
    if big < 0.77:
        return [0.05, 0.1, 0.3, 0.15, 0.2, 0.2]
    return [0.0, 0.0, 0.05, 0.05, 0.35, 0.55]
