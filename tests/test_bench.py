"""The benchmarks: fair clocks, honest tables, and every part once with the smallest budget."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from aircraft import InputError, cli, detection, models
from aircraft.datasets import synthetic
from aircraft.patches import PATCH, Patches
from aircraft.training.settings import Settings
from aircraft_bench import (
    baseline,
    ingredients,
    learning,
    mirrors,
    mosaic,
    rendering,
    scaling,
    startup,
    suite,
    tables,
    weights,
    worker,
)
from aircraft_bench.__main__ import app
from aircraft_bench.baseline import Course
from aircraft_bench.measuring import interleave, machine, peak_memory, ratios
from aircraft_bench.options import Options
from aircraft_bench.tables import Part, Row
from cli_helpers import Outcome, crosses

QUICK = Options(quick=True, progress=False, repeats=1, seeds=1)


def bench(capsys: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    """`python -m aircraft_bench ARGUMENTS`, in this process."""
    capsys.readouterr()
    code = cli.run([str(argument) for argument in arguments], app, "aircraft_bench")
    return Outcome(code, *capsys.readouterr())


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def network() -> models.Network:
    torch.manual_seed(0)
    network = models.build("patch_net")
    with torch.no_grad():  # batch statistics, so that scores differ
        network.train()(
            torch.from_numpy(crosses(1).image[:64, :768].reshape(64, 12, 64, 3)).permute(1, 3, 0, 2)
        )
    return network.eval()


@pytest.fixture(scope="module")
def model(network: models.Network, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    models.save(network, path, threshold=0.5)
    return path


def _patches(count: int, seed: int = 0) -> Patches:
    """Aircraft are bright, the rest is dark: learned in one epoch."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(count) % 3 == 0).astype(np.uint8)
    images = rng.integers(0, 60, (count, 64, 64, 3)) + 120 * labels[:, None, None, None]
    sites = np.array([f"{seed}-{i % 7}" for i in range(count)])
    return Patches(images.astype(np.uint8), labels, sites)


# ---------------------------------------------------------------------------------------------- clocks


def test_a_row_tells_median_and_ends() -> None:
    values = Row("a", [3.0, 1.0, 2.0, 9.0], "s").to_dict()
    assert values == {"what": "a", "unit": "s", "median": 2.5, "low": 1.0, "high": 9.0, "n": 4}


def test_a_ratio_is_taken_within_each_repetition() -> None:
    assert ratios([10.0, 40.0], [1.0, 4.0]) == [10.0, 10.0]


def test_contenders_take_turns_and_none_is_always_first() -> None:
    calls: list[str] = []
    found = interleave({name: lambda name=name: calls.append(name) for name in "abc"}, 3, least=0)
    assert "".join(calls) == "abc" + "abc" + "bca" + "cab", "a call to warm up, then the repetitions"
    assert [len(values) for values in found.values()] == [3, 3, 3]


def test_short_calls_are_repeated_and_averaged() -> None:
    calls: list[float] = []

    def nap() -> None:
        calls.append(0)
        time.sleep(0.005)

    found = interleave({"nap": nap}, 1, least=0.02)
    assert len(calls) >= 3
    assert 0.005 <= found["nap"][0] < 0.05


def test_the_machine_is_described() -> None:
    facts = machine()
    assert facts["threads"] == 1
    assert facts["versions"]["torch"] == torch.__version__.split("+")[0]


def test_the_clock_tells_training_from_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice: 2 s of training, in two calls, then 10 s of validation."""
    now = iter([0.0, 2.0, 12.0, 14.0, 24.0])  # start; first validation from, to; second one from, to
    monkeypatch.setattr(learning.time, "perf_counter", lambda: next(now))
    net, clock = nn.Linear(1, 1), learning.PassClock()
    clock.watch(net)
    for _ in range(2):
        for mode in (True, True, False, False):
            net.train(mode)(torch.ones(1, 1))
    clock.stop()
    assert clock.training == [2, 4]
    assert clock.total == [12, 24]


# ---------------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize(
    ("row", "target", "met"),
    [
        (Row("a", [2.0], "x", least=2), "at least 2", True),
        (Row("a", [1.9], "x", least=2), "at least 2", False),
        (Row("a", [1.9], "s", most=2), "at most 2", True),
        (Row("a", [2.1], "s", most=2), "at most 2", False),
        (Row("a", [2.1], "s"), "", None),
    ],
)
def test_a_row_says_whether_its_target_is_met(row: Row, target: str, met: bool | None) -> None:
    assert (row.target, row.met) == (target, met)


def test_parts_of_an_earlier_run_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(options: Options) -> Iterator[Part]:
        yield Part("first half", [])
        assert "first half" in (tmp_path / tables.MARKDOWN).read_text(), "written while it goes on"
        yield Part("Start-up", [Row("x", [1.0], "s")])

    tables.write(tmp_path, {"scale": Part("Scale", [], ["kept"]).to_dict()})
    monkeypatch.setattr(startup, "measure", measure)
    values = suite.run(["startup"], Options(out=tmp_path, quick=True))
    assert list(values["parts"]) == ["scale", "startup"]
    assert values == json.loads((tmp_path / tables.JSON).read_text())
    assert values["parts"]["startup"]["machine"]["cores"] >= 1
    page = (tmp_path / tables.MARKDOWN).read_text()
    assert "- kept" in page
    assert "| x | 1 s | 1 to 1 | 1 |  |  |" in page
    assert "no result" in page


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 99, "parts": {}}'])
def test_a_foreign_file_is_not_replaced(tmp_path: Path, text: str) -> None:
    (tmp_path / tables.JSON).write_text(text)
    with pytest.raises(InputError, match="remove it"):
        suite.run(["startup"], Options(out=tmp_path))
    assert (tmp_path / tables.JSON).read_text() == text


# ---------------------------------------------------------------------------------------------- the parts


def test_startup_measures_three_processes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    done = bench(capsys, "startup", "--quick", "--out", tmp_path, "--no-progress", "--json")
    assert done.code == 0
    rows = done.json["parts"]["startup"]["rows"]
    assert [row["what"] for row in rows] == ["python -c pass", "import aircraft", "aircraft --help"]
    assert all(row["median"] > 0 for row in rows)


def test_all_ways_to_detect_give_the_same_scores(network: models.Network) -> None:
    pytest.importorskip("sahi")
    from aircraft_bench import detecting

    part = detecting.compare(network, crosses(0).image[:128, :128], QUICK)
    rows = {row.what: row for row in part.rows}
    assert "81 windows" in part.notes[0]
    for name in ("batches", "dense", "SAHI", "SAHI, batches"):
        assert max(rows[f"{name}: largest difference of a score"].values) < 1e-5
    assert rows["one window at a time / dense"].median > 1
    assert 0 < rows["dense: share of the ceiling"].median < 1.5


def test_the_bare_convolutions_are_those_of_the_dense_network(
    network: models.Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aircraft_bench import detecting

    shapes: list[tuple[int, ...]] = []
    convolve = detecting.F.conv2d

    def counted(*arguments: object) -> torch.Tensor:
        out = convolve(*arguments)  # type: ignore[arg-type]
        shapes.append(tuple(out.shape))
        return out

    run = detecting.bare_convolutions(network, np.zeros((128, 128, 3), np.uint8))
    monkeypatch.setattr(detecting.F, "conv2d", counted)
    run()
    assert len(shapes) == sum(isinstance(layer, nn.Conv2d) for layer in network.modules())
    assert shapes[-1] == (1, 1, 9, 9)


def test_sahi_is_asked_for_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "sahi", None)
    with pytest.raises(InputError, match="pip install --no-deps sahi"):
        suite.run(["startup", "detection"], Options(out=tmp_path))
    assert not list(tmp_path.iterdir()), "said before any work"


def test_a_mosaic_repeats_its_scene() -> None:
    scene = np.random.default_rng(0).integers(0, 255, (7, 5, 3), np.uint8)
    whole = np.tile(scene, (3, 4, 1))[:20, :20]
    assert np.array_equal(mosaic.Mosaic(scene, 20).read(3, 4, 20, 19), whole[4:19, 3:20])


def test_blocks_have_no_seam(network: models.Network) -> None:
    assert scaling.seam_difference(network, mosaic.Mosaic(crosses(0).image, 700)) < 1e-5


def test_a_seam_would_be_seen(network: models.Network, monkeypatch: pytest.MonkeyPatch) -> None:
    maps = iter([np.zeros((2, 2)), np.array([[0, 0], [0, 0.5]])])
    monkeypatch.setattr(detection, "score_map", lambda *_, **__: detection.ScoreMap(next(maps), 8))
    assert scaling.seam_difference(network, mosaic.Mosaic(crosses(0).image, 700)) == 0.5


def test_memory_is_that_of_a_process_of_its_own(model: Path, tmp_path: Path) -> None:
    """The peak of this process, which holds 300 MB more, is not that of its child."""
    pytest.importorskip("rasterio")
    ballast = np.ones(peak_memory() + 300 * 2**20, np.uint8)
    assert peak_memory() >= ballast.nbytes
    image = tmp_path / "huge.tif"
    mosaic.write_geotiff(image, mosaic.Mosaic(crosses(0).image, 300))
    found = scaling._worker("command", model, image, tmp_path / "found")
    assert found["before"] <= found["peak"] < len(ballast)
    assert found["seconds"] > 0
    assert (tmp_path / "found" / "huge.geojson").exists()


def test_a_worker_that_fails_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    died = subprocess.CompletedProcess([], 1, stdout="", stderr="no such model file")
    monkeypatch.setattr(scaling.subprocess, "run", lambda *_, **__: died)
    with pytest.raises(RuntimeError, match="a measurement failed: mosaic 64: no such model file"):
        scaling._worker("mosaic", 64)


def test_scale_reports_time_memory_and_linearity(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last size takes a tenth more for each pixel than the one before."""
    pytest.importorskip("rasterio")

    def work(what: str, _: Path, file: Path, side: object) -> dict[str, float]:
        assert file.exists()
        seconds = (
            1.0 if what == "command" else int(str(side)) ** 2 * {512: 3e-7, 1024: 1e-7, 2048: 1.1e-7}[side]
        )
        return {"seconds": seconds, "found": 2, "before": 2**30, "peak": 3 * 2**29}

    monkeypatch.setattr(scaling, "QUICK_SIDES", (512, 1024, 2048))
    monkeypatch.setattr(scaling, "LINEAR_FROM", 1024)
    monkeypatch.setattr(scaling, "QUICK_HUGE", 600)
    monkeypatch.setattr(scaling.weights, "write", lambda path, _: shutil.copy(model, path))
    monkeypatch.setattr(scaling, "_worker", work)
    monkeypatch.setattr(synthetic, "render", crosses)
    (part,) = scaling.measure(QUICK)
    rows = {row.what: row.median for row in part.rows}
    assert rows["slowest pixel / quickest, from 1,024 on"] == pytest.approx(1.1)
    assert rows["512 pixels a side: time"] == pytest.approx(300)
    assert rows["512 pixels a side: above the imports"] == 512
    assert rows["GeoTIFF of 600 x 600: peak memory"] == 1.5
    assert rows["seam: largest difference of a score"] < 1e-5


def test_a_worker_measures_a_mosaic(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "scene.npy", crosses(0).image)
    monkeypatch.setattr(worker, "TIMED", 1)
    found = worker.mosaic(str(model), str(tmp_path / "scene.npy"), "128")
    assert found["seconds"] > 0
    assert found["peak"] >= found["before"]


def test_the_weights_are_learned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRCRAFT_DATA", str(tmp_path))
    monkeypatch.setattr(synthetic, "render", crosses)
    monkeypatch.setattr(rendering.building, "run_jobs", lambda f, jobs, **_: map(f, jobs))
    network, card = models.load(weights.write(tmp_path / "model.safetensors", QUICK))
    assert network.arch == "patch_net"
    assert 0 < card.threshold < 1


def test_rendering_reports_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic, "render", crosses)
    monkeypatch.setattr(rendering.building, "run_jobs", lambda f, jobs, **_: map(f, jobs))
    monkeypatch.setenv("AIRCRAFT_DATA", "elsewhere")
    (part,) = rendering.measure(QUICK)
    rows = {row.what: row for row in part.rows}
    assert len(rows["two processes / one"].values) == 1
    assert rows["imbalanced set, 562 patches: loaded from the cache"].median > 0
    assert os.environ["AIRCRAFT_DATA"] == "elsewhere"


def test_ingredients_compare_variants_of_one_detector(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRCRAFT_DATA", str(tmp_path))
    monkeypatch.setattr(synthetic, "render", crosses)
    monkeypatch.setattr(rendering.building, "run_jobs", lambda f, jobs, **_: map(f, jobs))
    monkeypatch.setattr(ingredients, "VARIANTS", {"as it is": {}, "stride 16": {"stride": 16}})
    (part,) = ingredients.measure(QUICK)
    figures = {row.what: row.median for row in part.rows}
    assert 0 <= figures["as it is: best F1"] <= 1
    assert figures["stride 16: time"] > 0
    assert f"{ingredients.MINED}: AP" in figures


def test_the_baseline_depends_on_its_seed_alone() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (40, 64, 64, 3), np.uint8)
    patches = Patches(noise, (np.arange(40) % 2).astype(np.uint8), np.array(["a"] * 40))
    courses = []
    for _ in range(2):
        torch.rand(7)  # the state of torch is another one
        courses.append(baseline.train(patches, patches, epochs=2, seed=3, workers=0))
    assert courses[0].ap == courses[1].ap
    assert courses[0].seconds < courses[0].with_validation
    assert baseline.images_per_second(patches, 0, 1) > 0


def test_a_course_says_when_it_reached_an_ap() -> None:
    course = Course(ap=[0.2, 0.5, 0.4])
    assert [course.first(ap) for ap in (0.1, 0.2, 0.3, 0.5, 0.6)] == [0, 0, 1, 1, None]


def test_our_training_has_a_time_for_every_epoch() -> None:
    settings = Settings(device="cpu", batch_size=32, ema=0.9, epochs=2)
    course = learning.ours(_patches(96), _patches(30, seed=1), settings)
    assert len(course.ap) == len(course.seconds) == len(course.with_validation) == 2
    assert 0 < course.seconds[0] < course.with_validation[0] < course.seconds[1] < course.with_validation[1]


def test_learning_compares_at_the_ap_that_was_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """The full run reaches the first target in its second epoch and the other never."""
    plain = Course(ap=[0.5, 0.6, 0.8], seconds=[10, 20, 30], with_validation=[11, 22, 33])
    full = Course(ap=[0.4, 0.5, 0.7], seconds=[1, 2, 3], with_validation=[2, 4, 6])
    drafts = {1: Course([0.45], [1], [2]), 2: Course([0.3, 0.9], [1, 2.5], [2, 5])}

    class Data:
        name, source = "imbalanced", "made up"
        train = _patches(40)

    def ours(learn: Patches, val: Patches, settings: Settings, _: bool) -> Course:
        return drafts[min(settings.epochs, 2)] if settings.sampling == "balanced" else full

    monkeypatch.setattr(learning.runs.Data, "patches", lambda *_: Data)
    monkeypatch.setattr(baseline, "train", lambda *_, **__: plain)
    monkeypatch.setattr(baseline, "images_per_second", lambda _, workers, steps: 10 + workers)
    monkeypatch.setattr(learning, "ours", ours)
    (part,) = learning.measure(QUICK)
    rows = {row.what: row.median for row in part.rows}
    assert rows["**sooner than one epoch**, full run"] == 10 / 2
    assert rows["sooner than one epoch, full run, validations included"] == 11 / 4
    assert rows["**sooner than one epoch**, draft"] == 10 / 2.5
    assert rows["**sooner than three epochs**, full run"] == 0
    assert rows["**sooner than three epochs**, draft"] == 30 / 2.5
    assert part.notes[3].endswith("N was 2.")
    plain.ap[-1] = 0.95
    (part,) = learning.measure(QUICK)
    assert part.notes[3].endswith("N was not reached.")
    assert "2 worker processes" in part.notes[1]
    assert json.dumps(part.to_dict())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["everything"], "'everything' is not one of 'startup'"),
        (["startup", "--seeds", "0"], "'--seeds'"),
        (["startup", "--repeats", "-1"], "'--repeats'"),
    ],
)
def test_wrong_words_are_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], message: str
) -> None:
    done = bench(capsys, *words, "--out", tmp_path)
    assert done.code == 2
    assert len(done.lines) == 1
    assert message in done.lines[0]


def test_help_names_every_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    done = bench(capsys, "--help")
    assert done.code == 0
    assert all(name in done.out for name in (*suite.PARTS, "all", "--quick"))


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "aircraft_bench", "startup", "--quick", "--no-progress"]
    done = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "| import aircraft |" in done.stdout
    assert (tmp_path / tables.JSON).exists()


# ---------------------------------------------------------------------------------------- mirror images


def test_the_mean_over_mirrors_is_that_of_four_score_maps(network: models.Network) -> None:
    """By hand: every window of the image and of its mirror images, one at a time, turned back, averaged."""
    image, half, stride = crosses(0).image[:128, :160], PATCH // 2, 16
    pixels = np.pad(image, ((half, half), (half, half), (0, 0)), mode="reflect")
    maps = []
    with torch.no_grad():
        for axes in ((), (0,), (1,), (0, 1)):
            logits = detection.score_windows(network, np.flip(pixels, axes), stride)
            maps.append(np.flip(logits, axes))
    by_hand = torch.from_numpy(np.mean(maps, axis=0)).sigmoid().numpy()
    found = mirrors.score_map(network, image, stride)
    np.testing.assert_allclose(found.scores, by_hand, atol=1e-5)
    assert np.ptp(maps, axis=0).max() > 1e-3, "the four maps differ, so that their mean says something"


def test_the_mean_over_mirrors_is_blind_to_mirroring(network: models.Network) -> None:
    image = crosses(3).image[:256, :256]
    found, turned = (mirrors.score_map(network, np.flip(image, axes)).scores for axes in ((), (1,)))
    np.testing.assert_allclose(np.flip(turned, 1), found, atol=1e-5)
    detections = mirrors.detect(network, image, float(np.median(found)))
    assert len(detections) == len(detection.peaks(detection.ScoreMap(found, 8), float(np.median(found)))) > 0
