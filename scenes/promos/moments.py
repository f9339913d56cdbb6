"""Finding a moment of a film by name, and the beats of it that fill the time there is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

from astrai_sim.command_line import did_you_mean
from astrai_sim.trace import Trace
from scenes.film.cut import NoClip
from scenes.film.opening import other_trace
from scenes.film.rehearsal import Rehearsal
from scenes.film.scene import FilmScene, Observer, Played
from scenes.story.history import history_of

NEARLY = 0.3
"""Seconds by which a beat may begin before what is shown, or end after it, and is still whole."""
MOVED = 0.1
"""Seconds into a movement in which it is seen to move."""


@dataclass(frozen=True)
class Excerpt:
    """A part of a section that was played: from `start` to `end`, in its seconds."""

    played: Played
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


@dataclass
class Movements(Observer):
    """Watches a rehearsal: give it to `rehearse`, then `of` says when something moves in a section, in its seconds."""

    of: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def animation_ended(self, scene: FilmScene, began: float, moved: bool) -> None:
        if moved:
            spans = self.of.setdefault(scene.section.key, [])
            start, end = began - scene.section_began, scene.clock - scene.section_began
            if spans and start - spans[-1][1] < 1e-6:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start, end))


def _grows(trace: Trace, start: int, until: int) -> float:
    """Pages that requests got after their admission, in whatever phase; cache events tell of no requests."""
    if trace.header.membership_only:
        return 0.0
    pages = history_of(trace).pages
    return float(pages.holds.decode[pages.took(start, until + 1, "alloc")].sum())


def _shared(trace: Trace, start: int, until: int) -> float:
    return float(trace.state_at(until).refs.max(initial=0) > max(1, trace.state_at(start).refs.max(initial=0)))


def _used(trace: Trace, start: int, until: int) -> float:
    return trace.state_at(until).n_in_use


def _gives_way(trace: Trace, start: int, until: int) -> float:
    return sum(e.event == "task_preempted" for e in _between(trace, start, until))


def _evicts(trace: Trace, start: int, until: int) -> float:
    return sum(e.event == "pages_evicted" for e in _between(trace, start, until))


def _between(trace: Trace, start: int, until: int) -> list:
    return [trace[seq] for seq in range(max(0, start + 1), min(until, len(trace) - 1) + 1)]


NAMES: dict[str, Callable[[Trace, int, int], float]] = {
    "growth": _grows,
    "sharing": _shared,
    "peak": _used,
    "preemption": _gives_way,
    "eviction": _evicts,
}
"""What a moment can be called, but for `hook`, the first section, and `takeaway`, the last: how much of it happens in
a section, of whose trace and events. The first section with most of it is taken."""


def found(rehearsal: Rehearsal, name: str) -> Played:
    """The section that `name` means. Raises NoClip where the film has none like it."""
    sections = rehearsal.sections
    for played in sections:
        if name.lower() in (played.section.key.lower(), str(played.section.title).lower()):
            return played
    if name in ("hook", "takeaway"):
        return sections[0 if name == "hook" else -1]
    film = type(rehearsal.scene).__name__
    if name in NAMES:
        amounts = [
            NAMES[name](_trace(rehearsal, one), one.section.start, one.section.beats[-1].until) for one in sections
        ]
        if max(amounts) > 0:
            return sections[amounts.index(max(amounts))]
        raise NoClip(f"nothing of {name} happens in {film}")
    known = ["hook", *NAMES, "takeaway", *(played.section.key for played in sections)]
    raise NoClip(f"{film} has no moment {name!r}{did_you_mean(name, known) or ': choose from ' + ', '.join(known)}")


def happening(rehearsal: Rehearsal, played: Played, name: str) -> list[float]:
    """How much of what `name` means happens in each beat of a section; nothing where it is a section's key or title."""
    until, trace = [played.section.start, *(beat.until for beat in played.section.beats)], _trace(rehearsal, played)
    return [NAMES[name](trace, *ends) if name in NAMES else 0.0 for ends in pairwise(until)]


def _trace(rehearsal: Rehearsal, played: Played) -> Trace:
    source = played.section.source
    return rehearsal.scene.trace if source is None else other_trace(source)


def shared(room: float, weights: Sequence[float], most: Sequence[float]) -> list[float]:
    """`room` seconds shared by `weights`, none above its `most`: what one cannot take the others get."""
    given = [0.0] * len(weights)
    open_ones = set(range(len(weights)))
    while open_ones and room > 1e-9:
        total = sum(weights[i] for i in open_ones)
        shares = {i: room * weights[i] / total for i in open_ones}
        full = {i for i in open_ones if given[i] + shares[i] >= most[i] - 1e-9}
        if not full:
            return [seconds + shares.get(i, 0.0) for i, seconds in enumerate(given)]
        for i in full:
            room -= most[i] - given[i]
            given[i] = most[i]
        open_ones -= full
    return given


def fitting(
    played: Played, seconds: float, near: float, moving: Sequence[tuple[float, float]], happens: Sequence[float]
) -> Excerpt:
    """About `seconds` of a section, cut on motion: it begins where a beat's first movement does and ends in a movement
    or with one: with the last of a beat, at most `near` seconds from the time asked for.

    So few sentences are cut, and no cut comes out of a picture that stands or into one. `moving` is when something
    moves, as `Movements` has it. Of all that would do the one is taken in whose whole beats most `happens`, and of
    those the earliest. Nothing is shown faster or slower: what is printed of speed stays true.
    """
    edges = [*accumulate(played.beats, initial=0.0)][:-1] + [played.seconds]
    beats = [*pairwise(edges)]
    starts = [
        next((max(began, start) for began, end in moving if end > start + 1e-6 and began < stop), None)
        for start, stop in beats
    ]
    ends = [
        max((min(end, stop) for began, end in moving if began < stop - 1e-6 and end > start), default=None)
        for start, stop in beats
    ]
    found = []
    for start in {start for start in starts if start is not None}:
        wanted = start + seconds
        for end, cuts in [*((end, 0) for end in ends if end is not None), (_moving_near(wanted, moving), 1)]:
            missed = abs(end - wanted)
            if end > start:
                inside = (
                    amount
                    for amount, last, beat in zip(happens, ends, beats, strict=True)
                    if last is not None and beat[0] >= start - NEARLY and last <= end + NEARLY
                )
                found.append((missed > near, cuts, -sum(inside), start if missed <= near else missed, start, end))
    *_, start, end = min(found, default=(0.0, min(seconds, played.seconds)))
    return Excerpt(played, start, end)


def _moving_near(time: float, moving: Sequence[tuple[float, float]]) -> float:
    """The moment nearest to `time` at which something moves, or a movement ends."""
    return min((min(max(time, began + MOVED), end) for began, end in moving), key=lambda one: abs(one - time))
