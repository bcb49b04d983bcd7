"""aircraft: find and count aircraft on satellite images; the package behind the course.

Here stands what every room uses: the errors, and `replacing`, the one way to write a file. Submodules are
imported when they are first used, so that `import aircraft` costs nothing.
"""

import errno
import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

__version__ = "0.2.0"
ROOMS = (
    "datasets", "detection", "imagery", "metrics", "models", "patches", "plotting", "scenes", "training",
)  # fmt: skip

# Notebooks that were handed out before version 0.2 import modules by older names. If the course lies beside
# this package, that folder says the new ones, with a warning; nothing here needs it.
__path__.append(f"{__path__[0]}_course/handed_out")

FULL = (errno.ENOSPC, errno.EDQUOT)
CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)


class InputError(ValueError):
    """What was given cannot be used. The message says what is wrong, in which file, and how to mend it."""


class LostProcess(RuntimeError):
    """Another process of a torchrun job died or hangs. The message says how to go on."""


@contextmanager
def replacing(path: str | Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` at the end; should writing fail, `path` stays as it was.

    Folders are made. Raises InputError where the disk is full or the place cannot be written.
    """
    import tempfile  # takes a moment, and most imports of aircraft write nothing

    path = Path(path)
    with disk_errors(path, "or give a path elsewhere"):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                write_through(file)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise


def write_through(file: IO[bytes]) -> None:
    """Make sure that what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def disk_errors(place: Path, remedy: str) -> Iterator[None]:
    """Turn what a disk can answer into one line that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise InputError(f"{place}: the disk is full; nothing was kept; make room, {remedy}") from error
        if error.errno in CLOSED:
            reason = f"cannot be written ({error.strerror})"
            raise InputError(f"{place}: {reason}; change its rights, {remedy}") from error
        raise


def __dir__() -> list[str]:
    return sorted({*globals(), *ROOMS})


def __getattr__(name: str) -> Any:
    if name in ROOMS:
        return importlib.import_module(f"aircraft.{name}")
    raise AttributeError(f"module 'aircraft' has no attribute {name!r}; it has {', '.join(ROOMS)}")
