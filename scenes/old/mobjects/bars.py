"""Bars that compare what a request reserves with what it uses."""

from __future__ import annotations

from manim import Animation, Group

from scenes import theme
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.old.animations import AppearIn
from scenes.old.mobjects.shapes import Panel
from scenes.story.beats import Bar

TITLE_H = 66
INSET = 22
TEXT_H = 44
GAP = 30
TALLEST = 96
EDGE = 3
NARROWEST = 4.0
"""Pixels a token from which on tokens are drawn one by one."""
TOKEN_GAP = 1.5


class ReservationBar(Group):
    """One bar: outline for what is reserved, filled for what is used.

    With a page size the reserved part is drawn page by page.
    """

    def __init__(self, bar: Bar, color: str, box: Box, scale: int) -> None:
        unit = box.w / scale
        self.text = Label(bar.label, theme.SMALL, "sans", theme.TEXT, (box.x, box.y + 16), background=theme.PANEL)
        y = box.y + TEXT_H
        height = box.h - TEXT_H - GAP
        filled = min(max(1, bar.used) * unit, bar.reserved * unit - EDGE)
        cells = bar.used if bar.tokens and unit >= NARROWEST else 1
        self.used = CellField(Box(box.x, y, filled, height), cells, cells, gap=TOKEN_GAP if cells > 1 else 0)
        self.used.set_cell(slice(None), color)
        pieces = []
        step = bar.page_size or bar.reserved
        for start in range(0, bar.reserved, step):
            w = min(step, bar.reserved - start) * unit
            pieces.append(Panel(Box(box.x + start * unit, y, w - EDGE, height), stroke=color, radius=4, stroke_px=2))
        self.outline = Group(*pieces)
        super().__init__(self.text, self.used, self.outline)


class BarsPanel(Group):
    """Panel of reservation bars on one scale of `scale` slots, with room for `places` bars."""

    def __init__(
        self, title: str, bars: tuple[Bar, ...], scale: int, places: int, colors: dict[str, str], box: Box
    ) -> None:
        pitch = min(TEXT_H + TALLEST + GAP, (box.h - TITLE_H - 12) / places)
        self.box = Box(box.x, box.y, box.w, TITLE_H + places * pitch + 12)
        self.back = Panel(self.box, fill=theme.PANEL)
        self.title = Label(
            title, theme.BODY, "sans-bold", theme.TEXT, (box.x + INSET, box.y + TITLE_H / 2 + 2), background=theme.PANEL
        )
        self.rows = [
            ReservationBar(
                bar, colors[bar.task], Box(box.x + INSET, box.y + TITLE_H + i * pitch, box.w - 2 * INSET, pitch), scale
            )
            for i, bar in enumerate(bars)
        ]
        super().__init__(self.back, self.title, *self.rows)

    def extend(self, longer: BarsPanel) -> list[Animation]:
        """Bring in the bars that `longer` has beyond this panel's own."""
        fresh = longer.rows[len(self.rows) :]
        self.rows += fresh
        return [AppearIn(self, row, delay=0.15 * i) for i, row in enumerate(fresh)]
