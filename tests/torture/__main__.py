"""The long campaign: `make torture`, or `python tests/torture commands --only "image: png"`.

Prints what was tried and what failed, part by part and family by family; exit code 1 where anything failed.
"""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:1] = [str(HERE.parents[1] / "src"), str(HERE.parent)]  # in place of this folder

from torture import workshop  # noqa: E402
from torture.cases import Case, Outcome  # noqa: E402
from torture.figures import Figures  # noqa: E402

PARTS = {"commands": 600, "kills": 270, "bits": 180, "bombs": 450, "grades": 240}  # seconds of each at most


def main() -> int:
    """Run the parts, print the figures."""
    options = _options()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)  # stopped: the figures are printed all the same
    workshop.open_shop()
    figures = Figures(options.log)
    try:
        for part in options.parts or PARTS:
            budget = options.seconds or PARTS[part]
            began = time.monotonic()
            figures.begin(part)
            for case, outcome, faults in _tried(part, options, began + budget):
                figures.add(part, case, outcome, faults)
                if options.show:
                    said = outcome.err.decode(errors="replace")
                    print(f"  {case.family} | {case.what} | {outcome.code} | {said}", flush=True)
            figures.end()
    except KeyboardInterrupt:
        print("stopped: what there is so far")
    finally:
        print(figures)
        if not options.keep:
            workshop.close_shop()
    return int(figures.failed > 0)


def _tried(
    part: str, options: argparse.Namespace, deadline: float
) -> Iterator[tuple[Case, Outcome, list[str]]]:
    from importlib import import_module

    module = import_module(f"torture.{part}")
    work = workshop.GOODS.parent / part
    wanted: Callable[[Case], bool] = lambda case: options.only in f"{case.family} | {case.what}"  # noqa: E731
    yield from module.tried(work, options.seed, deadline, wanted)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python tests/torture", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--seed", type=int, default=11, help="of the order, the bits and the moments")
    parser.add_argument("--seconds", type=float, help="for each part, in place of its own budget")
    parser.add_argument(
        "--only", default="", metavar="WORDS", help="only cases with these words in their name"
    )
    parser.add_argument("--log", type=Path, metavar="FILE", help="write failing cases there, one a line")
    parser.add_argument("--show", action="store_true", help="print what every command said")
    parser.add_argument("--keep", action="store_true", help=f"keep the good files in {workshop.GOODS.parent}")
    options = parser.parse_args()
    if unknown := set(options.parts) - PARTS.keys():
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    return options


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # no library that was imported has a say at the end
