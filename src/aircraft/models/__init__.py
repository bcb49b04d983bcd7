"""Networks: by name, as dense scorers, in files and in ONNX.

Read `networks` and `layers` first, then `dense_form`.
"""

from aircraft.models.dense_form import DenseNetwork, dense
from aircraft.models.exporting import export_onnx
from aircraft.models.layers import Network, Normalize, device_of, evaluating
from aircraft.models.modelfile import ModelCard, load, save
from aircraft.models.networks import build, names

__all__ = [
    "DenseNetwork",
    "ModelCard",
    "Network",
    "Normalize",
    "build",
    "dense",
    "device_of",
    "evaluating",
    "export_onnx",
    "load",
    "names",
    "save",
]
