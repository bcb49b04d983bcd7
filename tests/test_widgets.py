"""The widgets of the slides in a browser: they move, and their numbers are those of the package."""

import base64
import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from sklearn.metrics import precision_recall_curve, roc_curve

from aircraft import metrics
from aircraft.detection import ScoreMap, peaks

ROOT = Path(__file__).parents[1]
SLIDES = ROOT / "slides"
playwright = pytest.importorskip("playwright.sync_api", reason="no playwright: pip install -e '.[dev]'")
import deck  # noqa: E402
import make_site  # noqa: E402

pytestmark = pytest.mark.slow
FRAME = {"width": 1180, "height": 560}  # the room that a slide leaves below a title of one line
WIDGETS = ("convolution", "threshold", "detector", "play", "train")
SMALL_TEXT = """() => [...document.querySelectorAll('body *')].filter(e =>
  e.checkVisibility() && !e.matches('h1, script, noscript') &&
  [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
  .filter(e => {
    const box = e.ownerSVGElement, scale = box ? box.getScreenCTM().a : 1;
    return parseFloat(getComputedStyle(e).fontSize) * scale < 19.5;
  }).map(e => e.textContent.trim())"""
OUTSIDE = """() => [...document.querySelectorAll('main *')].filter(e => {
  const r = e.getBoundingClientRect();
  return e.checkVisibility() && !e.matches('h1') && r.width > 0 &&
    (r.left < -1 || r.top < -1 || r.right > innerWidth + 1 || r.bottom > innerHeight + 1);
}).map(e => e.outerHTML.slice(0, 80))"""
BASE64 = """(array => {
  let text = '';
  new Uint8Array(array.buffer).forEach(byte => { text += String.fromCharCode(byte); });
  return btoa(text);
})"""  # arrays of a million numbers come back slowly otherwise

Open = Callable[[str], "playwright.Page"]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with deck.serve(SLIDES) as address:
        yield address


@pytest.fixture
def show(browser, address) -> Iterator[Open]:
    """Opens a widget in a frame's size; at the end, nothing may have gone wrong in it."""
    context = browser.new_context(viewport=FRAME, service_workers="block")
    page, wrong = context.new_page(), []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("request", lambda request: wrong.extend(_elsewhere(request.url, address)))
    page.on("response", lambda answer: wrong.extend([answer.url] if answer.status >= 400 else []))

    def open_widget(name: str) -> "playwright.Page":
        page.goto(f"{address}/widgets/{name}.html#framed")  # as in the deck
        page.wait_for_selector("body[data-ready]", timeout=60_000)
        return page

    yield open_widget
    context.close()
    assert wrong == []


def _elsewhere(url: str, address: str) -> list[str]:
    return [] if url.startswith((address, "data:", "blob:")) else [url]


def number(page: "playwright.Page", selector: str) -> float:
    return float(page.inner_text(selector).replace(",", ""))


@pytest.mark.parametrize("name", WIDGETS)
def test_the_widget_fits_its_frame_in_letters_that_can_be_read(show, name):
    page = show(name)
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(SMALL_TEXT) == []
    width, height = page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    )
    assert width <= FRAME["width"]
    assert height <= FRAME["height"]


@pytest.mark.parametrize("name", WIDGETS)
def test_axe_has_no_serious_finding(show, name):
    page = show(name)
    page.add_script_tag(path=SLIDES / "node_modules/axe-core/axe.min.js")
    found = page.evaluate("axe.run({resultTypes: ['violations'], preload: false}).then(r => r.violations)")
    assert [one["help"] for one in found if one["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("name", WIDGETS)
def test_the_widget_has_a_still_for_print(name):
    text = (SLIDES / f"widgets/{name}.html").read_text(encoding="utf-8")
    still = next((SLIDES / "images").glob(f"widget-{name}.*"))
    assert f"../images/{still.name}" in text


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "dilation"),
    [(7, 3, 1, 0, 1), (7, 3, 2, 1, 1), (7, 3, 2, 1, 2), (10, 5, 3, 2, 1), (4, 1, 4, 3, 1), (9, 4, 2, 0, 2)],
)
def test_the_convolution_has_the_size_of_torch(show, size, kernel, stride, padding, dilation):
    page = show("convolution")
    values = {"Input": size, "Kernel": kernel, "Stride": stride, "Padding": padding, "Dilation": dilation}
    for label, value in values.items():
        page.get_by_label(label, exact=False).and_(page.locator("input")).fill(str(value))
    layer = torch.nn.Conv2d(1, 1, kernel, stride, padding, dilation)
    out = layer(torch.zeros(1, 1, size, size)).shape[-1]
    assert f"Output: {out} × {out}" in page.inner_text("#formula")
    assert page.locator(".cell.read").count() == kernel**2


def test_the_window_walks_by_its_stride_and_begins_again(show):
    page = show("convolution")
    page.locator("#stride").fill("2")

    def place() -> tuple[float, float]:
        box = page.locator(".window").bounding_box()
        return box["x"], box["y"]

    step, begin = page.get_by_role("button", name="Step"), place()
    cell = page.locator(".cell").first.bounding_box()["width"]
    step.click()
    assert place() == pytest.approx((begin[0] + 2 * cell, begin[1]), abs=3)
    assert page.locator(".done").count() == 1
    for _ in range(2):
        step.click()
    assert place() == pytest.approx((begin[0], begin[1] + 2 * cell), abs=3)
    for _ in range(6):
        step.click()
    assert place() == begin
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelectorAll('.done').length > 1")
    page.get_by_role("button", name="Restart").click()
    assert place() == begin


def test_a_kernel_that_does_not_fit_gives_no_output(show):
    page = show("convolution")
    for name, value in (("size", 4), ("kernel", 5)):
        page.locator(f"#{name}").fill(str(value))
    assert "does not fit" in page.inner_text("#formula")
    assert page.get_by_role("button", name="Step").is_disabled()


@pytest.mark.parametrize("ratio", ["half aircraft", "one in ten"])
def test_the_threshold_shows_the_numbers_of_the_package(show, ratio):
    data = json.loads((SLIDES / "data/scores.json").read_text(encoding="utf-8"))
    background = data["background"] if ratio == "one in ten" else data["background"][:: data["rare"]]
    scores = np.array(data["aircraft"] + background)
    labels = np.repeat([1, 0], [len(data["aircraft"]), len(background)])
    assert labels.mean() == pytest.approx(0.1 if ratio == "one in ten" else 0.5, abs=1e-3)
    page = show("threshold")
    page.get_by_label(ratio).check()
    for threshold in ("0", "0.25", "0.5", "0.91"):
        page.get_by_label("Threshold").fill(threshold)
        (tn, fp), (fn, tp) = metrics.confusion(labels, scores, float(threshold))
        assert [number(page, f"#{name}") for name in ("tn", "fp", "fn", "tp")] == [tn, fp, fn, tp]
        expected = {
            "recall": tp / (tp + fn),
            "fpr": fp / (fp + tn),
            "precision": tp / (tp + fp),
            "f1": 2 * tp / (2 * tp + fp + fn),
            "accuracy": (tp + tn) / len(labels),
        }
        assert {name: number(page, f"#{name}") for name in expected} == pytest.approx(expected, abs=5.1e-4)
        for plot, point in (("roc", ("fpr", "recall")), ("pr", ("recall", "precision"))):
            circle = page.locator(f"#{plot} .point")
            drawn = [float(circle.get_attribute(f"data-{axis}")) for axis in "xy"]
            assert drawn == pytest.approx([expected[name] for name in point])
    points = np.array(page.evaluate("curve(chosen())"))
    fpr, tpr, _ = roc_curve(labels, scores, drop_intermediate=False)
    precision, recall, _ = precision_recall_curve(labels, scores)
    np.testing.assert_allclose(points[:, :2], np.stack([fpr, tpr], axis=1)[1:])
    np.testing.assert_allclose(points[::-1, 1:], np.stack([recall, precision], axis=1)[:-1])


def test_without_any_alarm_precision_is_left_open(show):
    page = show("threshold")
    page.evaluate("data.aircraft = data.aircraft.map(s => Math.min(s, 0.9))")
    page.evaluate("data.background = data.background.map(s => Math.min(s, 0.9))")
    page.get_by_label("Threshold").fill("1")
    assert page.inner_text("#precision") == "–"
    assert page.locator("#pr .point").count() == 0


def shown(page: "playwright.Page") -> tuple[np.ndarray, ScoreMap, list[dict[str, float]]]:
    """The pixels that the page looked at, its score map, and what it found."""
    page.wait_for_selector("body[data-done]")
    width, height, pixels = page.evaluate(f"[detector.width, detector.height, {BASE64}(detector.pixels)]")
    rows, stride, scores, found = page.evaluate(
        f"[detector.map.rows, detector.map.stride, {BASE64}(detector.map.scores), detector.found]"
    )
    image = np.frombuffer(base64.b64decode(pixels), np.uint8).reshape(height, width, 4)[:, :, :3]
    values = np.frombuffer(base64.b64decode(scores), np.float32).reshape(rows, -1)
    return image, ScoreMap(values, stride), found


def dense_scores(image: np.ndarray, stride: int) -> np.ndarray:
    """The score map of the widget's network, its weights read from the ONNX file, computed by torch."""
    onnx = pytest.importorskip("onnx", reason="no onnx: pip install -e '.[dev]'")
    from aircraft import detection, models

    weights = [
        torch.from_numpy(onnx.numpy_helper.to_array(one).copy())
        for one in onnx.load(SLIDES / "models/detector.onnx").graph.initializer
    ]
    network = models.dense(models.build("patch_net"))
    slots = list(network.layers.parameters())
    shaped = [weight for weight in weights if weight.ndim in (1, 4)]
    for slot in slots:
        index = next(i for i, weight in enumerate(shaped) if weight.shape == slot.shape)
        slot.copy_(shaped.pop(index))
    return detection.score_map(network, image, stride=stride).scores


def test_the_detector_counts_the_aircraft_of_its_tiles_as_the_package_does(show):
    about = json.loads((SLIDES / "data/tiles.json").read_text(encoding="utf-8"))
    page = show("detector")
    missed = false = 0
    for number_, tile in enumerate(about["tiles"], start=1):
        if number_ > 1:
            page.get_by_role("button", name=f"Tile {number_}").click()
            page.wait_for_function(f"document.body.dataset.done === '{number_}'")
        image, scores, found = shown(page)
        assert image.shape == np.asarray(Image.open(SLIDES / "data" / tile["file"])).shape
        np.testing.assert_allclose(scores.scores, dense_scores(image, about["stride"]), atol=1e-4, rtol=0)
        expected = peaks(
            scores, float(page.input_value("#threshold")),
            min_distance=about["min_distance"], smooth=about["smooth"],
        )  # fmt: skip
        centers = np.array([[one["x"], one["y"]] for one in found])
        np.testing.assert_allclose(centers, expected.centers, atol=0.01)
        np.testing.assert_allclose([one["score"] for one in found], expected.scores, atol=1e-5)
        assert int(page.inner_text("#count")) == len(expected)
        assert f"{len(tile['centers'])} aircraft are there" in page.inner_text("#truth")
        near = np.linalg.norm(centers[:, None] - np.array(tile["centers"])[None], axis=2) <= 16
        missed += int((~near.any(axis=0)).sum())
        false += int((~near.any(axis=1)).sum())
    aircraft = sum(len(tile["centers"]) for tile in about["tiles"])
    assert missed <= 0.1 * aircraft
    assert false <= 0.1 * aircraft


def test_a_higher_threshold_finds_fewer_and_the_score_map_is_drawn(show):
    page = show("detector")
    page.wait_for_selector("body[data-done]")
    counts = []
    for threshold in ("0.05", "0.5", "0.99"):
        page.get_by_label("Threshold").fill(threshold)
        counts.append(int(page.inner_text("#count")))
    assert counts[0] > counts[2]
    assert counts == sorted(counts, reverse=True)
    before = page.evaluate("document.querySelector('canvas').toDataURL()")
    page.get_by_label("show the score map").check()
    assert page.evaluate("document.querySelector('canvas').toDataURL()") != before


def test_an_own_picture_is_looked_at_and_a_wrong_file_is_refused(show):
    page = show("detector")

    def give(name: str, content: bytes, turn: int) -> None:
        page.set_input_files("#file", {"name": name, "mimeType": "image/png", "buffer": content})
        page.wait_for_function(f"document.body.dataset.done === '{turn}'")

    def picture(width: int, height: int) -> bytes:
        file = io.BytesIO()
        Image.new("RGB", (width, height), "grey").save(file, "png")
        return file.getvalue()

    give("own.png", picture(200, 100), 2)
    assert page.evaluate("[detector.width, detector.height, detector.map.rows]") == [200, 100, 13]
    assert "How many do you count?" in page.inner_text("#truth")
    give("small.png", picture(40, 100), 3)
    assert "smaller than 64" in page.inner_text("#said")
    give("no.png", b"not a picture", 4)
    assert "not a picture" in page.inner_text("#said")


def test_the_site_has_a_page_for_each_solution_and_no_link_that_leads_nowhere(browser, tmp_path):
    deck_folder = tmp_path / "deck"
    for name in ("images", "widgets", "data", "models", "vendor"):
        shutil.copytree(SLIDES / name, deck_folder / name)
    (deck_folder / "index.html").write_text("<!doctype html><title>the deck</title>")
    site = tmp_path / "site"
    make_site.build(deck_folder, site)
    assert make_site.check(site) == []
    solutions = {file.stem for file in (ROOT / "notebooks").glob("**/solutions/*.ipynb")}
    assert {file.stem for file in (site / "solutions").iterdir()} == solutions
    for stem in solutions:
        assert f'href="solutions/{stem}.html"' in (site / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("markup", "problem"),
    [
        ('<a href="none.html">x</a>', "index.html: none.html leads nowhere"),
        ('<a href="/index.html">x</a>', "index.html: /index.html is not a relative link"),
        ('<a href="../index.html">x</a>', "index.html: ../index.html leads nowhere"),
        ('<a href="#none">x</a>', "index.html: #none names no place on the page"),
        ('<img src="https://example.org/x.png">', "loads https://example.org/x.png from another host"),
        (
            "<textarea data-template>![a](images/none.svg)</textarea>",
            "index.html: images/none.svg leads nowhere",
        ),
        ('<script src="//example.org/x.js"></script>', "loads //example.org/x.js from another host"),
    ],
)
def test_a_fault_of_a_link_is_reported(tmp_path, markup, problem):
    fine = '<p id="here"></p><a href="#here">x</a><a href="https://example.org">x</a><a href="?a=b">x</a>'
    (tmp_path / "index.html").write_text(fine)
    assert make_site.check(tmp_path) == []
    (tmp_path / "index.html").write_text(fine + markup)
    (found,) = make_site.check(tmp_path)
    assert problem in found
