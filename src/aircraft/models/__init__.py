"""Networks: by name, as dense scorers, in files and in ONNX.

Read `networks` and `layers` first, then `dense_form`. The names below are what the rest of the package uses.
"""
# ruff: noqa: F401

from aircraft.models.dense_form import DenseNetwork, dense
from aircraft.models.exporting import export_onnx
from aircraft.models.layers import Network, Normalize, device_of, evaluating
from aircraft.models.modelfile import PRETRAINED, ModelCard, load, pretrained, save
from aircraft.models.networks import build
