"""Look at slides: build Markdown files as one deck, write a PNG of each slide, and say what is wrong.

python slides/scripts/look.py slides/slides.md                  all slides, into build/look/slides/
python slides/scripts/look.py slides/slides.md --only 3,7-9     some slides (numbers in the file, from 1)
python slides/scripts/look.py slides/slides.md --no-check       pictures only, quicker
"""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import deck
import walk


def main() -> int:
    arguments = _arguments()
    out = arguments.out or deck.SLIDES.parent / "build/look" / arguments.files[0].stem
    out.mkdir(parents=True, exist_ok=True)
    for old in out.glob("*.png"):
        old.unlink()
    deck.install()
    markdown = deck.join([file.read_text(encoding="utf-8") for file in arguments.files])
    with tempfile.TemporaryDirectory(prefix="look-") as folder:
        site = deck.build(markdown, Path(folder))
        with deck.serve(site) as address, sync_playwright() as playwright:
            browser = deck.launch(playwright)
            found = walk.walk(
                browser,
                address,
                only=arguments.only,
                pictures=out,
                checks=arguments.check,
                axe=arguments.check,
            )
            browser.close()
    problems = found.problems + (walk.check_sources(markdown) if arguments.check else [])
    print(f"{found.slides} slides, pictures in {out}")
    print("\n".join(sorted(problems, key=walk.order)))
    return 1 if problems else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path, help="Markdown files, in the order of the deck")
    parser.add_argument("--only", type=_numbers, help="numbers of slides from 1, such as 3,7-9")
    parser.add_argument("--out", type=Path, help="folder for the pictures (build/look/NAME)")
    parser.add_argument("--no-check", dest="check", action="store_false", help="pictures only")
    return parser.parse_args()


def _numbers(text: str) -> set[int]:
    """{3, 7, 8, 9} from 3,7-9."""
    ends = [part.partition("-")[::2] for part in text.split(",")]
    return {number for first, last in ends for number in range(int(first), int(last or first) + 1)}


if __name__ == "__main__":
    raise SystemExit(main())
