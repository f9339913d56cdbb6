"""Colour-blind viewers tell the tasks' colours apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import combinations, product

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
    """Task colours that a film uses differ by at least 15 (CIEDE2000), pair by pair.

    In a film told in shots those are the hues of its theme; they differ from the colours of the
    crowd and from the accent as well.
    """

    name = "task-colors"

    def __init__(self, palette: Iterable[str] = theme.TASK_COLORS) -> None:
        self._hues, self._others = tuple(palette), ()
        self._used: set[tuple[int, ...]] = set()

    def look(self, moment: Moment) -> Iterator[Problem]:
        if moment.stage is not None:
            look = moment.stage.view.theme
            self._hues, self._others = look.hues, (*look.crowd, look.accent)
        if moment.moved:
            for mobject in moment.picture.members:
                self._used.update(map(_key, _colors_of(mobject)))
        yield from ()

    def finish(self, now: float) -> Iterator[Problem]:
        hues, others = (
            [c for c in colors if _key(theme.rgb(c)) in self._used] for colors in (self._hues, self._others)
        )
        for first, second in (*combinations(hues, 2), *product(hues, others)):
            for vision, difference in differences(first, second).items():
                if difference < LEAST:
                    detail = f"differ by only {difference:.1f} (CIEDE2000) in {vision}"
                    yield Problem((first, second), detail)
                    break


def _key(rgb: Iterable[float]) -> tuple[int, ...]:
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
