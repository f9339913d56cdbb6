"""The step and the scheduler's phase."""

from __future__ import annotations

from manim import Animation

from astrai_sim.trace import State
from scenes.animations import Flash
from scenes.mobjects.header import PhaseIndicator
from scenes.stage.part import Lapse, Part


class PhasesPart(Part):
    """Step number and phase pills, or the step alone, as the section's header wants it."""

    name = "phases"

    def __init__(self, stage) -> None:
        super().__init__(stage)
        self.pills = stage.section.header == "phases"
        self.phases = PhaseIndicator(stage.plan.phases, self.pills)

    def mobjects(self):
        return [self.phases]

    def show(self, state: State) -> None:
        self.phases.show(state.step, self._phase(state))

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.phases.change(state.step, self._phase(state), seconds)

    def frame(self, state: State) -> int:
        return state.step

    def lapse(self, lapse: Lapse, frames: list[int]) -> list[Animation]:
        return self.phases.run(lapse.times, frames, self._phase(lapse.state), lapse.seconds)

    def nudge(self) -> list[Animation]:
        return [Flash(pill) for pill in list(self.phases.pills.values())[:1]]

    def _phase(self, state: State) -> str | None:
        return state.phase if self.pills else None

    def read(self) -> dict:
        shown: dict = {"step": self.phases.step}
        return shown | {"phase": self.phases.phase} if self.pills else shown
