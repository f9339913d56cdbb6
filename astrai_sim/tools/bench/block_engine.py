"""A small engine of another make around this project's decoder, with what the adapter for nano-vllm watches."""

from collections import deque
from collections.abc import Sequence

import torch

from astrai_sim.engine.cache import CacheView, PagedCache
from astrai_sim.model import Transformer


class Block:
    """A block: how many tables hold it, and the hash of all tokens up to its end, -1 where it is not full."""

    def __init__(self) -> None:
        self.ref_count, self.hash = 0, -1


class Request:
    """A request, its tokens and the table of its blocks."""

    ignore_eos = True

    def __init__(self, number: int, prompt: list[int], max_tokens: int, block_size: int) -> None:
        self.seq_id, self.token_ids, self.max_tokens = number, prompt, max_tokens
        self.num_prompt_tokens, self.block_size = len(prompt), block_size
        self.num_cached_tokens = self.num_scheduled_tokens = 0
        self.block_table: list[int] = []

    def __len__(self) -> int:
        return len(self.token_ids)

    def block(self, i: int) -> list[int]:
        """Tokens of a block."""
        return self.token_ids[i * self.block_size : (i + 1) * self.block_size]


class BlockManager:
    """Blocks, those that nobody holds in a queue. Prompts that begin alike share none."""

    def __init__(self, blocks: int, block_size: int) -> None:
        self.block_size, self.blocks = block_size, [Block() for _ in range(blocks)]
        self.hash_to_block_id: dict[int, int] = {}
        self.free_block_ids = deque(range(blocks))

    def compute_hash(self, tokens: Sequence[int], before: int = -1) -> int:
        """Of tokens after others."""
        return hash((before, *tokens)) & 0xFFFFFFFFFFFFFFFF

    def can_allocate(self, request: Request) -> int:
        """Blocks that are there already: none; -1 where too few are left."""
        return 0 if -(-len(request) // self.block_size) <= len(self.free_block_ids) else -1

    def allocate(self, request: Request, found: int) -> None:
        """A table for the prompt."""
        while len(request.block_table) * self.block_size < len(request):
            request.block_table.append(self._allocate_block())

    def _allocate_block(self) -> int:
        number = self.free_block_ids.popleft()
        self.blocks[number].ref_count = 1
        return number

    def _deallocate_block(self, number: int) -> None:
        self.free_block_ids.append(number)

    def deallocate(self, request: Request) -> None:
        """Let go of a table, from its end."""
        for number in reversed(request.block_table):
            self.blocks[number].ref_count -= 1
            self._deallocate_block(number)
        request.block_table.clear()

    def may_append(self, request: Request) -> None:
        """A block for the newest token, where it needs one."""
        if len(request) % self.block_size == 1:
            request.block_table.append(self._allocate_block())

    def hash_blocks(self, request: Request) -> None:
        """What the pass has filled has a hash."""
        done = request.num_cached_tokens + request.num_scheduled_tokens
        for i in range(request.num_cached_tokens // self.block_size, done // self.block_size):
            before = self.blocks[request.block_table[i - 1]].hash if i else -1
            block = self.blocks[request.block_table[i]]
            block.hash = self.compute_hash(request.block(i), before)
            self.hash_to_block_id[block.hash] = request.block_table[i]


class BlockScheduler:
    """Whoever waits is computed first, then all get a token a step."""

    max_num_seqs, max_num_batched_tokens, eos = 256, 1 << 16, -1

    def __init__(self, blocks: int, block_size: int) -> None:
        self.block_manager = BlockManager(blocks, block_size)
        self.waiting: deque[Request] = deque()
        self.running: deque[Request] = deque()

    def schedule(self) -> tuple[list[Request], bool]:
        """Who is computed for, and whether that is a prefill. Raises MemoryError where a prompt does not fit."""
        taken = [*self.waiting]
        for request in taken:
            if self.block_manager.can_allocate(request) < 0:
                raise MemoryError("too few blocks")
            self.block_manager.allocate(request, 0)
            request.num_scheduled_tokens = len(request)
            self.running.append(self.waiting.popleft())
        if taken:
            return taken, True
        for request in self.running:
            request.num_scheduled_tokens = 1
            self.block_manager.may_append(request)
        return [*self.running], False

    def preempt(self, request: Request) -> None:
        """Its blocks go, and it waits."""
        self.running.remove(request)
        self.block_manager.deallocate(request)
        self.waiting.appendleft(request)

    def postprocess(self, requests: list[Request], tokens: list[int], is_prefill: bool) -> None:
        """What a pass has brought."""
        for request, token in zip(requests, tokens, strict=True):
            self.block_manager.hash_blocks(request)
            request.num_cached_tokens += request.num_scheduled_tokens
            request.token_ids.append(token)
            if len(request) - request.num_prompt_tokens == request.max_tokens:
                self.block_manager.deallocate(request)
                self.running.remove(request)


class Runner:
    """Passes through `model`, over K and V in `kv_cache`: [2, layers, blocks, block_size, n_kv_heads, head_dim]."""

    def __init__(self, model: Transformer, blocks: int, block_size: int) -> None:
        weight, c = model.lm_head.weight, model.config
        sizes = c.n_layers, blocks, block_size, c.n_kv_heads, c.head_dim
        self.model, self.cache = model, PagedCache(*sizes, weight.device, weight.dtype)
        self.kv_cache = torch.stack((self.cache.k_cache, self.cache.v_cache))
        self.cache.k_cache, self.cache.v_cache = self.kv_cache

    def call(self, name: str, requests: list[Request], is_prefill: bool) -> list[int]:
        """The next token of each request."""
        starts, counts = ([getattr(r, f"num_{what}_tokens") for r in requests] for what in ("cached", "scheduled"))
        view = CacheView(self.cache, [r.block_table for r in requests], starts, counts)
        tokens = [r.token_ids[start : start + n] for r, start, n in zip(requests, starts, counts, strict=True)]
        device, width = self.kv_cache.device, max(counts)
        padded = torch.tensor([[*row, *[0] * (width - len(row))] for row in tokens], device=device)
        return self.model(padded, view, torch.tensor(counts, device=device) - 1).argmax(dim=-1).tolist()


class BlockEngine:
    """A scheduler of blocks and a runner of passes."""

    def __init__(self, model: Transformer, blocks: int, block_size: int) -> None:
        self.scheduler, self.model_runner = BlockScheduler(blocks, block_size), Runner(model, blocks, block_size)
        self.asked = 0

    def add(self, prompt: list[int], max_tokens: int) -> None:
        """Ask for an answer of so many tokens."""
        size = self.scheduler.block_manager.block_size
        self.scheduler.waiting.append(Request(self.asked, prompt, max_tokens, size))
        self.asked += 1

    def step(self) -> None:
        """One pass, a prefill or a decode."""
        requests, is_prefill = self.scheduler.schedule()
        tokens = self.model_runner.call("run", requests, is_prefill)
        self.scheduler.postprocess(requests, tokens, is_prefill)
