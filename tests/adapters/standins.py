"""Small engines of three shapes: a tree of prefixes, a facade, and pages in tasks."""

from types import SimpleNamespace
from typing import Any

import torch

from tests.adapters.parts import VOCABULARY, BitPool, Manager, Task, Threaded

LAYERS, HEADS, DIM, LONGEST = 2, 1, 4, 64


class Tree:
    """Pages by the tokens up to their end; the page that was recorded last stands for them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._page_to_node: dict[int, tuple[int, ...]] = {}
        self.page_of: dict[tuple[int, ...], int] = {}

    def lookup(self, tokens: list[int]) -> list[int]:
        """Pages that hold the first tokens."""
        hits = []
        for end in range(self.size, len(tokens) + 1, self.size):
            if tuple(tokens[:end]) not in self.page_of:
                break
            hits.append(self.page_of[tuple(tokens[:end])])
        return hits

    def record(self, page: int, tokens: list[int], logical: int) -> None:
        """Note what a page holds."""
        path = tuple(tokens[: (logical + 1) * self.size])
        self._page_to_node.pop(self.page_of.get(path, -1), None)
        self.page_of[path], self._page_to_node[page] = page, path

    def evict(self, page: int) -> None:
        """Forget it."""
        self.page_of.pop(self._page_to_node.pop(page, ()), None)


class Strategy:
    """Takes pages for tasks."""

    def __init__(self, pages: int, size: int) -> None:
        self._prefix = Tree(size)
        self._alloc = BitPool(pages, self._prefix.evict)
        self.size = size

    def more(self, state: Any, tokens: int) -> bool:
        """Pages for so many tokens."""
        while len(state.pages) * self.size < tokens:
            page = self._alloc.alloc()
            if page < 0:
                return False
            state.pages.append(page)
        return True

    def extend(self, state: Any, position: int) -> bool:
        """A slot for a position."""
        return self.more(state, position + 1)


class TaskCache:
    """Pages of each task."""

    def __init__(self, pool: Any) -> None:
        self.pool, self._states = pool, {}

    def task_alloc(self, key: str, tokens: list[int]) -> bool:
        """Pages for a prompt, the first of them shared."""
        strategy = self.pool.strategy
        hits = strategy._prefix.lookup(tokens)
        for page in hits:
            strategy._alloc.inc_ref(page)
        state = self._states[key] = SimpleNamespace(pages=hits, cached=len(hits) * strategy.size, length=len(tokens))
        if strategy.more(state, len(tokens)):
            return True
        self.task_free(key)
        return False

    def task_free(self, key: str) -> None:
        """Let go of them."""
        strategy = self.pool.strategy
        for page in self._states.pop(key, SimpleNamespace(pages=[])).pages:
            strategy._alloc.free(page, keep_cached=page in strategy._prefix._page_to_node)

    def task_extend(self, key: str, position: int) -> bool:
        """Room for the token at a position."""
        self._states[key].length = position + 1
        return self.pool.strategy.extend(self._states[key], position)

    def task_record_hashes(self, key: str, tokens: list[int]) -> None:
        """Full pages can be found."""
        for logical in range(len(tokens) // self.pool.strategy.size):
            self.pool.strategy._prefix.record(self._states[key].pages[logical], tokens, logical)

    def bind(self, keys: list[str], start_pos: int | None = None) -> Any:
        """What a pass is given."""
        size, states = self.pool.page_size, [self._states[key] for key in keys]
        table = torch.zeros(len(keys), LONGEST, dtype=torch.int32)
        new = []
        for row, state in enumerate(states):
            slots = [state.pages[i // size] * size + i % size for i in range(state.length)]
            table[row, : state.length] = torch.tensor(slots)
            new += slots[-1:] if start_pos is None else slots[start_pos:]
        lengths, rows = torch.tensor([state.length for state in states]), torch.arange(len(keys))
        return SimpleNamespace(
            req_to_token=table, req_pool_indices=rows, seq_lens=lengths, out_cache_loc=torch.tensor(new)
        )


class Executor:
    """Passes: K of tokens are random numbers."""

    model = SimpleNamespace(config=SimpleNamespace(vocab_size=VOCABULARY))

    def __init__(self, keys: torch.Tensor, cache: TaskCache) -> None:
        self.keys, self.cache = keys, cache

    def execute_prefill(self, tasks: list[Task], length: int, start: int) -> Any:
        """A prompt each."""
        self._pass(self.cache.bind([task.task_id for task in tasks], start_pos=start))
        return tasks, [task.next_token() for task in tasks]

    def execute_decode(self, tasks: list[Task]) -> list[int]:
        """A token each."""
        self._pass(self.cache.bind([task.task_id for task in tasks]))
        return [task.next_token() for task in tasks]

    def _pass(self, bound: Any) -> None:
        self.keys[:, bound.out_cache_loc] = torch.rand(LAYERS, len(bound.out_cache_loc), HEADS, DIM)


class TreeScheduler(Threaded):
    """The shape of an engine whose prefixes are a tree."""

    def __init__(self, pages: int = 12, page_size: int = 4, batch: int = 4) -> None:
        storage = SimpleNamespace(k_buffer=torch.zeros(LAYERS, pages * page_size, HEADS, DIM))
        self._cache = SimpleNamespace(
            page_size=page_size, n_layers=LAYERS, strategy=Strategy(pages, page_size), _storage=storage
        )
        self._task_mgr, self._task_cache = Manager(batch), TaskCache(self._cache)
        self._executor = Executor(storage.k_buffer, self._task_cache)

    def add(self, key: str, prompt: list[int], most: int) -> None:
        """Ask."""
        self._task_mgr.waiting_queue.append(Task(key, prompt, most))
        self._task_mgr.came.set()

    def remove(self, key: str) -> None:
        """Ask no more."""
        for task in self._task_mgr.remove_task(key):
            self._task_cache.task_free(task.task_id)

    def turn(self) -> bool:
        tasks = self._task_mgr
        for task in tasks.remove_finished_tasks([]):
            self._task_cache.task_record_hashes(task.task_id, (task.prompt_ids + task.output_ids)[:-1])
            self._task_cache.task_free(task.task_id)
        refused = []
        for task in tasks.pull_candidates(tasks.max_batch_size - len(tasks.active_tasks)):
            there = self._task_cache.task_alloc(task.task_id, task.prompt_ids)
            (tasks.active_tasks if there else refused).append(task)
        tasks.waiting_queue.extendleft(reversed(refused))
        if not tasks.active_tasks:
            tasks.wait_for_tasks(timeout=0.01)
            return False
        self._step(list(tasks.active_tasks))
        return True

    def _step(self, tasks: list[Task]) -> None:
        fresh = [task for task in tasks if not task.output_ids]
        for task in fresh:
            start = self._task_cache._states[task.task_id].cached
            for one, token in zip(*self._executor.execute_prefill([task], len(task.prompt_ids), start), strict=True):
                one.output_ids.append(token)
            self._task_cache.task_record_hashes(task.task_id, task.prompt_ids)
        decoded = []
        for task in tasks:
            if task not in fresh:
                position = len(task.prompt_ids) + len(task.output_ids) - 1
                if self._task_cache.task_extend(task.task_id, position):
                    decoded.append(task)
                else:
                    task.status.value = "aborted"
        if decoded:
            for task, token in zip(decoded, self._executor.execute_decode(decoded), strict=True):
                task.output_ids.append(token)
