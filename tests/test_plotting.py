"""Figures: what they show is right, they leave no trace in matplotlib, and bad input is refused in a line."""

from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from aircraft import InputError, metrics, plotting
from aircraft.plotting import marks, style
from aircraft.scenes import Scene

matplotlib.use("Agg")
plt = pytest.importorskip("matplotlib.pyplot")

RNG = np.random.default_rng(0)
LABELS = np.repeat([0, 1], [60, 20])
SCORES = np.clip(0.3 + 0.4 * LABELS + RNG.normal(0, 0.2, 80), 0, 1)
IMAGES = RNG.integers(0, 256, (80, 64, 64, 3), dtype=np.uint8)
BOXES = np.array([[10, 10, 50, 40], [60, 60, 90, 100], [150, 20, 190, 60]], np.float32)
SCENE = Scene(RNG.integers(0, 256, (200, 240, 3), dtype=np.uint8), BOXES, "tile", "site", BOXES[:1] + 120)
FOUND = np.array([[31, 26], [74, 79], [200, 150]], np.float32)
MATCH = SimpleNamespace(hits=np.array([0, 1]), truths=np.array([0, 1]), false_alarms=np.array([2]))
HISTORY = [{"epoch": e, "loss": 1 / e, "val_loss": 1.2 / e, "AP": 1 - 1 / e, "AUC": 0.9} for e in (1, 2, 3)]

DRAWN_ON_AXES = {
    "patch_grid": lambda ax: plotting.patch_grid(IMAGES[:11], LABELS[:11], SCORES[:11], columns=4, ax=ax),
    "confusion_matrix": lambda ax: plotting.confusion_matrix([[50, 10], [3, 17]], ax=ax),
    "roc": lambda ax: plotting.roc(LABELS, SCORES, 0.5, ax=ax),
    "precision_recall": lambda ax: plotting.precision_recall(LABELS, SCORES, 0.5, ax=ax),
    "score_histograms": lambda ax: plotting.score_histograms(LABELS, SCORES, 0.5, ax=ax),
    "counts": lambda ax: plotting.counts([1, 2, 2, 2, 0], [1, 2, 2, 2, 1], ax=ax),
    "detections": lambda ax: plotting.detections(SCENE, FOUND, MATCH, ax=ax),
    "detections unjudged": lambda ax: plotting.detections(SCENE.image, FOUND, ax=ax),
    "score_map": lambda ax: plotting.score_map(SCENE, np.eye(26)[:, :31], stride=8, ax=ax),
    "tiles_overview": lambda ax: plotting.tiles_overview([SCENE] * 3, [FOUND] * 3, columns=2, ax=ax),
}
PANELS = {
    "learning_curves": lambda: plotting.learning_curves(HISTORY),
    "misclassified": lambda: plotting.misclassified(IMAGES, LABELS, SCORES, 0.5, n=6),
}


@pytest.fixture(autouse=True)
def _no_figure_left():
    yield
    plt.close("all")


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def legend(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("name", DRAWN_ON_AXES)
def test_a_figure_is_drawn_on_the_axes_that_it_is_given(name):
    figure, ax = plt.subplots()
    assert DRAWN_ON_AXES[name](ax) is ax
    assert plt.get_fignums() == [figure.number]
    assert ax.get_title(loc="left")


@pytest.mark.parametrize("name", [*DRAWN_ON_AXES, *PANELS])
def test_a_new_figure_is_known_to_notebooks_and_can_be_saved_twice_alike(name, tmp_path):
    draw = PANELS.get(name) or (lambda: DRAWN_ON_AXES[name](None))
    drawing = draw()
    assert len(plt.get_fignums()) == 1
    first = plotting.save(drawing, tmp_path / "sub" / "first.png", dpi=40)
    assert plt.get_fignums() == []
    second = plotting.save(draw(), tmp_path / "second.png", dpi=40)
    assert first.read_bytes() == second.read_bytes()
    assert sorted(path.name for path in tmp_path.rglob("*.png")) == ["first.png", "second.png"]


@pytest.mark.parametrize("name", [*DRAWN_ON_AXES, *PANELS])
def test_matplotlibs_settings_stay_as_the_user_has_them(name):
    matplotlib.rcdefaults()
    before = dict(matplotlib.rcParams)
    (PANELS.get(name) or (lambda: DRAWN_ON_AXES[name](None)))()
    assert dict(matplotlib.rcParams) == before


def test_a_notebooks_interactive_mode_begun_by_the_first_figure_stays_on():
    try:
        style.styled(plt.ion)()
        assert matplotlib.is_interactive()
    finally:
        plt.ioff()


@pytest.mark.parametrize("name", [*DRAWN_ON_AXES, *PANELS])
def test_letters_are_large_enough_for_a_projector(name):
    drawing = PANELS[name]() if name in PANELS else DRAWN_ON_AXES[name](None)
    figure = plotting.figure_of(drawing)
    shown = [t for t in figure.findobj(matplotlib.text.Text) if t.get_text() and t.get_visible()]
    assert min(text.get_fontsize() for text in shown) >= 10


def test_a_figure_that_cannot_be_put_in_its_place_leaves_nothing_behind(tmp_path):
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(InputError, match="taken"):
        plotting.save(plotting.counts([1], [1]), tmp_path / "taken.png", dpi=30)
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]


def test_the_threshold_is_marked_where_the_classifier_works():
    report = metrics.evaluate(LABELS, SCORES, 0.5)
    ax = plotting.precision_recall(LABELS, SCORES, 0.5)
    (mark,) = [line for line in ax.get_lines() if line.get_marker() == "D"]
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == pytest.approx((report.recall, report.precision))
    ax = plotting.roc(LABELS, SCORES, 0.5)
    (mark,) = [line for line in ax.get_lines() if line.get_marker() == "D"]
    (tn, fp), _ = report.confusion
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == pytest.approx((fp / (tn + fp), report.recall))


def test_the_baseline_of_precision_is_the_share_of_aircraft():
    assert "guessing: 0.25" in legend(plotting.precision_recall(LABELS, SCORES))


def test_lines_of_equal_f1_have_that_f1():
    ax = plotting.precision_recall(LABELS, SCORES)
    recall, precision = ax.get_lines()[0].get_data()
    np.testing.assert_allclose(2 * precision * recall / (precision + recall), 0.2)


def test_titles_say_the_message():
    report = metrics.evaluate(LABELS, SCORES, 0.5)
    (_, fp), (fn, _) = report.confusion
    words = f"{fn} of 20 aircraft missed, {fp} false alarm"
    assert plotting.confusion_matrix(report).get_title(loc="left").startswith(words)
    assert f"{report.AUC:.3f}" in plotting.roc(LABELS, SCORES).get_title(loc="left")
    assert plotting.counts([3, 0], [4, 1]).get_title(loc="left") == "3 counted, 5 there; off by 1.00 a tile"
    assert "0.667, epoch 3" in plotting.learning_curves(HISTORY)[1].get_title(loc="left")


def test_learning_curves_take_a_history_and_rows_with_gaps():
    rows = [{"epoch": 1, "loss": 0.5, "AP": None}, {"epoch": 2, "loss": 0.4, "AP": 0.7}]
    axes = plotting.learning_curves(SimpleNamespace(rows=rows))
    assert [line.get_label() for line in axes[1].get_lines()][:1] == ["AP"]
    assert "0.700, epoch 2" in axes[1].get_title(loc="left")
    assert (
        plotting.learning_curves([{"epoch": 1, "loss": 0.5}])[1]
        .get_title(loc="left")
        .startswith("Validation")
    )


def test_hits_misses_and_false_alarms_differ_in_colour_and_in_shape():
    ax = plotting.detections(SCENE, FOUND, MATCH)
    boxes = [(to_hex(p.get_edgecolor()).upper(), p.get_linestyle()) for p in ax.patches]
    assert [colour for colour, _ in boxes[:3]] == [marks.HIT, marks.HIT, marks.MISS]
    assert boxes[0][1] != boxes[2][1] != boxes[3][1]
    circles, crosses = ax.get_lines()
    assert (circles.get_marker(), crosses.get_marker()) == ("o", "x")
    np.testing.assert_array_equal(circles.get_xydata(), FOUND[:2])
    np.testing.assert_array_equal(crosses.get_xydata(), FOUND[2:])
    assert legend(ax) == ["2 hits", "1 missed", "1 false alarm", "not judged"]
    assert ax.get_title(loc="left") == "2 of 3 aircraft found, 1 false alarm"


def test_what_is_found_may_come_as_detections_and_a_picture_keeps_its_frame():
    found = SimpleNamespace(centers=FOUND)
    scene = Scene(SCENE.image, np.array([[-20, 180, 30, 260]]), "tile", "site")
    ax = plotting.detections(scene, found)
    assert legend(ax) == ["3 found"]
    assert (ax.get_xlim(), ax.get_ylim()) == ((0, 240), (200, 0))


def test_a_score_lies_over_the_centre_of_its_window():
    ax = plotting.score_map(SCENE, np.zeros((3, 4)), stride=16, offset=32)
    assert ax.images[1].get_extent() == [24, 88, 72, 24]


def test_a_patch_grid_shows_every_pixel_of_every_patch():
    ax = plotting.patch_grid(IMAGES[:5], LABELS[:5], columns=3)
    mosaic = ax.images[0].get_array()
    np.testing.assert_array_equal(mosaic[:64, 70:134], IMAGES[1])
    np.testing.assert_array_equal(mosaic[86:150, :64], IMAGES[3])
    assert texts(ax) == ["backgr."] * 5


def test_the_worst_errors_come_first():
    missed, false = plotting.misclassified(IMAGES, LABELS, SCORES, 0.5, n=3)
    worst = np.sort(SCORES[(LABELS == 1) & (SCORES < 0.5)])[:3]
    assert texts(missed) == [f"{score:.2f}" for score in worst]
    alarms = np.sort(SCORES[(LABELS == 0) & (SCORES >= 0.5)])[::-1]
    assert texts(false) == [f"{score:.2f}" for score in alarms[:3]]
    assert f"{len(alarms)} false alarms" in false.get_title(loc="left")


def test_without_errors_the_panels_say_so():
    titles = [ax.get_title(loc="left") for ax in plotting.misclassified(IMAGES, LABELS, LABELS * 0.9, 0.5)]
    assert titles == ["0 aircraft missed", "0 false alarms"]


def test_tiles_tell_found_and_there_and_need_not_be_of_one_size():
    small = Scene(SCENE.image[:120, :100], BOXES[:2], "small", "site")
    ax = plotting.tiles_overview([SCENE, small], [FOUND, np.zeros((0, 2))])
    assert texts(ax) == ["3 of 3", "0 of 2"]
    assert texts(plotting.tiles_overview([SCENE, small])) == ["3 aircraft", "2 aircraft"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plotting.patch_grid(IMAGES[0]), r"\(64, 64, 3\)"),
        (lambda: plotting.patch_grid(IMAGES[:0]), "N > 0"),
        (lambda: plotting.patch_grid(IMAGES[:4], labels=[0, 1]), "labels .* each of the 4"),
        (lambda: plotting.learning_curves([]), "no epoch yet"),
        (lambda: plotting.confusion_matrix([1, 2]), r"\[\[tn, fp\], \[fn, tp\]\]"),
        (lambda: plotting.roc(LABELS, SCORES * 9), "logits need a sigmoid"),
        (lambda: plotting.counts([1, 2], [1]), "one length"),
        (lambda: plotting.misclassified(IMAGES[:3], LABELS, SCORES, 0.5), "3 images and 80 labels"),
        (lambda: plotting.detections(SCENE.image, FOUND, MATCH), "names true box 1, but there are 0"),
        (lambda: plotting.score_map(SCENE, np.zeros(4), stride=8), r"\(rows, columns\)"),
        (lambda: plotting.tiles_overview([]), "no tiles"),
        (lambda: plotting.tiles_overview([SCENE], [FOUND, FOUND]), "2 lists of detections for 1 tiles"),
        (lambda: plotting.figure_of("a figure"), "not str"),
        (lambda: plotting.save(Figure(), "figure"), "needs an ending"),
    ],
)
def test_unusable_input_ends_in_one_clear_line_and_opens_no_figure(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert plt.get_fignums() == []
