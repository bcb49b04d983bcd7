"""What holds a handed-in notebook: its own copy of our packages, limits, isolation, an end for its processes.

With bubblewrap (Linux) the kernel sees no network, no other process, and can write in its own folder only.
Without it the limits still hold, but code that wants to can reach the files and processes of this user.
"""

import ast
import ctypes
import hashlib
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
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from aircraft_course import checks

SOURCE = Path(__file__).parents[2]
PACKAGES = ("aircraft", "airfield", "aircraft_course", "aircraft_bench")
DATA = "AIRCRAFT_DATA"
MARK = "AIRCRAFT_GRADER"  # in the environment of all that was started for a notebook
GB = 2**30
LOOK = 0.2  # seconds between two looks at the limits
# What the kernel gets of the environment: no passwords of the teacher.
PASSED_ON = (
    "PATH", "LANG", "LC_", "TZ", "OMP_", "MKL_", "CUDA_", "NVIDIA_", "LD_", "DYLD_", "VIRTUAL_ENV", "CONDA_",
    "AIRCRAFT_", "SYSTEM", "WINDIR", "PROCESSOR_", "NUMBER_OF_PROCESSORS", "PYTHONHASHSEED", "PYTHONPATH",
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What a notebook may take in all: seconds, GB of memory and on the disk, processes."""

    total: float = 1800
    memory: float = 6
    disk: float = 4
    processes: int = 64


def cache() -> Path:
    """The folder of the data sets."""
    if not os.environ.get(DATA):
        from aircraft.datasets import storage  # with all that reads images: the child is told and needs none

        return storage.folder().absolute()
    return Path(os.environ[DATA]).expanduser().absolute()


def fingerprint() -> str:
    """A hash of the installed packages' files, without what Python compiled."""
    digest = hashlib.sha256()
    for path in _files():
        digest.update(f"{path.relative_to(SOURCE)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((SOURCE / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def copy_packages(folder: Path, *, with_checks: bool) -> Path:
    """A copy of our packages that only reads; without the bodies of the checks for the student's kernel."""
    for path in _files():
        copy = folder / path.relative_to(SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    place = folder / "aircraft_course" / "checks"
    lessons = [file for other in checks.__path__ for file in sorted(Path(other).glob("lesson[0-9][0-9].py"))]
    for lesson in lessons:
        text = lesson.read_text(encoding="utf-8")
        (place / lesson.name).write_text(text if with_checks else _outline(text), encoding="utf-8")
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    return folder


def _outline(text: str) -> str:
    """A module of checks whose functions do nothing: the student's code can neither read nor run them."""
    tree = ast.parse(text)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            node.body = ast.parse("raise NotImplementedError('only the judge knows')").body
    return ast.unparse(tree)


def prepare(folder: Path) -> None:
    """The folders of one notebook: its packages, where it works (with a home), and the sockets."""
    for name in ("work/home", "work/data", "tmp", "shm", "run", "empty"):
        (folder / name).mkdir(parents=True)
    copy_packages(folder / "packages", with_checks=False)
    if cache().is_dir():  # data sets that are there are read there, new ones are built in its own folder
        for found in cache().iterdir():
            if found.is_dir() and found.suffix != ".tmp":
                _link(found.resolve(), folder / "work" / "data" / found.name)
    fonts = Path.home() / ".cache" / "matplotlib"  # looking for fonts takes seconds
    for found in fonts.glob("fontlist-*.json"):
        copy = folder / "work" / "home" / ".cache" / "matplotlib" / found.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, copy)


def _link(there: Path, here: Path) -> None:
    try:
        here.symlink_to(there, target_is_directory=True)
    except OSError:  # Windows asks for a right that few have
        shutil.copytree(there, here)


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """The variables of the kernel: few of ours, and a home of its own."""
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(PASSED_ON)}
    home, temporary = str(folder / "work" / "home"), str(folder / "tmp")
    places = {"HOME": home, "USERPROFILE": home, "TMPDIR": temporary, "TEMP": temporary, "TMP": temporary}
    paths = [str(folder / "packages"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        **kept,
        **places,
        **changes,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        DATA: str(folder / "work" / "data"),
    }


def bubblewrap(folder: Path, hidden: Sequence[str]) -> list[str]:
    """The words that start a command with no network and no other process, on a disk that only reads.

    It can write in its own folders. `hidden` folders are empty: the solutions, the work of other students.
    """
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--unsetenv", "JPY_PARENT_PID"]
    words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for device in sorted(Path("/dev").glob("nvidia*")):
        words += ["--dev-bind", str(device), str(device)]
    words += ["--bind", str(folder / "shm"), "/dev/shm"]
    for place in hidden:
        words += ["--ro-bind", str(folder / "empty"), place]
    words += ["--bind", str(folder / "tmp"), "/tmp"]
    for place in filter(None, (str(cache()), os.environ.get("AIRCRAFT_AIRBUS_DIR", ""))):
        words += ["--ro-bind-try", place, place]
    words += ["--ro-bind", str(folder / "packages"), str(folder / "packages")]
    for name in ("work", "run", "tmp"):
        words += ["--bind", str(folder / name), str(folder / name)]
    return [*words, "--chdir", str(folder / "work")]


def why_not_isolated() -> str:
    """What is missing for isolation, or "" where it works."""
    if sys.platform != "linux":
        return "there is bubblewrap for Linux only; grade in a container, see TEACHING.md"
    if shutil.which("bwrap") is None:
        return "bubblewrap is missing; install it (`apt install bubblewrap`), or grade in a container"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("work", "tmp", "shm", "run", "empty", "packages"):
            (folder / part).mkdir()
        try:
            tried = subprocess.run(
                [*bubblewrap(folder, []), sys.executable, "-c", ""], capture_output=True, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"bubblewrap does not work here ({error}); grade in a container, see TEACHING.md"
    said = " ".join(tried.stderr.decode(errors="replace").split())[:200]
    return f"bubblewrap does not work here ({said}); grade in a container" if tried.returncode else ""


def to_hide(notebook: Path) -> list[str]:
    """Folders that a notebook must not read: the installed checks, the solutions, its neighbours."""
    places = [SOURCE / package for package in PACKAGES] + [SOURCE.parent / "notebooks", notebook.parent]
    needed = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable)]
    found = {place.resolve() for place in places if place.is_dir()}
    return sorted(
        str(place) for place in found if not any(need.resolve().is_relative_to(place) for need in needed)
    )


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
        self.trusted = copy_packages(Path(trusted), with_checks=True)
        paths = [str(self.trusted), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        env = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths)), MARK: self.mark}
        env |= {DATA: str(cache()), "PYTHONDONTWRITEBYTECODE": "1"}
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
        if _size(self.folder) > self.limits.disk * GB:
            return f"its cell wrote more than {self.limits.disk:g} GB"
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
    """Bytes that the files in a folder take on the disk, links not followed."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                told = os.lstat(os.path.join(root, name))
                total += getattr(told, "st_blocks", told.st_size // 512) * 512 + 512
    return total
