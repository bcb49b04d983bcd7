"""ONNX export, to run a network outside Python: in a browser, on a phone, in another language.

One file with the weights, the input's description and the thresholds in its metadata.
"""

import os
import warnings
from pathlib import Path

import torch
from torch import nn

from aircraft import InputError
from aircraft.models.dense_form import DenseNetwork
from aircraft.models.dense_form import dense as dense_form
from aircraft.models.layers import WINDOW, Network

OPSET = 17
"""Understood by onnxruntime and onnxruntime-web since 1.12 (2022)."""


def export_onnx(
    model: Network | DenseNetwork,
    path: str | os.PathLike[str],
    *,
    dense: bool = False,
    threshold: float | None = None,
) -> Path:
    """Write a network as ONNX and return the path.

    Input "image": float32 RGB in [0, 1], channels first, (N, 3, 64, 64), or (N, 3, H, W) with `dense`;
    N, H, W are free. Floats rather than uint8 because every runtime takes them (WebGPU has no uint8), and
    onnxruntime-web's `Tensor.fromImage` makes them so; the normalisation is inside.
    Output "logits": (N,), or (N, h, w) with `dense`; the score is 1 / (1 + exp(-logit)).
    Metadata, all text: arch, window, stride, threshold (given, or the card's), detection_threshold.

    Raises InputError where the package onnx is missing, the model is none of ours, or has no dense form.
    """
    try:
        import onnx
    except ImportError as error:
        raise InputError("ONNX export needs the package onnx; pip install onnx onnxruntime") from error
    path = Path(path)
    if not isinstance(model, Network | DenseNetwork):
        raise InputError(
            f"{path}: only networks made by models.build can be exported, not {type(model).__name__}"
        )
    free = {"image": {0: "batch"}, "logits": {0: "batch"}}
    if dense or isinstance(model, DenseNetwork):
        model = model if isinstance(model, DenseNetwork) else dense_form(model)
        free["image"] |= {2: "height", 3: "width"}
        free["logits"] |= {1: "rows", 2: "columns"}
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        _trace(model, partial, free)
        proto = onnx.load(partial)
        onnx.helper.set_model_props(proto, _metadata(model, threshold))
        onnx.checker.check_model(proto, full_check=True)
        onnx.save(proto, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _trace(model: nn.Module, path: Path, free: dict[str, dict[int, str]]) -> None:
    device = next(model.parameters()).device
    side = WINDOW if len(free["image"]) == 1 else 2 * WINDOW
    example = torch.rand(2, 3, side, side, device=device)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old exporter: needs no onnxscript
        warnings.filterwarnings("ignore", message="Constant folding")  # it tells about a speed-up left out
        torch.onnx.export(  # in evaluation mode; it puts the network back afterwards
            model,
            (example,),
            str(path),
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes=free,
            opset_version=OPSET,
            dynamo=False,
        )


def _metadata(model: Network | DenseNetwork, threshold: float | None) -> dict[str, str]:
    card = model.card
    values = {
        "arch": model.arch,
        "window": WINDOW,
        "stride": model.stride,
        "threshold": threshold if threshold is not None else card and card.threshold,
        "detection_threshold": card and card.detection_threshold,
        "input": "RGB, float32 in [0, 1], channels first",
        "output": "logits; score = 1 / (1 + exp(-logit))",
    }
    return {key: str(value) for key, value in values.items() if value is not None}
