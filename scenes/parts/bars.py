"""Bars on one scale: amounts side by side, each with its number."""

from dataclasses import dataclass, field

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import Measure, joined
from scenes.parts.part import Atoms, Part, Read, Room, Shown, View

ROW, BEST, GAP = 64.0, 104.0, 16.0


@dataclass(frozen=True)
class Bar:
    """An amount: `of` its measure, said as `text` behind the bar; `used`, where given, is the part of
    it that is filled. `task` gives the hue; without one it is the accent's, `muted` where told."""

    label: str
    of: Measure
    text: str = ""
    used: Measure | None = None
    task: str = ""
    muted: bool = False


@dataclass(frozen=True)
class Bars(Part):
    """`bars` below one another, as long as their measures say; the longest of all, or `scale`, is the
    full width. Under `title`, what they count."""

    title: str = ""
    bars: tuple[Bar, ...] = ()
    scale: float = field(default=0.0)

    def room(self, view: View, width: float) -> Room:
        n = len(self.bars)
        head = 56.0 if self.title else 0.0
        return Room(n * ROW + (n - 1) * GAP + head, n * BEST + (n - 1) * GAP + head)

    def draw(self, view: View, box: Box) -> Atoms:
        t, px = view.theme, theme.LABEL
        if self.title:
            at = (box.x, box.y + 20)
            yield ("title",), Text(self.title, at, px=px, color=t.muted)
            box = Box(box.x, box.y + 56, box.w, box.h - 56)
        texts = [joined("", (bar.text or bar.of,)) for bar in self.bars]
        left = max((fonts.width(bar.label, "sans-medium", px) for bar in self.bars), default=0.0) + 28
        right = max((fonts.width(text, "mono", px) for text in texts), default=0.0) + 28
        scale = self.scale or max((float(bar.of.value) for bar in self.bars), default=1.0)
        room = box.w - left - right
        for i, (bar, text, row) in enumerate(zip(self.bars, texts, box.rows(len(self.bars), GAP), strict=True)):
            hue = view.hue(bar.task) if bar.task else t.muted if bar.muted else t.accent
            at = (box.x, row.cy)
            yield ((i, "label"), Text(bar.label, at, px=px, face="sans-medium", color=t.text))
            length = room * float(bar.of.value) / max(scale, 1e-9)
            thick = min(row.h, 56.0)
            whole = Box(box.x + left, row.cy - thick / 2, max(2.0, length), thick)
            used = bar.used is not None
            yield (i, "bar"), Block(whole, fill=t.panel if used else hue, stroke=hue, width=2, radius=4)
            if bar.used is not None:
                share = room * float(bar.used.value) / max(scale, 1e-9)
                inner = Box(whole.x, whole.y, max(1.0, share), whole.h)
                yield (i, "used"), Block(inner, fill=hue, radius=4)
            at = (whole.right + 20, row.cy)
            yield (i, "text"), Text(text, at, px=px, face="mono", color=t.text)

    def read(self, shown: Shown) -> Read:
        """Each bar's measure with its length, as a share of the longest of them."""
        drawn = {key[1:]: mobject.box.w for key, mobject in shown.items() if key[-1] in ("bar", "used")}
        longest = max(drawn.values(), default=1.0)
        pairs = []
        for i, bar in enumerate(self.bars):
            pairs.append((bar.of, round(drawn.get((i, "bar"), 0.0) / longest, 2)))
            if bar.used is not None:
                pairs.append((bar.used, round(drawn.get((i, "used"), 0.0) / longest, 2)))
        return {"bars": tuple(pairs)}
