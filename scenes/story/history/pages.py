"""Lives of pages: who held each from when to when, what it contained, when it was only cached."""

from collections import defaultdict
from functools import cached_property, partialmethod
from typing import NamedTuple

import numpy as np

from astrai_sim.trace.events import Counted, PagesEvicted, PrefixReset, Table
from scenes.story.history.moves import (
    ALLOC,
    CACHED,
    EVICTED,
    FREE,
    REF,
    REVIVED,
    Contents,
    Evicted,
    Holds,
    Kept,
    Lives,
    Moves,
)  # fmt: skip
from scenes.story.history.requests import Requests

TAKEN = ("alloc", "ref", "revived")
LEFT = ("held", "shared", "freed", "cached")


class LetGo(NamedTuple):
    """Pages that a request let go of, in ascending order, by what became of them; done by `end`."""

    end: int
    freed: tuple[int, ...]
    cached: tuple[int, ...]
    shared: tuple[int, ...]


class First(NamedTuple):
    """The `pages` that `task` was the first to get: none after event `begin`, all after `end`, its admission."""

    task: str
    begin: int
    end: int
    pages: tuple[int, ...]


class Pages:
    """Three tables and the counts of the run; rows that are not over end at the trace's length.

    `holds`: `task` (by index) held `page` at place `logical` of its table from `begin` on, which
    its table shows from `shown` on, to `end`; `taken` and `left` index `TAKEN` and `LEFT`, and `decode`
    says whether its request was running already. `contents`: what `page` contained, of which request and
    place. `kept`: when it was cached. All are in the order in which they began, and there once
    the run was gone through.
    """

    def __init__(self, page_size: int, last: int, requests: Requests) -> None:
        self.page_size = page_size
        self.last = last
        self.requests = requests
        self._moves = Moves()
        self._held: defaultdict[str, int] = defaultdict(int)
        self._sorted: tuple[np.ndarray, np.ndarray] | None = None

    def _take(self, event: Counted, how: int) -> None:
        """A request has the pages in its table; those that no request has are only counted."""
        if event.task is None:
            self._moves.add(event, how, event.refs)
            return
        life = self.requests[event.task]
        self._held[event.task] += len(event.pages)
        self._moves.add(event, how, event.refs, life.index, len(life.admitted) > len(life.preempted))

    on_pages_alloc = partialmethod(_take, how=ALLOC)
    on_pages_ref = partialmethod(_take, how=REF)
    on_pages_revived = partialmethod(_take, how=REVIVED)

    def _leave(self, event: Counted, how: int) -> None:
        if event.task is None:
            self._moves.add(event, how, event.refs)
            return
        life = self.requests[event.task]
        self._moves.add(event, how, event.refs, life.index)
        self._held[event.task] -= len(event.pages)
        if not self._held[event.task]:
            life.emptied.append(event.seq)

    on_pages_free = partialmethod(_leave, how=FREE)
    on_pages_cached = partialmethod(_leave, how=CACHED)

    def on_table(self, event: Table) -> None:
        request = self.requests[event.task]
        if event.pages:
            self._moves.tables.add(event.seq, request.index, len(event.pages) - 1)
        elif request.emptied:
            request.emptied[-1] = event.seq

    def on_pages_evicted(self, event: PagesEvicted) -> None:
        self._moves.add(event, EVICTED, [0] * len(event.pages))

    def on_prefix_reset(self, event: PrefixReset) -> None:
        self._moves.reset(event.seq)

    @cached_property
    def _lives(self) -> Lives:
        return self._moves.lives(self.last)

    @property
    def holds(self) -> Holds:
        return self._lives.holds

    @property
    def contents(self) -> Contents:
        return self._lives.contents

    @property
    def kept(self) -> Kept:
        return self._lives.kept

    @property
    def evicted(self) -> Evicted:
        return self._lives.evicted

    @property
    def allocs(self) -> int:
        """Pages that were allocated."""
        return self._lives.allocs

    @property
    def frees(self) -> int:
        """Pages that became free."""
        return self._lives.frees

    @property
    def most_in_use(self) -> int:
        """Pages in use, at most."""
        return self._lives.most_in_use

    @property
    def most_cached(self) -> int:
        """Cached pages, at most."""
        return self._lives.most_cached

    # asked afterwards

    def took(self, after: int, before: int, how: str | None = None, task: str | None = None) -> np.ndarray:
        """Rows of `holds` that began between two events, both left out."""
        rows = np.arange(*np.searchsorted(self.holds.begin, [after + 1, before]))
        if how is not None:
            rows = rows[self.holds.taken[rows] == TAKEN.index(how)]
        return rows if task is None else rows[self.holds.task[rows] == self.requests[task].index]

    def first(self) -> First | None:
        """The first pages of the run; None where nobody was admitted with any."""
        h = self.holds
        rows = np.flatnonzero((h.taken == 0) & (h.decode == 0))
        task = self.requests.names[h.task[rows[0]]] if len(rows) else ""
        admitted = self.requests[task].admission(int(h.begin[rows[0]])) if task else None
        if admitted is None:
            return None
        begin = int(h.begin[rows[0]]) - 1
        return First(task, begin, admitted.seq, tuple(h.page[self.took(begin, admitted.seq, task=task)].tolist()))

    def of(self, task: str, seq: int) -> np.ndarray:
        """Pages that `task` holds right before event `seq`, int64, in the order of its table."""
        h, mine = self.holds, self._mine(task)
        rows = mine[(h.begin[mine] < seq) & (h.end[mine] >= seq)]
        return h.page[rows[np.argsort(h.logical[rows])]]

    def _mine(self, task: str) -> np.ndarray:
        """Rows of `holds` of a request, ascending."""
        tasks = self.holds.task
        if self._sorted is None or len(self._sorted[0]) != len(tasks):
            order = np.argsort(tasks, kind="stable")
            self._sorted = order, np.searchsorted(tasks[order], np.arange(len(self.requests) + 1))
        order, starts = self._sorted
        index = self.requests[task].index
        return order[starts[index] : starts[index + 1]]

    def let_go(self, task: str, seq: int) -> LetGo | None:
        """What `task` let go of from event `seq` on, until its table was empty; None if it never was."""
        end = self.requests[task].empty_after(seq)
        if end is None:
            return None
        h, mine = self.holds, self._mine(task)
        mine = mine[(h.end[mine] >= seq) & (h.end[mine] <= end)]
        shared, freed, cached = (tuple(sorted(h.page[mine[h.left[mine] == left]].tolist())) for left in (1, 2, 3))
        return LetGo(end, freed, cached, shared)

    def text_of(self, content: int) -> tuple[str, int, int]:
        """(request, first position, last position) of what a row of `contents` says."""
        first = int(self.contents.logical[content]) * self.page_size
        return self.requests.names[self.contents.task[content]], first, first + self.page_size - 1
