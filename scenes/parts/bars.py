"""Bars on one scale: amounts side by side, or how long requests have been without a token, each with its number."""

from dataclasses import dataclass

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import Measure, measure, say
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View

ROW, BEST, GAP, TITLE, THICK = 64.0, 104.0, 16.0, 56.0, 56.0


@dataclass(frozen=True)
class Bar:
    """An amount: `of` its measure. `task` gives the hue; without one it is the accent's, `muted` where told.
    It begins where one of `after` would end: pieces of one amount, below one another."""

    label: str
    of: Measure
    task: str = ""
    muted: bool = False
    after: Measure | None = None


@dataclass(frozen=True)
class Bars(Part):
    """`bars` below one another, as long as their measures say; the end of the last, or `scale`, is the
    full width. Under `title`, what they count."""

    title: str = ""
    bars: tuple[Bar, ...] = ()
    scale: float = 0.0

    def room(self, view: View, width: float) -> Room:
        n = len(self.bars)
        head = (n - 1) * GAP + (TITLE if self.title else 0.0)
        return Room(n * ROW + head, n * BEST + head)

    def draw(self, view: View, box: Box) -> Atoms:
        t, px = view.theme, theme.LABEL
        if self.title:
            yield ("title",), Text(self.title, (box.x, box.y + 20), px=px, color=t.muted)
            box = Box(box.x, box.y + TITLE, box.w, box.h - TITLE)
        texts = [say("{}", bar.of) for bar in self.bars]
        left = max((fonts.width(bar.label, "sans-medium", px) for bar in self.bars), default=0.0) + 28
        starts = [float(bar.after.value) if bar.after else 0.0 for bar in self.bars]
        scale = self.scale or max((at + bar.of.value for at, bar in zip(starts, self.bars, strict=True)), default=1.0)
        room = box.w - left - (max((fonts.width(text, "mono", px) for text in texts), default=0.0) + 28)
        for i, (bar, text, row) in enumerate(zip(self.bars, texts, box.rows(len(self.bars), GAP), strict=True)):
            hue, thick = view.hue(bar.task) if bar.task else t.muted if bar.muted else t.accent, min(row.h, THICK)
            yield (i, "label"), Text(bar.label, (box.x, row.cy), px=px, face="sans-medium", color=t.text)
            long = room / max(scale, 1e-9)
            x, length = box.x + left + long * starts[i], max(2.0, long * float(bar.of.value))
            whole = Box(x, row.cy - thick / 2, length, thick)
            yield (i, "bar"), Block(whole, fill=hue, stroke=hue, width=2, radius=4, late=True)
            yield (i, "text"), Text(text, (whole.right + 20, row.cy), px=px, face="mono", color=t.text, late=True)

    def read(self, shown: Shown) -> Read:
        """Each bar's measure with its length, and that after which it begins, as shares of the longest of them."""
        drawn = {key[1]: mobject.box for key, mobject in shown.items() if key[-1] == "bar"}
        left, longest = min((b.x for b in drawn.values()), default=0.0), max((b.w for b in drawn.values()), default=1.0)
        bars = [(i, bar, drawn[i]) for i, bar in enumerate(self.bars) if i in drawn]
        starts = [(bar.after, (box.x - left) / longest) for _, bar, box in bars if bar.after]
        return {"bars": (*((bar.of, box.w / longest) for _, bar, box in bars), *starts)}


@dataclass(frozen=True)
class Waits(Part):
    """Under `label`, the time of request `task` from its last token before event `since` (or its arrival) to its next,
    as far as it has gone; the scale ends with all of it, or the longest that stands `beside` it, below."""

    since: int = -1
    task: str = ""
    label: str = ""
    beside: tuple[Bar, ...] = ()

    def room(self, view: View, width: float) -> Room:
        return self._bars(0).room(view, width)

    def draw(self, view: View, box: Box) -> Atoms:
        ns = view.history.requests[self.task].wait(self.since, view.state.seq, view.state.ns)
        most = max(float(of.value) for of in (view.ask.wait(self.task, self.since), *(bar.of for bar in self.beside)))
        yield from self._bars(ns, most).draw(view, box)

    def _bars(self, ns: int, scale: float = 0.0) -> Bars:
        now = measure("wait.since", ns, "exact", task=self.task, since=self.since)
        return Bars("", (Bar(self.label, now, self.task), *self.beside), scale)

    def read(self, shown: Shown) -> Read:
        """Each bar's measure with its length, as a share of the longest of them."""
        return self._bars(0).read(shown)
