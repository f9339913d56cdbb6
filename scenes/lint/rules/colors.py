"""Colour-blind viewers tell the tasks' colours apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations

import numpy as np
from coloraide import Color
from manim import Mobject, VMobject

from scenes import theme
from scenes.draw.cells import CellField
from scenes.lint.moment import Moment, Problem, Rule
from scenes.lint.picture import FAINT, fill_of, stroke_px

LEAST = 15.0
VISIONS = {"normal vision": None, "deuteranopia": "deutan", "protanopia": "protan"}


def differences(first: str, second: str) -> dict[str, float]:
    """CIEDE2000 difference of two hex colours for each kind of vision.

    Colour-blind sight is simulated by coloraide's filters at full severity, which
    follow Viénot, Brettel and Mollon (1999).
    """
    result = {}
    for vision, simulation in VISIONS.items():
        a, b = Color(first), Color(second)
        if simulation:
            a, b = a.filter(simulation), b.filter(simulation)
        result[vision] = a.delta_e(b, method="2000")
    return result


class TaskColors(Rule):
    """Task colours that a film uses differ by at least 15 (CIEDE2000), pair by pair."""

    name = "task-colors"

    def __init__(self, palette: Iterable[str] = theme.TASK_COLORS) -> None:
        self._names = {_key(np.array(theme.rgb(color))): color for color in palette}
        self._used: dict[str, None] = {}

    def look(self, moment: Moment) -> Iterator[Problem]:
        if moment.moved:
            for mobject in moment.picture.members:
                for rgb in _colors_of(mobject):
                    color = self._names.get(_key(rgb))
                    if color:
                        self._used[color] = None
        yield from ()

    def finish(self, now: float) -> Iterator[Problem]:
        for first, second in combinations(self._used, 2):
            for vision, difference in differences(first, second).items():
                if difference < LEAST:
                    detail = f"differ by only {difference:.1f} (CIEDE2000) in {vision}"
                    yield Problem((first, second), detail)
                    break


def _key(rgb: np.ndarray) -> tuple[int, ...]:
    return tuple(int(round(value * 255)) for value in rgb)


def _colors_of(mobject: Mobject) -> Iterator[np.ndarray]:
    if isinstance(mobject, CellField):
        shown = mobject.rgba[mobject.rgba[:, 3] > FAINT]
        yield from np.unique(shown[:, :3], axis=0)
    elif isinstance(mobject, VMobject):
        if fill_of(mobject)[3] > FAINT:
            yield fill_of(mobject)[:3]
        if stroke_px(mobject) > 0:
            yield mobject.get_stroke_rgbas()[0][:3]
