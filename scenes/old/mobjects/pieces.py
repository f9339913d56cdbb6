"""Text as the fonts can write it."""

from __future__ import annotations

from scenes.draw import fonts
from scenes.measures import Said, joined

FACE = "sans"
UNKNOWN = "□"


def readable(text: str, face: str = FACE) -> str:
    """`text` with a box for every character that `face` does not hold; a `Said` stays one."""
    shown = "".join(char if fonts.holds(char, face) else UNKNOWN for char in text)
    try:
        fonts.shape(shown, face)
    except ValueError:
        shown = UNKNOWN * len(text)
    if not isinstance(text, Said) or shown == text:
        return text if shown == text else shown
    return joined("", (text.cut(at, at + 1) if char != UNKNOWN else char for at, char in enumerate(shown)))
