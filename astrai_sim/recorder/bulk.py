"""Turns the calls of a live scheduler and cache into few, compact events.

For pools of tens of thousands of pages and loads of thousands of requests. An event speaks of all pages that one call
took, shared or let go; see `astrai_sim.trace.events`. Whatever it says of mask, refcounts and tables is read from the
live objects after exactly those pages were changed: pages of another kind or task first send off what was gathered.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from astrai_sim.engine.cache.prefix import ROOT, Prefix
from astrai_sim.engine.scheduler import Task
from astrai_sim.recorder.base import BaseRecorder, Batch, equal_once
from astrai_sim.recorder.watching import Original
from astrai_sim.trace import digests
from astrai_sim.trace.digests import numbers_digest, to_runs

ADDING = ("alloc", "ref", "revived", "evicted", "keyed")
SINGLY = ("alloc", "evict", "inc_ref", "free", "lookup", "record_pages", "record_page")
"""Calls for single pages: all that a call takes or lets go has the same done to it where no page is ever cached."""


@dataclass
class _Pages:
    """Pages that had the same done to them, on the way to one event, and what `more` it says of the last of them.

    `logical` is the entry of the first of them, `following` that of the one that may come next.
    """

    kind: str
    task: str | None
    logical: int | None
    following: int | None
    pages: list[int] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


@dataclass
class _Answers:
    """Tasks that get a token each, one after the other, of which they had `before` so many; `told` of them are told."""

    tasks: list[Task]
    tokens: list[int]
    before: list[int]
    told: int = 0


class BulkRecorder(BaseRecorder):
    """Records runs of pages and lists of tasks."""

    SCHEDULER = (*BaseRecorder.SCHEDULER, "_decoded")

    def __init__(self, *watched: Any) -> None:
        super().__init__(*watched)
        self._pending: _Pages | None = None
        self._answers: _Answers | None = None
        self._singly = self.cache.prefix_caching
        if not self._singly:
            self.CACHE = tuple(name for name in self.CACHE if name not in SINGLY)
        self._opening: dict[str, Any] | None = None
        self._evicting = False

    def snapshot(self) -> None:
        """Record the mask, and digests of refcounts, tables, LRU and lengths, all live."""
        cache, lru = self.cache, self.cache.lru
        told = {"refs": digests.pages_digest(cache.refs), "tables": digests.tables_digest(cache.tables)}
        told |= {"lengths": digests.lengths_digest(self._lengths()), "lru": digests.pages_digest(lru)}
        self._emit("snapshot", mask=hex(cache.free_mask), cached=len(lru), digests=told)

    def _put(self, data: dict[str, Any]) -> None:
        if self._pending is not None or self._answers is not None:
            self._send()
        super()._put(data)

    def _tell(self, event: str, **fields: Any) -> None:
        """As `_emit` does, of what was gathered, with the clock aside."""
        super()._put({"step": self.step, "phase": self.phase, "ns": self.clock.now_ns(), "event": event, **fields})

    def _write(self, data: dict[str, Any]) -> None:
        """As in the base, but a phase in which nothing happens leaves no event."""
        opening, self._opening = self._opening, None
        if data["event"] == "phase_begin":
            self._opening = data
        elif opening is None:
            super()._write(data)
        elif data["event"] != "phase_end" or data["n_tasks"]:
            super()._write(opening)
            super()._write(data)

    @contextmanager
    def _held(self) -> Iterator[list[dict[str, Any]]]:
        """Hold events back from here on; on an exception they are dropped."""
        self._send()
        with super()._held() as queue:
            try:
                yield queue
                self._send()
            except BaseException:
                self._pending = None
                raise

    def _send(self) -> None:
        """Make events of what was gathered: pages, and tokens that came after them."""
        pages, self._pending = self._pending, None
        if pages is not None:
            with self.clock.aside:
                self._send_pages(pages)
        if self._answers is not None:
            with self.clock.aside:
                self._send_tokens(self._answers)

    def _send_tokens(self, answers: _Answers) -> None:
        """Tell the tokens that tasks have got by now."""
        tasks, before, first = answers.tasks, answers.before, answers.told
        end = bisect_left(range(len(tasks)), True, lo=first, key=lambda i: len(tasks[i].output) == before[i])
        if end > first:
            answers.told, told = end, tasks[first:end]
            more: dict[str, Any] = {"ids": answers.tokens[first:end]} if self.with_model else {}
            more["counts"] = numbers_digest([len(task.tokens) for task in told])
            self._tell("tokens", tasks=[task.id for task in told], source=self.phase, **more)

    def _send_pages(self, gathered: _Pages) -> None:
        pages, table = gathered.pages, self.cache.tables.get(gathered.task)
        if gathered.kind in ADDING and table is not None and gathered.logical is not None:
            pages = table[gathered.logical : gathered.logical + len(pages)]
        about = {"task": gathered.task, "logical": gathered.logical, "runs": to_runs(pages)}
        kind, cache = gathered.kind, self.cache
        more: dict[str, Any] = gathered.more
        if kind == "evicted":
            self._tell("pages_evicted", **about, cached=len(cache._lru))
            kind = "alloc"
        if kind != "keyed":
            words = [*map(cache.free_word, digests.words_of(pages))]
            refs = equal_once([*map(cache.refs.__getitem__, pages)])
            more = {"refs": refs, "free": cache.n_free, "words": digests.words_digest(words)}
        self._tell(f"pages_{kind}", **about, **more)

    def _gather(self, kind: str, page: int, logical: int | None) -> _Pages:
        """Note that `kind` was done to `page`, the table's entry `logical`."""
        pages = self._expect(kind, logical)
        if pages is None:
            pages = self._pending = _Pages(kind, self.task, logical, logical)
        pages.pages.append(page)
        if pages.following is not None:
            pages.following += 1 if kind in ADDING else -1
        return pages

    def _expect(self, kind: str, logical: int | None) -> _Pages | None:
        """The pages on the way that one more of `kind`, at `logical`, belongs to; it sends off what it does not."""
        pages = self._pending
        if type(pages) is _Pages and pages.kind == kind and pages.task == self.task:
            if logical is None or logical == pages.following:
                return pages
        if pages is not None or self._answers is not None:
            self._send()
        return None

    def _moved(self, kind: str, task: str, logical: int, pages: list[int]) -> None:
        """All `pages` of a call had the same done to them, the first of them in the table's entry `logical`."""
        self._send()
        with self.clock.aside:
            self._send_pages(_Pages(kind, task, logical, None, pages))

    def _next_logical(self) -> int | None:
        """Where the next page of the current task goes in its table."""
        table = self.cache.tables.get(self.task)
        return None if table is None else len(table)

    # scheduler

    def _prompt(self, task: Task) -> dict[str, Any]:
        return {"prompt_len": len(task.prompt), **(super()._prompt(task) if self.with_model else {})}

    def _queues_now(self) -> dict[str, Any]:
        return {}

    def _served(self, tasks: list[Task]) -> dict[str, Any]:
        return {"n_tasks": len(tasks)}

    def _table_fields(self, task: str) -> dict[str, Any]:
        table = self.cache.tables[task]
        return {"n_pages": len(table), "table": numbers_digest(table)}

    def _on_forward(self, original: Original, batch: Batch) -> list[int]:
        tokens = super()._on_forward(original, batch)
        self._kv_lengths()
        return tokens

    def _on_prefilled(self, original: Original, task: Task, start: int, count: int, token: int) -> None:
        super()._on_prefilled(partial(self._answered, original, [task], [token]), task, start, count, token)

    def _on_decoded(self, original: Original, batch: list[Task], tokens: list[int]) -> None:
        self._answered(original, batch, tokens, batch, tokens)

    def _answered(self, original: Original, tasks: list[Task], tokens: list[int], *given: Any) -> None:
        """Call `original`, in which tasks may get these tokens."""
        self._send()
        self._answers = _Answers(tasks, tokens, [len(task.output) for task in tasks])
        try:
            original(*given)
            self._send()
        finally:
            self._answers = None

    # cache

    def _on_admit(self, original: Original, task: str, tokens: Sequence[int]) -> int:
        if self._singly:
            return super()._on_admit(original, task, tokens)
        cached = original(task, tokens)
        self._moved("alloc", task, 0, self.cache.tables[task])
        return cached

    def _on_alloc(self, original: Original) -> int:
        logical = self._next_logical()
        self._expect("evicted" if self.cache.n_free == 0 else "alloc", logical)
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
        if self._singly:
            with self._about(task):
                pages = original(task, n_tokens)
            if pages:
                self._send()
            return pages
        pages = original(task, n_tokens)
        if pages:
            self._moved("alloc", task, len(self.cache.tables[task]) - len(pages), pages)
        return pages

    def _on_release(self, original: Original, task: str) -> None:
        if self._singly:
            super()._on_release(original, task)
            self._send()
            return
        pages = self.cache.tables[task][::-1]
        original(task)
        if pages:
            self._moved("free", task, len(pages) - 1, pages)

    def _on_record_page(self, original: Original, page: int, prefix: Prefix) -> str | None:
        key = original(page, prefix)
        if key is None:
            return None
        logical = self.cache.tables[self.task].index(page)
        keyed = self._gather("keyed", page, logical).more
        keyed.setdefault("parent", prefix.parent.key if prefix.parent else ROOT)
        keyed["key"] = key
        return key
