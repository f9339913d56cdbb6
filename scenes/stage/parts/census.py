"""Counts of pages, where a free mask would have too many digits."""

from __future__ import annotations

from manim import Animation

from astrai_sim.trace import State
from scenes.mobjects.census import Census
from scenes.stage.part import Lapse, Part


class CensusPart(Part):
    """Pages in use, cached and free."""

    name = "census"

    def __init__(self, stage) -> None:
        super().__init__(stage)
        self.census = Census(stage.n_pages, stage.plan.census)

    def mobjects(self):
        return [self.census]

    def show(self, state: State) -> None:
        self.census.show(self.frame(state))

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.census.change(self.frame(state), seconds)

    def frame(self, state: State) -> tuple[int, int, int]:
        return state.n_in_use, state.n_cached, state.n_free

    def lapse(self, lapse: Lapse, frames: list) -> list[Animation]:
        return self.census.run(lapse.times, frames, lapse.seconds)

    def read(self) -> dict:
        return {"census": self.census.read()}
