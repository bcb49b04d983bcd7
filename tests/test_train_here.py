"""The two pages that train in the browser: by double click, with the keyboard alone, on a phone, and well."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[dev]'")

SLIDES = Path(__file__).parents[1] / "slides"
LARGEST_PAGE = 6_000_000
SECONDS = 60  # to an AUC of 0.90
DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 800}
AXE = "axe.run({resultTypes: ['violations'], preload: false}).then(r => r.violations)"
pytestmark = pytest.mark.slow
Open = Callable[..., "playwright.Page"]


@pytest.fixture
def visit(browser) -> Iterator[Open]:
    """Opens a page as a double click does; nothing may go wrong in it or ask for another host."""
    contexts, wrong = [], []

    def open_page(name: str, viewport: dict[str, int] = DESK, **options: str) -> "playwright.Page":
        context = browser.new_context(viewport=viewport, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on(
            "request",
            lambda r: wrong.extend([] if r.url.startswith(("file:", "data:", "blob:")) else [r.url]),
        )
        page.goto((SLIDES / f"widgets/{name}.html").as_uri())
        page.wait_for_selector("body[data-ready]", timeout=60_000)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


def press(page: "playwright.Page", target: str, key: str = "Enter") -> None:
    """Walk to an element by Tab and press a key there."""
    for _ in range(60):
        if page.evaluate(f"document.activeElement.matches({target!r})"):
            return page.keyboard.press(key)
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not lead to {target}")


def test_with_the_keyboard_alone_the_network_reaches_its_auc_and_counts_on_a_tile(visit):
    page = visit("train")
    press(page, "#start")
    page.wait_for_function(
        "last && (last.auc >= 0.9 || last.seconds > 60 || last.done)", timeout=4_000 * SECONDS
    )
    said = page.evaluate("({...last, sites: last.patches.map(k => data.sites[k]), all: data.sites})")
    assert said["auc"] >= 0.9
    assert said["seconds"] <= SECONDS
    assert said["auc"] == pytest.approx(roc_auc_score(said["labels"], said["scores"]))
    assert said["freshAuc"] > 0.85

    # By place: what is held for validation is every patch of its places.
    held = set(said["sites"])
    assert len(held) == 30
    assert sum(site in held for site in said["all"]) == len(said["sites"])

    press(page, "#threshold", "ArrowRight")
    assert page.inner_text("#threshold-value") == "0.51"
    alarms, labels = np.array(said["scores"]) >= 0.51, np.array(said["labels"]) == 1
    found, wrong = int((alarms & labels).sum()), int((alarms & ~labels).sum())
    assert f"Of {labels.sum()} aircraft {found} are found, with {wrong} false alarms" in page.inner_text(
        "#rates"
    )
    assert page.locator("#mistakes canvas").count() == 6

    before = page.evaluate("document.querySelector('#maps').toDataURL()")
    press(page, "#choice button:nth-child(3)")
    page.wait_for_function("before => document.querySelector('#maps').toDataURL() !== before", arg=before)

    if page.locator("#stop").is_enabled():
        press(page, "#stop")
    press(page, ".slide")
    page.wait_for_selector("body[data-tile]", timeout=120_000)
    count, truth = int(page.inner_text("#count")), page.inner_text("#truth")
    assert "7 aircraft are there" in truth
    scores = np.array(page.evaluate("[...shownTile.map.scores]")).reshape(65, 65)
    centers = (np.array(page.evaluate("shownTile.centers")) / 4).round().astype(int)
    assert scores[centers[:, 1], centers[:, 0]].mean() > scores.mean() + 0.2
    press(page, "#strict", "End")
    assert int(page.inner_text("#count")) < count


def test_each_preset_goes_wrong_as_its_sentence_says(visit):
    page = visit("train")

    def choose(name: str, until: str) -> str:
        page.locator(f"[data-preset={name}]").click()
        page.wait_for_function(f"last && last.run === run && ({until})", timeout=120_000)
        return page.inner_text("#watch")

    assert "two AUCs" in choose("random", "last.auc > last.freshAuc + 0.05 && last.auc > 0.93")
    assert "climbs" in choose("ten", "history.train.at(-1)?.[1] < 0.05 && last.valLoss > 1")
    assert "jumps" in choose("rate", "Math.max(...history.train.map(point => point[1])) > 1")
    assert page.input_value("#images") == "2080"  # a preset puts back what the one before it changed
    assert page.locator("[aria-pressed=true][data-preset]").count() == 1


@pytest.mark.parametrize(("depth", "low", "high"), [("0", 30, 75), ("1", 88, 100)])
def test_xor_needs_a_hidden_layer(visit, depth, low, high):
    page = visit("play")
    press(page, "#depth", depth)
    assert page.input_value("#depth") == depth
    before = page.evaluate("document.querySelector('#plane').toDataURL()")
    press(page, "#start")
    page.wait_for_function("epoch >= 300", timeout=60_000)
    press(page, "#start")
    right = int(page.inner_text("#right").removesuffix("%"))
    assert low <= right <= high
    assert page.evaluate("document.querySelector('#plane').toDataURL()") != before
    assert page.evaluate("document.querySelector('#neurons').checkVisibility()") == (depth == "1")


@pytest.mark.parametrize("name", ["train", "play"])
def test_the_page_fits_a_phone_and_has_a_heading_a_way_back_and_nothing_that_axe_finds(visit, name):
    page = visit(name, PHONE, reduced_motion="reduce")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert page.locator("h1").is_visible()
    assert page.get_by_role("link", name="All lessons").get_attribute("href") == "../../index.html"
    page.add_script_tag(path=SLIDES / "node_modules/axe-core/axe.min.js")
    assert [one["help"] for one in page.evaluate(AXE)] == []


def test_in_the_deck_each_view_fits_its_frame(browser):
    page = browser.new_page(viewport={"width": 1180, "height": 560})
    page.goto((SLIDES / "widgets/train.html").as_uri() + "#framed")
    page.wait_for_selector("body[data-ready]")
    page.locator("#images").select_option("10")
    page.get_by_role("button", name="Start").click()
    page.wait_for_function("last && last.epoch > 0", timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    for name in ("Loss", "Curves", "Filters", "Maps", "Mistakes", "Tile"):
        page.get_by_role("button", name=name, exact=True).click()
        cut = "e => [e.scrollHeight - e.clientHeight, e.scrollWidth - e.clientWidth]"
        assert max(page.locator("section.chosen").evaluate(cut)) <= 1, name
    page.close()


def test_the_page_is_small_and_no_script_of_it_is_large():
    texts = [SLIDES / f"widgets/{name}" for name in ("train.html", "train.css", "widget.css", "nn.js")]
    scripts = [*(SLIDES / "widgets").glob("train*.js"), *(SLIDES / "data").glob("patches_*.js")]
    sizes = [file.stat().st_size for file in (*texts, *scripts)]
    assert len(scripts) == 6
    assert sum(sizes) <= LARGEST_PAGE
    assert max(sizes) < 1_000_000
