"""Watching what was started for a notebook: limits for all of it together, and an end for all of it."""

import ctypes
import json
import os
import queue
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from aircraft_course.checks import sandbox

MARK = "AIRCRAFT_GRADER"  # in the environment of all that was started for a notebook
GB = 2**30
LOOK = 0.2  # seconds between two looks at the limits
LONGEST = 2000  # characters of a path


@dataclass(frozen=True)
class Limits:
    """What a notebook may take in all: seconds, GB of memory and on the disk, processes."""

    total: float = 1800
    memory: float = 6
    disk: float = 4
    processes: int = 64


def limit_this_process() -> None:
    """Bounds that the system keeps, for this process and all that it starts."""
    try:
        import resource
    except ImportError:  # Windows
        return
    wanted = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: int(Limits.disk * GB)}
    if sys.platform == "linux" and os.getuid():  # counts all threads of the user; root has no such limit
        running = sum(len(os.listdir(f"/proc/{pid}/task")) for pid in _of_this_user())
        wanted[resource.RLIMIT_NPROC] = running + 1000
    for what, bound in wanted.items():
        hard = resource.getrlimit(what)[1]
        bound = bound if hard == resource.RLIM_INFINITY else min(bound, hard)
        resource.setrlimit(what, (bound, bound))


def _of_this_user() -> Iterator[int]:
    for pid in psutil.pids():
        with suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid == os.getuid() and os.listdir(f"/proc/{pid}/task"):
                yield pid


def adopt_orphans(adopt: bool = True) -> None:
    """On Linux: processes whose parent ended become children of this one, so that none gets out of sight."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(36, int(adopt), 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def shut_out_others() -> None:
    """On Linux: no other process of this user reads the memory, the pipes or the variables of this one."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE


def family(pid: int, before: frozenset[int] = frozenset(), mark: str = "") -> list[psutil.Process]:
    """The descendants of a process without those of before; where they can get lost, those with the mark."""
    found: dict[int, psutil.Process] = {}
    with suppress(psutil.Error):
        found = {one.pid: one for one in psutil.Process(pid).children(recursive=True)}
    if mark and sys.platform != "linux":
        for one in psutil.process_iter():
            with suppress(psutil.Error):
                if one.environ().get(MARK) == mark:
                    found[one.pid] = one
    return [one for one in found.values() if one.pid not in before | {os.getpid()}]


def end_family(pid: int, before: frozenset[int] = frozenset(), mark: str = "") -> None:
    """Kill all descendants: first hold them, so that none starts another meanwhile; until none is left."""
    for _ in range(100):
        found = family(pid, before, mark)
        if not found:
            return
        for deed in (psutil.Process.suspend, psutil.Process.kill):
            for one in found:
                with suppress(psutil.Error):
                    deed(one)
        psutil.wait_procs(found, timeout=0.2)


def end_with(stdin: IO[str]) -> None:
    """Wait until the one who started this process is gone, then end it with everything that it started."""
    stdin.read()
    end_family(os.getpid())
    os._exit(1)


class Child:
    """The process of one notebook, watched: `answers` gives its lines until it ends or breaks a limit."""

    def __init__(self, request: dict[str, Any], limits: Limits, deadline: float) -> None:
        self.limits, self.deadline = limits, deadline
        self.secret = secrets.token_hex()
        self.request = {**request, "secret": self.secret}
        self.folder = Path(request["folder"])
        self.broken = ""  # the limit that was broken, in words
        self.mark = f"{os.getpid()}-{self.folder.name}"

    def __enter__(self) -> "Child":
        adopt_orphans()
        self.before = frozenset(one.pid for one in family(os.getpid()))
        trusted = tempfile.mkdtemp(prefix="aircraft-judge-")
        self.trusted = sandbox.copy_packages(Path(trusted), with_checks=True)
        paths = [str(self.trusted), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), MARK: self.mark}
        env |= {sandbox.DATA: str(sandbox.cache()), "PYTHONDONTWRITEBYTECODE": "1"}
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "aircraft_course.checks.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=env,
            start_new_session=True,
        )
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        with suppress(OSError):
            self.process.stdin.write(json.dumps(self.request).encode() + b"\n")  # type: ignore[union-attr]
            self.process.stdin.flush()  # type: ignore[union-attr]
        return self

    def __exit__(self, *_: object) -> None:
        end_family(os.getpid(), self.before, self.mark)
        adopt_orphans(False)
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.errors):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        shutil.rmtree(self.trusted, ignore_errors=True)

    def answers(self) -> Iterator[dict[str, Any]]:
        """What the child says, as it comes."""
        looked = time.monotonic()
        while True:
            if time.monotonic() - looked > LOOK:
                self.broken = self._broken()
                looked = time.monotonic()
                if self.broken:
                    end_family(os.getpid(), self.before, self.mark)
                    return
            with suppress(queue.Empty):
                line = self.lines.get(timeout=LOOK)
                if line is None:
                    return
                secret, _, told = line.decode(errors="replace").partition(" ")
                if secrets.compare_digest(secret.encode(), self.secret.encode()):
                    yield json.loads(told)

    def complaint(self) -> str:
        """The last line of what the child wrote about an error."""
        self.errors.seek(0)
        lines = self.errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            for line in self.process.stdout:  # type: ignore[union-attr]
                self.lines.put(line)
        self.lines.put(None)

    def _broken(self) -> str:
        """The limit that the notebook breaks now, or nothing."""
        if time.monotonic() > self.deadline:
            return f"the notebook ran longer than {self.limits.total:g} s in all"
        here = family(os.getpid(), self.before, self.mark)
        if len(here) > self.limits.processes:
            return f"its cell started more than {self.limits.processes} processes"
        most = self.limits.memory * GB
        if _memory(here, exact=False) > most and _memory(here, exact=True) > most:
            return f"its cell took more than {self.limits.memory:g} GB of memory"
        try:
            if _size(self.folder) > self.limits.disk * GB:
                return f"its cell wrote more than {self.limits.disk:g} GB"
        except RecursionError:
            return "its cell made folders in folders without end"
        return ""


def _memory(processes: list[psutil.Process], exact: bool) -> int:
    """Bytes of memory; exactly: what processes share counts once."""
    total = 0
    for one in processes:
        with suppress(psutil.Error):
            told = one.memory_full_info() if exact else one.memory_info()
            total += getattr(told, "pss", told.rss)
    return total


def _size(folder: Path) -> int:
    """Bytes that all in a folder takes on the disk, links not followed."""
    total, waiting = 0, [str(folder)]
    while waiting:
        with suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with suppress(OSError):
                    told = entry.stat(follow_symlinks=False)
                    total += getattr(told, "st_blocks", told.st_size // 512) * 512 + 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    if len(entry.path) > LONGEST:  # what lies deeper has no path: it would not be counted
                        raise RecursionError(entry.path)
    return total
