"""The data sets: exact sizes, sites kept apart, the same bytes for a seed, and what cannot be built."""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import airfield
from aircraft import InputError, datasets
from aircraft.datasets import building, storage, synthetic
from aircraft.patches import Patches
from aircraft.scenes import Scene


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv(storage.ENVIRONMENT, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def quick(monkeypatch):
    """A renderer that takes no time; each call is noted. The colour of a scene is that of its site."""
    calls = []

    def render(site, view=0, size=768, difficulty=1.0, seed=0):
        calls.append((site, view))
        rng = np.random.default_rng([seed, site, view])
        image = np.full((size, size, 3), site + 1, np.uint8)
        image[::7, ::5] = rng.integers(1, 255, 3)
        count = 0 if site % 6 == 5 else 14
        corners = rng.uniform(0, size - 40, (count, 2))
        name = f"synthetic-{seed}-{site:04d}"
        return Scene(image, np.hstack([corners, corners + 40]), f"{name}-{view}", name)

    monkeypatch.setattr(synthetic, "render", render)
    return calls


SMALL = {"workers": 1, "progress": False, "scale": 0.02}


def digest(data: datasets.PatchSet) -> str:
    arrays = (data.train.images, data.train.labels, data.train.sites, data.test.images, data.test.labels)
    return hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()


@pytest.mark.parametrize(
    ("load", "train", "test", "share"),
    [(datasets.load_toy, 2600, 880, 0.5), (datasets.load_imbalanced, 46_000, 10_240, 0.1)],
)
def test_the_sizes_are_exact(quick, load, train, test, share, monkeypatch):
    monkeypatch.setattr(storage, "load_or_build", lambda name, key, build: build())  # no 690 MB on disk
    data = load(workers=1, progress=False)
    assert data.train.images.shape == (train, 64, 64, 3)
    assert data.test.images.shape == (test, 64, 64, 3)
    for patches in (data.train, data.test):
        assert patches.images.dtype == patches.labels.dtype == np.uint8
        assert patches.labels.sum() == share * len(patches)
    assert not set(data.train.sites) & set(data.test.sites)
    assert len(quick) == len(set(quick))  # no scene is rendered twice
    assert {site for site, _ in quick} == {*synthetic.SITES["train"], *synthetic.SITES["test"]}


def test_labels_images_and_sites_belong_together(quick):
    data = datasets.load_toy(**SMALL)
    numbers = np.array([int(site[-4:]) for site in data.train.sites])
    assert (np.median(data.train.images, axis=(1, 2, 3)) == numbers + 1).all()
    with_aircraft = numbers[data.train.labels == 1]
    assert not (with_aircraft % 6 == 5).any()
    changes = np.diff(data.train.labels.astype(int)) != 0
    assert changes.sum() > len(data.train) / 4  # in random order


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(quick, cache, monkeypatch):
    first = digest(datasets.load_toy(**SMALL))
    again = len(quick)
    assert digest(datasets.load_toy(**SMALL)) == first
    assert len(quick) == again  # from the cache
    monkeypatch.setenv(storage.ENVIRONMENT, str(cache / "other"))
    assert digest(datasets.load_toy(**SMALL)) == first
    assert digest(datasets.load_toy(**SMALL, seed=1)) != first


@pytest.mark.parametrize("option", [{"difficulty": 0.5}, {"scale": 0.03}, {"seed": 2}, {}], ids=str)
def test_every_option_is_part_of_the_key(quick, option):
    datasets.load_toy(**SMALL)
    before = len(quick)
    datasets.load_toy(**SMALL | option)
    assert (len(quick) > before) == bool(option)


def test_notes_and_summary_say_what_was_built(quick, capsys):
    data = datasets.load_imbalanced(**SMALL | {"progress": True})
    notes = data.notes["train"]
    assert (notes["patches"], notes["scenes"], notes["sites"]) == (920, 9, 9)
    assert 8 * 8 < notes["aircraft"] <= min(92, 8 * 14)  # 14 on each of 8 airports, some too near the border
    assert notes["recut"] == round(1 - notes["aircraft"] / 92, 4)
    assert str(data).startswith("imbalanced (synthetic)\n  train: 920 patches, 10% with an aircraft, ")
    out, err = capsys.readouterr()
    assert out == ""
    assert "920 patches" in err


def test_tiles_come_from_other_views_and_some_are_empty(quick):
    tiles = datasets.load_tiles(workers=1, progress=False)
    assert len(tiles) == 36
    assert all(tile.image.shape == (512, 512, 3) for tile in tiles)
    assert {int(tile.site[-4:]) for tile in tiles} == set(synthetic.SITES["test"][:36])  # a site for each
    assert all(view >= 100 for _, view in quick)
    assert 0 < sum(len(tile.boxes) == 0 for tile in tiles) < 18
    again = datasets.load_tiles(workers=1, progress=False)
    assert len(quick) == 36  # the second time from the cache
    assert all((a.image == b.image).all() and a.name == b.name for a, b in zip(tiles, again, strict=True))


def test_validation_tiles_are_of_the_sites_kept_aside(quick):
    kept = {"synthetic-0-0003", "synthetic-0-0007"}
    tiles = datasets.load_tiles(split="validation", sites=kept, count=6, workers=1, progress=False)
    assert {tile.site for tile in tiles} == kept
    assert len({tile.name for tile in tiles}) == 6
    with pytest.raises(InputError, match=r"synthetic-0-0170.*is unknown here"):
        datasets.load_tiles(split="validation", sites=["synthetic-0-0170"])


# ---- the real renderer, worker processes ----

SCRIPT = """
import hashlib, operator
from functools import partial
from aircraft.datasets import building, synthetic

scenes = synthetic.Source().scenes("train", views=1, scale=1.0)[:2]
jobs = [partial(building.cut_scene, scene, 5, 10, (0, i)) for i, scene in enumerate(scenes)]
for site, background, shown, _ in building.run_jobs(operator.call, jobs, description="test", workers=WORKERS):
    print(site, hashlib.sha256(background.tobytes() + shown.tobytes()).hexdigest())
"""


def test_two_workers_of_a_script_without_a_guard_give_what_one_gives():
    scripts = [
        subprocess.run(
            [sys.executable, "-"], input=SCRIPT.replace("WORKERS", workers), capture_output=True, text=True,
            timeout=120, check=False,
        )
        for workers in "12"
    ]  # fmt: skip
    assert [script.returncode for script in scripts] == [0, 0], scripts[1].stderr
    assert scripts[0].stdout == scripts[1].stdout
    assert scripts[0].stdout.startswith("synthetic-0-0000 ")


def fails(job):
    if job == "kill":
        os._exit(9)
    raise ValueError(f"about {job}")


def test_what_a_worker_raises_arrives():
    with pytest.raises(ValueError, match="about two"):
        list(building.run_jobs(fails, ["two", "two"], description="test", workers=2, progress=False))


def test_a_killed_worker_is_one_clear_line():
    with pytest.raises(RuntimeError, match="a worker process was killed"):
        list(building.run_jobs(fails, ["kill"] * 2, description="test", workers=2, progress=False))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_workers_end_when_their_parent_is_killed():
    script = (
        "import os, time\nfrom aircraft.datasets import building\n"
        "for _ in building.run_jobs(lambda s: (print(os.getpid(), flush=True), time.sleep(s)), [0, 60], "
        "description='', workers=2, progress=False): pass"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    workers = [int(parent.stdout.readline()) for _ in range(2)]
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 30
    while any(map(is_alive, workers)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not any(map(is_alive, workers))


def is_alive(pid: int) -> bool:
    """A process that has ended but that nobody has asked about yet (Z) is not alive."""
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_fault_of_the_renderer_names_the_scene(monkeypatch):
    monkeypatch.setattr(airfield, "render", lambda *args: 1 / 0)
    with pytest.raises(RuntimeError, match=r"rendering failed: site=0, view=0.*ZeroDivisionError"):
        datasets.load_toy(**SMALL)


# ---- what cannot be built ----


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "airbsu"}, "unknown source 'airbsu'; give synthetic, airbus, or the path of an .npz"),
        ({"seed": -1}, "seed is -1"),
        ({"scale": 0}, "scale is 0"),
        ({"scale": 1.5}, "scale is 1.5"),
        ({"difficulty": float("nan")}, "difficulty is nan"),
        ({"difficulty": -1}, "difficulty is -1"),
        ({"test_sites": ["A"]}, "test_sites is for airbus"),
    ],
)
def test_wrong_arguments_are_one_clear_line(arguments, message):
    with pytest.raises(InputError, match=message):
        datasets.load_toy(**{"workers": 1, "progress": False, **arguments})


def test_an_option_that_is_misspelt_is_named():
    with pytest.raises(TypeError, match="'sed'"):
        datasets.load_toy(sed=3)
    with pytest.raises(TypeError, match="'sed'"):
        datasets.load_toy("mine.npz", sed=3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"split": "train"}, "unknown split 'train'"),
        ({"count": 0}, "count is 0"),
        ({"sites": []}, "site list"),
    ],
)
def test_wrong_wishes_for_tiles_are_one_clear_line(arguments, message):
    with pytest.raises(InputError, match=message):
        datasets.load_tiles(**arguments)


def test_a_world_without_aircraft_is_refused(monkeypatch):
    empty = Scene(np.full((768, 768, 3), 9, np.uint8), np.zeros((0, 4)), "empty", "A")
    monkeypatch.setattr(synthetic, "render", lambda *args: empty)
    with pytest.raises(
        InputError, match=r"toy train: the scenes give only 0 different windows with an aircraft"
    ):
        datasets.load_toy(**SMALL)


# ---- real scenes ----


def airbus_folder(root: Path, sites: str, aircraft: int = 3, size: int = 400) -> Path:
    """Scenes of `size` raw pixels, one a letter, with some aircraft of 40 raw pixels each."""
    (root / "images").mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = ["image_id,geometry,class"]
    for i, _ in enumerate(sites):
        Image.fromarray(rng.integers(1, 255, (size, size, 3), dtype=np.uint8)).save(
            root / "images" / f"{i}.jpg"
        )
        for x, y in rng.integers(60, size - 99, (aircraft, 2)):
            corners = [(x, y), (x + 40, y), (x + 40, y + 40), (x, y + 40), (x, y)]
            rows.append(f'{i}.jpg,"{[(int(a), int(b)) for a, b in corners]}",Airplane')
    (root / "annotations.csv").write_text("\n".join(rows))
    (root / "airports.csv").write_text(
        "image_id,airport\n" + "".join(f"{i}.jpg,{s}\n" for i, s in enumerate(sites))
    )
    return root


def test_a_small_real_source_is_cut_again_and_says_so(tmp_path):
    root = airbus_folder(tmp_path / "real", "AAB")
    data = datasets.load_toy("airbus", root, test_sites=["B"], scale=0.1, progress=False)
    assert (len(data.train), len(data.test)) == (260, 88)
    assert set(data.test.sites) == {"B"}
    assert data.notes["train"]["aircraft"] == 6
    assert data.notes["train"]["recut"] == round(1 - 6 / 130, 4)
    again = datasets.load_toy("airbus", root, test_sites=["B"], scale=0.1, progress=False)
    assert digest(again) == digest(data)


def test_a_changed_image_is_read_again(tmp_path):
    root = airbus_folder(tmp_path / "real", "AB")
    first = datasets.load_toy("airbus", root, scale=0.02, progress=False)
    Image.new("RGB", (400, 400), "grey").save(root / "images" / "0.jpg")
    assert digest(datasets.load_toy("airbus", root, scale=0.02, progress=False)) != digest(first)


@pytest.mark.parametrize(
    ("sites", "aircraft", "options", "message"),
    [
        ("AAA", 3, {}, r"no aircraft to train on in \[\] of \['A'\]; give other or more sites"),
        ("AB", 3, {"test_sites": ["Z"]}, r"site \['Z'\] is unknown here; the sites are A, B"),
        ("AB", 3, {"test_sites": []}, "site list is unknown"),
        ("AB", 3, {"test_sites": ["A", "B"]}, "no aircraft to train on"),
        ("AB", 1, {"scale": 1.0}, "toy train: the scenes give only 1024 different windows .*not 1300"),
        ("AB", 3, {"scale": 1.0, "size": 160}, "80 x 80 m has room for only"),
    ],
)
def test_a_real_source_that_does_not_suffice_is_refused(tmp_path, sites, aircraft, options, message):
    size = options.pop("size", 400)
    root = airbus_folder(tmp_path / "real", sites, aircraft, size)
    with pytest.raises(InputError, match=message):
        datasets.load_toy("airbus", root, **{"scale": 0.02, "progress": False, **options})


def test_the_suggested_test_sites_are_taken_where_there_are_such(tmp_path):
    root = airbus_folder(tmp_path / "real", "AIJMN")
    data = datasets.load_toy("airbus", root, scale=0.02, progress=False)
    assert set(data.test.sites) == set("IJMN")


def test_otherwise_a_quarter_of_the_sites_is_drawn_by_the_seed(tmp_path):
    root = airbus_folder(tmp_path / "real", "ABCDEFGH")
    drawn = [
        set(datasets.load_toy("airbus", root, scale=0.02, seed=s, progress=False).test.sites)
        for s in (0, 0, 1)
    ]
    assert len(drawn[0]) == 2
    assert drawn[0] == drawn[1] != drawn[2]


def test_real_tiles(tmp_path):
    root = airbus_folder(tmp_path / "real", "AB", size=2200)
    tiles = datasets.load_tiles("airbus", root, test_sites=["B"], count=3, progress=False)
    assert [(tile.site, tile.width) for tile in tiles] == [("B", 512)] * 3
    with pytest.warns(UserWarning, match="only 4 tiles fit into 1 scenes, not 36"):
        assert (
            len(datasets.load_tiles("airbus", root, split="validation", test_sites=["B"], progress=False))
            == 4
        )


@pytest.mark.airbus
def test_the_shared_scenes_give_36_tiles_of_the_test_airports(airbus_root):
    tiles = datasets.load_tiles("airbus", airbus_root, progress=False)
    assert len(tiles) == 36
    assert {tile.site for tile in tiles} <= set("IJMN")
    assert any(len(tile.boxes) == 0 for tile in tiles)


# ---- files and splits ----


def made_up(sites: str, positive: str) -> Patches:
    """One patch a letter; those whose letter is in `positive` alternate between the classes."""
    labels = np.array([site in positive and i % 2 for i, site in enumerate(sites)], np.uint8)
    images = np.repeat(np.arange(len(sites), dtype=np.uint8), 64 * 64 * 3).reshape(-1, 64, 64, 3)
    return Patches(images, labels, np.array(list(sites)))


def test_a_data_set_and_tiles_survive_an_export(quick, tmp_path):
    data = datasets.load_toy(**SMALL)
    datasets.export_npz(data, tmp_path / "toy.npz")
    assert digest(datasets.load_toy(tmp_path / "toy.npz")) == digest(data)
    tiles = datasets.load_tiles(count=2, workers=1, progress=False)
    datasets.export_npz(tiles, tmp_path / "tiles.npz")
    assert [tile.name for tile in datasets.load_tiles(tmp_path / "tiles.npz")] == [
        tile.name for tile in tiles
    ]


def test_a_file_whose_parts_share_a_site_is_refused(tmp_path):
    part = made_up("AABB", "AB")
    datasets.export_npz(datasets.PatchSet("x", "x", part, part), tmp_path / "leaky.npz")
    with pytest.raises(InputError, match="the site A is in train and test"):
        datasets.load_npz(tmp_path / "leaky.npz")


def test_split_keeps_sites_apart_and_shares_equal():
    data = made_up("AB" * 40 + "CDE" * 20 + "F" * 30 + "GH" * 10, "ABCDEF")
    train, val = datasets.split(data, fraction=0.25, seed=3)
    assert len(train) + len(val) == len(data)
    assert not set(train.sites) & set(val.sites)
    assert abs(len(val) / len(data) - 0.25) < 0.1
    assert abs(val.labels.mean() - data.labels.mean()) < 0.1
    assert datasets.split(data, fraction=0.25, seed=3)[1].sites.tolist() == val.sites.tolist()


def test_split_puts_both_classes_in_both_parts_even_if_that_is_rare():
    train, val = datasets.split(made_up("A" * 9 + "B" * 9 + "CDEFGH" * 5, "AB"), fraction=0.1)
    assert train.labels.any()
    assert val.labels.any()


def test_without_sites_single_patches_are_drawn_with_a_warning():
    data = made_up(" " * 40, " ")
    data = Patches(data.images, data.labels, np.full(40, ""))
    with pytest.warns(UserWarning, match="no sites"):
        train, val = datasets.split(data, fraction=0.25)
    assert (len(val), val.labels.sum(), train.labels.sum()) == (10, 5, 15)
    assert sorted([*train.images[:, 0, 0, 0], *val.images[:, 0, 0, 0]]) == list(range(40))


@pytest.mark.parametrize(
    ("sites", "positive", "fraction", "message"),
    [
        ("AAAA", "A", 0.5, "all patches are of one site"),
        ("AAAABB", "A", 0.5, "no split of the 2 sites has both classes on both sides"),
        ("AABB", "", 0.5, "all patches have one label"),
        ("AABB", "AB", 1.0, "fraction is 1.0"),
    ],
)
def test_a_split_that_cannot_be_done_is_refused(sites, positive, fraction, message):
    with pytest.raises(InputError, match=message):
        datasets.split(made_up(sites, positive), fraction)


def test_one_patch_of_a_class_cannot_be_split():
    data = Patches(np.zeros((3, 64, 64, 3), np.uint8), np.array([0, 0, 1], np.uint8), np.full(3, ""))
    with (
        pytest.warns(UserWarning, match="no sites"),
        pytest.raises(InputError, match="only one patch is labelled 1"),
    ):
        datasets.split(data)
