"""Labels on screen: what they say, what they draw, and who vouches for their digits.

A label is whatever has a `text`, the `said` that the text came as (None for a plain string), the
`outline` of a text in its place, and `points`. One that stands for the value of its place on an axis
has `value_at`, which gives the value of the axis `x` or `y` at a point.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from scenes.measures import CutMeasure, Measure
from scenes.truth import Witness, true_text
from scenes.truth.text import boxed
from scenes.truth.vouching import is_live
from scenes.truth.writing import WRITING

TOLERANCE = 1e-6
TICK = "tick"
"""The measure of a number on an axis: its place vouches for it."""
ANCHOR = 4
"""Leading points of a label that are its anchor."""


def labels_in(mobjects: Iterable[Any]) -> Iterator[Any]:
    """Labels among `mobjects` and their families, each once."""
    seen: set[int] = set()
    rest = list(mobjects)
    while rest:
        mobject = rest.pop()
        if id(mobject) in seen:
            continue
        seen.add(id(mobject))
        rest += mobject.submobjects
        if hasattr(mobject, "outline") and hasattr(mobject, "said"):
            yield mobject


def on_screen(mobjects: Iterable[Any], width: float, height: float) -> list[Any]:
    """Those that can be seen, in a frame of that size around the origin."""
    found = []
    for label in labels_in(mobjects):
        if len(label.points) <= ANCHOR or label.fill_rgbas[0, 3] <= 0:
            continue
        x, y = label.points[ANCHOR:, 0], label.points[ANCHOR:, 1]
        if x.max() > -width / 2 and x.min() < width / 2 and y.max() > -height / 2 and y.min() < height / 2:
            found.append(label)
    return found


def has_digit(text: str) -> bool:
    """Whether somebody must vouch for it."""
    return any(map(str.isdigit, text))


def live(label: Any) -> bool:
    """Whether a measure in it says what holds at the moment shown."""
    return label.said is not None and any(is_live(m) for m in label.said.measures)


def names(label: Any) -> str:
    """Which measures it shows."""
    return ", ".join(dict.fromkeys(measure.label for measure in label.said.measures)) or "wording"


class Writer:
    """Writes what labels should say; remembers what it has written."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self._known: dict[tuple, str] = {}

    def text(self, label: Any, at: float) -> str:
        """What a label that is `Said` should say while event `at` is the last one shown.

        Characters that its font lacks are boxes in the label: they are boxes here too.
        """
        truth = []
        for part in label.said.parts:
            if isinstance(part, CutMeasure):
                truth.append(self._written(part.measure, label, at)[part.start : part.end])
            else:
                truth.append(self._written(part, label, at) if isinstance(part, Measure) else part)
        return boxed("".join(truth), label.text)

    def _written(self, measure: Measure, label: Any, at: float) -> str:
        if measure.name == TICK:
            return WRITING[measure.form](label.value_at(dict(measure.args)["axis"], label.points[0]))
        key = (measure.name, measure.args, measure.form, at if is_live(measure) else None)
        if key not in self._known:
            try:
                self._known[key] = true_text(self.witness, measure, at)
            except LookupError as error:
                self._known[key] = f"(nothing: {error})"
        return self._known[key]


def drawn_otherwise(label: Any) -> bool:
    """Whether a label's points are not the outline of its text, where it stands and as large as it
    is: one on its way may have another size."""
    outline, points = label.outline(label.text), label.points
    if outline.shape != points.shape:
        return True
    shape, drawn = outline - outline[0], points - points[0]
    size = np.abs(shape).max()
    scale = np.abs(drawn).max() / size if size > TOLERANCE else 1.0
    return not np.allclose(shape * scale, drawn, rtol=0, atol=TOLERANCE)
