"""Figures with what they mean, below one another in a panel."""

from __future__ import annotations

from manim import Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.old.mobjects.shapes import Panel
from scenes.story.beats import Fact

TITLE_H = 56
PITCH = 56
TIGHT_PITCH = 44
INSET = 22
FOOT = 14
VALUE_GAP = 16
COLUMN_GAP = 28


class FactRow(Group):
    """One figure: value and label on one line."""

    def __init__(self, fact: Fact, x: float, value_w: float, y: float) -> None:
        self.value = Label(
            fact.value, theme.HEADING, "mono-bold", theme.CODE_NUMBER, (x + value_w, y), "right", background=theme.PANEL
        )
        self.label = Label(
            fact.label, theme.SMALL, "sans", theme.TEXT, (x + value_w + VALUE_GAP, y), background=theme.PANEL
        )
        super().__init__(self.value, self.label)


class FactsPanel(Group):
    """Panel with a title and facts below one another, in as few columns as fit `box`.

    Raises ValueError where they do not fit.
    """

    def __init__(self, title: str, facts: tuple[Fact, ...], box: Box) -> None:
        room = box.h + 1 - TITLE_H - FOOT
        columns = -(-len(facts) // max(1, int(room // TIGHT_PITCH)))
        deep = -(-len(facts) // columns)
        pitch = min(PITCH, room / deep)
        self.box = Box(box.x, box.y, box.w, TITLE_H + deep * pitch + FOOT)
        self.back = Panel(self.box, fill=theme.PANEL)
        self.title = Label(
            title, theme.BODY, "sans-bold", theme.TEXT, (box.x + INSET, box.y + TITLE_H / 2 + 2), background=theme.PANEL
        )
        self.rows: list[FactRow] = []
        x = box.x + INSET
        for start in range(0, len(facts), deep):
            column = facts[start : start + deep]
            value_w = max(fonts.width(fact.value, "mono-bold", theme.HEADING) for fact in column)
            self.rows += [
                FactRow(fact, x, value_w, box.y + TITLE_H + (i + 0.5) * pitch) for i, fact in enumerate(column)
            ]
            label_w = max(fonts.width(fact.label, "sans", theme.SMALL) for fact in column)
            x += value_w + VALUE_GAP + label_w + COLUMN_GAP
        if x - COLUMN_GAP > box.right - INSET + 1:
            raise ValueError(f"{len(facts)} facts do not fit a panel of {box.w:.0f} x {box.h:.0f} px")
        super().__init__(self.back, self.title, *self.rows)
