"""Tables of bad input: what is given, and words of the one line that must come back.

A module a subject: its `make` writes files that are wrong in one way each, its CASES say what comes of it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from aircraft import detection, imagery, models
from aircraft.patches import Patches
from aircraft.scenes import Scene

HALF = np.array([0, 1, 0, 1, 0, 1])
SITES = np.array(["a", "a", "b", "b", "c", "c"])
GOOD = np.zeros((6, 64, 64, 3), np.uint8)
PATCHES = Patches(GOOD, HALF.astype(np.uint8), SITES)
SCENE = Scene(np.zeros((100, 100, 3), np.uint8), np.array([[10, 10, 40, 40]], np.float32), "scene", "a")

EVALUATE = "evaluate {f}/model.safetensors --npz {f}/"
DETECT = "detect {f}/model.safetensors --out {f}/out {f}/"
TRAIN = "train --out {f}/new --data "


@dataclass(frozen=True)
class Case:
    """says: words of the message. python: the call. words: the command, {f} is the folder of bad files."""

    says: str
    python: Callable[[Path], Any] | None = None
    words: str | None = None


def make(f: Path) -> None:
    """What every table uses: a good model, a good image, an empty folder."""
    (f / "nothing").mkdir()
    torch.manual_seed(0)
    models.save(models.build("toy_cnn"), f / "model.safetensors", threshold=0.5)
    Image.new("RGB", (128, 128)).save(f / "good.png")


def find(model: str, name: str, **options: Any) -> Callable[[Path], Any]:
    """A call: the detections of a model file in an image file."""
    return lambda f: detection.detect(models.load(f / model)[0], imagery.open_image(f / name), **options)
