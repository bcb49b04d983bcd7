"""Print the built deck slides/_site to a PDF, one page a slide.

python slides/scripts/pdf.py [--notes] [build/slides.pdf]
"""

import argparse
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser, sync_playwright

import deck

# What crosses the end of its page is moved to the next one by the printer, or lost.
CROSSING = """() => [...document.querySelectorAll('.pdf-page')].flatMap((page, index) => {
  const end = page.getBoundingClientRect();
  const crosses = element => {
    const rect = element.getBoundingClientRect();
    return rect.width > 0 && (rect.bottom > end.bottom + 1 || rect.right > end.right + 1);
  };
  return [...page.querySelectorAll('section, section p, section li, section pre, section div, section img')]
    .filter(e => e.checkVisibility() && !e.closest('pre code') && crosses(e))
    .map(e => `page ${index + 1}: <${e.tagName.toLowerCase()}> crosses the end of the page`);
})"""


class Printed(NamedTuple):
    """The number of slides of a printed deck, and what does not fit on its page."""

    slides: int
    problems: list[str]


def print_pdf(
    browser: Browser, address: str, path: Path, *, notes: bool = False, patience: int = 15_000
) -> Printed:
    """Print the deck at `address` to `path`.

    Widgets on it may take `patience` milliseconds until they are drawn.
    """
    context = browser.new_context(viewport=deck.SIZE, reduced_motion="reduce")
    page = context.new_page()
    separate = "&showNotes=separate-page" if notes else ""
    page.goto(f"{address}/index.html?view=print{separate}", wait_until="networkidle")
    page.wait_for_selector(".pdf-page")
    page.evaluate(
        """async patience => {
          await document.fonts.ready;
          const shown = [...document.querySelectorAll('iframe')].filter(f => f.checkVisibility());
          const end = performance.now() + patience;
          while (shown.some(f => !f.contentDocument?.body?.dataset.ready) && performance.now() < end)
            await new Promise(done => setTimeout(done, 50));
        }""",
        patience,
    )
    printed = Printed(page.evaluate("Reveal.getTotalSlides()"), page.evaluate(CROSSING))
    path.parent.mkdir(parents=True, exist_ok=True)
    page.pdf(path=path, prefer_css_page_size=True, print_background=True, tagged=True, outline=True)
    context.close()
    return printed


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", nargs="?", type=Path, default=deck.SLIDES.parent / "build/slides.pdf")
    parser.add_argument("--notes", action="store_true", help="a page with the notes after each slide")
    arguments = parser.parse_args()
    if (lack := deck.missing()) is not None:
        raise SystemExit(lack)
    with deck.serve(deck.SLIDES / "_site") as address, sync_playwright() as playwright:
        printed = print_pdf(deck.launch(playwright), address, arguments.path, notes=arguments.notes)
    print("\n".join([f"{printed.slides} slides in {arguments.path}", *printed.problems]))
    return 1 if printed.problems else 0


if __name__ == "__main__":
    raise SystemExit(main())
