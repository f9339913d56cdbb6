"""Beats: the smallest things a film tells, as plain data.

A beat carries everything that its picture needs, taken from the trace by a
storyboard, so that a section's beats can be compared and hashed without
rendering. `until` is the sequence number of the trace event whose replayed
state the picture must equal when the beat is over.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Beat:
    """Common to all beats: the state shown afterwards and an optional new caption."""

    until: int
    caption: str | None = None


@dataclass(frozen=True)
class Hold(Beat):
    """Let the picture stand for `seconds` (at least as long as its caption needs)."""

    seconds: float = 0.0


@dataclass(frozen=True)
class Advance(Beat):
    """Bring everything on stage to the state after event `until` in `seconds`."""

    seconds: float = 1.0


@dataclass(frozen=True)
class CodeStep:
    """One executed line.

    `line` counts from 0 in the shown lines; `values` are (name, text) pairs that
    the line produced; `mask` and `refs` are the bitmask and (page, refcount)
    pairs after the line where it changed them.
    """

    line: int
    values: tuple[tuple[str, str], ...] = ()
    mask: int | None = None
    refs: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class OpenCode(Beat):
    """Put a function's source into the panel: `title` above `lines`."""

    title: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunCode(Beat):
    """Step the cursor through executed lines, `pace` seconds a line, then advance to `until`."""

    steps: tuple[CodeStep, ...] = ()
    pace: float = 1.0
    seconds: float = 0.8


@dataclass(frozen=True)
class Reveal(Beat):
    """Bring `parts` ("pool", "mask", "tables") on stage for the first time."""

    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClosePanel(Beat):
    """Clear the panel."""


@dataclass(frozen=True)
class Fact:
    """A figure with what it means: `value` is shown large, `label` beside it."""

    value: str
    label: str


@dataclass(frozen=True)
class ShowFacts(Beat):
    """Show figures in the panel, one after another."""

    title: str = ""
    facts: tuple[Fact, ...] = ()


@dataclass(frozen=True)
class Bar:
    """A reservation bar: `used` of `reserved` slots for `task`."""

    task: str
    label: str
    reserved: int
    used: int
    page_size: int | None = None


@dataclass(frozen=True)
class ShowBars(Beat):
    """Compare reservations in the panel; all bars share one scale of `scale` slots.

    `places` leaves room for bars that later beats add below.
    """

    title: str = ""
    bars: tuple[Bar, ...] = ()
    scale: int = 1
    places: int = 1


@dataclass(frozen=True)
class Run:
    """Logical positions `first` to `last` of a task, held by `page` slots `lo` to `hi`."""

    first: int
    last: int
    page: int
    lo: int
    hi: int


@dataclass(frozen=True)
class ShowGather(Beat):
    """Show how logical positions of `task` map to physical slots."""

    task: str = ""
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True)
class Section:
    """A chapter of a film, which can be rendered alone.

    `start` is the event whose replayed state the stage shows when the section
    begins (-1: before the first event); `key` names its file.
    """

    key: str
    title: str
    start: int
    beats: tuple[Beat, ...]
    stage: tuple[str, ...] = ("pool", "mask", "tables")


@dataclass(frozen=True)
class Storyboard:
    """A film's sections, in order, for one trace."""

    film: str
    sections: tuple[Section, ...]
