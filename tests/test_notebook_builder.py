"""The builder of the notebooks: one source gives student, solution and proof, in equal bytes."""

import base64
import importlib.util
import io
import json
import subprocess
import sys
import types
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch  # before a test replaces find_spec, with which torch looks for what it can use
from nbformat.v4 import new_code_cell, new_notebook, new_output
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "notebooks"))
import build  # noqa: E402
from builder import execution, kinds, pages, sources, stubs  # noqa: E402

SOURCE = '''\
# ---
# aircraft:
#   title: Tiny
#   minutes: 10
#   can_do: double a number
#   gpu: true
#   extras: [onnx]
# ---

# %% [markdown]
# # 1. Tiny
# A lesson for the tests.

# %%
from aircraft_course.checks import exercise

@exercise(hints=("add it to itself",))
def check_double(double):
    assert double(3) != 9, "that is the square"
    assert double(3) == 6, "3 and 3 are 6"

@exercise
def check_number(number):
    assert number > 2, "too small"
    assert number < 4, "too large"

# %% tags=["wrong"]
# hint: that is the square
def double(x):
    return x * x

# %% tags=["wrong"]
# hint: 3 and 3
def double(x):
    return x

# %% tags=["right"]
def double(x):
    return x + x

# %% name="double" tags=["exercise"]
def double(x):
    """Twice x."""
    # BEGIN SOLUTION
    return 2 * x
    # END SOLUTION

# %% tags=["check"]
check_double(double)

# %% tags=["wrong"]
# hint: too small
number = 1

# %% tags=["wrong"]
# hint: too large
number = 5

# %% tags=["right"]
number = 3.5

# %% name="number" tags=["exercise"]
number = 3  # SOLUTION

# %% tags=["check"]
check_number(number)

# %% tags=["needs-answer"]
print(double(number) + 1)

# %% [markdown] tags=["solution"]
# The teacher's note.
'''


def write_source(root: Path, text: str = SOURCE, name: str = "01_tiny.py") -> Path:
    path = root / "notebooks/source" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def make_root(root: Path) -> Path:
    (root / "src/aircraft").mkdir(parents=True)
    (root / "src/aircraft/__init__.py").write_text('__version__ = "9.8.7"\n')
    (root / "pyproject.toml").write_text('[project.urls]\nRepository = "https://github.com/some/where"\n')
    write_source(root)
    return root


def run(root: Path, *options: str) -> int:
    return build.main([*options, "--root", str(root)])


def cells_of(root: Path, path: str) -> dict:
    return {cell.id: cell for cell in nbformat.read(root / path, as_version=4).cells}


def all_bytes(root: Path) -> dict[str, bytes]:
    files = [*root.glob("notebooks/**/*.ipynb"), *root.glob("notebooks/*.md"), *root.glob("build/proof/*")]
    return {str(path.relative_to(root)): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    root = make_root(tmp_path_factory.mktemp("course"))
    assert run(root) == 0
    return root


@pytest.fixture
def built(built_once, tmp_path):
    """A course of one lesson, built; a copy for each test."""
    subprocess.run(["cp", "-r", f"{built_once}/.", str(tmp_path)], check=True)
    return tmp_path


@pytest.fixture
def no_kernel(monkeypatch):
    def refuse(*_, **__):
        pytest.fail("the solution was executed again")

    monkeypatch.setattr(execution, "execute", refuse)


def test_the_student_gets_blanks_and_no_outputs(built):
    cells = cells_of(built, "notebooks/01_tiny.ipynb")
    assert cells["double"].source.endswith('"""Twice x."""\n    ...  # TODO: your code here')
    assert cells["number"].source == "number = ...  # TODO: your answer"
    assert all(
        not cell.outputs and cell.execution_count is None for cell in cells.values() if "outputs" in cell
    )
    text = (built / "notebooks/01_tiny.ipynb").read_text()
    assert not any(
        word in text for word in ("SOLUTION", "# hint", "teacher's note", "x + x", "x * x", "2 * x")
    )


def test_the_student_notebook_runs_on_where_an_answer_is_missing(built):
    tags = [cell.metadata.get("tags", []) for cell in cells_of(built, "notebooks/01_tiny.ipynb").values()]
    assert ["needs-answer", "raises-exception"] in tags


def test_the_solution_is_executed_and_its_checks_are_compared(built):
    cells = list(cells_of(built, "notebooks/solutions/01_tiny.ipynb").values())
    checks = [cell for cell in cells if "check" in cell.metadata.get("tags", [])]
    assert [cell.outputs[0].text for cell in checks] == ["double: ✅ correct\n", "number: ✅ correct\n"]
    assert all("nbval-check-output" in cell.metadata.tags for cell in checks)
    assert all(cell.execution_count for cell in cells if cell.cell_type == "code")
    assert cells[-1].source == "The teacher's note."


def test_both_notebooks_share_the_ids_of_their_cells(built):
    student = list(cells_of(built, "notebooks/01_tiny.ipynb"))
    solution = list(cells_of(built, "notebooks/solutions/01_tiny.ipynb"))
    assert student == solution[: len(student)]


def test_an_inserted_cell_changes_no_other_id(tmp_path):
    first = sources.read(write_source(tmp_path))
    new = SOURCE.replace('# %% tags=["needs-answer"]', '# %%\n1 + 1\n\n# %% tags=["needs-answer"]')
    second = sources.read(write_source(tmp_path, new))
    assert len(second.cells) == len(first.cells) + 1
    assert {cell.id for cell in first.cells} < {cell.id for cell in second.cells}


def test_the_metadata_ask_colab_for_a_gpu(built):
    metadata = nbformat.read(built / "notebooks/01_tiny.ipynb", as_version=4).metadata
    assert metadata["accelerator"] == "GPU"
    assert metadata["colab"]["gpuType"] == "T4"
    assert metadata["aircraft"] == {"kind": "student", "lesson": "lesson01"}


def test_badge_and_setup_come_first_and_name_repository_and_version(built):
    badge, title, setup = list(cells_of(built, "notebooks/01_tiny.ipynb").values())[:3]
    assert "colab.research.google.com/github/some/where/blob/main/notebooks/01_tiny.ipynb" in badge.source
    assert title.source.startswith("# 1. Tiny")
    assert '"aircraft": "aircraft @ git+https://github.com/some/where@v9.8.7"' in setup.source
    assert '"onnxruntime": "onnxruntime"' in setup.source
    assert setup.metadata["cellView"] == "form"


def test_the_address_of_the_repository_stands_in_one_place():
    files = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if files.returncode:
        pytest.skip("this is no clone of git")
    address = "aircraft-course/aircraft"
    sources_of_it = [
        name
        for name in files.stdout.splitlines()
        if not name.endswith((".ipynb", "notebooks/README.md", "test_notebook_builder.py"))
        and (ROOT / name).is_file()
        and address.encode() in (ROOT / name).read_bytes()
    ]
    assert sources_of_it == ["pyproject.toml"]


def test_building_again_changes_no_byte_and_executes_nothing(built, no_kernel):
    before = all_bytes(built)
    assert run(built) == 0
    assert all_bytes(built) == before


def test_executing_again_changes_no_byte(built):
    before = all_bytes(built)
    assert run(built, "--force") == 0
    assert all_bytes(built) == before


def test_new_prose_needs_no_execution(built, no_kernel):
    write_source(built, SOURCE.replace("A lesson for the tests.", "Other words."))
    assert run(built, "--check") == 1
    assert run(built) == 0
    assert run(built, "--check") == 0
    assert "Other words." in (built / "notebooks/solutions/01_tiny.ipynb").read_text()


def test_new_code_is_executed(built):
    write_source(built, SOURCE.replace("print(double(number) + 1)", "print(double(number) + 2)"))
    assert run(built) == 0
    assert list(cells_of(built, "notebooks/solutions/01_tiny.ipynb").values())[-2].outputs[0].text == "8\n"


def test_trying_out_touches_no_committed_notebook(built, no_kernel):
    before = all_bytes(built)
    write_source(built, SOURCE.replace("return 2 * x", "return x * 2"))
    assert run(built, "1", "--no-execute") == 0
    assert all_bytes(built) == before
    assert "return x * 2" in (built / "build/try/solutions/01_tiny.ipynb").read_text()


def test_a_solution_that_fails_stops_the_build(built, capsys):
    before = (built / "notebooks/solutions/01_tiny.ipynb").read_bytes()
    write_source(built, SOURCE.replace("print(double(number) + 1)", "print(double(nowhere) + 1)"))
    assert run(built) == 1
    error = capsys.readouterr().err
    assert "' of the solution fails: NameError: name 'nowhere' is not defined\n" in error
    assert "\x1b" not in error
    assert (built / "notebooks/solutions/01_tiny.ipynb").read_bytes() == before


def clear_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, path)


STUDENT, SOLUTION = "notebooks/01_tiny.ipynb", "notebooks/solutions/01_tiny.ipynb"


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (
            lambda root: write_source(root, SOURCE.replace("Twice x", "Two x")),
            "(double) is not that of the source",
        ),
        (lambda root: (root / STUDENT).unlink(), "01_tiny.ipynb: is missing"),
        (lambda root: (root / STUDENT).write_text("{"), "cannot be read"),
        (lambda root: edit(root / STUDENT, "Twice", "Trice"), "cell 5 (double)"),
        (lambda root: edit(root / STUDENT, '"T4"', '"A100"'), "its metadata"),
        (lambda root: edit(root / SOLUTION, "2 * x", "3 * x"), "cell 5 (double)"),
        (lambda root: clear_outputs(root / SOLUTION), "was not executed"),
        (lambda root: edit(root / "notebooks/README.md", "double", "triple"), "README.md"),
        (lambda root: (root / "notebooks/02_old.ipynb").write_text("{}"), "02_old.ipynb: has no source"),
        (lambda root: edit(root / "src/aircraft/__init__.py", "9.8.7", "9.8.8"), "(setup) is not"),
    ],
)
def test_a_stale_notebook_is_found(built, harm, told, capsys):
    assert run(built, "--check") == 0
    harm(built)
    assert run(built, "--check") == 1
    error = capsys.readouterr().err
    assert told in error
    assert "make notebooks" in error


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def run_proof(path: Path) -> list[str]:
    """The verdicts of a proof notebook that fail; its cells run here, as in a kernel."""
    failed, names = [], {"__name__": "__main__"}
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.id == "setup":
            continue
        try:
            exec(compile(cell.source, cell.id, "exec"), names)
        except AssertionError as error:
            failed.append(str(error))
    return failed


def test_the_proof_holds(built):
    assert run_proof(built / "build/proof/01_tiny.ipynb") == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '    assert double(3) != 9, "that is the square"\n',
            "",
            "wrong1 of double",
        ),  # refused with another hint
        ('assert double(3) == 6, "3 and 3 are 6"', "pass", "wrong2 of double"),  # accepted
        ("assert number < 4", "assert number < 3.5", "right1 of number"),
        ("number = 3  # SOLUTION", "number = 2  # SOLUTION", "solution of number"),
        ('"""Twice x."""', "return 6", "stub of double"),  # the stub is right already
    ],
)
def test_the_proof_finds_a_check_that_judges_badly(tmp_path, old, new, told):
    assert SOURCE.count(old) == 1
    root = make_root(tmp_path)
    write_source(root, SOURCE.replace(old, new))
    assert run(root, "--no-execute") == 0
    failed = run_proof(root / "build/try/proof/01_tiny.ipynb")
    assert any(line.startswith(told) for line in failed), failed


EXERCISE = '# %% name="double" tags=["exercise"]'


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "    # END SOLUTION\n",
            "",
            "01_tiny.py:41: cell 'double': the region # BEGIN SOLUTION is not closed",
        ),
        ("    # BEGIN SOLUTION\n", "", "cell 'double': # END SOLUTION without # BEGIN SOLUTION"),
        ("    return 2 * x\n", "    # BEGIN SOLUTION\n", "# BEGIN SOLUTION inside another region"),
        (
            "    # BEGIN SOLUTION\n    return 2 * x\n    # END SOLUTION\n",
            "    return 2 * x\n",
            "needs a region",
        ),
        ('    """Twice x."""\n', "    # STUB\n", "# STUB outside of a region"),
        ("number = 3  # SOLUTION", "print(3)  # SOLUTION", "plain assignment `name = value`: print(3)"),
        ("number = 3  # SOLUTION", "number = 3", "cell 'number': an exercise needs a region"),
        ("    return 2 * x\n", "    return 2 *\n", "the solution is not plain Python"),
        (
            "    return 2 * x\n",
            "    return 2 * x\n    # STUB\n    # return (\n",
            "the stub is not plain Python",
        ),
        (
            "print(double",
            "%matplotlib inline\nprint(double",
            "is not plain Python (invalid syntax): %matplotlib",
        ),
        ("print(double(number) + 1)", "x = 1  # SOLUTION", "not tagged exercise: it would leak"),
        ('name="number" ', "", "cell 'number = 3  # SOLUTION': an exercise needs a name"),
        ('name="number"', 'name="double"', "another cell has this name"),
        ('name="number"', 'name="the number"', "a name has letters"),
        ('tags=["needs-answer"]', 'tags=["need-answer"]', "unknown tag need-answer; the tags are"),
        ('tags=["needs-answer"]', 'tags=["right", "wrong"]', "do not go together"),
        (
            '[markdown] tags=["solution"]',
            '[markdown] tags=["check"]',
            "a Markdown cell cannot be tagged check",
        ),
        ("# hint: too small\n", "", "begins with a line `# hint:"),
        ("# # 1. Tiny\n# A lesson for the tests.\n", "", "the cell is empty"),
        (
            '# %% tags=["wrong"]\n# hint: too small\nnumber = 1\n',
            "",
            "needs two wrong answers before it, has 1",
        ),
        ('# %% tags=["right"]\nnumber = 3.5\n', "", "needs a second right answer"),
        ('# %% tags=["check"]\ncheck_double(double)\n', "", "has no check before the next exercise"),
        ('# %% tags=["needs-answer"]', '# %% tags=["check"]', "a check needs an exercise of its own"),
        ("check_double(double)\n", "double(3)\n", "a check cell calls one check_..., this one calls 0"),
        ('# %% tags=["needs-answer"]', '# %% tags=["right"]', "no exercise comes after this answer"),
        ("#   minutes: 10\n", "", "the header needs `minutes`, a int; it has None"),
        ("minutes: 10", "minutes: ten", "the header needs `minutes`, a int; it has 'ten'"),
        ("#   gpu: true\n", "#   cpu: true\n", "unknown entries: cpu"),
        ("extras: [onnx]", "extras: [cuda]", "unknown extra cuda; there are efficientnet, onnx"),
        ("# aircraft:", "# aircraft: {", "01_tiny.py:1: the header"),
    ],
)
def test_a_malformed_source_stops_the_build_and_is_named(tmp_path, old, new, told, capsys):
    assert SOURCE.count(old) == 1
    root = make_root(tmp_path)
    write_source(root, SOURCE.replace(old, new))
    assert run(root) == 1
    assert told in capsys.readouterr().err
    assert not list(root.glob("**/*.ipynb"))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("tiny.py", SOURCE, "the name of a source is NN_name.py"),
        ("01_tiny.py", SOURCE.encode("utf-16").decode("latin-1"), "01_tiny.py"),
        ("01_tiny.py", "", "the header"),
    ],
)
def test_a_file_that_is_no_source_is_named(tmp_path, name, text, told, capsys):
    root = make_root(tmp_path)
    (root / "notebooks/source/01_tiny.py").unlink()
    write_source(root, text, name)
    assert run(root) == 1
    assert told in capsys.readouterr().err


def test_a_lesson_that_does_not_exist_is_named(tmp_path, capsys):
    assert run(make_root(tmp_path), "7", "--no-execute") == 1
    assert "no lesson '7'" in capsys.readouterr().err


def test_the_lesson_and_its_module_of_checks_know_the_same_exercises(tmp_path, capsys):
    root = make_root(tmp_path)
    module = root / "src/aircraft_course/checks/lesson01.py"
    module.parent.mkdir(parents=True)
    module.write_text("def check_double(x): ...\n\ndef check_triple(x): ...\n")
    assert run(root) == 1
    error = capsys.readouterr().err
    assert "no cell tagged check calls check_triple of lesson01.py" in error
    assert "lesson01.py has no check_number" in error


@pytest.mark.parametrize(
    ("text", "stub", "solution"),
    [
        ("x = 3  # SOLUTION", "x = ...  # TODO: your answer", "x = 3"),
        ("a, b = 1, 2  # SOLUTION", "a, b = ..., ...  # TODO: your answer", "a, b = 1, 2"),
        ("x: int = 3  # SOLUTION", "x: int = ...  # TODO: your answer", "x: int = 3"),
        (
            "def f():\n    y = 3  # SOLUTION",
            "def f():\n    y = ...  # TODO: your answer",
            "def f():\n    y = 3",
        ),
        (
            "f(\n    # BEGIN SOLUTION\n    1,\n    # STUB\n    # ...,\n    # # why\n    # END SOLUTION\n)",
            "f(\n    ...,\n    # why\n)",
            "f(\n    1,\n)",
        ),
        (
            "# BEGIN SOLUTION\n# STUB\n# x = ...\nx = 3\n# a comment of the solution\n# END SOLUTION",
            "x = ...",
            "x = 3\n# a comment of the solution",
        ),
        ("# BEGIN SOLUTION\nx = 3\n# STUB: x = ...\n# END SOLUTION", "x = ...", "x = 3"),
    ],
)
def test_a_cell_becomes_stub_and_solution(text, stub, solution):
    assert stubs.stub(text) == stub
    assert stubs.solution(text) == solution


def png(image: np.ndarray) -> str:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_pictures_shrink_to_the_same_bytes_each_time():
    noise = np.random.default_rng(0).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    given = png(noise)
    small = execution.small_png(given)
    assert len(small) < 0.75 * len(given)
    assert execution.small_png(given) == small
    shown = Image.open(io.BytesIO(base64.b64decode(small)))
    assert shown.size == (300, 200)
    assert np.abs(np.asarray(shown.convert("RGB"), dtype=int) - noise).mean() < 16


def test_a_transparent_picture_stands_on_white():
    clear = np.zeros((8, 8, 4), dtype=np.uint8)
    shown = Image.open(io.BytesIO(base64.b64decode(execution.small_png(png(clear)))))
    assert np.asarray(shown.convert("RGB")).min() == 255


def test_outputs_have_no_addresses():
    output = new_output("execute_result", data={"text/plain": "<Thing at 0x7f3a12bc45>"}, execution_count=1)
    assert execution.tidy(output)["data"]["text/plain"] == "<Thing at 0x...>"
    assert execution.tidy(new_output("stream", text="0xff is 255"))["text"] == "0xff is 255"


def test_a_notebook_over_one_megabyte_is_refused_by_name():
    cell = new_code_cell("plot()", id="figure", outputs=[new_output("stream", text="x" * 1_100_000)])
    with pytest.raises(
        execution.ExecutionError, match=r"01_tiny: 1\.10 MB, more than 1 MB.*figure \(1100 kB\)"
    ):
        execution.text(new_notebook(cells=[cell]), "01_tiny")


def setup_code(root: Path) -> str:
    return kinds.student(sources.read(write_source(root)), make_root(root / "course")).cells[2].source


@pytest.fixture
def pip(monkeypatch):
    """What the setup cell asks pip for; nothing is installed."""
    calls: list[list[str]] = []
    monkeypatch.setattr(subprocess, "check_call", calls.append)
    return calls


def test_the_setup_cell_does_nothing_outside_colab(tmp_path, pip, monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torchinfo" else object())
    exec(setup_code(tmp_path), {})
    assert pip == []
    printed = capsys.readouterr().out
    assert "Not installed here: torchinfo" in printed
    assert "torch" in printed.splitlines()[-1]


def test_in_colab_the_setup_cell_installs_what_is_missing_without_dependencies(
    tmp_path, pip, monkeypatch, capsys
):
    missing = {"aircraft", "ignite"}
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in missing else object())
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    code = setup_code(tmp_path)
    exec(code, {})
    assert pip[0][1:6] == ["-m", "pip", "install", "-q", "--no-deps"]
    assert pip[0][6:] == ["aircraft @ git+https://github.com/some/where@v9.8.7", "pytorch-ignite"]
    assert "T4 GPU" in capsys.readouterr().out
    missing.clear()
    exec(code, {})  # again: nothing to do
    assert len(pip) == 1


def test_the_setup_cell_never_names_what_colab_brings():
    assert not {"torch", "torchvision", "numpy"} & set(kinds.NEEDED)
    assert not {"torch", "torchvision", "numpy"} & {m for extra in sources.EXTRAS.values() for m in extra}


def test_the_table_of_lessons_comes_from_the_headers(built):
    page = (built / "notebooks/README.md").read_text()
    assert "| 1 | [Tiny](01_tiny.ipynb) |" in page
    assert "| 10 | double a number |" in page
    assert "some/where/blob/main/notebooks/01_tiny.ipynb" in page


def test_an_extra_is_built_and_held_as_a_lesson_is(tmp_path, capsys):
    root = make_root(tmp_path)
    source = write_source(root, SOURCE.replace("title: Tiny", "title: More"), "extras/more.py")
    assert run(root) == 0
    page = (root / "notebooks/README.md").read_text()
    assert "| [More](extras/more.ipynb) |" in page.split("## Extras")[1]
    assert "[solution](extras/solutions/more.ipynb)" in page
    assert "\n10 minutes in all" in page, "extras are no part of the lessons' minutes"
    assert run_proof(root / "build/proof/extras/more.ipynb") == []
    student = nbformat.read(root / "notebooks/extras/more.ipynb", as_version=4)
    assert student.metadata["aircraft"] == {"kind": "student", "lesson": "extra_more"}
    assert "blob/main/notebooks/extras/more.ipynb" in student.cells[0].source
    assert run(root, "--check") == 0
    edit(root / "notebooks/extras/solutions/more.ipynb", "2 * x", "3 * x")
    assert run(root, "--check") == 1
    assert "notebooks/extras/solutions/more.ipynb: cell 5 (double)" in capsys.readouterr().err
    source.unlink()
    assert run(root, "--check") == 1
    assert "notebooks/extras/more.ipynb: has no source; remove it" in capsys.readouterr().err


def test_an_extra_and_its_module_of_checks_know_the_same_exercises(tmp_path, capsys):
    root = make_root(tmp_path)
    write_source(root, name="extras/more.py")
    module = root / "src/aircraft_course/checks/extra_more.py"
    module.parent.mkdir(parents=True)
    module.write_text("def check_double(x): ...\n\ndef check_triple(x): ...\n")
    assert run(root, "more") == 1
    assert "no cell tagged check calls check_triple of extra_more.py" in capsys.readouterr().err


def test_times_are_measured_and_put_into_the_page(built, capsys):
    (built / "TEACHING.md").write_text(f"before\n{pages.BEGIN}\nold\n{pages.END}\nafter\n")
    assert run(built, "--times") == 0
    page = (built / "TEACHING.md").read_text()
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "old" not in page
    assert "| 01_tiny |" in page
    measured = json.loads((built / "build/times/full/01_tiny.json").read_text())
    assert len(measured["cells"]) == 7
    assert all(cell["seconds"] >= 0 for cell in measured["cells"])
    assert max(cell["seconds"] for cell in measured["cells"]) > 0.1, "the setup cell imports torch"


def test_a_page_without_marks_is_refused():
    with pytest.raises(ValueError, match="times: begin"):
        pages.fill("no marks", "table")


def test_the_builder_is_a_command_that_works_from_any_folder(tmp_path):
    command = [sys.executable, str(ROOT / "notebooks/build.py"), "--help"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0
    assert "--check" in done.stdout
