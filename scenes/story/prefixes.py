"""Which prefix a page held, from the keys in a trace."""

from __future__ import annotations

from dataclasses import dataclass

from astrai_sim.trace import Event, Trace


@dataclass(frozen=True)
class Held:
    """What a page stood for: token positions `first` to `last` of `task`."""

    task: str
    page: int
    first: int
    last: int


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


def held_by(trace: Trace, evicted: Event) -> Held:
    """What the page of a `pages_evicted` event held."""
    size = trace.header.scenario.cache.page_size
    keyed = [
        e
        for e in trace.find(event="pages_keyed", before=evicted.seq)
        if e.page == evicted.page and e.key == evicted.key
    ][-1]
    first = keyed.logical * size
    return Held(keyed.task, evicted.page, first, first + size - 1)


def first_missed(trace: Trace) -> Missed | None:
    """The first request that misses a prefix which was evicted before; None if none does."""
    size = trace.header.scenario.cache.page_size
    gone: dict[tuple[int, ...], Held] = {}
    known: set[tuple[int, ...]] = set()
    prefix_of: dict[str, tuple[int, ...]] = {}
    for event in trace:
        if event.event == "pages_keyed":
            tokens = trace.state_at(event.seq).tasks[event.task].tokens
            if tokens is None:
                return None
            prefix = tokens[: (event.logical + 1) * size]
            prefix_of[event.key] = prefix
            known.add(prefix)
            gone.pop(prefix, None)
        elif event.event == "pages_evicted":
            gone[prefix_of[event.key]] = held_by(trace, event)
        elif event.event == "prefix_miss":
            tokens = trace.state_at(event.seq).tasks[event.task].tokens
            lost = gone.get(tokens[: (event.logical + 1) * size])
            if lost is not None:
                full = (len(tokens) - 1) // size
                once = event.logical
                while once < full and tokens[: (once + 1) * size] in known:
                    once += 1
                return Missed(event.task, event.seq, lost.task, once * size, event.logical * size)
    return None
