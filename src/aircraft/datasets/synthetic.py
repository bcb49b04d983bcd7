"""Rendered scenes: what `airfield` draws, as Scenes; which sites belong to which split, and the tiles."""

from collections.abc import Collection
from functools import partial
from typing import Any

import numpy as np

import airfield
from aircraft import InputError
from aircraft.datasets import building, npz, storage
from aircraft.datasets.splitting import narrowed
from aircraft.patches import TILE
from aircraft.scenes import Scene

SIZE = 768  # side of a rendered scene
SITES = {"train": range(150), "test": range(150, 200), "validation": range(150)}  # of every data set
TILE_VIEWS = {"test": 100, "validation": 200}  # first view of the tiles; patches use views below
EMPTY_TILES = 6  # one tile in six is cut where its scene is emptiest


def render(site: int, view: int = 0, size: int = SIZE, difficulty: float = 1.0, seed: int = 0) -> Scene:
    """One view of a site, with the headings and kinds of its aircraft; same arguments, same bytes.

    site: which place (one in six has no airport); view: which date (sun, traffic, weather); size: side of the
    square image, 64 to 1024 pixels of 1 m; difficulty: 0 (plain, high contrast) to 2 (very hard); seed: which
    world of sites. In `ignore` of the Scene are aircraft with their centre outside, or hidden by cloud.

    >>> scene = render(site=2, size=128)
    >>> scene.name, scene.image.shape, len(scene.boxes) == len(scene.headings) == len(scene.kinds)
    ('synthetic-0-0002-0', (128, 128, 3), True)
    """
    try:
        drawn = airfield.render(site, view, size, difficulty, seed)
    except airfield.ArgumentError as error:
        raise InputError(str(error)) from None
    except Exception as error:
        job = f"site={site}, view={view}, size={size}, difficulty={difficulty}, seed={seed}"
        raise RuntimeError(f"rendering failed: {job}: {error!r}") from error
    return Scene(**vars(drawn))


class Source(building.Source):
    """Rendered scenes: the first view of every site of a split, then the second, ..."""

    def key(self) -> dict[str, Any]:
        return super().key() | {"difficulty": self.difficulty}

    def scenes(self, split: str, views: int, scale: float) -> list[building.Render]:
        order = [(site, view) for view in range(views) for site in SITES[split]]
        order = order[: max(6, round(len(order) * scale))]
        return [partial(render, site, view, SIZE, self.difficulty, self.seed) for site, view in order]

    def tiles(self, split: str, count: int, sites: Collection[str] | None) -> list[Scene]:
        """The sites take turns, in views of their own; kept in the cache."""
        names = {f"synthetic-{self.seed}-{site:04d}": site for site in SITES[split]}  # as airfield says
        chosen = [names[name] for name in narrowed(list(names), sites)]

        def build() -> storage.ArraysAndNotes:
            turns = ((chosen[i % len(chosen)], i // len(chosen), i % EMPTY_TILES == 0) for i in range(count))
            world = TILE_VIEWS[split], self.difficulty, self.seed
            jobs = [partial(_tile, *turn, *world) for turn in turns]
            return npz.pack_tiles(list(self.run(jobs, "rendering tiles"))), {}

        key = {"split": split, "sites": chosen, "count": count, **self.key()}
        return npz.unpack_tiles(storage.load_or_build("tiles", key, build)[0], "tiles")


def _tile(site: int, turn: int, emptiest: bool, first_view: int, difficulty: float, seed: int) -> Scene:
    """A tile at a random place of a scene; or, of 32 places, the one with the fewest aircraft."""
    view = first_view + turn
    rng = np.random.default_rng([seed, site, view])
    scene = render(site, view, SIZE, difficulty, seed)
    corners = rng.integers(0, SIZE - TILE + 1, (32 if emptiest else 1, 2))
    tiles = [scene.crop(int(x), int(y), TILE) for x, y in corners]
    return min(tiles, key=lambda tile: (len(tile.boxes), len(tile.ignore)))
