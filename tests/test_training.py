"""fit and predict: they learn, repeat exactly, keep the best, stop when they should and say what is wrong."""

import csv
import logging
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import nn

from aircraft import InputError, models, training
from aircraft.training import devices, engines, optimizers
from aircraft.training.checkpoints import History
from aircraft.training.settings import Settings
from training_helpers import FAST, Bars, bars, digest, one_thread, tiny_net  # noqa: F401


def test_fit_learns_and_the_model_scores_as_its_best_epoch_did() -> None:
    model, val = tiny_net(), bars(101, seed=1)
    history = training.fit(model, bars(256), val, epochs=4, amp="off", **FAST)
    scores = training.predict(model, val.images)
    assert history.best["AP"] > 0.9
    assert history.best["AP"] == max(history["AP"])
    assert average_precision_score(val.labels, scores) == pytest.approx(history.best["AP"], abs=1e-6)
    assert roc_auc_score(val.labels, scores) == pytest.approx(history.best["AUC"], abs=1e-6)
    assert not model.training


@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "sgd", "lr": 0.05},
        {"loss": "focal"},
        {"pos_weight": "auto"},
        {"sampling": "balanced"},
        {"sampling": "hard"},
        {"ema": 0.8, "noise": 0.01},
        {"amp": "bf16"},
        {"augment": False},
    ],
    ids=str,
)
def test_every_setting_learns(settings: dict[str, Any]) -> None:
    model = tiny_net()
    history = training.fit(model, bars(256), bars(101, seed=1), epochs=3, **{**FAST, **settings})
    assert history.best["AP"] > 0.8


def test_the_same_seed_gives_the_same_weights_and_leaves_the_global_random_state_alone() -> None:
    digests = []
    for seed, noise in [(0, 1), (0, 2), (1, 1)]:
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        model = tiny_net()
        training.fit(model, bars(128), bars(64, seed=1), epochs=2, seed=seed, **FAST)
        assert torch.equal(torch.get_rng_state(), before)
        digests.append(digest(model))
    assert digests[0] == digests[1] != digests[2]


def test_the_weights_of_the_best_epoch_are_kept_and_early_stopping_ends_the_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bytes] = []
    fake = iter([0.5, 0.9, 0.8, 0.9, 0.7])

    def ranking(*_: Any) -> dict[str, float]:
        seen.append(digest(model))
        return {"loss": 0.1, "AP": next(fake), "AUC": 0.5}

    monkeypatch.setattr(engines, "ranking", ranking)
    model = tiny_net()
    history = training.fit(model, bars(64), bars(64), epochs=9, patience=3, ema=None, **FAST)
    assert history["epoch"] == [1, 2, 3, 4, 5]
    assert history.best_epoch == 2
    assert digest(model) == seen[1] != seen[-1]


def test_hard_examples_change_the_training_only_from_the_second_epoch() -> None:
    losses_of = {
        kind: training.fit(tiny_net(), bars(128), bars(64), epochs=2, sampling=kind, **FAST)["loss"]
        for kind in ("uniform", "hard")
    }
    assert losses_of["uniform"][0] == losses_of["hard"][0]
    assert losses_of["uniform"][1] != losses_of["hard"][1]


def test_a_run_folder_holds_history_events_and_checkpoint(tmp_path: Path) -> None:
    history = training.fit(tiny_net(), bars(128), bars(64), epochs=2, out=tmp_path / "deep" / "run", **FAST)
    files = sorted(path.name for path in (tmp_path / "deep" / "run").iterdir())
    assert files == ["checkpoint.pt", "history.csv", "tensorboard"]
    with (tmp_path / "deep" / "run" / "history.csv").open() as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert rows == history.rows
    assert list(rows[0]) == ["epoch", "loss", "val_loss", "AP", "AUC", "lr", "seconds"]
    assert list((tmp_path / "deep" / "run" / "tensorboard").glob("events*"))


def test_progress_goes_to_standard_error_one_line_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    training.fit(tiny_net(), bars(128), bars(64), epochs=2, **{**FAST, "progress": True})
    training.predict(tiny_net(), bars(10).images, progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "epoch 2/2  loss" in captured.err
    assert "predict" in captured.err


def test_without_progress_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    training.fit(tiny_net(), bars(128), bars(64), epochs=1, **FAST)
    assert capfd.readouterr() == ("", "")


def test_with_flips_a_score_is_the_mean_logit_of_the_mirror_images() -> None:
    model, images = tiny_net().eval(), bars(5).images
    mirrors = [images, images[:, ::-1], images[:, :, ::-1], images[:, ::-1, ::-1]]
    logits = [np.log(s / (1 - s)) for s in (training.predict(model, m.copy()) for m in mirrors)]
    expected = 1 / (1 + np.exp(-np.mean(logits, axis=0)))
    assert training.predict(model, images, flips=True) == pytest.approx(expected, abs=1e-5)
    turned = training.predict(model, mirrors[3].copy(), flips=True)
    assert turned == pytest.approx(expected, abs=1e-5)


class Exploding(nn.Module):
    """A model whose logits become NaN at the given call."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.net, self.calls, self.at = tiny_net(), 0, at

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        return self.net(images) * (math.nan if self.calls >= self.at else 1)


@pytest.mark.parametrize(("at", "iteration"), [(3, "iteration 3 (epoch 1)"), (5, "iteration 4 (epoch 1)")])
def test_a_loss_that_is_nan_stops_with_the_iteration_and_advice(
    at: int, iteration: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError) as caught:  # the fifth call is the first of the validation
        training.fit(Exploding(at), bars(128), bars(64), epochs=2, out=tmp_path, ema=None, **FAST)
    assert iteration in str(caught.value)
    assert "lower lr" in str(caught.value)
    assert not (tmp_path / "checkpoint.pt").exists()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"epoch": 3}, "unknown setting 'epoch'; did you mean 'epochs'?"),
        ({"zebra": 3}, "known settings: epochs, batch_size"),
        ({"epochs": 0}, "epochs is 0; it must be a whole number from 1"),
        ({"epochs": 2.5}, "epochs is 2.5"),
        ({"epochs": True}, "epochs is True"),
        ({"batch_size": 129}, "larger than the training set (128 patches)"),
        ({"lr": -0.1}, "lr is -0.1; it must be a number above 0"),
        ({"lr": math.nan}, "lr is nan"),
        ({"lr": "fast"}, "lr is 'fast'"),
        ({"optimizer": "adam"}, "one of muon, adamw, sgd"),
        ({"loss": "mse"}, "one of bce, focal"),
        ({"sampling": "smart"}, "one of uniform, balanced, hard"),
        ({"pos_weight": "more"}, "a number above 0, or 'auto' or None"),
        ({"pos_weight": 0}, "a number above 0"),
        ({"ema": 1.0}, "between 0 and 1, or None"),
        ({"patience": 0}, "a whole number from 1, or None"),
        ({"seed": -1}, "a whole number from 0"),
        ({"seed": 2**64}, "a whole number from 0 to 18446744073709551615"),
        ({"lr": 1e300}, "lr is 1e+300; it must be a number above 0; at most 1,000,000,000"),
        ({"weight_decay": 1e300}, "weight_decay is 1e+300"),
        ({"noise": math.inf}, "noise is inf"),
        ({"pos_weight": 1e300}, "pos_weight is 1e+300"),
        ({"epochs": 10**400}, "; it must be a whole number from 1; at most 1,000,000,000"),
        ({"batch_size": 1}, "batch_size 1 is too small for batch norm; make it at least 2"),
        ({"augment": 1}, "True or False"),
        ({"device": "tpu9"}, "is unknown"),
        ({"device": "cuda:99"}, "not on this machine"),
        ({"device": None}, "a string such as 'auto'"),
        ({"amp": "int8"}, "one of auto, off, bf16"),
        ({"resume": True}, "resume needs the folder"),
    ],
    ids=str,
)
def test_nonsense_settings_are_refused_in_one_line(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        training.fit(tiny_net(), bars(128), bars(64), **{"progress": False, "batch_size": 32, **settings})
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([0, 1], "4 images but labels of shape (2,)"),
        ([0, 1, 2, 0], "use 0 (background), 1 (aircraft)"),
        ([0, 1, np.nan, 0], "use 0 (background), 1 (aircraft)"),
        ([1, 1, 1, 1], "one class only"),
    ],
)
def test_unusable_labels_are_refused(labels: list[float], words: str) -> None:
    unusable = Bars(bars(4).images, np.array(labels))
    with pytest.raises(InputError) as caught:
        training.fit(tiny_net(), bars(64), unusable, **FAST)
    assert "val" in str(caught.value)
    assert words in str(caught.value)


def test_a_whole_data_set_or_bare_images_in_place_of_patches_are_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match="val is a ndarray; pass patches with labels"):
        training.fit(tiny_net(), bars(64), bars(64).images, **FAST)


def test_what_training_offers_is_listed_before_it_is_imported() -> None:
    assert {"fit", "predict", "Settings", "History"} <= set(dir(training))


def test_a_model_that_does_not_return_one_logit_a_patch_is_refused() -> None:
    with pytest.raises(InputError, match=r"returns \(32, 1\) for 32 patches"):
        training.fit(nn.Sequential(*list(tiny_net())[:-1]), bars(128), bars(64), **FAST)


def test_a_model_without_anything_to_train_is_refused() -> None:
    with pytest.raises(InputError, match="no parameter to train"):
        training.fit(tiny_net().requires_grad_(False), bars(128), bars(64), **FAST)


def test_frozen_weights_stay_as_they_are() -> None:
    model = tiny_net()
    model[1].requires_grad_(False)
    before = model[1].weight.clone()
    training.fit(model, bars(128), bars(64), epochs=1, **FAST)
    assert torch.equal(model[1].weight, before)


def test_settings_made_once_are_handed_on_and_give_what_the_knobs_give() -> None:
    knobs = {"batch_size": 32, "lr": 5e-3, "epochs": 1}
    by_keyword, handed_on = tiny_net(), tiny_net()
    training.fit(by_keyword, bars(128), bars(64), progress=False, **knobs)
    training.fit(handed_on, bars(128), bars(64), progress=False, settings=Settings(**knobs))
    assert digest(by_keyword) == digest(handed_on)
    with pytest.raises(InputError, match="settings, or knobs by keyword: epochs"):
        training.fit(tiny_net(), bars(128), bars(64), settings=Settings(), epochs=3)


def test_numpy_numbers_are_settings_too() -> None:
    settings = Settings.of(epochs=np.int64(3), lr=np.float32(0.5))
    assert (settings.epochs, settings.lr) == (3, 0.5)
    assert type(settings.epochs) is int
    assert type(settings.lr) is float


def test_predict_gives_float32_probabilities_whatever_the_batch_size() -> None:
    model, images = tiny_net().train(), bars(37).images
    scores = training.predict(model, images)
    assert scores.shape == (37,)
    assert scores.dtype == np.float32
    assert ((scores > 0) & (scores < 1)).all()
    assert np.allclose(scores, training.predict(model, images, batch_size=5), atol=1e-6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert np.array_equal(scores, training.predict(model, images, device="cpu"))
    assert training.predict(model, images[:0]).shape == (0,)


def test_predict_leaves_every_module_in_the_mode_it_was_in() -> None:
    model = tiny_net().train()
    model[2].eval()  # a frozen batch norm
    statistics = model[2].running_mean.clone()
    training.predict(model, bars(8).images)
    assert [module.training for module in model] == [True, True, False, True, True, True, True, True]
    assert torch.equal(model[2].running_mean, statistics)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("flips", [False, True])
def test_predict_refuses_scores_that_are_not_finite(value: float, flips: bool) -> None:
    model = tiny_net()
    with torch.no_grad():
        model[-2].bias.fill_(value)
    with pytest.raises(
        InputError, match=r"^Sequential gives scores that are NaN or infinite; train it again$"
    ):
        training.predict(model, bars(3).images, flips=flips)
    network = models.build("toy_cnn")
    with torch.no_grad():
        next(iter(network.parameters())).fill_(value)
    with pytest.raises(InputError, match=r"^toy_cnn gives scores"):
        training.predict(network, bars(3).images, flips=flips)


@pytest.mark.parametrize("seed", [0, 2**63, 2**64 - 1])
def test_the_largest_seed_can_be_trained_with_and_resumed(tmp_path: Path, seed: int) -> None:
    options = {**FAST, "epochs": 1, "seed": seed, "out": tmp_path}
    history = training.fit(tiny_net(), bars(64), bars(64), **options)
    assert training.fit(tiny_net(), bars(64), bars(64), resume=True, **options) == history


def test_a_batch_of_one_is_enough_without_batch_norm() -> None:
    model = nn.Sequential(nn.AvgPool2d(16), nn.Flatten(), nn.Linear(48, 1), nn.Flatten(0))
    assert len(training.fit(model, bars(8), bars(8), **{**FAST, "epochs": 1, "batch_size": 1})) == 1


def test_predict_refuses_what_is_not_a_set_of_patches() -> None:
    with pytest.raises(InputError, match="RGBA"):
        training.predict(tiny_net(), np.zeros((2, 64, 64, 4), np.uint8))
    with pytest.raises(InputError, match="at least 1"):
        training.predict(tiny_net(), bars(2).images, batch_size=0)


def test_losses_agree_with_their_formulas() -> None:
    logits, targets = torch.tensor([1.5, -0.5, 0.2]), torch.tensor([1.0, 0.0, 1.0])
    p = logits.sigmoid()
    right = torch.where(targets == 1, p, 1 - p)
    assert torch.allclose(optimizers.bce(logits, targets), -right.log().mean())
    weights = torch.where(targets == 1, 3.0, 1.0)
    assert torch.allclose(optimizers.bce(logits, targets, pos_weight=3.0), -(weights * right.log()).mean())
    alpha = torch.where(targets == 1, 0.75, 0.25)
    expected = -(alpha * (1 - right) ** 2 * right.log()).mean()
    assert torch.allclose(optimizers.focal(logits, targets, pos_weight=3.0), expected)


@pytest.mark.parametrize("name", ["bce", "focal"])
def test_the_loss_of_the_settings_balances(name: str) -> None:
    labels = np.array([1, 0, 0, 0])
    assert optimizers.balance(labels) == 3
    loss = optimizers.make_loss(Settings.of(loss=name, pos_weight="auto"), labels)
    logits, targets = torch.tensor([0.3, -0.7]), torch.tensor([1.0, 0.0])
    expected = getattr(optimizers, name)(logits, targets, pos_weight=3.0)
    assert torch.equal(loss(logits, targets), expected)
    assert not torch.allclose(loss(logits, targets), getattr(optimizers, name)(logits, targets))


@pytest.mark.parametrize("steps", [1, 2, 3, 50])
def test_the_rate_rises_to_lr_once_and_falls(steps: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = engines.one_cycle(optimizer, 1.0, steps)
    rates = []
    for _ in range(steps):
        scheduler(None)
        rates.append(optimizer.param_groups[0]["lr"])
    top = int(np.argmax(rates))
    assert all(0 < rate <= 1 for rate in rates)
    assert np.all(np.diff(rates[: top + 1]) >= 0)
    assert np.all(np.diff(rates[top:]) <= 0)
    if steps == 50:
        assert max(rates) == pytest.approx(1, abs=0.02)
        assert rates[-1] == pytest.approx(0, abs=0.05)
        assert top == 5


def test_weight_decay_spares_biases_and_norms() -> None:
    groups = optimizers.make_optimizer(tiny_net(), Settings.of(weight_decay=0.3)).param_groups
    decay = {parameter.ndim: group["weight_decay"] for group in groups for parameter in group["params"]}
    assert decay == {1: 0.0, 2: 0.3, 4: 0.3}


def test_history_gives_columns_and_its_best_row(tmp_path: Path) -> None:
    history = History([{"epoch": 1, "AP": 0.5}, {"epoch": 2, "AP": 0.7}], best_epoch=2)
    assert len(history) == 2
    assert history["AP"] == [0.5, 0.7]
    assert history.best == {"epoch": 2, "AP": 0.7}
    history.to_csv(tmp_path / "new" / "history.csv")
    assert (tmp_path / "new" / "history.csv").read_text() == "epoch,AP\n1,0.5\n2,0.7\n"


def test_auto_takes_a_device_that_is_there() -> None:
    device = devices.choose("auto")
    assert torch.zeros(1, device=device).device.type == device.type
    assert devices.amp_dtype("auto", torch.device("mps")) is None
    assert devices.amp_dtype("off", device) is None
    assert devices.amp_dtype("auto", torch.device("cpu")) in (None, torch.bfloat16)


def test_the_loggers_of_other_code_keep_their_level() -> None:
    training.fit(tiny_net(), bars(64), bars(64), epochs=1, **FAST)
    assert logging.getLogger().level == logging.WARNING
    assert logging.getLogger("ignite").level == logging.NOTSET


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("settings", [{"amp": "auto"}, {"amp": "bf16"}, {"amp": "off"}], ids=str)
def test_a_gpu_learns_too(settings: dict[str, Any]) -> None:
    model = tiny_net()
    history = training.fit(
        model, bars(256), bars(101, seed=1), epochs=3, **{**FAST, "device": "cuda", **settings}
    )
    assert history.best["AP"] > 0.8
    assert len(training.predict(model, bars(10).images)) == 10
