"""The page pool as a map, for pools too large to show page by page."""

from __future__ import annotations

import numpy as np
from manim import Animation

from astrai_sim.trace import State
from scenes.mobjects.census import Census
from scenes.mobjects.map import BlendCells, MapLegend, PageMap
from scenes.stage.occupancy import codes_of
from scenes.stage.part import Lapse, Part


class MapPart(Part):
    """Every page of the pool in its place, coloured by owner."""

    name = "map"

    def __init__(self, stage) -> None:
        super().__init__(stage)
        plan = stage.plan
        self.map = PageMap(stage.n_pages, plan.map)
        x = Census(stage.n_pages, plan.census).right
        self.legend = MapLegend(self.map.grid.group, x, plan.census.cy)

    def mobjects(self):
        return [self.map, self.legend]

    def show(self, state: State) -> None:
        self.map.show(codes_of(state))

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.map.change(codes_of(state), seconds)

    def frame(self, state: State) -> np.ndarray:
        return self.map.grid.colors(codes_of(state)).astype(np.float32)

    def lapse(self, lapse: Lapse, frames: list) -> list[Animation]:
        exact = self.map.grid.colors(codes_of(lapse.state))
        return [BlendCells(self.map.field, lapse.times, [*frames[1:-1], exact], lapse.seconds)]

    def read(self) -> dict:
        return {"map": self.map.read(), "map_group": self.legend.group}
