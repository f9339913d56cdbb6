"""A server's memory as one strip of slots: who holds which stretch, and how much of it is filled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import FLYING, Block, Key, Move, Picture, Text
from scenes.draw.layout import Box
from scenes.measures import Said, measure, say
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View
from scenes.parts.servers import TAG, source, step_of, tag, tag_width, title
from scenes.story.contiguous import Piece
from scenes.theme import mix

TITLE, ROW, BEST, MOST, GAP = 56.0, 56.0, 140.0, 190.0, 10.0
LEAST_PITCH, MOST_ROWS = 2.0, 4
"""Pixels of a slot under which a strip takes another row, and how many it takes at most."""
HELD = 0.24
"""How much of its hue a stretch has where it is held and empty."""
INSET = 2.0
BELOW = TAG + 12
"""Pixels below the top of the strip at which it is reached for, so that no tag is hidden."""
RECOIL = 18.0
"""Pixels by which who is refused falls back."""
KINDS = ("piece", "page")
"""What a stretch is called, in one piece and in pages."""


@dataclass(frozen=True)
class Memory(Part):
    """All slots by address. `rule` is the server's: "pages" shows the recorded pages, others of
    `scenes.story.contiguous.RULES` what is computed. `trying` is who reaches for the hole that begins at slot `hole`
    and does not fit, or stands at the `door`, a score, while that is None; where it was `refused`, for the how-many-th
    time, it is said what it needs. `acting` are stretches, by their first slot, that the caption speaks of."""

    rule: str = "reserve"
    trying: str = ""
    hole: int | None = None
    refused: int = 0
    door: str = ""
    acting: tuple[int, ...] = ()

    def room(self, view: View, width: float) -> Room:
        rows = self.rows(view, width)
        best = TITLE + BEST + (rows - 1) * ROW
        return Room(TITLE + rows * ROW, best, grows=True, good=best)

    def rows(self, view: View, width: float) -> int:
        """Rows that the strip takes."""
        return max(1, min(MOST_ROWS, -int(-view.n_pages * view.page_size * LEAST_PITCH // width)))

    def lines(self, view: View, box: Box) -> list[Box]:
        """The rows of the strip in the part's box."""
        n = self.rows(view, box.w)
        return Box(box.x + INSET, box.y + TITLE, box.w - 2 * INSET, min(box.h - TITLE, MOST * n) - INSET).rows(n, GAP)

    def spans(self, view: View, box: Box, start: int, size: int) -> list[tuple[int, Box]]:
        """Where slots stand: (row, box) for each row that they reach into."""
        lines = self.lines(view, box)
        each = -(-view.n_pages * view.page_size // len(lines))
        out = []
        for row, line in enumerate(lines):
            low, high = max(start, row * each), min(start + size, (row + 1) * each)
            if low < high:
                left, width = (low - row * each) * line.w / each, (high - low) * line.w / each
                out.append((row, Box(line.x + left, line.y, width, line.h)))
        return out

    def stretches(self, view: View) -> Sequence[Piece]:
        """What is held, by address; "" holds a page that is cached."""
        if self.rule != "pages":
            return view.ask.whole(step_of(view), self.rule).pieces
        fill, size = view.state.fill(), view.page_size
        pages = [page for page in range(view.n_pages) if view.state.page_state(page) != "free"]
        return [Piece(next(iter(view.holders(page)), ""), page * size, size, int(fill[page])) for page in pages]

    def draw(self, view: View, box: Box) -> Atoms:
        t = view.theme
        yield from self._title(view, box)
        for row, line in self.spans(view, box, 0, view.n_pages * view.page_size):
            yield ("row", row), Block(line, fill=t.empty, radius=4)
        kind, tables = KINDS[self.rule == "pages"], view.state.tables
        firsts = {pages[0] * view.page_size for pages in tables.values() if pages}
        for stretch in self.stretches(view):
            hue, acting = view.hue(stretch.task) if stretch.task else t.muted, stretch.start in self.acting
            edge: Look = {"stroke": t.accent if acting else hue, "width": 4.0 if acting else 2.0, "acting": acting}
            key = (stretch.task, stretch.start) if self.rule == "pages" else (stretch.task,)
            spans = self.spans(view, box, stretch.start, stretch.size)
            for row, span in spans:
                yield (*key, row, kind), Block(_inset(span), fill=mix(t.panel, hue, HELD), radius=4, **edge)
            for row, span in self.spans(view, box, stretch.start, stretch.used):
                yield (*key, row, "used"), Block(_inset(span), fill=hue, radius=4)
            first = spans[0][1]
            named = stretch.task and (self.rule != "pages" or stretch.start in firsts)
            if named and tag_width(stretch.task) + 8 <= first.w and first.h >= TAG:
                yield from tag(view, stretch.task, first.x + 6, _line(first), z=2)
            if self.rule != "pages":
                empty, args = stretch.size - stretch.used, {"task": stretch.task, "rule": self.rule}
                text = say("{} empty", measure("contiguous.empty", empty, "plain", **args))
                tagged = first.x + tag_width(stretch.task) + 20
                yield from self._sized(view, box, text, stretch.task, stretch.start + stretch.used, empty, tagged)
        for start, size in () if self.rule == "pages" else view.ask.whole(step_of(view), self.rule).holes():
            text = say("{} free", measure("contiguous.hole", size, "plain", start=start, rule=self.rule))
            yield from self._sized(view, box, text, start, start, size, 0.0)

    def _sized(self, view: View, box: Box, text: Said, of: str | int, start: int, size: int, tagged: float) -> Atoms:
        """How much of a piece, or hole, is empty, where there is room to say it right of the pixel `tagged`."""
        span = max((s for _, s in self.spans(view, box, start, size)), key=lambda s: s.w, default=Box(0, 0, 0, 0))
        left = span.right - 14 - fonts.width(text, "sans-medium", theme.LABEL)
        if left >= max(span.x + 14, tagged) and span.h >= TAG:
            look: Look = {"face": "sans-medium", "color": view.theme.text, "align": "right", "z": 2}
            yield (of, "empty"), Text(text, (span.right - 14, _line(span)), px=theme.LABEL, **look)

    def _title(self, view: View, box: Box) -> Atoms:
        t, y = view.theme, box.y + TITLE / 2 - 4
        name, where, held = title(self.rule, view), source(self.rule), self._held(view)
        wheres = (where,) if self.rule == "pages" else (f"{where} from the recording", where)
        sizes = (theme.CAPTION, theme.LABEL, theme.LEAST_SIZE)
        fits = (fit for fit in product(wheres, held, sizes) if _width(name, *fit[:2], px=fit[2]) <= box.w)
        where, held, px = next(fits, (where, held[-1], theme.LEAST_SIZE))
        yield ("title",), Text(name, (box.x, y), px=px, face="sans-bold", color=t.text)
        yield ("source",), Text(where, (box.x + fonts.width(name, "sans-bold", px) + 20, y), px=px, color=t.muted)
        yield ("held",), Text(held, (box.right, y), px=px, color=t.muted, align="right")

    def _held(self, view: View) -> tuple[Said, Said]:
        """How many slots are held, and how many of them are empty; the same in fewer words."""
        if self.rule == "pages":
            held = measure("slots.reserved.total", view.state.n_in_use * view.page_size)
            used = measure("slots.filled.total", view.state.kv_slots)
        else:
            layout = view.ask.whole(step_of(view), self.rule)
            held = measure("contiguous.reserved", layout.reserved, rule=self.rule)
            used = measure("contiguous.used", layout.used, rule=self.rule)
        empty = view.ask.less(held, used)
        return say("{} slots held, {} of them empty", held, empty), say("{} held, {} empty", held, empty)

    def link(self, view: View, picture: Picture, box: Box) -> Atoms:
        """Who is refused: as wide as it needs where it reaches for a hole, else its tag."""
        start = picture.get((self.door, self.trying, "chip"))
        if not self.trying or not isinstance(start, Block):
            return
        t = view.theme
        look = {"stroke": t.alarm, "width": 4.0, "z": FLYING, "radius": 6.0}
        if self.hole is None:
            yield (self.trying, "reach"), Block(start.box, acting=True, **look)
            return
        need = view.ask.piece("reserved", self.trying)
        _, span = self.spans(view, box, min(self.hole, view.n_pages * view.page_size - need.value), need.value)[0]
        below = BELOW if span.h > 1.5 * BELOW else 0.0
        reach = Box(span.x, span.y + below + RECOIL * bool(self.refused), span.w, span.h - below + 8)
        yield (self.trying, "reach"), Block(reach, fill=t.panel, acting=True, **look)
        text = say("{} needs {}", view.ask.name(self.trying), need)
        if self.refused and fonts.width(text, "sans-bold", theme.LABEL) + 24 <= reach.w and reach.h >= TAG:
            look = {"face": "sans-bold", "color": t.alarm, "align": "center", "ground": t.panel, "z": FLYING + 1}
            yield (self.trying, self.refused, "needs"), Text(text, (reach.cx, reach.cy), acting=True, **look)

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """What has newly been taken comes in from the door, empty: up to where nothing is written in the strip, along
        there, and up again while it grows."""
        held = {key[1] for key in before if key[0] == self.key and key[-1] in KINDS}
        label = before.get((self.door, "label"))
        if not isinstance(label, Text):
            return
        for key, atom in after.items():
            if key[0] == self.key and key[-1] in KINDS and key[1] not in held and isinstance(atom, Block):
                start = before.get((self.door, key[1], "chip"))
                at = Box(label.at[0] + label.width + 20, label.at[1] - TAG / 2, tag_width(key[1]), TAG)
                door, place = start.box if isinstance(start, Block) else at, atom.box
                low = replace(door, y=place.bottom - door.h - 4)
                along = replace(low, x=place.x, w=min(door.w, place.w))
                look = {"fill": atom.fill, "stroke": atom.stroke, "width": 2.0, "radius": 4.0}
                yield Move(Block(door, **look), Block(place, **look), via=(Block(low, **look), Block(along, **look)))

    def read(self, shown: Shown) -> Read:
        """(task, first slot, size, filled) of each stretch, as shares of a row of the strip."""
        rows = {key[2]: mobject.box for key, mobject in shown.items() if key[1] == "row"}
        found: dict[Key, list[float]] = {}
        for key, mobject in shown.items():
            if key[-1] not in (*KINDS, "used"):
                continue
            box, apart = mobject.box, min(INSET, mobject.box.w / 4)
            entry = found.setdefault(key[1:-2], [float("inf"), 0.0, 0.0])
            entry[1 if key[-1] in KINDS else 2] += (box.w + 2 * apart) / rows[0].w
            if key[-1] in KINDS:
                entry[0] = min(entry[0], key[-2] + (box.x - apart - rows[key[-2]].x) / rows[0].w)
        stretches = sorted((entry[0], str(key[0]), *entry[1:]) for key, entry in found.items())
        return {"memory.rows": len(rows), f"memory.{self.rule}": tuple(stretches)}


def _width(*texts: str, px: float) -> float:
    """Pixels of texts beside one another."""
    return sum(fonts.width(text, "sans-bold", px) for text in texts) + 20.0 * len(texts)


def _line(box: Box) -> float:
    """The middle of what is written in a stretch."""
    return box.y + min(6 + TAG / 2, box.h / 2)


def _inset(box: Box) -> Box:
    """A box with some room to its neighbours; what it was is told by a quarter of its width."""
    return box.inset(min(INSET, box.w / 6), 0)
