"""A site's map: what lies where, in metres around its middle, before any date, sun or traffic is chosen.

`make_site` picks a kind of place and lets `airports` or `places` fill a Site; `scenery` paints views of it.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from aircraft.synthetic.drawing import rectangle

REACH = 720.0  # metres: the map covers [-REACH, REACH] in x and y
ENLARGED = (
    1.12,
    1.6,
)  # web map products of "1 m" are enlarged by 1 / cos(latitude): 1 at the equator, 1.6 at 51


@dataclass(frozen=True)
class Area:
    """Ground of one kind: a polygon (N, 2), or a stroke of `width` metres along a polyline."""

    kind: str
    points: np.ndarray
    colour: np.ndarray
    width: float = 0.0


@dataclass(frozen=True)
class Line:
    """A painted line; dash = (on, off) metres or None."""

    points: np.ndarray
    colour: str
    width: float = 0.5
    dash: tuple[float, float] | None = None
    strength: float = 0.7


@dataclass(frozen=True)
class Building:
    """A band along a polyline (a box has two points), with a roof style; details come from its own seed."""

    points: np.ndarray
    width: float
    height: float
    style: str
    colour: np.ndarray
    seed: int


@dataclass(frozen=True)
class Stand:
    """Where an aircraft parks: (x, y) is the stop of its nose, heading its direction in radians."""

    x: float
    y: float
    heading: float
    max_span: float
    kind: str = "open"  # gate (with a jet bridge), open, cargo, light, military, store
    root: tuple[float, float] | None = None
    bridges: int = 0
    seed: int = 0


@dataclass(frozen=True)
class Route:
    """A taxi route or a runway along which aircraft may be under way."""

    points: np.ndarray
    max_span: float
    runway: bool = False


@dataclass(frozen=True)
class Zone:
    """A rectangle of small things: cars, trees, houses, containers, vehicles, works, near misses."""

    kind: str
    x: float
    y: float
    length: float
    width: float
    angle: float
    seed: int
    density: float = 1.0


@dataclass(frozen=True)
class Stain:
    """Dark or light wear on the ground along a polyline (one point: a round spot); strength -1 to 1."""

    points: np.ndarray
    width: float
    strength: float


@dataclass
class Site:
    """The map: lists in painting order. `rng` is the site's own generator; `palette` its colours (3,)."""

    rng: np.random.Generator
    kind: str
    angle: float
    palette: dict[str, np.ndarray]
    difficulty: float
    texture: np.ndarray  # (8,) how strong each ground texture is here
    paint: float  # how fresh the paint is
    enlarged: float  # pixels a metre of ground in the delivered product
    apron: float = 0.0  # depth of the main apron, metres; 0: none
    focus: tuple[float, float] = (0.0, 0.0)  # what the views show in their middle, as far as the map reaches
    areas: list[Area] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    buildings: list[Building] = field(default_factory=list)
    stands: list[Stand] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    stains: list[Stain] = field(default_factory=list)

    def seed(self) -> int:
        """A seed for the details of one thing, so that they are the same in all views."""
        return int(self.rng.integers(2**31))

    def area(self, kind: str, points: np.ndarray, colour: str | None = None, width: float = 0.0) -> None:
        """Add ground, with a small change of the palette's colour."""
        base = self.palette[colour or kind] * self.rng.normal(1, 0.03) + self.rng.normal(0, 1.2, 3)
        self.areas.append(Area(kind, np.asarray(points, float), base, width))

    def box(self, kind: str, x: float, y: float, length: float, width: float, angle: float = 0.0) -> None:
        """Add a rectangle of ground."""
        self.area(kind, rectangle(x, y, length, width, angle))

    def line(self, points: np.ndarray, colour: str = "yellow", **options: object) -> None:
        """Add a painted line."""
        self.lines.append(Line(np.asarray(points, float), colour, **options))  # type: ignore[arg-type]

    def build(self, points: np.ndarray, width: float, height: float, style: str | None = None) -> None:
        """Add a building; without a style, one is drawn at random."""
        style = style or str(self.rng.choice(ROOFS))
        if style in ("road", "track"):
            colour = self.palette["deck"] * self.rng.normal(1, 0.06)
        elif style == "walkway":
            colour = self.palette["bridge"] * self.rng.normal(1, 0.06)
        else:
            colour = roof_colour(self.rng, self.palette)
        self.buildings.append(Building(np.asarray(points, float), width, height, style, colour, self.seed()))

    def house(
        self, x: float, y: float, length: float, width: float, height: float, **options: object
    ) -> None:
        """Add a box-shaped building by its centre; angle among the options."""
        angle = float(options.pop("angle", 0.0))  # type: ignore[arg-type]
        half = np.array([math.cos(angle), math.sin(angle)]) * length / 2
        self.build(np.array([(x, y) - half, (x, y) + half]), width, height, **options)  # type: ignore[arg-type]

    def zone(
        self, kind: str, x: float, y: float, length: float, width: float, angle: float = 0, density: float = 1
    ) -> None:
        """Add a rectangle of small things."""
        self.zones.append(Zone(kind, x, y, length, width, angle, self.seed(), density))


ROOFS = ("flat", "flat", "ribs", "corrugated", "units", "skylights", "gable", "vault", "sawtooth", "complex")


def make_site(rng: np.random.Generator, difficulty: float) -> Site:
    """The map of a site; about one in six has no airport."""
    from aircraft.synthetic import airports, places, trim  # they need the classes above

    empty = rng.random() < 1 / 6
    makers = places.KINDS if empty else airports.KINDS
    weights = np.array([w for _, w in makers.values()], float)
    kind = str(rng.choice(list(makers), p=weights / weights.sum()))
    site = new_site(rng, kind, difficulty)
    makers[kind][0](site)
    if site.apron and rng.random() < 0.45:
        trim.trim(site, site.apron)
    return site


def new_site(rng: np.random.Generator, kind: str, difficulty: float) -> Site:
    """A bare site with its angle, colours, texture strengths and freshness of paint."""
    return Site(
        rng=rng,
        kind=kind,
        angle=float(rng.uniform(0, 2 * math.pi)),
        palette=make_palette(rng),
        difficulty=difficulty,
        texture=rng.lognormal(0, 0.4, 8),
        paint=float(rng.uniform(0.8, 1.6)),
        enlarged=float(rng.uniform(*ENLARGED)),
    )


def make_palette(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The colours of a place, as (3,) float RGB under neutral light."""

    def pick(*choices: tuple[float, float, float], spread: float = 8) -> np.ndarray:
        return np.array(choices[rng.integers(len(choices))]) + rng.normal(0, spread) + rng.normal(0, 1.6, 3)

    concrete = pick(
        (160, 154, 142),
        (172, 158, 134),
        (150, 147, 137),
        (134, 132, 124),
        (182, 174, 158),
        (178, 164, 140),
        (188, 174, 148),
        (192, 184, 168),
    )
    concrete = concrete + 8
    taxiway = pick((96, 97, 94), (112, 110, 103), (126, 121, 110), (82, 84, 83), (140, 134, 120))
    if rng.random() < 0.25:
        taxiway = concrete + rng.normal(-6, 4)
    dry = rng.random()
    lush, brown = np.array([72, 92, 58]), np.array([142, 122, 90])
    grass = lush * (1 - dry) + brown * dry + rng.normal(0, 5, 3)
    return {
        "concrete": concrete,
        "fresh": concrete + rng.uniform(5, 26) + (3, 2, -1),
        "asphalt": pick((98, 98, 95), (84, 85, 84), (118, 115, 108)),
        "taxiway": taxiway,
        "runway": pick((74, 75, 76), (92, 91, 88), (104, 101, 95), (64, 66, 69), (136, 130, 118)),
        "shoulder": taxiway + rng.choice([-16, 10, 22, 30]) + rng.normal(0, 3, 3),
        "grass": grass,
        "meadow": grass * 0.9 + rng.normal(0, 9, 3),
        "paint": pick((62, 104, 78), (70, 96, 72), (60, 112, 104)),
        "soil": pick((150, 126, 96), (128, 92, 68), (166, 146, 116), (112, 84, 66)),
        "field": pick((120, 104, 78), (96, 106, 62), (134, 116, 84), (84, 96, 56), (110, 80, 62)),
        "forest": pick((48, 64, 42), (58, 66, 44), (40, 56, 42), spread=4),
        "water": pick((40, 66, 68), (60, 78, 66), (32, 50, 62), (74, 92, 86), (84, 84, 68)),
        "road": pick((104, 102, 98), (86, 87, 87), (124, 120, 112)),
        "deck": pick((122, 120, 115), (104, 104, 102), (160, 154, 142), (182, 174, 156)),
        "paved": pick((138, 132, 120), (120, 118, 112), (152, 142, 124)),
        "gravel": pick((160, 150, 132), (142, 134, 122)),
        "roof": pick(
            (238, 238, 235),
            (216, 216, 212),
            (184, 184, 182),
            (246, 246, 244),
            (150, 152, 152),
            (216, 206, 190),
        ),
        "bridge": pick(
            (236, 236, 232),
            (246, 246, 244),
            (250, 248, 240),
            (222, 221, 216),
            (200, 200, 196),
            (228, 218, 198),
            (168, 170, 170),
        ),
        "tile": pick((164, 92, 68), (150, 108, 86), (128, 122, 118), (176, 120, 90)),
    }


def roof_colour(rng: np.random.Generator, palette: dict[str, np.ndarray]) -> np.ndarray:
    """(3,): mostly the site's own roofs, else white, grey, dark, tan, blue, green, red."""
    choices = [
        palette["roof"], palette["roof"], palette["roof"], (242, 242, 240), (250, 250, 248), (232, 230, 224),
        (214, 213, 208), (196, 196, 192), (176, 176, 172), (152, 152, 150), (134, 136, 138), (98, 100, 102),
        (152, 168, 178), (130, 148, 162), (70, 73, 77), (196, 182, 158), (216, 204, 180), (168, 160, 146),
    ]  # fmt: skip
    if rng.random() < 0.07:
        choices = [(112, 130, 150), (108, 128, 118), (150, 104, 86), (126, 96, 88), (90, 120, 160)]
    return np.clip(
        np.array(choices[rng.integers(len(choices))]) + rng.normal(0, 8) + rng.normal(0, 1.5, 3), 20, 254
    )
