"""What the rules ask of a mobject, worked out once for as long as it looks the same."""

from collections.abc import Iterable
from functools import cached_property
from operator import is_
from typing import Any

import numpy as np
from manim import Mobject, VMobject

from scenes.draw.cells import CellField
from scenes.draw.drawn import DrawnText
from scenes.draw.layout import UNIT, Frame
from scenes.lint.geometry import polylines, segments

FAINT = 0.02


class Facts:
    """What a mobject looks like now, in design pixels; colours are r, g, b, a in 0..1."""

    def __init__(self, mobject: Mobject, frame: Frame) -> None:
        self.mobject, self.frame = mobject, frame

    @cached_property
    def visible(self) -> bool:
        """Whether its own points leave anything on the picture."""
        mobject = self.mobject
        if not len(mobject.points):
            return False
        if isinstance(mobject, CellField):
            return bool(np.any(mobject.rgba[:, 3] * mobject.opacity > FAINT))
        if isinstance(mobject, DrawnText):
            return len(mobject.points) > 4 and self.fill[3] > FAINT
        return not isinstance(mobject, VMobject) or bool(self.fill[3] > FAINT) or self.stroke > 0

    @cached_property
    def fill(self) -> np.ndarray:
        """Its fill; alpha 0 where there is none."""
        rgbas = self.mobject.get_fill_rgbas() if isinstance(self.mobject, VMobject) else np.zeros((0, 4))
        return rgbas[0] if len(rgbas) else np.zeros(4)

    @cached_property
    def stroke(self) -> float:
        """Width of the visible stroke; 0 where there is none."""
        if not isinstance(self.mobject, VMobject):
            return 0.0
        rgbas = self.mobject.get_stroke_rgbas()
        if not len(rgbas) or rgbas[0][3] <= FAINT:
            return 0.0
        return float(self.mobject.get_stroke_width()) * UNIT / 100

    @cached_property
    def box(self) -> np.ndarray:
        """Left, top, right, bottom of the ink of a text that has some, of all else with its stroke."""
        if isinstance(self.mobject, DrawnText):
            return np.array(self.mobject.ink())
        at = self.frame.pixels(np.asarray(self.mobject.points))
        return np.concatenate([at.min(axis=0) - self.stroke / 2, at.max(axis=0) + self.stroke / 2])

    @cached_property
    def paths(self) -> list[np.ndarray]:
        """Its outlines, flattened: arrays of points [n, 2]; none of text and of what has no outline."""
        outlined = isinstance(self.mobject, VMobject) and not isinstance(self.mobject, DrawnText)
        return polylines(self.mobject, self.frame) if outlined else []  # type: ignore[arg-type]

    @cached_property
    def pieces(self) -> np.ndarray:
        """The straight pieces of its outlines [n, 4]: x0, y0, x1, y1."""
        return segments(self.paths)

    @cached_property
    def size(self) -> float:
        """The longer side of the box around its outlines; 0 without any."""
        return float(np.ptp(np.concatenate(self.paths), axis=0).max()) if self.paths else 0.0

    @cached_property
    def colors(self) -> frozenset[tuple[int, ...]]:
        """The colours that it shows, as components in 0..255."""
        if isinstance(self.mobject, CellField):
            shown = self.mobject.rgba[self.mobject.rgba[:, 3] > FAINT]
            return frozenset(map(bytes_of, np.unique(shown[:, :3], axis=0)))
        found = [self.fill[:3]] if self.fill[3] > FAINT else []
        if isinstance(self.mobject, VMobject) and self.stroke > 0:
            found.append(self.mobject.get_stroke_rgbas()[0][:3])
        return frozenset(map(bytes_of, found))


def bytes_of(rgb: Iterable[float]) -> tuple[int, ...]:
    """Components in 0..1 as in 0..255."""
    return tuple(int(round(value * 255)) for value in rgb)


class Known:
    """The facts of the mobjects of a section: those of one that looks as it did are the same object.

    Of what is drawn by this project arrays are replaced when it changes; of other mobjects nothing is kept.
    """

    def __init__(self) -> None:
        self._facts: dict[Mobject, tuple[tuple[Any, ...], Facts]] = {}

    def of(self, mobject: Mobject, frame: Frame) -> Facts:
        """The facts of `mobject` as it looks in `frame`."""
        look = getattr(mobject, "look", None)
        if look is None:
            return Facts(mobject, frame)
        before = self._facts.get(mobject)
        if before is not None and before[1].frame is frame and _same(before[0], look):
            return before[1]
        facts = Facts(mobject, frame)
        self._facts[mobject] = look, facts
        return facts


def _same(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    """Whether two looks are of the same objects."""
    return len(a) == len(b) and all(map(is_, a, b))
