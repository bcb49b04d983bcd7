"""Scores, thresholds, intervals: checked against scikit-learn and sums done by hand."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, fbeta_score, precision_score, recall_score, roc_auc_score

from aircraft import InputError, metrics

LABELS = np.array([0, 0, 1, 0, 1, 1, 0, 1])
SCORES = np.array([0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
KEYS = {"AP", "AUC", "threshold", "precision", "recall", "F1", "confusion", "n"}


def made_up(n: int = 600, seed: int = 0, sites: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels (1 in 5), scores with many ties as float32, names of sites."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.2).astype(np.uint8)
    scores = np.round(1 / (1 + np.exp(-rng.normal(2.5 * labels - 1, 1))), 2).astype(np.float32)
    return labels, scores, rng.integers(0, sites, n).astype(str)


def test_a_report_holds_what_one_counts_by_hand():
    report = metrics.evaluate(LABELS, SCORES, threshold=0.5)
    assert report.confusion == ((3, 1), (1, 3))
    assert (report.precision, report.recall, report.F1, report.n) == (0.75, 0.75, 0.75, 8)
    ranks, pairs = (1 + 2 / 3 + 3 / 4 + 4 / 6) / 4, (2 + 3 + 3 + 4) / 16
    np.testing.assert_allclose((report.AP, report.AUC), (ranks, pairs))


def test_a_score_equal_to_the_threshold_is_an_alarm():
    assert metrics.confusion(LABELS, SCORES, 0.6).tolist() == [[3, 1], [1, 3]]
    assert metrics.confusion(LABELS, SCORES, np.nextafter(0.6, 1)).tolist() == [[3, 1], [2, 2]]


def test_the_json_of_a_report_has_the_keys_of_the_design():
    labels, scores, sites = made_up()
    plain = json.loads(json.dumps(metrics.evaluate(labels, scores, 0.5).to_dict()))
    by_site = json.loads(json.dumps(metrics.evaluate(labels, scores, 0.5, sites).to_dict()))
    assert set(plain) == KEYS
    assert set(by_site) == KEYS | {"intervals"}
    assert set(by_site["intervals"]) == set(metrics.STATISTICS)


def test_a_report_prints_as_a_small_table():
    labels, scores, sites = made_up()
    text = str(metrics.evaluate(labels, scores, 0.5, sites))
    assert "600 patches" in text
    assert "interval over 12 sites" in text
    assert "interval" not in str(metrics.evaluate(labels, scores, 0.5))
    assert max(map(len, text.splitlines())) < 80


def test_without_any_alarm_precision_and_f1_are_zero():
    report = metrics.evaluate(LABELS, SCORES, threshold=1.0)
    assert (report.precision, report.recall, report.F1) == (0, 0, 0)


def test_every_interval_encloses_its_value_and_one_site_has_none():
    labels, scores, sites = made_up()
    report = metrics.evaluate(labels, scores, 0.5, sites)
    for name, (low, high) in report.intervals.items():
        assert low < getattr(report, name) < high, name
    assert metrics.evaluate(labels, scores, 0.5, ["one place"] * len(labels)).intervals is None


def test_more_sites_give_narrower_intervals():
    width = {}
    for sites in (5, 80):
        labels, scores, names = made_up(n=100 * sites, sites=sites)
        low, high = metrics.evaluate(labels, scores, 0.5, names).intervals["AP"]
        width[sites] = high - low
    assert width[80] < width[5] / 2


def test_sites_that_differ_widen_the_interval_which_drawing_single_patches_would_hide():
    rng = np.random.default_rng(0)
    sites = np.repeat(np.arange(10), 100)
    labels = rng.integers(0, 2, 1000)
    noise = np.repeat(np.linspace(0.2, 3, 10), 100)  # some places are far harder than others
    scores = 1 / (1 + np.exp(-(2 * labels - 1 + noise * rng.normal(size=1000))))
    low, high = metrics.evaluate(labels, scores, 0.5, sites).intervals["AUC"]
    alone_low, alone_high = metrics.evaluate(labels, scores, 0.5, np.arange(1000)).intervals["AUC"]
    assert high - low > 2 * (alone_high - alone_low)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("AP", average_precision_score),
        ("AUC", roc_auc_score),
        ("precision", lambda y, s: precision_score(y, s >= 0.5)),
        ("recall", lambda y, s: recall_score(y, s >= 0.5)),
        ("F1", lambda y, s: fbeta_score(y, s >= 0.5, beta=1)),
    ],
)
def test_the_quick_bootstrap_equals_scikit_learn_on_the_same_resamples(name, function):
    labels, scores, sites = made_up()
    quick = metrics.standard_statistics(labels, scores, sites, threshold=0.5, n=60, seed=3)[name]
    chosen = [np.repeat(np.arange(len(labels)), weights) for weights in metrics.site_draws(sites, 60, 3)]
    np.testing.assert_allclose(quick, [function(labels[c], scores[c]) for c in chosen], atol=1e-12)


def test_a_resample_holds_whole_sites_as_many_as_there_are():
    sites = np.array(list("aabbbc"))
    for weights in metrics.site_draws(sites, 20, seed=0):
        times = [set(weights[sites == name]) for name in "abc"]
        assert all(len(one) == 1 for one in times)
        assert sum(sum(one) for one in times) == 3


def test_f_beta_is_that_of_scikit_learn_and_0_where_nothing_is_right():
    alarms = SCORES >= 0.5
    precision, recall = precision_score(LABELS, alarms), recall_score(LABELS, alarms)
    assert metrics.f_beta(precision, recall, 2) == pytest.approx(fbeta_score(LABELS, alarms, beta=2))
    assert metrics.f_beta(0, 0, 2) == 0


def test_the_bootstrap_depends_on_its_seed_only():
    labels, scores, sites = made_up()
    first, again, other = (metrics.evaluate(labels, scores, 0.5, sites, seed=seed) for seed in (1, 1, 2))
    assert first.intervals == again.intervals != other.intervals


def test_resamples_of_one_class_are_left_out_and_counted():
    labels, scores, sites = np.array([0, 0, 1, 1]), [0.1, 0.6, 0.4, 0.9], ["a", "a", "b", "b"]
    with pytest.warns(RuntimeWarning, match=r"2\d\d of 500 resamples of sites held one class only"):
        metrics.evaluate(labels, scores, 0.5, sites)  # half of the draws of two sites are twice the same


@pytest.mark.parametrize(
    ("wish", "threshold"),
    [
        ({"beta": 1}, 0.25),  # all 4 found, 4 of 6 right: F1 0.8; at 0.5 it is 0.75
        ({"beta": 0.1}, 0.85),
        ({"min_recall": 0.75}, 0.5),
        ({"min_recall": 0.76}, 0.25),
        ({"min_recall": 1.0}, 0.25),
        ({"min_precision": 0.75}, 0.5),
        ({"min_precision": 0.9}, 0.85),
        ({"min_precision": 0.6}, 0.25),
    ],
)
def test_a_threshold_serves_its_wish_and_lies_between_two_scores(wish, threshold):
    assert metrics.choose_threshold(LABELS, SCORES, **wish) == pytest.approx(threshold)


def test_of_equally_good_thresholds_the_widest_gap_wins():
    labels, scores = [0, 1, 0, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.9]  # recall 1/2 or 1, F1 2/3 at 0.65 and at 0.15
    assert metrics.choose_threshold(labels, scores, beta=1) == pytest.approx(0.65)


def test_of_equal_recall_min_precision_takes_the_fewest_false_alarms():
    labels, scores = [0, 0, 1, 1], [0.1, 0.5, 0.6, 0.9]
    assert metrics.choose_threshold(labels, scores, min_precision=0.6) == pytest.approx(0.55)


def test_an_unreachable_precision_says_what_is_the_best():
    with pytest.raises(InputError, match=r"the best is 0\.667, with recall 1\.000 at score 0\.300"):
        metrics.choose_threshold([0, 1, 1, 0], [0.1, 0.3, 0.5, 0.8], min_precision=0.9)


@settings(max_examples=40, deadline=None)
@given(
    data=st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1, width=32)), min_size=2, max_size=40),
    beta=st.floats(0.2, 5),
    share=st.floats(0.01, 1),
)
def test_no_threshold_does_better_than_the_chosen_one(data, beta, share):
    labels, scores = np.array([d[0] for d in data]), np.array([d[1] for d in data], np.float32)
    labels[:2] = 0, 1
    cuts = np.unique(scores)
    chosen = metrics.choose_threshold(labels, scores, beta=beta)
    best = max(fbeta_score(labels, scores >= cut, beta=beta) for cut in cuts)
    assert fbeta_score(labels, scores >= chosen, beta=beta) == pytest.approx(best)
    at = metrics.choose_threshold(labels, scores, min_recall=share)
    enough = [cut for cut in cuts if recall_score(labels, scores >= cut) >= share]
    assert (scores >= at).sum() == (scores >= max(enough)).sum()


@given(st.floats(0, 1, width=32, exclude_max=True))
def test_a_threshold_parts_even_neighbouring_float32_scores_without_a_change_of_type(low):
    scores = np.array([low, np.nextafter(np.float32(low), np.float32(1))], np.float32)
    chosen = metrics.choose_threshold([0, 1], scores, beta=1)
    assert (scores >= chosen).tolist() == [False, True]
    assert (scores.astype(float) >= chosen).tolist() == [False, True]


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1, 1], [0.5, 0.5], "same length"),
        ([[0, 1]], [[0.5, 0.5]], "two flat lists"),
        ([], [], "not empty"),
        ([0, 2], [0.1, 0.5], r"these hold \[0, 2\]"),
        ([0, np.nan], [0.1, 0.5], "labels are 0"),
        (["a", "b"], [0.1, 0.5], "labels are 0"),
        ([0, 1], [np.nan, 0.5], "1 of 2 scores are NaN or infinite, the first at index 0"),
        ([0, 1], [0.2, np.inf], "index 1"),
        ([0, 1], [-3.0, 4.0], "logits need a sigmoid"),
        ([0, 1], ["x", "y"], "scores are numbers"),
        ([0, 0, 0], [0.1, 0.7, 0.2], r"all 3 labels are 0 \(background\)"),
        ([1, 1], [0.1, 0.7], r"all 2 labels are 1 \(aircraft\)"),
    ],
)
def test_unusable_input_ends_in_one_clear_line(labels, scores, message):
    for function in (
        lambda: metrics.evaluate(labels, scores, 0.5),
        lambda: metrics.choose_threshold(labels, scores, beta=1),
    ):
        with pytest.raises(InputError, match=message) as caught:
            function()
        assert "\n" not in str(caught.value)


def test_with_one_class_the_message_still_says_what_can_be_counted():
    with pytest.raises(InputError, match="0 hits, 0 misses, 1 false alarms, 2 rightly quiet"):
        metrics.evaluate([0, 0, 0], [0.1, 0.7, 0.2], 0.5)
    assert metrics.confusion([0, 0, 0], [0.1, 0.7, 0.2], 0.5).tolist() == [[2, 1], [0, 0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.choose_threshold(LABELS, SCORES), "exactly one of .*; got none"),
        (lambda: metrics.choose_threshold(LABELS, SCORES, beta=1, min_recall=0.9), "got beta, min_recall"),
        (lambda: metrics.choose_threshold(LABELS, SCORES, beta=0), "beta = 0 must be above 0"),
        (
            lambda: metrics.choose_threshold(LABELS, SCORES, min_recall=90),
            "min_recall = 90 must .* at most 1",
        ),
        (lambda: metrics.evaluate(LABELS, SCORES, 50), r"threshold = 50 is not a number in \[0, 1\]"),
        (lambda: metrics.evaluate(LABELS, SCORES, None), "threshold = None"),
        (lambda: metrics.evaluate(LABELS, SCORES, float("nan")), "threshold = nan"),
        (lambda: metrics.evaluate(LABELS, SCORES, 0.5, ["a", "b"]), "one name for each of the 8 patches"),
    ],
)
def test_wrong_use_ends_in_one_clear_line(call, message):
    with pytest.raises(InputError, match=message):
        call()


@pytest.mark.parametrize("masked", ["labels", "scores"])
def test_masked_values_are_refused_not_counted(masked):
    given = {"labels": np.array([0, 1, 0, 1]), "scores": np.array([0.1, 0.9, 0.2, 0.8])}
    given[masked] = np.ma.array(given[masked], mask=[0, 1, 0, 0])
    with pytest.raises(InputError, match="are masked in places; leave those out"):
        metrics.evaluate(**given, threshold=0.5)


def test_ragged_lists_are_one_clear_line():
    with pytest.raises(InputError, match=r"labels and scores: not understood .*two flat lists of numbers"):
        metrics.evaluate([[0], [1, 0]], [0.1, 0.9], threshold=0.5)
