"""How long each kind of movement takes, and how it runs."""

import math
from collections.abc import Callable

Easing = Callable[[float], float]


def linear(t: float) -> float:
    """The same speed all along."""
    return t


def out_cubic(t: float) -> float:
    """Fast first, then slower and slower."""
    return 1 - (1 - t) ** 3


def in_cubic(t: float) -> float:
    """Slow first, then faster and faster."""
    return t**3


def in_out(t: float) -> float:
    """Slow at both ends."""
    return 4 * t**3 if t < 0.5 else 1 - (2 - 2 * t) ** 3 / 2


def recoil(t: float) -> float:
    """There and back, each way slower and slower."""
    return out_cubic(2 * t) if t < 0.5 else 1 - out_cubic(2 * t - 1)


APPEAR, LEAVE, DIM, CHANGE, POP, GLOW = 0.25, 0.15, 0.25, 0.3, 0.12, 0.4
COUNTED = 0.5
"""Seconds in which an amount becomes another before its number does."""
CODE_STEP, CODE_VALUE = 0.35, 0.8
"""Seconds of a line of code that runs, and of one with a new value."""
PUSH, FAR = 1.0, 4.0
"""Seconds of a camera move; one by more than `FAR` changes sizes by the same factor in equal times."""
ARC = 0.1
"""How far a flight swings out, as a share of its length."""
AFTER = 0.2
"""Calm after a section's movement."""


def flight(pixels: float, width: float) -> float:
    """Seconds of a flight of so many design pixels in a frame of that `width`."""
    return 0.4 + 0.5 * pixels / width


def sweep(cells: int) -> float:
    """Seconds in which a front passes over so many cells."""
    return 0.8 + 0.4 * min(1.0, cells / 160)


def push(scale: float) -> float:
    """Seconds of a camera move that makes things `scale` times as large, or small."""
    scale = max(scale, 1 / scale)
    return PUSH if scale <= FAR else max(PUSH, min(4.0, math.log(scale, 4) * PUSH))


def zoomed(t: float, scale: float) -> float:
    """How far numbers are on their way at `t` of a camera move that makes things `scale` times as large."""
    return t if scale == 1.0 else (scale**t - 1) / (scale - 1)
