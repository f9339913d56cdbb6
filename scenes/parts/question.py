"""What a film asks, over the picture that makes one ask it; and what it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass

from scenes import theme
from scenes.draw.atoms import Text
from scenes.draw.layout import Box
from scenes.parts.caption import PITCH, balanced
from scenes.parts.part import Atoms, Part, Room, View

FACE = "sans-bold"


@dataclass(frozen=True)
class Question(Part):
    """The question that a film answers, in the largest type of a sentence."""

    place = "top"

    text: str = ""

    def room(self, view: View, width: float) -> Room:
        px = theme.QUESTION
        height = len(balanced(self.text, FACE, px, width)) * PITCH * px + 0.3 * px
        return Room(height, height)

    def draw(self, view: View, box: Box) -> Atoms:
        yield from sentence(self.text, theme.QUESTION, view, box)


@dataclass(frozen=True)
class Takeaway(Part):
    """One sentence and one number, with what it counts: what is left of a film."""

    place = "top"

    text: str = ""
    number: str = ""
    unit: str = ""

    def room(self, view: View, width: float) -> Room:
        px = theme.TAKEAWAY
        words = len(balanced(self.text, FACE, px, width)) * PITCH * px
        below = 1.6 + PITCH * (len(self._units(view, width)) - 1)
        number = theme.NUMBER * 1.05 + theme.LABEL * below if self.number else 0.0
        return Room(words + number, words + number)

    def draw(self, view: View, box: Box) -> Atoms:
        px, t = theme.TAKEAWAY, view.theme
        yield from sentence(self.text, px, view, box, early=False)
        if not self.number:
            return
        big, label = theme.NUMBER, theme.LABEL
        units = self._units(view, box.w)
        top = box.bottom - (0.7 + PITCH * (len(units) - 1)) * label
        at = (box.x, top - 0.9 * label - 0.5 * big)
        yield ("number",), Text(self.number, at, px=big, face="mono-bold", color=t.accent)
        for i, line in enumerate(units):
            yield ("unit", i), Text(line, (box.x, top + i * PITCH * label), px=label, color=t.muted)

    def _units(self, view: View, width: float) -> Sequence[str]:
        """The lines of what the number counts."""
        return balanced(self.unit, "sans", theme.LABEL, width)


def sentence(text: str, px: float, view: View, box: Box, early: bool = True) -> Atoms:
    """A sentence in large type at the top of `box`; `early` as of `Text`."""
    for i, line in enumerate(balanced(text, FACE, px, box.w)):
        at = (box.x, box.y + (0.5 + i * PITCH) * px)
        yield (text, i), Text(line, at, px=px, face=FACE, color=view.theme.text, early=early)
