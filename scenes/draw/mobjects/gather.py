"""Logical token positions against the physical slots that hold them."""

from __future__ import annotations

from manim import Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.layout import Box
from scenes.draw.mobjects.label import Label
from scenes.draw.mobjects.shapes import Panel
from scenes.story.beats import Run

TITLE_H = 54
HEAD_H = 40
PITCH = 50
INSET = 22


class GatherRow(Group):
    """One run: token positions, the page, the slots in it and in the whole pool."""

    def __init__(self, run: Run, color: str, columns: list[float], y: float, page_size: int):
        self.run = run
        page = f"page {run.page}"
        w = fonts.width(page, "mono-bold", theme.SMALL) + 24
        self.chip = Panel(Box(columns[1], y - 20, w, 40), fill=color, radius=6)
        self.page = Label(
            page, theme.SMALL, "mono-bold", theme.BACKGROUND, (columns[1] + w / 2, y), "center", background=color
        )
        first = run.page * page_size + run.lo
        texts = (
            (columns[0], f"{run.first}–{run.last}"),
            (columns[2], f"{run.lo}–{run.hi}"),
            (columns[3], f"{first}–{first + run.hi - run.lo}"),
        )
        self.cells = [Label(text, theme.SMALL, "mono", theme.TEXT, (x, y), background=theme.PANEL) for x, text in texts]
        super().__init__(self.chip, self.page, *self.cells)


class GatherPanel(Group):
    """Table of a task's runs in logical order; shows the first rows that fit."""

    def __init__(self, task: str, runs: tuple[Run, ...], color: str, page_size: int, box: Box) -> None:
        room = int((box.h - TITLE_H - HEAD_H - 10) // PITCH)
        shown = runs[:room]
        self.box = Box(box.x, box.y, box.w, TITLE_H + HEAD_H + len(shown) * PITCH + 10)
        self.back = Panel(self.box, fill=theme.PANEL)
        title = f"gather for {task}: where each position lives"
        if len(shown) < len(runs):
            title += f" (first {len(shown)} of {len(runs)} pages)"
        self.title = Label(
            title, theme.SMALL, "sans-bold", theme.TEXT, (box.x + INSET, box.y + TITLE_H / 2), background=theme.PANEL
        )
        x = box.x + INSET
        step = (box.w - 2 * INSET) / 4
        columns = [x, x + step, x + 2 * step, x + 3 * step]
        y = box.y + TITLE_H + HEAD_H / 2
        self.heads = [
            Label(text, theme.SMALL, "sans", theme.MUTED, (at, y), background=theme.PANEL)
            for at, text in zip(
                columns, ("token positions", "table says", "slots in page", "slots in pool"), strict=True
            )
        ]
        self.rows = [
            GatherRow(run, color, columns, box.y + TITLE_H + HEAD_H + (i + 0.5) * PITCH, page_size)
            for i, run in enumerate(shown)
        ]
        super().__init__(self.back, self.title, *self.heads, *self.rows)
