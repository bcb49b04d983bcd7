"""aircraft: find and count aircraft on satellite images; the package behind the course.

Here stands what every room uses: the errors, and the two ways to a file: `reading` one that the user named,
and `replacing` one as a whole. Submodules are imported when first used: `import aircraft` costs nothing.
"""

import errno
import glob
import importlib
import numbers
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

__version__ = "0.2.0"
ROOMS = "datasets", "detection", "imagery", "metrics", "models", "patches", "plotting", "scenes", "training"

# Notebooks that were handed out before version 0.2 import modules by older names. If the course lies beside
# this package, that folder says the new ones, with a warning; nothing here needs it.
__path__.append(f"{__path__[0]}_course/handed_out")

FULL = (errno.ENOSPC, errno.EDQUOT)
PART = ".aircraft-part"  # ends the name of a file that is still being written


class InputError(ValueError):
    """What was given cannot be used. The message says what is wrong, in which file, and how to mend it."""


class LostProcess(RuntimeError):
    """Another process of a torchrun job died or hangs. The message says how to go on."""


def quoted(name: object) -> str:
    """A name for people to read, in one line: control codes and bytes that are no text are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(name))


def number(name: str, value: Any, least: float, most: float, kind: type = int) -> Any:
    """`value` as a plain int or float (so it stands in the cache's key), or InputError."""
    sort: Any = numbers.Integral if kind is int else numbers.Real
    if isinstance(value, bool) or not isinstance(value, sort) or not least <= value <= most:
        wanted = "a whole number" if kind is int else "a number"
        raise InputError(f"{name} is {value!r}; give {wanted} from {least} to {most}")
    return kind(value)


def regular(path: str | Path, remedy: str) -> Path:
    """The path of a regular file; nothing else is opened: a pipe would keep us waiting for ever.

    Raises FileNotFoundError where there is none, InputError for a folder, a pipe or a device.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, ValueError):
        raise FileNotFoundError(f"{path}: no such file; {remedy}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); {remedy}") from error
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device, no regular file"
        raise InputError(f"{path} is {kind}; {remedy}")
    return path


@contextmanager
def reading(path: str | Path, remedy: str, fault: str = "damaged, or of another kind") -> Iterator[None]:
    """Whatever goes wrong while a file is read that the user named is that file's: one line that names it."""
    try:
        yield
    except (InputError, FileNotFoundError, MemoryError):
        raise
    except Exception as error:
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: {fault} ({why}); {remedy}") from error


@contextmanager
def replacing(path: str | Path) -> Iterator[IO[bytes]]:
    """A file to write that takes the place of `path` at the end; should writing fail, `path` stays as it was.

    Folders are made, and what killed writers of this path left is removed. Raises InputError where the disk
    is full, the place cannot be written, or `path` is no regular file.
    """
    import tempfile  # takes a moment, and most imports of aircraft write nothing

    path = Path(path)
    with disk_errors(path, "or give a path elsewhere"):
        target = path.resolve()  # behind a link: the link stays
        if target.exists() and not target.is_file():
            raise InputError(f"{path}: cannot be written (no regular file is there); give a path elsewhere")
        target.parent.mkdir(parents=True, exist_ok=True)
        start = f".{target.name[:60]}-"
        for leftover in target.parent.glob(f"{glob.escape(start)}*{PART}"):
            sweep(leftover)
        descriptor, part = tempfile.mkstemp(dir=target.parent, prefix=start, suffix=PART)
        try:
            with _marked_alive(descriptor):
                with os.fdopen(descriptor, "wb") as file:
                    yield file
                    write_through(file)
                os.chmod(part, 0o644)
                os.replace(part, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise


def write_through(file: IO[bytes]) -> None:
    """Make sure that what was written is on the disk."""
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def disk_errors(place: Path, remedy: str) -> Iterator[None]:
    """Turn whatever a disk can answer into one line that names the place and says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno is None:  # not the disk's: an error with words of its own
            raise
        if error.errno in FULL:
            raise InputError(f"{place}: the disk is full; nothing was kept; make room, {remedy}") from error
        why = f"cannot be written ({error.strerror})"
        raise InputError(f"{place}: {why}; change its rights, {remedy}") from error


@contextmanager
def _marked_alive(descriptor: int) -> Iterator[None]:
    """Lock a file that is being written, so that it is not taken for what a killed process left."""
    if fcntl is None:  # Windows: an open file cannot be removed anyway
        yield
        return
    with os.fdopen(os.dup(descriptor), "rb") as lock:  # outlives the file that is written
        with suppress(OSError):  # some file systems know no locks
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def sweep(leftover: Path) -> None:
    """Remove what a killed process was writing. A living one holds a lock, from its first moment on."""
    with suppress(OSError), leftover.open("rb") as file:
        if time.time() - os.stat(file.fileno()).st_mtime > 0.1:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def __dir__() -> list[str]:
    return sorted({*globals(), *ROOMS})


def __getattr__(name: str) -> Any:
    if name in ROOMS:
        return importlib.import_module(f"aircraft.{name}")
    raise AttributeError(f"module 'aircraft' has no attribute {name!r}; it has {', '.join(ROOMS)}")
