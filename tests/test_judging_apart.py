"""Judging apart: what a check sees through the connection is what it would see beside the student's code."""

import copy
import threading
from contextlib import suppress
from multiprocessing import Pipe

import numpy as np
import pytest
import torch
from ignite.engine import Engine, Events
from torch import nn

from aircraft_course.checks import byvalue, exercise, grading, sandbox
from aircraft_course.checks.apart import Lost, Session
from aircraft_course.checks.byvalue import Table
from aircraft_course.checks.core import Exercise


def judged(check: Exercise, *answers):
    """The outcome when the check runs at one end of a connection and the answers stay at the other."""
    here, there = Pipe()
    judge, kernel = Session(there, trusted=True), Session(here, trusted=False)
    judge.check = lambda header, value: {"outcome": check.judge(tuple(value[0]), value[1], lambda: False)}

    def listen():
        with suppress(Lost):
            judge.listen()

    thread = threading.Thread(target=listen)
    thread.start()
    try:
        return tuple(kernel.ask({"what": "check"}, (answers, {}))[0]["outcome"])
    finally:
        here.close()
        thread.join()


VALUES = [
    None, True, 3, 2**80, 0.5, "ö", b"x", 1j, ..., (1, (2.0, "a")), [1, [2]], {"a": {1, 2}}, slice(1, None),
    range(3), frozenset({1}), np.float32(0.5), np.bool_(True), np.arange(6).reshape(2, 3), np.zeros((0, 2)),
    np.array(["a", "bc"]), np.dtype("uint8"), torch.tensor(3), torch.zeros(0, 2), torch.float32,
    torch.ones(2, dtype=torch.bfloat16), torch.Size([2, 3]), torch.device("cpu"),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_arrives_as_it_was(value):
    there = Table(None, None).unpack(Table(None, None).pack({}, value))[1]
    assert type(there) is type(value)
    assert repr(there) == repr(value)


def test_what_was_one_object_is_one_object_and_rings_are_rings():
    ring: list = [np.zeros(2)]
    ring += [ring[0], ring]
    there = Table(None, None).unpack(Table(None, None).pack({}, ring))[1]
    assert there[0] is there[1]
    assert there[2] is there


@pytest.mark.parametrize("name", ["subprocess.Popen", "builtins.eval", "torch.load", "logging.FileHandler"])
def test_no_other_class_is_made(name):
    message = b'{"value": null, "objects": [[0, ["instance", "%s", []], 0]]}\n' % name.encode()
    with pytest.raises(ValueError, match="do not travel"):
        Table(None, None).unpack(message)


def test_a_changed_argument_is_seen():
    @exercise
    def check_still(function):
        x, row = np.ones(3), [1, 2]
        function(x, row)
        assert x.tolist() == [1, 1, 1], f"x is {x.tolist()}"
        assert row == [1, 2], f"row is {row}"

    def spoil(x, row):
        x *= 2

    def append(x, row):
        row.append(x)

    assert judged(check_still, lambda x, row: x * 2) == ("ok", "")
    status, message = judged(check_still, spoil)
    assert (status, message[:20]) == ("wrong", "x is [2.0, 2.0, 2.0]")
    assert judged(check_still, append)[0] == "wrong"


def test_a_network_trains_there_and_has_learned_here():
    @exercise
    def check_step(step):
        model = nn.Linear(2, 1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        seen: list = []
        model.weight.register_hook(seen.append)
        start = model.weight.detach().clone()
        for _ in range(2):
            step(model, optimizer, torch.ones(3, 2))
        assert len(seen) == 2, f"{len(seen)} gradients"
        assert torch.allclose(start - model.weight, torch.full((1, 2), 0.1 + 0.19)), "moved elsewhere"

    def step(model, optimizer, x):
        optimizer.zero_grad()
        model(x).mean().backward()
        optimizer.step()

    assert judged(check_step, step) == ("ok", "")
    status, message = judged(check_step, lambda model, optimizer, x: model(x))
    assert (status, message[:11]) == ("wrong", "0 gradients")


class Doubling(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(1, 1)

    def forward(self, x):
        return 2 * self.layer(x)


def test_a_network_of_the_students_class_computes_there():
    @exercise
    def check_network(make):
        model = make().eval()
        assert isinstance(model, nn.Module)
        assert [tuple(p.shape) for p in model.parameters()] == [(1, 1), (1,)]
        x = torch.ones(2, 1)
        before = model(x)
        other = copy.deepcopy(model)
        for weight in other.parameters():
            weight.data.mul_(-3)
        assert torch.allclose(other(x), -3 * before)
        assert torch.allclose(model(x), before)
        with torch.no_grad():
            model(x).numpy()

    assert judged(check_network, Doubling) == ("ok", "")


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor([2.0, -1.0]))

    def forward(self, x):
        return x * self.scale


def the_loss(scores, labels):
    return ((scores - labels) ** 2 / 3).mean()


@exercise
def gives_gradients(loss_fn, model, through):
    logits = torch.tensor([0.5, -1.0], requires_grad=True)
    labels = torch.tensor([1.0, 0.0])
    loss_fn(logits.double(), labels).backward()
    assert torch.allclose(logits.grad, torch.tensor([-1 / 6, -1 / 3])), logits.grad

    def slopes(loss):
        logits.grad = model.scale.grad = None
        loss.backward()
        return torch.cat([logits.grad, model.scale.grad])

    here = slopes(the_loss(logits * model.scale, labels))
    assert torch.equal(slopes(the_loss(model(logits), labels)), here), "computed by his network"
    assert torch.equal(slopes(loss_fn(model(logits), labels)), here), "to and fro"
    by_his_loss = [loss_fn(logits * model.scale, labels) for _ in range(2)]
    assert torch.equal(slopes(by_his_loss[0]), here), "by his loss, from what was computed here"
    assert torch.equal(slopes(by_his_loss[1] + loss_fn(model(logits), labels)), 2 * here), "a sum of both"
    logits.grad = model.scale.grad = None
    through(the_loss(model(logits), labels))
    assert torch.equal(torch.cat([logits.grad, model.scale.grad]), here), "he calls backward"
    with torch.no_grad():
        assert not loss_fn(logits, labels).requires_grad
    hidden = loss_fn(logits.detach(), labels)
    assert not hidden.requires_grad


def test_gradients_go_back_to_where_a_value_was_computed():
    answers = (the_loss, Scaled(), lambda loss: loss.backward())
    assert judged(gives_gradients, *answers) == gives_gradients.judge(answers, {}, lambda: False)
    assert judged(gives_gradients, *answers)[0] == "ok"


@exercise
def counts_what_has_no_memory(count):
    net = nn.Linear(10, 4, device="meta")
    net.bias.requires_grad_(False)
    assert count(net) == 40


def test_a_network_without_memory_can_be_counted():
    assert (
        judged(
            counts_what_has_no_memory, lambda net: sum(w.numel() for w in net.parameters() if w.requires_grad)
        )[0]
        == "ok"
    )


def test_objects_of_the_students_classes_have_their_attributes_lengths_and_items():
    class Row:
        def __init__(self):
            self.best = None

        def __len__(self):
            return 2

        def __getitem__(self, index):
            if index > 1:
                raise IndexError(index)
            return index * 10

        def keep(self, value):
            self.best = value

    @exercise
    def check_row(make):
        row = make()
        assert (len(row), row[1], list(row)) == (2, 10, [0, 10])
        row.keep({"a": 1})
        assert row.best == {"a": 1}
        assert not hasattr(row, "worst")

    assert judged(check_row, Row) == ("ok", "")


def test_generators_and_the_shared_random_state_go_on_alike():
    @exercise
    def check_draw(draw):
        rng = np.random.default_rng(0)
        first, second = draw(rng), draw(rng)
        assert first != second, "drew the same again"
        assert first == np.random.default_rng(0).random()

    assert judged(check_draw, lambda rng: rng.random()) == ("ok", "")
    assert judged(check_draw, lambda rng: 0.5)[0] == "wrong"


def test_engines_of_either_side_run():
    @exercise
    def check_events(attach, make):
        engine = Engine(lambda engine, batch: batch)
        rows = attach(engine)
        engine.run([1, 2], max_epochs=3)
        assert rows == [2, 4, 6], f"{rows}"
        theirs = make()
        assert isinstance(theirs, Engine)
        theirs.run([5], max_epochs=1)
        assert theirs.state.output == 10

    def attach(engine):
        rows = []

        @engine.on(Events.EPOCH_COMPLETED)
        def remember(engine):
            rows.append(engine.state.iteration)

        return rows

    assert judged(check_events, attach, lambda: Engine(lambda engine, batch: 2 * batch)) == ("ok", "")


def test_what_nobody_holds_any_more_is_not_looked_at_again(monkeypatch):
    """Else each of thousands of calls would go through all windows of those before."""
    looks = []
    content = byvalue._content
    monkeypatch.setattr(byvalue, "_content", lambda *given: looks.append(1) or content(*given))

    @exercise
    def check_sums(sums):
        assert sums(lambda window: int(window.sum()), np.arange(2000)) == [2 * k + 1 for k in range(1999)]

    assert judged(check_sums, lambda score, line: [score(line[k : k + 2]) for k in range(1999)])[0] == "ok"
    assert len(looks) < 30 * 2000


def test_what_was_put_away_is_looked_at_when_it_comes_back():
    away = []

    def put(thing):
        away.append(thing) if not away else away[0].append(thing)

    def take():
        away[0][0][:] += 1
        return away.pop()

    @exercise
    def check_store(put, take, count):
        put([np.zeros(2)])
        for number in range(5):
            assert count(np.full(2, number)) == 2
        put("more")
        array, more = take()
        assert (array.tolist(), more) == ([1, 1], "more")
        mine = [array, np.ones(1)]
        for number in range(5):
            assert count(np.full(2, number)) == 2
        mine[1] += 4
        assert count(mine, total=True) == 7

    def count(things, total=False):
        return float(sum(one.sum() for one in things)) if total else len(things)

    assert judged(check_store, put, take, count) == ("ok", "")


def test_an_error_of_the_student_is_told_with_his_line():
    @exercise
    def check_run(function):
        function(0)

    for function, told in (
        (lambda x: {}[x], "KeyError: 0"),
        (lambda x: 1 / x, "ZeroDivisionError: division"),
    ):
        status, message = judged(check_run, function)
        assert status == "error"
        assert message.startswith(told)
        assert "(line " in message


def test_the_students_code_sees_nothing_of_what_the_judge_hands_over():
    seen = []

    @exercise
    def check_call(function):
        function(lambda x: x + 1, Engine(lambda engine, batch: None))

    def pry(increase, engine):
        seen.append(increase(2))
        for thing, name in ((increase, "__globals__"), (increase, "func_globals"), (engine, "logger")):
            with pytest.raises(AttributeError):
                seen.append(getattr(thing, name))
        with pytest.raises(AttributeError):
            engine.state = 0

    assert judged(check_call, pry) == ("ok", "")
    assert seen == [3]


def test_a_network_that_finds_its_shapes_later_computes():
    @exercise
    def check_lazy(make):
        model = make()
        assert model(torch.ones(1, 4)).shape == (1, 2)
        assert model[0].weight.shape == (2, 4)

    assert judged(check_lazy, lambda: nn.Sequential(nn.LazyLinear(2))) == ("ok", "")


def test_what_cannot_be_told_is_an_error_and_the_next_check_is_judged():
    @exercise
    def check_twice(function):
        with pytest.raises(RecursionError):
            function(True)
        assert function(False) == [1]

    def function(deep):
        told: tuple = ()
        for _ in range(10**5 if deep else 0):
            told = (told,)
        return told or [1]

    assert judged(check_twice, function) == ("ok", "")


def test_a_check_is_left_out_of_the_students_copy_and_what_lessons_import_is_not(tmp_path):
    copy = sandbox.copy_packages(tmp_path, with_checks=False) / "aircraft_course" / "checks" / "lesson06.py"
    text = copy.read_text(encoding="utf-8")
    assert text.count("only the judge knows") == len(grading.exercises("lesson06"))
    assert "np.concatenate" in text or "def whole_sites" in text
