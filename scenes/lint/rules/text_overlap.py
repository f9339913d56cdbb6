"""No text stands on another."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scenes.draw.atoms import FLYING
from scenes.lint.moment import Moment, Problem
from scenes.lint.picture import Picture, name
from scenes.lint.rules.base import PictureRule

TOLERANCE = 0.5


class TextOverlap(PictureRule):
    """Ink boxes of different labels do not overlap by more than half a pixel, on their way either; what
    flies has a ground of its own and may cover what stands."""

    name = "text-overlap"

    def within(self, moment: Moment) -> Iterator[Problem]:
        yield from self.judge(moment.picture)

    def judge(self, picture: Picture) -> Iterator[Problem]:
        boxes = picture.inks
        low = np.maximum(boxes[:, None, :2], boxes[None, :, :2])
        high = np.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
        shared = (high - low).min(axis=2)
        flies = np.array([label.z_index >= FLYING for label in picture.labels])
        shared[flies[:, None] != flies[None, :]] = 0.0
        for i, j in np.argwhere(np.triu(shared > TOLERANCE, k=1)):
            labels = (name(picture.labels[i]), name(picture.labels[j]))
            w, h = high[i, j] - low[i, j]
            yield Problem(labels, f"one over the other by {w:.0f} x {h:.0f} px")
