"""Driving a scheduler through a scenario: arrivals, steps, and when to stop."""

from __future__ import annotations

from collections.abc import Iterator

from astrai_sim.scenario.schema import StopPart
from astrai_sim.scheduler import InferenceScheduler, Task


class Run:
    """Submits each task before the step of its arrival and steps until the stop.

    `stopped` tells afterwards why: "idle", "max_steps" or "task".
    """

    def __init__(self, scheduler: InferenceScheduler, tasks: list[Task], stop: StopPart) -> None:
        self.scheduler = scheduler
        self.tasks = tasks
        self.pending = sorted(tasks, key=lambda task: task.arrival_step)
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

        Raises ValueError from `submit` for a request that can never fit.
        """
        while (reason := self._why_stop()) is None:
            step = self.scheduler.step_index
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
