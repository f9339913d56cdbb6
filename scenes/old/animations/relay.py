"""Moving to another layout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from manim import Mobject

from scenes.draw.animation import Extent, FilmAnimation, bounds
from scenes.draw.token_field import TokenField


class Relay(FilmAnimation):
    """Bring what is in `owner` from the places of an earlier version of it to its own.

    `pairs` are (earlier, now) mobjects whose families match; what has another number of
    points now, such as a label that says something else, is in its place at once. A token
    field that has more cells now moves those that it had.
    """

    def __init__(
        self, owner: Mobject, pairs: Iterable[tuple[Mobject, Mobject]], seconds: float = 0.8, **kwargs: Any
    ) -> None:
        super().__init__(owner, seconds=seconds, **kwargs)
        self.fields = []
        self.points = []
        self.before = bounds(owner)
        for earlier, now in pairs:
            self.before = _union(self.before, bounds(earlier))
            for old, new in zip(earlier.get_family(), now.get_family(), strict=False):
                if isinstance(new, TokenField):
                    start = new.edges.copy()
                    kept = min(len(start), len(old.edges))
                    start[:kept] = old.edges[:kept]
                    self.fields.append((new, start, new.edges.copy()))
                elif len(new.points) and old.points.shape == new.points.shape:
                    self.points.append((new, old.points.copy(), new.points.copy()))

    def extents(self) -> list[Extent]:
        return [box for box in (self.before, bounds(self.mobject)) if box]

    def apply(self, progress: float) -> None:
        for mobject, start, end in self.points:
            mobject.points = start + (end - start) * progress
        for field, start, end in self.fields:
            field.lay(start + (end - start) * progress)


def _union(first: Extent | None, second: Extent | None) -> Extent | None:
    if first is None or second is None:
        return first or second
    return (min(first[0], second[0]), min(first[1], second[1]), max(first[2], second[2]), max(first[3], second[3]))
