"""Parts of an aircraft: polygons in body axes with a colour and a normal, and the mesh that holds them all.

Body axes: x forward from mid-length, y to the right of the nose, z up from the ground, all in metres.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from airfield.liveries import Color

Zones = Sequence[tuple[float, float, Color]]
Vector = tuple[float, float, float]
UP: Vector = (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Part:
    """One polygon of one colour.

    points: (n, 3) float; normal: of the surface, with z = 0 for what stands upright; gloss: of its highlight;
    outline: it belongs to the planform, so it counts for the box and casts shadows; visible: it is painted;
    alpha: below 1 for what one can look through.
    """

    points: np.ndarray
    color: Color
    normal: Vector = UP
    gloss: float = 0.0
    outline: bool = False
    visible: bool = True
    alpha: float = 1.0


@dataclass(frozen=True, eq=False)
class Mesh:
    """All parts in painter's order, packed into arrays so that they are turned and lit at once.

    vertices: (V, 3) float32; spans: (start, stop) of each part's vertices; colors, normals: (K, 3) float32;
    gloss, alpha: (K,) float32; visible, outline, layer: (K,); planform: (P, 3) the vertices of outlines;
    levels: the height of each layer in metres. Layers go upwards: only a higher one shades a lower one.
    """

    vertices: np.ndarray
    spans: list[tuple[int, int]]
    colors: np.ndarray
    normals: np.ndarray
    gloss: np.ndarray
    alpha: np.ndarray
    visible: np.ndarray
    outline: np.ndarray
    layer: np.ndarray
    planform: np.ndarray
    levels: tuple[float, ...]


def pack(layers: Sequence[tuple[float, list[Part]]]) -> Mesh:
    """A mesh of layers, each (height in metres, parts), the lowest first."""
    parts = [part for _, layer in layers for part in layer]
    stops = np.cumsum([len(p.points) for p in parts]).tolist()
    normals = np.array([p.normal for p in parts], np.float32)
    return Mesh(
        vertices=np.concatenate([p.points for p in parts]).astype(np.float32),
        spans=list(zip([0, *stops[:-1]], stops, strict=True)),
        colors=np.array([p.color for p in parts], np.float32),
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        gloss=np.array([p.gloss for p in parts], np.float32),
        alpha=np.array([p.alpha for p in parts], np.float32),
        visible=np.array([p.visible for p in parts]),
        outline=np.array([p.outline for p in parts]),
        layer=np.repeat(np.arange(len(layers)), [len(layer) for _, layer in layers]),
        planform=np.concatenate([p.points for p in parts if p.outline]).astype(np.float32),
        levels=tuple(float(z) for z, _ in layers),
    )


def mirrored(parts: list[Part]) -> list[Part]:
    """The parts of the right side, followed by their mirror images on the left."""
    flip = np.array([1.0, -1.0, 1.0])
    left = [
        replace(p, points=p.points * flip, normal=(p.normal[0], -p.normal[1], p.normal[2])) for p in parts
    ]
    return parts + left


def tube(
    *,
    front: float,
    length: float,
    t: np.ndarray,
    half: np.ndarray,
    y: float = 0.0,
    z: float,
    zones: Zones,
    gloss: float,
    lateral: np.ndarray,
    slant: float = 0.0,
) -> list[Part]:
    """A body of revolution as strips along it, each with its own normal, so that it is lit like a cylinder.

    t: (n,) fractions of the length from `front`, half: (n,) half widths there; lateral: (s + 1,) the borders
    of the strips in half widths, -1 to 1; zones: (from, to, colour) in fractions, a border between two moved
    back by `slant` in the middle. The first part is the outline, invisible.
    """
    middle = (lateral[:-1] + lateral[1:]) / 2
    x = front - t * length
    ring = np.stack([np.r_[x, x[::-1]], y + np.r_[half, -half[::-1]], np.full(2 * len(t), z)], axis=1)
    parts = [Part(ring, zones[0][2], outline=True, visible=False)]
    for start, stop, color in zones:
        moved = slant * (1 - np.abs(middle))[:, None]
        first = start + moved if start > 0 else np.full_like(moved, t[0])
        last = stop + moved if stop < 1 else np.full_like(moved, t[-1])
        at = np.clip(t[None], first, np.minimum(last, t[-1]))  # (s, n)
        edge = np.interp(at, t, half)
        points = np.empty((len(middle), 2 * len(t), 3))
        points[:, :, 0] = front - length * np.concatenate([at, at[:, ::-1]], axis=1)
        points[:, : len(t), 1] = y + edge * lateral[:-1, None]
        points[:, len(t) :, 1] = y + edge[:, ::-1] * lateral[1:, None]
        points[:, :, 2] = z
        for strip, m in zip(points, middle, strict=True):
            parts.append(Part(strip, color, (0.0, float(m), math.sqrt(max(1 - m * m, 0.02))), gloss))
    return parts


def flat_rectangle(x0: float, x1: float, y: float, half: float, z: float, color: Color) -> Part:
    """A flat rectangle from x0 to x1, `half` metres to both sides of y."""
    points = [[x0, y - half, z], [x0, y + half, z], [x1, y + half, z], [x1, y - half, z]]
    return Part(np.array(points), color)


def flat_ellipse(x0: float, x1: float, half: float, z: float, color: Color) -> Part:
    """A flat ellipse on the centre line from x0 to x1, `half` metres to both sides."""
    angles = np.linspace(0, 2 * math.pi, 24, endpoint=False)
    points = [(x0 + x1) / 2 + np.cos(angles) * (x0 - x1) / 2, np.sin(angles) * half, np.full(24, z)]
    return Part(np.stack(points, axis=1), color)


def mix(color: Color, by: float, other: Color = (0.0, 0.0, 0.0)) -> Color:
    """`by` of a colour and the rest of another (black)."""
    red, green, blue = (by * c + (1 - by) * o for c, o in zip(color, other, strict=True))
    return red, green, blue
