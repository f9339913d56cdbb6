"""What the rules are shown, and what they answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from manim import Mobject

from scenes.draw.atoms import Atom, Key
from scenes.lint.motion import Motion
from scenes.lint.picture import Picture
from scenes.stage.shot import Section, Shot
from scenes.stage.stage import Stage


@dataclass
class Moment:
    """The end of an animation, or the first picture of a section (`began` = `now`, `moved`).

    Times are film seconds; `moved` is False where the picture stood still from `began` to `now`.
    For a film told in shots, `stage` is what it is played on, `motion` when it moved until now, and
    `animation` the one that has ended.
    """

    section: str
    began: float
    now: float
    moved: bool
    roots: list[Mobject]
    stage: Stage | None = None
    motion: Motion = field(default_factory=Motion)
    animation: Any = None

    @cached_property
    def picture(self) -> Picture:
        """What is shown."""
        return Picture(self.roots) if self.stage is None else Picture(self.roots, self.stage.view)

    @property
    def atoms(self) -> Mapping[Key, Atom]:
        """What is shown, as atoms; none in a film of the old kind."""
        return {} if self.stage is None else self.stage.canvas.atoms


@dataclass(frozen=True)
class Problem:
    """A broken rule: the mobjects concerned, named, and what is wrong with them.

    `at` and `section` are set where the problem belongs to an earlier moment.
    """

    mobjects: tuple[str, ...]
    detail: str
    at: float | None = None
    section: str | None = None


class Rule:
    """One rule. It may remember what it saw; each rehearsal has its own.

    A rule about shots overrides what comes after `look`: films of the old kind never call it.
    """

    name: str

    def look(self, moment: Moment) -> Iterator[Problem]:
        """Problems of this moment."""
        yield from ()

    def within(self, moment: Moment) -> Iterator[Problem]:
        """Problems of a picture in the middle of an animation, which began at `moment.began`."""
        yield from ()

    def section_began(self, moment: Moment, section: Section) -> Iterator[Problem]:
        """Problems of a section's first picture."""
        yield from ()

    def shot_ended(self, moment: Moment, shot: Shot) -> Iterator[Problem]:
        """Problems of a shot that has just been played."""
        yield from ()

    def section_ended(self, moment: Moment, section: Section) -> Iterator[Problem]:
        """Problems of a section that has just been played; `moment.stage.rests` are its rests."""
        yield from ()

    def finish(self, now: float) -> Iterator[Problem]:
        """Problems known only when the film is over."""
        yield from ()
