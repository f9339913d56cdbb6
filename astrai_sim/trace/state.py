"""The replayed state of cache and scheduler."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from astrai_sim.trace import events as ev
from astrai_sim.trace.tasks import Tasks, TokenLog

FREE, IN_USE, CACHED = 0, 1, 2
STATE_NAMES = ("free", "in use", "cached")


@dataclass(eq=False)
class State:
    """Everything that the events up to `seq` (-1: before the first) say.

    `refs` is int32 [n_pages]; `tables` maps a task to its physical pages; `tasks`
    maps a name to its `TaskState`, in order of submission.
    """

    n_pages: int
    page_size: int
    refs: np.ndarray
    seq: int = -1
    step: int = -1
    phase: str | None = None
    ns: int = 0
    tables: dict[str, list[int]] = field(default_factory=dict)
    tasks: Tasks = field(default_factory=Tasks)
    _states: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint8))
    _keyed: np.ndarray = field(default_factory=lambda: np.empty(0, bool))
    _mask: int | None = None
    _cached: dict[int, None] = field(default_factory=dict)
    _queue: dict[str, None] = field(default_factory=dict)
    _norms: dict[int, np.ndarray] = field(default_factory=dict)

    @classmethod
    def initial(cls, n_pages: int, page_size: int) -> State:
        """Before the first event: every page free."""
        states, keyed = np.zeros(n_pages, np.uint8), np.zeros(n_pages, bool)
        return cls(n_pages, page_size, np.zeros(n_pages, np.int32), _states=states, _keyed=keyed)

    def copy(self) -> State:
        """An independent copy."""
        return replace(
            self,
            refs=self.refs.copy(),
            tables=self.tables.copy(),
            tasks=self.tasks.copy(),
            _states=self._states.copy(),
            _keyed=self._keyed.copy(),
            _cached=self._cached.copy(),
            _queue=self._queue.copy(),
            _norms=self._norms.copy(),
        )

    @property
    def mask(self) -> int:
        """The free mask: bit i is 1 where page i is free."""
        if self._mask is None:
            bits = np.packbits(self._states == FREE, bitorder="little")
            self._mask = int.from_bytes(bits.tobytes(), "little")
        return self._mask

    def mask_bits(self) -> str:
        """The free mask as digits, high bit first."""
        return format(self.mask, f"0{self.n_pages}b")

    @property
    def lru(self) -> list[int]:
        """Cached pages, least recently used first."""
        return list(self._cached)

    @property
    def waiting(self) -> list[str]:
        """Requests that wait for admission, the next one first."""
        return list(self._queue)

    @property
    def n_free(self) -> int:
        """Free pages."""
        return self.n_pages - int(np.count_nonzero(self._states))

    @property
    def n_cached(self) -> int:
        """Cached pages: at refcount 0, but kept for their content."""
        return len(self._cached)

    @property
    def n_in_use(self) -> int:
        """Pages that some table holds."""
        return int(np.count_nonzero(self._states == IN_USE))

    def page_state(self, page: int) -> str:
        """ "free", "in use" or "cached"."""
        return STATE_NAMES[self._states[page]]

    def page_states(self) -> np.ndarray:
        """State of every page, uint8 [n_pages]: 0 free, 1 in use, 2 cached."""
        return self._states.copy()

    def owners(self, page: int) -> list[tuple[str, int]]:
        """(task, logical index) of every table entry that names `page`."""
        return [(task, pages.index(page)) for task, pages in self.tables.items() if page in pages]

    def first_owner(self) -> np.ndarray:
        """For every page the task that holds it, int32 [n_pages]; -1 where none does.

        Tasks are numbered in order of submission; of several the first submitted counts.
        """
        owner = np.full(self.n_pages, -1, dtype=np.int32)
        for task in sorted(self.tables, key=self.tasks.index, reverse=True):
            owner[self.tables[task]] = self.tasks.index(task)
        return owner

    def fill(self) -> np.ndarray:
        """Slots of every page that hold K and V, int32 [n_pages].

        From the lengths of the tasks that hold the page; a keyed page is full, and so
        is a cached one. What is left behind in a free page does not count.
        """
        size = self.page_size
        filled = np.where(self._keyed, np.int32(size), np.int32(0))
        for task, pages in self.tables.items():
            stored = self.tasks.stored(task)
            whole = stored // size
            filled[pages[:whole]] = size
            if stored % size and whole < len(pages):
                filled[pages[whole]] = max(filled[pages[whole]], stored % size)
        filled[self._states == FREE] = 0
        return filled

    @property
    def kv_slots(self) -> int:
        """Slots of pages in use that hold K and V; a slot of a shared page counts once.

        Each task's tokens, less those that it reads from pages which others count too: only full pages are shared.
        """
        stored = int(self.tasks.stored_of(list(self.tables)).sum()) if self.tables else 0
        shared = int(np.maximum(self.refs - 1, 0).sum())
        return stored - shared * self.page_size

    def norms(self, page: int) -> np.ndarray:
        """Recorded K norm of each slot, float32 [page_size]; NaN where none is recorded.

        A bulk recording has no norms: `fill` tells there which slots hold something.
        """
        norms = self._norms.get(page)
        if norms is None:
            return np.full(self.page_size, np.nan, dtype=np.float32)
        return norms.copy()

    def apply(self, event: ev.Event) -> None:
        """Take in the next event."""
        self.seq, self.step, self.phase, self.ns = event.seq, event.step, event.phase, event.ns
        handler = getattr(self, f"_on_{event.event}", None)
        if handler is not None:
            handler(event)

    # requests

    def _on_task_submitted(self, event: ev.TaskSubmitted) -> None:
        log = TokenLog(event.prompt, event.texts)
        self.tasks.submit(event.task, event.seq, event.prompt_len, event.max_tokens, log)
        self._queue[event.task] = None

    def _on_task_admitted(self, event: ev.TaskAdmitted) -> None:
        self.tasks.set_status(event.task, "prefilling")
        self.tasks.store(event.task, event.cached_tokens)
        self._queue.pop(event.task, None)

    def _on_tokens(self, event: ev.Tokens) -> None:
        self.tasks.append(event.tasks, event.ids, event.texts)

    def _on_task_finished(self, event: ev.TaskFinished) -> None:
        self.tasks.set_status(event.task, "finished")
        self._queue.pop(event.task, None)

    def _on_task_preempted(self, event: ev.TaskPreempted) -> None:
        self.tasks.set_status(event.task, "preempted")
        self._queue = {event.task: None, **self._queue}

    # pages

    def _on_pages_alloc(self, event: ev.PagesAlloc) -> None:
        self._states[event.pages] = IN_USE
        self._keyed[event.pages] = False
        self._forget_norms(event.pages)
        self._came(event)

    def _on_pages_ref(self, event: ev.PagesRef) -> None:
        self._came(event)

    def _on_pages_revived(self, event: ev.PagesRevived) -> None:
        self._uncache(event.pages)
        self._states[event.pages] = IN_USE
        self._came(event)

    def _on_pages_free(self, event: ev.PagesFree) -> None:
        gone = [page for page, ref in zip(event.pages, event.refs, strict=True) if ref == 0]
        self._states[gone] = FREE
        self._keyed[gone] = False
        self._forget_norms(gone)
        self._went(event)

    def _on_pages_cached(self, event: ev.PagesCached) -> None:
        self._states[event.pages] = CACHED
        self._cached.update(dict.fromkeys(event.pages))
        self._went(event)

    def _on_pages_evicted(self, event: ev.PagesEvicted) -> None:
        """Cached pages on their way to a new holder: the allocation comes next."""
        self._uncache(event.pages)
        self._forget_norms(event.pages)
        self._states[event.pages] = IN_USE
        self._keyed[event.pages] = False

    def _on_pages_keyed(self, event: ev.PagesKeyed) -> None:
        self._keyed[event.pages] = True

    def _on_table(self, event: ev.Table) -> None:
        if event.pages:
            self.tables[event.task] = list(event.pages)
        else:
            self._lose(event.task)

    def _on_prefix_reset(self, event: ev.PrefixReset) -> None:
        for page in self._cached:
            self._norms.pop(page, None)
            self._states[page] = FREE
        self._cached.clear()
        self._keyed[:] = False
        self._mask = event.mask

    def _set_counts(self, event: ev.Counted) -> None:
        self.refs[event.pages] = event.refs
        if event.word is None:
            self._mask = event.mask
        else:
            index, word = event.word
            shift = 64 * index
            self._mask = self.mask & ~(0xFFFFFFFFFFFFFFFF << shift) | word << shift

    def _came(self, event: ev.Counted) -> None:
        """Refcounts, the mask, and in bulk (in full detail a `table` event follows) the table."""
        self._set_counts(event)
        if event.free is not None and event.task is not None:
            self.tables[event.task] = self.tables.get(event.task, []) + event.pages

    def _went(self, event: ev.Counted) -> None:
        self._set_counts(event)
        if event.free is not None and event.task is not None:
            rest = self.tables[event.task][: -len(event.pages)]
            if rest:
                self.tables[event.task] = rest
            else:
                self._lose(event.task)

    def _lose(self, task: str) -> None:
        """A task has no page any more."""
        self.tables.pop(task, None)
        self.tasks.let_go(task)

    def _uncache(self, pages: list[int]) -> None:
        for page in pages:
            self._cached.pop(page, None)

    def _forget_norms(self, pages: list[int]) -> None:
        for page in pages if self._norms else ():
            self._norms.pop(page, None)

    # contents

    def _on_kv_write(self, event: ev.KvWrite) -> None:
        for span in event.spans:
            self.tasks.store(span.task, max(self.tasks.stored(span.task), span.start + span.count))
            taken = 0
            for page, low, high in span.slots:
                norms = self.norms(page)
                norms[low:high] = span.norms[taken : taken + high - low]
                self._norms[page] = norms
                taken += high - low

    def _on_kv_lengths(self, event: ev.KvLengths) -> None:
        self.tasks.store_more(event.tasks, event.counts)
