"""The data sets of the course: toy, imbalanced, tiles; from rendered scenes, the Airbus sample, or an .npz.

Train and test never share a site. What is built is kept in the cache (`storage`), so the next call is quick.
"""

import hashlib
import sys
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

from tqdm.auto import tqdm

from aircraft import InputError
from aircraft.datasets import airbus, building, npz, parallel, storage, synthetic
from aircraft.datasets.building import IMBALANCED, TOY, Recipe
from aircraft.datasets.splitting import split, split_sites
from aircraft.patches import NO_SITE, Patches
from aircraft.scenes import Scene

__all__ = [
    "PatchSet", "Patches", "export_npz", "load_imbalanced", "load_npz", "load_tiles", "load_toy", "scenes",
    "split",
]  # fmt: skip

TILES = 36


class Options(TypedDict, total=False):
    """What `load_toy` and `load_imbalanced` take by keyword; `load_imbalanced` explains them."""

    seed: int
    difficulty: float
    test_sites: Collection[str] | None
    near: float | None
    scale: float
    workers: int | None
    progress: bool


@dataclass(frozen=True)
class PatchSet:
    """A data set. `notes["train"]` and `notes["test"]` say what could be built: patches, aircraft (how many
    different ones), recut (share of the aircraft patches that show one once more, shifted), scenes, sites.
    """

    name: str
    source: str
    train: Patches
    test: Patches
    notes: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.name} ({self.source})"]
        for part, patches in (("train", self.train), ("test", self.test)):
            text = f"  {part}: {len(patches):,} patches, {patches.labels.mean():.0%} with an aircraft"
            if part in self.notes:
                text += ", {aircraft:,} aircraft ({recut:.0%} shifted views), {scenes} scenes, {sites} sites"
            lines.append(text.format(**self.notes.get(part, {})))
        return "\n".join(lines)


def load_toy(
    source: str | Path = "synthetic", root: str | Path | None = None, **options: Unpack[Options]
) -> PatchSet:
    """The toy set: 2,600 patches to train, 880 to test, half of them with an aircraft.

    source: "synthetic"; "airbus" (root: its folder, see `airbus.find_root`); or the path of an .npz file.
    options: those of `load_imbalanced`.
    """
    return _load(TOY, source, root, **options)


def load_imbalanced(
    source: str | Path = "synthetic", root: str | Path | None = None, **options: Unpack[Options]
) -> PatchSet:
    """The imbalanced set: 46,000 patches to train, 10,240 to test, one in ten with an aircraft.

    source, root: see `load_toy`. The options, all by keyword:
    seed: int = 0. Same arguments, same bytes.
    difficulty: float = 1.0, of the rendered scenes.
    test_sites: names of the sites to test on (airbus). By default I, J, M, N where there are such, else a
        quarter of the sites, drawn by the seed.
    near: float = 0.5, share of the background near aircraft or man-made clutter.
    scale: float = 1.0, fraction of the sizes, for quick tries: 0.01 takes seconds.
    workers: processes that render; None for one a core. progress: bool = True, bars on standard error.

    Raises InputError or FileNotFoundError where the source cannot give what is asked.
    """
    return _load(IMBALANCED, source, root, **options)


def load_tiles(
    source: str | Path = "synthetic",
    root: str | Path | None = None,
    *,
    split: str = "test",
    count: int = TILES,
    sites: Collection[str] | None = None,
    seed: int = 0,
    difficulty: float = 1.0,
    test_sites: Collection[str] | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> list[Scene]:
    """Tiles of 512x512 with their aircraft; some have none. From an .npz: all its `eval_tiles`.

    split: "test": from the test sites, in rendered views that no patch shows; "validation": from training
        sites, to choose detection thresholds on; there `sites` can name those kept aside by `split`.
    Fewer than `count`, with a warning, where real scenes have no room for more side by side.
    """
    _check_split(split, ("test", "validation"))
    _check_seed(seed)
    if count < 1:
        raise InputError(f"count is {count}; ask for at least one tile")
    kind = _kind(source)
    if kind == "npz":
        return npz.read_tiles(source)
    if kind == "airbus":
        wanted = _airbus_sites(airbus.index(root), test_sites, seed)["test" if split == "test" else "train"]
        found = airbus.read(root, sites=_narrowed(wanted, sites), progress=progress)
        tiles = building.choose_tiles(found, count, seed)
        if len(tiles) < count:
            warnings.warn(f"only {len(tiles)} tiles fit into {len(found)} scenes, not {count}", stacklevel=2)
        return tiles
    _check_synthetic(test_sites)
    numbers = building.TEST_SITES if split == "test" else building.TRAIN_SITES
    names = {building.site_name(seed, number): number for number in numbers}
    chosen = [names[name] for name in _narrowed(list(names), sites)]
    jobs = building.tile_jobs(split, chosen, count, seed=seed, difficulty=difficulty)

    def build() -> storage.Built:
        tiles = parallel.run(
            building.render_tile, jobs, description="rendering tiles", workers=workers, progress=progress
        )
        return npz.pack_tiles(list(tiles)), {}

    parameters = {
        "split": split,
        "sites": chosen,
        "count": count,
        "seed": seed,
        "difficulty": difficulty,
        **_versions(),
    }
    arrays, _ = storage.load_or_build("tiles", parameters, build)
    return npz.unpack_tiles(arrays, "tiles")


def scenes(
    source: str = "synthetic",
    root: str | Path | None = None,
    *,
    split: str = "train",
    count: int | None = None,
    seed: int = 0,
    difficulty: float = 1.0,
    test_sites: Collection[str] | None = None,
    workers: int | None = None,
    progress: bool = True,
) -> list[Scene]:
    """The whole scenes that the patches of a split ("train", "test") come from; at most `count`."""
    _check_split(split, building.PARTS)
    _check_seed(seed)
    if _kind(source) == "airbus":
        wanted = _airbus_sites(airbus.index(root), test_sites, seed)[split]
        return airbus.read(root, sites=wanted, progress=progress)[:count]
    if _kind(source) == "npz":
        raise InputError(f"{source}: an .npz file holds no scenes; use load_tiles")
    _check_synthetic(test_sites)
    jobs = building.renderings_of(split, IMBALANCED.views, seed=seed, difficulty=difficulty)[:count]
    return list(
        parallel.run(building.render, jobs, description="rendering", workers=workers, progress=progress)
    )


def load_npz(path: str | Path, name: str = "npz") -> PatchSet:
    """The patches of an .npz file with train and test (keys and checks: see `npz`).

    Raises InputError where a site is in both parts.
    """
    train, test = (npz.read_patches(path, part) for part in building.PARTS)
    shared = sorted(set(train.sites) & set(test.sites) - {NO_SITE})
    if shared:
        raise InputError(
            f"{path}: the site {shared[0]} is in train and test; split by site, or leave the sites out"
        )
    return PatchSet(name, str(path), train, test)


def export_npz(data: PatchSet | Sequence[Scene], path: str | Path) -> None:
    """Write a data set, or tiles of one size, to an .npz file (keys: see `npz`); a whole file or none."""
    npz.write(path, {"train": data.train, "test": data.test} if isinstance(data, PatchSet) else data)


def _load(
    recipe: Recipe,
    source: str | Path,
    root: str | Path | None,
    *,
    seed: int = 0,
    difficulty: float = 1.0,
    test_sites: Collection[str] | None = None,
    near: float | None = None,
    scale: float = 1.0,
    workers: int | None = None,
    progress: bool = True,
) -> PatchSet:
    kind = _kind(source)
    if kind == "npz":
        return load_npz(source, recipe.name)
    _check_seed(seed)
    if not 0 < scale <= 1:
        raise InputError(f"scale is {scale}; it is a fraction of the sizes, above 0 and at most 1")
    if near is not None and not 0 <= near <= 1:
        raise InputError(f"near is {near}; it is a share, from 0 to 1")
    recipe = recipe if near is None else replace(recipe, near=near)
    parameters = {"source": kind, "seed": seed, "near": recipe.near, "scale": scale, **_versions()}
    if kind == "synthetic":
        _check_synthetic(test_sites)
        parameters["difficulty"] = difficulty

        def build() -> storage.Built:
            return building.rendered(
                recipe, seed=seed, difficulty=difficulty, scale=scale, workers=workers, progress=progress
            )

    else:
        entries = airbus.index(root)
        sites = _airbus_sites(entries, test_sites, seed)
        parameters |= {"files": _fingerprint(entries), "sites": sites}

        def build() -> storage.Built:
            found = airbus.read(root, progress=progress)
            parts = {part: [scene for scene in found if scene.site in sites[part]] for part in building.PARTS}
            return building.from_scenes(recipe, parts, seed=seed, scale=scale, progress=progress)

    arrays, notes = storage.load_or_build(recipe.name, parameters, build)
    train, test = (
        Patches(*(arrays[f"{part}_{what}"] for what in ("images", "labels", "sites")))
        for part in building.PARTS
    )
    data = PatchSet(recipe.name, kind, train, test, notes)
    if progress:
        tqdm.write(str(data), file=sys.stderr)
    return data


def _kind(source: str | Path) -> str:
    """ "synthetic", "airbus" or "npz"."""
    if str(source) in ("synthetic", "airbus"):
        return str(source)
    if Path(source).suffix == ".npz":
        return "npz"
    raise InputError(f"unknown source {str(source)!r}; give synthetic, airbus, or the path of an .npz file")


def _check_split(split: str, known: Sequence[str]) -> None:
    if split not in known:
        raise InputError(f"unknown split {split!r}; it is one of {', '.join(known)}")


def _check_synthetic(test_sites: Collection[str] | None) -> None:
    if test_sites is not None:
        raise InputError(
            "test_sites is for airbus; of the rendered sites the last quarter is always for testing"
        )


def _check_seed(seed: int) -> None:
    if seed < 0 or int(seed) != seed:
        raise InputError(f"seed is {seed}; it must be a whole number, 0 or more")


def _versions() -> dict[str, int]:
    return {"building": building.VERSION, "renderer": getattr(synthetic, "VERSION", 0)}


def _airbus_sites(
    entries: Sequence[airbus.Entry], test_sites: Collection[str] | None, seed: int
) -> dict[str, list[str]]:
    aircraft = {entry.site: 0 for entry in entries}
    for entry in entries:
        aircraft[entry.site] += len(entry.boxes)
    if test_sites is None and set(airbus.TEST_SITES) < set(aircraft):
        test_sites = airbus.TEST_SITES
    return split_sites(aircraft, test_sites, seed)


def _fingerprint(entries: Sequence[airbus.Entry]) -> str:
    """Changes with the annotations, the sites, and the size or date of an image."""
    digest = hashlib.sha256()
    for entry in entries:
        stat = entry.path.stat()
        digest.update(repr((entry, stat.st_size, stat.st_mtime_ns)).encode())
    return digest.hexdigest()


def _narrowed(known: Sequence[str], sites: Collection[str] | None) -> list[str]:
    if sites is None:
        return list(known)
    wrong = sorted(set(sites) - set(known))
    if wrong or not sites:
        raise InputError(f"site {wrong or 'list'} is not of this split; its sites are {', '.join(known)}")
    return sorted(set(sites))
