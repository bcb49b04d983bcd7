"""The surroundings of a handed-in notebook: its own copy of our packages, its own folders, isolation.

With bubblewrap (Linux) the kernel sees no network, no other process, and can write in its own folder only.
Without it the limits still hold, but code that wants to can reach the files and processes of this user.
"""

import ast
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from aircraft_course import checks

SOURCE = Path(__file__).parents[2]
PACKAGES = ("aircraft", "airfield", "aircraft_course", "aircraft_bench")
DATA = "AIRCRAFT_DATA"
# What the kernel gets of the environment: no passwords of the teacher.
PASSED_ON = (
    "PATH", "LANG", "LC_", "TZ", "OMP_", "MKL_", "CUDA_", "NVIDIA_", "LD_", "DYLD_", "VIRTUAL_ENV", "CONDA_",
    "AIRCRAFT_", "SYSTEM", "WINDIR", "PROCESSOR_", "NUMBER_OF_PROCESSORS", "PYTHONHASHSEED", "PYTHONPATH",
)  # fmt: skip


def cache() -> Path:
    """The folder of the data sets."""
    if not os.environ.get(DATA):
        from aircraft.datasets import storage  # with all that reads images: the child is told and needs none

        return storage.folder().absolute()
    return Path(os.environ[DATA]).expanduser().absolute()


def fingerprint() -> str:
    """A hash of the installed packages' files, without what Python compiled."""
    digest = hashlib.sha256()
    for path in _files():
        digest.update(f"{path.relative_to(SOURCE)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((SOURCE / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def copy_packages(folder: Path, *, with_checks: bool) -> Path:
    """A copy of our packages that only reads; without the bodies of the checks for the student's kernel."""
    for path in _files():
        copy = folder / path.relative_to(SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    place = folder / "aircraft_course" / "checks"
    named = ("lesson[0-9][0-9].py", "extra_*.py")
    lessons = [file for other in checks.__path__ for name in named for file in Path(other).glob(name)]
    for lesson in sorted(lessons):
        text = lesson.read_text(encoding="utf-8")
        (place / lesson.name).write_text(text if with_checks else _outline(text), encoding="utf-8")
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    return folder


def _outline(text: str) -> str:
    """A module of checks whose checks do nothing: the student's code can neither read nor run them.

    Other functions stay: some lessons import them, and the judge sends objects of the classes.
    """
    tree = ast.parse(text)
    for node in exercises_in(tree):
        node.body = ast.parse("raise NotImplementedError('only the judge knows')").body
    return ast.unparse(tree)


def exercises_in(tree: ast.Module) -> list[ast.FunctionDef]:
    """The functions that the decorator `exercise` makes checks of."""
    return [node for node in tree.body if isinstance(node, ast.FunctionDef) and _is_exercise(node)]


def _is_exercise(function: ast.FunctionDef) -> bool:
    names = [getattr(decorator, "func", decorator) for decorator in function.decorator_list]
    return any(isinstance(name, ast.Name) and name.id == "exercise" for name in names)


def prepare(folder: Path) -> None:
    """The folders of one notebook: its packages, where it works (with a home), and the sockets."""
    for name in ("work/home", "work/data", "tmp", "shm", "run", "empty"):
        (folder / name).mkdir(parents=True)
    copy_packages(folder / "packages", with_checks=False)
    if cache().is_dir():  # data sets that are there are read there, new ones are built in its own folder
        for found in cache().iterdir():
            if found.is_dir() and found.suffix != ".tmp":
                _link(found.resolve(), folder / "work" / "data" / found.name)
    fonts = Path.home() / ".cache" / "matplotlib"  # looking for fonts takes seconds
    for found in fonts.glob("fontlist-*.json"):
        copy = folder / "work" / "home" / ".cache" / "matplotlib" / found.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, copy)
    profile = folder / "work" / "home" / ".ipython" / "profile_default"
    profile.mkdir(parents=True)  # nobody looks at the figures: they become no pictures
    (profile / "ipython_kernel_config.py").write_text("get_config().InlineBackend.figure_formats = set()\n")


def _link(there: Path, here: Path) -> None:
    try:
        here.symlink_to(there, target_is_directory=True)
    except OSError:  # Windows asks for a right that few have
        shutil.copytree(there, here)


def remove(folder: Path) -> None:
    """Remove a folder with all that is in it, however deep: each folder in it is first brought up."""
    waiting = [folder]
    for place in waiting:
        with suppress(OSError):
            place.chmod(0o700)
            for entry in list(os.scandir(place)):
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(folder / f".{len(waiting)}")
                    os.rename(entry.path, waiting[-1])
                else:
                    os.unlink(entry.path)
            place.rmdir()
    shutil.rmtree(folder, ignore_errors=True)  # itself, and what Windows does not let go that easily


def environment(folder: Path, **changes: str) -> dict[str, str]:
    """The variables of the kernel: few of ours, and a home of its own."""
    kept = {name: value for name, value in os.environ.items() if name.upper().startswith(PASSED_ON)}
    home, temporary = str(folder / "work" / "home"), str(folder / "tmp")
    places = {"HOME": home, "USERPROFILE": home, "TMPDIR": temporary, "TEMP": temporary, "TMP": temporary}
    paths = [str(folder / "packages"), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {
        **kept,
        **places,
        **changes,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        DATA: str(folder / "work" / "data"),
    }


def bubblewrap(folder: Path, hidden: Sequence[str]) -> list[str]:
    """The words that start a command with no network and no other process, on a disk that only reads.

    It can write in its own folders. `hidden` folders are empty: the solutions, the work of other students.
    """
    words = ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--unsetenv", "JPY_PARENT_PID"]
    words += ["--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for device in sorted(Path("/dev").glob("nvidia*")):
        words += ["--dev-bind", str(device), str(device)]
    words += ["--bind", str(folder / "shm"), "/dev/shm"]
    for place in hidden:
        words += ["--ro-bind", str(folder / "empty"), place]
    words += ["--bind", str(folder / "tmp"), "/tmp"]
    for place in filter(None, (str(cache()), os.environ.get("AIRCRAFT_AIRBUS_DIR", ""))):
        words += ["--ro-bind-try", place, place]
    words += ["--ro-bind", str(folder / "packages"), str(folder / "packages")]
    for name in ("work", "run", "tmp"):
        words += ["--bind", str(folder / name), str(folder / name)]
    return [*words, "--chdir", str(folder / "work")]


def why_not_isolated() -> str:
    """What is missing for isolation, or "" where it works."""
    if sys.platform != "linux":
        return "there is bubblewrap for Linux only; grade in a container, see TEACHING.md"
    if shutil.which("bwrap") is None:
        return "bubblewrap is missing; install it (`apt install bubblewrap`), or grade in a container"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("work", "tmp", "shm", "run", "empty", "packages"):
            (folder / part).mkdir()
        try:
            tried = subprocess.run(
                [*bubblewrap(folder, []), sys.executable, "-c", ""], capture_output=True, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"bubblewrap does not work here ({error}); grade in a container, see TEACHING.md"
    said = " ".join(tried.stderr.decode(errors="replace").split())[:200]
    return f"bubblewrap does not work here ({said}); grade in a container" if tried.returncode else ""


def to_hide(notebook: Path, more: Sequence[str] = ()) -> list[str]:
    """Folders that a notebook must not read: the installed checks, the solutions, its neighbours, `more`."""
    places = [SOURCE / package for package in PACKAGES] + [SOURCE.parent / "notebooks", notebook.parent]
    needed = [Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable)]
    found = {place.resolve() for place in (*places, *map(Path, more)) if place.is_dir()}
    found -= {place for place in found if any(need.resolve().is_relative_to(place) for need in needed)}
    # In a folder that is hidden there is no place where another could be put.
    return sorted(str(place) for place in found if not found & set(place.parents))
