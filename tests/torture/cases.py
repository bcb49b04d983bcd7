"""What a case of the campaign is, and how its outcome is judged.

The rule that all parts share: a bad input ends with exit code 2 and one line that names it; nothing else is
written, changed or left; nothing takes for ever. A fault is a sentence, an empty list is a pass.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Faults = list[str]
NOTE = "aircraft: note: "
OUTPUTS = (
    "home/out",
    "home/new",
    "home/run",
    "home/demo",
    "home/cache",
    "tmp/",
)  # a command that succeeds may write here
BAR = re.compile(r"\r[^\r\n]*(%\||it/s|s/it|\d/\d)[^\r\n]*|\r *(?=\r|\n|$)|\x1b\[A|\r(?=aircraft)|\r$")
TEMPORARY = re.compile(r"/\.[^/\s]+-[a-z0-9_]{8}\b|/tmp\w{8}\b|\.tmp\b")


@dataclass(frozen=True)
class Case:
    """One command in a folder of its own. Folders and files are relative to that folder, `home`.

    expect: "refused" (exit code 2), "warned" (0 and a note that names it), "doubtful" (either), "done" (0),
    or "any" (0 or 2: the input may be harmless). names: the line must hold one of these.
    """

    family: str
    what: str
    words: tuple[str, ...]
    names: tuple[str, ...] = ()
    expect: str = "refused"
    good: tuple[str, ...] = ("model.safetensors", "good.png")  # copied from the workshop
    files: Mapping[str, bytes] = field(default_factory=dict)
    make: Callable[[Path], None] | None = None  # whatever else must lie in the folder
    module: str = "aircraft"
    own: bool = False  # an interpreter of its own, in place of a copy of ours
    env: Mapping[str, str | None] = field(default_factory=dict)
    prepare: Callable[[], None] | None = None  # in the process of the command, before it begins
    after: Callable[[Path, "Outcome"], Faults] | None = None  # more to judge
    tolerates: tuple[str, ...] = ()  # places that may change though the command is refused
    lines: int = 1  # of standard error at most, besides notes
    seconds: float = 20
    megabytes: float = 1500  # above what an idle command takes

    @property
    def command(self) -> str:
        """As one would type it, with what is not plain shown as Python shows it."""
        words = (word if re.fullmatch(r"[\w./=:,@%+-]+", word) else ascii(word) for word in self.words)
        given = "".join(f"{name}={value} " for name, value in self.env.items())
        return f"{given}python -m {self.module} {' '.join(words)}"[:300]


@dataclass
class Outcome:
    """What a command did. code: below 0, the signal that ended it; changed: "new x", "gone x", "other x"."""

    code: int
    out: bytes
    err: bytes
    seconds: float
    megabytes: float  # at its highest, above an idle command
    stopped: str = ""  # why we ended it
    changed: tuple[str, ...] = ()
    more: Faults = field(default_factory=list)  # what `Case.after` found

    @property
    def lines(self) -> list[str]:
        """Of standard error, without progress bars."""
        text = BAR.sub("", self.err.decode("utf-8", "backslashreplace"))
        return [line for line in text.split("\n") if line.strip()]

    @property
    def at_work(self) -> bool:
        """Whether a bar told that the work was going on."""
        return bool(BAR.search(self.err.decode("utf-8", "backslashreplace")))

    @property
    def notes(self) -> list[str]:
        return [line for line in self.lines if line.startswith(NOTE)]

    @property
    def said(self) -> list[str]:
        """Of standard error, what is no note."""
        return [line for line in self.lines if not line.startswith(NOTE)]


def judge(case: Case, outcome: Outcome) -> Faults:
    """Everything that is wrong with an outcome."""
    if outcome.stopped:
        return [outcome.stopped]
    faults = _streams(outcome)
    if outcome.code not in (0, 2):
        last = outcome.said[-1][:200] if outcome.said else "nothing said"
        return [f"exit code {outcome.code}: {last}", *faults]
    if outcome.code == 2:
        faults += _refusal(case, outcome)
    else:
        faults += _success(case, outcome)
    if outcome.megabytes > case.megabytes:
        faults.append(f"took {outcome.megabytes:,.0f} MB")
    return faults + outcome.more


def _refusal(case: Case, outcome: Outcome) -> Faults:
    said, faults = outcome.said, []
    if case.expect in ("warned", "done"):
        faults.append(f"refused: {' '.join(said)[:200]}")
    if not 1 <= len(said) <= case.lines:
        faults.append(f"{len(said)} lines: {' | '.join(said)[:200]}")
    elif not all(line.startswith("aircraft: ") for line in said):
        faults.append(f"a line of somebody else: {' | '.join(said)[:200]}")
    elif case.names and not names_one(case.names, " ".join(said)):
        faults.append(f"names none of {', '.join(map(ascii, case.names))}: {said[0][:200]}")
    if outcome.out and not case.tolerates:
        faults.append(f"refused, with an answer on standard output: {outcome.out[:80]!r}")
    changed = [one for one in outcome.changed if not one.partition(" ")[2].startswith(case.tolerates or "\0")]
    if changed:
        faults.append(f"refused, and left {', '.join(changed)[:200]}")
    return faults


def _success(case: Case, outcome: Outcome) -> Faults:
    faults = []
    if case.expect == "refused":
        faults.append(f"accepted: {_first(outcome)}")
    if case.expect in ("warned", "doubtful") and not names_one(case.names, " ".join(outcome.notes)):
        faults.append(f"accepted without a note: {_first(outcome)}")
    if outcome.said:
        faults.append(f"says beside notes: {' | '.join(outcome.said)[:200]}")
    lost = [
        one
        for one in outcome.changed
        if one[:4] != "new " and not one.partition(" ")[2].startswith(OUTPUTS + case.tolerates)
    ]
    if lost:
        faults.append(f"replaced {', '.join(lost)[:200]}")
    return faults


def _streams(outcome: Outcome) -> Faults:
    """What must never be printed, whatever the outcome."""
    faults = []
    text = outcome.out.decode("utf-8", "backslashreplace") + "\n".join(outcome.lines)
    if "Traceback" in text:
        faults.append("a traceback")
    if "fault of aircraft" in text and outcome.code != 1:
        faults.append("calls it a fault of aircraft")
    if found := TEMPORARY.search("\n".join(outcome.said)):
        faults.append(f"names a temporary file: {found[0]}")
    if any(unicodedata.category(sign) == "Cc" and sign not in "\n\t\r" for sign in text):
        faults.append("prints control codes")
    return faults


def names_one(names: tuple[str, ...], text: str) -> bool:
    """Whether the text holds one of the names; true of no names."""
    return not names or any(name.lower() in text.lower() for name in names)


def _first(outcome: Outcome) -> str:
    text = outcome.out.decode("utf-8", "backslashreplace").strip().splitlines()
    return (text[-1] if text else "no answer")[:150]
