"""Build the slides; or any Markdown as a deck in a folder of its own, to look at or to test; open Chromium.

Needs npm, chromium and `pip install playwright`, and no network once npm's packages are here.
"""

import contextlib
import functools
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from filelock import FileLock
from playwright.sync_api import Browser, Playwright, ViewportSize

SLIDES = Path(__file__).parents[1]
SIZE: ViewportSize = {"width": 1280, "height": 720}
SEPARATOR = re.compile(r"<!--[sv]-->")
STATIC = ("images", "widgets", "data", "models", "vendor")
LINKED = ("node_modules", "vendor")
COPIED = (
    *("package.json", "reveal-md.json", "reveal.json", "template", "theme", "lib", "scripts"),
    *STATIC[:-1],
)
FLAGS = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]


def missing() -> str | None:
    """What this machine lacks to build and open a deck, as one line; None when it has everything."""
    if chromium() is None:
        return "no Chromium here: apt-get install chromium fonts-liberation"
    if shutil.which("npm") is None:
        return "no npm here: apt-get install nodejs npm"
    return None


def chromium() -> str | None:
    """The path of an installed Chromium or Chrome, None where there is none; CHROMIUM names another."""
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    return next((path for path in map(shutil.which, filter(None, names)) if path), None)


def install() -> None:
    """Install the npm packages that the lock file names, if they are not there yet, and fill vendor/."""
    (SLIDES.parent / "build").mkdir(exist_ok=True)
    with FileLock(SLIDES.parent / "build/npm.lock"):  # tests run in several processes
        stamp, lock = SLIDES / "node_modules/.package-lock.json", SLIDES / "package-lock.json"
        if not _newer(stamp, lock):
            _npm("ci", "--no-progress", cwd=SLIDES)
            stamp.touch()
        done = SLIDES / "vendor/.done"
        if not (_newer(done, stamp) and _newer(done, SLIDES / "scripts/vendor.mjs")):
            _npm("run", "vendor", cwd=SLIDES)
            done.touch()


def text() -> str:
    """The Markdown of the whole deck."""
    return (SLIDES / "slides.md").read_text(encoding="utf-8")


def build(markdown: str, folder: Path) -> Path:
    """Build the deck `markdown` in `folder`; returns the folder of the static site.

    Raises RuntimeError with the last lines of a build that fails (a wrong formula, two notes on a slide).
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in COPIED:
        source, target = SLIDES / name, folder / name
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True)
        elif source.is_file():
            shutil.copy2(source, target)
    for name in STATIC[:-1]:
        (folder / name).mkdir(exist_ok=True)
    for name in LINKED:
        if not (folder / name).exists():
            (folder / name).symlink_to(SLIDES / name)
    (folder / "slides.md").write_text(markdown, encoding="utf-8")
    shutil.rmtree(folder / "_site", ignore_errors=True)
    # Not `npm run build`: its first step rewrites vendor/, which other builds read at the same time.
    options = ("--static", "_site", f"--static-dirs={','.join(STATIC)}")
    _npm("exec", "--", "reveal-md", "slides.md", *options, cwd=folder)
    _npm("run", "postbuild", cwd=folder)
    return folder / "_site"


def join(parts: list[str]) -> str:
    """One deck from parts, with a separator between them; front matter is kept from the first part only."""
    texts = [parts[0], *(re.sub(r"\A---\n.*?\n---\n", "", part, flags=re.DOTALL) for part in parts[1:])]
    return "\n\n<!--s-->\n\n".join(text.strip() for text in texts) + "\n"


def sources(markdown: str) -> list[str]:
    """The Markdown of each slide, in order, without the front matter."""
    return SEPARATOR.split(re.sub(r"\A---\n.*?\n---\n", "", markdown, flags=re.DOTALL))


@contextlib.contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve `folder` at a free port of this machine; gives the address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def launch(playwright: Playwright) -> Browser:
    """Debian's Chromium, headless."""
    return playwright.chromium.launch(executable_path=chromium(), args=FLAGS)


def main() -> None:
    """Build slides/_site."""
    install()
    for name in STATIC:
        (SLIDES / name).mkdir(exist_ok=True)
    _npm("run", "build", cwd=SLIDES)
    print(f"{len(sources(text()))} slides in {SLIDES / '_site'}")


def _newer(file: Path, than: Path) -> bool:
    return file.is_file() and file.stat().st_mtime >= than.stat().st_mtime


def _npm(*arguments: str, cwd: Path) -> None:
    environment = {**os.environ, "NO_UPDATE_NOTIFIER": "1"}
    done = subprocess.run(
        ["npm", *arguments],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        lines = (done.stdout + done.stderr).strip().splitlines()
        raise RuntimeError(f"npm {' '.join(arguments[:2])} failed in {cwd}:\n" + "\n".join(lines[-15:]))


if __name__ == "__main__":
    main()
