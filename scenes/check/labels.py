"""Labels on screen: what they say, what they draw, and who vouches for their digits.

A label is whatever has a `text`, the `said` that the text came as (None for a plain string), the
`outline` of a text in its place, and `points`. One that stands for the value of its place on an axis
has `value_there`, which reads that value back from where it stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from scenes.measures import Measure, Piece, Said
from scenes.truth import Witness, true_text
from scenes.truth.vouching import is_live
from scenes.truth.writing import WRITING

TOLERANCE = 1e-6
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


def vouched(label: Any) -> bool:
    """Whether it says where its digits come from."""
    return label.said is not None or hasattr(label, "value_there")


def live(label: Any) -> bool:
    """Whether a measure in it says what holds at the moment shown."""
    return label.said is not None and any(is_live(m.name, dict(m.args)) for m in label.said.measures)


def names(label: Any) -> str:
    """Which measures it shows."""
    if label.said is None:
        return "tick" if hasattr(label, "value_there") else "label"
    return ", ".join(dict.fromkeys(measure.label for measure in label.said.measures)) or "wording"


class Writer:
    """Writes what labels should say; remembers what it has written."""

    def __init__(self, witness: Witness) -> None:
        self.witness = witness
        self._known: dict[tuple, str] = {}

    def text(self, label: Any, at: int) -> str:
        """What a vouched label should say while event `at` is the last one shown."""
        if label.said is None:
            number, blank, unit = label.text.partition(" ")
            return f"{WRITING['tick'](label.value_there())}{blank}{unit if not has_digit(unit) else '?'}"
        return self.said(label.said, at)

    def said(self, said: Said, at: int) -> str:
        """A text with every measure in it computed and written again."""
        texts = []
        for part in said.parts:
            if isinstance(part, Piece):
                texts.append(self._measure(part.measure, at)[part.start : part.end])
            else:
                texts.append(self._measure(part, at) if isinstance(part, Measure) else part)
        return "".join(texts)

    def _measure(self, measure: Measure, at: int) -> str:
        args = dict(measure.args)
        key = (measure.name, measure.args, measure.form, at if is_live(measure.name, args) else None)
        if key not in self._known:
            try:
                self._known[key] = true_text(self.witness, measure.name, args, measure.form, at)
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
