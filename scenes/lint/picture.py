"""What a scene shows at one moment, in the order in which it is drawn."""

from collections.abc import Iterable, Iterator
from functools import cached_property
from operator import attrgetter
from typing import TypeVar

import numpy as np
from manim import Mobject

from scenes.draw.drawn import DrawnText
from scenes.lint.facts import Facts, Known
from scenes.parts.part import View

M = TypeVar("M", bound=Mobject)


class Picture:
    """The visible mobjects among `roots` and their families, in the frame and theme of `view`.

    `family` is everything on the scene, groups included; `known` is what was worked out for pictures before.
    """

    def __init__(self, roots: Iterable[Mobject], view: View, known: Known | None = None) -> None:
        self.frame, self.theme = view.frame, view.theme
        self.family = sorted(dict.fromkeys(_families(roots)), key=attrgetter("z_index"))
        self._known = known or Known()

    @cached_property
    def facts(self) -> dict[Mobject, Facts]:
        """What is visible, and what it looks like."""
        return self._visible(self.family)

    @property
    def members(self) -> list[Mobject]:
        """What is visible."""
        return list(self.facts)

    @cached_property
    def texts(self) -> dict[DrawnText, Facts]:
        """Texts with ink, and what they look like."""
        return self._visible(m for m in self.family if isinstance(m, DrawnText))

    @property
    def labels(self) -> list[DrawnText]:
        """Texts with ink."""
        return list(self.texts)

    @cached_property
    def inks(self) -> np.ndarray:
        """Ink boxes of `labels` in design pixels, shape [n, 4]: left, top, right, bottom."""
        return np.array([facts.box for facts in self.texts.values()]).reshape(-1, 4)

    @cached_property
    def boxes(self) -> np.ndarray:
        """Boxes of `members` with their strokes, shape [n, 4]."""
        return np.array([facts.box for facts in self.facts.values()]).reshape(-1, 4)

    @cached_property
    def outlined(self) -> list[Facts]:
        """The vector mobjects that are not text."""
        return [facts for facts in self.facts.values() if facts.paths]

    def _visible(self, mobjects: Iterable[M]) -> dict[M, Facts]:
        return {m: facts for m in mobjects if (facts := self._known.of(m, self.frame)).visible}


def _families(mobjects: Iterable[Mobject]) -> Iterator[Mobject]:
    for mobject in mobjects:
        yield mobject
        if mobject.submobjects:
            yield from _families(mobject.submobjects)


def name(mobject: Mobject) -> str:
    """How a finding names a mobject: its class, and what it says."""
    text = getattr(mobject, "text", None)
    kind = type(mobject).__name__
    return f"{kind} {text!r}" if isinstance(text, str) and text else kind
