"""Shots: the beats of a film told in the picture language, as plain data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scenes.draw.atoms import Key
from scenes.parts.part import Part


@dataclass(frozen=True)
class Act:
    """One movement of a shot: `parts`, in the order in which they stand, come to show the state after event `until`,
    which counts computed steps beyond the last event (see `View.at`).

    `known` is what lines of a running function have changed by then (see `View`). With `stops`, events on the way, it
    is a time-lapse of `seconds` that shows each of them for as long, or, at `times` from 0 to 1, from that share of it
    on. `running` parts go through a stretch of recorded time (see `Part.during`) in `seconds`, which nothing stretches.
    Else `seconds` is how long it takes; default: what its movements need.
    """

    until: int
    parts: tuple[Part, ...]
    seconds: float | None = None
    known: Mapping[str, Any] = field(default_factory=dict)
    stops: tuple[int, ...] = ()
    times: tuple[float, ...] = ()
    running: bool = False


@dataclass(frozen=True)
class Shot:
    """One beat of a film: one sentence and the acts that it speaks of, all taken from the trace by a storyboard.

    `until` is the event whose replayed state the picture equals when it is over; a `caption` of None
    leaves the one before. A film that must be short leaves out the shots of the highest `detail`
    first, those of 0 never. `subject` is the key, or the beginning of the key, of the atoms that it is
    about, and its part the hero; `rest` are the seconds that the picture stands at its end on purpose,
    at most 2. `pace` stretches all movements (see `scenes.stage.pacing`).
    """

    until: int
    caption: str | None = None
    detail: int = field(default=0, kw_only=True)
    acts: tuple[Act, ...] = field(default=(), kw_only=True)
    subject: Key = field(default=(), kw_only=True)
    rest: float = field(default=0.0, kw_only=True)
    pace: float = field(default=1.0, kw_only=True)

    @property
    def hero(self) -> str:
        """The key of the part that it is about."""
        return str(self.subject[0]) if self.subject else self.parts[0].key

    @property
    def parts(self) -> tuple[Part, ...]:
        """What stands at its end."""
        return self.acts[-1].parts


@dataclass(frozen=True)
class Section:
    """A chapter, which can be rendered alone: it begins with the picture that the one before ended on.

    `start` is the event whose replayed state is shown first (-1: before the first); `key` names its file. With `cut` it
    begins with a picture of its own, else with that of `before`, the last shot of the section before, under its title,
    `heading`, until the picture changes. `source` names the shipped trace that it is told from where that is not the
    film's. `detail` as in `scenes.stage.pacing`, which makes it `slowed` times as slow as it was told.
    """

    key: str
    title: str
    start: int
    beats: tuple[Shot, ...]
    detail: int = 0
    phases: bool = True
    cut: bool = False
    source: str | None = None
    before: Shot | None = None
    heading: str | None = None
    slowed: float = 1.0


@dataclass(frozen=True)
class Storyboard:
    """A film's sections, in order, for one trace."""

    film: str
    sections: tuple[Section, ...]


def linked(sections: Sequence[Section]) -> tuple[Section, ...]:
    """The sections, each told which shot the one before ended on, and under which title."""
    last: Shot | None = None
    heading = ""
    out = []
    for section in sections:
        if section.cut:
            last = None
        out.append(section if last is None else replace(section, before=last, heading=heading))
        heading = section.title
        for shot in section.beats:
            last = replace(shot, caption=last.caption) if shot.caption is None and last is not None else shot
    return tuple(out)
