# ruff: noqa: E501  (a case is a line of a table)
"""Paths that are no regular file, to read and to write."""

import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from torture import workshop
from torture.cases import Case

Maker = Callable[[Path], None]
INPUTS = {  # what to read, and the command that reads it
    "image": ("detect", "model.safetensors", "IT.png", "--out", "out", "--no-progress"),
    "model": ("detect", "IT.safetensors", "good.png", "--out", "out", "--no-progress"),
    "model to export": ("export", "IT.safetensors", "--onnx", "out.onnx"),
    "patches": ("evaluate", "model.safetensors", "--npz", "IT.npz", "--no-progress"),
    "tiles": ("evaluate", "model.safetensors", "--tiles", "IT.npz", "--no-progress"),
    "data": ("train", "--data", "IT.npz", "--out", "new", *workshop.LEARN),
    "source": ("train", "--source", "IT.npz", "--data", "toy", "--out", "new", *workshop.LEARN),
    "notebook": ("01_IT.ipynb", "--fast"),
    "root": ("data", "toy", "--source", "airbus", "--root", "IT", *workshop.SMALL),
}
OUTPUTS = {
    "results": ("detect", "model.safetensors", "good.png", "--out", "IT", "--no-progress"),
    "a result": ("detect", "model.safetensors", "good.png", "--out", "out", "--no-progress"),
    "ONNX": ("export", "model.safetensors", "--onnx", "IT"),
    "run": ("train", "--data", "patches.npz", "--out", "IT", *workshop.LEARN),
    "run, forced": ("train", "--data", "patches.npz", "--out", "IT", "--force", *workshop.LEARN),
    "data": ("data", "toy", "--export", "IT.npz", *workshop.SMALL),
    "demo": ("demo", "--out", "IT", *workshop.LEARN, "--scale", "0.005"),
}
GOOD = ("model.safetensors", "good.png", "patches.npz")


def cases() -> Iterator[Case]:
    yield from _inputs()
    yield from _in_folders()
    yield from _outputs()


def _device(minor: int) -> Maker:
    return lambda path: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, minor))


def _socket(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # the name of a socket must be short
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(path.name)
    os.chdir(here)


def _circle(path: Path) -> None:
    path.symlink_to(path.name)


SPECIAL: dict[str, Maker] = {
    "a pipe": os.mkfifo,
    "zeros without end": _device(5),
    "nothing": _device(3),
    "always full": _device(7),
    "a socket": _socket,
    "a folder": os.mkdir,
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link in a circle": _circle,
    "a link to a pipe": lambda path: (os.mkfifo(f"{path}.pipe"), path.symlink_to(f"{path.name}.pipe"))[1],
    "a link to a folder": lambda path: (os.mkdir(f"{path}.d"), path.symlink_to(f"{path.name}.d"))[1],
}


def _possible(what: str, make: Maker, at: Path) -> bool:
    """Whether this system and user can make such a thing."""
    try:
        make(at / what.replace(" ", "-"))
    except (OSError, AttributeError):
        return False
    return True


def special() -> dict[str, Maker]:
    """Those of `SPECIAL` that can be made here."""
    place = workshop.GOODS.parent / "special"
    place.mkdir(exist_ok=True)
    for old in place.iterdir():
        with suppress(OSError):
            os.rmdir(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    return {what: make for what, make in SPECIAL.items() if _possible(what, make, place)}


def _inputs() -> Iterator[Case]:
    for thing, words in INPUTS.items():
        name = next(word for word in words if "IT" in word)
        module = "aircraft_course.checks" if thing == "notebook" else "aircraft"
        for what, make in special().items():
            yield Case(f"place: {thing}", what, words, (name.partition(".")[0], "IT"), good=GOOD, make=lambda home, m=make, n=name: m(home / n), module=module, seconds=15)  # fmt: skip
        for what, path in {
            "not there": "IT",
            "below a file": "good.png/IT",
            "5,000 letters": "x" * 5000,
        }.items():
            changed = tuple(word.replace("IT", path) for word in words)
            yield Case(f"place: {thing}", what, changed, good=GOOD, module=module, seconds=15)
        if thing in ("image", "model", "model to export", "notebook"):  # of an option, "" may mean none
            changed = tuple("" if "IT" in word else word for word in words)
            yield Case(
                f"place: {thing}", "the empty name", changed, (), "any", GOOD, module=module, seconds=15
            )


def _in_folders() -> Iterator[Case]:
    """Things inside a folder of images; regular ones are counted."""
    for what, make in special().items():

        def lay(home: Path, make: Maker = make) -> None:
            make(home / "many" / "b.png")

        files = {"many/a.png": workshop.good("good.png")}
        words = ("detect", "model.safetensors", "many", "--out", "out", "--no-progress")
        yield Case("place: in a folder", what, words, ("b.png",), "any", ("model.safetensors",), files, lay, tolerates=("home/out",), lines=2, seconds=15)  # fmt: skip
    yield Case("place: in a folder", "only a pipe", ("detect", "model.safetensors", "many", "--out", "out"), ("many",), "refused", ("model.safetensors",), {},
               lambda home: ((home / "many").mkdir(), os.mkfifo(home / "many/b.png"))[1], seconds=15)  # fmt: skip


def _outputs() -> Iterator[Case]:
    """Where to write: what is there and is not ours stays as it is."""
    for thing, words in OUTPUTS.items():
        name = {"a result": "out/good.json", "data": "IT.npz"}.get(thing, "IT")
        folder = thing in ("results", "run", "run, forced", "demo")
        for what, make in special().items():
            if folder and "folder" in what:
                continue
            harmless = "link" in what and "pipe" not in what and "circle" not in what

            def lay(home: Path, make: Maker = make, name: str = name) -> None:
                (home / name).parent.mkdir(exist_ok=True)
                make(home / name)

            yield Case(f"output: {thing}", what, words, ("IT", "good"), "any" if harmless else "refused", GOOD, {}, lay, seconds=60, tolerates=("home/IT", "home/nowhere") if harmless else ())  # fmt: skip
        for what, path in (
            ("below a file", "good.png/IT"),
            ("5,000 letters", "x" * 5000),
            ("300 letters", "y" * 300),
            ("below a device", "/dev/null/x"),
        ):
            changed = tuple(word.replace("IT", path) for word in words)
            if changed != words:
                yield Case(f"output: {thing}", what, changed, (path[:20],), good=GOOD, seconds=60)
    for what, words in OUTPUTS.items():
        if "IT" in words:
            yield Case(
                f"output: {what}", "a file", words, ("IT",), good=GOOD, files={"IT": b"mine"}, seconds=60
            )
