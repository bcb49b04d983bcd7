"""How many wrong answers do the checks accept? `python tests/mutants [LESSON ...] [EXERCISE ...] [--second]`

Prints the accepted ones and a table; build/mutants.jsonl has all. With --write the table goes to
tests/mutants.md; `--second` makes mutants of the second right answers, too.
"""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from mutants import running  # noqa: E402
from mutants.hints import at_the_spot  # noqa: E402

JUDGED = Path(__file__).with_name("judged.txt")  # changes that a person found to be right answers, too
COLUMNS = ["made", "equivalent", "refused", "explained", "at the spot", "to judge", "accepted", "crashed"]


def main(words: list[str]) -> int:
    import torch

    torch.set_num_threads(1)
    names = [word for word in words if not word.isdecimal() and not word.startswith("--")]
    numbers = [int(word) for word in words if word.isdecimal()]
    out = running.ROOT / "build" / f"mutants{''.join(map(str, numbers))}.jsonl"
    out.parent.mkdir(exist_ok=True)
    verdicts = []
    with out.open("w", encoding="utf-8") as file:
        for path in sorted((running.ROOT / "notebooks" / "source").glob("[0-9][0-9]_*.py")):
            if numbers and int(path.stem[:2]) not in numbers:
                continue
            for verdict in running.lesson(
                path, only=lambda name: not names or name in names, second="--second" in words
            ):
                verdicts.append(verdict)
                print(json.dumps(verdict.to_dict()), file=file, flush=True)
                if column(verdict) in ("accepted", "to judge", "crashed"):
                    line = f"{verdict.status:6} {verdict.lesson}.{verdict.exercise}: {verdict.change}"
                    print(f"{line}  {verdict.message[:150]}", flush=True)
    text = report(verdicts)
    print(text)
    if "--write" in words:
        (running.ROOT / "tests" / "mutants.md").write_text(text, encoding="utf-8")
    return 0


def column(one: running.Verdict) -> str:
    """Where a mutant stands in the table."""
    if one.status in ("crash", "hang", "dead"):
        return "crashed"
    if one.status == "ok" and one.equivalent is None:
        known = f"{one.exercise}: {one.change}" in JUDGED.read_text(encoding="utf-8").split("\n")
        return "equivalent" if known else "to judge"
    if one.status == "ok":
        return "equivalent" if one.equivalent else "accepted"
    return "refused"


def explained(one: running.Verdict) -> bool:
    """A refusal of at most four lines that names a line of the answer, an example, or the mistake."""
    return column(one) == "refused" and one.lines <= 4 and len(one.message) > 20


def report(verdicts: Iterable[running.Verdict]) -> str:
    """The tables by exercise and by kind, and the mutants that a person has to judge."""
    verdicts = list(verdicts)
    parts = [
        "# Mutants of the right answers, judged by the checks",
        "Written by `make mutants`. Made: one mistake each, in the solutions. Equivalent: the same answers "
        f"on {running.DRAWS:,} drawn inputs, or found so by a person (judged.txt). To judge: accepted, and "
        "no inputs are drawn. At the spot: the hint names the line that failed, or what came and what was "
        "expected, or has the words of that kind of mistake, and none that send elsewhere (hints.py).",
        table(verdicts, lambda one: f"{one.lesson}. {one.exercise}"),
        table(verdicts, lambda one: one.kind),
    ]
    for name in ("accepted", "to judge", "crashed"):
        lines = [f"- {one.lesson}. {one.exercise}: `{one.change}`" for one in verdicts if column(one) == name]
        if lines:
            parts += [f"## {name.capitalize()}", "\n".join(sorted(set(lines)))]
    return "\n\n".join(parts) + "\n"


def table(verdicts: Iterable[running.Verdict], key: Callable[[running.Verdict], str]) -> str:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for one in verdicts:
        for row in (key(one), "all"):
            counts[row].update(["made", column(one)] + ["explained"] * explained(one))
            counts[row].update(
                ["at the spot"] * (column(one) == "refused" and at_the_spot(one.kind, one.message))
            )
    rows = [*(name for name in counts if name != "all"), "all"]
    head = f"| | {' | '.join(COLUMNS)} |\n|---|{'---:|' * len(COLUMNS)}"
    body = [f"| {row} | " + " | ".join(str(counts[row][name]) for name in COLUMNS) + " |" for row in rows]
    return "\n".join([head, *body])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
