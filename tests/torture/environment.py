# ruff: noqa: E501  (a case is a line of a table)
"""Commands in surroundings that are not as usual: variables, streams, limits, a full disk; fresh interpreters."""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from torture import workshop
from torture.cases import Case

DETECT = ("detect", "model.safetensors", "good.png", "--out", "out", "--no-progress")
DATA = ("data", "toy", *workshop.SMALL)
EXPORT = ("export", "model.safetensors", "--onnx", "out.onnx")
TRAIN = ("train", "--data", "patches.npz", "--out", "new", *workshop.LEARN)
EVALUATE = ("evaluate", "model.safetensors", "--npz", "patches.npz", "--no-progress")


def cases() -> Iterator[Case]:
    yield from _variables()
    yield from _encodings()
    yield from _streams()
    yield from _limits()
    yield from _full()


def _variables() -> Iterator[Case]:
    for given, words, expect, names in (
        ({"WORLD_SIZE": "2"}, DETECT, "refused", ("WORLD_SIZE", "RANK", "torchrun")), ({"WORLD_SIZE": "x"}, DETECT, "refused", ("WORLD_SIZE",)), ({"WORLD_SIZE": ""}, DETECT, "any", ()), ({"WORLD_SIZE": "0"}, DETECT, "any", ()), ({"WORLD_SIZE": "-1"}, DETECT, "any", ()),
        ({"WORLD_SIZE": "2", "RANK": "0"}, EVALUATE, "refused", ("MASTER", "WORLD_SIZE", "torchrun")), ({"WORLD_SIZE": "2", "RANK": "9", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29999"}, EVALUATE, "refused", ("RANK", "WORLD_SIZE", "torchrun")),
        ({"WORLD_SIZE": "2", "RANK": "0", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "x"}, EVALUATE, "refused", ("MASTER_PORT", "WORLD_SIZE", "torchrun")), ({"RANK": "x"}, DETECT, "any", ("RANK",)), ({"RANK": "7"}, DETECT, "any", ()), ({"RANK": ""}, EVALUATE, "any", ("RANK",)), ({"LOCAL_RANK": "x"}, DETECT, "any", ()),
        ({"HOME": None}, DETECT, "done", ()), ({"COLUMNS": "1"}, DETECT, "done", ()), ({"COLUMNS": "x"}, DETECT, "any", ()), ({"COLUMNS": "1"}, ("train", "--help"), "done", ()), ({"COLUMNS": "-5"}, ("--help",), "any", ()), ({"TERM": "dumb"}, ("--help",), "done", ()),
        ({"TMPDIR": "nowhere"}, EXPORT, "any", ()), ({"MPLCONFIGDIR": "good.png"}, TRAIN, "any", ()), ({"MPLBACKEND": "qtagg"}, TRAIN, "any", ()), ({"MPLBACKEND": "x"}, TRAIN, "any", ("MPLBACKEND",)), ({"OMP_NUM_THREADS": "x"}, DETECT, "any", ()), ({"CUDA_VISIBLE_DEVICES": "x"}, DETECT, "done", ()),
        ({"AIRCRAFT_DEBUG": "0"}, ("data", "x"), "refused", ()), ({"AIRCRAFT_AIRBUS_DIR": "good.png"}, ("data", "toy", "--source", "airbus", *workshop.SMALL), "refused", ("good.png", "AIRBUS")), ({"AIRCRAFT_AIRBUS_DIR": ""}, ("data", "toy", "--source", "airbus", *workshop.SMALL), "refused", ("AIRBUS", "root")),
        ({"PYTHONHASHSEED": "1"}, DETECT, "done", ()), ({"GDAL_DATA": "nowhere", "PROJ_LIB": "nowhere"}, DETECT, "any", ()),
    ):  # fmt: skip
        family = (
            "environment: torchrun"
            if {"WORLD_SIZE", "RANK", "LOCAL_RANK"} & given.keys()
            else "environment: variables"
        )
        yield Case(family, " ".join(f"{k}={v}" for k, v in given.items()), words, names, expect, ("model.safetensors", "good.png", "patches.npz"), own=True, env=given, seconds=60)  # fmt: skip
    for what, value, make in (
        ("a file", "file", lambda home: (home / "file").write_text("x")), ("below a file", "file/x", lambda home: (home / "file").write_text("x")), ("a pipe", "pipe", lambda home: os.mkfifo(home / "pipe")), ("a link in a circle", "loop", lambda home: (home / "loop").symlink_to("loop")),
        ("a link to nothing", "link", lambda home: (home / "link").symlink_to("nowhere")), ("a name of 300", "n" * 300, None), ("not UTF-8", "caf\udce9", None), ("a line end", "a\nb", None), ("below a device", "/dev/null/x", None),
    ):  # fmt: skip
        expect = "any" if what in ("not UTF-8", "a line end", "a link to nothing") else "refused"
        tolerates = ("home/nowhere",) if "nothing" in what else ()
        yield Case("environment: AIRCRAFT_DATA", what, DATA, ("AIRCRAFT_DATA", value[:9]) if expect == "refused" else (), expect, (), make=make, env={"AIRCRAFT_DATA": value}, seconds=60, tolerates=tolerates)  # fmt: skip


def _encodings() -> Iterator[Case]:
    png = workshop.good("good.png")
    for encoding in ("cp1252", "ascii", "cp437"):
        for what, name in (("Chinese", "机场.png"), ("a sign", "a→b.png"), ("plain", "a.png")):
            words = ("detect", "model.safetensors", name, "--out", "out", "--no-progress")
            yield Case(
                "environment: encoding",
                f"{encoding}, {what}",
                words,
                (),
                "done",
                ("model.safetensors",),
                {name: png},
                own=True,
                env={"PYTHONIOENCODING": encoding},
                seconds=60,
            )
            yield Case(
                "environment: encoding",
                f"{encoding}, {what}, damaged",
                words,
                (),
                "refused",
                ("model.safetensors",),
                {name: png[:200]},
                own=True,
                env={"PYTHONIOENCODING": encoding},
                seconds=60,
            )
    for encoding in ("cp1252", "ascii"):
        yield Case(
            "environment: encoding",
            f"{encoding}, the grader",
            ("01_book.ipynb", "--fast"),
            (),
            "done",
            ("01_book.ipynb",),
            own=True,
            env={"PYTHONIOENCODING": encoding},
            module="aircraft_course.checks",
            seconds=120,
        )
        yield Case(
            "environment: encoding",
            f"{encoding}, a training",
            TRAIN,
            (),
            "done",
            ("patches.npz",),
            own=True,
            env={"PYTHONIOENCODING": encoding},
            seconds=90,
        )
    for name in ("C", "POSIX", "xx_YY.UTF-8"):
        given = {"LANG": name, "LC_ALL": name, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        yield Case(
            "environment: encoding",
            f"LANG={name}",
            ("detect", "model.safetensors", "机场.png", "--out", "out", "--no-progress"),
            (),
            "any",
            ("model.safetensors",),
            {"机场.png": png},
            own=True,
            env=given,
            seconds=60,
        )


def _point(number: int, path: str, flags: int = os.O_WRONLY) -> Callable[[], None]:
    def prepare() -> None:
        opened = os.open(path, flags)
        os.dup2(opened, number)

    return prepare


def _broken(number: int) -> Callable[[], None]:
    """A pipe that nobody reads."""

    def prepare() -> None:
        reader, writer = os.pipe()
        os.dup2(writer, number)
        os.close(reader)
        os.close(writer)

    return prepare


def _streams() -> Iterator[Case]:
    good, full = ("model.safetensors", "good.png", "patches.npz"), "/dev/full"
    for name, words in (
        ("detect", DETECT),
        ("evaluate --json", (*EVALUATE, "--json")),
        ("--help", ("--help",)),
        ("--version", ("--version",)),
        ("a refusal", ("fly",)),
    ):
        refused = name == "a refusal"
        for what, prepare, expect in (
            ("closed output", lambda: os.close(1), "any"), ("closed errors", lambda: os.close(2), "any"), ("all closed", lambda: os.closerange(0, 3), "any"), ("closed input", lambda: os.close(0), "any"),
            ("output full", _point(1, full), "refused"), ("errors full", _point(2, full), "any"), ("output for nobody", _broken(1), "any"), ("errors for nobody", _broken(2), "any"), ("output cannot be written", _point(1, "/dev/null", os.O_RDONLY), "any"),
        ):  # fmt: skip
            if what == "output full" and refused:
                continue
            silent = "errors" in what or "all" in what
            yield Case("environment: streams", f"{name}, {what}", words, (), "any" if silent else expect, good, own=True, prepare=prepare, seconds=60, tolerates=("home/out",), lines=1)  # fmt: skip


def _limits() -> Iterator[Case]:
    good = ("model.safetensors", "good.png", "patches.npz", "run")

    def limit(kind: int, value: int) -> Callable[[], None]:
        return lambda: resource.setrlimit(kind, (value, value))

    for blocks in (1, 10, 100, 1000):
        for name, words in (
            ("detect", DETECT),
            ("export", EXPORT),
            ("train", TRAIN),
            ("train --force", (*TRAIN[:4], "run", "--force", *workshop.LEARN)),
            ("data", DATA),
            ("data --export", (*DATA, "--export", "out.npz")),
        ):
            given = {"AIRCRAFT_DATA": "cache"} if name == "data" else {}
            yield Case("environment: ulimit -f", f"{name}, {blocks} KB", words, (), "any", good, prepare=limit(resource.RLIMIT_FSIZE, blocks * 1024), env=given, seconds=60, tolerates=("home/cache", "home/new"))  # fmt: skip
    for number in (64, 96):
        yield Case(
            "environment: ulimit -n",
            f"{number} files",
            DETECT,
            (),
            "any",
            good,
            own=True,
            prepare=limit(resource.RLIMIT_NOFILE, number),
            seconds=60,
        )
    yield Case(
        "environment: a folder that is gone",
        "detect",
        DETECT,
        (),
        "any",
        good,
        prepare=_nowhere,
        tolerates=("home/",),
    )
    yield Case(
        "environment: a folder that is gone",
        "--help",
        ("--help",),
        (),
        "done",
        good,
        own=True,
        prepare=_nowhere,
        seconds=60,
        tolerates=("home/",),
    )


def _nowhere() -> None:
    os.mkdir("gone")
    os.chdir("gone")
    os.rmdir("../gone")


def _full() -> Iterator[Case]:
    """A disk of a few pages; only where this user may mount one."""
    trial = workshop.GOODS.parent / "mount"
    trial.mkdir(exist_ok=True)
    if os.name != "posix" or not shutil.which("mount") or not _mount(trial, 64):
        return
    subprocess.run(["umount", str(trial)], check=False)
    good = ("model.safetensors", "good.png", "patches.npz")
    for kilobytes in (4, 64, 700, 1800):
        for name, words in (
            ("detect", DETECT), ("export", (*EXPORT[:-1], "out/out.onnx")), ("train", (*TRAIN[:4], "out", *workshop.LEARN)), ("data", DATA), ("data --export", (*DATA, "--export", "out/x.npz")), ("demo", ("demo", "--out", "out", *workshop.LEARN, "--scale", "0.005")),
        ):  # fmt: skip
            given = {"AIRCRAFT_DATA": "out"} if name == "data" else {}

            def lay(home: Path, size: int = kilobytes) -> None:
                (home / "out").mkdir()
                _mount(home / "out", size)

            def clean(home: Path, _: object) -> list[str]:
                left = [
                    path.name
                    for path in (home / "out").rglob("*")
                    if path.name.startswith(".") or path.suffix == ".tmp"
                ]
                subprocess.run(["umount", "-l", str(home / "out")], check=False)
                return [f"left {', '.join(left)}"] if left else []

            yield Case("environment: a full disk", f"{name}, {kilobytes} KB", words, ("out",), "any", good, make=lay, env=given, after=clean, seconds=60, tolerates=("home/out",))  # fmt: skip


def _mount(place: Path, kilobytes: int) -> bool:
    words = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "torture", str(place)]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0
