"""What stands on a stage: a part shows one side of the replayed state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from manim import Animation, Group, Scene

from astrai_sim.trace import State
from scenes.draw.layout import Box
from scenes.old.animations import Appear
from scenes.old.parts.setting import Setting
from scenes.story.beats import CodeStep


@dataclass(frozen=True)
class Lapse:
    """A stretch of the run in time-lapse.

    `times` are moments from 0 to 1, both included, at which a part's frames show the
    run; `state` is the state at the end, reached after `seconds`.
    """

    times: tuple[float, ...]
    state: State
    seconds: float


class Part:
    """One part of a stage: mobjects, and how they follow the state.

    `name` is what sections and `Reveal` beats call it. Parts with `in_panel` stand
    in the panel's place and only while no panel does.
    """

    name: ClassVar[str]
    in_panel: ClassVar[bool] = False

    def __init__(self, setting: Setting) -> None:
        self.setting = setting

    def mobjects(self) -> list[Group]:
        """What to draw, in drawing order."""
        raise NotImplementedError

    def show(self, state: State) -> None:
        """Show `state` at once; called before the part is seen."""
        raise NotImplementedError

    def change(self, state: State, seconds: float) -> list[Animation]:
        """Animations that bring the part to `state`, the longest of about `seconds`."""
        raise NotImplementedError

    def frame(self, state: State) -> object:
        """What the part needs to know of a state on the way through a time-lapse."""
        return None

    def lapse(self, lapse: Lapse, frames: list) -> list[Animation]:
        """Animations through a time-lapse; `frames` are those of `frame` at its times."""
        return self.change(lapse.state, lapse.seconds)

    def reveal(self, scene: Scene) -> list[Animation]:
        """Bring the part on stage, into `scene`; it was told what to show before."""
        return [Appear(mobject, delay=0.4) for mobject in self.mobjects()]

    def revealed(self) -> None:
        """Called when the animations of `reveal` are over."""

    def leave(self) -> list[Animation]:
        """Make room for a panel; only called of parts with `in_panel`."""
        return []

    def follow(self, step: CodeStep) -> list[Animation]:
        """What an executed line changes in the part."""
        return []

    def nudge(self) -> list[Animation]:
        """A small movement that draws the eye to the part while nothing else happens."""
        return []

    def beside(self, box: Box) -> Box:
        """What the part leaves of `box` to a panel."""
        return box

    def read(self) -> dict:
        """What the mobjects show now that is no text, read back from them, by field (see `scenes.truth`)."""
        return {}
