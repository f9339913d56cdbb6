"""The three states of a page, each as it is drawn, with how many pages are in it."""

from __future__ import annotations

from manim import Group

from scenes import theme
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, say, written
from scenes.old.mobjects.shapes import DashedBox, Panel

TITLE_H = 56
INSET = 22
PITCH = 88
SAMPLE = (76, 56)
COLUMNS = (104, 240, 350, 530, 690)
HEADS = ("state", "pages", "ref", "mask bit", "alloc may take it")
STATES = {"in use": (1, 0, "no"), "cached": (0, 0, "after the free ones"), "free": (0, 1, "first")}
"""Least refcount, bit in the mask, and when `alloc` may take such a page."""


class StateRow(Group):
    """One state: a small page as the pool draws it, and what holds for it."""

    def __init__(self, state: str, pages: int, color: str, box: Box) -> None:
        self.state = state
        w, h = SAMPLE
        sample = Box(box.x, box.cy - h / 2, w, h)
        solid = color if state == "in use" else theme.OUTLINE
        self.frame = Panel(sample, fill=theme.PANEL, stroke=solid, radius=6)
        inner = sample.inset(9)
        self.cells = CellField(Box(inner.x, inner.y + 6, inner.w, inner.h - 6), 8, 4)
        shade = {"in use": color, "cached": theme.CACHED, "free": theme.EMPTY}[state]
        for cell in range(8):
            self.cells.set_cell(cell, shade)
        drawn: list = [self.frame, self.cells]
        if state == "cached":
            drawn.insert(1, DashedBox(sample, theme.CACHED, stroke_px=4))
        if state == "in use":
            bar = CellField(Box(inner.x, inner.y - 3, inner.w, 5), 1, 1, gap=0)
            bar.set_cell(0, color)
            drawn.append(bar)
        self.count = Label(
            written(f"pool.{state.replace(' ', '_')}", pages),
            theme.HEADING,
            "mono-bold",
            theme.CODE_NUMBER,
            (box.x + COLUMNS[1], box.cy),
            background=theme.PANEL,
        )
        texts = zip((state, *_rules(state)), (COLUMNS[0], *COLUMNS[2:]), strict=True)
        labels = [
            Label(
                text,
                theme.SMALL,
                "sans-medium" if i == 0 else "sans",
                theme.TEXT,
                (box.x + x, box.cy),
                background=theme.PANEL,
            )
            for i, (text, x) in enumerate(texts)
        ]
        super().__init__(*drawn, self.count, *labels)


def _rules(state: str) -> tuple[Said, Said, str]:
    """Refcount, mask bit and `alloc` of a page in `state`, as written."""
    least, bit, taken = STATES[state]
    ref = written("state.least_ref", least, state=state)
    return say("{} or more", ref) if state == "in use" else ref, written("state.bit", bit, state=state), taken


class StatesPanel(Group):
    """A row for each state, `counts` of pages in it; `color` is that of a request."""

    def __init__(self, counts: dict[str, int], color: str, box: Box) -> None:
        pitch = min(PITCH, (box.h - TITLE_H - 10) / len(STATES))
        self.box = Box(box.x, box.y, box.w, TITLE_H + pitch * len(STATES) + 10)
        self.back = Panel(self.box, fill=theme.PANEL)
        x = box.x + INSET
        self.heads = [
            Label(head, theme.SMALL, "sans", theme.MUTED, (x + at, box.y + TITLE_H / 2 + 4), background=theme.PANEL)
            for head, at in zip(HEADS, COLUMNS, strict=True)
        ]
        self.rows = [
            StateRow(state, counts[state], color, Box(x, box.y + TITLE_H + i * pitch, box.w - 2 * INSET, pitch))
            for i, state in enumerate(STATES)
        ]
        super().__init__(self.back, *self.heads, *self.rows)
