"""Figures with what they mean, below one another in a panel."""

from __future__ import annotations

from manim import Group

from scenes import fonts, theme
from scenes.layout import Box
from scenes.mobjects.label import Label
from scenes.mobjects.shapes import Panel
from scenes.storyboard.beats import Fact

TITLE_H = 56
PITCH = 56
INSET = 22


class FactRow(Group):
    """One figure: value and label on one line."""

    def __init__(self, fact: Fact, x: float, value_w: float, y: float) -> None:
        self.value = Label(fact.value, theme.HEADING, "mono-bold", theme.CODE_NUMBER,
                           (x + value_w, y), "right", background=theme.PANEL)
        self.label = Label(fact.label, theme.SMALL, "sans", theme.TEXT,
                           (x + value_w + 22, y), background=theme.PANEL)
        super().__init__(self.value, self.label)


class FactsPanel(Group):
    """Panel with a title and up to as many facts as fit `box`.

    Raises ValueError where they do not fit.
    """

    def __init__(self, title: str, facts: tuple[Fact, ...], box: Box) -> None:
        height = TITLE_H + len(facts) * PITCH + 14
        if height > box.h + 1:
            raise ValueError(f"{len(facts)} facts do not fit a panel {box.h:.0f} px high")
        self.box = Box(box.x, box.y, box.w, height)
        self.back = Panel(self.box, fill=theme.PANEL)
        self.title = Label(title, theme.BODY, "sans-bold", theme.TEXT,
                           (box.x + INSET, box.y + TITLE_H / 2 + 2), background=theme.PANEL)
        value_w = max(fonts.width(fact.value, "mono-bold", theme.HEADING) for fact in facts)
        needed = value_w + 22 + 2 * INSET + max(
            fonts.width(fact.label, "sans", theme.SMALL) for fact in facts
        )
        if needed > box.w + 1:
            raise ValueError(f"facts {needed:.0f} px wide do not fit {box.w:.0f} px")
        self.rows = [
            FactRow(fact, box.x + INSET, value_w, box.y + TITLE_H + (i + 0.5) * PITCH)
            for i, fact in enumerate(facts)
        ]
        super().__init__(self.back, self.title, *self.rows)
