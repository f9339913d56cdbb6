"""How many pages are in use, cached and free, and the time of the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from manim import Animation, Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, written
from scenes.old.animations import SwapText
from scenes.old.animations.replay import replay_text

SWATCH = 26
GAP = 44
NAME_RIGHT = 200
NAMES = ("in use", "cached", "free")


def count_text(name: str, count: int) -> Said:
    """The count of the pages that are `name`."""
    return written(f"pool.{name.replace(' ', '_')}", count, "count")


class Count(Group):
    """A swatch, a number and what it counts, from design pixel (`x`, `y`) on."""

    def __init__(self, name: str, most: int, x: float, y: float) -> None:
        colors = {"in use": theme.ARRIVAL, "cached": (theme.CACHED,), "free": (theme.EMPTY,)}
        shown = colors[name]
        self.kind = name
        self.swatch = CellField(Box(x, y - SWATCH / 2, SWATCH, SWATCH), len(shown), len(shown), gap=0)
        for i, color in enumerate(shown):
            self.swatch.set_cell(i, color)
        end = x + SWATCH + 12 + fonts.width(count_text(name, most), "mono-bold", theme.BODY)
        self.number = Label("", theme.BODY, "mono-bold", theme.TEXT, (end, y), "right")
        self.label = Label(name, theme.SMALL, "sans", theme.MUTED, (end + 12, y))
        self.right = end + 12 + self.label.width_px
        super().__init__(self.swatch, self.number, self.label)

    @property
    def count(self) -> int:
        """The number as written."""
        return int(self.number.text.replace(",", ""))


class Census(Group):
    """Counts of a pool of `n_pages` pages, by `names`, side by side in `box`."""

    def __init__(self, n_pages: int, box: Box, names: Sequence[str] = NAMES) -> None:
        self.counts: list[Count] = []
        x = box.x
        for name in names:
            self.counts.append(Count(name, n_pages, x, box.cy))
            x = self.counts[-1].right + GAP
        self.right = x
        super().__init__(*self.counts)

    def show(self, values: Mapping[str, int]) -> None:  # type: ignore[override]
        """Show the counts at once."""
        for count in self.counts:
            count.number.set_text(count_text(count.kind, values[count.kind]))

    def change(self, values: Mapping[str, int]) -> list[Animation]:
        """Animate to other values."""
        return [
            SwapText(count.number, count_text(count.kind, values[count.kind]))
            for count in self.counts
            if count.count != values[count.kind]
        ]

    def run(self, times: Sequence[float], values: Sequence[Mapping[str, int]], seconds: float) -> list[Animation]:
        """Show each of `values` from its time (0 to 1) to the next."""
        return [
            animation
            for count in self.counts
            for animation in replay_text(
                count.number, times, [count_text(count.kind, value[count.kind]) for value in values], seconds
            )
        ]

    def read(self) -> dict[str, int]:
        """The counts as written, by name."""
        return {count.kind: count.count for count in self.counts}


def time_said(ns: int) -> Said:
    """The time of the run."""
    return written("clock.time", ns, "clock")


class Clock(Group):
    """The time of the run, right-aligned in `box`; `name` says whose time it is."""

    def __init__(self, name: str, box: Box) -> None:
        self.time = Label("", theme.BODY, "mono-bold", theme.TEXT, (box.right, box.cy), "right")
        self.name_label = Label(name, theme.SMALL, "sans", theme.MUTED, (box.right - NAME_RIGHT, box.cy), "right")
        self.right = box.right
        super().__init__(self.name_label, self.time)

    def show(self, ns: int) -> None:  # type: ignore[override]
        """Show a time at once."""
        self.time.set_text(time_said(ns))

    def change(self, ns: int) -> list[Animation]:
        """Animate to another time."""
        text = time_said(ns)
        return [] if text == self.time.text else [SwapText(self.time, text)]

    def run(self, times: Sequence[float], values: Sequence[int], seconds: float) -> list[Animation]:
        """Show each of `values`, in ns, from its time (0 to 1) to the next."""
        return replay_text(self.time, times, [time_said(ns) for ns in values], seconds)

    @property
    def left(self) -> float:
        """Design pixel up to which there is room left of the name."""
        return self.right - NAME_RIGHT - self.name_label.width_px - GAP
