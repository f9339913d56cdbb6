"""The time of the run."""

from __future__ import annotations

from manim import Animation

from astrai_sim.trace import State
from scenes.mobjects.census import Clock
from scenes.stage.part import Lapse, Part


class ClockPart(Part):
    """How far the run has come, by the engine's clock or the cost model's."""

    name = "clock"

    def __init__(self, stage) -> None:
        super().__init__(stage)
        real = stage.trace.header.clock == "real"
        self.clock = Clock("engine time" if real else "cost-model time", stage.plan.census)

    def mobjects(self):
        return [self.clock]

    def show(self, state: State) -> None:
        self.clock.show(state.ns)

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.clock.change(state.ns, seconds)

    def lapse(self, lapse: Lapse, frames: list) -> list[Animation]:
        return self.clock.change(lapse.state.ns, lapse.seconds, even=True)

    def read(self) -> dict:
        return {"clock": self.clock.time.text}
