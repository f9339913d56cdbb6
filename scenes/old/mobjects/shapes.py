"""Filled and outlined boxes placed by design pixels."""

from __future__ import annotations

from manim import RoundedRectangle, VMobject

from scenes import theme
from scenes.draw.layout import FRAME, UNIT, Box


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


def bands(box: Box, count: int) -> list[Panel]:
    """`count` dark bands along `box`: they tell apart what would have the same colour."""
    pitch = box.h / (count + 1)
    height = min(0.12 * box.h, 0.4 * pitch)
    return [
        Panel(Box(box.x + 2, box.y + (i + 1) * pitch - height / 2, box.w - 4, height), fill=theme.PANEL, radius=1)
        for i in range(count)
    ]


class DashedBox(VMobject):
    """The outline of `box` in dashes of `dash` pixels, corners left out."""

    def __init__(self, box: Box, color: str, stroke_px: float = 2.5, dash: float = 9.0) -> None:
        super().__init__(stroke_color=color, stroke_width=stroke_px * 100 / UNIT, fill_opacity=0)
        sides = (
            ((box.x, box.y), (box.right, box.y)),
            ((box.right, box.y), (box.right, box.bottom)),
            ((box.right, box.bottom), (box.x, box.bottom)),
            ((box.x, box.bottom), (box.x, box.y)),
        )
        for (x0, y0), (x1, y1) in sides:
            length = abs(x1 - x0) + abs(y1 - y0)
            count = max(1, round((length - dash) / (2 * dash)))
            step = length / (count + 0.5) / 2
            for i in range(count):
                a, b = (step * (2 * i + 1)) / length, (step * (2 * i + 2)) / length
                self.start_new_path(FRAME.point(x0 + (x1 - x0) * a, y0 + (y1 - y0) * a))
                self.add_line_to(FRAME.point(x0 + (x1 - x0) * b, y0 + (y1 - y0) * b))


class Hatching(VMobject):
    """Slanted lines of `color` all over `box`, `pitch` pixels apart."""

    def __init__(self, box: Box, color: str, pitch: float = 12.0, stroke_px: float = 4.0) -> None:
        super().__init__(stroke_color=color, stroke_width=stroke_px * 100 / UNIT, fill_opacity=0)
        for i in range(1, int((box.w + box.h) // pitch) + 1):
            at = i * pitch
            low, high = max(0.0, at - box.h), min(at, box.w)
            self.start_new_path(FRAME.point(box.x + low, box.y + at - low))
            self.add_line_to(FRAME.point(box.x + high, box.y + at - high))
