"""Charts that grow with the state."""

from __future__ import annotations

from manim import Animation, Group

from astrai_sim.trace import State
from scenes.old.animations import Flash
from scenes.old.mobjects.chart import ChartView
from scenes.old.parts.part import Lapse, Part
from scenes.old.parts.setting import Setting
from scenes.story.beats import Chart


class ChartPart(Part):
    """All charts among the section's props, drawn up to the event that is shown."""

    name = "chart"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.views = {
            chart.key: ChartView(chart, setting.plan.area(*chart.area))
            for chart in setting.section.props
            if isinstance(chart, Chart)
        }

    def mobjects(self) -> list[Group]:
        return list(self.views.values())

    def show(self, state: State) -> None:
        for view in self.views.values():
            view.show(state.seq)

    def change(self, state: State, seconds: float) -> list[Animation]:
        return [animation for view in self.views.values() for animation in view.change(state.seq, seconds)]

    def frame(self, state: State) -> int:
        return state.seq

    def lapse(self, lapse: Lapse, frames: list[int]) -> list[Animation]:
        """Every curve and its value as recorded at the frames' events."""
        return [animation for view in self.views.values() for animation in view.run(lapse.times, frames, lapse.seconds)]

    def nudge(self) -> list[Animation]:
        return [Flash(view.back) for view in self.views.values()]
