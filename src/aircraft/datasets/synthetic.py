"""Rendered scenes: a view that `airfield` draws, as a Scene."""

import airfield
from aircraft import InputError
from aircraft.scenes import Scene

VERSION = airfield.VERSION


def render(site: int, view: int = 0, size: int = 768, difficulty: float = 1.0, seed: int = 0) -> Scene:
    """One view of a site, a square of `size` pixels; the same arguments give the same bytes.

    site: which place (about one in six has no airport); view: which date; size: 64 to 1024 pixels of 1 m;
    difficulty: 0 (plain, high contrast) to 2 (very hard); seed: another world of sites.
    Boxes are those of aircraft with their centre inside; others that reach in, or that cloud or a missing
    strip hides, are in `ignore`.

    Raises InputError where an argument is out of its range.
    """
    try:
        drawn = airfield.render(site, view, size, difficulty, seed)
    except airfield.ArgumentError as error:
        raise InputError(str(error)) from None
    return Scene(drawn.image, drawn.boxes, drawn.name, drawn.site, drawn.ignore)
