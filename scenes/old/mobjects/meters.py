"""How full each request's pages are: one bar per table, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from manim import Animation, Group, linear

from scenes import theme
from scenes.draw import fonts
from scenes.draw.animation import Extent
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import UNIT, Box
from scenes.measures import Said, measure, say
from scenes.old.animations import AppearIn, FilmAnimation, SwapText, Vanish, replay_text
from scenes.old.animations.replay import moment
from scenes.old.mobjects.shapes import Hatching, Panel
from scenes.old.mobjects.table import TableLook, name_text

TITLE_H = 54
TALLEST = 132
LEAST = 86
TEXT_H = 42
GAP = 20
INSET = 20


class Gauge(CellField):
    """A horizontal bar whose length is `slots` on a scale of `unit` pixels a slot."""

    def __init__(self, x: float, y: float, height: float, unit: float, color: str) -> None:
        super().__init__(Box(x, y, 1, height), 1, 1, gap=0)
        self.unit = unit
        self.slots = 0.0
        self.set_cell(0, color)
        self.set_slots(0)

    def set_slots(self, slots: float) -> None:
        """Set the bar's length."""
        self.slots = slots
        self.rgba[0, 3] = 1.0 if slots > 0 else 0.0
        right = self.points[0][0] + slots * self.unit / UNIT
        self.points[1][0] = self.points[2][0] = right


class Fill(FilmAnimation):
    """Lengthen or shorten a gauge to `slots`."""

    def __init__(self, gauge: Gauge, slots: int, seconds: float, **kwargs: Any) -> None:
        super().__init__(gauge, seconds=seconds, **kwargs)
        self.target = slots

    def prepare(self) -> None:
        self._start = self.mobject.slots

    def extents(self) -> list[Extent]:
        x, top = self.mobject.points[0][:2]
        bottom = self.mobject.points[2][1]
        longest = max(self.mobject.slots, self.target) * self.mobject.unit / UNIT
        return [(x, bottom, x + longest, top)]

    def apply(self, progress: float) -> None:
        self.mobject.set_slots(self._start + (self.target - self._start) * progress)


class Refill(Fill):
    """Set a gauge to `fills`, each from its time (0 to 1) on."""

    def __init__(self, gauge: Gauge, times: Sequence[float], fills: Sequence[int], seconds: float) -> None:
        super().__init__(gauge, max(fills), seconds, rate=linear)
        self.times = times
        self.fills = fills

    def apply(self, progress: float) -> None:
        self.mobject.set_slots(self.fills[moment(self.times, progress)])


class MeterRow(Group):
    """One request's bar, with its pages outlined and its count written above.

    Its leading `shared` slots stand in pages of a row above: they are hatched.
    """

    def __init__(self, look: TableLook, box: Box, unit: float, page_size: int, shared: int = 0) -> None:
        self.task = look.task
        self.page_size = page_size
        self.n_pages = len(look.pages)
        self.place = box
        self.shared = shared
        name = name_text(look.task)
        self.name_label = Label(name, theme.SMALL, "sans-bold", theme.TEXT, (box.x, box.y + 20), background=theme.PANEL)
        x = box.x + fonts.width(look.task, "sans-bold", theme.SMALL) + 14
        self.count = Label(
            self.text(sum(look.filled)), theme.SMALL, "sans", theme.MUTED, (x, box.y + 20), background=theme.PANEL
        )
        y = box.y + TEXT_H
        height = box.h - TEXT_H - GAP
        self.gauge = Gauge(box.x, y, height, unit, look.color)
        self.gauge.set_slots(sum(look.filled))
        page_w = page_size * unit
        self.dividers = [
            Panel(Box(box.x + i * page_w - 4, y, 5, height), fill=theme.PANEL, radius=1) for i in range(1, self.n_pages)
        ]
        self.outlines = [
            Panel(Box(box.x + i * page_w, y, page_w - 4, height), stroke=look.color, radius=4)
            for i in range(self.n_pages)
        ]
        hatched = Box(box.x, y, shared * unit - 4, height)
        super().__init__(
            self.name_label,
            self.count,
            self.gauge,
            *([Hatching(hatched, theme.PANEL)] if shared else []),
            *self.dividers,
            *self.outlines,
        )

    def text(self, kv: int) -> Said:
        """The count above the bar."""
        counts = {"filled": kv, "reserved": self.n_pages * self.page_size, "shared": self.shared}
        said = {name: measure(f"slots.{name}", count, "plain", task=self.task) for name, count in counts.items()}
        shared = ", {shared} of them shared" if self.shared else ""
        return say("{filled} of {reserved} slots filled" + shared, **said)

    def change(self, look: TableLook, seconds: float) -> list[Animation]:
        """Animate to another fill of the same pages."""
        before, after = round(self.gauge.slots), sum(look.filled)
        if before == after:
            return []
        return [Fill(self.gauge, after, seconds), SwapText(self.count, self.text(after))]

    def run(self, times: Sequence[float], looks: Sequence[TableLook], seconds: float) -> list[Animation]:
        """Run bar and count through the fills of `looks`, reached at `times` (0 to 1)."""
        fills = [sum(look.filled) for look in looks]
        count = replay_text(self.count, times, [self.text(fill) for fill in fills], seconds)
        if not count:
            return []
        return [Refill(self.gauge, times, fills, seconds), *count]


class Meters(Group):
    """Bars of all tables shown, on one scale; `longest` slots fill the panel's width.

    The bars are as high as the panel allows for `tasks` of them.
    """

    def __init__(self, box: Box, longest: int, page_size: int, tasks: int) -> None:
        self.box = box
        self.page_size = page_size
        self.unit = (box.w - 2 * INSET) / longest
        room = box.h - TITLE_H - 6
        self.pitch = max(LEAST, min(TALLEST, room / max(1, tasks)))
        self.capacity = max(1, int((room + 1) // self.pitch))
        shown = min(self.capacity, max(1, tasks))
        self.back = Panel(Box(box.x, box.y, box.w, TITLE_H + shown * self.pitch + 6), fill=theme.PANEL)
        self.title = Label(
            "", theme.SMALL, "sans-medium", theme.TEXT, (box.x + INSET, box.y + TITLE_H / 2), background=theme.PANEL
        )
        self.rows: dict[str, MeterRow] = {}
        super().__init__(self.back, self.title)

    def _row(self, look: TableLook, place: int, shared: int) -> MeterRow:
        y = self.box.y + TITLE_H + place * self.pitch
        box = Box(self.box.x + INSET, y, self.box.w - 2 * INSET, self.pitch)
        return MeterRow(look, box, self.unit, self.page_size, shared)

    @staticmethod
    def _shared(looks: list[TableLook]) -> list[int]:
        """For each table how many of its filled slots an earlier one has, too."""
        seen: set[int] = set()
        counts = []
        for look in looks:
            pairs = zip(look.pages, look.filled, strict=True)
            counts.append(sum(slots for page, slots in pairs if page in seen))
            seen.update(look.pages)
        return counts

    @staticmethod
    def _title_text(total: tuple[int, int]) -> Said:
        filled, slots = (
            measure(name, count, "plain")
            for name, count in zip(("slots.in_use.filled", "slots.in_use"), total, strict=True)
        )
        return say("{} of {} slots in use hold a token", filled, slots)

    def show(self, looks: list[TableLook], total: tuple[int, int]) -> None:  # type: ignore[override]
        """Show the fills in `looks` at once; `total` are filled slots and slots of all pages in use."""
        self.title.set_text(self._title_text(total))
        shared = self._shared(looks)
        for place, look in enumerate(looks[: self.capacity]):
            row = self._row(look, place, shared[place])
            self.rows[look.task] = row
            self.add(row)

    def change(self, looks: list[TableLook], total: tuple[int, int], seconds: float) -> list[Animation]:
        """Animate to `looks` and `total`, as in `show`: a row whose place or pages change is drawn anew."""
        animations: list[Animation] = []
        shared = self._shared(looks)
        wanted = {look.task: (place, look) for place, look in enumerate(looks[: self.capacity])}
        for task, row in list(self.rows.items()):
            place, look = wanted.get(task, (-1, None))
            y = self.box.y + TITLE_H + place * self.pitch
            if look is None or row.n_pages != len(look.pages) or row.place.y != y or row.shared != shared[place]:
                del self.rows[task]
                self.remove(row)
                animations.append(Vanish(row, seconds=0.25))
        for task, (place, look) in wanted.items():
            if task in self.rows:
                animations += self.rows[task].change(look, seconds)
            else:
                row = self._row(look, place, shared[place])
                self.rows[task] = row
                animations.append(AppearIn(self, row, seconds=0.3, delay=0.25))
        text = self._title_text(total)
        return animations if text == self.title.text else [*animations, SwapText(self.title, text)]

    def run(
        self,
        times: Sequence[float],
        frames: Sequence[Sequence[TableLook]],
        totals: Sequence[tuple[int, int]],
        seconds: float,
    ) -> list[Animation]:
        """Run all through `frames`, looks of the same pages, and `totals`, reached at `times` (0 to 1)."""
        titles = [self._title_text(total) for total in totals]
        animations = replay_text(self.title, times, titles, seconds)
        for task, row in self.rows.items():
            looks = [look for frame in frames for look in frame if look.task == task]
            animations += row.run(times, looks, seconds)
        return animations

    @property
    def total(self) -> tuple[int, int]:
        """Filled and reserved slots of all tables together, as written in the title."""
        numbers = [int(word) for word in self.title.text.split() if word.isdigit()]
        return numbers[0], numbers[1]

    def read(self) -> dict[str, float]:
        """Slots that each bar is long, by task."""
        return {task: row.gauge.slots for task, row in self.rows.items()}


__all__ = ["Gauge", "MeterRow", "Meters"]
