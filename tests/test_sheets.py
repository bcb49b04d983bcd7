"""The sheets around the lessons: the cheat sheet runs, the glossary is in order and its places exist."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import nn

from aircraft.training import Settings

ROOT = Path(__file__).parents[1]
NOTEBOOKS = ROOT / "notebooks"
CHEATSHEET, GLOSSARY, READING = (
    (NOTEBOOKS / f"{name}.md").read_text(encoding="utf-8") for name in ("CHEATSHEET", "GLOSSARY", "READING")
)

# --- the cheat sheet ---


def run_blocks(text: str) -> dict[str, object]:
    """Execute the Python blocks of a page in order, in one namespace; an error names the line of the page."""
    names: dict[str, object] = {"__name__": "sheet"}
    for block in re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        above = text[: block.start(1)].count("\n")
        exec(compile("\n" * above + block[1], "CHEATSHEET.md", "exec"), names)
    return names


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the cheat sheet leaves behind after it ran, in an empty folder and with an empty cache."""
    folder = tmp_path_factory.mktemp("sheet")
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        patch.setenv("AIRCRAFT_DATA", str(folder / "cache"))
        patch.chdir(folder)
        return run_blocks(CHEATSHEET)


def test_the_cheat_sheet_runs_from_top_to_bottom(ran):
    assert ran["trainer"].state.epoch == 2
    assert str(ran["keep"].last_checkpoint).endswith(".pt")
    assert len(ran["history"]) == 2
    assert len(ran["found"]) == len(ran["tiles"]) == 2
    assert ran["card"].threshold == pytest.approx(ran["threshold"])


def test_a_broken_block_is_found_and_its_line_is_named():
    broken = "# page\n```python\nlength = 3\n```\ntext\n```python\nprint(length)\nprint(width)\n```\n"
    with pytest.raises(NameError) as caught:
        run_blocks(broken)
    assert caught.traceback[-1].lineno + 1 == 8


SHAPES = re.findall(r"^(x[\[.].*?)  +# \(([\d, ]+)\)", CHEATSHEET, re.MULTILINE)


@pytest.mark.parametrize(("told", "value"), SHAPES)
def test_the_shapes_behind_the_tensors_are_right(ran, told, value):
    assert tuple(eval(told, ran).shape) == tuple(int(part) for part in value.split(",") if part)


SIZES = re.findall(r"^\| `(nn\..*)` \| ([\d, ]+) \| ([\d, ]+) \| (\d+) \|$", CHEATSHEET, re.MULTILINE)


def test_the_table_of_sizes_is_read():
    assert len(SIZES) >= 8


@pytest.mark.parametrize(("layer", "before", "after", "parameters"), SIZES)
def test_sizes_and_parameters_are_those_of_torch(layer, before, after, parameters):
    module = eval(layer, {"nn": nn})
    shape = [int(part) for part in before.split(",")]
    assert list(module(torch.zeros(1, *shape)).shape[1:]) == [int(part) for part in after.split(",")]
    assert sum(p.numel() for p in module.parameters()) == int(parameters)


ERRORS: dict[str, Callable[[], object]] = {
    "expected input[2, 64, 64, 3] to have 3 channels": lambda: nn.Conv2d(3, 8, 3)(torch.zeros(2, 64, 64, 3)),
    "Input type (unsigned char) and bias type (float)": lambda: nn.Conv2d(3, 8, 3)(
        torch.zeros(2, 3, 64, 64, dtype=torch.uint8)
    ),
    "mat1 and mat2 shapes cannot be multiplied": lambda: nn.Linear(4608, 64)(torch.zeros(2, 100)),
    "Target size (torch.Size([4])) must be the same": lambda: nn.BCEWithLogitsLoss()(
        torch.zeros(4, 1), torch.zeros(4)
    ),
    "result type Float can't be cast": lambda: nn.BCEWithLogitsLoss()(
        torch.zeros(4), torch.zeros(4, dtype=torch.int64)
    ),
    "Use tensor.detach().numpy() instead": lambda: torch.zeros(2, requires_grad=True).numpy(),
    "does not have a grad_fn": lambda: torch.zeros(2).sum().backward(),
}


def test_every_message_of_the_table_is_tried():
    assert set(re.findall(r"^\| `([^`]+)` \| [^|]+ \|$", CHEATSHEET, re.MULTILINE)) == set(ERRORS)


@pytest.mark.parametrize("message", ERRORS)
def test_the_messages_are_those_of_torch(message):
    with pytest.raises((RuntimeError, ValueError), match=re.escape(message)):
        ERRORS[message]()


def test_the_knobs_of_fit_exist_and_have_the_values_named():
    line = CHEATSHEET.split("`fit` knows: ")[1].split("In a notebook")[0]
    settings = Settings()
    assert {"lr", "optimizer", "sampling", "patience"} <= set(names := re.findall(r"`(\w+)`", line))
    assert all(hasattr(settings, name) for name in names)
    for name, values in re.findall(r"`(\w+)` \(([^)]+)\)", line):
        for value in re.findall(r'"(\w+)"', values):
            Settings.of(**{name: value})
    assert f"without: {settings.epochs} and {settings.batch_size}" in CHEATSHEET


# --- the glossary ---

ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in GLOSSARY.split("## Terms")[1].splitlines()
    if line.startswith("| ") and not line.startswith("| the field says")
]
PLACES = [  # term, its words, lesson, section
    (term, [*term.split(", "), *(word for word in ours.replace("`", "").split(", ") if word)], *map(int, p))
    for term, ours, _, where in ROWS
    if where != "-"
    for p in (place.split(", ") for place in where.split("; "))
]


@cache
def sections(lesson: int) -> dict[int, str]:
    """Number of each section of a lesson -> its prose, in one line, heading included; 0 comes before them."""
    (source,) = (NOTEBOOKS / "source").glob(f"{lesson:02d}_*.py")
    prose: dict[int, str] = {0: ""}
    number: int | None = 0
    for cell in re.split(r"^# %%", source.read_text(encoding="utf-8"), flags=re.MULTILINE):
        if not cell.startswith(" [markdown]"):
            continue
        for line in cell.splitlines()[1:]:
            if line.startswith("# ## "):
                heading = re.match(r"# ## (\d+)\. ", line)
                number = (
                    int(heading[1]) if heading else None
                )  # what you learned, quiz: no place to learn a word
            if number is not None:
                prose[number] = prose.get(number, "") + " " + line.removeprefix("#").strip()
    return {number: re.sub(r"[*`]", "", text) for number, text in prose.items()}


def occurs(words: list[str], text: str) -> bool:
    """Whether one of the words stands in the text, as a word; a plural counts."""
    return any(re.search(rf"(?<!\w){re.escape(word)}(e?s)?(?!\w)", text, re.IGNORECASE) for word in words)


def test_there_are_sixty_to_ninety_terms_in_alphabetical_order_and_none_twice():
    terms = [row[0].casefold() for row in ROWS]
    assert 60 <= len(terms) <= 90
    assert all(len(row) == 4 for row in ROWS)
    assert terms == sorted(terms)
    assert len(set(terms)) == len(terms)
    assert all(row[2].endswith((".", ")")) for row in ROWS), "an explanation is a sentence"


def test_what_a_beginner_meets_elsewhere_is_there():
    words = {word for row in ROWS for word in row[0].split(", ")}
    assert {
        "TP", "FP", "FN", "TN", "TPR", "FPR", "precision", "recall", "calibration", "feature map", "stride",
        "receptive field", "logit", "image patch", "image tile", "scene", "skip connection", "hyperparameter",
        "backbone", "head", "data leakage",
    } <= words  # fmt: skip


@pytest.mark.parametrize(("term", "words", "lesson", "section"), PLACES)
def test_a_term_occurs_where_the_glossary_says(term, words, lesson, section):
    assert 1 <= lesson <= 8
    assert section in sections(lesson), f"lesson {lesson} has no section {section}"
    assert occurs(words, sections(lesson)[section])


@pytest.mark.parametrize("row", [row for row in ROWS if row[3] == "-"], ids=lambda row: row[0])
def test_a_term_without_a_place_is_in_no_lesson(row):
    texts = [text for lesson in range(1, 9) for text in sections(lesson).values()]
    assert not any(occurs(row[0].split(", "), text) for text in texts)


# Words that stand earlier in a plain sense, or in passing.
EARLIER = {
    "bounding box": "2, 8: a box of a drawing",
    "feature": "2, 7: feature map, a term of its own",
    "group, cluster": "1, 2: two groups of points",
    "head": "2, 4: a letter stands on its head",
    "precision, positive predictive value, PPV": "4, 1: low precision of numbers",
    "score, confidence": "1, 4: a function of scikit-learn",
}


@pytest.mark.parametrize("term", sorted({place[0] for place in PLACES} - set(EARLIER)))
def test_no_earlier_lesson_uses_a_term(term):
    words, lesson = min((place[2], place[1]) for place in PLACES if place[0] == term)[::-1]
    before = [
        f"{earlier}, {number}"
        for earlier in range(1, lesson)
        for number, text in sections(earlier).items()
        if occurs(words, text)
    ]
    assert not before


# --- the reading list ---

LESSONS = re.findall(r"^## Lesson (\d): (.*?)\n(.*?)(?=^## )", READING, re.MULTILINE | re.DOTALL)
PLAIN = " ".join(READING.split())


@pytest.mark.parametrize(("number", "title", "text"), LESSONS)
def test_each_lesson_has_two_to_five_entries_that_say_how_long_they_take(number, title, text):
    (source,) = (NOTEBOOKS / "source").glob(f"{int(number):02d}_*.py")
    assert f"title: {title}\n" in source.read_text(encoding="utf-8")
    entries = text.strip().removeprefix("- ").split("\n- ")
    assert 2 <= len(entries) <= 5
    for entry in entries:
        assert re.search(r"\d (hours?|minutes)[^.]*\.$", " ".join(entry.split())), entry


def test_the_reading_list_goes_through_all_lessons():
    assert [int(number) for number, _, _ in LESSONS] == list(range(1, 9))


@pytest.mark.parametrize(
    ("file", "source", "words"),
    [
        (
            "training/optimizers.py",
            "K. Jordan et al., 2024, kellerjordan.github.io/posts/muon",
            "K. Jordan and others, .*, 2024",
        ),
        (
            "training/optimizers.py",
            "J. Liu et al., 2025, arXiv 2502.16982",
            "J. Liu and others, .*, 2025, arXiv 2502.16982",
        ),
        ("training/optimizers.py", "Newton-Schulz", "Newton-Schulz"),
        ("training/optimizers.py", "Lin et al. 2017", "Lin and others, 2017"),
        (
            "models/efficientnet.py",
            "Tan & Le 2019 (arXiv:1905.11946)",
            "M. Tan, Q. V. Le, .*, 2019, arXiv 1905.11946",
        ),
        ("models/efficientnet.py", "(Google 2020", "Google's Lite0 of 2020"),
        ("metrics.py", "van Rijsbergen 1979", "van Rijsbergen, .*, 1979"),
        (
            "metrics.py",
            "Efron and Tibshirani 1993, chapter 13",
            "Efron, R. J. Tibshirani, .*, 1993, chapter 13",
        ),
        (
            "plotting/style.py",
            'Okabe and Ito, "Color universal design", 2008',
            'Okabe, K. Ito, "Color universal design", 2008',
        ),
        ("../airfield/planes.py", "Blinn 1977", "Blinn, .*, 1977"),
    ],
)
def test_the_sources_that_the_code_names_are_there(file, source, words):
    assert source in (ROOT / "src/aircraft" / file).read_text(encoding="utf-8")
    assert re.search(words, PLAIN)


def test_what_the_lessons_recommend_is_there():
    for surname in ("Saito", "Rehmsmeier", "Lin and others", "Kornblith, J. Shlens, Q. V. Le", "Yosinski"):
        assert surname in PLAIN


# --- all three ---


@pytest.mark.parametrize("text", [CHEATSHEET, GLOSSARY, READING], ids=["cheat sheet", "glossary", "reading"])
def test_links_within_the_repository_lead_somewhere(text):
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert target.startswith("http") or (NOTEBOOKS / target).is_file(), target


@pytest.mark.parametrize("page", ["notebooks/README.md", "TEACHING.md"])
def test_the_sheets_are_linked(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert all(f"{name}.md)" in text for name in ("CHEATSHEET", "GLOSSARY", "READING"))
