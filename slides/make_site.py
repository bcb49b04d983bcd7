"""Build the site: a start page, the slides, the solutions as pages, the detector. `make site` runs it.

python slides/make_site.py [FOLDER]     into build/site

All links are relative, so that the folder works on any static host and below any path; no page loads anything
from another host. The build fails where a link leads nowhere.
"""

import html
import re
import shutil
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import nbformat
from nbconvert import HTMLExporter
from pygments.formatters import HtmlFormatter

SLIDES = Path(__file__).parent
ROOT = SLIDES.parent
SITE = ROOT / "build/site"
KATEX = SLIDES / "node_modules/katex/dist"
MATH = ("katex.min.js", "contrib/auto-render.min.js")
STYLE = """
@import url("slides/vendor/fonts/fonts.css");
body { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; color: #1b2430;
  font: 1.15rem/1.5 "Source Sans 3", "Liberation Sans", Arial, sans-serif; }
h1, h2, h3 { color: #0b2545; line-height: 1.2; }
a { color: #005a8f; }
img { max-width: 100%; height: auto; }
pre { overflow-x: auto; padding: 0.7rem 1rem; font-size: 0.95rem; line-height: 1.35; background: #f3f6f9; }
pre, code { font-family: "Source Code Pro", "Liberation Mono", monospace; }
.highlight pre { border-left: 5px solid #0072b2; }
.output_area pre, .jp-OutputArea pre { background: #fff; border-left: 5px solid #c5ced8; }
.prompt, .anchor-link, .jp-InputPrompt, .jp-OutputPrompt { display: none; }
table { border-collapse: collapse; display: block; overflow-x: auto; }
th, td { padding: 0.2rem 0.7rem; border-bottom: 1px solid #c5ced8; text-align: left; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); gap: 1.5rem;
  padding: 0; list-style: none; }
.cards a { display: block; padding: 1rem; border: 2px solid #0072b2; border-radius: 8px;
  text-decoration: none; font-weight: 600; }
.cards img { display: block; width: 100%; aspect-ratio: 2; object-fit: cover; object-position: left top;
  margin-bottom: 0.7rem; }
"""
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{up}site.css">
{head}</head>
<body>
{body}
</body>
</html>
"""
MATH_HEAD = """<link rel="stylesheet" href="../slides/vendor/katex/katex.min.css">
<link rel="stylesheet" href="../code.css">
<script defer src="../math/katex.min.js"></script>
<script defer src="../math/auto-render.min.js"></script>
<script>
addEventListener('DOMContentLoaded', () => renderMathInElement(document.body, {
  throwOnError: false, delimiters: [
  {left: '$$', right: '$$', display: true}, {left: '$', right: '$', display: false},
  {left: '\\\\[', right: '\\\\]', display: true}, {left: '\\\\(', right: '\\\\)', display: false}]}));
</script>
"""
CARDS = (
    ("slides/index.html", "slides/images/tile-boxes.jpg", "The slides", "Five parts, with notes: press S."),
    (
        "slides/widgets/train.html",
        "slides/images/widget-train.jpg",
        "Train it here",
        "A network learns aircraft in your browser; turn the knobs and see what goes wrong.",
    ),
    (
        "slides/widgets/play.html",
        "slides/images/widget-play.png",
        "Points of two colours",
        "What can a few neurons tell apart? XOR, circles, a spiral.",
    ),
    (
        "slides/widgets/detector.html",
        "slides/images/widget-detector.jpg",
        "Count aircraft",
        "The trained network in your browser, on our tiles or your own picture.",
    ),
    (
        "slides/widgets/convolution.html",
        "slides/images/widget-convolution.png",
        "Convolution arithmetic",
        "A window walks over its input.",
    ),
    (
        "slides/widgets/threshold.html",
        "slides/images/widget-threshold.png",
        "A threshold at work",
        "Confusion matrix, ROC and precision-recall.",
    ),
)


def main() -> int:
    sys.path.insert(0, str(SLIDES / "scripts"))
    import deck  # needs playwright and npm, which checking a site does not

    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SITE
    deck.main()
    build(SLIDES / "_site", folder)
    problems = check(folder)
    print("\n".join(problems), file=sys.stderr)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    print(f"{folder}: {len(list(folder.rglob('*.html')))} pages, {size / 1e6:.0f} MB, open index.html")
    return 1 if problems else 0


def build(slides: Path, folder: Path) -> None:
    """Put the built deck, the solutions and a start page into `folder`, which is emptied first."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(slides, folder / "slides")
    (folder / "math").mkdir(parents=True)
    for name in MATH:
        shutil.copy(KATEX / name, folder / "math")
    (folder / "site.css").write_text(STYLE.lstrip(), encoding="utf-8")
    (folder / "code.css").write_text(HtmlFormatter().get_style_defs(".highlight"), encoding="utf-8")
    (folder / ".nojekyll").touch()  # GitHub Pages: leave the files as they are
    (folder / "solutions").mkdir()
    lists = []
    for heading, where in (("Solutions of the lessons", "solutions"), ("Extras", "extras/solutions")):
        lines = []
        for notebook in sorted((ROOT / "notebooks" / where).glob("*.ipynb")):
            title = _solution(notebook, folder / f"solutions/{notebook.stem}.html")
            lines.append(f'<li><a href="solutions/{notebook.stem}.html">{html.escape(title)}</a></li>')
        lists += [f"<h2>{heading}</h2>\n<ul>{''.join(lines)}</ul>\n"] if lines else []
    cards = "".join(
        f'<li><a href="{link}"><img src="{image}" alt="">{title}</a><p>{text}</p></li>'
        for link, image, title, text in CARDS
    )
    body = (
        "<main>\n<h1>Aircraft</h1>\n<p>A practical deep-learning course: from a first convolution to "
        f'counting aircraft on satellite images.</p>\n<ul class="cards">{cards}</ul>\n'
        f"{''.join(lists)}"
        f'<p>Code, notebooks and how to begin: <a href="{_repository()}">the repository</a>.</p>\n</main>'
    )
    page = PAGE.format(title="Aircraft: a practical deep-learning course", up="", head="", body=body)
    (folder / "index.html").write_text(page, encoding="utf-8")


def check(folder: Path) -> list[str]:
    """What is wrong with the links of a site, and what its pages would load from another host."""
    problems = []
    for page in sorted(folder.rglob("*.html")):
        reader = _Links()
        text = page.read_text(encoding="utf-8")
        reader.feed(text)
        if "data-template" in text:  # a deck: its slides are Markdown that the browser reads
            markdown = html.unescape(text)
            reader.links += [(link, True) for link in re.findall(r"!\[[^\]]*\]\(([^)\s]+)\)", markdown)]
            reader.links += [
                (link, True) for link in re.findall(r'<(?:img|iframe)[^>]* src="([^"]+)"', markdown)
            ]
        where = page.relative_to(folder).as_posix()
        for link, loads in reader.links:
            parts = urlsplit(link)
            if parts.scheme in ("data", "mailto", "javascript") or not (loads or not parts.scheme):
                continue
            if parts.scheme or parts.netloc:
                problems.append(f"{where}: loads {link} from another host")
                continue
            path, fragment = urldefrag(unquote(link))
            path = path.partition("?")[0]
            if path.startswith("/"):
                problems.append(f"{where}: {link} is not a relative link")
                continue
            target = (page.parent / path).resolve() if path else page.resolve()
            target = target / "index.html" if target.is_dir() else target
            if not target.is_relative_to(folder.resolve()) or not target.is_file():
                problems.append(f"{where}: {link} leads nowhere")
            elif fragment and not path and not fragment.startswith("/") and fragment not in reader.ids:
                problems.append(f"{where}: {link} names no place on the page")
    return problems


class _Links(HTMLParser):
    """Links of a page, each with whether the page loads it by itself, and its ids."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, bool]] = []
        self.ids: set[str] = set()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if value and name in ("id", "name"):
                self.ids.add(unquote(value))
            elif value and name in ("src", "href", "poster", "data-src"):
                self.links.append((value, tag != "a"))


def _solution(notebook: Path, target: Path) -> str:
    """Write a solution as a page; returns its title. Links to other lessons lead to their pages."""
    content = nbformat.read(notebook, as_version=4)
    for cell in content.cells:
        for output in cell.get("outputs", []):  # live widgets need a script of another host; their text stays
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
    body, _ = HTMLExporter(template_name="basic").from_notebook_node(content)
    texts = "\n".join(cell.source for cell in content.cells if cell.cell_type == "markdown")
    first = re.search(r"^# (.+)$", texts, re.MULTILINE)
    title = first[1].strip() if first else notebook.stem
    body = re.sub(r'<img [^>]*src="https?://[^>]*>', _in_words, body)
    body = re.sub(r'href="([^":#]*)"', lambda match: f'href="{_moved(match[1], notebook)}"', body)
    body = f'<p><a href="../index.html">All lessons</a></p>\n<main>\n{body}\n</main>'
    target.write_text(
        PAGE.format(title=html.escape(title), up="../", head=MATH_HEAD, body=body), encoding="utf-8"
    )
    return title


def _in_words(image: re.Match[str]) -> str:
    """The alt text of an image of another host, such as Colab's badge."""
    alt = re.search(r'alt="([^"]*)"', image[0])
    return alt[1] if alt else ""


def _moved(link: str, notebook: Path) -> str:
    """Where a relative link of a notebook leads: another solution, or a file of the repository."""
    if Path(link).suffix == ".ipynb" and (notebook.parent / Path(link).name).is_file():
        return Path(link).with_suffix(".html").name
    target = (notebook.parent / unquote(link)).resolve()
    if link and target.is_relative_to(ROOT) and target.exists():
        return f"{_repository()}/blob/main/{target.relative_to(ROOT).as_posix()}"
    return link


def _repository() -> str:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    match = re.search(r'^Repository = "([^"]+)"', text, re.MULTILINE)
    return match[1] if match else ""


if __name__ == "__main__":
    raise SystemExit(main())
