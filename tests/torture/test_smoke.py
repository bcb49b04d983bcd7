"""The campaign itself: its makers of files, its judge, and a handful of cases from end to end."""

import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from torture import formats
from torture.cases import Case, Outcome, judge
from torture.process import difference

REFUSED = Case("family", "what", ("detect",), ("bad.png",))
LINE = b"aircraft: bad.png is damaged; copy it again\n"


def outcome(code: int = 2, out: bytes = b"", err: bytes = LINE, **more: object) -> Outcome:
    return Outcome(code, out, err, 0.1, 10.0, **more)  # type: ignore[arg-type]


def test_one_line_that_names_the_file_is_right() -> None:
    assert judge(REFUSED, outcome()) == []
    assert judge(REFUSED, outcome(err=b"aircraft: note: bad.png is grey\n" + LINE)) == []


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        (outcome(1, err=b"aircraft: this is a fault of aircraft\n"), "exit code 1"),
        (outcome(-9), "exit code -9"),
        (outcome(0, err=b""), "accepted"),
        (outcome(err=b""), "0 lines"),
        (outcome(err=LINE * 2), "2 lines"),
        (outcome(err=b"libpng: bad.png\n"), "somebody else"),
        (outcome(err=b"aircraft: it is damaged\n"), "names none"),
        (outcome(err=b"aircraft: out/.bad.png-a1b2c3d4 is full\n"), "temporary"),
        (outcome(err=b"aircraft: \x1b[31mbad.png\n"), "control codes"),
        (outcome(err=b"Traceback\n" + LINE), "a traceback"),
        (outcome(out=b"18 aircraft"), "an answer"),
        (outcome(changed=("gone home/model.safetensors",)), "left gone home/model"),
        (outcome(stopped="hangs: stopped after 20 s"), "hangs"),
    ],
)
def test_whatever_else_a_bad_file_leads_to_is_a_fault(seen: Outcome, fault: str) -> None:
    assert fault in " ".join(judge(REFUSED, seen))


def test_what_is_doubtful_may_be_refused_or_accepted_with_a_note() -> None:
    doubtful = Case("family", "what", ("detect",), ("bad.png",), "doubtful")
    assert judge(doubtful, outcome()) == []
    assert judge(doubtful, outcome(0, b"3", b"aircraft: note: bad.png: 2 bits\n")) == []
    assert "without a note" in judge(doubtful, outcome(0, b"3", b""))[0]


def test_a_snapshot_tells_what_is_new_gone_and_other() -> None:
    assert difference({"a": "1", "b": "1"}, {"b": "2", "c": "1"}) == ["gone a", "other b", "new c"]


def test_files_made_byte_by_byte_are_what_they_say(tmp_path: Path) -> None:
    pixels = np.arange(48 * 3, dtype=np.uint8).reshape(6, 8, 3)
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    parts = [formats.header(8, 6), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    (tmp_path / "a.png").write_bytes(formats.png(parts))
    (tmp_path / "a.tif").write_bytes(formats.tiff(formats.tiff_tags(8, 6), [pixels.tobytes()]))
    for name in ("a.png", "a.tif"):
        assert (np.asarray(Image.open(tmp_path / name)) == pixels).all()
    assert formats.chunks((tmp_path / "a.png").read_bytes()) == parts
    (tmp_path / "a.npz").write_bytes(formats.archive({"x.npy": formats.array(pixels)}))
    assert (np.load(tmp_path / "a.npz")["x"] == pixels).all()
    assert zlib.decompress(formats.zeros(3 * 2**20 + 5)) == bytes(3 * 2**20 + 5)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="the campaign needs fork")
def test_a_few_cases_run_from_end_to_end(tmp_path: Path) -> None:
    words = [sys.executable, str(Path(__file__).parent), "commands", "--only", "image: png | no bytes"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert "image: png" in done.stdout, done.stderr
    assert done.returncode == 0, done.stdout
