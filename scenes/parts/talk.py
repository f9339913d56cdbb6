"""A conversation: who asks, the pages that hold what is said, and the answer as it grows."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes import theme
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import measure, say, written
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View
from scenes.parts.speech import answer, lines, question
from scenes.parts.tape import CHIP_GAP, chip_width
from scenes.theme import mix

ROW, BEST, GAP, CHIP, INSET = 92.0, 120.0, 10.0, 52.0, 18.0
ENTRY, APART, LEAST_ENTRIES, MOST_ENTRIES, ENTRIES = 52.0, 18.0, 4, 8, 0.4
"""Width of an entry of a page table, pixels between two, how many are shown of a table, and the share of a
row that they take: the first of a longer one, an ellipsis, and the last two."""
LEAST_LINES = 2
"""Lines of each question and answer that are always seen: those of a longer one are its last."""
SIZES = (40, 36, 34, 31, 28)
PITCH = 1.3
TINT = 0.28


@dataclass(frozen=True)
class Talk(Part):
    """What each of `tasks` that have come asks and the last lines of its answer, with its page table,
    each entry in the hue of who computed the page; with `whole` all of the answer instead, in the
    largest type that fits, or as much of its end as does."""

    tasks: tuple[str, ...] = ()
    whole: bool = False

    def room(self, view: View, width: float) -> Room:
        n = max(1, len(self.tasks))
        gaps = (n - 1) * GAP
        if self.whole:
            px = SIZES[-1]
            needs = sum(self._rows(view, task, width, px) for task in self.tasks) * PITCH * px + gaps
            return Room(min(needs, n * LEAST_LINES * PITCH * px + gaps), 2 * needs, grows=True, good=needs)
        return Room(n * ROW + gaps, n * BEST + gaps)

    def draw(self, view: View, box: Box) -> Atoms:
        if self.whole:
            yield from self._whole(view, box)
            return
        chip = max(chip_width(task, view) for task in self.tasks)
        most = max(LEAST_ENTRIES, min(MOST_ENTRIES, int(ENTRIES * box.w / (ENTRY + APART))))
        most = min(most, max(view.final_pages[view.history.requests[task].index] for task in self.tasks))
        here = [task for task in self.tasks if task in view.state.tasks]
        least = len(self.tasks) * (ROW + GAP) / max(1, len(here)) - GAP
        px = next((px for px in SIZES if least > (1 + LEAST_LINES) * PITCH * px), theme.LABEL)
        for task, row in zip(here, box.rows(max(1, len(here)), GAP), strict=False):
            yield (task, "row"), Block(row, fill=view.theme.panel, radius=10)
            x, y = row.x + INSET, min(row.cy, row.y + ROW / 2)
            yield from self._chip(view, task, Box(x, y - CHIP / 2, chip, CHIP))
            x += chip + CHIP_GAP
            yield from self._entries(view, task, x, y, most)
            x += most * (ENTRY + APART) + CHIP_GAP - APART
            yield from self._lines(view, task, Box(x, row.y + 4, row.right - INSET - x, row.h - 8), px)

    def _lines(self, view: View, task: str, box: Box, px: float) -> Atoms:
        """The first line of what is asked, and below it as many of the answer's last lines as there is room for."""
        t, n = view.theme, max(LEAST_LINES, int(box.h / (PITCH * px)))
        asked = lines(question(view, task), "sans", px, box.w - 1.2 * px)
        said = [*enumerate(lines(answer(view, task), "sans-medium", px, box.w))][1 - n :]
        top, look = box.cy + (1 - n) * PITCH * px / 2, {"px": px, "ground": t.panel}
        if asked:
            more = asked[0] if len(asked) == 1 else say("{} …", asked[0])
            yield (task, "asks"), Text(more, (box.x, top), color=t.muted, early=True, **look)
        for place, (i, line) in enumerate(said, start=1):
            at = (box.x, top + place * PITCH * px)
            yield (task, "answer", i), Text(line, at, face="sans-medium", color=t.text, **look)

    def _chip(self, view: View, task: str, box: Box) -> Atoms:
        hue = view.hue(task)
        look: dict[str, Any] = {"face": "sans-bold", "color": view.theme.ground, "align": "center"}
        name = written("task.name", task, "name", task=task)
        yield (task, "chip"), Block(box, fill=hue, keeps=True)
        yield (task, "name"), Text(name, (box.cx, box.cy), ground=hue, keeps=True, **look)

    def _entries(self, view: View, task: str, x: float, y: float, most: int) -> Atoms:
        """The page table as it is, each entry tinted with the hue of who computed what is in the page."""
        t, table = view.theme, view.state.tables.get(task, [])
        names = list(view.history.requests)
        who = view.ink()[0]
        shown = [*range(len(table))] if len(table) <= most else [*range(most - 3), None, len(table) - 2, len(table) - 1]
        for place, logical in enumerate(shown):
            box = Box(x + place * (ENTRY + APART), y - ENTRY / 2 + 4, ENTRY, ENTRY - 8)
            if logical is None:
                yield (task, "fold"), Text("…", (box.cx, y), color=t.muted, align="center")
                continue
            page = table[logical]
            writer = who[page][who[page] >= 0]
            hue = view.hue(names[writer[0]]) if len(writer) and view.state.fill()[page] else view.hue(task)
            fill = mix(t.panel, hue, TINT) if view.state.fill()[page] else t.panel
            yield (task, logical, "tile"), Block(box, fill=fill, stroke=view.hue(task), width=2, radius=6)
            number = say("{}", measure("table.entry", page, "plain", task=task, logical=logical))
            look: dict[str, Any] = {"face": "mono-bold", "color": t.text, "align": "center", "ground": t.panel}
            yield (task, logical, "number"), Text(number, (box.cx, y), px=theme.LEAST_SIZE, **look)

    def _rows(self, view: View, task: str, width: float, px: float) -> int:
        """Lines of what a request asks and answers, beside its name."""
        width -= max(chip_width(task, view) for task in self.tasks) + CHIP_GAP
        said = (lines(question(view, task), "sans", px, width), lines(answer(view, task), "sans-medium", px, width))
        return max(1, sum(map(len, said)))

    def _whole(self, view: View, box: Box) -> Atoms:
        t, chip = view.theme, max(chip_width(task, view) for task in self.tasks)
        gaps = (len(self.tasks) - 1) * GAP

        def needs(px: float) -> float:
            return sum(self._rows(view, task, box.w, px) for task in self.tasks) * PITCH * px + gaps

        px = next((px for px in SIZES if needs(px) <= box.h), SIZES[-1])
        spare = max(0.0, box.h - needs(px)) / len(self.tasks)
        y, x = box.y + spare / 2, box.x + chip + CHIP_GAP
        most = max(LEAST_LINES, int((box.h - gaps) / len(self.tasks) / (PITCH * px)))
        for task in self.tasks:
            top = y
            asked = lines(question(view, task), "sans", px, box.right - x)
            said = lines(answer(view, task), "sans-medium", px, box.right - x)
            if needs(px) > box.h:
                said = said[len(said) - min(len(said), most - 1) :]
                asked = asked[: most - len(said)]
            for kind, rows, face, color in (("asks", asked, "sans", t.muted), ("answer", said, "sans-medium", t.text)):
                for i, line in enumerate(rows):
                    at = (x, y + PITCH * px / 2)
                    yield ((task, kind, i), Text(line, at, px=px, face=face, color=color, early=True, ground=t.panel))
                    y += PITCH * px
            y = max(y, top + PITCH * px)
            yield (task, "row"), Block(Box(box.x, top, box.w, y - top), fill=t.panel, radius=10, z=-1)
            yield from self._chip(view, task, Box(box.x, top + PITCH * px / 2 - CHIP / 2, chip, CHIP))
            y += GAP + spare

    def read(self, shown: Shown) -> Read:
        """The answers that stand whole, and of each entry which hue it is tinted with."""
        tints: dict[str, dict[int, tuple[float, ...]]] = {}
        said: dict[str, dict[int, str]] = {}
        for key, mobject in shown.items():
            if key[-1] == "tile":
                fill = np.round(mobject.fill_rgbas[0, :3], 2)
                tints.setdefault(key[1], {})[key[2]] = tuple(map(float, fill))
            elif self.whole and key[2] == "answer":
                said.setdefault(key[1], {})[key[3]] = str(mobject.text)
        whole = {task: " ".join(rows[i] for i in sorted(rows)) for task, rows in said.items()}
        return {"talk.tints": tints} | ({"talk.said": whole} if said else {})
