"""What each request reserves in one piece, and what it fills of that."""

from __future__ import annotations

from manim import Animation, Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import joined, measure, say
from scenes.old.animations import SwapText
from scenes.old.mobjects.meters import Fill, Gauge
from scenes.old.mobjects.shapes import Panel, bands
from scenes.old.mobjects.table import name_text
from scenes.story.contiguous import Load

INSET = 24
TITLE_H = 62
TALLEST = 64
LEAST = 42
SWATCH = 24
KINDS = ("prompt", "generated", "reserved")


class LoadRow(Group):
    """One request's bar: reserved slots outlined, the prompt's filled, the rest to come."""

    def __init__(self, load: Load, color: str, round_: int, box: Box, name_w: float, unit: float) -> None:
        self.load = load
        self.reserved = measure("piece.reserved", load.reserved, "plain", task=load.task)
        self.name_label = Label(
            name_text(load.task), theme.SMALL, "sans-bold", theme.TEXT, (box.x, box.cy), background=theme.PANEL
        )
        x, y, height = box.x + name_w, box.y + 7, box.h - 14
        self.outline = Panel(Box(x, y, load.reserved * unit, height), stroke=color, radius=4)
        self.prompt = Gauge(x, y, height, unit, theme.mix(theme.PANEL, color, 0.62))
        self.prompt.set_slots(load.prompt)
        self.generated = Gauge(x + load.prompt * unit, y, height, unit, color)
        self.count = Label(
            say("{} slots", self.reserved),
            theme.SMALL,
            "sans",
            theme.TEXT,
            (x + load.reserved * unit + 16, box.cy),
            background=theme.PANEL,
        )
        super().__init__(
            self.name_label, self.prompt, self.generated, *bands(self.outline.box, round_), self.outline, self.count
        )

    def fill(self, delay: float) -> list[Animation]:
        """Fill what the request has used of its piece."""
        used = measure("piece.used", self.load.used, "plain", task=self.load.task)
        text = say("{} of {} slots", used, self.reserved)
        animations: list[Animation] = [SwapText(self.count, text, delay=delay)]
        more = self.load.used - self.load.prompt
        if more:
            animations.append(Fill(self.generated, more, 0.8, delay=delay))
        return animations


class LoadsPanel(Group):
    """The first of `loads` that fit `box`, one below another on one scale.

    `rounds` counts, by request, how often the colours had been given out before its turn.
    """

    def __init__(
        self, title: str, loads: tuple[Load, ...], colors: dict[str, str], rounds: dict[str, int], box: Box
    ) -> None:
        room = box.h - TITLE_H - INSET
        shown = loads[: max(1, int(room // LEAST))]
        pitch = min(TALLEST, room / len(shown))
        self.box = Box(box.x, box.y, box.w, TITLE_H + len(shown) * pitch + INSET)
        self.back = Panel(self.box, fill=theme.PANEL)
        if len(shown) < len(loads):
            first, of = (
                measure("loads.shown", len(shown), "plain", most=len(shown)),
                measure("loads", len(loads), "plain"),
            )
            title = joined("", (title, say(" (first {} of {})", first, of)))
        self.title = Label(
            title, theme.BODY, "sans-bold", theme.TEXT, (box.x + INSET, box.y + TITLE_H / 2), background=theme.PANEL
        )
        name_w = max(fonts.width(load.task, "sans-bold", theme.SMALL) for load in shown) + 20
        longest = max(load.reserved for load in shown)
        count_w = fonts.width(f"{longest} of {longest} slots", "sans", theme.SMALL) + 16
        unit = (box.w - 2 * INSET - name_w - count_w) / longest
        self.rows = [
            LoadRow(
                load,
                colors[load.task],
                rounds[load.task],
                Box(box.x + INSET, box.y + TITLE_H + i * pitch, box.w - 2 * INSET, pitch),
                name_w,
                unit,
            )
            for i, load in enumerate(shown)
        ]
        super().__init__(self.back, self.title, *self._legend(box), *self.rows)

    def _legend(self, box: Box) -> list:
        parts: list = []
        y = box.y + TITLE_H / 2
        right = box.right - INSET
        sample = theme.TEXT
        for kind in reversed(KINDS):
            label = Label(kind, theme.SMALL, "sans", theme.TEXT, (right, y), "right", background=theme.PANEL)
            x = right - label.width_px - 10 - SWATCH
            fill = {"prompt": theme.mix(theme.PANEL, sample, 0.5), "generated": sample}.get(kind)
            parts += [label, Panel(Box(x, y - SWATCH / 2, SWATCH, SWATCH), fill=fill, stroke=sample, radius=3)]
            right = x - 28
        return parts

    def fill(self) -> list[Animation]:
        """Show what the requests have used, one after another."""
        pause = min(0.12, 1.2 / len(self.rows))
        return [a for i, row in enumerate(self.rows) for a in row.fill(pause * i)]
