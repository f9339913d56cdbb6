"""A race: how long each took, on one clock that runs over all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Key, Text
from scenes.draw.layout import Box
from scenes.measures import Measure, say
from scenes.parts.part import Atoms, Part, Room
from scenes.parts.view import View

ROW, BEST, GAP, HEAD, BAR, ABOVE = 84.0, 150.0, 12.0, 60.0, 64.0, 52.0
NEAR = 1e-9


@dataclass(frozen=True)
class Lane:
    """One of those that race: its `task`, the `time` that it took, and what it had to do, said as `label`."""

    task: str
    time: Measure
    label: str


@dataclass(frozen=True)
class Race(Part):
    """`lanes` below one another while the clock stands at the share `clock` of the longest time;
    whoever has arrived by then says how long it took. Under `title`, what is timed. `ahead` is how much
    of the time by which the others were sooner is drawn, from 0 to 1. Upright, words stand above the bars."""

    title: str = ""
    lanes: tuple[Lane, ...] = ()
    clock: float = 1.0
    ahead: float = 0.0

    @property
    def finishes(self) -> tuple[float, ...]:
        """When each arrives, as shares of the longest time, in order, each once."""
        return tuple(sorted({float(lane.time.value) / self._longest for lane in self.lanes}))

    @property
    def _longest(self) -> float:
        return max(float(lane.time.value) for lane in self.lanes)

    def room(self, view: View, width: float) -> Room:
        n, above = len(self.lanes), ABOVE * view.frame.upright
        return Room(HEAD + n * (ROW + above) + (n - 1) * GAP, HEAD + n * (BEST + above) + (n - 1) * GAP)

    def draw(self, view: View, box: Box) -> Atoms:
        t, px, upright = view.theme, theme.LABEL, view.frame.upright
        big, above = theme.CAPTION if upright else theme.TAKEAWAY, ABOVE * upright
        yield ("title",), Text(text=self.title, at=(box.x, box.y + 20), px=px, color=t.muted)
        left = max(fonts.width(lane.label, "sans-medium", px) for lane in self.lanes) + 28
        right = max(fonts.width(str(lane.time), "mono-bold", big) for lane in self.lanes) + 28
        field = Box(box.x + 2, box.y + HEAD, box.w - 4, box.h - HEAD)
        field = field if upright else replace(field, x=field.x + left, w=field.w - left - right)
        now = field.x + self.clock * field.w
        rows = field.rows(len(self.lanes), GAP)
        for i, (lane, row) in enumerate(zip(self.lanes, rows, strict=True)):
            body = replace(row, y=row.y + above, h=row.h - above)
            at = (box.x, row.y + above / 2 if upright else row.cy)
            yield (i, "label"), Text(text=lane.label, at=at, px=px, face="sans-medium", color=t.text)
            share = float(lane.time.value) / self._longest
            high = min(BAR, body.h)
            track = Box(field.x, body.cy - high / 2, field.w, high)
            yield (i, "track"), Block(box=track, fill=t.panel, radius=4)
            bar = Box(track.x, track.y, max(2.0, field.w * min(share, self.clock)), high)
            yield (i, "bar"), Block(box=bar, fill=view.hue(lane.task), radius=4, steady=True)
            after = bar.right + 20
            if share <= self.clock + NEAR:
                at, align = ((box.right, at[1]), "right") if upright else ((after, row.cy), "left")
                look = {"px": big, "face": "mono-bold", "color": t.text, "align": align, "early": True}
                yield (i, "time"), Text(text=say("{}", lane.time), at=at, **look)
            after += 0.0 if upright else fonts.width(str(lane.time), "mono-bold", big) + 20
            if self.ahead and after < track.right:
                gap = Box(after, track.y + 4, self.ahead * (track.right - after), high - 8)
                yield (i, "ahead"), Block(box=gap, stroke=t.muted, radius=4, steady=True)
        for i, row in enumerate(rows if upright else [field]):
            hand = Box(now - 2, row.y + above, 4, row.h - above)
            yield ("hand", i), Block(box=hand, fill=t.accent, radius=2, steady=True, z=1)

    def read(self, shown: Mapping[Key, Any]) -> dict[str, Any]:
        """Each lane's measure with its length, and where the clock stands, as shares of the track."""
        track, hand = shown[self.key, 0, "track"].box, shown[self.key, "hand", 0].box
        bars = [shown[self.key, i, "bar"].box.w / track.w for i in range(len(self.lanes))]
        pairs = tuple((lane.time, round(bar, 2)) for lane, bar in zip(self.lanes, bars, strict=True))
        return {"race": pairs, "race.clock": round((hand.cx - track.x) / track.w, 3)}
