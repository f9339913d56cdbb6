"""A section begins with the picture on which the one before ended."""

from __future__ import annotations

from collections.abc import Iterator

from scenes.draw.atoms import Atom, Key
from scenes.lint.moment import Moment, Problem, Rule
from scenes.stage.shot import Section

NAMED = 4
"""Atoms that a finding names."""


class Seams(Rule):
    """Outside the header a section's first picture is that of the end before it, or it is a declared cut."""

    name = "seam"

    def __init__(self) -> None:
        self._last: dict[Key, Atom] | None = None

    def section_began(self, moment: Moment, section: Section) -> Iterator[Problem]:
        if self._last is None or section.cut:
            return
        now = below_header(moment)
        apart = [key for key in {**self._last, **now} if self._last.get(key) != now.get(key)]
        if apart:
            yield Problem(
                tuple(map(str, apart[:NAMED])), f"{len(apart)} atoms differ from the end of the section before"
            )

    def section_ended(self, moment: Moment, section: Section) -> Iterator[Problem]:
        self._last = below_header(moment)
        yield from ()


def below_header(moment: Moment) -> dict[Key, Atom]:
    """The atoms of a picture but for the header's."""
    return {key: atom for key, atom in moment.atoms.items() if key[0] != "header"}
