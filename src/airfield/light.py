"""The sun of a rendered scene: where shadows fall and how long they are."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Sun:
    """azimuth: radians, the direction *towards* the sun in image axes (x right, y down).

    elevation: radians above the horizon, in (0, pi / 2].
    """

    azimuth: float
    elevation: float

    def shadow(self, height: float) -> tuple[float, float]:
        """(dx, dy) in metres from the foot of a thing of `height` metres to the tip of its shadow."""
        length = height / math.tan(self.elevation)
        return -length * math.cos(self.azimuth), -length * math.sin(self.azimuth)
