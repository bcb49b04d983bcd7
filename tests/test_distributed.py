"""Two gloo processes under torchrun train what one process trains, and say so when one of them dies."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

import training_helpers
from aircraft import InputError
from aircraft.training import checkpoints, devices, engines, optimizers
from training_helpers import one_thread, train_tiny  # noqa: F401


def torchrun(out: Path, **arguments: Any) -> subprocess.CompletedProcess[str]:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command = [*launch, training_helpers.__file__, str(out), json.dumps(arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)


def test_two_processes_train_like_one_even_when_one_dies_and_the_job_is_resumed(tmp_path: Path) -> None:
    out = tmp_path / "two"
    dead = torchrun(out, epochs=3, die_at=12)  # the fourth step of the second epoch
    assert dead.returncode != 0
    assert "rank      : 1" in dead.stderr
    assert "exitcode  : 3" in dead.stderr
    assert len(checkpoints.read(out / "checkpoint.pt")["history"]["rows"]) == 1

    resumed = torchrun(out, epochs=3, resume=True)
    assert resumed.returncode == 0, resumed.stderr
    first, second = ((out / f"rank{rank}.json").read_text() for rank in (0, 1))
    assert first == second  # the same history and the same weights in both processes
    rows, _ = json.loads(first)
    _, alone = train_tiny(tmp_path / "one", epochs=3)
    for two, one in zip(rows, alone.rows, strict=True):
        assert two["AP"] == pytest.approx(one["AP"], abs=0.1)
        assert two["loss"] == pytest.approx(one["loss"], rel=0.15)
    assert rows[-1]["AP"] == pytest.approx(alone["AP"][-1], abs=0.03)
    assert (out / "history.csv").read_text().count("\n") == 4
    names = {path.name for path in out.iterdir()}
    assert names == {"checkpoint.pt", "history.csv", "tensorboard", "rank0.json", "rank1.json"}
    assert len(list((out / "tensorboard").iterdir())) == 2  # one writer for each of the two jobs


@pytest.mark.parametrize("counts", [(50, 51), (3, 1)])
def test_every_patch_is_judged_once_however_unequal_the_shares(
    counts: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    logits, labels = torch.from_numpy(rng.normal(size=sum(counts))).float(), torch.arange(sum(counts)) % 2
    parts = {"logits": logits.split(counts), "labels": labels.float().split(counts)}

    def all_gather(mine: list[torch.Tensor]) -> list[list[torch.Tensor]]:
        return [[share] for share in next(part for part in parts.values() if torch.equal(part[0], mine[0]))]

    monkeypatch.setattr(devices, "idist", SimpleNamespace(get_world_size=lambda: 2, all_gather=all_gather))
    evaluator = engines.create_evaluator(Identity(), optimizers.bce)
    ours = [(parts["logits"][0], parts["labels"][0], None)]  # a batch: what this process has of the patches
    found = evaluator.run(ours).metrics
    assert found == engines.ranking(labels.float(), logits, optimizers.bce)


class Identity(torch.nn.Module):
    """Its images are logits already."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images


def test_alone_parallel_does_nothing() -> None:
    with devices.parallel():
        assert not torch.distributed.is_initialized()
        assert devices.gather(torch.arange(3)).tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("message", "words"),
    [("[gloo/pair.cc:545] Connection reset by peer", "lost contact"), ("out of memory", "^out of memory")],
)
def test_a_lost_process_is_told_in_one_line_and_other_errors_pass(
    message: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fake = SimpleNamespace(
        initialize=lambda backend, timeout: calls.append(backend),
        finalize=lambda: calls.append("finalize"),
        get_rank=lambda: 0,
    )
    monkeypatch.setattr(devices, "idist", fake)
    job = {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "9"}
    for name, value in job.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(RuntimeError, match=words), devices.parallel():
        raise RuntimeError(message)
    assert calls == ["nccl" if torch.cuda.is_available() else "gloo", "finalize"]


@pytest.mark.parametrize(
    "environment",
    [
        {"WORLD_SIZE": "2"},
        {"WORLD_SIZE": "two"},
        {"WORLD_SIZE": "2", "RANK": "x", "LOCAL_RANK": "0"},
        {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0"},
        {"WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "x"},
        {"WORLD_SIZE": "2", "RANK": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "localhost", "MASTER_PORT": "9"},
    ],
    ids=str,
)
def test_an_incomplete_environment_of_a_job_is_told(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=r"WORLD_SIZE=(two|2), ") as told, devices.parallel():
        pass
    assert "start it by torchrun" in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("capability", "dtype"), [((7, 5), None), ((8, 0), torch.bfloat16)])
def test_a_gpu_computes_in_the_precision_that_it_is_made_for(
    capability: tuple[int, int], dtype: torch.dtype | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert devices.amp_dtype("auto", torch.device("cuda")) == dtype
    assert devices.amp_dtype("off", torch.device("cuda")) is None


def test_a_device_that_the_job_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = SimpleNamespace(get_world_size=lambda: 2, device=lambda: torch.device("cpu"))
    monkeypatch.setattr(devices, "idist", fake)
    assert devices.choose("auto") == devices.choose("cpu") == torch.device("cpu")
    with pytest.raises(InputError, match="does not fit a job of several processes"):
        devices.choose("cuda")
