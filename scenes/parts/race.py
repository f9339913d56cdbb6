"""A race: how long each took, on one clock that runs over all of them."""

from dataclasses import dataclass
from decimal import Decimal

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Block, Text
from scenes.draw.layout import Box
from scenes.measures import Measure, Said, say
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View

ROW, BEST, GAP, HEAD, BAR, LINE, HAND = 116.0, 150.0, 16.0, 52.0, 64.0, 50.0, 4.0
NEAR, OVER = 1e-9, 2.0


@dataclass(frozen=True)
class Lane:
    """One of those that race: its `task`, the `time` that it took, and what it had to do, said as `label`."""

    task: str
    time: Measure
    label: str


@dataclass(frozen=True)
class Race(Part):
    """`lanes` below one another while the clock stands at the share `clock` of the longest time; whoever arrived before
    that says how long it took, in its bar where there is room: the last one when the clock is `OVER`. Under `title`,
    what is timed. `ahead` is how much of the time by which the others were sooner is drawn, from 0 to 1: then it is
    said. `alone` is what one token takes, drawn in the shortest bar that has room for it beside its time."""

    title: str = ""
    lanes: tuple[Lane, ...] = ()
    clock: float = 1.0
    ahead: float = 0.0
    alone: Measure | None = None

    @property
    def finishes(self) -> tuple[float, ...]:
        """When each arrives, as shares of the longest time, in order, each once."""
        return tuple(sorted({float(lane.time.value) / self._longest for lane in self.lanes}))

    @property
    def _longest(self) -> float:
        return max(float(lane.time.value) for lane in self.lanes)

    def room(self, view: View, width: float) -> Room:
        n = len(self.lanes)
        return Room(HEAD + n * ROW + (n - 1) * GAP, HEAD + n * BEST + (n - 1) * GAP)

    def draw(self, view: View, box: Box) -> Atoms:
        t, px, big = view.theme, theme.LABEL, theme.TAKEAWAY
        yield ("title",), Text(self.title, (box.x, box.y + 20), px=px, color=t.muted)
        field = Box(box.x, box.y + HEAD, box.w, box.h - HEAD)
        rooms: list[tuple[float, int, Box, str]] = []
        for i, (lane, row) in enumerate(zip(self.lanes, field.rows(len(self.lanes), GAP), strict=True)):
            label, at = fonts.fit(lane.label, "sans-medium", px, row.w), (row.x, row.cy - BAR / 2)
            yield (i, "label"), Text(label, at, px=px, face="sans-medium", color=t.text)
            wide = fonts.width(str(lane.time), "mono-bold", big) + 40
            share, hue = float(lane.time.value) / self._longest, view.hue(lane.task)
            track = Box(field.x, row.cy - BAR / 2 + LINE / 2, field.w, BAR)
            yield (i, "track"), Block(track, fill=t.panel, radius=4)
            bar = Box(track.x, track.y, max(2.0, field.w * min(share, self.clock)), BAR)
            yield (i, "bar"), Block(bar, fill=hue, radius=4, steady=True)
            inside = wide <= share * field.w
            if share < self.clock - NEAR:
                look: Look = {"color": t.ground, "ground": hue, "align": "right"} if inside else {"color": t.text}
                at = (bar.right - 20 if inside else bar.right + 20, track.cy)
                yield (i, "time"), Text(say("{}", lane.time), at, px=big, face="mono-bold", early=True, **look)
            if self.alone is not None:
                part = float(self.alone.value) / self._longest * field.w
                if part <= (bar.w - wide if inside else bar.w):
                    rooms.append((bar.w, i, Box(bar.x + 2, bar.y + 4, part - 2, BAR - 8), hue))
            after = bar.right + (8 if inside else wide)
            if self.ahead and after < track.right - 2:
                gap = Box(after, track.y + 4, self.ahead * (track.right - 2 - after), BAR - 8)
                yield (i, "ahead"), Block(gap, stroke=t.muted, radius=4, steady=True)
                words = (text for text in self._sooner(view, lane) if fonts.width(text, "sans-medium", px) + 40 < gap.w)
                if self.ahead == 1.0 and (sooner := next(words, None)):
                    look = {"face": "sans-medium", "color": t.muted, "align": "center"}
                    yield (i, "sooner"), Text(sooner, (gap.cx, gap.cy), px=px, **look)
            hand = Box(track.x + min(1.0, self.clock) * (track.w - HAND), track.y - 4, HAND, BAR + 8)
            yield (i, "hand"), Block(hand, fill=t.accent, radius=2, steady=True, z=1)
        if rooms:
            _, i, part, hue = min(rooms)
            yield (i, "alone"), Block(part, stroke=t.ground, width=3, radius=4)
            if fonts.width("one token", "sans-medium", px) + 24 <= part.w:
                look = {"face": "sans-medium", "color": t.ground, "ground": hue, "align": "center"}
                yield (i, "one"), Text("one token", (part.cx, part.cy), px=px, **look)

    def _sooner(self, view: View, lane: Lane) -> list[Said]:
        """How much sooner a lane arrives than the last, the fullest first; by how much only where it adds up as
        written."""
        last = max((one.time for one in self.lanes), key=lambda time: time.value)
        less = view.ask.less(last, lane.time)
        (whole, unit), (rest, same), (took, third) = (str(time).split() for time in (last, less, lane.time))
        exact = unit == same == third and Decimal(rest) + Decimal(took) == Decimal(whole)
        return [*([say("{} sooner", less)] if exact else ()), say("sooner")]

    def read(self, shown: Shown) -> Read:
        """Each lane's measure with its length, and where the clock stands, as shares of the track."""
        track, hand = shown[self.key, 0, "track"].box, shown[self.key, 0, "hand"].box
        pairs = tuple((lane.time, shown[self.key, i, "bar"].box.w / track.w) for i, lane in enumerate(self.lanes))
        alone = ((self.alone, mobject.box.w / track.w) for key, mobject in shown.items() if key[-1] == "alone")
        return {"race": (*pairs, *alone), "race.clock": (hand.x - track.x) / (track.w - HAND)}
