"""What holds in traces of bulk detail: runs of pages, lists of tasks, digests."""

from collections.abc import Callable

from astrai_sim.trace.digests import lengths_digest, numbers_digest, pages_digest, tables_digest, words_digest, words_of
from astrai_sim.trace.events import Digests, Event
from astrai_sim.trace.verify.model import Model


class BulkModel(Model):
    """Tables follow from the pages that come and go; `evicting` is the task and the entry
    that evicted pages are for."""

    evicting: tuple[str | None, int | None] = (None, None)

    def _follows(self, event: Event) -> None:
        super()._follows(event)
        if self.pool.expected and event.event != "pages_alloc":
            raise self.paging.lie(f"page {self.pool.expected[0]} was evicted but not handed out")

    def _phase_tasks(self, event: Event) -> None:
        self.format.same("tasks of the phase", event.n_tasks, len(self.phase_tasks))

    def _table_of(self, event: Event, table: list[int]) -> None:
        self.paging.same("table", event.n_pages, len(table))
        self.paging.same("table digest", event.table, numbers_digest(table))

    def on_tokens(self, event: Event) -> None:
        names, ids = event.tasks, event.ids
        checks = self.format
        checks.same("token source", event.source, self.phase)
        checks.true("token ids", (ids is None) == self.model_free, "ids go with a model, and only with one")
        if ids is not None:
            checks.same("token ids", len(ids), len(names))
        after = [self._token(name, None if ids is None else ids[i]).n_tokens for i, name in enumerate(names)]
        checks.same("token counts", event.counts, numbers_digest(after))

    # pages

    def _pages(self, event: Event) -> list[int]:
        self.format.true("runs", bool(event.pages), "an event about no page")
        return [self.pool.page(page) for page in event.pages]

    def _live(self, event: Event, pages: list[int]) -> None:
        """The recorded refcounts and mask against the model's."""
        checks, pool = self.paging, self.pool
        checks.same("refcounts", event.refs, [pool.refs[page] for page in pages])
        checks.same("free pages", event.free, pool.free.count)
        words = (pool.free.words[index] for index in words_of(pages))
        checks.same("mask words", event.words, words_digest(words))

    def _arrive(self, event: Event, change: Callable[[int], None]) -> None:
        """Pages for the end of a task's table."""
        pages = self._pages(event)
        for page in pages:
            change(page)
        if event.task is not None:
            self._receiver(event.task, event.logical, len(pages))
            if event.event != "pages_alloc":
                self._shared(event.task, event.logical, pages)
            for page in pages:
                self.pool.enter(event.task, page)
        self._live(event, pages)

    def on_pages_alloc(self, event: Event) -> None:
        if self.pool.expected:
            self.paging.same("task of evicted pages", event.task, self.evicting[0])
            self.paging.same("entry of evicted pages", event.logical, self.evicting[1])
        self._arrive(event, self.pool.take)
        if self.pool.expected:
            raise self.paging.lie(f"page {self.pool.expected[0]} was evicted but not handed out")

    def on_pages_ref(self, event: Event) -> None:
        self._arrive(event, self.pool.ref)

    def on_pages_revived(self, event: Event) -> None:
        self._arrive(event, self.pool.revive)

    def _leave(self, event: Event, change: Callable[[int], None]) -> None:
        """Pages from the end of a task's table."""
        pages = self._pages(event)
        if event.task is not None:
            table = self.pool.tables.get(event.task, [])
            self.paging.same("logical page", event.logical, len(table) - 1)
            self.paging.same("table entries", pages, table[::-1][: len(pages)])
            for _ in pages:
                self.pool.leave(event.task)
            if event.task not in self.pool.tables:
                self.to_release.discard(event.task)
        for page in pages:
            change(page)
        self._live(event, pages)

    def on_pages_free(self, event: Event) -> None:
        self._leave(event, self.pool.let_go)
        for page in event.pages:
            if page not in self.pool.keys:
                self.prefixes.drop(page)

    def on_pages_cached(self, event: Event) -> None:
        self._leave(event, self.pool.keep)

    def on_pages_evicted(self, event: Event) -> None:
        if event.task is not None:
            self._receiver(event.task, event.logical, len(event.pages))
        self.evicting = event.task, event.logical
        for page in self._pages(event):
            self._evicted(page)
        self.paging.same("cached pages", event.cached, len(self.pool.lru))

    def on_pages_keyed(self, event: Event) -> None:
        pages = self._pages(event)
        first = self.paging.number("logical page", event.logical, 0)
        self._parent(event.task, first, event.parent)
        for logical, page in enumerate(pages, first):
            last = logical == first + len(pages) - 1
            self._keyed(event.task, logical, page, event.key if last else None)

    def on_prefix_hit(self, event: Event) -> None:
        self._hit(event.task, self._pages(event), event.tokens)

    def _snapshot(self, event: Event, lengths: dict[str, int]) -> None:
        pool = self.pool
        self.paging.same("cached pages", event.cached, len(pool.lru))
        self.paging.same(
            "snapshot digests",
            event.digests,
            Digests(
                refs=pages_digest(pool.refs),
                tables=tables_digest(pool.tables),
                lengths=lengths_digest(lengths),
                lru=pages_digest(list(pool.lru)) if self.policy["least-recently-used"].claimed else event.digests.lru,
            ),
        )
