"""The picture never stands still for long."""

from __future__ import annotations

from collections.abc import Iterator

from scenes.lint.moment import Moment, Problem, Rule

LONGEST = 4.0


class Stillness(Rule):
    """No more than 4 s of waits in a row, also where one section follows another.

    Films told in shots have a stricter rule, `Still`.
    """

    name = "stillness"

    def __init__(self) -> None:
        self._since = 0.0
        self._section = ""
        self._still = False

    def look(self, moment: Moment) -> Iterator[Problem]:
        if moment.stage is not None:
            return
        if moment.moved:
            if moment.now > moment.began:
                yield from self._close(moment.began)
        elif not self._still:
            self._still, self._since, self._section = True, moment.began, moment.section

    def finish(self, now: float) -> Iterator[Problem]:
        yield from self._close(now)

    def _close(self, end: float) -> Iterator[Problem]:
        length = end - self._since
        if self._still and length > LONGEST + 1e-3:
            yield Problem(
                (f"whole picture at {self._since:.2f}s",),
                f"nothing moves for {length:.1f} s",
                at=self._since,
                section=self._section,
            )
        self._still = False
