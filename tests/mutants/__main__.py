"""How many wrong answers do the checks accept? `python tests/mutants [LESSON ...] [EXERCISE ...]`

Prints the accepted ones and a table; build/mutants.jsonl has all.
"""

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1])]

from mutants import running  # noqa: E402


def main(words: list[str]) -> int:
    import torch

    torch.set_num_threads(1)
    names = [word for word in words if not word.isdecimal()]
    numbers = [int(word) for word in words if word.isdecimal()]
    out = running.ROOT / "build" / "mutants.jsonl"
    out.parent.mkdir(exist_ok=True)
    verdicts = []
    with out.open("w") as file:
        for path in sorted((running.ROOT / "notebooks" / "source").rglob("*.py")):
            if numbers and path.stem[:2] not in {f"{number:02d}" for number in numbers}:
                continue
            for verdict in running.lesson(path, only=lambda name: not names or name in names):
                verdicts.append(verdict)
                print(json.dumps(verdict.to_dict()), file=file, flush=True)
                if verdict.status in ("ok", "crash", "hang", "dead") and not verdict.equivalent:
                    print(
                        f"{verdict.status:6} {verdict.exercise}: {verdict.change}  {verdict.message[:150]}",
                        flush=True,
                    )
    table: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for one in verdicts:
        status = (
            {True: "equivalent", False: "ACCEPTED", None: "open"}[one.equivalent]
            if one.status == "ok"
            else one.status
        )
        table[one.lesson, one.exercise][status] += 1
    columns = ["wrong", "error", "todo", "raises", "equivalent", "open", "ACCEPTED", "crash", "hang", "dead"]
    print(f"{'exercise':34}", *(f"{column:>10}" for column in columns))
    for (number, exercise), counts in table.items():
        print(f"{number}.{exercise:32}", *(f"{counts[column]:10}" for column in columns))
    total = sum((counts for counts in table.values()), Counter())
    print(f"{'all ' + str(len(verdicts)):34}", *(f"{total[column]:10}" for column in columns))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
