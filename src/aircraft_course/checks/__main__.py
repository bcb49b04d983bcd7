"""`python -m aircraft_course.checks notebook.ipynb ...`: grade notebooks that students handed in.

Exit codes as the command `aircraft`: 0 done, 2 wrong use or bad input, 1 a fault of ours.
"""

import argparse
import json
import sys
from collections.abc import Sequence

from aircraft.cli import BAD_INPUT, DONE, explain


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade each notebook and print a table, or with --json a line of JSON; a bad one stops no other."""
    options = _parser().parse_args(arguments)
    from aircraft_course.checks import grading  # jupyter takes a moment: not for --help

    worst = DONE
    for number, path in enumerate(options.notebooks):
        try:
            grade = grading.grade(path, lesson=options.lesson, timeout=options.timeout, fast=options.fast)
        except Exception as error:
            code, line = explain(error)
            print(f"aircraft: {' '.join(line.split())}", file=sys.stderr)
            worst = code if worst in (DONE, BAD_INPUT) else worst
            continue
        if number and not options.json:
            print()
        print(json.dumps(grade.to_dict(), ensure_ascii=False) if options.json else grade, flush=True)
    return worst


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        print(f"aircraft: {message}; see `{self.prog} --help`", file=sys.stderr)
        sys.exit(BAD_INPUT)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m aircraft_course.checks", description="Grade notebooks that students handed in."
    )
    parser.add_argument("notebooks", nargs="+", metavar="notebook.ipynb")
    parser.add_argument("--lesson", help="the lesson, for example 3, where the notebook does not tell it")
    parser.add_argument("--timeout", type=_seconds, default=300, help="seconds that a cell may last (300)")
    parser.add_argument("--fast", action="store_true", help="small settings: seconds instead of minutes")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each notebook")
    return parser


def _seconds(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number of seconds from 1, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
