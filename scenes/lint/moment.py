"""What the rules are shown, and what they answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from manim import Mobject

from scenes.lint.picture import Picture


@dataclass
class Moment:
    """The end of an animation, or the first picture of a section (`began` = `now`, `moved`).

    Times are film seconds; `moved` is False where the picture stood still from
    `began` to `now`.
    """

    section: str
    began: float
    now: float
    moved: bool
    roots: list[Mobject]

    @cached_property
    def picture(self) -> Picture:
        """What is shown."""
        return Picture(self.roots)


@dataclass(frozen=True)
class Problem:
    """A broken rule: the mobjects concerned, named, and what is wrong with them.

    `at` and `section` are set where the problem belongs to an earlier moment.
    """

    mobjects: tuple[str, ...]
    detail: str
    at: float | None = None
    section: str | None = None


class Rule(Protocol):
    """One rule. It may remember what it saw; each rehearsal has its own."""

    name: str

    def look(self, moment: Moment) -> Iterator[Problem]:
        """Problems of this moment."""
        ...

    def finish(self, now: float) -> Iterator[Problem]:
        """Problems known only when the film is over."""
        ...
