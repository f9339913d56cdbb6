"""The sentence below the picture."""

from collections.abc import Sequence
from dataclasses import dataclass

from scenes import theme
from scenes.draw import fonts
from scenes.draw.atoms import Text
from scenes.draw.layout import Box
from scenes.measures import Said
from scenes.parts.part import Atoms, Part, View

FACE = "sans-medium"
PITCH = 1.25


@dataclass(frozen=True)
class Caption(Part):
    """One sentence, on one line where it fits, else on two of about the same width."""

    place = "words"

    text: str = ""

    def draw(self, view: View, box: Box) -> Atoms:
        px = theme.CAPTION
        for i, line in enumerate(balanced(self.text, FACE, px, box.w)):
            at = (box.x, box.y + (0.62 + i * PITCH) * px)
            yield (self.text, i), Text(line, at, px=px, face=FACE, color=view.theme.text, early=True)


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
