"""Rules of the whole film: its time, its colours and its first frame."""

from collections.abc import Iterator
from itertools import combinations, product

import numpy as np
from coloraide import Color

from scenes import theme
from scenes.draw import motion
from scenes.draw.camera import FilmCamera
from scenes.draw.layout import UNIT
from scenes.lint.facts import bytes_of
from scenes.lint.moment import Moment, Problem, Rule
from scenes.lint.motion import Motion
from scenes.stage.shot import Section
from scenes.story.limits import reading_time

TURN = motion.LEAVE + motion.APPEAR
"""Seconds until a caption has come in; it waits for the one before to go."""
LONGEST = 60
OVER_MOTION = 1.3
SHARE, STRETCH = 0.25, 1.2
RESTS, REST = 3, 2.0
NAMED = 8
"""Stretches that a finding about the whole film names, the longest first."""
LEAST_INK, FAR = 0.08, 10.0
SHORT = 180
"""Pixels of the short side at which the first frame is drawn."""
LEAST = 15.0
VISIONS = {"normal vision": None, "deuteranopia": "deutan", "protanopia": "protan"}


class CaptionTime(Rule):
    """A caption stands for a second per 15 characters from when it has faded in.

    It comes within the first moments of the animation that brings it, and stands until the animation
    begins that takes it away. A caption that goes on into the next section goes on being counted.

    It has at most 60 characters; reading it takes at most 1.3 times the seconds in which the picture
    moves below it, and the rests besides.
    """

    name = "caption-time"

    def __init__(self) -> None:
        self._text = self._section = ""
        self._since = 0.0
        self._last: Moment | None = None
        self._rests: list[tuple[float, float]] = []

    def look(self, moment: Moment) -> Iterator[Problem]:
        self._last = moment
        text = moment.stage.caption
        if text == self._text:
            return
        yield from self._close(moment.began)
        self._text, self._section = text, moment.section
        self._since = min(moment.began + TURN, moment.now)
        if len(text) > LONGEST:
            detail = f"{len(text)} characters: at most {LONGEST}, in two shots or in other words"
            yield Problem((f"Caption {text!r}",), detail)

    def section_ended(self, moment: Moment, section: Section) -> None:
        self._rests += moment.stage.rests

    def finish(self, now: float) -> Iterator[Problem]:
        yield from self._close(now)

    def _close(self, end: float) -> Iterator[Problem]:
        if not self._text or self._last is None:
            return
        needed = reading_time(self._text)
        stood = end - self._since
        about = {"mobjects": (f"Caption {self._text!r}",), "at": self._since, "section": self._section}
        rests = {*self._rests, *self._last.stage.rests}
        rested = sum(b - a for a, b in rests if a >= self._since - 1e-3 and b <= end + 1e-3)
        moved = self._last.motion.seconds(self._since - TURN, end)
        if stood < needed - 1e-3:
            yield Problem(detail=f"stands {stood:.1f} s, reading it takes {needed:.1f} s", **about)
        elif needed > OVER_MOTION * moved + rested + 1e-3:
            detail = f"reading it takes {needed:.1f} s and the picture moves for {moved:.1f} s"
            yield Problem(detail=detail, **about)


class Still(Rule):
    """At most 25 % of a film stands still, at most 1.2 s at a time, longer by as much as it was asked to be slower,
    but for three rests of at most 2 s that shots declare."""

    name = "still"

    def __init__(self) -> None:
        self._motion = Motion()
        self._rests: list[tuple[float, float]] = []
        self._began: list[tuple[float, str]] = []
        self._most = STRETCH

    def section_began(self, moment: Moment, section: Section) -> None:
        self._motion, self._most = moment.motion, STRETCH * max(1.0, section.slowed)
        self._began.append((moment.now, section.key))

    def section_ended(self, moment: Moment, section: Section) -> Iterator[Problem]:
        for start, end in moment.stage.rests:
            self._rests.append((start, end))
            if end - start > REST + 1e-3:
                yield Problem((f"rest at {start:.2f}s",), f"lasts {end - start:.1f} s: at most {REST:.0f} s", at=start)
            if len(self._rests) > RESTS:
                yield Problem((f"rest at {start:.2f}s",), f"is one more than {RESTS}", at=start)

    def finish(self, now: float) -> Iterator[Problem]:
        stills = self._motion.stills(now)
        total = sum(end - start for start, end in stills)
        if total > SHARE * now + 1e-3:
            longest = sorted(stills, key=lambda span: span[0] - span[1])[:NAMED]
            named = ", ".join(f"{end - start:.1f} s at {start:.1f}" for start, end in longest)
            detail = f"stands still for {total:.1f} of {now:.1f} s, {total / now:.0%}: at most {SHARE:.0%}; {named}"
            yield Problem(("whole film",), detail, at=0.0, section=self._began[0][1])
        for start, end in stills:
            rested = sum(max(0.0, min(b, end) - max(a, start)) for a, b in self._rests)
            if end - start - rested > self._most + 1e-3:
                section = [key for time, key in self._began if time <= start + 1e-6][-1]
                detail = f"nothing moves for {end - start - rested:.1f} s: at most {self._most:.1f} s"
                yield Problem((f"whole picture at {start:.2f}s",), detail, at=start, section=section)


class FirstFrame(Rule):
    """At least 8 % of the first frame differ from the ground by more than 10 in lightness (CIE L*): it stands for
    the film wherever that is offered."""

    name = "first-frame"

    def __init__(self) -> None:
        self._seen = False

    def section_began(self, moment: Moment, section: Section) -> Iterator[Problem]:
        ink = 1.0 if self._seen else ink_of(moment)
        self._seen = True
        if ink < LEAST_INK:
            yield Problem(("first frame",), f"{ink:.1%} of it is ink: at least {LEAST_INK:.0%}")


def ink_of(moment: Moment) -> float:
    """The share of a moment's picture that is lighter or darker than the ground."""
    frame, ground = moment.picture.frame, moment.picture.theme.ground
    scale = SHORT / min(frame.width, frame.height)
    camera = FilmCamera(
        pixel_width=round(frame.width * scale),
        pixel_height=round(frame.height * scale),
        frame_width=frame.width / UNIT,
        frame_height=frame.height / UNIT,
        background_color=ground,
        frame_rate=15,
    )
    camera.capture_mobjects(moment.roots)
    lightness = l_star(camera.pixel_array[..., :3] / 255)
    return float(np.mean(np.abs(lightness - l_star(np.array(theme.rgb(ground)))) > FAR))


def l_star(srgb: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB colours 0..1, shape [..., 3]."""
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    y = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(y > 216 / 24389, 116 * np.cbrt(y) - 16, y * 24389 / 27)


def differences(first: str, second: str) -> dict[str, float]:
    """CIEDE2000 difference of two hex colours for each kind of vision.

    Colour-blind sight is simulated by coloraide's filters at full severity, which
    follow Viénot, Brettel and Mollon (1999).
    """
    result = {}
    for vision, simulation in VISIONS.items():
        a, b = (Color(c).filter(simulation) if simulation else Color(c) for c in (first, second))
        result[vision] = a.delta_e(b, method="2000")
    return result


class TaskColors(Rule):
    """The hues of its theme that a film uses differ by at least 15 (CIEDE2000), pair by pair, for colour-blind
    viewers too; and from the colours of the crowd and from the accent."""

    name = "task-colors"

    def __init__(self) -> None:
        self._hues: tuple[str, ...] = ()
        self._others: tuple[str, ...] = ()
        self._used: set[tuple[int, ...]] = set()

    def look(self, moment: Moment) -> None:
        look = moment.stage.view.theme
        self._hues, self._others = look.hues, (*look.crowd, look.accent)
        if moment.moved:
            for facts in moment.picture.facts.values():
                self._used |= facts.colors

    def finish(self, now: float) -> Iterator[Problem]:
        hues, others = (
            [c for c in colors if bytes_of(theme.rgb(c)) in self._used] for colors in (self._hues, self._others)
        )
        for first, second in (*combinations(hues, 2), *product(hues, others)):
            for vision, difference in differences(first, second).items():
                if difference < LEAST:
                    yield Problem((first, second), f"differ by only {difference:.1f} (CIEDE2000) in {vision}")
                    break
