"""How many pages are free, in words."""

from dataclasses import dataclass

from scenes import theme
from scenes.draw.atoms import Text
from scenes.draw.layout import Box
from scenes.measures import measure, say
from scenes.parts.part import Atoms, Part, Room, View


@dataclass(frozen=True)
class Free(Part):
    """One line: free pages of the pool, and with `cached` those that hold what nobody uses now. `alarm` sets it off."""

    needs = Room(40, 40)

    cached: bool = False
    alarm: bool = False

    def draw(self, view: View, box: Box) -> Atoms:
        state = view.state
        pages = measure("pool.pages", view.n_pages)
        text = say("{} of {} pages free", measure("pool.free", state.n_free), pages)
        if self.cached:
            text = say("{}, {} cached", text, measure("pool.cached", state.n_cached))
        color = view.theme.alarm if self.alarm else view.theme.text
        yield ("text",), Text(text, (box.x, box.cy), px=theme.LABEL, face="sans-medium", color=color)
