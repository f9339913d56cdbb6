"""Nothing stands within 5 % of the frame's edges."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scenes.lint.moment import Problem
from scenes.lint.picture import Picture, name
from scenes.lint.rules.base import PictureRule

TOLERANCE = 0.5


class SafeArea(PictureRule):
    """Every visible mobject, strokes included, lies within `Frame.safe` (to half a pixel)."""

    name = "safe-area"

    def judge(self, picture: Picture) -> Iterator[Problem]:
        safe = picture.frame.safe
        limits = np.array([safe.x, safe.y, -safe.right, -safe.bottom])
        sign = np.array([1, 1, -1, -1])
        beyond = limits - picture.boxes * sign
        for row in np.flatnonzero(np.any(beyond > TOLERANCE, axis=1)):
            side = int(np.argmax(beyond[row]))
            edge = ("left", "top", "right", "bottom")[side]
            detail = f"{beyond[row][side]:.0f} px beyond the safe area's {edge} edge"
            yield Problem((name(picture.members[row]),), detail)
