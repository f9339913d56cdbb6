"""No glyphs too small to read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from manim import Code, MarkupText, Paragraph, Text
from manim.mobject.text.tex_mobject import SingleStringMathTex

from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import UNIT
from scenes.lint.moment import Problem
from scenes.lint.picture import Picture, name
from scenes.lint.rules.base import PictureRule

CAP_HEIGHT = 20.0
X_HEIGHT = 11.0
FOREIGN = (Text, MarkupText, Paragraph, Code, SingleStringMathTex)


def scale_of(label: Label) -> float:
    """How many times higher the label's ink is than its em size makes it."""
    drawn = np.ptp(label.points[4:, 1])
    meant = np.ptp(fonts.shape(label.text, label.face).points[:, 1]) * label.px / UNIT
    return drawn / meant if meant else 1.0


class GlyphSize(PictureRule):
    """Capitals are at least 20 px high and x-heights 11 px, on a screen whose short side has 1080.

    Measured from the face's metrics, the label's em size and the scale that its
    outline has been given since. Text that is not a `Label` has no known face
    and is refused.
    """

    name = "glyph-size"

    def judge(self, picture: Picture) -> Iterator[Problem]:
        for label in picture.labels:
            metrics = fonts.metrics(label.face)
            em = label.px * scale_of(label) * picture.frame.zoom
            cap, low = metrics.cap_height * em, metrics.x_height * em
            if cap < CAP_HEIGHT - 1e-3 or low < X_HEIGHT - 1e-3:
                detail = f"capitals {cap:.1f} px, x-height {low:.1f} px"
                yield Problem((name(label),), detail)
        for mobject in picture.family:
            if isinstance(mobject, FOREIGN):
                yield Problem((name(mobject),), "text that is not a Label")
