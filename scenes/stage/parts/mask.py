"""The free mask below the pool."""

from __future__ import annotations

from manim import Animation

from astrai_sim.trace import State
from scenes.mobjects.bitmask import Bitmask
from scenes.stage.part import Part
from scenes.storyboard.beats import CodeStep


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
        if step.mask is None:
            return []
        return self.mask.change(format(step.mask, f"0{self.mask.n_bits}b"), delay=0.25)

    def read(self) -> dict:
        return {"mask": self.mask.text, "free_count": self.mask.free_shown}
