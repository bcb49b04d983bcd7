"""The data sets of the course: toy, imbalanced, tiles; from rendered scenes, the Airbus sample, or an .npz.

Train and test never share a site. What is built is kept in the cache (`storage`), so the next call is quick.
A source is one module, `synthetic` or `airbus`, which knows its scenes; `building` makes patches of them.
"""

import sys
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from aircraft import InputError, number
from aircraft.datasets import airbus, building, npz, storage, synthetic
from aircraft.datasets.building import IMBALANCED, TOY, Recipe
from aircraft.datasets.npz import PatchSet, export_npz, load_npz
from aircraft.datasets.splitting import COLUMNS, SPLITS, split
from aircraft.patches import NEAR, Patches
from aircraft.scenes import Scene

__all__ = [
    "PatchSet", "Patches", "export_npz", "load_imbalanced", "load_npz", "load_tiles", "load_toy", "split",
]  # fmt: skip

Folder = str | Path | None
FILE = ".npz"
SOURCES: dict[str, Any] = {"synthetic": synthetic.Source, "airbus": airbus.Source, FILE: building.Source}
TILES, MOST_TILES = 36, 5_000  # by default; before the views of the tests meet others
DEFAULTS = {"seed": 0, "difficulty": 1.0, "scale": 1.0, "split": "test", "count": TILES}  # else None
BUILT = DRAWN, REAL = "synthetic", "airbus"
ONLY = {"root": [REAL], "test_sites": [REAL], "difficulty": [DRAWN], "workers": SOURCES, "progress": SOURCES}


def load_toy(source: str | Path = "synthetic", root: Folder = None, **options: Any) -> PatchSet:
    """The toy set: 2,600 patches to train, 880 to test, half of them with an aircraft.

    Parameters
    ----------
    source, root, **options : those of `load_imbalanced`

    Returns
    -------
    PatchSet

    Examples
    --------
    >>> toy = load_toy(scale=0.01, workers=1, progress=False)  # the whole set: load_toy()
    >>> toy.train.images.shape, int(toy.train.labels.sum()), set(toy.train.sites) & set(toy.test.sites)
    ((26, 64, 64, 3), 13, set())
    """
    return _load(TOY, source, root, **options)


def load_imbalanced(source: str | Path = "synthetic", root: Folder = None, **options: Any) -> PatchSet:
    """The imbalanced set: 46,000 patches to train, 10,240 to test, one in ten with an aircraft.

    Parameters
    ----------
    source, root : "synthetic"; "airbus" and the folder of its scenes (see `airbus.find_root`); or an .npz
    seed, difficulty : same arguments, same bytes; of rendered scenes, from 0 (plain) to 2 (very hard)
    test_sites : to test on (airbus): by default I, J, M, N, else a quarter of the sites, drawn by the seed
    scale : float, fraction of the sizes, for quick tries: 0.01 takes seconds
    workers, progress : processes that render, by default one a core; bars on standard error

    Returns
    -------
    PatchSet : or InputError, FileNotFoundError where the source cannot give what is asked
    """
    return _load(IMBALANCED, source, root, **options)


def load_tiles(
    source: str | Path = "synthetic",
    root: Folder = None,
    *,
    split: str = "test",
    count: int = TILES,
    sites: Collection[str] | None = None,
    **options: Any,
) -> list[Scene]:
    """Tiles of 512x512 with their aircraft; some have none. From an .npz: all its `eval_tiles`.

    Parameters
    ----------
    source, root, **options : those of `load_imbalanced`, less the scale
    split : "test", rendered views that no patch shows; or "validation", training sites, for thresholds
    count : how many; fewer, with a warning, where real scenes have no room for more side by side
    sites : list of str, only of these, for example those that `split` kept aside

    Returns
    -------
    list of Scene

    Examples
    --------
    >>> [tile] = load_tiles(count=1, workers=1, progress=False)
    >>> tile.site, tile.image.shape
    ('synthetic-0-0150', (512, 512, 3))
    """
    if split not in ("test", "validation"):
        raise InputError(f"unknown split {split!r}; it is one of test, validation")
    count = number("count", count, 1, MOST_TILES)
    chosen = _source(source, {"root": root, **options}, split=split, count=count, sites=sites)
    return npz.read_tiles(source) if str(source).endswith(FILE) else chosen.tiles(split, count, sites)


def _load(recipe: Recipe, source: str | Path, root: Any, *, scale: float = 1.0, **options: Any) -> PatchSet:
    """The set of a recipe, built or from the cache."""
    scale = number("scale", scale, 1e-4, 1, float)
    chosen = _source(source, {"root": root, **options}, scale=scale)
    if str(source).endswith(FILE):
        return load_npz(source, recipe.name)
    key = {"source": str(source), "near": NEAR, "scale": scale, **chosen.key()}
    arrays, notes = storage.load_or_build(recipe.name, key, partial(building.build, recipe, chosen, scale))
    train, test = (Patches(*(arrays[f"{name}_{what}"] for what in COLUMNS)) for name in SPLITS)
    data = PatchSet(recipe.name, str(source), train, test, notes)
    if chosen.progress:
        tqdm.write(str(data), file=sys.stderr)
    return data


def _source(source: str | Path, options: dict[str, Any], **wishes: Any) -> Any:
    """Where the scenes come from. What an option or a wish cannot do there is refused, never ignored."""
    kind = FILE if str(source).endswith(FILE) else str(source)
    if kind not in SOURCES:
        raise InputError(f"unknown source {str(source)!r}; give {', '.join(BUILT)}, or the path of an .npz")
    chosen = SOURCES[kind](**options)
    for name, value in {**options, **wishes}.items():
        able = ONLY.get(name, BUILT)
        if kind not in able and np.any(value != DEFAULTS.get(name)):
            raise InputError(f"{name} is for {' and '.join(able)}; leave it out with {source}")
    return chosen
