"""A film of the length asked for: rehearse, leave out what does not fit, stretch the rest."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from astrai_sim.trace import Trace
from scenes.draw.mobjects.caption import reading_time
from scenes.film.opening import for_the_screen
from scenes.film.rehearsal import rehearse
from scenes.film.scene import FilmScene, Observer
from scenes.story.beats import Section, Storyboard
from scenes.story.pacing import Layer, elastic_seconds, keep, layers, stretch, weight

TOLERANCE = 0.10
CLOSE = 0.02
EASY = 0.8
LEAST, MOST = 0.35, 24.0
TRIES = 8

Place = tuple[str, int]


class CannotPace(Exception):
    """The length asked for cannot be met; the message names the nearest that can."""


def paced(
    film: type[FilmScene], trace: str | Path | Trace | None, seconds: float | None
) -> tuple[Trace, Storyboard | None]:
    """The opened trace (default: the film's own), and the storyboard for a film of `seconds`.

    None for `seconds` leaves the film as long as it is, and gives no storyboard.
    """
    opened = trace if isinstance(trace, Trace) else Trace.open(film.trace_for(trace))
    opened = for_the_screen(opened)
    return opened, pace(film, opened, seconds) if seconds is not None else None


def pace(film: type[FilmScene], trace: Trace, seconds: float) -> Storyboard:
    """The storyboard of `film` for `trace`, `seconds` long to within a tenth.

    Layers of beats are kept, the most needed first, while they fit with their elastic
    seconds a little squeezed; then all elastic seconds are stretched or squeezed alike.
    Captions keep the time that reading them takes. Raises CannotPace where even the
    beats that are never left out take longer, or the film cannot be stretched so far.
    """
    whole = film.tell(trace)
    clock = _Clock(whole)
    kept = layers(whole)
    length = clock.measure(film, trace, kept, 1.0)
    if abs(length / seconds - 1) <= CLOSE:
        return whole
    kept = _fitting(clock, kept, seconds)
    nearest: tuple[float, float, Storyboard] | None = None
    for _ in range(TRIES):
        factor = clock.factor(kept, seconds)
        length = clock.measure(film, trace, kept, factor)
        off = abs(length / seconds - 1)
        if nearest is None or off < nearest[0]:
            nearest = (off, length, stretch(keep(whole, kept), factor))
        if off <= CLOSE:
            break
        if length > seconds and factor <= LEAST:
            if kept[-1].weight == 0:
                break
            kept = kept[:-1]
    off, length, storyboard = nearest
    if off > TOLERANCE:
        way, whole_seconds = ("least", math.ceil(length)) if length > seconds else ("most", math.floor(length))
        raise CannotPace(
            f"{film.__name__} takes at {way} {whole_seconds} s for this trace: ask for --seconds {whole_seconds}"
        )
    return storyboard


def _fitting(clock: _Clock, all_layers: Sequence[Layer], seconds: float) -> list[Layer]:
    """The layers to keep: all of weight 0, then more while they fit, weight by weight."""
    kept = [layer for layer in all_layers if layer.weight == 0]
    full = None
    for layer in all_layers:
        if layer.weight == 0:
            continue
        if full is not None and layer.weight > full:
            break
        if clock.estimate([*kept, layer], EASY) <= seconds:
            kept.append(layer)
        else:
            full = layer.weight
    return kept


@dataclass(frozen=True)
class _Timing:
    """One beat as it was played with its elastic seconds times `factor`.

    `own` is its length without waiting for the caption before it to be read;
    `shown` is when, in that time, its own caption was complete.
    """

    factor: float
    own: float
    shown: float


class _Clock:
    """Knows how long beats take, from rehearsals, and foretells the length of a film."""

    def __init__(self, whole: Storyboard) -> None:
        self.whole = whole
        self.timings: dict[Place, list[_Timing]] = {}
        self.tail = 0.4

    def measure(self, film: type[FilmScene], trace: Trace, kept: Collection[Layer], factor: float) -> float:
        """Rehearse and note every beat; gives the film's length in seconds."""
        watch = _Stopwatch()
        storyboard = stretch(keep(self.whole, kept), factor)
        rehearsal = rehearse(film, trace, observers=(watch,), storyboard=storyboard)
        places = [place for section in self._places(kept) for place in section]
        for place, (own, shown) in zip(places, watch.beats, strict=True):
            self.timings.setdefault(place, []).append(_Timing(factor, own, shown))
        return rehearsal.seconds

    def _places(self, kept: Collection[Layer]) -> list[list[Place]]:
        wanted = set(kept)
        found = [
            [(section.key, i) for i, beat in enumerate(section.beats) if Layer(weight(section, beat), index) in wanted]
            for index, section in enumerate(self.whole.sections)
        ]
        return [places for places in found if places]

    def factor(self, kept: Collection[Layer], seconds: float) -> float:
        """The stretch that should make the film `seconds` long, between the limits."""
        low, high = LEAST, MOST
        for _ in range(40):
            middle = math.sqrt(low * high)
            if self.estimate(kept, middle) < seconds:
                low = middle
            else:
                high = middle
        return round(high if high < LEAST * 1.001 else low, 4)

    def estimate(self, kept: Collection[Layer], factor: float) -> float:
        """The length in seconds of a film of these layers."""
        sections = {section.key: section for section in self.whole.sections}
        return sum(self._section(sections[places[0][0]], places, factor) for places in self._places(kept))

    def _section(self, section: Section, places: list[Place], factor: float) -> float:
        now = since = needed = 0.0
        for place in places:
            beat = section.beats[place[1]]
            own, shown = self._beat(place, elastic_seconds(beat), factor)
            if beat.caption is not None:
                now += max(0.0, needed - (now - since))
                since, needed = now + shown, reading_time(beat.caption)
            now += own
        return now + max(0.0, needed - (now - since)) + self.tail

    def _beat(self, place: Place, elastic: float, factor: float) -> tuple[float, float]:
        """Length of a beat, and when its caption is complete, for a stretch never tried."""
        known = {timing.factor: timing for timing in self.timings[place]}
        near = min(known.values(), key=lambda timing: abs(math.log(timing.factor / factor)))
        if len(known) == 1:
            moves = near.own >= elastic * near.factor - 0.05
            own = near.own + (elastic * (factor - near.factor) if moves else 0.0)
        else:
            factors = sorted(known)
            at = int(np.clip(np.searchsorted(factors, factor), 1, len(factors) - 1))
            a, b = known[factors[at - 1]], known[factors[at]]
            slope = (b.own - a.own) / (b.factor - a.factor)
            own = a.own + slope * (factor - a.factor)
        own = max(own, min(near.own, 0.1))
        return own, min(near.shown, own)


class _Stopwatch(Observer):
    """Observer that times beats: (own length, when the caption was complete), in order."""

    def __init__(self) -> None:
        self.beats: list[tuple[float, float]] = []
        self._began = 0.0

    def section_started(self, scene, section) -> None:
        self._began = scene.clock

    def beat_ended(self, scene, section, beat) -> None:
        begins = self._began + scene.stage.waited
        shown = max(0.0, scene.stage.reader.since - begins) if beat.caption is not None else 0.0
        self.beats.append((scene.clock - begins, shown))
        self._began = scene.clock
