"""How much a picture holds and how long it takes to read: what storyboards plan by and drawings keep to."""

from __future__ import annotations

import math

READING_SPEED = 15.0
"""Characters a second."""

LARGEST = 33
"""Most pages that are shown one by one."""

MAP_ROOM = (1720.0, 300.0)
"""Width and height of a map of pages, in design pixels."""

LEAST_PITCH = 5.0
"""Smallest cell of a map, in design pixels."""


def reading_time(text: str) -> float:
    """Seconds that `text` must stand to be read at 15 characters a second."""
    return len(text) / READING_SPEED


def pool_rows(n_pages: int) -> int:
    """Rows in which `n_pages` pages are shown page by page (at most `LARGEST`)."""
    if n_pages <= 8:
        return 1
    return 2 if n_pages <= 20 else 3


def round_step(top: float, most: int) -> float:
    """Smallest step of 1, 2 or 5 times a power of ten that needs at most `most` steps to `top`."""
    least = top / max(1, most)
    power = 10.0 ** math.floor(math.log10(least))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= least * (1 - 1e-9))


def map_grid(n_pages: int, width: float, height: float) -> tuple[int, int, int]:
    """Pages of a cell, columns and rows of the map of `n_pages` pages with the largest cells.

    Pages are grouped where cells would be under `LEAST_PITCH`.
    """
    group = 1
    while True:
        columns, rows = _squarest(-(-n_pages // group), width, height)
        if min(width / columns, height / rows) >= LEAST_PITCH:
            return group, columns, rows
        group *= 2


def _squarest(cells: int, width: float, height: float) -> tuple[int, int]:
    """Columns and rows for at least `cells` cells whose shorter side is longest."""
    pitch = math.sqrt(width * height / cells)
    best = max(1, int(height / pitch))
    options = [(-(-cells // rows), rows) for rows in (best, best + 1)]
    return max(options, key=lambda option: min(width / option[0], height / option[1]))
