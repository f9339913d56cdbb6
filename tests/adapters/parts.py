"""Parts of small engines that have the shape of others': a pool of bits, tasks and their queues, a thread."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

VOCABULARY = 50
STOPS = (0,)


class BitPool:
    """Pages as bits of a number; -1 where none is left."""

    def __init__(self, pages: int, forget: Callable[[int], None] = lambda page: None) -> None:
        self._free_mask = 2**pages - 1
        self._refs = [0] * pages
        self._lru: OrderedDict[int, None] = OrderedDict()
        self.forget = forget

    def alloc(self) -> int:
        """The lowest free page, or the one that was let go first."""
        page = -1
        if self._free_mask:
            page = [bool(self._free_mask >> i & 1) for i in range(len(self._refs))].index(True)
            self._free_mask -= 1 << page
        elif self._lru:
            page = self._lru.popitem(last=False)[0]
            self.forget(page)
        if page >= 0:
            self._refs[page] = 1
        return page

    def free(self, page: int, keep_cached: bool = False) -> None:
        """Let go."""
        self._refs[page] -= 1
        if not self._refs[page] and keep_cached:
            self._lru[page] = None
        elif not self._refs[page]:
            self._free_mask |= 1 << page

    def inc_ref(self, page: int) -> None:
        """Hold once more."""
        self._refs[page] += 1
        self._lru.pop(page, None)


class Task:
    """A request."""

    def __init__(self, task_id: str, prompt: list[int], most: int) -> None:
        self.task_id, self.prompt_ids, self.max_tokens = task_id, prompt, most
        self.output_ids: list[int] = []
        self.status = SimpleNamespace(value="pending")
        self.page_table: list[int] = []
        self.kv = 0

    def is_finished(self) -> bool:
        """Whether its answer is whole."""
        return len(self.output_ids) >= self.max_tokens or self.output_ids[-1:] == [*STOPS]

    def next_token(self) -> int:
        """What a model would say."""
        last = (self.prompt_ids + self.output_ids)[-1]
        return (7 * last + len(self.prompt_ids) + len(self.output_ids)) % (VOCABULARY - 1) + 1


class Manager:
    """Queues of tasks."""

    def __init__(self, batch: int) -> None:
        self.waiting_queue: deque[Task] = deque()
        self.active_tasks: list[Task] = []
        self.max_batch_size = batch
        self.tokenizer = SimpleNamespace(stop_ids=[*STOPS])
        self.came = threading.Event()

    def remove_finished_tasks(self, stops: list[int]) -> list[Task]:
        """Those that are done leave."""
        done = [task for task in self.active_tasks if task.is_finished() or task.status.value == "aborted"]
        self.active_tasks = [task for task in self.active_tasks if task not in done]
        return done

    def pull_candidates(self, count: int) -> list[Task]:
        """The first in the queue."""
        return [self.waiting_queue.popleft() for _ in range(min(count, len(self.waiting_queue)))]

    def remove_task(self, task_id: str) -> list[Task]:
        """Forget a task; returns it where it ran."""
        gone = [task for task in self.active_tasks if task.task_id == task_id]
        self.active_tasks = [task for task in self.active_tasks if task not in gone]
        self.waiting_queue = deque(task for task in self.waiting_queue if task.task_id != task_id)
        return gone

    def wait_for_tasks(self, timeout: float = 0.05) -> None:
        """Until one comes."""
        self.came.wait(timeout)
        self.came.clear()


class Threaded:
    """A loop of `turn`s in a thread, until it is stopped or one raises."""

    error: Exception | None = None

    def turn(self) -> bool:
        """One step; False where there was nothing to do."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin."""
        self.going = True
        self._loop_thread = threading.Thread(target=self._loop, daemon=True)
        self._loop_thread.start()

    def stop(self) -> None:
        """End."""
        self.going = False
        self._loop_thread.join()

    def _loop(self) -> None:
        try:
            while self.going:
                self.turn()
        except Exception as error:
            self.error = error


def until_idle(engine: Any, most: int = 400) -> None:
    """Turns, in this thread, until nothing is left to do."""
    for _ in range(most):
        if not engine.turn():
            return
    raise AssertionError(f"not idle after {most} turns")
