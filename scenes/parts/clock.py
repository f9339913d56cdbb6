"""The clock below lanes: one axis of time for all of them, and how much slower it runs than what was recorded."""

from dataclasses import dataclass, field, replace

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Line, Text
from scenes.draw.layout import Box
from scenes.measures import joined, measure, say
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View
from scenes.parts.timeline import Timeline

UNITS = (("s", 10**9), ("ms", 10**6), ("µs", 10**3), ("ns", 1))
HEIGHT, PITCH, MARK = 92.0, 38.0, 18.0


@dataclass(frozen=True)
class Clock(Part):
    """The axis of `time`, said to count `what`; `speed` is the sentence on how fast it runs."""

    time: Timeline = field(default=Timeline(0, 1, 0))
    what: str = ""
    speed: str = ""

    def during(self, share: float) -> Part:
        return replace(self, time=self.time.during(share))

    def room(self, view: View, width: float) -> Room:
        height = HEIGHT + PITCH * (len(self._words(view, width)) - 1)
        return Room(height, height)

    def _words(self, view: View, width: float) -> list[str]:
        """What is written below the axis: on one line where that fits."""
        words = [text for text in (self.what, self.speed) if text]
        line = joined(" · ", words)
        room = self.time.plot(view, Box(0, 0, width, HEIGHT)).w
        return [line] if fonts.width(line, "sans", theme.LEAST_SIZE) <= room else words

    def draw(self, view: View, box: Box) -> Atoms:
        t, time, plot = view.theme, self.time, self.time.plot(view, box)
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
                yield (("at", tick), Text(text, (at, y + 32), px=px, face="mono", color=t.muted, align="center"))
        for line, text in enumerate(self._words(view, box.w)):
            yield ("words", line), Text(text, (plot.x, box.y + 76 + PITCH * line), px=px, color=t.text)

    def read(self, shown: Shown) -> Read:
        """Where ticks and head stand, as shares of the axis."""
        axis = shown[self.key, "axis"].points
        left, right = (axis[i][0] for i in (0, -1))
        ticks = {
            key[2]: float((mobject.points[0][0] - left) / (right - left))
            for key, mobject in shown.items()
            if key[1] == "tick"
        }
        return {"clock": {"axis": (self.time.start, self.time.end), "ticks": ticks}}
