"""Arrows from entries of a page table to the pages that they name."""

from dataclasses import dataclass

import numpy as np

from scenes.draw import fonts
from scenes.draw.atoms import Block, Line, Picture, Text
from scenes.draw.layout import Box
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View

MOST = 4
"""Wires beyond which number and page light in pairs instead."""
LANE, ASIDE, NUDGE = 12.0, 8.4, 16.0
"""Pixels between two lanes, from a tile to where its wire goes down, and by which the end of one that would
run along that is moved."""


@dataclass(frozen=True)
class Wires(Part):
    """Wires of one request between tapes and pool, each on a lane of its own, to pages that nothing
    stands before; `places` are the logical pages that are wired (default: all of its table, where
    those are few)."""

    needs = Room(48, 84)

    task: str = ""
    places: tuple[int, ...] | None = None

    def draw(self, view: View, box: Box) -> Atoms:
        yield from ()

    def link(self, view: View, picture: Picture, box: Box) -> Atoms:
        """The wires, between where the tape's numbers and the pool's pages stand in `picture`."""
        table = view.state.tables.get(self.task, [])
        places = range(len(table)) if self.places is None else self.places
        ends = []
        for logical in places:
            entry = [
                (part, self.task, logical) for part in ("tape", "talk") if (part, self.task, logical, "tile") in picture
            ]
            tile, number = (picture.get((*entry[0], kind)) if entry else None for kind in ("tile", "number"))
            page = picture.get(("pool", table[logical], "ground")) if logical < len(table) else None
            if isinstance(tile, Block) and isinstance(number, Text) and isinstance(page, Block):
                ends.append((logical, tile.box, number, page.box))
        pages = (atom for key, atom in picture.items() if key[::2] == ("pool", "ground"))
        top = min((atom.box.y for atom in pages if isinstance(atom, Block)), default=0.0)
        ends = [end for end in ends if end[3].y <= top + 1]
        if not ends or len(ends) > MOST:
            return
        hue = view.hue(self.task)
        right = [end for end in ends if end[3].cx >= end[1].right]
        left = [end for end in ends if end[3].cx < end[1].right]
        downs = [tile.right + ASIDE for _, tile, _, _ in ends]
        order = sorted(right, key=lambda e: -e[1].x) + sorted(left, key=lambda e: e[1].x)
        for lane, (logical, tile, number, page) in enumerate(order):
            y = box.bottom - 10 - LANE * (len(order) - 1 - lane)
            half = fonts.width(number.text, number.face, number.px) / 2
            gap, at = tile.right + ASIDE, number.at[1]
            x = page.cx + NUDGE * any(abs(page.cx - down) < NUDGE / 2 for down in downs)
            points = [(number.at[0] + half + 10, at), (gap, at), (gap, y), (x, y), (x, page.y - 4)]
            yield (logical,), Line(np.array(points), color=hue, width=3, curved=True, head=True)

    def read(self, shown: Shown) -> Read:
        """Which logical pages are wired."""
        return {"wires": {self.task: tuple(sorted(key[1] for key in shown))}}
