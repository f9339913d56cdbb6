"""Driving a scheduler through a scenario: arrivals, steps, and when to stop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from astrai_sim.scenario.schema import ChangePart, StopPart
from astrai_sim.scheduler import InferenceScheduler, Task


class Run:
    """Submits each task before the step of its arrival and steps until the stop.

    Each of `changes` is made before its step, ahead of that step's arrivals.
    `stopped` tells afterwards why: "idle", "max_steps" or "task".
    """

    def __init__(
        self,
        scheduler: InferenceScheduler,
        tasks: list[Task],
        stop: StopPart,
        changes: Sequence[ChangePart] = (),
    ) -> None:
        self.scheduler = scheduler
        self.tasks = tasks
        self.pending = sorted(tasks, key=lambda task: task.arrival_step)
        self.changes = sorted(changes, key=lambda change: change.step)
        self.stop = stop
        self.stopped: str | None = None

    @property
    def total_tokens(self) -> int:
        """Tokens to generate if nothing stops the run early."""
        return sum(task.max_tokens for task in self.tasks)

    @property
    def generated(self) -> int:
        """Tokens generated so far."""
        return sum(len(task.output) for task in self.tasks)

    def steps(self) -> Iterator[int]:
        """Run step by step; yields the index of each step done.

        Raises ValueError from `submit` for a request that can never fit, and from
        `change_setting` for a change that cannot be made then.
        """
        while (reason := self._why_stop()) is None:
            step = self.scheduler.step_index
            while self.changes and self.changes[0].step <= step:
                for name, value in self.changes.pop(0).settings().items():
                    self.scheduler.change_setting(name, value)
            while self.pending and self.pending[0].arrival_step <= step:
                self.scheduler.submit(self.pending.pop(0))
            self.scheduler.step()
            yield step
        self.stopped = reason

    def _why_stop(self) -> str | None:
        stop = self.stop
        if stop.max_steps is not None and self.scheduler.step_index >= stop.max_steps:
            return "max_steps"
        if stop.task is not None:
            watched = next(task for task in self.tasks if task.id == stop.task)
            if watched.n_tokens >= stop.tokens:
                return "task"
        if not self.pending and self.scheduler.idle:
            return "idle"
        return None
