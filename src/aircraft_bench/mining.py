"""Hard examples: the false alarms of a detector, cut out as background patches to learn from.

Only ever on scenes of training sites: a detector that has learned from a tile cannot be judged on it.
"""

from collections.abc import Sequence

import numpy as np

from aircraft import patches
from aircraft.datasets.splitting import COLUMNS
from aircraft.detection import Detections, match
from aircraft.patches import PATCH, Patches
from aircraft.scenes import Scene


def hard_examples(found: Sequence[Detections], scenes: Sequence[Scene]) -> Patches:
    """The windows around the false alarms of `found`, one of them for each of `scenes`; labels are all 0.

    Left out are windows that an aircraft's centre makes positive, those that reach over the border of the
    scene, and those that touch an aircraft which the border cuts off. A low threshold finds many.
    """
    images, sites = [], []
    for detections, scene in zip(found, scenes, strict=True):
        alarms = match(detections, scene).false_alarms
        corners = np.rint(detections.centers[alarms]).astype(int) - PATCH // 2
        corners = corners[patches.is_background(scene, corners)]
        images.append(patches.cut(scene.image, *corners.T))
        sites += [scene.site] * len(corners)
    count = len(sites)
    stacked = np.concatenate(images) if images else np.zeros((0, PATCH, PATCH, 3), np.uint8)
    return Patches(stacked, np.zeros(count, np.uint8), np.array(sites, dtype=str))


def join(sets: Sequence[Patches]) -> Patches:
    """The patches of several sets, one after the other."""
    return Patches(*(np.concatenate([getattr(one, name) for one in sets]) for name in COLUMNS))
