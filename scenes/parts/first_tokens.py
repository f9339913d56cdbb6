"""How long requests waited for their first token: a dot for each, at the time at which it came."""

from dataclasses import dataclass

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Cells, Text, rgba
from scenes.draw.layout import Box
from scenes.measures import Said, say
from scenes.parts.elapsed import marked, marks
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View

DOT, PLATE, FOOT, TITLE = 7.0, 44.0, 60.0, 96.0
SHARE = 0.9
"""The share of requests whose wait is shown beside that of half of them."""


@dataclass(frozen=True)
class FirstTokens(Part):
    """Dots over the time of arrival, as high as the wait; lines at what half and most of the requests
    waited at most; below them, when one had to give way. With `lines` 0, 1 or 2 of them are drawn, with 3
    the dots beyond the second are in the alarm's colour; without `dots` these lie where they rise from, on the line."""

    needs = Room(300, 600, grows=True)

    lines: int = 3
    dots: bool = True

    def draw(self, view: View, box: Box) -> Atoms:
        t, px = view.theme, theme.LEAST_SIZE
        came, waits = waited(view)
        usual, most = view.ask.wait_within(0.5), view.ask.wait_within(SHARE)
        field = Box(box.x, box.y + TITLE, box.w, box.h - FOOT - TITLE)
        top, end = float(waits.max(initial=1)), float(max(view.history.series.end_ns.max(initial=1), 1))
        title = "wait for the first token, a dot a request"
        if (cost := view.trace.header.cost) is not None:
            prefill, decode = (cost.prefill_step_s, cost.prefill_token_s), (cost.decode_step_s, cost.decode_token_s)
            said = "a prefill pass {} and {} a token, a decode pass {} and {} a token, {} a cached one"
            names = ["prefill_step_s", "prefill_token_s", "decode_step_s", "decode_token_s", "decode_kv_s"]
            if prefill == decode:
                said, names = "a pass {}, a token {}, a cached one {}", names[2:]
            title = say(f"{title}; times are computed: {said}", *map(view.ask.cost, names))
        longest = say("longest: {}", view.ask.wait_within(1.0))
        if fonts.width(title, "sans", px) > box.w:
            title = "a dot: a request's wait"
        yield ("title",), Text(title, (box.x, box.y + 20), px=px, color=t.muted)
        if self.dots:
            yield ("longest",), Text(longest, (box.x, field.y - 22), px=px, color=t.text)
        yield ("top",), Block(Box(field.x, field.y, field.w, 2), fill=t.empty, radius=0)
        risen = waits / top * (field.h - 2 * DOT) * self.dots
        x, y = field.x + came / end * (field.w - DOT), field.bottom - DOT - risen
        edges = np.stack([x, y, x + DOT, y + DOT], axis=1)
        late = waits > most.value
        order = np.lexsort((came, late))
        fills = np.where(late[:, None] & (self.lines > 2), rgba(t.alarm), rgba(t.crowd[-1]))
        turn = np.argsort(np.argsort(came, kind="stable")) / max(1, len(came))
        yield ("dots",), Cells(edges[order], fills[order], order=turn[order])
        yield ("base",), Block(Box(field.x, field.bottom, field.w, 2), fill=t.muted, radius=0)
        last = int(view.history.series.seq[-1]) if len(view.history.series) else view.history.last
        ended, y = say("{}", view.ask.time_between(-1, last)), field.bottom + 42
        yield ("began",), Text("start", (field.x, y), px=px, color=t.muted)
        if view.history.count("task_preempted"):
            yield ("marks",), marks(view, Box(field.x, field.bottom + 8, field.w, 12))
            look: Look = {"px": px, "color": t.alarm, "align": "center"}
            yield ("told",), Text("one had to give way", (field.cx, y), **look)
        yield ("ended",), Text(ended, (field.right, y), px=px, color=t.muted, align="right")
        apart = (most.value - usual.value) / top * (field.h - 2 * DOT)
        told = (usual, say("half waited at most {}", usual)), (most, say("nine in ten at most {}", most))
        for k, (of, text) in enumerate(told[: self.lines]):
            if k or self.lines < 2 or apart > PLATE + 8:
                yield from self._line(view, k, of.value, top, field, text)

    def _line(self, view: View, k: int, ns: float, top: float, field: Box, text: Said) -> Atoms:
        t, px = view.theme, theme.LABEL
        y = field.bottom - DOT / 2 - ns / top * (field.h - 2 * DOT)
        yield (k, "line"), Block(Box(field.x, y - 1.5, field.w, 3), fill=t.text, radius=0, z=2)
        w = fonts.width(text, "sans-medium", px) + 24
        plate = Box(field.right - w, y - PLATE - 8, w, PLATE)
        yield (k, "plate"), Block(plate, fill=t.ground, radius=4, z=2)
        look: Look = {"px": px, "face": "sans-medium", "color": t.text, "align": "center", "z": 3}
        yield (k, "text"), Text(text, (plate.cx, plate.cy), **look)

    def read(self, shown: Shown) -> Read:
        """Places of the dots as shares of the longest wait and of the latest arrival, by time, once they have risen."""
        found = marked(shown.get((self.key, "marks")))
        if not self.dots or (self.key, "dots") not in shown:
            return found
        e, base, top = shown[self.key, "dots"].edges, shown[self.key, "base"].box, shown[self.key, "top"].box
        x, y = (e[:, 0] - base.x) / (base.w - DOT), base.y - e[:, 3]
        if y.max(initial=0.0) < base.y - top.y - 2 * DOT - 0.5:
            return found
        places = np.stack([x, y / max(1e-9, y.max(initial=0.0))], axis=1)
        return found | {"waits": places[np.lexsort(places.T)]}


def waited(view: View) -> tuple[np.ndarray, np.ndarray]:
    """Nanoseconds at which each request came that got a token, and how long that took, float [requests]."""
    came, waits = view.history.waits
    return came.astype(float), waits.astype(float)
