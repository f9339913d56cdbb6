"""The slabs: K and V as they are reserved, one tensor each for all pages, with its shape."""

from dataclasses import dataclass
from typing import Any

from scenes import theme
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import measure, say, written
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View
from scenes.parts.pool import Pool

GAP, SHAPE, LETTER, MOST = 14.0, 150.0, 64.0, 220.0
SIZE = 48.0
"""Em size of the shape's numbers."""
NAMES = ("layers", "pages", "slots", "heads", "head dim")
TENSORS = ("K", "V")


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
        for tensor, row, kind in list(zip(TENSORS, rows, ("ground", "frame"), strict=True))[: self.made]:
            yield (tensor,), Text(tensor, (box.x, row.cy), px=theme.TAKEAWAY, face="sans-bold", color=t.text)
            gap = GAP if self.cut else 0.0
            across = self._across(view, box)
            lanes = row.rows(-(-(len(pages) + bool(more)) // across), gap)
            cells = [cell for lane in lanes for cell in lane.columns(across, gap)]
            for page, cell in zip(pages, cells, strict=False):
                look: dict[str, Any] = {"stroke": t.muted, "radius": 8.0} if self.cut else {"radius": 0.0}
                yield (page, kind), Block(cell, fill=t.empty, **look, z=int(kind == "frame"))
                if self.cut and kind == "ground":
                    number = written("page.number", page, page=page)
                    at = (cell.cx, cell.cy)
                    yield (
                        (page, "number"),
                        Text(number, at, face="mono-bold", color=t.text, align="center", ground=t.empty),
                    )
            if more:
                last = cells[len(pages)]
                yield (tensor, "rest"), Block(last, fill=t.empty, radius=8.0 if self.cut else 0.0)
                if self.cut and tensor == TENSORS[0]:
                    text = say("+{}", measure("slabs.more", more, shown=len(pages)))
                    at = (last.cx, last.cy)
                    yield (
                        ("more",),
                        Text(text, at, px=theme.LEAST_SIZE, color=t.muted, align="center", ground=t.empty),
                    )
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
        sizes = (ask.model("n_layers"), ask.pool_pages("plain"), ask.page_size(), *map(ask.model, HEADS))
        for i, (size, name, column) in enumerate(zip(sizes, NAMES, box.columns(len(sizes), GAP), strict=True)):
            at = (column.cx, box.y + 62)
            color = t.text if (not self.cut or name == "pages") else t.muted
            yield (("size", i), Text(say("{}", size), at, px=SIZE, face="mono-bold", color=color, align="center"))
            yield ("name", i), Text(name, (column.cx, box.y + 112), px=theme.LEAST_SIZE, color=t.muted, align="center")
            if i:
                at = (column.x - GAP / 2, box.y + 62)
                yield ("by", i), Text("×", at, px=theme.LABEL, color=t.muted, align="center")

    def read(self, shown: Shown) -> Read:
        """The pages that each tensor is drawn with."""
        kinds = dict(zip(("ground", "frame"), TENSORS, strict=True))
        found: dict[str, list[int]] = {}
        for key in shown:
            if key[-1] in kinds:
                found.setdefault(kinds[key[-1]], []).append(key[1])
        return {"slabs": {tensor: sorted(pages) for tensor, pages in found.items()}}


HEADS = ("n_kv_heads", "head_dim")
