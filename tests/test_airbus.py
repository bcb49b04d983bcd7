"""Reading the real scenes: layout, averaging, sites, and what is said when something does not fit."""

import os
import sys
import types

import numpy as np
import pytest
from PIL import Image

from aircraft import InputError
from aircraft.datasets import airbus

SQUARE = "[(20, 20), (60, 20), (60, 70), (20, 70), (20, 20)]"
EDGE = "[(180, 10), (205, 10), (205, 50), (180, 50), (180, 10)]"


@pytest.fixture(autouse=True)
def _no_folder_set(monkeypatch):
    monkeypatch.delenv(airbus.ENVIRONMENT, raising=False)


@pytest.fixture
def root(tmp_path):
    """Two tiny scenes of 200 x 200 raw pixels, at one airport each."""
    (tmp_path / "images").mkdir()
    rng = np.random.default_rng(0)
    for name in "ab":
        pixels = rng.integers(0, 256, (200, 200, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{name}.jpg", quality=95)
    annotate(tmp_path, [("b.jpg", SQUARE, "Airplane"), ("a.jpg", SQUARE, "Airplane")])
    (tmp_path / "airports.csv").write_text("image_id,airport\na.jpg,A\nb.jpg,B\n")
    return tmp_path


def read(root):
    return [airbus.read(entry) for entry in airbus.index(root)]


def annotate(root, rows, header="id,image_id,geometry,class"):
    lines = [f'{i},{image},"{geometry}",{kind}' for i, (image, geometry, kind) in enumerate(rows)]
    (root / "annotations.csv").write_text("\n".join([header, *lines]) + "\n")


def test_scenes_are_averaged_2x2_with_halves_rounded_up(root):
    raw = np.asarray(Image.open(root / "images" / "a.jpg")).astype(int)
    mean = (raw[::2, ::2] + raw[1::2, ::2] + raw[::2, 1::2] + raw[1::2, 1::2] + 2) // 4
    scene = read(root)[0]
    assert (scene.name, scene.site) == ("a", "A")
    assert (scene.image == mean).all()
    assert scene.boxes.tolist() == [[10, 10, 30, 35]]


def test_truncated_aircraft_are_ignored_and_clipped(root):
    annotate(root, [("a.jpg", SQUARE, "Airplane"), ("a.jpg", EDGE, "Truncated_airplane")])
    (scene,) = read(root)
    assert scene.boxes.tolist() == [[10, 10, 30, 35]]
    assert scene.ignore.tolist() == [[90, 5, 100, 25]]


def test_an_aircraft_annotated_twice_counts_once(root):
    again, neighbour = SQUARE.replace("(20", "(24"), SQUARE.replace("20", "50").replace("60", "90")
    annotate(root, [("a.jpg", box, "Airplane") for box in (SQUARE, again, neighbour)])
    (scene,) = read(root)
    assert scene.boxes.tolist() == [[10, 10, 30, 35], [25, 25, 45, 35]]


def test_without_airports_each_scene_is_a_site_and_a_warning_says_what_leaks(root):
    (root / "airports.csv").unlink()
    with pytest.warns(UserWarning, match="train and test.*write airports.csv"):
        scenes = read(root)
    assert [scene.site for scene in scenes] == ["a", "b"]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("c.jpg", SQUARE, "Airplane"), "line 3: images/c.jpg is missing"),
        (("../a.jpg", SQUARE, "Airplane"), "line 3: images/../a.jpg is missing"),
        (("a.jpg", SQUARE, "Bird"), "line 3: unknown class 'Bird'"),
        (("a" * 5000 + ".jpg", SQUARE, "Airplane"), "line 3: images/aaa.*.jpg is missing"),
        (("a\0.jpg", SQUARE, "Airplane"), r"line 3: images/a\\x00.jpg is missing"),
        (("a.jpg", "[" * 20_000, "Airplane"), "line 3: geometry .* is not an upright rectangle"),
        (("a.jpg", "-" * 20_000 + "1", "Airplane"), "line 3: geometry .* is not an upright rectangle"),
        (
            ("a.jpg", SQUARE.replace("60", "1" + "0" * 400), "Airplane"),
            "line 3: geometry .* is not an upright",
        ),
        (
            ("a.jpg", SQUARE.replace("60", "1" + "0" * 5000), "Airplane"),
            "line 3: geometry .* is not an upright",
        ),
        (("a.jpg", SQUARE.replace("60", "1e400"), "Airplane"), r"line 3: the box \[20.0, 20.0, inf, 70.0\]"),
        (("a.jpg", "[(1, 2), (3", "Airplane"), "line 3: geometry .* is not an upright rectangle"),
        (("a.jpg", "[(1, 2), (3, 4)]", "Airplane"), "line 3: geometry .* is not an upright rectangle"),
        (
            ("a.jpg", SQUARE.replace("(60, 70)", "(70, 80)"), "Airplane"),
            "line 3: geometry .* is not an upright",
        ),
        (
            ("a.jpg", SQUARE.replace(", (20, 20)]", ", (20, 21)]"), "Airplane"),
            "line 3: geometry .* is not an upright",
        ),
        (
            ("a.jpg", "[(5, 5), (5, 5), (5, 5), (5, 5), (5, 5)]", "Airplane"),
            "line 3: geometry .* is not an upright",
        ),
        (
            ("a.jpg", EDGE.replace("205", "211"), "Airplane"),
            r"line 3: the box \[180.0, 10.0, 211.0, 50.0\] is outside the image of 200 x 200",
        ),
        (("a.jpg", EDGE.replace("205", "208").replace("180", "202"), "Airplane"), r"line 3: the box \[202"),
    ],
)
def test_a_row_that_does_not_fit_is_named_by_file_and_line(root, row, message):
    annotate(root, [("a.jpg", SQUARE, "Airplane"), row])
    with pytest.raises(InputError, match=rf"annotations.csv {message}"):
        read(root)


def test_an_odd_image_is_refused(root):
    Image.new("RGB", (201, 200)).save(root / "images" / "a.jpg")
    with pytest.raises(
        InputError, match=r"a.jpg .*annotations.csv line 3.*201 x 200 pixels; both must be even"
    ):
        read(root)


@pytest.mark.parametrize("damage", ["truncated", "text", "empty"])
def test_an_unreadable_image_is_named(root, damage):
    path = root / "images" / "a.jpg"
    whole = path.read_bytes()
    path.write_bytes({"truncated": whole[: len(whole) // 2], "text": b"<html>", "empty": b""}[damage])
    with pytest.raises(InputError, match=r"a.jpg \(.*annotations.csv line 3\): cannot be read"):
        read(root)


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        (
            "annotations.csv",
            "id,image_id,class\n1,a.jpg,Airplane\n",
            "annotations.csv line 2: no geometry; line 1 names image_id,geometry,class",
        ),
        ("annotations.csv", "", "annotations.csv: no annotations in it"),
        ("annotations.csv", "image_id,geometry,class\n", "annotations.csv: no annotations in it"),
        (
            "annotations.csv",
            "image_id,geometry,class\na.jpg\n",
            "annotations.csv line 2: no geometry; .*download it again",
        ),
        (
            "airports.csv",
            "image_id,airport\na.jpg,A\nb.jpg,\n",
            "airports.csv line 3: no airport; line 1 names image_id,airport, each line gives them",
        ),
        (
            "airports.csv",
            "image_id,airport\nb.jpg,B\n",
            "airports.csv: a.jpg is not in it; write a line `a.jpg,",
        ),
        ("airports.csv", "image_id,airport\n", "airports.csv: b.jpg is not in it"),
        (
            "annotations.csv",
            "image_id;geometry;class\n1;2;3\n",
            "line 2: no image_id; line 1 names image_id,geo",
        ),
        ("annotations.csv", "image_id,geometry,class\n" + "1" * 200_000, "annotations.csv: not a csv file"),
        (
            "annotations.csv",
            'image_id,geometry,class\n"a\nb.jpg",1,Airplane',
            r"line 3: images/a\\nb.jpg is missing",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_named(root, file, text, message):
    (root / file).write_text(text)
    with pytest.raises(InputError, match=message):
        read(root)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("annotations.csv", "annotations.csv is a pipe or a device"),
        ("images/a.jpg", "annotations.csv line 3: images/a.jpg is missing"),
    ],
)
def test_pipes_are_not_waited_for(root, name, message):
    (root / name).unlink()
    os.mkfifo(root / name)
    with pytest.raises(InputError, match=message):
        read(root)


def test_a_table_that_is_no_text_is_named(root):
    (root / "annotations.csv").write_bytes(b"\xff\xfe\x00\x81" * 50)
    with pytest.raises(InputError, match=r"annotations.csv: not a csv file"):
        read(root)


def test_images_without_annotations_are_left_out(root):
    annotate(root, [("a.jpg", SQUARE, "Airplane")])
    assert [scene.name for scene in read(root)] == ["a"]


def test_the_folder_may_be_above_and_may_come_from_the_environment(root, monkeypatch):
    assert airbus.find_root(root.parent) == root or (root.parent / root.name) == root
    monkeypatch.setenv(airbus.ENVIRONMENT, str(root))
    assert airbus.find_root() == root


def test_a_folder_inside_the_given_one_is_found(tmp_path):
    inner = tmp_path / "versions" / "3"
    (inner / "images").mkdir(parents=True)
    (inner / "annotations.csv").touch()
    assert airbus.find_root(tmp_path) == inner


def test_kagglehub_is_asked_when_nothing_is_given(root, monkeypatch):
    asked = []
    fake = types.ModuleType("kagglehub")
    fake.dataset_download = lambda handle: asked.append(handle) or str(root)
    monkeypatch.setitem(sys.modules, "kagglehub", fake)
    assert airbus.find_root() == root
    assert asked == [airbus.KAGGLE]


def test_without_folder_and_kagglehub_the_message_says_what_to_do(monkeypatch):
    monkeypatch.setitem(sys.modules, "kagglehub", None)  # as if it were not installed
    with pytest.raises(InputError, match=r"root=FOLDER.*AIRCRAFT_AIRBUS_DIR.*pip install kagglehub"):
        airbus.find_root()


@pytest.mark.parametrize("make", [[], ["annotations.csv"]])
def test_an_empty_folder_is_refused(tmp_path, make):
    for name in make:
        (tmp_path / name).touch()
    with pytest.raises(FileNotFoundError, match=r"no annotations.csv beside images/ in it"):
        airbus.find_root(tmp_path)
    with pytest.raises(FileNotFoundError, match="no such folder"):
        airbus.find_root(tmp_path / "nowhere")


@pytest.mark.airbus
def test_the_shared_sample_has_80_scenes_of_15_airports(airbus_root):
    entries = airbus.index(airbus_root)
    assert (len(entries), len({entry.site for entry in entries})) == (80, 15)
    assert sum(len(entry.boxes) for entry in entries) == 2621
    (scene,) = [airbus.read(entry) for entry in entries if entry.site == "I"]
    assert scene.image.shape == (1280, 1280, 3)
    assert len(scene.boxes) == 46
