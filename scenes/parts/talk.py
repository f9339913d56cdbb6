"""What requests ask and answer, in their own words: with the pages that hold them, or alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from astrai_sim.trace import Trace
from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import joined, measure, say, written
from scenes.parts.chip import CHIP, CHIP_GAP, chip, chip_width
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View
from scenes.parts.words import readable
from scenes.story.conversation import Exchange
from scenes.theme import mix

ROW, BEST, GAP, INSET = 92.0, 120.0, 10.0, 18.0
ENTRY, APART, LEAST_ENTRIES, MOST_ENTRIES, ENTRIES = 52.0, 18.0, 4, 8, 0.4
"""Width of an entry of a page table, pixels between two, how many are shown of a table, and the share of a
row that they take: the first of a longer one, an ellipsis, and the last two."""
SHORTEST = 16
"""Letters of a system prompt that are shown at least."""
LEAST_LINES = 2
"""Lines of each question and answer that are always seen: those of a longer one are its last."""
SIZES = (40, 36, 34, 31, 28)
PITCH = 1.3
TINT = 0.28
ANSWERS_GAP = 20.0


@lru_cache(maxsize=64)
def _prompt(trace: Trace, task: str) -> Exchange:
    state = trace.state_at(len(trace) - 1).tasks[task]
    return Exchange.of(state.texts or (), state.prompt_len)


def _words(name: str, text: str, task: str) -> list[str]:
    """The words of a text that is called `name`, as they are written."""
    said = written(name, text, "name", task=task)
    return [readable(word) for word in said.lines(said.split())]


def question(view: View, task: str) -> list[str]:
    """The words of what a request asks; none where its text was not recorded."""
    return _words("request.question", _prompt(view.trace, task).question, task)


def system(view: View, task: str) -> list[str]:
    """The words of the system prompt with which a request begins; none where it has none."""
    return _words("request.system", _prompt(view.trace, task).system, task)


def opening(view: View, task: str, px: float, width: float) -> str:
    """The first words of that system prompt that fit into `width` pixels; nothing where `SHORTEST` letters do not."""
    said, more = system(view, task), fonts.width(" …", "sans", px)
    if not said or width - more < SHORTEST * 0.5 * px:
        return ""
    first, *rest = lines(said, "sans", px, width - more)
    return say("{} …", first) if rest else first


def answer(view: View, task: str) -> list[str]:
    """The words that it has answered so far."""
    state = view.state.tasks.get(task)
    if state is None or state.texts is None:
        return []
    return _words("request.answer", Exchange.of(state.texts, state.prompt_len).answer, task)


def lines(words: Sequence[str], face: str, px: float, width: float) -> list[str]:
    """`words` in lines of at most `width` pixels; the middle of a word that is wider is left out."""
    rows: list[list[str]] = []
    x, blank = 0.0, fonts.width(" ", face, px)
    for whole in words:
        word = fonts.fit(whole, face, px, width)
        wide = fonts.width(word, face, px)
        if not rows or x + blank + wide > width:
            rows.append([])
            x = -blank
        rows[-1].append(word)
        x += blank + wide
    return [joined(" ", row) for row in rows]


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
            height = self._height(view, width, px)
            return Room(min(height, n * LEAST_LINES * PITCH * px + gaps), 2 * height, grows=True, good=height)
        return Room(n * ROW + gaps, n * BEST + gaps)

    def draw(self, view: View, box: Box) -> Atoms:
        if self.whole:
            yield from self._whole(view, box)
            return
        most = max(LEAST_ENTRIES, min(MOST_ENTRIES, int(ENTRIES * box.w / (ENTRY + APART))))
        most = min(most, max(view.final_pages[view.history.requests[task].index] for task in self.tasks))
        here = [task for task in self.tasks if task in view.state.tasks]
        least = len(self.tasks) * (ROW + GAP) / max(1, len(here)) - GAP
        px = next((px for px in SIZES if least > (1 + LEAST_LINES) * PITCH * px), theme.LABEL)
        for task, row in zip(here, box.rows(max(1, len(here)), GAP), strict=False):
            yield (task, "row"), Block(row, fill=view.theme.panel, radius=10, z=-1)
            x, y, width = row.x + INSET, min(row.cy, row.y + ROW / 2), chip_width(*self.tasks)
            yield from chip(view, task, Box(x, y - CHIP / 2, width, CHIP), early=True)
            x += width + CHIP_GAP
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
            x = box.x
            longest = max(fonts.width(joined(" ", question(view, one)), "sans", px) for one in self.tasks)
            if begins := opening(view, task, px, box.w - longest - px):
                yield (task, "begins"), Text(begins, (x, top), color=t.muted, early=True, **look)
                x += fonts.width(begins, "sans", px) + px
            yield (task, "asks"), Text(more, (x, top), color=t.muted, early=True, **look)
        for place, (i, line) in enumerate(said, start=1):
            at = (box.x, top + place * PITCH * px)
            yield (task, "answer", i), Text(line, at, face="sans-medium", color=t.text, **look)

    def _entries(self, view: View, task: str, x: float, y: float, most: int) -> Atoms:
        """The page table as it is, each entry tinted with the hue of who computed what is in the page."""
        t, table, names, fill = view.theme, view.state.tables.get(task, []), [*view.history.requests], view.state.fill()
        n, who = len(table), view.ink()[0]
        for place, logical in enumerate(range(n) if n <= most else [*range(most - 3), None, n - 2, n - 1]):
            box = Box(x + place * (ENTRY + APART), y - ENTRY / 2 + 4, ENTRY, ENTRY - 8)
            if logical is None:
                yield (task, "fold"), Text("…", (box.cx, y), color=t.muted, align="center")
                continue
            page = table[logical]
            writer = who[page][who[page] >= 0]
            tint = mix(t.panel, view.hue(names[writer[0]] if len(writer) else task), TINT) if fill[page] else t.panel
            yield (task, logical, "tile"), Block(box, fill=tint, stroke=view.hue(task), width=2, radius=6)
            number = say("{}", measure("table.entry", page, "plain", task=task, logical=logical))
            look: Look = {"face": "mono-bold", "color": t.text, "align": "center", "ground": t.panel}
            yield (task, logical, "number"), Text(number, (box.cx, y), px=theme.LEAST_SIZE, **look)

    def _told(self, view: View, task: str, width: float, px: float) -> tuple[list[str], list[str]]:
        """The lines of what a request asks and of what it answers, beside its name."""
        width -= chip_width(*self.tasks) + CHIP_GAP
        return lines(question(view, task), "sans", px, width), lines(answer(view, task), "sans-medium", px, width)

    def _height(self, view: View, width: float, px: float) -> float:
        """Pixels that all that is asked and answered takes in type of `px`."""
        rows = sum(max(1, sum(map(len, self._told(view, task, width, px)))) for task in self.tasks)
        return rows * PITCH * px + (len(self.tasks) - 1) * GAP

    def _whole(self, view: View, box: Box) -> Atoms:
        t, width, n = view.theme, chip_width(*self.tasks), len(self.tasks)
        px = next((px for px in SIZES if self._height(view, box.w, px) <= box.h), SIZES[-1])
        high = self._height(view, box.w, px)
        spare = max(0.0, box.h - high) / n
        y = box.y + spare / 2
        most = max(LEAST_LINES, int((box.h - (n - 1) * GAP) / n / (PITCH * px)))
        for task in self.tasks:
            top = y
            asked, said = self._told(view, task, box.w, px)
            if high > box.h:
                said = said[len(said) - min(len(said), most - 1) :]
                asked = asked[: most - len(said)]
            for kind, rows, face, color in (("asks", asked, "sans", t.muted), ("answer", said, "sans-medium", t.text)):
                for i, line in enumerate(rows):
                    at = (box.x + width + CHIP_GAP, y + PITCH * px / 2)
                    yield (task, kind, i), Text(line, at, px=px, face=face, color=color, early=True, ground=t.panel)
                    y += PITCH * px
            y = max(y, top + PITCH * px)
            yield (task, "row"), Block(Box(box.x, top, box.w, y - top), fill=t.panel, radius=10, z=-1)
            yield from chip(view, task, Box(box.x, top + PITCH * px / 2 - CHIP / 2, width, CHIP))
            y += GAP + spare

    def read(self, shown: Shown) -> Read:
        """The answers that stand whole, and of each entry which hue it is tinted with."""
        tints: dict[str, dict[int, tuple[float, ...]]] = {}
        said: dict[str, dict[int, str]] = {}
        for key, mobject in shown.items():
            if key[-1] == "tile":
                tints.setdefault(key[1], {})[key[2]] = tuple(map(float, mobject.fill_rgbas[0, :3]))
            elif self.whole and key[2] == "answer":
                said.setdefault(key[1], {})[key[3]] = str(mobject.text)
        whole = {task: " ".join(rows[i] for i in sorted(rows)) for task, rows in said.items()}
        return {"talk.tints": tints} | ({"talk.said": whole} if said else {})


@dataclass(frozen=True)
class Answers(Part):
    """The answers of `tasks`, a row each: the last lines of each, with a bar where the next word will be."""

    tasks: tuple[str, ...] = ()

    def room(self, view: View, width: float) -> Room:
        n, row = max(1, len(self.tasks)), LEAST_LINES * PITCH * theme.CAPTION
        return Room(n * row + (n - 1) * ANSWERS_GAP, n * row + (n - 1) * 2 * ANSWERS_GAP)

    def draw(self, view: View, box: Box) -> Atoms:
        px, width = theme.CAPTION, chip_width(*self.tasks)
        for task, row in zip(self.tasks, box.rows(max(1, len(self.tasks)), ANSWERS_GAP), strict=False):
            if task not in view.state.tasks:
                continue
            hue, x = view.hue(task), row.x + width + CHIP_GAP
            yield from chip(view, task, Box(row.x, row.cy - CHIP / 2, width, CHIP))
            said = lines(answer(view, task), "sans", px, row.right - x - 20)
            shown = said[-LEAST_LINES:]
            y = row.cy - (len(shown) - 1) / 2 * PITCH * px
            for i, line in enumerate(shown):
                at = (x, y + i * PITCH * px)
                yield (task, "line", len(said) - len(shown) + i), Text(line, at, px=px, color=view.theme.text)
            end = x + (fonts.width(shown[-1], "sans", px) + 8 if shown else 0.0)
            caret = Box(end, y + max(0, len(shown) - 1) * PITCH * px - 0.5 * px, 5, px)
            running = view.state.tasks[task].status == "running"
            yield (task, "caret"), Block(caret, fill=hue if running else None, stroke=hue, width=1, radius=1)
