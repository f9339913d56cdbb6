"""Requests as tapes: tokens in logical order, cut into pages, the physical page's number under each."""

from dataclasses import dataclass, replace

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Text, rgba
from scenes.draw.layout import Box
from scenes.measures import joined, measure, say
from scenes.parts.chip import CHIP, CHIP_GAP, chip, chip_width
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View
from scenes.parts.slots import columns_of, filled, slots_atom
from scenes.parts.talk import opening, question

TILE_GAP, NUMBERS = 16.0, 40.0
LEAST_TILE, WIDEST = 64.0, 400.0
LOW_ROW, UPRIGHT_ROW, ROW, BEST_ROW, ROW_GAP = 64.0, 76.0, 92.0, 190.0, 10.0
MOST_ASKED = 0.4
"""What is asked takes at most so much of a row."""
KNOWN, FINE, FINE_KNOWN = 0.75, 18.0, 0.45
"""Opacity of the outline of a token that is known and not computed; cells narrower than `FINE` have a fainter one."""


@dataclass(frozen=True)
class Tape(Part):
    """The tapes of `tasks`, one row each. `acting` are tiles, as (request, logical page), that the
    caption speaks of; with `counts` the number of tokens stands behind each tape, or, where it `asks`
    and its text was recorded, what it asks, below the first words of its system prompt. One that is
    `low` leaves its room to others. A tile without a page has, with `cuts`, its number of tokens below
    it. Room is kept for `rows` of them at least."""

    tasks: tuple[str, ...] = ()
    acting: tuple[tuple[str, int], ...] = ()
    counts: bool = True
    asks: bool = False
    cuts: bool = False
    low: bool = False
    rows: int = 1

    def room(self, view: View, width: float) -> Room:
        rows = max(self.rows, len(self.tasks))
        least, best = (LOW_ROW, ROW) if self.low else (UPRIGHT_ROW if view.frame.upright else ROW, BEST_ROW)
        return Room(rows * least + (rows - 1) * ROW_GAP, rows * best + (rows - 1) * ROW_GAP)

    def draw(self, view: View, box: Box) -> Atoms:
        if not self.tasks:
            return
        name = chip_width(*self.tasks)
        lives = [view.history.requests[task] for task in self.tasks]
        most = max(life.prompt + life.generated for life in lives)
        count = fonts.width(f"{most:,}", "mono", theme.LABEL) + CHIP_GAP if self.counts else TILE_GAP
        asked = [fonts.width(text, "sans", theme.LABEL) for task in self.tasks if (text := self._asked(view, task))]
        tiles = max(view.final_pages[life.index] for life in lives)
        room = box.w - name - CHIP_GAP - (min(MOST_ASKED * box.w, max(asked) + CHIP_GAP) if asked else count)
        width = min(WIDEST, (room + TILE_GAP) / tiles - TILE_GAP)
        most, fold = tiles, -TILE_GAP
        if width < LEAST_TILE:
            width, wide = LEAST_TILE, fonts.width(f"… {tiles} pages …", "sans", theme.LEAST_SIZE)
            most = max(5, 1 + int((room - wide) / (width + TILE_GAP)))
            fold = wide - width - TILE_GAP if tiles > most else fold
        behind = min(most, tiles) * (width + TILE_GAP) + fold + CHIP_GAP
        n = len(self.tasks)
        high = min(box.h, n * BEST_ROW + (n - 1) * ROW_GAP)
        for task, row in zip(self.tasks, Box(box.x, box.cy - high / 2, box.w, high).rows(n, ROW_GAP), strict=True):
            if task not in view.state.tasks:
                continue
            x, body = row.x + name + CHIP_GAP, Box(row.x, row.y, row.w, row.h - NUMBERS)
            yield from chip(view, task, Box(row.x, body.cy - CHIP / 2, name, CHIP), early=True)
            yield from self._tiles(view, task, Box(x, body.y, width, body.h), most)
            if asked := self._asked(view, task):
                yield from self._asks(view, task, asked, Box(x + behind, row.y, row.right - x - behind + 1, row.h))

    def _asks(self, view: View, task: str, asked: str, box: Box) -> Atoms:
        """What a request asks, and above it how it begins."""
        px, y = theme.LEAST_SIZE, box.cy - NUMBERS / 2
        if begins := opening(view, task, px, box.w):
            yield (task, "begins"), Text(begins, (box.x, y - 18), px=px, color=view.theme.muted, early=True)
            y += 18
        asked = fonts.fit(asked, "sans", theme.LABEL, box.w)
        yield (task, "asks"), Text(asked, (box.x, y), color=view.theme.text, early=True)

    def _asked(self, view: View, task: str) -> str:
        """What a request asks, on one line; nothing where that is not shown."""
        return joined(" ", question(view, task)) if self.asks else ""

    def _tiles(self, view: View, task: str, tile: Box, most: int) -> Atoms:
        """The tiles of a request, the first at `tile`, and how many tokens it has."""
        t, state, table = view.theme, view.state.tasks[task], view.state.tables.get(task, [])
        known, x, y = state.n_tokens, tile.x, tile.cy
        if state.status == "finished" and not table:
            known = 0
            yield (task, "done"), Text("finished", (x, y), color=t.muted)
        n = max(-(-known // view.page_size), len(table))
        for logical in _shown(n, most, {place for name, place in self.acting if name == task}):
            if logical is None:
                text = say("… {} pages …", measure("tape.folded", n - most + 1, task=task, shown=most - 1))
                yield (task, "fold"), Text(text, (x, y), px=theme.LEAST_SIZE, color=t.muted)
                x += fonts.width(text, "sans", theme.LEAST_SIZE) + TILE_GAP
                continue
            yield from self._tile(view, task, logical, replace(tile, x=x), known)
            x += tile.w + TILE_GAP
        if self.counts and known and not self._asked(view, task):
            text = say("{}", measure("task.tokens", known, task=task))
            yield (task, "count"), Text(text, (x + 8, y), px=theme.LABEL, face="mono", color=t.muted)

    def _tile(self, view: View, task: str, logical: int, tile: Box, known: int) -> Atoms:
        t, size, hue, table = view.theme, view.page_size, view.hue(task), view.state.tables.get(task, [])
        held, acting = logical < len(table), (task, logical) in self.acting
        look: Look = {"fill": t.panel if held else None, "width": 4 if acting else 2, "acting": acting}
        yield (task, logical, "tile"), Block(tile, stroke=t.accent if acting else hue if held else t.ground, **look)
        shared = held and view.ink()[0][table[logical], 0] not in (-1, view.history.requests[task].index)
        slots = logical * size + np.arange(size)
        fills, lines = np.tile(rgba(t.empty if held else None), (size, 1)), np.zeros((size, 4))
        done = slots < view.state.tasks[task].kv_len if held else slots < 0
        if held:
            fills[done] = self._filled(view, task, table[logical])[done]
        lines[(slots < known) & ~done] = rgba(hue, FINE_KNOWN if tile.w / columns_of(size) < FINE else KNOWN)
        yield (task, logical, "slots"), slots_atom(tile.inset(8), fills, lines, None if shared else logical * size)
        look = {"px": theme.LABEL, "color": hue, "align": "center"}
        at, args = (tile.cx, tile.bottom + NUMBERS / 2 + 4), {"task": task, "logical": logical}
        if held:
            number = say("{}", measure("table.entry", table[logical], "plain", **args))
            yield (task, logical, "number"), Text(number, at, face="mono-bold", acting=acting, **look)
        elif self.cuts:
            count = say("{}", measure("tile.tokens", min(size, known - logical * size), **args))
            yield (task, logical, "cut"), Text(count, at, face="mono", **look)

    def _filled(self, view: View, task: str, page: int) -> np.ndarray:
        """Colours of computed slots of a page: those of who computed them."""
        who, where = (array[page] for array in view.ink())
        writers = np.where(who >= 0, who, view.history.requests[task].index)
        colors = np.empty((len(writers), 4))
        for writer in np.unique(writers).tolist():
            mine = writers == writer
            colors[mine] = view.shade(writer, where[mine])
        return colors

    def read(self, shown: Shown) -> Read:
        """How many tokens of each request are filled, and how many outlined, of one that is about to go, too."""
        tape: dict[str, list[int]] = {task: [0, 0] for task in self.tasks}
        for key, mobject in shown.items():
            if key[-1] == "slots":
                counts = tape.setdefault(key[1], [0, 0])
                counts[0] += int(np.count_nonzero(filled(mobject, self.lit)))
                counts[1] += int(np.count_nonzero(mobject.lines[:, 3] > 0))
        folded = [key[1] for key in shown if key[-1] == "fold"]
        return {"tape": {task: tuple(counts) for task, counts in tape.items() if task not in folded}}


def _shown(n: int, most: int, acting: set[int]) -> list[int | None]:
    """Logical pages that are drawn of `n`; None stands for those that are folded."""
    if n <= most:
        return list(range(n))
    wanted = 0, n - 1, 1, n - 2, *(a + d for d in (0, -1, 1) for a in sorted(acting)), *range(n - 1, -1, -1)
    kept = [*dict.fromkeys(place for place in wanted if 0 <= place < n)][: most - 1]
    out: list[int | None] = []
    for place in sorted(kept):
        if out and out[-1] is not None and place != out[-1] + 1 and None not in out:
            out.append(None)
        out.append(place)
    return out
