"""Every caption stands long enough to be read."""

from __future__ import annotations

from collections.abc import Iterator

from scenes.lint.moment import Moment, Problem
from scenes.old.mobjects.caption import Caption, CaptionText
from scenes.story.limits import reading_time

FADE = 0.5


class CaptionTime:
    """A caption stands for a second per 15 characters from when it has faded in.

    It fades in within the first half second of the animation that brings it,
    and stands until the animation begins that takes it away. A caption that goes
    on into the next section goes on being counted.
    """

    name = "caption-time"

    def __init__(self) -> None:
        self._text = ""
        self._since = 0.0
        self._section = ""

    def look(self, moment: Moment) -> Iterator[Problem]:
        text = self._shown(moment)
        if text == self._text:
            return
        yield from self._close(moment.began)
        self._text = text
        self._since = min(moment.began + FADE, moment.now)
        self._section = moment.section

    def finish(self, now: float) -> Iterator[Problem]:
        yield from self._close(now)

    def _close(self, end: float) -> Iterator[Problem]:
        needed = reading_time(self._text)
        stood = end - self._since
        if self._text and stood < needed - 1e-3:
            yield Problem(
                (f"Caption {self._text!r}",),
                f"stands {stood:.1f} s, reading it takes {needed:.1f} s",
                at=self._since,
                section=self._section,
            )

    @staticmethod
    def _shown(moment: Moment) -> str:
        for mobject in moment.picture.family:
            if isinstance(mobject, Caption | CaptionText) and mobject.text:
                return mobject.text
        return ""
