"""The folder of a run: who works in it, and when what an earlier run left in it goes."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from aircraft import PART, InputError, disk_errors, replacing, sweep
from aircraft.training import checkpoints, devices

MODEL, METRICS, HISTORY = "model.safetensors", "metrics.json", "history.csv"
DEMO, REPORT = "demo.json", "index.html"
# What a run draws; and reliability, which runs of before have.
DRAWN = "learning_curves confusion_matrix roc precision_recall scores reliability misclassified counts"
FIGURES = [f"figures/{name}.png" for name in (*DRAWN.split(), "samples_*", "tiles*", "tile_[0-9]*")]
KEPT = {MODEL, checkpoints.NAME, HISTORY}  # until the new ones exist


@dataclass(frozen=True)
class Claim:
    """A folder that nobody else trains in, and the files of an earlier run in it that may be replaced."""

    folder: Path
    resume: bool
    demo: bool
    earlier: list[Path]

    def begin(self) -> None:
        """All was checked, and the training begins."""
        if self.demo and devices.is_first():  # or the next demo would not know it, if we are killed
            with replacing(self.folder / DEMO) as file:
                file.write(json.dumps({"finished": False, "report": REPORT}).encode())

    def clear(self) -> None:
        """The new model is there in a moment: remove the results of the earlier one."""
        for path in self.earlier:
            if path.name not in KEPT and not (self.demo and path.name == DEMO):
                path.unlink(missing_ok=True)


@contextmanager
def claim(folder: Path, *, resume: bool = False, force: bool = False, demo: bool = False) -> Iterator[Claim]:
    """Hold the folder of a run until the end of the `with`, for all processes of a job.

    Raises InputError where another one holds it, where nothing can be written, and where there is a run, or a
    file with a name of one, that neither `resume` nor `force` gives to us. A demo replaces an earlier demo.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; name a folder for the run")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    lock, holder, who = FileLock(folder / ".aircraft-lock", timeout=0), folder / ".aircraft-holder", "another"
    try:
        if devices.is_first():
            with disk_errors(folder, "or name another folder"):
                folder.mkdir(parents=True, exist_ok=True)
                lock.acquire()
                holder.write_text(f"process {os.getpid()} on {platform.node()}, since {datetime.now():%c}")
            for leftover in (*folder.glob(f".*{PART}"), *folder.glob(f"figures/.*{PART}")):
                sweep(leftover)  # of killed processes
        earlier = _look(folder, resume, force, demo)
        if earlier and not resume:  # TensorBoard would draw two trainings as one
            earlier += folder.glob("tensorboard/events.out.tfevents.*")
        yield Claim(folder, resume, demo, earlier)
    except Timeout:
        with suppress(OSError):
            who = holder.read_text()
        raise InputError(f"{folder}: a training is at work in it ({who}); name another folder") from None
    finally:
        with suppress(OSError):  # Windows removes no open file; a folder in which something was written stays
            if lock.is_locked:
                holder.unlink()
                Path(lock.lock_file).unlink()
            lock.release()
            for path in made:
                path.rmdir()


def _look(folder: Path, resume: bool, force: bool, demo: bool) -> list[Path]:
    """The files with names of ours, or InputError where they are not to be replaced."""
    found = [path for name in (*KEPT, METRICS, DEMO, REPORT, *FIGURES) for path in folder.glob(name)]
    wrong = [
        path for path in (folder / "figures", folder / "tensorboard") if path.exists() and not path.is_dir()
    ]
    for path in (*(path for path in found if not path.is_file()), *wrong):
        raise InputError(f"{path} is in the way and cannot be replaced; remove it, or name another folder")
    held = {path.name for path in found}
    of_demo = False
    with suppress(Exception):  # not there, or not what `aircraft demo` writes
        of_demo = str(json.loads((folder / DEMO).read_bytes())["report"]).endswith(REPORT)
    if force or not found or (demo and of_demo):
        return found
    if resume and DEMO not in held and (checkpoints.NAME in held or held <= {HISTORY, REPORT}):
        return [path for path in found if path.name != REPORT]  # which a training does not write
    what = "a run" if held & {MODEL, checkpoints.NAME} else f"{found[0].name}, as a run does"
    way = "--force" if demo or resume else "--resume or --force"
    raise InputError(f"{folder} already holds {what}; name another folder, or give {way}")
