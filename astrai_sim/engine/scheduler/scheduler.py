"""The scheduler: four phases a step, pages on demand, preemption by recomputation."""

from collections import deque
from collections.abc import Callable

import torch

from astrai_sim.engine.cache import CacheView, OutOfPages, PagedCache, pages_for, sent
from astrai_sim.engine.scheduler.policy import POLICIES
from astrai_sim.engine.scheduler.task import Status, Task

SETTINGS = ("decode_policy", "max_tokens_per_step", "preemption")
Model = Callable[[torch.Tensor, CacheView, torch.Tensor], torch.Tensor]


class InferenceScheduler:
    """Serves tasks through a model and a paged cache, one `step` at a time.

    `model` takes (tokens [B, S], view, last [B]) and gives logits [B, vocab_size]; it is None for a scheduler whose
    `_forward` needs none. At most `max_batch` tasks hold pages at once; the token id `eos` ends a task (None: only
    `max_tokens` does). `decode_policy` is a key of `POLICIES`.
    `aging_steps`: under "same-position", steps without a token after which the position that has waited longest decodes
    before the largest group, so that each gets one within about `aging_steps` + `max_batch` steps. None: a position
    waits without bound while larger groups keep coming.
    `max_tokens_per_step`: most tokens computed in a step; prompts are prefilled in chunks that fit what the decoding
    tasks leave of it (chunked prefill: Agrawal et al., Sarathi-Serve, 2024). None: a prompt is prefilled whole.
    `preemption`: with it, tasks are admitted as soon as their tokens fit, and when one cannot grow the latest admitted
    loses its pages, to be computed again later (recomputation: Kwon et al., PagedAttention, 2023). Without it, a task
    is admitted only once its longest length fits beside those of all running ones.
    Raises ValueError for an unknown policy, sizes below 1, and a token budget below
    `max_batch`, which decoding tasks could use up for good. `change_setting` switches
    the policy, the budget and preemption between steps.
    """

    decode_policy: str
    max_tokens_per_step: int | None
    preemption: bool

    def __init__(
        self,
        model: Model | None,
        cache: PagedCache,
        *,
        max_batch: int = 8,
        decode_policy: str = "all",
        max_tokens_per_step: int | None = None,
        preemption: bool = True,
        eos: int | None = None,
        aging_steps: int | None = None,
    ) -> None:
        for name, value in (("max_batch", max_batch), ("aging_steps", aging_steps)):
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1")
        self.model = model
        self.cache = cache
        self.max_batch = max_batch
        self.eos = eos
        self.aging_steps = aging_steps
        self.waiting: deque[Task] = deque()
        self.running: list[Task] = []
        self.finished: list[Task] = []
        self._known: dict[str, Task] = {}
        self.step_index = 0
        self._prefilled_tokens = 0
        self.change_setting("decode_policy", decode_policy)
        self.change_setting("max_tokens_per_step", max_tokens_per_step)
        self.change_setting("preemption", preemption)

    def change_setting(self, name: str, value: str | int | bool | None) -> None:
        """Set `decode_policy`, `max_tokens_per_step` or `preemption` from the next step on.

        Raises ValueError for another name, for a value that `__init__` would refuse, and for preemption switched off
        while running tasks may come to need more pages than there are.
        """
        if name not in SETTINGS:
            raise ValueError(f"setting {name!r}: choose from {', '.join(SETTINGS)}")
        if name == "decode_policy" and value not in POLICIES:
            raise ValueError(f"decode_policy {value!r}: choose from {', '.join(POLICIES)}")
        whole = isinstance(value, int) and value >= self.max_batch
        if name == "max_tokens_per_step" and value is not None and not whole:
            raise ValueError(f"max_tokens_per_step ({value}) must be at least max_batch ({self.max_batch})")
        needed, pages = self._promised(), self.cache.n_pages
        if name == "preemption" and not value and needed > pages:
            told = f"the running tasks may need {needed} pages, the pool has {pages}"
            raise ValueError(f"preemption cannot be switched off now: {told}")
        setattr(self, name, value)

    @property
    def idle(self) -> bool:
        """Whether nothing waits, runs, or still holds pages."""
        return not (self.waiting or self.running or self.finished)

    def submit(self, task: Task) -> None:
        """Queue a task. Raises ValueError as `check` does, for a name in use, and for a task that was served before."""
        self.check(task)
        if task.id in self._known:
            raise ValueError(f"task {task.id}: the name is in use")
        if task.status != Status.WAITING:
            raise ValueError(f"task {task.id} was served before: make a new one")
        self._known[task.id] = task
        self.waiting.append(task)

    def check(self, task: Task) -> None:
        """Raise ValueError for an empty prompt and for a task that could never fit.

        Empty means no prompt token, or none to generate.
        """
        if not task.prompt or task.max_tokens < 1:
            raise ValueError(f"task {task.id}: prompt and max_tokens must be at least 1 token")
        needed, pages = self._most_pages(task), self.cache.n_pages
        if needed > pages:
            told = f"task {task.id} can never fit: {task.max_kv} tokens need {needed} pages, the pool has {pages}"
            raise ValueError(told)

    def tasks(self) -> list[Task]:
        """All tasks that have not left."""
        return [*self.waiting, *self.running, *self.finished]

    def abort(self, task_id: str) -> None:
        """End a task now; its pages return in the next cleanup. KeyError if unknown."""
        task = self._known[task_id]
        if task.status != Status.FINISHED:
            self._finish(task, "aborted")

    def stop(self) -> None:
        """Abort everything and return all pages."""
        for task in [*self.waiting, *self.running]:
            self.abort(task.id)
        self.cleanup()

    def step(self) -> None:
        """Run the four phases once."""
        self.cleanup()
        self.refill()
        self.prefill()
        self.decode()
        self.step_index += 1

    def cleanup(self) -> list[Task]:
        """Release the pages of finished tasks."""
        gone, self.finished = self.finished, []
        for task in gone:
            del self._known[task.id]
            task.leave()
            if task.id in self.cache.tables:
                self.cache.release(task.id)
        return gone

    def refill(self) -> list[Task]:
        """Admit waiting tasks in order while there is room in batch and pool."""
        admitted: list[Task] = []
        while self.waiting and len(self.running) < self.max_batch and self._may_admit(self.waiting[0]):
            try:
                self._admit(self.waiting[0])
            except OutOfPages:
                break
            admitted.append(self.running[-1])
        return admitted

    def prefill(self) -> list[Task]:
        """Compute K and V of admitted tasks' tokens, within the step's token budget."""
        batch = self._plan_prefill()
        self._prefilled_tokens = sum(count for _, _, count in batch)
        if not batch:
            return []
        tokens = self._forward(batch)
        for (task, start, count), token in zip(batch, tokens, strict=True):
            self._prefilled(task, start, count, token)
        return [task for task, _, _ in batch]

    def decode(self) -> list[Task]:
        """One token for each task that the policy picks, within the step's token budget."""
        overdue = None if self.aging_steps is None else self.step_index - self.aging_steps
        picked = POLICIES[self.decode_policy](self._decodable(), overdue)
        if self.max_tokens_per_step is not None:
            picked = picked[: self.max_tokens_per_step - self._prefilled_tokens]
        batch = self._with_room(picked)
        if not batch:
            return []
        self._decoded(batch, self._forward([(task, task.kv_len, 1) for task in batch]))
        return batch

    def _decodable(self) -> list[Task]:
        running = Status.RUNNING
        return [task for task in self.running if task.status is running]

    def _with_room(self, tasks: list[Task]) -> list[Task]:
        """Those whose last page has a slot for one token more, as none has once it is preempted, or who get one."""
        size = self.cache.page_size
        return [task for task in tasks if task.kv_len % size or self._make_room(task)]

    def _plan_prefill(self) -> list[tuple[Task, int, int]]:
        """(task, start, count) of the tokens to prefill now, first admitted first."""
        budget, prefilling = self.max_tokens_per_step, Status.PREFILLING
        tasks = [task for task in self.running if task.status is prefilling]
        if budget is not None:
            budget -= len(self.running) - len(tasks)
        batch = []
        for task in tasks:
            if budget == 0:
                break
            count = task.n_tokens - task.kv_len
            if budget is not None:
                count = min(count, budget)
                budget -= count
            batch.append((task, task.kv_len, count))
        return batch

    def _forward(self, batch: list[tuple[Task, int, int]]) -> list[int]:
        """Compute each task's `count` tokens from `start`; returns the token after each.

        Temperature 0: the largest logit, the lowest id among equals. Reading the tokens is the one time that the host
        waits for the device.
        """
        counts = [count for _, _, count in batch]
        assert self.model is not None
        view = self._view(batch)
        device = self.cache.k_cache.device
        width = max(counts)
        rows = [[*task.tokens[start : start + count], *[0] * (width - count)] for task, start, count in batch]
        last = sent(torch.tensor(counts) - 1, device)
        logits = self.model(sent(torch.tensor(rows), device), view, last)
        return logits.argmax(dim=-1).tolist()

    def _view(self, batch: list[tuple[Task, int, int]]) -> CacheView:
        """The cache as attention sees it in a pass over `batch`."""
        tables = [self.cache.tables[task.id] for task, _, _ in batch]
        starts, counts = [start for _, start, _ in batch], [count for _, _, count in batch]
        return self.cache.view_type(self.cache, tables, starts, counts)

    def _most_pages(self, task: Task) -> int:
        return pages_for(task.max_kv, self.cache.page_size)

    def _promised(self, *more: Task) -> int:
        """Pages that the running tasks, and `more`, may come to need."""
        return sum(self._most_pages(task) for task in (*self.running, *more))

    def _may_admit(self, task: Task) -> bool:
        """Whether admitting `task` can be afforded for good; always, with preemption."""
        return self.preemption or self._promised(task) <= self.cache.n_pages

    def _admit(self, task: Task) -> None:
        """Give the first waiting task its pages; OutOfPages leaves it waiting."""
        cached = self.cache.admit(task.id, task.tokens)
        self.waiting.popleft()
        task.kv_len = cached
        task.status = Status.PREFILLING
        self.running.append(task)

    def _prefilled(self, task: Task, start: int, count: int, token: int) -> None:
        """Note `count` computed tokens from `start`; after the last chunk comes `token`."""
        task.kv_len += count
        if self.cache.prefix_caching:
            self._key_pages(task, count)
        if task.kv_len == task.n_tokens:
            task.status = Status.RUNNING
            self._append_token(task, token)

    def _decoded(self, batch: list[Task], tokens: list[int]) -> None:
        """Note a computed token of each task, and the one that comes after it."""
        caching = self.cache.prefix_caching
        for task, token in zip(batch, tokens, strict=True):
            task.kv_len += 1
            if caching:
                self._key_pages(task, 1)
            self._append_token(task, token)

    def _append_token(self, task: Task, token: int) -> None:
        task.append(token)
        task.last_step = self.step_index
        if token == self.eos:
            self._finish(task, "eos")
        elif len(task.output) >= task.max_tokens:
            self._finish(task, "length")

    def _finish(self, task: Task, reason: str) -> None:
        (self.running if task in self.running else self.waiting).remove(task)
        task.status = Status.FINISHED
        task.finish_reason = reason
        self.finished.append(task)

    def _make_room(self, task: Task) -> bool:
        """Grow the table for the next token; False if the task cannot decode now.

        The latest admitted task is preempted until there is room, which may be `task`
        itself but none ahead of it: policies keep the order of admission. None is while
        finished tasks still hold pages: `task` sits this step out and the next cleanup
        returns them.
        """
        while task.status == Status.RUNNING:
            try:
                self.cache.grow(task.id, task.n_tokens)
                return True
            except OutOfPages:
                if self.finished:
                    return False
                if not self.preemption:
                    raise
                self._preempt(self.running[-1])
        return False

    def _preempt(self, task: Task) -> None:
        """Take a running task's pages; it waits at the front and is computed again later."""
        self.running.remove(task)
        self.cache.release(task.id)
        task.kv_len = 0
        task.status = Status.PREEMPTED
        self.waiting.appendleft(task)

    def _key_pages(self, task: Task, count: int) -> None:
        """Key the pages that the last `count` tokens have filled."""
        cache, after = self.cache, task.kv_len
        if after // cache.page_size > (after - count) // cache.page_size:
            cache.record_pages(task.id, task.tokens[:after])
