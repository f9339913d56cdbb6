"""The history of a run, from one pass over its events, and remembered for its trace."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, proxy

import numpy as np

from astrai_sim.trace import Event, Series, Trace
from astrai_sim.trace.events import PagesAlloc, PagesEvicted, PagesKeyed
from astrai_sim.trace.series import Counting
from scenes.story.history.ink import Ink
from scenes.story.history.pages import Pages
from scenes.story.history.requests import Requests
from scenes.story.history.steps import Steps
from scenes.story.history.works import Kinds, Works

E = TypeVar("E", bound=Event)


class History:
    """What happened in a run: lives of `requests` and of `pages`, and the `steps`.

    `series` holds what the cache and the scheduler counted at the end of every step; `last` is the
    number of the last event.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = proxy(trace)
        self._seqs: dict[str, array] = {}
        self.last = len(trace) - 1
        self.requests = Requests()
        self.steps = Steps(self.last, trace.header.phases)
        self._kinds: dict[int, Kinds] = {}
        self.pages = Pages(trace.header.scenario.cache.page_size, self.last, self.requests)
        self.series = self._gone_through(trace)
        self.steps.close()

    def _gone_through(self, trace: Trace) -> Series:
        """The series, with each event taken in on the way."""
        takes: dict[str, tuple[Callable[[int], None], list[Callable[[Event], None]]]] = {}
        works, evicted, four, counting = Works(), array("q"), self.steps.four, Counting()
        for event, state in trace.replayed():
            kind = event.event
            if not four:
                kinds = works.of(event)
                if isinstance(event, PagesEvicted):
                    evicted.append(event.seq)
                elif isinstance(event, PagesAlloc):  # what made room for it is of the same kind
                    self._kinds |= dict.fromkeys(evicted, kinds)
                    evicted = array("q")
                self._kinds[event.seq] = kinds
            if kind not in takes:
                self.requests.state = state
                self._seqs[kind] = array("q")
                parts = (self.requests, self.steps, self.pages)
                found = (getattr(part, f"on_{kind}", None) for part in parts)
                takes[kind] = self._seqs[kind].append, [handler for handler in found if handler is not None]
            take_down, handlers = takes[kind]
            take_down(event.seq)
            for handler in handlers:
                handler(event)
            if not four:
                self.steps.worked(event, self._kinds[event.seq])
            counting.take(event, state)
        return counting.series()

    def works(self, kind: str, event: Event) -> bool:
        """Whether an event belongs to that kind of work: the phase that it is in, where an engine has the four."""
        return event.phase == kind if self.steps.four else kind in self._kinds[event.seq]

    def seqs(self, kind: str) -> np.ndarray:
        """Numbers of the events of a kind, int64, ascending."""
        return np.array(self._seqs.get(kind, ()), dtype=np.int64)

    @cached_property
    def gaps(self) -> np.ndarray:
        """Longest time between two tokens of one request that ended in each step, in ns; -1 for none."""
        longest = np.full(len(self.steps), -1, dtype=np.int64)
        for life in self.requests.values():
            known = life.tokens.step[1:] < len(longest)
            np.maximum.at(longest, life.tokens.step[1:][known], np.diff(life.tokens.ns)[known])
        return longest

    @cached_property
    def waits(self) -> tuple[np.ndarray, np.ndarray]:
        """As `Requests.waits`."""
        return self.requests.waits()

    @cached_property
    def final_pages(self) -> list[int]:
        """Pages that each request needs for all tokens that it ever has, by index."""
        size = self.pages.page_size
        return [-(-(life.prompt + life.generated) // size) for life in self.requests.values()]

    def decoded(self, step: int) -> list[str]:
        """The requests that a decode phase gave a token in a step, in order."""
        log = self.requests.log
        low, high = np.searchsorted(log.step, [step, step + 1])
        tasks = log.task[low:high][log.decode[low:high] == 1]
        return [self.requests.names[task] for task in tasks.tolist()]

    def prefilled(self, step: int) -> list[tuple[str, int]]:
        """(request, tokens) of each stretch of tokens that a prefill phase computed in a step, in order."""
        return self._prefilled.get(step, [])

    @cached_property
    def _prefilled(self) -> dict[int, list[tuple[str, int]]]:
        found: dict[int, list[tuple[str, int]]] = {}
        events = (event for life in self.requests.values() for event in life.computed)
        for event in sorted(events, key=lambda event: event.seq):
            found.setdefault(event.step, []).append((event.task, event.end - event.start))
        return found

    @cached_property
    def ink(self) -> Ink:
        return Ink(self._trace)

    def ns(self, seq: int) -> int:
        """When event `seq` was."""
        return self._trace[seq].ns

    def count(self, kind: str) -> int:
        """Events of a kind."""
        return len(self._seqs.get(kind, ()))

    def event(self, kind: type[E], seq: int) -> E:
        """Event `seq`. Raises TypeError where it is none of that `kind`."""
        found = self._trace[seq]
        if not isinstance(found, kind):
            raise TypeError(f"event {seq} is a {found.event}, no {kind.__name__}")
        return found

    def events(
        self,
        kind: type[E] | str,
        after: int = -1,
        before: int | None = None,
        backwards: bool = False,
        work: str | None = None,
        **fields: Any,
    ) -> Iterator[E]:
        """Events of `kind` between two, both left out, whose `fields` have these values, in order or `backwards`; with
        `work` only those that belong to that kind of it.

        `kind` is its struct, which tells a type checker the fields, or its name.
        """
        seqs = self._seqs.get(kind if isinstance(kind, str) else str(kind.__struct_config__.tag), array("q"))
        end = len(seqs) if before is None else bisect_left(seqs, before)
        rows = range(bisect_right(seqs, after), end)
        for row in reversed(rows) if backwards else rows:
            event = self._trace[seqs[row]]
            if all(getattr(event, name) == value for name, value in fields.items()):
                if work is None or self.works(work, event):
                    yield event

    def keyed(self, page: int, before: int) -> PagesKeyed | None:
        """What gave `page` the key that it has right before event `before`, or had last; None where it got none."""
        return next((e for e in self.events(PagesKeyed, before=before, backwards=True) if page in e.pages), None)

    def first(self, kind: type[E] | str, after: int = -1, before: int | None = None, **fields: Any) -> E | None:
        """The first of `events`; None where there is none."""
        return next(self.events(kind, after, before, **fields), None)

    def latest(self, kind: type[E] | str, before: int | None = None, after: int = -1, **fields: Any) -> E | None:
        """The last of `events`; None where there is none."""
        return next(self.events(kind, after, before, backwards=True, **fields), None)


_KNOWN: WeakKeyDictionary[Trace, History] = WeakKeyDictionary()


def history_of(trace: Trace) -> History:
    """The history of a trace, worked out once for all films and chapters that ask."""
    if trace not in _KNOWN:
        _KNOWN[trace] = History(trace)
    return _KNOWN[trace]
