"""The page pool as a map, for pools too large to show page by page."""

from __future__ import annotations

import numpy as np
from manim import Animation, Group

from astrai_sim.trace import State
from scenes.old.mobjects.census import Census, Clock
from scenes.old.mobjects.map import MapLegend, PageColors, PageMap
from scenes.old.parts.census import counted
from scenes.old.parts.clock import clock_name
from scenes.old.parts.occupancy import page_colors
from scenes.old.parts.part import Lapse, Part
from scenes.old.parts.setting import Setting


class MapPart(Part):
    """Every page of the pool in its place, coloured by its owner's arrival.

    `lit` names the tasks whose pages stand out, all others being dimmed.
    """

    name = "map"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        plan = setting.plan
        self.lit: tuple[str, ...] = ()
        self.map = PageMap(setting.n_pages, plan.map)
        census = Census(setting.n_pages, plan.census, counted(setting.trace))
        clock = Clock(clock_name(setting.trace), plan.census)
        self.legend = MapLegend(self.map.grid, census.right, plan.census.cy, clock.left)

    def mobjects(self) -> list[Group]:
        return [self.map, self.legend]

    def show(self, state: State) -> None:
        self.map.show(self._pages(state))

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.map.change(self._pages(state), seconds)

    def light(self, state: State, tasks: tuple[str, ...], seconds: float) -> list[Animation]:
        """Let the pages of `tasks` stand out in `state`; of none: show all alike."""
        self.lit = tasks
        return self.change(state, seconds)

    def frame(self, state: State) -> np.ndarray:
        return self.map.grid.colors(self._pages(state)).astype(np.float32)

    def lapse(self, lapse: Lapse, frames: list) -> list[Animation]:
        exact = self.map.grid.colors(self._pages(lapse.state))
        return self.map.run(lapse.times, [*frames[:-1], exact], lapse.seconds)

    def _pages(self, state: State) -> PageColors:
        return page_colors(state, len(self.setting.looks.tasks), self.lit)

    def read(self) -> dict:
        return {"map": self.map.read(), "map_group": self.legend.group, "map_lit": self.lit}
