"""Lives of pages: who held each from when to when, what it contained, when it was only cached."""

from collections.abc import Sequence
from functools import partialmethod
from typing import NamedTuple

import numpy as np

from astrai_sim.trace.events import Counted, PagesEvicted, PrefixReset, Table
from scenes.story.history.columns import Columns, Runs
from scenes.story.history.requests import Requests
from scenes.story.history.sure import sure

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
    place. `kept`: when it was cached. All are in the order in which they began.
    """

    def __init__(self, page_size: int, last: int, requests: Requests) -> None:
        self.page_size = page_size
        self.last = last
        self.requests = requests
        entries, to_the_end = ("page", "logical"), {"end": last + 1}
        changes = {"shown": "begin", "left": LEFT.index("held"), **to_the_end}
        self.holds = Runs(entries, ("task", "begin", "taken", "decode"), changes)
        self.contents = Runs(entries, ("task", "begin"), to_the_end)
        self.kept = Runs(("page",), ("begin",), to_the_end)
        self.evicted = Columns("seq", "page", "content")
        self.allocs = self.frees = 0
        self.most_in_use = self.most_cached = 0
        self._open: dict[str, dict[int, int]] = {}
        self._content: dict[int, int] = {}
        self._cached: dict[int, int] = {}
        self._refs: dict[int, int] = {}
        self._sorted: tuple[np.ndarray, np.ndarray] | None = None

    def _take(self, event: Counted, how: int) -> None:
        seq, pages = event.seq, event.pages
        self._uncache(pages, seq)
        if how == 0:
            self.allocs += len(pages)
            self._forget(pages, seq)
        self._refs.update(zip(pages, event.refs, strict=True))
        self.most_in_use = max(self.most_in_use, len(self._refs))
        if event.task is not None:
            self._hold(event.task, event, how)

    def _hold(self, task: str, event: Counted, how: int) -> None:
        """A request has the pages in its table; those that no request has are only counted."""
        life, index = self.requests[task], self.requests[task].index
        grows = len(life.admitted) > len(life.preempted)
        table = self._open.setdefault(task, {})
        entries, pages = sure(event.entries), event.pages
        if how == 0:
            made = self.contents.extend((pages, entries), index, event.seq)
            self._content.update(zip(pages, made, strict=True))
        held = self.holds.extend((pages, entries), index, event.seq, how, grows)
        table.update(zip(entries, held, strict=True))

    on_pages_alloc = partialmethod(_take, how=0)
    on_pages_ref = partialmethod(_take, how=1)
    on_pages_revived = partialmethod(_take, how=2)

    def _leave(self, event: Counted, left: int) -> None:
        table, gone = self._open.get(event.task or "", {}), event.pages
        rows = [] if event.task is None else [table.pop(logical) for logical in sure(event.entries)]
        self.holds.change("end", rows, event.seq)
        self.holds.change("left", rows, left)
        if any(event.refs):
            self.holds.change("left", [row for row, refs in zip(rows, event.refs, strict=bool(rows)) if refs], 1)
            after = list(zip(event.pages, event.refs, strict=True))
            self._refs.update((page, refs) for page, refs in after if refs)
            gone = [page for page, refs in after if not refs]
        for page in gone:
            del self._refs[page]
        if left == 3:
            kept = self.kept.extend((gone,), event.seq)
            self._cached.update(zip(gone, kept, strict=True))
        else:
            self.frees += len(gone)
            self._forget(gone, event.seq)
        self.most_cached = max(self.most_cached, len(self._cached))
        if event.task is not None and not table:
            self.requests[event.task].emptied.append(event.seq)

    on_pages_free = partialmethod(_leave, left=2)
    on_pages_cached = partialmethod(_leave, left=3)

    def on_table(self, event: Table) -> None:
        request = self.requests[event.task]
        if event.pages:
            self.holds.change("shown", [self._open[event.task][len(event.pages) - 1]], event.seq)
        elif request.emptied:
            request.emptied[-1] = event.seq

    def on_pages_evicted(self, event: PagesEvicted) -> None:
        for page in event.pages:
            self.evicted.add(event.seq, page, self._content.get(page, -1))
        self._uncache(event.pages, event.seq)
        self._forget(event.pages, event.seq)

    def on_prefix_reset(self, event: PrefixReset) -> None:
        pages = list(self._cached)
        self._uncache(pages, event.seq)
        self._forget(pages, event.seq)

    def _forget(self, pages: Sequence[int], seq: int) -> None:
        if not self._content.keys().isdisjoint(pages):
            content = self._content
            self.contents.change("end", [content.pop(page) for page in pages if page in content], seq)

    def _uncache(self, pages: Sequence[int], seq: int) -> None:
        if not self._cached.keys().isdisjoint(pages):
            cached = self._cached
            self.kept.change("end", [cached.pop(page) for page in pages if page in cached], seq)

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
