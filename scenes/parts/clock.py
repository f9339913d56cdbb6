"""One clock for several parts: a stretch of recorded time, and its axis, which says how much slower it runs."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Line, Text
from scenes.draw.layout import Box
from scenes.measures import joined, measure, say
from scenes.parts.chip import chip_width
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View
from scenes.story.limits import round_step

NAMES_GAP, EDGE, COUNT = 20.0, 12.0, 250.0
APART = 150.0
"""Pixels between ticks at least."""
UNITS = (("s", 10**9), ("ms", 10**6), ("µs", 10**3), ("ns", 1))
HEIGHT, PITCH, MARK = 92.0, 38.0, 18.0


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

    def to(self, now: int) -> Self:
        """The same, run on to `now`."""
        return replace(self, came=self.now, now=now)

    def during(self, share: float) -> Self:
        """The same while `share` of its movement is over."""
        came = self.now if self.came is None else self.came
        return replace(self, now=round(came + (self.now - came) * share), came=None)

    def plot(self, box: Box) -> Box:
        """What is left of `box` for time."""
        left = chip_width(*self.names) + NAMES_GAP
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


@dataclass(frozen=True)
class Clock(Part):
    """The axis of `time`, said to count `what`; `speed` is the sentence on how fast it runs."""

    time: Timeline = field(default=Timeline(0, 1, 0))
    what: str = ""
    speed: str = ""

    def during(self, share: float) -> Self:
        return replace(self, time=self.time.during(share))

    def room(self, view: View, width: float) -> Room:
        height = HEIGHT + PITCH * (len(self._words(width)) - 1)
        return Room(height, height)

    def _words(self, width: float) -> list[str]:
        """What is written below the axis: on one line where that fits."""
        words = [text for text in (self.what, self.speed) if text]
        line = joined(" · ", words)
        fits = fonts.width(line, "sans", theme.LEAST_SIZE) <= self.time.plot(Box(0, 0, width, HEIGHT)).w
        return [line] if fits else words

    def draw(self, view: View, box: Box) -> Atoms:
        t, time, plot = view.theme, self.time, self.time.plot(box)
        unit, size = next((name, n) for name, n in UNITS if time.end >= 2 * n or n == 1)
        y, px = box.y + 8, theme.LEAST_SIZE
        yield ("axis",), Line(np.array([(plot.x, y), (plot.right, y)]), color=t.muted, width=2)
        x = time.x(plot, time.now)
        yield ("run",), Line(np.array([(plot.x, y), (x, y)]), color=t.accent, width=8)
        yield ("head",), Block(Box(x - MARK / 2, y - MARK / 2, MARK, MARK), fill=t.accent, radius=MARK / 2, z=3)
        for tick in time.ticks(plot):
            at = time.x(plot, tick)
            value = measure("clock.tick", tick / size, "tick", ns=tick, unit=unit)
            text = say("{} {}", value, unit) if tick else say("{}", value)
            if at + fonts.width(text, "mono", px) / 2 <= box.right:
                yield ("tick", tick), Line(np.array([(at, y), (at, y + 12)]), color=t.muted, width=2)
                yield ("at", tick), Text(text, (at, y + 32), px=px, face="mono", color=t.muted, align="center")
        for line, text in enumerate(self._words(box.w)):
            yield ("words", line), Text(text, (plot.x, box.y + 76 + PITCH * line), px=px, color=t.text)

    def read(self, shown: Shown) -> Read:
        """Where ticks and head stand, as shares of the axis."""
        axis = shown[self.key, "axis"].points
        left, right = (axis[i][0] for i in (0, -1))
        marks = {key[2]: mobject.points[0][0] for key, mobject in shown.items() if key[1] == "tick"}
        ticks = {tick: float((x - left) / (right - left)) for tick, x in marks.items()}
        return {"clock": {"axis": (self.time.start, self.time.end), "ticks": ticks}}
