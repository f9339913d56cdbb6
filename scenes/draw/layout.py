"""Pixel boxes of the design frame and their place in Manim's units.

Design pixels are the same whatever the render quality; x runs right and y runs down from the top
left corner. A wide frame is 1080 of them high, and 8 of Manim's units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

UNIT = 1080 / 8.0


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

    @property
    def corners(self) -> np.ndarray:
        """Shape [4, 2], clockwise from the top left."""
        return np.array([(self.x, self.y), (self.right, self.y), (self.right, self.bottom), (self.x, self.bottom)])

    def inset(self, dx: float, dy: float | None = None) -> Box:
        """The box shrunk by `dx` left and right and by `dy` (default `dx`) above and below."""
        dy = dx if dy is None else dy
        return Box(self.x + dx, self.y + dy, self.w - 2 * dx, self.h - 2 * dy)

    def within(self, other: Box) -> Box:
        """The part of the box that lies in `other`; without width or height where none does."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        return Box(x, y, max(0.0, min(self.right, other.right) - x), max(0.0, min(self.bottom, other.bottom) - y))

    def holds(self, bounds: tuple[float, float, float, float]) -> bool:
        """Whether `bounds` (left, top, right, bottom) lie in the box."""
        left, top, right, bottom = bounds
        return self.x <= left and self.y <= top and right <= self.right and bottom <= self.bottom

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
    """A design frame: `width` and `height` in design pixels; the fewer there are, the larger is all that
    is drawn. `safe` is what every device shows, `stage` where the picture stands, `words` where the caption does.
    """

    name: str = "16:9"
    width: float = 1920
    height: float = 1080
    safe: Box = Box(96, 54, 1728, 972)
    stage: Box = Box(96, 112, 1728, 768)
    words: Box = Box(96, 908, 1728, 118)

    @property
    def zoom(self) -> float:
        """Pixels of a screen, whose short side has 1080, that a design pixel takes."""
        return 1080 / min(self.width, self.height)

    @property
    def upright(self) -> bool:
        """Whether parts stand below one another rather than side by side."""
        return self.width <= self.height

    def point(self, x: float, y: float) -> np.ndarray:
        """Manim coordinates of the design pixel (`x`, `y`)."""
        return np.array([(x - self.width / 2) / UNIT, (self.height / 2 - y) / UNIT, 0.0])

    def points(self, xy: np.ndarray) -> np.ndarray:
        """Manim coordinates, shape [n, 3], of design pixels, shape [n, 2]."""
        x, y = np.transpose(xy)
        return np.stack([(x - self.width / 2) / UNIT, (self.height / 2 - y) / UNIT, np.zeros(len(xy))], axis=1)

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Design pixels [..., 2] of Manim points [..., 3]; the inverse of `points`."""
        return points[..., :2] * [UNIT, -UNIT] + [self.width / 2, self.height / 2]


WIDE = Frame()
SQUARE = Frame("1:1", 1080, 1080, Box(54, 54, 972, 972), Box(54, 104, 972, 746), Box(54, 880, 972, 146))
UPRIGHT = Frame("9:16", 900, 1600, Box(54, 184, 746, 1066), Box(54, 250, 746, 830), Box(54, 1096, 746, 112))
FRAMES = {frame.name: frame for frame in (WIDE, SQUARE, UPRIGHT)}
