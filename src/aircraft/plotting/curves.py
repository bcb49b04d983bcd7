"""Diagrams of training and results: learning curves, ROC, PR, thresholds, counts.

Titles say the message in figures; everything is computed by `aircraft.metrics`, scikit-learn or SciPy.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score, roc_curve

from aircraft import InputError, metrics
from aircraft.plotting import style
from aircraft.plotting.style import BLACK, BLUE, FONT, GREY, VERMILION, axes_or_new, several, styled


@styled
def learning_curves(history: Any) -> np.ndarray:
    """Loss, and scores on validation, for each epoch.

    Parameters
    ----------
    history : training.History, or its rows: mappings with epoch, loss and, where known, val_loss, AP, AUC

    Returns
    -------
    array of two Axes

    Examples
    --------
    >>> _, scores = learning_curves([{"epoch": 1, "loss": 0.5, "AP": 0.8}])
    >>> scores.get_title(loc="left")
    'Best AP on validation: 0.800, epoch 1'
    """
    rows = list(getattr(history, "rows", history))
    if not rows:
        raise InputError("the history has no epoch yet: there is nothing to draw")
    axes = plt.subplots(1, 2, figsize=(12, 4.6))[1]
    losses = {"loss": ("training", BLUE, "o"), "val_loss": ("validation", VERMILION, "s")}
    scores = {"AP": ("AP", style.GREEN, "o"), "AUC": ("AUC", style.PURPLE, "s")}
    for ax, wanted in zip(axes, (losses, scores), strict=True):
        for key, (name, colour, marker) in wanted.items():
            points = [(row["epoch"], row[key]) for row in rows if row.get(key) is not None]
            if points:
                ax.plot(*zip(*points, strict=True), color=colour, marker=marker, markersize=7, label=name)
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        if ax.get_lines():
            ax.legend()
    axes[0].set(title="Loss: lower is better", ylabel="loss", ylim=(0, None))
    axes[1].set(title="Validation scores: higher is better", ylabel="score")
    known = [row for row in rows if row.get("AP") is not None]
    if known:
        best = max(known, key=lambda row: row["AP"])
        axes[1].set_title(f"Best AP on validation: {best['AP']:.3f}, epoch {best['epoch']:g}")
        for ax in axes:
            ax.axvline(best["epoch"], color=GREY, linestyle=":", linewidth=2, zorder=1)
    return axes


@styled
def confusion_matrix(report: metrics.Report | ArrayLike, ax: Axes | None = None) -> Axes:
    """Counts of right and wrong answers, and their shares of each row.

    Parameters
    ----------
    report : metrics.Report, or the matrix [[tn, fp], [fn, tp]]

    Returns
    -------
    Axes

    Examples
    --------
    >>> confusion_matrix([[50, 10], [3, 17]]).get_title(loc="left")
    '3 of 20 aircraft missed, 10 false alarms'
    """
    matrix = np.asarray(report.confusion if isinstance(report, metrics.Report) else report)
    if matrix.shape != (2, 2):
        raise InputError(f"a confusion matrix is [[tn, fp], [fn, tp]], this one has shape {matrix.shape}")
    ax = axes_or_new(ax, width=5.8, height=5.2)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    words = (("rightly quiet", "false alarms"), ("missed", "found"))
    for (row, column), count in np.ndenumerate(matrix):
        ink = "white" if shares[row, column] > 0.55 else BLACK
        text = f"{count:,}\n{words[row][column]}\n{shares[row, column]:.1%} of row"
        ax.text(column, row, text, ha="center", va="center", color=ink, fontsize=FONT + 1)
    ax.set_xticks([0, 1], ["no alarm", "alarm"])
    ax.set_yticks([0, 1], ["background", "aircraft"], rotation=90, va="center")
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    alarms = several(matrix[0, 1], "false alarm")
    ax.set(ylabel="truth", title=f"{matrix[1, 0]:,} of {matrix[1].sum():,} aircraft missed, {alarms}")
    return ax


@styled
def roc(labels: ArrayLike, scores: ArrayLike, threshold: float | None = None, ax: Axes | None = None) -> Axes:
    """Receiver operating characteristic: aircraft found against background that raises an alarm.

    Parameters
    ----------
    labels, scores : (N,) arrays of 0 or 1, and of probabilities
    threshold : float, optional, is marked on the curve

    Returns
    -------
    Axes

    Examples
    --------
    >>> roc([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8]).get_title(loc="left")
    'ROC: area under the curve 0.750'
    """
    y, s = metrics.check(labels, scores)
    ax = axes_or_new(ax, width=5.8, height=5.2)
    false, found, _ = roc_curve(y, s)
    _diagonal(ax, "guessing: AUC 0.5")
    ax.plot(false, found, color=BLUE, label="classifier")
    if threshold is not None:
        (tn, fp), (fn, tp) = metrics.confusion(y, s, threshold)
        _mark(ax, fp / (fp + tn), tp / (tp + fn), threshold)
    title = f"ROC: area under the curve {roc_auc_score(y, s):.3f}"
    return _named(ax, title, "false alarm rate (of background)", "recall (of aircraft)", "lower right")


@styled
def precision_recall(
    labels: ArrayLike, scores: ArrayLike, threshold: float | None = None, ax: Axes | None = None
) -> Axes:
    """Precision against recall, over lines of equal F1; the share of aircraft is what guessing reaches.

    Parameters
    ----------
    labels, scores : (N,) arrays of 0 or 1, and of probabilities
    threshold : float, optional, is marked on the curve

    Returns
    -------
    Axes

    Examples
    --------
    >>> precision_recall([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8], 0.5).get_title(loc="left")
    'Precision-recall: AP 0.833, F1 0.667'
    """
    y, s = metrics.check(labels, scores)
    ax = axes_or_new(ax, width=5.8, height=5.2)
    for f1 in (0.2, 0.4, 0.6, 0.8, 0.9):
        recall = np.linspace(f1 / (2 - f1), 1, 100)  # precision = F1 * R / (2 R - F1), at most 1
        ax.plot(recall, f1 * recall / (2 * recall - f1), color="#b5b5b5", linewidth=1.1, zorder=1)
        name = ax.annotate(f"F1 {f1:g}", (1, f1 / (2 - f1)), (4, 0), textcoords="offset points", va="center")
        name.set(color=GREY, fontsize=FONT - 3, annotation_clip=False)
    precision, recall, _ = precision_recall_curve(y, s)
    share = float(y.mean())
    ax.axhline(share, color=GREY, linestyle="--", linewidth=1.8, label=f"guessing: {share:.2f}")
    ax.plot(recall, precision, color=BLUE, drawstyle="steps-post", label="classifier")
    title = f"Precision-recall: AP {average_precision_score(y, s):.3f}"
    if threshold is not None:
        at = metrics.evaluate(y, s, threshold)
        _mark(ax, at.recall, at.precision, threshold)
        title += f", F1 {at.F1:.3f}"
    ax.grid(False)
    return _named(ax, title, "recall (of aircraft)", "precision (of alarms)", "lower left")


@styled
def score_histograms(
    labels: ArrayLike,
    scores: ArrayLike,
    threshold: float | None = None,
    bins: int = 40,
    ax: Axes | None = None,
) -> Axes:
    """How the scores of background and aircraft are spread, on a logarithmic scale of counts.

    Parameters
    ----------
    labels, scores : (N,) arrays of 0 or 1, and of probabilities
    threshold : float, optional, is drawn as a line, with the errors on both sides of it in the title

    Returns
    -------
    Axes

    Examples
    --------
    >>> score_histograms([0, 0, 1, 1], [0.1, 0.4, 0.3, 0.8], 0.5).get_title(loc="left")
    '1 missed (left), 0 false alarms (right)'
    """
    y, s = metrics.check(labels, scores, both_classes=False)
    ax = axes_or_new(ax, width=5.8, height=5.2)
    edges = np.linspace(0, 1, bins + 1).tolist()
    for label, name, colour, hatch in ((0, "background", BLUE, ""), (1, "aircraft", style.ORANGE, "///")):
        look: dict[str, Any] = {"facecolor": (colour, 0.3), "edgecolor": colour, "hatch": hatch}
        name += f" ({(y == label).sum():,})"
        ax.hist(s[y == label], edges, histtype="stepfilled", linewidth=2, label=name, **look)
    title = "Scores of background and aircraft"
    if threshold is not None:
        (_, false), (missed, _) = metrics.confusion(y, s, threshold)
        ax.axvline(threshold, color=BLACK, linewidth=2, label=f"threshold {threshold:.3f}")
        title = f"{missed:,} missed (left), {several(false, 'false alarm')} (right)"
    ax.set(xlabel="score", ylabel="patches", yscale="log", xlim=(0, 1), ylim=(0.7, None), title=title)
    ax.legend(loc="upper center")
    return ax


@styled
def counts(found: ArrayLike, truth: ArrayLike, unit: str = "tile", ax: Axes | None = None) -> Axes:
    """Aircraft counted against truly there, one point a tile; where points coincide, the mark grows.

    Parameters
    ----------
    found, truth : (N,) arrays of whole numbers
    unit : str, what is counted on

    Returns
    -------
    Axes

    Examples
    --------
    >>> counts([3, 0], [4, 1]).get_title(loc="left")
    '3 counted, 5 there; off by 1.00 a tile'
    """
    found, truth = np.asarray(found), np.asarray(truth)
    if found.ndim != 1 or found.shape != truth.shape or len(found) == 0:
        raise InputError(f"found {found.shape} and truth {truth.shape} must be two flat lists of one length")
    ax = axes_or_new(ax, width=5.8, height=5.2)
    top = max(found.max(), truth.max(), 1) * 1.06 + 0.5
    _diagonal(ax, "counted right", top)
    (x, y), times = np.unique(np.stack([truth, found]), axis=1, return_counts=True)
    ax.scatter(x, y, 70 * times, color=BLUE, alpha=0.75, edgecolor="white", label=f"a {unit}", zorder=3)
    for k in np.flatnonzero(times > 2):
        inside: dict[str, Any] = {"color": "white", "ha": "center", "va": "center", "fontsize": FONT - 3}
        ax.text(x[k], y[k], f"{times[k]}", zorder=4, **inside)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(integer=True))
    error = np.abs(found - truth).mean()
    digits = 2 if error < 10 else 0
    title = f"{found.sum():g} counted, {truth.sum():g} there; off by {error:.{digits}f} a {unit}"
    across = f"aircraft truly on the {unit}"
    return _named(ax, title, across, "aircraft counted", "upper left", (-0.6, top))


def _diagonal(ax: Axes, label: str, end: float = 1) -> None:
    ax.plot([0, end], [0, end], color=GREY, linestyle="--", linewidth=1.8, label=label)


def _mark(ax: Axes, x: float, y: float, threshold: float) -> None:
    (mark,) = ax.plot(x, y, "D", color=VERMILION, markersize=11, label=f"threshold {threshold:.3f}")
    mark.set(markeredgecolor="white", zorder=5, clip_on=False)


def _named(ax: Axes, title: str, x: str, y: str, legend: Any, ends: tuple = (-0.02, 1.02)) -> Axes:
    ax.set(xlabel=x, ylabel=y, title=title, aspect="equal", xlim=ends, ylim=ends)
    ax.legend(loc=legend)
    return ax
