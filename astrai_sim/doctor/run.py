"""The run as it is replayed for the doctor: the state, who holds which page, and when what happened to each last."""

from collections.abc import Iterable

from msgspec import Struct

from astrai_sim.doctor.contents import Contents
from astrai_sim.doctor.index import Index
from astrai_sim.trace import events as ev
from astrai_sim.trace.header import Header
from astrai_sim.trace.state import State


class PageLog(Struct):
    """Numbers of the last events about a page, -1 where there is none: it came to a table, was computed into, got its
    key, was let go, and was evicted."""

    came: int = -1
    wrote: int = -1
    keyed: int = -1
    went: int = -1
    evicted: int = -1


class TaskLog(Struct):
    """Numbers of the last events about a request, -1 where there is none."""

    submitted: int = -1
    hit: int = -1
    admitted: int = -1
    computed: int = -1
    token: int = -1
    preempted: int = -1
    finished: int = -1
    finished_step: int = -1


class Run:
    """What the events so far make of the pool and of the requests.

    `tables` are pages by request and `holders` requests by page, both changed with each page that comes and goes, while
    `state.tables` follow in full detail when a release is over. `hits` are pages found for who is being admitted.
    """

    def __init__(self, header: Header) -> None:
        cache = header.scenario.cache
        self.header, self.n_pages, self.size = header, cache.n_pages, cache.page_size
        self.state = State(self.n_pages, self.size)
        self.contents, self.index = Contents(self.state, self.size), Index()
        self.pages: dict[int, PageLog] = {}
        self.tasks: dict[str, TaskLog] = {}
        self.tables: dict[str, list[int]] = {}
        self.holders: dict[int, list[str]] = {}
        self.hits: dict[str, list[int]] = {}

    def page(self, page: int) -> PageLog:
        """When what happened to a page last."""
        return self.pages.setdefault(page, PageLog())

    def task(self, name: str) -> TaskLog:
        """When what happened to a request last."""
        return self.tasks.setdefault(name, TaskLog())

    def check(self, event: ev.Event) -> None:
        """Raise ValueError or KeyError where an event names a page or a request that there is not."""
        for page in getattr(event, "pages", None) or ():
            self._in_pool(page)
        for span in getattr(event, "spans", ()):
            self._submitted(span.task)
            for page, low, high in span.slots:
                self._in_pool(page)
                if not 0 <= low < high <= self.size:
                    raise ValueError(f"slots {low} to {high} of a page of {self.size}")
        if event.event == "snapshot" and event.refs is not None and len(event.refs) != self.n_pages:
            raise ValueError(f"{len(event.refs)} refcounts of {self.n_pages} pages")
        if event.event != "task_submitted" and event.event != "lines":
            named = getattr(event, "tasks", None) or (getattr(event, "task", None),)
            for name in named:
                self._submitted(name)

    def _in_pool(self, page: int) -> None:
        if not 0 <= page < self.n_pages:
            raise ValueError(f"page {page} of a pool of {self.n_pages}")

    def _submitted(self, name: str | None) -> None:
        if name is not None and name not in self.state.tasks:
            raise KeyError(name)

    def take(self, event: ev.Event) -> None:
        """Take in the next event."""
        self.contents.take(event, self.tables)
        self.state.apply(event)
        handler = getattr(self, f"_on_{event.event}", None)
        if handler is not None:
            handler(event)

    # tables

    def _come(self, task: str, pages: Iterable[int]) -> None:
        for page in pages:
            self.tables.setdefault(task, []).append(page)
            self.holders.setdefault(page, []).append(task)

    def _go(self, task: str, pages: Iterable[int]) -> None:
        table = self.tables.get(task, [])
        for page in pages:
            if task in self.holders.get(page, ()):
                if table[-1] == page:
                    table.pop()
                else:
                    table.remove(page)
                self.holders[page].remove(task)
                if not self.holders[page]:
                    del self.holders[page]
        if not table:
            self.tables.pop(task, None)
            self.hits.pop(task, None)
            if self.state.tasks[task].status == "finished":
                self.contents.forget(task)

    def _on_pages_alloc(self, event: ev.PagesAlloc) -> None:
        for page in event.pages:
            self.page(page).came = event.seq
        if event.task is not None:
            self._come(event.task, event.pages)

    _on_pages_ref = _on_pages_revived = _on_pages_alloc

    def _on_pages_free(self, event: ev.PagesFree) -> None:
        for page, ref in zip(event.pages, event.refs, strict=True):
            self.page(page).went = event.seq
            if event.event == "pages_free" and ref == 0:
                self.index.forget(page, event.seq)
        if event.task is not None:
            self._go(event.task, event.pages)

    _on_pages_cached = _on_pages_free

    def _on_table(self, event: ev.Table) -> None:
        known = self.tables.get(event.task, [])
        if known != event.pages:
            self._go(event.task, [*known])
            self._come(event.task, event.pages)
        if not event.pages:
            self._go(event.task, ())

    # the cache

    def _on_pages_evicted(self, event: ev.PagesEvicted) -> None:
        for page in event.pages:
            self.page(page).evicted = event.seq
            self.index.forget(page, event.seq)

    def _on_pages_keyed(self, event: ev.PagesKeyed) -> None:
        first, task = event.logical or 0, event.task or ""
        chain, table = self.contents.chain(task, first + len(event.pages)), self.tables.get(task, [])
        single = self.header.detail == "full" and event.key is not None
        for logical, page in enumerate(event.pages, first):
            self.page(page).keyed = event.seq
            if logical >= len(chain):
                self.index.forget(page, event.seq)
                continue
            before = None
            if single and logical:
                before = event.parent or (self.index.key_of(table[logical - 1]) if logical <= len(table) else None)
            elif logical:
                before = chain[logical - 1]
            key = event.key or chain[logical] if single else chain[logical]
            self.index.put(page, key, before if logical else "", chain[logical], event.seq)

    def _on_prefix_hit(self, event: ev.PrefixHit) -> None:
        self.task(event.task).hit = event.seq
        self.hits[event.task] = event.pages

    def _on_prefix_reset(self, event: ev.PrefixReset) -> None:
        self.index.clear()

    # requests

    def _on_task_submitted(self, event: ev.TaskSubmitted) -> None:
        self.contents.forget(event.task)
        self.tasks[event.task] = TaskLog(submitted=event.seq)

    def _on_task_admitted(self, event: ev.TaskAdmitted) -> None:
        self.task(event.task).admitted = event.seq
        self.hits.pop(event.task, None)

    def _on_tokens(self, event: ev.Tokens) -> None:
        for name in event.tasks:
            self.task(name).token = event.seq

    def _on_task_preempted(self, event: ev.TaskPreempted) -> None:
        self.task(event.task).preempted = event.seq

    def _on_task_finished(self, event: ev.TaskFinished) -> None:
        log = self.task(event.task)
        log.finished, log.finished_step = event.seq, event.step

    def _on_kv_write(self, event: ev.KvWrite) -> None:
        for span in event.spans:
            self.task(span.task).computed = event.seq
            for page, _, _ in span.slots:
                self.page(page).wrote = event.seq

    def _on_kv_lengths(self, event: ev.KvLengths) -> None:
        for name in event.tasks:
            self.task(name).computed = event.seq
