"""A grid of coloured cells drawn from an array, as one mobject."""

from __future__ import annotations

import cairo
import numpy as np
from manim import Mobject

from scenes import theme
from scenes.draw.layout import FRAME, Box

SMALL = 2.0
"""Output pixels of a cell below which its edges are not drawn one by one."""
MANY = 400
"""More cells than this are drawn as one image instead of one rectangle each."""


class CellField(Mobject):
    """`n` cells in rows of `columns`, filled row by row from the top left.

    Its colours live in `rgba`, shape [n, 4], floats in 0..1; an alpha of 0 is a
    cell not drawn. Drawn by `scenes.draw.camera.FilmCamera` in one pass, so a field
    costs one mobject whatever its size.
    """

    def __init__(self, box: Box, n: int, columns: int, gap: float = 2.0, radius: float = 0.0) -> None:
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

    def set_cell(self, index: int | slice | np.ndarray, color: str, alpha: float = 1.0) -> None:
        """Colour one cell (int) or several (index array)."""
        self.rgba[index, :3] = theme.rgb(color)
        self.rgba[index, 3] = alpha

    def draw(self, ctx: cairo.Context, pixel_scale: float) -> None:
        """Draw on `ctx`, whose user space is Manim's; `pixel_scale` is output pixels a unit."""
        if self.n > MANY:
            self._draw_image(ctx)
        else:
            self._draw_rectangles(ctx)

    def _draw_rectangles(self, ctx: cairo.Context) -> None:
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

    def _draw_image(self, ctx: cairo.Context) -> None:
        """All cells as one image in output pixels; edges between pixels are antialiased."""
        left, top = ctx.user_to_device(*self.points[0][:2])
        right, bottom = ctx.user_to_device(*self.points[2][:2])
        gap = self.gap * (right - left) / max(self.box.w, 1e-9)
        column, across = coverage(left, right, self.columns, gap, left, right)
        row, down = coverage(top, bottom, self.rows, gap, top, bottom)
        if len(column) and len(row):
            paint(ctx, image_of(self, row, column, down[:, None] * across), left, top)


def image_of(field: CellField, row: np.ndarray, column: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Pixels [rows, columns, 4], premultiplied, uint8, of the cells at `row` and `column`, each
    `covered` [rows, columns] by its cell."""
    first, last = int(row.min()), int(row.max()) + 1
    low, high = first * field.columns, min(last * field.columns, field.n)
    cells = np.zeros(((last - first) * field.columns, 4))
    cells[: high - low] = field.rgba[low:high]
    cells[:, 3] *= 255.0 * field.opacity
    cells[:, :3] *= cells[:, 3:]
    packed = np.rint(cells).astype(np.uint8).view(np.uint32).reshape(last - first, field.columns)
    pixels = np.take(packed[row - first], column, axis=1).view(np.uint8).reshape(len(row), -1, 4)
    share = np.rint(covered * 255.0).astype(np.uint16)[:, :, None]
    return ((pixels * share + 127) // 255).astype(np.uint8)


def paint(ctx: cairo.Context, pixels: np.ndarray, left: float, top: float) -> None:
    """Put an image on `ctx` with its corner at a place in output pixels."""
    height, width = pixels.shape[:2]
    stride = cairo.ImageSurface.format_stride_for_width(cairo.FORMAT_ARGB32, width)
    surface = cairo.ImageSurface.create_for_data(pixels, cairo.FORMAT_ARGB32, width, height, stride)  # type: ignore[arg-type]
    ctx.save()
    ctx.identity_matrix()
    ctx.set_source_surface(surface, np.floor(left), np.floor(top))
    ctx.paint()
    ctx.restore()


def coverage(start: float, end: float, n: int, gap: float, low: float, high: float) -> tuple[np.ndarray, np.ndarray]:
    """For each output pixel between `low` and `high`: which of the `n` cells between `start` and
    `end` it shows, and how much of it.

    Cells lie side by side with `gap` between them; each pixel belongs to the cell that
    its middle lies in, gap included. Both arrays have one entry a pixel.
    """
    first, last = int(np.floor(max(start, low))), int(np.ceil(min(end, high)))
    pitch = (end - start + gap) / n
    edges = np.arange(first, max(first, last) + 1, dtype=float)
    index = np.floor((edges[:-1] + 0.5 - start) / pitch)
    index = np.clip(index, 0, n - 1).astype(int)
    left = start + index * pitch
    right = left + pitch - gap
    if pitch < SMALL:  # a pixel shows several: each as much of it as of all
        left, right = np.full(len(index), start), np.full(len(index), end)
    covered = np.minimum(np.minimum(edges[1:], high), right) - np.maximum(np.maximum(edges[:-1], low), left)
    covered *= (pitch - gap) / pitch if pitch < SMALL else 1.0
    return index, np.clip(covered, 0.0, 1.0)
