# ruff: noqa: E501  (a case is a line of a table)
"""Every option and argument of every command with values that make no sense, as the commands declare them.

A new option is covered by itself; a new command needs a line in `BASE`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from torture import workshop
from torture.cases import Case

GOOD = ("model.safetensors", "good.png", "patches.npz", "tiles.npz", "run", "demo")
LEARN = workshop.LEARN[:-1]
BASE = {  # a command that would work, without what is to be changed
    "data": {"what": "toy", "--scale": "0.005"},
    "train": {"--data": "patches.npz", "--out": "run", "--force": None},
    "train into a new folder": {"--data": "patches.npz", "--out": "new"},
    "train a built set": {"--data": "toy", "--scale": "0.005", "--out": "new"},
    "evaluate": {"model": "model.safetensors", "--npz": "patches.npz"},
    "evaluate tiles": {"model": "model.safetensors", "--tiles": "tiles.npz"},
    "detect": {"model": "model.safetensors", "images": "good.png", "--out": "out"},
    "export": {"model": "model.safetensors", "--onnx": "out.onnx"},
    "demo": {"--out": "demo", "--scale": "0.005"},
}
QUICK = {"--model": "toy_cnn", "--epochs": "1", "--batch-size": "16", "--device": "cpu"}
SENSELESS = {
    "integer": ("nan", "inf", "-1", "1.5", "", "x", "1e3", "0x10", " ", "--", "-"),
    "float": ("nan", "inf", "-inf", "-1", "-1e-9", "", "x", "1e999", "0,5", " "),
}
STRANGE = {
    "integer": ("0", "9" * 30, str(2**31), str(2**63), "00007", "1_000", "\u0661"),
    "float": ("0", "1e308", "1e-308", "-0.0", "1e18", "1_0.5"),
}
TEXTS = (
    "",
    " ",
    "no/such/thing",
    "x\ny",
    "\x1b[31mred",
    "x" * 300,
    "\udce9",
    "-",
    "*",
    "~",
    "..",
    "{}",
    "%s",
    "good.png",
    "1",
    "nan",
    "\u202e",
    "NUL",
    "a" * 5000,
)
ENDLESS = {"--epochs", "--seeds", "--repeats"}  # a large number is honest work for years


@dataclass(frozen=True)
class Parameter:
    """option: as typed, or the name of an argument; kind: integer, float, choice, text, or flag."""

    option: str
    kind: str
    metavar: str


def parameters(function: Callable[..., Any]) -> list[Parameter]:
    """Those of a command, as its annotations say."""
    found = []
    for name, hint in get_type_hints(function, include_extras=True).items():
        if get_origin(hint) is not Annotated:
            continue
        told = hint.__metadata__[0]
        types = get_args(hint.__origin__) if type(None) in get_args(hint.__origin__) else (hint.__origin__,)
        kind = {int: "integer", float: "float", bool: "flag"}.get(types[0], "text")
        option = name if type(told).__name__ == "ArgumentInfo" else f"--{name.replace('_', '-')}"
        kind = "choice" if get_origin(types[0]) is Literal else kind
        found.append(Parameter(option, kind, told.metavar or option))
    return found


def cases() -> Iterator[Case]:
    from aircraft import cli
    from aircraft_bench.__main__ import bench

    commands = {command.callback.__name__: command.callback for command in cli.app.registered_commands}
    for use, base in BASE.items():
        command = use.split()[0]
        for parameter in parameters(commands[command]):
            yield from _of(command, use, parameter, base)
    for name in sorted(commands.keys() - {use.split()[0] for use in BASE}):
        yield Case("option: coverage", f"no line for the command {name} in BASE", (name, "--help"), good=())
    for parameter in parameters(bench):
        for value in SENSELESS.get(parameter.kind, ()) + (("x", "") if parameter.kind == "choice" else ()):
            words = (f"{parameter.option}={value}",) if parameter.option[0] == "-" else (value,)
            yield Case("option: bench", f"{parameter.option} {value!r}", (*words, "--quick", "--out=out"), _names(parameter, value), good=(), module="aircraft_bench")  # fmt: skip
    yield from _together()


def _of(command: str, use: str, parameter: Parameter, base: dict[str, str | None]) -> Iterator[Case]:
    kind, option = parameter.kind, parameter.option
    if kind == "flag":
        return
    if (
        use != command
        and option in ("--model", "--loss", "--sampling", "--device")
        and use.startswith("train")
    ):
        return  # the same as of the first use
    for value in SENSELESS.get(kind, ()):
        yield _case(command, use, parameter, base, value, "refused")
    for value in STRANGE.get(kind, ()):
        if not (option in ENDLESS and len(value) > 6):
            yield _case(command, use, parameter, base, value, "any")
    if kind == "choice":
        for value in ("", "x", "DENSE", "0", "\x1b[31m"):
            yield _case(command, use, parameter, base, value, "refused")
    elif kind not in SENSELESS:
        unknown = option in (
            "--data",
            "--source",
            "--model",
            "--device",
            "--tiles",
            "--npz",
            "model",
            "images",
        )
        for value in TEXTS:
            files = value in ("..", "good.png", "~", "")
            yield _case(command, use, parameter, base, value, "refused" if unknown and not files else "any")


def _case(
    command: str, use: str, parameter: Parameter, base: dict[str, str | None], value: str, expect: str
) -> Case:
    given, option = dict(base), parameter.option
    if command in ("train", "demo"):
        given = QUICK | given
    if option in ("--data", "--source") and command == "evaluate":
        given.pop("--npz", None)
    given[option] = value
    words = [command]
    for name, content in given.items():
        if name[:2] == "--":
            words.append(name if content is None else f"{name}={content}")
    places = [content for name, content in given.items() if name[:2] != "--"]
    words += ["--no-progress", *(["--", *places] if any(str(p).startswith("-") for p in places) else places)]
    strict = expect == "refused" and value.strip() != "-"
    return Case(f"option: {use}", f"{option} {ascii(value)[:40]}", tuple(words), _names(parameter, value) if strict else (), expect, GOOD, seconds=60)  # fmt: skip


def _names(parameter: Parameter, value: str) -> tuple[str, ...]:
    """What a line may call the option by."""
    option = parameter.option.lstrip("-")
    said = re.findall(r"\w{3,}", value) or [value.strip() or option]
    return option, option.replace("-", "_"), option.replace("-", " "), parameter.metavar, *said


def _together() -> Iterator[Case]:
    """Options that do not go together, typing errors beside --force, and words that are no command."""
    old = ("run", "demo", "patches.npz")
    for typo in (
        "--data typo", "--data typo.npz", "--data toy --source typo", "--data toy --source airbus --root typo", "--data toy --scale 0", "--data toy --scale nan", "--data toy --scale 7",
        "--data patches.npz --batch-size 100000", "--data patches.npz --batch-size 1", "--data patches.npz --model typo", "--data patches.npz --device typo", "--data patches.npz --lr 0", "--data patches.npz --typo", "--data patches.npz more",
        "--data patches.npz --device cuda:77", "--data patches.npz --resume --force --epochs 0", "--data toy --source patches.npz --scale 0.1", "--data patches.npz --scale 0.1", "--data patches.npz --source airbus", "--data patches.npz --root typo", "--data patches.npz --lr 1e30 --epochs 9",
    ):  # fmt: skip
        expect = (
            "any"
            if "--resume" in typo
            or typo[-14:] == "--batch-size 1"
            or typo.startswith("--data patches.npz --s")
            or "--source patches" in typo
            or "--root typo" in typo[18:]
            else "refused"
        )
        words = (
            "train",
            "--out",
            "run",
            "--force",
            "--model",
            "toy_cnn",
            "--epochs",
            "1",
            "--no-progress",
            *typo.split(),
        )
        yield Case("a run is lost", f"train {typo}", words, (), expect, old, seconds=60)
    for typo in (
        "--source airbus --root typo",
        "--source typo",
        "--scale 0",
        "--scale nan",
        "--scale -3",
        "--scale 100000",
        "--batch-size 100000",
        "--batch-size 0",
        "--model typo",
        "--device typo",
        "--epochs 0",
        "--seed -1",
        "--typo",
    ):
        for folder in ("run", "demo"):
            yield Case(
                "a run is lost",
                f"demo {typo} in {folder}",
                (
                    "demo",
                    "--out",
                    folder,
                    "--epochs",
                    "1",
                    "--no-progress",
                    *(() if "--scale" in typo else ("--scale", "0.005")),
                    *typo.split(),
                ),
                (),
                "refused",
                old,
                seconds=60,
            )
    for what, words in (
        ("npz and data", "evaluate model.safetensors --npz patches.npz --data toy"), ("a run without --force", "train --data patches.npz --out run"), ("scale of a file", "train --data patches.npz --out new --scale 0.5 --model toy_cnn --epochs 1"),
        ("scale of tiles in a file", "evaluate model.safetensors --tiles tiles.npz --scale 0.5"), ("root of a file", "train --data patches.npz --root x --out new --model toy_cnn --epochs 1"),
        ("unknown command", "fly"), ("half a command", "det"), ("a file for a command", "good.png"), ("an option for a command", "--out x"), ("no command, an empty word", ""), ("a control code", "\x1b[31m"), ("no images", "detect model.safetensors --out out"),
        ("a value of a flag", "detect model.safetensors good.png --out out --fast=1"), ("an option twice", "export model.safetensors --onnx a.onnx --onnx b.onnx"),
    ):  # fmt: skip
        expect = (
            "any"
            if what in ("scale of a file", "scale of tiles in a file", "root of a file", "an option twice")
            else "refused"
        )
        yield Case(
            "option: together",
            what,
            (words,) if what in ("no command, an empty word", "a control code") else tuple(words.split()),
            (),
            expect,
            GOOD,
            seconds=60,
        )
