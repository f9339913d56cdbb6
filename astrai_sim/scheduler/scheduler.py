"""The scheduler: four phases a step, pages on demand, preemption by recomputation."""

from __future__ import annotations

from collections import deque

import torch

from astrai_sim.cache import CacheView, OutOfPages, PagedCache, pages_for
from astrai_sim.scheduler.policy import POLICIES
from astrai_sim.scheduler.task import Status, Task


class InferenceScheduler:
    """Serves tasks through a model and a paged cache, one `step` at a time.

    Parameters
    ----------
    model
        Callable (tokens [B, S], view, last [B]) -> logits [B, vocab_size].
    max_batch
        Most tasks that hold pages at once.
    decode_policy
        A key of `POLICIES`.
    max_tokens_per_step
        Token budget of a step; prompts are prefilled in chunks that fit what the
        decoding tasks leave of it. None: a prompt is prefilled whole.
    preemption
        Whether a running task may lose its pages to one that must grow. Without
        it a task that cannot grow waits; RuntimeError if then nothing can move.
    """

    def __init__(
        self,
        model,
        cache: PagedCache,
        *,
        max_batch: int = 8,
        decode_policy: str = "all",
        max_tokens_per_step: int | None = None,
        preemption: bool = True,
        eos: int | None = None,
    ) -> None:
        if decode_policy not in POLICIES:
            raise ValueError(f"decode_policy {decode_policy!r}: choose from {', '.join(POLICIES)}")
        if max_batch < 1 or (max_tokens_per_step is not None and max_tokens_per_step < 1):
            raise ValueError("max_batch and max_tokens_per_step must be at least 1")
        self.model = model
        self.cache = cache
        self.max_batch = max_batch
        self.decode_policy = POLICIES[decode_policy]
        self.max_tokens_per_step = max_tokens_per_step
        self.preemption = preemption
        self.eos = eos
        self.waiting: deque[Task] = deque()
        self.running: list[Task] = []
        self.finished: list[Task] = []
        self.step_index = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits, runs, or still holds pages."""
        return not (self.waiting or self.running or self.finished)

    def submit(self, task: Task) -> None:
        """Queue a task. Raises ValueError as `check` does, and for a name in use."""
        self.check(task)
        if any(task.id == other.id for other in self.tasks()):
            raise ValueError(f"task {task.id}: the name is in use")
        self.waiting.append(task)

    def check(self, task: Task) -> None:
        """Raise ValueError for an empty prompt and for a task that could never fit.

        The last generated token is never written, so a task needs pages for its
        prompt and max_tokens - 1 tokens.
        """
        if not task.prompt or task.max_tokens < 1:
            raise ValueError(f"task {task.id}: prompt and max_tokens must be at least 1 token")
        longest = len(task.prompt) + task.max_tokens - 1
        needed = pages_for(longest, self.cache.page_size)
        if needed > self.cache.n_pages:
            raise ValueError(
                f"task {task.id} can never fit: {longest} tokens need {needed} pages, "
                f"the pool has {self.cache.n_pages}"
            )

    def tasks(self) -> list[Task]:
        """All tasks that have not left."""
        return [*self.waiting, *self.running, *self.finished]

    def abort(self, task_id: str) -> None:
        """End a task now; its pages return in the next cleanup. KeyError if unknown."""
        for task in self.tasks():
            if task.id == task_id:
                break
        else:
            raise KeyError(task_id)
        if task in self.waiting:
            self.waiting.remove(task)
        if task not in self.finished:
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
        worked = self.prefill()
        worked += self.decode()
        if not worked and not self.preemption and (self.waiting or self.running):
            raise RuntimeError(
                f"step {self.step_index}: no task can move: every page is held "
                "and preemption is off"
            )
        self.step_index += 1

    def cleanup(self) -> list[Task]:
        """Release the pages of finished tasks."""
        gone, self.finished = self.finished, []
        for task in gone:
            if task.id in self.cache.tables:
                self.cache.release(task.id)
        return gone

    def refill(self) -> list[Task]:
        """Admit waiting tasks in order while there is room in batch and pool."""
        admitted: list[Task] = []
        while self.waiting and len(self.running) < self.max_batch:
            try:
                self._admit(self.waiting[0])
            except OutOfPages:
                break
            admitted.append(self.running[-1])
        return admitted

    def prefill(self) -> list[Task]:
        """Compute K and V of admitted tasks' tokens, within the step's token budget."""
        batch = self._plan_prefill()
        if not batch:
            return []
        logits = self._forward(batch)
        for (task, start, count), row in zip(batch, logits, strict=True):
            self._prefilled(task, start, count, row)
        return [task for task, _, _ in batch]

    def decode(self) -> list[Task]:
        """One token for each task that the policy picks and that has a slot for it."""
        ready = [task for task in self.running if task.status == Status.RUNNING]
        batch = []
        for task in self.decode_policy(ready):
            if task.status == Status.RUNNING and self._make_room(task):
                batch.append(task)
        batch = [task for task in batch if task.status == Status.RUNNING]
        if not batch:
            return []
        logits = self._forward([(task, task.kv_len, 1) for task in batch])
        for task, row in zip(batch, logits, strict=True):
            self._advance_kv(task, 1)
            self._append_token(task, int(row.argmax()))
        return batch

    def _plan_prefill(self) -> list[tuple[Task, int, int]]:
        prefilling = [t for t in self.running if t.status == Status.PREFILLING]
        budget = self.max_tokens_per_step
        if budget is not None:
            decoding = sum(t.status == Status.RUNNING for t in self.running)
            budget = max(1, budget - decoding)
        batch = []
        for task in prefilling:
            count = task.n_tokens - task.kv_len
            if budget is not None:
                count = min(count, budget)
                budget -= count
            if count:
                batch.append((task, task.kv_len, count))
        return batch

    def _forward(self, batch: list[tuple[Task, int, int]]) -> torch.Tensor:
        """Logits [B, vocab_size] of the last of each task's `count` tokens from `start`."""
        tables = [self.cache.tables[task.id] for task, _, _ in batch]
        starts = [start for _, start, _ in batch]
        counts = [count for _, _, count in batch]
        view = CacheView(self.cache, tables, starts, counts)
        device = self.cache.k_cache.device
        width = max(counts)
        rows = [
            [*task.tokens[start : start + count], *[0] * (width - count)]
            for task, start, count in batch
        ]
        last = torch.tensor(counts, device=device) - 1
        return self.model(torch.tensor(rows, device=device), view, last)

    def _admit(self, task: Task) -> None:
        """Give the first waiting task its pages; OutOfPages leaves it waiting."""
        cached = self.cache.admit(task.id, task.tokens)
        self.waiting.popleft()
        task.kv_len = cached
        task.status = Status.PREFILLING
        self.running.append(task)

    def _prefilled(self, task: Task, start: int, count: int, logits: torch.Tensor) -> None:
        """Note `count` computed tokens from `start`; the last chunk's logits give a token."""
        self._advance_kv(task, count)
        if task.kv_len == task.n_tokens:
            task.status = Status.RUNNING
            self._append_token(task, int(logits.argmax()))

    def _advance_kv(self, task: Task, count: int) -> None:
        before = task.kv_len // self.cache.page_size
        task.kv_len += count
        if task.kv_len // self.cache.page_size > before:
            self.cache.record_pages(task.id, task.tokens[: task.kv_len])

    def _append_token(self, task: Task, token: int) -> None:
        task.output.append(token)
        if token == self.eos:
            self._finish(task, "eos")
        elif len(task.output) >= task.max_tokens:
            self._finish(task, "length")

    def _finish(self, task: Task, reason: str) -> None:
        task.status = Status.FINISHED
        task.finish_reason = reason
        if task in self.running:
            self.running.remove(task)
        self.finished.append(task)

    def _make_room(self, task: Task) -> bool:
        """Grow the table for the next token, preempting the latest admitted if need be."""
        while True:
            try:
                self.cache.grow(task.id, task.n_tokens)
                return True
            except OutOfPages:
                if not self.preemption:
                    return False
                victim = self.running[-1]
                self._preempt(victim)
                if victim is task:
                    return False

    def _preempt(self, task: Task) -> None:
        """Take a running task's pages; it waits at the front and is computed again later."""
        self.running.remove(task)
        self.cache.release(task.id)
        task.kv_len = 0
        task.status = Status.PREEMPTED
        self.waiting.appendleft(task)
