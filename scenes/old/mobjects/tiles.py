"""The page pool in little room: two columns of tiles beside a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from manim import Animation, Group, linear

from scenes import theme
from scenes.draw import fonts
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, measure, say, written
from scenes.old.animations import FillCells, Flash
from scenes.old.mobjects.page import Page, slot_columns
from scenes.old.mobjects.shapes import DashedBox, Panel
from scenes.story.limits import MOST_TILES

ONE_COLUMN = 10
TALLEST = 96.0
GAP = 7.0
COLUMN_GAP = 14.0
HEAD = 38.0
PADDING = 8.0
OWNER_BAR = 6.0
TITLE_GAP = 24.0
KEY = "×n = in n tables"


class Tile(Page):
    """A page on one line: number, slots below the owners' bar, and `×` with the refcount."""

    def __init__(self, index: int, box: Box, page_size: int) -> None:
        self.index = index
        self.page_size = page_size
        self.box = box
        self.frame = Panel(box, fill=theme.PANEL, stroke=theme.OUTLINE)
        number_w = fonts.width("00", "mono-bold", theme.SMALL)
        ref_w = fonts.width("×0", "mono", theme.SMALL)
        left = box.x + PADDING + max(number_w, fonts.width(str(index), "mono-bold", theme.SMALL))
        inner = Box(left + 10, box.y + PADDING, 0, box.h - 2 * PADDING)
        w = box.right - PADDING - ref_w - 8 - inner.x
        self.owner_field = CellField(Box(inner.x, inner.y, w, OWNER_BAR), 1, 1, gap=3)
        slots = Box(inner.x, inner.y + OWNER_BAR + 4, w, inner.h - OWNER_BAR - 4)
        columns = slot_columns(page_size, slots.w, slots.h)
        self.slots = CellField(slots, page_size, columns, gap=2.0 if slots.w / columns > 8 else 1.0)
        self.slots.set_cell(np.arange(page_size), theme.EMPTY)
        number = written("page.number", index, page=index)
        self.number = Label(
            number, theme.SMALL, "mono-bold", theme.TEXT, (left, box.cy), "right", background=theme.PANEL
        )
        self.ref = Label(
            "", theme.SMALL, "mono", theme.TEXT, (box.right - PADDING, box.cy), "right", background=theme.PANEL
        )
        self.dashes = DashedBox(box, theme.CACHED, stroke_px=4)
        self.dashes.set_stroke(opacity=0, family=False)
        self.word = Label("", theme.SMALL)
        self.has_word = False
        self.cached = False
        self.owners: tuple[str, ...] = ()
        self.hue: str | None = None
        Group.__init__(self, self.frame, self.owner_field, self.slots, self.dashes, self.number, self.ref)

    def ref_text(self, ref: int, cached: bool) -> Said:
        return say("×{}", self._ref(ref)) if ref or cached else Said()

    def fill(self, changed: np.ndarray, cells: np.ndarray, seconds: float, delay: float) -> Animation:
        return FillCells(self.slots, changed, cells, seconds, 2, delay=delay, rate=linear)

    def slot_center(self, slot: int) -> tuple[float, float]:
        """Design pixel of the middle of a slot."""
        box = self.slots.cell_box(slot)
        return box.cx, box.cy


class PageTiles(Group):
    """Tiles of `indices`, down the columns of `box`, below a line that says what they show."""

    def __init__(self, indices: Sequence[int], n_pages: int, page_size: int, box: Box) -> None:
        columns = 1 if len(indices) <= ONE_COLUMN else 2
        deep = -(-len(indices) // columns)
        height = min(TALLEST, (box.h - HEAD + GAP) / deep - GAP)
        text: str = "page pool"
        if len(indices) < n_pages:
            shown = measure("pool.used_first", len(indices), "plain", most=MOST_TILES)
            text = say("{} of {} pages", shown, measure("pool.pages", n_pages, "plain"))
        self.title = Label(text, theme.SMALL, "sans-medium", theme.TEXT, (box.x, box.y + 14))
        room = box.w - fonts.width(text, "sans-medium", theme.SMALL) - TITLE_GAP
        key = KEY if fonts.width(KEY, "sans", theme.SMALL) <= room else ""
        self.key = Label(key, theme.SMALL, "sans", theme.MUTED, (box.right, box.y + 14), "right")
        self.pages: list[Tile] = []
        self.by_index: dict[int, Tile] = {}
        for column, place in enumerate(box.columns(columns, COLUMN_GAP)):
            for row, index in enumerate(indices[column * deep : (column + 1) * deep]):
                at = Box(place.x, box.y + HEAD + row * (height + GAP), place.w, height)
                tile = Tile(index, at, page_size)
                self.pages.append(tile)
                self.by_index[index] = tile
        super().__init__(self.title, self.key, *self.pages)

    def flash(self, pages: Sequence[int]) -> list[Animation]:
        """Draw the eye to `pages`, where they are shown."""
        return [Flash(self.by_index[page].frame) for page in pages if page in self.by_index]


__all__ = ["PageTiles", "Tile"]
