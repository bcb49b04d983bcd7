"""Judging apart: the check runs in a process that the student's code cannot reach, his functions stay in his.

The kernel says `check_x(answer)`; the judge runs its own copy of the check and calls the functions of the
answer through stand-ins. Calls go to and fro over one connection, one at a time: who asks serves the other
until his own answer comes. Values travel as byvalue.py says. The judge takes no outcome from the kernel.
"""

import builtins
import inspect
import operator
import os
import sys
from collections.abc import Callable
from multiprocessing.connection import Client, Connection
from types import MethodType
from typing import Any

from aircraft_course.checks.byvalue import StandIn, Table, gradients_as
from aircraft_course.checks.core import ELSEWHERE, where
from aircraft_course.checks.names import name_of

JUDGE = "AIRCRAFT_JUDGE"  # where the judge listens
LARGEST = 2**30  # bytes of a message

# What can be done with an object that stays on the other side.
DEEDS: dict[str, Callable[..., Any]] = {
    "call": lambda thing, *given, **named: thing(*given, **named),
    "get": getattr,
    "set": setattr,
    "len": len,
    "iter": iter,
    "next": next,
    "item": operator.getitem,
}
SPECIAL = {
    "__call__": "call",
    "__len__": "len",
    "__iter__": "iter",
    "__next__": "next",
    "__getitem__": "item",
}
# Classes that `isinstance` in a check may ask for, of objects that stay where they are.
ASKED_FOR = ("torch.", "ignite.", "sklearn.")
# All that the student's code may see of an object of the judge; what a check hands over it may call, too.
SEEN = {
    "ignite.engine.engine.Engine": ["on", "add_event_handler", "has_event_handler", "run", "state"],
    "ignite.engine.events.State": ["metrics", "output", "batch", "epoch", "iteration", "max_epochs"],
}


class Lost(BaseException):  # no check takes it for an error of the student
    """The other side is gone, or said what cannot be understood."""


class Session:
    """One end of the connection, with what both ends share while an exercise is judged."""

    def __init__(self, connection: Connection, *, trusted: bool) -> None:
        self.connection, self.trusted, self.depth = connection, trusted, 0
        self.check: Callable[[dict[str, Any], Any], dict[str, Any]] | None = None  # the judge's
        self.begin()

    def begin(self) -> None:
        """Forget what was shared for the exercise before."""
        self.table = Table(self._export, self._stand_in)
        self.mine: list[Any] = []
        self.places: dict[Any, int] = {}
        self.theirs: dict[int, Any] = {}

    def ask(self, header: dict[str, Any], value: Any = None) -> tuple[dict[str, Any], Any]:
        """Send a request and serve those of the other side until the answer comes."""
        self.depth += 1
        try:
            self._send(header, value)
            while True:
                answer, value = self._receive()
                if answer["what"] == "answer":
                    return answer, value
                if answer["what"] == "error":
                    raise _error(answer)
                self.serve(answer, value)
        finally:
            self.depth -= 1

    def serve(self, header: dict[str, Any], value: Any) -> None:
        """Do what the other side asks for, and send the answer."""
        self.depth += 1
        try:
            if header["what"] == "check" and self.check:
                answer, value = {"what": "answer", **self.check(header, value)}, None
            else:
                given, named = value
                with gradients_as(header):
                    value = self._deed(header)(self.mine[header["on"]], *given, **named)
                answer = {"what": "answer"}
        except Lost:
            raise
        except BaseException as error:
            answer, value = _told(error), None
        finally:
            self.depth -= 1
        try:
            self._send(answer, value)
        except Exception as error:  # the answer cannot be told: the other side must not wait for it
            self._send(_told(error), None)

    def listen(self) -> None:
        """Serve until the other side is gone; each request of the outermost level begins anew."""
        while True:
            self.begin()
            self.serve(*self._receive())

    def _deed(self, header: dict[str, Any]) -> Callable[..., Any]:
        deed = header["deed"]
        return self._look if self.trusted and deed in ("get", "set") else DEEDS[deed]

    def _look(self, thing: Any, name: Any, *new: Any) -> Any:
        """What the student's code may see of the judge's objects: few names of few classes; it sets none."""
        if new or name not in SEEN.get(name_of(type(thing)), ()):
            raise AttributeError(f"{type(thing).__name__} has no {name!r} here")
        return getattr(thing, name)

    def _send(self, header: dict[str, Any], value: Any) -> None:
        try:
            self.connection.send_bytes(self.table.pack(header, value))
        except OSError as error:
            raise Lost(str(error)) from error

    def _receive(self) -> tuple[dict[str, Any], Any]:
        try:
            return self.table.unpack(self.connection.recv_bytes(LARGEST))
        except Exception as error:
            raise Lost(f"{type(error).__name__}: {error}") from error

    def _export(self, thing: Any) -> dict[str, Any]:
        """Describe an object that stays here (or one of theirs that goes home)."""
        if issubclass(type(thing), StandIn):
            return {"yours": object.__getattribute__(thing, "_apart")[1]}
        key = (id(thing.__self__), thing.__name__) if isinstance(thing, MethodType) else id(thing)
        if key not in self.places:
            self.mine.append(thing)
            self.places[key] = len(self.mine) - 1
        kind = type(thing)
        told: dict[str, Any] = {"number": self.places[key], "class": name_of(kind)}
        if callable(thing):
            told["takes"] = _parameters(thing)
        return told | {"can": [name for name in SPECIAL if hasattr(kind, name)]}

    def _stand_in(self, told: dict[str, Any]) -> Any:
        """The object for a description: ours again, or something that asks the other side for all it does."""
        if "yours" in told:
            return self.mine[told["yours"]]
        number = told["number"]
        if number not in self.theirs:
            self.theirs[number] = _stand_in(self, told)
        return self.theirs[number]


class _StandIn(StandIn):
    """Calls, attributes and items are asked for on the other side."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _do(self, "get", name)

    def __deepcopy__(self, _: Any) -> Any:  # a copy would be of the connection
        return self

    def __setattr__(self, name: str, value: Any) -> None:
        _do(self, "set", name, value)


def _do(thing: _StandIn, deed: str, *given: Any, **named: Any) -> Any:
    session, number = object.__getattribute__(thing, "_apart")
    return session.ask({"what": "do", "deed": deed, "on": number}, (given, named))[1]


def _stand_in(session: Session, told: dict[str, Any]) -> Any:
    members: dict[str, Any] = {
        name: lambda self, *given, _deed=deed, **named: _do(self, _deed, *given, **named)
        for name, deed in SPECIAL.items()
        if name in told["can"]
    }
    module, _, name = str(told["class"]).rpartition(".")
    known = getattr(sys.modules.get(module), name, None) if module.startswith(ASKED_FOR) else None
    if isinstance(known, type):
        members["__class__"] = property(lambda self: known)  # so that isinstance finds what it is
    if told.get("takes") is not None:
        members["__signature__"] = _signature(told["takes"])
    thing: _StandIn = object.__new__(type(name, (_StandIn,), members))
    object.__setattr__(thing, "_apart", (session, int(told["number"])))
    return thing


def _parameters(thing: Callable[..., Any]) -> list[Any] | None:
    """Names and kinds of the parameters: ignite looks at them before it calls a handler."""
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    return [[one.name, int(one.kind), one.default is not one.empty] for one in parameters]


def _signature(told: list[Any]) -> inspect.Signature:
    empty = inspect.Parameter.empty
    return inspect.Signature(
        [
            inspect.Parameter(name, inspect._ParameterKind(kind), default=None if optional else empty)
            for name, kind, optional in told
        ]
    )


def _told(error: BaseException) -> dict[str, Any]:
    try:
        text = str(error)
    except Exception:
        text = ""
    return {"what": "error", "class": type(error).__name__, "text": text[:2000], "where": where(error)}


def _error(told: dict[str, Any]) -> BaseException:
    """An exception as that of the other side: of the same class if Python has it, with the same text."""
    name, text = str(told["class"]), str(told["text"])
    base = getattr(builtins, name, None)
    if not isinstance(base, type) or not issubclass(base, Exception | SystemExit):
        base = Exception
    members = {"__init__": lambda self: None, "__str__": lambda self: text, "where": str(told["where"])}
    return type(name, (base,), members)()


_sessions: list[Session] = []  # the kernel's


def connect() -> None:
    """In a notebook's kernel, before its first cell: reach the judge."""
    if not _sessions:
        _sessions.append(Session(Client(os.environ[JUDGE]), trusted=False))
        ELSEWHERE[:] = [ask_judge]


def ask_judge(
    lesson: str, name: str, answers: tuple[Any, ...], named: dict[str, Any], blank: bool
) -> tuple[str, str]:
    """In the notebook's kernel: let the judge run the check; the status and message to print."""
    connect()
    session = _sessions[0]
    if session.depth == 0:
        session.begin()
    header = {"what": "check", "lesson": lesson, "name": name, "blank": blank}
    try:
        told, _ = session.ask(header, (answers, named))
    except BaseException:
        if session.depth == 0:  # perhaps in the midst of a call: the next check begins with a new connection
            _sessions.clear()
            session.connection.close()
        raise
    return told["status"], told["message"]
