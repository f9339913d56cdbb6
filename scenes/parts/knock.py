"""A token that looks for a slot, and is refused by page after page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import FLYING, Block, Cells, Key, Picture, Text
from scenes.draw.layout import Box
from scenes.measures import measure, say
from scenes.parts.part import Atoms, Part
from scenes.parts.view import View

SIZE = 56.0


@dataclass(frozen=True)
class Knock(Part):
    """The newest token of `task`, in its place on the tape, or, where `page` is given, before that page."""

    place: ClassVar[str] = "over"

    task: str = ""
    page: int | None = None

    def draw(self, view: View, box: Box) -> Atoms:
        yield from ()

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
        width = max(SIZE, fonts.width(text, "mono-bold", theme.LABEL) + 24)
        place = Box(x - width / 2, y - SIZE / 2, width, SIZE)
        yield ("token",), Block(box=place, fill=t.ground, stroke=hue, width=4, z=FLYING)
        look = {"face": "mono-bold", "color": t.text, "align": "center", "ground": t.ground, "z": FLYING + 1}
        yield ("number",), Text(text=text, at=(place.cx, place.cy), **look)

    def read(self, shown: Mapping[Key, Any]) -> dict[str, Any]:
        """Whose token it is, and the page that it stands before."""
        return {"knock": (self.task, self.page)} if shown else {}
