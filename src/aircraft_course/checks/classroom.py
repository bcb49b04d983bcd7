"""A class of notebooks: found in folders, graded side by side in processes of their own, and kept.

The watch ends all that its process started since it began (watch.py), so two notebooks never share a grader:
what one does to its own reaches no other. pages.py writes what comes out.
"""

import hashlib
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from aircraft import InputError, replacing
from aircraft.cli import DONE, FAULT, explain
from aircraft_course import checks
from aircraft_course.checks import grading, sandbox, watch
from aircraft_course.checks.grading import Grade, Result

GRACE = 120  # seconds beyond all limits after which a grader is taken for hung
KEPT = "kept"  # the folder of outcomes in --out
# How Moodle names the folder and Canvas the file of a student; the number is the LMS's own for him.
LMS_NAMES = r".+?_(\d+)_assignsubmission_\w+", r".+?_(\d{2,})_\d{4,}_.+"


@dataclass(frozen=True)
class Submission:
    """A notebook that was handed in: by whom, and a name that no other of the class has."""

    path: Path
    student: str
    name: str = ""

    @property
    def number(self) -> str:
        """The number that the LMS wrote into the name of the folder or file, or nothing."""
        found = (re.fullmatch(form, self.student) for form in LMS_NAMES)
        return next((match[1] for match in found if match), "")


@dataclass(frozen=True)
class Settings:
    """How each notebook of the class is graded; `hidden`: folders that none may read."""

    lesson: str | None = None
    timeout: int = grading.TIMEOUT
    fast: bool = False
    limits: watch.Limits = field(default_factory=watch.Limits)
    isolated: bool = False
    hidden: tuple[str, ...] = ()


@dataclass
class Outcome:
    """What became of a submission: a grade, or in one line why there is none, with the exit code for it."""

    submission: Submission
    grade: Grade | None
    problem: str = ""
    code: int = DONE
    taken_over: bool = False


def submissions(paths: Iterable[str | Path]) -> tuple[list[Submission], list[Path]]:
    """The notebooks that are named or lie in the folders named, and the students' folders without any.

    Raises InputError for a folder in which there is no notebook at all.
    """
    found: dict[Path, Submission] = {}
    empty: list[Path] = []
    for path in map(Path, paths):
        inside, without = _in_folder(path) if path.is_dir() else ([Submission(path, path.stem)], [])
        if not inside:
            raise InputError(
                f"{path}: no notebook in this folder or in the folders in it; give one with .ipynb files"
            )
        found |= {one.path.absolute(): one for one in inside if one.path.absolute() not in found}
        empty += without
    return _named_apart(list(found.values())), empty


def _in_folder(folder: Path) -> tuple[list[Submission], list[Path]]:
    """The notebooks of a class: its files, and those of one level of folders, one a student."""
    found, empty = [], []
    for entry in _seen(folder):
        if not entry.is_dir():
            found += [Submission(entry, entry.stem)] if _is_notebook(entry) else []
        elif not entry.is_symlink() and (inside := [one for one in _seen(entry) if _is_notebook(one)]):
            found += [Submission(file, entry.name) for file in inside]
        else:
            empty.append(entry)
    return found, empty


def _seen(folder: Path) -> list[Path]:
    """What lies in a folder, sorted, without what is hidden: `.ipynb_checkpoints`, `._x` of a Mac's zip."""
    return sorted(entry for entry in folder.iterdir() if entry.name[0] != "." and entry.name != "__MACOSX")


def _is_notebook(path: Path) -> bool:
    return path.suffix.lower() == ".ipynb"


def _named_apart(found: list[Submission]) -> list[Submission]:
    """Each with a name of its own: the student, and his file if he has several, and a number at worst."""
    students = [one.student.casefold() for one in found]  # some disks do not tell a from A
    taken: set[str] = set()
    named = []
    for one in found:
        more = "" if students.count(one.student.casefold()) == 1 else f", {one.path.stem}"
        name = first = _short(one.student + (more if one.path.stem != one.student else ""))
        count = 1
        while name.casefold() in taken:
            count += 1
            name = f"{first} ({count})"
        taken.add(name.casefold())
        named.append(replace(one, name=name))
    return named


def _short(name: str, most: int = 200) -> str:
    """At most so many bytes of a name: a disk takes 255, some are needed for what is put behind it."""
    return os.fsencode(name)[:most].decode(errors="ignore") if len(os.fsencode(name)) > most else name


def grade_all(
    handed_in: Sequence[Submission], settings: Settings, *, jobs: int = 1, out: Path | None = None
) -> Iterator[Outcome]:
    """Grade `jobs` notebooks at a time; the outcomes come in the order of the submissions.

    With `out`, outcomes are kept there as they come, and taken over the next time. Raises InputError when a
    notebook changed the installed package: nothing that is found from then on can be believed.
    """
    grader = _Grader(settings, jobs, out)
    with (
        ThreadPoolExecutor(jobs) as pool,
        tqdm(total=len(handed_in), unit="notebook", leave=False, disable=None) as bar,
    ):
        try:
            coming: list[Future[Outcome]] = [pool.submit(grader.grade, one) for one in handed_in]
            for future in coming:
                future.add_done_callback(lambda _: bar.update())
            for future in coming:
                yield future.result()
        finally:  # also when the user has had enough
            pool.shutdown(wait=False, cancel_futures=True)
            grader.stop()


class _Grader:
    def __init__(self, settings: Settings, jobs: int, out: Path | None) -> None:
        self.settings, self.out = settings, out
        self.installed = sandbox.fingerprint()
        self.running: set[subprocess.Popen[bytes]] = set()
        self.stopped = False
        # Two notebooks that both want all cores wait for each other more than they work.
        self.threads = str(max(1, (os.cpu_count() or 1) // jobs))

    def grade(self, submission: Submission) -> Outcome:
        place = self._place(submission.path)
        if place is not None and (grade := taken_over(place)):
            return Outcome(submission, replace(grade, notebook=str(submission.path)), taken_over=True)
        outcome = self._grade_apart(submission)
        if sandbox.fingerprint() != self.installed:
            raise InputError(
                f"{submission.path} or one graded beside it changed the installed package {sandbox.SOURCE}; "
                "install it anew, then grade on"
            )
        if place is not None and outcome.grade is not None:
            keep(place, outcome.grade)
        return outcome

    def _place(self, path: Path) -> Path | None:
        """Where the outcome is kept: the name is a hash of all that it depends on."""
        with suppress(OSError):
            if self.out is None or not path.is_file() or path.stat().st_size > grading.LARGEST:
                return None
            # The file's name may tell the lesson.
            told = [path.name, asdict(replace(self.settings, hidden=())), self.installed]
            digest = hashlib.sha256(json.dumps(told).encode() + hashlib.sha256(path.read_bytes()).digest())
            return self.out / KEPT / f"{digest.hexdigest()[:32]}.json"
        return None

    def _grade_apart(self, submission: Submission) -> Outcome:
        """Grade in a process that may crash or hang: then this notebook has no grade, no other notices."""
        secret = secrets.token_hex()
        request = asdict(self.settings) | {"path": str(submission.path), "secret": secret}
        request["paths"] = [str(path) for path in checks.__path__]
        paths = [str(sandbox.SOURCE), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
        env = {"OMP_NUM_THREADS": self.threads} | os.environ
        env["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        with tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "aircraft_course.checks.classroom"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,  # else what a dead grader did not take is written again at the end
                env=env,
                start_new_session=True,  # Ctrl-C reaches it once, from us
            )
            self.running.add(process)
            alarm = threading.Timer(self.settings.limits.total + self.settings.timeout + GRACE, process.kill)
            alarm.daemon = True
            alarm.start()
            with process:
                assert process.stdin is not None
                assert process.stdout is not None
                with suppress(OSError):  # it may have ended already
                    process.stdin.write(json.dumps(request).encode() + b"\n")
                    process.stdin.flush()
                if self.stopped:
                    process.kill()
                said = process.stdout.read().decode(errors="replace").splitlines()
            alarm.cancel()
            self.running.discard(process)
            for line in said:
                if line.startswith(f"{secret} "):
                    told = json.loads(line.removeprefix(f"{secret} "))
                    grade = told["grade"] and _to_grade(told["grade"])
                    return Outcome(submission, grade, told["problem"], told["code"])
            errors.seek(0)
            last = errors.read().decode(errors="replace").strip().splitlines()[-1:]
        why = f"{submission.path}: its grader ended with {process.returncode} and told nothing"
        return Outcome(submission, None, f"{why} ({last[0][:200]})" if last else why, FAULT)

    def stop(self) -> None:
        """End what is being graded, so that it ends what it started and removes its folders."""
        self.stopped = True
        for process in list(self.running):
            with suppress(OSError):
                process.terminate() if os.name == "nt" else process.send_signal(signal.SIGINT)
        for process in list(self.running):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _to_grade(values: dict[str, Any]) -> Grade:
    """A grade of the plain values that `Grade.to_dict` gives."""
    results = [Result(**one) for one in values["results"]]
    if any(one.outcome not in grading.WORDS for one in results):
        raise ValueError("an unknown outcome")
    return Grade(str(values["notebook"]), str(values["lesson"]), results, [str(n) for n in values["notes"]])


def keep(place: Path, grade: Grade) -> None:
    """Write a grade with a hash of it, as a whole."""
    text = json.dumps(grade.to_dict())
    with replacing(place) as file:
        file.write(json.dumps({"hash": _hash(text), "grade": text}).encode())


def taken_over(place: Path) -> Grade | None:
    """The grade that was kept at a place; None where nothing is, or what is there is damaged."""
    try:
        kept = json.loads(place.read_bytes())
        return _to_grade(json.loads(kept["grade"])) if kept["hash"] == _hash(kept["grade"]) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    """Grade the one notebook that a line on standard input names, and answer with a line."""
    request = json.loads(sys.stdin.readline())
    secret, path = request.pop("secret"), request.pop("path")
    watch.shut_out_others()  # no notebook finds the secret in our memory
    threading.Thread(target=watch.end_with, args=(sys.stdin,), daemon=True).start()
    checks.__path__ = [*checks.__path__, *(one for one in request.pop("paths") if one not in checks.__path__)]
    limits = watch.Limits(**request.pop("limits"))
    try:
        grade = grading.grade(path, limits=limits, progress=False, **request)
        told: dict[str, Any] = {"grade": grade.to_dict(), "problem": "", "code": DONE}
    except Exception as error:
        code, line = explain(error)
        told = {"grade": None, "problem": line, "code": code}
    print(secret, json.dumps(told), flush=True)
    os._exit(0)  # nothing that a notebook left may hold it up


if __name__ == "__main__":
    main()
