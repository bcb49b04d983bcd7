"""Detections against the truth: tables that can be checked by hand, and scikit-learn as the reference."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

from aircraft import InputError
from aircraft.detection import (
    Detections,
    choose_count_threshold,
    choose_threshold,
    count_interval,
    count_spread,
    coverage,
    evaluate,
    match,
)
from aircraft.scenes import Scene


def scene(
    centers: list[tuple[float, float]], ignore: list[list[float]] | None = None, site: str = "A"
) -> Scene:
    boxes = [[x - 10, y - 10, x + 10, y + 10] for x, y in centers]
    return Scene(
        image=np.zeros((200, 200, 3), np.uint8),
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        name="made up",
        site=site,
        ignore=np.array(ignore or [], np.float32).reshape(-1, 4),
    )


def found(*rows: tuple[float, float, float]) -> Detections:
    """Rows of x, y, score."""
    table = np.array(rows, np.float32).reshape(-1, 3)
    return Detections(centers=table[:, :2], scores=table[:, 2])


@pytest.mark.parametrize(
    ("detections", "truth", "hits", "false_alarms", "misses"),
    [
        ([], [], [], [], []),
        ([], [(50, 50)], [], [], [0]),
        ([(50, 50, 0.9)], [], [], [0], []),
        ([(50, 66, 0.9)], [(50, 50)], [0], [], []),  # 16 away: still a hit
        ([(50, 66.1, 0.9)], [(50, 50)], [], [0], [0]),
        ([(50, 52, 0.5), (50, 58, 0.9)], [(50, 50)], [1], [0], []),  # the surer one has it
        ([(60, 50, 0.9), (50, 50, 0.8)], [(50, 50), (65, 50)], [0, 1], [], []),  # the nearest, not the first
        ([(57, 50, 0.9), (58, 50, 0.8)], [(50, 50), (64, 50)], [0, 1], [], []),  # what is taken is taken
    ],
)
def test_each_aircraft_is_found_once_by_the_surest_detection(detections, truth, hits, false_alarms, misses):
    result = match(found(*detections), scene(truth))
    assert result.hits.tolist() == hits
    assert result.false_alarms.tolist() == false_alarms
    assert result.misses.tolist() == misses
    assert len(result.truths) == len(hits)


def test_truths_name_the_aircraft_of_each_hit():
    result = match(found((100, 100, 0.9), (20, 20, 0.8)), scene([(20, 20), (100, 100)]))
    assert result.hits.tolist() == [0, 1]
    assert result.truths.tolist() == [1, 0]


def test_a_detection_of_a_truncated_aircraft_counts_neither_way():
    tile = scene([(50, 50)], ignore=[[0, 90, 20, 130]])
    result = match(found((10, 100, 0.9), (50, 50, 0.8), (100, 100, 0.7)), tile)
    assert result.ignored.tolist() == [0]
    assert result.hits.tolist() == [1]
    assert result.false_alarms.tolist() == [2]
    report = evaluate([found((10, 100, 0.9), (50, 50, 0.8))], [tile], threshold=0.5)
    assert (report.precision, report.found, report.count_error) == (1.0, [1], 0.0)


def test_a_true_aircraft_in_a_box_to_ignore_is_still_a_hit():
    result = match(found((50, 50, 0.9)), scene([(50, 50)], ignore=[[0, 0, 100, 100]]))
    assert (result.hits.tolist(), result.ignored.tolist()) == ([0], [])


def test_a_report_can_be_checked_by_hand():
    scenes = [scene([(50, 50), (150, 150)]), scene([(50, 50)])]
    lists = [found((50, 50, 0.9), (100, 20, 0.6)), found((150, 20, 0.8), (50, 52, 0.4), (20, 150, 0.3))]
    report = evaluate(lists, scenes, threshold=0.5)
    # By falling score: hit, false, false, hit, false; three aircraft, one is never found.
    assert pytest.approx(1 / 3 * 1 + 1 / 3 * 2 / 4) == report.AP
    assert (report.precision, report.recall, report.F1) == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert (report.best_F1, report.best_threshold) == pytest.approx((4 / 7, 0.4))
    assert (report.best_precision, report.best_recall) == pytest.approx((1 / 2, 2 / 3))
    assert (report.found, report.true, report.count_error) == ([2, 1], [2, 1], 0.0)
    assert (report.n_tiles, report.n_true) == (2, 3)
    assert report.to_dict()["AP"] == report.AP
    assert "intervals" not in report.to_dict()


@given(
    rows=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=30)
)
@settings(max_examples=60, deadline=None)
def test_the_area_is_that_of_scikit_learn_with_the_missed_aircraft_in_the_denominator(rows):
    tile = scene([(x, y) for x in (10, 70, 130) for y in (10, 70)])
    detections = found(*[(20 * x, 20 * y, score / 10) for x, y, score in rows])
    result = match(detections, tile)
    hit = np.isin(np.arange(len(detections)), result.hits)
    expected = average_precision_score(hit, detections.scores) * len(result.hits) / 6 if hit.any() else 0
    assert pytest.approx(expected) == evaluate([detections], [tile]).AP


def test_matching_once_serves_every_threshold():
    rng = np.random.default_rng(0)
    tile = scene([(40 * x, 40 * y) for x in range(1, 5) for y in range(1, 5)])
    rows = np.concatenate([rng.uniform(0, 200, (60, 2)), rng.uniform(0, 1, (60, 1))], axis=1)
    detections = found(*rows)
    for threshold in (0.2, 0.5, 0.8):
        report = evaluate([detections], [tile], threshold)
        result = match(detections.above(threshold), tile)
        assert report.recall == pytest.approx(len(result.hits) / 16)
        assert report.precision == pytest.approx(len(result.hits) / len(detections.above(threshold)))


def test_without_a_threshold_the_report_is_at_its_best_point():
    report = evaluate([found((50, 50, 0.9), (100, 20, 0.6))], [scene([(50, 50)])])
    assert (report.threshold, report.F1, report.best_F1) == (pytest.approx(0.9), 1.0, 1.0)


def test_figures_that_do_not_exist_become_null():
    figures = evaluate([found()], [scene([])]).to_dict()
    assert figures["AP"] is None
    assert figures["precision"] is None
    assert figures["count_error"] == 0


def test_false_alarms_only_give_zero():
    report = evaluate([found((150, 150, 0.9))], [scene([(50, 50)])])
    assert (report.AP, report.best_F1, report.recall) == (0, 0, 0)


def test_intervals_draw_whole_sites():
    good, bad = found((50, 50, 0.9)), found((150, 150, 0.9))
    scenes = [scene([(50, 50)], site=site) for site in "AABB"]
    report = evaluate([good, good, bad, bad], scenes, threshold=0.5, resamples=200)
    assert report.intervals is not None
    assert report.intervals["F1"] == (0.0, 1.0)
    assert report.intervals["count_error"] == (0.0, 0.0)
    assert report.to_dict()["intervals"]["AP"] == [0.0, 1.0]
    again = evaluate([good, good, bad, bad], scenes, threshold=0.5, resamples=200)
    assert again.intervals == report.intervals


def test_a_single_site_has_no_interval():
    assert evaluate([found()], [scene([(50, 50)])], resamples=10).intervals is None


LISTS = [found((50, 50, 0.9), (100, 20, 0.6)), found((150, 20, 0.8), (50, 52, 0.4), (20, 150, 0.3))]
SCENES = [scene([(50, 50), (150, 150)]), scene([(50, 50)])]


@pytest.mark.parametrize(("beta", "threshold"), [(1, 0.4), (0.2, 0.9), (2, 0.4)])
def test_the_threshold_is_that_of_the_best_f(beta, threshold):
    assert choose_threshold(LISTS, SCENES, beta) == pytest.approx(threshold)


def test_the_threshold_for_counting_has_the_smallest_count_error():
    threshold = choose_count_threshold(LISTS, SCENES)
    errors = [evaluate(LISTS, SCENES, t).count_error for t in np.arange(0.05, 1, 0.05)]
    assert evaluate(LISTS, SCENES, threshold).count_error == min(errors)


@pytest.mark.parametrize(
    ("function", "lists", "scenes", "message"),
    [
        (evaluate, [], [], "0 detections for 0 scenes"),
        (evaluate, [found()], [], "1 detections for 0 scenes; give one for each scene"),
        (choose_threshold, [found((150, 150, 0.9))], [scene([(50, 50)])], "no aircraft was found"),
        (choose_count_threshold, [found()], [scene([(50, 50)])], "nothing was found"),
    ],
)
def test_what_cannot_be_measured_is_said_in_one_line(function, lists, scenes, message):
    with pytest.raises(InputError, match=message):
        function(lists, scenes)


def test_the_chosen_threshold_keeps_the_detection_that_it_was_chosen_for_whatever_its_type():
    exact = Detections(centers=np.array([[50.0, 50.0]]), scores=np.array([0.3]))  # 0.3 is no float32
    assert len(exact.above(choose_threshold([exact], [scene([(50, 50)])]))) == 1


def drawn(seed: int, sites: int, tiles: int) -> tuple[list[Detections], list[Scene]]:
    """Tiles of places of which some are hard: there more aircraft are missed, or more is taken for one."""
    rng = np.random.default_rng(seed)
    lists, scenes = [], []
    for site in range(sites):
        missed, alarms = rng.uniform(0, 0.3), rng.uniform(0, 2)
        for _ in range(tiles):
            centers = [(10.0 + 40 * (i % 5), 10.0 + 40 * (i // 5)) for i in range(rng.poisson(6))]
            seen = [(x, y, 0.9) for x, y in centers if rng.random() > missed]
            wrong = [(30.0 + 40 * i, 190.0, 0.8) for i in range(min(4, rng.poisson(alarms)))]
            lists.append(found(*seen, *wrong))
            scenes.append(scene(centers, site=f"{seed}-{site}"))
    return lists, scenes


def test_the_interval_of_a_count_holds_on_nine_of_ten_scenes_of_other_places():
    covered, widths = [], []
    for seed in range(40):
        spread = count_spread(*drawn(seed, sites=20, tiles=2), threshold=0.5)
        there = evaluate(*drawn(1000 + seed, sites=20, tiles=2), threshold=0.5)
        share, width = coverage(there, spread)
        covered.append(share)
        widths.append(width)
    assert 0.88 <= np.mean(covered) <= 0.97
    assert np.median(widths) <= 6


def test_sure_counts_have_narrow_intervals_and_hard_places_wide_ones():
    perfect = [found(*[(x, y, 0.9) for x, y in one.centers]) for one in SCENES]
    assert count_spread(perfect, SCENES, 0.5) == [0, 0]
    assert count_interval(7, [0, 0]) == (7, 7)
    low, high = count_interval(8, [-1, 2])  # 8 - 3, 8 + 6
    assert (low, high) == (5, 14)
    assert count_interval(0, [-1, 0.5]) == (0, 0), "fewer than none there are not"
    nothing = [found(), found()]
    assert count_spread(nothing, SCENES, 0.5)[1] == 2, "two aircraft where none was found"


def test_a_place_with_many_tiles_does_not_outweigh_the_others():
    good, bad = found((50, 50, 0.9)), found()
    scenes = [scene([(50, 50)], site=site) for site in ["A"] * 50 + ["B", "C"]]
    assert count_spread([good] * 50 + [bad, bad], scenes, 0.5)[1] == 1
