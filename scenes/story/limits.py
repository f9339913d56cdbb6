"""How much a picture holds and how long it takes to read: what storyboards plan by and drawings keep to."""

import math

READING_SPEED = 15.0
"""Characters a second."""

LARGEST = 33
"""Most pages that are shown one by one."""
FACTORS = (1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.7, 2, 2.2, 2.5, 3, 3.5, 4, 4.5, 5, 6, 7, 8, 9)
"""What a clock may run slower or faster by, and ten, a hundred … times these."""


def reading_time(text: str) -> float:
    """Seconds that `text` must stand to be read at 15 characters a second."""
    return len(text) / READING_SPEED


def round_step(top: float, most: int) -> float:
    """Smallest step of 1, 2 or 5 times a power of ten that needs at most `most` steps to `top`."""
    least = top / max(1, most)
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def round_factor(factor: float) -> float:
    """The largest round number up to `factor`: one of `FACTORS` times a power of ten, or one over such a number."""
    power = 10.0 ** math.floor(math.log10(factor if factor >= 1 else 1 / factor))
    if factor >= 1:
        return max(n * power for n in FACTORS if n * power <= factor * (1 + 1e-9))
    return 1 / min(n * p for n in FACTORS for p in (power, 10 * power) if n * p >= (1 - 1e-9) / factor)
