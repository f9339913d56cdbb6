"""The pool as a map: one cell for each page, or for each group of pages."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from manim import Animation, Group, linear

from scenes import theme
from scenes.animations import FilmAnimation
from scenes.layout import Box
from scenes.mobjects.cells import CellField
from scenes.mobjects.label import Label

LEAST_PITCH = 5.0
FAINTEST = 0.3
"""Share of its colour that a cell has of which hardly any page is taken."""

FREE, CACHED, FIRST_COLOR = 0, 1, 2
PALETTE = np.array([theme.rgb(c) for c in (theme.EMPTY, theme.CACHED, *theme.TASK_COLORS)])
"""Colours by code, shape [n_codes, 3]: free, cached, then the task colours."""


@dataclass(frozen=True)
class MapGrid:
    """How `n_pages` pages lie in cells of `group` pages each, row by row."""

    n_pages: int
    group: int
    columns: int
    rows: int

    @classmethod
    def of(cls, n_pages: int, width: float, height: float) -> MapGrid:
        """The grid with the largest cells, grouped where they would be under `LEAST_PITCH`."""
        group = 1
        while True:
            cells = -(-n_pages // group)
            columns, rows = _squarest(cells, width, height)
            if min(width / columns, height / rows) >= LEAST_PITCH:
                return cls(n_pages, group, columns, rows)
            group *= 2

    @property
    def cells(self) -> int:
        """Cells in all; the last may have fewer pages."""
        return -(-self.n_pages // self.group)

    def colors(self, codes: np.ndarray) -> np.ndarray:
        """Colour of each cell, shape [cells, 3], for one code a page, shape [n_pages].

        A group has the colour of most of its taken pages (cached ones count as such),
        fainter the more of it is free.
        """
        if self.group == 1:
            return PALETTE[codes]
        padded = np.full(self.cells * self.group, -1, dtype=np.int8)
        padded[: self.n_pages] = codes
        grouped = padded.reshape(self.cells, self.group)
        counts = np.stack(
            [np.count_nonzero(grouped == code, axis=1) for code in range(CACHED, len(PALETTE))]
        )
        most = counts.argmax(axis=0) + CACHED
        share = counts.sum(axis=0) / np.count_nonzero(grouped >= 0, axis=1)
        strength = np.where(share > 0, FAINTEST + (1 - FAINTEST) * share, 0.0)[:, None]
        return PALETTE[FREE] + (PALETTE[most] - PALETTE[FREE]) * strength


def _squarest(cells: int, width: float, height: float) -> tuple[int, int]:
    """Columns and rows for at least `cells` cells whose shorter side is longest."""
    pitch = math.sqrt(width * height / cells)
    best = max(1, int(height / pitch))
    options = [(-(-cells // rows), rows) for rows in (best, best + 1)]
    return max(options, key=lambda option: min(width / option[0], height / option[1]))


class PageMap(Group):
    """All pages of a pool in `box`: dark where free, grey where cached, else the owner's colour."""

    def __init__(self, n_pages: int, box: Box) -> None:
        self.grid = MapGrid.of(n_pages, box.w, box.h)
        side = box.w / self.grid.columns
        height = min(box.h, self.grid.rows * side)
        gap = 1.0 if side < 9 else 2.0
        self.field = CellField(
            Box(box.x, box.y, box.w, height), self.grid.cells, self.grid.columns, gap=gap
        )
        self.field.rgba[:, 3] = 1.0
        super().__init__(self.field)

    def show(self, codes: np.ndarray) -> None:
        """Show one code a page at once."""
        self.field.rgba[:, :3] = self.grid.colors(codes)

    def change(self, codes: np.ndarray, seconds: float) -> list[Animation]:
        """Blend to other codes."""
        colors = self.grid.colors(codes)
        if np.array_equal(colors, self.field.rgba[:, :3]):
            return []
        return [BlendCells(self.field, (0.0, 1.0), [colors], seconds)]

    def cell_box(self, page: int) -> Box:
        """Box of the cell that shows `page`."""
        return self.field.cell_box(page // self.grid.group)

    def read(self) -> np.ndarray:
        """Colours of the cells as shown, shape [cells, 3]."""
        return self.field.rgba[:, :3].copy()


class BlendCells(FilmAnimation):
    """Lead a field's colours through `frames`, each shape [n, 3], reached at `times`.

    `times` begin with 0, when the field shows what it does; there is one more of them
    than of frames, and they rise to 1.
    """

    def __init__(
        self, field: CellField, times: tuple[float, ...], frames: list[np.ndarray],
        seconds: float, **kwargs,
    ) -> None:
        super().__init__(field, seconds=seconds, rate=linear, **kwargs)
        self.times = times
        self.frames = frames

    def prepare(self) -> None:
        self._start = self.mobject.rgba[:, :3].copy()

    def apply(self, progress: float) -> None:
        if progress >= 1.0:
            self.mobject.rgba[:, :3] = self.frames[-1]
            return
        place = int(np.searchsorted(self.times, progress, side="right")) - 1
        before = self.frames[place - 1] if place else self._start
        after = self.frames[place]
        span = self.times[place + 1] - self.times[place]
        share = (progress - self.times[place]) / span if span > 0 else 1.0
        self.mobject.rgba[:, :3] = before + (after - before) * share


def legend_text(group: int) -> str:
    """What a cell stands for."""
    return "1 cell = 1 page" if group == 1 else f"1 cell = {group} pages"


class MapLegend(Group):
    """Says what a cell of the map stands for, from design pixel (`x`, `y`) on."""

    def __init__(self, group: int, x: float, y: float) -> None:
        self.label = Label(legend_text(group), theme.SMALL, "sans", theme.MUTED, (x, y))
        super().__init__(self.label)

    @property
    def group(self) -> int:
        """Pages of a cell as written."""
        return int(self.label.text.split()[3])
