"""Questions and answers to be read, one card for each request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from manim import Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, clipped, joined, written
from scenes.old.mobjects.pieces import readable
from scenes.old.mobjects.shapes import Panel
from scenes.old.mobjects.table import more_text, name_text

LARGEST = 60.0
SMALLEST = 28.0
SHRINK = 2.0
LINE = 1.36
INSET = 26.0
NAME_H = 46.0
GAP = 18.0
SYSTEM_GAP = 28.0
CHIP_W = 50.0
CHIP_H = 38.0
CHIP_GAP = 8.0
CHIP_LINES = 2
MORE_CHIPS = 2
QUESTION = "sans-bold"
ANSWER = "sans"
SYSTEM_TITLE = "system prompt, before each question"


@dataclass(frozen=True)
class CardText:
    """What stands on a card; `note` is said below, followed by the numbers of `pages`."""

    task: str
    color: str
    question: str
    answer: str = ""
    note: str = ""
    pages: tuple[int, ...] = ()


def paragraph(text: str, face: str, px: float, width: float) -> list[str]:
    """`text` in lines no wider than `width` pixels; a word that is wider itself is broken."""
    lines: list[list[str]] = []
    start = 0
    for part in text.splitlines(keepends=True):
        fresh = True
        for word in re.finditer(r"\S+", part):
            at = start + word.start()
            for piece in broken(readable(clipped(text, at, at + len(word[0])), face), face, px, width):
                if fresh or fonts.width(" ".join([*lines[-1], piece]), face, px) > width:
                    lines.append([])
                lines[-1].append(piece)
                fresh = False
        start += len(part)
    return [joined(" ", line) if isinstance(text, Said) else " ".join(line) for line in lines]


def broken(word: str, face: str, px: float, width: float) -> list[str]:
    """`word` in pieces no wider than `width` pixels."""
    ends = [0]
    for at in range(1, len(word)):
        if fonts.width(word[ends[-1] : at + 1], face, px) > width:
            ends.append(at)
    return [clipped(word, start, end) for start, end in pairwise([*ends, len(word)])]


def shorten(text: str, face: str, px: float, width: float) -> str:
    """`text`, its end cut off with an ellipsis where it is wider than `width` pixels."""
    if fonts.width(text, face, px) <= width:
        return text
    while text and fonts.width(text + "…", face, px) > width:
        text = clipped(text, 0, len(text) - 1)
    return clipped(text, 0, len(text.rstrip())) + "…"


def cut(lines: list[str], most: int, face: str, px: float, width: float) -> list[str]:
    """The first `most` lines, the last one ending with an ellipsis where some are left out."""
    if len(lines) <= most:
        return lines
    kept = lines[:most]
    return [*kept[:-1], shorten(kept[-1] + " …", face, px, width)] if kept else []


class Card(Group):
    """One request: name, question, answer, and the pages named below."""

    def __init__(self, text: CardText, box: Box, px: float) -> None:
        self.text = text
        self.box = box
        self.back = Panel(box, fill=theme.PANEL)
        inner = box.inset(INSET)
        name_w = fonts.width(text.task, "sans-bold", theme.BODY) + 28
        self.chip = Panel(Box(inner.x, inner.y, name_w, NAME_H), fill=text.color, radius=8)
        self.name_label = Label(
            name_text(text.task),
            theme.BODY,
            "sans-bold",
            theme.BACKGROUND,
            (inner.x + name_w / 2, inner.y + NAME_H / 2),
            "center",
            background=text.color,
        )
        asked, said = card_lines(text, inner.w, px)
        y = inner.y + NAME_H + GAP
        between = GAP if said else 0
        room = int((inner.bottom - _foot(text, inner.w) - y - between + 1) // (px * LINE))
        if len(asked) + len(said) > room:
            least = max(1, room // 3) if said else max(1, room)
            asked = cut(asked, max(least, room - len(said)), QUESTION, px, inner.w)
            said = cut(said, max(1, room - len(asked)), ANSWER, px, inner.w)
        self.asked = _lines(asked, QUESTION, px, inner.x, y)
        y += len(asked) * px * LINE + (GAP if said else 0)
        self.said = _lines(said, ANSWER, px, inner.x, y)
        self.chips: list[Group] = []
        self.hidden = 0
        self.note: list[Label] = []
        if text.note:
            foot = inner.bottom - _foot(text, inner.w) + GAP
            self.note = [
                Label(text.note, theme.SMALL, "sans", theme.MUTED, (inner.x, foot + CHIP_H / 2), background=theme.PANEL)
            ]
            self.chips = self._chips(inner, foot + CHIP_H + 6)
            self.hidden = len(text.pages) - len(self.chips)
            if self.hidden:
                self.note.append(self._more(inner, foot + CHIP_H + 6))
        super().__init__(self.back, self.chip, self.name_label, *self.asked, *self.said, *self.note, *self.chips)

    def _chips(self, inner: Box, y: float) -> list[Group]:
        chips = []
        per_line = _per_line(inner.w)
        shown = self.text.pages
        if len(shown) > CHIP_LINES * per_line:
            shown = shown[: CHIP_LINES * per_line - MORE_CHIPS]
        for i, page in enumerate(shown):
            at = _chip_box(i, inner, y)
            text, middle = written("page.number", page, page=page), (at.cx, at.cy)
            number = Label(text, theme.SMALL, "mono-bold", theme.BACKGROUND, middle, "center", background=theme.CACHED)
            chips.append(Group(Panel(at, fill=theme.CACHED, radius=5), number))
        return chips

    def _more(self, inner: Box, y: float) -> Label:
        at = _chip_box(len(self.chips), inner, y)
        more = more_text("card.more", self.hidden, task=self.text.task, shown=len(self.chips))
        return Label(more, theme.SMALL, "mono", theme.MUTED, (at.x + 4, at.cy), background=theme.PANEL)

    def read(self) -> tuple[str, list[int], int]:
        """The answer as written, the pages named, and how many more are counted."""
        answer = " ".join(label.text for label in self.said)
        return answer, [int(str(chip.submobjects[1].text)) for chip in self.chips], self.hidden


class CardBoard(Group):
    """Cards side by side in `box`; `system` stands above them."""

    def __init__(self, texts: Sequence[CardText], system: str, others: str, box: Box) -> None:
        self.system_lines: list[Label] = []
        px = LARGEST
        while True:
            px -= SHRINK
            top, cards = _place(texts, system, box, px)
            whole = len(paragraph(system, ANSWER, px, box.w - 2 * INSET)) <= _system_most(box, px)
            if (whole and cards[-1].bottom <= box.bottom) or px <= SMALLEST:
                break
        parts: list = []
        if system:
            back = Panel(Box(box.x, box.y, box.w, top), fill=theme.PANEL)
            title = Label(
                SYSTEM_TITLE,
                theme.SMALL,
                "sans",
                theme.MUTED,
                (box.x + INSET, box.y + INSET + 10),
                background=theme.PANEL,
            )
            lines = paragraph(system, ANSWER, px, box.w - 2 * INSET)
            lines = cut(lines, _system_most(box, px), ANSWER, px, box.w - 2 * INSET)
            self.system_lines = _lines(lines, ANSWER, px, box.x + INSET, box.y + INSET + NAME_H)
            parts = [back, title, *self.system_lines]
        self.cards = [Card(text, at, px) for text, at in zip(texts, cards, strict=True)]
        self.others = Label(others, theme.SMALL, "sans", theme.MUTED, (box.x, cards[-1].bottom + 30))
        super().__init__(*parts, *self.cards, self.others)

    def read(self) -> dict:
        """What the cards say that is whole or counted."""
        return {"cards": {card.text.task: card.read() for card in self.cards}}


def card_lines(text: CardText, width: float, px: float) -> tuple[list[str], list[str]]:
    """Lines of question and answer."""
    return (paragraph(text.question, QUESTION, px, width), paragraph(text.answer, ANSWER, px, width))


def _place(texts: Sequence[CardText], system: str, box: Box, px: float) -> tuple[float, list[Box]]:
    """Height of the system prompt's box, and the cards' boxes, as high as their text needs."""
    top = 0.0
    if system:
        lines = paragraph(system, ANSWER, px, box.w - 2 * INSET)
        lines = lines[: _system_most(box, px)]
        top = 2 * INSET + NAME_H - 8 + len(lines) * px * LINE
    y = box.y + (top + SYSTEM_GAP if top else 0)
    wide = Box(box.x, y, box.w, 1).columns(len(texts), GAP + 6)
    needed = 0.0
    for text in texts:
        inner = wide[0].w - 2 * INSET
        asked, said = card_lines(text, inner, px)
        height = (len(asked) + len(said)) * px * LINE + (GAP if said else 0)
        needed = max(needed, height + 2 * INSET + NAME_H + GAP + _foot(text, inner))
    height = min(needed, box.bottom - y) if px <= SMALLEST else needed
    return top, [Box(column.x, y, column.w, height) for column in wide]


def _system_most(box: Box, px: float) -> int:
    return max(1, int(box.h * 0.4 // (px * LINE)))


def _chip_box(index: int, inner: Box, y: float) -> Box:
    line, place = divmod(index, _per_line(inner.w))
    return Box(inner.x + place * (CHIP_W + CHIP_GAP), y + line * (CHIP_H + CHIP_GAP), CHIP_W, CHIP_H)


def _per_line(width: float) -> int:
    return max(1, int((width + CHIP_GAP) // (CHIP_W + CHIP_GAP)))


def _foot(text: CardText, width: float) -> float:
    if not text.note:
        return 0.0
    lines = min(CHIP_LINES, -(-len(text.pages) // _per_line(width)))
    return GAP + CHIP_H + (6 + lines * (CHIP_H + CHIP_GAP) if lines else 0)


def _lines(lines: list[str], face: str, px: float, x: float, y: float) -> list[Label]:
    return [
        Label(line, px, face, theme.TEXT, (x, y + (i + 0.5) * px * LINE), background=theme.PANEL)
        for i, line in enumerate(lines)
    ]
