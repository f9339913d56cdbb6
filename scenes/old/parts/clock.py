"""The time of the run."""

from __future__ import annotations

from manim import Animation, Group

from astrai_sim.trace import State, Trace
from scenes.old.mobjects.census import Clock
from scenes.old.parts.part import Lapse, Part
from scenes.old.parts.setting import Setting


def clock_name(trace: Trace) -> str:
    """Whose time the trace's events carry."""
    return "engine time" if trace.header.clock == "real" else "cost-model time"


class ClockPart(Part):
    """How far the run has come, by the engine's clock or the cost model's."""

    name = "clock"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.clock = Clock(clock_name(setting.trace), setting.plan.census)

    def mobjects(self) -> list[Group]:
        return [self.clock]

    def show(self, state: State) -> None:
        self.clock.show(state.ns)

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.clock.change(state.ns)

    def frame(self, state: State) -> int:
        return state.ns

    def lapse(self, lapse: Lapse, frames: list[int]) -> list[Animation]:
        return self.clock.run(lapse.times, frames, lapse.seconds)
