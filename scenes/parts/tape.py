"""Requests as tapes: tokens in logical order, cut into pages, the physical page's number under each."""

from dataclasses import dataclass

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Text, rgba
from scenes.draw.layout import Box
from scenes.measures import joined, measure, say, written
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View
from scenes.parts.slots import columns_of, filled, slots_atom
from scenes.parts.speech import question

TILE_GAP, CHIP_GAP, NUMBERS = 16.0, 24.0, 40.0
LEAST_TILE, WIDEST = 64.0, 400.0
LOW_ROW, UPRIGHT_ROW, ROW, BEST_ROW, ROW_GAP = 64.0, 76.0, 92.0, 190.0, 10.0
CHIP = 52.0
MOST_ASKED = 0.4
"""What is asked takes at most so much of a row."""
KNOWN, FINE, FINE_KNOWN = 0.75, 18.0, 0.45
"""Opacity of the outline of a token that is known and not computed; cells narrower than `FINE` have a fainter one."""


@dataclass(frozen=True)
class Tape(Part):
    """The tapes of `tasks`, one row each. `acting` are tiles, as (request, logical page), that the
    caption speaks of; with `counts` the number of tokens stands behind each tape, or, where it `asks`
    and its text was recorded, what it asks. One that is `low` leaves its room to others. A tile without
    a page has, with `cuts`, its number of tokens below it. Room is kept for `rows` of them at least."""

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
        chip = max(chip_width(task, view) for task in self.tasks)
        lives = [view.history.requests[task] for task in self.tasks]
        most = max(life.prompt + life.generated for life in lives)
        count = fonts.width(f"{most:,}", "mono", theme.LABEL) + CHIP_GAP if self.counts else TILE_GAP
        asked = [fonts.width(text, "sans", theme.LABEL) for task in self.tasks if (text := self._asked(view, task))]
        count = min(MOST_ASKED * box.w, max(asked) + CHIP_GAP) if asked else count
        tiles = max(view.final_pages[life.index] for life in lives)
        room = box.w - chip - CHIP_GAP - count
        width = min(WIDEST, (room + TILE_GAP) / tiles - TILE_GAP)
        most = tiles if width >= LEAST_TILE else max(5, int((room + TILE_GAP) / (LEAST_TILE + TILE_GAP)))
        width = max(width, LEAST_TILE)
        behind = min(most, tiles) * (width + TILE_GAP) - TILE_GAP + CHIP_GAP
        n = len(self.tasks)
        high = min(box.h, n * BEST_ROW + (n - 1) * ROW_GAP)
        box = Box(box.x, box.cy - high / 2, box.w, high)
        for task, row in zip(self.tasks, box.rows(n, ROW_GAP), strict=True):
            yield from self._row(view, task, row, chip, width, most)
            if (asked := self._asked(view, task)) and task in view.state.tasks:
                x = row.x + chip + CHIP_GAP + behind
                asked = fonts.fit(asked, "sans", theme.LABEL, row.right - x + 1)
                at = (x, row.cy - NUMBERS / 2)
                yield (task, "asks"), Text(asked, at, color=view.theme.text, early=True)

    def _asked(self, view: View, task: str) -> str:
        """What a request asks, on one line; nothing where that is not shown."""
        return joined(" ", question(view, task)) if self.asks else ""

    def _row(self, view: View, task: str, row: Box, chip: float, width: float, most: int) -> Atoms:
        state = view.state.tasks.get(task, None)
        if state is None:
            return
        hue, body = view.hue(task), Box(row.x, row.y, row.w, row.h - NUMBERS)
        yield (task, "chip"), Block(Box(row.x, body.cy - CHIP / 2, chip, CHIP), fill=hue, keeps=True)
        name = written("task.name", task, "name", task=task)
        at = (row.x + chip / 2, body.cy)
        yield (
            (task, "name"),
            Text(
                name, at, face="sans-bold", color=view.theme.ground, align="center", ground=hue, keeps=True, early=True
            ),
        )
        table = view.state.tables.get(task, [])
        size, known, stored = view.page_size, state.n_tokens, state.kv_len
        if state.status == "finished" and not table:
            known = stored = 0
            at = (row.x + chip + CHIP_GAP, body.cy)
            yield (task, "done"), Text("finished", at, color=view.theme.muted)
        n = max(-(-known // size), len(table))
        x = row.x + chip + CHIP_GAP
        for logical in _shown(n, most, {place for name, place in self.acting if name == task}):
            if logical is None:
                folded = n - most + 1
                text = say("… {} pages …", measure("tape.folded", folded, task=task, shown=most - 1))
                yield (task, "fold"), Text(text, (x, body.cy), px=theme.LEAST_SIZE, color=view.theme.muted)
                x += fonts.width(text, "sans", theme.LEAST_SIZE) + TILE_GAP
                continue
            tile = Box(x, body.y, width, body.h)
            yield from self._tile(view, task, logical, tile, table, known, stored)
            x += width + TILE_GAP
        if self.counts and known and not self._asked(view, task):
            text = say("{}", measure("task.tokens", known, task=task))
            px = theme.LABEL
            yield (task, "count"), Text(text, (x + 8, body.cy), px=px, face="mono", color=view.theme.muted)

    def _tile(self, view: View, task: str, logical: int, tile: Box, table: list[int], known: int, stored: int) -> Atoms:
        size, hue = view.page_size, view.hue(task)
        held = logical < len(table)
        acting = (task, logical) in self.acting
        stroke = view.theme.accent if acting else hue if held else None
        yield (
            (task, logical, "tile"),
            Block(
                tile,
                stroke=stroke or view.theme.ground,
                fill=view.theme.panel if held else None,
                width=4 if acting else 2,
                acting=acting,
            ),
        )
        shared = held and view.ink()[0][table[logical], 0] not in (-1, view.history.requests[task].index)
        slots = logical * size + np.arange(size)
        fills = np.tile(rgba(view.theme.empty if held else None), (size, 1))
        lines = np.zeros((size, 4))
        done = slots < stored
        fills[done] = self._filled(view, task, logical, table)[done]
        fine = tile.w / columns_of(size) < FINE
        lines[(slots < known) & ~done] = rgba(hue, FINE_KNOWN if fine else KNOWN)
        yield (task, logical, "slots"), slots_atom(tile.inset(8), fills, lines, None if shared else logical * size)
        if self.cuts and not held:
            count = say("{}", measure("tile.tokens", min(size, known - logical * size), task=task, logical=logical))
            at, px = (tile.cx, tile.bottom + NUMBERS / 2 + 4), theme.LABEL
            yield (task, logical, "cut"), Text(count, at, px=px, face="mono", color=hue, align="center")
        if held:
            number = say("{}", measure("table.entry", table[logical], "plain", task=task, logical=logical))
            at = (tile.cx, tile.bottom + NUMBERS / 2 + 4)
            px = theme.LABEL
            yield (
                (task, logical, "number"),
                Text(number, at, px=px, face="mono-bold", color=hue, align="center", acting=acting),
            )

    def _filled(self, view: View, task: str, logical: int, table: list[int]) -> np.ndarray:
        """Colours of computed slots: those of who computed them."""
        who, where = view.ink()
        index = view.history.requests[task].index
        if logical >= len(table):
            return np.tile(view.shade(index, logical), (view.page_size, 1))
        page = table[logical]
        writers = np.where(who[page] >= 0, who[page], index)
        return np.stack([view.shade(int(w), int(p)) for w, p in zip(writers, where[page], strict=True)])

    def read(self, shown: Shown) -> Read:
        """How many tokens of each request are filled, and how many outlined."""
        tape: dict[str, list[int]] = {task: [0, 0] for task in self.tasks}
        for key, mobject in shown.items():
            if key[-1] == "slots":
                tape[key[1]][0] += int(np.count_nonzero(filled(mobject, self.lit)))
                tape[key[1]][1] += int(np.count_nonzero(mobject.lines[:, 3] > 0))
        folded = [key[1] for key in shown if key[-1] == "fold"]
        return {"tape": {task: tuple(counts) for task, counts in tape.items() if task not in folded}}


def chip_width(task: str, view: View) -> float:
    """Width of a request's chip."""
    return max(64.0, fonts.width(task, "sans-bold", theme.LABEL) + 32)


def _shown(n: int, most: int, acting: set[int]) -> list[int | None]:
    """Logical pages that are drawn of `n`; None stands for those that are folded."""
    if n <= most:
        return list(range(n))
    kept = {0, 1, n - 1, n - 2} | {a + d for a in acting for d in (-1, 0, 1) if 0 <= a + d < n}
    for place in range(n - 1, -1, -1):
        if len(kept) >= most - 1:
            break
        kept.add(place)
    out: list[int | None] = []
    for place in sorted(kept)[: most - 1] if len(kept) > most - 1 else sorted(kept):
        if out and out[-1] is not None and place != out[-1] + 1 and None not in out:
            out.append(None)
        out.append(place)
    return out
