"""The detector of lesson 7 made of single pieces, and the rule by which a student's own one is used."""

import numpy as np
import pytest

from aircraft import detection
from aircraft.detection import Detections, ScoreMap
from aircraft.scenes import Scene
from aircraft_course import byhand, lessons
from aircraft_course.checks import lesson01, lesson06, lesson07, lesson08
from aircraft_course.checks.lesson07 import check_count_error

STEPS = {
    "slide": (lesson07.check_slide, byhand.slide),
    "find_peaks": (lesson07.check_find_peaks, byhand.find_peaks),
    "suppress": (lesson07.check_suppress, byhand.suppress),
    "pair": (lesson07.check_pair, byhand.pair),
    "average_precision": (lesson07.check_average_precision, byhand.average_precision),
    "choose_for_counting": (lesson07.check_choose_for_counting, byhand.choose_for_counting),
    "hard_windows": (lesson07.check_hard_windows, byhand.hard_windows),
}


def random_scene(seed: int) -> tuple[Detections, Scene]:
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 220, (rng.integers(0, 9), 2))
    boxes = np.concatenate([corners, corners + rng.uniform(8, 40, corners.shape)], axis=1).astype(np.float32)
    edge = np.array([[0, 100, 12, 130], [200, 240, 240, 256]], np.float32)
    scene = Scene(np.zeros((256, 256, 3), np.uint8), boxes, "a scene", "a site", ignore=edge)
    centers = np.concatenate(
        [scene.centers + rng.normal(0, 12, scene.centers.shape), rng.uniform(0, 256, (6, 2))]
    )
    scores = np.sort(rng.random(len(centers)))[::-1]
    return Detections(centers.astype(np.float32), scores.astype(np.float32)), scene


@pytest.mark.parametrize("stride", [4, 8, 16, 32])
def test_detections_by_hand_are_those_of_the_package(stride: int) -> None:
    for seed in range(5):
        scores = np.random.default_rng(seed).random((33, 29)).astype(np.float32) ** 3
        score_map = ScoreMap(scores, stride=stride, offset=seed)
        mine = byhand.detections(score_map, 0.1, byhand.find_peaks, byhand.suppress)
        package = detection.peaks(score_map, 0.1)
        assert np.array_equal(mine.centers, package.centers)
        assert np.array_equal(mine.scores, package.scores)


def test_matching_by_hand_is_that_of_the_package() -> None:
    for seed in range(40):
        found, scene = random_scene(seed)
        mine, package = byhand.match(byhand.pair, found, scene), detection.match(found, scene)
        for name in ("hits", "truths", "false_alarms", "misses", "ignored"):
            assert np.array_equal(getattr(mine, name), getattr(package, name)), name


def test_peaks_may_come_as_pairs_as_an_array_or_as_two_arrays() -> None:
    for found in ([(2, 4), (1, 3)], np.array([[2, 4], [1, 3]]), (np.array([2, 1]), np.array([4, 3]))):
        assert byhand.positions(found).tolist() == [[2, 4], [1, 3]]
    assert byhand.positions([]).shape == (0, 2)


def test_an_image_without_any_peak_has_no_detections() -> None:
    empty = byhand.detections(
        ScoreMap(np.zeros((5, 5), np.float32), 8), 0.5, byhand.find_peaks, byhand.suppress
    )
    scene = Scene(np.zeros((99, 99, 3), np.uint8), [[40, 40, 60, 60]], name="one aircraft", site="A")
    assert len(empty) == 0
    assert byhand.match(byhand.pair, empty, scene).misses.tolist() == [0]


@pytest.mark.parametrize("name", STEPS)
def test_what_steps_in_passes_the_check_of_its_exercise(name: str) -> None:
    check, function = STEPS[name]
    check(function)
    assert check.status == "ok"


@pytest.mark.parametrize("lesson", [lesson01, lesson06, lesson08])
def test_the_stand_ins_pass_the_checks_of_their_exercises(lesson: object) -> None:
    from aircraft_course import standins

    tried = [name for name in vars(standins) if hasattr(lesson, f"check_{name}")]
    assert tried
    for name in tried:
        check = getattr(lesson, f"check_{name}")
        check(getattr(standins, name))
        assert check.status == "ok", name


def test_the_answer_is_used_once_its_check_says_that_it_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    def right(found: list[int], true: list[int]) -> float:
        return float(np.abs(np.array(found) - np.array(true)).mean())

    def wrong(found: list[int], true: list[int]) -> float:
        return 0.0

    cases = [
        (..., "package", "not answered yet"),
        (wrong, "package", "no right answer yet"),
        (right, right, ""),
    ]
    for answer, used, line in cases:
        check_count_error(answer)
        capsys.readouterr()
        assert lessons.use(check_count_error, answer, "package") == used
        said = capsys.readouterr().out
        assert line in said
        assert len(said.splitlines()) == bool(line)
