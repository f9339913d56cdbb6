"""Readers over time: a lane for each request, in which a token pops where on the clock it was got."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

import numpy as np

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Cells, Line, Text, rgba
from scenes.draw.layout import Box
from scenes.measures import Measure, Said, measure, say
from scenes.parts.chip import chip, chip_width
from scenes.parts.clock import COUNT, Timeline
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View
from scenes.story.words import counted

TITLE, ROW, BEST, GAP, FOOT = 46.0, 54.0, 130.0, 8.0, 10.0
LEAST_BEST, CHIP, TOKEN = 420.0, 48.0, 84.0
WIDEST, LEAST, APART = 26.0, 3.0, 3.0
"""Pixels of a token's width, at most and at least, and between two."""
FROZEN = 0.16
"""Opacity of the ground of a stretch in which nobody gets a token."""
SPAN = 0.28
"""Opacity of a stretch in which a prompt was computed."""
LARGE = 110.0
STRIP, BESIDE, INSIDE = 34.0, 8.0, 10.0
"""Height of the numbers of a prompt's stretches where they stand above them, what is between two at least, and at
both sides of one within its stretch."""


@dataclass(frozen=True)
class Wait:
    """A stretch from `first` to `last`, in ns since the clock's 0, that is drawn as soon as it has lasted for `after`,
    with its length, `took`, when it is over; `words` stand before that, and at a bracket with it."""

    first: int
    last: int
    took: Measure
    after: int = 0
    words: Said | str = ""


@dataclass(frozen=True)
class Lanes(Part):
    """A recorded stretch, `since` to `until` ns around its 0, which the run's clock calls `zero`.

    It has a lane for each of `tasks` with their tokens, and one for the `prompt` of a request, with the
    stretches in which it was computed and then its tokens. `wait` is an empty stretch in the lanes of the
    `tasks`, `first` one below all lanes, from when the prompt came to what is told of. Where the clock is
    `counted`, the tokens of the first of `tasks` since 0 stand behind, faint where the stretch has ended: then, and
    where it steps back, it has no hand.
    """

    time: Timeline = field(default=Timeline(0, 1, 0))
    title: str = ""
    zero: int = 0
    since: int = 0
    until: int = 0
    tasks: tuple[str, ...] = ()
    prompt: str = ""
    wait: Wait | None = None
    first: Wait | None = None

    def during(self, share: float) -> Self:
        return replace(self, time=self.time.during(share))

    @property
    def rows(self) -> tuple[str, ...]:
        """The requests that have a lane, and "" for the room of a bracket."""
        return (*self.tasks, *((self.prompt,) if self.prompt else ()), *(("",) if self.first else ()))

    @property
    def handed(self) -> bool:
        """Whether the clock's hand stands in the lanes."""
        return self.lit and self.time.now <= self.until

    def room(self, view: View, width: float) -> Room:
        n, strip = len(self.rows), self._strip(view, width)
        least, best = TITLE + n * (ROW + GAP) - GAP + FOOT, TITLE + max(n * (BEST + GAP), LEAST_BEST) - GAP + FOOT
        return Room(least + strip, best + strip)

    def draw(self, view: View, box: Box) -> Atoms:
        t, time, now = view.theme, self.time, min(self.time.now, self.until)
        yield ("title",), Text(self.title, (box.x, box.y + 18), px=theme.LABEL, face="sans-medium", color=t.text)
        body = Box(box.x, box.y + TITLE, box.w, box.h - TITLE - FOOT)
        plot = time.plot(body)
        rows = self._placed(plot, strip := self._strip(view, box.w))
        left, right = time.x(plot, max(self.since, time.start)), time.x(plot, min(self.until, time.end))
        bracket = rows.pop("", None)
        for task, row in rows.items():
            yield from chip(view, task, Box(body.x, row.cy - CHIP / 2, chip_width(*time.names), CHIP))
            above = strip if task == self.prompt else 0.0
            yield (task, "ground"), Block(Box(left, row.y - above, right - left, row.h + above), fill=t.empty)
        for tick in time.ticks(plot):
            x = time.x(plot, tick)
            points = np.array([(x, body.bottom + FOOT), (x, body.bottom if tick else body.y)])
            yield ("tick", tick), Line(points, color=t.muted, width=2)
        if self.prompt:
            yield from self._prompt(view, plot, rows[self.prompt], now, strip)
        for task, row in rows.items():
            yield (task, "tokens"), self._tokens(view, plot, row, task, now)
        top, bottom = (rows[self.tasks[i]] for i in (0, -1))
        lanes = Box(plot.x, top.y, plot.w, bottom.bottom - top.y)
        if self.wait is not None and now > self.wait.first + self.wait.after:
            yield from self._wait(view, plot, lanes, self.wait, now, box.x)
        if self.first is not None and bracket is not None:
            yield from self._first(view, plot, bracket, self.first, now)
        if time.counted:
            yield from self._count(view, body, lanes, now)
        x, low = time.x(plot, now), max(row.bottom for row in rows.values())
        if self.handed:
            yield ("head",), Line(np.array([(x, body.y), (x, low)]), color=t.accent, width=4, z=3)

    def _placed(self, plot: Box, strip: float) -> dict[str, Box]:
        """The box of each lane, equally high; `strip` of its height is left free above that of the prompt."""
        lanes = Box(plot.x, plot.y, plot.w, plot.h - strip).rows(len(self.rows), GAP)
        below = self.rows.index(self.prompt) if self.prompt else len(self.rows)
        return {
            task: Box(lane.x, lane.y + (strip if i >= below else 0.0), lane.w, lane.h)
            for i, (task, lane) in enumerate(zip(self.rows, lanes, strict=True))
        }

    def _strip(self, view: View, width: float) -> float:
        """The height of the numbers above the prompt's stretches, where not each has room for its own and all have
        it there; else 0."""
        if not self.prompt:
            return 0.0
        plot, spans = self.time.plot(Box(0, 0, width, 0)), self._spans(view)
        left, right = (np.array([self.time.x(plot, span[i]) for span in spans]) for i in (1, 2))
        wide = np.array([fonts.width(str(count), "sans-bold", theme.LEAST_SIZE) for *_, count in spans])
        token = np.array([self._token(view, step) for step, *_ in spans])
        centres = left + np.maximum(right - left, wide + BESIDE) / 2
        apart = np.diff(centres) >= (wide[1:] + wide[:-1]) / 2 + BESIDE
        return STRIP if (wide + INSIDE > right - left - token).any() and apart.all() else 0.0

    def _token(self, view: View, step: int) -> float:
        """What the first token of the prompt's request covers of its stretch in a step."""
        return WIDEST if step == view.history.requests[self.prompt].tokens.step[0] else 0.0

    def _times(self, view: View, task: str) -> np.ndarray:
        """When it got each of its tokens in this stretch, ns since 0, int64 [n]."""
        ns = view.history.requests[task].tokens.ns - self.zero
        return ns[(ns >= max(self.since, self.time.start)) & (ns <= min(self.until, self.time.end))]

    def _tokens(self, view: View, plot: Box, row: Box, task: str, now: int) -> Cells:
        ns = self._times(view, task)
        x = plot.x + plot.w * (ns - self.time.start) / (self.time.end - self.time.start)
        width = min(WIDEST, max(LEAST, (float(np.median(np.diff(x))) if len(x) > 1 else WIDEST) - APART))
        half = min(TOKEN, row.h - 10) / 2
        edges = np.broadcast_arrays(np.maximum(x - width, plot.x), row.cy - half, x, row.cy + half)
        fills = np.tile(rgba(view.hue(task)), (len(x), 1))
        fills[ns > now, 3] = 0
        return Cells(np.stack(edges, axis=1), fills, radius=4 if width > 8 else 0, z=1)

    def _spans(self, view: View) -> list[tuple[int, int, int, int]]:
        """(step, begin, end, tokens) of the stretches in which the prompt was computed, ns since 0."""
        life, steps, spans = view.history.requests[self.prompt], view.history.steps, []
        for event in life.computed:
            row = steps.row("prefill", event.step)
            if row is not None and event.step <= int(life.tokens.step[0]):
                begin, end = (int(ns[row]) - self.zero for ns in (steps.phases.began, steps.phases.ended))
                spans.append((event.step, begin, end, event.end - event.start))
        return spans

    def _prompt(self, view: View, plot: Box, row: Box, now: int, strip: float) -> Atoms:
        hue, half = view.hue(self.prompt), min(TOKEN, row.h - 10) / 2
        for step, begin, end, count in self._spans(view):
            if begin >= now:
                continue
            left, right = self.time.x(plot, begin), self.time.x(plot, min(now, end))
            box = Box(left, row.cy - half, max(0.01, right - left), 2 * half)
            yield (self.prompt, "span", step), Block(box, fill=hue, fill_alpha=SPAN, stroke=hue, width=2, radius=4)
            if end <= now:
                room = box.w - self._token(view, step)
                wide = max(box.w, fonts.width(str(count), "sans-bold", theme.LEAST_SIZE) + BESIDE)
                place = Box(box.x, row.y - strip, wide, strip) if strip else Box(box.x, box.y, room, box.h)
                if not self.handed or place.right <= self.time.x(plot, now):
                    yield from self._said(view, place, step, count, bool(strip))

    def _said(self, view: View, box: Box, step: int, count: int, above: bool) -> Atoms:
        """How many tokens a stretch of the prompt has: `above` it, or in it, where that can be written there."""
        number, px = measure("prompt.chunk", count, "plain", task=self.prompt, step=step), theme.LEAST_SIZE
        texts = (say("{} prompt tokens", number), say("{}", number))
        fits = (text for text in texts if fonts.width(text, "sans-bold", px) + INSIDE <= box.w)
        text = next(fits, texts[-1] if above else None)
        if text is not None:
            ground = view.theme.empty if above else theme.mix(view.theme.panel, view.hue(self.prompt), SPAN)
            look: Look = {"face": "sans-bold", "color": view.theme.text, "align": "center", "ground": ground, "z": 2}
            yield (self.prompt, "tokens", step), Text(text, (box.cx, box.cy), px=px, **look)

    def _wait(self, view: View, plot: Box, lanes: Box, wait: Wait, now: int, left: float) -> Atoms:
        """The empty stretch, from the clock's start on; its length stands in it, or, where it is too narrow, above it
        and behind the title."""
        t, x = view.theme, partial(self.time.x, plot)
        begins = max(wait.first, self.time.start)
        box = Box(x(begins), lanes.y, max(1.0, x(min(now, wait.last)) - x(begins)), lanes.h)
        yield ("wait",), Block(box, fill=t.alarm, fill_alpha=FROZEN, stroke=t.alarm, width=4, z=2)
        ground = theme.mix(t.empty, t.alarm, FROZEN)
        look: Look = {"color": t.text, "z": 4}
        if now < wait.last:
            at = (x(max(begins, min(0, wait.last))) + 20, box.cy)
            if box.right > at[0] + fonts.width(wait.words, "sans-medium", theme.LABEL) + 20:
                yield ("wait", "words"), Text(wait.words, at, face="sans-medium", ground=ground, **look)
            return
        text, room = say("{}", wait.took), box.w - WIDEST - 32
        px = min(LARGE, 0.6 * box.h, room / fonts.width(text, "mono-bold", 1.0))
        at = (box.x + (box.w - WIDEST) / 2, box.cy)
        if px < theme.CAPTION:
            px, ground = theme.CAPTION, t.ground
            half = fonts.width(text, "mono-bold", px) / 2
            clear = fonts.width(self.title, "sans-medium", theme.LABEL) + half + 24
            at = (max(min(box.cx, plot.right - half), left + clear), lanes.y - TITLE / 2 - 2)
        yield ("wait", "took"), Text(text, at, px=px, face="mono-bold", align="center", ground=ground, **look)

    def _first(self, view: View, plot: Box, row: Box, first: Wait, now: int) -> Atoms:
        """A bracket from where the prompt came to what is told of, with its length when that is there."""
        t, px = view.theme, theme.LABEL
        left = self.time.x(plot, max(first.first, self.time.start))
        right, y = self.time.x(plot, max(first.first, min(now, first.last))), row.y + 16
        points = np.array([(left, y - 14), (left, y), (right, y), (right, y - 14)])
        for key, part in ((("first",), points[:3]), (("first", first.took.name), points[2:])):
            yield key, Line(part, color=t.accent, width=4, z=2)
        if now >= first.last and first.words:
            text = say("{} after {}", first.words, first.took)
            at = (max(right, left + fonts.width(text, "sans-bold", px) + 12), min(y + 30, row.bottom - 0.45 * px))
            look: Look = {"face": "sans-bold", "color": t.text, "align": "right"}
            yield ("first", first.took.name, "took"), Text(text, at, px=px, **look)

    def _count(self, view: View, body: Box, lanes: Box, now: int) -> Atoms:
        task, t = self.tasks[0], view.theme
        n = int(np.count_nonzero((ns := self._times(view, task)) <= now) - np.count_nonzero(ns <= 0)) if now > 0 else 0
        number = measure("lane.tokens", n, task=task, after=self.zero, until=self.zero + max(0, now))
        text, px = counted(number, "token"), theme.CAPTION
        color = t.text if self.time.now <= self.until else t.muted
        yield ("count",), Text(text, (body.right - COUNT + 24, lanes.cy), px=px, face="mono-bold", color=color)

    def read(self, shown: Shown) -> Read:
        """Where tokens, prompts and waits stand, in ns since 0 as the drawn ticks tell them."""
        lines = {key[1:]: m.frame.pixels(m.points[0])[0] for key, m in shown.items() if key[1] in ("tick", "head")}
        ticks = {key[1]: x for key, x in lines.items() if key[0] == "tick"}
        (zero, x), (later, right) = min(ticks.items()), max(ticks.items())

        def share(pixels: float) -> float:
            return float((pixels - x) / (right - x))

        over = (min(self.time.now, self.until) - zero) / (later - zero)
        found: dict[Any, Any] = {
            "axis": (self.time.start, self.time.end),
            "zero": self.zero,
            "within": (self.since, self.until),
            "of": self.prompt,
            "ticks": (zero, later),
            "times": {tick: share(at) for tick, at in ticks.items()},
            "head": share(lines["head",]) if ("head",) in lines else over,
        }
        for key, mobject in shown.items():
            match key[1:]:
                case (task, "tokens"):
                    got = mobject.edges[mobject.rgba[:, 3] > 0.5, 2]
                    found["tokens", task] = tuple(share(right) for right in got.tolist())
                case (task, "span", step):
                    found["prompt", task, step] = (share(mobject.box.x), share(mobject.box.right))
                case ("wait",):
                    found["wait"] = (share(mobject.box.x), share(mobject.box.right))
        return {"lanes": {self.key: found}}
