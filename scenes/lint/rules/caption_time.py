"""Every caption stands long enough to be read, over movement, and is short."""

from __future__ import annotations

from collections.abc import Iterator

from scenes.draw import motion
from scenes.lint.moment import Moment, Problem, Rule
from scenes.stage.shot import Section
from scenes.story.limits import reading_time

TURN = motion.LEAVE + motion.APPEAR
"""Seconds until a caption has come in; it waits for the one before to go."""
LONGEST = 60
OVER_MOTION = 1.3


class CaptionTime(Rule):
    """A caption stands for a second per 15 characters from when it has faded in.

    It comes within the first moments of the animation that brings it, and stands until the animation
    begins that takes it away. A caption that goes on into the next section goes on being counted.

    It has at most 60 characters; reading it takes at most 1.3 times the seconds in which the picture
    moves below it, and the rests besides.
    """

    name = "caption-time"

    def __init__(self) -> None:
        self._text = ""
        self._since = 0.0
        self._section = ""
        self._last: Moment | None = None
        self._rests: list[tuple[float, float]] = []

    def look(self, moment: Moment) -> Iterator[Problem]:
        self._last = moment
        text = moment.stage.caption if moment.stage is not None else ""
        if text == self._text:
            return
        yield from self._close(moment.began)
        self._text = text
        self._since = min(moment.began + TURN, moment.now)
        self._section = moment.section
        if moment.stage is not None and len(text) > LONGEST:
            detail = f"{len(text)} characters: at most {LONGEST}, in two shots or in other words"
            yield Problem((f"Caption {text!r}",), detail)

    def section_ended(self, moment: Moment, section: Section) -> Iterator[Problem]:
        self._rests += moment.stage.rests if moment.stage else []
        yield from ()

    def finish(self, now: float) -> Iterator[Problem]:
        yield from self._close(now)

    def _close(self, end: float) -> Iterator[Problem]:
        if not self._text:
            return
        needed = reading_time(self._text)
        stood = end - self._since
        about = {"mobjects": (f"Caption {self._text!r}",), "at": self._since, "section": self._section}
        if stood < needed - 1e-3:
            yield Problem(detail=f"stands {stood:.1f} s, reading it takes {needed:.1f} s", **about)
        elif self._last is not None and self._last.stage is not None:
            rests = self._rests + self._last.stage.rests
            rested = sum(b - a for a, b in set(rests) if a >= self._since - 1e-3 and b <= end + 1e-3)
            moved = self._last.motion.seconds(self._since - TURN, end)
            if needed > OVER_MOTION * moved + rested + 1e-3:
                detail = f"reading it takes {needed:.1f} s and the picture moves for {moved:.1f} s"
                yield Problem(detail=detail, **about)
