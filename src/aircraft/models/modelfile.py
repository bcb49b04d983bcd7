"""The model file: weights, architecture, normalisation and thresholds in one safetensors file, no pickle.

A file is written whole or not at all; one that does not fit gives one line that names it and says what to do.
"""

import json
import textwrap
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes

from aircraft import InputError, replacing
from aircraft.models.layers import Network
from aircraft.models.networks import build

FORMAT = "aircraft-model"
VERSION = "1"


@dataclass(frozen=True)
class ModelCard:
    """What a model file tells about its weights. Raises InputError for a threshold that is no probability."""

    arch: str  # arguments of `build`
    options: dict[str, Any]
    threshold: float  # probability from which a patch counts as an aircraft
    detection_threshold: float | None  # the same for peaks of a score map; None where it was not chosen
    mean: list[float]  # normalisation of the three channels in [0, 1] (also buffers of the network)
    std: list[float]
    provenance: dict[str, Any] = field(default_factory=dict)  # data, seed, versions, scores; any JSON

    def __post_init__(self) -> None:
        object.__setattr__(self, "mean", list(self.mean))
        object.__setattr__(self, "std", list(self.std))
        for name in ("threshold", "detection_threshold"):
            value = getattr(self, name)
            if (value is not None or name == "threshold") and not 0 <= value <= 1:
                raise InputError(f"{name} is a probability in [0, 1], not {value}")


def save(
    model: Network,
    path: str | Path,
    *,
    threshold: float,
    detection_threshold: float | None = None,
    provenance: dict[str, Any] | None = None,
) -> ModelCard:
    """Write a network made by `build` to a safetensors file, or raise InputError.

    Parameters
    ----------
    model, path : what to write, and where (folders are made)
    threshold, detection_threshold, provenance : see `ModelCard`

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
        arch=model.arch,
        options=dict(model.options),
        threshold=float(threshold),
        detection_threshold=None if detection_threshold is None else float(detection_threshold),
        mean=model.normalize.mean.flatten().tolist(),
        std=model.normalize.std.flatten().tolist(),
        provenance=dict(provenance or {}),
    )
    try:
        text = json.dumps(asdict(card))
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: provenance and options must be plain JSON values: {error}") from error
    tensors = {key: value.detach().cpu().contiguous() for key, value in model.state_dict().items()}
    with replacing(Path(path)) as file:
        file.write(to_bytes(tensors, {"format": FORMAT, "version": VERSION, "card": text}))
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
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such model file; train one with `aircraft train ... --out RUN`")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118  (it is no dict)
    except (SafetensorError, OSError) as error:
        text = f"{path}: not a safetensors file, or a damaged or cut one ({error}); copy it or train again"
        raise InputError(text) from error
    if metadata.get("format") != FORMAT or "card" not in metadata:
        raise InputError(f"{path}: a safetensors file without aircraft's metadata; write it with models.save")
    version = metadata.get("version")
    if version != VERSION:
        raise InputError(f"{path}: model file of version {version}, this one reads {VERSION}; update it")
    try:
        card = ModelCard(**json.loads(metadata["card"]))
        options = dict(card.options)
    except (ValueError, TypeError) as error:
        known = ", ".join(x.name for x in fields(ModelCard))
        text = f"{path}: damaged metadata, expected {known} ({error}); train the model again"
        raise InputError(text) from error
    if "pretrained" in options:  # the weights are in the file: no need for the package that ships them
        options["pretrained"] = False
    try:
        model = build(str(card.arch), **options)
    except InputError as error:
        raise InputError(f"{path}: {error}; update aircraft or train the model again") from error
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        # torch writes a heading and then, in many lines, what does not fit.
        what = f"does not fit {card.arch}: {textwrap.shorten(str(error).split(':', 1)[1], 200)}"
        text = f"{path}: {what}; it was changed or made by another version: train the model again"
        raise InputError(text) from error
    broken = [key for key, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise InputError(f"{path}: {broken[0]} is not finite; it was changed: train the model again")
    model.options, model.card = card.options, card
    return model.eval(), card
