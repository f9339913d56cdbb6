"""A trace's series and requests, worked out once for all the films and chapters that ask."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from astrai_sim.trace import Event, RequestTimes, Series, Trace
from scenes.story.history import history_of

_REQUESTS: WeakKeyDictionary[Trace, RequestTimes] = WeakKeyDictionary()


def series_of(trace: Trace) -> Series:
    """`Series.of`, remembered."""
    return history_of(trace).series


def requests_of(trace: Trace) -> RequestTimes:
    """`RequestTimes.of`, remembered."""
    if trace not in _REQUESTS:
        _REQUESTS[trace] = RequestTimes.of(trace)
    return _REQUESTS[trace]


def prompt_len(submitted: Event) -> int:
    """Tokens of the prompt of a `task_submitted` event, bulk ones included."""
    return submitted.prompt_len
