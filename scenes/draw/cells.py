"""Grids of coloured cells drawn from arrays, each as one mobject."""

from typing import Any

import cairo
import numpy as np
from manim import Mobject

from scenes.draw.layout import Frame

SMALL = 2.0
"""Output pixels of a cell below which its edges are not drawn one by one."""


class CellField(Mobject):
    """`n` cells in `box` with colours `rgba` [n, 4], floats in 0..1; an alpha of 0 is a cell not drawn.

    Drawn by `scenes.draw.camera.FilmCamera` in one pass, so a field costs one mobject whatever its size.
    """

    rgba: np.ndarray

    def __init__(self, n: int, frame: Frame) -> None:
        super().__init__()
        self.n, self.frame = n, frame
        self.opacity = 1.0

    @property
    def look(self) -> tuple[Any, ...]:
        """Everything that its picture comes from: arrays are replaced when they change, never changed in place."""
        raise NotImplementedError

    def cells_at(self, at: np.ndarray) -> np.ndarray:
        """Index [n] of the cell under each design pixel [n, 2], -1 between and beside the cells."""
        raise NotImplementedError

    def draw(self, ctx: cairo.Context) -> None:
        """Draw on `ctx`, whose user space is Manim's."""
        raise NotImplementedError


def image_of(field: CellField, columns: int, row: np.ndarray, column: np.ndarray, covered: np.ndarray) -> np.ndarray:
    """Pixels [rows, columns, 4], premultiplied, uint8, of a field's cells at `row` and `column`, each
    `covered` [rows, columns] by its cell.

    Shares of 255 are rounded to the nearest: (x + 128 + (x + 128 >> 8)) >> 8 is x / 255 for all products of two bytes.
    """
    first, last = int(row.min()), int(row.max()) + 1
    low, high = first * columns, min(last * columns, field.n)
    cells = np.zeros(((last - first) * columns, 4))
    cells[: high - low] = field.rgba[low:high]
    cells[:, 3] *= 255.0 * field.opacity
    cells[:, :3] *= cells[:, 3:]
    packed = np.rint(cells).astype(np.uint8).view(np.uint32).reshape(last - first, columns)
    pixels = np.take(packed[row - first], column, axis=1).view(np.uint8).reshape(len(row), -1, 4)
    share = np.rint(covered * 255.0).astype(np.uint16)[:, :, None]
    parts = pixels * share
    parts += 128
    parts += parts >> 8
    parts >>= 8
    return parts.astype(np.uint8)


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
