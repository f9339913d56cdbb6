"""Requests below one another over time: when tokens came, when a prompt was computed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

import numpy as np
from manim import Animation, Group, VMobject, linear

from scenes import theme
from scenes.draw.animation import Extent
from scenes.draw.label import Label
from scenes.draw.layout import FRAME, Box
from scenes.old.animations import FilmAnimation
from scenes.old.mobjects.axes import Scale, stroke
from scenes.old.mobjects.header import step_text
from scenes.old.mobjects.shapes import Panel
from scenes.old.mobjects.table import name_text
from scenes.story.beats import Lane, Lanes

TITLE_H = 52
INSET = 22
FOOT = 10
TICK_PX = 4.0
NEEDLE_PX = 2.0


class LaneView(Group):
    """One request's lane in `box`, drawn up to a head that moves with time."""

    def __init__(self, lane: Lane, color: str, box: Box, scale: Scale) -> None:
        self.lane = lane
        self.box = box
        self.scale = scale
        plot = scale.plot
        self.ground = stroke([(plot.x, box.cy), (plot.right, box.cy)], theme.OUTLINE, 1.2, 0.6)
        self.name_label = Label(
            name_text(lane.task),
            theme.SMALL,
            "mono-bold",
            theme.TEXT,
            (plot.x - 14, box.cy),
            "right",
            background=theme.PANEL,
        )
        self.spans = VMobject(fill_color=theme.mix(theme.PANEL, color, 0.62), fill_opacity=1, stroke_width=0)
        self.ticks = VMobject(fill_color=color, fill_opacity=1, stroke_width=0)
        self.origin = (plot.x, box.cy)
        self.shown_tokens = 0
        self.shown_spans = 0
        super().__init__(self.ground, self.name_label, self.spans, self.ticks)

    def counts(self, seq: int) -> tuple[int, int]:
        """How many tokens and stretches of prompt there are up to event `seq`."""
        return (
            bisect_right([token[0] for token in self.lane.tokens], seq),
            bisect_right([span[0] for span in self.lane.spans], seq),
        )

    def set_head(self, time: float, counts: tuple[int, int] | None = None) -> None:
        """Draw what had happened by `time`; exactly `counts` of tokens and spans if given."""
        height = self.box.h - 16
        ends = [end for _, _, end, _ in self.lane.spans]
        boxes = []
        for i, (_, start, end, _) in enumerate(self.lane.spans):
            begun = start < time if counts is None else i < counts[1]
            if begun:
                left = float(self.scale.x(start))
                right = float(self.scale.x(end if counts is not None else min(end, time)))
                boxes.append((left, self.box.cy - height / 2, max(right - left - 1.5, 1.5), height))
        self.shown_spans = len(boxes) if counts is not None else bisect_right(ends, time)
        _set_boxes(self.spans, boxes, self.origin)
        times = [token[1] for token in self.lane.tokens]
        n = bisect_right(times, time) if counts is None else counts[0]
        self.shown_tokens = n
        lefts = np.atleast_1d(self.scale.x(np.array(times[:n]))) - TICK_PX / 2
        _set_boxes(self.ticks, [(float(x), self.box.cy - height / 2, TICK_PX, height) for x in lefts], self.origin)

    def read(self) -> tuple[list[float], int]:
        """Times in seconds at which the ticks stand, and tokens of prompt in the spans shown."""
        lefts = _lefts(self.ticks)
        plot = self.scale.plot
        times = [(x + TICK_PX / 2 - plot.x) * self.scale.x_max / plot.w for x in lefts]
        return times, sum(span[3] for span in self.lane.spans[: len(_lefts(self.spans))])


def _set_boxes(shape: VMobject, boxes: list[tuple[float, float, float, float]], origin: tuple[float, float]) -> None:
    """Give a shape the outlines of boxes (left, top, width, height) in design pixels.

    Without any it keeps one of no size at `origin`: a shape without points would not be
    redrawn by the animation that gives it some.
    """
    if not boxes:
        boxes = [(*origin, 0.0, 0.0)]
    points = np.zeros((len(boxes), 4, 4, 3))
    for i, (x, y, w, h) in enumerate(boxes):
        corners = [FRAME.point(*c) for c in ((x, y), (x + w, y), (x + w, y + h), (x, y + h))]
        for j in range(4):
            start, end = corners[j], corners[(j + 1) % 4]
            points[i, j] = [start + (end - start) * t for t in (0, 1 / 3, 2 / 3, 1)]
    shape.points = points.reshape(-1, 3)


def _lefts(shape: VMobject) -> list[float]:
    """Left edges of the boxes that `_set_boxes` gave a shape, in design pixels."""
    boxes = shape.points.reshape(-1, 16, 3)
    return [FRAME.pixel(box[0])[0] for box in boxes if np.ptp(box[:, 0]) > 0]


class RunLanes(FilmAnimation):
    """Move the head of all lanes from one time to another, time running evenly."""

    def __init__(self, view: LanesView, start: float, seq: int, seconds: float, **kw: Any) -> None:
        super().__init__(view.rows, seconds=seconds, rate=linear, **kw)
        self.view = view
        self.start = start
        self.end = view.time_at(seq)
        self.seq = seq

    def extents(self) -> list[Extent]:
        boxes = []
        for box in (self.view.box, self.view.scale.plot):
            left, top = FRAME.point(box.x, box.y)[:2]
            right, bottom = FRAME.point(box.right, box.bottom)[:2]
            boxes.append((left, bottom, right, top))
        return boxes

    def apply(self, progress: float) -> None:
        if progress >= 1:
            self.view.set_seq(self.seq)
        else:
            self.view.set_head(self.start + (self.end - self.start) * progress)


class LanesView(Group):
    """Lanes in `box` on the time axis of `scale`."""

    def __init__(self, lanes: Lanes, colors: dict[str, str], scale: Scale, box: Box) -> None:
        self.lanes = lanes
        self.box = box
        self.scale = scale
        self.back = Panel(box, fill=theme.PANEL)
        self.title = Label(
            lanes.title,
            theme.SMALL,
            "sans-bold",
            theme.TEXT,
            (box.x + INSET, box.y + TITLE_H / 2 + 2),
            background=theme.PANEL,
        )
        pitch = (box.h - TITLE_H - FOOT) / len(lanes.lanes)
        self.views = {
            lane.task: LaneView(lane, colors[lane.task], Box(box.x, box.y + TITLE_H + i * pitch, box.w, pitch), scale)
            for i, lane in enumerate(lanes.lanes)
        }
        self.step_label = Label(
            "",
            theme.SMALL,
            "mono",
            theme.MUTED,
            (box.right - INSET, box.y + TITLE_H / 2 + 2),
            "right",
            background=theme.PANEL,
        )
        self.needle = VMobject(fill_color=theme.MUTED, fill_opacity=1, stroke_width=0)
        self.step_ends = [end for _, end in lanes.steps]
        self.rows = Group(*self.views.values(), self.needle, self.step_label)
        self.head = 0.0
        super().__init__(self.back, self.title, self.rows)
        self._point(-1)

    def time_at(self, seq: int) -> float:
        """When the last thing happened that is shown up to event `seq`."""
        times = [0.0]
        for view in self.views.values():
            tokens, spans = view.counts(seq)
            times += [token[1] for token in view.lane.tokens[:tokens]]
            times += [span[2] for span in view.lane.spans[:spans]]
        return max(times)

    @property
    def step(self) -> int:
        """The step as written; -1 where there is none."""
        return int(self.step_label.text.split()[1]) if self.step_label.text else -1

    def _point(self, step: int) -> None:
        """Put the needle at the head, through the lanes and the chart's plot."""
        self.step_label.set_text(step_text(step))
        x = float(self.scale.x(self.head)) - NEEDLE_PX / 2
        plot, top = self.scale.plot, self.box.y + TITLE_H
        boxes = [(x, top, NEEDLE_PX, self.box.bottom - 4 - top), (x, plot.y, NEEDLE_PX, plot.h)]
        _set_boxes(self.needle, boxes, (plot.x, top))

    def step_at(self, seq: int) -> int:
        """The step that is under way or over at event `seq`; -1 before the first."""
        return bisect_right([begin for begin, _ in self.lanes.steps], seq) - 1

    def set_head(self, time: float) -> None:
        """Draw what had happened by `time`."""
        self.head = time
        self._point(min(bisect_left(self.step_ends, time), len(self.step_ends) - 1))
        for view in self.views.values():
            view.set_head(time)

    def set_seq(self, seq: int) -> None:
        """Draw what had happened by event `seq`."""
        self.head = self.time_at(seq)
        for view in self.views.values():
            view.set_head(self.head, view.counts(seq))
        self._point(self.step_at(seq))

    def change(self, seq: int, seconds: float) -> list[Animation]:
        """Let time run on to event `seq`."""
        known = all((v.shown_tokens, v.shown_spans) == v.counts(seq) for v in self.views.values())
        if known and self.step == self.step_at(seq):
            return []
        return [RunLanes(self, self.head, seq, seconds)]

    def read(self) -> dict[str, tuple[list[float], int]]:
        """Times of the tokens shown, and prompt tokens shown as computed, by request."""
        return {task: view.read() for task, view in self.views.items()}
