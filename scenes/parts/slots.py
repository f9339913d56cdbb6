"""Slots: how the token slots of a page are laid out and coloured, wherever they are shown."""

import math
from functools import cache
from typing import Any

import numpy as np

from scenes import theme
from scenes.draw.atoms import Cells, grid_edges, rgba
from scenes.draw.layout import Box
from scenes.parts.part import DIMMED, View

APART = 8.0
"""Pixels of a cell from which on there is a gap between cells."""
LEAST = 3.0
"""Pixels of a cell from which on single slots are drawn."""


@cache
def columns_of(size: int) -> int:
    """Columns of a page of `size` slots: its divisor nearest to twice the square root.

    Where none lies within a factor of two of that, the rounded number itself: the last row is short.
    """
    wanted = 2 * math.sqrt(size)
    near = [n for n in range(1, size + 1) if size % n == 0 and wanted / 2 <= n <= wanted * 2]
    return min(near, key=lambda n: abs(n - wanted)) if near else max(1, round(wanted))


def gap_of(box: Box, size: int) -> float:
    """Pixels between the cells of a page drawn in `box`."""
    columns = columns_of(size)
    return 2.0 if min(box.w / columns, box.h / -(-size // columns)) >= APART else 0.0


def slots_atom(box: Box, fills: np.ndarray, lines: np.ndarray, first: int | None) -> Cells:
    """The slots of one page, `fills` and `lines` [page_size, 4] in logical order; a front passes in that order, over
    all tokens of a request, of which the page's first is the `first`; without one all change at once."""
    size = len(fills)
    order = None if first is None else first + np.arange(size, dtype=float)
    return Cells(grid_edges(box, size, columns_of(size), gap_of(box, size)), fills, lines=lines, order=order)


def page_colors(view: View, page: int) -> tuple[np.ndarray, np.ndarray]:
    """Fills and outlines [page_size, 4] of a page's slots: full where K and V are valid, hollow
    where an earlier request's are still there, else empty."""
    who, where = (array[page] for array in view.ink())
    size = view.page_size
    valid = np.arange(size) < view.state.fill()[page]
    fills, lines = np.tile(rgba(view.theme.empty), (size, 1)), np.zeros((size, 4))
    for task in np.unique(who[who >= 0]):
        mine = who == task
        shades = view.shade(int(task), where)
        fills[mine & valid] = shades[mine & valid]
        lines[mine & ~valid] = shades[mine & ~valid]
        lines[mine & ~valid, 3] = GHOST
    return fills, lines


def filled(cells: Any, lit: bool) -> np.ndarray:
    """Which cells [n] of drawn slots have another colour than an empty one's, in a part that is `lit` or not."""
    found = cells.rgba[:, 3] > 0
    for look in theme.THEMES.values():
        empty = look.empty if lit else theme.mix(look.empty, look.ground, 1 - DIMMED)
        found &= np.any(np.abs(cells.rgba[:, :3] - np.array(theme.rgb(empty))) > 0.01, axis=1)
    return found


GHOST = 0.55
"""Opacity of what is left behind in a page."""
