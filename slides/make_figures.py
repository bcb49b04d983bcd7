"""Draw the figures of the slides into slides/images, from the package's own code and data, with fixed seeds.

python slides/make_figures.py              all figures
python slides/make_figures.py NAME ...     some; a name is a key of FIGURES in slides/figures/registry.py
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

IMAGES = Path(__file__).parent / "images"
LARGEST_FILE, LARGEST_FOLDER = 150_000, 5_000_000

Draw = Callable[[Path], None]


def figures() -> dict[str, Draw]:
    """Every figure: file name -> function that draws it to a path."""
    sys.path.insert(0, str(Path(__file__).parent))
    from figures.registry import FIGURES  # imports torch, which naming a file does not need

    return FIGURES


def draw(names: list[str], folder: Path = IMAGES) -> list[str]:
    """Draw the named figures, or all; returns what is wrong with their sizes."""
    import matplotlib

    matplotlib.use("Agg")
    matplotlib.rcParams["svg.hashsalt"] = "aircraft"  # the same bytes every time
    os.environ.setdefault("SOURCE_DATE_EPOCH", "0")  # no date of today in them
    known = figures()
    chosen = [_match(name, known) for name in names] or list(known)
    folder.mkdir(parents=True, exist_ok=True)
    problems = []
    for name in chosen:
        begin = time.perf_counter()
        _draw_whole(known[name], folder / name)
        size = (folder / name).stat().st_size
        print(f"{name:40} {size / 1000:6.0f} kB {time.perf_counter() - begin:6.1f} s", flush=True)
        if size > LARGEST_FILE:
            problems.append(f"{name} has {size} bytes, more than {LARGEST_FILE}")
    total = sum(file.stat().st_size for file in folder.iterdir())
    if total > LARGEST_FOLDER:
        problems.append(f"{folder} has {total} bytes, more than {LARGEST_FOLDER}")
    return problems


def main() -> int:
    try:
        problems = draw(sys.argv[1:])
    except KeyError as error:
        print(error.args[0], file=sys.stderr)
        return 2
    print("\n".join(problems), file=sys.stderr)
    return 1 if problems else 0


def _match(name: str, known: dict[str, Draw]) -> str:
    stem = {Path(full).stem: full for full in known}
    if name not in known and name not in stem:
        raise KeyError(f"no figure {name}; there are: {', '.join(sorted(stem))}")
    return name if name in known else stem[name]


def _draw_whole(function: Draw, path: Path) -> None:
    """Draw beside the folder and move the finished file: a stopped run leaves no half a figure."""
    with tempfile.TemporaryDirectory(dir=path.parent.parent) as folder:
        partial = Path(folder) / path.name
        function(partial)
        if not partial.is_file():
            raise RuntimeError(f"the function of {path.name} wrote no file to the path that it was given")
        partial.replace(path)


if __name__ == "__main__":
    raise SystemExit(main())
