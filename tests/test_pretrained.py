"""The network that comes along: what its file says, how it was made, and that it finds aircraft."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open

from aircraft import datasets, detection, models
from aircraft.cli import runs
from aircraft.datasets import synthetic

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "data"))

import make_pretrained  # noqa: E402


def test_the_file_is_small_and_says_where_it_comes_from() -> None:
    network = models.pretrained()
    card = network.card
    assert card is not None
    assert models.PRETRAINED.stat().st_size < 4e6
    with safe_open(models.PRETRAINED, framework="pt") as file:
        assert len(file.metadata()["sha256"]) == 64
    assert 0 < card.threshold < 1
    assert card.detection_threshold is not None
    assert card.count_spread is not None
    assert "rendered scenes only" in card.provenance["trained on"]
    assert card.provenance["licence"] == "MIT"
    assert not network.training


def test_it_learned_from_worlds_that_neither_chose_its_thresholds_nor_judge_it() -> None:
    learned, chose = models.pretrained().card.provenance["worlds"], make_pretrained.VALIDATION
    assert learned == list(make_pretrained.WORLDS), "made from the script's worlds"
    assert not set(learned) & set(chose)
    assert synthetic.Source().seed not in {*learned, *chose}, "the data sets of the course are another world"


@pytest.mark.parametrize("seed", range(12))
def test_a_photograph_shows_the_same_aircraft_in_their_boxes(seed: int) -> None:
    scene = synthetic.render(2, seed, 256)
    one, again = (make_pretrained.photograph(scene, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(one.image, again.image)
    size = one.width / scene.width
    assert 0.8 < size < 1.25
    assert len(one.boxes) + len(one.ignore) >= len(scene.boxes)
    for box in one.boxes:
        nearest = np.abs(scene.boxes * size - box).max(axis=1).min()
        assert nearest < 1, "each box is one of the scene's, enlarged as the image was"


def test_the_two_sorts_of_patches_are_where_the_rule_puts_them() -> None:
    patches = make_pretrained.cut(world=1, site=2, view=0)
    scene = make_pretrained.taken(world=1, site=2, view=0)
    assert patches.labels.sum() > 0
    assert len(patches) <= sum(make_pretrained.ABOUT)
    assert set(patches.sites) == {scene.site}


def test_mistakes_become_patches_with_the_right_labels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_pretrained, "SITES", 4)
    untrained = models.build("patch_net", width=8).eval()
    wrong = make_pretrained.mistakes(untrained, range(1, 2))
    assert len(wrong) > 0
    assert set(wrong.labels) <= {0, 1}
    assert wrong.labels.sum() > 0, "an untrained network misses aircraft"


def test_the_widget_of_the_slides_has_this_network() -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    image = torch.rand(1, 3, 160, 192, generator=torch.Generator().manual_seed(0))
    session = onnxruntime.InferenceSession(ROOT / "slides" / "models" / "detector.onnx")
    [there] = session.run(None, {"image": image.numpy()})
    with torch.inference_mode():
        here = models.dense(models.pretrained())(image)
    torch.testing.assert_close(torch.from_numpy(there), here, atol=1e-3, rtol=1e-3)


def figures(tiles: list) -> detection.DetectionReport:
    return runs.evaluate_tiles(models.pretrained(), tiles, progress=False)[1]


def test_it_finds_aircraft_on_rendered_places_that_it_has_not_seen() -> None:
    found = figures(datasets.load_tiles(count=12, progress=False))
    assert found.F1 > 0.9
    assert abs(sum(found.found) - found.n_true) < 0.1 * found.n_true


def test_it_finds_aircraft_on_real_places(airbus_root: Path) -> None:
    assert figures(datasets.load_tiles("airbus", airbus_root, count=24, progress=False)).F1 > 0.88
