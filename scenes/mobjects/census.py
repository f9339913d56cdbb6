"""How many pages are in use, cached and free, and the time of the run."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from manim import Animation, Group, linear

from scenes import fonts, theme
from scenes.animations import SwapText, TickText
from scenes.layout import Box
from scenes.mobjects.cells import CellField
from scenes.mobjects.label import Label

SWATCH = 26
GAP = 44
NAMES = ("in use", "cached", "free")


def count_text(count: int) -> str:
    """A count with its thousands set off."""
    return f"{count:,}"


class Count(Group):
    """A swatch, a number and what it counts, from design pixel (`x`, `y`) on."""

    def __init__(self, name: str, most: int, x: float, y: float) -> None:
        colors = {"in use": theme.TASK_COLORS, "cached": (theme.CACHED,), "free": (theme.EMPTY,)}
        shown = colors[name]
        self.swatch = CellField(Box(x, y - SWATCH / 2, SWATCH, SWATCH), len(shown), len(shown),
                                gap=0)
        for i, color in enumerate(shown):
            self.swatch.set_cell(i, color)
        end = x + SWATCH + 12 + fonts.width(count_text(most), "mono-bold", theme.BODY)
        self.number = Label("0", theme.BODY, "mono-bold", theme.TEXT, (end, y), "right")
        self.label = Label(name, theme.SMALL, "sans", theme.MUTED, (end + 12, y))
        self.right = end + 12 + self.label.width_px
        super().__init__(self.swatch, self.number, self.label)

    @property
    def count(self) -> int:
        """The number as written."""
        return int(self.number.text.replace(",", ""))


class Census(Group):
    """The three counts of a pool of `n_pages` pages, side by side in `box`."""

    def __init__(self, n_pages: int, box: Box) -> None:
        self.counts: list[Count] = []
        x = box.x
        for name in NAMES:
            self.counts.append(Count(name, n_pages, x, box.cy))
            x = self.counts[-1].right + GAP
        self.right = x
        super().__init__(*self.counts)

    def show(self, values: Sequence[int]) -> None:
        """Show the counts at once: in use, cached, free."""
        for count, value in zip(self.counts, values, strict=True):
            count.number.set_text(count_text(value))

    def change(self, values: Sequence[int], seconds: float) -> list[Animation]:
        """Run the counts to other values."""
        return self.run((0.0, 1.0), [self.read(), tuple(values)], seconds)

    def run(
        self, times: Sequence[float], values: Sequence[Sequence[int]], seconds: float
    ) -> list[Animation]:
        """Run the counts through `values`, reached at `times` (0 to 1)."""
        animations: list[Animation] = []
        for place, count in enumerate(self.counts):
            line = [value[place] for value in values]
            if len(set(line)) == 1 and line[0] == count.count:
                continue
            animations.append(
                TickText(
                    count.number,
                    lambda p, line=line: count_text(round(float(np.interp(p, times, line)))),
                    seconds, rate=linear,
                )
            )
        return animations

    def read(self) -> tuple[int, ...]:
        """In use, cached and free as written."""
        return tuple(count.count for count in self.counts)


def clock_text(ns: int) -> str:
    """Seconds of the run to a tenth."""
    return f"{ns / 1e9:,.1f} s"


class Clock(Group):
    """The time of the run, right-aligned in `box`; `name` says whose time it is."""

    def __init__(self, name: str, box: Box) -> None:
        self.time = Label("", theme.BODY, "mono-bold", theme.TEXT, (box.right, box.cy), "right")
        self.name_label = Label(name, theme.SMALL, "sans", theme.MUTED,
                                (box.right - 200, box.cy), "right")
        self.ns = 0
        super().__init__(self.name_label, self.time)

    def show(self, ns: int) -> None:
        """Show a time at once."""
        self.ns = ns
        self.time.set_text(clock_text(ns))

    def change(self, ns: int, seconds: float, even: bool = False) -> list[Animation]:
        """Run to another time, evenly or in one step where that is near."""
        start, self.ns = self.ns, ns
        if clock_text(ns) == self.time.text:
            return []
        if not even and ns - start < 1e9:
            return [SwapText(self.time, clock_text(ns), seconds=0.3)]
        return [
            TickText(self.time, lambda p: clock_text(round(start + (ns - start) * p)), seconds,
                     rate=linear)
        ]
