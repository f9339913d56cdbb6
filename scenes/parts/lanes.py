"""Requests over time, above a chart with the same time axis."""

from __future__ import annotations

from manim import Animation

from astrai_sim.trace import State
from scenes.draw.animations import Flash
from scenes.draw.mobjects.lanes import LanesView
from scenes.parts.part import Part
from scenes.story.beats import Lanes


class LanesPart(Part):
    """The section's lanes, drawn up to the event that is shown."""

    name = "lanes"

    def __init__(self, stage) -> None:
        super().__init__(stage)
        lanes = next(prop for prop in stage.section.props if isinstance(prop, Lanes))
        scale = stage.part("chart").views[lanes.chart].axes.scale
        self.view = LanesView(lanes, stage.looks.colors, scale, stage.plan.area(*lanes.area))

    def mobjects(self):
        return [self.view]

    def show(self, state: State) -> None:
        self.view.set_seq(self.stage.position)

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.view.change(self.stage.position, seconds)

    def nudge(self) -> list[Animation]:
        return [Flash(self.view.back)]

    def read(self) -> dict:
        return {"lanes": self.view.read()}
