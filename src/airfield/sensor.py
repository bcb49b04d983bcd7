"""From the drawn ground to what a satellite delivers: sub-sampling, haze, cloud, colour, blur, noise, JPEG.

Ranges are wider than those measured on real scenes, so that other airports and days are covered.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from airfield.drawing import Frame
from airfield.textures import sample


@dataclass(frozen=True)
class Sensor:
    """The radiometry of one date: see `random_sensor` for the ranges."""

    gain: np.ndarray  # (3,) colour cast
    level: float  # the mean grey level that the product's stretch aims at
    spread: float  # the standard deviation that it aims at
    saturation: float
    curve: float  # > 0: an S curve
    haze: float  # share of the veil
    veil: np.ndarray  # (3,) its colour
    glow: float  # how much what is nearly white brightens itself and its surroundings
    blur: float  # sigma, pixels
    sharpen: float
    noise: float  # grey levels
    quality: int  # of the JPEG; 0: none
    cloud: float  # share of the sky, 0: clear
    seed: int


def random_sensor(rng: np.random.Generator, difficulty: float) -> Sensor:
    """A date's radiometry; haze and cloud grow with difficulty."""
    warm = rng.normal(0.055, 0.035)
    hazy = rng.random() < 0.25 + 0.1 * difficulty
    return Sensor(
        gain=np.array([1 + warm * 0.2 - 0.015 + rng.normal(0, 0.012), 1 + rng.normal(0, 0.012), 1 - warm]),
        saturation=float(rng.uniform(0.3, 0.78)),
        level=float(rng.normal(137, 16)),
        spread=float(rng.normal(44, 7)),
        curve=float(rng.uniform(0, 0.5)),
        haze=float(rng.beta(1.2, 6) * difficulty**0.5) if hazy else float(rng.uniform(0, 0.06)),
        veil=np.array([150, 156, 162]) * rng.uniform(0.6, 1.1) + rng.normal(0, 4, 3),
        glow=float(rng.uniform(0.1, 1.0)),
        blur=float(rng.uniform(0.0, 0.65)),
        sharpen=float(rng.uniform(0, 0.7)),
        noise=float(rng.uniform(0.4, 2.4)),
        quality=int(rng.integers(70, 96)) if rng.random() < 0.8 else 0,
        cloud=float(rng.uniform(0.02, 0.4)) if rng.random() < 0.08 * difficulty else 0.0,
        seed=int(rng.integers(2**31)),
    )


def cloud_cover(sensor: Sensor, frame: Frame) -> np.ndarray | None:
    """(size, size) float32: how opaque the cloud is, 0 to 1; None under a clear sky."""
    if not sensor.cloud:
        return None
    rng = np.random.default_rng(sensor.seed)
    field = sample(
        "cloud", frame.size, frame.to_map(), scale=rng.uniform(0.25, 0.7), offset=rng.uniform(0, 1024)
    )
    field += 0.12 * sample("blotch", frame.size, frame.to_map(), scale=0.5)
    level = np.quantile(field[::8, ::8], 1 - sensor.cloud)
    return np.clip((field - level) / rng.uniform(0.5, 1.5), 0, 1)


def expose(
    canvas: np.ndarray,
    size: int,
    sensor: Sensor,
    cloud: np.ndarray | None,
    shadow_of_cloud: tuple[float, float],
) -> np.ndarray:
    """(size, size, 3) uint8 from the uint8 canvas of half-metres, which covers at most `size` metres."""
    image = cv2.resize(canvas, (size, size), interpolation=cv2.INTER_AREA).astype(np.float32)
    rng = np.random.default_rng(sensor.seed + 1)
    if cloud is not None:
        image = _cloudy(image, cv2.resize(cloud, (size, size)), shadow_of_cloud)
    image = _tone(image, sensor)
    _bloom(image, sensor)
    if sensor.blur > 0.3:
        cv2.GaussianBlur(image, (0, 0), sensor.blur, dst=image)
    if sensor.sharpen > 0.05:
        soft = cv2.GaussianBlur(image, (0, 0), 1.1)
        cv2.addWeighted(image, 1 + sensor.sharpen, soft, -sensor.sharpen, 0, dst=image)
    layers = [sample("static", size, np.eye(2, 3), offset=float(rng.integers(1024))) for _ in range(3)]
    noise = cv2.merge(layers)
    image += noise * np.float32(sensor.noise)
    out = np.clip(image + 0.5, 0, 255).astype(np.uint8)
    if sensor.quality:
        ok, data = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, sensor.quality])
        out = cv2.imdecode(data, cv2.IMREAD_COLOR) if ok else out
    return out


def _tone(image: np.ndarray, sensor: Sensor) -> np.ndarray:
    """Haze, colour cast, saturation, then the stretch and contrast curve of delivered products."""
    mean = np.float32((1 - sensor.saturation) / 3)
    mix = np.full((3, 3), mean, np.float32) + np.eye(3, dtype=np.float32) * np.float32(sensor.saturation)
    grey = image[::4, ::4].mean(axis=2)
    # A product is stretched over its whole strip, not one view: views only follow their aim in part.
    middle = float(grey.mean())
    target = middle * (sensor.level / max(middle, 30.0)) ** 0.75
    gain = (sensor.spread / max(float(grey.std()), 26.0)) ** 0.7 * (1 - sensor.haze)
    veil = (sensor.veil - 130) * sensor.haze
    matrix = np.hstack([mix, np.full((3, 1), -middle)]) * (np.float32(gain / 128))
    image = np.asarray(cv2.transform(image, matrix.astype(np.float32)), np.float32)
    bend = np.float32(sensor.curve * 0.25)
    bent = np.square(image)  # 1 + bend * (1 - min(image ** 2, 1)), in place: new arrays cost more than sums
    np.minimum(bent, 1, out=bent)
    np.subtract(1, bent, out=bent)
    bent *= bend
    bent += 1
    image *= bent
    image *= (128 * sensor.gain).astype(np.float32)
    image += (target * sensor.gain + veil).astype(np.float32)
    return image


def _bloom(image: np.ndarray, sensor: Sensor) -> None:
    """Whites saturate and shine on their neighbours; the darkest shadows keep some light; in place."""
    part = 58 - image
    np.maximum(part, 0, out=part)
    part *= np.float32(0.45)
    image += part
    high = np.subtract(image, 186, out=part)
    np.maximum(high, 0, out=high)
    halo = cv2.GaussianBlur(np.minimum(high, 90), (0, 0), 1.6)
    high *= np.float32(0.5 * sensor.glow)
    image += high
    halo *= np.float32(0.35 * sensor.glow)
    image += halo


def _cloudy(image: np.ndarray, cloud: np.ndarray, shift: tuple[float, float]) -> np.ndarray:
    """White cloud over the image and its shadow, displaced by `shift` pixels, on it."""
    size = image.shape[0]
    matrix = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    shadow = cv2.warpAffine(cloud, matrix, (size, size), borderMode=cv2.BORDER_REFLECT)
    image *= (1 - 0.5 * shadow)[..., None]
    white = np.array([246, 247, 250], np.float32)
    return image + (white - image) * (cloud * 0.97)[..., None]
