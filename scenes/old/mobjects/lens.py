"""Pages of a map opened in a panel, each tied to its cell."""

from __future__ import annotations

from collections.abc import Sequence

from manim import Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.layout import Box
from scenes.old.mobjects.map import PageMap
from scenes.old.mobjects.page import PADDING, Page
from scenes.old.mobjects.shapes import Panel
from scenes.old.mobjects.wire import Wire

GAP = 20
WIDEST = 300
TALLEST = 300
MOST = 6
MARK = 12
LEAST_FIELD = 96
BRACKET = 10
"""Room below the pages for the lines that join those with one arrow."""


def lens_places(n_pages: int, box: Box) -> int:
    """How many pages of a pool of `n_pages` fit side by side in `box`."""
    number = fonts.width(str(n_pages - 1), "mono-bold", theme.SMALL)
    ref = fonts.width("ref 00", "mono", theme.SMALL)
    least = max(LEAST_FIELD, number + ref + 16) + 2 * PADDING
    return max(1, min(MOST, n_pages, int((box.w + GAP) // (least + GAP))))


def runs_of(cells: Sequence[int], columns: int) -> list[tuple[int, int]]:
    """(first, count) of stretches of `cells` that lie side by side in one row, in order."""
    runs: list[tuple[int, int]] = []
    for at, cell in enumerate(cells):
        if runs and cell == cells[at - 1] + 1 and cell % columns:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((at, 1))
    return runs


class Lens(Group):
    """`pages` side by side in `box`, tied to their cells in `map`.

    Pages whose cells lie side by side share one arrow and one mark. Pages have the width
    that `places` of them leave.
    """

    def __init__(
        self, pages: Sequence[int], places: int, page_size: int, box: Box, band: Box, page_map: PageMap
    ) -> None:
        self.map = page_map
        width = min(WIDEST, (box.w - GAP * (places - 1)) / places)
        height = min(TALLEST, box.h - BRACKET)
        top = box.bottom - BRACKET - height
        self.pages = [
            Page(index, Box(box.x + place * (width + GAP), top, width, height), page_size)
            for place, index in enumerate(pages)
        ]
        self.runs = runs_of([page // page_map.grid.group for page in pages], page_map.field.columns)
        self.marks: list[Panel] = []
        self.wires: list[Wire] = []
        brackets = []
        field = page_map.field.box
        for place, (at, count) in enumerate(self.runs):
            first, last = self.pages[at], self.pages[at + count - 1]
            start, end = (page_map.cell_box(page.index) for page in (first, last))
            x = (start.x + end.right) / 2
            side_w, side_h = max(MARK, end.right - start.x + 6), max(MARK, start.h + 6)
            left = min(max(x - side_w / 2, field.x - 1), field.right + 1 - side_w)
            mark = Box(left, start.cy - side_h / 2, side_w, side_h)
            self.marks.append(Panel(mark, stroke=theme.ACCENT, radius=2, stroke_px=2))
            y = first.box.bottom + BRACKET
            middle = (first.box.x + last.box.right) / 2
            brackets.append(
                Panel(Box(first.box.x, y - 2, last.box.right - first.box.x, 2), fill=theme.ACCENT, radius=1)
            )
            lane = band.y + 12 + place * (band.h - 24) / len(self.runs)
            self.wires.append(Wire([(middle, y), (middle, lane), (x, lane), (x, mark.y)], theme.ACCENT, px=1.6))
        super().__init__(*self.pages, *brackets, *self.wires, *self.marks)

    def cells(self) -> dict[int, int]:
        """Which cell of the map the arrow and mark of each page point at, by page."""
        field = self.map.field
        box = field.box
        pitch_x = (box.w + field.gap) / field.columns
        pitch_y = (box.h + field.gap) / field.rows
        found = {}
        for (at, count), mark, wire in zip(self.runs, self.marks, self.wires, strict=True):
            middle = (wire.route[-1][0] + field.gap / 2 - box.x) / pitch_x
            row = int((mark.box.cy - box.y) / pitch_y)
            for place in range(count):
                column = int(middle - count / 2 + place + 0.5)
                found[self.pages[at + place].index] = row * field.columns + column
        return found

    def read(self) -> dict:
        """What the pages show, by field, as the pool's pages do."""
        pages = {page.index: page.read() for page in self.pages}
        fields = {"colors": "color", "filled": "filled"}
        return {"owners": {index: sorted(page["owners"]) for index, page in pages.items()}} | {
            field: {index: page[name] for index, page in pages.items()} for field, name in fields.items()
        }
