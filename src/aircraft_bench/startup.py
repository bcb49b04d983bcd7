"""Benchmark 5, start-up: a bare interpreter, `import aircraft`, `aircraft --help`; each a process of its own.

Nothing is subtracted: what a user waits for includes the interpreter.
"""

import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from aircraft_bench.measuring import interleave
from aircraft_bench.options import Options
from aircraft_bench.tables import Part, Row

RUNS, QUICK_RUNS = 10, 2
IMPORT, HELP = 0.15, 0.6  # targets, seconds


def measure(options: Options) -> Iterator[Part]:
    """Seconds from start to end of each process."""
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import aircraft": [sys.executable, "-c", "import aircraft"],
        "aircraft --help": [*_aircraft(), "--help"],
    }
    run = partial(subprocess.run, check=True, stdout=subprocess.DEVNULL)
    seconds = interleave(
        {name: partial(run, words) for name, words in commands.items()},
        QUICK_RUNS if options.quick else RUNS,
        least=0,
        description="start-up",
        progress=options.progress,
    )
    targets = {"import aircraft": IMPORT, "aircraft --help": HELP}
    rows = [Row(name, values, "s", most=targets.get(name)) for name, values in seconds.items()]
    yield Part("Start-up", rows, raw={"seconds": seconds})


def _aircraft() -> list[str]:
    """The command beside this interpreter; where it is not installed, the module."""
    script = Path(sys.executable).with_name("aircraft")
    return [str(script)] if script.exists() else [sys.executable, "-m", "aircraft"]
