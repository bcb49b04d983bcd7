"""The ground of a view at 1 m: areas in their colours, with the texture of their material, and wear.

Materials are told apart by an index map; one look-up per texture turns it into the texture's strength.
"""

import cv2
import numpy as np

from airfield.drawing import SHIFT, Frame, fixed
from airfield.layout import Site
from airfield.textures import sample

# Strengths of the textures (share of brightness), a row a material:
#            cloud  blotch patchy grain streak slab  canopy furrow   colour drift (r, g, b)
_MATERIALS = {
    "concrete": (0.018, 0.018, 0.014, 0.030, 0.020, 0.030, 0, 0, (1.5, 0, -2)),
    "fresh": (0.010, 0.010, 0.008, 0.022, 0.008, 0.016, 0, 0, (1, 0, -1)),
    "asphalt": (0.022, 0.030, 0.016, 0.036, 0.030, 0.008, 0, 0, (1, 0, -1)),
    "taxiway": (0.022, 0.026, 0.010, 0.034, 0.045, 0.014, 0, 0, (1, 0, -1)),
    "runway": (0.022, 0.020, 0.005, 0.030, 0.070, 0.012, 0, 0, (0, 0, 0)),
    "shoulder": (0.030, 0.040, 0.015, 0.036, 0.030, 0.000, 0, 0, (1, 0, -2)),
    "grass": (0.050, 0.050, 0.030, 0.055, 0.020, 0, 0, 0.014, (4, 0.5, 1)),
    "meadow": (0.050, 0.060, 0.040, 0.060, 0.010, 0, 0, 0.022, (4, 1, 0.5)),
    "paint": (0.030, 0.030, 0.020, 0.040, 0.010, 0, 0, 0, (2, 0, 0.5)),
    "soil": (0.045, 0.060, 0.050, 0.055, 0.025, 0, 0, 0.010, (1.5, -0.5, -2)),
    "field": (0.050, 0.030, 0.012, 0.045, 0.020, 0, 0, 0.050, (2, 0.5, 0)),
    "forest": (0.060, 0.040, 0, 0.060, 0, 0, 0.34, 0, (2, 0.5, 0)),
    "water": (0.030, 0.010, 0, 0.014, 0.010, 0, 0, 0.004, (2, 3, 1)),
    "road": (0.025, 0.020, 0.010, 0.036, 0.030, 0, 0, 0, (1, 0, -1)),
    "paved": (0.040, 0.055, 0.030, 0.055, 0.010, 0.030, 0, 0, (1.5, 0, -2)),
    "gravel": (0.040, 0.055, 0.035, 0.060, 0.010, 0, 0, 0, (1.5, 0, -2)),
    "tile": (0.030, 0.040, 0, 0.040, 0, 0, 0, 0, (2, 0, 0)),
}
_NAMES = list(_MATERIALS)
_TEXTURES = ("cloud", "blotch", "patchy", "grain", "streak", "slab", "canopy", "furrow")
_SCALES = (1.0, 1.0, 1.0, 1.0, 1.0, 1.3, 1.0, 1.4)


def paint_ground(site: Site, frame: Frame) -> np.ndarray:
    """(size, size, 3) uint8: the bare ground of a view at 1 m per pixel."""
    size = frame.size
    colour = np.zeros((size, size, 3), np.uint8)
    index = np.zeros((size, size), np.uint8)
    for area in site.areas:
        if not frame.sees(area.points, margin=area.width):
            continue
        points = fixed(frame.scene(area.points), 1)
        material = _NAMES.index(area.kind)
        if area.width:
            width = max(1, round(area.width))
            cv2.polylines(colour, [points], False, area.colour.tolist(), width, cv2.LINE_AA, SHIFT)
            cv2.polylines(index, [points], False, material, width, cv2.LINE_8, SHIFT)
        else:
            cv2.fillPoly(colour, [points], area.colour.tolist(), cv2.LINE_AA, SHIFT)
            cv2.fillPoly(index, [points], material, cv2.LINE_8, SHIFT)
    gain = _wear(site, frame)
    to_map = frame.to_map()
    present = np.flatnonzero(np.bincount(index.ravel(), minlength=len(_NAMES)))
    drift = None
    for k, name in enumerate(_TEXTURES):
        table = np.zeros(256, np.float32)
        table[: len(_NAMES)] = [_MATERIALS[n][k] for n in _NAMES]
        if not table[present].any():
            continue
        offset = (site.areas[0].colour.sum() * 37 + 101 * k) % 1024
        noise = sample(name, size, to_map, scale=_SCALES[k], turn=0.3 * (name == "furrow"), offset=offset)
        if name == "cloud":
            drift = noise
        strength = float(site.texture[k]) * (0.5 + 0.5 * min(site.difficulty, 1))
        cv2.add(gain, cv2.multiply(cv2.LUT(index, table), noise, scale=strength), dst=gain)
    np.clip(gain, 0.35, 1.8, out=gain)
    planes = []
    for channel in range(3):
        table = np.zeros(256, np.float32)
        table[: len(_NAMES)] = [_MATERIALS[n][8][channel] for n in _NAMES]
        lit = cv2.multiply(colour[..., channel], gain, dtype=cv2.CV_32F)
        if drift is not None:
            cv2.add(lit, cv2.multiply(cv2.LUT(index, table), drift), dst=lit)
        planes.append(lit)
    out = cv2.merge(planes)
    return cv2.convertScaleAbs(out)


def _wear(site: Site, frame: Frame) -> np.ndarray:
    """(size, size) float32 around 1: oil, rubber and cleaned spots, soft-edged."""
    small = max(frame.size // 3, 1)
    ratio = small / frame.size
    field = np.zeros((small, small), np.float32)
    layer = np.zeros((small, small), np.uint8)
    for stain in site.stains:
        if not frame.sees(stain.points, margin=stain.width):
            continue
        layer[:] = 0
        p = fixed(frame.scene(stain.points) * ratio, 1)
        width = max(1, round(stain.width * ratio))
        if len(p) == 1:
            _spot(field, p[0] / 2**SHIFT, stain.width * ratio / 2, stain.strength)
        else:
            cv2.polylines(layer, [p], False, 255, width, cv2.LINE_AA, SHIFT)
            cv2.scaleAdd(layer.astype(np.float32), stain.strength / 255, field, field)
    cv2.GaussianBlur(field, (0, 0), 1.2, dst=field)
    noise = sample("blotch", small, frame.to_map() @ np.diag([1 / ratio, 1 / ratio, 1]), scale=0.8)
    field *= 1 + 0.45 * noise
    np.clip(field, -0.5, 0.35, out=field)
    field += 1
    return cv2.resize(field, (frame.size, frame.size), interpolation=cv2.INTER_LINEAR)


def _spot(field: np.ndarray, centre: np.ndarray, radius: float, strength: float) -> None:
    """Add a round soft spot in place."""
    reach = int(radius * 2) + 2
    x, y = int(centre[0]), int(centre[1])
    x0, x1 = max(x - reach, 0), min(x + reach + 1, field.shape[1])
    y0, y1 = max(y - reach, 0), min(y + reach + 1, field.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    dx, dy = np.arange(x0, x1) - x, np.arange(y0, y1) - y
    bell = np.exp(-(dx[None] ** 2 + dy[:, None] ** 2) / (2 * max(radius * 0.6, 0.5) ** 2))
    field[y0:y1, x0:x1] += (strength * bell).astype(np.float32)
