"""Rules that judge each picture on its own."""

from __future__ import annotations

from collections.abc import Iterator

from scenes.lint.moment import Moment, Problem, Rule
from scenes.lint.picture import Picture


class PictureRule(Rule):
    """A rule without memory. A picture that stood still was judged when it came about."""

    def look(self, moment: Moment) -> Iterator[Problem]:
        if moment.moved:
            yield from self.judge(moment.picture)

    def judge(self, picture: Picture) -> Iterator[Problem]:
        """Problems of `picture`."""
        raise NotImplementedError
