"""Trainings, scores, and wrong use of the commands."""

from pathlib import Path

import numpy as np

from aircraft import metrics, models, training
from aircraft.cli import runs
from aircraft.training.settings import Settings
from bad_cases import EVALUATE, GOOD, HALF, PATCHES, TRAIN, Case


def make(f: Path) -> None:
    """No files beside those of every table."""


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
