"""The plate: what attention is given for a pass, the page tables of its requests as one rectangle."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from astrai_sim.trace import Trace
from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import FLYING, Block, Line, Move, Picture, Text
from scenes.draw.layout import Box
from scenes.measures import Measure, Said, measure, say
from scenes.parts.chip import CHIP, CHIP_GAP, chip, chip_width
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View

CELL, HEIGHT, GAP, HEAD, ASIDE, ARROW, FLAT = 128.0, 112.0, 12.0, 56.0, 56.0, 76.0, 56.0
MOST_ROWS, MOST_COLUMNS, LOW, PRESSED = 3, 5, 200.0, 0.55
FILLER = -1
"""The entry that fills up a table that is shorter than the longest."""


@dataclass(frozen=True)
class Plate(Part):
    """The rectangle of the pass that writes in event `seq`, of its first requests and of the last entries
    of long tables. `tables` and `lengths` say what of it is filled in; with `attended` attention takes it."""

    seq: int = 0
    tables: bool = True
    lengths: bool = True
    attended: bool = False

    def room(self, view: View, width: float) -> Room:
        rows, below = min(MOST_ROWS, len(self.passed(view.trace))), ARROW + HEIGHT
        return Room(HEAD + rows * (FLAT + GAP) + PRESSED * below, HEAD + rows * (max(HEIGHT, LOW / rows) + GAP) + below)

    def filler(self, trace: Trace) -> Measure | None:
        """The first entry that fills up one of the drawn rows; None where their tables are as long as any."""
        lengths = [len(table) for _, table, _ in self.passed(trace)]
        short = (row for row, length in enumerate(lengths[:MOST_ROWS]) if length < max(lengths))
        return next((self._entry(FILLER, row, max(lengths) - 1) for row in short), None)

    def _entry(self, page: int, row: int, column: int) -> Measure:
        return measure("view.entry", page, "plain", seq=self.seq, row=row, column=column)

    def passed(self, trace: Trace) -> list[tuple[str, list[int], int]]:
        """(request, table, tokens to read) of each request in the pass."""
        event, state = trace[self.seq], trace.state_at(self.seq)
        return [(span.task, state.tables[span.task], span.start + span.count) for span in event.spans]

    def draw(self, view: View, box: Box) -> Atoms:
        t, passed = view.theme, self.passed(view.trace)
        rows, width = passed[:MOST_ROWS], max(len(table) for _, table, _ in passed)
        first = max(0, width - MOST_COLUMNS)
        chips = chip_width(*(task for task, _, _ in rows))
        x = box.x + chips + CHIP_GAP
        room = box.w - chips - CHIP_GAP - ASIDE - fonts.width("lengths", "mono", theme.LABEL)
        wide = min(CELL, room / (width - first) - GAP)
        share = self._share(view, box)
        high = (box.h - HEAD - share * (ARROW + HEIGHT)) / len(rows) - GAP
        size, columns = min(CHIP, high), (width - first) * (wide + GAP) + GAP
        rectangle = Box(x - GAP, box.y + HEAD - GAP, columns, len(rows) * (high + GAP) + GAP)
        sizes = (("view.rows", len(passed)), ("view.columns", width))
        title = say("page_table {}×{}", *(measure(name, n, "plain", seq=self.seq) for name, n in sizes))
        aside = max(rectangle.right, x + fonts.width(title, "mono", theme.LABEL)) + ASIDE
        acting = self.tables and not self.attended
        yield ("rectangle",), Block(rectangle, fill=t.panel, stroke=t.accent, width=4.0, acting=acting)
        if self.tables:
            yield ("shape",), self._titled(view, title, x, box.y)
        if self.lengths:
            yield ("longest",), self._titled(view, say("lengths"), aside, box.y)
        for row, (task, table, length) in enumerate(rows):
            y = box.y + HEAD + row * (high + GAP)
            hue, cy = view.hue(task), y + high / 2
            yield from chip(view, task, Box(box.x, cy - size / 2, chips, size), row, keeps=False)
            for column in range(first, width):
                cell = Box(x + (column - first) * (wide + GAP), y, wide, high)
                page = table[column] if column < len(table) else FILLER
                held = page != FILLER
                stroke = hue if held else t.muted
                yield (row, column, "cell"), Block(cell, fill=t.panel, stroke=stroke, dashed=not held)
                if self.tables:
                    entry = say("{}", self._entry(page, row, column))
                    look: Look = {"face": "mono-bold", "color": stroke, "align": "center", "ground": t.panel}
                    yield (row, column, "entry"), Text(entry, (cell.cx, cell.cy), px=theme.CAPTION, **look)
            if self.lengths:
                text = say("{}", measure("view.length", length, seq=self.seq, row=row))
                yield (row, "length"), Text(text, (aside, cy), px=theme.CAPTION, face="mono-bold", color=t.text)
        if self.attended:
            apart, tall = share * ARROW, share * HEIGHT
            target = Box(rectangle.x, rectangle.bottom + apart, max(rectangle.w, 260.0), tall)
            points = np.array([(target.cx, rectangle.bottom + 6), (target.cx, target.y - 6)])
            yield ("arrow",), Line(points, color=t.accent, width=4, head=True)
            yield ("attention",), Block(target, fill=t.panel, stroke=t.accent, width=3)
            at = (target.cx, target.cy)
            yield ("word",), Text("attention", at, px=theme.CAPTION, color=t.text, align="center", ground=t.panel)

    def _titled(self, view: View, text: Said, x: float, y: float) -> Text:
        return Text(text, (x, y + HEAD / 2 - 8), face="mono", color=view.theme.muted)

    def _share(self, view: View, box: Box) -> float:
        """Of the height of arrow and attention what there is in `box`."""
        room = self.room(view, box.w)
        return min(1.0, max(PRESSED, PRESSED + (1 - PRESSED) * (box.h - room.least) / (room.best - room.least)))

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """Entries come from under the tapes; then the whole rectangle goes to attention."""
        tasks = [task for task, _, _ in self.passed(now.trace)]
        for key, atom in after.items():
            if key[0] != self.key or key[-1] != "entry" or key in before or not isinstance(atom, Text):
                continue
            number = before.get(("tape", tasks[key[1]], key[2], "number"))
            if isinstance(number, Text):
                cell = after[(*key[:-1], "cell")]
                assert isinstance(cell, Block)
                start = Box(number.at[0] - 30, number.at[1] - 22, 60, 44)
                yield Move(replace(cell, box=start, z=FLYING), replace(cell, z=FLYING), 0.06 * key[2])
        attention, rectangle = (after.get((self.key, kind)) for kind in ("attention", "rectangle"))
        if (self.key, "attention") in before or not isinstance(attention, Block) or not isinstance(rectangle, Block):
            return
        plate = replace(rectangle, z=FLYING)
        yield Move(plate, replace(plate, box=attention.box), seconds=0.9)

    def read(self, shown: Shown) -> Read:
        """How many entries each row has, fillers included."""
        rows = Counter(key[1] for key in shown if key[-1] == "cell")
        return {"view.entries": (self.seq, MOST_COLUMNS, dict(rows))}
