"""The kept results of the slides: a number that changes in what an experiment runs gives another key."""

import re
import shutil
from pathlib import Path

import pytest

from aircraft.datasets import storage
from figures import kept

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of the code, to change it."""
    copy = tmp_path_factory.mktemp("source")
    for folder in ("src/aircraft", "src/airfield", "slides/figures"):
        shutil.copytree(ROOT / folder, copy / Path(folder).name, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


@pytest.fixture
def code(source):
    """The fingerprint of an experiment of that copy, as its files are now."""
    kept.code.cache_clear()
    yield lambda: kept.code.__wrapped__(source / "figures/rare.py", source)
    kept.code.cache_clear()


@pytest.mark.parametrize(
    "file",
    [
        "aircraft/training/settings.py",
        "aircraft/training/loading.py",
        "aircraft/models/networks.py",
        "aircraft/detection/windows.py",
        "aircraft/datasets/synthetic.py",
        "aircraft/metrics.py",
        "aircraft/patches.py",
        "airfield/__init__.py",
        "airfield/places.py",
        "figures/rare.py",
    ],
)
def test_another_number_in_the_code_is_another_key(source, code, file):
    assert code() != with_change(source / file, r"= ?\d+\b", "= 98765", code)


@pytest.mark.parametrize(
    "file", ["aircraft/cli/detect.py", "aircraft/plotting/curves.py", "figures/tiles.py"]
)
def test_what_no_number_of_the_experiment_passes_through_costs_no_training(source, code, file):
    assert code() == with_change(source / file, r"= ?\d+\b", "= 98765", code)


def test_a_comment_or_an_empty_line_costs_no_training(source, code):
    assert code() == with_change(source / "aircraft/metrics.py", r"\n\n\n", "\n\n\n\n# in passing\n", code)


def test_the_place_of_the_code_is_no_part_of_the_key(code):
    assert code() == kept.code(ROOT / "slides/figures/rare.py")


def test_results_are_kept_under_the_code_of_their_own_module(monkeypatch):
    keys = []
    monkeypatch.setattr(storage, "load_or_build", lambda name, key, build: keys.append(key) or build())
    for _ in range(2):
        assert kept.kept("two", lambda: {"two": 2}) == {"two": 2}
    assert keys[0] == keys[1]
    assert keys[0]["experiment"] == "two"
    assert keys[0]["code"] == kept.code(Path(__file__))
    assert keys[0]["code"] != kept.code(ROOT / "slides/figures/rare.py")


def with_change(file, pattern, new, code):
    """The fingerprint while the first such place of the file is another."""
    text = file.read_text(encoding="utf-8")
    changed, count = re.subn(pattern, new, text, count=1)
    assert count == 1
    file.write_text(changed, encoding="utf-8")
    try:
        return code()
    finally:
        file.write_text(text, encoding="utf-8")
