"""A chart: curves that grow with time, and their last values in a legend."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from manim import Animation, Group, VMobject, linear

from scenes import theme
from scenes.draw import fonts
from scenes.draw.animation import Extent
from scenes.draw.label import Label
from scenes.draw.layout import FRAME, UNIT, Box
from scenes.measures import Said, joined, written
from scenes.measures.forms import number_text
from scenes.old.animations import AppearIn, FilmAnimation, TickText
from scenes.old.animations.replay import Replay, replay_text
from scenes.old.mobjects.axes import Axes, Scale, stroke
from scenes.old.mobjects.shapes import Panel
from scenes.story.beats import Chart, Curve, Limit, Peak

INSET = 22
TITLE_H = 52
LEGEND_H = 42
SWATCH = 22
ENTRY_GAP = 36
PEAK_H = 38
LIMIT_GAP = 20
LINE_PX = 3.5
DOT = 13
AREA_OPACITY = 0.85
STRETCHES = 3
"""Most points drawn for one pixel column."""


class CurveLine(Group):
    """One curve, drawn up to a head that moves with time.

    `base` is the curve that this one stands on, or None for the axis.
    """

    def __init__(self, curve: Curve, scale: Scale, base: CurveLine | None) -> None:
        self.curve = curve
        self.scale = scale
        data = np.array([point[1:] for point in curve.points], dtype=float).reshape(-1, 2)
        self.seqs = [point[0] for point in curve.points]
        self.times = data[:, 0]
        self.values = [point[2] for point in curve.points]
        heights = data[:, 1] + (base.heights if base is not None else 0.0)
        self.heights = heights
        self.base = base
        self.kept = _kept(scale.x(data[:, 0]), scale.y(heights))
        self.origin = FRAME.point(scale.plot.x, scale.plot.bottom)
        self.area = VMobject(fill_color=curve.color, fill_opacity=AREA_OPACITY, stroke_width=0)
        self.line = VMobject(stroke_color=curve.color, stroke_width=LINE_PX * 100 / UNIT, fill_opacity=0)
        self.dot = Panel(Box(0, 0, DOT, DOT), fill=curve.color, radius=DOT / 2)
        self.dot.set_fill(opacity=0)
        for shape in (self.area, self.line):
            shape.points = np.repeat(self.origin[None, :], 4, axis=0)
        super().__init__(self.area, self.line, self.dot)

    def count(self, seq: int) -> int:
        """How many points there are up to event `seq`."""
        return bisect_right(self.seqs, seq)

    def value_at(self, time: float) -> float | None:
        """The recorded value that stands at `time`; None before the first.

        Where a point is drawn up to, from the one before, that is the point under way.
        """
        n = int(np.searchsorted(self.times, time, side="right"))
        if not n:
            return None
        towards = self.curve.stepped or self.curve.rate is not None
        return self.values[n] if towards and n < len(self.values) and time > self.times[n - 1] else self.values[n - 1]

    def said(self, value: float | None) -> Said:
        """A value of the curve as written; nothing for None."""
        return Said() if value is None else written("curve.value", value, "number", curve=self.curve.measure)

    def set_head(self, time: float) -> None:
        """Draw the curve from its start to `time`."""
        if not self.curve.drawn:
            return
        corners = self._corners(time, self.heights)
        if self.curve.fill:
            floor = self._floor(time)
            outline = np.concatenate([corners, floor[::-1], corners[:1]]) if len(corners) else []
            _set_corners(self.area, outline, self.origin)
            return
        _set_corners(self.line, corners, self.origin)
        if len(corners):
            self.dot.move_to(FRAME.point(*corners[-1]))
            self.dot.set_fill(opacity=1)

    def _floor(self, time: float) -> np.ndarray:
        if self.base is not None:
            return self.base._corners(time, self.base.heights, self.kept)
        return self._corners(time, np.zeros_like(self.heights))

    def _corners(self, time: float, heights: np.ndarray, kept: np.ndarray | None = None) -> np.ndarray:
        """Corners of the line up to `time` in design pixels, shape [n, 2]."""
        kept = self.kept if kept is None else kept
        times, heights = self.times[kept], heights[kept]
        n = int(np.searchsorted(times, time, side="right"))
        head = times[:n]
        if self.curve.rate is not None:
            return self._climbs(time, times, heights)
        if self.curve.stepped:
            starts = np.concatenate([head[:1], head[:-1]])
            xs = np.stack([starts, head], axis=1).reshape(-1)
            ys = np.repeat(heights[:n], 2)
            if 0 < n < len(times) and time > head[-1]:
                xs = np.concatenate([xs, [head[-1], time]])
                ys = np.concatenate([ys, [heights[n], heights[n]]])
        else:
            xs, ys = head, heights[:n]
            if 0 < n < len(times) and time > head[-1]:
                xs = np.append(xs, time)
                ys = np.append(ys, np.interp(time, times, heights))
        return np.stack([self.scale.x(xs), self.scale.y(ys)], axis=1)

    def _climbs(self, time: float, times: np.ndarray, heights: np.ndarray) -> np.ndarray:
        """Corners, shape [n, 2], where each point is climbed to and then fallen from."""
        rate = self.curve.rate
        n = int(np.searchsorted(times, time, side="right"))
        ends = times[: n + 1] if 0 < n < len(times) and time > times[n - 1] else times[:n]
        tops = heights[: len(ends)]
        begin = np.maximum(np.concatenate([ends[:1], ends[:-1]]), ends - tops / rate)
        xs = np.stack([begin, begin, ends, ends], axis=1)
        low = np.maximum(0.0, tops - rate * (ends - begin))
        ys = np.stack([np.zeros_like(low), low, tops, np.zeros_like(low)], axis=1)
        if len(ends) > n:
            reached = max(0.0, tops[-1] - rate * (ends[-1] - time))
            xs[-1] = [min(begin[-1], time), min(begin[-1], time), time, time]
            ys[-1, 1:] = min(low[-1], reached), reached, reached
        if len(ends):
            ys[-1, 3] = ys[-1, 2]
        return np.stack([self.scale.x(xs.reshape(-1)), self.scale.y(ys.reshape(-1))], axis=1)


def _kept(xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Indices of the points worth drawing: of each pixel column the extremes and the last."""
    if len(xs) <= STRETCHES * max(1.0, np.ptp(xs)) if len(xs) else True:
        return np.arange(len(xs))
    column = np.floor(xs).astype(int)
    order = np.lexsort((ys, column))
    first = np.flatnonzero(np.diff(column[order], prepend=column[order[0]] - 1))
    last = np.append(first[1:], len(xs)) - 1
    ends = np.flatnonzero(np.diff(column, append=column[-1] + 1))
    return np.unique(np.concatenate([order[first], order[last], ends]))


def _set_corners(shape: VMobject, corners: np.ndarray, origin: np.ndarray) -> None:
    """Draw through `corners`; fewer than two leave the point `origin` that nobody sees.

    A shape without points would not be redrawn by the animation that gives it some.
    """
    if len(corners) < 2:
        shape.points = np.repeat(origin[None, :], 4, axis=0)
        return
    points = np.zeros((len(corners), 3))
    points[:, 0] = (corners[:, 0] - FRAME.width / 2) / UNIT
    points[:, 1] = (FRAME.height / 2 - corners[:, 1]) / UNIT
    shape.set_points_as_corners(points)


def plot_extents(chart: ChartView) -> list[Extent]:
    """Where a chart's curves may be drawn, in Manim units."""
    plot = chart.axes.scale.plot.inset(-DOT)
    left, top = FRAME.point(plot.x, plot.y)[:2]
    right, bottom = FRAME.point(plot.right, plot.bottom)[:2]
    return [(left, bottom, right, top)]


class Rerun(Replay):
    """Show a chart as it was after the events `seqs`, each from its time to the next."""

    def __init__(self, chart: ChartView, times: Sequence[float], seqs: Sequence[int], seconds: float) -> None:
        heads = [chart.time_at(seq) for seq in seqs]
        super().__init__(chart.curves, times, lambda i: chart.set_head(heads[i]), seconds)
        self.chart = chart

    def extents(self) -> list[Extent]:
        return plot_extents(self.chart)


class Grow(FilmAnimation):
    """Move the head of all curves of a chart from one time to another, time running evenly."""

    def __init__(self, chart: ChartView, start: float, end: float, seconds: float, **kw: Any) -> None:
        super().__init__(chart.curves, seconds=seconds, rate=linear, **kw)
        self.chart = chart
        self.start = start
        self.end = end

    def extents(self) -> list[Extent]:
        return plot_extents(self.chart)

    def apply(self, progress: float) -> None:
        self.chart.set_head(self.start + (self.end - self.start) * progress)


class LegendEntry(Group):
    """A curve's colour, name and last value, from design pixel (`x`, `y`) on."""

    def __init__(self, line: CurveLine, x: float, y: float) -> None:
        curve = line.curve
        thick = SWATCH if curve.fill or not curve.drawn else LINE_PX * 1.6
        self.swatch = Panel(Box(x, y - thick / 2, SWATCH, thick), fill=curve.color, radius=4)
        self.name_label = Label(
            curve.label, theme.SMALL, "sans", theme.TEXT, (x + SWATCH + 10, y), background=theme.PANEL
        )
        widest = max(
            (fonts.width(t, "mono-bold", theme.SMALL) for t in {number_text(value) for value in line.values}),
            default=0.0,
        )
        end = x + SWATCH + 10 + self.name_label.width_px + 12 + widest
        self.right = end
        self.value = Label("", theme.SMALL, "mono-bold", theme.TEXT, (end, y), "right", background=theme.PANEL)
        super().__init__(self.swatch, self.name_label, self.value)


class PeakMark(Group):
    """A peak's figure above the plot, and a line down to it."""

    def __init__(self, peak: Peak, text: str, scale: Scale) -> None:
        self.peak = peak
        plot = scale.plot
        x, y = float(scale.x(peak.x)), float(scale.y(peak.y))
        half = fonts.width(text, "mono-bold", theme.SMALL) / 2
        at = min(max(x, plot.x + half), plot.right - half)
        self.label = Label(
            text, theme.SMALL, "mono-bold", theme.TEXT, (at, plot.y - PEAK_H / 2 - 4), "center", background=theme.PANEL
        )
        parts = [self.label]
        if y - plot.y > 24:
            parts.append(stroke([(x, plot.y - 6), (x, y - 8)], theme.MUTED, 2.0))
        super().__init__(*parts)


class LimitLine(Group):
    """A line across the plot at the most that a quantity can be, with its name above."""

    def __init__(self, limit: Limit, scale: Scale) -> None:
        y, plot = float(scale.y(limit.value)), scale.plot
        self.line = stroke([(plot.x, y), (plot.right, y)], theme.MUTED, 2.0)
        text = joined(": ", (limit.label, written("pool.slots", limit.value, "number")))
        self.label = Label(
            text, theme.SMALL, "sans", theme.MUTED, (plot.right, y - LIMIT_GAP), "right", background=theme.PANEL
        )
        super().__init__(self.line, self.label)


class ChartView(Group):
    """A chart in design-pixel `box`. Raises ValueError where that is too small for it."""

    def __init__(self, chart: Chart, box: Box) -> None:
        self.chart = chart
        self.box = box
        self.back = Panel(box, fill=theme.PANEL)
        self.title = Label(
            chart.title,
            theme.SMALL,
            "sans-bold",
            theme.TEXT,
            (box.x + INSET, box.y + TITLE_H / 2 + 2),
            background=theme.PANEL,
        )
        rows = self._legend_rows(box)
        top = box.y + TITLE_H + rows * LEGEND_H + (PEAK_H if chart.peaks else 0)
        room = Box(box.x + INSET, top, box.w - 2 * INSET, box.bottom - 8 - top)
        if room.h < 120:
            raise ValueError(f"chart {chart.key!r} does not fit {box.w:.0f} x {box.h:.0f} px")
        margin = chart.margin - INSET
        self.axes = Axes(room, chart.x_max, chart.y_max, chart.x_label, margin, chart.limit and chart.limit.value)
        self.lines: dict[str, CurveLine] = {}
        for curve in chart.curves:
            base = self.lines[curve.on] if curve.on else None
            self.lines[curve.measure] = CurveLine(curve, self.axes.scale, base)
        self.curves = Group(*self.lines.values())
        self.legend: dict[str, LegendEntry] = {}
        x, y = box.x + INSET, box.y + TITLE_H + LEGEND_H / 2 - 4
        for measure, line in self.lines.items():
            entry = LegendEntry(line, x, y)
            if entry.right > box.right - INSET and x > box.x + INSET:
                x, y = box.x + INSET, y + LEGEND_H
                entry = LegendEntry(line, x, y)
            self.legend[measure] = entry
            x = entry.right + ENTRY_GAP
        self.head = 0.0
        self.marks: list[PeakMark] = []
        limit = [] if chart.limit is None else [LimitLine(chart.limit, self.axes.scale)]
        super().__init__(self.back, self.title, self.axes, *limit, self.curves, *self.legend.values())

    def _legend_rows(self, box: Box) -> int:
        rows, x = 1, 0.0
        probe = Scale(box, 1.0, 1.0)
        for curve in self.chart.curves:
            flat = CurveLine(curve, probe, None)
            width = LegendEntry(flat, 0.0, 0.0).right
            if x and x + width > box.w - 2 * INSET:
                rows, x = rows + 1, 0.0
            x += width + ENTRY_GAP
        return rows

    def time_at(self, seq: int) -> float:
        """Where the curves end that show everything up to event `seq`."""
        ends = [line.times[n - 1] for line in self.lines.values() if (n := line.count(seq))]
        return float(max(ends, default=0.0))

    def set_head(self, time: float) -> None:
        """Draw all curves up to `time`."""
        self.head = time
        for line in self.lines.values():
            line.set_head(time)

    def _text(self, measure: str, seq: int) -> Said:
        line = self.lines[measure]
        n = line.count(seq)
        return line.said(line.values[n - 1] if n else None)

    def _peaks(self, seq: int) -> list[PeakMark]:
        """Marks of the peaks known by event `seq` that are not shown yet."""
        known = {mark.peak for mark in self.marks}
        marks = []
        for peak in self.chart.peaks:
            if peak.last <= seq and peak not in known:
                line = self.lines[peak.measure]
                value = max(line.values[line.count(peak.first - 1) : line.count(peak.last)])
                span = {"curve": peak.measure, "first": peak.first, "last": peak.last}
                text = joined(" ", filter(None, (written("curve.peak", value, "number", **span), peak.unit)))
                marks.append(PeakMark(peak, text, self.axes.scale))
        return marks

    def show(self, seq: int) -> None:  # type: ignore[override]
        """Show everything up to event `seq` at once."""
        self.set_head(self.time_at(seq))
        self.marks = self._peaks(seq)
        self.add(*self.marks)
        for measure, entry in self.legend.items():
            entry.value.set_text(self._text(measure, seq))

    def change(self, seq: int, seconds: float) -> list[Animation]:
        """Let the curves and their values run on to event `seq`."""
        start, end = self.head, self.time_at(seq)
        animations: list[Animation] = []
        if start != end:
            animations.append(Grow(self, start, end, seconds))
        for measure, entry in self.legend.items():
            last = self._text(measure, seq)
            if entry.value.text != last or start != end:
                animations.append(TickText(entry.value, self._ticker(measure, start, end, last), seconds, rate=linear))
        fresh = self._peaks(seq)
        self.marks += fresh
        late = max(0.0, seconds - 0.4)
        animations += [AppearIn(self, mark, seconds=0.4, delay=late) for mark in fresh]
        return animations

    def run(self, times: Sequence[float], seqs: Sequence[int], seconds: float) -> list[Animation]:
        """Show the chart after each of the events `seqs`, from its time (0 to 1) to the next."""
        animations: list[Animation] = [Rerun(self, times, seqs, seconds)]
        for measure, entry in self.legend.items():
            texts = [self._text(measure, seq) for seq in seqs]
            animations += replay_text(entry.value, times, texts, seconds)
        fresh = self._peaks(seqs[-1])
        self.marks += fresh
        late = max(0.0, seconds - 0.4)
        return animations + [AppearIn(self, mark, seconds=0.4, delay=late) for mark in fresh]

    def _ticker(self, measure: str, start: float, end: float, last: Said) -> Callable[[float], Said]:
        line = self.lines[measure]

        def text_at(progress: float) -> Said:
            return last if progress >= 1 else line.said(line.value_at(start + (end - start) * progress))

        return text_at


__all__ = ["ChartView", "CurveLine", "Grow", "LegendEntry"]
