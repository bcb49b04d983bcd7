"""What several test files need: the folder of the real scenes, and small made-up data."""

import os
from pathlib import Path

import pytest

SHARED_AIRBUS = Path(__file__).parents[2] / "shared" / "airbus"


@pytest.fixture(scope="session")
def airbus_root() -> Path:
    """The folder of the real Airbus scenes; the test is skipped where there is none."""
    root = Path(os.environ.get("AIRCRAFT_AIRBUS_DIR", SHARED_AIRBUS))
    if not (root / "annotations.csv").is_file():
        pytest.skip(f"no Airbus sample at {root}; set AIRCRAFT_AIRBUS_DIR to run the real-data tests")
    return root
