"""Logical token positions against the physical slots that hold them."""

from __future__ import annotations

from manim import Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import measure, say, written
from scenes.old.mobjects.shapes import Panel
from scenes.old.mobjects.table import name_text
from scenes.story.beats import SlotRun

TITLE_H = 54
HEAD_H = 40
PITCH = 50
INSET = 22


class GatherRow(Group):
    """One run: token positions, the page, the slots in it and in the whole pool."""

    def __init__(self, task: str, run: SlotRun, color: str, columns: list[float], y: float, page_size: int) -> None:
        self.run = run
        page = say("page {}", written("page.number", run.page, page=run.page))
        w = fonts.width(page, "mono-bold", theme.SMALL) + 24
        self.chip = Panel(Box(columns[1], y - 20, w, 40), fill=color, radius=6)
        self.page = Label(
            page, theme.SMALL, "mono-bold", theme.BACKGROUND, (columns[1] + w / 2, y), "center", background=color
        )
        first = run.page * page_size + run.lo
        spans = {
            "position": (columns[0], run.first, run.last),
            "slot": (columns[2], run.lo, run.hi),
            "pool_slot": (columns[3], first, first + run.hi - run.lo),
        }
        self.cells = []
        for what, (x, *ends) in spans.items():
            names = (f"gather.first_{what}", f"gather.last_{what}")
            values = (
                measure(name, end, "plain", task=task, page=run.page) for name, end in zip(names, ends, strict=True)
            )
            self.cells.append(
                Label(say("{}–{}", *values), theme.SMALL, "mono", theme.TEXT, (x, y), background=theme.PANEL)
            )
        super().__init__(self.chip, self.page, *self.cells)


class GatherPanel(Group):
    """Table of a task's runs in logical order; shows the first rows that fit."""

    def __init__(self, task: str, runs: tuple[SlotRun, ...], color: str, page_size: int, box: Box) -> None:
        room = int((box.h - TITLE_H - HEAD_H - 10) // PITCH)
        shown = runs[:room]
        self.box = Box(box.x, box.y, box.w, TITLE_H + HEAD_H + len(shown) * PITCH + 10)
        self.back = Panel(self.box, fill=theme.PANEL)
        title = say("gather for {}: where each position lives", name_text(task))
        if len(shown) < len(runs):
            counts = (
                written("gather.shown", len(shown), task=task, most=room),
                written("gather.pages", len(runs), task=task),
            )
            title += say(" (first {} of {} pages)", *counts)
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
            GatherRow(task, run, color, columns, box.y + TITLE_H + HEAD_H + (i + 0.5) * PITCH, page_size)
            for i, run in enumerate(shown)
        ]
        super().__init__(self.back, self.title, *self.heads, *self.rows)
