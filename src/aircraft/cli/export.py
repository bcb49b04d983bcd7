"""`aircraft export`: a trained model as ONNX, for browsers, phones and other languages."""

from aircraft.cli import options
from aircraft.cli.options import Answer, table


def export(
    model: options.ModelFile,
    onnx: options.Onnx,
    dense: options.Dense = False,
    force: options.Foreign = False,
    json: options.Json = False,
) -> Answer:
    """Write a trained model as ONNX."""
    from aircraft import models
    from aircraft.cli import outputs, runs
    from aircraft.patches import PATCH

    file = runs.model_file(model)
    network, card = models.load(file)
    outputs.check([onnx], [file], "give another file for --onnx", force)
    path = models.export_onnx(network, onnx, dense=dense)
    shape = ["N", 3, "H", "W"] if dense else ["N", 3, PATCH, PATCH]
    values = {
        "model": str(file), "onnx": str(path), "bytes": path.stat().st_size, "arch": card.arch,
        "dense": dense, "input": shape, "threshold": card.threshold,
        "detection_threshold": card.detection_threshold,
    }  # fmt: skip
    rows = [
        ("written", f"{path} ({values['bytes']:,} bytes)"),
        ("network", card.arch + (", fully convolutional" if dense else "")),
        ("input", f"image: float32 RGB in [0, 1], {shape}"),
        ("output", "logits: score = 1 / (1 + exp(-logit))"),
        ("threshold", f"{card.threshold:.3f}"),
    ]
    text = f"{table(rows)}\nnext: open {path} with onnxruntime; its metadata hold the thresholds"
    return Answer(values, text, json)
