"""What the campaign found, counted by part and family; the failing cases, the largest and the slowest."""

import time
from collections import Counter
from pathlib import Path

from torture.cases import Case, Faults, Outcome

SHOWN = 40  # failing cases of a part that are printed; the log has all


class Figures:
    """Counts as they come; `str` is the table."""

    def __init__(self, log: Path | None = None) -> None:
        self.tried: Counter[tuple[str, str]] = Counter()
        self.bad: Counter[tuple[str, str]] = Counter()
        self.spent: Counter[tuple[str, str]] = Counter()
        self.seconds: dict[str, float] = {}
        self.worst = self.slowest = (0.0, "nothing")
        self._log = log.open("w", encoding="utf-8") if log else None
        self._shown, self._began = 0, 0.0

    @property
    def failed(self) -> int:
        return sum(self.bad.values())

    def begin(self, part: str) -> None:
        self._shown, self._began = 0, time.monotonic()
        self.seconds[part] = 0.0
        print(f"{part} ...", flush=True)

    def add(self, part: str, case: Case, outcome: Outcome, faults: Faults) -> None:
        """Count a case, and print it where it failed."""
        key = (part, case.family)
        self.seconds[part] = time.monotonic() - self._began
        self.tried[key] += 1
        self.spent[key] += outcome.seconds  # type: ignore[assignment]
        name = f"{case.family}: {case.what} ({case.command})"
        self.worst = max(self.worst, (outcome.megabytes, name))
        self.slowest = max(self.slowest, (outcome.seconds, name))
        if not faults:
            return
        self.bad[key] += 1
        line = " ".join(f"{case.family}: {case.what} | {case.command} | {'; '.join(faults)}".split())
        line = "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in line)
        if self._log:
            print(line.encode("utf-8", "backslashreplace").decode(), file=self._log, flush=True)
        self._shown += 1
        if self._shown <= SHOWN:
            print(f"  FAILED {ascii(line)[1:-1][:400]}", flush=True)

    def end(self) -> None:
        if self._shown > SHOWN:
            print(f"  ... and {self._shown - SHOWN} more (--log FILE lists them)")

    def __str__(self) -> str:
        lines = [f"\n{'family':44}{'tried':>7}{'failed':>8}{'seconds':>9}"]
        for part, seconds in self.seconds.items():
            families = sorted(family for name, family in self.tried if name == part)
            for family in families:
                key = (part, family)
                lines.append(f"  {family:42}{self.tried[key]:7,}{self.bad[key]:8,}{self.spent[key]:9,.0f}")
            tried, bad = (
                sum(n for (name, _), n in counts.items() if name == part) for counts in (self.tried, self.bad)
            )
            lines.append(f"{f'{part}, {seconds:.0f} s':44}{tried:7,}{bad:8,}")
        total = sum(self.tried.values())
        lines.append(f"{'all':44}{total:7,}{self.failed:8,}")
        lines.append(
            f"most memory: {self.worst[0]:,.0f} MB above an idle command: {ascii(self.worst[1])[1:-1]}"
        )
        lines.append(f"slowest: {self.slowest[0]:.1f} s: {ascii(self.slowest[1])[1:-1]}")
        return "\n".join([*lines, time.strftime("ended at %H:%M:%S")])
