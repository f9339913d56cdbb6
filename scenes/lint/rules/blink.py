"""Nothing blinks: what goes and comes back the same has had a reason in the run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scenes.draw.atoms import Atom, Key
from scenes.draw.lapse import Lapse
from scenes.lint.moment import Moment, Problem, Rule
from scenes.lint.motion import speaks
from scenes.stage.shot import Section, Shot

SCROLLS = "code"
"""The part whose lines go out of sight and come back as it runs."""


class Blink(Rule):
    """No atom goes and comes back equal within one shot, unless events of the run took it away and
    brought it back; a time-lapse may pass over both, and lines of code are scrolled."""

    name = "blink"

    def __init__(self) -> None:
        self._last: Mapping[Key, Atom] = {}
        self._at: Any = None
        self._gone: dict[Key, tuple[Atom, bool]] = {}

    def section_began(self, moment: Moment, section: Section) -> Iterator[Problem]:
        self._keep(moment)
        yield from ()

    def look(self, moment: Moment) -> Iterator[Problem]:
        if moment.stage is None:
            return
        event = told(moment) != self._at
        back = [key for key in moment.atoms if key in self._gone]
        for key in back:
            atom, taken = self._gone.pop(key)
            if atom == moment.atoms[key] and not (taken and event) and not isinstance(moment.animation, Lapse):
                yield Problem((str(key),), "goes and comes back the same within a shot")
        gone = [key for key in self._last if key not in moment.atoms and key[0] != SCROLLS and not speaks(key)]
        self._gone |= {key: (self._last[key], event) for key in gone}
        self._keep(moment)

    def shot_ended(self, moment: Moment, shot: Shot) -> Iterator[Problem]:
        self._gone = {}
        yield from ()

    def _keep(self, moment: Moment) -> None:
        self._last, self._at = dict(moment.atoms), told(moment)


def told(moment: Moment) -> Any:
    """What of the run the picture has reached: an event, lines of code, steps beyond the recording."""
    view = moment.stage.view if moment.stage else None
    return view and (view.state.seq, repr(view.known), view.beyond)
