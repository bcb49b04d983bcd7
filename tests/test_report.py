"""The HTML report: complete in itself, escaped, with words for every picture, and never half written."""

import base64
import re
from html.parser import HTMLParser

import matplotlib
import numpy as np
import pytest
from PIL import Image

from aircraft import InputError, plotting
from aircraft.cli import report
from aircraft.cli.report import Section, Table

matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

VOID = {"meta", "link", "img", "br"}


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


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> str:
    tmp_path = tmp_path_factory.mktemp("report")
    narrow, wide = (
        plotting.counts([1, 2], [1, 3]),
        plotting.learning_curves([{"epoch": 1, "loss": 0.5, "AP": 0.9}]),
    )
    sections = [
        Section("Data & <more>", "First.\nStill first.\n\nSecond <b>\n\n- one\n- two & three"),
        Section("Results", figures=[(narrow, 'counts "quoted"'), (wide, "curves")]),
        Section("Results", table=Table("Times <s>", ["step", "seconds", "n"], [["a<b", 1.23456, 10240]])),
    ]
    path = report.write(tmp_path / "new" / "index.html", "A & B", sections, lead="One <lead>")
    assert [p.name for p in path.parent.iterdir()] == ["index.html"]
    return path.read_text(encoding="utf-8")


def test_the_page_is_well_formed_and_names_its_language_and_title(page):
    checked = Checker(page)
    assert page.startswith("<!doctype html>")
    assert checked.all("html") == [{"lang": "en"}]
    assert "<title>A &amp; B</title>" in page
    assert "<h1>A &amp; B</h1>" in page


def test_nothing_comes_from_another_host_or_another_file(page):
    checked = Checker(page)
    addresses = [a[key] for _, a in checked.seen for key in ("src", "href") if key in a]
    assert all(address.startswith(("data:", "#")) for address in addresses)
    assert "http://" not in page
    assert "https://" not in page
    assert "url(" not in page
    assert checked.all("script") == []
    assert "default-src 'none'" in page


def test_text_is_escaped_and_set_in_paragraphs_and_lists(page):
    assert "<p>First. Still first.</p>" in page
    assert "<p>Second &lt;b&gt;</p>" in page
    assert "<ul><li>one</li><li>two &amp; three</li></ul>" in page
    assert "One &lt;lead&gt;" in page
    assert "a&lt;b" in page
    assert "<caption>Times &lt;s&gt;</caption>" in page


def test_the_links_at_the_top_lead_to_every_section(page):
    checked = Checker(page)
    links = [a["href"][1:] for a in checked.all("a")]
    assert links == [section["id"] for section in checked.all("section")]
    assert len(set(links)) == 3  # though two headings are the same


def test_pictures_are_inlined_with_words_and_their_true_size_and_then_closed(page):
    images = Checker(page).all("img")
    assert [image["alt"] for image in images] == ['counts "quoted"', "curves"]
    for image in images:
        png = base64.b64decode(image["src"].removeprefix("data:image/png;base64,"))
        assert png.startswith(b"\x89PNG")
        assert int.from_bytes(png[16:20]) == int(image["width"])
        assert int.from_bytes(png[20:24]) == int(image["height"])
    assert [figure.get("class") for figure in Checker(page).all("figure")] == [None, "wide"]
    assert plt.get_fignums() == []


def test_numbers_stand_to_the_right_and_are_readable(page):
    assert re.search(r'<td class="number">1\.235</td>\s*<td class="number">10,240</td>', page)
    assert '<th scope="col" class="number">seconds</th>' in page
    assert '<th scope="col">step</th>' in page


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "True"),
        (np.float32(0.5), "0.500"),
        (np.int64(1200), "1,200"),
        (123.456, "123.5"),
        (None, "None"),
    ],
)
def test_a_cell_is_written_by_its_kind(value, text):
    assert report._cell(value) == text


def test_a_picture_may_also_come_from_a_file(tmp_path):
    png = plotting.save(plotting.counts([1], [1]), tmp_path / "a.png", dpi=30)
    path = report.write(tmp_path / "r.html", "t", [Section("s", figures=[(png, "words")])])
    assert base64.b64encode(png.read_bytes()).decode() in path.read_text()


def test_the_same_run_gives_the_same_bytes(tmp_path):
    def once(name: str) -> bytes:
        sections = [Section("s", figures=[(plotting.counts([1], [2]), "words")])]
        return report.write(tmp_path / name, "t", sections).read_bytes()

    assert once("a.html") == once("b.html")


def test_dark_mode_print_and_small_screens_are_provided_for(page):
    for rule in ("prefers-color-scheme: dark", "@media print", 'name="viewport"', "max-width"):
        assert rule in page


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ([], "at least one section"),
        ([Section("s", figures=[(matplotlib.figure.Figure(), " ")])], "has no alt text"),
        ([Section("s", figures=[(42, "words")])], "not int"),
        ([Section("s", table=Table("t", ["a", "b"], [[1]]))], r"\[1\] does not fit 2 columns"),
    ],
)
def test_an_unusable_part_ends_in_one_clear_line_and_leaves_the_old_report(tmp_path, sections, message):
    old = tmp_path / "index.html"
    old.write_text("old")
    with pytest.raises(InputError, match=message):
        report.write(old, "t", sections)
    assert old.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_report_that_cannot_be_put_in_its_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken.html").mkdir()
    with pytest.raises(OSError, match="taken"):
        report.write(tmp_path / "taken.html", "t", [Section("s")])
    assert [path.name for path in tmp_path.iterdir()] == ["taken.html"]


def test_a_photograph_is_inlined_as_jpeg_and_a_drawing_as_png(tmp_path):
    rng = np.random.default_rng(0)
    noise = np.clip(128 + 40 * rng.standard_normal((400, 400, 3)), 0, 255).astype(np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.png")
    flat = np.zeros((400, 400, 3), np.uint8)
    Image.fromarray(flat).save(tmp_path / "drawing.png")
    figures = [(tmp_path / "photo.png", "noise"), (tmp_path / "drawing.png", "black")]
    text = report.write(tmp_path / "r.html", "t", [Section("s", figures=figures)]).read_text()
    assert text.count("data:image/jpeg;base64,") == 1
    assert text.count("data:image/png;base64,") == 1


def test_a_file_that_is_no_png_is_refused_by_name(tmp_path):
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(InputError, match=r"a\.png: not a PNG file"):
        report.write(tmp_path / "r.html", "t", [Section("s", figures=[(tmp_path / "a.png", "words")])])
