"""Requests that wait for admission, above the page tables."""

from __future__ import annotations

from manim import Animation, Group

from astrai_sim.trace import State
from scenes.old.mobjects.strip import QueueStrip
from scenes.old.parts.part import Part
from scenes.old.parts.setting import Setting


class QueuePart(Part):
    """The waiting queue, its front at the left, and the tokens that each request has."""

    name = "queue"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.strip = QueueStrip(setting.plan.queue, setting.looks.colors)

    def mobjects(self) -> list[Group]:
        return [self.strip]

    def show(self, state: State) -> None:
        self.strip.show(self._keys(state))

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.strip.change(self._keys(state), delay=0.3)

    def nudge(self) -> list[Animation]:
        return self.strip.flash()

    def read(self) -> dict:
        return {"queue": self.strip.keys, "queue_hidden": self.strip.hidden}

    @staticmethod
    def _keys(state: State) -> list[tuple[str, int]]:
        return [(name, state.tasks[name].n_tokens) for name in state.waiting]
