"""Tileable noise textures, made once a process from fixed seeds, and their sampling in a rotated frame.

Every texture is (1024, 1024) float32 with mean 0 and standard deviation 1; one texel is one metre at scale 1.
"""

from functools import cache

import cv2
import numpy as np

SIZE = 1024


@cache
def texture(name: str) -> np.ndarray:
    """The tileable texture called `name`, a key of _MAKERS, twice in both directions."""
    return np.tile(_normal(_MAKERS[name]()), (2, 2))


def sample(
    name: str, size: int, to_map: np.ndarray, *, scale: float = 1.0, turn: float = 0.0, offset: float = 0.0
) -> np.ndarray:
    """(size, size) float32: the texture seen through a window.

    to_map: (2, 3) affine from window pixels to map metres, so that a texture stays fixed to the ground;
    scale: texels a metre; turn: radians by which the texture is rotated on the map; offset: texels.
    """
    c, s = np.cos(turn) * scale, np.sin(turn) * scale
    matrix = np.array([[c, s], [-s, c]]) @ to_map
    matrix[:, 2] += (offset, 0.73 * offset)
    matrix[:, 2] %= SIZE  # where the window lies inside the copies, nothing has to be wrapped, which is cheap
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(texture(name), matrix, (size, size), flags=flags, borderMode=cv2.BORDER_WRAP)


def _normal(field: np.ndarray) -> np.ndarray:
    field = field - field.mean()
    return np.clip(field / field.std(), -4, 4).astype(np.float32)


def _spectral(seed: int, slope: float, low: float, stretch: float = 1.0) -> np.ndarray:
    """Noise with amplitude ~ f ** -slope above `low` cycles a tile, flat below; `stretch`: long in x."""
    rng = np.random.default_rng(seed)
    spectrum = np.fft.rfft2(rng.standard_normal((SIZE, SIZE)).astype(np.float32))
    fy = np.fft.fftfreq(SIZE)[:, None] * SIZE
    fx = np.fft.rfftfreq(SIZE)[None] * SIZE * stretch
    radius = np.maximum(np.hypot(fx, fy), low)
    return np.fft.irfft2(spectrum * radius**-slope, s=(SIZE, SIZE))


def _grain() -> np.ndarray:
    """Fine noise with specks: lamps, pits, patches, litter."""
    rng = np.random.default_rng(6)
    specks = rng.standard_normal((SIZE, SIZE)) * (rng.random((SIZE, SIZE)) < 0.012)
    return _normal(_spectral(3, 0.5, 60)) + 5 * cv2.GaussianBlur(specks, (0, 0), 0.6)


def _patchy() -> np.ndarray:
    """Mostly even, with sharp-edged islands: spilled oil, worn grass."""
    field = _spectral(5, 1.6, 20)
    return np.maximum(field, 0.9 * field.std())


def _slab() -> np.ndarray:
    """Concrete slabs of 8 texels, each of its own brightness, in larger bays, with darker joints."""
    rng = np.random.default_rng(7)
    slabs = rng.standard_normal((SIZE // 8, SIZE // 8)) * 0.5
    bays = np.kron(rng.standard_normal((SIZE // 64, SIZE // 32)), np.ones((8, 4))) * 0.7
    field = np.kron(slabs + bays, np.ones((8, 8)))
    field[::8] -= 0.9 + 0.5 * rng.standard_normal((SIZE // 8, 1))
    field[:, ::8] -= 0.9 + 0.5 * rng.standard_normal((1, SIZE // 8))
    field[::64] -= 1.0
    return field


def _canopy() -> np.ndarray:
    """Tree crowns: overlapping discs, lit on one side."""
    rng = np.random.default_rng(8)
    field = np.full((SIZE, SIZE), -2.0, np.float32)
    for x, y, r, tone in zip(
        rng.integers(0, SIZE, 26000),
        rng.integers(0, SIZE, 26000),
        rng.uniform(2, 5, 26000),
        rng.normal(0, 0.5, 26000),
        strict=True,
    ):
        cv2.circle(field, (x * 8, y * 8), int(r * 8), float(tone - 0.9), -1, cv2.LINE_8, 3)
        cv2.circle(field, (x * 8 - 8, y * 8 - 8), int(r * 5), float(tone + 0.5), -1, cv2.LINE_8, 3)
    return cv2.GaussianBlur(field, (0, 0), 0.6)


def _furrow() -> np.ndarray:
    """Parallel lines of uneven strength: ploughed fields, mown grass."""
    rng = np.random.default_rng(9)
    lines = rng.standard_normal((SIZE, 1)) + 1.2 * np.sin(np.arange(SIZE) * 2 * np.pi / 8)[:, None]
    strength = 1 + 0.4 * _normal(_spectral(10, 1.5, 4, stretch=0.2))
    return lines * strength + 0.5 * _normal(_spectral(11, 0.6, 8))


_MAKERS = {
    "cloud": lambda: _spectral(1, 1.9, 3),
    "blotch": lambda: _spectral(2, 1.3, 24),
    "grain": _grain,
    "static": lambda: np.random.default_rng(12).standard_normal((SIZE, SIZE)),
    "streak": lambda: _spectral(4, 1.1, 10, stretch=12),
    "patchy": _patchy,
    "slab": _slab,
    "canopy": _canopy,
    "furrow": _furrow,
}
