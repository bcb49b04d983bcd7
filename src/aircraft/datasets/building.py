"""How a data set is made: which scenes, how many patches from each, and their order; the same for any source.

Nothing here depends on the number of workers: each scene has its own random stream.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, repeat
from typing import Any

import numpy as np

from aircraft import InputError, patches
from aircraft.datasets import parallel, synthetic
from aircraft.datasets.storage import Built
from aircraft.patches import PATCH, TILE
from aircraft.scenes import Scene

VERSION = 2  # of the sampling; raise it when the same parameters give other patches
SIZE = 768  # side of a rendered scene
TRAIN_SITES = range(150)  # rendered sites, for every data set and for tiles
TEST_SITES = range(150, 200)
EMPTY_TILES = 6  # one rendered tile in six is cut where its scene is emptiest
TILE_VIEWS = {"test": 100, "validation": 200}  # first view of the tiles; patches use views below
PARTS = ("train", "test")


@dataclass(frozen=True)
class Recipe:
    """The size of a data set, and where its patches come from.

    train, test: patches; share: of them that show an aircraft; views: rendered dates of each site;
    near: share of the background that is taken near aircraft or man-made clutter.
    """

    name: str
    train: int
    test: int
    share: float
    views: int
    near: float = patches.NEAR

    def counts(self, part: str, scale: float) -> tuple[int, int]:
        """Aircraft and background patches; at least 20 together, whatever the scale."""
        size = max(20, round(getattr(self, part) * scale))
        return round(size * self.share), size - round(size * self.share)


TOY = Recipe("toy", 2_600, 880, share=1 / 2, views=1)
IMBALANCED = Recipe("imbalanced", 46_000, 10_240, share=1 / 10, views=3)


@dataclass(frozen=True)
class Rendering:
    """A scene to be rendered: the arguments of `synthetic.render`."""

    site: int
    view: int
    seed: int
    difficulty: float

    def scene(self) -> Scene:
        return synthetic.render(self.site, self.view, SIZE, self.difficulty, self.seed)


@dataclass(frozen=True)
class Job:
    """What to cut from one scene: `negatives` background patches and at most `positives` with an aircraft."""

    scene: Scene | Rendering
    positives: int
    negatives: int
    near: float
    seed: tuple[int, ...]


@dataclass(frozen=True)
class Cuts:
    """What came of a job. `rounds` says which view of its aircraft each positive patch is (0 = the first)."""

    site: str
    positives: np.ndarray  # (P, 64, 64, 3) uint8
    rounds: np.ndarray  # (P,) int
    negatives: np.ndarray  # (N, 64, 64, 3) uint8


def rendered(
    recipe: Recipe, *, seed: int, difficulty: float, scale: float, workers: int | None, progress: bool
) -> Built:
    """The arrays and notes of a data set from rendered scenes."""
    jobs = {}
    for number, part in enumerate(PARTS):
        positives, negatives = recipe.counts(part, scale)
        renderings = renderings_of(part, recipe.views, seed=seed, difficulty=difficulty)
        renderings = renderings[: max(6, round(len(renderings) * scale))]
        # How many aircraft a scene has is known only after rendering: three times the mean from each, so that
        # a third of the scenes would do, and the rounds choose evenly afterwards.
        most = min(positives, max(64, 3 * positives // len(renderings)))
        jobs[part] = [
            Job(scene, most, count, recipe.near, (seed, number, i))
            for i, (scene, count) in enumerate(
                zip(renderings, _shares(negatives, len(renderings)), strict=True)
            )
        ]
    return _build(recipe, jobs, scale, seed, workers, progress)


def from_scenes(
    recipe: Recipe, scenes: dict[str, list[Scene]], *, seed: int, scale: float, progress: bool
) -> Built:
    """The arrays and notes of a data set from the scenes of "train" and "test"."""
    jobs = {}
    for number, part in enumerate(PARTS):
        positives, negatives = recipe.counts(part, scale)
        usable = [patches.usable(scene) for scene in scenes[part]]
        rounds = -(-positives // max(1, sum(usable))) + 1  # one to spare: two aircraft can share a window
        jobs[part] = [
            Job(scene, rounds * aircraft, count, recipe.near, (seed, number, i))
            for i, (scene, aircraft, count) in enumerate(
                zip(scenes[part], usable, _shares(negatives, len(usable)), strict=True)
            )
        ]
    return _build(recipe, jobs, scale, seed, workers=1, progress=progress)


def renderings_of(part: str, views: int, *, seed: int, difficulty: float) -> list[Rendering]:
    """The scenes of a part: the first view of every site, then the second, ..."""
    sites = TRAIN_SITES if part == "train" else TEST_SITES
    return [Rendering(site, view, seed, difficulty) for view in range(views) for site in sites]


def site_name(seed: int, number: int) -> str:
    """As the renderer names a site."""
    return f"synthetic-{seed}-{number:04d}"


def tile_jobs(
    split: str, sites: Sequence[int], count: int, *, seed: int, difficulty: float
) -> list[tuple[Rendering, bool]]:
    """The jobs of `render_tile`: the sites in turn, in views of their own."""
    first = TILE_VIEWS[split]
    views = [(sites[i % len(sites)], first + i // len(sites)) for i in range(count)]
    return [
        (Rendering(site, view, seed, difficulty), i % EMPTY_TILES == 0)
        for i, (site, view) in enumerate(views)
    ]


def choose_tiles(scenes: Sequence[Scene], count: int, seed: int) -> list[Scene]:
    """At most `count` of the tiles that fit into the scenes side by side, drawn by the seed."""
    tiles = [tile for scene in scenes for tile in patches.cut_tiles(scene)]
    chosen = np.random.default_rng(seed).choice(len(tiles), min(count, len(tiles)), replace=False)
    return [tiles[i] for i in sorted(chosen)]


def render(rendering: Rendering) -> Scene:
    """The scene; a fault of the renderer names it."""
    try:
        return rendering.scene()
    except InputError:
        raise
    except Exception as error:
        raise RuntimeError(f"rendering failed: {rendering}: {error!r}") from error


def render_tile(job: tuple[Rendering, bool]) -> Scene:
    """A tile at a random place of a scene; with True, the one of 32 places with the fewest aircraft."""
    rendering, emptiest = job
    rng = np.random.default_rng([rendering.seed, rendering.site, rendering.view])
    scene = render(rendering)
    corners = rng.integers(0, SIZE - TILE + 1, (32 if emptiest else 1, 2))
    tiles = [scene.crop(int(x), int(y), TILE) for x, y in corners]
    return min(tiles, key=lambda tile: (len(tile.boxes), len(tile.ignore)))


def cut(job: Job) -> Cuts:
    """Sample and cut the patches of one scene. Raises InputError where it has no room for the background."""
    scene = render(job.scene) if isinstance(job.scene, Rendering) else job.scene
    rng = np.random.default_rng(job.seed)
    positives, rounds = patches.sample_positive(scene, job.positives, rng)
    negatives = patches.sample_negative(scene, job.negatives, rng, job.near)
    if len(negatives) < job.negatives:
        raise InputError(
            f"{scene.name}: {scene.width} x {scene.height} m with {len(scene.boxes)} aircraft has room for "
            f"only {len(negatives)} of {job.negatives} background patches; give more or larger scenes"
        )
    return Cuts(
        site=scene.site,
        positives=patches.cut(scene.image, *positives.T),
        rounds=rounds,
        negatives=patches.cut(scene.image, *negatives.T),
    )


def _build(
    recipe: Recipe, jobs: dict[str, list[Job]], scale: float, seed: int, workers: int | None, progress: bool
) -> Built:
    everything = [job for part in PARTS for job in jobs[part]]
    results = parallel.run(
        cut, everything, description=f"building {recipe.name}", workers=workers, progress=progress
    )
    arrays: dict[str, np.ndarray] = {}
    notes: dict[str, Any] = {}
    for number, part in enumerate(PARTS):
        rng = np.random.default_rng([seed, number])
        counts = recipe.counts(part, scale)
        cuts = islice(results, len(jobs[part]))
        images, labels, sites, notes[part] = _assemble(cuts, *counts, rng, f"{recipe.name} {part}")
        arrays |= {f"{part}_images": images, f"{part}_labels": labels, f"{part}_sites": sites}
    return arrays, notes


def _assemble(
    cuts: Iterable[Cuts], positives: int, negatives: int, rng: np.random.Generator, what: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
    """Images, labels, sites in random order, and notes.

    Every aircraft gives its first view before any gives its second, so all are used equally often.
    """
    total = positives + negatives
    images = np.empty((total, PATCH, PATCH, 3), np.uint8)
    labels = np.zeros(total, np.uint8)
    sites = np.empty(total, object)
    rows = iter(rng.permutation(total))
    candidates: list[tuple[int, str, np.ndarray]] = []  # the positives: round, site, image
    scenes = 0
    for piece in cuts:
        chosen = list(islice(rows, len(piece.negatives)))
        images[chosen], sites[chosen] = piece.negatives, piece.site
        candidates += zip(piece.rounds.tolist(), repeat(piece.site), piece.positives)
        scenes += 1
    rounds = np.array([candidate[0] for candidate in candidates], int)
    order = np.lexsort((rng.random(len(rounds)), rounds))[:positives]
    if len(order) < positives:
        raise InputError(_too_few(what, len(order), positives))
    for row, (_, site, image) in zip(rows, (candidates[k] for k in order), strict=True):
        images[row], labels[row], sites[row] = image, 1, site
    aircraft = int((rounds[order] == 0).sum())
    notes = {
        "patches": total,
        "aircraft": aircraft,
        "recut": round(1 - aircraft / positives, 4),
        "scenes": scenes,
        "sites": len(set(sites)),
    }
    return images, labels, sites.astype(str), notes


def _too_few(what: str, found: int, wanted: int) -> str:
    if found == 0:
        return f"{what}: no scene has an aircraft wholly inside; choose other sites or another seed"
    return (
        f"{what}: the scenes give only {found} different windows with an aircraft, {wanted} are needed; "
        "give more scenes, or a smaller scale"
    )


def _shares(total: int, parts: int) -> Iterator[int]:
    """Numbers that differ by at most 1 and add up to the total."""
    return (total * (i + 1) // parts - total * i // parts for i in range(parts))
