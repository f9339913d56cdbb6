"""The cached pages in one row, the least recently used at the door, each with the key that finds it."""

from collections.abc import Iterator
from dataclasses import dataclass

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import FLYING, Block, Move, Picture, Text
from scenes.draw.layout import Box
from scenes.measures import Said, measure, say, written
from scenes.parts.part import Atoms, Look, Part, Read, Room, Shown, View
from scenes.story.history.sure import sure

LABELS, CARD, WIDEST, GAP, PAD, MORE = 38.0, 92.0, 180.0, 14.0, 12.0, 70.0
DIGITS = 4
"""Digits of a key that are written."""
COUNTS = 420.0
"""Pixels that are kept for how many pages are free and cached."""
DOOR, TITLE, NONE = "next to go", "of the cached pages and their keys, least recently used first", "no page is cached"
LOST = "no such keys any more"


@dataclass(frozen=True)
class Lru(Part):
    """A card for each cached page: its number, whose text is in it, and the beginning of its key. `acting`
    pages are those that the caption speaks of; `places` is the order in which cards stand, for rows that
    have not closed up yet. Where not all fit, the first ones are shown. `lost` are cards that the row had once, as
    (page, event before it went): empty places before it."""

    needs = Room(LABELS + CARD, LABELS + CARD)

    acting: tuple[int, ...] = ()
    places: tuple[int, ...] = ()
    lost: tuple[tuple[int, int], ...] = ()

    def draw(self, view: View, box: Box) -> Atoms:
        t, px, row = view.theme, theme.LEAST_SIZE, view.lru
        box = box.inset(2, 0)
        counts = say("{} free, {} cached", measure("pool.free", view.state.n_free), measure("pool.cached", len(row)))
        yield ("counts",), Text(counts, (box.right, box.y + 14), px=px, face="sans-medium", color=t.text, align="right")
        says = {page: content(view, page) for page in row}
        text = max((fonts.width(f"{page} {said}", "mono-bold", px) for page, (said, _) in says.items()), default=0.0)
        wide = (box.w + GAP) / max(1, view.history.pages.most_cached) - GAP
        width = max(116.0, min(WIDEST, wide), text + 2 * PAD + 12)
        pitch, at = width + GAP, (box.x, box.y + 14)
        bold: Look = {"px": px, "face": "sans-bold"}
        head, color = (LOST, t.alarm) if self.lost else (DOOR, t.text) if row else (NONE, t.muted)
        yield ("head", head), Text(head, at, color=color, **bold)
        at = (box.x + fonts.width(DOOR, "sans-bold", px) + 20, at[1])
        if row and not self.lost and at[0] + fonts.width(TITLE, "sans", px) + COUNTS < box.right:
            yield ("title",), Text(TITLE, at, px=px, color=t.muted)
        for i, (page, at) in enumerate(self.lost[: int(box.w / pitch / 2)]):
            place, (said, hue) = Box(box.x, box.y + LABELS, width, CARD), content(view, page, at)
            yield ("lost", i), Block(place, stroke=t.alarm, width=4.0, dashed=True)
            yield ("lost", i, "says"), Text(said, (place.cx, place.cy), color=hue, align="center", **bold)
            box = Box(box.x + pitch, box.y, box.w - pitch, box.h)
        places = self.places or row
        if len(places) > int((box.w + GAP) / pitch):
            places = places[: int((box.w - MORE + GAP) / pitch)]
        shown = [page for page in places if page in row]
        for page in shown:
            place = Box(box.x + places.index(page) * pitch, box.y + LABELS, width, CARD)
            yield from self._card(view, page, place, *says[page])
        if len(shown) < len(row):
            more = say("+{}", measure("lru.more", len(row) - len(shown), "plain", shown=len(shown)))
            at = (box.x + len(places) * pitch, box.y + LABELS + CARD / 2)
            yield ("more",), Text(more, at, px=px, face="mono", color=t.muted)

    def _card(self, view: View, page: int, box: Box, said: Said, hue: str) -> Atoms:
        t, px, acting = view.theme, theme.LEAST_SIZE, page in self.acting
        look: Look = {"stroke": t.accent, "width": 4.0} if acting else {"stroke": t.muted, "dashed": True}
        yield (page, "solid" if acting else "card"), Block(box, fill=t.panel, acting=acting, **look)
        look = {"px": px, "ground": t.panel}
        number, at = written("page.number", page, page=page), (box.right - PAD, box.y + 28)
        yield (page, "page"), Text(number, (box.x + PAD, box.y + 28), face="mono-bold", color=t.text, **look)
        yield (page, "says"), Text(said, at, face="mono-bold", color=hue, align="right", **look)
        if (known := key_of(view, page)) is None:
            return
        key = written("page.key", known, "name", page=page, digits=DIGITS)
        at = (box.x + PAD, box.bottom - 26)
        yield (page, "key"), Text(key, at, face="mono", color=t.text, acting=acting, falls=44.0, **look)

    def moves(self, before: Picture, after: Picture, then: View, now: View) -> Iterator[Move]:
        """Keys come to the row from pages that are cached now, and go back to those that are used again."""
        was, row, pages = then.lru, now.lru, now.history.pages
        found = set(pages.holds.page[pages.took(then.state.seq, now.state.seq + 1, "revived")].tolist())
        come = [(page, after) for page in row if page not in was]
        back = [(page, before) for page in was if page in found]
        for i, (page, picture) in enumerate(come + back):
            card, place = picture.get((self.key, page, "card")), picture.get(("pool", page, "ground"))
            if isinstance(card, Block) and isinstance(place, Block):
                tag = Box(place.box.cx - card.box.w / 2, place.box.cy - CARD / 2, card.box.w, CARD)
                ends = [Block(b, stroke=now.theme.text, width=3.0, z=FLYING) for b in (tag, card.box)]
                yield Move(*(ends if picture is after else reversed(ends)), delay=0.1 * i)

    def read(self, shown: Shown) -> Read:
        """The pages in the row, from left to right."""
        cards = sorted((mobject.box.x, key[1]) for key, mobject in shown.items() if key[-1] in ("card", "solid"))
        return {"lru.row": [page for _, page in cards]}


def content(view: View, page: int, at: int | None = None) -> tuple[Said, str]:
    """Whose text is in a page, now or after event `at`, and which page of it, and that request's colour."""
    pages, contents, args = view.history.pages, view.history.pages.contents, {"page": page} | ({"at": at} if at else {})
    row = int(((contents.page == page) & (contents.begin <= (at or view.state.seq))).nonzero()[0][-1])
    task, place = pages.requests.names[contents.task[row]], int(contents.logical[row])
    texts = measure("page.text.of", task, "name", **args), measure("page.text.place", place, "plain", **args)
    return say("{}·{}", *texts), view.hue(task)


def key_of(view: View, page: int) -> str | None:
    """The beginning of the key that a page got last; None where the engine tells none."""
    key = sure(view.history.keyed(page, view.state.seq + 1)).key
    return key and key[:DIGITS]
