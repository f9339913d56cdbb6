"""What labels draw against what they say."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from manim import Mobject

from scenes.check.recorded import Difference
from scenes.draw.mobjects.label import Label

TOLERANCE = 1e-6


def misdrawn(mobjects: Iterable[Mobject]) -> Iterator[Difference]:
    """Labels among `mobjects` and their families whose outline is not that of their text.

    The other fields are read from the labels' texts; this is what makes that reading
    one of the picture.
    """
    seen: set[int] = set()
    for mobject in mobjects:
        for label in mobject.get_family():
            if not isinstance(label, Label) or id(label) in seen:
                continue
            seen.add(id(label))
            outline = label.outline(label.text)
            if outline.shape != label.points.shape or not np.allclose(outline, label.points, rtol=0, atol=TOLERANCE):
                yield Difference("drawn text", "the outline of another text", label.text)
