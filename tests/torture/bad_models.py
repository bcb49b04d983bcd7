# ruff: noqa: E501  (a case is a line of a table)
"""Model files and checkpoints that are wrong in one way each."""

import io
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from torture import workshop
from torture.cases import Case
from torture.formats import archive, safetensors, tensors

DETECT = ("detect", "bad.safetensors", "good.png", "--out", "out", "--no-progress")
DEEP = "[" * 100_000 + "]" * 100_000


def cases() -> Iterator[Case]:
    for family, made in (("file", _files), ("header", _headers), ("card", _cards), ("weights", _weights)):
        for what, content, expect in made():
            yield model(f"model: {family}", what, content, expect)
    for what, content, _ in _weights():
        words = ("export", "bad.safetensors", "--onnx", "out.onnx")
        yield Case(
            "model: export", what, words, ("bad.safetensors",), "refused", (), {"bad.safetensors": content}
        )
    yield from _checkpoints()


def model(family: str, what: str, content: bytes, expect: str = "refused") -> Case:
    return Case(
        family, what, DETECT, ("bad.safetensors",), expect, ("good.png",), {"bad.safetensors": content}
    )


def _files() -> Iterator[tuple[str, bytes, str]]:
    good = workshop.good("model.safetensors")
    (length,) = struct.unpack("<Q", good[:8])
    for at in (
        0,
        1,
        7,
        8,
        9,
        8 + length // 2,
        8 + length - 1,
        8 + length,
        8 + length + 1,
        len(good) // 2,
        len(good) - 1,
    ):
        yield f"cut to {at}", good[:at], "refused"
    for size in (0, 1, 2**31, 2**40, 2**63, 2**64 - 1, length - 1, length + 1):
        yield f"header length {size}", struct.pack("<Q", size) + good[8:], "refused"
    for name, content in (("a PNG", workshop.good("good.png")), ("text", b"weights"), ("zeros", bytes(999)), ("a pickle", b"\x80\2}q\0."), ("a zip", archive({"x": b""})),
                          ("ONNX", workshop.good("model.onnx")), ("bytes behind it", good + b"xxxx")):  # fmt: skip
        yield name, content, "refused"


def _headers() -> Iterator[tuple[str, bytes, str]]:
    head, body = tensors(workshop.good("model.safetensors"))
    names = sorted(
        (name for name in head if name != "__metadata__"), key=lambda name: head[name]["data_offsets"]
    )
    first, second = names[:2]

    def changed(name: str, **change: Any) -> bytes:
        return safetensors(head | {name: head[name] | change}, body)

    offsets = head[second]["data_offsets"]
    for dtype in (
        "F64",
        "F16",
        "BF16",
        "I32",
        "I64",
        "U8",
        "BOOL",
        "F8_E4M3",
        "F8_E5M2",
        "F4",
        "C64",
        "X9",
        "",
        7,
        None,
        [],
    ):
        yield f"type {dtype}", changed(first, dtype=dtype), "refused"
    for name, value in (("overlapping", head[first]["data_offsets"]), ("turned", offsets[::-1]), ("negative", [-4, 0]), ("behind the end", [len(body), len(body) + 64]), ("three", [*offsets, 9]), ("texts", ["0", "64"]), ("floats", [0.5, 64.5]), ("huge", [0, 2**64]), ("null", None)):  # fmt: skip
        yield f"offsets {name}", changed(second, data_offsets=value), "refused"
    for name, value in (
        ("empty", []),
        ("negative", [-1]),
        ("huge", [2**62, 4]),
        ("text", "16"),
        ("another", [1, 2, 3]),
        ("null", None),
        ("of 0", [0]),
    ):
        yield f"shape {name}", changed(first, shape=value), "refused"
    yield "deep", safetensors(b'{"a":' + DEEP.encode() + b"}", body), "refused"
    yield "a list", safetensors(b"[]", body), "refused"
    yield "not UTF-8", safetensors(b'{"\xff\xfe": 1}', body), "refused"
    yield "a tensor missing", safetensors({k: v for k, v in head.items() if k != names[-1]}, body), "refused"
    yield (
        "a tensor more",
        safetensors(
            head | {"more": {"dtype": "F32", "shape": [1], "data_offsets": [len(body), len(body) + 4]}},
            body + bytes(4),
        ),
        "refused",
    )
    yield (
        "a tensor renamed",
        safetensors({k.replace("weight", "wait"): v for k, v in head.items()}, body),
        "refused",
    )
    yield "two change places", safetensors(head | {first: head[second], second: head[first]}, body), "refused"
    yield "names with control codes", safetensors(head | {"\x1b[31m\n": head[first]}, body), "refused"
    yield (
        "100,000 tensors",
        safetensors(
            {f"t{i}": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for i in range(100_000)}, b""
        ),
        "refused",
    )
    yield "no metadata", safetensors({k: v for k, v in head.items() if k != "__metadata__"}, body), "refused"
    for name, value in (("a list", []), ("a number", 7), ("of numbers", {"format": 1}), ("of another program", {"format": "pt"}), ("of version 9", head["__metadata__"] | {"version": "9"}), ("without card", {"format": "aircraft-model", "version": "1"})):  # fmt: skip
        yield f"metadata {name}", safetensors(head | {"__metadata__": value}, body), "refused"


def with_card(change: Callable[[dict[str, Any]], Any] | str) -> bytes:
    """The model with another card: a text, or what a function makes of the card."""
    head, body = tensors(workshop.good("model.safetensors"))
    metadata = head["__metadata__"]
    card = change if isinstance(change, str) else json.dumps(change(json.loads(metadata["card"])))
    return safetensors(head | {"__metadata__": metadata | {"card": card}}, body)


def _cards() -> Iterator[tuple[str, bytes, str]]:
    for name, text in (("empty", ""), ("text", "hello"), ("deep", DEEP), ("a list", "[]"), ("a number", "7"), ("null", "null"), ("NaN", "NaN"), ("a number of 10,000 digits", "9" * 10_000)):  # fmt: skip
        yield name, with_card(text), "refused"
    good = json.loads(tensors(workshop.good("model.safetensors"))[0]["__metadata__"]["card"])
    for key in good:
        expect = "any" if key in ("provenance", "detection_threshold") else "refused"
        yield (
            f"no {key}",
            with_card(lambda card, key=key: {k: v for k, v in card.items() if k != key}),
            expect,
        )
        for value in (
            None,
            7,
            "text",
            [],
            {},
            [[]],
            True,
            -1,
            1e400,
            float("nan"),
            2**70,
            [1, 2],
            ["a", "b", "c"],
            {"width": 64},
        ):
            fits = (
                key in ("provenance", "mean", "std")
                or (value is None and key == "detection_threshold")
                or (key == "options" and value in ([], {}))
            )
            same = key in ("threshold", "detection_threshold") and value is True
            yield (
                f"{key} {json.dumps(value)}",
                with_card(lambda card, key=key, value=value: card | {key: value}),
                "any" if fits or same else "refused",
            )
    yield "a key more", with_card(lambda card: card | {"colour": 1}), "any"
    for arch in ("vgg", "", "resnet18", "patch_net", "../x", "toy_cnn\n", "x" * 9999, "__init__"):
        yield f"arch {ascii(arch)[:30]}", with_card(lambda card, arch=arch: card | {"arch": arch}), "refused"
    for value in (0, -1, "64", None, 1.5, [], {}, True, 2**40, 10**30, 7, float("nan"), float("inf")):
        change = {"arch": "patch_net", "options": {"width": value}}
        yield f"width {json.dumps(value)}", with_card(lambda card, change=change: card | change), "refused"
    for options in (
        {"width": 3000},
        {"pretrained": "yes"},
        {"depth": 99},
        {"": 1},
        {"self": 1},
        {"name": "toy_cnn"},
        {"width": {"a": []}},
    ):
        for arch in ("patch_net", "resnet18", "efficientnet_lite0"):
            change = {"arch": arch, "options": options}
            yield (
                f"{arch} with {json.dumps(options)}",
                with_card(lambda card, change=change: card | change),
                "refused",
            )


def _weights() -> Iterator[tuple[str, bytes, str]]:
    head, body = tensors(workshop.good("model.safetensors"))
    numbers = {"NaN": float("nan"), "infinite": float("inf"), "1e38": 1e38, "1e-45": 1e-45, "-0.0": -0.0}
    names = [name for name in head if name != "__metadata__"]
    first = min((name for name in names if "weight" in name), key=lambda name: head[name]["data_offsets"])
    at = head[first]["data_offsets"][0]
    for name, value in numbers.items():
        yield f"one number is {name}", safetensors(head, _put(body, at, value)), "refused"
    for bit in (31, 30, 27, 23, 22, 3):
        flipped = struct.unpack("<I", body[at : at + 4])[0] ^ (1 << bit)
        yield (
            f"bit {bit} of one number",
            safetensors(head, body[:at] + struct.pack("<I", flipped) + body[at + 4 :]),
            "refused",
        )
    for name in names:
        if name.endswith(("std", "mean", "running_var")):
            for value in (0.0, -1.0, float("nan"), 1e-40, 1e30):
                start = head[name]["data_offsets"][0]
                yield f"{name} is {value:g}", safetensors(head, _put(body, start, value)), "refused"
    yield "all zero", safetensors(head, bytes(len(body))), "refused"
    yield (
        "all of one network, turned",
        safetensors(head, np.frombuffer(body, np.float32)[::-1].tobytes()),
        "refused",
    )


def _put(body: bytes, at: int, value: float) -> bytes:
    return body[:at] + struct.pack("<f", value) + body[at + 4 :]


def _checkpoints() -> Iterator[Case]:
    words = ("train", "--data", "patches.npz", "--out", "run", "--resume", *workshop.LEARN)
    good = workshop.good("run/checkpoint.pt")
    held = io.BytesIO()
    np.save(held, np.zeros(3))
    bombs = {
        "no bytes": b"", "text": b"hello", "zeros": bytes(999), "a pickle": b"\x80\4cos\nsystem\n(S'touch ran'\ntR.", "an array": held.getvalue(), "a zip": archive({"x": b""}),
        "a model": workshop.good("model.safetensors"), "a PNG": workshop.good("good.png"),
    } | {f"cut to {share:.0%}": good[: int(len(good) * share)] for share in (0.001, 0.3, 0.7, 0.99, 0.9999)}  # fmt: skip
    for what, content in bombs.items():
        yield Case(
            "checkpoint",
            what,
            words,
            ("checkpoint.pt",),
            "refused",
            ("patches.npz", "run"),
            {"run/checkpoint.pt": content},
            seconds=60,
        )
    for name, change in (
        ("other epochs", ("--epochs", "1")), ("another model", ("--model", "vgg_small")), ("other data", ("--data", "toy", "--scale", "0.005")), ("another rate", ("--lr", "0.1")), ("another seed", ("--seed", "5")),
    ):  # fmt: skip
        yield Case(
            "checkpoint",
            name,
            (*words, *change),
            ("run", change[0][2:]),
            "refused",
            ("patches.npz", "run"),
            seconds=60,
        )
