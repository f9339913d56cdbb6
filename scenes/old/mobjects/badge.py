"""Where the numbers come from: the device and the day of the recording."""

from __future__ import annotations

from manim import Group

from astrai_sim.trace import Header
from scenes import theme
from scenes.draw import fonts
from scenes.draw.label import Label
from scenes.draw.layout import Box
from scenes.measures import Said, say, written


def device_text(header: Header, width: float) -> Said:
    """The device's name, shortened at a word to fit `width` pixels."""
    words = header.device.name.replace("(R)", "").replace("(TM)", "").split()
    if header.device.type == "cpu" and "CPU" not in header.device.name:
        words.append("CPU")
    whole = written("header.device", " ".join(words), "name")
    while len(words) > 1 and fonts.width(" ".join(words), "sans", theme.SMALL) > width:
        words.pop()
    return whole.cut(0, len(" ".join(words)))


class Badge(Group):
    """Two short lines, right-aligned in `box`: device and dtype, then the date.

    For an `unverified` trace, whose header may say anything, that word stands instead.
    """

    def __init__(self, header: Header, box: Box, unverified: bool | None = False) -> None:
        day = written("header.day", header.started[:10], "name")
        first = device_text(header, box.w)
        second = say("{} · recorded {}", written("header.dtype", header.dtype, "name"), day)
        if header.model == "none":
            second = say("scheduler only · {}", day)
        if unverified:
            first, second = "UNVERIFIED", say("trace of {}", day)
        self.lines = [
            Label(text, theme.SMALL, "sans", theme.MUTED, (box.right, y), "right")
            for text, y in ((first, box.cy - 19), (second, box.cy + 19))
        ]
        super().__init__(*self.lines)
