"""A site's map: what lies where, in metres around its middle, before any date, sun or traffic is chosen.

The classes only: `sites` makes a Site and lets `airports` or `places` fill it, `scenery` paints views of it.
"""

import math
from dataclasses import dataclass, field

import numpy as np

from airfield.drawing import rectangle

REACH = 720.0  # metres: the map covers [-REACH, REACH] in x and y


def across_map(y: float) -> np.ndarray:
    """(2, 2): a line at y from one end of the map to the other."""
    return np.array([[-REACH, y], [REACH, y]])


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

    @property
    def nose(self) -> np.ndarray:
        """(2,): where the nose stops."""
        return np.array([self.x, self.y])

    @property
    def axes(self) -> tuple[np.ndarray, np.ndarray]:
        """Unit vectors (2,): where the nose points, and to its left (y down)."""
        ahead = np.array([math.cos(self.heading), math.sin(self.heading)])
        return ahead, np.array([ahead[1], -ahead[0]])


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


def roof_colour(rng: np.random.Generator, palette: dict[str, np.ndarray]) -> np.ndarray:
    """(3,): mostly the site's own roofs, else white, grey, dark, tan, blue, green, red."""
    choices = [
        palette["roof"], palette["roof"], palette["roof"], (242, 242, 240), (250, 250, 248), (232, 230, 224),
        (214, 213, 208), (196, 196, 192), (176, 176, 172), (152, 152, 150), (134, 136, 138), (98, 100, 102),
        (152, 168, 178), (130, 148, 162), (70, 73, 77), (196, 182, 158), (216, 204, 180), (168, 160, 146),
    ]  # fmt: skip
    if rng.random() < 0.07:
        choices = [(112, 130, 150), (108, 128, 118), (150, 104, 86), (126, 96, 88), (90, 120, 160)]
    colour = np.array(choices[rng.integers(len(choices))]) + rng.normal(0, 8) + rng.normal(0, 1.5, 3)
    return np.clip(colour, 20, 254)
