"""What the tests of the command line share: a quick renderer, and a command run in this process."""

import json
from typing import Any, NamedTuple

import numpy as np
import pytest

from aircraft import cli
from aircraft.scenes import Scene


class Outcome(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object on standard output."""
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        """Of standard error."""
        return self.err.splitlines()


def aircraft(capsys: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    """`aircraft ARGUMENTS`, in this process."""
    capsys.readouterr()
    code = cli.run([str(argument) for argument in arguments])
    return Outcome(code, *capsys.readouterr())


def crosses(site: int, view: int = 0, size: int = 768, difficulty: float = 1.0, seed: int = 0) -> Scene:
    """In place of `synthetic.render`: white crosses of 30 m on grey noise; takes a millisecond."""
    rng = np.random.default_rng([seed, site, view])
    image = rng.integers(70, 130, (size, size, 3), np.uint8)
    spots = [(x, y) for x in range(60, size - 60, 90) for y in range(60, size - 60, 90)]
    boxes = []
    for i in rng.choice(len(spots), 20, replace=False):
        x, y = spots[i] + rng.integers(-12, 13, 2)
        image[y - 15 : y + 15, x - 3 : x + 3] = 240
        image[y - 3 : y + 3, x - 15 : x + 15] = 240
        boxes.append([x - 15, y - 15, x + 15, y + 15])
    return Scene(image, np.array(boxes, np.float32), f"crosses-{site}-{view}", f"synthetic-{seed}-{site:04d}")
