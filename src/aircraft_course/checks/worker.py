"""The grader's child for one notebook: its kernel runs the cells, the judge in here runs the checks.

A line of JSON comes in, lines of JSON go out: the number of each cell before it runs, the results after it,
"bad" with the reason when a cell ends its kernel. watch.py watches from outside and ends it when it must.
"""

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing.connection import Listener
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat.v4 import new_code_cell, new_notebook, output_from_msg

from aircraft_course import checks
from aircraft_course.checks import kernels, sandbox, watch
from aircraft_course.checks.apart import JUDGE, Lost, Session
from aircraft_course.checks.core import Result, blamed, exercises_of

LONGEST = 2000  # characters of an error that are kept

# Run before the first cell, whose time it must not take.
CONNECT = "__import__('aircraft_course.checks.apart').checks.apart.connect()"


class Judge:
    """Listens for the checks that the kernel asks for, and keeps what they found."""

    def __init__(self, lesson: str, address: str | None) -> None:
        self.lesson, self.exercises = lesson, exercises_of(lesson)
        self.found: list[Result] = []
        self.listener = Listener(address, "AF_PIPE" if os.name == "nt" else "AF_UNIX")
        threading.stack_size(2**26)  # calls go to and fro: as deep as in a main thread
        threading.Thread(target=self._listen, daemon=True).start()

    def take(self) -> list[Result]:
        """What the checks found since the last time."""
        found, self.found = self.found, []
        return found

    def _listen(self) -> None:
        while True:
            with suppress(Exception), self.listener.accept() as connection:
                session = Session(connection, trusted=True)
                session.check = self._check
                with suppress(Lost):
                    session.listen()

    def _check(self, header: dict[str, Any], value: Any) -> dict[str, Any]:
        answers, named = value
        exercise = self.exercises.get(header["name"]) if header["lesson"] == self.lesson else None
        if exercise is None:
            return {"status": "todo", "message": f"not an exercise of {self.lesson}"}
        status, message = exercise.judge(tuple(answers), dict(named), lambda: bool(header["blank"]))
        self.found.append((exercise.name, status, message))
        return {"status": status, "message": message}


class _Client(NotebookClient):
    """Keeps the last error only: an endless `print` must not fill the memory."""

    def output(self, outs: list[Any], msg: Any, display_id: Any, cell_index: int) -> Any:
        if msg["msg_type"] == "error":
            content = msg["content"]
            content["evalue"], content["traceback"] = str(content["evalue"])[:LONGEST], []
            outs[:] = [output_from_msg(msg)]


def run(request: dict[str, Any], say: Any) -> None:
    """Run the cells of `request` in one kernel; `say` gets each line of the answer."""
    folder = Path(request["folder"])
    judge = Judge(request["lesson"], None if os.name == "nt" else str(folder / "run" / "judge"))
    env = sandbox.environment(folder, **{JUDGE: str(judge.listener.address)})
    codes = [CONNECT, *(code for _, code in request["cells"])]
    notebook = new_notebook(cells=[new_code_cell(code) for code in codes])
    client = kernels.client(
        notebook,
        folder=folder / "work",
        timeout=request["timeout"],
        allow_errors=True,
        kind=_Client,
        sockets=folder / "run",
        before=sandbox.bubblewrap(folder, request["hidden"]) if request["isolated"] else [],
    )
    watch.limit_this_process()
    with client.setup_kernel(env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        client.execute_cell(notebook.cells[0], 0)
        for index, (place, code) in enumerate(request["cells"], start=1):
            say({"cell": place})
            cell, death = notebook.cells[index], ""
            try:
                client.execute_cell(cell, index)
            except CellTimeoutError:
                death = f"its cell ran longer than {request['timeout']} s"
            except DeadKernelError:
                death = "its cell ended the kernel (out of memory, or a crash)"
            found = {one[0]: one for one in judge.take()}
            errors = [f"{output.ename}: {output.evalue}" for output in cell.outputs]
            why = death or " ".join(" ".join(errors).split())[:200]
            say({"results": [*found.values(), *blamed(code, set(judge.exercises) - found.keys(), why)]})
            if death:
                say({"bad": place})
                return
    say({"done": True})


def main() -> None:
    """Read the request, run it, and end whatever still runs."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what checks and libraries print is no answer
    watch.adopt_orphans()
    watch.shut_out_others()
    request = json.loads(sys.stdin.readline())
    os.environ.pop("AIRCRAFT_FAST", None)
    if request["fast"]:
        os.environ["AIRCRAFT_FAST"] = "1"  # for the checks and for the kernel
    checks.__path__ = [*checks.__path__, *request["paths"]]
    threading.Thread(target=watch.end_with, args=(sys.stdin,), daemon=True).start()
    try:
        # The secret shows that a line comes from here: another process might find this pipe.
        run(request, lambda line: print(request["secret"], json.dumps(line), file=out, flush=True))
    finally:
        watch.end_family(os.getpid())
    os._exit(0)  # a judge that waits for nothing must not hold it up


if __name__ == "__main__":
    main()
