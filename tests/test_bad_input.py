"""Bad input, one row each: in Python a ValueError or FileNotFoundError, on the command line exit code 2.

Where both ways exist the text is the same: one line that says what is wrong, where, and how to mend it.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bad_files
from aircraft import datasets, detection, imagery, metrics, models, training
from aircraft.cli import runs
from aircraft.datasets.npz import read_patches
from aircraft.detection import Detections
from aircraft.patches import Patches
from aircraft.scenes import Scene
from aircraft.training.settings import Settings
from cli_helpers import aircraft


@dataclass(frozen=True)
class Case:
    """says: words of the message. python: the call. words: the command, {f} is the folder of bad files."""

    says: str
    python: Callable[[Path], Any] | None = None
    words: str | None = None


GOOD = np.zeros((6, 64, 64, 3), np.uint8)
HALF = np.array([0, 1, 0, 1, 0, 1])
SITES = np.array(["a", "a", "b", "b", "c", "c"])
PATCHES = Patches(GOOD, HALF.astype(np.uint8), SITES)
SCENE = Scene(np.zeros((100, 100, 3), np.uint8), np.array([[10, 10, 40, 40]], np.float32), "scene", "a")
NOTHING = Detections(np.zeros((0, 2), np.float32), np.zeros(0, np.float32))

EVALUATE = "evaluate {f}/model.safetensors --npz {f}/"
DETECT = "detect {f}/model.safetensors --out {f}/out {f}/"
TRAIN = "train --out {f}/new --data "


def npz(name: str) -> Callable[[Path], Any]:
    return lambda f: read_patches(f / name)


def image(name: str, **options: Any) -> Callable[[Path], Any]:
    return lambda f: imagery.open_image(f / name, **options)


def find(model: str, name: str, **options: Any) -> Callable[[Path], Any]:
    return lambda f: detection.detect(models.load(f / model)[0], imagery.open_image(f / name), **options)


CASES = {
    # Files of patches.
    "npz: not there": Case("no such file", npz("absent.npz"), EVALUATE + "absent.npz"),
    "npz: another kind of file": Case("is no .npz file", npz("text.npz"), EVALUATE + "text.npz"),
    "npz: cut off": Case("cut off", npz("cut.npz"), EVALUATE + "cut.npz"),
    "npz: without the key": Case("no test_labels in it", npz("keys.npz"), EVALUATE + "keys.npz"),
    "npz: pickled objects": Case("no Python objects", npz("objects.npz"), EVALUATE + "objects.npz"),
    "npz: grey patches": Case("(N, 64, 64, 3)", npz("grey.npz"), EVALUATE + "grey.npz"),
    "npz: RGBA patches": Case("(N, 64, 64, 3)", npz("rgba.npz"), EVALUATE + "rgba.npz"),
    "npz: channels first": Case("move the channels", npz("first.npz"), EVALUATE + "first.npz"),
    "npz: patches of 32": Case("(N, 64, 64, 3)", npz("small.npz"), EVALUATE + "small.npz"),
    "npz: 16 bit": Case("goes from 0 to 4000", npz("deep.npz"), EVALUATE + "deep.npz"),
    "npz: NaN": Case("NaN", npz("nan.npz"), EVALUATE + "nan.npz"),
    "npz: label 2": Case("labels are 0 (background) or 1", npz("label.npz"), EVALUATE + "label.npz"),
    "npz: lengths differ": Case("each image needs one label", npz("length.npz"), EVALUATE + "length.npz"),
    "npz: no patch at all": Case("is empty", npz("empty.npz"), EVALUATE + "empty.npz"),
    "npz: one class": Case(
        "all 6 labels are 0",
        lambda f: runs.evaluate(models.load(f / "model.safetensors")[0], read_patches(f / "one.npz")),
        EVALUATE + "one.npz --no-progress",
    ),
    "npz: nothing to train on": Case(
        "no train_images", lambda f: datasets.load_npz(f / "label.npz"), TRAIN + "{f}/label.npz"
    ),
    "npz: a site in train and test": Case(
        "is in train and test", lambda f: datasets.load_npz(f / "leak.npz"), TRAIN + "{f}/leak.npz"
    ),
    "tiles: not in the file": Case(
        "no eval_tiles",
        lambda f: datasets.load_tiles(f / "label.npz"),
        "evaluate {f}/model.safetensors --tiles {f}/label.npz",
    ),
    # Models.
    "model: not there": Case("no such model file", lambda f: models.load(f / "no"), "export {f}/no --onnx x"),
    "model: an empty folder": Case(
        "no model.safetensors in this folder",
        lambda f: runs.model_file(f / "nothing"),
        "detect {f}/nothing {f}/good.png --out {f}/out",
    ),
    "model: cut off": Case(
        "damaged or cut", lambda f: models.load(f / "cut.safetensors"), "export {f}/cut.safetensors --onnx x"
    ),
    "model: of another kind": Case(
        "not a safetensors file",
        lambda f: models.load(f / "good.png"),
        "evaluate {f}/good.png --npz {f}/one.npz",
    ),
    "model: without our metadata": Case(
        "without aircraft's metadata",
        lambda f: models.load(f / "bare.safetensors"),
        "export {f}/bare.safetensors --onnx x",
    ),
    "model: unknown name": Case(
        "unknown model 'vgg'", lambda f: models.build("vgg"), TRAIN + "toy --model vgg"
    ),
    "model: unknown option": Case("unknown option", lambda f: models.build("toy_cnn", width=3)),
    "model: threshold": Case(
        "probability", lambda f: models.save(models.build("toy_cnn"), f / "x.safetensors", threshold=2)
    ),
    # Images.
    "image: not there": Case("no such file", lambda f: imagery.find([f / "no.png"]), DETECT + "no.png"),
    "image: folder without images": Case(
        "no image in this folder", lambda f: imagery.find([f / "nothing"]), DETECT + "nothing"
    ),
    "image: none given": Case("no image was given", lambda f: imagery.find([])),
    "image: text": Case("is not a PNG, JPEG or TIFF", image("text.png"), DETECT + "text.png"),
    "image: no bytes": Case("is empty", image("zero.png"), DETECT + "zero.png"),
    "image: cut off": Case("is damaged", image("cut.jpg"), DETECT + "cut.jpg"),
    "image: 16 bit": Case("8 bits", image("deep.png"), DETECT + "deep.png"),
    "image: CMYK": Case("CMYK", image("cmyk.jpg"), DETECT + "cmyk.jpg"),
    "image: a bomb": Case("100000 x 100000 pixels", image("bomb.png"), DETECT + "bomb.png"),
    "image: smaller than a patch": Case(
        "smaller than a patch", find("model.safetensors", "tiny.png"), DETECT + "tiny.png"
    ),
    "image: pixel size": Case("gsd 0", image("good.png", gsd=0.0), DETECT + "good.png --gsd 0.0"),
    "array: grey": Case("(H, W, 3) uint8", lambda f: imagery.as_source(np.zeros((90, 90), np.uint8))),
    "array: float": Case("(H, W, 3) uint8", lambda f: imagery.as_source(np.zeros((90, 90, 3)))),
    "scene: box outside": Case(
        "outside the image", lambda f: Scene(SCENE.image, np.array([[200, 0, 210, 9]]), "scene", "a")
    ),
    # Detection.
    "detect: method": Case(
        "method 'sparse' is unknown", find("model.safetensors", "good.png", method="sparse")
    ),
    "detect: --method": Case(
        "'sparse' is not one of 'dense', 'batched', 'window'", None, DETECT + "good.png --method sparse"
    ),
    "detect: stride": Case(
        "stride 0", find("model.safetensors", "good.png", stride=0), DETECT + "good.png --stride 0"
    ),
    "detect: block": Case(
        "block 10 is too small",
        find("model.safetensors", "good.png", block=10),
        DETECT + "good.png --block 10",
    ),
    "detect: threshold": Case("threshold 2 ", None, DETECT + "good.png --threshold 2"),
    "detect: threshold NaN": Case("threshold nan", None, DETECT + "good.png --threshold nan"),
    "detect: same names": Case("would replace each other", None, DETECT + "good.png {f}/other/good.jpg"),
    "detect: onto the image": Case(
        "another folder", None, "detect {f}/model.safetensors --out {f} {f}/good.png"
    ),
    "detect: lists differ": Case("one for each scene", lambda f: detection.evaluate([], [SCENE])),
    "detect: nothing found": Case("no threshold", lambda f: detection.choose_threshold([NOTHING], [SCENE])),
    # Data sets.
    "data: name": Case("unknown data set 'toys'", lambda f: runs.Data("toys").patches(), TRAIN + "toys"),
    "data: name of a set": Case(
        "'tile' is not one of 'toy', 'imbalanced', 'tiles', 'all'", None, "data tile"
    ),
    "data: source": Case(
        "unknown source 'google'", lambda f: datasets.load_toy("google"), "data toy --source google"
    ),
    "data: scale": Case("scale is 0", lambda f: datasets.load_toy(scale=0.0), "data toy --scale 0"),
    "data: folder": Case(
        "no such folder",
        lambda f: datasets.load_toy("airbus", f / "no"),
        "data toy --source airbus --root {f}/no",
    ),
    "data: a folder of something else": Case(
        "annotations.csv",
        lambda f: datasets.load_toy("airbus", f / "nothing"),
        "data toy --source airbus --root {f}/nothing",
    ),
    "data: export of all": Case("one by one", None, "data all --export {f}/x.npz"),
    "data: export to another kind": Case("ends in .npz", None, "data toy --export {f}/x.zip"),
    "data: split": Case("unknown split", lambda f: datasets.load_tiles(split="val")),
    # Training.
    "train: epochs": Case("epochs is 0", lambda f: Settings(epochs=0), TRAIN + "toy --epochs 0"),
    "train: lr": Case("lr is -1", lambda f: Settings(lr=-1.0), TRAIN + "toy --lr -1"),
    "train: loss": Case("loss is 'hinge'", lambda f: Settings(loss="hinge")),  # type: ignore[arg-type]
    "train: --loss": Case("'hinge' is not one of 'bce', 'focal'", None, TRAIN + "toy --loss hinge"),
    "train: sampling": Case("sampling is 'x'", lambda f: Settings(sampling="x")),  # type: ignore[arg-type]
    "train: --sampling": Case("'x' is not one of 'uniform'", None, TRAIN + "toy --sampling x"),
    "train: device": Case(
        "device 'gpu'",
        lambda f: training.fit(models.build("toy_cnn"), PATCHES, PATCHES, device="gpu", batch_size=2),
        "evaluate {f}/model.safetensors --npz {f}/one.npz --device gpu",
    ),
    "train: unknown setting": Case(
        "unknown setting 'epoch'", lambda f: training.fit(models.build("toy_cnn"), PATCHES, PATCHES, epoch=3)
    ),
    "train: one class": Case(
        "one class only",
        lambda f: training.fit(models.build("toy_cnn"), PATCHES, PATCHES[HALF == 0], batch_size=2),
    ),
    "train: a run is there": Case(
        "already holds a run",
        lambda f: runs.prepare(f, resume=False, force=False),
        "train --data toy --out {f}",
    ),
    "train: a file is there": Case(
        "is a file",
        lambda f: runs.prepare(f / "good.png", resume=False, force=False),
        "train --out {f}/good.png",
    ),
    "demo: source": Case(
        "is not one of 'synthetic', 'airbus'", None, "demo --source {f}/one.npz --out {f}/new"
    ),
    # Scores.
    "predict: grey": Case("grey", lambda f: training.predict(models.build("toy_cnn"), GOOD[..., 0])),
    "predict: float": Case("uint8", lambda f: training.predict(models.build("toy_cnn"), GOOD / 255)),
    "metrics: labels": Case("labels are 0", lambda f: metrics.evaluate(HALF + 1, HALF / 2, 0.5)),
    "metrics: lengths": Case("same length", lambda f: metrics.evaluate(HALF, HALF[:5] / 2, 0.5)),
    "metrics: NaN": Case("NaN", lambda f: metrics.evaluate(HALF, HALF * np.nan, 0.5)),
    "metrics: logits": Case("sigmoid", lambda f: metrics.evaluate(HALF, HALF * 9 - 4, 0.5)),
    "metrics: two wishes": Case(
        "exactly one", lambda f: metrics.choose_threshold(HALF, HALF / 2, beta=1, min_recall=0.9)
    ),
    # Wrong use.
    "use: command": Case("No such command", None, "fly"),
    "use: option": Case("No such option", None, "data toy --colour"),
    "use: argument": Case("Missing argument", None, "export --onnx x"),
    "use: number": Case("valid integer", None, TRAIN + "toy --epochs many"),
    "use: npz and data": Case("not both", None, EVALUATE + "one.npz --data toy"),
}


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRCRAFT_DATA", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a good model, a good image, and everything that can be wrong with either."""
    return bad_files.make(tmp_path_factory.mktemp("bad"))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.python])
def test_python_raises_one_clear_line(bad: Path, name: str) -> None:
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        CASES[name].python(bad)  # type: ignore[misc]
    assert CASES[name].says in str(error.value)
    assert "\n" not in str(error.value)
    assert error.type.__module__ in ("aircraft", "builtins"), "an error of ours, not of a library"


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.words])
def test_the_command_ends_with_2_and_one_clear_line(
    bad: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    outcome = aircraft(capsys, *case.words.format(f=bad).split())  # type: ignore[union-attr]
    assert (outcome.code, outcome.out, len(outcome.lines)) == (2, "", 1), outcome.err
    assert outcome.err.startswith("aircraft: ")
    assert case.says in outcome.err
    assert "Traceback" not in outcome.err
    assert not (bad / "out").exists(), "nothing is written"
    shutil.rmtree(bad / "new", ignore_errors=True)  # the folder of a training that could not begin


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.python and case.words])
def test_both_say_the_same(bad: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    case = CASES[name]
    with pytest.raises((ValueError, FileNotFoundError)) as error:
        case.python(bad)  # type: ignore[misc]
    outcome = aircraft(capsys, *case.words.format(f=bad).split())  # type: ignore[union-attr]
    assert outcome.err == f"aircraft: {error.value}\n"


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 40
    assert sum(case.words is not None for case in CASES.values()) >= 40
