"""Aircraft seen from above: draw one at random, place it, and paint it and its shadow on a canvas.

Image axes: x right, y down, in metres; a canvas has `scale` pixels a metre.
"""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from airfield.airframe import build
from airfield.drawing import SHIFT, fixed
from airfield.light import Sun
from airfield.liveries import Livery, random_livery
from airfield.parts import Mesh
from airfield.planforms import KINDS, Shape, random_kind, random_shape

FINE = 2  # a plane is painted with so many times the resolution of the canvas, then averaged
SKY = np.array([0.95, 1.0, 1.05], np.float32)  # the tint of what only the sky lights


@dataclass(frozen=True, eq=False)
class Plane:
    """One aircraft: its shape, its paint and its place.

    (x, y): the centre of its length, metres; heading: of the nose, radians (0: right, pi / 2: down).
    """

    kind: str
    shape: Shape
    livery: Livery
    mesh: Mesh
    x: float = 0.0
    y: float = 0.0
    heading: float = 0.0

    @property
    def length(self) -> float:
        """Metres from nose to tail."""
        return self.shape.length

    @property
    def span(self) -> float:
        """Metres from wing tip to wing tip (of a helicopter: the rotor's diameter)."""
        return self.shape.span

    @property
    def is_aircraft(self) -> bool:
        """False for what the annotators leave out (helicopters)."""
        return KINDS[self.kind].is_aircraft

    @property
    def nose(self) -> tuple[float, float]:
        """(x, y) of the tip of the nose, metres."""
        half = self.length / 2
        return self.x + half * math.cos(self.heading), self.y + half * math.sin(self.heading)

    def at(self, x: float, y: float, heading: float) -> "Plane":
        """The same aircraft, the centre of its length at (x, y), metres, its nose towards `heading`."""
        return replace(self, x=float(x), y=float(y), heading=float(heading))

    def box(self) -> np.ndarray:
        """(4,) float32: x0, y0, x1, y1 of the planform without its shadow, metres."""
        points = _place(self, self.mesh.planform)
        return np.concatenate([points.min(axis=0), points.max(axis=0)])


def random_plane(
    rng: np.random.Generator,
    kind: str | None = None,
    max_span: float | None = None,
    livery: str | Livery | None = None,
) -> Plane:
    """An aircraft at the origin with heading 0.

    kind: a key of KINDS, None draws one by its weight; max_span: metres, the widest that fits;
    livery: a Livery or the name of a scheme (see `random_livery`), None draws one that suits the kind.
    Raises ValueError for an unknown kind or scheme, or where nothing is as small as `max_span`.
    """
    name = random_kind(rng, max_span) if kind is None else kind
    shape = random_shape(rng, name, max_span)
    if not isinstance(livery, Livery):
        livery = random_livery(rng, scheme=livery, use=KINDS[name].paint)
    return Plane(kind=name, shape=shape, livery=livery, mesh=build(shape, KINDS[name], livery, rng))


def paint_shadow(
    mask: np.ndarray, plane: Plane, sun: Sun, scale: float = 2, lean: tuple[float, float] = (0.0, 0.0)
) -> None:
    """Set the pixels of `mask` (H, W) uint8 to 255 on which the aircraft's shadow falls.

    Use it to darken the ground, then paint the aircraft; soften the mask by a blur. lean: metres by which a
    thing moves in the image for each metre of its height (an oblique view); give the same to `paint`.
    """
    mesh = plane.mesh
    ray = np.array(sun.shadow(1.0)) * mesh.vertices[:, 2:]
    foot = np.array(lean) * plane.shape.body_z  # (x, y) is where the fuselage shows, not where it stands
    points = fixed(_place(plane, mesh.vertices) + ray - foot, scale)
    for i in np.flatnonzero(mesh.outline):
        start, stop = mesh.spans[i]
        cv2.fillPoly(mask, [points[start:stop]], 255, cv2.LINE_8, SHIFT)


def paint(
    canvas: np.ndarray,
    plane: Plane,
    sun: Sun,
    scale: float = 2,
    ambient: float = 0.4,
    lean: tuple[float, float] = (0.0, 0.0),
) -> None:
    """Paint the aircraft on `canvas` (H, W, 3) uint8 RGB in place; it may lie partly or wholly outside.

    ambient: how bright a shaded surface is, beside a sunlit horizontal one at 1; lean: as in `paint_shadow`.
    """
    window = _window(canvas.shape, plane, scale, lean)
    if window is None:
        return
    x0, y0, x1, y1 = window
    size = ((x1 - x0) * FINE, (y1 - y0) * FINE)
    sprite = cv2.resize(canvas[y0:y1, x0:x1], size, interpolation=cv2.INTER_NEAREST)
    mesh, origin = plane.mesh, np.array([x0 * FINE, y0 * FINE])
    place = _place(plane, mesh.vertices)
    height = mesh.vertices[:, 2:] - plane.shape.body_z
    points = fixed(place + height * np.array(lean), scale * FINE, origin)
    polygons = [points[start:stop] for start, stop in mesh.spans]
    colors = _lit(plane, sun, ambient, lean).tolist()
    for layer, level in enumerate(mesh.levels):
        for i in np.flatnonzero((mesh.layer == layer) & mesh.visible):
            _fill(sprite, polygons[i], colors[i], float(mesh.alpha[i]))
        if layer + 1 < len(mesh.levels):
            shifted = place + np.maximum(mesh.vertices[:, 2:] - level, 0) * np.array(sun.shadow(1.0))
            shadow = fixed(shifted, scale * FINE, origin)
            _shade(sprite, mesh, layer, polygons, shadow, ambient + 0.08)
    canvas[y0:y1, x0:x1] = cv2.resize(sprite, (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA)


def _place(plane: Plane, vertices: np.ndarray) -> np.ndarray:
    """(V, 2) float32: body axes to image axes, metres."""
    cos, sin = math.cos(plane.heading), math.sin(plane.heading)
    turn = np.array([[cos, sin], [-sin, cos]], np.float32)
    return vertices[:, :2] @ turn + np.array([plane.x, plane.y], np.float32)


def _window(
    shape: tuple[int, ...], plane: Plane, scale: float, lean: tuple[float, float]
) -> tuple[int, int, int, int] | None:
    """The pixels of the canvas that the aircraft can touch, x0, y0, x1, y1, or None."""
    box = plane.box()
    margin = 2.5 + math.hypot(*lean) * plane.shape.fin_top  # metres: propellers, the leaning fin
    x0, y0 = np.floor((box[:2] - margin) * scale).astype(int).clip(0).tolist()
    x1, y1 = np.ceil((box[2:] + margin) * scale).astype(int).tolist()
    x1, y1 = min(x1, shape[1]), min(y1, shape[0])
    return (x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None


def _lit(plane: Plane, sun: Sun, ambient: float, lean: tuple[float, float]) -> np.ndarray:
    """(K, 3) float, 0 to 255: the colours of the parts in this light.

    Lambert's law relative to a horizontal surface, plus Blinn's highlight (Blinn 1977).
    """
    mesh, cos, sin = plane.mesh, math.cos(plane.heading), math.sin(plane.heading)
    to_body = np.array([[cos, sin], [-sin, cos]])
    towards = np.array([math.cos(sun.azimuth), math.sin(sun.azimuth)]) * math.cos(sun.elevation)
    ray = np.append(to_body @ towards, math.sin(sun.elevation)).astype(np.float32)
    view = np.append(to_body @ -np.array(lean), 1.0).astype(np.float32)
    view /= np.linalg.norm(view)
    turned = (mesh.normals @ view < 0) & (mesh.normals[:, 2] == 0)  # of an upright part one sees either side
    normals = np.where(turned[:, None], -mesh.normals, mesh.normals)
    direct = np.maximum(normals @ ray, 0) / max(float(ray[2]), 0.35)
    halfway = (ray + view) / np.linalg.norm(ray + view)
    shine = 0.35 * mesh.gloss * np.maximum(normals @ halfway, 0) ** 24
    sky = ambient * (0.6 + 0.4 * np.abs(normals[:, 2]))  # an upright surface sees half of the sky
    light = sky[:, None] * SKY + (1 - ambient) * direct[:, None]
    return np.clip((mesh.colors * light + shine[:, None]) * 255, 0, 255)


def _fill(sprite: np.ndarray, polygon: np.ndarray, color: list[float], alpha: float) -> None:
    if alpha == 1:
        cv2.fillPoly(sprite, [polygon], color, cv2.LINE_8, SHIFT)
        return
    over = cv2.fillPoly(sprite.copy(), [polygon], color, cv2.LINE_8, SHIFT)
    cv2.addWeighted(over, alpha, sprite, 1 - alpha, 0, dst=sprite)


def _shade(
    sprite: np.ndarray, mesh: Mesh, layer: int, polygons: list[np.ndarray], shadow: np.ndarray, by: float
) -> None:
    """Darken what higher layers shade of this one: the fuselage on a wing, the fin on a tailplane."""
    receiver = np.zeros(sprite.shape[:2], np.uint8)
    caster = np.zeros(sprite.shape[:2], np.uint8)
    for i in np.flatnonzero(mesh.outline & (mesh.layer >= layer)):
        start, stop = mesh.spans[i]
        if mesh.layer[i] == layer:
            cv2.fillPoly(receiver, [polygons[i]], 255, cv2.LINE_8, SHIFT)
        else:
            cv2.fillPoly(caster, [shadow[start:stop]], 255, cv2.LINE_8, SHIFT)
    dark = cv2.convertScaleAbs(sprite, alpha=by)
    cv2.copyTo(dark, cv2.bitwise_and(receiver, caster), sprite)
