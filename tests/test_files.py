"""The two ways to a file, for every room: read what the user named; replace one as a whole."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import aircraft
from aircraft import InputError, quoted, reading, regular, replacing

KILLED = """
import os, signal, sys
from aircraft import replacing
with replacing(sys.argv[1]) as file:
    file.write(b"half")
    file.flush()
    print("writing", flush=True)
    sys.stdin.read()
"""


def write(path: Path, content: bytes) -> None:
    with replacing(path) as file:
        file.write(content)


def old(path: Path) -> Path:
    """The same file, last written an hour ago."""
    os.utime(path, (time.time() - 3600,) * 2)
    return path


def parts(folder: Path) -> list[Path]:
    return list(folder.glob(f".*{aircraft.PART}"))


@pytest.fixture
def writer(tmp_path: Path):
    """A process in the middle of replacing `a.txt`."""
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, tmp_path / "a.txt"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"writing\n"
    [part] = parts(tmp_path)
    old(part)
    yield process
    process.kill()
    process.communicate()


def test_what_a_killed_writer_left_is_removed_by_the_next_one(tmp_path: Path, writer) -> None:
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(parts(tmp_path)) == 1
    write(tmp_path / "a.txt", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="there an open file cannot be removed")
def test_what_a_living_writer_writes_is_left_alone(tmp_path: Path, writer) -> None:
    write(tmp_path / "a.txt", b"first")
    assert len(parts(tmp_path)) == 1
    writer.communicate()  # it goes on, to its end
    assert (tmp_path / "a.txt").read_bytes() == b"half"
    assert not parts(tmp_path)


def test_what_is_not_ours_or_of_another_file_is_left_alone(tmp_path: Path) -> None:
    names = [".a.txt-notes", f".b.txt-1234{aircraft.PART}", ".a.txt"]
    for name in names:
        (tmp_path / name).touch()
        old(tmp_path / name)
    write(tmp_path / "a.txt", b"")
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*names, "a.txt"])


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "there" / "a.txt")
    write(tmp_path / "link.txt", b"text")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "there" / "a.txt").read_bytes() == b"text"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_is_neither_replaced_nor_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"pipe: cannot be written \(no regular file is there\)"):
        write(tmp_path / "pipe", b"text")
    with pytest.raises(InputError, match="pipe is a pipe or a device, no regular file; give a file"):
        regular(tmp_path / "pipe", "give a file")
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="no devices here")
def test_a_device_is_not_replaced() -> None:
    with pytest.raises(InputError, match="/dev/null: cannot be written"):
        write(Path("/dev/null"), b"text")
    assert Path("/dev/null").is_char_device()


def test_a_name_that_is_too_long_is_named_as_it_was_given(tmp_path: Path) -> None:
    name = "x" * 300
    with pytest.raises(InputError) as error:
        write(tmp_path / name, b"text")
    assert name in str(error.value)
    assert aircraft.PART not in str(error.value)
    with pytest.raises(InputError, match="cannot be read"):
        regular(tmp_path / name, "give a file")


def test_a_long_name_that_fits_can_be_written(tmp_path: Path) -> None:
    write(tmp_path / ("x" * 255), b"text")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("name", ["absent.txt", "dangling", "nul\0.txt"])
def test_what_is_not_there_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="no such file; give a file"):
        regular(tmp_path / name, "give a file")


@pytest.mark.parametrize(
    "error", [KeyError("x"), RecursionError("deep"), OSError(5, "bad"), SyntaxError("s")]
)
def test_any_error_while_a_file_is_read_is_the_files(error: Exception) -> None:
    with pytest.raises(InputError) as told, reading("photo.png", "copy it again"):
        raise error
    assert str(told.value).startswith("photo.png: damaged, or of another kind (")
    assert str(told.value).endswith("); copy it again")


@pytest.mark.parametrize(
    "error", [InputError("ours"), FileNotFoundError("x"), MemoryError(), KeyboardInterrupt()]
)
def test_errors_that_say_more_are_left_as_they_are(error: BaseException) -> None:
    with pytest.raises(type(error)) as told, reading("photo.png", "copy it again"):
        raise error
    assert told.value is error


def test_a_name_is_written_without_its_control_codes() -> None:
    assert quoted("a\x1b[31mb\n\udcff é 飛.png") == "a\\x1b[31mb\\n\\udcff é 飛.png"
