# ruff: noqa: E501  (a case is a line of a table)
"""Notebooks for the grader, and results of benchmarks, that are wrong in one way each."""

import json
from collections.abc import Iterator
from typing import Any

from torture import workshop
from torture.cases import Case

DEEP = "[" * 100_000 + "]" * 100_000


def cases() -> Iterator[Case]:
    yield from _notebooks()
    yield from _benches()


def _notebooks() -> Iterator[Case]:
    cell = {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": [], "execution_count": None}
    book: dict[str, Any] = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    for what, content in (
        ("no bytes", b""), ("text", b"hello"), ("a list", b"[]"), ("a number", b"7"), ("null", b"null"), ("deep", DEEP.encode()), ("deep inside", json.dumps(book).replace('"metadata": {}', f'"metadata": {{"a": {DEEP}}}', 1).encode()), ("not UTF-8", b"\xff\xfe{}"), ("UTF-16", json.dumps(book).encode("utf-16")),
        ("no cells", json.dumps(book | {"cells": []}).encode()), ("cells a number", json.dumps(book | {"cells": 7}).encode()), ("cells of texts", json.dumps(book | {"cells": ["x"]}).encode()), ("a cell without source", json.dumps(book | {"cells": [{"cell_type": "code"}]}).encode()),
        ("perhaps: source a number", json.dumps(book | {"cells": [cell | {"source": 7}]}).encode()), ("perhaps: source null", json.dumps(book | {"cells": [cell | {"source": None}]}).encode()), ("metadata a list", json.dumps(book | {"metadata": []}).encode()), ("lesson a list", json.dumps(book | {"metadata": {"aircraft": {"lesson": ["x"]}}}).encode()), ("lesson 99", json.dumps(book | {"metadata": {"aircraft": {"lesson": "lesson99"}}}).encode()),
        ("nbformat 99", json.dumps(book | {"nbformat": 99}).encode()), ("nbformat a text", json.dumps(book | {"nbformat": "four"}).encode()), ("no nbformat", json.dumps({"cells": [cell]}).encode()), ("a number of 10,000 digits", b'{"cells": ' + b"9" * 10_000 + b"}"), ("cut", json.dumps(book).encode()[:-9]), ("a PNG", workshop.good("good.png")),
        ("perhaps: a lone surrogate", json.dumps(book | {"cells": [cell | {"source": 7, "id": "\ud800"}]}).encode()),
    ):  # fmt: skip
        yield Case(
            "notebook",
            what,
            ("01_bad.ipynb", "--fast"),
            ("01_bad.ipynb",),
            "any" if what.startswith("perhaps") else "refused",
            good=(),
            files={"01_bad.ipynb": content},
            module="aircraft_course.checks",
            seconds=40,
        )
    for option, values in (
        ("--lesson", ("99", "", "x", "-1", "\n")),
        ("--timeout", ("0", "-1", "nan", "", "1.5", "9" * 30, "x")),
    ):
        for value in values:
            hangs = "any" if value.startswith("99") and len(value) > 2 else "refused"
            yield Case(
                "notebook",
                f"{option} {ascii(value)[:20]}",
                ("01_book.ipynb", f"{option}={value}", "--fast"),
                (option[2:],),
                hangs,
                ("01_book.ipynb",),
                module="aircraft_course.checks",
                seconds=40,
            )


def _benches() -> Iterator[Case]:
    good = {"format": 1, "parts": {}}
    for what, content in (("no bytes", b""), ("text", b"x"), ("deep", DEEP.encode()), ("deep inside", json.dumps(good).encode()[:-1] + b',"x":' + DEEP.encode() + b"}"), ("a list", b"[]"), ("no parts", b'{"format": 1}'), ("parts a number", b'{"format": 1, "parts": 7}'),
                          ("parts a list", b'{"format": 1, "parts": ["ab"]}'), ("a part a number", b'{"format": 1, "parts": {"detection": 7}}'), ("a part without rows", b'{"format": 1, "parts": {"detection": {}}}'), ("not UTF-8", b"\xff\xfe"), ("format 9", b'{"format": 9, "parts": {}}')):  # fmt: skip
        yield Case(
            "bench",
            what,
            ("startup", "--quick", "--no-progress", "--out", "out"),
            ("bench.json",),
            good=(),
            files={"out/bench.json": content},
            module="aircraft_bench",
            seconds=40,
        )
