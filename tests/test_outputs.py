"""What is written for an image: JSON and GeoJSON in the pixels of the file or on the map, and a picture."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from aircraft import InputError
from aircraft.cli import outputs
from aircraft.detection import Detections
from aircraft.imagery import ArrayImage, Resampled

FOUND = Detections(np.array([[100, 50], [30.25, 90]], np.float32), np.array([0.9, 0.5], np.float32))
NONE = Detections(np.zeros((0, 2), np.float32), np.zeros(0, np.float32))


def image(width: int = 200, height: int = 150) -> ArrayImage:
    return ArrayImage(np.full((height, width, 3), 100, np.uint8), "apron.png")


def georeferenced(epsg: int | None) -> ArrayImage:
    source = image()
    source.transform = (1.0, 0.0, 5000.0, 0.0, -1.0, 9000.0)
    source.crs = SimpleNamespace(to_epsg=lambda: epsg, to_wkt=lambda: "LOCAL_CS[]")
    return source


def test_json_has_the_documented_keys():
    assert outputs.to_json(FOUND, image(), threshold=0.4) == {
        "image": "apron.png",
        "width": 200,
        "height": 150,
        "threshold": 0.4,
        "detections": [
            {"x": 100.0, "y": 50.0, "score": 0.9, "box": [68.0, 18.0, 132.0, 82.0]},
            {"x": 30.25, "y": 90.0, "score": 0.5, "box": [-1.75, 58.0, 62.25, 122.0]},
        ],
    }


def test_positions_are_in_the_pixels_of_the_file():
    result = outputs.to_json(FOUND, Resampled(image(400, 300), 0.5), threshold=0.4)
    assert (result["width"], result["height"]) == (400, 300)
    assert result["detections"][0] == {
        "x": 200.0,
        "y": 100.0,
        "score": 0.9,
        "box": [136.0, 36.0, 264.0, 164.0],
    }


def test_geojson_is_in_pixels_without_a_georeference():
    result = outputs.to_geojson(FOUND, image())
    assert "crs" not in result
    first = result["features"][0]
    assert first["geometry"]["coordinates"] == [[[68, 18], [68, 82], [132, 82], [132, 18], [68, 18]]]
    assert first["properties"] == {"score": 0.9, "x": 100.0, "y": 50.0}


@pytest.mark.parametrize(
    ("epsg", "name"), [(32631, "urn:ogc:def:crs:EPSG::32631"), (4326, None), (None, "LOCAL_CS[]")]
)
def test_geojson_is_on_the_map_with_one(epsg, name):
    result = outputs.to_geojson(FOUND, georeferenced(epsg))
    assert result.get("crs", {}).get("properties", {}).get("name") == name
    assert result["features"][0]["geometry"]["coordinates"][0][0] == [5068.0, 8982.0]
    assert result["features"][0]["properties"]["x"] == 100.0


def test_a_picture_has_a_box_around_each_aircraft():
    picture = outputs.draw(FOUND, image())
    assert picture.shape == (150, 200, 3)
    assert (picture[50, 68] == outputs.COLOR).all()
    assert (picture[18, 100] == outputs.COLOR).all()
    assert (picture[50, 100] == 100).all()


def test_a_large_image_is_drawn_reduced():
    pixels = np.zeros((900, 1201, 3), np.uint8)
    pixels[:, 600:] = 200
    picture = outputs.draw(NONE, ArrayImage(pixels), largest=300)
    assert picture.shape == (180, 240, 3)
    assert picture[0, 119, 0] == 0
    assert picture[0, 120, 0] == 200


def test_a_reduced_picture_does_not_depend_on_the_pieces_it_is_read_in():
    pixels = np.random.default_rng(0).integers(0, 256, (2300, 2600, 3), dtype=np.uint8)
    picture = outputs.draw(NONE, ArrayImage(pixels), largest=1300)
    np.testing.assert_array_equal(picture, cv2.resize(pixels, (1300, 1150), interpolation=cv2.INTER_AREA))


def test_three_files_are_written(tmp_path):
    paths = outputs.write(tmp_path / "out", "apron", FOUND, image(), threshold=0.4)
    assert [path.name for path in paths] == ["apron.json", "apron.geojson", "apron.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(path.name for path in paths)
    assert len(json.loads(paths[0].read_text())["detections"]) == 2
    assert json.loads(paths[1].read_text())["type"] == "FeatureCollection"
    written = cv2.imread(str(paths[2]))[:, :, ::-1]
    np.testing.assert_array_equal(written, outputs.draw(FOUND, image()))


def test_the_picture_says_who_wrote_it_and_stays_the_same(tmp_path):
    _, _, path = outputs.write(tmp_path, "apron", FOUND, image(), threshold=0.4)
    written = Image.open(path)
    written.verify()  # the checksums of all chunks
    assert Image.open(path).text == {"Software": "aircraft"}


def test_a_georeference_without_numbers_is_refused_and_nothing_is_written(tmp_path):
    source = georeferenced(32631)
    source.transform = (float("nan"), 0.0, 5000.0, 0.0, -1.0, 9000.0)
    with pytest.raises(InputError, match=r"apron\.png: its georeference makes no sense .*; mend it"):
        outputs.write(tmp_path / "out", "apron", FOUND, source, threshold=0.4)
    assert not (tmp_path / "out").exists()


def test_an_image_without_aircraft_gives_empty_lists(tmp_path):
    paths = outputs.write(tmp_path, "empty", NONE, image(), threshold=0.4)
    assert json.loads(paths[0].read_text())["detections"] == []
    assert json.loads(paths[1].read_text())["features"] == []
