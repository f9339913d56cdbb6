"""Shapes: paths that are filled and stroked just as Manim's camera does it, and kept while they stay where they are."""

from typing import Any, Self

import cairo
import numpy as np
from manim import VMobject

LINE = 0.01
"""Manim units of a stroke's width of 1."""


class DrawnShape(VMobject):
    """A mobject that is drawn as one path: its arrays are replaced when it changes, never changed in place."""

    _cut: tuple[int, np.ndarray, list[bool]] | None = None

    def init_colors(self, propagate_colors: bool = True) -> Self:
        """White until it is told its colours, as Manim has it, which asks four times for each."""
        self.fill_rgbas = np.array([[1.0, 1.0, 1.0, self.fill_opacity]])
        self.stroke_rgbas = np.array([[1.0, 1.0, 1.0, self.stroke_opacity]])
        self.background_stroke_rgbas = np.array([[0.0, 0.0, 0.0, self.background_stroke_opacity]])
        return self

    @property
    def look(self) -> tuple[Any, ...]:
        """Everything that its picture comes from; the points first, which its path comes from."""
        return self.points, self.fill_rgbas, self.stroke_rgbas, self.stroke_width

    def reshaped(self) -> None:
        """Its outline is another, not only somewhere else."""
        self._cut = None

    def draw(self, ctx: cairo.Context, path: cairo.Path | None = None) -> cairo.Path | None:
        """Draw it on `ctx`, whose user space is Manim's, along the `path` that it had where it stands; gives the path.

        Colours are in the order of the camera's pixels: it holds RGBA in what Cairo takes for BGRA. None where it has
        nothing to show.
        """
        fill, stroke = self.fill_rgbas[0], self.stroke_rgbas[0]
        width = self.stroke_width
        filled, stroked = bool(fill[3]), bool(width and stroke[3])
        if not (filled or stroked):
            return path
        ctx.new_path()
        if path is None:
            self._trace(ctx)
            path = ctx.copy_path()
        else:
            ctx.append_path(path)
        if filled:
            ctx.set_source_rgba(fill[2], fill[1], fill[0], fill[3])
            ctx.fill_preserve()
        if stroked:
            ctx.set_source_rgba(stroke[2], stroke[1], stroke[0], stroke[3])
            ctx.set_line_width(width * LINE)
            ctx.set_line_join(cairo.LineJoin.MITER)
            ctx.set_line_cap(cairo.LineCap.BUTT)
            ctx.stroke_preserve()
        return path

    def _trace(self, ctx: cairo.Context) -> None:
        """Make the path of the points: a run for each subpath, closed where its ends meet."""
        points = self.points
        if self._cut is None or self._cut[0] != len(points):
            runs = self.get_subpath_split_indices_from_points(points, n_dims=2)
            closed = [bool(self.consider_points_equals_2d(points[a], points[b - 1])) for a, b in runs.tolist()]
            self._cut = len(points), runs, closed
        _, runs, closed = self._cut
        flat = points[: len(points) // 4 * 4, :2]
        starts, curves = flat[::4].tolist(), flat.reshape(-1, 4, 2)[:, 1:].reshape(-1, 6).tolist()
        curve_to = ctx.curve_to
        for (first, end), shut in zip((runs // 4).tolist(), closed, strict=True):
            ctx.new_sub_path()
            ctx.move_to(*starts[first])
            for curve in curves[first:end]:
                curve_to(*curve)
            if shut:
                ctx.close_path()
