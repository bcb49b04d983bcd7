"""A killed training goes on and ends with the weights of an undisturbed one; another one is refused."""

import errno
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

import training_helpers
from aircraft import InputError, training
from aircraft.training import checkpoints
from training_helpers import FAST, bars, digest, one_thread, tiny_net, train_tiny  # noqa: F401


def test_kill_9_and_resume_end_with_the_same_weights_as_an_undisturbed_run(tmp_path: Path) -> None:
    out, epochs = tmp_path / "killed", 12
    arguments = [str(out), json.dumps({"epochs": epochs})]
    victim = subprocess.Popen([sys.executable, training_helpers.__file__, *arguments])
    # history.csv is written before the checkpoint: three rows in it mean at least two epochs in the other.
    while not (out / "history.csv").exists() or len((out / "history.csv").read_text().splitlines()) < 4:
        assert victim.poll() is None
        time.sleep(0.005)
    os.kill(victim.pid, signal.SIGKILL)
    assert victim.wait() == -signal.SIGKILL
    done = len(checkpoints.read(out / "checkpoint.pt")["history"]["rows"])
    assert 2 <= done < epochs
    resumed, history = train_tiny(out, epochs=epochs, resume=True)
    undisturbed, expected = train_tiny(tmp_path / "undisturbed", epochs=epochs)
    assert history["loss"] == expected["loss"]
    assert digest(resumed) == digest(undisturbed)


class Interrupted(Exception):
    pass


@pytest.mark.parametrize(
    ("at", "settings"),  # the iterations are in the first, second and fourth epoch of four steps
    [
        (3, {}),
        (7, {"sampling": "balanced"}),
        (7, {"optimizer": "sgd", "lr": 0.05, "patience": 2}),
        (14, {"sampling": "hard", "ema": 0.9}),
    ],
    ids=str,
)
def test_an_interruption_changes_nothing(tmp_path: Path, at: int, settings: dict[str, Any]) -> None:
    options = {**FAST, "epochs": 4, **settings}
    whole = tiny_net()
    expected = training.fit(whole, bars(128), bars(64, 1), **options)

    broken = tiny_net()
    broken.register_forward_pre_hook(lambda module, _: break_at(module, at))
    with pytest.raises(Interrupted):
        training.fit(broken, bars(128), bars(64, 1), out=tmp_path, **options)
    # A new process builds the model anew; its weights do not matter once an epoch is complete.
    resumed = tiny_net(seed=0 if at <= 4 else 5)
    history = training.fit(resumed, bars(128), bars(64, 1), out=tmp_path, resume=True, **options)
    assert digest(resumed) == digest(whole)
    assert history.best_epoch == expected.best_epoch
    assert history["loss"] == expected["loss"]


def break_at(module: torch.nn.Module, at: int) -> None:
    if module.training:
        module.steps = getattr(module, "steps", 0) + 1  # type: ignore[assignment]
        if module.steps == at:
            raise Interrupted


def test_resuming_a_finished_run_trains_no_further(tmp_path: Path) -> None:
    model = tiny_net()
    history = training.fit(model, bars(128), bars(64, 1), out=tmp_path, epochs=2, **FAST)
    again = tiny_net(seed=9)
    assert training.fit(again, bars(128), bars(64, 1), out=tmp_path, resume=True, epochs=2, **FAST) == history
    assert digest(again) == digest(model)


def test_resuming_a_run_that_stopped_early_trains_no_further(tmp_path: Path) -> None:
    options = {**FAST, "epochs": 30, "patience": 1, "out": tmp_path}
    model = tiny_net()
    history = training.fit(model, bars(64), bars(64), **options)
    assert len(history) < 30
    assert training.fit(tiny_net(), bars(64), bars(64), resume=True, **options) == history


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    training.fit(tiny_net(), bars(128), bars(64, 1), out=out, epochs=2, **FAST)
    return out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"lr": 0.1}, "lr=0.005, now it is 0.1"),
        ({"seed": 4}, "seed=0, now it is 4"),
        ({"epochs": 3}, "epochs=2, now it is 3; use the old setting"),
        ({"sampling": "hard"}, "sampling='uniform', now it is 'hard'"),
    ],
    ids=str,
)
def test_other_settings_are_refused_by_name(run: Path, settings: dict[str, Any], words: str) -> None:
    before = (run / "checkpoint.pt").read_bytes()
    options = {**FAST, "epochs": 2, **settings}
    with pytest.raises(InputError) as caught:
        training.fit(tiny_net(), bars(128), bars(64, 1), out=run, resume=True, **options)
    assert words in str(caught.value)
    assert (run / "checkpoint.pt").read_bytes() == before


def test_other_data_and_another_model_are_refused(run: Path) -> None:
    options = {**FAST, "epochs": 2, "out": run, "resume": True}
    with pytest.raises(InputError, match="other train data"):
        training.fit(tiny_net(), bars(130), bars(64, 1), **options)
    with pytest.raises(InputError, match="other val data"):
        training.fit(tiny_net(), bars(128), bars(64, 2), **options)
    other = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(12288, 1), torch.nn.Flatten(0))
    with pytest.raises(InputError, match="another model"):
        training.fit(other, bars(128), bars(64, 1), **options)


def test_a_fresh_run_in_an_old_folder_forgets_the_old_one(run: Path) -> None:
    model = tiny_net()
    model.register_forward_pre_hook(lambda module, _: break_at(module, 2))
    with pytest.raises(Interrupted):
        training.fit(model, bars(128), bars(64, 1), out=run, epochs=2, **{**FAST, "seed": 7})
    assert len(checkpoints.read(run / "checkpoint.pt")["history"]["rows"]) == 0, "that of the old one is gone"
    with pytest.raises(InputError, match="seed=7, now it is 0"):  # as of the old one
        training.fit(tiny_net(), bars(128), bars(64, 1), out=run, resume=True, epochs=2, **FAST)
    resumed, whole = tiny_net(seed=3), tiny_net()  # the first weights are in the checkpoint too
    options = {**FAST, "epochs": 2, "seed": 7}
    training.fit(resumed, bars(128), bars(64, 1), out=run, resume=True, **options)
    training.fit(whole, bars(128), bars(64, 1), **options)
    assert digest(resumed) == digest(whole)


@pytest.mark.parametrize("run_", [None, 5, {}, {"settings": None}, {"settings": {}, "data": []}], ids=str)
def test_a_checkpoint_of_something_else_is_an_input_error(tmp_path: Path, run_: Any) -> None:
    torch.save({"run": run_}, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=r"checkpoint\.pt"):
        training.fit(tiny_net(), bars(128), bars(64, 1), out=tmp_path, resume=True, epochs=1, **FAST)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"], "nothing is written beside it"


@pytest.mark.parametrize("part", ["history", "best", "trainer", "sampler", "optimizer", "stopping"])
def test_a_checkpoint_with_a_foreign_part_is_an_input_error(run: Path, tmp_path: Path, part: str) -> None:
    training.fit(tiny_net(), bars(128), bars(64, 1), out=tmp_path, epochs=1, **FAST)
    state = checkpoints.read(tmp_path / "checkpoint.pt")
    torch.save(state | {part: [1, 2]}, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match=r"checkpoint\.pt: of another model, or damaged"):
        training.fit(tiny_net(), bars(128), bars(64, 1), out=tmp_path, resume=True, epochs=1, **FAST)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_in_place_of_a_checkpoint_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="no regular file"):
        checkpoints.read(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"half"])
def test_a_damaged_checkpoint_is_an_input_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"weights": torch.zeros(1000)}, path)
    path.write_bytes(path.read_bytes()[:2000] if content == b"half" else content)
    with pytest.raises(InputError, match="delete it to train afresh"):
        checkpoints.read(path)


def test_a_file_with_code_in_it_is_not_run(tmp_path: Path) -> None:
    torch.save({"run": Interrupted()}, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="not a readable checkpoint"):
        checkpoints.read(tmp_path / "checkpoint.pt")


def test_a_file_that_is_no_training_is_refused(tmp_path: Path) -> None:
    torch.save({"weights": torch.zeros(3)}, tmp_path / "checkpoint.pt")
    with pytest.raises(InputError, match="not a checkpoint of a training"):
        checkpoints.read(tmp_path / "checkpoint.pt")


def test_a_failed_write_leaves_the_old_checkpoint_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    path.write_text("old")
    with pytest.raises(AttributeError):
        checkpoints.write(path, {}, {"a part without a state": object()})
    assert [item.read_text() for item in tmp_path.iterdir()] == ["old"]


def test_a_kill_between_the_two_files_loses_no_row_of_the_history(tmp_path: Path) -> None:
    options = {**FAST, "epochs": 2, "out": tmp_path}
    whole = training.fit(tiny_net(), bars(128), bars(64, 1), **options)

    def killed(*_: object) -> None:
        raise Interrupted

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoints, "write", killed)
        with pytest.raises(Interrupted):
            training.fit(tiny_net(), bars(128), bars(64, 1), **options)
    training.fit(tiny_net(), bars(128), bars(64, 1), resume=True, **options)
    assert (tmp_path / "history.csv").read_text().count("\n") == 1 + len(whole)


def test_what_a_killed_writer_left_is_removed_by_the_next_training(tmp_path: Path) -> None:
    left = tmp_path / ".checkpoint.pt-x7d2.aircraft-part"
    left.write_bytes(b"half of a checkpoint")
    os.utime(left, (0, 0))
    training.fit(tiny_net(), bars(128), bars(64, 1), out=tmp_path, epochs=1, **FAST)
    assert not list(tmp_path.glob(".checkpoint*"))


def test_a_full_disk_is_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="the disk is full"):
        training.fit(tiny_net(), bars(128), bars(64, 1), out=tmp_path, epochs=1, **FAST)
    assert not (tmp_path / "checkpoint.pt").exists()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_full_disk_of_tensorboard_is_told_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tensorboard.summary.writer.record_writer import RecordWriter

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RecordWriter, "write", full)
    monkeypatch.setattr(RecordWriter, "flush", full)
    with pytest.raises(InputError, match="tensorboard: the disk is full"):
        training.fit(tiny_net(), bars(128), bars(64, 1), out=tmp_path, epochs=1, **FAST)


def test_one_changed_bit_of_a_checkpoint_is_noticed(tmp_path: Path) -> None:
    options = dict(out=tmp_path, epochs=2, **FAST)
    training.fit(tiny_net(), bars(128), bars(64, 1), **options)
    path = tmp_path / "checkpoint.pt"
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        weights = max(archive.infolist(), key=lambda entry: entry.file_size)
    name, extra = struct.unpack_from("<HH", whole, weights.header_offset + 26)
    start = weights.header_offset + 30 + name + extra
    for place in (0, weights.file_size // 2, weights.file_size - 1):
        content = bytearray(whole)
        content[start + place] ^= 64
        path.write_bytes(content)
        with pytest.raises(InputError, match="not a readable checkpoint"):
            checkpoints.read(path)
