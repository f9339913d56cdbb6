"""Cached pages and what they keep, while no panel stands."""

from __future__ import annotations

from manim import Animation, Group

from astrai_sim.trace import State
from scenes.old.animations import Appear, Vanish
from scenes.old.mobjects.shelf import Kept, Shelf
from scenes.old.parts.part import Part
from scenes.old.parts.setting import Setting


class ShelfPart(Part):
    """Cards of all cached pages, least recently used first."""

    name = "shelf"
    in_panel = True

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.shelf: Shelf | None = None
        size = setting.looks.page_size
        self.most = max(1, *self._counts())
        self.keyed: dict[int, list[tuple[int, Kept]]] = {}
        for event in setting.trace.find(event="pages_keyed"):
            first = event.logical * size
            kept = Kept(event.page, event.task, first, first + size - 1)
            self.keyed.setdefault(event.page, []).append((event.seq, kept))

    def _counts(self) -> list[int]:
        """How many pages are cached at the section's start and whenever one more is."""
        section, trace = self.setting.section, self.setting.trace
        end = max(beat.until for beat in section.beats) + 1
        kept = trace.find(event="pages_cached", after=section.start, before=end)
        return [len(trace.state_at(section.start).lru), *(len(e.lru or ()) for e in kept)]

    def _items(self, state: State) -> list[Kept]:
        now = state.seq
        return [[kept for seq, kept in self.keyed[page] if seq <= now][-1] for page in state.lru]

    def mobjects(self) -> list[Group]:
        return [self.shelf] if self.shelf is not None else []

    def show(self, state: State) -> None:
        self.shelf = Shelf(self.setting.plan.panel, self.most, self.setting.looks.colors)
        self.shelf.show(self._items(state))

    def change(self, state: State, seconds: float) -> list[Animation]:
        if self.shelf is not None:
            return self.shelf.change(self._items(state))
        self.show(state)
        return [Appear(shelf, delay=0.3) for shelf in self.mobjects()]

    def leave(self) -> list[Animation]:
        gone, self.shelf = self.shelf, None
        return [Vanish(gone, seconds=0.3)] if gone is not None else []

    def nudge(self) -> list[Animation]:
        return self.shelf.flash() if self.shelf is not None else []

    def read(self) -> dict:
        if self.shelf is None:
            return {}
        return {"shelf": self.shelf.read(), "shelf_hidden": self.shelf.hidden}
