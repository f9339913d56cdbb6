"""The clock of servers that get the same requests: how far each is, and when it has served whom."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Line, Text
from scenes.draw.layout import Box
from scenes.measures import measure, say
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View
from scenes.parts.servers import served, source, step_of, title
from scenes.theme import mix

ROW, BEST, GAP, FOOT = 36.0, 124.0, 14.0, 44.0
MARK, WIDE = 10.0, 1200.0


@dataclass(frozen=True)
class Progress(Part):
    """A row for each of `rules` on one axis of steps, with a mark for each request at the step that
    has served it, and one clock for all. Beside a row that has served everybody stands how long it
    took. `acting` rows are those that the caption speaks of."""

    rules: tuple[str, ...] = ("reserve", "pages")
    acting: tuple[str, ...] = ()

    def room(self, view: View, width: float) -> Room:
        n = len(self.rules)
        return Room(n * ROW + (n - 1) * GAP + FOOT, n * BEST + (n - 1) * GAP + FOOT)

    def draw(self, view: View, box: Box) -> Atoms:
        t, ask = view.theme, view.ask
        rows = Box(box.x, box.y, box.w, box.h - FOOT).rows(len(self.rules), GAP)
        px = theme.CAPTION if rows[0].h >= 1.5 * theme.CAPTION and box.w >= WIDE else theme.LABEL
        names = {rule: title(rule, view) for rule in self.rules}
        ends = {rule: ask.steps_of(rule) for rule in self.rules}
        total = max(1, *(end.value for end in ends.values()))
        left = max(fonts.width(name, "sans-bold", px) for name in names.values()) + 28
        x, width = box.x + left, box.w - left - (fonts.width("0" * len(str(total)) + " steps", "mono-bold", px) + 28)
        now = min(total, step_of(view) + 1)
        for rule, row in zip(self.rules, rows, strict=True):
            acting = rule in self.acting
            yield (rule, "title"), Text(names[rule], (box.x, row.cy), px=px, face="sans-bold", color=t.text)
            yield (rule, "track"), Block(Box(x, row.y, width, row.h), fill=t.empty, radius=4)
            gone = Box(x, row.y, max(0.5, width * min(now, ends[rule].value) / total), row.h)
            look = {"stroke": t.accent, "width": 4.0} if acting else {}
            yield (rule, "gone"), Block(gone, fill=mix(t.empty, t.muted, 0.45), radius=4, acting=acting, **look)
            for task, step in ask.served(rule).items():
                if step < now:
                    mark = Box((x + width * (step + 1) / total) - MARK, row.y + 4, MARK, row.h - 8)
                    yield (rule, task, "mark"), Block(mark, fill=view.hue(task), radius=2)
            if now >= ends[rule].value and len(served(rule, view)):
                look = {"face": "mono-bold", "px": px, "color": t.text, "align": "right"}
                yield (rule, "steps"), Text(say("{} steps", ends[rule]), (box.right, row.cy), acting=acting, **look)
        yield from self._clock(view, box, x + width * now / total, px)

    def _clock(self, view: View, box: Box, x: float, px: float) -> Atoms:
        """One playhead through all rows, and the step that it stands at."""
        t, bottom = view.theme, box.bottom - FOOT
        yield ("playhead",), Line(np.array([(x, box.y - 6), (x, bottom + 6)]), color=t.accent, width=4, z=2)
        done = step_of(view) + 1
        text = say("{} step" if done == 1 else "{} steps", measure("servers.steps", done))
        if view.beyond:
            text = say("{} · {}", text, source("reserve"))
        half = fonts.width(text, "mono", px) / 2
        at = (min(max(x, box.x + half), box.right - half), box.bottom - FOOT / 2 + 6)
        yield ("step",), Text(text, at, px=px, face="mono", color=t.text, align="center")

    def read(self, shown: Shown) -> Read:
        """Of each row how far it is, and each mark, as shares of the axis."""
        found: dict[str, Any] = {}
        for rule in self.rules:
            track, gone = shown[self.key, rule, "track"].box, shown[self.key, rule, "gone"].box.w
            marks = {k[2]: (m.box.right - track.x) / track.w for k, m in shown.items() if k[1::2] == (rule, "mark")}
            found[rule] = (gone / track.w if gone > 0.6 else 0.0, marks)
        return {"progress": found}
