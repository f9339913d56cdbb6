"""Prefixes that were in the cache once, and are asked for too late."""

from __future__ import annotations

from dataclasses import dataclass

from astrai_sim.trace import Event, Trace
from astrai_sim.trace.events import PagesEvicted, PagesKeyed, PrefixMiss
from scenes.story.history.history import history_of
from scenes.story.history.sure import sure


@dataclass(frozen=True)
class Missed:
    """A request that would have hit pages that had been evicted.

    `seq` is its miss; `like` a request that began with the same tokens; `cached`
    counts its leading tokens that were in the cache once, `found` those that still
    were.
    """

    task: str
    seq: int
    like: str
    cached: int
    found: int


def first_missed(trace: Trace) -> Missed | None:
    """The first request that misses a prefix which was evicted before; None if none does."""
    history, size = history_of(trace), trace.header.scenario.cache.page_size
    tasks = trace.state_at(history.last).tasks if len(trace) else {}
    gone: dict[tuple[int, ...], str] = {}
    owner_of: dict[str, str] = {}
    known: dict[str, tuple[int, ...]] = {}
    kinds: tuple[type[Event], ...] = (PagesKeyed, PagesEvicted, PrefixMiss)
    events = (event for kind in kinds for event in history.events(kind))
    for event in sorted(events, key=lambda event: event.seq):
        if isinstance(event, PagesEvicted):
            for key in event.keys or ():
                gone[known[key]] = owner_of[key]
            continue
        task, logical = sure(event.task), sure(event.logical)
        tokens = tasks[task].tokens
        if tokens is None:
            return None
        prefix = tokens[: (logical + 1) * size]
        if isinstance(event, PagesKeyed):
            known[event.key], owner_of[event.key] = prefix, task
            gone.pop(prefix, None)
        elif prefix in gone:
            once, full = logical, (trace.state_at(event.seq).tasks[task].n_tokens - 1) // size
            while once < full and tokens[: (once + 1) * size] in known.values():
                once += 1
            return Missed(task, event.seq, gone[prefix], once * size, logical * size)
    return None
