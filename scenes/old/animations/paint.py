"""Recolouring shapes, and a short highlight."""

from __future__ import annotations

from typing import Any

import numpy as np
from manim import VMobject, linear, smooth, there_and_back

from scenes import theme
from scenes.draw.animation import FilmAnimation


class Paint(FilmAnimation):
    """Blend one shape's stroke and fill to new colours (None leaves one as it is)."""

    def __init__(
        self,
        mobject: VMobject,
        stroke: str | None = None,
        fill: str | None = None,
        fill_opacity: float | None = None,
        seconds: float = 0.5,
        **kwargs: Any,
    ) -> None:
        super().__init__(mobject, seconds=seconds, **kwargs)
        self.stroke = stroke
        self.fill = fill
        self.fill_opacity = fill_opacity

    def prepare(self) -> None:
        self._stroke = self.mobject.stroke_rgbas.copy()
        self._fill = self.mobject.fill_rgbas.copy()

    def apply(self, progress: float) -> None:
        if self.stroke is not None:
            self.mobject.stroke_rgbas = self._blend(self._stroke, self.stroke, self._stroke[0, 3], progress)
        if self.fill is not None:
            alpha = self._fill[0, 3] if self.fill_opacity is None else self.fill_opacity
            self.mobject.fill_rgbas = self._blend(self._fill, self.fill, alpha, progress)

    @staticmethod
    def _blend(start: np.ndarray, color: str, alpha: float, progress: float) -> np.ndarray:
        target = np.array([[*theme.rgb(color), alpha]])
        return start + (target - start) * progress


class FlashTo(FilmAnimation):
    """Brighten a shape's outline for a moment and leave it in the colour `stroke`."""

    def __init__(self, mobject: VMobject, stroke: str, seconds: float = 0.7, **kwargs: Any) -> None:
        super().__init__(mobject, seconds=seconds, rate=linear, **kwargs)
        self.stroke = stroke

    def prepare(self) -> None:
        self._start = self.mobject.stroke_rgbas.copy()
        self._width = self.mobject.stroke_width

    def apply(self, progress: float) -> None:
        target = np.array([[*theme.rgb(self.stroke), self._start[0, 3]]])
        base = self._start + (target - self._start) * smooth(progress)
        glow = there_and_back(progress)
        bright = np.array([[*theme.rgb(theme.ACCENT), 1.0]])
        self.mobject.stroke_rgbas = base + (bright - base) * glow
        self.mobject.stroke_width = self._width + 3 * glow

    def finish(self) -> None:
        super().finish()
        self.mobject.stroke_width = self._width


class Flash(FilmAnimation):
    """Thicken and brighten a shape's outline for a moment; ends as it began."""

    def __init__(self, mobject: VMobject, color: str = theme.ACCENT, seconds: float = 0.7, **kw: Any) -> None:
        super().__init__(mobject, seconds=seconds, rate=there_and_back, **kw)
        self.color = color

    def prepare(self) -> None:
        self._stroke = self.mobject.stroke_rgbas.copy()
        self._width = self.mobject.stroke_width

    def apply(self, progress: float) -> None:
        target = np.array([[*theme.rgb(self.color), 1.0]])
        self.mobject.stroke_rgbas = self._stroke + (target - self._stroke) * progress
        self.mobject.stroke_width = self._width + 3 * progress

    def finish(self) -> None:
        self.apply(0.0)
