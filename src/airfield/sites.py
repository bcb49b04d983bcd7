"""How a site comes about: a kind of place, angle and colours; then `airports` or `places` fill the map."""

import math

import numpy as np

from airfield.airports import AIRPORTS
from airfield.aprons import end_apron
from airfield.layout import Site
from airfield.places import PLACES

# Web map products of "1 m" are enlarged by 1 / cos(latitude): 1 at the equator, 1.6 at 51 degrees.
ENLARGED = (1.12, 1.6)
CONCRETES = (
    (160, 154, 142), (172, 158, 134), (150, 147, 137), (134, 132, 124), (182, 174, 158), (178, 164, 140),
    (188, 174, 148), (192, 184, 168),
)  # fmt: skip
ROOFS = (
    (238, 238, 235), (216, 216, 212), (184, 184, 182), (246, 246, 244), (150, 152, 152), (216, 206, 190),
)  # fmt: skip
BRIDGES = (
    (236, 236, 232), (246, 246, 244), (250, 248, 240), (222, 221, 216), (200, 200, 196), (228, 218, 198),
    (168, 170, 170),
)  # fmt: skip


def make_site(rng: np.random.Generator, difficulty: float) -> Site:
    """The map of a site; about one in six has no airport."""
    empty = rng.random() < 1 / 6
    makers = PLACES if empty else AIRPORTS
    weights = np.array([w for _, w in makers.values()], float)
    kind = str(rng.choice(list(makers), p=weights / weights.sum()))
    site = new_site(rng, kind, difficulty)
    makers[kind][0](site)
    if site.apron and rng.random() < 0.45:
        end_apron(site, site.apron)
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

    concrete = pick(*CONCRETES) + 8
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
        "roof": pick(*ROOFS),
        "bridge": pick(*BRIDGES),
        "tile": pick((164, 92, 68), (150, 108, 86), (128, 122, 118), (176, 120, 90)),
    }
