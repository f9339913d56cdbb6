"""What holds in traces of full detail: each page, each slot, each line."""

from astrai_sim.trace.digests import WORD
from astrai_sim.trace.events import WHOLE_LRU, WHOLE_MASK, Event
from astrai_sim.trace.header import Header
from astrai_sim.trace.verify.calls import Calls
from astrai_sim.trace.verify.serving import Serving

CALLED = {
    **{"pages_alloc": "alloc", "pages_ref": "share", "pages_revived": "share", "pages_evicted": "evict"},
    **{"pages_free": "free", "pages_cached": "free", "prefix_hit": "lookup"},
}
"""Roles of functions that events show to have been called."""


class FullModel(Serving):
    """`handed` is a page on its way into a table: (task, page); `calls` checks executed lines."""

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        self.handed: tuple[str, int] | None = None
        self.calls = Calls(self)

    def _follows(self, event: Event) -> None:
        if self.seq == 0:
            self.calls.begins(event)
        if self.handed is not None and event.event != "table":
            task, page = self.handed
            raise self.paging.lie(f"page {page} was handed to {task}, but its table does not follow")
        super()._follows(event)
        if event.event in CALLED:
            self.calls.happened(CALLED[event.event], event.task, getattr(event, "page", None))

    def _due(self, when: str) -> None:
        super()._due(when)
        self.calls.due()

    def on_step_begin(self, event: Event) -> None:
        super().on_step_begin(event)
        ordered = self.policy["first-come-first-served"].claimed
        for name in ("waiting", "running"):
            told, queue = getattr(event, name), getattr(self.requests, name)
            if not ordered and sorted(told) == sorted(queue):
                queue[:] = told
            self.format.same(name, told, queue)

    def on_step_end(self, event: Event) -> None:
        self.policy["four-phases"].same("phases of a step", len(self.seen_phases), 4)
        super().on_step_end(event)

    # pages

    def _live(self, event: Event, pages: list[int]) -> None:
        checks, pool, page = self.paging, self.pool, event.page
        checks.same("refcount", event.ref, pool.refs[page])
        if pool.n_pages <= WHOLE_MASK:
            self.told(checks, "mask", event.mask, pool.free.whole())
        else:
            checks.same("mask", event.mask, None)
            self.told(checks, "mask word", event.word, (page // WORD, pool.free.words[page // WORD]))
        if event.event in ("pages_cached", "pages_revived"):
            self._lru(event)

    def _lru(self, event: Event) -> None:
        lru = self.pool.lru
        if not self.policy["least-recently-used"].claimed:
            self.paging.same("cached pages", sorted(event.lru or lru), sorted(lru))
        elif len(lru) <= WHOLE_LRU or event.lru is not None:
            self.paging.same("lru", event.lru, list(lru))

    def _enter(self, name: str, pages: list[int]) -> None:
        self.handed = name, pages[0]

    def _leave(self, event: Event, pages: list[int]) -> None:
        """A task lets go of its pages, from the last to the first."""
        request, table = self.requests[event.task], self.pool.table(event.task)
        at = len(table) - 1 - len(request.left)
        self.policy["last-page-freed-first"].same("logical page", event.logical, at)
        held = self.paging.number("logical page", event.logical, 0, len(table))
        self.paging.true("let go once", held not in request.left, f"{event.task} has let go of its page {held} already")
        self.paging.same("table entry", event.page, table[held])
        request.left.add(held)

    def on_pages_evicted(self, event: Event) -> None:
        self.told(self.paging, "key", event.key, self._evict(event)[0])
        self._lru(event)

    def on_table(self, event: Event) -> None:
        request, old = self.requests[event.task], self.pool.table(event.task)
        if not event.pages:
            self.paging.true("table", bool(old), f"{event.task} had no table to empty")
            self.paging.same("pages let go", len(request.left), len(old))
            self.pool.leave(event.task, len(old))
            request.room = 0
            request.left.clear()
            self.hits.pop(event.task, None)
            self.missed.discard(event.task)
            self.to_release.discard(event.task)
            return
        if self.handed is None:
            raise self.paging.lie("a table grows by a page that was not handed out")
        task, page = self.handed
        self.paging.same("task of the table", event.task, task)
        self.paging.same("table", event.pages, [*old, page])
        self.handed = None
        self.pool.enter(task, [page])
        request.room += self.size

    # contents

    def _slots(self, name: str, start: int, end: int) -> list[tuple[int, int, int]]:
        """Where positions `start` to before `end` lie: [page, first slot, end] by page."""
        table, size = self.pool.tables[name], self.size
        entries = range(start // size, self.pool.pages_for(end))
        return [(table[i], max(start - i * size, 0), min(end - i * size, size)) for i in entries]

    def on_kv_write(self, event: Event) -> None:
        self.format.true("model", not self.model_free, "K and V are written without a model")
        self.format.same("layer", event.layer, self.header.kv_layer)
        self.to_gather = [span.task for span in event.spans]
        self._computed(self.to_gather, [span.count for span in event.spans])
        for span in event.spans:
            request = self.requests[span.task]
            self.paging.same("write position", span.start, request.start)
            self.paging.same("written slots", span.slots, self._slots(span.task, request.start, request.kv))
            norms = span.norms
            if norms is not None or not self.header.private:
                self.told(self.format, "norms", None if norms is None else len(norms), span.count)
            message = f"a norm of {span.task} is below 0 or not finite"
            self.format.true("norms", all(0 <= norm < float("inf") for norm in norms or ()), message)
        for role in ("view", "write"):
            self.calls.passed(role, [(span.task, span.start, span.count) for span in event.spans])

    def on_gather(self, event: Event) -> None:
        checks = self.paging
        self.format.same("layer", event.layer, self.header.kv_layer)
        checks.same("gathered tasks", [row.task for row in event.rows], self.to_gather)
        self.to_gather = []
        for row in event.rows:
            length = self.requests[row.task].kv
            checks.same("table", row.pages, self.pool.tables[row.task])
            checks.same("gathered length", row.length, length)
            slots = [(page * self.size, high - low) for page, low, high in self._slots(row.task, 0, length)]
            checks.same("gathered slots", row.slots, slots)
        self.calls.passed("gather", [(row.task, 0, row.length) for row in event.rows])

    def on_kv_lengths(self, event: Event) -> None:
        self.format.true("model", self.model_free, "lengths alone, though a model writes K and V")
        super().on_kv_lengths(event)

    def on_lines(self, event: Event) -> None:
        self.calls.check(event)

    def on_snapshot(self, event: Event) -> None:
        super().on_snapshot(event)
        checks, pool = self.paging, self.pool
        checks.same("snapshot refs", event.refs, pool.refs)
        checks.same("snapshot tables", event.tables, pool.tables)
        checks.same("snapshot lengths", event.lengths, self._lengths())
        for page in event.reached or ():
            checks.true("reached pages", page in pool.keys, f"the prefix tree leads to page {page}, which has no key")
        self._lru(event)
