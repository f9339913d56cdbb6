"""A stand-in for a scene: rules need its mobjects and its clock only."""

from types import SimpleNamespace
from typing import Self

import numpy as np
from manim import Mobject, VMobject

from scenes import theme
from scenes.draw.atoms import Block, Cells, Line, Text, grid_edges, rgba
from scenes.draw.drawn import DrawnCells, DrawnText, drawn
from scenes.draw.layout import WIDE, Box
from scenes.lint.linter import Finding, Linter
from scenes.lint.moment import Problem, Rule
from scenes.lint.picture import Picture
from scenes.lint.rules.pictures import PictureRule
from scenes.theme import DARK, Theme


def judge(rule: PictureRule, *mobjects: Mobject) -> list[Problem]:
    """Problems of one picture that shows `mobjects`, in drawing order."""
    return list(rule.judge(Picture(mobjects, SimpleNamespace(frame=WIDE, theme=DARK))))


def label(text: str = "page 3", at: tuple[float, float] = (960, 540), color: str = theme.TEXT, **look) -> DrawnText:
    """A drawn text."""
    return drawn(Text(text=text, at=at, color=color, **look), WIDE)


def field(box: Box, n: int, columns: int, **colors: str) -> DrawnCells:
    """Drawn cells with these `colors` (`_3="#FFFFFF"`, or `all`); the others are not there."""
    fills = np.zeros((n, 4))
    for cell, color in colors.items():
        fills[slice(None) if cell == "all" else int(cell[1:])] = rgba(color)
    return drawn(Cells(edges=grid_edges(box, n, columns, 2.0), fills=fills), WIDE)


def panel(box: Box, fill: str | None = None, stroke: str | None = None, stroke_px: float = 2.0) -> VMobject:
    """A drawn box."""
    return drawn(Block(box=box, fill=fill, stroke=stroke, width=stroke_px), WIDE)


def wire(points: list[tuple[float, float]]) -> VMobject:
    """A drawn line with an arrow's head."""
    return drawn(Line(points=np.array(points, dtype=float), color=theme.TEXT, head=True), WIDE)


class Board:
    """Plays pictures to a linter with one rule, as a rehearsed film would."""

    animations = ()

    def __init__(self, rule: Rule, look: Theme = DARK) -> None:
        view, canvas = SimpleNamespace(frame=WIDE, theme=look), SimpleNamespace(atoms={})
        self.stage = SimpleNamespace(view=view, canvas=canvas)
        self.linter = Linter([rule])
        self.clock = 0.0
        self.mobjects: list[Mobject] = []

    def section(self, key: str, *mobjects: Mobject) -> Self:
        self.mobjects = list(mobjects)
        self.linter.section_started(self, SimpleNamespace(key=key))
        return self

    def move(self, seconds: float, *mobjects: Mobject) -> Self:
        """An animation that ends with `mobjects` on the picture."""
        self.mobjects = list(mobjects)
        return self._end(seconds, moved=True)

    def wait(self, seconds: float) -> Self:
        return self._end(seconds, moved=False)

    def findings(self) -> list[Finding]:
        return self.linter.finish()

    def _end(self, seconds: float, moved: bool) -> Self:
        began = self.clock
        self.clock += seconds
        self.linter.animation_ended(self, began, moved)
        return self
