"""The free mask below the pool."""

from __future__ import annotations

from manim import Animation, Group

from astrai_sim.trace import State
from scenes.old.mobjects.bitmask import Bitmask
from scenes.old.parts.part import Part
from scenes.old.parts.setting import Setting
from scenes.story.beats import CodeStep

LINE_DELAY = 0.25
"""Seconds after a line is marked until what it changes does."""


class MaskPart(Part):
    """Digits of the free mask, and how many pages are free."""

    name = "mask"

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self.mask = Bitmask(setting.n_pages, setting.plan.mask)

    def mobjects(self) -> list[Group]:
        return [self.mask]

    def show(self, state: State) -> None:
        self.mask.show(state.mask_bits())

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.mask.change(state.mask_bits())

    def follow(self, step: CodeStep) -> list[Animation]:
        """Bits as the line sets them."""
        return [] if step.mask is None else self.mask.change(self._bits(step.mask), delay=LINE_DELAY)

    def touched(self, step: CodeStep) -> list[int]:
        """Pages whose bit alone the line is about to change: they flash with it."""
        changed = [] if step.mask is None else self.mask.changed(self._bits(step.mask))
        return sorted({*changed} - {page for page, _ in step.refs})

    def _bits(self, mask: int) -> str:
        return format(mask, f"0{self.mask.n_bits}b")
