"""At which moments of its animations a rehearsed film stops, to be looked at."""

import math
from collections.abc import Callable, Iterable

from scenes.draw import motion

Moments = Callable[[float, float], Iterable[float]]
"""From the film seconds at which an animation begins and ends to the film seconds, in rising
order and both ends included, at which a rehearsal stops in it; times outside are passed over."""


def evenly(count: int) -> Moments:
    """`count` moments within each animation, at equal distances and without its ends."""
    return lambda began, ended: [began + (ended - began) * (i + 1) / (count + 1) for i in range(count)]


nowhere = evenly(0)
"""No moment."""


def within(began: float, ended: float) -> Iterable[float]:
    """Where `check` and `lint` look: five moments at equal distances, and one while what leaves fades."""
    return sorted({*evenly(5)(began, ended), began + motion.LEAVE / 2})


def every(seconds: float) -> Moments:
    """Every multiple of `seconds`, as the frames of a film at 1/`seconds` a second are; an end belongs to the next."""
    return lambda began, ended: [
        max(began, k * seconds) for k in range(math.ceil(began / seconds - 1e-9), math.ceil(ended / seconds - 1e-9))
    ]
