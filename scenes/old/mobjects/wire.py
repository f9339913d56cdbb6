"""Right-angled arrows from page table entries to pages."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import VMobject

from scenes.draw.animation import Extent, FilmAnimation
from scenes.draw.layout import FRAME, UNIT


class _Tip(VMobject):
    """A small filled triangle that points down at a design pixel."""

    def __init__(self, at: tuple[float, float], color: str, size: float = 9.0) -> None:
        super().__init__(stroke_width=0, fill_color=color, fill_opacity=1)
        x, y = at
        corners = [(x, y), (x - size * 0.7, y - size), (x + size * 0.7, y - size), (x, y)]
        self.set_points_as_corners(np.array([FRAME.point(*corner) for corner in corners]))


class Wire(VMobject):
    """An arrow along `route`, a list of design pixels; it ends pointing down."""

    def __init__(self, route: list[tuple[float, float]], color: str, px: float = 2.6) -> None:
        super().__init__(stroke_color=color, stroke_width=px * 100 / UNIT, fill_opacity=0)
        self.route = list(route)
        self.opacity = 1.0
        self.add(_Tip(route[-1], color))
        self.lay(np.array(route))

    def shade(self, opacity: float) -> None:
        """Draw line and tip with `opacity`."""
        self.opacity = opacity
        self.set_stroke(opacity=opacity, family=False)
        self.submobjects[0].set_fill(opacity=opacity, family=False)

    def lay(self, corners: np.ndarray) -> None:
        """Run along `corners`, design pixels of shape [n, 2]."""
        line = [*corners[:-1], (corners[-1][0], corners[-1][1] - 8)]
        self.set_points_as_corners(np.array([FRAME.point(*corner) for corner in line]))
        tip = self.submobjects[0]
        tip.shift(FRAME.point(*corners[-1]) - tip.points[0])


class BendWire(FilmAnimation):
    """Move a wire's corners to those of `route`, which has as many."""

    def __init__(self, wire: Wire, route: list[tuple[float, float]], **kwargs: Any) -> None:
        super().__init__(wire, **kwargs)
        self.start = np.array(wire.route)
        self.end = np.array(route)
        wire.route = list(route)

    def extents(self) -> list[Extent]:
        corners = np.concatenate([self.start, self.end])
        (x0, y0), (x1, y1) = corners.min(axis=0) - 8, corners.max(axis=0) + 8
        (left, top, _), (right, bottom, _) = FRAME.point(x0, y0), FRAME.point(x1, y1)
        return [(left, bottom, right, top)]

    def apply(self, progress: float) -> None:
        self.mobject.lay(self.start + (self.end - self.start) * progress)


class ShadeWire(FilmAnimation):
    """Bring a wire to another opacity, which it counts as its own at once."""

    def __init__(self, wire: Wire, opacity: float, **kwargs: Any) -> None:
        super().__init__(wire, **kwargs)
        self.start, self.end = wire.opacity, opacity
        wire.opacity = opacity

    def apply(self, progress: float) -> None:
        self.mobject.shade(self.start + (self.end - self.start) * progress)


class DrawWire(FilmAnimation):
    """Draw a wire from its start to its tip, adding it to the scene."""

    def __init__(self, wire: Wire, seconds: float = 0.7, **kwargs: Any) -> None:
        super().__init__(wire, seconds=seconds, introducer=True, **kwargs)

    def prepare(self) -> None:
        self._whole = VMobject().set_points(self.mobject.points.copy())

    def extents(self) -> list[Extent]:
        xs = [x for x, _ in self.mobject.route]
        ys = [y for _, y in self.mobject.route]
        (left, bottom, _), (right, top, _) = (FRAME.point(min(xs) - 8, max(ys)), FRAME.point(max(xs) + 8, min(ys)))
        return [(left, bottom, right, top)]

    def apply(self, progress: float) -> None:
        wire = self.mobject
        tip = wire.submobjects[0]
        tip.set_fill(opacity=wire.opacity if progress >= 1 else 0.0, family=False)
        if progress <= 0:
            wire.set_stroke(opacity=0, family=False)
        elif progress >= 1:
            wire.points = self._whole.points.copy()
            wire.set_stroke(opacity=wire.opacity, family=False)
        else:
            wire.pointwise_become_partial(self._whole, 0, progress)
            wire.set_stroke(opacity=wire.opacity, family=False)
