"""Sizes, frame rates, frames and themes in which films are rendered."""

from __future__ import annotations

from dataclasses import dataclass, replace

from scenes.draw.layout import WIDE, Frame
from scenes.theme import DARK, Theme


@dataclass(frozen=True)
class Quality:
    """Width and height in pixels (both even, in the shape of `frame`) and frames a second."""

    name: str
    width: int
    height: int
    fps: int
    frame: Frame = WIDE
    theme: Theme = DARK

    def shaped(self, frame: Frame = WIDE, theme: Theme = DARK) -> Quality:
        """The same in another frame, whose short side has as many pixels, and another theme."""
        if (frame, theme) == (self.frame, self.theme):
            return self
        short = min(self.width, self.height)
        long = 2 * round(short * max(frame.width, frame.height) / min(frame.width, frame.height) / 2)
        width, height = (long, short) if frame.width > frame.height else (short, long)
        words = [self.name, *([frame.name.replace(":", "x")] if frame != WIDE else ())]
        words += [theme.name] if theme != DARK else []
        return replace(self, name="-".join(words), width=width, height=height, frame=frame, theme=theme)


FINAL = Quality("final", 1920, 1080, 60)
PREVIEW = Quality("preview", 854, 480, 15)
QUALITIES = {quality.name: quality for quality in (FINAL, PREVIEW)}
