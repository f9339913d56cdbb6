"""Where a word's K and V live: marks on the word, its table entry and its slot, and a line."""

from __future__ import annotations

import numpy as np
from manim import Animation, Group, VMobject

from scenes import theme
from scenes.draw.layout import FRAME, UNIT, Box
from scenes.old.animations import AppearIn
from scenes.old.mobjects.shapes import Panel

STROKE = 3.5
AROUND = 1.5


class Mark(Panel):
    """A bright outline around `target`; a chip's is drawn on its edge."""

    def __init__(self, target: Box, around: float = AROUND) -> None:
        super().__init__(target.inset(-around), stroke=theme.ACCENT, stroke_px=STROKE, radius=5)


class Thread(VMobject):
    """A line along `corners`, design pixels."""

    def __init__(self, corners: list[tuple[float, float]]) -> None:
        super().__init__(stroke_color=theme.ACCENT, stroke_width=STROKE * 100 / UNIT, fill_opacity=0)
        self.set_points_as_corners(np.array([FRAME.point(*corner) for corner in corners]))


class Pointer(Group):
    """Grows from a word to its table entry and page number, then to the slot."""

    def __init__(self, word: Box) -> None:
        self.word = Mark(word)
        self.entries: list[Mark] = []
        self.slot: Mark | None = None
        super().__init__()

    def start(self) -> list[Animation]:
        """Mark the word."""
        return [AppearIn(self, self.word, seconds=0.4)]

    def to_entries(self, boxes: list[Box]) -> list[Animation]:
        """Mark what says the page: the table's entry, the number beside the row."""
        self.entries = [Mark(box, 0.0) for box in boxes]
        return [AppearIn(self, mark, seconds=0.4, delay=0.3 * i) for i, mark in enumerate(self.entries)]

    def to_slot(self, slot: Box, corners: list[tuple[float, float]]) -> list[Animation]:
        """Draw the line to the slot, along `corners`, and mark it."""
        self.slot = Mark(slot)
        return [AppearIn(self, Thread(corners), seconds=0.4), AppearIn(self, self.slot, seconds=0.4, delay=0.4)]
