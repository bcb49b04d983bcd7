"""`python -m aircraft_course.checks notebook.ipynb ...`: grade notebooks that students handed in.

A folder is a class: its notebooks are graded side by side, and --out keeps the outcomes and writes its pages.

Exit codes as the command `aircraft`: 0 done, 2 wrong use or bad input, 1 a fault of ours.
"""

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aircraft import InputError, disk_errors, quoted
from aircraft.cli import BAD_INPUT, DONE, INTERRUPTED, explain, streams

EMOJI = str.maketrans("", "", "✅🟡❌💥💡")


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade each notebook and print a table, or with --json a line of JSON; a bad one stops no other."""
    options = _parser().parse_args(arguments)
    with streams.unbreakable():
        try:
            return _grade_all(options)
        except KeyboardInterrupt:
            more = "; the same command goes on from here" if options.out else ""
            _say(f"interrupted; what was printed is whole{more}")
            return INTERRUPTED
        except (OSError, InputError) as error:  # such as a full disk, or a folder without notebooks
            code, line = explain(error)
            _say(line)
            return code


def _grade_all(options: argparse.Namespace) -> int:
    from aircraft_course.checks import grading, sandbox, watch  # jupyter takes a moment: not for --help

    limits = watch.Limits(total=options.total, memory=options.memory)
    if missing := sandbox.why_not_isolated():
        print(f"aircraft: note: the notebooks run without isolation: {missing}", file=sys.stderr)
    if options.out or options.jobs or any(Path(path).is_dir() for path in options.notebooks):
        return _grade_class(options, limits, isolated=not missing)
    installed, worst = sandbox.fingerprint(), DONE
    for number, path in enumerate(options.notebooks):
        try:
            grade = grading.grade(
                path,
                lesson=options.lesson,
                timeout=options.timeout,
                fast=options.fast,
                limits=limits,
                isolated=not missing,
            )
        except Exception as error:
            code, line = explain(error)
            _say(line)
            worst = code if worst in (DONE, BAD_INPUT) else worst
            grade = None
        if sandbox.fingerprint() != installed:  # then nothing that is found from here on can be believed
            _say(f"{path}: changed the installed package {sandbox.SOURCE}; install it anew, then grade on")
            return BAD_INPUT
        if grade is not None:
            _print(grade, options.json, first=not number)
    return worst


def _grade_class(options: argparse.Namespace, limits: Any, isolated: bool) -> int:
    """Grade notebooks side by side, print them in order, and write what --out asks for."""
    from aircraft_course.checks import classroom, pages

    handed_in, empty = classroom.submissions(options.notebooks)
    if empty:
        names = ", ".join(folder.name for folder in empty)
        _say(f"note: no notebook in the folders of {len(empty)} students: {names}")
    out = _folder(options.out) if options.out else None
    settings = classroom.Settings(
        options.lesson,
        options.timeout,
        options.fast,
        limits,
        isolated,
        tuple(path for path in (*options.notebooks, options.out) if path and Path(path).is_dir()),
    )
    worst, outcomes = DONE, []
    for one in classroom.grade_all(handed_in, settings, jobs=options.jobs or _cores(), out=out):
        outcomes.append(one)
        if one.grade is None:
            _say(one.problem)
            worst = one.code if worst in (DONE, BAD_INPUT) else worst
        elif options.json or not out:
            _print(one.grade, options.json, first=len(outcomes) == 1)
    if taken_over := sum(one.taken_over for one in outcomes):
        _say(f"note: {taken_over} of {len(outcomes)} notebooks were graded before and are taken over")
    if out:
        pages.write(out, outcomes)
        if not options.json:
            graded = sum(one.grade is not None for one in outcomes)
            print(f"{graded} of {len(outcomes)} notebooks graded; see {quoted(out / 'class.html')}")
    return worst


def _folder(path: str) -> Path:
    """The folder of --out; that it can be written is known before an hour of work."""
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise InputError(f"--out {path}: a file is there; give a folder")
    with disk_errors(folder, "or give --out elsewhere"):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    return folder


def _cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _print(grade: Any, as_json: bool, first: bool) -> None:
    """One line of JSON or a table, in what the terminal can show."""
    encoding = sys.stdout.encoding or "ascii"
    if as_json:
        text = json.dumps(grade.to_dict(), ensure_ascii=not encoding.lower().startswith("utf"))
    else:
        text = ("" if first else "\n") + str(grade)
        if "✅".encode(encoding, "ignore") == b"":
            text = text.translate(EMOJI)
    print(text, flush=True)


def _say(line: str) -> None:
    print(f"aircraft: {quoted(' '.join(line.split()))}", file=sys.stderr)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        print(f"aircraft: {quoted(' '.join(message.split()))}; see `{self.prog} --help`", file=sys.stderr)
        sys.exit(BAD_INPUT)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m aircraft_course.checks", description="Grade notebooks that students handed in."
    )
    parser.add_argument(
        "notebooks", nargs="+", metavar="notebook.ipynb", help="notebooks, or folders of a class with them"
    )
    parser.add_argument("--out", help="a folder for grades.csv, results/, class.html and what is kept")
    parser.add_argument("--jobs", type=_number, help="notebooks side by side (of a class: one for each core)")
    parser.add_argument("--lesson", help="the lesson, for example 3, where the notebook does not tell it")
    parser.add_argument("--timeout", type=_number, default=300, help="seconds that a cell may last (300)")
    parser.add_argument("--total", type=_number, default=1800, help="seconds for the whole notebook (1800)")
    parser.add_argument("--memory", type=_number, default=6, help="GB of memory that it may take (6)")
    parser.add_argument("--fast", action="store_true", help="small settings: seconds instead of minutes")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each notebook")
    return parser


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 6 or int(text) < 1:
        raise argparse.ArgumentTypeError(
            f"a whole number of seconds (or GB, or notebooks) from 1, not {text[:40]!r}"
        )
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
