"""AstrAI: what its designs have in common, and the newest, whose prefixes are a radix tree."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch

from astrai_sim.adapters.following import Follower
from astrai_sim.adapters.header import Sizes, make_header
from astrai_sim.adapters.shapes import Needs
from astrai_sim.adapters.slots import read, written
from astrai_sim.adapters.stepping import Asked, begins
from astrai_sim.engine.cache.prefix import ROOT, page_key
from astrai_sim.recorder.watching import Original
from astrai_sim.trace import TraceWriter
from astrai_sim.trace.header import RecordPart

POOL = "_free_mask _refs alloc free"


class Bits:
    """A pool whose free pages are bits of a number; `owner` has `_free_mask`, `_refs` and maybe `_lru`."""

    def __init__(self, owner: Any, page_size: int) -> None:
        self.owner, self.page_size = owner, page_size
        self.n_pages = len(owner._refs)

    @property
    def free_mask(self) -> int:
        return self.owner._free_mask

    @property
    def refs(self) -> Sequence[int]:
        return self.owner._refs

    @property
    def lru(self) -> list[int]:
        return list(getattr(self.owner, "_lru", ()))


class AstrAI(Follower):
    """What the designs have in common; `engine` is the scheduler."""

    policy: tuple[str, ...] = ("lowest-page-first", "settings-kept")
    decode_policy = "same-position"

    def __init__(self, writer: TraceWriter, asked: RecordPart, engine: Any) -> None:
        super().__init__(writer, asked, engine)
        self.pool, self.keys = self.paged(engine), self.tensor(engine, asked.kv_layer)
        self.names = {role: function.__qualname__ for role, function in self.roles(engine).items()}

    @classmethod
    def paged(cls, engine: Any) -> Bits:
        """The pool."""
        raise NotImplementedError

    @classmethod
    def tensor(cls, engine: Any, layer: int) -> torch.Tensor:
        """K of a layer, [n_pages, page_size, n_kv_heads, head_dim]."""
        raise NotImplementedError

    @classmethod
    def roles(cls, engine: Any) -> dict[str, Callable]:
        """The functions that films look for."""
        raise NotImplementedError

    @classmethod
    def facts(cls, engine: Any) -> tuple[int, Any, Any, bool]:
        """Layers, the model, what has `max_batch_size` and `tokenizer`, and whether prefixes are cached."""
        raise NotImplementedError

    @classmethod
    def tokenizer(cls, engine: Any) -> Any:
        return cls.facts(engine)[2].tokenizer

    @classmethod
    def in_the_way(cls, engine: Any) -> str | None:
        pool = cls.paged(engine)
        held = pool.n_pages - pool.free_mask.bit_count()
        return f"{held} pages are in use or cached already: attach before the first request" if held else None

    @classmethod
    def header(cls, engine: Any, asked: RecordPart, name: str, title: str) -> dict[str, Any]:
        layers, model, queue, caching = cls.facts(engine)
        stops = sorted({*queue.tokenizer.stop_ids})
        scheduler = {
            **{"max_tokens_per_step": None, "max_batch": queue.max_batch_size, "preemption": False},
            **{"decode_policy": cls.decode_policy, "eos": stops[0] if len(stops) == 1 else stops or None},
        }
        pool, keys = cls.paged(engine), cls.tensor(engine, asked.kv_layer)
        sizes = Sizes("astrai", layers, getattr(model, "config", None), pool, keys, caching, scheduler)
        package, scenario = type(engine).__module__, sizes.scenario(asked, name, title)
        return make_header(package, scenario, keys.device, cls.roles(engine), cls.policy)

    def watch(self) -> None:
        """Start watching; each design adds what it has."""

    # pages, in all designs

    def _shown(
        self,
        role: str,
        original: Original,
        *args: Any,
        keep: Callable[[Any], bool] | None = None,
        key: Any = None,
        **by: Any,
    ) -> Any:
        """Call the function that plays a role, its first calls line by line, those of each `key` for themselves."""
        return self._lines(self.names[role], partial(original, **by), *args, keep=keep, key=key, inside=original)

    def _on_alloc(self, original: Original) -> int:
        full = not self.pool.free_mask
        page = self._shown("alloc", original, keep=lambda page: page >= 0, key=full)
        if page >= 0:
            if full:
                self.evicted(page)
            self.came("page_alloc", page)
        return page

    def _on_inc_ref(self, original: Original, page: int) -> None:
        cached = page in self.pool.lru
        self._shown("share", original, page)
        self.came("page_revived" if cached else "page_ref", page, lru=cached)

    def _on_free(self, original: Original, page: int, *args: Any, **kwargs: Any) -> None:
        self._shown("free", original, page, *args, **kwargs)
        self.went("page_cached" if not self.pool.refs[page] and page in self.pool.lru else "page_free", page)

    def _on_lookup(self, original: Original, *args: Any) -> list[int]:
        hits = self._shown("lookup", original, *args, keep=bool)
        self.looked_up(hits)
        return hits

    def _stops(self) -> Sequence[int]:
        return self.facts(self.engine)[2].tokenizer.stop_ids


class Queued(AstrAI):
    """Designs with a manager of tasks, `_task_mgr`, and an executor of passes, `_executor`.

    `queue` names what they need of the first.
    """

    queue = "waiting_queue active_tasks max_batch_size remove_finished_tasks pull_candidates wait_for_tasks remove_task"

    def watch(self) -> None:
        super().watch()
        for name in ("remove_finished_tasks", "pull_candidates", "remove_task"):
            self._wrap(self.engine._task_mgr, name, getattr(self, f"_on_{name}"))
        self._unlocked(self.engine._task_mgr, "wait_for_tasks", self._on_wait)
        for name in ("execute_prefill", "execute_decode"):
            self._wrap(self.engine._executor, name, getattr(self, f"_on_{name}"))
        for name in ("alloc", "inc_ref", "free"):
            self._wrap(self.paged(self.engine).owner, name, getattr(self, f"_on_{name}"))

    def asked_of(self, task: Any) -> Asked:
        """A task of the engine as a request."""
        return task.task_id, task.prompt_ids, task.max_tokens

    def waiting(self) -> list[Asked]:
        return [self.asked_of(task) for task in list(self.engine._task_mgr.waiting_queue)]

    @begins
    def _on_remove_finished_tasks(self, original: Original, *args: Any) -> Any:
        self.begin_step()
        self.begin_phase("cleanup")
        return original(*args)

    def _on_pull_candidates(self, original: Original, *args: Any) -> Any:
        self.begin_phase("refill")
        tasks = original(*args)
        self.arrive(*(self.asked_of(task) for task in tasks))
        return tasks

    def _on_wait(self, original: Original, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            self.end_step()
        return original(*args, **kwargs)

    def _on_remove_task(self, original: Original, key: str) -> Any:
        removed, request = original(key), self.requests.get(key)
        if request is not None and request.status == "waiting":
            self.finish(request, "aborted")
        return removed

    def _on_task_alloc(self, original: Original, key: str, tokens: list[int]) -> bool:
        if key not in self.requests:
            self.came_alone(key, tokens)
        self.begin_phase("refill")
        request = self.requests[key]
        there = self.attempt(request, lambda: original(key, tokens), lambda there: not there)
        if there:
            self.admitted(request, self.cached(key))
        return there

    def came_alone(self, key: str, tokens: list[int]) -> None:
        """A request gets pages that was in no queue."""
        raise NotImplementedError

    def cached(self, key: str) -> int:
        """Tokens of a request that were found in the cache."""
        raise NotImplementedError

    def _on_task_free(self, original: Original, key: str) -> None:
        request = self.requests.get(key)
        if request is None or request is self.trying:
            return original(key)
        self.finish(request, "aborted")
        with self.serving(request):
            return original(key)

    def _on_task_record_hashes(self, original: Original, key: str, *args: Any, **kwargs: Any) -> None:
        with self._about(self.requests[key].name):
            original(key, *args, **kwargs)


class Radix(Queued):
    """The newest design: `PagePool` with a radix tree of prefixes, `TaskCacheManager`, slots in `out_cache_loc`."""

    needs: Needs = {
        "": "_task_mgr _task_cache _cache _executor _step",
        "_task_mgr": Queued.queue + " tokenizer",
        "_executor": "execute_prefill execute_decode model",
        "_task_cache": "task_alloc task_free task_extend task_record_hashes bind _states",
        "_cache": "page_size n_layers strategy _storage",
        "_cache._storage": "k_buffer",
        "_cache.strategy": "_alloc _prefix extend",
        "_cache.strategy._alloc": f"{POOL} _lru inc_ref",
    }
    hints = {"_alloc": "its pages are not paged; pass cache=PagePool(…, page_size=16, n_tokens=…) to the engine"}
    policy = (
        *AstrAI.policy,
        *("cached-pages-last", "least-recently-used", "keyed-pages-stay", "pages-on-demand", "next-cleanup-frees"),
    )
    decode_policy = "all"
    bound: list[tuple[str, list[int], list[int]]]
    """Of the pass that comes: each task, slots of its new tokens, and slots of all its tokens."""
    most: int | None = None
    """What requests without queue may generate."""

    @classmethod
    def paged(cls, engine: Any) -> Bits:
        return Bits(engine._cache.strategy._alloc, engine._cache.page_size)

    @classmethod
    def tensor(cls, engine: Any, layer: int) -> torch.Tensor:
        pool, keys = cls.paged(engine), engine._cache._storage.k_buffer[layer]
        return keys[: pool.n_pages * pool.page_size].unflatten(0, (pool.n_pages, pool.page_size))

    @classmethod
    def facts(cls, engine: Any) -> tuple[int, Any, Any, bool]:
        caching = engine._cache.strategy._prefix is not None
        return engine._cache.n_layers, engine._executor.model, engine._task_mgr, caching

    @classmethod
    def roles(cls, engine: Any) -> dict[str, Callable]:
        strategy = engine._cache.strategy
        pool, prefix = type(strategy._alloc), type(strategy._prefix)
        found = {"alloc": pool.alloc, "share": pool.inc_ref, "free": pool.free, "grow": type(strategy).extend}
        return found if strategy._prefix is None else {**found, "lookup": prefix.lookup}

    def watch(self) -> None:
        super().watch()
        for name in ("task_alloc", "task_free", "task_extend", "task_record_hashes", "bind"):
            self._wrap(self.engine._task_cache, name, getattr(self, f"_on_{name}"))
        strategy = self.engine._cache.strategy
        self._wrap(strategy, "extend", self._on_extend)
        if strategy._prefix is not None:
            self._wrap(strategy._prefix, "lookup", self._on_lookup)
            self._wrap(strategy._prefix, "record", self._on_record)
        self._unlocked(self.engine, "_step", self._on_step)
        if hasattr(self.engine, "run_batch"):
            self._unlocked(self.engine, "run_batch", self._on_run_batch)

    def tables(self) -> dict[Any, list[int]]:
        return {key: list(state.pages) for key, state in self.engine._task_cache._states.items()}

    def cached(self, key: str) -> int:
        return self.engine._task_cache._states[key].cached

    def reached(self) -> dict[str, Any]:
        root = getattr(self.engine._cache.strategy._prefix, "_root", None)
        if root is None:
            return {}
        pages, nodes = set(), [root]
        while nodes:
            found = [node for node in [*nodes.pop().children.values()] if node.page_idx is not None]
            pages.update(node.page_idx for node in found)
            nodes += found
        return {"reached": sorted(pages)}

    @begins
    def _on_run_batch(self, original: Original, prompts: list[list[int]], *args: Any, **kwargs: Any) -> Any:
        """Requests without queue and thread: their step begins with the first that gets pages."""
        self.most = kwargs.get("max_tokens")
        with self.lock:
            self.begin_step()
        return original(prompts, *args, **kwargs)

    def came_alone(self, key: str, tokens: list[int]) -> None:
        room = self.engine.max_seq_len - len(tokens)
        self.arrive((key, tokens, room if self.most is None else min(room, self.most)))

    def _on_step(self, original: Original, *args: Any, **kwargs: Any) -> Any:
        with self.lock:
            if not self.in_step:
                self.begin_step()
            self.begin_phase("prefill")
        try:
            return original(*args, **kwargs)
        finally:
            with self.lock:
                self.begin_phase("decode")
                self.end_step()

    def _on_task_extend(self, original: Original, key: str, position: int) -> bool:
        self.begin_phase("decode")
        with self.serving(self.requests[key]):
            there = original(key, position)
        if not there:
            self.finish(self.requests[key], "aborted")
        return there

    def _on_extend(self, original: Original, state: Any, position: int) -> bool:
        grows = position // self.pool.page_size >= len(state.pages)
        return self._shown("grow", original, state, position, keep=bool) if grows else original(state, position)

    def _on_record(self, original: Original, page: int, tokens: list[int], logical: int) -> None:
        original(page, tokens, logical)
        request, size = self._of(), self.pool.page_size
        with self.clock.aside:
            if request is None or page not in self.engine._cache.strategy._prefix._page_to_node:
                return
            keys = [ROOT]
            for start in range(0, (logical + 1) * size, size):
                keys.append(page_key(keys[-1], tokens[start : start + size]))
        self.keyed(request, page, logical, keys[-1], keys[-2])

    def _on_bind(self, original: Original, keys: list[str], *args: Any, **kwargs: Any) -> Any:
        seen = original(keys, *args, **kwargs)
        with self.clock.aside:
            rows = zip(seen.req_pool_indices.tolist(), seen.seq_lens.tolist(), strict=True)
            reads = [seen.req_to_token[row, :length].tolist() for row, length in rows]
            new, counts = seen.out_cache_loc.flatten().tolist(), [1] * len(keys)
            if (start := kwargs.get("start_pos")) is not None:
                counts = [len(slots) - start for slots in reads]
            ends = [sum(counts[: i + 1]) for i in range(len(counts))]
            parts = [new[end - count : end] for end, count in zip(ends, counts, strict=True)]
            self.bound = list(zip(keys, parts, reads, strict=True))
        return seen

    def _on_execute_prefill(self, original: Original, *args: Any, **kwargs: Any) -> Any:
        self.begin_phase("prefill")
        result = original(*args, **kwargs)
        if result:
            self._passed(result[0], result[1])
        return result

    def _on_execute_decode(self, original: Original, tasks: list[Any], *args: Any, **kwargs: Any) -> Any:
        self.begin_phase("decode")
        result = original(tasks, *args, **kwargs)
        self._passed(tasks, result)
        return result

    def _passed(self, tasks: list[Any], tokens: list[Any]) -> None:
        """A pass has computed what was bound, and a token for each task."""
        self._synchronize()
        with self.clock.aside:
            size = self.pool.page_size
            named = [(self.requests[key], new, slots) for key, new, slots in self.bound]
            spans = [written(request.name, slots, new, self.keys) for request, new, slots in named]
            self.computed(spans, [read(request.name, request.table, slots, size) for request, _, slots in named])
            for task, token in zip(tasks, tokens, strict=True):
                one = token[0] if isinstance(token, tuple) else token
                self.token(self.requests[task.task_id], int(one), self._stops())
