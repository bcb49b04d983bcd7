"""Model files, and what detection is asked for."""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from aircraft import detection, models
from aircraft.cli import runs
from aircraft.detection import Detections
from bad_cases import DETECT, SCENE, TRAIN, Case, find

NOTHING = Detections(np.zeros((0, 2), np.float32), np.zeros(0, np.float32))


def make(f: Path) -> None:
    """Beside the good model: what can be wrong with one."""
    (f / "cut.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:5000])
    save_file({"weight": torch.zeros(3)}, f / "bare.safetensors")


CASES = {
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
}
