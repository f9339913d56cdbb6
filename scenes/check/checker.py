"""Compares the stage with the trace after every beat of a rehearsed film."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from astrai_sim.trace import Trace
from scenes.check.compare import differences
from scenes.check.drawn import misdrawn
from scenes.check.recorded import Difference, Recorded
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene, Observer


@dataclass(frozen=True)
class Mismatch:
    """A difference with its place in the film."""

    time: float
    section: str
    beat: str
    difference: Difference

    def __str__(self) -> str:
        d = self.difference
        return f"{self.time:.2f}s [{self.section}] {self.beat}: {d.field}: shown {d.shown}, recorded {d.recorded}"


@dataclass(frozen=True)
class Report:
    """What a check compared and what it found; `fields` counts single values."""

    mismatches: tuple[Mismatch, ...]
    beats: int
    fields: int


class Checker(Observer):
    """Observer that compares `stage.read()` with the replayed state.

    It does so when a section starts and after each of its beats, and looks whether
    every label draws what it says.
    """

    def __init__(self) -> None:
        self.mismatches: list[Mismatch] = []
        self.beats = 0
        self.fields = 0
        self._recorded: Recorded | None = None
        self._place = 0

    def section_started(self, scene, section) -> None:
        if self._recorded is None:
            self._recorded = Recorded.of(scene.trace)
        self._place = 0
        self._compare(scene, section.key, "first picture", section.start)

    def beat_ended(self, scene, section, beat) -> None:
        self._place += 1
        self.beats += 1
        name = f"beat {self._place} ({type(beat).__name__} until event {beat.until})"
        self._compare(scene, section.key, name, beat.until)

    def _compare(self, scene, section: str, beat: str, until: int) -> None:
        shown = scene.stage.read()
        state = scene.trace.state_at(until)
        self.fields += sum(_size(value) for value in shown.values())
        recorded = self._recorded.at(until, scene.stage.beyond)
        for difference in chain(differences(shown, state, recorded), misdrawn(scene.mobjects)):
            self.mismatches.append(Mismatch(scene.clock, section, beat, difference))


def _size(value: object) -> int:
    if isinstance(value, dict):
        return sum(_size(item) for item in value.values())
    return len(value) if hasattr(value, "__len__") else 1


def check(film: type[FilmScene], trace: str | Path | Trace | None = None, seconds: float | None = None) -> Report:
    """Play `film` from `trace` (default: the film's own) and compare after every beat.

    `seconds` is the length asked for; default: what the film takes.
    """
    checker = Checker()
    rehearse(film, trace, observers=(checker,), seconds=seconds)
    return Report(tuple(checker.mismatches), checker.beats, checker.fields)
