"""AstrAI at its two designs before: pages in the scheduler's tasks, and behind a facade.

Both compute the last token of a prompt a second time, at the position after it, when they decode first: what is in the
cache, and so the prompt in the trace, ends with it twice.
"""

import threading
from collections.abc import Callable
from typing import Any

import torch

from astrai_sim.adapters.astrai import POOL, AstrAI, Bits, Queued
from astrai_sim.adapters.shapes import Needs
from astrai_sim.adapters.stepping import Asked, Followed, begins
from astrai_sim.recorder.watching import Original

TENSORS = "page_size k_cache write gather"


class Tensors(AstrAI):
    """Designs with `k_cache`, [layers, pages, page_size, heads, dim], and one first position for a whole pass."""

    batch: list[Any]
    """Tasks of the pass that comes, by the engine's own ids."""
    wrote: tuple[list[list[int]], int, int]
    """Of the pass: its tables, and where its tokens begin and end."""
    decoding: list[Any]
    """Tasks of the pass that decodes."""

    @classmethod
    def cache(cls, engine: Any) -> Any:
        """What has the tensors."""
        raise NotImplementedError

    @classmethod
    def tensor(cls, engine: Any, layer: int) -> torch.Tensor:
        return cls.cache(engine).k_cache[layer]

    def asked_of(self, task: Any) -> Asked:
        """A task of the engine as a request."""
        return task.task_id, [*task.prompt_ids, task.prompt_ids[-1]], task.max_tokens

    def watch(self) -> None:
        """Start watching."""
        super().watch()
        self.decoding = []
        self._wrap(self.cache(self.engine), "write", self._on_write)
        self._wrap(self.cache(self.engine), "gather", self._on_gather)

    def _on_write(self, original: Original, layer: int, tables: torch.Tensor, start: int, *kv: torch.Tensor) -> None:
        if layer != self.asked.kv_layer:
            original(layer, tables, start, *kv)
            return
        self._shown("write", original, layer, tables, start, *kv)
        self.wrote = tables.tolist(), start, start + kv[0].size(1)

    def _on_gather(self, original: Original, layer: int, tables: torch.Tensor, *length: int) -> Any:
        if layer != self.asked.kv_layer:
            return original(layer, tables, *length)
        result = self._shown("gather", original, layer, tables, *length)
        self._synchronize()
        with self.clock.aside:
            written, start, end = self.wrote
            names = [self.requests[key].name for key in self.batch]
            read = [[page for page in table if page >= 0] for table in tables.tolist()]
            spans = [self._span(name, table, start, end) for name, table in zip(names, written, strict=True)]
            reach = length[0] if length else end
            self.computed(spans, [self._row(name, table, reach) for name, table in zip(names, read, strict=True)])
        return result

    def _decode(self, original: Original, tasks: list[Any], start: int) -> None:
        """A pass that decodes: tokens come as the tasks get them, and whoever found no page is aborted."""
        self.begin_phase("decode")
        self.decoding = sorted(tasks, key=lambda task: task.task_id)
        original(tasks, start)
        self._new_tokens()
        for task in self.decoding:
            if task.status.value == "aborted":
                self.finish(self.requests[task.task_id], "aborted")
        self.decoding = []
        self.end_step()

    def _new_tokens(self) -> None:
        for task in self.decoding:
            request = self.requests[task.task_id]
            for token in task.output_ids[request.generated :]:
                self.token(request, int(token), self._stops())


class Facade(Tensors, Queued):
    """`PagedCache` as a facade of `PagePool`, `PrefixCache` (hashes of single pages, not chained) and `TaskTable`."""

    needs: Needs = {
        "": "_task_mgr _page_cache _executor",
        "_task_mgr": f"{Queued.queue} tokenizer",
        "_executor": "execute_prefill execute_decode model",
        "_page_cache": f"{TENSORS} _pool _prefix _table task_alloc task_free task_extend task_record_hashes task_cached"
        " make_table_tensor",
        "_page_cache._pool": f"{POOL} _lru inc_ref",
        "_page_cache._prefix": "lookup record _page_to_hash",
        "_page_cache._table": "_pages extend",
    }
    policy = (*AstrAI.policy, "cached-pages-last", "keyed-pages-stay", "next-cleanup-frees")
    watched = ("_free_mask", "_refs", "_lru")

    @classmethod
    def cache(cls, engine: Any) -> Any:
        return engine._page_cache

    @classmethod
    def paged(cls, engine: Any) -> Bits:
        return Bits(engine._page_cache._pool, engine._page_cache.page_size)

    @classmethod
    def facts(cls, engine: Any) -> tuple[int, Any, Any, bool]:
        return len(engine._page_cache.k_cache), engine._executor.model, engine._task_mgr, True

    @classmethod
    def roles(cls, engine: Any) -> dict[str, Callable]:
        cache = engine._page_cache
        pool, prefix, table = type(cache._pool), type(cache._prefix), type(cache._table)
        found = {"alloc": pool.alloc, "share": pool.inc_ref, "free": pool.free, "lookup": prefix.lookup}
        return {**found, "grow": table.extend, "write": type(cache).write, "gather": type(cache).gather}

    def watch(self) -> None:
        super().watch()
        cache = self.engine._page_cache
        for name in ("task_alloc", "task_free", "task_extend", "task_record_hashes", "make_table_tensor"):
            self._wrap(cache, name, getattr(self, f"_on_{name}"))
        self._wrap(cache._prefix, "lookup", self._on_lookup)
        self._wrap(cache._prefix, "record", self._on_record)
        self._wrap(cache._table, "extend", self._on_extend)

    def tables(self) -> dict[Any, list[int]]:
        return {key: list(pages) for key, pages in self.engine._page_cache._table._pages.items()}

    def cached(self, key: str) -> int:
        return self.engine._page_cache.task_cached(key)

    def _on_make_table_tensor(self, original: Original, keys: list[str], *args: Any) -> torch.Tensor:
        self.batch = list(keys)
        return original(keys, *args)

    def _on_task_extend(self, original: Original, key: str, position: int) -> bool:
        self._new_tokens()
        with self.serving(self.requests[key]):
            return original(key, position)

    def _on_extend(self, original: Original, key: str, position: int) -> bool:
        grows = position // self.pool.page_size >= len(self.engine._page_cache._table._pages[key])
        return self._shown("grow", original, key, position, keep=bool) if grows else original(key, position)

    def _on_record(self, original: Original, page: int, tokens: list[int], logical: int, *args: Any) -> None:
        original(page, tokens, logical, *args)
        request, key = self._of(), self.engine._page_cache._prefix._page_to_hash.get(page)
        if request is not None and key is not None:
            self.keyed(request, page, logical, f"{key:016x}", "")

    def _on_execute_prefill(self, original: Original, *args: Any, **kwargs: Any) -> None:
        self.begin_phase("prefill")
        original(*args, **kwargs)

    def _on_execute_decode(self, original: Original, tasks: list[Any], start: int) -> None:
        self._decode(original, tasks, start)


class Pages(Tensors):
    """The first design: `PagedCache` without prefixes, page tables in tasks, all phases methods of the scheduler."""

    needs: Needs = {
        "": "page_cache waiting_queue active_tasks max_batch_size tokenizer model add_task remove_task _free_pages"
        " _remove_finished_tasks _refill_active_batch _execute_prefill_batch _execute_decode _maybe_alloc_page"
        " _make_page_table_tensor",
        "page_cache": f"{TENSORS} {POOL} alloc_n",
    }

    @classmethod
    def cache(cls, engine: Any) -> Any:
        return engine.page_cache

    @classmethod
    def paged(cls, engine: Any) -> Bits:
        return Bits(engine.page_cache, engine.page_cache.page_size)

    @classmethod
    def facts(cls, engine: Any) -> tuple[int, Any, Any, bool]:
        return len(engine.page_cache.k_cache), engine.model, engine, False

    @classmethod
    def roles(cls, engine: Any) -> dict[str, Callable]:
        cache, scheduler = type(engine.page_cache), type(engine)
        found = {name: getattr(cache, name) for name in ("alloc", "free", "write", "gather")}
        return {**found, "grow": scheduler._maybe_alloc_page}

    def watch(self) -> None:
        super().watch()
        self.candidates, self.asking = [], threading.RLock()
        self._unlocked(self.engine, "add_task", self._on_add_task)
        for name in ("alloc", "alloc_n", "free"):
            self._wrap(self.engine.page_cache, name, getattr(self, f"_on_{name}"))
        for name in (
            *("_remove_finished_tasks", "_refill_active_batch", "_execute_prefill_batch", "_execute_decode"),
            *("_maybe_alloc_page", "_make_page_table_tensor", "_free_pages", "remove_task"),
        ):
            self._wrap(self.engine, name, getattr(self, f"_on_{name.lstrip('_')}"))

    candidates: list[Followed]
    """Who is to be admitted in this refill, in order; nobody comes while it runs (`asking`)."""
    asking: Any

    def waiting(self) -> list[Asked]:
        return [self.asked_of(task) for task in list(self.engine.waiting_queue)]

    def tables(self) -> dict[Any, list[int]]:
        return {key: list(task.page_table) for key, task in self.tasks.items() if task.page_table}

    @property
    def tasks(self) -> dict[Any, Any]:
        """Tasks that run, by id."""
        return {task.task_id: task for task in self.engine.active_tasks}

    @begins
    def _on_remove_finished_tasks(self, original: Original) -> None:
        self.begin_step()
        self.begin_phase("cleanup")
        original()

    def _on_free_pages(self, original: Original, pages: list[int]) -> None:
        holder = next((request for request in self.requests.values() if pages and request.table == pages), None)
        if holder is None:
            original(pages)
            return
        self.finish(holder, "aborted")
        with self.serving(holder):
            original(pages)

    def _on_remove_task(self, original: Original, key: str) -> None:
        original(key)
        request = self.requests.get(key)
        if request is not None and request.status == "waiting":
            self.finish(request, "aborted")

    def _on_refill_active_batch(self, original: Original) -> None:
        self.begin_phase("refill")
        with self.asking:
            self.arrive()
            self.candidates = [self.requests[key] for key, _, _ in self.waiting()]
            original()

    @begins
    def _on_add_task(self, original: Original, *args: Any, **kwargs: Any) -> str:
        with self.asking:
            return original(*args, **kwargs)

    def _on_alloc_n(self, original: Original, count: int) -> list[int]:
        request = self.candidates.pop(0)
        pages = self.attempt(request, lambda: original(count), lambda pages: not pages)
        if pages:
            self.admitted(request, 0)
        return pages

    def _on_make_page_table_tensor(self, original: Original, tasks: list[Any]) -> torch.Tensor:
        self.batch = [task.task_id for task in tasks]
        return original(tasks)

    def _on_execute_prefill_batch(self, original: Original, *args: Any) -> None:
        self.begin_phase("prefill")
        original(*args)

    def _on_execute_decode(self, original: Original, tasks: list[Any], start: int) -> None:
        self._decode(original, tasks, start)

    def _on_maybe_alloc_page(self, original: Original, task: Any, position: int) -> None:
        self._new_tokens()
        with self.serving(self.requests[task.task_id]):
            if position // self.pool.page_size >= len(task.page_table):
                self._shown("grow", original, task, position)
            else:
                original(task, position)
