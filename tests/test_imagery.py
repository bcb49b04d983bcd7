"""Reading images: every mode that is safe becomes 8-bit RGB, the others end in one clear line."""

import contextlib
import sys
import tracemalloc
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from aircraft import InputError, imagery
from aircraft.imagery import ArrayImage, Resampled, sources
from bad_cases import of_images

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
def test_one_metre_leaves_the_pixels_alone(tmp_path):
    path = save_tiff(tmp_path / "a.tif", rgb_bands(), crs=UTM, transform=rasterio.Affine(1, 0, 5, 0, -1, 6))
    assert imagery.open_image(path).width == 90


@pytest.mark.parametrize("crs", [None, 'LOCAL_CS["x",UNIT["metre",1]]'])
def test_a_georeference_without_metres_leaves_the_pixels_alone_with_a_warning(tmp_path, crs):
    transform = rasterio.Affine(1e-5, 0, 5, 0, -1e-5, 45)
    path = save_tiff(tmp_path / "a.tif", rgb_bands(), crs=crs, transform=transform)
    with pytest.warns(UserWarning, match="no pixel size in metres in its georeference, taken as 1 m"):
        assert imagery.open_image(path).width == 90
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert imagery.open_image(path, gsd=0.5).width == 45


@pytest.mark.parametrize(
    ("place", "zone"),
    [((2.5, 48.8), 32631), ((-180, 1), 32601), ((151.2, -33.9), 32756), ((359, 10), 32630)],
)
def test_pixels_of_degrees_are_refused_with_the_zone_to_convert_them_to(tmp_path, place, zone):
    transform = rasterio.Affine(1e-5, 0, place[0], 0, -1e-5, place[1] + 1e-4)
    path = save_tiff(tmp_path / "a.tif", rgb_bands(), crs="EPSG:4326", transform=transform)
    with pytest.raises(InputError, match=f"pixels of degrees, not of metres; gdalwarp -t_srs EPSG:{zone} "):
        imagery.open_image(path)
    assert imagery.open_image(path, gsd=0.5).width == 45, "who knows better may say it"


def test_feet_turned_maps_and_web_mercator_are_known(tmp_path):
    feet = save_tiff(
        tmp_path / "feet.tif", rgb_bands(), crs="EPSG:2263", transform=rasterio.Affine(1, 0, 5, 0, -1, 6)
    )
    with pytest.warns(UserWarning, match=r"0\.304801 m per pixel"):
        assert imagery.open_image(feet).width == 27
    turned = rasterio.Affine.rotation(30) @ rasterio.Affine.scale(0.5, -0.5)
    with pytest.warns(UserWarning, match=r"0\.5 m per pixel"):
        imagery.open_image(save_tiff(tmp_path / "turned.tif", rgb_bands(), crs=UTM, transform=turned))
    north = rasterio.Affine(1, 0, 0, 0, -1, 8399737.9)  # 60 degrees: a metre of the map is half a metre
    web = save_tiff(tmp_path / "web.tif", rgb_bands(), crs="EPSG:3857", transform=north)
    with pytest.warns(UserWarning, match=r"0\.50\d+ m per pixel"):
        imagery.open_image(web)


def test_coarse_pixels_are_resampled_with_a_warning(tmp_path):
    with pytest.warns(UserWarning, match="pixels of 2 m are coarse"):
        assert imagery.open_image(save(tmp_path / "a.png", PIXELS), gsd=2).width == 180


@pytest.mark.parametrize("gsd", [0.013, 0.3, 0.5, 1.4])
def test_resampling_in_pieces_gives_the_same_bits_as_at_once(monkeypatch, gsd):
    pixels = np.random.default_rng(1).integers(0, 256, (700, 900, 3), np.uint8)
    source = Resampled(ArrayImage(pixels), gsd)
    window = 0, 0, min(300, source.width), min(200, source.height)
    monkeypatch.setattr(sources, "PIECE", 10**12)
    whole = source.read(*window)
    for piece in (1000, 5000, 40_000):
        monkeypatch.setattr(sources, "PIECE", piece)
        np.testing.assert_array_equal(source.read(*window), whole)


class Endless:
    """A grey image of any size, made when it is read."""

    name, gsd, transform, crs, width, height = "endless", 1.0, None, None, 110_000, 110_000

    def read(self, x0: int, y0: int, x1: int, y1: int) -> np.ndarray:
        return np.full((y1 - y0, x1 - x0, 3), 90, np.uint8)


@pytest.mark.parametrize(("gsd", "side"), [(0.01, 12), (0.05, 200), (1.4, 4000)])
def test_resampling_takes_little_memory_whatever_the_pixel_size(gsd, side):
    source = Resampled(Endless(), gsd)
    tracemalloc.start()
    source.read(0, 0, side, side)
    peak = tracemalloc.get_traced_memory()[1] - side * side * 3
    tracemalloc.stop()
    assert peak < 150e6


def test_greys_of_which_0_is_white_are_turned(tmp_path):
    path = save_tiff(tmp_path / "a.tif", PIXELS[:, :, 0][None], photometric="MINISWHITE")
    with pytest.warns(UserWarning, match="a grey image"):
        np.testing.assert_array_equal(imagery.read(path)[:, :, 0], 255 - PIXELS[:, :, 0])


def test_what_is_masked_or_keyed_out_is_said(tmp_path):
    hidden = save_tiff(tmp_path / "a.tif", rgb_bands())
    with rasterio.open(hidden, "r+") as file:
        file.write_mask(PIXELS[:, :, 0] > 99)
    keyed = tmp_path / "keyed.png"
    Image.fromarray(PIXELS).save(keyed, transparency=(1, 2, 3))
    for path in (hidden, keyed):
        with pytest.warns(UserWarning, match="partly transparent"):
            np.testing.assert_array_equal(imagery.read(path), PIXELS)


def test_of_several_pictures_in_a_file_the_first_is_taken_with_a_warning(tmp_path):
    for name in ("a.png", "a.tif"):
        others = [Image.fromarray(255 - PIXELS), Image.fromarray(PIXELS // 2)]  # equal ones are one
        Image.fromarray(PIXELS).save(tmp_path / name, save_all=True, append_images=others)
        with pytest.warns(UserWarning, match="the first of 3 pictures is taken"):
            np.testing.assert_array_equal(imagery.read(tmp_path / name), PIXELS)


def test_bands_without_names_are_taken_as_rgb_with_a_warning(tmp_path):
    path = save_tiff(tmp_path / "a.tif", rgb_bands(), photometric="MINISBLACK")
    with pytest.warns(UserWarning, match="3 bands without names"):
        np.testing.assert_array_equal(imagery.read(path), PIXELS)


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.uint32, np.float32])
def test_more_than_8_bits_are_stretched_between_the_values_given(tmp_path, dtype):
    path = save_tiff(tmp_path / "a.tif", (rgb_bands().astype(dtype) * 10 + 200), tiled=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = imagery.open_image(path, stretch=(200, 2750), bands=(1, 2, 3))
    np.testing.assert_array_equal(source.read(0, 0, 90, 70), PIXELS)
    np.testing.assert_array_equal(source.read(7, 5, 40, 60), PIXELS[5:60, 7:40])
    half = imagery.open_image(path, stretch=(200, 2750), bands=(3, 2, 1)).read(0, 0, 90, 70)
    np.testing.assert_array_equal(half, PIXELS[..., ::-1])


@pytest.mark.parametrize("size", [60, 1500])
def test_without_values_two_percentiles_of_the_whole_image_are_taken_and_told(tmp_path, size):
    rng = np.random.default_rng(3)
    bands = rng.integers(1000, 3000, (4, size, size)).astype(np.uint16)
    bands[:, : size // 2, : size // 2] = 300
    path = save_tiff(tmp_path / "a.tif", bands)
    with pytest.warns(UserWarning, match=r"uint16 pixels, stretched from 300 to 29\d\d; --stretch LOW,HIGH"):
        source = imagery.open_image(path)
    low, high = source.stretch
    assert (low, high) == pytest.approx(np.percentile(bands[:3], (1, 99.5)), rel=0.01)
    whole = source.read(0, 0, size, size)
    assert (whole[0, 0] == 0).all()
    assert whole.max() == 255


def test_where_there_is_no_data_the_image_is_black_and_the_stretch_does_not_see_it(tmp_path):
    bands = (rgb_bands().astype(np.float32) + 100) * 3
    for hole in (-9999.0, np.nan):
        bands[:, 20:40, :30] = hole
        path = save_tiff(tmp_path / f"{hole}.tif", bands, nodata=hole)
        with pytest.warns(UserWarning, match="float32 pixels, stretched from 30"):
            pixels = imagery.read(path)
        assert (pixels[20:40, :30] == 0).all()
        assert pixels[50:].mean() > 100
    white = rgb_bands()
    white[:, :10] = 255
    path = save_tiff(tmp_path / "white.tif", white, nodata=255)
    assert (imagery.read(path)[:10] == 0).all()


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"bands": (1, 2)}, r"bands \[1, 2\] of 3; give those of red, green and blue, counted from 1"),
        ({"bands": (0, 1, 2)}, "counted from 1"),
        ({"bands": (1, 2, 4)}, "counted from 1"),
        ({"stretch": (5, 5)}, "from 5,5 nothing can be stretched"),
        ({"stretch": (9, 5)}, "from 9,5 nothing can be stretched"),
        ({"stretch": (0, float("inf"))}, "from 0,inf nothing can be stretched"),
        ({"stretch": (1, 2, 3)}, "from 1,2,3 nothing"),
    ],
)
def test_bands_and_stretches_that_are_none_are_refused(tmp_path, how, message):
    path = save_tiff(tmp_path / "a.tif", rgb_bands().astype(np.uint16))
    with pytest.raises(InputError, match=message):
        imagery.open_image(path, **how)


def test_what_cannot_be_stretched_is_refused(tmp_path):
    flat = save_tiff(tmp_path / "flat.tif", np.full((3, 70, 90), 7, np.uint16))
    with pytest.raises(InputError, match="from 7,7 nothing can be stretched; give --stretch"):
        imagery.open_image(flat)
    empty = save_tiff(tmp_path / "empty.tif", np.zeros((3, 70, 90), np.uint16), nodata=0)
    with pytest.raises(InputError, match="no pixel has data"):
        imagery.open_image(empty)
    with pytest.raises(InputError, match="bands and stretch are for TIFFs"):
        imagery.open_image(save(tmp_path / "a.png", PIXELS), stretch=(0, 100))


def test_what_needs_much_memory_says_so_before_it_is_decoded(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "MUCH", 10_000)
    picture = save(tmp_path / "a.png", PIXELS)
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError, match="GB of memory, and time; make a tiled GeoTIFF"):
            imagery.open_image(picture)
    with pytest.warns(UserWarning, match="GB of memory, and time; make a tiled GeoTIFF"):
        imagery.open_image(save_tiff(tmp_path / "strips.tif", rgb_bands()))
    monkeypatch.setattr(sources, "MAX_PIXELS", 1000)
    with pytest.raises(InputError, match="90 x 70 pixels is too much"):
        imagery.open_image(save_tiff(tmp_path / "one.tif", rgb_bands(), blockysize=70, compress="webp"))


def test_names_with_line_breaks_are_read_and_other_bytes_too_or_refused(tmp_path):
    broken = save(tmp_path / "a\nb.png", PIXELS).rename(tmp_path / "a\nb.PNG")
    np.testing.assert_array_equal(imagery.read(broken), PIXELS)
    try:
        strange = save_tiff(tmp_path / "a.tif", rgb_bands()).rename(tmp_path / "a\udcff.tif")
    except OSError:
        pytest.skip("no such names here")
    with pytest.raises(InputError, match="surrogates not allowed"):
        imagery.open_image(strange)
    np.testing.assert_array_equal(
        imagery.read(save(tmp_path / "b.png", PIXELS).rename(tmp_path / "\udcff.png")), PIXELS
    )


def test_libraries_print_nothing_of_their_own(tmp_path, capfd):
    of_images.make(tmp_path)
    for path in imagery.find([tmp_path]):
        with warnings.catch_warnings(record=True) as said, contextlib.suppress(InputError, FileNotFoundError):
            warnings.simplefilter("always")
            imagery.read(path)
        assert all(str(path) in str(one.message) or path.name in str(one.message) for one in said)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_a_file_that_is_cut_anywhere_is_never_a_fault_of_ours(tmp_path, name):
    Image.fromarray(PIXELS[:20, :20]).save(tmp_path / name)
    whole = (tmp_path / name).read_bytes()
    for length in range(0, len(whole) - 1, 3):
        (tmp_path / name).write_bytes(whole[:length])
        with warnings.catch_warnings(), contextlib.suppress(InputError):
            warnings.simplefilter("ignore")
            pixels = imagery.read(tmp_path / name)
            np.testing.assert_array_equal(pixels.shape, (20, 20, 3))


def test_half_a_metre_becomes_the_mean_of_two_by_two():
    means = PIXELS.reshape(35, 2, 45, 2, 3).astype(float).mean(axis=(1, 3))
    source = Resampled(ArrayImage(PIXELS), 0.5)
    np.testing.assert_array_equal(source.read(0, 0, 45, 35), np.rint(means))


def test_two_metres_are_interpolated_linearly():
    ramp = np.repeat(np.arange(0, 80, 8, dtype=np.uint8)[None, :, None], 4, axis=0).repeat(3, axis=2)
    pixels = Resampled(ArrayImage(ramp), 2.0).read(0, 0, 20, 8)
    assert pixels[0, :, 0].tolist() == [0, *range(2, 72, 4), 72]


@pytest.mark.filterwarnings("ignore:.*are coarse")
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
        ("truncated", "may be damaged"),
        ("truncated tiff", "damaged"),
        ("cut tiff", "cannot be read, it may be damaged"),
        ("grey16", "more than 8 bits a channel; convert it to 8 bits"),
        ("rgb16", "more than 8 bits a channel; convert it to 8 bits"),
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


@pytest.mark.parametrize("gsd", [0, -1, float("nan"), float("inf"), 1e-9, 3.5, 30])
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


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("size", [(160, 100), (1600, 1200), (64, 2160)])
def test_the_digits_of_a_size_do_not_make_an_image_deep(tmp_path, suffix, size):
    Image.new("RGB", size).save(tmp_path / f"a.{suffix}")
    assert imagery.open_image(tmp_path / f"a.{suffix}").width == size[0]
