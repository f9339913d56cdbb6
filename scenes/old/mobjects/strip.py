"""A row of chips in an order that matters, next one first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from manim import Animation, Group, Mobject

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, measure, say, written
from scenes.old.animations import AppearIn, Flash, Glide, SwapText, Vanish
from scenes.old.mobjects.shapes import DashedBox, Panel
from scenes.old.mobjects.table import more_text, name_text

TITLE_GAP = 20
MORE_W = 60


class Chip(Group):
    """One item of a strip, known by its `key`; `frame` is what flashes."""

    def __init__(self, key: Hashable, x: float, w: float, frame: Mobject, *rest: Mobject) -> None:
        self.key = key
        self.x = x
        self.w = w
        self.frame = frame
        super().__init__(frame, *rest)


class Strip(Group):
    """A title and chips from left to right on the lower `height` pixels of `box`.

    `note`, above the chips while there are any, says what the order means. Chips
    that do not fit are counted at the end of the row.
    """

    height = 38.0
    gap = 10.0
    face = "mono"
    counts = "lru.more"

    def __init__(self, title: str, note: str, box: Box) -> None:
        self.box = box
        self.middle = box.bottom - self.height / 2
        self.start = box.x + fonts.width(title, self.face, theme.SMALL) + TITLE_GAP
        self.note = note
        self.title = Label(title, theme.SMALL, self.face, theme.MUTED, (box.x, self.middle))
        self.note_label = Label("", theme.SMALL, "sans", theme.MUTED, (self.start, box.y + 10))
        self.none = Label("", theme.SMALL, "sans", theme.MUTED, (self.start, self.middle))
        self.more = Label("", theme.SMALL, "mono", theme.MUTED, (box.right, self.middle), "right")
        self.chips: list[Chip] = []
        self.hidden = 0
        super().__init__(self.title, self.note_label, self.none, self.more)

    def make(self, key: Hashable, x: float) -> Chip:
        """The chip of `key` with its left edge at `x`."""
        raise NotImplementedError

    def width_of(self, key: Hashable) -> float:
        """Width of the chip of `key` in pixels."""
        raise NotImplementedError

    def show(self, keys: Sequence[Hashable]) -> None:  # type: ignore[override]
        """Show `keys` in their order at once."""
        places, self.hidden = self._places(keys)
        self.chips = [self.make(key, x) for key, x in places.items()]
        self.add(*self.chips)
        self.none.set_text("" if keys else "none")
        self.note_label.set_text(self.note if keys else "")
        self.more.set_text(self._more_text())

    def change(self, keys: Sequence[Hashable], delay: float = 0.0) -> list[Animation]:
        """Animate to `keys`: some leave, the rest close up, new ones come."""
        places, self.hidden = self._places(keys)
        animations: list[Animation] = []
        kept: dict[Hashable, Chip] = {}
        for chip in self.chips:
            if chip.key in places:
                kept[chip.key] = chip
            else:
                self.remove(chip)
                animations.append(Vanish(chip, seconds=0.45, delay=delay))
        closing = delay + (0.35 if animations else 0.0)
        for chip in kept.values():
            dx = places[chip.key] - chip.x
            if abs(dx) > 0.01:
                chip.x += dx
                animations.append(Glide(chip, dx, 0, seconds=0.5, delay=closing))
        for key, x in places.items():
            if key not in kept:
                chip = self.make(key, x)
                kept[key] = chip
                animations.append(AppearIn(self, chip, seconds=0.4, delay=closing + 0.1))
        self.chips = [kept[key] for key in places]
        for label, text in (
            (self.none, "" if keys else "none"),
            (self.note_label, self.note if keys else ""),
            (self.more, self._more_text()),
        ):
            if label.text != text:
                animations.append(SwapText(label, text, delay=closing))
        return animations

    def flash(self) -> list[Animation]:
        """Draw the eye to the chip that is next."""
        return [Flash(self.chips[0].frame)] if self.chips else []

    @property
    def keys(self) -> list[Hashable]:
        """What the chips say, in the order shown."""
        return [chip.key for chip in self.chips]

    def _places(self, keys: Sequence[Hashable]) -> tuple[dict[Hashable, float], int]:
        """Left edge of each chip that fits, and how many do not."""
        widths = [self.width_of(key) for key in keys]
        whole = sum(widths) + self.gap * max(0, len(keys) - 1)
        end = self.box.right - (MORE_W if self.start + whole > self.box.right else 0)
        places: dict[Hashable, float] = {}
        x = self.start
        for key, w in zip(keys, widths, strict=True):
            if x + w > end:
                break
            places[key] = x
            x += w + self.gap
        return places, len(keys) - len(places)

    def _more_text(self) -> Said:
        return more_text(self.counts, self.hidden, shown=len(self.chips))


class LruStrip(Strip):
    """Cached pages, the one to be evicted next first; `keys` are page numbers."""

    def __init__(self, box: Box) -> None:
        super().__init__("LRU", "next out first", box)

    def width_of(self, key: Hashable) -> float:
        return 46.0

    def make(self, key: Hashable, x: float) -> Chip:
        w = self.width_of(key)
        box = Box(x, self.box.bottom - self.height, w, self.height)
        frame = Panel(box, fill=theme.PANEL, stroke=theme.PANEL, radius=5)
        text = written("page.number", key, page=key)
        number = Label(text, theme.SMALL, "mono-bold", theme.TEXT, (box.cx, box.cy), "center", background=theme.PANEL)
        return Chip(key, x, w, frame, DashedBox(box, theme.CACHED, dash=6), number)


class QueueStrip(Strip):
    """Waiting requests, the next one first; `keys` are (name, tokens that it has)."""

    height = 40.0
    gap = 22.0
    face = "sans"
    counts = "queue.more"

    def __init__(self, box: Box, colors: dict[str, str]) -> None:
        self.colors = colors
        super().__init__("waiting", "", box)

    def width_of(self, key: Hashable) -> float:
        name, tokens = key
        text = fonts.width(self._tokens_text(name, tokens), "sans", theme.SMALL)
        return self._name_w(name) + 10 + text

    def make(self, key: Hashable, x: float) -> Chip:
        name, tokens = key
        color = self.colors[name]
        w = self._name_w(name)
        frame = Panel(Box(x, self.box.bottom - self.height, w, self.height), fill=color, radius=8)
        text = name_text(name)
        label = Label(
            text, theme.BODY, "sans-bold", theme.BACKGROUND, (x + w / 2, self.middle), "center", background=color
        )
        count = Label(self._tokens_text(name, tokens), theme.SMALL, "sans", theme.MUTED, (x + w + 10, self.middle))
        return Chip(key, x, self.width_of(key), frame, label, count)

    @staticmethod
    def _name_w(name: str) -> float:
        return max(48.0, fonts.width(name, "sans-bold", theme.BODY) + 24)

    @staticmethod
    def _tokens_text(name: str, tokens: int) -> Said:
        return say("{} tok", measure("task.tokens", tokens, "plain", task=name))


__all__ = ["Chip", "LruStrip", "QueueStrip", "Strip"]
