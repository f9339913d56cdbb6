"""Cached pages as cards in LRU order, each with the tokens that it keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from manim import Animation, Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, measure, say, written
from scenes.old.animations import AppearIn, Flash, Glide, SwapText, Vanish
from scenes.old.mobjects.shapes import DashedBox, Panel
from scenes.old.mobjects.table import name_text

TITLE_H = 54
INSET = 20
GAP = 14
COLUMNS = 5
CARD_H = 112
CARD_INSET = 14


class Kept(NamedTuple):
    """What a cached page keeps: positions `first` to `last` of `task`."""

    page: int
    task: str
    first: int
    last: int


class ShelfCard(Group):
    """One cached page: its number, whose tokens it keeps, and which."""

    def __init__(self, kept: Kept, color: str, box: Box) -> None:
        self.kept = kept
        self.x, self.y = box.x, box.y
        self.frame = Panel(box, fill=theme.BACKGROUND, stroke=theme.BACKGROUND, radius=6)
        dashes = DashedBox(box, theme.CACHED, stroke_px=3)
        left, right = box.x + CARD_INSET, box.right - CARD_INSET
        upper, lower = box.y + 34, box.bottom - 30
        number = written("page.number", kept.page, page=kept.page)
        self.number = Label(number, theme.BODY, "mono-bold", theme.TEXT, (left, upper), background=theme.BACKGROUND)
        name = fonts.fit(name_text(kept.task), "sans-bold", theme.SMALL, right - left - 80)
        w = max(40.0, fonts.width(name, "sans-bold", theme.SMALL) + 20)
        chip = Panel(Box(right - w, upper - 18, w, 36), fill=color, radius=8)
        task = Label(
            name, theme.SMALL, "sans-bold", theme.BACKGROUND, (right - w / 2, upper), "center", background=color
        )
        tokens = Label(
            span_text(kept.page, kept.first, kept.last),
            theme.SMALL,
            "sans",
            theme.TEXT,
            (right, lower),
            "right",
            background=theme.BACKGROUND,
        )
        super().__init__(self.frame, dashes, self.number, chip, task, tokens)


def span_text(page: int, first: int, last: int) -> Said:
    """The token positions whose K and V a page keeps under its key."""
    ends = {"first": first, "last": last}
    return say("{}–{}", *(measure(f"page.text.{end}", at, "plain", page=page) for end, at in ends.items()))


class Shelf(Group):
    """The panel of up to `most` cards in `box`: rows of `COLUMNS`, next to be evicted first.

    Where they do not all fit, the title says how many are shown.
    """

    def __init__(self, box: Box, most: int, colors: dict[str, str]) -> None:
        self.colors = colors
        fits = max(1, int((box.h - TITLE_H - 8 + GAP) // (CARD_H + GAP)))
        rows = min(fits, -(-most // COLUMNS))
        self.capacity = rows * COLUMNS
        self.box = Box(box.x, box.y, box.w, TITLE_H + rows * (CARD_H + GAP) - GAP + INSET)
        self.back = Panel(self.box, fill=theme.PANEL)
        self.title = Label(
            "", theme.SMALL, "sans-medium", theme.TEXT, (box.x + INSET, box.y + TITLE_H / 2), background=theme.PANEL
        )
        self.cards: list[ShelfCard] = []
        self.hidden = 0
        super().__init__(self.back, self.title)

    def _place(self, index: int) -> Box:
        w = (self.box.w - 2 * INSET - (COLUMNS - 1) * GAP) / COLUMNS
        row, column = divmod(index, COLUMNS)
        return Box(self.box.x + INSET + column * (w + GAP), self.box.y + TITLE_H + row * (CARD_H + GAP), w, CARD_H)

    def _card(self, kept: Kept, index: int) -> ShelfCard:
        return ShelfCard(kept, self.colors[kept.task], self._place(index))

    def _title_text(self, items: Sequence[Kept]) -> str:
        if not items:
            return "No page is cached"
        first = measure("lru.shown", self.capacity, "plain", most=self.capacity)
        more = say(" (first {})", first) if len(items) > self.capacity else ""
        return say("Cached pages{}, next out first, and whose tokens they keep", more)

    def show(self, items: Sequence[Kept]) -> None:  # type: ignore[override]
        """Show `items` in their order at once."""
        self.hidden = max(0, len(items) - self.capacity)
        self.cards = [self._card(kept, i) for i, kept in enumerate(items[: self.capacity])]
        self.add(*self.cards)
        self.title.set_text(self._title_text(items))

    def change(self, items: Sequence[Kept]) -> list[Animation]:
        """Animate to `items`: some leave, the rest close up, new ones come."""
        wanted = {kept: place for place, kept in enumerate(items[: self.capacity])}
        self.hidden = max(0, len(items) - self.capacity)
        animations: list[Animation] = []
        stay: dict[Kept, ShelfCard] = {}
        for card in self.cards:
            if card.kept in wanted:
                stay[card.kept] = card
            else:
                self.remove(card)
                animations.append(Vanish(card, seconds=0.45))
        delay = 0.35 if animations else 0.0
        for kept, card in stay.items():
            to = self._place(wanted[kept])
            dx, dy = to.x - card.x, to.y - card.y
            if abs(dx) + abs(dy) > 0.01:
                card.x, card.y = to.x, to.y
                animations.append(Glide(card, dx, dy, seconds=0.55, delay=delay))
        for kept, place in wanted.items():
            if kept not in stay:
                card = self._card(kept, place)
                stay[kept] = card
                animations.append(AppearIn(self, card, seconds=0.4, delay=delay + 0.1))
        self.cards = [stay[kept] for kept in wanted]
        if self.title.text != self._title_text(items):
            animations.append(SwapText(self.title, self._title_text(items), delay=delay))
        return animations

    def flash(self) -> list[Animation]:
        """Draw the eye to the card that is next."""
        return [Flash(self.cards[0].frame)] if self.cards else []

    def read(self) -> list[Kept]:
        """What the cards say, in the order shown."""
        return [card.kept for card in self.cards]
