"""Large figures with what they mean, in rows that fill a panel."""

from __future__ import annotations

from manim import Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.old.mobjects.shapes import Panel
from scenes.story.beats import Fact

TITLE_H = 58
GAP = 20
INSET = 28
LARGEST = 72
MOST_IN_ROW = 3


class Figure(Group):
    """One figure: a value of `px`, and below it what it is."""

    def __init__(self, fact: Fact, box: Box, px: float) -> None:
        x = box.x + INSET
        self.back = Panel(box, fill=theme.PANEL)
        self.value = Label(fact.value, px, "mono-bold", theme.CODE_NUMBER, (x, box.cy - 22), background=theme.PANEL)
        self.label = Label(fact.label, theme.SMALL, "sans", theme.TEXT, (x, box.cy + 48), background=theme.PANEL)
        super().__init__(self.back, self.value, self.label)


class FiguresPanel(Group):
    """A title, which may be empty, and `facts` in rows of up to three that fill `box`.

    All values have one size.

    Raises ValueError where they do not fit.
    """

    def __init__(self, title: str, facts: tuple[Fact, ...], box: Box) -> None:
        self.box = box
        self.title = Label(title, theme.HEADING, "sans-bold", theme.TEXT, (box.x, box.y + TITLE_H / 2 - 6))
        below = Box(box.x, box.y + TITLE_H, box.w, box.h - TITLE_H) if title else box
        rows = -(-len(facts) // MOST_IN_ROW)
        height = (below.h - GAP * (rows - 1)) / rows
        places = list(zip(facts, _places(below, len(facts)), strict=True))
        px = min(
            LARGEST,
            *(
                place.w * LARGEST / fonts.width(fact.value, "mono-bold", LARGEST)
                for fact, place in ((f, p.inset(INSET)) for f, p in places)
            ),
        )
        for fact, place in places:
            if fonts.width(fact.label, "sans", theme.SMALL) > place.w - 2 * INSET or height < 140:
                raise ValueError(f"{len(facts)} figures do not fit {box.w:.0f} x {box.h:.0f} px")
        self.figures = [Figure(fact, place, px) for fact, place in places]
        self.back = self.figures[0].back
        super().__init__(self.title, *self.figures)


def _places(box: Box, n: int) -> list[Box]:
    """`n` boxes in rows that fill `box`; the last row may have fewer, wider ones."""
    rows = -(-n // MOST_IN_ROW)
    height = (box.h - GAP * (rows - 1)) / rows
    places = []
    for at in range(n):
        row, column = divmod(at, MOST_IN_ROW)
        columns = min(MOST_IN_ROW, n - MOST_IN_ROW * row)
        width = (box.w - GAP * (columns - 1)) / columns
        places.append(Box(box.x + column * (width + GAP), box.y + row * (height + GAP), width, height))
    return places
