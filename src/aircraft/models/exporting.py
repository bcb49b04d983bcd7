"""ONNX export, to run a network outside Python: in a browser, on a phone, in another language."""

import io
import warnings
from pathlib import Path
from typing import Any

import torch

from aircraft import InputError, replacing
from aircraft.models import dense_form
from aircraft.models.dense_form import DenseNetwork
from aircraft.models.layers import Network, device_of
from aircraft.patches import PATCH

OPSET = 17  # understood by onnxruntime and onnxruntime-web since 1.12 (2022)


def export_onnx(
    model: Network | DenseNetwork, path: str | Path, *, dense: bool = False, threshold: float | None = None
) -> Path:
    """Write a network as ONNX, or raise InputError.

    Input "image": float32 RGB in [0, 1], (N, 3, 64, 64), or (N, 3, H, W) with `dense`; N, H, W are free. Not
    uint8, which WebGPU lacks; onnxruntime-web's `Tensor.fromImage` makes floats. The normalisation is inside.
    Output "logits": (N,), or (N, h, w) with `dense`; the score is 1 / (1 + exp(-logit)).

    Parameters
    ----------
    model, path : what to write, and where
    dense : write the fully convolutional form, as for a DenseNetwork
    threshold : for the metadata (arch, window, stride, thresholds; all text); None for that of the card

    Returns
    -------
    the path
    """
    try:
        import onnx
    except ImportError as error:
        raise InputError("ONNX export needs the package onnx; pip install onnx onnxruntime") from error
    path = Path(path)
    if not isinstance(model, Network | DenseNetwork):
        raise InputError(f"{path}: networks made by models.build are exported, not {type(model).__name__}")
    if dense and not isinstance(model, DenseNetwork):
        model = dense_form.dense(model)
    card = model.card
    metadata = {
        "arch": model.arch, "window": PATCH, "stride": model.stride,
        "threshold": threshold if threshold is not None else card and card.threshold,
        "detection_threshold": card and card.detection_threshold,
        "input": "RGB, float32 in [0, 1], channels first",
        "output": "logits; score = 1 / (1 + exp(-logit))",
    }  # fmt: skip
    proto = onnx.load_from_string(_traced(model))
    onnx.helper.set_model_props(proto, {key: str(x) for key, x in metadata.items() if x is not None})
    proto.producer_name = "aircraft"  # near the start of the file: whoever replaces it sees that it is ours
    onnx.checker.check_model(proto, full_check=True)
    with replacing(path) as file:
        file.write(proto.SerializeToString())
    return path


def _traced(model: Network | DenseNetwork) -> bytes:
    image, logits, side = {0: "batch"}, {0: "batch"}, PATCH
    if isinstance(model, DenseNetwork):
        side *= 2
        image |= {2: "height", 3: "width"}
        logits |= {1: "rows", 2: "columns"}
    example = torch.rand(2, 3, side, side, device=device_of(model))
    file: Any = io.BytesIO()  # in memory: temporary folders can be full
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old exporter: needs no onnxscript
        warnings.filterwarnings("ignore", message="Constant folding")  # it tells about a speed-up left out
        torch.onnx.export(  # in evaluation mode; it puts the network back afterwards
            model, (example,), file, input_names=["image"], output_names=["logits"],
            dynamic_axes={"image": image, "logits": logits}, opset_version=OPSET, dynamo=False,
        )  # fmt: skip
    return file.getvalue()
