"""A pool's slots as one strip: who holds which stretch, and how much of it is filled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from manim import Animation, Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, joined, measure, say, written
from scenes.old.animations import AppearIn, SwapText, Vanish
from scenes.old.mobjects.header import step_text
from scenes.old.mobjects.meters import Fill, Gauge
from scenes.old.mobjects.shapes import Panel, bands
from scenes.old.mobjects.table import name_text

HEAD_H = 50
NAME_H = 40
BAR_H = 92
FOOT_H = 50
COUNTS = {
    "contiguous": ("contiguous.in_memory", "contiguous.waiting"),
    "paged": ("requests.in_memory", "queue.waiting"),
}
"""Measures of how many requests hold slots and how many wait, by side."""
HEIGHT = HEAD_H + NAME_H + BAR_H + FOOT_H


@dataclass(frozen=True)
class Stretch:
    """`size` slots from `start` on, of which the first `used` are filled, held by `name`.

    `round` counts how often the colours had been given out before the holder's turn.
    """

    name: str
    start: int
    size: int
    used: int
    color: str
    round: int = 0


def status_text(side: str, held: int, waiting: Sequence[str], room: int = 18) -> Said:
    """How many requests hold slots on a `side`, and which wait: those whose names fit `room` characters."""
    counts = zip(COUNTS[side], (held, len(waiting)), strict=True)
    text = say("{} in memory, {} waiting", *(measure(name, count, "plain") for name, count in counts))
    named = 0
    while named < len(waiting) and len(" ".join(waiting[: named + 1])) <= room:
        named += 1
    line = COUNTS[side][1]
    names = joined(" ", (written(f"{line}.task", name, "name", place=i) for i, name in enumerate(waiting[:named])))
    return say("{}: {}{}", text, names, " …" if len(waiting) > named else "") if named else text


class StretchView(Group):
    """A stretch within the strip's bar: its outline, the filled part, its name above."""

    def __init__(self, stretch: Stretch, bar: Box, unit: float) -> None:
        self.stretch = stretch
        x, w = bar.x + stretch.start * unit, stretch.size * unit
        self.outline = Panel(
            Box(x + 1.5, bar.y + 1.5, w - 3, bar.h - 3),
            stroke=stretch.color,
            radius=3,
            fill=theme.mix(theme.PANEL, stretch.color, 0.18),
        )
        self.gauge = Gauge(x + 3, bar.y + 3, bar.h - 6, (w - 6) / stretch.size, stretch.color)
        self.gauge.set_slots(stretch.used)
        self.name_label = Label("", theme.SMALL, "mono-bold", theme.TEXT, (x + w / 2, bar.y - NAME_H / 2 + 2), "center")
        if fonts.width(stretch.name, "mono-bold", theme.SMALL) <= w - 2:
            self.name_label.set_text(name_text(stretch.name))
        self.bands = bands(self.outline.box, stretch.round)
        super().__init__(self.outline, self.gauge, *self.bands, self.name_label)

    @property
    def key(self) -> tuple[str, int, int]:
        """What does not change while a stretch is held."""
        return self.stretch.name, self.stretch.start, self.stretch.size

    def change(self, used: int, seconds: float) -> list[Animation]:
        """Animate to another number of filled slots."""
        if round(self.gauge.slots) == used:
            return []
        return [Fill(self.gauge, used, seconds)]

    def read(self) -> tuple[str, int, int, int]:
        """Holder, first slot, size, filled slots."""
        return *self.key, round(self.gauge.slots)


class MemoryStrip(Group):
    """A pool of `n_slots` slots at the top of `box`, `HEIGHT` px high.

    With a `page_size` the pages stand out while they are free; without one every hole
    that has room for it says how many slots it has. `side` names the strip; its step is
    written where `stepped`.
    """

    def __init__(self, side: str, box: Box, n_slots: int, page_size: int | None, stepped: bool) -> None:
        self.n_slots = n_slots
        self.page_size = page_size
        self.unit = box.w / n_slots
        self.bar = Box(box.x, box.y + HEAD_H + NAME_H, box.w, BAR_H)
        self.title = Label(side, theme.BODY, "sans-bold", theme.TEXT, (box.x, box.y + HEAD_H / 2))
        self.step_label = Label(
            "", theme.SMALL, "mono", theme.MUTED, (box.right, self.bar.bottom + FOOT_H / 2 + 2), "right"
        )
        self.stepped = stepped
        self.status = Label("", theme.SMALL, "sans", theme.TEXT, (box.x, self.bar.bottom + FOOT_H / 2 + 2))
        self.ground = [Panel(self.bar, fill=theme.PANEL, stroke=theme.OUTLINE, radius=3, stroke_px=1.5)]
        if page_size is not None:
            self.ground += [
                Panel(
                    Box(self.bar.x + start * self.unit + 1.5, self.bar.y + 1.5, page_size * self.unit - 3, BAR_H - 3),
                    stroke=theme.OUTLINE,
                    radius=3,
                    stroke_px=1.2,
                )
                for start in range(0, n_slots, page_size)
            ]
        self.views: list[StretchView] = []
        self.holes: list[Label] = []
        super().__init__(*self.ground, self.title, self.step_label, self.status)

    def _hole_labels(self, stretches: list[Stretch]) -> list[Label]:
        if self.page_size is not None:
            return []
        labels = []
        at = 0
        ends = [*((s.start, s.start + s.size) for s in stretches), (self.n_slots, self.n_slots)]
        for start, end in ends:
            room = (start - at) * self.unit - 12
            size = written("contiguous.hole", start - at, start=at)
            for text in (say("{} free", size), size):
                if start > at and fonts.width(text, "sans", theme.SMALL) <= room:
                    labels.append(
                        Label(
                            text,
                            theme.SMALL,
                            "sans",
                            theme.MUTED,
                            (self.bar.x + (at + start) / 2 * self.unit, self.bar.cy),
                            "center",
                            background=theme.PANEL,
                        )
                    )
                    break
            at = end
        return labels

    def show(self, stretches: list[Stretch], status: str, step: int) -> None:  # type: ignore[override]
        """Show `stretches`, in order of address, at once."""
        self.views = [StretchView(stretch, self.bar, self.unit) for stretch in stretches]
        self.holes = self._hole_labels(stretches)
        self.status.set_text(status)
        self.step_label.set_text(self._step_text(step))
        self.submobjects = [*self.ground, self.title, self.step_label, self.status, *self.views, *self.holes]

    def change(self, stretches: list[Stretch], status: str, step: int, seconds: float) -> list[Animation]:
        """Animate to `stretches`: what is given back goes first, then what is taken comes."""
        animations: list[Animation] = []
        wanted = {(s.name, s.start, s.size): s for s in stretches}
        going = min(0.25, 0.4 * seconds) if any(view.key not in wanted for view in self.views) else 0.0
        coming = min(0.3, seconds - going)
        kept = {view.key: view for view in self.views if view.key in wanted}
        for view in self.views:
            if view.key not in wanted:
                self.remove(view)
                animations.append(Vanish(view, seconds=going))
        held = {view.key for view in self.views}
        self.views = []
        for key, stretch in wanted.items():
            if key in kept:
                view = kept[key]
                animations += view.change(stretch.used, seconds)
            else:
                view = StretchView(stretch, self.bar, self.unit)
                animations.append(AppearIn(self, view, seconds=coming, delay=going))
            self.views.append(view)
        if held != set(wanted):
            animations += self._change_holes(stretches, going, coming)
        if status != self.status.text:
            animations.append(SwapText(self.status, status, seconds=coming, delay=going))
        if step != self.step and self.stepped:
            animations.append(SwapText(self.step_label, self._step_text(step), seconds=coming, delay=going))
        return animations

    def _change_holes(self, stretches: list[Stretch], going: float, coming: float) -> list[Animation]:
        labels = self._hole_labels(stretches)
        places = [(label.text, round(label.anchor[0], 3)) for label in labels]
        shown = {(label.text, round(label.anchor[0], 3)): label for label in self.holes}
        animations: list[Animation] = []
        for place, label in shown.items():
            if place not in places:
                self.remove(label)
                animations.append(Vanish(label, seconds=going or coming))
        self.holes = []
        for place, label in zip(places, labels, strict=True):
            if place not in shown:
                animations.append(AppearIn(self, label, seconds=coming, delay=going))
            self.holes.append(shown.get(place, label))
        return animations

    def _step_text(self, step: int) -> Said:
        return step_text(step if self.stepped else -1, "step" if self.page_size else "contiguous.step")

    @property
    def step(self) -> int:
        """The step as written; -1 where there is none."""
        return int(self.step_label.text.split()[1]) if self.step_label.text else -1

    def read(self) -> list[tuple[str, int, int, int]]:
        """Stretches as (holder, first slot, size, filled), by address."""
        return sorted((view.read() for view in self.views), key=lambda s: s[1])


__all__ = ["HEIGHT", "MemoryStrip", "Stretch", "StretchView"]
