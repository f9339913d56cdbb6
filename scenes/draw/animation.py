"""The base of the film's animations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from manim import Animation, Mobject, linear, smooth

Extent = tuple[float, float, float, float]


def bounds(mobjects: Iterable[Mobject]) -> Extent | None:
    """Left, bottom, right, top of the mobjects' own points in Manim units; None without points."""
    arrays = [np.asarray(mobject.points)[:, :2] for mobject in mobjects if len(mobject.points)]
    if not arrays:
        return None
    points = np.concatenate(arrays)
    low, high = points.min(axis=0), points.max(axis=0)
    return low[0], low[1], high[0], high[1]


class FilmAnimation(Animation):
    """An animation that waits `delay` seconds, then runs for `seconds`.

    Unlike Manim's own it keeps no copy of the mobject: a subclass notes in
    `prepare` what it needs and sets the state for a progress of 0..1 in
    `apply`. `extents` names every place the mobject covers meanwhile, which
    lets the scene leave everything else out of the redrawing.
    """

    mobject: Any
    whole: bool = False
    """Whether what it shows comes and goes on the way, so that the whole picture is drawn anew."""

    def __init__(
        self,
        mobject: Mobject,
        seconds: float = 0.6,
        delay: float = 0.0,
        rate: Callable[[float], float] = smooth,
        **kwargs: Any,
    ) -> None:
        super().__init__(mobject, run_time=delay + seconds, rate_func=linear, **kwargs)
        self.seconds = seconds
        self.delay = delay
        self.rate = rate

    def prepare(self) -> None:
        """Note the state to start from; called once, when the animation begins."""

    def apply(self, progress: float) -> None:
        """Set the mobject's state for `progress` (0 at the start, 1 at the end)."""
        raise NotImplementedError

    def extents(self) -> list[Extent]:
        """Boxes in Manim units that the mobject may cover while this runs."""
        box = bounds(self.mobject.get_family())
        return [box] if box else []

    def create_starting_mobject(self) -> Mobject:
        return self.mobject

    def get_all_mobjects(self) -> tuple[Mobject]:
        return (self.mobject,)

    def begin(self) -> None:
        self.prepare()
        self.apply(self.rate(0.0))

    def interpolate(self, alpha: float) -> None:
        elapsed = alpha * self.run_time - self.delay
        self.apply(self.rate(min(1.0, max(0.0, elapsed / self.seconds))))

    def finish(self) -> None:
        self.apply(1.0)
