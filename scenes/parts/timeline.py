"""One clock for several parts: a stretch of recorded time, the same place on screen for the same moment."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.layout import Box
from scenes.parts.part import View
from scenes.story.limits import round_step

CHIP_GAP, EDGE, COUNT = 20.0, 12.0, 250.0
APART = 150.0
"""Pixels between ticks at least."""


@dataclass(frozen=True)
class Timeline:
    """Nanoseconds from `start` to `end`, 0 being the moment that all stretches shown are laid on.

    The clock has come to `now`, in a movement from `came` on. `names` are the requests that stand before
    the lanes of any part on it; where `counted`, there is room behind them for a number.
    """

    start: int
    end: int
    now: int
    came: int | None = None
    names: tuple[str, ...] = ()
    counted: bool = False

    def to(self, now: int) -> Timeline:
        """The same, run on to `now`."""
        return replace(self, came=self.now, now=now)

    def during(self, share: float) -> Timeline:
        """The same while `share` of its movement is over."""
        came = self.now if self.came is None else self.came
        return replace(self, now=round(came + (self.now - came) * share), came=None)

    def chip(self, view: View) -> float:
        """Width of a request's chip."""
        widest = max((fonts.width(name, "sans-bold", theme.LABEL) for name in self.names), default=0.0)
        return max(64.0, widest + 32)

    def plot(self, view: View, box: Box) -> Box:
        """What is left of `box` for time."""
        left = self.chip(view) + CHIP_GAP
        return Box(box.x + left, box.y, box.w - left - (COUNT if self.counted else EDGE), box.h)

    def x(self, plot: Box, ns: float) -> float:
        """Where a moment stands."""
        return plot.x + plot.w * (ns - self.start) / (self.end - self.start)

    def ticks(self, plot: Box) -> list[int]:
        """Round moments on the axis, 0 among them and at least one later."""
        step = max(1, round(round_step(self.end - self.start, max(2, int(plot.w / APART)))))
        while step > self.end:
            step = max(1, step // 2)
        return [int(k) * step for k in np.arange(-(-self.start // step), self.end // step + 1)]
