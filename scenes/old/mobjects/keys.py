"""Keys of full pages: each a hash of the page's tokens and of the key before."""

from __future__ import annotations

from manim import Animation, Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import say, written
from scenes.old.animations import AppearIn
from scenes.old.mobjects.shapes import Panel
from scenes.old.mobjects.shelf import span_text
from scenes.old.mobjects.wire import Wire
from scenes.story.beats import PageKey

TITLE_H = 56
INSET = 22
CARD_H = 132
KEY_H = 48
LINK = 52
LINK_H = 26
WIDEST = 270
FOOT = 20


class KeyCard(Group):
    """One page with its tokens, and its key below; `lit` draws the eye to the key."""

    def __init__(self, key: PageKey, box: Box, color: str, lit: bool) -> None:
        self.key = key
        self.box = box
        self.frame = Panel(box, fill=theme.BACKGROUND, stroke=color, radius=6)
        pad = 14
        self.page = Label(
            say("page {}", written("page.number", key.page, page=key.page)),
            theme.SMALL,
            "mono-bold",
            theme.TEXT,
            (box.x + pad, box.y + 24),
            background=theme.BACKGROUND,
        )
        self.tokens = Label(
            say("tokens {}", span_text(key.page, key.first, key.last)),
            theme.SMALL,
            "sans",
            theme.MUTED,
            (box.x + pad, box.y + 58),
            background=theme.BACKGROUND,
        )
        below = Box(box.x + 8, box.bottom - KEY_H - 6, box.w - 16, KEY_H)
        self.place = below
        self.back = Panel(
            below, fill=theme.PANEL, stroke=theme.ACCENT if lit else theme.OUTLINE, stroke_px=4 if lit else 2, radius=5
        )
        text = written("page.key", key.key, "name", page=key.page, digits=len(key.key))
        at = (below.cx, below.cy)
        self.value = Label(text, theme.BODY, "mono-bold", theme.CODE_NUMBER, at, "center", background=theme.PANEL)
        super().__init__(self.frame, self.page, self.tokens, self.back, self.value)


class KeysPanel(Group):
    """Cards from left to right, each key linked to the page that it is hashed with next.

    `show` puts all cards up at once; else `grow` brings them one by one. Raises
    ValueError where `keys` do not fit `box`.
    """

    def __init__(self, title: str, keys: tuple[PageKey, ...], color: str, box: Box, lit: bool = False) -> None:
        room = (box.w - 2 * INSET - (len(keys) - 1) * LINK) / len(keys)
        w = min(WIDEST, room)
        widest = max(fonts.width(key.key, "mono-bold", theme.BODY) for key in keys)
        if widest + 24 > w:
            raise ValueError(f"{len(keys)} keys do not fit a panel of {box.w:.0f} px")
        self.box = Box(box.x, box.y, box.w, TITLE_H + LINK_H + CARD_H + FOOT)
        self.back = Panel(self.box, fill=theme.PANEL)
        self.title = Label(
            title, theme.BODY, "sans-bold", theme.TEXT, (box.x + INSET, box.y + TITLE_H / 2 + 2), background=theme.PANEL
        )
        top = box.y + TITLE_H + LINK_H
        self.cards = [
            KeyCard(key, Box(box.x + INSET + i * (w + LINK), top, w, CARD_H), color, lit) for i, key in enumerate(keys)
        ]
        self.links = [self._link(a, b) for a, b in zip(self.cards, self.cards[1:], strict=False)]
        super().__init__(self.back, self.title)

    @staticmethod
    def _link(a: KeyCard, b: KeyCard) -> Wire:
        """From a card's key over the next card into that card."""
        y = a.place.cy
        middle = (a.box.right + b.box.x) / 2
        top = b.box.y - LINK_H + 4
        into = b.box.x + 0.72 * b.box.w
        return Wire([(a.place.right, y), (middle, y), (middle, top), (into, top), (into, b.box.y)], theme.CODE_NUMBER)

    def show(self) -> None:  # type: ignore[override]
        """Put all cards up at once."""
        self.add(*self.cards, *self.links)

    def grow(self, place: int) -> list[Animation]:
        """Bring in the card at `place`, after the link that leads to it."""
        links = [AppearIn(self, self.links[place - 1], seconds=0.4)] if place else []
        return [*links, AppearIn(self, self.cards[place], delay=0.3 if place else 0.0)]
