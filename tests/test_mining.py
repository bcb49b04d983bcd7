"""Tests of aircraft_bench.mining: false alarms become background patches, and nothing else does."""

import numpy as np

from aircraft.detection import Detections
from aircraft.scenes import Scene
from aircraft_bench.mining import hard_examples, join


def _scene(ignore: np.ndarray | None = None) -> Scene:
    image = np.random.default_rng(0).integers(0, 256, (256, 256, 3), dtype=np.uint8)
    boxes = np.array([[90, 90, 110, 110]], np.float32)  # its centre is at 100, 100
    none = np.zeros((0, 4), np.float32)
    return Scene(image, boxes, name="apron", site="A", ignore=none if ignore is None else ignore)


def _found(*centers: tuple[float, float]) -> Detections:
    return Detections(np.array(centers, np.float32).reshape(-1, 2), np.full(len(centers), 0.5, np.float32))


def test_a_false_alarm_becomes_the_patch_around_it() -> None:
    scene = _scene()
    hard = hard_examples([_found((180.4, 60.2), (101, 99))], [scene])
    assert hard.labels.tolist() == [0]
    assert hard.sites.tolist() == ["A"]
    np.testing.assert_array_equal(hard.images[0], scene.image[28:92, 148:212])


def test_windows_that_are_no_background_are_left_out() -> None:
    cut_off = np.array([[200, 0, 256, 30]], np.float32)
    beside_the_hit = (100, 100), (110, 110)  # the second one is a false alarm, but an aircraft is in its core
    over_the_border = ((10, 128),)
    at_a_cut_off_one = ((190, 40),)
    for centers in (beside_the_hit, over_the_border, at_a_cut_off_one, ()):
        assert len(hard_examples([_found(*centers)], [_scene(cut_off)])) == 0


def test_patches_are_joined_in_order() -> None:
    one, other = (hard_examples([_found((180, y))], [_scene()]) for y in (60, 160))
    both = join([one, other])
    np.testing.assert_array_equal(both.images, np.stack([one.images[0], other.images[0]]))
    assert both.sites.tolist() == ["A", "A"]
