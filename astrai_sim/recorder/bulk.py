"""Turns the calls of a live scheduler and cache into few, compact events.

For pools of tens of thousands of pages and loads of thousands of requests. An event speaks of all pages that one call
took, shared or let go; see `astrai_sim.trace.events`. Whatever it says of mask, refcounts and tables is read from the
live objects after exactly those pages were changed: pages of another kind or task first send off what has been gathered
so far.
"""

import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from astrai_sim.engine.cache.prefix import ROOT, Prefix
from astrai_sim.engine.scheduler import Task
from astrai_sim.recorder.base import BaseRecorder, Batch, Original, equal_once
from astrai_sim.trace import digests
from astrai_sim.trace.digests import WORD, numbers_digest, to_runs

FLUSH_S = 1.0
ADDING = ("alloc", "ref", "revived", "evicted")
ONES = 0xFFFFFFFFFFFFFFFF


@dataclass
class _Pages:
    """Pages that had the same done to them, on the way to one event."""

    kind: str
    task: str | None
    logical: int | None
    pages: list[int] = field(default_factory=list)


@dataclass
class _Keys:
    """Neighbouring pages of a task that got their keys in one call."""

    task: str | None
    logical: int
    parent: str
    key: str
    pages: list[int] = field(default_factory=list)


@dataclass
class _Tokens:
    """Tokens that were generated one after the other."""

    tasks: list[str] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    counts: list[int] = field(default_factory=list)


class BulkRecorder(BaseRecorder):
    """Records runs of pages and lists of tasks. Parameters as for `BaseRecorder`."""

    def __init__(self, *watched: Any, snapshot_every: int = 512, **options: Any) -> None:
        super().__init__(*watched, snapshot_every=snapshot_every, **options)
        self.with_ids = self.cache.k_cache.device.type != "meta"
        self._pending: _Pages | _Keys | _Tokens | None = None
        self._opening: dict[str, Any] | None = None
        self._evicting = False
        self._leaving: deque[int] = deque()
        self._flushed = time.monotonic()

    def snapshot(self) -> None:
        """Record the mask, and digests of refcounts, tables, LRU and lengths, all live."""
        cache, lru = self.cache, self.cache.lru
        told = {"refs": digests.pages_digest(cache.refs), "tables": digests.tables_digest(cache.tables)}
        told |= {"lengths": digests.lengths_digest(self._lengths()), "lru": digests.pages_digest(lru)}
        self._emit("snapshot", mask=hex(cache.free_mask), cached=len(lru), digests=told)

    def _emit(self, event: str, at: int | None = None, **fields: Any) -> None:
        with self.clock.aside:
            self._send()
            super()._emit(event, at, **fields)

    def _write(self, data: dict[str, Any]) -> None:
        if self._opening is not None:
            super()._write(self._opening)
            self._opening = None
        super()._write(data)

    @contextmanager
    def _held(self) -> Iterator[list[dict[str, Any]]]:
        """Hold events back from here on; on an exception they are dropped."""
        with self.clock.aside:
            self._send()
        with super()._held() as queue:
            try:
                yield queue
                with self.clock.aside:
                    self._send()
            except BaseException:
                self._pending = None
                raise

    def _send(self) -> None:
        """Make events of what was gathered."""
        pending, self._pending = self._pending, None
        if isinstance(pending, _Pages):
            self._send_pages(pending)
        elif isinstance(pending, _Keys):
            about = {"task": pending.task, "logical": pending.logical, "runs": to_runs(pending.pages)}
            super()._emit("pages_keyed", **about, parent=pending.parent, key=pending.key)
        elif isinstance(pending, _Tokens):
            ids: dict[str, Any] = {"ids": pending.ids} if self.with_ids else {}
            super()._emit(
                "tokens", tasks=pending.tasks, source=self.phase, **ids, counts=numbers_digest(pending.counts)
            )

    def _send_pages(self, gathered: _Pages) -> None:
        pages, table = gathered.pages, self.cache.tables.get(gathered.task)
        if gathered.kind in ADDING and table is not None and gathered.logical is not None:
            pages = table[gathered.logical : gathered.logical + len(pages)]
        about = {"task": gathered.task, "logical": gathered.logical, "runs": to_runs(pages)}
        kind, refs = gathered.kind, equal_once([self.cache.refs[page] for page in pages])
        if kind == "evicted":
            super()._emit("pages_evicted", **about, cached=len(self.cache._lru))
            kind = "alloc"
        super()._emit(f"pages_{kind}", **about, refs=refs, **self._mask(pages))

    def _mask(self, pages: list[int]) -> dict[str, Any]:
        """How many pages are free, and a digest of the mask's words with `pages`."""
        mask = self.cache.free_mask
        words = (mask >> (WORD * index) & ONES for index in digests.words_of(pages))
        return {"free": mask.bit_count(), "words": digests.words_digest(words)}

    def _gather(self, kind: str, page: int, logical: int | None) -> None:
        """Note that `kind` was done to `page`, the table's entry `logical`."""
        joined = self._joined(kind, logical)
        if joined is None:
            self._open(_Pages(kind, self.task, logical, [page]))
        else:
            joined.pages.append(page)

    def _joined(self, kind: str, logical: int | None) -> _Pages | None:
        """The pages on the way that one more of `kind`, at `logical`, belongs to."""
        pending = self._pending
        if not isinstance(pending, _Pages) or (pending.kind, pending.task) != (kind, self.task):
            return None
        if logical is None:
            return pending
        step = len(pending.pages) if kind in ADDING else -len(pending.pages)
        return pending if pending.logical is not None and logical == pending.logical + step else None

    def _expect(self, kind: str, logical: int | None) -> None:
        """Before a page of `kind` changes: send off what it does not belong to."""
        if self._pending is not None and self._joined(kind, logical) is None:
            with self.clock.aside:
                self._send()

    def _open(self, new: _Pages | _Keys | _Tokens) -> None:
        if self._pending is not None:
            with self.clock.aside:
                self._send()
        self._pending = new

    def _next_logical(self) -> int | None:
        """Where the next page of the current task goes in its table."""
        table = self.cache.tables.get(self.task)
        return None if table is None else len(table)

    # scheduler

    def _prompt(self, task: Task) -> dict[str, Any]:
        ids = {"prompt": list(task.prompt)} if self.with_ids else {}
        return {"prompt_len": len(task.prompt), **ids}

    def _queues_now(self) -> dict[str, Any]:
        return {}

    def _flush(self) -> None:
        now = time.monotonic()
        if now - self._flushed > FLUSH_S:
            self.writer.flush()
            self._flushed = now

    def _on_phase(self, original: Original) -> list[Task]:
        """As in the base, but a phase in which nothing happens leaves no event."""
        self.phase = original.__name__
        self._opening = {"step": self.step, "phase": self.phase, "ns": self.clock.now_ns(), "event": "phase_begin"}
        self._synchronize()
        began = self.clock.now_ns()
        tasks = original()
        self._synchronize()
        duration = self.clock.now_ns() - began
        with self.clock.aside:
            self._send()
        if tasks or self._opening is None:
            self._emit("phase_end", duration_ns=duration, n_tasks=len(tasks))
        self._opening = None
        self.phase = None
        return tasks

    def _table_fields(self, task: str) -> dict[str, Any]:
        table = self.cache.tables[task]
        return {"n_pages": len(table), "table": numbers_digest(table)}

    def _on_forward(self, original: Original, batch: Batch) -> list[int]:
        tokens = super()._on_forward(original, batch)
        self._kv_lengths(batch)
        return tokens

    def _on_append_token(self, original: Original, task: Task, token: int) -> None:
        tokens = self._pending
        if not isinstance(tokens, _Tokens):
            self._open(tokens := _Tokens())
        tokens.tasks.append(task.id)
        tokens.ids.append(token)
        tokens.counts.append(task.n_tokens + 1)
        original(task, token)

    # cache

    def _on_alloc(self, original: Original) -> int:
        logical = self._next_logical()
        evicts = self.cache.free_mask == 0
        self._expect("evicted" if evicts else "alloc", logical)
        self._evicting = False
        page = original()
        self._gather("evicted" if self._evicting else "alloc", page, logical)
        return page

    def _on_evict(self, original: Original) -> int:
        page = original()
        self._evicting = True
        return page

    def _on_inc_ref(self, original: Original, page: int) -> None:
        logical = self._next_logical()
        kind = "revived" if page in self.cache._lru else "ref"
        self._expect(kind, logical)
        original(page)
        self._gather(kind, page, logical)

    def _on_free(self, original: Original, page: int) -> None:
        logical = self._leaving.pop() if self._leaving else None
        cache = self.cache
        stays = page >= 0 and cache.refs[page] == 1 and page in cache._prefix
        self._expect("cached" if stays else "free", logical)
        original(page)
        self._gather("cached" if page in cache._lru else "free", page, logical)

    def _on_lookup(self, original: Original, tokens: Sequence[int]) -> list[int]:
        hits = original(tokens)
        self._looked_up(hits, tokens, runs=to_runs(hits))
        return hits

    def _on_grow(self, original: Original, task: str, n_tokens: int) -> list[int]:
        with self._about(task, self.logical):
            pages = original(task, n_tokens)
            if pages:
                with self.clock.aside:
                    self._send()
            return pages

    def _on_release(self, original: Original, task: str) -> None:
        self._leaving = deque(range(len(self.cache.tables[task])))
        with self._about(task):
            original(task)
            with self.clock.aside:
                self._send()

    def _on_record_page(self, original: Original, page: int, prefix: Prefix) -> str | None:
        key = original(page, prefix)
        if key is None:
            return None
        logical = self.cache.tables[self.task].index(page)
        keys = self._pending
        if not isinstance(keys, _Keys) or keys.task != self.task or keys.logical + len(keys.pages) != logical:
            parent = prefix.parent.key if prefix.parent else ROOT
            self._open(keys := _Keys(self.task, logical, parent, key))
        keys.pages.append(page)
        keys.key = key
        return key
