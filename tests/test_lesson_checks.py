"""The checks of all lessons: what the proofs of the notebooks cannot see."""

import ast
from pathlib import Path

import pytest
import torch
from torch import nn

from aircraft_course import checks
from aircraft_course.checks import lesson01  # noqa: F401

FOLDER = Path(checks.__file__).parent
MODULES = [*sorted(FOLDER.glob("lesson[0-9][0-9].py")), *sorted(FOLDER.glob("extra_*.py"))]


@pytest.fixture(params=MODULES, ids=lambda path: path.stem)
def functions(request):
    """The check functions of a lesson, as trees of syntax."""
    tree = ast.parse(request.param.read_text(encoding="utf-8"))
    return [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("check_")
    ]


def test_every_assert_of_a_check_has_a_hint_to_give(functions):
    bare = [
        f"{function.name}, line {node.lineno}"
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Assert) and node.msg is None
    ]
    assert not bare


def test_every_exercise_has_hints_in_two_steps(functions):
    assert functions
    for function in functions:
        hints = [
            keyword.value
            for decorator in function.decorator_list
            if isinstance(decorator, ast.Call)
            for keyword in decorator.keywords
            if keyword.arg == "hints"
        ]
        assert hints, f"{function.name} has no hints"
        assert isinstance(hints[0], ast.Tuple), f"{function.name}: hints are a tuple"
        assert len(hints[0].elts) >= 2, f"{function.name} needs a second hint"


def test_the_right_network_is_never_refused_whatever_its_first_weights() -> None:
    """A fresh network may have positive scores only: the sign of a score proves nothing."""

    def make_mlp(inputs: int, hidden: int, outputs: int) -> nn.Module:
        return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))

    with torch.random.fork_rng():
        for seed in range(150):
            torch.manual_seed(seed)
            checks.lesson01.check_make_mlp(make_mlp)
            assert checks.LAST.status == "ok", f"seed {seed}: {checks.LAST}"


@pytest.mark.parametrize("end", [nn.ReLU(), nn.Tanh(), nn.Sigmoid(), nn.Softmax(1), nn.LogSoftmax(1)])
def test_a_function_after_the_last_layer_is_always_seen(end: nn.Module) -> None:
    def make_mlp(inputs: int, hidden: int, outputs: int) -> nn.Module:
        return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs), end)

    with torch.random.fork_rng():
        for seed in range(20):
            torch.manual_seed(seed)
            checks.lesson01.check_make_mlp(make_mlp)
            assert checks.LAST.status == "wrong", f"seed {seed}: {checks.LAST}"
