"""Planforms of aircraft: a table of real types, from which shapes are blended and varied without end.

Lengths are in metres. The figures are rounded from public three-view drawings; a shape drawn from them is a
mixture of two types of one kind with every parameter varied, so no two aircraft are alike.
"""

import math
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np

VARIATION = 0.08  # every parameter varies by so much around its blended value
SIZE_VARIATION = 0.03  # but lengths and spans by less: types have fixed sizes


@dataclass(frozen=True)
class Shape:
    """The measures of one aircraft. Angles in degrees, lengths in metres; a chord is along the length.

    wing_x: where the wing's leading edge meets the centre line, as a fraction of the length from the nose;
    root, tip: chords at the centre line and at the tip; kink: fraction of the half span up to which the
    trailing edge has the sweep `te_sweep` (the Yehudi); engine_y: fraction of the half span; diameter: of an
    engine, or of a propeller; fin_top, body_z: heights of the fin's tip and of the fuselage's axis.
    """

    length: float
    span: float
    width: float
    wing_x: float
    root: float
    kink: float
    te_sweep: float
    sweep: float
    tip: float
    engine_y: float
    diameter: float
    tail_span: float
    tail_sweep: float
    fin_top: float
    body_z: float
    rake: float = 0.0  # 1: the outer wing is swept back into a point (787, A350)


Engines = Literal["under", "rear", "propeller", "nose", "buried", "rotor"]


@dataclass(frozen=True)
class Kind:
    """A kind of aircraft: its real types and what they have in common.

    engines: where they sit; count: engines a side of the centre line; paint: default choice of liveries;
    weight: how often `random_kind` draws it; is_aircraft: False for what an annotator would leave out.
    """

    types: tuple[Shape, ...]
    engines: Engines
    count: int = 1
    high_wing: bool = False
    t_tail: bool = False
    paint: Literal["airline", "private", "military"] = "airline"
    weight: float = 0.0
    is_aircraft: bool = True

    def range_of(self, measure: Literal["length", "span"]) -> tuple[float, float]:
        """(smallest, largest) that a shape of this kind can have, metres."""
        values = [getattr(shape, measure) for shape in self.types]
        return min(values) * (1 - SIZE_VARIATION), max(values) * (1 + SIZE_VARIATION)


# fmt: off
# In the order of Shape's fields.
KINDS: dict[str, Kind] = {
    "narrow_body": Kind(engines="under", weight=0.43, types=(
        Shape(33.8, 34.6, 3.95, .295, 7.2, .37, 2, 27, 1.6, .335, 2.4, 12.4, 32, 11.8, 3.8),  # A319
        Shape(37.6, 35.4, 3.95, .310, 7.2, .37, 2, 27, 1.6, .335, 2.4, 12.4, 32, 11.8, 3.8),  # A320
        Shape(44.5, 35.4, 3.95, .355, 7.2, .37, 2, 27, 1.6, .335, 2.4, 12.4, 32, 11.8, 3.8),  # A321
        Shape(33.6, 35.0, 3.76, .300, 7.9, .33, 4, 28, 1.5, .280, 2.2, 14.3, 35, 12.5, 3.4),  # 737-700
        Shape(39.5, 35.4, 3.76, .330, 7.9, .33, 4, 28, 1.5, .280, 2.2, 14.3, 35, 12.5, 3.4),  # 737-800
        Shape(46.5, 38.0, 3.76, .335, 8.6, .35, 1, 29, 1.8, .345, 2.6, 15.2, 32, 13.4, 4.2),  # 757
        Shape(31.0, 26.3, 3.00, .330, 6.0, .36, 4, 27, 1.5, .330, 1.9, 10.0, 32, 9.9, 3.2),  # E170
        Shape(36.2, 28.6, 3.00, .350, 6.1, .36, 4, 27, 1.5, .330, 2.0, 12.0, 32, 10.6, 3.3),  # E190
    )),
    "wide_body": Kind(engines="under", weight=0.19, types=(
        Shape(54.9, 47.8, 5.03, .315, 11.6, .35, 3, 34, 2.3, .33, 2.8, 18.6, 36, 15.8, 4.8),  # 767-300
        Shape(58.8, 60.3, 5.64, .300, 12.6, .34, 6, 32, 2.5, .31, 3.1, 19.4, 34, 17.4, 5.2),  # A330-200
        Shape(63.7, 60.3, 5.64, .325, 12.6, .34, 6, 32, 2.5, .31, 3.1, 19.4, 34, 17.0, 5.2),  # A330-300
        Shape(57.0, 60.1, 5.77, .295, 13.0, .36, 10, 34.5, 2.2, .325, 3.4, 19.8, 38, 17.0, 5.2, 1),  # 787-8
        Shape(62.8, 60.1, 5.77, .320, 13.0, .36, 10, 34.5, 2.2, .325, 3.4, 19.8, 38, 17.0, 5.2, 1),  # 787-9
        Shape(66.8, 64.7, 5.96, .320, 13.6, .35, 8, 34, 2.2, .325, 3.7, 18.8, 37, 17.1, 5.3, 1),  # A350-900
        Shape(63.7, 60.9, 6.20, .310, 14.4, .33, 5, 34.5, 2.5, .315, 3.9, 21.5, 38, 18.5, 5.3),  # 777-200
        Shape(72.5, 64.5, 6.20, .335, 14.4, .33, 5, 34.5, 2.4, .300, 4.1, 21.5, 38, 18.5, 5.3, .6),  # 777-300
    )),
    "four_engine": Kind(engines="under", count=2, weight=0.04, types=(
        Shape(70.7, 64.4, 6.50, .265, 16.5, .40, 12, 41, 3.6, .365, 2.8, 22.2, 41, 19.4, 5.6),  # 747-400
        Shape(63.7, 60.3, 5.64, .325, 12.6, .34, 6, 32, 2.5, .310, 2.3, 19.4, 34, 16.9, 5.2),  # A340-300
        Shape(74.0, 63.4, 5.64, .345, 13.6, .34, 6, 34, 2.5, .310, 2.8, 21.5, 35, 17.3, 5.2),  # A340-600
    )),
    "double_deck": Kind(engines="under", count=2, weight=0.012, types=(
        Shape(72.7, 78.5, 7.14, .265, 21.0, .37, 10, 37, 4.0, .365, 3.4, 30.4, 38, 24.1, 6.6),  # A380
    )),
    "regional_jet": Kind(engines="rear", t_tail=True, weight=0.17, types=(
        Shape(26.8, 21.2, 2.70, .390, 5.2, .33, 3, 27, 1.3, 0, 1.5, 6.4, 30, 6.3, 2.2),  # CRJ200
        Shape(36.2, 24.6, 2.70, .430, 5.5, .33, 3, 28, 1.3, 0, 1.6, 8.5, 30, 7.5, 2.4),  # CRJ900
        Shape(29.9, 20.2, 2.30, .430, 4.6, .35, 4, 25, 1.1, 0, 1.5, 7.5, 28, 6.8, 2.2),  # ERJ 145
        Shape(45.0, 32.9, 3.35, .440, 7.0, .30, 6, 27, 1.3, 0, 1.9, 12.2, 34, 9.0, 2.9),  # MD-80
        Shape(37.8, 28.4, 3.35, .405, 6.4, .32, 6, 27, 1.3, 0, 1.9, 11.1, 34, 8.9, 2.8),  # 717
        Shape(35.5, 28.1, 3.30, .390, 5.9, .36, 4, 22, 1.5, 0, 1.8, 10.0, 28, 8.5, 2.7),  # Fokker 100
    )),
    "turboprop": Kind(engines="propeller", high_wing=True, t_tail=True, weight=0.05, types=(
        Shape(22.7, 24.6, 2.87, .415, 2.7, .35, 0, 1.5, 1.5, .330, 3.9, 7.3, 10, 7.6, 2.3),  # ATR 42
        Shape(27.2, 27.0, 2.87, .440, 2.8, .35, 0, 1.5, 1.6, .300, 3.9, 7.3, 10, 7.7, 2.3),  # ATR 72
        Shape(32.8, 28.4, 2.69, .440, 3.0, .31, -1, 2, 1.7, .310, 4.1, 9.3, 12, 8.3, 2.6),  # Dash 8 Q400
        Shape(25.7, 27.4, 2.69, .420, 2.8, .30, -1, 2, 1.4, .290, 3.9, 7.9, 10, 7.5, 2.4),  # Dash 8 Q300
    )),
    "business_jet": Kind(engines="rear", t_tail=True, paint="private", weight=0.05, types=(
        Shape(14.5, 15.2, 1.65, .430, 2.6, .30, 0, 6, 1.2, 0, .85, 5.8, 12, 4.2, 1.3),  # Citation CJ2
        Shape(17.6, 14.6, 1.75, .430, 3.6, .30, 2, 22, 1.2, 0, .95, 4.5, 25, 4.4, 1.4),  # Learjet 60
        Shape(20.9, 19.6, 2.40, .400, 5.0, .32, 3, 28, 1.2, 0, 1.2, 6.2, 30, 6.2, 1.9),  # Challenger 604
        Shape(29.4, 28.3, 2.50, .400, 6.2, .33, 4, 31, 1.5, 0, 1.5, 10.7, 33, 7.9, 2.3),  # G550
    )),
    "light_twin": Kind(engines="propeller", paint="private", weight=0.012, types=(
        Shape(13.3, 16.4, 1.45, .310, 2.6, .32, -2, 4, 1.1, .310, 2.5, 5.6, 16, 4.4, 1.4),  # King Air 200
        Shape(9.3, 11.9, 1.25, .290, 1.9, .30, -2, 3, 1.2, .320, 1.9, 4.1, 6, 3.0, 1.1),  # Seneca
    )),
    "light_single": Kind(engines="nose", paint="private", weight=0.02, types=(
        Shape(8.3, 11.0, 1.10, .260, 1.65, .50, 0, 0, 1.1, 0, 1.9, 3.4, 8, 2.7, 1.3),  # Cessna 172
        Shape(7.3, 9.2, 1.10, .280, 1.60, .90, 0, 0, 1.5, 0, 1.9, 3.0, 2, 2.2, 1.0),  # Cherokee
        Shape(7.9, 11.6, 1.15, .290, 1.40, .40, -1, 2, .9, 0, 1.9, 3.9, 6, 2.7, 1.1),  # SR22
    )),
    "fighter": Kind(engines="buried", paint="military", weight=0.012, types=(
        Shape(14.6, 9.4, 1.60, .330, 8.6, .30, -4, 57, .5, 0, 1.0, 0.0, 50, 5.2, 1.9),  # Mirage 2000
        Shape(15.0, 9.9, 1.70, .370, 5.6, .30, 0, 40, 1.1, 0, 1.0, 5.6, 40, 5.0, 1.9),  # F-16
        Shape(19.4, 13.0, 2.80, .380, 8.2, .30, 3, 45, 1.6, 0, 1.1, 8.6, 48, 5.6, 2.1),  # F-15
        Shape(21.9, 14.7, 2.60, .370, 7.6, .30, 12, 42, 1.9, 0, 1.2, 9.8, 45, 5.9, 2.3),  # Su-27
    )),
    "prop_transport": Kind(
        engines="propeller", count=2, high_wing=True, paint="military", weight=0.01, types=(
            Shape(29.8, 40.2, 4.30, .340, 4.9, .40, -2, 0, 2.4, .240, 4.1, 16.0, 10, 11.7, 2.8),  # C-130
            Shape(43.5, 42.4, 5.60, .340, 6.6, .40, 2, 17, 2.8, .260, 5.3, 18.0, 24, 14.7, 3.5),  # A400M
            Shape(34.0, 38.0, 4.10, .340, 5.3, .40, 0, 6, 2.3, .260, 4.5, 12.2, 15, 10.5, 3.0),  # An-12
        )),
    "jet_transport": Kind(
        engines="under", count=2, high_wing=True, t_tail=True, paint="military", weight=0.01, types=(
            Shape(53.0, 51.0, 6.85, .290, 12.0, .38, 6, 28, 3.3, .300, 2.7, 19.8, 30, 16.8, 4.2),  # C-17
            Shape(46.6, 50.5, 4.80, .330, 9.6, .38, 2, 27, 3.0, .300, 2.2, 17.4, 34, 14.8, 4.0),  # Il-76
        )),
    "helicopter": Kind(engines="rotor", paint="private", is_aircraft=False, types=(
        Shape(10.5, 10.2, 1.60, .30, 0, 0, 0, 0, .30, 0, 10.5, 2.4, 0, 3.0, 1.5),  # EC135
        Shape(13.8, 13.6, 2.10, .34, 0, 0, 0, 0, .40, 0, 13.8, 3.0, 0, 3.8, 1.8),  # AW139
        Shape(16.5, 16.2, 2.40, .36, 0, 0, 0, 0, .50, 0, 16.3, 4.2, 0, 5.0, 2.1),  # UH-60
    )),
}
# fmt: on


def random_kind(rng: np.random.Generator, max_span: float | None = None) -> str:
    """The name of a kind, as often as its weight says, among those with a type of at most `max_span` metres.

    Raises ValueError where nothing is so small.
    """
    names = [n for n, kind in KINDS.items() if kind.weight > 0 and _fitting(kind, max_span)]
    if not names:
        smallest = min(kind.range_of("span")[0] for kind in KINDS.values() if kind.weight > 0)
        raise ValueError(f"no aircraft fits max_span={max_span} m; the smallest needs {smallest:.1f} m")
    weights = np.array([KINDS[n].weight for n in names])
    return names[rng.choice(len(names), p=weights / weights.sum())]


def random_shape(rng: np.random.Generator, kind: str, max_span: float | None = None) -> Shape:
    """A shape of the kind: two of its types blended, each measure then varied, the span at most `max_span`.

    Raises ValueError where the kind is unknown or has no type of that span.
    """
    if kind not in KINDS:
        raise ValueError(f"no kind of aircraft is called {kind!r}; choose one of {', '.join(KINDS)}")
    types = _fitting(KINDS[kind], max_span)
    if not types:
        smallest = KINDS[kind].range_of("span")[0]
        raise ValueError(f"no {kind} fits max_span={max_span} m; the smallest needs {smallest:.1f} m")
    one, other = (types[i] for i in rng.integers(len(types), size=2))
    share = rng.uniform()
    measures = {}
    for field in fields(Shape):
        value = (1 - share) * getattr(one, field.name) + share * getattr(other, field.name)
        variation = SIZE_VARIATION if field.name in ("length", "span") else VARIATION
        measures[field.name] = value * rng.uniform(1 - variation, 1 + variation)
    measures["wing_x"] = (1 - share) * one.wing_x + share * other.wing_x + rng.uniform(-0.012, 0.012)
    shape = Shape(**measures)
    if max_span is not None and shape.span > max_span:
        shape = replace(shape, span=max_span * rng.uniform(0.97, 1.0))
    return shape


@dataclass(frozen=True, eq=False)
class Surface:
    """The right half of a wing or tailplane: leading edge and chord at stations from the root to the tip.

    y, x, chord, z: (n,) float, station by station; x is the leading edge, positive towards the nose.
    """

    y: np.ndarray
    x: np.ndarray
    chord: np.ndarray
    z: np.ndarray

    def strip(self, y0: float, y1: float, c0: float = 0.0, c1: float = 1.0) -> np.ndarray:
        """(2k, 3) float: the part of the right half from y0 to y1 metres and from c0 to c1 of the chord."""
        inner = self.y[(self.y > y0) & (self.y < y1)]
        y = np.concatenate([[y0], inner, [y1]])
        x, chord, z = (np.interp(y, self.y, values) for values in (self.x, self.chord, self.z))
        points = np.empty((2 * len(y), 3))
        points[: len(y)] = np.stack([x - c0 * chord, y, z], axis=1)
        points[len(y) :] = np.stack([x - c1 * chord, y, z], axis=1)[::-1]
        return points

    def at(self, y: float) -> tuple[float, float, float]:
        """(x of the leading edge, chord, z) at y metres from the centre line."""
        return tuple(float(np.interp(y, self.y, v)) for v in (self.x, self.chord, self.z))  # type: ignore[return-value]


def wing(shape: Shape, high: bool) -> Surface:
    """The half wing of a shape, in body axes: x forward from mid-length, y outwards, z up from the ground."""
    half, kink = shape.span / 2, shape.span / 2 * shape.kink
    x0 = (0.5 - shape.wing_x) * shape.length
    slope, te_slope = math.tan(math.radians(shape.sweep)), math.tan(math.radians(shape.te_sweep))
    kink_chord = shape.root + kink * (te_slope - slope)
    y = np.array([0.0, kink, half])
    x = x0 - y * slope
    chord = np.array([shape.root, max(kink_chord, shape.tip), shape.tip])
    if shape.rake > 0.3:  # the last tenth sweeps back and narrows
        bend = 0.9 * half
        at_bend = float(np.interp(bend, y, chord))
        y = np.array([0.0, kink, bend, 0.97 * half, half])
        x = x0 - y * slope
        x[3] -= 0.4 * shape.tip * shape.rake
        x[4] -= 1.1 * shape.tip * shape.rake
        chord = np.array([shape.root, chord[1], at_bend, 0.75 * at_bend, 0.25 * at_bend])
    foot = shape.body_z + (0.48 if high else -0.35) * shape.width
    return Surface(y=y, x=x, chord=chord, z=foot + y * (-0.01 if high else 0.09))


def _fitting(kind: Kind, max_span: float | None) -> list[Shape]:
    if max_span is None:
        return list(kind.types)
    return [shape for shape in kind.types if shape.span * (1 - SIZE_VARIATION) <= max_span]
