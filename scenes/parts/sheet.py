"""A sheet: one blank page, or the words of a request on it, whole and cut into pages."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes.draw import fonts
from scenes.draw.atoms import Block, Cells, Text, rgba
from scenes.draw.layout import Box
from scenes.measures import measure, say
from scenes.parts.part import Atoms, Part, Read, Shown, View
from scenes.parts.slots import filled, slots_atom
from scenes.parts.tape import KNOWN
from scenes.parts.words import HIGH, Word, around, broken, pages_of, spoken
from scenes.parts.words import PAD as WORD_PAD

Line = list[tuple[Word, float, float]]
SIZES, ONE_LINE = (84, 72, 60, 56, 52, 48, 45, 42, 40, 38, 36, 32, 28), 36
"""Em sizes in pixels, and the least with which each page is in one line."""
GAP, EDGE, PAD, COUNT, ROW = 36.0, 6.0, 24.0, 84.0, 1.55
"""Between two pieces, around them, beside words, for the number of tokens, and, in em, from line to line."""


@dataclass(frozen=True)
class Sheet(Part):
    """The tokens of `task` in lines, with the first `cuts` cuts made between its pages; before it has
    come, or without one, the free page `page` alone, blank and without a number.

    Named "tape" its pieces become the tiles of the tape; named "pool" or "map" the page is one of those.
    """

    task: str = ""
    cuts: int = 0
    page: int = 0

    def draw(self, view: View, box: Box) -> Atoms:
        box, t, state = box.inset(2), view.theme, view.state.tasks.get(self.task, None) if self.task else None
        if not self.cuts:
            yield (self.page, "ground"), Block(box, fill=t.panel, stroke=t.muted, width=3, z=-1)
        if state is None:
            return
        hue, size, body = view.hue(self.task), view.page_size, box.inset(EDGE)
        n = -(-state.n_tokens // size)
        px, lines = self._lines(view, body, n)
        high = [max(1, len(page)) for page in lines]
        pitch = (body.h - GAP * self.cuts) / sum(high)
        y = body.y
        for logical, page in enumerate(lines):
            tile = Box(body.x, y, body.w, high[logical] * pitch)
            y += tile.h + (GAP if logical < self.cuts else 0.0)
            stroke = hue if (logical < self.cuts or self.cuts == n - 1) and self.cuts else None
            yield (self.task, logical, "tile"), Block(tile, fill=t.panel, stroke=stroke, radius=0, z=-1)
            known = min(size, state.n_tokens - logical * size)
            outlines = np.zeros((size, 4))
            outlines[:known] = rgba(hue, KNOWN)
            if px:
                yield from self._words(view, logical, px, tile, page, outlines)
            else:
                fills = np.zeros((size, 4))
                fills[:known] = rgba(t.empty)
                room = Box(tile.x + PAD, tile.y + 8, tile.w - PAD - COUNT, tile.h - 16)
                yield (self.task, logical, "slots"), slots_atom(room, fills, outlines, logical * size)
            if stroke:
                count = say("{}", measure("tile.tokens", known, task=self.task, logical=logical))
                look: dict[str, Any] = {"face": "mono-bold", "color": hue, "align": "right", "ground": t.panel}
                yield (self.task, logical, "cut"), Text(count, (tile.right - PAD, tile.cy), **look)

    def _lines(self, view: View, body: Box, n: int) -> tuple[float, list[list[Line]]]:
        """The size of type and the lines of each page, one where that is not too small; 0 and no lines where there
        are no words, or no room."""
        size, words = view.page_size, spoken(view.trace).get(self.task, ())[: view.state.tasks[self.task].n_tokens]
        pages = [*pages_of(words, size)]
        for px, most in [*((px, 1) for px in SIZES if px >= ONE_LINE), *((px, size) for px in SIZES)]:
            lines = [broken(page, (body.w - PAD - COUNT) / px) for page in pages]
            room = sum(map(len, lines)) * ROW * px + GAP * (n - 1)
            if words and room <= body.h and all(len(page) <= most for page in lines):
                return px, lines
        return 0.0, [[] for _ in range(n)]

    def _words(self, view: View, logical: int, px: float, tile: Box, lines: list[Line], outlines: np.ndarray) -> Atoms:
        """The words of a page, each in the cell of its slot; a chat mark's name in one of those of its tokens."""
        size, first = view.page_size, logical * view.page_size
        pitch = tile.h / max(1, len(lines))
        edges = np.tile([tile.x, tile.cy, tile.x, tile.cy], (size, 1))
        for row, line in enumerate(lines):
            y = tile.y + (row + 0.5) * pitch
            for word, left, right in line:
                place = Box(tile.x + PAD + left * px, y - HIGH * px / 2, (right - left) * px, HIGH * px)
                cells = around(word, place, px)
                slots = slice(word.first - first, word.first - first + word.n)
                edges[slots] = [(cell.x, cell.y, cell.right, cell.bottom) for cell in cells]
                if not word.text:
                    continue
                named = cells[word.named]
                look: dict[str, Any] = {"px": px, "face": word.face, "align": "center", "ground": view.theme.panel}
                said = fonts.fit(word.text, word.face, px, named.w - 2 * WORD_PAD * px + 1)
                at, color = (named.cx, named.cy), view.theme.text
                yield (self.task, logical, "word", word.first), Text(said, at, color=color, **look)
        look = {"fills": np.zeros((size, 4)), "lines": outlines, "order": first + np.arange(size, dtype=float)}
        yield (self.task, logical, "slots"), Cells(edges, radius=4.0, **look)

    def read(self, shown: Shown) -> Read:
        """How many tokens are filled, and how many outlined; of a blank page, which it is."""
        slots = [mobject for key, mobject in shown.items() if key[-1] == "slots"]
        if not slots:
            return {"sheet": tuple(key[1] for key in shown)}
        counts = [(filled(cells, self.lit).sum(), (cells.lines[:, 3] > 0).sum()) for cells in slots]
        return {"tape": {self.task: tuple(map(int, np.sum(counts, axis=0)))}}
