"""Showing recorded moments one after another."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

from manim import Animation, Mobject, linear

from scenes.draw.animation import Extent, FilmAnimation
from scenes.draw.label import Label
from scenes.old.animations.text import TickText


def moment(times: Sequence[float], progress: float) -> int:
    """Which of the moments at `times` (rising, from 0 to 1) stands at `progress`."""
    return min(bisect_right(times, progress), len(times)) - 1


class Replay(FilmAnimation):
    """Show what a mobject is like at `times`, each until the next: `show(i)` for the i-th."""

    def __init__(
        self,
        mobject: Mobject,
        times: Sequence[float],
        show: Callable[[int], None],
        seconds: float,
        reach: Sequence[Extent] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(mobject, seconds=seconds, rate=linear, **kwargs)
        self.times = times
        self.show = show
        self.reach = list(reach)

    def extents(self) -> list[Extent]:
        return super().extents() + self.reach

    def apply(self, progress: float) -> None:
        self.show(moment(self.times, progress))


def replay_text(label: Label, times: Sequence[float], texts: Sequence[str], seconds: float) -> list[Animation]:
    """Animations that have a label say each of `texts` from its time on; none for one text."""
    if all(a == b for a, b in pairwise([label.text, *texts])):
        return []
    return [TickText(label, lambda p: texts[moment(times, p)], seconds, rate=linear)]


__all__ = ["Replay", "moment", "replay_text"]
