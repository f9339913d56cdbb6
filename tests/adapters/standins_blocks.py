"""A small engine whose free blocks are a queue, found by chained hashes until they are taken."""

from collections import deque
from typing import Any

import torch

SIZE, HEADS, DIM, LAYERS = 4, 1, 4, 2


class Block:
    """A block."""

    def __init__(self, number: int) -> None:
        self.number, self.ref_count, self.hash = number, 0, -1


class Sequence:
    """A request."""

    def __init__(self, number: int, prompt: list[int], most: int) -> None:
        self.seq_id, self.token_ids, self.num_prompt_tokens, self.max_tokens = number, [*prompt], len(prompt), most
        self.num_cached_tokens = self.num_scheduled_tokens = 0
        self.block_table: list[int] = []
        self.ignore_eos = True

    def __len__(self) -> int:
        return len(self.token_ids)

    @property
    def num_tokens(self) -> int:
        """Of prompt and answer."""
        return len(self.token_ids)

    @property
    def num_blocks(self) -> int:
        """What they need."""
        return -(-len(self) // SIZE)

    def block(self, i: int) -> list[int]:
        """Tokens of a block."""
        return self.token_ids[i * SIZE : (i + 1) * SIZE]


class Manager:
    """Blocks."""

    def __init__(self, blocks: int) -> None:
        self.block_size = SIZE
        self.blocks = [Block(i) for i in range(blocks)]
        self.hash_to_block_id: dict[int, int] = {}
        self.free_block_ids = deque(range(blocks))

    def compute_hash(self, tokens: list[int], prefix: int = -1) -> int:
        """A number for tokens after others."""
        return (prefix + 7) * 1_000_003 % 2**61 + sum(token * 61**i for i, token in enumerate(tokens, 1))

    def can_allocate(self, seq: Sequence) -> int:
        """Blocks that are there already; -1 where too few are left for the rest."""
        value, found, needed = -1, 0, seq.num_blocks
        for i in range(seq.num_blocks - 1):
            value = self.compute_hash(seq.block(i), value)
            page = self.hash_to_block_id.get(value)
            if page is None:
                break
            found += 1
            needed -= page not in self.free_block_ids
        return found if needed <= len(self.free_block_ids) else -1

    def allocate(self, seq: Sequence, found: int) -> None:
        """A table that begins with what was found."""
        value = -1
        for i in range(found):
            value = self.compute_hash(seq.block(i), value)
            page = self.hash_to_block_id[value]
            if page in self.free_block_ids:
                self.free_block_ids.remove(page)
            self.blocks[page].ref_count += 1
            seq.block_table.append(page)
        while len(seq.block_table) < seq.num_blocks:
            seq.block_table.append(self._allocate_block())
        seq.num_cached_tokens = found * SIZE

    def _allocate_block(self) -> int:
        page = self.free_block_ids.popleft()
        block = self.blocks[page]
        if self.hash_to_block_id.get(block.hash) == page:
            del self.hash_to_block_id[block.hash]
        block.hash, block.ref_count = -1, 1
        return page

    def _deallocate_block(self, page: int) -> None:
        self.free_block_ids.append(page)

    def deallocate(self, seq: Sequence) -> None:
        """Let go of a table, from its end."""
        while seq.block_table:
            page = seq.block_table[-1]
            self.blocks[page].ref_count -= 1
            if not self.blocks[page].ref_count:
                self._deallocate_block(page)
            seq.block_table.pop()
        seq.num_cached_tokens = 0

    def may_append(self, seq: Sequence) -> None:
        """A block for the newest token, where it needs one."""
        if len(seq) % SIZE == 1:
            seq.block_table.append(self._allocate_block())

    def hash_blocks(self, seq: Sequence) -> None:
        """Blocks that the pass has filled can be found."""
        first, end = seq.num_cached_tokens // SIZE, (seq.num_cached_tokens + seq.num_scheduled_tokens) // SIZE
        for i in range(first, end):
            before = self.blocks[seq.block_table[i - 1]].hash if i else -1
            block = self.blocks[seq.block_table[i]]
            block.hash = self.compute_hash(seq.block(i), before)
            self.hash_to_block_id[block.hash] = block.number


class Scheduler:
    """Prefill first, then decode, the last of those that run gives way."""

    def __init__(self, blocks: int, most: int, budget: int) -> None:
        self.block_manager, self.max_num_seqs, self.max_num_batched_tokens, self.eos = Manager(blocks), most, budget, 0
        self.waiting: deque[Sequence] = deque()
        self.running: deque[Sequence] = deque()

    def schedule(self) -> tuple[list[Sequence], bool]:
        """Who is computed for, and whether that is a prefill."""
        blocks, left, taken = self.block_manager, self.max_num_batched_tokens, []
        while self.waiting and left and not (taken and taken[-1] is self.waiting[0]):
            seq = self.waiting[0]
            if not seq.block_table:
                found = blocks.can_allocate(seq)
                if found < 0 or (taken and len(seq) - found * SIZE > left):
                    break
                blocks.allocate(seq, found)
            seq.num_scheduled_tokens = min(left, len(seq) - seq.num_cached_tokens)
            left -= seq.num_scheduled_tokens
            taken.append(seq)
            if seq.num_cached_tokens + seq.num_scheduled_tokens == len(seq):
                self.running.append(self.waiting.popleft())
        if taken:
            return taken, True
        queue, taken = deque(self.running), []
        while queue:
            seq = queue.popleft()
            while len(seq) % SIZE == 1 and not blocks.free_block_ids:
                last = queue.pop() if queue else seq
                self.preempt(last)
                if last is seq:
                    break
            else:
                seq.num_scheduled_tokens = 1
                blocks.may_append(seq)
                taken.append(seq)
        return taken, False

    def preempt(self, seq: Sequence) -> None:
        """Its blocks go, and it waits."""
        self.running.remove(seq)
        self.block_manager.deallocate(seq)
        self.waiting.appendleft(seq)

    def postprocess(self, sequences: list[Sequence], tokens: list[int], is_prefill: bool) -> None:
        """What a pass has brought."""
        for seq, token in zip(sequences, tokens, strict=True):
            self.block_manager.hash_blocks(seq)
            seq.num_cached_tokens += seq.num_scheduled_tokens
            if seq.num_cached_tokens == len(seq):
                seq.token_ids.append(token)
                if len(seq) - seq.num_prompt_tokens == seq.max_tokens:
                    self.block_manager.deallocate(seq)
                    self.running.remove(seq)


class Runner:
    """Passes: K of tokens are random numbers."""

    def __init__(self, blocks: int) -> None:
        self.kv_cache = torch.zeros(2, LAYERS, blocks, SIZE, HEADS, DIM)

    def call(self, name: str, sequences: list[Sequence], is_prefill: bool) -> list[int]:
        """One of them."""
        for seq in sequences:
            for i in range(seq.num_cached_tokens, seq.num_cached_tokens + seq.num_scheduled_tokens):
                self.kv_cache[:, :, seq.block_table[i // SIZE], i % SIZE] = torch.rand(2, LAYERS, HEADS, DIM)
        return [1 + (7 * seq.token_ids[-1] + len(seq)) % 40 for seq in sequences]


class BlockEngine:
    """The shape of an engine with a queue of blocks."""

    def __init__(self, blocks: int = 12, most: int = 4, budget: int = 16) -> None:
        self.scheduler, self.model_runner, self.asked = Scheduler(blocks, most, budget), Runner(blocks), 0

    def add(self, key: Any, prompt: list[int], most: int) -> None:
        """Ask."""
        self.scheduler.waiting.append(Sequence(self.asked, prompt, most))
        self.asked += 1

    def step(self) -> None:
        """One pass."""
        sequences, is_prefill = self.scheduler.schedule()
        tokens = self.model_runner.call("run", sequences, is_prefill)
        self.scheduler.postprocess(sequences, tokens, is_prefill)

    def turn(self) -> bool:
        """One step; False where there was nothing to do."""
        if not (self.scheduler.waiting or self.scheduler.running):
            return False
        self.step()
        return True
