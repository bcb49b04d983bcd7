"""The course's answers to the exercises of lessons 1, 6 and 8 that later cells build on.

`lessons.use` takes them where a student has none yet. Each does what the text of its exercise says.
"""

from typing import Any

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor, nn

# Lesson 1

XOR = (np.array([1, -2]), -0.5)  # weights and bias of the last neuron: OR, but not AND


def neuron(x: np.ndarray, w: np.ndarray, b: float) -> int:
    return int(np.sum(w * x) + b > 0)


def update(x: np.ndarray, y: int, y_hat: int, w: np.ndarray, b: float, learning_rate: float) -> Any:
    return w + learning_rate * (y - y_hat) * x, b + learning_rate * (y - y_hat)


def loss(w: float, x: np.ndarray, y: np.ndarray) -> float:
    return float(np.mean((w * x - y) ** 2))


def descend(w: float, x: np.ndarray, y: np.ndarray, learning_rate: float, steps: int) -> list[float]:
    path = [w]
    for _ in range(steps):
        path.append(path[-1] - learning_rate * float(np.mean(2 * x * (path[-1] * x - y))))
    return path


def count_parameters(sizes: list[int]) -> int:
    return sum((m + 1) * n for m, n in zip(sizes[:-1], sizes[1:], strict=True))


def make_mlp(inputs: int, hidden: int, outputs: int) -> nn.Module:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


def train_batch(model: nn.Module, x: Tensor, y: Tensor, optimizer: torch.optim.Optimizer) -> float:
    optimizer.zero_grad()
    value = nn.functional.cross_entropy(model(x), y)
    value.backward()
    optimizer.step()
    return value.item()


# Lesson 6


def trainable(net: nn.Module) -> int:
    return sum(weights.numel() for weights in net.parameters() if weights.requires_grad)


def extract(backbone: nn.Module, images: np.ndarray, batch_size: int) -> np.ndarray:
    backbone.eval()
    with torch.inference_mode():
        batches = torch.from_numpy(images).permute(0, 3, 1, 2).split(batch_size)
        return np.concatenate([backbone(batch).numpy() for batch in batches])


def head(features: np.ndarray, labels: np.ndarray, new_features: np.ndarray) -> np.ndarray:
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1e-3, max_iter=300))
    return np.asarray(model.fit(features, labels).decision_function(new_features))


def centre_mean(maps: Any) -> Any:
    q = maps.shape[-1] // 4
    return maps[:, :, q:-q, q:-q].mean(axis=(2, 3))


def freeze(backbone: nn.Module) -> None:
    backbone.requires_grad_(False).eval()


def two_rates(net: Any, backbone_rate: float, head_rate: float) -> list[dict[str, Any]]:
    return [
        {"params": list(net.layers[:-1].parameters()), "lr": backbone_rate},
        {"params": list(net.layers[-1].parameters()), "lr": head_rate},
    ]


def rounds(steps: int, batch: int, patches: int) -> float:
    return steps * batch / patches


def patches_needed(sizes: Any, scores: Any, target: float) -> int | None:
    return next((size for size, score in zip(sizes, scores, strict=True) if score >= target), None)


# Lesson 8


def corner(i: int, j: int, stride: int) -> tuple[int, int]:
    return stride * j, stride * i


def multiplications(inputs: int, outputs: int, kernel: int, rows: int, columns: int) -> int:
    return inputs * outputs * kernel**2 * rows * columns


def finer_map(network: Any, image: Tensor, passes: int) -> Tensor:
    step = network.stride // passes
    rows, columns = ((side - 64) // step + 1 for side in image.shape[2:])
    fine = torch.zeros(rows, columns)
    for a, b in np.ndindex(passes, passes):
        fine[a::passes, b::passes] = network(image[:, :, a * step :, b * step :])[0]
    return fine


def to_input(image: np.ndarray) -> np.ndarray:
    return np.transpose(image.astype(np.float32) / 255, (2, 0, 1))[None]


def shift_boxes(boxes: np.ndarray, x: float, y: float) -> np.ndarray:
    return boxes + np.array([x, y, x, y], np.float32)


def megabytes(channels: int, rows: int, columns: int) -> float:
    return channels * rows * columns * 4 / 1e6
