"""Time that has gone by: how far the run is, how fast it is shown, and when requests had to give way."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Cells, Text, rgba
from scenes.draw.layout import Box
from scenes.measures import measure, say, written
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View
from scenes.story.history.turns import turns_of

HEIGHT, BAR, MARK = 48.0, 8.0, 4.0


@dataclass(frozen=True)
class Elapsed(Part):
    """The run's time as a line that fills, with a mark for each time that a request had to give way.

    Within a time-lapse it says how much of the run goes by in a second, where it is `steady`: equally much in each; or,
    where nothing of it does, that all is at one moment.
    """

    steady: bool = True

    needs = Room(HEIGHT, HEIGHT)

    def draw(self, view: View, box: Box) -> Atoms:
        t, px = view.theme, theme.LABEL
        end = max(1, int(view.history.series.end_ns.max(initial=0)))
        time = written("clock.time", view.state.ns, "clock")
        left = box.x + fonts.width(f"{end / 1e9:,.1f} s", "mono", px) + 24
        rated = fonts.width("each second: 000 ms of the run", "sans", theme.LEAST_SIZE) + 24
        right = box.right - (rated if self.steady else 0)
        yield ("time",), Text(time, (box.x, box.cy), px=px, face="mono", color=t.text)
        yield ("line",), Block(Box(left, box.cy - BAR / 2, right - left, BAR), fill=t.empty, radius=BAR / 2)
        done = Box(left, box.cy - BAR / 2, min(1.0, view.state.ns / end) * (right - left), BAR)
        yield ("done",), Block(done, fill=t.accent, radius=BAR / 2)
        if view.history.count("task_preempted"):
            yield ("marks",), marks(view, Box(left, box.cy + 9, right - left, 12))
        if view.lapse is not None and self.steady:
            passes = rate(view)
            text = say("each second: {} of the run", passes) if passes.value else say("one moment of the run")
            yield ("rate",), Text(text, (box.right, box.cy), px=theme.LEAST_SIZE, color=t.muted, align="right")

    def read(self, shown: Shown) -> Read:
        """The share of the line that is filled, and of its time in whose parts there are marks."""
        parts = {key[1]: mobject for key, mobject in shown.items()}
        if "done" not in parts:
            return {}
        found: dict[str, Any] = {"clock.share": parts["done"].box.w / parts["line"].box.w}
        return found | marked(parts.get("marks"))


def marks(view: View, box: Box) -> Cells:
    """A mark in every few pixels of the run's time in `box` in which a request has given way."""
    n, end = max(1, int(box.w / MARK)), max(1, int(view.history.series.end_ns.max(initial=0)))
    left = box.x + np.arange(n) * box.w / n
    edges = np.stack(np.broadcast_arrays(left, box.y, left + MARK - 1, box.bottom), axis=1)
    fills = np.zeros((n, 4))
    places = [min(n - 1, int(loss.ns / end * n)) for loss in turns_of(view.history).lost(-1, view.state.seq)]
    fills[places] = rgba(view.theme.alarm)
    return Cells(edges, fills)


def marked(shown: Any) -> Read:
    """The parts of the run's time with `marks`, where these are shown."""
    if shown is None:
        return {}
    lit = shown.rgba[:, 3] > 0
    return {"clock.marks": (len(lit), tuple(np.flatnonzero(lit).tolist()))}


def rate(view: View) -> Any:
    """How much of the run goes by in a second of the time-lapse that is shown."""
    assert view.lapse is not None
    start, until, seconds = view.lapse
    began = view.trace[start].ns if start >= 0 else 0
    args = {"after": start, "until": until, "seconds": round(seconds, 6)}
    return measure("lapse.rate", (view.trace[until].ns - began) / 1e9 / args["seconds"], "seconds", **args)
