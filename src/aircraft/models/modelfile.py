"""The model file: weights, architecture, normalisation and thresholds in one safetensors file, no pickle.

A file is written whole or not at all; one that was damaged or does not fit gives one line that names it.
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor

from aircraft import InputError, quoted, reading, regular, replacing
from aircraft.models.layers import Network, Normalize
from aircraft.models.networks import build

FORMAT = "aircraft-model"
VERSION = "1"
PRETRAINED = Path(__file__).with_name("pretrained.safetensors")


@dataclass(frozen=True)
class ModelCard:
    """What a model file tells about its weights. Raises InputError for numbers that make no sense."""

    arch: str  # arguments of `build`
    options: dict[str, Any]
    threshold: float  # probability from which a patch counts as an aircraft
    detection_threshold: float | None  # the same for peaks of a score map; None where it was not chosen
    mean: list[float]  # normalisation of the three channels in [0, 1] (also buffers of the network)
    std: list[float]
    count_spread: list[float] | None = None  # of true counts about those found: see `detection.count_spread`
    provenance: dict[str, Any] = field(default_factory=dict)  # data, seed, versions, scores; any JSON

    def __post_init__(self) -> None:
        for name, kind in {"mean": list, "std": list, "options": dict, "provenance": dict}.items():
            object.__setattr__(self, name, kind(getattr(self, name)))
        Normalize(self.mean, self.std)
        for name in ("threshold", "detection_threshold"):
            value = getattr(self, name)
            if (value is not None or name == "threshold") and not 0 <= value <= 1:
                raise InputError(f"{name} is a probability in [0, 1], not {value}")
        low, high = map(float, self.count_spread or (0, 0))
        if not low <= high or not math.isfinite(high - low):
            raise InputError(f"count_spread goes from a low to a high number, not {self.count_spread}")


def save(
    model: Network,
    path: str | Path,
    *,
    threshold: float,
    detection_threshold: float | None = None,
    count_spread: list[float] | None = None,
    provenance: dict[str, Any] | None = None,
) -> ModelCard:
    """Write a network made by `build` to a safetensors file, or raise InputError.

    Parameters
    ----------
    model, path : what to write, and where (folders are made)
    threshold, detection_threshold, count_spread, provenance : see `ModelCard`

    Returns
    -------
    ModelCard : what was written about the weights

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = save(build("toy_cnn"), f"{folder}/model.safetensors", threshold=0.4)
    ...     model, card = load(f"{folder}/model.safetensors")
    >>> card.arch, card.threshold, model.training
    ('toy_cnn', 0.4, False)
    """
    if not isinstance(model, Network) or not model.arch:
        raise InputError(f"{path}: only networks made by models.build are saved, not {type(model).__name__}")
    card = ModelCard(
        arch=model.arch, options=model.options, provenance=provenance or {}, threshold=float(threshold),
        detection_threshold=None if detection_threshold is None else float(detection_threshold),
        count_spread=count_spread,
        mean=model.normalize.mean.flatten().tolist(), std=model.normalize.std.flatten().tolist(),
    )  # fmt: skip
    with reading(path, "give numbers and text", "provenance and options must be plain JSON values"):
        text = json.dumps(asdict(card))
    own = {key: x.float() if x.is_floating_point() else x for key, x in model.state_dict().items()}
    tensors = {key: x.cpu().contiguous() for key, x in own.items()}
    _check_numbers(path, tensors)
    metadata = {"format": FORMAT, "version": VERSION, "card": text, "sha256": _digest(tensors, text)}
    with replacing(path) as file:
        file.write(to_bytes(tensors, metadata))
    return card


def load(path: str | Path) -> tuple[Network, ModelCard]:
    """The network of a model file, and its card.

    Parameters
    ----------
    path : of a file of `save`; FileNotFoundError where there is none, InputError where it is damaged

    Returns
    -------
    Network, ModelCard : on the CPU in evaluation mode, with `.card` set; and that card
    """
    path = regular(path, "give the model.safetensors of a run; `aircraft train --out RUN` makes one")
    fault = "not a safetensors file, or a damaged or cut one"
    with reading(path, "copy it or train again", fault), safe_open(path, framework="pt") as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT or "card" not in metadata:
            raise InputError(f"{path}: without aircraft's metadata; write it with models.save")
        version = quoted(metadata.get("version"))[:20]
        if version != VERSION:
            raise InputError(f"{path}: model file of version {version}, this one reads {VERSION}; update it")
        model, card = _described(path, metadata["card"])
        # Before any weight is read: the header must have what the network has.
        parts = {key: file.get_slice(key) for key in file.keys()}  # noqa: SIM118  (it is no dict)
        theirs = {key: f"{part.get_dtype()} {part.get_shape()}" for key, part in parts.items()}
        kinds = ("I64", "F32")  # of whole numbers, and of others
        own = model.state_dict()
        ours = {key: f"{kinds[x.is_floating_point()]} {list(x.shape)}" for key, x in own.items()}
        for key in sorted(ours | theirs):
            here, there = (side.get(key, "nothing") for side in (theirs, ours))
            if here != there:
                what = f"{quoted(key)[:80]} does not fit: {here} in the file, {there} in {card.arch}"
                raise InputError(f"{path}: {what}; it was changed or is of another version: train again")
        tensors = {key: file.get_tensor(key) for key in theirs}
    digest = _digest(tensors, metadata["card"])
    if metadata.get("sha256", digest) != digest:  # files of before have none
        raise InputError(f"{path}: changed since it was saved; copy it again, or train the model again")
    _check_numbers(path, tensors)
    model.to_empty(device="cpu").load_state_dict(tensors)
    if [x.flatten().tolist() for x in model.normalize.buffers()] != [card.mean, card.std]:
        raise InputError(f"{path}: its card tells of another normalisation; train the model again")
    model.options, model.card = card.options, card
    return model.eval(), card


def pretrained() -> Network:
    """The network that comes with the package: trained on rendered scenes only, free for any use (MIT).

    Returns
    -------
    Network : as `load` gives it; `.card` has its thresholds and provenance, data/MODEL.md how good it is

    Examples
    --------
    >>> pretrained().arch
    'patch_net'
    """
    return load(PRETRAINED)[0]


def _described(path: Path, text: str) -> tuple[Network, ModelCard]:
    """The network that a card describes, without memory for its weights, and the card."""
    known = ", ".join(x.name for x in fields(ModelCard))
    with reading(path, "train the model again", f"damaged metadata, expected {known}"):
        try:
            card = ModelCard(**json.loads(text))
            options = dict(card.options)
            if card.arch == "efficientnet_lite0":  # its weights are in the file: no need of the package
                options["pretrained"] = False
            with torch.device("meta"):
                return build(str(card.arch), **options), card
        except InputError as error:
            raise InputError(f"{path}: {quoted(error)[:300]}; update aircraft or train it again") from error


def _digest(tensors: dict[str, Tensor], card: str) -> str:
    """A hash of all that the file holds: names, kinds, shapes and bytes of the tensors, and the card."""
    digest = hashlib.sha256(card.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {list(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def _check_numbers(path: str | Path, tensors: dict[str, Tensor]) -> None:
    """InputError for numbers that no training gives."""
    for key, tensor in tensors.items():
        if not tensor.isfinite().all() or (key.endswith("running_var") and tensor.min() < 0):
            raise InputError(f"{path}: {key} is not finite, or a negative variance; train the model again")
