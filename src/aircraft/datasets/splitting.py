"""Splits that keep places apart: a site is never on both sides, since its patches look alike."""

import warnings
from collections.abc import Collection, Sequence

import numpy as np

from aircraft import InputError
from aircraft.patches import NO_SITE, Patches

SPLITS = ("train", "test")  # of a data set; validation is split from train
COLUMNS = ("images", "labels", "sites")  # of patches, in files and in the cache: "train_images", ...
DRAWS = 1_000  # random splits, the best of which is taken


def split(patches: Patches, fraction: float = 0.2, seed: int = 0) -> tuple[Patches, Patches]:
    """Train and validation, by site: no site is in both, and both hold both classes.

    Of 1,000 random draws of sites, the one that holds most nearly `fraction` of either class is taken. Where
    no site is known (an .npz without sites) the patches themselves are drawn, with a warning.

    Parameters
    ----------
    patches : Patches
    fraction, seed : share of the patches for validation, between 0 and 1; of the draws

    Returns
    -------
    train, validation : Patches

    Examples
    --------
    >>> labels, sites = np.array([0, 1] * 4, np.uint8), np.array(list("AABBCCDD"))
    >>> train, val = split(Patches(np.zeros((8, 64, 64, 3), np.uint8), labels, sites), fraction=0.25)
    >>> len(train), len(val), set(train.sites) & set(val.sites)
    (6, 2, set())
    """
    if not 0 < fraction < 1:
        raise InputError(f"fraction is {fraction}; it must lie between 0 and 1")
    if len(np.unique(patches.labels)) < 2:
        raise InputError("all patches have one label; both classes are needed to split them")
    rng = np.random.default_rng(seed)
    if (patches.sites == NO_SITE).all():
        doubt = "neighbours can be on both sides, and the validation scores too good"
        warnings.warn(f"the patches have no sites, so they are split one by one; {doubt}", stacklevel=2)
        chosen = _draw_patches(patches.labels, fraction, rng)
    else:
        chosen = _draw_sites(patches, fraction, rng)
    return patches[np.flatnonzero(~chosen)], patches[np.flatnonzero(chosen)]


def narrowed(known: Sequence[str], wanted: Collection[str] | None) -> list[str]:
    """The sites that are wanted (None: all), sorted."""
    if wanted is None:
        return list(known)
    names = sorted({wanted} if isinstance(wanted, str) else set(wanted), key=str)
    if (wrong := [name for name in names if name not in known]) or not names:
        raise InputError(f"site {wrong or 'list'} is unknown here; the sites are {', '.join(known)}")
    return names


def _draw_patches(labels: np.ndarray, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """(N,) bool: drawn from each class apart; at least one of each on both sides."""
    chosen = np.zeros(len(labels), bool)
    for value in (0, 1):
        rows = rng.permutation(np.flatnonzero(labels == value))
        if len(rows) < 2:
            raise InputError(f"only one patch is labelled {value}; both sides of a split need one")
        chosen[rows[: int(np.clip(round(fraction * len(rows)), 1, len(rows) - 1))]] = True
    return chosen


def _draw_sites(patches: Patches, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """(N,) bool: the patches of the drawn sites."""
    names, site = np.unique(patches.sites, return_inverse=True)
    if len(names) < 2:
        raise InputError(f"all patches are of one site ({names[0]}); a split by site needs two")
    counts = np.stack([np.bincount(site, patches.labels == value, len(names)) for value in (0, 1)], axis=1)
    total = counts.sum(axis=0)  # (2,): background, aircraft
    best, drawn = np.inf, None
    for _ in range(DRAWS):
        order = rng.permutation(len(names))
        sums = counts[order].cumsum(axis=0)[:-1]  # of the first 1, 2, ... sites
        shares = sums / total  # of each class that would be drawn; both should be `fraction`
        error = np.abs(shares - fraction).sum(axis=1)
        error[((sums == 0) | (sums == total)).any(axis=1)] = np.inf
        cut = int(error.argmin())
        if error[cut] < best:
            best, drawn = error[cut], order[: cut + 1]
    if drawn is None:
        raise InputError(f"no split of the {len(names)} sites has both classes on both sides; give more")
    return np.isin(site, drawn)
