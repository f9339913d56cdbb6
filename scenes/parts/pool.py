"""The pool: pages with their slots, holders, refcounts and bits of the free mask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scenes import theme
from scenes.draw.atoms import Block, Key, Move, Picture, Text
from scenes.draw.layout import Box
from scenes.measures import joined, measure, say, written
from scenes.parts.part import Atoms, Part, Room
from scenes.parts.slots import LEAST, columns_of, filled, page_colors, slots_atom
from scenes.parts.view import View

GAP, FOOT, HEAD, BITS, LABELS = 16.0, 44.0, 40.0, 54.0, 92.0
BAND, PAD = 6.0, 10.0
MOST_BANDS = 6
NAMED = 64.0
"""Width of a page from which on its number is written."""
TALL, TALLEST = 1.8, 660.0
"""Height of a cell as a share of its width, and of the pool where there is room."""
ROOMY = 132.0
"""Width of a page from which on its refcount and its logical place are written."""


@dataclass(frozen=True)
class Pool(Part):
    """Every page of the pool, or `pages` of it. `acting` pages have the accent's frame; with
    `alarm` every page has that of a refusal; with `bits` the free mask stands below the pages."""

    acting: tuple[int, ...] = ()
    bits: bool = True
    alarm: bool = False
    pages: tuple[int, ...] = ()

    def shown(self, view: View) -> tuple[int, ...]:
        """The pages that are drawn."""
        return self.pages or tuple(range(view.n_pages))

    def room(self, view: View, width: float) -> Room:
        heights = sorted(self._height(view, n, width) for n in self._splits(view, width))
        return Room(heights[0], max((h for h in heights if h <= TALLEST), default=heights[0]))

    def _splits(self, view: View, width: float) -> list[int]:
        """Numbers of pages side by side that can be shown in `width`; fewest pages first."""
        n = len(self.shown(view))
        least = min(NAMED, (width - self._left) / n - GAP)
        return [
            c
            for c in range(1, n + 1)
            if (width - self._left + GAP) / c - GAP >= least and (c == n or c * (-(-n // c) - 1) < n)
        ]

    @property
    def _left(self) -> float:
        return LABELS if self.bits else 0.0

    def _height(self, view: View, columns: int, width: float) -> float:
        """How high the pool is with so many pages side by side and cells of their best shape."""
        rows = -(-len(self.shown(view)) // columns)
        w = (width - self._left + GAP) / columns - GAP
        return rows * (self._page_height(view, w) + (BITS if self.bits else 0.0) + GAP) - GAP

    def _page_height(self, view: View, w: float) -> float:
        columns = columns_of(view.page_size)
        cells = -(-view.page_size // columns) * TALL * (w - 2 * PAD) / columns
        return _head(w) + cells + _foot(w)

    def boxes(self, view: View, box: Box) -> dict[int, Box]:
        """Where each page stands: as large as can be."""
        pages = self.shown(view)
        box = box.inset(2)
        splits = self._splits(view, box.w)
        fitting = [c for c in splits if self._height(view, c, box.w) <= box.h + 4]
        columns = min(fitting) if fitting else max(splits)
        below = BITS if self.bits else 0.0
        field = Box(box.x + self._left, box.y, box.w - self._left, box.h)
        n_rows = -(-len(pages) // columns)
        w = (field.w + GAP) / columns - GAP
        h = min(self._page_height(view, w), (field.h + GAP) / n_rows - GAP - below)
        spare = field.h - n_rows * (h + below + GAP) + GAP
        cells = []
        for row in range(n_rows):
            y = field.y + spare / 2 + row * (h + below + GAP)
            cells += Box(field.x, y, field.w, h).columns(columns, GAP)
        return dict(zip(pages, cells, strict=False))

    def draw(self, view: View, box: Box) -> Atoms:
        boxes = self.boxes(view, box)
        rows = {}
        for page, cell in boxes.items():
            yield from self._page(view, page, cell)
            rows[cell.bottom] = cell
        if not self.bits:
            return
        for i, (bottom, _) in enumerate(rows.items()):
            text = "free?"
            at = (box.x, bottom + BITS / 2)
            yield ("free", i), Text(text=text, at=at, px=theme.LEAST_SIZE, color=view.theme.muted)

    def _page(self, view: View, page: int, cell: Box) -> Atoms:
        holders, state = view.holders(page), view.state.page_state(page)
        acting, t = page in self.acting, view.theme
        hue = view.hue(holders[0]) if holders else None
        stroke = t.alarm if self.alarm else t.accent if acting else hue or (t.muted if state == "cached" else t.empty)
        width = 4.0 if acting or self.alarm else 3.0 if holders else 2.0
        dashed = state == "cached" and not acting
        kind = "cached" if dashed else "frame"
        yield (page, "ground"), Block(box=cell, fill=t.panel)
        yield (page, kind), Block(box=cell, stroke=stroke, width=width, dashed=dashed, acting=acting, z=1)
        yield from self._bands(view, page, cell, holders)
        roomy = cell.w >= ROOMY
        head = _head(cell.w)
        body = Box(cell.x + PAD, cell.y + head, cell.w - 2 * PAD, cell.h - head - _foot(cell.w))
        columns = columns_of(view.page_size)
        side = min(body.w / columns, body.h / -(-view.page_size // columns))
        if side >= LEAST:
            fills, lines = page_colors(view, page)
            yield (page, "slots"), slots_atom(body, fills, lines)
        else:
            share = view.state.fill()[page] / view.page_size
            level = Box(body.x, body.bottom - body.h * share, body.w, body.h * share)
            yield (page, "level"), Block(box=level, fill=hue or t.empty, radius=2)
        y = cell.bottom - FOOT / 2
        if cell.w >= NAMED:
            number = written("page.number", page, page=page)
            color = t.text if holders or acting else t.muted
            yield (
                (page, "number"),
                Text(text=number, at=(cell.x + PAD + 2, y), face="mono-bold", color=color, ground=t.panel),
            )
        if roomy:
            ref = say("ref {}", measure("page.ref", view.refs[page], "plain", page=page))
            color = t.text if view.refs[page] else t.muted
            at = (cell.right - PAD - 2, y)
            yield (
                (page, "ref"),
                Text(text=ref, at=at, px=theme.LEAST_SIZE, face="mono", color=color, align="right", ground=t.panel),
            )
            places = [
                say("{}·{}", measure("task.name", task, "name", task=task), _logical(view, task, page))
                for task in holders
            ]
            if places and len(places) * 62 <= cell.w:
                text = joined(" ", places)
                at = (cell.x + PAD + 2, cell.y + HEAD / 2 + 5)
                yield (
                    (page, "place"),
                    Text(text=text, at=at, px=theme.LEAST_SIZE, face="mono", color=t.muted, ground=t.panel),
                )
        if self.bits:
            bit = view.mask >> page & 1
            box = Box(cell.cx - 22, cell.bottom + 8, 44, BITS - 14)
            yield (page, "bit"), Block(box=box, fill=t.empty if bit else t.ground, stroke=t.empty, width=2, radius=6)
            text = say("{}", measure("mask.bit", bit, "plain", page=page))
            ground = t.empty if bit else t.ground
            color = t.text if bit else t.muted
            at = (cell.cx, box.cy)
            yield (
                (page, "digit"),
                Text(text=text, at=at, face="mono-bold", color=color, align="center", ground=ground),
            )

    def _bands(self, view: View, page: int, cell: Box, holders: list[str]) -> Atoms:
        if not holders:
            return
        line = Box(cell.x + PAD, cell.y + 7, cell.w - 2 * PAD, BAND)
        if len(holders) > MOST_BANDS or line.w / len(holders) < 12:
            yield (page, "bands"), Block(box=line, fill=view.theme.muted, radius=3)
            return
        for task, part in zip(holders, line.columns(len(holders), 3), strict=True):
            yield (page, "band", task), Block(box=part, fill=view.hue(task), radius=3)

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """Pages that a request has newly been given fly from its tape, empty."""
        come = 0
        for task, table in now.state.tables.items():
            had = then.state.tables.get(task, [])
            for logical, page in enumerate(table):
                if page in had or now.refs[page] > 1:
                    continue
                tile = after.get(("tape", task, logical, "tile"))
                place = after.get((self.key, page, "ground"))
                if isinstance(tile, Block) and isinstance(place, Block):
                    look = {"fill": now.theme.panel, "stroke": now.hue(task), "width": 3.0, "z": 20}
                    yield Move(Block(box=tile.box, **look), Block(box=place.box, **look), 0.12 * come)
                    come += 1

    def read(self, shown: Mapping[Key, Any]) -> dict[str, Any]:
        """Frames, bands and slots of every page, as they are drawn."""
        frames: dict[int, str] = {}
        bands: dict[int, list[str]] = {}
        slots: dict[int, int] = {}
        ghosts: dict[int, int] = {}
        for key, mobject in shown.items():
            page, kind, *task = (*key[1:], "", "")
            if kind in ("frame", "cached"):
                frames[page] = kind
            elif kind == "band":
                bands.setdefault(page, []).append(task[0])
            elif kind == "slots":
                slots[page] = int(filled(mobject, self.lit).sum())
                ghosts[page] = int((mobject.lines[:, 3] > 0).sum())
        return {"pool.frames": frames, "pool.bands": bands, "pool.slots": slots, "pool.ghosts": ghosts}


def _head(width: float) -> float:
    """Height above the slots of a page."""
    return HEAD if width >= ROOMY else PAD + BAND + 4


def _foot(width: float) -> float:
    """Height below the slots of a page."""
    return FOOT if width >= NAMED else PAD


def _logical(view: View, task: str, page: int) -> Any:
    """The page's place in a request's table."""
    return measure("page.logical", view.state.tables[task].index(page), "plain", task=task, page=page)
