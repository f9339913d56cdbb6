"""Where a film is cut: its sections, or each beat of them, with what is said meanwhile."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from astrai_sim.command_line import did_you_mean
from scenes.film.rehearsal import Rehearsal
from scenes.film.scene import Played


class NoClip(ValueError):
    """What should be cut cannot be; the message says why, and what to name instead."""


@dataclass(frozen=True)
class Line:
    """A sentence and when it stands below the picture, in seconds."""

    start: float
    end: float
    text: str

    def later(self, seconds: float) -> "Line":
        """The same, so many seconds later."""
        return Line(self.start + seconds, self.end + seconds, self.text)

    def within(self, start: float, end: float) -> "Line":
        """What of it is between two times, counted from the first."""
        return Line(max(self.start, start) - start, min(self.end, end) - start, self.text)


@dataclass(frozen=True)
class Clip:
    """A stretch of one section: what it is called, where it lies and what is said and recorded in it.

    `name` is the file's, without an ending. `start` and `seconds` are of the film; `lines` count from the clip's
    beginning. `frames` are the first frame and how many there are, of the section's own. `events` are the first and the
    last event of the trace that it tells, which is the film's or the shipped one called `source`.
    """

    name: str
    section: str
    beat: int | None
    title: str
    start: float
    seconds: float
    frames: tuple[int, int]
    lines: tuple[Line, ...]
    events: tuple[int, int]
    source: str | None = None

    def is_called(self, name: str) -> bool:
        """Whether `name`, in any case, is its name, with its number or without, or its section's key or title."""
        return name.lower() in {self.name, self.name.split("-", 1)[1], self.section.lower(), self.title.lower()}

    @property
    def alt(self) -> str:
        """What it shows, for those who do not see it."""
        said = " ".join(line.text for line in self.lines)
        return f"{self.title}: {said}" if said else self.title


def cut(rehearsal: Rehearsal, fps: int, beats: bool = False, only: Sequence[str] = ()) -> list[Clip]:
    """The clips of a film that was played: one for each section, or each of its beats; without those of no frame.

    `only` names sections by key or title, or beats as `KEY-2`. Raises NoClip where there is none of that name.
    """
    found: list[Clip] = []
    start, said, film = 0.0, "", type(rehearsal.scene).__name__
    for place, played in enumerate(rehearsal.sections, start=1):
        section = played.section
        edges = [*accumulate(played.beats, initial=0.0)][:-1] + [played.seconds]
        lines = _lines(played, edges, "" if section.cut else said)
        said = next((line.text for line in reversed(lines) if line.end >= edges[-1] - 1e-6), "")
        name, title = f"{place:02}-{_slug(section.key)}", str(section.title) or film
        told = [section.start, *(shot.until for shot in section.beats)]
        if beats:
            stretches = [
                (f"{name}-{beat + 1}", beat, ends, (events[0] + 1, events[1]))
                for beat, (ends, events) in enumerate(zip(pairwise(edges), pairwise(told), strict=True))
            ]
        else:
            stretches = [(name, None, (0.0, played.seconds), (told[0] + 1, told[-1]))]
        for name, beat, (began, ended), events in stretches:
            first, end = (math.ceil(edge * fps - 1e-6) for edge in (began, ended))
            within = tuple(line.within(began, ended) for line in lines if line.start < ended and line.end > began)
            place_of = {"start": start + began, "seconds": ended - began, "frames": (first, end - first)}
            clip = Clip(name, section.key, beat, title, lines=within, events=events, source=section.source, **place_of)
            found += [clip] if first < end else []
        start += played.seconds
    for one in only:
        if not any(clip.is_called(one) for clip in found):
            keys, titles = (
                [*dict.fromkeys(names)] for names in zip(*((c.section, c.title) for c in found), strict=True)
            )
            guess = did_you_mean(one, [*keys, *titles]) or f": choose from {', '.join(keys)}"
            raise NoClip(f"no section is called {one!r}{guess}")
    return [clip for clip in found if not only or any(map(clip.is_called, only))]


def _lines(played: Played, edges: Sequence[float], said: str) -> list[Line]:
    """The sentences of a section that begins under the sentence `said`: what a beat does not say anew stays."""
    lines: list[Line] = []
    for shot, (began, ended) in zip(played.section.beats, pairwise(edges), strict=True):
        text = said if shot.caption is None else str(shot.caption)
        if lines and lines[-1].text == text and lines[-1].end == began:
            lines[-1] = Line(lines[-1].start, ended, text)
        elif text:
            lines.append(Line(began, ended, text))
        said = text
    return lines


def _slug(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", key).strip("-").lower() or "section"
