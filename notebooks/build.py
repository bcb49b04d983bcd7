"""Make the notebooks from notebooks/source: student, solution (executed) and proof; see --help.

`make notebooks` runs it. To try one lesson out: python notebooks/build.py 03 --fast --test
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from builder import execution, kinds, pages, sources

ROOT = Path(__file__).resolve().parents[1]


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    root: Path = options.root.resolve()
    try:
        trial = options.fast or options.no_execute or options.test
        lessons = _read(root, options.lessons, unfinished=trial)
        if options.times:
            return _times(root, lessons)
        if options.check:
            return _check(root, lessons, everything=not options.lessons)
        place = root / "build/try" if trial else root / "notebooks"
        proofs = place / "proof" if trial else root / "build/proof"
        for lesson in lessons:
            _write(proofs / f"{lesson.stem}.ipynb", execution.text(kinds.proof(lesson, root), lesson.stem))
            if options.proofs:
                continue
            _write(place / f"{lesson.stem}.ipynb", execution.text(kinds.student(lesson, root), lesson.stem))
            _build_solution(root, lesson, place / f"{lesson.solution}.ipynb", options)
        if not trial and not options.proofs and not options.lessons:
            _write(place / "README.md", pages.readme(lessons, root))
        return _test(place, lessons, fast=options.fast) if options.test else 0
    except (sources.SourceError, execution.ExecutionError) as error:
        print(error, file=sys.stderr)
        return 1


def _build_solution(root: Path, lesson: sources.Lesson, path: Path, options: argparse.Namespace) -> None:
    """Write the solution, executed; only when its code has changed is it executed again."""
    new = kinds.solution(lesson, root)
    if options.no_execute:
        _write(path, execution.text(new, lesson.stem))
        return
    old = nbformat.read(path, as_version=4) if path.is_file() else None
    if options.force or options.fast or old is None or not _take_outputs(old, new):
        print(f"{lesson.stem}: executing the solution", flush=True)
        folder = "fast" if options.fast else "full"
        new = execution.execute(
            new, lesson.stem, fast=options.fast, times=root / f"build/times/{folder}/{lesson.stem}.json"
        )
    _write(path, execution.text(new, lesson.stem))


def _take_outputs(old: NotebookNode, new: NotebookNode) -> bool:
    """Copy the stored outputs into `new`, when they are those of the same code and complete."""
    if old.metadata.get("aircraft", {}).get("code") != new.metadata["aircraft"]["code"] or _never_ran(old):
        return False
    stored = [cell for cell in old.cells if cell.cell_type == "code"]
    fresh = [cell for cell in new.cells if cell.cell_type == "code"]
    if len(stored) != len(fresh) or kinds.code_hash(old) != new.metadata["aircraft"]["code"]:
        return False
    for have, want in zip(stored, fresh, strict=True):
        want.outputs, want.execution_count = have.outputs, have.execution_count
    return True


def _check(root: Path, lessons: list[sources.Lesson], *, everything: bool) -> int:
    """1 when a notebook differs from what its source says, or when a solution was not executed."""
    place = root / "notebooks"
    stale: list[str] = []
    for lesson in lessons:
        for path, wanted in (
            (place / f"{lesson.stem}.ipynb", kinds.student(lesson, root)),
            (place / f"{lesson.solution}.ipynb", kinds.solution(lesson, root)),
        ):
            stale += [f"{path.relative_to(root)}: {why}" for why in _differences(path, wanted)]
    if everything:
        page = place / "README.md"
        if not page.is_file() or page.read_text(encoding="utf-8") != pages.readme(lessons, root):
            stale.append("notebooks/README.md: not what the headers of the sources say")
        known = {place / f"{name}.ipynb" for lesson in lessons for name in (lesson.stem, lesson.solution)}
        for folder in (place, place / "solutions", place / "extras", place / "extras/solutions"):
            for path in sorted(set(folder.glob("*.ipynb")) - known):
                stale.append(f"{path.relative_to(root)}: has no source; remove it")
    for line in stale:
        print(line, file=sys.stderr)
    if stale:
        print("run `make notebooks`", file=sys.stderr)
    return 1 if stale else 0


def _differences(path: Path, wanted: NotebookNode) -> list[str]:
    if not path.is_file():
        return ["is missing"]
    try:
        found = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)
    except (ValueError, nbformat.reader.NotJSONError) as error:
        return [f"cannot be read: {error}"]
    is_solution = wanted.metadata["aircraft"]["kind"] == "solution"
    if is_solution and _never_ran(found):
        return ["was not executed from top to bottom"]
    for cell in found.cells if is_solution else []:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    if found.metadata != wanted.metadata:
        return ["its metadata is not that of the source"]
    for number, (have, want) in enumerate(zip(found.cells, wanted.cells, strict=False), start=1):
        if have != want:
            return [f"cell {number} ({want.id}) is not that of the source"]
    return [] if len(found.cells) == len(wanted.cells) else ["has more or fewer cells than the source"]


def _never_ran(notebook: NotebookNode) -> bool:
    return any(cell.cell_type == "code" and cell.execution_count is None for cell in notebook.cells)


def _read(root: Path, names: list[str], *, unfinished: bool) -> list[sources.Lesson]:
    folder = root / "notebooks/source"
    paths = [*sorted(folder.glob("*.py")), *sorted(folder.glob("extras/*.py"))]
    for name in names:
        if not any(_is_called(path, name) for path in paths):
            raise sources.SourceError(
                f"no lesson {name!r} in {folder}; there are {', '.join(p.stem for p in paths)}"
            )
    paths = [path for path in paths if not names or any(_is_called(path, name) for name in names)]
    lessons, problems = [], []
    for path in paths:
        try:
            lessons.append(sources.read(path, unfinished=unfinished))
        except sources.SourceError as error:
            problems.append(str(error))
    if problems:
        raise sources.SourceError("\n".join(problems))
    return lessons


def _is_called(path: Path, name: str) -> bool:
    return path.stem == Path(name).stem or path.stem.startswith(f"{name.zfill(2)}_")


def _write(path: Path, text: str) -> None:
    """Only when it differs, so that nothing looks newer than it is."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    print(f"wrote {path}", flush=True)


def _test(place: Path, lessons: list[sources.Lesson], *, fast: bool) -> int:
    """nbval on what was just built."""
    names = [name for one in lessons for name in (one.stem, one.solution, f"proof/{one.stem}")]
    files = [str(place / f"{name}.ipynb") for name in names]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--nbval-lax",
        "--nbval-current-env",
    ]
    command += [
        "--nbval-cell-timeout=600",
        f"--nbval-sanitize-with={ROOT / 'notebooks/nbval-sanitize.cfg'}",
        *files,
    ]
    return subprocess.call(command, env=os.environ | ({"AIRCRAFT_FAST": "1"} if fast else {}))


def _times(root: Path, lessons: list[sources.Lesson]) -> int:
    """Print the table of times, and put it into TEACHING.md."""
    table = pages.times(
        [lesson.stem for lesson in lessons], root / "build/times/full", root / "build/times/fast"
    )
    print(table)
    page = root / "TEACHING.md"
    if page.is_file():
        _write(page, pages.fill(page.read_text(encoding="utf-8"), table))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build.py", description="Make the notebooks from notebooks/source.")
    parser.add_argument(
        "lessons", nargs="*", help="lessons to build (3, 03 or 03_toy_classification); all without"
    )
    parser.add_argument("--check", action="store_true", help="build nothing; exit 1 when a notebook is stale")
    parser.add_argument(
        "--force", action="store_true", help="execute solutions even if their code has not changed"
    )
    parser.add_argument("--proofs", action="store_true", help="only the proof notebooks, build/proof")
    parser.add_argument(
        "--fast", action="store_true", help="try out: small settings, everything into build/try"
    )
    parser.add_argument("--no-execute", action="store_true", help="try out: execute nothing, into build/try")
    parser.add_argument(
        "--test", action="store_true", help="try out: run nbval on what was built, into build/try"
    )
    parser.add_argument(
        "--times", action="store_true", help="print the measured times and put them into TEACHING.md"
    )
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
