"""The cache: arrays on disk that survive kills, full disks and two builders, and load memory-mapped.

One folder a key, written beside its place and renamed when complete; a hash of each file finds damage.
"""

import hashlib
import json
import os
import platform
import shutil
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np
import pooch
from filelock import AcquireReturnProxy, FileLock, Timeout

from aircraft import InputError, disk_errors, reading, regular, write_through

ENVIRONMENT = "AIRCRAFT_DATA"
FORMAT = 1  # of the folders; raise it when what is in them changes
PATIENCE = 2  # seconds before those who wait are told for whom

ArraysAndNotes = tuple[dict[str, np.ndarray], dict[str, Any]]
Build = Callable[[], ArraysAndNotes]


def folder() -> Path:
    """Where the cache is: AIRCRAFT_DATA, else data/cache of the clone, else the user's cache folder."""
    if named := os.environ.get(ENVIRONMENT):
        with reading(f"{ENVIRONMENT}={named}", "name a folder"):
            return Path(named).expanduser()
    clone = Path(__file__).parents[3]
    project = clone / "pyproject.toml"
    if project.is_file() and 'name = "aircraft"\n' in project.read_text(encoding="utf-8"):
        return clone / "data" / "cache"
    return Path(pooch.os_cache("aircraft"))


def load_or_build(name: str, parameters: Mapping[str, Any], build: Build) -> ArraysAndNotes:
    """The arrays and notes stored for a name and parameters; built where missing or (with a warning) damaged.

    Two processes that ask at once: one builds, the other waits and loads. JSON can hold parameters and notes;
    the arrays are memory-mapped, changes stay in memory.
    """
    key = {"format": FORMAT, "name": name, **parameters}
    place = folder() / f"{name}-{_sum(key)[:12]}"
    remedy = f"or set {ENVIRONMENT} to a folder elsewhere"
    with disk_errors(place.parent, remedy):
        _sweep(place.parent)
        if (found := _load(place)) is not None:
            return found
        place.parent.mkdir(parents=True, exist_ok=True)
        lock = _lock(place)
    with lock:
        if (found := _load(place)) is None:  # else another process has built it meanwhile
            arrays, notes = build()
            with disk_errors(place.parent, remedy):
                _store(place, arrays, {"parameters": key, "notes": notes})
            found = _load(place)
    if found is None:
        raise InputError(f"{place}: changed while it was written; is another program cleaning this folder?")
    return found


def _sum(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _load(place: Path) -> ArraysAndNotes | None:
    """What the folder holds, or None (with a warning where it holds something that is damaged)."""
    if not os.path.lexists(place):
        return None
    if not place.is_dir():
        raise InputError(f"{place}: no folder, where one of the cache belongs; remove it")
    try:
        paths = {path.name: path for path in place.iterdir() if path.is_file()}  # no pipe, no device
        meta = json.loads(paths["meta.json"].read_text(encoding="utf-8"))
        files = {name: paths[f"{name}.npy"] for name in meta["files"]}
        with ThreadPoolExecutor() as pool:  # hashing leaves the interpreter's lock
            hashes = list(pool.map(pooch.file_hash, files.values()))
        notes = _sum(meta["notes"])
        whole = hashes == list(meta["files"].values()) and len(files) == len(list(place.glob("*.npy")))
        whole &= meta.get("sum", notes) == notes  # older folders have none
        if whole and place.name.endswith(_sum(meta["parameters"])[:12]):
            return {name: np.load(path, mmap_mode="c") for name, path in files.items()}, meta["notes"]
        reason = "a file is not what was written"
    except Exception as error:  # whatever it is: it is built again
        reason = f"{type(error).__name__}: {error}"
    warnings.warn(f"{place}: the cached data is damaged ({reason}); it is built again", stacklevel=3)
    return None


def _store(place: Path, arrays: dict[str, np.ndarray], meta: dict[str, Any]) -> None:
    """Write the folder under another name, then rename it; under the lock of `place`."""
    temporary = place.with_name(f"{place.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)  # its lock is ours
    try:
        temporary.mkdir()
        for name, array in arrays.items():
            with (temporary / f"{name}.npy").open("wb") as file:
                _save(file, array)
        meta["sum"] = _sum(meta["notes"])
        meta["files"] = {name: pooch.file_hash(temporary / f"{name}.npy") for name in arrays}
        with (temporary / "meta.json").open("wb") as file:
            file.write(json.dumps(meta, indent=1).encode())
            write_through(file)
        shutil.rmtree(place, ignore_errors=True)  # a damaged one
        temporary.rename(place)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _lock(place: Path) -> AcquireReturnProxy:
    """The lock of `place`, held. Its file says who holds it, and so do we after some seconds of waiting."""
    file, who = Path(f"{place}.lock"), ""
    with suppress(Exception):
        who = regular(file, "").read_text(encoding="utf-8")
    try:
        held = FileLock(file).acquire(timeout=PATIENCE)
    except Timeout:
        warnings.warn(f"{place}: waiting for {who or 'another process'}; if it hangs, end it", stacklevel=3)
        held = FileLock(file).acquire()
    with suppress(OSError):
        file.write_text(f"process {os.getpid()} on {platform.node()}", encoding="utf-8")
    return held


def _sweep(folder: Path) -> None:
    """Remove what killed builders left; the lock of a living one is held."""
    for leftover in folder.glob("*.tmp"):
        with suppress(OSError), FileLock(leftover.with_suffix(".lock"), timeout=0):
            shutil.rmtree(leftover, ignore_errors=True)


def _save(file: IO[bytes], array: np.ndarray) -> None:
    """As np.save, which does not say why a write failed."""
    array = np.ascontiguousarray(array)
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
    file.write(array.reshape(-1).view(np.uint8).data)
    write_through(file)
