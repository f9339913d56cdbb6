"""Small engines of two more shapes: pages behind a facade, and pages in tasks. The last token of a prompt is computed
twice, as the engines do whose shape they have."""

from typing import Any

import torch

from tests.adapters.parts import BitPool, Manager, Task, Threaded
from tests.adapters.standins import DIM, HEADS, LAYERS


class Hashes:
    """Pages by what stands in them, whatever stands before."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._page_to_hash: dict[int, int] = {}

    def lookup(self, tokens: list[int], pool: BitPool) -> list[int]:
        """Pages that hold the first tokens."""
        known, hits = {value: page for page, value in self._page_to_hash.items()}, []
        for end in range(self.size, len(tokens) + 1, self.size):
            page = known.get(self.hash(tokens, end))
            if page is None:
                break
            hits.append(page)
        return hits

    def hash(self, tokens: list[int], end: int) -> int:
        """A number for the page that ends there."""
        return sum(token * 53**i for i, token in enumerate(tokens[end - self.size : end])) % 2**64

    def forget(self, page: int) -> None:
        """A page holds something else."""
        self._page_to_hash.pop(page, None)

    def record(self, page: int, tokens: list[int], logical: int, pool: BitPool) -> None:
        """Note what a page holds."""
        self._page_to_hash[page] = self.hash(tokens, (logical + 1) * self.size)


class Tables:
    """Page tables by task."""

    def __init__(self, pool: BitPool, size: int) -> None:
        self.pool, self.size = pool, size
        self._pages: dict[str, list[int]] = {}

    def extend(self, key: str, position: int) -> bool:
        """A slot for a position."""
        table = self._pages[key]
        while len(table) * self.size <= position:
            page = self.pool.alloc()
            if page < 0:
                return False
            table.append(page)
        return True


class Tensored:
    """K in pages, written and gathered for all rows of a pass from one position on."""

    def __init__(self, pages: int, size: int) -> None:
        self.page_size = size
        self.k_cache = torch.zeros(LAYERS, pages, size, HEADS, DIM)

    def write(self, layer: int, tables: torch.Tensor, start: int, k: torch.Tensor, v: torch.Tensor) -> None:
        """Store."""
        for i in range(k.size(1)):
            page, slot = divmod(start + i, self.page_size)
            self.k_cache[layer, tables[:, page], slot] = k[:, i]

    def gather(self, layer: int, tables: torch.Tensor, *length: int) -> torch.Tensor:
        """Read."""
        return self.k_cache[layer, tables.clamp(min=0)].flatten(1, 2)[:, : length[0] if length else None]


class FacadeCache(Tensored):
    """Everything about pages behind one object."""

    def __init__(self, pages: int, size: int) -> None:
        super().__init__(pages, size)
        self._prefix = Hashes(size)
        self._pool = BitPool(pages, self._prefix.forget)
        self._table = Tables(self._pool, size)
        self.found: dict[str, int] = {}

    def task_alloc(self, key: str, tokens: list[int]) -> bool:
        """Pages for a prompt, the first of them shared."""
        hits = self._prefix.lookup(tokens, self._pool)
        for page in hits:
            self._pool.inc_ref(page)
        self._table._pages[key], self.found[key] = hits, len(hits) * self.page_size
        if self._table.extend(key, len(tokens) - 1):
            return True
        self.task_free(key)
        return False

    def task_free(self, key: str) -> None:
        """Let go of them."""
        for page in self._table._pages.pop(key, []):
            self._pool.free(page, keep_cached=page in self._prefix._page_to_hash)

    def task_extend(self, key: str, position: int) -> bool:
        """Room for a position."""
        return self._table.extend(key, position)

    def task_cached(self, key: str) -> int:
        """Tokens found."""
        return self.found[key]

    def task_record_hashes(self, key: str, tokens: list[int]) -> None:
        """Full pages can be found."""
        for logical in range(len(tokens) // self.page_size):
            self._prefix.record(self._table._pages[key][logical], tokens, logical, self._pool)

    def make_table_tensor(self, keys: list[str]) -> torch.Tensor:
        """Tables side by side."""
        return side_by_side([self._table._pages[key] for key in keys])


def side_by_side(tables: list[list[int]]) -> torch.Tensor:
    """Tables, -1 where one is shorter."""
    width = max(map(len, tables))
    return torch.tensor([table + [-1] * (width - len(table)) for table in tables])


def forward(cache: Tensored, tables: torch.Tensor, start: int, end: int, *length: int) -> None:
    """A pass: K are random numbers."""
    for layer in range(LAYERS):
        new = torch.rand(len(tables), end - start, HEADS, DIM)
        cache.write(layer, tables, start, new, new)
        cache.gather(layer, tables, *length)


class FacadeExecutor:
    """Passes behind the scheduler."""

    model = None

    def __init__(self, cache: FacadeCache) -> None:
        self.cache = cache

    def execute_prefill(self, tasks: list[Task], length: int, start: int) -> None:
        """A prompt each."""
        if start < length:
            forward(self.cache, self.cache.make_table_tensor([task.task_id for task in tasks]), start, length, length)
            for task in tasks:
                self.cache.task_record_hashes(task.task_id, task.prompt_ids)

    def execute_decode(self, tasks: list[Task], start: int) -> None:
        """A token each, at one position."""
        there = [task for task in tasks if self.cache.task_extend(task.task_id, start)]
        for task in tasks:
            task.status.value = "running" if task in there else "aborted"
        if there:
            forward(self.cache, self.cache.make_table_tensor([t.task_id for t in there]), start, start + 1, start + 1)
        for task in there:
            task.output_ids.append(task.next_token())
            self.cache.task_extend(task.task_id, len(task.prompt_ids) + len(task.output_ids))


def next_group(tasks: list[Task]) -> tuple[int, list[Task]]:
    """The position that most are at."""
    at = [len(task.prompt_ids) + len(task.output_ids) for task in tasks]
    best = max(at, key=at.count)
    return best, [task for task, place in zip(tasks, at, strict=True) if place == best]


class FacadeScheduler(Threaded):
    """The shape of an engine with a facade."""

    def __init__(self, pages: int = 12, page_size: int = 4, batch: int = 4) -> None:
        self._page_cache, self._task_mgr = FacadeCache(pages, page_size), Manager(batch)
        self._executor = FacadeExecutor(self._page_cache)

    def add(self, key: str, prompt: list[int], most: int) -> None:
        """Ask."""
        self._task_mgr.waiting_queue.append(Task(key, prompt, most))

    def turn(self) -> bool:
        tasks, cache = self._task_mgr, self._page_cache
        for task in tasks.remove_finished_tasks([]):
            cache.task_free(task.task_id)
        pulled = tasks.pull_candidates(tasks.max_batch_size - len(tasks.active_tasks))
        refused = [task for task in pulled if not cache.task_alloc(task.task_id, task.prompt_ids)]
        tasks.active_tasks += [task for task in pulled if task not in refused]
        tasks.waiting_queue.extendleft(reversed(refused))
        if not tasks.active_tasks:
            tasks.wait_for_tasks(timeout=0.01)
            return False
        for task in tasks.active_tasks:
            if not task.output_ids:
                self._executor.execute_prefill([task], len(task.prompt_ids), cache.task_cached(task.task_id))
        at, group = next_group(tasks.active_tasks)
        self._executor.execute_decode(group, at)
        return True


class PagesCache(Tensored, BitPool):
    """Pages without prefixes."""

    def __init__(self, pages: int, size: int) -> None:
        Tensored.__init__(self, pages, size)
        BitPool.__init__(self, pages)
        del self._lru

    def alloc(self) -> int:
        """The lowest free page."""
        page = next((i for i in range(len(self._refs)) if self._free_mask >> i & 1), -1)
        if page >= 0:
            self._free_mask -= 1 << page
            self._refs[page] = 1
        return page

    def alloc_n(self, count: int) -> list[int]:
        """So many, or none."""
        pages = [self.alloc() for _ in range(count)]
        if -1 in pages:
            for page in filter(lambda page: page >= 0, pages):
                self.free(page)
            return []
        return pages

    def free(self, page: int, keep_cached: bool = False) -> None:
        """Let go."""
        self._refs[page] -= 1
        if not self._refs[page]:
            self._free_mask |= 1 << page


class PagesScheduler(Threaded):
    """The shape of an engine whose tasks have their tables."""

    model = None

    def __init__(self, pages: int = 12, page_size: int = 4, batch: int = 4) -> None:
        manager = Manager(batch)
        self.page_cache, self.tokenizer, self.max_batch_size = PagesCache(pages, page_size), manager.tokenizer, batch
        self.waiting_queue: list[Task] = []
        self.active_tasks: list[Task] = []

    def add_task(self, key: str, prompt: list[int], most: int) -> None:
        """Ask."""
        self.waiting_queue.append(Task(key, prompt, most))

    def add(self, key: str, prompt: list[int], most: int) -> None:
        """Ask."""
        self.add_task(key, prompt, most)

    def remove_task(self, key: str) -> None:
        """Ask no more."""
        for task in [task for task in self.active_tasks if task.task_id == key]:
            self.active_tasks.remove(task)
            self._free_pages(task.page_table)
            task.page_table = []
        self.waiting_queue = [task for task in self.waiting_queue if task.task_id != key]

    def _free_pages(self, pages: list[int]) -> None:
        for page in pages:
            self.page_cache.free(page)

    def _remove_finished_tasks(self) -> None:
        for task in [task for task in self.active_tasks if task.is_finished()]:
            self._free_pages(task.page_table)
            task.page_table = []
            self.active_tasks.remove(task)

    def _refill_active_batch(self) -> None:
        while self.waiting_queue and len(self.active_tasks) < self.max_batch_size:
            task = self.waiting_queue[0]
            task.page_table = self.page_cache.alloc_n(-(-len(task.prompt_ids) // self.page_cache.page_size))
            if not task.page_table:
                break
            self.active_tasks.append(self.waiting_queue.pop(0))

    def _make_page_table_tensor(self, tasks: list[Task]) -> torch.Tensor:
        return side_by_side([task.page_table for task in tasks])

    def _execute_prefill_batch(self, tasks: list[Task], length: int) -> None:
        forward(self.page_cache, self._make_page_table_tensor(tasks), 0, length)
        for task in tasks:
            task.kv = length

    def _maybe_alloc_page(self, task: Task, position: int) -> None:
        while len(task.page_table) * self.page_cache.page_size <= position:
            page = self.page_cache.alloc()
            if page < 0:
                break
            task.page_table.append(page)

    def _execute_decode(self, tasks: list[Task], start: int) -> None:
        forward(self.page_cache, self._make_page_table_tensor(tasks), start, start + 1)
        for task in tasks:
            task.output_ids.append(task.next_token())
            self._maybe_alloc_page(task, len(task.prompt_ids) + len(task.output_ids))

    def turn(self) -> bool:
        self._remove_finished_tasks()
        self._refill_active_batch()
        if not self.active_tasks:
            return False
        for task in self.active_tasks:
            if not task.kv:
                self._execute_prefill_batch([task], len(task.prompt_ids))
        at, group = next_group(self.active_tasks)
        self._execute_decode(group, at)
        return True


ENGINES: dict[str, Any] = {"facade": FacadeScheduler, "pages": PagesScheduler}
