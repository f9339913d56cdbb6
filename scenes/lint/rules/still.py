"""A film told in shots moves: it stands still for a quarter of its length at most, and never for long."""

from __future__ import annotations

from collections.abc import Iterator

from scenes.lint.moment import Moment, Problem, Rule
from scenes.lint.motion import Motion
from scenes.stage.shot import Section

SHARE, STRETCH = 0.25, 1.2
RESTS, REST = 3, 2.0
NAMED = 8
"""Stretches that a finding about the whole film names, the longest first."""


class Still(Rule):
    """At most 25 % of a film stands still, at most 1.2 s at a time, but for three rests of at most
    2 s that shots declare."""

    name = "still"

    def __init__(self) -> None:
        self._motion: Motion | None = None
        self._rests: list[tuple[float, float]] = []
        self._began: list[tuple[float, str]] = []

    def section_began(self, moment: Moment, section: Section) -> Iterator[Problem]:
        self._motion = moment.motion
        self._began.append((moment.now, section.key))
        yield from ()

    def section_ended(self, moment: Moment, section: Section) -> Iterator[Problem]:
        for start, end in moment.stage.rests if moment.stage else []:
            self._rests.append((start, end))
            if end - start > REST + 1e-3:
                yield Problem((f"rest at {start:.2f}s",), f"lasts {end - start:.1f} s: at most {REST:.0f} s", at=start)
            if len(self._rests) > RESTS:
                yield Problem((f"rest at {start:.2f}s",), f"is one more than {RESTS}", at=start)

    def finish(self, now: float) -> Iterator[Problem]:
        if self._motion is None:
            return
        stills = self._motion.stills(now)
        total = sum(end - start for start, end in stills)
        if total > SHARE * now + 1e-3:
            longest = sorted(stills, key=lambda span: span[0] - span[1])[:NAMED]
            named = ", ".join(f"{end - start:.1f} s at {start:.1f}" for start, end in longest)
            detail = f"stands still for {total:.1f} of {now:.1f} s, {total / now:.0%}: at most {SHARE:.0%}; {named}"
            yield Problem(("whole film",), detail, at=0.0, section=self._began[0][1])
        for start, end in stills:
            rested = sum(max(0.0, min(b, end) - max(a, start)) for a, b in self._rests)
            if end - start - rested > STRETCH + 1e-3:
                section = [key for time, key in self._began if time <= start + 1e-6][-1]
                detail = f"nothing moves for {end - start - rested:.1f} s: at most {STRETCH} s"
                yield Problem((f"whole picture at {start:.2f}s",), detail, at=start, section=section)
