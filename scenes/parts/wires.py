"""What stands between tapes and pool: arrows from entries to the pages that they name, and a token that finds none."""

from dataclasses import dataclass

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import FLYING, Block, Cells, Line, Picture, Text
from scenes.draw.layout import Box
from scenes.measures import measure, say
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View

MOST = 4
"""Wires beyond which number and page light in pairs instead."""
TOKEN = 56.0
LANE, ASIDE, NUDGE = 12.0, 8.4, 16.0
"""Pixels between two lanes, from a tile to where its wire goes down, and by which the end of one that would
run along that is moved."""


@dataclass(frozen=True)
class Wires(Part):
    """Wires of one request between tapes and pool, each on a lane of its own, to pages that nothing stands before;
    `places` are the logical pages that are wired (default: all of its table, where those are few)."""

    needs = Room(48, 84)

    task: str = ""
    places: tuple[int, ...] | None = None

    def link(self, view: View, picture: Picture, box: Box) -> Atoms:
        """The wires, between where the tape's numbers and the pool's pages stand in `picture`."""
        table = view.state.tables.get(self.task, [])
        ends = []
        for logical in range(len(table)) if self.places is None else sorted(self.places):
            tile, number = (
                picture.get(("tape", self.task, logical, kind)) or picture.get(("talk", self.task, logical, kind))
                for kind in ("tile", "number")
            )
            page = picture.get(("pool", table[logical], "ground")) if logical < len(table) else None
            if isinstance(tile, Block) and isinstance(number, Text) and isinstance(page, Block):
                ends.append((logical, tile.box, number, page.box))
        pages = (atom for key, atom in picture.items() if key[::2] == ("pool", "ground"))
        top = min((atom.box.y for atom in pages if isinstance(atom, Block)), default=0.0)
        ends = [end for end in ends if end[3].y <= top + 1]
        if len(ends) > MOST:
            return
        downs = [tile.right + ASIDE for _, tile, _, _ in ends]
        order = [end for end in reversed(ends) if end[3].cx >= end[1].right]
        order += [end for end in ends if end[3].cx < end[1].right]
        for lane, (logical, tile, number, page) in enumerate(order):
            y = box.bottom - 10 - LANE * (len(order) - 1 - lane)
            half = fonts.width(number.text, number.face, number.px) / 2
            gap, at = tile.right + ASIDE, number.at[1]
            x = page.cx + NUDGE * any(abs(page.cx - down) < NUDGE / 2 for down in downs)
            points = [(number.at[0] + half + 10, at), (gap, at), (gap, y), (x, y), (x, page.y - 4)]
            wire = Line(np.array(points), color=view.hue(self.task), width=3, curved=True, head=True)
            yield (self.task, logical), wire

    def read(self, shown: Shown) -> Read:
        """Which logical pages are wired."""
        return {"wires": {self.task: tuple(sorted(key[-1] for key in shown if key[-2] == self.task))}}


@dataclass(frozen=True)
class Knock(Part):
    """The newest token of `task`, in its place on the tape, or, where `page` is given, before that page."""

    place = "over"

    task: str = ""
    page: int | None = None

    def link(self, view: View, picture: Picture, box: Box) -> Atoms:
        """The token, where the tape's slot or the pool's page stands in `picture`."""
        position = view.state.tasks[self.task].n_tokens - 1
        logical, slot = divmod(position, view.page_size)
        slots = picture.get(("tape", self.task, logical, "slots"))
        page = picture.get(("pool", self.page, "ground"))
        if isinstance(page, Block):
            x, y = page.box.cx, page.box.cy
        elif isinstance(slots, Cells) and self.page is None:
            left, top, right, bottom = slots.edges[slot]
            x, y = (left + right) / 2, (top + bottom) / 2
        else:
            return
        t, hue = view.theme, view.hue(self.task)
        text = say("{}", measure("task.tokens", position + 1, task=self.task))
        width = max(TOKEN, fonts.width(text, "mono-bold", theme.LABEL) + 24)
        place = Box(x - width / 2, y - TOKEN / 2, width, TOKEN)
        yield ("token",), Block(place, fill=t.ground, stroke=hue, width=4, z=FLYING)
        look: Look = {"face": "mono-bold", "color": t.text, "align": "center", "ground": t.ground, "z": FLYING + 1}
        yield ("number",), Text(text, (place.cx, place.cy), **look)

    def read(self, shown: Shown) -> Read:
        """Whose token it is, and the page that it stands before."""
        return {"knock": (self.task, self.page)} if shown else {}
