"""One pass over a trace for all kinds of findings."""

import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import astrai_sim.doctor.kinds as package
from astrai_sim.doctor.kind import Finding, Kind
from astrai_sim.doctor.run import Run
from astrai_sim.trace import Event, Trace, TraceError

MALFORMED = (KeyError, TypeError, ValueError, IndexError, OverflowError)
"""What replaying an event raises that cannot follow what is before it."""


@dataclass(frozen=True)
class Report:
    """`findings`, those with the shortest cause first; how many `more` of a kind there are than are told; `notes`, what
    was `looked_for` and what not, and why, by kind."""

    findings: tuple[Finding, ...]
    more: dict[str, int]
    notes: tuple[str, ...]
    looked_for: dict[str, str]
    not_looked_for: dict[str, str]


def kinds() -> list[type[Kind]]:
    """The kinds that the modules of `astrai_sim.doctor.kinds` define."""
    found = []
    for info in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        members = vars(module).values()
        found += [
            it for it in members if isinstance(it, type) and issubclass(it, Kind) and it.__module__ == module.__name__
        ]
    return found


def examine(trace: Trace) -> Report:
    """Replay `trace` once, and say what is wrong.

    Memory grows with the pool, the requests and their tokens, not with the events. Raises TraceError where an event
    cannot be read, or cannot follow those before it.
    """
    header = trace.header
    if header.membership_only:
        raise TraceError(trace.path, None, "knows only which blocks are cached: who holds what cannot be examined")
    not_looked_for = {kind.name: why for kind in kinds() if (why := kind.blind(header))}
    run = Run(header)
    looking = [kind(run) for kind in kinds() if kind.name not in not_looked_for]
    before, after = _handlers("before_", looking), _handlers("on_", looking)
    for number, event in enumerate(trace):
        _follow(trace, number, event, run.check)
        for handler in before[event.event]:
            handler(event)
        _follow(trace, number, event, run.take)
        for handler in after[event.event]:
            handler(event)
    for kind in looking:
        kind.end(trace)
    findings = sorted((one for kind in looking for one in kind.found), key=lambda one: (len(one.events), one.events))
    return Report(
        tuple(findings),
        {kind.name: kind.more for kind in looking if kind.more},
        tuple(kind.note for kind in looking if kind.note),
        {kind.name: kind.looks_for for kind in looking},
        not_looked_for,
    )


def _handlers(prefix: str, looking: list[Kind]) -> defaultdict[str, list[Callable[[Event], None]]]:
    """Methods that are told of events, by the kind of these."""
    found: defaultdict[str, list[Callable[[Event], None]]] = defaultdict(list)
    for kind in looking:
        for name in dir(kind):
            if name.startswith(prefix):
                found[name.removeprefix(prefix)].append(getattr(kind, name))
    return found


def _follow(trace: Trace, number: int, event: Event, take: Callable[[Event], None]) -> None:
    """Have an event taken in; raise TraceError where it cannot be."""
    try:
        if event.seq != number:
            raise ValueError(f"seq is {event.seq}, it is event {number}")
        take(event)
    except MALFORMED as error:
        why = f"unknown {error}" if isinstance(error, KeyError) else str(error)
        raise TraceError(trace.path, event.line, f"event {number} ({event.event}) cannot follow: {why}") from None
