"""How much a picture holds and how long it takes to read: what storyboards plan by and drawings keep to."""

import math

READING_SPEED = 15.0
"""Characters a second."""

LARGEST = 33
"""Most pages that are shown one by one."""


def reading_time(text: str) -> float:
    """Seconds that `text` must stand to be read at 15 characters a second."""
    return len(text) / READING_SPEED


def round_step(top: float, most: int) -> float:
    """Smallest step of 1, 2 or 5 times a power of ten that needs at most `most` steps to `top`."""
    least = top / max(1, most)
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))
