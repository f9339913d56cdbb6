"""What holds in traces of full detail: each page, each slot, each line."""

from collections import deque
from typing import Any

from astrai_sim.trace.events import WHOLE_LRU, WHOLE_MASK, Event
from astrai_sim.trace.header import Header
from astrai_sim.trace.verify.calls import Calls
from astrai_sim.trace.verify.model import Model


class FullModel(Model):
    """`handed` is a page on its way into a table: (task, page); `calls` checks executed lines."""

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        self.handed: tuple[str, int] | None = None
        self.calls = Calls(self)
        self.trusted_calls = self.calls.trusted

    def _follows(self, event: Event) -> None:
        super()._follows(event)
        if self.seq == 0:
            self.calls.begins(event)
        if self.handed is not None and event.event != "table":
            task, page = self.handed
            raise self.paging.lie(f"page {page} was handed to {task}, but its table does not follow")
        if self.pool.expected and event.event not in ("pages_alloc", "lines"):
            raise self.paging.lie(f"page {self.pool.expected[0]} was evicted but not handed out")

    def _due(self, when: str) -> None:
        super()._due(when)
        self.calls.due()

    def _phase_tasks(self, event: Event) -> None:
        self.format.same("tasks of the phase", event.tasks, self.phase_tasks)

    def on_step_end(self, event: Event) -> None:
        self.policy["four-phases"].same("phases of a step", len(self.seen_phases), 4)
        super().on_step_end(event)

    def _queues(self, event: Event) -> None:
        queues, ordered = self.requests, self.policy["first-come-first-served"].claimed
        if not ordered and sorted(event.waiting) == sorted(queues.waiting):
            queues.waiting = deque(event.waiting)
        if not ordered and sorted(event.running) == sorted(queues.running):
            queues.running = list(event.running)
        self.format.same("waiting", event.waiting, list(queues.waiting))
        self.format.same("running", event.running, queues.running)

    def _table_of(self, event: Event, table: list[int]) -> None:
        self.paging.same("table", event.pages, table)

    def on_tokens(self, event: Event) -> None:
        request = self._token(event.task, event.id)
        self.format.same("token position", event.position, request.n_tokens - 1)
        self.format.same("token index", event.index, request.generated - 1)
        self.format.same("token source", event.source, self.phase)
        self.texts.check(event.ids, event.texts)

    # pages

    def _live(self, event: Event) -> None:
        """The recorded refcount, mask and LRU against the model's."""
        checks, pool, page = self.paging, self.pool, event.page
        checks.same("refcount", event.ref, pool.refs[page])
        if pool.n_pages <= WHOLE_MASK:
            checks.same("mask", event.mask, pool.free.whole())
        else:
            checks.same("mask", event.mask, None)
            index, word = event.word
            checks.same("mask word", index, page // 64)
            checks.same("mask word", word, pool.free.words[index])
        if event.event in ("pages_cached", "pages_revived"):
            self._lru(event)

    def _lru(self, event: Event) -> None:
        lru = self.pool.lru
        if not self.policy["least-recently-used"].claimed:
            self.paging.same("cached pages", sorted(event.lru or lru), sorted(lru))
        elif len(lru) <= WHOLE_LRU or event.lru is not None:
            self.paging.same("lru", event.lru, list(lru))

    def _arrives(self, event: Event) -> None:
        """A page on its way to the end of a task's table."""
        self._live(event)
        if event.task is None:
            return
        self._receiver(event.task, event.logical)
        if event.event != "pages_alloc":
            self._shared(event.task, event.logical, [event.page])
        self.handed = (event.task, event.page)

    def on_pages_alloc(self, event: Event) -> None:
        page = self.pool.page(event.page)
        self.calls.happened("PagedCache.alloc", event.task, page)
        self.pool.take(page)
        self._arrives(event)

    def on_pages_ref(self, event: Event) -> None:
        self.calls.happened("PagedCache.inc_ref", event.task, event.page)
        self.pool.ref(self.pool.page(event.page))
        self._arrives(event)

    def on_pages_revived(self, event: Event) -> None:
        self.calls.happened("PagedCache.inc_ref", event.task, event.page)
        self.pool.revive(self.pool.page(event.page))
        self._arrives(event)

    def on_pages_free(self, event: Event) -> None:
        page = self.pool.page(event.page)
        self._leaves(event)
        self.pool.let_go(page)
        if page not in self.pool.keys:
            self.prefixes.drop(page)
        self._live(event)

    def on_pages_cached(self, event: Event) -> None:
        page = self.pool.page(event.page)
        self._leaves(event)
        self.pool.keep(page)
        self._live(event)

    def _leaves(self, event: Event) -> None:
        """A task lets go of its pages, from the last to the first."""
        self.calls.happened("PagedCache.free", event.task, event.page)
        if event.task is None:
            return
        request = self.requests[event.task]
        table = self.pool.tables.get(event.task, [])
        at = len(table) - 1 - len(request.left)
        self.policy["last-page-freed-first"].same("logical page", event.logical, at)
        held = self.paging.number("logical page", event.logical, 0, len(table))
        self.paging.true("let go once", held not in request.left, f"{event.task} has let go of its page {held} already")
        self.paging.same("table entry", event.page, table[held])
        request.left.add(held)

    def on_pages_evicted(self, event: Event) -> None:
        self.calls.happened("PagedCache.evict")
        key = self._evicted(self.pool.page(event.page))
        self.paging.same("key", event.key, key)
        self._lru(event)

    def on_pages_keyed(self, event: Event) -> None:
        page = self.pool.page(event.page)
        logical = self.paging.number("logical page", event.logical, 0)
        self._parent(event.task, logical, event.parent)
        self._keyed(event.task, logical, page, event.key)

    def on_prefix_hit(self, event: Event) -> None:
        self.calls.happened("PagedCache.lookup")
        self._hit(event.task, [self.pool.page(page) for page in event.pages], event.tokens)

    def on_table(self, event: Event) -> None:
        request = self.requests[event.task]
        old = self.pool.tables.get(event.task, [])
        if event.pages:
            if self.handed is None:
                raise self.paging.lie("a table grows by a page that was not handed out")
            task, page = self.handed
            self.paging.same("task of the table", event.task, task)
            self.paging.same("table", event.pages, [*old, page])
            self.handed = None
            self.pool.enter(task, page)
            return
        self.paging.true("table", bool(old), f"{event.task} had no table to empty")
        self.paging.same("pages let go", len(request.left), len(old))
        while event.task in self.pool.tables:
            self.pool.leave(event.task)
        request.left.clear()
        self.to_release.discard(event.task)

    # contents

    def _slots(self, name: str, start: int, count: int) -> list[tuple[int, int, int]]:
        """Where `count` positions from `start` lie: [page, first slot, end] by page."""
        table, size = self.pool.tables[name], self.size
        found: list[tuple[int, int, int]] = []
        at = start
        while at < start + count:
            low = at % size
            high = min(size, low + start + count - at)
            found.append((table[at // size], low, high))
            at += high - low
        return found

    def on_kv_write(self, event: Event) -> None:
        checks = self.paging
        self.format.true("model", not self.model_free, "K and V are written without a model")
        self.format.same("layer", event.layer, self.header.kv_layer)
        spans = event.spans
        starts = [self.requests[span.task].kv for span in spans]
        names = [span.task for span in spans]
        self._computed(event, names, [span.count for span in spans])
        for span, start in zip(spans, starts, strict=True):
            checks.same("write position", span.start, start)
            checks.same("written slots", span.slots, self._slots(span.task, start, span.count))
            self.format.same("norms", len(span.norms), span.count)
            message = f"a norm of {span.task} is below 0 or not finite"
            self.format.true("norms", all(0 <= norm < float("inf") for norm in span.norms), message)
        for function in ("CacheView.__init__", "PagedCache.write"):
            self.calls.passed(function, [(span.task, span.start, span.count) for span in spans])
        self.to_gather = names

    def on_gather(self, event: Event) -> None:
        checks = self.paging
        self.format.same("layer", event.layer, self.header.kv_layer)
        checks.same("gathered tasks", [row.task for row in event.rows], self.to_gather)
        self.to_gather = []
        for row in event.rows:
            name, length = row.task, self.requests[row.task].kv
            checks.same("table", row.pages, self.pool.tables[name])
            checks.same("gathered length", row.length, length)
            expected = [(page * self.size, high - low) for page, low, high in self._slots(name, 0, length)]
            checks.same("gathered slots", row.slots, expected)
        self.calls.passed("PagedCache.gather", [(row.task, 0, row.length) for row in event.rows])

    def on_kv_lengths(self, event: Event) -> None:
        self.format.true("model", self.model_free, "lengths alone, though a model writes K and V")
        super().on_kv_lengths(event)

    def on_lines(self, event: Event) -> None:
        self.calls.check(event)

    def _snapshot(self, event: Event, lengths: dict[str, Any]) -> None:
        checks, pool = self.paging, self.pool
        checks.same("snapshot refs", event.refs, pool.refs)
        checks.same("snapshot tables", event.tables, pool.tables)
        checks.same("snapshot lengths", event.lengths, lengths)
        self._lru(event)
