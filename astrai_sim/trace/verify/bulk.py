"""What holds in traces of bulk detail: runs of pages, lists of tasks, digests."""

from astrai_sim.trace.digests import lengths_digest, pages_digest, tables_digest, words_digest, words_of
from astrai_sim.trace.events import Digests, Event
from astrai_sim.trace.verify.serving import Serving


class BulkModel(Serving):
    """Tables follow from the pages that come and go; `evicting` is the task and the entry of evicted pages."""

    evicting: tuple[str | None, int | None] = (None, None)

    def _live(self, event: Event, pages: list[int]) -> None:
        checks, pool = self.paging, self.pool
        checks.same("refcounts", event.refs, [*map(pool.refs.__getitem__, pages)])
        checks.same("free pages", event.free, pool.free.count)
        words = [*map(pool.free.words.__getitem__, words_of(pages))]
        self.told(checks, "mask words", event.words, words_digest(words))

    def on_pages_alloc(self, event: Event) -> None:
        expected = self.pool.expected
        if expected:
            self.paging.same("task of evicted pages", event.task, self.evicting[0])
            self.paging.same("entry of evicted pages", event.logical, self.evicting[1])
        super().on_pages_alloc(event)
        if expected:
            raise self.paging.lie(f"page {expected[0]} was evicted but not handed out")

    def _enter(self, name: str, pages: list[int]) -> None:
        self.pool.enter(name, pages)
        self.requests[name].room += len(pages) * self.size

    def _leave(self, event: Event, pages: list[int]) -> None:
        table = self.pool.table(event.task)
        self.paging.same("logical page", event.logical, len(table) - 1)
        self.paging.same("table entries", pages, table[::-1][: len(pages)])
        self.pool.leave(event.task, len(pages))
        self.requests[event.task].room -= len(pages) * self.size
        if event.task not in self.pool.tables:
            self.to_release.discard(event.task)

    def on_pages_evicted(self, event: Event) -> None:
        if event.task is not None:
            self._receiver(event.task, event.logical, len(event.pages))
        self.evicting = event.task, event.logical
        self._evict(event)
        self.paging.same("cached pages", event.cached, len(self.pool.lru))

    def on_snapshot(self, event: Event) -> None:
        super().on_snapshot(event)
        pool, ordered = self.pool, self.policy["least-recently-used"].claimed
        self.paging.same("cached pages", event.cached, len(pool.lru))
        lru = pages_digest(list(pool.lru)) if ordered or event.digests is None else event.digests.lru
        digests = Digests(pages_digest(pool.refs), tables_digest(pool.tables), lengths_digest(self._lengths()), lru)
        self.told(self.paging, "snapshot digests", event.digests, digests)
