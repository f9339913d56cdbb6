"""Filled and outlined boxes placed by design pixels."""

from __future__ import annotations

from manim import RoundedRectangle

from scenes.layout import FRAME, UNIT, Box


class Panel(RoundedRectangle):
    """A rounded box; `fill` and `stroke` are hex colours or None for none."""

    def __init__(
        self,
        box: Box,
        fill: str | None = None,
        stroke: str | None = None,
        stroke_px: float = 2.0,
        radius: float = 8.0,
        fill_opacity: float = 1.0,
    ) -> None:
        radius = min(radius, box.w / 2.01, box.h / 2.01)
        super().__init__(
            corner_radius=radius / UNIT,
            width=box.w / UNIT,
            height=box.h / UNIT,
            fill_color=fill or stroke,
            fill_opacity=fill_opacity if fill else 0.0,
            stroke_color=stroke or fill,
            stroke_width=stroke_px * 100 / UNIT if stroke else 0.0,
        )
        self.move_to(FRAME.point(box.cx, box.cy))

    @property
    def box(self) -> Box:
        """Where the panel is now, in design pixels."""
        left, top = FRAME.pixel((self.points[:, 0].min(), self.points[:, 1].max()))
        right, bottom = FRAME.pixel((self.points[:, 0].max(), self.points[:, 1].min()))
        return Box(left, top, right - left, bottom - top)
