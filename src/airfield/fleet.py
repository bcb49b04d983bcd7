"""Who uses what: an aircraft that suits a stand, and the paint that a difficulty asks for."""

import numpy as np

from airfield.layout import Stand
from airfield.planes import Plane, random_plane

MILITARY = ("fighter", "fighter", "fighter", "prop_transport", "jet_transport", "helicopter")
LIGHT = ("light_single", "light_single", "light_twin", "business_jet", "helicopter")
LIGHT_SHARES = (0.35, 0.3, 0.17, 0.12, 0.06)


def fitting_plane(stand: Stand, rng: np.random.Generator, difficulty: float) -> Plane | None:
    """An aircraft that suits the stand: not far smaller than it, military where military."""
    for attempt in range(6):
        kind = None
        if stand.kind == "military":
            kind = str(rng.choice(MILITARY))
        if stand.kind == "gate":
            kind = _airliner(stand.max_span, rng)
        if stand.kind == "light" and rng.random() < 0.65 and stand.max_span < 20:
            kind = str(rng.choice(LIGHT, p=LIGHT_SHARES))
        try:
            plane = random_plane(rng, kind=kind, max_span=stand.max_span, livery=scheme(rng, difficulty))
        except ValueError:  # no aircraft of that kind is so small
            continue
        if plane.span > 0.62 * stand.max_span or attempt == 5 or plane.kind == "helicopter":
            return plane
    return None


def scheme(rng: np.random.Generator, difficulty: float) -> str | None:
    """The name of a livery where the difficulty decides: plain white when easy, hard to see when hard."""
    if rng.random() < 0.7 * (1 - difficulty):
        return str(rng.choice(["white", "tail"]))
    if rng.random() < 0.12 * max(difficulty - 1, 0):
        return str(rng.choice(["low_contrast", "dark", "grey"]))
    return None


def _airliner(max_span: float, rng: np.random.Generator) -> str:
    """The kind of airliner at a gate of a span class."""
    if max_span <= 32:
        return str(rng.choice(["regional_jet", "narrow_body", "turboprop"], p=[0.75, 0.19, 0.06]))
    if max_span <= 45:
        return str(rng.choice(["narrow_body", "regional_jet", "turboprop"], p=[0.72, 0.25, 0.03]))
    if max_span <= 55:
        return str(rng.choice(["wide_body", "narrow_body"], p=[0.7, 0.3]))
    return str(rng.choice(["wide_body", "four_engine"], p=[0.88, 0.12]))
