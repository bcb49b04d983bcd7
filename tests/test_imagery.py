"""Reading images: every mode that is safe becomes 8-bit RGB, the others end in one clear line."""

import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aircraft import InputError, imagery
from aircraft.imagery import ArrayImage, Resampled, sources

rasterio = pytest.importorskip("rasterio")
PIXELS = np.random.default_rng(0).integers(0, 256, (70, 90, 3), dtype=np.uint8)
UTM = rasterio.crs.CRS.from_epsg(32631)


def save(path: Path, pixels: np.ndarray, mode: str | None = None) -> Path:
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path)
    return path


def save_tiff(path: Path, bands: np.ndarray, **profile: object) -> Path:
    """bands (C, H, W)."""
    count, height, width = bands.shape
    colors, palette = profile.pop("colorinterp", None), profile.pop("palette", None)
    shape = {"width": width, "height": height, "count": count, "dtype": bands.dtype}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(path, "w", driver="GTiff", **shape, **profile) as file:
            file.write(bands)
            if colors:
                file.colorinterp = [rasterio.enums.ColorInterp[name] for name in colors]
            if palette:
                file.write_colormap(1, palette)
    return path


def rgb_bands() -> np.ndarray:
    return PIXELS.transpose(2, 0, 1).copy()


def with_alpha(alpha: int) -> np.ndarray:
    return np.dstack([PIXELS, np.full(PIXELS.shape[:2], alpha, np.uint8)])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.TIFF", "wrong.jpg"])
def test_rgb_files_come_back_as_they_are(tmp_path, name):
    path = tmp_path / name
    if path.suffix.lower().startswith(".tif"):
        save_tiff(path, rgb_bands(), tiled=True, blockxsize=32, blockysize=32)
    else:
        Image.fromarray(PIXELS).save(path, format="PNG")  # the content counts, not the name
    source = imagery.open_image(path)
    assert (source.width, source.height, source.name, source.gsd) == (90, 70, name, 1)
    assert source.transform is None
    assert source.crs is None
    np.testing.assert_array_equal(imagery.read(path), PIXELS)
    np.testing.assert_array_equal(source.read(10, 20, 50, 65), PIXELS[20:65, 10:50])


@pytest.mark.filterwarnings("error")
def test_a_jpeg_is_read_as_pillow_reads_it(tmp_path):
    path = save(tmp_path / "a.jpg", PIXELS)
    np.testing.assert_array_equal(imagery.read(path), np.asarray(Image.open(path)))


@pytest.mark.filterwarnings("error")
def test_an_opaque_alpha_channel_is_dropped_silently(tmp_path):
    np.testing.assert_array_equal(imagery.read(save(tmp_path / "a.png", with_alpha(255))), PIXELS)
    bands = with_alpha(255).transpose(2, 0, 1)
    path = save_tiff(tmp_path / "a.tif", bands, photometric="RGB", alpha="yes")
    np.testing.assert_array_equal(imagery.read(path), PIXELS)


def test_a_transparent_one_is_dropped_with_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="partly transparent"):
        np.testing.assert_array_equal(imagery.read(save(tmp_path / "a.png", with_alpha(7))), PIXELS)
    bands = with_alpha(7).transpose(2, 0, 1)
    path = save_tiff(tmp_path / "a.tif", bands, photometric="RGB", alpha="yes")
    with pytest.warns(UserWarning, match="partly transparent"):
        np.testing.assert_array_equal(imagery.read(path), PIXELS)


@pytest.mark.parametrize("name", ["grey.png", "grey.jpg", "grey.tif", "la.png", "bits.png"])
def test_grey_is_repeated_with_a_warning(tmp_path, name):
    path, grey = tmp_path / name, PIXELS[:, :, 0]
    if name == "grey.tif":
        save_tiff(path, grey[None])
    elif name == "la.png":
        save(path, np.dstack([grey, np.full_like(grey, 255)]))
    elif name == "bits.png":
        grey = np.where(grey > 127, 255, 0).astype(np.uint8)
        save(path, grey, "1")
    else:
        save(path, grey)
    with pytest.warns(UserWarning, match="a grey image, repeated in three channels"):
        pixels = imagery.read(path)
    assert pixels.shape == PIXELS.shape
    assert (pixels == pixels[:, :, :1]).all()
    if not name.endswith("jpg"):
        np.testing.assert_array_equal(pixels[:, :, 0], grey)


def test_palettes_become_their_colours(tmp_path):
    index = (PIXELS[:, :, 0] % 4).astype(np.uint8)
    colors = np.array([[255, 0, 0], [0, 255, 0], [1, 2, 3], [9, 9, 9]], np.uint8)
    image = Image.fromarray(index, mode="P")
    image.putpalette(colors.tobytes())
    image.save(tmp_path / "a.png")
    np.testing.assert_array_equal(imagery.read(tmp_path / "a.png"), colors[index])
    palette = {i: (*color.tolist(), 255) for i, color in enumerate(colors)}
    save_tiff(tmp_path / "a.tif", index[None], palette=palette)
    np.testing.assert_array_equal(imagery.read(tmp_path / "a.tif"), colors[index])


def test_named_bands_of_a_tiff_are_found_by_name_and_others_taken_in_order(tmp_path):
    swapped = save_tiff(tmp_path / "bgr.tif", rgb_bands()[::-1], colorinterp=["blue", "green", "red"])
    np.testing.assert_array_equal(imagery.read(swapped), PIXELS)
    five = np.concatenate([rgb_bands(), rgb_bands()[:2]])
    path = save_tiff(tmp_path / "five.tif", five, photometric="MINISBLACK")
    with pytest.warns(UserWarning, match="the first three are taken as RGB"):
        np.testing.assert_array_equal(imagery.read(path), PIXELS)


def test_a_georeference_is_kept_and_its_pixel_size_used(tmp_path):
    transform = rasterio.Affine(0.5, 0, 500000, 0, -0.5, 4600000)
    path = save_tiff(tmp_path / "a.tif", rgb_bands(), crs=UTM, transform=transform)
    with pytest.warns(UserWarning, match=r"0\.5 m per pixel by its georeference"):
        source = imagery.open_image(path)
    assert (source.width, source.height, source.gsd) == (45, 35, 0.5)
    assert source.crs == UTM
    assert source.transform[:6] == (1, 0, 500000, 0, -1, 4600000)
    raw = imagery.open_image(path, gsd=1)
    assert (raw.width, raw.transform) == (90, transform)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("crs", [UTM, rasterio.crs.CRS.from_epsg(4326)])
def test_one_metre_or_degrees_leave_the_pixels_alone(tmp_path, crs):
    path = save_tiff(tmp_path / "a.tif", rgb_bands(), crs=crs, transform=rasterio.Affine(1, 0, 5, 0, -1, 6))
    assert imagery.open_image(path).width == 90


def test_half_a_metre_becomes_the_mean_of_two_by_two():
    means = PIXELS.reshape(35, 2, 45, 2, 3).astype(float).mean(axis=(1, 3))
    source = Resampled(ArrayImage(PIXELS), 0.5)
    np.testing.assert_array_equal(source.read(0, 0, 45, 35), np.rint(means))


def test_two_metres_are_interpolated_linearly():
    ramp = np.repeat(np.arange(0, 80, 8, dtype=np.uint8)[None, :, None], 4, axis=0).repeat(3, axis=2)
    pixels = Resampled(ArrayImage(ramp), 2.0).read(0, 0, 20, 8)
    assert pixels[0, :, 0].tolist() == [0, *range(2, 72, 4), 72]


@given(gsd=st.floats(0.2, 3), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_window_of_a_resampled_image_is_a_crop_of_the_whole(gsd, data):
    source = Resampled(ArrayImage(PIXELS), gsd)
    assert abs(source.width - 90 * gsd) <= 1
    x0 = data.draw(st.integers(0, source.width - 1))
    x1 = data.draw(st.integers(x0 + 1, source.width))
    y0 = data.draw(st.integers(0, source.height - 1))
    y1 = data.draw(st.integers(y0 + 1, source.height))
    whole = source.read(0, 0, source.width, source.height)
    np.testing.assert_array_equal(source.read(x0, y0, x1, y1), whole[y0:y1, x0:x1])


def test_folders_are_replaced_by_their_images(tmp_path):
    for name in ("b.png", "a.JPG", ".hidden.png", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    single = tmp_path / "notes.txt"
    assert [path.name for path in imagery.find([tmp_path, single])] == ["a.JPG", "b.png", "notes.txt"]


def _bad_file(folder: Path, kind: str) -> Path:
    path = folder / f"{kind}.png"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("this is no image")
    elif kind == "truncated":
        save(path, PIXELS)
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "truncated tiff":
        save_tiff(path, rgb_bands())
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "cut tiff":
        path.write_bytes(b"II*\0\x08")
    elif kind == "grey16":
        save(path, PIXELS[:, :, 0].astype(np.uint16) * 100)
    elif kind == "tiff16":
        save_tiff(path, rgb_bands().astype(np.uint16))
    elif kind == "float tiff":
        save_tiff(path, rgb_bands().astype(np.float32))
    elif kind == "cmyk":
        Image.fromarray(PIXELS).convert("CMYK").save(path, format="JPEG")
    elif kind == "two bands":
        save_tiff(path, rgb_bands()[:2])
    elif kind == "gif":
        Image.fromarray(PIXELS[:, :, 0]).save(path, format="GIF")
    elif kind == "rgb16":
        import cv2

        cv2.imwrite(str(path), PIXELS.astype(np.uint16) * 200)
    elif kind == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", "is empty"),
        ("text", "is not a PNG, JPEG or TIFF image"),
        ("gif", "is not a PNG, JPEG or TIFF image"),
        ("truncated", "is damaged"),
        ("truncated tiff", "damaged"),
        ("cut tiff", "not a readable TIFF"),
        ("grey16", "more than 8 bits a channel; convert it to 8 bits"),
        ("rgb16", "more than 8 bits a channel; convert it to 8 bits"),
        ("tiff16", "uint16 pixels, not 8 bits; convert it to 8 bits"),
        ("float tiff", "float32 pixels"),
        ("cmyk", "a CMYK image; convert it to 8-bit RGB"),
        ("two bands", "are not RGB"),
        ("folder", "is a folder"),
    ],
)
def test_a_bad_file_ends_in_one_line_that_names_it(tmp_path, kind, message):
    path = _bad_file(tmp_path, kind)
    with pytest.raises(InputError, match=message) as error:
        imagery.read(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_files_and_empty_folders_are_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.png: no such file"):
        imagery.open_image(tmp_path / "nowhere.png")
    with pytest.raises(FileNotFoundError, match="nowhere: no such file or folder"):
        imagery.find([tmp_path / "nowhere"])
    with pytest.raises(InputError, match="no image in this folder"):
        imagery.find([tmp_path])
    with pytest.raises(InputError, match="no image was given"):
        imagery.find([])


def test_an_image_bomb_is_refused_before_it_is_decoded(tmp_path, monkeypatch):
    path = save(tmp_path / "bomb.png", PIXELS)
    monkeypatch.setattr(sources, "MAX_PIXELS", 1000)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    with pytest.raises(InputError, match="90 x 70 pixels is too much for a PNG or JPEG") as error:
        imagery.open_image(path)
    assert "tiled GeoTIFF" in str(error.value)


def test_an_image_between_pillows_limit_and_ours_is_read(tmp_path, monkeypatch):
    path = save(tmp_path / "large.png", PIXELS)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    np.testing.assert_array_equal(imagery.read(path), PIXELS)
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_a_tiff_without_rasterio_says_what_to_install(tmp_path, monkeypatch):
    path = save_tiff(tmp_path / "a.tif", rgb_bands())
    monkeypatch.setitem(sys.modules, "rasterio", None)
    with pytest.raises(InputError, match="pip install rasterio"):
        imagery.open_image(path)


@pytest.mark.parametrize("gsd", [0, -1, float("nan"), float("inf")])
def test_an_impossible_pixel_size_is_refused(gsd):
    with pytest.raises(InputError, match="is not a pixel size"):
        Resampled(ArrayImage(PIXELS), gsd)


@pytest.mark.parametrize("image", [np.zeros((9, 9), np.uint8), np.zeros((9, 9, 4), np.uint8), PIXELS / 255])
def test_an_array_that_is_not_8_bit_rgb_is_refused(image):
    with pytest.raises(InputError, match="convert it to 8-bit RGB"):
        imagery.as_source(image)


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA"])
def test_a_picture_is_kept_in_its_own_mode_and_made_rgb_window_by_window(tmp_path, mode):
    Image.new(mode, (300, 200)).save(tmp_path / "a.png")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        source = imagery.open_image(tmp_path / "a.png", gsd=1)
    assert source._image.mode == mode  # a byte a pixel for grey: a whole RGB copy would take three more
    assert source.read(10, 20, 40, 30).shape == (10, 30, 3)


def test_a_path_in_place_of_an_image_is_told_to_open_it_first():
    with pytest.raises(InputError, match=r"scene.tif is a path; open it first"):
        imagery.as_source("scene.tif")
