"""Walk a built deck slide by slide in a browser and report what is wrong: console, requests, other hosts,
layout, images, widgets, formulas, accessibility. The rules are those of slides/README.md.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Route

from deck import SIZE, SLIDES, sources

MEASURE = (Path(__file__).parent / "measure.js").read_text(encoding="utf-8")
AXE = SLIDES / "node_modules/axe-core/axe.min.js"
STILL = "*, *::before, *::after { transition: none !important; animation: none !important; }"
LABELS = ("Minutes", "Ask", "Watch for")
SETTLED = """async (patience) => {
  const slide = Reveal.getCurrentSlide();
  const end = performance.now() + patience;
  const busy = () => [...slide.querySelectorAll('img')].some(i => !i.complete) ||
    [...slide.querySelectorAll('iframe')].some(f => !f.contentDocument?.body?.dataset.ready);
  while (busy() && performance.now() < end) await new Promise(done => setTimeout(done, 50));
  await document.fonts.ready;
  for (let i = 0; i < 2; i++) await new Promise(requestAnimationFrame);
}"""
SHOW = """([h, v]) => {
  Reveal.slide(h, v);
  while (Reveal.availableFragments().next) Reveal.nextFragment();
}"""
# axe reads the whole document at each run: other slides are taken out meanwhile, all but those with widgets.
# So are the arrows: their box lies over the whole slide, and axe would judge no colour below it.
RUN_AXE = """async () => {
  const shown = Reveal.getCurrentSlide();
  const others = Reveal.getSlides().filter(s => s !== shown && !s.querySelector('iframe'));
  const away = [document.querySelector('.reveal .controls'), ...others].filter(Boolean).map(element => {
    const mark = document.createComment('');
    element.replaceWith(mark);
    return [element, mark];
  });
  try {
    const options = {resultTypes: ['violations'], preload: false};
    const result = await axe.run({exclude: [['code.has-highlights']]}, options);
    return result.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v =>
      `axe: ${v.id}: ${v.nodes[0].target.join(' ')} ` + (v.nodes[0].any[0]?.message ?? v.help));
  } finally {
    away.forEach(([element, mark]) => mark.replaceWith(element));
  }
}"""


@dataclass
class Found:
    """What a walk saw: problems as "slide 3 (its title): kind: detail", in order."""

    slides: int = 0
    problems: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)  # every host that a request named


def walk(
    browser: Browser,
    address: str,
    *,
    only: set[int] | None = None,
    pictures: Path | None = None,
    checks: bool = True,
    axe: bool = True,
    patience: int = 15_000,
) -> Found:
    """Show each slide of the deck at `address` with all its fragments; check it; its picture is
    pictures/07.png.

    only: numbers from 1; patience: milliseconds that the images and widgets of a slide may take.
    """
    found = Found()
    context = browser.new_context(viewport=SIZE, reduced_motion="reduce", service_workers="block")
    page = context.new_page()
    where = ["while the deck loads"]
    _listen(page, found, where, host=urlsplit(address).netloc)
    page.goto(f"{address}/index.html", wait_until="networkidle")
    page.wait_for_function("window.Reveal?.isReady()")
    page.add_style_tag(content=STILL)
    if axe:
        page.add_script_tag(path=AXE)
    slides = page.evaluate("Reveal.getSlides().map(s => Reveal.getIndices(s))")
    found.slides = len(slides)
    for number, index in enumerate(slides, start=1):
        if only and number not in only:
            continue
        page.evaluate(SHOW, [index["h"], index.get("v") or 0])
        title = page.evaluate("Reveal.getCurrentSlide().querySelector('h1, h2')?.innerText ?? 'no title'")
        where[0] = f"slide {number} ({' '.join(title.split())[:60]})"
        page.evaluate(SETTLED, patience)
        if checks:
            found.problems += [f"{where[0]}: {problem}" for problem in page.evaluate(MEASURE)]
        if axe:
            _inject(page)
            found.problems += [f"{where[0]}: {problem}" for problem in page.evaluate(RUN_AXE)]
        if pictures:
            page.screenshot(path=pictures / f"{number:02}.png")
    context.close()
    found.problems = sorted(dict.fromkeys(found.problems), key=order)
    return found


def check_sources(markdown: str) -> list[str]:
    """Problems of the notes: each slide has one, with minutes, a question, the usual misunderstanding."""
    problems = []
    for number, text in enumerate(sources(markdown), start=1):
        where = f"slide {number} ({title(text)[:60]})"
        _, *notes = re.split(r"^notes?:", text, flags=re.IGNORECASE | re.MULTILINE)
        if len(notes) != 1:
            problems.append(f"{where}: notes: {len(notes) or 'none'}")
            continue
        given = re.findall(r"^([A-Z][a-z ]+): \S", notes[0], re.MULTILINE)
        problems += [f"{where}: notes: no `{label}:`" for label in LABELS if label not in given]
        if minutes(text) is None:
            problems.append(f"{where}: notes: `Minutes:` is not a number")
    return problems


def minutes(text: str) -> float | None:
    """The minutes that the notes of a slide name, None where there are none."""
    match = re.search(r"^Minutes: (\d+(?:\.\d+)?)$", text, re.MULTILINE)
    return float(match[1]) if match else None


def title(text: str) -> str:
    """The title in the Markdown of a slide."""
    match = re.search(r"^#{1,2} (.*)$", text, re.MULTILINE)
    return match[1].strip() if match else "no title"


def parts(markdown: str) -> dict[str, list[str]]:
    """The slides of each part, by the title of its first slide, which has the class `title`."""
    result: dict[str, list[str]] = {}
    for text in sources(markdown):
        if re.search(r'\.slide:[^>]*class="[^"]*\btitle\b', text) or not result:
            result[title(text)] = []
        result[next(reversed(result))].append(text)
    return result


def order(problem: str) -> tuple[int, str]:
    """A key that sorts problems by the number of their slide."""
    match = re.match(r"slide (\d+)", problem)
    return (int(match[1]) if match else 0, problem)


def _listen(page: Page, found: Found, where: list[str], host: str) -> None:
    def say(problem: str) -> None:
        found.problems.append(f"{where[0]}: {problem}")

    def gate(route: Route) -> None:
        parts = urlsplit(route.request.url)
        if parts.scheme in ("data", "blob"):
            return route.continue_()
        found.hosts.add(parts.netloc)
        if parts.netloc == host:
            return route.continue_()
        say(f"other host: {route.request.url}")
        return route.abort()

    page.context.route("**/*", gate)

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            say(f"console: {message.text} ({message.location['url']})")

    page.on("console", hear)
    page.on("pageerror", lambda error: say(f"script: {error}"))
    page.on("requestfailed", lambda r: say(f"request: {r.url} failed") if host in r.url else None)
    page.on("response", lambda r: say(f"request: {r.url} answered {r.status}") if r.status >= 400 else None)


def _inject(page: Page) -> None:
    """axe into the widgets of the slide, so that it looks inside."""
    for frame in page.frames[1:]:
        if not frame.evaluate("Boolean(window.axe)"):
            frame.add_script_tag(path=AXE)
