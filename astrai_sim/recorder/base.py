"""What both recorders of this engine share: which methods they watch, and the scheduler's events."""

import time
from collections.abc import Sequence
from operator import add
from typing import Any

from astrai_sim.engine.scheduler import Task
from astrai_sim.recorder.paging import PageWatcher
from astrai_sim.recorder.watching import Original
from astrai_sim.scenario.build import Built
from astrai_sim.scenario.schema import RecordPart
from astrai_sim.trace import TraceWriter
from astrai_sim.trace.digests import numbers_digest
from astrai_sim.trace.header import PHASES

FLUSH_S = 1.0
Batch = list[tuple[Task, int, int]]


def equal_once(numbers: list[int]) -> int | list[int]:
    """The number, where all are equal, else all of them."""
    return numbers[0] if len(set(numbers)) == 1 else numbers


class BaseRecorder(PageWatcher):
    """Watches the scheduler and the cache of `built` and writes what happens, as `asked` for, to `writer`.

    The engine knows nothing of it: `attach` puts wrappers over methods of the two instances, `detach` takes them off
    again. Each name in `CACHE` and `SCHEDULER` has its wrapper in a method `_on_<name>` that is given the original
    first. Time that the recorder spends on reading back and writing does not pass on the run's clock; on CUDA, waiting
    for the device before reading back does.
    """

    SCHEDULER: tuple[str, ...] = (
        *("submit", "change_setting", "step", "_admit", "_forward"),
        *("_prefilled", "_finish", "_preempt"),
    )
    CACHE: tuple[str, ...] = (
        *("alloc", "evict", "inc_ref", "free", "lookup", "admit", "grow", "release"),
        *("record_pages", "record_page", "reset_prefix_cache"),
    )

    def __init__(self, writer: TraceWriter, built: Built, asked: RecordPart) -> None:
        super().__init__(writer, built.clock, asked)
        self.scheduler, self.cache = built.scheduler, built.cache
        self.pool, self.keys = built.cache, built.cache.k_cache[asked.kv_layer]
        self.batch: Batch = []
        self.with_model = self.cache.k_cache.device.type != "meta"
        self._leaving: list[int] = []
        self._flushed = time.monotonic()
        self._waits = self.keys.device.type == "cuda"

    def attach(self) -> None:
        """Start watching. Raises RuntimeError if it does already."""
        if self._undo:
            raise RuntimeError("this recorder is attached already")
        for name in PHASES:
            self._wrap(self.scheduler, name, self._on_phase)
        for owner, names in ((self.scheduler, self.SCHEDULER), (self.cache, self.CACHE)):
            for name in names:
                own = "scheduler_admit" if name == "_admit" else name.lstrip("_")
                self._wrap(owner, name, getattr(self, f"_on_{own}"))

    def snapshot(self) -> None:
        """Record mask, refcounts, tables, LRU and lengths, read from the live objects."""
        raise NotImplementedError

    def _lengths(self) -> dict[str, int]:
        """Tokens in the cache of each task that has a table."""
        return {task.id: task.kv_len for task in self.scheduler.tasks() if task.id in self.cache.tables}

    def _word(self, index: int) -> int:
        return self.cache.free_word(index)

    # scheduler

    def _on_submit(self, original: Original, task: Task) -> None:
        original(task)
        asked: dict[str, Any] = {"max_tokens": task.max_tokens, "arrival_step": task.arrival_step}
        if task.arrival_s is not None:
            asked["arrival_s"] = task.arrival_s
        self._emit("task_submitted", task=task.id, **self._prompt(task), **asked)

    def _prompt(self, task: Task) -> dict[str, Any]:
        return {"prompt": list(task.prompt)}

    def _on_change_setting(self, original: Original, name: str, value: str | int | bool | None) -> None:
        original(name, value)
        self._emit("setting", name=name, value=getattr(self.scheduler, name))

    def _on_step(self, original: Original) -> None:
        scheduler = self.scheduler
        self.step = scheduler.step_index
        self._emit("step_begin", **self._queues_now())
        began = self.clock.now_ns()
        original()
        counts = {"waiting": len(scheduler.waiting), "running": len(scheduler.running)}
        self._emit("step_end", duration_ns=self.clock.now_ns() - began, **counts)
        with self.clock.aside:
            if (self.step + 1) % self.asked.snapshot_steps == 0:
                self.snapshot()
            self._flush()

    def _queues_now(self) -> dict[str, Any]:
        scheduler = self.scheduler
        return {"waiting": [task.id for task in scheduler.waiting], "running": [task.id for task in scheduler.running]}

    def _flush(self) -> None:
        """Hand over what was recorded, now and then: packing less at once takes longer, and more room."""
        now = time.monotonic()
        if now - self._flushed > FLUSH_S:
            self.writer.flush()
            self._flushed = now

    def _on_phase(self, original: Original) -> list[Task]:
        self.phase = original.__name__
        self._emit("phase_begin")
        if self._waits:
            self._synchronize()
        began = self.clock.now_ns()
        tasks = original()
        if self._waits:
            self._synchronize()
        self._emit("phase_end", duration_ns=self.clock.now_ns() - began, **self._served(tasks))
        self.phase = None
        return tasks

    def _served(self, tasks: list[Task]) -> dict[str, Any]:
        return {"tasks": [task.id for task in tasks]}

    def _on_scheduler_admit(self, original: Original, task: Task) -> None:
        with self._held():
            original(task)
        counts = {"tokens": task.n_tokens, "cached_tokens": task.kv_len}
        self._emit("task_admitted", task=task.id, **counts, **self._table_fields(task.id))

    def _table_fields(self, task: str) -> dict[str, Any]:
        return {"pages": list(self.cache.tables[task])}

    def _on_forward(self, original: Original, batch: Batch) -> list[int]:
        self.batch = batch
        return original(batch)

    def _kv_lengths(self) -> None:
        """How many tokens of which tasks the forward pass computed."""
        tasks, starts, counts = zip(*self.batch, strict=True)
        lengths = numbers_digest([*map(add, starts, counts)])
        self._emit("kv_lengths", tasks=[task.id for task in tasks], counts=equal_once([*counts]), lengths=lengths)

    def _on_prefilled(self, original: Original, task: Task, start: int, count: int, token: int) -> None:
        end = start + count
        if end == task.n_tokens:
            self._emit("task_prefilled", task=task.id, start=start, end=end)
        else:
            self._emit("chunk", task=task.id, start=start, end=end, total=task.n_tokens)
        original(task, start, count, token)

    def _on_finish(self, original: Original, task: Task, reason: str) -> None:
        original(task, reason)
        self._emit("task_finished", task=task.id, reason=reason, tokens=task.n_tokens, generated=len(task.output))

    def _on_preempt(self, original: Original, task: Task) -> None:
        self._emit("task_preempted", task=task.id, tokens=task.n_tokens, **self._table_fields(task.id))
        original(task)

    # cache

    def _on_admit(self, original: Original, task: str, tokens: Sequence[int]) -> int:
        with self._about(task), self._held():
            return original(task, tokens)

    def _looked_up(self, hits: list[int], tokens: Sequence[int], **found: Any) -> None:
        """Record a prefix lookup: what it `found`, and the page at which it missed."""
        size = self.cache.page_size
        if not self.cache.prefix_caching:
            return
        if hits:
            self._emit("prefix_hit", task=self.task, **found, tokens=len(hits) * size)
        if len(hits) < (len(tokens) - 1) // size:
            self._emit("prefix_miss", task=self.task, logical=len(hits))

    def _on_release(self, original: Original, task: str) -> None:
        self._leaving = list(range(len(self.cache.tables[task])))
        with self._about(task):
            original(task)

    def _on_record_pages(self, original: Original, task: str, tokens: Sequence[int]) -> None:
        with self._about(task):
            original(task, tokens)

    def _on_reset_prefix_cache(self, original: Original) -> None:
        original()
        self._emit("prefix_reset", mask=hex(self.cache.free_mask))
