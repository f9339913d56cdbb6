"""The step and the scheduler's phase."""

from __future__ import annotations

from manim import Animation, Group

from astrai_sim.trace import State
from scenes.old.animations import Flash
from scenes.old.mobjects.header import PhaseIndicator
from scenes.old.parts.part import Lapse, Part
from scenes.old.parts.setting import Setting


class PhasesPart(Part):
    """Step number and phase pills; on stage in every section that wants `phases`."""

    name = "phases"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.phases = PhaseIndicator(setting.plan.phases)

    def mobjects(self) -> list[Group]:
        return [self.phases]

    def show(self, state: State) -> None:
        self.phases.show(state.step, state.phase)

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.phases.change(state.step, state.phase)

    def frame(self, state: State) -> int:
        return state.step

    def lapse(self, lapse: Lapse, frames: list[int]) -> list[Animation]:
        return self.phases.run(lapse.times, frames, lapse.state.phase, lapse.seconds)

    def nudge(self) -> list[Animation]:
        return [Flash(next(iter(self.phases.pills.values())))]

    def read(self) -> dict:
        return {"phase": self.phases.phase}
