"""Detection as a whole: aircraft on a scene are found where they are, with the model's own threshold."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from aircraft import models
from aircraft.detection import choose_threshold, default_threshold, detect, evaluate
from aircraft.imagery import ArrayImage
from aircraft.scenes import Scene


class Bright(nn.Module):
    """A stand-in for a trained classifier: is there something bright in the middle of the core?"""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        core = x[:, :, 16:48, 16:48].float().mean(dim=1) / 255
        return 12 * core.amax(dim=(1, 2)) - 6


@pytest.fixture(scope="module")
def scene() -> Scene:
    """Three bright spots of 3 m on dark ground."""
    image = np.full((256, 320, 3), 20, np.uint8)
    centers = np.array([[60.5, 70.5], [95.5, 70.5], [250.5, 180.5]], np.float32)
    for x, y in centers.astype(int):
        image[y - 1 : y + 2, x - 1 : x + 2] = 255
    return Scene(image, np.concatenate([centers - 8, centers + 8], axis=1), "spots", "A")


def test_every_aircraft_of_a_scene_is_found_and_nothing_else(scene):
    found = detect(Bright(), scene.image, threshold=0.4, method="batched", stride=8)
    report = evaluate([found], [scene], threshold=0.4)
    assert (report.precision, report.recall, report.found) == (1.0, 1.0, [3])
    assert choose_threshold([found], [scene]) <= found.scores.min()


def test_an_array_and_a_source_of_it_give_the_same(scene):
    one = detect(Bright(), scene.image, threshold=0.4, method="batched", block=128)
    two = detect(Bright(), ArrayImage(scene.image), threshold=0.4, method="batched")
    np.testing.assert_array_equal(one.centers, two.centers)


@pytest.mark.parametrize(
    ("card", "threshold"),
    [
        (SimpleNamespace(threshold=0.3, detection_threshold=0.7), 0.7),
        (SimpleNamespace(threshold=0.3, detection_threshold=None), 0.3),
        (SimpleNamespace(threshold=0.3, detection_threshold=0.0), 0.0),
        (None, 0.5),
    ],
)
def test_the_threshold_is_the_one_chosen_for_the_model(card, threshold):
    model = Bright()
    model.card = card
    assert default_threshold(model) == threshold


def test_the_dense_form_of_a_model_is_used_by_default():
    torch.manual_seed(0)
    image = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
    model = models.build("patch_net").eval()
    dense = detect(model, image, threshold=0.0)
    batched = detect(model, image, threshold=0.0, method="batched")
    np.testing.assert_allclose(dense.scores, batched.scores, atol=1e-4)
    assert len(dense) > 0
