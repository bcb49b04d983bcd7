"""Run a solution and make its outputs equal at every run: no times, addresses or widgets, small pictures."""

import base64
import copy
import io
import json
import os
import platform
import re
import tempfile
import time
from importlib import metadata as packages
from pathlib import Path

import nbformat
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from PIL import Image

from aircraft_course.checks import kernels

CELL_TIMEOUT = 900  # seconds; what a cell may last is up to the author of the lesson
LIMIT = 1_000_000  # bytes of an executed notebook
WIDGET = "application/vnd.jupyter.widget-view+json"


class ExecutionError(Exception):
    """A solution does not run through, or its notebook is too large."""


def execute(notebook: NotebookNode, name: str, *, fast: bool, times: Path) -> NotebookNode:
    """`notebook` with outputs; the seconds of each cell go to the file `times`. Raises ExecutionError."""
    metadata = copy.deepcopy(notebook.metadata)
    seconds: dict[int, float] = {}

    def started(cell: NotebookNode, cell_index: int) -> None:
        seconds[cell_index] = -time.perf_counter()

    def ended(cell: NotebookNode, cell_index: int, execute_reply: object) -> None:
        seconds[cell_index] += time.perf_counter()

    with tempfile.TemporaryDirectory() as folder:  # elsewhere, which proves that no lesson needs its folder
        client = kernels.client(
            notebook,
            folder=Path(folder),
            timeout=CELL_TIMEOUT,
            on_cell_execute=started,
            on_cell_executed=ended,  # on_cell_complete comes when the cell has been sent
        )
        try:
            client.execute(env=kernels.environment(AIRCRAFT_FAST="1" if fast else None))
        except CellExecutionError as error:
            where = notebook.cells[max(seconds)].id
            report = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
            raise ExecutionError(
                f"{name}: cell {where!r} of the solution fails: {error.ename}: {error.evalue}\n{report}"
            ) from None
        except (CellTimeoutError, DeadKernelError) as error:
            where = notebook.cells[max(seconds)].id
            raise ExecutionError(f"{name}: cell {where!r} of the solution: {error}") from None
    notebook.metadata = metadata  # a kernel writes its Python into it
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [tidy(output) for output in cell.outputs if _is_kept(output)]
    _write_times(notebook, seconds, times)
    return notebook


def text(notebook: NotebookNode, name: str) -> str:
    """The file of a notebook. Raises ExecutionError for one that is larger than LIMIT."""
    written = nbformat.writes(notebook, version=4) + "\n"
    if (size := len(written.encode())) > LIMIT:
        cells = sorted(notebook.cells, key=lambda cell: len(json.dumps(cell)), reverse=True)[:3]
        largest = ", ".join(f"{cell.id} ({len(json.dumps(cell)) / 1e3:.0f} kB)" for cell in cells)
        raise ExecutionError(f"{name}: {size / 1e6:.2f} MB, more than 1 MB; the largest cells are {largest}")
    return written


def tidy(output: NotebookNode) -> NotebookNode:
    """An output without addresses of memory, its picture in as few bytes as 256 colours allow."""
    if "text" in output:
        output["text"] = _without_addresses(output["text"])
    for kind, value in output.get("data", {}).items():
        if kind == "image/png":
            output["data"][kind] = small_png(value)
        elif isinstance(value, str):
            output["data"][kind] = _without_addresses(value)
    return output


def small_png(encoded: str) -> str:
    """A picture in base64, with a palette of 256 colours where that saves a quarter; equal at every run.

    MAXCOVERAGE keeps rare colours, such as the thin frames around patches.
    """
    given = base64.b64decode(encoded)
    image: Image.Image = Image.open(io.BytesIO(given))
    if image.mode in ("RGBA", "LA"):
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    image = image.convert("RGB")
    plain, palette = (
        _png(image),
        _png(image.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)),
    )
    return base64.b64encode(palette if len(palette) < 0.75 * len(plain) else plain).decode()


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _is_kept(output: NotebookNode) -> bool:
    return output.get("name") != "stderr" and WIDGET not in output.get("data", {})


def _without_addresses(value: str) -> str:
    return re.sub(r"\b0x[0-9a-fA-F]{6,}", "0x...", value)


def _write_times(notebook: NotebookNode, seconds: dict[int, float], path: Path) -> None:
    cells = [
        {
            "cell": cell.id,
            "seconds": round(seconds[index], 2),
            "code": cell.source.strip().split("\n")[0][:60],
        }
        for index, cell in enumerate(notebook.cells)
        if index in seconds
    ]
    threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1))
    machine = {"threads": threads, "torch": packages.version("torch"), "python": platform.python_version()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"machine": machine, "cells": cells}, indent=1) + "\n", encoding="utf-8")
