"""A stand-in for a scene: rules need its mobjects and its clock only."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from manim import Mobject, VMobject

from scenes import theme
from scenes.draw.atoms import Block, Line
from scenes.draw.drawn import drawn
from scenes.draw.layout import WIDE, Box
from scenes.lint.linter import Finding, Linter
from scenes.lint.moment import Problem, Rule
from scenes.lint.picture import Picture
from scenes.lint.rules.base import PictureRule


def judge(rule: PictureRule, *mobjects: Mobject) -> list[Problem]:
    """Problems of one picture that shows `mobjects`, in drawing order."""
    return list(rule.judge(Picture(mobjects)))


def panel(box: Box, fill: str | None = None, stroke: str | None = None, stroke_px: float = 2.0) -> VMobject:
    """A drawn box."""
    return drawn(Block(box=box, fill=fill, stroke=stroke, width=stroke_px), WIDE)


def wire(points: list[tuple[float, float]]) -> VMobject:
    """A drawn line with an arrow's head."""
    return drawn(Line(points=np.array(points, dtype=float), color=theme.TEXT, head=True), WIDE)


class Board:
    """Plays pictures to a linter with one rule, as a rehearsed film would."""

    stage = None

    def __init__(self, rule: Rule) -> None:
        self.linter = Linter([rule])
        self.clock = 0.0
        self.mobjects: list[Mobject] = []

    def section(self, key: str, *mobjects: Mobject) -> Board:
        self.mobjects = list(mobjects)
        self.linter.section_started(self, SimpleNamespace(key=key))
        return self

    def move(self, seconds: float, *mobjects: Mobject) -> Board:
        """An animation that ends with `mobjects` on the picture."""
        self.mobjects = list(mobjects)
        return self._end(seconds, moved=True)

    def wait(self, seconds: float) -> Board:
        return self._end(seconds, moved=False)

    def findings(self) -> list[Finding]:
        return self.linter.finish()

    def _end(self, seconds: float, moved: bool) -> Board:
        began = self.clock
        self.clock += seconds
        self.linter.animation_ended(self, began, moved)
        return self
