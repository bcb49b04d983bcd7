"""Rendered aircraft: shapes stay within their kind, boxes are tight, paint and shadow fall right."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airfield.light import Sun
from airfield.liveries import random_livery
from airfield.planes import Plane, paint, paint_shadow, random_plane
from airfield.planforms import KINDS, random_kind

SIZE = 100  # metres: a canvas that holds the largest aircraft
GROUND = 128
FIXED_WING = [name for name, kind in KINDS.items() if kind.is_aircraft]
NOON = Sun(azimuth=0.0, elevation=math.radians(89.9))


def plane_of(kind: str | None = None, *, seed: int = 0, heading: float = 0.0, **options: object) -> Plane:
    plane = random_plane(np.random.default_rng(seed), kind, **options)  # type: ignore[arg-type]
    return plane.at(SIZE / 2, SIZE / 2, heading)


def painted(plane: Plane, sun: Sun = NOON, *, size: int = SIZE, **options: object) -> np.ndarray:
    canvas = np.full((size * 2, size * 2, 3), GROUND, np.uint8)
    paint(canvas, plane, sun, **options)  # type: ignore[arg-type]
    return canvas


def touched(canvas: np.ndarray) -> np.ndarray:
    """x0, y0, x1, y1 in metres of the pixels that are no longer ground."""
    rows, columns = np.nonzero((np.abs(canvas.astype(int) - GROUND) > 25).any(axis=2))
    return np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]) / 2


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_stays_within_its_ranges(kind: str) -> None:
    rng = np.random.default_rng(1)
    (short, long), (narrow, wide) = KINDS[kind].range_of("length"), KINDS[kind].range_of("span")
    for plane in [random_plane(rng, kind) for _ in range(20)]:
        assert short <= plane.length <= long
        assert narrow <= plane.span <= wide


@pytest.mark.parametrize(
    ("kind", "length", "span"),
    [
        ("narrow_body", (29, 48), (25, 40)),
        ("wide_body", (52, 76), (46, 67)),
        ("four_engine", (61, 77), (58, 67)),
        ("double_deck", (70, 76), (75, 82)),
        ("regional_jet", (25, 47), (19, 34)),
        ("light_single", (7, 10), (8, 13)),
    ],
)
def test_ranges_are_those_of_real_types(
    kind: str, length: tuple[float, float], span: tuple[float, float]
) -> None:
    for measure, (least, most) in (("length", length), ("span", span)):
        low, high = KINDS[kind].range_of(measure)
        assert least <= low <= high <= most


@pytest.mark.parametrize("kind", FIXED_WING)
def test_box_is_as_long_and_wide_as_the_aircraft_says(kind: str) -> None:
    plane = plane_of(kind, seed=2)
    x0, y0, x1, y1 = plane.box()
    assert x1 == pytest.approx(plane.nose[0], abs=0.01)
    assert x1 - x0 == pytest.approx(plane.length, rel=0.08)
    assert y1 - y0 == pytest.approx(plane.span, rel=0.06)


def test_a_turning_rotor_does_not_count_for_the_box_of_a_helicopter() -> None:
    planes = [plane_of("helicopter", seed=seed) for seed in range(20)]
    turning = [plane for plane in planes if (plane.mesh.alpha < 1).any()]
    assert 0 < len(turning) < len(planes)
    for plane in turning:
        x0, y0, x1, y1 = plane.box()
        assert x1 - x0 == pytest.approx(plane.length, abs=0.01)
        assert y1 - y0 < 0.5 * plane.span


@pytest.mark.parametrize("kind", FIXED_WING)
@pytest.mark.parametrize("heading", [0.0, 0.7, 2.5, 4.4])
def test_paint_fills_the_box_and_nothing_beyond_it(kind: str, heading: float) -> None:
    plane = plane_of(kind, seed=3, heading=heading, livery="white")
    box = plane.box()
    seen = touched(painted(plane))
    assert np.all(seen[:2] >= box[:2] - 1.6)  # a propeller may reach out of the planform
    assert np.all(seen[2:] <= box[2:] + 1.6)
    assert np.all(np.abs(seen - box) <= 2.1)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    x=st.floats(-500, 500),
    y=st.floats(-500, 500),
    heading=st.floats(-math.pi, math.pi),
)
def test_box_moves_with_the_aircraft_and_holds_the_nose(
    seed: int, x: float, y: float, heading: float
) -> None:
    plane = random_plane(np.random.default_rng(seed)).at(x, y, heading)
    x0, y0, x1, y1 = plane.box()
    assert x0 - 0.1 <= plane.nose[0] <= x1 + 0.1
    assert y0 - 0.1 <= plane.nose[1] <= y1 + 0.1
    assert math.dist(plane.nose, (x, y)) == pytest.approx(plane.length / 2, rel=1e-6)
    moved = plane.at(x + 7, y - 3, heading).box()
    np.testing.assert_allclose(moved - plane.box(), [7, -3, 7, -3], atol=1e-3)
    turned = plane.at(x, y, heading + math.pi).box()
    mirrored = np.array([2 * x - x1, 2 * y - y1, 2 * x - x0, 2 * y - y0])
    np.testing.assert_allclose(turned, mirrored, atol=1e-3)


def test_no_two_aircraft_are_alike() -> None:
    rng = np.random.default_rng(4)
    shapes = {random_plane(rng, "narrow_body").shape for _ in range(50)}
    assert len(shapes) == 50


def test_the_same_seed_gives_the_same_pixels() -> None:
    one, two = (painted(plane_of(seed=5, heading=1.0), Sun(1.0, 0.7)) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_default_mixture_is_that_of_an_airport() -> None:
    rng = np.random.default_rng(6)
    kinds = [random_kind(rng) for _ in range(4000)]
    wide = sum(kinds.count(k) for k in ("wide_body", "four_engine", "double_deck")) / len(kinds)
    assert max(set(kinds), key=kinds.count) == "narrow_body"
    assert 0.20 <= wide <= 0.28
    assert "helicopter" not in kinds
    assert set(kinds) == set(KINDS) - {"helicopter"}


@pytest.mark.parametrize("max_span", [9.5, 14.0, 25.0, 36.0, 62.0])
def test_max_span_is_kept(max_span: float) -> None:
    rng = np.random.default_rng(7)
    assert all(random_plane(rng, max_span=max_span).span <= max_span for _ in range(60))


@pytest.mark.parametrize("kind", KINDS)
def test_only_the_helicopter_is_no_aircraft(kind: str) -> None:
    assert plane_of(kind).is_aircraft == (kind != "helicopter")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "zeppelin"}, "zeppelin.*choose one of narrow_body"),
        ({"max_span": 5.0}, "max_span=5.0 m; the smallest needs"),
        ({"kind": "wide_body", "max_span": 30.0}, "no wide_body fits max_span=30.0"),
        ({"livery": "tartan"}, "tartan.*choose one of camouflage"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        random_plane(np.random.default_rng(0), **options)
    assert "\n" not in str(caught.value)


def test_shadow_falls_away_from_the_sun() -> None:
    plane = plane_of("narrow_body")
    west = np.zeros((2 * SIZE, 2 * SIZE), np.uint8)
    paint_shadow(west, plane, Sun(azimuth=math.pi, elevation=math.pi / 4))  # the sun is on the left
    columns = np.nonzero(west.any(axis=0))[0] / 2
    box = plane.box()
    assert west.max() == 255
    assert columns.max() > plane.nose[0] + 2
    assert columns.min() > box[0] + 1


def test_a_lower_sun_casts_a_longer_shadow() -> None:
    reach = []
    for elevation in (60, 40, 20):
        mask = np.zeros((2 * SIZE, 2 * SIZE), np.uint8)
        paint_shadow(mask, plane_of("wide_body"), Sun(-math.pi / 2, math.radians(elevation)))
        reach.append(np.nonzero(mask.any(axis=1))[0].max())
    assert reach[0] < reach[1] < reach[2]


def test_the_side_of_the_fuselage_away_from_the_sun_is_darker() -> None:
    plane = plane_of("wide_body", livery="white")
    canvas = painted(plane, Sun(azimuth=-math.pi / 2, elevation=math.radians(35))).mean(axis=2)  # from above
    row, ahead = SIZE, int((plane.nose[0] - 12) * 2)
    side = round(0.40 * plane.shape.width * 2)
    assert canvas[row - side, ahead] > canvas[row + side, ahead] + 40


def test_the_fuselage_shades_the_wing_behind_it() -> None:
    plane = plane_of("narrow_body", livery="white")
    low, high = (painted(plane, Sun(-math.pi / 2, math.radians(e))).mean(axis=2) for e in (25, 80))
    column = SIZE - round(0.05 * plane.length)  # mid-wing
    below = SIZE + round(0.75 * plane.shape.width * 2)
    assert low[below - 1 : below + 2, column].min() < high[below - 1 : below + 2, column].min() - 40


def test_an_oblique_view_shows_the_side_of_the_fin() -> None:
    plane = plane_of("narrow_body", livery="white")
    upright, oblique = (painted(plane, Sun(0.0, 0.8), lean=lean) for lean in ((0.0, 0.0), (0.0, -0.5)))
    assert touched(oblique)[1] <= touched(upright)[1] + 0.5
    rear = slice(int(plane.box()[0] * 2), int((plane.box()[0] + 8) * 2))
    assert not np.array_equal(upright[:, rear], oblique[:, rear])


@pytest.mark.parametrize(
    ("low", "high"), [("dark", "white"), ("low_contrast", "white"), ("dark", "low_contrast")]
)
def test_liveries_go_from_dark_to_bright(low: str, high: str) -> None:
    means = []
    for livery in (low, high):
        canvas = painted(plane_of("wide_body", livery=livery)).astype(float)
        means.append(canvas[np.abs(canvas - GROUND).max(axis=2) > 0].mean())
    assert means[0] < means[1] - 15


def test_a_livery_can_be_shared_by_two_aircraft() -> None:
    livery = random_livery(np.random.default_rng(0), scheme="coloured")
    assert plane_of(seed=1, livery=livery).livery is plane_of(seed=2, livery=livery).livery is livery


@pytest.mark.parametrize(("x", "y"), [(0, 0), (SIZE, SIZE / 2), (SIZE / 2, -10), (-400, 50), (50, 5000)])
def test_an_aircraft_may_lie_outside_the_canvas(x: float, y: float) -> None:
    plane = plane_of("wide_body").at(x, y, 0.6)
    whole = painted(plane.at(x + SIZE, y + SIZE, 0.6), size=3 * SIZE) if abs(x) + abs(y) < 300 else None
    part = painted(plane)
    mask = np.zeros(part.shape[:2], np.uint8)
    paint_shadow(mask, plane, Sun(1.0, 0.6))
    if whole is None:
        assert (part == GROUND).all()
        assert not mask.any()
    else:
        shown = whole[2 * SIZE : 4 * SIZE, 2 * SIZE : 4 * SIZE]
        assert (part != GROUND).any()
        assert np.abs(part.astype(int) - shown).mean() < 0.1  # edges differ by the rounding of float32


def test_boxes_are_as_large_as_the_annotators() -> None:
    rng = np.random.default_rng(8)
    boxes = [random_plane(rng).at(0, 0, rng.uniform(0, 7)).box() for _ in range(400)]
    sides = [max(b[2] - b[0], b[3] - b[1]) for b in boxes]
    assert 30 < np.median(sides) < 50  # metres; of real aircraft at busy airports
    assert min(sides) > 6
    assert max(sides) < 90
