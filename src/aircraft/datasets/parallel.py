"""One function over many jobs, on all cores, with a progress bar; the results come in the order of the jobs.

joblib's loky starts clean processes: safe beside torch, and it works from a notebook, `python -c` and a
script without an `if __name__ == "__main__"` guard, since it does not import the main module again.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from typing import TypeVar

import cv2
import joblib
from tqdm.auto import tqdm

IDLE = 30  # seconds after which a worker without work ends

Job = TypeVar("Job")
Result = TypeVar("Result")


def run(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    *,
    description: str,
    workers: int | None = None,
    progress: bool = True,
) -> Iterator[Result]:
    """Yield function(job) for each job. `function` must be importable; what it raises is raised here.

    workers: processes; None for one a core that this process may use; 1 works in this process.
    """
    workers = min(workers or joblib.cpu_count(), len(jobs))
    results = map(function, jobs) if workers <= 1 else _in_processes(function, jobs, workers)
    yield from tqdm(results, description, len(jobs), disable=not progress, leave=False, unit="scene")


def _in_processes(function: Callable[[Job], Result], jobs: Sequence[Job], workers: int) -> Iterator[Result]:
    pool = joblib.Parallel(
        n_jobs=workers, return_as="generator", batch_size=1, max_nbytes=None, idle_worker_timeout=IDLE
    )
    try:
        yield from pool(joblib.delayed(_in_worker)(function, job, os.getpid()) for job in jobs)
    except BrokenProcessPool as error:
        raise RuntimeError(
            "a worker process was killed, most likely for lack of memory; give workers=1"
        ) from error


def _in_worker(function: Callable[[Job], Result], job: Job, parent: int) -> Result:  # pragma: no cover
    _end_with(parent)
    cv2.setNumThreads(1)  # there is a process for each core already
    return function(job)


@cache  # once a worker
def _end_with(parent: int) -> None:  # pragma: no cover  (only workers run this)
    """End this worker when its parent was killed; it would wait for ever to hand over its result."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
