"""nano-vllm: `Scheduler` and `BlockManager`, whose free blocks are a queue and keep what is in them until it is their
turn. A step is one pass, a prefill or a decode; finished requests let go at once.

A block that a hash finds is told as cached, where nobody holds it; K and V lie where block tables say.
"""

from collections.abc import Callable, Sequence
from typing import Any

from astrai_sim.adapters.following import Follower
from astrai_sim.adapters.header import Sizes, make_header
from astrai_sim.adapters.shapes import Needs
from astrai_sim.adapters.slots import read, written
from astrai_sim.adapters.stepping import Asked, Followed, begins
from astrai_sim.recorder.watching import Original
from astrai_sim.trace import TraceWriter
from astrai_sim.trace.header import RecordPart


class Blocks:
    """A pool of blocks with reference counts, hashes, and a queue of those that nobody holds.

    `kept` are those of the queue that a hash found when they were let go: they stay what they are until they are taken.
    """

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        self.n_pages, self.page_size = len(manager.blocks), manager.block_size
        self.kept: set[int] = set()

    def findable(self, page: int) -> bool:
        """Whether a hash finds a block."""
        value = self.manager.blocks[page].hash
        return value != -1 and self.manager.hash_to_block_id.get(value) == page

    @property
    def refs(self) -> Sequence[int]:
        return [block.ref_count for block in self.manager.blocks]

    @property
    def lru(self) -> list[int]:
        return [page for page in self.manager.free_block_ids if page in self.kept]

    @property
    def free_mask(self) -> int:
        return sum(1 << page for page in self.manager.free_block_ids if page not in self.kept)


class NanoVLLM(Follower):
    """Watches an engine with `scheduler` and `model_runner`."""

    needs: Needs = {
        "": "scheduler model_runner step",
        "scheduler": "block_manager waiting running schedule postprocess preempt max_num_seqs max_num_batched_tokens"
        " eos",
        "scheduler.block_manager": "blocks block_size compute_hash hash_to_block_id free_block_ids _allocate_block"
        " _deallocate_block can_allocate allocate deallocate may_append hash_blocks",
        "model_runner": "call kv_cache",
    }
    policy = (
        *("least-recently-used", "pages-on-demand", "last-page-freed-first", "longest-prefix"),
        *("first-come-first-served", "latest-preempted"),
    )
    watched = ("free_block_ids", "used_block_ids")
    sequences: dict[int, Any]
    """Of those that came, by the engine's own ids."""

    def __init__(self, writer: TraceWriter, asked: RecordPart, engine: Any) -> None:
        super().__init__(writer, asked, engine)
        self.manager, self.sequences = engine.scheduler.block_manager, {}
        self.pool = self.blocks = Blocks(self.manager)
        self.keys = engine.model_runner.kv_cache[0, asked.kv_layer]
        self.names = {role: function.__qualname__ for role, function in self.roles(engine).items()}

    @staticmethod
    def target(engine: Any) -> Any:
        return engine

    @classmethod
    def in_the_way(cls, engine: Any) -> str | None:
        blocks = engine.scheduler.block_manager.blocks
        held = sum(block.ref_count > 0 or block.hash != -1 for block in blocks)
        return f"{held} blocks are in use or cached already: attach before the first request" if held else None

    @classmethod
    def roles(cls, engine: Any) -> dict[str, Callable]:
        """The functions that films look for."""
        manager = type(engine.scheduler.block_manager)
        found = {"alloc": manager._allocate_block, "free": manager._deallocate_block, "lookup": manager.can_allocate}
        return {**found, "grow": manager.may_append}

    @classmethod
    def header(cls, engine: Any, asked: RecordPart, name: str, title: str) -> dict[str, Any]:
        scheduler, cache = engine.scheduler, engine.model_runner.kv_cache
        config = getattr(getattr(engine.model_runner, "config", None), "hf_config", None)
        settings = {
            **{"max_tokens_per_step": scheduler.max_num_batched_tokens, "max_batch": scheduler.max_num_seqs},
            **{"decode_policy": "all", "preemption": True, "eos": scheduler.eos},
        }
        blocks, keys = Blocks(scheduler.block_manager), cache[0, asked.kv_layer]
        sizes = Sizes("nano-vllm", cache.shape[1], config, blocks, keys, True, settings)
        package, scenario = type(scheduler).__module__, sizes.scenario(asked, name, title)
        return make_header(package, scenario, cache.device, cls.roles(engine), cls.policy)

    def watch(self) -> None:
        scheduler = self.engine.scheduler
        self._wrap(self.engine, "step", self._on_step)
        for name in ("schedule", "postprocess", "preempt"):
            self._wrap(scheduler, name, getattr(self, f"_on_{name}"))
        for name in ("_allocate_block", "_deallocate_block", "allocate", "deallocate", "may_append", "hash_blocks"):
            self._wrap(self.manager, name, getattr(self, f"_on_{name.lstrip('_')}"))
        self._wrap(self.engine.model_runner, "call", self._on_call)

    def waiting(self) -> list[Asked]:
        asked = []
        for sequence in list(self.engine.scheduler.waiting):
            self.sequences[sequence.seq_id] = sequence
            tokens = sequence.token_ids[: sequence.num_prompt_tokens]
            asked.append((sequence.seq_id, tokens, sequence.max_tokens))
        return asked

    def tables(self) -> dict[Any, list[int]]:
        return {key: list(sequence.block_table) for key, sequence in self.sequences.items() if sequence.block_table}

    def _request(self, sequence: Any) -> Followed:
        return self.requests[sequence.seq_id]

    # the scheduler

    @begins
    def _on_step(self, original: Original, *args: Any) -> Any:
        self.begin_step()
        try:
            return original(*args)
        finally:
            self.end_step()

    def _on_schedule(self, original: Original) -> Any:
        scheduled = original()
        self.begin_phase("prefill" if scheduled[1] else "decode")
        return scheduled

    def _on_preempt(self, original: Original, sequence: Any) -> None:
        self.begin_phase("decode")
        request = self._request(sequence)
        counts = {"tokens": len(request.tokens), "pages": list(request.table)}
        self._emit("task_preempted", task=request.name, **counts)
        self.running.remove(request)
        request.status, request.kv = "waiting", 0
        original(sequence)

    def _on_call(self, original: Original, name: str, *args: Any) -> Any:
        result = original(name, *args)
        if name == "run":
            self._synchronize()
            with self.clock.aside:
                self.passed(args[0])
        return result

    def passed(self, sequences: list[Any]) -> None:
        """A pass has computed what was scheduled."""
        size, spans, rows = self.pool.page_size, [], []
        for sequence in sequences:
            end = sequence.num_cached_tokens + sequence.num_scheduled_tokens
            slots = [sequence.block_table[i // size] * size + i % size for i in range(end)]
            new = slots[end - sequence.num_scheduled_tokens :]
            spans.append(written(self._request(sequence).name, slots, new, self.keys))
            rows.append(read(self._request(sequence).name, sequence.block_table, slots, size))
        self.computed(spans, rows)

    def _on_postprocess(self, original: Original, sequences: list[Any], *args: Any) -> None:
        self.answering = list(sequences)
        original(sequences, *args)
        self._new_tokens()
        self.answering = []

    answering: Sequence[Any] = ()
    """Sequences that the last pass was for."""

    def _new_tokens(self) -> None:
        """Tokens that sequences have got since the last look."""
        for sequence in self.answering:
            request = self._request(sequence)
            for token in sequence.token_ids[len(request.tokens) :]:
                stops = () if sequence.ignore_eos else (self.engine.scheduler.eos,)
                self.token(request, int(token), stops)

    # blocks

    def _lru(self) -> dict[str, Any]:
        return super()._lru() if self.row is None else {"lru": list(self.row)}

    row: list[int] | None = None
    """Cached blocks as they were when a table was begun, less those of its hits that are told."""
    hits: list[int]
    """Blocks that a table begins with and that are not told yet."""
    leaving: list[int]
    """Blocks that a table still holds, from its end, while it is let go of."""

    def _on_allocate(self, original: Original, sequence: Any, hits: int) -> None:
        self.begin_phase("prefill")
        request, self.row = self._request(sequence), self.pool.lru
        found, parts = {}, [sequence.block(i) for i in range(hits)]
        value = -1
        for part in parts:
            value = self.manager.compute_hash(part, value)
            found[value] = self.manager.hash_to_block_id[value]
        self.hits = [*found.values()]
        self.held = {page for page in self.hits if self.pool.refs[page]}
        with self.serving(request):
            original(sequence, hits)
            self._tell_hits()
        self.admitted(request, hits * self.pool.page_size)

    held: set[int]
    """Hits that others held."""

    def _tell_hits(self) -> None:
        """Hits come first in a table, without a call of their own: tell them before the first new block."""
        if self.row is None:
            return
        self.looked_up(self.hits)
        for page in self.hits:
            if page not in self.held:
                self.row.remove(page)
                self.blocks.kept.discard(page)
            self.came("page_ref" if page in self.held else "page_revived", page, lru=page not in self.held)
        self.row = None

    def _on_allocate_block(self, original: Original) -> int:
        self._tell_hits()
        cached = next(iter(self.manager.free_block_ids), None) in self.blocks.kept
        page = self._lines(self.names["alloc"], original, key=cached)
        self.blocks.kept.discard(page)
        if cached:
            self.evicted(page)
        self.came("page_alloc", page)
        return page

    def _on_deallocate(self, original: Original, sequence: Any) -> None:
        self._new_tokens()
        self.leaving = [*reversed(sequence.block_table)]
        with self.serving(self._request(sequence)):
            original(sequence)
            self._let_go_until(None)

    def _let_go_until(self, page: int | None) -> None:
        """Blocks before `page` that others still hold."""
        while self.leaving and self.leaving[0] != page:
            self.went("page_free", self.leaving.pop(0))

    def _on_deallocate_block(self, original: Original, page: int) -> None:
        self._let_go_until(page)
        self.leaving.pop(0)
        self._lines(self.names["free"], original, page)
        if self.blocks.findable(page):
            self.blocks.kept.add(page)
        self.went("page_cached" if page in self.blocks.kept else "page_free", page)

    def _on_may_append(self, original: Original, sequence: Any) -> None:
        self.begin_phase("decode")
        with self.serving(self._request(sequence)):
            grows = len(sequence) % self.pool.page_size == 1
            self._lines(self.names["grow"], original, sequence) if grows else original(sequence)

    def _on_hash_blocks(self, original: Original, sequence: Any) -> None:
        before = [self.manager.blocks[page].hash for page in sequence.block_table]
        original(sequence)
        request, parent = self._request(sequence), ""
        for logical, page in enumerate(sequence.block_table):
            value = self.manager.blocks[page].hash
            if value == -1:
                break
            if value != before[logical]:
                self.keyed(request, page, logical, f"{value:016x}", parent)
            parent = f"{value:016x}"
