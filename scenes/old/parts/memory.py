"""The recorded pool beside one without pages that serves the same requests."""

from __future__ import annotations

from manim import Animation, Group

from astrai_sim.trace import State
from scenes import theme
from scenes.draw.layout import Box
from scenes.old.animations import Flash
from scenes.old.mobjects.memory import HEIGHT, MemoryStrip, Stretch, status_text
from scenes.old.parts.part import Part
from scenes.old.parts.setting import Setting
from scenes.story.beats import Contiguous
from scenes.story.contiguous import at_step

GAP = 48
SIDES = ("In one piece: computed from the same requests", "In pages: recorded")

Shown = tuple[list[Stretch], str, int]
"""What a strip shows: its stretches, its status, and the step."""


class MemoryPart(Part):
    """Two strips of slots, in one piece at the left and in pages at the right."""

    name = "memory"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.layouts = next(prop.layouts for prop in setting.section.props if isinstance(prop, Contiguous))
        size = setting.looks.page_size
        self.n_slots = setting.n_pages * size
        room = setting.plan.area(0.0, 0.0, 1.0, 1.0)
        left, right = Box(room.x, room.y, room.w, HEIGHT).columns(2, GAP)
        self.whole = MemoryStrip(SIDES[0], left, self.n_slots, None, stepped=True)
        self.paged = MemoryStrip(SIDES[1], right, self.n_slots, size, stepped=True)

    def mobjects(self) -> list[Group]:
        return [self.whole, self.paged]

    def _looks(self, state: State) -> tuple[Shown, Shown]:
        step = state.step + self.beyond
        layout = at_step(self.layouts, step, self.n_slots)
        colors, rounds = self.setting.looks.colors, self.setting.looks.rounds
        pieces = [
            Stretch(piece.task, piece.start, piece.size, piece.used, colors[piece.task], rounds[piece.task])
            for piece in layout.pieces
        ]
        return (
            (pieces, status_text("contiguous", len(layout.pieces), layout.waiting), step),
            (self._pages(state), status_text("paged", len(state.tables), state.waiting), state.step),
        )

    def _pages(self, state: State) -> list[Stretch]:
        size = self.setting.looks.page_size
        fill = state.fill()
        owner = state.first_owner()
        tasks = self.setting.looks.tasks
        stretches = []
        for page in range(state.n_pages):
            if state.page_state(page) == "free":
                continue
            name = tasks[owner[page]] if owner[page] >= 0 else ""
            color = self.setting.looks.colors[name] if name else theme.CACHED
            stretches.append(
                Stretch(name, page * size, size, int(fill[page]), color, self.setting.looks.rounds.get(name, 0))
            )
        return stretches

    def show(self, state: State) -> None:
        for strip, look in zip((self.whole, self.paged), self._looks(state), strict=True):
            strip.show(*look)

    def change(self, state: State, seconds: float) -> list[Animation]:
        whole, paged = self._looks(state)
        return self.whole.change(*whole, seconds) + self.paged.change(*paged, seconds)

    def nudge(self) -> list[Animation]:
        return [Flash(strip.ground[0]) for strip in (self.whole, self.paged)]

    def read(self) -> dict:
        return {"contiguous": self.whole.read(), "paged": self.paged.read()}
