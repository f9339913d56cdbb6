"""The map: every page of a large pool as a cell, in the colour of who holds it, from one page to all of them."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from astrai_sim.trace.state import CACHED
from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Cells, Grid, Text, grid_edges, rgba
from scenes.draw.layout import Box, Frame
from scenes.measures import measure, say
from scenes.parts.crowd import turn_hue
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View
from scenes.parts.slots import columns_of, filled, gap_of
from scenes.story.history.blocks import stored_lately
from scenes.story.history.turns import turns_of

SHARE, UPRIGHT_SHARE = 0.55, 0.45
"""Least height of the map by that of the frame."""
LEAST, APART = 3.0, 6.0
"""Pixels of the smallest cell, and of one from which on there are gaps."""
FLAT, NEAR_GAP, SPREAD = 1.2, 16.0, 0.66
"""Of what is seen from near: least width by height of a page, the gap between two, its share of the box."""
FRAMED = 5.0
"""Pixels between the cells and the frame of a map whose last row is short."""
DETAIL = 48.0
"""Pixels of a page from which on its slots are drawn."""
GREY, KEPT = 0.68, 0.45
"""How far pages that the caption does not speak of are from muted towards the ground, and cached ones."""


@dataclass(frozen=True)
class Map(Part):
    """All pages of the pool, `k` to a cell where single ones would be too small to see.

    Pages have the colours of the crowd, in turn by admission; those of `named` requests their hue.
    With `acting` requests, theirs are in the accent, those that they had to give back in the alarm's colour or in
    the hue of who holds these now, and all others grey. `flash` are the seconds of the run for which pages that any
    request had to give back are in the alarm's colour; blocks of the last `fresh` messages of cache events are in the
    accent. `close` are the pages that the camera is near to: the map is then larger than the frame, and pages as full
    of colour as they are of tokens.
    """

    named: tuple[str, ...] = ()
    acting: tuple[str, ...] = ()
    flash: float = 0.0
    fresh: int = 0
    close: tuple[int, ...] = ()

    def room(self, view: View, width: float) -> Room:
        height = least_height(view.frame)
        return Room(0.5 * height, height, grows=True)

    def draw(self, view: View, box: Box) -> Atoms:
        t, (group, columns, rows) = view.theme, shape(view.n_pages, view.frame)
        n = -(-view.n_pages // group)
        colors, owners = self.colors(view)
        short, near = n % columns > 0, bool(self.close)
        whole = self._placed(view, box.inset(FRAMED) if short else box)
        gap = NEAR_GAP if near else 1.0 if min(whole.w / columns, whole.h / rows) >= APART else 0.0
        seams = np.ones(n) if near else seams_of(owners[::group], columns)
        look: Look = {"gap": gap, "seams": seams, "window": box, "acting": bool(self.acting)}
        yield ("cells",), Grid(whole, columns, grouped(colors, group), **look)
        if short and not near:
            yield ("frame",), Block(box.inset(1), stroke=t.empty, width=2, radius=2)
        if group > 1 and not near:
            text, px = (say("a cell: {} pages", measure("map.group", group, "plain", cells=n)), theme.LEAST_SIZE)
            plate = Box(box.x + 8, box.y + 8, fonts.width(text, "sans", px) + 24, px + 14)
            yield ("plate",), Block(plate, fill=t.ground, radius=4, z=1)
            yield ("group",), Text(text, (plate.cx, plate.cy), px=px, color=t.text, align="center", z=2)
        for page in self.close:
            x, y, right, bottom = grid_edges(whole, n, columns, gap)[page // group]
            place = Box(x, y, right - x, bottom - y).columns(group, gap)[page % group]
            if min(place.w, place.h) >= DETAIL:
                yield from self._page(view, page, place, owners[page])

    def colors(self, view: View) -> tuple[np.ndarray, np.ndarray]:
        """Colour of every page, float [n_pages, 4], and its first holder by index, int [n_pages], -1 for none."""
        t, state, turns = view.theme, view.state, turns_of(view.history)
        owners = state.first_owner()
        crowd = np.array([rgba(color) for color in t.crowd])
        colors = np.tile(rgba(t.empty), (view.n_pages, 1))
        colors[state.page_states() == CACHED] = rgba(theme.mix(t.muted, t.ground, KEPT))
        held = owners >= 0
        colors[held] = crowd[turns.place[owners[held]] % len(crowd)]
        if self.acting:
            colors[held] = rgba(theme.mix(t.muted, t.ground, GREY))
        for task in self.named:
            colors[owners == view.history.requests[task].index] = rgba(view.hue(task))
        for task in self.acting:
            colors[owners == view.history.requests[task].index] = rgba(t.accent)
            if task not in state.tables and (loss := turns.last(task, state.seq)) is not None:
                colors[loss.pages[owners[loss.pages] < 0]] = rgba(t.alarm)
                for page in turns.taken(state, task):
                    colors[page] = rgba(t.hue(int(owners[page])))
        if self.flash:
            since = state.ns - self.flash * 1e9
            for loss in turns.losses:
                if loss.seq <= state.seq and loss.ns > since:
                    colors[loss.pages] = rgba(t.alarm)
        if self.fresh:
            colors[stored_lately(view.history, state, self.fresh)] = rgba(t.accent)
        if self.close:
            empty = rgba(t.empty)
            colors = empty + (colors - empty) * (state.fill() / view.page_size)[:, None]
        return colors, owners

    def _placed(self, view: View, box: Box) -> Box:
        """Where the whole map stands: in `box`, or so that the pages near the camera fill most of it."""
        if not self.close:
            return box
        group, columns, rows = shape(view.n_pages, view.frame)
        pages = np.array(self.close)
        row, column = pages // group // columns, pages // group % columns * group + pages % group
        across, down = int(np.ptp(column)) + 1, int(np.ptp(row)) + 1
        w, h = SPREAD * box.w / across, SPREAD * box.h / down
        w, h = max(w, box.w / columns / group), max(min(h, w / FLAT), box.h / rows)
        x, y = (column.min() + across / 2) * w, (row.min() + down / 2) * h
        return Box(box.cx - x, box.cy - y, w * columns * group, h * rows)

    def _page(self, view: View, page: int, cell: Box, owner: int) -> Atoms:
        """A page from near: its number, and its slots."""
        t, size, names = view.theme, view.page_size, view.history.requests.names
        color = t.empty if owner < 0 else turn_hue(view, names[owner])
        if owner >= 0 and names[owner] in (*self.named, *self.acting):
            color = t.accent if names[owner] in self.acting else view.hue(names[owner])
        yield (page, "ground"), Block(cell, fill=t.panel, stroke=color, width=3, radius=8)
        roomy = min(cell.w, cell.h) >= 200
        body = cell.inset(24)
        if roomy:
            body = Box(body.x, body.y + 48, body.w, body.h - 48)
            number = say("page {}", measure("page.number", page, "plain", page=page))
            yield (page, "number"), Text(number, (body.x, body.y - 28), face="mono-bold", color=t.text, ground=t.panel)
            if owner >= 0:
                held = say("held by {}", measure("task.name", names[owner], "name", task=names[owner]))
                at = (body.right, body.y - 28)
                yield (page, "holder"), Text(held, at, color=t.muted, align="right", ground=t.panel)
        else:
            body = cell.inset(min(cell.w, cell.h) * 0.12)
        fills = np.tile(rgba(t.empty), (size, 1))
        fills[: int(view.state.fill()[page])] = rgba(color)
        edges = grid_edges(body, size, columns_of(size), max(gap_of(body, size), 6.0 if roomy else 0.0))
        yield (page, "slots"), Cells(edges, fills, order=np.arange(size) / size)

    def read(self, shown: Shown) -> Read:
        """Colours of the cells with what they are told by, and filled slots of pages seen from near."""
        if (cells := shown.get((self.key, "cells"))) is None:
            return {}
        slots = {key[1]: int(filled(mobject, self.lit).sum()) for key, mobject in shown.items() if key[-1] == "slots"}
        told = {name: getattr(self, name) for name in ("named", "acting", "flash", "fresh", "lit")}
        told |= {"near": bool(self.close), "cells": cells.n}
        return {"map.told": told, "map.cells": cells.rgba[:, :3].copy(), "map.slots": slots}


def least_height(frame: Frame) -> float:
    """The height that a map of a large pool should have, in pixels."""
    return (UPRIGHT_SHARE if frame.upright and frame.height > frame.width else SHARE) * frame.height


@lru_cache(maxsize=64)
def shape(n_pages: int, frame: Frame) -> tuple[int, int, int]:
    """Pages of a cell, columns and rows of the map of a pool, the same wherever it stands in the frame."""
    width, height = frame.stage.w, least_height(frame)
    group = 1
    while True:
        n = -(-n_pages // group)
        columns = columns_for(n, width / height)
        rows = -(-n // columns)
        if min(width / columns, height / rows) >= LEAST or n == 1:
            return group, columns, rows
        group *= 2


def columns_for(n: int, aspect: float) -> int:
    """Columns of `n` cells in a box of that width by height: a divisor where one gives cells between
    twice as wide as high and twice as high as wide, the squarest; else the last row is short."""
    exact = [c for c in range(1, n + 1) if n % c == 0 and 0.5 <= aspect * n / c**2 <= 2]
    if exact:
        return min(exact, key=lambda c: abs(math.log(aspect * n / c**2)))
    return max(1, min(n, round(math.sqrt(n * aspect))))


def grouped(colors: np.ndarray, group: int) -> np.ndarray:
    """Mean colours [cells, 4] of `group` pages each."""
    if group == 1:
        return colors
    starts = np.arange(0, len(colors), group)
    return np.add.reduceat(colors, starts) / np.diff(np.append(starts, len(colors)))[:, None]


def seams_of(owners: np.ndarray, columns: int) -> np.ndarray:
    """Whether there is a gap at the right of each cell, float [n]: not where one holder goes on."""
    same = (owners == np.append(owners[1:], -1)) & (owners >= 0)
    return np.where(same & (np.arange(len(owners)) % columns != columns - 1), 0.0, 1.0)
