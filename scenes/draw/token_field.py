"""Boxes of different widths behind tokens, drawn from an array as one mobject."""

from __future__ import annotations

from collections.abc import Sequence

import cairo
import numpy as np

from scenes.draw.cells import CellField
from scenes.draw.layout import FRAME, UNIT, Box


class TokenField(CellField):
    """One cell for each of `boxes`, wherever they stand; colours as in `CellField`.

    `edges`, shape [n, 4], holds left, top, right and bottom of each cell in design pixels.
    """

    def __init__(self, boxes: Sequence[Box], radius: float = 5.0) -> None:
        self.edges = edges_of(boxes)
        super().__init__(Box(0, 0, 1, 1), len(boxes), max(1, len(boxes)), gap=0, radius=radius)
        self.lay(self.edges)

    def lay(self, edges: np.ndarray) -> None:
        """Put the cells where `edges` says."""
        self.edges = edges
        if len(edges):
            (x, y), (right, bottom) = edges[:, :2].min(axis=0), edges[:, 2:].max(axis=0)
            corners = ((x, y), (right, y), (right, bottom), (x, bottom))
            self.points = np.array([FRAME.point(*corner) for corner in corners])

    def cell_box(self, index: int) -> Box:
        x, y, right, bottom = self.edges[index]
        return Box(x, y, right - x, bottom - y)

    def cells_at(self, at: np.ndarray) -> np.ndarray:
        hits = (
            (at[:, None, 0] >= self.edges[None, :, 0])
            & (at[:, None, 0] < self.edges[None, :, 2])
            & (at[:, None, 1] >= self.edges[None, :, 1])
            & (at[:, None, 1] < self.edges[None, :, 3])
        )
        return np.where(hits.any(axis=1), hits.argmax(axis=1), -1)

    def draw(self, ctx: cairo.Context, pixel_scale: float) -> None:
        radius = self.radius / UNIT
        for index in np.flatnonzero(self.rgba[:, 3] > 0):
            r, g, b, a = self.rgba[index]
            x, y, right, bottom = self.edges[index]
            left, top, _ = FRAME.point(x, y)
            end, low, _ = FRAME.point(right, bottom)
            ctx.set_source_rgba(b, g, r, a * self.opacity)
            rounded(ctx, left, low, end - left, top - low, radius)
            ctx.fill()


def edges_of(boxes: Sequence[Box]) -> np.ndarray:
    """Boxes as an array, shape [n, 4]: left, top, right, bottom."""
    return np.array([(b.x, b.y, b.right, b.bottom) for b in boxes], dtype=float).reshape(-1, 4)


def rounded(ctx: cairo.Context, x: float, y: float, w: float, h: float, r: float) -> None:
    """Add a rectangle with corners of radius `r` to the path."""
    r = min(r, w / 2, h / 2)
    quarter = np.pi / 2
    ctx.new_sub_path()
    ctx.arc(x + w - r, y + r, r, -quarter, 0)
    ctx.arc(x + w - r, y + h - r, r, 0, quarter)
    ctx.arc(x + r, y + h - r, r, quarter, 2 * quarter)
    ctx.arc(x + r, y + r, r, 2 * quarter, 3 * quarter)
    ctx.close_path()
