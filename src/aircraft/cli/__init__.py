"""The command `aircraft`: hands a command line to a module of this folder and prints its answer."""

import json
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout, suppress
from typing import Annotated, Any

import typer

from aircraft import InputError, LostProcess, __version__, quoted
from aircraft.cli import data, demo, detect, evaluate, export, streams, train
from aircraft.cli.options import Answer

DONE, FAULT, BAD_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143

# Recent versions of typer bring their own copy of click: its classes are reached by way of their children.
UsageError: type[Exception] = typer.BadParameter.__bases__[0]

NO_MEMORY = ("can't allocate memory", "out of memory")  # so says torch, without a MemoryError
LESS = dict.fromkeys(("train", "demo"), "--batch-size or --scale") | {"detect": "--block", "data": "--scale"}

app = typer.Typer(
    name="aircraft",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback(invoke_without_command=True)
def aircraft(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,
) -> Any:
    """Find and count aircraft on satellite images of 1 m per pixel.

    Begin with: aircraft demo. Exit codes: 0 done, 2 wrong use or bad input, 1 a fault of ours.
    """
    if version:
        print(__version__)
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


for command in (data.data, train.train, evaluate.evaluate, detect.detect, export.export, demo.demo):
    app.command()(command)


def main() -> None:
    """Entry point: run the words behind `aircraft` and end the process with the exit code."""
    signal.signal(signal.SIGTERM, _terminated)
    threading.excepthook = lambda _: None  # what a thread dies of is told by the one who waits for it
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str], commands: typer.Typer = app, name: str = "aircraft") -> int:
    """Run one command, print its answer, return the exit code. Whatever goes wrong is one line on stderr."""
    os.environ["MPLBACKEND"] = "agg"  # figures go to files: no window, no display
    alone = "--json" in arguments and not {"-h", "--help"} & set(arguments)
    with streams.unbreakable():
        try:  # with --json, whatever a library prints while we work goes to standard error
            with redirect_stdout(sys.stderr) if alone else nullcontext(), warnings.catch_warnings():
                # A warning is one line, without the place in the code that gave it.
                warnings.showwarning = lambda message, *_, **__: _say(f"note: {message}")
                command = typer.main.get_command(commands)
                answer = command(list(arguments), prog_name=name, standalone_mode=False)
            if answer == INTERRUPTED:  # so does a newer typer tell of Ctrl-C; older ones raise
                raise KeyboardInterrupt
            if isinstance(answer, Answer):
                _print(answer)
                if answer.failed:
                    raise InputError(answer.failed)
            sys.stdout.flush()
            return DONE
        except (KeyboardInterrupt, typer.Abort):
            more = ", `aircraft train --resume` goes on with a training" if "train" in arguments else ""
            _say(f"interrupted; what was written is whole{more}")
            return INTERRUPTED
        except Exception as error:
            code, line = explain(error, next((LESS[word] for word in arguments if word in LESS), ""))
            if "--debug" in arguments or os.environ.get("AIRCRAFT_DEBUG", "") not in ("", "0"):
                traceback.print_exc()
            _say(line)
            return code


def explain(error: Exception, smaller: str = "") -> tuple[int, str]:
    """Exit code and one line for an error; an error of a file or an option names it. smaller: see LESS."""
    if isinstance(error, UsageError):
        context = getattr(error, "ctx", None)
        name = context.command_path if context else "aircraft"
        said = error.format_message().replace("Value error, ", "").rstrip(".")  # type: ignore[attr-defined]
        return BAD_INPUT, f"{said}; see `{name} --help`"
    if isinstance(error, OSError) and error.strerror:
        return BAD_INPUT, f"{error.filename or 'a file or the system'}: {error.strerror}"
    if isinstance(error, InputError | FileNotFoundError):
        return BAD_INPUT, str(error)
    if isinstance(error, MemoryError) or any(words in str(error) for words in NO_MEMORY):
        return BAD_INPUT, f"out of memory; try {smaller and f'a smaller {smaller}, or '}a machine with more"
    if isinstance(error, LostProcess):
        return FAULT, str(error)
    what = f"{type(error).__name__}: {error}"
    return FAULT, f"this is a fault of aircraft, please report it ({what}); `aircraft --debug ...` shows more"


def _print(answer: Answer) -> None:
    if _rank() == 0:  # of the processes of a torchrun job, one speaks
        text = "\n".join(map(quoted, answer.text.split("\n")))
        print(json.dumps(answer.values, allow_nan=False) if answer.as_json else text)


def _say(line: str) -> None:
    who = f"aircraft (rank {_rank()})" if _rank() else "aircraft"
    print(f"{who}: {quoted(' '.join(line.split()))}", file=sys.stderr)


def _rank() -> int:
    """Which process of a torchrun job this is; what is no number of a job counts as alone."""
    rank, world = (os.environ.get(name, "") for name in ("RANK", "WORLD_SIZE"))
    return int(rank) if rank.isdecimal() and world.isdecimal() and int(rank) < int(world) else 0


def _terminated(*_: object) -> None:
    """Handler of SIGTERM, by which torchrun stops the other processes when one of a job has died."""
    line = "aircraft: stopped; run the same command with --resume to go on with a training"
    if "RANK" in os.environ:
        line += "; another process of the job died (torchrun names it as root cause) or the job was cancelled"
    with suppress(OSError):  # nobody may listen
        os.write(2, f"{line}\n".encode())  # not print: it may be at work, and cannot be entered twice
    sys.exit(TERMINATED)  # unwinds: half-written files are removed
