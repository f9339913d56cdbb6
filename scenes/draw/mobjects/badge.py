"""Where the numbers come from: the device and the day of the recording."""

from __future__ import annotations

from manim import Group

from astrai_sim.trace import Header
from scenes import theme
from scenes.draw import fonts
from scenes.draw.layout import Box
from scenes.draw.mobjects.label import Label


def device_text(header: Header, width: float) -> str:
    """The device's name, shortened at a word to fit `width` pixels."""
    words = header.device.name.replace("(R)", "").replace("(TM)", "").split()
    if header.device.type == "cpu" and "CPU" not in header.device.name:
        words.append("CPU")
    while len(words) > 1 and fonts.width(" ".join(words), "sans", theme.SMALL) > width:
        words.pop()
    return " ".join(words)


class Badge(Group):
    """Two short lines, right-aligned in `box`: device and dtype, then the date.

    For an `unverified` trace, whose header may say anything, that word stands instead.
    """

    def __init__(self, header: Header, box: Box, unverified: bool | None = False) -> None:
        day = header.started[:10]
        first = device_text(header, box.w)
        second = f"{header.dtype} · recorded {day}"
        if header.model == "none":
            second = f"scheduler only · {day}"
        if unverified:
            first, second = "UNVERIFIED", f"trace of {day}"
        self.lines = [
            Label(text, theme.SMALL, "sans", theme.MUTED, (box.right, y), "right")
            for text, y in ((first, box.cy - 19), (second, box.cy + 19))
        ]
        super().__init__(*self.lines)
