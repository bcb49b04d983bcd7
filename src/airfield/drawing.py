"""Drawing on the 0.5 m canvas in the metres of a site's map, with shadows and the lean of tall things.

Map coordinates are turned and shifted into the view by a Frame; the Pen holds what a view paints on.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from airfield.light import Sun

SUPERSAMPLE = 2
SHIFT = 4  # fractional bits of cv2's sub-pixel coordinates
Colour = np.ndarray | tuple[float, float, float]


@dataclass(frozen=True)
class Frame:
    """The window of a view: map metres are turned by `angle` (radians), then shifted to scene metres."""

    angle: float
    x: float
    y: float
    size: int

    @cached_property
    def _turn(self) -> tuple[np.ndarray, np.ndarray]:
        c, s = math.cos(self.angle), math.sin(self.angle)
        return np.array([[c, s], [-s, c]]), np.array([self.x, self.y], float)

    def scene(self, points: np.ndarray) -> np.ndarray:
        """(..., 2) map metres to scene metres (pixels of the image)."""
        turn, shift = self._turn
        return np.asarray(points, float) @ turn + shift

    def to_map(self) -> np.ndarray:
        """(2, 3) affine from scene metres to map metres."""
        c, s = math.cos(self.angle), math.sin(self.angle)
        turn = np.array([[c, s], [-s, c]])
        return np.hstack([turn, turn @ [[-self.x], [-self.y]]])

    def sees(self, points: np.ndarray, margin: float = 60) -> bool:
        """True where the bounding box of the points comes within `margin` metres of the window."""
        return bool(self.sees_each(np.reshape(points, (1, -1, 2)), margin)[0])

    def sees_each(self, lines: np.ndarray, margin: float = 60) -> np.ndarray:
        """(K,) bool: `sees` of many lines (K, N, 2)."""
        p = self.scene(lines)
        return ((p.min(1) < self.size + margin) & (p.max(1) > -margin)).all(1)


@dataclass
class Pen:
    """canvas: (2H, 2W, 3) uint8 RGB; shadow: (2H, 2W) uint8, 255 = full; lean: metres a metre of height."""

    canvas: np.ndarray
    shadow: np.ndarray
    frame: Frame
    sun: Sun
    lean: tuple[float, float]

    def fill(self, points: np.ndarray, colour: Colour, height: float = 0) -> None:
        """A filled convex polygon (N, 2) in map metres, shifted by the lean of its height."""
        p = self.frame.scene(points) + (self.lean[0] * height, self.lean[1] * height)
        cv2.fillConvexPoly(self.canvas, fixed(p), tuple(map(float, colour)), cv2.LINE_AA, SHIFT)

    def fill_many(self, polygons: np.ndarray, colours: np.ndarray) -> None:
        """Filled convex polygons (K, N, 2) in map metres with colours (K, 3)."""
        points = fixed(self.frame.scene(polygons))
        for polygon, colour in zip(points, np.asarray(colours, float).tolist(), strict=True):
            cv2.fillConvexPoly(self.canvas, polygon, colour, cv2.LINE_AA, SHIFT)

    def line(self, points: np.ndarray, colour: Colour, width: float = 0.5, height: float = 0) -> None:
        """A polyline of `width` metres (steps of 0.5 m)."""
        p = self.frame.scene(points) + (self.lean[0] * height, self.lean[1] * height)
        thick = max(1, round(width * SUPERSAMPLE))
        cv2.polylines(self.canvas, [fixed(p)], False, tuple(map(float, colour)), thick, cv2.LINE_AA, SHIFT)

    def disc(self, x: float, y: float, radius: float, colour: Colour, height: float = 0) -> None:
        """A filled circle."""
        p = self.frame.scene(np.array([x, y])) + (self.lean[0] * height, self.lean[1] * height)
        centre = fixed(p[None])[0].tolist()
        r = int(radius * SUPERSAMPLE * 2**SHIFT)
        cv2.circle(self.canvas, centre, r, tuple(map(float, colour)), -1, cv2.LINE_AA, SHIFT)

    def cast(self, points: np.ndarray, height: float, base: float = 0, strength: int = 255) -> None:
        """The shadow on the ground of a convex polygon between the heights `base` and `height`."""
        p = self.frame.scene(points)
        shift = self.sun.shadow(1.0)
        low, high = p + np.multiply(shift, base), p + np.multiply(shift, height)
        hull = cv2.convexHull(np.concatenate([low, high]).astype(np.float32))
        cv2.fillConvexPoly(self.shadow, fixed(hull[:, 0]), strength, cv2.LINE_AA, SHIFT)

    def block(self, points: np.ndarray, height: float, roof: Colour, wall: Colour | None = None) -> None:
        """A prism: wall (seen through the lean) and roof. The shadow is cast apart, with `cast`."""
        if height * math.hypot(*self.lean) > 0.4:
            p = self.frame.scene(points)
            hull = np.concatenate([p, p + (self.lean[0] * height, self.lean[1] * height)])
            hull = cv2.convexHull(hull.astype(np.float32))[:, 0]
            shade = np.multiply(roof, 0.6) if wall is None else wall
            cv2.fillConvexPoly(self.canvas, fixed(hull), tuple(map(float, shade)), cv2.LINE_AA, SHIFT)
        self.fill(points, roof, height)

    def shade_at(self, points: np.ndarray) -> np.ndarray:
        """(K,) float in [0, 1]: how deep in shadow the map points (K, 2) lie; 0 outside the canvas."""
        p = np.round(self.frame.scene(points) * SUPERSAMPLE).astype(int)
        h, w = self.shadow.shape
        inside = ((p >= 0) & (p < (w, h))).all(1)
        p = np.clip(p, 0, (w - 1, h - 1))
        return np.where(inside, self.shadow[p[:, 1], p[:, 0]] / 255, 0.0)

    def ground_at(self, x: float, y: float, default: Colour = (130, 128, 120)) -> np.ndarray:
        """(3,) float: the colour of the canvas under a map point."""
        p = np.round(self.frame.scene(np.array([x, y])) * SUPERSAMPLE).astype(int)
        h, w = self.shadow.shape
        inside = 0 <= p[0] < w and 0 <= p[1] < h
        return np.asarray(self.canvas[p[1], p[0]] if inside else default, float)


def fixed(points: np.ndarray, scale: float = SUPERSAMPLE, origin: np.ndarray | float = 0.0) -> np.ndarray:
    """Scene metres to cv2's fixed-point coordinates, whose whole numbers lie on pixel centres (so the half).

    scale: pixels a metre; origin: (2,) the pixel that becomes (0, 0).
    """
    return np.rint((points * scale - origin - 0.5) * 2**SHIFT).astype(np.int32)


def rectangle(x: float, y: float, length: float, width: float, angle: float = 0.0) -> np.ndarray:
    """(4, 2): a rectangle around (x, y), `length` along `angle` (radians)."""
    c, s = float(np.cos(angle)), float(np.sin(angle))  # as `rectangles`, to the last bit
    ax, ay, bx, by = c * length / 2, s * length / 2, -s * width / 2, c * width / 2
    corners = (
        (x + ax + bx, y + ay + by),
        (x + ax - bx, y + ay - by),
        (x - ax - bx, y - ay - by),
        (x - ax + bx, y - ay + by),
    )
    return np.array(corners, float)


def bar_at(point: np.ndarray, length: float, width: float, angle: float = 0.0) -> np.ndarray:
    """(4, 2): a rectangle around a point (2,)."""
    x, y = point.tolist()
    return rectangle(x, y, length, width, angle)


def rectangles(
    x: np.ndarray,
    y: np.ndarray,
    length: float | np.ndarray,
    width: float | np.ndarray,
    angle: float | np.ndarray,
) -> np.ndarray:
    """(K, 4, 2): many rectangles at once; scalars are spread over all of them."""
    x, y, length, width, angle = np.broadcast_arrays(x, y, length, width, angle)
    along = np.stack([np.cos(angle), np.sin(angle)], -1) * length[:, None] / 2
    across = np.stack([-np.sin(angle), np.cos(angle)], -1) * width[:, None] / 2
    centre = np.stack([x, y], -1)
    corners = [
        centre + along + across,
        centre + along - across,
        centre - along - across,
        centre - along + across,
    ]
    return np.stack(corners, 1)


def arc(x: float, y: float, radius: float, start: float, stop: float, step: float = 6.0) -> np.ndarray:
    """(K, 2): points on a circle from `start` to `stop` (radians), about `step` metres apart."""
    count = max(4, int(abs(stop - start) * radius / step) + 1)
    a = np.linspace(start, stop, count)
    return np.stack([x + radius * np.cos(a), y + radius * np.sin(a)], -1)


def rounded(points: np.ndarray, radius: float, closed: bool = False) -> np.ndarray:
    """(K, 2): a polyline (or closed polygon) with its corners replaced by quadratic curves."""
    points = np.asarray(points, float)
    count = len(points)
    out = [] if closed else [points[:1]]
    t = np.linspace(0, 1, 7)[:, None]
    for i in range(0 if closed else 1, count if closed else count - 1):
        before, corner, after = points[i - 1], points[i], points[(i + 1) % count]
        cut = min(radius, np.linalg.norm(before - corner) / 2, np.linalg.norm(after - corner) / 2)
        a = corner + (before - corner) / max(np.linalg.norm(before - corner), 1e-6) * cut
        b = corner + (after - corner) / max(np.linalg.norm(after - corner), 1e-6) * cut
        out.append((1 - t) ** 2 * a + 2 * t * (1 - t) * corner + t**2 * b)
    return np.concatenate(out if closed else [*out, points[-1:]])


class Strip:
    """A band of constant width along a polyline: the footprint of a pier, a hall or a curved terminal."""

    def __init__(self, points: np.ndarray, width: float) -> None:
        points = np.asarray(points, float)
        apart = np.concatenate([[True], np.hypot(*np.diff(points, axis=0).T) > 1e-3])
        self.points, self.width = points[apart], width
        steps = np.diff(self.points, axis=0)
        self._lengths = np.hypot(*steps.T)
        self._directions = steps / self._lengths[:, None]
        self._starts = np.concatenate([[0], np.cumsum(self._lengths)])
        self.length = float(self._starts[-1])

    def at(self, along: np.ndarray, across: np.ndarray) -> np.ndarray:
        """(K, 2): points `along` metres from the start, `across` metres to the right of the axis (y down)."""
        along = np.asarray(along, float)
        i = np.clip(np.searchsorted(self._starts, along, "right") - 1, 0, len(self._lengths) - 1)
        d = self._directions[i]
        normal = np.stack([-d[:, 1], d[:, 0]], -1)
        return self.points[i] + d * (along - self._starts[i])[:, None] + normal * np.asarray(across)[:, None]

    def patch(self, t0: float, t1: float, s0: float, s1: float) -> np.ndarray:
        """(4, 2): the quadrilateral between two distances along and two across."""
        return self.at(np.array([t0, t1, t1, t0]), np.array([s0, s0, s1, s1]))

    def pieces(self) -> list[np.ndarray]:
        """Convex quadrilaterals that cover the band, one for each segment, mitred at the joints."""
        normals = np.stack([-self._directions[:, 1], self._directions[:, 0]], -1)
        joints = np.concatenate([normals[:1], normals[:-1] + normals[1:], normals[-1:]])
        joints /= np.maximum((joints * np.concatenate([normals[:1], normals])).sum(1), 0.3)[:, None]
        joints = joints * self.width / 2
        p = self.points
        return [
            np.stack([p[i] + joints[i], p[i + 1] + joints[i + 1], p[i + 1] - joints[i + 1], p[i] - joints[i]])
            for i in range(len(p) - 1)
        ]
