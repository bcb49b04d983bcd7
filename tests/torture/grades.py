"""Part 5: the attacks on the grader, which have a table of their own in tests/test_grader_attacks.py."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from torture.cases import Case, Faults, Outcome

TABLE = Path(__file__).parents[1] / "test_grader_attacks.py"


def tried(
    work: Path, seed: int, deadline: float, wanted: Callable[[Case], bool]
) -> Iterator[tuple[Case, Outcome, Faults]]:
    """Each test of that file is a case."""
    if not TABLE.is_file() or not wanted(Case("grades", "", ())):
        return
    began = time.monotonic()
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", "--tb=line", str(TABLE)]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            timeout=max(1, deadline - began),
            cwd=TABLE.parents[1],
        )
        said, code = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired as error:
        said, code = (error.stdout or b"").decode("utf-8", "replace"), -9
    seconds = time.monotonic() - began
    outcomes = re.findall(r"^(PASSED|FAILED|ERROR) (\S.*)$", said, re.MULTILINE)
    for verdict, name in outcomes:
        faults = [] if verdict == "PASSED" else [verdict]
        yield _case(name), Outcome(0, b"", b"", seconds / len(outcomes), 0.0), faults
    if code != 0 and not any(verdict != "PASSED" for verdict, _ in outcomes):
        yield (
            _case("the file as a whole"),
            Outcome(code, b"", said.encode(), seconds, 0.0),
            [f"pytest ended with {code}: {said[-200:]}"],
        )


def _case(name: str) -> Case:
    return Case("grades", name.rpartition("::")[2].partition(" - ")[0], (name,), module="pytest")
