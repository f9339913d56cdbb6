"""One line of text as a single vectorised mobject."""

from __future__ import annotations

import numpy as np
from manim import VMobject

from scenes import theme
from scenes.draw import fonts
from scenes.draw.layout import FRAME, UNIT, Frame
from scenes.measures import Said

ALIGN = {"left": 0.0, "center": 0.5, "right": 1.0}


class Label(VMobject):
    """Text from the project's fonts, anchored at a design pixel.

    Parameters
    ----------
    text
        One line; may be empty.
    px
        Em size in design pixels.
    face
        A key of `scenes.draw.fonts.FACES`.
    at
        Design pixel of the anchor: x of the `align` edge, y of the middle of
        the capitals.
    background
        Hex colour behind the text where that is not the film's background;
        the lint reads it for the contrast rule.

    `said` is the text with its measures, by which others can vouch for what is drawn; None
    where it was given as a plain string.

    The first four points are the anchor itself (a curve of no length), so that
    the anchor moves with the text and `set_text` keeps its place.
    """

    def __init__(
        self,
        text: str,
        px: float = theme.BODY,
        face: str = "sans",
        color: str = theme.TEXT,
        at: tuple[float, float] = (0, 0),
        align: str = "left",
        background: str | None = None,
        frame: Frame = FRAME,
    ) -> None:
        super().__init__(stroke_width=0, fill_color=color, fill_opacity=1)
        self.frame = frame
        self.px = px
        self.face = face
        self.align = align
        self.background = background
        self.text_color = color
        self.text = ""
        self.said: Said | None = None
        self.points = np.repeat(frame.point(*at)[None, :], 4, axis=0)
        self.set_text(text)

    @property
    def anchor(self) -> np.ndarray:
        """Manim coordinates of the anchor, shape [3]."""
        return self.points[0].copy()

    @property
    def width_px(self) -> float:
        """Advance width in design pixels."""
        return fonts.width(self.text, self.face, self.px)

    def outline(self, text: str) -> np.ndarray:
        """Points, shape [n, 3], that `text` would have in this label's place."""
        anchor = self.points[0]
        shaped = fonts.shape(text, self.face)
        em = self.px / UNIT
        x0 = -ALIGN[self.align] * shaped.advance
        y0 = -fonts.metrics(self.face).cap_height / 2
        glyphs = np.zeros((len(shaped.points), 3))
        glyphs[:, :2] = (shaped.points + (x0, y0)) * em
        return np.concatenate([np.repeat(anchor[None, :], 4, axis=0), glyphs + anchor])

    def set_text(self, text: str) -> Label:
        """Show `text` instead, at the same anchor."""
        self.points = self.outline(text)
        self.text = text
        self.said = text if isinstance(text, Said) else None
        return self

    def ink(self) -> tuple[float, float, float, float] | None:
        """Bounds of the glyphs in design pixels (left, top, right, bottom); None if blank."""
        glyphs = self.points[4:]
        if not len(glyphs):
            return None
        left, top = self.frame.pixel((glyphs[:, 0].min(), glyphs[:, 1].max()))
        right, bottom = self.frame.pixel((glyphs[:, 0].max(), glyphs[:, 1].min()))
        return left, top, right, bottom
