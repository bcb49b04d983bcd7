"""The cache and the .npz files: what a kill, a full disk, damage and wrong content lead to."""

import errno
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from aircraft import InputError, replacing
from aircraft.datasets import PatchSet, export_npz, npz, storage
from aircraft.patches import Patches, as_uint8
from aircraft.scenes import Scene

KEY = {"seed": 1}
MKFIFO = getattr(os, "mkfifo", Path.touch)  # Windows has none
ARRAYS = {
    "numbers": np.arange(5000),
    "names": np.array(["one", "three"]),
    "none": np.zeros((0, 4), np.float32),
}

BUILDER = """
import sys, time, numpy as np
from aircraft.datasets import storage

def build():
    print("building", flush=True)
    time.sleep(float(sys.argv[1]))
    return {"numbers": np.arange(5000)}, {}

if sys.argv[2:]:  # stop while the files are written
    storage.pooch.file_hash = lambda path: (print("writing", flush=True), time.sleep(60))
arrays, _ = storage.load_or_build("thing", {"seed": 1}, build)
print("sum", arrays["numbers"].sum(), flush=True)
"""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(storage.ENVIRONMENT, str(tmp_path / "cache"))
    return tmp_path / "cache"


def build():
    return ARRAYS, {"note": 3}


def never():
    raise AssertionError("built again")


def the_folder(cache) -> Path:
    (place,) = (path for path in cache.iterdir() if path.is_dir())
    return place


def test_what_was_built_is_loaded_memory_mapped_with_its_notes():
    storage.load_or_build("thing", KEY, build)
    arrays, notes = storage.load_or_build("thing", KEY, never)
    assert notes == {"note": 3}
    assert arrays.keys() == ARRAYS.keys()
    assert all((arrays[name] == ARRAYS[name]).all() for name in ARRAYS)
    assert isinstance(arrays["numbers"], np.memmap)


def test_changes_stay_in_memory():
    arrays, _ = storage.load_or_build("thing", KEY, build)
    arrays["numbers"][:] = 7
    assert storage.load_or_build("thing", KEY, never)[0]["numbers"][3] == 3


def test_another_parameter_is_another_entry():
    storage.load_or_build("thing", KEY, build)
    other, _ = storage.load_or_build("thing", {"seed": 2}, lambda: ({"numbers": np.zeros(3)}, {}))
    assert len(other["numbers"]) == 3


def test_the_same_arrays_give_the_same_bytes(cache, monkeypatch):
    storage.load_or_build("thing", KEY, build)
    first = {path.name: path.read_bytes() for path in the_folder(cache).iterdir()}
    monkeypatch.setenv(storage.ENVIRONMENT, str(cache / "other"))
    storage.load_or_build("thing", KEY, build)
    assert {path.name: path.read_bytes() for path in the_folder(cache / "other").iterdir()} == first


def flip(path):
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("numbers.npy", flip),
        ("numbers.npy", lambda path: path.write_bytes(path.read_bytes()[:1000])),
        ("numbers.npy", lambda path: path.write_bytes(b"")),
        ("names.npy", lambda path: path.unlink()),
        ("meta.json", lambda path: path.unlink()),
        ("meta.json", lambda path: path.write_text("{")),
        ("meta.json", lambda path: path.write_text("[]")),
        ("meta.json", lambda path: path.write_text("[" * 100_000)),
        ("meta.json", lambda path: path.write_text('{"files": {}, "notes": {}}')),
        ("meta.json", lambda path: path.write_text('{"files": []}')),
        ("meta.json", lambda path: path.write_text(path.read_text().replace('"names"', '"../names"'))),
        ("meta.json", lambda path: path.write_text(path.read_text().replace('"note": 3', '"note": 4'))),
        ("meta.json", lambda path: path.write_text(path.read_text().replace('"seed": 1', '"seed": 7'))),
        ("meta.json", lambda path: path.write_text(path.read_text().replace('"notes"', '"motes"'))),
        ("meta.json", lambda path: path.write_bytes(b"\xff" + path.read_bytes())),
        ("meta.json", lambda path: (path.unlink(), path.mkdir())),
        ("meta.json", lambda path: (path.unlink(), MKFIFO(path))),
        ("numbers.npy", lambda path: (path.unlink(), MKFIFO(path))),
        ("numbers.npy", lambda path: (path.unlink(), path.symlink_to("/dev/zero"))),
    ],
)
def test_damage_is_found_and_built_again_with_a_warning(cache, name, damage):
    storage.load_or_build("thing", KEY, build)
    damage(the_folder(cache) / name)
    with pytest.warns(UserWarning, match="damaged"):
        arrays, _ = storage.load_or_build("thing", KEY, build)
    assert (arrays["numbers"] == ARRAYS["numbers"]).all()
    assert storage.load_or_build("thing", KEY, never)


def start(*arguments) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", BUILDER, *arguments], stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("moment", ["building", "writing"])
def test_a_killed_builder_leaves_nothing_in_the_way(cache, moment):
    process = start("60") if moment == "building" else start("0", "stop")
    while process.stdout.readline().strip() != moment:
        pass
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(list(cache.glob("*.tmp"))) == (moment == "writing")
    storage.load_or_build("other", KEY, build)  # cleans up, whatever is built
    assert not list(cache.glob("*.tmp"))
    assert storage.load_or_build("thing", KEY, build)[1] == {"note": 3}


def test_of_two_builders_at_once_one_builds_and_both_get_it():
    processes = [start("0.5"), start("0.5")]
    outputs = sorted(process.communicate()[0].split("\n") for process in processes)
    assert outputs == [["building", "sum 12497500", ""], ["sum 12497500", ""]]


def test_the_folder_of_a_living_builder_is_left_alone(cache):
    process = start("0", "stop")
    while process.stdout.readline().strip() != "writing":
        pass
    storage.load_or_build("other", KEY, build)
    assert len(list(cache.glob("*.tmp"))) == 1
    process.kill()
    process.wait()


@pytest.mark.parametrize("moment", ["building", "writing"])
def test_who_waits_for_a_stopped_builder_is_told_its_number(cache, moment):
    process = start("4") if moment == "building" else start("0", "stop")
    while process.stdout.readline().strip() != moment:
        pass
    process.send_signal(signal.SIGSTOP)
    waiter = subprocess.Popen(
        [sys.executable, "-c", BUILDER, "0"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    line = waiter.stderr.readline()
    assert f"waiting for process {process.pid} on " in line
    assert waiter.poll() is None, "it goes on waiting"
    process.kill()
    process.wait()
    assert waiter.wait(timeout=30) == 0
    assert {path.suffix for path in cache.iterdir()} == {"", ".lock"}


def test_what_killed_builders_of_other_data_left_is_swept_when_anything_is_loaded(cache):
    storage.load_or_build("thing", KEY, build)
    (cache / "other-0123.tmp").mkdir()
    (cache / "more-0123.tmp").mkdir()
    (cache / "more-0123.tmp" / "numbers.npy").touch()
    storage.load_or_build("thing", KEY, never)
    assert {path.suffix for path in cache.iterdir()} == {"", ".lock"}


def test_locks_do_not_pile_up(cache):
    for _ in range(3):
        storage.load_or_build("thing", KEY, build)
        shutil.rmtree(the_folder(cache))
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("make", [Path.touch, MKFIFO, lambda place: place.symlink_to("nowhere")])
def test_what_is_no_folder_where_one_belongs_is_refused_before_anything_is_built(cache, make):
    storage.load_or_build("thing", KEY, build)
    place = the_folder(cache)
    shutil.rmtree(place)
    make(place)
    with pytest.raises(InputError, match=f"{place.name}: no folder, .*; remove it"):
        storage.load_or_build("thing", KEY, never)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux")
@pytest.mark.parametrize("place", ["x" * 300, "~nobody-of-this-name", "/dev/null/x", "/proc/x", "loop"])
def test_a_cache_in_an_impossible_place_is_one_clear_line(tmp_path, monkeypatch, place):
    (tmp_path / "loop").symlink_to("loop")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(storage.ENVIRONMENT, place)
    with pytest.raises(InputError, match=r"AIRCRAFT_DATA"):
        storage.load_or_build("thing", KEY, never)


def full(descriptor):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_is_one_clear_line_and_nothing_is_kept(cache, monkeypatch):
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        InputError, match="the disk is full; nothing was kept; make room, or set AIRCRAFT_DATA"
    ):
        storage.load_or_build("thing", KEY, build)
    assert [path for path in cache.iterdir() if path.suffix != ".lock"] == []
    monkeypatch.undo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_saving_says_why_it_failed():
    with pytest.raises(OSError) as caught, open("/dev/full", "wb") as file:
        storage._save(file, np.zeros(100_000))
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("kind", [str, Path])
@pytest.mark.parametrize("name", ["bare.txt", "new/folders/a.txt"])
def test_a_file_is_written_whole_into_folders_that_are_made(tmp_path, monkeypatch, kind, name):
    monkeypatch.chdir(tmp_path)
    for content in (b"first", b"second"):
        with replacing(kind(name)) as file:
            file.write(content)
        assert Path(name).read_bytes() == content
    assert len(list(Path(name).parent.iterdir())) == 1


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_a_file_stays_as_it_was_when_writing_fails(tmp_path, error):
    (tmp_path / "a.txt").write_text("before")

    def fail(file):
        file.write(b"half")
        raise error

    with pytest.raises(error), replacing(tmp_path / "a.txt") as file:
        fail(file)
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


@pytest.mark.parametrize("name", ["folder", "file/a.txt"])
def test_a_place_that_cannot_be_written_is_one_clear_line(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with (
        pytest.raises(InputError, match=rf"{name}: cannot be written \(.*give a path elsewhere"),
        replacing(tmp_path / name) as file,
    ):
        file.write(b"text")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_cache_that_is_a_file_is_one_clear_line(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(storage.ENVIRONMENT, str(tmp_path / "file"))
    with pytest.raises(InputError, match=r"cannot be written.*AIRCRAFT_DATA"):
        storage.load_or_build("thing", KEY, build)


def test_other_faults_of_the_builder_are_its_own(cache):
    with pytest.raises(ZeroDivisionError):
        storage.load_or_build("thing", KEY, lambda: 1 / 0)
    assert storage.load_or_build("thing", KEY, build)


def test_the_cache_is_in_the_clone_or_else_in_the_users_folder(monkeypatch, tmp_path):
    monkeypatch.delenv(storage.ENVIRONMENT)
    assert storage.folder() == Path(__file__).parents[1] / "data" / "cache"
    monkeypatch.setattr(storage, "__file__", str(tmp_path / "site-packages" / "aircraft" / "storage.py"))
    assert storage.folder().name == "aircraft"
    assert tmp_path not in storage.folder().parents


# ---- .npz ----


def patches(n: int = 4, sites: str = "abab") -> Patches:
    images = np.random.default_rng(0).integers(0, 256, (n, 64, 64, 3), dtype=np.uint8)
    return Patches(images, np.arange(n).astype(np.uint8) % 2, np.array(list(sites)))


def patch_set(n: int = 4, sites: str = "abab") -> PatchSet:
    return PatchSet("made up", "made up", patches(n, sites), patches(n, sites))


def course_file(path, **changes):
    """A file as a course has it, with some keys changed, or left out (None)."""
    keys = {"test_images": patches().images, "test_labels": patches().labels} | changes
    np.savez(path, **{key: value for key, value in keys.items() if value is not None})
    return path


def test_patches_survive_a_round_trip_and_give_the_same_bytes(tmp_path):
    export_npz(patch_set(), tmp_path / "a.npz")
    export_npz(patch_set(), tmp_path / "b.npz")
    read = npz.read_patches(tmp_path / "a.npz", "test")
    assert (read.images == patches().images).all()
    assert read.labels.tolist() == [0, 1, 0, 1]
    assert read.sites.tolist() == list("abab")
    digests = {hashlib.sha256((tmp_path / name).read_bytes()).digest() for name in ("a.npz", "b.npz")}
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("convert", "off_by"),
    [
        (lambda i: i.astype(np.int64), 0),
        (lambda i: i / np.float32(255), 0),
        (lambda i: i.astype(float) - 0.2, 0),
    ],
)
def test_images_of_other_types_become_uint8(tmp_path, convert, off_by):
    images = np.maximum(patches().images, 1)
    read = npz.read_patches(course_file(tmp_path / "f.npz", test_images=convert(images)))
    assert read.images.dtype == np.uint8
    assert np.abs(read.images.astype(int) - images).max() == off_by


@pytest.mark.parametrize("labels", [[[0], [1], [1], [0]], [0.0, 1.0, 1.0, 0.0], [False, True, True, False]])
def test_labels_of_other_types_become_uint8(tmp_path, labels):
    read = npz.read_patches(course_file(tmp_path / "f.npz", test_labels=np.array(labels)))
    assert read.labels.tolist() == [0, 1, 1, 0]
    assert read.labels.dtype == np.uint8
    assert read.sites.tolist() == [""] * 4


NAN = np.full((4, 64, 64, 3), np.nan)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_labels": None}, "no test_labels in it; it has test_images"),
        ({"test_images": np.zeros((4, 64, 64), np.uint8)}, r"\(4, 64, 64\), not \(N, 64, 64, 3\); grey"),
        ({"test_images": np.zeros((4, 64, 64, 4), np.uint8)}, r"not \(N, 64, 64, 3\); RGBA"),
        ({"test_images": np.zeros((4, 32, 32, 3), np.uint8)}, r"\(4, 32, 32, 3\), not \(N, 64, 64, 3\)"),
        ({"test_images": np.zeros((4, 3, 64, 64), np.uint8)}, "move the channels to the end"),
        ({"test_images": np.zeros((0, 64, 64, 3), np.uint8)}, "test_images is empty"),
        ({"test_images": NAN}, "test_images goes from nan to nan; .* without NaN"),
        ({"test_images": np.zeros((4, 64, 64, 3)) - 1}, "goes from -1 to -1; .* not normalised"),
        ({"test_images": np.zeros((4, 64, 64, 3), np.int64) + 256}, "goes from 256 to 256"),
        ({"test_images": np.zeros((4, 64, 64, 3), complex)}, "of type complex128"),
        ({"test_images": np.array([None, 1])}, "test_images cannot be read .*no Python objects"),
        ({"test_labels": np.array([0, 1, 2, 0])}, r"test_labels\[2\] is 2; labels are 0 .* or 1"),
        ({"test_labels": np.array([0, np.nan, 1, 0])}, r"test_labels\[1\] is nan"),
        (
            {"test_labels": np.array(["a", "b", "a", "b"])},
            r"test_labels is \(4,\) of type <U1 .* the number 0 or 1",
        ),
        ({"test_labels": np.eye(4)}, r"\(4, 4\) of type float64 .* each image needs one label"),
        (
            {"test_labels": np.array([0, 1])},
            r"test_labels is \(2,\) of type int64 for 4 test_images; each image",
        ),
        ({"test_sites": np.array(["a"])}, r"test_sites is \(1,\); give one name for each of the 4"),
    ],
)
def test_a_file_that_does_not_fit_is_one_clear_line(tmp_path, changes, message):
    path = course_file(tmp_path / "f.npz", **changes)
    with pytest.raises(InputError, match=rf"f.npz: .*{message}"):
        npz.read_patches(path)


def test_a_file_that_takes_long_is_announced_and_one_that_the_memory_cannot_hold_is_refused(
    tmp_path, monkeypatch
):
    path = course_file(tmp_path / "f.npz")
    monkeypatch.setattr(npz, "LARGE", 40_000)
    with pytest.warns(UserWarning, match=r"f.npz: test_images takes 0.0 GiB of memory"):
        npz.read_patches(path)
    monkeypatch.setattr(os, "sysconf", lambda name: 200)
    with pytest.raises(InputError, match=r"f.npz: test_images takes .* more than this machine has"):
        npz.read_patches(path)


def test_nothing_is_decoded_before_sizes_and_types_are_known_to_fit(tmp_path, monkeypatch):
    monkeypatch.setattr(np.lib.format, "read_array", never)
    for changes in ({"test_images": NAN[:, 1:]}, {"test_labels": np.zeros(9)}, {"test_images": NAN > 1}):
        with pytest.raises(InputError):
            npz.read_patches(course_file(tmp_path / "f.npz", **changes))


def test_floats_become_uint8_without_another_set_of_floats(tmp_path):
    images = np.random.default_rng(0).random((200, 64, 64, 3))
    tracemalloc.start()
    converted = as_uint8(images, "mine")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (converted == np.rint(images * 255).astype(np.uint8)).all()
    assert most < images.nbytes / 4


@pytest.mark.parametrize("high", [1.02, 1.5, 2, 10.0])
@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_that_end_a_little_above_1_are_refused_with_the_remedy(tmp_path, high, kind):
    images = (patches().images / 255 * high).astype(kind)
    with pytest.raises(InputError, match=r"f.npz: test_images ends at .*clip it to \[0, 1\], or multiply"):
        npz.read_patches(course_file(tmp_path / "f.npz", test_images=images))


@pytest.mark.parametrize("kind", [np.uint8, np.int64, np.float32])
def test_images_that_were_divided_by_255_and_then_made_whole_are_refused(tmp_path, kind):
    images = (patches().images // 255 / (1 if kind != np.float32 else 255)).astype(kind)
    with pytest.raises(InputError, match=r"test_images ends at .*multiply it by 255"):
        npz.read_patches(course_file(tmp_path / "f.npz", test_images=images))


@pytest.mark.parametrize("kind", [np.uint8, np.int32, float])
def test_black_images_are_images(tmp_path, kind):
    images = np.zeros((4, 64, 64, 3), kind)
    assert not npz.read_patches(course_file(tmp_path / "f.npz", test_images=images)).images.any()


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", [">f8", "<i2", np.longdouble])
def test_any_order_and_byte_order_is_read(tmp_path, order, kind):
    images = np.asarray(patches().images.astype(kind), order=order)
    read = npz.read_patches(course_file(tmp_path / "f.npz", test_images=images))
    assert (read.images == patches().images).all()


def test_labels_of_minus_zero_are_zeros(tmp_path):
    read = npz.read_patches(course_file(tmp_path / "f.npz", test_labels=np.array([-0.0, 1, -0.0, 1])))
    assert read.labels.tolist() == [0, 1, 0, 1]


def test_sites_may_be_numbers(tmp_path):
    read = npz.read_patches(course_file(tmp_path / "f.npz", test_sites=np.array([3, 3, 5, 5])))
    assert read.sites.tolist() == ["3", "3", "5", "5"]


@pytest.mark.parametrize("content", ["truncated", b"", b"hello", b"\x80\x04K\x01.", "array", "bad"])
def test_what_is_no_npz_file_is_refused(tmp_path, content):
    path = course_file(tmp_path / "f.npz")
    whole = path.read_bytes()
    if content == "array":
        with path.open("wb") as file:
            np.save(file, np.zeros(3))
    elif content == "bad":  # the archive is whole, one byte of the images is not
        path.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    else:
        path.write_bytes(whole[: len(whole) // 2] if content == "truncated" else content)
    with pytest.raises(InputError, match=r"is no .npz file or is cut off"):
        npz.read_patches(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing.npz: no such file"):
        npz.read_patches(tmp_path / "nothing.npz")


def tile(name: str, boxes=(), size: int = 80, ignore=()) -> Scene:
    image = np.full((size, size, 3), len(name), np.uint8)
    return Scene(image, np.array(boxes).reshape(-1, 4), name, "S", np.array(ignore).reshape(-1, 4))


def test_tiles_survive_a_round_trip_with_their_ragged_boxes(tmp_path):
    tiles = [
        tile("a", [[1, 2, 30, 40], [5, 5, 9, 9]]),
        tile("bb"),
        tile("ccc", [[0, 0, 9, 9]], ignore=[[1, 1, 2, 2]]),
    ]
    export_npz(tiles, tmp_path / "tiles.npz")
    for before, after in zip(tiles, npz.read_tiles(tmp_path / "tiles.npz"), strict=True):
        assert (before.name, before.site) == (after.name, after.site)
        assert (before.image == after.image).all()
        assert before.boxes.tolist() == after.boxes.tolist()
        assert before.ignore.tolist() == after.ignore.tolist()


def test_tiles_without_boxes_load_as_they_are(tmp_path):
    np.savez(tmp_path / "course.npz", eval_tiles=np.zeros((2, 90, 70, 3), np.uint8))
    tiles = npz.read_tiles(tmp_path / "course.npz")
    assert [(t.name, t.width, t.height, len(t.boxes)) for t in tiles] == [
        ("course-000", 70, 90, 0),
        ("course-001", 70, 90, 0),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"eval_boxes": np.zeros((2, 3))}, r"eval_boxes is \(2, 3\) float64; boxes are \(M, 4\)"),
        ({"eval_boxes": np.ones((2, 4))}, "eval_boxes_tile must hold the number of the tile, 0 to 1"),
        ({"eval_boxes": np.ones((1, 4)), "eval_boxes_tile": np.array([2])}, "eval_boxes_tile must hold"),
        ({"eval_boxes": np.array([[9, 9, 5, 5]]), "eval_boxes_tile": np.array([0])}, "empty or outside"),
        ({"eval_names": np.array(["a"])}, r"eval_names is \(1,\); give one name for each of the 2"),
    ],
)
def test_tiles_whose_boxes_do_not_fit_are_refused(tmp_path, changes, message):
    np.savez(tmp_path / "t.npz", eval_tiles=np.zeros((2, 90, 70, 3), np.uint8), **changes)
    with pytest.raises(InputError, match=message):
        npz.read_tiles(tmp_path / "t.npz")


def test_tiles_of_different_sizes_are_refused(tmp_path):
    with pytest.raises(InputError, match="tiles of one file need one size"):
        export_npz([tile("a"), tile("b", size=90)], tmp_path / "t.npz")
    assert not list(tmp_path.iterdir())


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.npz"
    export_npz(patch_set(), path)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="the disk is full"):
        export_npz(patch_set(2, "ab"), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.npz"]
    assert zipfile.is_zipfile(path)


@pytest.mark.parametrize(
    ("tiles", "words"),
    [
        (np.zeros((2, 3, 64, 64), np.uint8), r"eval_tiles is \(2, 3, 64, 64\).*move the channels to the end"),
        (np.zeros((64, 64, 3), np.uint8), r"eval_tiles is \(64, 64, 3\); RGB images are"),
        (np.array(3, np.uint8), r"eval_tiles is \(\); RGB images are"),
    ],
)
def test_tiles_of_a_wrong_shape_name_file_and_key(tmp_path, tiles, words):
    np.savez(tmp_path / "mine.npz", eval_tiles=tiles)
    with pytest.raises(InputError, match=f"mine.npz: {words}"):
        npz.read_tiles(tmp_path / "mine.npz")


def test_an_npy_file_under_another_name_is_told_as_one(tmp_path):
    np.save(tmp_path / "one.npy", np.zeros(3))
    (tmp_path / "one.npy").rename(tmp_path / "one.npz")
    with pytest.raises(InputError, match=r"one.npz: .*as an .npy file"):
        npz.read_tiles(tmp_path / "one.npz")
