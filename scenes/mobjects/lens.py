"""Pages of a map opened in a panel, each tied to its cell."""

from __future__ import annotations

from manim import Group

from scenes import fonts, theme
from scenes.layout import Box
from scenes.mobjects.map import PageMap
from scenes.mobjects.page import PADDING, Page
from scenes.mobjects.shapes import Panel
from scenes.mobjects.wire import Wire

GAP = 20
WIDEST = 300
TALLEST = 300
MOST = 6
MARK = 12
LEAST_FIELD = 96


def lens_places(n_pages: int, box: Box) -> int:
    """How many pages of a pool of `n_pages` fit side by side in `box`."""
    number = fonts.width(str(n_pages - 1), "mono-bold", theme.SMALL)
    ref = fonts.width("ref 00", "mono", theme.SMALL)
    least = max(LEAST_FIELD, number + ref + 16) + 2 * PADDING
    return max(1, min(MOST, n_pages, int((box.w + GAP) // (least + GAP))))


class Lens(Group):
    """`pages` side by side where `plan.panel` is, an arrow from each to its cell in `map`.

    Pages have the width that `places` of them leave.
    """

    def __init__(self, pages, places: int, page_size: int, plan, page_map: PageMap) -> None:
        box = plan.panel
        self.map = page_map
        width = min(WIDEST, (box.w - GAP * (places - 1)) / places)
        height = min(TALLEST, box.h)
        top = box.bottom - height
        self.pages = [
            Page(index, Box(box.x + place * (width + GAP), top, width, height), page_size)
            for place, index in enumerate(pages)
        ]
        self.marks: list[Panel] = []
        self.wires: list[Wire] = []
        band, field = plan.band, page_map.field.box
        lanes = max(1, len(self.pages))
        for place, page in enumerate(self.pages):
            cell = page_map.cell_box(page.index)
            side_w, side_h = max(MARK, cell.w + 4), max(MARK, cell.h + 4)
            left = min(max(cell.cx - side_w / 2, field.x - 1), field.right + 1 - side_w)
            mark = Box(left, cell.cy - side_h / 2, side_w, side_h)
            self.marks.append(Panel(mark, stroke=theme.ACCENT, radius=2, stroke_px=2))
            lane = band.y + 12 + place * (band.h - 24) / lanes
            start = (page.box.cx, page.box.bottom)
            end = (cell.cx, mark.y)
            self.wires.append(
                Wire([start, (start[0], lane), (end[0], lane), end], theme.ACCENT, px=1.8)
            )
        super().__init__(*self.pages, *self.wires, *self.marks)

    def cells(self) -> dict[int, int]:
        """Which cell of the map each page's arrow and mark point at, by page."""
        field = self.map.field
        box = field.box
        pitch_x = (box.w + field.gap) / field.columns
        pitch_y = (box.h + field.gap) / field.rows
        found = {}
        for page, mark, wire in zip(self.pages, self.marks, self.wires, strict=True):
            column = int((wire.route[-1][0] - box.x) / pitch_x)
            row = int((mark.box.cy - box.y) / pitch_y)
            found[page.index] = row * field.columns + column
        return found

    def read(self) -> dict:
        """What the pages show, by field, as the pool's pages do."""
        pages = {page.index: page.read() for page in self.pages}
        fields = {"refs": "ref", "colors": "color", "filled": "filled"}
        return {
            "owners": {index: sorted(page["owners"]) for index, page in pages.items()}
        } | {
            field: {index: page[name] for index, page in pages.items()}
            for field, name in fields.items()
        }
