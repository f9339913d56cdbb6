"""A grid of coloured cells drawn from an array, as one mobject."""

from __future__ import annotations

import cairo
import numpy as np
from manim import Mobject

from scenes import theme
from scenes.layout import FRAME, Box


class CellField(Mobject):
    """`n` cells in rows of `columns`, filled row by row from the top left.

    Its colours live in `rgba`, shape [n, 4], floats in 0..1; an alpha of 0 is a
    cell not drawn. Drawn by `scenes.camera.FilmCamera` in one pass, so a field
    costs one mobject whatever its size.
    """

    def __init__(self, box: Box, n: int, columns: int, gap: float = 2.0, radius: float = 0.0):
        super().__init__()
        self.n = n
        self.columns = columns
        self.rows = -(-n // columns)
        self.gap = gap
        self.radius = radius
        self.opacity = 1.0
        self.points = np.array(
            [
                FRAME.point(box.x, box.y),
                FRAME.point(box.right, box.y),
                FRAME.point(box.right, box.bottom),
                FRAME.point(box.x, box.bottom),
            ]
        )
        self.rgba = np.zeros((n, 4))

    @property
    def box(self) -> Box:
        """Where the field is now, in design pixels."""
        x, y = FRAME.pixel(self.points[0])
        right, bottom = FRAME.pixel(self.points[2])
        return Box(x, y, right - x, bottom - y)

    def cell_box(self, index: int) -> Box:
        """Box of cell `index` in design pixels."""
        box = self.box
        w = (box.w + self.gap) / self.columns
        h = (box.h + self.gap) / self.rows
        row, column = divmod(index, self.columns)
        return Box(box.x + column * w, box.y + row * h, w - self.gap, h - self.gap)

    def cells_at(self, at: np.ndarray) -> np.ndarray:
        """Index of the cell under each design pixel, -1 between and beside the cells.

        `at` has shape [n, 2], the result [n].
        """
        box = self.box
        pitch = np.array([(box.w + self.gap) / self.columns, (box.h + self.gap) / self.rows])
        place = (at - (box.x, box.y)) / pitch
        whole = np.floor(place).astype(int)
        within = np.all((place >= 0) & ((place - whole) * pitch <= pitch - self.gap), axis=1)
        within &= (whole[:, 0] < self.columns) & (whole[:, 1] < self.rows)
        index = whole[:, 1] * self.columns + whole[:, 0]
        return np.where(within & (index < self.n), index, -1)

    def set_cell(self, index, color: str, alpha: float = 1.0) -> None:
        """Colour one cell (int) or several (index array)."""
        self.rgba[index, :3] = theme.rgb(color)
        self.rgba[index, 3] = alpha

    def draw(self, ctx: cairo.Context, pixel_scale: float) -> None:
        """Draw on `ctx`, whose user space is Manim's; `pixel_scale` is output pixels a unit."""
        left, top = self.points[0][:2]
        right, bottom = self.points[2][:2]
        gap = self.gap * (right - left) / max(self.box.w, 1e-9)
        w = (right - left + gap) / self.columns
        h = (bottom - top - gap) / self.rows
        rgba = self.rgba
        for index in np.flatnonzero(rgba[:, 3] > 0):
            r, g, b, a = rgba[index]
            row, column = divmod(int(index), self.columns)
            ctx.set_source_rgba(b, g, r, a * self.opacity)
            ctx.rectangle(left + column * w, top + row * h, w - gap, h + gap)
            ctx.fill()
