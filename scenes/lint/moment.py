"""What the rules are shown, and what they answer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from manim import Mobject

from scenes.draw.atoms import Atom, Key
from scenes.lint.facts import Known
from scenes.lint.motion import Motion
from scenes.lint.picture import Picture
from scenes.stage.shot import Section, Shot
from scenes.stage.stage import Stage


@dataclass
class Moment:
    """The end of an animation, or the first picture of a section (`began` = `now`, `moved`).

    Times are film seconds; `moved` is False where the picture stood still from `began` to `now`.
    `stage` is what it is played on, `motion` when it moved until now, `animation` the one that has ended, and `known`
    what was worked out of mobjects at moments before.
    """

    section: str
    began: float
    now: float
    moved: bool
    roots: list[Mobject]
    stage: Stage
    motion: Motion = field(default_factory=Motion)
    animation: Any = None
    known: Known = field(default_factory=Known)

    @cached_property
    def picture(self) -> Picture:
        """What is shown."""
        return Picture(self.roots, self.stage.view, self.known)

    @property
    def atoms(self) -> Mapping[Key, Atom]:
        """What is shown, as atoms."""
        return self.stage.canvas.atoms


@dataclass(frozen=True)
class Problem:
    """A broken rule: the mobjects concerned, named, and what is wrong with them.

    `at` and `section` are set where the problem belongs to an earlier moment.
    """

    mobjects: tuple[str, ...]
    detail: str
    at: float | None = None
    section: str | None = None


Problems = Iterable[Problem] | None


class Rule:
    """One rule. It may remember what it saw; each rehearsal has its own. Whoever finds nothing may answer None."""

    name: str

    def look(self, moment: Moment) -> Problems:
        """Problems of this moment."""

    def within(self, moment: Moment) -> Problems:
        """Problems of a picture in the middle of an animation, which began at `moment.began`."""

    def section_began(self, moment: Moment, section: Section) -> Problems:
        """Problems of a section's first picture."""

    def shot_ended(self, moment: Moment, shot: Shot) -> Problems:
        """Problems of a shot that has just been played."""

    def section_ended(self, moment: Moment, section: Section) -> Problems:
        """Problems of a section that has just been played; `moment.stage.rests` are its rests."""

    def finish(self, now: float) -> Problems:
        """Problems known only when the film is over."""
