"""The folder of a run: nothing is lost by a typo or a kill, two trainings do not share one, no residue."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from aircraft import InputError, datasets
from aircraft.cli import folders, runs
from aircraft.patches import Patches
from aircraft.training import checkpoints
from cli_helpers import Outcome, aircraft
from training_helpers import bars, one_thread  # noqa: F401

QUICK = ("--epochs", "1", "--batch-size", "32", "--device", "cpu", "--model", "toy_cnn", "--no-progress")
HOLDS = """
import sys
from pathlib import Path
from aircraft.cli import folders
with folders.claim(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
Run = Callable[..., Outcome]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of patches."""
    file = tmp_path_factory.mktemp("data") / "bars.npz"
    parts = []
    for split, count in (("train", 160), ("test", 64)):
        found = bars(count, seed=count)
        parts.append(Patches(found.images, found.labels, np.array([f"{split}{i % 8}" for i in range(count)])))
    datasets.export_npz(datasets.PatchSet("bars", "bars", *parts), file)
    return file


@pytest.fixture
def train(data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`aircraft train` on them, into one folder."""
    return lambda *words: aircraft(capsys, "train", "--out", tmp_path / "run", "--data", data, *QUICK, *words)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def interrupt(*_: Any, **__: Any) -> None:
    raise KeyboardInterrupt


TYPOS = [
    ("--model", "nix"), ("--device", "nix"), ("--batch-size", "141"), ("--data", "absent.npz"),
    ("--data", "nix"), ("--scale", "0"), ("--lr", "-1"),
    ("--data", "toy", "--source", "airbus", "--root", "nowhere"), ("--data", "toy", "--batch-size", "9999"),
]  # fmt: skip


def test_a_typo_loses_nothing(train: Run, tmp_path: Path) -> None:
    assert train().code == 0
    before = contents(tmp_path)
    for typo in TYPOS:
        outcome = train("--force", *typo)
        assert (outcome.code, len(outcome.lines)) == (2, 1), outcome.err
        assert contents(tmp_path) == before, typo


@pytest.mark.parametrize("typo", TYPOS, ids=str)
def test_a_refused_training_leaves_no_folder(train: Run, tmp_path: Path, typo: tuple[str, ...]) -> None:
    assert train("--out", tmp_path / "new" / "deep", *typo).code == 2
    assert not (tmp_path / "new").exists()


def test_a_forced_run_that_is_killed_leaves_the_old_model_and_resumes_as_the_new_run(
    train: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    assert train().code == 0
    before = contents(run)
    with monkeypatch.context() as patch:
        patch.setattr("aircraft.training.engines.ranking", interrupt)  # at the end of the first epoch
        assert train("--force", "--seed", "5").code == 130
    after = contents(run)
    for name in before:
        assert name.startswith(("tensorboard", "checkpoint")) or after[name] == before[name], name
    assert checkpoints.read(run / "checkpoint.pt")["run"]["settings"]["seed"] == 5
    outcome = train("--resume")
    assert (outcome.code, "seed=5, now it is 0" in outcome.err) == (2, True)
    assert train("--resume", "--seed", "5").code == 0
    assert train("--out", tmp_path / "whole", "--seed", "5").code == 0
    one, other = (checkpoints.read(tmp_path / name / "checkpoint.pt")["model"] for name in ("run", "whole"))
    assert all(torch.equal(one[key], other[key]) for key in one)


def test_beside_a_new_model_stands_nothing_of_the_old_run(
    train: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    assert train().code == 0
    old = contents(run)
    ours = ["index.html", "figures/tile_07.png", "figures/samples_aircraft.png", "figures/roc.png"]
    for name in (*ours, "notes.txt", "figures/mine.png"):
        (run / name).write_text("old")
    (run / "demo.json").write_text('{"report": "index.html"}')
    with monkeypatch.context() as patch:
        patch.setattr("aircraft.cli.runs.write_json", interrupt)
        assert train("--force", "--seed", "5").code == 130
    left = contents(run)
    assert left["model.safetensors"] != old["model.safetensors"]
    assert not {*ours, "metrics.json", "demo.json"} & set(left)
    assert left["notes.txt"] == left["figures/mine.png"] == b"old"
    events = [name for name in left if name.startswith("tensorboard")]
    assert len(events) == 1
    assert events[0] not in old


def test_a_demo_replaces_a_demo_only(train: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train().code == 0
    before = contents(tmp_path)
    words = ("demo", "--out", tmp_path / "run", "--source", "airbus", "--root", tmp_path / "nowhere")
    refused = aircraft(capsys, *words)
    assert (refused.code, len(refused.lines)) == (2, 1)
    assert refused.err.endswith("already holds a run; name another folder, or give --force\n")
    assert "no such folder" in aircraft(capsys, *words, "--force").err
    assert contents(tmp_path) == before
    (tmp_path / "run/demo.json").write_text('{"report": "run/index.html"}')
    assert "no such folder" in aircraft(capsys, *words).err, "an earlier demo would be replaced"
    assert "already holds" in train("--resume").err, "the report of the demo would go"


def test_a_demo_that_was_killed_is_replaced_by_the_next(tmp_path: Path) -> None:
    with folders.claim(tmp_path, demo=True) as place:
        place.begin()
        (tmp_path / "checkpoint.pt").touch()
    with folders.claim(tmp_path, demo=True) as place:
        assert {path.name for path in place.earlier} == {"checkpoint.pt", "demo.json"}
    with pytest.raises(InputError, match="already holds a run"), folders.claim(tmp_path):
        pass


def test_two_trainings_do_not_share_a_folder(train: Run, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with folders.claim(run):
        for words in ((), ("--resume",), ("--force",)):
            outcome = train(*words)
            assert (outcome.code, len(outcome.lines)) == (2, 1)
            assert f"process {os.getpid()} on " in outcome.err
        with pytest.raises(InputError, match="is at work in it"), folders.claim(run, demo=True):
            pass
        assert len(contents(run)) == 2, "lock and holder"
    assert not run.exists()
    assert train().code == 0
    assert not list(run.glob(".*")), "no residue"
    with folders.claim(run, force=True):  # it holds a run as well: what cannot be helped is said first
        assert f"process {os.getpid()} on " in train().err


@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
def test_a_kill_frees_the_folder(train: Run, tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS, tmp_path / "run"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    assert f"process {holder.pid} on" in train().err
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert train().code == 0
    assert not list((tmp_path / "run").glob(".*"))


def test_what_killed_runs_left_is_swept(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    left = [tmp_path / ".checkpoint.pt-x.aircraft-part", tmp_path / "figures/.tile_99.png-x.aircraft-part"]
    for path in left:
        path.touch()
        os.utime(path, (0, 0))
    with folders.claim(tmp_path):
        assert not any(path.exists() for path in left)


@pytest.mark.parametrize(
    "name", ["metrics.json", "history.csv", "checkpoint.pt", "model.safetensors", "index.html"]
)
@pytest.mark.parametrize("make", [Path.mkdir, *([os.mkfifo] if hasattr(os, "mkfifo") else [])])
@pytest.mark.parametrize("way", [{}, {"force": True}, {"resume": True}, {"demo": True}], ids=str)
def test_what_cannot_be_replaced_is_told_before_the_training(
    tmp_path: Path, name: str, make: Callable[[Path], None], way: dict[str, bool]
) -> None:
    make(tmp_path / name)
    with pytest.raises(InputError, match=f"{name} is in the way"), folders.claim(tmp_path, **way):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["tensorboard", "figures"])
def test_a_file_in_place_of_a_folder_is_told_before_the_training(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(InputError, match=f"{name} is in the way"), folders.claim(tmp_path, force=True):
        pass


@pytest.mark.parametrize(
    "name", ["index.html", "metrics.json", "demo.json", "history.csv", "figures/roc.png"]
)
@pytest.mark.parametrize("demo", [False, True])
def test_files_of_others_are_not_replaced(tmp_path: Path, name: str, demo: bool) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("[]")
    with pytest.raises(InputError, match="already holds"), folders.claim(tmp_path, demo=demo):
        pass
    with folders.claim(tmp_path, demo=demo, force=True) as place:
        assert place.earlier == [tmp_path / name]


def test_the_size_is_known_before_anything_is_rendered() -> None:
    assert runs.Data("toy", scale=0.1).most() == 260
    assert runs.Data("x.npz").most() == runs.Data("toy", "x.npz").most() == sys.maxsize
