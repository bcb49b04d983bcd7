"""Standard streams that nothing breaks: no encoding, no reader who went away, no full disk, nobody at all."""

import errno
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def unbreakable() -> Iterator[None]:
    """Inside, sys.stdout and sys.stderr take any text, also where they are closed."""
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):  # what is printed on 1 must fail
        try:
            os.fstat(number)
        except OSError:  # closed: else the next file takes its number, and gets what is said to the user
            if (free := os.open(os.devnull, mode)) != number:
                os.dup2(free, number)
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Stream(before[0], 1), _Stream(before[1], 2)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


class _Stream:
    """Writes out what the encoding lacks, as \\u98de; after an error it writes nowhere."""

    def __init__(self, file: Any, number: int) -> None:
        self._file, self._number = file or os.fdopen(number, "w", closefd=False), number
        self._lost: OSError | None = None
        if hasattr(self._file, "reconfigure"):
            self._file.reconfigure(errors="backslashreplace")

    def write(self, text: str) -> int:
        self._try(self._file.write, text)
        return len(text)

    def flush(self) -> None:
        self._try(self._file.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def _try(self, function: Callable[..., Any], *text: str) -> None:
        try:
            if self._lost is None:
                function(*text)
        except (OSError, ValueError) as error:  # a ValueError: it was closed
            with suppress(OSError, ValueError):  # else Python complains at its end
                os.dup2(os.open(os.devnull, os.O_WRONLY), self._file.fileno())
            number = getattr(error, "errno", None) or errno.EBADF
            self._lost = OSError(number, os.strerror(number), "standard output")
        # A reader who went away, as in `aircraft ... | head`, has seen enough. Else standard output
        # tells it, each time: a library may look away once. Of standard error, whom to tell?
        if self._lost is not None and self._number == 1 and self._lost.errno != errno.EPIPE:
            raise self._lost
