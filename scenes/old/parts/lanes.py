"""Requests over time, above a chart with the same time axis."""

from __future__ import annotations

from typing import Any

from manim import Animation, Group

from astrai_sim.trace import State
from scenes.old.animations import Flash
from scenes.old.mobjects.chart import ChartView
from scenes.old.mobjects.lanes import LanesView
from scenes.old.parts.part import Part
from scenes.old.parts.setting import Setting
from scenes.story.beats import Chart, Lanes


class LanesPart(Part):
    """The section's lanes, drawn up to the event that is shown."""

    name = "lanes"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        lanes = next(prop for prop in setting.section.props if isinstance(prop, Lanes))
        chart = next(p for p in setting.section.props if isinstance(p, Chart) and p.key == lanes.chart)
        scale: Any = ChartView(chart, setting.plan.area(*chart.area)).axes.scale
        self.view = LanesView(lanes, setting.looks.colors, scale, setting.plan.area(*lanes.area))

    def mobjects(self) -> list[Group]:
        return [self.view]

    def show(self, state: State) -> None:
        self.view.set_seq(state.seq + self.beyond)

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.view.change(state.seq + self.beyond, seconds)

    def nudge(self) -> list[Animation]:
        return [Flash(self.view.back)]

    def read(self) -> dict:
        return {"lanes": self.view.read()}
