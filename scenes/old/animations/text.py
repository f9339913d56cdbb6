"""Changing what a label says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scenes.draw.animation import Extent, FilmAnimation, bounds
from scenes.draw.label import Label


class SwapText(FilmAnimation):
    """Fade a label's old text out and the new one in, in the same place."""

    def __init__(self, label: Label, text: str, seconds: float = 0.45, color: str | None = None, **kwargs: Any) -> None:
        super().__init__(label, seconds=seconds, **kwargs)
        self.new_text = text
        self.new_color = color

    def prepare(self) -> None:
        self._swapped = False

    def extents(self) -> list[Extent]:
        boxes = super().extents()
        outline = self.mobject.outline(self.new_text)
        low, high = outline[:, :2].min(axis=0), outline[:, :2].max(axis=0)
        return [*boxes, (low[0], low[1], high[0], high[1])]

    def apply(self, progress: float) -> None:
        label = self.mobject
        if progress >= 0.5 and not self._swapped:
            label.set_text(self.new_text)
            if self.new_color:
                label.set_text_color(self.new_color)
            self._swapped = True
        label.set_fill(opacity=abs(2 * progress - 1), family=False)


class TickText(FilmAnimation):
    """Run a label through the texts of a counter: `text_at(progress)`."""

    def __init__(self, label: Label, text_at: Callable[[float], str], seconds: float, **kwargs: Any) -> None:
        super().__init__(label, seconds=seconds, **kwargs)
        self.text_at = text_at

    def extents(self) -> list[Extent]:
        wide = [bounds(self.mobject)]
        for text in (self.text_at(0.0), self.text_at(1.0)):
            outline = self.mobject.outline(text)
            low, high = outline[:, :2].min(axis=0), outline[:, :2].max(axis=0)
            wide.append((low[0], low[1], high[0], high[1]))
        return [box for box in wide if box]

    def apply(self, progress: float) -> None:
        text = self.text_at(progress)
        if text != self.mobject.text:
            self.mobject.set_text(text)


__all__ = ["SwapText", "TickText"]
