"""Cached pages beside the free mask, least recently used first."""

from __future__ import annotations

from manim import Animation, Group

from astrai_sim.trace import State
from scenes.old.mobjects.strip import LruStrip
from scenes.old.parts.part import Part
from scenes.old.parts.setting import Setting
from scenes.story.beats import CodeStep


class LruPart(Part):
    """The LRU order: where `alloc` looks when no bit of the mask is set."""

    name = "lru"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.strip = LruStrip(setting.plan.lru)

    def mobjects(self) -> list[Group]:
        return [self.strip]

    def show(self, state: State) -> None:
        self.strip.show(state.lru)

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.strip.change(state.lru)

    def follow(self, step: CodeStep) -> list[Animation]:
        return [] if step.lru is None else self.strip.change(step.lru, delay=0.25)

    def nudge(self) -> list[Animation]:
        return self.strip.flash()

    def read(self) -> dict:
        return {"lru": self.strip.keys, "lru_hidden": self.strip.hidden}
