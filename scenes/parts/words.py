"""Words: the texts of tokens as running text in a box, each token in a cell of its own width."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from typing import Self

import numpy as np

from astrai_sim.trace import Trace
from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Cells, Text, rgba
from scenes.draw.layout import Box
from scenes.measures import Said, joined, measure, say, written
from scenes.parts.part import Atoms, View
from scenes.parts.slots import GHOST
from scenes.story.conversation import NOTHING, control_name, shown_piece

SIZES = (40, 36, 32, 28)
"""Em sizes, in pixels, of which the largest is taken at which every page's text fits."""
PAD, HIGH, PITCH, SPACE, JOINED = 0.2, 1.22, 1.34, 0.12, 0.03
"""In em: left and right of a word in its cell, a cell's height, from line to line, between two
cells, and between those of one word."""
BESIDE, APART = 0.42, 0.07
"""In em: what a token of a chat mark takes beside the one in which its name stands, and between two of them."""
SMALL = 32
"""Tokens of a page up to which its text is shown whole or not at all."""
LEAST_LINES, LEAST_WIDTH = 3, 6.0
"""Lines, and their width in em, with which text that does not fit is folded rather than left out."""
SHARE = 0.28
"""How much of the hue is in the cell of a word."""
LONGEST_MARK = 5
"""Tokens of a chat mark at most: the control token, its role and the line break."""
UNKNOWN = "□"


@dataclass(frozen=True)
class Word:
    """What stands for tokens `first` to before `first + n` of a request: one, or a chat mark as one `chip`, written in
    the cell of its token `named`, counted from its first; without text where that is on another page."""

    first: int
    n: int
    text: str
    spaced: bool
    chip: bool = False
    named: int = 0

    @property
    def face(self) -> str:
        """The face that it is written in."""
        return "mono" if self.chip else "sans"

    def piece(self, first: int, n: int) -> Self:
        """What stands for those `n` of its tokens alone."""
        named = self.first + self.named - first
        if 0 <= named < n:
            return replace(self, first=first, n=n, named=named)
        return replace(self, first=first, n=n, named=0, text="")


@lru_cache(maxsize=8)
def spoken(trace: Trace) -> dict[str, tuple[Word, ...]]:
    """Of each request whose texts were recorded the word of every token that it ever had."""
    found = {}
    for task in trace.state_at(len(trace) - 1).tasks.values():
        if task.texts is not None:
            words = _words(task.name, task.texts, task.tokens or ())
            found[task.name] = tuple(word for word in words for _ in range(word.n))
    return found


def _words(task: str, texts: Sequence[str], ids: Sequence[int]) -> Iterator[Word]:
    at = 0
    while at < len(texts):
        if (name := control_name(texts[at])) is not None:
            name, n = mark(texts[at : at + LONGEST_MARK], name)
            said = readable(written("token.mark", name, "name", task=task, position=at), "mono")
            word = Word(at, n, said, True, True, 1 if n > 2 else 0)
        else:
            piece = shown_piece(texts[at])
            said = readable(written("token.word", piece.text, "name", task=task, position=at))
            if not set(said) - {UNKNOWN, NOTHING} and ids:
                said = written("token.id", ids[at], task=task, position=at)
            word = Word(at, 1, said, piece.spaced)
        yield word
        at += word.n


def mark(texts: Sequence[str], name: str) -> tuple[str, int]:
    """What to call a chat mark that begins with a control token called `name`, and how many of
    `texts` it takes: with a role and the line break after it, where there are any."""
    for n in range(1, len(texts)):
        role = "".join(texts[1:n]).strip()
        if control_name(texts[n]) is not None or len(role.split()) > 1:
            break
        if texts[n] == "\n":
            return role or name, n + 1
    return name, 1


def readable(text: str, face: str = "sans") -> str:
    """`text` with a box for every character that `face` does not hold; a `Said` stays one."""
    shown = "".join(char if fonts.holds(char, face) else UNKNOWN for char in text)
    try:
        fonts.shape(shown, face)
    except ValueError:
        shown = UNKNOWN * len(text)
    if not isinstance(text, Said) or shown == text:
        return text if shown == text else shown
    return joined("", (text.cut(at, at + 1) if char != UNKNOWN else char for at, char in enumerate(shown)))


def broken(words: Sequence[Word], width: float) -> list[list[tuple[Word, float, float]]]:
    """Lines of (word, left, right), all in em, none wider than `width`, with room for every token of a chat mark."""
    lines: list[list[tuple[Word, float, float]]] = []
    x = 0.0
    for word in words:
        wide = min(width, fonts.width(word.text, word.face, 1.0) + 2 * PAD + BESIDE * (word.n - 1))
        gap = SPACE if word.spaced or word.chip else JOINED
        if not lines or x + gap + wide > width:
            lines.append([])
            x, gap = 0.0, 0.0
        lines[-1].append((word, x + gap, x + gap + wide))
        x += gap + wide
    return lines


@lru_cache(maxsize=256)
def most_lines(trace: Trace, size: int, width: float) -> int:
    """Lines of the longest page of `size` tokens of any request, `width` in em."""
    pages = (page for words in spoken(trace).values() for page in pages_of(words, size))
    return max((len(broken(page, width)) for page in pages), default=0)


def pages_of(words: Sequence[Word], size: int) -> Iterator[list[Word]]:
    """The words of each page of `size` tokens, each once, where those of all tokens are given."""
    for first in range(0, len(words), size):
        runs = groupby(range(first, min(first + size, len(words))), lambda at: words[at].first)
        yield [words[run[0]].piece(run[0], len(run)) for run in (list(found) for _, found in runs)]


def around(word: Word, place: Box, px: float) -> list[Box]:
    """The cells of the tokens of a word in `place`, written in `px`: that in which it stands has what the narrow ones
    leave."""
    gap, narrow = APART * px, (BESIDE - APART) * px
    wide = [narrow] * word.n
    wide[word.named] = place.w - (word.n - 1) * (narrow + gap)
    left = place.x + np.cumsum([0.0, *wide[:-1]]) + gap * np.arange(word.n)
    return [Box(x, place.y, w, place.h) for x, w in zip(left.tolist(), wide, strict=True)]


def text_height(view: View, width: float, px: float) -> float:
    """Pixels that the longest page of any request needs in lines of `width`; 0 where there are no
    words or that is too narrow."""
    if width < LEAST_WIDTH * px or not spoken(view.trace):
        return 0.0
    return most_lines(view.trace, view.page_size, round(width / px, 2)) * PITCH * px


def type_size(view: View, body: Box) -> tuple[int, bool] | None:
    """The em size in pixels at which a page's words stand in `body`, and whether all fit; None
    where there are no words or too little room."""
    for px in SIZES:
        if 0 < text_height(view, body.w, px) <= body.h + 0.2 * px:
            return px, True
    px = SIZES[-1]
    roomy = view.page_size > SMALL and text_height(view, body.w, px) and body.h >= LEAST_LINES * PITCH * px
    return (px, False) if roomy else None


@dataclass(frozen=True)
class Stand:
    """A word as it stands in a page: in `slots`, whose K and V are `valid`, left behind (`ghost`) or neither."""

    word: Word
    slots: tuple[int, ...]
    task: int
    logical: int
    valid: bool
    ghost: bool


def standing(view: View, page: int) -> list[Stand]:
    """What the slots of a page hold, in order: who computed it says which words; where nobody did,
    those of the first holder that are known."""
    size, told, names = view.page_size, spoken(view.trace), list(view.history.requests)
    who, where = (array[page].tolist() for array in view.ink())
    fill, holders = int(view.state.fill()[page]), view.holders(page)
    owner = names.index(holders[0]) if holders else -1
    logical = view.state.tables[holders[0]].index(page) if holders else 0
    known = view.state.tasks[holders[0]].n_tokens - logical * size if holders else 0
    found: list[Stand] = []
    for slot in range(size):
        written_there = who[slot] >= 0
        if not written_there and slot >= known:
            continue
        task, place = (who[slot], where[slot]) if written_there else (owner, logical)
        position = place * size + slot
        words = told.get(names[task], ())
        word = words[position] if position < len(words) else Word(position, 1, NOTHING, True)
        stand = Stand(word, (slot,), task, place, written_there and slot < fill, written_there and slot >= fill)
        last = found[-1] if found else None
        if last and replace(last, slots=()) == replace(stand, slots=()) and last.slots[-1] == slot - 1:
            found[-1] = replace(last, slots=(*last.slots, slot))
        else:
            found.append(stand)
    starts = (stand.logical * size + stand.slots[0] for stand in found)
    return [replace(s, word=s.word.piece(first, len(s.slots))) for s, first in zip(found, starts, strict=True)]


def page_words(view: View, page: int, body: Box, px: float, first: int) -> Atoms:
    """The slots of a page as running text in `body`: filled where K and V are valid, hollow where something is left
    behind, empty where a token is known and not computed. What does not fit is folded. `first` is the place of its
    first token, in whose order a front passes: what was left behind goes when that reaches the page."""
    size, t = view.page_size, view.theme
    stands = standing(view, page)
    lines = broken([stand.word for stand in stands], body.w / px)
    most = max(LEAST_LINES, int((body.h + 0.2 * px) / (PITCH * px)))
    if len(lines) > most:
        lines = [*lines[: most - 2], [], lines[-1]]
    edges = np.tile([body.x, body.y, body.x, body.y], (size, 1)).astype(float)
    fills, outlines, left = np.zeros((size, 4)), np.zeros((size, 4)), edges.copy()
    places = {id(word): (row, left, right) for row, line in enumerate(lines) for word, left, right in line}
    hidden = 0
    for stand in stands:
        shade, slots = view.shade(stand.task, stand.logical), list(stand.slots)
        panel = rgba(t.panel)
        fills[slots] = panel + (shade - panel) * SHARE if stand.valid else rgba(None if stand.ghost else t.empty)
        if stand.ghost:
            outlines[slots] = [*shade[:3], GHOST]
        if id(stand.word) not in places:
            hidden += len(slots)
            continue
        row, start, end = places[id(stand.word)]
        box = Box(body.x + start * px, body.y + row * PITCH * px, (end - start) * px, HIGH * px)
        cells = around(stand.word, box, px)
        for slot, cell in zip(slots, cells, strict=True):
            (left if stand.ghost else edges)[slot] = (cell.x, cell.y, cell.right, cell.bottom)
        if stand.word.text and (stand.valid or stand.ghost):
            named, at = cells[stand.word.named], slots[stand.word.named]
            color, face = t.text if stand.valid else t.muted, stand.word.face
            look = {"px": px, "face": face, "color": color, "align": "center", "ground": t.panel}
            order = float(first if stand.ghost else first + at)
            said = fonts.fit(stand.word.text, face, px, named.w - 2 * PAD * px + 1)
            yield (page, "word", at, stand.task), Text(said, (named.cx, named.cy), order=order, **look)
    order = first + np.arange(size, dtype=float)
    yield (page, "slots"), Cells(edges, fills, order=order, radius=4.0)
    yield (page, "ghosts"), Cells(left, np.zeros((size, 4)), lines=outlines, order=order, radius=4.0)
    if hidden:
        shown = sum(len(stand.slots) for stand in stands) - hidden
        text = say("… {} tokens …", measure("words.folded", hidden, page=page, shown=shown))
        at = (body.x + PAD * px, body.y + ((most - 2) * PITCH + HIGH / 2) * px)
        yield (page, "fold"), Text(text, at, px=theme.LEAST_SIZE, color=t.muted, ground=t.panel)
