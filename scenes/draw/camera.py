"""Cairo camera that also draws array-backed mobjects."""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from manim import Camera, Mobject

from scenes.draw.cells import CellField


class FilmCamera(Camera):
    """Manim's Cairo camera with one more kind of mobject: `CellField`.

    Its sizes and rate are numbers, which the base does not promise to type checkers.
    """

    pixel_width: Any
    pixel_height: Any
    frame_width: Any
    frame_height: Any
    frame_rate: Any

    def capture_mobjects(self, mobjects: Iterable[Mobject], **kwargs: Any) -> None:
        shown = self.get_mobjects_to_display(mobjects, **kwargs)
        group: Any
        for is_field, group in groupby(shown, lambda mobject: isinstance(mobject, CellField)):
            if not is_field:
                super().capture_mobjects(list(group), include_submobjects=False)
                continue
            ctx = self.get_cairo_context(self.pixel_array)
            for field in group:
                ctx.new_path()
                field.draw(ctx)
