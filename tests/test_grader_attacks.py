"""Attacks on the grader: none raises a score, harms another notebook, outlives its own, or takes all that is.

Each is a notebook with no honest answer. What still gets through without bubblewrap is in the tables as such.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from aircraft_course.checks import __main__ as command
from aircraft_course.checks import grading, sandbox
from aircraft_course.checks.watch import Limits
from grader_helpers import outcomes

pytest_plugins = ["grader_helpers"]  # hand_in

ISOLATED = not sandbox.why_not_isolated()
needs_isolation = pytest.mark.xfail(
    not ISOLATED, strict=True, reason="known: gets through without bubblewrap"
)
linux = pytest.mark.skipif(sys.platform != "linux", reason="an attack by way of /proc")
CHECKS = "check_first(0)\ncheck_second(0)\ncheck_third(lambda: 0)"

FORGERIES = {
    "writes the log of outcomes": """
import contextlib, json, os
told = {"lesson": "lesson99", "name": "first", "status": "ok", "message": ""}
for name in ("AIRCRAFT_CHECKS_LOG", "AIRCRAFT_JUDGE"):
    with contextlib.suppress(OSError), open(os.environ.get(name, "log"), "a") as log:
        log.write(json.dumps(told) + "\\n")""",
    "prints a success": """
import os
print('first: ✅ correct')
os.write(1, b'{"results": [["first", "ok", ""]]}')""",
    "replaces the judging": f"""
from aircraft_course.checks import core
core.Exercise.judge = core.Exercise._judge = lambda *_: ("ok", "")
{CHECKS}""",
    "replaces the call": f"""
from aircraft_course.checks import core
core.Exercise.__call__ = lambda self, *_: print(self.name, "✅ correct")
core.LAST.status = "ok"
{CHECKS}""",
    "replaces the functions of the checks": f"""
for check in (check_first, check_second, check_third):
    check.function = lambda *_: None
{CHECKS}""",
    "defines the checks anew": f"""
from aircraft_course.checks import exercise
@exercise
def check_first(value): pass
check_first.lesson = "lesson99"
{CHECKS}""",
    "is equal to everything": """
class Yes:
    def __eq__(self, other): return True
    def __bool__(self): return True
    __hash__ = None
check_first(Yes()); check_second(Yes()); check_third(lambda: Yes())""",
    "is a number that is equal to everything": """
class Yes(int):
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    __hash__ = None
check_first(Yes(0)); check_second(Yes(0)); check_third(lambda: Yes(0))""",
    "reads the frames of the check": """
import sys
def third():
    frame = sys._getframe(1)
    while frame:
        if "function" in frame.f_code.co_varnames and 3 in frame.f_code.co_consts:
            return 3
        frame = frame.f_back
check_third(third)""",
    "reads the code of the check": """
def constants(code):
    return [one for one in code.co_consts if type(one) is int]
check_first((constants(check_first.function.__code__) or [0])[0])
check_third(lambda: (constants(check_third.function.__code__) or [0])[0])""",
    "reads the source of the check": """
import inspect, re
check_first(int((re.findall(r"== (\\d)", inspect.getsource(check_first.function)) or [0])[0]))""",
    "answers for the judge": f"""
from aircraft_course.checks import apart
apart.Session.ask = lambda self, header, value=None: ({{"status": "ok", "message": ""}}, None)
{CHECKS}""",
    "tells the judge the outcome": """
from aircraft_course.checks import apart
session = apart._sessions[0]
for what in ("answer", "check", "do"):
    header = {"what": what, "lesson": "lesson99", "name": "first", "status": "ok", "message": "",
              "blank": True, "deed": "call", "on": 0}
    session.connection.send_bytes(session.table.pack(header, ((0,), {})))""",
    "sends the judge classes to make": """
from aircraft_course.checks import apart
import json
for name in ("subprocess.Popen", "builtins.eval", "os._wrap_close", "aircraft_course.checks.core.Exercise"):
    message = {"what": "check", "lesson": "lesson99", "name": "first", "blank": False, "value": None,
               "objects": [[0, ["instance", name, [["args", "touch made"]]], 0]]}
    apart._sessions[0].connection.send_bytes(json.dumps(message).encode() + b"\\n")""",
    "is left unanswered but says it is the last": "check_first(...)\ncheck_second(...)\ncheck_third(...)",
    "is deep and goes in circles": """
ring = []
ring.append(ring)
check_first(ring)
deep = ()
for _ in range(100_000):
    deep = (deep,)
check_second(deep)""",
    "fails with a long message": """
def third(): raise ValueError('x' * 10**7)
check_third(third)
raise KeyError('y' * 10**7)""",
    "leaves through the check": """
def third(): raise SystemExit
check_third(third)
def third(): raise KeyboardInterrupt
check_third(third)""",
}  # fmt: skip


@pytest.mark.parametrize("code", FORGERIES.values(), ids=FORGERIES)
def test_a_forgery_gets_no_point(hand_in, code):
    grade = grading.grade(hand_in(code))
    assert grade.score == 0, grade.results


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(
            """
import json, os
pipes = f"/proc/{os.getppid()}/fd"
told = b'{"results": [["first", "ok", ""]]}\\n'
for name in os.listdir(pipes):
    try:
        os.write(os.open(f"{pipes}/{name}", os.O_WRONLY | os.O_NONBLOCK), told)
    except OSError:
        pass""",
            marks=linux,
            id="writes into the pipes of the grader",
        ),
        pytest.param(
            """
import re, aircraft_course.checks
for place in aircraft_course.checks.__path__:
    try:
        check_first(int(re.findall(r"== (\\d)", open(place + "/lesson99.py").read())[0]))
    except (OSError, IndexError):
        pass""",
            marks=needs_isolation,
            id="reads the checks or the solutions on the disk",
        ),
    ],
)
def test_a_forgery_by_way_of_the_machine_gets_no_point(hand_in, code):
    assert grading.grade(hand_in(code)).score == 0


LIMITS = Limits(total=60, memory=1, disk=0.2, processes=20)
GREEDY = {
    "memory": ("held = [bytearray(2**26) for _ in range(60)]", "more than 1 GB of memory"),
    "processes": (
        "import subprocess, time\nfor _ in range(60):\n    subprocess.Popen(['sleep', '600'])\ntime.sleep(9)",
        "more than 20 processes",
    ),
    "disk": (
        "import time\nfor n in range(20):\n    open(f'{n}', 'wb').write(bytes(2**25))\n    time.sleep(0.1)",
        "wrote more than 0.2 GB",
    ),
    "time of a cell": ("while True:\n    print('x' * 1000)", "ran longer than 5 s"),
    "time of its check": ("import time\ncheck_third(lambda: time.sleep(100))", "ran longer than 5 s"),
}


@pytest.mark.parametrize(("code", "told"), GREEDY.values(), ids=GREEDY)
def test_a_greedy_cell_is_ended_and_the_rest_goes_on(hand_in, code, told):
    began, before = time.monotonic(), {one.pid for one in psutil.process_iter()}
    grade = grading.grade(
        hand_in("check_first(1)", f"{code}\ncheck_third(lambda: 3)", "check_second(2)"),
        timeout=20 if told.startswith("more") or told.startswith("wrote") else 5,
        limits=LIMITS,
    )
    assert outcomes(grade) == [("first", "ok"), ("second", "ok"), ("third", "error")], grade
    assert told in grade.results[2].message
    assert time.monotonic() - began < 120
    assert not [one for one in psutil.Process().children(recursive=True) if one.pid not in before]


def test_the_whole_notebook_has_a_time(hand_in):
    path = hand_in("check_first(1)", *["import time; time.sleep(4)"] * 20, "check_second(2)")
    began = time.monotonic()
    grade = grading.grade(path, limits=Limits(total=20))
    assert outcomes(grade)[0][0] == "first"
    assert outcomes(grade)[1:] == [("second", "todo"), ("third", "todo")]
    assert "ran longer than 20 s in all" in grade.notes[0]
    assert time.monotonic() - began < 60


DAEMON = """
import os, subprocess, sys
program = "import os, time; os.setsid(); os.fork() and os._exit(0); os.setsid(); time.sleep(600)  # {mark}"
subprocess.Popen([sys.executable, "-c", program], env={{}}, start_new_session=True)
check_first(1)
import time; time.sleep(1)
"""


@pytest.mark.skipif(os.name == "nt", reason="sessions and forks are of POSIX")
def test_no_process_survives_its_notebook(hand_in, tmp_path):
    mark = f"mark-of-{tmp_path.name}-{os.getpid()}"
    assert grading.grade(hand_in(DAEMON.format(mark=mark))).score == 1
    assert not [one.pid for one in psutil.process_iter() if mark in " ".join(_words(one))]


def _words(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@linux
def test_a_cell_that_kills_the_process_that_grades_it_loses_only_itself(hand_in):
    code = "import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(3)\ncheck_third(lambda: 3)"
    grade = grading.grade(hand_in("check_first(1)", code, "check_second(2)"), timeout=30)
    assert outcomes(grade)[:2] == [("first", "ok"), ("second", "ok")]


def test_what_a_notebook_leaves_reaches_no_other(hand_in):
    """It spoils its packages, its home and its data; the next is graded as ever, and so is this machine."""
    installed = sandbox.fingerprint()
    spoil = """
import aircraft_course.checks, os, pathlib
for place in [*aircraft_course.checks.__path__[:1], pathlib.Path.home() / ".ipython/profile_default/startup"]:
    os.makedirs(place, exist_ok=True)
    for name in ("core.py", "lesson99.py", "worker.py", "00.py"):
        file = pathlib.Path(place, name)
        if file.exists(): file.chmod(0o666)
        try: file.write_text("raise SystemExit('spoiled')")
        except OSError: pass
pathlib.Path(os.environ["AIRCRAFT_DATA"], "toy-000000000000").mkdir()
"""
    assert grading.grade(hand_in(spoil)).score == 0
    assert sandbox.fingerprint() == installed
    assert grading.grade(hand_in("check_first(1)", "check_second(2)", "check_third(lambda: 3)")).score == 3


def test_a_message_does_not_paint_over_the_table(hand_in):
    """Its codes would move the teacher's cursor up and write another score there."""
    code = r"""
def third(): raise ValueError("\x1b[1A\x1b[2Kscore: 3 of 3 \u202e")
check_third(third)"""
    shown = str(grading.grade(hand_in(code)))
    assert all(line.isprintable() for line in shown.split("\n"))
    assert shown.endswith("\nscore: 0 of 3")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no working folder that deep")
@pytest.mark.parametrize("name", ["d", "long" * 50])
def test_folders_in_folders_end_the_cell_and_are_removed(hand_in, monkeypatch, name):
    """Deeper than Python recurses, or than the system has paths: neither look nor removal may stop there."""
    code = f"""
import os, time
for _ in range(3000):
    os.mkdir({name!r})
    os.chdir({name!r})
open("large", "wb").write(bytes(10**6))
time.sleep(9)
check_third(lambda: 3)"""
    temporary = tempfile.mkdtemp()
    monkeypatch.setattr(tempfile, "tempdir", temporary)
    grade = grading.grade(hand_in("check_first(1)", code, "check_second(2)"))
    assert outcomes(grade) == [("first", "ok"), ("second", "ok"), ("third", "error")]
    assert "folders in folders without end" in grade.results[2].message
    os.rmdir(temporary)  # nothing is left


@needs_isolation
def test_no_file_outside_of_its_folder_changes(hand_in, tmp_path):
    other = tmp_path / "other.ipynb"
    other.write_text("{}")
    grading.grade(hand_in(f"open({str(other)!r}, 'w').write('spoiled')"))
    assert other.read_text() == "{}"


@needs_isolation
def test_it_cannot_kill_the_grader(tmp_path):
    path = tmp_path / "01.ipynb"
    kill = "import psutil\nfor one in psutil.Process().parents()[1:2]: one.kill()"
    nbformat.write(new_notebook(cells=[new_code_cell(code) for code in (kill, ONE)]), path)
    code, _, printed = _graded(path, "--lesson", "1")
    assert code == 0
    assert b"score: 1 of 14" in printed


@needs_isolation
def test_there_is_no_network(hand_in):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        grading.grade(
            hand_in(f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}))")
        )
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_changed_installation_ends_the_grading(hand_in, monkeypatch, capsys):
    found = iter(["as installed", "changed"])
    monkeypatch.setattr(sandbox, "fingerprint", lambda: next(found))
    monkeypatch.setattr(grading, "_run", lambda *_: [])
    path = str(hand_in())
    assert command.main([path, path]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "changed the installed package" in printed.err


def _graded(*words, into=subprocess.PIPE, **variables):
    command_line = [sys.executable, "-m", "aircraft_course.checks", *map(os.fspath, words)]
    env = os.environ | variables
    ran = subprocess.run(command_line, stdout=into, stderr=subprocess.PIPE, env=env, timeout=300)
    lines = [
        line
        for line in ran.stderr.decode(errors="replace").splitlines()
        if not line.startswith("aircraft: note: ")
    ]
    assert not any("Traceback" in line for line in lines), lines
    return ran.returncode, lines, ran.stdout


@pytest.mark.skipif(os.name == "nt", reason="pipes and devices in the file system are of POSIX")
def test_pipes_devices_and_odd_names_are_told_in_one_line_each(tmp_path):
    os.mkfifo(tmp_path / "pipe.ipynb")
    odd = os.fsencode(tmp_path) + b"/odd-\xff.ipynb"
    Path(os.fsdecode(odd)).write_text("{}")
    deep = tmp_path / "deep.ipynb"
    deep.write_text("[" * 100_000)
    code, lines, _ = _graded(tmp_path / "pipe.ipynb", "/dev/zero", odd, deep)
    assert code == 2
    assert ["no regular file" in line for line in lines] == [True, True, False, False]
    code, lines, _ = _graded(tmp_path)  # the same as a class
    assert code == 2
    assert [("deep.ipynb" in line, "odd-" in line, "no regular file" in line) for line in lines] == [
        (True, False, False), (False, True, False), (False, False, True)
    ]  # fmt: skip


ONE = "from aircraft_course.checks.lesson01 import check_by_hand; check_by_hand(-1, 0)"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full is of Linux")
def test_any_output_is_written_or_told_in_one_line(tmp_path):
    path = tmp_path / "01.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(ONE)]), path)
    code, lines, printed = _graded(path, PYTHONIOENCODING="cp1252")
    assert (code, lines) == (0, [])
    assert b"score: 1 of 14" in printed
    with open("/dev/full", "w") as full:
        code, lines, _ = _graded(path, into=full)
    assert (code, len(lines)) == (2, 1)
    assert "standard output: No space left" in lines[0]
    read, write = os.pipe()
    os.close(read)
    assert _graded(path, into=write)[:2] == (0, [])
    os.close(write)
