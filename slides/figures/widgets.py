"""The stills that stand for the widgets in print: pictures of the widgets themselves, taken in Chromium."""

import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize

SLIDES = Path(__file__).parents[1]
SIZE: ViewportSize = {"width": 1200, "height": 590}
SHARPNESS = 1.5  # pixels of the picture for one of the widget
COLOURS = 64


def _convolution(page: Page) -> None:
    page.get_by_label("Stride").fill("2")
    page.get_by_label("Padding").fill("1")
    for _ in range(5):
        page.get_by_role("button", name="Step").click()


def _threshold(page: Page) -> None:
    page.get_by_label("one in ten").check()


def _detector(page: Page) -> None:
    page.wait_for_selector("body[data-done]")


def _play(page: Page) -> None:
    page.get_by_label("Hidden layers").select_option("1")
    page.get_by_role("button", name="Start").click()
    page.wait_for_function("epoch > 300")
    page.get_by_role("button", name="Pause").click()


def _train(page: Page) -> None:
    page.get_by_role("button", name="Start").click()
    page.wait_for_selector("body[data-done]", timeout=300_000)


def _still(name: str, prepare: Callable[..., None], path: Path) -> None:
    """Open a widget, bring it into the state to show, and write its picture."""
    sys.path.insert(0, str(SLIDES / "scripts"))
    from playwright.sync_api import sync_playwright

    import deck  # needs Chromium and npm, which the other figures do not

    if (lack := deck.missing()) is not None:
        raise RuntimeError(f"{path.name} is a picture of a widget in a browser: {lack}")
    deck.install()
    with deck.serve(SLIDES) as address, sync_playwright() as run:
        browser = deck.launch(run)
        page = browser.new_page(viewport=SIZE, device_scale_factor=SHARPNESS)
        page.goto(f"{address}/widgets/{name}.html#framed")
        page.wait_for_selector("body[data-ready]")
        prepare(page)
        page.add_style_tag(content=":focus-visible { outline: none }")
        page.mouse.move(0, 0)
        page.evaluate("document.fonts.ready.then(() => 1)")
        picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        browser.close()
    if path.suffix == ".jpg":
        picture.resize((SIZE["width"], SIZE["height"])).save(path, quality=82)
    else:
        picture.quantize(COLOURS).save(path, optimize=True)


STILLS = {
    "widget-convolution.png": partial(_still, "convolution", _convolution),
    "widget-threshold.png": partial(_still, "threshold", _threshold),
    "widget-detector.jpg": partial(_still, "detector", _detector),
    "widget-play.png": partial(_still, "play", _play),
    "widget-train.jpg": partial(_still, "train", _train),
}
