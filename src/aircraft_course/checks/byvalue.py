"""Values that two processes share while an answer is judged: by value, never by pickle, alike on both sides.

What can be changed (a list, an array, a tensor, a network) has a number in the `Table` of either process; a
message brings what has changed since the last one: both see the same contents and the same identities. What
is no value (a function, an object of a class of the student's) stays where it is; the other side has a
stand-in for it (see apart.py). Nothing that arrives is executed: names of classes are looked up in a list.
"""

import dataclasses
import importlib
import json
import logging
import random
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from pathlib import PurePath
from typing import Any

import numpy as np

# Classes whose objects travel as their attributes: they compute, and neither open files nor start anything.
LIBRARY = ("torch.nn.modules.", "torch.nn.parameter.", "torch.optim.", "torch.utils.data.")
OURS = (
    "aircraft.",
    "airfield.",
    "aircraft_course.checks.lesson",
    "aircraft_course.checks.extra_",
)  # of these networks and dataclasses only
MAPPINGS = {"dict": dict, "OrderedDict": OrderedDict, "defaultdict": lambda: defaultdict(dict)}
KINDS = "?biufcUSMm"  # of numpy: all but objects
PLAIN = (bool, int, float, str)
NOT_PLAIN = object()

Write = Callable[[Any], Any]  # what stands for a value in a message
Read = Callable[[Any], Any]  # the value again


class StandIn:
    """Stands for an object of the other side; what it can do is in apart.py."""


class Table:
    """The shared objects in the order in which they were first met, and what the other side knows of each.

    `export` describes an object that stays here; `stand_in` makes one for an object that stayed there.
    """

    def __init__(self, export: Callable[[Any], dict[str, Any]], stand_in: Callable[[dict], Any]) -> None:
        self.export, self.stand_in = export, stand_in
        self.objects: list[Any] = []
        self.numbers: dict[int, int] = {}  # by id(); `objects` keeps each alive, so that no id comes twice
        self.known: list[tuple[Any, bytes]] = []
        self.random: list[Any] = []

    def pack(self, header: dict[str, Any], value: Any) -> bytes:
        """A line of JSON, then the bytes of the arrays. What cannot be told leaves no trace here."""
        before, known, drawn = len(self.objects), list(self.known), self.random
        try:
            return self._pack(header, value)
        except BaseException:
            for thing in self.objects[before:]:
                del self.numbers[id(thing)]
            del self.objects[before:]
            self.known, self.random = known, drawn
            raise

    def _pack(self, header: dict[str, Any], value: Any) -> bytes:
        header = {**header, "value": self._write(value), "objects": []}
        if _has_torch():
            header["gradients"] = _torch().records_gradients()
        parts: list[bytes] = []
        number = 0
        while number < len(self.objects):  # describing one may add others
            content = _content(self.objects[number], self._write)
            if number == len(self.known):
                self.known.append((None, b""))
            if content != self.known[number]:
                self.known[number] = content
                header["objects"].append([number, content[0], len(content[1])])
                parts.append(content[1])
            number += 1
        state = random_state()
        if state != self.random:
            self.random = header["random"] = state
        return json.dumps(header).encode() + b"\n" + b"".join(parts)

    def unpack(self, message: bytes) -> tuple[dict[str, Any], Any]:
        """The header and the value of a message; what both know already is changed in place."""
        line, _, rest = message.partition(b"\n")
        header = json.loads(line)
        contents, at = [], 0
        for number, description, length in header["objects"]:
            contents.append((number, description, rest[at : at + length]))
            at += length
        for number, description, raw in contents:
            if number == len(self.objects):
                self._add(_shell(description, raw))
                self.known.append((None, b""))
        for number, description, raw in contents:
            _fill(self.objects[number], description, raw, self._read)
            self.known[number] = (description, raw)
        if "random" in header:
            self.random = header["random"]
            set_random_state(self.random)
        return header, self._read(header["value"])

    def _add(self, thing: Any) -> int:
        self.objects.append(thing)
        self.numbers[id(thing)] = len(self.objects) - 1
        return len(self.objects) - 1

    def _write(self, value: Any) -> Any:
        if issubclass(type(value), StandIn):  # not isinstance: it may say that it is a network
            return {"k": "stays", "v": self.export(value)}
        if (number := self.numbers.get(id(value))) is not None:
            return {"k": "object", "v": number}
        plain = _plain(value, self._write)
        if plain is not NOT_PLAIN:
            return plain
        if _is_shared(value):
            return {"k": "object", "v": self._add(value)}
        return {"k": "stays", "v": self.export(value)}

    def _read(self, told: Any) -> Any:
        if not isinstance(told, dict):
            if told is None or isinstance(told, PLAIN):
                return told
            raise ValueError("a value that no message has")
        kind, value = told["k"], told["v"]
        if kind == "object":
            return self.objects[value]
        if kind == "stays":
            return self.stand_in(value)
        return (READ.get(kind) or _torch().READ[kind])(value, self._read)


def _torch() -> Any:
    """The part that knows tensors and networks; it imports torch."""
    return importlib.import_module("aircraft_course.checks.tensors")


def _has_torch() -> bool:
    return "torch" in sys.modules


def _plain(value: Any, write: Write) -> Any:
    """What stands for a value that cannot be changed; NOT_PLAIN for all others."""
    if value is None or type(value) in PLAIN:
        return value
    told: Any
    if isinstance(value, np.generic) and value.dtype.kind in KINDS:
        kind, told = "scalar", [value.dtype.str, value.tobytes().hex()]
    elif isinstance(value, Enum) and _is_enum(type(value)):
        kind, told = "enum", [name_of(type(value)), value.name]
    elif isinstance(value, str):  # perhaps of a class of the student's: the value counts, not what == does
        return str.__str__(value)
    elif isinstance(value, int | float):
        return int.__pos__(value) if isinstance(value, int) else float.__pos__(value)
    elif value is ...:
        kind, told = "ellipsis", None
    elif isinstance(value, tuple | frozenset) and type(value).__name__ != "Size":
        kind, told = "tuple" if isinstance(value, tuple) else "frozenset", [write(one) for one in value]
    elif type(value) is complex:
        kind, told = "complex", [value.real, value.imag]
    elif type(value) in (slice, range):
        kind, told = type(value).__name__, [write(x) for x in (value.start, value.stop, value.step)]
    elif isinstance(value, bytes):
        kind, told = "bytes", value.hex()
    elif isinstance(value, np.dtype) and value.kind in KINDS:
        kind, told = "dtype", value.str
    elif isinstance(value, PurePath):
        kind, told = "path", str(value)
    elif type(value) is logging.Logger:
        kind, told = "logger", [value.name, value.level]
    else:
        return _torch().plain(value) if _has_torch() else NOT_PLAIN
    return {"k": kind, "v": told}


READ: dict[str, Callable[[Any, Read], Any]] = {
    "scalar": lambda told, _: np.frombuffer(bytes.fromhex(told[1]), dtype_of(told[0]))[0],
    "enum": lambda told, _: _enum(told[0])[told[1]],
    "ellipsis": lambda told, _: ...,
    "tuple": lambda told, read: tuple(map(read, told)),
    "frozenset": lambda told, read: frozenset(map(read, told)),
    "complex": lambda told, _: complex(*told),
    "slice": lambda told, read: slice(*map(read, told)),
    "range": lambda told, read: range(*map(read, told)),
    "bytes": lambda told, _: bytes.fromhex(told),
    "dtype": lambda told, _: dtype_of(told),
    "path": lambda told, _: PurePath(told),
    "logger": lambda told, _: _logger(*told),
}


def _is_shared(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.dtype.kind in KINDS
    if isinstance(value, list | dict | set | np.random.Generator) or is_known(type(value)):
        return True
    return _has_torch() and _torch().is_shared(value)


def _content(thing: Any, write: Write) -> tuple[Any, bytes]:
    """What is in a shared object now, and its bytes if it is made of numbers."""
    if isinstance(thing, list | set):
        return ["list" if isinstance(thing, list) else "set", [write(one) for one in thing]], b""
    if isinstance(thing, dict):
        name = type(thing).__name__ if type(thing).__name__ in MAPPINGS else "dict"
        return [name, [[write(key), write(value)] for key, value in thing.items()]], b""
    if isinstance(thing, np.ndarray):
        return ["array", thing.dtype.str, list(thing.shape)], thing.tobytes()
    if isinstance(thing, np.random.Generator):
        state = json.dumps(thing.bit_generator.state, default=lambda value: value.tolist())
        return ["draws", type(thing.bit_generator).__name__, state], b""
    if _has_torch() and (told := _torch().content(thing, write)):
        return told
    return ["instance", name_of(type(thing)), fields_of(thing, write)], b""


def _shell(description: list[Any], raw: bytes) -> Any:
    """A new object as described, but still without what other objects are in it."""
    kind, *told = description
    if kind in MAPPINGS:
        return MAPPINGS[kind]()  # type: ignore[operator]
    if kind in ("list", "set"):
        return [] if kind == "list" else set()
    if kind == "array":
        return np.frombuffer(bytearray(raw), dtype_of(told[0])).reshape(told[1])
    if kind == "draws":
        if told[0] not in ("PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"):
            raise ValueError(f"the generator {told[0]} does not travel")
        return np.random.Generator(getattr(np.random, told[0])())
    if kind == "instance":
        return object.__new__(_class(told[0]))
    return _torch().shell(kind, told, raw)


def _fill(thing: Any, description: list[Any], raw: bytes, read: Read) -> None:
    """Make the contents of `thing` those described."""
    kind, *told = description
    if kind in MAPPINGS:
        new = {read(key): read(one) for key, one in told[0]}
        thing.clear()
        thing.update(new)
    elif kind == "list":
        thing[:] = map(read, told[0])
    elif kind == "set":
        new_set = set(map(read, told[0]))
        thing.clear()
        thing.update(new_set)
    elif kind == "array":
        if thing.shape == tuple(told[1]) and thing.flags.writeable:
            thing[...] = np.frombuffer(raw, dtype_of(told[0])).reshape(told[1])
    elif kind == "draws":
        state = json.loads(told[1])
        inner = {
            key: np.array(v, np.uint64) if isinstance(v, list) else v for key, v in state["state"].items()
        }
        thing.bit_generator.state = state | {"state": inner}
    elif kind == "instance":
        fill_fields(thing, told[1], read)
    else:
        _torch().fill(thing, kind, told, raw, read)


def fields_of(thing: Any, write: Write) -> list[Any]:
    """The attributes of an object, written."""
    return [[key, write(value)] for key, value in vars(thing).items()]


def fill_fields(thing: Any, told: list[Any], read: Read) -> None:
    """Give `thing` these attributes and no others."""
    fields = {key: read(one) for key, one in told}
    for key in vars(thing).keys() - fields:
        del vars(thing)[key]
    for key, one in fields.items():
        # An attribute in a method's place would be called instead of it: the class's own counts.
        if not callable(getattr(type(thing), key, None)):
            vars(thing)[key] = one


def random_state() -> list[Any]:
    """The states of the generators that all code shares, as JSON can hold them."""
    _, words, gauss = random.getstate()
    kind, key, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    torch_state = _torch().random_state() if _has_torch() else ""
    return [[list(words), gauss], [kind, key.tolist(), *rest], torch_state]  # type: ignore[union-attr]


def set_random_state(state: list[Any]) -> None:
    """Set what random_state told."""
    (words, gauss), (kind, key, *rest), torch_state = state
    random.setstate((3, tuple(words), gauss))
    np.random.set_state((kind, np.array(key, np.uint32), *rest))  # noqa: NPY002
    if torch_state and _has_torch():
        _torch().set_random_state(torch_state)


def gradients_as(header: dict[str, Any]) -> AbstractContextManager[Any]:
    """A context for what a message asks for: where the other side records no gradients, neither does this."""
    return nullcontext() if header.get("gradients", True) or not _has_torch() else _torch().gradients(False)


def name_of(kind: type) -> str:
    """The full name of a class."""
    return f"{kind.__module__}.{kind.__qualname__}"


def is_known(kind: type) -> bool:
    """Whether objects of a class travel as their attributes."""
    name = name_of(kind)
    if not name.startswith(LIBRARY + OURS) or _look_up(name) is not kind:
        return False
    return name.startswith(LIBRARY) or dataclasses.is_dataclass(kind) or _torch().is_network(kind)


def dtype_of(name: str) -> np.dtype:
    """A numpy type whose values are bytes."""
    found = np.dtype(name)
    if found.kind not in KINDS:
        raise ValueError(f"arrays of {name} do not travel")
    return found


def _look_up(name: str) -> Any:
    """A class by its full name, of a module that is loaded here."""
    module, _, own = name.rpartition(".")
    return getattr(sys.modules.get(module), own, None)


def _class(name: str) -> type:
    found = _look_up(name)
    if not isinstance(found, type) or not is_known(found):
        raise ValueError(f"objects of {name} do not travel")
    return found


def _is_enum(kind: type) -> bool:
    return name_of(kind).startswith(("ignite.", *OURS)) and _look_up(name_of(kind)) is kind


def _enum(name: str) -> Any:
    found = _look_up(name)
    if not isinstance(found, type) or not issubclass(found, Enum) or not _is_enum(found):
        raise ValueError(f"{name} does not travel")
    return found


def _logger(name: str, level: int) -> logging.Logger:
    logger = logging.getLogger(f"aircraft_course.checks.{name}")
    logger.setLevel(level)
    return logger
