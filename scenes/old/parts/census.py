"""Counts of pages, where a free mask would have too many digits."""

from __future__ import annotations

from manim import Animation, Group

from astrai_sim.trace import State, Trace
from scenes.old.mobjects.census import NAMES, Census
from scenes.old.parts.part import Lapse, Part
from scenes.old.parts.setting import Setting


def counted(trace: Trace) -> tuple[str, ...]:
    """The counts worth a number: that of cached pages only where prefixes are cached."""
    cached = trace.header.scenario.cache.prefix_caching
    return NAMES if cached else tuple(name for name in NAMES if name != "cached")


class CensusPart(Part):
    """Pages in use, cached and free."""

    name = "census"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.census = Census(setting.n_pages, setting.plan.census, counted(setting.trace))

    def mobjects(self) -> list[Group]:
        return [self.census]

    def show(self, state: State) -> None:
        self.census.show(self.frame(state))

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.census.change(self.frame(state))

    def frame(self, state: State) -> dict[str, int]:
        return {"in use": state.n_in_use, "cached": state.n_cached, "free": state.n_free}

    def lapse(self, lapse: Lapse, frames: list) -> list[Animation]:
        return self.census.run(lapse.times, frames, lapse.seconds)
