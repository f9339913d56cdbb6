"""The strip: what `gather` reads of a request's pages, in the order of its table."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import FLYING, Block, Cells, Move, Picture, Text, grid_edges, rgba
from scenes.draw.layout import Box
from scenes.measures import measure, say
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View
from scenes.parts.slots import page_colors

HEAD, FOOT, ROW, LEAST_PITCH = 52.0, 56.0, 96.0, 8.0
SECONDS, REACH, LEAST_WIDE = 1.9, 5.0, 0.6
LONGEST = 4096
"""Tokens up to which each has a cell of its own."""


@dataclass(frozen=True)
class Strip(Part):
    """The first `length` tokens of a request, as the `gather` event `seq` reads them for it in its layer:
    one cell a token, the page of each stretch below it, that of logical page `acting` in a frame.
    Without `landed` the place for it is empty."""

    task: str = ""
    seq: int = 0
    landed: bool = True
    acting: int | None = None

    def _row(self, view: View) -> Any:
        return next(row for row in view.trace[self.seq].rows if row.task == self.task)

    def _grid(self, view: View, width: float) -> tuple[int, int]:
        """Pages side by side, and rows of them."""
        length, size = self._row(view).length, view.page_size
        pages = -(-length // size)
        across = max(1, min(pages, int(width / LEAST_PITCH / size)))
        return across, -(-pages // across)

    def room(self, view: View, width: float) -> Room:
        rows = self._grid(view, width)[1]
        return Room(HEAD + rows * (ROW / 2 + FOOT), HEAD + rows * (ROW + FOOT))

    def draw(self, view: View, box: Box) -> Atoms:
        box = box.inset(REACH + 2, 0)
        t, row, size = view.theme, self._row(view), view.page_size
        across, rows = self._grid(view, box.w)
        if self.landed:
            ask = view.ask
            shape = (measure("task.cached", row.length, task=self.task, at=self.seq), ask.model("n_kv_heads"))
            layer = measure("gather.layer", view.trace[self.seq].layer, "plain", seq=self.seq)
            title = say("K and V of layer {}: {}×{}×{} each", layer, *shape, ask.model("head_dim"))
            yield ("title",), Text(title, (box.x, box.y + HEAD / 2 - 6), face="mono", color=t.muted)
        lanes = Box(box.x, box.y + HEAD, box.w, box.h - HEAD).rows(rows, 0)
        pitch = box.w / (min(row.length, across * size) if rows == 1 else across * size)
        pitch = max(LEAST_WIDE * pitch, min(pitch, 40.0))
        for logical, page in enumerate(row.pages[: -(-row.length // size)]):
            lane, place = lanes[logical // across], logical % across
            n = min(size, row.length - logical * size)
            stretch = Box(box.x + place * size * pitch, lane.y, n * pitch, lane.h - FOOT)
            edges = grid_edges(stretch, n, n, 2.0 if pitch >= 8 else 0.0)
            fills = page_colors(view, page)[0][:n]
            if not self.landed:
                fills = np.tile(rgba(t.panel), (n, 1))
            yield (logical, "cells"), Cells(edges, fills)
            if logical == self.acting:
                yield (logical, "frame"), Block(stretch.inset(-REACH), stroke=t.accent, width=4, acting=True, z=1)
            if self.landed:
                yield (logical, "page"), self._below(view, logical, page, stretch, box.right)

    def _below(self, view: View, logical: int, page: int, stretch: Box, right: float) -> Text:
        """The page that a stretch comes from, named where there is room, left of `right`."""
        number = measure("table.entry", page, "plain", task=self.task, logical=logical, at=self.seq)
        text = say("page {}" if stretch.w > 120 else "{}", number)
        last = stretch.w < 120
        x = min(stretch.x, right - fonts.width(text, "mono-bold", theme.LABEL)) if last else stretch.cx
        at = (x, stretch.bottom + FOOT / 2 + 4)
        return Text(text, at, face="mono-bold", color=view.hue(self.task), align="left" if last else "center")

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """The filled slots of all pages lift together, as copies."""
        for logical, page in enumerate(self._row(now).pages):
            place, slots = after.get((self.key, logical, "cells")), after.get(("pool", page, "slots"))
            there = before.get((self.key, logical, "page")) or not self.landed
            if there or not isinstance(place, Cells) or not isinstance(slots, Cells):
                continue
            n = len(place.edges)
            look = {"fills": place.fills, "lines": np.tile(rgba(now.theme.accent), (n, 1)), "z": FLYING}
            yield Move(Cells(slots.edges[:n], **look), Cells(place.edges, **look), seconds=SECONDS)

    def read(self, shown: Shown) -> Read:
        """Cells of each page's stretch, in order."""
        found = {key[1]: mobject.n for key, mobject in shown.items() if key[-1] == "cells"}
        return {"strip": (self.task, self.seq, tuple(found[place] for place in sorted(found)))}
