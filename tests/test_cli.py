"""The command line from end to end: data, train, evaluate, detect, export, demo; what they print and write.

Scenes of white crosses stand in for rendered ones; `test_cli_processes.py` uses the true renderer.
"""

import errno
import json
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from aircraft import cli, datasets, models
from cli_helpers import Outcome, aircraft, crosses

SMALL = ["--scale", "0.1", "--no-progress"]
QUICK = ["--epochs", "1", "--batch-size", "32", "--device", "cpu"]
LEARN = ["--epochs", "3", "--batch-size", "32", "--device", "cpu", "--lr", "0.005"]
PATCH_KEYS = {"AP", "AUC", "threshold", "precision", "recall", "F1", "confusion", "n", "intervals"}
COMMANDS = ("data", "train", "evaluate", "detect", "export", "demo")
Run = Callable[..., Outcome]


@pytest.fixture(scope="module", autouse=True)
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of our own, and the quick renderer in place of the real one, in this process."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRCRAFT_DATA", str(cache))
        patch.setattr("aircraft.datasets.synthetic.render", crosses)
        patch.setattr("joblib.cpu_count", lambda: 1)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # tests run side by side: threads would fight for the cores
        yield cache
        torch.set_num_threads(threads)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process."""
    return lambda *arguments: aircraft(capsys, *arguments)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run on the toy set."""
    from aircraft.cli import run as command

    out = tmp_path_factory.mktemp("runs") / "toy"
    assert command(["train", "--data", "toy", *SMALL, *LEARN, "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image of 400 x 300 m."""
    path = tmp_path_factory.mktemp("images") / "airport.png"
    Image.fromarray(crosses(70, 7).image[:300, :400]).save(path)
    return path


@pytest.mark.parametrize("words", [(), ("--help",), *[(name, "--help") for name in COMMANDS]], ids=str)
def test_help_is_plain_text_in_which_every_option_is_explained(run: Run, words: tuple[str, ...]) -> None:
    outcome = run(*words)
    assert outcome.code == 0
    assert outcome.out.isascii()
    assert max(map(len, outcome.out.splitlines())) <= 100
    assert not re.search(r"^  -\S+( [^a-z\s]\S*)?\s*$\n^  -", outcome.out, re.MULTILINE), (
        "an option without help"
    )


def test_help_lists_all_commands(run: Run) -> None:
    listed = re.findall(r"^  (\w+)  ", run("--help").out.split("Commands:")[1], re.MULTILINE)
    assert tuple(listed) == COMMANDS


def test_version(run: Run) -> None:
    import aircraft as package

    assert run("--version").out == package.__version__ + "\n"


@pytest.mark.parametrize(("name", "train", "test"), [("toy", 260, 88), ("imbalanced", 4600, 1024)])
def test_data_tells_sizes_and_shares(run: Run, name: str, train: int, test: int) -> None:
    outcome = run("data", name, *SMALL, "--json")
    assert outcome.code == 0
    found = outcome.json["sets"][name]
    assert (found["train"]["images"], found["test"]["images"]) == (train, test)
    assert found["train"]["share"] == pytest.approx(0.5 if name == "toy" else 0.1, abs=0.01)
    assert Path(outcome.json["cache"]).is_dir()


def test_data_exports_a_file_that_can_be_trained_on(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "toy.npz"
    assert run("data", "toy", *SMALL, "--export", file).code == 0
    assert len(datasets.load_npz(file).train) == 260
    outcome = run("train", "--data", file, *QUICK, "--out", tmp_path / "run", "--no-progress", "--json")
    assert outcome.code == 0
    assert outcome.json["detection_threshold"] is None, "a file of patches has no tiles to choose it on"


def test_an_export_replaces_our_own_files_and_no_others(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "mine.npz"
    np.savez(file, train_images=np.zeros((1, 64, 64, 3), np.uint8))
    before = file.read_bytes()
    refused = run("data", "toy", *SMALL, "--export", file)
    assert (refused.code, len(refused.lines)) == (2, 1)
    assert "aircraft did not write this file; give another file for --export, or --force" in refused.err
    assert file.read_bytes() == before
    forced = run("data", "toy", *SMALL, "--export", file, "--force")
    assert (forced.code, f"next: aircraft train --data {file} --out RUN" in forced.out) == (0, True)
    assert run("data", "toy", *SMALL, "--export", file).code == 0, "now it is ours"
    onto_itself = run("data", "toy", "--source", file, "--export", file, "--force")
    assert (onto_itself.code, "reads this file" in onto_itself.err) == (2, True)


def test_evaluate_takes_the_scale_of_the_training_where_the_source_has_one(
    run: Run, trained: Path, tmp_path: Path
) -> None:
    file = tmp_path / "toy.npz"
    assert run("data", "toy", *SMALL, "--export", file).code == 0
    assert run("evaluate", trained, "--data", "toy", "--source", file, "--json").code == 0
    judged = run("evaluate", trained, "--tiles", "synthetic", "--json", "--no-progress").json["detection"]
    assert judged["n_tiles"] == 6, "as with the scale of the training"


def test_evaluate_ignores_no_source(run: Run, trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "toy.npz"
    assert run("data", "toy", *SMALL, "--export", file).code == 0
    of_file = tmp_path / "run"
    assert run("train", "--data", file, *QUICK, "--out", of_file, "--no-progress").code == 0
    refused = run("evaluate", of_file, "--source", "synthetic")
    assert (refused.code, "leave out --source synthetic, or say --data" in refused.err) == (2, True)
    root = run("evaluate", trained, "--tiles", "synthetic", "--root", tmp_path)
    assert (root.code, "is the folder of airbus, which is not judged here" in root.err) == (2, True)


def test_data_builds_everything(run: Run) -> None:
    outcome = run("data", "all", *SMALL)
    assert [outcome.out.count(f"  {name} ") for name in ("toy", "imbalanced", "tiles")] == [2, 2, 1]
    assert "next: aircraft train" in outcome.out


def test_train_writes_a_run_and_prints_its_metrics(run: Run, trained: Path) -> None:
    for name in ("model.safetensors", "metrics.json", "history.csv", "checkpoint.pt", "figures/roc.png"):
        assert (trained / name).is_file()
    assert list((trained / "tensorboard").iterdir())
    written = json.loads((trained / "metrics.json").read_text())
    assert PATCH_KEYS | {"validation", "detection_threshold", "seconds", "seed", "versions"} <= set(written)
    assert written["n"] == 88
    assert written["AP"] > 0.9, "crosses on noise are easy"


def test_train_does_not_replace_a_run(run: Run, trained: Path) -> None:
    before = (trained / "model.safetensors").read_bytes()
    outcome = run("train", "--data", "toy", *SMALL, *QUICK, "--out", trained)
    assert outcome.code == 2
    assert "already holds a run" in outcome.err
    assert (trained / "model.safetensors").read_bytes() == before


def test_train_resumed_when_it_had_ended_changes_nothing(run: Run, trained: Path) -> None:
    before = json.loads((trained / "metrics.json").read_text())
    outcome = run("train", "--data", "toy", *SMALL, *LEARN, "--out", trained, "--resume", "--json")
    assert outcome.code == 0
    volatile = {"seconds", "run"}
    assert {k: v for k, v in outcome.json.items() if k not in volatile} == {
        k: v for k, v in before.items() if k not in volatile
    }


def test_force_replaces_a_run_and_nothing_else(run: Run, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_text("old")
    (tmp_path / "notes.txt").write_text("mine")
    command = ["train", "--data", "toy", *SMALL, *QUICK, "--model", "toy_cnn", "--out", tmp_path]
    assert run(*command).code == 2
    assert run(*command, "--force").code == 0
    assert (tmp_path / "model.safetensors").stat().st_size > 1000
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_evaluate_repeats_the_figures_of_the_training(run: Run, trained: Path) -> None:
    outcome = run("evaluate", trained, "--no-progress", "--json")
    assert outcome.code == 0
    written = json.loads((trained / "metrics.json").read_text())
    assert {key: outcome.json[key] for key in PATCH_KEYS} == {key: written[key] for key in PATCH_KEYS}


def test_evaluate_reads_a_course_file_without_sites(run: Run, trained: Path, tmp_path: Path) -> None:
    toy = datasets.load_toy(scale=0.1, progress=False)
    file = tmp_path / "course.npz"
    np.savez(file, test_images=toy.test.images, test_labels=toy.test.labels)
    outcome = run("evaluate", trained / "model.safetensors", "--npz", file, "--json", "--no-progress")
    assert PATCH_KEYS - {"intervals"} <= set(outcome.json)
    assert "intervals" not in outcome.json
    assert outcome.json["n"] == 88


def test_evaluate_judges_detections_on_tiles(run: Run, trained: Path) -> None:
    outcome = run("evaluate", trained, "--tiles", "synthetic", *SMALL, "--json")
    found = outcome.json["detection"]
    assert found["n_tiles"] == 6
    assert found["AP"] > 0.5
    assert "AP" not in outcome.json, "no patches were asked for"
    text = run("evaluate", trained, "--data", "toy", "--tiles", "synthetic", *SMALL).out
    assert "best F1" in text
    assert text.splitlines()[-1].startswith("next: aircraft detect")


def test_evaluate_without_a_model_judges_the_pretrained_one(run: Run) -> None:
    found = run("evaluate", "--tiles", "synthetic", *SMALL, "--json").json
    assert found["model"] == str(models.PRETRAINED)
    assert 0 <= found["detection"]["covered"] <= 1
    assert found["detection"]["width"] >= 0
    text = run("evaluate", "--tiles", "synthetic", *SMALL).out
    assert "90 % intervals of counts hold on " in text
    assert text.splitlines()[-1] == "next: aircraft detect IMAGE... --out DIR"


def test_detect_without_a_model_takes_the_pretrained_one(run: Run, picture: Path, tmp_path: Path) -> None:
    alone = run("detect", picture, "--out", tmp_path, "--json").json
    assert alone["model"] == str(models.PRETRAINED)
    named = run("detect", "--model", models.PRETRAINED, picture, "--out", tmp_path, "--json").json
    before = run("detect", models.PRETRAINED, picture, "--out", tmp_path, "--json").json
    assert named["images"] == before["images"] == alone["images"]
    low, high = alone["images"][0]["interval"]
    assert low <= alone["images"][0]["count"] <= high
    assert (
        "interval"
        not in run("detect", picture, "--out", tmp_path, "--threshold", "0.3", "--json").json["images"][0]
    )
    nothing = run("detect", models.PRETRAINED, "--out", tmp_path)
    assert (nothing.code, "no image was given" in nothing.err) == (2, True)


def test_detect_knows_an_unfinished_run_from_a_folder_of_images(
    run: Run, picture: Path, tmp_path: Path
) -> None:
    (tmp_path / "checkpoint.pt").touch()
    outcome = run("detect", tmp_path, picture, "--out", tmp_path / "found")
    assert (outcome.code, "no model.safetensors in this folder" in outcome.err) == (2, True)


def test_detect_takes_satellite_products_of_16_bits(run: Run, picture: Path, tmp_path: Path) -> None:
    rasterio = pytest.importorskip("rasterio")
    pixels = np.asarray(Image.open(picture)).transpose(2, 0, 1).astype(np.uint16)
    infrared = np.concatenate([pixels[::-1] * 8 + 100, pixels[:1]])
    shape = {"width": 400, "height": 300, "count": 4, "dtype": "uint16"}
    with rasterio.open(
        tmp_path / "a.tif",
        "w",
        driver="GTiff",
        crs="EPSG:32631",
        transform=rasterio.Affine(1, 0, 5, 0, -1, 6),
        **shape,
    ) as file:
        file.write(infrared)
    form = ("--bands", "3,2,1", "--stretch", "100,2140", "--out", tmp_path)
    deep = run("detect", tmp_path / "a.tif", *form, "--json").json["images"][0]
    plain = run("detect", picture, "--out", tmp_path, "--json").json["images"][0]
    assert deep["count"] == plain["count"]
    written = json.loads((tmp_path / "a.json").read_text())
    assert written["stretch"] == [100, 2140]
    assert written["detections"] == json.loads((tmp_path / "airport.json").read_text())["detections"]
    for wrong in (("--bands", "3,2"), ("--bands", "r,g,b"), ("--stretch", "low,high"), ("--stretch", "5")):
        outcome = run("detect", tmp_path / "a.tif", *wrong, "--out", tmp_path)
        assert outcome.code == 2
        assert "bands" in outcome.lines[-1] or "--stretch" in outcome.lines[-1]


def test_detect_writes_what_the_design_says(run: Run, trained: Path, picture: Path, tmp_path: Path) -> None:
    outcome = run(
        "detect", trained, picture, "--out", tmp_path, "--threshold", "0.3", "--json", "--no-progress"
    )
    assert outcome.code == 0
    written = json.loads((tmp_path / "airport.json").read_text())
    assert set(written) == {"image", "width", "height", "threshold", "detections"}
    assert (written["image"], written["width"], written["height"]) == ("airport.png", 400, 300)
    assert written["threshold"] == 0.3
    assert len(written["detections"]) == outcome.json["count"] > 0
    first = written["detections"][0]
    assert set(first) == {"x", "y", "score", "box"}
    assert np.allclose(
        first["box"], [first["x"] - 32, first["y"] - 32, first["x"] + 32, first["y"] + 32], atol=0.02
    )
    assert json.loads((tmp_path / "airport.geojson").read_text())["type"] == "FeatureCollection"
    assert Image.open(tmp_path / "airport.png").size == (400, 300)


def test_detect_takes_folders_and_sums_up(run: Run, trained: Path, picture: Path, tmp_path: Path) -> None:
    outcome = run("detect", trained, picture.parent, "--out", tmp_path, "--no-progress")
    assert re.search(r"^  +\d+  .*airport\.png$", outcome.out, re.MULTILINE)
    assert f"next: look at {tmp_path / 'airport.png'}" in outcome.out


def test_detect_gives_the_same_by_dense_and_by_batches(
    run: Run, trained: Path, picture: Path, tmp_path: Path
) -> None:
    found = []
    for method in ("dense", "batched"):
        words = ("--method", method, "--stride", "16", "--threshold", "0.3", "--no-progress", "--json")
        run("detect", trained, picture, "--out", tmp_path / method, *words)
        found.append(json.loads((tmp_path / method / "airport.json").read_text())["detections"])
    dense, batched = ([[d["x"], d["y"], d["score"]] for d in one] for one in found)
    np.testing.assert_allclose(dense, batched, atol=0.02)


def test_export_scores_like_torch(run: Run, trained: Path, tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    from aircraft import models, training

    outcome = run("export", trained, "--onnx", tmp_path / "model.onnx", "--json")
    assert outcome.code == 0
    images = datasets.load_toy(scale=0.1, progress=False).test.images[:4]
    session = onnxruntime.InferenceSession(outcome.json["onnx"])
    logits = session.run(None, {"image": images.transpose(0, 3, 1, 2).astype(np.float32) / 255})[0]
    network, _ = models.load(trained / "model.safetensors")
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), training.predict(network, images), atol=1e-4)


def test_results_of_before_are_replaced_and_other_files_only_with_force(
    run: Run, trained: Path, picture: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnx")
    detect = ("detect", trained, picture, "--out", tmp_path, "--no-progress")
    export = ("export", trained, "--onnx", tmp_path / "net")
    for command in (detect, export):
        assert run(*command).code == 0
        assert run(*command).code == 0, "what we wrote we may replace"
    for command, name in ((detect, ".json"), (detect, ".geojson"), (detect, ".png"), (export, "net")):
        [file] = [path for path in tmp_path.iterdir() if name in (path.suffix, path.name)]
        ours = file.read_bytes()
        others = list({path: path.read_bytes() for path in tmp_path.iterdir() if path != file}.items())
        for content in (b"[1, 2]", b'{"type": "FeatureCollection"}', picture.read_bytes(), others[0][1]):
            file.write_bytes(content)
            refused = run(*command)
            assert (refused.code, len(refused.lines)) == (2, 1)
            assert f"{file.name}: aircraft did not write this file; " in refused.err
            assert refused.err.endswith("or --force\n")
            assert file.read_bytes() == content
            assert all(path.read_bytes() == before for path, before in others), "checked before any work"
        assert run(*command, "--force").code == 0
        assert file.read_bytes() == ours
        file.write_bytes(b"")
        assert run(*command).code == 0, "with an empty file nothing is lost"


def test_all_targets_of_all_images_are_checked_before_the_first_image_is_read(
    run: Run, trained: Path, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aircraft.imagery.open_image", lambda *_, **__: pytest.fail("an image was read"))
    second = tmp_path / "second.png"
    second.write_bytes(picture.read_bytes())
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "second.geojson").write_text("{}")
    outcome = run("detect", trained, picture, second, "--out", tmp_path / "found", "--no-progress")
    assert (outcome.code, len(outcome.lines)) == (2, 1)
    assert "second.geojson: aircraft did not write this file" in outcome.err


@pytest.mark.skipif(os.name == "nt", reason="links and pipes as Unix has them")
def test_an_input_is_never_replaced_whatever_leads_to_it(
    run: Run, trained: Path, picture: Path, tmp_path: Path
) -> None:
    pixels = picture.read_bytes()
    for suffix in (".png", ".json", ".geojson"):  # an image is what its content says
        folder = tmp_path / suffix
        folder.mkdir()
        image = folder / f"scene{suffix}"
        image.write_bytes(pixels)
        (tmp_path / "linked").unlink(missing_ok=True)
        (tmp_path / "linked").symlink_to(folder)
        (folder / "hard").mkdir()
        os.link(image, folder / "hard" / image.name)
        (folder / "soft").mkdir()
        (folder / "soft" / image.name).symlink_to(image)
        for out in (folder, tmp_path / "linked", folder / "hard", folder / "soft"):
            outcome = run("detect", trained, image, "--out", out, "--force", "--no-progress")
            assert (outcome.code, len(outcome.lines)) == (2, 1)
            assert "give another folder for --out" in outcome.err
            assert image.read_bytes() == pixels
    (tmp_path / "link.onnx").symlink_to(trained / "model.safetensors")
    outcome = run("export", trained, "--onnx", tmp_path / "link.onnx", "--force")
    assert (outcome.code, len(outcome.lines)) == (2, 1)
    os.mkfifo(tmp_path / "pipe.json")
    pipe = run("export", trained, "--onnx", tmp_path / "pipe.json", "--force")
    device = run("export", trained, "--onnx", "/dev/null", "--force")
    assert pipe.code == device.code == 2
    assert "no regular file" in pipe.err
    assert "no regular file" in device.err


def test_one_bad_image_does_not_stop_the_others(
    run: Run, trained: Path, picture: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a", "d", "g"):
        (folder / f"{name}.png").write_bytes(picture.read_bytes())
    for name in ("b", "c", "e", "f"):
        (folder / f"{name}.png").write_text("no picture")
    Image.new("RGB", (40, 40)).save(folder / "h.png")
    words = ("detect", trained, folder, "--out", tmp_path / "out", "--no-progress")
    for options in ((), ("--json",)):
        outcome = run(*words, *options)
        assert outcome.code == 2
        assert sorted(path.stem for path in (tmp_path / "out").glob("*.json")) == ["a", "d", "g"]
        *notes, last = outcome.lines
        assert [re.findall(r"(\w)\.png", note) for note in notes] == [[name] for name in "bcefh"]
        assert last.startswith("aircraft: 5 of 8 images failed, as noted above: ")
        assert last.endswith("b.png, " + str(folder / "c.png") + ", " + str(folder / "e.png") + ", ...")
    assert [Path(result["image"]).stem for result in outcome.json["images"]] == ["a", "d", "g"]
    assert [Path(result["image"]).stem for result in outcome.json["failed"]] == list("bcefh")
    assert all(result["error"] in outcome.err for result in outcome.json["failed"])
    assert outcome.json["count"] == sum(result["count"] for result in outcome.json["images"]) > 0


def test_nothing_but_bad_images_is_told_as_well(run: Run, trained: Path, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_text("no picture")
    outcome = run("detect", trained, tmp_path, "--out", tmp_path / "out", "--no-progress", "--json")
    assert (outcome.code, len(outcome.lines), outcome.json["images"]) == (2, 3, [])
    assert not (tmp_path / "out").exists()
    one = run("detect", trained, tmp_path / "a.png", "--out", tmp_path / "out", "--no-progress", "--json")
    assert (one.code, one.out, len(one.lines)) == (2, "", 1), "of a single image, one line"


def test_a_fault_of_ours_still_ends_the_work(
    run: Run, trained: Path, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b.png").write_bytes(picture.read_bytes())
    monkeypatch.setattr("aircraft.cli.outputs.draw", lambda *_: 1 / 0)
    outcome = run("detect", trained, picture, tmp_path / "b.png", "--out", tmp_path / "out", "--no-progress")
    assert (outcome.code, len(outcome.lines)) == (1, 1)


@pytest.mark.parametrize("threshold", ["0", "1"])
@pytest.mark.parametrize("logit", [-200.0, 200.0])
def test_thresholds_at_both_ends_work_on_a_map_of_one_value(
    run: Run, tmp_path: Path, picture: Path, threshold: str, logit: float
) -> None:
    from aircraft import models

    model = models.build("toy_cnn")
    torch.nn.init.zeros_(model.layers[-1].weight)
    torch.nn.init.constant_(model.layers[-1].bias, logit)
    models.save(model, tmp_path / "m.safetensors", threshold=0.5)
    words = ("--out", tmp_path / "out", "--threshold", threshold, "--json", "--no-progress")
    outcome = run("detect", tmp_path / "m.safetensors", picture, *words)
    assert (outcome.code, outcome.err) == (0, "")
    written = json.loads((tmp_path / "out" / "airport.json").read_text())["detections"]
    assert (len(written) > 20) == (logit > 0 or threshold == "0")
    assert all(0 <= found["x"] <= 400 and 0 <= found["y"] <= 300 for found in written)


@pytest.mark.skipif(os.name == "nt" or sys.platform == "darwin", reason="names there are text")
def test_a_name_that_is_no_text_is_no_trouble(run: Run, trained: Path, picture: Path, tmp_path: Path) -> None:
    image = tmp_path / os.fsdecode(b"caf\xe9\x1b[31m.png")
    image.write_bytes(picture.read_bytes())
    for options in ((), ("--json",)):
        outcome = run("detect", trained, image, "--out", tmp_path / "out", "--no-progress", *options)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out.isascii()
        assert "\x1b" not in outcome.out
    files = [Path(file) for file in outcome.json["images"][0]["files"]]
    assert json.loads(files[0].read_text())["image"] == image.name
    assert json.loads(files[1].read_text())["name"] == image.name
    assert Image.open(files[2]).size == (400, 300)


@pytest.mark.skipif(os.name == "nt", reason="no such limit there")
def test_a_limit_of_the_file_size_is_told_in_one_line(
    run: Run, trained: Path, picture: Path, tmp_path: Path
) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (3000, before[1]))
    try:
        outcomes = [
            run("detect", trained, picture, "--out", tmp_path / "out", "--no-progress"),
            run("export", trained, "--onnx", tmp_path / "out" / "x.onnx"),
        ]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    for outcome in outcomes:
        assert (outcome.code, len(outcome.lines)) == (2, 1)
        assert "cannot be written (File too large)" in outcome.err
    assert not list((tmp_path / "out").glob("*.png"))
    assert not list((tmp_path / "out").glob(".*"))


def test_demo_shows_everything_in_one_file(run: Run, tmp_path: Path) -> None:
    for name in ("checkpoint.pt", "metrics.json", "figures/tile_99.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("of an earlier demo")
    (tmp_path / "demo.json").write_text('{"report": "there/index.html"}')
    words = ("--scale", "0.01", "--epochs", "1", "--batch-size", "64", "--no-progress", "--json")
    outcome = run("demo", "--out", tmp_path, *words)
    assert outcome.code == 0
    page = Path(outcome.json["report"]).read_text()
    for heading in ("Result", "Data", "Learning curves", "Misclassified", "Detections on tiles", "Counts"):
        assert f"<h2>{heading}" in page
    facts = ("time: training", "version: torch", "setting: seed")
    for words in (*facts, "area under the curve", "Precision-recall", "confusion matrix: "):
        assert words in page
    assert page.count('src="data:image/') >= 15
    assert "tile 0" in page, "each picture is told in words"
    assert not re.search(r'(src|href)="https?:', page), "it must need no network"
    found = outcome.json["detection"]
    assert found["n_tiles"] == 6
    assert set(re.findall(r"(\d+) aircraft counted|; off by", page)) >= {str(sum(found["found"]))}
    assert f"{sum(found['found'])} counted, {found['n_true']} there" in page, (
        "the figure counts as the text does"
    )
    assert f"{found['n_true']} aircraft, {sum(found['found'])} found" in page
    assert not (tmp_path / "figures/tile_99.png").exists(), "of the earlier one"
    assert json.loads((tmp_path / "demo.json").read_text())["detection"] == found


def test_a_fault_of_ours_asks_for_a_report(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aircraft.cli.runs.model_file", lambda path: 1 / 0)
    outcome = run("export", "model", "--onnx", "x.onnx")
    assert (outcome.code, outcome.out, len(outcome.lines)) == (1, "", 1)
    assert "please report" in outcome.err
    assert "ZeroDivisionError" in outcome.err
    assert "Traceback" in run("--debug", "export", "model", "--onnx", "x.onnx").err
    monkeypatch.setenv("AIRCRAFT_DEBUG", "1")
    assert "Traceback" in run("export", "model", "--onnx", "x.onnx").err


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (MemoryError(), 2, "out of memory; try a machine with more"),
        (
            RuntimeError("CUDA out of memory. Tried to allocate 9 GiB"),
            2,
            "out of memory; try a machine with more",
        ),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "No space left on device"),
        (OSError(errno.EFBIG, "File too large", "x"), 2, "x: File too large"),
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), 2, "a/b: Permission denied"),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "x"),
            2,
            "x: No such file or directory",
        ),
        (FileNotFoundError("x: no such file"), 2, "x: no such file"),
        (OSError("odd"), 1, "please report"),
    ],
)
def test_what_is_not_done_is_one_line_and_a_code(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, says: str
) -> None:
    def fail(path: str) -> Path:
        raise error

    monkeypatch.setattr("aircraft.cli.runs.model_file", fail)
    outcome = run("export", "model", "--onnx", "x.onnx")
    assert (outcome.code, outcome.out, len(outcome.lines)) == (code, "", 1)
    assert outcome.err.startswith("aircraft: ")
    assert says in outcome.err


def test_out_of_memory_names_the_options_of_the_command_at_hand(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("aircraft.models.build", lambda name: bytearray(1 << 62))
    outcome = run("train", "--data", "toy", *SMALL, "--out", tmp_path / "new")
    assert (outcome.code, len(outcome.lines)) == (2, 1)
    assert "try a smaller --batch-size or --scale" in outcome.err


def test_names_are_printed_without_control_codes(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "a\x1b[31m.npz"
    outcome = run("data", "toy", *SMALL, "--export", file)
    assert outcome.code == 0
    assert "\x1b" not in outcome.out
    assert "a\\x1b[31m.npz" in outcome.out
    assert run("data", "toy", *SMALL, "--export", file, "--json").json["export"] == str(file)


def test_a_wrong_choice_is_told_without_words_of_a_library(run: Run) -> None:
    said = run("data", "tile").err
    assert re.match(r"aircraft: Invalid value for '(what|WHAT:.*)': 'tile' is not one of 'toy', 'imb", said)


def test_warnings_are_one_line_each(run: Run, trained: Path, tmp_path: Path) -> None:
    Image.fromarray(crosses(70).image[:100, :100, 0]).save(tmp_path / "grey.png")
    outcome = run("detect", trained, tmp_path / "grey.png", "--out", tmp_path / "found", "--json")
    assert outcome.code == 0
    assert len(outcome.lines) == 1
    assert outcome.err.startswith("aircraft: note: ")


def test_a_stopped_process_says_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(cli, "run", lambda _: os.kill(os.getpid(), signal.SIGTERM))
    try:
        with pytest.raises(SystemExit, match="143"):
            cli.main()
        assert capfd.readouterr().err.endswith("--resume to go on with a training\n")
        monkeypatch.setenv("RANK", "1")
        with pytest.raises(SystemExit, match="143"):
            cli.main()
        assert "another process of the job died" in capfd.readouterr().err
    finally:
        signal.signal(signal.SIGTERM, before)
