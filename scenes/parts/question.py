"""Sentences: what a film asks, what it says below the picture, and what it comes to."""

from collections.abc import Sequence
from dataclasses import dataclass

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Text
from scenes.draw.layout import Box
from scenes.measures import Said
from scenes.parts.part import Atoms, Part, Room, View

FACE, PITCH = "sans-bold", 1.25


@dataclass(frozen=True)
class Caption(Part):
    """One sentence, on one line where it fits, else on two of about the same width."""

    place = "words"

    text: str = ""

    def draw(self, view: View, box: Box) -> Atoms:
        return sentence(self.text, theme.CAPTION, view, box, 0.62, "sans-medium")


@dataclass(frozen=True)
class Question(Part):
    """The question that a film answers, in the largest type of a sentence."""

    place = "top"

    text: str = ""

    def room(self, view: View, width: float) -> Room:
        height = (len(balanced(self.text, FACE, theme.QUESTION, width)) * PITCH + 0.3) * theme.QUESTION
        return Room(height, height)

    def draw(self, view: View, box: Box) -> Atoms:
        return sentence(self.text, theme.QUESTION, view, box)


@dataclass(frozen=True)
class Takeaway(Part):
    """One sentence and one number, with what it counts, or the sentence `alone`, above the place for both: what is left
    of a film."""

    place = "top"

    text: str = ""
    number: str = ""
    unit: str = ""
    alone: bool = False

    def room(self, view: View, width: float) -> Room:
        height = len(balanced(self.text, FACE, theme.TAKEAWAY, width)) * PITCH * theme.TAKEAWAY
        if self.number:
            units = balanced(self.unit, "sans", theme.LABEL, width)
            height += theme.NUMBER * 1.05 + theme.LABEL * (1.6 + PITCH * (len(units) - 1))
        return Room(height, height)

    def draw(self, view: View, box: Box) -> Atoms:
        t, big, label = view.theme, theme.NUMBER, theme.LABEL
        yield from sentence(self.text, theme.TAKEAWAY, view, box, early=False)
        if not self.number or self.alone:
            return
        units = balanced(self.unit, "sans", label, box.w)
        top = box.bottom - (0.7 + PITCH * (len(units) - 1)) * label
        at = (box.x, top - 0.9 * label - 0.5 * big)
        yield ("number",), Text(self.number, at, px=big, face="mono-bold", color=t.accent)
        for i, line in enumerate(units):
            yield ("unit", i), Text(line, (box.x, top + i * PITCH * label), px=label, color=t.muted)


def sentence(
    text: str, px: float, view: View, box: Box, first: float = 0.5, face: str = FACE, early: bool = True
) -> Atoms:
    """A sentence at the top of `box`, its `first` line so many em below that; `early` is as of `Text`."""
    for i, line in enumerate(balanced(text, face, px, box.w)):
        at = (box.x, box.y + (first + i * PITCH) * px)
        yield (text, i), Text(line, at, px=px, face=face, color=view.theme.text, early=early)


def wrapped(text: str, face: str, px: float, width: float) -> list[str]:
    """`text` broken at blanks into lines no wider than `width` pixels."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and fonts.width(longer, face, px) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def balanced(text: str, face: str, px: float, width: float) -> Sequence[str]:
    """As few lines as it takes, broken so that the widest is as narrow as can be; those of a `Said` are, too."""
    lines = wrapped(text, face, px, width)
    low, high = 0.0, width
    while len(lines) > 1 and high - low > 8:
        middle = (low + high) / 2
        tried = wrapped(text, face, px, middle)
        fits = len(tried) == len(lines) and all(fonts.width(line, face, px) <= middle for line in tried)
        low, high = (low, middle) if fits else (middle, high)
    lines = wrapped(text, face, px, high)
    return text.lines(lines) if isinstance(text, Said) else lines
