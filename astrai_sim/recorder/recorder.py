"""Turns the calls of a live scheduler and cache into trace events.

The engine knows nothing of it: `attach` puts wrappers over methods of the two
instances (and over `pages_for` where the cache looks it up), `detach` takes them
off again. What an event says of mask, refcounts, LRU and tables is read from
the live objects after the call.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import torch

from astrai_sim.cache import paged_cache
from astrai_sim.cache.paged_cache import PagedCache
from astrai_sim.cache.prefix import ROOT, Prefix
from astrai_sim.recorder.lines import LineTracer, plain
from astrai_sim.scheduler import InferenceScheduler, Task
from astrai_sim.trace import TraceWriter
from astrai_sim.trace.events import WHOLE_LRU, WHOLE_MASK

PHASES = ("cleanup", "refill", "prefill", "decode")


class Recorder:
    """Watches one scheduler and its cache and writes what happens to `writer`.

    Parameters
    ----------
    kv_layer
        Layer whose writes and gathers are recorded.
    snapshot_every
        Steps between snapshots.
    line_calls
        Calls of each shown function that are recorded line by line; for `write`
        and `gather` counted anew for every set of tasks in every phase.
    line_steps
        Steps from the start in which lines are recorded at all; None: every step.
    """

    def __init__(
        self,
        writer: TraceWriter,
        scheduler: InferenceScheduler,
        *,
        kv_layer: int = 0,
        snapshot_every: int = 16,
        line_calls: int = 4,
        line_steps: int | None = None,
    ) -> None:
        self.writer = writer
        self.scheduler = scheduler
        self.cache: PagedCache = scheduler.cache
        self.kv_layer = kv_layer
        self.snapshot_every = snapshot_every
        self.line_calls = line_calls
        self.line_steps = line_steps
        self.step = -1
        self.phase: str | None = None
        self.task: str | None = None
        self.logical: int | None = None
        self.batch: list[tuple[Task, int, int]] = []
        self._start = time.perf_counter_ns()
        self._aside = 0
        self._queues: list[list[dict[str, Any]]] = []
        self._traced: Counter = Counter()
        self._undo: list[Callable[[], None]] = []

    def attach(self) -> Recorder:
        """Start watching."""
        scheduler, cache = self.scheduler, self.cache
        for name in PHASES:
            self._wrap(scheduler, name, self._on_phase)
        self._wrap(scheduler, "_admit", self._scheduler_admit)
        for name in ("submit", "change_setting", "step", "_prefilled", "_append_token", "_finish",
                     "_preempt", "_make_room", "_forward"):
            self._wrap(scheduler, name, getattr(self, f"_on_{name.lstrip('_')}"))
        for name in ("alloc", "evict", "inc_ref", "free", "lookup", "admit", "share", "extend",
                     "grow", "release", "record_pages", "record_page", "reset_prefix_cache",
                     "write", "gather"):
            self._wrap(cache, name, getattr(self, f"_on_{name}"))
        original = paged_cache.pages_for

        def pages_for(n_tokens: int, page_size: int) -> int:
            return self._lines("pages_for", original, n_tokens, page_size)

        paged_cache.pages_for = pages_for
        self._undo.append(lambda: setattr(paged_cache, "pages_for", original))
        return self

    def detach(self) -> None:
        """Stop watching and leave the objects as they were."""
        while self._undo:
            self._undo.pop()()

    def snapshot(self) -> None:
        """Record mask, refcounts, tables, LRU and lengths, read from the live objects."""
        cache = self.cache
        lengths = {task.id: task.kv_len for task in self.scheduler.tasks()
                   if task.id in cache.tables}
        fields: dict[str, Any] = {
            "mask": hex(cache.free_mask),
            "refs": list(cache.refs),
            "tables": {task: list(pages) for task, pages in cache.tables.items()},
            "lengths": lengths,
        }
        self._emit("snapshot", **fields, **self._lru())

    def _wrap(self, owner: Any, name: str, handler: Callable) -> None:
        original = getattr(owner, name)

        def wrapper(*args, **kwargs):
            return handler(original, *args, **kwargs)

        setattr(owner, name, wrapper)
        self._undo.append(lambda: delattr(owner, name))

    def _now(self) -> int:
        return time.perf_counter_ns() - self._start

    def _emit(self, event: str, at: int | None = None, **fields: Any) -> None:
        data = {
            "step": self.step,
            "phase": self.phase,
            "ns": self._now() if at is None else at,
            "event": event,
            **fields,
        }
        if self._queues:
            self._queues[-1].append(data)
        else:
            self.writer.event(data)

    @contextmanager
    def _held(self):
        """Hold events back; on an exception they are dropped."""
        queue: list[dict[str, Any]] = []
        self._queues.append(queue)
        try:
            yield queue
        except BaseException:
            self._queues.pop()
            raise
        self._queues.pop()

    def _release_queue(self, queue: list[dict[str, Any]]) -> None:
        for data in queue:
            if self._queues:
                self._queues[-1].append(data)
            else:
                self.writer.event(data)

    def _lines(self, name: str, function: Callable, *args, key: Any = None, keep=None) -> Any:
        """Call `function`; the first calls also give a `lines` event, ahead of their effects.

        `keep` decides by the result whether this call is worth a `lines` event.
        """
        budget = (name, key)
        late = self.line_steps is not None and self.step >= self.line_steps
        if late or self._traced[budget] >= self.line_calls:
            return function(*args)
        tracer = LineTracer(function)
        began = self._now()
        with self._held() as queue:
            result = tracer.run(*args)
        if keep is None or keep(result):
            self._traced[budget] += 1
            self._emit(
                "lines", began, function=name, task=self.task, args=tracer.args, steps=tracer.steps,
                result=plain(result),
            )
        self._release_queue(queue)
        return result

    @contextmanager
    def _about(self, task: str | None, logical: int | None = None):
        before = self.task, self.logical
        self.task, self.logical = task, logical
        try:
            yield
        finally:
            self.task, self.logical = before

    @contextmanager
    def _beside(self):
        """Time spent here, on reading back, is not part of any measured duration."""
        self._synchronize()
        began = time.perf_counter_ns()
        yield
        self._aside += time.perf_counter_ns() - began

    def _synchronize(self) -> None:
        if self.cache.k_cache.device.type == "cuda":
            torch.cuda.synchronize(self.cache.k_cache.device)

    def _mask(self, page: int) -> dict[str, Any]:
        mask = self.cache.free_mask
        if self.cache.n_pages <= WHOLE_MASK:
            return {"mask": hex(mask)}
        index = page // 64
        return {"word": [index, hex(mask >> (64 * index) & 0xFFFFFFFFFFFFFFFF)]}

    def _lru(self) -> dict[str, Any]:
        lru = self.cache.lru
        return {"lru": lru} if len(lru) <= WHOLE_LRU else {}

    def _page_event(self, event: str, page: int, **more: Any) -> None:
        self._emit(
            event, page=page, task=self.task, logical=self.logical,
            ref=self.cache.refs[page], **self._mask(page), **more,
        )

    # scheduler

    def _on_submit(self, original, task: Task) -> None:
        original(task)
        self._emit(
            "task_submitted", task=task.id, prompt=list(task.prompt),
            max_tokens=task.max_tokens, arrival_step=task.arrival_step,
        )

    def _on_change_setting(self, original, name: str, value) -> None:
        original(name, value)
        self._emit("setting", name=name, value=getattr(self.scheduler, name))

    def _on_step(self, original) -> None:
        scheduler = self.scheduler
        self.step = scheduler.step_index
        self._emit(
            "step_begin", waiting=[t.id for t in scheduler.waiting],
            running=[t.id for t in scheduler.running],
        )
        began, aside = time.perf_counter_ns(), self._aside
        original()
        duration = time.perf_counter_ns() - began - (self._aside - aside)
        self._emit(
            "step_end", duration_ns=duration, waiting=len(scheduler.waiting),
            running=len(scheduler.running),
        )
        if (self.step + 1) % self.snapshot_every == 0:
            self.snapshot()
        self.writer.flush()

    def _on_phase(self, original) -> list[Task]:
        self.phase = original.__name__
        self._emit("phase_begin")
        self._synchronize()
        began, aside = time.perf_counter_ns(), self._aside
        tasks = original()
        self._synchronize()
        duration = time.perf_counter_ns() - began - (self._aside - aside)
        self._emit("phase_end", duration_ns=duration, tasks=[task.id for task in tasks])
        self.phase = None
        return tasks

    def _scheduler_admit(self, original, task: Task) -> None:
        with self._held() as queue:
            original(task)
        self._release_queue(queue)
        self._emit(
            "task_admitted", task=task.id, tokens=task.n_tokens, cached_tokens=task.kv_len,
            pages=list(self.cache.tables[task.id]),
        )

    def _on_forward(self, original, batch) -> torch.Tensor:
        self.batch = batch
        return original(batch)

    def _on_prefilled(self, original, task: Task, start: int, count: int, logits) -> None:
        end = start + count
        if end == task.n_tokens:
            self._emit("task_prefilled", task=task.id, start=start, end=end)
        else:
            self._emit("chunk", task=task.id, start=start, end=end, total=task.n_tokens)
        original(task, start, count, logits)

    def _on_append_token(self, original, task: Task, token: int) -> None:
        self._emit(
            "token", task=task.id, id=token, index=len(task.output), position=task.n_tokens,
            source=self.phase,
        )
        original(task, token)

    def _on_finish(self, original, task: Task, reason: str) -> None:
        original(task, reason)
        self._emit(
            "task_finished", task=task.id, reason=reason, tokens=task.n_tokens,
            generated=len(task.output),
        )

    def _on_preempt(self, original, task: Task) -> None:
        self._emit(
            "task_preempted", task=task.id, tokens=task.n_tokens,
            pages=list(self.cache.tables[task.id]),
        )
        original(task)

    def _on_make_room(self, original, task: Task) -> bool:
        before = len(self.scheduler.running)
        return self._lines("InferenceScheduler._make_room", original, task,
                           keep=lambda _: len(self.scheduler.running) < before)

    # cache

    def _on_alloc(self, original) -> int:
        page = self._lines("PagedCache.alloc", original)
        self._page_event("page_alloc", page)
        return page

    def _on_evict(self, original) -> int:
        oldest = next(iter(self.cache.lru), None)
        known = self.cache._prefix.keyed(oldest) if oldest is not None else None
        page = self._lines("PagedCache.evict", original)
        self._emit("page_evicted", page=page, key=known.key, **self._lru())
        return page

    def _on_inc_ref(self, original, page: int) -> None:
        cached = page in self.cache._lru
        self._lines("PagedCache.inc_ref", original, page)
        if cached:
            self._page_event("page_revived", page, **self._lru())
        else:
            self._page_event("page_ref", page)

    def _on_free(self, original, page: int) -> None:
        self._lines("PagedCache.free", original, page)
        if page in self.cache._lru:
            self._page_event("page_cached", page, **self._lru())
        else:
            self._page_event("page_free", page)

    def _on_lookup(self, original, tokens) -> list[int]:
        hits = self._lines("PagedCache.lookup", original, tokens, keep=bool)
        size = self.cache.page_size
        if self.cache.prefix_caching:
            if hits:
                self._emit("prefix_hit", task=self.task, pages=hits, tokens=len(hits) * size)
            if len(hits) < (len(tokens) - 1) // size:
                self._emit("prefix_miss", task=self.task, logical=len(hits))
        return hits

    def _on_admit(self, original, task: str, tokens) -> int:
        with self._about(task), self._held() as queue:
            cached = original(task, tokens)
        self._release_queue(queue)
        return cached

    def _table(self, task: str) -> None:
        self._emit("table", task=task, pages=list(self.cache.tables.get(task, ())))

    def _on_share(self, original, task: str, page: int) -> None:
        with self._about(task, len(self.cache.tables[task])):
            original(task, page)
        self._table(task)

    def _on_extend(self, original, task: str) -> int:
        with self._about(task, len(self.cache.tables[task])):
            page = original(task)
        self._table(task)
        return page

    def _on_grow(self, original, task: str, n_tokens: int) -> list[int]:
        with self._about(task):
            return self._lines("PagedCache.grow", original, task, n_tokens, keep=bool)

    def _on_release(self, original, task: str) -> None:
        logical = {page: i for i, page in enumerate(self.cache.tables[task])}
        free = self.cache.free

        def numbered(page: int) -> None:
            with self._about(task, logical[page]):
                free(page)

        self.cache.free = numbered
        try:
            original(task)
        finally:
            self.cache.free = free
        self._table(task)

    def _on_record_pages(self, original, task: str, tokens) -> None:
        with self._about(task):
            original(task, tokens)

    def _on_record_page(self, original, page: int, prefix: Prefix) -> str | None:
        key = original(page, prefix)
        if key is not None:
            logical = self.cache.tables[self.task].index(page)
            parent = prefix.parent.key if prefix.parent else ROOT
            self._emit(
                "page_keyed", page=page, task=self.task, logical=logical, key=key, parent=parent
            )
        return key

    def _on_reset_prefix_cache(self, original) -> None:
        original()
        self._emit("prefix_reset", mask=hex(self.cache.free_mask))

    def _on_write(self, original, layer, page_table, positions, k, v) -> None:
        if layer != self.kv_layer:
            original(layer, page_table, positions, k, v)
            return
        tasks = tuple(task.id for task, _, _ in self.batch)
        self._lines("PagedCache.write", original, layer, page_table, positions, k, v,
                    key=(self.phase, tasks))
        with self._beside():
            spans = [self._span(task, start, count) for task, start, count in self.batch]
            self._emit("kv_write", layer=layer, spans=spans)

    def _span(self, task: Task, start: int, count: int) -> dict[str, Any]:
        """Where `count` tokens from `start` went, with the K norms that the tensor now holds."""
        size = self.cache.page_size
        table = self.cache.tables[task.id]
        slots = []
        norms: list[float] = []
        at = start
        while at < start + count:
            page, low = table[at // size], at % size
            high = min(size, low + start + count - at)
            keys = self.cache.k_cache[self.kv_layer, page, low:high].float()
            norms += keys.flatten(1).norm(dim=1).tolist()
            slots.append([page, low, high])
            at += high - low
        norms = [float(f"{norm:.4g}") for norm in norms]
        return {"task": task.id, "start": start, "count": count, "slots": slots, "norms": norms}

    def _on_gather(self, original, layer, page_table, lengths):
        if layer != self.kv_layer:
            return original(layer, page_table, lengths)
        tasks = tuple(task.id for task, _, _ in self.batch)
        result = self._lines("PagedCache.gather", original, layer, page_table, lengths,
                             key=(self.phase, tasks))
        with self._beside():
            rows = []
            for (task, _, _), length in zip(self.batch, lengths.tolist(), strict=True):
                rows.append(self._gather_row(task, length))
            self._emit("gather", layer=layer, rows=rows)
        return result

    def _gather_row(self, task: Task, length: int) -> dict[str, Any]:
        size = self.cache.page_size
        pages = list(self.cache.tables[task.id])
        slots = [
            [page * size, min(size, length - logical * size)]
            for logical, page in enumerate(pages)
            if length > logical * size
        ]
        return {"task": task.id, "length": length, "pages": pages, "slots": slots}
