"""Beats for runs and pools of any size."""

from __future__ import annotations

from dataclasses import dataclass

from scenes.story.beats.core import Beat, Prop


@dataclass(frozen=True)
class TimeLapse(Beat):
    """Run to the state after event `until`, evenly in the run's own time.

    On the way the stage is shown as it was after each of the events in `stops`.
    """

    seconds: float = 6.0
    stops: tuple[int, ...] = ()


@dataclass(frozen=True)
class Focus(Prop):
    """What a section is about: tables of `tasks` come first, `pages` stand in the lens."""

    tasks: tuple[str, ...] = ()
    pages: tuple[int, ...] = ()


@dataclass(frozen=True)
class OpenLens(Beat):
    """Open other `pages` in the lens, which shows them with their slots."""

    pages: tuple[int, ...] = ()
