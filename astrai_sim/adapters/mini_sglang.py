"""mini-sglang: `Scheduler` and `CacheManager`, with a queue of free slots and a radix tree of prefixes, or none.

A step is one pass, for prompts or for running requests, and the cleanup after the last pass: of the one before where
passes overlap. The recording waits for each pass, so that tokens are told with the pass that computed them. The
engine takes all pages of a pass in one call, and frees those of finished requests when it has seen to all of them; they
are told one by one, as the calls have left them, and snapshots are read from the live objects alone.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from astrai_sim.adapters.following import Follower
from astrai_sim.adapters.header import Sizes, make_header
from astrai_sim.adapters.ledger import Ledger, Slots
from astrai_sim.adapters.shapes import Needs
from astrai_sim.adapters.slots import read, written
from astrai_sim.adapters.stepping import Asked, Followed, begins
from astrai_sim.engine.cache import pages_for
from astrai_sim.engine.cache.prefix import ROOT, page_key
from astrai_sim.recorder.watching import Original
from astrai_sim.trace import TraceWriter
from astrai_sim.trace.header import RecordPart

Lines = list[dict[str, Any]]


class MiniSGLang(Follower):
    """Watches a scheduler with `cache_manager`, `prefill_manager` and `decode_manager`."""

    needs: Needs = {
        "": "engine cache_manager table_manager prefill_manager decode_manager prefill_budget eos_token_id"
        " _schedule_next_batch _prepare_batch _forward _process_last_data _free_req_resources",
        "engine": "kv_cache",
        "engine.kv_cache": "k_cache num_layers",
        "table_manager": "_max_running_reqs",
        "prefill_manager": "pending_list add_one_req abort_req",
        "decode_manager": "abort_req",
        "cache_manager": "free_slots num_pages page_size page_table prefix_cache match_req allocate_paged cache_req"
        " lazy_free_region _allocate _free",
        "cache_manager.prefix_cache": "match_prefix insert_prefix evict",
    }
    policy = ("cached-pages-last", "keyed-pages-stay", "longest-prefix", "first-come-first-served")
    phases = ("prefill", "decode", "cleanup")
    watched = ("free_slots", "evictable_size", "protected_size")

    def __init__(self, writer: TraceWriter, asked: RecordPart, engine: Any) -> None:
        super().__init__(writer, asked, engine)
        self.manager = engine.cache_manager
        self.live = Slots(self.manager, lambda: self.tables().values())
        self.pool = self.ledger = Ledger(self.live.n_pages, self.live.page_size)
        self.keys = self.tensor(engine, asked.kv_layer)
        self.shown = self.roles(engine)
        self.names = {role: function.__qualname__ for role, function in self.shown.items()}
        self.holding, self.looked = {}, {}
        self.taken, self.dropped, self.freed, self.leaving = [], [], [], []

    holding: dict[Any, Any]
    """The engine's object for each request that has pages, by its id."""
    looked: dict[Any, Lines]
    """Executed lines of lookups that found something, of each request that may be admitted."""
    taken: list[int]
    """Pages that the last call has taken for a pass, in order."""
    dropped: list[int]
    """Pages that it has evicted and that are not told yet."""
    freed: list[int]
    """Pages that a request has let go of, where they are free at once."""
    leaving: list[Followed]
    """Finished requests whose pages are not told as let go yet."""
    inserted: Any
    """What of a request the tree has, as the engine's handle; None where there is no tree."""

    @classmethod
    def tensor(cls, engine: Any, layer: int) -> Any:
        """K of a layer, [n_pages, page_size, n_kv_heads, head_dim], without the page of padding behind them."""
        return engine.engine.kv_cache.k_cache(layer)[: engine.cache_manager.num_pages]

    @classmethod
    def in_the_way(cls, engine: Any) -> str | None:
        held = engine.cache_manager.num_pages - len(engine.cache_manager.free_slots)
        return f"{held} pages are in use or cached already: attach before the first request" if held else None

    @classmethod
    def roles(cls, engine: Any) -> dict[str, Callable]:
        """The functions that films look for; the last two where there is a tree."""
        manager, prefixes = type(engine.cache_manager), type(engine.cache_manager.prefix_cache)
        found = {"alloc": manager._allocate, "free": manager.cache_req, "grow": manager.allocate_paged}
        return {**found, "lookup": prefixes._tree_walk, "evict": prefixes.evict} if cls.caching(engine) else found

    @classmethod
    def caching(cls, engine: Any) -> bool:
        """Whether prefixes are cached."""
        prefixes = engine.cache_manager.prefix_cache
        return hasattr(prefixes, "root_node") and hasattr(prefixes, "_tree_walk")

    @classmethod
    def header(cls, engine: Any, asked: RecordPart, name: str, title: str) -> dict[str, Any]:
        settings = {
            **{"max_tokens_per_step": engine.prefill_budget, "max_batch": engine.table_manager._max_running_reqs},
            **{"decode_policy": "all", "preemption": False, "eos": None},
        }
        inner, keys = engine.engine, cls.tensor(engine, asked.kv_layer)
        pool, sampler = Slots(engine.cache_manager), getattr(inner, "sampler", None)
        sizes = Sizes("mini-sglang", inner.kv_cache.num_layers, sampler, pool, keys, cls.caching(engine), settings)
        package, scenario = type(engine.cache_manager).__module__, sizes.scenario(asked, name, title)
        made = make_header(package, scenario, keys.device, cls.roles(engine), cls.policy)
        return {**made, "phases": cls.phases}

    def watch(self) -> None:
        scheduler, manager = self.engine, self.manager
        for name in ("schedule_next_batch", "prepare_batch", "forward", "process_last_data", "free_req_resources"):
            self._wrap(scheduler, f"_{name}", getattr(self, f"_on_{name}"))
        self._wrap(scheduler.prefill_manager, "add_one_req", self._on_add_one_req)
        for queue in (scheduler.prefill_manager, scheduler.decode_manager):
            self._wrap(queue, "abort_req", self._on_abort_req)
        for name in ("allocate_paged", "_allocate", "cache_req"):
            self._wrap(manager, name, getattr(self, f"_on_{name.lstrip('_')}"))
        self._wrap_class(manager, "_free", self._on_free)
        if self.caching(scheduler):
            self._wrap(manager, "match_req", self._on_match_req)
            self._wrap(manager.prefix_cache, "evict", self._on_evict)
            self._wrap(manager.prefix_cache, "insert_prefix", self._on_insert_prefix)

    def waiting(self) -> list[Asked]:
        queue = list(self.engine.prefill_manager.pending_list)
        return [(one.uid, one.input_ids.tolist(), one.sampling_params.max_tokens) for one in queue]

    def tables(self) -> dict[Any, list[int]]:
        """Read from the live page table: as many pages as the tokens need whose K and V are there."""
        return {key: self._entries(req, 0, req.cached_len) for key, req in self.holding.items()}

    def live_pool(self) -> Slots:
        return self.live

    def _entries(self, req: Any, start: int, end: int) -> list[int]:
        """Pages of a request's tokens from `start`, where a page begins, to before `end`, in the live page table."""
        return self.live.pages(self.manager.page_table[req.table_idx, start : end : self.pool.page_size])

    def _request(self, req: Any) -> Followed:
        return self.requests[req.uid]

    # the scheduler

    def _on_add_one_req(self, original: Original, asked: Any) -> None:
        """The engine may number requests anew from 0 when all before are answered."""
        known = self.requests.get(asked.uid)
        if known is not None and known.status == "finished" and not known.table:
            del self.requests[asked.uid]
        original(asked)

    def _on_abort_req(self, original: Original, key: Any) -> Any:
        found, request = original(key), self.requests.get(key)
        waits = any(one.uid == key for one in self.engine.prefill_manager.pending_list)
        if request is not None and (found is not None or (request.status == "waiting" and not waits)):
            self.finish(request, "aborted")
        return found

    @begins
    def _on_schedule_next_batch(self, original: Original) -> Any:
        for lines in self.looked.values():
            for data in lines:
                self._traced[data["function"], None] -= 1
        self.looked = {}
        self.begin_step()
        return original()

    def _on_prepare_batch(self, original: Original, batch: Any) -> Any:
        self.begin_phase(batch.phase)
        return original(batch)

    def _on_forward(self, original: Original, given: Any) -> Any:
        batch = given.batch
        spans = [(req, req.cached_len, req.device_len) for req in batch.reqs]
        result = original(given)
        if self.in_step:
            _, tokens, done = result
            done.synchronize()
            self._synchronize()
            with self.clock.aside:
                self._passed(spans, batch.out_loc.tolist(), tokens.tolist())
        return result

    def _passed(self, spans: list[tuple[Any, int, int]], new: list[int], tokens: list[int]) -> None:
        """A pass has put K and V of tokens (start, end) of each request into the slots `new`, and given it a token."""
        wrote, rows, size = [], [], self.pool.page_size
        for req, start, end in spans:
            request, slots = self._request(req), self.manager.page_table[req.table_idx, :end].tolist()
            wrote.append(written(request.name, slots, new[: end - start], self.keys))
            rows.append(read(request.name, request.table, slots, size))
            new = new[end - start :]
        self.computed(wrote, rows)
        for (req, *_), token in zip(spans, tokens, strict=True):
            request = self._request(req)
            if request.status == "running" and self._ended(req, request):
                self.answered(request, token)
            elif request.status == "running":
                self.token(request, token, ())

    def _ended(self, req: Any, request: Followed) -> bool:
        """Whether the engine has yet to see that the token before was the last: overlapping passes compute one more."""
        last = request.generated > 0 and request.tokens[-1] == self.engine.eos_token_id
        return last and not req.sampling_params.ignore_eos

    def _on_process_last_data(self, original: Original, done: Any) -> None:
        if done is not None:
            self.begin_phase("cleanup")
        before = len(self.manager.free_slots)
        original(done)
        self._let_go(self.live.pages(self.manager.free_slots[before:]))
        self.end_step()

    def _on_free_req_resources(self, original: Original, req: Any) -> None:
        self.finish(self._request(req), "eos")
        original(req)

    # pages that come

    def _kept(self, role: str, original: Original, *args: Any, **how: Any) -> tuple[Any, Lines]:
        """Call the function that plays a role; what its first calls executed is given back, to be told later."""
        with self._held() as queue:
            result = self._lines(self.names[role], original, *args, **how)
            lines = [*queue]
            queue.clear()
        return result, lines

    def _told(self, lines: Lines) -> None:
        """Write down what was executed, right before what came of it."""
        for data in lines:
            self._put({**data, "phase": self.phase, "ns": self.clock.now_ns()})
        lines.clear()

    def _on_match_req(self, original: Original, pending: Any) -> Any:
        with self._about(self.requests[pending.uid].name):
            how = {"keep": lambda match: match.cuda_handle.cached_len > 0, "inside": self.shown["lookup"]}
            match, self.looked[pending.uid] = self._kept("lookup", original, pending, **how)
        return match

    def _on_allocate(self, original: Original, count: int) -> Any:
        evicts = count > len(self.manager.free_slots)
        slots = self._lines(self.names["alloc"], original, count, key=evicts)
        self.taken = self.live.pages(slots)
        return slots

    def _on_evict(self, original: Original, size: int) -> Any:
        slots = self._lines(self.names["evict"], original, size, keep=lambda slots: len(slots) > 0)
        self.dropped = self.live.pages(slots[:: self.pool.page_size])
        return slots

    def _on_allocate_paged(self, original: Original, reqs: Sequence[Any]) -> None:
        if not self.in_step:
            return original(reqs)
        size, self.taken, self.dropped = self.pool.page_size, [], []
        ends = [(req, pages_for(req.cached_len, size), pages_for(req.device_len, size)) for req in reqs]
        growing = [self._request(req).name for req, first, end in ends if end > first]
        with self._about(growing[0] if len(growing) == 1 else None):
            _, lines = self._kept("grow", original, reqs, keep=lambda _: bool(self.taken))
        for req, first, end in ends:
            request, self.holding[req.uid] = self._request(req), req
            with self._about(request.name):
                if request.status == "waiting":
                    self._admit(request, req, end, lines)
                elif end > first:
                    self._take(self._entries(req, first * size, end * size), lines)
        self._free_the_rest()

    def _admit(self, request: Followed, req: Any, end: int, lines: Lines) -> None:
        """A request is admitted: what was found for it, which is locked since, and pages up to entry `end`."""
        size = self.pool.page_size
        row, hits = self._entries(req, 0, end * size), req.cached_len // size
        if self.caching(self.engine):
            self._told(self.looked.pop(req.uid, []))
            self.looked_up(row[:hits])
        for page in row[:hits]:
            revived = self.ledger.cached(page)
            self.ledger.hold(page)
            self.came("page_revived" if revived else "page_ref", page, lru=revived)
        self._take(row[hits:], lines)
        self.admitted(request, req.cached_len)

    def _take(self, pages: Sequence[int], lines: Lines) -> None:
        """New pages for the request that is served, or for nobody; some of them are evicted right before."""
        for page in pages:
            self._told(lines)
            if page in self.dropped and self.ledger.cached(page):
                self.dropped.remove(page)
                self.ledger.evict(page)
                self.evicted(page)
            self.ledger.hold(page)
            self.came("page_alloc", page)

    def _free_the_rest(self) -> None:
        """A node is evicted whole: pages of it that the pass does not need are in no table, and free again."""
        rest = [page for page in self.dropped if self.ledger.cached(page)]
        self._take(rest, [])
        for page in rest:
            self.ledger.drop(page, keep=False)
            self.went("page_free", page)

    # pages that go

    def _on_insert_prefix(self, original: Original, *args: Any) -> Any:
        found = original(*args)
        self.inserted = found.handle
        return found

    def _on_free(self, original: Original, slots: Any) -> None:
        original(slots)
        self.freed += self.live.pages(slots[:: self.pool.page_size])

    def _on_cache_req(self, original: Original, req: Any, *, finished: bool) -> None:
        request, self.inserted, self.freed = self._request(req), None, []
        if not finished:
            original(req, finished=finished)
            self._keyed(request)
            return
        with self._about(request.name):
            self._lines(self.names["free"], partial(original, finished=True), req, inside=original)
        self._keyed(request)
        self.holding.pop(req.uid, None)
        self.leaving.append(request)
        if "_free" not in vars(self.manager):
            self._let_go(self.freed)

    def _keyed(self, request: Followed) -> None:
        """Full pages of a request that the tree has can be found."""
        handle, size, parent = self.inserted, self.pool.page_size, ROOT
        if handle is None or not handle.cached_len:
            return
        with self.clock.aside:
            pages = self.live.pages(handle.get_matched_indices()[::size])
            for logical, page in enumerate(pages):
                key = page_key(parent, request.tokens[logical * size : (logical + 1) * size])
                if [page] == request.table[logical : logical + 1]:
                    self.keyed(request, page, logical, key, parent)
                parent = key

    def _let_go(self, freed: list[int]) -> None:
        """Pages have become free; those of finished requests that did not are cached, or others hold them."""
        left = [*freed]
        for request in self.leaving:
            with self.serving(request):
                for logical, page in enumerate([*request.table]):
                    kept = page in self.keys_of
                    if logical in request.left or not (kept or page in left):
                        continue
                    if not kept:
                        left.remove(page)
                    self.ledger.drop(page, kept)
                    self.went("page_cached" if self.ledger.cached(page) else "page_free", page)
        self.leaving = []
        for page in left:
            holder = next((request for request in self.requests.values() if page in request.table), None)
            with self._about(holder and holder.name):
                self.ledger.drop(page, keep=False)
                self.went("page_free", page)
