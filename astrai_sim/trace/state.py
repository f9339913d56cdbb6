"""The replayed state of cache and scheduler."""

import copy
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Self

import numpy as np
from msgspec import structs

from astrai_sim.trace import blocks
from astrai_sim.trace import events as ev
from astrai_sim.trace.tasks import TaskState, TokenLog

FREE, IN_USE, CACHED = 0, 1, 2
KEYED = 4
"""Bit of a page that can be found by its key, beside its state; never of a free one."""
STATE_NAMES = ("free", "in use", "cached")
OWN = (dict, set, np.ndarray)
"""Types of what each state has for itself."""


class State:
    """Everything that the events up to `seq` (-1: before the first) say. Begins with every page free.

    Of a trace that knows only which blocks are cached, pages with a block are cached and all others free, whoever uses
    them: refcounts, tables and requests stay empty, and `lru` is the order in which blocks were stored.

    `refs` is int32 [n_pages]; `tables` maps a task to its physical pages; `tasks`
    maps a name to its `TaskState`, in order of submission.
    """

    def __init__(self, n_pages: int, page_size: int) -> None:
        self.n_pages = n_pages
        self.page_size = page_size
        self.seq = self.step = -1
        self.phase: str | None = None
        self.ns = 0
        self.refs = np.zeros(n_pages, np.int32)
        self.tables: dict[str, list[int]] = {}
        self._tasks: dict[str, TaskState] = {}
        self._running: set[str] = set()
        self._got: defaultdict[str, int] = defaultdict(int)
        self._wrote: defaultdict[str, int] = defaultdict(int)
        self._pages = np.zeros(n_pages, np.uint8)
        self._mask: int | None = None
        self._cached: dict[int, None] = {}
        self._queue: dict[str, None] = {}
        self._first: dict[str, None] = {}
        self._filled = 0
        self._norms: dict[int, np.ndarray] = {}
        self._changed: set[str] = set()

    def copy(self) -> Self:
        """An independent copy."""
        twin = copy.copy(self)
        vars(twin).update((name, own.copy()) for name, own in vars(self).items() if isinstance(own, OWN))
        return twin

    @property
    def tasks(self) -> dict[str, TaskState]:
        """The requests by name, in order of submission."""
        for task in [*self._got.keys() | self._wrote.keys()]:
            self.task(task)
        return self._tasks

    def task(self, name: str) -> TaskState:
        """One request of `tasks`: of that alone tokens are added up that were only counted so far."""
        task = self._tasks[name]
        if name in self._got or name in self._wrote:
            sizes = task.n_tokens + self._got.pop(name, 0), task.stored + self._wrote.pop(name, 0)
            told = task.name, task.index, task.status, task.prompt_len, task.max_tokens
            task = self._tasks[name] = TaskState(*told, *sizes, task.log)
            self._changed.add(name)
        return task

    def prefilling(self, tasks: Iterable[str]) -> list[str]:
        """Those of some tasks of which a pass computes the prompt, not the answer; in any order."""
        return [task for task in set(tasks) - self._running if self._tasks[task].status == "prefilling"]

    @property
    def mask(self) -> int:
        """The free mask: bit i is 1 where page i is free."""
        if self._mask is None:
            bits = np.packbits(self._pages == FREE, bitorder="little")
            self._mask = int.from_bytes(bits.tobytes(), "little")
        return self._mask

    @property
    def lru(self) -> list[int]:
        """Cached pages, least recently used first."""
        return list(self._cached)

    @property
    def waiting(self) -> list[str]:
        """Requests that wait for admission, the next one first."""
        return [*reversed(self._first), *self._queue]

    @property
    def n_free(self) -> int:
        """Free pages."""
        return self.n_pages - int(np.count_nonzero(self._pages))

    @property
    def n_cached(self) -> int:
        """Cached pages: at refcount 0, but kept for their content."""
        return len(self._cached)

    @property
    def n_in_use(self) -> int:
        """Pages that some table holds."""
        return int(np.count_nonzero(self._pages)) - len(self._cached)

    def page_state(self, page: int) -> str:
        """ "free", "in use" or "cached"."""
        return STATE_NAMES[self._pages[page] % KEYED]

    def page_states(self) -> np.ndarray:
        """State of every page, uint8 [n_pages]: 0 free, 1 in use, 2 cached."""
        return self._pages % KEYED

    def owners(self, page: int) -> list[tuple[str, int]]:
        """(task, logical index) of every table entry that names `page`."""
        return [(task, pages.index(page)) for task, pages in self.tables.items() if page in pages]

    def first_owner(self) -> np.ndarray:
        """For every page the task that holds it, int32 [n_pages]; -1 where none does.

        Tasks are numbered in order of submission; of several the first submitted counts.
        """
        owner = np.full(self.n_pages, -1, dtype=np.int32)
        for index, task in sorted(((self.tasks[task].index, task) for task in self.tables), reverse=True):
            owner[self.tables[task]] = index
        return owner

    def fill(self) -> np.ndarray:
        """Slots of every page that hold K and V, int32 [n_pages].

        From the lengths of the tasks that hold the page; a keyed page is full, and so
        is a cached one. What is left behind in a free page does not count.
        """
        size = self.page_size
        filled = np.where(self._pages & KEYED, np.int32(size), np.int32(0))
        for task, pages in self.tables.items():
            stored = self.task(task).stored
            whole = stored // size
            filled[pages[:whole]] = size
            if stored % size and whole < len(pages):
                filled[pages[whole]] = max(filled[pages[whole]], stored % size)
        filled[self._pages == FREE] = 0
        return filled

    @property
    def kv_slots(self) -> int:
        """Slots of pages in use that hold K and V; a slot of a shared page counts once.

        Each task's tokens, less those that it reads from pages which others count too: only full pages are shared.
        """
        return self._filled - int(np.maximum(self.refs - 1, 0).sum()) * self.page_size

    def norms(self, page: int) -> np.ndarray:
        """Recorded K norm of each slot, float32 [page_size]; NaN where none is recorded.

        Bulk recordings, and those of some engines, have no norms: `fill` tells there which slots hold something.
        """
        norms = self._norms.get(page)
        return np.full(self.page_size, np.nan, dtype=np.float32) if norms is None else norms.copy()

    def apply(self, event: ev.Event) -> None:
        """Take in the next event."""
        self.seq, self.step, self.phase, self.ns = event.seq, event.step, event.phase, event.ns
        handler = HANDLERS.get(event.event)
        if handler is not None:
            handler(self, event)

    def changed(self) -> dict[str, TaskState]:
        """Requests that changed since this was asked last, in order of submission."""
        tasks = self.tasks
        names, self._changed = self._changed, set()
        return {task.name: task for task in sorted((tasks[name] for name in names), key=lambda task: task.index)}

    # requests

    def _change(self, task: str, **changes: Any) -> None:
        before = self.task(task)
        after = self._tasks[task] = structs.replace(before, **changes)
        self._changed.add(task)
        if task in self.tables:
            self._filled += after.stored - before.stored
        if "status" in changes:
            (self._running.add if changes["status"] == "running" else self._running.discard)(task)

    def _on_task_submitted(self, event: ev.TaskSubmitted) -> None:
        """A name that was submitted before starts anew in its place."""
        name, log = event.task, TokenLog(event.prompt and [*event.prompt], event.texts and [*event.texts])
        index = self.task(name).index if name in self._tasks else len(self._tasks)
        sizes = (event.prompt_len, event.max_tokens, event.prompt_len, 0)
        self._tasks[name] = TaskState(name, index, "waiting", *sizes, log)
        self._running.discard(name)
        self._first.pop(name, None)
        self._queue[name] = None
        self._changed.add(name)

    def _leave_queue(self, task: str) -> None:
        self._first.pop(task, None)
        self._queue.pop(task, None)

    def _on_task_admitted(self, event: ev.TaskAdmitted) -> None:
        self._change(event.task, status="prefilling", stored=event.cached_tokens)
        self._leave_queue(event.task)

    def _on_tokens(self, event: ev.Tokens) -> None:
        tasks, got = event.tasks, self._got
        if not self._running.issuperset(tasks):
            for task in tasks:
                self._change(task, status="running")
        for i, name in enumerate(tasks if event.ids or event.texts else ()):
            task, ids, texts = self._tasks[name], event.ids, event.texts
            task.log.put(task.n_tokens + got.get(name, 0), ids[i] if ids else None, texts[i] if texts else None)
        for name in tasks:
            got[name] += 1

    def _on_task_finished(self, event: ev.TaskFinished) -> None:
        self._change(event.task, status="finished")
        self._leave_queue(event.task)

    def _on_task_preempted(self, event: ev.TaskPreempted) -> None:
        self._change(event.task, status="preempted")
        self._leave_queue(event.task)
        self._first[event.task] = None

    # pages

    def _on_pages_alloc(self, event: ev.PagesAlloc) -> None:
        self._empty(event.pages, IN_USE)
        self._count(event)

    def _on_pages_ref(self, event: ev.PagesRef) -> None:
        self._count(event)

    def _on_pages_revived(self, event: ev.PagesRevived) -> None:
        self._uncache(event.pages)
        self._pages[event.pages] = self._pages[event.pages] & KEYED | IN_USE
        self._count(event)

    def _on_pages_free(self, event: ev.PagesFree) -> None:
        self._empty([page for page, ref in zip(event.pages, event.refs, strict=True) if ref == 0], FREE)
        self._count(event)

    def _on_pages_cached(self, event: ev.PagesCached) -> None:
        self._pages[event.pages] = self._pages[event.pages] & KEYED | CACHED
        self._cached.update(dict.fromkeys(event.pages))
        self._count(event)

    def _on_pages_evicted(self, event: ev.PagesEvicted) -> None:
        """Cached pages on their way to a new holder: the allocation comes next."""
        self._uncache(event.pages)
        self._empty(event.pages, IN_USE)

    def _on_pages_keyed(self, event: ev.PagesKeyed) -> None:
        self._pages[event.pages] |= KEYED

    def _on_table(self, event: ev.Table) -> None:
        self._hold(event.task, event.pages)

    def _on_prefix_reset(self, event: ev.PrefixReset) -> None:
        self._empty(self.lru, FREE)
        self._cached.clear()
        self._pages %= KEYED
        self._mask = event.mask

    # blocks, where nothing else is known

    def _on_block_stored(self, event: blocks.BlockStored) -> None:
        self._pages[event.pages] = CACHED | KEYED
        self._cached.update(dict.fromkeys(event.pages))
        self._mask = None

    def _on_block_removed(self, event: blocks.BlockRemoved) -> None:
        self._uncache(event.pages)
        self._empty(event.pages, FREE)
        self._mask = None

    def _on_all_blocks_cleared(self, event: blocks.AllBlocksCleared) -> None:
        self._empty(self.lru, FREE)
        self._cached.clear()
        self._mask = None

    def _count(self, event: ev.Counted) -> None:
        """Refcounts, the mask, and in bulk (in full detail a `table` event follows) the table."""
        self.refs[_index(event.pages)] = _index(event.refs)
        if event.word is None:
            self._mask = event.mask
        else:
            index, word = event.word
            shift = 64 * index
            self._mask = self.mask & ~(0xFFFFFFFFFFFFFFFF << shift) | word << shift
        if event.free is not None and event.task is not None:
            table = self.tables.get(event.task, [])
            comes = event.step_of_entries > 0
            self._hold(event.task, table + event.pages if comes else table[: -len(event.pages)])

    def _hold(self, task: str, pages: list[int]) -> None:
        """A task has these pages; nothing of a preempted one is stored where it has none any more."""
        if pages:
            if task not in self.tables:
                self._filled += self.task(task).stored
            self.tables[task] = pages
        else:
            if self.tables.pop(task, None) is not None:
                self._filled -= self.task(task).stored
            if self._tasks[task].status == "preempted":
                self._change(task, stored=0)

    def _uncache(self, pages: list[int]) -> None:
        for page in pages:
            self._cached.pop(page, None)

    def _empty(self, pages: list[int], state: int) -> None:
        """Pages lose their content, and are in that state."""
        self._pages[_index(pages)] = state
        for page in pages if self._norms else ():
            self._norms.pop(page, None)

    # contents

    def _on_kv_write(self, event: ev.KvWrite) -> None:
        for span in event.spans:
            self._change(span.task, stored=max(self.task(span.task).stored, span.start + span.count))
            taken = 0
            for page, low, high in span.slots:
                if span.norms is not None:
                    norms = self.norms(page)
                    norms[low:high] = span.norms[taken : taken + high - low]
                    self._norms[page] = norms
                taken += high - low

    def _on_kv_lengths(self, event: ev.KvLengths) -> None:
        wrote = self._wrote
        for name, count in zip(event.tasks, event.counts, strict=True):
            wrote[name] += count
        held: Iterable[int] = event.counts
        if not self.tables.keys() >= set(event.tasks):
            told = zip(event.tasks, event.counts, strict=True)
            held = (count for name, count in told if name in self.tables)
        self._filled += sum(held)


def _index(numbers: list[int]) -> int | list[int]:
    """What NumPy takes for `numbers`: one alone is set far quicker than a list of one."""
    return numbers[0] if len(numbers) == 1 else numbers


HANDLERS = {name.removeprefix("_on_"): handler for name, handler in vars(State).items() if name.startswith("_on_")}
"""What each kind of event does to a state."""
