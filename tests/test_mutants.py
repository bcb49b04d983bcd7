"""A slice of `make mutants`, in a process of its own, as threads do not survive its forks."""

import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent


def test_wrong_answers_are_refused_and_explained_and_right_ones_in_other_words_are_not() -> None:
    where = {"PYTHONPATH": f"{TESTS.parent / 'src'}{os.pathsep}{TESTS}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    done = subprocess.run(
        [*command, str(TESTS / "mutants" / "sample.py")],
        env={**os.environ, **where}, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]
