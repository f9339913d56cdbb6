"""Beats that show figures, bars and slots in the panel."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.story.beats.core import Beat


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
    """Show figures in the panel, one after another; `large` ones fill all the room there is."""

    title: str = ""
    facts: tuple[Fact, ...] = ()
    large: bool = False


@dataclass(frozen=True)
class Bar:
    """A reservation bar: `used` of `reserved` slots for `task`.

    With `tokens` every used slot is drawn by itself where there is room for that.
    """

    task: str
    label: str
    reserved: int
    used: int
    page_size: int | None = None
    tokens: bool = False


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
class SlotRun:
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
    runs: tuple[SlotRun, ...] = ()
