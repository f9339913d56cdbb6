"""Scales and axes of charts, in design pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from manim import Group, VMobject

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import FRAME, UNIT, Box
from scenes.measures import joined, written
from scenes.measures.forms import tick_text
from scenes.story.limits import round_step

TICK_GAP = 12
TICK_ROW = 40
LABEL_GAP = 24
ROOM_PER_X = 130
ROOM_PER_Y = 54


def ticks(top: float, most: int) -> list[float]:
    """Round values from 0 to at most `top`, in at most `most` steps."""
    step = round_step(top, most)
    return [i * step for i in range(int(top / step + 1e-9) + 1)]


def stroke(points: list[tuple[float, float]], color: str, px: float, opacity: float = 1.0) -> VMobject:
    """An open line through design pixels."""
    line = VMobject(stroke_color=color, stroke_width=px * 100 / UNIT, fill_opacity=0, stroke_opacity=opacity)
    line.set_points_as_corners(np.array([FRAME.point(*point) for point in points]))
    return line


Number = TypeVar("Number", float, np.ndarray)


@dataclass(frozen=True)
class Scale:
    """Values from 0 to `x_max` and `y_max` on the pixels of `plot`."""

    plot: Box
    x_max: float
    y_max: float

    def x(self, value: Number) -> Number:
        """Pixel of a value, or of an array of them."""
        return self.plot.x + np.asarray(value) * (self.plot.w / self.x_max)

    def y(self, value: Number) -> Number:
        """Pixel of a value, or of an array of them."""
        return self.plot.bottom - np.asarray(value) * (self.plot.h / self.y_max)


class Axes(Group):
    """Ticks with their numbers around a plot that fills what they leave of `box`.

    At least `margin` px are left free left of the plot. `x_label` is written where the x
    axis ends, after the last tick's number where that is there. Values up to `most` have a
    tick, up to `y_max` by default.
    """

    def __init__(
        self, box: Box, x_max: float, y_max: float, x_label: str, margin: float = 0.0, most: float | None = None
    ) -> None:
        height = box.h - TICK_ROW - TICK_GAP
        rows = ticks(y_max, max(2, int(height // ROOM_PER_Y)))
        rows = [value for value in rows if most is None or value <= most]
        left = max(fonts.width(tick_text(v), "mono", theme.SMALL) for v in rows) + TICK_GAP
        left = max(left, margin)
        plot = Box(box.x + left, box.y + TICK_GAP, box.w - left, height)
        self.scale = Scale(plot, x_max, y_max)
        columns = ticks(x_max, max(2, int(plot.w // ROOM_PER_X)))
        ends = math.isclose(columns[-1], x_max)
        ending = joined(" ", (written("tick", x_max, "tick", axis="x"), x_label)) if ends else x_label
        name = Label(
            ending,
            theme.SMALL,
            "sans",
            theme.MUTED,
            (plot.right, plot.bottom + TICK_ROW / 2 + 4),
            "right",
            background=theme.PANEL,
        )
        self.parts = [name]
        for value in rows:
            y = float(self.scale.y(value))
            self.parts.append(
                stroke(
                    [(plot.x, y), (plot.right, y)],
                    theme.OUTLINE,
                    2.0 if value == 0 else 1.2,
                    1.0 if value == 0 else 0.55,
                )
            )
            self.parts.append(
                Label(
                    written("tick", value, "tick", axis="y"),
                    theme.SMALL,
                    "mono",
                    theme.MUTED,
                    (plot.x - TICK_GAP, y),
                    "right",
                    background=theme.PANEL,
                )
            )
        free = plot.right - name.width_px - LABEL_GAP
        if ends:
            self.parts.append(stroke([(plot.right, plot.bottom), (plot.right, plot.bottom + 7)], theme.OUTLINE, 2.0))
        for value in columns:
            x = float(self.scale.x(value))
            text = written("tick", value, "tick", axis="x")
            if x + fonts.width(text, "mono", theme.SMALL) / 2 > free:
                continue
            self.parts.append(stroke([(x, plot.bottom), (x, plot.bottom + 7)], theme.OUTLINE, 2.0))
            self.parts.append(
                Label(
                    text,
                    theme.SMALL,
                    "mono",
                    theme.MUTED,
                    (x, plot.bottom + TICK_ROW / 2 + 4),
                    "center",
                    background=theme.PANEL,
                )
            )
        for part in self.parts:
            if isinstance(part, Label):
                part.value_at = self.value
        super().__init__(*self.parts)

    def value(self, axis: str, point: np.ndarray) -> float:
        """What `axis` (`x` or `y`) says at `point` in Manim units, as at a tick's anchor."""
        plot = self.scale.plot
        x, y = FRAME.pixel(point)
        if axis == "x":
            return (x - plot.x) * self.scale.x_max / plot.w
        return (plot.bottom - y) * self.scale.y_max / plot.h
