# ruff: noqa: SIM115  (streams stay open)
"""Commands as processes: started by `fork` from this one, which has imported everything, or afresh.

A copy begins in milliseconds, an interpreter of its own in seconds. Both have a folder, an environment, a
session, a time limit, and are measured by wait4. Nothing here starts a thread, or a fork would not be safe.
"""

import hashlib
import io
import os
import shutil
import signal
import stat
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from torture import workshop
from torture.cases import Case, Outcome

LANES = 2
ENOUGH = {"own": 6000, "copy": 4000}  # MB of a process; what takes more is stopped, for the machine's sake
KEPT = ("PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "COVERAGE_PROCESS_START")
IDLE = {"own": 0.0, "copy": 0.0, "us": 0.0}  # MB that an idle command takes, and this process meanwhile


class Running:
    """A case at work."""

    def __init__(self, case: Case, folder: Path, *, again: bool = False, streams: Path | None = None) -> None:
        """again: in the folder of an earlier run, as that left it; streams: where its output goes."""
        self.case, self.folder, self.streams = case, folder, streams or folder
        self.home = folder / "home"
        if not again:
            shutil.rmtree(folder, ignore_errors=True)
            (folder / "tmp").mkdir(parents=True)
            self.home.mkdir()
            workshop.lay_out(self.home, case)
        self.signal: tuple[float, int] | None = None  # after so many seconds, to the process itself
        self.before = snapshot(folder)
        # A copy begins with the pages of this process, which grows as cases are made.
        kind, grown = ("own", 0.0) if case.own else ("copy", resident(os.getpid()) - IDLE["us"])
        self.usual = IDLE[kind] + max(0.0, grown) if IDLE[kind] else 0.0
        self.began, self.stopped = time.monotonic(), ""
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            _be(case, folder, self.streams)

    def poll(self) -> Outcome | None:
        """The outcome, once there is one."""
        pid, status, usage = os.wait4(self.pid, os.WNOHANG)
        seconds = time.monotonic() - self.began
        if not pid:
            if self.signal and seconds > self.signal[0]:
                os.kill(self.pid, self.signal[1])
                self.signal = None
            if seconds > self.case.seconds * crowded():
                self.stop(f"hangs: stopped after {seconds:.0f} s")
            elif resident(self.pid) > (most := ENOUGH["own" if self.case.own else "copy"]):
                self.stop(f"takes more than {most:,} MB: stopped")
            return None
        self.stop(self.stopped)  # what it started and left behind
        used = usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
        after = snapshot(self.folder)
        outcome = Outcome(
            code=os.waitstatus_to_exitcode(status),
            out=(self.streams / "stdout").read_bytes(),
            err=(self.streams / "stderr").read_bytes(),
            seconds=seconds,
            megabytes=max(0.0, used - self.usual),
            stopped=self.stopped,
            changed=tuple(difference(self.before, after)),
        )
        if self.case.after and not outcome.stopped:
            outcome.more = self.case.after(self.home, outcome)
        return outcome

    def wait(self) -> Outcome:
        """The outcome, waited for."""
        while (outcome := self.poll()) is None:
            time.sleep(0.003)
        return outcome

    def stop(self, why: str, number: int = signal.SIGKILL) -> None:
        """End the process and all that it started."""
        self.stopped = why
        with _Missing():
            os.killpg(self.pid, number)


class _Missing:
    """`with _Missing(): ...` where the process may have ended already."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type | None, *_: object) -> bool:
        return kind is not None and issubclass(kind, ProcessLookupError | PermissionError)


def run(case: Case, folder: Path, *, again: bool = False) -> Outcome:
    """One case, waited for."""
    return Running(case, folder, again=again).wait()


def run_all(cases: Sequence[Case], work: Path, deadline: float) -> Iterator[tuple[Case, Outcome]]:
    """Each case with its outcome, as they end, a few side by side; none is begun after the deadline."""
    waiting, running = list(enumerate(cases)), []
    while waiting or running:
        while waiting and len(running) < LANES and time.monotonic() < deadline:
            number, case = waiting.pop(0)
            try:
                running.append(Running(case, work / f"{number:04d}"))
            except OSError as error:
                yield case, Outcome(0, b"", b"", 0.0, 0.0, f"cannot be set up: {error}"[:200])
        if time.monotonic() >= deadline:
            waiting = []
        for one in list(running):
            if (outcome := one.poll()) is not None:
                running.remove(one)
                yield one.case, outcome
                shutil.rmtree(one.folder, ignore_errors=True)
        time.sleep(0.003)


Task = Generator[Running, Outcome, None]


def side_by_side(tasks: Iterator[Task], deadline: float) -> Iterator[None]:
    """Run tasks, a few at a time; each yields what it has started and is sent the outcome."""
    running: list[tuple[Task, Running]] = []
    left = True
    while running or left:
        while left and len(running) < LANES:
            task = next(tasks, None) if time.monotonic() < deadline else None
            left = task is not None
            if task and (first := next(task, None)):
                running.append((task, first))
        for task, one in list(running):
            if (outcome := one.poll()) is not None:
                running.remove((task, one))
                with suppress(StopIteration):
                    running.append((task, task.send(outcome)))
                yield
        time.sleep(0.003)


def crowded() -> float:
    """How much longer things take because others use this machine as well."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    return min(4.0, max(1.0, load / (os.cpu_count() or 1)))


def in_copy(work: Callable[[], None]) -> None:
    """Call it in a copy of this process, so that no thread of a library begins here."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        finally:
            sys.stderr.flush()
            os._exit(code)
    if os.waitpid(pid, 0)[1]:
        raise RuntimeError("the workshop failed")


def snapshot(folder: Path) -> dict[str, str]:
    """Every name under home/ and tmp/ with what it is."""
    found = {}
    for top in ("home", "tmp"):
        for root, folders, files in os.walk(os.fsencode(folder / top)):
            for name in folders + files:
                path = os.path.join(root, name)
                key = os.fsdecode(os.path.relpath(path, os.fsencode(folder)))
                found[key] = _mark(path)
    return found


def difference(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """What has changed between two snapshots, in words."""
    gone = [f"gone {ascii(name)[1:-1]}" for name in sorted(before.keys() - after.keys())]
    new = [f"new {ascii(name)[1:-1]}" for name in sorted(after.keys() - before.keys())]
    both = sorted(before.keys() & after.keys())
    return gone + [f"other {ascii(name)[1:-1]}" for name in both if before[name] != after[name]] + new


def _mark(path: bytes) -> str:
    found = os.lstat(path)
    if stat.S_ISREG(found.st_mode):
        if found.st_size > 20_000_000:
            return f"file {found.st_size} {found.st_mtime_ns}"
        with open(path, "rb") as file:
            return hashlib.md5(file.read()).hexdigest()
    link = os.fsdecode(os.readlink(path)) if stat.S_ISLNK(found.st_mode) else ""
    return f"{stat.S_IFMT(found.st_mode)} {found.st_rdev} {link}"


def environment(folder: Path, case: Case) -> dict[str, str]:
    """Of a command: nothing of ours but the paths."""
    home = str(folder / "home")
    values = {name: os.environ[name] for name in KEPT if name in os.environ}
    values |= {
        "HOME": home, "TMPDIR": str(folder / "tmp"), "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path[:2]),
        "MPLCONFIGDIR": str(workshop.GOODS / "mpl"),
        "TORCHINDUCTOR_CACHE_DIR": str(workshop.GOODS / "inductor"),
        "AIRCRAFT_DATA": str(workshop.GOODS / "cache"), "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    values |= {name: value for name, value in case.env.items() if value is not None}
    return {name: value for name, value in values.items() if case.env.get(name, "") is not None}


def _be(case: Case, folder: Path, streams: Path) -> None:
    """In the new process: become the command, and end with its exit code."""
    code = 70
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number, name in ((1, "stdout"), (2, "stderr")):
            opened = os.open(streams / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(opened, number)
            os.close(opened)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(folder / "home")
        given = environment(folder, case)
        if case.own:
            if case.prepare:
                case.prepare()
            os.execve(sys.executable, [sys.executable, "-m", case.module, *case.words], given)
        os.environ.clear()
        os.environ.update(given)
        sys.stdin = open(0, encoding="utf-8", closefd=False)
        sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), "utf-8", line_buffering=True)
        sys.stderr = io.TextIOWrapper(
            open(2, "wb", closefd=False), "utf-8", "backslashreplace", line_buffering=True
        )
        if case.prepare:
            case.prepare()
        code = workshop.call(case.module, list(case.words))
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
        sys.stderr.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
        sys.stderr.flush()
    finally:
        os._exit(code)


def resident(pid: int) -> float:
    """MB of a process now; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20
    except (OSError, IndexError, ValueError):
        return 0.0
