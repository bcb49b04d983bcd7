"""The HTML report: complete in itself, escaped, with words for every picture, and never half written."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from PIL import Image

from aircraft import InputError, plotting
from aircraft.cli import report, runs
from aircraft.patches import Patches

matplotlib.use("Agg")

VOID = {"meta", "link", "img", "br"}
FIGURES = [
    "samples_aircraft", "samples_background", "tiles", "learning_curves", "confusion_matrix", "roc", "scores",
    "precision_recall", "misclassified", "tile_00", "tile_03", "tiles_found", "counts",
]  # fmt: skip
PATCHES = Patches(np.zeros((4, 64, 64, 3), np.uint8), np.array([0, 1, 0, 0], np.uint8), np.array([*"abab"]))


class Checker(HTMLParser):
    """Notes tags and attributes, and fails on tags that are not closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict]] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.seen if name == tag]


def a_run(model: str = "a <b> & c") -> SimpleNamespace:
    """What a report needs of a run."""
    judged = SimpleNamespace(
        AP=0.9, AUC=0.95, precision=0.8, recall=0.7, F1=0.75, threshold=0.25, intervals={"AP": (0.85, 0.925)}
    )
    values = {"model": model, "seed": 7, "seconds": {"training": 12.34}, "versions": {"torch": "2"}}
    card = SimpleNamespace(provenance={"settings": {"epochs": 1}})
    return SimpleNamespace(
        folder=Path("demo"),
        data=runs.Data(),
        patches=SimpleNamespace(train=PATCHES, test=PATCHES),
        test=judged,
        model=SimpleNamespace(card=card),
        values=values,
    )


COUNTED = SimpleNamespace(
    AP=0.9, best_F1=0.85, precision=0.8, recall=0.7, F1=0.75, count_error=12.5, threshold=0.5,
    best_threshold=0.45, found=[3, 10240], true=[4, 10238], n_tiles=2, n_true=10242, intervals=None,
)  # fmt: skip
BESIDE = SimpleNamespace(**vars(COUNTED) | {"F1": 0.987})


def write(path: Path, picture: Path) -> str:
    """A report in which one picture stands for all."""
    shown = {name: (picture, f'{name}: "quoted"') for name in FIGURES}
    report.write(path, a_run(), COUNTED, BESIDE, shown)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> Path:
    return plotting.save(plotting.counts([1, 2], [1, 3]), tmp_path_factory.mktemp("figures") / "a.png")


@pytest.fixture(scope="module")
def page(tmp_path_factory, picture) -> str:
    path = tmp_path_factory.mktemp("report") / "new" / "index.html"
    page = write(path, picture)
    assert [p.name for p in path.parent.iterdir()] == ["index.html"]
    return page


def test_the_page_is_well_formed_and_names_its_language_and_title(page):
    checked = Checker(page)
    assert page.startswith("<!doctype html>")
    assert checked.all("html") == [{"lang": "en"}]
    assert "<title>Counting aircraft</title>" in page
    assert "<h1>Counting aircraft</h1>" in page


def test_the_network_that_comes_along_stands_beside_and_no_threshold_saw_the_test(page):
    assert "The network that comes along" in page
    assert "0.987" in page
    assert "best F1" not in page


def test_nothing_comes_from_another_host_or_another_file(page):
    checked = Checker(page)
    addresses = [a[key] for _, a in checked.seen for key in ("src", "href") if key in a]
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page
    assert checked.all("script") == []
    assert "default-src 'none'" in page


def test_text_is_escaped(page):
    assert "a &lt;b&gt; &amp; c trained on imbalanced (synthetic)" in page


def test_the_links_at_the_top_lead_to_every_section(page):
    checked = Checker(page)
    links = [a["href"][1:] for a in checked.all("a")]
    assert links == [section["id"] for section in checked.all("section")]
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == re.findall(r'<a href="#\w+">(.*?)</a>', page)


def test_every_picture_is_inlined_with_words_and_its_true_size(page, picture):
    images = Checker(page).all("img")
    assert sorted(image["alt"] for image in images) == sorted(f'{name}: "quoted"' for name in FIGURES)
    width, height = Image.open(picture).size
    for image in images:
        assert (int(image["width"]), int(image["height"])) == (width, height)
        assert base64.b64decode(image["src"].removeprefix("data:image/png;base64,")) == picture.read_bytes()


def test_a_wide_picture_takes_a_whole_row(tmp_path):
    for width, kind in ((report.WIDE, "wide"), (report.WIDE - 1, None)):
        Image.new("RGB", (width, 10)).save(tmp_path / "a.png")
        page = write(tmp_path / "r.html", tmp_path / "a.png")
        assert {figure.get("class") for figure in Checker(page).all("figure")} == {kind}


def test_numbers_stand_to_the_right_and_are_readable(page):
    assert re.search(r'<td class="number">2</td><td class="number">10,238</td>', page)
    assert '<th scope="col" class="number">counted</th>' in page
    assert '<th scope="col">interval</th>' in page
    assert '<td>AP (patches)</td><td class="number">0.900</td><td>0.850 to 0.925</td>' in page
    assert '<td>count error (tiles)</td><td class="number">12.5</td><td></td>' in page
    assert "<td>time: sum</td><td>12.3 s</td>" in page


@pytest.mark.parametrize(
    ("value", "text"), [(np.float32(0.5), "0.500"), (np.int64(1200), "1,200"), (123.456, "123.5"), ("a", "a")]
)
def test_a_cell_is_written_by_its_kind(value, text):
    assert report.cell(value) == text


def test_the_same_run_gives_the_same_bytes(tmp_path, picture):
    assert write(tmp_path / "a.html", picture) == write(tmp_path / "b.html", picture)


def test_dark_mode_print_and_small_screens_are_provided_for(page):
    for rule in ("prefers-color-scheme: dark", "@media print", 'name="viewport"', "max-width"):
        assert rule in page


def test_a_report_that_cannot_be_put_in_its_place_leaves_nothing_behind(tmp_path, picture):
    (tmp_path / "taken.html").mkdir()
    with pytest.raises(InputError, match="taken"):
        write(tmp_path / "taken.html", picture)
    assert [path.name for path in tmp_path.iterdir()] == ["taken.html"]


def test_a_photograph_is_inlined_as_jpeg_and_a_drawing_as_png(tmp_path):
    rng = np.random.default_rng(0)
    noise = np.clip(128 + 40 * rng.standard_normal((400, 400, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    Image.fromarray(np.zeros((400, 400, 3), np.uint8)).save(tmp_path / "drawing.png")
    assert report.inlined(tmp_path / "photo.png", "noise")["source"].startswith("data:image/jpeg;base64,")
    assert report.inlined(tmp_path / "drawing.png", "black")["source"].startswith("data:image/png;base64,")


def test_a_file_that_is_no_png_is_refused_by_name_and_leaves_the_old_report(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    (tmp_path / "r.html").write_text("old")
    with pytest.raises(InputError, match=r"a\.png: not a PNG file"):
        write(tmp_path / "r.html", tmp_path / "a.png")
    assert (tmp_path / "r.html").read_text() == "old"
