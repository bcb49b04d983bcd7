"""The slides in a browser: every slide is fit to show, the PDF has them all, and each check can fail."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[dev]'")
import deck  # noqa: E402
import make_figures as figures  # noqa: E402
import pdf  # noqa: E402
import walk  # noqa: E402

pytestmark = pytest.mark.slow
KINDS = {
    "errors in the console or in a script": ("console", "script"),
    "failed requests, or requests to other hosts": ("request", "other host"),
    "anything outside the slide, clipped or covered": ("overflow", "clipped", "covered"),
    "small text or unread Markdown": ("small text", "raw Markdown"),
    "missing or long titles, long lists and listings": ("title", "length"),
    "broken formulas": ("formula",),
    "images that are missing, tiny or without alt text": ("image",),
    "widgets that are not ready, scroll or have no title": ("iframe",),
    "serious findings of axe": ("axe",),
}
OTHER_HOST = re.compile(
    r"""(?:src|poster)\s*=\s*["']?(?:https?:)?//|@import\s+(?:url\()?\s*["']?(?:https?:)?//"""
    r"""|url\(\s*["']?(?:https?:)?//|<link[^>]+href\s*=\s*["']?(?:https?:)?//"""
)
NOTE = "\n\nNote:\nMinutes: 1\nAsk: why?\nWatch for: this.\n"
GOOD = "## A good slide has a title and a formula\n\nIt says $x_{i,1} < 3$." + NOTE
# One fault a slide: its Markdown, and how the report of it must begin.
FAULTS = {
    "overflow": ('## Wide\n\n<div style="width: 1400px; height: 9px">.</div>', "overflow: div"),
    "low": ("## Low\n\n" + "A line.\n\n" * 14, "overflow: text"),
    "formula": (
        "## Formula\n\n$$" + " + ".join(f"x_{{{i}}}" for i in range(40)) + "$$",
        "overflow: span.base",
    ),
    "raw formula": ("## Raw\n\nNot read: $ x + y $.", "raw Markdown"),
    "long code": ("## Code\n\n```python\n" + "x = 1; " * 30 + "\n```", "clipped: code"),
    "many lines": ("## Lines\n\n```python\n" + "x = 1\n" * 13 + "```", "length: a listing of 13 lines"),
    "many points": ("## Points\n\n" + "- a point\n" * 6, "length: 6 lines"),
    "covered": (
        '## A covered title\n\n<div style="position: absolute; top: 0; left: 0; width: 900px; height: 90px; '
        'background: #ffffff"></div>',
        "covered: text",
    ),
    "small": ('## Small\n\n<p style="font-size: 18px">too small</p>', "small text"),
    "no title": ("Words without a title", "title: none"),
    "long title": ("## " + "A title that goes on and on and on, " * 5, "title: "),
    "broken image": (
        "## Broken\n\n![no such file](images/none.png)",
        "image: images/none.png was not loaded",
    ),
    "missing file": ("## Missing\n\n![no such file](images/missing.png)", "request: "),
    "external image": ("## External\n\n![an image](http://example.invalid/x.png)", "other host: "),
    "no alt": ("## Alt\n\n![](images/fault.svg)", "image: images/fault.svg has no alt text"),
    "tiny image": (
        '## Tiny\n\nText <img src="images/fault.svg" alt="a square" style="width: 40px; height: 40px">',
        "image: images/fault.svg is shown at 40 x 40",
    ),
    "contrast": ('## Contrast\n\n<p style="color: #bbbbbb">pale on white</p>', "axe: color-contrast"),
    "contrast on a dark slide": (
        '<!-- .slide: class="title" data-background-color="#0b2545" -->\n\n# Dark\n\n'
        '<p style="color: #26436b">dark on dark</p>',
        "axe: color-contrast",
    ),
    "script": ('## Script\n\n<iframe src="widgets/wrong.html" title="x"></iframe>', "script: no such thing"),
    "console": ('## Console\n\n<iframe src="widgets/wrong.html" title="x"></iframe>', "console: a fault"),
    "widget": (
        '## Widget\n\n<iframe src="widgets/never.html"></iframe>',
        "iframe: widgets/never.html has no title",
    ),
    "not ready": (
        '## Wait\n\n<iframe src="widgets/never.html" title="x"></iframe>',
        "iframe: widgets/never.html is",
    ),
    "scrolls": (
        '## Long\n\n<iframe src="widgets/long.html" title="x"></iframe>',
        "iframe: widgets/long.html scrolls",
    ),
    "axe in a widget": (
        '## In\n\n<iframe src="widgets/pale.html" title="x"></iframe>',
        "axe: color-contrast",
    ),
}
HEAD = '<!doctype html><html lang="en"><head><title>t</title></head>'
FILES = {
    "widgets/never.html": f"{HEAD}<body>never ready</body></html>",
    "widgets/long.html": f'{HEAD}<body data-ready="1"><div style="height: 2000px">long</div></body></html>',
    "widgets/pale.html": f'{HEAD}<body data-ready="1"><p style="color: #bbbbbb">pale</p></body></html>',
    "widgets/wrong.html": f'{HEAD}<body data-ready="1"><script>console.error("a fault"); '
    'throw new Error("no such thing")</script></body></html>',
    "images/fault.svg": '<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400"><rect width="400" '
    'height="400" fill="#0072b2"/></svg>',
}


@dataclass(frozen=True)
class Built:
    """The deck of these tests: its Markdown, the folder of the site, its address, what a walk found."""

    text: str
    site: Path
    address: str
    found: walk.Found


@pytest.fixture(scope="module")
def built(browser, tmp_path_factory) -> Iterator[Built]:
    text = deck.text()
    site = deck.build(text, tmp_path_factory.mktemp("deck"))
    with deck.serve(site) as address:
        yield Built(text, site, address, walk.walk(browser, address))


@pytest.fixture(scope="module")
def faults(browser, tmp_path_factory) -> list[list[str]]:
    """The problems of each slide of a deck in which every second slide has one fault, the others none."""
    folder = tmp_path_factory.mktemp("faults")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    slides = [part for markdown, _ in FAULTS.values() for part in (GOOD, markdown + NOTE)] + [GOOD]
    site = deck.build(deck.join(slides), folder)
    with deck.serve(site) as address:
        found = walk.walk(browser, address, patience=700)
    assert found.slides == len(slides)
    on_slide: list[list[str]] = [[] for _ in range(len(slides) + 1)]  # [0]: while the deck loads
    for problem in found.problems:
        on_slide[walk.order(problem)[0]].append(
            re.sub(r"^(slide \d+ \(.*?\)|while the deck loads): ", "", problem)
        )
    return on_slide


@pytest.mark.parametrize("kind", KINDS)
def test_no_slide_has(built, kind):
    marks = tuple(f"): {name}: " for name in KINDS[kind]) + tuple(f"loads: {name}: " for name in KINDS[kind])
    wrong = [problem for problem in built.found.problems if any(mark in problem for mark in marks)]
    assert not wrong, "\n".join(["", *wrong])


def test_every_problem_is_of_a_kind_that_is_tested(built):
    known = "|".join(name for names in KINDS.values() for name in names)
    assert [p for p in built.found.problems if not re.search(rf"(\)|loads): ({known}): ", p)] == []


def test_every_separator_makes_a_slide(built):
    assert built.found.slides == len(deck.sources(built.text))


def test_the_deck_asks_only_its_own_host(built):
    assert {f"http://{host}" for host in built.found.hosts} == {built.address}


def test_no_file_of_the_site_names_another_host_to_load_from(built):
    files = [
        file for file in built.site.rglob("*") if file.suffix in (".html", ".css", ".js", ".mjs", ".svg")
    ]
    assert len(files) > 5
    assert [file.name for file in files if OTHER_HOST.search(file.read_text(encoding="utf-8"))] == []


def test_every_slide_has_notes_with_minutes_a_question_and_a_misunderstanding():
    wrong = walk.check_sources(deck.text())
    assert not wrong, "\n".join(["", *wrong])


def test_there_are_five_parts_and_their_minutes_are_those_of_the_readme():
    readme = (ROOT / "slides/README.md").read_text(encoding="utf-8")
    planned = [
        int(minutes) for minutes in re.findall(r"^\| [1-5] \| [^|]+ \| (\d+) \|$", readme, re.MULTILINE)
    ]
    parts = walk.parts(deck.text())
    spent = {name: sum(walk.minutes(slide) or 0 for slide in slides) for name, slides in parts.items()}
    assert list(spent.values()) == planned, spent


def test_the_minutes_are_those_of_the_plan_for_teaching():
    spent = [walk.minutes(slide) or 0 for slide in deck.sources(deck.text())]
    plan = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
    shown = []
    for start, end, what in re.findall(r"^\| (\d+)-(\d+) \| (.*?) \|", plan, re.MULTILINE):
        if numbers := re.match(r"Slides? (\d+)(?:-(\d+))?:", what):
            first, last = int(numbers[1]), int(numbers[2] or numbers[1])
            assert sum(spent[first - 1 : last]) == int(end) - int(start), what
            shown += range(first, last + 1)
    assert shown == list(range(1, len(spent) + 1))


def test_every_part_has_objectives_outcomes_and_take_home_messages():
    for name, slides in walk.parts(deck.text()).items():
        part = "\n".join(slides)
        assert "You will be able to" in part, name
        assert "You can now" in part, name
        assert re.search(r'class="[^"]*\btakehome\b', part), name


def test_the_images_are_small_enough_and_each_is_drawn_by_a_function():
    images = [file for file in (ROOT / "slides/images").iterdir() if not file.name.startswith(".")]
    assert [file.name for file in images if file.stat().st_size > figures.LARGEST_FILE] == []
    assert sum(file.stat().st_size for file in images) < figures.LARGEST_FOLDER
    assert sorted(file.name for file in images if file.name not in figures.figures()) == []


def test_the_pdf_has_one_page_a_slide(browser, built, tmp_path):
    printed = pdf.print_pdf(browser, built.address, tmp_path / "deck.pdf")
    assert printed == (built.found.slides, [])
    assert pages(tmp_path / "deck.pdf") == built.found.slides


def test_a_slide_that_is_too_long_is_seen_in_the_number_of_pages(browser, tmp_path):
    crossing = '## Crossing\n\n<div style="position: absolute; top: 700px; height: 40px; width: 9px"></div>'
    markdown = deck.join([GOOD, FAULTS["low"][0] + NOTE, crossing + NOTE])
    with deck.serve(deck.build(markdown, tmp_path / "deck")) as address:
        printed = pdf.print_pdf(browser, address, tmp_path / "deck.pdf")
    assert printed == (3, ["page 3: <div> crosses the end of the page"])
    assert pages(tmp_path / "deck.pdf") == 4


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://cdn.example/x.js">',
        "<link rel=stylesheet href='//example/x.css'>",
        '@import "https://example/x.css"',
        "src: url(https://example/font.woff2)",
    ],
)
def test_an_address_of_another_host_is_recognised(text):
    assert OTHER_HOST.search(text)
    assert not OTHER_HOST.search(re.sub(r"(https:)?//(cdn\.)?example/", "", text))


@pytest.mark.parametrize("name", FAULTS)
def test_the_walk_reports_the_fault(faults, name):
    number = 2 + 2 * list(FAULTS).index(name)
    early = faults[0] if name in ("missing file", "external image", "script", "console") else []
    assert any(problem.startswith(FAULTS[name][1]) for problem in faults[number] + early), (
        faults[number] + early
    )


def test_the_walk_reports_nothing_on_good_slides(faults):
    assert [faults[number] for number in range(1, len(faults), 2)] == [[]] * (len(FAULTS) + 1)


@pytest.mark.parametrize(
    ("markdown", "message"),
    [
        ("## Wrong\n\n$\\fracc{1}{2}$" + NOTE, "fracc"),
        ("## Two" + NOTE + NOTE, "two notes on one slide: Two"),
    ],
)
def test_the_build_refuses(browser, tmp_path, markdown, message):
    with pytest.raises(RuntimeError, match=message):
        deck.build(markdown, tmp_path)


@pytest.mark.parametrize(
    ("markdown", "problem"),
    [
        ("## A", "notes: none"),
        ("## A" + NOTE.replace("Minutes: 1\n", ""), "notes: no `Minutes:`"),
        ("## A" + NOTE.replace("1", "few"), "notes: `Minutes:` is not a number"),
        ("## A" + NOTE.replace("Ask: why?\n", ""), "notes: no `Ask:`"),
    ],
)
def test_a_fault_of_the_notes_is_reported(markdown, problem):
    assert f"slide 1 (A): {problem}" in walk.check_sources(markdown)


def test_a_figure_is_moved_into_its_folder_only_when_it_is_whole(tmp_path, monkeypatch):
    def broken(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    drawings = {"good.svg": lambda path: path.write_text("whole"), "broken.svg": broken}
    drawings["large.svg"] = lambda path: path.write_bytes(bytes(figures.LARGEST_FILE + 1))
    monkeypatch.setattr(figures, "figures", lambda: drawings)
    assert figures.draw(["good"], tmp_path / "images") == []
    assert figures.draw(["large"], tmp_path / "images") == ["large.svg has 150001 bytes, more than 150000"]
    with pytest.raises(OSError, match="disk full"):
        figures.draw(["broken"], tmp_path / "images")
    with pytest.raises(KeyError, match="no figure none; there are: broken, good, large"):
        figures.draw(["none"], tmp_path / "images")
    assert sorted(file.name for file in tmp_path.rglob("*.svg")) == ["good.svg", "large.svg"]


def pages(path: Path) -> int:
    """The number of pages of a PDF, counted by poppler."""
    if shutil.which("pdfinfo") is None:
        pytest.skip("no pdfinfo here: apt-get install poppler-utils")
    report = subprocess.run(["pdfinfo", path], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"^Pages: +(\d+)$", report, re.MULTILINE)[1])
