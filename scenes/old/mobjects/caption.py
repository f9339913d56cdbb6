"""The sentence at the bottom of the picture."""

from __future__ import annotations

from manim import Animation, Group

from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said
from scenes.old.animations import AppearIn, Vanish
from scenes.parts.words import readable

LINE = 40
STOPS = ".,:;"
PUNCTUATED = 0.18
"""Share of the width by which a line may be longer to end at one of `STOPS`."""


def wrap(text: str, face: str, px: float, width: float) -> list[str]:
    """Break `text` at blanks into lines no wider than `width` pixels."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and fonts.width(longer, face, px) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def balanced(text: str, face: str, px: float, width: float) -> list[str]:
    """`text` on one line where it fits, else on two of about the same width.

    A break after a stop or comma is preferred to one that is a little more even.
    Raises ValueError where the text needs more than two lines.
    """
    lines = wrap(text, face, px, width)
    if len(lines) > 2:
        raise ValueError(f"caption does not fit two lines: {text!r}")
    if len(lines) < 2:
        return lines
    words = text.split()
    breaks = [(" ".join(words[:i]), " ".join(words[i:])) for i in range(1, len(words))]

    def cost(pair: tuple[str, str]) -> float:
        longer = max(fonts.width(line, face, px) for line in pair)
        if longer > width:
            return longer + width
        return longer - (PUNCTUATED * width if pair[0][-1] in STOPS else 0.0)

    return list(min(breaks, key=cost))


def _said_lines(text: str, lines: list[str]) -> list[str]:
    return [*text.lines(lines)] if isinstance(text, Said) else lines


class CaptionText(Group):
    """One caption, on one or two lines in `box`.

    Raises ValueError where the text needs more than two lines.
    """

    def __init__(self, text: str, box: Box) -> None:
        self.text = text = readable(text, "sans-medium")
        lines = _said_lines(text, balanced(text, "sans-medium", theme.BODY, box.w))
        offset = -LINE / 2 * (len(lines) - 1)
        super().__init__(
            *(
                Label(line, theme.BODY, "sans-medium", theme.TEXT, (box.x, box.cy + offset + i * LINE))
                for i, line in enumerate(lines)
            )
        )


class Caption(Group):
    """Holds the caption that stands now."""

    def __init__(self, box: Box) -> None:
        self.box = box
        self.current: CaptionText | None = None
        super().__init__()

    @property
    def text(self) -> str:
        """The sentence on screen, '' when there is none."""
        return self.current.text if self.current else ""

    def show(self, text: str) -> None:  # type: ignore[override]
        """Show `text` at once."""
        self.current = CaptionText(text, self.box)
        self.submobjects = [self.current]

    def change(self, text: str) -> list[Animation]:
        """Replace the sentence."""
        animations: list[Animation] = []
        if self.current is not None:
            old = self.current
            self.remove(old)
            animations.append(Vanish(old, seconds=0.2))
        self.current = CaptionText(text, self.box)
        animations.append(AppearIn(self, self.current, seconds=0.3, delay=0.2))
        return animations
