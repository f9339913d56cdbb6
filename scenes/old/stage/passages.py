"""From one state to a later one: in which changes and time-lapses that is shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from astrai_sim.trace import State, Trace

FEW_STEPS = 3
"""Ends of steps from which on a way is a time-lapse."""

LEAST_LAPSE = 0.2
LEAST_CHANGE = 0.45
PREFILL = 8
"""Slots written at once from which on they are shown after the pages that they are in."""


@dataclass(frozen=True)
class Passage:
    """Through the states `stops` in `seconds`.

    With `even`, nothing but counts and slots changes in it, so that every moment
    of it can show the state at one of its stops.
    """

    stops: tuple[State, ...]
    seconds: float
    even: bool


def passages(trace: Trace, start: State, until: int, seconds: float) -> list[Passage]:
    """Passages from `start` to the state after event `until`, one after another.

    Over fewer than `FEW_STEPS` ends of steps: at once, but pages before a prefill that
    fills them. Over more: runs of steps in which only counts grow as time-lapses, and
    steps that give or take pages, admit or finish as changes of their own while there
    are few; `seconds` are shared out by steps, a change taking `LEAST_CHANGE` at least.
    """
    ends = [e.seq for e in trace.find(event="step_end", after=start.seq, before=until + 1)]
    if len(ends) < FEW_STEPS:
        return list(_one_step(trace, start, until, seconds))
    seqs = ends if ends[-1] == until else [*ends, until]
    stops = [trace.state_at(seq) for seq in seqs]
    share = seconds / len(stops)
    found = []
    for group, even in _grouped(start, stops, max(1, round(seconds / LEAST_CHANGE / 2))):
        least = LEAST_LAPSE if even else LEAST_CHANGE
        found.append(Passage(tuple(group), max(least, share * len(group)), even))
    return found


def _one_step(trace: Trace, start: State, until: int, seconds: float) -> Iterator[Passage]:
    end = trace.state_at(until)
    if end.kv_slots - start.kv_slots >= PREFILL:
        writes = (
            event.seq
            for kind in ("kv_write", "kv_lengths")
            for event in trace.find(event=kind, after=start.seq, before=until + 1)
        )
        first = min(writes, default=0) - 1
        if first > start.seq:
            before = trace.state_at(first)
            if before.tables != start.tables:
                yield Passage((before,), LEAST_CHANGE, False)
    yield Passage((end,), seconds, False)


def _grouped(start: State, stops: list[State], most: int) -> Iterator[tuple[list[State], bool]]:
    """Stops in groups: those up to which only counts grow, and about `most` of the others."""
    shapes = [_shape(stop) for stop in (start, *stops)]
    turns = [i for i in range(len(stops)) if shapes[i] != shapes[i + 1]]
    together = -(-len(turns) // most) if turns else 1
    at = 0
    for k in range(0, len(turns), together):
        first, last = turns[k], turns[min(k + together, len(turns)) - 1]
        if first > at:
            yield stops[at:first], True
        yield stops[first : last + 1], False
        at = last + 1
    if at < len(stops):
        yield stops[at:], True


def _shape(state: State) -> tuple:
    """Everything that is shown but counts and slots."""
    return (
        state.phase,
        {task: tuple(pages) for task, pages in state.tables.items()},
        {task: state.tasks[task].status for task in state.tables},
        state.mask,
        tuple(state.refs),
        state.lru,
        state.waiting,
    )


__all__ = ["Passage", "passages"]
