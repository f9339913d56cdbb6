"""The cached pages in one row, the least recently used at the door, each with the key that finds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import FLYING, Block, Key, Move, Picture, Text
from scenes.draw.layout import Box
from scenes.measures import Said, measure, say, written
from scenes.parts.part import Atoms, Part, Room
from scenes.parts.view import View
from scenes.story.history.sure import sure

LABELS, CARD, WIDEST, GAP, PAD, MORE = 38.0, 92.0, 180.0, 14.0, 12.0, 70.0
DIGITS = 4
"""Digits of a key that are written."""
COUNTS = 420.0
"""Pixels that are kept for how many pages are free and cached."""
DOOR, TITLE, NONE = "next to go", "of the cached pages, least recently used first", "no page is cached"


@dataclass(frozen=True)
class Lru(Part):
    """A card for each cached page: its number, whose text is in it, and the beginning of its key. `acting`
    pages are those that the caption speaks of; `places` is the order in which cards stand, for rows that
    have not closed up yet. Where not all fit, the first ones are shown."""

    acting: tuple[int, ...] = ()
    places: tuple[int, ...] = ()

    def room(self, view: View, width: float) -> Room:
        return Room(LABELS + CARD, LABELS + CARD)

    def draw(self, view: View, box: Box) -> Atoms:
        t, px, row = view.theme, theme.LEAST_SIZE, view.lru
        box = box.inset(2, 0)
        if row:
            yield ("door",), Text(text=DOOR, at=(box.x, box.y + 14), px=px, face="sans-bold", color=t.text)
        at = (box.x + (fonts.width(DOOR, "sans-bold", px) + 20 if row else 0.0), box.y + 14)
        if not row or at[0] + fonts.width(TITLE, "sans", px) + COUNTS < box.right:
            yield ("title" if row else "none",), Text(text=TITLE if row else NONE, at=at, px=px, color=t.muted)
        counts = say("{} free, {} cached", measure("pool.free", view.state.n_free), measure("pool.cached", len(row)))
        look: dict[str, Any] = {"px": px, "face": "sans-medium", "color": t.text, "align": "right"}
        yield ("counts",), Text(text=counts, at=(box.right, box.y + 14), **look)
        says = {page: content(view, page) for page in row}
        text = max((fonts.width(f"{page} {said}", "mono-bold", px) for page, (said, _) in says.items()), default=0.0)
        wide = (box.w + GAP) / max(1, view.history.pages.most_cached) - GAP
        width = max(116.0, min(WIDEST, wide), text + 2 * PAD + 12)
        most = int((box.w + GAP) / (width + GAP))
        places = self.places or row
        if len(places) > most:
            places = places[: int((box.w - MORE + GAP) / (width + GAP))]
        shown = [page for page in places if page in row]
        for i, page in enumerate(places):
            if page not in row:
                continue
            place = Box(box.x + i * (width + GAP), box.y + LABELS, width, CARD)
            yield from self._card(view, page, place, *says[page])
        if len(shown) < len(row):
            more = say("+{}", measure("lru.more", len(row) - len(shown), "plain", shown=len(shown)))
            at = (box.x + len(places) * (width + GAP), box.y + LABELS + CARD / 2)
            yield ("more",), Text(text=more, at=at, px=px, face="mono", color=t.muted)

    def _card(self, view: View, page: int, box: Box, said: Said, hue: str) -> Atoms:
        t, px, acting = view.theme, theme.LEAST_SIZE, page in self.acting
        look: dict[str, Any] = (
            {"stroke": t.accent, "width": 4.0} if acting else {"stroke": t.muted, "width": 2.0, "dashed": True}
        )
        yield (page, "solid" if acting else "card"), Block(box=box, fill=t.panel, acting=acting, **look)
        top, low = box.y + 28, box.bottom - 26
        number = written("page.number", page, page=page)
        yield (
            (page, "page"),
            Text(text=number, at=(box.x + PAD, top), px=px, face="mono-bold", color=t.text, ground=t.panel),
        )
        whose: dict[str, Any] = {"face": "mono-bold", "color": hue, "align": "right", "ground": t.panel}
        yield (page, "says"), Text(text=said, at=(box.right - PAD, top), px=px, **whose)
        key = written("page.key", key_of(view, page), "name", page=page, digits=DIGITS)
        named = say("key {}", key)
        key = named if fonts.width(named, "mono", px) <= box.w - 2 * PAD else key
        look: dict[str, Any] = {"face": "mono", "color": t.text, "ground": t.panel, "acting": acting, "falls": 44.0}
        yield (page, "key"), Text(text=key, at=(box.x + PAD, low), px=px, **look)

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """Keys come to the row from pages that are cached now, and go back to those that are used again."""
        was, row, pages = then.lru, now.lru, now.history.pages
        found = set(pages.holds.page[pages.took(then.state.seq, now.state.seq + 1, "revived")].tolist())
        come = [(page, "pool", self.key, after) for page in row if page not in was]
        back = [(page, self.key, "pool", before) for page in was if page in found]
        for i, (page, start, _, picture) in enumerate(come + back):
            card = picture.get((self.key, page, "card"))
            place = picture.get(("pool", page, "ground"))
            if isinstance(card, Block) and isinstance(place, Block):
                look: dict[str, Any] = {"fill": now.theme.panel, "stroke": now.theme.muted, "z": FLYING}
                tag = Box(place.box.cx - card.box.w / 2, place.box.cy - CARD / 2, card.box.w, CARD)
                ends = Block(box=tag, **look), Block(box=card.box, **look)
                first, last = ends if start == "pool" else ends[::-1]
                yield Move(first, last, 0.1 * i)

    def read(self, shown: Mapping[Key, Any]) -> dict[str, Any]:
        """The pages in the row, from left to right."""
        cards = sorted((mobject.box.x, key[1]) for key, mobject in shown.items() if key[-1] in ("card", "solid"))
        return {"lru.row": [page for _, page in cards]}


def content(view: View, page: int) -> tuple[Said, str]:
    """Whose text is in a page and which page of it, and that request's colour."""
    pages = view.history.pages
    rows = pages.contents.page == page
    rows &= pages.contents.begin <= view.state.seq
    row = int(rows.nonzero()[0][-1])
    task, logical = pages.requests.names[pages.contents.task[row]], int(pages.contents.logical[row])
    name = measure("page.text.of", task, "name", page=page)
    return say("{}·{}", name, measure("page.text.place", logical, "plain", page=page)), view.hue(task)


def key_of(view: View, page: int) -> str:
    """The beginning of the key that a page got last."""
    return sure(view.history.keyed(page, view.state.seq + 1)).key[:DIGITS]
