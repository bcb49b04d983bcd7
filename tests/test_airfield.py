"""The renderer: same arguments same bytes, true boxes, every kind of place, a sensor; it stands alone."""

import ast
import math
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import cv2
import numpy as np
import pytest

import airfield
from aircraft import InputError
from aircraft.datasets import synthetic
from airfield import ArgumentError, drawing, layout, render, scenery, sites
from airfield import sensor as sensors
from airfield.airports import AIRPORTS
from airfield.drawing import Frame, Strip, arc, rectangle, rounded
from airfield.ground import paint_ground
from airfield.places import PLACES
from airfield.planforms import KINDS
from airfield.scenery import paint_view, random_view
from airfield.textures import sample, texture

SIZE = 192
SOURCES = sorted(Path(airfield.__file__).parent.glob("*.py"))


@pytest.fixture(scope="module")
def scenes() -> list:
    return [render(site=site, size=SIZE) for site in range(12)]


def _site(kind: str, seed: int = 0) -> layout.Site:
    rng = np.random.default_rng(seed)
    site = sites.new_site(rng, kind, difficulty=1.0)
    (AIRPORTS | PLACES)[kind][0](site)
    return site


def test_the_same_arguments_give_the_same_bytes():
    first = render(site=3, view=1, size=SIZE, seed=5)
    cv2.setNumThreads(2)
    again = render(site=3, view=1, size=SIZE, seed=5)
    assert first.image.tobytes() == again.image.tobytes()
    assert first.boxes.tobytes() == again.boxes.tobytes()


@pytest.mark.parametrize("change", [{"site": 4}, {"view": 2}, {"seed": 6}, {"difficulty": 2.0}])
def test_every_argument_changes_the_picture(change):
    plain = {"site": 3, "view": 1, "size": SIZE, "seed": 5, "difficulty": 1.0}
    assert not np.array_equal(render(**plain).image, render(**(plain | change)).image)


@pytest.mark.parametrize("size", [64, 200, 257])
def test_a_scene_is_a_square_of_the_size_asked_for(size):
    scene = render(site=1, size=size)
    assert scene.image.shape == (size, size, 3)
    assert scene.image.dtype == np.uint8
    assert scene.site == "synthetic-0-0001"


def test_boxes_have_their_centre_inside_and_ignored_ones_stay_within_the_image(scenes):
    assert sum(len(scene.boxes) for scene in scenes) > 5
    for scene in scenes:
        centers = (scene.boxes[:, :2] + scene.boxes[:, 2:]) / 2
        assert ((centers >= 0) & (centers < SIZE)).all()
        assert ((scene.ignore >= 0) & (scene.ignore <= SIZE)).all()


def test_headings_and_kinds_are_those_of_the_boxes(scenes):
    for scene in scenes:
        assert len(scene.headings) == len(scene.kinds) == len(scene.boxes)
        assert ((scene.headings >= 0) & (scene.headings < 360)).all()
        assert set(scene.kinds) <= {name for name, kind in KINDS.items() if kind.is_aircraft}
    assert len({kind for scene in scenes for kind in scene.kinds}) > 1


def test_a_box_is_as_wide_as_the_aircraft_is_long_where_it_points_along_x(monkeypatch):
    """And as high where it points along y; the aircraft that were painted say how long they are."""
    painted = []

    def spy(site: layout.Site, view: scenery.View) -> tuple:
        canvas, planes = paint_view(site, view)
        painted.append((planes, view.frame.size))
        return canvas, planes

    monkeypatch.setattr(scenery, "paint_view", spy)
    along_x = along_y = 0
    for site in (2, 9, 12, 16, 34):
        scene = render(site, size=1024, difficulty=0.0)
        planes, metres = painted.pop()
        enlarged = 1024 / metres
        for box, heading, kind in zip(scene.boxes, scene.headings, scene.kinds, strict=True):
            middle = (box[:2] + box[2:]) / 2
            plane = min(planes, key=lambda p: math.dist((p.x * enlarged, p.y * enlarged), middle))
            assert (plane.kind, math.degrees(plane.heading) % 360) == (kind, pytest.approx(heading, abs=1e-3))
            width, height = (box[2:] - box[:2]) / enlarged
            if heading % 180 < 2 or heading % 180 > 178:
                along_x += 1
                assert width == pytest.approx(plane.length, rel=0.08)
            elif 88 < heading % 180 < 92:
                along_y += 1
                assert height == pytest.approx(plane.length, rel=0.08)
    assert along_x > 5
    assert along_y > 5


def test_a_box_holds_something_other_than_its_surroundings():
    scene = render(site=2, size=512, difficulty=0.0)
    grey = scene.image.astype(float).mean(axis=2)
    x0, y0, x1, y1 = scene.boxes.clip(0, 512).astype(int).T
    inside = [grey[a:b, c:d].std() for a, b, c, d in zip(y0, y1, x0, x1, strict=True)]
    assert len(inside) > 0
    assert np.median(inside) > np.median([grey[y : y + 32, x : x + 32].std() for y, x in _grid(512)])


def test_views_of_a_site_share_the_map_and_the_place():
    site, rng = _site("piers"), np.random.default_rng(0)
    one, two = (random_view(site, rng, SIZE).frame for _ in range(2))
    assert one.angle == two.angle == site.angle
    assert abs(one.x - two.x) <= 200
    assert render(site=0, view=0, size=64).site == render(site=0, view=9, size=64).site


@pytest.mark.parametrize("kind", [*AIRPORTS, *PLACES])
def test_every_kind_of_place_can_be_painted(kind):
    site = _site(kind)
    canvas, planes = paint_view(site, random_view(site, np.random.default_rng(1), 256))
    assert canvas.shape == (512, 512, 3)
    assert canvas.std() > 3
    assert not (kind in PLACES and planes)


def test_about_one_site_in_six_has_no_airport():
    kinds = [sites.make_site(np.random.default_rng([0, site, 1]), 1.0).kind for site in range(60)]
    share = np.mean([kind in PLACES for kind in kinds])
    assert 0.05 < share < 0.3
    assert set(kinds) > {"piers", "linear", "curved"}


def test_a_harder_world_has_more_haze_and_cloud():
    def veil(difficulty: float) -> float:
        draw = [sensors.random_sensor(np.random.default_rng(i), difficulty) for i in range(200)]
        return float(np.mean([s.haze + s.cloud for s in draw]))

    assert veil(0.0) < veil(1.0) < veil(2.0)


def test_an_aircraft_under_cloud_is_ignored_and_not_a_background():
    found = 0
    for view in range(14):
        rng = np.random.default_rng([0, 8, 2, view])
        place = sites.make_site(np.random.default_rng([0, 8, 1]), 2.0)
        date = random_view(place, rng, round(SIZE / place.enlarged))
        camera = sensors.random_sensor(rng, 2.0)
        cloud = sensors.cloud_cover(camera, date.frame)
        if cloud is None:
            continue
        cloud = cv2.resize(cloud, (SIZE, SIZE))
        found += 1
        scene = render(site=8, view=view, size=SIZE, difficulty=2.0)
        for box in scene.boxes.clip(0, SIZE).astype(int):
            assert (cloud[box[1] : box[3], box[0] : box[2]] > 0.6).mean() < 0.6
    assert found > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"site": 0, "size": 32}, "size=32"),
        ({"site": 0, "size": 5000}, "size=5000"),
        ({"site": -1}, "negative"),
        ({"site": 0, "view": -2}, "negative"),
        ({"site": 0, "seed": -2}, "negative"),
        ({"site": 0, "difficulty": 3.0}, "difficulty=3.0"),
        ({"site": 0, "difficulty": float("nan")}, "difficulty=nan"),
    ],
)
def test_arguments_out_of_range_say_what_is_wrong(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        render(**arguments)
    with pytest.raises(InputError, match=message):  # as the commands report it
        synthetic.render(**arguments)


def test_textures_tile_and_have_mean_zero_and_spread_one():
    for name in ("cloud", "grain", "slab", "canopy", "furrow", "patchy", "streak", "blotch"):
        field = texture(name)
        assert abs(float(field.mean())) < 0.2
        assert 0.6 < float(field.std()) < 1.2
    seam = np.abs(texture("cloud")[:, 0] - texture("cloud")[:, -1]).mean()
    assert seam < 0.2


def test_a_texture_stays_on_the_ground_when_the_window_moves():
    one, two = Frame(0.4, 100, 100, 96), Frame(0.4, 110, 95, 96)
    a, b = sample("blotch", 96, one.to_map()), sample("blotch", 96, two.to_map())
    np.testing.assert_allclose(a[5:96, 0:86], b[0:91, 10:96], atol=0.25)


def test_a_frame_and_its_inverse_agree():
    frame = Frame(1.1, 40, -20, 100)
    points = np.random.default_rng(0).uniform(-300, 300, (20, 2))
    back = np.c_[frame.scene(points), np.ones(20)] @ frame.to_map().T
    np.testing.assert_allclose(back, points, atol=1e-9)


def test_a_strip_covers_its_width_on_both_sides_and_skips_repeated_points():
    strip = Strip(np.array([[0, 0], [10, 0], [10, 0], [30, 0]]), 8)
    assert strip.length == 30
    np.testing.assert_allclose(strip.at(np.array([15.0]), np.array([4.0])), [[15, 4]])
    assert sum(cv2.contourArea(p.astype(np.float32)) for p in strip.pieces()) == pytest.approx(240)


def test_shapes_have_the_size_asked_for():
    assert np.ptp(rectangle(0, 0, 10, 4), axis=0).tolist() == [10, 4]
    assert np.allclose(np.hypot(*arc(0, 0, 5, 0, 6.28).T), 5)
    square = rectangle(0, 0, 10, 10)
    assert cv2.contourArea(rounded(square, 3, closed=True).astype(np.float32)) < 100


def test_ground_without_stains_is_the_colour_of_its_material():
    site = _site("fields")
    site.areas, site.stains = site.areas[:1], []
    ground = paint_ground(site, Frame(0, 64, 64, 128))
    np.testing.assert_allclose(ground.mean((0, 1)), site.areas[0].colour, rtol=0.15)


def _grid(size: int) -> list[tuple[int, int]]:
    return [(y, x) for y in range(0, size - 32, 32) for x in range(0, size - 32, 32)]


# -------------------------------------------------------------------------------------------- it stands alone


def test_rendering_needs_numpy_and_opencv_alone():
    """In a fresh process no part of the house, no torch and no SciPy is loaded."""
    code = (
        "import airfield, sys; airfield.render(0, size=128); "
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    command = [sys.executable, "-c", code]
    loaded = set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())
    assert {"airfield", "numpy", "cv2"} <= loaded
    assert not loaded & {"torch", "aircraft", "aircraft_course", "aircraft_bench", "scipy", "sklearn"}


def test_importing_it_is_quick_because_opencv_waits():
    command = [sys.executable, "-c", "import airfield, sys; print('cv2' in sys.modules)"]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "False"


def test_it_imports_nothing_but_numpy_opencv_and_itself():
    for path in SOURCES:
        found = {name.split(".")[0] for name in _imported(path)}
        assert found - sys.stdlib_module_names <= {"numpy", "cv2", "airfield"}, path.name


def test_no_circle_of_imports():
    """Not even among the imports inside functions."""
    modules = {f"airfield.{path.stem}" for path in SOURCES} - {"airfield.__init__"} | {"airfield"}
    graph = {}
    for path in SOURCES:
        name = "airfield" if path.stem == "__init__" else f"airfield.{path.stem}"
        graph[name] = {found for found in _imported(path) if found in modules}
    assert graph["airfield"], "the package draws with its modules"
    assert set(TopologicalSorter(graph).static_order()) == modules  # CycleError names a circle


def _imported(path: Path) -> Iterator[str]:
    """Names of modules that a file imports anywhere: `from airfield import sites` is airfield.sites."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            members = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from members if node.module == "airfield" else [node.module]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_callers_threads_are_as_before(threads, monkeypatch):
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(threads)
        render(0, size=64)
        assert cv2.getNumThreads() == threads
        with pytest.raises(ArgumentError):
            render(0, size=1)
        assert cv2.getNumThreads() == threads
        monkeypatch.setattr(scenery, "paint_view", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            render(0, size=64)
        assert cv2.getNumThreads() == threads
    finally:
        cv2.setNumThreads(before)


def test_one_rectangle_is_that_of_many_to_the_last_bit():
    drawn = np.random.default_rng(0).uniform(-500, 500, (200, 5))
    many = drawing.rectangles(*drawn.T)
    assert np.array_equal([drawing.rectangle(*map(float, row)) for row in drawn], many)
