"""The examples in docstrings run, and what lessons call is explained in the form of NumPy's docstrings."""

import ast
import doctest
import importlib
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("airfield", "aircraft", "aircraft_course", "aircraft_bench")
# Modules of aircraft whose functions lessons call by `module.function(...)`.
TAUGHT = ("datasets", "models", "training", "metrics", "detection", "patches", "plotting")


def with_examples() -> list[str]:
    """The modules that have an example."""
    names = []
    for package in PACKAGES:
        for path in sorted((ROOT / "src" / package).rglob("*.py")):
            if ">>> " in path.read_text(encoding="utf-8"):
                names.append(
                    ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")
                )
    return names


@pytest.mark.parametrize("name", with_examples())
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRCRAFT_DATA", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    module = importlib.import_module(name)
    failed, tried = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert tried > 0, "the example is in no docstring"
    assert failed == 0, "see what doctest printed"


def called_by_lessons() -> Iterator[tuple[str, Callable[..., Any]]]:
    """Name and function of everything that a lesson calls as `module.function`."""
    names = set()
    for source in sorted((ROOT / "notebooks/source").rglob("*.py")):
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            function = node.func if isinstance(node, ast.Call) else None
            owner = function.value if isinstance(function, ast.Attribute) else None
            if isinstance(owner, ast.Name) and owner.id in TAUGHT:
                names.add((owner.id, function.attr))
    for module, attribute in sorted(names):
        found = getattr(importlib.import_module(f"aircraft.{module}"), attribute, None)
        if inspect.isroutine(found) and found.__module__.startswith("aircraft"):
            yield f"{module}.{attribute}", found


def test_what_lessons_call_is_explained_in_numpys_form() -> None:
    functions = dict(called_by_lessons())
    assert len(functions) > 30
    missing = {}
    for name, function in functions.items():
        wanted = ["Parameters", "Returns"] if inspect.signature(function).parameters else ["Returns"]
        missing[name] = [part for part in wanted if f"{part}\n" not in (function.__doc__ or "")]
    assert not {name: parts for name, parts in missing.items() if parts}
