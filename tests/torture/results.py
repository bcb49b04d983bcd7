"""What a command leaves, reduced to what must be the same every time; and the hook that kills at a write."""

import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from torture.formats import tensors

WRITES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate"}
TEMPORARY = re.compile(r"^\..+-[a-z0-9_]{8}$|\.tmp$|^tmp[a-z0-9_]{8}$")
NAMES_ONLY = {"checkpoint.pt", "index.html"}  # they hold times
CLOCKS = {"seconds", "date", "versions"}


def digest(home: Path) -> dict[str, str]:
    """A mark for each file in out/ and cache/, without clocks; locks and TensorBoard's files are left out."""
    found = {}
    for top in ("out", "cache"):
        for path in sorted((home / top).rglob("*")):
            name = str(path.relative_to(home))
            if path.is_file() and path.suffix != ".lock" and "tensorboard" not in name:
                found[name] = "" if path.name in NAMES_ONLY or "figures" in name else _mark(path)
    return found


def temporary(home: Path) -> list[str]:
    """The names of half-written files."""
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if TEMPORARY.search(path.name))


def _mark(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".safetensors":
        head, body = tensors(data)
        head.pop("__metadata__", None)
        data = json.dumps(head, sort_keys=True).encode() + body
    elif path.suffix == ".json":
        data = json.dumps(_timeless(json.loads(data)), sort_keys=True).encode()
    elif path.name == "history.csv":
        data = b"\n".join(line.rpartition(b",")[0] for line in data.splitlines())
    return hashlib.md5(data).hexdigest()


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _timeless(inner) for key, inner in value.items() if key not in CLOCKS}
    return [_timeless(inner) for inner in value] if isinstance(value, list) else value


def hooked(at: int, number: int) -> None:
    """In the process of a command: count its writes into this folder, and at one of them send it a signal.

    A write is what Python tells its audit hooks (open to write, rename, remove, mkdir), or a call of fsync.
    The signal comes before it happens. at = 0: only count, as bytes of a file.
    """
    place = Path.cwd().parent
    count = os.open(f"{place}/tmp.writes", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    ours, seen = str(place), [0]

    def one() -> None:
        seen[0] += 1
        if not at:
            os.write(count, b".")
        elif seen[0] == at:
            os.kill(os.getpid(), number)

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
                return
        elif event not in WRITES:
            return
        path = arguments[0]
        if isinstance(path, str | bytes | Path) and os.path.abspath(os.fsdecode(path)).startswith(ours):
            one()

    fsync = os.fsync

    def synced(descriptor: int) -> None:
        one()
        fsync(descriptor)

    os.fsync = synced  # type: ignore[assignment]
    sys.addaudithook(audit)
