# ruff: noqa: E501  (a case is a line of a table)
"""Every option and argument of every command with values that make no sense, as the commands declare them.

A new option is covered by itself; a new command needs a line in `BASE`.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
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
QUICK = {"--model": "toy_cnn", "--epochs": "1", "--batch-size": "8", "--device": "cpu"}
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
ONLY = {  # where a second use of a command differs from the first one
    "train a built set": ("--data", "--source", "--root", "--scale"),
    "evaluate tiles": ("--tiles", "--scale", "--root"),
}
KNOWN = ("--data", "--source", "--model", "--device", "--tiles", "--npz", "model", "images")  # or refused
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
        works = _case(command, use, Parameter("--json", "flag", ""), base, "", "done")
        yield replace(
            works, what="as it is", words=tuple(word for word in works.words if "--json" not in word)
        )
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
    if kind == "flag" or option not in ONLY.get(use, (option,)):
        return
    for value in SENSELESS.get(kind, ()):
        yield _case(command, use, parameter, base, value, "refused")
    for value in ("", "x", "DENSE", "0", "\x1b[31m") if kind == "choice" else ():
        yield _case(command, use, parameter, base, value, "refused")
    for value in TEXTS if kind == "text" and option in KNOWN else ():
        file = value in ("..", "good.png", "~", "")
        yield _case(command, use, parameter, base, value, "any" if file else "refused")
    if use == "train into a new folder":
        return  # what is accepted has been tried by the first use
    for value in STRANGE.get(kind, ()):
        if not (option in ENDLESS and len(value) > 6):
            yield _case(command, use, parameter, base, value, "any")
    for value in TEXTS if kind == "text" and option not in KNOWN else ():
        if command != "demo" or len(value) > 1:
            yield _case(command, use, parameter, base, value, "any")


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
    quiet = () if command == "export" else ("--no-progress",)
    places = [content for name, content in given.items() if name[:2] != "--"]
    words += [*quiet, *(["--", *places] if any(str(p).startswith("-") for p in places) else places)]
    strict = expect == "refused" and value.strip() != "-"
    return Case(f"option: {use}", f"{option} {ascii(value)[:40]}", tuple(words), _names(parameter, value) if strict else (), expect, GOOD, seconds=60)  # fmt: skip


def _names(parameter: Parameter, value: str) -> tuple[str, ...]:
    """What a line may call the option by."""
    option = parameter.option.lstrip("-")
    said = re.findall(r"\w{3,}", value) or [value.strip() or option]
    return option, option.replace("-", "_"), option.replace("-", " "), parameter.metavar, *said


FILE = "--data patches.npz "
TYPOS = (
    "--data typo", "--data typo.npz", "--data toy --source typo", "--data toy --source airbus --root typo",
    "--data toy --scale 0", "--data toy --scale nan", "--data toy --scale 7", f"{FILE}--batch-size 100000",
    f"{FILE}--model typo", f"{FILE}--device typo", f"{FILE}--lr 0", f"{FILE}--typo", f"{FILE}more",
    f"{FILE}--device cuda:77", f"{FILE}--lr 1e30 --epochs 9",
)  # fmt: skip
PERHAPS = (
    f"{FILE}--batch-size 1", f"{FILE}--resume --epochs 0", f"{FILE}--scale 0.1", f"{FILE}--source airbus",
    f"{FILE}--root typo", "--data toy --source patches.npz --scale 0.1",
)  # fmt: skip
OF_DEMO = (
    "--source airbus --root typo", "--source typo", "--scale 0", "--scale nan", "--scale -3", "--scale 100000",
    "--batch-size 100000", "--batch-size 0", "--model typo", "--device typo", "--epochs 0", "--seed -1", "--typo",
)  # fmt: skip
TOGETHER = {
    "npz and data": "evaluate model.safetensors --npz patches.npz --data toy",
    "a run without --force": "train --data patches.npz --out run",
    "unknown command": "fly",
    "half a command": "det",
    "a file for a command": "good.png",
    "an option for a command": "--out x",
    "no images": "detect model.safetensors --out out",
    "a value of a flag": "detect model.safetensors good.png --out out --fast=1",
    "perhaps: scale of a file": "train --data patches.npz --out new --scale 0.5 --model toy_cnn --epochs 1",
    "perhaps: root of a file": "train --data patches.npz --root x --out new --model toy_cnn --epochs 1",
    "perhaps: scale of tiles in a file": "evaluate model.safetensors --tiles tiles.npz --scale 0.5",
    "perhaps: an option twice": "export model.safetensors --onnx a.onnx --onnx b.onnx",
}


def _together() -> Iterator[Case]:
    """Typing errors beside --force, options that do not go together, and words that are no command."""
    old = ("run", "demo", "patches.npz")
    first = ("train", "--out", "run", "--force", "--model", "toy_cnn", "--epochs", "1", "--no-progress")
    for typo in TYPOS + PERHAPS:
        expect = "refused" if typo in TYPOS else "any"
        begun = ("home/run",) if "1e30" in typo else ()  # a training that began may have replaced it
        yield Case(
            "a run is lost", f"train {typo}", (*first, *typo.split()), (), expect, old, tolerates=begun, seconds=60
        )  # fmt: skip
    for typo in OF_DEMO:
        small = () if "--scale" in typo else ("--scale", "0.005")
        for folder in ("run", "demo"):
            words = ("demo", "--out", folder, "--epochs", "1", "--no-progress", *small, *typo.split())
            yield Case("a run is lost", f"demo {typo} in {folder}", words, (), "refused", old, seconds=60)
    for what, line in TOGETHER.items():
        expect = "any" if what.startswith("perhaps") else "refused"
        yield Case("option: together", what, tuple(line.split()), (), expect, GOOD, seconds=60)
    for word in ("", "\x1b[31m"):
        yield Case("option: together", f"the word {word!r}", (word,), good=GOOD)
