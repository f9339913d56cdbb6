"""The pool as a map: one cell for each page, or for each group of pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from manim import Animation, Group, linear

from scenes import theme
from scenes.draw.cells import CellField
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, say, written
from scenes.old.animations import FilmAnimation
from scenes.old.animations.replay import Replay
from scenes.story.limits import map_grid

KEY_WORDS = ("arrived early", "late")
KEY_W, KEY_H, KEY_GAP = 130.0, 26.0, 44.0
FAINTEST = 0.3
"""Share of its colour that a cell has of which hardly any page is taken."""

DIMMED = 0.3
"""Share of its colour that a page keeps while others are lit."""

RAMP = np.array([theme.rgb(color) for color in theme.ARRIVAL])
EMPTY = np.array(theme.rgb(theme.EMPTY))


def ramp(share: np.ndarray) -> np.ndarray:
    """Colours, shape [n, 3], of requests by their place in order of arrival, 0 to 1."""
    place = np.asarray(share, dtype=float) * (len(RAMP) - 1)
    below = np.minimum(place.astype(int), len(RAMP) - 2)
    return RAMP[below] + (RAMP[below + 1] - RAMP[below]) * (place - below)[:, None]


@dataclass(frozen=True)
class PageColors:
    """What a map shows of every page: its colour, shape [n_pages, 3], and of each whether it
    is `taken` (in use or cached) and `lit` (shown brightly while the others are dimmed).
    """

    colors: np.ndarray
    taken: np.ndarray
    lit: np.ndarray


@dataclass(frozen=True)
class MapGrid:
    """How `n_pages` pages lie in cells of `group` pages each, row by row."""

    n_pages: int
    group: int
    columns: int
    rows: int

    @classmethod
    def of(cls, n_pages: int, width: float, height: float) -> MapGrid:
        """The grid with the largest cells, see `map_grid`."""
        return cls(n_pages, *map_grid(n_pages, width, height))

    @property
    def cells(self) -> int:
        """Cells in all; the last may have fewer pages."""
        return -(-self.n_pages // self.group)

    def colors(self, pages: PageColors) -> np.ndarray:
        """Colour of each cell, shape [cells, 3].

        A group has the mean colour of its taken pages, or of those that are lit where
        some are, fainter the more of it is free.
        """
        if self.group == 1:
            return pages.colors
        starts = np.arange(0, self.n_pages, self.group)
        taken, lit = (np.add.reduceat(mask.astype(float), starts) for mask in (pages.taken, pages.lit))
        counted = np.where(np.repeat(lit, self.group)[: self.n_pages] > 0, pages.lit, pages.taken)
        total = np.add.reduceat(pages.colors * counted[:, None], starts)
        mean = total / np.maximum(1.0, np.add.reduceat(counted.astype(float), starts))[:, None]
        share = taken / np.diff(np.append(starts, self.n_pages))
        strength = np.where(share > 0, FAINTEST + (1 - FAINTEST) * share, 0.0)[:, None]
        return EMPTY + (mean - EMPTY) * strength


class PageMap(Group):
    """All pages of a pool in `box`: dark where free, grey where cached, else the owner's colour.

    Owners' colours are along `theme.ARRIVAL`, see `scenes.old.parts.occupancy`.
    """

    def __init__(self, n_pages: int, box: Box) -> None:
        self.grid = MapGrid.of(n_pages, box.w, box.h)
        side = box.w / self.grid.columns
        height = min(box.h, self.grid.rows * side)
        gap = 1.0 if side < 9 else 2.0
        self.field = CellField(Box(box.x, box.y, box.w, height), self.grid.cells, self.grid.columns, gap=gap)
        self.field.rgba[:, 3] = 1.0
        super().__init__(self.field)

    def show(self, pages: PageColors) -> None:  # type: ignore[override]
        """Show the pages at once."""
        self.field.rgba[:, :3] = self.grid.colors(pages)

    def change(self, pages: PageColors, seconds: float) -> list[Animation]:
        """Blend to other colours."""
        colors = self.grid.colors(pages)
        if np.array_equal(colors, self.field.rgba[:, :3]):
            return []
        return [BlendCells(self.field, colors, seconds)]

    def run(self, times: Sequence[float], frames: Sequence[np.ndarray], seconds: float) -> list[Animation]:
        """Show `frames`, colours of the cells, each from its time (0 to 1) to the next."""
        if all(np.array_equal(frame, frames[0]) for frame in frames[1:]):
            return []
        return [Replay(self.field, times, lambda i: self._paint(frames[i]), seconds)]

    def _paint(self, colors: np.ndarray) -> None:
        self.field.rgba[:, :3] = colors

    def cell_box(self, page: int) -> Box:
        """Box of the cell that shows `page`."""
        return self.field.cell_box(page // self.grid.group)

    def read(self) -> np.ndarray:
        """Colours of the cells as shown, shape [cells, 3]."""
        return self.field.rgba[:, :3].copy()


class BlendCells(FilmAnimation):
    """Lead a field's colours to `colors`, shape [n, 3]."""

    def __init__(self, field: CellField, colors: np.ndarray, seconds: float, **kwargs: Any) -> None:
        super().__init__(field, seconds=seconds, rate=linear, **kwargs)
        self.colors = colors

    def prepare(self) -> None:
        self._start = self.mobject.rgba[:, :3].copy()

    def apply(self, progress: float) -> None:
        if progress >= 1.0:
            self.mobject.rgba[:, :3] = self.colors
        else:
            self.mobject.rgba[:, :3] = self._start + (self.colors - self._start) * progress


def legend_text(group: int, cells: int) -> Said:
    """What a cell stands for, where there are `cells` in all."""
    one = written("map.cells", 1, pages=group)
    return say(f"{{}} cell = {{}} page{'s' if group > 1 else ''}", one, written("map.group", group, cells=cells))


class RampKey(CellField):
    """The ramp of arrival as a strip in `box`."""

    def __init__(self, box: Box, shades: int = 24) -> None:
        super().__init__(box, shades, shades, gap=0)
        self.rgba[:, :3] = ramp(np.linspace(0.0, 1.0, shades))
        self.rgba[:, 3] = 1.0


class MapLegend(Group):
    """Says what a cell of the map stands for, from design pixel (`x`, `y`) on.

    What its colour means is added where there is room up to `right`.
    """

    def __init__(self, grid: MapGrid, x: float, y: float, right: float) -> None:
        self.label = Label(legend_text(grid.group, grid.cells), theme.SMALL, "sans", theme.MUTED, (x, y))
        parts: list = [self.label]
        at = x + self.label.width_px + KEY_GAP
        for word in KEY_WORDS:
            label = Label(word, theme.SMALL, "sans", theme.MUTED, (at, y))
            parts.append(label)
            at += label.width_px + 12
            if word == KEY_WORDS[0]:
                parts.append(RampKey(Box(at, y - KEY_H / 2, KEY_W, KEY_H)))
                at += KEY_W + 12
        super().__init__(*(parts if at - 12 <= right else parts[:1]))

    @property
    def group(self) -> int:
        """Pages of a cell as written."""
        return int(self.label.text.split()[3])
