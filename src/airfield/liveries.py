"""Liveries: the paint of an aircraft, from white with a coloured tail to grey on grey.

Colours are RGB reflectances in [0, 1] as they look on a screen; white paint is near 0.95.
"""

from dataclasses import dataclass

import numpy as np

Color = tuple[float, float, float]

# What airlines paint tails with, as dull as the air makes it; each is varied when drawn.
AIRLINE_COLORS: tuple[Color, ...] = (
    (0.10, 0.15, 0.36), (0.12, 0.28, 0.52), (0.16, 0.22, 0.42), (0.22, 0.45, 0.66), (0.66, 0.13, 0.14),
    (0.55, 0.12, 0.14), (0.74, 0.30, 0.16), (0.84, 0.50, 0.16), (0.86, 0.76, 0.24), (0.14, 0.36, 0.26),
    (0.42, 0.58, 0.28), (0.16, 0.44, 0.46), (0.42, 0.22, 0.40), (0.12, 0.12, 0.15), (0.40, 0.43, 0.48),
    (0.55, 0.58, 0.62), (0.28, 0.20, 0.14),
)  # fmt: skip
SCHEMES: dict[str, dict[str, float]] = {
    "airline": {"tail": 0.55, "white": 0.24, "coloured": 0.10, "metal": 0.05, "grey": 0.05, "dark": 0.01},
    "private": {"white": 0.62, "tail": 0.18, "coloured": 0.08, "grey": 0.06, "dark": 0.06},
    "military": {"camouflage": 0.85, "white": 0.10, "dark": 0.05},
}


@dataclass(frozen=True)
class Livery:
    """Colours of the parts seen from above.

    zone: where the rear part of the fuselage in `zone_color` begins, as a fraction of the length (1: none);
    slant: of its border, in widths; title: 0 to 1, how strong one on the roof is; gloss: of the highlight.
    """

    scheme: str
    body: Color
    wing: Color
    panel: Color
    tail: Color
    fin: Color
    engine: Color
    winglet: Color
    zone_color: Color
    zone: float
    slant: float
    title: float
    gloss: float


def random_livery(rng: np.random.Generator, *, scheme: str | None = None, use: str = "airline") -> Livery:
    """A livery of a scheme: tail, white, coloured, metal, grey, dark, camouflage or low_contrast.

    scheme None draws one as often as `use` ("airline", "private" or "military") has it.
    `low_contrast` paints everything in the greys of aprons; `dark` is below most tarmac: both hard to see.
    Raises ValueError for an unknown scheme.
    """
    if scheme is None:
        names = list(SCHEMES[use])
        scheme = names[rng.choice(len(names), p=np.array(list(SCHEMES[use].values())))]
    white = _grey(rng, 0.90, 1.0)
    accent = _vary(rng, AIRLINE_COLORS[rng.integers(len(AIRLINE_COLORS))], 0.10)
    # In the sun the grey paint of a wing comes out almost as white as the fuselage.
    wing = _grey(rng, 0.80, 0.99)
    body, fin, zone, gloss = white, accent, 1.0, rng.uniform(0.2, 0.7)
    if scheme == "tail":
        zone = rng.uniform(0.66, 0.95) if rng.uniform() < 0.6 else 1.0
    elif scheme == "white":
        fin = accent if rng.uniform() < 0.4 else white
    elif scheme == "coloured":
        body = accent
        fin = accent if rng.uniform() < 0.5 else white
        zone = rng.uniform(0.6, 0.95) if rng.uniform() < 0.4 else 1.0
    elif scheme == "metal":
        body, wing, gloss = _grey(rng, 0.60, 0.80), _grey(rng, 0.58, 0.76), rng.uniform(0.7, 1.2)
    elif scheme == "grey":
        body = _grey(rng, 0.55, 0.82)
        wing = _grey(rng, 0.55, 0.78)
    elif scheme == "dark":
        body = _grey(rng, 0.12, 0.32)
        wing = body if rng.uniform() < 0.6 else _grey(rng, 0.3, 0.6)
        gloss *= 0.5
    elif scheme == "camouflage":
        body = _vary(rng, (0.46, 0.49, 0.50) if rng.uniform() < 0.7 else (0.38, 0.40, 0.32), 0.10)
        wing, fin, gloss = _vary(rng, body, 0.04), _vary(rng, body, 0.05), 0.1
    elif scheme == "low_contrast":
        body = _grey(rng, 0.42, 0.62)
        wing, fin, gloss = _grey(rng, 0.42, 0.62), _grey(rng, 0.35, 0.65), 0.1
    else:
        raise ValueError(f"no livery is called {scheme!r}; choose one of {', '.join(_names())}")
    plain = scheme in ("camouflage", "low_contrast", "dark")
    engine = body if plain else (white, accent, _grey(rng, 0.45, 0.7))[rng.choice(3, p=(0.70, 0.14, 0.16))]
    tail = wing if rng.uniform() < 0.6 else body
    if not plain and rng.uniform() < 0.2:
        tail = _grey(rng, 0.4, 0.65)
    return Livery(
        scheme=scheme,
        body=body,
        wing=wing,
        panel=_scaled(wing, rng.uniform(0.88, 1.0)),
        tail=tail,
        fin=fin,
        engine=engine,
        winglet=fin if rng.uniform() < 0.5 else wing,
        zone_color=white if body is accent else fin,
        zone=zone,
        slant=rng.uniform(-1.0, 1.5),
        title=0.0 if plain or rng.uniform() < 0.8 else rng.uniform(0.1, 0.6),
        gloss=gloss,
    )


def _names() -> list[str]:
    return sorted({name for table in SCHEMES.values() for name in table} | {"low_contrast"})


def _grey(rng: np.random.Generator, low: float, high: float) -> Color:
    return _vary(rng, (rng.uniform(low, high),) * 3, 0.012)


def _vary(rng: np.random.Generator, color: Color, by: float) -> Color:
    varied = np.array(color) * rng.uniform(1 - by, 1 + by) + rng.uniform(-by, by, 3) / 4
    red, green, blue = np.clip(varied, 0, 1)
    return float(red), float(green), float(blue)


def _scaled(color: Color, by: float) -> Color:
    return color[0] * by, color[1] * by, color[2] * by
