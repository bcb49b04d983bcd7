"""The network that learns in the browser (slides/widgets/nn.js), run by Node: its numbers are torch's."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn import functional as F

NN = Path(__file__).parents[1] / "slides/widgets/nn.js"
pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="no Node here: apt-get install nodejs")


def run(script: str, data: Any = None) -> Any:
    """What a script says that knows NN and `data`."""
    code = NN.read_text(encoding="utf-8") + (
        "const data = JSON.parse(require('fs').readFileSync(0, 'utf8'));\n"
        f"console.log(JSON.stringify((() => {{ {script} }})()));"
    )
    done = subprocess.run(
        ["node", "--input-type=commonjs", "-e", code],
        input=json.dumps(data),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


LEARN = """
const net = data.image ? NN.imageNetwork(data.image) : NN.pointNetwork(data.points);
net.parameters.forEach((one, i) => one.value.set(data.weights[i]));
const losses = data.inputs.map((x, i) => net.learn(Float32Array.from(x), data.labels[i]));
const grads = net.parameters.map(one => [...one.grad]);
for (let i = 0; i < data.steps; i++) {
  net.step(data.rate, data.inputs.length);
  data.inputs.forEach((x, i) => net.learn(Float32Array.from(x), data.labels[i]));
}
return { losses, grads, logits: data.inputs.map(x => net.logit(Float32Array.from(x))) };
"""


def _cnn(filters: int) -> nn.Sequential:
    plan = [(3, filters), (filters, 2 * filters), (2 * filters, 2 * filters)]
    blocks = [nn.Sequential(nn.Conv2d(a, b, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)) for a, b in plan]
    return nn.Sequential(*blocks)


@pytest.mark.parametrize("filters", [4, 8])
def test_the_slopes_of_the_small_cnn_and_its_steps_of_adam_are_those_of_torch(filters):
    steps = 3
    torch.manual_seed(filters)
    blocks, last = _cnn(filters), nn.Linear(16 * 2 * filters, 1)
    images = torch.rand(4, 3, 32, 32) * 2 - 1
    labels = torch.tensor([0.0, 1, 1, 0])
    parameters = [*blocks.parameters(), *last.parameters()]

    def ours(grad: bool) -> list[np.ndarray]:
        """Weights or slopes in the order of nn.js: rows, columns, channels."""
        values = [(p.grad if grad else p).detach() for p in parameters]
        values[-2] = values[-2].reshape(1, 2 * filters, 4, 4)
        return [v.permute(0, 2, 3, 1).flatten().numpy() if v.ndim == 4 else v.numpy() for v in values]

    weights = [w.tolist() for w in ours(grad=False)]

    def loss() -> torch.Tensor:
        logits = last(blocks(images).flatten(1)).squeeze(1)
        return F.binary_cross_entropy_with_logits(logits, labels, reduction="none")

    losses = loss()
    losses.sum().backward()
    answer = run(LEARN, {
        "image": {"filters": filters}, "weights": weights, "steps": steps, "rate": 0.01,
        "inputs": images.permute(0, 2, 3, 1).flatten(1).tolist(), "labels": labels.tolist(),
    })  # fmt: skip
    np.testing.assert_allclose(answer["losses"], losses.detach(), atol=1e-4)
    for grad, expected in zip(answer["grads"], ours(grad=True), strict=True):
        np.testing.assert_allclose(grad, expected, atol=1e-4)
    adam = torch.optim.Adam(parameters, lr=0.01)
    for _ in range(steps):
        adam.zero_grad()
        loss().mean().backward()
        adam.step()
    logits = last(blocks(images).flatten(1)).squeeze(1)
    np.testing.assert_allclose(answer["logits"], logits.detach(), atol=1e-3)


@pytest.mark.parametrize("activation", ["linear", "relu", "tanh", "sigmoid"])
def test_the_slopes_of_the_network_of_points_are_those_of_torch(activation):
    kinds = {"linear": nn.Identity, "relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
    points, labels = torch.randn(6, 2, generator=torch.manual_seed(0)), torch.tensor([0.0, 1, 0, 1, 1, 0])
    networks = []
    for depth in (0, 1, 3):
        sizes = [2] + [5] * depth
        pairs = zip(sizes, sizes[1:], strict=False)
        layers = [layer for a, b in pairs for layer in (nn.Linear(a, b), kinds[activation]())]
        networks.append((depth, nn.Sequential(*layers, nn.Linear(sizes[-1], 1))))
    answers = run(f"const all = data; return all.map(data => {{ {LEARN} }});", [
        {
            "points": {"depth": depth, "width": 5, "activation": activation}, "steps": 0,
            "weights": [p.flatten().tolist() for p in network.parameters()],
            "inputs": points.tolist(), "labels": labels.tolist(),
        }
        for depth, network in networks
    ])  # fmt: skip
    for (_, network), answer in zip(networks, answers, strict=True):
        losses = F.binary_cross_entropy_with_logits(network(points).squeeze(1), labels, reduction="none")
        losses.sum().backward()
        np.testing.assert_allclose(answer["losses"], losses.detach(), atol=1e-4)
        for grad, parameter in zip(answer["grads"], network.parameters(), strict=True):
            np.testing.assert_allclose(grad, parameter.grad.flatten(), atol=1e-4)


def test_the_area_under_the_curve_is_that_of_sklearn_even_with_ties():
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 200)
    lists = [(random.random(200) + 0.3 * labels).round(digits).tolist() for digits in (1, 2, 6)]
    areas = run("return data[0].map(scores => NN.auc(scores, data[1]));", [lists, labels.tolist()])
    assert areas == pytest.approx([roc_auc_score(labels, scores) for scores in lists])


def test_the_same_seed_gives_the_same_network_and_another_seed_another_one():
    weights = run(
        "return [3, 3, 4].map(seed => [...NN.imageNetwork({ seed, drop: 0.5 }).parameters[0].value]);"
    )
    assert weights[0] == weights[1] != weights[2]


def test_dropout_silences_its_share_in_training_only_and_keeps_the_sum():
    kept, plain = run("""
      const layer = NN.dropout({ share: 0.25, random: NN.seeded(1) });
      const ones = new Float32Array(4000).fill(1);
      return [[...layer.forward(ones, true)], [...layer.forward(ones, false)]];""")
    assert np.mean(np.array(kept) == 0) == pytest.approx(0.25, abs=0.03)
    assert np.mean(kept) == pytest.approx(1, abs=0.04)
    assert set(plain) == {1}
