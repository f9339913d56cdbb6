"""Finding a moment of a film by name, and the beats of it that fill the time there is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

from astrai_sim.command_line import did_you_mean
from astrai_sim.trace import Trace
from scenes.film.cut import NoClip
from scenes.film.opening import other_trace
from scenes.film.rehearsal import Rehearsal
from scenes.film.scene import Played


@dataclass(frozen=True)
class Stretch:
    """A part of a section that was played: from `start` to `end`, in its seconds."""

    played: Played
    start: float
    end: float

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


def _grows(trace: Trace, start: int, until: int) -> float:
    return sum(e.event == "pages_alloc" and e.phase == "decode" for e in _between(trace, start, until))


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


def fitting(played: Played, seconds: float) -> Stretch:
    """`seconds` of a section, from the beginning of a beat: the one from which they end nearest to the end of one.

    So a sentence is cut as seldom as can be. Nothing is shown faster or slower: what is printed of speed stays true.
    """
    edges = [*accumulate(played.beats, initial=0.0)][:-1] + [played.seconds]
    starts = [edge for edge in edges[:-1] if edge + seconds <= played.seconds + 1e-6] or [0.0]
    start = min(starts, key=lambda start: (min(abs(start + seconds - edge) for edge in edges), start))
    return Stretch(played, start, min(played.seconds, start + seconds))
