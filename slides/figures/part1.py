"""The figures of part 1: an airport, a tile, patches, and what we build."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from aircraft import datasets, plotting
from aircraft.datasets import synthetic
from aircraft.plotting import marks
from figures.drawing import AIRPORT, WORDS, toy_set_of_patches, write, write_photo


def airport(path: Path) -> None:
    """One airport from above, a square kilometre."""
    write_photo(synthetic.render(site=AIRPORT, size=1024).image, path, side=860)


def tile(path: Path, *, boxes: bool = False) -> None:
    """One tile of 512 x 512 m, with or without the boxes of its aircraft."""
    scene = synthetic.render(site=AIRPORT, size=1024)
    scene = scene.crop(352, 320, 512)
    figure = plt.figure(figsize=(6, 6))
    ax = marks.blank(figure.add_axes((0, 0, 1, 1)), scene.image, width=6, height=6)
    for box in scene.boxes if boxes else ():
        marks.box(ax, box, marks.HIT, "-", width=3)
    write(figure, path)


def patches(path: Path) -> None:
    """Six patches with an aircraft in the middle and six without."""
    train = toy_set_of_patches().train
    rng = np.random.default_rng(6)
    figure, axes = plt.subplots(2, 1, figsize=(12, 5.4), layout="constrained")
    for ax, label, words in zip(
        axes, (1, 0), ("aircraft in the middle", "no aircraft in the middle"), strict=True
    ):
        chosen = rng.choice(np.flatnonzero(train.labels == label), 6, replace=False)
        plotting.patch_grid(train.images[chosen], columns=6, title=" ", ax=ax)
        ax.set_title(words, fontsize=WORDS, loc="left", weight="bold")
    write(figure, path)


def story() -> Figure:
    """Ten patches of the toy set, ten of the imbalanced set, and a tile: what the course climbs."""
    imbalanced = datasets.load_imbalanced(progress=False).test
    figure, axes = plt.subplots(1, 3, figsize=(12, 5.2), layout="constrained", width_ratios=[2.7, 2.7, 4.4])
    figure.get_layout_engine().set(wspace=0.06)  # type: ignore[union-attr, call-arg]
    rng = np.random.default_rng(1)
    for ax, data, share in ((axes[0], toy_set_of_patches().test, 5), (axes[1], imbalanced, 1)):
        counts = {1: share, 0: 10 - share}
        groups = [rng.choice(np.flatnonzero(data.labels == k), n, replace=False) for k, n in counts.items()]
        some = rng.permutation(np.concatenate(groups))
        plotting.patch_grid(data.images[some], data.labels[some], columns=2, title=" ", ax=ax)
        for words in list(ax.texts):
            words.remove()
    scene = synthetic.render(site=AIRPORT, size=1024).crop(352, 320, 512)
    marks.blank(axes[2], scene.image, width=4, height=4)
    for box in scene.boxes:
        marks.box(axes[2], box, marks.HIT, "-", width=2)
    titles = ("toy: 5 in 10", "imbalanced: 1 in 10", "tiles: find and count")
    for ax, words in zip(axes, titles, strict=True):
        ax.set_title(words, fontsize=WORDS + 1, loc="left", weight="bold")
        ax.set_anchor("NW")
    return figure


def found(path: Path) -> None:
    """What the demo's network finds on a tile: from data/sample/detections.jpg, drawn by `make sample`."""
    picture = Image.open(Path(__file__).parents[2] / "data/sample/detections.jpg")
    width, height = picture.size
    write_photo(np.array(picture.crop((10, 39, width // 2 - 10, height - 51))), path, side=620)
