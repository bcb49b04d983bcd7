"""Trainings, scores, and wrong use of the commands."""

from pathlib import Path

import numpy as np

from aircraft import metrics, models, training
from aircraft.cli import folders, runs
from aircraft.training.settings import Settings
from bad_cases import EVALUATE, GOOD, HALF, PATCHES, TRAIN, Case

NAN = float("nan")


def make(f: Path) -> None:
    """Folders that hold something."""
    for name in ("old/model.safetensors", "page/index.html", "foreign/demo.json", "way/metrics.json/x"):
        (f / name).parent.mkdir(parents=True)
        (f / name).write_text("[1]")


CASES = {
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
    "train: seed": Case("seed is 1844", lambda f: Settings(seed=2**64), TRAIN + f"toy --seed {2**64}"),
    "train: huge lr": Case("lr is 1e+300", lambda f: Settings(lr=1e300), TRAIN + "toy --lr 1e300"),
    "train: batch": Case("batch_size 1 is too small for batch norm", None, TRAIN + "toy --batch-size 1"),
    "train: large batch": Case(
        "larger than the training set (260 patches)", None, TRAIN + "toy --scale 0.1 --batch-size 261"
    ),
    "train: scale NaN": Case(
        "scale is nan", lambda f: runs.Data("toy", scale=NAN).most(), TRAIN + "toy --scale nan"
    ),
    "train: scale": Case(
        "scale is 3.0", lambda f: runs.Data("toy", scale=3.0).most(), TRAIN + "toy --scale 3"
    ),
    "tiles: scale": Case(
        "scale is -3.0",
        lambda f: runs.load_tiles("synthetic", None, -3.0),
        "evaluate {f}/model.safetensors --tiles synthetic --scale -3",
    ),
    "tiles: scale 0": Case(
        "scale is 0.0", None, "evaluate {f}/model.safetensors --tiles synthetic --scale 0"
    ),
    "tiles: data": Case("scale is 100000.0", None, "data tiles --scale 100000"),
    "train: root": Case("no such folder", None, TRAIN + "toy --source airbus --root {f}/good.png"),
    "train: root, forced": Case(
        "no such folder", None, "train --out {f}/old --force --data toy --source airbus --root {f}/no"
    ),
    "train: index.html is there": Case(
        "already holds index.html", lambda f: folders.claim(f / "page").__enter__(), "train --out {f}/page"
    ),
    "train: a folder is in the way": Case(
        "metrics.json is in the way", None, "train --force --out {f}/way --data toy"
    ),
    "train: a model without a checkpoint": Case(
        "already holds a run; name another folder, or give --force", None, "train --resume --out {f}/old"
    ),
    "demo: a run is there": Case("already holds a run", None, "demo --out {f}/old"),
    "demo: index.html is there": Case("already holds index.html", None, "demo --out {f}/page"),
    "demo: demo.json of another program": Case("already holds demo.json", None, "demo --out {f}/foreign"),
    "train: unknown setting": Case(
        "unknown setting 'epoch'", lambda f: training.fit(models.build("toy_cnn"), PATCHES, PATCHES, epoch=3)
    ),
    "train: one class": Case(
        "one class only",
        lambda f: training.fit(models.build("toy_cnn"), PATCHES, PATCHES[HALF == 0], batch_size=2),
    ),
    "train: a run is there": Case(
        "already holds a run",
        lambda f: folders.claim(f).__enter__(),
        "train --data toy --out {f}",
    ),
    "train: a file is there": Case(
        "is a file",
        lambda f: folders.claim(f / "good.png").__enter__(),
        "train --out {f}/good.png",
    ),
    "demo: source": Case(
        "is not one of 'synthetic', 'airbus'", None, "demo --source {f}/one.npz --out {f}/new"
    ),
    "predict: grey": Case("grey", lambda f: training.predict(models.build("toy_cnn"), GOOD[..., 0])),
    "predict: float": Case("uint8", lambda f: training.predict(models.build("toy_cnn"), GOOD / 255)),
    "metrics: labels": Case("labels are 0", lambda f: metrics.evaluate(HALF + 1, HALF / 2, 0.5)),
    "metrics: lengths": Case("same length", lambda f: metrics.evaluate(HALF, HALF[:5] / 2, 0.5)),
    "metrics: NaN": Case("NaN", lambda f: metrics.evaluate(HALF, HALF * np.nan, 0.5)),
    "metrics: logits": Case("sigmoid", lambda f: metrics.evaluate(HALF, HALF * 9 - 4, 0.5)),
    "metrics: two wishes": Case(
        "exactly one", lambda f: metrics.choose_threshold(HALF, HALF / 2, beta=1, min_recall=0.9)
    ),
    "use: command": Case("No such command", None, "fly"),
    "use: option": Case("No such option", None, "data toy --colour"),
    "use: argument": Case("Missing argument", None, "export --onnx x"),
    "use: number": Case("valid integer", None, TRAIN + "toy --epochs many"),
    "use: npz and data": Case("not both", None, EVALUATE + "one.npz --data toy"),
}
