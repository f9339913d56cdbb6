"""Beats and props of films in which tokens have their text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from scenes.measures import Measure
from scenes.story.beats.core import Beat, Prop


@dataclass(frozen=True)
class Speakers(Prop):
    """Requests whose text the transcript shows from a section's start on.

    It leaves room for what they say up to event `room`. `others` counts requests that
    the film leaves to a note.
    """

    tasks: tuple[str, ...]
    room: int
    others: Measure | None = None


@dataclass(frozen=True)
class Cards(Prop):
    """A card for each of `tasks`, with its question; `answers` adds what was generated so
    far and which pages still hold it. Otherwise the `system` prompt stands above."""

    tasks: tuple[str, ...]
    answers: bool = False
    others: Measure | None = None


@dataclass(frozen=True)
class MakeRoom(Beat):
    """Lay the transcript out for what `tasks`, the ones that it shows among them, say up
    to event `room`."""

    tasks: tuple[str, ...] = ()
    room: int = -1


@dataclass(frozen=True)
class PointAt(Beat):
    """Point at the token at `position` of `task`, and on from there: at its table's entry,
    and at the slot that holds its K and V."""

    task: str = ""
    position: int = 0
    reach: Literal["word", "entry", "slot"] = "word"


@dataclass(frozen=True)
class PointAway(Beat):
    """Take the pointer away."""


@dataclass(frozen=True)
class ReadCard(Beat):
    """Draw the eye to the card of `task` and leave `seconds` to read it."""

    task: str = ""
    seconds: float = 3.0
