"""Tests of aircraft.optimizers: Muon's step, its AdamW, and the groups of parameters."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from aircraft.training.optimizers import Muon, orthogonal, parameter_groups


def _network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, bias=False),
        nn.BatchNorm2d(8),
        nn.Flatten(),
        nn.Linear(8 * 6 * 6, 4),
        nn.Linear(4, 1),
    )


def _backward(model: nn.Module, seed: int) -> None:
    images = torch.rand(5, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    model.zero_grad()
    model(images).square().mean().backward()


@given(rows=st.integers(2, 40), columns=st.integers(2, 40), seed=st.integers(0, 10))
@settings(max_examples=30, deadline=None)
def test_an_orthogonal_step_is_as_long_in_all_directions(rows: int, columns: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    left, _ = torch.linalg.qr(torch.randn(rows, min(rows, columns), generator=generator))
    right, _ = torch.linalg.qr(torch.randn(columns, min(rows, columns), generator=generator))
    sizes = torch.linspace(1, 3, min(rows, columns))
    found = orthogonal(left * sizes @ right.T, steps=5)
    assert found.shape == (rows, columns)
    inside = left.T @ found @ right  # diagonal: the singular vectors have stayed
    assert (inside - torch.diag(inside.diagonal())).abs().max() < 1e-3
    assert ((inside.diagonal() > 0.6) & (inside.diagonal() < 1.3)).all()


def test_a_zero_gradient_leaves_zero() -> None:
    assert torch.equal(orthogonal(torch.zeros(3, 4)), torch.zeros(3, 4))


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch.optim.Muon came with torch 2.9")
def test_matrices_take_the_steps_of_torchs_own_muon() -> None:
    ours, theirs = nn.Linear(12, 7, bias=False), nn.Linear(12, 7, bias=False)
    theirs.load_state_dict(ours.state_dict())
    muon = Muon([{"params": [ours.weight], "orthogonal": True, "weight_decay": 0.1}], lr=0.02)
    reference = torch.optim.Muon(
        [theirs.weight], lr=0.02, weight_decay=0.1, ns_steps=3, adjust_lr_fn="match_rms_adamw"
    )
    for seed in range(5):
        gradient = torch.randn(7, 12, generator=torch.Generator().manual_seed(seed))
        ours.weight.grad, theirs.weight.grad = gradient.clone(), gradient.clone()
        muon.step()
        reference.step()
    moved = (theirs.weight - ours.weight).norm() / theirs.weight.norm()
    assert moved < 0.01  # torch computes in bfloat16


def test_all_other_parameters_take_the_steps_of_torchs_adamw() -> None:
    ours = _network()
    theirs = copy.deepcopy(ours)
    muon = Muon([{"params": list(ours.parameters()), "orthogonal": False, "weight_decay": 0.1}], lr=0.01)
    reference = torch.optim.AdamW(theirs.parameters(), lr=0.01, weight_decay=0.1)
    for seed in range(5):
        _backward(ours, seed)
        _backward(theirs, seed)
        muon.step()
        reference.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)


def test_hidden_weights_go_to_muon_and_the_last_row_does_not() -> None:
    model = _network()
    found = parameter_groups(model, weight_decay=0.2)
    assert [[tuple(p.shape) for p in group["params"]] for group in found] == [
        [(8, 3, 3, 3), (4, 288)], [(1, 4)], [(8,), (8,), (4,), (1,)],
    ]  # fmt: skip
    assert [group["orthogonal"] for group in found] == [True, False, False]
    assert [group["weight_decay"] for group in found] == [0.2, 0.2, 0.0]
    model[0].requires_grad_(False)
    assert [tuple(p.shape) for p in parameter_groups(model, weight_decay=0.2)[0]["params"]] == [(4, 288)]


def test_a_restored_optimiser_goes_on_with_the_same_bytes() -> None:
    straight = _network()
    muon = Muon(parameter_groups(straight, 0.1), lr=0.01)
    for seed in range(3):
        _backward(straight, seed)
        muon.step()
    stopped = copy.deepcopy(straight)
    restored = Muon(parameter_groups(stopped, 0.1), lr=0.5)
    restored.load_state_dict(copy.deepcopy(muon.state_dict()))
    for model, optimizer in ((straight, muon), (stopped, restored)):
        _backward(model, 9)
        optimizer.step()
    for one, other in zip(straight.parameters(), stopped.parameters(), strict=True):
        assert torch.equal(one, other)
