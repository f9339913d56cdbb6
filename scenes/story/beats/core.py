"""Beats: the smallest things a film tells, as plain data.

A beat carries everything that its picture needs, taken from the trace by a
storyboard, so that a section's beats can be compared and hashed without
rendering. `until` is the sequence number of the trace event whose replayed
state the picture must equal when the beat is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Beat:
    """Common to all beats: the state shown afterwards and an optional new caption.

    A film that must be short leaves out the beats of the highest `detail` first;
    those of detail 0 are never left out. Beats of one section that need one another
    have the same detail. Fields called `seconds` and `pace` are stretched to the
    length asked for (see `scenes.story.pacing`).
    """

    until: int
    caption: str | None = None
    detail: int = field(default=0, kw_only=True)


@dataclass(frozen=True)
class Hold(Beat):
    """Let the picture stand for `seconds` (at least as long as its caption needs)."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Advance(Beat):
    """Bring everything on stage to the state after event `until` in `seconds`."""

    seconds: float = 1.0


@dataclass(frozen=True)
class Reveal(Beat):
    """Bring `parts`, named as in `scenes.old.parts`, on stage for the first time."""

    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prop:
    """What a part of the stage draws beside the state: the storyboard takes it from the trace."""


@dataclass(frozen=True)
class Section:
    """A chapter of a film, which can be rendered alone.

    `start` is the event whose replayed state the stage shows when the section
    begins (-1: before the first event); `key` names its file. `stage` names the parts
    that stand from the start, as in `scenes.old.parts`; `props` is what some of them
    need besides. None of its beats is kept longer in a short film than `detail` says.
    With `phases`, the step and the scheduler's phase stand at the top right.
    With `stays` the picture stands as it is at the section's end: for a film's last one.
    """

    key: str
    title: str
    start: int
    beats: tuple[Beat, ...]
    stage: tuple[str, ...] = ("pool", "mask", "tables", "meters")
    props: tuple[Prop, ...] = ()
    detail: int = 0
    phases: bool = True
    stays: bool = False


@dataclass(frozen=True)
class Storyboard:
    """A film's sections, in order, for one trace."""

    film: str
    sections: tuple[Section, ...]
