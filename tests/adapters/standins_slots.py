"""A small engine whose pages are slots in tensors, taken and let go many at once, with a tree of prefixes or none."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import torch

from tests.adapters.parts import VOCABULARY

HEADS, DIM, LAYERS, LONGEST, EOS = 1, 4, 2, 96, 37
NOTHING = torch.empty(0, dtype=torch.int32)


class Node:
    """Tokens of whole pages, and the slots that they are in."""

    def __init__(self, above: Any, tokens: list[int], value: torch.Tensor) -> None:
        self.above, self.tokens, self.value = above, tokens, value
        self.children: dict[tuple[int, ...], Node] = {}
        self.ref_count = self.timestamp = 0


class Found:
    """The beginning of a request that the tree has, down to a node."""

    def __init__(self, node: Any, cached_len: int) -> None:
        self.node, self.cached_len = node, cached_len

    def path(self) -> Iterator[Node]:
        """Nodes from the last one up."""
        node = self.node
        while node is not None and node.above is not None:
            yield node
            node = node.above

    def get_matched_indices(self) -> torch.Tensor:
        """Their slots."""
        return torch.cat([node.value for node in self.path()][::-1])


class Tree:
    """Prefixes of whole pages."""

    def __init__(self, size: int) -> None:
        self.size, self.root_node, self.ticks = size, Node(None, [], NOTHING), itertools.count(1)

    def _tree_walk(self, tokens: list[int]) -> tuple[Node, int]:
        node, known = self.root_node, 0
        while child := node.children.get(tuple(tokens[known : known + self.size])):
            same = 0
            while same < len(child.tokens) and self._page(child.tokens, same) == self._page(tokens, known + same):
                same += self.size
            node = child if same == len(child.tokens) else self._cut(child, same)
            node.timestamp, known = next(self.ticks), known + same
        return node, known

    def _page(self, tokens: list[int], start: int) -> list[int]:
        return tokens[start : start + self.size]

    def _cut(self, node: Node, at: int) -> Node:
        upper = Node(node.above, node.tokens[:at], node.value[:at])
        upper.ref_count = node.ref_count
        self._hang(upper)
        node.above, node.tokens, node.value = upper, node.tokens[at:], node.value[at:]
        self._hang(node)
        return upper

    def _hang(self, node: Node) -> None:
        node.above.children[tuple(node.tokens[: self.size])] = node

    def match_prefix(self, tokens: torch.Tensor) -> Any:
        """What it has of them."""
        return SimpleNamespace(cuda_handle=Found(*self._tree_walk(tokens.tolist())))

    def insert_prefix(self, tokens: torch.Tensor, slots: torch.Tensor) -> Any:
        """Take in whole pages; says how much it had."""
        whole = len(tokens) // self.size * self.size
        node, known = self._tree_walk(tokens[:whole].tolist())
        if known < whole:
            node = Node(node, tokens[known:whole].tolist(), slots[known:whole].clone())
            node.timestamp = next(self.ticks)
            self._hang(node)
        return SimpleNamespace(cached_len=known, handle=Found(node, whole))

    def evict(self, count: int) -> torch.Tensor:
        """Slots of the oldest leaves that nobody has locked, at least so many."""
        gone = [NOTHING]
        while sum(map(len, gone)) < count:
            oldest = min((node for node in self.nodes() if not node.ref_count and not node.children), key=_age)
            del oldest.above.children[tuple(oldest.tokens[: self.size])]
            gone.append(oldest.value)
        return torch.cat(gone)

    def nodes(self) -> list[Node]:
        """All but the root."""
        found = [*self.root_node.children.values()]
        for node in found:
            found += node.children.values()
        return found


def _age(node: Node) -> int:
    return node.timestamp


class NoTree:
    """Nothing is ever found."""

    def match_prefix(self, tokens: torch.Tensor) -> Any:
        """Nothing."""
        return SimpleNamespace(cuda_handle=Found(None, 0))

    def insert_prefix(self, tokens: torch.Tensor, slots: torch.Tensor) -> Any:
        """Nothing is taken in."""
        return SimpleNamespace(cached_len=0, handle=Found(None, 0))

    def evict(self, count: int) -> torch.Tensor:
        """There is nothing to evict."""
        raise NotImplementedError

    def nodes(self) -> list[Node]:
        """None."""
        return []


class Cache:
    """Slots of pages; `early` lets go of what the tree has from elsewhere while a request still reads its own."""

    def __init__(self, pages: int, size: int, rows: int, tree: bool, early: bool) -> None:
        self.num_pages, self.page_size, self.early = pages, size, early
        self.free_slots = torch.arange(pages, dtype=torch.int32) * size
        self.page_table = torch.zeros(rows, LONGEST, dtype=torch.int32)
        self.prefix_cache = Tree(size) if tree else NoTree()

    @property
    def room(self) -> int:
        """Pages that are free or could be."""
        unlocked = sum(len(node.tokens) for node in self.prefix_cache.nodes() if not node.ref_count)
        return len(self.free_slots) + unlocked // self.page_size

    def match_req(self, pending: Any) -> Any:
        """What is there of a prompt, all but its last token."""
        return self.prefix_cache.match_prefix(pending.input_ids[:-1])

    def lock(self, found: Found, by: int = 1) -> None:
        """Keep it, or no longer."""
        for node in found.path():
            node.ref_count += by

    def allocate_paged(self, reqs: list[Any]) -> None:
        """Pages for all tokens of a pass."""
        size = self.page_size
        spans = [(req, -(-req.cached_len // size), -(-req.device_len // size)) for req in reqs]
        if total := sum(end - first for _, first, end in spans):
            slots = (self._allocate(total)[:, None] + torch.arange(size, dtype=torch.int32)).flatten()
            for req, first, end in spans:
                count = (end - first) * size
                self.page_table[req.table_idx, first * size : end * size], slots = slots[:count], slots[count:]

    def _allocate(self, count: int) -> torch.Tensor:
        if count > len(self.free_slots):
            gone = self.prefix_cache.evict((count - len(self.free_slots)) * self.page_size)
            self.free_slots = torch.cat([self.free_slots, gone[:: self.page_size]])
        taken, self.free_slots = self.free_slots[:count], self.free_slots[count:]
        return taken

    def _free(self, slots: torch.Tensor) -> None:
        self.free_slots = torch.cat([self.free_slots, slots[:: self.page_size]])

    @contextmanager
    def lazy_free_region(self) -> Iterator[None]:
        """What is let go of in here is free afterwards."""
        later = [NOTHING]
        self._free = lambda slots: later.append(slots[:: self.page_size])
        try:
            yield
        finally:
            del self._free
            self.free_slots = torch.cat([self.free_slots, *later])

    def cache_req(self, req: Any, *, finished: bool) -> None:
        """Whole pages can be found by others; a request that is done lets go of the rest."""
        before, known = req.cache_handle, req.input_ids[: req.cached_len]
        if not finished and not self.early:
            there = self.prefix_cache.match_prefix(known).cuda_handle.cached_len
            if there > before.cached_len:
                return
        slots = self.page_table[req.table_idx, : req.cached_len].clone()
        put = self.prefix_cache.insert_prefix(known, slots)
        self.lock(before, -1)
        self._free(slots[before.cached_len : max(put.cached_len, before.cached_len)])
        if finished:
            self._free(slots[put.handle.cached_len :])
        else:
            req.cache_handle = put.handle
            self.lock(put.handle)


class Req:
    """A request that runs."""

    def __init__(self, pending: Any, row: int, handle: Found, start: int, end: int) -> None:
        self.uid, self.table_idx, self.cache_handle, self.cached_len = pending.uid, row, handle, start
        self.input_ids, self.sampling_params = pending.input_ids[:end], pending.sampling_params
        self.device_len, self.whole = end, end == len(pending.input_ids)
        self.most = len(pending.input_ids) + pending.sampling_params.max_tokens

    @property
    def going(self) -> bool:
        """Whether it is to get more tokens."""
        return self.whole and self.device_len < self.most


class Prompts:
    """Who waits, the first of them maybe with a part of its prompt computed."""

    def __init__(self) -> None:
        self.pending_list: list[Any] = []

    def add_one_req(self, asked: Any) -> None:
        """Wait."""
        self.pending_list.append(asked)

    def abort_req(self, uid: int) -> Any:
        """Wait no more."""
        gone = [one for one in self.pending_list if one.uid == uid]
        self.pending_list = [one for one in self.pending_list if one.uid != uid]
        return gone[0].part if gone else None


class Answers:
    """Who runs."""

    def __init__(self) -> None:
        self.running: list[Req] = []

    def abort_req(self, uid: int) -> Any:
        """Run no more."""
        gone = [req for req in self.running if req.uid == uid]
        self.running = [req for req in self.running if req.uid != uid]
        return gone[0] if gone else None


class SlotScheduler:
    """Prompts first, then answers; with `overlap` the results of a pass are looked at after the next one."""

    def __init__(
        self, pages: int = 12, page_size: int = 4, most: int = 4, budget: int = 16, *, overlap: bool = False, **how: Any
    ) -> None:
        cache = {"tree": True, "early": False, **how}
        self.cache_manager = Cache(pages, page_size, most, **cache)
        self.kv = torch.zeros(LAYERS, pages + 1, page_size, HEADS, DIM)
        store = SimpleNamespace(k_cache=lambda layer: self.kv[layer], num_layers=LAYERS)
        self.engine = SimpleNamespace(kv_cache=store, sampler=SimpleNamespace(vocab_size=VOCABULARY))
        self.table_manager = SimpleNamespace(_max_running_reqs=most)
        self.prefill_manager, self.decode_manager = Prompts(), Answers()
        self.prefill_budget, self.eos_token_id, self.overlap = budget, EOS, overlap
        self.rows, self.asked, self.last, self.over = [*range(most)], 0, None, set()

    def add(self, key: Any, prompt: list[int], most: int, ignore_eos: bool = True) -> None:
        """Ask."""
        sampling = SimpleNamespace(max_tokens=most, ignore_eos=ignore_eos)
        asked = SimpleNamespace(uid=self.asked, input_ids=torch.tensor(prompt), sampling_params=sampling, part=None)
        self.prefill_manager.add_one_req(asked)
        self.asked += 1

    def abort(self, uid: int) -> None:
        """Take it back."""
        req = self.prefill_manager.abort_req(uid) or self.decode_manager.abort_req(uid)
        if req is not None:
            self._free_req_resources(req)

    def turn(self) -> bool:
        """One step; False where there was nothing to do."""
        given = self._schedule_next_batch()
        done = None if given is None else (given, self._forward(given))
        self._process_last_data(self.last if self.overlap else done)
        idle = done is None and self.last is None
        self.last = done if self.overlap else None
        return not idle

    def _schedule_next_batch(self) -> Any:
        reqs, phase = self._prompts(), "prefill"
        if not reqs:
            reqs, phase = [*self.decode_manager.running], "decode"
        return self._prepare_batch(SimpleNamespace(reqs=reqs, phase=phase)) if reqs else None

    def _prompts(self) -> list[Req]:
        cache, queue, reqs, left = self.cache_manager, self.prefill_manager.pending_list, [], self.prefill_budget
        size = cache.page_size
        promised = sum(-(-(req.most - req.device_len) // size) + 1 for req in self.decode_manager.running)
        while queue and left:
            pending = queue[0]
            needed = -(-(len(pending.input_ids) + pending.sampling_params.max_tokens) // size)
            if pending.part is None:
                found = cache.match_req(pending).cuda_handle
                cache.lock(found)
                if not self.rows or promised + needed - found.cached_len // size > cache.room:
                    cache.lock(found, -1)
                    break
                row, start = self.rows.pop(0), found.cached_len
                if start:
                    cache.page_table[row, :start] = found.get_matched_indices()
            else:
                row, found, start = pending.part.table_idx, pending.part.cache_handle, pending.part.cached_len
            promised += needed - start // size
            end = min(start + left, len(pending.input_ids))
            left -= end - start
            reqs.append(Req(pending, row, found, start, end))
            pending.part = reqs[-1]
            if not reqs[-1].whole:
                break
            queue.pop(0)
        return reqs

    def _prepare_batch(self, batch: Any) -> Any:
        self.cache_manager.allocate_paged(batch.reqs)
        parts = [self.cache_manager.page_table[req.table_idx, req.cached_len : req.device_len] for req in batch.reqs]
        batch.out_loc = torch.cat(parts)
        return SimpleNamespace(batch=batch)

    def _forward(self, given: Any) -> Any:
        batch, slots = given.batch, given.batch.out_loc.long()
        self.kv.flatten(1, 2)[:, slots] = torch.rand(LAYERS, len(slots), HEADS, DIM)
        tokens = [(5 * req.uid + 3 * req.device_len) % (VOCABULARY - 1) + 1 for req in batch.reqs]
        for req in batch.reqs:
            req.cached_len, req.device_len = req.device_len, req.device_len + 1
        running = {id(req): req for req in [*self.decode_manager.running, *batch.reqs]}
        self.decode_manager.running = [req for req in running.values() if req.going]
        return None, torch.tensor(tokens), SimpleNamespace(synchronize=lambda: None)

    def _process_last_data(self, done: Any) -> None:
        if done is None:
            return
        batch, over = done[0].batch, set()
        with self.cache_manager.lazy_free_region():
            for req, token in zip(batch.reqs, done[1][1], strict=True):
                if not req.whole:
                    continue
                req.input_ids = torch.cat([req.input_ids, token[None]])
                ended = not req.going or (token == self.eos_token_id and not req.sampling_params.ignore_eos)
                if ended and req.uid not in self.over:
                    self.decode_manager.running = [one for one in self.decode_manager.running if one is not req]
                    self._free_req_resources(req)
                    over.add(req.uid)
                elif batch.phase == "prefill":
                    self.cache_manager.cache_req(req, finished=False)
        self.over = over

    def _free_req_resources(self, req: Req) -> None:
        self.rows.append(req.table_idx)
        self.cache_manager.cache_req(req, finished=True)
