"""Where the tokens of several requests stand: one row for each page of text, in boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scenes.draw import fonts
from scenes.draw.layout import Box
from scenes.old.mobjects.pieces import FACE
from scenes.story.pieces import ShownPiece

LARGEST = 48.0
SMALLEST = 28.0
SHRINK = 2.0
LINE = 1.38
BOX = 1.24
LEAD = 0.2
PAD = 0.04
GAP = 2.0
CHIP_W = 62.0
CHIP_GAP = 10.0
ROW_GAP = 3.0
HEAD = 50.0
PERSON_GAP = 14.0
MORE = 110.0


@dataclass(frozen=True)
class PageText:
    """The tokens of one logical page: `pieces` from position `first` on, at the run's end."""

    logical: int
    first: int
    pieces: tuple[ShownPiece, ...]


@dataclass(frozen=True)
class RowPlace:
    """Where one page's text stands.

    `chip` is the box of the page's number; `boxes` are those of the tokens shown, the
    first of the row; `cut` counts those that found no room, told at `more`.
    """

    logical: int
    first: int
    chip: Box
    boxes: tuple[Box, ...]
    cut: int
    more: tuple[float, float]


@dataclass(frozen=True)
class PersonPlace:
    """Where a request's head and its rows stand; `folded` rows are told in a line at `note`."""

    task: str
    head: Box
    rows: tuple[RowPlace, ...]
    folded: tuple[PageText, ...] = ()
    note: tuple[float, float] | None = None


@dataclass(frozen=True)
class TokenLayout:
    """Places of all tokens, set at an em size of `px`."""

    px: float
    persons: tuple[PersonPlace, ...]
    bottom: float

    @classmethod
    def fit(cls, texts: dict[str, Sequence[PageText]], box: Box) -> TokenLayout:
        """The texts in `box`, as large as fits.

        Where even the smallest size is too large, rows are folded into a line each
        person: the second row first, then those after it, the last one never. Where
        that is not enough, long rows are cut.
        """
        px = LARGEST
        while px >= SMALLEST:
            layout = cls._set(texts, box, px, dict.fromkeys(texts, 0), None)
            if layout.bottom <= box.bottom:
                return layout
            px -= SHRINK
        for lines in (None, 3, 2, 1):
            folds = dict.fromkeys(texts, 0)
            layout = cls._set(texts, box, SMALLEST, folds, lines)
            while layout.bottom > box.bottom:
                foldable = [p for p in layout.persons if len(p.rows) > 2]
                if not foldable:
                    break
                tallest = max(foldable, key=lambda p: p.rows[-1].chip.bottom - p.head.y)
                folds[tallest.task] += 1 if tallest.folded else 2
                folds[tallest.task] = min(folds[tallest.task], len(texts[tallest.task]) - 2)
                layout = cls._set(texts, box, SMALLEST, folds, lines)
            if layout.bottom <= box.bottom:
                return layout
        return layout

    @classmethod
    def _set(
        cls, texts: dict[str, Sequence[PageText]], box: Box, px: float, folds: dict[str, int], lines: int | None
    ) -> TokenLayout:
        y = box.y
        persons = []
        for task, pages in texts.items():
            person = PersonPlace(task, Box(box.x, y, box.w, HEAD - 6), ())
            y += HEAD
            rows: list[RowPlace] = []
            hidden = tuple(pages[1 : 1 + folds[task]])
            for page in pages:
                if page in hidden:
                    if person.note is None:
                        note = (box.x + CHIP_W + CHIP_GAP, y + px * LINE / 2)
                        person = replace(person, folded=hidden, note=note)
                        y += px * LINE + ROW_GAP
                    continue
                row, y = _row(page, box, y, px, lines)
                rows.append(row)
            persons.append(replace(person, rows=tuple(rows)))
            y += PERSON_GAP
        return cls(px, tuple(persons), y - PERSON_GAP)


def _row(page: PageText, box: Box, y: float, px: float, lines: int | None) -> tuple[RowPlace, float]:
    """One page's text from height `y` on, and the height below it."""
    left = box.x + CHIP_W + CHIP_GAP
    height = px * BOX
    x, line = left, 0
    boxes: list[Box] = []
    for count, piece in enumerate(page.pieces):
        w = piece_width(piece, px)
        last = lines is not None and line == lines - 1
        room = box.right - (MORE if last and count < len(page.pieces) - 1 else 0)
        if x + w > room and x > left:
            if last:
                break
            x, line = left, line + 1
        boxes.append(Box(x, y + line * px * LINE, w, height))
        x += w + GAP
    chip = Box(box.x, y, CHIP_W, height)
    more = (x + 6, y + line * px * LINE + height / 2)
    cut = len(page.pieces) - len(boxes)
    row = RowPlace(page.logical, page.first, chip, tuple(boxes), cut, more)
    return row, y + (line + 1) * px * LINE + ROW_GAP


def piece_width(piece: ShownPiece, px: float) -> float:
    """Width of a token's box: its text, and the blank before it where there is one."""
    return fonts.width(piece.text, FACE, px) + text_indent(piece, px) + PAD * px


def text_indent(piece: ShownPiece, px: float) -> float:
    """From the left edge of a token's box to its text."""
    return (LEAD if piece.spaced else PAD) * px
