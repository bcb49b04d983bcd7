from typing import Any

from aircraft.training import engines
from aircraft_course.handed_out import hand_on

hand_on(__name__, "aircraft.training.engines")


def create_trainer(net: Any, optimizer: Any, scaler: Any, loss: Any, amp: Any = None) -> Any:
    """The trainer; lesson 4 gave it a scaler of gradients, which was switched off and is gone."""
    return engines.create_trainer(net, optimizer, loss, amp)
