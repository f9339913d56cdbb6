"""One page of the pool: its slots, its number and its refcount."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from manim import Animation, Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Measure, Said, measure, say, written
from scenes.old.animations import FillCells, FilmAnimation, Flash, FlashTo, Replay, StrokeTo, SwapText
from scenes.old.mobjects.shapes import DashedBox, Panel

OWNER_BAR = 8
FOOTER = 42
PADDING = 10
NUMBER_GAP = 3
CACHED_WORD = "cached"
WORD_GAP = 14


def slot_columns(n: int, width: float, height: float) -> int:
    """Columns that make `n` cells in `width` by `height` squarest, rows full where possible."""
    divisors = [c for c in range(2, n) if n % c == 0]
    return min(divisors or range(1, n + 1), key=lambda c: abs(np.log((width / c) / (height / -(-n // c)))))


class Page(Group):
    """A page in design-pixel `box`.

    The slots are filled with the owner's colour, darker or brighter with each
    slot's recorded norm; the bar above them has one part per table that holds
    the page. A cached page has no owner: a dashed outline and, where there is room
    for it, the word tell it from a free one, not only its grey.
    """

    def __init__(self, index: int, box: Box, page_size: int) -> None:
        self.index = index
        self.page_size = page_size
        self.box = box
        self.frame = Panel(box, fill=theme.PANEL, stroke=theme.OUTLINE)
        inner = box.inset(PADDING)
        self.owner_field = CellField(Box(inner.x, inner.y, inner.w, OWNER_BAR), 1, 1, gap=3)
        top = inner.y + OWNER_BAR + 6
        slots = Box(inner.x, top, inner.w, box.bottom - FOOTER - top)
        columns = slot_columns(page_size, slots.w, slots.h)
        gap = 2.0 if slots.w / columns > 8 else 1.0
        self.slots = CellField(slots, page_size, columns, gap=gap)
        self.slots.set_cell(np.arange(page_size), theme.EMPTY)
        baseline = box.bottom - FOOTER / 2
        number, ref = written("page.number", index, page=index), say("ref {}", self._ref(0))
        self.number = Label(number, theme.SMALL, "mono-bold", theme.TEXT, (inner.x, baseline), background=theme.PANEL)
        self.ref = Label(
            ref, theme.SMALL, "mono", theme.MUTED, (inner.right, baseline), "right", background=theme.PANEL
        )
        self.dashes = DashedBox(box, theme.CACHED, stroke_px=4)
        self.dashes.set_stroke(opacity=0, family=False)
        word_w = fonts.width(CACHED_WORD, "sans", theme.SMALL)
        room = self.ref.ink()[0] - self.number.ink()[2]
        self.has_word = room >= word_w + 2 * WORD_GAP
        middle = (self.ref.ink()[0] + self.number.ink()[2]) / 2
        self.word = Label("", theme.SMALL, "sans", theme.MUTED, (middle, baseline), "center", background=theme.PANEL)
        self.cached = False
        self.owners: tuple[str, ...] = ()
        self.hue: str | None = None
        super().__init__(self.frame, self.dashes, self.owner_field, self.slots, self.number, self.word, self.ref)

    @property
    def top(self) -> tuple[float, float]:
        """Where an arrow to this page ends."""
        return self.box.cx, self.box.y

    def show(self, look: PageLook) -> None:  # type: ignore[override]
        """Show `look` at once."""
        self._set_owners(look)
        self.frame.set_stroke(_outline(look), family=False)
        self.cached = look.cached
        self.dashes.set_stroke(opacity=float(look.cached), family=False)
        self.word.set_text(self._word(look.cached))
        self.slots.rgba = look.cells.copy()
        self.ref.set_text(self.ref_text(look.ref, look.cached))
        self.ref.set_text_color(theme.TEXT if look.ref else theme.MUTED)

    def change(self, look: PageLook, delay: float, fill_delay: float, fill: float) -> list[Animation]:
        """Animations to `look`: refcount and frame after `delay`, slots from `fill_delay` on."""
        animations = self.change_marks(look, delay)
        changed = np.flatnonzero(np.any(self.slots.rgba != look.cells, axis=1))
        if len(changed):
            animations.append(self.fill(changed, look.cells[changed], fill, fill_delay))
        return animations

    def run(self, times: Sequence[float], looks: Sequence[PageLook], seconds: float) -> list[Animation]:
        """Fill the slots as `looks`, reached at `times` (0 to 1), have them."""
        cells = [look.cells for look in looks]
        if np.array_equal(self.slots.rgba, cells[-1]):
            return []

        def show(moment: int) -> None:
            self.slots.rgba = cells[moment].copy()

        return [Replay(self.slots, times, show, seconds)]

    def change_marks(self, look: PageLook, delay: float = 0.0) -> list[Animation]:
        """Animations to the refcount, frame and marks of `look`, leaving the slots alone."""
        animations: list[Animation] = []
        ref = self.ref_text(look.ref, look.cached)
        if look.owners != self.owners or look.color != self.hue:
            self.owners, self.hue = look.owners, look.color
            animations.append(_NewOwners(self.owner_field, look.owner_colors, delay=delay))
            animations.append(FlashTo(self.frame, _outline(look), delay=delay))
        elif ref != self.ref.text:
            animations.append(Flash(self.frame, delay=delay))
        if ref != self.ref.text:
            color = theme.TEXT if look.ref else theme.MUTED
            animations.append(SwapText(self.ref, ref, color=color, delay=delay))
        if look.cached != self.cached:
            animations += self._mark(look.cached, delay)
        return animations

    def fill(self, changed: np.ndarray, cells: np.ndarray, seconds: float, delay: float) -> Animation:
        """Bring the slots `changed` [k] to the colours `cells` [k, 4], one after another."""
        overlap = max(4, self.page_size // 8)
        return FillCells(self.slots, changed, cells, seconds, overlap, delay=delay)

    def _ref(self, ref: int) -> Measure:
        return measure("page.ref", ref, "plain", page=self.index)

    def ref_text(self, ref: int, cached: bool) -> Said:
        """How the refcount is written, shorter where its page is narrow."""
        text = say("ref {}", self._ref(ref))
        room = self.box.w - 2 * PADDING - self.number.width_px - NUMBER_GAP
        return text if fonts.width(text, "mono", theme.SMALL) <= room else say("r{}", self._ref(ref))

    def change_ref(self, ref: int) -> list[Animation]:
        """Only the refcount, as a line of code sets it."""
        color = theme.TEXT if ref else theme.MUTED
        return [SwapText(self.ref, self.ref_text(ref, self.cached), color=color), Flash(self.frame)]

    def unmark(self) -> list[Animation]:
        """Only the marks of a cached page go, as a line of code has it."""
        return self._mark(False, 0.25)

    def _mark(self, cached: bool, delay: float) -> list[Animation]:
        self.cached = cached
        animations: list[Animation] = [StrokeTo(self.dashes, float(cached), delay=delay)]
        if self.has_word:
            animations.append(SwapText(self.word, self._word(cached), delay=delay))
        return animations

    def _word(self, cached: bool) -> str:
        return CACHED_WORD if cached and self.has_word else ""

    def _set_owners(self, look: PageLook) -> None:
        self.owners = look.owners
        self.hue = look.color
        _split(self.owner_field, _bar_cells(look.owner_colors))

    def _shows_cached(self) -> bool:
        dashed = self.dashes.get_stroke_opacity() > 0.5
        return bool(dashed and (self.word.text == CACHED_WORD or not self.has_word))

    def read(self) -> dict:
        """What is shown: refcount, owners, colour, and which slots are filled."""
        empty = np.array([*theme.rgb(theme.EMPTY), 1.0])
        return {
            "ref": int("".join(char for char in self.ref.text if char.isdigit()) or 0),
            "owners": self.owners,
            "color": self.hue,
            "cached": self._shows_cached(),
            "filled": np.any(np.abs(self.slots.rgba - empty) > 1e-9, axis=1),
        }


class PageLook:
    """How a page should look: built from the replayed state by `scenes.old.parts.looks`."""

    __slots__ = ("cached", "cells", "color", "owner_colors", "owners", "ref")

    def __init__(
        self,
        ref: int,
        owners: tuple[str, ...],
        owner_colors: tuple[str, ...],
        color: str | None,
        cells: np.ndarray,
        cached: bool = False,
    ) -> None:
        self.ref = ref
        self.owners = owners
        self.owner_colors = owner_colors
        self.color = color
        self.cells = cells
        self.cached = cached


class _NewOwners(FilmAnimation):
    """Fade a page's owner bar to parts of the colours `colors`; none: to an empty bar."""

    def __init__(self, field: CellField, colors: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(field, seconds=0.5, **kwargs)
        self.target = _bar_cells(colors)

    def prepare(self) -> None:
        self._start = self.mobject.rgba.copy()

    def apply(self, progress: float) -> None:
        if progress <= 0:
            _split(self.mobject, self._start)
            return
        cells = self.target.copy()
        if len(self._start) == len(cells):
            start = self._start.copy()
            start[start[:, 3] == 0, :3] = cells[start[:, 3] == 0, :3]
            cells[cells[:, 3] == 0, :3] = start[cells[:, 3] == 0, :3]
            cells = start + (cells - start) * progress
        elif progress < 1:
            cells[:, 3] *= progress
        _split(self.mobject, cells)


def _bar_cells(colors: tuple[str, ...]) -> np.ndarray:
    """Cells of an owner bar, shape [owners or 1, 4]."""
    return np.array([[*theme.rgb(color), 1.0] for color in colors] or [[0.0] * 4])


def _split(field: CellField, cells: np.ndarray) -> None:
    """Give the bar as many parts as there are `cells` [k, 4]."""
    field.n = field.columns = len(cells)
    field.rgba = cells.copy()


def _outline(look: PageLook) -> str:
    return theme.OUTLINE if look.cached or look.color is None else look.color


__all__ = ["Page", "PageLook", "slot_columns"]
