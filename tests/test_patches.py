"""The labelling rule, where windows are sampled, and how a scene is cut into tiles."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aircraft import InputError, patches
from aircraft.datasets import synthetic
from aircraft.patches import Patches
from aircraft.scenes import Scene


def make_scene(size: int = 400, aircraft: int = 6, seed: int = 0, **kwargs) -> Scene:
    """Noise on the left (clutter), even ground on the right, boxes of 40 m anywhere."""
    rng = np.random.default_rng(seed)
    image = np.full((size, size, 3), 90, np.uint8)
    image[:, : size // 4] = rng.integers(1, 255, (size, size // 4, 3))
    corners = rng.uniform(0, size - 40, (aircraft, 2))
    return Scene(image, np.hstack([corners, corners + 40]), "noise", "N", **kwargs)


@pytest.mark.parametrize(
    ("center", "expected"),
    [
        ((16, 16), 1),  # the first point of the core
        ((47.99, 47.99), 1),
        ((48, 30), 0),  # the core is half open
        ((30, 48), 0),
        ((15.99, 30), 0),
        ((30, 15.5), 0),
        ((-5, 200), 0),
    ],
)
def test_a_patch_is_an_aircraft_if_a_centre_lies_in_its_core(center, expected):
    labels = patches.label(np.array([center]), np.array([0]), np.array([0]))
    assert labels.tolist() == [expected]
    assert labels.dtype == np.uint8


def test_without_aircraft_every_label_is_0():
    assert patches.label(np.zeros((0, 2)), np.arange(5), np.arange(5)).tolist() == [0] * 5


@given(
    centers=st.lists(st.tuples(st.floats(0, 300), st.floats(0, 300)), min_size=1, max_size=5),
    corner=st.tuples(st.integers(0, 236), st.integers(0, 236)),
)
def test_the_label_is_the_rule_written_as_a_loop(centers, corner):
    x, y = corner
    expected = any(x + 16 <= cx < x + 48 and y + 16 <= cy < y + 48 for cx, cy in centers)
    assert patches.label(np.array(centers), np.array([x]), np.array([y]))[0] == expected


def test_cut_gives_the_windows_in_order_as_copies():
    image = np.random.default_rng(0).integers(0, 255, (100, 120, 3), dtype=np.uint8)
    windows = patches.cut(image, np.array([0, 56, 3]), np.array([0, 36, 7]))
    assert windows.shape == (3, 64, 64, 3)
    assert (windows[1] == image[36:100, 56:120]).all()
    assert (windows[2] == image[7:71, 3:67]).all()
    assert not np.shares_memory(windows, image)


def test_every_aircraft_is_used_equally_often_and_every_window_shows_one():
    scene = make_scene()
    corners, repeats = patches.sample_positive(scene, 6 * 4 + 2, np.random.default_rng(1))
    assert len(corners) == 26
    assert patches.label(scene.centers, *corners.T).all()
    assert len(np.unique(corners, axis=0)) == 26
    assert np.bincount(repeats).tolist() == [6, 6, 6, 6, 2]


def test_the_centre_is_uniform_in_the_core():
    scene = Scene(np.zeros((200, 200, 3), np.uint8), np.array([[80, 80, 121, 121]]), "one", "A")
    corners, repeats = patches.sample_positive(scene, 32 * 32, np.random.default_rng(0))
    inside = scene.centers - corners
    assert sorted(set(np.floor(inside[:, 0]).astype(int))) == list(range(16, 48))
    assert len(corners) == 1024  # each position once: exactly uniform
    assert repeats.tolist() == list(range(1024))


def test_windows_run_out_after_1024_views_of_one_aircraft():
    scene = Scene(np.zeros((200, 200, 3), np.uint8), np.array([[80, 80, 120, 120]]), "one", "A")
    assert len(patches.sample_positive(scene, 2000, np.random.default_rng(0))[0]) == 1024


@given(seed=st.integers(0, 50), size=st.integers(64, 200))
def test_windows_stay_in_the_image(seed, size):
    scene = make_scene(size=size, aircraft=3, seed=seed)
    rng = np.random.default_rng(seed)
    found = np.concatenate(
        [patches.sample_positive(scene, 20, rng)[0], patches.sample_negative(scene, 20, rng)]
    )
    assert ((found >= 0) & (found <= size - 64)).all()


def test_an_aircraft_at_the_border_cannot_be_the_subject():
    boxes = np.array([[0, 50, 30, 80], [80, 80, 120, 120]])
    scene = Scene(np.zeros((200, 200, 3), np.uint8), boxes, "border", "A")
    assert patches.usable(scene) == 1
    corners, _ = patches.sample_positive(scene, 50, np.random.default_rng(0))
    assert patches.label(scene.centers[1:], *corners.T).all()


@pytest.mark.parametrize(("aircraft", "n"), [(0, 5), (5, 0)])
def test_no_aircraft_or_no_wish_gives_no_windows(aircraft, n):
    corners, repeats = patches.sample_positive(make_scene(aircraft=aircraft), n, np.random.default_rng(0))
    assert corners.shape == (0, 2)
    assert repeats.shape == (0,)


def test_background_is_background_and_each_window_differs():
    scene = make_scene()
    corners = patches.sample_negative(scene, 300, np.random.default_rng(0))
    assert corners.shape == (300, 2)
    assert not patches.label(scene.centers, *corners.T).any()
    assert len(np.unique(corners, axis=0)) == 300


def test_half_of_the_background_is_near_aircraft_or_clutter():
    scene = make_scene(size=800)
    corners = patches.sample_negative(scene, 400, np.random.default_rng(0))
    distance = np.abs(corners[:, None] + 32 - scene.centers).max(axis=2).min(axis=1)
    assert (distance[:100] <= patches.AROUND + 1).all()
    assert (corners[100:200, 0] < 200).mean() > 0.95  # the noisy quarter of the image
    assert (corners[200:, 0] < 200).mean() < 0.5


def test_without_aircraft_clutter_fills_the_near_half():
    scene = make_scene(size=800, aircraft=0)
    corners = patches.sample_negative(scene, 100, np.random.default_rng(0))
    assert len(corners) == 100
    assert (corners[:50, 0] < 200).mean() > 0.95


def test_no_background_window_touches_a_truncated_aircraft():
    scene = make_scene(ignore=np.array([[150, 0, 220, 60], [0, 300, 40, 400]]))
    x, y = patches.sample_negative(scene, 500, np.random.default_rng(0)).T
    for x0, y0, x1, y1 in scene.ignore:
        assert not ((x < x1) & (x + 64 > x0) & (y < y1) & (y + 64 > y0)).any()


def test_black_windows_are_rare():
    image = np.zeros((500, 500, 3), np.uint8)
    image[:, :200] = 100
    scene = Scene(image, np.zeros((0, 4)), "half", "A")
    corners = patches.sample_negative(scene, 200, np.random.default_rng(0))
    black = (patches.cut(image, *corners.T).any(axis=3).mean(axis=(1, 2)) < 0.45).sum()
    assert len(corners) == 200
    assert 0 < black <= 5


@pytest.mark.parametrize(("size", "most"), [(60, 0), (64, 1)])
def test_a_small_scene_gives_what_it_has(size, most):
    scene = Scene(np.full((size, size, 3), 9, np.uint8), np.zeros((0, 4)), "small", "A")
    assert len(patches.sample_negative(scene, 10, np.random.default_rng(0))) == most


@pytest.mark.parametrize(
    ("width", "height", "corners"),
    [
        (512, 512, [(0, 0)]),
        (1280, 1280, [(0, 0), (768, 0), (0, 768), (768, 768)]),
        (1100, 600, [(0, 0), (588, 0)]),
        (500, 1280, []),
    ],
)
def test_tiles_cover_a_scene_without_overlap(width, height, corners):
    scene = Scene(np.zeros((height, width, 3), np.uint8), np.zeros((0, 4)), "s", "A")
    names = [f"s@{x},{y}" for x, y in corners]
    tiles = patches.cut_tiles(scene)
    assert [tile.name for tile in tiles] == names
    assert all(tile.image.shape == (512, 512, 3) for tile in tiles)


def test_patches_are_indexed_by_arrays_slices_and_masks():
    images = np.zeros((4, 64, 64, 3), np.uint8)
    data = Patches(images, np.array([0, 1, 0, 1], np.uint8), np.array(list("aabb")))
    assert len(data) == 4
    assert data[np.array([3, 0])].sites.tolist() == ["b", "a"]
    assert data[1:].labels.tolist() == [1, 0, 1]
    assert len(data[data.labels == 1]) == 2


@pytest.mark.parametrize(
    ("shape", "labels", "message"),
    [((4, 32, 32, 3), 4, r"\(4, 32, 32, 3\)"), ((4, 64, 64, 3), 3, "4, 3 and 4")],
)
def test_patches_that_do_not_fit_together_are_refused(shape, labels, message):
    with pytest.raises(InputError, match=message):
        Patches(np.zeros(shape, np.uint8), np.zeros(labels, np.uint8), np.array(["a"] * 4))


@pytest.mark.parametrize(
    ("images", "words"),
    [
        ([[0]], "is a list; pass a numpy array"),
        (np.zeros((64, 64, 3), np.uint8), r"images\[None\]"),
        (np.zeros((5, 64, 64), np.uint8), "grey"),
        (np.zeros((5, 64, 64, 1), np.uint8), "grey"),
        (np.zeros((5, 64, 64, 4), np.uint8), "RGBA"),
        (np.zeros((5, 3, 64, 64), np.uint8), r"transpose\(0, 2, 3, 1\)"),
        (np.zeros((5, 32, 32, 3), np.uint8), "resize"),
        (np.zeros((5, 64, 64, 3), np.uint16), "16 bit"),
        (np.zeros((5, 64, 64, 3), np.int64), r"astype\(np.uint8\)"),
        (np.zeros((5, 64, 64, 3), np.float32), r"\* 255"),
        (np.full((5, 64, 64, 3), np.nan), "NaN"),
    ],
)
def test_unusable_images_are_refused_with_a_hint(images, words):
    with pytest.raises(InputError, match=f"^mine .*{words}"):
        patches.check_images(images, "mine")


# ---- scenes ----


def test_a_rendered_scene_knows_headings_and_kinds_and_a_crop_keeps_those_of_its_aircraft():
    scene = synthetic.render(site=2, size=512)
    assert len(scene.headings) == len(scene.kinds) == len(scene.boxes) > 0
    x, y = (scene.centers[0] - 100).clip(0, 312).astype(int)
    crop = scene.crop(int(x), int(y), 200)
    inside = ((scene.centers >= [x, y]) & (scene.centers < [x + 200, y + 200])).all(axis=1)
    assert 0 < inside.sum() < len(scene.boxes)
    assert crop.headings.tolist() == scene.headings[inside].tolist()
    assert crop.kinds.tolist() == scene.kinds[inside].tolist()
    assert make_scene().crop(0, 0, 64).headings is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"image": [[0]]}, "apron: an image is a numpy array .*, not a list"),
        ({"image": np.zeros((9, 9), np.uint8)}, r"this one is \(9, 9\) uint8; convert it to 8-bit RGB"),
        ({"image": np.zeros((9, 9, 3))}, "float64; convert it"),
        (
            {"boxes": np.array([[5, 5, 1, 9]])},
            r"apron: boxes\[0\] = .* is empty or outside the image of 9 x 9",
        ),
        ({"headings": np.zeros(2)}, "apron: 2 headings for 0 boxes"),
    ],
)
def test_a_scene_that_does_not_fit_together_is_refused(changes, message):
    whole = {"image": np.zeros((9, 9, 3), np.uint8), "boxes": np.zeros((0, 4)), "name": "apron", "site": "A"}
    with pytest.raises(InputError, match=message):
        Scene(**whole | changes)
