"""The moving part of an airport's map: taxiways, runways, their paint, and the grass between them."""

import math

import numpy as np

from airfield.drawing import arc, bar_at, rectangle, rounded
from airfield.layout import REACH, Route, Site, Stain, across_map


def flat_ground(site: Site) -> None:
    """The ground under everything: grass or soil, with large patches."""
    rng = site.rng
    base = str(rng.choice(["grass", "grass", "grass", "soil"]))
    site.box(base, 0, 0, 2.2 * REACH, 2.2 * REACH)
    for _ in range(int(rng.integers(3, 12))):
        x, y = rng.uniform(-650, 650, 2)
        radii = rng.uniform(25, 130, (9, 1))
        a = np.linspace(0, 2 * math.pi, 9, endpoint=False)
        blob = np.stack([np.cos(a) * rng.uniform(1, 2.5), np.sin(a)], -1) * radii + (x, y)
        kind = str(rng.choice(["meadow", "soil", "grass"], p=[0.5, 0.2, 0.3]))
        site.area(kind, rounded(blob, 90, closed=True))


def taxilane(site: Site, y: float, max_span: float) -> None:
    """A painted lane along the apron, on which aircraft taxi."""
    ends = across_map(y)
    site.line(ends)
    if site.rng.random() < 0.4:
        site.line(ends + (0, 22), dash=(6, 6))
    site.routes.append(Route(ends, max_span))
    site.stains.append(Stain(ends, site.rng.uniform(6, 18), site.rng.uniform(-0.12, 0.05)))


def apron_marks(site: Site, depth: float) -> None:
    """Service roads, joints sealed with tar, cracks, drains, numbers and hatched boxes on the apron."""
    rng = site.rng
    for _ in range(int(rng.integers(0, 4))):  # service roads: two white edges and a dashed middle
        y, half = rng.uniform(5, depth), rng.uniform(3, 6)
        for dy in (-half, half):
            site.line(across_map(y + dy), "white", strength=0.6)
        site.line(across_map(y), "white", dash=(4, 4), strength=0.5)
    for _ in range(int(rng.integers(0, 9))):  # across
        x, tone = rng.uniform(-600, 600), str(rng.choice(["tar", "tar", "white", "yellow"]))
        site.line(np.array([[x, 0], [x, depth]]), tone, strength=rng.uniform(0.15, 0.6))
    for _ in range(int(rng.integers(0, 8))):  # along
        y, tone = rng.uniform(0, depth), str(rng.choice(["tar", "tar", "yellow", "red"]))
        site.line(across_map(y), tone, strength=rng.uniform(0.15, 0.6))
    for _ in range(int(rng.integers(5, 40))):  # numbers and letters in yellow boxes, hatches, manholes
        x, y = rng.uniform([-550, 5], [550, depth])
        size, tone = rng.uniform(1, 5), str(rng.choice(["yellow", "white", "red", "tar"]))
        for k in range(int(rng.integers(1, 4))):
            site.line(np.array([[x, y + 1.5 * k], [x + size, y + 1.5 * k]]), tone, width=1.0, strength=0.7)
    for _ in range(int(rng.integers(0, 25))):  # tyre marks in wide curves
        x, y = rng.uniform([-550, 5], [550, depth])
        bend = [[x, y], [x + rng.normal(0, 50), y + 30], [x + rng.normal(0, 90), y + rng.normal(0, 60)]]
        curve = rounded(np.array(bend), 40)
        site.stains.append(Stain(curve, rng.uniform(1.5, 4), rng.uniform(-0.25, -0.05)))


def runway_and_taxiways(
    site: Site, edge: float, *, small: bool = False, up: bool = False, tied: bool = True
) -> None:
    """Taxiways and a runway beyond the apron's edge (towards -y where `up`), linked to it where `tied`."""
    rng, sign = site.rng, -1 if up else 1
    half = 4.0 if small else rng.uniform(10, 13)
    taxi = edge + sign * (rng.uniform(20, 45) if small else rng.uniform(30, 75))
    runway = taxi + sign * (rng.uniform(45, 90) if small else rng.uniform(110, 210))
    lanes = [taxi] if small or rng.random() < 0.4 else [taxi, taxi + sign * rng.uniform(60, 90)]
    for y in lanes:
        _taxiway(site, across_map(y), half, 15 if small else 70)
    spread = 120 if small else 70
    x = -REACH + rng.uniform(0, 150)
    while x < REACH:
        lean = sign * (rng.choice([0, 0, 0.6, -0.6, 1.2]) if not small else 0)
        top = edge + sign * half if tied else lanes[0]
        _taxiway(site, np.array([[x, top], [x, lanes[-1]]]), half, 15 if small else 70)
        if rng.random() < 0.8:
            reach = abs(runway - lanes[-1])
            points = np.array([[x - 80, lanes[-1]], [x, lanes[-1]], [x + lean * reach, runway]])
            _taxiway(site, rounded(points, 60), half, 15 if small else 70)
            _fillets(site, x, lanes[-1], half)
        if tied:
            _fillets(site, x, edge, half, (sign,))
        x += rng.uniform(spread, 4 * spread)
    _runway(site, runway, small)
    if rng.random() < 0.4:
        _islands(site, lanes[0], edge)


def _taxiway(site: Site, points: np.ndarray, half: float, max_span: float) -> None:
    """Shoulders, pavement, centre line, wear; a route for traffic."""
    rng = site.rng
    if half > 6 and rng.random() < 0.7:
        site.area("shoulder", points, width=2 * half + rng.uniform(8, 22))
    site.area("taxiway", points, width=2 * half)
    for _ in range(int(rng.integers(0, 4))):  # renewed bays of the pavement
        i = int(rng.integers(len(points) - 1))
        a, b = points[i], points[i + 1]
        turn = math.atan2(b[1] - a[1], b[0] - a[0])
        kind = str(rng.choice(["fresh", "concrete", "runway", "asphalt"]))
        middle, length = a + (b - a) * rng.random(), rng.uniform(15, 90)
        site.area(kind, bar_at(middle, length, half * rng.uniform(0.5, 1.9), turn))
    site.line(points, width=0.5, strength=0.75)
    if rng.random() < 0.35:
        site.line(points + (0, half - 1), strength=0.6)
        site.line(points - (0, half - 1), strength=0.6)
    if rng.random() < 0.5:
        site.stains.append(Stain(points, rng.uniform(5, 12), rng.uniform(-0.22, 0.05)))
    site.routes.append(Route(points, max_span))


def _fillets(site: Site, x: float, y: float, half: float, turns: tuple[int, ...] = (-1, 1)) -> None:
    """Curved lead-ins where two taxiways meet, painted and paved."""
    for side in (-1, 1):
        for turn in turns:
            if site.rng.random() < 0.7:
                r = site.rng.uniform(25, 48)
                curve = rounded(np.array([[x + side * r * 1.3, y], [x, y], [x, y + turn * r * 1.3]]), r * 1.2)
                site.area("taxiway", curve, width=2 * half)
                site.line(curve, strength=0.6)
                site.stains.append(Stain(curve, site.rng.uniform(2, 6), site.rng.uniform(-0.2, 0)))


def _runway(site: Site, y: float, small: bool) -> None:
    """Pavement with rubber marks and white paint; sometimes its end is on the map."""
    rng = site.rng
    half = rng.uniform(8, 12) if small else rng.uniform(22, 30)
    start, stop = -REACH - 50, REACH + 50
    if small or rng.random() < 0.6:
        if rng.random() < 0.5:
            start = rng.uniform(-420, 100)
        else:
            stop = rng.uniform(-100, 420)
    ends = np.array([[start, y], [stop, y]])
    site.area("shoulder", ends, width=2 * half + rng.uniform(6, 20))
    site.area("runway", ends, width=2 * half)
    site.line(ends, "white", width=1.0, dash=(30, 20), strength=0.9)
    if not small:
        for side in (-1, 1):
            site.line(ends + (0, side * (half - 1)), "white", width=1.0, strength=0.85)
    site.routes.append(Route(ends, 15 if small else 70, runway=True))
    for x, inward in ((start, 1), (stop, -1)):
        if abs(x) < REACH:
            _threshold(site, x, y, half, inward, small)
    for _ in range(0 if small else int(rng.integers(1, 5))):
        x, length = rng.uniform(-500, 500), rng.uniform(100, 500)
        spot = np.array([[x, y + rng.normal(0, 3)], [x + length, y + rng.normal(0, 3)]])
        site.stains.append(Stain(spot, rng.uniform(6, 18), rng.uniform(-0.3, -0.1)))


def _threshold(site: Site, x: float, y: float, half: float, inward: int, small: bool) -> None:
    """Threshold bars, number, touch-down zone bars, and chevrons before the threshold."""
    bars = np.arange(-half + 3, half - 2, 3.6)
    for dy in bars[np.abs(bars) > 1.5]:
        bar = np.array([[x + inward * 6, y + dy], [x + inward * 36, y + dy]])
        site.line(bar, "white", width=2.0, strength=0.95)
    digit = x + inward * 48
    for dy in (-4, 4):
        for shape in range(int(site.rng.integers(2, 4))):
            a = (digit + inward * 4.5 * shape, y + dy - 2)
            site.line(np.array([a, (a[0] + inward * 4, a[1] + 4)]), "white", width=1.0, strength=0.9)
    for k in range(0 if small else 5):
        for side in (-1, 1):
            for j in range(3 if k in (0, 2) else 2 if k == 1 else 1):
                p = np.array([x + inward * (150 + 150 * k), y + side * (9 + 3 * j)])
                width = 6.0 if k == 1 else 2.0
                site.line(np.array([p, p + (inward * 24, 0)]), "white", width=width, strength=0.95)
    if site.rng.random() < 0.5:
        site.area("runway", rectangle(x - inward * 32, y, 64, 2 * half))
        for k in range(4):
            tip = x - inward * (8 + 14 * k)
            points = np.array([[tip - inward * 14, y - half], [tip, y], [tip - inward * 14, y + half]])
            site.line(points, "yellow", width=1.5, strength=0.8)


def _islands(site: Site, taxi: float, edge: float) -> None:
    """Painted or planted islands with rounded ends, ringed by yellow ticks."""
    rng = site.rng
    y = (taxi + edge) / 2
    for x in np.arange(-600, 600, rng.uniform(110, 220)):
        length, width = rng.uniform(30, 90), rng.uniform(8, 20)
        shape = rounded(rectangle(x, y, length, width), width / 2, closed=True)
        site.area(str(rng.choice(["paint", "grass", "soil"])), shape)
        for point in arc(x, y, 1, 0, 2 * math.pi, 0.45):
            away = (point - (x, y)) * (length / 2 + 2, width / 2 + 2)
            site.line(np.array([(x, y) + away, (x, y) + away * 1.12]), strength=0.8)
