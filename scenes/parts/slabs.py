"""The slabs: K and V as they are reserved, one tensor each for all pages, with its shape."""

from dataclasses import dataclass

from scenes import theme
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import measure, say, written
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View
from scenes.parts.pool import Pool

GAP, SHAPE, LETTER, MOST = 14.0, 150.0, 64.0, 220.0
SIZE = 48.0
"""Em size of the shape's numbers."""
NAMES = ("layers", "pages", "slots", "heads", "head dim")
TENSORS = {"ground": "K", "frame": "V"}


@dataclass(frozen=True)
class Slabs(Part):
    """The tensors K and V, as far as they are `made` (0 to 2 of them), with their one shape below.

    Once `cut`, their pages stand apart, or `pages` of them. Named "pool", these become the pages of
    the pool that follows.
    """

    needs = Room(SHAPE + 200, SHAPE + 2 * MOST + GAP)

    made: int = 2
    cut: bool = False
    pages: tuple[int, ...] = ()

    def draw(self, view: View, box: Box) -> Atoms:
        box = box.inset(2, 0)
        t, pages = view.theme, self.pages or tuple(range(view.n_pages))
        more = view.n_pages - len(pages)
        rows = Box(box.x + LETTER, box.y, box.w - LETTER, box.h - SHAPE).rows(2, GAP)
        gap, across = GAP if self.cut else 0.0, self._across(view, box)
        for (kind, tensor), row in [*zip(TENSORS.items(), rows, strict=True)][: self.made]:
            yield (tensor,), Text(tensor, (box.x, row.cy), px=theme.TAKEAWAY, face="sans-bold", color=t.text)
            lanes = row.rows(-(-(len(pages) + bool(more)) // across), gap)
            cells = [cell for lane in lanes for cell in lane.columns(across, gap)]
            edge: Look = {"stroke": t.muted, "radius": 8.0} if self.cut else {"radius": 0.0}
            look: Look = {"align": "center", "ground": t.empty}
            for page, cell in zip(pages, cells, strict=False):
                yield (page, kind), Block(cell, fill=t.empty, **edge, z=int(kind == "frame"))
                if self.cut and kind == "ground":
                    number = written("page.number", page, page=page)
                    yield (page, "number"), Text(number, (cell.cx, cell.cy), face="mono-bold", color=t.text, **look)
            if more:
                last = cells[len(pages)]
                yield (tensor, "rest"), Block(last, fill=t.empty, radius=edge["radius"])
                if self.cut and kind == "ground":
                    text = say("+{}", measure("slabs.more", more, shown=len(pages)))
                    yield ("more",), Text(text, (last.cx, last.cy), px=theme.LEAST_SIZE, color=t.muted, **look)
            if not self.cut:
                yield (tensor, "slab"), Block(row, stroke=t.muted, width=3.0, radius=4.0, z=1)
        yield from self._shape(view, Box(rows[0].x, box.bottom - SHAPE, rows[0].w, SHAPE))

    def _across(self, view: View, box: Box) -> int:
        """Pages side by side: as many as in a pool that stands here."""
        places = Pool(pages=self.pages).boxes(view, box).values()
        return sum(place.y == min(other.y for other in places) for place in places)

    def _shape(self, view: View, box: Box) -> Atoms:
        """The five sizes of the shape, each over its name."""
        t, ask = view.theme, view.ask
        sizes = (
            ask.model("n_layers"),
            ask.pool_pages("plain"),
            ask.page_size(),
            ask.model("n_kv_heads"),
            ask.model("head_dim"),
        )
        for i, (size, name, column) in enumerate(zip(sizes, NAMES, box.columns(len(sizes), GAP), strict=True)):
            color, px = t.text if not self.cut or name == "pages" else t.muted, theme.LEAST_SIZE
            look: Look = {"face": "mono-bold", "color": color, "align": "center"}
            yield ("size", i), Text(say("{}", size), (column.cx, box.y + 62), px=SIZE, **look)
            yield ("name", i), Text(name, (column.cx, box.y + 112), px=px, color=t.muted, align="center")
            if i:
                yield ("by", i), Text("×", (column.x - GAP / 2, box.y + 62), color=t.muted, align="center")

    def read(self, shown: Shown) -> Read:
        """The pages that each tensor is drawn with."""
        found: dict[str, list[int]] = {}
        for key in shown:
            if key[-1] in TENSORS:
                found.setdefault(TENSORS[key[-1]], []).append(key[1])
        return {"slabs": {tensor: sorted(pages) for tensor, pages in found.items()}}
