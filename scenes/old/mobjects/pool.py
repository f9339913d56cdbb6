"""The page pool: every page in its place."""

from __future__ import annotations

from manim import Group

from scenes.draw.layout import Box
from scenes.old.mobjects.page import Page
from scenes.story.limits import pool_rows

GAP = 16
ROW_GAP = 22


class PagePool(Group):
    """All pages, left to right and top to bottom, in `box`."""

    def __init__(self, n_pages: int, page_size: int, box: Box) -> None:
        rows = pool_rows(n_pages)
        columns = max(-(-n_pages // rows), 4)
        self.columns = columns
        self.box = box
        self.pages: list[Page] = []
        for row_index, row in enumerate(box.rows(rows, ROW_GAP)):
            for column, cell in enumerate(row.columns(columns, GAP)):
                index = row_index * columns + column
                if index < n_pages:
                    self.pages.append(Page(index, cell, page_size))
        super().__init__(*self.pages)

    def approach(self, page: int, lane: float) -> list[tuple[float, float]]:
        """Last corners of an arrow to `page` that comes along the height `lane` above the pool."""
        target = self.pages[page]
        x, y = target.top
        if target.box.y <= self.box.y + 1:
            return [(x, lane), (x, y)]
        first = target.box.x <= self.box.x + 1
        gutter = target.box.right + GAP / 2 if first else target.box.x - GAP / 2
        above = y - ROW_GAP / 2 - 2
        return [(gutter, lane), (gutter, above), (x, above), (x, y)]
