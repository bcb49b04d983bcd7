"""Bad input: one clear line that says how to mend it, the same from Python and from the command line.

The tables are in `bad_cases`.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import bad_cases
from bad_cases import of_data, of_images, of_models, of_runs
from cli_helpers import aircraft

TABLES = (of_models, of_images, of_data, of_runs)
CASES = {name: case for table in TABLES for name, case in table.CASES.items()}


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRCRAFT_DATA", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good model, a good image, and everything that can be wrong with either."""
    folder = tmp_path_factory.mktemp("bad")
    for table in (bad_cases, *TABLES):
        table.make(folder)
    return folder


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.python])
def test_python_raises_one_clear_line(bad: Path, name: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        CASES[name].python(bad)  # type: ignore[misc]
    assert CASES[name].says in str(error.value)
    assert "\n" not in str(error.value)
    assert error.type.__module__ in ("aircraft", "builtins"), "an error of ours, not of a library"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.words])
def test_the_command_ends_with_2_and_one_clear_line(
    bad: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    outcome = aircraft(capsys, *case.words.format(f=bad).split())  # type: ignore[union-attr]
    assert (outcome.code, outcome.out, len(outcome.lines)) == (2, "", 1), outcome.err
    assert outcome.err.startswith("aircraft: ")
    assert case.says in outcome.err
    assert "Traceback" not in outcome.err
    assert not (bad / "out").exists(), "nothing is written"
    shutil.rmtree(bad / "new", ignore_errors=True)  # the folder of a training that could not begin


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.python and case.words])
def test_both_say_the_same(bad: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    case = CASES[name]
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        case.python(bad)  # type: ignore[misc]
    outcome = aircraft(capsys, *case.words.format(f=bad).split())  # type: ignore[union-attr]
    assert outcome.err == f"aircraft: {error.value}\n"


def test_there_are_enough_cases() -> None:
    assert len(CASES) == sum(len(table.CASES) for table in TABLES), "a name stands in two tables"
    assert len(CASES) >= 80
    assert sum(case.words is not None for case in CASES.values()) >= 40
