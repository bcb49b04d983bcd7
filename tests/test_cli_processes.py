"""The command line in processes of its own: start-up, the true renderer, and many processes by torchrun."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from aircraft import datasets, models, patches
from cli_helpers import aircraft, crosses

LAUNCHER = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "aircraft")


def test_help_does_not_import_what_is_slow(tmp_path: Path) -> None:
    code = (
        "import sys; from aircraft.cli import run; run(['train', '--help']); "
        "print({'torch', 'sklearn', 'matplotlib', 'rasterio', 'cv2', 'scipy', 'numpy'} & set(sys.modules))"
    )
    assert _python("-c", code, cwd=tmp_path).stdout.endswith("set()\n")


def test_a_reader_who_goes_away_is_no_fault(tmp_path: Path) -> None:
    code = (
        "from aircraft import cli; answer = cli.Answer(values={}, text='found 3', as_json=False); "
        "cli.typer.main.get_command = lambda app: lambda *_, **__: answer; raise SystemExit(cli.run([]))"
    )
    reader, writer = os.pipe()
    os.close(reader)  # as when `aircraft ... | head` has seen enough
    done = subprocess.run(
        [sys.executable, "-u", "-c", code], cwd=tmp_path, stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


ANSWER = r"""
import sys
from aircraft import cli
answer = cli.Answer(values={}, text="found 3 in \u98de\udcff", as_json=False)
def command(*_, **__):
    print("at work", file=sys.stderr)
    return answer
cli.typer.main.get_command = lambda app: command
cli.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix")
@pytest.mark.parametrize(
    ("words", "code", "out", "err"),
    [
        ("", 0, "found 3 in \u98de\\udcff\n", "at work\n"),
        ("2>&-", 0, "found 3 in \u98de\\udcff\n", ""),
        ("2>/dev/full", 0, "found 3 in \u98de\\udcff\n", ""),
        ("<&-", 0, "found 3 in \u98de\\udcff\n", "at work\n"),
        (">/dev/full", 2, "", "at work\naircraft: standard output: No space left on device\n"),
        (">&-", 2, "", "at work\naircraft: standard output: Bad file descriptor\n"),
        (">&- 2>&- <&-", 2, "", ""),
        (">/dev/full 2>/dev/full", 2, "", ""),
    ],
)
def test_no_stream_breaks_a_command(tmp_path: Path, words: str, code: int, out: str, err: str) -> None:
    shell = ["sh", "-c", f'"$0" -c "$1" {words}', sys.executable, ANSWER]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(shell, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (code, out, err)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "ascii:strict"])
def test_what_a_terminal_cannot_show_is_written_out(tmp_path: Path, encoding: str) -> None:
    done = _python("-c", ANSWER, cwd=tmp_path, PYTHONIOENCODING=encoding)
    assert (done.returncode, done.stdout) == (0, "found 3 in \\u98de\\udcff\n")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of Unix")
def test_help_onto_a_full_disk_or_to_nobody(tmp_path: Path) -> None:
    for words, code, err in (
        (">/dev/full", 2, "aircraft: standard output: No space left on device\n"),
        ("| true; exit ${PIPESTATUS[0]}", 0, ""),
    ):
        shell = ["bash", "-c", f'"$0" -m aircraft --help {words}', sys.executable]
        done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (code, "", err)


@pytest.mark.slow
def test_the_real_thing_in_a_process_of_its_own(tmp_path: Path) -> None:
    """The true renderer on all cores, one epoch, the report; nothing but JSON on standard output."""
    words = ["demo", "--scale", "0.005", "--epochs", "1", "--batch-size", "32", "--out", "here", "--json"]
    done = _python("-m", "aircraft", *words, cwd=tmp_path, AIRCRAFT_DATA=str(tmp_path / "cache"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["report"] == "here/index.html"
    assert (tmp_path / "here" / "index.html").stat().st_size > 1e6
    assert "building imbalanced" in done.stderr, "progress bars are on standard error"


@pytest.mark.slow
def test_two_processes_give_the_result_of_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """torchrun shares training, prediction and images; the first process prints and writes."""
    parts = [_patches(sites) for sites in (range(12), range(12, 18))]
    datasets.export_npz(datasets.PatchSet("crosses", "crosses", *parts), tmp_path / "crosses.npz")
    images = tmp_path / "images"
    images.mkdir()
    for number in range(3):
        Image.fromarray(crosses(70, number).image[:256, :256]).save(images / f"{number}.png")
    torch.set_num_threads(1)

    learn = ("--epochs", "3", "--batch-size", "32", "--lr", "0.005", "--device", "cpu")
    train = ["train", "--data", str(tmp_path / "crosses.npz"), *learn, "--json", "--no-progress"]
    one = aircraft(capsys, *train, "--out", tmp_path / "one").json
    two = _torchrun(*train, "--out", "two", cwd=tmp_path)
    assert two["n"] == one["n"]
    assert two["AP"] == pytest.approx(one["AP"], abs=0.05)

    detect = ["detect", str(tmp_path / "one"), str(images), "--json", "--no-progress"]
    alone = aircraft(capsys, *detect, "--out", tmp_path / "alone").json
    both = _torchrun(*detect, "--out", "both", cwd=tmp_path)
    assert [i["count"] for i in both["images"]] == [i["count"] for i in alone["images"]]
    for file in (tmp_path / "alone").glob("*.json"):
        assert (tmp_path / "both" / file.name).read_text() == file.read_text()

    # One image for two processes: they share its blocks.
    detect[2:3] = [str(images / "0.png"), "--block", "128"]
    one_image = _torchrun(*detect, "--out", "blocks", cwd=tmp_path)
    assert one_image["count"] == alone["images"][0]["count"]
    assert (tmp_path / "blocks/0.json").read_text() == (tmp_path / "alone/0.json").read_text()


SHARED = """
import os, sys
import numpy as np
from PIL import Image
from aircraft import InputError, cli, imagery
rank, read = os.environ["RANK"], imagery.ArrayImage.read
def fail(self, *window):
    if self.name == "b.png" and rank == "1":
        raise InputError("b.png: damaged in the part of one process")
    return read(self, *window)
imagery.ArrayImage.read = fail
imagery.open_image = lambda path, **how: imagery.ArrayImage(np.asarray(Image.open(path)), path.name)
sys.exit(cli.run(sys.argv[1:]))
"""


@pytest.mark.slow
def test_an_image_that_one_of_its_processes_cannot_read_does_not_hang_the_others(tmp_path: Path) -> None:
    torch.manual_seed(0)
    models.save(models.build("patch_net", width=2), tmp_path / "model.safetensors", threshold=0.5)
    for name in ("a", "b"):  # fewer images than processes: they share the blocks of each
        Image.fromarray(crosses(70).image[:300, :300]).save(tmp_path / f"{name}.png")
    (tmp_path / "job.py").write_text(SHARED)
    words = ("detect", "model.safetensors", "a.png", "b.png", "--out", "out", "--block", "128", "--json")
    launch = (*LAUNCHER[:3], "--nproc-per-node=3", "job.py")
    done = _python(*launch, *words, "--no-progress", cwd=tmp_path, OMP_NUM_THREADS="1")
    assert done.returncode != 0
    answer = json.loads(done.stdout)
    assert [Path(result["image"]).name for result in answer["images"]] == ["a.png"]
    assert [result["error"] for result in answer["failed"]] == ["b.png: damaged in the part of one process"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.geojson", "a.json", "a.png"]
    assert "aircraft: 1 of 2 images failed" in done.stderr
    assert "lost contact" not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").is_file(), reason="finds the processes of a job in /proc")
def test_a_killed_process_ends_the_job_and_resume_goes_on(tmp_path: Path) -> None:
    """kill -9 of one of two processes: a clear line, no hanging; then the end of an undisturbed run."""
    parts = [_patches(sites) for sites in (range(12), range(12, 14))]
    datasets.export_npz(datasets.PatchSet("crosses", "crosses", *parts), tmp_path / "crosses.npz")
    learn = ("--epochs", "6", "--batch-size", "32", "--device", "cpu", "--seed", "3")
    train = ["train", "--data", str(tmp_path / "crosses.npz"), *learn, "--json", "--no-progress"]
    _torchrun(*train, "--out", "whole", cwd=tmp_path)

    words = [sys.executable, *LAUNCHER, *train, "--out", "killed"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as job:
        deadline = time.monotonic() + 120
        while not (tmp_path / "killed/history.csv").is_file():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.kill(_children(job.pid)[-1], signal.SIGKILL)
        _, said = job.communicate(timeout=120)
    assert job.returncode != 0
    assert "--resume" in said
    assert not (tmp_path / "killed/model.safetensors").exists(), "it was killed too late for this test"

    _torchrun(*train, "--out", "killed", "--resume", cwd=tmp_path)
    one, other = (load_file(tmp_path / run / "model.safetensors") for run in ("whole", "killed"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def _children(parent: int) -> list[int]:
    """The processes that a process has started, in order."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            if int(path.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(path.parent.name))
    return sorted(found)


def _patches(sites: range) -> patches.Patches:
    """20 patches with a cross and 20 without from each site."""
    images, labels, names = [], [], []
    for site in sites:
        scene, rng = crosses(site), np.random.default_rng(site)
        for label, corners in (
            (1, patches.sample_positive(scene, 20, rng)[0]),
            (0, patches.sample_negative(scene, 20, rng)),
        ):
            images.append(patches.cut(scene.image, *corners.T))
            labels += [label] * len(corners)
            names += [scene.site] * len(corners)
    return patches.Patches(np.concatenate(images), np.array(labels, np.uint8), np.array(names))


def _torchrun(*arguments: str, cwd: Path) -> dict:
    """The JSON object that two processes together print."""
    done = _python(*LAUNCHER, *arguments, cwd=cwd, OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _python(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
