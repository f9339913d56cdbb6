"""The pool: pages with their slots, holders, refcounts and bits of the free mask."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Move, Picture, Text
from scenes.draw.layout import Box
from scenes.measures import joined, measure, say, written
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View
from scenes.parts.slots import LEAST, columns_of, filled, page_colors, slots_atom
from scenes.parts.words import SIZES, page_words, spoken, text_height, type_size

GAP, FOOT, HEAD, BITS, LABELS = 16.0, 44.0, 46.0, 66.0, 92.0
LOWEST = 172.0
"""Height in which a pool of any number of pages can be shown."""
OBJECT, GOOD = 162.0, 384.0
"""Pixels on screen that a page should be wide, and height within which pages with words are as large as can be."""
BAND, PAD = 6.0, 10.0
BARE = PAD + BAND + 4
"""Height above the slots of a page where nothing is written there."""
MOST_BANDS = 6
NAMED = 64.0
"""Width of a page from which on its number is written."""
TALL, FLAT, TALLEST, PRESSED = 1.8, 0.5, 660.0, 1.03
"""Height of a cell as a share of its width, at best and at least, of the pool where there is room, and how many
times as high as its room a pool of wide pages may want to be: it is pressed into it."""
ROOMY = 132.0
"""Width of a page from which on its refcount and its logical place are written."""


@dataclass(frozen=True)
class Pool(Part):
    """Every page of the pool, or `pages` of it. `acting` pages have the accent's frame; those of
    `alarm`, or all, that of a refusal; with `bits` the free mask stands below the pages; with `counts` refcounts
    are large where there is room."""

    acting: tuple[int, ...] = ()
    bits: bool = True
    alarm: bool | tuple[int, ...] = False
    pages: tuple[int, ...] = ()
    counts: bool = False

    def shown(self, view: View) -> tuple[int, ...]:
        """The pages that are drawn."""
        return self.pages or tuple(range(view.n_pages))

    def room(self, view: View, width: float) -> Room:
        splits = self._splits(view, width)
        heights = {px: sorted(self._height(view, n, width, px) for n in splits) for px in (None, SIZES[-1], SIZES[1])}
        best = max((h for some in heights.values() for h in some if h <= TALLEST), default=heights[None][0])
        words = heights[SIZES[-1]]
        good = 4 + max((h for h in words if h <= GOOD), default=words[0]) if spoken(view.trace) else 0.0
        seen = min(self._flat(view, width).values(), default=0.0)
        return Room(min(LOWEST, heights[None][0]), best, good=max(good, seen))

    def _flat(self, view: View, width: float) -> dict[int, float]:
        """Numbers of pages side by side that are as wide as what a shot is about has to be, and how high the pool is
        at least with each."""
        wide = [c for c in self._splits(view, width) if self._wide(width, c) * view.frame.zoom >= OBJECT]
        return {c: self._height(view, c, width, None, FLAT) for c in wide}

    def _splits(self, view: View, width: float) -> list[int]:
        """Numbers of pages side by side that can be shown in `width`; fewest pages first."""
        n = len(self.shown(view))
        least = min(NAMED, self._wide(width, n))
        return [c for c in range(1, n + 1) if self._wide(width, c) >= least]

    def _wide(self, width: float, columns: int) -> float:
        """How wide a page is with so many side by side."""
        return (width - (LABELS if self.bits else 0.0) + GAP) / columns - GAP

    def _height(self, view: View, columns: int, width: float, px: float | None, tall: float = TALL) -> float:
        """How high the pool is with so many pages side by side and cells so `tall` for their width, or,
        where there are words, room for the longest page's in type of `px`."""
        rows, below = -(-len(self.shown(view)) // columns), BITS if self.bits else 0.0
        return rows * (self._page_height(view, self._wide(width, columns), px, tall) + below + GAP) - GAP

    def _page_height(self, view: View, w: float, px: float | None, tall: float = TALL) -> float:
        text = px and text_height(view, w - 2 * PAD, px)
        if text:
            return BARE + text + _foot(w)
        columns = columns_of(view.page_size)
        return _head(w) + (-(-view.page_size // columns) * tall * (w - 2 * PAD) / columns) + _foot(w)

    def boxes(self, view: View, box: Box) -> dict[int, Box]:
        """Where each page stands: as large as can be."""
        pages, below, box = self.shown(view), BITS if self.bits else 0.0, box.inset(2)
        splits = self._splits(view, box.w)
        fitting = {px: [c for c in splits if self._height(view, c, box.w, px) <= box.h + 4] for px in (SIZES[-1], None)}
        words = SIZES[-1] if fitting[SIZES[-1]] else None
        abreast = min(fitting[words], default=max(splits))
        wide = self._wide(box.w, abreast)
        if view.frame.upright and not text_height(view, wide - 2 * PAD, SIZES[-1]):
            words = None
        flat = self._flat(view, box.w)
        if not words and abreast not in flat:
            abreast = max((c for c, h in flat.items() if h <= PRESSED * box.h + 4), default=abreast)
        n_rows = -(-len(pages) // abreast)
        columns = -(-len(pages) // n_rows)
        best = self._page_height(view, self._wide(box.w, columns), words and SIZES[0])
        h = min(best, (box.h + GAP) / n_rows - GAP - below)
        high, left = n_rows * (h + below + GAP) - GAP, LABELS if self.bits else 0.0
        rows = Box(box.x + left, box.cy - high / 2, box.w - left, high).rows(n_rows, GAP)
        cells = (replace(cell, h=h) for row in rows for cell in row.columns(columns, GAP))
        return dict(zip(pages, cells, strict=False))

    def draw(self, view: View, box: Box) -> Atoms:
        boxes = self.boxes(view, box)
        for page, cell in boxes.items():
            yield from self._page(view, page, cell)
        for i, bottom in enumerate(dict.fromkeys(cell.bottom for cell in boxes.values()) if self.bits else ()):
            for j, text in enumerate(("free", "mask")):
                at = (box.x, bottom + 8 + BITS / 2 + (j - 0.5) * 30)
                yield (text, i), Text(text, at, px=theme.LEAST_SIZE, color=view.theme.muted)

    def _page(self, view: View, page: int, cell: Box) -> Atoms:
        holders, cached = view.holders(page), view.state.page_state(page) == "cached"
        t, acting = view.theme, page in self.acting
        alarm = self.alarm is True or (self.alarm and page in self.alarm)
        hue = view.hue(holders[0]) if holders else None
        edge: Look = {"width": 4.0 if acting or alarm else 3.0 if holders else 2.0, "acting": acting, "z": 1}
        edge["stroke"] = t.alarm if alarm else t.accent if acting else hue or (t.muted if cached else t.empty)
        kind, dashed = ("cached", True) if cached and not acting else ("frame", False)
        yield (page, "ground"), Block(cell, fill=t.panel)
        yield (page, kind), Block(cell, dashed=dashed, **edge)
        yield from self._bands(view, page, cell, holders)
        body, px, headed = self._body(view, cell)
        columns = columns_of(view.page_size)
        first = view.state.tables[holders[0]].index(page) * view.page_size if holders else 0
        if px is not None:
            yield from page_words(view, page, body, px, first)
        elif min(body.w / columns, body.h / -(-view.page_size // columns)) >= LEAST:
            yield (page, "slots"), slots_atom(body, *page_colors(view, page), first)
        else:
            high = body.h * view.state.fill()[page] / view.page_size
            level = Box(body.x, body.bottom - high, body.w, high)
            yield (page, "level"), Block(level, fill=hue or t.empty, radius=2)
        x, y, small = cell.x + PAD + 2, cell.bottom - FOOT / 2, theme.LEAST_SIZE
        number, bold = written("page.number", page, page=page), "mono-bold"
        if cell.w >= NAMED:
            color = t.text if holders or acting else t.muted
            yield (page, "number"), Text(number, (x, y), face=bold, color=color, ground=t.panel)
        highest = fonts.width(str(view.n_pages - 1), bold, theme.LABEL)
        if cell.w >= max(ROOMY, highest + fonts.width("ref 0", "mono", small) + 2 * PAD + 16):
            look: Look = {"px": small, "face": "mono", "ground": t.panel}
            ref, color = (
                measure("page.ref", view.refs[page], "plain", page=page),
                t.text if view.refs[page] else t.muted,
            )
            at, large = (cell.right - PAD - 2, y), self.counts and cell.w >= 2 * ROOMY
            count: Look = {**look, "px": theme.CAPTION, "face": bold} if large else look
            yield (page, "ref"), Text(say("ref {}", ref), at, color=color, align="right", **count)
            where = ((task, view.state.tables[task].index(page)) for task in holders)
            places = [measure("page.logical", logical, "plain", task=task, page=page) for task, logical in where]
            text = joined(" ", (say("{}·{}", *both) for both in zip(view.ask.names(holders), places, strict=True)))
            if places and headed and fonts.width(text, "mono", small) <= cell.w - 2 * PAD - 4:
                yield (page, "place"), Text(text, (x, cell.y + HEAD / 2 + 4), color=t.muted, **look)
        if self.bits:
            bit = view.mask >> page & 1
            box, ground = Box(cell.cx - 30, cell.bottom + 10, 60, BITS - 14), t.empty if bit else t.ground
            edge = {"stroke": t.accent if acting else t.empty, "width": 4.0 if acting else 2.0, "acting": acting}
            yield (page, "bit"), Block(box, fill=ground, radius=6, **edge)
            text, color = say("{}", measure("mask.bit", bit, "plain", page=page)), t.text if bit else t.muted
            look = {"face": bold, "color": color, "align": "center", "ground": ground}
            yield (page, "digit"), Text(text, (cell.cx, box.cy), **look)

    def _body(self, view: View, cell: Box) -> tuple[Box, int | None, bool]:
        """Where a page's slots are, the size of type where they are words, and whether there is room for
        a line above them: words that fit come first."""
        found = []
        for head in {_head(cell.w), BARE}:
            body = Box(cell.x + PAD, cell.y + head, cell.w - 2 * PAD, cell.h - head - _foot(cell.w))
            px, whole = type_size(view, body) or (0, False)
            found.append((whole, px, head == HEAD, body))
        _, px, headed, body = max(found, key=lambda one: one[:3])
        return body, px or None, headed

    def _bands(self, view: View, page: int, cell: Box, holders: list[str]) -> Atoms:
        if not holders:
            return
        line = Box(cell.x + PAD, cell.y + 7, cell.w - 2 * PAD, BAND)
        if len(holders) > MOST_BANDS or line.w / len(holders) < 12:
            yield (page, "bands"), Block(line, fill=view.theme.muted, radius=3)
            return
        for task, part in zip(holders, line.columns(len(holders), 3), strict=True):
            yield (page, "band", task), Block(part, fill=view.hue(task), radius=3)

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """Pages that a request has newly been given fly from its tape, empty; those that it found do not."""
        come, pages = 0, now.history.pages
        found = set(pages.holds.page[pages.took(then.state.seq, now.state.seq + 1, "revived")].tolist())
        for task, table in now.state.tables.items():
            had = then.state.tables.get(task, [])
            for logical, page in enumerate(table):
                if page in had or page in found or now.refs[page] > 1:
                    continue
                tile = after.get(("tape", task, logical, "tile")) or after.get(("talk", task, logical, "tile"))
                place = after.get((self.key, page, "ground"))
                if isinstance(tile, Block) and isinstance(place, Block):
                    look = {"stroke": now.hue(task), "width": 3.0, "z": 20}
                    yield Move(Block(tile.box, **look), Block(place.box, **look), 0.12 * come)
                    come += 1

    def read(self, shown: Shown) -> Read:
        """Frames, bands and slots of every page, as they are drawn."""
        frames: dict[int, str] = {}
        bands: dict[int, list[str]] = {}
        slots: dict[int, int] = {}
        ghosts: dict[int, int] = {}
        words: dict[int, dict[int, str]] = {}
        folded: list[int] = []
        for key, mobject in shown.items():
            match key[1:]:
                case (page, "frame" | "cached" as kind):
                    frames[page] = kind
                case (page, "band", task):
                    bands.setdefault(page, []).append(task)
                case (page, "slots" | "ghosts"):
                    slots[page] = slots.get(page, 0) + int(filled(mobject, self.lit).sum())
                    ghosts[page] = ghosts.get(page, 0) + int((mobject.lines[:, 3] > 0).sum())
                case (page, "word", slot, _):
                    words.setdefault(page, {})[slot] = str(mobject.text)
                case (page, "fold"):
                    folded.append(page)
        found = {"pool.frames": frames, "pool.bands": bands, "pool.slots": slots, "pool.ghosts": ghosts}
        return found | ({"pool.words": words, "pool.folded": tuple(folded)} if words else {})


@dataclass(frozen=True)
class Free(Part):
    """One line: how many pages of the pool are free. `alarm` sets it off."""

    needs = Room(40, 40)

    alarm: bool = False

    def draw(self, view: View, box: Box) -> Atoms:
        text = say("{} of {} pages free", measure("pool.free", view.state.n_free), measure("pool.pages", view.n_pages))
        color = view.theme.alarm if self.alarm else view.theme.text
        yield ("text",), Text(text, (box.x, box.cy), px=theme.LABEL, face="sans-medium", color=color)


def _head(width: float) -> float:
    """Height above the slots of a page."""
    return HEAD if width >= ROOMY else BARE


def _foot(width: float) -> float:
    """Height below the slots of a page."""
    return FOOT if width >= NAMED else PAD
