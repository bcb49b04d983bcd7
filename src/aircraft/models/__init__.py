"""Networks: by name, as dense scorers, in files and in ONNX.

`build`, `names`, `dense`, `evaluating`, `save`, `load` and `export_onnx` are all that the rest of the package
uses.
"""

from aircraft.models.dense_form import DenseNetwork, dense
from aircraft.models.exporting import export_onnx
from aircraft.models.layers import Network, Normalize, evaluating
from aircraft.models.modelfile import ModelCard, load, save
from aircraft.models.networks import build, names

__all__ = [
    "DenseNetwork",
    "ModelCard",
    "Network",
    "Normalize",
    "build",
    "dense",
    "evaluating",
    "export_onnx",
    "load",
    "names",
    "save",
]
