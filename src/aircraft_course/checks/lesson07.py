"""Checks of lesson 7, sliding window: windows, peaks, suppression, matching, counting, AP, hard examples.

An assert message is the hint for that mistake; students see it, so it never holds the bare answer.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from aircraft import patches
from aircraft.detection import Detections
from aircraft.scenes import Scene
from aircraft_course.checks.core import exercise
from aircraft_course.checks.reference import agree


@exercise(
    hints=(
        "Count along one side first. The corner of the first window is at 0. Where is the corner of the "
        "last window that still fits?",
        "The last corner is at size - 64 at most: that makes (size - 64) // stride + 1 windows along one "
        "side, and as many along the other.",
    )
)
def check_windows_in(windows_in: Callable[[int, int], int]) -> None:
    got = windows_in(512, 16)
    assert got != 29, "29 is right along one side; the windows move along x and along y"
    assert got != (512 // 16) ** 2, (
        "some of these windows would reach over the border: where does the last begin?"
    )
    assert got != 28**2, "count again: with corners at 0 and 16 there are two windows, not one"
    assert got == 841, f"a tile of 512 x 512 at stride 16 has 29 x 29 windows, not {got}"
    for size, stride in ((512, 64), (512, 8), (64, 16), (100, 8), (4000, 8)):
        right = ((size - 64) // stride + 1) ** 2
        got = windows_in(size, stride)
        assert got == right, (
            f"for {size} x {size} pixels at stride {stride} {got} is not right: count the windows that lie "
            "wholly in the image, and only whole ones"
        )
    agree(
        windows_in,
        _windows_in,
        lambda rng, size: (64 + int(rng.integers(0, 40 * size)), 1 + int(rng.integers(40))),
    )


@exercise(
    hints=(
        "Two loops, as for finding a word in a puzzle: for i over rows, for j over columns. The window of "
        "row i and column j has its corner at y = stride * i, x = stride * j.",
        "window = image[y : y + 64, x : x + 64], and scores[i, j] = score(window).",
    )
)
def check_slide(slide: Callable[[Callable[[np.ndarray], float], np.ndarray, int], Any]) -> None:
    image = np.random.default_rng(7).integers(0, 256, (128, 176, 3), dtype=np.uint8)

    def score(window: np.ndarray) -> float:
        assert window.shape == (64, 64, 3), (
            f"score got a window of {window.shape}; cut 64 rows and 64 columns: image[y : y + 64, x : x + 64]"
        )
        return float(window[0, 0].sum())

    got = np.asarray(slide(score, image, 16))
    right = image[:65:16, :113:16].astype(int).sum(axis=2)
    assert got.ndim == 2, f"return the map as rows x columns; this has the shape {got.shape}"
    assert got.shape != right.T.shape, (
        "rows and columns are swapped: rows go down, along the height of the image"
    )
    assert got.shape == right.shape, (
        f"an image 128 pixels high and 176 wide has 5 x 8 windows at stride 16; your map is {got.shape}"
    )
    steps_of_one = image[:5, :8].astype(int).sum(axis=2)
    assert not np.array_equal(got, steps_of_one), "your windows are one pixel apart; use the stride"
    assert got.any(), "all scores are 0: write what score(window) returns into scores[i, j]"
    assert np.allclose(got, right), (
        "the shape is right, the scores are not: is y the stride times the row, and x the stride times the "
        "column?"
    )
    agree(
        lambda image, stride: slide(_corner_score, image, stride),
        _slide,
        _draw_image,
        name="slide(score, ...)",
    )


@exercise(
    hints=(
        "First the corner of the window of row i, column j. Then from the corner to the centre.",
        "x = 32 + stride * ..., y = 32 + stride * ...; which of i and j belongs to x?",
    )
)
def check_to_image(to_image: Callable[[int, int, int], Any]) -> None:
    got = tuple(float(value) for value in to_image(2, 5, 16))
    assert got != (64, 112), "x and y are swapped: the column j says how far right, and x comes first"
    assert got != (80, 32), "that is the corner of the window; an aircraft would be at its centre"
    assert got != (5, 2), "(5, 2) counts windows; the answer is in pixels"
    for i, j, stride in ((2, 5, 16), (0, 0, 8), (7, 0, 32), (0, 3, 4)):
        got = tuple(float(value) for value in to_image(i, j, stride))
        right = (32 + stride * j, 32 + stride * i)
        assert got == right, f"for scores[{i}, {j}] at stride {stride} {got} is not the centre of the window"
    agree(to_image, lambda i, j, stride: (32 + stride * j, 32 + stride * i), _draw_place)


@exercise(
    hints=(
        "Draw the window in the upper left corner of the tile, and its core. Which pixels lie left of the "
        "core?",
        "A window is positive when the centre of an aircraft is in its core; the core begins 16 pixels "
        "inside.",
    )
)
def check_border(answer: str) -> None:
    _choice(
        answer,
        right="b",
        hints={
            "a": "the windows reach the border, but do their cores?",
            "c": "the centre of a window is 32 pixels from its edge, but its core is larger than a point",
            "d": "an aircraft may be cut by the edge of a window: only the place of its centre matters",
        },
    )


@exercise(
    hints=(
        "Look for white gaps in the figure: which is the coarsest stride without any?",
        "For the second number, count along one side: cores begin every 16 pixels and are 32 wide, so a "
        "point is in two of them. And along both sides?",
    )
)
def check_stride(coarsest: float, looks: float) -> None:
    assert coarsest != 64, "at stride 64 the windows touch, but between their cores there are wide gaps"
    assert coarsest != 48, "look at the right panel: an aircraft in a white gap is in no core"
    assert coarsest != 16, "at 16 there is no gap, true; but is it the coarsest such stride?"
    assert coarsest == 32, f"at stride {coarsest} cores overlap or leave gaps; when do they just touch?"
    assert looks != 2, "two along x, and two along y: how many windows together?"
    assert looks != 16, "16 windows contain the point; in how many of them is it in the core?"
    assert looks == 4, f"{looks} is not right: in how many cores does a star of the left panel lie?"


@exercise(
    hints=(
        "The neighbours of (i, j) are rows i - 1 to i + 1 and columns j - 1 to j + 1. What happens in row 0?",
        "around = scores[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2]; keep (i, j) when its score is at "
        "least the threshold and equal to around.max().",
    )
)
def check_find_peaks(find_peaks: Callable[[np.ndarray, float], Any]) -> None:
    hill = np.full((5, 6), 0.1)
    hill[1:4, 2:5] = 0.55
    hill[2, 2:5] = hill[1:4, 3] = 0.6
    hill[2, 3] = 0.9
    got = _positions(find_peaks(hill, 0.5))
    assert got, "one clear peak of 0.9, and you found nothing; do you append (i, j) to the list?"
    assert got != {(3, 2)}, "the peak is in row 2, column 3; write the row first"
    assert got == {(2, 3)}, (
        f"one aircraft, {len(got)} answers: a position counts only when no neighbour has a higher score"
    )
    diagonal = np.full((4, 4), 0.1)
    diagonal[1, 1], diagonal[2, 2] = 0.8, 0.9
    got = _positions(find_peaks(diagonal, 0.5))
    assert got == {(2, 2)}, "0.8 touches 0.9 at a corner: each position has eight neighbours, not four"
    border = np.full((4, 5), 0.1)
    border[0, 1], border[3, 1], border[1, 0], border[1, 4] = 0.7, 0.95, 0.2, 0.8
    got = _positions(find_peaks(border, 0.5))
    assert (0, 1) in got, (
        "a peak of 0.7 in row 0 is lost; row -1 is the LAST row in Python, so cut the neighbours at the "
        "border"
    )
    assert got == {(0, 1), (3, 1), (1, 4)}, (
        f"three peaks touch the border of this map; you found {sorted(got)}"
    )
    assert _positions(find_peaks(hill, 0.95)) == set(), "a score below the threshold is no peak"
    assert _positions(find_peaks(hill, 0.9)), "a score equal to the threshold counts: use >="
    plateau = np.full((3, 6), 0.1)
    plateau[1, 2:4] = 0.8
    got = _positions(find_peaks(plateau, 0.5))
    assert got, (
        "two neighbours with the same highest score, and both are lost: no neighbour may be HIGHER, but "
        "equal is fine"
    )
    assert got <= {(1, 2), (1, 3)}, f"on a small plateau you found {sorted(got)}"
    agree(find_peaks, _find_peaks, _draw_map, form=_positions)


@exercise(
    hints=(
        "Go through the positions from the best score down: np.argsort(-scores). Keep a list of those that "
        "stay.",
        "distances = [np.hypot(*(centers[i] - centers[k])) for k in keep]; when all of them are greater "
        "than min_distance, append i to keep.",
    )
)
def check_suppress(suppress: Callable[[np.ndarray, np.ndarray, float], Any]) -> None:
    centers = np.array([[100.0, 100.0], [108.0, 100.0], [300.0, 50.0]])
    scores = np.array([0.7, 0.9, 0.6])
    got = _indices(suppress(centers, scores, 20))
    assert got != [2], "of two close positions both are gone; the better one stays"
    assert got != [0, 2], "of two close positions the FIRST stayed; the one with the best score should"
    assert got != [0, 1, 2], "positions 0 and 1 are 8 pixels apart: closer than 20, so one must go"
    assert got == [1, 2], f"positions 1 and 2 should stay; your answer is {got}"
    row = np.array([[0.0, 0.0], [15.0, 0.0], [30.0, 0.0]])
    got = _indices(suppress(row, np.array([0.9, 0.8, 0.7]), 20))
    assert got != [0], (
        "three in a row, 15 apart: the third is close only to the second, which is gone. Compare with "
        "those that you keep, not with all"
    )
    assert got == [0, 2], f"three in a row, 15 apart, best first: the two ends stay; your answer is {got}"
    slanted = np.array([[0.0, 0.0], [15.0, 15.0]])
    got = _indices(suppress(slanted, np.array([0.9, 0.8]), 20))
    assert got == [0, 1], (
        "(0, 0) and (15, 15) are 21.2 pixels apart, so both stay: the distance is the root of dx² + dy²"
    )
    assert _indices(suppress(np.zeros((0, 2)), np.zeros(0), 20)) == [], (
        "without positions the answer is empty"
    )
    agree(
        suppress,
        _suppress,
        _draw_spots,
        form=_indices,
        tell="a position stays when it is far from ALL that stay",
    )


@exercise(
    hints=(
        "For each detection: the distances to all aircraft; those that are taken already do not count. Is "
        "the nearest one left close enough?",
        "distance = np.hypot(truth[:, 0] - x, truth[:, 1] - y); distance[k] = np.inf for each k in pairs "
        "that is >= 0; then distance.argmin() when distance.min() <= radius, else -1.",
    )
)
def check_pair(pair: Callable[..., Any]) -> None:
    truth = np.array([[35.0, 45.0], [100.0, 45.0], [165.0, 55.0]])
    found = np.array([[40.0, 40.0], [62.0, 62.0], [28.0, 54.0], [108.0, 47.0], [135.0, 28.0]])
    got = [int(value) for value in pair(found, truth)]
    assert len(got) == 5, f"one answer for each of the 5 detections; you return {len(got)}"
    assert got[2] != 0, (
        "detections 1 and 3 both took aircraft A: an aircraft that is taken is not free any more"
    )
    assert -1 in got, "no detection is a false alarm here; do you compare the distance with the radius?"
    assert got == [0, -1, -1, 1, -1], (
        f"for the five detections of the figure your pairs are {got}; A, B, C have the numbers 0, 1, 2"
    )
    two = np.array([[0.0, 0.0], [12.0, 0.0]])
    got = [int(value) for value in pair(np.array([[8.0, 0.0]]), two)]
    assert got != [0], "both aircraft are within 16 pixels; take the NEAREST one, not the first"
    assert got == [1], f"a detection at (8, 0), aircraft at (0, 0) and (12, 0): your pair is {got}"
    got = [int(value) for value in pair(np.array([[8.0, 0.0], [9.0, 0.0]]), two)]
    assert got == [1, 0], (
        "the nearest aircraft is taken, but another free one is within 16 pixels: take the nearest FREE one"
    )
    assert [int(value) for value in pair(np.array([[16.0, 0.0]]), two[:1])] == [0], (
        "a distance of exactly 16 pixels counts as a hit"
    )
    empty = np.zeros((0, 2))
    assert [int(value) for value in pair(found, empty)] == [-1] * 5, (
        "on a tile without aircraft every detection is a false alarm: -1"
    )
    assert len(pair(empty, truth)) == 0, "without detections the answer is an empty list"
    agree(pair, _pair, _draw_pairs, form=lambda pairs: [int(k) for k in pairs])


@exercise(
    hints=(
        "First the mistake on each tile, without its sign; then the mean over the tiles.",
        "np.abs(np.array(found) - np.array(true)).mean()",
    )
)
def check_count_error(count_error: Callable[[ArrayLike, ArrayLike], float]) -> None:
    got = float(count_error([3, 1, 0], [1, 3, 0]))
    assert got != 0, (
        "2 too many on one tile and 2 too few on the next: the mistakes must not cancel; take each without "
        "its sign"
    )
    assert got != 4, "4 is the sum of the mistakes; take the mean over the three tiles"
    assert not np.isclose(got, 8 / 3), "these are squares; here each mistake counts as it is"
    assert np.isclose(got, 4 / 3), f"mistakes of 2, 2 and 0 on three tiles: {got:.3f} is not their mean"
    got = float(count_error(np.array([5, 5]), np.array([4, 5])))
    assert np.isclose(got, 0.5), f"one too many on one of two tiles: {got:.3f} is not the mean"
    agree(count_error, lambda found, true: np.abs(np.subtract(found, true)).mean(), _draw_counts)


@exercise(
    hints=(
        "Go down the ranking. At each hit: how many of the detections so far are right? That is the "
        "precision there.",
        "Sum these precisions over the hits, and divide by n_true, because a missed aircraft adds 0.",
    )
)
def check_average_precision(average_precision: Callable[[Sequence[bool], int], float]) -> None:
    got = float(average_precision([True, False, True], 4))
    right = (1 + 2 / 3) / 4
    assert not np.isclose(got, (1 + 2 / 3) / 2), (
        "you divide by the aircraft that were found; the two that were never found must count as well"
    )
    assert not np.isclose(got, 2 / 3), "that is the precision of all detections; AP takes it at each hit"
    assert not np.isclose(got, (1 + 1 / 2 + 2 / 3) / 4), (
        "a false alarm adds nothing itself: sum over the hits only"
    )
    assert not np.isclose(got, (1 + 1 / 2 + 2 / 3) / 3), "average over the aircraft, not over the detections"
    assert np.isclose(got, right), (
        "hit, false alarm, hit, and 4 aircraft: precision 1 at the first hit, 2/3 at the second; "
        f"{got:.3f} is not it"
    )
    assert float(average_precision([False, False], 3)) == 0, "without any hit AP is 0"
    assert float(average_precision([], 3)) == 0, "without any detection AP is 0"
    rng = np.random.default_rng(7)
    for n in (5, 40):
        hits = rng.random(n) < 0.7
        right = sum(hits[: k + 1].mean() for k in range(n) if hits[k]) / (n + 3)
        got = float(average_precision(list(hits), n + 3))
        assert np.isclose(got, right), (
            f"for {n} detections in random order AP is not {got:.3f}; go by hand through 4"
        )
    agree(average_precision, _average_precision, _draw_ranking)


@exercise(
    hints=(
        "For each threshold: how many detections of each tile are left, and how large is the count error "
        "then?",
        "errors = [count_error([len(f.above(t)) for f in found], true) for t in thresholds]; then "
        "thresholds[np.argmin(errors)].",
    )
)
def check_choose_for_counting(
    choose_for_counting: Callable[[list[Detections], list[Scene], Sequence[float]], float],
) -> None:
    thresholds = [0.2, 0.4, 0.6, 0.8]
    tiles = [_tile(2), _tile(2), _tile(0)]
    found = [_found(0.9, 0.7, 0.3), _found(0.9, 0.5), _found()]
    got = float(choose_for_counting(found, tiles, thresholds))
    assert any(np.isclose(got, thresholds)), f"return one of the thresholds, not {got:g}"
    assert got != 0.8, (
        "0.8 leaves one detection on each of the first two tiles; are you looking for the SMALLEST error?"
    )
    assert got != 0.2, (
        "at 0.2 the first tile has one too many, its weakest; another threshold is better: is it used at all?"
    )
    assert np.isclose(got, 0.4), (
        f"at {got:g} one tile or more is counted wrong; another one counts all three right"
    )
    cancels = [_found(0.9, 0.5, 0.5, 0.5), _found(0.9)]
    got = float(choose_for_counting(cancels, [_tile(2), _tile(3)], thresholds))
    assert got not in (0.2, 0.4), (
        "there the totals agree, but one tile has 2 too many and the other 2 too few: add up the mistakes "
        "of the tiles"
    )
    assert np.isclose(got, 0.6), (
        f"with mistakes that cancel, {got:g} is not the threshold of the smallest error"
    )
    agree(
        lambda scores, true, thresholds: choose_for_counting(
            [_found(*one) for one in scores], [_tile(n) for n in true], thresholds
        ),
        _choose_for_counting,
        _draw_counting,
        name="choose_for_counting, with the scores found, the true numbers and thresholds,",
    )


@exercise(
    hints=(
        "Three steps: from the centre to the corner, then into the image, then the label, by the rule of "
        "lesson 3.",
        "corners = np.round(points - 32).astype(int).clip(0, tile.width - 64); labels = "
        "patches.label(tile.centers, corners[:, 0], corners[:, 1]).",
    )
)
def check_hard_windows(hard_windows: Callable[[Scene, np.ndarray], Any]) -> None:
    tile = _tile(1)  # its aircraft has its centre at (110, 110)
    points = np.array([[300.4, 200.6], [115.0, 108.0], [3.0, 250.0], [500.0, 509.0]], np.float32)
    answer = hard_windows(tile, points)
    assert isinstance(answer, tuple), "return two things: corners, labels"
    assert len(answer) == 2, "return two things: corners, labels"
    corners, labels = (np.asarray(part) for part in answer)
    assert corners.shape == (4, 2), f"four points, so four corners (x, y); this is {corners.shape}"
    assert np.issubdtype(corners.dtype, np.integer), (
        f"corners cut an image, so they are whole numbers; these are {corners.dtype}: .astype(int)"
    )
    assert abs(int(corners[0, 0]) - 300) > 8, (
        "the point is the CENTRE of the window; its corner is 32 pixels before"
    )
    assert np.abs(corners[0] - [268, 169]).max() <= 1, (
        f"the window around (300.4, 200.6) begins near (268, 169), not at {corners[0].tolist()}"
    )
    assert corners.min() >= 0, "a corner is negative: near the border, move the window into the image (clip)"
    assert corners.max() <= 448, "a window leaves the image: its corner is at most 512 - 64"
    assert labels.shape == (4,), f"one label for each point; these are {labels.shape}"
    right = patches.label(tile.centers, corners[:, 0], corners[:, 1])
    assert right[1] == labels[1], (
        "the second point is a false alarm 5 pixels from an aircraft (a second circle on it): its window "
        "DOES show an aircraft. Ask patches.label, do not assume"
    )
    assert np.array_equal(labels, right), (
        f"the labels should be {right.tolist()}, these are {labels.tolist()}"
    )
    moved = Scene(tile.image, np.array([[0, 240, 16, 260]], np.float32), "moved", "x")
    points = np.array([[20.0, 250.0]], np.float32)
    corners, labels = (np.asarray(part) for part in hard_windows(moved, points))
    assert labels[0] == 0, (
        "at the border the window moved into the image, and now the aircraft is outside of its core: "
        "compute the labels from the corners AFTER the clip"
    )
    agree(
        lambda points, centers: hard_windows(_tile_at(centers), points),
        _hard_windows,
        _draw_points,
        name="hard_windows, with the points and the centres of the aircraft,",
    )


@exercise(
    hints=(
        "Which tiles will tell you at the end how good the detector is on a new airport?",
        "Whatever you train on, or choose with, cannot judge any more.",
    )
)
def check_which_tiles(answer: str) -> None:
    _choice(
        answer,
        right="a",
        hints={
            "b": "the threshold is chosen on the validation tiles: trained on their mistakes, the network "
            "would be too sure of itself there, and the threshold would not fit new places",
            "c": "then the test tiles were used for training, and no honest tile is left to judge with",
            "d": "more examples are better, but some tiles must stay unseen; which ones?",
        },
    )


def _windows_in(size: int, stride: int) -> int:
    return len(range(0, size - 63, stride)) ** 2


def _corner_score(window: np.ndarray) -> float:
    """A score that tells where the window was cut, and how large it is."""
    assert window.shape == (64, 64, 3), f"score got a window of {window.shape}, not (64, 64, 3)"
    return float(window[0, 0] @ (1.0, 0.01, 0.0001) + window[-1, -1, 0] * 1000.0)


def _slide(image: np.ndarray, stride: int) -> np.ndarray:
    height, width = image.shape[:2]
    rows, columns = range(0, height - 63, stride), range(0, width - 63, stride)
    return np.array([[_corner_score(image[y : y + 64, x : x + 64]) for x in columns] for y in rows])


def _draw_image(rng: np.random.Generator, size: int) -> tuple[np.ndarray, int]:
    sides = 64 + rng.integers(0, 12 * size, 2)
    return rng.integers(0, 256, (*sides, 3), dtype=np.uint8), int(rng.integers(1, 24))


def _draw_place(rng: np.random.Generator, size: int) -> tuple[int, int, int]:
    i, j, stride = rng.integers((0, 0, 1), (8 * size, 8 * size, 65)).tolist()
    return i, j, stride


def _find_peaks(scores: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    rows, columns = scores.shape
    return [
        (i, j)
        for i, j in np.ndindex(rows, columns)
        if scores[i, j] >= threshold
        and not (scores[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2] > scores[i, j]).any()
    ]


def _draw_map(rng: np.random.Generator, size: int) -> tuple[np.ndarray, float]:
    """Small maps without ties, which the text leaves open; the threshold is one of the scores, or higher."""
    shape = rng.integers(1, 3 + size, 2)
    scores = rng.permutation(shape.prod()).reshape(shape) / 100
    return scores, float(rng.choice([*scores.ravel(), 2.0]) if rng.random() < 0.7 else 0)


def _suppress(centers: np.ndarray, scores: np.ndarray, min_distance: float) -> list[int]:
    keep: list[int] = []
    for i in np.argsort(-scores):
        if all(np.hypot(*(centers[i] - centers[k])) > min_distance for k in keep):
            keep.append(int(i))
    return keep


def _draw_spots(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Crowded along both axes and slanted, so that several stay and several go."""
    count = int(rng.integers(0, 3 + size))
    centers = (rng.random((count, 2)) * 70).round(1)
    return centers, rng.permutation(count) / 10, float(rng.integers(5, 40)) + 0.05


def _pair(found: np.ndarray, truth: np.ndarray, radius: float = 16) -> list[int]:
    pairs: list[int] = []
    for x, y in found:
        free = [k for k in range(len(truth)) if k not in pairs]
        far = {k: float(np.hypot(truth[k, 0] - x, truth[k, 1] - y)) for k in free}
        best = min(far, key=lambda k: far[k], default=-1)
        pairs.append(best if far.get(best, np.inf) <= radius else -1)
    return pairs


def _draw_pairs(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray, float]:
    truth = (rng.random((int(rng.integers(0, 2 + size)), 2)) * 60).round(1)
    found = (rng.random((int(rng.integers(0, 3 + size)), 2)) * 60).round(1)
    return found, truth, float(rng.choice([4.05, 10.05, 16.05, 30.05]))


def _draw_counts(rng: np.random.Generator, size: int) -> tuple[list[int], list[int]]:
    found, true = rng.integers(0, 9, (2, int(rng.integers(1, 3 + size)))).tolist()
    return found, true


def _average_precision(hits: Sequence[bool], n_true: int) -> float:
    return sum(sum(hits[: k + 1]) / (k + 1) for k in range(len(hits)) if hits[k]) / n_true


def _draw_ranking(rng: np.random.Generator, size: int) -> tuple[list[bool], int]:
    hits = (rng.random(int(rng.integers(0, 3 + size))) < 0.6).tolist()
    return hits, max(1, sum(hits) + int(rng.integers(0, 4)))


def _choose_for_counting(scores: list[list[float]], true: list[int], thresholds: list[float]) -> float:
    def wrong(threshold: float) -> int:
        return sum(abs(sum(s >= threshold for s in one) - n) for one, n in zip(scores, true, strict=True))

    return min(thresholds, key=wrong)


def _draw_counting(rng: np.random.Generator, size: int) -> tuple[list[list[float]], list[int], list[float]]:
    """Tiles, and thresholds in no order, of which one only has the smallest error."""
    while True:
        true = rng.integers(0, 5, int(rng.integers(1, 3 + size))).tolist()
        levels = [0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85]
        scores = [
            sorted(rng.choice(levels, int(rng.integers(0, 8)), replace=False), reverse=True) for _ in true
        ]
        thresholds = rng.permutation([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])[: 3 + size % 4].tolist()
        errors = [
            sum(abs(sum(s >= t for s in one) - n) for one, n in zip(scores, true, strict=True))
            for t in thresholds
        ]
        if errors.count(min(errors)) == 1:
            return [[float(s) for s in one] for one in scores], true, thresholds


def _hard_windows(points: np.ndarray, centers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    corners = np.round(points - 32).astype(int).clip(0, 448)
    return corners, patches.label(centers, corners[:, 0], corners[:, 1])


def _draw_points(rng: np.random.Generator, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Points near aircraft and near the border; never half-way between two pixels, where rounding is open."""
    centers = rng.integers(0, 512, (int(rng.integers(1, 2 + size)), 2)).astype(np.float32)
    near = centers[rng.integers(0, len(centers), 2 * size)] + rng.integers(-40, 41, (2 * size, 2))
    return near.clip(0, 511) + np.float32(0.2), centers


def _choice(answer: Any, *, right: str, hints: dict[str, str]) -> None:
    """A letter, upper or lower case."""
    letter = str(answer).strip().strip(")").lower()
    assert letter in {right, *hints}, f"answer with one letter, a to d, in quotes; this is {answer!r}"
    assert letter == right, f"not {letter}: {hints.get(letter)}"


def _positions(answer: Any) -> set[tuple[int, int]]:
    """Rows and columns, from a list of pairs, an array (N, 2), or the two arrays of np.nonzero."""
    assert answer is not None, "the function returns None: the line `return` is missing"
    if isinstance(answer, tuple) and all(isinstance(part, np.ndarray) for part in answer):
        answer = np.stack(answer, axis=1)
    return {(int(i), int(j)) for i, j in answer}


def _indices(answer: Any) -> list[int]:
    assert answer is not None, "the function returns None: the line `return` is missing"
    return sorted(int(index) for index in answer)


_EMPTY = np.zeros((512, 512, 3), np.uint8)  # of all tiles: where answers are judged apart it travels once


def _tile(aircraft: int) -> Scene:
    """An empty tile with so many boxes in a row; the centre of the first is at (110, 110)."""
    boxes = np.array([[90 + 60 * k, 90, 130 + 60 * k, 130] for k in range(aircraft)], np.float32)
    return Scene(_EMPTY, boxes.reshape(-1, 4), "tile", "site")


def _tile_at(centers: np.ndarray) -> Scene:
    """An empty tile with aircraft at these centres."""
    boxes = np.concatenate([centers - 8, centers + 8], axis=1).astype(np.float32)
    return Scene(_EMPTY, boxes, "tile", "site")


def _found(*scores: float) -> Detections:
    centers = np.array([[110 + 60 * k, 110] for k in range(len(scores))], np.float32).reshape(-1, 2)
    return Detections(centers=centers, scores=np.array(scores, np.float32))
