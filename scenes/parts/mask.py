"""The free mask below the pool."""

from __future__ import annotations

from manim import Animation

from astrai_sim.trace import State
from scenes.draw.mobjects.bitmask import Bitmask
from scenes.parts.part import Part
from scenes.story.beats import CodeStep

LINE_DELAY = 0.25
"""Seconds after a line is marked until what it changes does."""


class MaskPart(Part):
    """Digits of the free mask, and how many pages are free."""

    name = "mask"

    def __init__(self, stage) -> None:
        super().__init__(stage)
        self.mask = Bitmask(stage.n_pages, stage.plan.mask)

    def mobjects(self):
        return [self.mask]

    def show(self, state: State) -> None:
        self.mask.show(state.mask_bits())

    def change(self, state: State, seconds: float) -> list[Animation]:
        return self.mask.change(state.mask_bits())

    def follow(self, step: CodeStep) -> list[Animation]:
        """Bits as the line sets them; the pages that they stand for flash with them."""
        if step.mask is None:
            return []
        bits = format(step.mask, f"0{self.mask.n_bits}b")
        changed = set(self.mask.changed(bits)) - {page for page, _ in step.refs}
        animations = self.mask.change(bits, delay=LINE_DELAY)
        if "pool" in self.stage.parts:
            animations += self.stage.parts["pool"].flash(sorted(changed), delay=LINE_DELAY)
        return animations
