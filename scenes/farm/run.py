"""A run: tasks given out, the dearest first, to whoever is free; and the sheet of who did what and when."""

import heapq
import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from scenes.farm.task import Done, Task

Then = Callable[[float, Sequence[Any]], None]
Progress = Callable[[float, float], None]
POLL_S = 0.2
AHEAD = 2
"""Tasks given out for each worker: one that it does, and one to go on with while the file of the first travels."""


class Place(Protocol):
    """Where tasks are done. `taken` gives None where a task is to be given out again."""

    def workers(self) -> int: ...

    def limit(self, tasks: int) -> None: ...

    def submit(self, number: int, task: Task) -> "Future[Done]": ...

    def taken(self, task: Task, future: "Future[Done]") -> Done | None: ...

    def reports(self) -> Iterator[tuple[int, float]]: ...

    def stop(self) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Span:
    """That `worker` was at making the file `task` from `began` to `ended`, in seconds of the run."""

    worker: str
    task: str
    began: float
    ended: float


@dataclass
class Sheet:
    """What the `workers` of a run did: `spans` in the order in which they ended, and when the last task was given out.

    Times are those of this side: a span ends when its file is here, and is as long as the worker says it took.
    """

    workers: int = 0
    spans: list[Span] = field(default_factory=list)
    given_out: float = 0.0

    def busy(self, until: float | None = None) -> float:
        """The share of all workers' time, from the run's beginning to `until`, its end by default, spent at tasks."""
        end = max((span.ended for span in self.spans), default=0.0) if until is None else until
        spent = sum(max(0.0, min(end, span.ended) - span.began) for span in self.spans)
        return spent / (end * self.workers) if end and self.workers else 1.0


@dataclass
class _Group:
    """Tasks of which all are needed: `then` is called with the seconds that they took together, and what each gave."""

    left: int
    then: Then
    took: float = 0.0
    values: list[Any] = field(default_factory=list)


class Run:
    """Gives tasks out to `place`. Left by an exception, it has all stopped; else it waits until all is done.

    `progress` is called with the film seconds made and those to make.
    """

    def __init__(self, place: Place, progress: Progress = lambda done, total: None) -> None:
        self.place, self.progress, self.sheet = place, progress, Sheet()
        self._numbers = itertools.count()
        self._waiting: list[tuple[float, int, Task, _Group]] = []
        self._going: dict[Future, tuple[float, int, Task, _Group]] = {}
        self._done: SimpleQueue[Future] = SimpleQueue()
        self._made: dict[int, float] = {}
        self._total = 0.0
        self._began = 0.0

    def add(self, tasks: Iterable[Task], then: Then = lambda took, values: None) -> None:
        """Have `tasks` done, and `then` called with the seconds that they took, and with what the work of each gave, in
        the order in which they were done. It may add more."""
        listed = list(tasks)
        group = _Group(len(listed), then)
        for task in listed:
            heapq.heappush(self._waiting, (-task.cost, next(self._numbers), task, group))
            self._total += task.seconds

    def go_on(self) -> None:
        """Take in what is done, and give out as much as keeps all at work until this is called again."""
        self._give_out()
        self._take_in(0.0)

    def finish(self) -> None:
        """Wait until everything is done. Raises what a task raised, and WorkersLost."""
        self.place.limit(len(self._waiting))
        while self._waiting or self._going:
            self._give_out()
            self._take_in(POLL_S)
        self.progress(self._total, self._total)

    def _give_out(self) -> None:
        workers = self.place.workers()
        self.sheet.workers = max(self.sheet.workers, workers)
        while self._waiting and len(self._going) < workers * AHEAD:
            one = heapq.heappop(self._waiting)
            self._began = self._began or time.monotonic()
            future = self.place.submit(one[1], one[2])
            self._going[future] = one
            future.add_done_callback(self._done.put)
            self.sheet.given_out = time.monotonic() - self._began

    def _finished(self, timeout: float) -> Iterator[Future]:
        """What is done now, or the first within `timeout` seconds.

        `concurrent.futures.wait` would hold the locks of all, and keep some where Ctrl-C falls into it.
        """
        with suppress(Empty):
            yield self._done.get(timeout=timeout) if timeout else self._done.get_nowait()
            while True:
                yield self._done.get_nowait()

    def _take_in(self, timeout: float) -> None:
        for future in self._finished(timeout):
            one = self._going.pop(future)
            _, number, task, group = one
            done = self.place.taken(task, future)
            if done is None:
                heapq.heappush(self._waiting, one)
                continue
            now = time.monotonic() - self._began
            self.sheet.spans.append(Span(done.worker, task.output.name, now - done.took, now))
            self._made[number] = max(task.seconds, self._made.get(number, 0.0))
            group.left, group.took = group.left - 1, group.took + done.took
            group.values.append(done.value)
            if not group.left:
                group.then(group.took, group.values)
        for number, seconds in self.place.reports():
            self._made[number] = max(seconds, self._made.get(number, 0.0))
        self.progress(min(math.fsum(self._made.values()), self._total), self._total)
