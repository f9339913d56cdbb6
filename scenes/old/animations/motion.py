"""Moving a mobject."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import Mobject

from scenes.draw.animation import Extent, FilmAnimation
from scenes.draw.layout import UNIT


class Glide(FilmAnimation):
    """Shift a whole family by (`dx`, `dy`) design pixels, y downwards.

    It shifts what is there: a label that meanwhile says something else takes its new
    outline along.
    """

    def __init__(self, mobject: Mobject, dx: float, dy: float, seconds: float = 0.6, **kwargs: Any) -> None:
        super().__init__(mobject, seconds=seconds, **kwargs)
        self.delta = np.array([dx / UNIT, -dy / UNIT, 0.0])

    def prepare(self) -> None:
        self._members = self.mobject.family_members_with_points()
        self._way = 0.0

    def extents(self) -> list[Extent]:
        boxes = super().extents()
        x, y = self.delta[:2]
        return boxes + [(a + x, b + y, c + x, d + y) for a, b, c, d in boxes]

    def apply(self, progress: float) -> None:
        step = self.delta * (progress - self._way)
        self._way = progress
        for member in self._members:
            member.points = member.points + step
