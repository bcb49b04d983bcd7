"""Peaks: on ideal score maps, one aircraft is one detection and two neighbours are two."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from aircraft.detection import Detections, ScoreMap, peaks


def ideal(centers: list[tuple[float, float]], stride: int = 8, size: int = 320) -> ScoreMap:
    """1 where a window's core holds a centre (the labelling rule), 0 elsewhere, the border 4 m soft."""
    grid = np.arange(0, size + 1)
    scores = np.zeros((len(grid), len(grid)), np.float32)
    for x, y in centers:
        in_x, in_y = ((c >= grid - 16) & (c < grid + 16) for c in (x, y))
        scores[np.ix_(in_y, in_x)] = 1
    return ScoreMap(ndimage.gaussian_filter(scores, 4)[::stride, ::stride].copy(), stride)


@given(x=st.floats(40, 280), y=st.floats(40, 280))
@settings(max_examples=60, deadline=None)
def test_one_aircraft_is_one_detection_near_its_centre(x, y):
    found = peaks(ideal([(x, y)]), threshold=0.3)
    assert len(found) == 1
    assert np.hypot(*(found.centers[0] - (x, y))) < 6


@given(
    x=st.floats(140, 180),
    y=st.floats(140, 180),
    angle=st.floats(0, 2 * np.pi),
    distance=st.floats(35, 90),
)
@settings(max_examples=100, deadline=None)
def test_two_aircraft_35_m_apart_stay_two(x, y, angle, distance):
    other = (x + distance * np.cos(angle), y + distance * np.sin(angle))
    found = peaks(ideal([(x, y), other]), threshold=0.3)
    assert len(found) == 2
    for center in ((x, y), other):
        assert np.hypot(*(found.centers - center).T).min() < 10


def test_a_row_of_parked_aircraft_is_counted():
    row = [(40 + 35 * k, 150.0) for k in range(8)]
    assert len(peaks(ideal(row), threshold=0.3)) == 8


def test_a_long_aircraft_with_two_lobes_stays_one():
    scores = ideal([(140, 150), (166, 150)])  # nose and tail both look like a centre, 26 m apart
    assert len(peaks(scores, threshold=0.3)) == 1


def test_a_lesser_peak_too_near_a_better_one_is_removed():
    scores = np.zeros((20, 20), np.float32)
    scores[10, 10], scores[10, 12], scores[10, 14] = 0.9, 0.8, 0.7  # 16 pixels apart
    found = peaks(ScoreMap(scores, 8), threshold=0.3, min_distance=20, smooth=0)
    assert found.scores.tolist() == pytest.approx([0.9, 0.7])


def test_noise_on_the_plateau_gives_no_second_detection():
    rng = np.random.default_rng(0)
    count = 0
    for _ in range(30):
        scores = ideal([(150.0, 150.0)])
        noisy = np.clip(scores.scores * rng.uniform(0.8, 1, scores.scores.shape), 0, 1)
        count += len(peaks(ScoreMap(noisy.astype(np.float32), 8), threshold=0.3))
    assert count == 30


def test_detections_are_sorted_and_none_is_below_the_threshold():
    scores = ideal([(60, 60), (160, 60), (60, 160)])
    scores.scores[:10] *= 0.8
    scores.scores[:, 15:] *= 0.7
    found = peaks(scores, threshold=0.3)
    assert len(found) == 3
    assert (np.diff(found.scores) <= 0).all()
    assert found.scores.min() >= 0.3
    assert found.scores.max() <= 1
    assert len(found.above(float(found.scores[1]))) == 2


def test_a_surer_map_gives_a_surer_detection():
    weak = ideal([(150.0, 150.0)])
    strong = ScoreMap(weak.scores.copy(), 8)
    weak.scores[:] *= 0.6
    assert peaks(weak, 0.1).scores[0] < peaks(strong, 0.1).scores[0]


def test_the_offset_of_a_map_moves_its_detections():
    scores = ideal([(150.0, 150.0)])
    moved = ScoreMap(scores.scores, scores.stride, offset=32)
    np.testing.assert_allclose(peaks(moved, 0.3).centers, peaks(scores, 0.3).centers + 32)


def test_an_aircraft_at_the_border_is_found_there():
    found = peaks(ideal([(2.0, 150.0)]), threshold=0.3)
    assert len(found) == 1
    assert abs(found.centers[0, 0] - 2) < 10


def test_an_empty_map_has_no_detections():
    found = peaks(ideal([]), threshold=0.3)
    assert len(found) == 0
    assert found.centers.shape == (0, 2)
    assert found.boxes.shape == (0, 4)


def test_without_smoothing_scores_are_those_of_the_map():
    scores = ideal([(150.0, 150.0)])
    assert peaks(scores, 0.5, smooth=0).scores.tolist() == [scores.scores.max()]


def test_boxes_are_the_windows_around_the_centres():
    found = Detections(np.array([[100, 50]], np.float32), np.array([0.5], np.float32))
    assert found.boxes.tolist() == [[68, 18, 132, 82]]


@pytest.mark.parametrize("stride", [4, 8, 16])
def test_the_stride_does_not_change_the_count(stride):
    assert len(peaks(ideal([(80, 80), (144, 80), (200, 220)], stride=stride), threshold=0.3)) == 3


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_map_of_one_value_has_peaks_where_they_are_scored(value):
    found = peaks(ScoreMap(np.full((20, 30), value, np.float32), stride=8), threshold=0.0)
    assert (found.scores == value).all()
    assert np.isfinite(found.centers).all()
    assert len(found) > 20
    x, y = found.centers.T
    assert (np.hypot(x[:, None] - x, y[:, None] - y) + 1e9 * np.eye(len(x)) > 8).all()
