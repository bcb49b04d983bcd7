"""The report of a run: one HTML file that shows everything and needs nothing else, not even a network.

Pictures are inlined as PNG or JPEG, the style sheet is inside, and all text is escaped.
"""

import base64
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from aircraft import InputError, __version__
from aircraft.plotting import figure_of

DPI = 130
WIDE = 1250  # a figure of at least so many pixels across takes a whole row
LARGE = 200_000  # bytes of a picture from which it is worth a second look


@dataclass(frozen=True)
class Table:
    """A table: caption, names of the columns, rows of values. Columns of numbers stand to the right."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


@dataclass(frozen=True)
class Section:
    """A part of the report: heading, text, figures, table, in this order.

    text:    plain; a blank line parts paragraphs, lines that begin with "- " make a list.
    figures: pairs (drawing, alt): a matplotlib Figure, Axes or array of Axes, or the path of a PNG; and
             what it shows, in words, for those who cannot see it.
    """

    heading: str
    text: str = ""
    figures: Sequence[tuple[Any, str]] = ()
    table: Table | None = None


def write(path: str | Path, title: str, sections: Sequence[Section], *, lead: str = "") -> Path:
    """Write the report and close its figures (pyplot forgets them). Returns the path.

    lead: a sentence below the title. Raises InputError for a report without sections, a figure without
    alt text, or a row that does not fit its table. The file is written beside its place, then renamed.
    """
    path = Path(path)
    if not sections:
        raise InputError(f"{path}: a report needs at least one section")
    names = _anchors(sections)
    links = "".join(
        f'<li><a href="#{name}">{escape(section.heading)}</a></li>'
        for name, section in zip(names, sections, strict=True)
    )
    parts = [_section(section, name) for section, name in zip(sections, names, strict=True)]
    page = PAGE.format(
        title=escape(title),
        lead=f'<p class="lead">{escape(lead)}</p>' if lead else "",
        style=STYLE,
        links=links,
        body="\n".join(parts),
        version=escape(__version__),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        beside.write_text(page, encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    return path


def _section(section: Section, name: str) -> str:
    figures = "\n".join(_figure(drawing, alt, section.heading) for drawing, alt in section.figures)
    body = [f'<section id="{name}">', f"<h2>{escape(section.heading)}</h2>", _prose(section.text)]
    if figures:
        body.append(f'<div class="figures">\n{figures}\n</div>')
    if section.table is not None:
        body.append(_table(section.table))
    return "\n".join([part for part in body if part] + ["</section>"])


def _prose(text: str) -> str:
    """Paragraphs and lists of a plain text."""
    blocks = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines()]
        if lines and all(line.startswith("- ") for line in lines):
            blocks.append("<ul>" + "".join(f"<li>{escape(line[2:])}</li>" for line in lines) + "</ul>")
        elif lines:
            blocks.append(f"<p>{escape(' '.join(lines))}</p>")
    return "\n".join(blocks)


def _figure(drawing: Any, alt: str, heading: str) -> str:
    if not alt.strip():
        raise InputError(f"a figure of section {heading!r} has no alt text; say in words what it shows")
    if isinstance(drawing, str | Path):
        png = Path(drawing).read_bytes()
        if png[:8] != b"\x89PNG\r\n\x1a\n":
            raise InputError(f"{drawing}: not a PNG file; a report takes PNG or matplotlib figures")
        width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])  # of the IHDR chunk
    else:
        figure, buffer = figure_of(drawing), io.BytesIO()
        figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
        plt.close(figure)
        png = buffer.getvalue()
        width, height = (round(inches * DPI) for inches in figure.get_size_inches())
    kind = ' class="wide"' if width >= WIDE else ""
    form, content = _compact(png)
    data = base64.b64encode(content).decode("ascii")
    source = f"data:image/{form};base64,{data}"
    image = f'<img src="{source}" alt="{escape(alt)}" width="{width}" height="{height}">'
    return f"<figure{kind}>{image}</figure>"


def _compact(png: bytes) -> tuple[str, bytes]:
    """Form and bytes: a large picture, which shows photographs, as JPEG if that is much smaller."""
    if len(png) < LARGE:
        return "png", png
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(buffer, "JPEG", quality=88)
    return ("jpeg", buffer.getvalue()) if 2 * len(buffer.getvalue()) < len(png) else ("png", png)


def _table(table: Table) -> str:
    for row in table.rows:
        if len(row) != len(table.columns):
            raise InputError(
                f"table {table.caption!r}: {list(row)} does not fit {len(table.columns)} columns"
            )
    numeric = [all(_is_number(row[k]) for row in table.rows) for k in range(len(table.columns))]
    ends = [' class="number"' if right else "" for right in numeric]
    head = "".join(
        f'<th scope="col"{end}>{escape(str(name))}</th>'
        for name, end in zip(table.columns, ends, strict=True)
    )
    rows = "\n".join(
        "<tr>"
        + "".join(f"<td{end}>{_cell(value)}</td>" for value, end in zip(row, ends, strict=True))
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<div class="table"><table>\n<caption>{escape(table.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody>\n</table></div>"
    )


def _cell(value: Any) -> str:
    if not _is_number(value):
        return escape(str(value))
    if isinstance(value, int | np.integer):
        return f"{value:,}"
    return f"{value:,.3f}" if abs(value) < 10 else f"{value:,.1f}"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _anchors(sections: Sequence[Section]) -> list[str]:
    """A name for each section, made of its heading; numbered, so that no two are the same."""
    slugs = [re.sub(r"[^a-z0-9]+", "-", section.heading.lower()).strip("-") for section in sections]
    return [f"s{number}-{slug}".rstrip("-") for number, slug in enumerate(slugs, start=1)]


STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --page: #f6f7f9; --card: #fff;
  --line: #d8dee4; --accent: #0060a0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf0; --soft: #a5b0bb; --page: #12161b;
  --card: #1c2229; --line: #39424c; --accent: #7cc4f5; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 4.5rem; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 1.125rem/1.6 system-ui, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; }
header, main, footer { max-width: 80rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 2.5rem; padding-bottom: 1rem; }
h1 { font-size: clamp(1.9rem, 4vw, 2.75rem); line-height: 1.15; margin: 0; text-wrap: balance; }
h2 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .75rem; }
p, ul { max-width: 46em; margin: 0 0 1rem; }
.lead { font-size: 1.3rem; color: var(--soft); margin: .75rem 0 0; }
nav { position: sticky; top: 0; z-index: 1; background: var(--page); border-block: 1px solid var(--line); }
nav ul { max-width: 80rem; margin: 0 auto; padding: .5rem 1.5rem; display: flex; gap: .25rem 1.5rem;
  list-style: none; overflow-x: auto; scrollbar-width: thin;
  white-space: nowrap; }
a { color: var(--accent); text-underline-offset: .2em; }
nav a { text-decoration: none; display: inline-block; padding: .25rem 0; }
nav a:hover, nav a:focus-visible { text-decoration: underline; }
section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.5rem clamp(1rem, 3vw, 2rem); margin: 1.5rem 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr));
  gap: 1.25rem; align-items: start; }
figure { margin: 0; padding: .5rem; background: #fff; border: 1px solid var(--line); border-radius: .5rem;
  text-align: center; }
figure.wide { grid-column: 1 / -1; }
img { display: inline-block; max-width: 100%; height: auto; vertical-align: middle; color: #1b1f24; }
.table { overflow-x: auto; margin-top: 1.25rem; }
table { border-collapse: collapse; min-width: min(100%, 30rem); font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding-bottom: .5rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem 1.5rem .4rem 0;
  border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; }
th.number, td.number { text-align: right; }
footer { color: var(--soft); font-size: 1rem; padding-bottom: 2rem; }
@media print {
  :root { --ink: #000; --soft: #444; --page: #fff; --card: #fff; --line: #bbb; --accent: #000; }
  body { font-size: 10.5pt; } nav { display: none; } section { border: 0; padding: 0; }
  figure, tr { break-inside: avoid; } h2 { break-after: avoid; }
  .figures { grid-template-columns: 1fr 1fr; }
}
""".strip()

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<header>
<h1>{title}</h1>
{lead}
</header>
<nav aria-label="Sections"><ul>{links}</ul></nav>
<main>
{body}
</main>
<footer>Written by aircraft {version}.</footer>
</body>
</html>
"""
