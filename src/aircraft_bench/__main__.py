"""`python -m aircraft_bench`: how fast and how large, beside the plain way of doing the same."""

import sys
from pathlib import Path
from typing import Annotated, Literal

from typer import Argument, Option, Typer

from aircraft import cli
from aircraft.cli.options import Answer, Json, Progress, Root, Source

app = Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)  # fmt: skip
What = Literal["startup", "detection", "rendering", "scale", "ingredients", "learning", "all"]


@app.command()
def bench(
    what: Annotated[What, Argument(help="Which benchmark.")] = "all",
    source: Source = "synthetic",
    root: Root = None,
    seeds: Annotated[int, Option(min=1, metavar="N", help="Trainings of each contender.")] = 3,
    repeats: Annotated[int, Option(min=1, metavar="N", help="Repetitions of short measurements.")] = 7,
    quick: Annotated[bool, Option("--quick", help="Small sizes, in two minutes: no result.")] = False,
    out: Annotated[
        Path, Option(metavar="DIR", help="Folder for bench.json and bench.md; other parts in it stay.")
    ] = Path("outputs/bench"),
    progress: Progress = True,
    json: Json = False,
) -> Answer:
    """Measure the package on this machine: medians, ratios and their spread.

    Leave the machine alone meanwhile. The full learning benchmark takes hours, the others minutes.
    """
    from aircraft_bench import suite, tables
    from aircraft_bench.options import Options

    options = Options(out, source, root, seeds, repeats, quick, progress)
    names = list(suite.PARTS) if what == "all" else [what]
    values = suite.run(names, options)
    measured = {name: values["parts"][name] for name in suite.PARTS if name in names}
    text = f"{tables.page(measured)}\nnext: look at {out / tables.MARKDOWN}, or {out / tables.JSON}"
    return Answer(values, text, json)


if __name__ == "__main__":
    sys.exit(cli.run(sys.argv[1:], app, "python -m aircraft_bench"))
