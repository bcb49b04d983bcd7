"""Model files, and what detection is asked for."""

import shutil
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from aircraft import detection, models
from aircraft.cli import runs
from aircraft.detection import Detections
from bad_cases import DETECT, EVALUATE, SCENE, TRAIN, Case, find

NOTHING = Detections(np.zeros((0, 2), np.float32), np.zeros(0, np.float32))


def make(f: Path) -> None:
    """Beside the good model: what can be wrong with one."""
    (f / "cut.safetensors").write_bytes((f / "model.safetensors").read_bytes()[:5000])
    save_file({"weight": torch.zeros(3)}, f / "bare.safetensors")
    good = (f / "model.safetensors").read_bytes()
    (f / "flipped.safetensors").write_bytes(good[:-99] + bytes([good[-99] ^ 64]) + good[-98:])
    huge = models.build("toy_cnn")
    for parameter in huge.parameters():
        torch.nn.init.constant_(parameter, 1e30)
    models.save(huge, f / "huge.safetensors", threshold=0.5)
    for name, note in {"told": {"data": {"name": 5}}, "odd": {"data": "toy"}}.items():
        models.save(models.build("toy_cnn"), f / f"{name}.safetensors", threshold=0.5, provenance=note)
    (f / "scene").mkdir()
    (f / "scene" / "model.json").write_bytes(good)
    for name in ("second.png", "model.tif"):
        shutil.copyfile(f / "good.png", f / "scene" / name)
    (f / "truth").mkdir()
    (f / "truth" / "good.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    (f / "truth" / "net.onnx").write_bytes(b"mine")


CASES = {
    "model: not there": Case(
        "no such file; give the model.safetensors", lambda f: models.load(f / "no"), "export {f}/no --onnx x"
    ),
    "model: an empty folder": Case(
        "no model.safetensors in this folder",
        lambda f: runs.model_file(f / "nothing"),
        "detect --model {f}/nothing {f}/good.png --out {f}/out",
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
    "model: a bit of its weights": Case(
        "changed since it was saved",
        lambda f: models.load(f / "flipped.safetensors"),
        "detect {f}/flipped.safetensors {f}/good.png --out {f}/out",
    ),
    "model: a note that names no data": Case("its note on the data", None, "evaluate {f}/told.safetensors"),
    "model: a note that is no note": Case("its note on the data", None, "evaluate {f}/odd.safetensors"),
    "model: scores are no numbers": Case(
        "huge.safetensors: the model's scores are no numbers",
        None,
        "detect {f}/huge.safetensors {f}/good.png --out {f}/out",
    ),
    "score map: no numbers": Case("good.png: the model's scores", find("huge.safetensors", "good.png")),
    "model: option of another type": Case(
        "zoom is 1, 2 or 4", lambda f: models.build("efficientnet_lite0", zoom=2.5)
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
    "detect: stride that leaves ground unseen": Case(
        "stride 65 is not possible; windows are 1 to 64 pixels apart",
        find("model.safetensors", "good.png", stride=65),
        DETECT + "good.png --stride 65",
    ),
    "detect: huge stride": Case(
        "windows are 1 to 64", None, DETECT + "good.png --method batched --stride 99999999999999999999"
    ),
    "detect: stride, of two images": Case(
        "stride 0", None, DETECT + "good.png {f}/scene/second.png --stride 0"
    ),
    "detect: negative block": Case("block -5 is too small", None, DETECT + "good.png --block -5"),
    "detect: block": Case(
        "block 10 is too small",
        find("model.safetensors", "good.png", block=10),
        DETECT + "good.png --block 10",
    ),
    "detect: threshold": Case(
        "threshold 2 ",
        find("model.safetensors", "good.png", threshold=2.0),
        DETECT + "good.png --threshold 2",
    ),
    "detect: threshold NaN": Case(
        "threshold nan",
        find("model.safetensors", "good.png", threshold=float("nan")),
        DETECT + "good.png --threshold nan",
    ),
    "detect: same names": Case("would replace each other", None, DETECT + "good.png {f}/other/good.jpg"),
    "detect: onto the image": Case(
        "another folder", None, "detect {f}/model.safetensors --out {f} {f}/good.png"
    ),
    "detect: onto what aircraft did not write": Case(
        "good.geojson: aircraft did not write this file; give another folder for --out, or --force",
        None,
        "detect {f}/model.safetensors {f}/good.png --out {f}/truth",
    ),
    "detect: onto the model": Case(
        "model.json: the command reads this file, and would replace it",
        None,
        "detect --model {f}/scene/model.json {f}/scene/model.tif --out {f}/scene --force",
    ),
    "detect: folder is a file": Case(
        "good.json: cannot be", None, "detect {f}/model.safetensors --out {f}/good.png {f}/good.png"
    ),
    "export: onto the model": Case(
        "model.safetensors: the command reads this file",
        None,
        "export {f}/model.safetensors --onnx {f}/model.safetensors --force",
    ),
    "export: onto what aircraft did not write": Case(
        "net.onnx: aircraft did not write this file; give another file for --onnx, or --force",
        None,
        "export {f}/model.safetensors --onnx {f}/truth/net.onnx",
    ),
    "export: onto a folder": Case(
        "is a folder", None, "export {f}/model.safetensors --onnx {f}/truth --force"
    ),
    "export: no name": Case("is a folder", None, "export {f}/model.safetensors --onnx="),
    "evaluate: scale of a file": Case("leave out --root and --scale", None, EVALUATE + "one.npz --scale 0.1"),
    "evaluate: root of a file": Case("leave out --root and --scale", None, EVALUATE + "one.npz --root x"),
    "evaluate: scale of a file of data": Case(
        "scale is for synthetic and airbus; leave it out",
        None,
        "evaluate {f}/model.safetensors --data {f}/one.npz --scale 0.1",
    ),
    "evaluate: no name": Case("unknown data set ''", None, "evaluate {f}/model.safetensors --data="),
    "detect: lists differ": Case("one for each scene", lambda f: detection.evaluate([], [SCENE])),
    "detect: nothing found": Case("no threshold", lambda f: detection.choose_threshold([NOTHING], [SCENE])),
}
