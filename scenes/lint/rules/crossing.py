"""No arrow, line or border runs through text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from manim import VMobject

from scenes.draw.atoms import FLYING
from scenes.lint.geometry import crosses, segments
from scenes.lint.moment import Problem
from scenes.lint.picture import Picture, fill_of, name, stroke_px
from scenes.lint.rules.base import PictureRule


class Crossing(PictureRule):
    """No visible stroke enters the ink box of a label; nor does the head of an arrow. What flies over a
    label covers it."""

    name = "crossed-text"

    def judge(self, picture: Picture) -> Iterator[Problem]:
        for mobject, paths in picture.paths.items():
            width = stroke_px(mobject)
            if width <= 0 and not self._is_small_fill(mobject, paths):
                continue
            half = max(width / 2, 0.5)
            boxes = picture.inks + np.array([-half, -half, half, half])
            hit = crosses(segments(paths), boxes)
            for row in np.flatnonzero(hit):
                label = picture.labels[row]
                if (mobject.z_index >= FLYING) != (label.z_index >= FLYING):
                    continue
                yield Problem((name(mobject), name(label)), "runs through the text")

    @staticmethod
    def _is_small_fill(mobject: VMobject, paths: Sequence[np.ndarray]) -> bool:
        """Whether an unstroked shape is as small as an arrow's head."""
        if fill_of(mobject)[3] <= 0 or not paths:
            return False
        corners = np.concatenate(paths)
        return bool(np.all(corners.max(axis=0) - corners.min(axis=0) <= 24))
