"""What is said, token by token: a row for each page of text, with the page's number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from coloraide import Color
from manim import Animation, Group, Mobject

from scenes import theme
from scenes.draw import fonts
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.draw.token_field import TokenField
from scenes.measures import Said, measure, say, written
from scenes.old.animations import AppearIn, Flash, StaggerCells, StaggerLabels, SwapText, Vanish, replay_text
from scenes.old.mobjects.pieces import FACE
from scenes.old.mobjects.shapes import Panel
from scenes.old.mobjects.table import Entry, more_text, name_text
from scenes.old.mobjects.token_layout import PersonPlace, RowPlace, TokenLayout, text_indent
from scenes.story.pieces import ShownPiece

PROMPT = "#C6D0DC"
CONTROL = "#B4C0CF"
TINT = 0.3
CLEAR = 4.6
NAME_PAD = 14.0
ENTRY_W = 50.0
ENTRY_GAP = 7.0
COUNT_W = 320.0


@lru_cache
def ground(color: str) -> str:
    """A dark tint of `color` on which even muted text has a contrast of `CLEAR` to 1."""
    amount = TINT
    while Color(CONTROL).contrast(theme.mix(theme.PANEL, color, amount)) < CLEAR:
        amount -= 0.02
    return theme.mix(theme.PANEL, color, amount)


def tint(color: str | None) -> np.ndarray:
    """Fill of a token whose K and V a page of this colour holds; None: no page does."""
    return np.array([*theme.rgb(ground(color) if color else theme.EMPTY), 1.0])


@dataclass(frozen=True)
class RowLook:
    """How a row should look: `page` (None: no page holds it) in its holders' `colors`.

    `stored` says of every token of the row whether its K and V are in the page.
    """

    page: int | None
    colors: tuple[str, ...]
    stored: tuple[bool, ...]


@dataclass(frozen=True)
class PersonLook:
    """How a request's head and rows should look; `pages` is its table."""

    task: str
    color: str
    pages: tuple[int, ...]
    tokens: int
    status: str
    rows: dict[int, RowLook]


class RowChip(Group):
    """The number of the page that holds a row, on its holders' colours."""

    def __init__(self, page: int, colors: Sequence[str], box: Box) -> None:
        self.page = page
        self.colors = tuple(colors)
        self.field = CellField(box, len(colors), len(colors), gap=0)
        for index, color in enumerate(colors):
            self.field.set_cell(index, color)
        number, at = written("page.number", page, page=page), (box.cx, box.cy)
        self.label = Label(number, theme.SMALL, "mono-bold", theme.BACKGROUND, at, "center", background=colors[0])
        super().__init__(self.field, self.label)


class TranscriptRow(Group):
    """One page of text: chip, boxes of the tokens, and the tokens' texts."""

    def __init__(
        self, task: str, place: RowPlace, pieces: Sequence[ShownPiece], answers: Sequence[bool], px: float
    ) -> None:
        self.task = task
        self.place = place
        self.shown = 0
        self.chip: RowChip | None = None
        shown = pieces[: len(place.boxes)]
        self.field = TokenField(place.boxes)
        self.labels = [
            Label(piece.text, px, FACE, _ink(piece, answer), _anchor(piece, box, px))
            for piece, answer, box in zip(shown, answers, place.boxes, strict=False)
        ]
        self.pieces = list(shown)
        for label in self.labels:
            label.set_fill(opacity=0, family=False)
        self.words = Group(*self.labels)
        self.more = Label("", theme.SMALL, "sans", theme.MUTED, place.more)
        super().__init__(self.field, self.words, self.more)

    def cells(self, look: RowLook, count: int) -> np.ndarray:
        """Colours of the boxes when `count` tokens of the row are there, shape [n, 4]."""
        rgba = np.zeros((self.field.n, 4))
        held = tint(look.colors[0] if look.colors else None)
        rgba[:count] = tint(None)
        stored = np.array(look.stored[: min(count, self.field.n)], dtype=bool)
        rgba[: len(stored)][stored] = held
        return rgba

    def show(self, look: RowLook, count: int) -> None:  # type: ignore[override]
        """Show `look` and the first `count` tokens at once."""
        self.shown = min(count, self.field.n)
        self.field.rgba = self.cells(look, self.shown)
        for label in self.labels[: self.shown]:
            label.set_fill(opacity=1, family=False)
        self.more.set_text(self._more_text(count))
        if look.page is not None:
            self.chip = RowChip(look.page, look.colors, self.place.chip)
            self.add(self.chip)

    def change(self, look: RowLook, count: int, said: np.ndarray, stored: np.ndarray) -> list[Animation]:
        """Animate to `look` and `count` tokens: token i appears at second `said[i]`, and its
        box takes its colour at `stored[i]`."""
        animations: list[Animation] = []
        before, self.shown = self.shown, min(count, self.field.n)
        fresh = np.arange(before, self.shown)
        if len(fresh):
            labels = [self.labels[index] for index in fresh]
            animations.append(StaggerLabels(self.words, labels, said[fresh]))
        target = self.cells(look, self.shown)
        changed = np.flatnonzero(np.any(np.abs(self.field.rgba - target) > 1e-9, axis=1))
        if len(changed):
            starts = np.where(changed >= before, said[changed], 0.0)
            has = np.array([i < len(look.stored) and look.stored[i] for i in changed])
            held = np.all(self.field.rgba[changed] == tint(None), axis=1) | (changed >= before)
            starts = np.where(has & held, np.maximum(starts, stored[changed]), starts)
            animations.append(StaggerCells(self.field, changed, target[changed], starts))
        if self.more.text != self._more_text(count):
            animations.append(SwapText(self.more, self._more_text(count)))
        return animations + self._change_chip(look)

    def _change_chip(self, look: RowLook) -> list[Animation]:
        old = self.chip
        if (old.page, old.colors) == (look.page, look.colors) if old else look.page is None:
            return []
        animations: list[Animation] = []
        if old is not None:
            self.remove(old)
            self.chip = None
            animations.append(Vanish(old, seconds=0.3, delay=0.3))
        if look.page is not None:
            self.chip = RowChip(look.page, look.colors, self.place.chip)
            animations.append(AppearIn(self, self.chip, seconds=0.3, delay=0.3))
        return animations

    def _more_text(self, count: int) -> Said:
        more = more_text(
            "row.more", max(0, count - self.field.n), task=self.task, first=self.place.first, shown=self.field.n
        )
        return say("… {}", more) if more else more

    def pairs(self, other: TranscriptRow) -> list[tuple[Mobject, Mobject]]:
        """Parts of this row with those of the same row laid out otherwise."""
        chips = [(self.chip, other.chip)] if self.chip and other.chip else []
        labels = zip(self.labels, other.labels, strict=False)
        return [(self.field, other.field), *labels, *chips]

    @property
    def left_out(self) -> int:
        """How many tokens the row says that it leaves out."""
        return int(self.more.text.partition("+")[2] or 0)

    def texts(self) -> list[str]:
        """What the visible labels say, in order."""
        return [label.text for label in self.labels if label.get_fill_opacity() > 0.5]

    def stored(self) -> list[bool]:
        """Which of the visible tokens have a box in a page's colour."""
        empty = tint(None)
        return [
            bool(np.any(np.abs(self.field.rgba[index] - empty) > 1e-9))
            for index, label in enumerate(self.labels)
            if label.get_fill_opacity() > 0.5
        ]


class PersonHead(Group):
    """A request's name, its page table, and how many tokens it has."""

    def __init__(self, look: PersonLook, box: Box) -> None:
        self.look = look
        self.box = box
        w = fonts.width(look.task, "sans-bold", theme.BODY) + 2 * NAME_PAD
        self.chip = Panel(Box(box.x, box.y, w, box.h), fill=look.color, radius=8)
        self.name_label = Label(
            name_text(look.task),
            theme.BODY,
            "sans-bold",
            theme.BACKGROUND,
            (box.x + w / 2, box.cy),
            "center",
            background=look.color,
        )
        self.start = box.x + w + 18
        self.table_label = Label(_table_text(look), theme.SMALL, "sans", theme.MUTED, (self.start, box.cy))
        self.start += fonts.width("table", "sans", theme.SMALL) + 14
        self.capacity = int((box.right - COUNT_W - self.start) // (ENTRY_W + ENTRY_GAP))
        self.entries: list[Entry] = [self._entry(i, page) for i, page in enumerate(look.pages[: self.capacity])]
        self.hidden = max(0, len(look.pages) - self.capacity)
        self.more = Label(
            self._more_text(),
            theme.SMALL,
            "mono",
            theme.MUTED,
            (self.start + self.capacity * (ENTRY_W + ENTRY_GAP), box.cy),
        )
        self.counts = Label(_count_text(look), theme.SMALL, "sans", theme.MUTED, (box.right, box.cy), "right")
        super().__init__(self.chip, self.name_label, self.table_label, *self.entries, self.more, self.counts)

    def entry_box(self, logical: int) -> Box | None:
        """Where the table's entry stands; None for one that is only counted."""
        return self.entries[logical].box if logical < len(self.entries) else None

    def _entry(self, index: int, page: int) -> Entry:
        x = self.start + index * (ENTRY_W + ENTRY_GAP)
        return Entry(self.look.task, index, page, Box(x, self.box.y + 2, ENTRY_W, self.box.h - 4), self.look.color)

    def _more_text(self) -> Said:
        return more_text("table.more", self.hidden, task=self.look.task, shown=len(self.entries))

    def change(self, look: PersonLook, said: Sequence[float]) -> list[Animation]:
        """Animate to `look`; `said` are the seconds at which its new tokens appear, rising."""
        animations: list[Animation] = []
        wanted = list(look.pages[: self.capacity])
        shown = [entry.page for entry in self.entries]
        if wanted[: len(shown)] != shown:
            self.remove(*self.entries)
            animations += [Vanish(entry, delay=0.3) for entry in self.entries]
            self.entries = []
        for index in range(len(self.entries), len(wanted)):
            entry = self._entry(index, wanted[index])
            self.entries.append(entry)
            delay = 0.3 + 0.12 * (index - len(shown) if shown else index)
            animations.append(AppearIn(self, entry, delay=max(0.3, delay)))
        self.hidden = max(0, len(look.pages) - self.capacity)
        if self.more.text != self._more_text():
            animations.append(SwapText(self.more, self._more_text(), delay=0.3))
        if self.table_label.text != _table_text(look):
            animations.append(SwapText(self.table_label, _table_text(look), delay=0.3))
        if len(said) > 1:
            counts = range(look.tokens - len(said), look.tokens)
            texts = [_count_text(replace(self.look, tokens=count)) for count in counts]
            times = [0.0, *(time / said[-1] for time in said)]
            animations += replay_text(self.counts, times, [*texts, _count_text(look)], said[-1])
        elif (text := _count_text(look)) != self.counts.text:
            animations.append(SwapText(self.counts, text, delay=said[0] if said else 0.0))
        self.look = look
        return animations

    def read(self) -> list[int]:
        """Pages as written in the entries."""
        return [int(entry.label.text) for entry in self.entries]


class Person(Group):
    """Head and rows of one request; nothing of it is seen before `arrived`."""

    def __init__(self, place: PersonPlace, rows: dict[int, TranscriptRow]) -> None:
        self.place = place
        self.rows = rows
        self.head: PersonHead | None = None
        self.note: Label | None = None
        super().__init__(*rows.values())

    @property
    def arrived(self) -> bool:
        """Whether the request has been submitted."""
        return self.head is not None

    def counts(self, tokens: int) -> dict[int, int]:
        """How many tokens of each row are there when the request has `tokens`."""
        return {
            logical: max(0, min(tokens - row.place.first, len(row.place.boxes) + row.place.cut))
            for logical, row in self.rows.items()
        }

    def _note_text(self, tokens: int) -> Said:
        folded = self.place.folded
        rows = sum(page.first < tokens for page in folded)
        more = written("rows.more", rows, task=self.place.task, rows=tuple(page.logical for page in folded))
        return say(f"… and {{}} more page{'s' if rows > 1 else ''} of text", more) if rows else say("")

    def make_note(self, tokens: int) -> Label | None:
        """The line that stands for folded rows, as far as the request's tokens reach into them."""
        if self.place.note is None:
            return None
        return Label(self._note_text(tokens), theme.SMALL, "sans", theme.MUTED, self.place.note)

    def show(self, look: PersonLook) -> None:  # type: ignore[override]
        """Show `look` at once."""
        self.head = PersonHead(look, self.place.head)
        self.note = self.make_note(look.tokens)
        self.add(self.head, *filter(None, [self.note]))
        for logical, count in self.counts(look.tokens).items():
            self.rows[logical].show(look.rows[logical], count)

    def change(self, look: PersonLook, said: dict[int, float], stored: dict[int, float]) -> list[Animation]:
        """Animate to `look`; by position, `said` and `stored` tell when tokens change."""
        animations: list[Animation] = []
        if self.head is None:
            self.head = PersonHead(look, self.place.head)
            self.note = self.make_note(look.tokens)
            animations += [AppearIn(self, each) for each in (self.head, self.note) if each]
        else:
            animations += self.head.change(look, sorted(said.values()))
            if self.note is not None and (text := self._note_text(look.tokens)) != self.note.text:
                animations.append(SwapText(self.note, text))
        for logical, count in self.counts(look.tokens).items():
            row = self.rows[logical]
            span = range(row.place.first, row.place.first + row.field.n)
            animations += row.change(
                look.rows[logical],
                count,
                np.array([said.get(position, 0.0) for position in span]),
                np.array([stored.get(position, 0.0) for position in span]),
            )
        return animations

    def flash(self) -> list[Animation]:
        """Draw the eye to the request's name."""
        return [Flash(self.head.chip)] if self.head is not None else []


class Transcript(Group):
    """The persons of a layout, below one another; `prompts` are their prompts' lengths."""

    def __init__(self, layout: TokenLayout, pieces: dict[str, Sequence[ShownPiece]], prompts: dict[str, int]) -> None:
        self.layout = layout
        self.persons = {
            place.task: Person(
                place,
                {
                    row.logical: TranscriptRow(
                        place.task,
                        row,
                        pieces[place.task][row.first : row.first + len(row.boxes) + row.cut],
                        [row.first + i >= prompts[place.task] for i in range(len(row.boxes))],
                        layout.px,
                    )
                    for row in place.rows
                },
            )
            for place in layout.persons
        }
        super().__init__(*self.persons.values())

    def token(self, task: str, position: int) -> tuple[TranscriptRow, int] | None:
        """The row that shows a token and its place in it; None where it is folded or cut."""
        for row in self.persons[task].rows.values():
            if 0 <= position - row.place.first < row.field.n:
                return row, position - row.place.first
        return None


def _table_text(look: PersonLook) -> str:
    return "table" if look.pages else "no table"


def _count_text(look: PersonLook) -> Said:
    words = {"waiting": " · waits", "preempted": " · preempted", "finished": " · done"}
    tokens = measure("task.tokens", look.tokens, "plain", task=look.task)
    return say("{} tokens" + words.get(look.status, ""), tokens)


def _ink(piece: ShownPiece, answer: bool) -> str:
    if piece.control:
        return CONTROL
    return theme.TEXT if answer else PROMPT


def _anchor(piece: ShownPiece, box: Box, px: float) -> tuple[float, float]:
    return box.x + text_indent(piece, px), box.cy - 0.02 * px


__all__ = ["Person", "PersonHead", "PersonLook", "RowLook", "Transcript", "TranscriptRow", "tint"]
