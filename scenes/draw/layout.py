"""Pixel boxes of the design frame and their place in Manim's units.

The design frame is 1080 pixels high whatever the render quality; x runs right
and y runs down from the top left corner. Manim's frame is 8 units high.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

FRAME_HEIGHT = 1080
UNIT = FRAME_HEIGHT / 8.0
SAFE_MARGIN = 0.05


@dataclass(frozen=True)
class Box:
    """A rectangle in design pixels: left, top, width, height."""

    x: float
    y: float
    w: float
    h: float

    @property
    def right(self) -> float:
        return self.x + self.w

    @property
    def bottom(self) -> float:
        return self.y + self.h

    @property
    def cx(self) -> float:
        return self.x + self.w / 2

    @property
    def cy(self) -> float:
        return self.y + self.h / 2

    def inset(self, dx: float, dy: float | None = None) -> Box:
        """The box shrunk by `dx` left and right and by `dy` (default `dx`) above and below."""
        dy = dx if dy is None else dy
        return Box(self.x + dx, self.y + dy, self.w - 2 * dx, self.h - 2 * dy)

    def columns(self, n: int, gap: float) -> list[Box]:
        """`n` equal boxes side by side, `gap` pixels apart."""
        w = (self.w - gap * (n - 1)) / n
        return [Box(self.x + i * (w + gap), self.y, w, self.h) for i in range(n)]

    def rows(self, n: int, gap: float) -> list[Box]:
        """`n` equal boxes below one another, `gap` pixels apart."""
        h = (self.h - gap * (n - 1)) / n
        return [Box(self.x, self.y + i * (h + gap), self.w, h) for i in range(n)]


@dataclass(frozen=True)
class Frame:
    """The design frame: `width` and `height` in pixels (height 1080 for 16:9)."""

    width: float = 1920
    height: float = FRAME_HEIGHT

    @property
    def safe(self) -> Box:
        """The part that every device shows: 5 % margins on each side."""
        return Box(0, 0, self.width, self.height).inset(self.width * SAFE_MARGIN, self.height * SAFE_MARGIN)

    def point(self, x: float, y: float) -> np.ndarray:
        """Manim coordinates of the design pixel (`x`, `y`)."""
        return np.array([(x - self.width / 2) / UNIT, (self.height / 2 - y) / UNIT, 0.0])

    def pixel(self, point: Sequence[float] | np.ndarray) -> tuple[float, float]:
        """Design pixel of a Manim point; the inverse of `point`."""
        return (point[0] * UNIT + self.width / 2, self.height / 2 - point[1] * UNIT)


FRAME = Frame()
