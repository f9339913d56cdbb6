"""Prefills repeated while waiting: the same tokens of a request computed again and again before its next token."""

from collections.abc import Iterator

from msgspec import Struct

from astrai_sim.doctor.kind import Kind
from astrai_sim.doctor.run import Run
from astrai_sim.doctor.words import of_tokens, times
from astrai_sim.trace import Trace
from astrai_sim.trace import events as ev


class Passes(Struct):
    """Passes over a request since it was admitted or got a token: up to where it is computed (`done`), how many passes
    computed that `again`, and how many tokens; the numbers of the first pass, of the second and of the last."""

    done: int
    again: int = 0
    wasted: int = 0
    first: int = -1
    second: int = -1
    last: int = -1


class RepeatedPrefills(Kind):
    """Nobody lost the pages, and yet a pass computes them anew."""

    name = "prefilled again"
    looks_for = "requests whose tokens are computed again and again while they wait for their next one"
    asks, shows = "Why are tokens computed again and again?", "Computed again before the next token: {pages}."

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self.passes: dict[str, Passes] = {}

    def on_kv_write(self, event: ev.KvWrite) -> None:
        """A pass has computed for several requests."""
        for span in event.spans:
            self._pass(span.task, span.start, span.start + span.count, event.seq)

    def on_kv_lengths(self, event: ev.KvLengths) -> None:
        """A pass has computed so many tokens for several requests."""
        for task, count in zip(event.tasks, event.counts, strict=True):
            done, most = self._of(task).done, self.run.state.tasks[task].n_tokens
            start = done if done + count <= most else max(0, most - count)
            self._pass(task, start, min(most, start + count), event.seq)

    def _of(self, task: str) -> Passes:
        return self.passes.setdefault(task, Passes(0))

    def _pass(self, task: str, start: int, end: int, seq: int) -> None:
        passes = self._of(task)
        if passes.first >= 0 and start < passes.done:
            passes.again += 1
            passes.wasted += min(passes.done, end) - start
            passes.second = seq if passes.second < 0 else passes.second
            passes.last = seq
        elif passes.first < 0:
            passes.first = seq
        passes.done = max(passes.done, end)

    def on_task_admitted(self, event: ev.TaskAdmitted) -> None:
        """What was found in the cache is computed already."""
        self._over(event.task, -1)
        self.passes[event.task] = Passes(event.cached_tokens)

    def on_tokens(self, event: ev.Tokens) -> None:
        """A request has its next token."""
        for task in event.tasks:
            self._over(task, event.seq)

    def on_task_preempted(self, event: ev.TaskPreempted) -> None:
        """A request has lost its pages."""
        self._over(event.task, event.seq)

    def on_task_finished(self, event: ev.TaskFinished) -> None:
        """A request needs nothing more."""
        self._over(event.task, event.seq)
        self.passes.pop(event.task, None)

    def end(self, trace: Trace) -> None:
        for task in [*self.passes]:
            self._over(task, -1)

    def _over(self, task: str, seq: int) -> None:
        passes = self._of(task)
        if passes.again:
            says = f"{task} was prefilled {times(passes.again + 1)} before its next token"
            says = f"{says}: {of_tokens(passes.wasted)} were computed for nothing"
            log = self.run.task(task)
            self.tell(says, (log.admitted, passes.first, passes.second, passes.last, seq), self._pages(task), [task])
        self.passes[task] = Passes(passes.done)

    def _pages(self, task: str) -> Iterator[int]:
        return iter(self.run.tables.get(task, ()))
