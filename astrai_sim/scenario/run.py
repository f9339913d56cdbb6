"""Driving a scheduler through a scenario: arrivals, steps, and when to stop."""

from collections import deque
from collections.abc import Iterator, Sequence

from astrai_sim.engine.clock import Clock, RealClock
from astrai_sim.engine.scheduler import InferenceScheduler, Task
from astrai_sim.scenario.schema import ChangePart, StopPart


class CannotRun(ValueError):
    """The scenario asks for what cannot be: a request or change that the engine refuses."""


class Run:
    """Submits each task before the step of its arrival and steps until the stop.

    A task with `arrival_s` is submitted before the first step that `clock` begins at or after that time; while there is
    nothing else to do the clock waits for it. Each of `changes` is made before its step, ahead of that step's arrivals.
    `stopped` tells afterwards why: "idle", "max_steps" or "task"; `waiting` whether the clock waits just now.
    """

    def __init__(
        self,
        scheduler: InferenceScheduler,
        tasks: list[Task],
        stop: StopPart,
        changes: Sequence[ChangePart] = (),
        clock: Clock | None = None,
    ) -> None:
        self.scheduler = scheduler
        self.tasks = tasks
        due = [(task.arrival_s, task) for task in tasks if task.arrival_s is not None]
        by_step = [task for task in tasks if task.arrival_s is None]
        # With the clock's nanoseconds at which they are due.
        self.timed = deque((round(due_s * 1e9), task) for due_s, task in sorted(due, key=lambda pair: pair[0]))
        self.pending = deque(sorted(by_step, key=lambda task: task.arrival_step))
        self.changes = sorted(changes, key=lambda change: change.step)
        self.stop = stop
        self._watched = next((task for task in tasks if task.id == stop.task), None)
        self.clock = RealClock() if clock is None else clock
        self.stopped: str | None = None
        self.waiting = False

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

        Raises CannotRun for a request that never fits, a change that cannot be made then, a time that no trace can say.
        """
        while (reason := self._why_stop()) is None:
            step = self.scheduler.step_index
            try:
                self._change(step)
                self._submit(step)
            except ValueError as error:
                raise CannotRun(str(error)) from error
            self.scheduler.step()
            if self.clock.now_ns() >= 1 << 63:
                raise CannotRun(f"step {step} ends after 292 years, beyond what a trace can say: lower [cost]")
            yield step
        self.stopped = reason

    def _change(self, step: int) -> None:
        while self.changes and self.changes[0].step <= step:
            for name, value in self.changes.pop(0).settings().items():
                self.scheduler.change_setting(name, value)

    def _submit(self, step: int) -> None:
        while self.pending and self.pending[0].arrival_step <= step:
            self.scheduler.submit(self.pending.popleft())
        if self.timed and self.scheduler.idle and not self.pending:
            self.waiting = True
            self.clock.wait_until(self.timed[0][0])
            self.waiting = False
        while self.timed and self.timed[0][0] <= self.clock.now_ns():
            self.scheduler.submit(self.timed.popleft()[1])

    def _why_stop(self) -> str | None:
        stop, watched = self.stop, self._watched
        if stop.max_steps is not None and self.scheduler.step_index >= stop.max_steps:
            return "max_steps"
        if watched is not None and stop.tokens is not None and watched.n_tokens >= stop.tokens:
            return "task"
        return "idle" if not (self.pending or self.timed) and self.scheduler.idle else None
