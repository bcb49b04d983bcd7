"""The model file: weights, architecture, normalisation and thresholds in one safetensors file, no pickle.

A file is written whole or not at all; one that does not fit gives one line that names it and says what to do.
"""

import json
import os
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from aircraft import InputError
from aircraft.models.layers import Network
from aircraft.models.networks import build

FORMAT = "aircraft-model"
VERSION = 1


@dataclass(frozen=True)
class ModelCard:
    """What a model file tells about its weights.

    arch, options:       arguments of `build`.
    threshold:           probability from which a patch counts as an aircraft.
    detection_threshold: the same for peaks of a score map; None where it was not chosen.
    mean, std:           normalisation of the three channels in [0, 1] (also buffers of the network).
    provenance:          how the weights came about: data, seed, versions, scores; any JSON.
    """

    arch: str
    options: dict[str, Any]
    threshold: float
    detection_threshold: float | None
    mean: tuple[float, ...]
    std: tuple[float, ...]
    provenance: dict[str, Any] = field(default_factory=dict)


def save(
    model: Network,
    path: str | os.PathLike[str],
    *,
    threshold: float,
    detection_threshold: float | None = None,
    provenance: dict[str, Any] | None = None,
) -> ModelCard:
    """Write the network to a safetensors file (folders are made) and return its card.

    Raises InputError where a threshold is no probability, provenance is no JSON, the model was not made by
    `build`, or the file cannot be written.
    """
    path = Path(path)
    if not isinstance(model, Network) or not model.arch:
        raise InputError(
            f"{path}: only networks made by models.build can be saved, not {type(model).__name__}"
        )
    card = ModelCard(
        arch=model.arch,
        options=dict(model.options),
        threshold=_probability(threshold, "threshold"),
        detection_threshold=(
            None if detection_threshold is None else _probability(detection_threshold, "detection_threshold")
        ),
        mean=tuple(model.normalize.mean.flatten().tolist()),
        std=tuple(model.normalize.std.flatten().tolist()),
        provenance=dict(provenance or {}),
    )
    try:
        text = json.dumps(asdict(card))
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: provenance and options must be plain JSON values: {error}") from error
    tensors = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    metadata = {"format": FORMAT, "version": str(VERSION), "card": text}
    try:
        _write(path, to_bytes(tensors, metadata))
    except OSError as error:
        raise InputError(
            f"{path}: the model cannot be written ({error.strerror}); choose another place"
        ) from error
    return card


def load(path: str | os.PathLike[str]) -> tuple[Network, ModelCard]:
    """The network of a model file, on the CPU in evaluation mode, with `.card` set; and that card.

    Raises FileNotFoundError where there is no file, InputError where it is not one of ours, damaged, or does
    not fit its architecture.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such model file; train one with `aircraft train ... --out RUN`")
    card, tensors = _read(path)
    options = dict(card.options)
    if "pretrained" in options:
        options["pretrained"] = False  # its weights are in the file: no need for the package that ships them
    try:
        model = build(card.arch, **options)
    except InputError as error:
        raise InputError(f"{path}: {error}; update aircraft or train the model again") from error
    _fill(model, tensors, path)
    model.options, model.card = dict(card.options), card
    return model.eval(), card


def _read(path: Path) -> tuple[ModelCard, dict[str, Tensor]]:
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (it is no dict)
    except (SafetensorError, OSError) as error:
        raise InputError(
            f"{path}: not a safetensors file, or a damaged or cut one ({error}); copy it or train again"
        ) from error
    if metadata.get("format") != FORMAT or "card" not in metadata:
        raise InputError(f"{path}: a safetensors file without aircraft's metadata; write it with models.save")
    if metadata.get("version") != str(VERSION):
        raise InputError(
            f"{path}: model file of version {metadata.get('version')}, this one reads {VERSION}; update it"
        )
    try:
        card = _card(json.loads(metadata["card"]))
    except (ValueError, TypeError, KeyError) as error:
        known = ", ".join(x.name for x in fields(ModelCard))
        raise InputError(
            f"{path}: damaged metadata, expected {known} ({error}); train the model again"
        ) from error
    return card, tensors


def _card(values: dict[str, Any]) -> ModelCard:
    """The card of the JSON in a file; ValueError, TypeError or KeyError where something is missing or odd."""
    detection = values["detection_threshold"]
    checked = {
        "arch": str(values["arch"]),
        "options": dict(values["options"]),
        "threshold": _probability(values["threshold"], "threshold"),
        "detection_threshold": None if detection is None else _probability(detection, "detection_threshold"),
        "mean": tuple(values["mean"]),
        "std": tuple(values["std"]),
    }
    return ModelCard(**{**values, **checked})


def _fill(model: Network, tensors: dict[str, Tensor], path: Path) -> None:
    """Load the tensors into the network, all of them and no others."""
    wanted = model.state_dict()
    missing, extra = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    shapes = [
        f"{key} is {tuple(tensors[key].shape)}, not {tuple(value.shape)}"
        for key, value in wanted.items()
        if key in tensors and tensors[key].shape != value.shape
    ]
    broken = [f"{key} is not finite" for key, value in tensors.items() if not value.isfinite().all()]
    problems = (
        ("lacks", missing),
        ("has the unknown", extra),
        ("has a wrong shape:", shapes),
        ("is broken:", broken),
    )
    for what, keys in problems:
        if keys:
            more = f" and {len(keys) - 1} more" if len(keys) > 1 else ""
            raise InputError(
                f"{path}: does not fit {model.arch}: it {what} {keys[0]}{more}; "
                "it was changed or made by another version: train the model again"
            )
    model.load_state_dict(tensors)


def _write(path: Path, content: bytes) -> None:
    """Write beside, then rename, so that nobody ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def _probability(value: float, what: str) -> float:
    value = float(value)
    if not (isfinite(value) and 0 <= value <= 1):
        raise InputError(f"{what} is a probability in [0, 1], not {value}")
    return value
