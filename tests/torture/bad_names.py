# ruff: noqa: E501  (a case is a line of a table)
"""Names that are hard to print, and outputs that would destroy what somebody else wrote."""

import json
import os
from collections.abc import Iterator

from torture import workshop
from torture.cases import Case


def cases() -> Iterator[Case]:
    yield from _names()
    yield from _overwritten()


def _names() -> Iterator[Case]:
    """Names that are hard to print: whatever is done, no raw control code goes to a terminal."""
    png = workshop.good("good.png")
    for what, stem in (
        ("a line end", "new\nline"), ("an escape code", "\x1b[31mred"), ("a bell", "bell\a"), ("no UTF-8", os.fsdecode(b"caf\xe9")), ("248 letters", "n" * 248), ("120 wide letters", "é" * 120),
        ("a dash", "-dash"), ("blanks", "a b  c"), ("only a blank", " "), ("quotes", "a'b\"c"), ("a percent sign", "100%s%d"), ("braces", "{0}{x}"), ("right to left", "\u202eabc"), ("Chinese", "机场"), ("a tab", "a\tb"), ("a carriage return", "a\rb"), ("C1", "a\x9bb"), ("brackets", "[a]*?"), ("a dot", ".hidden"),
    ):  # fmt: skip
        for kind, content, expect in (("good", png, "any"), ("damaged", png[:200], "refused")):
            name = f"{stem}.png"
            if len(os.fsencode(name)) > 255:
                continue
            path = f"./{name}" if stem.startswith("-") else name
            yield Case(
                "name",
                f"{what}, {kind} image",
                ("detect", "model.safetensors", path, "--out", "out", "--no-progress"),
                (),
                expect,
                ("model.safetensors",),
                {name: content},
            )
        yield Case(
            "name",
            f"{what}, image that is not there",
            ("detect", "model.safetensors", f"./{stem}.png", "--out", "out", "--no-progress"),
            good=("model.safetensors",),
        )
        yield Case(
            "name", f"{what}, model that is not there", ("export", f"./{stem}", "--onnx", "out.onnx"), good=()
        )
        yield Case(
            "name",
            f"{what}, npz that is none",
            ("evaluate", "model.safetensors", "--npz", f"./{stem}.npz", "--no-progress"),
            good=("model.safetensors",),
            files={f"{stem}.npz": b"x"},
        )
        yield Case(
            "name",
            f"{what}, data of that name",
            ("train", f"--data={stem}", "--out", "new", *workshop.LEARN),
            good=(),
        )
        yield Case(
            "name",
            f"{what}, results there",
            ("detect", "model.safetensors", "good.png", f"--out=./{stem}", "--no-progress"),
            (),
            "any",
        )
        yield Case(
            "name", f"{what}, ONNX there", ("export", "model.safetensors", f"--onnx=./{stem}"), (), "any"
        )
        yield Case("name", f"{what}, notebook of that name", (f"./{stem}.ipynb",), good=(), files={f"{stem}.ipynb": b"x"}, module="aircraft_course.checks", seconds=40)  # fmt: skip
        yield Case(
            "name",
            f"{what}, run there",
            ("train", "--data", "patches.npz", f"--out=./{stem}", *workshop.LEARN),
            (),
            "any",
            ("patches.npz",),
            seconds=60,
        )


def _overwritten() -> Iterator[Case]:
    """What somebody else wrote is not replaced."""
    text = json.dumps({"type": "FeatureCollection", "features": []}).encode()
    detect = ("detect", "model.safetensors", "good.png", "--no-progress", "--out")
    for suffix, content in (
        (".geojson", text),
        (".json", b"{}"),
        (".json", b"[1, 2]"),
        (".geojson", b"mine"),
        (".png", workshop.good("good.jpg")),
        (".json", b""),
    ):
        yield Case(
            "overwritten",
            f"somebody's good{suffix}: {content[:10]!r}",
            (*detect, "out"),
            ("good",),
            files={f"out/good{suffix}": content},
        )
    truth = {"scene.tif": workshop.good("good.png"), "scene.geojson": text}
    yield Case(
        "overwritten",
        "the truth beside the scene",
        ("detect", "model.safetensors", "scene.tif", "--no-progress", "--out", "."),
        ("scene",),
        good=("model.safetensors",),
        files=truth,
    )
    export = ("export", "model.safetensors", "--onnx")
    for name in ("model.safetensors", "good.png", "./model.safetensors", "link"):
        yield Case(
            "overwritten",
            f"ONNX onto {name}",
            (*export, name),
            (name, "model"),
            make=lambda home: (home / "link").symlink_to("model.safetensors"),
        )
    yield Case(
        "overwritten",
        "ONNX onto a hard link of the model",
        (*export, "hard"),
        ("hard", "model"),
        make=lambda home: os.link(home / "model.safetensors", home / "hard"),
    )
    yield Case(
        "overwritten", "ONNX onto a text", (*export, "mine.txt"), ("mine.txt",), files={"mine.txt": b"mine"}
    )
    yield Case(
        "overwritten",
        "ONNX onto a text called .onnx",
        (*export, "mine.onnx"),
        ("mine.onnx",),
        files={"mine.onnx": b"mine"},
    )
    yield Case(
        "overwritten",
        "ONNX onto our own",
        (*export, "model.onnx"),
        (),
        "done",
        ("model.safetensors", "model.onnx"),
        tolerates=("home/model.onnx",),
    )
    yield Case(
        "overwritten",
        "data onto the model",
        ("data", "toy", "--export", "model.npz", *workshop.SMALL),
        ("model.npz",),
        "any",
        ("model.safetensors",),
    )
    onto = ("detect", "run", "good.png", "--no-progress", "--out", "run")
    yield Case("overwritten", "results into the run", onto, (), "any", ("run", "good.png"))
    named = {"metrics.png": workshop.good("good.png")}
    yield Case(
        "overwritten",
        "results onto the run's metrics.json",
        ("detect", "run", "metrics.png", "--no-progress", "--out", "run"),
        ("metrics",),
        "refused",
        ("run",),
        named,
    )
    alike = {"a/good.png": workshop.good("good.png"), "b/good.jpg": workshop.good("good.jpg")}
    yield Case(
        "overwritten",
        "two images of one name",
        ("detect", "model.safetensors", "a", "b", "--out", "out", "--no-progress"),
        ("good",),
        "refused",
        ("model.safetensors",),
        alike,
    )
    yield Case(
        "overwritten",
        "one image twice",
        (*detect[:3], "good.png", "--no-progress", "--out", "out"),
        ("good",),
        "any",
    )
