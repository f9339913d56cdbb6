"""Cairo camera that also draws array-backed mobjects."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from manim import Camera, Mobject

from scenes.draw.cells import CellField


class FilmCamera(Camera):
    """Manim's Cairo camera with one more kind of mobject: `CellField`."""

    def capture_mobjects(self, mobjects: Iterable[Mobject], **kwargs: Any) -> None:
        shown = self.get_mobjects_to_display(mobjects, **kwargs)
        for is_field, group in groupby(shown, lambda mobject: isinstance(mobject, CellField)):
            if is_field:
                self._draw_fields(group)
            else:
                super().capture_mobjects(list(group), include_submobjects=False)

    def _draw_fields(self, fields: Iterable[CellField]) -> None:
        ctx = self.get_cairo_context(self.pixel_array)
        scale = self.pixel_width / self.frame_width
        for field in fields:
            ctx.new_path()
            field.draw(ctx, scale)
