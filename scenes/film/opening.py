"""A trace as films see it: verified, whole steps, and names that fit the screen."""

from __future__ import annotations

from functools import cache

from astrai_sim.shipped import ASSETS
from astrai_sim.trace import Trace
from scenes.film.names import with_short_names
from scenes.film.vouched import vouched


def for_the_screen(trace: Trace) -> Trace:
    """The verified trace up to its last whole step, with short names; itself where that changes nothing.

    Raises TraceError for one that does not hold; see `vouched`.
    """
    return with_short_names(with_whole_steps(vouched(trace)))


def with_whole_steps(trace: Trace) -> Trace:
    """The same trace, without the step in which the recording was cut short.

    What a step began it has not always finished by then: pages on their way from one
    table to the next, a request between its phases.
    """
    if trace.complete or not len(trace):
        return trace
    last = max((event.seq for event in trace.find(event="step_end")), default=-1)
    return trace if last == len(trace) - 1 else trace.derived(bytes(trace.content[: trace.end_of(last)]))


@cache
def other_trace(name: str) -> Trace:
    """The shipped trace called `name`, as films see it, opened once."""
    return for_the_screen(Trace.open(ASSETS / "traces" / f"{name}.jsonl.gz"))
