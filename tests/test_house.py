"""The architecture: which package and which room may import which, no circles, a size for a weekend."""

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SRC = Path(__file__).parents[1] / "src"
PACKAGES = ("airfield", "aircraft", "aircraft_course", "aircraft_bench")
BELOW = {  # which packages a package may import, besides itself
    "airfield": set(),
    "aircraft": {"airfield"},
    "aircraft_course": {"airfield", "aircraft"},
    "aircraft_bench": {"airfield", "aircraft"},
}
# The rooms of `aircraft`, in the order in which data flows: each may import those before it.
ROOMS = (
    "", "scenes", "patches", "datasets", "models", "training", "metrics", "imagery", "detection", "plotting",
    "cli", "__main__",
)  # fmt: skip
CORE = ("datasets", "models", "training", "metrics.py", "detection")


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file, of all four packages."""
    found = {}
    for package in PACKAGES:
        for path in (SRC / package).rglob("*.py"):
            parts = path.relative_to(SRC).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str) -> Iterator[str]:
    """The modules of ours that a module imports, wherever that stands; not those for type hints only."""
    tree = ast.parse(modules()[name].read_text(encoding="utf-8"))
    hints = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
    ]
    skipped = {id(inner) for node in hints for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules())
        elif isinstance(node, ast.ImportFrom) and node.module in modules():
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules() else node.module


def test_no_arrow_points_upwards_between_the_packages() -> None:
    wrong = [
        (name, target)
        for name in modules()
        for target in imports(name)
        if (own := name.partition(".")[0]) != (other := target.partition(".")[0]) and other not in BELOW[own]
    ]
    assert not wrong


def test_no_arrow_points_upwards_between_the_rooms_of_aircraft() -> None:
    def floor(name: str) -> int:
        return ROOMS.index(name.split(".")[1] if "." in name else "")

    ours = [name for name in modules() if name.partition(".")[0] == "aircraft"]
    wrong = [
        (name, target)
        for name in ours
        for target in imports(name)
        if target in ours and floor(target) > floor(name)
    ]
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_there_is_no_circle_of_imports(package: str) -> None:
    arrows = {name: set(imports(name)) - {name} for name in modules() if name.partition(".")[0] == package}
    left = dict(arrows)
    while free := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f"a circle among {sorted(left)}"


def test_the_renderer_knows_nothing_of_learning() -> None:
    code = (
        "import airfield, sys; airfield.render(0, size=128); "
        "print(*sorted({'torch', 'ignite', 'sklearn', 'aircraft'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_top_of_aircraft_shows_the_story_and_nothing_else() -> None:
    entries = {path.name for path in (SRC / "aircraft").iterdir()} - {"__pycache__"}
    assert entries == {
        f"{room}.py" if (SRC / f"aircraft/{room}.py").exists() else room for room in ROOMS[1:]
    } | {"__init__.py"}
    assert len(entries) <= 12


def test_aircraft_can_be_read_in_a_weekend() -> None:
    lines: dict[str, int] = defaultdict(int)
    for path in (SRC / "aircraft").rglob("*.py"):
        room = path.relative_to(SRC / "aircraft").parts[0]
        lines[room] += len(path.read_text(encoding="utf-8").splitlines())
    assert sum(lines.values()) <= 7_000
    assert sum(lines[room] for room in CORE) <= 4_000


def test_no_function_of_aircraft_is_longer_than_a_page() -> None:
    long = []
    for path in (SRC / "aircraft").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno >= 60:
                long.append(f"{path.relative_to(SRC)}:{node.lineno} {node.name}")
    assert not long
