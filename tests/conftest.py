"""What several test files need: the folder of the real scenes, and small made-up data."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("house", deadline=None)  # a busy machine is no fault
settings.load_profile("house")

ROOT = Path(__file__).parents[1]
SHARED_AIRBUS = ROOT.parent / "shared" / "airbus"
sys.path[:0] = [
    str(ROOT / "slides"),
    str(ROOT / "slides/scripts"),
]  # the tests of the slides import their scripts


@pytest.fixture(scope="session")
def airbus_root() -> Path:
    """The folder of the real Airbus scenes; the test is skipped where there is none."""
    root = Path(os.environ.get("AIRCRAFT_AIRBUS_DIR", SHARED_AIRBUS))
    if not (root / "annotations.csv").is_file():
        pytest.skip(f"no Airbus sample at {root}; set AIRCRAFT_AIRBUS_DIR to run the real-data tests")
    return root


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium, for the tests of the slides. Skips without it; without npm's packages too, but not in CI."""
    from playwright.sync_api import sync_playwright

    import deck

    if (lack := deck.missing()) is not None:
        pytest.skip(lack)
    try:
        deck.install()
    except RuntimeError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"the npm packages of the slides are not here, and cannot be fetched: {error}")
    with sync_playwright() as run:
        chromium = deck.launch(run)
        yield chromium
        chromium.close()
