"""How full each request's pages are, while no panel stands."""

from __future__ import annotations

import numpy as np
from manim import Animation, Group

from astrai_sim.trace import State
from scenes.old.animations import Appear, Vanish
from scenes.old.mobjects.meters import Meters
from scenes.old.mobjects.table import TableLook
from scenes.old.parts.part import Lapse, Part
from scenes.old.parts.setting import Setting


class MetersPart(Part):
    """Bars of the tables' filled slots; there only while some task holds pages."""

    name = "meters"
    in_panel = True

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.meters: Meters | None = None

    def mobjects(self) -> list[Group]:
        return [self.meters] if self.meters is not None else []

    def show(self, state: State) -> None:
        looks = self.setting.looks
        if looks.tables(state):
            self.meters = Meters(self.setting.plan.panel, looks.longest, looks.page_size, len(looks.tasks))
            self.meters.show(looks.tables(state), filled_in_use(state))

    def change(self, state: State, seconds: float) -> list[Animation]:
        tables = self.setting.looks.tables(state)
        if self.meters is None:
            self.show(state)
            return [Appear(self.meters, delay=0.3)] if self.meters is not None else []
        if not tables:
            return self.leave()
        return self.meters.change(tables, filled_in_use(state), seconds)

    def frame(self, state: State) -> tuple[list[TableLook], tuple[int, int]]:
        return self.setting.looks.tables(state), filled_in_use(state)

    def lapse(self, lapse: Lapse, frames: list[tuple[list[TableLook], tuple[int, int]]]) -> list[Animation]:
        """Bars and counts run through the frames' while all have the same pages."""
        looks, totals = zip(*frames, strict=True)
        pages = [[(look.task, look.pages) for look in frame] for frame in looks]
        if self.meters is None or any(shown != pages[0] for shown in pages):
            return self.change(lapse.state, lapse.seconds)
        return self.meters.run(lapse.times, looks, totals, lapse.seconds)

    def leave(self) -> list[Animation]:
        gone, self.meters = self.meters, None
        return [Vanish(gone, seconds=0.3)] if gone is not None else []

    def read(self) -> dict:
        return {} if self.meters is None else {"meters": self.meters.read()}


def filled_in_use(state: State) -> tuple[int, int]:
    """Filled slots, and slots, of the pages in use: those with a refcount."""
    used = np.array(state.refs) > 0
    return int(state.fill()[used].sum()), int(used.sum()) * state.page_size
